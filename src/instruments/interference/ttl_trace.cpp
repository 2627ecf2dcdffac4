#include "instruments/interference/ttl_trace.hpp"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <string>
#include <tuple>
#include <utility>

#include "core/hash.hpp"
#include "instruments/interference/flow_record.hpp"
#include "net/byte_cursor.hpp"
#include "net/http.hpp"
#include "net/tls.hpp"

namespace unveil {
namespace {

constexpr int mirror_spread_min = 4;        // of the TTLs sent, before answers can be said to follow them
constexpr std::uint8_t mirror_ttl_max = 2;  // nobody begins with a TTL that is used up on the way by chance

std::int32_t after(std::uint32_t a, std::uint32_t b) { return static_cast<std::int32_t>(a - b); }

bool is_odd(std::uint8_t ttl, std::uint8_t usual) { return ttl + ttl_slack < usual || ttl > usual + ttl_slack; }

struct Path {
    IpAddress client;
    IpAddress server;
    std::uint16_t client_port = 0;
    std::uint16_t server_port = 0;
    auto operator<=>(const Path&) const = default;
};

/// What an ICMP answer quotes of the probe: routers need not send more than eight bytes of its TCP header (RFC 792).
struct Quote {
    Path path;
    std::uint32_t sequence = 0;
};

bool read_quote(std::span<const std::uint8_t> bytes, Quote& quote) {
    if (bytes.empty()) return false;
    const auto version = bytes[0] >> 4;
    std::size_t header_bytes = 0;
    if (version == 4) {
        header_bytes = std::size_t{bytes[0]} % 16 * 4;
        if (header_bytes < 20 || bytes.size() < header_bytes + 8 || bytes[9] != static_cast<std::uint8_t>(Protocol::tcp)) return false;
        if (((bytes[6] & 0x1F) | bytes[7]) != 0) return false;  // not the first fragment
        ByteCursor addresses(bytes.subspan(12));
        quote.path.client = ipv4_address(addresses.u32());
        quote.path.server = ipv4_address(addresses.u32());
    } else if (version == 6) {
        header_bytes = 40;
        if (bytes.size() < header_bytes + 8 || bytes[6] != static_cast<std::uint8_t>(Protocol::tcp)) return false;
        std::copy_n(bytes.begin() + 8, 16, quote.path.client.bytes.begin());
        std::copy_n(bytes.begin() + 24, 16, quote.path.server.bytes.begin());
    } else {
        return false;
    }
    ByteCursor tcp(bytes.subspan(header_bytes));
    quote.path.client_port = tcp.u16();
    quote.path.server_port = tcp.u16();
    quote.sequence = tcp.u32();
    return tcp.is_ok();
}

/// Equal for requests of the same thing, whatever random bytes they carry.
std::uint64_t request_key(std::span<const std::uint8_t> payload) {
    ClientHello hello;
    const auto tls = parse_client_hello(payload, hello);
    if ((tls == TlsParse::done || tls == TlsParse::need_more) && hello.has_server_name) return hash_bytes("tls " + hello.server_name);
    HttpHead head;
    const auto http = parse_http_request(payload, head);
    if ((http == HttpParse::done || http == HttpParse::need_more) && !head.target.empty())
        return hash_bytes("http " + std::string(head.target) + " " + std::string(head.header("host")));
    return hash_bytes(payload);
}

void read_content(std::span<const std::uint8_t> payload, TraceAnswer& answer) {
    answer.kind = TraceAnswerKind::data;
    if (payload.size() >= 3 && payload[1] == 3 && (payload[0] == 0x16 || payload[0] == 0x15)) {
        answer.kind = payload[0] == 0x16 ? TraceAnswerKind::tls : TraceAnswerKind::tls_alert;
        return;
    }
    HttpHead head;
    const auto http = parse_http_response(payload, head);
    if (head.status != 0 && (http == HttpParse::done || http == HttpParse::need_more)) {
        answer.kind = TraceAnswerKind::http;
        std::string shared = std::to_string(head.status) + "\n" + std::string(head.header("server"));
        for (const auto& [name, value] : head.headers) shared += "\n" + std::string(name);
        answer.likeness = hash_bytes(shared);
        return;
    }
    answer.likeness = hash_bytes({reinterpret_cast<const char*>(payload.data()), std::min<std::size_t>(payload.size(), 64)});
}

/// What the sender of an answer saw, and what was left of what it sent.
struct MirrorPoint {
    std::uint64_t frame = 0;
    std::uint8_t sent_ttl = 0;
    std::uint8_t seen_ttl = 0;
};

struct Trace {
    static constexpr std::size_t points_max = 1024;
    TtlTraceResult result;
    std::vector<MirrorPoint> points;
};

struct Flow {
    std::uint32_t probe_sequence = 0;
    std::uint32_t probe_end = 0;
    std::int32_t trace = -1;
    std::uint8_t hop = 0;
    std::uint8_t last_sent_ttl = 0;
    std::uint8_t handshake_ttl = 0;
    std::uint8_t points = 0;
    bool has_handshake = false;
    bool is_closed = false;         // by the client: what comes then answers the end, not the probe
};

/// Of answers to one probe, what tells most: content and resets as they come, before an end without content, before an acknowledgement alone.
int weight(TraceAnswerKind kind) {
    switch (kind) {
        case TraceAnswerKind::none: return 0;
        case TraceAnswerKind::acknowledgement: return 1;
        case TraceAnswerKind::end: return 2;
        default: return 3;
    }
}

std::uint8_t median_seen(std::span<const MirrorPoint> points) {
    std::vector<std::uint8_t> seen;
    for (const auto& point : points) seen.push_back(point.seen_ttl);
    std::nth_element(seen.begin(), seen.begin() + static_cast<std::ptrdiff_t>(seen.size() / 2), seen.end());
    return seen[seen.size() / 2];
}

/// A sender that copies the TTL leaves `sent - ways there and back`: one more sent is one more seen.
void judge_mirror(Trace& trace) {
    auto& points = trace.points;
    if (points.empty()) return;
    std::stable_sort(points.begin(), points.end(), [](const MirrorPoint& a, const MirrorPoint& b) { return a.sent_ttl < b.sent_ttl; });
    if (std::any_of(points.begin(), points.end(), [](const MirrorPoint& point) { return point.seen_ttl >= point.sent_ttl; })) return;
    const auto is_sent = [](std::uint8_t ttl) { return [ttl](const MirrorPoint& point) { return point.sent_ttl == ttl; }; };
    const auto low_end = std::find_if_not(points.begin(), points.end(), is_sent(points.front().sent_ttl));
    const auto high_begin = std::find_if(points.begin(), points.end(), is_sent(points.back().sent_ttl));
    const std::span<const MirrorPoint> low(points.begin(), low_end);
    const std::span<const MirrorPoint> high(high_begin, points.end());
    const int sent = high.front().sent_ttl - low.front().sent_ttl;
    const int seen = median_seen(high) - median_seen(low);
    auto& result = trace.result;
    if (sent >= mirror_spread_min) {
        if (std::abs(sent - seen) > std::max(1, sent / 8)) return;
    } else if (low.front().seen_ttl > mirror_ttl_max) {
        return;
    }
    result.is_ttl_mirrored = true;
    result.mirror_hops = static_cast<unsigned>(low.front().sent_ttl - median_seen(low));
    result.mirror_frames[0] = low.front().frame;
    result.mirror_frames[1] = high.front().frame;
}

}  // namespace

class TtlTrace::State {
  public:
    void add(const Frame& frame) {
        Packet packet;
        if (decode_packet(frame, packet) != Decoded::packet || packet.is_fragment) return;
        if (packet.is_tcp()) take_tcp(packet);
        else if (packet.protocol == static_cast<std::uint8_t>(Protocol::icmp) && packet.icmp_type == 11 && packet.icmp_code == 0) take_icmp(packet);
        else if (packet.protocol == static_cast<std::uint8_t>(Protocol::icmp6) && packet.icmp_type == 3 && packet.icmp_code == 0) take_icmp(packet);
    }

