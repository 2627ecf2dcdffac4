// What are the rules of a filter about? Sorted into coarse topics by what lists of labelled words say of similar words: a linear model over
// characters that says how sure it is, shows the labelled words that are nearest, and says nothing when it is not sure.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

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
    std::vector<std::string> neighbours;   // "word (label)", nearest first, three at most
};

/// Multinomial logistic regression over the runs of one to three characters of a word, trained by stochastic gradient in a fixed order (the same
/// words in any order give the same model). URLs are left out. O(words * characters * topics).
class TopicModel {
  public:
    explicit TopicModel(std::vector<LabelledWord> words);
    /// Abstains below `sure`, unless the labelled words that stand in the components are all of one topic.
    TopicGuess guess(std::span<const std::string> components, double sure) const;
    std::size_t words_learnt() const { return m_words.size(); }

  private:
    struct Learnt {
        std::string word;
        std::string label;
        std::size_t topic = 0;
        std::vector<std::uint32_t> features;   // sorted
    };
    std::vector<std::uint32_t> known_features(std::span<const std::string> components) const;
    std::vector<double> probabilities(const std::vector<std::uint32_t>& features) const;

    std::vector<Learnt> m_words;
    std::map<std::string, std::string_view> m_said;                 // notation -> topic
    std::unordered_map<std::string, std::uint32_t> m_feature_of;
    std::vector<double> m_weights;                                  // by feature and topic
    std::vector<std::vector<std::uint32_t>> m_words_of;             // by feature
};

}  // namespace unveil::filter
