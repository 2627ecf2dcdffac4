#include "case/verdict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/text.hpp"
#include "core/time.hpp"

namespace unveil {
namespace {

using Json = nlohmann::ordered_json;

/// Seconds since 1970 as a day or a moment; what lies beyond every date stays a number.
std::string spoken_date(double seconds) {
    constexpr double seconds_max = 2.5e11;
    if (std::fabs(seconds) > seconds_max) return spoken_number(seconds);
    const std::string time = format_time(std::llround(seconds * 1e6));
    return time.ends_with("T00:00:00Z") ? time.substr(0, time.size() - 10) : time;
}

/// As a date where it is compared with one.
std::string spoken_value(const DecidedOperand& side, const Operand& other) {
    const auto spoken = other.is_date ? spoken_date : spoken_number;
    std::string text = spoken(side.value);
    if (std::isinf(side.interval.high)) return text + " or more";
    if (!side.interval.is_point()) text += fmt::format(" ({} to {})", spoken(side.interval.low), spoken(side.interval.high));
    return text;
}

Membership membership_of(const Finding& finding, const std::string& member) {
    const auto holds = [&](const std::vector<std::string>& sorted) { return std::binary_search(sorted.begin(), sorted.end(), member); };
    return holds(finding.members) ? Membership::member : holds(finding.non_members) ? Membership::non_member : Membership::unknown;
}

/// NAME("a", "b") is 1 when the set NAME holds "a@b", 0 when it was tested and does not, else unknown; so that every pair has a number, however many there are.
std::optional<DecidedOperand> resolve_pair(const Operand& operand, const Findings& findings) {
    const auto arguments = metric_arguments(operand.metric);
    if (arguments.size() != 2) return {};
    const Finding* set = findings.find(operand.metric.substr(0, operand.metric.find('(')));
    if (!set || !set->is_set) return {};
    DecidedOperand side{operand, 0, {0, 0}, {}, set->metric, arguments[0] + "@" + arguments[1]};
    const auto membership = membership_of(*set, side.member);
    if (membership == Membership::member) side.value = side.interval.low = 1;
    if (membership != Membership::non_member) side.interval.high = 1;
    return side;
}

std::optional<DecidedOperand> resolve(const Operand& operand, const Findings& findings) {
    if (!operand.is_metric())
        return DecidedOperand{operand, operand.number, {operand.number, operand.number}, {}, {}, {}};
    const Finding* finding = findings.find(operand.metric);
    if (!finding) return resolve_pair(operand, findings);
    return DecidedOperand{operand, finding->value, {finding->low, finding->high}, finding->unit, {}, {}};
}

std::string opposite_words(Relation relation) {
    switch (relation) {
        case Relation::at_least:
            return "below";
        case Relation::at_most:
            return "above";
        case Relation::above:
            return "not above";
        case Relation::below:
            return "not below";
        case Relation::equal:
            return "different from";
        case Relation::unequal:
            return "equal to";
        case Relation::includes:
            return "without";
        case Relation::excludes:
            return "with";
    }
    UNVEIL_ASSERT(false);
    return {};
}

/// What the run was not given that would list this metric; empty when nothing is known to be missing.
std::string what_it_needs(const std::string& metric, const Findings& findings, std::span<const MetricDescription> metrics) {
    const auto* described = description_of(metric, metrics);
    if (described == nullptr || described->needs.empty()) return {};
    // Others that need the same are there, so it was given.
    const bool is_given = std::any_of(findings.items.begin(), findings.items.end(), [&](const Finding& finding) {
        const auto* other = description_of(finding.metric, metrics);
        return other != nullptr && other->needs == described->needs;
    });
    return is_given ? "" : fmt::format("A run that measures '{}', which needs {}", metric, described->needs);
}

/// What the description says to ask where a run has no such metric; mostly nothing.
std::string_view asked_instead(const std::string& metric, std::span<const MetricDescription> metrics) {
    const auto* described = description_of(metric, metrics);
    return described == nullptr ? std::string_view() : std::string_view(described->without);
}

/// A set is compared with one thing: known to be in it, known not to be, or not looked for.
void judge_membership(const Finding* finding, std::span<const MetricDescription> metrics, ComparisonVerdict& verdict) {
    const Comparison& comparison = verdict.comparison;
    if (!finding || !finding->is_set) {
        verdict.sentence = finding ? fmt::format("'{}' is a number, not a set", comparison.left.metric)
                                   : fmt::format("the run has no finding '{}'", comparison.left.metric);
        verdict.settles = fmt::format("A run that lists '{}': other parameters or other evidence", comparison.left.metric);
        if (const auto instead = asked_instead(comparison.left.metric, metrics); !finding && !instead.empty()) verdict.settles += fmt::format(". {}", instead);
        return;
    }
    const Membership membership = membership_of(*finding, comparison.right.member);
    verdict.decision = decide(membership, comparison.relation);
    switch (membership) {
        case Membership::member:
            verdict.sentence = fmt::format("{} holds {}", comparison.left.metric, comparison.right.text);
            break;
        case Membership::non_member:
            verdict.sentence = fmt::format("{} does not hold {}, which was tested", comparison.left.metric, comparison.right.text);
            break;
        case Membership::unknown:
            verdict.sentence = fmt::format("{} was neither found in {} nor tested alone", comparison.right.text, comparison.left.metric);
            verdict.settles = fmt::format("Evidence that tests {} by itself", comparison.right.text);
            break;
    }
}

/// What would narrow the interval of one of the sides. An interval at level 1 is no sampling error, it holds for certain
/// what was left out; only its caveat can say how to bring that in.
std::string what_settles(const Comparison& comparison, const Findings& findings) {
    for (const auto* side : {&comparison.left, &comparison.right}) {
        const Finding* finding = side->is_metric() ? findings.find(side->metric) : nullptr;
        if (finding && finding->level >= 1 && finding->low < finding->high && !finding->caveat.empty())
            return fmt::format("More evidence {} {}: {}", std::isinf(finding->high) ? "can only raise" : "does not narrow", side->metric,
                               std::string_view(finding->caveat).substr(0, finding->caveat.find_last_not_of('.') + 1));
    }
    return fmt::format("More evidence, so that the interval of {} lies on one side of {}", comparison.left.metric,
                       comparison.right.is_metric() ? comparison.right.metric : comparison.right.text);
}

ComparisonVerdict judge_comparison(const Comparison& comparison, const Findings& findings, std::span<const MetricDescription> metrics) {
    ComparisonVerdict verdict;
    verdict.comparison = comparison;
    verdict.left = resolve(comparison.left, findings);
    if (is_about_set(comparison.relation)) {
        judge_membership(findings.find(comparison.left.metric), metrics, verdict);
        return verdict;
    }
    verdict.right = resolve(comparison.right, findings);
    if (!verdict.left || !verdict.right) {
        const std::string& missing = verdict.left ? comparison.right.metric : comparison.left.metric;
        std::vector<std::string> found;
        for (const auto& finding : findings.items) found.push_back(finding.metric);
        const auto near = nearest_word(missing, found);
        verdict.sentence = fmt::format("the run has no finding '{}'", missing);
        verdict.settles = what_it_needs(missing, findings, metrics);
        if (!verdict.settles.empty()) return verdict;
        verdict.settles =
            near.empty()
                ? fmt::format("A run that measures '{}': other parameters or other evidence", missing)
                : fmt::format("A run that measures '{}', or a claim about '{}', which it has", missing, near);
        if (const auto instead = asked_instead(missing, metrics); !instead.empty()) verdict.settles += fmt::format(". {}", instead);
        return verdict;
    }
    verdict.decision = decide(verdict.left->interval, comparison.relation, verdict.right->interval);
    for (const auto* side : {&*verdict.left, &*verdict.right})
        if (verdict.decision == Decision::undetermined && !side->set.empty() && !side->interval.is_point()) {
            verdict.sentence = fmt::format("\"{}\" was neither found in {} nor tested alone", side->member, side->set);
            verdict.settles = fmt::format("Evidence that tests \"{}\" by itself", side->member);
            return verdict;
        }
    const std::string left = fmt::format("{} is {}", comparison.left.metric, spoken_value(*verdict.left, comparison.right));
    const std::string right =
        comparison.right.is_metric()
            ? fmt::format("{}, which is {}", comparison.right.metric, spoken_value(*verdict.right, comparison.left))
            : comparison.right.text;
    switch (verdict.decision) {
        case Decision::supported:
            verdict.sentence = fmt::format("{}, {} {}", left, relation_words(comparison.relation), right);
            break;
        case Decision::contradicted:
            verdict.sentence = fmt::format("{}, {} {}", left, opposite_words(comparison.relation), right);
            break;
        case Decision::undetermined:
            verdict.sentence = fmt::format("{}; the interval leaves open whether it is {} {}", left,
                                           relation_words(comparison.relation), right);
            verdict.settles = what_settles(comparison, findings);
            break;
    }
    return verdict;
}

void add_metric(const Operand& operand, const std::optional<DecidedOperand>& decided, std::vector<std::string>& metrics) {
    const std::string& metric = decided && !decided->set.empty() ? decided->set : operand.metric;
    if (!operand.is_metric() || std::find(metrics.begin(), metrics.end(), metric) != metrics.end()) return;
    metrics.push_back(metric);
}

std::string joined_sentences(const std::vector<const ComparisonVerdict*>& verdicts) {
    std::vector<std::string> sentences;
    for (const auto* verdict : verdicts) sentences.push_back(verdict->sentence);
    return fmt::format("{}", fmt::join(sentences, "; "));
}

Json operand_to_json(const std::optional<DecidedOperand>& side, const Operand& operand) {
    Json json;
    if (operand.is_metric())
        json["metric"] = operand.metric;
    else if (!operand.member.empty())
        json["member"] = operand.member;
    else
        json["number"] = operand.text;
    if (!side) return json;
    json["value"] = side->value;
    json["low"] = side->interval.low;
    json["high"] = std::isinf(side->interval.high) ? Json() : Json(side->interval.high);
    json["unit"] = side->unit;
    return json;
}

}  // namespace

std::string spoken_number(double value) {
    UNVEIL_ASSERT(std::isfinite(value));
    const double size = std::fabs(value);
    if (size >= 1e15 || (size > 0 && size < 1e-4)) return fmt::format("{:.3g}", value);
    std::string text = size == std::floor(size) ? fmt::format("{:.0f}", size)
                       : size < 1               ? fmt::format("{:.4f}", size)
                                                : fmt::format("{:.{}f}", size, size < 100 ? 2 : 1);
    const auto point = std::min(text.find('.'), text.size());
    std::string spoken = value < 0 && text != "0" ? "-" : "";
    spoken += grouped_digits(std::stoull(text.substr(0, point)));
    if (point == text.size()) return spoken;
    spoken += text.substr(point);
    while (spoken.back() == '0') spoken.pop_back();
    if (spoken.back() == '.') spoken.pop_back();
    return spoken;
}

std::string spoken_span(std::int64_t span_us) {
    struct Unit {
        std::string_view name;
        double seconds;
    };
    constexpr Unit units[] = {{"day", 86400}, {"hour", 3600}, {"minute", 60}, {"second", 1}};
    const double seconds = static_cast<double>(span_us) / 1e6;
    for (const auto& unit : units) {
        const double count = seconds / unit.seconds;
        if (count < 1 && unit.seconds > 1) continue;
        const double shown = count >= 10 ? std::round(count) : std::round(count * 10) / 10;
        return fmt::format("{} {}{}", spoken_number(shown), unit.name, shown == 1 ? "" : "s");
    }
    return "0 seconds";
}

ClaimVerdict judge(const CaseClaim& claim, const Findings& findings, const Observed& observed) {
    ClaimVerdict verdict;
    verdict.claim = claim.id;
    verdict.text = claim.text;
    verdict.kind = claim.kind;
    verdict.instrument = claim.instrument->description().name;
    for (const auto& comparison : claim.holds)
        verdict.comparisons.push_back(judge_comparison(comparison, findings, claim.instrument->description().metrics));

    const auto having = [&](Decision decision) {
        std::vector<const ComparisonVerdict*> found;
        for (const auto& comparison : verdict.comparisons)
            if (comparison.decision == decision) found.push_back(&comparison);
        return found;
    };
    const auto contradicted = having(Decision::contradicted);
    const auto undetermined = having(Decision::undetermined);
    const auto supported = having(Decision::supported);
    const auto* deciding = &supported;
    if (!contradicted.empty()) {
        verdict.decision = Decision::contradicted;
        deciding = &contradicted;
    } else if (!undetermined.empty()) {
        verdict.decision = Decision::undetermined;
        deciding = &undetermined;
    } else {
        verdict.decision = Decision::supported;
    }
    verdict.sentence = joined_sentences(*deciding);
    for (const auto* comparison : *deciding) {
        add_metric(comparison->comparison.left, comparison->left, verdict.deciding);
        add_metric(comparison->comparison.right, comparison->right, verdict.deciding);
    }
    if (verdict.decision == Decision::undetermined) verdict.settles = undetermined.front()->settles;

    // Observations cannot prove an "only" or a "never": the next one may break it.
    if (claim.kind != ClaimKind::measured && verdict.decision == Decision::supported) {
        verdict.decision = Decision::undetermined;
        std::string span;
        if (observed.time_last_us > observed.time_first_us)
            span = fmt::format(" over {}", spoken_span(observed.time_last_us - observed.time_first_us));
        verdict.sentence = fmt::format("nothing contradicts it in {} {}{}{}",
                                       spoken_number(static_cast<double>(observed.rows)), observed.record,
                                       observed.rows == 1 ? "" : "s", span);
        verdict.settles =
            fmt::format("Nothing that is observed can prove '{}'; one counter-example would contradict it",
                        claim_kind_name(claim.kind));
    }
    return verdict;
}

Json verdict_to_json(const ClaimVerdict& verdict) {
    Json json = {{"claim", verdict.claim},
                 {"text", verdict.text},
                 {"kind", claim_kind_name(verdict.kind)},
                 {"verdict", decision_name(verdict.decision)},
                 {"sentence", verdict.sentence},
                 {"settles", verdict.settles},
                 {"instrument", verdict.instrument},
                 {"evidence", verdict.evidence},
                 {"run", verdict.run},
                 {"deciding", verdict.deciding}};
    if (!verdict.controls.empty()) json["controls"] = verdict.controls;
    json["comparisons"] = Json::array();
    for (const auto& comparison : verdict.comparisons) {
        Json one = {{"text", comparison.comparison.text},
                    {"verdict", decision_name(comparison.decision)},
                    {"sentence", comparison.sentence},
                    {"settles", comparison.settles}};
        one["left"] = operand_to_json(comparison.left, comparison.comparison.left);
        one["right"] = operand_to_json(comparison.right, comparison.comparison.right);
        json["comparisons"].push_back(std::move(one));
    }
    return json;
}

}  // namespace unveil
