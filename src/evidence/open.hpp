// Opens an evidence file: finds out what it is by its content, or takes the user's word, and gives a reader for it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "table/post.hpp"

namespace unveil {

struct EvidenceOptions {
    std::string format;                          // empty: detect; else a name of evidence_formats()
    std::map<std::string, std::string> columns;  // field name (post_field_names) -> column name in the file
    unsigned threads = 1;
};

struct EvidenceFormat {
    std::string_view name;         // "twitter-io"
    std::string_view summary;      // one sentence
    std::string_view record;       // "post"
    std::string_view doc_page;     // "formats/twitter-io.md"
    bool is_list = false;          // what an instrument goes by beside the evidence: its rows have no times, and no claim is about them
};
/// All formats, in the order in which `unveil list` shows them.
std::span<const EvidenceFormat> evidence_formats();
/// Whether the format of that name is such a list.
bool is_list_format(std::string_view name);

/// Opens `path` as posts. Throws Error(input) with the remedy when the file is not posts or lacks a needed column
/// (the columns it has are listed), Error(usage) for an unknown format or field name.
/// `evidence` is the position among the run's inputs, put into every batch.
std::unique_ptr<PostSource> open_posts(const std::string& path, const EvidenceOptions& options,
                                       std::uint32_t evidence);

/// "account=user_id,time=created_at" -> map; throws Error(usage) on a bad spelling or an unknown field.
std::map<std::string, std::string> parse_columns_option(std::string_view text);

}  // namespace unveil
