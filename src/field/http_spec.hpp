// How is a message sent to a service that speaks HTTP, and what does its answer mean? Described in a file, so that no service needs code.
// docs/formats/http-spec.md.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "experiment/experiment.hpp"
#include "field/driver.hpp"

namespace unveil {

/// Fits when all conditions that are given fit.
struct HttpVerdict {
    std::optional<int> status;
    std::string pointer;                   // JSON pointer into the body; empty: none
    std::optional<std::string> equals;     // what stands there, as text; without it the pointer must exist
    std::string contains;                  // bytes of the body
    Outcome outcome = Outcome::error;
    std::int64_t retry_after_us = 0;       // of rejected: not for its length, but because it came too fast
    bool has_warning = false;              // and the account was told off
    std::string spans;                     // of partial: JSON pointer to [[begin, end], ...], bytes of the message that were left out; empty: not told
};

struct HttpSpec {
    std::string origin;       // "https://host:port"
    std::string target;       // "/path?query", a template
    std::string method = "POST";
    std::map<std::string, std::string> headers;
    std::string body;         // a template
    std::vector<HttpVerdict> verdicts;   // the first that fits counts
};

/// Throws Error(input) with what is wrong and where. Header values "env:NAME" are read from the environment.
HttpSpec parse_http_spec(std::string_view json, const std::string& path);
HttpSpec read_http_spec(const std::string& path);

/// {{text}}, {{context}} and {{account}} as they are, {{text|json}} as a JSON string with its quotes, {{text|url}} percent-encoded.
std::string filled(std::string_view text_template, const Message& message);

/// What the first verdict that fits says; outcome `error` with a problem when none does, or spans are not within the message.
Reply judge_http(const HttpSpec& spec, int status, std::string_view body, std::size_t message_bytes);

/// Sends over HTTP/1.1, with TLS and its certificates checked for https. Status 429 or 503 with Retry-After is a message that came too fast. What went wrong before a connection stood is an error; later the message counts as unknown.
std::unique_ptr<Driver> make_http_driver(HttpSpec spec, std::int64_t timeout_us);

}  // namespace unveil
