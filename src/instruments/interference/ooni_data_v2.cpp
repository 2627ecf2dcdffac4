// Written after the published rules and the query around them, with their oddities: what is compared with OONI must be what OONI does.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "instruments/interference/ooni_scorers.hpp"
#include "net/packet.hpp"

namespace unveil::interference {
namespace {

using Text = std::string_view;

bool is_address(Text text) {
    IpAddress address;
    return parse_address(text, address);
}

bool is_v4_text(Text text) {
    IpAddress address;
    return text.find(':') == Text::npos && parse_address(text, address);
}

bool is_v6_text(Text text) { return text.find(':') != Text::npos && is_address(text); }

std::string lower(Text text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
}

constexpr std::size_t none = SIZE_MAX;

/// One row of obs_web: an answer with the connection and handshake that went to it, or those alone.
struct Row {
    Text hostname;
    Text ip;
    Text answer;
    Text dns_failure;
    bool is_dns = false;
    bool is_system = false;
    std::uint32_t asn = 0;
    std::size_t connect = none;
    std::size_t handshake = none;
};

/// Records by transaction where both have one, else by address, each taken once.
class Taker {
  public:
    explicit Taker(std::size_t count) : m_is_taken(count) {}
    template <typename Transaction, typename Address>
    std::size_t take(std::int64_t transaction, Text address, Transaction&& transaction_of, Address&& address_of) {
        std::size_t found = none;
        if (transaction != 0)
            for (std::size_t i = 0; i < m_is_taken.size() && found == none; ++i)
                if (!m_is_taken[i] && transaction_of(i) == transaction) found = i;
        if (!address.empty())
            for (std::size_t i = 0; i < m_is_taken.size() && found == none; ++i)
                if (!m_is_taken[i] && address_of(i) == address) found = i;
        if (found != none) m_is_taken[found] = true;
        return found;
    }
    bool is_taken(std::size_t i) const { return m_is_taken[i]; }
    void set(std::size_t i) { m_is_taken[i] = true; }

