// Goal: authority and hub scores are the leading singular vectors, whatever the order of the edges. Method: graphs
// whose scores are known in closed form, random graphs against a dense power iteration, and hostile weights.
#include "graph/hits.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <utility>

#include "core/random.hpp"

namespace unveil {
namespace {

void expect_near(const std::vector<double>& actual, const std::vector<double>& expected) {
    ASSERT_EQ(actual.size(), expected.size());
    for (std::size_t i = 0; i < actual.size(); ++i) EXPECT_NEAR(actual[i], expected[i], 1e-12) << i;
}

/// The definition with matrices: a = A'h, h = A a, each divided by its length.
Hits dense_hits(std::uint32_t vertices, const std::vector<DirectedEdge>& edges, unsigned iterations) {
    std::vector<std::vector<double>> matrix(vertices, std::vector<double>(vertices));
    for (const auto& edge : edges) matrix[edge.from][edge.to] += edge.weight;
    const auto normalised = [](std::vector<double> scores) {
        double squares = 0;
        for (const auto score : scores) squares += score * score;
        for (auto& score : scores) score = squares > 0 ? score / std::sqrt(squares) : 0;
        return scores;
    };
    Hits result{{}, std::vector<double>(vertices, 1)};
    for (unsigned iteration = 0; iteration < iterations; ++iteration) {
        std::vector<double> authority(vertices);
        std::vector<double> hub(vertices);
        for (std::uint32_t i = 0; i < vertices; ++i)
            for (std::uint32_t j = 0; j < vertices; ++j) authority[j] += matrix[i][j] * result.hub[i];
        result.authority = normalised(authority);
        for (std::uint32_t i = 0; i < vertices; ++i)
            for (std::uint32_t j = 0; j < vertices; ++j) hub[i] += matrix[i][j] * result.authority[j];
        result.hub = normalised(hub);
    }
    return result;
}

TEST(Hits, OneAuthorityOfManyHubs) {
    const std::vector<DirectedEdge> edges = {{1, 0, 1}, {2, 0, 1}, {3, 0, 1}, {4, 0, 1}};
    const auto result = hits(5, edges);
    expect_near(result.authority, {1, 0, 0, 0, 0});
    expect_near(result.hub, {0, 0.5, 0.5, 0.5, 0.5});
}

TEST(Hits, WeightsCountInProportion) {
    // One hub, two authorities with weights 3 and 4: the authority vector is (3, 4) / 5.
    const std::vector<DirectedEdge> edges = {{0, 1, 3}, {0, 2, 4}};
    const auto result = hits(3, edges);
    expect_near(result.authority, {0, 0.6, 0.8});
    expect_near(result.hub, {1, 0, 0});
}

TEST(Hits, TheTightestPartTakesAll) {
    // 0..1 -> 2..3 completely, and a lone edge 4 -> 5: its singular value is smaller, so its scores tend to 0.
    const std::vector<DirectedEdge> edges = {{0, 2, 1}, {0, 3, 1}, {1, 2, 1}, {1, 3, 1}, {4, 5, 1}};
    const auto result = hits(6, edges);
    const double half = std::sqrt(0.5);
    expect_near(result.authority, {0, 0, half, half, 0, 0});
    expect_near(result.hub, {half, half, 0, 0, 0, 0});
}

TEST(Hits, AgreesWithMatricesInAnyOrderOfEdges) {
    Random random(11);
    for (int round = 0; round < 50; ++round) {
        const auto vertices = static_cast<std::uint32_t>(2 + random.below(20));
        std::vector<DirectedEdge> edges(random.below(80));
        for (auto& edge : edges) {
            edge.from = static_cast<std::uint32_t>(random.below(vertices));
            edge.to = static_cast<std::uint32_t>(random.below(vertices));
            edge.weight = random.uniform();
        }
        const auto iterations = static_cast<unsigned>(1 + random.below(30));
        const auto expected = dense_hits(vertices, edges, iterations);
        const auto result = hits(vertices, edges, iterations);
        if (!edges.empty()) {
            expect_near(result.authority, expected.authority);
            expect_near(result.hub, expected.hub);
        }
        for (std::size_t i = edges.size(); i > 1; --i) std::swap(edges[i - 1], edges[random.below(i)]);
        const auto shuffled = hits(vertices, edges, iterations);
        EXPECT_EQ(shuffled.authority, result.authority);
        EXPECT_EQ(shuffled.hub, result.hub);
    }
}

TEST(Hits, NothingToScoreIsZero) {
    EXPECT_TRUE(hits(0, {}).authority.empty());
    EXPECT_EQ(hits(2, {}).hub, (std::vector<double>{0, 0}));
    const std::vector<DirectedEdge> weightless = {{0, 1, 0}, {1, 0, 0}};
    EXPECT_EQ(hits(2, weightless).authority, (std::vector<double>{0, 0}));
}

TEST(Hits, HugeAndTinyWeightsStayFinite) {
    for (const double scale : {1e-300, 1e300}) {
        const std::vector<DirectedEdge> edges = {{0, 1, 3 * scale}, {0, 2, 4 * scale}, {0, 2, 0}};
        expect_near(hits(3, edges).authority, {0, 0.6, 0.8});
    }
    const std::vector<DirectedEdge> mixed = {{0, 1, 1e308}, {0, 1, 1e308}, {2, 3, 1e-308}};
    expect_near(hits(4, mixed).authority, {0, 1, 0, 0});
}

TEST(Hits, LargeStars) {
    const std::uint32_t leaves = 200'000;
    std::vector<DirectedEdge> edges;
    for (std::uint32_t leaf = 1; leaf <= leaves; ++leaf) edges.push_back({leaf, 0, 1});
    const auto result = hits(leaves + 1, edges, 20);
    EXPECT_NEAR(result.authority[0], 1, 1e-12);
    EXPECT_NEAR(result.hub[1], 1 / std::sqrt(static_cast<double>(leaves)), 1e-12);
}

}  // namespace
}  // namespace unveil
