#include "graph/weighted_graph.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include "core/error.hpp"

namespace unveil {
namespace {

constexpr int strength_bits = 40;

/// The power of two that a weight is multiplied by before it is rounded. Found with whole numbers alone, so that it
/// cannot depend on the order of the edges.
int scale_exponent(std::span<const WeightedEdge> edges) {
    __extension__ using Wide = unsigned __int128;
    double weight_max = 0;
    for (const auto& edge : edges) weight_max = std::max(weight_max, edge.weight);
    if (weight_max == 0) return 0;
    constexpr int fraction_bits = 60;
    int exponent = 0;  // weight_max < 2^exponent
    std::frexp(weight_max, &exponent);
    Wide sum = 0;
    for (const auto& edge : edges) {
        sum += 2 * static_cast<Wide>(std::ldexp(edge.weight, fraction_bits - exponent));
    }
    const auto high = static_cast<std::uint64_t>(sum >> 64);
    const int bits = high > 0 ? 64 + static_cast<int>(std::bit_width(high))
                              : static_cast<int>(std::bit_width(static_cast<std::uint64_t>(sum)));
    return strength_bits - bits - (exponent - fraction_bits);
}

struct Rows {
    std::vector<std::uint64_t> offsets;
    std::vector<std::uint32_t> neighbours;
    std::vector<std::uint64_t> weights;
};

/// Visits the rows in order and puts each end into the row of its other vertex: the rows of a symmetric graph come out
/// the same, but each in ascending order.
Rows sorted_rows(const Rows& rows) {
    Rows sorted = {rows.offsets, std::vector<std::uint32_t>(rows.neighbours.size()),
                   std::vector<std::uint64_t>(rows.weights.size())};
    auto next = rows.offsets;
    for (std::uint32_t vertex = 0; vertex + 1 < rows.offsets.size(); ++vertex) {
        for (auto i = rows.offsets[vertex]; i < rows.offsets[vertex + 1]; ++i) {
            const auto place = next[rows.neighbours[i]]++;
            sorted.neighbours[place] = vertex;
            sorted.weights[place] = rows.weights[i];
        }
    }
    return sorted;
}

/// Joins equal neighbours of sorted rows, in place.
void merge_equal(Rows& rows) {
    std::uint64_t written = 0;
    std::uint64_t begin = 0;
    for (std::size_t vertex = 0; vertex + 1 < rows.offsets.size(); ++vertex) {
        const auto end = rows.offsets[vertex + 1];
        const auto row = written;
        for (auto i = begin; i < end; ++i) {
            if (written > row && rows.neighbours[written - 1] == rows.neighbours[i]) {
                rows.weights[written - 1] += rows.weights[i];
            } else {
                rows.neighbours[written] = rows.neighbours[i];
                rows.weights[written] = rows.weights[i];
                ++written;
            }
        }
        begin = end;
        rows.offsets[vertex + 1] = written;
    }
    rows.neighbours.resize(written);
    rows.weights.resize(written);
}

}  // namespace

WeightedGraph::WeightedGraph(std::uint32_t vertices, std::span<const WeightedEdge> edges) : m_loops(vertices) {
    for (const auto& edge : edges) {
        UNVEIL_ASSERT(edge.a < vertices && edge.b < vertices);
        UNVEIL_ASSERT(std::isfinite(edge.weight) && edge.weight >= 0);
    }
    const int scale = scale_exponent(edges);
    const auto whole = [&](double weight) {
        return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ldexp(weight, scale) + 0.5));
    };
    Rows rows;
    rows.offsets.assign(std::size_t{vertices} + 1, 0);
    for (const auto& edge : edges) {
        if (edge.weight == 0) continue;
        if (edge.a == edge.b) {
            m_loops[edge.a] += 2 * whole(edge.weight);
        } else {
            ++rows.offsets[std::size_t{edge.a} + 1];
            ++rows.offsets[std::size_t{edge.b} + 1];
        }
    }
    for (std::size_t vertex = 0; vertex < vertices; ++vertex) rows.offsets[vertex + 1] += rows.offsets[vertex];
    rows.neighbours.resize(rows.offsets.back());
    rows.weights.resize(rows.offsets.back());
    {
        auto next = rows.offsets;
        for (const auto& edge : edges) {
            if (edge.weight == 0 || edge.a == edge.b) continue;
            const auto weight = whole(edge.weight);
            for (const auto& [from, to] : {std::pair(edge.a, edge.b), std::pair(edge.b, edge.a)}) {
                rows.neighbours[next[from]] = to;
                rows.weights[next[from]++] = weight;
            }
        }
    }
    rows = sorted_rows(rows);
    merge_equal(rows);
    m_offsets = std::move(rows.offsets);
    m_neighbours = std::move(rows.neighbours);
    m_weights = std::move(rows.weights);
    sum_strengths();
}

WeightedGraph WeightedGraph::from_rows(std::vector<std::uint64_t> offsets, std::vector<std::uint32_t> neighbours,
                                       std::vector<std::uint64_t> weights, std::vector<std::uint64_t> loops) {
    UNVEIL_ASSERT(offsets.size() == loops.size() + 1 && offsets.back() == neighbours.size() &&
                  neighbours.size() == weights.size());
    WeightedGraph graph;
    graph.m_offsets = std::move(offsets);
    graph.m_neighbours = std::move(neighbours);
    graph.m_weights = std::move(weights);
    graph.m_loops = std::move(loops);
    graph.sum_strengths();
    return graph;
}

void WeightedGraph::sum_strengths() {
    m_strengths.assign(m_loops.size(), 0);
    m_strength_total = 0;
    for (std::uint32_t vertex = 0; vertex < vertices(); ++vertex) {
        auto sum = m_loops[vertex];
        for (const auto weight : weights(vertex)) sum += weight;
        m_strengths[vertex] = sum;
        m_strength_total += sum;
    }
}

}  // namespace unveil