    TtlTraceResult finish() {
        const auto best = std::max_element(m_traces.begin(), m_traces.end(),
                                           [](const Trace& a, const Trace& b) { return a.result.hop_count < b.result.hop_count; });
        TtlTraceResult result;
        if (best != m_traces.end()) {
            judge_mirror(*best);
            result = std::move(best->result);
            for (int hop = 0; hop < static_cast<int>(result.hops.size()); ++hop) {
                const auto& at = result.hops[static_cast<std::size_t>(hop)];
                if (at.has_router()) result.router_hop_max = hop;
                if (at.answer.kind != TraceAnswerKind::none && result.answer_hop < 0) result.answer_hop = hop;
            }
        }
        result.ignored_flows = m_ignored_flows;
        m_flows.clear();
        m_traces.clear();
        m_trace_of.clear();
        m_ignored_flows = 0;
        return result;
    }

  private:
    void take_tcp(const Packet& packet) {
        const Path forth{packet.source, packet.destination, packet.source_port, packet.destination_port};
        if (packet.has_flag(tcp_flag::syn) && !packet.has_flag(tcp_flag::ack)) {
            if (m_flows.size() >= flows_max && !m_flows.contains(forth)) {
                ++m_ignored_flows;
                return;
            }
            m_flows.insert_or_assign(forth, Flow{});
            return;
        }
        if (const auto at = m_flows.find(forth); at != m_flows.end()) return take_client(forth, at->second, packet);
        const Path back{packet.destination, packet.source, packet.destination_port, packet.source_port};
        if (const auto at = m_flows.find(back); at != m_flows.end()) take_server(at->second, packet);
    }

