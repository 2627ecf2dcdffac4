// Goal: each fold changes what it says and nothing else, and a variant never holds the rule it comes from. Method: examples by hand, and
// random components against a search for the original.
#include <gtest/gtest.h>
#include <unicode/unistr.h>

#include <set>

#include "core/han_sounds.hpp"
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
    EXPECT_EQ(shown("percent", "六a"), "%E5%85%AD%61");
    EXPECT_EQ(shown("superscript", "Aq1z"), "Aq¹ᶻ");
    EXPECT_EQ(shown("roman", "mix"), "ⅿⅰⅹ");
    EXPECT_EQ(shown("roman", "tank"), "-");
    EXPECT_EQ(shown("bidi", "ab"), "a\u200Eb");
    EXPECT_EQ(shown("split-characters", "好人明"), "女子人日月");
    EXPECT_EQ(shown("split-characters", "人"), "-");
    EXPECT_EQ(shown("reversal", "六四事"), "事四六");
    EXPECT_EQ(shown("reversal", "六四六"), "-");
    EXPECT_EQ(shown("gap-1", "六四"), "六的四");
    EXPECT_EQ(shown("gap-2", "六四a"), "六的是四的是a");
    EXPECT_EQ(shown("gap-8", "六四"), "六的是在了有和这那四");
    EXPECT_EQ(shown("gap-4", "六"), "-");
}

TEST(Folds, ChangeHowCharactersSound) {
    EXPECT_EQ(shown("pinyin", "国家"), "guojia");
    EXPECT_EQ(shown("pinyin", "绿a1女"), "lva1nv");
    EXPECT_EQ(shown("pinyin", "tank"), "-");
    EXPECT_EQ(shown("pinyin-tones", "国家"), "guójiā");
    EXPECT_EQ(shown("pinyin-spaced", "国家ace64会"), "guo jia ace64 hui");
    EXPECT_EQ(shown("pinyin-spaced", "国"), "-") << "there is nothing to put a blank between";
    EXPECT_EQ(shown("pinyin", "國家"), "guojia");
    EXPECT_EQ(shown("pinyin", "国囍"), "-") << "a character whose sound is not known";
    EXPECT_EQ(shown("initials", "中国a人"), "zgar");
    EXPECT_EQ(shown("initials", "中国"), "-") << "two letters stand in many a word";
    EXPECT_EQ(shown("homophone", "国家"), "国嘉") << "the first other character of each sound; no other sounds like the first";
    EXPECT_EQ(shown("homophone", "衣"), "壹") << "no numeral, though 一 is the first";
    EXPECT_EQ(shown("homophone-any-tone", "国家"), "锅荚") << "the first ones of another tone";
    EXPECT_EQ(shown("homophone", "a"), "-");
    for (const char32_t* c = U"家会议话天山湖清"; *c != 0; ++c) {
        std::string character;
        icu::UnicodeString(static_cast<UChar32>(*c)).toUTF8String(character);
        for (const auto& [fold, is_same] : {std::pair{"homophone", true}, {"homophone-any-tone", false}}) {
            const std::string other = shown(fold, character);
            const auto changed = static_cast<char32_t>(icu::UnicodeString::fromUTF8(other).char32At(0));
            EXPECT_EQ(han_syllable(changed), han_syllable(*c)) << other;
            EXPECT_EQ(han_sound(changed) == han_sound(*c), is_same) << other;
        }
    }
}

TEST(Folds, NamesAreUniqueAndAllWork) {
    std::set<std::string_view> names;
    for (const Fold& fold : folds()) {
        EXPECT_TRUE(names.insert(fold.name).second);
        EXPECT_FALSE(fold.help.empty());
        EXPECT_TRUE(folded(fold.name, "国家i1议b").has_value()) << fold.name;
        EXPECT_FALSE(folded(fold.name, "").has_value()) << fold.name;
    }
    EXPECT_EQ(names.size(), 36u);
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
