// By what is a block page, or an address that leads to one, known? Lists of such marks are evidence of the instruments that look at pages.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "table/source.hpp"

namespace unveil {

/// One line of the tables of https://github.com/ooni/blocking-fingerprints, which a user may bring; none is part of this program.
struct BlockingFingerprint {
    enum class Match : std::uint8_t { full, prefix, contains, regexp };

    std::string name;
    std::string scope;     // "nat", "isp", "inst", "prod", "vbw", "fp" (known to match what is no block page)
    std::string location;  // "dns", "body", "header.server"
    std::string pattern;
    Match match = Match::contains;
    std::vector<std::string> countries;  // where it is expected
    int confidence = 0;                  // 0 to 10
};

class BlockingFingerprintSource : public RecordSource {
  public:
    /// Puts up to batch_fingerprints_max in place of what stood there; false at the end.
    virtual bool next(std::vector<BlockingFingerprint>& batch) = 0;
    static constexpr std::size_t batch_fingerprints_max = 4096;
};

}  // namespace unveil
