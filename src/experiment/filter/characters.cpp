#include "experiment/filter/characters.hpp"

#include <algorithm>

#include "table/rule.hpp"

namespace unveil {

std::u32string characters_of(std::string_view text) {
    std::u32string characters;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t bytes = first_character_bytes(text.substr(at));
        char32_t c = 0;
        for (std::size_t i = 0; i < bytes; ++i) c = (c << 8) | static_cast<unsigned char>(text[at + i]);
        characters += c;
        at += bytes;
    }
    return characters;
}

std::string bytes_of(std::u32string_view characters) {
    std::string text;
    for (const char32_t c : characters) {
        bool has_begun = false;
        for (int shift = 24; shift >= 0; shift -= 8) {
            const auto byte = static_cast<char>((c >> shift) & 0xFF);
            has_begun = has_begun || byte != 0 || shift == 0;
            if (has_begun) text += byte;
        }
    }
    return text;
}

bool holds_all(const std::string& text, const std::vector<std::string>& components) {
    return std::all_of(components.begin(), components.end(), [&](const std::string& component) { return text.find(component) != std::string::npos; });
}

}  // namespace unveil
