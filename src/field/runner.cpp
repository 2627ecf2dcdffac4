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
bool is_answer(const Trial& trial) { return is_verdict(trial.outcome) || (trial.outcome == Outcome::rejected && trial.retry_after_us == 0); }

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
        : m_experiment(experiment), m_log(log), m_drivers(drivers), m_limits(limits), m_accounts(names_of(limits), limits), m_random(seed, 0x5eed), m_clock(clock), m_progress(progress) {}

    RunnerReport run() {
        replay();
        m_report.end = send_all();
        sum_up();
        return m_report;
    }

  private:
    static std::map<std::string, std::vector<std::string>> names_of(const RunnerLimits& limits) {
        std::map<std::string, std::vector<std::string>> names;
        for (const auto& [context, accounts] : limits.accounts)
            for (const auto& account : accounts) names[context].push_back(account.name);
        return names;
    }

    RunnerEnd send_all() {
        while (const auto message = m_experiment.next()) {
            m_progress.check();
            m_progress.update("messages", m_in_log, m_in_log + m_experiment.expected_messages());
            if (const auto end = limit_reached()) return *end;
            if (m_silent_in_row >= m_limits.silent_max) {
                constexpr int left_in_row_max = 3;
                if (!m_limits.leaves_silent || m_left_in_row == left_in_row_max) {
                    m_report.is_unreachable = m_replies_in_row == 0;
                    return RunnerEnd::silent;
                }
                give_up(*message);
                ++m_left_in_row;
                m_silent_in_row = m_replies_in_row = 0;
                continue;
            }
            const auto account = m_accounts.choose(*message, m_clock.now_us());
            if (!account) return no_account(message->context);
            if (!wait_for_turn(*account)) return RunnerEnd::stop_file;
            send(*message, *account);
        }
        return m_experiment.refusal().empty() ? RunnerEnd::done : RunnerEnd::refused;
    }

    RunnerEnd no_account(const std::string& context) {
        m_report.context = context;
        switch (m_accounts.rest_of_all(context, m_clock.now_us())) {
            case AccountRest::day: return RunnerEnd::blocked_max;
            case AccountRest::budget: return RunnerEnd::budget;
            case AccountRest::warned: return RunnerEnd::warned;
            default: return RunnerEnd::banned;
        }
    }

    void sum_up() {
        m_report.accounts = m_accounts.uses(m_clock.now_us());
        m_report.in_log = m_in_log;
        m_report.price += m_report.minutes * m_limits.price_minute;
        for (const AccountUse& account : m_report.accounts) m_report.price += account.is_lost ? m_limits.price_account : 0;
        m_report.delays = m_delays_us.size();
        if (m_delays_us.empty()) return;
        std::sort(m_delays_us.begin(), m_delays_us.end());
        m_report.delay_seconds_median = static_cast<double>(m_delays_us[m_delays_us.size() / 2]) / second_us;
        m_report.delay_seconds_max = static_cast<double>(m_delays_us.back()) / second_us;
    }

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
            if (is_answer(trial)) {
                m_held.clear();
                m_experiment.answer(trial);
            } else {
                m_held.push_back(trial);
            }
        }
        m_report.replayed = m_in_log;
        if (earlier.empty()) return;
        if (m_limits.goes_on_after_ban) m_accounts.forgive();
        const Trial& last = earlier.back();
        if (last.outcome == Outcome::banned && m_accounts.rest_of_all(last.context, m_clock.now_us()) == AccountRest::banned) {
            const std::string context = printable(last.context, 80);
            throw Error(ErrorKind::usage, fmt::format("the log ends because {} was banned; nothing was sent", last.account == last.context ? "the account in " + context : "every account of " + context),
                        fmt::format("Name another one with --account {}/ALIAS, or add --after-ban when it works again", context));
        }
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

    /// What came back for the account's sake says nothing of the message, not even that it was tried.
    void drop_sent_back() {
        std::erase_if(m_held, [](const Trial& trial) { return trial.outcome == Outcome::banned || trial.outcome == Outcome::rejected; });
    }

    /// Tells the experiment what was held back for a message: each time it may have arrived, or else that there was an error.
    void release(const Message& message) {
        drop_sent_back();
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
        drop_sent_back();
        const bool is_closed = !m_held.empty() && !is_unknown_held();
        release(message);
        if (!is_closed) answer_error();
    }

    void count(const Trial& trial) {
        ++m_in_log;
        m_report.price += trial.price;
        m_accounts.count(trial);
        m_report.blocked_in_log += is_suppressed(trial.outcome);
        m_report.characters += static_cast<std::uint64_t>(std::count_if(trial.input.begin(), trial.input.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
        m_report.too_fast += trial.retry_after_us > 0;
        constexpr std::int64_t break_us = 600 * second_us;
        const std::int64_t gap_us = m_in_log == 1 ? 0 : trial.time_us - m_last_us;
        if (gap_us > 0 && gap_us <= break_us) m_report.minutes += static_cast<double>(gap_us) / (60.0 * second_us);
        m_last_us = trial.time_us;
        if (trial.delay_us > 0) m_delays_us.push_back(trial.delay_us);
        // Whoever was never reached got no message.
        m_perhaps_arrived += trial.retry_after_us == 0 && (trial.outcome != Outcome::error || !trial.reply_sha256.empty());
        m_report.unknown += trial.outcome == Outcome::unknown;
    }

    bool is_stop_file_there() const {
        std::error_code ignored;
        return !m_limits.stop_file.empty() && std::filesystem::exists(m_limits.stop_file, ignored);
    }

    std::optional<RunnerEnd> limit_reached() const {
        if (is_stop_file_there()) return RunnerEnd::stop_file;
        if (m_perhaps_arrived >= m_limits.messages_max) return RunnerEnd::messages_max;
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
    bool wait_for_turn(const std::string& account) {
        // Drawn for every message, so that waiting does not depend on how often the program was stopped.
        const double factor = 1 + m_limits.interval_jitter * (2 * m_random.uniform() - 1);
        std::int64_t due_us = m_accounts.due_us(account, factor);
        // Whoever could not be reached may be there a little later.
        if (const auto last_us = m_accounts.last_us(account); last_us && m_silent_in_row > 0) due_us = std::max(due_us, *last_us + (second_us / 2 << std::min(m_silent_in_row - 1, 8u)));
        if (const auto blocked_us = m_accounts.last_blocked_us(account)) due_us = std::max(due_us, *blocked_us + m_experiment.pause_after_block_us());
        for (;;) {
            const std::int64_t now_us = m_clock.now_us();
            if (now_us >= due_us && !is_quiet(now_us)) return true;
            m_progress.check();
            if (is_stop_file_there()) return false;
            m_clock.sleep_us(std::clamp<std::int64_t>(is_quiet(now_us) ? second_us : due_us - now_us, 1, second_us));
        }
    }

    Driver& driver_of(const Message& message, const std::string& account) const {
        if (const auto named = m_limits.accounts.find(message.context); named != m_limits.accounts.end())
            for (const SendingAccount& one : named->second)
                if (one.name == account && one.driver) return *one.driver;
        const auto driver = m_drivers.find(message.context);
        UNVEIL_ASSERT(driver != m_drivers.end());
        return *driver->second;
    }

    void send(const Message& message, const std::string& account) {
        Trial trial = trial_of(message);
        trial.time_us = m_clock.now_us();
        trial.account = account;
        m_log.about_to_send(trial);
        Message sent = message;
        sent.account = account;
        Reply reply = driver_of(message, account).send(sent, [&] { return m_progress.is_cancelled() || is_stop_file_there(); });
        trial.outcome = reply.outcome;
        trial.spans = std::move(reply.spans);
        trial.has_warning = reply.has_warning;
        if (reply.outcome == Outcome::rejected) trial.retry_after_us = reply.retry_after_us;
        if (!reply.raw.empty()) trial.delay_us = m_clock.now_us() - trial.time_us;
        const bool is_blocked = is_suppressed(reply.outcome);
        trial.price = is_blocked ? m_limits.price_blocked : m_limits.price_passed;
        if (!reply.raw.empty()) trial.reply_sha256 = sha256_hex(reply.raw);
        if (!reply.problem.empty()) m_report.last_problem = reply.problem;
        m_log.append(trial);
        count(trial);
        ++m_report.sent;
        m_report.blocked += is_blocked;
        if (is_answer(trial)) {
            m_held.clear();
            m_silent_in_row = m_replies_in_row = 0;
            m_left_in_row = m_sent_back_in_row = 0;
            m_experiment.answer(trial);
            return;
        }
        m_held.push_back(trial);
        // It comes again by another account, or later: that is no silence, unless it goes on and on.
        constexpr int sent_back_in_row_max = 10;
        const bool is_sent_back = trial.outcome == Outcome::banned || trial.outcome == Outcome::rejected;
        m_sent_back_in_row = is_sent_back ? m_sent_back_in_row + 1 : 0;
        if (is_sent_back && m_sent_back_in_row < sent_back_in_row_max) return;
        ++m_silent_in_row;
        m_replies_in_row += !reply.raw.empty();
        if (trial.outcome == Outcome::unknown && !m_limits.resends_unknown) release(message);
    }

    Experiment& m_experiment;
    LogFile& m_log;
    const std::map<std::string, Driver*>& m_drivers;
    const RunnerLimits& m_limits;
    Accounts m_accounts;
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
    int m_sent_back_in_row = 0;
    std::int64_t m_last_us = 0;          // of all accounts
    std::vector<std::int64_t> m_delays_us;
};

}  // namespace

std::unique_ptr<FieldClock> make_system_clock() { return std::make_unique<SystemClock>(); }

std::string_view runner_end_words(RunnerEnd end) {
    switch (end) {
        case RunnerEnd::done: return "done";
        case RunnerEnd::refused: return "refused to go on";
        case RunnerEnd::messages_max: return "stopped at the limit of messages";
        case RunnerEnd::blocked_max: return "stopped at the limit of blocked messages a day";
        case RunnerEnd::budget: return "stopped because every account has had its blocked messages";
        case RunnerEnd::warned: return "stopped because every account was warned";
        case RunnerEnd::banned: return "stopped because every account was banned";
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
