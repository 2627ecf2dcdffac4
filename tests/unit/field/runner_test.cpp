// Goal: no message is sent twice, none is lost, limits hold. Method: an experiment of numbered messages, a driver and a clock in memory,
// and a log on disk that is cut off at every message and at every byte.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <thread>

#include "core/error.hpp"
#include "core/random.hpp"
#include "evidence/trial_log.hpp"
#include "experiment/filter/campaign.hpp"
#include "field/runner.hpp"

namespace unveil {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class Folder {
  public:
    Folder() {
        // In memory where that can be: a log is written to the disk with each message.
        std::string name = ((fs::exists("/dev/shm") ? fs::path("/dev/shm") : fs::temp_directory_path()) / "unveil-field-XXXXXX").string();
        if (mkdtemp(name.data()) == nullptr) std::abort();
        m_path = name;
    }
    ~Folder() { fs::remove_all(m_path); }
    std::string operator/(const std::string& name) const { return m_path + "/" + name; }

  private:
    std::string m_path;
};

/// Asks m0 ... m9; what is asked next depends on the answers, as with a real one.
class Countdown final : public Experiment {
  public:
    explicit Countdown(int messages) : m_left(messages) {}
    std::optional<Message> next() override {
        if (m_left == 0) return {};
        return Message{m_left % 2 == 0 ? "cn" : "ca", "isolate", "text", "", "m" + std::to_string(m_left) + (m_was_blocked ? " after a block" : "")};
    }
    void answer(const Trial& trial) override {
        m_was_blocked = trial.outcome == Outcome::blocked;
        unknown += trial.outcome == Outcome::unknown;
        --m_left;
    }
    std::string refusal() const override { return {}; }
    std::uint64_t expected_messages() const override { return static_cast<std::uint64_t>(m_left); }
    int unknown = 0;

  private:
    int m_left;
    bool m_was_blocked = false;
};

struct Crash {};

class CountingDriver final : public Driver {
  public:
    using Driver::send;
    Reply send(const Message& message, const StopCheck&) override {
        ++sent[message.input];
        if (static_cast<int>(sent.size()) == crash_at) {
            crash_at = -1;
            throw Crash{};
        }
        if (gone.count(message.input) > 0) return {gone_outcome, {}, gone_raw, "is gone"};
        const bool is_blocked = message.input.find('3') != std::string::npos || blocks_all;
        return {is_blocked ? Outcome::blocked : Outcome::passed, {}, "raw", {}};
    }
    std::map<std::string, int> sent;
    int crash_at = -1;
    bool blocks_all = false;
    std::set<std::string> gone;                   // messages at which the service is gone
    Outcome gone_outcome = Outcome::error;
    std::string gone_raw;
};

class HandClock final : public FieldClock {
  public:
    std::int64_t now_us() const override { return m_now_us; }
    void sleep_us(std::int64_t span_us) override { m_now_us += span_us; }

