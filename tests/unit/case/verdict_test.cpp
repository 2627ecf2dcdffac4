#include "case/verdict.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "fake.hpp"

using namespace unveil;

namespace {

class Judge : public testing::Test {
  protected:
    ClaimVerdict judged(const std::vector<std::string>& holds, ClaimKind kind = ClaimKind::measured) {
        CaseClaim claim{"id",
                        "text",
                        kind,
                        &m_instrument,
                        {0},
                        {},
                        {},
                        ParameterValues(m_instrument.description().parameters),
                        {},
                        {}};
        for (const auto& text : holds) claim.holds.push_back(*parse_comparison(text));
        Findings findings;
        for (const auto& [metric, low, high] :
             {std::tuple{"exact.count", 10.0, 10.0}, std::tuple{"wide.share", 0.4, 0.6}}) {
            findings.items.emplace_back();
            findings.items.back().metric = metric;
            findings.items.back().value = (low + high) / 2;
            findings.items.back().low = low;
            findings.items.back().high = high;
        }
        findings.items.push_back(findings.items.back());
        findings.items.back().metric = "bound.edges";
        findings.items.back().low = 0;
        findings.items.back().high = 5;
        findings.items.back().level = 1;
        findings.items.back().caveat = "A higher limit settles it.";
        findings.items.emplace_back();
        findings.items.back().metric = "began";
        findings.items.back().value = 1'709'294'400;
        findings.items.back().low = 1'709'251'200;
        findings.items.back().high = 1'709'424'000;
        findings.items.emplace_back();
        findings.items.back().metric = "found";
        findings.items.back().value = findings.items.back().low = 3;
        findings.items.back().high = std::numeric_limits<double>::infinity();
        findings.items.back().level = 1;
        findings.items.back().caveat = "What was not sent is not known.";
        findings.items.emplace_back();
        findings.items.back().metric = "rules";
        findings.items.back().is_set = true;
        findings.items.back().members = {"a", "b + c"};
        findings.items.back().non_members = {"d"};
        findings.items.emplace_back();
        findings.items.back().metric = "blocked";
        findings.items.back().is_set = true;
        findings.items.back().members = {"signal.org@AS1"};
        findings.items.back().non_members = {"signal.org@AS2"};
        return judge(claim, findings, {35125, "post", 0, 12 * 86'400'000'000});
    }
    test::CountingInstrument m_instrument;
};

}  // namespace

TEST_F(Judge, AllComparisonsDecideTogether) {
    EXPECT_EQ(judged({"exact.count >= 10", "wide.share > 0.3"}).decision, Decision::supported);
    EXPECT_EQ(judged({"exact.count >= 10", "wide.share > 0.5"}).decision, Decision::undetermined);
    EXPECT_EQ(judged({"exact.count >= 11", "wide.share > 0.5"}).decision, Decision::contradicted);
    EXPECT_EQ(judged({"exact.count >= 11", "none.such > 1"}).decision, Decision::contradicted);
    EXPECT_EQ(judged({"exact.count >= 10", "none.such > 1"}).decision, Decision::undetermined);
}

// Goal: what is compared with a date is told as one. Method: an interval of two days around a moment, against days before, in and behind it, and
// against a plain number.
TEST_F(Judge, TellsDatesAsDates) {
    EXPECT_EQ(judged({"began >= 2024-03-01"}).sentence, "began is 2024-03-01T12:00:00Z (2024-03-01 to 2024-03-03), at least 2024-03-01");
    EXPECT_EQ(judged({"began < 2024-03-01"}).decision, Decision::contradicted);
    EXPECT_EQ(judged({"began <= 2024-03-02"}).decision, Decision::undetermined);
    EXPECT_EQ(judged({"began <= 2024-03-03"}).decision, Decision::supported);
    EXPECT_EQ(judged({"began > 5"}).sentence, "began is 1,709,294,400 (1,709,251,200 to 1,709,424,000), more than 5");
}

TEST_F(Judge, SaysWhyAndWhatWouldSettleIt) {
    const auto contradicted = judged({"exact.count >= 11", "wide.share > 0.5"});
    EXPECT_EQ(contradicted.sentence, "exact.count is 10, below 11");
    EXPECT_THAT(contradicted.deciding, testing::ElementsAre("exact.count"));
    EXPECT_EQ(contradicted.settles, "");
    const auto open = judged({"wide.share > 50%"});
    EXPECT_EQ(open.sentence,
              "wide.share is 0.5 (0.4 to 0.6); the interval leaves open whether it is more than 50%");
    EXPECT_EQ(open.settles, "More evidence, so that the interval of wide.share lies on one side of 50%");
    // What was left out on purpose does not come back with more evidence.
    const auto bounded = judged({"bound.edges > 3"});
    EXPECT_EQ(bounded.decision, Decision::undetermined);
    EXPECT_EQ(bounded.settles, "More evidence does not narrow bound.edges: A higher limit settles it");
    EXPECT_EQ(judged({"wide.share < bound.edges"}).settles, bounded.settles);
    EXPECT_EQ(judged({"kinds.share(\"long posts\") > 0.5"}).settles, "A run that measures 'kinds.share(\"long posts\")', which needs kinds = true");
    const auto missing = judged({"exact.cuont > 1"});
    EXPECT_EQ(missing.sentence, "the run has no finding 'exact.cuont'");
    EXPECT_THAT(missing.settles, testing::HasSubstr("'exact.count', which it has"));
}

// Goal: what was found is the least there is where nobody can know the rest. Method: a count of 3 that is open above, against less and more.
TEST_F(Judge, WhatIsOpenAboveIsNeverTooLittle) {
    EXPECT_EQ(judged({"found >= 3"}).sentence, "found is 3 or more, at least 3");
    EXPECT_EQ(judged({"found > 2"}).decision, Decision::supported);
    EXPECT_EQ(judged({"found < 3"}).decision, Decision::contradicted);
    EXPECT_EQ(judged({"found == 2"}).decision, Decision::contradicted);
    const auto open = judged({"found >= 4"});
    EXPECT_EQ(open.decision, Decision::undetermined);
    EXPECT_EQ(open.sentence, "found is 3 or more; the interval leaves open whether it is at least 4");
    EXPECT_EQ(open.settles, "More evidence can only raise found: What was not sent is not known");
    EXPECT_EQ(judged({"found == 3"}).decision, Decision::undetermined);
    EXPECT_EQ(judged({"found <= 100"}).decision, Decision::undetermined);
}

TEST_F(Judge, SetsAreDecidedByWhatWasTested) {
    const auto supported = judged({"rules includes \"b + c\"", "rules excludes \"d\""});
    EXPECT_EQ(supported.decision, Decision::supported);
    EXPECT_EQ(supported.sentence, "rules holds \"b + c\"; rules does not hold \"d\", which was tested");
    EXPECT_EQ(judged({"rules includes \"d\""}).decision, Decision::contradicted);
    EXPECT_EQ(judged({"rules excludes \"a\""}).decision, Decision::contradicted);
    const auto unknown = judged({"rules includes \"e\""});
    EXPECT_EQ(unknown.decision, Decision::undetermined);
    EXPECT_EQ(unknown.settles, "Evidence that tests \"e\" by itself");
    EXPECT_EQ(judged({"exact.count includes \"a\""}).sentence, "'exact.count' is a number, not a set");
}

// Goal: a pair has a number by the set that holds pairs. Method: members, what was tested, what nobody tested, and what is no set.
TEST_F(Judge, PairsOfASetAreAskedByTheirParts) {
    const auto blocked = judged({"blocked(\"signal.org\", \"AS1\") == 1"});
    EXPECT_EQ(blocked.decision, Decision::supported);
    EXPECT_EQ(blocked.sentence, "blocked(\"signal.org\", \"AS1\") is 1, equal to 1");
    EXPECT_THAT(blocked.deciding, testing::ElementsAre("blocked"));
    EXPECT_EQ(judged({"blocked(\"signal.org\", \"AS2\") == 1"}).decision, Decision::contradicted);
    EXPECT_EQ(judged({"blocked(\"signal.org\", \"AS2\") < 1"}).decision, Decision::supported);
    EXPECT_EQ(judged({"blocked(\"signal.org\", \"AS1\") > blocked(\"signal.org\", \"AS2\")"}).decision, Decision::supported);
    const auto open = judged({"blocked(\"signal.org\", \"AS3\") >= 1"});
    EXPECT_EQ(open.decision, Decision::undetermined);
    EXPECT_EQ(open.sentence, "\"signal.org@AS3\" was neither found in blocked nor tested alone");
    EXPECT_EQ(open.settles, "Evidence that tests \"signal.org@AS3\" by itself");
    EXPECT_EQ(judged({"blocked(\"signal.org\") == 1"}).sentence, "the run has no finding 'blocked(\"signal.org\")'");
    EXPECT_EQ(judged({"exact.count(\"signal.org\", \"AS1\") == 1"}).decision, Decision::undetermined);
}

TEST_F(Judge, NothingProvesANever) {
    for (const auto kind : {ClaimKind::only, ClaimKind::never}) {
        const auto open = judged({"exact.count == 10"}, kind);
        EXPECT_EQ(open.decision, Decision::undetermined);
        EXPECT_EQ(open.sentence, "nothing contradicts it in 35,125 posts over 12 days");
        EXPECT_NE(open.settles, "");
        EXPECT_EQ(judged({"exact.count == 11"}, kind).decision, Decision::contradicted);
        EXPECT_THAT(judged({"wide.share > 0.5"}, kind).sentence, testing::HasSubstr("leaves open"));
    }
}

TEST(Spoken, Numbers) {
    EXPECT_EQ(spoken_number(0), "0");
    EXPECT_EQ(spoken_number(-0.0), "0");
    EXPECT_EQ(spoken_number(999), "999");
    EXPECT_EQ(spoken_number(1000), "1,000");
    EXPECT_EQ(spoken_number(-1234567), "-1,234,567");
    EXPECT_EQ(spoken_number(0.12345), "0.1235");
    EXPECT_EQ(spoken_number(12.5), "12.5");
    EXPECT_EQ(spoken_number(1234.56), "1,234.6");
    EXPECT_EQ(spoken_number(0.00001), "1e-05");
    EXPECT_EQ(spoken_span(0), "0 seconds");
    EXPECT_EQ(spoken_span(3'600'000'000), "1 hour");
    EXPECT_EQ(spoken_span(90 * 60'000'000LL), "1.5 hours");
}
