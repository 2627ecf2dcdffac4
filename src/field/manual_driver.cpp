#include <fmt/format.h>

#include <istream>
#include <ostream>

#include "core/error.hpp"
#include "core/text.hpp"
#include "field/driver.hpp"

namespace unveil {
namespace {

class ManualDriver final : public Driver {
  public:
    ManualDriver(std::istream& in, std::ostream& out) : m_in(in), m_out(out) {}

    Reply send(const Message& message) override {
        m_out << fmt::format("\nSend this as {} and say what became of it:\n----\n{}\n----\n", printable(message.context, 80), message.input);
        for (;;) {
            m_out << "b blocked, p passed, r rejected, x banned, u unknown > " << std::flush;
            std::string line;
            if (!std::getline(m_in, line)) throw Error(ErrorKind::interrupted, "nobody answers any more", "Run the same command again to go on");
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
    std::istream& m_in;
    std::ostream& m_out;
};

}  // namespace

std::unique_ptr<Driver> make_manual_driver(std::istream& in, std::ostream& out) { return std::make_unique<ManualDriver>(in, out); }

}  // namespace unveil
