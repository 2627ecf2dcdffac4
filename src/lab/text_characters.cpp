#include "lab/text_characters.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "core/error.hpp"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define UNVEIL_HAS_AVX512 1
#if !defined(__clang__)
// GCC 12 takes the undefined operands in its own intrinsics for a mistake of ours.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#define UNVEIL_AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,bmi,popcnt,lzcnt")))
#endif

namespace unveil {
namespace {

/// What a pass may write behind what it keeps.
constexpr std::size_t room = 64;

/// By the length of a character; longer ones, which are broken, are cut.
constexpr std::array<std::uint32_t, 5> length_masks = {0, 0xFF, 0xFFFF, 0xFF'FFFF, 0xFFFF'FFFF};

/// Characters that begin at or behind `from`, which does so itself; returns how many there are.
std::size_t read_characters(std::string_view text, std::size_t from, std::uint32_t* characters) {
    std::size_t count = 0;
    for (std::size_t at = from; at < text.size();) {
        std::size_t end = at + 1;
        while (end < text.size() && !is_lead(text[end])) ++end;
        std::uint32_t bytes = 0;
        std::memcpy(&bytes, text.data() + at, std::min<std::size_t>(4, text.size() - at));
        if constexpr (std::endian::native == std::endian::big) bytes = __builtin_bswap32(bytes);
        characters[count++] = bytes & length_masks[std::min<std::size_t>(4, end - at)];
        at = end;
    }
    return count;
}

// Always written and seldom kept: no branch has to be foreseen.

std::size_t find_positions(const std::uint32_t* characters, std::size_t count, const PairFilter& filter, std::uint32_t* positions) {
    std::size_t found = 0;
    for (std::size_t i = 0; i < count; ++i) {
        positions[found] = static_cast<std::uint32_t>(i);
        found += filter.may_have(pair_hash(characters[static_cast<std::ptrdiff_t>(i) - 1], characters[i]));
    }
    return found;
}

/// How many pairs and how many characters are kept.
struct Counts {
    std::size_t pairs = 0;
    std::size_t characters = 0;
};

Counts find_wanted(const std::uint32_t* characters, std::size_t count, const WantedFilter& filter, std::uint32_t* positions, std::uint32_t* found) {
    Counts counts;
    for (std::size_t i = 0; i < count; ++i) {
        positions[counts.pairs] = static_cast<std::uint32_t>(i);
        counts.pairs += filter.may_have_pair(pair_hash(characters[static_cast<std::ptrdiff_t>(i) - 1], characters[i]));
        found[counts.characters] = characters[i];
        counts.characters += filter.may_have_character(character_hash(characters[i]));
    }
    return counts;
}

#if UNVEIL_HAS_AVX512

/// Whole blocks of 64 bytes while the three bytes behind them are there too. `characters` has room for 64 more than are kept.
UNVEIL_AVX512
std::size_t read_characters_avx512(std::string_view text, std::size_t& at, std::uint32_t* characters) {
    const __m512i last_continuation = _mm512_set1_epi8(-65);
    const __m512i ascending = _mm512_set_epi8(63, 62, 61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49, 48, 47, 46, 45, 44, 43, 42, 41, 40, 39, 38, 37, 36, 35, 34, 33, 32, 31,
                                              30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    // Byte 4 k + j of a register of characters is byte j of character k.
    const __m512i four_times = _mm512_and_si512(_mm512_srli_epi16(ascending, 2), _mm512_set1_epi8(15));
    const __m512i byte_of_four = _mm512_and_si512(ascending, _mm512_set1_epi8(3));
    constexpr std::uint64_t first_bytes = 0x1111'1111'1111'1111;
    std::size_t count = 0;
    for (; at + 68 <= text.size(); at += 64) {
        const __m512i bytes = _mm512_loadu_si512(text.data() + at);
        const __m512i behind = _mm512_castsi128_si512(_mm_cvtsi32_si128([&] { int four; std::memcpy(&four, text.data() + at + 64, 4); return four; }()));
        const __mmask64 leads = _mm512_cmpgt_epi8_mask(bytes, last_continuation);
        const __m512i places = _mm512_maskz_compress_epi8(leads, ascending);
        const auto found = static_cast<std::size_t>(std::popcount(leads));
        // Chinese text has 21 or 22 characters in 64 bytes.
        for (std::size_t k = 0; k < found; k += 16) {
            const __m512i quarter = _mm512_add_epi8(four_times, _mm512_set1_epi8(static_cast<char>(k)));
            const __m512i from = _mm512_add_epi8(_mm512_permutexvar_epi8(quarter, places), byte_of_four);
            const __m512i four = _mm512_permutex2var_epi8(bytes, from, behind);
            // A byte belongs to the character when it and all before it continue it.
            const std::uint64_t continues = _mm512_cmple_epi8_mask(four, last_continuation) | first_bytes;
            const std::uint64_t two = continues & (continues << 1 | first_bytes);
            const std::uint64_t all = two & (two << 1 | first_bytes);
            _mm512_storeu_si512(characters + count + k, _mm512_maskz_mov_epi8(all, four));
        }
        count += found;
    }
    return count;
}

/// half_products of each of sixteen characters.
UNVEIL_AVX512
__m512i products(__m512i characters, std::int16_t low_factor, std::int16_t high_factor) {
    return _mm512_madd_epi16(characters, _mm512_set1_epi32(static_cast<std::uint16_t>(low_factor) | high_factor * 0x1'0000));
}
UNVEIL_AVX512
__m512i character_hashes(__m512i characters) { return products(characters, hash_factor::second_low, hash_factor::second_high); }
/// Of the characters before those that have these hashes, and them.
UNVEIL_AVX512
__m512i pair_hashes(__m512i characters_before, __m512i second_hashes) {
    const __m512i first = products(characters_before, hash_factor::first_low, hash_factor::first_high);
    return _mm512_mullo_epi32(_mm512_add_epi32(first, second_hashes), _mm512_set1_epi32(static_cast<int>(hash_factor::pair)));
}

// Sixteen characters a step, over the last one's end into the margin; positions in there are dropped behind the loop.

/// As pair_hash and PairFilter have it.
UNVEIL_AVX512
std::size_t find_positions_avx512(const std::uint32_t* characters, std::size_t count, const PairFilter& filter, std::uint32_t* positions) {
    const __m512i one = _mm512_set1_epi32(1);
    const __m128i word_shift = _mm_cvtsi32_si128(static_cast<int>(32 - filter.bits()));
    __m512i lanes = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    std::size_t found = 0;
    for (std::size_t i = 0; i < count; i += 16) {
        const __m512i hash = pair_hashes(_mm512_loadu_si512(characters + i - 1), character_hashes(_mm512_loadu_si512(characters + i)));
        const __m512i words = _mm512_i32gather_epi32(_mm512_srl_epi32(hash, word_shift), filter.words(), 4);
        // A rotation takes the low five bits of its count.
        const __m512i x = _mm512_rorv_epi32(words, _mm512_srli_epi32(hash, 14));
        const __m512i y = _mm512_rorv_epi32(words, _mm512_srli_epi32(hash, 9));
        const __m512i z = _mm512_rorv_epi32(words, _mm512_srli_epi32(hash, 4));
        constexpr int all_three = 0x80;
        const __mmask16 hits = _mm512_test_epi32_mask(_mm512_ternarylogic_epi32(x, y, z, all_three), one);
        _mm512_storeu_si512(positions + found, _mm512_maskz_compress_epi32(hits, lanes));
        found += static_cast<std::size_t>(std::popcount(static_cast<unsigned>(hits)));
        lanes = _mm512_add_epi32(lanes, _mm512_set1_epi32(16));
    }
    while (found > 0 && positions[found - 1] >= count) --found;
    return found;
}

UNVEIL_AVX512
__m512i looked_up(const WantedFilter::Table& table, __m512i places) {
    return _mm512_permutex2var_epi32(_mm512_loadu_si512(table.data()), places, _mm512_loadu_si512(table.data() + 16));
}

/// As pair_hash, character_hash and WantedFilter have it.
UNVEIL_AVX512
Counts find_wanted_avx512(const std::uint32_t* characters, std::size_t count, const WantedFilter& filter, std::uint32_t* positions, std::uint32_t* found) {
    const __m512i one = _mm512_set1_epi32(1);
    __m512i lanes = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    const WantedFilter tables = filter;
    Counts counts;
    for (std::size_t i = 0; i < count; i += 16) {
        const __m512i character = _mm512_loadu_si512(characters + i);
        const __m512i second = character_hashes(character);
        const __m512i hash = pair_hashes(_mm512_loadu_si512(characters + i - 1), second);
        const __m512i x = _mm512_rorv_epi32(looked_up(tables.pairs(0), _mm512_srli_epi32(hash, 27)), _mm512_srli_epi32(hash, 22));
        const __m512i y = _mm512_rorv_epi32(looked_up(tables.pairs(1), _mm512_srli_epi32(hash, 17)), _mm512_srli_epi32(hash, 12));
        const __mmask16 pairs = _mm512_test_epi32_mask(_mm512_and_si512(x, y), one);
        _mm512_storeu_si512(positions + counts.pairs, _mm512_maskz_compress_epi32(pairs, lanes));
        counts.pairs += static_cast<std::size_t>(std::popcount(static_cast<unsigned>(pairs)));
        const __m512i z = _mm512_rorv_epi32(looked_up(tables.characters(), _mm512_srli_epi32(second, 10)), _mm512_srli_epi32(second, 15));
        const __mmask16 wanted = _mm512_test_epi32_mask(z, one);
        _mm512_storeu_si512(found + counts.characters, _mm512_maskz_compress_epi32(wanted, character));
        counts.characters += static_cast<std::size_t>(std::popcount(static_cast<unsigned>(wanted)));
        lanes = _mm512_add_epi32(lanes, _mm512_set1_epi32(16));
    }
    while (counts.pairs > 0 && positions[counts.pairs - 1] >= count) --counts.pairs;
    return counts;
}

bool has_avx512() {
    static const bool has_all = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
                                __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vbmi2");
    return has_all;
}

#else

bool has_avx512() { return false; }

#endif

}  // namespace

TextCharacters::TextCharacters(Form form) : m_takes_avx512(form == Form::fastest && has_avx512()) {}

void TextCharacters::read(std::string_view text) {
    UNVEIL_ASSERT(text.size() < UINT32_MAX - 2 * room);
    if (m_positions.size() < text.size() + room) {
        m_characters.resize(margin + text.size() + room);
        m_positions.resize(text.size() + room);
        m_found.resize(text.size() + room);
    }
    std::uint32_t* const characters = m_characters.data() + margin;
    m_size = 0;
    std::size_t at = 0;
#if UNVEIL_HAS_AVX512
    if (m_takes_avx512) {
        if (!text.empty() && !is_lead(text[0])) {
            // What comes before the first lead byte is one character.
            while (at < text.size() && !is_lead(text[at])) ++at;
            m_size = read_characters(text.substr(0, at), 0, characters);
        }
        m_size += read_characters_avx512(text, at, characters + m_size);
        while (at < text.size() && !is_lead(text[at])) ++at;
    }
#endif
    m_size += read_characters(text, at, characters + m_size);
    std::fill_n(characters + m_size, margin, 0);
}

TextCharacters::Span TextCharacters::positions_of(const PairFilter& filter) {
    if (m_size == 0) return {};
#if UNVEIL_HAS_AVX512
    if (m_takes_avx512) return {m_positions.data(), find_positions_avx512(characters(), m_size, filter, m_positions.data())};
#endif
    return {m_positions.data(), find_positions(characters(), m_size, filter, m_positions.data())};
}

TextCharacters::Wanted TextCharacters::find(const WantedFilter& filter) {
    if (m_size == 0) return {};
    Counts counts;
#if UNVEIL_HAS_AVX512
    if (m_takes_avx512) counts = find_wanted_avx512(characters(), m_size, filter, m_positions.data(), m_found.data());
    else
#endif
        counts = find_wanted(characters(), m_size, filter, m_positions.data(), m_found.data());
    return {{m_positions.data(), counts.pairs}, {m_found.data(), counts.characters}};
}

}  // namespace unveil
