// Is the answer to a request over HTTP a block page that is on a list? The front of each answer is kept until it can be compared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "instruments/interference/ooni_scorers.hpp"
#include "net/http.hpp"
#include "net/packet.hpp"
#include "net/tcp_stream.hpp"

namespace unveil {

/// The best of some matches: that of a national list or of a provider's before others; none when one is known to match what is no block page.
struct KnownPage {
    std::uint32_t fingerprint = 0;   // 1 + its place in the set; 0: none
    bool is_wide = false;            // of a country or a provider, not of a product that companies and schools use as well
};
KnownPage best_match(const interference::FingerprintSet& fingerprints, const std::vector<std::uint32_t>& places);

class PageWatch {
  public:
    static constexpr std::uint32_t page_bytes_max = 16u << 10;
    static constexpr std::size_t pages_open_max = 4'096;

    /// Null: no list. Must live longer.
    explicit PageWatch(const interference::FingerprintSet* fingerprints) : m_fingerprints(fingerprints) {}

    /// With the first packet of an answer. Null when there is nothing to compare with, or too much is open already.
    std::unique_ptr<TcpStream> begin(const Packet& first);
    /// Every packet of the answer, the first as well; says whether enough is there to end it.
    static bool add(TcpStream& page, const Packet& packet);
    KnownPage end(std::unique_ptr<TcpStream> page);

    std::uint64_t not_compared() const { return m_not_compared; }   // too many were open

  private:
    const interference::FingerprintSet* m_fingerprints;
    std::size_t m_open = 0;
    std::uint64_t m_not_compared = 0;
    HttpHead m_head;
};

}  // namespace unveil
