// Goal: verify tells every change of a log that others can see, and each rule that a log does not prove. Method: a log of two rules made by hand, every byte of it
// changed, and tests left out, contradicted and added.
#include "case/verify_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "core/error.hpp"
#include "fake.hpp"
#include "table/rule.hpp"
#include "table/trial.hpp"

using namespace unveil;
using namespace unveil::test;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

class VerifyLog : public testing::Test {
  protected:
    VerifyLog() {
        for (int i = 0; i < 12; ++i) {
            add("control", "hello", "pass", "hello", Outcome::passed);
            add("control", "zz", "block", "zz", Outcome::blocked);
        }
        for (const auto& components : {std::vector<std::string>{"ab", "cd"}, {"efg"}})
            for (const auto& test : certificate_tests(components, "|"))
                add("certify", rule_notation(components), test.left_out, test.message, test.is_blocked_expected ? Outcome::blocked : Outcome::passed);
        add("compare", "efg", "", "efg", Outcome::passed, "abroad");
    }
    void add(std::string step, std::string subject, std::string detail, std::string input, Outcome outcome, std::string context = "cn") {
        Trial trial;
        trial.time_us = 1'000'000 * static_cast<std::int64_t>(m_trials.size());
        trial.context = std::move(context);
        trial.step = std::move(step);
        trial.subject = std::move(subject);
        trial.detail = std::move(detail);
        trial.input = std::move(input);
        trial.outcome = outcome;
        m_trials.push_back(std::move(trial));
    }
    std::string log() const {
        TrialChain chain({"filter", "a made-up service", "|", 1});
        std::string text = chain.header_line() + "\n";
        for (const Trial& trial : m_trials) text += chain.append(trial) + "\n";
        return text;
    }
    std::vector<Check> checks(const std::string& text, const std::string& published = {}) {
        write_text(m_folder / "log.jsonl", text);
        std::vector<Check> made;
        verify_log(m_folder / "log.jsonl", published, [&](Check check) { made.push_back(std::move(check)); }, m_progress);
        return made;
    }
    std::string published(const std::string& rules) {
        write_text(m_folder / "rules.txt", rules);
        return m_folder / "rules.txt";
    }
    static std::vector<std::string> bad(const std::vector<Check>& checks) {
        std::vector<std::string> found;
        for (const Check& check : checks)
            if (!check.is_good) found.push_back(check.subject + ": " + check.sentence);
        return found;
    }

    TemporaryFolder m_folder;
    SilentProgress m_progress;
    std::vector<Trial> m_trials;
};

TEST_F(VerifyLog, AWholeLogProvesItsRules) {
    const auto made = checks(log());
    EXPECT_THAT(bad(made), ElementsAre());
    ASSERT_EQ(made.size(), 4u);
    EXPECT_THAT(made[0].sentence, HasSubstr("33 messages"));
    EXPECT_EQ(made[1].subject, "rule 'ab + cd'");
    EXPECT_EQ(made[1].sentence, "in cn its 5 messages say so (lines 26, 27, 28, 29, 30)");
    EXPECT_EQ(made[2].sentence, "in cn its 3 messages say so (lines 31, 32, 33)");
    EXPECT_THAT(made[3].sentence, HasSubstr("certifies: 2; other combinations that were sent, which are no rules or lack answers: 0"));
    // A list may name them in any order, and must be proved whole.
    EXPECT_THAT(bad(checks(log(), published("cd + ab\nefg\n"))), ElementsAre());
    EXPECT_THAT(bad(checks(log(), published("# claimed\nab + cd\nnever\nab\n"))), ElementsAre("rule 'never': none of its messages is in the log", "rule 'ab': none of its messages is in the log"));
}

