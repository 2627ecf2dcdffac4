// Which of many rules stand in a text? For services of the lab that check millions of messages against tens of thousands of rules.
//
// A first pass finds where a pair of neighbouring characters stands that is some rule's anchor: of each rule the pair that is rarest in a sample of
// the texts to come. Where the anchor's neighbours are the rule's too, the rule is open: what it wants besides, by the rarest pair of each component, is
// looked for in a second pass. What has all of it is a candidate, and is compared byte by byte. A text of n characters costs about 2 n cycles (6 n
// without AVX-512) and what its hits cost, whatever the number of rules.
#pragma once

#include <array>
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
    /// Where a component of two characters or more may stand: its rarest pair, and up to two characters beside it.
    struct Part {
        std::uint32_t hash = 0;                          // of the pair
        std::array<std::uint32_t, 2> neighbours = {};
        std::array<std::int8_t, 2> places = {};          // theirs, from the pair's second character
    };
    /// What a rule wants besides its anchor.
    struct Rest {
        std::uint32_t rule = 0;
        std::uint32_t parts_begin = 0;                   // in m_parts
        std::uint32_t parts_end = 0;
        std::uint32_t characters_begin = 0;              // in m_characters: the components of one character
        std::uint32_t characters_end = 0;
    };
    struct Memory;

    static bool may_stand_at(const Part& part, const std::uint32_t* character);
    void want(const Rest& rest, Memory& memory) const;
    std::vector<std::uint32_t> candidates(std::string_view text) const;
    std::vector<std::uint32_t> some_matches(std::string_view text, std::size_t matches_max) const;

    std::vector<MatcherRule> m_rules;
    std::vector<Part> m_parts;
    std::vector<std::uint32_t> m_characters;
    PairFilter m_anchor_filter;                          // the anchors of all rules
    std::vector<std::uint32_t> m_range_begin;            // by the upper bits of a hash, and one more: where in m_anchors
    std::vector<Part> m_anchors;                         // by hash
    std::vector<Rest> m_rests;                           // of the rules with those anchors
    std::vector<Rest> m_without_pair;
    WantedFilter m_always_wanted;                        // the characters of those
};

}  // namespace unveil
