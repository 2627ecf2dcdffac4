#include "core/text.hpp"

#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>

#include <algorithm>
#include <cstdint>

#include "core/error.hpp"

namespace unveil {
namespace {

/// Length of the valid UTF-8 sequence at the front of `bytes` (RFC 3629: no surrogates, no overlong forms), or 0.
std::size_t sequence_length(std::string_view bytes) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
    const auto continues = [&](std::size_t i) { return i < bytes.size() && (byte(i) & 0xC0) == 0x80; };
    const unsigned char first = byte(0);
    if (first < 0x80) return 1;
    if (first >= 0xC2 && first <= 0xDF) return continues(1) ? 2 : 0;
    if (first >= 0xE0 && first <= 0xEF) {
        if (!continues(1) || !continues(2)) return 0;
        if (first == 0xE0 && byte(1) < 0xA0) return 0;
        if (first == 0xED && byte(1) > 0x9F) return 0;
        return 3;
    }
    if (first >= 0xF0 && first <= 0xF4) {
        if (!continues(1) || !continues(2) || !continues(3)) return 0;
        if (first == 0xF0 && byte(1) < 0x90) return 0;
        if (first == 0xF4 && byte(1) > 0x8F) return 0;
        return 4;
    }
    return 0;
}

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

constexpr std::string_view replacement_character = "\xEF\xBF\xBD";

void append_markup(std::string_view text, std::string& out) {
    for (std::size_t i = 0; i < text.size();) {
        const auto length = sequence_length(text.substr(i));
        const char c = text[i];
        if (length == 0 || (length == 1 && static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n') || c == 0x7F)
            out += replacement_character;
        else if (c == '&') out += "&amp;";
        else if (c == '<') out += "&lt;";
        else if (c == '>') out += "&gt;";
        else if (c == '"') out += "&quot;";
        else if (c == '\'') out += "&#39;";
        else if (length == 3 && (text.substr(i, 3) == "\xEF\xBF\xBE" || text.substr(i, 3) == "\xEF\xBF\xBF"))
            out += replacement_character;  // U+FFFE and U+FFFF are not XML characters
        else out.append(text, i, length);
        i += std::max<std::size_t>(1, length);
    }
}

}  // namespace

bool is_valid_utf8(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto length = sequence_length(bytes);
        if (length == 0) return false;
        bytes.remove_prefix(length);
    }
    return true;
}

std::string printable(std::string_view bytes, std::size_t bytes_max) {
    std::string out;
    while (!bytes.empty()) {
        const auto length = sequence_length(bytes);
        const auto first = static_cast<unsigned char>(bytes[0]);
        // C1 controls (U+0080..U+009F) can steer a terminal as C0 does.
        const bool is_c1 = length == 2 && first == 0xC2 && static_cast<unsigned char>(bytes[1]) < 0xA0;
        std::string piece;
        if (length == 0 || first < 0x20 || first == 0x7F || is_c1) {
            static const char hex_digits[] = "0123456789abcdef";
            for (std::size_t i = 0; i < std::max<std::size_t>(1, length); ++i) {
                const auto byte = static_cast<unsigned char>(bytes[i]);
                piece += {'\\', 'x', hex_digits[byte >> 4], hex_digits[byte & 15]};
            }
        } else {
            piece = bytes.substr(0, length);
        }
        if (out.size() + piece.size() > bytes_max) return out + "...";
        out += piece;
        bytes.remove_prefix(std::max<std::size_t>(1, length));
    }
    return out;
}

void append_folded(std::string_view text, std::string& out) {
    if (is_ascii(text)) {
        for (const char c : text) out += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
        return;
    }
    UErrorCode status = U_ZERO_ERROR;
    static const icu::Normalizer2* const normalizer = icu::Normalizer2::getNFKCCasefoldInstance(status);
    UNVEIL_ASSERT(normalizer != nullptr);
    icu::StringByteSink<std::string> sink(&out);
    status = U_ZERO_ERROR;
    normalizer->normalizeUTF8(0, icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())), sink, nullptr,
                              status);
    UNVEIL_ASSERT(U_SUCCESS(status));
}

std::string folded(std::string_view text) {
    std::string out;
    append_folded(text, out);
    return out;
}

std::string grouped_digits(std::uint64_t number) {
    const std::string digits = std::to_string(number);
    std::string out;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        if (i > 0 && (digits.size() - i) % 3 == 0) out += ',';
        out += digits[i];
    }
    return out;
}

std::string_view trimmed(std::string_view text) {
    const auto is_blank = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    return text;
}

void append_csv_cell(std::string_view text, std::string& out) {
    bool is_quoted = !text.empty() && (text.front() == ' ' || text.back() == ' ');
    // find_first_of would call memchr for each character.
    for (const char c : text) is_quoted |= c == ',' || c == '"' || c == '\r' || c == '\n';
    if (!is_quoted) {
        out += text;
        return;
    }
    out += '"';
    for (const char c : text) {
        if (c == '"') out += '"';
        out += c;
    }
    out += '"';
}

void append_html(std::string_view text, std::string& out) { append_markup(text, out); }
void append_xml(std::string_view text, std::string& out) { append_markup(text, out); }

}  // namespace unveil
