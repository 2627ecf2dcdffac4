// Goal: what to send next is chosen well and repeatably. Method: the cost of groups against every pattern of blocked candidates; a bandit among
// sources of known yield, also where none yields anything; whole campaigns over several sources, replayed message by message.
#include "experiment/filter/discovery.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <set>

#include "experiment/filter/campaign.hpp"

namespace unveil {
namespace {

/// Price of one pattern by the rule of the campaign: together, then halves; the right half is known when the left one passes.
double price_of(const std::vector<bool>& blocked, std::size_t begin, std::size_t end, bool is_known, double blocked_price) {
    const bool is_blocked = std::find(blocked.begin() + static_cast<std::ptrdiff_t>(begin), blocked.begin() + static_cast<std::ptrdiff_t>(end), true) !=
                            blocked.begin() + static_cast<std::ptrdiff_t>(end);
    double price = 0;
    if (!is_known) {
        price = is_blocked ? blocked_price : 1;
        if (!is_blocked) return price;
    }
    if (end - begin == 1) return price;
    const std::size_t middle = begin + (end - begin) / 2;
    const bool is_left_blocked = std::find(blocked.begin() + static_cast<std::ptrdiff_t>(begin), blocked.begin() + static_cast<std::ptrdiff_t>(middle), true) !=
                                 blocked.begin() + static_cast<std::ptrdiff_t>(middle);
    return price + price_of(blocked, begin, middle, false, blocked_price) + price_of(blocked, middle, end, !is_left_blocked, blocked_price);
}

TEST(GroupCost, IsTheMeanOverAllPatterns) {
    for (const double probability : {0.01, 0.1, 0.4})
        for (const double blocked_price : {1.0, 2.0, 5.0})
            for (std::size_t n = 1; n <= 10; ++n) {
                double mean = 0;
                for (std::uint32_t pattern = 0; pattern < (1U << n); ++pattern) {
                    std::vector<bool> blocked(n);
                    double weight = 1;
                    for (std::size_t i = 0; i < n; ++i) {
                        blocked[i] = (pattern >> i & 1) != 0;
                        weight *= blocked[i] ? probability : 1 - probability;
                    }
                    mean += weight * price_of(blocked, 0, n, false, blocked_price);
                }
                EXPECT_NEAR(group_cost(n, probability, blocked_price), mean, 1e-9) << n << " " << probability << " " << blocked_price;
            }
}

TEST(GroupCost, BestGroupIsThatOfLeastCost) {
    for (const double probability : {0.0, 0.001, 0.02, 0.1, 0.3, 0.6, 1.0})
        for (const double blocked_price : {1.0, 2.0, 8.0}) {
            const std::size_t best = best_group(probability, blocked_price, 60);
            for (std::size_t n = 1; n <= 60; ++n)
                EXPECT_LE(group_cost(best, probability, blocked_price) / static_cast<double>(best), group_cost(n, probability, blocked_price) / static_cast<double>(n) + 1e-12);
        }
    EXPECT_EQ(best_group(0, 2, 60), 60U);
    EXPECT_EQ(best_group(0.6, 2, 60), 1U);
}

TEST(SourceBandit, FindsTheRichSource) {
    constexpr double rates[] = {0.001, 0.02, 0.002, 0};
    double rich_share = 0;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        SourceBandit bandit(std::size(rates), seed);
        Random random(seed, 9);
        double price = 0;
        double rich = 0;
        while (price < 5000) {
            const std::size_t source = *bandit.choose();
            // Messages until a rule costs fifty, as a text does, or one that passes.
            const bool is_found = random.chance(rates[source] * 50);
            const double own = is_found ? 50 : 1;
            bandit.note(source, is_found ? 1 : 0, own);
            price += own;
            if (source == 1) rich += own;
        }
        rich_share += rich / price / 20;
    }
    EXPECT_GT(rich_share, 0.7);
}

TEST(SourceBandit, WhereNothingYieldsAllAreAskedAlike) {
    SourceBandit bandit(4, 7);
    std::vector<double> asked(4);
    for (int i = 0; i < 8000; ++i) {
        const std::size_t source = *bandit.choose();
        bandit.note(source, 0, 1);
        asked[source] += 1;
    }
    for (const double one : asked) EXPECT_NEAR(one, 2000, 500);
    for (std::size_t i = 0; i < 4; ++i) bandit.exhaust(i);
    EXPECT_FALSE(bandit.choose().has_value());
}

using Rules = std::vector<std::vector<std::string>>;

bool is_blocked(const Rules& rules, const std::string& text) {
    return std::any_of(rules.begin(), rules.end(), [&](const auto& rule) {
        return std::all_of(rule.begin(), rule.end(), [&](const auto& component) { return text.find(component) != std::string::npos; });
    });
}

struct Sent {
    std::vector<Message> messages;
    std::vector<Outcome> outcomes;
};

Sent run(Campaign& campaign, const Rules& rules, std::size_t characters_max = SIZE_MAX) {
    Sent sent;
    while (const auto message = campaign.next()) {
        if (sent.messages.size() == 50'000) break;
        Trial trial;
        trial.outcome = message->input.size() > characters_max ? Outcome::rejected : is_blocked(rules, message->input) ? Outcome::blocked : Outcome::passed;
        sent.messages.push_back(*message);
        sent.outcomes.push_back(trial.outcome);
        campaign.answer(trial);
    }
    return sent;
}

CampaignPlan plan_of(std::vector<CampaignSource> sources) {
    CampaignPlan plan;
    plan.sources = std::move(sources);
    plan.together_characters_max = 2000;
    plan.contexts = {"cn"};
    plan.known_blocked = "zyzy";
    plan.known_passed = "hello";
    plan.probe_rules = plan.shape_rules = 0;
    plan.looks_for_order = false;
    return plan;
}

std::set<std::string> certified(const Campaign& campaign) {
    std::set<std::string> rules;
    for (const auto& rule : campaign.rules())
        if (rule.is_certified && rule.text_name != "known") rules.insert(rule.notation);
    return rules;
}

/// Made-up words of letters, so that none stands in another.
std::string word_of(std::size_t number) {
    std::string word = "w";
    for (int i = 0; i < 4; ++i, number /= 20) word += static_cast<char>('a' + number % 20);
    return word + "q";
}

std::vector<CampaignSource> three_sources(Rules& rules) {
    CampaignSource news{"news", SourceKind::texts, {}};
    CampaignSource older{"older", SourceKind::rules, {}};
    CampaignSource names{"names", SourceKind::words, {}};
    for (std::size_t i = 0; i < 60; ++i) {
        const Rules::value_type rule = {word_of(2 * i), word_of(2 * i + 1)};
        if (i % 10 == 0) rules.push_back(rule);
        news.candidates.push_back({"text " + std::to_string(i), i % 10 == 0 ? "so " + rule[0] + " then " + rule[1] + " ends" : "nothing about " + rule[0], {}});
        older.candidates.push_back({"rule " + std::to_string(i), "", {word_of(500 + i), word_of(700 + i)}});
        if (i % 12 == 3) rules.push_back(older.candidates.back().components);
        names.candidates.push_back({"name " + std::to_string(i), "", {word_of(900 + i)}});
        if (i == 41) rules.push_back(names.candidates.back().components);
    }
    // Stands in no candidate alone, only in two of them.
    rules.push_back({word_of(910), word_of(927)});
    rules.push_back({"zyzy"});
    for (auto& rule : rules) std::sort(rule.begin(), rule.end());
    return {news, older, names};
}

TEST(Discovery, FindsWhatIsInTheSourcesAndEnds) {
    for (const std::size_t together : {std::size_t{1}, std::size_t{200}, std::size_t{2000}}) {
        Rules rules;
        CampaignPlan plan = plan_of(three_sources(rules));
        plan.together_characters_max = together;
        Campaign campaign(std::move(plan));
        const Sent sent = run(campaign, rules);
        EXPECT_EQ(campaign.refusal(), "");
        const auto found = certified(campaign);
        std::size_t hit = 0;
        for (const auto& rule : rules) hit += found.count(rule.size() == 1 ? rule[0] : rule[0] + " + " + rule[1]);
        EXPECT_GE(hit, rules.size() - 2) << together;   // all but the known message and the one in no candidate
        EXPECT_LE(found.size(), rules.size() - 1) << together;
        EXPECT_LT(sent.messages.size(), 1000U);
    }
}

TEST(Discovery, HarmlessCandidatesGoTogether) {
    CampaignSource names{"names", SourceKind::words, {}};
    for (std::size_t i = 0; i < 600; ++i) names.candidates.push_back({"name", "", {word_of(i)}});
    Campaign campaign(plan_of({names}));
    const Sent sent = run(campaign, {{"zyzy"}});
    EXPECT_EQ(certified(campaign).size(), 0U);
    EXPECT_LT(sent.messages.size(), 120U);
    std::string all;
    for (const auto& message : sent.messages) all += message.input + "\n";
    for (const auto& candidate : names.candidates) EXPECT_NE(all.find(candidate.components[0]), std::string::npos);
}

TEST(Discovery, ARuleOfTwoCandidatesSentTogetherIsFound) {
    CampaignSource names{"names", SourceKind::words, {}};
    for (std::size_t i = 0; i < 8; ++i) names.candidates.push_back({"name", "", {word_of(i)}});
    CampaignSource more = names;
    Campaign campaign(plan_of({names}));
    Rules rules = {{word_of(0), word_of(1)}, {"zyzy"}};
    run(campaign, rules);
    EXPECT_THAT(certified(campaign), ::testing::ElementsAre(word_of(0) + " + " + word_of(1)));
}

TEST(Discovery, TheSameAnswersLeadToTheSameMessages) {
    Rules rules;
    const auto sources = three_sources(rules);
    CampaignPlan plan = plan_of(sources);
    plan.seed = 5;
    Campaign first(plan);
    const Sent sent = run(first, rules);
    Campaign again(plan);
    for (std::size_t i = 0; i < sent.messages.size(); ++i) {
        ASSERT_TRUE(again.next().has_value());
        ASSERT_EQ(*again.next(), sent.messages[i]) << i;
        Trial trial;
        trial.outcome = sent.outcomes[i];
        again.answer(trial);
    }
    EXPECT_FALSE(again.next().has_value());
}

TEST(Discovery, WhatIsTooLongTogetherIsSentInSmallerGroups) {
    Rules rules;
    Campaign campaign(plan_of(three_sources(rules)));
    const Sent sent = run(campaign, rules, 150);
    EXPECT_EQ(campaign.refusal(), "");
    const auto found = certified(campaign);
    std::size_t hit = 0;
    for (const auto& rule : rules) hit += found.count(rule.size() == 1 ? rule[0] : rule[0] + " + " + rule[1]);
    EXPECT_GE(hit, rules.size() - 2);
    std::size_t rejected = 0;
    for (const auto outcome : sent.outcomes) rejected += outcome == Outcome::rejected;
    EXPECT_GT(rejected, 0U);
    EXPECT_LT(rejected, 12U);
}

TEST(Discovery, CandidatesThatShareAComponentComeUp) {
    Discovery::Settings settings;
    settings.characters_max = 1;
    CampaignSource news{"news", SourceKind::texts, {}};
    for (std::size_t i = 0; i < 50; ++i) news.candidates.push_back({std::to_string(i), "about " + word_of(i % 25) + " and " + word_of(100 + i), {}});
    settings.sources = {news};
    Discovery discovery(settings);
    discovery.note_rule({word_of(20), word_of(300)});
    const auto nothing = [](const std::vector<CampaignText>&) { return false; };
    const auto first = discovery.next(1, nothing);
    const auto second = discovery.next(1, nothing);
    EXPECT_EQ(first->candidates[0].name, "20");
    EXPECT_EQ(second->candidates[0].name, "45");
}

TEST(Discovery, WordsBesideComponentsComeUp) {
    Discovery::Settings settings;
    settings.characters_max = 1;
    CampaignSource list{"list", SourceKind::rules, {}};
    CampaignSource names{"names", SourceKind::words, {}};
    for (std::size_t i = 0; i < 30; ++i) {
        list.candidates.push_back({"rule", "", {word_of(i), word_of(100 + i)}});
        names.candidates.push_back({std::to_string(i), "", {word_of(100 + i)}});
    }
    settings.sources = {list, names};
    Discovery discovery(settings);
    discovery.note_rule({word_of(17)});
    std::optional<Discovery::Batch> batch;
    do batch = discovery.next(1, [](const auto&) { return false; });
    while (batch->source != 1);
    EXPECT_EQ(batch->candidates[0].name, "17");
}

}  // namespace
}  // namespace unveil
