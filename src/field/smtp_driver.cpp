#include "field/smtp_driver.hpp"

#include <fmt/format.h>
#include <netdb.h>
#include <openssl/evp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/text.hpp"
#include "field/waiting.hpp"

namespace unveil {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t reply_bytes_max = 64 << 10;

std::string lower_case(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return out;
}

std::string base64(std::string_view bytes) {
    std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');
    const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
    out.resize(static_cast<std::size_t>(size));
    return out;
}

/// A line of text and an answer of lines, within a time.
class Connection {
  public:
    Connection(std::int64_t timeout_us, const StopCheck& is_stopped) : m_deadline(Clock::now() + std::chrono::microseconds(timeout_us)), m_is_stopped(is_stopped) {}
    ~Connection() {
        if (m_socket >= 0) close(m_socket);
    }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    bool open(const std::string& host, const std::string& port) {
        addrinfo wanted{};
        wanted.ai_socktype = SOCK_STREAM;
        addrinfo* found = nullptr;
        if (getaddrinfo(host.c_str(), port.c_str(), &wanted, &found) != 0) return false;
        for (const addrinfo* one = found; one != nullptr && m_socket < 0; one = one->ai_next) {
            m_socket = socket(one->ai_family, one->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, one->ai_protocol);
            if (m_socket < 0) continue;
            int problem = 0;
            socklen_t size = sizeof problem;
            const bool is_begun = connect(m_socket, one->ai_addr, one->ai_addrlen) == 0 || errno == EINPROGRESS;
            if (is_begun && wait_for(POLLOUT) && getsockopt(m_socket, SOL_SOCKET, SO_ERROR, &problem, &size) == 0 && problem == 0) break;
            close(m_socket);
            m_socket = -1;
        }
        freeaddrinfo(found);
        return m_socket >= 0;
    }

    bool write_all(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t count = ::send(m_socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (count > 0) bytes.remove_prefix(static_cast<std::size_t>(count));
            else if (count < 0 && errno == EINTR) continue;
            else if (!(count < 0 && errno == EAGAIN && wait_for(POLLOUT))) return false;
        }
        return true;
    }

    /// The code of a reply and its text, of several lines when it has them; 0 when none came.
    int read_reply(std::string& text) {
        text.clear();
        for (;;) {
            std::string line;
            if (!read_line(line) || text.size() + line.size() > reply_bytes_max) return 0;
            const bool has_code = line.size() >= 3 && std::all_of(line.begin(), line.begin() + 3, [](char c) { return c >= '0' && c <= '9'; });
            if (!has_code) return 0;
            text += (text.empty() ? "" : " ") + (line.size() > 4 ? line.substr(4) : std::string());
            if (line.size() == 3 || line[3] == ' ') return std::stoi(line.substr(0, 3));
        }
    }

  private:
    bool wait_for(short events) const { return unveil::wait_for(m_socket, events, m_deadline, m_is_stopped); }

    bool read_line(std::string& line) {
        std::array<char, 4096> piece{};
        for (;;) {
            if (take_line(m_pending, line)) {
                if (line.ends_with('\r')) line.pop_back();
                return true;
            }
            if (m_pending.size() > reply_bytes_max || !wait_for(POLLIN)) return false;
            const ssize_t count = recv(m_socket, piece.data(), piece.size(), 0);
            if (count > 0) m_pending.append(piece.data(), static_cast<std::size_t>(count));
            else if (count == 0 || (errno != EAGAIN && errno != EINTR)) return false;
        }
    }

    Clock::time_point m_deadline;
    const StopCheck& m_is_stopped;
    int m_socket = -1;
    std::string m_pending;
};

class SmtpDriver final : public Driver {
  public:
    SmtpDriver(SmtpSpec spec, std::int64_t timeout_us) : m_spec(std::move(spec)), m_timeout_us(timeout_us) {}

    Reply send(const Message& message, const StopCheck& is_stopped) override {
        Connection connection(m_timeout_us, is_stopped);
        Reply reply;
        reply.outcome = Outcome::error;
        if (!connection.open(m_spec.host, m_spec.port)) {
            reply.problem = fmt::format("could not connect to {}:{}", m_spec.host, m_spec.port);
            return reply;
        }
        std::string text;
        int code = connection.read_reply(text);
        const std::array<std::string, 4> lines = {"EHLO localhost\r\n", fmt::format("MAIL FROM:<{}>\r\n", m_spec.from), fmt::format("RCPT TO:<{}>\r\n", m_spec.to), "DATA\r\n"};
        for (std::size_t i = 0; i < lines.size() && code >= 200 && code < 400; ++i) code = connection.write_all(lines[i]) ? connection.read_reply(text) : 0;
        if (code != 354) {
            reply.problem = code == 0 ? "gave no reply that can be read" : fmt::format("refused before the message was sent: {} {}", code, printable(text, 120));
            return reply;
        }
        // From here on nobody knows whether it arrived, until the reply says so.
        code = connection.write_all(smtp_mail(m_spec, message.input)) ? connection.read_reply(text) : 0;
        if (code == 0) {
            reply.outcome = Outcome::unknown;
            reply.problem = "lost the reply to the message";
            return reply;
        }
        connection.write_all("QUIT\r\n");
        return judge_smtp(m_spec, code, text);
    }

