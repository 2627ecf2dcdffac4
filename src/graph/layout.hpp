// Where does each vertex stand in the picture? A force layout that is drawn once, here, so that every reader of a report
// sees the same picture, and the same graph gives the same bytes on any machine.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace unveil {

struct LayoutEdge {
    std::uint32_t from = 0;
    std::uint32_t to = 0;
    double weight = 1;
};

/// Coordinates in [-32767, 32767], the larger extent of the picture fills the range; y grows downwards.
struct GraphLayout {
    std::vector<std::int16_t> x;
    std::vector<std::int16_t> y;
};

/// Each connected component is laid out by ForceAtlas2 (Jacomy et al., PLoS ONE 2014: degree-weighted repulsion by
/// Barnes-Hut, linear attraction, adaptive speed), then the components are packed side by side, the largest first.
/// Weights must be finite and not negative; they count by their square root of the share of the largest. Only + - * / and
/// sqrt are used, so IEEE 754 fixes every bit. The number of iterations falls with the size of the graph: 5,000 vertices
/// with 20,000 edges take about a second, larger graphs no more than a few.
GraphLayout lay_out_graph(std::uint32_t vertices, std::span<const LayoutEdge> edges, std::uint64_t seed);

}  // namespace unveil
