// Which rows count: exact repeats, accounts that do too little, objects too viral to enumerate, and CooRTweet's second
// filter. All of it is counted; nothing is left out silently.
#pragma once

#include <cstdint>
#include <vector>

#include "instruments/coordination/co_actions.hpp"
#include "instruments/coordination/row_store.hpp"

namespace unveil::coordination {

struct ExcludedObject {
    std::uint32_t object;
    std::uint64_t rows;
    std::uint64_t accounts;
    std::uint64_t pairs;      // of different accounts, exact, within the widest window
    std::uint64_t pairs_any;  // with those of one account with itself
};

/// All pairs of one account are held in memory at once, at about 120 bytes each: an object on which one account alone has
/// more than this many is as good as viral, unless there is no limit at all.
constexpr std::uint64_t busiest_pairs_max = 4'000'000;

struct FilterRules {
    std::uint64_t participation_min = 1;  // rows of an account in the trace
    bool drop_repeats = true;             // rows that are equal in object, account, content and time
    std::uint64_t viral_pairs_max = 0;    // pairs of rows within the widest window, whoever's; 0: no limit
};

struct FilterResult {
    std::uint64_t repeats = 0;
    std::uint64_t rows_of_inactive_accounts = 0;
    std::uint64_t accounts_active = 0;
    std::uint64_t rows = 0;                        // left
    std::vector<ExcludedObject> excluded;          // by pairs, then by object number
    std::vector<std::uint32_t> rows_of_account;    // account rank -> rows after repeats were dropped; 0 when inactive
};

/// Filters ordered rows in place.
FilterResult filter_rows(RowStore& rows, std::uint32_t accounts, const FilterRules& rules, const PairRules& pair_rules);

/// CooRTweet's second filter (detect_groups, "post-filter"): with S the contents in any pair, an account passes when at
/// least `participation_min` of its rows have contents in S; the contents in S of passing accounts carry
/// flag_keeps_pairs afterwards. 16 bytes of memory for each content in S.
void flag_repeated_participation(RowStore& rows, std::uint32_t accounts, std::uint64_t participation_min,
                                 const PairRules& pair_rules);

}  // namespace unveil::coordination
