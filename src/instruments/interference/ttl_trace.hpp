// At which hop does what answers, or swallows, a request stand? The same request is sent over TCP connections whose IP TTL grows from probe to
// probe; routers on the way name themselves in ICMP answers that quote it. A trace of a request that may be censored is held against one that is not.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "net/packet.hpp"
#include "table/frame.hpp"

namespace unveil {

enum class TraceAnswerKind : std::uint8_t { none, acknowledgement, end, reset, http, tls, tls_alert, data };
std::string_view trace_answer_name(TraceAnswerKind kind);

/// A packet in the server's name that answers a probe.
struct TraceAnswer {
    TraceAnswerKind kind = TraceAnswerKind::none;
    std::uint64_t frame = 0;
    std::uint64_t likeness = 0;      // hash of what two answers of one server to two requests share: of HTTP the status and the headers' names
    std::uint8_t ttl = 0;
    bool is_ttl_odd = false;         // by more than 2 from the handshake's
};

/// What became of the probes with one TTL.
struct TraceHop {
    std::uint64_t probe_frame = 0;   // 0: no probe had this TTL
    std::uint64_t router_frame = 0;  // of the ICMP time-exceeded answer; 0 without
    std::uint64_t server_frame = 0;  // a packet that acknowledges the probe from the handshake's distance, when `answer` came from another
    IpAddress router;
    TraceAnswer answer;
    bool has_router() const { return router_frame != 0; }
};

struct TtlTraceResult {
    static constexpr unsigned hops_min = 3;       // fewer are no trace
    IpAddress server;
    std::uint16_t server_port = 0;
    std::array<TraceHop, 256> hops;               // by TTL
    unsigned hop_count = 0;                       // TTLs that were probed
    unsigned probe_count = 0;
    unsigned hop_max = 0;                         // highest TTL that was probed
    int answer_hop = -1;                          // lowest TTL whose probe was answered in the server's name
    int router_hop_max = -1;                      // highest TTL at which a router answered
    /// The answers' TTL follows the probes': whoever sends them copies what it sees. `mirror_hops` is the way to it and back in hops.
    bool is_ttl_mirrored = false;
    unsigned mirror_hops = 0;
    std::uint64_t mirror_frames[2] = {0, 0};      // the two answers that show it
    std::uint64_t ignored_flows = 0;              // beyond flows_max or traces_max
    /// One that was answered early needs no more TTLs than it took.
    bool is_trace() const { return hop_count >= hops_min || (answer_hop > 0 && hop_count >= static_cast<unsigned>(answer_hop)); }
};

/// Reads one capture. When it holds several traces the one with most TTLs counts, of equals the first: a trace is the probes to one server, port
/// and requested name.
class TtlTrace {
  public:
    static constexpr std::size_t flows_max = 4096;
    static constexpr std::size_t traces_max = 32;

    TtlTrace();
    ~TtlTrace();
    void add(std::span<const Frame> frames);
    TtlTraceResult finish();

  private:
    class State;
    std::unique_ptr<State> m_state;
};

/// The first five are CenTrace's words (Sundara Raman et al., CoNEXT 2022). The last two say where those would promise too much.
enum class TraceCode : std::uint8_t {
    no_observed_censorship,           // both requests were answered alike
    can_identify_server,              // it acts before the server, at a hop with an address
    nat_firewall,                     // before the server, where the path shows the server's own address
    endpoint_firewall,                // where the control's answer comes from
    terminating_ttl_past_control,     // the answer came only for TTLs beyond the control's
    hop_without_address,              // before the server, where no router of the control names itself
    not_comparable,                   // no trace, another server, a control without answer, or a trace that ends too early
};
std::string_view trace_code_name(TraceCode code);

struct TraceComparison {
    TraceCode code = TraceCode::not_comparable;
    IpAddress box;                    // of the router at whose hop it acts, as the control's path shows it
    bool has_box = false;
    int box_hop = -1;                 // where the path shows it: `hop`, or the first hop behind it that is not silent
    int hop = -1;                     // lowest TTL that reaches it
    int seen_hop = -1;                // lowest TTL that it answered; differs from `hop` when it mirrors TTLs
    bool is_dropping = false;         // no answer at all
    bool is_ttl_mirrored = false;     // `hop` takes the ways there and back to be equally long
    bool is_on_path = false;          // it answered a probe that went on: a router behind it or the server answered too
    std::vector<std::uint64_t> censored_frames;   // that prove it, in order
    std::vector<std::uint64_t> control_frames;
};
TraceComparison compare_traces(const TtlTraceResult& censored, const TtlTraceResult& control);

}  // namespace unveil
