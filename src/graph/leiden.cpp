#include "graph/leiden.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "core/error.hpp"
#include "core/random.hpp"

namespace unveil {
namespace {

using Labels = std::vector<std::uint32_t>;
__extension__ using Wide = __int128;

Wide product(std::uint64_t a, std::uint64_t b) {
    return static_cast<Wide>(static_cast<std::int64_t>(a)) * static_cast<std::int64_t>(b);
}

/// 2m / resolution as a whole number. Modularity times 2m * scale is then the whole number sum of in * scale - K^2, and
/// moving vertex i to community c gains 2 (w(i, c) * scale - k(i) * K(c)) of it. Strengths end below 2^46, the scale
/// below 2^62, so no product leaves 128 bits.
std::uint64_t gain_scale(const WeightedGraph& graph, double resolution) {
    UNVEIL_ASSERT(resolution >= 0x1p-16 && resolution <= 0x1p16);
    UNVEIL_ASSERT(graph.strength_total() < std::uint64_t{1} << 46);
    const double scale = static_cast<double>(graph.strength_total()) / resolution + 0.5;
    return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(scale));
}

/// Modularity times 2m * scale.
Wide quality(const WeightedGraph& graph, std::span<const std::uint32_t> labels, std::uint64_t scale) {
    std::vector<std::uint64_t> strengths(graph.vertices());
    std::uint64_t inside = 0;
    for (std::uint32_t vertex = 0; vertex < graph.vertices(); ++vertex) {
        UNVEIL_ASSERT(labels[vertex] < graph.vertices());
        strengths[labels[vertex]] += graph.strength(vertex);
        inside += graph.loop(vertex);
        const auto neighbours = graph.neighbours(vertex);
        const auto weights = graph.weights(vertex);
        for (std::size_t i = 0; i < neighbours.size(); ++i) {
            if (labels[neighbours[i]] == labels[vertex]) inside += weights[i];
        }
    }
    Wide sum = product(inside, scale);
    for (const auto strength : strengths) sum -= product(strength, strength);
    return sum;
}

double modularity_of(const WeightedGraph& graph, Wide quality, std::uint64_t scale) {
    if (graph.strength_total() == 0) return 0;
    return static_cast<double>(quality) / (static_cast<double>(graph.strength_total()) * static_cast<double>(scale));
}

Labels shuffled_vertices(std::uint32_t vertices, Random& random) {
    Labels order(vertices);
    std::iota(order.begin(), order.end(), 0u);
    for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
    return order;
}

/// Numbers labels below `bound` 0, 1, ... in order of first use; returns how many there are.
std::uint32_t compact(Labels& labels, std::uint32_t bound) {
    constexpr auto unused = std::numeric_limits<std::uint32_t>::max();
    Labels number(bound, unused);
    std::uint32_t count = 0;
    for (auto& label : labels) {
        if (number[label] == unused) number[label] = count++;
        label = number[label];
    }
    return count;
}

/// Weights from one vertex to the communities around it.
class Surroundings {
  public:
    explicit Surroundings(std::uint32_t communities) : m_weights(communities) {}

    void add(std::uint32_t community, std::uint64_t weight) {
        if (m_weights[community] == 0) m_communities.push_back(community);
        m_weights[community] += weight;
    }
    std::uint64_t weight(std::uint32_t community) const { return m_weights[community]; }
    /// In order of first meeting.
    const Labels& communities() const { return m_communities; }
    void clear() {
        for (const auto community : m_communities) m_weights[community] = 0;
        m_communities.clear();
    }

  private:
    std::vector<std::uint64_t> m_weights;
    Labels m_communities;
};

/// One level of the method: a graph, and the communities of its vertices, with labels below the number of vertices.
class Level {
  public:
    Level(const WeightedGraph& graph, Labels& labels, std::uint64_t scale)
        : m_graph(graph), m_labels(labels), m_scale(scale), m_strengths(graph.vertices()), m_around(graph.vertices()) {
        for (std::uint32_t vertex = 0; vertex < graph.vertices(); ++vertex)
            m_strengths[labels[vertex]] += graph.strength(vertex);
    }

