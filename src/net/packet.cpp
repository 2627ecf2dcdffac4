#include "net/packet.hpp"

#include <algorithm>
#include <cstring>

namespace unveil {
namespace {

std::uint16_t be16(const std::uint8_t* at) {
    return static_cast<std::uint16_t>(at[0] << 8 | at[1]);
}
std::uint32_t be32(const std::uint8_t* at) {
    return std::uint32_t{at[0]} << 24 | std::uint32_t{at[1]} << 16 | std::uint32_t{at[2]} << 8 | at[3];
}
std::uint32_t le32(const std::uint8_t* at) {
    return std::uint32_t{at[3]} << 24 | std::uint32_t{at[2]} << 16 | std::uint32_t{at[1]} << 8 | at[0];
}
std::uint16_t le16(const std::uint8_t* at) {
    return static_cast<std::uint16_t>(at[1] << 8 | at[0]);
}

namespace link {
constexpr std::uint16_t null = 0, ethernet = 1, ppp = 9, raw_bsd = 12, raw_openbsd = 14, ppp_hdlc = 50, pppoe = 51, raw = 101, c_hdlc = 104,
                        ieee802_11 = 105, loop = 108, linux_sll = 113, radiotap = 127, ppi = 192, ipv4 = 228, ipv6 = 229, linux_sll2 = 276;
}

namespace ether {
constexpr std::uint16_t ipv4 = 0x0800, ipv6 = 0x86DD, vlan = 0x8100, qinq = 0x9100, qinq_more = 0x9200, provider_vlan = 0x88A8, mpls = 0x8847,
                        mpls_multicast = 0x8848, pppoe_session = 0x8864, ppp = 0x880B, bridged = 0x6558, length_max = 0x05DC, type_min = 0x0600;
}

namespace ip {
constexpr std::uint8_t hop_by_hop = 0, ipv4 = 4, ipv6 = 41, routing = 43, fragment = 44, gre = 47, authentication = 51, none = 59,
                       destination_options = 60, mpls = 137, shim6 = 140;
}

constexpr unsigned depth_max = 4;         // IP headers within each other
constexpr unsigned tags_max = 16;         // VLAN tags or MPLS labels
constexpr unsigned extensions_max = 32;   // of one IPv6 header
constexpr unsigned links_max = 8;         // link headers within each other: Ethernet in GRE, PPP in PPPoE

/// What is left of the frame: `captured` bytes are there, `original` were on the wire.
struct Rest {
    const std::uint8_t* at;
    std::size_t captured;
    std::size_t original;

