#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "core/error.hpp"
#include "core/text.hpp"
#include "core/time.hpp"
#include "lab/scenario.hpp"
#include "world.hpp"

namespace unveil::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

enum Column {
    tweetid,
    userid,
    display_name,
    screen_name,
    location,
    description,
    profile_url,
    followers,
    following,
    created,
    account_language,
    tweet_language,
    text,
    tweet_time,
    client,
    reply_userid,
    reply_tweetid,
    quoted_tweetid,
    is_retweet,
    retweet_userid,
    retweet_tweetid,
    latitude,
    longitude,
    quotes,
    replies,
    likes,
    retweets,
    hashtags,
    urls,
    mentions,
    poll,
    column_count
};

/// One world of 20,000 posts for the tests that only look.
class Takedown : public ::testing::Test {
  protected:
    static void SetUpTestSuite() {
        folder = new Folder;
        make_takedown(*folder, 7, {{"scale", "20000"}});
        tweets = csv_rows(bytes_of(*folder / "tweets.csv"));
        users = csv_rows(bytes_of(*folder / "users.csv"));
    }
    static void TearDownTestSuite() {
        delete folder;
        folder = nullptr;
    }
    static Folder* folder;
    static std::vector<std::vector<std::string>> tweets;  // the header first
    static std::vector<std::vector<std::string>> users;
};
Folder* Takedown::folder = nullptr;
std::vector<std::vector<std::string>> Takedown::tweets;
std::vector<std::vector<std::string>> Takedown::users;

