// Goal: text for people keeps its shape for any width and any script. Method: small cases worked out by hand.
#include <gmock/gmock.h>

#include "cli/global.hpp"
#include "cli/progress_terminal.hpp"

namespace unveil::cli {
namespace {

TEST(Wrapped, BreaksAtBlanksAndKeepsParagraphs) {
    EXPECT_EQ(wrapped("one two three", 2, 9), "  one two\n  three\n");
    EXPECT_EQ(wrapped("one\n\ntwo", 0, 20), "one\n\ntwo\n");
    EXPECT_EQ(wrapped("averyveryverylongword b", 1, 8), " averyveryverylongword\n b\n");
}

TEST(DisplayColumns, CountsWideCharactersTwiceAndMarksNot) {
    EXPECT_EQ(display_columns("abc"), 3u);
    EXPECT_EQ(display_columns("\u4e2d\u6587"), 4u);
    EXPECT_EQ(display_columns("e\u0301"), 1u);
    EXPECT_EQ(display_columns("\xff"), 1u);
}

TEST(TextTable, AlignsColumnsOfAnyScript) {
    EXPECT_EQ(text_table({"name", "n"}, {{"\u4e2d\u6587", "1"}, {"a", "20"}}, {false, true}),
              "name   n\n\u4e2d\u6587   1\na     20\n");
}

TEST(TextTable, EscapesWhatWouldSteerTheTerminal) {
    EXPECT_EQ(text_table({}, {{"a\x1b[2J", "b\nc"}}, {}), "a\\x1b[2J  b\\x0ac\n");
}

TEST(HumanNumber, GroupsThousandsAndCutsReals) {
    EXPECT_EQ(human_number(0), "0");
    EXPECT_EQ(human_number(999), "999");
    EXPECT_EQ(human_number(1000), "1,000");
    EXPECT_EQ(human_number(-1234567), "-1,234,567");
    EXPECT_EQ(human_number(-123), "-123");
    EXPECT_EQ(human_number(0.123456), "0.1235");
    EXPECT_EQ(human_number(12345.6), "12,346");
}

TEST(ProgressLine, TellsShareRateAndTimeLeft) {
    EXPECT_EQ(progress_line("reading", 500'000, 2'000'000, 10, 80),
              "reading   25%  500 k of 2.0 M  50.0 k/s  30 s left");
    EXPECT_EQ(progress_line("reading", 5, 0, 0.1, 80), "reading  5");
}

TEST(ProgressLine, NeverExceedsTheTerminal) {
    for (std::size_t width = 1; width < 80; ++width)
        EXPECT_LE(progress_line("counting pairs", 123'456'789, 987'654'321, 33, width).size(), width);
}

}  // namespace
}  // namespace unveil::cli
