// One frame of a packet capture as it lies in the file: when it was seen, on what kind of link, and its bytes. What they say is read by src/net.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "table/source.hpp"

namespace unveil {

struct Frame {
    std::int64_t time_ns = 0;          // since 1970; whatever resolution the file has
    std::uint64_t number = 0;          // from 1, as tshark counts: every packet record of the file, kept or not
    std::uint32_t evidence = 0;        // position in the run's inputs
    std::uint32_t bytes_original = 0;  // on the wire; more than bytes.size() when the capture cut it
    std::uint16_t link_type = 0;       // LINKTYPE_ number of the file or of the frame's interface
    std::span<const std::uint8_t> bytes;
};

/// One capture file being read, front to back. next() throws Error(input) for what ends the reading; records that make no sense are counted in
/// the tally with the offset in the unpacked file.
class FrameSource : public RecordSource {
  public:
    /// Puts frames in place of what stood there; false at the end. Views die with the next call.
    virtual bool next(std::vector<Frame>& batch) = 0;
    static constexpr std::size_t batch_frames_max = 4096;
};

}  // namespace unveil
