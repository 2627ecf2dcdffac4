#include "instruments/coordination/co_actions.hpp"

#include <array>
#include <utility>

#include "core/error.hpp"

namespace unveil::coordination {

CoActionFinder::CoActionFinder(std::span<const Row> rows, std::uint32_t accounts, const PairRules& rules)
    : m_rows(rows), m_rules(rules), m_account_begins(accounts + std::size_t{1}, 0), m_account_rows(rows.size()) {
    if (rows.size() >= 0xffffffff)
        throw Error(ErrorKind::run, "more than 4,294,967,294 rows in one trace and bucket",
                    "Lower --memory-limit so that rows are kept on disk in buckets");
    for (const Row& row : rows) ++m_account_begins[row.account];
    std::uint32_t sum = 0;
    for (auto& begin : m_account_begins) sum += std::exchange(begin, sum);
    // Each begin moves to its end while filling, which is the next account's begin; shifted back afterwards.
    for (std::uint32_t i = 0; i < rows.size(); ++i) m_account_rows[m_account_begins[rows[i].account]++] = i;
    std::copy_backward(m_account_begins.begin(), m_account_begins.end() - 1, m_account_begins.end());
    m_account_begins.front() = 0;

    constexpr std::uint32_t rows_per_part = 1 << 14;
    m_part_begins.push_back(0);
    std::uint32_t part_first_row = 0;
    for (std::uint32_t account = 1; account < accounts; ++account) {
        if (m_account_begins[account] - part_first_row < rows_per_part) continue;
        m_part_begins.push_back(account);
        part_first_row = m_account_begins[account];
    }
    m_part_begins.push_back(accounts);
}

void CoActionFinder::look_around(std::uint32_t mine, std::vector<std::uint64_t>& keys, std::vector<Met>& met) const {
    const Row row = m_rows[mine];
    const auto meet = [&](std::uint32_t theirs) {
        const Row& other = m_rows[theirs];
        // Every undirected pair is met from both ends; only the smaller account's end counts. A pair of rows of one
        // account is met twice as well and counts from its earlier row.
        if (!m_rules.is_directed && (other.account < row.account || (other.account == row.account && theirs < mine)))
            return;
        if (!may_pair(m_rules, row, other)) return;
        if (met.size() == account_pairs_max)
            throw Error(ErrorKind::run, "one account alone makes more than 134,217,728 pairs of posts",
                        "Use a narrower --window or a smaller --viral-pairs-max");
        keys.push_back((std::uint64_t{other.account} << 32) | met.size());
        met.push_back({mine, theirs});
    };
    for (std::uint32_t left = mine; left-- > 0;) {
        const Row& other = m_rows[left];
        if (other.object != row.object || row.time_us - other.time_us > m_rules.window_us) break;
        meet(left);
    }
    for (std::uint32_t right = mine + 1; right < m_rows.size(); ++right) {
        const Row& other = m_rows[right];
        if (other.object != row.object || other.time_us - row.time_us > m_rules.window_us) break;
        meet(right);
    }
}

CoAction CoActionFinder::co_action(const Met& met) const {
    const Row& mine = m_rows[met.mine];
    const Row& theirs = m_rows[met.theirs];
    return {mine.object,  mine.post,      theirs.post, mine.time_us, theirs.time_us - mine.time_us, met.mine < met.theirs,
            mine.content, theirs.content};
}

void CoActionFinder::sort_keys(std::vector<std::uint64_t>& keys, std::vector<std::uint64_t>& spare) {
    constexpr std::size_t radix_worthwhile = 512;
    if (keys.size() < radix_worthwhile) {
        std::sort(keys.begin(), keys.end());
        return;
    }
    // The lower halves ascend already, so a stable radix sort of the upper halves is enough.
    std::uint64_t all_bits = 0;
    for (const auto key : keys) all_bits |= key;
    spare.resize(keys.size());
    for (unsigned shift = 32; shift < 64 && (all_bits >> shift) != 0; shift += 11) {
        std::array<std::uint32_t, 2048> begins{};
        for (const auto key : keys) ++begins[(key >> shift) & 2047];
        std::uint32_t sum = 0;
        for (auto& begin : begins) sum += std::exchange(begin, sum);
        for (const auto key : keys) spare[begins[(key >> shift) & 2047]++] = key;
        keys.swap(spare);
    }
}

std::uint64_t count_all_pairs(std::span<const Row> object_rows, std::int64_t window_us) {
    std::uint64_t pairs = 0;
    for (std::size_t left = 0, right = 0; right < object_rows.size(); ++right) {
        while (object_rows[right].time_us - object_rows[left].time_us > window_us) ++left;
        pairs += right - left;
    }
    return pairs;
}

std::uint64_t count_pairs(std::span<const Row> object_rows, std::int64_t window_us) {
    std::vector<Row> by_account(object_rows.begin(), object_rows.end());
    std::stable_sort(by_account.begin(), by_account.end(),
                     [](const Row& x, const Row& y) { return x.account < y.account; });
    std::uint64_t same_account = 0;
    for (std::size_t begin = 0; begin < by_account.size();) {
        std::size_t end = begin;
        while (end < by_account.size() && by_account[end].account == by_account[begin].account) ++end;
        same_account += count_all_pairs(std::span(by_account).subspan(begin, end - begin), window_us);
        begin = end;
    }
    return count_all_pairs(object_rows, window_us) - same_account;
}

}  // namespace unveil::coordination
