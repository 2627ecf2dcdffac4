// The ways in which a message reaches a platform and its answer comes back. The only code that touches the outside.
#pragma once

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
};

class Driver {
  public:
    virtual ~Driver() = default;
    /// Sends and waits. What goes wrong is an outcome, not an exception; Error(run) only when no message can be sent any more.
    virtual Reply send(const Message& message) = 0;
};

/// Runs `command` in a shell and speaks one JSON object a line with it: {"context":...,"text":...} in, {"outcome":"blocked"} out,
/// perhaps with "spans":[[begin,end],...] of dropped bytes. A command that does not answer in time or ends is started again, and
/// the message counts as unknown: whether it was delivered is not known.
std::unique_ptr<Driver> make_process_driver(const std::string& command, std::int64_t timeout_us);

/// A person is the driver: prints the message to `out` and reads b (blocked), p (passed), r (rejected), x (banned) or u (unknown)
/// from `in`, one a line. The end of `in` is Error(interrupted).
std::unique_ptr<Driver> make_manual_driver(std::istream& in, std::ostream& out);

/// What the answer line says; outcome `error` with a problem for what cannot be understood.
Reply parse_reply(std::string_view line, std::size_t message_bytes);

}  // namespace unveil
