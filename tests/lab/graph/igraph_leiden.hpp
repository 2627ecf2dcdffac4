// What does igraph's Leiden find in the same graph? The peer, for tests and benchmarks only: igraph is GPL and is never
// linked into unveil.
#pragma once

#include <igraph.h>

#include <cstdint>
#include <numeric>
#include <vector>

#include "graph_families.hpp"

namespace unveil::families {

class IgraphGraph {
  public:
    explicit IgraphGraph(const Graph& graph) {
        igraph_vector_int_t ends;
        igraph_vector_int_init(&ends, 0);
        igraph_vector_init(&m_weights, 0);
        for (const auto& edge : graph.edges) {
            igraph_vector_int_push_back(&ends, edge.a);
            igraph_vector_int_push_back(&ends, edge.b);
            igraph_vector_push_back(&m_weights, edge.weight);
        }
        igraph_create(&m_graph, &ends, graph.vertices, IGRAPH_UNDIRECTED);
        igraph_vector_int_destroy(&ends);
        igraph_vector_init(&m_strengths, 0);
        igraph_strength(&m_graph, &m_strengths, igraph_vss_all(), IGRAPH_ALL, IGRAPH_LOOPS, &m_weights);
    }
    IgraphGraph(const IgraphGraph&) = delete;
    IgraphGraph& operator=(const IgraphGraph&) = delete;
    ~IgraphGraph() {
        igraph_vector_destroy(&m_strengths);
        igraph_vector_destroy(&m_weights);
        igraph_destroy(&m_graph);
    }

    std::vector<std::uint32_t> leiden(double resolution, int iterations, unsigned seed) const {
        igraph_rng_seed(igraph_rng_default(), seed);
        igraph_vector_int_t membership;
        igraph_vector_int_init(&membership, 0);
        igraph_integer_t count = 0;
        igraph_real_t quality = 0;
        igraph_community_leiden(&m_graph, &m_weights, &m_strengths, resolution / igraph_vector_sum(&m_strengths), 0.01,
                                false, iterations, &membership, &count, &quality);
        std::vector<std::uint32_t> labels;
        for (igraph_integer_t i = 0; i < igraph_vector_int_size(&membership); ++i)
            labels.push_back(static_cast<std::uint32_t>(VECTOR(membership)[i]));
        igraph_vector_int_destroy(&membership);
        return labels;
    }

    double modularity(const std::vector<std::uint32_t>& labels, double resolution) const {
        igraph_vector_int_t membership;
        igraph_vector_int_init(&membership, 0);
        for (const auto label : labels) igraph_vector_int_push_back(&membership, label);
        igraph_real_t value = 0;
        igraph_modularity(&m_graph, &membership, &m_weights, resolution, IGRAPH_UNDIRECTED, &value);
        igraph_vector_int_destroy(&membership);
        return value;
    }

  private:
    igraph_t m_graph;
    igraph_vector_t m_weights;
    igraph_vector_t m_strengths;
};

}  // namespace unveil::families