bool is_number(const std::string& cell) {
    return !cell.empty() &&
           std::all_of(cell.begin(), cell.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
}
bool is_hash(const std::string& cell) {
    return cell.size() == 44 && cell.back() == '=' &&
           std::all_of(cell.begin(), cell.end() - 1,
                       [](unsigned char c) { return std::isalnum(c) != 0 || c == '+' || c == '/'; });
}

// Goal: the layout of the archive, cell by cell. Method: every row of a world, read by a reader of the test's
// own.
TEST_F(Takedown, EveryCellIsInTheArchivesForm) {
    ASSERT_EQ(tweets.size(), 20001);
    EXPECT_THAT(
        tweets[0],
        ElementsAre("tweetid", "userid", "user_display_name", "user_screen_name", "user_reported_location",
                    "user_profile_description", "user_profile_url", "follower_count", "following_count",
                    "account_creation_date", "account_language", "tweet_language", "tweet_text", "tweet_time",
                    "tweet_client_name", "in_reply_to_userid", "in_reply_to_tweetid", "quoted_tweet_tweetid",
                    "is_retweet", "retweet_userid", "retweet_tweetid", "latitude", "longitude", "quote_count",
                    "reply_count", "like_count", "retweet_count", "hashtags", "urls", "user_mentions",
                    "poll_choices"));
    std::size_t fractions = 0, quoted_lists = 0, bare_lists = 0, multi_line = 0, numeric_ids = 0;
    for (std::size_t i = 1; i < tweets.size(); ++i) {
        const auto& row = tweets[i];
        ASSERT_EQ(row.size(), column_count) << "row " << i;
        ASSERT_TRUE(is_number(row[tweetid]));
        const bool is_hashed = std::stoull(row[followers]) < 5000;
        ASSERT_TRUE(is_hashed ? is_hash(row[userid]) : is_number(row[userid])) << row[userid];
        if (is_hashed) {
            ASSERT_EQ(row[userid], row[display_name]);
            ASSERT_EQ(row[userid], row[screen_name]);
        }
        numeric_ids += !is_hashed;
        ASSERT_EQ(row[created].size(), 10);
        ASSERT_EQ(row[latitude] + row[longitude], "absentabsent");
        ASSERT_TRUE(row[is_retweet] == "True" || row[is_retweet] == "False");
        ASSERT_EQ(row[is_retweet] == "True", is_number(row[retweet_tweetid]));
        ASSERT_EQ(row[retweet_userid].empty(), row[retweet_tweetid].empty());
        ASSERT_EQ(row[reply_userid].empty(), row[reply_tweetid].empty());
        if (row[is_retweet] == "True") ASSERT_EQ(row[text].substr(0, 4), "RT @");
        ASSERT_TRUE(is_valid_utf8(row[text]));
        ASSERT_FALSE(row[text].empty());
        for (const auto column : {hashtags, urls, mentions}) {
            ASSERT_EQ(row[column].front(), '[');
            ASSERT_EQ(row[column].back(), ']');
            quoted_lists += row[column].size() > 2 && row[column][1] == '\'';
            bare_lists += row[column].size() > 2 && row[column][1] != '\'';
        }
        fractions += row[likes].ends_with(".0");
        multi_line += row[text].find('\n') != std::string::npos;
    }
    EXPECT_GT(fractions, 1000);
    EXPECT_GT(quoted_lists, 1000);
    EXPECT_GT(bare_lists, 1000);
    EXPECT_GT(multi_line, 100);
    EXPECT_GT(numeric_ids, 10);
}

// Goal: ids are snowflakes: unique, in order, and of the minute that the row shows. Method: recompute each.
TEST_F(Takedown, IdsCarryTheTime) {
    std::set<std::uint64_t> ids;
    std::int64_t last_us = 0;
    for (std::size_t i = 1; i < tweets.size(); ++i) {
        const auto id = std::stoull(tweets[i][tweetid]);
        ASSERT_TRUE(ids.insert(id).second) << id;
        const auto time_us = snowflake_time_us(id);
        ASSERT_GE(time_us, last_us);
        last_us = time_us;
        const auto shown = format_time(time_us);
        ASSERT_EQ(shown.substr(0, 10) + " " + shown.substr(11, 5), tweets[i][tweet_time]);
        for (const auto column : {retweet_tweetid, reply_tweetid, quoted_tweetid})
            if (!tweets[i][column].empty()) ASSERT_LT(std::stoull(tweets[i][column]), id);
    }
}

// Goal: users.csv says the same of each account as its posts do, and knows exactly those that posted.
TEST_F(Takedown, UsersAgreeWithPosts) {
    std::map<std::string, std::vector<std::string>> by_id;
    for (std::size_t i = 1; i < users.size(); ++i) ASSERT_TRUE(by_id.emplace(users[i][0], users[i]).second);
    EXPECT_TRUE(std::equal(users[0].begin(), users[0].end(), tweets[0].begin() + userid));
    std::set<std::string> posted;
    for (std::size_t i = 1; i < tweets.size(); ++i) {
        posted.insert(tweets[i][userid]);
        const auto found = by_id.find(tweets[i][userid]);
        ASSERT_NE(found, by_id.end());
        ASSERT_TRUE(std::equal(found->second.begin(), found->second.end(), tweets[i].begin() + userid));
    }
    EXPECT_EQ(posted.size(), by_id.size());
}

// Goal: the truth counts what is in the evidence. Method: count again from the posts.
TEST_F(Takedown, TruthAgreesWithPosts) {
    const auto truth = read_truth(*folder / "truth.json");
    EXPECT_EQ(truth.scenario, "takedown");
    EXPECT_EQ(truth.seed, 7);
    EXPECT_EQ(truth.posts, tweets.size() - 1);
    EXPECT_EQ(truth.accounts, users.size() - 1);
    ASSERT_EQ(truth.campaigns.size(), 2);
    std::map<std::string, std::uint64_t> posts_of;
    for (std::size_t i = 1; i < tweets.size(); ++i) ++posts_of[tweets[i][userid]];
    std::set<std::string> seen;
    for (const auto& campaign : truth.campaigns) {
        EXPECT_GE(campaign.accounts.size(), 25);
        std::uint64_t posts = 0, core = 0;
        for (const auto& planted : campaign.accounts) {
            EXPECT_TRUE(seen.insert(planted.account).second);
            posts += posts_of[planted.account];
            core += planted.role == "core";
        }
        EXPECT_EQ(campaign.posts, posts);
        EXPECT_GE(core, 3);
        EXPECT_LT(core, campaign.accounts.size() / 3);
    }
    std::vector<std::string> names;
    for (const auto& account_class : truth.classes) {
        names.push_back(account_class.name);
        EXPECT_EQ(account_class.is_rule, account_class.name == "organic");
        EXPECT_EQ(account_class.accounts.empty(), account_class.is_rule);
        for (const auto& account : account_class.accounts) {
            EXPECT_TRUE(seen.insert(account).second);
            EXPECT_GT(posts_of[account], 0);
        }
    }
    EXPECT_THAT(names, ElementsAre("fan", "news-bot", "event-crowd", "viral-crowd", "organic"));
}

// Goal: at 2e4 posts each campaign account still shares at least ten reposted or repeated posts with the
// others, except for the few whom chance keeps away. Method: count its reposts of the campaign's core.
TEST_F(Takedown, CampaignAccountsShareEnough) {
    const auto truth = read_truth(*folder / "truth.json");
    for (const auto& campaign : truth.campaigns) {
        std::set<std::string> core;
        for (const auto& planted : campaign.accounts)
            if (planted.role == "core") core.insert(planted.account);
        std::map<std::string, int> shared;
        for (std::size_t i = 1; i < tweets.size(); ++i)
            if (core.contains(tweets[i][retweet_userid])) ++shared[tweets[i][userid]];
        int enough = 0;
        for (const auto& planted : campaign.accounts) enough += shared[planted.account] >= 10;
        EXPECT_GE(enough, static_cast<int>(campaign.accounts.size()) - 2);
    }
}

// Goal: what careless readers stumble over is there. Method: look for it.
TEST_F(Takedown, HostileTextAndBothScripts) {
    const auto all = bytes_of(*folder / "tweets.csv");
    for (const char* part :
         {"<script>", "=HYPERLINK(", "\xE2\x80\xAE", "圖書館", "图书馆", "\"\"", "{{7*7}}"})
        EXPECT_THAT(all, HasSubstr(part));
}

// Goal: the case file is one that unveil reads, with relative paths, and every claim has its expected
// verdict.
TEST_F(Takedown, CaseAndExpectedVerdicts) {
    const auto verdicts = read_expected_verdicts(*folder / "expected_verdicts.json");
    const auto toml = bytes_of(*folder / "case.toml");
    std::set<std::string> kinds;
    for (const auto& verdict : verdicts) {
        EXPECT_THAT(toml, HasSubstr("id = \"" + verdict.claim + "\""));
        EXPECT_FALSE(verdict.reason.empty());
        kinds.insert(verdict.verdict);
    }
    EXPECT_THAT(kinds, ElementsAre("contradicted", "supported", "undetermined"));
    EXPECT_THAT(toml, HasSubstr("path = \"tweets.csv\""));
    EXPECT_THAT(toml, ::testing::Not(HasSubstr(folder->path())));
    std::size_t claims = 0;
    for (auto at = toml.find("[[claim]]"); at != std::string::npos; at = toml.find("[[claim]]", at + 1))
        ++claims;
    EXPECT_EQ(claims, verdicts.size());
}

// Goal: the seed decides every byte, and nothing else does.
TEST(TakedownSeed, SameSeedSameBytes) {
    Folder first, second, other;
    const Options options = {{"scale", "10000"}};
    make_takedown(first, 3, options);
    make_takedown(second, 3, options);
    make_takedown(other, 4, options);
    for (const auto& file : scenario_named("takedown").files) {
        EXPECT_EQ(bytes_of(first / file), bytes_of(second / file)) << file;
        EXPECT_FALSE(std::filesystem::exists(first / (file + ".part")));
    }
    EXPECT_NE(bytes_of(first / "tweets.csv"), bytes_of(other / "tweets.csv"));
    EXPECT_NE(bytes_of(first / "truth.json"), bytes_of(other / "truth.json"));
}

// Goal: the null world has the same crowds and no campaign.
TEST(TakedownSeed, NullWorld) {
    Folder folder;
    make_takedown(folder, 3, {{"scale", "10000"}, {"campaigns", "0"}});
    const auto truth = read_truth(folder / "truth.json");
    EXPECT_TRUE(truth.campaigns.empty());
    EXPECT_EQ(truth.classes.size(), 5);
    EXPECT_EQ(csv_rows(bytes_of(folder / "tweets.csv")).size(), 10001);
    EXPECT_EQ(bytes_of(folder / "tweets.csv").find("focus-"), std::string::npos);
    for (const auto& verdict : read_expected_verdicts(folder / "expected_verdicts.json"))
        EXPECT_NE(verdict.verdict, "supported") << verdict.claim;
}

// Goal: every number of posts comes out exact, whatever the campaigns.
TEST(TakedownSeed, ExactNumberOfPosts) {
    for (const Options& options :
         {Options{{"scale", "12345"}, {"campaigns", "1"}},
          Options{{"scale", "30001"}, {"campaigns", "5"}, {"jitter", "1h"}},
          Options{{"scale", "25000"}, {"campaign-accounts", "40"}, {"participation", "0.3"}}}) {
        Folder folder;
        make_takedown(folder, 11, options);
        EXPECT_EQ(csv_rows(bytes_of(folder / "tweets.csv")).size(), std::stoull(options.at("scale")) + 1);
    }
}

// Goal: what cannot be is refused, and a stop leaves no half file.
TEST(TakedownSeed, RefusesAndStops) {
    Folder folder;
    EXPECT_THROW(make_takedown(folder, 1, {{"scale", "10000"}, {"campaigns", "60"}}), Error);
    EXPECT_THROW(takedown_parameters({{"scale", "9999"}}), Error);
    EXPECT_THROW(scenario_named("takedwon"), Error);
    class Stop final : public Progress {
      public:
        void update(std::string_view, std::uint64_t, std::uint64_t) override {}
        bool is_cancelled() const override { return true; }
    } stop;
    try {
        make_scenario("takedown", takedown_parameters({{"scale", "10000"}}), 1, folder.path(), stop);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::interrupted);
    }
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

}  // namespace
}  // namespace unveil::test
