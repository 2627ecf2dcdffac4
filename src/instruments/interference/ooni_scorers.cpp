#include "instruments/interference/answer_look.hpp"
#include "instruments/interference/ooni_scorers.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "net/packet.hpp"

namespace unveil::interference {
namespace {

using Text = std::string_view;

struct Block {
    std::uint32_t address;
    std::uint32_t bits;
};
// IANA's registry of special-purpose addresses, https://www.iana.org/assignments/iana-ipv4-special-registry.
constexpr Block special_v4[] = {{0x00000000, 8},  {0x0A000000, 8},  {0x64400000, 10}, {0x7F000000, 8},  {0xA9FE0000, 16}, {0xAC100000, 12},
                                {0xC0000000, 24}, {0xC0000200, 24}, {0xC0A80000, 16}, {0xC6120000, 15}, {0xC6336400, 24}, {0xCB007100, 24},
                                {0xE0000000, 4},  {0xF0000000, 4}};

// Weights are ranks that were set by hand: of two rules the one that speaks more for blocking has the higher weight. How often each is right is
// measured with planted worlds and with the labelled measurements of OONI's own emulator; no probability is claimed.
constexpr ScoringRule rules[] = {
    {"dns.fingerprint", {1, 0, 0}, "block-page address", "An answer is a known address of block pages of this country."},
    {"dns.tls_consistent", {0, 0, 1}, "", "An address of the system's resolver completed a valid handshake for the name, so the answer is right."},
    {"dns.other_address_that_serves_the_site", {0.15, 0, 0.85}, "",
     "The address is none that the control got, and lies in the probe's own network, yet it serves the site. A cache of the site or a proxy between."},
    {"dns.bogon_not_in_control", {0.95, 0.05, 0}, "bogon", "An address that no public name has, which the control did not get."},
    {"dns.bogon_in_control", {0.05, 0.95, 0}, "", "An address that no public name has, for the control too: the name is set up wrongly."},
    {"dns.racing_answers", {0.85, 0, 0.15}, "second answer", "One question, two answers with different addresses, and the first is none of the control's."},
    {"dns.answer_for_missing_name", {0.65, 0.35, 0}, "answer for a name that is gone",
     "The control says that there is no such name, an independent resolver as well, the local ones give an address."},
    {"dns.tls_inconsistent", {0.9, 0.05, 0.05}, "false address", "The address is none of the control's, and its certificate is not the site's."},
    {"dns.unmatched_and_dead", {0.8, 0.1, 0.1}, "false address", "The address is none of the control's, not of its networks, and nothing answers there."},
    {"dns.unmatched_and_other_page", {0.85, 0, 0.15}, "false address", "The address is none of the control's, and the page there is another one."},
    {"dns.resolvers_disagree", {0.6, 0, 0.4}, "false address",
     "The address is none of the control's, and an encrypted question from the same place brought one that is."},
    {"dns.unmatched", {0.3, 0, 0.7}, "", "The address is none of the control's nor of its networks; content networks do that all the time."},
    {"dns.matches_control", {0, 0, 0.95}, "", "The control got the same address."},
    {"dns.network_matches_control", {0.05, 0, 0.9}, "", "The address lies in a network of the control's addresses."},
    {"dns.no_control", {0, 0, 0}, "", "There is an answer and nothing to compare it with."},
    {"dns.fails_in_control_too", {0.05, 0.95, 0}, "", "The name has no answer for the control either."},
    {"dns.nxdomain_control_ok", {0.9, 0.1, 0}, "no such name", "The resolver says that there is no such name, the control got addresses."},
    {"dns.encrypted_says_the_same", {0.2, 0.3, 0}, "",
     "No such name, or an address that no public name has, but an encrypted question from the same place brought no better: it is not made on the way."},
    {"dns.system_fails_others_ok", {0.75, 0.05, 0.2}, "resolver fails", "The system's resolver fails; other resolvers, asked from the same place, answer."},
    {"dns.failure_control_ok", {0.65, 0.25, 0.1}, "resolver fails", "The question fails, the control got addresses."},
    {"dns.failure_no_control", {0.3, 0.3, 0}, "", "The question fails, and there is no control."},
    {"dns.hop_fails_control_ok", {0.7, 0.25, 0}, "no such name", "A name that the site leads to cannot be resolved, while the control got through to the page."},
    {"tcp.connected", {0, 0, 1}, "", "An address that can be trusted accepts connections."},
    {"tcp.v6_broken", {0, 0, 0}, "", "Every address of version 6 fails and one of version 4 works: the probe has no working IPv6."},
    {"tcp.address_not_trusted", {0, 0, 0}, "", "The addresses come from answers that look false, so what happens there says nothing of the site."},
    {"tcp.reset_control_ok", {0.8, 0.2, 0}, "reset", "The connection is refused or reset; the control connects to the same address."},
    {"tcp.timeout_control_ok", {0.75, 0.25, 0}, "timeout", "The connection gets no answer; the control connects to the same address."},
    {"tcp.fails_in_control_too", {0.1, 0.9, 0}, "", "Neither the probe nor the control can connect."},
    {"tcp.hop_fails_control_ok", {0.7, 0.3, 0}, "unreachable", "An address that the site leads to cannot be reached, while the control got through to the page."},
    {"tcp.failure_no_control", {0.35, 0.35, 0}, "", "The connection fails, and there is no control for the address."},
    {"tls.valid", {0, 0, 1}, "", "A handshake with a valid certificate for the name."},
    {"tls.interception", {0.9, 0.1, 0}, "other certificate", "The certificate is not the site's, while the control gets a good one from the same address."},
    {"tls.reset_control_ok", {0.85, 0.15, 0}, "reset", "The connection is reset in the handshake; the control completes one with the same address."},
    {"tls.closed_control_ok", {0.75, 0.25, 0}, "closed", "The connection is closed in the handshake; the control completes one with the same address."},
    {"tls.timeout_control_ok", {0.75, 0.25, 0}, "timeout", "The handshake gets no answer; the control completes one with the same address."},
    {"tls.failure_control_ok", {0.6, 0.4, 0}, "handshake fails", "The handshake fails; the control completes one with the same address."},
    {"tls.fails_in_control_too", {0.05, 0.95, 0}, "", "The handshake fails for the control as well, a certificate that is bad by itself."},
    {"tls.hop_reset_control_ok", {0.8, 0.2, 0}, "reset", "The handshake with what the site leads to is reset, while the control got through to the page."},
    {"tls.hop_closed_control_ok", {0.7, 0.3, 0}, "closed", "The handshake with what the site leads to is closed, while the control got through to the page."},
    {"tls.hop_timeout_control_ok", {0.7, 0.3, 0}, "timeout", "The handshake with what the site leads to gets no answer, while the control got through to the page."},
    {"tls.hop_failure_control_ok", {0.6, 0.4, 0}, "handshake fails", "The handshake with what the site leads to fails, while the control got through to the page."},
    {"tls.address_not_trusted", {0, 0, 0}, "", "The addresses come from answers that look false."},
    {"tls.failure_no_control", {0.35, 0.35, 0}, "", "The handshake fails, and there is no control for the address."},
    {"http.fingerprint", {1, 0, 0}, "block page", "The page or its headers match a known block page of this country or of a network."},
    {"http.same_page", {0, 0, 1}, "", "The page is the control's by its length, its title or its headers."},
    {"http.authentic", {0, 0, 1}, "", "The page came over a connection with a valid certificate."},
    {"http.geo_block", {0, 0, 0.2}, "", "The server itself refuses, over a connection with a valid certificate, what it gives the control."},
    {"http.captcha", {0, 0, 0.3}, "", "A content network at the site's own address asks for a proof first."},
    {"http.broken_redirect", {0, 0.9, 0}, "", "The site leads its visitors to an address that is none, or in circles."},
    {"http.other_page", {0.75, 0.05, 0.2}, "other page", "Another page than the control's, over a connection that anybody between can write into."},
    {"http.somewhat_other_page", {0.3, 0.05, 0.65}, "", "The page differs from the control's in some ways only."},
    {"http.legal_refusal", {0.45, 0, 0.1}, "", "Status 451 over a connection that anybody between can write into: a server or a network."},
    {"http.reset_control_ok", {0.8, 0.2, 0}, "reset", "The connection is reset after the request; the control gets the page."},
    {"http.closed_control_ok", {0.7, 0.3, 0}, "closed", "The connection is closed after the request; the control gets the page."},
    {"http.timeout_control_ok", {0.7, 0.3, 0}, "timeout", "The request gets no answer; the control gets the page."},
    {"http.failure_control_ok", {0.5, 0.5, 0}, "request fails", "The request fails; the control gets the page."},
    {"http.fails_in_control_too", {0.05, 0.9, 0}, "", "The control does not get the page either."},
    {"http.no_control", {0, 0, 0.5}, "", "A page, and nothing to compare it with."},
    {"http.address_not_trusted", {0, 0, 0}, "", "The page comes from an address that looks false."},
    {"http.failure_no_control", {0.35, 0.35, 0}, "", "The request fails, and there is no control."},
    {"throttle.body_stalls", {0.6, 0.2, 0.2}, "stall",
     "The answer began and never came to its end in time, while the control got all of it: throttled, frozen, or a bad line; one measurement cannot tell."},
    {"throttle.body_complete", {0, 0, 1}, "", "The page came in whole."},
    {"app.endpoints_unreachable", {0.7, 0.3, 0}, "unreachable", "None of the service's addresses can be reached."},
    {"app.endpoints_reachable", {0, 0, 1}, "", "The service's addresses can be reached."},
    {"app.some_endpoints_unreachable", {0.4, 0.3, 0.3}, "", "Some of the service's addresses cannot be reached."},
    {"app.names_inconsistent", {0.6, 0.1, 0.3}, "false address", "The test found that names of the service lead to networks that are not the service's."},
    {"app.backend_tls_fails", {0.7, 0.2, 0}, "handshake fails", "Handshakes with the service's own servers fail."},
    {"app.backend_ok", {0, 0, 1}, "", "The service's own servers answer."},
    {"app.test_out_of_date", {0, 0, 0}, "", "This version of the test is known to fail by itself at this date."},
    {"app.web_blocked", {0.65, 0.25, 0}, "request fails", "The service's web page cannot be fetched."},
};

const ScoringRule& rule_of(Text name) {
    static const auto by_name = [] {
        std::map<Text, const ScoringRule*> out;
        for (const auto& rule : rules) out.emplace(rule.name, &rule);
        return out;
    }();
    return *by_name.at(name);
}

bool is_v6_text(Text text) { return text.find(':') != Text::npos; }

bool equal_without_case(Text a, Text b) {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
        const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
        return lower(x) == lower(y);
    });
}

