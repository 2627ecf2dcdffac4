#include "statistics/fisher.hpp"

#include <algorithm>
#include <cmath>

namespace unveil {
namespace {

double log_choose(std::uint64_t n, std::uint64_t k) {
    return std::lgamma(static_cast<double>(n) + 1) - std::lgamma(static_cast<double>(k) + 1) - std::lgamma(static_cast<double>(n - k) + 1);
}

}  // namespace

double fisher_tail(std::uint64_t hits, std::uint64_t trials, std::uint64_t other_hits, std::uint64_t other_trials) {
    const std::uint64_t all_hits = hits + other_hits;
    const double log_all = log_choose(trials + other_trials, all_hits);
    double sum = 0;
    for (std::uint64_t k = hits; k <= std::min(trials, all_hits); ++k)
        if (all_hits - k <= other_trials) sum += std::exp(log_choose(trials, k) + log_choose(other_trials, all_hits - k) - log_all);
    return std::min(1.0, sum);
}

}  // namespace unveil
