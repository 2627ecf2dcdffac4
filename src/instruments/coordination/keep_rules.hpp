// Which candidate edges are kept? By chance (q-values of both null models), by weight alone, or by the backbones that
// other tools offer; and how much the answer depends on that choice.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "instruments/coordination/null_models.hpp"

namespace unveil::coordination {

enum class Keep { significant, weight, disparity, marginal_likelihood };
Keep keep_named(std::string_view name);

/// Sums over all edges of one window, those below the minimum weight included: what the backbones need.
struct EdgeSums {
    std::vector<std::uint32_t> degree;    // by account
    std::vector<std::uint64_t> strength;  // by account: sum of weights
    std::uint64_t total_weight = 0;
};

struct Chances {
    std::vector<double> q_interest;
    std::vector<double> q_sync;
    std::vector<double> p;   // p_sync over the pair's prior where q_interest is at most alpha, else 1
    std::vector<double> q;   // of p: the pair acts together beyond both explanations
};
/// False discovery rates over all `tests` pairs of accounts, untested ones included; one value a candidate. q_interest is
/// Benjamini & Hochberg's (1995), q_sync theirs with weights (Genovese, Roeder & Wasserman 2006). q is that of synchrony among
/// the pairs whose shared interest is significant at `alpha`; what was shared is given to the synchrony null, so choosing by
/// it costs nothing.
Chances q_values(std::span<const Candidate> candidates, double tests, double alpha);

/// Marks the candidates of which the tests cannot tell whether they act together. They share no more than chance explains, but what they
/// share at times that chance does not explain. Or they share more than chance: then they would be
/// significant if every pair could be judged at the common pace; or their objects are so fast that together on all they share would
/// not be, though at a pace of one half it were. Who shares too little even for that is as a pair below the minimum weight.
std::vector<std::uint8_t> find_untold(std::span<const Candidate> candidates, const Chances& chances, double tests, double alpha);

/// How many candidates one rule keeps, and how many of those the chosen significance keeps too.
struct RuleOutcome {
    std::string rule;       // "q <= 0.05", "weight >= 3", "weight above the 0.9 quantile", "disparity, alpha 0.05"
    std::uint64_t edges = 0;
    std::uint64_t accounts = 0;
    std::uint64_t significant = 0;   // edges of it with q <= alpha
};

struct KeepChoice {
    Keep keep = Keep::significant;
    double alpha = 0.05;
    std::uint64_t weight_min = 2;
    std::optional<double> weight_above;   // the quantile's threshold, when asked for
};

/// One flag a candidate. Disparity (Serrano et al. 2009) keeps an edge that is below alpha at either end, marginal
/// likelihood (Dianati 2016) one below alpha; neither corrects for the number of edges, as published.
std::vector<std::uint8_t> choose_kept(std::span<const Candidate> candidates, std::span<const double> q,
                                      const EdgeSums& sums, const KeepChoice& choice);
/// The same candidates under every rule, in fixed order.
std::vector<RuleOutcome> compare_rules(std::span<const Candidate> candidates, std::span<const double> q,
                                       const EdgeSums& sums, const KeepChoice& choice,
                                       const std::vector<std::pair<double, double>>& quantiles);

}  // namespace unveil::coordination
