#include "instruments/filter/codebook.hpp"

#include <algorithm>
#include <array>

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

constexpr std::array<MergedLabel, 72> merged = {{
    {"context unclear", "", ""},
    {"person identity/context unclear", "", ""},
    {"misc", "", ""},
    // Where a list merged categories under one name, or left out the name of their parent, the number still tells them apart.
    {"general", "48", "communist party of china general"},
    {"general", "117", "human rights"},
    {"general", "127", "religion"},
    {"general", "", ""},
    {"generic", "135", "national security"},
    {"generic", "", ""},
    {"organizations", "55", "human rights organizations"},
    {"human rights", "55", "human rights organizations"},
    {"communist party of china", "128", "communist party of china criticism"},
    {"religion", "47", "falun gong"},
    {"religion", "87", "christian practice in china"},
    {"ethnic groups", "56", "tibet"},
    {"ethnic groups", "62", "uyghur"},
    {"ethnic groups", "141", "hui"},
    {"media", "79", "media -- international"},
    {"media", "85", "media -- chinese independent/opposition"},
    {"media", "88", "media -- chinese pro gov"},
    {"censorship", "53", "circumvention"},
    {"national security", "106", "military/police"},
    {"domestic relations", "81", "taiwan"},
    {"domestic relations", "111", "hong kong"},
    {"international relations", "91", "international relations -- sino-japanese relations"},
    {"international relations", "114", "international relations -- united states"},
    {"international", "79", "media -- international"},
    {"other", "", ""},
    {"criticism", "", "communist party of china criticism"},
    {"cpc criticism", "", "communist party of china criticism"},
    {"communist party of china -- criticism", "", "communist party of china criticism"},
    {"communist party of china -- general cpc", "", "communist party of china general"},
    {"communist party of china", "", "communist party of china general"},
    {"religion -- falun gong", "", "falun gong"},
    {"religion -- general religion", "", "religion"},
    {"ethnic groups -- tibetan", "", "tibet"},
    {"tibetan", "", "tibet"},
    {"ethnic groups -- uyghur", "", "uyghur"},
    {"generic media terms", "", "media"},
    {"media -- international media", "", "media -- international"},
    {"media -- chinese independent/opposition media", "", "media -- chinese independent/opposition"},
    {"chinese independent/opposition", "", "media -- chinese independent/opposition"},
    {"media -- chinese pro-government media", "", "media -- chinese pro gov"},
    {"chinese pro gov", "", "media -- chinese pro gov"},
    {"censorship -- censorship/surveillance in china", "", "censorship"},
    {"censorship/surveillance in china", "", "censorship"},
    {"sino-japanese relations", "", "international relations -- sino-japanese relations"},
    {"united states", "", "international relations -- united states"},
    {"corruption scandals", "", "corruption"},
    {"health/disease", "", "disease"},
    {"sars and other diseases", "", "disease"},
    {"banned book", "", "banned books"},
    {"dissident/activist", "", "dissident"},
    {"dissident/activist/rights defender", "", "dissident"},
    {"relatives/associates of government officals", "", "relatives/associates of government officials"},
    {"gov official", "", "cpc member/gov official"},
    {"hu jintao", "", "cpc member/gov official"},
    {"jiang zemin", "", "cpc member/gov official"},
    {"li peng", "", "cpc member/gov official"},
    {"wen jiabao", "", "cpc member/gov official"},
    {"xi jinping", "", "cpc member/gov official"},
    {"zhou yongkang", "", "cpc member/gov official"},
    {"tiananmen square", "", "tiananmen square massacre"},
    {"olympics", "", "beijing olympics"},
    {"oil price protests", "", "oil price protest"},
    {"forced demolitions/evictions/land seizures", "", "forced demolitions"},
    {"prurient interest", "", "prurient"},
    {"prurient interests", "", "prurient"},
    {"illicit goods and services/trafficking of illicit goods and services", "", "illicit goods and services"},
    {"url", "", "urls"},
    {"email", "", "emails"},
    {"phone number", "", "phone numbers"},
}};

}  // namespace

std::span<const MergedLabel> merged_labels() { return merged; }

std::string category_of_label(std::string_view label, std::string_view number) {
    const std::string name = plain(label.substr(0, label.find(';')));
    number = number.substr(0, number.find(';'));
    for (const MergedLabel& one : merged)
        if (name == one.spelling && (one.number.empty() || one.number == number)) return std::string(one.category);
    return name;
}

std::string theme_of_label(std::string_view label) {
    std::string name = plain(label);
    if (name.ends_with('s')) name.pop_back();
    return name;
}

}  // namespace unveil::filter
