// Goal: the word in a request that brings a sign is found however it is written, and chance, hosts that refuse all and pages that fail by themselves
// bring none. Method: texts with known bytes, and requests whose ends are drawn.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "core/random.hpp"
#include "instruments/interference/request_words.hpp"
#include "statistics/proportion.hpp"

namespace unveil {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

double chance_of(const FlowShare& controls) { return controls.flows < 20 ? 0.2 : std::max(1e-3, clopper_pearson_interval(controls.hits, controls.flows).high); }

TEST(RequestText, IsWhatABoxWouldSearch) {
    EXPECT_EQ(request_text("/Search?q=%46alun+Gong"), "/search?q=falun+gong");
    EXPECT_EQ(request_text("http://www.example.org/a/B"), "/a/b");
    EXPECT_EQ(request_text("http://www.example.org"), "/");
    EXPECT_EQ(request_text("/go?to=http://other.example/x"), "/go?to=http://other.example/x");
    const std::string word = "/s?w=\xE8\x87\xAA\xE7\x94\xB1";   // two characters
    EXPECT_EQ(request_text("/s?w=%E8%87%AA%E7%94%B1"), word);
    EXPECT_EQ(request_text(word), word);
    EXPECT_EQ(request_text("/s?w=%D7%D4%D3%C9"), word) << "GB18030";
    EXPECT_EQ(request_text("/s?w=\xD7\xD4\xD3\xC9"), word);
    EXPECT_EQ(request_text("/%"), "/%");
    EXPECT_EQ(request_text("/" + std::string(509, 'x') + "\xE8\x87\xAA").size(), request_text_bytes_max - 2) << "no letter is cut in two";
}

TEST(RequestWords, AreRunsOfLettersAndOfCharactersWithoutBlanks) {
    EXPECT_THAT(request_words("/search?q=falun+gong&x=1"), ElementsAre("search", "falun", "gong"));
    EXPECT_THAT(request_words("/\xE8\x87\xAA\xE7\x94\xB1/vpn"), ElementsAre("\xE8\x87\xAA\xE7\x94\xB1", "vpn"));
    const auto three = request_words("/\xE8\x87\xAA\xE7\x94\xB1\xE6\x96\xB0");
    EXPECT_THAT(three, ElementsAre("\xE8\x87\xAA\xE7\x94\xB1", "\xE8\x87\xAA\xE7\x94\xB1\xE6\x96\xB0", "\xE7\x94\xB1\xE6\x96\xB0"));
    EXPECT_THAT(request_words("a\xFF" "bc\x80"), ElementsAre("bc"));
    EXPECT_THAT(request_words(""), IsEmpty());
}

class Words : public ::testing::Test {
  protected:
    void ask(std::uint32_t host, const std::string& target, bool has_sign) {
        m_texts.push_back(request_text(target));
        m_requests.push_back({host, m_texts.back(), {has_sign ? 1u : 0u, 1}});
    }
    void ordinary(int count) {
        for (int i = 0; i < count; ++i) ask(static_cast<std::uint32_t>(1 + i % 3), "/search?q=word" + std::to_string(i % 17) + "&page=" + std::to_string(i % 4), false);
    }
    std::deque<std::string> m_texts;
    std::vector<RequestShare> m_requests;
};

TEST_F(Words, AKeywordIsFoundInAnySpelling) {
    ordinary(60);
    const std::vector<std::string> spellings = {"/search?q=Falun", "/search?q=%66alun", "/falun/index.html", "/a/falundafa.html", "/search?q=FALUN&page=2"};
    for (std::uint32_t i = 0; i < 10; ++i) ask(1 + i % 3, spellings[i % spellings.size()], true);
    const auto found = find_words(m_requests, chance_of, 0.001);
    ASSERT_THAT(found, SizeIs(1));
    EXPECT_THAT(found[0].words, ElementsAre("falun"));
    EXPECT_EQ(found[0].own.hits, 10u);
    EXPECT_EQ(found[0].own.flows, 10u);
    EXPECT_EQ(found[0].controls.flows, 60u);
    EXPECT_LT(found[0].q_value, 1e-6);
}

TEST_F(Words, TwoEncodingsAreOneWord) {
    ordinary(60);
    for (std::uint32_t i = 0; i < 10; ++i) ask(1 + i % 3, i % 2 == 0 ? "/s?w=%E8%87%AA%E7%94%B1" : "/s?w=%D7%D4%D3%C9", true);
    const auto found = find_words(m_requests, chance_of, 0.001);
    ASSERT_THAT(found, SizeIs(1));
    EXPECT_THAT(found[0].words, ElementsAre("\xE8\x87\xAA\xE7\x94\xB1"));
    EXPECT_EQ(found[0].own.hits, 10u);
}

TEST_F(Words, TwoKeywordsAreTwo) {
    ordinary(60);
    for (std::uint32_t i = 0; i < 8; ++i) {
        ask(1 + i % 3, "/search?q=first", true);
        ask(1 + i % 3, "/tag/second/list", true);
    }
    const auto found = find_words(m_requests, chance_of, 0.001);
    ASSERT_THAT(found, SizeIs(2));
    EXPECT_THAT(found[0].words, ElementsAre("second", "list", "tag")) << "those that always stand together are not to be told apart";
    EXPECT_THAT(found[1].words, ElementsAre("first"));
}

TEST_F(Words, ManyKeywordsDoNotHideEachOther) {
    ordinary(40);
    for (int word = 0; word < 6; ++word)
        for (std::uint32_t i = 0; i < 6; ++i) ask(1 + i % 3, "/search?q=keyword" + std::string(1, static_cast<char>('a' + word)), true);
    const auto found = find_words(m_requests, chance_of, 0.001);
    ASSERT_THAT(found, SizeIs(6));
    for (const auto& word : found) {
        EXPECT_EQ(word.controls.flows, 40u);
        EXPECT_EQ(word.controls.hits, 0u);
        EXPECT_LT(word.q_value, 1e-3);
    }
}

TEST_F(Words, HostsThatRefuseAllOrNothingSayNothing) {
    ordinary(60);
    for (int i = 0; i < 20; ++i) ask(9, "/page/every" + std::to_string(i % 2), true);
    EXPECT_THAT(find_words(m_requests, chance_of, 0.001), IsEmpty());
}

TEST_F(Words, AccidentsFollowNoWord) {
    Random random(6);
    int surest = 0;
    constexpr int worlds = 1000;
    for (int world = 0; world < worlds; ++world) {
        m_requests.clear();
        m_texts.clear();
        const double accident = 0.4 * random.uniform();
        for (int i = 0; i < 150; ++i)
            ask(static_cast<std::uint32_t>(1 + random.below(3)), "/w" + std::to_string(random.below(12)) + "/x" + std::to_string(random.below(40)), random.chance(accident));
        surest += !find_words(m_requests, chance_of, 0.001).empty();
    }
    EXPECT_EQ(surest, 0);
}

}  // namespace
}  // namespace unveil
