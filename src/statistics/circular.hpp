// At which hours of the day do things happen, and is there a preferred hour at all? Directional statistics on the
// 24-hour clock, on which 23 h and 1 h are neighbours. All tests take the events to be independent; the posts of one
// account are not.
#pragma once

#include <array>
#include <cstdint>

namespace unveil {

using HourCounts = std::array<std::uint64_t, 24>;

struct CircularMean {
    std::uint64_t events = 0;
    double hour = 0;              // in [0, 24); meaningless when the length is 0
    double resultant_length = 0;  // 0: no preferred hour; 1: all at the same
};

/// Mardia and Jupp, Directional Statistics (2000), section 2.2.1, hours taken at their middle. The same to the last bit
/// on every machine: only sums, products, quotients and square roots.
CircularMean circular_mean(const HourCounts& counts);

/// Rayleigh's test against an even spread over the circle, which sees a single preferred direction only (Mardia and
/// Jupp, section 6.3.1). P-value by Zar's approximation, Biostatistical Analysis, 4th ed. (1999), formula 27.4:
/// exp(sqrt(1 + 4n + 4(n^2 - R^2)) - (1 + 2n)) with R = n x resultant length. 1 without events.
double rayleigh_p(const CircularMean& mean);

struct WatsonTest {
    double u2 = 0;
    double p = 1;
};

/// Watson's two-sample U^2 (Biometrika 49 (1962) 57) with ties as in Zar, section 27.6: do two profiles differ, in
/// whatever way and wherever the day begins? P-value by the first terms of the limit 2 sum (-1)^(k-1)
/// exp(-2 k^2 pi^2 U^2). Ties of hours make it a little too large. 1 when either is empty.
WatsonTest watson_two_sample(const HourCounts& first, const HourCounts& second);

}  // namespace unveil