    void take_client(const Path& path, Flow& flow, const Packet& packet) {
        flow.last_sent_ttl = packet.ttl;
        if (packet.payload_bytes_original > 0 && !packet.payload.empty()) take_probe(path, flow, packet);
        if (packet.has_flag(tcp_flag::fin) || packet.has_flag(tcp_flag::rst)) flow.is_closed = true;
    }

    void take_probe(const Path& path, Flow& flow, const Packet& packet) {
        const auto [at, is_new] =
            m_trace_of.try_emplace({path.server, path.server_port, request_key(packet.payload)}, static_cast<std::int32_t>(m_traces.size()));
        if (is_new) {
            if (m_traces.size() >= traces_max) {
                m_trace_of.erase(at);
                ++m_ignored_flows;
                return;
            }
            m_traces.emplace_back();
            m_traces.back().result.server = path.server;
            m_traces.back().result.server_port = path.server_port;
        }
        flow.trace = at->second;
        flow.hop = packet.ttl;
        flow.probe_sequence = packet.sequence;
        flow.probe_end = packet.sequence + packet.payload_bytes_original;
        auto& result = m_traces[static_cast<std::size_t>(flow.trace)].result;
        auto& hop = result.hops[flow.hop];
        if (hop.probe_frame == 0) {
            hop.probe_frame = packet.frame;
            ++result.hop_count;
        }
        ++result.probe_count;
        result.hop_max = std::max<unsigned>(result.hop_max, flow.hop);
    }

    void take_server(Flow& flow, const Packet& packet) {
        if (packet.has_flag(tcp_flag::syn)) {
            if (!flow.has_handshake) flow.handshake_ttl = packet.ttl;
            flow.has_handshake = true;
            return;
        }
        if (flow.trace < 0) return;
        auto& trace = m_traces[static_cast<std::size_t>(flow.trace)];
        const bool is_reset = packet.has_flag(tcp_flag::rst);
        TraceAnswer answer;
        answer.frame = packet.frame;
        answer.ttl = packet.ttl;
        answer.is_ttl_odd = flow.has_handshake && is_odd(packet.ttl, flow.handshake_ttl);
        if (answer.is_ttl_odd && flow.points < 4 && trace.points.size() < Trace::points_max) {
            ++flow.points;
            trace.points.push_back({packet.frame, flow.last_sent_ttl, packet.ttl});
        }
        if (flow.is_closed) return;
        const bool is_acknowledging = packet.has_flag(tcp_flag::ack) && after(packet.acknowledgement, flow.probe_sequence) > 0;
        if (is_reset) answer.kind = TraceAnswerKind::reset;
        else if (!is_acknowledging) return;
        else if (packet.payload_bytes_original > 0) read_content(packet.payload, answer);
        else if (packet.has_flag(tcp_flag::fin)) answer.kind = TraceAnswerKind::end;
        else answer.kind = TraceAnswerKind::acknowledgement;
        auto& hop = trace.result.hops[flow.hop];
        if (!answer.is_ttl_odd && is_acknowledging && hop.server_frame == 0) hop.server_frame = packet.frame;
        if (weight(answer.kind) > weight(hop.answer.kind)) hop.answer = answer;
    }

