// Which packets belong together? Flows by addresses, ports and protocol, both directions in one entry, with state of the caller's kind. Memory
// follows live flows: what was idle for long, and the longest idle when there are too many, is handed back to the caller and forgotten.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "net/packet.hpp"

namespace unveil {

/// Ends in canonical order: `low` is the smaller (address, port).
struct FlowKey {
    IpAddress low;
    IpAddress high;
    std::uint16_t low_port = 0;
    std::uint16_t high_port = 0;
    std::uint8_t protocol = 0;
    bool operator==(const FlowKey&) const = default;
};
/// `is_from_low` says whether the packet went from low to high.
FlowKey flow_key(const Packet& packet, bool& is_from_low);
std::uint64_t flow_hash(const FlowKey& key);

/// Open addressing over hashes, entries in a dense array. find() is O(1) on average; expiry O(1) amortised through a list by last packet.
template <typename State>
class FlowTable {
  public:
    using Expired = std::function<void(const FlowKey&, State&)>;
    FlowTable(std::size_t flows_max, std::int64_t idle_ns_max, Expired expired);

    /// The packet's flow, made anew when there is none. The reference lives until the next call.
    State& find(const Packet& packet, bool& is_from_low, bool& is_new);
    /// Hands every flow back, the longest idle first.
    void finish();
    std::size_t size() const;
    std::uint64_t evicted() const;      // given up because there were too many
};

}  // namespace unveil
