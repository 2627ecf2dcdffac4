// Goal: texts come out whole with their place, and what cannot be read is refused with it. Method: small files, plain and as tables.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "core/error.hpp"
#include "evidence/text_file.hpp"

namespace unveil {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class TextFile : public ::testing::Test {
  protected:
    TextFile() { std::filesystem::create_directories(m_folder); }
    ~TextFile() override { std::filesystem::remove_all(m_folder); }
    std::string write(const std::string& name, const std::string& bytes) const {
        std::ofstream(m_folder / name, std::ios::binary) << bytes;
        return (m_folder / name).string();
    }
    static std::vector<std::string> texts(const std::string& path, const TextFileOptions& options = {}) {
        std::vector<std::string> all;
        for (const auto& one : read_text_file(path, options)) all.push_back(one.name + "=" + one.text);
        return all;
    }
    static std::string problem(const std::string& path, const TextFileOptions& options = {}) {
        try {
            read_text_file(path, options);
        } catch (const Error& error) {
            return error.where() + ": " + error.message() + " / " + error.hint();
        }
        return "none";
    }

  private:
    std::filesystem::path m_folder = std::filesystem::temp_directory_path() / ("text_file_test." + std::to_string(getpid()));
};

TEST_F(TextFile, LinesHaveTheirNumber) {
    EXPECT_THAT(texts(write("a.txt", "\xEF\xBB\xBF first \r\n\n第二\n  \nlast")), ElementsAre("a.txt:1=first", "a.txt:3=第二", "a.txt:5=last"));
    EXPECT_THAT(texts(write("b.txt", "one\ntwo\n"), {.is_whole = true, .column = ""}), ElementsAre("b.txt=one\ntwo"));
    EXPECT_THAT(problem(write("empty.txt", "")), HasSubstr("the file is empty"));
}

TEST_F(TextFile, ATableGivesOneColumn) {
    const auto path = write("list.csv", "Date,Result,source\n2020-01-01,六四 + 坦克,x\n2020-01-02,,y\n2020-01-03,\"a, b\",z\n");
    EXPECT_THAT(texts(path), ElementsAre("list.csv, record 1=六四 + 坦克", "list.csv, record 3=a, b"));
    EXPECT_THAT(texts(path, {.is_whole = false, .column = "source"}), ElementsAre("list.csv, record 1=x", "list.csv, record 2=y", "list.csv, record 3=z"));
    EXPECT_THAT(problem(path, {.is_whole = false, .column = "nothing"}), HasSubstr("there is no column 'nothing' / Name one with --column; there are Date, Result, source"));
    EXPECT_THAT(problem(write("x.csv", "a,b\n1,2\n")), HasSubstr("no column is named like texts or rules"));
}

TEST_F(TextFile, ATableSaysWhereItsTextsAreFrom) {
    const auto sources = [&](const std::string& bytes) {
        std::vector<std::string> all;
        for (const auto& one : read_text_file(write("cited.csv", bytes), {})) all.push_back(one.source);
        return all;
    };
    // As the lists of Missing Links are written.
    EXPECT_THAT(sources("\xEF\xBB\xBFResult,idx,Date,Source\na + b,7,2025-01-09T20:24:25Z,https://example.org/%E6%A2%85.html\nc,,,HTTP://example.org/ \nd,3,,\n"),
                ElementsAre("https://example.org/%E6%A2%85.html 2025-01-09T20:24:25Z offset 7", "HTTP://example.org/", ""));
    EXPECT_THAT(sources("keyword,Source,detected_on\na,a game,2020-01-31\n"), ElementsAre("2020-01-31")) << "a kind of source is no address";
    EXPECT_THAT(sources("text,url\na,https://example.org/\xFF\n"), ElementsAre(""));
    EXPECT_EQ(read_public_rules(write("cited.csv", "rule,url\nb + a,https://example.org/\n"), "").rules.front().source, "https://example.org/");
}

TEST_F(TextFile, BytesThatAreNoTextAreRefusedWithTheirPlace) {
    EXPECT_THAT(problem(write("bad.txt", "fine\n\xC1\xF9\xCB\xC4\n")), HasSubstr("bad.txt:2: the text is not valid UTF-8"));
    EXPECT_THAT(problem(write("bad.csv", "text\nfine\n\xFF\n")), HasSubstr("bad.csv, record 2: the text is not valid UTF-8"));
    EXPECT_THAT(problem(write("rows.csv", "text,b\nfine,1\nbroken\n")), HasSubstr("records cannot be read"));
    EXPECT_NE(problem("/nowhere/at.all"), "none");
}

TEST_F(TextFile, PublicNotationIsReadWithAndWithoutBlanks) {
    EXPECT_THAT(components_of_public_rule("a+b + c"), ElementsAre("a", "b", "c"));
    EXPECT_THAT(components_of_public_rule(" 六四 "), ElementsAre("六四"));
    for (const char* malformed : {"+ +", "a +", "+ b", "a + + b", "a ++ b", "c++", " "}) EXPECT_THAT(components_of_public_rule(malformed), ElementsAre()) << malformed;
}

TEST_F(TextFile, WildcardsOfAListAreNoPartOfItsWords) {
    const auto read = read_public_rules(write("wild.txt", "*08县长*\nSEX\nFR*K\n*ASS\nTIT*\n*a* + b*\n**\n"), "");
    std::vector<std::string> notations;
    for (const auto& rule : read.rules) {
        notations.emplace_back();
        for (const auto& component : rule.components) notations.back() += (notations.back().empty() ? "" : " + ") + component;
    }
    EXPECT_THAT(notations, ElementsAre("08县长", "SEX", "FR*K", "ASS", "TIT", "a + b", "**"));
    EXPECT_EQ(read.with_wildcards, 4u);
    // One of many is a word with an asterisk.
    std::string many = "*(^$\n";
    for (int i = 0; i < 20; ++i) many += "word" + std::to_string(i) + "\n";
    const auto plain = read_public_rules(write("plain.txt", many), "");
    EXPECT_THAT(plain.rules.front().components, ElementsAre("*(^$"));
    EXPECT_EQ(plain.with_wildcards, 0u);
}

TEST_F(TextFile, WhatIsNoRuleIsSkippedWithItsPlace) {
    const auto read = read_public_rules(write("rules.txt", "# found by others\nb + a + b\na + \n + b\nc unless\nc unless d\nunlessness\n"), "");
    ASSERT_EQ(read.rules.size(), 2u);
    EXPECT_EQ(read.rules[0].name, "rules.txt:2");
    EXPECT_THAT(read.rules[0].components, ElementsAre("a", "b"));
    EXPECT_THAT(read.rules[1].components, ElementsAre("unlessness"));
    EXPECT_EQ(read.tally.kept(), 2u);
    ASSERT_EQ(read.tally.skips().size(), 2u);
    const auto& empty = read.tally.skips().at("there is no word beside a plus");
    EXPECT_EQ(empty.count, 2u);
    EXPECT_THAT(empty.examples, ElementsAre(HasSubstr("rules.txt:3"), HasSubstr("rules.txt:4")));
    EXPECT_EQ(read.tally.skips().at("it has an exception; only 'a + b' can be tried").count, 2u);
    EXPECT_TRUE(read_public_rules(write("remarks.txt", "# none yet\n"), "").rules.empty());
    try {
        read_public_rules(write("none.txt", "a +\n"), "");
        FAIL() << "nothing of it is a rule";
    } catch (const Error& error) {
        EXPECT_THAT(error.where(), HasSubstr("none.txt:1"));
    }
}

}  // namespace
}  // namespace unveil
