#include "instruments/interference/capture_watch.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "core/hash.hpp"
#include "instruments/interference/dns_lookups.hpp"
#include "instruments/interference/known_pages.hpp"
#include "instruments/interference/reset_class.hpp"
#include "instruments/interference/round_trip.hpp"
#include "net/flow_table.hpp"
#include "net/fragments.hpp"
#include "net/http.hpp"
#include "net/quic.hpp"
#include "net/tcp_stream.hpp"
#include "net/tls.hpp"

namespace unveil {
namespace {

constexpr std::int64_t second_ns = 1'000'000'000;
constexpr std::size_t head_bytes = 48;     // of the answer, kept to see whether it came twice with other content

/// Signed distance of sequence numbers.
std::int32_t after(std::uint32_t a, std::uint32_t b) { return static_cast<std::int32_t>(a - b); }

/// What two copies of a TCP packet have in common.
struct PacketMark {
    std::uint32_t sequence = 0;
    std::uint32_t acknowledgement = 0;
    std::uint32_t bytes = 0;
    std::uint16_t ip_id = 0;
    std::uint8_t flags = 0;
    std::uint8_t ttl = 0;
    friend bool operator==(const PacketMark&, const PacketMark&) = default;
};

struct Side {
    std::uint64_t bytes = 0;           // payload
    std::int64_t first_ns = 0;
    std::int64_t last_ns = 0;          // of packets that may be its own
    std::uint32_t next_sequence = 0;   // behind the highest byte
    std::uint32_t acknowledged = 0;    // the highest that it acknowledged
    std::uint32_t packets = 0;
    std::uint32_t data_packets = 0;
    std::uint8_t ttl_first = 0;
    std::uint8_t ttl_low = 255;
    std::uint8_t ttl_high = 0;
    bool has_df = false;
    bool has_ip_id = false;
    bool has_sequence = false;
    bool has_acknowledged = false;
    bool has_fin = false;
    PacketMark last;                   // to know the next one as its copy
    std::int64_t last_seen_ns = 0;
};

/// What a client's first words need while they are not whole.
struct Unfinished {
    TcpStream stream{OverlapPolicy::first, 32u << 10};
};

/// What only an answer of some length has.
struct LongAnswer {
    std::array<RoundTrip, 2> legs;     // to each side and back
    RateCurve curve;
    bool has_timestamps = false;       // of both sides, by which round trips are taken
};

struct Flow {
    static constexpr std::size_t resets_max = 6;

    std::array<Side, 2> sides;
    std::int64_t first_ns = 0;
    std::int64_t trigger_ns = 0;
    std::int64_t first_data_ns = 0;      // of the answer
    std::int64_t last_new_data_ns = 0;
    std::uint64_t first_frame = 0;
    std::uint64_t trigger_frame = 0;
    std::uint64_t answer_frame = 0;
    std::uint64_t conflict_frame = 0;
    std::uint64_t last_server_frame = 0;
    std::uint64_t answer_hash = 0;       // of its first bytes
    std::uint32_t evidence = 0;
    std::uint32_t name = 0;
    std::uint32_t request = 0;
    std::uint32_t trigger_sequence = 0;
    std::uint32_t trigger_end = 0;
    std::uint32_t answer_sequence = 0;
    std::uint32_t syn_ack_sequence = 0;
    std::uint64_t syn_ack_frame = 0;
    std::uint32_t client_packets_since = 0;     // since the server's last packet
    std::int64_t client_since_first_ns = 0;     // the first of those
    std::uint16_t answer_bytes = 0;      // that answer_hash covers
    std::uint16_t server_repeats = 0;    // of data that the client had acknowledged
    std::int64_t syn_ack_ns = 0;
    std::int64_t last_data_ns = 0;       // of the server, new or not
    std::int64_t sending_ns = 0;         // between its new data, where the client had asked for nothing more meanwhile
    std::uint64_t sent_bytes = 0;        // in that time
    std::uint32_t answer_end = 0;        // where the record or message that the answer is in ends; with knows_answer_end
    double gaps_s = 0;                   // between its data packets: sum and sum of squares
    double gaps_s2 = 0;
    std::uint32_t gap_count = 0;
    std::uint32_t holes = 0;             // how often its data went on behind something that is missing
    std::int64_t aborted_ns = 0;         // when the client gave up by a reset of its own
    std::int64_t quic_long_ns = 0;       // the server's last datagram with a long header
    std::uint8_t quic_repeats = 0;       // of those, after a pause
    bool has_quic_short = false;         // the server spoke with application keys
    std::uint32_t copies = 0;            // of packets that are no resets
    std::uint8_t syns = 0;
    std::uint8_t syn_acks = 0;
    std::uint8_t syn_ack_ttl = 0;
    std::uint8_t answer_ttl = 0;
    std::uint8_t conflict_ttl = 0;       // of a SYN+ACK that is known of a box
    std::uint8_t trigger_sends = 0;
    std::int8_t client = -1;             // which side, when known
    PayloadKind kind = PayloadKind::none;
    bool is_eligible = false;
    bool is_syn_ack_forged = false;
    bool has_two_syn_acks = false;
    bool is_answer_odd = false;          // its first bytes came from another distance than the handshake
    bool is_answer_doubled = false;      // and others in their place
    bool is_host_heard = false;          // the host itself took up the request, from the handshake's distance
    bool knows_answer_end = false;
    bool has_asked_since = false;        // the client sent data since the server's last
    bool is_data_behind_reset = false;
    bool is_reset_amid = false;          // after the answer had begun
    bool is_looking_for_name = false;
    bool has_ech = false;
    std::uint8_t resets_seen = 0;        // of the server's side, at most 255
    std::vector<ResetPacket> resets;     // in the server's name
    std::vector<ResetPacket> resets_to_server;   // in the client's, and not its own
    std::unique_ptr<Unfinished> unfinished;
    std::unique_ptr<TcpStream> page;     // the front of an answer, while it may be on the list
    KnownPage known_page;
    AnswerLook look = AnswerLook::unread;
    std::unique_ptr<TcpStream> flight;   // the front of an answer over TLS, while a certificate is to come
    ShownCertificate certificate;
    std::unique_ptr<QuicClient> quic;
    std::unique_ptr<DnsTalk> dns;
    std::unique_ptr<LongAnswer> long_answer;  // once the answer has some length
};

/// What a match adds to the logarithm of the likelihood ratio. A capture does not say in which country it was made, so one of a product's pages, which
/// companies and schools show as well, is not enough by itself.
float page_ratio(bool is_wide) { return is_wide ? 12 : 6; }

bool is_bytes(std::span<const std::uint8_t> bytes, std::string_view text) {
    return !text.empty() && bytes.size() == text.size() && std::memcmp(bytes.data(), text.data(), text.size()) == 0;
}


}  // namespace

class CaptureWatch::State {
  public:
    State(const InterferenceFacts& facts, NameBook& names, Sink sink, const interference::FingerprintSet* fingerprints)
        : m_facts(facts), m_names(names), m_sink(std::move(sink)), m_dns(facts, names, fingerprints, m_sink.flow), m_pages(fingerprints), m_flights(facts, names),
          m_flows(flows_max, idle_ns_max, [this](const FlowKey& key, Flow& flow) { end(key, flow); }) {}

