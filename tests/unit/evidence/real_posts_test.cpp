// Goal: the readers agree with what is known of three public data sets. Method: read each once, compare
// counts of rows, accounts and times with the figures their publishers give. The files are no part of the
// project; absent, the tests skip.
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "core/digest.hpp"
#include "core/time.hpp"
#include "read_posts.hpp"

namespace unveil {
namespace {

using testing::read_file;

std::string shared_posts(const std::string& name) {
    return std::string(UNVEIL_SHARED_DIR) + "/data/posts/" + name;
}

#define SKIP_WITHOUT(path) \
    if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not here"

std::size_t account_count(const testing::ReadResult& result) {
    std::set<std::string_view> accounts;
    for (const auto& post : result.posts) accounts.insert(post.account);
    return accounts.size();
}

TEST(RealPosts, RussianRetweetsOfCooRTweet) {
    const auto path = shared_posts("russian_coord_tweets.csv.gz");
    SKIP_WITHOUT(path);
    const auto result = read_file(path);
    EXPECT_EQ(result.report.format, "coortweet");
    EXPECT_EQ(result.report.compression, "gzip");
    EXPECT_EQ(result.posts.size(), 35'125u);
    EXPECT_EQ(result.report.tally.kept(), 35'125u);
    EXPECT_EQ(result.report.tally.skipped(), 0u);
    EXPECT_EQ(result.report.sha256, sha256_hex_of_file(path));
    EXPECT_EQ(result.report.time_resolution.resolution_us, 1'000'000);
}

TEST(RealPosts, GermanElectionsByColumns) {
    const auto path = shared_posts("german_elections.csv.gz");
    SKIP_WITHOUT(path);
    EvidenceOptions options;
    options.columns = parse_columns_option(
        "account=account_id,content=post_id,urls=url_id,hashtags=hashtag_id,domains=domain_id,object=phash_"
        "id,"
        "time=timestamp");
    const auto result = read_file(path, options);
    EXPECT_EQ(result.report.format, "table");
    // Three of the 218,971 rows have no post_id.
    EXPECT_EQ(result.posts.size(), 218'968u);
    EXPECT_EQ(result.report.tally.skipped(), 3u);
    EXPECT_EQ(result.report.tally.skips().at("empty content id").count, 3u);
    EXPECT_EQ(result.posts[0].account, "fb_12670");
    EXPECT_EQ(result.posts[0].urls, std::vector<std::string>{"23678"});
    EXPECT_TRUE(result.posts[0].hashtags.empty());
    EXPECT_EQ(result.posts[0].time_us, 1'629'589'836'000'000);
}

TEST(RealPosts, AutumnOf2016) {
    const auto path = shared_posts("ira/ira_troll_tweets_2016-09_2016-11.csv.xz");
    SKIP_WITHOUT(path);
    const auto result = read_file(path);
    EXPECT_EQ(result.report.format, "ira-clemson");
    EXPECT_EQ(result.report.compression, "xz");
    EXPECT_EQ(result.posts.size(), 326'980u);
    EXPECT_EQ(result.report.tally.skipped(), 0u);
    EXPECT_EQ(result.report.time_resolution.resolution_us, 60'000'000);
    EXPECT_EQ(result.report.time_resolution.reason, "every one of 326,980 times is a whole minute");
    EXPECT_EQ(format_time(result.report.time_first_us), "2016-09-01T00:00:00Z");
    EXPECT_EQ(result.posts[0].content, "row:1");
    EXPECT_GT(account_count(result), 100u);
}

}  // namespace
}  // namespace unveil
