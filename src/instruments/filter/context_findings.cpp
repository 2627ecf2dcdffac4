#include "instruments/filter/context_findings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "core/text.hpp"
#include "instruments/common_findings.hpp"
#include "instruments/filter/attributes.hpp"
#include "statistics/proportion.hpp"

namespace unveil::filter {
namespace {

std::string named(const std::string& context) { return printable(context, 80); }
std::string number(std::uint64_t count) { return grouped_digits(count); }

std::string list_of(const std::vector<std::string>& names, std::string_view last) {
    std::string text;
    for (std::size_t i = 0; i < names.size(); ++i) text += (i == 0 ? "" : i + 1 == names.size() ? fmt::format(" {} ", last) : ", ") + named(names[i]);
    return text;
}

std::string attributes_of(const FilterLog& log, const std::string& context) {
    std::string text;
    const auto found = log.attributes.find(context);
    if (found == log.attributes.end()) return text;
    for (const auto& [name, value] : found->second) text += fmt::format("{}{}={}", text.empty() ? "" : ",", name, printable(value, 60));
    return text;
}

/// Pairs of contexts as they stand in byte order, and what follows for all of them.
class ContextSets {
  public:
    ContextSets(const ContextEvidence& evidence, OutputTables& tables, Findings& findings)
        : m_evidence(evidence), m_contexts(evidence.contexts), m_tables(tables), m_findings(findings),
          m_pairs(compare_contexts(evidence.rules, evidence.contexts.size(), evidence.options)), m_groups(group_contexts(m_pairs, evidence.contexts.size())) {}

    void describe() {
        describe_sets();
        describe_differences();
        for (const ContextPair& pair : m_pairs) {
            describe_missing(pair, pair.a, pair.b, pair.rules_of_a(), pair.only_a);
            describe_missing(pair, pair.b, pair.a, pair.rules_of_b(), pair.only_b);
        }
        describe_separation();
        write_lattice();
    }

  private:
    bool was_searched(std::size_t context) const { return m_evidence.options.was_searched.empty() || m_evidence.options.was_searched[context]; }
    /// How large a share of the first one's rules could be missing in the second and not be found; 1 where its rules were not looked for.
    double detectable(const ContextPair& pair, std::size_t context, std::uint64_t rules) const {
        return was_searched(context) ? detectable_share(rules, pair.missed_share) : 1;
    }
    /// The same for whichever of the two may hold more.
    double detectable(const ContextPair& pair) const { return std::max(detectable(pair, pair.a, pair.rules_of_a()), detectable(pair, pair.b, pair.rules_of_b())); }
    std::string pair_name(const ContextPair& pair) const { return fmt::format("{} and {}", named(m_contexts[pair.a]), named(m_contexts[pair.b])); }
    void describe_sets();
    void describe_differences();
    void describe_missing(const ContextPair& pair, std::size_t first, std::size_t second, std::uint64_t rules, std::uint64_t missing);
    void describe_separation();
    void write_lattice();

