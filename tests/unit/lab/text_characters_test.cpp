// Goal: a text's characters are cut rightly, whatever the bytes and the processor. Method: known texts; both forms of the passes beside each other over
// random texts of every length, broken ones too; filters against looking at each pair.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/random.hpp"
#include "lab/text_characters.hpp"

namespace unveil {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

std::vector<std::uint32_t> characters_of(const TextCharacters& text) { return {text.characters(), text.characters() + text.size()}; }
std::vector<std::uint32_t> list(const TextCharacters::Span& span) { return {span.begin(), span.end()}; }

TEST(TextCharacters, AreCutAtTheirFirstBytes) {
    TextCharacters text;
    text.read("aé国😀z");
    EXPECT_THAT(characters_of(text), ElementsAre(0x61u, 0xA9C3u, 0xBD9BE5u, 0x80989FF0u, 0x7Au));
    text.read("");
    EXPECT_EQ(text.size(), 0u);
    text.read("\x80\x80\x80\x80\x80\x80z");
    EXPECT_THAT(characters_of(text), ElementsAre(0x80808080u, 0x7Au));
}

TEST(TextCharacters, NothingStandsBesideThem) {
    TextCharacters text;
    for (const std::size_t length : {500, 64, 63, 3, 0}) {
        text.read(std::string(length, 'x'));
        ASSERT_EQ(text.size(), length);
        EXPECT_THAT(std::vector<std::uint32_t>(text.characters() - TextCharacters::margin, text.characters()), Each(0u));
        EXPECT_THAT(std::vector<std::uint32_t>(text.characters() + length, text.characters() + length + TextCharacters::margin), Each(0u));
    }
}

TEST(TextCharacters, ChineseCharactersHaveDifferentCodes) {
    std::vector<std::uint8_t> is_taken(character_code_count, 0);
    for (std::uint32_t point = 0x4E00; point <= 0x9FFF; ++point) {
        const std::uint32_t bytes = (0xE0 | point >> 12) | (0x80 | (point >> 6 & 0x3F)) << 8 | (0x80 | (point & 0x3F)) << 16;
        EXPECT_EQ(is_taken[character_code(bytes)]++, 0) << point;
    }
}

TEST(TextCharacters, BothFormsAgreeOnAnyBytes) {
    const std::vector<std::string> pieces = {"a", "é", "国", "家", "😀", "。", " ", "\xFF", "\x80", "\xE5\x9B", std::string("\0", 1), "\xF0\x9F"};
    Random random(3);
    TextCharacters fastest;
    TextCharacters portable(TextCharacters::Form::portable);
    std::size_t hits = 0;
    std::size_t wanted_pairs = 0;
    std::size_t wanted_characters = 0;
    for (int round = 0; round < 6000; ++round) {
        std::string bytes;
        const std::uint64_t length = random.below(300);
        // Some texts are of one kind of character, so that blocks hold 16 to 64 of them.
        const std::uint64_t kinds = random.chance(0.3) ? 1 + random.below(2) : pieces.size();
        const std::uint64_t first_kind = random.below(pieces.size());
        while (bytes.size() < length) bytes += pieces[(first_kind + random.below(kinds)) % pieces.size()];
        fastest.read(bytes);
        portable.read(bytes);
        const std::vector<std::uint32_t> characters = characters_of(portable);
        ASSERT_EQ(characters_of(fastest), characters);
        const auto pair_at = [&](std::size_t i) { return pair_hash(i > 0 ? characters[i - 1] : 0, characters[i]); };

        PairFilter filter(1 + static_cast<unsigned>(random.below(13)));
        WantedFilter wanted;
        for (std::uint64_t n = random.below(4); n > 0 && !characters.empty(); --n) {
            const auto i = static_cast<std::size_t>(random.below(characters.size()));
            filter.add(pair_at(i));
            wanted.add_pair(pair_at(i));
            ASSERT_TRUE(filter.may_have(pair_at(i)) && wanted.may_have_pair(pair_at(i)));
            const std::uint32_t one = characters[static_cast<std::size_t>(random.below(characters.size()))];
            wanted.add_character(character_hash(one));
            ASSERT_TRUE(wanted.may_have_character(character_hash(one)));
        }
        std::vector<std::uint32_t> positions;
        std::vector<std::uint32_t> pair_positions;
        std::vector<std::uint32_t> found;
        for (std::uint32_t i = 0; i < characters.size(); ++i) {
            if (filter.may_have(pair_at(i))) positions.push_back(i);
            if (wanted.may_have_pair(pair_at(i))) pair_positions.push_back(i);
            if (wanted.may_have_character(character_hash(characters[i]))) found.push_back(characters[i]);
        }
        hits += positions.size();
        wanted_pairs += pair_positions.size();
        wanted_characters += found.size();
        for (TextCharacters* const text : {&fastest, &portable}) {
            ASSERT_EQ(list(text->positions_of(filter)), positions);
            const TextCharacters::Wanted answer = text->find(wanted);
            ASSERT_EQ(list(answer.pair_positions), pair_positions);
            // Behind them there may be what the margin has.
            std::vector<std::uint32_t> answered = list(answer.characters);
            ASSERT_GE(answered.size(), found.size());
            ASSERT_THAT(std::vector<std::uint32_t>(answered.begin() + static_cast<std::ptrdiff_t>(found.size()), answered.end()), Each(0u));
            answered.resize(found.size());
            ASSERT_EQ(answered, found);
        }
    }
    EXPECT_GT(hits, 1000u);
    EXPECT_GT(wanted_pairs, 1000u);
    EXPECT_GT(wanted_characters, 1000u);
}

TEST(TextCharacters, FiltersSaySeldomYesToOthers) {
    Random random(5);
    const auto chinese = [&] {
        const auto point = static_cast<std::uint32_t>(0x4E00 + random.below(0x9FFF - 0x4E00));
        return (0xE0 | point >> 12) | (0x80 | (point >> 6 & 0x3F)) << 8 | (0x80 | (point & 0x3F)) << 16;
    };
    const auto ascii = [&] { return static_cast<std::uint32_t>(0x20 + random.below(95)); };
    for (const bool is_ascii : {false, true}) {
        const auto any = [&] { return is_ascii ? ascii() : chinese(); };
        PairFilter filter(13);
        for (int n = 0; n < 10'000; ++n) filter.add(pair_hash(chinese(), chinese()));
        WantedFilter wanted;
        for (int n = 0; n < 100; ++n) wanted.add_pair(pair_hash(chinese(), chinese()));
        for (int n = 0; n < 60; ++n) wanted.add_character(character_hash(chinese()));
        constexpr int asked = 20'000;
        int yes = 0;
        int pairs = 0;
        int characters = 0;
        for (int n = 0; n < asked; ++n) {
            yes += filter.may_have(pair_hash(any(), any()));
            pairs += wanted.may_have_pair(pair_hash(any(), any()));
            characters += wanted.may_have_character(character_hash(any()));
        }
        EXPECT_LT(yes, asked / 100) << is_ascii;
        EXPECT_LT(pairs, asked / 50) << is_ascii;
        EXPECT_LT(characters, asked / 8) << is_ascii;
    }
}

}  // namespace
}  // namespace unveil
