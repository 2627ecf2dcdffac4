// Does one of two come first more often than chance? The exact two-sided sign test.
#pragma once

#include <cstdint>

namespace unveil {

/// P-value of `first` against `second` under equal chances (binomial 1/2, both tails; ties are left out beforehand).
/// 1 when both are 0. Conover, Practical Nonparametric Statistics, section 3.4. O(min(first, second)) time.
double sign_test_p(std::uint64_t first, std::uint64_t second);

}  // namespace unveil
