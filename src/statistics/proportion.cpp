#include "statistics/proportion.hpp"

#include <math.h>  // lgamma_r: std::lgamma writes a global

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.hpp"

namespace unveil {
namespace {

/// Horner's scheme; the constant term comes last.
template <std::size_t n>
double polynomial(const double (&coefficients)[n], double x) {
    double sum = 0;
    for (const double coefficient : coefficients) sum = sum * x + coefficient;
    return sum;
}

double log_gamma(double x) {
    int sign = 0;
    return ::lgamma_r(x, &sign);
}

/// ln B(a, b). For large arguments the two large logarithms of gamma cancel, so their difference is taken
/// from Stirling's series (DLMF 5.11.1), of which two terms leave less than 1e-15 there.
double log_beta(double a, double b) {
    const double small = std::min(a, b);
    const double large = std::max(a, b);
    if (large < 1e4) return log_gamma(small) + log_gamma(large) - log_gamma(small + large);
    const double sum = small + large;
    const double log_ratio =
        (large - 0.5) * std::log1p(small / large) + small * (std::log(sum) - 1) + (1 / sum - 1 / large) / 12;
    return log_gamma(small) - log_ratio;
}

/// The fraction of DLMF 8.17.22 by Lentz's method; converges fast for x < (a + 1) / (a + b + 2).
double beta_fraction(double a, double b, double x) {
    constexpr double tiny = 1e-300;
    constexpr int steps_max = 2'000'000;
    const auto away_from_zero = [](double value) { return std::abs(value) < tiny ? tiny : value; };
    double c = 1;
    double d = 1 / away_from_zero(1 - (a + b) * x / (a + 1));
    double fraction = d;
    for (int m = 1; m < steps_max; ++m) {
        const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        d = 1 / away_from_zero(1 + even * d);
        c = away_from_zero(1 + even / c);
        fraction *= d * c;
        const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        d = 1 / away_from_zero(1 + odd * d);
        c = away_from_zero(1 + odd / c);
        const double change = d * c;
        fraction *= change;
        if (std::abs(change - 1) < 4 * std::numeric_limits<double>::epsilon()) break;
    }
    return fraction;
}

/// The x with I_x(a, b) = probability, by bisection down to neighbouring doubles.
double beta_quantile(double a, double b, double probability) {
    double low = 0;
    double high = 1;
    while (true) {
        const double middle = low + (high - low) / 2;
        if (middle <= low || middle >= high) return middle;
        (incomplete_beta(a, b, middle) < probability ? low : high) = middle;
    }
}

}  // namespace

double normal_quantile(double probability) {
    UNVEIL_ASSERT(probability > 0 && probability < 1);
    constexpr double a[] = {2509.0809287301226727, 33430.575583588128105, 67265.770927008700853,
                            45921.953931549871457, 13731.693765509461125, 1971.5909503065514427,
                            133.14166789178437745, 3.387132872796366608};
    constexpr double b[] = {
        5226.495278852854561,  28729.085735721942674, 39307.89580009271061,  21213.794301586595867,
        5394.1960214247511077, 687.1870074920579083,  42.313330701600911252, 1};
    constexpr double c[] = {7.7454501427834140764e-4, .0227238449892691845833, .24178072517745061177,
                            1.27045825245236838258,   3.64784832476320460504,  5.7694972214606914055,
                            4.6303378461565452959,    1.42343711074968357734};
    constexpr double d[] = {
        1.05075007164441684324e-9, 5.475938084995344946e-4, .0151986665636164571966, .14810397642748007459,
        .68976733498510000455,     1.6763848301838038494,   2.05319162663775882187,  1};
    constexpr double e[] = {2.01033439929228813265e-7, 2.71155556874348757815e-5, .0012426609473880784386,
                            .026532189526576123093,    .29656057182850489123,     1.7848265399172913358,
                            5.4637849111641143699,     6.6579046435011037772};
    constexpr double f[] = {2.04426310338993978564e-15, 1.4215117583164458887e-7,
                            1.8463183175100546818e-5,   7.868691311456132591e-4,
                            .0148753612908506148525,    .13692988092273580531,
                            .59983220655588793769,      1};
    const double q = probability - 0.5;
    if (std::abs(q) <= 0.425) {
        const double r = 0.180625 - q * q;
        return q * polynomial(a, r) / polynomial(b, r);
    }
    const double r = std::sqrt(-std::log(q < 0 ? probability : 1 - probability));
    const double z = r <= 5 ? polynomial(c, r - 1.6) / polynomial(d, r - 1.6)
                            : polynomial(e, r - 5) / polynomial(f, r - 5);
    return q < 0 ? -z : z;
}

double incomplete_beta(double a, double b, double x) {
    UNVEIL_ASSERT(a > 0 && b > 0 && x >= 0 && x <= 1);
    if (x == 0 || x == 1) return x;
    const double log_front = a * std::log(x) + b * std::log1p(-x) - log_beta(a, b);
    if (x < (a + 1) / (a + b + 2)) return std::exp(log_front) * beta_fraction(a, b, x) / a;
    return 1 - std::exp(log_front) * beta_fraction(b, a, 1 - x) / b;
}

ProportionInterval wilson_interval(std::uint64_t hits, std::uint64_t trials, double level) {
    UNVEIL_ASSERT(hits <= trials && level > 0 && level < 1);
    if (trials == 0) return {};
    const double n = static_cast<double>(trials);
    const double share = static_cast<double>(hits) / n;
    const double z = normal_quantile(0.5 + level / 2);
    const double centre = (share + z * z / (2 * n)) / (1 + z * z / n);
    const double half = z * std::sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n);
    // At the ends the formula gives exactly 0 and 1; rounding must not leave the share outside.
    return {hits == 0 ? 0 : std::clamp(centre - half, 0.0, share),
            hits == trials ? 1 : std::clamp(centre + half, share, 1.0)};
}

ProportionInterval clopper_pearson_interval(std::uint64_t hits, std::uint64_t trials, double level) {
    UNVEIL_ASSERT(hits <= trials && level > 0 && level < 1);
    if (trials == 0) return {};
    const double tail = (1 - level) / 2;
    const double k = static_cast<double>(hits);
    const double n = static_cast<double>(trials);
    return {hits == 0 ? 0 : beta_quantile(k, n - k + 1, tail),
            hits == trials ? 1 : beta_quantile(k + 1, n - k, 1 - tail)};
}

}  // namespace unveil
