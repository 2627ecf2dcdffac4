#include "evidence/table_format.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/error.hpp"
#include "core/parameter.hpp"
#include "core/text.hpp"

namespace unveil {
namespace {

using enum CellKind;

// Read by name: the release of October 2018 has two of the columns swapped, and later ones leave the last
// away.
constexpr FormatColumn twitter_io_columns[] = {
    {PostField::account, "userid", plain},
    {PostField::content, "tweetid", plain},
    {PostField::time, "tweet_time", time},
    {PostField::text, "tweet_text", plain},
    {PostField::repost_of, "retweet_tweetid", reference},
    {PostField::reply_to, "in_reply_to_tweetid", reference},
    {PostField::quote_of, "quoted_tweet_tweetid", reference},
    {PostField::urls, "urls", urls},
    {PostField::hashtags, "hashtags", list},
    {PostField::mentions, "user_mentions", list},
    {PostField::is_repost, "is_retweet", flag},
    {PostField::name, "user_screen_name", plain},
    {PostField::language, "tweet_language", plain},
    {PostField::client, "tweet_client_name", plain},
    {PostField::repost_author, "retweet_userid", reference},
    {PostField::account_created, "account_creation_date", time},
    {PostField::reposts_received, "retweet_count", count},
    {PostField::followers, "follower_count", count},
};
constexpr std::string_view twitter_io_signs[] = {"tweetid", "userid", "tweet_time"};

constexpr FormatColumn coortweet_columns[] = {
    {PostField::account, "account_id", plain},
    {PostField::content, "content_id", plain},
    {PostField::time, "timestamp_share", time},
    {PostField::object, "object_id", plain},
};
constexpr std::string_view coortweet_signs[] = {"object_id", "account_id", "content_id", "timestamp_share"};

constexpr FormatColumn qut_columns[] = {
    {PostField::account, "user_id", plain},
    {PostField::content, "message_id", plain},
    {PostField::time, "timestamp", time},
    {PostField::text, "message", plain},
    {PostField::repost_of, "repost_id", reference},
    {PostField::reply_to, "reply_id", reference},
    {PostField::urls, "urls", urls},
    {PostField::name, "username", plain},
};
constexpr std::string_view qut_signs[] = {"message_id", "user_id", "timestamp", "repost_id"};

constexpr FormatColumn clemson_columns[] = {
    {PostField::account, "author_id", plain}, {PostField::account, "author", plain},
    {PostField::content, "tweet_id", plain},  {PostField::time, "publish_date", time},
    {PostField::text, "content", plain},      {PostField::is_repost, "retweet", flag},
    {PostField::language, "language", plain}, {PostField::followers, "followers", count},
    {PostField::label, "account_category", word},
};
constexpr std::string_view clemson_signs[] = {"content", "publish_date", "retweet"};

constexpr TableFormat formats[] = {
    {"twitter-io", twitter_io_columns, twitter_io_signs, true, true},
    {"coortweet", coortweet_columns, coortweet_signs, false, true},
    {"qut", qut_columns, qut_signs, false, true},
    {"ira-clemson", clemson_columns, clemson_signs, false, false},
    {"table", {}, {}, false, false},
};

/// How a column that the user named is read.
CellKind kind_of(PostField field) {
    switch (field) {
        case PostField::time:
        case PostField::account_created:
            return time;
        case PostField::repost_of:
        case PostField::reply_to:
        case PostField::quote_of:
        case PostField::repost_author:
            return reference;
        case PostField::reposts_received:
        case PostField::followers:
            return count;
        case PostField::label:
            return word;
        case PostField::urls:
            return urls;
        case PostField::hashtags:
        case PostField::mentions:
        case PostField::domains:
            return list;
        case PostField::is_repost:
            return flag;
        default:
            return plain;
    }
}

}  // namespace

std::span<const TableFormat> table_formats() {
    return formats;
}

const TableFormat* table_format_named(std::string_view name) {
    for (const auto& format : formats)
        if (format.name == name) return &format;
    return nullptr;
}

const TableFormat* detect_table_format(std::span<const std::string> columns) {
    for (const auto& format : formats) {
        const bool is_it = std::all_of(
            format.recognised_by.begin(), format.recognised_by.end(),
            [&](auto sign) { return std::find(columns.begin(), columns.end(), sign) != columns.end(); });
        if (is_it && !format.recognised_by.empty()) return &format;
    }
    return nullptr;
}

const MappedColumn* TableMapping::find(PostField field) const {
    for (const auto& column : mapped)
        if (column.field == field) return &column;
    return nullptr;
}

std::string listed_columns(std::span<const std::string> columns) {
    constexpr std::size_t shown_max = 40;
    std::string out;
    for (std::size_t i = 0; i < std::min(columns.size(), shown_max); ++i) {
        if (i > 0) out += ", ";
        out += columns[i].empty() ? "(no name)" : printable(columns[i], 40);
    }
    if (columns.size() > shown_max) out += fmt::format(" and {} more", columns.size() - shown_max);
    return out;
}

TableMapping map_table(std::vector<std::string> columns, const EvidenceOptions& options,
                       const std::string& path, const EvidenceLimits& limits) {
    if (columns.size() > limits.columns_max)
        throw Error(ErrorKind::input,
                    fmt::format("has {} columns; at most {} are read", columns.size(), limits.columns_max),
                    "Keep only the columns that matter", path);
    std::set<std::string_view> names;
    for (const auto& column : columns)
        if (!column.empty() && !names.insert(column).second)
            throw Error(ErrorKind::input,
                        fmt::format("the column '{}' is there twice", printable(column, 80)),
                        "Rename one of them in the header line", path);

    TableMapping mapping;
    mapping.format =
        options.format.empty() ? detect_table_format(columns) : table_format_named(options.format);
    if (!mapping.format && options.format.empty() && !options.columns.empty())
        mapping.format = table_format_named("table");
    if (!mapping.format)
        throw Error(
            ErrorKind::input,
            fmt::format("is a table, but of no known format. Columns found: {}", listed_columns(columns)),
            "Say which is which: --columns account=COLUMN,time=COLUMN (and content=, object=, text=, urls=, "
            "... where there are such columns)",
            path);
    mapping.columns = std::move(columns);

    const auto position = [&](std::string_view name) {
        return static_cast<std::size_t>(std::find(mapping.columns.begin(), mapping.columns.end(), name) -
                                        mapping.columns.begin());
    };
    for (const auto& [field, name] : post_field_names()) {
        if (const auto named = options.columns.find(std::string(name)); named != options.columns.end()) {
            const auto column = position(named->second);
            if (column == mapping.columns.size())
                throw Error(ErrorKind::input,
                            fmt::format("has no column '{}' (wanted as {}). Columns found: {}",
                                        printable(named->second, 80), name, listed_columns(mapping.columns)),
                            "Correct --columns", path);
            mapping.mapped.push_back({field, kind_of(field), column});
            continue;
        }
        for (const auto& known : mapping.format->columns) {
            if (known.field != field) continue;
            const auto column = position(known.column);
            if (column == mapping.columns.size()) continue;
            mapping.mapped.push_back({field, known.kind, column});
            break;
        }
    }
    for (const auto& column : mapping.mapped) mapping.fields |= static_cast<PostFields>(column.field);

    std::string missing;
    std::string remedy;
    for (const auto field : {PostField::account, PostField::time, PostField::content}) {
        if (contains(mapping.fields, field) ||
            (field == PostField::content && !mapping.format->needs_content))
            continue;
        missing += fmt::format("{}{}", missing.empty() ? "" : " and ", post_field_name(field));
        remedy += fmt::format("{}{}=COLUMN", remedy.empty() ? "" : ",", post_field_name(field));
    }
    if (!missing.empty())
        throw Error(ErrorKind::input,
                    fmt::format("lacks a column for {} (read as '{}'). Columns found: {}", missing,
                                mapping.format->name, listed_columns(mapping.columns)),
                    fmt::format("Name it: --columns {}", remedy), path);
    mapping.fields = mapping.fields | PostField::content;
    return mapping;
}

}  // namespace unveil
