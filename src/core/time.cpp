#include "core/time.hpp"

#include <fmt/format.h>

#include <array>

namespace unveil {
namespace {

constexpr std::int64_t second_us = 1'000'000;
constexpr std::int64_t day_us = 86'400 * second_us;
// Years 0001 to 9999 keep every sum of two times and a window inside 64 bits.
constexpr std::int64_t epoch_seconds_min = -62'135'596'800;
constexpr std::int64_t epoch_seconds_max = 253'402'300'799;

/// Days since 1970-01-01 of a Gregorian date (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms").
constexpr std::int64_t days_from_civil(std::int64_t year, int month, int day) {
    year -= month <= 2;
    const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
    const auto year_of_era = year - era * 400;
    const auto day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    const auto day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

constexpr int days_in_month(std::int64_t year, int month) {
    constexpr int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && is_leap ? 29 : days[month - 1];
}

class Scanner {
  public:
    explicit Scanner(std::string_view text) : m_text(text) {}
    bool at_end() const { return m_text.empty(); }
    char peek() const { return m_text.empty() ? '\0' : m_text.front(); }
    bool take(char c) {
        if (peek() != c) return false;
        m_text.remove_prefix(1);
        return true;
    }
    bool take_word(std::string_view word) {
        if (!m_text.starts_with(word)) return false;
        m_text.remove_prefix(word.size());
        return true;
    }
    /// Exactly `digits` digits, or nothing.
    std::optional<int> number(int digits) {
        int value = 0;
        if (m_text.size() < static_cast<std::size_t>(digits)) return {};
        for (int i = 0; i < digits; ++i) {
            const char c = m_text[static_cast<std::size_t>(i)];
            if (c < '0' || c > '9') return {};
            value = value * 10 + (c - '0');
        }
        m_text.remove_prefix(static_cast<std::size_t>(digits));
        return value;
    }
    /// Digits after a point as microseconds; further digits are cut.
    std::optional<std::int64_t> fraction_us() {
        std::int64_t value = 0;
        int count = 0;
        for (; peek() >= '0' && peek() <= '9'; m_text.remove_prefix(1), ++count)
            if (count < 6) value = value * 10 + (peek() - '0');
        if (count == 0) return {};
        for (; count < 6; ++count) value *= 10;
        return value;
    }
    std::optional<std::int64_t> zone_us() {
        if (take('Z')) return 0;
        const std::int64_t sign = take('-') ? -1 : take('+') ? 1 : 0;
        if (sign == 0) return {};
        const auto hours = number(2);
        take(':');
        const auto minutes = number(2);
        if (!hours || !minutes || *hours > 23 || *minutes > 59) return {};
        return sign * (*hours * 3600 + *minutes * 60) * second_us;
    }
    std::optional<std::int64_t> clock_us() {
        const auto hour = number(2);
        if (!hour || *hour > 23 || !take(':')) return {};
        const auto minute = number(2);
        if (!minute || *minute > 59) return {};
        std::int64_t clock = (*hour * 3600 + *minute * 60) * second_us;
        if (!take(':')) return clock;
        const auto second = number(2);
        if (!second || *second > 60) return {};
        clock += *second * second_us;
        if (take('.')) {
            const auto fraction = fraction_us();
            if (!fraction) return {};
            clock += *fraction;
        }
        return clock;
    }

  private:
    std::string_view m_text;
};

std::optional<std::int64_t> date_us(int year, int month, int day) {
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month)) return {};
    return days_from_civil(year, month, day) * day_us;
}

std::optional<std::int64_t> parse_epoch(std::string_view text) {
    bool is_negative = false;
    if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
        is_negative = text.front() == '-';
        text.remove_prefix(1);
    }
    std::int64_t seconds = 0;
    std::size_t i = 0;
    for (; i < text.size() && text[i] >= '0' && text[i] <= '9'; ++i) {
        if (i >= 15) return {};
        seconds = seconds * 10 + (text[i] - '0');
    }
    if (i == 0) return {};
    std::int64_t fraction = 0;
    if (i < text.size()) {
        Scanner rest(text.substr(i));
        if (!rest.take('.')) return {};
        const auto parsed = rest.fraction_us();
        if (!parsed || !rest.at_end()) return {};
        fraction = *parsed;
    }
    std::int64_t time_us = 0;
    if (seconds >= 100'000'000'000) {  // milliseconds: as seconds this would be after the year 5138
        if (fraction != 0 || seconds > epoch_seconds_max * 1000) return {};
        time_us = seconds * 1000;
    } else {
        time_us = seconds * second_us + fraction;
    }
    if (is_negative) time_us = -time_us;
    if (time_us < epoch_seconds_min * second_us) return {};
    return time_us;
}

