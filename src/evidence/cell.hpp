// What does the text of one cell mean: a list, a flag, an id or nothing?
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "evidence/limits.hpp"

namespace unveil {

/// Bytes that live until clear(); views into it stay valid while it grows.
class TextArena {
  public:
    /// Room for up to size_bytes bytes; commit() says how many were used.
    char* reserve(std::size_t size_bytes);
    std::string_view commit(const char* begin, std::size_t size_bytes);
    std::string_view copy(std::string_view text);
    std::size_t used_bytes() const { return m_used_bytes; }
    /// Keeps the first block.
    void clear();

  private:
    static constexpr std::size_t block_bytes = 256u << 10;
    struct Block {
        std::unique_ptr<char[]> data;
        std::size_t size_bytes = 0;
        std::size_t used_bytes = 0;
    };
    std::vector<Block> m_blocks;
    std::size_t m_used_bytes = 0;
};

enum class ListStyle { words, urls };

/// The items of `[a, b]`, `['a', 'b']`, `["a","b"]` or `a, b`; none for `[]` and the words for nothing. In a
/// list of URLs blanks separate too, and a comma only where a new URL begins behind it. Returns false when
/// more than items_max were there; the rest is cut.
bool split_list(std::string_view cell, ListStyle style, TextArena& arena, std::size_t items_max,
                std::vector<std::string_view>& items);

bool is_true(std::string_view cell);
/// How many: digits, also as the float "12.0", at most count_max. Nothing on all else: signs, exponents, text.
std::optional<std::uint64_t> parse_count(std::string_view cell, std::uint64_t count_max);
/// "absent", "null", "None", "nan", "NA": how exporters spell an empty cell.
bool is_nothing(std::string_view cell);

}  // namespace unveil
