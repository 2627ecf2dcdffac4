// Goal: rules are sorted as the labelled words say, in any order of them, and nothing is said without a reason. Method: small lists; every
// label of the table; the lists and the codebook that were published, where they are at hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "core/random.hpp"
#include "core/text.hpp"
#include "evidence/csv_reader.hpp"
#include "evidence/labelled_words.hpp"
#include "instruments/filter/codebook.hpp"
#include "instruments/filter/topics.hpp"

namespace unveil::filter {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<LabelledWord> list() {
    std::vector<LabelledWord> words;
    for (const char* word : {"casino", "online casino", "casino bonus", "betting", "sports betting", "lottery ticket", "赌博网站", "赌博", "网上赌博", "澳门赌场"}) words.push_back({word, "Gambling"});
    for (const char* word : {"学生运动", "六四事件", "六四", "天安门事件", "天安门", "民主运动", "学潮", "广场集会", "罢工", "游行示威"}) words.push_back({word, "Tiananmen Square (June 4 1989)"});
    for (const char* word : {"http://casino.example/a", "www.example.com", "Sina"}) words.push_back({word, "URLs"});
    return words;
}

TEST(Topics, LabelsAreMergedByTheTable) {
    EXPECT_EQ(topic_of_label("Tiananmen Square (June 4 1989)"), "events and protest");
    EXPECT_EQ(topic_of_label("CPC member / Gov official"), "party and leaders");
    EXPECT_EQ(topic_of_label("Prurient Interests"), "pornography");
    EXPECT_EQ(topic_of_label("Urumqi Riots (July 2009)"), "ethnic and religious") << "the first that fits";
    EXPECT_EQ(topic_of_label("foreign news"), "foreign news");
    for (const char* nothing : {"URLs", "Context unclear", "User names and id numbers", "Sina", "", "\xFF"}) EXPECT_EQ(topic_of_label(nothing), "") << nothing;
    for (const auto topic : topics()) EXPECT_EQ(topic_of_label(topic), topic);
    for (const auto& seed : seed_words()) EXPECT_NE(topic_of_label(seed.label), "") << seed.word;
}

TEST(Topics, WordsLikeTheLabelledOnesAreRecognisedAndOthersNot) {
    const TopicModel model(list());
    EXPECT_EQ(model.words_learnt(), 20u) << "what has no topic is not learnt";
    const TopicGuess casino = model.guess(std::vector<std::string>{"best casino"}, 0.7);
    EXPECT_EQ(casino.topic.name, "gambling");
    ASSERT_EQ(casino.neighbours.size(), 3u);
    EXPECT_THAT(casino.neighbours[0], ::testing::HasSubstr("casino"));
    EXPECT_EQ(model.guess(std::vector<std::string>{"天安门", "坦克"}, 0.7).topic.name, "events and protest");
    const TopicGuess unknown = model.guess(std::vector<std::string>{"ΩΨ"}, 0.7);
    EXPECT_EQ(unknown.topic.name, "");
    EXPECT_THAT(unknown.neighbours, IsEmpty());
    EXPECT_EQ(model.guess(std::vector<std::string>{"天安门", "赌场里"}, 1.1).topic.name, "events and protest") << "one labelled word stands in it";
    EXPECT_EQ(model.guess(std::vector<std::string>{"天安门", "赌博"}, 1.1).topic.name, "") << "two of different topics say nothing";
}

TEST(Topics, WhatSomebodySaidOverrules) {
    auto words = list();
    words.push_back({"casino + b", "health", true});
    const TopicModel model(words);
    const TopicGuess guess = model.guess(std::vector<std::string>{"b", "casino"}, 0.7);
    EXPECT_EQ(guess.topic.name, "health");
    EXPECT_TRUE(guess.topic.is_said);
    EXPECT_EQ(guess.topic.probability, 1);
}

TEST(Topics, TheOrderOfTheListDoesNotMatter) {
    auto words = list();
    for (LabelledWord& word : words) word.category = word.label;
    const TopicModel first(words);
    Random random(4);
    for (int round = 0; round < 5; ++round) {
        for (std::size_t i = words.size(); i > 1; --i) std::swap(words[i - 1], words[random.below(i)]);
        const TopicModel other(words);
        for (const char* word : {"casino night", "民主", "x"}) {
            const std::vector<std::string> components{word};
            EXPECT_EQ(first.guess(components, 0.5).topic.probability, other.guess(components, 0.5).topic.probability);
            EXPECT_EQ(first.guess(components, 0.5).category.probability, other.guess(components, 0.5).category.probability);
            EXPECT_EQ(first.guess(components, 0.5).neighbours, other.guess(components, 0.5).neighbours);
        }
    }
    EXPECT_EQ(TopicModel({}).guess(std::vector<std::string>{"a"}, 0).topic.name, "");
    EXPECT_EQ(TopicModel({}).guess(std::vector<std::string>{}, 0).topic.name, "");
}

/// A codebook with two themes; enough words of each category for a model to be sure.
std::vector<LabelledWord> coded_list() {
    std::vector<LabelledWord> words;
    const auto add = [&](std::initializer_list<const char*> of_category, const char* category, const char* number, const char* theme) {
        for (const char* word : of_category) words.push_back({word, category, false, category, number, theme});
    };
    add({"casino", "online casino", "casino bonus", "betting", "sports betting", "赌博网站", "赌博", "网上赌博", "澳门赌场"}, "Gambling", "69", "Social");
    add({"学生运动", "六四事件", "六四", "天安门事件", "天安门", "学潮", "广场集会"}, "Tiananmen Square (June 4 1989)", "34", "Events");
    add({"法轮功", "法轮大法", "法轮", "大法弟子"}, "Religion", "47", "Political");
    add({"www.example.com", "example casino page"}, "URLs", "107", "Technology");
    return words;
}

TEST(Topics, SpellingsOfACategoryAreMergedByTheTable) {
    for (const char* one : {"Tiananmen Square (June 4 1989)", "Tiananmen Square Massacre ", "tiananmen square"}) EXPECT_EQ(category_of_label(one), "tiananmen square massacre") << one;
    EXPECT_EQ(category_of_label("2008 Olympics"), "beijing olympics");
    EXPECT_EQ(category_of_label("18th CPC National Congress (2012)"), "18th cpc national congress") << "a number that is no year stays";
    EXPECT_EQ(category_of_label("Relatives / associates of government officals"), category_of_label("Relatives / Associates of Government Officials"));
    EXPECT_EQ(category_of_label("Something  New"), "something new") << "what the table does not know is a category of its own";
    EXPECT_EQ(category_of_label("General", "48"), "communist party of china general");
    EXPECT_EQ(category_of_label("General", "127"), "religion");
    EXPECT_EQ(category_of_label("Gambling", "48"), "gambling") << "a number counts only beside a name that needs it";
    EXPECT_EQ(category_of_label("Illicit Goods and Services;Prurient Interests", "1;66"), "illicit goods and services");
    for (const char* nothing : {"", "Context unclear", "Person Identity / Context Unclear", "General", "((", "(2008)"}) EXPECT_EQ(category_of_label(nothing), "") << nothing;
    EXPECT_EQ(theme_of_label("Event "), theme_of_label("Events"));
    for (std::size_t i = 0; i < merged_labels().size(); ++i) {
        const MergedLabel& one = merged_labels()[i];
        EXPECT_EQ(category_of_label(one.spelling, one.number), one.category) << one.spelling << ": an entry before it hides it";
        EXPECT_EQ(category_of_label(one.category), one.category) << one.category << " is merged further";
    }
}

TEST(Topics, CategoriesAndThemesAreToldBesideTheTopic) {
    const TopicModel model(coded_list());
    EXPECT_THAT(model.categories(), ElementsAre("falun gong", "gambling", "tiananmen square massacre")) << "addresses are no category";
    EXPECT_THAT(model.themes(), ElementsAre("event", "political", "social"));
    const TopicGuess guess = model.guess(std::vector<std::string>{"casino night"}, 0.7);
    EXPECT_EQ(guess.topic.name, "gambling");
    EXPECT_EQ(guess.category.name, "gambling");
    EXPECT_EQ(guess.theme.name, "social");
    EXPECT_GE(guess.theme.probability, guess.category.probability);
    EXPECT_LT(guess.category.probability, 1);
    const TopicGuess unsure = model.guess(std::vector<std::string>{"casino night"}, 2);
    EXPECT_EQ(unsure.topic.name, "gambling") << "a labelled word stands in it, which is enough for a topic";
    EXPECT_EQ(unsure.category.name, "") << "and not for a category";
    EXPECT_EQ(unsure.category.likeliest, "gambling");
    const TopicGuess nothing = model.guess(std::vector<std::string>{"ΩΨ"}, 0);
    EXPECT_EQ(nothing.category.likeliest + nothing.theme.likeliest, "");
}

TEST(Topics, ALabelledWordInTheRuleBearsTheCategoryOutOrContradictsIt) {
    const TopicModel model(coded_list());
    const std::vector<std::string> holds_one{"a casino at night"};
    const TopicGuess one = model.guess(holds_one, 0);
    ASSERT_EQ(one.category.likeliest, "gambling");
    EXPECT_EQ(model.guess(holds_one, one.category.probability + 0.29).category.name, "gambling");
    EXPECT_EQ(model.guess(holds_one, one.category.probability + 0.31).category.name, "");
    // The model follows the many runs of a casino, the only labelled word that stands in the rule is another's.
    const std::vector<std::string> other{"天安门", "casinx bonux bettinx casinx onlinx sportx"};
    const TopicGuess contradicted = model.guess(other, 0);
    ASSERT_EQ(contradicted.category.likeliest, "gambling");
    EXPECT_EQ(contradicted.category.name, "");
}

TEST(Topics, HowAWordIsWrittenDoesNotMatter) {
    const TopicModel model(coded_list());
    const TopicGuess plain = model.guess(std::vector<std::string>{"赌博网", "casino"}, 0.7);
    EXPECT_EQ(plain.category.name, "gambling");
    for (const std::vector<std::string>& other : {std::vector<std::string>{"賭 博網", "CASINO"}, {"赌\u3000博\u200B网", "c a s i n o"}, {"賭博网", "ｃａｓｉｎｏ"}}) {
        const TopicGuess guess = model.guess(other, 0.7);
        EXPECT_EQ(guess.category.probability, plain.category.probability) << other[0];
        EXPECT_EQ(guess.topic.probability, plain.topic.probability) << other[0];
        EXPECT_EQ(guess.neighbours, plain.neighbours) << other[0];
    }
    EXPECT_EQ(model.guess(std::vector<std::string>{"\xFF\xC3", ""}, 0).category.likeliest, "") << "bytes that are no text";
}

TEST(Topics, AListWithoutThemesTakesThoseOfOthers) {
    auto words = coded_list();
    words.push_back({"slot machine", "Gambling", false, "Gambling", "", ""});
    const TopicGuess guess = TopicModel(words).guess(std::vector<std::string>{"slot machine"}, 0.3);
    EXPECT_EQ(guess.category.name, "gambling");
    EXPECT_EQ(guess.theme.name, "social");
    for (LabelledWord& word : words) word.theme.clear();
    const TopicModel without(words);
    EXPECT_THAT(without.themes(), IsEmpty());
    EXPECT_EQ(without.guess(std::vector<std::string>{"slot machine"}, 0.3).theme.name, "");
}

TEST(Topics, WhatSomebodySaidOfACategoryOverrules) {
    auto words = coded_list();
    words.push_back({"casino + b", "health", true, "Falun Gong", "", ""});
    words.push_back({"c", "Gambling", true, "Gambling", "", ""});
    words.push_back({"赌博", "gambling", true, "", "", ""});
    const TopicModel model(words);
    const TopicGuess guess = model.guess(std::vector<std::string>{"b", "casino"}, 0.7);
    EXPECT_EQ(guess.topic.name, "health");
    EXPECT_EQ(guess.category.name, "falun gong");
    EXPECT_TRUE(guess.category.is_said);
    EXPECT_EQ(guess.category.probability, 1);
    EXPECT_EQ(guess.theme.name, "political");
    EXPECT_TRUE(guess.theme.is_said);
    const TopicGuess category_only = model.guess(std::vector<std::string>{"c"}, 0.7);
    EXPECT_EQ(category_only.topic.name, "gambling") << "it follows from the category";
    EXPECT_EQ(category_only.category.name, "gambling");
    const TopicGuess topic_only = model.guess(std::vector<std::string>{"赌博"}, 0.7);
    EXPECT_TRUE(topic_only.topic.is_said);
    EXPECT_FALSE(topic_only.category.is_said) << "what was not said is computed";
    EXPECT_EQ(topic_only.category.likeliest, "gambling");
}

/// Every row of a table, one cell; empty where the table is absent.
std::vector<std::string> cells_of(const std::string& path, std::string_view column) {
    std::vector<std::string> cells;
    if (!std::filesystem::exists(path)) return cells;
    const EvidenceLimits limits;
    CsvReader reader(InputBuffer(ByteStream(open_file_input(path), path, limits), limits), limits);
    std::size_t at = 0;
    while (at < reader.header().size() && trimmed(reader.header()[at]) != column) ++at;
    TextArena arena;
    Tally tally;
    while (reader.read(4096, arena, tally, [&](const CsvRow& row, std::uint64_t) -> const char* {
        cells.emplace_back(trimmed(row.text(at)));
        return nullptr;
    })) arena.clear();
    return cells;
}

TEST(Topics, EveryLabelOfTheCodedListsIsACategoryOfTheirCodebook) {
    const std::string folder = std::string(UNVEIL_SHARED_DIR) + "/data/filter/";
    std::set<std::string> codebook;
    for (const auto& name : cells_of(folder + "codebook_categories.csv.gz", "Category")) codebook.insert(category_of_label(name));
    if (codebook.empty()) GTEST_SKIP() << folder << " is not here";
    EXPECT_EQ(codebook.size(), 112u) << "113 rows; two of them are 'Context unclear', which is none";
    std::set<std::string> labels;
    std::set<std::string> categories;
    std::set<std::string> others;
    for (const char* list : {"tomskype_sinauc_keywords_coded.csv.gz", "line_v22_keywords_coded.csv.gz", "livestream_keywords_2015-02_2015-05_coded.csv.gz", "wechat_oneapp2systems_combos_2016.csv.gz"}) {
        ASSERT_TRUE(std::filesystem::exists(folder + list));
        std::vector<LabelledWord> batch;
        const auto source = open_labelled_words(folder + list);
        while (source->next(batch))
            for (const auto& word : batch) {
                labels.insert(word.category);
                const std::string category = category_of_label(word.category, word.category_number);
                if (category.empty() || codebook.contains(category)) categories.insert(category);
                else others.insert(category);
            }
    }
    EXPECT_THAT(others, ElementsAre("lianyungang protest", "tiananmen self-immolation", "wen jiaobao family wealth scandal")) << "events that the codebook does not have";
    EXPECT_EQ(labels.size(), 142u);
    EXPECT_EQ(categories.size(), 96u) << "with none";
}

}  // namespace
}  // namespace unveil::filter
