// Text cut into characters that can be put together again: each is the bytes of one UTF-8 character, packed into 32 bits.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace unveil {

std::u32string characters_of(std::string_view text);
std::string bytes_of(std::u32string_view characters);
bool holds_all(const std::string& text, const std::vector<std::string>& components);

}  // namespace unveil
