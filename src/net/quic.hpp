// Which server name does a QUIC connection ask for? Initial packets of versions 1 (RFC 9000, 9001) and 2 (RFC 9369) are decrypted with the keys
// that everybody on the path can derive from the destination connection ID; so are those of the drafts 23 to 34, which captures of 2019 to 2021 hold.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "net/tls.hpp"

namespace unveil {

enum class QuicKind : std::uint8_t { not_quic, version_negotiation, initial, zero_rtt, handshake, retry, short_header, unknown_version };

struct QuicHeader {
    QuicKind kind = QuicKind::not_quic;
    std::uint32_t version = 0;
    std::span<const std::uint8_t> destination_id;   // up to 20 bytes in the versions that are read, up to 255 elsewhere (RFC 8999)
    std::span<const std::uint8_t> source_id;
    std::uint32_t packet_bytes = 0;                 // of this packet within the datagram
};
/// Looks at the first packet of a datagram; decrypts nothing. A short header is told from noise only by its fixed bit.
QuicHeader parse_quic_header(std::span<const std::uint8_t> datagram);

enum class QuicResult : std::uint8_t {
    hello,         // the ClientHello is whole
    need_more,     // authentic, but CRYPTO frames are missing
    no_crypto,     // authentic, without CRYPTO data
    not_initial,
    not_authentic, // the AEAD tag does not fit: no client Initial, another version, or cut by the capture
    malformed,     // authentic with nonsense inside
    unsupported,   // a version that is not read
};

/// What one client has sent in Initial packets so far; a few hundred bytes until a packet comes.
class QuicClient {
  public:
    QuicClient();
    ~QuicClient();
    QuicClient(QuicClient&&) noexcept;
    QuicClient& operator=(QuicClient&&) noexcept;

    /// A datagram from client to server; all its coalesced Initial packets are read. Keys come from the first Initial's destination ID and stay
    /// (after a Retry they are derived again). CRYPTO frames in any order, overlaps allowed (the first bytes stay), at most 64 KiB.
    QuicResult add_datagram(std::span<const std::uint8_t> datagram);
    /// Whole once add_datagram has said hello.
    const ClientHello& hello() const;
    std::uint32_t initials_read() const;

  private:
    friend std::string server_name_at_first_sight(std::span<const std::uint8_t> datagram);
    struct State;
    std::unique_ptr<State> m_state;
};

/// The name that a box sees which reads as the one measured by Zohaib et al. (USENIX Security 2025, section 3.6): only version 1, only one packet, only
/// when it begins with a CRYPTO frame, whose length it does not ask when it is 0. Empty when it sees none. What it then blocks is another matter.
std::string server_name_at_first_sight(std::span<const std::uint8_t> datagram);

}  // namespace unveil