  private:
    std::vector<bool> m_is_taken;
};

constexpr std::size_t rows_max = 2'000;  // taking one record of each list for each row is quadratic

std::vector<Row> rows_of(const Measurement& m) {
    std::vector<Row> rows;
    Taker connects(std::min(m.connects.size(), rows_max));
    Taker handshakes(std::min(m.handshakes.size(), rows_max));
    Taker requests(std::min(m.requests.size(), rows_max));
    const auto take_connect = [&](std::int64_t transaction, Text ip) {
        return connects.take(transaction, ip, [&](std::size_t i) { return m.connects[i].step.transaction; }, [&](std::size_t i) { return m.connects[i].address; });
    };
    const auto take_handshake = [&](std::int64_t transaction, Text ip) {
        return handshakes.take(transaction, ip, [&](std::size_t i) { return m.handshakes[i].step.transaction; },
                               [&](std::size_t i) { return address_of_endpoint(m.handshakes[i].endpoint); });
    };
    const auto take_request = [&](std::int64_t transaction) {
        return requests.take(transaction, "", [&](std::size_t i) { return m.requests[i].step.transaction; }, [](std::size_t) { return Text(); });
    };
    for (std::size_t i = 0; i < std::min(m.connects.size(), rows_max); ++i)
        if (!is_address(m.connects[i].address)) connects.set(i);
    for (const auto& query : m.queries) {
        const auto answers = m.answers_of(query);
        for (std::size_t k = 0; k < std::max<std::size_t>(answers.size(), 1) && rows.size() < rows_max; ++k) {
            Row row;
            row.is_dns = true;
            row.hostname = query.hostname;
            row.dns_failure = query.failure;
            row.is_system = query.engine == "getaddrinfo" || query.engine == "system";
            if (!answers.empty()) {
                row.answer = answers[k].address.empty() ? answers[k].name : answers[k].address;
                row.asn = answers[k].asn;
            }
            row.connect = take_connect(query.step.transaction, row.answer);
            row.handshake = take_handshake(query.step.transaction, row.answer);
            take_request(query.step.transaction);
            if (is_address(row.answer)) row.ip = row.answer;
            else if (row.connect != none) row.ip = m.connects[row.connect].address;
            else if (row.handshake != none) row.ip = address_of_endpoint(m.handshakes[row.handshake].endpoint);
            rows.push_back(row);
        }
    }
    const auto name_of = [&](std::size_t request, std::size_t handshake) -> Text {
        if (request != none) return host_of_url(m.requests[request].url);
        if (handshake != none && !is_address(m.handshakes[handshake].server_name)) return m.handshakes[handshake].server_name;
        return {};
    };
    for (std::size_t i = 0; i < std::min(m.connects.size(), rows_max); ++i) {
        if (connects.is_taken(i)) continue;
        Row row;
        row.connect = i;
        row.ip = m.connects[i].address;
        row.handshake = take_handshake(m.connects[i].step.transaction, row.ip);
        row.hostname = name_of(take_request(m.connects[i].step.transaction), row.handshake);
        rows.push_back(row);
    }
    for (std::size_t i = 0; i < std::min(m.handshakes.size(), rows_max); ++i) {
        if (handshakes.is_taken(i)) continue;
        Row row;
        row.handshake = i;
        row.ip = address_of_endpoint(m.handshakes[i].endpoint);
        row.hostname = name_of(take_request(m.handshakes[i].step.transaction), i);
        rows.push_back(row);
    }
    for (std::size_t i = 0; i < std::min(m.requests.size(), rows_max); ++i) {
        if (requests.is_taken(i)) continue;
        Row row;
        row.hostname = host_of_url(m.requests[i].url);
        rows.push_back(row);
    }
    return rows;
}

/// NaN where nothing was counted, which satisfies no comparison.
double rate(double good, double bad) { return good + bad > 0 ? good / (good + bad) : std::nan(""); }

struct Counts {
    double good = 0;
    double bad = 0;
};

struct ControlView {
    std::map<Text, Counts> tcp;
    std::map<Text, Counts> tls;
    std::set<Text> tls_inconsistent;
    std::set<Text> answers;
    std::set<std::uint32_t> answer_asns;
    double dns_failures = 0;
    double dns_successes = 0;
    bool is_there = false;
};

ControlView control_of(const Measurement& m) {
    ControlView view;
    if (!m.text("control_failure").empty() || !m.control.is_present || m.domain.empty()) return view;
    view.is_there = true;
    if (!m.control.dns_failure.empty()) ++view.dns_failures;
    const std::set<Text> resolved(m.control.dns_addresses.begin(), m.control.dns_addresses.end());
    std::map<Text, std::uint32_t> asns;
    for (const auto& address : m.control.addresses) asns[address.address] = address.asn;
    std::set<Text> with_row;
    const auto row_of = [&](Text ip) {
        if (resolved.count(ip) == 0) return;
        ++view.dns_successes;
        with_row.insert(ip);
        view.answers.insert(ip);
        if (const auto found = asns.find(ip); found != asns.end() && found->second != 0) view.answer_asns.insert(found->second);
    };
    std::set<Text> endpoints;
    for (const auto& connect : m.control.connects) {
        const auto ip = address_of_endpoint(connect.endpoint);
        if (!endpoints.insert(connect.endpoint).second) continue;
        (connect.failure.empty() ? view.tcp[ip].good : view.tcp[ip].bad) += 1;
        row_of(ip);
    }
    for (const auto& handshake : m.control.handshakes) {
        // One without a connection beside it is filed under its address as a name and so never found.
        if (endpoints.count(handshake.endpoint) == 0) continue;
        const auto ip = address_of_endpoint(handshake.endpoint);
        (handshake.failure.empty() ? view.tls[ip].good : view.tls[ip].bad) += 1;
        if (handshake.failure.starts_with("ssl") && handshake.failure.size() > 3) view.tls_inconsistent.insert(ip);
    }
    for (const auto ip : resolved)
        if (with_row.count(ip) == 0) {
            ++view.dns_successes;
            view.answers.insert(ip);
        }
    return view;
}

Tristate certificate_valid(const TlsHandshake& handshake) {
    if (handshake.skips_verify != Tristate::no) return Tristate::unknown;
    const auto f = handshake.failure;
    if (f == "ssl_invalid_hostname" || f == "ssl_unknown_authority" || f == "ssl_invalid_certificate") return Tristate::no;
    return f.empty() ? Tristate::yes : Tristate::unknown;
}

struct Outcome {
    Text rule = "none";
    Weights weights;
    int evidence = 0;  // 0: no data, 1: seen and discarded, 2: scored
};

/// The majority by Boyer and Moore, as ClickHouse's anyHeavy finds it.
class Majority {
  public:
    void add(Text value) {
        if (value.empty()) return;
        if (value == m_value) ++m_count;
        else if (m_count == 0) {
            m_value = value;
            m_count = 1;
        } else --m_count;
    }
    Text value() const { return m_value; }

