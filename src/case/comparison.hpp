// What a claim asserts, in one line: `core.accounts >= 100`, `amplifier.accounts > core.accounts`, `delay.median < 30s`,
// `rules includes "six four"`. Parses such lines from hostile text and decides them by intervals, or by what is known of a set.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "instruments/instrument.hpp"

namespace unveil {

enum class Relation { at_least, at_most, above, below, equal, unequal, includes, excludes };
std::string_view relation_sign(Relation relation);   // ">=", "includes"
/// Whether it compares a set with one thing that may be in it, not two numbers.
constexpr bool is_about_set(Relation relation) { return relation == Relation::includes || relation == Relation::excludes; }
std::string_view relation_words(Relation relation);  // "at least"

/// Either side of a comparison. A metric is kept in canonical spelling: `blocked("signal.org", "cn")`.
struct Operand {
    std::string metric;   // empty: a number
    double number = 0;    // seconds for durations, seconds since 1970 for dates, a share for percentages
    std::string member;   // of a set, without quotes
    std::string text;     // as written
    bool is_date = false; // the number was written as a date
    bool is_metric() const { return !metric.empty(); }
};

struct Comparison {
    Operand left;         // always a metric
    Relation relation = Relation::equal;
    Operand right;
    std::string text;     // canonical spelling of the whole
};

struct ComparisonFault {
    std::size_t column = 0;  // from 1, in bytes
    std::string message;
};

/// METRIC OP (METRIC | NUMBER) or METRIC (includes | excludes) "member", at most comparison_bytes_max long. Never throws.
///   METRIC: a-z first, then a-z 0-9 _ . - and <word>; then perhaps ("argument", ...)
///   OP:     >= <= > < == !=
///   NUMBER: 12, -0.5, 1e6, 5% (0.05), durations in us ms s m h d (seconds), and dates and times such as 2024-03-01 and
///           2024-03-01T12:00:00Z (seconds since 1970, UTC)
tl::expected<Comparison, ComparisonFault> parse_comparison(std::string_view text);
constexpr std::size_t comparison_bytes_max = 1000;
constexpr std::size_t metric_arguments_max = 8;

/// The description that `metric` may be one of; a placeholder such as <trace> stands for any word of a-z 0-9 and -. Null when there is none.
const MetricDescription* description_of(std::string_view metric, std::span<const MetricDescription> metrics);
/// With its arguments, all that this metric can be: topics.share("health"); empty where any argument will do.
std::vector<std::string> possible_metrics(const MetricDescription& metric);
/// The arguments of a metric in canonical spelling, without quotes: {"signal.org", "AS4134"} of `blocked("signal.org", "AS4134")`.
std::vector<std::string> metric_arguments(std::string_view metric);
/// The described metric most like `metric`, with placeholders filled from it; empty when none is near.
std::string nearest_metric(std::string_view metric, std::span<const MetricDescription> metrics);

struct Interval {
    double low = 0;
    double high = 0;
    bool is_point() const { return low == high; }
};

enum class Decision { supported, contradicted, undetermined };
std::string_view decision_name(Decision decision);

/// Supported when every pair of points of the two intervals satisfies the relation, contradicted when none does.
/// Equality is supported only between equal points.
Decision decide(Interval left, Relation relation, Interval right);

/// What is known of one thing and a set: it is in it, it is not, or nobody has looked.
enum class Membership { member, non_member, unknown };
Decision decide(Membership membership, Relation relation);

}  // namespace unveil
