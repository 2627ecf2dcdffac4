// Which of many rules stand in a text? For services of the lab that check millions of messages against tens of thousands of rules.
//
// A first pass finds where a pair of neighbouring characters stands that is some rule's anchor: of each rule the pair that is rarest in a sample of
// the texts to come. Around such a place the anchor's component is compared byte by byte. What the rules that are left want besides, by the rarest pair of
// each component, is looked for in a second pass. A text of n characters costs about 3 n cycles (6 n without AVX-512) and what its hits cost, whatever
// the number of rules; rules without any pair are asked one by one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lab/text_characters.hpp"

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
    /// A component of two characters or more, and its rarest pair.
    struct Part {
        std::uint64_t key = 0;        // of the pair
        std::uint32_t hash = 0;
        std::uint32_t begin = 0;      // in m_bytes
        std::uint32_t size = 0;
        std::uint32_t offset = 0;     // of the pair's second character
        std::uint32_t probe = 0;      // of a byte that is not in the pair; the component's first one when there is none
    };
    struct Rule {
        Part anchor;
        std::uint32_t rule = 0;
        std::uint32_t parts_begin = 0;        // in m_parts: the other components
        std::uint32_t parts_end = 0;
        std::uint32_t characters_begin = 0;   // in m_characters: the components of one character, rarest first
        std::uint32_t characters_end = 0;
        bool is_sure = false;                 // all its components there is the rule there: neither order nor characters that share a code are left to ask
    };
    struct Presence;
    class Wanted;

    bool stands_at(const Part& part, std::string_view text, std::uint32_t at) const;
    std::vector<const Rule*> collect(std::string_view text, Presence& presence) const;
    std::vector<std::uint32_t> some_matches(std::string_view text, std::size_t matches_max) const;

    std::vector<MatcherRule> m_rules;
    std::string m_bytes;
    std::vector<Part> m_parts;
    std::vector<std::uint16_t> m_characters;
    PairFilter m_anchor_filter;                   // the anchors of all rules
    std::vector<std::uint32_t> m_range_begin;     // by the upper bits of a hash, and one more: where in m_with_pair
    std::vector<Rule> m_with_pair;
    std::vector<Rule> m_without_pair;
};

}  // namespace unveil
