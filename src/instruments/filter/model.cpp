#include "instruments/filter/model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "core/text.hpp"
#include "instruments/common_findings.hpp"
#include "instruments/filter/rule_sets.hpp"
#include "statistics/binomial.hpp"
#include "statistics/proportion.hpp"
#include "statistics/repeated_answers.hpp"
#include "table/rule.hpp"

namespace unveil::filter {
namespace {

enum class Answer { yes, no, open };

struct Row {
    std::string property;
    std::string part;       // which size, spelling, context
    Answer answer = Answer::open;
    std::uint64_t shown = 0;
    std::uint64_t tested = 0;
    std::string basis;
    bool is_sample = true;  // the share says something of what was not tested
};

std::string_view answer_name(Answer answer) { return answer == Answer::yes ? "yes" : answer == Answer::no ? "no" : "cannot be told"; }

/// A text of which every component stands in it is explained by the rule.
bool holds(const std::string& text, const std::vector<std::string>& components) {
    return std::all_of(components.begin(), components.end(), [&](const std::string& component) { return text.find(component) != std::string::npos; });
}

class Model {
  public:
    explicit Model(const ModelEvidence& evidence, const Findings& findings) : m_evidence(evidence), m_log(evidence.log), m_findings(findings) {
        add_types();
        add_order();
        add_words();
        add_distance();
        add_exceptions();
        add_reading();
        add_action();
        add_steadiness();
        add_contexts();
        add_regularity();
    }

    const std::vector<Row>& rows() const { return m_rows; }
    std::uint64_t texts_blocked() const { return m_texts; }
    std::uint64_t texts_unexplained() const { return m_unexplained; }

  private:
    std::vector<std::string> components(const std::string& rule) const { return m_log.subjects.at(rule).components; }
    /// One that was shown is there; none is denied only where a larger share would have been seen.
    Answer answer(std::uint64_t shown, std::uint64_t tested) const {
        if (shown > 0) return Answer::yes;
        return detectable_share(tested, 0) <= m_evidence.same_share ? Answer::no : Answer::open;
    }
    void add(std::string property, std::string part, std::uint64_t shown, std::uint64_t tested, std::string basis) {
        m_rows.push_back({std::move(property), std::move(part), answer(shown, tested), shown, tested, std::move(basis)});
    }
    void add_types();
    void add_order();
    void add_words();
    void add_distance();
    void add_exceptions();
    void add_reading();
    void add_action();
    void add_steadiness();
    void add_contexts();
    void add_regularity();

