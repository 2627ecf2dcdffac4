// Goal: the coordination instrument counts what its doc page says, on worlds small enough to count by hand.

#include "instruments/coordination/coordination.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/random.hpp"
#include "instruments/coordination/canonical_url.hpp"
#include "instruments/coordination/network.hpp"
#include "instruments/coordination/traces.hpp"
#include "memory_posts.hpp"
#include "statistics/sign_test.hpp"

namespace unveil::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::int64_t second = 1'000'000;
constexpr PostFields with_object = static_cast<PostFields>(PostField::object);

Post share(std::string account, std::string object, double seconds, std::string content) {
    return {.account = std::move(account),
            .content = std::move(content),
            .time_us = static_cast<std::int64_t>(seconds * 1e6),
            .object = std::move(object)};
}

Outcome coordinate(std::vector<Post> posts, Settings settings, unsigned threads = 1, std::uint64_t memory = 0) {
    return run_posts("coordination", std::move(posts), with_object, settings, threads, memory);
}

std::vector<Post> two_accounts_on(int objects, double delay_seconds) {
    std::vector<Post> posts;
    for (int i = 0; i < objects; ++i) {
        const std::string object = "o" + std::to_string(i);
        posts.push_back(share("ann", object, i * 1000.0, "a" + std::to_string(i)));
        posts.push_back(share("bob", object, i * 1000.0 + delay_seconds, "b" + std::to_string(i)));
    }
    return posts;
}

TEST(Coordination, WindowIsInclusive) {
    EXPECT_THAT(coordinate(two_accounts_on(2, 60), {{"window", "60s"}}).counted_edges(),
                ElementsAre("co-share|60|ann|bob|2|2|2|2|60|60|60|2|0|0.5"));
    EXPECT_THAT(coordinate(two_accounts_on(2, 60.000001), {{"window", "60s"}}).edges(), IsEmpty());
}

TEST(Coordination, WindowOfZeroMeansEqualTimes) {
    EXPECT_THAT(coordinate(two_accounts_on(2, 0), {{"window", "0s"}}).counted_edges(),
                ElementsAre("co-share|0|ann|bob|2|2|2|2|0|0|0|0|0|1"));
    EXPECT_THAT(coordinate(two_accounts_on(2, 0.000001), {{"window", "0s"}}).edges(), IsEmpty());
}

TEST(Coordination, NegativeAndFractionalTimesCount) {
    const std::vector<Post> posts = {share("ann", "x", -1.25, "1"), share("bob", "x", 0.5, "2"),
                                     share("ann", "y", -100, "3"), share("bob", "y", -99.75, "4")};
    EXPECT_THAT(coordinate(posts, {{"window", "2s"}}).counted_edges(),
                ElementsAre("co-share|2|ann|bob|2|2|2|2|1|1|0.25|2|0|0.5"));
}

TEST(Coordination, WeightIsOneVoteAnObject) {
    // ann posts x three times near bob: three pairs, one object.
    const std::vector<Post> posts = {share("ann", "x", 0, "1"), share("ann", "x", 1, "2"), share("ann", "x", 2, "3"),
                                     share("bob", "x", 3, "4"), share("bob", "z", 900, "5")};
    EXPECT_THAT(coordinate(posts, {{"min-weight", "2"}}).edges(), IsEmpty());
    EXPECT_THAT(coordinate(posts, {{"min-weight", "1"}}).counted_edges(),
                ElementsAre("co-share|60|ann|bob|1|3|3|1|2|2|1|3|0|0.25"));
}

TEST(Coordination, ManyWindowsInOnePassEqualOnePassEach) {
    Random random(11);
    std::vector<Post> posts;
    for (int i = 0; i < 400; ++i)
        posts.push_back(share("acc" + std::to_string(random.below(20)), "obj" + std::to_string(random.below(30)),
                              static_cast<double>(random.below(4000)), "p" + std::to_string(i)));
    const auto together = coordinate(posts, {{"window", "10s,60s,600s"}, {"min-weight", "1"}});
    std::vector<std::string> apart;
    for (const std::string window : {"10s", "60s", "600s"})
        for (const auto& line : coordinate(posts, {{"window", window}, {"min-weight", "1"}}).edges()) apart.push_back(line);
    EXPECT_THAT(together.edges(), ::testing::UnorderedElementsAreArray(apart));
    EXPECT_EQ(together.value("co-share.10s.edges"), coordinate(posts, {{"window", "10s"}, {"min-weight", "1"}}).value("co-share.edges"));
}

