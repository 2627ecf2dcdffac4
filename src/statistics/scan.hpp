// Do events bunch in time? Kulldorff's scan statistic on a line of days: the window in which there are most more
// events than expected, its p-value paid for having looked at all windows.
//
// The expectation is that of comparable others (accounts created on the same platform), or an even spread over the
// line when there are no others; the latter calls any growth of a platform a burst.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace unveil {

struct ScanRules {
    std::uint32_t window_days_max = 60;
    std::uint32_t bursts_max = 3;
    std::uint32_t runs = 999;
    std::uint64_t seed = 1;
    unsigned threads = 1;  // never changes a result
};

struct Burst {
    std::size_t first = 0;
    std::size_t last = 0;  // inclusive
    std::uint64_t cases = 0;
    double expected = 0;
    double log_ratio = 0;
    double p = 1;
};

/// Bernoulli model (Kulldorff, Commun. Stat. Theory Methods 26 (1997) 1481, section 3): `cases` and `others` by day,
/// windows of at most window_days_max days and half of all events, with two cases at least, that begin and end on days
/// with cases. P-value: the largest log-likelihood ratio when as many cases are drawn from all events.
/// Further bursts overlap none before and are tested against the same largest ratios, which makes their p-values
/// too large rather than too small. Cases are at most 2^32. O(runs x (cases log days + windows)).
std::vector<Burst> scan_against_others(std::span<const std::uint32_t> cases, std::span<const std::uint32_t> others,
                                       const ScanRules& rules = {});

/// The same against an even spread over all the days: Poisson model, given the number of cases (section 4).
std::vector<Burst> scan_against_even(std::span<const std::uint32_t> cases, const ScanRules& rules = {});

}  // namespace unveil
