// Where do two near texts differ? The parts of each that the other does not have, for showing them side by side.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace unveil::coordination {

/// a[begin_a, end_a) stands where b[begin_b, end_b) does; either may be empty. Bytes, on code point limits.
struct DifferingSpan {
    std::size_t begin_a;
    std::size_t end_a;
    std::size_t begin_b;
    std::size_t end_b;
};

/// Spans in the order of the texts; what lies between them is the same in both. From a shortest edit script of code
/// points (Myers, Algorithmica 1 (1986), section 3); spans with fewer than three characters between them are one.
/// Each byte of invalid UTF-8 is a character of its own. Texts that differ in more than 512 characters, or take
/// more than 4 million steps, are one span between what both begin and end with. At most 1 MB of memory beside 16
/// bytes a character.
std::vector<DifferingSpan> differing_spans(std::string_view a, std::string_view b);

}  // namespace unveil::coordination