    const ContextEvidence& m_evidence;
    const std::vector<std::string>& m_contexts;
    OutputTables& m_tables;
    Findings& m_findings;
    std::vector<ContextPair> m_pairs;
    std::vector<std::size_t> m_groups;
};

void ContextSets::describe_sets() {
    const std::size_t count = m_contexts.size();
    m_findings.items.push_back(exact_count("contexts", "the log", count, "contexts", fmt::format("Messages were sent from {} contexts.", number(count))));
    const std::size_t sets = m_groups.empty() ? 0 : *std::max_element(m_groups.begin(), m_groups.end()) + 1;
    // At least as many as contexts that all differ from each other, at most as many as are left when those that are shown to be equal are put together.
    std::vector<std::size_t> apart;
    std::vector<std::size_t> joined(count);
    std::iota(joined.begin(), joined.end(), std::size_t{0});
    std::set<std::pair<std::size_t, std::size_t>> different;
    for (const ContextPair& pair : m_pairs) {
        if (pair.is_different) different.insert({pair.a, pair.b});
        if (pair.relation == ContextRelation::equal) {
            const std::size_t from = joined[pair.b];
            std::replace(joined.begin(), joined.end(), from, joined[pair.a]);
        }
    }
    for (std::size_t c = 0; c < count; ++c)
        if (std::all_of(apart.begin(), apart.end(), [&](std::size_t other) { return different.count({other, c}) > 0; })) apart.push_back(c);
    auto rule_sets = exact_count("contexts.rule_sets", "contexts", sets, "rule sets", fmt::format("They meet {} different set{} of rules.", number(sets), sets == 1 ? "" : "s"));
    rule_sets.low = static_cast<double>(std::min(apart.size(), sets));
    rule_sets.high = static_cast<double>(std::max(std::set<std::size_t>(joined.begin(), joined.end()).size(), sets));
    if (rule_sets.low < rule_sets.high) rule_sets.strength = StrengthKind::interval;
    rule_sets.caveat = "Contexts that no tested rule tells apart are put together; the interval takes those apart whose lists are not shown to be the same.";
    rule_sets.table.columns = {"context", "set", "rules blocked", "attributes", "within set"};
    // A set lies within another when no pair of their contexts shows a rule that the other lacks.
    std::set<std::pair<std::size_t, std::size_t>> outside;
    for (const ContextPair& pair : m_pairs) {
        const std::size_t a = m_groups[pair.a];
        const std::size_t b = m_groups[pair.b];
        if (a == b) continue;
        if (pair.relation != ContextRelation::first_within && pair.relation != ContextRelation::equal) outside.insert({a, b});
        if (pair.relation != ContextRelation::second_within && pair.relation != ContextRelation::equal) outside.insert({b, a});
    }
    for (std::size_t c = 0; c < count; ++c) {
        const auto blocked = std::count_if(m_evidence.rules.begin(), m_evidence.rules.end(), [&](const RuleStates& rule) { return rule.states[c] == State::blocked; });
        std::string holders;
        for (std::size_t other = 0; other < sets; ++other)
            if (other != m_groups[c] && outside.count({m_groups[c], other}) == 0) holders += (holders.empty() ? "" : ", ") + std::to_string(other + 1);
        rule_sets.table.rows.push_back({m_contexts[c], std::to_string(m_groups[c] + 1), number(static_cast<std::uint64_t>(blocked)), attributes_of(m_evidence.log, m_contexts[c]), holders});
    }
    m_findings.items.push_back(std::move(rule_sets));
}

void ContextSets::describe_differences() {
    std::uint64_t differing = 0;
    std::uint64_t open = 0;
    double worst = 0;
    for (const ContextPair& pair : m_pairs) {
        differing += pair.is_different;
        if (pair.is_different) continue;
        open += pair.relation != ContextRelation::equal;
        worst = std::max(worst, detectable(pair));
    }
    auto differ = exact_count("contexts.differ", "pairs of contexts", differing, "pairs",
                              fmt::format("{} of {} pairs of contexts differ in at least one rule.", number(differing), number(m_pairs.size())));
    differ.high = static_cast<double>(differing + open);
    if (open > 0) differ.strength = StrengthKind::interval;
    if (differing < m_pairs.size()) {
        if (worst < 1)
            differ.sentence += fmt::format(" In the others no difference was found; one in more than {:.3g} % of the rules would have been, with a probability of 95 %.", 100 * worst);
        else
            differ.sentence += fmt::format(" Of {} others it cannot be told: rules were not looked for in both, or too few were asked in both.", number(open));
    }
    differ.caveat = "p is McNemar's exact test with Holm's correction: whether one context is filtered more than the other, not whether they differ. "
                    "What would have been found takes the rules that were asked for a sample of the list.";
    differ.table.columns = {"context", "context", "relation", "asked in both", "both", "only first", "only second", "neither", "p", "found if more than"};
    for (const ContextPair& pair : m_pairs)
        differ.table.rows.push_back({m_contexts[pair.a], m_contexts[pair.b], std::string(relation_name(pair.relation)), number(pair.asked()), number(pair.both), number(pair.only_a),
                                     number(pair.only_b), number(pair.neither), fmt::format("{:.3g}", pair.p_holm), fmt::format("{:.3g} %", 100 * detectable(pair))});
    m_findings.items.push_back(std::move(differ));
}

void ContextSets::describe_missing(const ContextPair& pair, std::size_t first, std::size_t second, std::uint64_t rules, std::uint64_t missing) {
    const double found_above = detectable(pair, first, rules);
    Finding finding = share(metric_of("contexts.missing_share", {m_contexts[first], m_contexts[second]}), "rules met in the first of two contexts",
                            missing, rules, "");
    const std::string here = named(m_contexts[first]);
    const std::string there = named(m_contexts[second]);
    if (missing > 0) {
        const auto interval = clopper_pearson_interval(missing, rules);
        finding.low = pair.is_different ? interval.low : 0;
        finding.high = was_searched(first) ? std::min(1.0, interval.high / (1 - std::min(0.99, pair.missed_share))) : 1;
        finding.sentence = fmt::format("Of {} rules met in {}, {} pass in {}.", number(rules), here, number(missing), there);
        if (!pair.is_different) finding.sentence += " Wrong answers alone may make as many.";
    } else {
        // One-sided: nothing lies below.
        finding.low = 0;
        finding.high = found_above;
        finding.sentence = rules == 0 ? fmt::format("No rule was found that is met in {} and was asked in {}.", here, there)
                                      : fmt::format("Of {} rules met in {} none passes in {}", number(rules), here, there);
        if (rules > 0 && found_above < 1)
            finding.sentence += fmt::format("; had more than {:.3g} % of its rules, that would have been found with a probability of 95 %.", 100 * found_above);
        else if (rules > 0) finding.sentence += was_searched(first) ? "; they are too few to say more." : ".";
    }
    if (!was_searched(first)) finding.caveat = fmt::format("Rules were not looked for in {}: those that hold only there were not found.", here);
    else if (pair.missed_share > 0) finding.caveat = fmt::format("By the controls and the answers of each rule, {:.3g} % of rules that differ would look as if they did not.", 100 * pair.missed_share);
    m_findings.items.push_back(std::move(finding));
}

void ContextSets::describe_separation() {
    const Separation separation = separate_contexts(m_contexts, m_evidence.log.attributes, m_pairs);
    if (!separation.has_attributes) return;
    const std::set<std::string> members(separation.needed.begin(), separation.needed.end());
    const std::set<std::string> spared(separation.spared.begin(), separation.spared.end());
    std::string sentence;
    if (!separation.has_differences) sentence = "No two contexts were found to meet different rules.";
    else if (separation.explanations.empty()) sentence = "Contexts that agree in all that is named meet different rules: something that is not named separates them.";
    else if (separation.is_incomplete) sentence = "Of some contexts that meet different rules it is not known in what they differ.";
    else if (separation.explanations.size() == 1)
        sentence = fmt::format("Every difference that was found goes with {}{}.", list_of(separation.explanations.front(), "or"),
                               separation.explanations.front().size() == 1 ? ", and no other attribute that is named explains them all" : ", and each of them is needed");
    else {
        std::vector<std::string> ways;
        for (const auto& way : separation.explanations) ways.push_back(list_of(way, "with"));
        sentence = fmt::format("The differences go with {}: these contexts do not tell which.", list_of(ways, "or"));
    }
    for (const auto& group : separation.together) sentence += fmt::format(" {} always change together here.", list_of(group, "and"));
    Finding finding = set_finding("contexts.separated_by", "attributes of contexts", members, spared, "attributes", std::move(sentence));
    finding.caveat = "An attribute that is not named may be the cause, and one is left out only where contexts that differ in it alone have equal lists.";
    finding.table.columns = {"attribute", "contexts that differ in it alone", "relation", "rules asked in both", "found if more than"};
    for (const SingleStep& step : separation.steps) {
        const ContextPair& pair = m_pairs[step.pair];
        finding.table.rows.push_back({step.attribute, pair_name(pair), std::string(relation_name(pair.relation)), number(pair.asked()), fmt::format("{:.3g} %", 100 * detectable(pair))});
    }
    m_findings.items.push_back(std::move(finding));
}

void ContextSets::write_lattice() {
    auto& table = m_tables.open("lattice", {{"first", CellType::text, "a context"},
                                            {"second", CellType::text, "another one"},
                                            {"first_attributes", CellType::text, "what was said of it"},
                                            {"second_attributes", CellType::text, "what was said of it"},
                                            {"relation", CellType::text, "of what the two suppress"},
                                            {"asked_in_both", CellType::integer, "rules with an answer that is sure in both"},
                                            {"both", CellType::integer, "of them, blocked in both"},
                                            {"only_first", CellType::integer, "blocked in the first only"},
                                            {"only_second", CellType::integer, "blocked in the second only"},
                                            {"neither", CellType::integer, "blocked in other contexts only"},
                                            {"p", CellType::real, "McNemar, exact, Holm over all pairs"},
                                            {"p_noise", CellType::real, "that wrong answers alone make such differences, Holm over all pairs"},
                                            {"missed_share", CellType::real, "of rules that differ, those that would look as if they did not"},
                                            {"first_found_above", CellType::real, "a larger share of the first list that the second lacks would have been found with a probability of 95 %"},
                                            {"second_found_above", CellType::real, "a larger share of the second list that the first lacks would have been found so"}});
    for (const ContextPair& pair : m_pairs) {
        table.text(m_contexts[pair.a]);
        table.text(m_contexts[pair.b]);
        table.text(attributes_of(m_evidence.log, m_contexts[pair.a]));
        table.text(attributes_of(m_evidence.log, m_contexts[pair.b]));
        table.text(relation_name(pair.relation));
        for (const std::uint64_t count : {pair.asked(), pair.both, pair.only_a, pair.only_b, pair.neither}) table.integer(static_cast<std::int64_t>(count));
        table.real(pair.p_holm);
        table.real(pair.p_noise);
        table.real(pair.missed_share);
        table.real(detectable(pair, pair.a, pair.rules_of_a()));
        table.real(detectable(pair, pair.b, pair.rules_of_b()));
        table.end_row();
    }
}

}  // namespace

std::string metric_of(std::string_view name, std::initializer_list<std::string_view> arguments) {
    std::string metric = fmt::format("{}(", name);
    for (const std::string_view argument : arguments) {
        metric += metric.back() == '(' ? "\"" : ", \"";
        for (const char c : argument) {
            if (c == '"' || c == '\\') metric += '\\';
            metric += c;
        }
        metric += '"';
    }
    return metric + ")";
}

void describe_context_sets(const ContextEvidence& evidence, OutputTables& tables, Findings& findings) { ContextSets(evidence, tables, findings).describe(); }

}  // namespace unveil::filter
