// Which unpacked bytes are at hand, and how do records stay whole in memory that does not grow with the file?
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "evidence/byte_stream.hpp"

namespace unveil {

/// A window on the stream. What is not consumed stays; fill() moves it to the front and reads on, so views
/// into the window die with fill(). At least padding_bytes readable bytes follow the last one.
class InputBuffer {
  public:
    static constexpr std::size_t padding_bytes = 128;

    InputBuffer(ByteStream stream, const EvidenceLimits& limits);

    const char* begin() const { return m_data.get() + m_begin; }
    const char* end() const { return m_data.get() + m_end; }
    std::size_t size() const { return m_end - m_begin; }
    void consume(std::size_t size_bytes) { m_begin += size_bytes; }
    /// False when nothing more can come. The window grows to hold more than capacity_bytes only as long as
    /// needed.
    bool fill();
    bool is_at_end() const { return m_is_at_end; }

    ByteStream& stream() { return m_stream; }
    const ByteStream& stream() const { return m_stream; }

  private:
    ByteStream m_stream;
    std::unique_ptr<char[]> m_data;
    std::size_t m_capacity_bytes = 0;
    std::size_t m_begin = 0;
    std::size_t m_end = 0;
    bool m_is_at_end = false;
};

}  // namespace unveil
