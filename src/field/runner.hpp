// Runs an experiment: asks it for messages, sends them within the limits, writes the log, and goes on from a log that is there.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/progress.hpp"
#include "experiment/accounts.hpp"
#include "experiment/experiment.hpp"
#include "field/driver.hpp"
#include "field/log_file.hpp"

namespace unveil {

/// Time as the runner sees it; tests have their own.
class FieldClock {
  public:
    virtual ~FieldClock() = default;
    virtual std::int64_t now_us() const = 0;          // since 1970, UTC
    virtual void sleep_us(std::int64_t span_us) = 0;
};
std::unique_ptr<FieldClock> make_system_clock();

struct SendingAccount {
    std::string name;
    Driver* driver = nullptr;   // none: that of the context
};

struct RunnerLimits : AccountLimits {
    std::map<std::string, std::vector<SendingAccount>> accounts;   // by context; one of the context's name where there are none
    std::uint64_t messages_max = 10'000;          // that arrived or may have, those of earlier sittings included
    std::optional<int> quiet_from_hour;           // no messages from this hour of the day ...
    std::optional<int> quiet_to_hour;             // ... to this one, UTC
    std::string stop_file;                        // stops when it exists
    std::uint32_t silent_max = 5;                 // messages in a row without a verdict, then it stops
    bool leaves_silent = false;                   // or gives such a message up and goes on with the next, at most three times in a row
    bool resends_unknown = false;                 // what may have arrived is sent again
    bool goes_on_after_ban = false;               // with accounts that the log says were banned or warned
    double price_passed = 1;
    double price_blocked = 2;
    double price_account = 0;                     // of each one that is lost
};

enum class RunnerEnd { done, refused, messages_max, blocked_max, budget, warned, banned, stop_file, silent };
std::string_view runner_end_words(RunnerEnd end);

struct RunnerReport {
    RunnerEnd end = RunnerEnd::done;
    std::uint64_t replayed = 0;      // from the log that was there
    std::uint64_t sent = 0;
    std::uint64_t blocked = 0;       // of those sent
    std::uint64_t in_log = 0;        // messages, with those of earlier sittings; so are the five below
    std::uint64_t blocked_in_log = 0;
    std::uint64_t characters = 0;
    double minutes = 0;              // a pause of more than ten does not count
    double price = 0;                // of messages, minutes and lost accounts
    std::vector<AccountUse> accounts;
    std::string context;             // whose accounts all rest, at the ends that say so
    std::uint64_t too_fast = 0;      // messages of which the service said so
    std::uint64_t delays = 0;        // answers of which it is known how long they took
    double delay_seconds_median = 0;
    double delay_seconds_max = 0;
    std::uint64_t unknown = 0;       // in the log: may have arrived, and nobody knows what became of them
    bool is_unreachable = false;     // at the end `silent`: not one of the last messages had an answer
    std::string last_problem;        // of a driver
};

/// `drivers` by context. Throws Error(input) when the log that is there does not fit the experiment, Error(usage) when it ends because all accounts of a
/// context were banned, Error(interrupted) when progress says so: the log is whole then, and the same call goes on.
///
/// A message without a verdict is in the log and does not reach the experiment. After an error it is sent again, later each time; when
/// `silent_max` in a row had no verdict the run ends, and the next one goes on with the same message. What may have arrived (unknown) is
/// not sent again: the experiment is told, and asks otherwise. What came too fast or from an account that was banned is sent again, when the service
/// lets it or by the context's next account, and does not reach the experiment either.
RunnerReport run_experiment(Experiment& experiment, LogFile& log, const std::map<std::string, Driver*>& drivers, const RunnerLimits& limits,
                            std::uint64_t seed, FieldClock& clock, Progress& progress);

}  // namespace unveil
