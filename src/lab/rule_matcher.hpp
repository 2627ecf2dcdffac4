// Which of many rules stand in a text? For services of the lab that check millions of messages against tens of thousands of rules.
//
// One pass notes which characters and which pairs of neighbouring characters the text has, and where a pair stands that is some rule's anchor: of each
// rule the pair that is rarest in a sample of the texts to come. Around such a place the anchor's component is compared byte by byte; a rule's other
// components are looked for only when all their pairs and characters are there. A text of n characters costs about 6 n cycles and what its hits
// cost, whatever the number of rules; rules without any pair are asked one by one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace unveil {

struct MatcherRule {
    std::vector<std::string> components;   // none empty, at least one
    bool is_ordered = false;               // they must stand in this order, one behind the other
};

class RuleMatcher {
  public:
    /// Components and texts are valid UTF-8; in other bytes a rule may be missed. `sample` is text like that to be matched: it decides how
    /// fast, not what is found. O(bytes of all rules and of the sample).
    explicit RuleMatcher(std::vector<MatcherRule> rules, std::string_view sample = {});

    /// Positions of the rules that stand in the text, ascending.
    std::vector<std::uint32_t> matches(std::string_view text) const;
    bool has_match(std::string_view text) const;
    /// Whether this one does.
    bool is_in(std::uint32_t rule, std::string_view text) const;
    std::size_t size() const { return m_rules.size(); }

  private:
    struct Entry {
        std::uint32_t rule = 0;
        std::uint32_t pairs_begin = 0;        // in m_pairs: those of the components that the anchor is not in
        std::uint32_t pairs_end = 0;
        std::uint32_t characters_begin = 0;   // in m_characters: its components of one character, rarest first
        std::uint32_t characters_end = 0;
        std::uint32_t component = 0;          // that the anchor is in, and where its second character begins
        std::uint32_t offset = 0;
    };
    struct Presence;
    class Wanted;

    void note(std::string_view text, Presence& presence) const;
    std::vector<std::uint32_t> collect(std::string_view text, Presence& presence) const;
    std::vector<std::uint32_t> some_matches(std::string_view text, std::size_t matches_max) const;

    std::vector<MatcherRule> m_rules;
    std::vector<std::uint64_t> m_pairs;           // hashes, all different for different pairs
    std::vector<std::uint16_t> m_characters;
    std::vector<std::uint64_t> m_anchor_bits;     // the anchors of all rules
    std::vector<std::uint32_t> m_word_begin;      // by word of m_anchor_bits, and one more: its range in m_anchors and m_with_pair
    std::vector<std::uint64_t> m_anchors;
    std::vector<Entry> m_with_pair;
    std::vector<Entry> m_without_pair;
};

}  // namespace unveil
