// How surprising are v hits among independent chances that are not alike? The upper tail of the
// Poisson-binomial distribution, accurate far out, where p-values of coordination live.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace unveil {

/// No tail is reported below this; far below any level that a test uses, far above the smallest double.
inline constexpr double tail_floor = 1e-300;

/// P(X >= at_least), X the sum of independent Bernoulli variables; clamped to [tail_floor, 1]. Probabilities
/// in [0, 1]. Recursion over the variables with an absorbing state "enough": every term is positive, so
/// nothing cancels, and it works on numbers scaled by 2^1000, so what underflows is below 1e-600. Relative
/// error below 4 n 2^-53. O(n min(v, n - v + 1)) time; no allocation while v <= 128. Where that product
/// exceeds 2^22 the classes below take over.
double poisson_binomial_tail(std::span<const double> probabilities, std::uint64_t at_least);

struct ProbabilityClass {
    double probability = 0;
    /// A whole number up to 1e9.
    double count = 0;
};

/// The same for `count` variables of each `probability`. The relative error is below 1e-9 while the variance
/// of the tilted sum is below 400, 2e-4 above (see OddsTable); O(c log c) time for c classes and usually far
/// less than c v more.
double poisson_binomial_tail(std::span<const ProbabilityClass> classes, std::uint64_t at_least);

/// A run of neighbouring odds classes and its power sums: sums[j] = sum of count * odds^(j + 1).
struct OddsBlock {
    static constexpr std::size_t orders_max = 12;
    std::size_t first = 0;
    std::size_t last = 0;
    double odds_max = 0;
    std::array<double, orders_max> sums{};
};

/// A sum of independent Bernoulli variables by classes of equal odds p / (1 - p), for callers who ask for
/// many tails of many sums. `odds` and `counts` are parallel, 0 <= odds < infinity, counts whole and
/// positive; the blocks cover them without gap, the largest odds of a block at most 2.5 times its smallest
/// above 0, and hold the first `orders` power sums.
///
/// Method: P(X >= v) = G(z) z^-v sum over x >= v of z^(v-x) P_z(x), where P_z is the distribution tilted so
/// that its mean is about v (Butler, Saddlepoint Approximations, section 2.4; exact for every z). Classes
/// whose tilted odds z w exceed 1/10 - at most 11 v variables - enter P_z by recursion, class by class when
/// counts are high. The others enter through their power sums t_j: their generating function is exp(sum_j
/// (-1)^(j-1) t_j z^j s^j / j), the recursion of its coefficients is Newton's identity. Cutting it after J
/// orders changes a tail by a relative v 10^-J / (J + 1) at most: v 1.4e-7 for J = 6, v 8e-14 for J = 12.
/// When the tilted variance exceeds 400, P_z is the Edgeworth series to the order of the fourth cumulant
/// (Kolassa and McCullagh, Ann. Stat. 18 (1990) 981).
struct OddsTable {
    std::span<const double> odds;
    std::span<const double> counts;
    std::span<const OddsBlock> blocks;
    std::size_t orders = OddsBlock::orders_max;
};

/// Buffers that tails of OddsTables share; one per thread.
struct TailScratch {
    std::vector<double> states;
    std::vector<double> next;
    std::vector<double> binomial;
    std::vector<double> weighted;
    std::vector<double> bulk;
};

/// P(X >= at_least) clamped to [tail_floor, 1]; see OddsTable.
double odds_table_tail(const OddsTable& table, std::uint64_t at_least, TailScratch& scratch);

}  // namespace unveil
