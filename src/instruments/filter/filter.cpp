#include "instruments/filter/filter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/error.hpp"
#include "core/text.hpp"
#include "core/time.hpp"
#include "instruments/common_findings.hpp"
#include "instruments/filter/certificate.hpp"
#include "instruments/filter/reading.hpp"
#include "instruments/filter/rule_sets.hpp"
#include "instruments/filter/trial_book.hpp"
#include "statistics/proportion.hpp"

namespace unveil {
namespace {

using namespace filter;

/// What the logs say about one rule before anything is judged.
struct Subject {
    std::vector<std::string> components;
    std::map<std::string, std::map<std::string, std::string>> probes;   // context, fold -> the variant that was sent
};

struct Log {
    TrialBook book;
    std::map<std::string, Subject> subjects;   // by notation
    std::string separator;
};

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

Log read_log(const InstrumentInputs& inputs, Progress& progress) {
    constexpr std::size_t components_max = 64;
    Log log;
    std::vector<Trial> batch;
    for (std::size_t i = 0; i < inputs.trials.size(); ++i) {
        TrialSource& source = *inputs.trials[i];
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
                if (trial.step != "certify" && trial.step != "compare" && trial.step != "probe") continue;
                auto components = rule_components(trial.subject);
                if (components.empty() || components.size() > components_max) continue;
                Subject& subject = log.subjects[trial.subject];
                subject.components = std::move(components);
                if (trial.step == "probe" && !trial.detail.empty()) subject.probes[trial.context][trial.detail] = trial.input;
            }
        }
        if (i > 0 && calibration.separator() != log.separator)
            throw Error(ErrorKind::input, "was made with another separator than the log before it: their messages are not comparable",
                        "Run them one by one", source.report().path);
        log.separator = calibration.separator();
    }
    log.book.finish();
    return log;
}

std::string metric_of(std::string_view name, std::string_view argument) {
    std::string quoted;
    for (const char c : argument) {
        if (c == '"' || c == '\\') quoted += '\\';
        quoted += c;
    }
    return fmt::format("{}(\"{}\")", name, quoted);
}

Finding set_finding(std::string metric, std::string subject, std::set<std::string> members, std::set<std::string> non_members,
                    std::string sentence) {
    Finding finding = exact_count(std::move(metric), std::move(subject), members.size(), "rules", std::move(sentence));
    for (const auto& member : members) non_members.erase(member);
    finding.is_set = true;
    finding.members.assign(members.begin(), members.end());
    finding.non_members.assign(non_members.begin(), non_members.end());
    return finding;
}

Finding rate_finding(std::string metric, std::uint64_t wrong, std::uint64_t all, std::string sentence) {
    Finding finding = share(std::move(metric), "controls", wrong, all, std::move(sentence));
    const auto interval = clopper_pearson_interval(wrong, all);
    finding.low = interval.low;
    finding.high = interval.high;
    return finding;
}

class Judgement {
  public:
    Judgement(const Log& log, double confidence, OutputTables& tables) : m_log(log), m_confidence(confidence), m_tables(tables) {
        for (const auto& [context, inputs] : log.book.contexts()) m_contexts.push_back(context);
    }

    Findings findings() {
        describe_messages();
        describe_rules();
        describe_contexts();
        describe_reading();
        return std::move(m_findings);
    }

  private:
    void describe_messages();
    void describe_rules();
    void describe_contexts();
    void describe_reading();

    const Log& m_log;
    double m_confidence;
    OutputTables& m_tables;
    std::vector<std::string> m_contexts;
    std::vector<RuleStates> m_states;       // of every rule that was sent alone anywhere
    std::set<std::string> m_certified;
    Findings m_findings;
};

