#include "instruments/filter/rule_sets.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "statistics/binomial.hpp"
#include "statistics/multiple_testing.hpp"
#include "statistics/sign_test.hpp"

namespace unveil::filter {
namespace {

ContextRelation relation_of(const ContextPair& pair, const CompareOptions& options) {
    if (pair.asked() == 0) return ContextRelation::not_asked;
    const bool has_only_a = pair.is_different && pair.only_a > 0;
    const bool has_only_b = pair.is_different && pair.only_b > 0;
    if (!pair.is_different && pair.only_a + pair.only_b > 0) return ContextRelation::unclear;
    if (has_only_a && has_only_b && pair.both > 0) return ContextRelation::overlapping;
    const auto is_searched = [&](std::size_t context) { return options.was_searched.empty() || options.was_searched[context]; };
    const auto is_shown = [&](std::size_t context, std::uint64_t rules) { return is_searched(context) && detectable_share(rules, pair.missed_share) <= options.same_share; };
    const bool is_a_shown = is_shown(pair.a, pair.rules_of_a());
    const bool is_b_shown = is_shown(pair.b, pair.rules_of_b());
    if (has_only_a && has_only_b) return is_a_shown && is_b_shown ? ContextRelation::apart : ContextRelation::different;
    const bool is_a_within = !has_only_a && is_a_shown;
    const bool is_b_within = !has_only_b && is_b_shown;
    if (is_a_within && is_b_within) return ContextRelation::equal;
    if (is_a_within) return ContextRelation::first_within;
    if (is_b_within) return ContextRelation::second_within;
    return pair.is_different ? ContextRelation::different : ContextRelation::no_difference;
}

}  // namespace

std::string_view relation_name(ContextRelation relation) {
    switch (relation) {
        case ContextRelation::not_asked: return "not asked";
        case ContextRelation::equal: return "equal";
        case ContextRelation::first_within: return "first within second";
        case ContextRelation::second_within: return "second within first";
        case ContextRelation::overlapping: return "overlapping";
        case ContextRelation::apart: return "apart";
        case ContextRelation::different: return "different";
        case ContextRelation::no_difference: return "no difference found";
        case ContextRelation::unclear: return "unclear";
    }
    UNVEIL_ASSERT(false);
    return {};
}

double detectable_share(std::uint64_t asked, double missed_share) {
    if (asked == 0 || missed_share >= 1) return 1;
    return std::min(1.0, (1 - std::pow(0.05, 1 / static_cast<double>(asked))) / (1 - missed_share));
}

std::vector<ContextPair> compare_contexts(std::span<const RuleStates> rules, std::size_t contexts, const CompareOptions& options) {
    std::vector<ContextPair> pairs;
    std::vector<double> p;
    std::vector<double> p_noise;
    for (std::size_t a = 0; a < contexts; ++a)
        for (std::size_t b = a + 1; b < contexts; ++b) {
            ContextPair pair{.a = a, .b = b};
            double missed = 0;
            double surest = 1;
            for (const RuleStates& rule : rules) {
                const State x = rule.states[a];
                const State y = rule.states[b];
                if (x == State::unknown || y == State::unknown) continue;
                const bool is_in_a = x == State::blocked;
                const bool is_in_b = y == State::blocked;
                ++(is_in_a ? (is_in_b ? pair.both : pair.only_a) : (is_in_b ? pair.only_b : pair.neither));
                const double error_a = rule.errors.empty() ? 0 : rule.errors[a];
                const double error_b = rule.errors.empty() ? 0 : rule.errors[b];
                missed += 1 - (1 - error_a) * (1 - error_b);
                if (is_in_a != is_in_b) surest = std::min(surest, error_a / (1 - error_a) + error_b / (1 - error_b));
            }
            const auto asked = static_cast<double>(pair.asked());
            if (pair.asked() > 0) pair.missed_share = missed / asked;
            pair.p = sign_test_p(pair.only_a, pair.only_b);
            p.push_back(pair.p);
            const std::uint64_t differing = pair.only_a + pair.only_b;
            double by_chance = differing == 0 ? 1 : 0;
            if (differing > 0 && !options.is_silent) {
                const double wrong = std::min(1.0, 2 * (1 - options.confidence) / options.confidence);
                by_chance = std::min(1.0, 2 * std::min(binomial_tail(differing, pair.asked(), wrong), surest * asked));
            }
            p_noise.push_back(by_chance);
            pairs.push_back(pair);
        }
    const auto adjusted = holm(p);
    const auto adjusted_noise = holm(p_noise);
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        ContextPair& pair = pairs[i];
        pair.p_holm = adjusted[i];
        pair.p_noise = adjusted_noise[i];
        pair.is_different = pair.only_a + pair.only_b > 0 && pair.p_noise <= 1 - options.confidence;
        pair.relation = relation_of(pair, options);
    }
    return pairs;
}

std::vector<std::size_t> group_contexts(std::span<const ContextPair> pairs, std::size_t contexts) {
    std::vector<std::vector<std::size_t>> groups;
    std::vector<std::size_t> group_of(contexts);
    const auto pair_of = [&](std::size_t a, std::size_t b) -> const ContextPair& {
        // Pairs stand in the order of their first, then of their second context; a < b.
        return pairs[a * (2 * contexts - a - 1) / 2 + b - a - 1];
    };
    for (std::size_t context = 0; context < contexts; ++context) {
        std::size_t found = groups.size();
        for (std::size_t g = 0; g < groups.size() && found == groups.size(); ++g) {
            const auto& members = groups[g];
            const bool is_same = std::none_of(members.begin(), members.end(), [&](std::size_t member) { return pair_of(member, context).is_different; });
            const bool has_common = std::any_of(members.begin(), members.end(), [&](std::size_t member) { return pair_of(member, context).asked() > 0; });
            if (is_same && has_common) found = g;
        }
        if (found == groups.size()) groups.emplace_back();
        groups[found].push_back(context);
        group_of[context] = found;
    }
    return group_of;
}

}  // namespace unveil::filter
