// Who is passed on, and who passes on the right ones? Authority and hub scores of a directed weighted graph: a vertex
// is a good authority when good hubs point to it, and a good hub when it points to good authorities.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace unveil {

struct DirectedEdge {
    std::uint32_t from = 0;
    std::uint32_t to = 0;
    double weight = 1;
};

/// Each has one score per vertex, none negative, squares summing to 1; all zero when no edge has weight.
struct Hits {
    std::vector<double> authority;
    std::vector<double> hub;
};

/// Kleinberg, J. ACM 46 (1999), section 3: from all ones, authority(v) = sum of weight * hub over the edges into v,
/// then hub(v) = sum of weight * authority over the edges out of v, each scaled to length 1, `iterations` times (at
/// least 1). Scores gather in the most tightly knit part of the graph and tend to 0 elsewhere: callers who compare
/// vertices of several components or communities call this once for each. Edges in any order give the same bytes;
/// parallel edges add up, loops count as edges. Weights must be finite and not negative. Time grows with edges * (log
/// edges + iterations); 16 bytes an edge and 16 a vertex.
Hits hits(std::uint32_t vertices, std::span<const DirectedEdge> edges, unsigned iterations = 100);

}  // namespace unveil