    /// MoveNodesFast of the paper's Algorithm A.2: vertices leave a queue, go where they gain most, and wake up the
    /// neighbours they left behind.
    void move_vertices(Random& random) {
        const auto vertices = m_graph.vertices();
        Labels sizes(vertices);
        for (const auto label : m_labels) ++sizes[label];
        Labels empty;
        for (std::uint32_t label = vertices; label > 0; --label)
            if (sizes[label - 1] == 0) empty.push_back(label - 1);
        Labels queue = shuffled_vertices(vertices, random);
        std::vector<std::uint8_t> is_waiting(vertices, 1);
        std::uint64_t head = 0;
        std::uint64_t waiting = vertices;
        // Every move gains, so the queue runs dry; the bound keeps made-up graphs from taking their time.
        constexpr std::uint64_t visits_max = 200;
        for (auto visits = visits_max * vertices; waiting > 0 && visits > 0; --visits) {
            const auto vertex = queue[head];
            head = head + 1 == vertices ? 0 : head + 1;
            --waiting;
            is_waiting[vertex] = 0;

            const auto neighbours = m_graph.neighbours(vertex);
            const auto weights = m_graph.weights(vertex);
            for (std::size_t i = 0; i < neighbours.size(); ++i) m_around.add(m_labels[neighbours[i]], weights[i]);
            const auto own = m_labels[vertex];
            const auto strength = m_graph.strength(vertex);
            auto best = own;
            auto best_gain =
                product(m_around.weight(own), m_scale) - product(strength, m_strengths[own] - strength);
            if (best_gain < 0) {  // so somebody else is in there, and some label is free
                best = empty.back();
                best_gain = 0;
            }
            for (const auto community : m_around.communities()) {
                if (community == own) continue;
                const auto gain =
                    product(m_around.weight(community), m_scale) - product(strength, m_strengths[community]);
                if (gain > best_gain) {
                    best = community;
                    best_gain = gain;
                }
            }
            m_around.clear();
            if (best == own) continue;

            m_labels[vertex] = best;
            m_strengths[own] -= strength;
            m_strengths[best] += strength;
            if (sizes[best]++ == 0) empty.pop_back();
            if (--sizes[own] == 0) empty.push_back(own);
            for (const auto neighbour : neighbours) {
                if (m_labels[neighbour] == best || is_waiting[neighbour] != 0) continue;
                is_waiting[neighbour] = 1;
                const auto tail = head + waiting;
                queue[tail < vertices ? tail : tail - vertices] = neighbour;
                ++waiting;
            }
        }
    }

    /// RefinePartition of Algorithm A.2: starting alone, vertices join others of their community where they gain most,
    /// as long as both sides are well connected to the rest of it. Returns labels below the number of vertices.
    Labels refine(Random& random) {
        const auto vertices = m_graph.vertices();
        Labels refined(vertices);
        std::iota(refined.begin(), refined.end(), 0u);
        std::vector<std::uint8_t> is_alone(vertices, 1);
        std::vector<std::uint64_t> strengths(vertices);
        std::vector<std::uint64_t> cut(vertices);  // weight to the rest of the community
        for (std::uint32_t vertex = 0; vertex < vertices; ++vertex) {
            strengths[vertex] = m_graph.strength(vertex);
            const auto neighbours = m_graph.neighbours(vertex);
            const auto weights = m_graph.weights(vertex);
            for (std::size_t i = 0; i < neighbours.size(); ++i)
                if (m_labels[neighbours[i]] == m_labels[vertex]) cut[vertex] += weights[i];
        }
        const auto is_well_connected = [&](std::uint32_t part, std::uint32_t community) {
            const auto rest = m_strengths[community] - strengths[part];
            return product(cut[part], m_scale) >= product(strengths[part], rest);
        };
        for (const auto vertex : shuffled_vertices(vertices, random)) {
            const auto community = m_labels[vertex];
            if (is_alone[vertex] == 0 || !is_well_connected(vertex, community)) continue;
            const auto neighbours = m_graph.neighbours(vertex);
            const auto weights = m_graph.weights(vertex);
            for (std::size_t i = 0; i < neighbours.size(); ++i)
                if (m_labels[neighbours[i]] == community) m_around.add(refined[neighbours[i]], weights[i]);
            auto best = vertex;
            Wide best_gain = 0;
            for (const auto part : m_around.communities()) {
                const auto gain = product(m_around.weight(part), m_scale) - product(strengths[vertex], strengths[part]);
                if (gain > best_gain && is_well_connected(part, community)) {
                    best = part;
                    best_gain = gain;
                }
            }
            if (best != vertex) {
                is_alone[vertex] = 0;
                is_alone[best] = 0;
                refined[vertex] = best;
                strengths[best] += strengths[vertex];
                cut[best] += cut[vertex] - 2 * m_around.weight(best);
            }
            m_around.clear();
        }
        return refined;
    }

