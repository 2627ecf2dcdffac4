#include "statistics/backbone.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/random.hpp"
#include "statistics/poisson_binomial.hpp"

namespace unveil {
namespace {

// Goal: the disparity filter is the tail of a strength split at random. Method: closed forms at degrees 1, 2,
// 3, and a simulation that breaks a stick at degree - 1 uniform points.
TEST(Backbone, Disparity) {
    EXPECT_EQ(disparity_p(3, 3, 1), 1);
    EXPECT_EQ(disparity_p(0, 0, 0), 1);
    EXPECT_EQ(disparity_p(0, 10, 5), 1);
    EXPECT_NEAR(disparity_p(1, 10, 2), 0.9, 1e-15);
    EXPECT_NEAR(disparity_p(5, 10, 3), 0.25, 1e-15);
    EXPECT_EQ(disparity_p(4, 4, 2), 0);
    EXPECT_NEAR(disparity_p(1e-12, 1, 1'000'001) / std::exp(-1e-6), 1, 1e-12);
    Random random(5);
    constexpr int rounds = 200'000;
    int hits = 0;
    for (int round = 0; round < rounds; ++round) {
        double first = 1;
        for (int cut = 0; cut < 3; ++cut) first = std::min(first, random.uniform());
        hits += first >= 0.3;
    }
    EXPECT_NEAR(static_cast<double>(hits) / rounds, disparity_p(3, 10, 4), 0.005);
}

// Goal: the marginal likelihood filter is the binomial tail. Method: its terms summed in long double for
// 2,000 random cases, far tails included.
TEST(Backbone, MarginalLikelihood) {
    EXPECT_EQ(marginal_likelihood_p(0, 0, 0, 0), 1);
    EXPECT_EQ(marginal_likelihood_p(0, 3, 4, 10), 1);
    EXPECT_EQ(marginal_likelihood_p(900, 1000, 1000, 10'000'000), tail_floor);
    Random random(6);
    for (int round = 0; round < 2000; ++round) {
        const std::uint64_t total = 1 + random.below(400);
        const std::uint64_t a = 1 + random.below(total), b = 1 + random.below(total);
        const std::uint64_t weight = 1 + random.below(std::min<std::uint64_t>(std::min(a, b), 60));
        const long double p = static_cast<long double>(a * b) / static_cast<long double>(2 * total * total);
        long double term = 1, sum = 0;
        for (std::uint64_t x = 0; x <= total; ++x) {
            if (x == 0)
                term = std::pow(1 - p, static_cast<long double>(total));
            else
                term *= static_cast<long double>(total - x + 1) / static_cast<long double>(x) * p / (1 - p);
            if (x >= weight) sum += term;
        }
        EXPECT_NEAR(marginal_likelihood_p(weight, a, b, total) / static_cast<double>(sum), 1, 1e-10)
            << weight << ' ' << a << ' ' << b << ' ' << total;
    }
}

}  // namespace
}  // namespace unveil
