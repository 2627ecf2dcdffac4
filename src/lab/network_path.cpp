#include "lab/network_path.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <queue>

namespace unveil::lab {
namespace {

constexpr std::int64_t segment_bytes = 1440;
constexpr std::int64_t initial_window_segments = 10;
constexpr std::int64_t first_timeout_ns = second_ns;
constexpr std::int64_t timeout_floor_ns = 200 * ms_ns;
constexpr int syn_tries = 5;
constexpr int data_tries = 7;
constexpr std::int64_t update_message_bytes = 39;   // a TLS record around a WINDOW_UPDATE of HTTP/2 (RFC 9113, 6.9)

enum class State : std::uint8_t { closed, syn_sent, syn_received, open, dead };

/// Positions count from the initial sequence number: the SYN is 0, data begin at 1, the FIN follows the last byte.
struct End {
    State state = State::closed;
    std::uint32_t initial_seq = 0;
    std::uint32_t peer_seq = 0;      // the initial one of the peer, as this end believes
    std::int64_t acknowledged = 0;
    std::int64_t next = 0;           // to send
    std::int64_t highest = 0;        // ever sent
    std::int64_t queued = 1;         // end of what the application wrote
    bool wants_fin = false;
    std::int64_t received = 0;       // position in the peer's numbering
    std::map<std::int64_t, std::int64_t> early;  // out of order: begin to end
    std::optional<std::int64_t> peer_fin;
    int unacknowledged_segments = 0;
    double window = static_cast<double>(initial_window_segments * segment_bytes);
    double threshold = 1e9;
    int duplicates = 0;
    std::int64_t recovery = 0;       // until this is acknowledged
    std::int64_t round_trip_ns = 0;
    std::int64_t measured_position = 0;
    std::int64_t measured_at_ns = 0;
    int tries = 0;
    std::uint64_t timer = 0;         // number of the one that counts
    bool is_timer_set = false;
    std::size_t step = 0;            // the first that is not done with
    bool is_step_due = false;
    std::int64_t last_heard_ns = 0;
    std::uint32_t heard_timestamp = 0;
    std::uint32_t timestamp_base = 0;
    bool is_fin_acknowledged = false;
};

struct Segment {
    bool is_from_client = false;
    std::uint8_t flags = 0;
    std::uint32_t seq = 0;
    std::uint32_t ack = 0;
    std::int64_t stream_begin = 0;
    std::uint16_t bytes = 0;
    std::size_t sighting = 0;
    std::uint32_t timestamp = 0;
    bool is_injected = false;
};

struct Event {
    enum Kind : std::uint8_t { at_box, arrives, timeout, step_due, end_due, patience } kind = at_box;
    std::int64_t at_ns = 0;
    std::uint64_t number = 0;
    Segment segment;
    bool is_client = false;
    bool is_lost_later = false;
    std::uint64_t timer = 0;

    bool operator>(const Event& other) const { return at_ns != other.at_ns ? at_ns > other.at_ns : number > other.number; }
};

class Connection {
  public:
    Connection(const TcpRequest& request, std::vector<Stream>& streams, Random& random, std::vector<Sighting>& sightings)
        : m_request(request), m_flow(*request.flow), m_dialogue(*request.dialogue), m_streams(streams), m_random(random), m_sightings(sightings) {
        m_has_timestamps = request.client->has_timestamps && request.server->has_timestamps;
        for (End* end : {&m_client, &m_server}) {
            end->initial_seq = static_cast<std::uint32_t>(random.next());
            end->timestamp_base = static_cast<std::uint32_t>(random.next());
        }
        m_last_arrival.fill(0);
        for (const Step& step : m_dialogue.steps)
            if (step.is_from_client) m_client_steps_end = step.end;
    }