  private:
    std::int64_t m_now_us = 1'700'000'000'000'000;
};

const TrialLogHeader header{"filter", "test", "\n", 1};

RunnerReport run(const std::string& path, CountingDriver& driver, HandClock& clock, int messages = 10, RunnerLimits limits = {}, int* unknown = nullptr) {
    Countdown experiment(messages);
    LogFile log(path, header);
    SilentProgress progress;
    const std::map<std::string, Driver*> drivers{{"cn", &driver}, {"ca", &driver}};
    const auto report = run_experiment(experiment, log, drivers, limits, 1, clock, progress);
    if (unknown) *unknown = experiment.unknown;
    return report;
}

std::vector<Trial> read(const std::string& path) {
    const auto source = open_trials(path, 0);
    std::vector<Trial> all;
    std::vector<Trial> batch;
    while (source->next(batch)) all.insert(all.end(), batch.begin(), batch.end());
    return all;
}

TEST(Runner, ACrashAtAnyMessageSendsNoneTwice) {
    for (int crash_at = 1; crash_at <= 10; ++crash_at) {
        Folder folder;
        CountingDriver driver;
        driver.crash_at = crash_at;
        HandClock clock;
        EXPECT_THROW(run(folder / "log.jsonl", driver, clock), Crash);
        int unknown = 0;
        const auto report = run(folder / "log.jsonl", driver, clock, 10, {}, &unknown);
        EXPECT_EQ(report.end, RunnerEnd::done);
        EXPECT_EQ(unknown, 1) << "the message in flight is not known to have arrived";
        EXPECT_EQ(driver.sent.size(), 10u);
        for (const auto& [input, count] : driver.sent) EXPECT_EQ(count, 1) << input;
        EXPECT_EQ(read(folder / "log.jsonl").size(), 10u);
        EXPECT_EQ(run(folder / "log.jsonl", driver, clock).sent, 0u) << "a finished log asks nothing";
    }
}

TEST(Runner, ALogCutAtAnyByteGoesOn) {
    Folder folder;
    CountingDriver whole;
    HandClock clock;
    run(folder / "whole.jsonl", whole, clock, 4);
    std::ifstream file(folder / "whole.jsonl", std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const std::size_t header_bytes = text.find('\n') + 1;
    for (std::size_t size = header_bytes; size < text.size(); size += 37) {
        std::ofstream(folder / "cut.jsonl", std::ios::binary | std::ios::trunc) << text.substr(0, size);
        fs::remove(folder / "cut.jsonl.sending");
        CountingDriver driver;
        run(folder / "cut.jsonl", driver, clock, 4);
        EXPECT_EQ(read(folder / "cut.jsonl").size(), 4u);
    }
}

TEST(Runner, ALostConnectionAtAnyMessageCostsNothing) {
    for (int at = 10; at >= 1; --at) {
        Folder folder;
        CountingDriver driver;
        HandClock clock;
        const std::string lost = "m" + std::to_string(at) + (at == 2 ? " after a block" : "");
        driver.gone = {lost};
        for (int run_number = 1; run_number <= (at == 5 ? 2 : 1); ++run_number) {
            const auto before = clock.now_us();
            const auto report = run(folder / "log", driver, clock);
            EXPECT_EQ(report.end, RunnerEnd::silent) << lost;
            EXPECT_TRUE(report.is_unreachable);
            EXPECT_EQ(driver.sent[lost], 5 * run_number);
            EXPECT_GE(clock.now_us() - before, 7ll * 1'000'000) << "it waits longer each time";
        }
        driver.gone.clear();
        RunnerLimits just_enough;
        just_enough.messages_max = 10;
        EXPECT_EQ(run(folder / "log", driver, clock, 10, just_enough).end, RunnerEnd::done) << "what was not sent uses up no limit";
        EXPECT_EQ(driver.sent.size(), 10u);
        for (const auto& [input, count] : driver.sent) EXPECT_EQ(count, input != lost ? 1 : at == 5 ? 11 : 6) << input;
        EXPECT_EQ(run(folder / "log", driver, clock).sent, 0u);
    }
}

TEST(Runner, ASingleErrorIsNoStop) {
    Folder folder;
    HandClock clock;
    CountingDriver driver;
    run(folder / "whole", driver, clock);
    std::vector<Trial> trials = read(folder / "whole");
    // Two errors before an answer, as any version may have written them.
    for (const std::size_t at : {0u, 4u, 9u}) {
        fs::remove(folder / "log");
        {
            LogFile log(folder / "log", header);
            for (std::size_t i = 0; i < trials.size(); ++i) {
                Trial error = trials[i];
                error.outcome = Outcome::error;
                if (i == at) log.append(error);
                if (i == at) log.append(error);
                log.append(trials[i]);
            }
        }
        const auto report = run(folder / "log", driver, clock);
        EXPECT_EQ(report.end, RunnerEnd::done);
        EXPECT_EQ(report.sent, 0u);
        EXPECT_EQ(report.replayed, 12u);
    }
}

/// Older versions gave every message up after five errors and so burned all that followed.
TEST(Runner, ALogThatAnOlderVersionBurnedGoesOn) {
    Folder folder;
    HandClock clock;
    CountingDriver driver;
    run(folder / "whole", driver, clock);
    const std::vector<Trial> trials = read(folder / "whole");
    {
        LogFile log(folder / "log", header);
        for (std::size_t i = 0; i < trials.size(); ++i)
            for (int tries = 0; tries < (i < 3 ? 1 : 5); ++tries) {
                Trial trial = trials[i];
                if (i >= 3) trial.outcome = Outcome::error;
                log.append(trial);
            }
    }
    CountingDriver later;
    RunnerLimits few;
    few.messages_max = 40;
    EXPECT_EQ(run(folder / "log", later, clock, 10, few).end, RunnerEnd::messages_max);
    EXPECT_EQ(run(folder / "log", later, clock).end, RunnerEnd::done);
    EXPECT_EQ(later.sent.size(), 7u);
    for (const auto& [input, count] : later.sent) EXPECT_EQ(count, 1) << input;
    EXPECT_EQ(run(folder / "log", later, clock).sent, 0u);
}

TEST(Runner, AMessageThatNeverHasAVerdictIsGivenUpOnlyWhenAsked) {
    for (const Outcome outcome : {Outcome::error, Outcome::unknown})
        for (const bool resends : {false, true}) {
            Folder folder;
            HandClock clock;
            CountingDriver driver;
            driver.gone = {"m7", "m6", "m4"};
            driver.gone_outcome = outcome;
            driver.gone_raw = "what?";
            RunnerLimits limits;
            limits.resends_unknown = resends;
            // What is unknown is not asked again, so that this experiment never has five of them in a row.
            if (outcome == Outcome::error || resends) {
                const auto report = run(folder / "log", driver, clock, 10, limits);
                EXPECT_EQ(report.end, RunnerEnd::silent);
                EXPECT_FALSE(report.is_unreachable) << "it answers";
            }
            limits.leaves_silent = true;
            EXPECT_EQ(run(folder / "log", driver, clock, 10, limits).end, RunnerEnd::done);
            EXPECT_EQ(driver.sent.count("m1"), 1u);
            EXPECT_EQ(run(folder / "log", driver, clock, 10, limits).sent, 0u);
            EXPECT_EQ(run(folder / "log", driver, clock).sent, 0u) << "the log says by itself what was given up";
        }
    Folder folder;
    HandClock clock;
    CountingDriver dead;
    for (int i = 1; i <= 10; ++i) dead.gone.insert("m" + std::to_string(i));
    RunnerLimits limits;
    limits.leaves_silent = true;
    const auto report = run(folder / "log", dead, clock, 10, limits);
    EXPECT_EQ(report.end, RunnerEnd::silent) << "not all of them";
    EXPECT_EQ(report.sent, 20u);
    CountingDriver back;
    EXPECT_EQ(run(folder / "log", back, clock).end, RunnerEnd::done);
    EXPECT_EQ(back.sent.size(), 10u) << "and none is lost";
}

/// A service that is gone for a while, loses answers, and is killed with the program, at random.
class FaultyDriver final : public Driver {
  public:
    explicit FaultyDriver(std::uint64_t seed) : m_random(seed) {}
    using Driver::send;
    Reply send(const Message& message, const StopCheck&) override {
        if (m_gone > 0 || m_random.below(30) == 0) {
            m_gone = m_gone > 0 ? m_gone - 1 : m_random.below(9);
            return {Outcome::error, {}, m_random.below(2) == 0 ? "" : "what?", "is gone"};
        }
        EXPECT_TRUE(message.step == "control" || may_be_sent_twice || unknown.count({message.context, message.input}) == 0) << message.step << " " << message.input;
        const auto luck = m_random.below(30);
        if (luck < 2 && message.step != "control") unknown.insert({message.context, message.input});
        if (luck == 0) throw Crash{};
        if (luck == 1) return {Outcome::unknown, {}, {}, "lost the answer"};
        const std::string& text = message.input;
        const auto holds = [&](const char* word) { return text.find(word) != std::string::npos; };
        return {holds("zyzy") || (holds("tank") && holds("june")) || (holds("rose") && message.context == "cn") ? Outcome::blocked : Outcome::passed, {}, "raw", {}};
    }
    std::set<std::pair<std::string, std::string>> unknown;
    bool may_be_sent_twice = false;

  private:
    Random m_random;
    std::uint64_t m_gone = 0;
};

TEST(Runner, ACampaignComesToTheSameEndThroughAllFaults) {
    int stops = 0;
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
        Folder folder;
        HandClock clock;
        FaultyDriver driver(seed);
        RunnerLimits limits;
        limits.interval_us = 0;
        limits.blocked_per_day_max = 10'000;
        limits.leaves_silent = seed % 4 == 3;
        limits.resends_unknown = driver.may_be_sent_twice = seed % 4 == 1;
        std::vector<std::string> notes;
        std::vector<std::string> rules;
        const auto go_on = [&] {
            CampaignPlan plan;
            plan.texts = {{"first", "nothing at all", {}}, {"second", "when the tanks came that june morning", {}}};
            plan.sources = {{"news", SourceKind::texts, {{"third", "a rose is a rose", {}}, {"fourth", "it is june", {}}, {"fifth", "a rose and a tank", {}}}},
                            {"words", SourceKind::words, {{"sixth", "", {"rose"}}, {"seventh", "", {"bread"}}, {"eighth", "", {"water"}}}}};
            plan.together_characters_max = 30;
            plan.contexts = {"cn", "ca"};
            plan.known_blocked = "zyzy";
            plan.known_passed = "hello";
            plan.probe_rules = 1;
            Campaign campaign(plan);
            LogFile log(folder / "log", header);
            SilentProgress progress;
            const auto report = run_experiment(campaign, log, {{"cn", &driver}, {"ca", &driver}}, limits, seed, clock, progress);
            notes = campaign.notes();
            rules.clear();
            for (const auto& rule : campaign.rules())
                if (rule.is_certified) rules.push_back(rule.notation);
            return report;
        };
        int runs = 0;
        for (;; ++runs) {
            ASSERT_LT(runs, 200);
            try {
                if (go_on().end == RunnerEnd::done) break;
            } catch (const Crash&) {
            }
        }
        stops += runs;
        if (!limits.leaves_silent) EXPECT_THAT(rules, ::testing::UnorderedElementsAre("zyzy", "june + tank", "rose")) << seed;
        const auto [notes_then, rules_then] = std::pair{notes, rules};
        const auto again = go_on();
        EXPECT_EQ(again.end, RunnerEnd::done) << seed;
        // Only a message that was left as the very last one is tried anew.
        EXPECT_LE(again.sent, limits.leaves_silent ? 5u : 0u) << seed;
        EXPECT_EQ(notes, notes_then);
        EXPECT_EQ(rules, rules_then);
    }
    EXPECT_GT(stops, 2);
}

TEST(Runner, NothingIsSentToAnAccountThatWasBanned) {
    Folder folder;
    HandClock clock;
    CountingDriver driver;
    driver.gone = {"m5"};
    driver.gone_outcome = Outcome::banned;
    EXPECT_EQ(run(folder / "log", driver, clock).end, RunnerEnd::banned);
    for (int i = 0; i < 2; ++i) try {
            run(folder / "log", driver, clock);
            ADD_FAILURE();
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::usage);
            EXPECT_THAT(error.what(), HasSubstr("the account in ca was banned"));
        }
    EXPECT_EQ(driver.sent["m5"], 1);
    RunnerLimits limits;
    limits.goes_on_after_ban = true;
    driver.gone.clear();
    EXPECT_EQ(run(folder / "log", driver, clock, 10, limits).end, RunnerEnd::done);
    EXPECT_EQ(driver.sent["m5"], 2);
    EXPECT_EQ(run(folder / "log", driver, clock).sent, 0u);
}

