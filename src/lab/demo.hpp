// The world of `unveil demo`: a platform with planted campaigns, a chat service that suppresses messages and a network that blocks sites, in one case.
#pragma once

#include "lab/scenario.hpp"

namespace unveil {

Scenario demo_scenario();

/// Truths of the chat service and of the network in the folder of such a world; that of the platform is truth.json.
inline constexpr const char* demo_chat_truth = "chat_truth.json";
inline constexpr const char* demo_network_truth = "network_truth.json";

}  // namespace unveil
