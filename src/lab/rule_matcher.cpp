#include "lab/rule_matcher.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <span>
#include <unordered_map>
#include <utility>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "core/error.hpp"

// The passes over a text are compiled twice, and the better code is chosen when the program starts.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define UNVEIL_FOR_NEWER_PROCESSORS __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#define UNVEIL_FOR_NEWER_PROCESSORS
#endif

namespace unveil {
namespace {

constexpr unsigned anchor_bits = 18;
constexpr std::size_t anchor_words = (std::size_t{1} << anchor_bits) / 64;
constexpr std::size_t character_codes = std::size_t{1} << 15;

/// A character is its bytes, the first lowest. An odd factor keeps different pairs different, and none becomes 0.
std::uint64_t pair_hash(std::uint64_t first, std::uint64_t second) { return ((first << 32 | second) + 1) * 0x9E3779B97F4A7C15ull; }
std::size_t anchor_bit(std::uint64_t hash) { return hash >> (64 - anchor_bits); }
/// Different for Chinese characters; others may share with them.
std::uint16_t character_code(std::uint32_t bytes) {
    return static_cast<std::uint16_t>((bytes << 12 | (bytes >> 2 & 0xFC0) | (bytes >> 16 & 0x3F)) & (character_codes - 1));
}

bool has_bit(const std::uint64_t* bits, std::size_t at) { return (bits[at / 64] >> (at % 64) & 1) != 0; }
void set_bit(std::uint64_t* bits, std::size_t at) { bits[at / 64] |= std::uint64_t{1} << (at % 64); }

bool is_lead(char byte) { return static_cast<signed char>(byte) > -65; }

/// The four bytes at `at`, with zeros behind the end.
std::uint32_t four_bytes(std::string_view text, std::size_t at) {
    std::uint32_t bytes = 0;
    std::memcpy(&bytes, text.data() + at, std::min<std::size_t>(4, text.size() - at));
    if constexpr (std::endian::native == std::endian::big) bytes = __builtin_bswap32(bytes);
    return bytes;
}
/// By the length of a character; longer ones, which are broken, are cut.
constexpr std::array<std::uint32_t, 5> length_masks = {0, 0xFF, 0xFFFF, 0xFF'FFFF, 0xFFFF'FFFF};

struct Character {
    std::uint32_t at = 0;
    std::uint32_t bytes = 0;
};
std::vector<Character> characters_of(std::string_view text) {
    std::vector<Character> characters;
    for (std::size_t at = 0; at < text.size();) {
        std::size_t end = at + 1;
        while (end < text.size() && !is_lead(text[end])) ++end;
        characters.push_back({static_cast<std::uint32_t>(at), four_bytes(text, at) & length_masks[std::min<std::size_t>(4, end - at)]});
        at = end;
    }
    return characters;
}

/// Where characters begin, in `starts`, which has room for the text's bytes and 64 more. The first character begins at 0 whatever it is.
UNVEIL_FOR_NEWER_PROCESSORS
std::size_t find_starts(std::string_view text, std::uint32_t* starts) {
    std::size_t count = 0;
    std::size_t at = 0;
    if (!text.empty() && !is_lead(text[0])) starts[count++] = 0;
#if defined(__SSE2__)
    const auto leads = [&](std::size_t from) {
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + from));
        return static_cast<std::uint64_t>(static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpgt_epi8(bytes, _mm_set1_epi8(-65)))));
    };
    for (; at + 64 <= text.size(); at += 64) {
        std::uint64_t mask = leads(at) | leads(at + 16) << 16 | leads(at + 32) << 32 | leads(at + 48) << 48;
        const auto found = static_cast<std::size_t>(std::popcount(mask));
        // Chinese text has 21 or 22 in 64 bytes: a fixed number of steps is foreseen better than the true one. What is too much is overwritten.
        constexpr std::size_t usual = 24;
        std::uint32_t* to = starts + count;
        for (std::size_t i = 0; i < usual; ++i, mask &= mask - 1) to[i] = static_cast<std::uint32_t>(at) + static_cast<std::uint32_t>(std::countr_zero(mask));
        for (std::size_t i = usual; i < found; ++i, mask &= mask - 1) to[i] = static_cast<std::uint32_t>(at) + static_cast<std::uint32_t>(std::countr_zero(mask));
        count += found;
    }
#endif
    for (; at < text.size(); ++at)
        if (is_lead(text[at])) starts[count++] = static_cast<std::uint32_t>(at);
    return count;
}

/// Positions of the pairs whose bit is set; `positions` has room for all and one more. They are always written and seldom kept.
UNVEIL_FOR_NEWER_PROCESSORS
std::size_t positions_of(std::span<const std::uint64_t> pairs, const std::uint64_t* bitmap, unsigned bitmap_bits, std::uint32_t* positions) {
    std::size_t found = 0;
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        positions[found] = static_cast<std::uint32_t>(i);
        found += has_bit(bitmap, pairs[i] >> (64 - bitmap_bits));
    }
    return found;
}

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
    std::array<std::uint8_t, character_codes> characters;
    std::vector<std::uint32_t> starts;
    std::vector<std::uint64_t> pairs;     // of every character and the one before it
    std::size_t pairs_found = 0;
    std::vector<std::uint32_t> anchors;   // positions in pairs
    std::size_t anchors_found = 0;
};

