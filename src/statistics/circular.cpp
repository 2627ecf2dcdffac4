#include "statistics/circular.hpp"

#include <algorithm>
#include <cmath>

namespace unveil {
namespace {

constexpr double pi = 3.14159265358979323846;

/// Cosine of a multiple of 15 degrees.
double cos_hour(int hour) {
    const double root2 = std::sqrt(2.0);
    const double root3 = std::sqrt(3.0);
    const double root6 = root2 * root3;
    const double quarter[] = {1, (root6 + root2) / 4, root3 / 2, root2 / 2, 0.5, (root6 - root2) / 4, 0};
    hour = ((hour % 24) + 24) % 24;
    if (hour > 12) hour = 24 - hour;
    return hour <= 6 ? quarter[hour] : -quarter[12 - hour];
}

/// Angle in [0, 2 pi) without the C library: halved three times by tan(a/2) = t / (1 + sqrt(1 + t^2)), then the series.
double angle_of(double x, double y) {
    if (x == 0 && y == 0) return 0;
    const bool is_steep = std::abs(y) > std::abs(x);
    double t = is_steep ? std::abs(x / y) : std::abs(y / x);
    for (int i = 0; i < 3; ++i) t = t / (1 + std::sqrt(1 + t * t));
    double sum = 0;
    for (int k = 23; k >= 1; k -= 2) sum = ((k / 2) % 2 == 0 ? 1.0 : -1.0) / k + sum * t * t;
    double angle = 8 * t * sum;
    if (is_steep) angle = pi / 2 - angle;
    if (x < 0) angle = pi - angle;
    if (y < 0) angle = 2 * pi - angle;
    return angle >= 2 * pi ? 0 : angle;
}

}  // namespace

CircularMean circular_mean(const HourCounts& counts) {
    CircularMean mean;
    double x = 0;
    double y = 0;
    // Opposite hours are subtracted as whole numbers, so that an even profile has length 0 exactly.
    for (int hour = 0; hour < 12; ++hour) {
        const double excess = static_cast<double>(counts[static_cast<std::size_t>(hour)]) -
                              static_cast<double>(counts[static_cast<std::size_t>(hour + 12)]);
        x += excess * cos_hour(hour);
        y += excess * cos_hour(hour - 6);
    }
    for (const auto count : counts) mean.events += count;
    if (mean.events == 0) return mean;
    const double length = std::sqrt(x * x + y * y) / static_cast<double>(mean.events);
    // What is left of cancelled terms is rounding.
    mean.resultant_length = length < 1e-14 ? 0 : std::min(1.0, length);
    if (mean.resultant_length == 0) return mean;
    mean.hour = angle_of(x, y) * 12 / pi + 0.5;
    if (mean.hour >= 24) mean.hour -= 24;
    return mean;
}

double rayleigh_p(const CircularMean& mean) {
    const double n = static_cast<double>(mean.events);
    const double r = n * mean.resultant_length;
    // sqrt(a) - b with a near b^2 as (a - b^2) / (sqrt(a) + b), where nothing cancels: b^2 - a = 4 R^2.
    const double exponent = -4 * r * r / (std::sqrt(1 + 4 * n + 4 * (n - r) * (n + r)) + 1 + 2 * n);
    return std::min(1.0, std::exp(exponent));
}

WatsonTest watson_two_sample(const HourCounts& first, const HourCounts& second) {
    WatsonTest test;
    double n1 = 0;
    double n2 = 0;
    for (std::size_t hour = 0; hour < 24; ++hour) {
        n1 += static_cast<double>(first[hour]);
        n2 += static_cast<double>(second[hour]);
    }
    if (n1 == 0 || n2 == 0) return test;
    const double n = n1 + n2;
    double sum1 = 0;
    double sum2 = 0;
    double mean = 0;
    double square = 0;
    for (std::size_t hour = 0; hour < 24; ++hour) {
        sum1 += static_cast<double>(first[hour]);
        sum2 += static_cast<double>(second[hour]);
        const double difference = sum1 / n1 - sum2 / n2;
        const double tied = static_cast<double>(first[hour] + second[hour]);
        mean += tied * difference;
        square += tied * difference * difference;
    }
    test.u2 = std::max(0.0, n1 * n2 / (n * n) * (square - mean * mean / n));
    double sum = 0;
    for (int k = 1; k <= 40; ++k) {
        const double term = std::exp(-2.0 * k * k * pi * pi * test.u2);
        sum += k % 2 == 1 ? term : -term;
    }
    // Forty terms are enough from here on; below, the p-value is 1 to the last digit.
    test.p = test.u2 < 0.002 ? 1 : std::clamp(2 * sum, 0.0, 1.0);
    return test;
}

}  // namespace unveil
