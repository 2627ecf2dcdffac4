// Goal: clear communities are stable, communities of noise are not, and the numbers are what they are defined to be.
// Method: cliques, random graphs, the definitions written out naively, and runs with several numbers of threads.
#include "graph/community_stability.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "core/random.hpp"
#include "graph/leiden.hpp"

namespace unveil {
namespace {

using Labels = std::vector<std::uint32_t>;

WeightedGraph cliques(std::uint32_t count, std::uint32_t size) {
    std::vector<WeightedEdge> edges;
    for (std::uint32_t clique = 0; clique < count; ++clique) {
        for (std::uint32_t i = 0; i < size; ++i)
            for (std::uint32_t j = 0; j < i; ++j) edges.push_back({clique * size + i, clique * size + j, 1});
        edges.push_back({clique * size, (clique + 1) % count * size, 1});
    }
    return WeightedGraph(count * size, edges);
}

WeightedGraph noise(std::uint32_t vertices, std::uint32_t count, std::uint64_t seed) {
    Random random(seed);
    std::vector<WeightedEdge> edges(count);
    for (auto& edge : edges) {
        edge.a = static_cast<std::uint32_t>(random.below(vertices));
        edge.b = static_cast<std::uint32_t>(random.below(vertices));
    }
    return WeightedGraph(vertices, edges);
}

TEST(CommunityStability, CliquesAreCertain) {
    const auto graph = cliques(6, 12);
    const auto found = leiden(graph);
    ASSERT_EQ(found.count, 6u);
    for (const auto perturbation : {Perturbation::seed, Perturbation::edges}) {
        const auto stability = community_stability(graph, found.labels, {.perturbation = perturbation});
        ASSERT_EQ(stability.communities.size(), 6u);
        for (const auto& community : stability.communities) {
            EXPECT_GT(community.jaccard.mean, 0.98);
            EXPECT_EQ(community.recovered_share, 1);
            EXPECT_EQ(community.dissolved_share, 0);
        }
        for (const auto share : stability.vertex_share) EXPECT_GT(share, 0.9);
        EXPECT_GT(stability.rand_index.mean, 0.98);
    }
}

TEST(CommunityStability, CommunitiesOfNoiseAreNot) {
    const auto graph = noise(400, 1600, 5);
    const auto found = leiden(graph);
    const auto stability = community_stability(graph, found.labels, {});
    EXPECT_LT(stability.rand_index.mean, 0.5);
    EXPECT_LT(stability.communities[0].jaccard.mean, 0.6);
    EXPECT_EQ(stability.communities[0].recovered_share, 0);
    EXPECT_LE(stability.rand_index.low, stability.rand_index.mean);
    EXPECT_GE(stability.rand_index.high, stability.rand_index.mean);
}

TEST(CommunityStability, SameForAnyNumberOfThreads) {
    const auto graph = noise(200, 600, 6);
    const auto found = leiden(graph);
    const auto one = community_stability(graph, found.labels, {.seed = 4, .runs = 13, .threads = 1});
    for (const unsigned threads : {2u, 5u}) {
        const auto many = community_stability(graph, found.labels, {.seed = 4, .runs = 13, .threads = threads});
        EXPECT_EQ(many.vertex_share, one.vertex_share);
        EXPECT_EQ(many.rand_index.mean, one.rand_index.mean);
        for (std::size_t i = 0; i < one.communities.size(); ++i) {
            EXPECT_EQ(many.communities[i].jaccard.mean, one.communities[i].jaccard.mean);
            EXPECT_EQ(many.communities[i].jaccard.low, one.communities[i].jaccard.low);
        }
    }
    const auto other = community_stability(graph, found.labels, {.seed = 5, .runs = 13});
    EXPECT_NE(other.vertex_share, one.vertex_share);
}

TEST(CommunityStability, NumbersAreTheDefinitions) {
    // One run that changes the seed only is one leiden() with a seed of its own: any partition it can have found is
    // compared with labels that were made up, by the definitions.
    Random random(9);
    for (int round = 0; round < 30; ++round) {
        const auto graph = noise(30, 60, 100 + static_cast<std::uint64_t>(round));
        Labels labels(30);
        for (auto& label : labels) label = static_cast<std::uint32_t>(random.below(5));
        const auto count = canonical_labels(labels);
        const auto seed = static_cast<std::uint64_t>(round);
        const auto stability = community_stability(
            graph, labels, {.perturbation = Perturbation::seed, .seed = seed, .runs = 1});
        const auto found = leiden(graph, {.seed = Random(seed, 0).next()}).labels;
        const auto in_both = [&](std::uint32_t label, std::uint32_t other) {
            double members = 0;
            for (std::size_t i = 0; i < labels.size(); ++i)
                if (labels[i] == label && found[i] == other) ++members;
            return members;
        };
        const auto size = [](const Labels& of, std::uint32_t label) {
            return static_cast<double>(std::count(of.begin(), of.end(), label));
        };
        for (std::uint32_t label = 0; label < count; ++label) {
            double best = 0;
            for (std::uint32_t other = 0; other < 30; ++other) {
                const double both = in_both(label, other);
                best = std::max(best, both / (size(labels, label) + size(found, other) - both));
            }
            EXPECT_NEAR(stability.communities[label].jaccard.mean, best, 1e-6);
        }
        for (std::size_t i = 0; i < labels.size(); ++i) {
            const double others = size(labels, labels[i]) - 1;
            EXPECT_DOUBLE_EQ(stability.vertex_share[i],
                             others == 0 ? 1 : (in_both(labels[i], found[i]) - 1) / others);
        }
        EXPECT_DOUBLE_EQ(stability.rand_index.mean, adjusted_rand_index(labels, found));
    }
}

TEST(CommunityStability, EdgesCountPoissonOneTimes) {
    // Two vertices and one edge: it is drawn 0 times in a share exp(-1) of the runs, and then they are apart.
    const std::vector<WeightedEdge> edges = {{0, 1, 1}};
    const WeightedGraph graph(2, edges);
    const auto stability = community_stability(graph, Labels{0, 0}, {.runs = 20'000});
    const double expected = 1 - std::exp(-1);
    EXPECT_NEAR(stability.vertex_share[0], expected, 4 * std::sqrt(expected * (1 - expected) / 20'000));
    EXPECT_NEAR(stability.communities[0].dissolved_share, 1 - stability.vertex_share[0], 1e-12);
}

TEST(CommunityStability, NothingAndLoners) {
    EXPECT_TRUE(community_stability(WeightedGraph(), {}, {}).communities.empty());
    const auto stability = community_stability(WeightedGraph(2, {}), Labels{0, 1}, {});
    EXPECT_EQ(stability.vertex_share, (std::vector<double>{1, 1}));
    EXPECT_EQ(stability.communities[1].jaccard.low, 1);
    EXPECT_EQ(stability.rand_index.mean, 1);
    const std::vector<WeightedEdge> huge = {{0, 1, 1.7e308}, {1, 2, 1.7e308}, {2, 2, 1.7e308}};
    EXPECT_EQ(community_stability(WeightedGraph(3, huge), Labels{0, 0, 0}, {.runs = 200}).communities.size(), 1u);
}

TEST(AdjustedRandIndex, AgreesWithCountingPairs) {
    Random random(8);
    for (int round = 0; round < 200; ++round) {
        const auto vertices = 2 + random.below(20);
        Labels first(vertices);
        Labels second(vertices);
        for (auto& label : first) label = static_cast<std::uint32_t>(random.below(4));
        for (auto& label : second) label = static_cast<std::uint32_t>(random.below(4)) * 1'000'000'000;
        double both = 0;
        double only_first = 0;
        double only_second = 0;
        double neither = 0;
        for (std::size_t i = 0; i < vertices; ++i) {
            for (std::size_t j = 0; j < i; ++j) {
                const bool in_first = first[i] == first[j];
                const bool in_second = second[i] == second[j];
                ++(in_first ? (in_second ? both : only_first) : (in_second ? only_second : neither));
            }
        }
        const double below =
            (both + only_first) * (only_first + neither) + (both + only_second) * (only_second + neither);
        const double expected = below == 0 ? 1 : 2 * (both * neither - only_first * only_second) / below;
        ASSERT_NEAR(adjusted_rand_index(first, second), expected, 1e-12);
    }
    EXPECT_EQ(adjusted_rand_index({}, {}), 1);
}

}  // namespace
}  // namespace unveil
