// Finds every pair of rows that point at the same object within a window, account by account, so that all co-actions of
// one pair of accounts come out together and no list of all pairs ever exists.
//
// The rows stand object by object in time order. For account a, each of its rows looks left and right along its object
// until the window ends; what it meets is grouped by partner. This is row-by-row sparse matrix multiplication
// (Gustavson, ACM TOMS 4(3), 1978) with the window as a band. O(rows + p log(pairs of one account))
// time, where p counts every two rows of one object within the window twice, those of one account included; 4 bytes a row
// and about 120 bytes a pair of the account in work.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "instruments/coordination/edges.hpp"
#include "instruments/coordination/row_store.hpp"

namespace unveil::coordination {

struct PairRules {
    std::int64_t window_us = 0;     // inclusive
    bool is_directed = false;       // every ordered pair of accounts (QUT) instead of a < b
    bool keep_loops = false;        // an account with itself
    bool keep_same_content = false; // a post with itself on the same object (CooRTweet without loop removal)
    bool use_flags = false;         // heed flag_own_object (unless keep_loops) and flag_keeps_pairs
    bool filter_pairs = false;      // with use_flags: one of the two rows must carry flag_keeps_pairs
};

/// Whether two rows on the same object within the window make a pair, whoever came first.
inline bool may_pair(const PairRules& rules, const Row& p, const Row& q) {
    if (p.account == q.account && !rules.keep_loops) return false;
    if (p.content == q.content && !rules.keep_same_content) return false;
    if (!rules.use_flags) return true;
    const std::uint32_t flags = p.flags | q.flags;
    if ((flags & flag_own_object) != 0 && !rules.keep_loops) return false;
    return !rules.filter_pairs || (flags & flag_keeps_pairs) != 0;
}

class CoActionFinder {
  public:
    /// `rows` must be ordered and outlive the finder; `accounts` is one more than the largest account in them.
    CoActionFinder(std::span<const Row> rows, std::uint32_t accounts, const PairRules& rules);

    /// Splits the accounts into parts of about equal work, the same for any number of threads.
    std::size_t parts() const { return m_part_begins.size() - 1; }

    /// For each pair of accounts (a, b) of the part in ascending order: when it has one co-action only, first asks
    /// `single_needed(a, b, delay_us)`; calls visit(a, b, span of CoActions) unless that said no. Parts may run in parallel.
    template <typename SingleNeeded, typename Visit>
    void for_each_pair(std::size_t part, const SingleNeeded& single_needed, const Visit& visit) const;

  private:
    // Positions in `met` must fit half a key, and memory; see busiest_pairs_max.
    static constexpr std::size_t account_pairs_max = std::size_t{1} << 27;

    struct Met {
        std::uint32_t mine;
        std::uint32_t theirs;
    };
    /// Appends partner keys and row pairs of the account's row `mine`.
    void look_around(std::uint32_t mine, std::vector<std::uint64_t>& keys, std::vector<Met>& met) const;
    CoAction co_action(const Met& met) const;
    static void sort_keys(std::vector<std::uint64_t>& keys, std::vector<std::uint64_t>& spare);

    std::span<const Row> m_rows;
    PairRules m_rules;
    std::vector<std::uint32_t> m_account_begins;  // into m_account_rows
    std::vector<std::uint32_t> m_account_rows;    // rows of each account in row order
    std::vector<std::uint32_t> m_part_begins;     // accounts
};

/// How many pairs of rows, of whichever accounts, lie within the window among one object's ordered rows. O(k).
std::uint64_t count_all_pairs(std::span<const Row> object_rows, std::int64_t window_us);
/// How many pairs of rows of different accounts lie within the window among one object's ordered rows: the exact count
/// without visiting the pairs. O(k log k).
std::uint64_t count_pairs(std::span<const Row> object_rows, std::int64_t window_us);

template <typename SingleNeeded, typename Visit>
void CoActionFinder::for_each_pair(std::size_t part, const SingleNeeded& single_needed, const Visit& visit) const {
    constexpr std::uint32_t rows_ahead = 12;
    std::vector<std::uint64_t> keys;
    std::vector<std::uint64_t> spare;
    std::vector<Met> met;
    std::vector<CoAction> actions;
    for (std::uint32_t a = m_part_begins[part]; a < m_part_begins[part + 1]; ++a) {
        keys.clear();
        met.clear();
        for (std::uint32_t i = m_account_begins[a]; i < m_account_begins[a + 1]; ++i) {
            // The list runs on into the next account's rows, which are wanted next.
            if (i + rows_ahead < m_account_rows.size()) __builtin_prefetch(&m_rows[m_account_rows[i + rows_ahead]]);
            look_around(m_account_rows[i], keys, met);
        }
        if (keys.empty()) continue;
        sort_keys(keys, spare);
        for (std::size_t begin = 0; begin < keys.size();) {
            const auto b = static_cast<std::uint32_t>(keys[begin] >> 32);
            std::size_t end = begin + 1;
            while (end < keys.size() && static_cast<std::uint32_t>(keys[end] >> 32) == b) ++end;
            const Met& first = met[static_cast<std::uint32_t>(keys[begin])];
            if (end - begin > 1 || single_needed(a, b, m_rows[first.theirs].time_us - m_rows[first.mine].time_us)) {
                actions.clear();
                for (; begin < end; ++begin) actions.push_back(co_action(met[static_cast<std::uint32_t>(keys[begin])]));
                visit(a, b, std::span<const CoAction>(actions));
            }
            begin = end;
        }
    }
}

}  // namespace unveil::coordination
