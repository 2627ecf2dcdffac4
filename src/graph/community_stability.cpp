#include "graph/community_stability.hpp"

#include <algorithm>
#include <array>
#include <mutex>
#include <numeric>
#include <utility>

#include "core/error.hpp"
#include "core/parallel.hpp"
#include "core/random.hpp"
#include "graph/leiden.hpp"

namespace unveil {
namespace {

/// A Poisson(1) number by inversion: how many of floor(2^64 * P(X <= k)), k = 0, 1, ..., lie at or below the bits.
/// More than 16 has a chance below 2^-48 and counts as 16.
std::uint64_t poisson_one(std::uint64_t bits) {
    constexpr std::array<std::uint64_t, 16> cumulative = {
        0x5e2d58d8b3bcdf1aULL, 0xbc5ab1b16779be35ULL, 0xeb715e1dc1582dc2ULL, 0xfb23979734a252f1ULL,
        0xff1025f59174dc3dULL, 0xffd90f3ba4055e19ULL, 0xfffa8b71fc72c913ULL, 0xffff540c0914b3c9ULL,
        0xffffed1f4aa8f120ULL, 0xfffffe216e641462ULL, 0xffffffd4d85d3183ULL, 0xfffffffc6da262b4ULL,
        0xffffffffba12d178ULL, 0xfffffffffb07c64cULL, 0xffffffffffab8ea5ULL, 0xfffffffffffabe22ULL,
    };
    std::uint64_t count = 0;
    while (count < cumulative.size() && bits >= cumulative[count]) ++count;
    return count;
}

/// Every edge and loop counts Poisson(1) times, drawn from its vertices, so that both of its rows agree.
WeightedGraph edges_drawn_anew(const WeightedGraph& graph, std::uint64_t seed) {
    const auto times = [&](std::uint32_t a, std::uint32_t b) {
        const auto pair = (std::uint64_t{std::min(a, b)} << 32) | std::max(a, b);
        return poisson_one(Random(seed, pair).next());
    };
    std::vector<std::uint64_t> offsets = {0};
    std::vector<std::uint32_t> neighbours;
    std::vector<std::uint64_t> weights;
    std::vector<std::uint64_t> loops(graph.vertices());
    offsets.reserve(std::size_t{graph.vertices()} + 1);
    neighbours.reserve(graph.ends());
    weights.reserve(graph.ends());
    for (std::uint32_t vertex = 0; vertex < graph.vertices(); ++vertex) {
        if (graph.loop(vertex) > 0) loops[vertex] = graph.loop(vertex) * times(vertex, vertex);
        for (std::size_t i = 0; i < graph.neighbours(vertex).size(); ++i) {
            const auto neighbour = graph.neighbours(vertex)[i];
            const auto count = times(vertex, neighbour);
            if (count == 0) continue;
            neighbours.push_back(neighbour);
            weights.push_back(graph.weights(vertex)[i] * count);
        }
        offsets.push_back(neighbours.size());
    }
    return WeightedGraph::from_rows(std::move(offsets), std::move(neighbours), std::move(weights), std::move(loops));
}

std::uint64_t pairs_of(std::uint64_t count) { return count * (count - 1) / 2; }

double rand_index_of(std::uint64_t pairs_both, std::uint64_t pairs_first, std::uint64_t pairs_second,
                     std::uint64_t pairs_all) {
    if (pairs_all == 0) return 1;
    const double expected =
        static_cast<double>(pairs_first) * static_cast<double>(pairs_second) / static_cast<double>(pairs_all);
    const double largest = (static_cast<double>(pairs_first) + static_cast<double>(pairs_second)) / 2;
    if (largest == expected) return 1;
    return (static_cast<double>(pairs_both) - expected) / (largest - expected);
}

/// The vertices of each community, one after the other.
struct Members {
    std::vector<std::uint32_t> begin;
    std::vector<std::uint32_t> vertices;
};

Members members_of(std::span<const std::uint32_t> labels, std::uint32_t count) {
    Members members;
    members.begin.assign(std::size_t{count} + 1, 0);
    for (const auto label : labels) ++members.begin[label + std::size_t{1}];
    for (std::uint32_t label = 0; label < count; ++label) members.begin[label + 1] += members.begin[label];
    members.vertices.resize(labels.size());
    auto next = members.begin;
    for (std::uint32_t vertex = 0; vertex < labels.size(); ++vertex)
        members.vertices[next[labels[vertex]]++] = vertex;
    return members;
}

struct RunResult {
    std::vector<float> jaccard;        // of each community
    std::vector<std::uint32_t> stays;  // of each vertex: co-members that are still with it
    double rand_index = 0;
};

RunResult compare(const Members& members, std::span<const std::uint32_t> found, std::uint32_t found_count) {
    const auto count = static_cast<std::uint32_t>(members.begin.size() - 1);
    std::vector<std::uint32_t> found_size(found_count);
    for (const auto label : found) ++found_size[label];
    RunResult result;
    result.jaccard.resize(count);
    result.stays.resize(found.size());
    std::vector<std::uint32_t> common(found_count);
    std::uint64_t pairs_both = 0;
    std::uint64_t pairs_first = 0;
    std::uint64_t pairs_second = 0;
    for (const auto size : found_size) pairs_second += pairs_of(size);
    for (std::uint32_t label = 0; label < count; ++label) {
        const std::span<const std::uint32_t> community(members.vertices.data() + members.begin[label],
                                                       members.vertices.data() + members.begin[label + 1]);
        pairs_first += pairs_of(community.size());
        for (const auto vertex : community) ++common[found[vertex]];
        for (const auto vertex : community) result.stays[vertex] = common[found[vertex]] - 1;
        double best = 0;
        for (const auto vertex : community) {
            const auto other = found[vertex];
            if (common[other] == 0) continue;  // counted with an earlier vertex
            const auto either = static_cast<double>(community.size()) + found_size[other] - common[other];
            best = std::max(best, common[other] / either);
            pairs_both += pairs_of(common[other]);
            common[other] = 0;
        }
        result.jaccard[label] = static_cast<float>(best);
    }
    result.rand_index = rand_index_of(pairs_both, pairs_first, pairs_second, pairs_of(found.size()));
    return result;
}

/// `values` in order of the runs; sorts them.
Spread spread_of(std::vector<double>& values) {
    Spread spread;
    for (const auto value : values) spread.mean += value;
    spread.mean /= static_cast<double>(values.size());
    std::sort(values.begin(), values.end());
    const auto left_out = values.size() / 20;
    spread.low = values[left_out];
    spread.high = values[values.size() - 1 - left_out];
    return spread;
}

}  // namespace

Stability community_stability(const WeightedGraph& graph, std::span<const std::uint32_t> labels,
                              const StabilityOptions& options) {
    UNVEIL_ASSERT(labels.size() == graph.vertices() && options.runs > 0);
    std::uint32_t count = 0;
    for (const auto label : labels) {
        UNVEIL_ASSERT(label < labels.size());
        count = std::max(count, label + 1);
    }
    const auto members = members_of(labels, count);
    for (std::uint32_t label = 0; label < count; ++label)
        UNVEIL_ASSERT(members.begin[label] < members.begin[label + 1]);

    std::vector<std::vector<float>> jaccard(options.runs);
    std::vector<double> rand_index(options.runs);
    std::vector<std::uint64_t> stays(labels.size());  // whole numbers: the order in which runs end is no matter
    std::mutex stays_mutex;
    parallel_parts(options.runs, options.threads, [&](std::size_t run) {
        const auto seed = Random(options.seed, run).next();
        const LeidenOptions how = {options.resolution, seed, options.iterations_max};
        const auto found = options.perturbation == Perturbation::edges ? leiden(edges_drawn_anew(graph, seed), how)
                                                                       : leiden(graph, how);
        auto result = compare(members, found.labels, found.count);
        jaccard[run] = std::move(result.jaccard);
        rand_index[run] = result.rand_index;
        const std::lock_guard lock(stays_mutex);
        for (std::size_t vertex = 0; vertex < stays.size(); ++vertex) stays[vertex] += result.stays[vertex];
    });

    Stability stability;
    std::vector<double> values(options.runs);
    for (std::uint32_t label = 0; label < count; ++label) {
        CommunityStability community;
        unsigned dissolved = 0;
        unsigned recovered = 0;
        for (unsigned run = 0; run < options.runs; ++run) {
            values[run] = jaccard[run][label];
            if (values[run] <= 0.5) ++dissolved;
            if (values[run] >= 0.75) ++recovered;
        }
        community.jaccard = spread_of(values);
        community.dissolved_share = static_cast<double>(dissolved) / options.runs;
        community.recovered_share = static_cast<double>(recovered) / options.runs;
        stability.communities.push_back(community);
    }
    stability.vertex_share.assign(labels.size(), 1);
    for (std::size_t vertex = 0; vertex < labels.size(); ++vertex) {
        const auto others = members.begin[labels[vertex] + 1] - members.begin[labels[vertex]] - 1;
        if (others == 0) continue;
        const double possible = static_cast<double>(others) * options.runs;
        stability.vertex_share[vertex] = static_cast<double>(stays[vertex]) / possible;
    }
    stability.rand_index = spread_of(rand_index);
    return stability;
}

double adjusted_rand_index(std::span<const std::uint32_t> first, std::span<const std::uint32_t> second) {
    UNVEIL_ASSERT(first.size() == second.size());
    const auto pairs_in = [](std::vector<std::uint64_t> keys) {
        std::sort(keys.begin(), keys.end());
        std::uint64_t pairs = 0;
        for (std::size_t begin = 0; begin < keys.size();) {
            auto end = begin;
            while (end < keys.size() && keys[end] == keys[begin]) ++end;
            pairs += pairs_of(end - begin);
            begin = end;
        }
        return pairs;
    };
    std::vector<std::uint64_t> both;
    for (std::size_t i = 0; i < first.size(); ++i) both.push_back((std::uint64_t{first[i]} << 32) | second[i]);
    return rand_index_of(pairs_in(std::move(both)), pairs_in({first.begin(), first.end()}),
                         pairs_in({second.begin(), second.end()}), first.empty() ? 0 : pairs_of(first.size()));
}

}  // namespace unveil
