// Goal: rules are sorted as the labelled words say, in any order of them, and nothing is said without a reason. Method: small lists; every
// label of the table.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/random.hpp"
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
    EXPECT_EQ(casino.topic, "gambling");
    ASSERT_EQ(casino.neighbours.size(), 3u);
    EXPECT_THAT(casino.neighbours[0], ::testing::HasSubstr("casino"));
    EXPECT_EQ(model.guess(std::vector<std::string>{"天安门", "坦克"}, 0.7).topic, "events and protest");
    const TopicGuess unknown = model.guess(std::vector<std::string>{"ΩΨ"}, 0.7);
    EXPECT_EQ(unknown.topic, "");
    EXPECT_THAT(unknown.neighbours, IsEmpty());
    EXPECT_EQ(model.guess(std::vector<std::string>{"天安门", "赌场里"}, 1.1).topic, "events and protest") << "one labelled word stands in it";
    EXPECT_EQ(model.guess(std::vector<std::string>{"天安门", "赌博"}, 1.1).topic, "") << "two of different topics say nothing";
}

TEST(Topics, WhatSomebodySaidOverrules) {
    auto words = list();
    words.push_back({"casino + b", "health", true});
    const TopicModel model(words);
    const TopicGuess guess = model.guess(std::vector<std::string>{"b", "casino"}, 0.7);
    EXPECT_EQ(guess.topic, "health");
    EXPECT_TRUE(guess.is_said);
    EXPECT_EQ(guess.probability, 1);
}

TEST(Topics, TheOrderOfTheListDoesNotMatter) {
    auto words = list();
    const TopicModel first(words);
    Random random(4);
    for (int round = 0; round < 5; ++round) {
        for (std::size_t i = words.size(); i > 1; --i) std::swap(words[i - 1], words[random.below(i)]);
        const TopicModel other(words);
        for (const char* word : {"casino night", "民主", "x"}) {
            const std::vector<std::string> components{word};
            EXPECT_EQ(first.guess(components, 0.5).probability, other.guess(components, 0.5).probability);
            EXPECT_EQ(first.guess(components, 0.5).neighbours, other.guess(components, 0.5).neighbours);
        }
    }
    EXPECT_EQ(TopicModel({}).guess(std::vector<std::string>{"a"}, 0).topic, "");
    EXPECT_EQ(TopicModel({}).guess(std::vector<std::string>{}, 0).topic, "");
}

}  // namespace
}  // namespace unveil::filter
