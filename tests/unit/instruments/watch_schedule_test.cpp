// Goal: the schedule finds what changed, says truly between which answers, sooner than by turns when changes come in batches of a kind, and reports
// nothing about a list that never changes. Method: made-up dated lists, answers without faults, ten messages a day.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "core/random.hpp"
#include "instruments/filter/watch_schedule.hpp"

namespace unveil::filter {
namespace {

constexpr std::int64_t day_us = 86'400'000'000;
constexpr int days = 400;
constexpr std::size_t messages_a_day = 10;

struct WorldRule {
    std::string text;
    std::int64_t left_us = INT64_MAX;
};

/// Forty families of ten rules that share two characters. Every twentieth day one family leaves, at noon.
std::vector<WorldRule> make_world(std::uint64_t seed, bool is_changing) {
    Random random(seed, 1);
    std::vector<WorldRule> rules;
    for (int family = 0; family < 40; ++family)
        for (int i = 0; i < 10; ++i) {
            std::string text = std::string(1, static_cast<char>('a' + family % 26)) + static_cast<char>('A' + family / 26);
            for (int k = 0; k < 4; ++k) text += static_cast<char>('0' + random.below(10));
            rules.push_back({text});
        }
    for (int event = 1; is_changing && event < 19; ++event) {
        const auto family = random.below(40);
        for (std::size_t i = 10 * family; i < 10 * family + 10; ++i) rules[i].left_us = std::min(rules[i].left_us, event * 20 * day_us + day_us / 2);
    }
    return rules;
}

/// Mean days until a change is seen; checks each event on the way.
double watch(const std::vector<WorldRule>& rules, bool is_by_turns, std::size_t& events) {
    WatchSchedule schedule;
    for (const auto& rule : rules) schedule.note(schedule.add(std::vector<std::string>{rule.text}, "cn"), 0, true);
    double delay = 0;
    std::size_t turn = 0;
    for (int day = 1; day <= days; ++day) {
        std::vector<std::size_t> asked;
        if (is_by_turns)
            for (std::size_t i = 0; i < messages_a_day; ++i) asked.push_back(turn++ % rules.size());
        else
            for (const auto& one : schedule.rank(day * day_us, messages_a_day)) asked.push_back(one.rule);
        for (const std::size_t rule : asked) schedule.note(rule, day * day_us, rules[rule].left_us > day * day_us);
    }
    for (std::size_t rule = 0; rule < rules.size(); ++rule) {
        EXPECT_LE(schedule.changes(rule).size(), 1u);
        const std::int64_t left_us = rules[rule].left_us;
        if (schedule.changes(rule).empty()) {
            if (left_us < days * day_us) {
                EXPECT_LT(schedule.last_us(rule), left_us) << "asked after it left, and not seen";
                delay += static_cast<double>(days * day_us - left_us) / day_us;
            }
            continue;
        }
        ++events;
        const Change& change = schedule.changes(rule).front();
        EXPECT_FALSE(change.is_added);
        EXPECT_LT(change.after_us, left_us);
        EXPECT_GE(change.before_us, left_us);
        delay += static_cast<double>(change.before_us - left_us) / day_us;
    }
    return delay;
}

TEST(WatchSchedule, EventsHoldTheTrueTimesAndFamiliesAreFoundSooner) {
    double planned = 0;
    double by_turns = 0;
    std::size_t changed = 0;
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        const auto rules = make_world(seed, true);
        std::size_t seen = 0;
        std::size_t seen_by_turns = 0;
        planned += watch(rules, false, seen);
        by_turns += watch(rules, true, seen_by_turns);
        EXPECT_GE(seen, seen_by_turns * 9 / 10);
        changed += static_cast<std::size_t>(std::count_if(rules.begin(), rules.end(), [](const auto& rule) { return rule.left_us != INT64_MAX; }));
    }
    std::printf("mean days until seen: %.1f planned, %.1f by turns, %zu changes\n", planned / static_cast<double>(changed), by_turns / static_cast<double>(changed), changed);
    EXPECT_LT(planned, 0.8 * by_turns);
}

TEST(WatchSchedule, AListThatNeverChangesHasNoEventAndIsAskedByTurns) {
    const auto rules = make_world(1, false);
    std::size_t events = 0;
    EXPECT_EQ(watch(rules, false, events), 0);
    EXPECT_EQ(events, 0u);
    WatchSchedule schedule;
    for (const auto& rule : rules) schedule.note(schedule.add(std::vector<std::string>{rule.text}, "cn"), 0, true);
    std::vector<int> asked(rules.size());
    for (int day = 1; day <= 80; ++day)
        for (const auto& one : schedule.rank(day * day_us, messages_a_day)) {
            ++asked[one.rule];
            schedule.note(one.rule, day * day_us, true);
        }
    EXPECT_EQ(*std::min_element(asked.begin(), asked.end()), 2) << "800 messages, 400 rules";
    EXPECT_EQ(*std::max_element(asked.begin(), asked.end()), 2);
}

TEST(WatchSchedule, WhoSharesCharactersWithOneThatLeftComesNext) {
    WatchSchedule schedule;
    for (const char* text : {"ab12", "xy99", "ab34", "zw77"}) schedule.note(schedule.add(std::vector<std::string>{text}, "cn"), 0, true);
    const auto abroad = schedule.add(std::vector<std::string>{"ab56"}, "abroad");
    schedule.note(abroad, 0, true);
    EXPECT_TRUE(schedule.rank(0, 0).empty());
    schedule.note(0, 10 * day_us, false);
    EXPECT_EQ(schedule.rank(11 * day_us, 1).front().rule, 2u) << "not the one abroad";
}

}  // namespace
}  // namespace unveil::filter
