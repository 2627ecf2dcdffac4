#include "report/network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/text.hpp"
#include "report/markup.hpp"

namespace unveil {
namespace {

constexpr std::uint64_t layout_seed = 1;
constexpr int view_width = 2000;
constexpr int view_margin = 60;

const NetworkGroup& group_of(const NetworkView& view, std::uint32_t number) {
    for (const auto& group : view.groups)
        if (group.number == number) return group;
    UNVEIL_ASSERT(false);
    return view.groups.front();
}

struct Frame {
    int x_low = 0;
    int y_low = 0;
    double scale = 1;
    int height = 0;

    int x(int value) const { return view_margin + static_cast<int>(std::floor((value - x_low) * scale + 0.5)); }
    int y(int value) const { return view_margin + static_cast<int>(std::floor((value - y_low) * scale + 0.5)); }
};

Frame frame_of(const GraphLayout& layout) {
    Frame frame;
    if (layout.x.empty()) return frame;
    const auto [left, right] = std::minmax_element(layout.x.begin(), layout.x.end());
    const auto [top, bottom] = std::minmax_element(layout.y.begin(), layout.y.end());
    const double wide = std::max(1, *right - *left);
    const double tall = std::max(1, *bottom - *top);
    // A tall picture shrinks rather than filling two screens.
    frame.scale = std::min((view_width - 2 * view_margin) / wide, 1400 / tall);
    frame.x_low = *left - static_cast<int>(((view_width - 2 * view_margin) / frame.scale - wide) / 2);
    frame.y_low = *top;
    frame.height = 2 * view_margin + static_cast<int>(tall * frame.scale);
    return frame;
}

/// The outline of a mark of radius r: a shape for each group, so that colour is never alone.
std::string mark_path(std::size_t mark, int x, int y, double r) {
    const double wide = r * 1.15;
    switch (mark) {
        case 2: return fmt::format("M{:.0f} {:.0f}h{:.0f}v{:.0f}h{:.0f}z", x - r * 0.9, y - r * 0.9, r * 1.8, r * 1.8, -r * 1.8);
        case 3: return fmt::format("M{} {:.0f}L{:.0f} {:.0f}H{:.0f}z", x, y - wide, x + wide, y + r * 0.8, x - wide);
        case 4: return fmt::format("M{} {:.0f}l{:.0f} {:.0f}l{:.0f} {:.0f}l{:.0f} {:.0f}z", x, y - wide, wide, wide, -wide, wide, -wide, -wide);
        case 5: return fmt::format("M{} {:.0f}L{:.0f} {:.0f}H{:.0f}z", x, y + wide, x + wide, y - r * 0.8, x - wide);
        case 6: {
            const double arm = r * 0.4;
            const double leg = r * 1.1 - arm;
            return fmt::format("M{0:.0f} {1:.0f}h{2:.0f}v{3:.0f}h{3:.0f}v{2:.0f}h-{3:.0f}v{3:.0f}h-{2:.0f}v-{3:.0f}h-{3:.0f}v-{2:.0f}h{3:.0f}z",
                               x - arm, y - r * 1.1, 2 * arm, leg);
        }
        case 7: return fmt::format("M{:.0f} {:.0f}h{:.0f}l{:.0f} {:.0f}l{:.0f} {:.0f}h{:.0f}l{:.0f} {:.0f}z", x - r * 0.55, y - r,
                                   r * 1.1, r * 0.55, r, -r * 0.55, r, -r * 1.1, -r * 0.55, -r);
        default: return {};
    }
}

void append_mark(std::size_t mark, int x, int y, double r, std::string_view title, std::string& out) {
    auto to = std::back_inserter(out);
    const std::string path = mark_path(mark, x, y, r);
    if (path.empty()) fmt::format_to(to, R"(<circle cx="{}" cy="{}" r="{:.0f}" class="g{}")", x, y, r, mark);
    else fmt::format_to(to, R"(<path d="{}" class="g{}")", path, mark);
    if (title.empty()) {
        out += "/>";
        return;
    }
    out += "><title>";
    append_html(title, out);
    out += path.empty() ? "</title></circle>" : "</title></path>";
}

/// Groups below a fiftieth of the picture carry their mark only; names would cover them.
std::size_t named_group_min(const NetworkView& view) { return std::max<std::size_t>(3, view.nodes.size() / 50); }

std::string node_name(const FigureNode& node) {
    if (node.label.empty() || node.label == node.id) return visible_text(node.id, 80);
    return visible_text(node.label, 80) + " (" + visible_text(node.id, 80) + ")";
}

}  // namespace

NetworkView network_view(const Figure& figure, const NetworkLimits& limits) {
    std::vector<std::uint32_t> order(figure.edges.size());
    std::iota(order.begin(), order.end(), 0u);
    std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
        const auto& left = figure.edges[a];
        const auto& right = figure.edges[b];
        if (left.weight != right.weight) return left.weight > right.weight;
        return a < b;
    });
    constexpr std::uint32_t absent = std::numeric_limits<std::uint32_t>::max();
    std::vector<bool> is_kept(figure.nodes.size());
    std::size_t kept = 0;
    std::vector<std::uint32_t> edges_kept;
    for (const auto index : order) {
        if (edges_kept.size() == limits.edges_max) break;
        const auto& edge = figure.edges[index];
        UNVEIL_ASSERT(edge.from < figure.nodes.size() && edge.to < figure.nodes.size());
        const std::size_t added = (is_kept[edge.from] ? 0u : 1u) + (is_kept[edge.to] || edge.from == edge.to ? 0u : 1u);
        if (kept + added > limits.nodes_max) continue;
        kept += added;
        is_kept[edge.from] = is_kept[edge.to] = true;
        edges_kept.push_back(index);
    }
    std::vector<std::uint32_t> lone(figure.nodes.size());
    std::iota(lone.begin(), lone.end(), 0u);
    std::stable_sort(lone.begin(), lone.end(), [&](std::uint32_t a, std::uint32_t b) {
        return figure.nodes[a].weight > figure.nodes[b].weight;
    });
    for (const auto node : lone) {
        if (kept >= limits.nodes_max) break;
        if (is_kept[node]) continue;
        is_kept[node] = true;
        ++kept;
    }

    NetworkView view;
    std::vector<std::uint32_t> position(figure.nodes.size(), absent);
    std::map<std::uint32_t, std::size_t> sizes;
    for (std::uint32_t node = 0; node < figure.nodes.size(); ++node) {
        if (!is_kept[node]) continue;
        position[node] = static_cast<std::uint32_t>(view.nodes.size());
        view.nodes.push_back(figure.nodes[node]);
        ++sizes[figure.nodes[node].group];
    }
    std::sort(edges_kept.begin(), edges_kept.end());
    std::vector<LayoutEdge> layout_edges;
    for (const auto index : edges_kept) {
        const auto& edge = figure.edges[index];
        view.edges.push_back({position[edge.from], position[edge.to], edge.weight});
        layout_edges.push_back({position[edge.from], position[edge.to], std::max(0.0, edge.weight)});
    }
    view.nodes_left_out = figure.nodes.size() - view.nodes.size();
    view.edges_left_out = figure.edges.size() - view.edges.size();
    view.layout = lay_out_graph(static_cast<std::uint32_t>(view.nodes.size()), layout_edges, layout_seed);

    for (const auto& [number, nodes] : sizes) view.groups.push_back({number, nodes, 0});
    std::stable_sort(view.groups.begin(), view.groups.end(), [](const NetworkGroup& a, const NetworkGroup& b) {
        if ((a.number == 0) != (b.number == 0)) return b.number == 0;
        return a.nodes > b.nodes;
    });
    for (std::size_t i = 0; i < view.groups.size() && i < marked_groups_max; ++i)
        if (view.groups[i].number != 0) view.groups[i].mark = i + 1;
    return view;
}

