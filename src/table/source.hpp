// What every reader of evidence has in common, whatever records it yields: one file, read once, front to back.
#pragma once

#include <cstdint>
#include <string>

#include "core/tally.hpp"

namespace unveil {

/// How fine the times of the evidence are, in microseconds: 60'000'000 for minutes. Known for sure only at the end.
struct TimeResolution {
    std::int64_t resolution_us = 1;
    std::string reason;  // "every one of 326,980 times is a whole minute"
};

/// What a source knows about the file it read, complete once next() has returned false.
struct SourceReport {
    std::string path;        // as the user gave it
    std::string format;      // "twitter-io"
    std::string compression; // "none", "gzip", "zstd", "xz"
    std::string sha256;      // of the file's bytes as they are on disk
    std::uint64_t bytes = 0; // on disk
    std::uint32_t fields = 0;    // PostFields that the evidence can give; 0 where the records are no posts
    std::int64_t time_first_us = 0;
    std::int64_t time_last_us = 0;
    TimeResolution time_resolution;
    Tally tally;
};

class RecordSource {
  public:
    virtual ~RecordSource() = default;
    virtual const SourceReport& report() const = 0;
    /// Bytes of the file consumed so far, for progress.
    virtual std::uint64_t bytes_done() const = 0;
};

}  // namespace unveil
