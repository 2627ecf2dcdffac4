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

/// Three hundred plain words for the topics, for those who have no list.
std::vector<LabelledWord> seed_words();

/// To which of some classes a rule belongs.
struct Answer {
    std::string name;          // empty when it abstains
    std::string likeliest;     // whether it is told or not; empty when nothing speaks for any
    double probability = 0;    // of the likeliest
    bool is_said = false;      // somebody said so of this very rule
};

struct TopicGuess {
    Answer topic;
    Answer category;           // as category_of_label() names it
    Answer theme;              // as theme_of_label() names it; that of the category where one is told
    std::vector<std::string> neighbours;   // "word (label)", nearest first, three at most
};

/// Linear models over the characters and pairs of characters of a word (the same words in any order give the same models). URLs are left out. Words
/// without a topic are learnt for their category and theme only. O(words * characters * (topics + categories)).
class TopicModel {
  public:
    explicit TopicModel(std::vector<LabelledWord> words);
    /// Tells what has a probability of `sure`. When the labelled words that stand in the components all say the same, that contradicts the model, which
    /// then abstains, or bears it out, which then needs to be less sure. For topics, when few words were learnt, they are enough.
    TopicGuess guess(std::span<const std::string> components, double sure) const;
    /// With a topic.
    std::size_t words_learnt() const { return m_topical_words; }
    /// That were learnt, by bytes.
    std::span<const std::string> categories() const { return m_categories.names; }
    std::span<const std::string> themes() const { return m_themes.names; }

  private:
    static constexpr std::size_t none = SIZE_MAX;
    struct Learnt {
        std::string word;
        std::string label;
        std::u32string characters;             // of the word, plain
        std::size_t topic = none;
        std::size_t category = none;
        std::size_t theme = none;
        std::vector<std::uint32_t> features;   // sorted
    };
    struct Classes {
        std::vector<std::string> names;   // sorted
        WordClassifier model;
        std::size_t number_of(const std::string& name) const;
    };
    struct Said {
        std::string topic;
        std::string category;
        std::string theme;
    };
    void name_classes(const std::vector<LabelledWord>& words);
    void learn(WordClassifier& model, std::size_t classes, std::size_t Learnt::* number);
    /// The longest of the words that say something, when they all say the same; else nothing.
    static const Learnt* agreed(const std::vector<const Learnt*>& held, std::size_t Learnt::* number);
    static Answer answer(const Classes& classes, const std::vector<std::uint32_t>& features, const Learnt* agreed, std::size_t Learnt::* number, double sure);
    std::vector<std::uint32_t> known_features(std::span<const std::string> components) const;

    std::vector<Learnt> m_words;
    std::size_t m_topical_words = 0;
    std::map<std::string, Said> m_said;                             // by notation
    std::unordered_map<std::uint64_t, std::uint32_t> m_feature_of;
    Classes m_topics;
    Classes m_categories;
    Classes m_themes;
    std::map<std::string, std::string> m_theme_of;                  // by category
    std::vector<std::vector<std::uint32_t>> m_words_of;             // by feature
};

}  // namespace unveil::filter
