#include "table/spelling.hpp"

#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "core/han_parts.hpp"
#include "core/han_sounds.hpp"
#include "core/simplified_han.hpp"
#include "core/text.hpp"

namespace unveil::filter {
namespace {

bool is_variation_selector(UChar32 c) { return c >= 0xFE00 && c <= 0xFE0F; }

/// Entities hide all other changes, and characters that become others must have done so before some are left out.
constexpr std::array<std::string_view, 13> replacing = {"html",       "percent", "width",       "circled",          "superscript", "roman",             "case",
                                                        "look-alike", "digits",  "traditional", "split-characters", "homophone",   "homophone-any-tone"};
constexpr std::array<std::string_view, 11> leaving_out = {"space",      "line-break",         "ideographic-space", "ascii-punctuation", "cjk-punctuation", "zero-width",
                                                          "variation-selector", "combining", "soft-hyphen",       "bidi",              "emoji"};
/// Both at once: of "a1" neither should be left.
constexpr std::array<std::string_view, 2> leaving_out_letters = {"latin", "digit"};
constexpr std::array<std::string_view, 4> by_sound = {"pinyin", "pinyin-tones", "pinyin-spaced", "initials"};
constexpr std::array<std::string_view, 4> gaps = {"gap-1", "gap-2", "gap-4", "gap-8"};

UChar32 replaced(std::string_view fold, UChar32 c) {
    constexpr std::u16string_view cyrillic = u"асеіорхуАЕО";
    constexpr std::string_view latin = "aceiopxyAEO";
    constexpr std::u16string_view numerals = u"〇一二三四五六七八九";
    constexpr std::u16string_view raised = u"ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ⁰¹²³⁴⁵⁶⁷⁸⁹";
    constexpr std::string_view lowered = "abcdefghijklmnoprstuvwxyz0123456789";
    constexpr std::u16string_view roman = u"ⅽⅾⅰⅼⅿⅴⅹⅭⅮⅠⅬⅯⅤⅩ";
    constexpr std::string_view letters = "cdilmvxCDILMVX";
    if (fold == "width" && c >= 0xFF01 && c <= 0xFF5E) return c - 0xFF00 + 0x20;
    if (fold == "circled") {
        if (c >= 0x24D0 && c <= 0x24E9) return 'a' + (c - 0x24D0);
        if (c >= 0x24B6 && c <= 0x24CF) return 'A' + (c - 0x24B6);
        if (c >= 0x2460 && c <= 0x2468) return '1' + (c - 0x2460);
        if (c == 0x24EA) return '0';
    }
    if (fold == "case") return u_foldCase(c, U_FOLD_CASE_DEFAULT);
    if (fold == "homophone" || fold == "homophone-any-tone") {
        const auto alike = han_alike(static_cast<char32_t>(c), fold == "homophone" ? Tone::same : Tone::any);
        return alike.empty() ? c : static_cast<UChar32>(alike.front());
    }
    if (fold == "traditional") return static_cast<UChar32>(simplified_han(static_cast<char32_t>(c)));
    if (c > 0xFFFF) return c;
    if (fold == "look-alike")
        if (const auto at = cyrillic.find(static_cast<char16_t>(c)); at != std::u16string_view::npos) return latin[at];
    if (fold == "digits")
        if (const auto at = numerals.find(static_cast<char16_t>(c)); at != std::u16string_view::npos) return '0' + static_cast<UChar32>(at);
    if (fold == "superscript")
        if (const auto at = raised.find(static_cast<char16_t>(c)); at != std::u16string_view::npos) return lowered[at];
    if (fold == "roman")
        if (const auto at = roman.find(static_cast<char16_t>(c)); at != std::u16string_view::npos) return letters[at];
    return c;
}

bool is_left_out(std::string_view fold, UChar32 c) {
    if (fold == "space") return c == ' ';
    if (fold == "ideographic-space") return c == 0x3000;
    if (fold == "ascii-punctuation") return c < 0x80 && u_ispunct(c);
    if (fold == "cjk-punctuation") return c > 0x3000 && c < 0x3040 && u_ispunct(c);
    if (fold == "zero-width") return (c >= 0x200B && c <= 0x200D) || c == 0x2060 || c == 0xFEFF;
    if (fold == "variation-selector") return is_variation_selector(c);
    if (fold == "combining") return u_charType(c) == U_NON_SPACING_MARK && !is_variation_selector(c);
    if (fold == "soft-hyphen") return c == 0x00AD;
    if (fold == "bidi") return c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
    if (fold == "emoji") return c >= 0x1F300 && c <= 0x1FAFF;
    if (fold == "latin") return c < 0x80 && u_isalpha(c);
    if (fold == "digit") return c >= '0' && c <= '9';
    if (fold == "line-break") return c == '\n' || c == '\r';
    return false;
}

/// "&#x516D;" -> "六".
icu::UnicodeString without_entities(const icu::UnicodeString& text) {
    constexpr std::int32_t digits_max = 6;
    icu::UnicodeString out;
    for (std::int32_t i = 0; i < text.length();) {
        if (text.compareBetween(i, std::min(i + 3, text.length()), u"&#x", 0, 3) == 0) {
            std::int32_t at = i + 3;
            UChar32 c = 0;
            for (; at < text.length() && at - i - 3 < digits_max && u_digit(text.charAt(at), 16) >= 0; ++at) c = c * 16 + u_digit(text.charAt(at), 16);
            const bool is_entity = at > i + 3 && at < text.length() && text.charAt(at) == u';' && c > 0 && c <= 0x10FFFF && !U_IS_SURROGATE(c);
            if (is_entity) {
                out.append(c);
                i = at + 1;
                continue;
            }
        }
        out.append(text.char32At(i));
        i = text.moveIndex32(i, 1);
    }
    return out;
}

/// "%E5%85%AD" -> "六". What is no UTF-8 stays.
std::string without_percents(std::string_view text) {
    std::string out;
    const auto byte_at = [&](std::size_t at) {
        return at + 2 < text.size() && text[at] == '%' && u_digit(static_cast<unsigned char>(text[at + 1]), 16) >= 0 && u_digit(static_cast<unsigned char>(text[at + 2]), 16) >= 0
                   ? u_digit(static_cast<unsigned char>(text[at + 1]), 16) * 16 + u_digit(static_cast<unsigned char>(text[at + 2]), 16)
                   : -1;
    };
    for (std::size_t i = 0; i < text.size();) {
        std::string bytes;
        for (std::size_t at = i; byte_at(at) > 0; at += 3) bytes += static_cast<char>(byte_at(at));
        if (bytes.empty() || !is_valid_utf8(bytes)) {
            out += text[i++];
            continue;
        }
        out += bytes;
        i += bytes.size() * 3;
    }
    return out;
}

/// 女子 -> 好, over and over: what was put together may be part of another one.
icu::UnicodeString put_together(const icu::UnicodeString& text) {
    static const std::map<std::u32string_view, char32_t> wholes = [] {
        std::map<std::u32string_view, char32_t> made;
        for (char32_t c = 0x4E00; c < 0xA000; ++c)
            if (const auto parts = han_parts(c); !parts.empty()) made.emplace(parts, c);
        return made;
    }();
    std::u32string characters;
    for (std::int32_t i = 0; i < text.length(); i = text.moveIndex32(i, 1)) {
        characters += static_cast<char32_t>(text.char32At(i));
        // Left to right: a character takes the one before it.
        for (;;) {
            if (characters.size() < 2) break;
            const auto whole = wholes.find(std::u32string_view(characters).substr(characters.size() - 2));
            if (whole == wholes.end()) break;
            characters.resize(characters.size() - 2);
            characters += whole->second;
        }
    }
    icu::UnicodeString out;
    for (const char32_t c : characters) out.append(static_cast<UChar32>(c));
    return out;
}

template <typename Change>
icu::UnicodeString each_character(const icu::UnicodeString& text, const Change& change) {
    icu::UnicodeString out;
    for (std::int32_t i = 0; i < text.length(); i = text.moveIndex32(i, 1)) change(text.char32At(i), out);
    return out;
}

}  // namespace

std::set<std::string> all_spellings() {
    std::set<std::string> all{"repeat", "reversal"};
    all.insert(by_sound.begin(), by_sound.end());
    all.insert(gaps.begin(), gaps.end());
    all.insert(replacing.begin(), replacing.end());
    all.insert(leaving_out.begin(), leaving_out.end());
    all.insert(leaving_out_letters.begin(), leaving_out_letters.end());
    return all;
}

std::string as_read(const std::set<std::string>& folds, std::string_view component) {
    const auto is_undone = [&](std::string_view fold) { return folds.count(std::string(fold)) > 0; };
    auto text = icu::UnicodeString::fromUTF8(icu::StringPiece(component.data(), static_cast<std::int32_t>(component.size())));
    for (const auto fold : replacing) {
        if (!is_undone(fold)) continue;
        if (fold == "html") text = without_entities(text);
        else if (fold == "split-characters") text = put_together(text);
        else if (fold == "percent") {
            std::string bytes;
            text = icu::UnicodeString::fromUTF8(without_percents(text.toUTF8String(bytes)));
        }
        else text = each_character(text, [&](UChar32 c, icu::UnicodeString& out) { out.append(replaced(fold, c)); });
    }
    const auto leave_out = [&](std::span<const std::string_view> these) {
        auto left = each_character(text, [&](UChar32 c, icu::UnicodeString& out) {
            if (std::none_of(these.begin(), these.end(), [&](std::string_view fold) { return is_undone(fold) && is_left_out(fold, c); })) out.append(c);
        });
        if (!left.isEmpty()) text = std::move(left);
    };
    for (const auto& fold : leaving_out) leave_out({&fold, 1});
    leave_out(leaving_out_letters);
    if (is_undone("repeat")) {
        UChar32 before = -1;
        text = each_character(text, [&](UChar32 c, icu::UnicodeString& out) {
            if (c != before) out.append(c);
            before = c;
        });
    }
    if (is_undone("reversal")) {
        auto reversed = text;
        reversed.reverse();
        text = std::min(text, reversed);
    }
    std::string out;
    text.toUTF8String(out);
    return out;
}

std::vector<std::string> as_read(const std::set<std::string>& folds, const std::vector<std::string>& components, bool is_ordered) {
    std::vector<std::string> read;
    for (const auto& component : components) {
        auto next = as_read(folds, component);
        if (std::find(read.begin(), read.end(), next) == read.end()) read.push_back(std::move(next));
    }
    if (!is_ordered) std::sort(read.begin(), read.end());
    return read;
}

std::span<const std::string_view> sound_spellings() { return by_sound; }

std::optional<std::string> spelled_by_sound(std::string_view fold, std::string_view component) {
    const auto text = icu::UnicodeString::fromUTF8(icu::StringPiece(component.data(), static_cast<std::int32_t>(component.size())));
    std::string out;
    int sounds = 0;
    bool was_sound = false;
    for (std::int32_t i = 0; i < text.length(); i = text.moveIndex32(i, 1)) {
        const UChar32 c = text.char32At(i);
        const char32_t simplified = simplified_han(static_cast<char32_t>(c));
        const std::string_view sound = fold == "pinyin-tones" ? han_sound(simplified) : han_syllable(simplified);
        if (sound.empty() && u_hasBinaryProperty(c, UCHAR_IDEOGRAPHIC)) return {};
        if (fold == "pinyin-spaced" && i > 0 && (was_sound || !sound.empty())) out += ' ';
        was_sound = !sound.empty();
        sounds += was_sound;
        if (was_sound) out += fold == "initials" ? sound.substr(0, 1) : sound;
        else icu::UnicodeString(c).toUTF8String(out);
    }
    // Two letters stand in many a word.
    constexpr int initials_min = 3;
    if (sounds < (fold == "initials" ? initials_min : 1)) return {};
    return out;
}

std::vector<std::string> broadest_reading(const std::vector<std::string>& components) {
    static const std::set<std::string> all = [] {
        auto made = all_spellings();
        made.erase("reversal");
        return made;
    }();
    std::vector<std::string> read;
    for (const auto& component : components) {
        // Entities hide all else; what was doubled is no character of two alike parts, and letters with tones are letters.
        auto now = as_read(all, without_tone(as_read({"repeat"}, as_read({"html", "percent"}, component))));
        read.push_back(as_read({"repeat"}, spelled_by_sound("pinyin", now).value_or(now)));
    }
    std::sort(read.begin(), read.end());
    read.erase(std::unique(read.begin(), read.end()), read.end());
    return read;
}

}  // namespace unveil::filter
