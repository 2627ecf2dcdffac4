// Reads lists of known block pages and of the addresses that lead to them, as OONI and the Citizen Lab publish them. docs/formats/blocking-fingerprints.md.
#pragma once

#include <memory>
#include <string>

#include "evidence/byte_stream.hpp"
#include "evidence/limits.hpp"
#include "table/blocking_fingerprint.hpp"

namespace unveil {

/// Whether the file is a table with all columns that are needed; false for one that cannot be read.
bool is_blocking_fingerprints_file(const std::string& path);

/// Throws Error(input) when a column is missing or the list is out of all proportion. Rows that cannot be used are counted as skipped.
std::unique_ptr<BlockingFingerprintSource> open_blocking_fingerprints_from(std::unique_ptr<RawInput> input, const std::string& path, const EvidenceLimits& limits);
std::unique_ptr<BlockingFingerprintSource> open_blocking_fingerprints(const std::string& path);

}  // namespace unveil
