#include "cli/command_lab_serve.hpp"

#include <fmt/format.h>
#include <httplib.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "cli/global.hpp"
#include "core/error.hpp"
#include "core/json.hpp"
#include "core/text.hpp"
#include "core/time.hpp"
#include "field/runner.hpp"
#include "lab/service.hpp"
#include "lab/service_churn.hpp"

namespace unveil::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t request_bytes_max = 4 << 20;
constexpr const char* loopback = "127.0.0.1";

/// Since when its clock runs, and how fast.
struct ServiceClock {
    std::int64_t from_us = 0;
    double speed = 1;
    std::unique_ptr<FieldClock> system = make_system_clock();
    std::int64_t started_us = system->now_us();
    std::int64_t now_us() const {
        // Beyond any date that can be written nothing happens any more.
        constexpr double far_us = 9e18;
        return static_cast<std::int64_t>(std::min(far_us, static_cast<double>(from_us) + static_cast<double>(system->now_us() - started_us) * speed));
    }
};

ServiceClock clock_of(const ParameterValues& options) {
    ServiceClock clock;
    clock.from_us = clock.started_us;
    clock.speed = options.real("clock-speed");
    if (!options.has_value("clock")) return clock;
    const auto from_us = parse_time_us(options.text("clock"));
    if (!from_us) throw Error(ErrorKind::usage, fmt::format("'{}' is no time", printable(options.text("clock"), 80)), "Write it as 2020-02-01 or 2020-02-01T08:00:00Z");
    clock.from_us = *from_us;
    return clock;
}

ServiceRules read_rules(const Global& global, const ParameterValues& options, ServiceKind kind) {
    ServiceRules rules;
    rules.kind = kind;
    for (const auto& given : options.texts("rules")) {
        const auto equals = given.find('=');
        const std::string context = equals == std::string::npos ? "" : given.substr(0, equals);
        const std::string path = equals == std::string::npos ? given : given.substr(equals + 1);
        auto list = read_service_list(path);
        if (list.word_bound > 0)
            global.say(fmt::format("note: {}: {} {} by the lack of an asterisk bound to the edge of a word; the service takes them as parts of words", printable(path, 1000), list.word_bound,
                                   list.word_bound == 1 ? "rule is" : "rules are"));
        if (!rules.lists.emplace(context, std::move(list.rules)).second)
            throw Error(ErrorKind::usage, fmt::format("two lists are given for '{}'", printable(context.empty() ? "all contexts" : context, 80)), "Put them into one file");
    }
    if (rules.lists.empty()) throw Error(ErrorKind::usage, "--rules is missing", "Add --rules FILE with one rule a line, or --rules CONTEXT=FILE");
    if (options.has_value("churn")) {
        const std::string& path = options.text("churn");
        auto churn = read_service_churn(path);
        for (const auto& [reason, entry] : churn.tally.skips())
            global.say(fmt::format("note: {}: {} {} not used: {}, such as {}", printable(path, 1000), entry.count, entry.count == 1 ? "row is" : "rows are", reason, entry.examples.front()));
        rules.churn = std::move(churn.changes);
    }
    for (const auto& fold : options.texts("folds"))
        if (fold != "none") rules.folds.push_back(fold);
    rules.is_ordered = options.flag("ordered");
    rules.escalates = options.flag("escalate");
    if (options.has_value("characters-max")) rules.characters_max = static_cast<std::size_t>(options.integer("characters-max"));
    rules.slip_rate = options.real("slip-rate");
    rules.false_block_rate = options.real("false-block-rate");
    rules.servers = static_cast<std::uint32_t>(options.integer("servers"));
    rules.missing_share = options.real("missing-share");
    rules.warned_after = static_cast<std::uint32_t>(options.integer("warn-after"));
    rules.banned_after = static_cast<std::uint32_t>(options.integer("ban-after"));
    rules.shut_after = static_cast<std::uint32_t>(options.integer("shut-after"));
    rules.per_minute_max = static_cast<std::uint32_t>(options.integer("per-minute"));
    rules.sticky_us = options.duration_us("sticky");
    rules.delay_us = options.duration_us("delay");
    rules.seed = static_cast<std::uint64_t>(options.integer("seed"));
    return rules;
}

/// Of which rules the spellings would leave nothing.
void say_spared(const Global& global, const std::vector<SparedRule>& spared) {
    constexpr std::size_t said_max = 20;
    for (std::size_t i = 0; i < std::min(said_max, spared.size()); ++i) {
        std::string folds;
        for (const auto& fold : spared[i].folds) folds += (folds.empty() ? "" : ", ") + fold;
        global.say(fmt::format("note: the rule '{}' is compared without the spellings {}{}: they would leave nothing of a word in it", printable(spared[i].notation, 80), folds,
                               spared[i].is_escalated_only ? " for accounts that were blocked before" : ""));
    }
    if (spared.size() > said_max) global.say(fmt::format("note: so are {} more rules, each without those that would leave nothing of it", spared.size() - said_max));
}

