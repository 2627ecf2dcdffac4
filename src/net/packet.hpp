// What do the bytes of one frame say: who sends to whom, over what, with which header fields and which payload?
// Link headers, VLAN tags, IPv4 and IPv6 with their extension headers, TCP, UDP and ICMP. Nothing is copied.
#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "table/frame.hpp"

namespace unveil {

/// IPv4 addresses are kept as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2), so that both kinds compare and hash alike.
struct IpAddress {
    std::array<std::uint8_t, 16> bytes{};
    /// Half of it in network order, as a number.
    std::uint64_t upper() const { return half(0); }
    std::uint64_t lower() const { return half(8); }
    bool operator==(const IpAddress& other) const { return upper() == other.upper() && lower() == other.lower(); }
    std::strong_ordering operator<=>(const IpAddress& other) const { return upper() == other.upper() ? lower() <=> other.lower() : upper() <=> other.upper(); }
    bool is_v4() const;

  private:
    std::uint64_t half(std::size_t from) const {
        std::uint64_t value;
        std::memcpy(&value, bytes.data() + from, sizeof value);
        if constexpr (std::endian::native == std::endian::little) value = __builtin_bswap64(value);
        return value;
    }
};
IpAddress ipv4_address(std::uint32_t host_order);
/// "192.0.2.1" or RFC 5952.
std::string address_text(const IpAddress& address);
/// False when the text is no address.
bool parse_address(std::string_view text, IpAddress& address);

enum class Protocol : std::uint8_t { icmp = 1, tcp = 6, udp = 17, icmp6 = 58 };

namespace tcp_flag {
constexpr std::uint8_t fin = 0x01, syn = 0x02, rst = 0x04, psh = 0x08, ack = 0x10, urg = 0x20;
}

struct Packet {
    std::int64_t time_ns = 0;
    std::uint64_t frame = 0;           // Frame::number
    std::uint32_t evidence = 0;
    IpAddress source;
    IpAddress destination;
    std::uint16_t source_port = 0;     // 0 unless TCP or UDP
    std::uint16_t destination_port = 0;
    std::uint8_t ip_version = 4;
    std::uint8_t protocol = 0;         // IANA number after extension headers
    std::uint8_t ttl = 0;              // or hop limit
    bool has_df = false;               // IPv4 don't-fragment; true for IPv6
    std::uint16_t ip_id = 0;           // IPv4; 0 for IPv6
    // A fragment's payload is the piece of the IP payload; ports and TCP fields stay 0. See fragments.hpp.
    bool is_fragment = false;
    bool has_more_fragments = false;
    std::uint32_t fragment_id = 0;
    std::uint32_t fragment_offset_bytes = 0;
    // TCP.
    std::uint32_t sequence = 0;
    std::uint32_t acknowledgement = 0;
    std::uint16_t window = 0;          // unscaled, as it stands in the header
    std::uint8_t tcp_flags = 0;
    std::uint8_t tcp_header_bytes = 0; // 20 without options
    bool has_timestamps = false;       // TCP option 8 (RFC 7323, 3.2)
    std::uint32_t timestamp_value = 0; // with has_timestamps
    std::uint32_t timestamp_echo = 0;
    // ICMP.
    std::uint8_t icmp_type = 0;
    std::uint8_t icmp_code = 0;
    /// What was captured of the transport payload (of ICMP: what follows its 8 bytes).
    std::span<const std::uint8_t> payload;
    /// How long it was on the wire by the IP length field; at least payload.size(). Padding of the link layer is in neither.
    std::uint32_t payload_bytes_original = 0;

    bool is_tcp() const { return protocol == static_cast<std::uint8_t>(Protocol::tcp); }
    bool is_udp() const { return protocol == static_cast<std::uint8_t>(Protocol::udp); }
    bool has_flag(std::uint8_t flag) const { return (tcp_flags & flag) != 0; }
};

enum class Decoded : std::uint8_t {
    packet,        // all there, as far as the captured length allows: the transport header is whole
    no_ip,         // ARP, LLDP, 802.11 management...: nothing wrong with it
    unknown_link,  // a link type that is not read
    truncated,     // the capture cut it within the headers
    malformed,     // lengths that contradict each other
};
std::string_view decoded_name(Decoded decoded);

/// O(headers). IP within IP, GRE, PPPoE and MPLS are followed to the innermost IP packet, at most 4 deep; a packet whose tunnel carries no IP is
/// itself the one. Unless the answer is `packet`, only time, frame and evidence mean anything. A checksum is not verified: captures of
/// sending hosts hold unfinished ones.
Decoded decode_packet(const Frame& frame, Packet& packet);
/// Reads an IP packet that stands alone, such as a reassembled one. Leaves time_ns, frame and evidence as they are in `packet`.
Decoded decode_ip(std::span<const std::uint8_t> bytes, std::uint32_t bytes_original, Packet& packet);
/// Whether frames of this LINKTYPE_ are read.
bool is_known_link_type(std::uint16_t link_type);

}  // namespace unveil