/// A platform with accounts: bans some at so many blocked messages, warns before, shuts some without a word, takes so many messages a minute from each.
class AccountDriver final : public Driver {
  public:
    explicit AccountDriver(const HandClock& clock) : m_clock(clock) {}
    using Driver::send;
    Reply send(const Message& message, const StopCheck&) override {
        auto& times = m_times[message.account];
        std::erase_if(times, [&](std::int64_t time_us) { return time_us <= m_clock.now_us() - 60'000'000; });
        Reply reply;
        reply.raw = "raw";
        if (times.size() >= per_minute_max) {
            reply.outcome = Outcome::rejected;
            reply.retry_after_us = times.front() + 60'000'000 - m_clock.now_us();
            ++too_fast;
            return reply;
        }
        times.push_back(m_clock.now_us());
        sent[message.account].push_back(message.input);
        const auto ban = banned_after.find(message.account);
        if (ban != banned_after.end() && blocked[message.account] >= ban->second) {
            reply.outcome = Outcome::banned;
            return reply;
        }
        const auto holds = [&](const char* word) { return message.input.find(word) != std::string::npos; };
        const bool is_listed = holds("zyzy") || holds("m3") || (holds("tank") && holds("june")) || (holds("rose") && message.context == "cn");
        const auto shut = shut_after.find(message.account);
        const bool is_shut = shut != shut_after.end() && sent[message.account].size() > shut->second;
        reply.outcome = is_listed || is_shut ? Outcome::blocked : Outcome::passed;
        blocked[message.account] += reply.outcome == Outcome::blocked;
        reply.has_warning = reply.outcome == Outcome::blocked && blocked[message.account] >= warned_after;
        return reply;
    }
    std::map<std::string, std::vector<std::string>> sent;     // by account
    std::map<std::string, std::uint64_t> blocked;
    std::map<std::string, std::uint64_t> banned_after;
    std::map<std::string, std::uint64_t> shut_after;          // messages
    std::uint64_t warned_after = UINT64_MAX;
    std::size_t per_minute_max = SIZE_MAX;
    int too_fast = 0;