    bool has(std::size_t count) const { return captured >= count; }
    /// Why `count` bytes are not there.
    Decoded lack(std::size_t count) const { return original < count ? Decoded::malformed : Decoded::truncated; }
    void advance(std::size_t count) {
        at += count;
        captured -= count;
        original -= count;
    }
    /// What stands behind a length field is padding.
    void limit(std::size_t count) {
        original = count;
        captured = std::min(captured, count);
    }
};

struct Depth {
    unsigned ip = 0;
    unsigned links = 0;
};

Decoded decode_ipv4(Rest rest, Packet& packet, Depth depth);
Decoded decode_ipv6(Rest rest, Packet& packet, Depth depth);
Decoded decode_ethernet(Rest rest, Packet& packet, Depth depth);
Decoded decode_ppp(Rest rest, Packet& packet, Depth depth);

void set_payload(const Rest& rest, Packet& packet) {
    packet.payload = {rest.at, rest.captured};
    packet.payload_bytes_original = static_cast<std::uint32_t>(rest.original);
}

void read_timestamps(const std::uint8_t* option, Packet& packet) {
    packet.has_timestamps = true;
    packet.timestamp_value = be32(option + 2);
    packet.timestamp_echo = be32(option + 6);
}

void find_timestamps(const std::uint8_t* at, std::size_t count, Packet& packet) {
    // What nearly every segment of a connection has: two NOPs, then the option.
    if (count >= 12 && be32(at) == 0x0101080A) return read_timestamps(at + 2, packet);
    while (count > 0) {
        if (*at == 0) return;
        if (*at == 1) {
            ++at;
            --count;
            continue;
        }
        if (count < 2 || at[1] < 2 || at[1] > count) return;
        if (*at == 8 && at[1] == 10) return read_timestamps(at, packet);
        count -= at[1];
        at += at[1];
    }
}

Decoded decode_tcp(Rest rest, Packet& packet) {
    constexpr std::size_t header_bytes_min = 20;
    if (!rest.has(header_bytes_min)) return rest.lack(header_bytes_min);
    const std::uint8_t* const at = rest.at;
    packet.source_port = be16(at);
    packet.destination_port = be16(at + 2);
    packet.sequence = be32(at + 4);
    packet.acknowledgement = be32(at + 8);
    const std::size_t header_bytes = std::size_t{at[12]} >> 4 << 2;
    packet.tcp_flags = at[13];
    packet.window = be16(at + 14);
    packet.tcp_header_bytes = static_cast<std::uint8_t>(header_bytes);
    if (header_bytes < header_bytes_min) return Decoded::malformed;
    if (!rest.has(header_bytes)) return rest.lack(header_bytes);
    if (header_bytes > header_bytes_min) find_timestamps(at + header_bytes_min, header_bytes - header_bytes_min, packet);
    rest.advance(header_bytes);
    set_payload(rest, packet);
    return Decoded::packet;
}

Decoded decode_udp(Rest rest, Packet& packet) {
    constexpr std::size_t header_bytes = 8;
    if (!rest.has(header_bytes)) return rest.lack(header_bytes);
    packet.source_port = be16(rest.at);
    packet.destination_port = be16(rest.at + 2);
    const std::size_t length = be16(rest.at + 4);
    // 0 stands where the network card has yet to cut the datagram up, and in jumbograms (RFC 2675, 4).
    if (length != 0) {
        if (length < header_bytes || length > rest.original) return Decoded::malformed;
        rest.limit(length);
    }
    rest.advance(header_bytes);
    set_payload(rest, packet);
    return Decoded::packet;
}

Decoded decode_icmp(Rest rest, Packet& packet) {
    constexpr std::size_t header_bytes = 8;
    if (!rest.has(header_bytes)) return rest.lack(header_bytes);
    packet.icmp_type = rest.at[0];
    packet.icmp_code = rest.at[1];
    rest.advance(header_bytes);
    set_payload(rest, packet);
    return Decoded::packet;
}

/// `rest` begins with the labels. What the labels carry is not said; the first half byte tells (RFC 4928).
Decoded decode_mpls(Rest rest, Packet& packet, Depth depth) {
    for (unsigned i = 0; i < tags_max; ++i) {
        if (!rest.has(4)) return rest.lack(4);
        const bool is_last = (rest.at[2] & 1) != 0;
        rest.advance(4);
        if (!is_last) continue;
        if (!rest.has(1)) return rest.lack(1);
        if (rest.at[0] >> 4 == 4) return decode_ipv4(rest, packet, depth);
        if (rest.at[0] >> 4 == 6) return decode_ipv6(rest, packet, depth);
        return Decoded::no_ip;
    }
    return Decoded::malformed;
}

Decoded decode_pppoe(Rest rest, Packet& packet, Depth depth) {
    constexpr std::size_t header_bytes = 6;
    if (!rest.has(header_bytes)) return rest.lack(header_bytes);
    if (rest.at[0] != 0x11) return Decoded::malformed;
    if (rest.at[1] != 0) return Decoded::no_ip;   // discovery
    rest.advance(header_bytes);
    return decode_ppp(rest, packet, depth);
}

/// What an Ethernet type stands for.
Decoded decode_type(std::uint16_t type, Rest rest, Packet& packet, Depth depth) {
    for (unsigned tags = 0; tags <= tags_max; ++tags) {
        switch (type) {
            case ether::ipv4: return decode_ipv4(rest, packet, depth);
            case ether::ipv6: return decode_ipv6(rest, packet, depth);
            case ether::vlan:
            case ether::qinq:
            case ether::qinq_more:
            case ether::provider_vlan:
                if (!rest.has(4)) return rest.lack(4);
                type = be16(rest.at + 2);
                rest.advance(4);
                continue;
            case ether::mpls:
            case ether::mpls_multicast: return decode_mpls(rest, packet, depth);
            case ether::pppoe_session: return decode_pppoe(rest, packet, depth);
            case ether::ppp: return decode_ppp(rest, packet, depth);
            case ether::bridged: return decode_ethernet(rest, packet, depth);
            default: break;
        }
        if (type > ether::length_max) return Decoded::no_ip;
        // IEEE 802.3: the type is a length, and IEEE 802.2 LLC follows.
        if (!rest.has(3)) return rest.lack(3);
        if (rest.at[0] == 0x06 && rest.at[1] == 0x06 && rest.at[2] == 0x03) {
            rest.advance(3);
            return decode_ipv4(rest, packet, depth);
        }
        if (rest.at[0] != 0xAA || rest.at[1] != 0xAA || rest.at[2] != 0x03) return Decoded::no_ip;
        if (!rest.has(8)) return rest.lack(8);
        // Organisation 0 is Ethernet (RFC 1042), 00-00-F8 bridged Ethernet (IEEE 802.1H).
        if (rest.at[3] != 0 || rest.at[4] != 0 || (rest.at[5] != 0 && rest.at[5] != 0xF8)) return Decoded::no_ip;
        type = be16(rest.at + 6);
        rest.advance(8);
        if (type < ether::type_min) return Decoded::no_ip;
    }
    return Decoded::malformed;
}

Decoded decode_ethernet(Rest rest, Packet& packet, Depth depth) {
    constexpr std::size_t header_bytes = 14;
    if (++depth.links > links_max) return Decoded::malformed;
    if (!rest.has(header_bytes)) return rest.lack(header_bytes);
    const auto type = be16(rest.at + 12);
    rest.advance(header_bytes);
    return decode_type(type, rest, packet, depth);
}

Decoded decode_ppp(Rest rest, Packet& packet, Depth depth) {
    if (++depth.links > links_max) return Decoded::malformed;
    // Address and control may be left out, as may the first byte of the protocol (RFC 1661, 6.5 and 6.6).
    if (!rest.has(1)) return rest.lack(1);
    if (rest.at[0] == 0xFF) {
        if (!rest.has(3)) return rest.lack(3);
        if (rest.at[1] == 0x03) rest.advance(2);
    }
    unsigned protocol = rest.at[0];
    if ((protocol & 1) == 0) {
        if (!rest.has(2)) return rest.lack(2);
        protocol = be16(rest.at);
        rest.advance(1);
    }
    rest.advance(1);
    switch (protocol) {
        case 0x0021: return decode_ipv4(rest, packet, depth);
        case 0x0057: return decode_ipv6(rest, packet, depth);
        case 0x0281:
        case 0x0283: return decode_mpls(rest, packet, depth);
        default: return Decoded::no_ip;
    }
}

Decoded decode_gre(Rest rest, Packet& packet, Depth depth) {
    if (!rest.has(4)) return rest.lack(4);
    const unsigned flags = be16(rest.at);
    const auto type = be16(rest.at + 2);
    const unsigned version = flags & 7;
    constexpr unsigned checksum = 0x8000, routing = 0x4000, key = 0x2000, sequence = 0x1000, acknowledgement = 0x0080;
    std::size_t header_bytes = 4;
    if ((flags & key) != 0) header_bytes += 4;
    if ((flags & sequence) != 0) header_bytes += 4;
    if (version == 0) {
        if ((flags & routing) != 0) return Decoded::no_ip;   // RFC 1701, which nobody uses
        if ((flags & checksum) != 0) header_bytes += 4;
    } else if (version == 1 && type == ether::ppp) {
        if ((flags & acknowledgement) != 0) header_bytes += 4;   // RFC 2637
    } else {
        return Decoded::no_ip;
    }
    if (!rest.has(header_bytes)) return rest.lack(header_bytes);
    rest.advance(header_bytes);
    if (rest.original == 0) return Decoded::no_ip;   // PPTP acknowledges so
    return type <= ether::length_max ? Decoded::no_ip : decode_type(type, rest, packet, depth);
}

/// What an IP packet carries that may hold another one. The outer packet stands where there is none in it.
Decoded decode_tunnel(Rest rest, Packet& packet, Depth depth) {
    set_payload(rest, packet);
    if (depth.ip >= depth_max) return Decoded::packet;
    Packet inner;
    inner.time_ns = packet.time_ns;
    inner.frame = packet.frame;
    inner.evidence = packet.evidence;
    Decoded decoded = Decoded::no_ip;
    switch (packet.protocol) {
        case ip::ipv4: decoded = decode_ipv4(rest, inner, depth); break;
        case ip::ipv6: decoded = decode_ipv6(rest, inner, depth); break;
        case ip::gre: decoded = decode_gre(rest, inner, depth); break;
        case ip::mpls: decoded = decode_mpls(rest, inner, depth); break;
        default: break;
    }
    if (decoded == Decoded::no_ip) return Decoded::packet;
    if (decoded == Decoded::packet) packet = inner;
    return decoded;
}

Decoded decode_transport(Rest rest, Packet& packet, Depth depth) {
    switch (packet.protocol) {
        case static_cast<std::uint8_t>(Protocol::tcp): return decode_tcp(rest, packet);
        case static_cast<std::uint8_t>(Protocol::udp): return decode_udp(rest, packet);
        case static_cast<std::uint8_t>(Protocol::icmp):
        case static_cast<std::uint8_t>(Protocol::icmp6): return decode_icmp(rest, packet);
        case ip::ipv4:
        case ip::ipv6:
        case ip::gre:
        case ip::mpls: return decode_tunnel(rest, packet, depth);
        default: set_payload(rest, packet); return Decoded::packet;
    }
}

/// Past an authentication header (RFC 4302); what it vouches for is in the clear.
Decoded pass_authentication(Rest& rest, std::uint8_t& protocol) {
    if (!rest.has(12)) return rest.lack(12);
    const std::size_t header_bytes = (std::size_t{rest.at[1]} + 2) * 4;
    if (header_bytes < 12) return Decoded::malformed;
    if (!rest.has(header_bytes)) return rest.lack(header_bytes);
    protocol = rest.at[0];
    rest.advance(header_bytes);
    return Decoded::packet;
}

/// In the halves in which addresses are compared: a processor reads back at once only what was written in one piece.
void set_ipv4(IpAddress& address, const std::uint8_t* at) {
    std::uint64_t lower = 0xFFFF'0000'0000 | be32(at);
    if constexpr (std::endian::native == std::endian::little) lower = __builtin_bswap64(lower);
    std::memset(address.bytes.data(), 0, 8);
    std::memcpy(address.bytes.data() + 8, &lower, 8);
}

Decoded decode_ipv4(Rest rest, Packet& packet, Depth depth) {
    constexpr std::size_t header_bytes_min = 20;
    ++depth.ip;
    if (!rest.has(header_bytes_min)) return rest.lack(header_bytes_min);
    const std::uint8_t* const at = rest.at;
    const std::size_t header_bytes = (std::size_t{at[0]} & 0xF) << 2;
    if (at[0] >> 4 != 4 || header_bytes < header_bytes_min) return Decoded::malformed;
    const std::size_t length = be16(at + 2);
    // 0 stands where the network card has yet to cut the packet up.
    if (length != 0) {
        if (length < header_bytes) return Decoded::malformed;
        rest.limit(length);
    }
    if (!rest.has(header_bytes)) return rest.lack(header_bytes);
    packet.ip_version = 4;
    packet.ip_id = be16(at + 4);
    const unsigned fragment = be16(at + 6);
    packet.has_df = (fragment & 0x4000) != 0;
    packet.ttl = at[8];
    packet.protocol = at[9];
    set_ipv4(packet.source, at + 12);
    set_ipv4(packet.destination, at + 16);
    rest.advance(header_bytes);
    if ((fragment & 0x3FFF) != 0) {
        packet.is_fragment = true;
        packet.has_more_fragments = (fragment & 0x2000) != 0;
        packet.fragment_id = packet.ip_id;
        packet.fragment_offset_bytes = (fragment & 0x1FFF) * 8;
        set_payload(rest, packet);
        return Decoded::packet;
    }
    for (unsigned i = 0; packet.protocol == ip::authentication; ++i) {
        const Decoded passed = i < depth_max ? pass_authentication(rest, packet.protocol) : Decoded::malformed;
        if (passed != Decoded::packet) return passed;
    }
    return decode_transport(rest, packet, depth);
}

Decoded decode_ipv6(Rest rest, Packet& packet, Depth depth) {
    constexpr std::size_t header_bytes = 40;
    ++depth.ip;
    if (!rest.has(header_bytes)) return rest.lack(header_bytes);
    const std::uint8_t* const header = rest.at;
    if (header[0] >> 4 != 6) return Decoded::malformed;
    const std::size_t length = be16(header + 4);
    std::uint8_t next = header[6];
    packet.ip_version = 6;
    packet.has_df = true;
    packet.ttl = header[7];
    std::memcpy(packet.source.bytes.data(), header + 8, 16);
    std::memcpy(packet.destination.bytes.data(), header + 24, 16);
    // 0 stands in jumbograms (RFC 2675), and where the network card has yet to cut the packet up.
    if (length != 0 || next == ip::none) rest.limit(header_bytes + length);
    rest.advance(header_bytes);
    for (unsigned i = 0; i < extensions_max; ++i) {
        switch (next) {
            case ip::hop_by_hop:
            case ip::routing:
            case ip::destination_options:
            case ip::shim6: {
                if (!rest.has(8)) return rest.lack(8);
                const std::size_t extension_bytes = (std::size_t{rest.at[1]} + 1) * 8;
                if (!rest.has(extension_bytes)) return rest.lack(extension_bytes);
                next = rest.at[0];
                rest.advance(extension_bytes);
                continue;
            }
            case ip::authentication: {
                const Decoded passed = pass_authentication(rest, next);
                if (passed != Decoded::packet) return passed;
                continue;
            }
            case ip::fragment: {
                if (!rest.has(8)) return rest.lack(8);
                const unsigned field = be16(rest.at + 2);
                next = rest.at[0];
                const auto id = be32(rest.at + 4);
                rest.advance(8);
                // An atomic fragment is whole (RFC 6946).
                if ((field & 0xFFF9) == 0) continue;
                packet.protocol = next;
                packet.is_fragment = true;
                packet.has_more_fragments = (field & 1) != 0;
                packet.fragment_id = id;
                packet.fragment_offset_bytes = field & 0xFFF8;
                set_payload(rest, packet);
                return Decoded::packet;
            }
            default: packet.protocol = next; return decode_transport(rest, packet, depth);
        }
    }
    return Decoded::malformed;
}

Decoded decode_any_ip(Rest rest, Packet& packet) {
    if (!rest.has(1)) return rest.lack(1);
    if (rest.at[0] >> 4 == 4) return decode_ipv4(rest, packet, {});
    if (rest.at[0] >> 4 == 6) return decode_ipv6(rest, packet, {});
    return Decoded::malformed;
}

/// An address family in the byte order of whoever captured; IPv6 has another number on each system.
Decoded decode_family(Rest rest, Packet& packet) {
    if (!rest.has(4)) return rest.lack(4);
    auto family = le32(rest.at);
    if (family > 0xFFFF) family = be32(rest.at);
    rest.advance(4);
    switch (family) {
        case 2: return decode_ipv4(rest, packet, {});
        case 10:
        case 23:
        case 24:
        case 28:
        case 30: return decode_ipv6(rest, packet, {});
        default: return Decoded::no_ip;
    }
}

/// `is_padded`: the header was filled up to a multiple of four bytes, as radiotap says.
Decoded decode_wireless(Rest rest, Packet& packet, bool is_padded) {
    constexpr std::size_t header_bytes_min = 24;
    if (!rest.has(2)) return rest.lack(2);
    const unsigned control = rest.at[0];
    const unsigned flags = rest.at[1];
    constexpr unsigned version_mask = 0x03, type_mask = 0x0C, data = 0x08, no_data = 0x40, qos = 0x80;
    constexpr unsigned to_and_from = 0x03, more_fragments = 0x04, is_protected = 0x40, order = 0x80;
    if ((control & (version_mask | type_mask)) != data || (control & no_data) != 0) return Decoded::no_ip;
    if ((flags & (more_fragments | is_protected)) != 0) return Decoded::no_ip;
    std::size_t header_bytes = header_bytes_min;
    if ((flags & to_and_from) == to_and_from) header_bytes += 6;
    const std::size_t qos_at = header_bytes;
    if ((control & qos) != 0) header_bytes += (flags & order) != 0 ? 6 : 2;
    if (is_padded) header_bytes = (header_bytes + 3) / 4 * 4;
    if (!rest.has(header_bytes)) return rest.lack(header_bytes);
    if ((le16(rest.at + 22) & 0xF) != 0) return Decoded::no_ip;                            // a fragment
    if ((control & qos) != 0 && (rest.at[qos_at] & 0x80) != 0) return Decoded::no_ip;      // several frames in one (A-MSDU)
    rest.advance(header_bytes);
    // LLC and SNAP stand where Ethernet has its length.
    return decode_type(0, rest, packet, {});
}

Decoded decode_radiotap(Rest rest, Packet& packet) {
    if (!rest.has(8)) return rest.lack(8);
    const std::size_t header_bytes = le16(rest.at + 2);
    if (rest.at[0] != 0 || header_bytes < 8) return Decoded::malformed;
    if (!rest.has(header_bytes)) return rest.lack(header_bytes);
    constexpr std::uint32_t timestamp = 1u << 0, flags = 1u << 1, more_words = 1u << 31;
    const auto present = le32(rest.at + 4);
    std::size_t at = 8;
    for (auto word = present; (word & more_words) != 0 && at + 4 <= header_bytes; at += 4) word = le32(rest.at + at);
    if ((present & timestamp) != 0) at = (at + 7) / 8 * 8 + 8;
    const bool has_flags = (present & flags) != 0 && at < header_bytes;
    const bool is_padded = has_flags && (rest.at[at] & 0x20) != 0;
    rest.advance(header_bytes);
    return decode_wireless(rest, packet, is_padded);
}

Decoded decode_link(std::uint16_t link_type, Rest rest, Packet& packet) {
    switch (link_type) {
        case link::ethernet: return decode_ethernet(rest, packet, {});
        case link::null:
        case link::loop: return decode_family(rest, packet);
        case link::raw:
        case link::raw_bsd:
        case link::raw_openbsd: return decode_any_ip(rest, packet);
        case link::ipv4: return decode_ipv4(rest, packet, {});
        case link::ipv6: return decode_ipv6(rest, packet, {});
        case link::ppp:
        case link::ppp_hdlc: return decode_ppp(rest, packet, {});
        case link::pppoe: return decode_pppoe(rest, packet, {});
        case link::ieee802_11: return decode_wireless(rest, packet, false);
        case link::radiotap: return decode_radiotap(rest, packet);
        case link::c_hdlc: {
            if (!rest.has(4)) return rest.lack(4);
            const auto type = be16(rest.at + 2);
            rest.advance(4);
            return type < ether::type_min ? Decoded::no_ip : decode_type(type, rest, packet, {});
        }
        case link::linux_sll: {
            if (!rest.has(16)) return rest.lack(16);
            const auto type = be16(rest.at + 14);
            rest.advance(16);
            // Small numbers are the kernel's own: 4 is a frame that begins with LLC.
            if (type < ether::type_min && type != 4) return Decoded::no_ip;
            return decode_type(type, rest, packet, {});
        }
        case link::linux_sll2: {
            if (!rest.has(20)) return rest.lack(20);
            const auto type = be16(rest.at);
            rest.advance(20);
            if (type < ether::type_min && type != 4) return Decoded::no_ip;
            return decode_type(type, rest, packet, {});
        }
        case link::ppi: {
            if (!rest.has(8)) return rest.lack(8);
            const std::size_t header_bytes = le16(rest.at + 2);
            const auto inner = le32(rest.at + 4);
            if (header_bytes < 8) return Decoded::malformed;
            if (!rest.has(header_bytes)) return rest.lack(header_bytes);
            rest.advance(header_bytes);
            if (inner > 0xFFFF || inner == link::ppi || !is_known_link_type(static_cast<std::uint16_t>(inner))) return Decoded::unknown_link;
            return decode_link(static_cast<std::uint16_t>(inner), rest, packet);
        }
        default: return Decoded::unknown_link;
    }
}

}  // namespace

std::string_view decoded_name(Decoded decoded) {
    switch (decoded) {
        case Decoded::packet: return "packet";
        case Decoded::no_ip: return "no IP";
        case Decoded::unknown_link: return "unknown link type";
        case Decoded::truncated: return "cut within the headers";
        case Decoded::malformed: return "malformed";
    }
    return "";
}

/// Copied, since a packet made on the spot is written in small pieces and read in large ones, for which a processor waits.
constinit const Packet blank{};

Decoded decode_packet(const Frame& frame, Packet& packet) {
    packet = blank;
    packet.time_ns = frame.time_ns;
    packet.frame = frame.number;
    packet.evidence = frame.evidence;
    const Rest rest{frame.bytes.data(), frame.bytes.size(), std::max<std::size_t>(frame.bytes_original, frame.bytes.size())};
    // Nearly every frame of nearly every capture.
    if (frame.link_type == link::ethernet && rest.captured >= 34 && be16(rest.at + 12) == ether::ipv4)
        return decode_ipv4({rest.at + 14, rest.captured - 14, rest.original - 14}, packet, {0, 1});
    return decode_link(frame.link_type, rest, packet);
}

Decoded decode_ip(std::span<const std::uint8_t> bytes, std::uint32_t bytes_original, Packet& packet) {
    const auto time_ns = packet.time_ns;
    const auto frame = packet.frame;
    const auto evidence = packet.evidence;
    packet = blank;
    packet.time_ns = time_ns;
    packet.frame = frame;
    packet.evidence = evidence;
    return decode_any_ip({bytes.data(), bytes.size(), std::max<std::size_t>(bytes_original, bytes.size())}, packet);
}

bool is_known_link_type(std::uint16_t link_type) {
    switch (link_type) {
        case link::null:
        case link::ethernet:
        case link::ppp:
        case link::raw_bsd:
        case link::raw_openbsd:
        case link::ppp_hdlc:
        case link::pppoe:
        case link::raw:
        case link::c_hdlc:
        case link::ieee802_11:
        case link::loop:
        case link::linux_sll:
        case link::radiotap:
        case link::ppi:
        case link::ipv4:
        case link::ipv6:
        case link::linux_sll2: return true;
        default: return false;
    }
}

}  // namespace unveil
