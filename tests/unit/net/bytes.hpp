// Bytes of messages that tests write by hand, and what every decoder must bear.
#pragma once

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace unveil::test {

using Bytes = std::vector<std::uint8_t>;

inline Bytes from_hex(std::string_view hex) {
    Bytes bytes;
    int high = -1;
    for (const char c : hex) {
        const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0) continue;
        if (high >= 0) bytes.push_back(static_cast<std::uint8_t>(high << 4 | digit));
        high = high >= 0 ? -1 : digit;
    }
    return bytes;
}

inline Bytes from_text(std::string_view text) { return {text.begin(), text.end()}; }

inline void append(Bytes& bytes, const Bytes& more) { bytes.insert(bytes.end(), more.begin(), more.end()); }

inline void append_number(Bytes& bytes, std::uint64_t number, unsigned size) {
    for (unsigned i = size; i-- > 0;) bytes.push_back(static_cast<std::uint8_t>(number >> (8 * i)));
}

/// `content` behind its length in `size` bytes.
inline void append_counted(Bytes& bytes, const Bytes& content, unsigned size) {
    append_number(bytes, content.size(), size);
    append(bytes, content);
}

inline Bytes read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// Calls `decode` with every prefix of `bytes` and with every byte changed in several ways. Each time the bytes lie alone in memory of their own,
/// so that AddressSanitizer sees a read behind the end.
template <typename Decode>
void bear_damage(const Bytes& bytes, Decode decode) {
    const auto alone = [&](const Bytes& damaged, std::size_t size) {
        const std::unique_ptr<std::uint8_t[]> copy(new std::uint8_t[size]);
        std::copy_n(damaged.begin(), size, copy.get());
        decode(std::span<const std::uint8_t>(copy.get(), size));
    };
    for (std::size_t size = 0; size <= bytes.size(); ++size) alone(bytes, size);
    Bytes damaged = bytes;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        for (const int change : {0x01, 0x40, 0x80, 0xC0, 0xFF}) {
            damaged[i] = static_cast<std::uint8_t>(bytes[i] ^ change);
            alone(damaged, damaged.size());
        }
        damaged[i] = 0xFF;
        alone(damaged, damaged.size());
        damaged[i] = bytes[i];
    }
}

}  // namespace unveil::test
