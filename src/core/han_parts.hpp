// Which characters does a Chinese character look like when it is taken apart: 好 -> 女子?
#pragma once

#include <string>
#include <string_view>

namespace unveil {

/// The left and the right part of one of 377 common characters, as people write them to get past filters (拆字): parts that are characters themselves, else the radical that Unicode has
/// for them (氵, 讠). Empty for all others. A table of unveil's own. O(log characters).
std::u32string_view han_parts(char32_t character);

}  // namespace unveil
