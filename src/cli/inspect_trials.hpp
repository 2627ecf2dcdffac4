// What `unveil inspect` says of a log of trials.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "cli/command.hpp"
#include "cli/inspect_lines.hpp"

namespace unveil::cli {

/// Reads the log to its end. `json` gets the same as one object.
FileInspection inspect_trials(const std::string& path, const Global& global, nlohmann::ordered_json& json);

}  // namespace unveil::cli
