#include "statistics/repeated_answers.hpp"

#include <algorithm>
#include <cmath>

namespace unveil {

double error_rate(std::uint64_t wrong, std::uint64_t all) {
    return std::min(0.49, (static_cast<double>(wrong) + 0.5) / (static_cast<double>(all) + 1));
}

double probability_yes(std::uint64_t yes, std::uint64_t no, const AnswerNoise& noise) {
    if (yes + no == 0) return 0.5;
    if (noise.is_silent()) return yes > 0 ? 1 : 0;
    const double log_odds = static_cast<double>(yes) * std::log((1 - noise.miss_rate) / noise.false_alarm_rate) +
                            static_cast<double>(no) * std::log(noise.miss_rate / (1 - noise.false_alarm_rate));
    return 1 / (1 + std::exp(-log_odds));
}

}  // namespace unveil
