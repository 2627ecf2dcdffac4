// Made-up posts in eleven ways of writing, and near copies of them, for tests and benchmarks of near text.
#pragma once

#include <array>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include "core/random.hpp"

namespace unveil::testing {

inline std::u32string decoded(std::string_view text) {
    std::u32string out;
    for (std::size_t i = 0; i < text.size();) {
        const auto byte = [&](std::size_t k) { return static_cast<char32_t>(static_cast<unsigned char>(text[k])); };
        const int more = byte(i) >= 0xF0 ? 3 : byte(i) >= 0xE0 ? 2 : byte(i) >= 0xC0 ? 1 : 0;
        char32_t c = more == 3 ? byte(i) & 0x07 : more == 2 ? byte(i) & 0x0F : more == 1 ? byte(i) & 0x1F : byte(i);
        for (int k = 1; k <= more; ++k) c = (c << 6) | (byte(i + static_cast<std::size_t>(k)) & 0x3F);
        out += c;
        i += static_cast<std::size_t>(more) + 1;
    }
    return out;
}

inline std::string encoded(const std::u32string& text) {
    std::string out;
    const auto add = [&](char32_t bits) { out += static_cast<char>(bits); };
    for (const char32_t c : text) {
        if (c < 0x80) add(c);
        else if (c < 0x800) add(0xC0 | (c >> 6)), add(0x80 | (c & 0x3F));
        else if (c < 0x10000) add(0xE0 | (c >> 12)), add(0x80 | ((c >> 6) & 0x3F)), add(0x80 | (c & 0x3F));
        else add(0xF0 | (c >> 18)), add(0x80 | ((c >> 12) & 0x3F)), add(0x80 | ((c >> 6) & 0x3F)), add(0x80 | (c & 0x3F));
    }
    return out;
}

/// Letters occur as often as in `sample` (article 1 of the Universal Declaration of Human Rights, folded).
struct Writing {
    std::string_view name;
    std::string_view sample;
    char32_t rare_first;   // a share of the characters comes from rare_first + [0, rare_count), common ones first
    std::uint32_t rare_count;
    double rare_share;
    bool has_blanks;
};

inline constexpr std::array<Writing, 11> writings = {{
    {"Chinese, simplified", "人人生而自由在尊严和权利上一律平等他们赋有理性和良心并应以兄弟关系的精神相对待", 0x4E00, 3000, 0.7, false},
    {"Chinese, traditional", "人人生而自由在尊嚴和權利上一律平等他們賦有理性和良心並應以兄弟關係的精神相對待", 0x5100, 3000, 0.7, false},
    {"Japanese", "すべての人間は生まれながらにして自由でありかつ尊厳と権利とについて平等である人間は理性と良心とを授けられており互いに同胞の精神をもって行動しなければならない", 0x4E00, 1500, 0.25, false},
    {"Korean", "모든인간은태어날때부터자유로우며그존엄과권리에있어동등하다인간은천부적으로이성과양심을부여받았으며서로형제애의정신으로행동하여야한다", 0xAC00, 2300, 0.3, true},
    {"Thai", "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิต่างมีเหตุผลและมโนธรรมและควรปฏิบัติต่อกันด้วยเจตนารมณ์แห่งภราดรภาพ", 0x0E01, 46, 0.1, false},
    {"Arabic", "يولدجميعالناسأحرارامتساوينفيالكرامةوالحقوقوقدوهبواعقلاوضميراوعليهمأنيعاملبعضهمبعضابروحالإخاء", 0x0627, 35, 0.05, true},
    {"Russian", "вселюдирождаютсясвободнымииравнымивсвоемдостоинствеиправахонинаделеныразумомисовестьюидолжныпоступатьвотношениидругдругавдухебратства", 0x0430, 32, 0.05, true},
    {"Turkish", "bütüninsanlarhürhaysiyetvehaklarbakımındaneşitdoğarlarakılvevicdanasahiptirlervebirbirlerinekarşıkardeşlikzihniyetiilehareketetmelidirler", 'a', 26, 0.05, true},
    {"Spanish", "todoslossereshumanosnacenlibreseigualesendignidadyderechosydotadoscomoestánderazónyconcienciadebencomportarsefraternalmentelosunosconlosotros", 'a', 26, 0.05, true},
    {"English", "allhumanbeingsarebornfreeandequalindignityandrightstheyareendowedwithreasonandconscienceandshouldacttowardsoneanotherinaspiritofbrotherhood", 'a', 26, 0.05, true},
    {"Chinese with English", "人人生而自由在尊严和权利上一律平等allhumanbeingsarebornfreeandequal", 0x4E00, 1000, 0.3, true},
}};

/// Posts of words drawn from a vocabulary by Zipf's law, and of words used once: names, numbers, slips. They are 7
/// % of the words, as in the IRA's tweets of autumn 2016 (203,078 of 2,808,009 in 225,212 different texts).
class Writer {
  public:
    Writer(const Writing& writing, std::uint64_t seed, std::size_t vocabulary = 20'000)
        : m_writing(writing), m_sample(decoded(writing.sample)), m_random(seed, 7) {
        for (std::size_t i = 0; i < vocabulary; ++i) m_words.push_back(fresh_word());
    }

    Random& random() { return m_random; }
    char32_t character() {
        if (!m_random.chance(m_writing.rare_share)) return m_sample[m_random.below(m_sample.size())];
        const double u = m_random.uniform();
        return m_writing.rare_first + static_cast<char32_t>(u * u * m_writing.rare_count);
    }
    std::u32string fresh_word() {
        const bool is_dense = !m_writing.has_blanks || m_writing.name == "Korean";
        const auto length = is_dense ? 1 + m_random.below(3) : 2 + m_random.below(8);
        std::u32string word;
        while (word.size() < length) word += character();
        return word;
    }
    std::u32string word() {
        constexpr double fresh_share = 0.07;
        if (m_random.chance(fresh_share)) return fresh_word();
        // P(rank < r) = log(1 + r) / log(1 + n), which is Zipf's law with exponent 1.
        const double rank = std::exp(m_random.uniform() * std::log(1.0 + static_cast<double>(m_words.size()))) - 1;
        return m_words[std::min(m_words.size() - 1, static_cast<std::size_t>(rank))];
    }
    std::u32string post(std::size_t characters_min, std::size_t characters_max) {
        const auto length = characters_min + m_random.below(characters_max - characters_min + 1);
        std::u32string text;
        while (text.size() < length) {
            if (m_writing.has_blanks && !text.empty()) text += U' ';
            text += word();
        }
        return text;
    }
    /// `edits` random characters inserted, deleted or replaced, or a tag put behind.
    std::u32string edited(std::u32string text, std::size_t edits) {
        for (; edits > 0; --edits) {
            const auto at = m_random.below(text.size() + 1);
            switch (m_random.below(4)) {
                case 0: text.insert(at, 1, character()); break;
                case 1:
                    if (text.size() > 1 && at < text.size()) text.erase(at, 1);
                    break;
                case 2:
                    if (at < text.size()) text[at] = character();
                    break;
                default: text += U" #" + word();
            }
        }
        return text;
    }

  private:
    Writing m_writing;
    std::u32string m_sample;
    Random m_random;
    std::vector<std::u32string> m_words;
};

}  // namespace unveil::testing
