#include "core/parameter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/output_table.hpp"
#include "core/text.hpp"

namespace unveil {
namespace {

struct Unit {
    std::string_view name;
    std::int64_t factor;
};
// Longest value first, so that format_duration finds the shortest spelling.
constexpr Unit duration_units[] = {{"d", 86'400'000'000}, {"h", 3'600'000'000}, {"m", 60'000'000},
                                   {"s", 1'000'000},      {"ms", 1'000},        {"us", 1}};
constexpr Unit byte_units[] = {{"TiB", std::int64_t{1} << 40}, {"GiB", std::int64_t{1} << 30},
                               {"MiB", std::int64_t{1} << 20}, {"KiB", std::int64_t{1} << 10},
                               {"TB", 1'000'000'000'000},      {"GB", 1'000'000'000},
                               {"MB", 1'000'000},              {"KB", 1'000},
                               {"kB", 1'000},                  {"B", 1}};

std::optional<double> parse_real(std::string_view text) {
    double value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return {};
    return value;
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc() || end != text.data() + text.size()) return {};
    return value;
}

std::string format_real(double value) {
    std::string out;
    append_real(value, RealStyle::shortest, out);
    return out;
}

std::string_view what_is_accepted(ParameterType type) {
    switch (type) {
        case ParameterType::flag: return "true or false";
        case ParameterType::integer: return "a whole number";
        case ParameterType::real: return "a number";
        case ParameterType::duration: return "a duration such as 60s, 10m, 1h, 2d or 500ms";
        case ParameterType::bytes: return "a size such as 500MB or 4GB";
        case ParameterType::text:
        case ParameterType::choice: break;
    }
    return "text";
}

/// Letters to insert, drop, exchange or swap with the next one (optimal string alignment).
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> older(b.size() + 1), old(b.size() + 1), row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::swap(older, old);
        std::swap(old, row);
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            row[j] = std::min({old[j] + 1, row[j - 1] + 1, old[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], older[j - 2] + 1);
        }
    }
    return row[b.size()];
}

}  // namespace

std::optional<std::int64_t> parse_duration_us(std::string_view text) {
    const auto digits_end = text.find_last_of("0123456789.");
    if (digits_end == std::string_view::npos) return {};
    const auto unit_text = text.substr(digits_end + 1);
    const auto value = parse_real(text.substr(0, digits_end + 1));
    if (!value || *value < 0) return {};
    std::int64_t factor = 0;
    if (unit_text.empty()) factor = 1'000'000;
    for (const auto& unit : duration_units)
        if (unit.name == unit_text) factor = unit.factor;
    const double duration_us = *value * static_cast<double>(factor);
    if (factor == 0 || duration_us > 9e17) return {};
    return static_cast<std::int64_t>(std::llround(duration_us));
}

std::string format_duration(std::int64_t duration_us) {
    if (duration_us == 0) return "0s";
    for (const auto& unit : duration_units)
        if (duration_us % unit.factor == 0 && (unit.factor <= 1'000'000 || duration_us / unit.factor < 100000)) {
            // 60s stays 60s: users of these methods speak in seconds below two minutes.
            if (unit.name == "m" && duration_us / unit.factor < 2) continue;
            return fmt::format("{}{}", duration_us / unit.factor, unit.name);
        }
    return fmt::format("{}us", duration_us);
}

std::optional<std::uint64_t> parse_bytes(std::string_view text) {
    const auto digits_end = text.find_last_of("0123456789.");
    if (digits_end == std::string_view::npos) return {};
    const auto unit_text = text.substr(digits_end + 1);
    const auto value = parse_real(text.substr(0, digits_end + 1));
    if (!value || *value < 0) return {};
    double factor = unit_text.empty() ? 1 : 0;
    for (const auto& unit : byte_units)
        if (unit.name == unit_text) factor = static_cast<double>(unit.factor);
    if (factor == 0 || *value * factor > 9e18) return {};
    return static_cast<std::uint64_t>(*value * factor);
}

std::string nearest_word(std::string_view word, std::span<const std::string> known) {
    std::string best;
    std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
    for (const auto& candidate : known) {
        const auto distance = edit_distance(word, candidate);
        if (distance < best_distance) {
            best_distance = distance;
            best = candidate;
        }
    }
    return best;
}

ParameterValues::ParameterValues(std::span<const Parameter> table) : m_table(table.begin(), table.end()) {
    for (const auto& parameter : m_table) {
        UNVEIL_ASSERT(!m_values.contains(parameter.name));
        m_values[parameter.name];
        m_is_set[parameter.name] = false;
        if (parameter.type == ParameterType::flag && parameter.default_text.empty())
            m_values[parameter.name] = {"false"};
        else if (!parameter.default_text.empty()) {
            const std::string defaults[] = {parameter.default_text};
            set_list(parameter.name, defaults);
            m_is_set[parameter.name] = false;
        }
    }
}

bool ParameterValues::knows(std::string_view name) const { return m_values.contains(name); }

const Parameter& ParameterValues::find(std::string_view name, std::string_view where) const {
    const auto found = std::find_if(m_table.begin(), m_table.end(), [&](const auto& p) { return p.name == name; });
    if (found != m_table.end()) return *found;
    std::vector<std::string> names;
    for (const auto& parameter : m_table) names.push_back(parameter.name);
    const auto near = nearest_word(name, names);
    throw Error(ErrorKind::usage, fmt::format("unknown parameter '{}'", printable(name, 80)),
                near.empty() ? fmt::format("Known are: {}", fmt::join(names, ", "))
                             : fmt::format("Did you mean '{}'?", near),
                std::string(where));
}

std::string ParameterValues::checked(const Parameter& parameter, std::string_view text, std::string_view where) {
    const auto bad = [&](std::string_view wanted) {
        return Error(ErrorKind::usage,
                     fmt::format("'{}' is not a value for '{}'", printable(text, 80), parameter.name),
                     fmt::format("Give {}", wanted), std::string(where));
    };
    const auto check_range = [&](double value) {
        if (parameter.minimum && value < *parameter.minimum)
            throw bad(fmt::format("at least {}", format_real(*parameter.minimum)));
        if (parameter.maximum && value > *parameter.maximum)
            throw bad(fmt::format("at most {}", format_real(*parameter.maximum)));
    };
    switch (parameter.type) {
        case ParameterType::flag:
            if (text == "true" || text == "yes" || text == "1") return "true";
            if (text == "false" || text == "no" || text == "0") return "false";
            throw bad(what_is_accepted(parameter.type));
        case ParameterType::integer: {
            const auto value = parse_integer(text);
            if (!value) throw bad(what_is_accepted(parameter.type));
            check_range(static_cast<double>(*value));
            return std::to_string(*value);
        }
        case ParameterType::real: {
            const auto value = parse_real(text);
            if (!value) throw bad(what_is_accepted(parameter.type));
            check_range(*value);
            return format_real(*value);
        }
        case ParameterType::duration: {
            const auto value = parse_duration_us(text);
            if (!value) throw bad(what_is_accepted(parameter.type));
            check_range(static_cast<double>(*value) / 1e6);
            return format_duration(*value);
        }
        case ParameterType::bytes: {
            const auto value = parse_bytes(text);
            if (!value) throw bad(what_is_accepted(parameter.type));
            check_range(static_cast<double>(*value));
            return std::to_string(*value);
        }
        case ParameterType::choice: {
            if (std::find(parameter.choices.begin(), parameter.choices.end(), text) != parameter.choices.end())
                return std::string(text);
            const auto near = nearest_word(text, parameter.choices);
            throw bad(near.empty() ? fmt::format("one of {}", fmt::join(parameter.choices, ", "))
                                   : fmt::format("one of {}; did you mean '{}'?",
                                                 fmt::join(parameter.choices, ", "), near));
        }
        case ParameterType::text: return std::string(text);
    }
    UNVEIL_ASSERT(false);
    return {};
}

void ParameterValues::set(std::string_view name, std::string_view text, std::string_view where) {
    const std::string one[] = {std::string(text)};
    set_list(name, one, where);
}

void ParameterValues::set_list(std::string_view name, std::span<const std::string> texts, std::string_view where) {
    const Parameter& parameter = find(name, where);
    std::vector<std::string> values;
    for (std::string_view text : texts) {
        if (!parameter.is_list) {
            values.push_back(checked(parameter, text, where));
            continue;
        }
        while (true) {
            const auto comma = text.find(',');
            values.push_back(checked(parameter, trimmed(text.substr(0, comma)), where));
            if (comma == std::string_view::npos) break;
            text.remove_prefix(comma + 1);
        }
    }
    if (!parameter.is_list && values.size() != 1)
        throw Error(ErrorKind::usage, fmt::format("'{}' takes one value, not {}", name, values.size()), {},
                    std::string(where));
    m_values.find(name)->second = std::move(values);
    m_is_set.find(name)->second = true;
}

bool ParameterValues::is_set(std::string_view name) const {
    const auto found = m_is_set.find(name);
    UNVEIL_ASSERT(found != m_is_set.end());
    return found->second;
}

bool ParameterValues::has_value(std::string_view name) const {
    const auto found = m_values.find(name);
    UNVEIL_ASSERT(found != m_values.end());
    return !found->second.empty();
}

const std::vector<std::string>& ParameterValues::values(std::string_view name, ParameterType type) const {
    const Parameter& parameter = find(name, {});
    UNVEIL_ASSERT(parameter.type == type ||
                  (type == ParameterType::text && parameter.type == ParameterType::choice));
    return m_values.find(name)->second;
}

bool ParameterValues::flag(std::string_view name) const {
    return values(name, ParameterType::flag).at(0) == "true";
}
std::int64_t ParameterValues::integer(std::string_view name) const {
    return *parse_integer(values(name, ParameterType::integer).at(0));
}
double ParameterValues::real(std::string_view name) const {
    return *parse_real(values(name, ParameterType::real).at(0));
}
std::string ParameterValues::text(std::string_view name) const {
    const auto& found = values(name, ParameterType::text);
    return found.empty() ? std::string() : found.front();
}
std::vector<std::string> ParameterValues::texts(std::string_view name) const {
    return values(name, ParameterType::text);
}
std::int64_t ParameterValues::duration_us(std::string_view name) const {
    return *parse_duration_us(values(name, ParameterType::duration).at(0));
}
std::vector<std::int64_t> ParameterValues::durations_us(std::string_view name) const {
    std::vector<std::int64_t> durations;
    for (const auto& text : values(name, ParameterType::duration)) durations.push_back(*parse_duration_us(text));
    return durations;
}
std::uint64_t ParameterValues::bytes(std::string_view name) const {
    return *parse_bytes(values(name, ParameterType::bytes).at(0));
}

const std::vector<std::string>& ParameterValues::canonical_texts(std::string_view name) const {
    find(name, {});
    return m_values.find(name)->second;
}

std::string ParameterValues::canonical_json() const {
    nlohmann::ordered_json json = nlohmann::ordered_json::object();
    for (const auto& parameter : m_table) {
        if (!parameter.affects_findings) continue;
        const auto& found = m_values.find(parameter.name)->second;
        const auto as_json = [&](const std::string& text) -> nlohmann::ordered_json {
            switch (parameter.type) {
                case ParameterType::flag: return text == "true";
                case ParameterType::integer: return *parse_integer(text);
                case ParameterType::real: return *parse_real(text);
                case ParameterType::bytes: return *parse_bytes(text);
                default: return text;
            }
        };
        if (parameter.is_list) {
            auto list = nlohmann::ordered_json::array();
            for (const auto& text : found) list.push_back(as_json(text));
            json[parameter.name] = std::move(list);
        } else if (!found.empty()) {
            json[parameter.name] = as_json(found.front());
        }
    }
    return json_text(json);
}

}  // namespace unveil
