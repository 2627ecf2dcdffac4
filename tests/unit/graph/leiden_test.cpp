// Goal: communities that everybody would name are found, labels are canonical, hostile graphs do no harm. Method:
// graphs whose best partition is known, and stars, paths and weights at the edge of what is allowed.
#include "graph/leiden.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "../../lab/graph/graph_families.hpp"
#include "core/random.hpp"

namespace unveil {
namespace {

using Labels = std::vector<std::uint32_t>;

/// Cliques of the given sizes, each tied to the next by one edge.
std::vector<WeightedEdge> chain_of_cliques(const Labels& sizes) {
    std::vector<WeightedEdge> edges;
    std::uint32_t begin = 0;
    for (const auto size : sizes) {
        for (std::uint32_t i = 0; i < size; ++i)
            for (std::uint32_t j = 0; j < i; ++j) edges.push_back({begin + i, begin + j, 1});
        if (begin > 0) edges.push_back({begin - 1, begin, 1});
        begin += size;
    }
    return edges;
}

TEST(Leiden, CliquesAreCommunitiesLargestFirst) {
    const auto edges = chain_of_cliques({4, 6, 4, 5});
    const auto found = leiden(WeightedGraph(19, edges));
    EXPECT_EQ(found.labels, (Labels{2, 2, 2, 2, 0, 0, 0, 0, 0, 0, 3, 3, 3, 3, 1, 1, 1, 1, 1}));
    EXPECT_EQ(found.count, 4u);
}

TEST(Leiden, ModularityByHand) {
    // Two triangles and one edge between: each has in = 6, K = 7, 2m = 14.
    const auto edges = chain_of_cliques({3, 3});
    const WeightedGraph graph(6, edges);
    const Labels labels = {0, 0, 0, 1, 1, 1};
    EXPECT_DOUBLE_EQ(modularity(graph, labels), 12.0 / 14 - 0.5);
    EXPECT_DOUBLE_EQ(modularity(graph, labels, 0.5), 12.0 / 14 - 0.25);
    EXPECT_DOUBLE_EQ(modularity(graph, Labels(6, 3)), 0);
    EXPECT_DOUBLE_EQ(leiden(graph).modularity, 12.0 / 14 - 0.5);
}

TEST(Leiden, ResolutionDecidesHowFine) {
    const auto edges = chain_of_cliques({4, 4, 4, 4});
    const WeightedGraph graph(16, edges);
    EXPECT_EQ(leiden(graph, {.resolution = 0x1p-16}).count, 1u);
    EXPECT_EQ(leiden(graph, {.resolution = 1}).count, 4u);
    EXPECT_EQ(leiden(graph, {.resolution = 0x1p16}).count, 16u);
}

TEST(Leiden, WeightsDecideNotCounts) {
    // A square whose two opposite sides are strong.
    const std::vector<WeightedEdge> edges = {{0, 1, 1}, {1, 2, 9}, {2, 3, 1}, {3, 0, 9}};
    EXPECT_EQ(leiden(WeightedGraph(4, edges)).labels, (Labels{0, 1, 1, 0}));
}

TEST(Leiden, NoEdgesEveryoneAlone) {
    EXPECT_TRUE(leiden(WeightedGraph()).labels.empty());
    EXPECT_EQ(leiden(WeightedGraph(1, {})).labels, Labels{0});
    const auto found = leiden(WeightedGraph(3, {}));
    EXPECT_EQ(found.labels, (Labels{0, 1, 2}));
    EXPECT_EQ(found.modularity, 0);
    const std::vector<WeightedEdge> weightless = {{0, 1, 0}, {1, 2, 0}};
    EXPECT_EQ(leiden(WeightedGraph(3, weightless)).count, 3u);
    const std::vector<WeightedEdge> loops = {{0, 0, 3}, {1, 1, 2}};
    EXPECT_EQ(leiden(WeightedGraph(2, loops)).count, 2u);
}

TEST(Leiden, HugeAndTinyWeights) {
    const std::vector<WeightedEdge> edges = {{0, 1, 1.7e308}, {2, 3, 1.7e308}, {1, 2, 5e-324}, {3, 4, 5e-324}};
    const auto found = leiden(WeightedGraph(5, edges));
    EXPECT_EQ(found.labels[0], found.labels[1]);
    EXPECT_EQ(found.labels[2], found.labels[3]);
    EXPECT_NE(found.labels[0], found.labels[2]);
    EXPECT_NEAR(found.modularity, 0.5, 1e-9);
}

TEST(Leiden, StarOfAMillionLeaves) {
    const std::uint32_t leaves = 1'000'000;
    std::vector<WeightedEdge> edges;
    edges.reserve(leaves);
    for (std::uint32_t leaf = 1; leaf <= leaves; ++leaf) edges.push_back({0, leaf, 1});
    const auto found = leiden(WeightedGraph(leaves + 1, edges));
    EXPECT_EQ(found.count, 1u);  // no other partition of a star has modularity above 0
    EXPECT_EQ(found.modularity, 0);
}

TEST(Leiden, LongPath) {
    // Every community of a path is a stretch; n vertices in stretches of length about sqrt(n) are best.
    const std::uint32_t vertices = 200'000;
    std::vector<WeightedEdge> edges;
    for (std::uint32_t i = 1; i < vertices; ++i) edges.push_back({i - 1, i, 1});
    const auto found = leiden(WeightedGraph(vertices, edges), {.iterations_max = 2});
    EXPECT_GT(found.modularity, 0.98);
    std::uint32_t changes = 1;
    for (std::uint32_t i = 1; i < vertices; ++i)
        if (found.labels[i] != found.labels[i - 1]) ++changes;
    EXPECT_EQ(changes, found.count);
}

TEST(Leiden, SameSeedSameCommunities) {
    std::vector<WeightedEdge> edges;
    for (std::uint32_t i = 0; i < 300; ++i)
        for (const std::uint32_t step : {1u, 7u, 31u}) edges.push_back({i, (i * step + step) % 300, 1});
    const WeightedGraph graph(300, edges);
    EXPECT_EQ(leiden(graph, {.seed = 5}).labels, leiden(graph, {.seed = 5}).labels);
    EXPECT_NE(leiden(graph, {.seed = 5}).labels, leiden(graph, {.seed = 6}).labels);
}

TEST(Leiden, KarateClubReachesTheKnownOptimum) {
    // Aloise et al., Phys. Rev. E 82:046112 (2010), by exact optimisation: 0.4198 in four communities.
    const auto club = families::karate_club();
    const auto found = leiden(WeightedGraph(club.vertices, club.edges));
    EXPECT_EQ(found.count, 4u);
    EXPECT_NEAR(found.modularity, 0.4198, 0.00005);
}

TEST(Leiden, SameBytesOnEveryMachine) {
    const auto graph = families::with_weights(families::planted_partition(40, 50, 8'000, 0.6, 1), 20, 2);
    const auto found = leiden(WeightedGraph(graph.vertices, graph.edges), {.seed = 3});
    std::uint64_t digest = 0;
    for (const auto label : found.labels) digest = mix64(digest * 31 + label);
    EXPECT_EQ(digest, 17158372487376689837u);
    EXPECT_EQ(found.modularity, 0x1.2bf734b87a567p-1);
}

TEST(CanonicalLabels, SizeThenSmallestVertex) {
    Labels labels = {9, 4'000'000'000, 4, 4, 9, 7};
    EXPECT_EQ(canonical_labels(labels), 4u);
    EXPECT_EQ(labels, (Labels{0, 2, 1, 1, 0, 3}));
    Labels none;
    EXPECT_EQ(canonical_labels(none), 0u);
}

}  // namespace
}  // namespace unveil