  private:
    const HandClock& m_clock;
    std::map<std::string, std::vector<std::int64_t>> m_times;
};

struct Sent {
    RunnerReport report;
    std::vector<std::string> rules;
    std::string refusal;
};

/// Two of the texts hold a rule.
Sent run_campaign(const std::string& path, AccountDriver& driver, HandClock& clock, RunnerLimits limits, const std::map<std::string, std::vector<std::string>>& accounts = {},
                  std::size_t texts = 1) {
    CampaignPlan plan;
    for (std::size_t i = 0; i < texts; ++i) plan.texts.push_back({"quiet " + std::to_string(i), "nothing at all " + std::to_string(i), {}});
    plan.texts.push_back({"second", "when the tanks came that june morning", {}});
    plan.texts.push_back({"third", "a rose is a rose", {}});
    plan.contexts = {"cn", "ca"};
    plan.known_blocked = "zyzy";
    plan.known_passed = "hello";
    plan.probe_rules = 1;
    Campaign campaign(plan);
    LogFile log(path, header);
    SilentProgress progress;
    for (const auto& [context, names] : accounts)
        for (const auto& name : names) limits.accounts[context].push_back({name});
    Sent sent;
    sent.report = run_experiment(campaign, log, {{"cn", &driver}, {"ca", &driver}}, limits, 1, clock, progress);
    for (const auto& rule : campaign.rules())
        if (rule.is_certified) sent.rules.push_back(rule.notation);
    std::sort(sent.rules.begin(), sent.rules.end());
    sent.refusal = campaign.refusal();
    return sent;
}

const std::vector<std::string> all_rules = {"june + tank", "rose", "zyzy"};

