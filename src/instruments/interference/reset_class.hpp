// Who sent these resets: the host whose address they carry, or a box on the path? By what each packet shows beside the host's own packets.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "instruments/interference/facts.hpp"

namespace unveil {

/// One RST, or FIN with what is told of it, as a capture has it.
struct ResetPacket {
    std::int64_t time_ns = 0;
    std::uint64_t frame = 0;
    std::uint32_t sequence = 0;
    std::uint16_t ip_id = 0;
    std::uint16_t window = 0;
    std::uint8_t ttl = 0;
    std::uint8_t payload_bytes = 0;    // 255: that many or more
    std::uint8_t payload_fact = 0;     // 1 + position of the class whose payload it carries; 0: none
    bool has_ack = false;
    bool has_df = false;
};

/// Of the side whose address the resets carry.
struct HostTraits {
    bool is_known = false;             // it has sent something that is no reset
    std::uint8_t ttl = 0;              // of its first packet
    std::uint8_t ttl_low = 0;          // of all its packets but resets
    std::uint8_t ttl_high = 0;
    bool has_df = false;               // its first packet
    bool has_ip_id = false;            // some packet had an IP ID other than 0
};

struct ResetVerdict {
    /// log of P(what is seen | a box sent it) / P(what is seen | the host sent it).
    double log_likelihood_ratio = 0;
    /// Name of a class of the facts; empty when it fits none or more than one.
    std::string_view box_class;
    unsigned copies = 1;               // packets that are the same but for their time
    bool has_other_ttl = false;
};

/// Class by packet fields alone, as published fingerprints have them; empty when none or several fit. O(classes).
std::string_view reset_class_of(const ResetPacket& packet, unsigned copies, const InterferenceFacts& facts);

/// By what a list of single packets has: payload, TTL and DF. Empty when no class fits or several do.
std::string_view reset_class_by_shape(std::string_view payload, std::uint8_t ttl, bool has_df, const InterferenceFacts& facts);

struct ResetContext {
    bool is_after_trigger = false;     // the client had just said what it wants, and nothing had come back
    bool is_data_behind = false;       // the host sent data behind the reset as if nothing had happened
};
/// `burst` are the resets of one side in order, not empty. Weights: base rates of the facts where there are some, else stated in the doc page.
ResetVerdict judge_resets(std::span<const ResetPacket> burst, const HostTraits& host, const ResetContext& context, const InterferenceFacts& facts);

}  // namespace unveil
