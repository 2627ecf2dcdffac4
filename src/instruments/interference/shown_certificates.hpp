// What does the certificate say that a server showed in plain (TLS 1.2 and older): is it for the name that was asked for, and who signed it? There is no
// store of trusted issuers here, so that a certificate for a name may still be anybody's.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "instruments/interference/facts.hpp"
#include "instruments/interference/name_book.hpp"
#include "net/packet.hpp"
#include "net/tcp_stream.hpp"
#include "net/tls.hpp"

namespace unveil {

struct ShownCertificate {
    std::uint64_t leaf = 0;            // the first 16 hex digits of its SHA-256; 0: none was read
    std::uint32_t issuer = 0;          // of NameBook: organisation and common name of who signed it
    std::uint8_t known_issuer = 0;     // 1 + place among the facts' issuers, of any certificate that came with it; 0: none
    bool is_for_name = false;          // it covers the name that was asked for
    bool is_self_issued = false;
};

/// Reads each different certificate once, and once more for each further name; what goes beyond the limits is read every time.
class CertificateReader {
  public:
    static constexpr std::size_t certificates_kept_max = 1 << 16;
    static constexpr std::size_t pairs_kept_max = 1 << 18;

    CertificateReader(const InterferenceFacts& facts, NameBook& names) : m_facts(facts), m_names(names) {}
    /// Leaf first, as sent. O(bytes of the chain).
    ShownCertificate read(std::span<const std::vector<std::uint8_t>> chain, std::uint32_t name);

  private:
    struct Known {
        std::uint64_t leaf = 0;        // 0: none could be read
        std::uint32_t issuer = 0;
        std::uint8_t known_issuer = 0;
        bool is_self_issued = false;
    };
    Known describe(std::span<const std::uint8_t> der);
    std::uint8_t known_issuer_of(const CertificateNames& names) const;

    const InterferenceFacts& m_facts;
    NameBook& m_names;
    CertificateNames m_parsed;
    std::unordered_map<std::uint64_t, Known> m_known;     // by hash of the certificate
    std::unordered_map<std::uint64_t, bool> m_covers;     // by that and name
};

/// The server's first words of connections that still are to show a certificate.
class FlightWatch {
  public:
    static constexpr std::uint32_t flight_bytes_max = 16u << 10;
    static constexpr std::size_t flights_open_max = 4'096;

    FlightWatch(const InterferenceFacts& facts, NameBook& names) : m_reader(facts, names) {}

    /// With the first packet of an answer that begins at `sequence`. What it returns is to get every further packet; null when there is nothing more to come,
    /// and `shown` holds what came.
    std::unique_ptr<TcpStream> begin(const Packet& first, std::uint32_t sequence, std::uint32_t name, ShownCertificate& shown);
    /// Says whether nothing more is to come; then end() is due.
    bool add(TcpStream& flight, const Packet& packet);
    ShownCertificate end(std::unique_ptr<TcpStream> flight, std::uint32_t name);

    std::uint64_t not_read() const { return m_not_read; }   // too many were open

  private:
    CertificateReader m_reader;
    ServerFlight m_flight;
    std::size_t m_open = 0;
    std::uint64_t m_not_read = 0;
};

}  // namespace unveil
