#include "experiment/filter/folds.hpp"

#include <unicode/translit.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <array>
#include <memory>

#include "core/error.hpp"
#include "core/han_parts.hpp"
#include "core/han_sounds.hpp"
#include "table/spelling.hpp"

namespace unveil {
namespace {

constexpr std::array<Fold, 36> all_folds = {{
    {"case", "letters in the other case: word -> WORD"},
    {"width", "ASCII in full width: a1 -> ａ１"},
    {"traditional", "traditional for simplified characters: 国 -> 國"},
    {"circled", "letters and digits in circles: a1 -> ⓐ①"},
    {"digits", "digits as Chinese numerals: 64 -> 六四"},
    {"space", "a blank between characters: 六四 -> 六 四"},
    {"ideographic-space", "an ideographic blank between characters"},
    {"ascii-punctuation", "a full stop between characters: 六.四"},
    {"cjk-punctuation", "a Chinese comma between characters: 六、四"},
    {"zero-width", "a zero-width space between characters"},
    {"variation-selector", "a variation selector behind each character"},
    {"combining", "a combining accent behind each character"},
    {"soft-hyphen", "a soft hyphen between characters"},
    {"emoji", "an emoji between characters"},
    {"latin", "a Latin letter between characters: 六x四"},
    {"digit", "a digit between characters: 六7四"},
    {"line-break", "a line break between characters"},
    {"repeat", "every character twice: 六六四四"},
    {"look-alike", "Latin letters as Cyrillic ones that look the same: a -> а"},
    {"html", "characters as HTML entities: 六 -> &#x516D;"},
    {"percent", "characters as in an address: 六 -> %E5%85%AD"},
    {"superscript", "small letters and digits raised: a1 -> ᵃ¹"},
    {"roman", "letters as Roman numerals: ix -> ⅰⅹ"},
    {"bidi", "a left-to-right mark between characters"},
    {"homophone", "characters of the same sound and tone: 家 -> 嘉"},
    {"homophone-any-tone", "characters of the same sound in another tone: 国 -> 锅"},
    {"pinyin", "characters as they sound: 国家 -> guojia"},
    {"pinyin-tones", "characters as they sound, with tones: 国家 -> guójiā"},
    {"pinyin-spaced", "characters as they sound, with blanks: 国家 -> guo jia"},
    {"initials", "the first letters of how characters sound: 中国人 -> zgr"},
    {"split-characters", "characters taken apart: 好 -> 女子"},
    {"reversal", "characters from last to first: 六四 -> 四六"},
    {"gap-1", "another character between characters: 六的四"},
    {"gap-2", "two other characters between characters: 六的是四"},
    {"gap-4", "four other characters between characters"},
    {"gap-8", "eight other characters between characters"},
}};

void append_code_point(std::string& out, UChar32 c) {
    icu::UnicodeString one(c);
    one.toUTF8String(out);
}

/// `between` after every character but the last; nothing for a single character.
std::optional<std::string> put_between(const icu::UnicodeString& text, UChar32 between) {
    std::string out;
    const std::int32_t characters = text.countChar32();
    if (characters < 2) return {};
    std::int32_t seen = 0;
    for (std::int32_t i = 0; i < text.length(); i = text.moveIndex32(i, 1)) {
        append_code_point(out, text.char32At(i));
        if (++seen < characters) append_code_point(out, between);
    }
    return out;
}

/// So many different characters between characters, none of them a numeral.
std::optional<std::string> put_gap(const icu::UnicodeString& text, std::int32_t characters) {
    static const icu::UnicodeString filler(u"的是在了有和这那");
    if (text.countChar32() < 2) return {};
    icu::UnicodeString out;
    for (std::int32_t i = 0; i < text.length(); i = text.moveIndex32(i, 1)) {
        if (i > 0) out.append(filler, 0, characters);
        out.append(text.char32At(i));
    }
    std::string bytes;
    return out.toUTF8String(bytes);
}

template <typename Change>
std::string changed(const icu::UnicodeString& text, const Change& change) {
    std::string out;
    for (std::int32_t i = 0; i < text.length(); i = text.moveIndex32(i, 1)) change(text.char32At(i), out);
    return out;
}

UChar32 circled(UChar32 c) {
    if (c >= 'a' && c <= 'z') return 0x24D0 + (c - 'a');
    if (c >= 'A' && c <= 'Z') return 0x24B6 + (c - 'A');
    if (c >= '1' && c <= '9') return 0x2460 + (c - '1');
    if (c == '0') return 0x24EA;
    return c;
}

UChar32 cyrillic(UChar32 c) {
    constexpr std::array<std::pair<char, char16_t>, 11> table = {{
        {'a', u'а'}, {'c', u'с'}, {'e', u'е'}, {'i', u'і'}, {'o', u'о'}, {'p', u'р'}, {'x', u'х'}, {'y', u'у'}, {'A', u'А'}, {'E', u'Е'}, {'O', u'О'},
    }};
    for (const auto& [latin, same] : table)
        if (c == latin) return same;
    return c;
}

UChar32 numeral(UChar32 c) {
    constexpr std::array<char16_t, 10> numerals = {u'〇', u'一', u'二', u'三', u'四', u'五', u'六', u'七', u'八', u'九'};
    return c >= '0' && c <= '9' ? numerals[static_cast<std::size_t>(c - '0')] : c;
}

UChar32 superscript(UChar32 c) {
    constexpr std::u16string_view letters = u"ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖqʳˢᵗᵘᵛʷˣʸᶻ";
    constexpr std::u16string_view digits = u"⁰¹²³⁴⁵⁶⁷⁸⁹";
    if (c >= 'a' && c <= 'z') return letters[static_cast<std::size_t>(c - 'a')];
    if (c >= '0' && c <= '9') return digits[static_cast<std::size_t>(c - '0')];
    return c;
}

UChar32 roman(UChar32 c) {
    constexpr std::array<std::pair<char, char16_t>, 14> table = {{
        {'c', u'ⅽ'}, {'d', u'ⅾ'}, {'i', u'ⅰ'}, {'l', u'ⅼ'}, {'m', u'ⅿ'}, {'v', u'ⅴ'}, {'x', u'ⅹ'}, {'C', u'Ⅽ'}, {'D', u'Ⅾ'}, {'I', u'Ⅰ'}, {'L', u'Ⅼ'}, {'M', u'Ⅿ'}, {'V', u'Ⅴ'}, {'X', u'Ⅹ'},
    }};
    for (const auto& [letter, number] : table)
        if (c == letter) return number;
    return c;
}

bool is_numeral(char32_t c) { return std::u32string_view(U"〇一二三四五六七八九").find(c) != std::u32string_view::npos; }

/// The first other character of GB 2312 that sounds so, or `c`. No numeral: a filter may read those as digits.
UChar32 homophone(UChar32 c, Tone tone) {
    const auto character = static_cast<char32_t>(c);
    for (const char32_t other : han_alike(character, tone))
        if (other != character && !is_numeral(other) && (tone == Tone::same || han_sound(other) != han_sound(character))) return static_cast<UChar32>(other);
    return c;
}

std::string traditional(const icu::UnicodeString& text) {
    // Made once: loading the table takes milliseconds. Transliterating does not change it.
    static const std::unique_ptr<icu::Transliterator> table = [] {
        UErrorCode status = U_ZERO_ERROR;
        std::unique_ptr<icu::Transliterator> made(icu::Transliterator::createInstance("Simplified-Traditional", UTRANS_FORWARD, status));
        UNVEIL_ASSERT(U_SUCCESS(status) && made);
        return made;
    }();
    icu::UnicodeString copy = text;
    table->transliterate(copy);
    std::string out;
    copy.toUTF8String(out);
    return out;
}

std::optional<std::string> change(std::string_view fold, const icu::UnicodeString& text) {
    const auto each = [&](auto map) {
        return changed(text, [&](UChar32 c, std::string& out) { append_code_point(out, map(c)); });
    };
    const auto behind = [&](UChar32 mark) {
        return changed(text, [&](UChar32 c, std::string& out) {
            append_code_point(out, c);
            append_code_point(out, mark);
        });
    };
    if (fold == "case") return each([](UChar32 c) { return u_isULowercase(c) ? u_toupper(c) : u_tolower(c); });
    if (fold == "width") return each([](UChar32 c) { return c > 0x20 && c < 0x7F ? c - 0x20 + 0xFF00 : c; });
    if (fold == "traditional") return traditional(text);
    if (fold == "circled") return each(circled);
    if (fold == "digits") return each(numeral);
    if (fold == "space") return put_between(text, ' ');
    if (fold == "ideographic-space") return put_between(text, 0x3000);
    if (fold == "ascii-punctuation") return put_between(text, '.');
    if (fold == "cjk-punctuation") return put_between(text, 0x3001);
    if (fold == "zero-width") return put_between(text, 0x200B);
    if (fold == "variation-selector") return behind(0xFE0F);
    if (fold == "combining") return behind(0x0301);
    if (fold == "soft-hyphen") return put_between(text, 0x00AD);
    if (fold == "emoji") return put_between(text, 0x1F600);
    if (fold == "latin") return put_between(text, 'x');
    if (fold == "digit") return put_between(text, '7');
    if (fold == "line-break") return put_between(text, '\n');
    if (fold == "repeat") return changed(text, [](UChar32 c, std::string& out) {
        append_code_point(out, c);
        append_code_point(out, c);
    });
    if (fold == "look-alike") return each(cyrillic);
    if (fold == "html") return changed(text, [](UChar32 c, std::string& out) {
        constexpr std::string_view digits = "0123456789ABCDEF";
        std::string hex;
        for (UChar32 rest = c; rest > 0; rest >>= 4) hex.insert(hex.begin(), digits[static_cast<std::size_t>(rest & 15)]);
        out += "&#x" + hex + ";";
    });
    if (fold == "percent") return changed(text, [](UChar32 c, std::string& out) {
        constexpr std::string_view digits = "0123456789ABCDEF";
        std::string bytes;
        append_code_point(bytes, c);
        for (const char byte : bytes) {
            const auto value = static_cast<unsigned char>(byte);
            out += {'%', digits[value >> 4], digits[value & 15]};
        }
    });
    if (fold == "superscript") return each(superscript);
    if (fold == "roman") return each(roman);
    if (fold == "bidi") return put_between(text, 0x200E);
    if (fold == "homophone") return each([](UChar32 c) { return homophone(c, Tone::same); });
    if (fold == "homophone-any-tone") return each([](UChar32 c) { return homophone(c, Tone::any); });
    if (std::find(filter::sound_spellings().begin(), filter::sound_spellings().end(), fold) != filter::sound_spellings().end()) {
        std::string bytes;
        auto spelled = filter::spelled_by_sound(fold, text.toUTF8String(bytes));
        // A single character has no place for a blank.
        if (fold == "pinyin-spaced" && spelled == filter::spelled_by_sound("pinyin", bytes)) return {};
        return spelled;
    }
    if (fold == "split-characters") return changed(text, [](UChar32 c, std::string& out) {
        const auto parts = han_parts(static_cast<char32_t>(c));
        if (parts.empty()) append_code_point(out, c);
        for (const char32_t part : parts) append_code_point(out, static_cast<UChar32>(part));
    });
    if (fold == "reversal") {
        std::string out;
        for (std::int32_t i = text.length(); i > 0;) {
            i = text.moveIndex32(i, -1);
            append_code_point(out, text.char32At(i));
        }
        return out;
    }
    if (fold == "gap-1") return put_gap(text, 1);
    if (fold == "gap-2") return put_gap(text, 2);
    if (fold == "gap-4") return put_gap(text, 4);
    if (fold == "gap-8") return put_gap(text, 8);
    UNVEIL_ASSERT(false);
    return {};
}

}  // namespace

std::span<const Fold> folds() { return all_folds; }

std::optional<std::string> folded(std::string_view fold, std::string_view component) {
    const auto text = icu::UnicodeString::fromUTF8(icu::StringPiece(component.data(), static_cast<std::int32_t>(component.size())));
    auto out = change(fold, text);
    if (!out || *out == component) return {};
    return out;
}

std::optional<std::string> variant_of(std::string_view fold, std::span<const std::string> components, std::string_view separator) {
    std::string message;
    bool is_changed = false;
    for (const auto& component : components) {
        const auto other = folded(fold, component);
        is_changed |= other.has_value();
        if (!message.empty()) message += separator;
        message += other.value_or(component);
    }
    if (!is_changed) return {};
    for (const auto& component : components)
        if (message.find(component) == std::string::npos) return message;
    return {};
}

}  // namespace unveil