enum class FailureKind { none, reset, closed, timeout, certificate, other };

FailureKind kind_of(Text failure) {
    if (failure.empty()) return FailureKind::none;
    if (failure.starts_with("connection_reset") || failure.starts_with("connection_refused") || failure == "connection_aborted") return FailureKind::reset;
    if (failure.starts_with("eof_error")) return FailureKind::closed;
    if (failure.find("timeout") != Text::npos || failure.find("timed_out") != Text::npos) return FailureKind::timeout;
    if (failure == "ssl_invalid_hostname" || failure == "ssl_unknown_authority" || failure == "ssl_invalid_certificate" ||
        failure.find("certificate verify failed") != Text::npos)
        return FailureKind::certificate;
    return FailureKind::other;
}

bool is_valid_handshake(const TlsHandshake& handshake) { return handshake.failure.empty() && handshake.skips_verify != Tristate::yes; }

bool is_system(const DnsQuery& query) { return query.engine.empty() || query.engine == "system" || query.engine == "getaddrinfo"; }
bool is_encrypted(const DnsQuery& query) { return query.engine == "doh" || query.engine == "dot"; }
bool is_nothing_there(Text failure) { return failure == "dns_nxdomain_error" || failure == "dns_no_answer" || failure == "android_dns_cache_no_data"; }

