// Which IP packet do these fragments make? RFC 791 and RFC 8200, 4.5; overlapping fragments are dropped with all of their packet (RFC 5722).
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "net/packet.hpp"

namespace unveil {

class FragmentTable {
  public:
    static constexpr std::size_t packets_max = 1024;            // in the making; the oldest goes
    static constexpr std::size_t packet_bytes_max = 65'535;
    static constexpr std::int64_t idle_ns_max = 30'000'000'000; // RFC 1122, 3.3.2: between 60 and 120 s; captures are full of losses

    /// True when `fragment` completes its packet, which is then in `whole` (its payload lives until the next call).
    bool add(const Packet& fragment, Packet& whole);
    std::uint64_t dropped() const { return m_dropped; }         // packets given up

  private:
    struct Key {
        IpAddress source;
        IpAddress destination;
        std::uint32_t id = 0;
        std::uint8_t protocol = 0;
        auto operator<=>(const Key&) const = default;
    };
    struct Making;
    std::map<Key, Making> m_making;
    std::vector<std::uint8_t> m_whole;
    std::uint64_t m_dropped = 0;
};

}  // namespace unveil
