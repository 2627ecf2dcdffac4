#include "instruments/filter/filter_log.hpp"

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/text.hpp"
#include "table/rule.hpp"

namespace unveil::filter {
namespace {

/// The separator that a log shows to work: put into a known rule it breaks it, beside one it does not hide it, and alone it is harmless.
class Calibration {
  public:
    explicit Calibration(std::string given) : m_separator(std::move(given)) {}
    void add(const Trial& trial) {
        if (trial.step != "calibrate") return;
        const bool is_passed = trial.outcome == Outcome::passed;
        const bool is_blocked = is_suppressed(trial.outcome);
        if ((trial.detail == "no shield" && is_blocked) || ((trial.detail == "kept" || trial.detail == "harmless") && is_passed))
            m_shown[trial.subject].insert(trial.detail);
        if (m_shown[trial.subject].size() == 3) m_separator = trial.subject;
    }
    const std::string& separator() const { return m_separator; }

  private:
    std::string m_separator;
    std::map<std::string, std::set<std::string>> m_shown;
};

}  // namespace

FilterLog read_filter_logs(const std::vector<TrialSource*>& sources, double confidence, Progress& progress) {
    constexpr std::size_t components_max = 64;
    FilterLog log;
    std::vector<Trial> batch;
    for (std::size_t i = 0; i < sources.size(); ++i) {
        TrialSource& source = *sources[i];
        const TrialLogHeader& header = source.header();
        if (header.experiment != "filter")
            throw Error(ErrorKind::input, fmt::format("is a log of the experiment '{}', not of 'filter'", printable(header.experiment, 40)),
                        "Give the log of a filter experiment", source.report().path);
        Calibration calibration(header.separator);
        while (source.next(batch)) {
            progress.check();
            progress.update("reading", source.bytes_done(), source.report().bytes);
            for (const Trial& trial : batch) {
                log.book.add(trial);
                calibration.add(trial);
                static const std::set<std::string> about_rules = {"certify", "compare", "probe", "order", "shape", "except", "track"};
                if (about_rules.count(trial.step) == 0) continue;
                auto components = rule_components(trial.subject);
                if (components.empty() || components.size() > components_max) continue;
                Subject& subject = log.subjects[trial.subject];
                subject.components = std::move(components);
                if (trial.step == "probe" && !trial.detail.empty()) subject.probes[trial.context][trial.detail] = trial.input;
                if (trial.step == "shape") subject.shapes[trial.context][trial.detail] = trial.input;
                if (trial.step == "except" && !trial.detail.empty()) subject.exceptions[trial.context].insert(trial.detail);
            }
        }
        if (i > 0 && calibration.separator() != log.separator)
            throw Error(ErrorKind::input, "was made with another separator than the log before it: their messages are not comparable",
                        "Run them one by one", source.report().path);
        log.separator = calibration.separator();
    }
    log.book.finish(confidence);
    return log;
}

}  // namespace unveil::filter
