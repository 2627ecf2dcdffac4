// How good and how fast are the communities, beside igraph's? usage: bench_leiden [VERTICES [SEEDS]]
// For each family and each number of iterations: modularity and communities (means over seeds), CPU seconds to compress
// the edges and to find communities (mean), and peak memory beyond the list of edges. Each side runs in a process of
// its own. unveil stops early when nothing changes. Then what a run of the stability of these communities costs.
#include <fmt/format.h>
#include <malloc.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <vector>

#include "graph/community_stability.hpp"
#include "graph/leiden.hpp"
#include "lab/graph/graph_families.hpp"
#ifdef UNVEIL_WITH_IGRAPH
#include "lab/graph/igraph_leiden.hpp"
#endif

namespace {

using namespace unveil;

struct Measured {
    double build_seconds = 0;
    double seconds = 0;
    double modularity = 0;
    double communities = 0;
    long peak_before_kb = 0;
    long peak_kb = 0;
};

rusage usage() {
    rusage result{};
    ::getrusage(RUSAGE_SELF, &result);
    return result;
}

double cpu_seconds() {
    const auto now = usage();
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
    };
    return seconds(now.ru_utime) + seconds(now.ru_stime);
}

Measured in_own_process(const std::function<Measured()>& work) {
    std::array<int, 2> ends{};
    Measured result;
    if (::pipe(ends.data()) != 0) std::abort();
    ::malloc_trim(0);  // what the families left behind would hide what the child takes
    const auto child = ::fork();
    if (child == 0) {
        result = work();
        const auto written = ::write(ends[1], &result, sizeof result);
        ::_exit(written == sizeof result ? 0 : 1);
    }
    ::close(ends[1]);
    if (child < 0 || ::read(ends[0], &result, sizeof result) != sizeof result) std::abort();
    ::close(ends[0]);
    ::waitpid(child, nullptr, 0);
    return result;
}

Measured measure_own(const families::Graph& graph, unsigned iterations, unsigned seeds) {
    Measured result;
    result.peak_before_kb = usage().ru_maxrss;
    auto start = cpu_seconds();
    const WeightedGraph compressed(graph.vertices, graph.edges);
    result.build_seconds = cpu_seconds() - start;
    for (unsigned seed = 1; seed <= seeds; ++seed) {
        start = cpu_seconds();
        const auto found = leiden(compressed, {.resolution = 1, .seed = seed, .iterations_max = iterations});
        result.seconds += (cpu_seconds() - start) / seeds;
        result.modularity += found.modularity / seeds;
        result.communities += static_cast<double>(found.count) / seeds;
    }
    result.peak_kb = usage().ru_maxrss;
    return result;
}

/// CPU seconds and peak memory of one run; the adjusted Rand index stands in for modularity.
Measured measure_stability(const families::Graph& graph) {
    constexpr unsigned runs = 4;
    Measured result;
    result.peak_before_kb = usage().ru_maxrss;
    const WeightedGraph compressed(graph.vertices, graph.edges);
    const auto found = leiden(compressed);
    const auto start = cpu_seconds();
    const auto stability = community_stability(compressed, found.labels, {.runs = runs});
    result.seconds = (cpu_seconds() - start) / runs;
    result.modularity = stability.rand_index.mean;
    result.peak_kb = usage().ru_maxrss;
    return result;
}

#ifdef UNVEIL_WITH_IGRAPH
std::uint32_t count_of(std::vector<std::uint32_t> labels) { return canonical_labels(labels); }

Measured measure_igraph(const families::Graph& graph, unsigned iterations, unsigned seeds) {
    Measured result;
    result.peak_before_kb = usage().ru_maxrss;
    auto start = cpu_seconds();
    const families::IgraphGraph peer(graph);
    result.build_seconds = cpu_seconds() - start;
    std::vector<std::vector<std::uint32_t>> found;
    for (unsigned seed = 1; seed <= seeds; ++seed) {
        start = cpu_seconds();
        found.push_back(peer.leiden(1, static_cast<int>(iterations), seed));
        result.seconds += (cpu_seconds() - start) / seeds;
    }
    result.peak_kb = usage().ru_maxrss;
    const WeightedGraph compressed(graph.vertices, graph.edges);
    for (const auto& labels : found) {
        result.modularity += modularity(compressed, labels) / seeds;
        result.communities += static_cast<double>(count_of(labels)) / seeds;
    }
    return result;
}
#endif

void print(const char* who, const Measured& measured) {
    fmt::print("    {:<7} modularity {:.6f}  communities {:>9.1f}  build {:.3f} s  cpu {:.3f} s  peak +{} MB\n", who,
               measured.modularity, measured.communities, measured.build_seconds, measured.seconds,
               (measured.peak_kb - measured.peak_before_kb) / 1024);
}

}  // namespace

int main(int argc, char** argv) {
    const auto vertices = static_cast<std::uint32_t>(argc > 1 ? std::atoi(argv[1]) : 200'000);
    const auto seeds = static_cast<unsigned>(argc > 2 ? std::atoi(argv[2]) : 3);
    if (vertices < 1000 || seeds < 1) {
        fmt::print(stderr, "usage: bench_leiden [VERTICES (1000 or more) [SEEDS]]\n");
        return 2;
    }
    const std::vector<families::Graph> graphs = {
        families::karate_club(),
        families::ring_of_cliques(vertices / 10, 10),
        families::planted_partition(vertices / 200, 200, vertices * 5, 0.7, 1),
        families::with_weights(families::planted_partition(vertices / 200, 200, vertices * 5, 0.7, 1), 20, 1),
        families::heterogeneous_communities(vertices, 5, 200, 0.3, 1),
        families::preferential_attachment(vertices, 5, 1),
        families::sparse_random(vertices, vertices * 5, 1),
        families::sparse_random(vertices, vertices, 1),
    };
    for (const auto& graph : graphs) {
        fmt::print("{}: {} vertices, {} edges\n", graph.name, graph.vertices, graph.edges.size());
        for (const unsigned iterations : {2u, 10u}) {
            fmt::print("  {} iterations\n", iterations);
            const auto own = in_own_process([&] { return measure_own(graph, iterations, seeds); });
            print("unveil", own);
#ifdef UNVEIL_WITH_IGRAPH
            const auto peer = in_own_process([&] { return measure_igraph(graph, iterations, seeds); });
            print("igraph", peer);
            fmt::print("    ratio   modularity {:.5f}  cpu {:.3f}\n", own.modularity / peer.modularity,
                       own.seconds / peer.seconds);
#endif
            std::fflush(stdout);
        }
        const auto stability = in_own_process([&] { return measure_stability(graph); });
        fmt::print("  stability under edges drawn anew: adjusted Rand {:.4f}  cpu {:.3f} s a run  peak +{} MB\n",
                   stability.modularity, stability.seconds, (stability.peak_kb - stability.peak_before_kb) / 1024);
        std::fflush(stdout);
    }
#ifndef UNVEIL_WITH_IGRAPH
    fmt::print("igraph is not there: install libigraph-dev to compare\n");
#endif
}
