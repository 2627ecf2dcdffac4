#include "field/waiting.hpp"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

namespace unveil {

bool wait_for(int file, short events, std::chrono::steady_clock::time_point deadline, const StopCheck& is_stopped) {
    constexpr std::int64_t check_every_ms = 100;
    while (!is_stopped()) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
        if (left <= 0) return false;
        pollfd waiting{file, events, 0};
        const int found = poll(&waiting, 1, static_cast<int>(std::min<std::int64_t>(left, check_every_ms)));
        if (found > 0) return true;
        if (found < 0 && errno != EINTR) return false;
    }
    return false;
}

bool take_line(std::string& pending, std::string& line) {
    const auto end = pending.find('\n');
    if (end == std::string::npos) return false;
    line = pending.substr(0, end);
    pending.erase(0, end + 1);
    return true;
}

}  // namespace unveil
