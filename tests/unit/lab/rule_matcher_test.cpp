// Goal: exactly the rules that stand in a text are named. Method: against std::string::find over random texts in which rules overlap, repeat
// and lie in one another; characters of one to four bytes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/random.hpp"
#include "lab/rule_matcher.hpp"

namespace unveil {
namespace {

using ::testing::ElementsAre;

bool is_in(const MatcherRule& rule, const std::string& text) {
    std::size_t from = 0;
    for (const auto& component : rule.components) {
        const auto at = text.find(component, from);
        if (at == std::string::npos) return false;
        if (rule.is_ordered) from = at + component.size();
    }
    return true;
}

TEST(RuleMatcher, FindsEveryLengthAtEveryPlace) {
    const RuleMatcher matcher({{{"a"}}, {{"xy"}}, {{"国"}}, {{"六四"}}, {{"天安门广场"}}, {{"😀"}}, {{"é!"}}, {{"六四", "坦克"}}, {{"坦克", "六四"}, true}});
    EXPECT_THAT(matcher.matches("a"), ElementsAre(0));
    EXPECT_THAT(matcher.matches("xy"), ElementsAre(1));
    EXPECT_THAT(matcher.matches("中国"), ElementsAre(2));
    EXPECT_THAT(matcher.matches("去天安门广场吧"), ElementsAre(4));
    EXPECT_THAT(matcher.matches("x😀é!"), ElementsAre(5, 6));
    EXPECT_THAT(matcher.matches("六四的坦克"), ElementsAre(3, 7));
    EXPECT_THAT(matcher.matches("坦克在六四"), ElementsAre(3, 7, 8));
    EXPECT_THAT(matcher.matches(""), ElementsAre());
    EXPECT_FALSE(matcher.has_match("天安门广"));
    EXPECT_TRUE(RuleMatcher({}).matches("anything").empty());
}

TEST(RuleMatcher, AgreesWithLookingForEachRule) {
    const std::vector<std::vector<std::string>> alphabets = {{"a", "b", "c"}, {"国", "囯", "国家", "b"}, {"é", "国", "😀", "1", "\n"}, {std::string("\0", 1), "a", "é"}};
    Random random(8);
    std::size_t matched = 0;
    for (int round = 0; round < 4000; ++round) {
        const auto& alphabet = alphabets[random.below(alphabets.size())];
        const auto word = [&](std::uint64_t longest) {
            std::string text;
            for (std::uint64_t n = 1 + random.below(longest); n > 0; --n) text += alphabet[random.below(alphabet.size())];
            return text;
        };
        std::vector<MatcherRule> rules;
        for (std::uint64_t n = random.below(30); n > 0; --n) {
            MatcherRule rule;
            const std::uint64_t longest = random.chance(0.1) ? 50 : 6;
            for (std::uint64_t m = 1 + random.below(3); m > 0; --m) rule.components.push_back(word(longest));
            rule.is_ordered = random.chance(0.3);
            rules.push_back(std::move(rule));
        }
        const RuleMatcher matcher(rules, word(60));
        for (int i = 0; i < 5; ++i) {
            std::string text = word(60);
            if (!rules.empty() && random.chance(0.5))
                for (const auto& component : rules[random.below(rules.size())].components) text += component + word(3);
            std::vector<std::uint32_t> expected;
            for (std::uint32_t r = 0; r < rules.size(); ++r)
                if (is_in(rules[r], text)) expected.push_back(r);
            ASSERT_EQ(matcher.matches(text), expected) << text;
            ASSERT_EQ(matcher.has_match(text), !expected.empty());
            matched += expected.size();
        }
    }
    EXPECT_GT(matched, 10'000u);
}

}  // namespace
}  // namespace unveil
