#include "field/runner.hpp"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <filesystem>

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
            if (!wait_for_turn(*message)) {
                m_report.end = RunnerEnd::stop_file;
                return m_report;
            }
            if (!send(*message)) {
                m_report.end = RunnerEnd::banned;
                return m_report;
            }
        }
        m_report.end = m_experiment.refusal().empty() ? RunnerEnd::done : RunnerEnd::refused;
        return m_report;
    }

  private:
    void replay() {
        for (const Trial& trial : m_log.earlier()) {
            const auto message = m_experiment.next();
            if (!message || *message != message_of(trial))
                throw Error(ErrorKind::input,
                            fmt::format("the log does not fit this experiment: trial {} would not be asked", m_in_log + 1),
                            "Give the same texts and options as when it was begun, or name another --out");
            count(trial);
            m_experiment.answer(trial);
        }
        m_report.replayed = m_in_log;
    }

    void count(const Trial& trial) {
        ++m_in_log;
        m_report.price += trial.price;
        m_last_us[trial.context] = trial.time_us;
        if (is_suppressed(trial.outcome)) m_blocked_at[trial.context].push_back(trial.time_us);
    }

    std::optional<RunnerEnd> limit_reached(const Message& message) {
        if (!m_limits.stop_file.empty() && std::filesystem::exists(m_limits.stop_file)) return RunnerEnd::stop_file;
        if (m_in_log >= m_limits.messages_max) return RunnerEnd::messages_max;
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
        const std::int64_t due_us =
            last == m_last_us.end() ? 0 : last->second + static_cast<std::int64_t>(factor * static_cast<double>(m_limits.interval_us));
        for (;;) {
            const std::int64_t now_us = m_clock.now_us();
            if (now_us >= due_us && !is_quiet(now_us)) return true;
            m_progress.check();
            if (!m_limits.stop_file.empty() && std::filesystem::exists(m_limits.stop_file)) return false;
            m_clock.sleep_us(std::clamp<std::int64_t>(is_quiet(now_us) ? second_us : due_us - now_us, 1, second_us));
        }
    }

    /// False when the account was banned: whatever follows would say nothing.
    bool send(const Message& message) {
        const auto driver = m_drivers.find(message.context);
        UNVEIL_ASSERT(driver != m_drivers.end());
        Trial trial;
        trial.time_us = m_clock.now_us();
        trial.context = message.context;
        trial.account = message.context;
        trial.step = message.step;
        trial.subject = message.subject;
        trial.detail = message.detail;
        trial.input = message.input;
        m_log.about_to_send(trial);
        Reply reply = driver->second->send(message);
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
        m_experiment.answer(trial);
        return trial.outcome != Outcome::banned;
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
    }
    UNVEIL_ASSERT(false);
    return {};
}

RunnerReport run_experiment(Experiment& experiment, LogFile& log, const std::map<std::string, Driver*>& drivers, const RunnerLimits& limits,
                            std::uint64_t seed, FieldClock& clock, Progress& progress) {
    return Runner(experiment, log, drivers, limits, seed, clock, progress).run();
}

}  // namespace unveil
