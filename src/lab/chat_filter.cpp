#include "lab/chat_filter.hpp"

#include <unicode/normalizer2.h>
#include <unicode/translit.h>
#include <unicode/uchar.h>
#include <unicode/ucnv.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <set>

#include "core/error.hpp"
#include "core/han_parts.hpp"
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
    if (fold == "bidi") return u_hasBinaryProperty(c, UCHAR_BIDI_CONTROL);
    if (fold == "emoji") return is_emoji(c);
    if (fold == "latin") return c < 0x80 && u_isalpha(c);
    if (fold == "digit") return c >= '0' && c <= '9';
    if (fold == "line-break") return c == '\n' || c == '\r';
    return false;
}

std::unique_ptr<icu::Transliterator> transliterator(const char* id) {
    UErrorCode status = U_ZERO_ERROR;
    std::unique_ptr<icu::Transliterator> made(icu::Transliterator::createInstance(id, UTRANS_FORWARD, status));
    UNVEIL_ASSERT(U_SUCCESS(status) && made);
    return made;
}

enum class Tones { kept, dropped };

/// In pinyin: "guó", or as it is typed "guo", "lv". Empty where it has no such sound.
std::string sound_of(UChar32 c, Tones tones) {
    static const std::unique_ptr<icu::Transliterator> table = transliterator("Han-Latin");
    if (!u_hasBinaryProperty(c, UCHAR_IDEOGRAPHIC)) return {};
    icu::UnicodeString sound(c);
    table->transliterate(sound);
    if (sound == icu::UnicodeString(c)) return {};
    std::string out;
    if (tones == Tones::kept) return sound.toUTF8String(out);
    UErrorCode status = U_ZERO_ERROR;
    const auto apart = icu::Normalizer2::getNFDInstance(status)->normalize(sound, status);
    UNVEIL_ASSERT(U_SUCCESS(status));
    for (std::int32_t i = 0; i < apart.length(); ++i) {
        const char16_t letter = apart.charAt(i);
        if (letter == 0x0308) out.back() = 'v';
        else if (letter < 0x80) out += static_cast<char>(letter);
    }
    return out;
}

/// Of the common characters of GB 2312 the first that sounds so; others stay.
class SoundClasses {
  public:
    SoundClasses() {
        UErrorCode status = U_ZERO_ERROR;
        UConverter* converter = ucnv_open("GB2312", &status);
        UNVEIL_ASSERT(U_SUCCESS(status));
        for (int row = 0xB0; row <= 0xD7; ++row)
            for (int cell = 0xA1; cell <= 0xFE; ++cell) {
                const std::array<char, 2> bytes = {static_cast<char>(row), static_cast<char>(cell)};
                const icu::UnicodeString text(bytes.data(), 2, converter, status);
                const UChar32 c = text.char32At(0);
                if (U_FAILURE(status) || text.countChar32() != 1 || !u_hasBinaryProperty(c, UCHAR_IDEOGRAPHIC)) continue;
                m_same[c] = m_first.emplace(sound_of(c, Tones::kept), c).first->second;
                m_any[c] = m_first_typed.emplace(sound_of(c, Tones::dropped), c).first->second;
            }
        ucnv_close(converter);
    }
    UChar32 first(UChar32 c, Tones tones) const {
        const auto& classes = tones == Tones::kept ? m_same : m_any;
        const auto found = classes.find(c);
        return found == classes.end() ? c : found->second;
    }

  private:
    std::map<std::string, UChar32> m_first;
    std::map<std::string, UChar32> m_first_typed;
    std::map<UChar32, UChar32> m_same;
    std::map<UChar32, UChar32> m_any;
};

UChar32 first_that_sounds_so(UChar32 c, Tones tones) {
    static const SoundClasses classes;
    return classes.first(c, tones);
}

