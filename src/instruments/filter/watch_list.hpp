// Which rules should be asked for again first? Those of which a change would be found soonest, by what the logs say of all rules.
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
    double gain_days = 0;             // expected days by which a change is found sooner when it is asked for now
};

/// Every rule that was certified in some context, in every context in which its state is known, in the order of WatchSchedule::rank().
std::vector<WatchedRule> watch_list(const FilterLog& log, double confidence, std::int64_t now_us);

}  // namespace unveil::filter
