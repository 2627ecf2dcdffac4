// What do two ends of one connection say to each other over a path that loses packets and that a box may stand in? A small TCP with
// congestion control, run event by event; every packet is noted as each end's capture would see it.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/random.hpp"
#include "lab/network_packets.hpp"

namespace unveil::lab {

inline constexpr std::int64_t ms_ns = 1'000'000;
inline constexpr std::int64_t second_ns = 1'000'000'000;

/// How a machine fills the IP identification of what it sends.
enum class IdProcess : std::uint8_t {
    zero,        // always 0, with DF
    counter,     // one counter for everything, other traffic in between
    per_flow,    // a counter for each connection, with DF; 0 before it is established and in resets
    random,
};

struct Machine {
    WireAddress v4;
    WireAddress v6;
    std::uint64_t mac = 0;
    std::uint8_t ttl = 64;  // as it sends
    IdProcess id_process = IdProcess::zero;
    bool has_timestamps = false;
    std::uint16_t window = 64240;
};

/// Bytes that packets carry, stored once: the begin of the store is random and shared by all bulk transfers.
class PayloadStore {
  public:
    explicit PayloadStore(std::uint64_t seed);
    struct Piece {
        std::uint32_t offset = 0;
        std::uint32_t bytes = 0;
    };
    Piece add(std::string_view bytes);
    /// Opaque bytes, which may be the same for several callers.
    Piece bulk(std::size_t bytes, Random& random) const;
    std::string_view view(const Piece& piece) const { return std::string_view(m_bytes).substr(piece.offset, piece.bytes); }

    static constexpr std::size_t bulk_bytes = 1 << 17;

  private:
    std::string m_bytes;
};

/// Everything that one side sends over a connection, in order.
struct Stream {
    std::vector<PayloadStore::Piece> pieces;
    std::int64_t bytes = 0;
    void append(const PayloadStore::Piece& piece) {
        pieces.push_back(piece);
        bytes += piece.bytes;
    }
};

constexpr std::int64_t unseen = -1;

/// One packet and who saw it. Times are true ones; a capture's clock is applied when it is written.
struct Sighting {
    std::int64_t sent_ns = 0;
    std::int64_t client_ns = unseen;  // when the client's capture holds it
    std::int64_t server_ns = unseen;
    std::uint32_t flow = 0;
    std::uint32_t seq = 0;
    std::uint32_t ack = 0;
    std::uint32_t stream = 0;   // index into the streams; of an injected payload and of datagrams as well
    std::uint32_t stream_sent = 0;   // where somebody put other bytes of the same length in its place: what was sent; 0: the same
    std::uint32_t offset = 0;
    std::uint16_t bytes = 0;
    std::uint16_t window = 0;
    std::uint16_t id = 0;  // of injected packets; the others get theirs when all packets stand in order
    std::uint8_t flags = 0;
    std::uint8_t client_ttl = 0;
    std::uint8_t server_ttl = 0;
    bool is_udp = false;
    bool is_from_client = false;
    bool is_injected = false;
    bool is_stopped = false;  // by a box or a router, not lost
    bool dont_fragment = false;
    bool has_options_of_syn = false;
    bool has_timestamps = false;
    std::uint32_t timestamp_value = 0;
    std::uint32_t timestamp_echo = 0;
};

/// The road between a client and a server. Times are one way.
struct Path {
    std::int64_t to_box_ns = 3 * ms_ns;
    std::int64_t from_box_ns = 40 * ms_ns;
    double loss = 0;              // of every packet, once
    std::uint8_t hops = 12;
    std::uint8_t hops_to_box = 4;
};

struct Flow {
    std::uint32_t index = 0;
    std::uint32_t client = 0;  // machines
    std::uint32_t server = 0;
    std::uint16_t client_port = 0;
    std::uint16_t server_port = 0;
    bool is_v6 = false;
    Path path;
    std::int64_t start_ns = 0;
};

/// A message of one side. It begins when all earlier ones have arrived, after a pause.
struct Step {
    bool is_from_client = false;
    std::int64_t end = 0;  // of the sender's stream
    std::int64_t pause_ns = 0;
};

enum class Ending : std::uint8_t {
    client_closes,
    server_closes,
    server_resets,       // instead of a message: see `reset_before_step`
    server_refuses,
    server_is_down,
    half_closed,         // the client closes its side and the server goes on for long
    client_resets,
};

struct Dialogue {
    std::vector<Step> steps;
    Ending ending = Ending::client_closes;
    std::size_t reset_before_step = 0;
    std::int64_t pause_before_end_ns = 0;
    std::int64_t patience_ns = 20 * second_ns;  // the client gives up when nothing has come for so long
    std::int64_t update_bytes = 0;              // once all steps of the client are sent it says some of what is left of its stream for every so many that it gets; 0: never
    std::int64_t answer_of_nat_after_ns = 0;    // 0: none. A router near the client forgets the connection after so long a silence.
};

/// A packet as the box sees it pass.
struct Passing {
    bool is_from_client = false;
    std::int64_t now_ns = 0;
    std::uint8_t flags = 0;
    std::uint32_t seq = 0;
    std::uint32_t ack = 0;
    std::int64_t stream_begin = 0;  // of its payload, in the stream of the sender
    std::uint16_t bytes = 0;
    std::uint8_t ttl = 0;           // at the box
};

struct Injection {
    bool is_to_client = true;
    std::int64_t delay_ns = 0;
    std::uint8_t flags = 0;
    std::uint32_t seq = 0;
    std::uint32_t ack = 0;
    std::uint16_t window = 0;
    std::uint16_t id = 0;
    std::uint8_t ttl = 64;  // at whom it reaches
    bool dont_fragment = false;
    PayloadStore::Piece payload;
};

struct Judgement {
    bool is_dropped = false;
    std::int64_t delay_ns = 0;
    std::vector<Injection> injections;
};

class Box {
  public:
    virtual ~Box() = default;
    virtual Judgement judge(const Passing& passing) = 0;
};

/// What happened, for the truth.
struct TcpOutcome {
    bool is_established = false;      // at the client
    std::int64_t client_received = 0;  // bytes of the server's stream, in order
    std::int64_t end_ns = 0;
    bool is_reset = false;  // the client accepted a reset
};

struct TcpRequest {
    const Flow* flow = nullptr;
    const Machine* client = nullptr;
    const Machine* server = nullptr;
    const Dialogue* dialogue = nullptr;
    Box* box = nullptr;  // none: nobody looks
    std::uint32_t client_stream = 0;
    std::uint32_t server_stream = 0;
};

/// Runs the connection and appends its packets. New streams are added for payloads of injections.
TcpOutcome run_tcp(const TcpRequest& request, std::vector<Stream>& streams, Random& random, std::vector<Sighting>& sightings);

}  // namespace unveil::lab