void append_network_svg(const NetworkView& view, std::string_view label, std::string& out) {
    const Frame frame = frame_of(view.layout);
    auto to = std::back_inserter(out);
    fmt::format_to(to, R"(<svg class="network-picture" viewBox="0 0 {} {}" role="img" aria-label=")", view_width,
                   std::max(frame.height, 2 * view_margin));
    append_text(label, out);
    out += "\"><title>";
    append_text(label, out);
    out += "</title>";
    if (view.nodes.empty()) {
        out += R"(<rect x="1" y="1" width="1998" height="118" class="no-data"/>)"
               R"(<text x="1000" y="68" class="group-text" text-anchor="middle">no data</text></svg>)";
        return;
    }

    std::vector<std::size_t> mark(view.nodes.size());
    for (std::size_t i = 0; i < view.nodes.size(); ++i) mark[i] = group_of(view, view.nodes[i].group).mark;
    double edge_max = 0;
    for (const auto& edge : view.edges) edge_max = std::max(edge_max, edge.weight);
    constexpr std::size_t widths = 3;
    std::array<std::array<std::string, widths>, marked_groups_max + 1> paths;
    for (const auto& edge : view.edges) {
        const auto colour = mark[edge.from] == mark[edge.to] ? mark[edge.from] : 0;
        const double share = edge_max > 0 ? edge.weight / edge_max : 0;
        const std::size_t width = share < 0.15 ? 0 : share < 0.5 ? 1 : 2;
        const auto at = [&](std::uint32_t node) {
            return fmt::format("{} {}", frame.x(view.layout.x[node]), frame.y(view.layout.y[node]));
        };
        paths[colour][width] += "M" + at(edge.from) + "L" + at(edge.to);
    }
    for (std::size_t width = 0; width < widths; ++width)
        for (std::size_t colour = 0; colour < paths.size(); ++colour)
            if (!paths[colour][width].empty())
                fmt::format_to(to, R"(<path class="edge e{} w{}" d="{}"/>)", colour, width, paths[colour][width]);

    double weight_max = 0;
    for (const auto& node : view.nodes) weight_max = std::max(weight_max, node.weight);
    const double radius = std::clamp(300 / std::sqrt(static_cast<double>(view.nodes.size())), 4.0, 20.0);
    std::vector<std::uint32_t> order(view.nodes.size());
    std::iota(order.begin(), order.end(), 0u);
    std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
        return view.nodes[a].weight < view.nodes[b].weight;
    });
    for (const auto i : order) {
        const auto& node = view.nodes[i];
        const double share = weight_max > 0 ? std::sqrt(std::max(0.0, node.weight) / weight_max) : 0.5;
        append_mark(mark[i], frame.x(view.layout.x[i]), frame.y(view.layout.y[i]), radius * (0.6 + share),
                    node_name(node), out);
    }
    for (const auto& group : view.groups) {
        if (group.mark == 0 || group.nodes < named_group_min(view)) continue;
        int x_sum = 0;
        int count = 0;
        int y_top = std::numeric_limits<int>::max();
        for (std::size_t i = 0; i < view.nodes.size(); ++i) {
            if (view.nodes[i].group != group.number) continue;
            x_sum += frame.x(view.layout.x[i]);
            y_top = std::min(y_top, frame.y(view.layout.y[i]));
            ++count;
        }
        fmt::format_to(to, R"(<text x="{}" y="{:.0f}" class="group-text" text-anchor="middle">Group {}</text>)",
                       x_sum / count, std::max(24.0, y_top - radius * 1.6 - 8), group.number);
    }
    out += "</svg>";
}

