#include "instruments/interference/answer_look.hpp"

#include <algorithm>
#include <string>

#include "net/ascii_case.hpp"

namespace unveil {
namespace {

bool has_no_blank(std::string_view text) { return std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7F; }); }

}  // namespace

bool is_challenge(std::string_view cf_mitigated, std::string_view datadome, std::string_view title) {
    return !cf_mitigated.empty() || !datadome.empty() || title.starts_with("Just a moment") || title.starts_with("Attention Required!");
}

bool can_be_followed(std::string_view location) {
    if (location.empty() || !has_no_blank(location)) return false;
    const auto scheme_end = location.find("://");
    const auto slash = location.find_first_of("/?#");
    const bool is_absolute = scheme_end != std::string_view::npos && scheme_end + 1 == slash;
    if (!is_absolute && !location.starts_with("//")) return true;   // a path, or relative to one
    if (is_absolute && !is_same_without_case(location.substr(0, scheme_end), "http") && !is_same_without_case(location.substr(0, scheme_end), "https")) return false;
    std::string_view authority = location.substr(is_absolute ? scheme_end + 3 : 2);
    authority = authority.substr(0, authority.find_first_of("/?#"));
    if (const auto at = authority.rfind('@'); at != std::string_view::npos) authority.remove_prefix(at + 1);
    return !authority.empty() && authority.front() != ':' && authority.front() != '.';
}

AnswerLook answer_look(std::span<const std::uint8_t> front, HttpHead& head) {
    if (parse_http_response(front, head) != HttpParse::done) return AnswerLook::unread;
    switch (head.status) {
        case 451: return AnswerLook::geo_block;
        case 403:
        case 429:
        case 503: {
            constexpr std::size_t body_bytes_max = 4'096;
            const std::string body = http_body(front, head, body_bytes_max);
            if (is_challenge(head.header("cf-mitigated"), head.header("x-datadome"), html_title(body))) return AnswerLook::captcha;
            return head.status == 403 ? AnswerLook::geo_block : AnswerLook::other;
        }
        case 301:
        case 302:
        case 303:
        case 307:
        case 308: return can_be_followed(head.header("Location")) ? AnswerLook::other : AnswerLook::broken_redirect;
        default: return AnswerLook::other;
    }
}

}  // namespace unveil
