#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <map>
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

/// Who reposted each post of a campaign: members apart from all others.
struct Boost {
    std::set<std::string> members;
    std::set<std::string> others;
};
std::map<std::string, Boost> boosts_of(const PlantedCampaign& campaign,
                                       const std::vector<std::vector<std::string>>& rows) {
    std::map<std::string, std::string> roles;
    for (const auto& planted : campaign.accounts) roles[planted.account] = planted.role;
    std::map<std::string, Boost> boosts;
    for (std::size_t i = 1; i < rows.size(); ++i)
        if (rows[i][is_retweet] == "True" && roles.contains(rows[i][retweet_userid]))
            (roles.contains(rows[i][userid]) ? boosts[rows[i][retweet_tweetid]].members
                                             : boosts[rows[i][retweet_tweetid]].others)
                .insert(rows[i][userid]);
    return boosts;
}

/// One campaign of 25 accounts and 20 posts, and what the option under test adds.
Options campaign_with(const Options& more) {
    Options options = {{"scale", "20000"}, {"campaigns", "1"}, {"campaign-accounts", "25"},
                       {"campaign-objects", "20"}, {"dilution", "0"}, {"outside-share", "0"}};
    for (const auto& [name, value] : more) options[name] = value;
    return options;
}

// Goal: a campaign boosts as many posts as asked for, and outsiders repost them only as asked for. Method:
// count the reposts of each.
TEST(TakedownAdversary, ObjectsAndOutsiders) {
    for (const char* share : {"0", "0.5", "0.9"}) {
        Folder folder;
        make_takedown(folder, 5, campaign_with({{"outside-share", share}}));
        const auto truth = read_truth(folder / "truth.json");
        const auto boosts = boosts_of(truth.campaigns.at(0), csv_rows(bytes_of(folder / "tweets.csv")));
        EXPECT_EQ(boosts.size(), 20);
        double inside = 0, outside = 0;
        for (const auto& [post, boost] : boosts) {
            inside += static_cast<double>(boost.members.size());
            outside += static_cast<double>(boost.others.size());
        }
        // Core accounts repeat a fifth of the posts in their own name instead of reposting them.
        EXPECT_NEAR(inside, 20 * 0.8 * 24 - 4 * 0.8 * 3, 30);
        EXPECT_NEAR(outside / (inside + outside), std::stod(share), 0.04) << share;
    }
}

// Goal: the adversary who splits the posts. Method: count for each pair of accounts the posts that both repost; nobody
// meets more often than the limit, and with a higher limit accounts do more.
TEST(TakedownAdversary, NoTwoAccountsShareMore) {
    std::size_t reposts_before = 0;
    for (const int limit : {1, 3}) {
        Folder folder;
        make_takedown(folder, 5,
                      campaign_with({{"shared-posts-max", std::to_string(limit)}, {"participation", "1"}}));
        const auto truth = read_truth(folder / "truth.json");
        const auto boosts = boosts_of(truth.campaigns.at(0), csv_rows(bytes_of(folder / "tweets.csv")));
        std::map<std::pair<std::string, std::string>, int> met;
        std::size_t reposts = 0;
        for (const auto& [post, boost] : boosts) {
            reposts += boost.members.size();
            for (const auto& a : boost.members)
                for (const auto& b : boost.members)
                    if (a < b) ++met[{a, b}];
        }
        int most = 0;
        for (const auto& [pair, count] : met) most = std::max(most, count);
        EXPECT_EQ(most, limit);
        EXPECT_GT(reposts, std::max<std::size_t>(40, reposts_before));
        reposts_before = reposts;
    }
}

