#include "lab/network_measurements.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "core/random.hpp"
#include "core/time.hpp"
#include "lab/network_packets.hpp"
#include "lab/network_world.hpp"

namespace unveil::lab {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t day_seconds = 86400;

// The probe's own bits (x_blocking_flags, x_dns_flags, x_null_null_flags, ip_info.flags).
constexpr int blocked_dns = 1, blocked_tcp = 2, blocked_tls = 4, blocked_http = 8, blocked_diff = 16, was_success = 32;
constexpr int dns_bogon = 1, dns_unexpected_failure = 2, dns_unexpected_addresses = 4;
constexpr int resolved_by_probe = 1, resolved_by_control = 2, is_bogon_address = 4, valid_for_domain = 8;

struct Address {
    std::string text;
    std::uint32_t asn = 0;
    bool is_v6 = false;
};

struct Site {
    std::string domain;
    std::string url;
    bool is_https = true;
    std::string title;
    std::size_t body_bytes = 0;
    std::vector<Address> addresses;  // what the control sees
    std::vector<Address> elsewhere;  // what a CDN gives to other regions
    std::optional<Address> v6;
    bool has_captcha = false;
};

struct Network {
    std::string country;
    std::uint32_t asn = 0;
    std::string name;
    std::string resolver;
    bool has_broken_v6 = false;
    std::size_t region = 0;
};

struct ProbeKind {
    const char* platform;
    const char* software;
};
constexpr std::array<ProbeKind, 5> probe_kinds = {{{"android", "ooniprobe-android"}, {"linux", "ooniprobe-cli"}, {"ios", "ooniprobe-ios"},
                                                   {"windows", "ooniprobe-desktop"}, {"macos", "ooniprobe-desktop"}}};

/// What happens to one measurement.
struct Fate {
    std::string dns;   // "", "nxdomain", "bogon", "foreign-address", "timeout", "servfail"
    std::string tcp;   // "", "timeout", "refused"
    std::string tls;   // "", "reset", "timeout"
    std::string http;  // "", "page", "reset", "geo-block", "captcha"
    bool is_site_down = false;      // the control sees it too
    bool is_site_unresolved = false;
    bool is_control_failed = false;
};

Json header_list(const std::vector<std::pair<std::string, std::string>>& headers) {
    Json list = Json::array();
    for (const auto& [name, value] : headers) list.push_back({name, value});
    return list;
}

Json header_object(const std::vector<std::pair<std::string, std::string>>& headers) {
    Json object = Json::object();
    for (const auto& [name, value] : headers) object[name] = value;
    return object;
}

std::string page(std::string_view title, std::size_t bytes) {
    std::string text = fmt::format("<!doctype html>\n<html>\n<head>\n<title>{}</title>\n</head>\n<body>\n", title);
    while (text.size() + 38 < bytes) text += "<p>Nothing on this page is real.</p>\n";
    return text + "</body></html>\n";
}

std::string hex(Random& random, std::size_t digits) {
    std::string text;
    while (text.size() < digits) text += fmt::format("{:016x}", random.next());
    text.resize(digits);
    return text;
}

class Maker {
  public:
    Maker(const MeasurementPlan& plan, std::uint64_t seed) : m_plan(plan), m_seed(seed), m_random(seed, 0x00111) {
        make_networks();
        make_sites();
        plant_blocks();
        if (plan.has_nuisances) plant_nuisances();
    }

