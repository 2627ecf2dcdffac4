#include "cli/inspect_trials.hpp"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/global.hpp"
#include "cli/inspect_lines.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "core/time.hpp"
#include "evidence/trial_log.hpp"

namespace unveil::cli {

FileInspection inspect_trials(const std::string& path, const Global& global, nlohmann::ordered_json& json) {
    FileInspection inspection;
    std::string& out = inspection.text;
    out = printable(path, 1000) + "\n";
    json = {{"path", path}};
    try {
        const auto source = open_trials(path, 0);
        std::map<std::string, std::uint64_t> outcomes;
        std::map<std::string, std::uint64_t> contexts;
        std::map<std::string, std::uint64_t> steps;
        std::set<std::string> subjects;
        double price = 0;
        std::vector<Trial> batch;
        while (source->next(batch)) {
            for (const Trial& trial : batch) {
                ++outcomes[std::string(outcome_name(trial.outcome))];
                ++contexts[trial.context];
                ++steps[trial.step];
                subjects.insert(trial.subject);
                price += trial.price;
            }
            global.progress->update("reading", source->bytes_done(), source->report().bytes);
            global.progress->check();
        }
        const SourceReport& report = source->report();
        inspection.is_readable = true;
        json["readable"] = true;
        json["format"] = report.format;
        json["compression"] = report.compression;
        json["bytes"] = report.bytes;
        json["sha256"] = report.sha256;
        json["experiment"] = source->header().experiment;
        json["service"] = source->header().service;
        json["trials_kept"] = report.tally.kept();
        json["rows_skipped"] = report.tally.skipped();
        json["outcomes"] = outcomes;
        json["contexts"] = contexts;
        json["steps"] = steps;
        json["subjects"] = subjects.size();
        json["price"] = price;
        add_line(out, "format", fmt::format("trial-log (JSON lines{})", report.compression == "none" ? "" : ", " + report.compression));
        add_line(out, "size", fmt::format("{} bytes", grouped(report.bytes)));
        add_line(out, "sha256", report.sha256);
        add_line(out, "experiment", printable(source->header().experiment, 60));
        add_line(out, "service", printable(source->header().service, 200));
        add_line(out, "trials", grouped(report.tally.kept()));
        add_line(out, "subjects", grouped(subjects.size()));
        if (report.tally.kept() > 0) {
            json["time_first"] = format_time(report.time_first_us);
            json["time_last"] = format_time(report.time_last_us);
            add_line(out, "time", fmt::format("{} to {}", format_time(report.time_first_us), format_time(report.time_last_us)));
        }
        add_counts(out, "outcomes", outcomes);
        add_counts(out, "contexts", contexts);
        add_counts(out, "steps", steps);
        add_tally(out, report.tally);
        if (report.tally.kept() == 0) add_line(out, "problem", "there is no trial in it");
        else if (source->header().experiment == "filter") add_line(out, "run next", fmt::format("unveil filter {} --out result", printable(path, 1000)));
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::input && error.kind() != ErrorKind::run) throw;
        put_problem(json, error);
        add_problem(out, path, error);
    }
    return inspection;
}

}  // namespace unveil::cli
