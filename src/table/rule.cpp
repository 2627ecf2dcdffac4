#include "table/rule.hpp"

#include <fmt/format.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"

namespace unveil {
namespace {

constexpr std::array<std::pair<FurtherKind, std::string_view>, 4> further_kinds = {
    {{FurtherKind::split, "split"}, {FurtherKind::swap, "swap"}, {FurtherKind::gap, "gap"}, {FurtherKind::bare, "bare"}}};

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

/// Begins of characters between the first and the last that a filter reads whatever else it leaves out: letters, and those beyond ASCII where there are some, since
/// filters that read Chinese may leave out Latin letters.
std::vector<std::size_t> replaceable_inside(std::string_view component, std::span<const std::size_t> begins) {
    std::vector<std::size_t> ascii;
    std::vector<std::size_t> beyond;
    bool is_ascii = true;
    for (std::size_t i = 0; i < begins.size(); ++i) {
        const auto bytes = (i + 1 < begins.size() ? begins[i + 1] : component.size()) - begins[i];
        const auto c = icu::UnicodeString::fromUTF8(icu::StringPiece(component.data() + begins[i], static_cast<std::int32_t>(bytes))).char32At(0);
        if (!u_isUAlphabetic(c)) continue;
        if (c >= 0x80) is_ascii = false;
        if (i > 0 && i + 1 < begins.size()) (c < 0x80 ? ascii : beyond).push_back(begins[i]);
    }
    return is_ascii ? ascii : beyond;
}

std::vector<CertificateTest> tests_beside(std::span<const std::string> beside, std::span<const std::string> components, std::string_view separator) {
    std::vector<std::string> whole(beside.begin(), beside.end());
    whole.insert(whole.end(), components.begin(), components.end());
    std::vector<CertificateTest> tests{{"nothing", join_pieces(whole, separator), true}};
    const auto add = [&](std::string_view part, std::size_t changed, std::string in_its_place, std::string as_longer_word) {
        std::vector<std::string> pieces = whole;
        pieces[beside.size() + changed] = std::move(in_its_place);
        CertificateTest test{fmt::format("{} of {}", part, changed + 1), join_pieces(pieces, separator), false};
        if (!as_longer_word.empty()) {
            pieces[beside.size() + changed] = std::move(as_longer_word);
            test.as_longer_word = join_pieces(pieces, separator);
        }
        tests.push_back(std::move(test));
    };
    for (std::size_t i = 0; i < components.size(); ++i) {
        const std::string& component = components[i];
        if (component.empty()) continue;
        const std::size_t first = first_character_bytes(component);
        if (first < component.size()) {
            const std::string without_first = component.substr(first);
            const std::string without_last = component.substr(0, last_character_begin(component));
            add("first", i, without_first, (component.starts_with('x') ? "q" : "x") + without_first);
            add("last", i, without_last, without_last + (component.ends_with('x') ? "q" : "x"));
        } else if (whole.size() > 1) {
            // Alone, it would leave an empty message, which is no test.
            add("all", i, {}, {});
        }
    }
    return tests;
}

}  // namespace

std::vector<std::string> rule_components(std::string_view notation) {
    constexpr std::string_view plus = " + ";
    std::vector<std::string> components;
    while (true) {
        const auto at = notation.find(plus);
        if (const auto component = trimmed(notation.substr(0, at)); !component.empty()) components.emplace_back(component);
        if (at == std::string_view::npos) return components;
        notation.remove_prefix(at + plus.size());
    }
}

std::string rule_notation(std::span<const std::string> components) {
    std::string notation;
    for (const auto& component : components) notation += (notation.empty() ? "" : " + ") + component;
    return notation;
}

std::string join_pieces(std::span<const std::string> pieces, std::string_view separator) {
    std::string text;
    for (const auto& piece : pieces) {
        if (piece.empty()) continue;
        if (!text.empty()) text += separator;
        text += piece;
    }
    return text;
}

std::size_t first_character_bytes(std::string_view text) {
    constexpr std::size_t bytes_max = 4;
    std::size_t bytes = 1;
    while (bytes < std::min(bytes_max, text.size()) && is_continuation(text[bytes])) ++bytes;
    return bytes;
}

std::size_t last_character_begin(std::string_view text) {
    std::size_t begin = text.size() - 1;
    while (begin > 0 && is_continuation(text[begin])) --begin;
    return begin;
}

std::vector<CertificateTest> certificate_tests(std::span<const std::string> components, std::string_view separator) {
    return tests_beside({}, components, separator);
}

std::string_view further_kind_name(FurtherKind kind) {
    for (const auto& [known, name] : further_kinds)
        if (known == kind) return name;
    UNVEIL_ASSERT(false);
    return {};
}

std::string further_test_name(FurtherTest test) {
    return test.kind == FurtherKind::bare ? std::string(further_kind_name(test.kind)) : fmt::format("{} of {}", further_kind_name(test.kind), test.number);
}

std::optional<FurtherTest> parse_further_test(std::string_view name) {
    constexpr std::size_t number_max = 100'000;
    for (const auto& [kind, kind_name] : further_kinds) {
        if (!name.starts_with(kind_name)) continue;
        std::string_view rest = name.substr(kind_name.size());
        if (kind == FurtherKind::bare) return rest.empty() ? std::optional(FurtherTest{kind, 0}) : std::nullopt;
        if (!rest.starts_with(" of ")) return {};
        rest.remove_prefix(4);
        FurtherTest test{kind, 0};
        const auto [end, failure] = std::from_chars(rest.data(), rest.data() + rest.size(), test.number);
        if (failure != std::errc() || end != rest.data() + rest.size() || test.number == 0 || test.number > number_max) return {};
        return test;
    }
    return {};
}

std::string further_message(FurtherTest test, std::span<const std::string> components, std::string_view separator, std::string_view harmless) {
    std::vector<std::string> pieces(components.begin(), components.end());
    const std::size_t at = test.number - 1;
    switch (test.kind) {
        case FurtherKind::split: {
            if (at >= pieces.size() || pieces[at].empty() || first_character_bytes(pieces[at]) == pieces[at].size()) return {};
            const std::string whole = pieces[at];
            pieces[at] = whole.substr(0, last_character_begin(whole));
            pieces.insert(pieces.begin() + static_cast<std::ptrdiff_t>(test.number), whole.substr(first_character_bytes(whole)));
            break;
        }
        case FurtherKind::swap:
            if (test.number >= pieces.size()) return {};
            std::swap(pieces[at], pieces[test.number]);
            break;
        case FurtherKind::gap: {
            if (pieces.size() < 2) return {};
            const auto characters = static_cast<std::size_t>(std::count_if(harmless.begin(), harmless.end(), [](char c) { return !is_continuation(c); }));
            const std::size_t times = (test.number + characters - 1) / std::max<std::size_t>(characters, 1);
            std::vector<std::string> apart{pieces.front()};
            for (std::size_t i = 1; i < pieces.size(); ++i) {
                apart.insert(apart.end(), times, std::string(harmless));
                apart.push_back(pieces[i]);
            }
            pieces = std::move(apart);
            break;
        }
        case FurtherKind::bare:
            if (pieces.size() < 2) return {};
            return join_pieces(pieces, "");
    }
    return join_pieces(pieces, separator);
}

std::vector<CertificateTest> inner_tests(std::span<const std::string> components, std::string_view separator) {
    constexpr std::size_t characters_min = 5;
    constexpr std::size_t characters_long = 12;
    std::vector<CertificateTest> tests;
    for (std::size_t i = 0; i < components.size(); ++i) {
        const std::string& component = components[i];
        std::vector<std::size_t> begins;   // of its characters
        for (std::size_t at = 0; at < component.size(); at += first_character_bytes(std::string_view(component).substr(at))) begins.push_back(at);
        if (begins.size() < characters_min) continue;
        std::vector<std::size_t> quarters{2};
        if (begins.size() >= characters_long) quarters = {1, 2, 3};
        const auto replaceable = replaceable_inside(component, begins);
        if (replaceable.empty()) continue;
        std::set<std::size_t> replaced;
        for (const std::size_t quarter : quarters) {
            const std::size_t wanted = begins[begins.size() * quarter / 4];
            const std::size_t at = *std::min_element(replaceable.begin(), replaceable.end(), [&](std::size_t a, std::size_t b) {
                return std::max(a, wanted) - std::min(a, wanted) < std::max(b, wanted) - std::min(b, wanted);
            });
            if (!replaced.insert(at).second) continue;
            const std::size_t bytes = first_character_bytes(std::string_view(component).substr(at));
            std::vector<std::string> pieces(components.begin(), components.end());
            // No Chinese syllable begins with v, so that it is no initial of what it replaces.
            pieces[i].replace(at, bytes, (component[at] | 0x20) == 'v' ? "k" : "v");
            CertificateTest test{fmt::format("inside {} of {}", quarter, i + 1), join_pieces(pieces, separator), false};
            test.is_further = true;
            tests.push_back(std::move(test));
        }
    }
    return tests;
}

std::vector<CertificateTest> split_tests(std::span<const std::string> components, std::string_view separator) {
    std::vector<CertificateTest> tests;
    for (std::size_t i = 1; i <= components.size(); ++i) {
        const FurtherTest further{FurtherKind::split, i};
        CertificateTest test{further_test_name(further), further_message(further, components, separator, {}), false};
        test.is_further = true;
        if (!test.message.empty()) tests.push_back(std::move(test));
    }
    return tests;
}

std::vector<CertificateTest> exception_tests(std::span<const std::string> rule, std::span<const std::string> exception, std::string_view separator, std::string_view harmless) {
    auto tests = tests_beside(rule, exception, separator);
    for (auto& test : tests) {
        test.is_blocked_expected = !test.is_blocked_expected;
        test.as_longer_word.clear();
    }
    if (harmless.empty()) return tests;
    // Two words that stood side by side in the text, and still let the message pass when they are apart.
    for (auto& test : split_tests(exception, separator)) {
        std::vector<std::string> pieces(rule.begin(), rule.end());
        pieces.push_back(std::move(test.message));
        tests.push_back({std::move(test.left_out), join_pieces(pieces, separator), true});
        tests.back().is_further = true;
    }
    const auto characters = [](std::string_view text) { return std::count_if(text.begin(), text.end(), [](char c) { return !is_continuation(c); }); };
    std::string filler(harmless);
    for (auto left = characters(join_pieces(exception, separator)) - characters(filler); left > 0; left -= characters(harmless)) filler += harmless;
    std::vector<std::string> pieces(rule.begin(), rule.end());
    pieces.push_back(std::move(filler));
    CertificateTest test{"as long", join_pieces(pieces, separator), true};
    test.is_further = true;
    tests.push_back(std::move(test));
    return tests;
}

}  // namespace unveil
