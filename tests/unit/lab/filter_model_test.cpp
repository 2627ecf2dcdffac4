// Goal: the description of a filter says what it is, and takes no list of words for something else. Method: campaigns against filters of a few lines: lists of words with and
// without wrong answers, and a filter that weighs the whole text as a learnt one does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "../instruments/memory_trials.hpp"
#include "core/output_table.hpp"
#include "core/random.hpp"
#include "experiment/filter/campaign.hpp"
#include "instruments/filter/filter.hpp"

namespace unveil {
namespace {

using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;

using Blocks = std::function<bool(const std::string&)>;

struct Faults {
    double slip = 0;
    double wrong_block = 0;
};

Findings described(std::vector<std::string> texts, const Blocks& blocks, std::uint64_t seed, Faults faults = {}) {
    CampaignPlan plan;
    for (std::size_t i = 0; i < texts.size(); ++i) plan.texts.push_back({"text " + std::to_string(i + 1), std::move(texts[i])});
    plan.contexts = {"home"};
    plan.known_blocked = "zyzy";
    plan.known_passed = "hello";
    plan.seed = seed;
    Campaign campaign(std::move(plan));
    Random random(seed, 0xfa);
    std::vector<Trial> trials;
    while (const auto message = campaign.next()) {
        Trial trial = trial_of(*message);
        trial.time_us = static_cast<std::int64_t>(trials.size()) * 1'000'000;
        const bool is_blocked = message->input.find("zyzy") != std::string::npos || blocks(message->input);
        trial.outcome = random.chance(is_blocked ? 1 - faults.slip : faults.wrong_block) ? Outcome::blocked : Outcome::passed;
        trials.push_back(trial);
        campaign.answer(trial);
    }
    test::MemoryTrials source(std::move(trials), "");
    InstrumentInputs inputs;
    inputs.trials.push_back(&source);
    const Filter filter;
    NoOutputTables tables;
    SilentProgress progress;
    InstrumentContext context{0, 1, {"/var/tmp", 1 << 20}, tables, progress};
    return filter.run(inputs, ParameterValues(filter.description().parameters), context);
}

std::string word(Random& random, std::size_t letters) {
    std::string text;
    for (std::size_t i = 0; i < letters; ++i) text += static_cast<char>('a' + random.below(25));   // no z
    return text;
}

struct WordList {
    std::vector<std::vector<std::string>> rules;
    std::vector<std::string> texts;
    bool blocks(const std::string& text) const {
        for (const auto& rule : rules) {
            bool holds_all = true;
            for (const auto& part : rule) holds_all = holds_all && text.find(part) != std::string::npos;
            if (holds_all) return true;
        }
        return false;
    }
};

WordList word_list(std::uint64_t seed, std::size_t rules) {
    Random random(seed, 0x11);
    WordList list;
    for (std::size_t i = 0; i < rules; ++i) {
        auto& rule = list.rules.emplace_back();
        for (std::uint64_t n = 1 + random.below(3); n > 0; --n) rule.push_back(word(random, 4 + random.below(3)));
        std::string text = word(random, 30);
        for (const auto& part : rule) text += " " + part + " " + word(random, 20);
        list.texts.push_back(text);
    }
    return list;
}

TEST(FilterModel, AListOfWordsIsNamedAsOne) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        const WordList list = word_list(seed, 40);
        const Findings findings = described(list.texts, [&](const std::string& text) { return list.blocks(text); }, seed);
        const Finding* model = findings.find("model");
        EXPECT_THAT(model->members, IsSupersetOf({"acts across lines", "combinations"}));
        EXPECT_THAT(model->non_members, IsSupersetOf({"acts on parts", "beyond word lists", "wrong answers"}));
        for (const char* unknown : {"acts on output", "distance", "exceptions", "several lists"}) {
            EXPECT_THAT(model->members, Not(Contains(unknown)));
            EXPECT_THAT(model->non_members, Not(Contains(unknown))) << "nothing was tested that could show it";
        }
        EXPECT_EQ(findings.find("model.unexplained_share")->value, 0);
        EXPECT_LE(findings.find("model.unexplained_share")->high, 0.1);
    }
}

/// Texts that are blocked by a wrong answer, and rules that stay open, are no sign of another kind of filter.
TEST(FilterModel, WrongAnswersMakeNoOtherKindOfFilter) {
    int inconsistent = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        WordList list = word_list(seed, 25);
        Random random(seed, 0x12);
        for (int i = 0; i < 25; ++i) list.texts.push_back(word(random, 100));
        const Findings findings = described(list.texts, [&](const std::string& text) { return list.blocks(text); }, seed, {.slip = 0.05, .wrong_block = 0.03});
        EXPECT_THAT(findings.find("model")->members, Not(Contains("beyond word lists"))) << seed << ": " << findings.find("model.unexplained_share")->sentence;
        EXPECT_THAT(findings.find("model")->members, Not(Contains("repeated words"))) << seed;
        const auto& members = findings.find("model")->members;
        inconsistent += std::count(members.begin(), members.end(), "wrong answers") > 0;
    }
    EXPECT_GE(inconsistent, 19);
}

/// The weight of all pairs of letters together, by the length of the text, decides: what is left of a blocked text is blocked or not as it happens.
TEST(FilterModel, AFilterThatWeighsTheWholeTextIsNotTakenForAListOfWords) {
    int described_filters = 0;
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        const auto weight = [&](char a, char b) { return std::sin(static_cast<double>(a) * 12.9898 + static_cast<double>(b) * 78.233 + static_cast<double>(seed)); };
        const auto blocks = [&](const std::string& text) {
            if (text.size() < 12) return false;
            double sum = 0;
            for (std::size_t i = 1; i < text.size(); ++i) sum += weight(text[i - 1], text[i]);
            return sum / std::sqrt(static_cast<double>(text.size())) > 0.7;
        };
        Random random(seed, 0x13);
        std::vector<std::string> texts;
        for (int i = 0; i < 200; ++i) texts.push_back(word(random, 60));
        const Findings findings = described(texts, blocks, seed);
        const auto& members = findings.find("model")->members;
        // Where it blocks what harmless messages are made of, the campaign refuses and nothing is said.
        if (findings.find("model.unexplained_share")->sentence.starts_with("0 of 0 texts")) {
            EXPECT_THAT(members, IsEmpty());
            continue;
        }
        ++described_filters;
        EXPECT_THAT(members, AnyOf(Contains("beyond word lists"), Contains("repeated words"))) << findings.find("model.unexplained_share")->sentence;
    }
    EXPECT_GE(described_filters, 3);
}

}  // namespace
}  // namespace unveil
