// What `unveil inspect` says of a log of trials.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "cli/command.hpp"

namespace unveil::cli {

struct TrialInspection {
    std::string text;
    bool is_readable = false;
};

/// Reads the log to its end. `json` gets the same as one object.
TrialInspection inspect_trials(const std::string& path, const Global& global, nlohmann::ordered_json& json);

}  // namespace unveil::cli