  private:
    Text m_value;
    std::uint64_t m_count = 0;
};

struct LayerSum {
    DataV2Layer out;
    std::tuple<int, double, Text> best{-1, -1.0, ""};
    Majority failures;

    void add(const Outcome& outcome) {
        out.highest.blocked = std::max(out.highest.blocked, outcome.weights.blocked);
        out.highest.down = std::max(out.highest.down, outcome.weights.down);
        out.highest.ok = std::max(out.highest.ok, outcome.weights.ok);
        best = std::max(best, std::tuple(outcome.evidence, outcome.weights.blocked, outcome.rule));
    }
    DataV2Layer finish() {
        if (std::get<0>(best) >= 0) out.rule = std::get<2>(best);
        out.top_failure = failures.value();
        return out;
    }
};

}  // namespace

DataV2Score score_data_v2(const Measurement& m, const FingerprintSet& fingerprints, double v6_failure_rate) {
    DataV2Score score;
    if (m.test_name != "web_connectivity") return score;
    score.is_scored = true;
    score.probe_analysis = m.blocking();
    const auto rows = rows_of(m);
    const auto control = control_of(m);
    const auto input_host = m.domain;

    if (v6_failure_rate < 0) {
        Counts v6;
        for (const auto& connect : m.connects) {
            if (!is_v6_text(connect.address)) continue;
            (connect.failure.empty() ? v6.good : v6.bad) += 1;
        }
        v6_failure_rate = rate(v6.bad, v6.good);
    }

    // What the system's resolver answered for a name and family, over all rows of the name.
    struct Answers {
        std::vector<Text> addresses;
        std::set<std::uint32_t> asns;
        bool has_bogon = false;
    };
    std::map<std::pair<Text, bool>, Answers> answers;
    std::set<Text> valid;  // by handshakes of this measurement, for the name of the input
    for (const auto& row : rows) {
        if (row.is_system && (is_v4_text(row.ip) || is_v6_text(row.ip)) && !row.answer.empty()) {
            auto& of = answers[{row.hostname, is_v6_text(row.ip)}];
            of.addresses.push_back(row.answer);
            if (row.asn) of.asns.insert(row.asn);
            of.has_bogon = of.has_bogon || is_bogon(row.ip);
        }
        if (row.handshake != none && certificate_valid(m.handshakes[row.handshake]) == Tristate::yes && lower(row.hostname) == input_host) valid.insert(row.ip);
    }
    std::set<Text> consistent;  // joined to the control of the name, so there is none without
    if (control.is_there) {
        consistent = valid;
        for (const auto& [ip, counts] : control.tls)
            if (counts.good > 0) consistent.insert(ip);
    }

    LayerSum dns, tcp, tls;
    for (const auto& row : rows) {
        // The control knows the name of the input alone.
        const bool has_control = control.is_there && lower(row.hostname) == input_host;
        static const ControlView no_control;
        const auto& c = has_control ? control : no_control;
        static const std::set<Text> no_addresses;
        const auto& trusted = has_control ? consistent : no_addresses;
        static const Answers no_answers;
        const auto found = answers.find({row.hostname, is_v6_text(row.ip)});
        const auto& got = found == answers.end() ? no_answers : found->second;
        const auto any_in = [&](const std::set<Text>& set) {
            return std::any_of(got.addresses.begin(), got.addresses.end(), [&](Text a) { return set.count(a) > 0; });
        };
        const bool matches = any_in(c.answers);
        const bool asn_matches = std::any_of(got.asns.begin(), got.asns.end(), [&](auto asn) { return c.answer_asns.count(asn) > 0; });
        bool is_blockpage = false;
        if (!row.answer.empty() && !fingerprints.empty()) {
            DnsAnswer answer;
            answer.address = row.answer;
            const auto places = fingerprints.of_answer(answer);
            if (!places.empty() && fingerprints.at(places.front()).scope != "fp")
                for (const auto place : places) {
                    const auto& fingerprint = fingerprints.at(place);
                    is_blockpage |= fingerprint.match == Fingerprint::Match::full &&
                                    std::find(fingerprint.countries.begin(), fingerprint.countries.end(), m.country) != fingerprint.countries.end();
                }
        }
        const bool has_dns_failure = !row.dns_failure.empty();
        const auto dns_rate = rate(c.dns_successes, c.dns_failures);

        Outcome d;
        if (got.addresses.empty() && !has_dns_failure) d = {"no_dns_data", {}, 0};
        else if (is_blockpage) d = {"country_consistent_blockpage", {1, 0, 0}, 2};
        else if (any_in(trusted)) d = {"tls_consistent_answer", {0, 0, 1}, 2};
        else if (got.has_bogon && !matches) d = {"bogon_not_in_ctrl", {0.95, 0.05, 0}, 2};
        else if (got.has_bogon) d = {"bogon_in_ctrl", {0.1, 0.9, 0}, 2};
        else if (any_in(c.tls_inconsistent) && !matches) d = {"tls_inconsistent_not_in_ctrl", {0.9, 0.05, 0.05}, 2};
        else if (matches) d = {"answer_matches_ctrl", {0, 0, 0.9}, 2};
        else if (asn_matches) d = {"answer_asn_matches_ctrl", {0.2, 0, 0.8}, 2};
        else if (has_dns_failure && dns_rate <= 0.5) d = {"failure_ctrl_also_failing", {0.1, 0.9, 0}, 2};
        else if (has_dns_failure && dns_rate > 0.5) d = {"failure_ctrl_ok", {0.9, 0.1, 0}, 2};
        else if (has_dns_failure) d = {"failure_no_ctrl", {0.5, 0.5, 0}, 2};
        else d = {"answer_unmatched", {0.75, 0, 0.25}, 2};

        const bool is_trusted = c.answers.count(row.ip) > 0 || trusted.count(row.ip) > 0;
        const bool is_untrusted = !is_trusted && d.weights.blocked > 0 && d.weights.ok <= d.weights.blocked + d.weights.down;
        const auto counts_in = [&](const std::map<Text, Counts>& map) {
            const auto it = map.find(row.ip);
            return it == map.end() ? Counts() : it->second;
        };

        Outcome t;
        const bool has_connect = row.connect != none;
        const auto tcp_failure = has_connect ? m.connects[row.connect].failure : Text();
        const auto tcp_counts = counts_in(c.tcp);
        const auto tcp_rate = rate(tcp_counts.good, tcp_counts.bad);
        if (!has_connect) t = {"no_tcp_data", {}, 0};
        else if (tcp_failure.empty()) t = {"connect_ok", {0, 0, 1}, 2};
        else if (is_v6_text(row.ip) && v6_failure_rate > 0.5) t = {"ipv6_broken_probe", {}, 1};
        else if (tcp_rate > 0.5 && tcp_counts.good > 0) t = {"failure_ctrl_ok", {0.75, 0.25, 0}, 2};
        else if (is_untrusted) t = {"endpoint_untrusted", {}, 1};
        else if (tcp_rate <= 0.5 && tcp_counts.bad > 0) t = {"failure_ctrl_also_failing", {0.25, 0.75, 0}, 2};

        Outcome s;
        const bool has_handshake = row.handshake != none;
        const auto tls_failure = has_handshake ? m.handshakes[row.handshake].failure : Text();
        const auto is_valid = has_handshake ? certificate_valid(m.handshakes[row.handshake]) : Tristate::unknown;
        const auto tls_counts = counts_in(c.tls);
        const auto tls_rate = rate(tls_counts.good, tls_counts.bad);
        const bool is_control_fine = !tls_failure.empty() && tls_rate > 0.5 && tls_counts.good > 0;
        if (is_valid == Tristate::unknown && tls_failure.empty()) s = {"no_tls_data", {}, 0};
        else if (is_valid == Tristate::yes) s = {"certificate_valid", {0, 0, 1}, 2};
        else if (is_control_fine && tls_failure.starts_with("ssl_")) s = {"failure_ctrl_ok_ssl", {0.9, 0.1, 0}, 2};
        else if (is_control_fine && tls_failure == "connection_reset") s = {"failure_ctrl_ok_reset", {0.8, 0.2, 0}, 2};
        else if (is_control_fine) s = {"failure_ctrl_ok_other", {0.7, 0.3, 0}, 2};
        else if (is_untrusted) s = {"endpoint_untrusted", {}, 1};
        else if (t.weights.blocked > 0 && t.weights.ok <= t.weights.blocked + t.weights.down) s = {"tcp_blocked", {}, 1};
        else if (!tls_failure.empty() && tls_rate <= 0.5 && tls_counts.bad > 0) s = {"failure_ctrl_also_failing", {0.2, 0.8, 0}, 2};

        dns.add(d);
        tcp.add(t);
        tls.add(s);
        dns.failures.add(row.dns_failure);
        tcp.failures.add(tcp_failure);
        tls.failures.add(tls_failure);
    }
    score.dns = dns.finish();
    score.tcp = tcp.finish();
    score.tls = tls.finish();
    return score;
}

}  // namespace unveil::interference
