#include "lab/rule_matcher.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <unordered_map>
#include <utility>

#include "core/error.hpp"

// What goes over a whole text is compiled twice, and the better code is chosen when the program starts.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define UNVEIL_FOR_NEWER_PROCESSORS __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#define UNVEIL_FOR_NEWER_PROCESSORS
#endif

namespace unveil {
namespace {

/// 32 KB: of 20,000 anchors about one place in two hundred is a false hit.
constexpr unsigned anchor_filter_bits = 13;
constexpr unsigned wanted_filter_bits = 10;
constexpr unsigned range_bits = 15;

/// Never 0 for valid characters, and different for different pairs.
std::uint64_t pair_key(std::uint64_t first, std::uint64_t second) { return (first << 32 | second) + 1; }

bool is_lead(char byte) { return static_cast<signed char>(byte) > -65; }

/// Like std::string_view::find, at many places a step: a component's last byte of its first character and its very last byte are compared first,
/// since the lead bytes of Chinese characters are few.
UNVEIL_FOR_NEWER_PROCESSORS
std::size_t find_from(std::string_view text, std::size_t from, std::string_view part) {
    if (from > text.size() || part.size() > text.size() - from) return std::string_view::npos;
    constexpr std::size_t lanes = 32;
    using Lanes = std::uint8_t __attribute__((vector_size(lanes)));
    std::size_t near = 0;
    while (near + 1 < part.size() && !is_lead(part[near + 1])) ++near;
    const std::size_t far = part.size() - 1;
    const std::size_t last = text.size() - part.size();
    const Lanes near_byte = Lanes{} + static_cast<std::uint8_t>(part[near]);
    const Lanes far_byte = Lanes{} + static_cast<std::uint8_t>(part[far]);
    std::size_t at = from;
    for (; at + lanes <= last + 1; at += lanes) {
        Lanes at_near;
        Lanes at_far;
        std::memcpy(&at_near, text.data() + at + near, lanes);
        std::memcpy(&at_far, text.data() + at + far, lanes);
        const auto hits = (at_near == near_byte) & (at_far == far_byte);
        std::array<std::uint64_t, lanes / 8> words;
        std::memcpy(words.data(), &hits, lanes);
        if ((words[0] | words[1] | words[2] | words[3]) == 0) continue;
        for (std::size_t i = 0; i < lanes; ++i)
            if (hits[i] != 0 && std::memcmp(text.data() + at + i, part.data(), part.size()) == 0) return at + i;
    }
    for (; at <= last; ++at)
        if (std::memcmp(text.data() + at, part.data(), part.size()) == 0) return at;
    return std::string_view::npos;
}

}  // namespace

/// What a text has, and the memory it is noted in.
struct RuleMatcher::Presence {
    TextCharacters text;
    std::array<std::uint8_t, character_code_count> characters;   // by code
    PairFilter wanted{wanted_filter_bits};

    void note(std::string_view bytes) {
        text.read(bytes);
        characters.fill(0);
        text.mark(characters.data());
    }
};

/// Components that are asked of one text: which of them stand in it?
class RuleMatcher::Wanted {
  public:
    Wanted(std::size_t parts_max, PairFilter& filter) : m_slots(std::bit_ceil(2 * parts_max + 1), nothing), m_filter(filter) {
        m_filter.clear();
        m_items.reserve(parts_max);
    }
    /// Items are numbered as they are added.
    void add(const Part& part) {
        m_filter.add(part.hash);
        std::uint32_t& first = slot(part.key, part.hash);
        m_items.push_back({&part, first, false});
        first = static_cast<std::uint32_t>(m_items.size() - 1);
    }
    template <typename StandsAt>
    void look_in(TextCharacters& text, const StandsAt& stands_at) {
        for (const std::uint32_t i : text.positions_of(m_filter)) {
            const std::uint32_t first = text.character_before(i);
            const std::uint32_t second = text.character(i);
            for (std::uint32_t item = slot(pair_key(first, second), pair_hash(first, second)); item != nothing; item = m_items[item].next)
                m_items[item].is_there = m_items[item].is_there || stands_at(*m_items[item].part, text.start(i));
        }
    }
    bool is_there(std::size_t item) const { return m_items[item].is_there; }

