// How are numbers in network byte order read off the front of foreign bytes, never past their end?
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

namespace unveil {

/// Once something asked for is not there, everything further reads as zero or empty and is_ok() stays false.
class ByteCursor {
  public:
    explicit ByteCursor(std::span<const std::uint8_t> bytes) : m_bytes(bytes) {}

    bool is_ok() const { return m_is_ok; }
    std::size_t position() const { return m_position; }
    std::size_t remaining() const { return m_bytes.size() - m_position; }
    bool is_at_end() const { return m_position == m_bytes.size(); }

    std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
    std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
    std::uint32_t u24() { return static_cast<std::uint32_t>(number(3)); }
    std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
    /// A variable-length integer of QUIC (RFC 9000, 16).
    std::uint64_t varint() {
        if (!has(1)) return 0;
        const std::size_t length = std::size_t{1} << (m_bytes[m_position] >> 6);
        return number(length) & (~std::uint64_t{0} >> (64 - 8 * length + 2));
    }
    std::span<const std::uint8_t> bytes(std::uint64_t count) {
        if (!has(count)) return {};
        const auto taken = m_bytes.subspan(m_position, static_cast<std::size_t>(count));
        m_position += taken.size();
        return taken;
    }
    /// As many of `count` bytes as there are; is_ok() is not touched.
    std::span<const std::uint8_t> up_to(std::uint64_t count) { return bytes(std::min<std::uint64_t>(count, remaining())); }

  private:
    bool has(std::uint64_t count) {
        if (count <= remaining() && m_is_ok) return true;
        m_is_ok = false;
        m_position = m_bytes.size();
        return false;
    }
    std::uint64_t number(std::size_t count) {
        if (!has(count)) return 0;
        std::uint64_t value = 0;
        for (std::size_t i = 0; i < count; ++i) value = value << 8 | m_bytes[m_position + i];
        m_position += count;
        return value;
    }

    std::span<const std::uint8_t> m_bytes;
    std::size_t m_position = 0;
    bool m_is_ok = true;
};

}  // namespace unveil
