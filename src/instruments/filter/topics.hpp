// What are the rules of a filter about? Sorted into coarse topics, and into the categories and themes of the codebook behind the lists, by what
// lists of labelled words say of similar words: linear models over characters that say how sure they are, show the labelled words that are
// nearest, and say nothing when they are not sure.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "instruments/filter/word_classifier.hpp"
#include "table/labelled_word.hpp"

namespace unveil::filter {

/// The coarse topics, in the order in which they are listed.
std::span<const std::string_view> topics();

/// The topic that a category of a list belongs to, by the table in docs/instruments/filter.md; a topic's own name is itself. Empty for categories
/// that are about nothing in particular (company names, "context unclear", URLs).
std::string_view topic_of_label(std::string_view label);

/// A few plain words for each topic, for those who have no list.
std::vector<LabelledWord> seed_words();

struct TopicGuess {
    std::string_view topic;         // empty when it abstains
    double probability = 0;         // of the likeliest topic
    bool is_said = false;           // somebody said so of this very rule
    std::string category;           // as most rows of the lists write it; empty when it abstains
    double category_probability = 0;
    std::string theme;
    double theme_probability = 0;
    std::vector<std::string> neighbours;   // "word (label)", nearest first, three at most
};

/// Linear models over the runs of one to three characters of a word (the same words in any order give the same models). URLs are left out. Words
/// without a topic are learnt for their category and theme only. O(words * characters * (topics + categories)).
class TopicModel {
  public:
    explicit TopicModel(std::vector<LabelledWord> words);
    /// Abstains below `sure`, unless the labelled words that stand in the components all say the same.
    TopicGuess guess(std::span<const std::string> components, double sure) const;
    /// With a topic.
    std::size_t words_learnt() const { return m_topical_words; }
    std::size_t categories() const { return m_categories.names.size(); }
    std::size_t themes() const { return m_themes.names.size(); }

  private:
    static constexpr std::size_t none = SIZE_MAX;
    struct Learnt {
        std::string word;
        std::string label;
        std::size_t topic = none;
        std::size_t category = none;
        std::size_t theme = none;
        std::vector<std::uint32_t> features;   // sorted
    };
    /// Classes by key, each under the spelling that most rows have.
    struct Classes {
        std::map<std::string, std::size_t> numbers;
        std::vector<std::string> names;
        WordClassifier model;
    };
    struct Said {
        std::string_view topic;
        std::string category;
        std::string theme;
    };
    void name_classes(const std::vector<LabelledWord>& words);
    void learn(WordClassifier& model, std::size_t classes, std::size_t Learnt::* number);
    std::vector<std::uint32_t> known_features(std::span<const std::string> components) const;

    std::vector<Learnt> m_words;
    std::size_t m_topical_words = 0;
    std::map<std::string, Said> m_said;                             // by notation
    std::unordered_map<std::string, std::uint32_t> m_feature_of;
    WordClassifier m_topics;
    Classes m_categories;
    Classes m_themes;
    std::map<std::string, std::string> m_theme_of;                  // by key of the category
    std::vector<std::vector<std::uint32_t>> m_words_of;             // by feature
};

}  // namespace unveil::filter
