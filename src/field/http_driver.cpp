#include <fmt/format.h>
#include <httplib.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "core/error.hpp"
#include "core/text.hpp"
#include "field/http_spec.hpp"

namespace unveil {
namespace {

constexpr std::size_t answer_bytes_max = 4 << 20;
constexpr int retry_seconds_max = 3600;
constexpr auto check_every = std::chrono::milliseconds(50);
constexpr auto connection_try = std::chrono::seconds(4);

class HttpDriver final : public Driver {
  public:
    HttpDriver(HttpSpec spec, std::int64_t timeout_us) : m_spec(std::move(spec)), m_timeout_us(timeout_us), m_client(m_spec.origin) {
        if (!m_client.is_valid()) throw Error(ErrorKind::input, fmt::format("'{}' cannot be spoken to", printable(m_spec.origin, 200)), "Check the url of the description");
        const auto timeout = std::chrono::microseconds(timeout_us);
        m_client.set_connection_timeout(std::min<std::chrono::microseconds>(timeout, connection_try));
        m_client.set_read_timeout(timeout);
        m_client.set_write_timeout(timeout);
        // Another address would be another service.
        m_client.set_follow_location(false);
        m_client.set_keep_alive(true);
        m_client.set_tcp_nodelay(true);
    }

    Reply send(const Message& message, const StopCheck& is_stopped) override {
        httplib::Request request;
        request.method = m_spec.method;
        request.path = filled(m_spec.target, message);
        for (const auto& [name, value] : m_spec.headers) request.set_header(name, value);
        if (m_spec.method != "GET") request.body = filled(m_spec.body, message);
        std::string body;
        request.content_receiver = [&](const char* bytes, std::size_t count, std::uint64_t, std::uint64_t) {
            body.append(bytes, count);
            return body.size() <= answer_bytes_max;
        };
        const auto result = send_unless_stopped(request, is_stopped);
        if (!result) return failed(result.error(), is_stopped());
        if ((result->status == 429 || result->status == 503) && result->has_header("Retry-After")) {
            int seconds = 0;
            const std::string after = result->get_header_value("Retry-After");
            const auto [end, failure] = std::from_chars(after.data(), after.data() + after.size(), seconds);
            if (failure == std::errc() && seconds >= 0 && seconds <= retry_seconds_max) {
                Reply reply;
                reply.outcome = Outcome::rejected;
                reply.raw = fmt::format("{} Retry-After: {}", result->status, seconds);
                reply.problem = fmt::format("was told to send again after {} s", seconds);
                reply.retry_after_us = std::max(1, seconds) * 1'000'000LL;
                return reply;
            }
        }
        return judge_http(m_spec, result->status, body, message.input.size());
    }

  private:
    httplib::Result send_unless_stopped(const httplib::Request& request, const StopCheck& is_stopped) {
        std::mutex mutex;
        std::condition_variable ended;
        bool is_done = false;
        std::thread watcher([&] {
            std::unique_lock lock(mutex);
            while (!ended.wait_for(lock, check_every, [&] { return is_done; }))
                // Again and again: before the request is under way there is nothing to stop.
                if (is_stopped()) m_client.stop();
        });
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::microseconds(m_timeout_us);
        httplib::Result result = m_client.send(request);
        // Connections are tried for a short time each, for nothing can stop one that is in the making.
        while (result.error() == httplib::Error::ConnectionTimeout && !is_stopped() && std::chrono::steady_clock::now() < deadline) result = m_client.send(request);
        {
            const std::lock_guard lock(mutex);
            is_done = true;
        }
        ended.notify_one();
        watcher.join();
        return result;
    }

    static Reply failed(httplib::Error error, bool is_stopped) {
        Reply reply;
        const bool is_unsent = error == httplib::Error::Connection || error == httplib::Error::BindIPAddress || error == httplib::Error::SSLConnection ||
                               error == httplib::Error::SSLLoadingCerts || error == httplib::Error::SSLServerVerification || error == httplib::Error::ConnectionTimeout;
        reply.outcome = is_unsent ? Outcome::error : Outcome::unknown;
        if (is_stopped) reply.problem = "was stopped before an answer came";
        else reply.problem = is_unsent ? fmt::format("could not connect ({})", httplib::to_string(error)) : fmt::format("lost the answer ({})", httplib::to_string(error));
        return reply;
    }

    HttpSpec m_spec;
    std::int64_t m_timeout_us;
    httplib::Client m_client;
};

}  // namespace

std::unique_ptr<Driver> make_http_driver(HttpSpec spec, std::int64_t timeout_us) { return std::make_unique<HttpDriver>(std::move(spec), timeout_us); }

}  // namespace unveil