void append_network_legend(const NetworkView& view, std::string& out) {
    if (view.groups.empty() || (view.groups.size() == 1 && view.groups[0].number == 0)) return;
    out += R"(<ul class="legend">)";
    std::size_t others = 0;
    std::size_t other_nodes = 0;
    const auto item = [&](std::size_t mark, std::string_view words) {
        out += R"(<li><svg class="swatch" viewBox="0 0 20 20" aria-hidden="true">)";
        append_mark(mark, 10, 10, 7, "", out);
        out += "</svg>";
        out += words;
        out += "</li>";
    };
    const auto accounts = [](std::size_t count) { return count_text(count) + (count == 1 ? " account" : " accounts"); };
    for (const auto& group : view.groups) {
        if (group.mark == 0) {
            ++others;
            other_nodes += group.nodes;
        } else {
            item(group.mark, fmt::format("Group {} · {}", group.number, accounts(group.nodes)));
        }
    }
    const bool has_ungrouped = view.groups.back().number == 0;
    if (others > 0) {
        if (others == 1 && has_ungrouped) item(0, "No group · " + accounts(other_nodes));
        else item(0, fmt::format("{} smaller group{} · {}", count_text(others), others == 1 ? "" : "s", accounts(other_nodes)));
    }
    out += "</ul>";
}

std::string network_json(const NetworkView& view) {
    nlohmann::ordered_json json = {{"nodes", nlohmann::ordered_json::array()},
                                   {"edges", nlohmann::ordered_json::array()},
                                   {"groups", nlohmann::ordered_json::array()}};
    for (std::size_t i = 0; i < view.nodes.size(); ++i) {
        const auto& node = view.nodes[i];
        auto row = nlohmann::ordered_json::array();
        row.push_back(visible_text(node.id, 80));
        row.push_back(node.label == node.id ? "" : visible_text(node.label, 80));
        row.push_back(node.group);
        row.push_back(node.weight);
        row.push_back(view.layout.x[i]);
        row.push_back(view.layout.y[i]);
        json["nodes"].push_back(std::move(row));
    }
    for (const auto& edge : view.edges) {
        auto row = nlohmann::ordered_json::array();
        row.push_back(edge.from);
        row.push_back(edge.to);
        row.push_back(edge.weight);
        json["edges"].push_back(std::move(row));
    }
    for (const auto& group : view.groups) {
        auto row = nlohmann::ordered_json::array();
        row.push_back(group.number);
        row.push_back(group.mark);
        row.push_back(group.nodes);
        json["groups"].push_back(std::move(row));
    }
    return json_text(json);
}

}  // namespace unveil
