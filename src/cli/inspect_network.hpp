// What `unveil inspect` says of a packet capture, and of a file of OONI measurements.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "cli/command.hpp"

namespace unveil::cli {

struct NetworkInspection {
    std::string text;
    bool is_readable = false;
};

/// Both read the file to its end. `json` gets the same as one object.
NetworkInspection inspect_capture(const std::string& path, const Global& global, nlohmann::ordered_json& json);
NetworkInspection inspect_measurements(const std::string& path, const Global& global, nlohmann::ordered_json& json);

}  // namespace unveil::cli