TEST(Runner, AccountsTakeTurnsAndEachIsControlled) {
    Folder folder;
    HandClock clock;
    AccountDriver driver(clock);
    const auto sent = run_campaign(folder / "log", driver, clock, {}, {{"cn", {"a", "b", "c"}}}, 60);
    EXPECT_EQ(sent.report.end, RunnerEnd::done);
    EXPECT_EQ(sent.rules, all_rules);
    EXPECT_GT(sent.report.price, 0);
    std::map<std::string, int> messages;
    std::map<std::string, std::set<std::string>> controls;
    for (const Trial& trial : read(folder / "log")) {
        ++messages[trial.account];
        if (trial.step == "control") controls[trial.account].insert(trial.detail);
    }
    for (const std::string name : {"a", "b", "c"}) {
        EXPECT_GT(messages[name], 30) << name;
        EXPECT_EQ(controls[name].size(), 2u) << name << " is asked for both known messages";
    }
    EXPECT_GT(messages["ca"], 0) << "a context without accounts has one of its name";
    EXPECT_EQ(run_campaign(folder / "log", driver, clock, {}, {{"cn", {"a", "b", "c"}}}, 60).report.sent, 0u);
    EXPECT_EQ(run_campaign(folder / "log", driver, clock, {}, {{"cn", {"b"}}}, 60).report.sent, 0u) << "who sends it next does not matter to a log";
}

TEST(Runner, TheNextAccountGoesOnWhereOneIsBanned) {
    const auto answered = [](const std::string& path) {
        std::vector<std::pair<std::string, std::string>> messages;
        for (const Trial& trial : read(path))
            if (trial.step != "control" && is_verdict(trial.outcome)) messages.emplace_back(trial.context, trial.input);
        return messages;
    };
    Folder folder_of_none;
    HandClock clock_of_none;
    AccountDriver none(clock_of_none);
    run_campaign(folder_of_none / "log", none, clock_of_none, {});
    for (const std::uint64_t after : {1u, 5u, 13u}) {
        Folder folder;
        HandClock clock;
        AccountDriver driver(clock);
        driver.banned_after = {{"a", after}, {"b", 5}};
        const std::map<std::string, std::vector<std::string>> accounts = {{"cn", {"a", "b", "c"}}};
        const auto sent = run_campaign(folder / "log", driver, clock, {}, accounts);
        EXPECT_EQ(sent.report.end, RunnerEnd::done) << sent.refusal;
        EXPECT_EQ(sent.rules, all_rules);
        std::map<std::string, bool> is_lost;
        for (const AccountUse& use : sent.report.accounts) is_lost[use.name] = use.is_lost;
        EXPECT_TRUE(is_lost["a"] && !is_lost["c"] && !is_lost["ca"]) << after;
        EXPECT_EQ(answered(folder / "log"), answered(folder_of_none / "log")) << "what a ban stopped is sent by the next one";
        EXPECT_EQ(run_campaign(folder / "log", driver, clock, {}, accounts).report.sent, 0u);
    }
}

TEST(Runner, WithoutAnAccountThatIsLeftItStopsAndGoesOnWithANewOne) {
    Folder folder;
    HandClock clock;
    AccountDriver driver(clock);
    driver.banned_after = {{"a", 3}, {"b", 6}};
    RunnerLimits dear;
    dear.price_account = 100;
    const auto stopped = run_campaign(folder / "log", driver, clock, dear, {{"cn", {"a", "b"}}});
    EXPECT_EQ(stopped.report.end, RunnerEnd::banned);
    EXPECT_EQ(stopped.report.context, "cn");
    EXPECT_GT(stopped.report.price, 200);
    EXPECT_LT(stopped.report.price, 200 + 2.0 * static_cast<double>(stopped.report.in_log));
    EXPECT_THROW(run_campaign(folder / "log", driver, clock, {}, {{"cn", {"a", "b"}}}), Error);
    const auto later = run_campaign(folder / "log", driver, clock, {}, {{"cn", {"a", "b", "c"}}});
    EXPECT_EQ(later.report.end, RunnerEnd::done);
    EXPECT_EQ(later.rules, all_rules);
    EXPECT_EQ(driver.sent.at("a").size() + driver.sent.at("b").size(), stopped.report.sent) << "neither is asked again";
}

/// It blocks all it is sent, and says nothing.
TEST(Runner, AnAccountThatIsShutWithoutAWordIsFollowedByTheNext) {
    for (const std::uint64_t after : {20u, 31u, 42u}) {
        Folder folder;
        HandClock clock;
        AccountDriver driver(clock);
        driver.shut_after = {{"a", after}};
        const auto sent = run_campaign(folder / "log", driver, clock, {}, {{"cn", {"a", "b"}}}, 20);
        EXPECT_EQ(sent.report.end, RunnerEnd::done) << sent.refusal;
        for (const auto& rule : all_rules) EXPECT_EQ(std::count(sent.rules.begin(), sent.rules.end(), rule), 1) << rule << " " << after;
        EXPECT_EQ(sent.rules.size(), all_rules.size()) << after;
    }
    Folder folder;
    HandClock clock;
    AccountDriver driver(clock);
    driver.shut_after = {{"a", 25}, {"b", 3}};
    const auto sent = run_campaign(folder / "log", driver, clock, {}, {{"cn", {"a", "b"}}}, 20);
    EXPECT_EQ(sent.report.end, RunnerEnd::refused);
    EXPECT_THAT(sent.refusal, HasSubstr("the account in cn is shut"));
}