    Measurements make() {
        struct Due {
            std::int64_t at = 0;
            std::size_t site = 0, network = 0;
            std::uint64_t number = 0;
            std::uint32_t probe = 0;
            bool is_line_bad = false;
        };
        const std::uint32_t probes = std::clamp<std::uint32_t>(m_plan.probes, 1, probe_kinds.size());
        std::set<std::array<std::size_t, 3>> bad_days;
        for (std::size_t n = 0; n < m_networks.size(); ++n)
            for (std::uint32_t probe = 0; probe < probes; ++probe)
                for (std::uint32_t day = 0; day < m_plan.days; ++day)
                    if (Random(m_seed, mix64((n * 100'003 + probe) * 10'007 + day) | 2).chance(m_plan.bad_day_rate)) bad_days.insert({n, probe, day});
        m_made.bad_days = bad_days.size();
        std::vector<Due> due;
        for (std::size_t s = 0; s < m_sites.size(); ++s)
            for (std::size_t n = 0; n < m_networks.size(); ++n)
                for (std::uint32_t day = 0; day < m_plan.days; ++day) {
                    Random random(m_seed, mix64(s * 1'000'003 + n * 10'007 + day) | 1);
                    std::uint64_t count = static_cast<std::uint64_t>(m_plan.daily);
                    if (random.chance(m_plan.daily - static_cast<double>(count))) ++count;
                    // Volunteers come and go.
                    if (random.chance(0.15)) count = 0;
                    else if (random.chance(0.15)) count *= 2;
                    const auto add = [&](std::uint64_t many, Random& source, bool is_loud) {
                        for (std::uint64_t i = 0; i < many; ++i) {
                            Due one{m_plan.start_seconds + day * day_seconds + static_cast<std::int64_t>(source.below(day_seconds)), s, n, source.next()};
                            one.probe = is_loud ? 0 : static_cast<std::uint32_t>(mix64(one.number) % probes);
                            one.is_line_bad = bad_days.count({n, one.probe, day}) > 0;
                            due.push_back(one);
                        }
                    };
                    add(count, random, false);
                    if (n >= m_plan.loud_probes) continue;
                    constexpr std::uint64_t loudness = 20;
                    Random loud(m_seed, mix64(s * 1'000'003 + n * 10'007 + day) | 3);
                    add(static_cast<std::uint64_t>(std::lround(m_plan.daily * loudness)), loud, true);
                }
        std::sort(due.begin(), due.end(), [](const Due& a, const Due& b) { return a.at != b.at ? a.at < b.at : a.number < b.number; });
        m_made.lines.reserve(due.size());
        for (const Due& one : due) m_made.lines.push_back(measure(m_sites[one.site], m_networks[one.network], one.at, one.number, one.probe, one.is_line_bad));
        for (const Site& site : m_sites) m_made.domains.push_back(site.domain);
        return std::move(m_made);
    }

  private:
    Address address_in(std::uint32_t asn, bool is_v6 = false) {
        constexpr std::array<std::uint32_t, 8> first = {23, 45, 64, 81, 96, 130, 151, 185};
        Address address;
        address.asn = asn;
        address.is_v6 = is_v6;
        if (is_v6)
            address.text = fmt::format("2a06:{:x}:{:x}::{:x}", 0x100 + m_random.below(0xe00), 1 + m_random.below(0xfff), 1 + m_random.below(0xfff));
        else
            address.text = wire_v4(first[m_random.below(first.size())] << 24 | static_cast<std::uint32_t>(m_random.below(1U << 24))).text();
        return address;
    }

    void make_networks() {
        for (std::uint32_t c = 0; c < m_plan.countries; ++c)
            for (std::uint32_t n = 0; n < m_plan.networks; ++n) {
                Network network;
                network.country = {'X', static_cast<char>('A' + c % 26)};
                network.asn = 64512 + c * 16 + n;
                network.name = fmt::format("Made-up Network {}", network.asn);
                network.resolver = address_in(network.asn).text;
                network.region = c % 2;
                m_networks.push_back(std::move(network));
            }
    }

    void make_sites() {
        const auto names = made_up_names(m_plan.domains, m_random);
        for (std::size_t i = 0; i < names.size(); ++i) {
            Site site;
            site.domain = names[i];
            site.is_https = i % 4 != 3;
            site.url = fmt::format("{}://{}/", site.is_https ? "https" : "http", site.domain);
            site.title = "Site " + site.domain;
            site.body_bytes = 600 + m_random.below(1500);
            const auto asn = static_cast<std::uint32_t>(65000 + m_random.below(200));
            for (std::uint64_t a = 0; a <= m_random.below(2); ++a) site.addresses.push_back(address_in(asn));
            if (m_random.chance(0.4)) site.v6 = address_in(asn, true);
            m_sites.push_back(std::move(site));
        }
    }

    std::int64_t day(std::uint32_t number) const { return m_plan.start_seconds + static_cast<std::int64_t>(number) * day_seconds; }

    void plant_blocks() {
        static constexpr std::array<std::string_view, 4> layers = {"dns", "tcp", "tls", "http"};
        std::set<std::pair<std::size_t, std::string>> used;
        const std::uint32_t blocks = std::min(m_plan.blocks, m_plan.domains * m_plan.countries / 2);
        for (std::uint32_t b = 0, tries = 0; b < blocks && tries < 10'000; ++tries) {
            const std::string_view layer = layers[b % 4];
            const std::size_t s = m_random.below(m_sites.size());
            const bool fits = layer == "http" ? !m_sites[s].is_https : layer == "tls" ? m_sites[s].is_https : true;
            if (!fits && m_sites.size() >= 4) continue;
            // The last country blocks nothing.
            const std::uint32_t country = static_cast<std::uint32_t>(m_random.below(std::max<std::uint32_t>(1, m_plan.countries - 1)));
            const std::string code = {'X', static_cast<char>('A' + country % 26)};
            if (!used.emplace(s, code).second) continue;
            m_blocked_sites.insert(s);
            const auto pick = [&](std::initializer_list<const char*> ways) { return std::string(*(ways.begin() + static_cast<std::ptrdiff_t>(m_random.below(ways.size())))); };
            MeasurementBlock block;
            block.domain = m_sites[s].domain;
            block.country = code;
            block.layer = layer;
            block.how = layer == "dns" ? pick({"nxdomain", "bogon", "foreign-address"}) : layer == "tcp" ? pick({"timeout", "refused"})
                        : layer == "tls" ? pick({"reset", "timeout"}) : pick({"page", "reset"});
            // A third begins before the first day; a third ends again.
            const std::uint32_t onset = b % 3 == 0 ? 0 : m_plan.days / 4 + static_cast<std::uint32_t>(m_random.below(std::max<std::uint32_t>(1, m_plan.days / 4)));
            block.onset_seconds = day(onset);
            if (b % 3 == 2) block.end_seconds = day(onset + m_plan.days / 4 + static_cast<std::uint32_t>(m_random.below(std::max<std::uint32_t>(1, m_plan.days / 8))));
            const std::uint64_t one_network = m_random.below(m_plan.networks);
            for (std::uint32_t n = 0; n < m_plan.networks; ++n) {
                if (b % 2 == 1 && n != one_network) continue;
                block.asn = 64512 + country * 16 + n;
                m_made.blocks.push_back(block);
            }
            ++b;
        }
    }

    void plant_nuisances() {
        std::vector<std::size_t> free;
        for (std::size_t s = 0; s < m_sites.size(); ++s)
            if (m_blocked_sites.count(s) == 0) free.push_back(s);
        const std::int64_t end = day(m_plan.days);
        const auto take = [&](bool wants_https) {
            for (std::size_t i = 0; i < free.size(); ++i)
                if (m_sites[free[i]].is_https == wants_https || i + 1 == free.size()) {
                    const std::size_t s = free[i];
                    free.erase(free.begin() + static_cast<std::ptrdiff_t>(i));
                    return s;
                }
            return m_sites.size();
        };
        for (const bool is_unresolved : {false, true}) {
            const std::size_t s = take(true);
            if (s == m_sites.size()) return;
            const std::uint32_t begin = m_plan.days / 3 + static_cast<std::uint32_t>(m_random.below(std::max<std::uint32_t>(1, m_plan.days / 3)));
            m_made.nuisances.push_back({is_unresolved ? "down-unresolved" : "down", m_sites[s].domain, "", 0, day(begin), day(begin + std::max<std::uint32_t>(1, m_plan.days / 6))});
        }
        if (const std::size_t s = take(true); s < m_sites.size()) m_made.nuisances.push_back({"geo-block", m_sites[s].domain, "XA", 0, m_plan.start_seconds, end});
        if (const std::size_t s = take(false); s < m_sites.size()) {
            m_sites[s].has_captcha = true;
            m_made.nuisances.push_back({"captcha", m_sites[s].domain, "", 0, m_plan.start_seconds, end});
        }
        for (int i = 0; i < 2; ++i)
            if (const std::size_t s = take(true); s < m_sites.size()) {
                Site& site = m_sites[s];
                for (int a = 0; a < 2; ++a) site.elsewhere.push_back(address_in(static_cast<std::uint32_t>(65200 + m_random.below(100))));
                m_made.nuisances.push_back({"cdn", site.domain, "", 0, m_plan.start_seconds, end});
            }
        Network& network = m_networks[m_random.below(m_networks.size())];
        network.has_broken_v6 = true;
        m_made.nuisances.push_back({"broken-ipv6", "", network.country, network.asn, m_plan.start_seconds, end});
        for (std::uint32_t n = 0; n < std::min<std::size_t>(m_plan.loud_probes, m_networks.size()); ++n)
            m_made.nuisances.push_back({"loud-probe", "", m_networks[n].country, m_networks[n].asn, m_plan.start_seconds, end});
        // Sites that turn all countries but the last away, by cutting connections and by a page over HTTP.
        for (const bool is_cut : {true, false}) {
            const std::size_t s = take(is_cut);
            if (s == m_sites.size() || m_sites[s].is_https != is_cut || m_plan.countries < 3) continue;
            for (std::uint32_t c = 0; c + 1 < m_plan.countries; ++c)
                m_made.nuisances.push_back({is_cut ? "geo-block-cut" : "geo-block-page", m_sites[s].domain, {'X', static_cast<char>('A' + c % 26)}, 0, m_plan.start_seconds, end});
        }
    }

    Fate fate_of(const Site& site, const Network& network, std::int64_t at, Random& random) {
        Fate fate;
        for (const auto& nuisance : m_made.nuisances) {
            if (nuisance.domain != site.domain || at < nuisance.begin_seconds || at >= nuisance.end_seconds) continue;
            if (nuisance.kind == "down") fate.is_site_down = true;
            if (nuisance.kind == "down-unresolved") fate.is_site_unresolved = true;
            if (nuisance.kind == "geo-block" && nuisance.country == network.country) fate.http = "geo-block";
            if (nuisance.kind == "geo-block-cut" && nuisance.country == network.country) fate.tls = "reset";
            if (nuisance.kind == "geo-block-page" && nuisance.country == network.country) fate.http = "geo-block";
            if (nuisance.kind == "captcha" && random.chance(0.4)) fate.http = "captcha";
        }
        if (random.chance(m_plan.control_failure_rate)) fate.is_control_failed = true;
        for (auto& block : m_made.blocks) {
            if (block.domain != site.domain || block.asn != network.asn || at < block.onset_seconds || (block.end_seconds && at >= *block.end_seconds)) continue;
            ++block.measurements;
            if (block.layer == "dns") fate.dns = block.how;
            if (block.layer == "tcp") fate.tcp = block.how;
            if (block.layer == "tls") fate.tls = block.how;
            if (block.layer == "http") fate.http = block.how;
            return fate;
        }
        if (random.chance(m_plan.failure_rate)) {
            ++m_made.ordinary_failures;
            switch (random.below(5)) {
                case 0: fate.dns = "timeout"; break;
                case 1: fate.dns = "servfail"; break;
                case 2: fate.tcp = "timeout"; break;
                case 3: (site.is_https ? fate.tls : fate.http) = "reset"; break;
                default: (site.is_https ? fate.tls : fate.tcp) = "timeout"; break;
            }
        }
        return fate;
    }

    static Json answers_of(const std::vector<Address>& addresses) {
        Json answers = Json::array();
        for (const Address& address : addresses) {
            Json answer;
            answer["asn"] = address.asn;
            answer["as_org_name"] = address.asn == 0 ? "" : fmt::format("Made-up Hosting {}", address.asn);
            answer["answer_type"] = address.is_v6 ? "AAAA" : "A";
            answer[address.is_v6 ? "ipv6" : "ipv4"] = address.text;
            answer["ttl"] = nullptr;
            answers.push_back(std::move(answer));
        }
        return answers;
    }

    struct Question {
        std::string_view engine, type, resolver;
        std::int64_t transaction = 0;
        bool is_classic = false;
    };

    static Json query(const Question& question, const Site& site, const std::string& failure, const std::vector<Address>& addresses, double t) {
        Json entry;
        entry["answers"] = failure.empty() && !addresses.empty() ? answers_of(addresses) : Json(nullptr);
        entry["engine"] = question.engine;
        entry["failure"] = failure.empty() ? (addresses.empty() ? Json("dns_no_answer") : Json(nullptr)) : Json(failure);
        entry["hostname"] = site.domain;
        entry["query_type"] = question.type;
        if (failure == "dns_nxdomain_error") entry["rcode"] = 3;
        entry["resolver_hostname"] = nullptr;
        entry["resolver_port"] = nullptr;
        entry["resolver_address"] = question.resolver;
        entry["t0"] = t - 0.02;
        entry["t"] = t;
        entry["tags"] = question.is_classic ? Json{"classic", "depth=0"} : Json::array({"depth=0"});
        entry["transaction_id"] = question.transaction;
        return entry;
    }

    static std::string with_port(const Address& address, int port) { return address.is_v6 ? fmt::format("[{}]:{}", address.text, port) : fmt::format("{}:{}", address.text, port); }

    std::string measure(const Site& site, const Network& network, std::int64_t at, std::uint64_t number, std::uint32_t probe, bool is_line_bad) {
        Random random(m_seed, number);
        Fate fate = fate_of(site, network, at, random);
        if (is_line_bad && Random(m_seed, number ^ 1).chance(0.9)) fate.tcp = "timeout";
        std::int64_t shown = at;
        if (random.chance(m_plan.clock_outlier_rate)) {
            ++m_made.clock_outliers;
            shown = random.chance(0.5) ? at + 500 * day_seconds : 1'000'000'000 + static_cast<std::int64_t>(random.below(1000 * day_seconds));
        }

        // Names
        const bool is_elsewhere = !site.elsewhere.empty() && network.region == 1;
        std::vector<Address> right = is_elsewhere ? site.elsewhere : site.addresses;
        std::vector<Address> system = right;
        std::string dns_failure;
        if (fate.is_site_unresolved) dns_failure = "dns_nxdomain_error";
        if (fate.dns == "nxdomain") dns_failure = "dns_nxdomain_error";
        if (fate.dns == "timeout") dns_failure = "generic_timeout_error";
        if (fate.dns == "servfail") dns_failure = "dns_servfail_error";
        if (fate.dns == "bogon") system = {{"10.10.34.35", 0, false}};
        if (fate.dns == "foreign-address") system = {{"130.192.91.211", 65500, false}};
        if (!dns_failure.empty()) system.clear();
        const bool is_poisoned = fate.dns == "nxdomain" || fate.dns == "bogon" || fate.dns == "foreign-address";
        // A question past the network's own resolver meets the same box; HTTPS does not.
        const std::string udp_failure = is_poisoned || fate.is_site_unresolved ? dns_failure : "";
        const std::vector<Address>& udp = is_poisoned ? system : right;
        const std::vector<Address> none;
        std::vector<Address> v6;
        if (site.v6 && !fate.is_site_unresolved) v6.push_back(*site.v6);

        Json queries = Json::array();
        double t = 0.05 + 0.1 * random.uniform();
        const std::string doh_failure = fate.is_site_unresolved ? "dns_nxdomain_error" : "";
        queries.push_back(query({"doh", "A", "https://dns.google/dns-query", 30001, false}, site, doh_failure, fate.is_site_unresolved ? none : right, t));
        queries.push_back(query({"doh", "AAAA", "https://dns.google/dns-query", 30001, false}, site, doh_failure, v6, t));
        std::vector<Address> system_all = system;
        if (!is_poisoned && dns_failure.empty()) system_all.insert(system_all.end(), v6.begin(), v6.end());
        queries.push_back(query({"getaddrinfo", "ANY", "", 10001, true}, site, dns_failure, system_all, t));
        queries.push_back(query({"udp", "A", "1.1.1.1:53", 20001, false}, site, udp_failure, udp, t));
        queries.push_back(query({"udp", "AAAA", "1.1.1.1:53", 20001, false}, site, udp_failure, is_poisoned ? none : v6, t));

        // Connections
        std::vector<std::pair<Address, bool>> endpoints;  // and whether the system's resolver gave it
        for (const Address& address : system) endpoints.emplace_back(address, true);
        if (!fate.is_site_unresolved)
            for (const Address& address : right)
                if (std::none_of(endpoints.begin(), endpoints.end(), [&](const auto& e) { return e.first.text == address.text; })) endpoints.emplace_back(address, false);
        for (const Address& address : v6) endpoints.emplace_back(address, dns_failure.empty() && !is_poisoned);
        Json connects = Json::array(), handshakes = Json::array(), requests = Json::array();
        Json control_connects = Json::object(), control_handshakes = Json::object(), info = Json::object(), asked = Json::array();
        const int port = site.is_https ? 443 : 80;
        std::int64_t transaction = site.is_https ? 50000 : 40000;
        std::string http_failure = dns_failure;
        int flags = 0;
        bool is_fetched = false;
        std::string body, title = site.title;
        int status = 200;
        for (const auto& [address, is_system] : endpoints) {
            const bool is_site = std::any_of(right.begin(), right.end(), [&, &address = address](const Address& one) { return one.text == address.text; }) || address.is_v6;
            const bool is_bogon = address.asn == 0;
            const std::string endpoint = with_port(address, port);
            std::string tcp_failure, tls_failure;
            if (is_bogon || fate.is_site_down) tcp_failure = "generic_timeout_error";
            if (fate.tcp == "timeout" && is_site) tcp_failure = "generic_timeout_error";
            if (fate.tcp == "refused" && is_site) tcp_failure = "connection_refused";
            if (address.is_v6 && network.has_broken_v6) tcp_failure = "network_unreachable";
            t += 0.03 + random.exponential(0.05);
            ++transaction;
            Json tags = Json::array();
            if (is_system) tags.push_back("classic");
            for (const char* tag : {"tcptls_experiment", "depth=0", "fetch_body=true"}) tags.push_back(tag);
            connects.push_back({{"ip", address.text}, {"port", port},
                                {"status", {{"failure", tcp_failure.empty() ? Json(nullptr) : Json(tcp_failure)}, {"success", tcp_failure.empty()}}},
                                {"t", t}, {"tags", tags}, {"transaction_id", transaction}});
            // The control tries what the probe names; a forged address that is some real machine answers it too.
            if (!is_bogon) {
                asked.push_back(endpoint);
                const bool is_up = !fate.is_site_down;
                control_connects[endpoint] = {{"status", is_up}, {"failure", is_up ? Json(nullptr) : Json("generic_timeout_error")}};
                if (site.is_https && is_up) {
                    const bool is_valid = is_site;
                    control_handshakes[endpoint] = {{"server_name", site.domain}, {"status", is_valid}, {"failure", is_valid ? Json(nullptr) : Json("ssl_invalid_hostname")}};
                }
            }
            const bool is_seen_by_control = !is_elsewhere && is_site;
            info[address.text] = {{"asn", address.asn},
                                  {"flags", (is_system ? resolved_by_probe : 0) | (is_seen_by_control ? resolved_by_control : 0) | (is_bogon ? is_bogon_address : 0) |
                                                (is_site && site.is_https ? valid_for_domain : 0)}};
            if (!tcp_failure.empty()) {
                if (http_failure.empty()) http_failure = tcp_failure;
                if (is_site && !fate.is_site_down && !(address.is_v6 && network.has_broken_v6)) flags |= blocked_tcp;
                continue;
            }
            if (site.is_https) {
                if (fate.tls == "reset") tls_failure = "connection_reset";
                if (fate.tls == "timeout") tls_failure = "generic_timeout_error";
                if (!is_site) tls_failure = "ssl_invalid_hostname";
                handshakes.push_back({{"network", "tcp"}, {"address", endpoint}, {"cipher_suite", tls_failure.empty() ? "TLS_AES_128_GCM_SHA256" : ""},
                                      {"failure", tls_failure.empty() ? Json(nullptr) : Json(tls_failure)},
                                      {"negotiated_protocol", tls_failure.empty() ? "http/1.1" : ""}, {"no_tls_verify", false}, {"peer_certificates", nullptr},
                                      {"server_name", site.domain}, {"t0", t}, {"t", t + 0.06}, {"tags", tags}, {"tls_version", tls_failure.empty() ? "TLSv1.3" : ""},
                                      {"transaction_id", transaction}});
                t += 0.06;
                if (!tls_failure.empty()) {
                    if (is_site) flags |= blocked_tls;
                    if (http_failure.empty()) http_failure = tls_failure;
                    continue;
                }
            }
            if (is_fetched) continue;
            is_fetched = true;
            Json response;
            std::string request_failure;
            std::vector<std::pair<std::string, std::string>> headers = {{"Content-Type", "text/html; charset=utf-8"}, {"Server", "nginx"}};
            body = page(site.title, site.body_bytes);
            if (!is_site) {
                title = "Welcome to nginx";
                body = page(title, 500);
            } else if (fate.http == "page") {
                title = "Blocked by order of " + network.country;
                body = page(title, 400);
                headers = {{"Content-Type", "text/html"}};
                status = random.chance(0.5) ? 200 : 403;
            } else if (fate.http == "reset") {
                request_failure = "connection_reset";
                body.clear();
                status = 0;
                headers.clear();
            } else if (fate.http == "geo-block") {
                title = "Not available in your region";
                body = page(title, 350);
                status = 403;
            } else if (fate.http == "captcha") {
                title = "Just a moment...";
                body = page(title, 700);
                status = 503;
                headers.emplace_back("Cf-Mitigated", "challenge");
            }
            if (request_failure.empty()) headers.emplace_back("Content-Length", fmt::format("{}", body.size()));
            const std::vector<std::pair<std::string, std::string>> asked_headers = {{"Accept", "*/*"}, {"Host", site.domain}, {"User-Agent", "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"}};
            requests.push_back({{"network", "tcp"}, {"address", endpoint}, {"failure", request_failure.empty() ? Json(nullptr) : Json(request_failure)},
                                {"request", {{"body", ""}, {"body_is_truncated", false}, {"headers_list", header_list(asked_headers)}, {"headers", header_object(asked_headers)},
                                             {"method", "GET"}, {"tor", {{"exit_ip", nullptr}, {"exit_name", nullptr}, {"is_tor", false}}}, {"x_transport", "tcp"}, {"url", site.url}}},
                                {"response", {{"body", body}, {"body_is_truncated", false}, {"code", status}, {"headers_list", header_list(headers)}, {"headers", header_object(headers)}}},
                                {"t", t + 0.1}, {"tags", tags}, {"transaction_id", transaction}});
            if (!request_failure.empty()) {
                http_failure = request_failure;
                flags |= blocked_http;
            }
        }

        // What the probe makes of it.
        int dns_flags = 0;
        const bool is_down = fate.is_site_down || fate.is_site_unresolved;
        if (!fate.is_control_failed) {
            if (!dns_failure.empty() && !fate.is_site_unresolved) dns_flags |= dns_unexpected_failure;
            if (fate.dns == "bogon") dns_flags |= dns_bogon | dns_unexpected_addresses;
            if (fate.dns == "foreign-address") dns_flags |= dns_unexpected_addresses;
            // A handshake that succeeds vouches for an address that the control does not know; without TLS nothing does.
            if (is_elsewhere && dns_failure.empty() && !is_poisoned && handshakes.empty()) dns_flags |= dns_unexpected_addresses;
        }
        if (dns_flags != 0) flags |= blocked_dns;
        const bool is_ok_response = is_fetched && (flags & blocked_http) == 0;
        const bool is_changed = is_ok_response && (title != site.title || status != 200);
        if (is_ok_response && (site.is_https || !is_changed)) flags |= was_success;
        if (is_ok_response && is_changed && !site.is_https) flags |= blocked_diff;
        Json blocking = nullptr, accessible = nullptr;
        if (fate.is_control_failed) {
            flags &= was_success;
            if ((flags & was_success) != 0) blocking = false, accessible = true;
        } else if (is_down) {
            flags = 0;
            blocking = false;
            accessible = false;
        } else if ((flags & blocked_dns) != 0) {
            blocking = "dns";
            accessible = false;
        } else if ((flags & was_success) != 0) {
            blocking = false;
            accessible = true;
        } else if ((flags & blocked_tcp) != 0) {
            blocking = "tcp_ip";
            accessible = false;
        } else if ((flags & (blocked_tls | blocked_http)) != 0) {
            blocking = "http-failure";
            accessible = false;
        } else if ((flags & blocked_diff) != 0) {
            blocking = "http-diff";
            accessible = false;
        }
        if (is_ok_response && dns_failure.empty() && dns_flags == 0) http_failure.clear();

        Json keys;
        keys["agent"] = "redirect";
        keys["client_resolver"] = network.resolver;
        keys["retries"] = nullptr;
        keys["socksproxy"] = nullptr;
        keys["network_events"] = nullptr;
        for (const char* name : {"x_dns_whoami", "x_doh", "x_do53", "x_dns_duplicate_responses"}) keys[name] = nullptr;
        keys["queries"] = std::move(queries);
        keys["requests"] = std::move(requests);
        keys["tcp_connect"] = std::move(connects);
        keys["tls_handshakes"] = std::move(handshakes);
        keys["x_control_request"] = {{"http_request", site.url}, {"http_request_headers", Json::object()}, {"tcp_connect", asked}, {"x_quic_enabled", false}};
        if (fate.is_control_failed) {
            keys["control"] = Json::object();
        } else {
            Json control;
            control["tcp_connect"] = std::move(control_connects);
            control["tls_handshake"] = std::move(control_handshakes);
            control["quic_handshake"] = Json::object();
            const bool is_up = !is_down;
            control["http_request"] = {{"body_length", is_up ? static_cast<std::int64_t>(page(site.title, site.body_bytes).size()) : -1},
                                       {"discovered_h3_endpoint", ""},
                                       {"failure", fate.is_site_unresolved ? Json("dns_lookup_error") : fate.is_site_down ? Json("generic_timeout_error") : Json(nullptr)},
                                       {"title", is_up ? site.title : ""},
                                       {"headers", is_up ? Json{{"Content-Type", "text/html; charset=utf-8"}, {"Server", "nginx"}} : Json::object()},
                                       {"status_code", is_up ? 200 : -1}};
            control["http3_request"] = nullptr;
            Json seen = Json::array();
            if (!fate.is_site_unresolved) {
                for (const Address& address : site.addresses) seen.push_back(address.text);
                for (const Address& address : v6) seen.push_back(address.text);
            }
            control["dns"] = {{"failure", fate.is_site_unresolved ? Json("dns_name_error") : Json(nullptr)}, {"addrs", std::move(seen)}};
            control["ip_info"] = std::move(info);
            keys["control"] = std::move(control);
        }
        keys["x_conn_priority_log"] = nullptr;
        keys["control_failure"] = fate.is_control_failed ? Json("connection_reset") : Json(nullptr);
        keys["x_dns_flags"] = dns_flags;
        keys["dns_experiment_failure"] = dns_failure.empty() ? Json(nullptr) : Json(dns_failure);
        keys["dns_consistency"] = fate.is_control_failed ? Json(nullptr) : Json(dns_flags == 0 ? "consistent" : "inconsistent");
        keys["http_experiment_failure"] = http_failure.empty() ? Json(nullptr) : Json(http_failure);
        keys["x_blocking_flags"] = flags;
        keys["x_null_null_flags"] = is_down ? 1 : fate.is_control_failed ? 8 : 0;
        const bool is_compared = is_ok_response && !fate.is_control_failed && !is_down && dns_flags == 0;
        const auto control_bytes = static_cast<double>(page(site.title, site.body_bytes).size());
        const double proportion = is_compared ? std::min(static_cast<double>(body.size()), control_bytes) / std::max(static_cast<double>(body.size()), control_bytes) : 0;
        keys["body_proportion"] = proportion;
        const auto compared = [&](bool value) { return is_compared ? Json(value) : Json(nullptr); };
        keys["body_length_match"] = compared(proportion > 0.7);
        keys["headers_match"] = compared(fate.http != "page");
        keys["status_code_match"] = compared(status == 200);
        keys["title_match"] = compared(title == site.title);
        keys["blocking"] = std::move(blocking);
        keys["accessible"] = std::move(accessible);

        const std::string when = format_utc_seconds(shown);
        // Reports and measurements are named by the collector, whose clock is right.
        std::string stamp = format_utc_seconds(at);
        std::erase_if(stamp, [](char c) { return c == '-' || c == ':' || c == ' '; });
        Json json;
        json["annotations"] = {{"architecture", "arm64"}, {"engine_name", "ooniprobe-engine"}, {"engine_version", "3.22.0"}, {"network_type", "wifi"}, {"platform", probe_kinds[probe].platform}};
        json["data_format_version"] = "0.2.0";
        json["extensions"] = {{"dnst", 0}, {"httpt", 0}, {"netevents", 0}, {"tcpconnect", 0}, {"tlshandshake", 0}, {"tunnel", 0}};
        json["input"] = site.url;
        json["measurement_start_time"] = when;
        json["measurement_uid"] = fmt::format("{}.{:06}_{}_webconnectivity_{}", stamp, random.below(1'000'000), network.country, hex(random, 16));
        json["probe_asn"] = fmt::format("AS{}", network.asn);
        json["probe_cc"] = network.country;
        json["probe_ip"] = "127.0.0.1";
        json["probe_network_name"] = network.name;
        json["report_id"] = fmt::format("{}T{}Z_webconnectivity_{}_{}_n1_{}", stamp.substr(0, 8), stamp.substr(8), network.country, network.asn, hex(random, 16));
        json["resolver_asn"] = fmt::format("AS{}", network.asn);
        json["resolver_ip"] = network.resolver;
        json["resolver_network_name"] = network.name;
        json["software_name"] = probe_kinds[probe].software;
        json["software_version"] = "3.8.8";
        json["test_helpers"] = {{"backend", {{"address", "https://0.th.ooni.org/"}, {"type", "https"}}}};
        json["test_keys"] = std::move(keys);
        json["test_name"] = "web_connectivity";
        json["test_runtime"] = t + 0.3;
        json["test_start_time"] = format_utc_seconds(shown - static_cast<std::int64_t>(random.below(600)));
        json["test_version"] = "0.5.28";
        return json.dump();
    }

    /// "2024-01-01 00:00:00"
    static std::string format_utc_seconds(std::int64_t seconds) {
        std::string text = format_time(seconds * 1'000'000);
        text[10] = ' ';
        text.pop_back();
        return text;
    }

    MeasurementPlan m_plan;
    std::uint64_t m_seed;
    Random m_random;
    std::vector<Network> m_networks;
    std::vector<Site> m_sites;
    std::set<std::size_t> m_blocked_sites;
    Measurements m_made;
};

}  // namespace

Measurements make_measurements(const MeasurementPlan& plan, std::uint64_t seed) { return Maker(plan, seed).make(); }

}  // namespace unveil::lab
