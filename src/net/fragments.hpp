// Which IP packet do these fragments make? RFC 791 and RFC 8200, 4.5; overlapping fragments are dropped with all of their packet (RFC 5722).
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <vector>

#include "net/packet.hpp"

namespace unveil {

class FragmentTable {
  public:
    static constexpr std::size_t packets_max = 1024;            // in the making; the oldest goes
    static constexpr std::size_t packet_bytes_max = 65'535;
    static constexpr std::int64_t idle_ns_max = 30'000'000'000; // RFC 1122, 3.3.2: between 60 and 120 s; captures are full of losses

    /// True when `fragment` completes its packet, which is then in `whole` (its payload lives until the next call). Time, frame and evidence are
    /// those of the completing fragment; TTL, DF and the like those of the first. A fragment that came before, with the same bytes, is passed over.
    /// A packet of which the capture cut a fragment is never whole.
    bool add(const Packet& fragment, Packet& whole);
    std::uint64_t dropped() const { return m_dropped; }         // packets given up
    std::size_t size() const { return m_making.size(); }        // packets in the making

  private:
    static constexpr std::size_t pieces_max = 4096;             // of one packet: 16 bytes each on average
    struct Key {
        IpAddress source;
        IpAddress destination;
        std::uint32_t id = 0;
        std::uint8_t protocol = 0;   // 0 for IPv6, whose fragments need not agree on it
        std::uint8_t ip_version = 0;
        auto operator<=>(const Key&) const = default;
    };
    struct Making {
        std::list<Key>::iterator age;
        std::int64_t last_ns = 0;
        bool is_spoilt = false;      // what still comes of it is dropped as well
        bool has_last = false;
        std::uint32_t size_bytes = 0;           // known with the last fragment
        std::uint32_t bytes_there = 0;
        std::uint32_t highest_end = 0;
        Packet first;                           // the fragment at offset 0, without its payload
        std::vector<std::uint8_t> bytes;
        std::map<std::uint32_t, std::uint32_t> pieces;   // begin -> end
    };
    using MakingMap = std::map<Key, Making>;

    void give_up(MakingMap::iterator making);
    void spoil(Making& making);
    bool finish(MakingMap::iterator making, const Packet& fragment, Packet& whole);

    MakingMap m_making;
    std::list<Key> m_ages;           // the oldest first
    std::vector<std::uint8_t> m_whole;
    std::uint64_t m_dropped = 0;
};

}  // namespace unveil
