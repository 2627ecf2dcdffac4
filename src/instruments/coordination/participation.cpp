#include "instruments/coordination/participation.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "core/hash.hpp"

namespace unveil::coordination {
namespace {

/// A set of 64-bit keys by open addressing, each with one mark.
class KeySet {
  public:
    KeySet() : m_slots(1 << 12, empty), m_marks(m_slots.size(), 0) {}

    void insert(std::uint64_t key) {
        const std::size_t slot = find(key);
        if (m_slots[slot] == key) return;
        m_slots[slot] = key;
        if (++m_size * 5 > m_slots.size() * 3) grow();
    }
    bool contains(std::uint64_t key) const { return m_slots[find(key)] == key; }
    void mark(std::uint64_t key) { m_marks[find(key)] = 1; }
    bool is_marked(std::uint64_t key) const {
        const std::size_t slot = find(key);
        return m_slots[slot] == key && m_marks[slot] != 0;
    }
    void prefetch(std::uint64_t key) const { __builtin_prefetch(&m_slots[first_slot(key)]); }

  private:
    static constexpr std::uint64_t empty = content_key_none;

    std::size_t first_slot(std::uint64_t key) const {
        return hash_bytes({reinterpret_cast<const char*>(&key), sizeof key}) & (m_slots.size() - 1);
    }
    std::size_t find(std::uint64_t key) const {
        std::size_t slot = first_slot(key);
        while (m_slots[slot] != empty && m_slots[slot] != key) slot = (slot + 1) & (m_slots.size() - 1);
        return slot;
    }
    void grow() {
        std::vector<std::uint64_t> old(m_slots.size() * 2, empty);
        old.swap(m_slots);
        m_marks.assign(m_slots.size(), 0);
        for (const auto key : old)
            if (key != empty) m_slots[find(key)] = key;
    }

    std::vector<std::uint64_t> m_slots;
    std::vector<std::uint8_t> m_marks;
    std::size_t m_size = 0;
};

template <typename Use>
void for_each_object(std::span<const Row> rows, const Use& use) {
    for (std::size_t begin = 0; begin < rows.size();) {
        std::size_t end = begin;
        while (end < rows.size() && rows[end].object == rows[begin].object) ++end;
        use(begin, end);
        begin = end;
    }
}

/// The most pairs that any one account has among an object's ordered rows. O(k log k).
std::uint64_t pairs_of_busiest_account(std::span<const Row> rows, std::int64_t window_us) {
    std::vector<std::pair<std::uint32_t, std::uint64_t>> met(rows.size());
    std::size_t left = 0;
    std::size_t right = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        while (rows[i].time_us - rows[left].time_us > window_us) ++left;
        while (right + 1 < rows.size() && rows[right + 1].time_us - rows[i].time_us <= window_us) ++right;
        met[i] = {rows[i].account, right - left};
    }
    std::sort(met.begin(), met.end());
    std::uint64_t most = 0;
    for (std::size_t begin = 0; begin < met.size();) {
        std::uint64_t sum = 0;
        std::size_t end = begin;
        for (; end < met.size() && met[end].first == met[begin].first; ++end) sum += met[end].second;
        most = std::max(most, sum);
        begin = end;
    }
    return most;
}

bool is_too_viral(std::span<const Row> rows, std::int64_t window_us, std::uint64_t pairs_max) {
    const std::uint64_t pairs = count_all_pairs(rows, window_us);
    return pairs > pairs_max ||
           (pairs > busiest_pairs_max && pairs_of_busiest_account(rows, window_us) > busiest_pairs_max);
}

ExcludedObject describe_excluded(std::span<const Row> rows, std::int64_t window_us) {
    std::vector<std::uint32_t> accounts;
    for (const Row& row : rows) accounts.push_back(row.account);
    std::sort(accounts.begin(), accounts.end());
    const auto different = std::unique(accounts.begin(), accounts.end()) - accounts.begin();
    return {rows[0].object, rows.size(), static_cast<std::uint64_t>(different), count_pairs(rows, window_us),
            count_all_pairs(rows, window_us)};
}

}  // namespace

