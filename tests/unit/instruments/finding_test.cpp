#include "instruments/finding.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <limits>

#include "core/error.hpp"
#include "core/random.hpp"

using namespace unveil;

namespace {

Finding plain(std::string metric) {
    Finding finding;
    finding.metric = std::move(metric);
    return finding;
}

Findings rich() {
    Findings findings;
    findings.notes = {"note </script><script>alert(1)</script>", "line\u2028separator\u2029 & so on"};
    findings.caveats = {"caveat \"quoted\"\n"};
    Finding finding = plain("co-retweet.edges");
    finding.subject = "accounts";
    finding.value = 0.1;
    finding.low = std::numeric_limits<double>::denorm_min();
    finding.high = std::numeric_limits<double>::max();
    finding.level = 0.95;
    finding.unit = "share";
    finding.strength = StrengthKind::likelihood_ratio;
    finding.strength_value = 1e-300;
    finding.sentence = "sentence";
    finding.caveat = "caveat";
    finding.locators = {{0, 1}, {4'294'967'295u, 18'446'744'073'709'551'615u}};
    finding.locators_total = 18'446'744'073'709'551'615u;
    finding.figure = {FigureKind::network,
                      "title",
                      "x",
                      "y",
                      {{"row", 1, 0.5, 2}},
                      {{"a<b>", "A", 1, 2.5}, {"c", "", 0, 0}},
                      {{0, 1, 3}},
                      "caption",
                      {{0, 19'723, 19'730.5, SpanState::uncertain}, {0, 19'731, 19'740, SpanState::blocked}}};
    finding.table = {{"c1", "c2"}, {{"1", "2"}, {"=cmd()", ""}}};
    Finding open = plain("open");
    open.high = std::numeric_limits<double>::infinity();
    findings.items = {finding, plain("empty"), open};
    return findings;
}

}  // namespace

// What is written reads back the same, and writing that gives the same bytes.
TEST(Finding, RoundTripIsExact) {
    const std::string json = findings_to_json(rich());
    const Findings back = findings_from_json(json);
    EXPECT_EQ(findings_to_json(back), json);
    ASSERT_EQ(back.items.size(), 3u);
    EXPECT_THAT(json, testing::HasSubstr(R"("metric":"open","subject":"","value":0.0,"low":0.0,"high":null)"));
    EXPECT_EQ(back.items[2].high, std::numeric_limits<double>::infinity());
    EXPECT_EQ(back.items[0].low, std::numeric_limits<double>::denorm_min());
    EXPECT_EQ(back.items[0].high, std::numeric_limits<double>::max());
    EXPECT_TRUE(back.items[0].locators.empty()) << "locators belong into locators.csv";
    EXPECT_EQ(back.items[0].figure.nodes[0].id, "a<b>");
    EXPECT_EQ(back.items[0].table.rows[1][0], "=cmd()");
    EXPECT_EQ(back.notes, rich().notes);
}

// Doubles of any bit pattern survive.
TEST(Finding, DoublesSurviveBitForBit) {
    Random random(1);
    for (int i = 0; i < 2000; ++i) {
        Findings findings;
        const std::uint64_t bits = random.next();
        double value;
        std::memcpy(&value, &bits, sizeof value);
        if (!std::isfinite(value)) continue;
        findings.items = {plain("m")};
        findings.items[0].value = findings.items[0].low = findings.items[0].high = value;
        const Findings back = findings_from_json(findings_to_json(findings));
        EXPECT_EQ(std::memcmp(&back.items[0].value, &value, sizeof value), 0);
    }
}

TEST(Finding, TextCannotLeaveAScriptElement) {
    const std::string json = findings_to_json(rich());
    EXPECT_EQ(json.find_first_of("<>&"), std::string::npos);
    EXPECT_EQ(json.find("\u2028"), std::string::npos);
    EXPECT_EQ(json.find("\u2029"), std::string::npos);
    EXPECT_THAT(json, testing::HasSubstr("\\u003c/script\\u003e"));
}

TEST(Finding, InvalidUtf8IsReplaced) {
    Findings findings;
    findings.notes = {
        "a\xff"
        "b"};
    EXPECT_EQ(findings_from_json(findings_to_json(findings)).notes[0],
              "a\uFFFD"
              "b");
}

TEST(Finding, OneFindingALine) {
    const std::string json = findings_to_json(rich());
    EXPECT_THAT(json, testing::HasSubstr("\n{\"metric\":\"co-retweet.edges\","));
    EXPECT_THAT(json, testing::HasSubstr("\n{\"metric\":\"empty\","));
}

TEST(Finding, OurOwnMistakesAreCaught) {
    Findings findings;
    findings.items = {plain("twice"), plain("twice")};
    EXPECT_THROW(findings_to_json(findings), Error);
    findings.items = {plain("nan")};
    findings.items[0].value = std::numeric_limits<double>::quiet_NaN();
    EXPECT_THROW(findings_to_json(findings), Error);
}

// Every way in which a file can lie about itself ends in Error(input), never in anything else.
TEST(Finding, HostileFilesAreRefused) {
    const std::string good = findings_to_json(rich());
    const auto kind_of = [](const std::string& json) {
        try {
            findings_from_json(json);
        } catch (const Error& error) {
            return error.kind();
        }
        return ErrorKind::internal;
    };
    const auto with = [&](const std::string& from, const std::string& to) {
        std::string bad = good;
        const auto at = bad.find(from);
        EXPECT_NE(at, std::string::npos) << from;
        return bad.replace(at, from.size(), to);
    };
    for (const std::string& bad :
         {std::string(), std::string("[]"), std::string("{}"), std::string("nonsense"),
          std::string(100'000, '['), with("\"schema_version\":1", "\"schema_version\":2"),
          with("[0,1,3.0]", "[0,2,3.0]"), with("[0,1,3.0]", "[0,-1,3.0]"), with("[0,1,3.0]", "[0,1e99,3.0]"),
          with("[0,1,3.0]", "[0]"), with("\"value\":0.1", "\"value\":1e999"),
          with("\"value\":0.1", "\"value\":null"), with("\"value\":0.1", "\"worth\":0.1"),
          with("\"strength\":\"likelihood-ratio\"", "\"strength\":\"sure\""),
          with("\"metric\":\"empty\"", "\"metric\":\"co-retweet.edges\""), with("\"low\":5e-324", "\"low\":2e308")})
        EXPECT_EQ(kind_of(bad), ErrorKind::input) << bad.substr(0, 80);
}

// Cut or flipped anywhere, the reader either reads or refuses.
TEST(Finding, DamagedFilesNeverCrash) {
    const std::string good = findings_to_json(rich());
    Random random(2);
    for (std::size_t i = 0; i < 3000; ++i) {
        std::string bad = good.substr(0, i % 3 == 0 ? random.below(good.size()) : good.size());
        for (int flips = 0; flips < 3 && !bad.empty(); ++flips)
            bad[random.below(bad.size())] = static_cast<char>(random.next());
        try {
            findings_from_json(bad);
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::input);
        }
    }
}
