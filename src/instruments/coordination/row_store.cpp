#include "instruments/coordination/row_store.hpp"

#include <algorithm>
#include <utility>

#include "core/hash.hpp"

namespace unveil::coordination {
namespace {

/// Counting sort by object / `divisor`, then each object's rows by `less` unless they already are in that order, as
/// they are in evidence sorted by time. `take` hands out the rows chunk by chunk, so that each can be freed once copied.
std::vector<Row> sorted_by_object(std::vector<std::uint64_t>& begins, std::uint64_t rows, std::uint32_t divisor,
                                  const std::function<std::span<const Row>()>& take, const RowStore::Less& less) {
    std::uint64_t sum = 0;
    for (auto& begin : begins) sum += std::exchange(begin, sum);
    std::vector<Row> ordered(rows);
    for (auto chunk = take(); !chunk.empty(); chunk = take())
        for (const Row& row : chunk) ordered[begins[row.object / divisor]++] = row;
    std::uint64_t begin = 0;
    for (const std::uint64_t end : begins) {
        const auto first = ordered.begin() + static_cast<std::ptrdiff_t>(begin);
        const auto last = ordered.begin() + static_cast<std::ptrdiff_t>(end);
        if (!std::is_sorted(first, last, less)) std::sort(first, last, less);
        begin = end;
    }
    return ordered;
}

}  // namespace

std::uint64_t content_key(std::string_view id) {
    if (!id.empty() && id.size() <= 18 + 1 && (id[0] != '0' || id.size() == 1)) {
        std::uint64_t value = 0;
        bool is_number = true;
        for (const char c : id) {
            const auto digit = static_cast<unsigned char>(c - '0');
            is_number &= digit <= 9;
            value = value * 10 + digit;
        }
        if (is_number && value < (std::uint64_t{1} << 63)) return value;
    }
    const std::uint64_t key = hash_bytes(id) | (std::uint64_t{1} << 63);
    return key == content_key_none ? key - 1 : key;
}

void RowStore::next_chunk() {
    if (m_is_spilled && m_chunks.size() == 1) drain_chunks();
    m_chunks.push_back(std::make_unique_for_overwrite<Row[]>(chunk_rows));
    m_used_in_chunk = 0;
}

void RowStore::drain_chunks() {
    for (std::size_t i = 0; i < m_chunks.size(); ++i) {
        const std::size_t count = i + 1 == m_chunks.size() ? m_used_in_chunk : chunk_rows;
        for (std::size_t k = 0; k < count; ++k) {
            const Row& row = m_chunks[i][k];
            m_files[row.object % buckets_spilled].append(&row, sizeof(Row));
        }
        m_chunks[i].reset();
    }
    m_chunks.clear();
    m_used_in_chunk = chunk_rows;
}

void RowStore::spill() {
    if (m_is_spilled) return;
    m_is_spilled = true;
    for (std::size_t i = 0; i < buckets_spilled; ++i) m_files.emplace_back(m_scratch.folder);
    drain_chunks();
}

void RowStore::rename_objects(std::span<const std::uint32_t> number) {
    for (std::size_t i = 0; i < m_chunks.size(); ++i) {
        const std::size_t count = i + 1 == m_chunks.size() ? m_used_in_chunk : chunk_rows;
        for (std::size_t k = 0; k < count; ++k) m_chunks[i][k].object = number[m_chunks[i][k].object];
    }
    if (!m_is_spilled) return;
    // A renamed row may belong into another bucket.
    std::vector<ScratchFile> old = std::exchange(m_files, {});
    for (std::size_t i = 0; i < buckets_spilled; ++i) m_files.emplace_back(m_scratch.folder);
    constexpr std::size_t block_rows = 1 << 14;
    std::vector<Row> block(block_rows);
    for (auto& file : old) {
        file.flush();
        const std::uint64_t rows = file.size_bytes() / sizeof(Row);
        for (std::uint64_t begin = 0; begin < rows; begin += block_rows) {
            const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(block_rows, rows - begin));
            file.read_at(begin * sizeof(Row), block.data(), count * sizeof(Row));
            for (std::size_t k = 0; k < count; ++k) {
                block[k].object = number[block[k].object];
                m_files[block[k].object % buckets_spilled].append(&block[k], sizeof(Row));
            }
        }
    }
}

void RowStore::order(const std::vector<std::uint32_t>& rank, std::uint32_t objects, const Less& less) {
    if (!m_is_spilled) {
        std::vector<std::uint64_t> counts(objects, 0);
        for (std::size_t i = 0; i < m_chunks.size(); ++i) {
            const std::size_t count = i + 1 == m_chunks.size() ? m_used_in_chunk : chunk_rows;
            for (std::size_t k = 0; k < count; ++k) {
                Row& row = m_chunks[i][k];
                row.account = rank[row.account];
                ++counts[row.object];
            }
        }
        std::size_t next = 0;
        m_ordered = sorted_by_object(
            counts, m_rows, 1,
            [&]() -> std::span<const Row> {
                if (next > 0) m_chunks[next - 1].reset();
                if (next == m_chunks.size()) return {};
                const std::size_t count = next + 1 == m_chunks.size() ? m_used_in_chunk : chunk_rows;
                return {m_chunks[next++].get(), count};
            },
            less);
        m_chunks.clear();
        return;
    }
    drain_chunks();
    for (auto& file : m_files) file.flush();
    for_each_bucket([&](std::vector<Row>& rows) {
        std::vector<std::uint64_t> counts(objects / buckets_spilled + 1, 0);
        for (Row& row : rows) {
            row.account = rank[row.account];
            ++counts[row.object / buckets_spilled];
        }
        bool is_taken = false;
        rows = sorted_by_object(
            counts, rows.size(), buckets_spilled,
            [&]() -> std::span<const Row> {
                if (std::exchange(is_taken, true)) return {};
                return rows;
            },
            less);
        return Change::rows;
    });
}

void RowStore::for_each_bucket(const std::function<Change(std::vector<Row>&)>& work) {
    if (!m_is_spilled) {
        work(m_ordered);
        m_rows = m_ordered.size();
        return;
    }
    m_rows = 0;
    for (auto& file : m_files) {
        std::vector<Row> rows(file.size_bytes() / sizeof(Row));
        file.read_at(0, rows.data(), rows.size() * sizeof(Row));
        if (work(rows) == Change::rows) {
            ScratchFile rewritten(m_scratch.folder);
            rewritten.append(rows.data(), rows.size() * sizeof(Row));
            rewritten.flush();
            file = std::move(rewritten);
        }
        m_rows += rows.size();
    }
}

}  // namespace unveil::coordination