  private:
    static constexpr std::uint32_t nothing = UINT32_MAX;
    struct Item {
        const Part* part = nullptr;
        std::uint32_t next = nothing;   // with the same pair
        bool is_there = false;
    };
    /// The first item with this pair, or nothing.
    std::uint32_t& slot(std::uint64_t key, std::uint32_t hash) {
        std::size_t at = hash & (m_slots.size() - 1);
        while (m_slots[at] != nothing && m_items[m_slots[at]].part->key != key) at = (at + 1) & (m_slots.size() - 1);
        return m_slots[at];
    }
    std::vector<std::uint32_t> m_slots;
    std::vector<Item> m_items;
    PairFilter& m_filter;
};

RuleMatcher::RuleMatcher(std::vector<MatcherRule> rules, std::string_view sample) : m_rules(std::move(rules)), m_anchor_filter(anchor_filter_bits) {
    // How often pairs and characters are to be expected: as in the sample, and where that tells nothing as in the components themselves.
    std::unordered_map<std::uint64_t, double> counts;
    TextCharacters characters;
    for (const MatcherRule& rule : m_rules) {
        UNVEIL_ASSERT(!rule.components.empty());
        for (const auto& component : rule.components) {
            UNVEIL_ASSERT(!component.empty());
            characters.read(component);
            for (std::size_t i = 0; i < characters.size(); ++i) {
                counts[character_code(characters.character(i))] += 1e-6;
                if (i > 0) counts[pair_key(characters.character_before(i), characters.character(i))] += 1e-6;
            }
        }
    }
    characters.read(sample);
    const auto count_more = [&](std::uint64_t key) {
        if (const auto known = counts.find(key); known != counts.end()) known->second += 1;
    };
    for (std::size_t i = 0; i < characters.size(); ++i) {
        count_more(character_code(characters.character(i)));
        if (i > 0) count_more(pair_key(characters.character_before(i), characters.character(i)));
    }
    const double sample_size = static_cast<double>(characters.size() + 1);
    // Most pairs are not in the sample: what they would be if characters stood independently is added.
    const auto expected = [&](std::uint32_t first, std::uint32_t second) {
        return counts[pair_key(first, second)] + counts[character_code(first)] * counts[character_code(second)] / sample_size;
    };
    for (std::uint32_t r = 0; r < m_rules.size(); ++r) {
        Rule rule;
        rule.rule = r;
        rule.is_sure = !m_rules[r].is_ordered;
        rule.characters_begin = static_cast<std::uint32_t>(m_characters.size());
        std::vector<std::pair<double, Part>> parts;
        for (const auto& component : m_rules[r].components) {
            characters.read(component);
            if (characters.size() == 1) {
                m_characters.push_back(character_code(characters.character(0)));
                rule.is_sure = false;
                continue;
            }
            Part part;
            part.begin = static_cast<std::uint32_t>(m_bytes.size());
            part.size = static_cast<std::uint32_t>(component.size());
            m_bytes += component;
            double least = std::numeric_limits<double>::infinity();
            for (std::size_t i = 1; i < characters.size(); ++i) {
                const std::uint32_t first = characters.character_before(i);
                const std::uint32_t second = characters.character(i);
                if (expected(first, second) >= least) continue;
                least = expected(first, second);
                part.key = pair_key(first, second);
                part.hash = pair_hash(first, second);
                part.offset = characters.start(i);
                // The last bytes of Chinese characters differ most.
                if (i + 1 < characters.size()) part.probe = (i + 2 < characters.size() ? characters.start(i + 2) : part.size) - 1;
                else if (i > 1) part.probe = characters.start(i - 1) - 1;
                else part.probe = 0;
            }
            parts.emplace_back(least, part);
        }
        std::stable_sort(parts.begin(), parts.end(), [](const auto& x, const auto& y) { return x.first < y.first; });
        rule.characters_end = static_cast<std::uint32_t>(m_characters.size());
        std::stable_sort(m_characters.begin() + rule.characters_begin, m_characters.end(), [&](std::uint16_t x, std::uint16_t y) { return counts[x] < counts[y]; });
        rule.parts_begin = static_cast<std::uint32_t>(m_parts.size());
        for (std::size_t part = 1; part < parts.size(); ++part) m_parts.push_back(parts[part].second);
        rule.parts_end = static_cast<std::uint32_t>(m_parts.size());
        if (parts.empty()) {
            m_without_pair.push_back(rule);
            continue;
        }
        rule.anchor = parts.front().second;
        m_with_pair.push_back(rule);
    }
    UNVEIL_ASSERT(m_bytes.size() < UINT32_MAX);
    std::stable_sort(m_with_pair.begin(), m_with_pair.end(), [](const Rule& x, const Rule& y) { return x.anchor.hash < y.anchor.hash; });
    m_range_begin.assign((std::size_t{1} << range_bits) + 1, 0);
    for (const Rule& rule : m_with_pair) {
        m_anchor_filter.add(rule.anchor.hash);
        ++m_range_begin[(rule.anchor.hash >> (32 - range_bits)) + 1];
    }
    for (std::size_t range = 1; range < m_range_begin.size(); ++range) m_range_begin[range] += m_range_begin[range - 1];
}

/// Whether the component stands where its pair's second character begins at `at`.
bool RuleMatcher::stands_at(const Part& part, std::string_view text, std::uint32_t at) const {
    if (part.offset > at || text.size() - (at - part.offset) < part.size) return false;
    const char* const here = text.data() + (at - part.offset);
    const char* const bytes = m_bytes.data() + part.begin;
    return here[part.probe] == bytes[part.probe] && std::memcmp(here, bytes, part.size) == 0;
}

/// Rules all of whose components stand in the text; but the characters that stand alone may be others with their code, and order is not looked at.
std::vector<const RuleMatcher::Rule*> RuleMatcher::collect(std::string_view text, Presence& presence) const {
    const auto has_characters = [&](const Rule& rule) {
        for (std::uint32_t i = rule.characters_begin; i < rule.characters_end; ++i)
            if (presence.characters[m_characters[i]] == 0) return false;
        return true;
    };
    std::vector<const Rule*> candidates;
    std::vector<const Rule*> open;
    std::size_t wanted_max = 0;
    for (const std::uint32_t position : presence.text.positions_of(m_anchor_filter)) {
        const std::uint32_t first = presence.text.character_before(position);
        const std::uint32_t second = presence.text.character(position);
        const std::size_t range = pair_hash(first, second) >> (32 - range_bits);
        const std::uint64_t key = pair_key(first, second);
        for (std::uint32_t i = m_range_begin[range]; i < m_range_begin[range + 1]; ++i) {
            const Rule& rule = m_with_pair[i];
            if (rule.anchor.key != key || !stands_at(rule.anchor, text, presence.text.start(position)) || !has_characters(rule)) continue;
            if (rule.parts_begin == rule.parts_end) candidates.push_back(&rule);
            else open.push_back(&rule);
            wanted_max += rule.parts_end - rule.parts_begin;
        }
    }
    if (!open.empty()) {
        Wanted wanted(wanted_max, presence.wanted);
        for (const Rule* rule : open)
            for (std::uint32_t i = rule->parts_begin; i < rule->parts_end; ++i) wanted.add(m_parts[i]);
        wanted.look_in(presence.text, [&](const Part& part, std::uint32_t at) { return stands_at(part, text, at); });
        std::size_t item = 0;
        for (const Rule* rule : open) {
            bool has_all = true;
            for (std::uint32_t i = rule->parts_begin; i < rule->parts_end; ++i) has_all = wanted.is_there(item++) && has_all;
            if (has_all) candidates.push_back(rule);
        }
    }
    for (const Rule& rule : m_without_pair)
        if (has_characters(rule)) candidates.push_back(&rule);
    std::sort(candidates.begin(), candidates.end(), [](const Rule* x, const Rule* y) { return x->rule < y->rule; });
    candidates.erase(std::unique(candidates.begin(), candidates.end()), candidates.end());
    return candidates;
}

bool RuleMatcher::is_in(std::uint32_t rule, std::string_view text) const {
    std::size_t from = 0;
    for (const auto& component : m_rules[rule].components) {
        const std::size_t found = find_from(text, from, component);
        if (found == std::string_view::npos) return false;
        if (m_rules[rule].is_ordered) from = found + component.size();
    }
    return true;
}

std::vector<std::uint32_t> RuleMatcher::matches(std::string_view text) const { return some_matches(text, SIZE_MAX); }

bool RuleMatcher::has_match(std::string_view text) const { return !some_matches(text, 1).empty(); }

std::vector<std::uint32_t> RuleMatcher::some_matches(std::string_view text, std::size_t matches_max) const {
    static thread_local Presence presence;
    presence.note(text);
    std::vector<std::uint32_t> found;
    for (const Rule* rule : collect(text, presence)) {
        if (found.size() == matches_max) break;
        if (rule->is_sure || is_in(rule->rule, text)) found.push_back(rule->rule);
    }
    return found;
}

}  // namespace unveil
