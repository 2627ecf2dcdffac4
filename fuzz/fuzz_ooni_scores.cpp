// OONI measurements from any bytes, scored in every way and put into the book. First byte: limits; second: size of the pieces.
#include <algorithm>

#include "core/error.hpp"
#include "evidence/ooni.hpp"
#include "instruments/interference/measurement_book.hpp"
#include "read_whole.hpp"

namespace {

const unveil::interference::FingerprintSet& fingerprints() {
    using unveil::interference::Fingerprint;
    static const unveil::interference::FingerprintSet set({
        {"address", "nat", "dns", "192.0.2.1", Fingerprint::Match::full, {"IT"}, 5},
        {"page", "isp", "body", "title", Fingerprint::Match::contains, {"IT"}, 5},
        {"server", "fp", "header.server", "n", Fingerprint::Match::prefix, {}, 5},
    });
    return set;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace unveil;
    if (size < 2) return 0;
    std::string bytes(reinterpret_cast<const char*>(data + 2), size - 2);
    const auto limits = fuzz::small_limits(data[0]);
    try {
        const auto source = open_measurements_from(memory_input(std::move(bytes), std::max<std::size_t>(1, data[1])), "m.jsonl", 0, limits);
        MeasurementBatch batch;
        interference::MeasurementBook book;
        std::uint64_t kept = 0;
        while (source->next(batch)) {
            kept += batch.size;
            for (const Measurement& m : batch.all()) {
                interference::score_fastpath(m, fingerprints());
                interference::score_data_v2(m, fingerprints());
                const auto score = interference::score_unveil(m, fingerprints());
                for (const auto& verdict : score.of) {
                    fuzz::require(verdict.weights.blocked >= 0 && verdict.weights.blocked + verdict.weights.down + verdict.weights.ok < 1.001);
                    fuzz::require(verdict.pointers.size() <= interference::LayerVerdict::pointers_max);
                }
                book.add(m);
            }
        }
        fuzz::require(kept == source->report().tally.kept());
        fuzz::require(book.counts().measurements == kept);
        for (const auto& cell : book.finish().cells) fuzz::require(cell.p >= 0 && cell.p <= 1 && cell.blocked + cell.down <= cell.measurements);
    } catch (const Error& error) {
        fuzz::require(error.kind() != ErrorKind::internal);
    }
    return 0;
}
