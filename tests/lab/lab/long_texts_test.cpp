// Goal: in texts longer than a message may be, rules of two words are found wherever their words stand, nothing that is not listed is, and it is known what that
// costs. Method: made-up services with a limit and planted rules; seeded.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

#include "core/random.hpp"
#include "experiment/filter/campaign.hpp"
#include "lab/service.hpp"
#include "table/rule.hpp"

namespace unveil::test {
namespace {

constexpr const char* known_rule = "禁词样本";
constexpr std::size_t rules_count = 40;

struct World {
    std::vector<ServiceRule> rules;
    std::map<std::string, std::size_t> sizes;    // words of each rule
    std::vector<CampaignText> texts;
};

/// Texts of so many characters, each with a rule of one to three words at random places, or harmless ones.
World make_world(std::uint64_t seed, std::size_t characters, bool is_planted) {
    constexpr std::string_view alphabet = "天地山水风云雨雪花草木石金银铜铁东西南北春夏秋冬红黄蓝绿白黑马牛羊鸟鱼虫龙虎门窗桌椅书画笔纸灯火车船路桥城乡村镇江河湖海";
    Random random(seed, 0x10e6);
    const auto word = [&](std::uint64_t length) {
        std::string text;
        for (; length > 0; --length) text += alphabet.substr(3 * random.below(alphabet.size() / 3), 3);
        return text;
    };
    World world;
    for (std::size_t i = 0; i < rules_count; ++i) {
        std::vector<std::string> pieces;
        for (std::size_t c = 0; c < characters; ++c) pieces.push_back(word(1));
        if (is_planted) {
            std::vector<std::string> components;
            for (std::size_t m = 0; m < 1 + i % 3; ++m) components.push_back(word(4 + random.below(2)));
            for (const auto& component : components) pieces.insert(pieces.begin() + static_cast<std::ptrdiff_t>(random.below(pieces.size() + 1)), component);
            world.rules.push_back({components, {}});
            std::sort(components.begin(), components.end());
            world.sizes[rule_notation(components)] = components.size();
        }
        std::string text;
        for (const auto& piece : pieces) text += piece;
        world.texts.push_back({"text " + std::to_string(i + 1), text});
    }
    return world;
}

struct Outcomes {
    std::map<std::size_t, std::size_t> found;    // rules by number of words
    std::size_t wrong = 0;
    std::size_t scans = 0;                       // messages that ask whether something is blocked
    std::size_t messages = 0;
    std::size_t notes = 0;
};

Outcomes investigate(const World& world, std::size_t characters_max, std::size_t apart_messages_max) {
    ServiceRules rules;
    rules.characters_max = characters_max;
    rules.lists[""] = world.rules;
    rules.lists[""].push_back({{known_rule}, {}});
    Service service(std::move(rules));
    CampaignPlan plan;
    plan.texts = world.texts;
    plan.contexts = {"home"};
    plan.known_blocked = known_rule;
    plan.known_passed = "你好";
    plan.probe_rules = 0;
    plan.shape_rules = 0;
    plan.looks_for_order = false;
    plan.apart_messages_max = apart_messages_max;
    Campaign campaign(std::move(plan));
    Outcomes outcomes;
    while (const auto message = campaign.next()) {
        Trial trial = trial_of(*message);
        trial.outcome = service.answer(message->context, "me", message->input).outcome;
        outcomes.scans += message->step == "scan";
        ++outcomes.messages;
        campaign.answer(trial);
    }
    EXPECT_EQ(campaign.refusal(), "");
    outcomes.notes = campaign.notes().size();
    for (const auto& rule : campaign.rules()) {
        if (!rule.is_certified || rule.text_name == "known") continue;
        const auto known = world.sizes.find(rule.notation);
        if (known == world.sizes.end()) ++outcomes.wrong;
        else ++outcomes.found[known->second];
    }
    return outcomes;
}

TEST(LongTexts, TwoWordsAreFoundWhereverTheyStand) {
    constexpr std::size_t characters_max = 500;
    for (const std::size_t characters : {1000, 1500, 2000}) {
        const World world = make_world(1, characters, true);
        std::map<std::size_t, std::size_t> planted;
        for (const auto& [rule, size] : world.sizes) ++planted[size];
        for (const std::size_t apart : {std::size_t{0}, std::size_t{20}, std::size_t{60}}) {
            Outcomes outcomes = investigate(world, characters_max, apart);
            std::printf("%zu characters, %zu a message, up to %zu for pieces apart: %.1f messages a text ask whether it is blocked; rules of one, two, three words: %zu of %zu, %zu of %zu, %zu of %zu\n",
                        characters, characters_max, apart, static_cast<double>(outcomes.scans) / rules_count, outcomes.found[1], planted[1], outcomes.found[2], planted[2], outcomes.found[3], planted[3]);
            EXPECT_EQ(outcomes.wrong, 0u);
            EXPECT_EQ(outcomes.found[1], planted[1]);
            if (apart == 60 || (apart == 20 && characters < 2000)) EXPECT_EQ(outcomes.found[2], planted[2]);
            // What was not seen together is said of each text.
            EXPECT_EQ(outcomes.notes, rules_count);
        }
    }
}

TEST(LongTexts, NothingIsFoundWhereNothingIsListed) {
    const World world = make_world(2, 1500, false);
    const Outcomes outcomes = investigate(world, 500, 20);
    EXPECT_TRUE(outcomes.found.empty());
    EXPECT_EQ(outcomes.wrong, 0u);
    std::printf("harmless, 1500 characters, 500 a message: %.1f messages a text\n", static_cast<double>(outcomes.messages) / rules_count);
}

}  // namespace
}  // namespace unveil::test
