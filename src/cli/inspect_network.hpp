// What `unveil inspect` says of a packet capture, of a file of OONI measurements, and of a list of block pages.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "cli/command.hpp"

namespace unveil::cli {

struct NetworkInspection {
    std::string text;
    bool is_readable = false;
};

/// All read the file to its end. `json` gets the same as one object.
NetworkInspection inspect_capture(const std::string& path, const Global& global, nlohmann::ordered_json& json);
NetworkInspection inspect_measurements(const std::string& path, const Global& global, nlohmann::ordered_json& json);
NetworkInspection inspect_fingerprints(const std::string& path, const Global& global, nlohmann::ordered_json& json);

}  // namespace unveil::cli
