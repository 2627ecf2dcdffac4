// Which graphs are communities measured on? Seeded families with and without planted communities, and one small real
// network; no loops, parallel edges may occur where a family draws them.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/random.hpp"
#include "graph/weighted_graph.hpp"

namespace unveil::families {

struct Graph {
    std::string name;
    std::uint32_t vertices = 0;
    std::vector<WeightedEdge> edges;
};

inline std::uint32_t draw(Random& random, std::uint32_t bound) {
    return static_cast<std::uint32_t>(random.below(bound));
}

inline Graph sparse_random(std::uint32_t vertices, std::uint32_t edges, std::uint64_t seed) {
    Random random(seed, 1);
    Graph graph{"Erdos-Renyi", vertices, {}};
    while (graph.edges.size() < edges) {
        const auto a = draw(random, vertices);
        const auto b = draw(random, vertices);
        if (a != b) graph.edges.push_back({a, b, 1});
    }
    return graph;
}

/// Communities of equal size; an edge stays inside with the given chance.
inline Graph planted_partition(std::uint32_t communities, std::uint32_t size, std::uint32_t edges, double inside,
                               std::uint64_t seed) {
    Random random(seed, 2);
    Graph graph{"planted partition", communities * size, {}};
    while (graph.edges.size() < edges) {
        const auto a = draw(random, graph.vertices);
        const auto b = random.chance(inside) ? a / size * size + draw(random, size) : draw(random, graph.vertices);
        if (a != b) graph.edges.push_back({a, b, 1});
    }
    return graph;
}

/// After Lancichinetti, Fortunato & Radicchi, Phys. Rev. E 78:046110 (2008): degrees with exponent 2.5, community sizes
/// with exponent 1.5, a share `mixing` of each vertex's ends leads outside. Ends are paired at random.
inline Graph heterogeneous_communities(std::uint32_t vertices, double degree_min, double degree_max, double mixing,
                                       std::uint64_t seed) {
    Random random(seed, 3);
    Graph graph{"LFR-like", vertices, {}};
    const auto power_law = [&](double low, double high, double exponent) {
        const double e = 1 - exponent;
        const double a = std::pow(low, e);
        return std::pow(a + random.uniform() * (std::pow(high, e) - a), 1 / e);
    };
    const auto pair_up = [&](std::vector<std::uint32_t>& ends) {
        for (std::size_t i = ends.size(); i > 1; --i) std::swap(ends[i - 1], ends[random.below(i)]);
        for (std::size_t i = 0; i + 1 < ends.size(); i += 2)
            if (ends[i] != ends[i + 1]) graph.edges.push_back({ends[i], ends[i + 1], 1});
    };
    std::vector<std::uint32_t> outside;
    for (std::uint32_t begin = 0; begin < vertices;) {
        const auto size = static_cast<std::uint32_t>(power_law(20, 1000, 1.5));
        const auto end = std::min(vertices, begin + size);
        std::vector<std::uint32_t> inside;
        for (auto vertex = begin; vertex < end; ++vertex) {
            const auto degree = static_cast<std::uint32_t>(power_law(degree_min, degree_max, 2.5) + 0.5);
            for (std::uint32_t k = 0; k < degree; ++k) (random.chance(mixing) ? outside : inside).push_back(vertex);
        }
        pair_up(inside);
        begin = end;
    }
    pair_up(outside);
    return graph;
}

inline Graph ring_of_cliques(std::uint32_t cliques, std::uint32_t size) {
    Graph graph{"ring of cliques", cliques * size, {}};
    for (std::uint32_t clique = 0; clique < cliques; ++clique) {
        const auto begin = clique * size;
        for (std::uint32_t i = 0; i < size; ++i)
            for (std::uint32_t j = 0; j < i; ++j) graph.edges.push_back({begin + i, begin + j, 1});
        graph.edges.push_back({begin, (clique + 1) % cliques * size + 1, 1});
    }
    return graph;
}

/// Barabasi & Albert, Science 286:509 (1999): each new vertex ties to `links` ends drawn from those that exist.
inline Graph preferential_attachment(std::uint32_t vertices, std::uint32_t links, std::uint64_t seed) {
    Random random(seed, 4);
    Graph graph{"Barabasi-Albert", vertices, {}};
    std::vector<std::uint32_t> ends = {0};
    for (std::uint32_t vertex = 1; vertex < vertices; ++vertex) {
        const auto existing = ends.size();
        for (std::uint32_t k = 0; k < links; ++k) {
            const auto other = ends[random.below(existing)];
            graph.edges.push_back({vertex, other, 1});
            ends.push_back(vertex);
            ends.push_back(other);
        }
    }
    return graph;
}

/// Who met whom outside the club: Zachary, J. Anthropol. Res. 33:452 (1977).
inline Graph karate_club() {
    constexpr std::array<std::pair<std::uint8_t, std::uint8_t>, 78> pairs = {{
        {2, 1},   {3, 1},   {3, 2},   {4, 1},   {4, 2},   {4, 3},   {5, 1},   {6, 1},   {7, 1},   {7, 5},
        {7, 6},   {8, 1},   {8, 2},   {8, 3},   {8, 4},   {9, 1},   {9, 3},   {10, 3},  {11, 1},  {11, 5},
        {11, 6},  {12, 1},  {13, 1},  {13, 4},  {14, 1},  {14, 2},  {14, 3},  {14, 4},  {17, 6},  {17, 7},
        {18, 1},  {18, 2},  {20, 1},  {20, 2},  {22, 1},  {22, 2},  {26, 24}, {26, 25}, {28, 3},  {28, 24},
        {28, 25}, {29, 3},  {30, 24}, {30, 27}, {31, 2},  {31, 9},  {32, 1},  {32, 25}, {32, 26}, {32, 29},
        {33, 3},  {33, 9},  {33, 15}, {33, 16}, {33, 19}, {33, 21}, {33, 23}, {33, 24}, {33, 30}, {33, 31},
        {33, 32}, {34, 9},  {34, 10}, {34, 14}, {34, 15}, {34, 16}, {34, 19}, {34, 20}, {34, 21}, {34, 23},
        {34, 24}, {34, 27}, {34, 28}, {34, 29}, {34, 30}, {34, 31}, {34, 32}, {34, 33},
    }};
    Graph graph{"karate club", 34, {}};
    for (const auto& [a, b] : pairs)
        graph.edges.push_back({static_cast<std::uint32_t>(a - 1), static_cast<std::uint32_t>(b - 1), 1});
    return graph;
}

/// The same graph with whole weights from 1 to `weight_max`.
inline Graph with_weights(Graph graph, std::uint32_t weight_max, std::uint64_t seed) {
    Random random(seed, 5);
    for (auto& edge : graph.edges) edge.weight = 1 + draw(random, weight_max);
    graph.name += ", weighted";
    return graph;
}

}  // namespace unveil::families
