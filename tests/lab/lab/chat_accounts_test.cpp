// Goal: what a chat service does for the sender's sake is found where it does so, is not claimed where it does not, and accuses nobody: no rule is
// certified that is none. Method: whole worlds with limits of length and pace, memory, delays and accounts that are warned, shut or banned.
// Prints the rates that docs/lab/chat.md shows.
#include <gtest/gtest.h>

#include <cstdio>

#include "../../unit/lab/world.hpp"
#include "case/investigate.hpp"
#include "lab/chat.hpp"
#include "lab/set_score.hpp"
#include "rates.hpp"

namespace unveil::test {
namespace {

struct World {
    Findings findings;
    std::uint64_t rules_wrong = 0;
    std::uint64_t rules_certified = 0;
    std::uint64_t rules_found = 0;
    std::uint64_t rules = 0;
    const Finding* find(const char* metric) const { return findings.find(metric); }
};

World world_of(std::uint64_t seed, const Options& options) {
    Folder folder;
    ParameterValues parameters(scenario_named("chat").parameters);
    for (const auto& [name, text] : options) parameters.set(name, text);
    SilentProgress progress;
    make_scenario("chat", parameters, seed, folder.path(), progress);
    InvestigateOptions how;
    how.case_path = folder / "case.toml";
    how.out_folder = folder / "out";
    const auto investigation = investigate(how, progress);
    for (const auto& wanted : read_expected_verdicts(folder / "expected_verdicts.json"))
        for (const auto& verdict : investigation.verdicts)
            if (verdict.claim == wanted.claim) EXPECT_EQ(decision_name(verdict.decision), wanted.verdict) << "seed " << seed << ", claim " << verdict.claim << ": " << verdict.sentence;
    World world;
    world.findings = findings_with(folder / "out", "rules", "filter");
    for (const auto& row : score_chat(folder / "out", read_chat_truth(folder / "truth.json")).rows) {
        if (row.what != "certified rules") continue;
        world.rules_wrong = row.precision.trials - row.precision.hits;
        world.rules_certified = row.precision.trials;
        world.rules_found = row.recall.hits;
        world.rules = row.recall.trials;
    }
    return world;
}

struct Sum {
    std::uint64_t wrong = 0;
    std::uint64_t certified = 0;
    std::uint64_t found = 0;
    std::uint64_t rules = 0;
    void add(const World& world) {
        wrong += world.rules_wrong;
        certified += world.rules_certified;
        found += world.rules_found;
        rules += world.rules;
    }
    void print(const char* title) const {
        std::printf("%-44s wrong %s, found %s\n", title, text_of(exact_rate(wrong, certified)).c_str(), text_of(wilson_rate(found, rules)).c_str());
    }
};

constexpr std::uint64_t worlds = 10;

TEST(ChatAccounts, AServiceThatTreatsAllAlikeIsClaimedNothingOf) {
    Sum sum;
    for (std::uint64_t seed = 1; seed <= worlds; ++seed) {
        const World world = world_of(seed, {{"accounts-each", seed % 2 == 0 ? "3" : "1"}});
        sum.add(world);
        for (const char* metric : {"length.characters", "after_block.pause_seconds", "after_block.stricter", "sending.too_fast", "answers.longest_seconds"}) EXPECT_EQ(world.find(metric), nullptr) << metric;
        EXPECT_EQ(world.find("after_block.blocked_share")->value, 0);
        if (seed % 2 == 0) EXPECT_EQ(world.find("accounts.lost")->value, 0);
        else EXPECT_EQ(world.find("accounts.lost"), nullptr);
    }
    sum.print("no habits");
    EXPECT_EQ(sum.wrong, 0u);
    EXPECT_EQ(sum.found, sum.rules);
}

TEST(ChatAccounts, LengthsAreFound) {
    Sum sum;
    for (std::uint64_t seed = 1; seed <= worlds; ++seed) {
        const auto characters = static_cast<double>(60 + 13 * seed);
        const World world = world_of(seed, {{"characters-max", std::to_string(60 + 13 * seed)}});
        sum.add(world);
        const Finding* length = world.find("length.characters");
        ASSERT_NE(length, nullptr) << seed;
        EXPECT_LE(length->low, characters);
        EXPECT_GE(length->high, characters);
        EXPECT_LE(length->high, 1.03 * length->low);
    }
    sum.print("messages of at most 73 to 190 characters");
    EXPECT_EQ(sum.wrong, 0u);
}

TEST(ChatAccounts, MemoryIsFoundAndWaitedFor) {
    Sum sum;
    for (std::uint64_t seed = 1; seed <= worlds; ++seed) {
        const World world = world_of(seed, {{"sticky", seed % 2 == 0 ? "20s" : "1000s"}});
        sum.add(world);
        EXPECT_EQ(world.find("after_block.blocked_share")->value, 1) << seed;
        const Finding* pause = world.find("after_block.pause_seconds");
        ASSERT_NE(pause, nullptr);
        EXPECT_EQ(pause->value, seed % 2 == 0 ? 30 : 1800);
        EXPECT_EQ(pause->low, seed % 2 == 0 ? 0 : 300);
    }
    sum.print("all is blocked for a while after a block");
    EXPECT_EQ(sum.wrong, 0u);
    EXPECT_EQ(sum.found, sum.rules);
    const World forever = world_of(1, {{"sticky", "10h"}});
    EXPECT_EQ(forever.rules_certified, 0u);
}

TEST(ChatAccounts, StrictnessAfterABlockIsFound) {
    Sum sum;
    Sum turns;
    for (std::uint64_t seed = 1; seed <= worlds; ++seed) {
        const World world = world_of(seed, {{"escalate", "true"}});
        sum.add(world);
        ASSERT_NE(world.find("after_block.stricter"), nullptr) << seed;
        turns.add(world_of(seed, {{"escalate", "true"}, {"accounts-each", "4"}}));
        EXPECT_EQ(world_of(seed, {{"folds", "line-break"}}).find("after_block.stricter"), nullptr) << "it was as strict before";
    }
    sum.print("all spellings are seen through after a block");
    turns.print("the same, four accounts each");
    EXPECT_EQ(sum.wrong, 0u);
    EXPECT_EQ(sum.found, sum.rules);
    EXPECT_EQ(turns.wrong, 0u);
}

TEST(ChatAccounts, PaceAndDelaysAreFound) {
    Sum sum;
    for (std::uint64_t seed = 1; seed <= worlds; ++seed) {
        const World world = world_of(seed, {{"per-minute", "10"}, {"delay", "3s"}});
        sum.add(world);
        EXPECT_GE(world.find("sending.too_fast")->value, 1);
        EXPECT_LE(world.find("sending.too_fast")->value, 10);
        EXPECT_GT(world.find("answers.longest_seconds")->value, 2);
        EXPECT_LT(world.find("answers.longest_seconds")->value, 3);
    }
    sum.print("ten messages a minute");
    EXPECT_EQ(sum.wrong, 0u);
    EXPECT_EQ(sum.found, sum.rules);
}

TEST(ChatAccounts, WhenAccountsAreLostTheNextGoOnAndNothingWrongIsFound) {
    Sum banned;
    Sum shut;
    Sum warned;
    for (std::uint64_t seed = 1; seed <= worlds; ++seed) {
        const World ban = world_of(seed, {{"accounts-each", "40"}, {"ban-after", "12"}});
        banned.add(ban);
        EXPECT_GE(ban.find("accounts.lost")->value, 1);
        const World silence = world_of(seed, {{"accounts-each", "40"}, {"shut-after", "12"}});
        shut.add(silence);
        EXPECT_GE(silence.find("accounts.lost")->value, 1);
        const World warning = world_of(seed, {{"accounts-each", "2"}, {"warn-after", "20"}, {"ban-after", "25"}});
        warned.add(warning);
        EXPECT_EQ(warning.find("accounts.lost")->value, 0) << "a warned account rests";
    }
    banned.print("accounts banned at 12 blocked messages");
    shut.print("accounts shut at 12, without a word");
    warned.print("accounts warned at 20, two each");
    EXPECT_EQ(banned.wrong, 0u);
    EXPECT_EQ(banned.found, banned.rules);
    EXPECT_EQ(shut.wrong, 0u);
    EXPECT_EQ(warned.wrong, 0u);
}

}  // namespace
}  // namespace unveil::test
