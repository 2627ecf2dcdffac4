// Which characters does a text have, one beside the other, and which of them does somebody look for? The passes of RuleMatcher.
//
// Each pass has a form for processors with AVX-512 (VBMI2), which takes sixteen characters a step, and one for all others; they agree in every value.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace unveil {

/// Whether a character begins with this byte of UTF-8.
inline bool is_lead(char byte) { return static_cast<signed char>(byte) > -65; }

/// A character is its bytes, the first lowest; its hash is a sum over its two halves, which are signed (what PMADDWD computes).
inline std::uint32_t half_products(std::uint32_t character, std::int16_t low_factor, std::int16_t high_factor) {
    return static_cast<std::uint32_t>(static_cast<std::int16_t>(character) * low_factor) +
           static_cast<std::uint32_t>(static_cast<std::int16_t>(character >> 16) * high_factor);
}
namespace hash_factor {
constexpr std::int16_t first_low = 0x5A4D, first_high = 0x6F5B, second_low = 0x4E35, second_high = 0x3C6F;
constexpr std::uint32_t pair = 0x9E37'79B1;
}
inline std::uint32_t character_hash(std::uint32_t character) { return half_products(character, hash_factor::second_low, hash_factor::second_high); }
inline std::uint32_t pair_hash(std::uint32_t first, std::uint32_t second) {
    return (half_products(first, hash_factor::first_low, hash_factor::first_high) + character_hash(second)) * hash_factor::pair;
}

/// Different for Chinese characters; others may share with them.
inline std::uint16_t character_code(std::uint32_t bytes) { return static_cast<std::uint16_t>((bytes & 7) | (bytes >> 5 & 0x1F8) | (bytes >> 7 & 0x7E00)); }
constexpr std::size_t character_code_count = std::size_t{1} << 15;

/// A set of very many pairs of neighbouring characters that says yes to some others too: a Bloom filter whose three bits lie in one word (Putze,
/// Sanders & Singler 2007, section 3), so that one access answers.
class PairFilter {
  public:
    /// 2^bits words, 1 <= bits <= 13.
    explicit PairFilter(unsigned bits) : m_bits(bits), m_words(std::size_t{1} << bits, 0) {}
    void add(std::uint32_t pair_hash) { m_words[word(pair_hash)] |= 1u << (pair_hash >> 14 & 31) | 1u << (pair_hash >> 9 & 31) | 1u << (pair_hash >> 4 & 31); }
    bool may_have(std::uint32_t pair_hash) const {
        const std::uint32_t bits = m_words[word(pair_hash)];
        return (bits >> (pair_hash >> 14 & 31) & bits >> (pair_hash >> 9 & 31) & bits >> (pair_hash >> 4 & 31) & 1) != 0;
    }
    unsigned bits() const { return m_bits; }
    const std::uint32_t* words() const { return m_words.data(); }

  private:
    std::uint32_t word(std::uint32_t hash) const { return hash >> (32 - m_bits); }
    unsigned m_bits;
    std::vector<std::uint32_t> m_words;
};

/// Sets of a few pairs and a few characters that say yes to some others too, small enough for registers: two bits of a pair in a table each, one bit
/// of a character. Of 100 pairs and 60 characters about one pair in a hundred and one character in seventeen is such another.
class WantedFilter {
  public:
    using Table = std::array<std::uint32_t, 32>;
    void add_pair(std::uint32_t pair_hash) {
        m_pairs[0][pair_hash >> 27] |= 1u << (pair_hash >> 22 & 31);
        m_pairs[1][pair_hash >> 17 & 31] |= 1u << (pair_hash >> 12 & 31);
    }
    void add_character(std::uint32_t character_hash) { m_characters[character_hash >> 10 & 31] |= 1u << (character_hash >> 15 & 31); }
    bool may_have_pair(std::uint32_t pair_hash) const {
        return (m_pairs[0][pair_hash >> 27] >> (pair_hash >> 22 & 31) & m_pairs[1][pair_hash >> 17 & 31] >> (pair_hash >> 12 & 31) & 1) != 0;
    }
    bool may_have_character(std::uint32_t character_hash) const { return (m_characters[character_hash >> 10 & 31] >> (character_hash >> 15 & 31) & 1) != 0; }
    const Table& pairs(std::size_t table) const { return m_pairs[table]; }
    const Table& characters() const { return m_characters; }

  private:
    std::array<Table, 2> m_pairs{};
    Table m_characters{};
};

/// The memory is kept from text to text.
class TextCharacters {
  public:
    /// `portable` leaves newer processors' instructions out, so that tests can compare the two.
    enum class Form { fastest, portable };
    explicit TextCharacters(Form form = Form::fastest);

    /// Valid UTF-8 of less than 2^32 bytes; other bytes are cut somehow, the first character begins at 0 whatever it is. O(bytes).
    void read(std::string_view text);
    std::size_t size() const { return m_size; }
    /// Before the first and behind the last one stand at least `margin` characters 0, which may be asked for too.
    static constexpr std::size_t margin = 16;
    const std::uint32_t* characters() const { return m_characters.data() + margin; }
    std::uint32_t operator[](std::size_t i) const { return characters()[i]; }

    /// Valid until the next call of what gave it.
    struct Span {
        const std::uint32_t* first = nullptr;
        std::size_t count = 0;
        const std::uint32_t* begin() const { return first; }
        const std::uint32_t* end() const { return first + count; }
    };
    /// Each i, ascending, for which the filter may have the pair of characters i - 1 and i. O(characters).
    Span positions_of(const PairFilter& filter);
    struct Wanted {
        Span pair_positions;   // likewise
        Span characters;       // each that the filter may have, as often as it stands there; and perhaps 0
    };
    Wanted find(const WantedFilter& filter);

  private:
    bool m_takes_avx512;
    std::size_t m_size = 0;
    std::vector<std::uint32_t> m_characters;
    std::vector<std::uint32_t> m_positions;
    std::vector<std::uint32_t> m_found;
};

}  // namespace unveil
