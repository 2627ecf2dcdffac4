// What of a made-up network did the instrument interference find, and what did it find that was never there?
#pragma once

#include <string>

#include "lab/set_score.hpp"

namespace unveil {

bool is_network_truth(const std::string& path);

/// Mechanisms, triggers that are names or addresses, and sites blocked in networks. What met too few connections or measurements to be told is right
/// when it is found and not missed when it is not: fewer than network_flows_min connections, network_measurements_min measurements.
SetScore score_network(const std::string& folder, const std::string& truth_path);
inline constexpr std::uint64_t network_flows_min = 8;
inline constexpr std::uint64_t network_measurements_min = 30;

}  // namespace unveil
