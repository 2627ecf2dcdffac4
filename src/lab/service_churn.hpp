// When did rules come onto a list, and when did they leave it? Read from a table of changes, or from lists of which the dates are known.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/tally.hpp"
#include "lab/service.hpp"

namespace unveil {

struct ServiceChurn {
    std::vector<ServiceChange> changes;   // by time; those of one time as they stand in the file
    Tally tally;                          // rows
};

/// A table with the columns `time`, `change` (added, removed) and `rule`, and if wanted `context`; plain or packed. Rows of which one cannot be
/// understood are skipped. Throws Error(input) without the columns or beyond a million rows.
ServiceChurn read_service_churn(const std::string& path);

/// A list as it was from this time on, until the next one.
struct DatedList {
    std::int64_t time_us = 0;
    std::vector<std::string> rules;   // sorted, each once
};

/// What differs from each list to the next: removals, then additions, each in byte order. `lists` by time.
struct ListChange {
    std::int64_t time_us = 0;
    bool is_added = false;
    std::string rule;
};
std::vector<ListChange> changes_between(std::span<const DatedList> lists);

/// Lists that lose a fifth or more of the one before and are followed, within three days, by one that holds nine tenths of it again: the download
/// or the server failed, nobody changed the list. Takes them out and says how many there were. `lists` by time.
std::size_t take_out_failures(std::vector<DatedList>& lists);

}  // namespace unveil