    void add(std::span<const Frame> frames) {
        Packet packet;
        for (const Frame& frame : frames) {
            ++counts.frames;
            counts.bytes += frame.bytes.size();
            switch (decode_packet(frame, packet)) {
                case Decoded::packet: break;
                case Decoded::no_ip: ++counts.not_ip; continue;
                case Decoded::unknown_link: ++counts.unknown_link; continue;
                case Decoded::truncated: ++counts.truncated; continue;
                case Decoded::malformed: ++counts.malformed; continue;
            }
            ++counts.packets;
            counts.first_ns = std::min(counts.first_ns, packet.time_ns);
            counts.last_ns = std::max(counts.last_ns, packet.time_ns);
            if (packet.is_fragment) {
                Packet whole;
                if (m_fragments.add(packet, whole)) take(whole);
                continue;
            }
            take(packet);
        }
    }

    void finish() {
        m_flows.finish();
        counts.flows_evicted = m_flows.evicted();
        counts.fragments_given_up = m_fragments.dropped();
        counts.dns_queries = m_dns.counts().queries;
        counts.dns_answered_again = m_dns.counts().answered_again;
        counts.pages_not_compared = m_pages.not_compared();
        counts.certificates_not_read = m_flights.not_read();
    }

    CaptureCounts counts;

  private:
    void take(const Packet& packet) {
        if (packet.is_tcp()) take_tcp(packet);
        else if (packet.is_udp()) take_udp(packet);
    }

    Flow& flow_of(const Packet& packet, unsigned& from) {
        bool is_from_low = false;
        bool is_new = false;
        Flow& flow = m_flows.find(packet, is_from_low, is_new);
        from = is_from_low ? 0 : 1;
        if (is_new) begin(flow, packet);
        return flow;
    }

    void begin(Flow& flow, const Packet& packet) {
        ++counts.flows;
        flow.first_ns = packet.time_ns;
        flow.first_frame = packet.frame;
        flow.evidence = packet.evidence;
    }

    static void note_side(Side& side, const Packet& packet) {
        if (side.packets++ == 0) {
            side.first_ns = packet.time_ns;
            side.ttl_first = packet.ttl;
            side.has_df = packet.has_df;
        }
        side.last_ns = packet.time_ns;
        side.ttl_low = std::min(side.ttl_low, packet.ttl);
        side.ttl_high = std::max(side.ttl_high, packet.ttl);
        side.has_ip_id = side.has_ip_id || packet.ip_id != 0;
    }

    // TCP

    void take_tcp(const Packet& packet) {
        unsigned from = 0;
        Flow& flow = flow_of(packet, from);
        if (is_copy(flow, flow.sides[from], packet)) {
            ++counts.copies;
            return;
        }
        // The ports are used again by a new connection.
        if (packet.has_flag(tcp_flag::syn) && !packet.has_flag(tcp_flag::ack) && flow.client == static_cast<std::int8_t>(from) &&
            (flow.syn_acks > 0 || flow.resets_seen > 0) && packet.sequence + 1 != flow.sides[from].next_sequence &&
            (flow.trigger_ns != 0 || flow.resets_seen > 0)) {
            FlowKey key = flow_key(packet, m_ignored);
            end(key, flow);
            flow = Flow{};
            begin(flow, packet);
        }
        if (packet.has_flag(tcp_flag::rst)) {
            take_reset(flow, packet, from);
            return;
        }
        Side& side = flow.sides[from];
        const bool is_server = flow.client >= 0 && static_cast<unsigned>(flow.client) != from;
        if (packet.has_flag(tcp_flag::syn)) {
            take_syn(flow, packet, from);
            return;
        }
        const std::uint32_t bytes = packet.payload_bytes_original;
        // The front of an answer that a box sends must not pass for the server's.
        const bool is_odd = is_server && flow.syn_acks > 0 && (packet.ttl + ttl_slack < flow.syn_ack_ttl || packet.ttl > flow.syn_ack_ttl + ttl_slack);
        if (flow.long_answer && !is_odd) time_round_trip(flow, packet, from);
        if (!is_odd) note_side(side, packet);
        if (packet.has_flag(tcp_flag::ack) && (!side.has_acknowledged || after(packet.acknowledgement, side.acknowledged) > 0) && !is_odd) {
            side.acknowledged = packet.acknowledgement;
            side.has_acknowledged = true;
        }
        if (flow.client < 0 && bytes > 0) flow.client = guess_client(packet, from);
        if (is_server && !is_odd && flow.trigger_ns != 0 && packet.has_flag(tcp_flag::ack) && !packet.has_flag(tcp_flag::fin) &&
            after(packet.acknowledgement, flow.trigger_sequence) > 0)
            flow.is_host_heard = true;
        if (is_server) {
            flow.client_packets_since = 0;
            if (!is_odd) flow.last_server_frame = packet.frame;
        } else if (flow.client_packets_since++ == 0) {
            flow.client_since_first_ns = packet.time_ns;
        }
        if (packet.has_flag(tcp_flag::fin)) {
            if (!is_odd) side.has_fin = true;
            else if (bytes == 0 && flow.trigger_ns != 0 && flow.first_data_ns == 0) keep_reset(flow, packet);
        }
        if (bytes == 0) return;
        if (static_cast<unsigned>(flow.client) == from) take_client_data(flow, packet, side);
        else take_server_data(flow, packet, from, is_odd);
    }

