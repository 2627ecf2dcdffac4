// Goal: mail goes out as RFC 5321 wants it, replies are judged, and what is lost is told from what was never sent. Method: a server of a few
// lines on this machine that answers as each test says.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "core/error.hpp"
#include "field/smtp_driver.hpp"

namespace unveil {
namespace {

using ::testing::HasSubstr;

/// Answers each line with the next reply; behind 354 it reads to the dot. Ends when a reply is empty.
class Server {
  public:
    explicit Server(std::vector<std::string> replies) : m_replies(std::move(replies)) {
        m_socket = socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        EXPECT_EQ(bind(m_socket, reinterpret_cast<sockaddr*>(&address), size), 0);
        EXPECT_EQ(listen(m_socket, 1), 0);
        EXPECT_EQ(getsockname(m_socket, reinterpret_cast<sockaddr*>(&address), &size), 0);
        m_port = ntohs(address.sin_port);
        m_thread = std::thread([this] { serve(); });
    }
    ~Server() {
        shutdown(m_socket, SHUT_RDWR);
        m_thread.join();
        close(m_socket);
    }
    std::string port() const { return std::to_string(m_port); }
    std::string wait_for_all() {
        m_thread.join();
        m_thread = std::thread([] {});
        return m_seen;
    }

  private:
    void serve() {
        const int client = accept(m_socket, nullptr, nullptr);
        if (client < 0) return;
        std::string pending;
        std::string last;
        for (const auto& reply : m_replies) {
            if (reply.empty()) break;
            ::send(client, reply.data(), reply.size(), MSG_NOSIGNAL);
            const std::string end = reply.starts_with("354") ? "\r\n.\r\n" : "\r\n";
            char piece[1024];
            while (pending.find(end) == std::string::npos) {
                const auto count = recv(client, piece, sizeof piece, 0);
                if (count <= 0) break;
                pending.append(piece, static_cast<std::size_t>(count));
            }
            const auto at = pending.find(end);
            if (at == std::string::npos) break;
            m_seen += pending.substr(0, at + end.size());
            pending.erase(0, at + end.size());
        }
        close(client);
    }
    std::vector<std::string> m_replies;
    std::string m_seen;
    int m_socket = -1;
    unsigned m_port = 0;
    std::thread m_thread;
};

SmtpSpec spec_for(const std::string& port) {
    return parse_smtp_spec(R"({"host":"127.0.0.1","port":)" + port + R"(,"from":"me@a.example","to":"nobody@b.example","subject":"你好",
        "verdicts":[{"code":550,"contains":"Content denied","outcome":"blocked"},{"code":250,"outcome":"passed"},{"code":550,"contains":"mailbox","outcome":"passed"}]})", "spec.json");
}

Reply send(Server& server, const std::string& text) { return make_smtp_driver(spec_for(server.port()), 5'000'000)->send({"cn", "scan", "", "", text}); }

TEST(SmtpDriver, SendsAMailAndJudgesTheReply) {
    Server server({"220 hello\r\n", "250-b.example\r\n250 SIZE\r\n", "250 ok\r\n", "250 ok\r\n", "354 go on\r\n", "550 Mail content denied\r\n", "221 bye\r\n"});
    EXPECT_EQ(send(server, "六四").outcome, Outcome::blocked);
    const std::string seen = server.wait_for_all();
    EXPECT_THAT(seen, HasSubstr("EHLO localhost\r\nMAIL FROM:<me@a.example>\r\nRCPT TO:<nobody@b.example>\r\nDATA\r\n"));
    EXPECT_THAT(seen, HasSubstr("Subject: =?UTF-8?B?5L2g5aW9?="));
    EXPECT_THAT(seen, HasSubstr("\r\n\r\n5YWt5Zub\r\n.\r\n"));
}

TEST(SmtpDriver, RepliesAreToldApart) {
    const SmtpSpec spec = spec_for("25");
    EXPECT_EQ(judge_smtp(spec, 250, "queued").outcome, Outcome::passed);
    EXPECT_EQ(judge_smtp(spec, 550, "Mailbox not found").outcome, Outcome::passed);
    EXPECT_EQ(judge_smtp(spec, 550, "something else").outcome, Outcome::error);
    EXPECT_EQ(judge_smtp(spec, 451, "later").outcome, Outcome::error);
    // No line of base64 is longer than 76, and none can be a dot.
    const std::string mail = smtp_mail(spec, std::string(1000, '.'));
    for (std::size_t at = 0; at < mail.size();) {
        const auto end = mail.find("\r\n", at);
        EXPECT_LE(end - at, 76u);
        at = end + 2;
    }
    EXPECT_EQ(mail.find("\r\n.\r\n"), mail.size() - 5);
}

TEST(SmtpDriver, LostIsUnknownAndUnsentIsAnError) {
    Server refusing({"220 hello\r\n", "250 ok\r\n", "550 go away\r\n", ""});
    const Reply refused = send(refusing, "a");
    EXPECT_EQ(refused.outcome, Outcome::error);
    EXPECT_THAT(refused.problem, HasSubstr("before the message was sent: 550 go away"));
    Server dying({"220 hello\r\n", "250 ok\r\n", "250 ok\r\n", "250 ok\r\n", "354 go on\r\n", ""});
    EXPECT_EQ(send(dying, "a").outcome, Outcome::unknown);
    Server strange({"hello there\r\n", ""});
    EXPECT_EQ(send(strange, "a").outcome, Outcome::error);
    EXPECT_THAT(make_smtp_driver(spec_for("1"), 1'000'000)->send({"cn", "", "", "", "a"}).problem, HasSubstr("could not connect"));
}

TEST(SmtpDriver, WhatIsWrongInTheFileIsTold) {
    const auto problem = [](const std::string& json) {
        try {
            parse_smtp_spec(json, "spec.json");
        } catch (const Error& error) {
            return error.message();
        }
        return std::string("none");
    };
    EXPECT_THAT(problem("{"), HasSubstr("no JSON object"));
    EXPECT_THAT(problem(R"({"host":"h"})"), HasSubstr("'from' is missing"));
    EXPECT_THAT(problem(R"({"host":"h","from":"a\r\nDATA","to":"b","verdicts":[]})"), HasSubstr("line break"));
    EXPECT_THAT(problem(R"({"host":"h","from":"a","to":"b","verdicts":[{"code":7,"outcome":"passed"}]})"), HasSubstr("'code' of a verdict"));
    EXPECT_THAT(problem(R"({"host":"h","from":"a","to":"b","verdicts":[{"code":250}]})"), HasSubstr("no 'outcome'"));
    EXPECT_THAT(problem(R"({"host":"h","form":"a"})"), HasSubstr("there is no 'form'"));
}

}  // namespace
}  // namespace unveil
