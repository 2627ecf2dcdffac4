#include "evidence/text_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <span>

#include "core/error.hpp"
#include "core/text.hpp"
#include "evidence/byte_stream.hpp"
#include "evidence/csv_reader.hpp"

namespace unveil {
namespace {

constexpr std::size_t file_bytes_max = 64u << 20;

/// As public lists name them; in this order.
constexpr std::array<std::string_view, 10> column_names = {"text",    "rule",   "keyword_combination", "keyword", "keywords",
                                                           "result", "isolation", "word",              "message", "sentence"};

/// Where public lists say what a row is taken from. A column 'source' may as well name a kind of source: only addresses count.
constexpr std::array<std::string_view, 6> address_names = {"url", "link", "source_url", "article_url", "article", "source"};
constexpr std::array<std::string_view, 7> date_names = {"date", "published", "published_at", "detected_on", "date tested", "date_tested", "time"};
constexpr std::array<std::string_view, 2> offset_names = {"offset", "idx"};

std::string lower_case(std::string text) {
    for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return text;
}

bool is_table(const std::string& path) {
    std::string name = lower_case(path);
    for (const std::string_view ending : {".gz", ".zst", ".xz"})
        if (name.ends_with(ending)) name.resize(name.size() - ending.size());
    return name.ends_with(".csv") || name.ends_with(".tsv");
}

[[noreturn]] void refuse_bytes(std::string_view text, const std::string& where) {
    // What is sent is written down as JSON, which could not hold it as it was.
    throw Error(ErrorKind::input, fmt::format("the text is not valid UTF-8: {}", printable(text, 80)), "Convert the file: iconv -f GB18030 -t UTF-8", where);
}

std::vector<NamedText> read_table(const std::string& path, const std::string& name, const std::string& column) {
    const EvidenceLimits limits;
    CsvReader reader(InputBuffer(ByteStream(open_file_input(path), path, limits), limits), limits);
    std::size_t found = SIZE_MAX;
    const auto& header = reader.header();
    const auto at = [&](std::string_view wanted) {
        const auto place = std::find_if(header.begin(), header.end(), [&](const std::string& cell) { return lower_case(std::string(trimmed(cell))) == wanted; });
        return place == header.end() ? SIZE_MAX : static_cast<std::size_t>(place - header.begin());
    };
    if (!column.empty()) found = at(lower_case(column));
    else
        for (std::size_t i = 0; i < column_names.size() && found == SIZE_MAX; ++i) found = at(column_names[i]);
    const auto first_of = [&](std::span<const std::string_view> names) {
        for (const std::string_view wanted : names)
            if (const std::size_t column_at = at(wanted); column_at != SIZE_MAX && column_at != found) return column_at;
        return SIZE_MAX;
    };
    const std::size_t address_at = first_of(address_names);
    const std::size_t date_at = first_of(date_names);
    const std::size_t offset_at = first_of(offset_names);
    const auto source_of = [&](const CsvRow& row) {
        constexpr std::size_t cell_bytes_max = 2000;
        std::string source;
        const auto add = [&](std::size_t column_at, std::string_view before) {
            const std::string_view cell = column_at == SIZE_MAX ? std::string_view() : trimmed(row.text(column_at));
            if (cell.empty() || cell.size() > cell_bytes_max || !is_valid_utf8(cell)) return;
            source += fmt::format("{}{}{}", source.empty() ? "" : " ", before, cell);
        };
        const std::string address = address_at == SIZE_MAX ? std::string() : lower_case(std::string(trimmed(row.text(address_at))));
        const bool is_address = address.starts_with("http://") || address.starts_with("https://");
        if (is_address) add(address_at, "");
        add(date_at, "");
        if (is_address) add(offset_at, "offset ");
        return source;
    };
    if (found == SIZE_MAX) {
        std::string columns;
        for (const auto& cell : header) columns += (columns.empty() ? "" : ", ") + printable(cell, 40);
        throw Error(ErrorKind::input, column.empty() ? std::string("no column is named like texts or rules") : fmt::format("there is no column '{}'", printable(column, 80)),
                    fmt::format("Name one with --column; there are {}", columns), printable(path, 1000));
    }
    std::vector<NamedText> texts;
    std::size_t bytes = 0;
    TextArena arena;
    Tally tally;
    bool is_more = true;
    while (is_more) {
        arena.clear();
        is_more = reader.read(1024, arena, tally, [&](const CsvRow& row, std::uint64_t record) -> const char* {
            const std::string_view text = trimmed(row.text(found));
            if (!is_valid_utf8(text)) refuse_bytes(text, fmt::format("{}, record {}", printable(path, 1000), record));
            bytes += text.size();
            if (bytes > file_bytes_max) throw Error(ErrorKind::input, fmt::format("there is more than {} bytes of text", file_bytes_max), "Split it", printable(path, 1000));
            if (!text.empty()) texts.push_back({fmt::format("{}, record {}", name, record), std::string(text), source_of(row)});
            return nullptr;
        });
    }
    if (tally.skipped() > 0)
        for (const auto& [reason, entry] : tally.skips())
            throw Error(ErrorKind::input, fmt::format("{} records cannot be read: {}", entry.count, reason), "Mend the file; no text may be left out unseen",
                        entry.examples.empty() ? printable(path, 1000) : printable(entry.examples.front(), 1000));
    return texts;
}

}  // namespace

std::vector<NamedText> read_text_file(const std::string& path, const TextFileOptions& options) {
    const std::string name = std::filesystem::path(path).filename().string();
    if (!options.is_whole && is_table(path)) return read_table(path, name, options.column);
    ByteStream stream(open_file_input(path), path, EvidenceLimits{});
    std::string all;
    std::vector<char> piece(1 << 16);
    while (const std::size_t count = stream.read(piece.data(), piece.size())) {
        all.append(piece.data(), count);
        if (all.size() > file_bytes_max) throw Error(ErrorKind::input, fmt::format("there is more than {} bytes of text", file_bytes_max), "Split it", printable(path, 1000));
    }
    std::string_view rest = all;
    if (rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);
    std::vector<NamedText> texts;
    std::uint64_t number = 0;
    for (std::string_view left = rest; !left.empty();) {
        const auto end = std::min(left.find('\n'), left.size());
        const auto text = trimmed(left.substr(0, end));
        ++number;
        if (!is_valid_utf8(text)) refuse_bytes(text, fmt::format("{}:{}", printable(path, 1000), number));
        if (!options.is_whole && !text.empty()) texts.push_back({fmt::format("{}:{}", name, number), std::string(text)});
        left.remove_prefix(std::min(end + 1, left.size()));
    }
    if (options.is_whole && !trimmed(rest).empty()) texts.push_back({name, std::string(trimmed(rest))});
    return texts;
}

std::vector<std::string> components_of_public_rule(std::string_view notation) {
    std::vector<std::string> components;
    while (true) {
        const auto at = notation.find('+');
        const auto component = trimmed(notation.substr(0, at));
        if (component.empty()) return {};
        components.emplace_back(component);
        if (at == std::string_view::npos) return components;
        notation.remove_prefix(at + 1);
    }
}

bool has_wildcards(const std::vector<NamedText>& lines) {
    const auto count = std::count_if(lines.begin(), lines.end(), [](const NamedText& line) { return line.text.front() == '*' || line.text.back() == '*'; });
    return count > 0 && static_cast<std::size_t>(count) * 10 >= lines.size();
}

std::string without_wildcards(std::string_view component) {
    if (component.find_first_not_of("* ") == std::string_view::npos) return std::string(component);
    if (component.starts_with('*')) component.remove_prefix(1);
    if (component.ends_with('*')) component.remove_suffix(1);
    return std::string(trimmed(component));
}

PublicRules read_public_rules(const std::string& path, const std::string& column) {
    PublicRules read;
    const auto lines = read_text_file(path, {.is_whole = false, .column = column});
    const bool is_with_wildcards = has_wildcards(lines);
    for (const auto& line : lines) {
        if (line.text.starts_with('#')) continue;
        auto components = components_of_public_rule(line.text);
        if (components.empty()) {
            read.tally.skip("there is no word beside a plus", line.name, line.text);
            continue;
        }
        if (fmt::format(" {} ", line.text).find(" unless ") != std::string::npos) {
            read.tally.skip("it has an exception; only 'a + b' can be tried", line.name, line.text);
            continue;
        }
        if (is_with_wildcards) {
            const auto as_written = components;
            for (auto& component : components) component = without_wildcards(component);
            read.with_wildcards += components != as_written;
        }
        std::sort(components.begin(), components.end());
        components.erase(std::unique(components.begin(), components.end()), components.end());
        read.rules.push_back({line.name, std::move(components), line.source});
        read.tally.keep();
    }
    if (read.rules.empty() && read.tally.skipped() > 0) {
        const auto& [reason, entry] = *read.tally.skips().begin();
        throw Error(ErrorKind::input, fmt::format("no line is a rule: {}", reason), "Write 'a + b', a rule a line", entry.examples.front());
    }
    return read;
}

}  // namespace unveil
