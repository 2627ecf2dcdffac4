// Which characters does a text have, one beside the other, and where do pairs of them stand that somebody looks for? The first passes of RuleMatcher.
//
// Both passes have a form for processors with AVX-512 (VBMI2), which takes sixteen characters a step, and one for all others; they agree in every value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace unveil {

/// A character is its bytes, the first lowest.
inline std::uint32_t pair_hash(std::uint32_t first, std::uint32_t second) {
    const std::uint32_t sum = first * 0x9E37'79B1u + second * 0x85EB'CA77u;
    return (sum ^ sum >> 15) * 0xC2B2'AE3Du;
}

/// Different for Chinese characters; others may share with them.
inline std::uint16_t character_code(std::uint32_t bytes) { return static_cast<std::uint16_t>((bytes & 7) | (bytes >> 5 & 0x1F8) | (bytes >> 7 & 0x7E00)); }
constexpr std::size_t character_code_count = std::size_t{1} << 15;

/// A set of pairs of neighbouring characters that says yes to some others too: a Bloom filter whose three bits lie in one word (Putze, Sanders &
/// Singler 2007, section 3), so that one access answers.
class PairFilter {
  public:
    /// 2^bits words, 1 <= bits <= 16.
    explicit PairFilter(unsigned bits) : m_bits(bits), m_words(std::size_t{1} << bits, 0) {}
    /// Of a hash.
    std::uint32_t word(std::uint32_t hash) const { return hash >> (32 - m_bits); }
    static std::uint32_t three_bits(std::uint32_t hash) { return 1u << (hash & 31) | 1u << (hash >> 5 & 31) | 1u << (hash >> 10 & 31); }
    void add(std::uint32_t hash) { m_words[word(hash)] |= three_bits(hash); }
    unsigned bits() const { return m_bits; }
    const std::uint32_t* words() const { return m_words.data(); }
    void clear() { m_words.assign(m_words.size(), 0); }

  private:
    unsigned m_bits;
    std::vector<std::uint32_t> m_words;
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
    /// The bytes of character i; before the first one stands 0.
    std::uint32_t character(std::size_t i) const { return m_characters[i + 1]; }
    std::uint32_t character_before(std::size_t i) const { return m_characters[i]; }
    const std::uint32_t* characters() const { return m_characters.data() + 1; }
    /// Where it begins, in bytes.
    std::uint32_t start(std::size_t i) const { return m_starts[i]; }

    /// Each i, ascending, for which the filter may have the pair of characters i - 1 and i. They are valid until the next call. O(characters).
    struct Positions {
        const std::uint32_t* first = nullptr;
        std::size_t count = 0;
        const std::uint32_t* begin() const { return first; }
        const std::uint32_t* end() const { return first + count; }
    };
    Positions positions_of(const PairFilter& filter);

    /// Sets the byte of each character's code to 1.
    void mark(std::uint8_t* is_there) const;

  private:
    bool m_takes_avx512;
    std::size_t m_size = 0;
    std::vector<std::uint32_t> m_characters;   // 0, the characters, and room
    std::vector<std::uint32_t> m_starts;
    std::vector<std::uint32_t> m_positions;
};

}  // namespace unveil
