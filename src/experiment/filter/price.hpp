// What does a message cost that is blocked, beside one that passes, when accounts and time cost something too?
#pragma once

#include <cmath>

namespace unveil {

/// In passed messages.
struct MessagePrices {
    double blocked = 2;
    double account = 0;                    // the loss of one
    double blocked_per_account = INFINITY; // messages after which one is expected to be lost
    double minute = 0;
    double minutes_between = 0;            // two messages

    /// The expected price of a blocked message in those of a passed one, at least 1: by it a campaign chooses where to cut, and whether one more message is worth it. Each message
    /// takes its time, and a blocked one its share of an account.
    double relative_blocked() const {
        const double time = minute * minutes_between;
        return std::fmax(1, (blocked + account / blocked_per_account + time) / (1 + time));
    }
};

}  // namespace unveil
