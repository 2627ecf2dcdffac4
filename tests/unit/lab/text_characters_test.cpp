// Goal: a text's characters are cut rightly, whatever the bytes and the processor. Method: known texts; both forms of the passes beside each other over
// random texts of every length, broken ones too; filters against looking at each pair.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/random.hpp"
#include "lab/text_characters.hpp"

namespace unveil {
namespace {

using ::testing::ElementsAre;

std::vector<std::uint32_t> starts_of(const TextCharacters& text) {
    std::vector<std::uint32_t> starts;
    for (std::size_t i = 0; i < text.size(); ++i) starts.push_back(text.start(i));
    return starts;
}

TEST(TextCharacters, AreCutAtTheirFirstBytes) {
    TextCharacters text;
    text.read("aé国😀z");
    EXPECT_THAT(starts_of(text), ElementsAre(0, 1, 3, 6, 10));
    EXPECT_EQ(text.character(0), 0x61u);
    EXPECT_EQ(text.character(1), 0xA9C3u);
    EXPECT_EQ(text.character(2), 0xBD9BE5u);
    EXPECT_EQ(text.character(3), 0x80989FF0u);
    EXPECT_EQ(text.character_before(0), 0u);
    EXPECT_EQ(text.character_before(4), text.character(3));
    text.read("");
    EXPECT_EQ(text.size(), 0u);
    text.read("\x80\x80\x80\x80\x80\x80z");
    EXPECT_THAT(starts_of(text), ElementsAre(0, 6));
    EXPECT_EQ(text.character(0), 0x80808080u);
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
    for (int round = 0; round < 6000; ++round) {
        std::string bytes;
        const std::uint64_t length = random.below(300);
        // Some texts are of one kind of character, so that blocks hold 16 to 64 of them.
        const std::uint64_t kinds = random.chance(0.3) ? 1 + random.below(2) : pieces.size();
        const std::uint64_t first_kind = random.below(pieces.size());
        while (bytes.size() < length) bytes += pieces[(first_kind + random.below(kinds)) % pieces.size()];
        fastest.read(bytes);
        portable.read(bytes);
        ASSERT_EQ(starts_of(fastest), starts_of(portable));
        for (std::size_t i = 0; i < portable.size(); ++i) ASSERT_EQ(fastest.character(i), portable.character(i)) << i;

        PairFilter filter(1 + static_cast<unsigned>(random.below(16)));
        for (std::uint64_t n = random.below(4); n > 0 && portable.size() > 0; --n) {
            const auto i = static_cast<std::size_t>(random.below(portable.size()));
            filter.add(pair_hash(portable.character_before(i), portable.character(i)));
        }
        std::vector<std::uint32_t> expected;
        for (std::size_t i = 0; i < portable.size(); ++i) {
            const std::uint32_t hash = pair_hash(portable.character_before(i), portable.character(i));
            if ((filter.words()[filter.word(hash)] & PairFilter::three_bits(hash)) == PairFilter::three_bits(hash)) expected.push_back(static_cast<std::uint32_t>(i));
        }
        hits += expected.size();
        const auto from_fastest = fastest.positions_of(filter);
        const auto from_portable = portable.positions_of(filter);
        ASSERT_EQ(std::vector<std::uint32_t>(from_fastest.begin(), from_fastest.end()), expected);
        ASSERT_EQ(std::vector<std::uint32_t>(from_portable.begin(), from_portable.end()), expected);

        std::vector<std::uint8_t> marked(character_code_count, 0);
        std::vector<std::uint8_t> marked_portably(character_code_count, 0);
        fastest.mark(marked.data());
        portable.mark(marked_portably.data());
        ASSERT_EQ(marked, marked_portably);
    }
    EXPECT_GT(hits, 1000u);
}

}  // namespace
}  // namespace unveil
