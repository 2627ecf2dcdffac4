// Goal: the compressed graph holds exactly the edges given, whatever their order. Method: graphs by hand, random graphs
// against a map, and hostile weights.
#include "graph/weighted_graph.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <utility>

#include "core/random.hpp"

namespace unveil {
namespace {

/// The weight that stands for 1.
double unit_of(const WeightedGraph& graph, double strength_total) {
    return static_cast<double>(graph.strength_total()) / strength_total;
}

TEST(WeightedGraph, PairsAddUpLoopsCountTwiceZeroIsNoEdge) {
    const std::vector<WeightedEdge> edges = {{2, 0, 1}, {0, 2, 2}, {1, 1, 5}, {0, 1, 0}, {3, 2, 4}};
    const WeightedGraph graph(4, edges);
    const double unit = unit_of(graph, 24);
    EXPECT_EQ(graph.vertices(), 4u);
    EXPECT_EQ(graph.ends(), 4u);
    ASSERT_EQ(graph.neighbours(2).size(), 2u);
    EXPECT_EQ(graph.neighbours(2)[0], 0u);
    EXPECT_EQ(graph.neighbours(2)[1], 3u);
    EXPECT_EQ(static_cast<double>(graph.weights(2)[0]), 3 * unit);
    EXPECT_EQ(static_cast<double>(graph.weights(2)[1]), 4 * unit);
    EXPECT_EQ(static_cast<double>(graph.loop(1)), 10 * unit);
    EXPECT_EQ(graph.strength(1), graph.loop(1));
    EXPECT_EQ(static_cast<double>(graph.strength(2)), 7 * unit);
    EXPECT_TRUE(graph.neighbours(1).empty());
}

TEST(WeightedGraph, HoldsTheEdgesInAnyOrder) {
    Random random(3);
    for (int round = 0; round < 200; ++round) {
        const auto vertices = static_cast<std::uint32_t>(1 + random.below(25));
        std::vector<WeightedEdge> edges(random.below(100));
        std::map<std::pair<std::uint32_t, std::uint32_t>, double> expected;
        double total = 0;
        for (auto& edge : edges) {
            edge.a = static_cast<std::uint32_t>(random.below(vertices));
            edge.b = static_cast<std::uint32_t>(random.below(vertices));
            edge.weight = static_cast<double>(random.below(8));
            total += 2 * edge.weight;
            if (edge.weight == 0) continue;
            expected[{edge.a, edge.b}] += edge.weight;
            expected[{edge.b, edge.a}] += edge.weight;  // a loop stands here twice, as it should
        }
        const WeightedGraph graph(vertices, edges);
        const double unit = total > 0 ? unit_of(graph, total) : 1;
        std::map<std::pair<std::uint32_t, std::uint32_t>, double> actual;
        for (std::uint32_t vertex = 0; vertex < vertices; ++vertex) {
            std::uint64_t strength = graph.loop(vertex);
            if (graph.loop(vertex) > 0) actual[{vertex, vertex}] = static_cast<double>(graph.loop(vertex)) / unit;
            const auto neighbours = graph.neighbours(vertex);
            for (std::size_t i = 0; i < neighbours.size(); ++i) {
                actual[{vertex, neighbours[i]}] = static_cast<double>(graph.weights(vertex)[i]) / unit;
                strength += graph.weights(vertex)[i];
            }
            ASSERT_EQ(std::ranges::adjacent_find(neighbours, std::greater_equal<>()), neighbours.end());
            ASSERT_EQ(strength, graph.strength(vertex));
        }
        ASSERT_EQ(actual, expected);

        for (std::size_t i = edges.size(); i > 1; --i) std::swap(edges[i - 1], edges[random.below(i)]);
        for (auto& edge : edges)
            if (random.chance(0.5)) std::swap(edge.a, edge.b);
        const WeightedGraph shuffled(vertices, edges);
        for (std::uint32_t vertex = 0; vertex < vertices; ++vertex) {
            ASSERT_TRUE(std::ranges::equal(graph.neighbours(vertex), shuffled.neighbours(vertex)));
            ASSERT_TRUE(std::ranges::equal(graph.weights(vertex), shuffled.weights(vertex)));
            ASSERT_EQ(graph.loop(vertex), shuffled.loop(vertex));
        }
    }
}

TEST(WeightedGraph, FractionsInAnyOrderAreTheSameBits) {
    Random random(4);
    std::vector<WeightedEdge> edges(500);
    for (auto& edge : edges) edge = {0, static_cast<std::uint32_t>(random.below(3)), random.uniform()};
    const WeightedGraph graph(3, edges);
    for (std::size_t i = edges.size(); i > 1; --i) std::swap(edges[i - 1], edges[random.below(i)]);
    const WeightedGraph shuffled(3, edges);
    EXPECT_TRUE(std::ranges::equal(graph.weights(0), shuffled.weights(0)));
    EXPECT_EQ(graph.strength_total(), shuffled.strength_total());
}

TEST(WeightedGraph, ScaleOfWeightsIsNoMatter) {
    const std::vector<double> weights = {1, 0.75, 3, 12};
    std::vector<std::uint64_t> first;
    for (const double scale : {1.0, 0x1p-1000, 0x1p1000}) {
        std::vector<WeightedEdge> edges;
        for (std::uint32_t i = 0; i < 4; ++i) edges.push_back({i, i + 1, weights[i] * scale});
        const WeightedGraph graph(5, edges);
        std::vector<std::uint64_t> strengths;
        for (std::uint32_t i = 0; i < 5; ++i) strengths.push_back(graph.strength(i));
        if (first.empty()) first = strengths;
        EXPECT_EQ(strengths, first);
    }
}

TEST(WeightedGraph, TinyBesideHugeStaysAnEdge) {
    const std::vector<WeightedEdge> edges = {{0, 1, 1.7e308}, {0, 1, 1.7e308}, {1, 2, 5e-324}, {2, 2, 5e-324}};
    const WeightedGraph graph(3, edges);
    EXPECT_EQ(graph.weights(2)[0], 1u);
    EXPECT_EQ(graph.loop(2), 2u);
    EXPECT_LT(graph.strength_total(), std::uint64_t{1} << 41);
}

TEST(WeightedGraph, Empty) {
    EXPECT_EQ(WeightedGraph().vertices(), 0u);
    EXPECT_EQ(WeightedGraph(0, {}).strength_total(), 0u);
    const WeightedGraph graph(3, {});
    EXPECT_EQ(graph.vertices(), 3u);
    EXPECT_TRUE(graph.neighbours(2).empty());
}

}  // namespace
}  // namespace unveil
