// Which of many findings survive that so many were looked for? False discovery rates over all tests, also those that
// were never computed.
#pragma once

#include <span>
#include <vector>

namespace unveil {

/// The q-values of Benjamini and Hochberg, J. R. Stat. Soc. B 57 (1995) 289: the smallest false discovery
/// rate at which each test is significant, q_i = min over p_j >= p_i of p_j tests / #{p <= p_j}, at most 1.
/// `tests` counts all tests made; those beyond p_values.size() have p = 1. In the order of `p_values`.
/// p-values in [0, 1], tests >= p_values.size(). O(n log n).
std::vector<double> benjamini_hochberg(std::span<const double> p_values, double tests);

/// Holm, Scand. J. Statist. 6 (1979) 65: adjusted p-values that control the chance of any false finding, whatever the dependence.
/// p-values in [0, 1]; in their order. O(n log n).
std::vector<double> holm(std::span<const double> p_values);

}  // namespace unveil
