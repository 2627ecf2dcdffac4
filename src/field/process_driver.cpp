#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/text.hpp"
#include "field/driver.hpp"
#include "field/spans.hpp"
#include "field/waiting.hpp"

namespace unveil {
namespace {

using Clock = std::chrono::steady_clock;

class ProcessDriver final : public Driver {
  public:
    ProcessDriver(std::string command, std::int64_t timeout_us) : m_command(std::move(command)), m_timeout_us(timeout_us) {}
    ~ProcessDriver() override { stop(); }
    ProcessDriver(const ProcessDriver&) = delete;
    ProcessDriver& operator=(const ProcessDriver&) = delete;

    Reply send(const Message& message, const StopCheck& is_stopped) override {
        m_is_stopped = is_stopped;
        if (m_pid >= 0) take_what_came();
        // Whatever it says now would be taken for the answer to this message, and each answer from then on for the one to the next.
        if (const std::string unasked(trimmed(m_pending)); m_pid >= 0 && !unasked.empty())
            return not_understood({}, fmt::format("wrote what nobody asked for: {}; it must print one line for each message and nothing else", printable(unasked, 120)));
        if (m_has_ended) stop();
        if (m_pid < 0) start();
        const std::string line = json_text({{"context", message.context}, {"account", message.account}, {"text", message.input}}) + "\n";
        const auto deadline = Clock::now() + std::chrono::microseconds(m_timeout_us);
        if (!write_all(line, deadline)) return lost("did not take the message");
        std::string answer;
        if (!read_line(answer, deadline)) return lost(is_stopped() ? "was stopped before it answered" : m_has_ended ? "ended without an answer" : "did not answer in time");
        if (const auto more = trimmed(m_pending); !more.empty())
            return not_understood(std::move(answer), fmt::format("answered one message with more than one line: {}", printable(more, 120)));
        Reply reply = parse_reply(answer, message.input.size());
        if (!reply.problem.empty()) return not_understood(std::move(reply.raw), std::move(reply.problem));
        return reply;
    }

  private:
    void start() {
        std::array<int, 2> to_child{};
        std::array<int, 2> from_child{};
        if (pipe2(to_child.data(), O_CLOEXEC) != 0 || pipe2(from_child.data(), O_CLOEXEC) != 0)
            throw Error(ErrorKind::run, fmt::format("no pipe to the command: {}", std::strerror(errno)), "Close other programs");
        m_pid = fork();
        if (m_pid < 0) throw Error(ErrorKind::run, fmt::format("the command cannot be started: {}", std::strerror(errno)), "Close other programs");
        if (m_pid == 0) {
            // Of its own group, so that a Ctrl-C meant for unveil does not reach it in the middle of a message.
            setpgid(0, 0);
            // When unveil is killed nobody reads what it answers.
            prctl(PR_SET_PDEATHSIG, SIGTERM);
            dup2(to_child[0], STDIN_FILENO);
            dup2(from_child[1], STDOUT_FILENO);
            execl("/bin/sh", "sh", "-c", m_command.c_str(), nullptr);
            _exit(127);
        }
        close(to_child[0]);
        close(from_child[1]);
        m_to = to_child[1];
        m_from = from_child[0];
        fcntl(m_to, F_SETFL, O_NONBLOCK);
        fcntl(m_from, F_SETFL, O_NONBLOCK);
        m_pending.clear();
        m_has_ended = false;
    }

    void stop() {
        if (m_pid < 0) return;
        close(m_to);
        close(m_from);
        kill(-m_pid, SIGKILL);
        kill(m_pid, SIGKILL);
        waitpid(m_pid, nullptr, 0);
        m_pid = -1;
        m_has_ended = false;
    }

    /// Begins anew, for nobody knows to which message the next line would belong.
    Reply not_understood(std::string raw, std::string problem) {
        stop();
        Reply reply;
        reply.outcome = Outcome::error;
        reply.raw = std::move(raw);
        reply.problem = std::move(problem);
        return reply;
    }

