#include "statistics/backbone.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "statistics/poisson_binomial.hpp"
#include "statistics/proportion.hpp"

namespace unveil {

double disparity_p(double weight, double strength, std::uint64_t degree) {
    UNVEIL_ASSERT(weight >= 0 && weight <= strength);
    if (degree <= 1 || weight == 0) return 1;
    return std::exp(static_cast<double>(degree - 1) * std::log1p(-weight / strength));
}

double marginal_likelihood_p(std::uint64_t weight, std::uint64_t strength_a, std::uint64_t strength_b,
                             std::uint64_t total_weight) {
    UNVEIL_ASSERT(weight <= total_weight && strength_a <= total_weight && strength_b <= total_weight);
    if (weight == 0) return 1;
    const auto total = static_cast<double>(total_weight);
    const double hit =
        static_cast<double>(strength_a) / total * (static_cast<double>(strength_b) / total) / 2;
    const auto w = static_cast<double>(weight);
    return std::clamp(incomplete_beta(w, total - w + 1, hit), tail_floor, 1.0);
}

}  // namespace unveil
