// Which simplified Chinese character does a traditional one stand for? One character at a time, for comparing texts
// only.
#pragma once

namespace unveil {

/// The simplified form, or `character` itself. The 2,853 pairs are what ICU 72.1's transliterator
/// "Traditional-Simplified" (Unicode CLDR) makes of each single Han code point; they are a table because
/// transliterating whole texts is slow and because the answer must not change with the installed ICU. Characters
/// whose simplification depends on their neighbours (乾隆 keeps 乾) are folded all the same. O(1).
char32_t simplified_han(char32_t character);

}  // namespace unveil