class Scorer {
  public:
    Scorer(const Measurement& measurement, const FingerprintSet& fingerprints) : m(measurement), m_fingerprints(fingerprints) {}

    UnveilScore score() {
        if (m.test_name == "web_connectivity") score_web();
        else score_application();
        return std::move(m_score);
    }

  private:
    LayerVerdict& at(Layer layer) { return m_score.of[static_cast<std::size_t>(layer)]; }

    /// The first rule that is put stays, unless a later one speaks more for blocking and `may_raise`.
    void put(Layer layer, Text name, std::string pointer = {}) {
        auto& verdict = at(layer);
        const auto& rule = rule_of(name);
        if (verdict.rule.empty() || (rule.weights.blocked > verdict.weights.blocked && verdict.weights.ok < 0.9)) {
            if (verdict.rule != rule.name) verdict.pointers.clear();
            verdict.rule = rule.name;
            verdict.weights = rule.weights;
            verdict.mechanism = rule.mechanism;
        }
        if (verdict.rule == rule.name) point(layer, std::move(pointer));
    }
    void replace(Layer layer, Text name) {
        at(layer) = {};
        put(layer, name);
    }
    void point(Layer layer, std::string pointer) {
        auto& pointers = at(layer).pointers;
        if (!pointer.empty() && pointers.size() < LayerVerdict::pointers_max && std::find(pointers.begin(), pointers.end(), pointer) == pointers.end())
            pointers.push_back(std::move(pointer));
    }
    void decide(Standing standing, Layer layer, Text rule) {
        m_score.standing = standing;
        m_score.layer = layer;
        m_score.rule = rule_of(rule).name;
    }

    // ---- what the control knows

    void read_control() {
        m_has_control = m.control.is_present && m.text("control_failure").empty();
        m_score.is_control_used = m_has_control;
        if (!m_has_control) return;
        for (const auto& address : m.control.addresses) {
            m_asn_of[address.address] = address.asn;
            if (address.flags & ControlAddress::valid_for_domain) m_valid_in_control.insert(address.address);
        }
        for (const auto address : m.control.dns_addresses) {
            m_control_addresses.insert(address);
            if (const auto it = m_asn_of.find(address); it != m_asn_of.end() && it->second) m_control_asns.insert(it->second);
        }
        // Answers of the probe carry networks where the control does not.
        for (const auto& answer : m.answers)
            if (answer.asn && m_control_addresses.count(answer.address)) m_control_asns.insert(answer.asn);
        for (const auto& connect : m.control.connects) m_control_connects[connect.endpoint] = connect.failure.empty() && connect.success != Tristate::no;
        for (const auto& handshake : m.control.handshakes) m_control_handshakes[handshake.endpoint] = handshake.failure.empty() && handshake.success != Tristate::no;
        m_control_has_page = m.control.has_http && m.control.http_failure.empty() && m.control.status > 0;
        m_control_page_failed = m.control.has_http && !m.control.http_failure.empty();
        m_control_dns_failed = !m.control.dns_failure.empty() || m.control.dns_addresses.empty();
        m_is_certificate_bad = kind_of(m.control.http_failure) == FailureKind::certificate ||
                               std::any_of(m.control.handshakes.begin(), m.control.handshakes.end(), [](const auto& one) { return kind_of(one.failure) == FailureKind::certificate; });
    }
    /// Nothing where the control did not try.
    static Tristate found_in(const std::map<Text, bool>& map, Text endpoint) {
        const auto it = map.find(endpoint);
        return it == map.end() ? Tristate::unknown : it->second ? Tristate::yes : Tristate::no;
    }
    std::string endpoint_of(const TcpConnect& connect) const {
        std::string out = is_v6_text(connect.address) ? "[" + std::string(connect.address) + "]" : std::string(connect.address);
        return out + ":" + std::to_string(connect.port);
    }

    bool is_own_name(Text hostname) const { return equal_without_case(hostname, m.domain) || hostname == m_first_name; }

    // ---- dns

    struct Looked {
        bool is_asked = false;
        bool has_answer = false;
        bool matches = false;
        bool network_matches = false;
        bool is_tls_valid = false;
        bool is_tls_false = false;
        bool is_bogon = false;
        bool is_own_network = false;
        Text failure;
        std::string pointer;
    };

    bool has_valid_handshake(Text address) const { return m_valid_addresses.count(address) > 0; }

    void look_at_addresses() {
        for (const auto& handshake : m.handshakes) {
            const auto address = address_of_endpoint(handshake.endpoint);
            if (is_valid_handshake(handshake)) m_valid_addresses.insert(address);
            // Where the site's certificate is bad for the control too, a bad one is no sign of another host.
            else if (kind_of(handshake.failure) == FailureKind::certificate && !m_is_certificate_bad) m_false_addresses.insert(address);
        }
        for (const auto address : m_valid_in_control) m_valid_addresses.insert(address);
        for (const auto& connect : m.connects)
            if (connect.failure.empty() && connect.success != Tristate::no) m_connected_addresses.insert(connect.address);
        // Names are spelled as the resolver was asked, which for letters of the world is not how the input spells them.
        for (const auto& query : m.queries)
            if (query.step.depth == 0) {
                m_first_name = query.hostname;
                break;
            }
    }

