// The ways in which a message reaches a platform and its answer comes back. The only code that touches the outside.
#pragma once

#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

#include "experiment/experiment.hpp"

namespace unveil {

struct Reply {
    Outcome outcome = Outcome::unknown;
    std::vector<TrialSpan> spans;
    std::string raw;         // what came back, for its digest
    std::string problem;     // for the user, when the outcome is error or unknown
    std::int64_t retry_after_us = 0;   // of rejected: it did not go out because it came too fast, and may after so long
    bool has_warning = false;          // the account was told that it may be shut
};

/// Whether waiting should end, for the user or a file says so. Asked several times a second.
using StopCheck = std::function<bool()>;

class Driver {
  public:
    virtual ~Driver() = default;
    /// Sends and waits. What goes wrong is an outcome, not an exception; Error(run) only when no message can be sent any more. When it is
    /// stopped, what may have arrived counts as unknown, and what cannot have as an error.
    virtual Reply send(const Message& message, const StopCheck& is_stopped) = 0;
    Reply send(const Message& message) {
        return send(message, [] { return false; });
    }
};

/// Runs `command` in a shell and speaks one JSON object a line with it: {"context":...,"account":...,"text":...} in, {"outcome":"blocked"} out,
/// perhaps with "spans":[[begin,end],...] of dropped bytes, "retry_after":seconds of a message that is rejected for coming too fast, "warning":true for an account
/// that was told off. A command that does not answer in time or ends before it does is started again, and
/// the message counts as unknown: whether it was delivered is not known. One that ends after its answer is started for the next message. A line
/// that is no such object, or that nobody asked for, is an error, and the command is started again: the next line might answer another message.
std::unique_ptr<Driver> make_process_driver(const std::string& command, std::int64_t timeout_us);

/// A person is the driver: prints the message to `out` and reads b (blocked), p (passed), r (rejected), x (banned) or u (unknown)
/// from the descriptor `in`, one a line. The end of `in` is Error(interrupted).
std::unique_ptr<Driver> make_manual_driver(int in, std::ostream& out);

/// What the answer line says; outcome `error` with a problem for what cannot be understood.
Reply parse_reply(std::string_view line, std::size_t message_bytes);

}  // namespace unveil
