#include "statistics/sign_test.hpp"

#include <algorithm>
#include <cmath>

namespace unveil {

double sign_test_p(std::uint64_t first, std::uint64_t second) {
    const std::uint64_t fewer = std::min(first, second);
    const std::uint64_t trials = first + second;
    if (first == second) return 1;
    const auto n = static_cast<double>(trials);
    // Terms C(n, i) / 2^n from i = fewer downwards shrink, so the sum stops once a term no longer counts.
    double term = trials <= 1000 ? std::ldexp(1.0, -static_cast<int>(trials)) : 0;
    if (trials <= 1000) {
        double sum = term;
        for (std::uint64_t i = 1; i <= fewer; ++i) {
            term *= static_cast<double>(trials - i + 1) / static_cast<double>(i);
            sum += term;
        }
        return std::min(1.0, 2 * sum);
    }
    const auto k = static_cast<double>(fewer);
    term = std::exp(std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1) - n * std::log(2.0));
    double sum = term;
    for (std::uint64_t i = fewer; i > 0 && term > sum * 1e-17; --i) {
        term *= static_cast<double>(i) / static_cast<double>(trials - i + 1);
        sum += term;
    }
    return std::min(1.0, 2 * sum);
}

}  // namespace unveil
