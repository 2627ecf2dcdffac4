// How likely are so many hits, or more, by chance alone?
#pragma once

#include <cstdint>

namespace unveil {

/// P(X >= hits) for X ~ binomial(trials, probability): Abramowitz & Stegun, Handbook of Mathematical Functions, 26.5.24. probability in [0, 1]; more hits
/// than trials have no chance. Steps as incomplete_beta.
double binomial_tail(std::uint64_t hits, std::uint64_t trials, double probability);

}  // namespace unveil
