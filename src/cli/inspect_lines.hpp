// The lines in which `unveil inspect` says what a file holds.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "table/source.hpp"

namespace unveil::cli {

/// Of a file that is no table of posts.
struct FileInspection {
    std::string text;
    bool is_readable = false;
};

/// "  name   value"; further lines of a value have no name.
void add_line(std::string& out, std::string_view name, std::string_view value);
/// "1,234"
std::string grouped(std::uint64_t number);
/// The most frequent first; those of the same count by name.
void add_counts(std::string& out, std::string_view label, const std::map<std::string, std::uint64_t>& counts);
/// Notes, and what was skipped with examples.
void add_tally(std::string& out, const Tally& tally);
/// Why the file cannot be read.
void add_problem(std::string& out, const std::string& path, const Error& error);
/// Format, packing, size, digest, skips and times, which are said of every file.
void put_report(nlohmann::ordered_json& json, const SourceReport& report);
void put_problem(nlohmann::ordered_json& json, const Error& error);
/// An argument as a shell takes it.
std::string shell_word(std::string_view text);

}  // namespace unveil::cli