    /// Mirror ports and captures of several interfaces hold a packet twice, with one IP ID or within a moment; who sends again counts on, or waits.
    /// Boxes send resets several times over, so those are copies only where other packets are.
    static bool is_copy(Flow& flow, Side& side, const Packet& packet) {
        constexpr std::uint32_t copies_min = 2;
        constexpr std::int64_t moment_ns = 1'000'000;
        const bool is_reset = packet.has_flag(tcp_flag::rst);
        // Acknowledgements are said again at once when something is missing.
        const bool is_at_once = packet.time_ns - side.last_seen_ns < moment_ns && (packet.payload_bytes_original > 0 || packet.has_flag(tcp_flag::syn));
        side.last_seen_ns = packet.time_ns;
        const PacketMark before = std::exchange(side.last, {packet.sequence, packet.acknowledgement, packet.payload_bytes_original, packet.ip_id, packet.tcp_flags, packet.ttl});
        const bool is_same = (packet.ip_id != 0 || is_at_once) && side.last == before;
        if (!is_same) return false;
        if (is_reset) return flow.copies >= copies_min;
        ++flow.copies;
        return true;
    }

    static std::int8_t guess_client(const Packet& packet, unsigned from) {
        // A capture that began late: the lower port is the server's.
        return static_cast<std::int8_t>(packet.source_port >= packet.destination_port ? from : 1 - from);
    }

    void take_syn(Flow& flow, const Packet& packet, unsigned from) {
        Side& side = flow.sides[from];
        if (!packet.has_flag(tcp_flag::ack)) {
            if (flow.client < 0) flow.client = static_cast<std::int8_t>(from);
            if (static_cast<unsigned>(flow.client) != from) return;   // both ends open at once
            if (flow.syns < 255) ++flow.syns;
            note_side(side, packet);
            side.next_sequence = packet.sequence + 1;
            side.has_sequence = true;
            return;
        }
        if (flow.client < 0) flow.client = static_cast<std::int8_t>(1 - from);
        if (static_cast<unsigned>(flow.client) == from) return;
        bool is_known_payload = false;
        for (const auto& known : m_facts.syn_ack_payloads) is_known_payload = is_known_payload || (known.mark != FactMark::remembered && is_bytes(packet.payload, known.payload));
        if (is_known_payload) {
            if (!flow.is_syn_ack_forged) {
                flow.conflict_frame = packet.frame;
                flow.conflict_ttl = packet.ttl;
            }
            flow.is_syn_ack_forged = true;
            return;
        }
        if (flow.syn_acks < 255) ++flow.syn_acks;
        if (flow.syn_acks == 1) {
            flow.syn_ack_ttl = packet.ttl;
            flow.syn_ack_ns = packet.time_ns;
            flow.syn_ack_sequence = packet.sequence;
            flow.syn_ack_frame = packet.frame;
            side.next_sequence = packet.sequence + 1;
            side.has_sequence = true;
        } else if (packet.sequence != flow.syn_ack_sequence && flow.syn_acks > flow.syns && flow.syns > 0 &&
                   (packet.ttl + ttl_slack < flow.syn_ack_ttl || packet.ttl > flow.syn_ack_ttl + ttl_slack)) {
            flow.has_two_syn_acks = true;
            if (flow.conflict_frame == 0) flow.conflict_frame = packet.frame;
            return;
        }
        note_side(side, packet);
        flow.client_packets_since = 0;
    }

    void take_reset(Flow& flow, const Packet& packet, unsigned from) {
        ++counts.resets;
        const Side& side = flow.sides[from];
        if (side.packets > 0 && (packet.ttl + ttl_slack < side.ttl_low || packet.ttl > side.ttl_high + ttl_slack)) ++counts.resets_other_ttl;
        if (flow.client < 0) return;
        if (static_cast<unsigned>(flow.client) == from) {
            if (flow.aborted_ns == 0) flow.aborted_ns = packet.time_ns;
            // What the client sends to say that it wants no more is no sign; only one that is not its own is.
            const bool is_own = side.packets == 0 || (packet.ttl + ttl_slack >= side.ttl_low && packet.ttl <= side.ttl_high + ttl_slack);
            if (!is_own && flow.resets_to_server.size() < Flow::resets_max) flow.resets_to_server.push_back(reset_of(packet));
            return;
        }
        keep_reset(flow, packet);
    }

    /// Of the server's side; also an end without a word, which some boxes send in place of a reset.
    void keep_reset(Flow& flow, const Packet& packet) {
        if (flow.resets_seen < 255) ++flow.resets_seen;
        flow.client_packets_since = 0;
        if (flow.resets.size() >= Flow::resets_max) return;
        if (flow.resets.empty()) flow.is_reset_amid = flow.first_data_ns != 0;
        flow.resets.push_back(reset_of(packet));
    }

    ResetPacket reset_of(const Packet& packet) const {
        ResetPacket reset;
        reset.time_ns = packet.time_ns;
        reset.frame = packet.frame;
        reset.sequence = packet.sequence;
        reset.ip_id = packet.ip_id;
        reset.window = packet.window;
        reset.ttl = packet.ttl;
        reset.payload_bytes = static_cast<std::uint8_t>(std::min<std::uint32_t>(255, packet.payload_bytes_original));
        for (std::size_t i = 0; i < m_facts.reset_classes.size(); ++i)
            if (is_bytes(packet.payload, m_facts.reset_classes[i].payload)) reset.payload_fact = static_cast<std::uint8_t>(i + 1);
        reset.has_ack = packet.has_flag(tcp_flag::ack);
        reset.has_df = packet.has_df;
        return reset;
    }