/// What compatibility makes of a character, where that is one.
UChar32 compatible(UChar32 c) {
    UErrorCode status = U_ZERO_ERROR;
    const auto text = icu::Normalizer2::getNFKDInstance(status)->normalize(icu::UnicodeString(c), status);
    UNVEIL_ASSERT(U_SUCCESS(status));
    return text.countChar32() == 1 ? text.char32At(0) : c;
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
    if (fold == "superscript" && u_getIntPropertyValue(c, UCHAR_DECOMPOSITION_TYPE) == U_DT_SUPER) return compatible(c);
    if (fold == "roman" && c >= 0x2160 && c <= 0x217F) return compatible(c);
    if (fold == "homophone") return first_that_sounds_so(c, Tones::kept);
    if (fold == "homophone-any-tone") return first_that_sounds_so(c, Tones::dropped);
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

/// Bytes that were written as %E5 and make up characters are those again.
icu::UnicodeString without_percents(const icu::UnicodeString& text) {
    icu::UnicodeString out;
    for (std::int32_t i = 0; i < text.length();) {
        std::string bytes;
        std::int32_t end = i;
        for (; text.charAt(end) == '%' && u_digit(text.charAt(end + 1), 16) >= 0 && u_digit(text.charAt(end + 2), 16) >= 0; end += 3)
            bytes += static_cast<char>(u_digit(text.charAt(end + 1), 16) * 16 + u_digit(text.charAt(end + 2), 16));
        const auto decoded = icu::UnicodeString::fromUTF8(bytes);
        if (!bytes.empty() && decoded.indexOf(char16_t{0xFFFD}) < 0 && decoded.indexOf(char16_t{0}) < 0) {
            out.append(decoded);
            i = end;
            continue;
        }
        out.append(text.char32At(i));
        i = text.moveIndex32(i, 1);
    }
    return out;
}

/// How the component stands on the list by this fold; nothing where it would stand there as it is.
std::optional<std::string> listed_as(const std::string& fold, const std::string& component) {
    const auto text = icu::UnicodeString::fromUTF8(component);
    std::vector<UChar32> characters;
    for (std::int32_t i = 0; i < text.length(); i = text.moveIndex32(i, 1)) characters.push_back(text.char32At(i));
    if (fold == "reversal") std::reverse(characters.begin(), characters.end());
    const auto sounding = std::count_if(characters.begin(), characters.end(), [](UChar32 c) { return !sound_of(c, Tones::dropped).empty(); });
    constexpr int initials_min = 3;
    if (fold == "initials" && sounding < initials_min) return {};
    std::string out;
    bool is_after_sound = false;
    for (std::size_t i = 0; i < characters.size(); ++i) {
        std::string next;
        if (fold == "split-characters")
            for (const char32_t part : han_parts(static_cast<char32_t>(characters[i]))) icu::UnicodeString(static_cast<UChar32>(part)).toUTF8String(next);
        const bool is_by_sound = fold.starts_with("pinyin") || fold == "initials";
        if (is_by_sound) next = sound_of(characters[i], fold == "pinyin-tones" ? Tones::kept : Tones::dropped);
        if (fold == "initials" && !next.empty()) next.resize(1);
        const bool is_sound = is_by_sound && !next.empty();
        if (fold == "pinyin-spaced" && i > 0 && (is_sound || is_after_sound)) out += ' ';
        is_after_sound = is_sound;
        if (next.empty()) icu::UnicodeString(characters[i]).toUTF8String(next);
        out += next;
    }
    if (out == component) return {};
    return out;
}

/// Where a match ends that ends first, in characters from `from` on; nothing where there is none.
std::optional<std::size_t> end_of_match(std::u32string_view text, std::u32string_view wanted, std::size_t gap, std::size_t from) {
    // Where the characters so far may end.
    std::vector<bool> ends(text.size(), false);
    for (std::size_t k = 0; k < wanted.size(); ++k) {
        std::vector<bool> next(text.size(), false);
        std::optional<std::size_t> last;
        for (std::size_t i = from; i < text.size(); ++i) {
            const bool is_near = k == 0 || (last && i - *last <= gap + 1);
            if (is_near && text[i] == wanted[k]) {
                next[i] = true;
                if (k + 1 == wanted.size()) return i + 1;
            }
            if (k > 0 && ends[i]) last = i;
        }
        ends = std::move(next);
    }
    return {};
}

std::u32string characters_of(std::string_view text) {
    const auto units = icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())));
    std::u32string characters;
    for (std::int32_t i = 0; i < units.length(); i = units.moveIndex32(i, 1)) characters += static_cast<char32_t>(units.char32At(i));
    return characters;
}

