// Goal: communities are as good as igraph's on graphs of every family, and both agree on what modularity is. Method:
// the mean over ten seeds at the same number of iterations, on the same weighted edges; igraph is only an oracle here.
#include <gtest/gtest.h>

#include "graph/leiden.hpp"
#include "graph_families.hpp"
#ifdef UNVEIL_WITH_IGRAPH
#include "igraph_leiden.hpp"
#endif

namespace unveil {
namespace {

#ifdef UNVEIL_WITH_IGRAPH
std::vector<families::Graph> graphs() {
    const auto planted = families::planted_partition(50, 100, 25'000, 0.7, 1);
    const auto heterogeneous = families::heterogeneous_communities(5'000, 5, 100, 0.4, 2);
    return {families::karate_club(),
            families::ring_of_cliques(30, 5),
            planted,
            families::with_weights(planted, 20, 3),
            heterogeneous,
            families::with_weights(heterogeneous, 20, 4),
            families::preferential_attachment(5'000, 4, 5),
            families::sparse_random(5'000, 25'000, 6),
            families::sparse_random(5'000, 5'000, 7)};
}
#endif

TEST(LeidenBesideIgraph, NoWorseThanHalfAPercent) {
#ifndef UNVEIL_WITH_IGRAPH
    GTEST_SKIP() << "igraph is not there: install libigraph-dev";
#else
    constexpr unsigned seeds = 10;
    for (const auto& graph : graphs()) {
        const WeightedGraph compressed(graph.vertices, graph.edges);
        const families::IgraphGraph peer(graph);
        for (const double resolution : {1.0, 2.0}) {
            for (const unsigned iterations : {2u, 10u}) {
                double own_mean = 0;
                double peer_mean = 0;
                for (unsigned seed = 1; seed <= seeds; ++seed) {
                    const auto own = leiden(compressed, {resolution, seed, iterations});
                    const auto labels = peer.leiden(resolution, static_cast<int>(iterations), seed);
                    EXPECT_NEAR(own.modularity, peer.modularity(own.labels, resolution), 1e-9);
                    EXPECT_NEAR(modularity(compressed, labels, resolution), peer.modularity(labels, resolution), 1e-9);
                    own_mean += own.modularity / seeds;
                    peer_mean += modularity(compressed, labels, resolution) / seeds;
                }
                EXPECT_GE(own_mean, 0.995 * peer_mean)
                    << graph.name << ", resolution " << resolution << ", iterations " << iterations;
            }
        }
    }
#endif
}

}  // namespace
}  // namespace unveil
