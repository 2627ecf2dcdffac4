// Where in this text do the components of the rule that blocks it most likely begin and end? A probability for every place, from what is
// known beforehand (word lists, how long components are and how many a rule has) and from the rules found so far. It decides which
// message is sent next, never what is believed: a wrong model costs messages, not exactness.
//
// Each word of the lists or of earlier rules that stands in the text is part of the rule with probability p = r / (r + (1 - r) c), with r how often it
// is part of a rule and c the chance that it stands in such a text anyway, from its frequency in harmless text. Components that nobody knows yet
// come at a rate that makes the number of components as likely as among the rules known so far, and sooner where characters are those
// of known words. The component that starts leftmost is then first at i with probability h_i times the product of (1 - h_j) over j < i.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace unveil {

struct WordModelRules {
    std::vector<std::u32string> lexicon;       // words that platforms have suppressed before
    bool uses_memory = true;                   // learns from rules found
};

class WordModel {
  public:
    explicit WordModel(const WordModelRules& rules);

    /// Harmless text: how often words stand in it anyway.
    void note_background(std::u32string_view text);
    void note_rule(const std::vector<std::u32string>& components);

    /// What is known of one text, computed once. O(length * word_characters_max).
    struct Text {
        struct Occurrence {
            std::uint32_t begin = 0;
            std::uint32_t length = 0;
            std::uint32_t word = 0;
        };
        std::u32string characters;
        std::vector<Occurrence> words;       // by begin
        std::vector<double> novelty;         // by place: relative rate at which an unknown component starts there
    };
    Text look_at(std::u32string characters) const;

    /// How many components that stand in no rule found so far are to be expected in the text, by its words and characters; only the order
    /// of texts is to be read from it. O(length * word_characters_max).
    double worth(std::u32string_view text) const;

    struct Starts {
        std::vector<double> cumulative;      // n + 2 values: before place 0, ..., behind place n - 1, behind "none is left"
        std::vector<double> novel;           // by place from `offset`: hazard of an unknown component
    };
    /// Where the leftmost of the missing components starts, at or behind `offset`, or that none is missing. O(length).
    Starts starts(const Text& text, std::size_t offset, const std::vector<std::u32string>& found) const;
    /// Cumulative probabilities of the length of the component that starts at `begin`; lengths_max + 1 values at most, from 0.
    std::vector<double> lengths(const Text& text, std::size_t begin, std::size_t offset, const Starts& starts,
                                const std::vector<std::u32string>& found) const;
    static constexpr std::size_t lengths_max = 24;

  private:
    static constexpr std::size_t word_characters_max = 12;
    struct Word {
        std::u32string characters;
        bool is_in_lexicon = false;
        std::uint32_t rules = 0;                      // that hold it, found so far
        mutable double count = -1;                    // in harmless text; negative: not counted yet
    };
    std::uint32_t word(const std::u32string& characters);
    template <typename Visit>
    void for_each_word(std::u32string_view text, const Visit& visit) const;
    double frequency(const Word& word) const;
    double unseen_weight(std::u32string_view characters) const;
    double is_component(const Word& word, std::size_t text_length, const std::map<std::uint32_t, double>& companions, bool is_found) const;
    std::map<std::uint32_t, double> companions(const std::vector<std::u32string>& found) const;
    double character_odds(char32_t c) const;
    double unknown_mean(std::size_t found, double known_mean) const;

    bool m_uses_memory;
    std::vector<Word> m_words;
    std::unordered_map<std::u32string, std::uint32_t> m_word_of;
    std::size_t m_lexicon_words = 0;
    double m_lexicon_words_once = 0;                                         // that stand once in harmless text
    double m_unseen_weight = 0;                                              // of all that do not stand in it
    std::size_t m_background_size_weighed = 0;                               // characters of it at that time
    std::vector<std::vector<std::uint32_t>> m_rules;                         // words of each
    std::unordered_map<std::uint32_t, std::vector<std::uint32_t>> m_rules_of;  // by word
    std::vector<double> m_sizes;                                             // by number of components
    std::vector<double> m_lengths;                                           // by characters
    double m_components_seen = 0;
    double m_components_known = 0;
    std::u32string m_background;
    std::unordered_map<char32_t, double> m_background_counts;
    std::unordered_map<char32_t, double> m_word_counts;
    double m_word_total = 0;
};

}  // namespace unveil
