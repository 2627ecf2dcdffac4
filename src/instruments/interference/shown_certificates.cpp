#include "instruments/interference/shown_certificates.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/digest.hpp"
#include "core/hash.hpp"
#include "core/random.hpp"
#include "net/ascii_case.hpp"

namespace unveil {
namespace {

bool begins_without_case(std::string_view text, std::string_view beginning) {
    return is_same_without_case(text.substr(0, beginning.size()), beginning);
}

std::uint64_t fingerprint_of(std::span<const std::uint8_t> der) {
    const std::string hex = sha256_hex({reinterpret_cast<const char*>(der.data()), der.size()});
    std::uint64_t fingerprint = 0;
    std::from_chars(hex.data(), hex.data() + 16, fingerprint, 16);
    return fingerprint;
}

}  // namespace

std::uint8_t CertificateReader::known_issuer_of(const CertificateNames& names) const {
    for (std::size_t i = 0; i < m_facts.issuers.size(); ++i) {
        const IssuerFact& fact = m_facts.issuers[i];
        if (fact.mark == FactMark::remembered || fact.issuer.empty()) continue;
        if (begins_without_case(names.issuer_common_name, fact.issuer) || begins_without_case(names.issuer_organisation, fact.issuer)) return static_cast<std::uint8_t>(i + 1);
    }
    return 0;
}

/// Reads it into m_parsed as well.
CertificateReader::Known CertificateReader::describe(std::span<const std::uint8_t> der) {
    Known known;
    if (!read_certificate(der, m_parsed)) return known;
    known.leaf = fingerprint_of(der);
    const bool has_both = !m_parsed.issuer_organisation.empty() && !m_parsed.issuer_common_name.empty();
    known.issuer = m_names.issuer_number(fmt::format("{}{}{}", m_parsed.issuer_organisation, has_both ? ", " : "", m_parsed.issuer_common_name));
    known.known_issuer = known_issuer_of(m_parsed);
    known.is_self_issued = m_parsed.is_self_issued;
    return known;
}

ShownCertificate CertificateReader::read(std::span<const std::vector<std::uint8_t>> chain, std::uint32_t name) {
    ShownCertificate shown;
    for (std::size_t i = 0; i < chain.size(); ++i) {
        const std::uint64_t hash = hash_bytes(chain[i]);
        const bool is_leaf = i == 0;
        const auto known = m_known.find(hash);
        const std::uint64_t pair = mix64(hash ^ mix64(name));
        const auto covers = is_leaf ? m_covers.find(pair) : m_covers.end();
        const bool needs_names = is_leaf && covers == m_covers.end();
        Known described;
        if (known != m_known.end() && (!needs_names || known->second.leaf == 0)) {
            described = known->second;
        } else {
            described = describe(chain[i]);
            if (m_known.size() < certificates_kept_max) m_known.emplace(hash, described);
        }
        if (shown.known_issuer == 0) shown.known_issuer = described.known_issuer;
        if (!is_leaf) continue;
        if (described.leaf == 0) return {};
        shown.leaf = described.leaf;
        shown.issuer = described.issuer;
        shown.is_self_issued = described.is_self_issued;
        shown.is_for_name = needs_names ? certificate_covers(m_parsed, m_names.name(name)) : covers->second;
        if (needs_names && m_covers.size() < pairs_kept_max) m_covers.emplace(pair, shown.is_for_name);
    }
    return shown;
}

std::unique_ptr<TcpStream> FlightWatch::begin(const Packet& first, std::uint32_t sequence, std::uint32_t name, ShownCertificate& shown) {
    // Most are of TLS 1.3, where the first packet says so and certificates are hidden.
    if (first.sequence == sequence && parse_server_flight(first.payload, m_flight) != TlsParse::need_more) {
        shown = m_reader.read(m_flight.certificates_der, name);
        return nullptr;
    }
    if (m_open >= flights_open_max) {
        ++m_not_read;
        return nullptr;
    }
    auto flight = std::make_unique<TcpStream>(OverlapPolicy::first, flight_bytes_max);
    flight->start(sequence);
    flight->add(first.sequence, first.payload);
    ++m_open;
    return flight;
}

bool FlightWatch::add(TcpStream& flight, const Packet& packet) {
    if (!flight.add(packet.sequence, packet.payload).has_new) return packet.has_flag(tcp_flag::fin);
    return flight.front().size() >= flight_bytes_max || packet.has_flag(tcp_flag::fin) || parse_server_flight(flight.front(), m_flight) != TlsParse::need_more;
}

ShownCertificate FlightWatch::end(std::unique_ptr<TcpStream> flight, std::uint32_t name) {
    --m_open;
    parse_server_flight(flight->front(), m_flight);
    return m_reader.read(m_flight.certificates_der, name);
}

}  // namespace unveil