    void take_client_data(Flow& flow, const Packet& packet, Side& side) {
        const std::uint32_t bytes = packet.payload_bytes_original;
        const std::uint32_t end = packet.sequence + bytes;
        const bool is_new = !side.has_sequence || after(end, side.next_sequence) > 0;
        ++side.data_packets;
        side.bytes += bytes;
        // A client of HTTP/2 says now and then that it takes more (RFC 9113, 6.9), which is too short to ask for anything.
        constexpr std::uint32_t update_bytes_max = 48;
        flow.has_asked_since = flow.has_asked_since || bytes > update_bytes_max;
        if (is_new) {
            side.next_sequence = end;
            side.has_sequence = true;
        }
        if (flow.trigger_ns == 0) {
            flow.trigger_ns = packet.time_ns;
            flow.trigger_frame = packet.frame;
            flow.trigger_sequence = packet.sequence;
            flow.trigger_end = end;
            flow.trigger_sends = 1;
            begin_client(flow, packet);
            return;
        }
        if (after(packet.sequence, flow.trigger_sequence) <= 0 && after(end, flow.trigger_sequence) > 0 && flow.trigger_sends < 255) ++flow.trigger_sends;
        if (flow.is_looking_for_name && flow.unfinished) {
            if (flow.unfinished->stream.add(packet.sequence, packet.payload).has_new) look_for_name(flow, flow.unfinished->stream.front());
            flow.trigger_end = flow.unfinished ? flow.unfinished->stream.next_sequence() : flow.trigger_end;
        }
    }

    void begin_client(Flow& flow, const Packet& packet) {
        flow.kind = payload_kind(packet.payload);
        ++counts.first_payloads;
        if (packet.payload.size() == packet.payload_bytes_original) {
            flow.is_eligible = fully_encrypted_exemption(packet.payload) == Exemption::none;
            counts.first_payloads_eligible += flow.is_eligible;
        } else {
            ++counts.first_payloads_cut;
        }
        if (is_dns_query(packet)) {
            flow.kind = PayloadKind::dns_tcp;
            flow.name = m_names.number(m_dns_message.name);
            return;
        }
        if (flow.kind != PayloadKind::tls && flow.kind != PayloadKind::http) return;
        flow.is_looking_for_name = true;
        look_for_name(flow, packet.payload);
        if (!flow.is_looking_for_name) return;
        flow.unfinished = std::make_unique<Unfinished>();
        flow.unfinished->stream.start(packet.sequence);
        flow.unfinished->stream.add(packet.sequence, packet.payload);
    }

    /// One whole question over TCP, behind its length (RFC 1035, section 4.2.2).
    bool is_dns_query(const Packet& packet) {
        constexpr std::size_t length_bytes = 2;
        if (packet.destination_port != 53 || packet.payload.size() <= length_bytes) return false;
        const std::size_t length = std::size_t{packet.payload[0]} << 8 | packet.payload[1];
        return length == packet.payload.size() - length_bytes && parse_dns(packet.payload.subspan(length_bytes), m_dns_message) == DnsError::none && !m_dns_message.is_response() &&
               m_dns_message.questions == 1;
    }

    void look_for_name(Flow& flow, std::span<const std::uint8_t> front) {
        bool is_open = false;
        if (flow.kind == PayloadKind::tls) {
            const TlsParse parse = parse_client_hello(front, m_hello);
            is_open = parse == TlsParse::need_more;
            if (parse == TlsParse::done) {
                flow.has_ech = m_hello.has_ech;
                if (m_hello.has_server_name) flow.name = m_names.number(m_hello.server_name);
                else if (m_hello.has_esni) flow.name = m_names.number("(esni)");
            }
        } else {
            const HttpParse parse = parse_http_request(front, m_head);
            is_open = parse == HttpParse::need_more;
            std::string_view host = parse == HttpParse::not_http ? std::string_view() : m_head.header("Host");
            if (const auto colon = host.rfind(':'); colon != std::string_view::npos && host.find(']') == std::string_view::npos) host = host.substr(0, colon);
            // A host whose line is whole counts already, since boxes do not wait either.
            if (!host.empty()) {
                flow.name = m_names.number(host);
                flow.request = m_names.request_number(m_head.target);
            }
        }
        constexpr std::size_t hello_bytes_max = 32u << 10;
        if (is_open && front.size() < hello_bytes_max) return;
        flow.is_looking_for_name = false;
        flow.unfinished.reset();
    }

    /// Each packet comes back from its own side and goes to the other. What it shows of the way is taken before it counts.
    static void time_round_trip(Flow& flow, const Packet& packet, unsigned from) {
        LongAnswer& long_answer = *flow.long_answer;
        const Side& side = flow.sides[from];
        RoundTrip& back = long_answer.legs[from];
        RoundTrip& there = long_answer.legs[1 - from];
        const std::uint32_t bytes = packet.payload_bytes_original;
        const std::uint32_t end = packet.sequence + bytes;
        const bool is_repeated = bytes > 0 && side.has_sequence && after(end, side.next_sequence) <= 0;
        const bool is_server = static_cast<unsigned>(flow.client) != from;
        RoundTrip::Return returned;
        returned.now_ns = packet.time_ns;
        returned.before_ns = side.last_ns;
        if (long_answer.has_timestamps) {
            if (!packet.has_timestamps) return;
            returned.is_counted = !is_repeated;
            // A server that has just been asked may think first.
            returned.is_late = !is_server || (bytes > 0 && !flow.has_asked_since);
            back.echo(packet.timestamp_echo, returned);
            there.send(packet.timestamp_value, packet.time_ns, !is_repeated && (!is_server || bytes > 0));
            return;
        }
        returned.is_late = !is_server;
        if (packet.has_flag(tcp_flag::ack)) back.acknowledge(packet.acknowledgement, returned);
        if (bytes == 0) return;
        const bool is_in_order = !side.has_sequence || packet.sequence == side.next_sequence;
        if (is_in_order) there.send(end, packet.time_ns, is_in_order);
        else there.send_again(is_repeated ? side.next_sequence : end);
    }

