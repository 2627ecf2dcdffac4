#include "graph/hits.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "core/error.hpp"

namespace unveil {
namespace {

/// To length 1; the largest goes first, so that squares neither overflow nor vanish.
void normalise(std::vector<double>& scores) {
    const double largest = *std::max_element(scores.begin(), scores.end());
    if (!(largest > 0)) return;
    double squares = 0;
    for (auto& score : scores) {
        score /= largest;
        squares += score * score;
    }
    const double length = std::sqrt(squares);
    for (auto& score : scores) score /= length;
}

}  // namespace

Hits hits(std::uint32_t vertices, std::span<const DirectedEdge> edges, unsigned iterations) {
    UNVEIL_ASSERT(iterations > 0);
    Hits result;
    result.authority.assign(vertices, 0);
    result.hub.assign(vertices, 0);
    double weight_max = 0;
    for (const auto& edge : edges) {
        UNVEIL_ASSERT(edge.from < vertices && edge.to < vertices);
        UNVEIL_ASSERT(std::isfinite(edge.weight) && edge.weight >= 0);
        weight_max = std::max(weight_max, edge.weight);
    }
    if (weight_max == 0) return result;
    // One total order, weights included, so that every sum below has one order of its terms.
    std::vector<DirectedEdge> ordered(edges.begin(), edges.end());
    std::sort(ordered.begin(), ordered.end(), [](const DirectedEdge& a, const DirectedEdge& b) {
        return std::tie(a.from, a.to, a.weight) < std::tie(b.from, b.to, b.weight);
    });
    for (auto& edge : ordered) edge.weight /= weight_max;

    std::fill(result.hub.begin(), result.hub.end(), 1.0);
    for (unsigned iteration = 0; iteration < iterations; ++iteration) {
        std::fill(result.authority.begin(), result.authority.end(), 0.0);
        for (const auto& edge : ordered) result.authority[edge.to] += edge.weight * result.hub[edge.from];
        normalise(result.authority);
        std::fill(result.hub.begin(), result.hub.end(), 0.0);
        for (const auto& edge : ordered) result.hub[edge.from] += edge.weight * result.authority[edge.to];
        normalise(result.hub);
    }
    return result;
}

}  // namespace unveil
