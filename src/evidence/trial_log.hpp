// Reads logs of trials (table/trial.hpp): JSON lines, chained by digests, plain or packed.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "evidence/byte_stream.hpp"
#include "evidence/limits.hpp"
#include "table/trial.hpp"

namespace unveil {

/// Whether a file that begins so, once unpacked, is a log of trials.
bool is_trial_log(std::string_view head);
/// The same of a file; false for one that cannot be read.
bool is_trial_log_file(const std::string& path);

/// Throws Error(input) when the file is no log of trials. A line that does not follow from the one before ends the reading with
/// an error; a last line that was cut in the middle of writing is counted as skipped, as are trials with values nobody knows.
std::unique_ptr<TrialSource> open_trials_from(std::unique_ptr<RawInput> input, const std::string& path, std::uint32_t evidence,
                                              const EvidenceLimits& limits);
std::unique_ptr<TrialSource> open_trials(const std::string& path, std::uint32_t evidence);

}  // namespace unveil
