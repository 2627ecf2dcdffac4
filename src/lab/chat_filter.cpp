#include "lab/chat_filter.hpp"

#include <unicode/translit.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <memory>

#include "core/error.hpp"
#include "core/random.hpp"

namespace unveil {
namespace {

bool is_emoji(UChar32 c) { return c >= 0x1F300 && c <= 0x1FAFF; }
bool is_variation_selector(UChar32 c) { return c >= 0xFE00 && c <= 0xFE0F; }

/// Whether the fold drops this character altogether.
bool is_dropped(const std::string& fold, UChar32 c) {
    if (fold == "space") return c == ' ';
    if (fold == "ideographic-space") return c == 0x3000;
    if (fold == "ascii-punctuation") return c < 0x80 && u_ispunct(c);
    if (fold == "cjk-punctuation") return c >= 0x3001 && c <= 0x3011;
    if (fold == "zero-width") return (c >= 0x200B && c <= 0x200D) || c == 0xFEFF;
    if (fold == "variation-selector") return is_variation_selector(c);
    if (fold == "combining") return u_charType(c) == U_NON_SPACING_MARK && !is_variation_selector(c);
    if (fold == "soft-hyphen") return c == 0x00AD;
    if (fold == "emoji") return is_emoji(c);
    if (fold == "latin") return c < 0x80 && u_isalpha(c);
    if (fold == "digit") return c >= '0' && c <= '9';
    if (fold == "line-break") return c == '\n' || c == '\r';
    return false;
}

UChar32 mapped(const std::string& fold, UChar32 c) {
    static const icu::UnicodeString cyrillic = icu::UnicodeString::fromUTF8("асеіорхуАЕО");
    static const icu::UnicodeString latin = icu::UnicodeString::fromUTF8("aceiopxyAEO");
    static const icu::UnicodeString numerals = icu::UnicodeString::fromUTF8("〇一二三四五六七八九");
    if (fold == "case") return u_foldCase(c, U_FOLD_CASE_DEFAULT);
    if (fold == "width") return c >= 0xFF01 && c <= 0xFF5E ? c - 0xFF00 + 0x20 : c;
    if (fold == "circled") {
        if (c >= 0x24D0 && c <= 0x24E9) return 'a' + (c - 0x24D0);
        if (c >= 0x24B6 && c <= 0x24CF) return 'A' + (c - 0x24B6);
        if (c >= 0x2460 && c <= 0x2468) return '1' + (c - 0x2460);
        if (c == 0x24EA) return '0';
    }
    if (fold == "digits")
        if (const std::int32_t at = numerals.indexOf(c); at >= 0) return '0' + at;
    if (fold == "look-alike")
        if (const std::int32_t at = cyrillic.indexOf(c); at >= 0) return latin.char32At(at);
    return c;
}

icu::UnicodeString without_entities(const icu::UnicodeString& text) {
    icu::UnicodeString out;
    for (std::int32_t i = 0; i < text.length();) {
        const std::int32_t end = text.indexOf(u';', i);
        if (text.char32At(i) == '&' && text.char32At(i + 1) == '#' && text.char32At(i + 2) == 'x' && end > i + 3 && end < i + 11) {
            UChar32 c = 0;
            for (std::int32_t k = i + 3; k < end; ++k) c = c * 16 + std::max(0, u_digit(text.char32At(k), 16));
            out.append(c);
            i = end + 1;
            continue;
        }
        out.append(text.char32At(i));
        i = text.moveIndex32(i, 1);
    }
    return out;
}

icu::UnicodeString simplified(const icu::UnicodeString& text) {
    static const std::unique_ptr<icu::Transliterator> table = [] {
        UErrorCode status = U_ZERO_ERROR;
        std::unique_ptr<icu::Transliterator> made(icu::Transliterator::createInstance("Traditional-Simplified", UTRANS_FORWARD, status));
        UNVEIL_ASSERT(U_SUCCESS(status) && made);
        return made;
    }();
    icu::UnicodeString out = text;
    table->transliterate(out);
    return out;
}

}  // namespace

const std::vector<std::string>& chat_folds() {
    // In the order in which they are undone: entities first, since they hide all else; repeats last.
    static const std::vector<std::string> all = {"html",      "width",      "circled",     "case",  "look-alike", "digits",
                                                 "traditional", "space",    "ideographic-space", "ascii-punctuation", "cjk-punctuation", "zero-width",
                                                 "variation-selector", "combining", "soft-hyphen", "emoji", "latin", "digit", "line-break", "repeat"};
    return all;
}

ChatFilter::ChatFilter(ChatFilterRules rules) : m_rules(std::move(rules)) {
    for (const auto& [context, list] : m_rules.rules)
        for (const auto& rule : list) {
            auto& made = m_normalised[context].emplace_back();
            made.without = emptying_folds(rule);
            for (const auto& component : rule) made.components.push_back(normalised(component, made.without));
            // A component without a character could only match everything.
            if (std::any_of(made.components.begin(), made.components.end(), [](const auto& c) { return c.empty(); })) m_normalised[context].pop_back();
        }
}

std::string ChatFilter::normalised(std::string_view text, std::span<const std::string> without) const { return normalised(text, without, nullptr); }

std::string ChatFilter::normalised(std::string_view text, std::span<const std::string> without, std::vector<std::string>* dropping) const {
    auto now = icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())));
    for (const auto& fold : chat_folds()) {
        if (std::find(m_rules.folds.begin(), m_rules.folds.end(), fold) == m_rules.folds.end()) continue;
        if (std::find(without.begin(), without.end(), fold) != without.end()) continue;
        if (fold == "html") now = without_entities(now);
        else if (fold == "traditional") now = simplified(now);
        else {
            icu::UnicodeString next;
            UChar32 before = -1;
            bool is_any_dropped = false;
            for (std::int32_t i = 0; i < now.length(); i = now.moveIndex32(i, 1)) {
                const UChar32 c = mapped(fold, now.char32At(i));
                const bool is_left_out = is_dropped(fold, c);
                is_any_dropped |= is_left_out;
                if (is_left_out || (fold == "repeat" && c == before)) continue;
                next.append(c);
                before = c;
            }
            now = next;
            if (is_any_dropped && dropping != nullptr) dropping->push_back(fold);
        }
    }
    std::string out;
    now.toUTF8String(out);
    return out;
}

