// Goal: each fold changes what it says and nothing else, and a variant never holds the rule it comes from. Method: examples by hand, and
// random components against a search for the original.
#include <gtest/gtest.h>

#include <set>

#include "core/random.hpp"
#include "experiment/filter/folds.hpp"

namespace unveil {
namespace {

std::string shown(std::string_view fold, std::string_view component) { return folded(fold, component).value_or("-"); }

TEST(Folds, ChangeWhatTheySay) {
    EXPECT_EQ(shown("case", "June 4th"), "jUNE 4TH");
    EXPECT_EQ(shown("case", "六四"), "-");
    EXPECT_EQ(shown("width", "a1"), "ａ１");
    EXPECT_EQ(shown("traditional", "国会"), "國會");
    EXPECT_EQ(shown("circled", "a10"), "ⓐ①⓪");
    EXPECT_EQ(shown("digits", "64"), "六四");
    EXPECT_EQ(shown("space", "六四事"), "六 四 事");
    EXPECT_EQ(shown("space", "六"), "-");
    EXPECT_EQ(shown("cjk-punctuation", "六四"), "六、四");
    EXPECT_EQ(shown("zero-width", "ab"), "a\u200Bb");
    EXPECT_EQ(shown("variation-selector", "a"), "a\uFE0F");
    EXPECT_EQ(shown("repeat", "六四"), "六六四四");
    EXPECT_EQ(shown("look-alike", "ace"), "асе");
    EXPECT_EQ(shown("html", "六a"), "&#x516D;&#x61;");
    EXPECT_EQ(shown("emoji", "ab"), "a😀b");
}

TEST(Folds, NamesAreUniqueAndAllWork) {
    std::set<std::string_view> names;
    for (const Fold& fold : folds()) {
        EXPECT_TRUE(names.insert(fold.name).second);
        EXPECT_FALSE(fold.help.empty());
        EXPECT_TRUE(folded(fold.name, "国a1会b").has_value()) << fold.name;
        EXPECT_FALSE(folded(fold.name, "").has_value()) << fold.name;
    }
    EXPECT_EQ(names.size(), 20u);
}

TEST(Folds, AVariantNeverHoldsTheRule) {
    Random random(5);
    const std::vector<std::string> letters{"六", "四", "国", "a", "B", "7"};
    int variants = 0;
    for (int round = 0; round < 3000; ++round) {
        std::vector<std::string> components(1 + random.below(3));
        for (auto& component : components)
            for (std::uint64_t n = 1 + random.below(3); n > 0; --n) component += letters[random.below(letters.size())];
        for (const Fold& fold : folds()) {
            const auto variant = variant_of(fold.name, components, "\n");
            if (!variant) continue;
            ++variants;
            bool holds_all = true;
            for (const auto& component : components) holds_all = holds_all && variant->find(component) != std::string::npos;
            EXPECT_FALSE(holds_all) << fold.name << ": " << *variant;
        }
    }
    EXPECT_GT(variants, 10000);
}

}  // namespace
}  // namespace unveil