    void score_dns() {
        Looked system;
        Looked plain;      // other resolvers, unencrypted
        Looked encrypted;
        bool is_page_same = m.flag("body_length_match") == Tristate::yes || m.flag("title_match") == Tristate::yes;
        for (std::size_t i = 0; i < m.queries.size(); ++i) {
            const auto& query = m.queries[i];
            if (query.step.depth != 0 || !is_own_name(query.hostname)) continue;
            auto& looked = is_system(query) ? system : is_encrypted(query) ? encrypted : plain;
            const bool is_v6_question = query.type == "AAAA";
            looked.is_asked = true;
            if (looked.pointer.empty() || (!looked.has_answer && query.failure.empty())) looked.pointer = json_pointer("queries", i);
            for (const auto& answer : m.answers_of(query)) {
                if (answer.address.empty()) continue;
                looked.has_answer = true;
                looked.matches |= m_control_addresses.count(answer.address) > 0;
                const auto it = m_asn_of.find(answer.address);
                const auto asn = answer.asn ? answer.asn : it == m_asn_of.end() ? 0u : it->second;
                looked.network_matches |= asn != 0 && m_control_asns.count(asn) > 0;
                looked.is_own_network |= asn != 0 && asn == m.asn;
                looked.is_tls_valid |= has_valid_handshake(answer.address);
                looked.is_tls_false |= m_false_addresses.count(answer.address) > 0;
                looked.is_bogon |= is_bogon(answer.address);
                if (is_system(query)) m_system_addresses.insert(answer.address);
                if (!m_fingerprints.empty())
                    for (const auto place : m_fingerprints.of_answer(answer)) add_fingerprint(place, Layer::dns, "dns.fingerprint", json_pointer("queries", i));
            }
            // That there is no address of version 6 is no failure.
            if (!query.failure.empty() && !(is_v6_question && is_nothing_there(query.failure) && query.failure != "dns_nxdomain_error") &&
                (looked.failure.empty() || !is_v6_question))
                looked.failure = query.failure;
        }
        if (!at(Layer::dns).rule.empty()) return;  // a fingerprint
        if (!system.is_asked) system = plain;
        if (!system.is_asked) return;
        m_score.is_answer_tls_consistent = system.is_tls_valid;

        const auto decide_by = [&](Text rule) { put(Layer::dns, rule, system.pointer); };
        if (!system.has_answer) {
            if (!m_has_control) decide_by("dns.failure_no_control");
            else if (m_control_dns_failed) decide_by("dns.fails_in_control_too");
            else if (system.failure == "dns_nxdomain_error") decide_by(!encrypted.has_answer && encrypted.failure == system.failure ? "dns.encrypted_says_the_same" : "dns.nxdomain_control_ok");
            else if (plain.has_answer || encrypted.has_answer) decide_by("dns.system_fails_others_ok");
            else decide_by("dns.failure_control_ok");
            return;
        }
        constexpr std::size_t duplicates_max = 32;  // each is held against every question
        for (std::size_t i = 0; i < std::min(m.duplicate_answers.size(), duplicates_max); ++i) score_duplicate(i);
        if (!at(Layer::dns).rule.empty()) return;

        if (system.is_bogon && !system.matches && m_has_control) return decide_by(encrypted.is_bogon && !encrypted.matches ? "dns.encrypted_says_the_same" : "dns.bogon_not_in_control");
        if (system.is_bogon && m_has_control) return decide_by("dns.bogon_in_control");
        if (system.matches) return decide_by("dns.matches_control");
        if (system.network_matches && !system.is_tls_false) return decide_by("dns.network_matches_control");
        if (system.is_tls_valid) {
            // Caches of content networks stand in networks of their customers, too; that the site comes from there is no blocking.
            if (m_has_control && !m_control_dns_failed && system.is_own_network) return decide_by("dns.other_address_that_serves_the_site");
            return decide_by("dns.tls_consistent");
        }
        if (!m_has_control) return decide_by("dns.no_control");
        if (m_control_dns_failed) {
            const bool is_gone = encrypted.is_asked && !encrypted.has_answer;
            return decide_by(is_gone || !encrypted.is_asked ? "dns.answer_for_missing_name" : "dns.unmatched");
        }
        if (system.is_tls_false) return decide_by("dns.tls_inconsistent");
        const bool is_reached = std::any_of(m_system_addresses.begin(), m_system_addresses.end(), [&](Text a) { return m_connected_addresses.count(a) > 0; });
        if (!is_reached && !m.connects.empty()) return decide_by("dns.unmatched_and_dead");
        if (is_reached && is_page_same) return decide_by("dns.other_address_that_serves_the_site");
        const bool is_page_other = m.flag("body_length_match") == Tristate::no && m.flag("title_match") != Tristate::yes;
        if (is_page_other) return decide_by("dns.unmatched_and_other_page");
        if (encrypted.has_answer && (encrypted.matches || encrypted.network_matches)) return decide_by("dns.resolvers_disagree");
        decide_by("dns.unmatched");
    }

    /// Two answers to one question. Sent twice is no sign; another address is, where the first is not the control's.
    void score_duplicate(std::size_t place) {
        const auto& late = m.duplicate_answers[place];
        for (std::size_t i = 0; i < m.queries.size(); ++i) {
            const auto& first = m.queries[i];
            if (first.hostname != late.hostname || first.type != late.type || is_system(first) || is_encrypted(first) || first.resolver != late.resolver) continue;
            if (first.step.transaction != late.step.transaction) continue;
            const auto addresses = [&](const DnsQuery& query) {
                std::set<Text> out;
                for (const auto& answer : m.answers_of(query))
                    if (!answer.address.empty()) out.insert(answer.address);
                return out;
            };
            const auto taken = addresses(first);
            const auto other = addresses(late);
            if (taken == other || taken.empty()) continue;
            const bool is_control = std::any_of(taken.begin(), taken.end(), [&](Text a) {
                return m_control_addresses.count(a) > 0 || has_valid_handshake(a);
            });
            if (is_control) continue;
            put(Layer::dns, "dns.racing_answers", json_pointer("queries", i));
            point(Layer::dns, json_pointer("x_dns_duplicate_responses", place));
        }
    }