  private:
    const WeightedGraph& m_graph;
    Labels& m_labels;
    std::uint64_t m_scale;
    std::vector<std::uint64_t> m_strengths;
    Surroundings m_around;
};

/// The graph whose vertices are the `count` parts of `parts`.
WeightedGraph aggregate(const WeightedGraph& graph, const Labels& parts, std::uint32_t count) {
    std::vector<std::uint32_t> begin(std::size_t{count} + 1);
    for (const auto part : parts) ++begin[part + std::size_t{1}];
    for (std::uint32_t part = 0; part < count; ++part) begin[part + 1] += begin[part];
    Labels members(parts.size());
    {
        auto next = begin;
        for (std::uint32_t vertex = 0; vertex < graph.vertices(); ++vertex) members[next[parts[vertex]]++] = vertex;
    }
    std::vector<std::uint64_t> offsets = {0};
    offsets.reserve(std::size_t{count} + 1);
    Labels ends;
    std::vector<std::uint64_t> weights_out;
    ends.reserve(graph.ends());
    weights_out.reserve(graph.ends());
    std::vector<std::uint64_t> loops(count);
    Surroundings around(count);
    for (std::uint32_t part = 0; part < count; ++part) {
        for (auto k = begin[part]; k < begin[part + 1]; ++k) {
            const auto vertex = members[k];
            loops[part] += graph.loop(vertex);
            const auto neighbours = graph.neighbours(vertex);
            const auto weights = graph.weights(vertex);
            for (std::size_t i = 0; i < neighbours.size(); ++i) {
                // An edge inside is met from both of its ends: twice its weight, as loops are kept.
                if (parts[neighbours[i]] == part) loops[part] += weights[i];
                else around.add(parts[neighbours[i]], weights[i]);
            }
        }
        for (const auto other : around.communities()) {
            ends.push_back(other);
            weights_out.push_back(around.weight(other));
        }
        around.clear();
        offsets.push_back(ends.size());
    }
    return WeightedGraph::from_rows(std::move(offsets), std::move(ends), std::move(weights_out), std::move(loops));
}

/// Gives every connected part of a community a label of its own. That never lowers modularity: nothing inside is lost,
/// and the squares of strengths get smaller.
void split_disconnected(const WeightedGraph& graph, Labels& labels) {
    constexpr auto unseen = std::numeric_limits<std::uint32_t>::max();
    Labels split(labels.size(), unseen);
    Labels open;
    std::uint32_t count = 0;
    for (std::uint32_t start = 0; start < graph.vertices(); ++start) {
        if (split[start] != unseen) continue;
        split[start] = count;
        open.push_back(start);
        while (!open.empty()) {
            const auto vertex = open.back();
            open.pop_back();
            for (const auto neighbour : graph.neighbours(vertex)) {
                if (split[neighbour] != unseen || labels[neighbour] != labels[vertex]) continue;
                split[neighbour] = count;
                open.push_back(neighbour);
            }
        }
        ++count;
    }
    labels = std::move(split);
}

/// One run of Algorithm A.2 that starts from `labels` and leaves its result there.
void improve(const WeightedGraph& graph, Labels& labels, std::uint64_t scale, Random& random) {
    WeightedGraph coarse;
    const WeightedGraph* current = &graph;
    Labels place;  // of each vertex of `graph` in `current`; empty as long as they are the same
    Labels communities = labels;
    for (;;) {
        Labels parts;
        std::uint32_t count = 0;
        {
            Level level(*current, communities, scale);
            level.move_vertices(random);
            Labels distinct = communities;
            count = compact(distinct, current->vertices());
            if (count == current->vertices()) break;
            parts = level.refine(random);
            const auto refined_count = compact(parts, current->vertices());
            // Where refinement joins nobody, whole communities become vertices, or the method would stand still.
            if (refined_count == current->vertices()) parts = std::move(distinct);
            else count = refined_count;
        }
        Labels community_of_part(count);
        for (std::uint32_t vertex = 0; vertex < current->vertices(); ++vertex)
            community_of_part[parts[vertex]] = communities[vertex];
        compact(community_of_part, current->vertices());
        coarse = aggregate(*current, parts, count);
        current = &coarse;
        communities = std::move(community_of_part);
        if (place.empty()) place = std::move(parts);
        else
            for (auto& vertex : place) vertex = parts[vertex];
    }
    if (place.empty()) labels = std::move(communities);
    else
        for (std::size_t vertex = 0; vertex < labels.size(); ++vertex) labels[vertex] = communities[place[vertex]];
    split_disconnected(graph, labels);
}

}  // namespace