// Goal: only a shift is on duty. Method: no post is boosted by more than the shift, over the days nearly everybody is.
TEST(TakedownAdversary, ShiftsRotate) {
    Folder folder;
    make_takedown(folder, 5, campaign_with({{"rotation", "0.2"}, {"participation", "1"}}));
    const auto truth = read_truth(folder / "truth.json");
    std::set<std::string> anybody;
    for (const auto& [post, boost] :
         boosts_of(truth.campaigns.at(0), csv_rows(bytes_of(folder / "tweets.csv")))) {
        EXPECT_LE(boost.members.size(), 5);
        anybody.insert(boost.members.begin(), boost.members.end());
    }
    EXPECT_GT(anybody.size(), 18);
}

// Goal: copies are reworded as often as asked for. Method: without rewording some of the core's texts are the same
// bytes, with it none are, and half as many with half of it.
TEST(TakedownAdversary, CopiesAreReworded) {
    std::vector<std::size_t> repeated;
    for (const char* share : {"0", "0.5", "1"}) {
        Folder folder;
        make_takedown(folder, 5,
                      campaign_with({{"paraphrase", share}, {"campaign-objects", "200"}, {"scale", "40000"}}));
        const auto truth = read_truth(folder / "truth.json");
        std::set<std::string> members, seen;
        for (const auto& planted : truth.campaigns.at(0).accounts) members.insert(planted.account);
        repeated.push_back(0);
        const auto rows = csv_rows(bytes_of(folder / "tweets.csv"));
        for (std::size_t i = 1; i < rows.size(); ++i) {
            ASSERT_TRUE(is_valid_utf8(rows[i][text]));
            if (members.contains(rows[i][userid]) && rows[i][is_retweet] == "False")
                repeated.back() += !seen.insert(rows[i][text]).second;
        }
    }
    EXPECT_NEAR(static_cast<double>(repeated[0]), 40 * 3 * 0.8, 20);
    EXPECT_NEAR(static_cast<double>(repeated[1]), static_cast<double>(repeated[0]) / 2, 20);
    EXPECT_LE(repeated[2], 2);
}

// Goal: feed bots are there, each on a clock of its own, and nobody else changes class. Method: the gaps between the
// reposts of one are the same to the millisecond, and no two have the same gap.
TEST(TakedownAdversary, FeedBotsKeepTheirOwnTime) {
    Folder folder;
    make_takedown(folder, 5, {{"scale", "20000"}, {"campaigns", "0"}, {"feed-bots", "8"}});
    const auto truth = read_truth(folder / "truth.json");
    ASSERT_EQ(truth.classes.size(), 6);
    ASSERT_EQ(truth.classes[2].name, "feed-bot");
    ASSERT_EQ(truth.classes[2].accounts.size(), 8);
    std::map<std::string, std::vector<std::int64_t>> times_us;
    for (const auto& account : truth.classes[2].accounts) times_us[account];
    const auto rows = csv_rows(bytes_of(folder / "tweets.csv"));
    for (std::size_t i = 1; i < rows.size(); ++i)
        if (const auto found = times_us.find(rows[i][userid]); found != times_us.end()) {
            EXPECT_EQ(rows[i][is_retweet], "True");
            found->second.push_back(snowflake_time_us(std::stoull(rows[i][tweetid])));
        }
    std::set<std::int64_t> paces;
    for (const auto& [account, times] : times_us) {
        ASSERT_GT(times.size(), 20);
        for (std::size_t i = 2; i < times.size(); ++i) EXPECT_EQ(times[i] - times[i - 1], times[1] - times[0]);
        EXPECT_TRUE(paces.insert(times[1] - times[0]).second);
    }
}

// Goal: the number of organic accounts is as asked for, and too few are refused. Method: the truth counts who posted.
TEST(TakedownAdversary, NumberOfAccounts) {
    Folder folder;
    make_takedown(folder, 5, {{"scale", "20000"}, {"accounts", "4000"}});
    const auto truth = read_truth(folder / "truth.json");
    EXPECT_LE(truth.accounts, 4000 + 62);
    EXPECT_GT(truth.accounts, 3000);
    EXPECT_THROW(make_takedown(folder, 5, {{"scale", "1000000"}, {"accounts", "300"}}), Error);
}

}  // namespace
}  // namespace unveil::test