    void score_later_names() {
        if (!m_control_has_page) return;
        for (std::size_t i = 0; i < m.queries.size(); ++i) {
            const auto& query = m.queries[i];
            if (query.step.depth == 0 || !is_system(query) || query.failure.empty() || !m.answers_of(query).empty()) continue;
            put_raising(Layer::dns, "dns.hop_fails_control_ok", json_pointer("queries", i));
        }
    }
    /// Later hops are judged apart from the first: what fails there counts even where the first was fine.
    void put_raising(Layer layer, Text name, std::string pointer) {
        const auto& rule = rule_of(name);
        if (at(layer).rule != rule.name && rule.weights.blocked > at(layer).weights.blocked) replace(layer, name);
        if (at(layer).rule == rule.name) point(layer, std::move(pointer));
    }

    bool is_dns_false() const { return m_score.layer_of(Layer::dns).weights.blocked >= blocked_weight_min; }
    /// An address of which it is known that it is the site's.
    bool is_trusted(Text address) const {
        if (m_control_addresses.count(address) || has_valid_handshake(address)) return true;
        return !is_dns_false() || m_system_addresses.count(address) == 0;
    }

    // ---- tcp

    void score_tcp() {
        bool is_v4_fine = false;
        bool is_v6_fine = false;
        for (const auto& connect : m.connects) {
            if (!connect.failure.empty() || connect.success == Tristate::no) continue;
            (is_v6_text(connect.address) ? is_v6_fine : is_v4_fine) = true;
        }
        m_is_v6_broken = is_v4_fine && !is_v6_fine;
        // A port that nobody wants the page from may well be closed: where one of an address is open, the address is not blocked.
        std::set<Text> reached;
        for (const auto& connect : m.connects)
            if (connect.failure.empty() && connect.success != Tristate::no) reached.insert(connect.address);
        // What came from one of the site's addresses did not fail for another.
        const bool is_page_there = has_final_page() || (has_answer() && std::any_of(reached.begin(), reached.end(), [&](Text address) { return is_trusted(address); }));
        for (std::size_t i = 0; i < m.connects.size(); ++i) {
            const auto& connect = m.connects[i];
            const auto pointer = json_pointer("tcp_connect", i);
            if (connect.step.depth > 0 && connect.failure.empty()) continue;
            if (!is_trusted(connect.address)) {
                if (at(Layer::tcp).rule.empty()) put(Layer::tcp, "tcp.address_not_trusted", pointer);
                continue;
            }
            if (connect.failure.empty()) {
                if (at(Layer::tcp).rule.empty() || at(Layer::tcp).rule == "tcp.address_not_trusted" || at(Layer::tcp).rule == "tcp.v6_broken")
                    replace(Layer::tcp, "tcp.connected");
                if (at(Layer::tcp).rule == "tcp.connected") point(Layer::tcp, pointer);
                continue;
            }
            if (is_v6_text(connect.address) && (m_is_v6_broken || connect.failure == "network_unreachable" || connect.failure == "host_unreachable")) {
                if (at(Layer::tcp).rule.empty()) put(Layer::tcp, "tcp.v6_broken", pointer);
                continue;
            }
            if (reached.count(connect.address) || is_page_there) continue;
            const auto in_control = found_in(m_control_connects, endpoint_of(connect));
            Text rule = "tcp.failure_no_control";
            if (in_control == Tristate::yes) rule = kind_of(connect.failure) == FailureKind::reset ? "tcp.reset_control_ok" : "tcp.timeout_control_ok";
            else if (in_control == Tristate::no) rule = "tcp.fails_in_control_too";
            else if (connect.step.depth > 0 && m_control_has_page) rule = "tcp.hop_fails_control_ok";
            put_failure(Layer::tcp, rule, pointer);
        }
    }
    /// What fails replaces what was merely fine or not to be trusted.
    void put_failure(Layer layer, Text rule, std::string pointer) {
        const auto& verdict = at(layer);
        const bool is_weaker = verdict.weights.blocked < rule_of(rule).weights.blocked || verdict.weights.ok > 0 || !verdict.weights.any();
        if (verdict.rule != rule_of(rule).name && is_weaker) replace(layer, rule);
        if (at(layer).rule == rule_of(rule).name) point(layer, std::move(pointer));
    }

    // ---- tls

    void score_tls() {
        std::set<std::pair<Text, std::int16_t>> fine;  // name and hop
        for (const auto& handshake : m.handshakes)
            if (is_valid_handshake(handshake)) fine.emplace(handshake.server_name, handshake.step.depth);
        const bool is_page_there = has_final_page();
        for (std::size_t i = 0; i < m.handshakes.size(); ++i) {
            const auto& handshake = m.handshakes[i];
            const auto pointer = json_pointer("tls_handshakes", i);
            const auto address = address_of_endpoint(handshake.endpoint);
            if (is_valid_handshake(handshake)) {
                if (at(Layer::tls).rule.empty() || at(Layer::tls).rule == "tls.address_not_trusted") replace(Layer::tls, "tls.valid");
                if (at(Layer::tls).rule == "tls.valid") point(Layer::tls, pointer);
                continue;
            }
            if (handshake.failure.empty()) continue;
            const auto kind = kind_of(handshake.failure);
            if (!is_trusted(address)) {
                if (at(Layer::tls).rule.empty()) put(Layer::tls, "tls.address_not_trusted", pointer);
                continue;
            }
            // Another address of the same name that works says that this one is out of order.
            if (fine.count({handshake.server_name, handshake.step.depth}) || is_page_there) continue;
            const auto in_control = found_in(m_control_handshakes, handshake.endpoint);
            Text rule = "tls.failure_no_control";
            if (in_control == Tristate::yes) {
                rule = kind == FailureKind::certificate ? "tls.interception" : kind == FailureKind::reset ? "tls.reset_control_ok"
                     : kind == FailureKind::closed ? "tls.closed_control_ok" : kind == FailureKind::timeout ? "tls.timeout_control_ok" : "tls.failure_control_ok";
            } else if (in_control == Tristate::no) {
                rule = "tls.fails_in_control_too";
            } else if (handshake.step.depth > 0 && m_control_has_page) {
                rule = kind == FailureKind::reset ? "tls.hop_reset_control_ok" : kind == FailureKind::closed ? "tls.hop_closed_control_ok"
                     : kind == FailureKind::timeout ? "tls.hop_timeout_control_ok" : "tls.hop_failure_control_ok";
            }
            put_failure(Layer::tls, rule, pointer);
        }
    }

