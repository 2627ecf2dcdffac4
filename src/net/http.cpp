#include "net/http.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "core/text.hpp"
#include "net/ascii_case.hpp"

namespace unveil {
namespace {

constexpr std::size_t head_bytes_max = 64u << 10;
constexpr std::size_t headers_max = 256;
constexpr std::size_t method_bytes_max = 32;
constexpr std::size_t empty_lines_max = 4;
constexpr std::size_t title_search_bytes_max = 64u << 10;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_token_character(char c) {
    return is_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z') || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

std::string_view text_of(std::span<const std::uint8_t> bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

/// Takes a line off the front, its end not included: CR LF, or LF alone (RFC 9112, 2.2). False when there is no end.
bool take_line(std::string_view& text, std::string_view& line) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) return false;
    line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    text.remove_prefix(end + 1);
    return true;
}

bool is_version(std::string_view text) {
    return text.size() == 8 && is_same_without_case(text.substr(0, 5), "HTTP/") && is_digit(text[5]) && text[6] == '.' && is_digit(text[7]);
}

bool read_request_line(std::string_view line, HttpHead& head) {
    const auto method_end = line.find(' ');
    const auto version_begin = line.rfind(' ');
    if (method_end == std::string_view::npos || version_begin == method_end || !is_version(line.substr(version_begin + 1))) return false;
    head.method = line.substr(0, method_end);
    if (head.method.empty() || head.method.size() > method_bytes_max || !std::all_of(head.method.begin(), head.method.end(), is_token_character))
        return false;
    head.target = trimmed(line.substr(method_end, version_begin - method_end));  // blanks within, as some clients send them, stay
    head.version = line.substr(version_begin + 1);
    return true;
}

bool read_status_line(std::string_view line, HttpHead& head) {
    if (line.size() < 12 || !is_version(line.substr(0, 8)) || line[8] != ' ') return false;
    if (line.size() > 12 && line[12] != ' ') return false;
    const auto digits = line.substr(9, 3);
    if (!std::all_of(digits.begin(), digits.end(), is_digit) || digits[0] == '0') return false;
    head.version = line.substr(0, 8);
    head.status = static_cast<unsigned>((digits[0] - '0') * 100 + (digits[1] - '0') * 10 + (digits[2] - '0'));
    head.reason = trimmed(line.substr(12));
    return true;
}

/// Whether a first line without an end so far can become one.
bool may_begin_request(std::string_view text) {
    text = text.substr(0, method_bytes_max + 1);
    const auto method_end = std::find_if_not(text.begin(), text.end(), is_token_character);
    const auto method_bytes = static_cast<std::size_t>(method_end - text.begin());
    if (method_bytes > method_bytes_max) return false;
    return method_end == text.end() || (*method_end == ' ' && method_bytes > 0);
}

bool may_begin_response(std::string_view text) {
    constexpr std::string_view version = "HTTP/";
    const auto size = std::min(text.size(), version.size());
    return is_same_without_case(text.substr(0, size), version.substr(0, size));
}

void clear(HttpHead& head) {
    head.method = head.target = head.version = head.reason = {};
    head.status = 0;
    head.headers.clear();
    head.head_bytes = 0;
}

HttpParse parse_headers(std::string_view& text, HttpHead& head) {
    std::string_view line;
    while (take_line(text, line)) {
        if (line.empty()) return HttpParse::done;
        if (line.front() == ' ' || line.front() == '\t') {  // folded (RFC 9112, 5.2): the value goes on, line end included
            if (head.headers.empty()) return HttpParse::malformed;
            auto& value = head.headers.back().second;
            const auto more = trimmed(line);
            if (!more.empty() && head.headers.size() < headers_max) {
                if (value.empty()) value = more;
                else value = {value.data(), static_cast<std::size_t>(more.data() + more.size() - value.data())};
            }
            continue;
        }
        const auto colon = line.find(':');
        if (colon == 0 || colon == std::string_view::npos) return HttpParse::malformed;
        if (head.headers.size() < headers_max) head.headers.emplace_back(line.substr(0, colon), trimmed(line.substr(colon + 1)));
    }
    return HttpParse::need_more;
}

template <typename ReadLine, typename MayBegin>
HttpParse parse_head(std::span<const std::uint8_t> stream, HttpHead& head, ReadLine read_line, MayBegin may_begin) {
    clear(head);
    const bool is_cut = stream.size() > head_bytes_max;
    const std::string_view all = text_of(stream.first(std::min(stream.size(), head_bytes_max)));
    std::string_view text = all, line;
    for (std::size_t i = 0; i < empty_lines_max && (text.starts_with("\r\n") || text.starts_with('\n')); ++i)
        text.remove_prefix(text.front() == '\r' ? 2 : 1);
    if (text == "\r") return HttpParse::need_more;
    if (!may_begin(text)) return HttpParse::not_http;
    if (!take_line(text, line)) return is_cut ? HttpParse::malformed : HttpParse::need_more;
    if (!read_line(line, head)) {
        clear(head);
        return HttpParse::not_http;
    }
    const HttpParse parse = parse_headers(text, head);
    if (parse == HttpParse::need_more && is_cut) return HttpParse::malformed;
    if (parse == HttpParse::done) head.head_bytes = static_cast<std::uint32_t>(all.size() - text.size());
    return parse;
}

/// As far as the chunks make sense (RFC 9112, 7.1).
std::string joined_chunks(std::string_view text, std::size_t bytes_max) {
    std::string body;
    std::string_view line;
    while (body.size() < bytes_max && take_line(text, line)) {
        line = trimmed(line);
        std::uint64_t size = 0;
        const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), size, 16);
        const bool is_at_end = end == line.data() + line.size();
        if (error != std::errc() || size == 0 || (!is_at_end && *end != ';' && *end != ' ' && *end != '\t')) break;
        const auto chunk = text.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(size, text.size())));
        body.append(chunk.substr(0, bytes_max - body.size()));
        text.remove_prefix(chunk.size());
        if (chunk.size() < size) break;
        if (text.starts_with("\r\n")) text.remove_prefix(2);
        else if (text.starts_with('\n')) text.remove_prefix(1);
        else break;
    }
    return body;
}

