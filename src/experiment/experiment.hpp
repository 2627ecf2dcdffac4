// What should be asked next, given all answers so far? A pure step machine: it sends nothing, reads no clock, and the same answers
// make it ask the same again, so that a log is all that is needed to go on where it ended.
#pragma once

#include <optional>
#include <string>
#include <tuple>

#include "table/trial.hpp"

namespace unveil {

/// What is to be sent. The fields are those of the trial that it becomes.
struct Message {
    std::string context;
    std::string step;
    std::string subject;
    std::string detail;
    std::string input;
    std::string account = {};   // whom it goes out from; an experiment leaves that to whoever sends
    std::string source = {};
    /// From whom it goes out and where a text was published do not make it another message.
    friend bool operator==(const Message& a, const Message& b) {
        return std::tie(a.context, a.step, a.subject, a.detail, a.input) == std::tie(b.context, b.step, b.subject, b.detail, b.input);
    }
};

/// The trial that it becomes, as far as the message says: neither when, by which account, nor what became of it.
inline Trial trial_of(const Message& message) {
    Trial trial;
    trial.context = message.context;
    trial.step = message.step;
    trial.subject = message.subject;
    trial.detail = message.detail;
    trial.input = message.input;
    trial.source = message.source;
    return trial;
}

class Experiment {
  public:
    virtual ~Experiment() = default;
    /// The message to send, or nothing when there is no more to ask. The same until answer() is called.
    virtual std::optional<Message> next() = 0;
    /// The least time between a blocked message and the next one of its account. It is not in the log: whoever replays one does not wait.
    virtual std::int64_t pause_after_block_us() const { return 0; }
    /// What became of it: only `account`, `outcome`, `spans` and `time_us` of the trial count.
    virtual void answer(const Trial& trial) = 0;
    /// Why it ended before its work was done, in words for the user; empty when it did not.
    virtual std::string refusal() const = 0;
    /// Messages that are still to be sent, as far as can be guessed; for progress.
    virtual std::uint64_t expected_messages() const = 0;
};

}  // namespace unveil
