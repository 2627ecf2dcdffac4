#include "evidence/cell.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "core/text.hpp"

namespace unveil {
namespace {

bool is_blank(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

bool begins_url(std::string_view text) {
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    if (!text.empty() && (text.front() == '\'' || text.front() == '"')) text.remove_prefix(1);
    return text.empty() || text.starts_with("http://") || text.starts_with("https://");
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

int hex_number(std::string_view text, std::size_t begin, std::size_t digits) {
    if (begin + digits > text.size()) return -1;
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
        const int digit = hex_digit(text[begin + i]);
        if (digit < 0) return -1;
        value = value * 16 + digit;
    }
    return value;
}

char* append_utf8(char* out, unsigned code_point) {
    const auto put = [&](unsigned byte) { *out++ = static_cast<char>(byte); };
    if (code_point < 0x80) {
        put(code_point);
    } else if (code_point < 0x800) {
        put(0xC0 | code_point >> 6);
        put(0x80 | (code_point & 63));
    } else if (code_point < 0x10000) {
        put(0xE0 | code_point >> 12);
        put(0x80 | (code_point >> 6 & 63));
        put(0x80 | (code_point & 63));
    } else {
        put(0xF0 | code_point >> 18);
        put(0x80 | (code_point >> 12 & 63));
        put(0x80 | (code_point >> 6 & 63));
        put(0x80 | (code_point & 63));
    }
    return out;
}

/// Escapes of JSON and of Python's repr; what is no known escape stays as written.
std::string_view unescaped(std::string_view text, TextArena& arena) {
    if (text.find('\\') == std::string_view::npos) return text;
    char* const begin = arena.reserve(text.size());
    char* out = begin;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\' || i + 1 == text.size()) {
            *out++ = text[i];
            continue;
        }
        const char kind = text[++i];
        if (kind == 'n')
            *out++ = '\n';
        else if (kind == 't')
            *out++ = '\t';
        else if (kind == 'r')
            *out++ = '\r';
        else if (kind == '\\' || kind == '/' || kind == '"' || kind == '\'')
            *out++ = kind;
        else if (const int code = kind == 'u' ? hex_number(text, i + 1, 4) : -1; code >= 0) {
            i += 4;
            auto code_point = static_cast<unsigned>(code);
            const int low =
                code_point >= 0xD800 && code_point < 0xDC00 && text.substr(i + 1).starts_with("\\u")
                    ? hex_number(text, i + 3, 4)
                    : -1;
            if (low >= 0xDC00 && low < 0xE000) {
                code_point = 0x10000 + ((code_point - 0xD800) << 10) + (static_cast<unsigned>(low) - 0xDC00);
                i += 6;
            } else if (code_point >= 0xD800 && code_point < 0xE000) {
                code_point = 0xFFFD;
            }
            out = append_utf8(out, code_point);
        } else {
            *out++ = '\\';
            *out++ = kind;
        }
    }
    return arena.commit(begin, static_cast<std::size_t>(out - begin));
}

/// Where the quoted item that opens at text[0] closes, or npos when it is no quoted item after all.
std::size_t closing_quote(std::string_view text) {
    const char quote = text[0];
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == '\\') {
            ++i;
            continue;
        }
        if (text[i] != quote) continue;
        std::size_t next = i + 1;
        while (next < text.size() && is_blank(text[next])) ++next;
        if (next == text.size() || text[next] == ',') return i;
    }
    return std::string_view::npos;
}

}  // namespace

char* TextArena::reserve(std::size_t size_bytes) {
    if (m_blocks.empty() || m_blocks.back().size_bytes - m_blocks.back().used_bytes < size_bytes) {
        const auto size = std::max(block_bytes, size_bytes);
        m_blocks.push_back({std::make_unique_for_overwrite<char[]>(size), size, 0});
    }
    return m_blocks.back().data.get() + m_blocks.back().used_bytes;
}

std::string_view TextArena::commit(const char* begin, std::size_t size_bytes) {
    m_blocks.back().used_bytes += size_bytes;
    m_used_bytes += size_bytes;
    return {begin, size_bytes};
}

std::string_view TextArena::copy(std::string_view text) {
    if (text.empty()) return {};
    char* const begin = reserve(text.size());
    std::memcpy(begin, text.data(), text.size());
    return commit(begin, text.size());
}

void TextArena::clear() {
    m_used_bytes = 0;
    if (m_blocks.empty()) return;
    if (m_blocks.front().size_bytes > block_bytes) {
        m_blocks.clear();
        return;
    }
    m_blocks.resize(1);
    m_blocks.front().used_bytes = 0;
}

bool is_nothing(std::string_view cell) {
    constexpr std::array<std::string_view, 7> words = {"absent", "null", "NULL", "None", "nan", "NaN", "NA"};
    return cell.empty() || std::find(words.begin(), words.end(), cell) != words.end();
}

bool is_true(std::string_view cell) {
    constexpr std::array<std::string_view, 7> words = {"true", "True", "TRUE", "1", "1.0", "t", "yes"};
    return std::find(words.begin(), words.end(), cell) != words.end();
}

std::optional<std::uint64_t> parse_count(std::string_view cell, std::uint64_t count_max) {
    const auto point = std::min(cell.find('.'), cell.size());
    // "12." is no float that anything writes.
    if (point == 0 || point + 1 == cell.size()) return {};
    for (std::size_t i = point + 1; i < cell.size(); ++i)
        if (cell[i] != '0') return {};
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < point; ++i) {
        if (cell[i] < '0' || cell[i] > '9') return {};
        const auto digit = static_cast<std::uint64_t>(cell[i] - '0');
        if (count > count_max / 10 || count * 10 > count_max - digit) return {};
        count = count * 10 + digit;
    }
    return count;
}

bool split_list(std::string_view cell, ListStyle style, TextArena& arena, std::size_t items_max,
                std::vector<std::string_view>& items) {
    std::string_view rest = trimmed(cell);
    if (is_nothing(rest)) return true;
    if (rest.size() >= 2 && rest.front() == '[' && rest.back() == ']') {
        rest.remove_prefix(1);
        rest.remove_suffix(1);
    }
    std::size_t count = 0;
    const auto add = [&](std::string_view item) {
        if (item.empty()) return true;
        if (count == items_max) return false;
        items.push_back(item);
        ++count;
        return true;
    };
    // A quote without its partner would be looked for again behind every comma.
    bool may_be_quoted = true;
    while (!rest.empty()) {
        while (!rest.empty() && (is_blank(rest.front()) || rest.front() == ',')) rest.remove_prefix(1);
        if (rest.empty()) break;
        if (may_be_quoted && (rest.front() == '"' || rest.front() == '\'')) {
            const auto close = closing_quote(rest);
            if (close != std::string_view::npos) {
                if (!add(unescaped(rest.substr(1, close - 1), arena))) return false;
                rest.remove_prefix(close + 1);
                continue;
            }
            may_be_quoted = false;
        }
        std::size_t end = 0;
        for (; end < rest.size(); ++end) {
            if (style == ListStyle::urls && is_blank(rest[end])) break;
            if (rest[end] == ',' && (style == ListStyle::words || begins_url(rest.substr(end + 1)))) break;
        }
        if (!add(trimmed(rest.substr(0, end)))) return false;
        rest.remove_prefix(end);
    }
    return true;
}

}  // namespace unveil