    /// Small answers need none of it.
    void begin_long_answer(Flow& flow, const Packet& packet, unsigned from) {
        flow.long_answer = std::make_unique<LongAnswer>();
        flow.long_answer->has_timestamps = packet.has_timestamps;
        // The handshake has shown the way while nothing was on it.
        if (flow.syns != 1 || flow.syn_acks != 1) return;
        flow.long_answer->legs[from].note(flow.syn_ack_ns - flow.first_ns);
        flow.long_answer->legs[1 - from].note(flow.trigger_ns - flow.syn_ack_ns);
    }

    /// `bytes`: that have come of the server, as a box on the way counts them.
    static void follow_rate(const Flow& flow, std::uint64_t bytes, RateCurve& curve) {
        if (flow.syn_acks == 0) return;
        const auto position = static_cast<double>(bytes);
        const auto now_us = static_cast<std::uint32_t>(std::min<std::int64_t>(UINT32_MAX, flow.sending_ns / 1000));
        while (curve.points < RateCurve::points_max && position >= RateCurve::position_bytes(curve.points)) curve.microseconds[curve.points++] = now_us;
    }

    void take_server_data(Flow& flow, const Packet& packet, unsigned from, bool is_odd) {
        Side& side = flow.sides[from];
        const Side& client = flow.sides[1 - from];
        const std::uint32_t bytes = packet.payload_bytes_original;
        const std::uint32_t end = packet.sequence + bytes;
        if (!flow.resets.empty() && after(end, flow.resets.front().sequence) > 0 && !is_odd && packet.time_ns >= flow.resets.front().time_ns)
            flow.is_data_behind_reset = true;
        if (flow.first_data_ns == 0 && flow.trigger_ns != 0) {
            flow.first_data_ns = packet.time_ns;
            flow.answer_frame = packet.frame;
            flow.answer_sequence = packet.sequence;
            flow.answer_ttl = packet.ttl;
            const auto head = packet.payload.first(std::min(head_bytes, packet.payload.size()));
            flow.answer_bytes = static_cast<std::uint16_t>(head.size());
            flow.answer_hash = hash_bytes(head);
            flow.is_answer_odd = is_odd && after(packet.sequence, flow.syn_ack_sequence + 1) >= 0;
            if (flow.kind == PayloadKind::http) {
                flow.page = m_pages.begin(packet);
                flow.look = answer_look(packet.payload, m_head);
            }
            if (flow.kind == PayloadKind::tls && is_host_name(m_names.name(flow.name)))
                flow.flight = m_flights.begin(packet, flow.syn_acks > 0 ? flow.syn_ack_sequence + 1 : packet.sequence, flow.name, flow.certificate);
        } else if (flow.first_data_ns != 0 && packet.sequence == flow.answer_sequence && packet.payload.size() >= flow.answer_bytes &&
                   hash_bytes(packet.payload.first(flow.answer_bytes)) != flow.answer_hash) {
            if (!flow.is_answer_doubled && flow.conflict_frame == 0) flow.conflict_frame = packet.frame;
            flow.is_answer_doubled = true;
        }
        if (flow.page) {
            if (PageWatch::add(*flow.page, packet)) end_page(flow);
        }
        // Whoever began the answer is whose certificate it is.
        if (flow.flight && packet.frame != flow.answer_frame && is_odd == flow.is_answer_odd && m_flights.add(*flow.flight, packet)) end_flight(flow);
        if (is_odd) return;
        follow_answer(flow, packet);
        if (flow.last_data_ns != 0 && !flow.has_asked_since) {
            const double gap = static_cast<double>(packet.time_ns - flow.last_data_ns) / 1e9;
            flow.gaps_s += gap;
            flow.gaps_s2 += gap * gap;
            ++flow.gap_count;
        }
        flow.last_data_ns = packet.time_ns;
        side.bytes += bytes;
        ++side.data_packets;
        if (side.has_sequence && after(end, side.next_sequence) <= 0) {
            if (client.has_acknowledged && after(client.acknowledged, end) >= 0 && flow.server_repeats < UINT16_MAX) ++flow.server_repeats;
        } else {
            if (flow.last_new_data_ns != 0 && !flow.has_asked_since) {
                flow.sending_ns += packet.time_ns - flow.last_new_data_ns;
                flow.sent_bytes += bytes;
            }
            flow.has_asked_since = false;
            flow.last_new_data_ns = packet.time_ns;
            flow.holes += side.has_sequence && after(packet.sequence, side.next_sequence) > 0;
            side.next_sequence = end;
            side.has_sequence = true;
            if (!flow.long_answer && side.bytes >= RateCurve::first_bytes && flow.trigger_ns != 0) begin_long_answer(flow, packet, from);
        }
        if (flow.long_answer) follow_rate(flow, side.bytes, flow.long_answer->curve);
    }

