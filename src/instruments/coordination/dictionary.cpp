#include "instruments/coordination/dictionary.hpp"

#include <algorithm>
#include <cstring>

#include "core/error.hpp"
#include "core/hash.hpp"

namespace unveil::coordination {
namespace {

constexpr std::size_t slots_first = 1 << 12;
constexpr std::uint64_t tag_mask = 0xffffffff00000000ULL;

/// The first eight bytes as a number that orders as the bytes do.
std::uint64_t prefix_of(std::string_view string) {
    std::uint64_t prefix = 0;
    // The empty string may have no address at all.
    if (!string.empty()) std::memcpy(&prefix, string.data(), std::min<std::size_t>(8, string.size()));
    return __builtin_bswap64(prefix);
}

}  // namespace

Dictionary::Dictionary() : m_slots(slots_first, 0) {}

void Dictionary::number(std::span<const std::string_view> strings, std::uint32_t* numbers) {
    m_hashes.resize(strings.size());
    const std::size_t mask = m_slots.size() - 1;
    for (std::size_t i = 0; i < strings.size(); ++i) {
        m_hashes[i] = hash_bytes(strings[i]);
        __builtin_prefetch(&m_slots[m_hashes[i] & mask]);
    }
    for (std::size_t i = 0; i < strings.size(); ++i) numbers[i] = find_or_add(strings[i], m_hashes[i]);
}

std::uint32_t Dictionary::find_or_add(std::string_view string, std::uint64_t hash) {
    const std::size_t mask = m_slots.size() - 1;
    for (std::size_t slot = hash & mask;; slot = (slot + 1) & mask) {
        const std::uint64_t found = m_slots[slot];
        if (found == 0) {
            const std::uint32_t number = size();
            if (number == 0x7fffffff)
                throw Error(ErrorKind::run, "more than 2,147,483,647 distinct ids", "Split the evidence by time");
            m_arena.insert(m_arena.end(), string.begin(), string.end());
            m_ends.push_back(m_arena.size());
            m_slots[slot] = (hash & tag_mask) | (number + 1);
            if (std::size_t{size()} * 5 > m_slots.size() * 3) grow();
            return number;
        }
        if ((found & tag_mask) == (hash & tag_mask)) {
            const auto number = static_cast<std::uint32_t>(found) - 1;
            if (this->string(number) == string) return number;
        }
    }
}

void Dictionary::grow() {
    std::vector<std::uint64_t> slots(m_slots.size() * 2, 0);
    const std::size_t mask = slots.size() - 1;
    for (std::uint32_t number = 0; number < size(); ++number) {
        const std::uint64_t hash = hash_bytes(string(number));
        std::size_t slot = hash & mask;
        while (slots[slot] != 0) slot = (slot + 1) & mask;
        slots[slot] = (hash & tag_mask) | (number + 1);
    }
    m_slots = std::move(slots);
}

std::uint64_t Dictionary::memory_bytes() const {
    return m_slots.capacity() * 8 + m_ends.capacity() * 8 + m_arena.capacity();
}

Dictionary::Order Dictionary::byte_order() const {
    struct Key {
        std::uint64_t prefix;
        std::uint32_t number;
    };
    std::vector<Key> keys(size());
    for (std::uint32_t number = 0; number < size(); ++number) keys[number] = {prefix_of(string(number)), number};
    std::sort(keys.begin(), keys.end(), [&](const Key& x, const Key& y) {
        if (x.prefix != y.prefix) return x.prefix < y.prefix;
        return string(x.number) < string(y.number);
    });
    Order order;
    order.rank.resize(size());
    order.ordered.resize(size());
    for (std::uint32_t rank = 0; rank < size(); ++rank) {
        order.ordered[rank] = keys[rank].number;
        order.rank[keys[rank].number] = rank;
    }
    return order;
}

}  // namespace unveil::coordination
