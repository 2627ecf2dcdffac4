// Reads the logs of a filter experiment.
#pragma once

#include <vector>

#include "core/progress.hpp"
#include "table/filter_log.hpp"
#include "table/trial.hpp"

namespace unveil::filter {

/// Reads all sources to their end. Throws Error(input) for a log of another experiment, or with another separator than the one before.
FilterLog read_filter_logs(const std::vector<TrialSource*>& sources, double confidence, Progress& progress);

}  // namespace unveil::filter