/// Whether the components stand in the text, in any order, with at most so many characters between two neighbours.
bool are_near(std::u32string_view text, std::vector<std::u32string> components, std::size_t distance_max) {
    std::sort(components.begin(), components.end());
    do {
        // Where the components so far may end.
        std::vector<std::size_t> ends;
        for (const auto& component : components) {
            std::vector<std::size_t> next;
            for (auto at = text.find(component); at != std::u32string_view::npos; at = text.find(component, at + 1)) {
                const bool is_near = &component == &components.front() || std::any_of(ends.begin(), ends.end(), [&](std::size_t end) { return at >= end && at - end <= distance_max; });
                if (is_near) next.push_back(at + component.size());
            }
            ends = std::move(next);
        }
        if (!ends.empty()) return true;
    } while (std::next_permutation(components.begin(), components.end()));
    return false;
}

icu::UnicodeString simplified(const icu::UnicodeString& text) {
    static const std::unique_ptr<icu::Transliterator> table = transliterator("Traditional-Simplified");
    icu::UnicodeString out = text;
    table->transliterate(out);
    return out;
}

}  // namespace

const std::vector<std::string>& chat_folds() {
    // In the order in which they are undone: entities first, since they hide all else; sounds when characters are what they will be; repeats last. Then come those that are listed, and gaps.
    static const std::vector<std::string> all = {
        "html",   "percent",      "width",         "circled",          "superscript",       "roman",              "case",       "look-alike", "digits",      "traditional", "homophone", "homophone-any-tone",
        "space",  "ideographic-space", "ascii-punctuation", "cjk-punctuation", "zero-width", "variation-selector", "combining",  "soft-hyphen", "bidi",        "emoji",       "latin",     "digit",
        "line-break", "repeat",   "pinyin",        "pinyin-tones",     "pinyin-spaced",     "initials",           "split-characters", "reversal", "gap-1",   "gap-2",       "gap-4",     "gap-8"};
    return all;
}

std::vector<std::string> strict_folds() {
    static const std::set<std::string> by_sound_or_place = {"homophone", "homophone-any-tone", "pinyin", "pinyin-tones", "pinyin-spaced", "initials", "split-characters", "reversal", "gap-1", "gap-2", "gap-4", "gap-8"};
    std::vector<std::string> folds;
    for (const auto& fold : chat_folds())
        if (by_sound_or_place.count(fold) == 0) folds.push_back(fold);
    return folds;
}

std::vector<std::string> with_implied_folds(const std::vector<std::string>& folds) {
    std::set<std::string> all(folds.begin(), folds.end());
    const auto has = [&](const char* fold) { return all.count(fold) > 0; };
    if (has("homophone-any-tone")) all.insert("homophone");
    // Blanks are dropped from what is listed, too.
    if (has("space") && (has("pinyin") || has("pinyin-spaced"))) all.insert({"pinyin", "pinyin-spaced"});
    if (has("gap-8")) all.insert("gap-4");
    if (has("gap-4")) all.insert("gap-2");
    if (has("gap-2")) all.insert("gap-1");
    if (has("gap-1"))
        all.insert({"space", "ideographic-space", "ascii-punctuation", "cjk-punctuation", "zero-width", "variation-selector", "combining", "soft-hyphen", "bidi", "emoji", "latin", "digit", "line-break",
                    "repeat"});
    return {all.begin(), all.end()};
}

ChatFilter::ChatFilter(ChatFilterRules rules) : m_rules(std::move(rules)) {
    for (const auto& [context, list] : m_rules.rules)
        for (const auto& rule : list)
            for (auto& entry : listed(rule)) m_listed[context].push_back(std::move(entry));
}

