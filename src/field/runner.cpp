#include "field/runner.hpp"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "core/digest.hpp"
#include "core/error.hpp"
#include "core/random.hpp"
#include "core/text.hpp"

namespace unveil {
namespace {

constexpr std::int64_t second_us = 1'000'000;
constexpr std::int64_t hour_us = 3600 * second_us;
constexpr std::int64_t day_us = 24 * hour_us;

class SystemClock final : public FieldClock {
  public:
    std::int64_t now_us() const override {
        timespec now{};
        clock_gettime(CLOCK_REALTIME, &now);
        return now.tv_sec * second_us + now.tv_nsec / 1000;
    }
    void sleep_us(std::int64_t span_us) override {
        const timespec span{span_us / second_us, span_us % second_us * 1000};
        nanosleep(&span, nullptr);
    }
};

Message message_of(const Trial& trial) { return {trial.context, trial.step, trial.subject, trial.detail, trial.input}; }

/// Whether an experiment learns something from it.
bool is_answer(Outcome outcome) { return is_verdict(outcome) || outcome == Outcome::rejected; }

std::string described(const Message& message) {
    return fmt::format("'{}' in {} for {}{}{}", printable(message.input, 60), printable(message.context, 40), printable(message.step, 40), message.subject.empty() ? "" : " of ",
                       printable(message.subject, 60));
}

/// Errors after which a run ended, by position: the next run began again with the message that had no verdict. Those at the end of the log, and
/// those of a row of errors in which the first message stands again later, or behind which it does.
std::vector<bool> errors_that_ended_a_run(const std::vector<Trial>& trials) {
    std::vector<bool> is_void(trials.size(), false);
    for (std::size_t begin = 0; begin < trials.size(); ++begin) {
        if (trials[begin].outcome != Outcome::error) continue;
        std::size_t end = begin;
        while (end < trials.size() && trials[end].outcome == Outcome::error) ++end;
        const Message first = message_of(trials[begin]);
        std::size_t again = end == trials.size() ? end : begin;
        for (std::size_t i = begin + 1; i <= end && i < trials.size() && again != trials.size(); ++i)
            if (message_of(trials[i]) == first && message_of(trials[i - 1]) != first) again = i;
        std::fill(is_void.begin() + static_cast<std::ptrdiff_t>(begin), is_void.begin() + static_cast<std::ptrdiff_t>(again), true);
        begin = end - 1;
    }
    return is_void;
}

class Runner {
  public:
    Runner(Experiment& experiment, LogFile& log, const std::map<std::string, Driver*>& drivers, const RunnerLimits& limits, std::uint64_t seed,
           FieldClock& clock, Progress& progress)
        : m_experiment(experiment), m_log(log), m_drivers(drivers), m_limits(limits), m_random(seed, 0x5eed), m_clock(clock), m_progress(progress) {}

    RunnerReport run() {
        replay();
        while (const auto message = m_experiment.next()) {
            m_progress.check();
            m_progress.update("messages", m_in_log, m_in_log + m_experiment.expected_messages());
            if (const auto end = limit_reached(*message)) {
                m_report.end = *end;
                return m_report;
            }
            if (m_silent_in_row >= m_limits.silent_max) {
                constexpr int left_in_row_max = 3;
                if (!m_limits.leaves_silent || m_left_in_row == left_in_row_max) {
                    m_report.end = RunnerEnd::silent;
                    m_report.is_unreachable = m_replies_in_row == 0;
                    return m_report;
                }
                give_up(*message);
                ++m_left_in_row;
                m_silent_in_row = m_replies_in_row = 0;
                continue;
            }
            if (!wait_for_turn(*message)) {
                m_report.end = RunnerEnd::stop_file;
                return m_report;
            }
            if (send(*message) == Outcome::banned) {
                m_report.end = RunnerEnd::banned;
                return m_report;
            }
        }
        m_report.end = m_experiment.refusal().empty() ? RunnerEnd::done : RunnerEnd::refused;
        return m_report;
    }

