#include "report/markup.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"

namespace unveil {
namespace {

constexpr char32_t replacement = 0xFFFD;

/// Takes one code point off the front; U+FFFD and one byte for what is not UTF-8.
char32_t take_code_point(std::string_view& bytes) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
    const unsigned char first = byte(0);
    const std::size_t length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    if (bytes.size() < length || !is_valid_utf8(bytes.substr(0, length))) {
        bytes.remove_prefix(1);
        return replacement;
    }
    char32_t code = length == 1 ? first : first & (0xFF >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) code = (code << 6) | (byte(i) & 0x3F);
    bytes.remove_prefix(length);
    return code;
}

bool reorders(char32_t c) { return (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069); }

bool is_control(char32_t c) { return (c < 0x20 && c != '\t' && c != '\n') || (c >= 0x7F && c < 0xA0); }

std::size_t columns_of(char32_t c) {
    const bool is_combining = (c >= 0x300 && c < 0x370) || (c >= 0xFE00 && c < 0xFE10) || c == 0x200D;
    if (is_combining) return 0;
    const bool is_wide = (c >= 0x1100 && c < 0x1160) || (c >= 0x2E80 && c < 0xA4D0) || (c >= 0xAC00 && c < 0xD7A4) ||
                         (c >= 0xF900 && c < 0xFB00) || (c >= 0xFE30 && c < 0xFE70) || (c >= 0xFF00 && c < 0xFF61) ||
                         (c >= 0x1F300 && c < 0x1FB00) || (c >= 0x20000 && c < 0x40000);
    return is_wide ? 2 : 1;
}

}  // namespace

std::string visible_text(std::string_view bytes, std::size_t characters_max) {
    std::string out;
    for (std::size_t count = 0; !bytes.empty(); ++count) {
        if (count == characters_max) return out + "…";
        const auto before = bytes;
        const char32_t code = take_code_point(bytes);
        if (reorders(code)) out += fmt::format("[U+{:04X}]", static_cast<std::uint32_t>(code));
        else if (code == replacement || is_control(code) || code == 0xFFFE || code == 0xFFFF) out += "\uFFFD";
        else out += before.substr(0, before.size() - bytes.size());
    }
    return out;
}

void append_text(std::string_view bytes, std::string& out) { append_html(visible_text(bytes), out); }

void append_name(std::string_view bytes, std::string& out) {
    out += "<bdi>";
    append_html(visible_text(bytes, 200), out);
    out += "</bdi>";
}

std::size_t text_columns(std::string_view text) {
    std::size_t columns = 0;
    while (!text.empty()) columns += columns_of(take_code_point(text));
    return columns;
}

std::string shortened(std::string_view text, std::size_t columns_max) {
    if (text_columns(text) <= columns_max) return std::string(text);
    std::size_t columns = 0;
    auto rest = text;
    while (!rest.empty()) {
        auto next = rest;
        columns += columns_of(take_code_point(next));
        if (columns + 1 > columns_max) break;
        rest = next;
    }
    return std::string(text.substr(0, text.size() - rest.size())) + "…";
}

std::string count_text(std::uint64_t value) {
    std::string digits = std::to_string(value);
    for (std::size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, ",");
    return digits;
}

std::string number_text(double value) {
    const double size = std::fabs(value);
    const std::string sign = value < 0 ? "−" : "";
    if (size < 1e15 && size == std::floor(size)) return sign + count_text(static_cast<std::uint64_t>(size));
    if (size >= 1e15 || size < 1e-6) return sign + fmt::format("{:.3e}", size);
    if (size >= 1000) {
        const double rounded = std::floor(size * 10 + 0.5);
        const auto whole = static_cast<std::uint64_t>(rounded / 10);
        const auto tenth = static_cast<int>(rounded - 10 * static_cast<double>(whole));
        return sign + count_text(whole) + (tenth > 0 ? fmt::format(".{}", tenth) : "");
    }
    const int digits = 3 - static_cast<int>(std::floor(std::log10(size)));
    std::string text = fmt::format("{:.{}f}", size, digits);
    if (text.find('.') != std::string::npos) {
        while (text.back() == '0') text.pop_back();
        if (text.back() == '.') text.pop_back();
    }
    return sign + text;
}

std::string bytes_text(std::uint64_t bytes) {
    constexpr std::array<std::pair<double, const char*>, 3> units = {{{1e9, "GB"}, {1e6, "MB"}, {1e3, "kB"}}};
    for (const auto& [size, name] : units)
        if (static_cast<double>(bytes) >= size) return fmt::format("{:.1f} {}", static_cast<double>(bytes) / size, name);
    return fmt::format("{} bytes", bytes);
}

std::string base64_of_hex(std::string_view hex) {
    static constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const auto nibble = [](char c) {
        UNVEIL_ASSERT((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'));
        return static_cast<std::uint32_t>(c <= '9' ? c - '0' : c - 'a' + 10);
    };
    UNVEIL_ASSERT(hex.size() % 2 == 0);
    std::string out;
    for (std::size_t i = 0; i < hex.size(); i += 6) {
        std::uint32_t group = 0;
        const std::size_t digits = std::min<std::size_t>(6, hex.size() - i);
        for (std::size_t k = 0; k < 6; ++k) group = group << 4 | (k < digits ? nibble(hex[i + k]) : 0);
        for (std::size_t k = 0; k < 4; ++k)
            out += k <= digits / 2 ? letters[group >> (18 - 6 * k) & 63] : '=';
    }
    return out;
}

}  // namespace unveil
