#include "instruments/finding.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/text.hpp"

namespace unveil {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::pair<StrengthKind, std::string_view>, 5> strength_names = {{
    {StrengthKind::exact, "exact"},
    {StrengthKind::interval, "interval"},
    {StrengthKind::p_value, "p"},
    {StrengthKind::q_value, "q"},
    {StrengthKind::likelihood_ratio, "likelihood-ratio"},
}};
constexpr std::array<std::pair<FigureKind, std::string_view>, 7> figure_names = {{
    {FigureKind::none, "none"},
    {FigureKind::bars, "bars"},
    {FigureKind::histogram, "histogram"},
    {FigureKind::line, "line"},
    {FigureKind::network, "network"},
    {FigureKind::map, "map"},
    {FigureKind::timeline, "timeline"},
}};

constexpr std::array<std::pair<SpanState, std::string_view>, 3> span_names = {{
    {SpanState::ok, "ok"},
    {SpanState::uncertain, "uncertain"},
    {SpanState::blocked, "blocked"},
}};

template <typename Names, typename Kind>
std::string_view name_of(const Names& names, Kind kind) {
    for (const auto& [known, name] : names)
        if (known == kind) return name;
    UNVEIL_ASSERT(false);
    return {};
}

double finite(double value) {
    UNVEIL_ASSERT(std::isfinite(value));
    return value;
}

Json figure_to_json(const Figure& figure) {
    Json json = {{"kind", figure_name(figure.kind)},
                 {"title", figure.title},
                 {"x_label", figure.x_label},
                 {"y_label", figure.y_label},
                 {"caption", figure.caption}};
    json["rows"] = Json::array();
    for (const auto& row : figure.rows)
        json["rows"].push_back({{"label", row.label},
                                {"value", finite(row.value)},
                                {"low", finite(row.low)},
                                {"high", finite(row.high)}});
    json["nodes"] = Json::array();
    for (const auto& node : figure.nodes)
        json["nodes"].push_back(
            {{"id", node.id}, {"label", node.label}, {"group", node.group}, {"weight", finite(node.weight)}});
    json["edges"] = Json::array();
    for (const auto& edge : figure.edges) {
        UNVEIL_ASSERT(edge.from < figure.nodes.size() && edge.to < figure.nodes.size());
        Json row = Json::array();
        row.push_back(edge.from);
        row.push_back(edge.to);
        row.push_back(finite(edge.weight));
        json["edges"].push_back(std::move(row));
    }
    if (!figure.spans.empty()) json["spans"] = Json::array();
    for (const auto& span : figure.spans) {
        UNVEIL_ASSERT(span.row < figure.rows.size());
        json["spans"].push_back({{"row", span.row}, {"from", finite(span.from)}, {"to", finite(span.to)}, {"state", name_of(span_names, span.state)}});
    }
    return json;
}

Json strings_to_json(const std::vector<std::string>& strings) {
    Json json = Json::array();
    for (const auto& text : strings) json.push_back(text);
    return json;
}

Json finding_to_json(const Finding& finding) {
    Json json = {{"metric", finding.metric},
                 {"subject", finding.subject},
                 {"value", finite(finding.value)},
                 {"low", finite(finding.low)},
                 {"high", std::isinf(finding.high) ? Json() : Json(finding.high)},
                 {"level", finite(finding.level)},
                 {"unit", finding.unit},
                 {"strength", strength_name(finding.strength)},
                 {"strength_value", finite(finding.strength_value)},
                 {"sentence", finding.sentence},
                 {"caveat", finding.caveat}};
    json["locators_total"] = finding.locators_total;
    if (finding.is_set) {
        json["members"] = strings_to_json(finding.members);
        json["non_members"] = strings_to_json(finding.non_members);
    }
    if (finding.figure.kind != FigureKind::none) json["figure"] = figure_to_json(finding.figure);
    if (!finding.table.columns.empty()) {
        json["table"]["columns"] = strings_to_json(finding.table.columns);
        json["table"]["rows"] = Json::array();
        for (const auto& row : finding.table.rows) json["table"]["rows"].push_back(strings_to_json(row));
    }
    return json;
}

[[noreturn]] void throw_bad(std::string_view what) {
    throw Error(ErrorKind::input, fmt::format("this is not a findings file: {}", what),
                "Give a findings.json that unveil wrote, or run the instrument again");
}

const Json& member(const Json& object, const char* key) {
    if (!object.is_object()) throw_bad(fmt::format("an object with '{}' is wanted", key));
    const auto found = object.find(key);
    if (found == object.end()) throw_bad(fmt::format("'{}' is missing", key));
    return *found;
}

const Json& array_member(const Json& object, const char* key) {
    const Json& found = member(object, key);
    if (!found.is_array()) throw_bad(fmt::format("'{}' is not a list", key));
    return found;
}

std::string as_text(const Json& json, const char* key) {
    if (!json.is_string()) throw_bad(fmt::format("'{}' is not text", key));
    return json.get<std::string>();
}

double as_real(const Json& json, const char* key) {
    if (!json.is_number()) throw_bad(fmt::format("'{}' is not a number", key));
    const double value = json.get<double>();
    if (!std::isfinite(value)) throw_bad(fmt::format("'{}' is not finite", key));
    return value;
}

template <typename Integer>
Integer as_count(const Json& json, const char* key) {
    if (!json.is_number_unsigned() || json.get<std::uint64_t>() > std::numeric_limits<Integer>::max())
        throw_bad(fmt::format("'{}' is not a count", key));
    return static_cast<Integer>(json.get<std::uint64_t>());
}

std::string text_member(const Json& object, const char* key) {
    return as_text(member(object, key), key);
}
double real_member(const Json& object, const char* key) {
    return as_real(member(object, key), key);
}

std::vector<std::string> strings_member(const Json& object, const char* key) {
    std::vector<std::string> strings;
    for (const auto& item : array_member(object, key)) strings.push_back(as_text(item, key));
    return strings;
}

template <typename Names>
auto kind_member(const Json& object, const char* key, const Names& names) {
    const std::string found = text_member(object, key);
    for (const auto& [kind, name] : names)
        if (name == found) return kind;
    throw_bad(fmt::format("'{}' is not a known {}", printable(found, 40), key));
}

Figure figure_from_json(const Json& json) {
    Figure figure;
    figure.kind = kind_member(json, "kind", figure_names);
    figure.title = text_member(json, "title");
    figure.x_label = text_member(json, "x_label");
    figure.y_label = text_member(json, "y_label");
    figure.caption = text_member(json, "caption");
    for (const auto& row : array_member(json, "rows"))
        figure.rows.push_back({text_member(row, "label"), real_member(row, "value"), real_member(row, "low"),
                               real_member(row, "high")});
    for (const auto& node : array_member(json, "nodes"))
        figure.nodes.push_back({text_member(node, "id"), text_member(node, "label"),
                                as_count<std::uint32_t>(member(node, "group"), "group"),
                                real_member(node, "weight")});
    for (const auto& edge : array_member(json, "edges")) {
        if (!edge.is_array() || edge.size() != 3) throw_bad("an edge is not [from, to, weight]");
        figure.edges.push_back({as_count<std::uint32_t>(edge[0], "edges"),
                                as_count<std::uint32_t>(edge[1], "edges"), as_real(edge[2], "edges")});
        if (figure.edges.back().from >= figure.nodes.size() || figure.edges.back().to >= figure.nodes.size())
            throw_bad("an edge leads to a node that is not there");
    }
    if (json.contains("spans"))
        for (const auto& span : array_member(json, "spans")) {
            figure.spans.push_back({as_count<std::uint32_t>(member(span, "row"), "row"), real_member(span, "from"), real_member(span, "to"), kind_member(span, "state", span_names)});
            if (figure.spans.back().row >= figure.rows.size()) throw_bad("a span lies in a row that is not there");
        }
    return figure;
}

Finding finding_from_json(const Json& json) {
    Finding finding;
    finding.metric = text_member(json, "metric");
    finding.subject = text_member(json, "subject");
    finding.value = real_member(json, "value");
    finding.low = real_member(json, "low");
    finding.high = member(json, "high").is_null() ? std::numeric_limits<double>::infinity() : real_member(json, "high");
    if (finding.low > finding.high) throw_bad("an interval ends before it begins");
    finding.level = real_member(json, "level");
    finding.unit = text_member(json, "unit");
    finding.strength = kind_member(json, "strength", strength_names);
    finding.strength_value = real_member(json, "strength_value");
    finding.sentence = text_member(json, "sentence");
    finding.caveat = text_member(json, "caveat");
    finding.locators_total = as_count<std::uint64_t>(member(json, "locators_total"), "locators_total");
    finding.is_set = json.contains("members");
    if (finding.is_set) {
        finding.members = strings_member(json, "members");
        finding.non_members = strings_member(json, "non_members");
        for (const auto* list : {&finding.members, &finding.non_members})
            if (std::adjacent_find(list->begin(), list->end(), std::greater_equal<>()) != list->end())
                throw_bad("a set is not in order");
    }
    if (json.contains("figure")) finding.figure = figure_from_json(json["figure"]);
    if (json.contains("table")) {
        const Json& table = json["table"];
        finding.table.columns = strings_member(table, "columns");
        for (const auto& row : array_member(table, "rows")) {
            if (!row.is_array() || row.size() != finding.table.columns.size())
                throw_bad("a table row has not as many cells as there are columns");
            auto& cells = finding.table.rows.emplace_back();
            for (const auto& cell : row) cells.push_back(as_text(cell, "rows"));
        }
    }
    return finding;
}

}  // namespace

