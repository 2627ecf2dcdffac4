// Which vertices are tied to which, and how strongly? An undirected weighted graph in compressed rows, with integer
// weights, so that every sum over it is exact and the same on every machine, whatever the order of the edges.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace unveil {

struct WeightedEdge {
    std::uint32_t a = 0;
    std::uint32_t b = 0;
    double weight = 1;
};

class WeightedGraph {
  public:
    WeightedGraph() = default;

    /// Edges of the same pair add up; an edge of weight 0 is no edge; a loop counts twice in the strength of its vertex
    /// (Newman, Phys. Rev. E 70:056131 (2004), section II). Weights must be finite and not negative. They are kept as
    /// whole numbers of a power of two, the smallest that lets all strengths together stay below 2^40: whole numbers up
    /// to that sum are exact, others are rounded to the nearest, a positive weight at least to 1. Linear time; 12 bytes
    /// for each end of an edge and 24 a vertex, twice that while building.
    WeightedGraph(std::uint32_t vertices, std::span<const WeightedEdge> edges);

    /// A graph whose rows are known: row v is [offsets[v], offsets[v + 1]) of `neighbours` and `weights`, every edge
    /// stands in both of its rows with the same weight, none is a loop; `loops` holds twice the weight of each loop.
    static WeightedGraph from_rows(std::vector<std::uint64_t> offsets, std::vector<std::uint32_t> neighbours,
                                   std::vector<std::uint64_t> weights, std::vector<std::uint64_t> loops);

    std::uint32_t vertices() const { return static_cast<std::uint32_t>(m_loops.size()); }
    /// Ends of edges between different vertices: twice the number of such edges.
    std::uint64_t ends() const { return m_neighbours.size(); }
    /// Without the vertex itself; ascending and each once when the graph was built from edges.
    std::span<const std::uint32_t> neighbours(std::uint32_t vertex) const {
        return {m_neighbours.data() + m_offsets[vertex], m_neighbours.data() + m_offsets[vertex + 1]};
    }
    /// Parallel to neighbours().
    std::span<const std::uint64_t> weights(std::uint32_t vertex) const {
        return {m_weights.data() + m_offsets[vertex], m_weights.data() + m_offsets[vertex + 1]};
    }
    /// Twice the weight of the loop.
    std::uint64_t loop(std::uint32_t vertex) const { return m_loops[vertex]; }
    /// The sum of weights() and loop().
    std::uint64_t strength(std::uint32_t vertex) const { return m_strengths[vertex]; }
    /// The sum of all strengths: twice the weight of all edges.
    std::uint64_t strength_total() const { return m_strength_total; }

  private:
    void sum_strengths();

    std::vector<std::uint64_t> m_offsets = {0};
    std::vector<std::uint32_t> m_neighbours;
    std::vector<std::uint64_t> m_weights;
    std::vector<std::uint64_t> m_loops;
    std::vector<std::uint64_t> m_strengths;
    std::uint64_t m_strength_total = 0;
};

}  // namespace unveil
