#include "cli/global.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <limits>

#include "cli/command.hpp"
#include "cli/progress_terminal.hpp"
#include "core/text.hpp"

namespace unveil::cli {
namespace {

constexpr std::size_t columns_unknown = 80;
constexpr std::size_t width_min = 60;
constexpr std::size_t width_max = 100;
constexpr double memory_share = 0.75;

std::vector<Parameter> make_global_options() {
    std::vector<Parameter> options;
    const auto add = [&](std::string name, ParameterType type, std::string default_text, std::string help) {
        options.push_back(command_option(std::move(name), type, {}, std::move(default_text), std::move(help)));
    };
    add("json", ParameterType::flag, "", "Print data as JSON on stdout");
    add("quiet", ParameterType::flag, "", "Print data and errors only");
    add("threads", ParameterType::integer, "",
        "Threads to use; all cores unless given. The findings do not depend on it");
    options.back().minimum = 1;
    options.back().maximum = 1024;
    add("progress", ParameterType::flag, "",
        "Show progress on stderr; done by itself when that is a terminal");
    add("color", ParameterType::choice, "auto", "Use colour; NO_COLOR turns it off too");
    options.back().choices = {"auto", "always", "never"};
    add("verbose", ParameterType::flag, "", "Say more on stderr; twice for still more");
    add("help", ParameterType::flag, "", "Show help");
    add("version", ParameterType::flag, "", "Show the version");
    return options;
}

std::string with_thousands(const std::string& digits) {
    std::string out;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        if (i > 0 && (digits.size() - i) % 3 == 0 && digits[i - 1] != '-') out += ',';
        out += digits[i];
    }
    return out;
}

void erase_line(Progress* progress) {
    if (auto* terminal = dynamic_cast<TerminalProgress*>(progress)) terminal->erase();
}

}  // namespace

Parameter command_option(std::string name, ParameterType type, std::string metavar, std::string default_text,
                         std::string help) {
    Parameter option;
    option.name = std::move(name);
    option.type = type;
    option.metavar = std::move(metavar);
    option.default_text = std::move(default_text);
    option.help = std::move(help);
    option.affects_findings = false;
    return option;
}

void Global::say(std::string_view line) const {
    if (quiet) return;
    erase_line(progress);
    std::fflush(stdout);
    fmt::print(stderr, "{}\n", line);
}

void Global::print(std::string_view text) const {
    erase_line(progress);
    std::fwrite(text.data(), 1, text.size(), stdout);
}

std::span<const Parameter> global_options() {
    static const auto options = make_global_options();
    return options;
}

std::string_view short_option(std::string_view name) {
    if (name == "verbose") return "-v";
    if (name == "help") return "-h";
    return {};
}

std::size_t terminal_columns(int descriptor) {
    if (const char* text = std::getenv("COLUMNS")) {
        const std::string_view digits(text);
        std::size_t columns = 0;
        const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), columns);
        if (failure == std::errc() && end == digits.data() + digits.size() && columns > 0) return columns;
    }
    winsize size{};
    if (ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
    return columns_unknown;
}

std::size_t text_width() {
    if (isatty(STDOUT_FILENO) == 0) return width_max;
    return std::clamp(terminal_columns(STDOUT_FILENO), width_min, width_max);
}

std::uint64_t memory_bytes_default() {
    auto bytes = static_cast<std::uint64_t>(std::max(1L, sysconf(_SC_PHYS_PAGES))) *
                 static_cast<std::uint64_t>(std::max(1L, sysconf(_SC_PAGESIZE)));
    std::uint64_t limit = 0;
    if (std::ifstream file("/sys/fs/cgroup/memory.max"); file >> limit) bytes = std::min(bytes, limit);
    return static_cast<std::uint64_t>(static_cast<double>(bytes) * memory_share);
}

std::size_t display_columns(std::string_view text) {
    const auto units =
        icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())));
    std::size_t columns = 0;
    for (std::int32_t i = 0; i < units.length(); i = units.moveIndex32(i, 1)) {
        const UChar32 c = units.char32At(i);
        const auto category = u_charType(c);
        if (category == U_NON_SPACING_MARK || category == U_ENCLOSING_MARK || category == U_FORMAT_CHAR)
            continue;
        const auto width = u_getIntPropertyValue(c, UCHAR_EAST_ASIAN_WIDTH);
        columns += width == U_EA_WIDE || width == U_EA_FULLWIDTH ? 2 : 1;
    }
    return columns;
}

std::string text_table(const std::vector<std::string>& header,
                       const std::vector<std::vector<std::string>>& rows, const std::vector<bool>& is_right) {
    std::vector<std::vector<std::string>> cells;
    if (!header.empty()) cells.push_back(header);
    for (const auto& row : rows) {
        auto& shown = cells.emplace_back();
        for (const auto& cell : row)
            shown.push_back(printable(cell, std::numeric_limits<std::size_t>::max() / 2));
    }
    std::vector<std::size_t> widths;
    for (const auto& row : cells) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], display_columns(row[i]));
    }
    std::string out;
    for (const auto& row : cells) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) {
            const auto padding = widths[i] - display_columns(row[i]);
            const bool right = i < is_right.size() && is_right[i];
            if (i > 0) line += "  ";
            if (right) line.append(padding, ' ');
            line += row[i];
            if (!right) line.append(padding, ' ');
        }
        line.erase(line.find_last_not_of(' ') + 1);
        out += line + "\n";
    }
    return out;
}

std::string wrapped(std::string_view text, std::size_t indent, std::size_t width) {
    std::string out;
    const std::string margin(indent, ' ');
    while (true) {
        const auto end = text.find('\n');
        auto paragraph = text.substr(0, end);
        std::string line;
        std::size_t columns = 0;
        while (!paragraph.empty()) {
            const auto blank = paragraph.find(' ');
            const auto word = paragraph.substr(0, blank);
            paragraph.remove_prefix(blank == std::string_view::npos ? paragraph.size() : blank + 1);
            if (word.empty()) continue;
            const auto word_columns = display_columns(word);
            if (!line.empty() && indent + columns + 1 + word_columns > width) {
                out += margin + line + "\n";
                line.clear();
                columns = 0;
            }
            if (!line.empty()) {
                line += ' ';
                ++columns;
            }
            line += word;
            columns += word_columns;
        }
        if (!line.empty()) out += margin + line;
        out += "\n";
        if (end == std::string_view::npos) break;
        text.remove_prefix(end + 1);
    }
    return out;
}

std::string human_number(double value) {
    constexpr double exact_max = 9e15;
    if (std::nearbyint(value) == value && std::fabs(value) < exact_max)
        return with_thousands(fmt::format("{:.0f}", value));
    if (std::fabs(value) >= 10000) return with_thousands(fmt::format("{:.0f}", value));
    return fmt::format("{:.4g}", value);
}

}  // namespace unveil::cli
