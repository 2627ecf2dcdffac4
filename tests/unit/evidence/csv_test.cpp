// Goal: CSV is read as RFC 4180 says, and every way in which a row can be broken costs that row, says where
// it was, and nothing else. Method: small tables in memory, some of them handed out in tiny pieces; limits
// are made small where a large file would be needed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/digest.hpp"
#include "core/error.hpp"
#include "read_posts.hpp"

namespace unveil {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::read_bytes;

const std::string header = "object_id,account_id,content_id,timestamp_share\n";

EvidenceLimits small_limits(std::size_t record_bytes_max = 200) {
    EvidenceLimits limits;
    limits.record_bytes_max = record_bytes_max;
    limits.read_bytes = 64;
    return limits;
}

std::string message_of(const std::function<void()>& work) {
    try {
        work();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::input);
        EXPECT_FALSE(error.hint().empty());
        return error.what();
    }
    return "no error";
}

std::uint64_t skips(const SourceReport& report, const std::string& reason) {
    const auto found = report.tally.skips().find(reason);
    return found == report.tally.skips().end() ? 0 : found->second.count;
}

std::string first_example(const SourceReport& report, const std::string& reason) {
    const auto found = report.tally.skips().find(reason);
    return found == report.tally.skips().end() ? "" : found->second.examples.at(0);
}