double modularity(const WeightedGraph& graph, std::span<const std::uint32_t> labels, double resolution) {
    UNVEIL_ASSERT(labels.size() == graph.vertices());
    const auto scale = gain_scale(graph, resolution);
    return modularity_of(graph, quality(graph, labels, scale), scale);
}

std::uint32_t canonical_labels(std::span<std::uint32_t> labels) {
    struct Community {
        std::uint32_t label = 0;
        std::uint32_t size = 0;
        std::uint32_t first = 0;
    };
    std::vector<std::uint32_t> order(labels.size());
    std::iota(order.begin(), order.end(), 0u);
    std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
        return std::pair(labels[a], a) < std::pair(labels[b], b);
    });
    std::vector<Community> communities;
    for (const auto vertex : order) {
        if (communities.empty() || communities.back().label != labels[vertex])
            communities.push_back({labels[vertex], 0, vertex});
        ++communities.back().size;
    }
    std::vector<std::uint32_t> rank(communities.size());
    std::iota(rank.begin(), rank.end(), 0u);
    std::sort(rank.begin(), rank.end(), [&](std::uint32_t a, std::uint32_t b) {
        return std::pair(communities[b].size, communities[a].first) <
               std::pair(communities[a].size, communities[b].first);
    });
    std::vector<std::uint32_t> number(communities.size());
    for (std::uint32_t i = 0; i < rank.size(); ++i) number[rank[i]] = i;
    std::size_t next = 0;
    for (std::uint32_t community = 0; community < communities.size(); ++community)
        for (std::uint32_t k = 0; k < communities[community].size; ++k) labels[order[next++]] = number[community];
    return static_cast<std::uint32_t>(communities.size());
}

Communities leiden(const WeightedGraph& graph, const LeidenOptions& options) {
    UNVEIL_ASSERT(options.iterations_max > 0);
    Communities result;
    result.labels.resize(graph.vertices());
    std::iota(result.labels.begin(), result.labels.end(), 0u);
    const auto scale = gain_scale(graph, options.resolution);
    auto best = quality(graph, result.labels, scale);
    Random random(options.seed);
    while (result.iterations < options.iterations_max) {
        improve(graph, result.labels, scale, random);
        ++result.iterations;
        const auto now = quality(graph, result.labels, scale);
        UNVEIL_ASSERT(now >= best);
        if (now == best) break;
        best = now;
    }
    result.count = canonical_labels(result.labels);
    result.modularity = modularity_of(graph, best, scale);
    return result;
}

}  // namespace unveil