    TcpOutcome run() {
        m_now_ns = m_flow.start_ns;
        m_client.state = State::syn_sent;
        m_client.last_heard_ns = m_now_ns;
        send_syn(m_client);
        while (!m_events.empty()) {
            const Event event = m_events.top();
            m_events.pop();
            m_now_ns = event.at_ns;
            handle(event);
        }
        m_outcome.client_received = std::max<std::int64_t>(0, m_client.received - 1);
        m_outcome.end_ns = m_last_packet_ns;
        return m_outcome;
    }

  private:
    bool is_client(const End& end) const { return &end == &m_client; }

    void push(Event event) {
        event.number = m_number++;
        m_events.push(std::move(event));
    }

    // Sending

    std::size_t note(const Segment& segment, std::uint16_t window) {
        Sighting seen;
        seen.sent_ns = m_now_ns;
        seen.flow = m_flow.index;
        seen.seq = segment.seq;
        seen.ack = segment.ack;
        seen.flags = segment.flags;
        seen.window = window;
        seen.is_from_client = segment.is_from_client;
        seen.stream = segment.is_from_client ? m_request.client_stream : m_request.server_stream;
        seen.offset = static_cast<std::uint32_t>(segment.stream_begin);
        seen.bytes = segment.bytes;
        const Machine& machine = segment.is_from_client ? *m_request.client : *m_request.server;
        const End& end = segment.is_from_client ? m_client : m_server;
        const auto far_ttl = static_cast<std::uint8_t>(machine.ttl - m_flow.path.hops);
        seen.client_ttl = segment.is_from_client ? machine.ttl : far_ttl;
        seen.server_ttl = segment.is_from_client ? far_ttl : machine.ttl;
        (segment.is_from_client ? seen.client_ns : seen.server_ns) = m_now_ns;
        seen.has_options_of_syn = (segment.flags & tcp_bit::syn) != 0;
        seen.has_timestamps = m_has_timestamps && (segment.flags & tcp_bit::rst) == 0;
        if (segment.is_from_client && seen.has_options_of_syn) seen.has_timestamps = machine.has_timestamps;
        seen.timestamp_value = end.timestamp_base + static_cast<std::uint32_t>(m_now_ns / ms_ns);
        seen.timestamp_echo = end.heard_timestamp;
        m_sightings.push_back(seen);
        m_last_packet_ns = std::max(m_last_packet_ns, m_now_ns);
        return m_sightings.size() - 1;
    }

    void send(const End& from, std::uint8_t flags, std::uint32_t seq, std::uint32_t ack, std::int64_t stream_begin, std::int64_t bytes,
              std::uint16_t window) {
        Segment segment;
        segment.is_from_client = is_client(from);
        segment.flags = flags;
        segment.seq = seq;
        segment.ack = (flags & tcp_bit::ack) != 0 ? ack : 0;
        segment.stream_begin = stream_begin;
        segment.bytes = static_cast<std::uint16_t>(bytes);
        segment.sighting = note(segment, window);
        segment.timestamp = m_sightings[segment.sighting].timestamp_value;
        const Path& path = m_flow.path;
        // Half of what is lost is lost before the box.
        const bool is_lost = m_random.chance(path.loss);
        const bool is_lost_behind_box = is_lost && m_random.chance(0.5);
        if (is_lost && !is_lost_behind_box) return;
        Event event;
        event.kind = Event::at_box;
        event.is_lost_later = is_lost_behind_box;
        event.segment = segment;
        const std::int64_t leg_ns = segment.is_from_client ? path.to_box_ns : path.from_box_ns;
        event.at_ns = in_order(segment.is_from_client ? 0 : 1, m_now_ns + jittered(leg_ns));
        push(event);
    }

