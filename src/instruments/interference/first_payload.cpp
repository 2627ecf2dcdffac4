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

/// Side by side within a word (Warren 2013, section 5-1): processors of the oldest kind that this is built for have no instruction for it.
std::uint64_t bits_in(std::span<const std::uint8_t> bytes) {
    constexpr std::size_t step = sizeof(std::uint64_t);
    std::uint64_t count = 0;
    for (std::size_t at = 0; at < bytes.size(); at += step) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes.data() + at, std::min(step, bytes.size() - at));
        word -= word >> 1 & 0x5555'5555'5555'5555;
        word = (word & 0x3333'3333'3333'3333) + (word >> 2 & 0x3333'3333'3333'3333);
        count += ((word + (word >> 4)) & 0x0F0F'0F0F'0F0F'0F0F) * 0x0101'0101'0101'0101 >> 56;
    }
    return count;
}

bool is_printable(std::uint8_t byte) { return byte >= 0x20 && byte <= 0x7E; }

}  // namespace

std::string_view payload_kind_name(PayloadKind kind) {
    constexpr std::array<std::string_view, payload_kind_count> names = {"none", "tls", "http", "dns", "quic", "ssh", "other", "dns"};
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
    const auto bytes = static_cast<double>(payload.size());
    // Divided as detect.py does, so that the borders fall on the same side.
    const double density = payload.empty() ? 0 : static_cast<double>(bits_in(payload)) / bytes;
    if (density <= 3.4 || density >= 4.6) return Exemption::bit_density;
    constexpr std::size_t prefix_bytes = 6;
    if (payload.size() >= prefix_bytes && std::all_of(payload.begin(), payload.begin() + prefix_bytes, is_printable)) return Exemption::printable_prefix;
    std::uint64_t printable = 0;
    std::uint64_t run = 0;
    std::uint64_t longest_run = 0;
    for (const std::uint8_t byte : payload) {
        if (is_printable(byte)) {
            ++printable;
            longest_run = std::max(longest_run, ++run);
        } else {
            run = 0;
        }
    }
    if (static_cast<double>(printable) / bytes > 0.5) return Exemption::printable_share;
    if (longest_run > 20) return Exemption::printable_run;
    if (payload.size() >= 3 && (payload[0] == 0x16 || payload[0] == 0x17) && payload[1] == 0x03 && payload[2] <= 0x0F) return Exemption::known_protocol;
    for (const std::string_view method : {"GET ", "PUT ", "POST ", "HEAD "})
        if (begins_with(payload, method)) return Exemption::known_protocol;
    return Exemption::none;
}

}  // namespace unveil