    /// Where the answer must not stop: within a TLS record, or before a body of known length is whole. What cannot be told, since a header was lost or
    /// lies across segments, stays unknown.
    void follow_answer(Flow& flow, const Packet& packet) {
        const auto size = static_cast<std::uint32_t>(packet.payload.size());
        if (flow.kind == PayloadKind::tls) {
            constexpr std::uint32_t header_bytes = 5;
            if (!flow.knows_answer_end) {
                if (packet.sequence != flow.answer_sequence) return;
                flow.knows_answer_end = true;
                flow.answer_end = packet.sequence;
            }
            while (after(flow.answer_end, packet.sequence) >= 0 && after(packet.sequence + size, flow.answer_end) >= static_cast<std::int32_t>(header_bytes)) {
                const std::uint8_t* const header = packet.payload.data() + (flow.answer_end - packet.sequence);
                flow.answer_end += header_bytes + (std::uint32_t{header[3]} << 8 | header[4]);
            }
        } else if (flow.kind == PayloadKind::http && packet.sequence == flow.answer_sequence && !flow.knows_answer_end) {
            std::uint64_t body_bytes = 0;
            if (parse_http_response(packet.payload, m_head) != HttpParse::done) return;
            const std::string_view length = m_head.header("Content-Length");
            const auto [rest, error] = std::from_chars(length.data(), length.data() + length.size(), body_bytes);
            constexpr std::uint64_t body_bytes_max = 1u << 30;   // sequence numbers wrap
            if (error != std::errc() || rest != length.data() + length.size() || body_bytes > body_bytes_max) return;
            flow.knows_answer_end = true;
            flow.answer_end = packet.sequence + static_cast<std::uint32_t>(m_head.head_bytes + body_bytes);
        }
    }

    void end_page(Flow& flow) {
        if (flow.page) flow.known_page = m_pages.end(std::move(flow.page));
    }

    /// Whose certificate can be looked for. Of addresses it is not known which are of one owner.
    static bool is_host_name(std::string_view name) {
        IpAddress address;
        return !name.empty() && name.front() != '(' && !parse_address(name, address);
    }

    void end_flight(Flow& flow) {
        if (flow.flight) flow.certificate = m_flights.end(std::move(flow.flight), flow.name);
    }

    // UDP

    void take_udp(const Packet& packet) {
        const bool is_dns = packet.source_port == 53 || packet.destination_port == 53;
        if (packet.payload.empty()) return;
        unsigned from = 0;
        Flow& flow = flow_of(packet, from);
        if (is_dns) {
            if (!flow.dns) flow.dns = std::make_unique<DnsTalk>();
            m_dns.take(*flow.dns, packet);
            return;
        }
        Side& side = flow.sides[from];
        if (flow.kind == PayloadKind::none && flow.client < 0) {
            flow.client = static_cast<std::int8_t>(from);
            const QuicHeader header = parse_quic_header(packet.payload);
            flow.kind = header.kind == QuicKind::initial ? PayloadKind::quic : PayloadKind::other;
            if (flow.kind == PayloadKind::quic) {
                flow.trigger_ns = packet.time_ns;
                flow.trigger_frame = packet.frame;
                flow.quic = std::make_unique<QuicClient>();
                flow.is_looking_for_name = true;
            }
        }
        note_side(side, packet);
        if (flow.kind != PayloadKind::quic) return;
        if (static_cast<unsigned>(flow.client) != from) {
            flow.client_packets_since = 0;
            flow.last_server_frame = packet.frame;
            side.bytes += packet.payload_bytes_original;
            if (flow.first_data_ns == 0) flow.first_data_ns = packet.time_ns;
            constexpr std::int64_t pause_ns = 150'000'000;   // more than a flight of handshake datagrams takes
            if ((packet.payload[0] & 0x80) == 0) flow.has_quic_short = true;
            else if (flow.quic_long_ns != 0 && packet.time_ns - flow.quic_long_ns > pause_ns && flow.quic_repeats < 255) ++flow.quic_repeats;
            flow.quic_long_ns = packet.time_ns;
            return;
        }
        if (flow.client_packets_since++ == 0) flow.client_since_first_ns = packet.time_ns;
        if (!flow.is_looking_for_name) return;
        const QuicResult result = flow.quic->add_datagram(packet.payload);
        if (result == QuicResult::hello) {
            ++counts.quic_hellos;
            flow.name = m_names.number(flow.quic->hello().server_name);
        }
        constexpr std::uint32_t datagrams_max = 8;
        if (result == QuicResult::need_more && side.packets < datagrams_max) return;
        flow.is_looking_for_name = false;
        flow.quic.reset();
    }

    // Ends of flows

    static void set_ends(FlowRecord& record, const FlowKey& key, const Flow& flow) {
        const bool is_low = flow.client <= 0;
        record.client = is_low ? key.low : key.high;
        record.server = is_low ? key.high : key.low;
        record.client_port = is_low ? key.low_port : key.high_port;
        record.server_port = is_low ? key.high_port : key.low_port;
        record.protocol = key.protocol;
        record.evidence = flow.evidence;
        record.first_ns = flow.first_ns;
    }

    void end(const FlowKey& key, Flow& flow) {
        if (flow.dns) {
            m_dns.end(*flow.dns);
            flow.dns.reset();
            return;
        }
        if (flow.client < 0) return;
        if (key.protocol == static_cast<std::uint8_t>(Protocol::tcp)) end_tcp(key, flow);
        else if (flow.kind == PayloadKind::quic) end_quic(key, flow);
    }

