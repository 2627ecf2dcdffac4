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
constexpr unsigned range_bits = 15;
/// What may be asked for beyond the ends of a text.
constexpr std::ptrdiff_t place_max = TextCharacters::margin;

/// Never 0 for valid characters, and different for different pairs.
std::uint64_t pair_key(std::uint64_t first, std::uint64_t second) { return (first << 32 | second) + 1; }

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

/// What is noted of a text, and what its open rules want. Kept from text to text.
struct RuleMatcher::Memory {
    static constexpr std::uint32_t nothing = UINT32_MAX;
    struct Item {
        Part part;
        std::uint32_t next = nothing;   // in the same slot
        bool is_there = false;
    };

    struct Hit {
        const std::uint32_t* character = nullptr;   // the second one of the pair
        std::uint32_t hash = 0;
        std::uint32_t begin = 0;                    // of the anchors that it may be
        std::uint32_t end = 0;
    };

    TextCharacters text;
    WantedFilter wanted;
    std::vector<Hit> hits;
    std::vector<std::uint32_t> open;                                 // positions in m_anchors and m_rests
    std::vector<Item> items;                                         // the parts of the open rules, one rule after the other
    std::vector<std::uint32_t> slots;                                // by the lower bits of a pair's hash: the last item
    std::array<std::uint8_t, character_code_count> is_there = {};    // by a wanted character's code; all 0 between two texts

    void look_for_parts(const TextCharacters::Span& positions) {
        slots.assign(std::bit_ceil(2 * items.size() + 1), nothing);
        const std::size_t slot_mask = slots.size() - 1;
        for (std::uint32_t i = 0; i < items.size(); ++i) items[i].next = std::exchange(slots[items[i].part.hash & slot_mask], i);
        for (const std::uint32_t i : positions) {
            const std::uint32_t* const character = text.characters() + i;
            const std::uint32_t hash = pair_hash(character[-1], character[0]);
            for (std::uint32_t item = slots[hash & slot_mask]; item != nothing; item = items[item].next)
                if (items[item].part.hash == hash && may_stand_at(items[item].part, character)) items[item].is_there = true;
        }
    }
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
                counts[character_code(characters[i])] += 1e-6;
                if (i > 0) counts[pair_key(characters[i - 1], characters[i])] += 1e-6;
            }
        }
    }
    characters.read(sample);
    const auto count_more = [&](std::uint64_t key) {
        if (const auto known = counts.find(key); known != counts.end()) known->second += 1;
    };
    for (std::size_t i = 0; i < characters.size(); ++i) {
        count_more(character_code(characters[i]));
        if (i > 0) count_more(pair_key(characters[i - 1], characters[i]));
    }
    const double sample_size = static_cast<double>(characters.size() + 1);
    // Most pairs are not in the sample: what they would be if characters stood independently is added.
    const auto expected = [&](std::uint32_t first, std::uint32_t second) {
        return counts[pair_key(first, second)] + counts[character_code(first)] * counts[character_code(second)] / sample_size;
    };
    const auto part_of = [](const TextCharacters& component, std::size_t second) {
        Part part;
        part.hash = pair_hash(component[second - 1], component[second]);
        part.neighbours.fill(component[second]);
        // Its ends tell best: words that begin alike are many, and a pair is seldom alone.
        std::size_t count = 0;
        for (std::size_t from_end = 0; count < part.places.size() && from_end < component.size(); ++from_end)
            for (const std::size_t i : {component.size() - 1 - from_end, from_end}) {
                const auto place = static_cast<std::ptrdiff_t>(i) - static_cast<std::ptrdiff_t>(second);
                if (count == part.places.size() || place == 0 || place == -1 || place < -place_max || place > place_max) continue;
                part.neighbours[count] = component[i];
                part.places[count++] = static_cast<std::int8_t>(place);
            }
        return part;
    };
    std::vector<std::pair<Part, Rest>> anchored;
    for (std::uint32_t r = 0; r < m_rules.size(); ++r) {
        Rest rest;
        rest.rule = r;
        rest.characters_begin = static_cast<std::uint32_t>(m_characters.size());
        std::vector<std::pair<double, Part>> parts;
        for (const auto& component : m_rules[r].components) {
            characters.read(component);
            if (characters.size() == 1) {
                m_characters.push_back(characters[0]);
                continue;
            }
            std::size_t rarest = 1;
            double least = std::numeric_limits<double>::infinity();
            for (std::size_t i = 1; i < characters.size(); ++i) {
                const double count = expected(characters[i - 1], characters[i]);
                if (count >= least) continue;
                least = count;
                rarest = i;
            }
            parts.emplace_back(least, part_of(characters, rarest));
        }
        std::stable_sort(parts.begin(), parts.end(), [](const auto& x, const auto& y) { return x.first < y.first; });
        rest.characters_end = static_cast<std::uint32_t>(m_characters.size());
        rest.parts_begin = static_cast<std::uint32_t>(m_parts.size());
        for (std::size_t part = 1; part < parts.size(); ++part) m_parts.push_back(parts[part].second);
        rest.parts_end = static_cast<std::uint32_t>(m_parts.size());
        if (parts.empty()) {
            m_without_pair.push_back(rest);
            for (std::uint32_t i = rest.characters_begin; i < rest.characters_end; ++i) m_always_wanted.add_character(character_hash(m_characters[i]));
            continue;
        }
        anchored.push_back({parts.front().second, rest});
    }
    // Rules with the same anchor are opened together: what is theirs lies side by side.
    std::stable_sort(anchored.begin(), anchored.end(), [](const auto& x, const auto& y) { return x.first.hash < y.first.hash; });
    m_range_begin.assign((std::size_t{1} << range_bits) + 1, 0);
    std::vector<Part> sorted_parts;
    for (auto& [anchor, rest] : anchored) {
        m_anchor_filter.add(anchor.hash);
        ++m_range_begin[(anchor.hash >> (32 - range_bits)) + 1];
        m_anchors.push_back(anchor);
        const auto begin = static_cast<std::uint32_t>(sorted_parts.size());
        sorted_parts.insert(sorted_parts.end(), m_parts.begin() + rest.parts_begin, m_parts.begin() + rest.parts_end);
        rest.parts_begin = begin;
        rest.parts_end = static_cast<std::uint32_t>(sorted_parts.size());
        m_rests.push_back(rest);
    }
    m_parts = std::move(sorted_parts);
    for (std::size_t range = 1; range < m_range_begin.size(); ++range) m_range_begin[range] += m_range_begin[range - 1];
}

