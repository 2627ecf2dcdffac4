// What would a capture from inside a censored network hold, and what was planted in it? Clients, servers, losses and ordinary failures, and
// among them the mechanisms of a censor, each with its truth. Pure: parameters and seed give the same bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lab/network_path.hpp"

namespace unveil::lab {

/// In the order in which they are planted: "dns-injection", "rst", "syn-ack-forged", "block-page", "drop-sni", "freeze", "residual", "quic-sni",
/// "fet", "throttle-policing", "throttle-shaping", "protocol-whitelist", "http-keyword", "tls-interception".
const std::vector<std::string>& network_mechanisms();
/// "gfw-1", "gfw-2", "gfw-3", "henan", "generic".
const std::vector<std::string>& network_reset_classes();
/// "gfw-aa", "gfw-df", "gfw-mirror" (they answer together), "fixed" (one bogus address), "private" (an address of a block page).
const std::vector<std::string>& network_dns_classes();

struct NetworkMechanism {
    std::string name;
    std::uint32_t flows = 0;  // incl. controls
};

/// What makes answers of names slow without any box: "congestion" (everybody is slow at times, each at a rate of its own), "shared-limit" (the same at one
/// rate for all), "slow-path" (some servers), "buffer-bloat" (some clients' lines, with queues of seconds), "pausing-server" and "pacing-server" (the
/// server sends by pieces, or segment by segment). The names that suffer most have the role "trigger"; their truth is "none".
const std::vector<std::string>& network_slow_twins();

enum class TimestampUse : std::uint8_t { as_machines, never, always };

struct NetworkPlan {
    std::vector<NetworkMechanism> mechanisms;  // none: the null world
    std::vector<std::string> reset_classes = network_reset_classes();
    std::vector<std::string> dns_classes = network_dns_classes();
    std::uint32_t ordinary_flows = 1000;
    double control_share = 0.5;   // of a mechanism's flows: the same servers, other names
    double action_rate = 1;       // how often the box does what it does, FET aside
    double onset_seconds = 0;     // from the start; connections that begin earlier pass
    double loss = 0.01;
    double failure_share = 0.1;   // of ordinary flows; half of it among controls
    double v6_share = 0.1;        // of ordinary flows
    std::uint32_t certificate_flows = 0;  // to hosts whose certificates are not for the name, or not from where the handshake is, and nobody interferes
    std::uint32_t clients = 40;
    double duration_seconds = 3600;
    double residual_seconds = 180;
    double freeze_kib = 16;       // the least; each flow has up to 4 more
    double throttle_kbit = 150;
    double throttle_burst_kib = 0;   // of each connection that passes at full speed before; 0: the bucket of policing (12,000 bytes), and nothing before a queue
    std::vector<NetworkMechanism> slow_twins;
    TimestampUse timestamps = TimestampUse::as_machines;
    std::uint32_t update_bytes = 0;  // of a long answer, after which clients send a few bytes, as those of HTTP/2 do; 0: they only acknowledge
    double fet_rate = 0.26;
    std::uint32_t snap_bytes = 262144;
    std::int64_t start_ns = 1'709'280'000 * second_ns;  // 2024-03-01 08:00 UTC
    bool is_two_sided = false;
    double clock_offset_seconds = 0;  // of the server's capture
    double clock_drift_ppm = 0;
};

struct NetworkFlowTruth {
    std::string client;
    std::string server;
    std::uint16_t client_port = 0;
    std::uint16_t server_port = 0;
    bool is_udp = false;
    std::int64_t start_ns = 0;
    std::string protocol;   // "tls", "http", "quic", "dns", "random", "ssh"
    std::string name;       // asked for; may be empty
    std::string scene;      // whose traffic it is: a mechanism or "ordinary"
    std::string role;       // "trigger", "control", "ordinary", "aftermath", "other-port", "other-host", "other-client"
    std::string mechanism = "none";  // what the box did to it
    std::string box_class;
    std::string trigger;    // of the mechanism, when it did anything
    std::string failure;    // an ordinary one: "refused", "down", ...
    std::uint32_t injected = 0;         // packets
    std::uint32_t injected_seen = 0;    // of them, those that reach whom they are for
    std::uint32_t dropped = 0;          // by the box
    std::int64_t first_action_ns = unseen;
};

/// What was planted for one name.
struct NetworkEffect {
    std::string mechanism;
    std::string box_class;
    std::string trigger;
    std::uint64_t flows = 0;   // that the box acted on
    std::uint64_t exposed = 0; // that held the trigger
    std::int64_t first_ns = unseen;  // when a box first acted on it
    std::vector<std::pair<std::string, double>> parameters;
};

/// Frames in the order of their times, their bytes one after another.
struct NetworkCapture {
    struct Frame {
        std::int64_t time_ns = 0;
        std::uint64_t offset = 0;
        std::uint32_t captured_bytes = 0;
        std::uint32_t bytes_on_wire = 0;
        std::uint32_t flow = 0;  // index into the truth
        bool is_injected = false;
    };
    std::vector<Frame> frames;
    std::string arena;
    std::string_view bytes(const Frame& frame) const { return std::string_view(arena).substr(frame.offset, frame.captured_bytes); }
};

struct NetworkWorld {
    NetworkCapture client;
    NetworkCapture server;  // empty unless two-sided
    std::vector<NetworkFlowTruth> flows;
    std::vector<NetworkEffect> effects;
    std::vector<std::string> control_names;   // never blocked, in the order of the mechanisms
    std::vector<std::string> bogus_addresses; // that injected answers hold
    std::uint64_t packets_sent = 0;           // by clients and servers
    std::uint64_t packets_lost = 0;           // of those, on the way
    std::uint64_t packets_stopped = 0;        // and those that a box or a router did not let through
};

NetworkWorld make_network_world(const NetworkPlan& plan, std::uint64_t seed);

/// A capture as the bytes of a pcap file.
std::string pcap_of(const NetworkCapture& capture, std::uint32_t snap_bytes);

/// Made-up names below .example and .test; no two are alike.
std::vector<std::string> made_up_names(std::size_t count, Random& random);

}  // namespace unveil::lab