    std::int64_t jittered(std::int64_t leg_ns) { return leg_ns + static_cast<std::int64_t>(m_random.exponential(0.01 * static_cast<double>(leg_ns) + 20'000)); }

    std::int64_t in_order(std::size_t leg, std::int64_t at_ns) {
        m_last_arrival[leg] = std::max(m_last_arrival[leg] + 1000, at_ns);
        return m_last_arrival[leg];
    }

    std::uint16_t window_of(const End& end) const { return is_client(end) ? m_request.client->window : m_request.server->window; }
    std::uint32_t wire(const End& end, std::int64_t position) const { return end.initial_seq + static_cast<std::uint32_t>(position); }
    std::uint32_t wire_ack(const End& end) const { return end.peer_seq + static_cast<std::uint32_t>(end.received); }

    void send_syn(End& end) {
        const bool is_answer = !is_client(end);
        end.next = end.highest = 1;
        send(end, is_answer ? tcp_bit::syn | tcp_bit::ack : tcp_bit::syn, end.initial_seq, is_answer ? wire_ack(end) : 0, 0, 0, window_of(end));
        set_timer(end, first_timeout_ns << end.tries);
    }

    void send_ack(End& end) {
        end.unacknowledged_segments = 0;
        send(end, tcp_bit::ack, wire(end, end.highest), wire_ack(end), 0, 0, window_of(end));
    }

    /// Position after everything incl. the FIN.
    std::int64_t limit(const End& end) const { return end.queued + (end.wants_fin ? 1 : 0); }

    /// Segments never hold the end of one message and the begin of the next, so that what is sent again has the bounds of the first time.
    std::int64_t message_end(const End& end, std::int64_t position) const {
        for (const Step& step : m_dialogue.steps)
            if (step.is_from_client == is_client(end) && step.end + 1 > position) return std::min(step.end + 1, end.queued);
        return end.queued;
    }

    void send_segment(End& end, std::int64_t position) {
        const std::int64_t bytes = std::max<std::int64_t>(0, std::min(segment_bytes, message_end(end, position) - position));
        std::uint8_t flags = tcp_bit::ack;
        if (bytes > 0 && position + bytes == end.queued) flags |= tcp_bit::psh;
        const bool has_fin = end.wants_fin && position + bytes == end.queued;
        if (has_fin) flags |= tcp_bit::fin;
        send(end, flags, wire(end, position), wire_ack(end), position - 1, bytes, window_of(end));
        end.unacknowledged_segments = 0;
        const std::int64_t after = position + bytes + (has_fin ? 1 : 0);
        if (after > end.highest && end.measured_position == 0) {
            end.measured_position = after;
            end.measured_at_ns = m_now_ns;
        }
        end.highest = std::max(end.highest, after);
        end.next = std::max(end.next, after);
    }

    void send_allowed(End& end) {
        if (end.state != State::open) return;
        while (end.next < limit(end) && static_cast<double>(end.next - end.acknowledged) < end.window) {
            const std::int64_t before = end.next;
            send_segment(end, end.next);
            if (end.next == before) break;
        }
        if (end.acknowledged < end.highest && !end.is_timer_set) set_timer(end, timeout_of(end));
    }

    std::int64_t timeout_of(const End& end) const {
        const std::int64_t base_ns = end.round_trip_ns == 0 ? first_timeout_ns : std::max(timeout_floor_ns + end.round_trip_ns, end.round_trip_ns * 3 / 2);
        return base_ns << std::min(end.tries, 6);
    }

    void set_timer(End& end, std::int64_t after_ns) {
        Event event;
        event.kind = Event::timeout;
        event.at_ns = m_now_ns + after_ns;
        event.is_client = is_client(end);
        event.timer = ++end.timer;
        end.is_timer_set = true;
        push(event);
    }

    void stop_timer(End& end) {
        ++end.timer;
        end.is_timer_set = false;
    }

    // Events

    void handle(const Event& event) {
        End& end = event.is_client ? m_client : m_server;
        switch (event.kind) {
            case Event::at_box: pass_box(event.segment, event.is_lost_later); break;
            case Event::arrives: arrive(event.segment); break;
            case Event::timeout: time_out(end, event.timer); break;
            case Event::step_due: begin_step(end); break;
            case Event::end_due: finish(end); break;
            case Event::patience: lose_patience(); break;
        }
    }

    void pass_box(const Segment& segment, bool is_lost_later) {
        const Path& path = m_flow.path;
        if (m_dialogue.answer_of_nat_after_ns > 0 && is_forgotten_by_nat(segment)) {
            m_sightings[segment.sighting].is_stopped = true;
            return;
        }
        Judgement judgement;
        if (m_request.box != nullptr) {
            Passing passing;
            passing.is_from_client = segment.is_from_client;
            passing.now_ns = m_now_ns;
            passing.flags = segment.flags;
            passing.seq = segment.seq;
            passing.ack = segment.ack;
            passing.stream_begin = segment.stream_begin;
            passing.bytes = segment.bytes;
            const Machine& machine = segment.is_from_client ? *m_request.client : *m_request.server;
            passing.ttl = static_cast<std::uint8_t>(machine.ttl - (segment.is_from_client ? path.hops_to_box : path.hops - path.hops_to_box));
            judgement = m_request.box->judge(passing);
        }
        m_sightings[segment.sighting].is_stopped = judgement.is_dropped;
        for (const Injection& injection : judgement.injections) inject(injection);
        if (judgement.is_dropped || is_lost_later) return;
        Event event;
        event.kind = Event::arrives;
        event.segment = segment;
        const std::int64_t leg_ns = segment.is_from_client ? path.from_box_ns : path.to_box_ns;
        event.at_ns = in_order(segment.is_from_client ? 2 : 3, m_now_ns + judgement.delay_ns + jittered(leg_ns));
        Sighting& seen = m_sightings[segment.sighting];
        (segment.is_from_client ? seen.server_ns : seen.client_ns) = event.at_ns;
        m_last_packet_ns = std::max(m_last_packet_ns, event.at_ns);
        push(event);
    }

    bool is_forgotten_by_nat(const Segment& segment) {
        const std::int64_t silence_ns = m_last_at_nat_ns == 0 ? 0 : m_now_ns - m_last_at_nat_ns;
        m_last_at_nat_ns = m_now_ns;
        if (silence_ns > m_dialogue.answer_of_nat_after_ns) m_is_forgotten = true;
        if (!m_is_forgotten || (segment.flags & tcp_bit::rst) != 0) return m_is_forgotten;
        if (segment.is_from_client) {
            Injection reset;
            reset.flags = tcp_bit::rst;
            reset.seq = segment.ack;
            reset.ttl = 64;
            reset.dont_fragment = true;
            reset.delay_ns = -m_flow.path.to_box_ns;  // it stands right beside the client
            inject(reset);
        }
        return true;
    }

    void inject(const Injection& injection) {
        const Path& path = m_flow.path;
        Segment segment;
        segment.is_from_client = !injection.is_to_client;
        segment.flags = injection.flags;
        segment.seq = injection.seq;
        segment.ack = injection.ack;
        segment.bytes = static_cast<std::uint16_t>(injection.payload.bytes);
        segment.is_injected = true;
        Event event;
        event.kind = Event::arrives;
        const std::int64_t leg_ns = injection.is_to_client ? path.to_box_ns : path.from_box_ns;
        event.at_ns = std::max(m_now_ns + 1000, m_now_ns + injection.delay_ns + leg_ns);
        Sighting seen;
        seen.sent_ns = m_now_ns + std::max<std::int64_t>(injection.delay_ns, 0);
        seen.flow = m_flow.index;
        seen.seq = injection.seq;
        seen.ack = injection.ack;
        seen.flags = injection.flags;
        seen.window = injection.window;
        seen.id = injection.id;
        seen.dont_fragment = injection.dont_fragment;
        seen.is_injected = true;
        seen.is_from_client = segment.is_from_client;
        seen.client_ttl = seen.server_ttl = injection.ttl;
        if (injection.payload.bytes > 0) {
            Stream& stream = m_streams.emplace_back();
            stream.append(injection.payload);
            seen.stream = static_cast<std::uint32_t>(m_streams.size() - 1);
            seen.bytes = segment.bytes;
        }
        const bool is_lost = m_random.chance(path.loss / 2);
        if (!is_lost) {
            (injection.is_to_client ? seen.client_ns : seen.server_ns) = event.at_ns;
            m_last_packet_ns = std::max(m_last_packet_ns, event.at_ns);
        }
        segment.sighting = m_sightings.size();
        m_sightings.push_back(seen);
        if (is_lost) return;
        event.segment = segment;
        push(event);
    }

    void time_out(End& end, std::uint64_t timer) {
        if (timer != end.timer || end.state == State::dead) return;
        end.is_timer_set = false;
        ++end.tries;
        if (end.state == State::syn_sent || end.state == State::syn_received) {
            if (end.tries >= syn_tries)
                end.state = State::dead;
            else
                send_syn(end);
            return;
        }
        if (end.acknowledged >= end.highest) return;
        if (end.tries >= data_tries) {
            end.state = State::dead;
            return;
        }
        end.threshold = std::max(static_cast<double>(end.highest - end.acknowledged) / 2, 2.0 * segment_bytes);
        end.window = segment_bytes;
        end.duplicates = 0;
        end.recovery = end.highest;
        end.measured_position = -1;  // a repeated segment says nothing about the round trip
        end.next = end.acknowledged;
        send_segment(end, end.acknowledged);
        set_timer(end, timeout_of(end));
    }

    void arrive(const Segment& segment) {
        End& end = segment.is_from_client ? m_server : m_client;
        if (!segment.is_from_client && end.state != State::dead) end.last_heard_ns = m_now_ns;
        if (segment.is_from_client && m_dialogue.ending == Ending::server_is_down) return;
        if (!segment.is_injected) end.heard_timestamp = segment.timestamp;
        const bool has_syn = (segment.flags & tcp_bit::syn) != 0;
        const bool has_rst = (segment.flags & tcp_bit::rst) != 0;
        if (end.state == State::closed) {
            if (has_rst) return;
            if (!has_syn) return answer_reset(end, segment);
            if (m_dialogue.ending == Ending::server_refuses) {
                send(end, tcp_bit::rst | tcp_bit::ack, 0, segment.seq + 1, 0, 0, 0);
                return;
            }
            end.peer_seq = segment.seq;
            end.received = 1;
            end.state = State::syn_received;
            send_syn(end);
            return;
        }
        if (end.state == State::dead) {
            if (!has_rst) answer_reset(end, segment);
            return;
        }
        if (end.state == State::syn_sent) {
            const bool acknowledges = (segment.flags & tcp_bit::ack) != 0 && segment.ack == end.initial_seq + 1;
            if (has_rst) {
                if (acknowledges) die_of_reset(end);
                return;
            }
            if (!has_syn || !acknowledges) return;
            end.peer_seq = segment.seq;
            end.received = 1;
            if (segment.bytes > 0) end.received += segment.bytes;  // what a forged answer carries counts as data
            open(end);
            m_outcome.is_established = true;
            if (end.tries == 0) end.round_trip_ns = m_now_ns - m_flow.start_ns;
            send_ack(end);
            schedule_steps(end);
            Event patience;
            patience.kind = Event::patience;
            patience.at_ns = m_now_ns + m_dialogue.patience_ns;
            push(patience);
            return;
        }
        if (has_rst) {
            const std::int64_t position = static_cast<std::int32_t>(segment.seq - wire_ack(end));
            if (position == 0)
                die_of_reset(end);
            else if (position > 0 && position < 65535 && end.state == State::open)
                send_ack(end);  // RFC 5961, 3.2
            return;
        }
        if (has_syn) {
            if (segment.is_from_client && end.state == State::syn_received) return send_syn_again(end);
            return send_ack(end);
        }
        if (end.state == State::syn_received) {
            if ((segment.flags & tcp_bit::ack) == 0) return;
            if (segment.ack != end.initial_seq + 1) return answer_reset(end, segment);
            if (end.tries == 0) end.round_trip_ns = 2 * (m_flow.path.to_box_ns + m_flow.path.from_box_ns);
            open(end);
            schedule_steps(end);
        }
        if (end.acknowledged + static_cast<std::int32_t>(segment.ack - wire(end, end.acknowledged)) > end.highest)
            return send_ack(end);  // of what was never sent: RFC 9293, 3.10.7.4
        if (is_beyond_end(end, segment)) {
            // The program is gone and nobody will read it.
            if (!end.wants_fin) return;
            answer_reset(end, segment);
            end.state = State::dead;
            return stop_timer(end);
        }
        take_acknowledgement(end, segment);
        take_data(end, segment);
        if (end.state == State::open) {
            send_allowed(end);
            if (end.unacknowledged_segments > 0 && m_has_to_acknowledge) send_ack(end);
            m_has_to_acknowledge = false;
            schedule_steps(end);
        }
    }

    /// Whether it brings data that follow the peer's end of data, as the true server's do after a forged end.
    bool is_beyond_end(const End& end, const Segment& segment) const {
        if (!end.peer_fin || end.received <= *end.peer_fin || segment.bytes == 0) return false;
        return end.received + static_cast<std::int32_t>(segment.seq - wire_ack(end)) + segment.bytes > *end.peer_fin;
    }

    void open(End& end) {
        end.state = State::open;
        end.acknowledged = 1;
        end.tries = 0;
        stop_timer(end);
    }

    void send_syn_again(End& end) {
        send(end, tcp_bit::syn | tcp_bit::ack, end.initial_seq, wire_ack(end), 0, 0, window_of(end));
    }

    void answer_reset(const End& end, const Segment& segment) {
        if ((segment.flags & tcp_bit::ack) != 0)
            send(end, tcp_bit::rst, segment.ack, 0, 0, 0, 0);
        else
            send(end, tcp_bit::rst | tcp_bit::ack, 0, segment.seq + segment.bytes, 0, 0, 0);
    }

    void die_of_reset(End& end) {
        end.state = State::dead;
        stop_timer(end);
        if (is_client(end)) m_outcome.is_reset = true;
    }

    void take_acknowledgement(End& end, const Segment& segment) {
        const std::int64_t position = end.acknowledged + static_cast<std::int32_t>(segment.ack - wire(end, end.acknowledged));
        if (position > end.highest || position < end.acknowledged) return;
        if (position == end.acknowledged) {
            if (segment.bytes > 0 || (segment.flags & tcp_bit::fin) != 0 || end.acknowledged >= end.highest) return;
            if (++end.duplicates == 3 && end.acknowledged >= end.recovery) {
                end.threshold = std::max(static_cast<double>(end.next - end.acknowledged) / 2, 2.0 * segment_bytes);
                end.window = end.threshold + 3 * segment_bytes;
                end.recovery = end.highest;
                end.measured_position = -1;
                resend_first(end);
            } else if (end.duplicates > 3) {
                end.window += segment_bytes;
            }
            return;
        }
        const std::int64_t gained = position - end.acknowledged;
        const bool is_measured = end.measured_position > 0 && position >= end.measured_position;
        if (is_measured) {
            const std::int64_t sample_ns = m_now_ns - end.measured_at_ns;
            end.round_trip_ns = end.round_trip_ns == 0 ? sample_ns : (7 * end.round_trip_ns + sample_ns) / 8;
            end.measured_position = 0;
        }
        const bool is_partial = end.duplicates >= 3 && position < end.recovery;
        end.acknowledged = position;
        end.next = std::max(end.next, position);
        // A client that speaks through a queue would else send again whatever it says (RFC 6298, 5.7).
        if (is_measured || m_dialogue.update_bytes == 0 || !is_client(end)) end.tries = 0;
        if (is_partial) {
            resend_first(end);
            end.window = std::max(end.window - static_cast<double>(gained) + segment_bytes, 2.0 * segment_bytes);
        } else if (end.duplicates >= 3) {
            end.window = end.threshold;
            end.duplicates = 0;
        } else {
            end.duplicates = 0;
            if (end.window < end.threshold)
                end.window += static_cast<double>(std::min(gained, 2 * segment_bytes));
            else
                end.window += static_cast<double>(segment_bytes * segment_bytes) / end.window;
        }
        end.window = std::min(end.window, 65000.0 * 8);
        if (end.measured_position < 0 && position >= end.recovery) end.measured_position = 0;
        stop_timer(end);
        if (end.acknowledged < end.highest) set_timer(end, timeout_of(end));
        if (end.wants_fin && position == end.queued + 1) end.is_fin_acknowledged = true;
        if (end.is_fin_acknowledged && end.peer_fin && end.received > *end.peer_fin) close_quietly(end);
    }

    void resend_first(End& end) {
        const std::int64_t next = end.next;
        send_segment(end, end.acknowledged);
        end.next = std::max(end.next, next);
    }

    void close_quietly(End& end) {
        stop_timer(end);
        end.acknowledged = end.highest = end.next;
    }

    void take_data(End& end, const Segment& segment) {
        const bool has_fin = (segment.flags & tcp_bit::fin) != 0;
        if (segment.bytes == 0 && !has_fin) return;
        const std::int64_t begin = end.received + static_cast<std::int32_t>(segment.seq - wire_ack(end));
        const std::int64_t data_end = begin + segment.bytes;
        if (has_fin) end.peer_fin = data_end;
        const std::int64_t before = end.received;
        if (begin <= end.received) {
            end.received = std::max(end.received, data_end);
            for (auto it = end.early.begin(); it != end.early.end() && it->first <= end.received; it = end.early.erase(it))
                end.received = std::max(end.received, it->second);
        } else {
            auto& known = end.early[begin];
            known = std::max(known, data_end);
        }
        if (end.peer_fin && end.received == *end.peer_fin) {
            end.received = *end.peer_fin + 1;
            on_peer_fin(end);
        }
        if (is_client(end) && m_dialogue.update_bytes > 0) update(end);
        ++end.unacknowledged_segments;
        const bool is_out_of_order = end.received == before || !end.early.empty();
        if (is_out_of_order || has_fin || (segment.flags & tcp_bit::psh) != 0 || end.unacknowledged_segments >= 2) m_has_to_acknowledge = true;
        if (end.is_fin_acknowledged && end.peer_fin && end.received > *end.peer_fin) close_quietly(end);
    }

    void update(End& end) {
        const std::int64_t left = m_streams[m_request.client_stream].bytes;
        while (end.received - 1 >= m_next_update && end.queued - 1 >= m_client_steps_end && end.queued - 1 + update_message_bytes <= left && !end.wants_fin) {
            end.queued += update_message_bytes;
            m_next_update += m_dialogue.update_bytes;
        }
    }

    void on_peer_fin(End& end) {
        if (end.wants_fin) return;
        if (m_dialogue.ending == Ending::half_closed && !is_client(end)) return;
        Event event;
        event.kind = Event::end_due;
        event.at_ns = m_now_ns + 100'000 + static_cast<std::int64_t>(m_random.below(300'000));
        event.is_client = is_client(end);
        push(event);
    }

    // What the applications do

    void schedule_steps(End& end) {
        if (end.state != State::open || end.is_step_due) return;
        const auto& steps = m_dialogue.steps;
        while (end.step < steps.size()) {
            const Step& step = steps[end.step];
            if (step.is_from_client == is_client(end)) {
                if (end.queued - 1 >= step.end) {
                    ++end.step;
                    continue;
                }
                Event event;
                event.kind = Event::step_due;
                event.at_ns = m_now_ns + step.pause_ns;
                event.is_client = is_client(end);
                end.is_step_due = true;
                push(event);
                return;
            }
            if (end.received - 1 < step.end) return;
            ++end.step;
        }
        if (m_is_end_due || end.wants_fin) return;
        const bool ends_here = is_client(end) ? m_dialogue.ending == Ending::client_closes || m_dialogue.ending == Ending::half_closed ||
                                                    m_dialogue.ending == Ending::client_resets
                                              : m_dialogue.ending == Ending::server_closes || m_dialogue.ending == Ending::server_resets;
        if (!ends_here) return;
        m_is_end_due = true;
        Event event;
        event.kind = Event::end_due;
        event.at_ns = m_now_ns + m_dialogue.pause_before_end_ns;
        event.is_client = is_client(end);
        push(event);
    }

    void begin_step(End& end) {
        end.is_step_due = false;
        if (end.state != State::open || end.wants_fin) return;
        if (m_dialogue.ending == Ending::server_resets && !is_client(end) && end.step == m_dialogue.reset_before_step) return reset(end);
        end.queued = m_dialogue.steps[end.step].end + 1;
        ++end.step;
        send_allowed(end);
        schedule_steps(end);
    }

    void finish(End& end) {
        if (end.state != State::open || end.wants_fin) return;
        if ((m_dialogue.ending == Ending::server_resets && !is_client(end)) || (m_dialogue.ending == Ending::client_resets && is_client(end)))
            return reset(end);
        end.wants_fin = true;
        send_allowed(end);
    }

    void reset(End& end) {
        send(end, tcp_bit::rst | tcp_bit::ack, wire(end, end.highest), wire_ack(end), 0, 0, 0);
        end.state = State::dead;
        stop_timer(end);
    }

    void lose_patience() {
        End& end = m_client;
        if (end.state != State::open || end.wants_fin) return;
        if (m_now_ns - end.last_heard_ns >= m_dialogue.patience_ns) {
            // Some programs close in order, some in anger.
            if (m_random.chance(0.5)) {
                reset(end);
            } else {
                end.wants_fin = true;
                send_allowed(end);
                end.tries = std::max(end.tries, data_tries - 3);
            }
            return;
        }
        Event event;
        event.kind = Event::patience;
        event.at_ns = end.last_heard_ns + m_dialogue.patience_ns;
        push(event);
    }

    const TcpRequest& m_request;
    const Flow& m_flow;
    const Dialogue& m_dialogue;
    std::vector<Stream>& m_streams;
    Random& m_random;
    std::vector<Sighting>& m_sightings;
    End m_client, m_server;
    std::priority_queue<Event, std::vector<Event>, std::greater<>> m_events;
    std::array<std::int64_t, 4> m_last_arrival{};
    std::uint64_t m_number = 0;
    std::int64_t m_now_ns = 0;
    std::int64_t m_last_packet_ns = 0;
    std::int64_t m_last_at_nat_ns = 0;
    TcpOutcome m_outcome;
    std::int64_t m_client_steps_end = 0;
    std::int64_t m_next_update = 0;
    bool m_has_timestamps = false;
    bool m_is_forgotten = false;
    bool m_is_end_due = false;
    bool m_has_to_acknowledge = false;
};

}  // namespace

PayloadStore::PayloadStore(std::uint64_t seed) {
    Random random(seed, 0x9a71);
    m_bytes = random_bytes(bulk_bytes, random);
}

PayloadStore::Piece PayloadStore::add(std::string_view bytes) {
    const Piece piece{static_cast<std::uint32_t>(m_bytes.size()), static_cast<std::uint32_t>(bytes.size())};
    m_bytes += bytes;
    return piece;
}

PayloadStore::Piece PayloadStore::bulk(std::size_t bytes, Random& random) const {
    return {static_cast<std::uint32_t>(random.below(bulk_bytes - bytes)), static_cast<std::uint32_t>(bytes)};
}

TcpOutcome run_tcp(const TcpRequest& request, std::vector<Stream>& streams, Random& random, std::vector<Sighting>& sightings) {
    return Connection(request, streams, random, sightings).run();
}

}  // namespace unveil::lab