/// Whether the part's neighbours stand beside the pair whose second character this is.
bool RuleMatcher::may_stand_at(const Part& part, const std::uint32_t* character) {
    return ((character[part.places[0]] ^ part.neighbours[0]) | (character[part.places[1]] ^ part.neighbours[1])) == 0;
}

void RuleMatcher::want(const Rest& rest, Memory& memory) const {
    for (std::uint32_t i = rest.parts_begin; i < rest.parts_end; ++i) {
        memory.wanted.add_pair(m_parts[i].hash);
        memory.items.push_back({m_parts[i]});
    }
    for (std::uint32_t i = rest.characters_begin; i < rest.characters_end; ++i) memory.wanted.add_character(character_hash(m_characters[i]));
}

/// Ascending: rules that may stand in the text, and all that do.
std::vector<std::uint32_t> RuleMatcher::candidates(std::string_view text) const {
    static thread_local Memory memory;
    memory.text.read(text);
    memory.wanted = m_always_wanted;
    memory.items.clear();
    // Memory that is not at hand is asked for well before it is needed.
    memory.hits.clear();
    std::size_t anchors_max = 0;
    for (const std::uint32_t position : memory.text.positions_of(m_anchor_filter)) {
        const std::uint32_t* const character = memory.text.characters() + position;
        const std::uint32_t hash = pair_hash(character[-1], character[0]);
        const std::uint32_t* const range = &m_range_begin[hash >> (32 - range_bits)];
        memory.hits.push_back({character, hash, range[0], range[1]});
        anchors_max += range[1] - range[0];
        __builtin_prefetch(m_anchors.data() + range[0]);
        __builtin_prefetch(m_rests.data() + range[0]);
    }
    if (memory.open.size() < anchors_max + 1) memory.open.resize(anchors_max + 1);
    std::size_t open_count = 0;
    for (const Memory::Hit& hit : memory.hits)
        for (std::uint32_t i = hit.begin; i < hit.end; ++i) {
            memory.open[open_count] = i;
            open_count += (m_anchors[i].hash == hit.hash) & may_stand_at(m_anchors[i], hit.character);   // not &&: a branch costs more
        }
    for (std::size_t o = 0; o < open_count; ++o) want(m_rests[memory.open[o]], memory);
    std::vector<std::uint32_t> found;
    if (open_count == 0 && m_without_pair.empty()) return found;
    const TextCharacters::Wanted wanted = memory.text.find(memory.wanted);
    for (const std::uint32_t character : wanted.characters) memory.is_there[character_code(character)] = 1;
    memory.look_for_parts(wanted.pair_positions);
    const auto has_characters = [&](const Rest& rest) {
        for (std::uint32_t i = rest.characters_begin; i < rest.characters_end; ++i)
            if (memory.is_there[character_code(m_characters[i])] == 0) return false;
        return true;
    };
    std::size_t item = 0;
    for (std::size_t o = 0; o < open_count; ++o) {
        const Rest& rest = m_rests[memory.open[o]];
        bool has_parts = true;
        for (std::uint32_t i = rest.parts_begin; i < rest.parts_end; ++i) has_parts = memory.items[item++].is_there && has_parts;
        if (has_parts && has_characters(rest)) found.push_back(rest.rule);
    }
    for (const Rest& rest : m_without_pair)
        if (has_characters(rest)) found.push_back(rest.rule);
    for (const std::uint32_t character : wanted.characters) memory.is_there[character_code(character)] = 0;
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    return found;
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
    std::vector<std::uint32_t> found;
    for (const std::uint32_t rule : candidates(text)) {
        if (found.size() == matches_max) break;
        if (is_in(rule, text)) found.push_back(rule);
    }
    return found;
}

}  // namespace unveil
