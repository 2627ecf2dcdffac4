// Gives each distinct byte string a small number, in order of first appearance. The hot structure of ingest.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace unveil::coordination {

/// Open addressing over 8-byte slots (hash tag, number); strings live one after another in one arena. Exact: equal tags
/// are settled by comparing the strings. 21 to 35 bytes an entry besides the strings.
class Dictionary {
  public:
    Dictionary();

    /// Numbers for a batch of strings. All slots are prefetched before the first is read, since each is a cache miss.
    void number(std::span<const std::string_view> strings, std::uint32_t* numbers);

    std::uint32_t size() const { return static_cast<std::uint32_t>(m_ends.size()); }
    std::string_view string(std::uint32_t number) const {
        const std::uint64_t begin = number == 0 ? 0 : m_ends[number - 1];
        return {m_arena.data() + begin, m_ends[number] - begin};
    }
    std::uint64_t memory_bytes() const;

    /// rank[number] = position of the string in byte order; ordered[rank] = number.
    struct Order {
        std::vector<std::uint32_t> rank;
        std::vector<std::uint32_t> ordered;
    };
    Order byte_order() const;

  private:
    std::uint32_t find_or_add(std::string_view string, std::uint64_t hash);
    void grow();

    std::vector<std::uint64_t> m_slots;  // tag in the upper half, number + 1 in the lower; 0 is empty
    std::vector<std::uint64_t> m_ends;
    std::vector<char> m_arena;
    std::vector<std::uint64_t> m_hashes;  // of the batch in work
};

}  // namespace unveil::coordination
