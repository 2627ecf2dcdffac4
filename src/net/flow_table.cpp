#include "net/flow_table.hpp"

#include <cstring>

namespace unveil {
namespace {

__extension__ using Wide = unsigned __int128;

std::uint64_t load(const std::uint8_t* at) {
    std::uint64_t value;
    std::memcpy(&value, at, sizeof value);
    return value;
}

std::uint64_t folded_product(std::uint64_t a, std::uint64_t b) {
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

}  // namespace

FlowKey flow_key(const Packet& packet, bool& is_from_low) {
    const bool is_same = packet.source == packet.destination;
    is_from_low = is_same ? packet.source_port <= packet.destination_port : packet.source < packet.destination;
    FlowKey key;
    key.low = is_from_low ? packet.source : packet.destination;
    key.high = is_from_low ? packet.destination : packet.source;
    key.low_port = is_from_low ? packet.source_port : packet.destination_port;
    key.high_port = is_from_low ? packet.destination_port : packet.source_port;
    key.protocol = packet.protocol;
    return key;
}

std::uint64_t flow_hash(const FlowKey& key) {
    // Folded products as in wyhash; the numbers are its primes. Three multiplications, two of them side by side.
    constexpr std::uint64_t p0 = 0xA0761D6478BD642F, p1 = 0xE7037ED1A0B428DB, p2 = 0x8EBC6AF09C88C6E3, p3 = 0x589965CC75374CC3;
    const std::uint64_t rest = std::uint64_t{key.low_port} << 32 | std::uint64_t{key.high_port} << 8 | key.protocol;
    const std::uint64_t low = folded_product(load(key.low.bytes.data()) ^ p0, load(key.low.bytes.data() + 8) ^ p1);
    const std::uint64_t high = folded_product(load(key.high.bytes.data()) ^ p2, load(key.high.bytes.data() + 8) ^ p3);
    return folded_product(low ^ rest ^ p1, (high ^ (rest * 0x9E3779B97F4A7C15)) + p2);
}

}  // namespace unveil
