// What are the bytes of a packet of a made-up network? Frames from Ethernet up, the messages that clients and servers send in them, and
// the capture file that holds them. Written from the standards alone: nothing here knows how the instruments read packets.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/random.hpp"

namespace unveil::lab {

struct WireAddress {
    std::array<std::uint8_t, 16> bytes{};  // the first four for IPv4
    bool is_v6 = false;

    std::string text() const;
    bool operator==(const WireAddress&) const = default;
};

WireAddress wire_v4(std::uint32_t address);

struct IpFields {
    WireAddress from;
    WireAddress to;
    std::uint64_t mac_from = 0;  // the low 48 bits
    std::uint64_t mac_to = 0;
    std::uint16_t id = 0;  // IPv4 only, like the next
    bool dont_fragment = false;
    std::uint8_t ttl = 64;
};

namespace tcp_bit {
inline constexpr std::uint8_t fin = 0x01, syn = 0x02, rst = 0x04, psh = 0x08, ack = 0x10;
}

struct TcpFields {
    std::uint16_t from_port = 0;
    std::uint16_t to_port = 0;
    std::uint32_t seq = 0;
    std::uint32_t ack = 0;
    std::uint8_t flags = 0;
    std::uint16_t window = 0;
    std::uint16_t mss = 0;  // 0: without
    bool permits_sack = false;
    std::optional<std::uint8_t> window_shift;
    std::optional<std::array<std::uint32_t, 2>> timestamps;  // value, echo
};

/// Appends one Ethernet frame with right lengths and checksums.
void append_tcp_frame(std::string& out, const IpFields& ip, const TcpFields& tcp, std::string_view payload);
void append_udp_frame(std::string& out, const IpFields& ip, std::uint16_t from_port, std::uint16_t to_port, std::string_view payload);

// DNS (RFC 1035, 6891)

inline constexpr std::uint16_t dns_type_a = 1, dns_type_aaaa = 28;

struct DnsAnswerFields {
    std::uint16_t id = 0;
    std::uint16_t flags = 0x8180;  // the whole second word: QR, AA, RD, RA, RCODE
    std::string_view name;
    std::uint16_t type = dns_type_a;
    std::span<const WireAddress> addresses;
    std::uint32_t ttl_seconds = 300;
    bool has_edns = false;
};

std::string dns_query(std::uint16_t id, std::string_view name, std::uint16_t type, bool has_edns);
/// Each answer points back to the question's name.
std::string dns_answer(const DnsAnswerFields& fields);

// TLS (RFC 8446, 6066)

struct ClientHelloFields {
    std::string_view server_name;
    std::string_view protocol = "http/1.1";       // ALPN
    std::size_t bytes_min = 0;                    // padded up to this many bytes, record header included
    std::string_view quic_source_connection_id{};  // given together with is_quic
    bool is_quic = false;                         // a bare handshake message with transport parameters
};
std::string tls_client_hello(const ClientHelloFields& fields, Random& random);
/// A record with the ServerHello, then a change of cipher.
std::string tls_server_hello(Random& random);
/// A ServerHello handshake message without its record.
std::string tls_server_hello_message(Random& random);
/// A certificate (X.509, RFC 5280) without a signature that anybody could check.
struct CertificateFields {
    std::string_view issuer_organisation;
    std::string_view issuer_common_name;
    std::string_view common_name;
    std::span<const std::string> names{};   // dNSName; none: the extension is left out
};
std::string certificate_der(const CertificateFields& fields, Random& random);
/// What a server of TLS 1.2 says first (RFC 5246, 7.4): hello, certificates, leaf first, an opaque key exchange that fills it up to `bytes`, and that it is done.
std::string tls12_server_flight(std::span<const std::string> chain, std::size_t bytes, Random& random);
/// The client's answer: key exchange, change of cipher and the opaque end of the handshake.
std::string tls12_client_finish(Random& random);
/// The server's: change of cipher and the opaque end.
std::string tls12_server_finish(Random& random);
/// A change of cipher and the opaque end of a handshake.
std::string tls_client_finish(Random& random);
/// The header of one opaque record of `bytes` (at most 16384) that follow.
std::string tls_application_header(std::size_t bytes);

// HTTP/1.1

std::string http_request(std::string_view host, std::string_view path);
std::string http_response(int status, std::string_view reason, std::string_view title, std::size_t body_bytes);

// QUIC version 1 (RFC 9000, 9001)

/// Initial packets of one connection, protected with the keys that follow from the client's first destination id.
class QuicWriter {
  public:
    QuicWriter(std::string client_destination_id, std::string client_source_id, std::string server_source_id);

    /// A datagram of `datagram_bytes` with one Initial that holds the whole ClientHello.
    std::string client_initial(std::string_view client_hello_message, std::uint32_t packet_number, std::size_t datagram_bytes) const;
    /// An Initial with an acknowledgement and the ServerHello, then `handshake_bytes` of an opaque Handshake packet.
    std::string server_initial(std::string_view server_hello_message, std::uint32_t packet_number, std::size_t handshake_bytes, Random& random) const;
    /// An opaque Handshake packet of the client.
    std::string client_handshake(std::size_t bytes, Random& random) const;
    /// An opaque packet with a short header.
    std::string one_rtt(bool is_to_server, std::size_t bytes, Random& random) const;

  private:
    struct Keys {
        std::string key, iv, header_protection;
    };
    static Keys keys_of(std::string_view initial_secret, std::string_view label);
    std::string initial(const Keys& keys, std::string_view destination_id, std::string_view source_id, std::string_view frames,
                        std::uint32_t packet_number) const;

    std::string m_client_destination_id, m_client_source_id, m_server_source_id;
    Keys m_client, m_server;
};

/// Bytes without any structure, redrawn until a censor of fully encrypted traffic would look at them: neither few nor many bits set, no
/// printable beginning, nothing like TLS or HTTP.
std::string fully_random_payload(std::size_t bytes, Random& random);
std::string random_bytes(std::size_t bytes, Random& random);

// Capture files

/// The header of a pcap file with Ethernet frames and nanoseconds.
std::string pcap_file_header(std::uint32_t snap_bytes);
void append_pcap_record(std::string& out, std::int64_t time_ns, std::uint32_t bytes_on_wire, std::string_view captured);

/// RFC 1071 over bytes that may be odd in number; `sum` may begin with that of a pseudo header. Not complemented.
std::uint32_t internet_sum(std::string_view bytes, std::uint32_t sum = 0);
std::uint16_t internet_checksum(std::uint32_t sum);

}  // namespace unveil::lab