TEST(Runner, AnAccountHasItsBudgetAndHeedsAWarning) {
    Folder folder;
    HandClock clock;
    AccountDriver driver(clock);
    RunnerLimits budget;
    budget.blocked_max = 6;
    const auto spent = run_campaign(folder / "a", driver, clock, budget, {{"cn", {"a", "b"}}});
    EXPECT_EQ(spent.report.end, RunnerEnd::budget);
    EXPECT_EQ(driver.blocked["a"], 6u);
    EXPECT_EQ(driver.blocked["b"], 6u);
    clock.sleep_us(48ll * 3600 * 1'000'000);
    EXPECT_EQ(run_campaign(folder / "a", driver, clock, budget, {{"cn", {"a", "b"}}}).report.sent, 0u) << "the next day changes nothing";
    RunnerLimits daily;
    daily.blocked_per_day_max = 6;
    AccountDriver other(clock);
    EXPECT_EQ(run_campaign(folder / "b", other, clock, daily, {{"cn", {"a", "b"}}}).report.end, RunnerEnd::blocked_max);
    EXPECT_EQ(other.blocked["a"] + other.blocked["b"], 12u);
    clock.sleep_us(25ll * 3600 * 1'000'000);
    EXPECT_GT(run_campaign(folder / "b", other, clock, daily, {{"cn", {"a", "b"}}}).report.sent, 0u);

    AccountDriver warning(clock);
    warning.warned_after = 4;
    const auto warned = run_campaign(folder / "c", warning, clock, {}, {{"cn", {"a", "b"}}});
    EXPECT_EQ(warned.report.end, RunnerEnd::warned);
    EXPECT_EQ(warning.blocked["a"], 4u);
    EXPECT_EQ(warning.blocked["b"], 4u);
    RunnerLimits bold;
    bold.heeds_warnings = false;
    EXPECT_EQ(run_campaign(folder / "c", warning, clock, bold, {{"cn", {"a", "b"}}}).report.end, RunnerEnd::done);
}

TEST(Runner, LearnsHowFastTheServiceLetsItBe) {
    for (const std::size_t per_minute : {6u, 20u}) {
        Folder folder;
        HandClock clock;
        AccountDriver driver(clock);
        driver.per_minute_max = per_minute;
        const auto sent = run_campaign(folder / "log", driver, clock, {}, {}, 20);
        EXPECT_EQ(sent.report.end, RunnerEnd::done);
        EXPECT_EQ(sent.rules, all_rules);
        EXPECT_EQ(sent.report.too_fast, static_cast<std::uint64_t>(driver.too_fast));
        EXPECT_LE(driver.too_fast, 6) << "of " << sent.report.sent;
        for (const AccountUse& use : sent.report.accounts)
            if (use.name == "cn") EXPECT_NEAR(static_cast<double>(use.interval_us), 60e6 / static_cast<double>(per_minute), 6e6 / static_cast<double>(per_minute));
        EXPECT_EQ(run_campaign(folder / "log", driver, clock, {}, {}, 20).report.sent, 0u);
    }
    Folder folder;
    HandClock clock;
    AccountDriver driver(clock);
    const auto sent = run_campaign(folder / "log", driver, clock, {}, {}, 20);
    for (const AccountUse& use : sent.report.accounts) EXPECT_EQ(use.interval_us, 0) << "nothing is claimed where nothing was said";
}

TEST(Runner, LimitsHold) {
    Folder folder;
    HandClock clock;
    CountingDriver driver;
    RunnerLimits few;
    few.messages_max = 3;
    EXPECT_EQ(run(folder / "a", driver, clock, 10, few).end, RunnerEnd::messages_max);
    EXPECT_EQ(run(folder / "a", driver, clock, 10, few).sent, 0u) << "earlier sittings count";

    CountingDriver blocking;
    blocking.blocks_all = true;
    RunnerLimits wary;
    wary.blocked_per_day_max = 2;
    const auto report = run(folder / "b", blocking, clock, 10, wary);
    EXPECT_EQ(report.end, RunnerEnd::blocked_max);
    EXPECT_EQ(report.sent, 4u) << "two of each account";
    clock.sleep_us(25ll * 3600 * 1'000'000);
    EXPECT_EQ(run(folder / "b", blocking, clock, 10, wary).sent, 4u) << "the next day";

    RunnerLimits stopped;
    stopped.stop_file = folder / "stop";
    std::ofstream(stopped.stop_file) << "";
    EXPECT_EQ(run(folder / "c", driver, clock, 10, stopped).end, RunnerEnd::stop_file);
    EXPECT_EQ(read(folder / "c").size(), 0u);
}