std::string_view strength_name(StrengthKind kind) {
    return name_of(strength_names, kind);
}
std::string_view figure_name(FigureKind kind) {
    return name_of(figure_names, kind);
}

const Finding* Findings::find(std::string_view metric) const {
    for (const auto& item : items)
        if (item.metric == metric) return &item;
    return nullptr;
}

std::string findings_to_json(const Findings& findings) {
    std::set<std::string_view> metrics;
    for (const auto& item : findings.items) {
        UNVEIL_ASSERT(metrics.insert(item.metric).second);
        UNVEIL_ASSERT(item.low <= item.high);
        UNVEIL_ASSERT(item.is_set || (item.members.empty() && item.non_members.empty()));
    }

    std::string out = "{\"schema_version\":1,\n\"notes\":";
    append_json(strings_to_json(findings.notes), out);
    out += ",\n\"caveats\":";
    append_json(strings_to_json(findings.caveats), out);
    out += ",\n\"findings\":[";
    for (std::size_t i = 0; i < findings.items.size(); ++i) {
        out += i == 0 ? "\n" : ",\n";
        append_json(finding_to_json(findings.items[i]), out);
    }
    out += "\n]}\n";
    return out;
}

Findings findings_from_json(std::string_view json) {
    Findings findings;
    try {
        const Json root = read_json(json);
        if (root.is_discarded()) throw_bad("it is no JSON, or nested too deep");
        const Json& version = member(root, "schema_version");
        if (version != 1)
            throw_bad(
                fmt::format("schema_version is {}, this program reads 1", printable(json_text(version), 40)));
        findings.notes = strings_member(root, "notes");
        findings.caveats = strings_member(root, "caveats");
        std::set<std::string> metrics;
        for (const auto& item : array_member(root, "findings")) {
            findings.items.push_back(finding_from_json(item));
            if (!metrics.insert(findings.items.back().metric).second)
                throw_bad(
                    fmt::format("'{}' stands in it twice", printable(findings.items.back().metric, 80)));
        }
    } catch (const nlohmann::json::exception& failure) {
        throw_bad(printable(failure.what(), 160));
    }
    return findings;
}

}  // namespace unveil
