// What does an HTTP/1 request ask for, and what does a response say? RFC 9112. Only heads are read here, and as much of a body as is at hand.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace unveil {

enum class HttpParse : std::uint8_t { done, need_more, not_http, malformed };

/// Views into the stream that was parsed.
struct HttpHead {
    std::string_view method;         // of a request
    std::string_view target;
    std::string_view version;        // "HTTP/1.1"
    unsigned status = 0;             // of a response
    std::string_view reason;
    std::vector<std::pair<std::string_view, std::string_view>> headers;   // names as sent, values trimmed; at most 256
    std::uint32_t head_bytes = 0;    // with the empty line
    /// The first value of this name, compared without case; empty when there is none.
    std::string_view header(std::string_view name) const;
};

HttpParse parse_http_request(std::span<const std::uint8_t> stream, HttpHead& head);
HttpParse parse_http_response(std::span<const std::uint8_t> stream, HttpHead& head);

/// As much of the body behind `head` as the stream holds, chunks put together (at most bytes_max), and gzip or deflate unpacked when whole enough.
std::string http_body(std::span<const std::uint8_t> stream, const HttpHead& head, std::size_t bytes_max);
/// The text between <title> and </title>, entities left as they are; empty when there is none in the first 64 KiB.
std::string_view html_title(std::string_view body);
/// %XX decoded; other bytes stay.
std::string percent_decoded(std::string_view text);

}  // namespace unveil
