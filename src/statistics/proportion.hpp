// How sure is a share of counted things? Confidence intervals for a binomial proportion: Wilson's score
// interval, whose mean coverage is close to the level, and Clopper-Pearson's, whose coverage is never below
// it.
#pragma once

#include <cstdint>

namespace unveil {

struct ProportionInterval {
    double low = 0;
    double high = 1;
};

/// Wilson, J. Am. Stat. Assoc. 22 (1927) 209, without continuity correction. No trials: [0, 1]. `hits` <=
/// `trials`, `level` in (0, 1).
ProportionInterval wilson_interval(std::uint64_t hits, std::uint64_t trials, double level = 0.95);

/// Clopper and Pearson, Biometrika 26 (1934) 404: both tails hold at most (1 - level) / 2. For rare events,
/// where Wilson's coverage dips below the level. No trials: [0, 1].
ProportionInterval clopper_pearson_interval(std::uint64_t hits, std::uint64_t trials, double level = 0.95);

/// The z with P(Z <= z) = probability for a standard normal Z; probability in (0, 1). Relative error below
/// 1e-15: Wichura, algorithm AS 241 (PPND16), Appl. Stat. 37 (1988) 477.
double normal_quantile(double probability);

/// Regularised incomplete beta function I_x(a, b), a > 0, b > 0, x in [0, 1], by the continued fraction
/// DLMF 8.17.22. Takes O(sqrt(max(a, b))) steps.
double incomplete_beta(double a, double b, double x);

}  // namespace unveil
