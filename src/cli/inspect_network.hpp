// What `unveil inspect` says of a packet capture, of a file of OONI measurements, and of a list of block pages.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "cli/command.hpp"
#include "cli/inspect_lines.hpp"

namespace unveil::cli {

/// All read the file to its end. `json` gets the same as one object.
FileInspection inspect_capture(const std::string& path, const Global& global, nlohmann::ordered_json& json);
FileInspection inspect_measurements(const std::string& path, const Global& global, nlohmann::ordered_json& json);
FileInspection inspect_fingerprints(const std::string& path, const Global& global, nlohmann::ordered_json& json);

}  // namespace unveil::cli