/// The service behind HTTP. One message at a time: what becomes of the next depends on the ones before.
class Counter {
  public:
    Counter(ServiceRules rules, ServiceClock clock) : m_service(std::move(rules)), m_clock(std::move(clock)) {}

    const Service& service() const { return m_service; }

    void answer(const std::string& context, const std::string& account, const std::string& text, httplib::Response& response) {
        if (!is_valid_utf8(context) || !is_valid_utf8(account) || !is_valid_utf8(text)) return refuse(response, 400, "the text is not UTF-8");
        ServiceAnswer answer;
        {
            const std::lock_guard lock(m_mutex);
            m_service.advance(m_clock.now_us());
            answer = m_service.answer(context, account, text);
        }
        std::this_thread::sleep_for(std::chrono::microseconds(answer.delay_us));
        Json json = {{"outcome", outcome_name(answer.outcome)}, {"text", answer.text}};
        if (!answer.spans.empty()) {
            json["spans"] = Json::array();
            for (const auto& span : answer.spans) json["spans"].push_back({span.begin, span.end});
        }
        if (answer.has_warning) json["warning"] = true;
        response.status = answer.outcome == Outcome::banned ? 403 : answer.outcome != Outcome::rejected ? 200 : answer.retry_after_us > 0 ? 429 : 413;
        if (answer.retry_after_us > 0) {
            // In seconds of whoever asks, whose clock runs at its own pace.
            constexpr double seconds_max = 1e6;
            const double seconds = std::ceil(static_cast<double>(answer.retry_after_us) / 1e6 / m_clock.speed);
            response.set_header("Retry-After", fmt::format("{:.0f}", std::min(seconds, seconds_max)));
        }
        response.set_content(json_text(json) + "\n", "application/json");
    }

    static void refuse(httplib::Response& response, int status, const char* why) {
        response.status = status;
        response.set_content(json_text(Json{{"error", why}}) + "\n", "application/json");
    }

  private:
    std::mutex m_mutex;
    Service m_service;
    ServiceClock m_clock;
};

class LabServeCommand final : public Command {
  public:
    CommandDescription description() const override {
        CommandDescription d;
        d.name = "lab serve";
        d.summary = "Run a made-up service that suppresses messages, on this machine only";
        d.details =
            "Answers HTTP on 127.0.0.1 until it is stopped, by rules that you know, so that 'unveil probe' or any other tool can be tried. POST /message with "
            "{\"context\":...,\"account\":...,\"text\":...} gives {\"outcome\":...,\"text\":...}; GET /search?q=... gives the same for a query. A chat suppresses "
            "messages, a search gives no results, a translation leaves lines out, a mask words. Nobody outside this machine can reach it.";
        d.positionals = {{"KIND", "chat, search, translate or mask", 1, 1}};
        const auto add = [&](Parameter parameter) { d.options.push_back(std::move(parameter)); };
        add(command_option("rules", ParameterType::text, "[CONTEXT=]FILE", "", "One rule a line: 'a + b', or 'a + b unless c'; for all contexts or for one"));
        d.options.back().is_list = true;
        add(command_option("churn", ParameterType::text, "FILE", "", "A table with time,change,rule: when which rule is 'added' or 'removed'"));
        add(command_option("clock", ParameterType::text, "TIME", "", "What its clock says when it starts, for --churn; the present when left out"));
        add(command_option("clock-speed", ParameterType::real, "N", "1", "How many times as fast as others its clock runs"));
        d.options.back().minimum = 0;
        d.options.back().maximum = 1e9;
        add(command_option("port", ParameterType::integer, "N", "0", "Where to listen; 0 takes a free one and says which"));
        d.options.back().minimum = 0;
        d.options.back().maximum = 65535;
        Parameter folds = command_option("folds", ParameterType::choice, "NAME", "none", "Spellings that it sees through");
        folds.is_list = true;
        folds.choices = chat_folds();
        folds.choices.emplace_back("none");
        add(std::move(folds));
        add(command_option("ordered", ParameterType::flag, "", "", "The words of a rule must stand in their order"));
        add(command_option("characters-max", ParameterType::integer, "N", "", "Reject longer messages"));
        d.options.back().minimum = 1;
        const auto add_share = [&](const char* name, const char* help) {
            add(command_option(name, ParameterType::real, "SHARE", "0", help));
            d.options.back().minimum = 0;
            d.options.back().maximum = 1;
        };
        add_share("slip-rate", "Share of messages that come through although a rule fits");
        add_share("false-block-rate", "Share of messages that are suppressed although none fits");
        add(command_option("servers", ParameterType::integer, "N", "1", "A message meets one of so many servers"));
        d.options.back().minimum = 1;
        d.options.back().maximum = 1000;
        add_share("missing-share", "Share of the rules that each server but the first does not have");
        const auto add_count = [&](const char* name, const char* help) {
            add(command_option(name, ParameterType::integer, "N", "0", help));
            d.options.back().minimum = 0;
            d.options.back().maximum = 1e9;
        };
        add_count("warn-after", "Warn an account from this many suppressed messages on; 0 for never");
        add_count("ban-after", "Ban an account at this many; 0 for never");
        add_count("shut-after", "Suppress all that an account sends from this many on, without a word; 0 for never");
        add_count("per-minute", "Take so many messages of an account a minute, and tell others to come later; 0 for any number");
        add(command_option("sticky", ParameterType::duration, "DURATION", "0s", "Suppress all that an account sends for so long after a suppressed message"));
        add(command_option("escalate", ParameterType::flag, "", "", "See through more spellings for accounts that had a message suppressed: all but those by sound, parts or place of characters"));
        add(command_option("delay", ParameterType::duration, "DURATION", "0s", "Longest time to an answer"));
        add(command_option("seed", ParameterType::integer, "N", "1", "Of faults, servers and delays"));
        d.options.back().minimum = 0;
        d.examples = {"unveil lab serve chat --rules rules.txt --port 8080",
                      "unveil lab serve chat --rules home=all.txt --rules abroad=few.txt --folds case,space --ban-after 50",
                      "unveil lab serve chat --rules rules.txt --churn changes.csv --clock 2020-02-01 --clock-speed 1440"};
        d.memory = "A few hundred bytes a rule.";
        return d;
    }

