#include "field/http_spec.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/text.hpp"
#include "field/spans.hpp"

namespace unveil {
namespace {

constexpr std::size_t spec_bytes_max = 1 << 20;

class SpecReader {
  public:
    explicit SpecReader(const std::string& path) : m_path(path) {}
    [[noreturn]] void refuse(const std::string& what) const {
        throw Error(ErrorKind::input, what, "See docs/formats/http-spec.md for an example", printable(m_path, 1000));
    }
    std::string text(const nlohmann::json& json, const char* name, std::string given) const {
        const auto found = json.find(name);
        if (found == json.end()) return given;
        if (!found->is_string()) refuse(fmt::format("'{}' must be text", name));
        return found->get<std::string>();
    }

  private:
    std::string m_path;
};

HttpVerdict read_verdict(const SpecReader& reader, const nlohmann::json& json) {
    if (!json.is_object()) reader.refuse("each of 'verdicts' must be an object");
    HttpVerdict verdict;
    for (const auto& [name, value] : json.items())
        if (name != "status" && name != "pointer" && name != "equals" && name != "contains" && name != "outcome" && name != "retry_after" && name != "warning" && name != "spans")
            reader.refuse(fmt::format("a verdict has no '{}'", printable(name, 40)));
    if (const auto status = json.find("status"); status != json.end()) {
        if (!status->is_number_integer() || *status < 100 || *status > 599) reader.refuse("'status' must be a number from 100 to 599");
        verdict.status = status->get<int>();
    }
    for (const auto& [name, pointer] : {std::pair{"pointer", &verdict.pointer}, {"spans", &verdict.spans}}) {
        *pointer = reader.text(json, name, "");
        try {
            (void)nlohmann::json::json_pointer(*pointer);
        } catch (const nlohmann::json::exception&) {
            reader.refuse(fmt::format("'{}' is no JSON pointer", printable(*pointer, 80)));
        }
    }
    if (json.contains("equals")) {
        if (verdict.pointer.empty()) reader.refuse("'equals' needs a 'pointer'");
        const auto& equals = json["equals"];
        verdict.equals = equals.is_string() ? equals.get<std::string>() : json_text(equals);
    }
    verdict.contains = reader.text(json, "contains", "");
    if (!parse_outcome(reader.text(json, "outcome", ""), verdict.outcome))
        reader.refuse("'outcome' of a verdict must be passed, blocked, partial, rejected, banned or error");
    if (const auto seconds = json.find("retry_after"); seconds != json.end()) {
        if (!seconds->is_number_integer() || *seconds < 1 || *seconds > 3600) reader.refuse("'retry_after' must be a number of seconds from 1 to 3600");
        if (verdict.outcome != Outcome::rejected) reader.refuse("'retry_after' needs the outcome rejected");
        verdict.retry_after_us = seconds->get<std::int64_t>() * 1'000'000;
    }
    if (const auto warning = json.find("warning"); warning != json.end()) {
        if (!warning->is_boolean()) reader.refuse("'warning' must be true or false");
        verdict.has_warning = warning->get<bool>();
    }
    if (!verdict.spans.empty() && verdict.outcome != Outcome::partial) reader.refuse("'spans' goes with the outcome partial");
    return verdict;
}

void append_url(std::string_view text, std::string& out) {
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool is_plain = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') || byte == '-' || byte == '.' || byte == '_' || byte == '~';
        if (is_plain) out += c;
        else out += fmt::format("%{:02X}", byte);
    }
}

}  // namespace

