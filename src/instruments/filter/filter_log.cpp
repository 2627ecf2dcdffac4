#include "instruments/filter/filter_log.hpp"

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/text.hpp"

namespace unveil::filter {

FilterLog read_filter_logs(const std::vector<TrialSource*>& sources, double confidence, Progress& progress) {
    FilterLog log;
    std::vector<Trial> batch;
    for (TrialSource* source : sources) {
        const TrialLogHeader& header = source->header();
        if (header.experiment != "filter")
            throw Error(ErrorKind::input, fmt::format("is a log of the experiment '{}', not of 'filter'", printable(header.experiment, 40)),
                        "Give the log of a filter experiment", source->report().path);
        if (const auto differing = merge_context_attributes(header.attributes, log.attributes); !differing.empty())
            throw Error(ErrorKind::input, fmt::format("says something else of a context than a log before it: {}", printable(differing, 120)), "Run them one by one",
                        source->report().path);
        log.begin_log(header.separator);
        while (source->next(batch)) {
            progress.check();
            progress.update("reading", source->bytes_done(), source->report().bytes);
            for (const Trial& trial : batch) log.add(trial);
        }
    }
    if (const auto other = log.finish(confidence))
        throw Error(ErrorKind::input, "was made with another separator than the log before it: their messages are not comparable", "Run them one by one",
                    sources[*other]->report().path);
    return log;
}

}  // namespace unveil::filter