    Reply lost(const std::string& what) {
        stop();
        Reply reply;
        reply.problem = fmt::format("{}: '{}'. Try it by hand: echo '{{\"context\":\"\",\"text\":\"hello\"}}' | COMMAND must print {{\"outcome\":\"passed\"}}", what, printable(m_command, 200));
        return reply;
    }

    bool write_all(std::string_view bytes, Clock::time_point deadline) {
        // A command that has ended must not end us; nobody else here writes to pipes that matter.
        const auto before = std::signal(SIGPIPE, SIG_IGN);
        bool is_written = true;
        while (!bytes.empty() && is_written) {
            const ssize_t count = write(m_to, bytes.data(), bytes.size());
            if (count > 0) bytes.remove_prefix(static_cast<std::size_t>(count));
            else if (count < 0 && errno == EAGAIN) is_written = wait_for(m_to, POLLOUT, deadline, m_is_stopped);
            else if (count < 0 && errno == EINTR) continue;
            else is_written = false;
        }
        std::signal(SIGPIPE, before);
        return is_written;
    }

    bool read_line(std::string& line, Clock::time_point deadline) {
        for (;;) {
            if (take_line(m_pending, line)) return true;
            if (m_has_ended || m_pending.size() > line_bytes_max || !wait_for(m_from, POLLIN, deadline, m_is_stopped)) return false;
            take_what_came();
        }
    }

    /// Without waiting for more.
    void take_what_came() {
        std::array<char, 4096> piece{};
        while (!m_has_ended && m_pending.size() <= line_bytes_max) {
            const ssize_t count = read(m_from, piece.data(), piece.size());
            if (count > 0) m_pending.append(piece.data(), static_cast<std::size_t>(count));
            else if (count == 0) m_has_ended = true;
            else if (errno == EAGAIN) return;
            else if (errno != EINTR) m_has_ended = true;
        }
    }

    static constexpr std::size_t line_bytes_max = 1 << 20;
    std::string m_command;
    std::int64_t m_timeout_us;
    pid_t m_pid = -1;
    int m_to = -1;
    int m_from = -1;
    bool m_has_ended = false;
    StopCheck m_is_stopped;   // of the message under way
    std::string m_pending;
};

}  // namespace

Reply parse_reply(std::string_view line, std::size_t message_bytes) {
    Reply reply;
    reply.raw = line;
    const auto fail = [&](std::string problem) {
        reply.outcome = Outcome::error;
        reply.problem = std::move(problem);
        return reply;
    };
    const auto json = read_json(line);
    if (json.is_discarded() || !json.is_object()) return fail(fmt::format("answered no JSON object: {}", printable(line, 120)));
    const auto outcome = json.find("outcome");
    if (outcome == json.end() || !outcome->is_string() || !parse_outcome(outcome->get<std::string>(), reply.outcome))
        return fail(fmt::format("answered without a known \"outcome\": {}", printable(line, 120)));
    if (const auto seconds = json.find("retry_after"); seconds != json.end()) {
        constexpr double seconds_max = 3600;
        if (reply.outcome != Outcome::rejected || !seconds->is_number() || *seconds <= 0 || *seconds > seconds_max)
            return fail("answered with a \"retry_after\" that is not with \"rejected\", or no number of seconds up to 3600");
        reply.retry_after_us = std::llround(seconds->get<double>() * 1e6);
    }
    if (const auto warning = json.find("warning"); warning != json.end()) {
        if (!warning->is_boolean()) return fail("answered with a \"warning\" that is neither true nor false");
        reply.has_warning = warning->get<bool>();
    }
    const auto spans = json.find("spans");
    if (spans == json.end()) return reply;
    auto told = read_spans(*spans, message_bytes);
    if (!told) return fail("answered with \"spans\" that are no list of [begin, end] within the message");
    reply.spans = std::move(*told);
    return reply;
}

std::unique_ptr<Driver> make_process_driver(const std::string& command, std::int64_t timeout_us) {
    return std::make_unique<ProcessDriver>(command, timeout_us);
}

}  // namespace unveil
