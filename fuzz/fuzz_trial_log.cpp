// A log of trials from any bytes: header, chain, values. First byte: limits; second: size of the pieces.
#include <algorithm>

#include "core/error.hpp"
#include "evidence/trial_log.hpp"
#include "read_whole.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace unveil;
    if (size < 2) return 0;
    std::string bytes(reinterpret_cast<const char*>(data + 2), size - 2);
    try {
        const auto source = open_trials_from(memory_input(std::move(bytes), std::max<std::size_t>(1, data[1])), "log.jsonl", 0,
                                             fuzz::small_limits(data[0]));
        std::vector<Trial> batch;
        std::uint64_t trials = 0;
        while (source->next(batch)) {
            trials += batch.size();
            for (const Trial& trial : batch)
                for (const TrialSpan& span : trial.spans)
                    if (span.end > trial.input.size()) std::abort();
        }
        if (trials != source->report().tally.kept()) std::abort();
    } catch (const Error&) {
    }
    return 0;
}
