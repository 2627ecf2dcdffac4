// Which columns of a table mean what? The known layouts of post tables are data here: a layout is a name, the
// columns that give it away, and what each column means. CSV, JSONL and Parquet all use them.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "evidence/limits.hpp"
#include "evidence/open.hpp"
#include "table/post.hpp"

namespace unveil {

/// How a cell of the column is to be read.
enum class CellKind {
    plain,
    word,       // plain, but "absent", "null" and the like mean none
    reference,  // id of another post or account; "absent", "null" and the like mean none
    count,      // how many; "12", "12.0"
    flag,       // true, True, 1
    list,       // [a, b] or ['a', 'b'] or ["a","b"] or a, b
    urls,       // a list whose items may hold commas
    time,
};

struct FormatColumn {
    PostField field;
    std::string_view column;
    CellKind kind;
};

struct TableFormat {
    std::string_view name;
    /// The first column found wins where a field is listed twice.
    std::span<const FormatColumn> columns;
    /// All of them in the header: the table is of this format. Empty: never detected.
    std::span<const std::string_view> recognised_by;
    bool is_twitter = false;    // ids are snowflakes, "0" and "0.0" are no ids
    bool needs_content = true;  // else the record number stands for the missing id of the post
};

std::span<const TableFormat> table_formats();
const TableFormat* table_format_named(std::string_view name);
/// The first format whose telling columns are all there.
const TableFormat* detect_table_format(std::span<const std::string> columns);

/// One wanted field and where it comes from.
struct MappedColumn {
    PostField field;
    CellKind kind;
    std::size_t column;  // position in the table
};

struct TableMapping {
    const TableFormat* format = nullptr;
    std::vector<std::string> columns;  // the header
    std::vector<MappedColumn> mapped;  // at most one per field, in the order of post_field_names()
    PostFields fields = 0;
    const MappedColumn* find(PostField field) const;
};

/// Finds the format (options.format, or detected, or "table") and every field's column. Throws Error(input)
/// that lists the columns found when a needed one is missing, Error(usage) for an unknown format.
TableMapping map_table(std::vector<std::string> columns, const EvidenceOptions& options,
                       const std::string& path, const EvidenceLimits& limits);

/// "a, b, c" made printable and cut to a sane length, for messages.
std::string listed_columns(std::span<const std::string> columns);

}  // namespace unveil
