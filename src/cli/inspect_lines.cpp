#include "cli/inspect_lines.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "cli/global.hpp"
#include "core/text.hpp"
#include "core/time.hpp"

namespace unveil::cli {

void add_line(std::string& out, std::string_view name, std::string_view value) { out += fmt::format("  {:<10}  {}\n", name, value); }

std::string grouped(std::uint64_t number) { return human_number(static_cast<double>(number)); }

void add_counts(std::string& out, std::string_view label, const std::map<std::string, std::uint64_t>& counts) {
    constexpr std::size_t lines_max = 20;
    std::vector<std::pair<std::string, std::uint64_t>> order(counts.begin(), counts.end());
    std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
    for (std::size_t i = 0; i < order.size(); ++i) {
        if (i == lines_max) {
            add_line(out, "", fmt::format("... and {} more", order.size() - lines_max));
            return;
        }
        const auto& [name, count] = order[i];
        add_line(out, i == 0 ? label : "", fmt::format("{:<16} {}", printable(name.empty() ? "(none)" : name, 60), grouped(count)));
    }
}

void add_tally(std::string& out, const Tally& tally) {
    std::string_view label = "notes";
    for (const auto& [what, count] : tally.notes()) {
        add_line(out, label, fmt::format("{} x {}", grouped(count), what));
        label = "";
    }
    label = "skipped";
    for (const auto& [reason, entry] : tally.skips()) {
        add_line(out, label, fmt::format("{} x {}", grouped(entry.count), reason));
        label = "";
        for (const auto& example : entry.examples) add_line(out, "", "  " + printable(example, 400));
    }
}

void add_problem(std::string& out, const std::string& path, const Error& error) {
    add_line(out, "problem", printable(error.message(), 4000));
    if (error.where() != path && !error.where().empty()) add_line(out, "where", printable(error.where(), 1000));
    if (!error.hint().empty()) add_line(out, "remedy", printable(error.hint(), 2000));
}

void put_report(nlohmann::ordered_json& json, const SourceReport& report) {
    json["readable"] = true;
    json["format"] = report.format;
    json["compression"] = report.compression;
    json["bytes"] = report.bytes;
    json["sha256"] = report.sha256;
    json["rows_kept"] = report.tally.kept();
    json["rows_skipped"] = report.tally.skipped();
    json["skipped"] = nlohmann::ordered_json::array();
    for (const auto& [reason, entry] : report.tally.skips()) json["skipped"].push_back({{"reason", reason}, {"count", entry.count}, {"examples", entry.examples}});
    json["notes"] = nlohmann::ordered_json::array();
    for (const auto& [what, count] : report.tally.notes()) json["notes"].push_back({{"what", what}, {"count", count}});
    if (report.tally.kept() == 0) return;
    json["time_first"] = format_time(report.time_first_us);
    json["time_last"] = format_time(report.time_last_us);
}

void put_problem(nlohmann::ordered_json& json, const Error& error) {
    json["readable"] = false;
    json["error"] = {{"message", error.message()}, {"where", error.where()}, {"hint", error.hint()}};
}

std::string shell_word(std::string_view text) {
    const auto is_plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || std::string_view("_-./=,:@%+").find(c) != std::string_view::npos;
    };
    if (!text.empty() && std::all_of(text.begin(), text.end(), is_plain)) return std::string(text);
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'')
            out += "'\\''";
        else
            out += c;
    }
    return out + '\'';
}

}  // namespace unveil::cli
