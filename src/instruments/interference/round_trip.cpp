#include "instruments/interference/round_trip.hpp"

namespace unveil {
namespace {

constexpr std::uint32_t apart_min_us = 5'000;
constexpr std::uint32_t age_max_us = 60'000'000;     // a mark that is out for longer will not return

std::int32_t after(std::uint32_t a, std::uint32_t b) { return static_cast<std::int32_t>(a - b); }

}  // namespace

void RoundTrip::send(std::uint32_t mark, std::int64_t now_ns, bool is_counted) {
    if (m_is_recovering || (m_has_newest && after(mark, m_newest) <= 0)) return;
    const bool is_first = !m_has_newest;
    m_has_newest = true;
    m_newest = mark;
    if (!is_counted) return;
    const std::uint32_t now_us = microseconds(now_ns);
    if (m_count == marks_max && now_us - m_marks[0].sent_us > age_max_us) m_count = 0;
    if (m_count == marks_max || (!is_first && now_us - m_latest_us < std::max(apart_min_us, m_apart_us))) return;
    m_latest_us = now_us;
    m_marks[m_count++] = {mark, now_us};
}

void RoundTrip::send_again(std::uint32_t highest) {
    m_count = 0;
    if (!m_is_recovering || after(highest, m_recovered) > 0) m_recovered = highest;
    m_is_recovering = true;
}

void RoundTrip::echo(std::uint32_t mark, const Return& back) {
    std::uint8_t passed = 0;
    while (passed < m_count && after(mark, m_marks[passed].mark) > 0) ++passed;
    // What came back for a later mark says of the earlier ones only that their answers are lost, or were one.
    if (passed < m_count && m_marks[passed].mark == mark) take(m_marks[passed++], back);
    std::copy(m_marks.begin() + passed, m_marks.begin() + m_count, m_marks.begin());
    m_count = static_cast<std::uint8_t>(m_count - passed);
}

void RoundTrip::acknowledge(std::uint32_t mark, const Return& back) {
    if (m_is_recovering) {
        m_is_recovering = after(mark, m_recovered) < 0;
        return;
    }
    std::uint8_t passed = 0;
    while (passed < m_count && after(mark, m_marks[passed].mark) >= 0) ++passed;
    if (passed == 0) return;
    // The newest waited for the shortest time.
    const Mark& newest = m_marks[passed - 1u];
    Return known = back;
    known.is_late = back.is_late || (back.now_ns - back.before_ns) / 1000 < after(microseconds(back.now_ns), newest.sent_us);
    take(newest, known);
    std::copy(m_marks.begin() + passed, m_marks.begin() + m_count, m_marks.begin());
    m_count = static_cast<std::uint8_t>(m_count - passed);
}

void RoundTrip::note(std::int64_t round_trip_ns) {
    if (round_trip_ns >= 0 && round_trip_ns / 1000 < m_minimum_us) m_minimum_us = microseconds(round_trip_ns);
}

void RoundTrip::take(const Mark& mark, const Return& back) {
    const std::int32_t high_us = after(microseconds(back.now_ns), mark.sent_us);
    // A clock that was set back.
    if (!back.is_counted || high_us < 0) return;
    const auto high = static_cast<std::uint32_t>(high_us);
    const auto low = static_cast<std::uint32_t>(std::max<std::int64_t>(0, high_us - std::max<std::int64_t>(0, (back.now_ns - back.before_ns) / 1000 + 1)));
    m_minimum_us = std::min(m_minimum_us, high);
    m_apart_us = high / 4;
    if (!back.is_late) return;
    std::copy_backward(m_late_low_us.begin(), m_late_low_us.end() - 1, m_late_low_us.end());
    std::copy_backward(m_late_high_us.begin(), m_late_high_us.end() - 1, m_late_high_us.end());
    m_late_low_us[0] = low;
    m_late_high_us[0] = high;
    if (m_late_count < late_max) ++m_late_count;
}

double RoundTrip::median(std::array<std::uint32_t, late_max> values) const {
    if (m_late_count == 0) return 0;
    for (std::size_t i = m_late_count; i < late_max; ++i) values[i] = UINT32_MAX;
    std::sort(values.begin(), values.end());
    return values[(m_late_count - 1u) / 2];
}

}  // namespace unveil
