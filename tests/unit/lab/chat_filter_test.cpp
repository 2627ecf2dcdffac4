// Goal: a fold never takes a rule off the list. Method: rules of which one or more folds leave nothing, and what must still be blocked.
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace unveil