TEST(Runner, MessagesOfOneContextKeepTheirDistanceAndTheQuietHours) {
    Folder folder;
    HandClock clock;
    CountingDriver driver;
    RunnerLimits limits;
    limits.interval_us = 3600ll * 1'000'000;
    limits.quiet_from_hour = 22;
    limits.quiet_to_hour = 6;
    run(folder / "log", driver, clock, 40, limits);
    std::map<std::string, std::int64_t> last;
    for (const Trial& trial : read(folder / "log")) {
        const auto hour = trial.time_us / 1'000'000 / 3600 % 24;
        EXPECT_TRUE(hour >= 6 && hour < 22) << hour;
        if (last.count(trial.context)) EXPECT_GE(trial.time_us - last[trial.context], 1800ll * 1'000'000);
        last[trial.context] = trial.time_us;
    }
}

TEST(Runner, AnotherLogIsNotGoneOnWith) {
    Folder folder;
    HandClock clock;
    CountingDriver driver;
    run(folder / "log", driver, clock, 6);
    try {
        run(folder / "log", driver, clock, 9);
        ADD_FAILURE();
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), HasSubstr("does not fit"));
    }
    EXPECT_THROW(LogFile(folder / "log", {"filter", "another", "\n", 1}), Error);
    std::ofstream(folder / "posts.csv") << "id,text\n1,a\n";
    EXPECT_THROW(LogFile(folder / "posts.csv", header), Error);
    LogFile held(folder / "held", header);
    EXPECT_THROW(LogFile(folder / "held", header), Error) << "one writer at a time";
}

std::string bytes_of_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

TEST(LogFile, LeavesAFileThatIsNotThisLogAsItIs) {
    Folder folder;
    HandClock clock;
    CountingDriver driver;
    run(folder / "log", driver, clock, 4);
    std::string log = bytes_of_file(folder / "log");
    log.resize(log.size() - 20);
    const std::string packed = "\x1f\x8b\x08 packed\nwithout its end";
    for (const std::string& text : {std::string("first line\nsecond line, precious"), std::string("one line"), packed, log}) {
        const std::string path = folder / "file";
        std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
        // Of the log itself another seed is another experiment.
        const TrialLogHeader other{"filter", "test", "\n", 2};
        EXPECT_THROW(LogFile(path, other), Error);
        EXPECT_THROW(LogFile::check(path, other), Error);
        EXPECT_EQ(bytes_of_file(path), text);
        EXPECT_FALSE(fs::exists(path + ".sending"));
    }
    try {
        LogFile::check(folder / "log", {"filter", "test", "\n", 2});
        ADD_FAILURE();
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), HasSubstr("--seed was '1' and is '2' now"));
    }
    LogFile::check(folder / "log", header);
    LogFile::check(folder / "nothing", header);
    EXPECT_FALSE(fs::exists(folder / "nothing"));
}

Message message(const std::string& text) { return {"cn", "isolate", "", "", text}; }

