#include "instruments/filter/codebook.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace unveil::filter {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Lower case, no brackets with what is in them, no years, single spaces, none around a slash.
std::string plain(std::string_view label) {
    std::string out;
    std::size_t depth = 0;
    for (std::size_t i = 0; i < label.size(); ++i) {
        char c = label[i];
        if (c == '(') ++depth;
        if (depth > 0) {
            if (c == ')') --depth;
            continue;
        }
        const bool is_number_start = is_digit(c) && (i == 0 || !is_digit(label[i - 1]));
        if (is_number_start && i + 4 <= label.size() && std::all_of(label.begin() + static_cast<std::ptrdiff_t>(i), label.begin() + static_cast<std::ptrdiff_t>(i) + 4, is_digit) &&
            (i + 4 == label.size() || !is_digit(label[i + 4]))) {
            i += 3;
            continue;
        }
        if (c == ' ' || c == '\t') {
            if (!out.empty() && out.back() != ' ' && out.back() != '/') out += ' ';
            continue;
        }
        if (c == '/' && !out.empty() && out.back() == ' ') out.pop_back();
        out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    while (!out.empty() && out.back() == ' ') out.pop_back();
    return out;
}

constexpr std::array<std::pair<std::string_view, std::string_view>, 48> merged = {{
    {"context unclear", ""}, {"person identity/context unclear", ""}, {"general", ""}, {"generic", ""}, {"other", ""}, {"misc", ""},
    {"tiananmen square", "tiananmen square massacre"},
    {"olympics", "beijing olympics"},
    {"prurient interests", "prurient"},
    {"illicit goods and services/trafficking of illicit goods and services", "illicit goods and services"},
    {"dissident/activist", "dissident"}, {"dissident/activist/rights defender", "dissident"},
    {"corruption scandals", "corruption"},
    {"forced demolitions/evictions/land seizures", "forced demolitions"},
    {"oil price protests", "oil price protest"},
    {"communist party of china", "communist party of china general"}, {"communist party of china -- general cpc", "communist party of china general"},
    {"communist party of china -- criticism", "communist party of china criticism"}, {"criticism", "communist party of china criticism"},
    {"organizations", "human rights organizations"},
    {"generic media terms", "media"},
    {"international", "media -- international"}, {"media -- international media", "media -- international"},
    {"chinese independent/opposition", "media -- chinese independent/opposition"}, {"media -- chinese independent/opposition media", "media -- chinese independent/opposition"},
    {"chinese pro gov", "media -- chinese pro gov"}, {"media -- chinese pro-government media", "media -- chinese pro gov"},
    {"censorship/surveillance in china", "censorship"}, {"censorship -- censorship/surveillance in china", "censorship"},
    {"health/disease", "disease"}, {"sars and other diseases", "disease"},
    {"sino-japanese relations", "international relations -- sino-japanese relations"},
    {"united states", "international relations -- united states"},
    {"religion -- falun gong", "falun gong"}, {"religion -- general religion", "religion"},
    {"tibetan", "tibet"}, {"ethnic groups -- tibetan", "tibet"}, {"ethnic groups -- uyghur", "uyghur"},
    {"relatives/associates of government officals", "relatives/associates of government officials"},
    {"hu jintao", "cpc member/gov official"}, {"jiang zemin", "cpc member/gov official"}, {"li peng", "cpc member/gov official"},
    {"wen jiabao", "cpc member/gov official"}, {"xi jinping", "cpc member/gov official"}, {"zhou yongkang", "cpc member/gov official"},
    {"url", "urls"}, {"email", "emails"}, {"phone number", "phone numbers"},
}};

}  // namespace

std::string category_key(std::string_view label) {
    // "one;another": the first counts.
    std::string key = plain(label.substr(0, label.find(';')));
    for (const auto& [from, to] : merged)
        if (key == from) return std::string(to);
    return key;
}

std::string theme_key(std::string_view label) {
    std::string key = plain(label);
    if (key.ends_with('s')) key.pop_back();
    return key;
}

}  // namespace unveil::filter
