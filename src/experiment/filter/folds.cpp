#include "experiment/filter/folds.hpp"

#include <unicode/translit.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <array>
#include <memory>

#include "core/error.hpp"

namespace unveil {
namespace {

constexpr std::array<Fold, 20> all_folds = {{
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