    void take_icmp(const Packet& packet) {
        Quote quote;
        if (!read_quote(packet.payload, quote)) return;
        const auto at = m_flows.find(quote.path);
        if (at == m_flows.end() || at->second.trace < 0) return;
        const Flow& flow = at->second;
        if (after(quote.sequence, flow.probe_sequence) < 0 || after(quote.sequence, flow.probe_end) >= 0) return;
        auto& hop = m_traces[static_cast<std::size_t>(flow.trace)].result.hops[flow.hop];
        if (hop.has_router()) return;
        hop.router = packet.source;
        hop.router_frame = packet.frame;
    }

    std::map<Path, Flow> m_flows;
    std::vector<Trace> m_traces;
    std::map<std::tuple<IpAddress, std::uint16_t, std::uint64_t>, std::int32_t> m_trace_of;
    std::uint64_t m_ignored_flows = 0;
};

TtlTrace::TtlTrace() : m_state(std::make_unique<State>()) {}
TtlTrace::~TtlTrace() = default;

void TtlTrace::add(std::span<const Frame> frames) {
    for (const Frame& frame : frames) m_state->add(frame);
}

TtlTraceResult TtlTrace::finish() { return m_state->finish(); }

std::string_view trace_answer_name(TraceAnswerKind kind) {
    switch (kind) {
        case TraceAnswerKind::none: return "none";
        case TraceAnswerKind::acknowledgement: return "acknowledgement";
        case TraceAnswerKind::end: return "end";
        case TraceAnswerKind::reset: return "reset";
        case TraceAnswerKind::http: return "http";
        case TraceAnswerKind::tls: return "tls";
        case TraceAnswerKind::tls_alert: return "tls_alert";
        case TraceAnswerKind::data: return "data";
    }
    return "";
}

std::string_view trace_code_name(TraceCode code) {
    switch (code) {
        case TraceCode::no_observed_censorship: return "NO_OBSERVED_CENSORSHIP";
        case TraceCode::can_identify_server: return "CAN_IDENTIFY_SERVER";
        case TraceCode::nat_firewall: return "NAT_FIREWALL";
        case TraceCode::endpoint_firewall: return "ENDPOINT_FIREWALL";
        case TraceCode::terminating_ttl_past_control: return "TERMINATING_TTL_PAST_CONTROL";
        case TraceCode::hop_without_address: return "HOP_WITHOUT_ADDRESS";
        case TraceCode::not_comparable: return "NOT_COMPARABLE";
    }
    return "";
}

namespace {

const TraceHop& at_hop(const TtlTraceResult& trace, int hop) { return trace.hops[static_cast<std::size_t>(hop)]; }

bool is_alike(const TraceAnswer& a, const TraceAnswer& b) { return a.kind == b.kind && a.likeness == b.likeness && a.is_ttl_odd == b.is_ttl_odd; }

void cite(std::vector<std::uint64_t>& frames, std::uint64_t frame) {
    if (frame != 0) frames.push_back(frame);
}

/// Names the router at `hop` of the control's path. What drops a request may stand behind silent routers: then the first that is heard counts.
void place(const TtlTraceResult& control, TraceComparison& comparison, int hop_last) {
    for (int hop = comparison.hop; hop <= hop_last; ++hop) {
        const auto& at = at_hop(control, hop);
        if (!at.has_router()) continue;
        cite(comparison.control_frames, at.router_frame);
        if (at.router == control.server) {
            comparison.code = TraceCode::nat_firewall;
            return;
        }
        comparison.code = TraceCode::can_identify_server;
        comparison.box = at.router;
        comparison.has_box = true;
        comparison.box_hop = hop;
        return;
    }
    comparison.code = TraceCode::hop_without_address;
}

void find_on_path(const TtlTraceResult& censored, TraceComparison& comparison) {
    for (int hop = std::max(comparison.hop, 0); hop < static_cast<int>(censored.hops.size()); ++hop) {
        const auto& at = at_hop(censored, hop);
        if (!at.answer.is_ttl_odd) continue;
        const bool is_router_behind = hop > comparison.hop && at.has_router();
        if (!is_router_behind && at.server_frame == 0) continue;
        comparison.is_on_path = true;
        cite(comparison.censored_frames, at.answer.frame);
        cite(comparison.censored_frames, at.server_frame != 0 ? at.server_frame : at.router_frame);
        // Packets of the server prove more than a router's.
        if (at.server_frame != 0) return;
    }
}

void compare_dropped(const TtlTraceResult& censored, const TtlTraceResult& control, TraceComparison& comparison) {
    if (static_cast<int>(censored.hop_max) < control.answer_hop) return;
    comparison.is_dropping = true;
    comparison.hop = censored.router_hop_max + 1;
    if (censored.router_hop_max >= 0) cite(comparison.censored_frames, at_hop(censored, censored.router_hop_max).router_frame);
    for (int hop = comparison.hop; hop <= control.answer_hop; ++hop) cite(comparison.censored_frames, at_hop(censored, hop).probe_frame);
    if (comparison.hop >= control.answer_hop) {
        comparison.hop = control.answer_hop;
        comparison.code = TraceCode::endpoint_firewall;
        return;
    }
    place(control, comparison, control.answer_hop - 1);
}

void compare_answered(const TtlTraceResult& censored, const TtlTraceResult& control, TraceComparison& comparison) {
    const auto& answer = at_hop(censored, censored.answer_hop).answer;
    comparison.seen_hop = censored.answer_hop;
    comparison.hop = censored.answer_hop;
    cite(comparison.censored_frames, at_hop(censored, censored.answer_hop).probe_frame);
    cite(comparison.censored_frames, answer.frame);
    if (is_alike(answer, at_hop(control, control.answer_hop).answer)) {
        comparison.code = TraceCode::no_observed_censorship;
        return;
    }
    if (censored.is_ttl_mirrored && answer.is_ttl_odd) {
        comparison.is_ttl_mirrored = true;
        comparison.hop = std::min(static_cast<int>(censored.mirror_hops / 2 + 1), censored.answer_hop);
        cite(comparison.censored_frames, censored.mirror_frames[0]);
        cite(comparison.censored_frames, censored.mirror_frames[1]);
    }
    if (comparison.hop < control.answer_hop) {
        place(control, comparison, comparison.hop);
        // The probe that was answered may have gone on: then a router named itself where the control's was silent.
        if (const auto& at = at_hop(censored, comparison.hop); comparison.code == TraceCode::hop_without_address && at.has_router()) {
            comparison.has_box = at.router != censored.server;
            comparison.code = comparison.has_box ? TraceCode::can_identify_server : TraceCode::nat_firewall;
            if (comparison.has_box) {
                comparison.box = at.router;
                comparison.box_hop = comparison.hop;
            }
            cite(comparison.censored_frames, at.router_frame);
        }
    } else {
        comparison.hop = control.answer_hop;
        comparison.code = TraceCode::endpoint_firewall;
    }
    if (comparison.seen_hop > control.answer_hop) comparison.code = TraceCode::terminating_ttl_past_control;
    find_on_path(censored, comparison);
}

void put_in_order(std::vector<std::uint64_t>& frames) {
    std::sort(frames.begin(), frames.end());
    frames.erase(std::unique(frames.begin(), frames.end()), frames.end());
}

}  // namespace

TraceComparison compare_traces(const TtlTraceResult& censored, const TtlTraceResult& control) {
    TraceComparison comparison;
    if (!censored.is_trace() || !control.is_trace() || control.answer_hop < 0) return comparison;
    if (censored.server != control.server || censored.server_port != control.server_port) return comparison;
    cite(comparison.control_frames, at_hop(control, control.answer_hop).probe_frame);
    cite(comparison.control_frames, at_hop(control, control.answer_hop).answer.frame);
    if (censored.answer_hop < 0) compare_dropped(censored, control, comparison);
    else compare_answered(censored, control, comparison);
    put_in_order(comparison.censored_frames);
    put_in_order(comparison.control_frames);
    return comparison;
}

}  // namespace unveil
