// How does a Chinese character sound, and which others sound like it? One character at a time, each with its commonest reading, for comparing spellings.
#pragma once

#include <string>
#include <string_view>

namespace unveil {

/// In pinyin with its tone, "guó"; empty for all but the 3,755 common characters of GB 2312, level 1. What ICU 72.1's transliterator "Han-Latin" (Unicode
/// CLDR) makes of each; a table, because the answer must not change with the installed ICU. O(log characters).
std::string_view han_sound(char32_t character);

/// The same without the tone and as it is typed: "guo", "lv".
std::string_view han_syllable(char32_t character);

/// "guó" -> "guo": letters with the tones of pinyin are plain ones, all else stays. `text` is valid UTF-8.
std::string without_tone(std::string_view text);

enum class Tone { same, any };

/// All that sound so, `character` among them; empty where it has no sound here. Characters of one sound stand in the order of GB 2312, and so do the sounds of a syllable by their first
/// characters.
std::u32string_view han_alike(char32_t character, Tone tone);

}  // namespace unveil
