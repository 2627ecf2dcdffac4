#include "instruments/coordination/keep_rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "statistics/backbone.hpp"
#include "statistics/multiple_testing.hpp"

namespace unveil::coordination {
namespace {

bool passes(const Candidate& candidate, double q, const EdgeSums& sums, Keep keep, double alpha) {
    const auto strength = [&](std::uint32_t account) { return sums.strength[account]; };
    switch (keep) {
        case Keep::significant: return q <= alpha;
        case Keep::weight: return true;
        case Keep::disparity:
            return disparity_p(candidate.weight, static_cast<double>(strength(candidate.a)), sums.degree[candidate.a]) < alpha ||
                   disparity_p(candidate.weight, static_cast<double>(strength(candidate.b)), sums.degree[candidate.b]) < alpha;
        case Keep::marginal_likelihood:
            return marginal_likelihood_p(candidate.weight, strength(candidate.a), strength(candidate.b), sums.total_weight) < alpha;
    }
    return false;
}

}  // namespace

Keep keep_named(std::string_view name) {
    if (name == "weight") return Keep::weight;
    if (name == "disparity") return Keep::disparity;
    if (name == "marginal-likelihood") return Keep::marginal_likelihood;
    UNVEIL_ASSERT(name == "significant");
    return Keep::significant;
}

Chances q_values(std::span<const Candidate> candidates, double tests, double alpha) {
    tests = std::max(tests, static_cast<double>(candidates.size()));
    const auto weighted = [](const Candidate& c) { return c.prior > 0 ? std::min(1.0, c.p_sync / c.prior) : 1.0; };
    Chances chances;
    chances.p.resize(candidates.size());
    std::transform(candidates.begin(), candidates.end(), chances.p.begin(), [](const Candidate& c) { return c.p_interest; });
    chances.q_interest = benjamini_hochberg(chances.p, tests);
    std::transform(candidates.begin(), candidates.end(), chances.p.begin(), weighted);
    chances.q_sync = benjamini_hochberg(chances.p, tests);
    for (std::size_t i = 0; i < candidates.size(); ++i)
        if (chances.q_interest[i] > alpha) chances.p[i] = 1;
    chances.q = benjamini_hochberg(chances.p, tests);
    return chances;
}

std::vector<std::uint8_t> find_untold(std::span<const Candidate> candidates, const Chances& chances, double tests, double alpha) {
    std::vector<std::uint8_t> is_untold(candidates.size(), 0);
    std::vector<double> p(candidates.size(), 1);
    std::size_t significant = 0;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        significant += chances.q[i] <= alpha;
        if (chances.q_interest[i] <= alpha && candidates[i].prior > 0)
            p[i] = std::min(1.0, candidates[i].p_sync_common / candidates[i].prior);
    }
    const double tests_all = std::max(tests, static_cast<double>(candidates.size()));
    // One more would have to pass this.
    const double p_needed = alpha * static_cast<double>(significant + 1) / tests_all;
    const auto q = benjamini_hochberg(p, tests_all);
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        const Candidate& c = candidates[i];
        if (chances.q[i] <= alpha) continue;
        if (chances.q_interest[i] > alpha) {
            is_untold[i] = chances.q_sync[i] <= alpha ? 1 : 0;
            continue;
        }
        const bool is_too_fast = c.p_sync_least > p_needed * c.prior && std::ldexp(1.0, -static_cast<int>(c.shared)) <= p_needed * c.prior;
        is_untold[i] = q[i] <= alpha || is_too_fast ? 1 : 0;
    }
    return is_untold;
}

std::vector<std::uint8_t> choose_kept(std::span<const Candidate> candidates, std::span<const double> q,
                                      const EdgeSums& sums, const KeepChoice& choice) {
    std::vector<std::uint8_t> is_kept(candidates.size());
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        const bool is_above = !choice.weight_above || static_cast<double>(candidates[i].weight) > *choice.weight_above;
        is_kept[i] = is_above && passes(candidates[i], q[i], sums, choice.keep, choice.alpha) ? 1 : 0;
    }
    return is_kept;
}

std::vector<RuleOutcome> compare_rules(std::span<const Candidate> candidates, std::span<const double> q,
                                       const EdgeSums& sums, const KeepChoice& choice,
                                       const std::vector<std::pair<double, double>>& quantiles) {
    std::vector<RuleOutcome> outcomes;
    std::vector<std::uint32_t> seen_by(sums.degree.size(), 0);
    const auto add = [&](std::string rule, const auto& keeps) {
        RuleOutcome outcome;
        outcome.rule = std::move(rule);
        const auto number = static_cast<std::uint32_t>(outcomes.size() + 1);
        for (std::size_t i = 0; i < candidates.size(); ++i) {
            if (!keeps(i)) continue;
            ++outcome.edges;
            outcome.significant += q[i] <= choice.alpha;
            for (const auto end : {candidates[i].a, candidates[i].b})
                if (seen_by[end] != number) {
                    seen_by[end] = number;
                    ++outcome.accounts;
                }
        }
        outcomes.push_back(std::move(outcome));
    };
    std::vector<double> alphas = {choice.alpha, 0.05, 0.01, 0.001};
    std::sort(alphas.begin(), alphas.end(), std::greater<>());
    alphas.erase(std::unique(alphas.begin(), alphas.end()), alphas.end());
    for (const double alpha : alphas)
        add(fmt::format("beyond chance, q <= {}", alpha), [&](std::size_t i) { return q[i] <= alpha; });
    std::vector<std::uint64_t> weights = {choice.weight_min, 2, 3, 5, 10};
    std::sort(weights.begin(), weights.end());
    weights.erase(std::unique(weights.begin(), weights.end()), weights.end());
    for (const std::uint64_t weight : weights)
        if (weight >= choice.weight_min)
            add(fmt::format("weight >= {}", weight), [&](std::size_t i) { return candidates[i].weight >= weight; });
    for (const auto& [quantile, threshold] : quantiles)
        add(fmt::format("weight above the {} quantile", quantile),
            [&, above = threshold](std::size_t i) { return static_cast<double>(candidates[i].weight) > above; });
    for (const auto& [keep, name] : {std::pair{Keep::disparity, "disparity"}, {Keep::marginal_likelihood, "marginal likelihood"}})
        add(fmt::format("{}, alpha {}", name, choice.alpha),
            [&, rule = keep](std::size_t i) { return passes(candidates[i], q[i], sums, rule, choice.alpha); });
    return outcomes;
}

}  // namespace unveil::coordination
