// Holds the rows of one trace, each saying that an account pointed at an object at a time, and hands them back object by
// object in time order. In memory while they fit, else on disk in buckets that each hold whole objects.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "core/scratch.hpp"

namespace unveil::coordination {

struct Row {
    std::int64_t time_us;
    std::uint64_t content;  // content_key() of the post's id
    std::uint32_t object;
    std::uint32_t account;  // number of the dictionary while reading, rank in byte order once ordered
    std::uint32_t post;     // position of the post in the run's input, for locators and id strings
    std::uint32_t flags;
};
static_assert(sizeof(Row) == 32);

constexpr std::uint32_t flag_own_object = 1;   // the object's id is the post's own id
constexpr std::uint32_t flag_keeps_pairs = 2;  // CooRTweet's second participation filter passed

/// Ids that are plain decimal numbers below 2^63 are their own key, so they can never be confused; all others get a
/// 63-bit hash with the top bit set. Two of n such ids collide by accident with probability n^2 / 2^64.
std::uint64_t content_key(std::string_view id);
/// Whether the key is the id itself, a plain decimal number.
constexpr bool is_number_key(std::uint64_t key) { return key < std::uint64_t{1} << 63; }
constexpr std::uint64_t content_key_none = ~std::uint64_t{0};  // never a key

class RowStore {
  public:
    explicit RowStore(const Scratch& scratch) : m_scratch(scratch) {}

    void add(const Row& row) {
        if (m_used_in_chunk == chunk_rows) next_chunk();
        m_chunks.back()[m_used_in_chunk++] = row;
        ++m_rows;
    }
    std::uint64_t rows() const { return m_rows; }
    /// What ordering the rows in memory will take at its peak.
    std::uint64_t memory_bytes() const { return m_is_spilled ? 0 : m_rows * sizeof(Row) * 2; }
    bool is_spilled() const { return m_is_spilled; }
    /// Moves all rows to disk; later ones follow in chunks.
    void spill();

    /// While adding: object -> number[object].
    void rename_objects(std::span<const std::uint32_t> number);

    using Less = std::function<bool(const Row&, const Row&)>;
    /// Ends adding. Rewrites accounts by `rank`, then sorts by object and, within it, by `less`, and passes every bucket
    /// through `work`. O(rows + sum k log k) for objects of k rows out of order.
    void order(const std::vector<std::uint32_t>& rank, std::uint32_t objects, const Less& less);

    enum class Change { none, rows };
    /// Calls work(rows) for every bucket in turn; rows that it changed or removed are kept so.
    void for_each_bucket(const std::function<Change(std::vector<Row>&)>& work);
    std::size_t buckets() const { return m_is_spilled ? buckets_spilled : 1; }

  private:
    static constexpr std::size_t chunk_rows = 1 << 16;
    static constexpr std::size_t buckets_spilled = 64;

    void next_chunk();
    void drain_chunks();

    Scratch m_scratch;
    std::vector<std::unique_ptr<Row[]>> m_chunks;
    std::size_t m_used_in_chunk = chunk_rows;
    std::uint64_t m_rows = 0;
    bool m_is_spilled = false;
    std::vector<ScratchFile> m_files;  // one a bucket
    std::vector<Row> m_ordered;        // the only bucket when not spilled
};

}  // namespace unveil::coordination
