// Goal: before anything is isolated a campaign finds out what it relies on, in at most 25 messages, and claims nothing of a service that does no
// such thing. Method: services with a clock that reject, remember or grow stricter, with every limit at random, and services that do not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "core/random.hpp"
#include "experiment/filter/campaign.hpp"

namespace unveil {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t second_us = 1'000'000;

/// Blocks what holds "zyzy", or both "tank" and "june".
struct Habits {
    std::size_t characters_max = SIZE_MAX;
    Outcome too_long = Outcome::rejected;
    std::int64_t sticky_us = 0;                 // so long after a blocked message everything is blocked
    std::uint32_t sticky_messages = 0;          // or so many messages after it
    std::vector<std::string> stripped;          // before it compares
    bool strips_after_block = false;            // only once a message was blocked
    double false_block_rate = 0;
};

class HabitualService {
  public:
    HabitualService(Habits habits, std::uint64_t seed) : m_habits(std::move(habits)), m_random(seed) {}

    Outcome answer(std::string text, std::int64_t time_us) {
        if (text.size() > m_habits.characters_max) return m_habits.too_long;
        const bool is_remembered = m_has_blocked && (time_us - m_blocked_us < m_habits.sticky_us || m_messages_since < m_habits.sticky_messages);
        ++m_messages_since;
        if (m_has_blocked || !m_habits.strips_after_block)
            for (const auto& gone : m_habits.stripped)
                for (auto at = text.find(gone); at != std::string::npos; at = text.find(gone)) text.erase(at, gone.size());
        const auto holds = [&](const char* word) { return text.find(word) != std::string::npos; };
        const bool is_listed = holds("zyzy") || (holds("tank") && holds("june"));
        if (!is_listed && !is_remembered && !m_random.chance(m_habits.false_block_rate)) return Outcome::passed;
        if (is_listed) {
            m_has_blocked = true;
            m_blocked_us = time_us;
            m_messages_since = 0;
        }
        return Outcome::blocked;
    }