  private:
    SmtpSpec m_spec;
    std::int64_t m_timeout_us;
};

}  // namespace

SmtpSpec parse_smtp_spec(std::string_view bytes, const std::string& path) {
    const auto refuse = [&](const std::string& what) -> void {
        throw Error(ErrorKind::input, what, "See docs/formats/smtp-spec.md for an example", printable(path, 1000));
    };
    const nlohmann::json json = read_json(bytes);
    if (json.is_discarded() || !json.is_object()) refuse("is no JSON object");
    SmtpSpec spec;
    const std::array<std::pair<const char*, std::string*>, 5> fields = {{{"host", &spec.host}, {"port", &spec.port}, {"from", &spec.from}, {"to", &spec.to}, {"subject", &spec.subject}}};
    for (const auto& [name, value] : json.items()) {
        if (name == "verdicts") continue;
        const auto field = std::find_if(fields.begin(), fields.end(), [&](const auto& one) { return name == one.first; });
        if (field == fields.end()) refuse(fmt::format("there is no '{}'", printable(name, 40)));
        if (value.is_number_unsigned() && name == "port") *field->second = json_text(value);
        else if (value.is_string()) *field->second = value.get<std::string>();
        else refuse(fmt::format("'{}' must be text", name));
        // What goes into a command or a header must not end it.
        if (field->second->find_first_of("\r\n<>") != std::string::npos || !is_valid_utf8(*field->second)) refuse(fmt::format("'{}' holds a line break, < or >", name));
    }
    for (const auto& [name, value] : fields)
        if (value->empty()) refuse(fmt::format("'{}' is missing", name));
    const auto verdicts = json.find("verdicts");
    if (verdicts == json.end() || !verdicts->is_array() || verdicts->empty()) refuse("'verdicts' must be a list that says what replies mean");
    for (const auto& one : *verdicts) {
        if (!one.is_object()) refuse("each of 'verdicts' must be an object");
        SmtpVerdict verdict;
        for (const auto& [name, value] : one.items()) {
            if (name == "code" && value.is_number_integer() && value >= 200 && value <= 599) verdict.code = value.get<int>();
            else if (name == "contains" && value.is_string()) verdict.contains = lower_case(value.get<std::string>());
            else if (name != "outcome" || !value.is_string() || !parse_outcome(value.get<std::string>(), verdict.outcome))
                refuse(fmt::format("'{}' of a verdict cannot be read", printable(name, 40)));
        }
        if (!one.contains("outcome")) refuse("a verdict has no 'outcome'");
        spec.verdicts.push_back(std::move(verdict));
    }
    return spec;
}

SmtpSpec read_smtp_spec(const std::string& path) {
    constexpr std::size_t spec_bytes_max = 1 << 20;
    std::ifstream file(path, std::ios::binary);
    if (!file) throw Error(ErrorKind::input, "the file cannot be read", "Check its name", printable(path, 1000));
    std::string bytes(spec_bytes_max, '\0');
    file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    bytes.resize(static_cast<std::size_t>(file.gcount()));
    return parse_smtp_spec(bytes, path);
}

std::string smtp_mail(const SmtpSpec& spec, std::string_view text) {
    constexpr std::size_t line_bytes = 57;   // 76 characters of base64, RFC 2045 section 6.8
    std::string mail = fmt::format(
        "From: <{}>\r\nTo: <{}>\r\nSubject: =?UTF-8?B?{}?=\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n", spec.from,
        spec.to, base64(spec.subject));
    for (std::size_t at = 0; at < text.size(); at += line_bytes) mail += base64(text.substr(at, line_bytes)) + "\r\n";
    return mail + ".\r\n";
}

Reply judge_smtp(const SmtpSpec& spec, int code, std::string_view text) {
    Reply reply;
    reply.raw = fmt::format("{} {}", code, text);
    const std::string lower = lower_case(text);
    for (const SmtpVerdict& verdict : spec.verdicts) {
        if ((verdict.code && *verdict.code != code) || lower.find(verdict.contains) == std::string::npos) continue;
        reply.outcome = verdict.outcome;
        return reply;
    }
    reply.outcome = Outcome::error;
    reply.problem = fmt::format("gave a reply that no verdict fits: {} {}", code, printable(text, 120));
    return reply;
}

std::unique_ptr<Driver> make_smtp_driver(SmtpSpec spec, std::int64_t timeout_us) { return std::make_unique<SmtpDriver>(std::move(spec), timeout_us); }

}  // namespace unveil
