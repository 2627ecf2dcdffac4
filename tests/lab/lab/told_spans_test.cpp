// Goal: where a service says what it left out, the same rules are found for fewer messages, and nothing is found where nothing is listed. Method: made-up
// translators and masks with planted rules, each asked with and without what it tells; seeded.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <set>

#include "core/random.hpp"
#include "experiment/filter/campaign.hpp"
#include "lab/service.hpp"
#include "table/rule.hpp"

namespace unveil::test {
namespace {

constexpr const char* known_rule = "禁词样本";

struct World {
    std::vector<ServiceRule> rules;
    std::set<std::string> notations;
    std::vector<CampaignText> texts;
};

/// Each rule stands in a line of one text of twenty lines; as many texts are harmless.
World make_world(std::uint64_t seed, std::size_t rules) {
    constexpr std::string_view characters = "天地山水风云雨雪花草木石金银铜铁东西南北春夏秋冬红黄蓝绿白黑马牛羊鸟鱼虫龙虎门窗桌椅书画笔纸灯火车船路桥城乡村镇江河湖海";
    constexpr std::size_t lines = 20;
    constexpr std::size_t line_characters = 60;
    Random random(seed, 0x701d);
    const auto word = [&](std::uint64_t length) {
        std::string text;
        for (; length > 0; --length) text += characters.substr(3 * random.below(characters.size() / 3), 3);
        return text;
    };
    World world;
    for (std::size_t i = 0; i < 2 * rules; ++i) {
        std::vector<std::string> components;
        if (i < rules)
            for (std::uint64_t n = 1 + random.below(4); n > 0; --n) components.push_back(word(2 + random.below(3)));
        const std::size_t planted = random.below(lines);
        std::string text;
        for (std::size_t line = 0; line < lines; ++line) {
            std::vector<std::string> pieces;
            for (std::size_t c = 0; c < line_characters; ++c) pieces.push_back(word(1));
            if (line == planted)
                for (const auto& component : components) pieces.insert(pieces.begin() + static_cast<std::ptrdiff_t>(random.below(pieces.size() + 1)), component);
            for (const auto& piece : pieces) text += piece;
            if (line + 1 < lines) text += '\n';
        }
        world.texts.push_back({"text " + std::to_string(i + 1), text});
        if (components.empty()) continue;
        world.rules.push_back({components, {}});
        std::sort(components.begin(), components.end());
        world.notations.insert(rule_notation(components));
    }
    return world;
}

struct Outcomes {
    std::set<std::string> certified;
    std::size_t messages = 0;      // that were sent to find rules and to certify them
    std::size_t partial = 0;
    std::string refusal;
};

Outcomes investigate(const World& world, ServiceKind kind, bool tells, double slip_rate = 0) {
    ServiceRules rules;
    rules.kind = kind;
    rules.slip_rate = slip_rate;
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
    Campaign campaign(std::move(plan));
    Outcomes outcomes;
    while (const auto message = campaign.next()) {
        const ServiceAnswer answer = service.answer(message->context, "me", message->input);
        Trial trial = trial_of(*message);
        trial.outcome = answer.outcome;
        // What separates pieces is seen by what comes through in any case.
        if (tells || message->step == "calibrate") trial.spans = answer.spans;
        else if (trial.outcome == Outcome::partial) trial.outcome = Outcome::blocked;
        outcomes.partial += trial.outcome == Outcome::partial && message->step == "scan";
        outcomes.messages += message->step == "isolate" || message->step == "certify" || message->step == "further";
        campaign.answer(trial);
    }
    outcomes.refusal = campaign.refusal();
    for (const auto& rule : campaign.rules())
        if (rule.is_certified && rule.text_name != "known") outcomes.certified.insert(rule.notation);
    return outcomes;
}

TEST(ToldSpans, SaveMessagesAndFindTheSame) {
    constexpr std::size_t rules = 40;
    const World world = make_world(1, rules);
    for (const ServiceKind kind : {ServiceKind::translate, ServiceKind::mask}) {
        const Outcomes without = investigate(world, kind, false);
        const Outcomes with = investigate(world, kind, true);
        EXPECT_EQ(with.refusal, "");
        EXPECT_TRUE(with.certified == world.notations);
        EXPECT_TRUE(without.certified == world.notations);
        EXPECT_GE(with.partial, rules);
        std::printf("%s, %zu rules in texts of 20 lines: %.1f messages a rule when it says what was left out, %.1f when it does not\n", kind == ServiceKind::mask ? "mask" : "translate",
                    rules, static_cast<double>(with.messages) / rules, static_cast<double>(without.messages) / rules);
        EXPECT_LT(with.messages + 2 * rules, without.messages);
        if (kind == ServiceKind::mask) EXPECT_LT(with.messages, 15 * rules);
    }
}

/// Words that stand side by side are left out as one, and the message that would show it may slip through.
TEST(ToldSpans, WrongAnswersMakeNoRule) {
    std::size_t found = 0;
    std::size_t wrong = 0;
    for (const std::uint64_t seed : {3, 4, 5, 6, 7, 8})
        for (const ServiceKind kind : {ServiceKind::translate, ServiceKind::mask}) {
            const World world = make_world(seed, 40);
            const Outcomes outcomes = investigate(world, kind, true, 0.05);
            for (const auto& rule : outcomes.certified) ++(world.notations.count(rule) > 0 ? found : wrong);
        }
    std::printf("5 %% slip through: %zu of 480 rules found, %zu wrong\n", found, wrong);
    EXPECT_GE(found, 400u);
    EXPECT_LE(wrong, 2u);
}

TEST(ToldSpans, NothingIsFoundWhereNothingIsListed) {
    World world = make_world(2, 40);
    world.rules.clear();
    for (const ServiceKind kind : {ServiceKind::translate, ServiceKind::mask}) {
        const Outcomes outcomes = investigate(world, kind, true);
        EXPECT_EQ(outcomes.refusal, "");
        EXPECT_TRUE(outcomes.certified.empty());
        EXPECT_EQ(outcomes.messages, 9u) << "the known message alone";
    }
}

}  // namespace
}  // namespace unveil::test
