// Do things with a mark show a sign more often than things without, whatever the rate of the sign is?
#pragma once

#include <cstdint>

namespace unveil {

/// Fisher's exact test, one-sided (Fisher 1935, The logic of inductive inference, J. R. Stat. Soc. 98): the share of all ways to hand out the marks in
/// which as many of the marked or more show the sign, which is a permutation test over the marks with all permutations. `hits` of `trials` marked ones show
/// it, `other_hits` of `other_trials` others; hits are at most trials. 1 where there are no others. O(min(trials, hits + other_hits)).
double fisher_tail(std::uint64_t hits, std::uint64_t trials, std::uint64_t other_hits, std::uint64_t other_trials);

}  // namespace unveil
