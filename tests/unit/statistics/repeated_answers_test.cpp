// Goal: the probability is that of Bayes' rule, and worlds drawn by it are as often true as it says.
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "core/random.hpp"
#include "statistics/repeated_answers.hpp"

namespace unveil {
namespace {

TEST(RepeatedAnswers, FollowBayes) {
    const AnswerNoise noise{0.05, 0.01};
    EXPECT_DOUBLE_EQ(probability_yes(0, 0, noise), 0.5);
    EXPECT_NEAR(probability_yes(1, 0, noise), 0.95 / 0.96, 1e-12);
    EXPECT_NEAR(probability_yes(0, 1, noise), 0.05 / (0.05 + 0.99), 1e-12);
    EXPECT_NEAR(probability_yes(1, 1, noise), 0.95 * 0.05 / (0.95 * 0.05 + 0.01 * 0.99), 1e-12);
    EXPECT_EQ(probability_yes(1, 3, {}), 1);
    EXPECT_EQ(probability_yes(0, 3, {}), 0);
    EXPECT_EQ(error_rate(0, 0), 0.49);
    EXPECT_NEAR(error_rate(5, 100), 5.5 / 101, 1e-12);
}

TEST(RepeatedAnswers, AreCalibrated) {
    const AnswerNoise noise{0.2, 0.1};
    Random random(3);
    std::map<int, std::pair<double, double>> by_decile;   // sum of probabilities, times the truth was yes
    std::map<int, int> counts;
    for (int round = 0; round < 200000; ++round) {
        const bool truth = random.chance(0.5);
        std::uint64_t yes = 0;
        for (int k = 0; k < 4; ++k) yes += random.chance(truth ? 1 - noise.miss_rate : noise.false_alarm_rate);
        const double p = probability_yes(yes, 4 - yes, noise);
        const int decile = static_cast<int>(p * 10);
        by_decile[decile].first += p;
        by_decile[decile].second += truth;
        ++counts[decile];
    }
    for (const auto& [decile, sums] : by_decile)
        EXPECT_NEAR(sums.first / counts[decile], sums.second / counts[decile], 4 * 0.5 / std::sqrt(counts[decile])) << decile;
}

}  // namespace
}  // namespace unveil