    int run(const Invocation& invocation) const override {
        const auto& options = invocation.options;
        const std::string& kind = invocation.positionals.at(0).at(0);
        static const std::map<std::string, ServiceKind> kinds = {
            {"chat", ServiceKind::chat}, {"mask", ServiceKind::mask}, {"search", ServiceKind::search}, {"translate", ServiceKind::translate}};
        const auto known = kinds.find(kind);
        if (known == kinds.end()) throw Error(ErrorKind::usage, fmt::format("there is no service '{}'", printable(kind, 80)), "Take chat, search, translate or mask");
        Counter counter(read_rules(invocation.global, options, known->second), clock_of(options));
        say_spared(invocation.global, counter.service().spared_rules());
        httplib::Server server;
        // Left to itself the library lets a second server listen on the same port, and answers would come from either.
        server.set_socket_options([](socket_t socket) {
            const int yes = 1;
            setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
        });
        server.set_payload_max_length(request_bytes_max);
        server.set_tcp_nodelay(true);
        server.Post("/message", [&](const httplib::Request& request, httplib::Response& response) {
            const nlohmann::json json = read_json(request.body);
            const auto text = [&](const char* name) {
                const auto found = json.find(name);
                return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
            };
            if (json.is_discarded() || !json.is_object() || !json.contains("text") || !json["text"].is_string()) return Counter::refuse(response, 400, "send {\"text\":\"...\"}");
            counter.answer(text("context"), text("account").empty() ? text("context") : text("account"), text("text"), response);
        });
        server.Get("/search", [&](const httplib::Request& request, httplib::Response& response) {
            if (!request.has_param("q")) return Counter::refuse(response, 400, "ask with ?q=...");
            const std::string context = request.get_param_value("context");
            counter.answer(context, request.has_param("account") ? request.get_param_value("account") : context, request.get_param_value("q"), response);
        });
        const int wanted_port = static_cast<int>(options.integer("port"));
        int port = wanted_port;
        if (port == 0) port = server.bind_to_any_port(loopback);
        else if (!server.bind_to_port(loopback, port)) port = -1;
        if (port < 0)
            throw Error(ErrorKind::run, wanted_port == 0 ? std::string("there is no free port") : fmt::format("the port {} is taken or may not be used", wanted_port),
                        "Give another --port, or 0 for a free one", loopback);
        // A client that goes away in the middle of an answer must not end the service.
        std::signal(SIGPIPE, SIG_IGN);
        std::thread listening([&] { server.listen_after_bind(); });
        invocation.global.print(fmt::format("listening on http://{}:{}\n", loopback, port));
        std::fflush(stdout);
        try {
            for (;;) {
                invocation.global.progress->check();
                std::this_thread::sleep_for(std::chrono::milliseconds(50));
            }
        } catch (const Error& error) {
            while (!server.is_running() && listening.joinable() && error.kind() == ErrorKind::interrupted) std::this_thread::sleep_for(std::chrono::milliseconds(1));
            server.stop();
            listening.join();
            if (error.kind() != ErrorKind::interrupted) throw;
        }
        return 0;
    }
};

}  // namespace

std::unique_ptr<Command> make_lab_serve_command() { return std::make_unique<LabServeCommand>(); }

}  // namespace unveil::cli
