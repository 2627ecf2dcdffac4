#include "net/tcp_stream.hpp"

#include <algorithm>
#include <cstring>

namespace unveil {
namespace {

constexpr std::int64_t distance_max = std::int64_t{1} << 30;
// A stream longer than 4 GiB must not seem to begin anew, so what is expected follows the segments even behind a gap. One forged number must
// not lead it away, so it follows by as much as a connection has under way at most.
constexpr std::int64_t step_max = std::int64_t{64} << 20;

}  // namespace

void TcpStream::start(std::uint32_t sequence) {
    m_first_sequence = sequence;
    m_front_bytes = 0;
    m_expected = 0;
    m_bytes.clear();
    m_pieces.clear();
    m_has_started = true;
}

TcpStream::Added TcpStream::add(std::uint32_t sequence, std::span<const std::uint8_t> payload) {
    Added added;
    if (payload.empty()) return added;
    if (m_is_released) {
        added.is_outside = true;
        return added;
    }
    if (!m_has_started) start(sequence);
    const auto expected_sequence = m_first_sequence + static_cast<std::uint32_t>(m_expected);
    const std::int64_t distance = static_cast<std::int32_t>(sequence - expected_sequence);
    const std::int64_t begin_wide = m_expected + distance;
    const std::int64_t end_wide = begin_wide + static_cast<std::int64_t>(payload.size());
    const bool is_near = distance <= distance_max && distance >= -distance_max;
    if (is_near && distance <= step_max && end_wide >= 0) m_expected = end_wide;
    if (!is_near || end_wide <= 0 || begin_wide >= m_bytes_max) {
        added.is_outside = true;
        return added;
    }
    const auto begin = static_cast<std::uint32_t>(std::max<std::int64_t>(begin_wide, 0));
    const auto end = static_cast<std::uint32_t>(std::min<std::int64_t>(end_wide, m_bytes_max));
    payload = payload.subspan(static_cast<std::size_t>(begin - begin_wide), end - begin);

    // Nearly every segment.
    if (begin == m_front_bytes && m_pieces.empty()) {
        m_bytes.insert(m_bytes.end(), payload.begin(), payload.end());
        m_front_bytes = end;
        added.has_new = true;
        return added;
    }

    // Pieces that overlap or touch the segment become one with it.
    const auto first = std::lower_bound(m_pieces.begin(), m_pieces.end(), begin, [](const Piece& piece, std::uint32_t at) { return piece.end < at; });
    auto last = first;
    while (last != m_pieces.end() && last->begin <= end) ++last;
    if (first == last && begin > m_front_bytes && m_pieces.size() >= pieces_max) {
        added.is_outside = true;
        return added;
    }
    if (m_bytes.size() < end) m_bytes.resize(end);

    std::uint32_t bytes_new = 0;
    const auto take_new = [&](std::uint32_t from, std::uint32_t to) {
        if (from >= to) return;
        std::memcpy(m_bytes.data() + from, payload.data() + (from - begin), to - from);
        bytes_new += to - from;
    };
    const auto meet_old = [&](std::uint32_t from, std::uint32_t to) {
        from = std::max(from, begin);
        to = std::min(to, end);
        if (from >= to) return;
        const std::uint8_t* const claimed = payload.data() + (from - begin);
        if (std::memcmp(m_bytes.data() + from, claimed, to - from) == 0) return;
        added.has_conflict = true;
        if (m_policy == OverlapPolicy::last) std::memcpy(m_bytes.data() + from, claimed, to - from);
    };
    meet_old(0, m_front_bytes);
    std::uint32_t at = std::max(begin, m_front_bytes);
    for (auto piece = first; piece != last; ++piece) {
        take_new(at, std::min(piece->begin, end));
        meet_old(piece->begin, piece->end);
        at = std::max(at, piece->end);
    }
    take_new(at, end);
    if (added.has_conflict) ++m_conflicts;
    added.is_repeat = bytes_new == 0 && !added.has_conflict;
    if (bytes_new == 0) return added;

    Piece merged{begin, end};
    if (first != last) {
        merged.begin = std::min(begin, first->begin);
        merged.end = std::max(end, std::prev(last)->end);
    }
    if (merged.begin <= m_front_bytes) {
        m_front_bytes = merged.end;
        added.has_new = true;
        m_pieces.erase(first, last);
    } else if (first == last) {
        m_pieces.insert(first, merged);
    } else {
        *first = merged;
        m_pieces.erase(std::next(first), last);
    }
    return added;
}

void TcpStream::release() {
    m_is_released = true;
    m_bytes = {};
    m_pieces = {};
    m_first_sequence += m_front_bytes;
    m_front_bytes = 0;
}

}  // namespace unveil