TEST(Coordination, OneAccountAloneMakesNoEdge) {
    const std::vector<Post> posts = {share("ann", "x", 0, "1"), share("ann", "x", 1, "2"), share("ann", "y", 2, "3")};
    const auto outcome = coordinate(posts, {{"min-weight", "1"}});
    EXPECT_THAT(outcome.edges(), IsEmpty());
    EXPECT_EQ(outcome.value("co-share.groups"), 0);
    EXPECT_EQ(outcome.value("co-share.edges"), 0);
}

TEST(Coordination, RepeatedRowsCountOnce) {
    auto posts = two_accounts_on(2, 5);
    posts.push_back(posts[0]);
    const auto outcome = coordinate(posts, {});
    EXPECT_THAT(outcome.counted_edges(), ElementsAre("co-share|60|ann|bob|2|2|2|2|5|5|5|2|0|0.5"));
    EXPECT_THAT(outcome.findings.notes, ::testing::Contains(HasSubstr("1 exact repeats")));
}

TEST(Coordination, HostileIdsArriveUnchanged) {
    const std::string nasty = "a,\"b\n+/=";
    const std::vector<Post> posts = {share(nasty, "x", 0, "1,\n"), share("=cmd()", "x", 1, "2\""), share(nasty, "y", 0, "3"),
                                     share("=cmd()", "y", 1, "4")};
    EXPECT_THAT(coordinate(posts, {}).counted_edges(), ElementsAre("co-share|60|=cmd()|" + nasty + "|2|2|2|2|1|1|1|0|2|0.5"));
}

TEST(Coordination, ViralObjectIsLeftOutWithItsExactCount) {
    std::vector<Post> posts = two_accounts_on(3, 1);
    constexpr int crowd = 100'000;
    for (int i = 0; i < crowd; ++i) posts.push_back(share("u" + std::to_string(i % (crowd - 5)), "viral", 5e6, std::to_string(i)));
    const auto outcome = coordinate(posts, {{"min-participation", "1"}});
    EXPECT_THAT(outcome.edges(), SizeIs(1));
    // Five accounts share it twice: each of their own pairs is not a pair of different accounts.
    const std::uint64_t pairs = std::uint64_t{crowd} * (crowd - 1) / 2 - 5;
    EXPECT_THAT(outcome.tables.lines("excluded_objects"),
                ElementsAre("co-share|viral|100000|99995|" + std::to_string(pairs)));
    EXPECT_THAT(outcome.findings.notes, ::testing::Contains(HasSubstr("4,999,949,995 pairs")));
}

