// How sure is a community, and how sure is it that a vertex belongs there? Communities are found again under other
// seeds, or from edges drawn anew, and compared with those that were reported.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "graph/weighted_graph.hpp"

namespace unveil {

/// What changes from run to run.
enum class Perturbation {
    seed,   // the order of visits alone: how far the method itself wavers
    edges,  // and each edge counts Poisson(1) times, a bootstrap of edges: how far the answer hangs on single edges
};

struct StabilityOptions {
    Perturbation perturbation = Perturbation::edges;
    /// As given to leiden() for the communities in question.
    double resolution = 1;
    unsigned iterations_max = 10;
    std::uint64_t seed = 0;
    unsigned runs = 20;
    unsigned threads = 1;
};

struct Spread {
    double mean = 0;
    /// The smallest and the largest over the runs, after runs / 20 (rounded down) are left out at either end.
    double low = 0;
    double high = 0;
};

struct CommunityStability {
    /// The clusterwise Jaccard of Hennig, Comput. Stat. Data Anal. 52:258 (2007), section 3: in each run the largest
    /// |C and D| / |C or D| over the communities D found there.
    Spread jaccard;
    /// Shares of the runs with a Jaccard of at most 0.5 (the community is gone) and of at least 0.75 (it is back).
    double dissolved_share = 0;
    double recovered_share = 0;
};

struct Stability {
    /// One for each label.
    std::vector<CommunityStability> communities;
    /// One for each vertex v of community C: the mean over the runs of (|C and D| - 1) / (|C| - 1), D being the
    /// community of v in that run: the share of its co-members that stay with it. 1 where v is alone in C.
    std::vector<double> vertex_share;
    /// Of the labels and the communities of each run.
    Spread rand_index;
};

/// `labels` as leiden() returns them: 0, 1, ... without gaps. Edges drawn anew may leave a vertex without any: it is
/// alone in that run, so that the support of loosely tied vertices is never overstated. (Rosvall & Bergstrom, PLoS ONE
/// 5:e8694 (2010) draw Poisson(weight) for each edge instead, which hardly moves heavy edges; here a heavy edge is one
/// observation like any other.) The same numbers for any number of threads. Each run costs one leiden(); each thread
/// holds one graph and its working memory, and a run keeps 4 bytes a community: a run over 200,000 vertices and
/// 1,000,000 edges takes 4 to 5 CPU seconds and about 90 MB, so larger graphs call for fewer runs or fewer iterations.
Stability community_stability(const WeightedGraph& graph, std::span<const std::uint32_t> labels,
                              const StabilityOptions& options);

/// Hubert & Arabie, J. Classif. 2:193 (1985), equation 5: the share of pairs that two partitions agree on, 0 on average
/// for random labels of the same sizes and 1 for equal partitions. Any labels; 1 where no other partition has the same
/// sizes.
double adjusted_rand_index(std::span<const std::uint32_t> first, std::span<const std::uint32_t> second);

}  // namespace unveil
