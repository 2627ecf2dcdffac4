// Written after the published scorer, with its oddities: what is compared with OONI must be what OONI does.
#include <algorithm>
#include <charconv>

#include "core/time.hpp"
#include "instruments/interference/ooni_scorers.hpp"

namespace unveil::interference {
namespace {

constexpr std::size_t body_bytes_max = 8u << 20;

/// As Python's base64.b64decode: other characters are passed over, only the padding must be right.
bool decode_as_python(std::string_view text, std::string& out) {
    std::string kept;
    std::size_t padding = 0;
    for (const char c : text) {
        const bool is_digit = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
        if (c == '=' && kept.size() % 4 >= 2 && ++padding >= 4 - kept.size() % 4) return append_base64(kept, SIZE_MAX / 2, out);
        if (!is_digit) continue;
        padding = 0;
        kept += c;
    }
    return kept.size() % 4 == 0 && append_base64(kept, SIZE_MAX / 2, out);
}

struct Version {
    std::vector<std::uint64_t> release;
    bool is_before_release = false;
    bool is_understood = false;
};

/// Of PEP 440 what OONI's versions need: numbers with dots, and whether a word for an early version follows.
Version version_of(std::string_view text) {
    Version out;
    if (text.starts_with('v')) text.remove_prefix(1);
    while (!text.empty()) {
        std::uint64_t number = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (error != std::errc()) return out;
        out.release.push_back(number);
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));
        if (!text.starts_with('.') || text.size() < 2 || text[1] < '0' || text[1] > '9') break;
        text.remove_prefix(1);
    }
    if (out.release.empty()) return out;
    while (!out.release.empty() && out.release.back() == 0) out.release.pop_back();
    if (text.starts_with('-') || text.starts_with('.') || text.starts_with('_')) text.remove_prefix(1);
    if (text.empty()) {
        out.is_understood = true;
        return out;
    }
    for (const std::string_view word : {"alpha", "beta", "preview", "pre", "dev", "rc", "a", "b", "c"})
        if (text.starts_with(word)) {
            out.is_before_release = true;
            const auto rest = text.substr(word.size());
            out.is_understood = std::all_of(rest.begin(), rest.end(), [](char c) { return (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_'; });
            return out;
        }
    return out;
}

bool is_less(const Version& a, const Version& b) {
    if (a.release != b.release) return a.release < b.release;
    return a.is_before_release && !b.is_before_release;
}

std::int64_t day_us(std::string_view day) { return parse_time_us(day).value_or(0); }

struct Reached {
    std::uint64_t yes = 0;
    std::uint64_t no = 0;
};

Reached reached_endpoints(const Measurement& m) {
    Reached out;
    for (const auto& connect : m.connects) {
        out.yes += connect.success == Tristate::yes;
        out.no += connect.success == Tristate::no;
    }
    return out;
}

void score_facebook(const Measurement& m, FastpathScore& score) {
    constexpr std::string_view consistent[] = {
        "facebook_b_api_dns_consistent", "facebook_b_api_reachable", "facebook_b_graph_dns_consistent", "facebook_b_graph_reachable",
        "facebook_edge_dns_consistent", "facebook_edge_reachable", "facebook_external_cdn_dns_consistent", "facebook_external_cdn_reachable",
        "facebook_scontent_cdn_dns_consistent", "facebook_scontent_cdn_reachable", "facebook_star_dns_consistent", "facebook_star_reachable",
        "facebook_stun_dns_consistent"};
    constexpr std::string_view all_but_cdn[] = {
        "facebook_b_api_dns_consistent", "facebook_b_api_reachable", "facebook_b_graph_dns_consistent", "facebook_b_graph_reachable",
        "facebook_dns_blocking", "facebook_edge_dns_consistent", "facebook_edge_reachable", "facebook_star_dns_consistent", "facebook_star_reachable",
        "facebook_stun_dns_consistent"};
    const bool is_known_bug = std::all_of(std::begin(all_but_cdn), std::end(all_but_cdn), [&](auto key) { return m.flag(key) == Tristate::yes; }) &&
                              m.flag("facebook_tcp_blocking") == Tristate::no;
    if (is_known_bug) return;
    for (const auto key : consistent)
        if (m.flag(key) == Tristate::no) score.general += 0.5;
    for (const std::string_view key : {"facebook_tcp_blocking", "facebook_dns_blocking"})
        if (m.flag(key) == Tristate::yes) score.general += 0.5;
}

void score_telegram(const Measurement& m, FastpathScore& score) {
    std::uint64_t fetched = 0;
    std::uint64_t failed = 0;
    for (const auto& request : m.requests) {
        if (!request.has_url) {
            score.accuracy = 0;
            return;
        }
        if (request.url == "https://web.telegram.org/" || request.url == "http://web.telegram.org/") continue;
        (request.failure.empty() ? fetched : failed) += 1;
    }
    const auto share = [](std::uint64_t bad, std::uint64_t good) {
        return bad + good > 0 ? static_cast<double>(bad) / static_cast<double>(bad + good) : 0.5;
    };
    const auto endpoints = reached_endpoints(m);
    score.general = share(endpoints.no, endpoints.yes) + share(failed, fetched);
    if (m.text("telegram_web_status") == "blocked") score.general += 1;
}

void score_header_fields(const Measurement& m, FastpathScore& score) {
    using Echo = Measurement::Echo;
    if (m.echo == Echo::none) score.accuracy = 0;
    else if (m.echo == Echo::no_body || m.echo == Echo::malformed) score.general = 1;
    else if (m.echo == Echo::changed) score.general = 1.1;
}

void score_whatsapp(const Measurement& m, FastpathScore& score) {
    if (m.has_unknown_failure) score.accuracy = 0;
    if (m.text("whatsapp_web_failure").find("unknown_failure 'ascii' co") != std::string_view::npos || m.requests.empty()) {
        score.accuracy = 0;
        return;
    }
    auto web = Tristate::unknown;
    auto registration = Tristate::unknown;
    for (const auto& request : m.requests) {
        const auto is_fine = request.failure.empty() ? Tristate::yes : Tristate::no;
        if (request.url == "https://web.whatsapp.com/") web = is_fine;
        else if (request.url == "https://v.whatsapp.net/v2/register") registration = is_fine;
    }
    if (web == Tristate::unknown || registration == Tristate::unknown) {
        score.accuracy = 0;
        return;
    }
    if (web != Tristate::yes || registration != Tristate::yes) {
        score.general = 1;
        return;
    }
    const auto endpoints = reached_endpoints(m);
    if (endpoints.yes + endpoints.no == 0) score.accuracy = 0;
    else if (endpoints.yes == 0) score.general = 1;
    score.analysis = {{"registration_server_accessible", registration},
                      {"whatsapp_web_accessible", web},
                      {"whatsapp_endpoints_accessible", endpoints.yes > 0 ? Tristate::yes : Tristate::no}};
}

void score_vanilla_tor(const Measurement& m, FastpathScore& score) {
    if (!m.has_tor_log) {
        score.accuracy = 0;
        return;
    }
    const auto progress = std::clamp(m.number("tor_progress", 0), 0.0, 100.0);
    if (m.is_tor_log_done || progress == 100) return;
    score.general = 1.0 - progress * 0.004;
}

bool is_confirmed(std::string_view country, const Fingerprint& fingerprint) {
    if (country != "ZZ" && std::find(fingerprint.countries.begin(), fingerprint.countries.end(), country) != fingerprint.countries.end()) return true;
    return fingerprint.scope == "isp" || fingerprint.scope == "nat";
}

/// False for a body in broken base64, which ends the matching.
bool match_response(const Measurement& m, const HttpRequest& request, const FingerprintSet& fingerprints, std::string& body,
                    std::vector<std::uint32_t>& matches) {
    if (fingerprints.empty()) return true;
    const auto add = [&](const std::vector<std::uint32_t>& places) { matches.insert(matches.end(), places.begin(), places.end()); };
    if (request.has_body) {
        body.clear();
        if (request.is_body_base64) {
            std::string text;
            append_unescaped_json(request.body_json, body_bytes_max, text);
            if (!decode_as_python(text, body)) return false;
        } else {
            append_unescaped_json(request.body_json, body_bytes_max, body);
        }
        add(fingerprints.of_body(body));
    }
    for (const auto& header : m.headers_of(request)) {
        std::string name(header.name);
        for (char& c : name)
            if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        std::string decoded;
        if (header.is_base64 && !decode_as_python(header.value, decoded)) return false;
        for (const auto place : fingerprints.of_header(name, header.is_base64 ? std::string_view(decoded) : header.value)) {
            // It knows whole values and beginnings only.
            if (fingerprints.at(place).match != Fingerprint::Match::contains) matches.push_back(place);
        }
    }
    return true;
}

void confirm(const Measurement& m, const FingerprintSet& fingerprints, FastpathScore& score) {
    std::string country(m.country.empty() ? std::string_view("ZZ") : m.country);
    for (char& c : country)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    for (const auto place : score.fingerprints) {
        const auto& fingerprint = fingerprints.at(place);
        if (!is_confirmed(country, fingerprint)) continue;
        score.is_confirmed = true;
        if (fingerprint.scope == "inst") score.local = 1;
        else if (fingerprint.scope == "isp") score.isp = 1;
        else if (fingerprint.scope == "nat") score.country = 1;
        else score.general = 1;
    }
}

void score_web_connectivity(const Measurement& m, const FingerprintSet& fingerprints, FastpathScore& score) {
    if (!m.has_test_keys) {
        score.accuracy = 0;
        return;
    }
    bool is_broken = false;
    if (!fingerprints.empty()) {
        for (const auto& query : m.queries)
            for (const auto& answer : m.answers_of(query)) {
                const auto places = fingerprints.of_answer(answer);
                score.fingerprints.insert(score.fingerprints.end(), places.begin(), places.end());
            }
        std::string body;
        for (const auto& request : m.requests)
            if (request.has_response && !match_response(m, request, fingerprints, body, score.fingerprints)) {
                is_broken = true;
                score.fingerprints.clear();
                break;
            }
    }
    confirm(m, fingerprints, score);
    const auto* title = m.key("title_match");
    if (title && title->kind != TestKey::Kind::yes && title->kind != TestKey::Kind::no && title->kind != TestKey::Kind::null) {
        score.accuracy = 0;
        return;
    }
    const auto blocking = m.blocking();
    if (blocking == "tcp_ip" || blocking == "dns" || blocking == "http-diff" || blocking == "http-failure") {
        score.general = 1;
        score.blocking_type = blocking;
    } else if (blocking.empty()) {
        if (score.fingerprints.empty()) score.accuracy = 0;
    } else if (blocking != "false") {
        score.accuracy = 0;
    }
    if (m.has_unknown_failure || is_broken) score.accuracy = 0;
    score.general += score.country + score.global + score.isp + score.local;
    const auto* accessible = m.key("accessible");
    if (accessible && accessible->kind == TestKey::Kind::null && score.fingerprints.empty()) score.accuracy = 0;
}

void score_dash(const Measurement& m, FastpathScore& score) {
    if (m.keys.empty() && !m.has_test_keys) {
        score.accuracy = 0;
        return;
    }
    const auto failure = m.text("failure");
    if (failure.empty()) return;
    score.accuracy = 0;
    constexpr std::string_view known[] = {"connection_aborted", "json_parse_error", "eof_error", "json_processing_error", "http_request_failed",
                                          "connect_error", "generic_timeout_error", "broken_pipe", "connection_refused"};
    if (std::find(std::begin(known), std::end(known), failure) != std::end(known) || failure.find("ssl_error") != std::string_view::npos)
        score.general = 0.1;
}

void score_meek(const Measurement& m, FastpathScore& score) {
    if (m.requests.empty()) {
        score.general = 1;
        score.accuracy = 0;
        return;
    }
    for (const auto& request : m.requests) {
        if (!request.has_response || request.status != 200) {
            score.general = 1;
            return;
        }
        std::string_view server;
        for (const auto& header : m.headers_of(request))
            if (header.name == "Server") server = header.value;
        if (!server.starts_with("ECAcc ")) score.general += 0.5;
    }
}

void score_tor(const Measurement& m, FastpathScore& score) {
    if (m.targets.empty() || m.has_target_list) {
        score.accuracy = 0;
        return;
    }
    double blocked = 0;
    double reached = 0;
    for (const auto& target : m.targets) {
        if (target.state == TestTarget::State::unclear || !target.has_network_events) {
            score.accuracy = 0;
            score.general = 0;
            return;
        }
        blocked += target.state == TestTarget::State::failed;
        reached += target.state == TestTarget::State::reached;
    }
    if (blocked + reached > 0) score.general = blocked / (blocked + reached);
    else score.accuracy = 0;
}

void score_http_requests(const Measurement& m, const FingerprintSet& fingerprints, FastpathScore& score) {
    const auto length = m.flag("body_length_match");
    const auto headers = m.flag("headers_match");
    if (length == Tristate::unknown || headers == Tristate::unknown) {
        score.accuracy = 0;
        return;
    }
    if (length == Tristate::no || headers == Tristate::no) score.general = 1;
    std::string body;
    for (const auto& request : m.requests)
        if (!request.is_over_tor && request.has_response && !match_response(m, request, fingerprints, body, score.fingerprints)) score.accuracy = 0;
    confirm(m, fingerprints, score);
}

void score_signal(const Measurement& m, FastpathScore& score) {
    // A member that is missing counts as true.
    const auto is_set = [&](std::string_view name) {
        const auto* key = m.key(name);
        if (!key) return true;
        return key->kind == TestKey::Kind::yes || (key->kind == TestKey::Kind::text && !key->value.empty()) ||
               (key->kind == TestKey::Kind::number && m.number(name, 0) != 0);
    };
    if (is_set("failed_operation") || is_set("failure")) score.accuracy = 0;
    const auto version = version_of(m.test_version.empty() ? "0.0.0" : m.test_version);
    const auto engine = version_of(m.engine_version.empty() ? "0.0.0" : m.engine_version);
    const bool is_wrong = !m.has_start || m.test_version == "0.2.4" || !version.is_understood ||
                          (!is_less(version_of("0.2.3"), version) && m.start_us >= day_us("2023-11-07")) ||
                          (is_less(version, version_of("0.2.2")) && m.start_us >= day_us("2022-10-19")) || !engine.is_understood ||
                          (is_less(engine, version_of("3.17.2")) && m.start_us >= day_us("2023-05-02"));
    if (is_wrong) {
        score.accuracy = 0;
        return;
    }
    const auto status = m.text("signal_backend_status");
    if (status == "blocked") score.general = 1;
    else if (status != "ok") score.accuracy = 0;
}

/// The id of a measurement begins with when it was handed in; that shows clocks that are wrong.
void flag_wrong_date(const Measurement& m, FastpathScore& score) {
    const auto id = m.measurement_uid;
    if (!id.starts_with("20") || id.size() < 22 || !m.has_start || id[14] != '.' || id[21] != '_') return;
    std::string written(id.substr(0, 4));
    written += '-';
    written += id.substr(4, 2);
    written += '-';
    written += id.substr(6, 2);
    written += 'T';
    written += id.substr(8, 2);
    written += ':';
    written += id.substr(10, 2);
    written += ':';
    written += id.substr(12, 9);
    const auto received_us = parse_time_us(written);
    if (!received_us) return;
    constexpr std::int64_t hour_us = 3'600'000'000;
    constexpr std::int64_t year_us = 365 * 24 * hour_us;
    const auto late_us = *received_us - m.start_us;
    if (late_us < -hour_us || late_us > year_us) score.accuracy = 0;
}

}  // namespace

FastpathScore score_fastpath(const Measurement& m, const FingerprintSet& fingerprints) {
    FastpathScore score;
    const auto name = m.test_name;
    score.is_discarded = !m.has_report_id || m.country == "ZZ" || m.country == "zz" || m.asn == 0;
    if (name == "telegram") score_telegram(m, score);
    else if (name == "facebook_messenger") score_facebook(m, score);
    else if (name == "http_header_field_manipulation") score_header_fields(m, score);
    else if (name == "http_invalid_request_line") {
        if (m.lines_sent + m.lines_received == 0) score.accuracy = 0;
        else if (m.lines_changed > 0) score.general = 1;
    } else if (name == "whatsapp") score_whatsapp(m, score);
    else if (name == "vanilla_tor") score_vanilla_tor(m, score);
    else if (name == "web_connectivity") score_web_connectivity(m, fingerprints, score);
    else if (name == "ndt" || name == "riseupvpn") score.is_scored = false;
    else if (name == "tcp_connect") {
        const auto result = m.text("connection");
        const bool is_usual = result == "generic_timeout_error" || result == "connection_refused_error" || result == "connect_error" ||
                              result == "tcp_timed_out_error";
        score.general = result == "success" ? 0 : is_usual ? 0.8 : 1;
    } else if (name == "dash") score_dash(m, score);
    else if (name == "meek_fronted_requests_test") score_meek(m, score);
    else if (name == "psiphon") {
        const bool has_failed = !m.text("failure").empty();
        score.accuracy = !has_failed && m.number("bootstrap_time", 0) == 0 ? 0 : 1;
        if (has_failed) score.general = 1;
        if (m.resolver_address.empty()) score.accuracy = 0;
    } else if (name == "tor") score_tor(m, score);
    else if (name == "http_requests") score_http_requests(m, fingerprints, score);
    else if (name == "dns_consistency") {
        // It gives no score but zeros.
    } else if (name == "signal") score_signal(m, score);
    else if (name == "stunreachability") score.general = m.text("failure").empty() ? 0 : 1;
    else if (name == "torsf") {
        if (m.software_version == "3.8.3" && m.software_name.starts_with("ooniprobe-android")) score.accuracy = 0;
        else if (!m.text("failure").empty()) score.general = 1;
    } else if (name == "openvpn") {
        const auto success = m.flag("success");
        if (success == Tristate::no) score.general = 1;
        else if (success == Tristate::unknown) score.accuracy = 0;
    } else if (name == "browser_web") {
        const auto result = m.text("result");
        if (result == "error") score.general = 1;
        else if (result != "ok") score.accuracy = 0;
    } else {
        score.accuracy = 0;
    }
    flag_wrong_date(m, score);
    return score;
}

}  // namespace unveil::interference