std::vector<std::string> ChatFilter::emptying_folds(std::span<const std::string> components) const {
    std::vector<std::string> emptying;
    for (const auto& component : components)
        for (;;) {
            std::vector<std::string> dropping;
            if (!normalised(component, emptying, &dropping).empty() || dropping.empty()) break;
            emptying.insert(emptying.end(), dropping.begin(), dropping.end());
        }
    std::sort(emptying.begin(), emptying.end());
    return emptying;
}

bool ChatFilter::is_listed(const std::string& context, std::string_view text) const {
    const auto list = m_normalised.find(context);
    if (list == m_normalised.end()) return false;
    std::map<std::vector<std::string>, std::string> readings;
    return std::any_of(list->second.begin(), list->second.end(), [&](const Rule& rule) {
        auto read = readings.find(rule.without);
        if (read == readings.end()) read = readings.emplace(rule.without, normalised(text, rule.without)).first;
        return std::all_of(rule.components.begin(), rule.components.end(), [&](const auto& component) { return read->second.find(component) != std::string::npos; });
    });
}

bool ChatFilter::is_suppressed(const std::string& context, std::string_view text, std::uint64_t number) const {
    Random random(m_rules.seed, number);
    const bool is_listed_here = is_listed(context, text);
    return is_listed_here ? !random.chance(m_rules.slip_rate) : random.chance(m_rules.false_block_rate);
}

}  // namespace unveil