TEST(Csv, PlainRows) {
    const std::string bytes = header + "o1,a1,c1,1600000000\no2,a2,c2,1600000001\n";
    const auto result = read_bytes(bytes);
    ASSERT_EQ(result.posts.size(), 2u);
    EXPECT_EQ(result.posts[0].object, "o1");
    EXPECT_EQ(result.posts[1].account, "a2");
    EXPECT_EQ(result.posts[1].content, "c2");
    EXPECT_EQ(result.posts[1].time_us, 1'600'000'001'000'000);
    EXPECT_EQ(result.posts[1].row, 2u);
    EXPECT_EQ(result.report.format, "coortweet");
    EXPECT_EQ(result.report.sha256, sha256_hex(bytes));
    EXPECT_EQ(result.report.bytes, bytes.size());
}

TEST(Csv, ByteOrderMarkCrLfAndNoFinalNewline) {
    const auto result = read_bytes(
        "\xEF\xBB\xBFobject_id,account_id,content_id,timestamp_share\r\no1,a1,c1,1600000000\r\no2,a2,c2,"
        "1600000001");
    ASSERT_EQ(result.posts.size(), 2u);
    EXPECT_EQ(result.posts[0].time_us, 1'600'000'000'000'000);
    EXPECT_EQ(result.posts[1].time_us, 1'600'000'001'000'000);
    EXPECT_EQ(result.report.tally.skipped(), 0u);
}

TEST(Csv, QuotedCellsWithEverythingInside) {
    const auto result = read_bytes(header +
                                   "\"o,1\",\"a\"\"1\"\"\",\"c\n1\",1600000000\r\n\"\",\"a+/"
                                   "=\",\"\"\"\",\"1600000001\"\n=1+1,@a,-c,1600000002\n");
    ASSERT_EQ(result.posts.size(), 3u);
    EXPECT_EQ(result.posts[0].object, "o,1");
    EXPECT_EQ(result.posts[0].account, "a\"1\"");
    EXPECT_EQ(result.posts[0].content, "c\n1");
    EXPECT_EQ(result.posts[1].object, "");
    EXPECT_EQ(result.posts[1].account, "a+/=");
    EXPECT_EQ(result.posts[1].content, "\"");
    EXPECT_EQ(result.posts[2].object, "=1+1");
}

TEST(Csv, QuoteInsideAnUnquotedCellIsText) {
    const auto result = read_bytes(header + "o\"1\",a,c,1600000000\n");
    ASSERT_EQ(result.posts.size(), 1u);
    EXPECT_EQ(result.posts[0].object, "o\"1\"");
}

TEST(Csv, SemicolonTabAndOldMacLineEnds) {
    for (const std::string delimiter : {";", "\t"}) {
        const auto result = read_bytes("object_id" + delimiter + "account_id" + delimiter + "content_id" +
                                       delimiter + "timestamp_share\no,1" + delimiter + "a" + delimiter +
                                       "c" + delimiter + "1600000000\n");
        ASSERT_EQ(result.posts.size(), 1u);
        EXPECT_EQ(result.posts[0].object, "o,1");
    }
    const auto mac = read_bytes(
        "object_id,account_id,content_id,timestamp_share\ro1,a1,c1,1600000000\ro2,a2,c2,1600000001\r");
    EXPECT_EQ(mac.posts.size(), 2u);
}

TEST(Csv, BrokenRowsAreCountedWithTheirLine) {
    const auto result = read_bytes(header +
                                   "o,a,c,1600000000\n"                       // 2
                                   "o,a,c\n"                                  // 3
                                   "o,a,c,1600000000,x\n"                     // 4
                                   "\"multi\nline\",a,c,1600000000\n"         // 5, 6
                                   "o,,c,1600000000\n"                        // 7
                                   "o,a,,1600000000\n"                        // 8
                                   "o,a,c,yesterday\n"                        // 9
                                   "\n"                                       // 10: no record
                                   "\"o\"x,a,c,1600000000\n" +                // 11
                                   std::string("o,a\0,c,1600000000\n", 18) +  // 12
                                   "o,a,c,1600000001\n");                     // 13
    EXPECT_EQ(result.posts.size(), 3u);
    EXPECT_EQ(result.report.tally.kept(), 3u);
    EXPECT_EQ(result.report.tally.skipped(), 7u);
    EXPECT_EQ(skips(result.report, "wrong number of cells"), 2u);
    EXPECT_EQ(first_example(result.report, "wrong number of cells"), "posts.csv:3: o,a,c");
    EXPECT_EQ(first_example(result.report, "empty account"), "posts.csv:7: o,,c,1600000000");
    EXPECT_EQ(first_example(result.report, "empty content id"), "posts.csv:8: o,a,,1600000000");
    EXPECT_EQ(first_example(result.report, "time not understood"), "posts.csv:9: o,a,c,yesterday");
    EXPECT_THAT(first_example(result.report, "stray quote"), HasSubstr("posts.csv:11: "));
    EXPECT_EQ(first_example(result.report, "NUL byte"), "posts.csv:12: o,a\\x00,c,1600000000");
    EXPECT_EQ(result.posts.back().row, 10u);
}

TEST(Csv, AnUnclosedQuoteCostsOnlyItsLine) {
    const auto result = read_bytes(
        header + "o1,a1,c1,1600000000\n\"o2,a2,c2,1600000001\no3,a3,c3,1600000002\no4,a4,c4,1600000003");
    ASSERT_EQ(result.posts.size(), 3u);
    EXPECT_EQ(result.posts[1].object, "o3");
    EXPECT_THAT(first_example(result.report, "quote not closed"), HasSubstr("posts.csv:3: "));
    EXPECT_EQ(result.posts[2].row, 4u);
}

TEST(Csv, AnUnclosedQuoteIsNoticedAtTheNextQuote) {
    const auto result =
        read_bytes(header + "\"o1,a1,c1,1600000000\n\"o2\",a2,c2,1600000001\no3,a3,c3,1600000002\n");
    ASSERT_EQ(result.posts.size(), 2u);
    EXPECT_EQ(result.posts[0].object, "o2");
    EXPECT_EQ(skips(result.report, "stray quote"), 1u);
}

TEST(Csv, RecordsAboveTheLimitAreSkippedAndReadingGoesOn) {
    const std::string long_line(5'000, 'x');
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{64}, SIZE_MAX}) {
        const auto result = read_bytes(
            header + "o1,a1,c1,1600000000\n" + long_line + "\no2,a2,c2,1600000001\n\"" + long_line +
                "\",a,c,1\n" + "\"o3,a3,c3,1600000002\n" +
                [&] {
                    std::string rows;
                    for (int i = 0; i < 50; ++i) rows += "p,b,d,1600000009\n";
                    return rows;
                }(),
            {}, small_limits(), piece);
        EXPECT_EQ(result.posts.size(), 52u) << piece;
        EXPECT_EQ(skips(result.report, "too long"), 3u) << piece;
        EXPECT_EQ(result.report.tally.skipped(), 3u) << piece;
        EXPECT_THAT(first_example(result.report, "too long"), HasSubstr("posts.csv:3: xxxx"));
    }
}

TEST(Csv, TimesOfManySpellings) {
    const auto result = read_bytes(header +
                                   "o,a,c,-1.5\n"
                                   "o,a,c,1600000000.25\n"
                                   "o,a,c,1600000000123\n"
                                   "o,a,c,2020-06-11T12:00:00+02:00\n"
                                   "o,a,c,2020-06-11 12:00\n"
                                   "o,a,c,Wed Oct 10 20:19:24 +0000 2018\n"
                                   "o,a,c, 1600000000 \n"
                                   "o,a,c,9/1/2016 0:05\n"
                                   "o,a,c,160000000x\n"
                                   "o,a,c,16000/0000\n"
                                   "o,a,c,:600000000\n");
    ASSERT_EQ(result.posts.size(), 8u);
    EXPECT_EQ(result.posts[0].time_us, -1'500'000);
    EXPECT_EQ(result.posts[1].time_us, 1'600'000'000'250'000);
    EXPECT_EQ(result.posts[2].time_us, 1'600'000'000'123'000);
    EXPECT_EQ(result.posts[3].time_us, 1'591'869'600'000'000);
    EXPECT_EQ(result.posts[4].time_us, 1'591'876'800'000'000);
    EXPECT_EQ(result.posts[5].time_us, 1'539'202'764'000'000);
    EXPECT_EQ(result.posts[6].time_us, 1'600'000'000'000'000);
    EXPECT_EQ(result.posts[7].time_us, 1'472'688'300'000'000);
    EXPECT_EQ(skips(result.report, "time not understood"), 3u);
}

TEST(Csv, TenDigitTimesAreReadDigitByDigit) {
    for (const std::int64_t seconds :
         {1'000'000'000LL, 1'234'567'890LL, 9'876'543'210LL, 9'999'999'999LL, 1'029'384'756LL}) {
        const auto result = read_bytes(header + "o,a,c," + std::to_string(seconds) + "\n");
        ASSERT_EQ(result.posts.size(), 1u);
        EXPECT_EQ(result.posts[0].time_us, seconds * 1'000'000);
    }
}

TEST(Csv, MissingColumnsAreNamedWithTheRemedy) {
    EXPECT_THAT(message_of([] { read_bytes("who,what,when\na,b,1600000000\n"); }),
                ::testing::AllOf(HasSubstr("posts.csv: "), HasSubstr("who, what, when"),
                                 HasSubstr("--columns account=COLUMN")));
    EvidenceOptions options;
    options.columns = {{"account", "who"}};
    EXPECT_THAT(message_of([&] { read_bytes("who,what,when\na,b,1600000000\n", options); }),
                ::testing::AllOf(HasSubstr("lacks a column for time"), HasSubstr("--columns time=COLUMN")));
    options.columns["time"] = "then";
    EXPECT_THAT(message_of([&] { read_bytes("who,what,when\na,b,1600000000\n", options); }),
                ::testing::AllOf(HasSubstr("no column 'then'"), HasSubstr("who, what, when")));
    options.columns["time"] = "when";
    EXPECT_EQ(read_bytes("who,what,when\na,b,1600000000\n", options).posts.at(0).content, "row:1");
}

TEST(Csv, WhatIsNoTableOfTextIsRefused) {
    EXPECT_THAT(message_of([] { read_bytes(""); }), HasSubstr("nothing in it"));
    EXPECT_THAT(message_of([] { read_bytes("\n\n"); }), HasSubstr("nothing in it"));
    EXPECT_THAT(message_of([] {
                    read_bytes(
                        std::string("\x7f"
                                    "ELF\x02\x01\x00",
                                    7));
                }),
                HasSubstr("begins with"));
    EXPECT_THAT(message_of([] { read_bytes(std::string("\xff\xfeo\0b\0", 6)); }),
                HasSubstr("iconv -f UTF-16LE"));
    EXPECT_THAT(message_of([] { read_bytes(std::string("\0o\0b", 4)); }), HasSubstr("iconv -f UTF-16BE"));
    EXPECT_THAT(message_of([] { read_bytes("account_id,account_id,x\n"); }),
                HasSubstr("'account_id' is there twice"));
    EXPECT_THAT(message_of([] { read_bytes(std::string(500, 'x'), {}, small_limits(100)); }),
                HasSubstr("first line"));
    EXPECT_THAT(message_of([] { read_bytes(std::string(10'000, ',') + "\n"); }), HasSubstr("columns"));
}

TEST(Csv, HeaderAlone) {
    const auto result = read_bytes(header);
    EXPECT_TRUE(result.posts.empty());
    EXPECT_EQ(result.report.tally.skipped(), 0u);
    EXPECT_EQ(result.report.sha256, sha256_hex(header));
}

TEST(Csv, OnlyWantedColumnsAreFilled) {
    const auto source = open_posts_from(memory_input(header + "o,a,c,1600000000\n"), "posts.csv", {}, 7, {});
    source->want(static_cast<PostFields>(PostField::account));
    PostBatch batch;
    ASSERT_TRUE(source->next(batch));
    EXPECT_TRUE(batch.object.empty());
    EXPECT_EQ(batch.account.at(0), "a");
    EXPECT_EQ(batch.evidence, 7u);
    EXPECT_FALSE(source->next(batch));
    EXPECT_FALSE(source->next(batch));

    const auto counted = open_posts_from(
        memory_input("tweetid,userid,tweet_time,retweet_count,follower_count,account_creation_date\n"
                     "5,u,2009-06-05,x,8,x\n"),
        "posts.csv", {}, 0, {});
    counted->want(static_cast<PostFields>(PostField::followers));
    ASSERT_TRUE(counted->next(batch));
    EXPECT_EQ(batch.followers.at(0), 8u);
    EXPECT_TRUE(batch.reposts_received.empty() && batch.account_created_us.empty());
    EXPECT_FALSE(counted->next(batch));
    // Nor is anything said about cells that nobody asked for.
    for (const auto& [what, count] : counted->report().tally.notes()) EXPECT_EQ(what.find("not understood"), what.npos);
}

TEST(Csv, InvalidUtf8IsKeptAndNoted) {
    EvidenceOptions options;
    options.columns = parse_columns_option("account=a,time=t,text=x");
    const auto result = read_bytes("a,t,x\nu,1600000000,caf\xe9\nv,1600000000,caf\xc3\xa9\n", options);
    ASSERT_EQ(result.posts.size(), 2u);
    EXPECT_EQ(result.posts[0].text, "caf\xe9");
    EXPECT_EQ(result.report.tally.notes().at("text is not valid UTF-8 (kept as it is)"), 1u);
}

}  // namespace
}  // namespace unveil
