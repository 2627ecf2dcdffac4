// Which edges of a weighted network are heavier than the strengths of their ends explain? Two classic
// filters, offered for comparison: both forget that the weights come from shared objects.
#pragma once

#include <cstdint>

namespace unveil {

/// The disparity filter: probability that one of `degree` edges, among which the strength is split uniformly
/// at random, gets at least `weight`: (1 - weight / strength)^(degree - 1). 1 at degree 0 or 1, where it is
/// undefined. An edge is kept when either of its ends finds it significant. 0 <= weight <= strength. Serrano,
/// Boguna and Vespignani, PNAS 106 (2009) 6483, equation 2.
double disparity_p(double weight, double strength, std::uint64_t degree);

/// The marginal likelihood filter: P(X >= weight), X binomial of `total_weight` trials, each hitting this
/// edge with probability strength_a strength_b / (2 total_weight^2). Total weight: the sum over edges, so
/// that strengths sum to twice that; no weight or strength above it. At least 1e-300. Dianati, Phys. Rev. E
/// 93 (2016) 012304, equation 3. Through the incomplete beta function: relative error below 1e-8;
/// O(sqrt(total_weight)) time at most.
double marginal_likelihood_p(std::uint64_t weight, std::uint64_t strength_a, std::uint64_t strength_b,
                             std::uint64_t total_weight);

}  // namespace unveil
