// Which of many rules stand in a text? For services of the lab that check millions of messages against tens of thousands of rules.
//
// Of each rule only one component is looked for at first, at one place of it: the six bytes (two Chinese characters), or three where there are no
// more, that are rarest in a sample of the texts to come. At every character of the text two bitmaps are asked, small enough for the second-level
// cache; what is left is compared byte by byte. A text of n characters costs about 3 n cycles beside its hits, whatever the number of rules.
#pragma once

#include <array>
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
    struct Anchor {
        std::uint32_t rule = 0;
        std::uint32_t component = 0;
        std::uint32_t offset = 0;     // of the looked-up bytes within the component
    };
    struct Bucket {
        std::uint64_t key = 0;        // the bytes; 0: free, since no component holds a NUL at its front
        std::uint32_t begin = 0;      // in m_anchors
        std::uint32_t end = 0;
    };
    static constexpr unsigned long_bits = 19;    // of the bitmap for six bytes: 64 KiB
    static constexpr unsigned short_bits = 16;   // for up to three: 8 KiB
    static std::uint64_t spread(std::uint64_t key) { return key * 0x9E3779B97F4A7C15ull; }

    void add_to_table(std::vector<std::pair<std::uint64_t, Anchor>>& keyed);
    class Wanted;
    std::vector<std::uint32_t> some_matches(std::string_view text, std::size_t matches_max) const;
    void keep_likely(std::string_view text, std::vector<std::uint32_t>& candidates) const;
    template <typename Found>
    void for_each_candidate(std::string_view text, const Found& found) const;
    template <typename Found>
    void look_up(std::uint64_t key, std::string_view text, std::size_t at, const Found& found) const;

    std::vector<MatcherRule> m_rules;
    std::vector<std::uint64_t> m_long;     // bitmap
    std::vector<std::uint64_t> m_short;
    std::array<std::uint64_t, 4> m_single{};           // one-byte anchors
    std::vector<std::uint64_t> m_double;   // two-byte anchors; empty when there are none
    std::vector<Bucket> m_table;           // open addressing, half empty
    std::vector<Anchor> m_anchors;
    std::vector<std::uint32_t> m_anchor_component;     // by rule
};

}  // namespace unveil
