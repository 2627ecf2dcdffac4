// Reads OONI measurements (table/measurement.hpp): one JSON object a line, plain or packed, as the archive of OONI gives them out, or one
// measurement spread over a whole file.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "evidence/byte_stream.hpp"
#include "evidence/limits.hpp"
#include "table/measurement.hpp"

namespace unveil {

/// Longer lines are counted and skipped, so that the window on the file, what a parser needs for it and the lists read from it stay below 64 MB.
constexpr std::size_t measurement_bytes_max = 8u << 20;

/// Whether a file that begins so, once unpacked, holds OONI measurements.
bool is_measurements(std::string_view head);
/// The same of a file; false for one that cannot be read.
bool is_measurements_file(const std::string& path);

/// Throws Error(input) when the file begins with something else. Lines that are no JSON or no measurement are counted as skipped; what is not asked
/// for, bodies above all, is passed over unread, so an error in there is not found.
std::unique_ptr<MeasurementSource> open_measurements_from(std::unique_ptr<RawInput> input, const std::string& path, std::uint32_t evidence,
                                                          const EvidenceLimits& limits);
std::unique_ptr<MeasurementSource> open_measurements(const std::string& path, std::uint32_t evidence);

}  // namespace unveil