void Judgement::describe_messages() {
    const TrialBook& book = m_log.book;
    const auto of = [&](Outcome outcome) {
        const auto found = book.by_outcome.find(std::string(outcome_name(outcome)));
        return found == book.by_outcome.end() ? std::uint64_t{0} : found->second;
    };
    const std::uint64_t blocked = of(Outcome::blocked) + of(Outcome::partial);
    auto messages = exact_count("messages", "the log", book.trials, "messages",
                                fmt::format("{} messages were sent; {} of them were blocked.", grouped_digits(book.trials), grouped_digits(blocked)));
    messages.table.columns = {"outcome", "messages"};
    for (const auto& [outcome, count] : book.by_outcome) messages.table.rows.push_back({outcome, grouped_digits(count)});
    m_findings.items.push_back(std::move(messages));
    m_findings.items.push_back(exact_count("messages.blocked", "the log", blocked, "messages",
                                           fmt::format("{} messages were blocked in whole or in part.", grouped_digits(blocked))));
    if (const std::uint64_t lost = of(Outcome::unknown) + of(Outcome::error) + of(Outcome::rejected) + of(Outcome::banned); lost > 0)
        m_findings.notes.push_back(fmt::format("{} messages gave no verdict (lost, refused for their size or rate, an error or a ban) and count for nothing",
                                               grouped_digits(lost)));

    const Noise& noise = book.noise();
    auto slips = rate_finding("controls.slip_share", noise.slipped, noise.block_controls,
                              fmt::format("{} of {} messages that are known to be blocked came through.", grouped_digits(noise.slipped),
                                          grouped_digits(noise.block_controls)));
    auto wrong = rate_finding("controls.false_block_share", noise.wrongly_blocked, noise.pass_controls,
                              fmt::format("{} of {} harmless messages were blocked.", grouped_digits(noise.wrongly_blocked),
                                          grouped_digits(noise.pass_controls)));
    slips.caveat = wrong.caveat = "Controls were sent between the others; what is wrong with them is taken to be wrong with all.";
    m_findings.items.push_back(std::move(slips));
    m_findings.items.push_back(std::move(wrong));
    m_findings.items.push_back(share("repeats.inconsistent_share", "messages sent more than once", noise.messages_inconsistent,
                                     noise.messages_repeated,
                                     fmt::format("{} of {} messages that were sent again got another answer.",
                                                 grouped_digits(noise.messages_inconsistent), grouped_digits(noise.messages_repeated))));
    constexpr std::uint64_t controls_min = 10;
    if (noise.block_controls < controls_min || noise.pass_controls < controls_min)
        m_findings.caveats.push_back(fmt::format("Only {} messages known to be blocked and {} known to pass were sent between the others: how often an "
                                                 "answer is wrong is hardly known.",
                                                 noise.block_controls, noise.pass_controls));
}

void Judgement::describe_rules() {
    auto& rules_table = m_tables.open("rules", {{"rule", CellType::text, "components, joined by ' + '"},
                                                {"context", CellType::text, "who asked from where"},
                                                {"certificate", CellType::text, "certified, not blocked, not minimal or open"},
                                                {"confidence", CellType::real, "that all tests would come out the same once more"},
                                                {"tests_made", CellType::integer, "of the certificate"},
                                                {"tests", CellType::integer, "that it needs"}});
    auto& tests_table = m_tables.open("certificates", {{"rule", CellType::text, "components, joined by ' + '"},
                                                       {"context", CellType::text, "who asked from where"},
                                                       {"left_out", CellType::text, "which part of the rule was not sent"},
                                                       {"message", CellType::text, "what was sent"},
                                                       {"expected", CellType::text, "what a minimal rule gives"},
                                                       {"blocked", CellType::integer, "answers"},
                                                       {"passed", CellType::integer, "answers"},
                                                       {"evidence", CellType::integer, "input of the run, from 1"},
                                                       {"row", CellType::integer, "record of that input where it was first sent"}});
    std::set<std::string> certified;
    std::set<std::string> not_rules;
    std::uint64_t open = 0;
    std::uint64_t not_minimal = 0;
    std::map<std::size_t, std::uint64_t> sizes;
    std::vector<Locator> locators;
    for (const auto& [notation, subject] : m_log.subjects) {
        const auto tests = certificate_tests(subject.components, m_log.separator);
        RuleStates states{notation, {}};
        bool is_certified = false;
        bool is_open = false;
        bool is_less = false;
        for (const auto& context : m_contexts) {
            const Answers& whole = m_log.book.answers(context, tests.front().message);
            states.states.push_back(m_log.book.noise().state(whole, m_confidence));
            if (whole.tries() == 0) continue;
            const Certificate certificate = check_certificate(tests, context, m_log.book, m_confidence);
            is_certified |= certificate.state == CertificateState::certified;
            is_open |= certificate.state == CertificateState::open;
            is_less |= certificate.state == CertificateState::not_minimal;
            if (certificate.state == CertificateState::certified) locators.push_back(certificate.whole);
            rules_table.text(notation);
            rules_table.text(context);
            rules_table.text(certificate_state_name(certificate.state));
            rules_table.real(certificate.confidence);
            rules_table.integer(certificate.tests_made);
            rules_table.integer(certificate.tests);
            rules_table.end_row();
            for (const CertificateTest& test : tests) {
                const Answers& answers = m_log.book.answers(context, test.message);
                if (answers.tries() == 0) continue;
                tests_table.text(notation);
                tests_table.text(context);
                tests_table.text(test.left_out);
                tests_table.text(test.message);
                tests_table.text(test.is_blocked_expected ? "blocked" : "passed");
                tests_table.integer(answers.blocked);
                tests_table.integer(answers.passed);
                tests_table.integer(std::int64_t{answers.first.evidence} + 1);
                tests_table.integer(static_cast<std::int64_t>(answers.first.row));
                tests_table.end_row();
            }
        }
        const auto all = [&](State state) {
            return std::all_of(states.states.begin(), states.states.end(), [&](State s) { return s == state; });
        };
        if (is_certified) {
            certified.insert(notation);
            ++sizes[subject.components.size()];
        } else if (all(State::passed)) {
            not_rules.insert(notation);
        } else {
            not_minimal += is_less;
            open += !is_less && is_open;
        }
        m_states.push_back(std::move(states));
    }
    auto rules = set_finding("rules", "rules of the filter", certified, not_rules,
                             fmt::format("{} rules are certified: their components alone are blocked, and nothing less is.", grouped_digits(certified.size())));
    rules.caveat = "What was not sent is not known. A component may be two that stand side by side, and a longer text may be an exception.";
    std::sort(locators.begin(), locators.end());
    rules.locators_total = locators.size();
    locators.resize(std::min(locators.size(), Finding::locators_max));
    rules.locators = std::move(locators);
    rules.figure.kind = FigureKind::bars;
    rules.figure.title = "Rules by number of components";
    rules.figure.x_label = "rules";
    for (const auto& [size, count] : sizes) {
        const auto value = static_cast<double>(count);
        rules.figure.rows.push_back({fmt::format("{} component{}", size, size == 1 ? "" : "s"), value, value, value});
    }
    if (sizes.empty()) rules.figure = {};
    rules.table.columns = {"certified rule"};
    constexpr std::size_t shown_max = 20;
    for (const auto& rule : certified)
        if (rules.table.rows.size() < shown_max) rules.table.rows.push_back({rule});
    if (certified.size() > shown_max) rules.table.rows.push_back({fmt::format("... and {} more in rules.csv", certified.size() - shown_max)});
    m_certified = certified;
    m_findings.items.push_back(std::move(rules));
    m_findings.items.push_back(exact_count("rules.open", "rules of the filter", open, "rules",
                                           fmt::format("{} more are blocked, but lack answers for a certificate.", grouped_digits(open))));
    m_findings.items.push_back(exact_count("rules.not_minimal", "rules of the filter", not_minimal, "rules",
                                           fmt::format("Of {} a part is blocked too: they are no rules but hold one.", grouped_digits(not_minimal))));
}

