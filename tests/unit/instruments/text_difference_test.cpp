// Goal: two texts are shown as what they share and where they differ. Method: examples by hand; random edits, where the
// rest of both texts must be equal and the spans must lie on character limits.

#include "instruments/coordination/text_difference.hpp"

#include <gtest/gtest.h>

#include "core/text.hpp"
#include "near_text_world.hpp"

namespace unveil::testing {
namespace {

using namespace coordination;

std::string marked(std::string_view a, std::string_view b) {
    std::string out;
    std::size_t from = 0;
    for (const auto& span : differing_spans(a, b)) {
        out += a.substr(from, span.begin_a - from);
        out += "[" + std::string(a.substr(span.begin_a, span.end_a - span.begin_a)) + "|" +
               std::string(b.substr(span.begin_b, span.end_b - span.begin_b)) + "]";
        from = span.end_a;
    }
    return out + std::string(a.substr(from));
}

std::string rest(std::string_view text, const std::vector<DifferingSpan>& spans, bool is_a) {
    std::string out;
    std::size_t from = 0;
    for (const auto& span : spans) {
        out += text.substr(from, (is_a ? span.begin_a : span.begin_b) - from);
        from = is_a ? span.end_a : span.end_b;
    }
    return out + std::string(text.substr(from));
}

TEST(TextDifference, Examples) {
    EXPECT_EQ(marked("vote for ann today", "vote for bob today"), "vote for [ann|bob] today");
    EXPECT_EQ(marked("same", "same"), "same");
    EXPECT_EQ(marked("", ""), "");
    EXPECT_EQ(marked("", "all of it"), "[|all of it]");
    EXPECT_EQ(marked("the text", "the text #tag"), "the text[| #tag]");
    EXPECT_EQ(marked("香港今天很好", "香港明天很好"), "香港[今|明]天很好");
    EXPECT_EQ(marked("one wet day in may, they say", "one dry day in june, they say"), "one [wet|dry] day in [may|june], they say");
    EXPECT_EQ(marked("x\xff\xfey", "x\xffzy"), "x\xff[\xfe|z]y");
}

TEST(TextDifference, WhatLiesBetweenIsTheSame) {
    for (const auto& writing : writings) {
        Writer writer(writing, 31, 300);
        for (int round = 0; round < 40; ++round) {
            const auto a = writer.post(1, 120);
            const auto edits = writer.random().below(9);
            const std::string left = encoded(a);
            const std::string right = encoded(writer.edited(a, edits));
            const auto spans = differing_spans(left, right);
            EXPECT_EQ(rest(left, spans, true), rest(right, spans, false));
            EXPECT_LE(spans.size(), edits);
            std::size_t end = 0;
            for (const auto& span : spans) {
                EXPECT_TRUE(is_valid_utf8(std::string_view(left).substr(span.begin_a, span.end_a - span.begin_a)));
                EXPECT_TRUE(is_valid_utf8(std::string_view(right).substr(span.begin_b, span.end_b - span.begin_b)));
                EXPECT_GE(span.begin_a, end);
                EXPECT_LT(span.begin_a + span.begin_b, span.end_a + span.end_b);
                end = span.end_a;
            }
        }
    }
}

TEST(TextDifference, ExactlyTheEditsAreShown) {
    // No character occurs twice, so there is only one shortest edit script.
    Random random(3);
    for (int round = 0; round < 300; ++round) {
        std::string a;
        std::string b;
        std::string expected;
        char32_t next = 0x4E00;
        const auto take = [&](std::size_t count) {
            std::u32string fresh;
            while (fresh.size() < count) fresh += next++;
            return encoded(fresh);
        };
        for (std::size_t parts = random.below(8); parts > 0; --parts) {
            const std::string common = take(3 + random.below(5));
            const std::string only_a = take(random.below(3));
            const std::string only_b = take(only_a.empty() ? 1 + random.below(3) : random.below(3));
            a += common + only_a;
            b += common + only_b;
            expected += common + "[" + only_a + "|" + only_b + "]";
        }
        EXPECT_EQ(marked(a, b), expected);
    }
}

TEST(TextDifference, HugeTextsAreBounded) {
    Random random(1);
    std::string a(200'000, 'a');
    std::string b(200'000, 'b');
    for (auto& c : a) c = static_cast<char>('a' + random.below(26));
    for (auto& c : b) c = static_cast<char>('a' + random.below(26));
    a.front() = b.front() = '<';
    a.back() = b.back() = '>';
    const auto spans = differing_spans(a, b);
    ASSERT_EQ(spans.size(), 1u);
    EXPECT_LE(spans[0].begin_a, 10u);
    EXPECT_EQ(differing_spans(std::string(100'000, 'x'), std::string(100'003, 'x')).size(), 1u);
}

}  // namespace
}  // namespace unveil::testing