/// A few pairs that are asked of one text: which of them stand in it?
class RuleMatcher::Wanted {
  public:
    explicit Wanted(std::size_t pairs_max) : m_slots(std::bit_ceil(2 * pairs_max + 1)) { m_bits.fill(0); }
    void add(std::uint64_t pair) {
        set_bit(m_bits.data(), pair >> (64 - bits));
        slot(pair).pair = pair;
    }
    void look_in(std::span<const std::uint64_t> pairs, std::vector<std::uint32_t>& room) {
        const std::size_t found = positions_of(pairs, m_bits.data(), bits, room.data());
        for (std::size_t i = 0; i < found; ++i)
            if (Slot& entry = slot(pairs[room[i]]); entry.pair == pairs[room[i]]) entry.is_there = true;
    }
    bool is_there(std::uint64_t pair) { return slot(pair).is_there; }

  private:
    static constexpr unsigned bits = 14;
    struct Slot {
        std::uint64_t pair = 0;       // 0: free; no pair of characters is 0
        bool is_there = false;
    };
    Slot& slot(std::uint64_t pair) {
        std::size_t at = (pair >> 24) & (m_slots.size() - 1);
        while (m_slots[at].pair != 0 && m_slots[at].pair != pair) at = (at + 1) & (m_slots.size() - 1);
        return m_slots[at];
    }
    std::vector<Slot> m_slots;
    std::array<std::uint64_t, (std::size_t{1} << bits) / 64> m_bits;
};

RuleMatcher::RuleMatcher(std::vector<MatcherRule> rules, std::string_view sample) : m_rules(std::move(rules)) {
    // How often pairs and characters come up: in the sample, and where that tells nothing among the components themselves.
    std::unordered_map<std::uint64_t, std::uint64_t> counts;
    constexpr std::uint64_t sample_weight = 1 << 20;
    for (const MatcherRule& rule : m_rules) {
        UNVEIL_ASSERT(!rule.components.empty());
        for (const auto& component : rule.components) {
            UNVEIL_ASSERT(!component.empty());
            const auto characters = characters_of(component);
            for (std::size_t i = 0; i < characters.size(); ++i) {
                ++counts[character_code(characters[i].bytes)];
                if (i > 0) ++counts[pair_hash(characters[i - 1].bytes, characters[i].bytes)];
            }
        }
    }
    const auto in_sample = characters_of(sample);
    const auto count_more = [&](std::uint64_t key) {
        if (const auto known = counts.find(key); known != counts.end()) known->second += sample_weight;
    };
    for (std::size_t i = 0; i < in_sample.size(); ++i) {
        count_more(character_code(in_sample[i].bytes));
        if (i > 0) count_more(pair_hash(in_sample[i - 1].bytes, in_sample[i].bytes));
    }
    std::vector<std::pair<std::uint64_t, Entry>> with_pair;
    for (std::uint32_t r = 0; r < m_rules.size(); ++r) {
        Entry entry;
        entry.rule = r;
        entry.pairs_begin = static_cast<std::uint32_t>(m_pairs.size());
        entry.characters_begin = static_cast<std::uint32_t>(m_characters.size());
        std::uint64_t anchor_count = UINT64_MAX;
        std::uint64_t anchor = 0;
        std::vector<std::vector<Character>> components;
        for (const auto& component : m_rules[r].components) components.push_back(characters_of(component));
        const auto pair_at = [&](std::size_t c, std::size_t i) { return pair_hash(components[c][i - 1].bytes, components[c][i].bytes); };
        for (std::uint32_t c = 0; c < components.size(); ++c)
            for (std::size_t i = 1; i < components[c].size(); ++i) {
                if (counts[pair_at(c, i)] >= anchor_count) continue;
                anchor = pair_at(c, i);
                anchor_count = counts[anchor];
                entry.component = c;
                entry.offset = components[c][i].at;
            }
        for (std::uint32_t c = 0; c < components.size(); ++c) {
            if (components[c].size() == 1) m_characters.push_back(character_code(components[c].front().bytes));
            if (anchor != 0 && c == entry.component) continue;
            for (std::size_t i = 1; i < components[c].size(); ++i) m_pairs.push_back(pair_at(c, i));
        }
        entry.pairs_end = static_cast<std::uint32_t>(m_pairs.size());
        entry.characters_end = static_cast<std::uint32_t>(m_characters.size());
        std::stable_sort(m_characters.begin() + entry.characters_begin, m_characters.end(), [&](std::uint16_t x, std::uint16_t y) { return counts[x] < counts[y]; });
        if (anchor == 0) m_without_pair.push_back(entry);
        else with_pair.emplace_back(anchor, entry);
    }
    std::stable_sort(with_pair.begin(), with_pair.end(), [](const auto& x, const auto& y) { return x.first < y.first; });
    m_anchor_bits.assign(anchor_words, 0);
    m_word_begin.assign(anchor_words + 1, 0);
    for (const auto& [anchor, entry] : with_pair) {
        set_bit(m_anchor_bits.data(), anchor_bit(anchor));
        ++m_word_begin[anchor_bit(anchor) / 64 + 1];
        m_anchors.push_back(anchor);
        m_with_pair.push_back(entry);
    }
    for (std::size_t word = 0; word < anchor_words; ++word) m_word_begin[word + 1] += m_word_begin[word];
}