TEST(ProcessDriver, SpeaksWithACommand) {
    const auto driver = make_process_driver(
        "while read -r line; do case $line in *bad*) echo '{\"outcome\":\"blocked\"}';; *die*) exit 3;; *slow*) sleep 5;; *odd*) echo hello;; "
        "*part*) echo '{\"outcome\":\"partial\",\"spans\":[[0,4]]}';; *) echo '{\"outcome\":\"passed\"}';; esac; done",
        300'000);
    EXPECT_EQ(driver->send(message("bad word")).outcome, Outcome::blocked);
    EXPECT_EQ(driver->send(message("good \"word\"\nand more")).outcome, Outcome::passed);
    EXPECT_EQ(driver->send(message("part")).spans.at(0).end, 4u);
    const auto odd = driver->send(message("odd"));
    EXPECT_EQ(odd.outcome, Outcome::error);
    EXPECT_THAT(odd.problem, HasSubstr("hello"));
    EXPECT_EQ(driver->send(message("die")).outcome, Outcome::unknown);
    EXPECT_EQ(driver->send(message("good")).outcome, Outcome::passed) << "it was started again";
    EXPECT_EQ(driver->send(message("slow")).outcome, Outcome::unknown);
    EXPECT_EQ(driver->send(message("bad")).outcome, Outcome::blocked) << "and a late answer is not taken for the next one";
}

// An answer that is taken for the one to the next message makes all that follow wrong.
TEST(ProcessDriver, NeverTakesALineForTheAnswerToAnotherMessage) {
    for (const std::string mishap : {"echo ready", "echo", "printf '{\"outcome\":\"passed\"}\\n{\"outcome\":\"passed\"}\\n'", "echo '{\"outcome\":\"passed\"}'"}) {
        const auto driver = make_process_driver("while read -r line; do case $line in *odd*) " + mishap +
                                                    ";; esac; case $line in *bad*) echo '{\"outcome\":\"blocked\"}';; *) echo '{\"outcome\":\"passed\"}';; esac; done",
                                                5'000'000);
        for (const char* text : {"good", "bad", "odd bad", "good", "bad", "good"}) {
            const auto reply = driver->send(message(text));
            const Outcome right = std::string_view(text).ends_with("bad") ? Outcome::blocked : Outcome::passed;
            if (reply.outcome == Outcome::error) EXPECT_FALSE(reply.problem.empty());
            // Of two lines the first may be there before the other one.
            else if (text != std::string_view("odd bad")) EXPECT_EQ(reply.outcome, right) << mishap << ", " << text;
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
    }
}

TEST(ProcessDriver, StartsACommandThatAnswersOnceForEachMessage) {
    const auto driver = make_process_driver("read -r line; echo '{\"outcome\":\"passed\"}'", 5'000'000);
    for (int i = 0; i < 4; ++i) {
        EXPECT_EQ(driver->send(message("good")).outcome, Outcome::passed) << "message " << i;
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
}

TEST(ProcessDriver, IsStoppedWhileItWaits) {
    Folder folder;
    const auto driver = make_process_driver("echo $$ >" + (folder / "pid") + "; while read -r line; do sleep 100; done", 60'000'000);
    int checks = 0;
    const auto reply = driver->send(message("a"), [&] { return ++checks > 5; });
    EXPECT_EQ(reply.outcome, Outcome::unknown);
    EXPECT_THAT(reply.problem, HasSubstr("stopped"));
    int pid = 0;
    std::ifstream(folder / "pid") >> pid;
    ASSERT_GT(pid, 0);
    EXPECT_EQ(kill(pid, 0), -1) << "the command is left running";
}

TEST(ManualDriver, TakesLettersAndIsStoppedWhileItWaits) {
    std::array<int, 2> ends{};
    ASSERT_EQ(pipe(ends.data()), 0);
    std::ostringstream out;
    const auto driver = make_manual_driver(ends[0], out);
    ASSERT_EQ(write(ends[1], "b\nwhat\n p \nx", 12), 12);
    EXPECT_EQ(driver->send(message("one")).outcome, Outcome::blocked);
    EXPECT_EQ(driver->send(message("two")).outcome, Outcome::passed);
    int checks = 0;
    const auto reply = driver->send(message("three"), [&] { return ++checks > 3; });
    EXPECT_EQ(reply.outcome, Outcome::unknown);
    EXPECT_THAT(reply.problem, HasSubstr("stopped"));
    close(ends[1]);
    EXPECT_EQ(driver->send(message("four")).outcome, Outcome::banned) << "the last line may lack its end";
    EXPECT_THROW(driver->send(message("five")), Error);
    close(ends[0]);
}

TEST(ProcessDriver, SaysWhatIsWrongWithACommandThatEnds) {
    const auto driver = make_process_driver("exit 1", 300'000);
    const auto reply = driver->send(message("a"));
    EXPECT_EQ(reply.outcome, Outcome::unknown);
    EXPECT_THAT(reply.problem, HasSubstr("'exit 1'"));
    EXPECT_THAT(reply.problem, HasSubstr("by hand"));
}

TEST(Reply, SaysWhatIsWrongWithIt) {
    for (const char* line : {"", "[]", "{}", "{\"outcome\":3}", "{\"outcome\":\"maybe\"}", "{\"outcome\":\"partial\",\"spans\":3}",
                             "{\"outcome\":\"partial\",\"spans\":[[0,9]]}", "{\"outcome\":\"partial\",\"spans\":[[3,1]]}", "{\"outcome\":\"partial\",\"spans\":[[-1,1]]}",
                             "{\"outcome\":\"passed\",\"retry_after\":3}", "{\"outcome\":\"rejected\",\"retry_after\":-3}", "{\"outcome\":\"passed\",\"warning\":1}"}) {
        const auto reply = parse_reply(line, 5);
        EXPECT_EQ(reply.outcome, Outcome::error) << line;
        EXPECT_FALSE(reply.problem.empty()) << line;
    }
    EXPECT_EQ(parse_reply("{\"outcome\":\"partial\",\"spans\":[[0,5]]}", 5).outcome, Outcome::partial);
    EXPECT_EQ(parse_reply("{\"outcome\":\"rejected\",\"retry_after\":2.5}", 5).retry_after_us, 2'500'000);
    EXPECT_EQ(parse_reply("{\"outcome\":\"rejected\"}", 5).retry_after_us, 0);
    EXPECT_TRUE(parse_reply("{\"outcome\":\"blocked\",\"warning\":true}", 5).has_warning);
}

}  // namespace
}  // namespace unveil
