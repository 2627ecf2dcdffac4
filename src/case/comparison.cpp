#include "case/comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "core/text.hpp"
#include "core/time.hpp"

namespace unveil {
namespace {

struct RelationSpelling {
    std::string_view sign;
    std::string_view words;
    Relation relation;
};
// The two-byte signs stand first, so that ">=" is not read as ">".
constexpr std::array<RelationSpelling, 8> relations = {{
    {">=", "at least", Relation::at_least},
    {"<=", "at most", Relation::at_most},
    {"==", "equal to", Relation::equal},
    {"!=", "different from", Relation::unequal},
    {">", "more than", Relation::above},
    {"<", "less than", Relation::below},
    {"includes", "includes", Relation::includes},
    {"excludes", "excludes", Relation::excludes},
}};

struct NumberUnit {
    std::string_view sign;
    double factor;
};
constexpr std::array<NumberUnit, 7> number_units = {
    {{"%", 0.01}, {"us", 1e-6}, {"ms", 1e-3}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}}};

constexpr std::size_t argument_bytes_max = 256;

bool is_letter(char c) {
    return c >= 'a' && c <= 'z';
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_word(char c) {
    return is_letter(c) || is_digit(c) || c == '-';
}
bool is_name(char c) {
    return is_word(c) || c == '_' || c == '.';
}

/// Length of a "<word>" at the front of `text`, or 0: `a<b` is a comparison, `a<b>.c < d` has a name in it.
std::size_t bracketed_length(std::string_view text) {
    if (text.empty() || text[0] != '<') return 0;
    std::size_t end = 1;
    while (end < text.size() && is_word(text[end])) ++end;
    if (end == 1 || end == text.size() || text[end] != '>') return 0;
    return end + 1;
}

/// Length of what can only be a date, perhaps with a time, at the front of `text`; 0: a number such as 2024.
std::size_t date_length(std::string_view text) {
    constexpr std::string_view form = "dddd-dd-dd";
    if (text.size() < form.size()) return 0;
    for (std::size_t i = 0; i < form.size(); ++i)
        if (form[i] == 'd' ? !is_digit(text[i]) : text[i] != form[i]) return 0;
    std::size_t end = form.size();
    while (end < text.size() && (is_name(text[end]) || std::string_view("TZ:+").find(text[end]) != std::string_view::npos)) ++end;
    return end;
}

class Parser {
  public:
    explicit Parser(std::string_view text) : m_text(text) {}

    tl::expected<Comparison, ComparisonFault> parse() {
        if (m_text.size() > comparison_bytes_max)
            return fault(fmt::format("a comparison may have {} bytes", comparison_bytes_max));
        Comparison comparison;
        auto left = metric();
        if (!left) return tl::unexpected(left.error());
        comparison.left = *left;
        const auto relation = this->relation();
        if (!relation) return tl::unexpected(relation.error());
        comparison.relation = *relation;
        auto right = is_about_set(*relation) ? member() : number();
        if (!right && is_about_set(*relation)) return tl::unexpected(right.error());
        if (!right && m_is_number) return tl::unexpected(right.error());
        if (!right) right = metric();
        if (!right) return tl::unexpected(right.error());
        comparison.right = *right;
        skip_blanks();
        if (!rest().empty())
            return fault("something follows the comparison; write each comparison as its own item");
        comparison.text = fmt::format("{} {} {}", comparison.left.text, relation_sign(comparison.relation),
                                      comparison.right.text);
        return comparison;
    }

  private:
    std::string_view rest() const { return m_text.substr(m_at); }
    void skip_blanks() {
        while (!rest().empty() && (rest()[0] == ' ' || rest()[0] == '\t')) ++m_at;
    }
    tl::unexpected<ComparisonFault> fault(std::string message) const {
        return tl::unexpected(ComparisonFault{m_at + 1, std::move(message)});
    }

    tl::expected<Operand, ComparisonFault> metric() {
        skip_blanks();
        if (rest().empty()) return fault("a metric is missing");
        if (!is_letter(rest()[0]))
            return fault(is_digit(rest()[0]) || rest()[0] == '-' || rest()[0] == '+'
                             ? "a metric is wanted here; numbers stand on the right side"
                             : "a metric is wanted here; its name begins with a letter from a to z");
        const std::size_t begin = m_at;
        while (!rest().empty()) {
            if (is_name(rest()[0]))
                ++m_at;
            else if (const auto length = bracketed_length(rest()))
                m_at += length;
            else
                break;
        }
        Operand operand;
        operand.metric = m_text.substr(begin, m_at - begin);
        if (!rest().empty() && rest()[0] == '(') {
            ++m_at;
            std::vector<std::string> arguments;
            do {
                if (arguments.size() == metric_arguments_max)
                    return fault(fmt::format("a metric may have {} arguments", metric_arguments_max));
                auto argument = quoted();
                if (!argument) return tl::unexpected(argument.error());
                arguments.push_back(*argument);
                skip_blanks();
            } while (take(','));
            if (!take(')')) return fault("')' or ',' is wanted after an argument");
            operand.metric += fmt::format("({})", fmt::join(arguments, ", "));
        }
        operand.text = operand.metric;
        return operand;
    }

    bool take(char c) {
        if (rest().empty() || rest()[0] != c) return false;
        ++m_at;
        return true;
    }

    /// "text" with \" and \\ inside; gives it back in the same spelling.
    tl::expected<std::string, ComparisonFault> quoted() {
        skip_blanks();
        if (!take('"')) return fault("an argument in double quotes is wanted here");
        std::string argument = "\"";
        while (!rest().empty() && rest()[0] != '"') {
            if (rest()[0] == '\\') {
                argument += rest()[0];
                ++m_at;
                if (rest().empty() || (rest()[0] != '"' && rest()[0] != '\\'))
                    return fault("after a backslash only \\ or \" may stand");
            }
            if (static_cast<unsigned char>(rest()[0]) < 0x20)
                return fault("a control byte stands in an argument");
            argument += rest()[0];
            ++m_at;
            if (argument.size() > argument_bytes_max)
                return fault(fmt::format("an argument may have {} bytes", argument_bytes_max));
        }
        if (!take('"')) return fault("the closing double quote is missing");
        return argument + "\"";
    }

    tl::expected<Relation, ComparisonFault> relation() {
        skip_blanks();
        for (const auto& known : relations) {
            if (!rest().starts_with(known.sign)) continue;
            m_at += known.sign.size();
            return known.relation;
        }
        if (rest().starts_with("=")) return fault("'=' compares nothing; write == for equal");
        return fault("one of >= <= > < == != includes excludes is wanted here");
    }

    tl::expected<Operand, ComparisonFault> member() {
        auto text = quoted();
        if (!text) return tl::unexpected(text.error());
        Operand operand;
        operand.text = *text;
        for (std::size_t i = 1; i + 1 < text->size(); ++i) {
            if ((*text)[i] == '\\') ++i;
            operand.member += (*text)[i];
        }
        if (operand.member.empty()) return fault("what the set is said to hold is empty");
        return operand;
    }

    /// Sets m_is_number when what follows can only be a number, so that its fault is the one to tell.
    tl::expected<Operand, ComparisonFault> number() {
        skip_blanks();
        if (const auto length = date_length(rest())) return date(length);
        const std::size_t begin = m_at;
        std::size_t at = m_at;
        if (at < m_text.size() && m_text[at] == '+') ++at;
        m_is_number = at < m_text.size() && (is_digit(m_text[at]) || m_text[at] == '-' || m_text[at] == '.');
        double value = 0;
        const char* const first = m_text.data() + at;
        const char* const last = m_text.data() + m_text.size();
        const auto [end, failure] = m_is_number ? std::from_chars(first, last, value)
                                                : std::from_chars_result{first, std::errc::invalid_argument};
        if (failure != std::errc() || !std::isfinite(value)) return fault("this is not a number");
        at = static_cast<std::size_t>(end - m_text.data());
        std::size_t unit_end = at;
        while (unit_end < m_text.size() && (is_name(m_text[unit_end]) || m_text[unit_end] == '%')) ++unit_end;
        const auto unit = m_text.substr(at, unit_end - at);
        Operand operand;
        operand.number = value;
        if (!unit.empty()) {
            const auto known = std::find_if(number_units.begin(), number_units.end(),
                                            [&](const auto& candidate) { return candidate.sign == unit; });
            if (known == number_units.end()) {
                m_at = at;
                return fault(
                    fmt::format("'{}' is not a unit; known are % us ms s m h d", printable(unit, 40)));
            }
            operand.number = known->sign == "%" ? value / 100 : value * known->factor;
            if (!std::isfinite(operand.number)) return fault("this number is too large");
        }
        m_at = unit_end;
        operand.text = m_text.substr(begin, unit_end - begin);
        return operand;
    }

    tl::expected<Operand, ComparisonFault> date(std::size_t length) {
        m_is_number = true;
        Operand operand;
        operand.text = rest().substr(0, length);
        const auto time_us = parse_time_us(operand.text);
        if (!time_us)
            return fault(fmt::format("'{}' is no date or time; write 2024-03-01 or 2024-03-01T12:00:00Z",
                                     printable(operand.text, 40)));
        operand.number = static_cast<double>(*time_us) / 1e6;
        operand.is_date = true;
        m_at += length;
        return operand;
    }

    std::string_view m_text;
    std::size_t m_at = 0;
    bool m_is_number = false;
};

/// Matches without backtracking over more than one placeholder at a time: placeholders cannot hold the '.',
/// '(' or '_' that follow them in a name.
bool matches(std::string_view metric, std::string_view name) {
    while (!name.empty()) {
        const auto placeholder = bracketed_length(name);
        if (placeholder == 0) {
            if (metric.empty() || metric[0] != name[0]) return false;
            metric.remove_prefix(1);
            name.remove_prefix(1);
            continue;
        }
        name.remove_prefix(placeholder);
        // A description may be quoted as it stands ("<trace>.edges").
        std::size_t length = bracketed_length(metric);
        if (length == 0)
            while (length < metric.size() && is_word(metric[length])) ++length;
        // The shortest match first: "<a>-<b>" is rare, and names are short.
        for (std::size_t taken = length; taken >= 1; --taken)
            if (matches(metric.substr(taken), name)) return true;
        return false;
    }
    return metric.empty();
}

std::string_view without_arguments(std::string_view metric) {
    return metric.substr(0, metric.find('('));
}

std::vector<std::string_view> segments_of(std::string_view name) {
    std::vector<std::string_view> segments;
    while (true) {
        const auto dot = name.find('.');
        segments.push_back(name.substr(0, dot));
        if (dot == std::string_view::npos) return segments;
        name.remove_prefix(dot + 1);
    }
}

}  // namespace

std::string_view relation_sign(Relation relation) {
    for (const auto& known : relations)
        if (known.relation == relation) return known.sign;
    UNVEIL_ASSERT(false);
    return {};
}

std::string_view relation_words(Relation relation) {
    for (const auto& known : relations)
        if (known.relation == relation) return known.words;
    UNVEIL_ASSERT(false);
    return {};
}

tl::expected<Comparison, ComparisonFault> parse_comparison(std::string_view text) {
    return Parser(text).parse();
}

const MetricDescription* description_of(std::string_view metric, std::span<const MetricDescription> metrics) {
    const auto found = std::find_if(metrics.begin(), metrics.end(), [&](const auto& known) {
        return matches(without_arguments(metric), without_arguments(known.name));
    });
    return found == metrics.end() ? nullptr : &*found;
}

std::vector<std::string> possible_metrics(const MetricDescription& metric) {
    std::vector<std::string> possible;
    for (const auto& argument : metric.arguments) possible.push_back(fmt::format("{}(\"{}\")", without_arguments(metric.name), argument));
    return possible;
}

std::vector<std::string> metric_arguments(std::string_view metric) {
    std::vector<std::string> arguments;
    bool is_inside = false;
    for (std::size_t i = without_arguments(metric).size(); i < metric.size(); ++i) {
        if (metric[i] == '"') {
            is_inside = !is_inside;
            if (is_inside) arguments.emplace_back();
        } else if (is_inside) {
            if (metric[i] == '\\' && i + 1 < metric.size()) ++i;
            arguments.back() += metric[i];
        }
    }
    return arguments;
}

std::string nearest_metric(std::string_view metric, std::span<const MetricDescription> metrics) {
    const auto given = segments_of(without_arguments(metric));
    std::vector<std::string> candidates;
    for (const auto& known : metrics) {
        auto segments = segments_of(without_arguments(known.name));
        for (std::size_t i = 0; i < segments.size(); ++i)
            if (segments.size() == given.size() && bracketed_length(segments[i]) == segments[i].size() &&
                !segments[i].empty())
                segments[i] = given[i];
        candidates.push_back(fmt::format("{}", fmt::join(segments, ".")));
    }
    return nearest_word(without_arguments(metric), candidates);
}

std::string_view decision_name(Decision decision) {
    switch (decision) {
        case Decision::supported:
            return "supported";
        case Decision::contradicted:
            return "contradicted";
        case Decision::undetermined:
            return "undetermined";
    }
    UNVEIL_ASSERT(false);
    return {};
}

Decision decide(Interval left, Relation relation, Interval right) {
    UNVEIL_ASSERT(left.low <= left.high && right.low <= right.high);
    const auto from = [](bool all, bool none) {
        return all ? Decision::supported : none ? Decision::contradicted : Decision::undetermined;
    };
    const bool is_disjoint = left.high < right.low || right.high < left.low;
    const bool is_same_point = left.is_point() && right.is_point() && left.low == right.low;
    switch (relation) {
        case Relation::at_least:
            return from(left.low >= right.high, left.high < right.low);
        case Relation::at_most:
            return from(left.high <= right.low, left.low > right.high);
        case Relation::above:
            return from(left.low > right.high, left.high <= right.low);
        case Relation::below:
            return from(left.high < right.low, left.low >= right.high);
        case Relation::equal:
            return from(is_same_point, is_disjoint);
        case Relation::unequal:
            return from(is_disjoint, is_same_point);
        case Relation::includes:
        case Relation::excludes:
            break;
    }
    UNVEIL_ASSERT(false);
    return Decision::undetermined;
}

Decision decide(Membership membership, Relation relation) {
    UNVEIL_ASSERT(is_about_set(relation));
    if (membership == Membership::unknown) return Decision::undetermined;
    const bool is_member = membership == Membership::member;
    return is_member == (relation == Relation::includes) ? Decision::supported : Decision::contradicted;
}

}  // namespace unveil
