// Reads packet captures (table/frame.hpp): pcap and pcapng, plain or packed. docs/formats/pcap.md says what is read and what is not.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "evidence/byte_stream.hpp"
#include "evidence/limits.hpp"
#include "table/frame.hpp"

namespace unveil {

/// Whether a file that begins so, once unpacked, is a packet capture. Twelve bytes tell.
bool is_capture(std::string_view head);
/// The same of a file; false for one that cannot be read.
bool is_capture_file(const std::string& path);

/// Throws Error(input) when the file is no capture or of a version that nobody knows. Records that make no sense are counted as skipped with
/// the offset of their first byte in the unpacked file. Where lengths make no sense the next record cannot be found: the reading ends there,
/// with a skip and a note of how many bytes were left. Frames point into the reader's window; nothing is copied.
std::unique_ptr<FrameSource> open_capture_from(std::unique_ptr<RawInput> input, const std::string& path, std::uint32_t evidence,
                                               const EvidenceLimits& limits);
std::unique_ptr<FrameSource> open_capture(const std::string& path, std::uint32_t evidence);

}  // namespace unveil