std::vector<ChatFilter::Listed> ChatFilter::listed(std::span<const std::string> components) const {
    const auto has = [&](const std::string& fold) { return std::find(m_rules.folds.begin(), m_rules.folds.end(), fold) != m_rules.folds.end(); };
    std::vector<Listed> all;
    const auto add = [&](const std::vector<std::string>& spelled, const std::vector<std::string>& without, std::size_t gap) {
        Listed entry{{}, emptying_folds(spelled, without), gap};
        for (const auto& component : spelled) entry.components.push_back(normalised(component, entry.without));
        // A component without a character could only match everything.
        if (std::none_of(entry.components.begin(), entry.components.end(), [](const auto& c) { return c.empty(); })) all.push_back(std::move(entry));
    };
    std::size_t gap = 0;
    for (const auto& [fold, characters] : {std::pair{"gap-1", 1}, {"gap-2", 2}, {"gap-4", 4}, {"gap-8", 8}})
        if (has(fold)) gap = static_cast<std::size_t>(characters);
    add({components.begin(), components.end()}, {}, gap);
    for (const auto* fold : {"pinyin", "pinyin-tones", "pinyin-spaced", "initials", "split-characters", "reversal"}) {
        if (!has(fold)) continue;
        std::vector<std::string> spelled;
        bool is_other = false;
        for (const auto& component : components) {
            const auto as = listed_as(fold, component);
            is_other |= as.has_value();
            spelled.push_back(as.value_or(component));
        }
        // Of what is written in letters, letters are no noise.
        const bool is_in_letters = fold != std::string_view("split-characters") && fold != std::string_view("reversal");
        if (is_other) add(spelled, is_in_letters ? std::vector<std::string>{"latin"} : std::vector<std::string>{}, 0);
    }
    return all;
}

bool ChatFilter::holds(std::string_view text, std::span<const std::string> components, std::size_t gap, bool is_ordered) {
    if (gap == 0 && !is_ordered)
        return std::all_of(components.begin(), components.end(), [&](const std::string& component) { return text.find(component) != std::string_view::npos; });
    const std::u32string characters = characters_of(text);
    std::size_t from = 0;
    for (const auto& component : components) {
        const auto end = end_of_match(characters, characters_of(component), gap, from);
        if (!end) return false;
        if (is_ordered) from = *end;
    }
    return true;
}

std::string ChatFilter::normalised(std::string_view text, std::span<const std::string> without) const { return normalised(text, without, nullptr); }

std::string ChatFilter::normalised(std::string_view text, std::span<const std::string> without, std::vector<std::string>* dropping) const {
    auto now = icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())));
    for (const auto& fold : chat_folds()) {
        if (std::find(m_rules.folds.begin(), m_rules.folds.end(), fold) == m_rules.folds.end()) continue;
        if (std::find(without.begin(), without.end(), fold) != without.end()) continue;
        if (fold == "html") now = without_entities(now);
        else if (fold == "percent") now = without_percents(now);
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

std::vector<std::string> ChatFilter::emptying_folds(std::span<const std::string> components) const { return emptying_folds(components, {}); }

std::vector<std::string> ChatFilter::emptying_folds(std::span<const std::string> components, std::vector<std::string> emptying) const {
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
    const auto list = m_listed.find(context);
    if (list == m_listed.end()) return false;
    std::map<std::vector<std::string>, std::string> readings;
    return std::any_of(list->second.begin(), list->second.end(), [&](const Listed& entry) {
        auto read = readings.find(entry.without);
        if (read == readings.end()) read = readings.emplace(entry.without, normalised(text, entry.without)).first;
        if (!holds(read->second, entry.components, entry.gap, false)) return false;
        if (m_rules.distance_max == 0 || entry.gap > 0) return true;
        std::vector<std::u32string> components;
        for (const auto& component : entry.components) components.push_back(characters_of(component));
        return are_near(characters_of(read->second), std::move(components), m_rules.distance_max);
    });
}

bool ChatFilter::is_suppressed(const std::string& context, std::string_view text, std::uint64_t number) const {
    Random random(m_rules.seed, number);
    const bool is_listed_here = is_listed(context, text);
    return is_listed_here ? !random.chance(m_rules.slip_rate) : random.chance(m_rules.false_block_rate);
}

}  // namespace unveil
