#include "case/comparison.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace unveil;

namespace {

std::string canonical(std::string_view text) {
    const auto parsed = parse_comparison(text);
    return parsed ? parsed->text
                  : "column " + std::to_string(parsed.error().column) + ": " + parsed.error().message;
}

double number_of(std::string_view text) {
    const auto parsed = parse_comparison("m >= " + std::string(text));
    return parsed ? parsed->right.number : -1;
}

}  // namespace

TEST(Comparison, ReadsWhatUsersWrite) {
    EXPECT_EQ(canonical("core.accounts >= 100"), "core.accounts >= 100");
    EXPECT_EQ(canonical("  core.accounts>=100  "), "core.accounts >= 100");
    EXPECT_EQ(canonical("amplifier.accounts > core.accounts"), "amplifier.accounts > core.accounts");
    EXPECT_EQ(canonical("a<b"), "a < b");
    EXPECT_EQ(canonical("co-retweet.edges_2 != 0"), "co-retweet.edges_2 != 0");
    EXPECT_EQ(canonical("blocked( \"signal.org\",\"cn\" ) == 1"), "blocked(\"signal.org\", \"cn\") == 1");
    EXPECT_EQ(canonical("a(\"q\\\"uo\\\\te\") <= b(\"x\")"), "a(\"q\\\"uo\\\\te\") <= b(\"x\")");
    EXPECT_EQ(canonical("<trace>.edges > 1"),
              "column 1: a metric is wanted here; its name begins with a letter from a to z");
    EXPECT_EQ(canonical("edges.<trace>.x > 1"), "edges.<trace>.x > 1");
}

TEST(Comparison, ReadsNumbersWithTheirUnits) {
    EXPECT_EQ(number_of("100"), 100);
    EXPECT_EQ(number_of("-0.5"), -0.5);
    EXPECT_EQ(number_of("+2"), 2);
    EXPECT_EQ(number_of("1e6"), 1e6);
    EXPECT_EQ(number_of("5%"), 0.05);
    EXPECT_EQ(number_of("30s"), 30);
    EXPECT_EQ(number_of("500ms"), 0.5);
    EXPECT_EQ(number_of("10m"), 600);
    EXPECT_EQ(number_of("2h"), 7200);
    EXPECT_EQ(number_of("1d"), 86400);
}

// Goal: a claim can name a day or a moment. Method: dates and times by hand, against seconds since 1970 that `date -u +%s` gives; numbers and metrics
// that look a little like dates stay what they were.
TEST(Comparison, ReadsDatesAsSecondsSince1970) {
    EXPECT_EQ(number_of("1970-01-01"), 0);
    EXPECT_EQ(number_of("2024-03-01"), 1709251200);
    EXPECT_EQ(number_of("2024-03-01T12:00:00Z"), 1709294400);
    EXPECT_EQ(number_of("2024-03-01T12:00"), 1709294400);
    EXPECT_EQ(number_of("2024-03-01T12:00:00.5Z"), 1709294400.5);
    EXPECT_EQ(number_of("2024-03-01T12:00:00+02:00"), 1709287200);
    EXPECT_EQ(number_of("1969-12-31T23:59:59Z"), -1);
    EXPECT_EQ(number_of("2024"), 2024);
    EXPECT_EQ(canonical(R"(onset( "signal.org","AS4134" )>=2024-03-01 )"), R"(onset("signal.org", "AS4134") >= 2024-03-01)");
    EXPECT_EQ(canonical("a < 2024-03-01T12:00:00Z"), "a < 2024-03-01T12:00:00Z");
    EXPECT_EQ(canonical("a >= 2023-02-29"), "column 6: '2023-02-29' is no date or time; write 2024-03-01 or 2024-03-01T12:00:00Z");
    EXPECT_EQ(canonical("a >= 2024-13-01"), "column 6: '2024-13-01' is no date or time; write 2024-03-01 or 2024-03-01T12:00:00Z");
    EXPECT_EQ(canonical("a >= 2024-03-01d"), "column 6: '2024-03-01d' is no date or time; write 2024-03-01 or 2024-03-01T12:00:00Z");
    EXPECT_EQ(canonical("a >= 2024-03"), "column 10: '-03' is not a unit; known are % us ms s m h d");
    EXPECT_EQ(canonical("a >= 2024-03-01 12:00"), "column 17: something follows the comparison; write each comparison as its own item");
    EXPECT_EQ(canonical("a >= -2024-03-01"), "column 11: '-03-01' is not a unit; known are % us ms s m h d");
}

