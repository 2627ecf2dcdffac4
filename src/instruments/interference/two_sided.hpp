// Which packets arrived that the other end never sent? Two captures of the same connections, one at each end, hold the answer: whatever is in one
// in the name of the far end and not in the other was made in between.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/locator.hpp"
#include "net/packet.hpp"
#include "table/frame.hpp"

namespace unveil {

enum class UnsentKind : std::uint8_t { reset, syn_ack, dns_answer, data, other };
inline constexpr std::size_t unsent_kinds = 5;
std::string_view unsent_kind_name(UnsentKind kind);

struct TwoSidedResult {
    struct Unsent {
        Locator where;                // of the capture in which it arrived
        IpAddress in_the_name_of;
        IpAddress to;
        UnsentKind kind = UnsentKind::other;
    };
    std::uint64_t flows_both = 0;     // connections that both captures hold
    std::uint64_t arrived = 0;        // packets of those, at either end
    std::uint64_t unsent = 0;
    std::array<std::uint64_t, unsent_kinds> by_kind{};
    std::uint64_t ordinary_arrived = 0;    // neither resets, SYN+ACK nor DNS answers
    std::uint64_t ordinary_unsent = 0;     // of those: lost by the other capture, or made in between as well
    /// What it adds to the logarithm of a likelihood ratio that a packet is not in the other capture: had it been sent, it would be missing by chance.
    double log_likelihood_ratio() const;
    std::vector<Unsent> examples;     // the first examples_max, by capture and frame
    /// The server's clock less the client's, over all minutes: no packet arrives before it was sent. Only when is_aligned.
    double offset_low_seconds = 0;
    double offset_high_seconds = 0;
    bool is_aligned = false;
    std::uint64_t left_out = 0;       // packets beyond packets_max
    static constexpr std::size_t examples_max = 10'000;
};

/// Capture 0 is at the clients, capture 1 at the servers. A packet is known again by addresses, ports, IP ID, TCP numbers and flags, and its payload;
/// what an address translation changes is not known again, so flows count only where at least one packet is. 48 bytes a packet.
class TwoSided {
  public:
    static constexpr std::size_t packets_max = 4'000'000;
    void add(unsigned side, std::span<const Frame> frames);
    TwoSidedResult finish();

  private:
    struct Seen {
        std::uint64_t print = 0;      // hash of what is the same at both ends
        std::uint64_t flow = 0;
        std::int64_t time_ns = 0;
        std::uint64_t frame = 0;
        std::uint32_t addresses = 0;  // position in m_addresses of who sends to whom
        std::uint32_t evidence = 0;
        bool is_from_client = false;
        UnsentKind kind = UnsentKind::other;
    };
    std::array<std::vector<Seen>, 2> m_seen;
    std::unordered_map<std::uint64_t, bool> m_is_client_low;    // by flow, from its first packet in capture 0, or 1
    std::vector<std::pair<IpAddress, IpAddress>> m_addresses;
    std::unordered_map<std::uint64_t, std::uint32_t> m_address_numbers;
    std::uint64_t m_left_out = 0;
};

}  // namespace unveil
