#include "statistics/circular.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <vector>

#include "core/random.hpp"

namespace unveil {
namespace {

HourCounts random_hours(Random& random, std::uint64_t most) {
    HourCounts counts{};
    for (auto& count : counts) count = random.below(most + 1);
    return counts;
}

// Goal: mean hour and length. Method: the sum of unit vectors by the C library.
TEST(Circular, MeanEqualsVectorSum) {
    Random random(1);
    for (int round = 0; round < 500; ++round) {
        const auto counts = random_hours(random, 1 + random.below(1000));
        const auto mean = circular_mean(counts);
        std::complex<double> sum;
        double events = 0;
        for (int hour = 0; hour < 24; ++hour) {
            const double count = static_cast<double>(counts[static_cast<std::size_t>(hour)]);
            sum += count * std::polar(1.0, (hour + 0.5) * std::acos(-1.0) / 12);
            events += count;
        }
        EXPECT_EQ(static_cast<double>(mean.events), events);
        EXPECT_NEAR(mean.resultant_length, std::abs(sum) / events, 1e-13);
        const double hour = std::arg(sum) * 12 / std::acos(-1.0);
        if (std::abs(sum) > 1e-6) EXPECT_NEAR(std::remainder(mean.hour - hour, 24), 0, 1e-9);
        EXPECT_GE(mean.hour, 0);
        EXPECT_LT(mean.hour, 24);
    }
    for (std::size_t hour = 0; hour < 24; ++hour) {
        HourCounts counts{};
        counts[hour] = 3;
        EXPECT_NEAR(circular_mean(counts).hour, static_cast<double>(hour) + 0.5, 1e-12);
        EXPECT_NEAR(circular_mean(counts).resultant_length, 1, 1e-15);
        counts[(hour + 12) % 24] = 3;
        EXPECT_EQ(circular_mean(counts).resultant_length, 0);
    }
    HourCounts even;
    even.fill(1000);
    EXPECT_EQ(circular_mean(even).resultant_length, 0);
    EXPECT_EQ(rayleigh_p(circular_mean(even)), 1);
    EXPECT_EQ(rayleigh_p(circular_mean({})), 1);
}

// Goal: Rayleigh's p is right for few and many events. Method: share of simulated even samples with a length as large,
// on the 24 hours; for large n the limit exp(-n length^2).
TEST(Circular, RayleighIsCalibrated) {
    for (const std::uint64_t events : {5u, 20u, 100u}) {
        Random random(events);
        int below[2] = {0, 0};
        constexpr int rounds = 20'000;
        for (int round = 0; round < rounds; ++round) {
            HourCounts counts{};
            for (std::uint64_t i = 0; i < events; ++i) ++counts[random.below(24)];
            const double p = rayleigh_p(circular_mean(counts));
            below[0] += p <= 0.05;
            below[1] += p <= 0.01;
        }
        EXPECT_NEAR(below[0], 0.05 * rounds, 0.008 * rounds) << events;
        EXPECT_NEAR(below[1], 0.01 * rounds, 0.005 * rounds) << events;
    }
    EXPECT_NEAR(std::log(rayleigh_p({1'000'000, 3, 0.01})), -100, 0.1);
    EXPECT_NEAR(rayleigh_p({1'000'000'000'000, 3, 1e-7}), 0.99, 1e-4);
}

// Goal: Watson's U^2 as defined, and no hour is the first. Method: pooled ordered sample with ties written out, and all
// rotations of both profiles; the 5 % point 0.187 of the tables.
TEST(Circular, WatsonEqualsDefinition) {
    Random random(2);
    for (int round = 0; round < 200; ++round) {
        const auto a = random_hours(random, 8);
        const auto b = random_hours(random, 5);
        double n1 = 0, n2 = 0;
        for (std::size_t hour = 0; hour < 24; ++hour) {
            n1 += static_cast<double>(a[hour]);
            n2 += static_cast<double>(b[hour]);
        }
        const double n = n1 + n2;
        std::vector<double> differences;  // one for each event of the pooled sample
        double s1 = 0, s2 = 0;
        for (std::size_t hour = 0; hour < 24; ++hour) {
            s1 += static_cast<double>(a[hour]);
            s2 += static_cast<double>(b[hour]);
            for (std::uint64_t i = 0; i < a[hour] + b[hour]; ++i) differences.push_back(s1 / n1 - s2 / n2);
        }
        double mean = 0, u2 = 0;
        for (const double d : differences) mean += d / n;
        for (const double d : differences) u2 += (d - mean) * (d - mean) * n1 * n2 / (n * n);
        const auto test = watson_two_sample(a, b);
        EXPECT_NEAR(test.u2, u2, 1e-10);
        EXPECT_NEAR(watson_two_sample(b, a).u2, u2, 1e-10);
        for (std::size_t shift = 1; shift < 24; ++shift) {
            HourCounts c, d;
            for (std::size_t hour = 0; hour < 24; ++hour) {
                c[(hour + shift) % 24] = a[hour];
                d[(hour + shift) % 24] = b[hour];
            }
            EXPECT_NEAR(watson_two_sample(c, d).u2, u2, 1e-10);
        }
    }
    EXPECT_EQ(watson_two_sample({}, {}).p, 1);
}

// Goal: Watson's p-value holds its level on hours and sees a shift. Method: two samples of one profile, 4,000 times;
// one shifted by four hours.
TEST(Circular, WatsonIsCalibrated) {
    Random random(3);
    const auto sample = [&](std::size_t shift) {
        HourCounts counts{};
        for (int i = 0; i < 80; ++i) ++counts[(random.below(9) + random.below(9) + shift) % 24];
        return counts;
    };
    constexpr int rounds = 4000;
    int below = 0;
    int seen = 0;
    for (int round = 0; round < rounds; ++round) {
        const auto first = sample(0);
        below += watson_two_sample(first, sample(0)).p <= 0.05;
        seen += watson_two_sample(first, sample(4)).p <= 0.05;
    }
    EXPECT_LT(below, 0.06 * rounds);
    EXPECT_GT(below, 0.03 * rounds);
    EXPECT_GT(seen, 0.95 * rounds);
    RecordProperty("null_rate_percent_hundredths", below * 10'000 / rounds);
}

}  // namespace
}  // namespace unveil