TEST(Coordination, OneAccountFloodingAnObjectIsLeftOutToo) {
    // Two hundred thousand posts of one account in a second would take twenty thousand million steps and give no edge.
    std::vector<Post> posts = two_accounts_on(2, 1);
    for (int i = 0; i < 200'000; ++i) posts.push_back(share("flood", "flooded", 5e6, "f" + std::to_string(i)));
    posts.push_back(share("ann", "flooded", 5e6, "last"));
    for (const std::string semantics : {"native", "coortweet"}) {
        const auto outcome = coordinate(posts, {{"semantics", semantics}});
        EXPECT_THAT(outcome.edges(), SizeIs(1));
        EXPECT_THAT(outcome.tables.lines("excluded_objects"), ElementsAre("co-share|flooded|200001|2|200000"));
    }
}

TEST(Coordination, InputsWithDifferentColumnsRunTogether) {
    // One input has objects, the other has texts: each trace takes from the input that can carry it.
    const std::string text = "The Harbour Bridge will stay closed until Monday";
    MemoryPosts objects(two_accounts_on(2, 1), with_object);
    MemoryPosts texts({{.account = "cyd", .content = "t1", .time_us = 0, .text = text},
                       {.account = "dan", .content = "t2", .time_us = second, .text = text}},
                      static_cast<PostFields>(PostField::text));
    const auto run = [&](const std::string& traces) {
        ParameterValues parameters(instrument_named("coordination").description().parameters);
        if (!traces.empty()) parameters.set("traces", traces);
        parameters.set("min-weight", "1");
        parameters.set("keep", "weight");
        parameters.set("min-participation", "1");
        MemoryTables tables;
        SilentProgress progress;
        InstrumentContext context{.seed = 0, .threads = 1, .scratch = {::testing::TempDir(), 0}, .tables = tables, .progress = progress};
        return instrument_named("coordination").run({.posts = {&objects, &texts}}, parameters, context);
    };
    EXPECT_THROW(run("exact-text"), Error) << "an input that cannot carry the trace must not count as silent";
    const auto findings = run("");
    EXPECT_EQ(findings.find("co-share.edges")->value, 1);
    EXPECT_EQ(findings.find("exact-text.edges")->value, 1);
    EXPECT_THAT(findings.notes, ::testing::Contains(HasSubstr("has no column for this trace")));
}

TEST(Coordination, TwoAccountsFloodingAnObjectTakeNoMemory) {
    std::vector<Post> posts = two_accounts_on(2, 1);
    for (int i = 0; i < 3000; ++i) {
        posts.push_back(share("ann", "flooded", 5e6, "x" + std::to_string(i)));
        posts.push_back(share("bob", "flooded", 5e6, "y" + std::to_string(i)));
    }
    const auto outcome = coordinate(posts, {});
    EXPECT_THAT(outcome.tables.lines("excluded_objects"), ElementsAre("co-share|flooded|6000|2|9000000"));
    EXPECT_THAT(outcome.edges(), SizeIs(1));
}

TEST(Coordination, WhatWasLeftOutOpensTheIntervals) {
    // Five accounts on one object make ten pairs; with the object left out, up to ten edges may be missing.
    std::vector<Post> posts = two_accounts_on(3, 1);
    for (int i = 0; i < 5; ++i) posts.push_back(share("u" + std::to_string(i), "viral", 5e6, "v" + std::to_string(i)));
    const auto outcome = coordinate(posts, {{"min-participation", "1"}, {"min-weight", "1"}, {"viral-pairs-max", "9"}});
    const auto expect = [&](const std::string& metric, double low, double value, double high) {
        const auto* finding = outcome.findings.find(metric);
        ASSERT_NE(finding, nullptr) << metric;
        EXPECT_EQ(finding->low, low) << metric;
        EXPECT_EQ(finding->value, value) << metric;
        EXPECT_EQ(finding->high, high) << metric;
        EXPECT_NE(finding->strength, StrengthKind::exact) << metric;
    };
    expect("co-share.pairs", 3, 3, 13);
    expect("co-share.edges", 1, 1, 11);
    expect("co-share.accounts", 2, 2, 7);
    expect("co-share.weight_max", 3, 3, 4);
    expect("co-share.largest_group.accounts", 2, 2, 7);
}

TEST(Coordination, MedianDelayKnowsHowCoarseTheTimesAre) {
    const TimeResolution minutes{60 * second, "every one of 4 times is a whole minute"};
    const auto outcome = run_posts("coordination", two_accounts_on(2, 0), with_object, {{"window", "60s"}}, 1, 0, minutes);
    const auto* finding = outcome.findings.find("co-share.median_delay_seconds");
    ASSERT_NE(finding, nullptr);
    EXPECT_EQ(finding->value, 0);
    EXPECT_EQ(finding->high, 60);
}

TEST(Coordination, FineWindowOnCoarseTimesIsRefusedUnlessForced) {
    const TimeResolution minutes{60 * second, "every one of 4 times is a whole minute"};
    try {
        run_posts("coordination", two_accounts_on(2, 0), with_object, {{"window", "10s"}}, 1, 0, minutes);
        FAIL() << "accepted";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::input);
        EXPECT_THAT(error.message(), HasSubstr("10s is finer"));
        EXPECT_THAT(error.hint(), HasSubstr("60s"));
    }
    EXPECT_THAT(run_posts("coordination", two_accounts_on(2, 0), with_object, {{"window", "10s"}, {"force-window", "true"}}, 1, 0,
                          minutes).edges(), SizeIs(1));
    EXPECT_THAT(run_posts("coordination", two_accounts_on(2, 0), with_object, {{"window", "60s"}}, 1, 0, minutes).edges(), SizeIs(1));
}

