#include "lab/rule_matcher.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <unordered_map>
#include <utility>

#include "core/error.hpp"

namespace unveil {
namespace {

constexpr std::size_t long_bytes = 6;
constexpr std::size_t short_bytes = 3;
constexpr std::uint64_t long_mask = 0xFFFF'FFFF'FFFFull;
constexpr std::uint64_t long_tag = std::uint64_t{long_bytes} << 56;
constexpr std::uint64_t short_mask = 0xFF'FFFFull;
constexpr std::uint64_t short_tag = std::uint64_t{short_bytes} << 56;

std::uint64_t window_at(const char* at) {
    std::uint64_t window = 0;
    std::memcpy(&window, at, 8);
    if constexpr (std::endian::native == std::endian::big) window = __builtin_bswap64(window);
    return window;
}

/// The first `bytes` of what is there, and in the top byte how many, so that keys of different lengths differ.
std::uint64_t key_of(const char* at, std::size_t bytes) {
    std::uint64_t key = 0;
    std::memcpy(&key, at, bytes);
    if constexpr (std::endian::native == std::endian::big) key = __builtin_bswap64(key);
    return key | static_cast<std::uint64_t>(bytes) << 56;
}

std::size_t character_bytes(unsigned char lead) { return lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4; }

void set_bit(std::vector<std::uint64_t>& bits, std::uint64_t at) { bits[at / 64] |= std::uint64_t{1} << (at % 64); }
bool has_bit(const std::uint64_t* bits, std::uint64_t at) { return (bits[at / 64] >> (at % 64) & 1) != 0; }

std::size_t find_from(std::string_view text, std::size_t from, std::string_view part) {
    if (from > text.size()) return std::string_view::npos;
    const void* found = memmem(text.data() + from, text.size() - from, part.data(), part.size());
    return found == nullptr ? std::string_view::npos : static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

}  // namespace

/// A few keys that are asked of one text: which of them stand in it?
class RuleMatcher::Wanted {
  public:
    explicit Wanted(std::size_t keys_max) : m_slots(std::bit_ceil(2 * keys_max + 1)), m_bits(std::bit_ceil(64 * keys_max + 64) / 64), m_shift(64u - static_cast<unsigned>(std::countr_zero(m_bits.size() * 64))) {}
    void add(std::uint64_t key) {
        set_bit(m_bits, spread(key) >> m_shift);
        slot(key).first = key;
    }
    void note(std::uint64_t key, std::uint64_t hash) {
        if (!has_bit(m_bits.data(), hash >> m_shift)) return;
        if (auto& entry = slot(key); entry.first == key) entry.second = true;
    }
    bool is_there(std::uint64_t key) { return slot(key).second; }

