#include "instruments/coordination/canonical_url.hpp"

#include <algorithm>
#include <array>

#include "core/text.hpp"

namespace unveil::coordination {
namespace {

// Parameters that name the visitor or the mailing, never the page.
constexpr std::array<std::string_view, 11> tracking_parameters = {"fbclid", "gclid",  "dclid",  "msclkid", "yclid", "igshid",
                                                                  "mc_cid", "mc_eid", "ref_src", "_ga", "ncid"};

bool is_tracking(std::string_view parameter) {
    const auto name = parameter.substr(0, parameter.find('='));
    return name.starts_with("utm_") ||
           std::find(tracking_parameters.begin(), tracking_parameters.end(), name) != tracking_parameters.end();
}

std::string lower_ascii(std::string_view text) {
    std::string lower(text);
    for (char& c : lower)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    return lower;
}

struct Split {
    std::string scheme;  // empty: not an address
    std::string host;    // with port unless it is the default one
    std::string_view rest;
};

Split split(std::string_view url) {
    const auto scheme_end = url.find("://");
    if (scheme_end == std::string_view::npos || scheme_end == 0 || scheme_end > 16) return {};
    Split parts;
    parts.scheme = lower_ascii(url.substr(0, scheme_end));
    url.remove_prefix(scheme_end + 3);
    const auto authority_end = std::min(url.find_first_of("/?#"), url.size());
    auto authority = url.substr(0, authority_end);
    parts.rest = url.substr(authority_end);
    if (const auto user_end = authority.rfind('@'); user_end != std::string_view::npos)
        authority.remove_prefix(user_end + 1);
    parts.host = lower_ascii(authority);
    const auto drop_port = [&](std::string_view port) {
        if (parts.host.ends_with(port)) parts.host.resize(parts.host.size() - port.size());
    };
    if (parts.scheme == "http") drop_port(":80");
    if (parts.scheme == "https") drop_port(":443");
    while (parts.host.ends_with('.')) parts.host.pop_back();
    if (parts.scheme == "http") parts.scheme = "https";
    if (parts.host.empty()) parts.scheme.clear();
    return parts;
}

}  // namespace

std::string canonical_url(std::string_view url) {
    url = trimmed(url);
    const Split parts = split(url);
    if (parts.scheme.empty()) return std::string(url);
    auto rest = parts.rest.substr(0, parts.rest.find('#'));
    const auto query_begin = rest.find('?');
    const auto path = rest.substr(0, query_begin);
    std::string out = parts.scheme + "://" + parts.host;
    out += path.empty() ? "/" : path;
    if (query_begin == std::string_view::npos) return out;
    char separator = '?';
    for (auto query = rest.substr(query_begin + 1); !query.empty();) {
        const auto end = std::min(query.find('&'), query.size());
        const auto parameter = query.substr(0, end);
        if (!parameter.empty() && !is_tracking(parameter)) {
            out += separator;
            out += parameter;
            separator = '&';
        }
        query.remove_prefix(std::min(end + 1, query.size()));
    }
    return out;
}

std::string url_host(std::string_view url) {
    Split parts = split(trimmed(url));
    if (parts.host.starts_with("www.")) parts.host.erase(0, 4);
    return parts.host;
}

}  // namespace unveil::coordination
