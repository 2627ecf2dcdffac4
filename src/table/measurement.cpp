#include "table/measurement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "core/text.hpp"

namespace unveil {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

void append_code_point(std::uint32_t point, std::string& out) {
    if (point < 0x80) {
        out += static_cast<char>(point);
    } else if (point < 0x800) {
        out += static_cast<char>(0xC0 | point >> 6);
        out += static_cast<char>(0x80 | (point & 0x3F));
    } else if (point < 0x10000) {
        out += static_cast<char>(0xE0 | point >> 12);
        out += static_cast<char>(0x80 | (point >> 6 & 0x3F));
        out += static_cast<char>(0x80 | (point & 0x3F));
    } else {
        out += static_cast<char>(0xF0 | point >> 18);
        out += static_cast<char>(0x80 | (point >> 12 & 0x3F));
        out += static_cast<char>(0x80 | (point >> 6 & 0x3F));
        out += static_cast<char>(0x80 | (point & 0x3F));
    }
}

/// The four hexadecimal digits at `at`; nothing (above 0xFFFF) when they are none.
std::uint32_t hex_unit(std::string_view text, std::size_t at) {
    constexpr std::uint32_t none = 0x10000;
    if (at + 4 > text.size()) return none;
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data() + at, text.data() + at + 4, value, 16);
    return error == std::errc() && end == text.data() + at + 4 ? value : none;
}

int base64_digit(char c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    if (c == '+') return 62;
    if (c == '/') return 63;
    return -1;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// `word` in lower case.
std::size_t find_word(std::string_view text, std::string_view word, std::size_t from) {
    const auto at = std::search(text.begin() + static_cast<std::ptrdiff_t>(std::min(from, text.size())), text.end(), word.begin(), word.end(),
                                [](char a, char b) { return lower(a) == b; });
    return at == text.end() ? std::string_view::npos : static_cast<std::size_t>(at - text.begin());
}

}  // namespace

void Control::clear() {
    is_present = has_http = false;
    dns_failure = http_failure = title = {};
    dns_addresses.clear();
    connects.clear();
    handshakes.clear();
    addresses.clear();
    body_bytes = -1;
    status = 0;
}

void Measurement::clear() {
    // Everything anew but the memory of the lists.
    Measurement fresh;
    const auto keep = [](auto& of_fresh, auto& own) {
        own.clear();
        of_fresh.swap(own);
    };
    keep(fresh.keys, keys);
    keep(fresh.queries, queries);
    keep(fresh.duplicate_answers, duplicate_answers);
    keep(fresh.answers, answers);
    keep(fresh.connects, connects);
    keep(fresh.handshakes, handshakes);
    keep(fresh.requests, requests);
    keep(fresh.headers, headers);
    keep(fresh.targets, targets);
    keep(fresh.transfers, transfers);
    control.clear();
    std::swap(fresh.control, control);
    *this = std::move(fresh);
}

const TestKey* Measurement::key(std::string_view name) const {
    for (const auto& key : keys)
        if (key.name == name) return &key;
    return nullptr;
}

std::string_view Measurement::text(std::string_view name) const {
    const auto* found = key(name);
    return found && found->kind == TestKey::Kind::text ? found->value : std::string_view();
}

Tristate Measurement::flag(std::string_view name) const {
    const auto* found = key(name);
    if (found && found->kind == TestKey::Kind::yes) return Tristate::yes;
    if (found && found->kind == TestKey::Kind::no) return Tristate::no;
    return Tristate::unknown;
}

double Measurement::number(std::string_view name, double otherwise) const {
    const auto* found = key(name);
    double value = 0;
    if (!found || found->kind != TestKey::Kind::number) return otherwise;
    const auto [end, error] = std::from_chars(found->value.data(), found->value.data() + found->value.size(), value);
    return error == std::errc() ? value : otherwise;
}

std::string_view Measurement::blocking() const {
    const auto* found = key("blocking");
    if (!found || found->kind == TestKey::Kind::null) return {};
    if (found->kind == TestKey::Kind::no) return "false";
    if (found->kind == TestKey::Kind::yes) return "true";
    return found->value;
}

std::string json_pointer(std::string_view list, std::size_t place) { return fmt::format("/test_keys/{}/{}", list, place); }

std::string json_pointer(std::string_view list, std::string_view member) {
    std::string out = fmt::format("/test_keys/{}/", list);
    for (const char c : member) {
        if (c == '~') out += "~0";
        else if (c == '/') out += "~1";
        else out += c;
    }
    return out;
}

