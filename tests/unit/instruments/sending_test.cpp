// Goal: what a log shows of how a platform treats senders is told as far as it goes, and nothing else is; what an account that is shut says counts for
// nothing, and what the others say does. Method: trials made by hand.
#include <gtest/gtest.h>

#include "instruments/filter/sending.hpp"
#include "table/trial_book.hpp"

namespace unveil::filter {
namespace {

struct Sent {
    std::string step;
    std::string detail;
    std::string input;
    Outcome outcome = Outcome::passed;
    std::string account = "a";
    std::int64_t retry_after_us = 0;
};

Findings findings_of(const std::vector<Sent>& sent) {
    SendingBook book;
    for (const Sent& one : sent) {
        Trial trial;
        trial.context = "cn";
        trial.account = one.account;
        trial.step = one.step;
        trial.detail = one.detail;
        trial.input = one.input;
        trial.outcome = one.outcome;
        trial.retry_after_us = one.retry_after_us;
        book.add(trial);
    }
    Findings findings;
    describe_sending(book, findings);
    return findings;
}

TEST(Sending, OfALogWithoutItNothingIsSaid) {
    const Findings findings = findings_of({{"control", "pass", "hello"}, {"scan", "", "a longer text", Outcome::blocked}, {"scan", "", "lost", Outcome::unknown}});
    EXPECT_TRUE(findings.items.empty());
    EXPECT_TRUE(findings.notes.empty());
}

TEST(Sending, LengthsAreBetweenWhatWasTakenAndWhatWasNot) {
    const std::string ten = "六六六六六六六六六六";
    const Findings found = findings_of({{"calibrate", "20 characters", ten + ten, Outcome::rejected}, {"calibrate", "10 characters", ten}, {"scan", "", ten + "x", Outcome::blocked}});
    const Finding* length = found.find("length.characters");
    ASSERT_NE(length, nullptr);
    EXPECT_EQ(length->low, 11);
    EXPECT_EQ(length->high, 19);
    EXPECT_EQ(findings_of({{"calibrate", "20 characters", ten + ten, Outcome::rejected, "a", 1'000'000}}).find("length.characters"), nullptr) << "it came too fast";
    // One block may be a wrong answer.
    EXPECT_EQ(findings_of({{"calibrate", "20 characters", ten + ten, Outcome::blocked}}).find("length.characters"), nullptr);
    EXPECT_NE(findings_of({{"calibrate", "20 characters", ten + ten, Outcome::blocked}, {"calibrate", "20 characters, again", ten + ten, Outcome::blocked}}).find("length.characters"), nullptr);
    const Findings contradicting = findings_of({{"scan", "", ten, Outcome::rejected}, {"scan", "", ten + ten}});
    EXPECT_EQ(contradicting.find("length.characters"), nullptr);
    EXPECT_EQ(contradicting.notes.size(), 1u);
}

TEST(Sending, MemoryHasAShareAndAPause) {
    const Sent blocked{"calibrate", "0 s after a block", "hello", Outcome::blocked};
    const Findings found = findings_of({blocked, blocked, blocked, {"calibrate", "30 s after a block", "hello", Outcome::blocked}, {"calibrate", "300 s after a block", "hello"}});
    EXPECT_EQ(found.find("after_block.blocked_share")->value, 1);
    EXPECT_GT(found.find("after_block.blocked_share")->low, 0.4);
    EXPECT_EQ(found.find("after_block.pause_seconds")->value, 300);
    EXPECT_EQ(found.find("after_block.pause_seconds")->low, 30);
    const Findings none = findings_of({{"calibrate", "0 s after a block", "hello"}});
    EXPECT_EQ(none.find("after_block.pause_seconds"), nullptr);
    EXPECT_GT(none.find("after_block.blocked_share")->high, 0.7) << "one message shows little";
}

TEST(Sending, StrictnessTakesTwoBlocksOfWhatCameThroughBefore) {
    const Sent before{"calibrate", "before a block", "ba\nd"};
    const Sent after{"calibrate", "after a block", "ba\nd", Outcome::blocked};
    EXPECT_NE(findings_of({before, after, after}).find("after_block.stricter"), nullptr);
    EXPECT_EQ(findings_of({before, after}).find("after_block.stricter"), nullptr);
    EXPECT_EQ(findings_of({before, after, after, {"calibrate", "after a block", "ba\nd"}}).find("after_block.stricter"), nullptr);
    EXPECT_EQ(findings_of({before}).find("after_block.stricter"), nullptr);
}

TEST(Sending, AccountsAreLostWhenTheyAreBannedOrBlockEverything) {
    std::vector<Sent> sent = {{"scan", "", "text", Outcome::banned, "a"}, {"scan", "", "text", Outcome::passed, "b"}};
    EXPECT_EQ(findings_of(sent).find("accounts.lost")->value, 1);
    sent.push_back({"scan", "", "text", Outcome::passed, "a"});
    EXPECT_EQ(findings_of(sent).find("accounts.lost")->value, 0) << "it works again";
    for (int i = 0; i < 3; ++i) sent.push_back({"control", "pass", "hello", Outcome::blocked, "b"});
    EXPECT_EQ(findings_of(sent).find("accounts.lost")->value, 1);
    EXPECT_EQ(findings_of({{"scan", "", "text"}}).find("accounts"), nullptr) << "one account is nothing to tell";
}

TEST(TrialBook, AShutAccountVoidsItsOwnAnswersAlone) {
    TrialBook book;
    std::int64_t time_us = 0;
    const auto add = [&](const char* account, const char* step, const char* input, Outcome outcome) {
        Trial trial;
        trial.time_us = ++time_us;
        trial.row = static_cast<std::uint64_t>(time_us);
        trial.context = "cn";
        trial.account = account;
        trial.step = step;
        trial.detail = trial.step == "control" ? "pass" : "";
        trial.input = input;
        trial.outcome = outcome;
        book.add(trial);
    };
    add("a", "control", "hello", Outcome::passed);
    add("a", "scan", "before", Outcome::blocked);
    add("a", "control", "hello", Outcome::passed);
    add("a", "scan", "after", Outcome::blocked);
    add("b", "scan", "rule", Outcome::blocked);
    for (int i = 0; i < 3; ++i) add("a", "control", "hello", Outcome::blocked);
    add("b", "control", "hello", Outcome::passed);
    book.finish(0.99);
    EXPECT_EQ(book.answers("cn", "before").blocked, 1u);
    EXPECT_EQ(book.answers("cn", "after").tries(), 0u);
    EXPECT_EQ(book.answers("cn", "rule").blocked, 1u);
    EXPECT_EQ(book.noise().answers_void, 4u);
    EXPECT_EQ(book.noise().wrongly_blocked, 0u);
}

}  // namespace
}  // namespace unveil::filter
