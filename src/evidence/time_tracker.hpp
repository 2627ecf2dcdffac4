// How fine are the times of this evidence really? A window finer than that would be meaningless.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "table/post.hpp"

namespace unveil {

/// How a time was written, as far as it limits how fine it can be.
enum class TimeSpelling { day, minute, second, fraction };
/// "2020-06-11" is a day, "2020-06-11 12:00" a minute, a fraction of zeros a second.
TimeSpelling time_spelling(std::string_view cell);
std::int64_t spelling_us(TimeSpelling spelling);

/// The time of a Twitter id when the id is fine and agrees with the column as far as that goes.
enum class SnowflakeMatch { agrees, disagrees, too_old, no_snowflake };
struct SnowflakeTime {
    SnowflakeMatch match = SnowflakeMatch::no_snowflake;
    std::int64_t time_us = 0;
};
SnowflakeTime snowflake_time(std::string_view id, std::int64_t column_time_us, TimeSpelling spelling);

class TimeTracker {
  public:
    void add(std::int64_t time_us) {
        if (time_us < m_first_us) m_first_us = time_us;
        if (time_us > m_last_us) m_last_us = time_us;
        if (!m_is_settled) look_closer(time_us);
        ++m_count;
    }
    /// Only for times that were kept as written.
    void add_spelling(TimeSpelling spelling) {
        if (spelling > m_coarsest_spelling) m_coarsest_spelling = spelling;
        m_has_spelling = true;
    }
    std::int64_t first_us() const { return m_count == 0 ? 0 : m_first_us; }
    std::int64_t last_us() const { return m_count == 0 ? 0 : m_last_us; }
    TimeResolution resolution() const;

  private:
    void look_closer(std::int64_t time_us);

    static constexpr int distinct_min = 5;
    static constexpr std::uint64_t count_min = 10;
    std::int64_t m_first_us = INT64_MAX;
    std::int64_t m_last_us = INT64_MIN;
    std::uint64_t m_count = 0;
    int m_level = 0;
    std::int64_t m_distinct[distinct_min] = {};
    int m_distinct_count = 0;
    bool m_is_settled = false;  // neither the level nor the distinct times can change what resolution() says
    bool m_has_spelling = false;
    TimeSpelling m_coarsest_spelling = TimeSpelling::day;
};

}  // namespace unveil
