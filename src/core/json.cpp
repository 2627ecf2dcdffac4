#include "core/json.hpp"

#include <nlohmann/json.hpp>
#include <string_view>

namespace unveil {

nlohmann::ordered_json read_json(std::string_view text) {
    struct TooDeep {};
    try {
        return nlohmann::ordered_json::parse(
            text,
            [](int depth, nlohmann::ordered_json::parse_event_t, nlohmann::ordered_json&) {
                if (depth > json_depth_max) throw TooDeep{};
                return true;
            },
            false);
    } catch (const TooDeep&) {
        return nlohmann::ordered_json(nlohmann::ordered_json::value_t::discarded);
    }
}

void append_json(const nlohmann::ordered_json& json, std::string& out) {
    const std::string plain = json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
    out.reserve(out.size() + plain.size());
    // These bytes occur in JSON only inside strings, so they can be replaced without knowing where strings
    // begin.
    for (std::size_t i = 0; i < plain.size(); ++i) {
        const char c = plain[i];
        if (c == '<')
            out += "\\u003c";
        else if (c == '>')
            out += "\\u003e";
        else if (c == '&')
            out += "\\u0026";
        else if (c == '\xE2' && std::string_view(plain).substr(i, 3) == "\xE2\x80\xA8")
            out += "\\u2028", i += 2;
        else if (c == '\xE2' && std::string_view(plain).substr(i, 3) == "\xE2\x80\xA9")
            out += "\\u2029", i += 2;
        else
            out += c;
    }
}

std::string json_text(const nlohmann::ordered_json& json) {
    std::string out;
    append_json(json, out);
    return out;
}

}  // namespace unveil
