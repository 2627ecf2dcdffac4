#include "statistics/binomial.hpp"

#include "statistics/proportion.hpp"

namespace unveil {

double binomial_tail(std::uint64_t hits, std::uint64_t trials, double probability) {
    if (hits == 0) return 1;
    if (hits > trials) return 0;
    return incomplete_beta(static_cast<double>(hits), static_cast<double>(trials - hits) + 1, probability);
}

}  // namespace unveil