  private:
    Habits m_habits;
    Random m_random;
    bool m_has_blocked = false;
    std::int64_t m_blocked_us = 0;
    std::uint32_t m_messages_since = 0;
};

struct Calibrated {
    std::string refusal;
    std::vector<std::string> notes;
    std::set<std::string> rules;
    ContextCalibration context;
    LengthCalibration length;
    std::uint64_t calibration_messages = 0;
    std::uint64_t rejected_later = 0;
};

Calibrated run(const Habits& habits, std::size_t text_characters, std::uint64_t seed = 1) {
    HabitualService service(habits, seed);
    CampaignPlan plan;
    std::string text(text_characters, 'x');
    text.insert(text.size() / 2, "june and a tank");
    plan.texts = {{"long", text, {}}, {"short", "nothing", {}}};
    plan.contexts = {"cn"};
    plan.known_blocked = "zyzy";
    plan.known_passed = "hello";
    plan.probe_rules = plan.shape_rules = 0;
    Campaign campaign(plan);
    Calibrated found;
    std::int64_t now_us = 0;
    std::int64_t blocked_us = -1'000'000 * second_us;
    while (const auto message = campaign.next()) {
        now_us = std::max(now_us + second_us, blocked_us + campaign.pause_after_block_us());
        Trial trial;
        trial.time_us = now_us;
        trial.outcome = service.answer(message->input, now_us);
        if (trial.outcome == Outcome::blocked) blocked_us = now_us;
        found.rejected_later += trial.outcome == Outcome::rejected && message->step != "calibrate";
        campaign.answer(trial);
    }
    found.refusal = campaign.refusal();
    found.notes = campaign.notes();
    for (const auto& rule : campaign.rules())
        if (rule.is_certified) found.rules.insert(rule.notation);
    if (!campaign.calibrations().empty()) found.context = campaign.calibrations().front();
    found.length = campaign.length();
    found.calibration_messages = campaign.calibration_messages();
    return found;
}

const std::set<std::string> all_rules = {"zyzy", "june + tank"};

TEST(Calibration, OfAServiceWithoutHabitsClaimsNothing) {
    for (const std::size_t characters : {10u, 500u, 20'000u}) {
        const Calibrated found = run({}, characters);
        EXPECT_EQ(found.refusal, "");
        EXPECT_EQ(found.length.refused, 0u);
        EXPECT_EQ(found.context.pause_us, 0);
        EXPECT_EQ(found.context.after_blocks, 1u);
        EXPECT_FALSE(found.context.is_strict);
        EXPECT_EQ(found.context.separator, "\n");
        EXPECT_LE(found.calibration_messages, 9u);
        EXPECT_TRUE(found.notes.empty());
        EXPECT_EQ(found.rules, all_rules);
    }
}

TEST(Calibration, FindsHowLongAMessageMayBe) {
    Random random(3);
    for (int round = 0; round < 200; ++round) {
        Habits habits;
        habits.characters_max = 60 + random.below(4000);
        if (round % 4 == 0) habits.too_long = Outcome::blocked;
        const Calibrated found = run(habits, 5000);
        EXPECT_EQ(found.refusal, "");
        EXPECT_LE(found.length.taken, habits.characters_max);
        EXPECT_GT(found.length.refused, habits.characters_max);
        // What is blocked for its length takes two messages a step.
        const double near = habits.too_long == Outcome::blocked ? 1.2 : 1.02;
        EXPECT_LE(static_cast<double>(found.length.refused), near * static_cast<double>(found.length.taken) + 1) << habits.characters_max;
        EXPECT_LE(found.calibration_messages, 25u);
        EXPECT_EQ(found.rejected_later, 0u) << habits.characters_max;
        EXPECT_EQ(found.rules, all_rules) << habits.characters_max;
    }
}

TEST(Calibration, WaitsWhereABlockedMessageTaintsTheNext) {
    for (const std::int64_t seconds : {5, 20, 200, 1500}) {
        Habits habits;
        habits.sticky_us = seconds * second_us;
        const Calibrated found = run(habits, 200);
        EXPECT_EQ(found.refusal, "") << seconds;
        EXPECT_GE(found.context.pause_us, habits.sticky_us);
        EXPECT_EQ(found.context.after_blocks_wrong, 3u);
        EXPECT_LE(found.calibration_messages, 25u);
        EXPECT_EQ(found.rules, all_rules);
    }
    Habits forever;
    forever.sticky_us = 1'000'000 * second_us;
    EXPECT_THAT(run(forever, 200).refusal, HasSubstr("after a blocked message the harmless one is blocked as well"));
    EXPECT_TRUE(run(forever, 200).rules.empty());
    Habits by_messages;
    by_messages.sticky_messages = 1;
    EXPECT_THAT(run(by_messages, 200).refusal, HasSubstr("after a blocked message")) << "waiting does not help";
}

TEST(Calibration, WrongAnswersAreNoMemory) {
    int refused = 0;
    for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
        Habits habits;
        habits.false_block_rate = 0.05;
        const Calibrated found = run(habits, 50, seed);
        EXPECT_EQ(found.context.pause_us, 0) << seed;
        EXPECT_FALSE(found.context.is_strict) << seed;
        EXPECT_EQ(found.length.refused, 0u) << seed;
        refused += !found.refusal.empty();
    }
    EXPECT_LE(refused, 5);
}

TEST(Calibration, TellsAnAccountThatIsReadMoreStrictlyFromAFilterThatIsStrict) {
    Habits habits;
    habits.stripped = {"\n", "。"};
    for (const bool strips_after_block : {true, false}) {
        habits.strips_after_block = strips_after_block;
        const Calibrated found = run(habits, 200);
        EXPECT_EQ(found.context.is_strict, strips_after_block);
        EXPECT_EQ(found.context.separator, "😀");
        EXPECT_EQ(found.rules, all_rules);
        EXPECT_LE(found.calibration_messages, 25u);
        if (strips_after_block) EXPECT_THAT(found.notes, ::testing::ElementsAre(HasSubstr("read more strictly")));
        else EXPECT_TRUE(found.notes.empty());
    }
    habits.stripped = CampaignPlan::default_separators();
    habits.strips_after_block = true;
    EXPECT_THAT(run(habits, 200).refusal, HasSubstr("read more strictly since"));
}

TEST(Calibration, AllHabitsAtOnceTakeNoMoreMessages) {
    for (std::size_t stripped = 0; stripped < 5; ++stripped)
        for (const std::int64_t seconds : {0, 20, 1500})
            for (const std::size_t characters_max : {std::size_t{90}, std::size_t{1000}, SIZE_MAX}) {
                Habits habits;
                const auto separators = CampaignPlan::default_separators();
                habits.stripped.assign(separators.begin(), separators.begin() + static_cast<std::ptrdiff_t>(stripped));
                habits.strips_after_block = true;
                habits.sticky_us = seconds * second_us;
                habits.characters_max = characters_max;
                const Calibrated found = run(habits, 5000);
                EXPECT_EQ(found.refusal, "");
                EXPECT_LE(found.calibration_messages, 25u) << stripped << " " << seconds << " " << characters_max;
                EXPECT_LE(found.length.taken, characters_max);
                EXPECT_EQ(found.rules, all_rules) << stripped << " " << seconds << " " << characters_max;
            }
}

}  // namespace
}  // namespace unveil
