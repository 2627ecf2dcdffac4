#include "instruments/coordination/shingles.hpp"

#include <unicode/uscript.h>
#include <unicode/utf8.h>

#include <algorithm>

#include "core/random.hpp"
#include "core/simplified_han.hpp"

namespace unveil::coordination {
namespace {

bool has_dense_script(char32_t character) {
    UErrorCode status = U_ZERO_ERROR;
    switch (uscript_getScript(static_cast<UChar32>(character), &status)) {
        case USCRIPT_HAN:
        case USCRIPT_HIRAGANA:
        case USCRIPT_KATAKANA:
        case USCRIPT_HANGUL:
        case USCRIPT_THAI:
        case USCRIPT_LAO:
        case USCRIPT_KHMER:
        case USCRIPT_MYANMAR: return true;
        // Marks of Kana such as the long vowel are of no script of their own.
        default: return character >= 0x3099 && character <= 0x30FF;
    }
}

constexpr char32_t basic_plane_end = 0x10000;
constexpr char32_t first_dense = 0x0E00;

std::vector<std::uint8_t> make_basic_plane() {
    std::vector<std::uint8_t> is_dense(basic_plane_end);
    for (char32_t c = 0; c < basic_plane_end; ++c) is_dense[c] = has_dense_script(c) ? 1 : 0;
    return is_dense;
}

}  // namespace

bool is_dense_character(char32_t character) {
    if (character < first_dense) return false;
    static const std::vector<std::uint8_t> basic_plane = make_basic_plane();
    return character < basic_plane_end ? basic_plane[character] != 0 : has_dense_script(character);
}

Shingler::Shingler(std::uint64_t seed, Han han) : m_han(han) {
    Random random(seed);
    for (auto& multiplier : m_multipliers) multiplier = random.next() | 1;
}

void Shingler::read(std::string_view text) {
    m_characters.clear();
    m_dense = 0;
    std::size_t i = 0;
    const std::size_t ascii_max = std::min(text.size(), shingle_characters_max);
    while (i < ascii_max && static_cast<unsigned char>(text[i]) < 0x80) ++i;
    m_characters.resize(i);
    for (std::size_t k = 0; k < i; ++k) m_characters[k] = static_cast<unsigned char>(text[k]);
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
    while (i < text.size() && m_characters.size() < shingle_characters_max) {
        UChar32 c;
        U8_NEXT_OR_FFFD(bytes, i, text.size(), c);
        const auto character = static_cast<char32_t>(c);
        m_dense += is_dense_character(character);
        m_characters.push_back(m_han == Han::simplified ? simplified_han(character) : character);
    }
    m_is_cut = i < text.size();
}

const std::vector<std::uint64_t>& Shingler::shingles(std::size_t dense_length) {
    m_shingles.clear();
    const std::size_t size = m_characters.size();
    const char32_t* characters = m_characters.data();
    for (std::size_t begin = 0; begin < size;) {
        const bool is_dense = m_dense > 0 && is_dense_character(characters[begin]);
        std::size_t end = m_dense > 0 ? begin + 1 : size;
        while (end < size && is_dense_character(characters[end]) == is_dense) ++end;
        const std::size_t length = std::min(is_dense ? dense_length : other_length, end - begin);
        for (std::size_t i = begin; i + length <= end; ++i) {
            // Multilinear hashing (Lemire and Kaser, Comput. J. 57 (2014)), the length being one more character.
            std::uint64_t sum = m_multipliers[other_length] * length;
            for (std::size_t k = 0; k < length; ++k) sum += m_multipliers[k] * characters[i + k];
            m_shingles.push_back(mix64(sum));
        }
        begin = end;
    }
    return m_shingles;
}

void ShingleSet::start(std::size_t shingles_max) {
    if (m_slots.size() < shingles_max * 2 || m_epoch == ~std::uint32_t{0} || m_round > (1u << 31)) {
        std::size_t slots = std::max<std::size_t>(m_slots.size(), 256);
        while (slots < shingles_max * 2) slots *= 2;
        m_slots.assign(slots, {});
        m_epoch = 0;
        m_round = 0;
    }
    ++m_epoch;
    m_size = 0;
}

bool ShingleSet::insert(std::uint64_t shingle) {
    const std::size_t mask = m_slots.size() - 1;
    std::size_t slot = shingle & mask;
    for (; m_slots[slot].epoch == m_epoch; slot = (slot + 1) & mask)
        if (m_slots[slot].shingle == shingle) return false;
    m_slots[slot] = {shingle, m_epoch, 0};
    ++m_size;
    return true;
}

bool ShingleSet::take(std::uint64_t shingle) {
    const std::size_t mask = m_slots.size() - 1;
    for (std::size_t slot = shingle & mask; m_slots[slot].epoch == m_epoch; slot = (slot + 1) & mask) {
        if (m_slots[slot].shingle != shingle) continue;
        if (m_slots[slot].round == m_round) return false;
        m_slots[slot].round = m_round;
        return true;
    }
    return false;
}

void TextComparison::hold(std::string_view text) {
    m_left.read(text);
    m_dense_length = 0;
}

double TextComparison::jaccard(std::string_view other) {
    m_right.read(other);
    const std::size_t fewer = std::min(m_left.dense_characters(), m_right.dense_characters());
    const std::size_t more = std::max(m_left.dense_characters(), m_right.dense_characters());
    const bool is_long = more > dense_short_max;
    if (is_long && fewer > 0 && fewer < dense_long_min) return 0;
    const std::size_t dense_length = is_long ? dense_length_long : dense_length_short;
    if (m_dense_length != dense_length) {
        const auto& held = m_left.shingles(dense_length);
        m_set.start(held.size());
        for (const auto shingle : held) m_set.insert(shingle);
        m_dense_length = dense_length;
    }
    const auto& shingles = m_right.shingles(dense_length);
    m_other.start(shingles.size());
    m_set.next_round();
    std::size_t both = 0;
    for (const auto shingle : shingles)
        if (m_other.insert(shingle)) both += m_set.take(shingle);
    const std::size_t either = m_set.size() + m_other.size() - both;
    return either == 0 ? 0 : static_cast<double>(both) / static_cast<double>(either);
}

}  // namespace unveil::coordination
