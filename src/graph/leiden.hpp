// Which vertices form communities, tied more among themselves than chance would tie them? The Leiden method, in whole
// numbers: the same graph and seed give the same communities on any machine.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "graph/weighted_graph.hpp"

namespace unveil {

/// Q = sum over communities c of in(c) / 2m - resolution * (K(c) / 2m)^2, where in(c) is twice the weight inside, K(c)
/// the sum of strengths and 2m the sum of all strengths (Newman & Girvan, Phys. Rev. E 69:026113 (2004), equation 5;
/// resolution: Reichardt & Bornholdt, Phys. Rev. E 74:016110 (2006)). 0 for a graph without edges. One label a vertex,
/// below the number of vertices; resolution in [2^-16, 2^16]. Sums are exact, rounding happens once, at the end.
double modularity(const WeightedGraph& graph, std::span<const std::uint32_t> labels, double resolution = 1);

struct LeidenOptions {
    /// Above 1 finds more and smaller communities, below 1 fewer and larger ones; in [2^-16, 2^16].
    double resolution = 1;
    std::uint64_t seed = 0;
    /// The method is repeated on its own result until nothing changes, at most this often; at least 1.
    unsigned iterations_max = 10;
};

struct Communities {
    /// The community of each vertex, numbered by falling size, then by smallest vertex.
    std::vector<std::uint32_t> labels;
    std::uint32_t count = 0;
    double modularity = 0;
    unsigned iterations = 0;
};

/// Traag, Waltman & van Eck, Sci. Rep. 9:5233 (2019): fast local moving of vertices, refinement, aggregation, until no
/// vertex moves. Vertices are visited in an order drawn from the seed; refinement joins a vertex to the community of
/// largest gain, the limit of their randomness theta at 0. Every community is connected; vertices without edges stand
/// alone. Near-linear time in practice, one thread, no recursion; 200,000 vertices with 1,000,000 edges take about 45
/// MB beside the graph.
Communities leiden(const WeightedGraph& graph, const LeidenOptions& options = {});

/// Numbers communities by falling size, then by smallest vertex; returns how many there are. Labels may be any numbers.
std::uint32_t canonical_labels(std::span<std::uint32_t> labels);

}  // namespace unveil