UNVEIL_FOR_NEWER_PROCESSORS
void RuleMatcher::note(std::string_view text, Presence& presence) const {
    presence.characters.fill(0);
    if (presence.starts.size() < text.size() + 64) {
        presence.starts.resize(text.size() + 64);
        presence.pairs.resize(text.size() + 64);
        presence.anchors.resize(text.size() + 64);
    }
    const std::size_t count = find_starts(text, presence.starts.data());
    const std::uint32_t* const starts = presence.starts.data();
    std::uint64_t* const pairs = presence.pairs.data();
    std::uint8_t* const characters = presence.characters.data();
    std::uint64_t previous = 0;
    // Nothing is read that was written a moment before, and no branch has to be foreseen.
    const auto see = [&](std::size_t i, std::uint32_t bytes) {
        pairs[i] = pair_hash(previous, bytes);
        characters[character_code(bytes)] = 1;
        previous = bytes;
    };
    const std::size_t ahead = text.size() < 4 ? 0 : static_cast<std::size_t>(std::upper_bound(starts, starts + count, text.size() - 4) - starts);
    std::size_t i = 0;
    for (; i + 1 < std::min(ahead, count); ++i) {
        std::uint32_t bytes = 0;
        std::memcpy(&bytes, text.data() + starts[i], 4);
        if constexpr (std::endian::native == std::endian::big) bytes = __builtin_bswap32(bytes);
        see(i, bytes & length_masks[std::min<std::uint32_t>(4, starts[i + 1] - starts[i])]);
    }
    for (; i < count; ++i) {
        const std::size_t end = i + 1 < count ? starts[i + 1] : text.size();
        see(i, four_bytes(text, starts[i]) & length_masks[std::min<std::size_t>(4, end - starts[i])]);
    }
    presence.anchors_found = positions_of({pairs, count}, m_anchor_bits.data(), anchor_bits, presence.anchors.data());
    presence.pairs_found = count;
}

/// Rules whose anchor's component stands in the text, and that have their other pairs and characters there.
std::vector<std::uint32_t> RuleMatcher::collect(std::string_view text, Presence& presence) const {
    const auto has_characters = [&](const Entry& entry) {
        for (std::uint32_t i = entry.characters_begin; i < entry.characters_end; ++i)
            if (presence.characters[m_characters[i]] == 0) return false;
        return true;
    };
    std::vector<std::uint32_t> candidates;
    std::vector<const Entry*> open;
    std::size_t wanted_max = 0;
    for (std::size_t a = 0; a < presence.anchors_found; ++a) {
        const std::uint64_t pair = presence.pairs[presence.anchors[a]];
        const std::uint32_t at = presence.starts[presence.anchors[a]];
        const std::size_t word = anchor_bit(pair) / 64;
        for (std::uint32_t i = m_word_begin[word]; i < m_word_begin[word + 1]; ++i) {
            if (m_anchors[i] != pair) continue;
            const Entry& entry = m_with_pair[i];
            const std::string& component = m_rules[entry.rule].components[entry.component];
            if (entry.offset > at || !text.substr(at - entry.offset).starts_with(component) || !has_characters(entry)) continue;
            if (entry.pairs_begin == entry.pairs_end) candidates.push_back(entry.rule);
            else open.push_back(&entry);
            wanted_max += entry.pairs_end - entry.pairs_begin;
        }
    }
    if (!open.empty()) {
        Wanted wanted(wanted_max);
        for (const Entry* entry : open)
            for (std::uint32_t i = entry->pairs_begin; i < entry->pairs_end; ++i) wanted.add(m_pairs[i]);
        wanted.look_in({presence.pairs.data(), presence.pairs_found}, presence.anchors);
        for (const Entry* entry : open) {
            bool has_all = true;
            for (std::uint32_t i = entry->pairs_begin; i < entry->pairs_end && has_all; ++i) has_all = wanted.is_there(m_pairs[i]);
            if (has_all) candidates.push_back(entry->rule);
        }
    }
    for (const Entry& entry : m_without_pair)
        if (has_characters(entry)) candidates.push_back(entry.rule);
    std::sort(candidates.begin(), candidates.end());
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
    UNVEIL_ASSERT(text.size() < UINT32_MAX);
    static thread_local Presence presence;
    note(text, presence);
    const auto candidates = collect(text, presence);
    std::vector<std::uint32_t> found;
    for (const std::uint32_t rule : candidates) {
        if (found.size() == matches_max) break;
        // A lone component with a pair was seen whole.
        const auto& components = m_rules[rule].components;
        const bool is_seen = components.size() == 1 && is_lead(components.front().front()) && components.front().size() > 4;
        if (is_seen || is_in(rule, text)) found.push_back(rule);
    }
    return found;
}

}  // namespace unveil