TEST(Coordination, GroupsAreNumberedBySizeThenByName) {
    std::vector<Post> posts;
    for (const std::string object : {"p", "q"}) {
        for (const std::string account : {"x", "y", "z"}) posts.push_back(share(account, object, 0, account + object));
        for (const std::string account : {"a", "b"}) posts.push_back(share(account, object + "2", 0, account + object));
        for (const std::string account : {"c", "d"}) posts.push_back(share(account, object + "3", 0, account + object));
    }
    EXPECT_THAT(coordinate(posts, {}).tables.lines("accounts"),
                ElementsAre("co-share|60|a|2|1|2|2|2", "co-share|60|b|2|1|2|2|2", "co-share|60|c|2|1|2|3|2",
                            "co-share|60|d|2|1|2|3|2", "co-share|60|x|2|2|4|1|3", "co-share|60|y|2|2|4|1|3",
                            "co-share|60|z|2|2|4|1|3"));
}

TEST(Coordination, CoortweetOrdersEqualTimesByFirstAppearance) {
    // zoe appears first in the input, so her post is the older one at equal times, although ann sorts before her.
    const std::vector<Post> posts = {share("zoe", "x", 0, "z1"), share("ann", "x", 0, "a1"), share("zoe", "y", 9, "z2"),
                                     share("ann", "y", 9, "a2")};
    const auto outcome = coordinate(posts, {{"semantics", "coortweet"}, {"pairs", "true"}});
    EXPECT_THAT(outcome.tables.lines("pairs"), ElementsAre("x|zoe|ann|z1|a1|0", "y|zoe|ann|z2|a2|0"));
    EXPECT_THAT(outcome.edges(), ElementsAre("ann|zoe|2|0|2|2|1|0"));
}

TEST(Coordination, QutCountsOfItsOwnTest) {
    // The toolkit's own small case, retold: seven reposted ids, pairs at 59, 10, 61, 59, 1 and 258 s, and three reposts
    // of one post by one account, two of them a second apart.
    const std::vector<std::tuple<std::string, std::string, int>> rows = {
        {"u0", "r0", 0},   {"u1", "r0", 59},  {"u2", "r1", 60},  {"u3", "r1", 70},  {"u2", "r2", 70},
        {"u3", "r2", 131}, {"u4", "r3", 30},  {"u5", "r3", 89},  {"u4", "r4", 40},  {"u5", "r4", 41},
        {"u10", "r5", 42}, {"u10", "r5", 52}, {"u11", "r6", 42}, {"u12", "r6", 300},
        {"u10", "r5", 53}};
    std::vector<Post> posts;
    for (const auto& [account, repost, seconds] : rows)
        posts.push_back({.account = account, .content = "m" + std::to_string(posts.size()), .time_us = seconds * second, .repost_of = repost});
    const auto nodes = [&](const std::string& window, const std::string& weight, bool loops) {
        const auto outcome = run_posts("coordination", posts, static_cast<PostFields>(PostField::repost_of),
                                       {{"semantics", "qut"}, {"window", window}, {"min-weight", weight},
                                        {"keep-loops", loops ? "true" : "false"}});
        return outcome.tables.lines("accounts").size();
    };
    EXPECT_EQ(nodes("1s", "1", false), 2u);
    EXPECT_EQ(nodes("1s", "1", true), 3u);
    EXPECT_EQ(nodes("1s", "2", false), 0u);
    EXPECT_EQ(nodes("1s", "2", true), 1u);
    EXPECT_EQ(nodes("60s", "1", false), 6u);
    EXPECT_EQ(nodes("60s", "1", true), 7u);
}

TEST(Coordination, UnknownTraceForTheEvidenceIsAnError) {
    try {
        coordinate(two_accounts_on(2, 0), {{"traces", "co-retweet"}});
        FAIL() << "accepted";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::input);
        EXPECT_THAT(error.what(), HasSubstr("co-retweet"));
    }
}

