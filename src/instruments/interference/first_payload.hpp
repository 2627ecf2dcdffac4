// What does a connection begin with: TLS, HTTP, or bytes that look like nothing at all? The last are what some firewalls drop as fully encrypted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace unveil {

enum class PayloadKind : std::uint8_t { none, tls, http, dns, quic, ssh, other, dns_tcp };
inline constexpr std::size_t payload_kind_count = 8;
std::string_view payload_kind_name(PayloadKind kind);

/// By the first bytes of a TCP stream's client side.
PayloadKind payload_kind(std::span<const std::uint8_t> first);

/// Why a first payload is left alone, in the order in which the rule asks; Wu et al., "How the Great Firewall of China Detects and Blocks Fully
/// Encrypted Traffic", USENIX Security 2023, Algorithm 1, as its published detect.py computes it.
enum class Exemption : std::uint8_t {
    none,               // the payload would be eligible
    bit_density,        // at most 3.4 or at least 4.6 set bits a byte
    printable_prefix,   // the first six bytes are printable ASCII
    printable_share,    // more than half of the bytes are
    printable_run,      // more than 20 in a row are
    known_protocol,     // begins as TLS or with an HTTP method
};
std::string_view exemption_name(Exemption exemption);
/// An empty payload is exempt by its bit density. O(n). That a payload is eligible does not say that it was blocked.
Exemption fully_encrypted_exemption(std::span<const std::uint8_t> payload);

}  // namespace unveil