TEST(Comparison, ReadsWhatASetHolds) {
    const auto comparison = parse_comparison(R"(rules  includes "six \"four\"" )");
    ASSERT_TRUE(comparison);
    EXPECT_EQ(comparison->relation, Relation::includes);
    EXPECT_EQ(comparison->right.member, "six \"four\"");
    EXPECT_EQ(comparison->text, R"(rules includes "six \"four\"")");
    EXPECT_EQ(decide(Membership::member, Relation::includes), Decision::supported);
    EXPECT_EQ(decide(Membership::non_member, Relation::includes), Decision::contradicted);
    EXPECT_EQ(decide(Membership::unknown, Relation::includes), Decision::undetermined);
    EXPECT_EQ(decide(Membership::member, Relation::excludes), Decision::contradicted);
    EXPECT_EQ(decide(Membership::non_member, Relation::excludes), Decision::supported);
}

TEST(Comparison, SaysWhatIsWrongAndWhere) {
    EXPECT_EQ(canonical(""), "column 1: a metric is missing");
    EXPECT_EQ(canonical("100 <= a"), "column 1: a metric is wanted here; numbers stand on the right side");
    EXPECT_EQ(canonical("a = 1"), "column 3: '=' compares nothing; write == for equal");
    EXPECT_EQ(canonical("a"), "column 2: one of >= <= > < == != includes excludes is wanted here");
    EXPECT_EQ(canonical("a includes 3"), "column 12: an argument in double quotes is wanted here");
    EXPECT_EQ(canonical("a includes \"\""), "column 14: what the set is said to hold is empty");
    EXPECT_EQ(canonical("a >="), "column 5: a metric is missing");
    EXPECT_EQ(canonical("a >= 5x"), "column 7: 'x' is not a unit; known are % us ms s m h d");
    EXPECT_EQ(canonical("a >= 1 and b > 2"),
              "column 8: something follows the comparison; write each comparison as its own item");
    EXPECT_EQ(canonical("a >= nan"), "a >= nan");  // a metric may be called so
    EXPECT_EQ(canonical("a >= 1e999"), "column 6: this is not a number");
    EXPECT_EQ(canonical("a(\"x >= 1"), "column 10: the closing double quote is missing");
    EXPECT_EQ(canonical("a() >= 1"), "column 3: an argument in double quotes is wanted here");
    EXPECT_FALSE(parse_comparison(std::string(comparison_bytes_max + 1, 'a')));
    EXPECT_FALSE(parse_comparison(std::string_view("a\0 > 1", 6)));
}

TEST(Comparison, MetricsMatchDescriptions) {
    const std::vector<MetricDescription> metrics = {{"core.accounts", "", ""},
                                                    {"<trace>.edges", "", ""},
                                                    {"<trace>.<window>.weight", "", ""},
                                                    {"blocked(<domain>)", "", ""}};
    EXPECT_NE(description_of("core.accounts", metrics), nullptr);
    EXPECT_NE(description_of("co-retweet.edges", metrics), nullptr);
    EXPECT_NE(description_of("co-retweet.60s.weight", metrics), nullptr);
    EXPECT_NE(description_of("blocked(\"signal.org\")", metrics), nullptr);
    EXPECT_EQ(description_of("core.account", metrics), nullptr);
    EXPECT_EQ(description_of(".edges", metrics), nullptr);
    EXPECT_EQ(description_of("co.retweet.edges", metrics), nullptr);
    EXPECT_EQ(nearest_metric("core.acounts", metrics), "core.accounts");
    EXPECT_EQ(nearest_metric("co-retweet.egdes", metrics), "co-retweet.edges");
    EXPECT_EQ(nearest_metric("something.else.entirely.different", metrics), "");
}