/// The last line has no successor: that its digest is another one is all there is to see.
TEST_F(VerifyLog, EveryChangedByteIsSeen) {
    const std::string whole = log();
    const std::string last_sha256 = checks(whole).front().sentence;
    const std::size_t last_line = whole.rfind('\n', whole.size() - 2) + 1;
    for (std::size_t at = 0; at < whole.size(); at += at < 100 || at > whole.size() - 20 ? 1 : 29) {
        std::string changed = whole;
        changed[at] ^= at % 2 == 0 ? 1 : 4;
        std::vector<Check> made;
        try {
            made = checks(changed);
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::input);
            continue;
        }
        if (at < last_line) EXPECT_FALSE(made.front().is_good) << at;
        else EXPECT_TRUE(!made.front().is_good || made.front().sentence != last_sha256 || at + 1 == whole.size()) << at;
    }
}

TEST_F(VerifyLog, LinesThatAreGoneAreSeen) {
    const std::string whole = log();
    std::vector<std::size_t> begins{0};
    for (std::size_t at = whole.find('\n'); at + 1 < whole.size(); at = whole.find('\n', at + 1)) begins.push_back(at + 1);
    for (std::size_t line = 1; line + 1 < begins.size(); ++line) {
        const auto made = checks(whole.substr(0, begins[line]) + whole.substr(begins[line + 1]));
        EXPECT_THAT(bad(made), ElementsAre(HasSubstr("does not follow"), HasSubstr("not looked at"))) << line;
    }
    // Cut between two lines it is a shorter log, which proves less.
    const std::string shorter = whole.substr(0, begins[28]);
    EXPECT_THAT(bad(checks(shorter)), ElementsAre());
    EXPECT_THAT(bad(checks(shorter, published("ab + cd\nefg\n"))),
                ElementsAre("rule 'ab + cd': in cn 2 of its 5 messages are missing: 'first of 2', 'last of 2'", "rule 'efg': none of its messages is in the log"));
    EXPECT_THAT(bad(checks(whole.substr(0, begins[28] + 30))), ElementsAre(HasSubstr("cannot be read"), HasSubstr("not looked at")));
}

TEST_F(VerifyLog, WhatContradictsARuleIsNamed) {
    const std::string both = published("ab + cd\nefg\n");
    auto without = m_trials;
    std::erase_if(m_trials, [](const Trial& trial) { return trial.detail == "last of 2"; });
    EXPECT_THAT(bad(checks(log(), both)), ElementsAre("rule 'ab + cd': in cn 1 of its 5 messages is missing: 'last of 2'"));
    m_trials = without;
    for (Trial& trial : m_trials)
        if (trial.input == "b|cd") trial.outcome = Outcome::blocked;
    EXPECT_THAT(bad(checks(log(), both)), ElementsAre("rule 'ab + cd': in cn 'first of 1' was blocked in line 27"));
    m_trials = without;
    // In another place only compared, and not blocked: nothing against the rule.
    for (Trial& trial : m_trials)
        if (trial.input == "efg" && trial.context == "cn") trial.outcome = Outcome::passed;
    EXPECT_THAT(bad(checks(log(), both)), ElementsAre(AllOf(HasSubstr("in cn 'nothing' passed in line 31"), HasSubstr("in abroad 2 of its 3 messages are missing"))));
    m_trials = without;
    add("further", "efg", "split of 1", "ef|fg", Outcome::blocked);
    EXPECT_THAT(bad(checks(log(), both)), ElementsAre("rule 'efg': in abroad 2 of its 3 messages are missing: 'first of 1', 'last of 1'; 'nothing' passed in line 34; in cn 'split of 1' was blocked in line 35"));
    // What is wrong at times must be sure.
    m_trials = without;
    add("control", "zz", "block", "zz", Outcome::passed);
    EXPECT_THAT(bad(checks(log(), both)), ElementsAre(HasSubstr("with a probability of 0."), HasSubstr("with a probability of 0.")));
}

TEST_F(VerifyLog, WhatIsNoListIsTold) {
    EXPECT_THROW((void)checks(log(), published("rule,context,certificate\nab,cn,open\n")), Error);
    EXPECT_THROW((void)checks(log(), m_folder / "nowhere"), Error);
    EXPECT_THROW((void)checks("hello\n"), Error);
}

}  // namespace
