// The world of `unveil demo`: a platform with planted campaigns beside a chat service that suppresses messages, in one case.
#pragma once

#include "lab/scenario.hpp"

namespace unveil {

Scenario demo_scenario();

/// Truth of the chat service in the folder of such a world; that of the platform is truth.json.
inline constexpr const char* demo_chat_truth = "chat_truth.json";

}  // namespace unveil
