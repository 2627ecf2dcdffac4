// Which vertices hang together? Connected components of an undirected graph, by union-find, with numbers that depend on
// the graph alone: neither on the order of the edges nor on their direction.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace unveil {

/// The component number of each vertex: 0 for the component of vertex 0, then in order of the smallest vertex of each.
/// A vertex without edges is a component of its own. Near-linear time, 8 bytes a vertex.
std::vector<std::uint32_t> connected_components(
    std::uint32_t vertices, std::span<const std::pair<std::uint32_t, std::uint32_t>> edges);

}  // namespace unveil
