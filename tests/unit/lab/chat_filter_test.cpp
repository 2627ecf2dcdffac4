// Goal: a fold never takes a rule off the list. Method: rules of which one or more folds leave nothing, and what must still be blocked.
#include <gtest/gtest.h>

#include <algorithm>

#include "lab/chat_filter.hpp"

namespace unveil {
namespace {

TEST(ChatFilter, ARuleOfWhichAFoldLeavesNothingIsComparedWithoutIt) {
    ChatFilterRules rules;
    rules.rules["home"] = {{"falun"}, {"国家"}, {"a1", "六四"}};
    rules.folds = {"latin", "digit", "digits", "case"};
    const ChatFilter filter(rules);
    EXPECT_TRUE(filter.is_listed("home", "see FALUN there"));
    EXPECT_FALSE(filter.is_listed("home", "see there"));
    EXPECT_FALSE(filter.is_listed("home", "falxun"));
    EXPECT_TRUE(filter.is_listed("home", "国x1家"));
    EXPECT_TRUE(filter.is_listed("home", "a1 and 64"));
    EXPECT_FALSE(filter.is_listed("home", "1 and 64"));
    const std::vector<std::string> mixed = {"a1"};
    const std::vector<std::string> emptying = {"digit", "latin"};
    EXPECT_EQ(filter.emptying_folds(mixed), emptying);
    EXPECT_EQ(filter.normalised("A六国", emptying), "a6国");
    EXPECT_EQ(filter.normalised("A六国"), "国");
}

/// Whether a filter with these folds and this one rule blocks the text.
bool blocks(std::vector<std::string> folds, std::vector<std::string> rule, const std::string& text) {
    ChatFilterRules rules;
    rules.rules["home"] = {std::move(rule)};
    rules.folds = std::move(folds);
    return ChatFilter(rules).is_listed("home", text);
}

TEST(ChatFilter, SoundsAndPartsAreListedBesideTheRule) {
    const std::vector<std::string> rule = {"国家会", "铁门"};
    for (const auto& [fold, text] : {std::pair{"pinyin", "the guojiahui and tiemen"}, {"pinyin-tones", "guójiāhuì tiěmén"}, {"pinyin-spaced", "guo jia hui, tie men"}, {"initials", "gjh 铁门"},
                                     {"split-characters", "国家会 钅失门"}, {"reversal", "会家国门铁"}}) {
        EXPECT_TRUE(blocks({fold}, rule, text)) << fold;
        EXPECT_TRUE(blocks({fold, "latin", "case", "repeat"}, rule, text)) << fold << ": in a listed spelling Latin letters are no noise";
        EXPECT_FALSE(blocks({}, rule, text)) << fold;
        EXPECT_TRUE(blocks({fold}, rule, "铁门国家会")) << fold;
    }
    EXPECT_FALSE(blocks({"initials"}, {"铁门"}, "tm")) << "two letters are not listed";
    EXPECT_FALSE(blocks({"pinyin", "latin"}, {"铁门64"}, "64")) << "what is left of a listed spelling is no rule";
}

TEST(ChatFilter, WhatSoundsAlikeIsReadAlike) {
    EXPECT_TRUE(blocks({"homophone"}, {"国家"}, "国嘉"));
    EXPECT_FALSE(blocks({"homophone"}, {"国家"}, "国假")) << "another tone";
    EXPECT_TRUE(blocks({"homophone-any-tone"}, {"国家"}, "锅假"));
    EXPECT_FALSE(blocks({"homophone-any-tone"}, {"国家"}, "国会"));
    EXPECT_FALSE(blocks({"homophone"}, {"国家"}, "國家")) << "traditional characters are another fold";
    EXPECT_TRUE(blocks({"homophone", "traditional"}, {"国家"}, "國嘉"));
}

TEST(ChatFilter, GapsUpToTheirLength) {
    EXPECT_FALSE(blocks({}, {"六四"}, "六x四"));
    EXPECT_TRUE(blocks({"gap-1"}, {"六四"}, "看六的四了"));
    EXPECT_FALSE(blocks({"gap-1"}, {"六四"}, "六的是四"));
    EXPECT_TRUE(blocks({"gap-4"}, {"六四"}, "六的是在了四"));
    EXPECT_TRUE(blocks({"gap-2"}, {"六四"}, "六六的四")) << "the nearest counts";
    EXPECT_TRUE(blocks({"gap-1"}, {"aab"}, "aaab"));
    EXPECT_FALSE(blocks({"gap-1"}, {"六四"}, "四的六"));
    const std::vector<std::string> two = {"ab", "cd"};
    EXPECT_TRUE(ChatFilter::holds("c_d a_b", two, 1, false));
    EXPECT_FALSE(ChatFilter::holds("c_d a_b", two, 1, true));
    EXPECT_TRUE(ChatFilter::holds("c_d a_b c_d", two, 1, true));
    EXPECT_FALSE(ChatFilter::holds("a_b", two, 1, false));
}

TEST(ChatFilter, WordsThatMustStandCloseTogether) {
    ChatFilterRules rules;
    rules.rules["home"] = {{"ab", "cd", "ab"}, {"六四", "坦克"}};
    rules.distance_max = 3;
    const ChatFilter filter(rules);
    EXPECT_TRUE(filter.is_listed("home", "坦克 看 六四"));
    EXPECT_FALSE(filter.is_listed("home", "坦克 看看 六四"));
    EXPECT_TRUE(filter.is_listed("home", "六四坦克"));
    EXPECT_TRUE(filter.is_listed("home", "六四 ... 坦克 六四"));
    EXPECT_FALSE(filter.is_listed("home", "ab cd")) << "each word takes its own place";
    EXPECT_TRUE(filter.is_listed("home", "ab..ab...cd"));
    EXPECT_FALSE(filter.is_listed("home", "ab..cd....ab"));
}

TEST(ChatFilter, FoldsThatFollowFromOthers) {
    EXPECT_EQ(with_implied_folds({"homophone-any-tone", "case"}), (std::vector<std::string>{"case", "homophone", "homophone-any-tone"}));
    EXPECT_EQ(with_implied_folds({"space", "pinyin"}), (std::vector<std::string>{"pinyin", "pinyin-spaced", "space"}));
    const auto of_gaps = with_implied_folds({"gap-2"});
    EXPECT_EQ(std::count(of_gaps.begin(), of_gaps.end(), "gap-1"), 1);
    EXPECT_EQ(std::count(of_gaps.begin(), of_gaps.end(), "gap-4"), 0);
    EXPECT_EQ(std::count(of_gaps.begin(), of_gaps.end(), "emoji"), 1);
    EXPECT_TRUE(with_implied_folds({}).empty());
}

}  // namespace
}  // namespace unveil
