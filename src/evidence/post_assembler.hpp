// Turns one row of cells into a post of the batch, or into a count in the tally that says why it could not be
// one. All table readers share it: whatever a row is made of, it is asked for a column's text, or for its
// list items.
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/tally.hpp"
#include "evidence/cell.hpp"
#include "evidence/table_format.hpp"
#include "evidence/time_tracker.hpp"
#include "table/post.hpp"

namespace unveil {

class PostAssembler {
  public:
    PostAssembler(TableMapping mapping, const EvidenceLimits& limits);

    const TableMapping& mapping() const { return m_mapping; }
    /// Fields beyond account, content and time are filled only when asked for.
    void want(PostFields fields);
    /// Every view given out before dies here.
    void start_batch(PostBatch& batch, std::uint32_t evidence);
    TextArena& arena() { return m_arena; }

    /// `cells` has text(column) -> string_view, which must live as long as the batch, and list(column, items)
    /// -> bool, true when the cell was a list already. Returns the reason when the row is no post, else
    /// nullptr.
    template <typename Cells>
    const char* add(PostBatch& batch, std::uint64_t row, const Cells& cells);

    void finish(SourceReport& report, Tally& tally) const;

  private:
    struct PlainColumn {
        std::size_t column;
        std::vector<std::string_view> PostBatch::*target;
        CellKind kind;
        bool is_text;
    };
    struct ListColumnUse {
        std::size_t column;
        ListColumn PostBatch::*target;
        ListStyle style;
        bool strips_hash;
    };
    /// Cells that say nothing understood, while the post itself is kept. Their text is not: a wrong --columns would
    /// put messages into a note.
    struct BadCells {
        std::uint64_t count = 0;
        std::uint64_t first_row = 0;
    };
    template <typename Value>
    struct NumberColumn {
        PostField field;
        std::size_t column;
        std::vector<Value> PostBatch::*target;
    };
    using CountColumn = NumberColumn<std::uint64_t>;
    using TimeColumn = NumberColumn<std::int64_t>;

    /// Ten digits, as most large tables have it; everything else is parsed with care.
    static bool parse_ten_digits(const char* text, std::int64_t& seconds);
    std::optional<std::int64_t> parse_time(std::string_view cell, std::string_view content);
    std::string_view reference(std::string_view cell) const;
    std::uint64_t count_of(PostField field, std::string_view cell, std::uint64_t row);
    std::int64_t other_time_of(PostField field, std::string_view cell, std::uint64_t row);
    void mark_bad(PostField field, std::uint64_t row);
    void add_list(ListColumn& target, const ListColumnUse& use, std::string_view cell);
    void finish_list(ListColumn& target, std::size_t begin, const ListColumnUse& use);
    void look_at_text(std::string_view text);
    std::string_view row_id(std::uint64_t row);

    TableMapping m_mapping;
    EvidenceLimits m_limits;
    TextArena m_arena;
    TimeTracker m_times;
    std::size_t m_account_column = 0;
    std::size_t m_time_column = 0;
    std::optional<std::size_t> m_content_column;
    std::optional<std::size_t> m_flag_column;
    std::vector<PlainColumn> m_plain;
    std::vector<ListColumnUse> m_lists;
    std::vector<CountColumn> m_counts;
    std::vector<TimeColumn> m_other_times;
    std::map<PostField, BadCells> m_bad_cells;
    std::uint32_t m_evidence = 0;  // input of the batch in work
    std::uint64_t m_times_recovered = 0;
    std::uint64_t m_times_disagreeing = 0;
    std::uint64_t m_times_too_old = 0;
    std::uint64_t m_texts_invalid = 0;
    std::uint64_t m_lists_cut = 0;
    bool m_is_twitter = false;
};

inline bool PostAssembler::parse_ten_digits(const char* text, std::int64_t& seconds) {
    std::uint64_t eight;
    std::memcpy(&eight, text, 8);
    const auto ninth = static_cast<unsigned>(text[8] - '0');
    const auto tenth = static_cast<unsigned>(text[9] - '0');
    constexpr std::uint64_t high_halves = 0xF0F0F0F0F0F0F0F0;
    constexpr std::uint64_t zeros = 0x3030303030303030;
    if ((eight & high_halves) != zeros || ((eight + 0x0606060606060606) & high_halves) != zeros ||
        ninth > 9 || tenth > 9)
        return false;
    // Pairs, then fours, then eights (little endian), as in simdjson's parse_eight_digits_unrolled.
    eight -= zeros;
    eight = eight * 10 + (eight >> 8);
    eight = (((eight & 0x000000FF000000FF) * 0x000F424000000064) +
             (((eight >> 16) & 0x000000FF000000FF) * 0x0000271000000001)) >>
            32;
    seconds = static_cast<std::int64_t>((eight & 0xFFFFFFFF) * 100 + ninth * 10 + tenth);
    return true;
}

template <typename Cells>
const char* PostAssembler::add(PostBatch& batch, std::uint64_t row, const Cells& cells) {
    const std::string_view account = cells.text(m_account_column);
    if (account.empty()) return "empty account";
    std::string_view content;
    if (m_content_column) {
        content = cells.text(*m_content_column);
        if (content.empty()) return "empty content id";
    }
    const std::string_view time_cell = cells.text(m_time_column);
    std::int64_t time_us = 0;
    if (std::int64_t seconds;
        !m_is_twitter && time_cell.size() == 10 && parse_ten_digits(time_cell.data(), seconds)) {
        time_us = seconds * 1'000'000;
        m_times.add_spelling(TimeSpelling::second);
    } else {
        const auto parsed = parse_time(time_cell, content);
        if (!parsed) return "time not understood";
        time_us = *parsed;
    }
    m_times.add(time_us);
    if (!m_content_column) content = row_id(row);

    batch.row.push_back(row);
    batch.time_us.push_back(time_us);
    batch.account.push_back(account);
    batch.content.push_back(content);
    for (const auto& use : m_plain) {
        std::string_view cell = cells.text(use.column);
        if (use.kind == CellKind::reference) cell = reference(cell);
        if (use.kind == CellKind::word && is_nothing(cell)) cell = {};
        if (use.is_text) look_at_text(cell);
        (batch.*use.target).push_back(cell);
    }
    for (const auto& use : m_lists) {
        ListColumn& target = batch.*use.target;
        const auto begin = target.items.size();
        if (!cells.list(use.column, target.items)) add_list(target, use, cells.text(use.column));
        finish_list(target, begin, use);
    }
    if (m_flag_column) batch.is_repost.push_back(is_true(cells.text(*m_flag_column)) ? 1 : 0);
    for (const auto& use : m_counts) (batch.*use.target).push_back(count_of(use.field, cells.text(use.column), row));
    for (const auto& use : m_other_times)
        (batch.*use.target).push_back(other_time_of(use.field, cells.text(use.column), row));
    return nullptr;
}

}  // namespace unveil
