// What do the packets of captures say about each connection and lookup in them? Decodes, follows flows both ways, and hands every flow that has
// ended to whoever judges. Memory follows live flows.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "instruments/interference/facts.hpp"
#include "instruments/interference/flow_record.hpp"
#include "instruments/interference/name_book.hpp"
#include "instruments/interference/ooni_scorers.hpp"
#include "table/frame.hpp"

namespace unveil {

struct CaptureCounts {
    std::uint64_t frames = 0;
    std::uint64_t packets = 0;           // with an IP header
    std::uint64_t bytes = 0;             // captured
    std::uint64_t not_ip = 0;
    std::uint64_t unknown_link = 0;
    std::uint64_t truncated = 0;
    std::uint64_t malformed = 0;
    std::uint64_t fragments_given_up = 0;
    std::uint64_t flows = 0;
    std::uint64_t flows_evicted = 0;     // given up while they may have gone on
    std::uint64_t copies = 0;            // of TCP packets that the capture holds twice, not looked at
    std::uint64_t resets = 0;
    std::uint64_t resets_other_ttl = 0;  // by more than 2 from all the side's other packets
    std::uint64_t dns_queries = 0;
    std::uint64_t dns_answered_again = 0;       // with another answer
    std::uint64_t first_payloads = 0;    // of TCP clients
    std::uint64_t first_payloads_cut = 0;       // by the capture
    std::uint64_t first_payloads_eligible = 0;  // for the rule on fully encrypted traffic
    std::uint64_t quic_hellos = 0;
    std::uint64_t pages_not_compared = 0;       // with fingerprints: too many answers were open at once
    std::uint64_t certificates_not_read = 0;    // too many answers over TLS were open at once
    std::int64_t first_ns = INT64_MAX;
    std::int64_t last_ns = INT64_MIN;
};

class CaptureWatch {
  public:
    static constexpr std::size_t flows_max = 1 << 17;
    static constexpr std::int64_t idle_ns_max = 120'000'000'000;

    struct Sink {
        std::function<void(const FlowRecord&)> flow;    // every TCP connection, DNS lookup and QUIC connection that has ended
        std::function<void(const RateRecord&)> rate;    // answers of rate_bytes_min and more
    };
    static constexpr std::uint32_t rate_bytes_min = 40'000;

    /// With fingerprints, which must live longer, the front of answers over HTTP and the addresses of lookups are compared with them.
    CaptureWatch(const InterferenceFacts& facts, NameBook& names, Sink sink, const interference::FingerprintSet* fingerprints = nullptr);
    ~CaptureWatch();

    void add(std::span<const Frame> frames);
    /// All flows end; the next capture begins anew.
    void finish();
    const CaptureCounts& counts() const;

  private:
    class State;
    std::unique_ptr<State> m_state;
};

}  // namespace unveil
