#include "statistics/proportion.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace unveil {
namespace {

// Goal: the intervals equal published values. Method: Newcombe, Stat. Med. 17 (1998) 857, table I, methods 3
// (Wilson) and 5 (Clopper-Pearson), printed there to four digits.
TEST(Proportion, PublishedIntervals) {
    struct Row {
        std::uint64_t hits, trials;
        double wilson_low, wilson_high, exact_low, exact_high;
    };
    const Row rows[] = {{81, 263, 0.2553, 0.3662, 0.2527, 0.3676},
                        {15, 148, 0.0624, 0.1605, 0.0578, 0.1617},
                        {0, 20, 0.0000, 0.1611, 0.0000, 0.1684},
                        {1, 29, 0.0061, 0.1718, 0.0009, 0.1776}};
    for (const auto& row : rows) {
        const auto wilson = wilson_interval(row.hits, row.trials);
        EXPECT_NEAR(wilson.low, row.wilson_low, 5.1e-5) << row.hits;
        EXPECT_NEAR(wilson.high, row.wilson_high, 5.1e-5) << row.hits;
        const auto exact = clopper_pearson_interval(row.hits, row.trials);
        EXPECT_NEAR(exact.low, row.exact_low, 5.1e-5) << row.hits;
        EXPECT_NEAR(exact.high, row.exact_high, 5.1e-5) << row.hits;
    }
}

// Goal: the exact interval keeps its promise. Method: at either end the binomial tail, summed term by term,
// is the nominal 2.5 %.
TEST(Proportion, ClopperPearsonTailsAreExact) {
    for (const std::uint64_t trials : {5u, 40u, 300u})
        for (const std::uint64_t hits : {std::uint64_t{1}, trials / 3, trials - 1}) {
            const auto interval = clopper_pearson_interval(hits, trials);
            const auto tail = [&](double p, std::uint64_t from, std::uint64_t to) {
                double sum = 0;
                for (std::uint64_t k = from; k <= to; ++k) {
                    const double n = static_cast<double>(trials), x = static_cast<double>(k);
                    sum += std::exp(std::lgamma(n + 1) - std::lgamma(x + 1) - std::lgamma(n - x + 1) +
                                    x * std::log(p) + (n - x) * std::log1p(-p));
                }
                return sum;
            };
            EXPECT_NEAR(tail(interval.low, hits, trials), 0.025, 1e-10);
            EXPECT_NEAR(tail(interval.high, 0, hits), 0.025, 1e-10);
        }
}

// Goal: the closed forms at the ends. Method: no hit gives 1 - (alpha/2)^(1/n), also for as many trials as
// the lab has pairs of accounts.
TEST(Proportion, Ends) {
    for (const std::uint64_t trials : {1ull, 10ull, 1'000'000ull, 50'000'000'000ull}) {
        const double high = -std::expm1(std::log(0.025) / static_cast<double>(trials));
        EXPECT_EQ(clopper_pearson_interval(0, trials).low, 0);
        EXPECT_NEAR(clopper_pearson_interval(0, trials).high / high, 1, 1e-6);
        EXPECT_EQ(clopper_pearson_interval(trials, trials).high, 1);
        EXPECT_EQ(wilson_interval(0, trials).low, 0);
        EXPECT_EQ(wilson_interval(trials, trials).high, 1);
    }
    EXPECT_EQ(wilson_interval(0, 0).low, 0);
    EXPECT_EQ(wilson_interval(0, 0).high, 1);
    EXPECT_EQ(clopper_pearson_interval(0, 0).high, 1);
}

// Goal: the building blocks. Method: tabulated quantiles, and identities of the incomplete beta function.
TEST(Proportion, NormalQuantileAndIncompleteBeta) {
    EXPECT_NEAR(normal_quantile(0.975), 1.959963984540054, 1e-14);
    EXPECT_NEAR(normal_quantile(0.5), 0, 1e-16);
    EXPECT_NEAR(normal_quantile(0.99), 2.3263478740408408, 1e-14);
    EXPECT_NEAR(normal_quantile(1e-10), -6.361340902404056, 1e-12);
    EXPECT_NEAR(normal_quantile(1e-20), -9.262340089798408, 1e-12);
    for (const double x : {0.01, 0.3, 0.77}) {
        EXPECT_NEAR(incomplete_beta(1, 1, x), x, 1e-14);
        EXPECT_NEAR(incomplete_beta(2, 1, x), x * x, 1e-14);
        EXPECT_NEAR(incomplete_beta(3.5, 7.25, x) + incomplete_beta(7.25, 3.5, 1 - x), 1, 1e-13);
    }
    EXPECT_EQ(incomplete_beta(2, 3, 0), 0);
    EXPECT_EQ(incomplete_beta(2, 3, 1), 1);
}

}  // namespace
}  // namespace unveil
