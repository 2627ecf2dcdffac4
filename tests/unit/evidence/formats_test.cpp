// Goal: each layout of tables is recognised by its columns, and its cells mean what that layout says: lists
// in three spellings, absent ids, flags, times finer in the id than in the column. Method: small tables in
// memory.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/time.hpp"
#include "evidence/cell.hpp"
#include "evidence/time_tracker.hpp"
#include "read_posts.hpp"

namespace unveil {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::PostRow;
using testing::read_bytes;

const std::string twitter_header =
    "tweetid,userid,user_display_name,user_screen_name,user_reported_location,user_profile_description,user_"
    "profile_url,"
    "follower_count,following_count,account_creation_date,account_language,tweet_language,tweet_text,tweet_"
    "time,"
    "tweet_client_name,in_reply_to_userid,in_reply_to_tweetid,quoted_tweet_tweetid,is_retweet,retweet_userid,"
    "retweet_tweetid,latitude,longitude,quote_count,reply_count,like_count,retweet_count,hashtags,urls,user_"
    "mentions,"
    "poll_choices\n";

std::vector<std::string> split(std::string_view cell, ListStyle style = ListStyle::words) {
    TextArena arena;
    std::vector<std::string_view> items;
    EXPECT_TRUE(split_list(cell, style, arena, 1000, items));
    return {items.begin(), items.end()};
}

TEST(ListCell, ThreeSpellings) {
    EXPECT_THAT(split("[a, b]"), ElementsAre("a", "b"));
    EXPECT_THAT(split("['a', 'b']"), ElementsAre("a", "b"));
    EXPECT_THAT(split("[\"a\",\"b\"]"), ElementsAre("a", "b"));
    EXPECT_THAT(split("a, b"), ElementsAre("a", "b"));
    EXPECT_THAT(split("a"), ElementsAre("a"));
    for (const auto* nothing : {"", "[]", "[ ]", "absent", "nan", "null", "None", " ", ","})
        EXPECT_THAT(split(nothing), IsEmpty());
}

TEST(ListCell, QuotesAndEscapes) {
    EXPECT_THAT(split("['a, b', \"it's\", 'it\\'s']"), ElementsAre("a, b", "it's", "it's"));
    EXPECT_THAT(split("[\"caf\\u00e9 \\ud83d\\ude00\", \"a\\/b\", \"\\\\\"]"),
                ElementsAre("caf\xc3\xa9 \xf0\x9f\x98\x80", "a/b", "\\"));
    EXPECT_THAT(split("['tis, b]"), ElementsAre("'tis", "b"));
    EXPECT_THAT(split("[\"\\ud83d\"]"), ElementsAre("\xef\xbf\xbd"));
}

TEST(ListCell, CommasInUrls) {
    EXPECT_THAT(split("[https://a.example/1,2, https://b.example]", ListStyle::urls),
                ElementsAre("https://a.example/1,2", "https://b.example"));
    EXPECT_THAT(split("https://a.example/1,2 https://b.example", ListStyle::urls),
                ElementsAre("https://a.example/1,2", "https://b.example"));
    EXPECT_THAT(split("['https://a.example/x, y', 'https://b.example']", ListStyle::urls),
                ElementsAre("https://a.example/x, y", "https://b.example"));
    EXPECT_THAT(split("https://a.example,https://b.example", ListStyle::urls),
                ElementsAre("https://a.example", "https://b.example"));
}

TEST(ListCell, LongListsAreCut) {
    std::string cell;
    for (int i = 0; i < 20; ++i) cell += "x,";
    TextArena arena;
    std::vector<std::string_view> items;
    EXPECT_FALSE(split_list(cell, ListStyle::words, arena, 10, items));
    EXPECT_EQ(items.size(), 10u);
}

TEST(CountCell, DigitsAndFloatsOfThem) {
    const auto count = [](std::string_view cell) { return parse_count(cell, 1000); };
    EXPECT_EQ(count("0"), 0u);
    EXPECT_EQ(count("12.0"), 12u);
    EXPECT_EQ(count("0012.000"), 12u);
    EXPECT_EQ(count("1000"), 1000u);
    for (const auto* none : {"", "1001", "99999999999999999999999", "-1", "+1", "1.5", ".0", "1.", "1e2", "0x1", "1,0",
                             "1 0", "nan", "inf", "1.0.0", "\xd9\xa1"})
        EXPECT_EQ(count(none), std::nullopt) << none;
    EXPECT_EQ(parse_count("18446744073709551615", UINT64_MAX), UINT64_MAX);
    EXPECT_EQ(parse_count("18446744073709551616", UINT64_MAX), std::nullopt);
}

TEST(CountCell, EveryNumberOfAFewDigits) {
    constexpr std::uint64_t count_max = 737;
    for (std::uint64_t i = 0; i < 2000; ++i) {
        const auto expected = i <= count_max ? std::optional(i) : std::nullopt;
        ASSERT_EQ(parse_count(std::to_string(i), count_max), expected);
        ASSERT_EQ(parse_count(fmt::format("{}.0", i), count_max), expected);
        ASSERT_EQ(parse_count(fmt::format("{}.1", i), count_max), std::nullopt);
    }
}

TEST(TwitterIo, AllColumnsAndTheirSpellings) {
    const auto result = read_bytes(twitter_header +
                                   "1268889914561278009,aB+/=,n,shown,,,,1,2,2019-01-01,zh-cn,zh,\"line "
                                   "one\nline \"\"two\"\"\",2020-06-05 12:58,Twitter Web App,,"
                                   "1268889700412990000,,False,,,absent,absent,0.0,0.0,1,0,\"[a, "
                                   "b]\",\"['https://a.example/1,2', 'https://b.example']\",\"[12, 13]\",\n"
                                   "2,u2,n,shown,,,,1,2,2019-01-01,zh-cn,zh,RT,2009-06-05 12:58,Twitter Web "
                                   "App,,0.0,absent,true,x,99.0,,,0.0,0.0,1,0,[],,\"[]\",\n");
    EXPECT_EQ(result.report.format, "twitter-io");
    ASSERT_EQ(result.posts.size(), 2u);
    const auto& post = result.posts[0];
    EXPECT_EQ(post.account, "aB+/=");
    EXPECT_EQ(post.text, "line one\nline \"two\"");
    EXPECT_EQ(post.reply_to, "1268889700412990000");
    EXPECT_EQ(post.quote_of, "");
    EXPECT_EQ(post.repost_of, "");
    EXPECT_FALSE(post.is_repost);
    EXPECT_THAT(post.hashtags, ElementsAre("a", "b"));
    EXPECT_THAT(post.urls, ElementsAre("https://a.example/1,2", "https://b.example"));
    EXPECT_THAT(post.mentions, ElementsAre("12", "13"));
    EXPECT_EQ(post.name, "shown");
    EXPECT_EQ(post.language, "zh");
    EXPECT_EQ(post.client, "Twitter Web App");
    EXPECT_EQ(post.repost_author, "");
    EXPECT_EQ(format_time(post.account_created_us), "2019-01-01T00:00:00Z");
    EXPECT_EQ(post.reposts_received, 0u);
    EXPECT_EQ(post.followers, 1u);
    EXPECT_EQ(result.posts[1].repost_author, "x");
    EXPECT_TRUE(result.posts[1].is_repost);
    EXPECT_EQ(result.posts[1].repost_of, "99");
    EXPECT_EQ(result.posts[1].reply_to, "");
    EXPECT_EQ(result.posts[1].quote_of, "");
}

TEST(TwitterIo, CellsThatAreNotUnderstoodCostOnlyThemselves) {
    std::string table = "tweetid,userid,tweet_time,retweet_userid,account_creation_date,retweet_count,follower_count\n";
    for (const auto* cells : {"absent,2019-01-01,0.0,7", "0.0,,,", "99.0,nan,nan,NaN", "x,soon,-3,1e400",
                              "x,-inf,99999999999999999999,12 000", "x, 2019-01-01 , 5 ,1000000000000",
                              "x,1546300800,many,1000000000001"})
        table += fmt::format("5,u,2009-06-05 12:58,{}\n", cells);
    const auto result = read_bytes(table);
    ASSERT_EQ(result.posts.size(), 7u);
    EXPECT_EQ(result.report.tally.skipped(), 0u);
    constexpr auto no_count = PostBatch::count_unknown;
    constexpr auto no_time = PostBatch::time_unknown;
    constexpr std::int64_t new_year = 1'546'300'800'000'000;
    const auto column = [&](auto PostRow::*member) {
        std::vector<std::decay_t<decltype(result.posts[0].*member)>> out;
        for (const auto& post : result.posts) out.push_back(post.*member);
        return out;
    };
    EXPECT_THAT(column(&PostRow::repost_author), ElementsAre("", "", "99", "x", "x", "x", "x"));
    EXPECT_THAT(column(&PostRow::account_created_us),
                ElementsAre(new_year, no_time, no_time, no_time, no_time, new_year, new_year));
    EXPECT_THAT(column(&PostRow::reposts_received), ElementsAre(0, no_count, no_count, no_count, no_count, 5, no_count));
    EXPECT_THAT(column(&PostRow::followers),
                ElementsAre(7, no_count, no_count, no_count, no_count, PostBatch::count_max, no_count));
    const auto& notes = result.report.tally.notes();
    EXPECT_EQ(notes.at("account_created not understood, taken as unknown (first in row 4)"), 2u);
    EXPECT_EQ(notes.at("reposts_received not understood, taken as unknown (first in row 4)"), 3u);
    EXPECT_EQ(notes.at("followers not understood, taken as unknown (first in row 4)"), 3u);
}

TEST(TwitterIo, OtherOrderAndFewerColumns) {
    const auto result = read_bytes(
        "tweet_time,userid,tweetid,in_reply_to_tweetid\n2020-06-05 12:58,u,1268889914561278009,5\n");
    EXPECT_EQ(result.report.format, "twitter-io");
    EXPECT_EQ(result.posts.at(0).reply_to, "5");
    EXPECT_FALSE(contains(result.report.fields, PostField::text));
    EXPECT_TRUE(contains(result.report.fields, PostField::reply_to));
}

TEST(Snowflake, RecoveredOnlyWhereItAgrees) {
    const auto result = read_bytes(
        "tweetid,userid,tweet_time\n"
        "1268889914561278009,u,2020-06-05 12:58\n"     // agrees
        "1268889914561278009,u,2020-06-05 12:58:25\n"  // agrees to the second
        "1268889914561278009,u,2020-06-05 12:58:26\n"  // disagrees
        "1268889914561278009,u,2020-06-05 12:59\n"     // disagrees
        "5418912,u,2009-05-05 12:59\n"                 // too old
        "abcdef==,u,2020-06-05 12:58\n");              // no number
    ASSERT_EQ(result.posts.size(), 6u);
    EXPECT_EQ(result.posts[0].time_us, snowflake_time_us(1268889914561278009));
    EXPECT_EQ(format_time(result.posts[0].time_us).substr(0, 19), "2020-06-05T12:58:25");
    EXPECT_NE(result.posts[0].time_us % 1'000'000, 0);
    EXPECT_EQ(result.posts[1].time_us, result.posts[0].time_us);
    EXPECT_EQ(format_time(result.posts[2].time_us), "2020-06-05T12:58:26Z");
    EXPECT_EQ(format_time(result.posts[3].time_us), "2020-06-05T12:59:00Z");
    EXPECT_EQ(format_time(result.posts[4].time_us), "2009-05-05T12:59:00Z");
    const auto& notes = result.report.tally.notes();
    EXPECT_EQ(notes.at("time recovered from the post id (milliseconds)"), 2u);
    EXPECT_EQ(notes.at("post id disagrees with the time column (time of the column kept)"), 2u);
    EXPECT_EQ(notes.at("post id too old to carry a time (time of the column kept)"), 1u);
}

TEST(Snowflake, NeverInOtherTables) {
    const auto result = read_bytes(
        "object_id,account_id,content_id,timestamp_share\no,a,1268889914561278009,2020-06-05 12:58:25\n");
    EXPECT_EQ(format_time(result.posts.at(0).time_us), "2020-06-05T12:58:25Z");
    EXPECT_TRUE(result.report.tally.notes().empty());
}

TEST(Qut, EightColumns) {
    const auto result = read_bytes(
        "message_id,user_id,username,repost_id,reply_id,message,timestamp,urls\n"
        "m1,u1,n,,r9,hello,1600000000,\"https://a.example https://b.example/1,2\"\n"
        "m2,u2,n,m1,,,1600000001,\n");
    EXPECT_EQ(result.report.format, "qut");
    ASSERT_EQ(result.posts.size(), 2u);
    EXPECT_THAT(result.posts[0].urls, ElementsAre("https://a.example", "https://b.example/1,2"));
    EXPECT_EQ(result.posts[0].reply_to, "r9");
    EXPECT_EQ(result.posts[1].repost_of, "m1");
    EXPECT_EQ(result.posts[1].name, "n");
}

TEST(Clemson, ContentIsTheText) {
    const auto result = read_bytes(
        "author_id,content,language,publish_date,post_type,retweet\nA,hello,English,2016-09-01 "
        "00:02:00,R,1\n");
    EXPECT_EQ(result.report.format, "ira-clemson");
    EXPECT_EQ(result.posts.at(0).text, "hello");
    EXPECT_EQ(result.posts.at(0).content, "row:1");
    EXPECT_TRUE(result.posts.at(0).is_repost);
}

TEST(Clemson, FollowersAndCategory) {
    const auto result = read_bytes(
        "external_author_id,author,content,region,language,publish_date,harvested_date,following,followers,updates,"
        "post_type,account_type,retweet,account_category,new_june_2018,tweet_id\n"
        "9.06E+17,10_GOP,hello,Unknown,English,10/1/2017 19:58,10/1/2017 19:59,1052,9636,253,,Right,0,RightTroll,0,"
        "914580356430536707\n"
        "9.06E+17,10_GOP,hello,Unknown,English,10/1/2017 22:43,10/1/2017 22:43,1054,,254,,Right,0,NA,0,"
        "914621840496189440\n");
    EXPECT_EQ(result.report.format, "ira-clemson");
    ASSERT_EQ(result.posts.size(), 2u);
    EXPECT_EQ(result.posts[0].content, "914580356430536707");
    EXPECT_EQ(result.posts[0].followers, 9636u);
    EXPECT_EQ(result.posts[0].label, "RightTroll");
    EXPECT_EQ(result.posts[1].followers, PostBatch::count_unknown);
    EXPECT_EQ(result.posts[1].label, "");
    EXPECT_EQ(result.posts[0].account_created_us, PostBatch::time_unknown);
    EXPECT_EQ(result.posts[0].reposts_received, PostBatch::count_unknown);
}

TEST(Table, EveryFieldCanBeNamed) {
    EvidenceOptions options;
    options.columns = parse_columns_option(
        "account=who,time=at,repost_author=of,account_created=since,reposts_received=rt,followers=fans,label=side");
    const auto result =
        read_bytes("who,at,of,since,rt,fans,side\na,1600000000,b,2019-01-01T00:00:00.5Z,3,4,0\n", options);
    const auto& post = result.posts.at(0);
    EXPECT_EQ(post.repost_author, "b");
    EXPECT_EQ(format_time(post.account_created_us), "2019-01-01T00:00:00.5Z");
    EXPECT_EQ(post.reposts_received, 3u);
    EXPECT_EQ(post.followers, 4u);
    EXPECT_EQ(post.label, "0");
}

TEST(Table, SingleColumnsOfAKnownFormatCanBeChanged) {
    EvidenceOptions options;
    options.columns = parse_columns_option(" text = content_id ");
    const auto result =
        read_bytes("object_id,account_id,content_id,timestamp_share\no,a,c,1600000000\n", options);
    EXPECT_EQ(result.report.format, "coortweet");
    EXPECT_EQ(result.posts.at(0).text, "c");
    EXPECT_EQ(result.posts.at(0).object, "o");
}

TEST(Options, MistakesAreNamed) {
    const auto kind_of = [](const std::function<void()>& work) {
        try {
            work();
        } catch (const Error& error) {
            return error.kind();
        }
        return ErrorKind::internal;
    };
    EXPECT_EQ(kind_of([] { parse_columns_option("account"); }), ErrorKind::usage);
    EXPECT_EQ(kind_of([] { parse_columns_option("acount=x"); }), ErrorKind::usage);
    EXPECT_EQ(kind_of([] { parse_columns_option("account=x,account=y"); }), ErrorKind::usage);
    EXPECT_EQ(kind_of([] { parse_columns_option("account="); }), ErrorKind::usage);
    EvidenceOptions options;
    options.format = "twiter-io";
    EXPECT_EQ(kind_of([&] { read_bytes("a,b\n", options); }), ErrorKind::usage);
    options.format = "twitter-io";
    EXPECT_EQ(kind_of([&] { read_bytes("a,b\n", options); }), ErrorKind::input);
}

TEST(Resolution, CoarsestStepThatDividesAllTimes) {
    const auto resolution = [](std::int64_t step_us, int count) {
        TimeTracker tracker;
        for (int i = 0; i < count; ++i) {
            tracker.add((i - 3) * step_us);
            tracker.add_spelling(TimeSpelling::second);
        }
        return tracker.resolution().resolution_us;
    };
    for (const std::int64_t step_us :
         std::vector<std::int64_t>{86400000000, 3600000000, 60000000, 1000000, 1000, 1})
        EXPECT_EQ(resolution(step_us, 20), step_us);
    EXPECT_EQ(resolution(60'000'000, 9), 1);
    EXPECT_EQ(resolution(0, 20), 1);  // one time only says nothing
    EXPECT_EQ(resolution(7'000'000, 20), 1'000'000);
}

TEST(Resolution, SpellingCountsWhenTimesAreFew) {
    const std::string header = "object_id,account_id,content_id,timestamp_share\n";
    const auto minutes = read_bytes(header + "o,a,c,2020-06-05 12:58\no,a,c,2020-06-05T13:00Z\n");
    EXPECT_EQ(minutes.report.time_resolution.resolution_us, 60'000'000);
    EXPECT_EQ(minutes.report.time_resolution.reason, "every one of 2 times is written as a minute");
    EXPECT_EQ(read_bytes(header + "o,a,c,2020-06-05\n").report.time_resolution.resolution_us, 86'400'000'000);
    EXPECT_EQ(read_bytes(header + "o,a,c,2020-06-05 12:58\no,a,c,2020-06-05 12:58:01\n")
                  .report.time_resolution.resolution_us,
              1);
    EXPECT_EQ(read_bytes("tweetid,userid,tweet_time\n1268889914561278009,u,2020-06-05 12:58\n")
                  .report.time_resolution.resolution_us,
              1);
}

}  // namespace
}  // namespace unveil
