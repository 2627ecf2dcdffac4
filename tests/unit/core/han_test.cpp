// Goal: characters sound and look as the tables say. Method: examples by hand, and properties of every entry.
#include <gtest/gtest.h>

#include <set>

#include "core/han_parts.hpp"
#include "core/han_sounds.hpp"

namespace unveil {
namespace {

TEST(HanSounds, CommonCharactersHaveOne) {
    EXPECT_EQ(han_sound(U'国'), "guó");
    EXPECT_EQ(han_syllable(U'国'), "guo");
    EXPECT_EQ(han_sound(U'女'), "nǚ");
    EXPECT_EQ(han_syllable(U'女'), "nv");
    EXPECT_EQ(han_sound(U'國'), "") << "traditional";
    EXPECT_EQ(han_sound(U'a'), "");
    EXPECT_EQ(han_alike(U'a', Tone::any), U"");
    EXPECT_EQ(without_tone("xiǎng"), "xiang");
    EXPECT_EQ(without_tone("lüè 64 国"), "lve 64 国");
}

TEST(HanSounds, ThoseThatSoundAlikeFormClasses) {
    std::size_t with_sound = 0;
    std::set<std::string> syllables;
    for (char32_t c = 0x4E00; c < 0xA000; ++c) {
        if (han_sound(c).empty()) continue;
        ++with_sound;
        syllables.emplace(han_syllable(c));
        const auto same = han_alike(c, Tone::same);
        const auto any = han_alike(c, Tone::any);
        EXPECT_NE(same.find(c), same.npos);
        for (const char32_t other : same) EXPECT_EQ(han_sound(other), han_sound(c));
        for (const char32_t other : any) EXPECT_EQ(han_syllable(other), han_syllable(c));
        EXPECT_NE(any.find(same), any.npos);
        for (const char letter : han_syllable(c)) EXPECT_TRUE(letter >= 'a' && letter <= 'z') << han_syllable(c);
    }
    EXPECT_EQ(with_sound, 3755u);
    EXPECT_EQ(syllables.size(), 397u);
}

TEST(HanParts, AreUniqueAndComeToAnEnd) {
    EXPECT_EQ(han_parts(U'好'), U"女子");
    EXPECT_EQ(han_parts(U'法'), U"氵去");
    EXPECT_EQ(han_parts(U'人'), U"");
    std::set<std::u32string_view> pairs;
    for (char32_t c = 0x4E00; c < 0xA000; ++c) {
        const auto parts = han_parts(c);
        if (parts.empty()) continue;
        EXPECT_EQ(parts.size(), 2u);
        EXPECT_TRUE(pairs.insert(parts).second) << "two characters of the same parts";
        std::u32string left(parts);
        for (int steps = 0; !left.empty(); ++steps) {
            ASSERT_LT(steps, 10);
            const char32_t next = left.front();
            left.erase(0, 1);
            EXPECT_NE(next, c) << "a character is no part of itself";
            left += han_parts(next);
        }
    }
    EXPECT_EQ(pairs.size(), 377u);
}

}  // namespace
}  // namespace unveil
