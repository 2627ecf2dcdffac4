// Goal: JSON posts, flat or nested, one a line or in one document, give the same posts as a table would, and
// broken lines cost only themselves. Method: small texts in memory, some handed out byte by byte.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/time.hpp"
#include "read_posts.hpp"

namespace unveil {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::read_bytes;

std::uint64_t skips(const SourceReport& report, const std::string& reason) {
    const auto found = report.tally.skips().find(reason);
    return found == report.tally.skips().end() ? 0 : found->second.count;
}

TEST(Json, FlatLines) {
    for (const std::size_t piece : {std::size_t{1}, SIZE_MAX}) {
        const auto result = read_bytes(
            "{\"object_id\":\"o\",\"account_id\":9007199254740993,\"content_id\":18446744073709551615,"
            "\"timestamp_share\":1600000000.5}\n"
            "\r\n"
            "{\"timestamp_share\":\"2020-09-13 "
            "12:26\",\"content_id\":\"c\\n\\u00e9\",\"account_id\":\"a\",\"object_id\":null}",
            {}, {}, piece);
        EXPECT_EQ(result.report.format, "coortweet");
        ASSERT_EQ(result.posts.size(), 2u);
        EXPECT_EQ(result.posts[0].account, "9007199254740993");
        EXPECT_EQ(result.posts[0].content, "18446744073709551615");
        EXPECT_EQ(result.posts[0].time_us, 1'600'000'000'500'000);
        EXPECT_EQ(result.posts[1].content, "c\n\xc3\xa9");
        EXPECT_EQ(result.posts[1].object, "");
        EXPECT_EQ(result.posts[1].row, 2u);
    }
}

TEST(Json, FlatListsAndColumns) {
    EvidenceOptions options;
    options.columns = parse_columns_option("account=who,time=when,hashtags=tags,urls=links");
    const auto result = read_bytes(
        "{\"who\":\"a\",\"when\":1600000000,\"tags\":[\"#x\",\"y\",null,3],\"links\":\"https://a.example/1,2 "
        "https://b.example\"}\n"
        "{\"who\":\"a\",\"when\":1600000001}\n",
        options);
    ASSERT_EQ(result.posts.size(), 2u);
    EXPECT_THAT(result.posts[0].hashtags, ElementsAre("x", "y", "3"));
    EXPECT_THAT(result.posts[0].urls, ElementsAre("https://a.example/1,2", "https://b.example"));
    EXPECT_EQ(result.posts[1].content, "row:2");
    EXPECT_TRUE(result.posts[1].hashtags.empty());
}

TEST(Json, BrokenLinesAreCountedWithTheirLine) {
    EvidenceLimits limits;
    limits.record_bytes_max = 300;
    limits.read_bytes = 64;
    const std::string good =
        "{\"object_id\":\"o\",\"account_id\":\"a\",\"content_id\":\"c\",\"timestamp_share\":1600000000}\n";
    const auto result = read_bytes(
        good + "{\"object_id\":\n" + "{\"x\":\"" + std::string(1000, 'x') + "\"}\n" + "17\n" +
            "{\"object_id\":\"o\",\"account_id\":\"\",\"content_id\":\"c\",\"timestamp_share\":1}\n" +
            "{\"a\":\"\xff\"}\n" + good,
        {}, limits);
    EXPECT_EQ(result.posts.size(), 2u);
    EXPECT_EQ(skips(result.report, "not valid JSON"), 2u);
    EXPECT_EQ(skips(result.report, "too long"), 1u);
    EXPECT_EQ(skips(result.report, "not an object"), 1u);
    EXPECT_EQ(skips(result.report, "empty account"), 1u);
    EXPECT_EQ(result.report.tally.skips().at("not valid JSON").examples.at(0),
              "posts.csv:2: {\"object_id\":");
    EXPECT_THAT(result.report.tally.skips().at("too long").examples.at(0), HasSubstr("posts.csv:3: "));
    EXPECT_EQ(result.posts[1].row, 7u);
}

TEST(Json, AFirstLineThatIsBrokenDoesNotHideTheRest) {
    const auto result = read_bytes(
        "{\"object_id\": "
        "oops}\n{\"object_id\":\"o\",\"account_id\":\"a\",\"content_id\":\"c\",\"timestamp_share\":"
        "1600000000}\n");
    EXPECT_EQ(result.posts.size(), 1u);
    EXPECT_EQ(skips(result.report, "not valid JSON"), 1u);
}

TEST(Json, OneDocument) {
    const std::string item =
        "{\"object_id\":\"o\",\n \"account_id\":\"a\",\"content_id\":\"c\",\"timestamp_share\":1600000000}";
    const auto result = read_bytes("[\n" + item + ",\n" + item + "\n, 5]");
    EXPECT_EQ(result.posts.size(), 2u);
    EXPECT_EQ(result.report.tally.skips().at("not an object").examples.at(0), "posts.csv: item 3: ");
    EvidenceLimits limits;
    limits.document_bytes_max = 50;
    EXPECT_THROW(read_bytes("[\n" + item + "]", {}, limits), Error);
    EXPECT_THROW(read_bytes("[\n" + item), Error);
}

const std::string tweet =
    "{\"id\":\"1268889914561278009\",\"author_id\":\"12\",\"created_at\":\"2020-06-05T12:58:25.000Z\","
    "\"text\":\"RT hi\",\"lang\":\"en\","
    "\"source\":\"Web\",\"referenced_tweets\":[{\"type\":\"retweeted\",\"id\":\"5\"},{\"type\":\"quoted\","
    "\"id\":\"6\"},"
    "{\"type\":\"replied_to\",\"id\":\"7\"}],\"entities\":{\"urls\":[{\"url\":\"https://t.co/"
    "1\",\"expanded_url\":"
    "\"https://a.example/1\"},{\"unwound_url\":\"https://b.example\",\"expanded_url\":\"https://"
    "s.example\"}],"
    "\"hashtags\":[{\"tag\":\"One\"}],\"mentions\":[{\"username\":\"u\",\"id\":\"77\"},{\"username\":\"v\"}]}"
    "}";

TEST(TwitterV2, ATweetALine) {
    const auto result = read_bytes(tweet + "\n" + tweet + "\n");
    EXPECT_EQ(result.report.format, "twitter-v2");
    ASSERT_EQ(result.posts.size(), 2u);
    const auto& post = result.posts[0];
    EXPECT_EQ(post.account, "12");
    EXPECT_EQ(post.content, "1268889914561278009");
    EXPECT_EQ(post.repost_of, "5");
    EXPECT_EQ(post.quote_of, "6");
    EXPECT_EQ(post.reply_to, "7");
    EXPECT_TRUE(post.is_repost);
    EXPECT_THAT(post.urls, ElementsAre("https://a.example/1", "https://b.example"));
    EXPECT_THAT(post.hashtags, ElementsAre("One"));
    EXPECT_THAT(post.mentions, ElementsAre("77", "v"));
    EXPECT_EQ(post.language, "en");
    EXPECT_EQ(post.client, "Web");
    EXPECT_EQ(post.text, "RT hi");
    EXPECT_EQ(format_time(post.time_us).substr(0, 20), "2020-06-05T12:58:25.");
    EXPECT_EQ(result.report.tally.notes().at("time recovered from the post id (milliseconds)"), 2u);
}

TEST(TwitterV2, AnswersWithUsers) {
    const std::string answer = "{\"data\":[" + tweet + "," + tweet +
                               "],\"includes\":{\"users\":[{\"id\":\"12\",\"username\":\"dozen\"}],"
                               "\"tweets\":[" +
                               tweet + "]},\"meta\":{\"result_count\":2}}";
    const std::string lookup = "{\"data\":" + tweet + "}";
    const std::string empty = "{\"meta\":{\"result_count\":0}}";
    const auto lines = read_bytes(answer + "\n" + empty + "\n" + lookup + "\n");
    ASSERT_EQ(lines.posts.size(), 3u);
    EXPECT_EQ(lines.posts[1].name, "dozen");
    EXPECT_EQ(lines.posts[2].name, "");
    EXPECT_EQ(lines.report.tally.notes().at("answers without posts"), 1u);
    EXPECT_EQ(lines.posts[2].row, 3u);
    const auto document = read_bytes("{\n\"data\":\n[" + tweet + "]}");
    EXPECT_EQ(document.posts.size(), 1u);
    const auto list = read_bytes("[" + tweet + ",\n" + tweet + "]");
    EXPECT_EQ(list.posts.size(), 2u);
}

TEST(TwitterV2, AccountsAndCountsBesideTheTweets) {
    const std::string post =
        "{\"id\":\"9\",\"author_id\":\"12\",\"created_at\":\"2009-06-05T12:58:25.000Z\",\"text\":\"RT\","
        "\"public_metrics\":{\"retweet_count\":41},\"referenced_tweets\":[{\"type\":\"retweeted\",\"id\":\"5\"}]}";
    const std::string included =
        "\"includes\":{\"users\":[{\"id\":\"12\",\"username\":\"dozen\",\"created_at\":\"2008-01-01T00:00:00.000Z\","
        "\"public_metrics\":{\"followers_count\":7}}],\"tweets\":[{\"id\":\"5\",\"author_id\":\"33\"}]}";
    const std::string flat =
        "{\"id\":\"9\",\"author_id\":\"12\",\"created_at\":\"2009-06-05T12:58:25.000Z\",\"text\":\"RT\","
        "\"author\":{\"id\":\"12\",\"username\":\"dozen\",\"created_at\":\"2008-01-01T00:00:00.000Z\","
        "\"public_metrics\":{\"followers_count\":7}},\"public_metrics\":{\"retweet_count\":41},"
        "\"referenced_tweets\":[{\"type\":\"retweeted\",\"id\":\"5\",\"author_id\":\"33\"}]}";
    const auto result = read_bytes("{\"data\":[" + post + "]," + included + "}\n" + flat + "\n{\"data\":" + post + "}\n");
    ASSERT_EQ(result.posts.size(), 3u);
    for (const std::size_t i : {0u, 1u}) {
        EXPECT_EQ(result.posts[i].repost_author, "33") << i;
        EXPECT_EQ(format_time(result.posts[i].account_created_us), "2008-01-01T00:00:00Z") << i;
        EXPECT_EQ(result.posts[i].reposts_received, 41u) << i;
        EXPECT_EQ(result.posts[i].followers, 7u) << i;
        EXPECT_EQ(result.posts[i].name, "dozen") << i;
    }
    // What stood beside another answer says nothing about this one.
    EXPECT_EQ(result.posts[2].repost_author, "");
    EXPECT_EQ(result.posts[2].account_created_us, PostBatch::time_unknown);
    EXPECT_EQ(result.posts[2].reposts_received, 41u);
    EXPECT_EQ(result.posts[2].followers, PostBatch::count_unknown);
}

TEST(Json, NumbersOfEveryKindAsCounts) {
    EvidenceOptions options;
    options.columns = parse_columns_option("account=a,time=t,followers=n,account_created=since");
    std::string lines;
    for (const auto* n : {"3", "3.0", "\"3\"", "-3", "1e30", "true", "null", "[3]", "{}"})
        lines += fmt::format("{{\"a\":\"x\",\"t\":1600000000,\"n\":{},\"since\":1500000000.5}}\n", n);
    const auto result = read_bytes(lines, options);
    ASSERT_EQ(result.posts.size(), 9u);
    for (std::size_t i = 0; i < 9; ++i) {
        EXPECT_EQ(result.posts[i].followers, i < 3 ? 3 : PostBatch::count_unknown) << i;
        EXPECT_EQ(result.posts[i].account_created_us, 1'500'000'000'500'000) << i;
    }
    EXPECT_EQ(result.report.tally.notes().at("followers not understood, taken as unknown (first in row 4)"), 3u);
}

TEST(TwitterV2, AnAnswerMayHoldMorePostsThanABatch) {
    std::string answer = "{\"data\":[";
    for (int i = 0; i < 5000; ++i)
        answer += fmt::format(
            "{}{{\"id\":\"{}\",\"text\":\"t\",\"author_id\":\"{}\",\"created_at\":\"2020-06-05T12:58:25."
            "000Z\"}}",
            i > 0 ? "," : "", i + 1, i);
    const auto result = read_bytes(answer + "]}\n");
    ASSERT_EQ(result.posts.size(), 5000u);
    EXPECT_EQ(result.posts[4999].content, "5000");
    EXPECT_EQ(result.posts[4999].row, 5000u);
}

TEST(TwitterV2, ColumnsAreRefused) {
    EvidenceOptions options;
    options.columns = {{"account", "author_id"}};
    EXPECT_THROW(read_bytes(tweet, options), Error);
    options.columns = {{"account", "author_id"}, {"time", "created_at"}};
    options.format = "table";
    EXPECT_EQ(read_bytes(tweet + "\n", options).posts.size(), 1u);
}

}  // namespace
}  // namespace unveil