std::optional<std::int64_t> parse_iso(std::string_view text) {
    Scanner scanner(text);
    const auto year = scanner.number(4);
    if (!year || !scanner.take('-')) return {};
    const auto month = scanner.number(2);
    if (!month || !scanner.take('-')) return {};
    const auto day = scanner.number(2);
    if (!day) return {};
    auto time = date_us(*year, *month, *day);
    if (!time || scanner.at_end()) return time;
    if (!scanner.take('T') && !scanner.take(' ')) return {};
    const auto clock = scanner.clock_us();
    if (!clock) return {};
    *time += *clock;
    if (scanner.take_word(" UTC") || scanner.at_end()) return scanner.at_end() ? time : std::nullopt;
    scanner.take(' ');
    const auto zone = scanner.zone_us();
    if (!zone || !scanner.at_end()) return {};
    return *time - *zone;
}

/// "Wed Oct 10 20:19:24 +0000 2018"
std::optional<std::int64_t> parse_twitter(std::string_view text) {
    constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    if (text.size() != 30) return {};
    Scanner scanner(text.substr(4));
    int month = 0;
    for (std::size_t i = 0; i < months.size(); ++i)
        if (scanner.take_word(months[i])) month = static_cast<int>(i) + 1;
    if (month == 0 || !scanner.take(' ')) return {};
    const auto day = scanner.number(2);
    if (!day || !scanner.take(' ')) return {};
    const auto clock = scanner.clock_us();
    if (!clock || !scanner.take(' ')) return {};
    const auto zone = scanner.zone_us();
    if (!zone || !scanner.take(' ')) return {};
    const auto year = scanner.number(4);
    if (!year || !scanner.at_end()) return {};
    const auto date = date_us(*year, month, *day);
    if (!date) return {};
    return *date + *clock - *zone;
}

}  // namespace

std::optional<std::int64_t> parse_time_us(std::string_view text) {
    if (text.empty()) return {};
    // Ten digits, the common case of large tables, need no further tests.
    if (text.size() == 10) {
        std::uint64_t seconds = 0;
        bool is_digits = true;
        for (const char c : text) {
            is_digits &= c >= '0' && c <= '9';
            seconds = seconds * 10 + static_cast<unsigned char>(c - '0');
        }
        if (is_digits) return static_cast<std::int64_t>(seconds) * second_us;
    }
    if (const auto epoch = parse_epoch(text)) return epoch;
    if (text[0] >= '0' && text[0] <= '9') return parse_iso(text);
    return parse_twitter(text);
}

std::string format_time(std::int64_t time_us) {
    std::int64_t days = time_us / day_us;
    std::int64_t rest = time_us % day_us;
    if (rest < 0) {
        rest += day_us;
        --days;
    }
    // The inverse of days_from_civil, same source.
    days += 719468;
    const std::int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    const auto day_of_era = days - era * 146097;
    const auto year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const auto day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const auto shifted_month = (5 * day_of_year + 2) / 153;
    const auto day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    const auto month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
    const auto year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
    const auto seconds = rest / second_us;
    std::string out;
    if (year >= 0 && year <= 9999) {
        // Millions of times are written into tables; a format string costs ten times this.
        out = "0000-00-00T00:00:00";
        const auto put = [&out](std::size_t at, std::int64_t value) {
            out[at] = static_cast<char>('0' + value / 10);
            out[at + 1] = static_cast<char>('0' + value % 10);
        };
        put(0, year / 100);
        put(2, year % 100);
        put(5, month);
        put(8, day);
        put(11, seconds / 3600);
        put(14, seconds / 60 % 60);
        put(17, seconds % 60);
    } else {
        out = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", year, month, day, seconds / 3600, seconds / 60 % 60, seconds % 60);
    }
    if (const auto fraction = rest % second_us; fraction != 0) {
        out += fmt::format(".{:06}", fraction);
        while (out.back() == '0') out.pop_back();
    }
    return out + "Z";
}

std::string format_date(std::int64_t time_us) { return format_time(time_us).substr(0, 10); }

}  // namespace unveil