    void end_tcp(const FlowKey& key, Flow& flow) {
        const auto c = static_cast<unsigned>(flow.client);
        const Side& client = flow.sides[c];
        const Side& server = flow.sides[1 - c];
        FlowRecord record;
        set_ends(record, key, flow);
        record.kind = flow.kind;
        record.name = flow.name;
        record.request = flow.request;
        record.is_eligible = flow.is_eligible;
        record.has_ech = flow.has_ech;
        record.has_handshake = flow.syn_acks > 0;
        record.is_answered = server.bytes > 0;
        record.server_bytes = static_cast<std::uint32_t>(std::min<std::uint64_t>(server.bytes, UINT32_MAX));
        record.trigger_ns = flow.trigger_ns;
        record.frames[0] = flow.trigger_frame != 0 ? flow.trigger_frame : flow.first_frame;
        record.sign_ns = server.last_ns;

        if (flow.is_syn_ack_forged || flow.has_two_syn_acks) {
            record.signs |= sign::syn_ack_forged;
            record.log_likelihood_ratio = flow.is_syn_ack_forged ? 14 : 8;
            record.answer_ttl = flow.conflict_ttl;
            record.frames[1] = flow.conflict_frame;
            record.frames[2] = flow.syn_ack_frame;
            record.sign_ns = flow.first_ns;
        }
        if (!flow.resets.empty()) judge_resets_of(flow, server, record);
        else if (!flow.resets_to_server.empty()) judge_resets_to_server(flow, client, record);
        if (flow.syns >= 2 && flow.syn_acks == 0 && flow.resets_seen == 0 && !flow.is_syn_ack_forged && client.data_packets == 0) record.signs |= sign::no_syn_ack;
        if (flow.syns >= 3 && flow.syn_ack_ns - flow.first_ns > second_ns) {
            record.signs |= sign::no_syn_ack;
            record.sign_ns = flow.syn_ack_ns;
        }
        // A host's own reset at the end of a connection that had gone nowhere is no other sign.
        const bool is_reset_own = flow.resets_seen == 0 || record.log_likelihood_ratio < 0;
        if (flow.trigger_ns != 0 && flow.syn_acks > 0 && is_reset_own) {
            const bool is_acknowledged = server.has_acknowledged && after(server.acknowledged, flow.trigger_sequence) > 0;
            if (!is_acknowledged && server.bytes == 0 && flow.trigger_sends >= 3) {
                record.signs |= sign::dropped;
                // It goes on without having heard the first words.
                record.is_to_server = server.last_ns - flow.trigger_ns > second_ns;
            }
            // Its own acknowledgements do not reach the server, which says the same again and again.
            const bool is_uplink_stuck = client.has_acknowledged && flow.server_repeats >= 3;
            const bool is_later_lost = is_acknowledged && after(client.next_sequence, server.acknowledged) > 0 && flow.client_packets_since >= 4 &&
                                       client.last_ns - flow.client_since_first_ns > second_ns && client.data_packets >= 4;
            if (is_acknowledged && (is_uplink_stuck || (is_later_lost && !server.has_fin))) {
                record.signs |= sign::uplink_lost;
                record.is_to_server = is_uplink_stuck;
            }
            // Who is done with a connection may leave it open for a while and then reset it.
            const bool is_amid_answer = flow.knows_answer_end && after(flow.answer_end, server.next_sequence) > 0;
            const bool is_given_up = flow.aborted_ns - server.last_ns > 5 * second_ns && is_amid_answer;
            if (server.bytes > 0 && !server.has_fin && flow.resets_seen == 0 && ((flow.client_packets_since >= 3 && client.last_ns - server.last_ns > second_ns) || is_given_up))
                record.signs |= sign::frozen;
        }
        // Nobody can write a readable page into TLS.
        if ((flow.is_answer_odd && flow.kind == PayloadKind::http) || flow.is_answer_doubled) {
            record.signs |= sign::page_injected;
            // Load balancers answer the SYN from another distance than they serve from, always; only a host that speaks as well tells of another.
            float ratio = 1;
            if (flow.is_answer_odd && (server.data_packets > 0 || flow.is_host_heard)) ratio = 6;
            if (flow.is_answer_doubled) ratio += 6;
            record.log_likelihood_ratio = std::max(record.log_likelihood_ratio, ratio);
            record.answer_ttl = flow.answer_ttl;
            record.frames[1] = flow.answer_frame;
            if (flow.conflict_frame != 0) record.frames[2] = flow.conflict_frame;
            record.sign_ns = flow.first_data_ns;
        }
        end_flight(flow);
        record.certificate = flow.certificate;
        record.look = flow.look;
        record.is_answer_elsewhere = flow.is_answer_odd && flow.kind == PayloadKind::tls;
        end_page(flow);
        if (flow.known_page.fingerprint != 0) {
            record.log_likelihood_ratio = page_ratio(flow.known_page.is_wide) + ((record.signs & sign::page_injected) != 0 ? record.log_likelihood_ratio : 0);
            record.signs |= sign::page_known;
            record.fingerprint = flow.known_page.fingerprint;
            record.answer_ttl = flow.answer_ttl;
            record.frames[1] = flow.answer_frame;
            record.sign_ns = flow.first_data_ns;
        }
        if ((record.signs & ~sign::no_syn_ack) == 0 && record.certificate.leaf != 0) {
            record.answer_ttl = flow.answer_ttl;
            record.frames[1] = flow.answer_frame;
            if (record.signs == 0) record.sign_ns = flow.first_data_ns;
        }
        if ((record.signs & (sign::dropped | sign::uplink_lost | sign::frozen)) != 0 && record.frames[1] == 0) record.frames[1] = flow.last_server_frame;
        m_sink.flow(record);

        if (server.bytes >= rate_bytes_min && 2 * flow.sent_bytes >= rate_bytes_min && flow.sending_ns > 0 && flow.name != 0) {
            RateRecord rate;
            rate.client = record.client;
            rate.name = flow.name;
            rate.kind = flow.kind;
            rate.bytes_per_second = static_cast<float>(static_cast<double>(flow.sent_bytes) / (static_cast<double>(flow.sending_ns) / 1e9));
            const double mean = flow.gaps_s / std::max(1u, flow.gap_count);
            const double variance = flow.gaps_s2 / std::max(1u, flow.gap_count) - mean * mean;
            rate.gap_variation = mean > 0 ? static_cast<float>(std::sqrt(std::max(0.0, variance)) / mean) : 0;
            rate.holes_share = static_cast<float>(flow.holes) / static_cast<float>(std::max(1u, server.data_packets));
            rate.server = record.server;
            rate.frame = flow.trigger_frame;
            rate.evidence = flow.evidence;
            rate.client_port = record.client_port;
            rate.server_port = record.server_port;
            rate.first_ns = flow.first_data_ns;
            rate.last_ns = flow.last_data_ns;
            if (flow.long_answer) describe_long_answer(*flow.long_answer, rate);
            m_sink.rate(rate);
        }
    }

