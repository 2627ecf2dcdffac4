// Goal: what a campaign changes to see how a filter reads, the instrument undoes. Method: every fold on words of all scripts, one by one and all
// that can be told apart at once.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "experiment/filter/folds.hpp"
#include "table/spelling.hpp"
#include "lab/chat_filter.hpp"

namespace unveil {
namespace {

TEST(Spelling, CampaignInstrumentAndServicesKnowTheSameFolds) {
    std::set<std::string> probed;
    for (const Fold& fold : folds()) probed.emplace(fold.name);
    EXPECT_EQ(filter::all_spellings(), probed);
    EXPECT_EQ(std::set<std::string>(chat_folds().begin(), chat_folds().end()), probed);
    EXPECT_EQ(chat_folds().size(), probed.size());
}

TEST(Spelling, AServiceSeesThroughEachFoldWhenItIsToldToAndElseThroughNone) {
    const std::vector<std::string> words = {"国家ace64会议", "东风open27说话", "铁门pia83开关", "红头coe95学习", "车书ixo31好"};
    const auto blocks = [](std::vector<std::string> folds, const std::string& word, const std::string& text) {
        ChatFilterRules rules;
        rules.rules["home"] = {{word}};
        rules.folds = std::move(folds);
        return ChatFilter(rules).is_listed("home", text);
    };
    for (const Fold& fold : folds()) {
        std::size_t applied = 0;
        for (const auto& word : words) {
            const auto variant = folded(fold.name, word);
            if (!variant) continue;
            ++applied;
            EXPECT_TRUE(blocks({std::string(fold.name)}, word, "see " + *variant)) << fold.name << " of " << word;
            EXPECT_FALSE(blocks({}, word, "see " + *variant)) << fold.name << " of " << word;
            for (const auto& other : chat_folds()) {
                const auto implied = with_implied_folds({other});
                const bool is_implied = std::find(implied.begin(), implied.end(), fold.name) != implied.end();
                // What drops letters sees through what is made of them.
                const bool is_dropped = (other == "latin" || other == "digit") && !is_implied;
                if (!is_dropped) EXPECT_EQ(blocks({other}, word, *variant), is_implied) << fold.name << " of " << word << " by " << other;
            }
        }
        EXPECT_GE(applied, 3u) << fold.name;
    }
}

TEST(Spelling, TheInstrumentUndoesWhatTheCampaignChanges) {
    const std::set<std::string_view> not_undone = {"pinyin", "pinyin-tones", "pinyin-spaced", "initials", "gap-1", "gap-2", "gap-4", "gap-8"};
    for (const std::string word : {"国家ace64会议", "东风open27说话", "falun", "Tank Man", "六四", "a", "x1"}) {
        std::size_t applied = 0;
        for (const Fold& fold : folds()) {
            const auto variant = folded(fold.name, word);
            // Letters between letters cannot be told from them.
            if (!variant || (fold.name == "latin" && word == "falun") || not_undone.count(fold.name) > 0) continue;
            ++applied;
            const std::set<std::string> one{std::string(fold.name)};
            EXPECT_EQ(filter::as_read(one, *variant), filter::as_read(one, word)) << fold.name << " of " << word;
            EXPECT_NE(*variant, word);
        }
        EXPECT_GT(applied, 3u) << word;
    }
}

TEST(Spelling, TheInstrumentKnowsNoFoldThatTheServicesDoNot) {
    for (const auto& fold : chat_folds()) {
        // Those are listed, not undone.
        if (fold == "split-characters" || fold == "reversal") continue;
        ChatFilterRules rules;
        rules.folds = {fold};
        const ChatFilter service(rules);
        for (const std::string text : {"国家ACE64会議，、。", "ｆａｌｕｎ ⓐ①", "аесорху", "t a-n.k!", "&#x516D;四", "aabb六六", "%E5%85%AD%四%E5%85%E5%85%AD", "ᵃ¹ⅸⅹⅭ", "国家果价女绿說话", "a\u200E\u2066六"})
            EXPECT_EQ(filter::as_read({fold}, text), service.normalised(text)) << fold << " of " << text;
    }
}

TEST(Spelling, WhatMayBeOneRuleHasOneBroadestReading) {
    const auto broadest = [](const std::string& word) { return filter::broadest_reading({word}); };
    for (const std::string word : {"国家好", "说话人", "开关门"})
        for (const Fold& fold : folds()) {
            if (fold.name == "initials" || fold.name == "reversal" || fold.name.starts_with("gap")) continue;
            if (const auto variant = folded(fold.name, word)) EXPECT_EQ(broadest(*variant), broadest(word)) << fold.name << " of " << word;
        }
    EXPECT_NE(broadest("国家好"), broadest("国家坏"));
    EXPECT_EQ(filter::broadest_reading({"falun", "Fa lun"}).size(), 1u);
}

TEST(Spelling, PartsArePutTogetherAgain) {
    const std::set<std::string> split{"split-characters"};
    EXPECT_EQ(filter::as_read(split, "氵古月"), "湖");
    EXPECT_EQ(filter::as_read(split, "女子女"), "好女");
    EXPECT_EQ(filter::as_read({"split-characters", "homophone"}, "女子"), filter::as_read({"split-characters", "homophone"}, "郝"));
}

}  // namespace
}  // namespace unveil
