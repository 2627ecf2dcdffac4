// What became of one connection or lookup, as far as judgements over many need it.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "instruments/interference/answer_look.hpp"
#include "instruments/interference/first_payload.hpp"
#include "instruments/interference/shown_certificates.hpp"
#include "net/packet.hpp"

namespace unveil {

/// IP TTLs that differ by no more are of one distance: routes change.
constexpr int ttl_slack = 2;

/// Signs that something on the path may have interfered; none of them proves it.
namespace sign {
constexpr std::uint32_t reset = 1 << 0;            // a reset in the server's name after the client's first words, before or amid the answer
constexpr std::uint32_t reset_at_syn = 1 << 1;     // a reset answers the SYN
constexpr std::uint32_t no_syn_ack = 1 << 2;       // nothing does, twice or more
constexpr std::uint32_t dropped = 1 << 3;          // the client's first words were sent three times or more, and nothing came back
constexpr std::uint32_t uplink_lost = 1 << 4;      // first words were acknowledged, but what the client sent afterwards never was
constexpr std::uint32_t frozen = 1 << 5;           // an answer stopped in its middle
constexpr std::uint32_t syn_ack_forged = 1 << 6;   // two SYN+ACK that cannot be of one host, or one with a known payload
constexpr std::uint32_t page_injected = 1 << 7;    // the answer's first bytes came from another distance, or twice with other content
constexpr std::uint32_t dns_conflict = 1 << 8;     // two answers that differ in what they say and in how they came
constexpr std::uint32_t dns_pool = 1 << 9;         // one answer, with an address that was seen in forged ones
constexpr std::uint32_t quic_silent = 1 << 10;     // the client went on and nothing came any more
constexpr std::uint32_t dns_race = 1 << 11;        // one answer, from another distance and sooner than the resolver ever answered other names
constexpr std::uint32_t page_known = 1 << 12;      // the answer is on a list of block pages, or of addresses that lead to them
constexpr std::uint32_t reset_to_server = 1 << 13; // a reset in the client's name, from another distance than the client, after its first words
constexpr std::uint32_t certificate_foreign = 1 << 14;   // the certificate may be another one's than the server's
}  // namespace sign

struct FlowRecord {
    static constexpr std::size_t frames_max = 4;

    IpAddress client;
    IpAddress server;
    std::uint16_t client_port = 0;
    std::uint16_t server_port = 0;
    std::uint8_t protocol = 0;
    PayloadKind kind = PayloadKind::none;
    std::uint8_t box_class = 0;            // 1 + position among the facts' reset classes, or DNS classes for dns; 0: none
    bool is_eligible = false;              // its first payload would be taken for fully encrypted
    bool has_handshake = false;            // SYN+ACK seen
    bool has_ech = false;                  // its hello holds an encrypted one; the name is the outer one's
    bool is_answered = false;              // the server said something after the client's first words
    bool is_to_server = false;             // seen that what the client sends is withheld, or that something is sent in its name
    std::uint16_t window = 0;              // of the first reset in the server's name
    std::uint8_t answer_ttl = 0;           // IP TTL of the first answer of dns, and of what another may have sent in the server's name; 0: none
    std::uint32_t signs = 0;
    std::uint32_t name = 0;                // of NameBook; 0: none
    std::uint32_t request = 0;             // of NameBook: what the first request over HTTP asks for
    std::uint32_t evidence = 0;
    float log_likelihood_ratio = 0;        // that a box sent what came in the server's name
    std::uint32_t server_bytes = 0;
    std::int64_t first_ns = 0;
    std::int64_t trigger_ns = 0;           // the client's first words; 0: none
    std::int64_t sign_ns = 0;              // first packet that is not the server's, or last one that was
    std::array<std::uint64_t, frames_max> frames{};
    IpAddress forged_address;              // of dns
    std::uint32_t fingerprint = 0;         // 1 + place in the list, with page_known
    ShownCertificate certificate;          // of TLS 1.2 and older
    AnswerLook look = AnswerLook::unread;  // of the first answer over HTTP
    bool is_answer_elsewhere = false;      // of tls: the answer began at another distance than the handshake
};

/// When so many bytes had come of the server since the connection began, those that were sent again included.
struct RateCurve {
    static constexpr std::size_t points_max = 24;
    static constexpr std::uint32_t first_bytes = 4096;
    /// 4 KiB, then two points to every doubling: to 11.3 MiB.
    static double position_bytes(std::size_t point) { return (point % 2 == 0 ? 1.0 : 1.4142135623730951) * static_cast<double>(first_bytes) * static_cast<double>(std::uint32_t{1} << point / 2); }

    std::array<std::uint32_t, points_max> microseconds{};   // while the server sent and the client asked for nothing more
    std::uint8_t points = 0;
};

/// How fast a long answer came.
struct RateRecord {
    IpAddress client;
    std::uint32_t name = 0;
    PayloadKind kind = PayloadKind::none;
    float bytes_per_second = 0;            // while the server sends and the client asks for nothing more
    float gap_variation = 0;               // standard deviation over mean of the time between them: a queue makes it small, drops make it large
    float holes_share = 0;                 // of its data packets, those before which something is missing
    IpAddress server;
    std::uint64_t frame = 0;
    std::uint32_t evidence = 0;
    std::uint16_t client_port = 0;
    std::uint16_t server_port = 0;
    std::int64_t first_ns = 0;             // of the answer
    std::int64_t last_ns = 0;
    // Seconds, both legs of the way together. The growth of a leg is the median of its last three samples while data flow, less its smallest.
    bool has_round_trip = false;           // of one leg at least while data flow: the lower end of the growth counts
    bool has_both_legs = false;            // so that the upper end does too
    float round_trip = 0;                  // the smallest
    float growth_low = 0;
    float growth_high = 0;
    RateCurve curve;
};

}  // namespace unveil
