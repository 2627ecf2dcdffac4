// What a service says was left out of a message.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <vector>

#include "table/trial.hpp"

namespace unveil {

/// [[begin, end], ...] in bytes of the message; nothing when it is something else or one of them is not within the message.
std::optional<std::vector<TrialSpan>> read_spans(const nlohmann::json& spans, std::size_t message_bytes);

}  // namespace unveil
