// Which server name, versions and certificates does the plain part of a TLS connection show? RFC 8446, RFC 5246, RFC 6066; ECH (draft-ietf-tls-esni)
// and its forerunner ESNI are recognised.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace unveil {

struct ClientHello {
    std::uint16_t legacy_version = 0;
    std::array<std::uint8_t, 32> random{};
    std::uint8_t session_id_bytes = 0;
    std::string server_name;              // as sent; hostile text; empty without SNI
    bool has_server_name = false;
    std::uint32_t server_name_offset = 0; // in the handshake message
    std::vector<std::uint16_t> cipher_suites;
    std::vector<std::uint16_t> extensions;         // types in order
    std::vector<std::string> alpn;
    std::vector<std::uint16_t> supported_versions;
    bool has_ech = false;                 // extension 0xfe0d
    bool has_esni = false;                // extensions 0xffce and 0xff02 to 0xff04
    std::uint16_t esni_extension = 0;
};

struct ServerHello {
    std::uint16_t version = 0;            // selected; supported_versions counts
    std::uint16_t cipher_suite = 0;
    bool is_retry = false;                // HelloRetryRequest
};

enum class TlsParse : std::uint8_t {
    done,
    need_more,     // a prefix of what is looked for; what is whole of it is read
    not_tls,       // the first bytes are no TLS record of this kind
    malformed,
};

/// From the bytes of a TCP stream's client side: records are put together when the message spans several. `bytes_used` counts record bytes.
TlsParse parse_client_hello(std::span<const std::uint8_t> stream, ClientHello& hello, std::uint32_t* bytes_used = nullptr);
/// From a handshake message alone, header of four bytes included: of QUIC CRYPTO frames.
TlsParse parse_client_hello_message(std::span<const std::uint8_t> message, ClientHello& hello);

struct ServerFlight {
    bool has_hello = false;
    ServerHello hello;
    std::vector<std::vector<std::uint8_t>> certificates_der;   // leaf first; of TLS 1.2 and older only; at most 8 of 64 KiB in all
    bool has_alert = false;
    std::uint8_t alert_level = 0;
    std::uint8_t alert_description = 0;
};
/// From the bytes of the server side. need_more when a record or message is cut; what was read until then stays.
TlsParse parse_server_flight(std::span<const std::uint8_t> stream, ServerFlight& flight);

struct CertificateNames {
    std::string subject_common_name;
    std::string issuer_common_name;
    std::string issuer_organisation;
    std::vector<std::string> alternative_names;   // dNSName and iPAddress as text; at most 1,000
    std::int64_t not_before_us = 0;
    std::int64_t not_after_us = 0;
    bool is_self_issued = false;                  // issuer equals subject
};
/// False for bytes that are no certificate.
bool read_certificate(std::span<const std::uint8_t> der, CertificateNames& names);
/// Whether a certificate with these names is for `host` (RFC 6125, 6.4: a wildcard stands for one whole leftmost label).
bool certificate_covers(const CertificateNames& names, std::string_view host);

}  // namespace unveil
