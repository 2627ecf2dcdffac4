// What an instrument says: claim-shaped results, each a number with its interval, strength, evidence and caveats.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/locator.hpp"

namespace unveil {

/// How sure the number is, beside its interval.
enum class StrengthKind { exact, interval, p_value, q_value, likelihood_ratio };
std::string_view strength_name(StrengthKind kind);

struct FigureNode {
    std::string id;        // account; hostile text
    std::string label;     // shown name; hostile text; may be empty
    std::uint32_t group = 0;   // 0: none
    double weight = 0;     // e.g. degree; sizes the mark
};
struct FigureEdge {
    std::uint32_t from = 0;  // position in nodes
    std::uint32_t to = 0;
    double weight = 1;
};
struct FigureRow {
    std::string label;
    double value = 0;
    double low = 0;   // equal to value where there is no interval
    double high = 0;
};

/// A stretch of a line of time, from inclusive and to exclusive, in days since 1970. Where a line has none, nobody looked.
enum class SpanState { ok, uncertain, blocked };
struct FigureSpan {
    std::uint32_t row = 0;   // position in rows
    double from = 0;
    double to = 0;
    SpanState state = SpanState::ok;
};

enum class FigureKind { none, bars, histogram, line, network, map, timeline };
std::string_view figure_name(FigureKind kind);

/// Data for one chart; the report draws it. bars: one bar a row. histogram: rows are bins in order. line: rows in
/// order of x. network: nodes and edges. map: a row a country, labelled by its ISO 3166-1 letters, value says how much was found there: 0 is looked for
/// and not found, below 0 looked for and undetermined; countries without a row have no data. timeline: a line a row, and spans.
struct Figure {
    FigureKind kind = FigureKind::none;
    std::string title;
    std::string x_label;
    std::string y_label;
    std::vector<FigureRow> rows;
    std::vector<FigureNode> nodes;
    std::vector<FigureEdge> edges;
    std::string caption;  // one sentence: what to see, and what was left out
    std::vector<FigureSpan> spans;
};

struct FindingTable {
    std::vector<std::string> columns;
    std::vector<std::vector<std::string>> rows;
};

struct Finding {
    std::string metric;    // "co-retweet.edges": what a claim can compare
    std::string subject;   // "accounts in the evidence"
    double value = 0;
    double low = 0;        // interval, inclusive; equal to value for exact counts
    double high = 0;       // infinite where how many more there are cannot be known; null in findings.json
    double level = 0.95;   // confidence of the interval; 1 for exact
    std::string unit;      // "accounts", "seconds", "share"
    StrengthKind strength = StrengthKind::exact;
    double strength_value = 0;  // p, q or ratio; 0 for exact and interval
    std::string sentence;  // plain words with the number in them
    std::string caveat;    // what it does not show
    std::vector<Locator> locators;      // examples, sorted; at most locators_max. Not in findings.json but in the
                                        // table locators.csv: rows move when the input is reordered, findings do not
    std::uint64_t locators_total = 0;   // how many records stand behind the number
    /// A set beside its size: `value` is how many are known to be in it. Both sorted by bytes, without repeats and disjoint; what is
    /// in neither was not looked for.
    bool is_set = false;
    std::vector<std::string> members;
    std::vector<std::string> non_members;
    Figure figure;
    FindingTable table;

    static constexpr std::size_t locators_max = 20;
};

/// What a run hands back beside its tables. Metrics are unique.
struct Findings {
    std::vector<Finding> items;
    std::vector<std::string> notes;      // what was filtered, recovered, excluded, with counts; in fixed order
    std::vector<std::string> caveats;    // of the whole run

    const Finding* find(std::string_view metric) const;
};

/// findings.json, everything but the locators: schema_version 1, stable key order, one finding a line. Text is escaped so that it can stand in a
/// <script type="application/json">. Throws Error(input) when reading back what is not such a file.
std::string findings_to_json(const Findings& findings);
Findings findings_from_json(std::string_view json);

}  // namespace unveil
