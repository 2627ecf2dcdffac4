// What does a platform do for the sender's sake: how long may a message be, does a block change what comes next, how fast may one send, and which accounts were lost?
#pragma once

#include "instruments/finding.hpp"
#include "table/sending_book.hpp"

namespace unveil::filter {

/// Nothing is said of what the log does not show: no limit that was not met, no memory that was not tried. O(answers log answers).
void describe_sending(const SendingBook& book, Findings& findings);

}  // namespace unveil::filter
