#include "evidence/time_tracker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string>

#include "core/text.hpp"
#include "core/time.hpp"

namespace unveil {
namespace {

struct Level {
    std::int64_t step_us;
    std::string_view name;
};
constexpr Level levels[] = {
    {86'400'000'000, "day"}, {3'600'000'000, "hour"}, {60'000'000, "minute"},
    {1'000'000, "second"},   {1'000, "millisecond"},  {1, "microsecond"},
};
constexpr int level_finest = 5;

/// The divisors are constants, so that no division is left.
bool is_multiple(std::int64_t time_us, int level) {
    switch (level) {
        case 0:
            return time_us % 86'400'000'000 == 0;
        case 1:
            return time_us % 3'600'000'000 == 0;
        case 2:
            return time_us % 60'000'000 == 0;
        case 3:
            return time_us % 1'000'000 == 0;
        case 4:
            return time_us % 1'000 == 0;
        default:
            return true;
    }
}

std::int64_t floor_to(std::int64_t time_us, std::int64_t step_us) {
    const auto rest = time_us % step_us;
    return time_us - (rest < 0 ? rest + step_us : rest);
}

}  // namespace

TimeSpelling time_spelling(std::string_view cell) {
    if (cell.size() == 10 && cell[4] == '-') return TimeSpelling::day;
    if (cell.size() >= 16 && cell[4] == '-' && cell[13] == ':' && (cell.size() == 16 || cell[16] != ':'))
        return TimeSpelling::minute;
    const auto point = cell.find('.');
    if (point == std::string_view::npos) return TimeSpelling::second;
    const auto finer = cell.find_first_not_of('0', point + 1);
    return finer != std::string_view::npos && cell[finer] >= '1' && cell[finer] <= '9'
               ? TimeSpelling::fraction
               : TimeSpelling::second;
}

std::int64_t spelling_us(TimeSpelling spelling) {
    switch (spelling) {
        case TimeSpelling::day:
            return 86'400'000'000;
        case TimeSpelling::minute:
            return 60'000'000;
        case TimeSpelling::second:
            return 1'000'000;
        case TimeSpelling::fraction:
            break;
    }
    return 1'000;
}

SnowflakeTime snowflake_time(std::string_view id, std::int64_t column_time_us, TimeSpelling spelling) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), number);
    if (error != std::errc() || end != id.data() + id.size() || number > INT64_MAX) return {};
    // Before the change of 4 November 2010 ids were counted up and say nothing of the time.
    if (column_time_us < snowflake_epoch_ms * 1000 || number < (std::uint64_t{1} << 34))
        return {SnowflakeMatch::too_old, 0};
    const auto time_us = snowflake_time_us(number);
    const auto step_us = spelling_us(spelling);
    const bool agrees = floor_to(time_us, step_us) == floor_to(column_time_us, step_us);
    return {agrees ? SnowflakeMatch::agrees : SnowflakeMatch::disagrees, time_us};
}

void TimeTracker::look_closer(std::int64_t time_us) {
    while (!is_multiple(time_us, m_level)) ++m_level;
    if (m_distinct_count < distinct_min &&
        std::find(m_distinct, m_distinct + m_distinct_count, time_us) == m_distinct + m_distinct_count)
        m_distinct[m_distinct_count++] = time_us;
    m_is_settled = m_level == level_finest && m_distinct_count == distinct_min;
}

TimeResolution TimeTracker::resolution() const {
    if (m_count == 0) return {1, "there are no times"};
    if (m_has_spelling && m_coarsest_spelling <= TimeSpelling::minute) {
        const bool is_day = m_coarsest_spelling == TimeSpelling::day;
        // Written to the minute, the times may still all be whole days or hours.
        const auto spelled_us = spelling_us(m_coarsest_spelling);
        if (m_count < count_min || m_distinct_count < distinct_min || levels[m_level].step_us <= spelled_us)
            return {spelled_us, fmt::format("every one of {} times is written as a {}",
                                            grouped_digits(m_count), is_day ? "day" : "minute")};
    }
    if (m_count < count_min || m_distinct_count < distinct_min)
        return {1, fmt::format("{} times, {} of them distinct, are too few to tell", grouped_digits(m_count),
                               m_distinct_count)};
    if (m_level == level_finest) return {1, "some times are finer than a millisecond"};
    return {levels[m_level].step_us, fmt::format("every one of {} times is a whole {}",
                                                 grouped_digits(m_count), levels[m_level].name)};
}

}  // namespace unveil