void Judgement::describe_contexts() {
    auto& table = m_tables.open("contexts", {{"rule", CellType::text, "components, joined by ' + '"},
                                             {"context", CellType::text, "who asked from where"},
                                             {"state", CellType::text, "of the components alone: blocked, passed or unknown"}});
    for (std::size_t c = 0; c < m_contexts.size(); ++c) {
        std::set<std::string> blocked;
        std::set<std::string> passed;
        for (const RuleStates& rule : m_states) {
            const bool is_certified = m_certified.count(rule.rule) > 0;
            table.text(rule.rule);
            table.text(m_contexts[c]);
            table.text(state_name(rule.states[c]));
            table.end_row();
            // What is blocked but not certified may only hold a rule.
            if (is_certified && rule.states[c] == State::blocked) blocked.insert(rule.rule);
            if (rule.states[c] == State::passed) passed.insert(rule.rule);
        }
        m_findings.items.push_back(set_finding(metric_of("rules", m_contexts[c]), "certified rules met in this context", blocked, passed,
                                               fmt::format("In {}, {} rules are blocked and {} pass.", m_contexts[c], grouped_digits(blocked.size()),
                                                           grouped_digits(passed.size()))));
    }
    const auto pairs = compare_contexts(m_states, m_contexts.size());
    const auto groups = group_contexts(m_states, m_contexts.size());
    const std::size_t sets = groups.empty() ? 0 : *std::max_element(groups.begin(), groups.end()) + 1;
    std::uint64_t differing = 0;
    for (const ContextPair& pair : pairs) differing += pair.is_different();
    m_findings.items.push_back(exact_count("contexts", "the log", m_contexts.size(), "contexts",
                                           fmt::format("Messages were sent from {} contexts.", grouped_digits(m_contexts.size()))));
    auto rule_sets = exact_count("contexts.rule_sets", "contexts", sets, "rule sets",
                                 fmt::format("They meet {} different set{} of rules.", grouped_digits(sets), sets == 1 ? "" : "s"));
    rule_sets.caveat = "Contexts that no tested rule tells apart are put together; rules that were not tested in both may differ.";
    rule_sets.table.columns = {"context", "set", "rules blocked"};
    for (std::size_t c = 0; c < m_contexts.size(); ++c) {
        const auto blocked = std::count_if(m_states.begin(), m_states.end(), [&](const RuleStates& rule) { return rule.states[c] == State::blocked; });
        rule_sets.table.rows.push_back({m_contexts[c], std::to_string(groups[c] + 1), grouped_digits(static_cast<std::uint64_t>(blocked))});
    }
    m_findings.items.push_back(std::move(rule_sets));
    auto differ = exact_count("contexts.differ", "pairs of contexts", differing, "pairs",
                              fmt::format("{} of {} pairs of contexts differ in at least one rule.", grouped_digits(differing), grouped_digits(pairs.size())));
    differ.caveat = "p is McNemar's exact test with Holm's correction: whether one context is filtered more than the other, not whether they differ.";
    differ.table.columns = {"context", "context", "both", "only first", "only second", "neither", "p"};
    for (const ContextPair& pair : pairs)
        differ.table.rows.push_back({m_contexts[pair.a], m_contexts[pair.b], grouped_digits(pair.both), grouped_digits(pair.only_a),
                                     grouped_digits(pair.only_b), grouped_digits(pair.neither), fmt::format("{:.3g}", pair.p_holm)});
    m_findings.items.push_back(std::move(differ));
}