    // ---- http and what the page came to

    void add_fingerprint(std::uint32_t place, Layer layer, Text rule, std::string pointer) {
        const auto& fingerprint = m_fingerprints.at(place);
        m_score.fingerprints.push_back(place);
        // Scope "fp" marks what was taken for a block page and is none; words that are merely vague and products confirm nothing by themselves.
        if (fingerprint.scope == "fp") {
            m_has_false_positive = true;
            return;
        }
        const bool is_here = std::find(fingerprint.countries.begin(), fingerprint.countries.end(), m.country) != fingerprint.countries.end();
        if (is_here && (fingerprint.scope == "nat" || fingerprint.scope == "isp")) {
            at(layer) = {};
            put(layer, rule, std::move(pointer));
        }
    }

    const HttpRequest* final_request() const { return m.requests.empty() ? nullptr : &m.requests.front(); }
    /// A redirect is none: what it leads to may have failed.
    bool has_answer() const {
        const auto* request = final_request();
        return request && request->failure.empty() && request->status >= 200 && request->status / 100 != 3;
    }
    bool has_final_page() const {
        const auto* request = final_request();
        return request && request->failure.empty() && request->status >= 200 && request->status < 300 && m_control_has_page &&
               (m.flag("body_length_match") == Tristate::yes || m.flag("title_match") == Tristate::yes || request->url.starts_with("https://"));
    }

    Text header(const HttpRequest& request, Text name) const {
        for (const auto& header : m.headers_of(request))
            if (equal_without_case(header.name, name)) return header.value;
        return {};
    }

    /// Marks that content networks put on pages of their own, each documented by them:
    /// https://developers.cloudflare.com/fundamentals/reference/cloudflare-ray-id/, .../cf-mitigated; Sucuri, Akamai and DataDome name themselves.
    bool is_content_network(const HttpRequest& request) const {
        return !header(request, "cf-ray").empty() || !header(request, "cf-mitigated").empty() || equal_without_case(header(request, "server"), "cloudflare") ||
               header(request, "server").starts_with("AkamaiGHost") || header(request, "server").starts_with("Sucuri") ||
               !header(request, "x-datadome").empty();
    }

    /// Whether a content network wants a proof; without that a refusal is by the site's order, as Cloudflare's errors 1009 and 1020 and Akamai's "Access Denied".
    bool is_challenge(const HttpRequest& request) const {
        return unveil::is_challenge(header(request, "cf-mitigated"), header(request, "x-datadome"), http_title(request));
    }

    /// Whether nobody between can have written the answer.
    bool is_authentic(const HttpRequest& request) const {
        if (!request.url.starts_with("https://")) return false;
        const auto host = host_of_url(request.url);
        return std::any_of(m.handshakes.begin(), m.handshakes.end(), [&](const TlsHandshake& handshake) {
            return is_valid_handshake(handshake) && equal_without_case(handshake.server_name, host) &&
                   (request.step.transaction == 0 || handshake.step.transaction == 0 || handshake.step.transaction == request.step.transaction);
        });
    }

    void match_pages() {
        if (m_fingerprints.empty()) return;
        constexpr std::size_t body_bytes_max = 512u << 10;
        std::string body;
        for (std::size_t i = 0; i < m.requests.size(); ++i) {
            const auto& request = m.requests[i];
            if (!request.has_response) continue;
            body.clear();
            append_http_body(request, body_bytes_max, body);
            auto places = m_fingerprints.of_page(body);
            for (const auto& one : m.headers_of(request)) {
                std::string name(one.name);
                for (char& c : name)
                    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
                for (const auto& more : {m_fingerprints.of_header(name, one.value), m_fingerprints.of_expressions("header." + name, one.value)})
                    places.insert(places.end(), more.begin(), more.end());
            }
            const bool is_false_positive = std::any_of(places.begin(), places.end(), [&](auto place) { return m_fingerprints.at(place).scope == "fp"; });
            for (const auto place : places) {
                if (is_false_positive) m_score.fingerprints.push_back(place);
                else add_fingerprint(place, Layer::http, "http.fingerprint", json_pointer("requests", i));
            }
        }
    }

