// How do drivers wait for somebody's next line without keeping a user who wants to stop?
#pragma once

#include <chrono>
#include <string>

#include "field/driver.hpp"

namespace unveil {

/// Until the descriptor is ready for `events` of poll(). False at the deadline, when it is stopped, or when it cannot be asked.
bool wait_for(int file, short events, std::chrono::steady_clock::time_point deadline, const StopCheck& is_stopped);

/// Takes the first line off what has come, without its end. False while there is none.
bool take_line(std::string& pending, std::string& line);

}  // namespace unveil