/// What can be unpacked; nothing when that is not one byte.
std::string unpacked(std::string_view packed, int window_bits, std::size_t bytes_max) {
    z_stream stream{};
    if (inflateInit2(&stream, window_bits) != Z_OK) return {};
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
    stream.avail_in = static_cast<uInt>(std::min<std::size_t>(packed.size(), UINT32_MAX));
    std::string out;
    std::array<char, 16384> piece;
    int status = Z_OK;
    while (status == Z_OK && out.size() < bytes_max) {
        stream.next_out = reinterpret_cast<Bytef*>(piece.data());
        stream.avail_out = static_cast<uInt>(std::min(piece.size(), bytes_max - out.size()));
        const uInt room = stream.avail_out;
        status = inflate(&stream, Z_NO_FLUSH);
        out.append(piece.data(), room - stream.avail_out);
        if (stream.avail_out == room) break;
    }
    inflateEnd(&stream);
    return out;
}

std::string_view last_item(std::string_view list) {
    const auto comma = list.rfind(',');
    return trimmed(comma == std::string_view::npos ? list : list.substr(comma + 1));
}

std::size_t find_tag(std::string_view text, std::string_view tag, std::size_t from) {
    for (auto at = text.find('<', from); at != std::string_view::npos; at = text.find('<', at + 1)) {
        if (!is_same_without_case(text.substr(at, tag.size()), tag) || at + tag.size() >= text.size()) continue;
        const char next = text[at + tag.size()];
        if (next == '>' || next == '/' || trimmed({&next, 1}).empty()) return at;
    }
    return std::string_view::npos;
}

}  // namespace

std::string_view HttpHead::header(std::string_view name) const {
    for (const auto& [other, value] : headers)
        if (is_same_without_case(other, name)) return value;
    return {};
}

HttpParse parse_http_request(std::span<const std::uint8_t> stream, HttpHead& head) {
    return parse_head(stream, head, read_request_line, may_begin_request);
}

HttpParse parse_http_response(std::span<const std::uint8_t> stream, HttpHead& head) {
    return parse_head(stream, head, read_status_line, may_begin_response);
}

std::string http_body(std::span<const std::uint8_t> stream, const HttpHead& head, std::size_t bytes_max) {
    if (head.head_bytes == 0 || head.head_bytes > stream.size()) return {};
    if (head.status != 0 && (head.status < 200 || head.status == 204 || head.status == 304)) return {};  // RFC 9112, 6.3
    std::string_view text = text_of(stream.subspan(head.head_bytes));
    std::string body;
    const auto length = head.header("Content-Length");
    if (is_same_without_case(last_item(head.header("Transfer-Encoding")), "chunked")) {
        body = joined_chunks(text, bytes_max);
    } else {
        std::uint64_t bytes = head.status == 0 ? 0 : text.size();  // a request without a length has no body
        if (!length.empty()) {
            const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), bytes);
            if (error != std::errc() || end != length.data() + length.size()) bytes = text.size();
        }
        text = text.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(bytes, text.size())));
        body = text.substr(0, bytes_max);
    }
    const auto coding = last_item(head.header("Content-Encoding"));
    std::string plain;
    if (is_same_without_case(coding, "gzip") || is_same_without_case(coding, "x-gzip")) {
        plain = unpacked(body, 15 + 16, bytes_max);
    } else if (is_same_without_case(coding, "deflate")) {
        plain = unpacked(body, 15, bytes_max);
        if (plain.empty()) plain = unpacked(body, -15, bytes_max);  // some servers leave the zlib header out (RFC 9110, 8.4.1.2)
    }
    return plain.empty() ? body : plain;
}

std::string_view html_title(std::string_view body) {
    body = body.substr(0, title_search_bytes_max);
    const auto tag = find_tag(body, "<title", 0);
    if (tag == std::string_view::npos) return {};
    const auto begin = body.find('>', tag);
    if (begin == std::string_view::npos) return {};
    const auto end = find_tag(body, "</title", begin + 1);
    if (end == std::string_view::npos) return {};
    return trimmed(body.substr(begin + 1, end - begin - 1));
}

std::string percent_decoded(std::string_view text) {
    const auto digit = [](char c) {
        if (is_digit(c)) return c - '0';
        const char small = ascii_lower(c);
        return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
    };
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        const int high = text[i] == '%' && i + 2 < text.size() ? digit(text[i + 1]) : -1;
        const int low = high >= 0 ? digit(text[i + 2]) : -1;
        if (low >= 0) {
            out += static_cast<char>(high << 4 | low);
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out;
}

}  // namespace unveil
