// Which rules should be asked for again first? Those that have most likely changed since they were last asked for, by how often rules
// changed so far.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "instruments/filter/filter_log.hpp"

namespace unveil::filter {

struct WatchedRule {
    std::string notation;
    std::vector<std::string> components;
    std::string context;
    bool is_blocked = false;          // as far as is known now
    std::int64_t last_us = 0;         // when it was last asked for
    std::uint32_t changes = 0;
    double hazard_per_day = 0;        // of a change
    double changed = 0;               // probability that it is not any more what it was
};

/// Every rule that was certified in some context, in every context in which its state is known, most likely changed first. The hazard of a rule
/// is the mean of a gamma posterior: (changes + 1) / (days watched + days for one change on average over all rules), with the
/// average itself (all changes + 1/2) / all days. A rule that changes back and forth at rate h is another one after d days with probability (1 -
/// exp(-2 h d)) / 2. O(rules log rules).
std::vector<WatchedRule> watch_list(const FilterLog& log, double confidence, std::int64_t now_us);

}  // namespace unveil::filter