  private:
    /// What had no verdict is held back until it is seen what came next: the same message again, or another one because it was given up.
    void replay() {
        const std::vector<Trial>& earlier = m_log.earlier();
        const std::vector<bool> is_void = errors_that_ended_a_run(earlier);
        for (std::size_t i = 0; i < earlier.size(); ++i) {
            const Trial& trial = earlier[i];
            count(trial);
            if (is_void[i]) continue;
            const Message message = message_of(trial);
            if (!m_held.empty() && m_experiment.next() != message) {
                const Message silent = message_of(m_held.back());
                release(silent);
                // Left open by the experiment, and not gone on with in the log.
                if (m_experiment.next() && m_experiment.next() != message) answer_error();
            }
            if (m_experiment.next() != message) refuse_log(message);
            if (is_answer(trial.outcome)) {
                m_held.clear();
                m_experiment.answer(trial);
            } else {
                m_held.push_back(trial);
            }
        }
        m_report.replayed = m_in_log;
        if (earlier.empty()) return;
        if (earlier.back().outcome == Outcome::banned && !m_limits.goes_on_after_ban)
            throw Error(ErrorKind::usage, fmt::format("the log ends because the account in {} was banned; nothing was sent", printable(earlier.back().context, 80)),
                        "Name another --out and another account, or add --after-ban when this one works again");
        std::erase_if(m_held, [](const Trial& trial) { return trial.outcome != Outcome::unknown; });
        if (m_held.empty() || m_limits.resends_unknown) return;
        const Message unknown = message_of(m_held.back());
        // Older versions had begun to send it again.
        for (std::size_t i = earlier.size(); i > 0 && is_void[i - 1]; --i)
            if (message_of(earlier[i - 1]) == unknown) return;
        release(unknown);
    }

    [[noreturn]] void refuse_log(const Message& message) {
        const auto asked = m_experiment.next();
        throw Error(ErrorKind::input,
                    fmt::format("the log does not fit this experiment: trial {} sent {}, and now {}", m_in_log, described(message),
                                asked ? described(*asked) + " would be sent" : "nothing more would be sent"),
                    "Give the same texts and options as when it was begun, or name another --out");
    }

    bool is_unknown_held() const {
        return std::any_of(m_held.begin(), m_held.end(), [](const Trial& trial) { return trial.outcome == Outcome::unknown; });
    }

    /// Tells the experiment what was held back for a message: each time it may have arrived, or else that there was an error.
    void release(const Message& message) {
        const Outcome told = m_held.empty() || is_unknown_held() ? Outcome::unknown : m_held.back().outcome;
        for (const Trial& trial : std::exchange(m_held, {}))
            if (trial.outcome == told && m_experiment.next() == message) m_experiment.answer(trial);
    }

    void answer_error() {
        Trial trial;
        trial.outcome = Outcome::error;
        m_experiment.answer(trial);
    }

    /// As replay() does when the log goes on with another message.
    void give_up(const Message& message) {
        const bool is_closed = !m_held.empty() && !is_unknown_held();
        release(message);
        if (!is_closed) answer_error();
    }

    void count(const Trial& trial) {
        ++m_in_log;
        m_report.price += trial.price;
        m_last_us[trial.context] = trial.time_us;
        if (is_suppressed(trial.outcome)) m_blocked_at[trial.context].push_back(trial.time_us);
        // Whoever was never reached got no message.
        m_perhaps_arrived += trial.outcome != Outcome::error || !trial.reply_sha256.empty();
        m_report.unknown += trial.outcome == Outcome::unknown;
    }

    bool is_stop_file_there() const {
        std::error_code ignored;
        return !m_limits.stop_file.empty() && std::filesystem::exists(m_limits.stop_file, ignored);
    }

    std::optional<RunnerEnd> limit_reached(const Message& message) {
        if (is_stop_file_there()) return RunnerEnd::stop_file;
        if (m_perhaps_arrived >= m_limits.messages_max) return RunnerEnd::messages_max;
        auto& blocked_at = m_blocked_at[message.context];
        std::erase_if(blocked_at, [&](std::int64_t time_us) { return time_us <= m_clock.now_us() - day_us; });
        if (blocked_at.size() >= m_limits.blocked_per_day_max) return RunnerEnd::blocked_max;
        return {};
    }

    bool is_quiet(std::int64_t time_us) const {
        if (!m_limits.quiet_from_hour || !m_limits.quiet_to_hour) return false;
        const auto hour = static_cast<int>((time_us / hour_us) % 24);
        const int from = *m_limits.quiet_from_hour;
        const int to = *m_limits.quiet_to_hour;
        return from <= to ? hour >= from && hour < to : hour >= from || hour < to;
    }

