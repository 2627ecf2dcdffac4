// Times are microseconds since 1970-01-01 UTC in a signed 64-bit integer; the library never reads a clock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace unveil {

/// Understands epoch numbers (seconds, possibly negative or fractional, further digits than six are cut; milliseconds
/// when >= 1e11), ISO 8601 with T or blank, with or without seconds, fraction, Z or +hh:mm, and Twitter's
/// "Wed Oct 10 20:19:24 +0000 2018". No zone means UTC. Nothing on anything else. Never throws.
std::optional<std::int64_t> parse_time_us(std::string_view text);

/// "2020-06-11T12:00:00Z", with a fraction only when there is one.
std::string format_time(std::int64_t time_us);
/// Its day alone: "2020-06-11".
std::string format_date(std::int64_t time_us);

/// Twitter's snowflake ids (after 4 Nov 2010) carry their time: (id >> 22) + 1288834974657 ms.
constexpr std::int64_t snowflake_epoch_ms = 1288834974657;
constexpr std::int64_t snowflake_time_us(std::uint64_t id) {
    return (static_cast<std::int64_t>(id >> 22) + snowflake_epoch_ms) * 1000;
}

}  // namespace unveil
