// Goal: pictures are the same for the same graph, stay in range, keep components apart and neighbours near. Method:
// small known graphs, a random graph of the largest size that a report draws, and degenerate input.
#include "graph/layout.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>

#include "core/random.hpp"

namespace unveil {
namespace {

std::vector<LayoutEdge> random_edges(std::uint32_t vertices, std::size_t count, std::uint64_t seed) {
    Random random(seed);
    std::vector<LayoutEdge> edges(count);
    for (auto& edge : edges) {
        edge.from = static_cast<std::uint32_t>(random.below(vertices));
        edge.to = static_cast<std::uint32_t>(random.below(vertices));
        edge.weight = 1 + static_cast<double>(random.below(50));
    }
    return edges;
}

double distance(const GraphLayout& layout, std::size_t a, std::size_t b) {
    return std::hypot(layout.x[a] - layout.x[b], layout.y[a] - layout.y[b]);
}

TEST(Layout, SameGraphSamePicture) {
    const auto edges = random_edges(300, 600, 1);
    const auto first = lay_out_graph(300, edges, 42);
    const auto second = lay_out_graph(300, edges, 42);
    EXPECT_EQ(first.x, second.x);
    EXPECT_EQ(first.y, second.y);
    EXPECT_NE(first.x, lay_out_graph(300, edges, 43).x);
}

TEST(Layout, EmptySingleAndLonelyVertices) {
    EXPECT_TRUE(lay_out_graph(0, {}, 1).x.empty());
    const auto one = lay_out_graph(1, {}, 1);
    EXPECT_EQ(one.x[0], 0);
    EXPECT_EQ(one.y[0], 0);
    const auto lonely = lay_out_graph(50, {}, 1);
    for (std::size_t a = 0; a < 50; ++a)
        for (std::size_t b = 0; b < a; ++b) ASSERT_GT(distance(lonely, a, b), 1000) << a << " " << b;
}

TEST(Layout, LoopsParallelEdgesAndZeroWeightsAreHarmless) {
    const std::vector<LayoutEdge> edges = {{0, 0, 5}, {0, 1, 0}, {0, 1, 0}, {1, 2, 0}};
    const auto layout = lay_out_graph(3, edges, 1);
    EXPECT_GT(distance(layout, 0, 1), 0);
    EXPECT_GT(distance(layout, 0, 2), distance(layout, 0, 1) * 0.5);
}

TEST(Layout, TwoCliquesJoinedByOneEdgeStandApart) {
    std::vector<LayoutEdge> edges;
    for (std::uint32_t a = 0; a < 10; ++a)
        for (std::uint32_t b = 0; b < a; ++b) {
            edges.push_back({a, b, 1});
            edges.push_back({a + 10, b + 10, 1});
        }
    edges.push_back({0, 10, 1});
    const auto layout = lay_out_graph(20, edges, 9);
    double within = 0;
    double between = 0;
    for (std::size_t a = 0; a < 10; ++a)
        for (std::size_t b = 0; b < 10; ++b) {
            within += distance(layout, a, b);
            between += distance(layout, a, b + 10);
        }
    EXPECT_GT(between, 2 * within);
}

TEST(Layout, ComponentsDoNotOverlap) {
    std::vector<LayoutEdge> edges;
    for (std::uint32_t group = 0; group < 12; ++group)
        for (std::uint32_t i = 0; i < group + 2; ++i) edges.push_back({group * 20 + i, group * 20 + i + 1, 1});
    const auto layout = lay_out_graph(240, edges, 3);
    struct Extent {
        int left = 40000, right = -40000, top = 40000, bottom = -40000;
    };
    std::vector<Extent> extents(12);
    for (std::uint32_t group = 0; group < 12; ++group)
        for (std::uint32_t i = 0; i < group + 3; ++i) {
            auto& extent = extents[group];
            const auto v = group * 20 + i;
            extent.left = std::min<int>(extent.left, layout.x[v]);
            extent.right = std::max<int>(extent.right, layout.x[v]);
            extent.top = std::min<int>(extent.top, layout.y[v]);
            extent.bottom = std::max<int>(extent.bottom, layout.y[v]);
        }
    for (std::size_t a = 0; a < 12; ++a)
        for (std::size_t b = 0; b < a; ++b)
            EXPECT_TRUE(extents[a].right < extents[b].left || extents[b].right < extents[a].left ||
                        extents[a].bottom < extents[b].top || extents[b].bottom < extents[a].top)
                << a << " " << b;
}

TEST(Layout, LargestReportIsFastAndInRange) {
    const auto edges = random_edges(5000, 20000, 2);
    const auto start = std::chrono::steady_clock::now();
    const auto layout = lay_out_graph(5000, edges, 1);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    RecordProperty("seconds", std::to_string(took.count()));
    // Two seconds on a quiet machine; the bound leaves room for sanitizers and neighbours.
    EXPECT_LT(took.count(), 30);
    const auto [low, high] = std::minmax_element(layout.x.begin(), layout.x.end());
    EXPECT_GE(*low, -32767);
    EXPECT_GT(*high - *low, 40000);
}

}  // namespace
}  // namespace unveil