    const ModelEvidence& m_evidence;
    const FilterLog& m_log;
    const Findings& m_findings;
    std::vector<Row> m_rows;
    std::uint64_t m_texts = 0;
    std::uint64_t m_unexplained = 0;
};

void Model::add_types() {
    std::map<std::size_t, std::uint64_t> sizes;
    std::uint64_t combinations = 0;
    for (const auto& rule : m_evidence.rules) {
        ++sizes[components(rule).size()];
        combinations += components(rule).size() > 1;
    }
    add("combinations", "", combinations, m_evidence.rules.size(), "certified rules of several components, of several spellings one");
    for (const auto& [size, count] : sizes) add("size", size == 1 ? "1 component" : fmt::format("{} components", size), count, m_evidence.rules.size(), "certified rules, of several spellings one");
}

void Model::add_order() {
    const Finding* ordered = m_findings.find("rules.ordered");
    // Rules of one word have no other order.
    std::uint64_t free = 0;
    for (const auto& rule : ordered->non_members) free += rule_components(rule).size() > 1;
    add("order", "", ordered->members.size(), ordered->members.size() + free, "rules of several components that were sent in another order too");
}

void Model::add_words() { add("word edges", "", m_evidence.word_bound, m_evidence.shapes_tried, "rules of one component with a letter before and behind them, by context"); }

void Model::add_distance() {
    const Finding* bound = m_findings.find("rules.distance_bound");
    if (bound != nullptr && !(bound->members.empty() && bound->non_members.empty()))
        return add("distance", "", bound->members.size(), bound->members.size() + bound->non_members.size(), "rules of several components that were sent with text between them too");
    // How far apart components stood in a text that only this rule explains.
    std::map<std::string, std::uint64_t> rules_of;
    for (const auto& rule : m_evidence.rules)
        if (const auto& origin = m_log.subjects.at(rule).origin) ++rules_of[origin->text];
    std::uint64_t farthest = 0;
    std::uint64_t tested = 0;
    for (const auto& rule : m_evidence.rules) {
        const auto& origin = m_log.subjects.at(rule).origin;
        if (!origin || components(rule).size() < 2 || rules_of[origin->text] != 1 || origin->span == 0) continue;
        ++tested;
        farthest = std::max(farthest, origin->span);
    }
    m_rows.push_back({"distance", "", Answer::open, 0, 0,
                      tested == 0 ? std::string("was not looked for")
                                  : fmt::format("was not looked for; of {} combinations the components stood within up to {} characters of a text that was blocked for them", tested, farthest)});
}

void Model::add_exceptions() {
    const Finding* exceptions = m_findings.find("exceptions");
    const std::uint64_t certified = exceptions == nullptr ? 0 : exceptions->members.size();
    m_rows.push_back({"exceptions", "", certified > 0 ? Answer::yes : Answer::open, certified, exceptions == nullptr ? 0 : certified + exceptions->non_members.size(),
                      "found only where a text passed in spite of a rule"});
}

void Model::add_reading() {
    std::uint64_t through = 0;
    std::uint64_t told = 0;
    std::vector<Row> rows;
    for (const auto& [context, folds] : m_evidence.folds)
        for (const auto& [fold, evidence] : folds) {
            const Answer read = evidence.probability >= m_evidence.confidence ? Answer::yes : 1 - evidence.probability >= m_evidence.confidence ? Answer::no : Answer::open;
            through += read == Answer::yes;
            told += read != Answer::open;
            rows.push_back({"reads through", fmt::format("{} in {}", fold, context), read, evidence.rules_blocked, evidence.rules_blocked + evidence.rules_passed,
                            "rules in this spelling that were blocked, of those with a sure answer"});
        }
    m_rows.push_back({"normaliser", "", through > 0 ? Answer::yes : !rows.empty() && told == rows.size() ? Answer::no : Answer::open, through, told,
                      "changes of spelling that it sees through, of those of which it can be told, by context", false});
    for (const Row& row : rows)
        if (row.answer == Answer::yes || !m_evidence.withholds_evasions) m_rows.push_back(row);
}

void Model::add_action() {
    add("acts on parts", "", m_log.partial, m_log.partial + m_log.whole, "suppressed messages of which parts came through");
    if (m_log.partial > 0) add("acts on lines", "", m_log.partial_lines, m_log.partial, "messages of which nothing but whole lines was left out");
    std::uint64_t across = 0;
    std::uint64_t tested = 0;
    for (const auto& rule : m_evidence.rules) {
        if (components(rule).size() < 2) continue;
        for (const auto& [context, inputs] : m_log.book.contexts()) {
            const ContextSeparator& separator = m_log.separator(context);
            if (separator.state != SeparatorState::calibrated || separator.text.find('\n') == std::string::npos) continue;
            if (m_log.certificate(components(rule), context, m_evidence.confidence).state != CertificateState::certified) continue;
            ++across;
            break;
        }
        ++tested;
    }
    m_rows.push_back({"acts across lines", "", across > 0 ? Answer::yes : Answer::open, across, tested, "combinations that are certified with their components on lines of their own"});
    m_rows.push_back({"acts on output", "", Answer::open, 0, 0, "cannot be told from what was sent and whether it arrived"});
}

void Model::add_steadiness() {
    const Noise& noise = m_log.book.noise();
    add("wrong answers", "repeated messages", noise.messages_inconsistent, noise.messages_repeated, "that got different answers with no change of the list between");
    add("wrong answers", "controls", noise.slipped + noise.wrongly_blocked, noise.block_controls + noise.pass_controls, "that were answered otherwise than known");
    const Finding* events = m_findings.find("events");
    m_rows.push_back({"list changed", "", events->value > 0 ? Answer::yes : Answer::open, static_cast<std::uint64_t>(events->value), 0, "rules that came or left while they were asked for, by context", false});
}

void Model::add_contexts() {
    const Finding* differ = m_findings.find("contexts.differ");
    const std::size_t contexts = m_log.book.contexts().size();
    m_rows.push_back({"several lists", "", differ->low > 0 ? Answer::yes : contexts > 1 && differ->high == 0 ? Answer::no : Answer::open, static_cast<std::uint64_t>(differ->value),
                      contexts * (contexts - 1) / 2, "pairs of contexts that meet different rules (lattice.csv)", false});
}

void Model::add_regularity() {
    std::map<std::string, std::vector<std::vector<std::string>>> rules;   // certified, by context
    std::uint64_t repeated = 0;
    std::uint64_t combinations = 0;
    for (const auto& [notation, judged] : judge_rules(m_log, m_evidence.confidence)) {
        if (!judged.is_rule()) continue;
        auto parts = components(notation);
        std::size_t c = 0;
        for (const auto& [context, inputs] : m_log.book.contexts())
            if (judged.contexts[c++].certificate.state == CertificateState::certified) rules[context].push_back(parts);
        if (parts.size() < 2) continue;
        ++combinations;
        std::sort(parts.begin(), parts.end());
        repeated += std::adjacent_find(parts.begin(), parts.end()) != parts.end();
    }
    for (const auto& [context, text] : m_log.blocked_texts) {
        // Answers of an account that was shut are left out.
        if (m_log.book.answers(context, text).blocked == 0) continue;
        ++m_texts;
        const auto& here = rules[context];
        m_unexplained += std::none_of(here.begin(), here.end(), [&, &blocked = text](const auto& parts) { return holds(blocked, parts); });
    }
    // Harmless texts that were blocked by a wrong answer hold no rule either: as many as the controls let expect, or where some were wrong, as they leave possible.
    const Noise& noise = m_log.book.noise();
    const double wrong_rate = noise.is_silent() ? error_rate(0, noise.pass_controls) : clopper_pearson_interval(noise.wrongly_blocked, noise.pass_controls).high;
    const double by_noise = m_texts == 0 ? 1 : std::min(1.0, wrong_rate * static_cast<double>(m_log.texts_scanned) / static_cast<double>(m_texts));
    // Where answers are wrong at times, certificates stay open for that alone.
    const double few = noise.is_silent() ? 0.05 : 0.5;
    const bool is_unexplained = m_unexplained > 0 && clopper_pearson_interval(m_unexplained, m_texts).low > few && binomial_tail(m_unexplained, m_texts, by_noise) <= 1 - m_evidence.confidence;
    m_rows.push_back({"beyond word lists", "", is_unexplained ? Answer::yes : m_unexplained == 0 ? answer(0, m_texts) : Answer::open, m_unexplained, m_texts,
                      "texts that were blocked and hold no certified rule"});
    constexpr std::uint64_t repeated_min = 2;
    m_rows.push_back({"repeated words", "", repeated >= repeated_min && noise.is_silent() ? Answer::yes : repeated == 0 ? answer(0, combinations) : Answer::open, repeated, combinations,
                      "certified combinations that need a word twice, as no list of words does"});
}

}  // namespace

void describe_model(const ModelEvidence& evidence, OutputTables& tables, Findings& findings) {
    const Model model(evidence, findings);
    auto& table = tables.open("model", {{"property", CellType::text, "of the filter"},
                                        {"part", CellType::text, "which size, spelling or kind of test; may be empty"},
                                        {"answer", CellType::text, "yes, no or cannot be told"},
                                        {"shown", CellType::integer, "tests that show it"},
                                        {"tested", CellType::integer, "tests in all"},
                                        {"low", CellType::real, "of the share, 95 %, Clopper and Pearson"},
                                        {"high", CellType::real, "of the share"},
                                        {"basis", CellType::text, "what was tested"}});
    FindingTable page;
    page.columns = {"property", "part", "answer", "shown", "tested", "basis"};
    std::map<std::string, Answer> answers;
    for (const Row& row : model.rows()) {
        table.text(row.property);
        table.text(row.part);
        table.text(answer_name(row.answer));
        table.integer(static_cast<std::int64_t>(row.shown));
        table.integer(static_cast<std::int64_t>(row.tested));
        if (row.tested > 0 && row.is_sample) {
            const auto interval = clopper_pearson_interval(row.shown, row.tested);
            table.real(interval.low);
            table.real(interval.high);
        } else {
            table.missing();
            table.missing();
        }
        table.text(row.basis);
        table.end_row();
        page.rows.push_back({row.property, row.part, std::string(answer_name(row.answer)), grouped_digits(row.shown), grouped_digits(row.tested), row.basis});
        if (row.property == "size" || row.property == "reads through") continue;
        // Of several tests of one property the one that shows it decides, then the one that cannot tell.
        const auto [known, is_new] = answers.emplace(row.property, row.answer);
        if (!is_new && (row.answer == Answer::yes || (row.answer == Answer::open && known->second == Answer::no))) known->second = row.answer;
    }
    std::set<std::string> has;
    std::set<std::string> has_not;
    for (const auto& [property, answer] : answers) {
        if (answer == Answer::yes) has.insert(property);
        if (answer == Answer::no) has_not.insert(property);
    }
    auto described = set_finding("model", "the filter", has, has_not, "properties",
                                 fmt::format("Of {} properties of the filter {} are shown and {} are not there; the others cannot be told.", answers.size(), has.size(), has_not.size()));
    described.caveat = fmt::format("A property is denied where it would have been seen, with a probability of 95 %, if more than {:.3g} % of what was tested had it.", 100 * evidence.same_share);
    described.table = std::move(page);
    findings.items.push_back(std::move(described));
    auto unexplained = share("model.unexplained_share", "texts that were blocked", model.texts_unexplained(), model.texts_blocked(),
                             fmt::format("{} of {} texts that were blocked hold no certified rule.", grouped_digits(model.texts_unexplained()), grouped_digits(model.texts_blocked())));
    const auto interval = clopper_pearson_interval(model.texts_unexplained(), model.texts_blocked());
    unexplained.low = interval.low;
    unexplained.high = interval.high;
    unexplained.caveat = "A filter that lists words explains all of them, but for wrong answers, changes of the list and what the campaign did not finish; one that was learnt from examples does not.";
    findings.items.push_back(std::move(unexplained));
}

}  // namespace unveil::filter