    void score_http() {
        match_pages();
        if (at(Layer::http).rule == "http.fingerprint") return decide(Standing::blocked, Layer::http, "http.fingerprint");
        const auto* request = final_request();
        if (!request) return;
        const auto pointer = json_pointer("requests", std::size_t{0});
        const auto by = [&](Text rule) { put(Layer::http, rule, pointer); };
        const auto failure = request->failure;
        // From here on names of libraries for "the site sent me nowhere".
        if (failure.starts_with("http_invalid_redirect") || failure.find("too many redirects") != Text::npos) {
            by("http.broken_redirect");
            return decide(Standing::broken_redirect, Layer::http, "http.broken_redirect");
        }
        if (!failure.empty()) {
            const auto kind = kind_of(failure);
            if (request->status > 0 && (kind == FailureKind::timeout || kind == FailureKind::closed)) {
                // The head of the answer came, its body did not.
                if (m_control_has_page) {
                    put(Layer::throttle, "throttle.body_stalls", pointer);
                    point_to_transfer(*request);
                    return;
                }
                return by("http.failure_no_control");
            }
            if (!m_has_control) return by("http.failure_no_control");
            if (m_control_page_failed || !m_control_has_page) return by("http.fails_in_control_too");
            // Only what is about the page itself: failures below it have been told there.
            if (at(Layer::dns).weights.blocked >= blocked_weight_min || at(Layer::tcp).weights.blocked >= blocked_weight_min ||
                (at(Layer::tls).weights.blocked >= blocked_weight_min && !request->url.starts_with("http://")))
                return;
            return by(kind == FailureKind::reset ? "http.reset_control_ok" : kind == FailureKind::closed ? "http.closed_control_ok"
                      : kind == FailureKind::timeout ? "http.timeout_control_ok" : "http.failure_control_ok");
        }
        if (request->status == 0) return;
        const bool is_safe = is_authentic(*request);
        const bool is_address_false = is_dns_false() && std::any_of(m_system_addresses.begin(), m_system_addresses.end(), [&](Text a) {
            return m_connected_addresses.count(a) > 0;
        });
        if (m_control_has_page && m.control.status >= 200 && m.control.status < 300) {
            const bool is_of_content_network = is_content_network(*request);
            if (is_safe && (request->status == 451 || (request->status == 403 && !(is_of_content_network && is_challenge(*request))))) {
                by("http.geo_block");
                return decide(Standing::geo_block, Layer::http, "http.geo_block");
            }
            const bool is_refusal = request->status == 403 || request->status == 429 || request->status == 503;
            if (is_refusal && is_of_content_network && (is_safe || !is_dns_false())) {
                by("http.captcha");
                return decide(Standing::captcha, Layer::http, "http.captcha");
            }
        }
        put(Layer::throttle, "throttle.body_complete", pointer);
        if (is_safe) return by("http.authentic");
        if (is_address_false) return by("http.address_not_trusted");
        if (!m_has_control) return by("http.no_control");
        if (!m_control_has_page) return by("http.no_control");
        if (request->status == 451) return by("http.legal_refusal");
        const auto length = m.flag("body_length_match");
        const auto title = m.flag("title_match");
        const auto headers = m.flag("headers_match");
        const auto status = m.flag("status_code_match");
        if (length == Tristate::yes || title == Tristate::yes || (status == Tristate::yes && headers == Tristate::yes)) return by("http.same_page");
        if (length == Tristate::unknown && title == Tristate::unknown && headers == Tristate::unknown) return by("http.no_control");
        const int differing = (length == Tristate::no) + (title == Tristate::no) + (headers == Tristate::no) + (status == Tristate::no);
        by(differing >= 3 ? "http.other_page" : "http.somewhat_other_page");
    }

    void point_to_transfer(const HttpRequest& request) {
        for (const auto& transfer : m.transfers)
            if (transfer.transaction == request.step.transaction && request.step.transaction != 0)
                point(Layer::throttle, json_pointer("network_events", transfer.event_last));
    }

    // ---- all together

    void score_web() {
        read_control();
        look_at_addresses();
        score_dns();
        score_tcp();
        score_tls();
        score_later_names();
        score_http();
        if (m_score.standing != Standing::insufficient) return;
        for (const auto layer : {Layer::dns, Layer::tcp, Layer::tls, Layer::http, Layer::throttle})
            if (at(layer).weights.blocked >= blocked_weight_min) return decide(Standing::blocked, layer, at(layer).rule);
        for (const auto layer : {Layer::dns, Layer::tcp, Layer::tls, Layer::http})
            if (at(layer).weights.down >= blocked_weight_min) return decide(Standing::down, layer, at(layer).rule);
        const bool has_page = at(Layer::http).rule == "http.same_page" || at(Layer::http).rule == "http.authentic";
        if (has_page && at(Layer::dns).rule == "dns.other_address_that_serves_the_site")
            return decide(Standing::rerouted, Layer::dns, "dns.other_address_that_serves_the_site");
        if (has_page) return decide(Standing::ok, Layer::http, at(Layer::http).rule);
        m_score.layer = Layer::http;
        m_score.rule = at(Layer::http).rule.empty() ? "none" : at(Layer::http).rule;
    }

    // ---- tests of services

    void score_application() {
        if (m.test_name == "signal") score_signal();
        else if (m.test_name == "telegram" || m.test_name == "whatsapp" || m.test_name == "facebook_messenger") score_messenger();
        else if (m.test_name == "tor" || m.test_name == "dnscheck") score_targets();
        if (m_score.standing != Standing::insufficient) return;
        for (const auto layer : {Layer::dns, Layer::tcp, Layer::tls, Layer::http})
            if (at(layer).weights.blocked >= blocked_weight_min) return decide(Standing::blocked, layer, at(layer).rule);
        for (const auto layer : {Layer::tls, Layer::tcp, Layer::http})
            if (at(layer).weights.ok >= 0.9) return decide(Standing::ok, layer, at(layer).rule);
    }

    void score_signal() {
        const auto fastpath = score_fastpath(m, {});
        if (fastpath.accuracy == 0.0) {
            put(Layer::tls, "app.test_out_of_date", "/test_version");
            m_score.layer = Layer::tls;
            m_score.rule = at(Layer::tls).rule;
            return;
        }
        if (m.text("signal_backend_status") == "ok") return put(Layer::tls, "app.backend_ok", "/test_keys/signal_backend_status");
        for (std::size_t i = 0; i < m.handshakes.size(); ++i)
            if (!m.handshakes[i].failure.empty()) put(Layer::tls, "app.backend_tls_fails", json_pointer("tls_handshakes", i));
        if (at(Layer::tls).rule.empty()) put_connects();
    }

    void put_connects() {
        std::size_t reached = 0;
        std::vector<std::size_t> failed;
        for (std::size_t i = 0; i < m.connects.size(); ++i) {
            const auto& connect = m.connects[i];
            if (connect.failure.empty() && connect.success != Tristate::no) ++reached;
            // The probe's own want of IPv6 says nothing of the service.
            else if (!is_v6_text(connect.address) && connect.failure != "network_unreachable") failed.push_back(i);
        }
        if (reached + failed.size() == 0) return;
        const Text rule = failed.empty() ? "app.endpoints_reachable" : reached == 0 ? "app.endpoints_unreachable" : "app.some_endpoints_unreachable";
        put(Layer::tcp, rule);
        for (const auto i : failed) point(Layer::tcp, json_pointer("tcp_connect", i));
    }

