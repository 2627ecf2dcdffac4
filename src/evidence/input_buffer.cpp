#include "evidence/input_buffer.hpp"

#include <algorithm>
#include <cstring>

namespace unveil {

InputBuffer::InputBuffer(ByteStream stream, const EvidenceLimits& limits)
    : m_stream(std::move(stream)), m_capacity_bytes(std::max<std::size_t>(limits.read_bytes, 64)) {
    m_data = std::make_unique<char[]>(m_capacity_bytes + padding_bytes);
}

bool InputBuffer::fill() {
    if (m_is_at_end) return false;
    const auto kept = size();
    // Half of the window is always free for reading, so that a long record is not looked at for every few
    // bytes.
    if (kept > m_capacity_bytes / 2) {
        const auto capacity = m_capacity_bytes * 2;
        auto data = std::make_unique_for_overwrite<char[]>(capacity + padding_bytes);
        std::memcpy(data.get(), begin(), kept);
        m_data = std::move(data);
        m_capacity_bytes = capacity;
    } else {
        std::memmove(m_data.get(), begin(), kept);
    }
    m_begin = 0;
    m_end = kept;
    const auto got = m_stream.read(m_data.get() + m_end, m_capacity_bytes - m_end);
    m_end += got;
    std::memset(m_data.get() + m_end, 0, padding_bytes);
    m_is_at_end = got == 0;
    return got > 0;
}

}  // namespace unveil
