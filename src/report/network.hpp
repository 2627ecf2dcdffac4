// The network view of a finding: which part of a large graph is shown, where each account stands, the SVG that is always
// there, and the data for the script that replaces it by a picture one can move in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "graph/layout.hpp"
#include "instruments/finding.hpp"

namespace unveil {

struct NetworkLimits {
    std::size_t nodes_max = 3000;
    std::size_t edges_max = 9000;
};

/// The largest groups get a colour and a mark of their own, in order of size; further ones share a grey dot.
constexpr std::size_t marked_groups_max = 7;

struct NetworkGroup {
    std::uint32_t number = 0;   // as the instrument numbers it; 0: none
    std::size_t nodes = 0;
    std::size_t mark = 0;       // 1..marked_groups_max, 0: grey
};

struct NetworkView {
    std::vector<FigureNode> nodes;
    std::vector<FigureEdge> edges;
    std::vector<NetworkGroup> groups;   // the largest first
    GraphLayout layout;
    std::size_t nodes_left_out = 0;
    std::size_t edges_left_out = 0;
};

/// Keeps the strongest edges and their ends, then lone nodes by weight while there is room.
NetworkView network_view(const Figure& figure, const NetworkLimits& limits);

void append_network_svg(const NetworkView& view, std::string_view label, std::string& out);
void append_network_legend(const NetworkView& view, std::string& out);
/// JSON that may stand inside a <script type="application/json">.
std::string network_json(const NetworkView& view);

}  // namespace unveil
