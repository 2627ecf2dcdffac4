// Goal: what the method promises holds on any graph: the value reported is modularity, no single move and no merge
// would raise it, communities are connected, labels are canonical, the order of edges is no matter, tiny graphs come
// close to the best partition there is. Method: random graphs of several shapes against the naive double sum and all
// partitions.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>
#include <utility>

#include "core/random.hpp"
#include "graph/components.hpp"
#include "graph/leiden.hpp"

namespace unveil {
namespace {

using Labels = std::vector<std::uint32_t>;
using Matrix = std::vector<std::vector<double>>;

struct Case {
    std::uint32_t vertices = 0;
    std::vector<WeightedEdge> edges;
    double resolution = 1;
};

Case random_case(Random& random, std::uint32_t vertices_max) {
    Case result;
    result.vertices = static_cast<std::uint32_t>(1 + random.below(vertices_max));
    result.resolution = std::vector<double>{0.25, 0.5, 1, 1, 1, 1.5, 2, 5}[random.below(8)];
    const auto groups = 1 + random.below(4);
    const bool has_whole_weights = random.chance(0.5);
    const auto edges = random.below(4 * std::uint64_t{result.vertices} + 1);
    for (std::uint64_t i = 0; i < edges; ++i) {
        WeightedEdge edge;
        edge.a = static_cast<std::uint32_t>(random.below(result.vertices));
        edge.b = static_cast<std::uint32_t>(random.below(result.vertices));
        if (edge.a % groups != edge.b % groups && random.chance(0.7)) continue;
        edge.weight = has_whole_weights ? static_cast<double>(random.below(4)) : random.uniform();
        result.edges.push_back(edge);
    }
    return result;
}

Matrix adjacency(const Case& graph) {
    Matrix matrix(graph.vertices, std::vector<double>(graph.vertices));
    for (const auto& edge : graph.edges) {
        matrix[edge.a][edge.b] += edge.weight;
        matrix[edge.b][edge.a] += edge.weight;
    }
    return matrix;
}

/// 1 / 2m * sum over i, j in one community of A_ij - resolution * k_i k_j / 2m.
double naive_modularity(const Matrix& matrix, const Labels& labels, double resolution) {
    std::vector<double> strengths;
    for (const auto& row : matrix) strengths.push_back(std::accumulate(row.begin(), row.end(), 0.0));
    const double total = std::accumulate(strengths.begin(), strengths.end(), 0.0);
    if (total == 0) return 0;
    double sum = 0;
    for (std::size_t i = 0; i < labels.size(); ++i)
        for (std::size_t j = 0; j < labels.size(); ++j)
            if (labels[i] == labels[j]) sum += matrix[i][j] - resolution * strengths[i] * strengths[j] / total;
    return sum / total;
}

TEST(LeidenProperty, ModularityIsTheDoubleSum) {
    Random random(21);
    for (int round = 0; round < 300; ++round) {
        const auto graph = random_case(random, 30);
        Labels labels(graph.vertices);
        for (auto& label : labels) label = static_cast<std::uint32_t>(random.below(std::min(graph.vertices, 5u)));
        const WeightedGraph compressed(graph.vertices, graph.edges);
        ASSERT_NEAR(modularity(compressed, labels, graph.resolution),
                    naive_modularity(adjacency(graph), labels, graph.resolution), 1e-9);
    }
}

TEST(LeidenProperty, NoMoveAndNoMergeRaisesModularity) {
    Random random(22);
    for (int round = 0; round < 150; ++round) {
        const auto graph = random_case(random, 30);
        const WeightedGraph compressed(graph.vertices, graph.edges);
        const auto found = leiden(compressed, {graph.resolution, static_cast<std::uint64_t>(round), 1000});
        const auto matrix = adjacency(graph);
        const double value = naive_modularity(matrix, found.labels, graph.resolution);
        ASSERT_NEAR(found.modularity, value, 1e-9);
        constexpr double rounding = 1e-9;
        for (std::uint32_t vertex = 0; vertex < graph.vertices; ++vertex) {
            for (std::uint32_t label = 0; label <= found.count; ++label) {
                auto moved = found.labels;
                moved[vertex] = label;
                ASSERT_LE(naive_modularity(matrix, moved, graph.resolution), value + rounding);
            }
        }
        for (std::uint32_t first = 0; first < found.count; ++first) {
            for (std::uint32_t second = 0; second < first; ++second) {
                auto merged = found.labels;
                std::replace(merged.begin(), merged.end(), first, second);
                ASSERT_LE(naive_modularity(matrix, merged, graph.resolution), value + rounding);
            }
        }
    }
}

TEST(LeidenProperty, MoreIterationsAreNeverWorse) {
    Random random(23);
    for (int round = 0; round < 100; ++round) {
        const auto graph = random_case(random, 200);
        const WeightedGraph compressed(graph.vertices, graph.edges);
        double before = -2;
        for (const unsigned iterations : {1u, 2u, 4u, 50u}) {
            const auto found = leiden(compressed, {graph.resolution, 9, iterations});
            ASSERT_GE(found.modularity, before);
            ASSERT_DOUBLE_EQ(found.modularity, modularity(compressed, found.labels, graph.resolution));
            ASSERT_LE(found.iterations, iterations);
            before = found.modularity;
        }
    }
}

TEST(LeidenProperty, CommunitiesAreConnectedAndCanonical) {
    Random random(24);
    for (int round = 0; round < 400; ++round) {
        const auto graph = random_case(random, 120);
        const auto found = leiden(WeightedGraph(graph.vertices, graph.edges),
                                  {graph.resolution, static_cast<std::uint64_t>(round), 1 + round % 3u});
        std::vector<std::pair<std::uint32_t, std::uint32_t>> inside;
        for (const auto& edge : graph.edges)
            if (edge.weight > 0 && found.labels[edge.a] == found.labels[edge.b]) inside.emplace_back(edge.a, edge.b);
        const auto component = connected_components(graph.vertices, inside);
        std::map<std::uint32_t, std::uint32_t> component_of;
        std::vector<std::uint32_t> sizes(found.count);
        std::vector<std::uint32_t> first(found.count, graph.vertices);
        for (std::uint32_t vertex = 0; vertex < graph.vertices; ++vertex) {
            const auto label = found.labels[vertex];
            ASSERT_LT(label, found.count);
            ASSERT_EQ(component_of.try_emplace(label, component[vertex]).first->second, component[vertex]);
            ++sizes[label];
            first[label] = std::min(first[label], vertex);
        }
        for (std::uint32_t label = 0; label < found.count; ++label) {
            ASSERT_GT(sizes[label], 0u);
            if (label == 0) continue;
            ASSERT_TRUE(sizes[label - 1] > sizes[label] ||
                        (sizes[label - 1] == sizes[label] && first[label - 1] < first[label]));
        }
    }
}

TEST(LeidenProperty, OrderOfEdgesIsNoMatter) {
    Random random(25);
    for (int round = 0; round < 100; ++round) {
        auto graph = random_case(random, 150);
        const auto found = leiden(WeightedGraph(graph.vertices, graph.edges), {graph.resolution, 3, 5});
        for (std::size_t i = graph.edges.size(); i > 1; --i)
            std::swap(graph.edges[i - 1], graph.edges[random.below(i)]);
        for (auto& edge : graph.edges)
            if (random.chance(0.5)) std::swap(edge.a, edge.b);
        const auto shuffled = leiden(WeightedGraph(graph.vertices, graph.edges), {graph.resolution, 3, 5});
        ASSERT_EQ(found.labels, shuffled.labels);
        ASSERT_EQ(found.modularity, shuffled.modularity);
    }
}

/// The best modularity of all partitions, by restricted growth strings.
double best_modularity(const Matrix& matrix, double resolution) {
    const auto vertices = matrix.size();
    Labels labels(vertices);
    double best = -std::numeric_limits<double>::infinity();
    for (;;) {
        best = std::max(best, naive_modularity(matrix, labels, resolution));
        auto i = vertices - 1;
        for (; i > 0; --i) {
            const auto highest = *std::max_element(labels.begin(), labels.begin() + static_cast<std::ptrdiff_t>(i));
            if (labels[i] <= highest) break;
        }
        if (i == 0) return best;
        ++labels[i];
        std::fill(labels.begin() + static_cast<std::ptrdiff_t>(i) + 1, labels.end(), 0u);
    }
}

TEST(LeidenProperty, TinyGraphsComeCloseToTheBestPartition) {
    Random random(26);
    double reached = 0;
    double possible = 0;
    for (int round = 0; round < 200; ++round) {
        const auto graph = random_case(random, round % 10 == 0 ? 8 : 7);
        const double best = best_modularity(adjacency(graph), graph.resolution);
        const auto found = leiden(WeightedGraph(graph.vertices, graph.edges), {graph.resolution, 1, 10});
        ASSERT_LE(found.modularity, best + 1e-9);
        // Above the value of everyone alone, so that negative values do not blur the ratio.
        Labels alone(graph.vertices);
        std::iota(alone.begin(), alone.end(), 0u);
        const double base = naive_modularity(adjacency(graph), alone, graph.resolution);
        reached += found.modularity - base;
        possible += best - base;
    }
    EXPECT_GE(reached, 0.98 * possible);
    RecordProperty("share_of_best", std::to_string(reached / possible));
}

}  // namespace
}  // namespace unveil