void Judgement::describe_reading() {
    auto& table = m_tables.open("folds", {{"context", CellType::text, "who asked from where"},
                                          {"fold", CellType::text, "the change that was made to the rule"},
                                          {"rules", CellType::integer, "with a variant that was sent"},
                                          {"blocked", CellType::integer, "of them, the variant was blocked"},
                                          {"passed", CellType::integer, "of them, the variant came through"},
                                          {"probability", CellType::real, "that the filter undoes this change"}});
    std::set<std::string> folds;
    std::set<std::string> not_folds;
    FindingTable shown;
    shown.columns = {"context", "change", "rules", "blocked", "read as the rule"};
    std::uint64_t open = 0;
    for (const auto& context : m_contexts) {
        Reading reading;
        for (const auto& [notation, subject] : m_log.subjects) {
            const auto probes = subject.probes.find(context);
            if (probes == subject.probes.end()) continue;
            for (const auto& [fold, variant] : probes->second)
                reading.add(fold, notation, m_log.book.answers(context, variant), m_log.book.noise());
        }
        for (const auto& [fold, evidence] : reading.folds(m_confidence)) {
            table.text(context);
            table.text(fold);
            table.integer(static_cast<std::int64_t>(evidence.rules));
            table.integer(static_cast<std::int64_t>(evidence.rules_blocked));
            table.integer(static_cast<std::int64_t>(evidence.rules_passed));
            table.real(evidence.probability);
            table.end_row();
            const bool is_folded = evidence.probability >= m_confidence;
            const bool is_not = 1 - evidence.probability >= m_confidence;
            if (is_folded) folds.insert(fold);
            if (is_not) not_folds.insert(fold);
            open += !is_folded && !is_not;
            shown.rows.push_back({context, fold, grouped_digits(evidence.rules), grouped_digits(evidence.rules_blocked),
                                  is_folded ? "yes" : is_not ? "no" : "cannot be told"});
        }
    }
    if (shown.rows.empty()) return;
    auto reads = set_finding("folds", "changes to a rule that the filter undoes", folds, not_folds,
                             fmt::format("The filter sees through {} of {} changes that were tried.", grouped_digits(folds.size()),
                                         grouped_digits(shown.rows.size())));
    reads.unit = "changes";
    reads.caveat = "A variant may be on the list by itself; a change counts as seen through only when the variants of several rules are blocked.";
    reads.table = std::move(shown);
    m_findings.items.push_back(std::move(reads));
    m_findings.items.push_back(exact_count("folds.open", "changes to a rule", open, "changes",
                                           fmt::format("Of {} changes it cannot be told.", grouped_digits(open))));
}

}  // namespace

Findings Filter::run(const InstrumentInputs& inputs, const ParameterValues& parameters, InstrumentContext& context) const {
    const Log log = read_log(inputs, context.progress);
    if (log.book.trials == 0)
        throw Error(ErrorKind::input, "there is no trial in the log", "Run the experiment first");
    return Judgement(log, parameters.real("confidence"), context.tables).findings();
}

}  // namespace unveil