HttpSpec parse_http_spec(std::string_view bytes, const std::string& path) {
    const SpecReader reader(path);
    const nlohmann::json json = read_json(bytes);
    if (json.is_discarded() || !json.is_object()) reader.refuse("is no JSON object");
    for (const auto& [name, value] : json.items())
        if (name != "url" && name != "method" && name != "headers" && name != "body" && name != "verdicts") reader.refuse(fmt::format("there is no '{}'", printable(name, 40)));
    HttpSpec spec;
    const std::string url = reader.text(json, "url", "");
    const std::size_t host = url.starts_with("http://") ? 7 : url.starts_with("https://") ? 8 : 0;
    if (host == 0 || url.size() == host || url[host] == '/') reader.refuse("'url' must begin with http:// or https:// and a host");
    const std::size_t slash = std::min(url.find('/', host), url.size());
    spec.origin = url.substr(0, slash);
    spec.target = slash == url.size() ? "/" : url.substr(slash);
    spec.method = reader.text(json, "method", "POST");
    if (spec.method != "POST" && spec.method != "GET" && spec.method != "PUT") reader.refuse("'method' must be GET, POST or PUT");
    spec.body = reader.text(json, "body", "");
    if (const auto headers = json.find("headers"); headers != json.end()) {
        if (!headers->is_object()) reader.refuse("'headers' must be an object");
        for (const auto& [name, value] : headers->items()) {
            if (!value.is_string()) reader.refuse(fmt::format("the header '{}' must be text", printable(name, 40)));
            std::string text = value.get<std::string>();
            // Secrets stay out of files that are shared.
            if (text.starts_with("env:")) {
                const char* found = std::getenv(text.c_str() + 4);
                if (found == nullptr) reader.refuse(fmt::format("the variable {} of the header '{}' is not set", printable(text.substr(4), 80), printable(name, 40)));
                text = found;
            }
            if (name.empty() || (name + text).find_first_of("\r\n") != std::string::npos) reader.refuse(fmt::format("the header '{}' has a line break or no name", printable(name, 40)));
            spec.headers[name] = std::move(text);
        }
    }
    const auto verdicts = json.find("verdicts");
    if (verdicts == json.end() || !verdicts->is_array() || verdicts->empty()) reader.refuse("'verdicts' must be a list that says what answers mean");
    for (const auto& verdict : *verdicts) spec.verdicts.push_back(read_verdict(reader, verdict));
    if (spec.target.find("{{text") == std::string::npos && spec.body.find("{{text") == std::string::npos)
        reader.refuse("neither 'url' nor 'body' holds {{text}}: every message would be the same");
    return spec;
}

HttpSpec read_http_spec(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw Error(ErrorKind::input, "the file cannot be read", "Check its name", printable(path, 1000));
    std::string bytes(spec_bytes_max + 1, '\0');
    file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    bytes.resize(static_cast<std::size_t>(file.gcount()));
    if (bytes.size() > spec_bytes_max) throw Error(ErrorKind::input, fmt::format("the file is larger than {} bytes", spec_bytes_max), "Give a description of a service", printable(path, 1000));
    return parse_http_spec(bytes, path);
}

std::string filled(std::string_view text_template, const Message& message) {
    std::string out;
    while (!text_template.empty()) {
        const auto begin = text_template.find("{{");
        const auto end = begin == std::string_view::npos ? begin : text_template.find("}}", begin);
        if (end == std::string_view::npos) break;
        out += text_template.substr(0, begin);
        const std::string_view name = text_template.substr(begin + 2, end - begin - 2);
        const auto bar = std::min(name.find('|'), name.size());
        const std::string_view what = name.substr(0, bar);
        const std::string_view how = bar == name.size() ? std::string_view() : name.substr(bar + 1);
        if (what != "text" && what != "context" && what != "account") {
            out += text_template.substr(begin, end + 2 - begin);
        } else {
            const std::string& value = what == "text" ? message.input : what == "context" ? message.context : message.account;
            if (how == "json") out += json_text(value);
            else if (how == "url") append_url(value, out);
            else out += value;
        }
        text_template.remove_prefix(end + 2);
    }
    return out += text_template;
}

Reply judge_http(const HttpSpec& spec, int status, std::string_view body, std::size_t message_bytes) {
    Reply reply;
    reply.raw = body;
    std::optional<nlohmann::json> parsed;
    /// What stands there in the body; none where nothing does.
    const auto at = [&](const std::string& pointer) -> const nlohmann::json* {
        if (!parsed) parsed = read_json(body);
        const nlohmann::json::json_pointer place(pointer);
        return parsed->is_discarded() || !parsed->contains(place) ? nullptr : &(*parsed)[place];
    };
    for (const HttpVerdict& verdict : spec.verdicts) {
        if (verdict.status && *verdict.status != status) continue;
        if (!verdict.contains.empty() && body.find(verdict.contains) == std::string_view::npos) continue;
        if (!verdict.pointer.empty()) {
            const nlohmann::json* there = at(verdict.pointer);
            if (there == nullptr) continue;
            if (verdict.equals && (there->is_string() ? there->get<std::string>() : json_text(*there)) != *verdict.equals) continue;
        }
        reply.outcome = verdict.outcome;
        reply.retry_after_us = verdict.retry_after_us;
        reply.has_warning = verdict.has_warning;
        const nlohmann::json* told = verdict.spans.empty() ? nullptr : at(verdict.spans);
        if (told == nullptr) return reply;
        if (auto spans = read_spans(*told, message_bytes)) {
            reply.spans = std::move(*spans);
            return reply;
        }
        reply.outcome = Outcome::error;
        reply.problem = fmt::format("answered with spans that are no list of [begin, end] within the message: {}", printable(json_text(*told), 120));
        return reply;
    }
    reply.outcome = Outcome::error;
    reply.problem = fmt::format("got status {} and an answer that no verdict fits: {}", status, printable(body, 120));
    return reply;
}

}  // namespace unveil
