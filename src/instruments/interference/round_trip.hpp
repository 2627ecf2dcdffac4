// How long is the way to one end of a connection and back, as a capture on the way sees it, and does it grow while data flow? From timestamps that
// come back (RFC 7323, 4), or from acknowledgements of data; never of what was sent again (Karn & Partridge 1987, SIGCOMM).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

namespace unveil {

/// One leg. Whoever returns a mark may have waited before, though not for longer than since its packet before: each sample is a range. At most four
/// marks are on their way, a quarter of a round trip apart; what they were is forgotten. O(1) a packet.
class RoundTrip {
  public:
    static constexpr std::size_t late_max = 3;

    /// What returns, and what went before it from the same end. Late samples are those that were taken while data flowed.
    struct Return {
        std::int64_t now_ns = 0;
        std::int64_t before_ns = 0;
        bool is_counted = true;      // no segment that was sent again
        bool is_late = true;
    };

    /// A mark goes to the end: a timestamp, or the sequence number behind data. Only what is newer than all before can be timed.
    void send(std::uint32_t mark, std::int64_t now_ns, bool is_counted);
    /// Data went that were there before, or some are missing: no acknowledgement up to `highest` says when what it acknowledges was sent.
    void send_again(std::uint32_t highest);
    /// The end returns a timestamp.
    void echo(std::uint32_t mark, const Return& back);
    /// The end acknowledges data. Late as well if another packet of the end came since they were sent.
    void acknowledge(std::uint32_t mark, const Return& back);
    /// A round trip that was seen otherwise, as in the handshake.
    void note(std::int64_t round_trip_ns);

    bool has_minimum() const { return m_minimum_us != UINT32_MAX; }
    double minimum_seconds() const { return m_minimum_us / 1e6; }
    /// Medians of the last three late samples, or of as many as there are; of two the smaller.
    bool has_late() const { return m_late_count > 0; }
    double late_low_seconds() const { return median(m_late_low_us) / 1e6; }
    double late_high_seconds() const { return median(m_late_high_us) / 1e6; }

  private:
    static constexpr std::size_t marks_max = 4;
    struct Mark {
        std::uint32_t mark = 0;
        std::uint32_t sent_us = 0;
    };
    static std::uint32_t microseconds(std::int64_t ns) { return static_cast<std::uint32_t>(ns / 1000); }
    void take(const Mark& mark, const Return& back);
    double median(std::array<std::uint32_t, late_max> values) const;

    std::array<Mark, marks_max> m_marks{};               // on their way, the oldest first
    std::array<std::uint32_t, late_max> m_late_low_us{};
    std::array<std::uint32_t, late_max> m_late_high_us{};
    std::uint32_t m_minimum_us = UINT32_MAX;
    std::uint32_t m_newest = 0;                          // mark ever sent
    std::uint32_t m_latest_us = 0;                       // when one was last kept
    std::uint32_t m_apart_us = 0;                        // a quarter of the last round trip
    std::uint32_t m_recovered = 0;                       // until it is acknowledged no data are timed
    std::uint8_t m_count = 0;
    std::uint8_t m_late_count = 0;
    bool m_has_newest = false;
    bool m_is_recovering = false;
};

}  // namespace unveil
