// Are two texts the same but for the case of Latin letters, as names in HTTP, DNS and certificates are compared? RFC 9110, 5.1; RFC 4343
#pragma once

#include <algorithm>
#include <string_view>

namespace unveil {

constexpr char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

/// O(bytes).
inline bool is_same_without_case(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return ascii_lower(x) == ascii_lower(y); });
}

}  // namespace unveil
