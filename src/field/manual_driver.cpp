#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <ostream>
#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"
#include "field/driver.hpp"
#include "field/waiting.hpp"

namespace unveil {
namespace {

class ManualDriver final : public Driver {
  public:
    ManualDriver(int in, std::ostream& out) : m_in(in), m_out(out) {}

    Reply send(const Message& message, const StopCheck& is_stopped) override {
        const bool has_alias = !message.account.empty() && message.account != message.context;
        m_out << fmt::format("\nSend this as {}{} and say what became of it:\n----\n{}\n----\n", printable(message.context, 80),
                             has_alias ? " by the account " + printable(message.account, 80) : "", message.input);
        for (;;) {
            m_out << "b blocked, p passed, r rejected, x banned, u unknown > " << std::flush;
            std::string line;
            if (!read_line(line, is_stopped)) {
                if (!is_stopped()) throw Error(ErrorKind::interrupted, "nobody answers any more", "Run the same command again to go on");
                m_out << "\n";
                return {Outcome::unknown, {}, {}, "was stopped before an answer was typed"};
            }
            const auto word = trimmed(line);
            if (word.size() == 1)
                switch (word[0]) {
                    case 'b': return {Outcome::blocked, {}, "b", {}};
                    case 'p': return {Outcome::passed, {}, "p", {}};
                    case 'r': return {Outcome::rejected, {}, "r", {}};
                    case 'x': return {Outcome::banned, {}, "x", {}};
                    case 'u': return {Outcome::unknown, {}, "u", {}};
                    default: break;
                }
            m_out << "Type one letter.\n";
        }
    }

  private:
    /// False at the end of the input, or when it is stopped.
    bool read_line(std::string& line, const StopCheck& is_stopped) {
        std::array<char, 4096> piece{};
        for (;;) {
            if (take_line(m_pending, line)) return true;
            if (is_stopped()) return false;
            pollfd waiting{m_in, POLLIN, 0};
            const int found = poll(&waiting, 1, 100);
            if (found == 0 || (found < 0 && errno == EINTR)) continue;
            const ssize_t count = found < 0 ? -1 : read(m_in, piece.data(), piece.size());
            if (count > 0) {
                m_pending.append(piece.data(), static_cast<std::size_t>(count));
            } else if (count == 0 || errno != EINTR) {
                // The last line may lack its end.
                line = std::exchange(m_pending, {});
                return !line.empty();
            }
        }
    }

    int m_in;
    std::ostream& m_out;
    std::string m_pending;
};

}  // namespace

std::unique_ptr<Driver> make_manual_driver(int in, std::ostream& out) { return std::make_unique<ManualDriver>(in, out); }

}  // namespace unveil
