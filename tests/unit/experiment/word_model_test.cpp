// Goal: the model's probabilities are probabilities, learn what they should, and never leave out a place. Method: small texts, and random ones.
#include <gtest/gtest.h>

#include <cmath>

#include "core/random.hpp"
#include "experiment/filter/characters.hpp"
#include "experiment/filter/word_model.hpp"
#include "table/rule.hpp"

namespace unveil {
namespace {

double share(const WordModel::Starts& starts, std::size_t place) {
    return (starts.cumulative[place + 1] - starts.cumulative[place]) / starts.cumulative.back();
}

TEST(Characters, PackAndUnpack) {
    for (const std::string text : {"", "a", "六四x", "😀\u0301", "\xFF\x80\x80\x80\x80 broken \xE5"}) EXPECT_EQ(bytes_of(characters_of(text)), text);
    EXPECT_EQ(characters_of("六四x").size(), 3u);
    EXPECT_EQ(last_character_begin("六四"), 3u);
}

TEST(WordModel, ProbabilitiesAddUpAndNoPlaceIsLeftOut) {
    Random random(5);
    WordModel model({{U"ab", U"bc", U"abc"}, true});
    model.note_background(U"the quick brown fox jumps over the lazy dog");
    for (int round = 0; round < 300; ++round) {
        std::u32string characters;
        for (std::uint64_t n = 1 + random.below(60); n > 0; --n) characters += static_cast<char32_t>('a' + random.below(5));
        const auto text = model.look_at(characters);
        const std::size_t offset = random.below(characters.size());
        const std::vector<std::u32string> found = round % 2 == 0 ? std::vector<std::u32string>{} : std::vector<std::u32string>{U"ab"};
        const auto starts = model.starts(text, offset, found);
        ASSERT_EQ(starts.cumulative.size(), characters.size() - offset + 2);
        EXPECT_NEAR(starts.cumulative.back(), 1, 1e-9);
        for (std::size_t i = 1; i < starts.cumulative.size(); ++i) EXPECT_GE(starts.cumulative[i], starts.cumulative[i - 1]);
        const auto lengths = model.lengths(text, offset, offset, starts, found);
        ASSERT_EQ(lengths.size(), std::min(WordModel::lengths_max, characters.size() - offset) + 1);
        for (std::size_t i = 1; i < lengths.size(); ++i) EXPECT_GT(lengths[i], lengths[i - 1]);
        if (round % 10 == 0) model.note_rule({characters.substr(0, 2), U"zz"});
    }
}

/// Of words that were not seen in harmless text, so many stand in the next one as in the last stood for the first time.
TEST(WordModel, UnseenWordsOfALongListAreNotTakenForRules) {
    Random random(11);
    const auto word = [&] {
        std::u32string characters;
        for (int i = 0; i < 3; ++i) characters += static_cast<char32_t>(0x4E00 + random.below(5000));
        return characters;
    };
    std::vector<std::u32string> lexicon;
    for (int i = 0; i < 4000; ++i) lexicon.push_back(word());
    // A third of what people write are words of the list.
    const auto text = [&](std::size_t words) {
        std::u32string characters;
        for (std::size_t i = 0; i < words; ++i) characters += i % 3 == 0 ? lexicon[random.below(lexicon.size())] : word();
        return characters;
    };
    WordModel model({lexicon, true});
    model.note_background(text(3000));
    const auto starts = model.starts(model.look_at(text(600)), 0, {});
    double novel = 0;
    double hazards = 0;
    double alive = 1;
    for (std::size_t i = 0; i < starts.novel.size(); ++i) {
        const double share_here = starts.cumulative[i + 1] - starts.cumulative[i];
        hazards += alive > 0 ? share_here / alive : 0;
        alive -= share_here;
        novel += starts.novel[i];
    }
    EXPECT_LT(hazards - novel, 4) << "two hundred words of the list stand there, and at most a few may belong to a rule";
}

TEST(WordModel, LearnsFromListsRulesAndHarmlessText) {
    const std::u32string text = U"the cat sat on the mat";
    const auto at_mat = [&](const WordModel& model, const std::vector<std::u32string>& found = {}) {
        return share(model.starts(model.look_at(text), 0, found), 19);
    };
    const WordModel cold({{}, true});
    WordModel listed({{U"mat"}, true});
    EXPECT_GT(at_mat(listed), 2 * at_mat(cold));
    const double before = at_mat(listed);
    listed.note_rule({U"mat", U"cat"});
    EXPECT_GT(at_mat(listed, {U"cat"}), before) << "they were in one rule before";
    WordModel common({{U"mat"}, true});
    for (int i = 0; i < 200; ++i) common.note_background(U"a mat is a mat ");
    EXPECT_LT(at_mat(common), at_mat(listed)) << "it stands in harmless text";
    WordModel forgetful({{}, false});
    const double unlearnt = at_mat(forgetful);
    forgetful.note_rule({U"mat"});
    EXPECT_EQ(at_mat(forgetful), unlearnt);
}

}  // namespace
}  // namespace unveil
