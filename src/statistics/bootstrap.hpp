// How far would a figure move with other data of the same kind? The percentile interval of bootstrap draws.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace unveil {

struct BootstrapRules {
    std::uint32_t runs = 1000;
    double level = 0.95;
    std::uint64_t seed = 1;
    unsigned threads = 1;  // never changes a result
};

/// A figure with its interval. Without a value (nothing to divide by) the interval says nothing.
struct Estimate {
    std::optional<double> value;
    double low = 0;
    double high = 1;
    std::uint32_t runs = 0;  // draws in which the figure had a value
};

/// Efron and Tibshirani, An Introduction to the Bootstrap (1993), section 13.3: the quantiles (1 - level) / 2 and
/// (1 + level) / 2 of the draws, widened to hold the value itself. Draws that are not numbers are left out; without
/// a value or draws the interval is [0, 1]. Too narrow for few clusters: over 3, 5, 10 and 30
/// campaigns a nominal 95 % held a recall in 80, 86, 92 and 94 % of simulated worlds (tests/lab/statistics).
Estimate percentile_estimate(std::optional<double> value, std::vector<double> draws, double level);

/// Monte-Carlo p-value (1 + exceeding) / (1 + runs), never 0: Davison and Hinkley, Bootstrap Methods and their
/// Application (1997), section 4.2.
constexpr double monte_carlo_p(std::uint64_t exceeding, std::uint64_t runs) {
    return static_cast<double>(exceeding + 1) / static_cast<double>(runs + 1);
}

}  // namespace unveil