FilterResult filter_rows(RowStore& rows, std::uint32_t accounts, const FilterRules& rules, const PairRules& pair_rules) {
    FilterResult result;
    result.rows_of_account.assign(accounts, 0);
    rows.for_each_bucket([&](std::vector<Row>& bucket) {
        std::size_t kept = 0;
        for (std::size_t i = 0; i < bucket.size(); ++i) {
            const Row& row = bucket[i];
            if (rules.drop_repeats && kept > 0) {
                const Row& last = bucket[kept - 1];
                if (last.object == row.object && last.time_us == row.time_us && last.account == row.account &&
                    last.content == row.content) {
                    ++result.repeats;
                    continue;
                }
            }
            ++result.rows_of_account[row.account];
            bucket[kept++] = row;
        }
        const bool is_changed = kept != bucket.size();
        bucket.resize(kept);
        return is_changed ? RowStore::Change::rows : RowStore::Change::none;
    });
    rows.for_each_bucket([&](std::vector<Row>& bucket) {
        std::size_t kept = 0;
        for (const Row& row : bucket)
            if (result.rows_of_account[row.account] >= rules.participation_min) bucket[kept++] = row;
        result.rows_of_inactive_accounts += bucket.size() - kept;
        bool is_changed = kept != bucket.size();
        bucket.resize(kept);
        if (rules.viral_pairs_max > 0) {
            kept = 0;
            for_each_object(bucket, [&](std::size_t begin, std::size_t end) {
                const auto object_rows = std::span<const Row>(bucket).subspan(begin, end - begin);
                // Pairs of one account with itself make no edge but cost the same to meet, so they count against the limit.
                if (is_too_viral(object_rows, pair_rules.window_us, rules.viral_pairs_max)) {
                    result.excluded.push_back(describe_excluded(object_rows, pair_rules.window_us));
                    return;
                }
                if (kept != begin)
                    std::copy(bucket.begin() + static_cast<std::ptrdiff_t>(begin),
                              bucket.begin() + static_cast<std::ptrdiff_t>(end),
                              bucket.begin() + static_cast<std::ptrdiff_t>(kept));
                kept += end - begin;
            });
            is_changed |= kept != bucket.size();
            bucket.resize(kept);
        }
        result.rows += bucket.size();
        return is_changed ? RowStore::Change::rows : RowStore::Change::none;
    });
    for (auto& count : result.rows_of_account) {
        if (count < rules.participation_min) count = 0;
        result.accounts_active += count > 0;
    }
    return result;
}

void flag_repeated_participation(RowStore& rows, std::uint32_t accounts, std::uint64_t participation_min,
                                 const PairRules& pair_rules) {
    PairRules any_pair = pair_rules;
    any_pair.filter_pairs = false;
    KeySet in_pairs;
    rows.for_each_bucket([&](std::vector<Row>& bucket) {
        const auto has_partner = [&](std::size_t i) {
            const Row& row = bucket[i];
            for (std::size_t left = i; left-- > 0;) {
                if (bucket[left].object != row.object || row.time_us - bucket[left].time_us > any_pair.window_us) break;
                if (may_pair(any_pair, bucket[left], row)) return true;
            }
            for (std::size_t right = i + 1; right < bucket.size(); ++right) {
                if (bucket[right].object != row.object || bucket[right].time_us - row.time_us > any_pair.window_us) break;
                if (may_pair(any_pair, row, bucket[right])) return true;
            }
            return false;
        };
        for (std::size_t i = 0; i < bucket.size(); ++i)
            if (has_partner(i)) in_pairs.insert(bucket[i].content);
        return RowStore::Change::none;
    });

    constexpr std::size_t rows_ahead = 16;
    std::vector<std::uint32_t> rows_in_pairs(accounts, 0);
    const auto for_each_in_pairs = [&](std::vector<Row>& bucket, const auto& use) {
        for (std::size_t i = 0; i < bucket.size(); ++i) {
            if (i + rows_ahead < bucket.size()) in_pairs.prefetch(bucket[i + rows_ahead].content);
            if (in_pairs.contains(bucket[i].content)) use(bucket[i]);
        }
    };
    rows.for_each_bucket([&](std::vector<Row>& bucket) {
        for_each_in_pairs(bucket, [&](const Row& row) { ++rows_in_pairs[row.account]; });
        return RowStore::Change::none;
    });
    rows.for_each_bucket([&](std::vector<Row>& bucket) {
        for_each_in_pairs(bucket, [&](const Row& row) {
            if (rows_in_pairs[row.account] >= participation_min) in_pairs.mark(row.content);
        });
        return RowStore::Change::none;
    });
    rows.for_each_bucket([&](std::vector<Row>& bucket) {
        for (std::size_t i = 0; i < bucket.size(); ++i) {
            if (i + rows_ahead < bucket.size()) in_pairs.prefetch(bucket[i + rows_ahead].content);
            if (in_pairs.is_marked(bucket[i].content)) bucket[i].flags |= flag_keeps_pairs;
        }
        return RowStore::Change::rows;
    });
}

}  // namespace unveil::coordination
