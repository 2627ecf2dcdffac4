// Goal: a log of trials reads back as it was written, and none that was changed passes. Method: write logs line by line with the
// functions that the field uses, then damage them in every way a person or a crash could.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/digest.hpp"
#include "core/error.hpp"
#include "evidence/trial_log.hpp"
#include "table/rule.hpp"

namespace unveil {
namespace {

using ::testing::HasSubstr;

Trial trial_of(std::string input, Outcome outcome) {
    Trial trial;
    trial.time_us = 1'600'000'000'000'000;
    trial.context = "cn/group";
    trial.account = "a1";
    trial.step = "certify";
    trial.subject = "six + four";
    trial.detail = "nothing";
    trial.input = std::move(input);
    trial.outcome = outcome;
    trial.price = 1.5;
    return trial;
}

std::vector<std::string> lines_of(const std::vector<Trial>& trials, const ContextAttributes& attributes = {}) {
    std::vector<std::string> lines{trial_header_line({"filter", "chat of the lab", "\n", 7, attributes})};
    for (const auto& trial : trials) lines.push_back(trial_line(trial, sha256_hex(lines.back())));
    return lines;
}

std::string joined(const std::vector<std::string>& lines) {
    std::string text;
    for (const auto& line : lines) text += line + "\n";
    return text;
}

struct ReadLog {
    std::vector<Trial> trials;
    SourceReport report;
    TrialLogHeader header;
};

ReadLog read(const std::string& text, std::size_t piece_bytes = SIZE_MAX) {
    const auto source = open_trials_from(memory_input(text, piece_bytes), "log.jsonl", 3, EvidenceLimits{});
    ReadLog log;
    std::vector<Trial> batch;
    while (source->next(batch)) log.trials.insert(log.trials.end(), batch.begin(), batch.end());
    log.report = source->report();
    log.header = source->header();
    return log;
}

std::string error_of(const std::string& text) {
    try {
        read(text);
    } catch (const Error& error) {
        return error.what();
    }
    return "no error";
}

TEST(TrialLog, ReadsBackWhatWasWritten) {
    auto partial = trial_of("line <one>\nline \"two\"", Outcome::partial);
    partial.spans = {{0, 4}, {5, 8}};
    partial.reply_sha256 = sha256_hex("reply");
    const auto text = joined(lines_of({trial_of("六\n四", Outcome::blocked), partial, trial_of("", Outcome::unknown)}));
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, SIZE_MAX}) {
        const ReadLog log = read(text, piece);
        EXPECT_EQ(log.header.separator, "\n");
        EXPECT_EQ(log.header.seed, 7u);
        ASSERT_EQ(log.trials.size(), 3u);
        EXPECT_EQ(log.trials[0].input, "六\n四");
        EXPECT_EQ(log.trials[0].row, 1u);
        EXPECT_EQ(log.trials[0].evidence, 3u);
        EXPECT_EQ(log.trials[0].outcome, Outcome::blocked);
        EXPECT_EQ(log.trials[0].time_us, 1'600'000'000'000'000);
        EXPECT_EQ(log.trials[0].price, 1.5);
        EXPECT_EQ(log.trials[1].input, partial.input);
        EXPECT_EQ(log.trials[1].spans[1].end, 8u);
        EXPECT_EQ(log.trials[1].reply_sha256, partial.reply_sha256);
        EXPECT_EQ(log.trials[2].outcome, Outcome::unknown);
        EXPECT_EQ(log.report.tally.kept(), 3u);
        EXPECT_EQ(log.report.sha256, sha256_hex(text));
    }
}

TEST(TrialLog, SaysWhatItsContextsAreAndWhereATextIsFrom) {
    const ContextAttributes attributes{{"cn/group", {{"country", "CN"}, {"network", "a \"b\""}}}, {"ca", {{"country", "CA"}}}};
    auto text = trial_of("six four", Outcome::blocked);
    text.source = "https://example.org/a 2020-01-31";
    const ReadLog log = read(joined(lines_of({text, trial_of("a", Outcome::passed)}, attributes)));
    EXPECT_EQ(log.header.attributes, attributes);
    EXPECT_EQ(log.trials[0].source, text.source);
    EXPECT_EQ(log.trials[1].source, "");
    auto lines = lines_of({text}, attributes);
    lines[0] = trial_header_line({"filter", "chat of the lab", "\n", 7});
    EXPECT_THAT(error_of(joined(lines)), HasSubstr("does not follow")) << "what was said of the contexts is in the chain";
    // What is no text says nothing.
    const std::string odd = "{\"unveil_log\":1,\"experiment\":\"filter\",\"contexts\":{\"a\":5,\"b\":{\"country\":7,\"language\":\"zh\"}}}\n";
    EXPECT_EQ(read(odd).header.attributes, (ContextAttributes{{"b", {{"language", "zh"}}}}));
}

TEST(TrialLog, NothingCanBeTakenOutOrChanged) {
    const auto lines = lines_of({trial_of("a", Outcome::blocked), trial_of("b", Outcome::passed), trial_of("c", Outcome::passed)});
    auto without = lines;
    without.erase(without.begin() + 2);
    EXPECT_THAT(error_of(joined(without)), HasSubstr("does not follow"));
    auto swapped = lines;
    std::swap(swapped[1], swapped[2]);
    EXPECT_THAT(error_of(joined(swapped)), HasSubstr("log.jsonl:2"));
    auto changed = lines;
    changed[1].replace(changed[1].find("blocked"), 7, "passed\"");
    EXPECT_NE(error_of(joined(changed)), "no error");
    auto other_header = lines;
    other_header[0] = trial_header_line({"filter", "another service", "\n", 7});
    EXPECT_THAT(error_of(joined(other_header)), HasSubstr("does not follow"));
    auto broken = lines;
    broken.insert(broken.begin() + 2, "{\"time\":");
    EXPECT_THAT(error_of(joined(broken)), HasSubstr("does not follow"));
}

TEST(TrialLog, ACutLastLineIsCountedAndTheRestRead) {
    const auto text = joined(lines_of({trial_of("a", Outcome::blocked), trial_of("b", Outcome::passed)}));
    const ReadLog log = read(text.substr(0, text.size() - 20));
    EXPECT_EQ(log.trials.size(), 1u);
    EXPECT_EQ(log.report.tally.skipped(), 1u);
}

TEST(TrialLog, ValuesThatNobodyKnowsAreSkippedAndLocated) {
    auto lines = lines_of({trial_of("a", Outcome::blocked)});
    auto line = trial_line(trial_of("b", Outcome::passed), sha256_hex(lines.back()));
    line.replace(line.find("\"passed\""), 8, "\"vanished\"");
    lines.push_back(line);
    lines.push_back(trial_line(trial_of("c", Outcome::passed), sha256_hex(lines.back())));
    const ReadLog log = read(joined(lines));
    EXPECT_EQ(log.trials.size(), 2u);
    EXPECT_EQ(log.trials[1].row, 3u);
    EXPECT_EQ(log.report.tally.skips().at("outcome not known").examples.front(), "log.jsonl:3: vanished");
}

TEST(TrialLog, OtherFilesAreNoLogs) {
    EXPECT_THAT(error_of("id,text\n1,a\n"), HasSubstr("no log of trials"));
    EXPECT_THAT(error_of("{\"unveil_log\":2,\"experiment\":\"filter\"}\n"), HasSubstr("version 2"));
    EXPECT_THAT(error_of("{\"unveil_log\":\n"), HasSubstr("JSON"));
    EXPECT_EQ(read(joined(lines_of({}))).trials.size(), 0u);
}

TEST(Rules, NotationAndComponents) {
    EXPECT_THAT(rule_components("a + b c +  d "), ::testing::ElementsAre("a", "b c", "d"));
    EXPECT_THAT(rule_components("c++"), ::testing::ElementsAre("c++"));
    EXPECT_TRUE(rule_components(" +  + ").empty());
    EXPECT_TRUE(rule_components("").empty());
    EXPECT_EQ(rule_notation(std::vector<std::string>{"a", "b"}), "a + b");
}

}  // namespace
}  // namespace unveil