  private:
    std::pair<std::uint64_t, bool>& slot(std::uint64_t key) {
        std::size_t at = (spread(key) >> 32) & (m_slots.size() - 1);
        while (m_slots[at].first != 0 && m_slots[at].first != key) at = (at + 1) & (m_slots.size() - 1);
        return m_slots[at];
    }
    std::vector<std::pair<std::uint64_t, bool>> m_slots;
    std::vector<std::uint64_t> m_bits;
    unsigned m_shift;
};

RuleMatcher::RuleMatcher(std::vector<MatcherRule> rules, std::string_view sample)
    : m_rules(std::move(rules)), m_long((std::size_t{1} << long_bits) / 64), m_short((std::size_t{1} << short_bits) / 64) {
    const auto for_each_place = [](std::string_view text, std::size_t bytes, const auto& visit) {
        for (std::size_t at = 0; at + bytes <= text.size(); at += character_bytes(static_cast<unsigned char>(text[at]))) visit(at, key_of(text.data() + at, bytes));
    };
    // How often the places of components come up: in the sample, and where that tells nothing among the components themselves.
    std::unordered_map<std::uint64_t, std::uint64_t> counts;
    constexpr std::uint64_t sample_weight = 1 << 20;
    const auto for_each_key = [&](std::string_view component, const auto& visit) {
        if (component.size() >= long_bytes) for_each_place(component, long_bytes, visit);
        else visit(std::size_t{0}, key_of(component.data(), std::min(short_bytes, component.size())));
    };
    for (const MatcherRule& rule : m_rules) {
        UNVEIL_ASSERT(!rule.components.empty());
        for (const auto& component : rule.components) {
            UNVEIL_ASSERT(!component.empty());
            for_each_key(component, [&](std::size_t, std::uint64_t key) { ++counts[key]; });
        }
    }
    for (const std::size_t bytes : {std::size_t{1}, std::size_t{2}, short_bytes, long_bytes})
        for_each_place(sample, bytes, [&](std::size_t, std::uint64_t key) {
            if (const auto known = counts.find(key); known != counts.end()) known->second += sample_weight;
        });
    std::vector<std::pair<std::uint64_t, Anchor>> keyed;
    for (std::uint32_t r = 0; r < m_rules.size(); ++r) {
        Anchor best{.rule = r};
        std::uint64_t best_key = 0;
        std::uint64_t best_count = UINT64_MAX;
        for (std::uint32_t c = 0; c < m_rules[r].components.size(); ++c)
            for_each_key(m_rules[r].components[c], [&](std::size_t at, std::uint64_t key) {
                // A short place is hit by chance more often.
                const std::uint64_t count = counts[key] * (key >> 56 == long_bytes ? 1 : 4);
                if (count >= best_count) return;
                best_count = count;
                best_key = key;
                best.component = c;
                best.offset = static_cast<std::uint32_t>(at);
            });
        keyed.emplace_back(best_key, best);
        m_anchor_component.push_back(best.component);
    }
    add_to_table(keyed);
}

void RuleMatcher::add_to_table(std::vector<std::pair<std::uint64_t, Anchor>>& keyed) {
    std::stable_sort(keyed.begin(), keyed.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    m_table.resize(std::bit_ceil(2 * keyed.size() + 1));
    m_anchors.reserve(keyed.size());
    for (const auto& [key, anchor] : keyed) {
        const std::size_t bytes = key >> 56;
        if (bytes == long_bytes) set_bit(m_long, spread(key) >> (64 - long_bits));
        else if (bytes == short_bytes) set_bit(m_short, spread(key) >> (64 - short_bits));
        else if (bytes == 2) {
            m_double.resize(65'536 / 64);
            set_bit(m_double, key & 0xFFFF);
        } else {
            m_single[(key & 0xFF) / 64] |= std::uint64_t{1} << (key % 64);
        }
        std::size_t slot = (spread(key) >> 32) & (m_table.size() - 1);
        while (m_table[slot].key != 0 && m_table[slot].key != key) slot = (slot + 1) & (m_table.size() - 1);
        Bucket& bucket = m_table[slot];
        if (bucket.key == 0) bucket = {key, static_cast<std::uint32_t>(m_anchors.size()), static_cast<std::uint32_t>(m_anchors.size())};
        m_anchors.push_back(anchor);
        bucket.end = static_cast<std::uint32_t>(m_anchors.size());
    }
}

template <typename Found>
void RuleMatcher::look_up(std::uint64_t key, std::string_view text, std::size_t at, const Found& found) const {
    for (std::size_t slot = (spread(key) >> 32) & (m_table.size() - 1); m_table[slot].key != 0; slot = (slot + 1) & (m_table.size() - 1)) {
        if (m_table[slot].key != key) continue;
        for (std::uint32_t i = m_table[slot].begin; i < m_table[slot].end; ++i) {
            const Anchor& anchor = m_anchors[i];
            const std::string& component = m_rules[anchor.rule].components[anchor.component];
            if (anchor.offset > at || at - anchor.offset + component.size() > text.size()) continue;
            if (std::memcmp(text.data() + at - anchor.offset, component.data(), component.size()) == 0) found(anchor.rule);
        }
        return;
    }
}

template <typename Found>
void RuleMatcher::for_each_candidate(std::string_view text, const Found& found) const {
    const std::uint64_t* const long_bitmap = m_long.data();
    const std::uint64_t* const short_bitmap = m_short.data();
    const bool has_tiny = !m_double.empty() || (m_single[0] | m_single[1] | m_single[2] | m_single[3]) != 0;
    const char* const data = text.data();
    std::size_t at = 0;
    // Eight bytes are read at once as long as they are there.
    while (at + 8 <= text.size()) {
        const std::uint64_t window = window_at(data + at);
        const std::uint64_t long_key = (window & long_mask) | long_tag;
        const std::uint64_t short_key = (window & short_mask) | short_tag;
        const bool is_long = has_bit(long_bitmap, spread(long_key) >> (64 - long_bits));
        const bool is_short = has_bit(short_bitmap, spread(short_key) >> (64 - short_bits));
        if (is_long | is_short) [[unlikely]] {
            if (is_long) look_up(long_key, text, at, found);
            if (is_short) look_up(short_key, text, at, found);
        }
        const auto lead = static_cast<unsigned char>(window);
        if ((lead & 0xF0) == 0xE0) [[likely]] {
            at += 3;
            continue;
        }
        if (has_tiny) {
            if (has_bit(m_single.data(), lead)) look_up(key_of(data + at, 1), text, at, found);
            if (!m_double.empty() && has_bit(m_double.data(), window & 0xFFFF)) look_up(key_of(data + at, 2), text, at, found);
        }
        at += character_bytes(lead);
    }
    for (; at < text.size(); at += character_bytes(static_cast<unsigned char>(data[at])))
        for (const std::size_t bytes : {std::size_t{1}, std::size_t{2}, short_bytes, long_bytes})
            if (at + bytes <= text.size()) look_up(key_of(data + at, bytes), text, at, found);
}

/// Leaves the candidates whose other components have their first bytes in the text: six of them, else what they have. Components of four or five bytes,
/// and of two, have a character among their first four or two bytes that is not of three: only there such keys are looked up.
void RuleMatcher::keep_likely(std::string_view text, std::vector<std::uint32_t>& candidates) const {
    std::vector<std::uint64_t> keys;
    const auto for_each_key = [&](std::uint32_t rule, const auto& visit) {
        for (std::uint32_t c = 0; c < m_rules[rule].components.size(); ++c) {
            const std::string& component = m_rules[rule].components[c];
            if (c == m_anchor_component[rule] || component.size() == 1) continue;
            visit(key_of(component.data(), component.size() >= long_bytes ? long_bytes : std::min<std::size_t>(4, component.size())));
        }
    };
    for (const std::uint32_t rule : candidates) for_each_key(rule, [&](std::uint64_t key) { keys.push_back(key); });
    if (keys.empty()) return;
    Wanted wanted(keys.size());
    for (const std::uint64_t key : keys) wanted.add(key);
    const auto note = [&](std::uint64_t key) { wanted.note(key, spread(key)); };
    const auto note_short = [&](std::size_t at) {
        if (at + 2 <= text.size()) note(key_of(text.data() + at, 2));
        if (at + 4 <= text.size()) note(key_of(text.data() + at, 4));
        if (at >= 3 && at < text.size()) note(key_of(text.data() + at - 3, 4));
    };
    std::size_t at = 0;
    while (at + 8 <= text.size()) {
        const std::uint64_t window = window_at(text.data() + at);
        note((window & long_mask) | long_tag);
        note((window & short_mask) | short_tag);
        const auto lead = static_cast<unsigned char>(window);
        if ((lead & 0xF0) == 0xE0) [[likely]] {
            at += 3;
            continue;
        }
        note_short(at);
        at += character_bytes(lead);
    }
    for (; at < text.size(); ++at) {
        note_short(at);
        for (const std::size_t bytes : {short_bytes, long_bytes})
            if (at + bytes <= text.size()) note(key_of(text.data() + at, bytes));
    }
    std::erase_if(candidates, [&](std::uint32_t rule) {
        bool is_there = true;
        for_each_key(rule, [&](std::uint64_t key) { is_there = is_there && wanted.is_there(key); });
        return !is_there;
    });
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

std::vector<std::uint32_t> RuleMatcher::matches(std::string_view text) const {
    return some_matches(text, SIZE_MAX);
}

bool RuleMatcher::has_match(std::string_view text) const { return !some_matches(text, 1).empty(); }

std::vector<std::uint32_t> RuleMatcher::some_matches(std::string_view text, std::size_t matches_max) const {
    std::vector<std::uint32_t> candidates;
    for_each_candidate(text, [&](std::uint32_t rule) { candidates.push_back(rule); });
    std::sort(candidates.begin(), candidates.end());
    candidates.erase(std::unique(candidates.begin(), candidates.end()), candidates.end());
    keep_likely(text, candidates);
    std::vector<std::uint32_t> found;
    for (const std::uint32_t rule : candidates) {
        if (found.size() == matches_max) break;
        // The anchor's own component was seen whole.
        if (m_rules[rule].components.size() == 1 || is_in(rule, text)) found.push_back(rule);
    }
    return found;
}

}  // namespace unveil