void append_unescaped_json(std::string_view escaped, std::size_t bytes_max, std::string& out) {
    const std::size_t end = out.size() + bytes_max;
    for (std::size_t i = 0; i < escaped.size() && out.size() < end;) {
        const auto stop = std::min(escaped.find('\\', i), escaped.size());
        out += escaped.substr(i, std::min(stop - i, end - out.size()));
        i = stop;
        if (i >= escaped.size() || out.size() >= end) break;
        const char what = i + 1 < escaped.size() ? escaped[i + 1] : '\0';
        i += 2;
        switch (what) {
            case 'n': out += '\n'; break;
            case 't': out += '\t'; break;
            case 'r': out += '\r'; break;
            case 'b': out += '\b'; break;
            case 'f': out += '\f'; break;
            case '"':
            case '\\':
            case '/': out += what; break;
            case 'u': {
                const auto unit = hex_unit(escaped, i);
                if (unit > 0xFFFF) {
                    out += replacement;
                    break;
                }
                i += 4;
                if (unit < 0xD800 || unit > 0xDFFF) {
                    append_code_point(unit, out);
                    break;
                }
                const bool is_pair = unit < 0xDC00 && i + 1 < escaped.size() && escaped[i] == '\\' && escaped[i + 1] == 'u';
                const auto second = is_pair ? hex_unit(escaped, i + 2) : 0;
                if (second < 0xDC00 || second > 0xDFFF) {
                    out += replacement;
                    break;
                }
                i += 6;
                append_code_point(0x10000 + ((unit - 0xD800) << 10) + (second - 0xDC00), out);
                break;
            }
            default: out += replacement;
        }
    }
    if (out.size() > end) out.resize(end);
}

bool append_base64(std::string_view text, std::size_t bytes_max, std::string& out) {
    const std::size_t end = out.size() + bytes_max;
    std::uint32_t bits = 0;
    int count = 0;
    for (std::size_t i = 0; i < text.size() && out.size() < end; ++i) {
        const char c = text[i];
        if (c == '\\' && i + 1 < text.size() && (text[i + 1] == 'n' || text[i + 1] == 'r')) {
            ++i;
            continue;
        }
        if (c == '\\' && i + 1 < text.size() && text[i + 1] == '/') continue;
        if (c == '=') return std::all_of(text.begin() + static_cast<std::ptrdiff_t>(i), text.end(), [](char p) { return p == '='; });
        const int digit = base64_digit(c);
        if (digit < 0) return false;
        bits = bits << 6 | static_cast<std::uint32_t>(digit);
        count += 6;
        if (count >= 8) {
            count -= 8;
            out += static_cast<char>(bits >> count & 0xFF);
        }
    }
    // Six bits alone are no byte: a character is missing.
    return count != 6 || out.size() >= end;
}

bool append_http_body(const HttpRequest& request, std::size_t bytes_max, std::string& out) {
    if (request.is_body_base64) return append_base64(request.body_json, bytes_max, out);
    append_unescaped_json(request.body_json, bytes_max, out);
    return true;
}

std::string http_body(const HttpRequest& request, std::size_t bytes_max) {
    std::string out;
    append_http_body(request, bytes_max, out);
    return out;
}

std::string http_title(const HttpRequest& request) {
    constexpr std::size_t head_bytes = 16u << 10;
    const auto head = http_body(request, head_bytes);
    const auto open = find_word(head, "<title", 0);
    if (open == std::string::npos) return {};
    const auto begin = head.find('>', open);
    if (begin == std::string::npos) return {};
    const auto end = find_word(head, "</title", begin);
    if (end == std::string::npos) return {};
    return std::string(trimmed(std::string_view(head).substr(begin + 1, end - begin - 1)));
}

std::string_view host_of_url(std::string_view url) {
    if (const auto scheme = url.find("://"); scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
    url = url.substr(0, url.find_first_of("/?#"));
    if (const auto user = url.rfind('@'); user != std::string_view::npos) url.remove_prefix(user + 1);
    if (url.starts_with('[')) return url.substr(1, std::min(url.find(']'), url.size()) - 1);
    // More than one colon without brackets is an address of version 6 by itself.
    if (std::count(url.begin(), url.end(), ':') == 1) url = url.substr(0, url.find(':'));
    return url;
}

}  // namespace unveil
