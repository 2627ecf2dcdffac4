#include "instruments/interference/capture_book.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>
#include <tuple>

#include "core/hash.hpp"
#include "core/text.hpp"
#include "instruments/interference/request_words.hpp"
#include "statistics/binomial.hpp"
#include "statistics/fisher.hpp"
#include "statistics/multiple_testing.hpp"
#include "statistics/proportion.hpp"

namespace unveil {
namespace {

constexpr double signed_share_max = 0.1;       // names that show a sign more rarely make the baseline
constexpr std::uint64_t baseline_min = 20;     // flows, below which the baseline is not taken from the evidence
constexpr double baseline_unknown = 0.2;
constexpr double baseline_floor = 1e-3;
constexpr double reset_ratio_min = 2;          // a reset below this is the host's more likely than not
constexpr double page_ratio_min = 6;           // an answer from another distance alone is a load balancer's
constexpr std::int64_t second_ns = 1'000'000'000;

/// What the controls leave possible for the share of flows that show a sign by chance.
double baseline(std::uint64_t hits, std::uint64_t trials, double otherwise) {
    if (trials < baseline_min) return otherwise;
    return std::max(baseline_floor, clopper_pearson_interval(hits, trials).high);
}

std::uint64_t combined(std::uint64_t a, std::uint64_t b) { return (a ^ (b + 0x9E3779B97F4A7C15ull + (a << 6) + (a >> 2))) * 0xFF51AFD7ED558CCDull; }

std::uint64_t address_hash(const IpAddress& address) {
    std::array<std::uint64_t, 2> halves{};
    std::memcpy(halves.data(), address.bytes.data(), sizeof halves);
    const std::uint64_t hash = combined(combined(halves[0], halves[1]), 0);
    return hash ^ hash >> 32;
}

std::uint64_t pair_of(const FlowRecord& flow) { return combined(address_hash(flow.client), address_hash(flow.server)); }
std::uint64_t triple_of(const FlowRecord& flow) { return combined(pair_of(flow), flow.server_port); }

std::uint64_t connection_of(const FlowRecord& flow) { return combined(triple_of(flow), std::uint64_t{flow.client_port} << 32 | flow.name); }

bool is_tcp(const FlowRecord& flow) { return flow.protocol == static_cast<std::uint8_t>(Protocol::tcp); }
/// Of what came in the server's name.
constexpr std::uint32_t forged_signs = sign::reset | sign::reset_at_syn | sign::syn_ack_forged | sign::page_injected | sign::page_known | sign::dns_conflict | sign::dns_pool | sign::dns_race | sign::certificate_foreign;
constexpr std::uint32_t reset_signs = sign::reset | sign::reset_to_server;
bool is_foreign_kind(PayloadKind kind) { return kind == PayloadKind::other || kind == PayloadKind::ssh; }
constexpr std::uint32_t lost_signs = sign::dropped | sign::uplink_lost;

/// A server of names and another of lookups at one address have nothing to do with each other.
std::uint64_t server_of(const IpAddress& server, PayloadKind kind) { return kind == PayloadKind::dns ? combined(address_hash(server), 53) : address_hash(server); }

/// Addresses that no public name has.
bool is_bogon(const IpAddress& address) {
    if (!address.is_v4()) return false;
    const std::uint8_t a = address.bytes[12];
    const std::uint8_t b = address.bytes[13];
    return a == 0 || a == 10 || a == 127 || a >= 224 || (a == 100 && b >= 64 && b < 128) || (a == 169 && b == 254) || (a == 172 && b >= 16 && b < 32) || (a == 192 && b == 168);
}

/// From which logarithm of the likelihood ratio on a flow counts for its trigger.
double ratio_min_of(Mechanism mechanism) {
    return mechanism == Mechanism::reset_injection ? reset_ratio_min : mechanism == Mechanism::block_page ? page_ratio_min : -1e9;
}

IpAddress address_prefix(IpAddress address) {
    const std::size_t kept = address.is_v4() ? 15 : 6;
    std::fill(address.bytes.begin() + static_cast<std::ptrdiff_t>(kept), address.bytes.end(), std::uint8_t{0});
    return address;
}

std::string last_two_labels(std::string_view name) {
    std::size_t from = name.rfind('.');
    if (from != std::string_view::npos && from > 0) from = name.rfind('.', from - 1);
    return std::string(from == std::string_view::npos ? name : name.substr(from + 1));
}

std::string_view layer_of(PayloadKind kind) {
    switch (kind) {
        case PayloadKind::tls: return "tls";
        case PayloadKind::http: return "http";
        case PayloadKind::dns:
        case PayloadKind::dns_tcp: return "dns";
        case PayloadKind::quic: return "quic";
        default: return "tcp";
    }
}

/// Some act on connections whatever they hold; others on what the client's first words say.
std::string_view layer_of(Mechanism mechanism, const std::array<std::size_t, payload_kind_count>& kinds) {
    switch (mechanism) {
        case Mechanism::syn_ack_injection:
        case Mechanism::freeze:
        case Mechanism::residual:
        case Mechanism::fully_encrypted_drop:
        case Mechanism::protocol_whitelist:
        case Mechanism::syn_drop:
        case Mechanism::syn_reset: return "tcp";
        default: return layer_of(static_cast<PayloadKind>(std::max_element(kinds.begin(), kinds.end()) - kinds.begin()));
    }
}

}  // namespace

std::string_view mechanism_name(Mechanism mechanism) {
    constexpr std::array<std::string_view, mechanism_count> names = {"dns-injection", "rst-injection", "syn-ack-injection", "block-page", "silent-drop", "freeze", "residual", "quic-drop",
                                                                     "fully-encrypted-drop", "throttling-policing", "throttling-shaping", "protocol-whitelist", "syn-drop", "syn-reset", "tls-interception", "throttling"};
    return names[static_cast<std::size_t>(mechanism)];
}

std::string_view port_rule_name(PortRule rule) {
    constexpr std::array<std::string_view, 5> names = {"undecided", "none", "source-above", "source-above-or-equal", "source-above, equal untried"};
    return names[static_cast<std::size_t>(rule)];
}

PortRule port_rule(const PortComparison& comparison) {
    constexpr std::uint64_t flows_min = 8;
    constexpr double level = 0.001;
    // Noise alone silences 12 of 80; a rule that blocks loses more than half when it is not overloaded, and never nothing.
    enum class Group { unknown, blocked, free };
    const auto group = [&](std::uint64_t flows, std::uint64_t blocked) {
        if (flows < flows_min) return Group::unknown;
        if (binomial_tail(blocked, flows, 0.25) < level) return Group::blocked;
        if (binomial_tail(flows - blocked, flows, 0.75) < level || (blocked == 0 && flows >= 24)) return Group::free;
        return Group::unknown;
    };
    const Group above = group(comparison.above, comparison.above_blocked);
    const Group equal = group(comparison.equal, comparison.equal_blocked);
    const Group below = group(comparison.below, comparison.below_blocked);
    if (above == Group::blocked && below == Group::free && equal == Group::free) return PortRule::source_above;
    if (above == Group::blocked && below == Group::free && equal == Group::blocked) return PortRule::source_above_or_equal;
    if (above == Group::blocked && below == Group::free && comparison.equal == 0) return PortRule::source_above_equal_untried;
    if (above == Group::blocked && below == Group::blocked) return PortRule::none;
    return PortRule::undecided;
}

std::size_t CaptureBook::AddressHash::operator()(const IpAddress& address) const { return address_hash(address); }

CaptureBook::CaptureBook(const InterferenceFacts& facts, const NameBook& names, const Limits& limits) : m_facts(facts), m_names(names), m_limits(limits) {}

void CaptureBook::add(const FlowRecord& flow) {
    if (flow.name != 0) {
        if (m_exposures.size() <= flow.name) m_exposures.resize(flow.name + 1);
        // A connection that never got as far as its name does not count.
        ++m_exposures[flow.name].flows[static_cast<std::size_t>(flow.kind)];
        m_exposures[flow.name].with_ech += flow.has_ech;
        if (!flow.server.is_v4()) ++m_exposures[flow.name].v6[static_cast<std::size_t>(transport_of(flow.kind))];
        note_named(flow);
        note_answer(flow);
        if (flow.request != 0) {
            const std::uint64_t key = std::uint64_t{flow.name} << 32 | flow.request;
            if (m_requests.size() < m_limits.flows_kept_max || m_requests.count(key) > 0) ++m_requests[key];
            else ++m_flows_left_out;
        }
    }
    if (flow.kind == PayloadKind::quic && flow.name != 0) {
        const bool is_blocked = (flow.signs & sign::quic_silent) != 0;
        PortComparison& ports = m_quic_by_name[flow.name];
        const auto count = [&](std::uint64_t& flows, std::uint64_t& blocked) {
            ++flows;
            blocked += is_blocked;
        };
        if (flow.client_port > flow.server_port) count(ports.above, ports.above_blocked);
        else if (flow.client_port == flow.server_port) count(ports.equal, ports.equal_blocked);
        else count(ports.below, ports.below_blocked);
    }
    if (is_tcp(flow)) {
        if (m_attempts_by_server.size() < m_limits.flows_kept_max || m_attempts_by_server.count(flow.server) > 0) {
            Attempts& attempts = m_attempts_by_server[flow.server];
            ++attempts.flows;
            attempts.silent += !flow.has_handshake && (flow.signs & sign::no_syn_ack) != 0;
            attempts.reset += (flow.signs & sign::reset_at_syn) != 0;
        }
        if (flow.trigger_ns != 0 && flow.has_handshake && is_foreign_kind(flow.kind)) {
            const bool is_lost = (flow.signs & lost_signs) != 0;
            Tally& tally = m_eligible_by_server[flow.server][flow.is_eligible ? 1 : 0];
            ++tally.flows;
            tally.lost += (flow.signs & sign::dropped) != 0;
            Tally& port = m_foreign_by_port[flow.server_port];
            ++port.flows;
            port.lost += is_lost;
            if (!flow.server.is_v4()) ++m_foreign_v6_by_port[flow.server_port];
        }
        if (flow.trigger_ns != 0 && flow.has_handshake) {
            const bool is_lost = (flow.signs & sign::dropped) != 0;
            (flow.is_eligible ? m_eligibility.eligible : m_eligibility.exempt) += 1;
            if (is_lost) (flow.is_eligible ? m_eligibility.eligible_lost : m_eligibility.exempt_lost) += 1;
        }
        if (m_outcomes.size() < m_limits.outcomes_kept_max) {
            constexpr std::uint32_t failures = sign::reset_at_syn | sign::no_syn_ack | sign::reset | sign::dropped;
            const bool is_failed = (flow.signs & failures) != 0 && !flow.is_answered;
            const bool is_late = flow.is_answered && (flow.signs & sign::no_syn_ack) != 0;
            const std::uint64_t pair = pair_of(flow);
            const std::uint64_t triple = combined(pair, flow.server_port);
            if (is_late) m_outcomes.push_back({triple, pair, flow.first_ns, flow.name, flow.client_port, true});
            if (is_failed || flow.is_answered) m_outcomes.push_back({triple, pair, is_late ? flow.sign_ns : flow.first_ns, flow.name, flow.client_port, is_failed});
        } else {
            ++m_flows_left_out;
        }
    }
    // An answered lookup is kept: its address may turn out to be a forged one, or its answer too fast.
    const bool is_lookup = flow.kind == PayloadKind::dns && flow.is_answered;
    // So is what shows a certificate that may be another one's than the server's.
    const ShownCertificate& shown = flow.certificate;
    const bool is_certificate_asked = shown.leaf != 0 && (!shown.is_for_name || flow.is_answer_elsewhere || shown.known_issuer != 0 || m_limits.is_two_sided);
    if (flow.signs == 0 && !is_lookup && !is_certificate_asked) return;
    if (m_judged.size() >= m_limits.flows_kept_max) {
        ++m_flows_left_out;
        return;
    }
    m_judged.push_back({flow, mechanism_of(flow), false});
}

CaptureBook::Transport CaptureBook::transport_of(PayloadKind kind) {
    return kind == PayloadKind::dns ? Transport::lookups : kind == PayloadKind::quic ? Transport::quic : Transport::tcp;
}

void CaptureBook::note_named(const FlowRecord& flow) {
    const bool is_answered_late = is_tcp(flow) && flow.signs == sign::no_syn_ack;
    const bool is_lost = flow.signs != 0 && !(flow.is_answered && is_answered_late);
    if (!is_lost && !flow.is_answered) return;
    m_named_flows.push_back({server_of(flow.server, flow.kind), flow.name, is_lost});
    if (m_named_flows.size() >= named_flows_max) fold_named();
    if (flow.server.is_v4()) return;
    FlowShare& v6 = m_named_v6[static_cast<std::size_t>(transport_of(flow.kind))];
    ++v6.flows;
    v6.hits += is_lost;
}

void CaptureBook::fold_named() {
    for (const NamedFlow& flow : m_named_flows) {
        const std::uint64_t key = combined(flow.server, flow.name);
        if (m_named.size() >= m_limits.outcomes_kept_max && m_named.count(key) == 0) {
            ++m_flows_left_out;
            continue;
        }
        NamedShare& named = m_named[key];
        named.server = flow.server;
        named.name = flow.name;
        ++named.share.flows;
        named.share.hits += flow.is_lost;
    }
    m_named_flows.clear();
}

void CaptureBook::gather_named() {
    for (const JudgedFlow& judged : m_judged) m_named_by_server[server_of(judged.flow.server, judged.flow.kind)];
    const auto add = [&](std::uint64_t server, std::uint32_t name, const FlowShare& share) {
        const auto known = m_named_by_server.find(server);
        if (known == m_named_by_server.end()) return;
        for (FlowShare* sum : {&known->second.all, &known->second.names[name]}) {
            sum->flows += share.flows;
            sum->hits += share.hits;
        }
    };
    for (const auto& [key, named] : m_named) add(named.server, named.name, named.share);
    for (const NamedFlow& flow : m_named_flows) add(flow.server, flow.name, {flow.is_lost ? 1u : 0u, 1});
}

void CaptureBook::add(const RateRecord& rate) {
    if (m_rates.size() < m_limits.flows_kept_max) m_rates.push_back(rate);
    else ++m_flows_left_out;
}

void CaptureBook::note_unsent(std::span<const Locator> frames, double log_likelihood_ratio) {
    for (JudgedFlow& judged : m_judged) {
        FlowRecord& flow = judged.flow;
        // The first frame is the client's.
        const bool is_unsent = std::any_of(flow.frames.begin() + 1, flow.frames.end(), [&](std::uint64_t frame) {
            return frame != 0 && std::binary_search(frames.begin(), frames.end(), Locator{flow.evidence, frame});
        });
        constexpr std::uint32_t signs_sent = reset_signs | sign::reset_at_syn | sign::syn_ack_forged | sign::page_injected | sign::page_known | sign::dns_conflict;
        if (is_unsent && (flow.signs & signs_sent) != 0) flow.log_likelihood_ratio += static_cast<float>(log_likelihood_ratio);
    }
}

Mechanism CaptureBook::mechanism_of(const FlowRecord& flow) const {
    if (flow.kind == PayloadKind::dns) return Mechanism::dns_injection;
    if (flow.signs == 0) return Mechanism::tls_interception;
    if ((flow.signs & sign::quic_silent) != 0) return Mechanism::quic_drop;
    if ((flow.signs & sign::syn_ack_forged) != 0) return Mechanism::syn_ack_injection;
    if ((flow.signs & (sign::page_injected | sign::page_known)) != 0) return Mechanism::block_page;
    if ((flow.signs & reset_signs) != 0 && (flow.signs & lost_signs) == 0) return Mechanism::reset_injection;
    if (is_foreign_kind(flow.kind) && (flow.signs & sign::uplink_lost) != 0) return Mechanism::protocol_whitelist;
    if (is_foreign_kind(flow.kind) && (flow.signs & sign::dropped) != 0) return Mechanism::fully_encrypted_drop;
    if ((flow.signs & lost_signs) != 0) return Mechanism::silent_drop;
    if ((flow.signs & sign::frozen) != 0) return Mechanism::freeze;
    return (flow.signs & sign::reset_at_syn) != 0 ? Mechanism::syn_reset : Mechanism::syn_drop;
}

bool CaptureBook::is_answered_for_others(const IpAddress& server, std::uint32_t name) const {
    const auto known = m_named_by_server.find(server_of(server, PayloadKind::none));
    if (known == m_named_by_server.end()) return false;
    const auto own = known->second.names.find(name);
    const FlowShare& all = known->second.all;
    return all.flows - all.hits > (own == known->second.names.end() ? 0 : own->second.flows - own->second.hits);
}

std::uint64_t CaptureBook::exposed_v6(std::uint32_t name, PayloadKind kind) const {
    return name < m_exposures.size() ? m_exposures[name].v6[static_cast<std::size_t>(transport_of(kind))] : 0;
}

/// What went to the servers of a group for other names.
FlowShares CaptureBook::others_at_servers(const Group& group) {
    std::map<std::uint64_t, std::set<std::uint32_t>> own_names;
    for (const std::size_t i : group.members) own_names[server_of(m_judged[i].flow.server, m_judged[i].flow.kind)].insert(m_judged[i].flow.name);
    FlowShares others;
    for (const auto& [key, names] : own_names) {
        const auto known = m_named_by_server.find(key);
        if (known == m_named_by_server.end()) continue;
        NamedServer& server = known->second;
        if (server.shares.empty())
            for (const auto& [name, share] : server.names) ++server.shares[share];
        for (const auto& [share, count] : server.shares) others[share] += count;
        for (const std::uint32_t name : names)
            if (const auto own = server.names.find(name); own != server.names.end()) --others[own->second];
    }
    std::erase_if(others, [](const auto& item) { return item.second == 0; });
    return others;
}

void CaptureBook::close_group(MechanismVerdict verdict, const Group& group, std::optional<double> chance, std::optional<FlowShares> same_servers) {
    verdict.flows = group.hits;
    verdict.exposed = std::max(group.exposed, group.hits);
    std::uint64_t forged = 0;
    std::uint64_t to_client = 0;
    std::uint64_t to_server = 0;
    std::uint64_t v6 = 0;
    std::array<bool, 256> ttls{};
    std::map<std::string_view, std::uint64_t> classes;
    std::array<std::size_t, payload_kind_count> kinds{};
    for (const std::size_t i : group.members) {
        JudgedFlow& judged = m_judged[i];
        const FlowRecord& flow = judged.flow;
        ++kinds[static_cast<std::size_t>(flow.kind)];
        forged += (flow.signs & (forged_signs | sign::reset_to_server)) != 0;
        to_client += (flow.signs & forged_signs) != 0;
        to_server += flow.is_to_server;
        v6 += !flow.server.is_v4();
        if (flow.answer_ttl != 0) ttls[flow.answer_ttl] = true;
        judged.mechanism = verdict.mechanism;
        if (verdict.is_firm) judged.is_firm = true;
        verdict.log_likelihood_ratio = std::max<double>(verdict.log_likelihood_ratio, flow.log_likelihood_ratio);
        verdict.first_ns = std::min(verdict.first_ns, flow.first_ns);
        verdict.last_ns = std::max(verdict.last_ns, flow.first_ns);
        std::string_view box = "unknown";
        if (flow.box_class != 0) box = flow.kind == PayloadKind::dns ? m_facts.dns_classes[flow.box_class - 1u].name : m_facts.reset_classes[flow.box_class - 1u].name;
        ++classes[box];
        for (const std::uint64_t frame : flow.frames)
            if (frame != 0) {
                ++verdict.locators_total;
                verdict.locators.push_back({flow.evidence, frame});
            }
    }
    verdict.layer = layer_of(verdict.mechanism, kinds);
    std::sort(verdict.locators.begin(), verdict.locators.end());
    verdict.locators.erase(std::unique(verdict.locators.begin(), verdict.locators.end()), verdict.locators.end());
    constexpr std::size_t locators_max = 20;
    if (verdict.locators.size() > locators_max) verdict.locators.resize(locators_max);
    const bool has_classes = verdict.mechanism == Mechanism::dns_injection || verdict.mechanism == Mechanism::reset_injection || verdict.mechanism == Mechanism::residual;
    if (has_classes && !classes.empty())
        verdict.box_class = std::max_element(classes.begin(), classes.end(), [](const auto& a, const auto& b) { return a.second < b.second; })->first;
    // One device counts its TTL up and its window with it: no host does.
    if (verdict.mechanism == Mechanism::reset_injection) {
        constexpr std::size_t ttls_min = 3;
        std::set<int> differences;
        std::set<std::uint8_t> own_ttls;
        for (const std::size_t i : group.members) {
            const FlowRecord& flow = m_judged[i].flow;
            if (flow.box_class == 0 || flow.answer_ttl == 0 || !m_facts.reset_classes[flow.box_class - 1u].is_window_minus_ttl_constant) continue;
            differences.insert(int{flow.window} - int{flow.answer_ttl});
            own_ttls.insert(flow.answer_ttl);
        }
        if (differences.size() == 1 && own_ttls.size() >= ttls_min) verdict.figure = *differences.begin();
    }
    // One flow may show by accident what the others do not.
    const bool is_forged = 2 * forged > group.members.size();
    const auto is_shown = [&](std::uint64_t flows) { return flows > 0 && 4 * flows >= group.members.size(); };
    const bool is_to_server = is_shown(to_server);
    const bool is_to_client = is_shown(to_client) || verdict.mechanism == Mechanism::freeze;
    verdict.direction = is_to_client ? (is_to_server ? "both" : "server-to-client") : (is_to_server ? "client-to-server" : "either");
    ShownFlows shown;
    shown.own = {verdict.flows, verdict.exposed};
    shown.own_v6.hits = v6;
    shown.own_v6.flows = std::clamp<std::uint64_t>(group.exposed_v6, v6, verdict.exposed - (verdict.flows - v6));
    shown.controls = {verdict.control_flows, verdict.control_exposed};
    shown.chance = chance;
    shown.same_servers = same_servers ? std::move(*same_servers) : others_at_servers(group);
    const FlowShare& named_v6 = m_named_v6[static_cast<std::size_t>(transport_of(static_cast<PayloadKind>(std::max_element(kinds.begin(), kinds.end()) - kinds.begin())))];
    shown.other_v6.flows = named_v6.flows - std::min(named_v6.flows, shown.own_v6.flows);
    shown.other_v6.hits = std::min(shown.other_v6.flows, named_v6.hits - std::min(named_v6.hits, v6));
    shown.is_forged = is_forged;
    shown.packet_ratio = verdict.log_likelihood_ratio;
    for (const std::size_t i : group.members) {
        const FlowRecord& flow = m_judged[i].flow;
        if (flow.look == AnswerLook::unread) continue;
        ++shown.answers_read;
        ShownFlows::Look* look = flow.look == AnswerLook::geo_block ? &shown.geo_block : flow.look == AnswerLook::captcha ? &shown.captcha : flow.look == AnswerLook::broken_redirect ? &shown.broken_redirect : nullptr;
        if (look == nullptr) continue;
        look->packet_ratio = look->answers++ == 0 ? flow.log_likelihood_ratio : std::max<double>(look->packet_ratio, flow.log_likelihood_ratio);
    }
    for (std::size_t ttl = 0; ttl < ttls.size(); ++ttl) {
        shown.ttls += ttls[ttl];
        shown.ttls_near += ttls[ttl] && is_near_ttl(static_cast<std::uint8_t>(ttl));
    }
    verdict.alternatives = weigh_alternatives(shown);
    m_verdicts.push_back(std::move(verdict));
}

void CaptureBook::judge() {
    // By content, so that neither the order of files nor the moment at which flows were given up shows.
    std::sort(m_judged.begin(), m_judged.end(), [](const JudgedFlow& a, const JudgedFlow& b) {
        const auto key = [](const FlowRecord& f) { return std::tuple(f.first_ns, f.evidence, f.frames, f.client, f.server, f.client_port, f.server_port, f.name); };
        return key(a.flow) < key(b.flow);
    });
    find_dns_races();
    gather_named();
    gather_certificates();
    judge_dns();
    judge_servers();
    m_is_by_word.assign(m_judged.size(), false);
    for (const Mechanism mechanism : {Mechanism::reset_injection, Mechanism::block_page, Mechanism::silent_drop, Mechanism::freeze, Mechanism::quic_drop}) {
        if (mechanism != Mechanism::quic_drop) judge_words(mechanism);
        judge_names(mechanism);
    }
    judge_certificates();
    judge_ports();
    judge_fully_encrypted();
    judge_rates();
    judge_residual();
    for (const Mechanism mechanism : {Mechanism::syn_drop, Mechanism::syn_reset}) judge_addresses(mechanism);
    std::erase_if(m_judged, [](const JudgedFlow& judged) { return judged.flow.signs == 0; });
    for (MechanismVerdict& verdict : m_verdicts) verdict.permutation_p_value = fisher_tail(verdict.flows, verdict.exposed, verdict.control_flows, verdict.control_exposed);
    std::sort(m_verdicts.begin(), m_verdicts.end(), [](const MechanismVerdict& a, const MechanismVerdict& b) {
        return std::tie(a.mechanism, a.trigger) < std::tie(b.mechanism, b.trigger);
    });
}

/// A box that drops the resolver's answer leaves only its own, which comes sooner than the resolver can: of the same resolver, all answers for one
/// name, three or more and from another distance than any other, are faster than all answers for other names. Had the resolver sent them, n of n + m
/// answers would be the first n by chance once in (n + m choose n) times. Distance is asked as well since a cached answer is fast too.
void CaptureBook::find_dns_races() {
    constexpr std::size_t answers_min = 3;
    constexpr std::size_t others_min = 20;
    constexpr double chance_max = 1e-3;
    struct Answers {
        std::vector<std::size_t> members;   // of m_judged
        std::int64_t fastest_ns = INT64_MAX;
        std::int64_t slowest_ns = 0;
        std::set<std::uint8_t> ttls;
    };
    std::map<IpAddress, std::map<std::uint32_t, Answers>> resolvers;
    for (std::size_t i = 0; i < m_judged.size(); ++i) {
        const FlowRecord& flow = m_judged[i].flow;
        if (flow.kind != PayloadKind::dns || flow.signs != 0 || flow.frames[1] == 0 || flow.sign_ns < flow.trigger_ns) continue;
        Answers& answers = resolvers[flow.server][flow.name];
        answers.members.push_back(i);
        answers.fastest_ns = std::min(answers.fastest_ns, flow.sign_ns - flow.trigger_ns);
        answers.slowest_ns = std::max(answers.slowest_ns, flow.sign_ns - flow.trigger_ns);
        answers.ttls.insert(flow.answer_ttl);
    }
    for (const auto& [server, names] : resolvers) {
        std::vector<const Answers*> by_fastest;
        std::size_t total = 0;
        for (const auto& [name, answers] : names) {
            by_fastest.push_back(&answers);
            total += answers.members.size();
        }
        std::stable_sort(by_fastest.begin(), by_fastest.end(), [](const Answers* a, const Answers* b) { return a->fastest_ns < b->fastest_ns; });
        // Several names may be forged: from the fastest on, those that are apart from all that follow.
        std::array<std::size_t, 256> names_with_ttl{};   // of those that follow
        for (const Answers* answers : by_fastest)
            for (const std::uint8_t ttl : answers->ttls) ++names_with_ttl[ttl];
        std::array<bool, 256> is_near{};                 // a TTL, to one of those so far
        std::size_t others = total;
        std::int64_t slowest_ns = 0;
        std::size_t racing = 0;
        for (std::size_t k = 0; k + 1 < by_fastest.size(); ++k) {
            const Answers& answers = *by_fastest[k];
            if (answers.members.size() < answers_min) break;
            others -= answers.members.size();
            slowest_ns = std::max(slowest_ns, answers.slowest_ns);
            for (const std::uint8_t ttl : answers.ttls) {
                --names_with_ttl[ttl];
                for (int near = std::max(0, ttl - ttl_slack); near <= std::min(255, ttl + ttl_slack); ++near) is_near[static_cast<std::size_t>(near)] = true;
            }
            if (others < others_min) break;
            if (slowest_ns >= by_fastest[k + 1]->fastest_ns) continue;
            const double log_chance = std::lgamma(static_cast<double>(total - others) + 1) + std::lgamma(static_cast<double>(others) + 1) - std::lgamma(static_cast<double>(total) + 1);
            bool is_elsewhere = true;
            for (std::size_t ttl = 0; ttl < is_near.size(); ++ttl) is_elsewhere = is_elsewhere && !(is_near[ttl] && names_with_ttl[ttl] > 0);
            if (is_elsewhere && log_chance <= std::log(chance_max)) racing = k + 1;
        }
        // A nearer server that knows its own few names looks the same; one public address for names that are not of one owner does not.
        std::map<IpAddress, std::set<std::string>> owners_of;
        for (std::size_t k = 0; k < racing; ++k)
            for (const std::size_t i : by_fastest[k]->members) {
                FlowRecord& flow = m_judged[i].flow;
                flow.signs |= sign::dns_race;
                if (flow.forged_address != IpAddress{} && !is_bogon(flow.forged_address)) owners_of[flow.forged_address].insert(last_two_labels(m_names.name(flow.name)));
            }
        for (std::size_t k = 0; k < racing; ++k)
            for (const std::size_t i : by_fastest[k]->members) {
                const auto owners = owners_of.find(m_judged[i].flow.forged_address);
                m_judged[i].is_firm = owners != owners_of.end() && owners->second.size() >= 2;
            }
    }
}

void CaptureBook::judge_dns() {
    // Addresses that came first in conflicts of several names: no owner has them all.
    constexpr float conflict_sure = 10;
    std::map<IpAddress, std::set<std::uint32_t>> names_of;
    for (const JudgedFlow& judged : m_judged)
        if ((judged.flow.signs & sign::dns_conflict) != 0 && judged.flow.log_likelihood_ratio >= conflict_sure && judged.flow.forged_address != IpAddress{})
            names_of[judged.flow.forged_address].insert(judged.flow.name);
    struct Conflicts {
        std::uint64_t sure = 0;
        std::uint64_t all = 0;
        double p_value = 1;
        double q_value = 1;
    };
    std::map<std::uint32_t, Conflicts> conflicts;   // by name
    for (const JudgedFlow& judged : m_judged)
        if ((judged.flow.signs & sign::dns_conflict) != 0) {
            Conflicts& of_name = conflicts[judged.flow.name];
            of_name.sure += judged.flow.log_likelihood_ratio >= conflict_sure;
            ++of_name.all;
        }
    const auto lookups_of = [&](std::uint32_t name) -> std::uint64_t { return name < m_exposures.size() ? m_exposures[name].flows[static_cast<std::size_t>(PayloadKind::dns)] : 0; };
    // Resolvers that answer twice do so for any name.
    const Tally control = controls_of(
        [&](std::uint32_t name) {
            const auto known = conflicts.find(name);
            return known == conflicts.end() ? 0 : known->second.all;
        },
        lookups_of);
    {
        const double chance = baseline(control.lost, control.flows, baseline_unknown);
        std::vector<double> p_values;
        for (auto& [name, of_name] : conflicts) p_values.push_back(of_name.p_value = binomial_tail(of_name.all, std::max(of_name.all, lookups_of(name)), chance));
        const auto q_values = benjamini_hochberg(p_values, static_cast<double>(std::max<std::size_t>(1, m_exposures.size())));
        std::size_t at = 0;
        for (auto& [name, of_name] : conflicts) of_name.q_value = q_values[at++];
    }
    constexpr std::uint64_t conflicts_min = 3;
    const auto has_often = [&](const Conflicts& of_name) { return of_name.all >= conflicts_min && control.flows >= baseline_min && of_name.q_value <= m_limits.q_value_max; };
    const auto is_pool = [&](const IpAddress& address) {
        const auto known = names_of.find(address);
        return known != names_of.end() && (known->second.size() >= 2 || is_bogon(address));
    };
    const auto certificates_at = [&](const FlowRecord& flow) {
        const auto known = m_certificates_at.find(combined(address_hash(flow.forged_address), flow.name));
        return known == m_certificates_at.end() ? CertificateTally{} : known->second;
    };
    std::map<std::uint32_t, Group> groups;
    for (std::size_t i = 0; i < m_judged.size(); ++i) {
        JudgedFlow& judged = m_judged[i];
        FlowRecord& flow = judged.flow;
        if (flow.kind != PayloadKind::dns) continue;
        const auto known = conflicts.find(flow.name);
        const bool is_name_known = known != conflicts.end() && known->second.sure >= 1;
        if ((flow.signs & sign::dns_conflict) == 0 && is_name_known && is_pool(flow.forged_address)) {
            flow.signs |= sign::dns_pool;
            judged.is_firm = true;
        } else if (flow.signs == 0 && dns_pool_of(m_facts, flow.forged_address, flow.first_ns) != nullptr) {
            // A list is never enough: the address may be the name's own, or a filter's at home.
            flow.signs |= sign::dns_pool;
        }
        if (flow.signs == 0) continue;
        if (known != conflicts.end() && has_often(known->second)) judged.is_firm = true;
        // Where the address then showed a certificate for the name and none for another, the answer was right as far as anybody can see.
        if (const CertificateTally shown = certificates_at(flow); shown.for_name > 0 && shown.for_others == 0) judged.is_firm = false;
        if (flow.log_likelihood_ratio >= conflict_sure) judged.is_firm = true;
        Group& group = groups[flow.name];
        ++group.hits;
        group.members.push_back(i);
    }
    list_forged_addresses();
    for (auto& [name, group] : groups) {
        group.exposed = lookups_of(name);
        group.exposed_v6 = exposed_v6(name, PayloadKind::dns);
        MechanismVerdict verdict;
        verdict.mechanism = Mechanism::dns_injection;
        verdict.trigger = m_names.name(name);
        if (const auto known = conflicts.find(name); known != conflicts.end()) {
            verdict.p_value = known->second.p_value;
            verdict.q_value = known->second.q_value;
            verdict.control_flows = control.lost;
            verdict.control_exposed = control.flows;
        }
        verdict.is_firm = std::any_of(group.members.begin(), group.members.end(), [&](std::size_t i) { return m_judged[i].is_firm; });
        const auto has_sign = [&, &group = group](std::uint32_t asked) { return std::any_of(group.members.begin(), group.members.end(), [&](std::size_t i) { return (m_judged[i].flow.signs & asked) != 0; }); };
        if (!verdict.is_firm)
            verdict.alternative = has_sign(sign::dns_conflict) ? "a resolver that answered twice" : has_sign(sign::dns_race) ? "a nearer name server that knows this name" : "an address that is the name's own";
        CertificateTally shown;
        std::set<IpAddress> addresses;
        for (const std::size_t i : group.members) {
            if (!addresses.insert(m_judged[i].flow.forged_address).second) continue;
            const CertificateTally at = certificates_at(m_judged[i].flow);
            shown.for_name += at.for_name;
            shown.for_others += at.for_others;
        }
        if (!verdict.is_firm && shown.for_name > 0 && shown.for_others == 0) verdict.alternative = "an address that is the name's own: it showed a certificate for the name";
        close_group(std::move(verdict), group, baseline(control.lost, control.flows, baseline_unknown));
        if (shown.for_name + shown.for_others > 0)
            m_verdicts.back().alternatives[static_cast<std::size_t>(Alternative::host)].evidence +=
                fmt::format("; the addresses showed {} certificates for the name and {} for others", grouped_digits(shown.for_name), grouped_digits(shown.for_others));
    }
}

void CaptureBook::list_forged_addresses() {
    struct Seen {
        ForgedAddress own;
        std::set<std::uint32_t> names;
    };
    std::map<IpAddress, Seen> seen;
    std::vector<const FlowRecord*> in_time;
    for (const JudgedFlow& judged : m_judged) {
        const FlowRecord& flow = judged.flow;
        if (flow.kind != PayloadKind::dns || !judged.is_firm || flow.signs == 0 || flow.forged_address == IpAddress{}) continue;
        Seen& address = seen[flow.forged_address];
        ++address.own.lookups;
        address.names.insert(flow.name);
        address.own.first_ns = std::min(address.own.first_ns, flow.sign_ns);
        address.own.last_ns = std::max(address.own.last_ns, flow.sign_ns);
        in_time.push_back(&flow);
    }
    std::map<IpAddress, std::uint32_t> numbers;
    for (auto& [address, item] : seen) {
        numbers.emplace(address, static_cast<std::uint32_t>(numbers.size()));
        item.own.address = address;
        item.own.names = item.names.size();
        if (const DnsPoolFact* pool = dns_pool_of(m_facts, address, item.own.first_ns)) item.own.pool = pool->name;
        m_forged_addresses.push_back(item.own);
    }
    std::stable_sort(in_time.begin(), in_time.end(), [](const FlowRecord* a, const FlowRecord* b) { return a->sign_ns < b->sign_ns; });
    std::vector<std::uint32_t> answers;
    for (const FlowRecord* flow : in_time) answers.push_back(numbers[flow->forged_address]);
    m_forged_order = address_order(answers);
}

void CaptureBook::judge_servers() {
    std::map<IpAddress, Group> groups;
    for (std::size_t i = 0; i < m_judged.size(); ++i) {
        if ((m_judged[i].flow.signs & sign::syn_ack_forged) == 0) continue;
        Group& group = groups[m_judged[i].flow.server];
        ++group.hits;
        group.members.push_back(i);
    }
    for (auto& [server, group] : groups) {
        MechanismVerdict verdict;
        verdict.mechanism = Mechanism::syn_ack_injection;
        verdict.trigger = address_text(server);
        for (const std::size_t i : group.members) verdict.log_likelihood_ratio = std::max<double>(verdict.log_likelihood_ratio, m_judged[i].flow.log_likelihood_ratio);
        verdict.is_firm = verdict.log_likelihood_ratio >= m_limits.log_likelihood_ratio_min;
        if (!verdict.is_firm) verdict.alternative = "two machines behind one address";
        close_group(std::move(verdict), group, {}, FlowShares{});
    }
}

/// Addresses to which no connection opens, while others' do. From one end alone a box is not to be told from a host that is down, unless what it sent is known.
void CaptureBook::judge_addresses(Mechanism mechanism) {
    const auto failed = [&](const Attempts& attempts) { return mechanism == Mechanism::syn_drop ? attempts.silent : attempts.reset; };
    std::map<IpAddress, Group> groups;
    for (std::size_t i = 0; i < m_judged.size(); ++i) {
        if (m_judged[i].mechanism != mechanism || m_judged[i].flow.signs == 0) continue;
        Group& group = groups[m_judged[i].flow.server];
        ++group.hits;
        group.members.push_back(i);
    }
    Tally control;
    for (const auto& [server, attempts] : m_attempts_by_server) {
        if (static_cast<double>(failed(attempts)) > signed_share_max * static_cast<double>(attempts.flows)) continue;
        control.flows += attempts.flows;
        control.lost += failed(attempts);
    }
    const double chance = baseline(control.lost, control.flows, baseline_unknown);
    for (auto& [server, group] : groups) {
        const auto known = m_attempts_by_server.find(server);
        group.exposed = std::max(group.hits, known == m_attempts_by_server.end() ? 0 : known->second.flows);
        MechanismVerdict verdict;
        verdict.mechanism = mechanism;
        verdict.trigger = address_text(server);
        verdict.control_flows = control.lost;
        verdict.control_exposed = control.flows;
        verdict.p_value = binomial_tail(group.hits, group.exposed, chance);
        verdict.q_value = std::min(1.0, verdict.p_value * static_cast<double>(std::max<std::size_t>(1, m_attempts_by_server.size())));
        for (const std::size_t i : group.members) {
            m_judged[i].is_firm = mechanism == Mechanism::syn_reset && m_judged[i].flow.log_likelihood_ratio >= m_limits.log_likelihood_ratio_min;
            verdict.is_firm = verdict.is_firm || m_judged[i].is_firm;
        }
        const bool is_often = static_cast<double>(group.hits) >= m_limits.share_min * static_cast<double>(group.exposed);
        if (!verdict.is_firm && (group.hits < 3 || !is_often || verdict.q_value > m_limits.q_value_max)) continue;
        if (!verdict.is_firm) verdict.alternative = mechanism == Mechanism::syn_drop ? "a host that is down" : "a closed port";
        const bool is_any_firm = verdict.is_firm;
        verdict.is_firm = false;   // of its flows only those that are
        group.exposed_v6 = server.is_v4() ? 0 : group.exposed;
        close_group(std::move(verdict), group, chance, FlowShares{});
        m_verdicts.back().is_firm = is_any_firm;
    }
}

/// Flows of all names that show the sign in few of theirs.
CaptureBook::Tally CaptureBook::controls_of(const CountOf& hits_of, const CountOf& exposed) const {
    Tally control;
    for (std::uint32_t name = 1; name < m_exposures.size(); ++name) {
        const std::uint64_t hits = hits_of(name);
        const std::uint64_t flows = exposed(name);
        if (static_cast<double>(hits) > signed_share_max * static_cast<double>(flows)) continue;
        control.flows += flows;
        control.lost += hits;
    }
    return control;
}

CaptureBook::Tally CaptureBook::controls_of(const std::map<std::uint32_t, Group>& groups, const CountOf& exposed) const {
    return controls_of(
        [&](std::uint32_t name) {
            const auto known = groups.find(name);
            return known == groups.end() ? 0 : known->second.hits;
        },
        exposed);
}

/// Requests to one host that end differently: is it by a word in what they ask for? Before names, which such a word clears.
void CaptureBook::judge_words(Mechanism mechanism) {
    const double ratio_min = ratio_min_of(mechanism);
    std::map<std::uint64_t, std::vector<std::size_t>> hits;   // by name and request: of m_judged
    std::set<std::uint32_t> hosts;
    for (std::size_t i = 0; i < m_judged.size(); ++i) {
        const FlowRecord& flow = m_judged[i].flow;
        if (m_judged[i].mechanism != mechanism || flow.signs == 0 || flow.name == 0 || flow.request == 0 || flow.log_likelihood_ratio < ratio_min) continue;
        hits[std::uint64_t{flow.name} << 32 | flow.request].push_back(i);
        hosts.insert(flow.name);
    }
    if (hits.empty()) return;
    std::vector<std::uint64_t> keys;
    for (const auto& [key, flows] : m_requests)
        if (hosts.count(static_cast<std::uint32_t>(key >> 32)) > 0) keys.push_back(key);
    // By content, since numbers follow the order of captures.
    const auto content = [&](std::uint64_t key) { return std::pair(m_names.name(static_cast<std::uint32_t>(key >> 32)), m_names.request(static_cast<std::uint32_t>(key))); };
    std::sort(keys.begin(), keys.end(), [&](std::uint64_t a, std::uint64_t b) { return content(a) < content(b); });
    std::vector<RequestShare> requests;
    for (const std::uint64_t key : keys) {
        const auto known = hits.find(key);
        const std::uint64_t count = known == hits.end() ? 0 : known->second.size();
        requests.push_back({static_cast<std::uint32_t>(key >> 32), content(key).second, {count, std::max<std::uint64_t>(count, m_requests[key])}});
    }
    const auto chance_of = [](const FlowShare& controls) { return baseline(controls.hits, controls.flows, baseline_unknown); };
    for (const WordShare& word : find_words(requests, chance_of, m_limits.q_value_max)) {
        if (static_cast<double>(word.own.hits) < m_limits.share_min * static_cast<double>(word.own.flows)) continue;
        MechanismVerdict verdict;
        verdict.mechanism = mechanism;
        verdict.trigger = fmt::format("path: {}", fmt::join(word.words, " + "));
        verdict.control_flows = word.controls.hits;
        verdict.control_exposed = word.controls.flows;
        verdict.p_value = word.p_value;
        verdict.q_value = word.q_value;
        std::set<IpAddress> servers;
        for (const std::size_t r : word.requests)
            if (const auto known = hits.find(keys[r]); known != hits.end())
                for (const std::size_t i : known->second) servers.insert(m_judged[i].flow.server);
        // A host, or what stands before it, may refuse a word by itself; three do not.
        verdict.is_firm = servers.size() >= 3 && word.controls.flows >= baseline_min;
        Group group;
        group.exposed = word.own.flows;
        bool has_firm_flow = false;
        for (std::size_t i = 0; i < m_judged.size(); ++i) {
            JudgedFlow& judged = m_judged[i];
            const FlowRecord& flow = judged.flow;
            if (judged.mechanism != mechanism || flow.signs == 0 || m_is_by_word[i] || flow.request == 0) continue;
            // As with names, what is weak by itself goes along with what is firm.
            const bool is_weak = flow.log_likelihood_ratio < ratio_min;
            if ((is_weak && (!verdict.is_firm || flow.is_answered)) || m_names.request(flow.request).find(word.words[0]) == std::string_view::npos) continue;
            m_is_by_word[i] = true;
            judged.is_firm = flow.log_likelihood_ratio >= m_limits.log_likelihood_ratio_min;
            has_firm_flow = has_firm_flow || judged.is_firm;
            group.members.push_back(i);
        }
        group.hits = group.members.size();
        if (!verdict.is_firm && !has_firm_flow) verdict.alternative = servers.size() >= 3 ? "accidents: too few other requests" : "the host itself, which refuses this word";
        close_group(std::move(verdict), group, chance_of(word.controls), FlowShares{{word.controls, 1}});
        if (has_firm_flow) m_verdicts.back().is_firm = true;
    }
}

void CaptureBook::judge_names(Mechanism mechanism) {
    const bool is_quic = mechanism == Mechanism::quic_drop;
    const auto exposed = [&](std::uint32_t name) -> std::uint64_t {
        if (name >= m_exposures.size()) return 0;
        const auto& flows = m_exposures[name].flows;
        if (is_quic) return flows[static_cast<std::size_t>(PayloadKind::quic)];
        return std::uint64_t{flows[static_cast<std::size_t>(PayloadKind::tls)]} + flows[static_cast<std::size_t>(PayloadKind::http)] + flows[static_cast<std::size_t>(PayloadKind::dns_tcp)];
    };
    const double ratio_min = ratio_min_of(mechanism);
    std::map<std::uint32_t, Group> groups;
    for (std::size_t i = 0; i < m_judged.size(); ++i) {
        JudgedFlow& judged = m_judged[i];
        if (judged.mechanism != mechanism || judged.flow.signs == 0 || m_is_by_word[i]) continue;
        if (judged.flow.log_likelihood_ratio < ratio_min) continue;
        Group& group = groups[judged.flow.name];
        ++group.hits;
        group.members.push_back(i);
    }
    const Tally control = controls_of(groups, exposed);
    double chance = baseline(control.lost, control.flows, baseline_unknown);
    if (is_quic) chance = std::max(chance, 0.15);   // payloads that trigger nothing were lost in 12 of 80 runs
    std::vector<double> p_values;
    std::vector<std::uint32_t> names;
    for (auto& [name, group] : groups) {
        group.exposed = std::max(exposed(name), group.hits);
        if (name == 0) continue;
        p_values.push_back(binomial_tail(group.hits, group.exposed, chance));
        names.push_back(name);
    }
    const auto q_values = benjamini_hochberg(p_values, static_cast<double>(std::max<std::size_t>(1, m_exposures.size())));
    std::map<std::uint32_t, std::pair<double, double>> by_name;
    for (std::size_t i = 0; i < names.size(); ++i) by_name[names[i]] = {p_values[i], q_values[i]};
    for (auto& [name, group] : groups) {
        MechanismVerdict verdict;
        verdict.mechanism = mechanism;
        verdict.trigger = m_names.name(name);
        verdict.control_flows = control.lost;
        verdict.control_exposed = control.flows;
        bool has_firm_flow = false;
        std::uint64_t at_answering = 0;
        std::set<IpAddress> servers;
        std::vector<double> kib;
        for (const std::size_t i : group.members) {
            const FlowRecord& flow = m_judged[i].flow;
            if (flow.log_likelihood_ratio >= m_limits.log_likelihood_ratio_min) {
                m_judged[i].is_firm = true;
                has_firm_flow = true;
            }
            at_answering += is_answered_for_others(flow.server, name);
            servers.insert(flow.server);
            kib.push_back(static_cast<double>(flow.server_bytes) / 1024);
        }
        if (name != 0) std::tie(verdict.p_value, verdict.q_value) = by_name[name];
        // Where hellos of this name are left alone unless they hold an encrypted one, that is what triggers.
        constexpr std::uint64_t without_ech_min = 3;
        const std::uint64_t with_ech = name < m_exposures.size() ? m_exposures[name].with_ech : 0;
        const bool have_all_ech = std::all_of(group.members.begin(), group.members.end(), [&](std::size_t i) { return m_judged[i].flow.has_ech; });
        const bool is_by_ech = have_all_ech && with_ech >= group.hits && group.exposed >= with_ech + without_ech_min;
        if (is_by_ech) {
            verdict.trigger += " (with ECH)";
            verdict.p_value = binomial_tail(group.hits, with_ech, chance);
            verdict.q_value = std::min(verdict.q_value, std::min(1.0, verdict.p_value * static_cast<double>(std::max<std::size_t>(1, m_exposures.size()))));
            group.exposed = with_ech;
        }
        const bool is_often = static_cast<double>(group.hits) >= m_limits.share_min * static_cast<double>(group.exposed);
        // Load balancers answer from another distance than they serve from, all of them of one company: only other names at the same address tell.
        const bool is_site_told_apart = 2 * at_answering >= group.hits || is_by_ech;
        // A host that is gone loses everything that is sent to it: flows that a port rule lets through show that it is there.
        const bool is_quic_alive = is_quic && m_quic_by_name[name].below > m_quic_by_name[name].below_blocked;
        const bool is_not_the_site = is_site_told_apart || is_quic_alive || (servers.size() >= 3 && mechanism != Mechanism::block_page);
        const bool is_group_firm = name != 0 && group.hits >= 3 && is_often && is_not_the_site && verdict.q_value <= m_limits.q_value_max;
        verdict.is_firm = is_group_firm;
        if (is_group_firm && (mechanism == Mechanism::reset_injection || mechanism == Mechanism::block_page)) {
            // A forged reset that was lost on its way to the client has the host answer with one of its own, and a page may come alone: of this name no
            // better is to be had.
            for (std::size_t i = 0; i < m_judged.size(); ++i) {
                const FlowRecord& flow = m_judged[i].flow;
                if (m_judged[i].mechanism == mechanism && !m_is_by_word[i] && flow.name == name && flow.log_likelihood_ratio < ratio_min && (mechanism == Mechanism::block_page || !flow.is_answered)) group.members.push_back(i);
            }
            group.hits = group.members.size();
        }
        if (mechanism == Mechanism::freeze) {
            std::nth_element(kib.begin(), kib.begin() + static_cast<std::ptrdiff_t>(kib.size() / 2), kib.end());
            verdict.figure = kib[kib.size() / 2];
        }
        if (!is_group_firm && !has_firm_flow) {
            if (!is_not_the_site) verdict.alternative = "the site itself: no other name was answered there";
            else if (mechanism == Mechanism::reset_injection) verdict.alternative = "an ordinary reset of the host";
            else if (mechanism == Mechanism::block_page) verdict.alternative = "a load balancer that answers from another distance";
            else verdict.alternative = "loss, or a host that went away";
        }
        if (is_quic && is_group_firm) {
            const PortComparison& own = m_quic_by_name[name];
            m_quic_ports.above += own.above;
            m_quic_ports.above_blocked += own.above_blocked;
            m_quic_ports.equal += own.equal;
            m_quic_ports.equal_blocked += own.equal_blocked;
            m_quic_ports.below += own.below;
            m_quic_ports.below_blocked += own.below_blocked;
        }
        group.exposed_v6 = exposed_v6(name, is_quic ? PayloadKind::quic : PayloadKind::tls);
        // Where most requests to a host pass, not its name is what triggers.
        const bool is_http = std::all_of(group.members.begin(), group.members.end(), [&](std::size_t i) { return m_judged[i].flow.request != 0; });
        if (name != 0 && !is_group_firm && is_http && 2 * group.hits < group.exposed) verdict.trigger += " (some requests)";
        close_group(verdict, group, chance);
        // Single flows may be sure where the name is not.
        if (has_firm_flow) m_verdicts.back().is_firm = true;
    }
    if (ratio_min > 0) tell_unexplained(mechanism, ratio_min, exposed);
}

/// Names that show a sign far more often than others, though none of the packets looks like a box's: a host may refuse a name by itself.
void CaptureBook::tell_unexplained(Mechanism mechanism, double ratio_min, const CountOf& exposed) {
    std::map<std::uint32_t, Group> groups;
    std::set<std::uint32_t> told;
    for (std::size_t i = 0; i < m_judged.size(); ++i) {
        const FlowRecord& flow = m_judged[i].flow;
        if (m_judged[i].mechanism != mechanism || flow.signs == 0 || flow.name == 0 || m_is_by_word[i]) continue;
        if (flow.log_likelihood_ratio >= ratio_min) told.insert(flow.name);
        Group& group = groups[flow.name];
        ++group.hits;
        group.members.push_back(i);
    }
    const Tally control = controls_of(groups, exposed);
    const double chance = baseline(control.lost, control.flows, baseline_unknown);
    for (auto& [name, group] : groups) {
        group.exposed = std::max(exposed(name), group.hits);
        MechanismVerdict verdict;
        verdict.mechanism = mechanism;
        verdict.trigger = m_names.name(name);
        verdict.control_flows = control.lost;
        verdict.control_exposed = control.flows;
        verdict.p_value = binomial_tail(group.hits, group.exposed, chance);
        verdict.q_value = std::min(1.0, verdict.p_value * static_cast<double>(std::max<std::size_t>(1, m_exposures.size())));
        const bool is_often = static_cast<double>(group.hits) >= m_limits.share_min * static_cast<double>(group.exposed);
        if (told.count(name) > 0 || group.hits < 3 || !is_often || verdict.q_value > m_limits.q_value_max) continue;
        verdict.alternative = mechanism == Mechanism::block_page ? "a load balancer that answers from another distance" : "the host itself, which refuses this name";
        group.exposed_v6 = exposed_v6(name, PayloadKind::tls);
        close_group(std::move(verdict), group, chance);
    }
}

/// Whose certificate it is: who signed it. What signs itself is one by itself, since many devices call themselves alike.
std::uint64_t CaptureBook::signer_of(const ShownCertificate& certificate) const {
    if (certificate.leaf == 0 || certificate.is_self_issued || certificate.issuer == 0) return certificate.leaf;
    return hash_bytes(m_names.issuer(certificate.issuer));
}

std::string CaptureBook::certificate_text(const ShownCertificate& certificate) const {
    return fmt::format("certificate {:016x} {} the name, {}", certificate.leaf, certificate.is_for_name ? "for" : "not for",
                       certificate.is_self_issued ? std::string("signed by itself") : fmt::format("signed by '{}'", m_names.issuer(certificate.issuer)));
}

void CaptureBook::note_answer(const FlowRecord& flow) {
    if (flow.kind != PayloadKind::tls || !(flow.is_answered || flow.is_answer_elsewhere || flow.certificate.leaf != 0)) return;
    if (m_tls_answers.size() >= m_limits.certificates_kept_max) {
        ++m_flows_left_out;
        return;
    }
    TlsAnswer answer;
    answer.server = address_hash(flow.server);
    answer.prefix = address_hash(address_prefix(flow.server));
    answer.client = address_hash(flow.client);
    answer.connection = connection_of(flow);
    answer.signer = signer_of(flow.certificate);
    answer.leaf = flow.certificate.leaf;
    answer.name = flow.name;
    answer.evidence = flow.evidence;
    answer.is_for_name = flow.certificate.is_for_name;
    answer.is_elsewhere = flow.is_answer_elsewhere;
    m_tls_answers.push_back(answer);
}

void CaptureBook::gather_certificates() {
    for (const TlsAnswer& answer : m_tls_answers) {
        if (answer.leaf == 0) continue;
        CertificateTally& tally = m_certificates_at[combined(answer.server, answer.name)];
        ++(answer.is_for_name ? tally.for_name : tally.for_others);
    }
}

/// Connections that somebody else than the server answers with a certificate of his own. A wrong certificate alone is no sign: hosts are set up wrongly,
/// content networks have one for names that they do not serve, devices sign their own. Three things are: the answer begins at another distance than the
/// handshake, while answers for other names at the same address do not, and so it goes with names of several owners at several networks, always with one
/// signer, whom no answer from the handshake's distance shows; a signer that is published; or two captures of one connection that hold different
/// certificates.
void CaptureBook::judge_certificates() {
    constexpr std::size_t spread_counted_max = 3;
    constexpr double signer_share_min = 0.9;
    struct Signer {
        std::uint64_t answers = 0;
        std::uint64_t elsewhere = 0;
        std::set<std::string> owners;        // of names that it was shown for from elsewhere, or that it is not for
        std::set<std::uint64_t> prefixes;
        bool is_foreign() const { return static_cast<double>(elsewhere) >= signer_share_min * static_cast<double>(answers); }
        bool is_spread(std::size_t least) const { return owners.size() >= least && prefixes.size() >= least; }
    };
    std::map<std::uint64_t, Signer> signers;
    std::map<std::uint8_t, std::pair<std::uint64_t, std::set<std::string>>> published;   // flows and owners, by issuer
    for (const JudgedFlow& judged : m_judged) {
        const ShownCertificate& shown = judged.flow.certificate;
        if (shown.leaf == 0) continue;
        signers[signer_of(shown)];
        if (shown.known_issuer == 0) continue;
        auto& [flows, owners] = published[shown.known_issuer];
        ++flows;
        if (owners.size() < spread_counted_max) owners.insert(last_two_labels(m_names.name(judged.flow.name)));
    }
    if (signers.empty()) return;

    struct NameTally {
        std::uint64_t elsewhere = 0;
        std::uint64_t for_others = 0;
    };
    std::map<std::uint32_t, NameTally> names;
    std::unordered_map<std::uint64_t, std::uint64_t> near;                // answers from the handshake's distance, by server, and by server and name
    struct Side {
        std::uint64_t leaf = 0;
        std::uint64_t flows = 0;
    };
    std::unordered_map<std::uint64_t, std::array<Side, 2>> connections;
    for (const TlsAnswer& answer : m_tls_answers) {
        if (m_limits.is_two_sided && answer.evidence < 2) {
            Side& side = connections[answer.connection][answer.evidence];
            side.leaf = answer.leaf;
            ++side.flows;
        }
        names[answer.name].elsewhere += answer.is_elsewhere && answer.leaf != 0;
        names[answer.name].for_others += answer.leaf != 0 && !answer.is_for_name;
        if (!answer.is_elsewhere) {
            ++near[answer.server];
            ++near[combined(answer.server, answer.name)];
        }
        const auto signer = signers.find(answer.signer);
        if (answer.leaf == 0 || signer == signers.end()) continue;
        ++signer->second.answers;
        signer->second.elsewhere += answer.is_elsewhere;
        if (answer.is_for_name && !answer.is_elsewhere) continue;
        if (signer->second.owners.size() < spread_counted_max) signer->second.owners.insert(last_two_labels(m_names.name(answer.name)));
        if (signer->second.prefixes.size() < spread_counted_max) signer->second.prefixes.insert(answer.prefix);
    }
    // A proxy of the user's own network shows its certificate for nearly all names.
    struct Client {
        std::set<std::uint32_t> foreign;
        std::set<std::uint32_t> own;
    };
    std::unordered_map<std::uint64_t, Client> clients;
    for (const TlsAnswer& answer : m_tls_answers) {
        const auto signer = signers.find(answer.signer);
        const bool is_foreign = answer.leaf != 0 && (!answer.is_for_name || (answer.is_elsewhere && signer != signers.end() && signer->second.is_foreign()));
        (is_foreign ? clients[answer.client].foreign : clients[answer.client].own).insert(answer.name);
    }

    struct Candidates {
        std::map<std::uint32_t, Group> groups;
        bool has_strong = false;             // of these a packet says that it is not the server's
    };
    std::array<Candidates, 2> candidates;
    candidates[0].has_strong = true;
    constexpr float published_ratio = 12;
    constexpr float differing_ratio = 12;
    for (std::size_t i = 0; i < m_judged.size(); ++i) {
        FlowRecord& flow = m_judged[i].flow;
        const ShownCertificate& shown = flow.certificate;
        if (shown.leaf == 0 || flow.name == 0 || (flow.signs & ~sign::no_syn_ack) != 0) continue;
        bool is_differing = false;
        if (const auto both = connections.find(connection_of(flow)); flow.evidence == 0 && both != connections.end()) {
            const auto& [client, server] = both->second;
            is_differing = client.flows == 1 && server.flows == 1 && client.leaf != 0 && server.leaf != 0 && client.leaf != server.leaf;
        }
        const bool is_published = shown.known_issuer != 0;
        const bool is_foreign = flow.is_answer_elsewhere && signers[signer_of(shown)].is_foreign();
        if (!is_differing && !is_published && !is_foreign && shown.is_for_name) continue;
        Group& group = candidates[is_differing || is_published || is_foreign ? 0 : 1].groups[flow.name];
        flow.log_likelihood_ratio = (flow.is_answer_elsewhere ? 1.0f : 0.0f) + (is_published ? published_ratio : 0) + (is_differing ? differing_ratio : 0);
        // One connection with a published signer may be somebody's test, and a site may be the signer's own.
        const auto& [flows, owners] = published[shown.known_issuer];
        m_judged[i].is_firm = (is_differing || (is_published && flows >= 3 && owners.size() >= 2)) && flow.log_likelihood_ratio >= m_limits.log_likelihood_ratio_min;
        ++group.hits;
        group.members.push_back(i);
    }
    const auto exposed = [&](std::uint32_t name) -> std::uint64_t { return name < m_exposures.size() ? m_exposures[name].flows[static_cast<std::size_t>(PayloadKind::tls)] : 0; };
    for (auto& [groups, is_strong] : candidates) {
        const Tally control = controls_of(
            [&](std::uint32_t name) {
                const auto known = names.find(name);
                return known == names.end() ? 0 : is_strong ? known->second.elsewhere : known->second.for_others;
            },
            exposed);
        const double chance = baseline(control.lost, control.flows, baseline_unknown);
        std::vector<double> p_values;
        for (auto& [name, group] : groups) {
            group.exposed = std::max(exposed(name), group.hits);
            p_values.push_back(binomial_tail(group.hits, group.exposed, chance));
        }
        const auto q_values = benjamini_hochberg(p_values, static_cast<double>(std::max<std::size_t>(1, m_exposures.size())));
        std::size_t at = 0;
        for (auto& [name, group] : groups) {
            MechanismVerdict verdict;
            verdict.mechanism = Mechanism::tls_interception;
            verdict.trigger = m_names.name(name);
            verdict.control_flows = control.lost;
            verdict.control_exposed = control.flows;
            verdict.p_value = p_values[at];
            verdict.q_value = q_values[at++];
            std::uint64_t at_answering = 0;
            std::uint64_t spread = 0;
            std::uint64_t near_user = 0;
            std::set<std::uint64_t> users;
            std::map<std::uint8_t, std::uint64_t> boxes;
            bool has_firm_flow = false;
            for (const std::size_t i : group.members) {
                const FlowRecord& flow = m_judged[i].flow;
                const std::uint64_t server = address_hash(flow.server);
                at_answering += near[server] > near[combined(server, name)];
                spread += signers[signer_of(flow.certificate)].is_spread(flow.certificate.is_for_name ? 3 : 2);
                near_user += is_near_ttl(flow.answer_ttl);
                users.insert(address_hash(flow.client));
                if (flow.certificate.known_issuer != 0) ++boxes[flow.certificate.known_issuer];
                has_firm_flow = has_firm_flow || m_judged[i].is_firm;
            }
            std::uint64_t foreign = 0;
            std::uint64_t own = 0;
            for (const std::uint64_t user : users) {
                foreign += clients[user].foreign.size();
                own += clients[user].own.size();
            }
            constexpr std::uint64_t hits_min = 3;
            const bool is_often = group.hits >= hits_min && static_cast<double>(group.hits) >= m_limits.share_min * static_cast<double>(group.exposed) && verdict.q_value <= m_limits.q_value_max;
            const bool is_spread = spread >= hits_min && 2 * spread >= group.hits;
            const bool is_told_apart = 2 * at_answering >= group.hits;
            const bool is_users_own = 2 * near_user >= group.hits || foreign >= own;
            if (!has_firm_flow && !(is_often && (is_strong || is_spread))) continue;
            verdict.is_firm = is_strong && is_often && is_spread && is_told_apart && !is_users_own && control.flows >= baseline_min;
            if (!verdict.is_firm && !has_firm_flow) {
                if (is_users_own) verdict.alternative = "a proxy or portal of the user's own network";
                else if (!is_strong) verdict.alternative = "hosts that are set up for other names, such as a content network's";
                else if (!is_told_apart) verdict.alternative = "the site itself: no other name was answered there";
                else verdict.alternative = is_spread ? "accidents: too few other flows" : "the site's own certificate: only names of one owner or one network show it";
            }
            for (const std::size_t i : group.members) m_judged[i].flow.signs |= sign::certificate_foreign;
            const ShownCertificate& shown = m_judged[group.members.front()].flow.certificate;
            const Signer& signer = signers[signer_of(shown)];
            const std::string evidence = fmt::format("{}; {} answers show this signer, {} of them from another distance than the handshake", certificate_text(shown), grouped_digits(signer.answers), grouped_digits(signer.elsewhere));
            const bool is_group_firm = verdict.is_firm;
            close_group(std::move(verdict), group, chance);
            MechanismVerdict& closed = m_verdicts.back();
            closed.is_firm = is_group_firm || has_firm_flow;
            if (is_strong) closed.box_class = boxes.empty() ? "unknown" : m_facts.issuers[std::max_element(boxes.begin(), boxes.end(), [](const auto& a, const auto& b) { return a.second < b.second; })->first - 1u].name;
            AlternativeTest& host = closed.alternatives[static_cast<std::size_t>(Alternative::host)];
            if (!is_strong) host = {AlternativeTest::Standing::not_testable, 0, "a capture at the host can tell; " + evidence};
            else host.evidence = evidence;
        }
    }
}

void CaptureBook::judge_ports() {
    // Protocols other than TLS and HTTP: where on one port they are lost far more often than on others.
    Tally elsewhere;
    for (const auto& [port, tally] : m_foreign_by_port) {
        if (static_cast<double>(tally.lost) > signed_share_max * static_cast<double>(tally.flows)) continue;
        elsewhere.flows += tally.flows;
        elsewhere.lost += tally.lost;
    }
    const double chance = baseline(elsewhere.lost, elsewhere.flows, baseline_unknown);
    std::vector<double> p_values;
    std::vector<std::uint16_t> ports;
    std::vector<std::uint64_t> uplink_lost;
    std::map<std::uint16_t, Group> groups;
    for (std::size_t i = 0; i < m_judged.size(); ++i) {
        const FlowRecord& flow = m_judged[i].flow;
        if (!is_tcp(flow) || !is_foreign_kind(flow.kind) || (flow.signs & lost_signs) == 0) continue;
        groups[flow.server_port].members.push_back(i);
    }
    for (auto& [port, group] : groups) {
        group.hits = m_foreign_by_port[port].lost;
        group.exposed = m_foreign_by_port[port].flows;
        const auto uplink = static_cast<std::uint64_t>(std::count_if(group.members.begin(), group.members.end(), [&](std::size_t i) { return (m_judged[i].flow.signs & sign::uplink_lost) != 0; }));
        uplink_lost.push_back(uplink);
        p_values.push_back(binomial_tail(uplink, group.exposed, chance));
        ports.push_back(port);
    }
    const auto q_values = benjamini_hochberg(p_values, static_cast<double>(std::max<std::size_t>(1, m_foreign_by_port.size())));
    for (std::size_t g = 0; g < ports.size(); ++g) {
        Group& group = groups[ports[g]];
        if (uplink_lost[g] == 0) continue;
        MechanismVerdict verdict;
        verdict.mechanism = Mechanism::protocol_whitelist;
        verdict.trigger = fmt::format("port {}: neither TLS nor HTTP", ports[g]);
        verdict.control_flows = elsewhere.lost;
        verdict.control_exposed = elsewhere.flows;
        verdict.p_value = p_values[g];
        verdict.q_value = q_values[g];
        std::set<IpAddress> servers;
        for (const std::size_t i : group.members) servers.insert(m_judged[i].flow.server);
        // One host that is gone is no rule about a port, and where nothing else was tried nothing can be compared.
        const bool has_controls = elsewhere.flows >= baseline_min && servers.size() >= 2;
        verdict.is_firm = has_controls && uplink_lost[g] >= 5 && 2 * uplink_lost[g] >= group.exposed && verdict.q_value <= m_limits.q_value_max;
        // Where whole connections are lost as well, the acknowledgement of the first words was; elsewhere they are another matter.
        if (!verdict.is_firm) std::erase_if(group.members, [&](std::size_t i) { return (m_judged[i].flow.signs & sign::uplink_lost) == 0; });
        group.hits = group.members.size();
        if (!verdict.is_firm) verdict.alternative = "loss, or a host that went away";
        group.exposed_v6 = m_foreign_v6_by_port[ports[g]];
        close_group(std::move(verdict), group, chance);
    }
}

std::vector<CaptureBook::PrefixEligibility> CaptureBook::eligibility_by_prefix() const {
    std::map<IpAddress, Eligibility> sums;
    for (const auto& [server, tallies] : m_eligible_by_server) {
        Eligibility& sum = sums[address_prefix(server)];
        sum.exempt += tallies[0].flows;
        sum.exempt_lost += tallies[0].lost;
        sum.eligible += tallies[1].flows;
        sum.eligible_lost += tallies[1].lost;
    }
    std::vector<PrefixEligibility> prefixes;
    std::vector<double> p_values;
    for (const auto& [prefix, sum] : sums) {
        if (sum.eligible == 0 || sum.exempt == 0) continue;
        p_values.push_back(fisher_tail(sum.eligible_lost, sum.eligible, sum.exempt_lost, sum.exempt));
        prefixes.push_back({prefix, sum, p_values.back(), 1});
    }
    const auto q_values = benjamini_hochberg(p_values, static_cast<double>(std::max<std::size_t>(1, p_values.size())));
    for (std::size_t i = 0; i < prefixes.size(); ++i) prefixes[i].q_value = q_values[i];
    return prefixes;
}

void CaptureBook::judge_fully_encrypted() {
    Tally exempt;
    Tally free;
    for (const auto& [server, tallies] : m_eligible_by_server) {
        exempt.flows += tallies[0].flows;
        exempt.lost += tallies[0].lost;
        if (tallies[1].lost * 20 > tallies[1].flows) continue;
        free.flows += tallies[1].flows;
        free.lost += tallies[1].lost;
    }
    const double chance = baseline(exempt.lost + free.lost, exempt.flows + free.flows, 0.05);
    std::map<IpAddress, Group> groups;
    for (std::size_t i = 0; i < m_judged.size(); ++i) {
        const FlowRecord& flow = m_judged[i].flow;
        if (m_judged[i].mechanism != Mechanism::fully_encrypted_drop || !flow.is_eligible) continue;
        Group& group = groups[flow.server];
        ++group.hits;
        group.members.push_back(i);
    }
    if (groups.empty()) return;
    Group all;
    FlowShares own_exempt;
    std::vector<double> p_values;
    for (auto& [server, group] : groups) {
        group.exposed = m_eligible_by_server[server][1].flows;
        if (!server.is_v4()) all.exposed_v6 += group.exposed;
        ++own_exempt[{m_eligible_by_server[server][0].lost, m_eligible_by_server[server][0].flows}];
        p_values.push_back(binomial_tail(group.hits, group.exposed, chance));
    }
    const auto q_values = benjamini_hochberg(p_values, static_cast<double>(std::max<std::size_t>(1, m_eligible_by_server.size())));
    MechanismVerdict verdict;
    verdict.mechanism = Mechanism::fully_encrypted_drop;
    verdict.trigger = "a first payload that looks like nothing";
    verdict.control_flows = exempt.lost + free.lost;
    verdict.control_exposed = exempt.flows + free.flows;
    std::size_t g = 0;
    for (auto& [server, group] : groups) {
        const double q = q_values[g];
        const double p = p_values[g++];
        // Where exempt payloads are lost as well, the host is at fault.
        const Tally& own = m_eligible_by_server[server][0];
        const bool is_host = own.flows > 0 && own.lost * 10 > own.flows;
        // Nor is it more than a host that is gone where nothing of it was ever answered, or nothing was sent to others.
        const bool is_host_seen = own.flows > own.lost || group.exposed > group.hits || groups.size() >= 2;
        const bool has_controls = exempt.flows + free.flows >= baseline_min;
        const bool is_firm = group.hits >= 3 && !is_host && is_host_seen && has_controls && q <= m_limits.q_value_max;
        all.exposed += group.exposed;
        all.hits += group.hits;
        for (const std::size_t i : group.members) {
            all.members.push_back(i);
            m_judged[i].is_firm = is_firm;
        }
        verdict.p_value = std::min(verdict.p_value, p);
        verdict.q_value = std::min(verdict.q_value, q);
        if (is_firm) ++verdict.figure;
    }
    const bool is_any_firm = verdict.figure > 0;
    if (!is_any_firm) verdict.alternative = "loss, or a host that went away; being eligible is no sign by itself";
    close_group(std::move(verdict), all, chance, std::move(own_exempt));
    m_verdicts.back().is_firm = is_any_firm;
}

void CaptureBook::judge_rates() {
    // By content, so that neither the order of files nor the moment at which flows were given up shows.
    std::sort(m_rates.begin(), m_rates.end(), [](const RateRecord& a, const RateRecord& b) {
        const auto key = [](const RateRecord& r) { return std::tie(r.first_ns, r.evidence, r.frame, r.client, r.server, r.client_port, r.server_port, r.name); };
        return key(a) < key(b);
    });
    std::set<std::uint32_t> names;
    std::map<IpAddress, std::map<std::uint32_t, FlowShare>> by_server;
    FlowShare all_v6;
    for (const RateRecord& rate : m_rates) names.insert(rate.name);
    std::vector<SlowName> slow_names = find_slow_names(m_rates, m_limits.q_value_max);
    // A flow is slow for another name as it is for this one.
    const auto add = [&](const RateRecord& rate, bool is_slow) {
        FlowShare& share = by_server[rate.server][rate.name];
        for (FlowShare* sum : {&share, rate.server.is_v4() ? nullptr : &all_v6}) {
            if (sum == nullptr) continue;
            ++sum->flows;
            sum->hits += is_slow;
        }
    };
    if (!slow_names.empty())
        for (const RateRecord& rate : m_rates) add(rate, rate.bytes_per_second < slow_names.front().slow_below);
    std::vector<double> p_values;
    std::vector<MechanismVerdict> verdicts;
    for (SlowName& slow : slow_names) {
        MechanismVerdict verdict;
        std::array<std::size_t, payload_kind_count> kinds{};
        ShownFlows shown;
        std::set<IpAddress> servers;
        for (const std::size_t i : slow.members) {
            const RateRecord& rate = m_rates[i];
            servers.insert(rate.server);
            ++kinds[static_cast<std::size_t>(rate.kind)];
            if (!rate.server.is_v4()) {
                ++shown.own_v6.flows;
                shown.own_v6.hits += rate.bytes_per_second < slow.slow_below;
            }
            verdict.first_ns = std::min(verdict.first_ns, rate.first_ns);
            verdict.last_ns = std::max(verdict.last_ns, rate.first_ns);
            verdict.locators.push_back({rate.evidence, rate.frame});
        }
        verdict.mechanism = slow.is_caused_by(SlowCause::policing)  ? Mechanism::throttling_policing
                            : slow.is_caused_by(SlowCause::shaping) ? Mechanism::throttling_shaping
                                                                    : Mechanism::throttling;
        verdict.trigger = m_names.name(slow.name);
        verdict.layer = layer_of(verdict.mechanism, kinds);
        verdict.flows = slow.own.hits;
        verdict.exposed = slow.own.flows;
        verdict.control_flows = slow.controls.hits;
        verdict.control_exposed = slow.controls.flows;
        verdict.p_value = slow.p_value;
        verdict.figure = slow.rate_share;
        verdict.direction = "server-to-client";
        shown.own = slow.own;
        shown.controls = slow.controls;
        shown.chance = slow.chance;
        for (const IpAddress& server : servers)
            for (const auto& [other, share] : by_server[server])
                if (other != slow.name) ++shown.same_servers[share];
        shown.other_v6 = {all_v6.hits - shown.own_v6.hits, all_v6.flows - shown.own_v6.flows};
        verdict.alternatives = weigh_alternatives(shown);
        verdict.locators_total = verdict.locators.size();
        std::sort(verdict.locators.begin(), verdict.locators.end());
        constexpr std::size_t locators_max = 20;
        if (verdict.locators.size() > locators_max) verdict.locators.resize(locators_max);
        constexpr std::uint64_t flows_min = 5;
        verdict.alternative = slow.alternative;
        verdict.is_firm = slow.own.hits >= flows_min && slow.alternative.empty();
        p_values.push_back(verdict.p_value);
        verdict.throttling = std::move(slow);
        verdicts.push_back(std::move(verdict));
    }
    const auto q_values = benjamini_hochberg(p_values, static_cast<double>(names.size()));
    for (std::size_t i = 0; i < verdicts.size(); ++i) {
        verdicts[i].q_value = q_values[i];
        if (q_values[i] > m_limits.q_value_max) verdicts[i].is_firm = false;
        if (!verdicts[i].is_firm && verdicts[i].alternative.empty()) verdicts[i].alternative = "a slow path: too few flows tell";
        m_verdicts.push_back(std::move(verdicts[i]));
    }
}

void CaptureBook::judge_residual() {
    constexpr std::int64_t watched_ns = 900 * second_ns;
    // Triggers that are sure, by client, server and port.
    struct TriggerTime {
        std::int64_t time_ns = 0;
        std::uint32_t name = 0;
        std::uint16_t client_port = 0;
    };
    std::unordered_map<std::uint64_t, std::vector<TriggerTime>> triggers;
    std::unordered_map<std::uint64_t, std::vector<TriggerTime>> pairs;
    for (const JudgedFlow& judged : m_judged) {
        if (!judged.is_firm || !is_tcp(judged.flow)) continue;
        if (judged.mechanism != Mechanism::reset_injection && judged.mechanism != Mechanism::silent_drop) continue;
        const TriggerTime trigger = {judged.flow.trigger_ns, judged.flow.name, judged.flow.client_port};
        triggers[triple_of(judged.flow)].push_back(trigger);
        pairs[pair_of(judged.flow)].push_back(trigger);
    }
    if (triggers.empty()) return;
    std::set<std::uint32_t> blocked;   // names that fail by themselves say nothing of what is left of an earlier one
    for (const auto& [triple, times] : triggers)
        for (const TriggerTime& trigger : times)
            if (trigger.name != 0) blocked.insert(trigger.name);
    // Of triggers that follow each other the latest counts, so that what fails later is not laid to an earlier one.
    const auto latest = [](const std::vector<TriggerTime>& times, std::int64_t before_ns) -> const TriggerTime* {
        const TriggerTime* found = nullptr;
        for (const TriggerTime& trigger : times)
            if (trigger.time_ns < before_ns && (found == nullptr || trigger.time_ns > found->time_ns)) found = &trigger;
        return found;
    };
    struct Attempt {
        double seconds = 0;             // behind the trigger
        double seconds_unanswered = 0;  // behind the latest failed attempt, or the trigger
        bool is_failed = false;
    };
    std::unordered_map<std::uint64_t, std::vector<const Outcome*>> attempts_of;
    for (const Outcome& outcome : m_outcomes) {
        if (blocked.count(outcome.name) > 0) continue;
        if (triggers.count(outcome.triple) > 0) {
            attempts_of[outcome.triple].push_back(&outcome);
        } else if (const auto pair = pairs.find(outcome.pair); pair != pairs.end()) {
            const TriggerTime* trigger = latest(pair->second, outcome.time_ns);
            if (trigger == nullptr || outcome.time_ns - trigger->time_ns > 60 * second_ns) continue;
            ++m_residual.other_port;
            m_residual.other_port_failed += outcome.is_failed;
        }
    }
    std::array<std::map<std::uint32_t, std::vector<Attempt>>, 2> after;   // by whether the source port is the trigger's, and name
    Tally other_source_ports;
    for (auto& [triple, outcomes] : attempts_of) {
        std::sort(outcomes.begin(), outcomes.end(), [](const Outcome* a, const Outcome* b) { return std::tie(a->time_ns, a->is_failed) < std::tie(b->time_ns, b->is_failed); });
        std::int64_t failed_ns = INT64_MIN;
        for (const Outcome* outcome : outcomes) {
            const TriggerTime* trigger = latest(triggers[triple], outcome->time_ns);
            if (trigger == nullptr || outcome->time_ns - trigger->time_ns >= watched_ns) continue;
            const auto seconds_behind = [&](std::int64_t time_ns) { return static_cast<double>(outcome->time_ns - time_ns) / 1e9; };
            const bool is_same = outcome->client_port == trigger->client_port;
            after[is_same ? 1 : 0][trigger->name].push_back({seconds_behind(trigger->time_ns), seconds_behind(std::max(trigger->time_ns, failed_ns)), outcome->is_failed});
            if (outcome->is_failed) failed_ns = outcome->time_ns;
            if (is_same) continue;
            ++other_source_ports.flows;
            other_source_ports.lost += outcome->is_failed;
        }
    }
    // Boxes differ; only names whose next connections fail mostly tell of a time.
    double chance = baseline(m_residual.other_port_failed, m_residual.other_port, baseline_unknown);
    constexpr double soon_seconds = 60;   // no residual blocking that is known is shorter
    std::vector<Attempt> all;
    std::set<std::uint32_t> lasting;
    double p_value = 1;
    for (const bool is_same : {false, true}) {
        if (!lasting.empty()) break;
        // Where other source ports pass, they are what the trigger's own is compared with.
        if (is_same) chance = baseline(other_source_ports.lost, other_source_ports.flows, baseline_unknown);
        for (const auto& [name, attempts] : after[is_same ? 1 : 0]) {
            std::uint64_t soon = 0;
            std::uint64_t failed = 0;
            for (const Attempt& attempt : attempts)
                if (attempt.seconds < soon_seconds) {
                    ++soon;
                    failed += attempt.is_failed;
                }
            const double p = binomial_tail(failed, soon, chance);
            if (failed < 3 || 2 * failed < soon || p > m_limits.q_value_max) continue;
            p_value = std::min(p_value, p * static_cast<double>(after[is_same ? 1 : 0].size()));
            lasting.insert(name);
            all.insert(all.end(), attempts.begin(), attempts.end());
            ++m_residual.triggers;
            m_residual.is_same_source_port = is_same;
        }
    }
    if (lasting.empty()) return;
    for (const Attempt& attempt : all) ++(attempt.is_failed ? m_residual.failed : m_residual.passed);
    // One change from a high to a low rate of failure, by the profile likelihood; the interval is where it is within 1.92 of the best.
    const auto log_likelihood = [](std::uint64_t failed, std::uint64_t flows) {
        if (failed == 0 || failed == flows) return 0.0;
        const double share = static_cast<double>(failed) / static_cast<double>(flows);
        return static_cast<double>(failed) * std::log(share) + static_cast<double>(flows - failed) * std::log(1 - share);
    };
    /// After each attempt in the order of these times, that of a change behind it.
    const auto likelihoods_by = [&](double Attempt::*time) {
        std::sort(all.begin(), all.end(), [&](const Attempt& a, const Attempt& b) { return std::tie(a.*time, a.is_failed) < std::tie(b.*time, b.is_failed); });
        std::vector<double> likelihoods;
        std::uint64_t failed_before = 0;
        for (std::size_t i = 0; i < all.size(); ++i) {
            failed_before += all[i].is_failed;
            likelihoods.push_back(log_likelihood(failed_before, i + 1) + log_likelihood(m_residual.failed - failed_before, all.size() - i - 1));
        }
        return likelihoods;
    };
    const std::vector<double> restarting = likelihoods_by(&Attempt::seconds_unanswered);
    const double best_restarting = *std::max_element(restarting.begin(), restarting.end());
    std::vector<double> likelihoods = likelihoods_by(&Attempt::seconds);
    double best = *std::max_element(likelihoods.begin(), likelihoods.end());
    m_residual.restart_ratio = best_restarting - best;
    double Attempt::*time = &Attempt::seconds;
    if (m_residual.restart_ratio >= ResidualEstimate::restart_ratio_min) {
        time = &Attempt::seconds_unanswered;
        likelihoods = likelihoods_by(time);
        best = best_restarting;
    }
    constexpr double within = 1.92;
    std::size_t first = all.size();
    std::size_t last = 0;
    for (std::size_t i = 0; i < all.size(); ++i)
        if (likelihoods[i] >= best - within) {
            first = std::min(first, i);
            last = i;
        }
    m_residual.seconds_low = all[first].*time;
    m_residual.seconds_high = last + 1 < all.size() ? all[last + 1].*time : all[last].*time;
    const bool is_firm = p_value <= m_limits.q_value_max;
    m_residual.is_firm = is_firm;
    std::map<std::uint32_t, Group> groups;
    for (std::size_t i = 0; i < m_judged.size(); ++i) {
        JudgedFlow& judged = m_judged[i];
        const bool may_be_residual = judged.mechanism == Mechanism::syn_drop || judged.mechanism == Mechanism::syn_reset ||
                                     (!judged.is_firm && (judged.mechanism == Mechanism::reset_injection || judged.mechanism == Mechanism::silent_drop));
        if (!may_be_residual || blocked.count(judged.flow.name) > 0) continue;
        const auto known = triggers.find(triple_of(judged.flow));
        if (known == triggers.end()) continue;
        const TriggerTime* trigger = latest(known->second, judged.flow.first_ns);
        if (trigger == nullptr || lasting.count(trigger->name) == 0 || static_cast<double>(judged.flow.first_ns - trigger->time_ns) / 1e9 > m_residual.seconds_high) continue;
        if (m_residual.is_same_source_port && judged.flow.client_port != trigger->client_port) continue;
        Group& group = groups[trigger->name];
        ++group.hits;
        group.members.push_back(i);
    }
    for (auto& [name, group] : groups) {
        MechanismVerdict verdict;
        verdict.mechanism = Mechanism::residual;
        verdict.trigger = m_names.name(name);
        verdict.exposed = group.hits;
        verdict.control_flows = m_residual.other_port_failed;
        verdict.control_exposed = m_residual.other_port;
        verdict.p_value = p_value;
        verdict.q_value = p_value;
        verdict.is_firm = is_firm;
        verdict.figure = (m_residual.seconds_low + m_residual.seconds_high) / 2;
        if (!is_firm) verdict.alternative = "a server that was down";
        close_group(std::move(verdict), group, chance, FlowShares{{{m_residual.other_port_failed, m_residual.other_port}, 1}});
    }
}

}  // namespace unveil