    static void describe_long_answer(const LongAnswer& long_answer, RateRecord& rate) {
        rate.curve = long_answer.curve;
        rate.has_both_legs = true;
        double growth_low = 0;
        double growth_high = 0;
        for (const RoundTrip& leg : long_answer.legs) {
            if (leg.has_minimum()) rate.round_trip += static_cast<float>(leg.minimum_seconds());
            rate.has_round_trip = rate.has_round_trip || leg.has_late();
            rate.has_both_legs = rate.has_both_legs && leg.has_late();
            if (!leg.has_late()) continue;
            growth_low += std::max(0.0, leg.late_low_seconds() - leg.minimum_seconds());
            growth_high += std::max(0.0, leg.late_high_seconds() - leg.minimum_seconds());
        }
        rate.growth_low = static_cast<float>(growth_low);
        rate.growth_high = static_cast<float>(growth_high);
    }

    void judge_resets_of(const Flow& flow, const Side& server, FlowRecord& record) const {
        const ResetPacket& first = flow.resets.front();
        ResetContext context;
        context.is_after_trigger = !flow.is_reset_amid && is_soon_after_trigger(flow, first);
        context.is_data_behind = flow.is_data_behind_reset;
        const ResetVerdict verdict = judge_resets(flow.resets, traits_of(server), context, m_facts);
        if (flow.trigger_ns == 0 && flow.syn_acks == 0) record.signs |= sign::reset_at_syn;
        else record.signs |= sign::reset;
        double ratio = verdict.log_likelihood_ratio;
        record.is_to_server = !flow.resets_to_server.empty();
        if (record.is_to_server) ratio += 4;
        if (static_cast<float>(ratio) >= record.log_likelihood_ratio || (record.signs & sign::syn_ack_forged) == 0) {
            record.log_likelihood_ratio = static_cast<float>(ratio);
            record.answer_ttl = first.ttl;
            record.window = first.window;
            record.frames[1] = first.frame;
            if (flow.resets.size() > 1) record.frames[2] = flow.resets[1].frame;
            record.sign_ns = first.time_ns;
        }
        record.box_class = class_number(verdict.box_class);
    }

    /// A capture at the server, or on the way, holds what a box sends to the server, who may have answered already.
    void judge_resets_to_server(const Flow& flow, const Side& client, FlowRecord& record) const {
        const ResetPacket& first = flow.resets_to_server.front();
        if (!is_soon_after_trigger(flow, first)) return;
        ResetContext context;
        context.is_after_trigger = true;
        const ResetVerdict verdict = judge_resets(flow.resets_to_server, traits_of(client), context, m_facts);
        record.signs |= sign::reset_to_server;
        record.is_to_server = true;
        record.box_class = class_number(verdict.box_class);
        if (static_cast<float>(verdict.log_likelihood_ratio) < record.log_likelihood_ratio) return;
        record.log_likelihood_ratio = static_cast<float>(verdict.log_likelihood_ratio);
        record.frames[1] = first.frame;
        if (flow.resets_to_server.size() > 1) record.frames[2] = flow.resets_to_server[1].frame;
        record.sign_ns = first.time_ns;
    }

    static HostTraits traits_of(const Side& side) {
        HostTraits host;
        host.is_known = side.packets > 0;
        host.ttl = side.ttl_first;
        host.ttl_low = side.ttl_low;
        host.ttl_high = side.ttl_high;
        host.has_df = side.has_df;
        host.has_ip_id = side.has_ip_id;
        return host;
    }

    static bool is_soon_after_trigger(const Flow& flow, const ResetPacket& reset) {
        constexpr std::int64_t soon_ns = 5 * second_ns;
        return flow.trigger_ns != 0 && reset.time_ns >= flow.trigger_ns && reset.time_ns - flow.trigger_ns < soon_ns;
    }

    std::uint8_t class_number(std::string_view name) const {
        for (std::size_t i = 0; i < m_facts.reset_classes.size(); ++i)
            if (m_facts.reset_classes[i].name == name) return static_cast<std::uint8_t>(i + 1);
        return 0;
    }

    void end_quic(const FlowKey& key, const Flow& flow) {
        const auto c = static_cast<unsigned>(flow.client);
        const Side& client = flow.sides[c];
        const Side& server = flow.sides[1 - c];
        FlowRecord record;
        set_ends(record, key, flow);
        record.kind = PayloadKind::quic;
        record.name = flow.name;
        record.is_answered = server.packets > 0;
        record.trigger_ns = flow.trigger_ns;
        record.sign_ns = server.packets > 0 ? server.last_ns : flow.trigger_ns;
        record.server_bytes = static_cast<std::uint32_t>(std::min<std::uint64_t>(server.bytes, UINT32_MAX));
        record.frames[0] = flow.trigger_frame;
        record.frames[1] = flow.last_server_frame;
        constexpr std::uint32_t silent_min = 3;
        // The server says its first words again and again: what the client answers does not arrive.
        record.is_to_server = flow.quic_repeats >= 2 && !flow.has_quic_short && client.packets >= 2;
        if (record.is_to_server) record.signs |= sign::quic_silent;
        if (flow.client_packets_since >= silent_min && client.last_ns - flow.client_since_first_ns > second_ns / 2) record.signs |= sign::quic_silent;
        m_sink.flow(record);
    }

    const InterferenceFacts& m_facts;
    NameBook& m_names;
    Sink m_sink;
    DnsWatch m_dns;
    PageWatch m_pages;
    FlightWatch m_flights;
    FlowTable<Flow> m_flows;
    FragmentTable m_fragments;
    ClientHello m_hello;
    HttpHead m_head;
    DnsMessage m_dns_message;
    bool m_ignored = false;
};

CaptureWatch::CaptureWatch(const InterferenceFacts& facts, NameBook& names, Sink sink, const interference::FingerprintSet* fingerprints)
    : m_state(std::make_unique<State>(facts, names, std::move(sink), fingerprints)) {}
CaptureWatch::~CaptureWatch() = default;
void CaptureWatch::add(std::span<const Frame> frames) { m_state->add(frames); }
void CaptureWatch::finish() { m_state->finish(); }
const CaptureCounts& CaptureWatch::counts() const { return m_state->counts; }

}  // namespace unveil
