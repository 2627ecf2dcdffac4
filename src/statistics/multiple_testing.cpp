#include "statistics/multiple_testing.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>

#include "core/error.hpp"

namespace unveil {

std::vector<double> benjamini_hochberg(std::span<const double> p_values, double tests) {
    UNVEIL_ASSERT(tests >= static_cast<double>(p_values.size()));
    for (const double p : p_values) UNVEIL_ASSERT(p >= 0 && p <= 1);
    std::vector<std::size_t> order(p_values.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return p_values[a] < p_values[b]; });
    std::vector<double> q_values(p_values.size());
    // From the largest p downwards: of equal p-values the last in the order comes first and has the highest
    // rank, and the running minimum hands its value to the others.
    double q = 1;
    for (std::size_t rank = order.size(); rank > 0; --rank) {
        const std::size_t i = order[rank - 1];
        q = std::min(q, p_values[i] * (tests / static_cast<double>(rank)));
        q_values[i] = q;
    }
    return q_values;
}

std::vector<double> holm(std::span<const double> p_values) {
    std::vector<std::size_t> order(p_values.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t x, std::size_t y) { return p_values[x] < p_values[y]; });
    std::vector<double> adjusted(p_values.size());
    double largest = 0;
    for (std::size_t rank = 0; rank < order.size(); ++rank) {
        largest = std::max(largest, std::min(1.0, p_values[order[rank]] * static_cast<double>(order.size() - rank)));
        adjusted[order[rank]] = largest;
    }
    return adjusted;
}

}  // namespace unveil
