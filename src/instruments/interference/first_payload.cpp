#include "instruments/interference/first_payload.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "core/error.hpp"

namespace unveil {
namespace {

bool begins_with(std::span<const std::uint8_t> bytes, std::string_view text) {
    return bytes.size() >= text.size() && std::memcmp(bytes.data(), text.data(), text.size()) == 0;
}

/// Processors of the oldest kind that this is built for have no instruction for it.
constexpr std::array<std::uint8_t, 256> bits_of = [] {
    std::array<std::uint8_t, 256> bits{};
    for (unsigned byte = 0; byte < 256; ++byte) bits[byte] = static_cast<std::uint8_t>(std::popcount(byte));
    return bits;
}();

bool is_printable(std::uint8_t byte) { return byte >= 0x20 && byte <= 0x7E; }

}  // namespace

std::string_view payload_kind_name(PayloadKind kind) {
    constexpr std::array<std::string_view, 7> names = {"none", "tls", "http", "dns", "quic", "ssh", "other"};
    return names[static_cast<std::size_t>(kind)];
}

PayloadKind payload_kind(std::span<const std::uint8_t> first) {
    if (first.empty()) return PayloadKind::none;
    if (first.size() >= 3 && first[0] == 0x16 && first[1] == 0x03 && first[2] <= 0x04) return PayloadKind::tls;
    constexpr std::array<std::string_view, 9> methods = {"GET ", "POST ", "HEAD ", "PUT ", "OPTIONS ", "CONNECT ", "DELETE ", "PATCH ", "TRACE "};
    if (std::any_of(methods.begin(), methods.end(), [&](std::string_view method) { return begins_with(first, method); })) return PayloadKind::http;
    if (begins_with(first, "SSH-")) return PayloadKind::ssh;
    return PayloadKind::other;
}

std::string_view exemption_name(Exemption exemption) {
    constexpr std::array<std::string_view, 6> names = {"none", "bit-density", "printable-prefix", "printable-share", "printable-run", "known-protocol"};
    return names[static_cast<std::size_t>(exemption)];
}

Exemption fully_encrypted_exemption(std::span<const std::uint8_t> payload) {
    std::uint64_t set_bits = 0;
    std::uint64_t printable = 0;
    std::uint64_t run = 0;
    std::uint64_t longest_run = 0;
    for (const std::uint8_t byte : payload) {
        set_bits += bits_of[byte];
        if (is_printable(byte)) {
            ++printable;
            longest_run = std::max(longest_run, ++run);
        } else {
            run = 0;
        }
    }
    const auto bytes = static_cast<double>(payload.size());
    // Divided as detect.py does, so that the borders fall on the same side.
    const double density = payload.empty() ? 0 : static_cast<double>(set_bits) / bytes;
    if (density <= 3.4 || density >= 4.6) return Exemption::bit_density;
    constexpr std::size_t prefix_bytes = 6;
    if (payload.size() >= prefix_bytes && std::all_of(payload.begin(), payload.begin() + prefix_bytes, is_printable)) return Exemption::printable_prefix;
    if (static_cast<double>(printable) / bytes > 0.5) return Exemption::printable_share;
    if (longest_run > 20) return Exemption::printable_run;
    if (payload.size() >= 3 && (payload[0] == 0x16 || payload[0] == 0x17) && payload[1] == 0x03 && payload[2] <= 0x0F) return Exemption::known_protocol;
    for (const std::string_view method : {"GET ", "PUT ", "POST ", "HEAD "})
        if (begins_with(payload, method)) return Exemption::known_protocol;
    return Exemption::none;
}

}  // namespace unveil
