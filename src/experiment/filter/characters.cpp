#include "experiment/filter/characters.hpp"

#include <algorithm>

namespace unveil {
namespace {

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

}  // namespace

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

}  // namespace unveil
