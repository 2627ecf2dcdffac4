#include "report/world_map.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <utility>
#include <vector>

#include "report/chart.hpp"
#include "report/markup.hpp"

namespace unveil {
namespace {

struct Area {
    std::string_view code;   // "-": none
    std::string_view name;
    std::string_view shape;  // a path, or a dot's place
};

std::vector<Area> areas() {
    std::vector<Area> found;
    std::string_view rest = world_map_text();
    while (!rest.empty()) {
        const std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(rest.size(), line.size() + 1));
        const auto first = line.find('\t');
        const auto second = first == std::string_view::npos ? first : line.find('\t', first + 1);
        if (line.empty() || line.front() == '#' || second == std::string_view::npos) continue;
        found.push_back({line.substr(0, first), line.substr(first + 1, second - first - 1), line.substr(second + 1)});
    }
    return found;
}

enum class State { no_data, undetermined, none, few, some, many };
constexpr std::array<std::string_view, 6> classes = {"land-no-data", "land-open", "land-none", "land-few", "land-some", "land-many"};

State state_of(double value) {
    if (value < 0) return State::undetermined;
    if (value < 1) return State::none;
    return value < 2 ? State::few : value < 10 ? State::some : State::many;
}

}  // namespace

std::string append_world_map(const Figure& figure, std::string& out) {
    std::map<std::string_view, const FigureRow*> rows;
    for (const auto& row : figure.rows)
        if (row.label != "-") rows.emplace(row.label, &row);
    const std::string what = figure.y_label.empty() ? "found" : figure.y_label;
    out += R"(<svg class="chart map" viewBox="0 0 1000 436" role="img" aria-label=")";
    append_text(figure.title + ". " + figure.caption, out);
    out += "\">";
    std::size_t placed = 0;
    const auto shapes = areas();
    // Dots lie on top of what surrounds them.
    for (const bool is_dot : {false, true})
        for (const Area& area : shapes) {
            if ((area.shape.front() != 'M') != is_dot) continue;
            const auto row = rows.find(area.code);
            const State state = row == rows.end() ? State::no_data : state_of(row->second->value);
            placed += row != rows.end();
            if (is_dot && state == State::no_data) continue;
            const std::string_view css_class = classes[static_cast<std::size_t>(state)];
            if (is_dot) {
                const auto space = area.shape.find(' ');
                fmt::format_to(std::back_inserter(out), R"(<circle cx="{}" cy="{}" r="4" class="{}">)", area.shape.substr(0, space), area.shape.substr(space + 1), css_class);
            } else {
                fmt::format_to(std::back_inserter(out), R"(<path d="{}" class="{}">)", area.shape, css_class);
            }
            out += "<title>";
            append_text(area.name, out);
            switch (state) {
                case State::no_data: out += ": no data"; break;
                case State::undetermined: out += ": undetermined"; break;
                case State::none: append_text(fmt::format(": 0 {}", what), out); break;
                default: append_text(fmt::format(": {} {}", number_text(row->second->value), what), out);
            }
            out += is_dot ? "</title></circle>" : "</title></path>";
        }
    out += "</svg>";
    const std::array<std::string, 6> words = {"no data", "undetermined", "0 " + what, "1", "2 to 9", "10 or more"};
    std::vector<std::pair<std::string_view, std::string>> legend;
    for (const State state : {State::many, State::some, State::few, State::none, State::undetermined, State::no_data})
        legend.emplace_back(classes[static_cast<std::size_t>(state)], words[static_cast<std::size_t>(state)]);
    append_legend(legend, out);
    std::string further = "Outlines are Natural Earth's and say nothing about borders.";
    if (placed < rows.size()) {
        std::string missing;
        std::size_t count = 0;
        constexpr std::size_t named_max = 8;
        for (const auto& [label, row] : rows) {
            if (std::any_of(shapes.begin(), shapes.end(), [&, code = label](const Area& area) { return area.code == code; })) continue;
            if (count++ < named_max) missing += (missing.empty() ? "" : ", ") + visible_text(label, 20);
        }
        further += fmt::format(" Not on the map: {}{}.", missing, count > named_max ? fmt::format(" and {} more", count - named_max) : "");
    }
    return further;
}

}  // namespace unveil