    /// False when the stop file appeared meanwhile.
    bool wait_for_turn(const Message& message) {
        // Drawn for every message, so that waiting does not depend on how often the program was stopped.
        const double factor = 1 + m_limits.interval_jitter * (2 * m_random.uniform() - 1);
        const auto last = m_last_us.find(message.context);
        std::int64_t pause_us = static_cast<std::int64_t>(factor * static_cast<double>(m_limits.interval_us));
        // Whoever could not be reached may be there a little later.
        if (m_silent_in_row > 0) pause_us = std::max(pause_us, second_us / 2 << std::min(m_silent_in_row - 1, 8u));
        const std::int64_t due_us = last == m_last_us.end() ? 0 : last->second + pause_us;
        for (;;) {
            const std::int64_t now_us = m_clock.now_us();
            if (now_us >= due_us && !is_quiet(now_us)) return true;
            m_progress.check();
            if (is_stop_file_there()) return false;
            m_clock.sleep_us(std::clamp<std::int64_t>(is_quiet(now_us) ? second_us : due_us - now_us, 1, second_us));
        }
    }

    Outcome send(const Message& message) {
        const auto driver = m_drivers.find(message.context);
        UNVEIL_ASSERT(driver != m_drivers.end());
        Trial trial = trial_of(message);
        trial.time_us = m_clock.now_us();
        trial.account = message.context;
        m_log.about_to_send(trial);
        Reply reply = driver->second->send(message, [&] { return m_progress.is_cancelled() || is_stop_file_there(); });
        trial.outcome = reply.outcome;
        trial.spans = std::move(reply.spans);
        const bool is_blocked = is_suppressed(reply.outcome);
        trial.price = is_blocked ? m_limits.price_blocked : m_limits.price_passed;
        if (!reply.raw.empty()) trial.reply_sha256 = sha256_hex(reply.raw);
        if (!reply.problem.empty()) m_report.last_problem = reply.problem;
        m_log.append(trial);
        count(trial);
        ++m_report.sent;
        m_report.blocked += is_blocked;
        if (is_answer(trial.outcome)) {
            m_held.clear();
            m_silent_in_row = m_replies_in_row = 0;
            m_left_in_row = 0;
            m_experiment.answer(trial);
            return trial.outcome;
        }
        ++m_silent_in_row;
        m_replies_in_row += !reply.raw.empty();
        m_held.push_back(trial);
        if (trial.outcome == Outcome::unknown && !m_limits.resends_unknown) release(message);
        return trial.outcome;
    }

    Experiment& m_experiment;
    LogFile& m_log;
    const std::map<std::string, Driver*>& m_drivers;
    const RunnerLimits& m_limits;
    Random m_random;
    FieldClock& m_clock;
    Progress& m_progress;
    RunnerReport m_report;
    std::uint64_t m_in_log = 0;
    std::uint64_t m_perhaps_arrived = 0;
    std::vector<Trial> m_held;           // of the message that is asked for, without a verdict, and not told to the experiment
    std::uint32_t m_silent_in_row = 0;   // messages without a verdict since the last one with it
    std::uint32_t m_replies_in_row = 0;  // of those, with an answer that says nothing
    int m_left_in_row = 0;               // messages given up since then
    std::map<std::string, std::int64_t> m_last_us;
    std::map<std::string, std::vector<std::int64_t>> m_blocked_at;
};

}  // namespace

std::unique_ptr<FieldClock> make_system_clock() { return std::make_unique<SystemClock>(); }

std::string_view runner_end_words(RunnerEnd end) {
    switch (end) {
        case RunnerEnd::done: return "done";
        case RunnerEnd::refused: return "refused to go on";
        case RunnerEnd::messages_max: return "stopped at the limit of messages";
        case RunnerEnd::blocked_max: return "stopped at the limit of blocked messages a day";
        case RunnerEnd::banned: return "stopped because an account was banned";
        case RunnerEnd::stop_file: return "stopped by the stop file";
        case RunnerEnd::silent: return "stopped because no verdict came any more";
    }
    UNVEIL_ASSERT(false);
    return {};
}

RunnerReport run_experiment(Experiment& experiment, LogFile& log, const std::map<std::string, Driver*>& drivers, const RunnerLimits& limits,
                            std::uint64_t seed, FieldClock& clock, Progress& progress) {
    return Runner(experiment, log, drivers, limits, seed, clock, progress).run();
}

}  // namespace unveil