TEST(Coordination, TextTraceIgnoresCaseLinksAndMentionsAndPrintsNoText) {
    const std::string text = "The Harbour Bridge will stay closed until Monday";
    const auto post = [&](std::string account, std::string content, std::string words, int at) {
        return Post{.account = std::move(account), .content = std::move(content), .time_us = at * second, .text = std::move(words)};
    };
    const std::vector<Post> posts = {post("ann", "1", text + " https://t.co/abc", 0),
                                     post("bob", "2", "@friend the  HARBOUR bridge will stay closed until monday", 5),
                                     post("ann", "3", "香港的天氣今天非常好真的", 100), post("bob", "4", "香港的天氣今天非常好真的", 101),
                                     post("ann", "5", "ok", 200), post("bob", "6", "ok", 200)};
    const auto outcome = run_posts("coordination", posts, static_cast<PostFields>(PostField::text), {{"pairs", "true"}});
    EXPECT_THAT(outcome.edges(), ElementsAre(HasSubstr("exact-text|60|ann|bob|2|2|")));
    for (const auto& line : outcome.tables.lines("pairs")) EXPECT_THAT(line, HasSubstr("|text:"));
}

TEST(CanonicalUrl, FoldsWhatCannotChangeThePage) {
    using coordination::canonical_url;
    EXPECT_EQ(canonical_url("HTTP://www.Example.ORG:80/a/B?x=1&utm_source=t&y=2#top"), "https://www.example.org/a/B?x=1&y=2");
    EXPECT_EQ(canonical_url("https://example.org"), "https://example.org/");
    EXPECT_EQ(canonical_url("https://user:pw@example.org:443?fbclid=1"), "https://example.org/");
    EXPECT_EQ(canonical_url(" 23678 "), "23678");
    EXPECT_EQ(canonical_url("https://example.org:8443/"), "https://example.org:8443/");
    EXPECT_EQ(coordination::url_host("https://WWW.example.org/x"), "example.org");
    EXPECT_EQ(coordination::url_host("not an address"), "");
}

TEST(WeightQuantile, IsTypeSeven) {
    // R: quantile(c(1,1,2,5,9), c(0, .25, .5, .9, 1)) = 1 1 2 7.4 9
    const coordination::WeightCounts counts = {{1, 2}, {2, 1}, {5, 1}, {9, 1}};
    EXPECT_DOUBLE_EQ(*coordination::weight_quantile(counts, 0), 1);
    EXPECT_DOUBLE_EQ(*coordination::weight_quantile(counts, 0.25), 1);
    EXPECT_DOUBLE_EQ(*coordination::weight_quantile(counts, 0.5), 2);
    EXPECT_DOUBLE_EQ(*coordination::weight_quantile(counts, 0.9), 7.4);
    EXPECT_DOUBLE_EQ(*coordination::weight_quantile(counts, 1), 9);
    EXPECT_FALSE(coordination::weight_quantile({}, 0.5).has_value());
}

TEST(ContentKey, NumbersAreExactAndOthersMarked) {
    using coordination::content_key;
    EXPECT_EQ(content_key("0"), 0u);
    EXPECT_EQ(content_key("1200000000000000000"), 1200000000000000000u);
    EXPECT_NE(content_key("007"), content_key("7"));
    EXPECT_GT(content_key("9999999999999999999"), std::uint64_t{1} << 63);
    EXPECT_GT(content_key("abc"), std::uint64_t{1} << 63);
    EXPECT_GT(content_key(""), std::uint64_t{1} << 63);
}

TEST(DelayCounts, GetsCoarserInsteadOfLarger) {
    coordination::DelayCounts counts;
    for (std::int64_t delay = 0; delay < 3'000'000; ++delay) counts.add(delay, 1);
    EXPECT_EQ(counts.total(), 3'000'000u);
    EXPECT_EQ(counts.tick_us(), 10);
    EXPECT_EQ(counts.nth(1'500'005), 1'500'000);
}

}  // namespace
}  // namespace unveil::testing
