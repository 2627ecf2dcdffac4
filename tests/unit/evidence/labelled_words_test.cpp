// Goal: lists of labelled words are read as the page of the format says, and rows that cannot be used are counted. Method: small files with every
// column, one by one and together; lists that the Citizen Lab published, where they are at hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "core/error.hpp"
#include "evidence/labelled_words.hpp"

namespace unveil {
namespace {

using ::testing::HasSubstr;

class LabelledWordsTest : public ::testing::Test {
  protected:
    LabelledWordsTest() : m_path((std::filesystem::temp_directory_path() / ("unveil_labelled_words_" + std::to_string(getpid()) + ".csv")).string()) {}
    ~LabelledWordsTest() override { std::filesystem::remove(m_path); }

    const std::string& write(std::string_view text) {
        std::ofstream(m_path, std::ios::binary) << text;
        return m_path;
    }
    std::vector<LabelledWord> read(std::string_view text) {
        const auto source = open_labelled_words(write(text));
        std::vector<LabelledWord> all;
        std::vector<LabelledWord> batch;
        while (source->next(batch)) all.insert(all.end(), batch.begin(), batch.end());
        m_skipped = source->report().tally.skipped();
        return all;
    }

    std::string m_path;
    std::uint64_t m_skipped = 0;
};

TEST_F(LabelledWordsTest, TheColumnsOfACodedListAreRead) {
    const auto words = read("word_id,word,Category,category_id,theme\n1,六四,Tiananmen Square (June 4 1989),34,Events\n2, b + a ,,48,Political \n");
    ASSERT_EQ(words.size(), 2u);
    EXPECT_EQ(words[0].word, "六四");
    EXPECT_EQ(words[0].label, "Tiananmen Square (June 4 1989)");
    EXPECT_EQ(words[0].category, words[0].label);
    EXPECT_EQ(words[0].category_number, "34");
    EXPECT_EQ(words[0].theme, "Events");
    EXPECT_FALSE(words[0].is_said);
    EXPECT_EQ(words[1].word, "b + a");
    EXPECT_EQ(words[1].label, "Political") << "the theme where there is no category";
    EXPECT_EQ(words[1].category, "");
}

TEST_F(LabelledWordsTest, AColumnTopicSaysWhatIsSoAndMayCarryACategory) {
    const auto words = read("rule,topic,category\na + b,health,Disease\nc,,Gambling\nd,gambling,\n,health,Disease\ne,,\n");
    ASSERT_EQ(words.size(), 3u);
    EXPECT_EQ(m_skipped, 2u);
    for (const auto& word : words) EXPECT_TRUE(word.is_said) << word.word;
    EXPECT_EQ(words[0].label, "health");
    EXPECT_EQ(words[0].category, "Disease");
    EXPECT_EQ(words[1].label, "Gambling");
    EXPECT_EQ(words[2].label, "gambling");
    EXPECT_EQ(words[2].category, "");
}

TEST_F(LabelledWordsTest, WhatCannotBeUsedIsCounted) {
    EXPECT_EQ(read("word,category,theme\na,\xFF,x\nb,c,\xFF\nd,e,f\n").size(), 1u);
    EXPECT_EQ(m_skipped, 2u);
    EXPECT_EQ(read("word,category,category_id\na,b," + std::string(1001, '1') + "\nc,d,1\n").size(), 1u);
    EXPECT_EQ(m_skipped, 1u);
}

TEST_F(LabelledWordsTest, ATableWithoutTheColumnsIsNoList) {
    EXPECT_TRUE(is_labelled_words_file(write("Keyword;THEME\na;b\n")));
    EXPECT_FALSE(is_labelled_words_file(write("word,category_id\na,1\n")));
    EXPECT_FALSE(is_labelled_words_file(write("topic,category\na,1\n")));
    EXPECT_FALSE(is_labelled_words_file(m_path + ".absent"));
    try {
        open_labelled_words(write("word,note\na,b\n"));
        FAIL();
    } catch (const Error& error) {
        EXPECT_THAT(error.message(), HasSubstr("no list of labelled words"));
    }
}

TEST_F(LabelledWordsTest, PublishedListsReadWhole) {
    const std::string folder = std::string(UNVEIL_SHARED_DIR) + "/data/filter/";
    const std::pair<const char*, std::uint64_t> lists[] = {{"tomskype_sinauc_keywords_coded.csv.gz", 4256}, {"line_v22_keywords_coded.csv.gz", 682}, {"livestream_keywords_2015-02_2015-05_coded.csv.gz", 17042}};
    for (const auto& [name, rows] : lists) {
        if (!std::filesystem::exists(folder + name)) GTEST_SKIP() << folder + name << " is not here";
        const auto source = open_labelled_words(folder + name);
        std::vector<LabelledWord> batch;
        while (source->next(batch)) {}
        EXPECT_EQ(source->report().tally.kept() + source->report().tally.skipped(), rows) << name;
        EXPECT_LT(source->report().tally.skipped(), 10u) << name;
    }
}

}  // namespace
}  // namespace unveil
