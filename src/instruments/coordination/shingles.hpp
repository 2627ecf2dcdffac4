// Which pieces of two texts are compared? Overlapping runs of characters, as long as the script needs to say
// something.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace unveil::coordination {

/// A text is read up to here; what follows does not count.
constexpr std::size_t shingle_characters_max = 16'000;
/// Dense scripts: Han, Kana, Hangul, Thai, Lao, Khmer and Myanmar, written without blanks or with few, where two or
/// three characters say what five letters say elsewhere.
constexpr std::size_t dense_length_short = 2;
constexpr std::size_t dense_length_long = 3;
constexpr std::size_t other_length = 5;
/// Two texts are compared by the long dense shingles when either has more dense characters than this.
constexpr std::size_t dense_short_max = 40;
/// A text with some dense characters, yet fewer than this, is never near one with more than dense_short_max.
constexpr std::size_t dense_long_min = 27;

bool is_dense_character(char32_t character);

/// Cuts a text into runs of dense and of other characters, and each run into all its shingles; a run shorter than
/// its shingle is one. Shingles never cross runs. Invalid UTF-8 is read as U+FFFD.
class Shingler {
  public:
    enum class Han { as_written, simplified };

    /// `seed` keys the 64-bit hashes that stand for shingles: nobody who does not know it can make two collide.
    Shingler(std::uint64_t seed, Han han);

    void read(std::string_view text);
    std::size_t characters() const { return m_characters.size(); }
    std::size_t dense_characters() const { return m_dense; }
    bool is_cut() const { return m_is_cut; }
    /// The hashes of all shingles of the text last read, repeats included. Views live until the next call.
    const std::vector<std::uint64_t>& shingles(std::size_t dense_length);

  private:
    std::uint64_t m_multipliers[other_length + 1];
    Han m_han;
    std::vector<char32_t> m_characters;
    std::vector<std::uint64_t> m_shingles;
    std::size_t m_dense = 0;
    bool m_is_cut = false;
};

/// A set of hashes that is emptied in O(1). Room grows with the largest set it held.
class ShingleSet {
  public:
    /// Empties it and makes room for `shingles_max` of them.
    void start(std::size_t shingles_max);
    /// Whether it was not in yet.
    bool insert(std::uint64_t shingle);
    /// After next_round(): whether it is in and was not asked for in this round.
    bool take(std::uint64_t shingle);
    void next_round() { ++m_round; }
    std::size_t size() const { return m_size; }

  private:
    struct Slot {
        std::uint64_t shingle = 0;
        std::uint32_t epoch = 0;
        std::uint32_t round = 0;
    };
    std::vector<Slot> m_slots;
    std::uint32_t m_epoch = 0;
    std::uint32_t m_round = 0;
    std::size_t m_size = 0;
};

/// Jaccard similarity |A and B| / |A or B| of the shingle sets of two texts, one of which is held while many are
/// compared with it. The dense length follows both texts. 0 when either is empty. O(characters).
class TextComparison {
  public:
    TextComparison(std::uint64_t seed, Shingler::Han han) : m_left(seed, han), m_right(seed, han) {}

    void hold(std::string_view text);
    double jaccard(std::string_view other);

  private:
    Shingler m_left;
    Shingler m_right;
    ShingleSet m_set;
    std::size_t m_dense_length = 0;  // for which m_set was filled; 0: not yet
    ShingleSet m_other;
};

}  // namespace unveil::coordination