    void score_messenger() {
        put_connects();
        if (m.flag("facebook_dns_blocking") == Tristate::yes) put(Layer::dns, "app.names_inconsistent", "/test_keys/facebook_dns_blocking");
        for (const auto& [status, rule] : {std::pair<Text, Text>{"telegram_web_status", "app.web_blocked"}, {"whatsapp_web_status", "app.web_blocked"},
                                           {"registration_server_status", "app.web_blocked"}}) {
            // Pages that answer with another status than was expected are there; https://github.com/ooni/probe/issues/1455.
            if (m.text(status) != "blocked" || m.text("whatsapp_web_failure") == "http_unexpected_status_code") continue;
            put(Layer::http, rule, "/test_keys/" + std::string(status));
        }
    }

    void score_targets() {
        std::size_t reached = 0;
        std::size_t failed = 0;
        const Text list = m.test_name == "tor" ? "targets" : "lookups";
        std::vector<std::string> pointers;
        for (const auto& target : m.targets) {
            if (target.state == TestTarget::State::reached) ++reached;
            if (target.state != TestTarget::State::failed) continue;
            ++failed;
            if (pointers.size() < LayerVerdict::pointers_max) pointers.push_back(json_pointer(list, target.name));
        }
        if (reached + failed == 0) return;
        put(Layer::tcp, failed == 0 ? "app.endpoints_reachable" : reached == 0 ? "app.endpoints_unreachable" : "app.some_endpoints_unreachable");
        for (auto& pointer : pointers) point(Layer::tcp, std::move(pointer));
    }

    const Measurement& m;
    const FingerprintSet& m_fingerprints;
    UnveilScore m_score;
    bool m_has_control = false;
    bool m_control_has_page = false;
    bool m_control_page_failed = false;
    bool m_control_dns_failed = false;
    bool m_is_certificate_bad = false;
    bool m_is_v6_broken = false;
    bool m_has_false_positive = false;
    Text m_first_name;
    std::map<Text, std::uint32_t> m_asn_of;
    std::set<Text> m_control_addresses;
    std::set<std::uint32_t> m_control_asns;
    std::map<Text, bool> m_control_connects;
    std::map<Text, bool> m_control_handshakes;
    std::set<Text> m_valid_in_control;    // the control completed a valid handshake for the name there
    std::set<Text> m_valid_addresses;
    std::set<Text> m_false_addresses;
    std::set<Text> m_connected_addresses;
    std::set<Text> m_system_addresses;
};

}  // namespace

std::string_view layer_name(Layer layer) {
    switch (layer) {
        case Layer::dns: return "dns";
        case Layer::tcp: return "tcp";
        case Layer::tls: return "tls";
        case Layer::http: return "http";
        case Layer::throttle: return "throttle";
    }
    return "";
}

std::string_view standing_name(Standing standing) {
    switch (standing) {
        case Standing::ok: return "ok";
        case Standing::blocked: return "blocked";
        case Standing::down: return "down";
        case Standing::geo_block: return "geo-block";
        case Standing::captcha: return "captcha";
        case Standing::broken_redirect: return "broken-redirect";
        case Standing::rerouted: return "rerouted";
        case Standing::insufficient: return "insufficient";
    }
    return "";
}

UnveilScore score_unveil(const Measurement& measurement, const FingerprintSet& fingerprints) { return Scorer(measurement, fingerprints).score(); }

std::span<const ScoringRule> unveil_scoring_rules() { return rules; }

RuleGround rule_ground(std::string_view rule) {
    // Tests of services have no control, and for a name that is gone the control failed too.
    if (rule.starts_with("app.") || rule == "dns.answer_for_missing_name") return RuleGround::probe;
    for (const std::string_view forged : {"dns.fingerprint", "dns.bogon_not_in_control", "dns.racing_answers", "http.fingerprint"})
        if (rule == forged) return RuleGround::forgery;
    return RuleGround::control;
}

bool is_bogon(std::string_view text) {
    IpAddress address;
    if (!parse_address(text, address)) return false;
    const auto& bytes = address.bytes;
    if (address.is_v4()) {
        const auto value = static_cast<std::uint32_t>(bytes[12]) << 24 | static_cast<std::uint32_t>(bytes[13]) << 16 |
                           static_cast<std::uint32_t>(bytes[14]) << 8 | bytes[15];
        return std::any_of(std::begin(special_v4), std::end(special_v4), [&](const Block& block) { return (value ^ block.address) >> (32 - block.bits) == 0; });
    }
    // ::/8 (with :: and ::1), 100::/64, 2001:db8::/32, fc00::/7, fe80::/10, ff00::/8. NAT64 and 6to4 lead to the world.
    const bool is_discard = bytes[0] == 0x01 && std::all_of(bytes.begin() + 1, bytes.begin() + 8, [](auto b) { return b == 0; });
    return bytes[0] == 0 && bytes[1] != 0x64 ? true
         : is_discard || (bytes[0] == 0x20 && bytes[1] == 0x01 && bytes[2] == 0x0D && bytes[3] == 0xB8) || (bytes[0] & 0xFE) == 0xFC ||
               (bytes[0] == 0xFE && (bytes[1] & 0xC0) == 0x80) || bytes[0] == 0xFF;
}

std::string_view address_of_endpoint(std::string_view endpoint) {
    if (endpoint.starts_with('[')) {
        const auto end = endpoint.find(']');
        return end == std::string_view::npos ? std::string_view() : endpoint.substr(1, end - 1);
    }
    const auto colon = endpoint.rfind(':');
    if (colon == std::string_view::npos || endpoint.find(':') != colon) return endpoint;
    return endpoint.substr(0, colon);
}

}  // namespace unveil::interference
