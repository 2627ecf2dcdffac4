#include "evidence/post_assembler.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"
#include "core/time.hpp"

namespace unveil {
namespace {

std::vector<std::string_view> PostBatch::*plain_target(PostField field) {
    switch (field) {
        case PostField::object:
            return &PostBatch::object;
        case PostField::text:
            return &PostBatch::text;
        case PostField::repost_of:
            return &PostBatch::repost_of;
        case PostField::reply_to:
            return &PostBatch::reply_to;
        case PostField::quote_of:
            return &PostBatch::quote_of;
        case PostField::name:
            return &PostBatch::name;
        case PostField::language:
            return &PostBatch::language;
        case PostField::client:
            return &PostBatch::client;
        case PostField::repost_author:
            return &PostBatch::repost_author;
        case PostField::label:
            return &PostBatch::label;
        default:
            return nullptr;
    }
}

ListColumn PostBatch::*list_target(PostField field) {
    switch (field) {
        case PostField::urls:
            return &PostBatch::urls;
        case PostField::hashtags:
            return &PostBatch::hashtags;
        case PostField::mentions:
            return &PostBatch::mentions;
        case PostField::domains:
            return &PostBatch::domains;
        default:
            return nullptr;
    }
}

std::vector<std::uint64_t> PostBatch::*count_target(PostField field) {
    switch (field) {
        case PostField::reposts_received:
            return &PostBatch::reposts_received;
        case PostField::followers:
            return &PostBatch::followers;
        default:
            return nullptr;
    }
}

/// "9/1/2016 0:05", as the Clemson tables write it.
std::optional<std::int64_t> parse_us_date(std::string_view text) {
    int numbers[5] = {};
    constexpr std::string_view separators = "// :";
    std::size_t at = 0;
    for (int part = 0; part < 5; ++part) {
        std::size_t digits = 0;
        for (; at < text.size() && text[at] >= '0' && text[at] <= '9' && digits < 4; ++at, ++digits)
            numbers[part] = numbers[part] * 10 + (text[at] - '0');
        if (digits == 0) return {};
        if (part == 4) break;
        if (at == text.size() || text[at] != separators[static_cast<std::size_t>(part)]) return {};
        ++at;
    }
    if (at != text.size()) return {};
    return parse_time_us(fmt::format("{:04}-{:02}-{:02} {:02}:{:02}", numbers[2], numbers[0], numbers[1],
                                     numbers[3], numbers[4]));
}

}  // namespace

PostAssembler::PostAssembler(TableMapping mapping, const EvidenceLimits& limits)
    : m_mapping(std::move(mapping)), m_limits(limits), m_is_twitter(m_mapping.format->is_twitter) {
    const auto* account = m_mapping.find(PostField::account);
    const auto* time = m_mapping.find(PostField::time);
    UNVEIL_ASSERT(account && time);
    m_account_column = account->column;
    m_time_column = time->column;
    if (const auto* content = m_mapping.find(PostField::content)) m_content_column = content->column;
    want(m_mapping.fields);
}

void PostAssembler::want(PostFields fields) {
    m_plain.clear();
    m_lists.clear();
    m_counts.clear();
    m_other_times.clear();
    m_flag_column.reset();
    for (const auto& [field, kind, column] : m_mapping.mapped) {
        if (!contains(fields, field)) continue;
        if (const auto plain = plain_target(field))
            m_plain.push_back({column, plain, kind, field == PostField::text});
        else if (const auto list = list_target(field))
            m_lists.push_back({column, list, kind == CellKind::urls ? ListStyle::urls : ListStyle::words,
                               field == PostField::hashtags});
        else if (field == PostField::is_repost)
            m_flag_column = column;
        else if (const auto count = count_target(field))
            m_counts.push_back({field, column, count});
        else if (field == PostField::account_created)
            m_other_times.push_back({field, column, &PostBatch::account_created_us});
    }
}

void PostAssembler::start_batch(PostBatch& batch, std::uint32_t evidence) {
    m_evidence = evidence;
    batch.clear();
    batch.evidence = evidence;
    m_arena.clear();
}

std::optional<std::int64_t> PostAssembler::parse_time(std::string_view cell, std::string_view content) {
    auto column_time = parse_time_us(cell);
    if (!column_time) {
        cell = trimmed(cell);
        column_time = parse_time_us(cell);
    }
    if (!column_time) {
        column_time = parse_us_date(cell);
        if (!column_time) return {};
        m_times.add_spelling(TimeSpelling::minute);
        return column_time;
    }
    const auto spelling = time_spelling(cell);
    if (m_is_twitter) {
        const auto id_time = snowflake_time(content, *column_time, spelling);
        if (id_time.match == SnowflakeMatch::agrees && spelling != TimeSpelling::fraction) {
            ++m_times_recovered;
            m_times.add_spelling(TimeSpelling::fraction);
            return id_time.time_us;
        }
        m_times_disagreeing += id_time.match == SnowflakeMatch::disagrees;
        m_times_too_old += id_time.match == SnowflakeMatch::too_old;
    }
    m_times.add_spelling(spelling);
    return column_time;
}

std::string_view PostAssembler::reference(std::string_view cell) const {
    if (is_nothing(cell)) return {};
    if (m_is_twitter) {
        // Tables that went through a spreadsheet or pandas spell ids as floats.
        if (cell.ends_with(".0")) cell.remove_suffix(2);
        if (cell == "0") return {};
    }
    return cell;
}

void PostAssembler::mark_bad(PostField field, std::uint64_t row) {
    BadCells& bad = m_bad_cells[field];
    if (bad.count++ == 0) bad.first_row = row;
}

std::uint64_t PostAssembler::count_of(PostField field, std::string_view cell, std::uint64_t row) {
    const auto text = trimmed(cell);
    if (is_nothing(text)) return PostBatch::count_unknown;
    const auto count = parse_count(text, PostBatch::count_max);
    if (count) return *count;
    mark_bad(field, row);
    return PostBatch::count_unknown;
}

std::int64_t PostAssembler::other_time_of(PostField field, std::string_view cell, std::uint64_t row) {
    const auto text = trimmed(cell);
    if (is_nothing(text)) return PostBatch::time_unknown;
    auto time_us = parse_time_us(text);
    if (!time_us) time_us = parse_us_date(text);
    if (time_us) return *time_us;
    mark_bad(field, row);
    return PostBatch::time_unknown;
}

void PostAssembler::add_list(ListColumn& target, const ListColumnUse& use, std::string_view cell) {
    if (!split_list(cell, use.style, m_arena, m_limits.list_items_max, target.items)) ++m_lists_cut;
}

void PostAssembler::finish_list(ListColumn& target, std::size_t begin, const ListColumnUse& use) {
    if (target.items.size() - begin > m_limits.list_items_max) {
        target.items.resize(begin + m_limits.list_items_max);
        ++m_lists_cut;
    }
    if (use.strips_hash)
        for (auto i = begin; i < target.items.size(); ++i)
            if (target.items[i].size() > 1 && target.items[i].front() == '#')
                target.items[i].remove_prefix(1);
    target.ends.push_back(static_cast<std::uint32_t>(target.items.size()));
}

void PostAssembler::look_at_text(std::string_view text) {
    if (!simdjson::validate_utf8(text.data(), text.size())) ++m_texts_invalid;
}

std::string_view PostAssembler::row_id(std::uint64_t row) {
    char* const begin = m_arena.reserve(48);
    // Rows of two inputs must not look like one post.
    const auto* end = m_evidence == 0 ? fmt::format_to(begin, "row:{}", row)
                                      : fmt::format_to(begin, "input {} row:{}", m_evidence + 1, row);
    return m_arena.commit(begin, static_cast<std::size_t>(end - begin));
}

void PostAssembler::finish(SourceReport& report, Tally& tally) const {
    report.time_first_us = m_times.first_us();
    report.time_last_us = m_times.last_us();
    report.time_resolution = m_times.resolution();
    tally.note("time recovered from the post id (milliseconds)", m_times_recovered);
    tally.note("post id disagrees with the time column (time of the column kept)", m_times_disagreeing);
    tally.note("post id too old to carry a time (time of the column kept)", m_times_too_old);
    tally.note("text is not valid UTF-8 (kept as it is)", m_texts_invalid);
    tally.note("list cut at its largest length", m_lists_cut);
    for (const auto& [field, bad] : m_bad_cells)
        tally.note(fmt::format("{} not understood, taken as unknown (first in row {})", post_field_name(field),
                               bad.first_row),
                   bad.count);
}

}  // namespace unveil
