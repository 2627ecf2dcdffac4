// What did one side of a TCP connection say, put in order, and where is something missing or said twice with other bytes?
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace unveil {

/// Which bytes count when two segments claim the same place. Hosts differ (Novak & Sturges 2007, "Target-based TCP stream reassembly").
enum class OverlapPolicy : std::uint8_t { first, last };

/// The front of one direction, at most bytes_max of it. Segments further on are counted, not kept.
class TcpStream {
  public:
    static constexpr std::size_t pieces_max = 512;   // kept behind gaps; a segment that would make one more is outside

    TcpStream() = default;
    explicit TcpStream(OverlapPolicy policy, std::uint32_t bytes_max = 64u << 10) : m_policy(policy), m_bytes_max(bytes_max) {}

    /// `sequence` is that of the first byte of the stream: the SYN's plus one, or the first segment's when the capture began later.
    /// What was there before is forgotten.
    void start(std::uint32_t sequence);
    bool has_started() const { return m_has_started; }

    struct Added {
        bool has_new = false;         // the front, as far as it is whole, has grown
        bool is_repeat = false;       // all of it had been there, with the same bytes
        bool has_conflict = false;    // a place was claimed twice with other bytes
        bool is_outside = false;      // more than 1 GiB away from what is expected, or behind bytes_max, or before the first byte: nothing of it is kept
    };
    /// What comes before start() starts the stream. With OverlapPolicy::last a later segment changes bytes of the front as well.
    /// O(payload + pieces).
    Added add(std::uint32_t sequence, std::span<const std::uint8_t> payload);

    /// From the first byte to the first gap.
    std::span<const std::uint8_t> front() const { return {m_bytes.data(), m_front_bytes}; }
    /// Sequence number behind the front.
    std::uint32_t next_sequence() const { return m_first_sequence + m_front_bytes; }
    bool has_gap() const { return !m_pieces.empty(); }             // something is kept behind the front
    std::uint32_t conflicts() const { return m_conflicts; }        // segments that had one
    void release();                   // gives memory back; the stream takes no more

  private:
    struct Piece {
        std::uint32_t begin = 0;      // within the stream
        std::uint32_t end = 0;
    };
    OverlapPolicy m_policy = OverlapPolicy::first;
    std::uint32_t m_bytes_max = 64u << 10;
    std::uint32_t m_first_sequence = 0;
    std::uint32_t m_front_bytes = 0;
    std::uint32_t m_conflicts = 0;
    bool m_has_started = false;
    bool m_is_released = false;
    std::int64_t m_expected = 0;      // where in the stream the next segment should begin: behind the last one that was near
    std::vector<std::uint8_t> m_bytes;
    std::vector<Piece> m_pieces;      // behind the front, sorted, not touching
};

}  // namespace unveil
