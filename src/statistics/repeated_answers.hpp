// A yes-or-no question was asked several times and the answers are sometimes wrong: what is the truth?
#pragma once

#include <cstdint>

namespace unveil {

/// How often answers are wrong, each in (0, 1/2); both 0 when they never are.
struct AnswerNoise {
    double miss_rate = 0;          // the truth is yes, the answer no
    double false_alarm_rate = 0;   // the truth is no, the answer yes
    bool is_silent() const { return miss_rate == 0 && false_alarm_rate == 0; }
};

/// Jeffreys' estimate (wrong + 1/2) / (all + 1), at most 0.49: who is wrong more often than right tells nothing.
double error_rate(std::uint64_t wrong, std::uint64_t all);

/// Probability that the truth is yes, by Bayes with even odds and independent answers; 1/2 without answers. Without noise a single yes is
/// certain, and so is a no without any yes.
double probability_yes(std::uint64_t yes, std::uint64_t no, const AnswerNoise& noise);

}  // namespace unveil
