#include "instruments/filter/spelling.hpp"

#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "core/simplified_han.hpp"

namespace unveil::filter {
namespace {

bool is_variation_selector(UChar32 c) { return c >= 0xFE00 && c <= 0xFE0F; }

/// Entities hide all other changes, and characters that become others must have done so before some are left out.
constexpr std::array<std::string_view, 7> replacing = {"html", "width", "circled", "case", "look-alike", "digits", "traditional"};
constexpr std::array<std::string_view, 10> leaving_out = {"space",      "line-break",         "ideographic-space", "ascii-punctuation", "cjk-punctuation",
                                                          "zero-width", "variation-selector", "combining",         "soft-hyphen",       "emoji"};
/// Both at once: of "a1" neither should be left.
constexpr std::array<std::string_view, 2> leaving_out_letters = {"latin", "digit"};

UChar32 replaced(std::string_view fold, UChar32 c) {
    constexpr std::u16string_view cyrillic = u"асеіорхуАЕО";
    constexpr std::string_view latin = "aceiopxyAEO";
    constexpr std::u16string_view numerals = u"〇一二三四五六七八九";
    if (fold == "width" && c >= 0xFF01 && c <= 0xFF5E) return c - 0xFF00 + 0x20;
    if (fold == "circled") {
        if (c >= 0x24D0 && c <= 0x24E9) return 'a' + (c - 0x24D0);
        if (c >= 0x24B6 && c <= 0x24CF) return 'A' + (c - 0x24B6);
        if (c >= 0x2460 && c <= 0x2468) return '1' + (c - 0x2460);
        if (c == 0x24EA) return '0';
    }
    if (fold == "case") return u_foldCase(c, U_FOLD_CASE_DEFAULT);
    if (fold == "traditional") return static_cast<UChar32>(simplified_han(static_cast<char32_t>(c)));
    if (c > 0xFFFF) return c;
    if (fold == "look-alike")
        if (const auto at = cyrillic.find(static_cast<char16_t>(c)); at != std::u16string_view::npos) return latin[at];
    if (fold == "digits")
        if (const auto at = numerals.find(static_cast<char16_t>(c)); at != std::u16string_view::npos) return '0' + static_cast<UChar32>(at);
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

template <typename Change>
icu::UnicodeString each_character(const icu::UnicodeString& text, const Change& change) {
    icu::UnicodeString out;
    for (std::int32_t i = 0; i < text.length(); i = text.moveIndex32(i, 1)) change(text.char32At(i), out);
    return out;
}

}  // namespace

std::set<std::string> all_spellings() {
    std::set<std::string> all{"repeat"};
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

}  // namespace unveil::filter
