// Goal: component numbers are right and depend on the graph alone. Method: small graphs by hand, and random graphs
// against a plain flood fill, with the edges shuffled and turned around.
#include "graph/components.hpp"

#include <gtest/gtest.h>

#include <utility>

#include "core/random.hpp"

namespace unveil {
namespace {

using Edges = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

std::vector<std::uint32_t> flood_fill(std::uint32_t vertices, const Edges& edges) {
    std::vector<std::vector<std::uint32_t>> neighbours(vertices);
    for (const auto& [from, to] : edges) {
        neighbours[from].push_back(to);
        neighbours[to].push_back(from);
    }
    std::vector<std::uint32_t> number(vertices, UINT32_MAX);
    std::uint32_t count = 0;
    for (std::uint32_t start = 0; start < vertices; ++start) {
        if (number[start] != UINT32_MAX) continue;
        std::vector<std::uint32_t> open = {start};
        number[start] = count;
        while (!open.empty()) {
            const auto vertex = open.back();
            open.pop_back();
            for (const auto next : neighbours[vertex]) {
                if (number[next] != UINT32_MAX) continue;
                number[next] = count;
                open.push_back(next);
            }
        }
        ++count;
    }
    return number;
}

TEST(Components, NumbersFollowTheSmallestVertex) {
    EXPECT_EQ(connected_components(6, Edges{{4, 1}, {5, 3}, {3, 2}}), (std::vector<std::uint32_t>{0, 1, 2, 2, 1, 2}));
}

TEST(Components, EmptyGraphsAndLoops) {
    EXPECT_TRUE(connected_components(0, {}).empty());
    EXPECT_EQ(connected_components(3, {}), (std::vector<std::uint32_t>{0, 1, 2}));
    EXPECT_EQ(connected_components(2, Edges{{1, 1}, {0, 0}}), (std::vector<std::uint32_t>{0, 1}));
}

TEST(Components, AgreesWithFloodFillInAnyOrderOfEdges) {
    Random random(7);
    for (int round = 0; round < 200; ++round) {
        const auto vertices = static_cast<std::uint32_t>(1 + random.below(60));
        Edges edges(random.below(80));
        for (auto& [from, to] : edges) {
            from = static_cast<std::uint32_t>(random.below(vertices));
            to = static_cast<std::uint32_t>(random.below(vertices));
        }
        const auto expected = flood_fill(vertices, edges);
        ASSERT_EQ(connected_components(vertices, edges), expected);
        for (std::size_t i = edges.size(); i > 1; --i) std::swap(edges[i - 1], edges[random.below(i)]);
        for (auto& [from, to] : edges) std::swap(from, to);
        ASSERT_EQ(connected_components(vertices, edges), expected);
    }
}

TEST(Components, LongPathsAreFast) {
    const std::uint32_t vertices = 1'000'000;
    Edges edges;
    for (std::uint32_t i = vertices - 1; i > 0; --i) edges.emplace_back(i, i - 1);
    const auto number = connected_components(vertices, edges);
    EXPECT_EQ(number.front(), 0u);
    EXPECT_EQ(number.back(), 0u);
}

}  // namespace
}  // namespace unveil
