#include "instruments/coordination/network.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <queue>
#include <tuple>
#include <utility>

#include "core/error.hpp"
#include "core/parallel.hpp"
#include "core/time.hpp"
#include "graph/components.hpp"
#include "statistics/sign_test.hpp"

namespace unveil::coordination {
namespace {

bool is_stronger(const Edge& x, const Edge& y) {
    return std::make_tuple(y.weight, x.a, x.b) < std::make_tuple(x.weight, y.a, y.b);
}

void keep_strongest(std::vector<Edge>& edges, std::size_t count) {
    std::sort(edges.begin(), edges.end(), is_stronger);
    if (edges.size() > count) edges.resize(count);
}

/// Adds up one window's kept edges into accounts and groups.
class Summing {
  public:
    Summing(WindowResult& result, std::uint32_t accounts) : m_result(result), m_strength(accounts, 0) {
        result.degree.assign(accounts, 0);
    }

    void add(const Edge& edge) {
        ++m_result.edges;
        m_result.pairs_kept += edge.pairs;
        for (const auto end : {edge.a, edge.b}) {
            ++m_result.degree[end];
            m_strength[end] += edge.weight;
            if (edge.a == edge.b) break;
        }
        m_links.emplace_back(edge.a, edge.b);
        // Only what hangs together matters, so a long list is replaced by one link from each account to its component.
        if (m_links.size() > std::max<std::size_t>(1 << 22, m_strength.size() * 2)) shorten();
        m_result.strongest.push_back(edge);
        if (m_result.strongest.size() >= WindowResult::strongest_max * 4)
            keep_strongest(m_result.strongest, WindowResult::strongest_max);
    }

    void finish() {
        keep_strongest(m_result.strongest, WindowResult::strongest_max);
        const auto accounts = static_cast<std::uint32_t>(m_strength.size());
        const auto component = connected_components(accounts, m_links);
        std::vector<GroupSummary> groups(accounts == 0 ? 0 : *std::max_element(component.begin(), component.end()) + 1);
        for (std::uint32_t account = 0; account < accounts; ++account) {
            if (m_result.degree[account] == 0) continue;
            auto& group = groups[component[account]];
            if (group.accounts++ == 0) group.smallest_account = account;
            ++m_result.accounts;
        }
        std::vector<std::uint32_t> order;
        for (std::uint32_t i = 0; i < groups.size(); ++i)
            if (groups[i].accounts > 0) order.push_back(i);
        std::sort(order.begin(), order.end(), [&](std::uint32_t x, std::uint32_t y) {
            return std::make_tuple(groups[y].accounts, groups[x].smallest_account) <
                   std::make_tuple(groups[x].accounts, groups[y].smallest_account);
        });
        std::vector<std::uint32_t> position(groups.size(), 0);
        for (const auto i : order) {
            m_result.groups.push_back(groups[i]);
            position[i] = static_cast<std::uint32_t>(m_result.groups.size());
        }
        m_result.group_of.assign(accounts, 0);
        for (std::uint32_t account = 0; account < accounts; ++account)
            if (m_result.degree[account] > 0) m_result.group_of[account] = position[component[account]];
    }

    std::uint64_t strength(std::uint32_t account) const { return m_strength[account]; }

  private:
    void shorten() {
        const auto accounts = static_cast<std::uint32_t>(m_strength.size());
        const auto component = connected_components(accounts, m_links);
        std::vector<std::uint32_t> first(accounts, accounts);
        m_links.clear();
        for (std::uint32_t account = 0; account < accounts; ++account) {
            auto& smallest = first[component[account]];
            if (smallest == accounts) smallest = account;
            else m_links.emplace_back(smallest, account);
        }
    }

    WindowResult& m_result;
    std::vector<std::uint64_t> m_strength;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> m_links;
};

/// A co-action on its way through a scratch file.
struct SpilledAction {
    std::uint32_t a;
    std::uint32_t b;
    CoAction action;
};

/// Reads the items of a scratch file back in order, a buffer at a time.
template <typename Item>
class ScratchItems {
  public:
    explicit ScratchItems(ScratchFile file) : m_file(std::move(file)) { m_file.flush(); }

    const Item* front() {
        if (m_next == m_buffer.size() && !refill()) return nullptr;
        return &m_buffer[m_next];
    }
    void pop() { ++m_next; }

  private:
    static constexpr std::size_t buffer_items = 4096;
    bool refill() {
        const auto left = (m_file.size_bytes() - m_offset) / sizeof(Item);
        m_buffer.resize(std::min<std::uint64_t>(left, buffer_items));
        m_next = 0;
        m_file.read_at(m_offset, m_buffer.data(), m_buffer.size() * sizeof(Item));
        m_offset += m_buffer.size() * sizeof(Item);
        return !m_buffer.empty();
    }
    ScratchFile m_file;
    std::uint64_t m_offset = 0;
    std::size_t m_next = 0;
    std::vector<Item> m_buffer;
};

}  // namespace

void DelayCounts::add(std::int64_t delay_us, std::uint64_t count) {
    m_counts[delay_us / m_tick_us * m_tick_us] += count;
    m_total += count;
    while (m_counts.size() > different_max) {
        m_tick_us *= 10;
        std::map<std::int64_t, std::uint64_t> coarser;
        for (const auto& [delay, found] : m_counts) coarser[delay / m_tick_us * m_tick_us] += found;
        m_counts = std::move(coarser);
    }
}

std::int64_t DelayCounts::nth(std::uint64_t index) const {
    UNVEIL_ASSERT(index < m_total);
    std::uint64_t below = 0;
    for (const auto& [delay, count] : m_counts) {
        below += count;
        if (index < below) return delay;
    }
    UNVEIL_ASSERT(false);
    return 0;
}

std::optional<double> weight_quantile(const WeightCounts& counts, double probability) {
    std::uint64_t total = 0;
    for (const auto& [weight, count] : counts) total += count;
    if (total == 0) return {};
    const double position = static_cast<double>(total - 1) * probability;
    const auto below = static_cast<std::uint64_t>(std::floor(position));
    const auto nth = [&](std::uint64_t index) {
        std::uint64_t seen = 0;
        for (const auto& [weight, count] : counts) {
            seen += count;
            if (index < seen) return static_cast<double>(weight);
        }
        return static_cast<double>(counts.rbegin()->first);
    };
    const double low = nth(below);
    return low + (position - static_cast<double>(below)) * (nth(below + 1) - low);
}

NetworkTables open_tables(OutputTables& tables, const NetworkRules& rules) {
    NetworkTables opened;
    const auto text = [](std::string name, std::string help) { return Column{std::move(name), CellType::text, std::move(help)}; };
    const auto integer = [](std::string name, std::string help) { return Column{std::move(name), CellType::integer, std::move(help)}; };
    const auto real = [](std::string name, std::string help) { return Column{std::move(name), CellType::real, std::move(help)}; };
    switch (rules.semantics) {
        case Semantics::native:
            opened.edges = &tables.open(
                "edges", {text("trace", "what was shared"), real("window_seconds", "largest delay, inclusive"),
                          text("account_a", "first account in byte order"), text("account_b", "second account"),
                          integer("weight", "distinct objects both shared within the window"),
                          integer("pairs", "pairs of posts within the window"),
                          integer("posts_a", "distinct posts of account_a in these pairs"),
                          integer("posts_b", "distinct posts of account_b in these pairs"),
                          real("delay_mean_seconds", "mean delay of the pairs"),
                          real("delay_median_seconds", "median delay of the pairs"),
                          real("delay_min_seconds", "smallest delay of the pairs"),
                          integer("first_a", "pairs in which account_a came first"),
                          integer("first_b", "pairs in which account_b came first"),
                          real("direction_p", "two-sided sign test of first_a against first_b"),
                          integer("shared_objects", "distinct objects both shared at whatever times"),
                          real("expected_shared", "of them by chance, given how much each shares (interest)"),
                          real("expected_together", "of the shared ones within the window by chance (synchrony)"),
                          real("p_interest", "chance of so many shared objects"),
                          real("p_sync", "chance of so many within the window, given the shared ones"),
                          real("prior", "weight of the pair among all pairs, by the rarity of what it shares; the mean is 1"),
                          real("q_interest", "false discovery rate over all pairs of accounts"),
                          real("q_sync", "the same for synchrony, weighted by prior"),
                          real("q", "the same for synchrony among pairs whose q_interest is at most alpha")});
            break;
        case Semantics::coortweet:
            opened.edges = &tables.open(
                "edges", {text("from", ""), text("to", ""), integer("weight", "pairs of posts"), real("avg_time_delta", ""),
                          integer("n_content_id", "distinct older posts"), integer("n_content_id_y", "distinct newer posts"),
                          real("edge_symmetry_score", ""), integer("weight_threshold", "1 above the quantile")},
                RealStyle::digits15);
            break;
        case Semantics::qut:
            opened.edges = &tables.open("edges", {text("user_1", ""), text("user_2", ""),
                                                  integer("weight", "distinct posts of user_1 with a match by user_2")});
            break;
    }
    opened.accounts = &tables.open(
        "accounts", {text("trace", "what was shared"), real("window_seconds", "largest delay, inclusive"),
                     text("account", ""), integer("posts", "rows of the account in this trace"),
                     rules.semantics == Semantics::qut
                         ? integer("directed_edges", "kept edges from it and to it")
                         : integer("partners", "accounts it has a kept edge with"),
                     integer("strength", "sum of the weights of its kept edges"),
                     integer("group", "connected component, 1 is the largest"),
                     integer("group_accounts", "accounts in that component")});
    if (!rules.write_pairs) return opened;
    if (rules.semantics == Semantics::coortweet)
        opened.pairs = &tables.open("pairs",
                                    {text("object_id", ""), text("account_id", "of the older post"),
                                     text("account_id_y", "of the newer post"), text("content_id", "older post"),
                                     text("content_id_y", "newer post"), real("time_delta", "seconds")},
                                    RealStyle::digits15);
    else
        opened.pairs = &tables.open(
            "pairs", {text("trace", "what was shared"), text("object", "the shared object"), text("account_a", ""),
                      text("account_b", ""), text("content_a", "post of account_a"), text("content_b", "post of account_b"),
                      text("time_a", ""), text("time_b", ""), real("delay_seconds", "time_b minus time_a"),
                      integer("evidence_a", "input, from 1"), integer("row_a", "data record of that input"),
                      integer("evidence_b", "input, from 1"), integer("row_b", "data record of that input")});
    return opened;
}

struct Network::Part {
    struct Window {
        std::uint64_t pairs = 0;
        std::uint64_t edges = 0;
        std::uint64_t singles = 0;  // edges of weight 1 counted without folding
        WeightCounts weights;
        std::vector<std::int64_t> delays_us;
    };
    struct Pair {
        std::uint32_t a;
        std::uint32_t b;
        CoAction action;
    };
    std::vector<Window> windows;
    std::vector<std::vector<Candidate>> candidates;  // by window
    std::vector<Edge> edges;
    std::vector<const EdgeChance*> chances;          // of the edges, when judged
    std::vector<Pair> pairs;
    std::vector<ActiveEdge> active;
    std::vector<SpilledAction> spilled;

    explicit Part(std::size_t windows_count) : windows(windows_count), candidates(windows_count) {}
};

template <typename PartWindow>
static void add_counts(WindowResult& result, const PartWindow& window) {
    result.pairs += window.pairs;
    result.edges_found += window.edges;
    if (window.singles > 0) result.weights[1] += window.singles;
    for (const auto& [weight, count] : window.weights) result.weights[weight] += count;
}

Network::Network(std::string trace, const NetworkRules& rules, const Dictionary& accounts,
                 const std::vector<std::uint32_t>& ordered_accounts, const Dictionary& objects, const Posts& posts)
    : m_trace(std::move(trace)),
      m_rules(rules),
      m_accounts(accounts),
      m_ordered_accounts(ordered_accounts),
      m_objects(objects),
      m_posts(posts),
      m_thresholds(rules.windows_us.size()) {}

bool Network::is_kept(const Edge& edge) const {
    if (edge.weight < m_rules.weight_min) return false;
    if (m_rules.semantics == Semantics::coortweet) return true;
    const auto& threshold = m_thresholds[edge.window];
    return !threshold || static_cast<double>(edge.weight) > *threshold;
}

bool Network::count_single(Part& part, std::uint32_t a, std::uint32_t b, std::int64_t delay_us, Pass kind) {
    // An edge with one co-action weighs 1 in every semantics: if that is below the threshold, counting is all it needs.
    if (kind != Pass::weights && m_rules.weight_min <= 1) return true;
    for (std::size_t w = 0; w < m_rules.windows_us.size(); ++w) {
        if (std::abs(delay_us) > m_rules.windows_us[w]) continue;
        auto& window = part.windows[w];
        ++window.pairs;
        ++window.edges;
        ++window.singles;
        if (kind == Pass::candidates) {
            // Account a belongs to this part alone, b to any; sums of integers do not depend on the order of parts.
            ++m_singles[w].as_a[a];
            if (m_rules.threads == 1) ++m_singles[w].as_b[b];
            else std::atomic_ref(m_singles[w].as_b[b]).fetch_add(1, std::memory_order_relaxed);
        }
    }
    return false;
}

void Network::fold_candidate(Part& part, std::uint32_t a, std::uint32_t b, std::span<const CoAction> co_actions) {
    bool is_candidate = false;
    for (std::size_t w = 0; w < m_rules.windows_us.size(); ++w) {
        const std::int64_t window_us = m_rules.windows_us[w];
        std::uint64_t pairs = 0;
        for (const auto& action : co_actions) pairs += std::abs(action.delay_us) <= window_us;
        if (pairs == 0) continue;
        auto& window = part.windows[w];
        window.pairs += pairs;
        ++window.edges;
        const std::uint32_t weight = pairs == 1 ? 1 : count_objects(window_us, co_actions);
        if (weight == 1) ++window.singles;
        else ++window.weights[weight];
        for (const auto end : {a, b}) {
            std::atomic_ref(m_sums[w].degree[end]).fetch_add(1, std::memory_order_relaxed);
            std::atomic_ref(m_sums[w].strength[end]).fetch_add(weight, std::memory_order_relaxed);
        }
        if (weight < m_rules.weight_min) continue;
        is_candidate = true;
        part.candidates[w].push_back(
            {.a = a, .b = b, .weight = weight, .meetings = std::min(weight, count_meetings(window_us, co_actions))});
    }
    if (is_candidate)
        for (const auto& action : co_actions) part.spilled.push_back({a, b, action});
}

void Network::fold_judged(Part& part, std::uint32_t a, std::uint32_t b, std::span<const CoAction> co_actions) {
    std::int64_t widest_us = -1;
    for (std::size_t w = 0; w < m_rules.windows_us.size(); ++w) {
        const EdgeChance* chance = find_judged(w, a, b);
        if (!chance) continue;
        widest_us = m_rules.windows_us[w];
        part.edges.push_back(fold_edge(a, b, static_cast<std::uint32_t>(w), widest_us, m_rules.semantics, co_actions));
        part.chances.push_back(chance);
        for (const auto& action : co_actions)
            if (std::abs(action.delay_us) <= widest_us) part.windows[w].delays_us.push_back(std::abs(action.delay_us));
    }
    if (widest_us < 0) return;
    if (m_rules.write_pairs) remember_pairs(part, a, b, co_actions);
    if (m_rules.slice_us == 0) return;
    const auto begin = static_cast<std::ptrdiff_t>(part.active.size());
    for (const auto& action : co_actions) {
        if (std::abs(action.delay_us) > widest_us) continue;
        const std::int64_t slice = action.time_a_us / m_rules.slice_us - (action.time_a_us % m_rules.slice_us < 0 ? 1 : 0);
        part.active.push_back({a, b, static_cast<std::int32_t>(std::clamp<std::int64_t>(slice, -1'000'000'000, 1'000'000'000))});
    }
    std::sort(part.active.begin() + begin, part.active.end());
    part.active.erase(std::unique(part.active.begin() + begin, part.active.end()), part.active.end());
}

void Network::fold_pair(Part& part, std::uint32_t a, std::uint32_t b, std::span<const CoAction> co_actions, Pass kind) {
    if (kind == Pass::candidates) return fold_candidate(part, a, b, co_actions);
    bool is_any_kept = false;
    for (std::size_t w = 0; w < m_rules.windows_us.size(); ++w) {
        const Edge edge = fold_edge(a, b, static_cast<std::uint32_t>(w), m_rules.windows_us[w], m_rules.semantics, co_actions);
        if (edge.pairs == 0) continue;
        auto& window = part.windows[w];
        window.pairs += edge.pairs;
        ++window.edges;
        if (edge.weight == 1) ++window.singles;
        else ++window.weights[edge.weight];
        if (kind == Pass::weights || !is_kept(edge)) continue;
        is_any_kept = true;
        part.edges.push_back(edge);
        for (const auto& action : co_actions)
            if (std::abs(action.delay_us) <= m_rules.windows_us[w]) window.delays_us.push_back(std::abs(action.delay_us));
    }
    if (is_any_kept && m_rules.write_pairs) remember_pairs(part, a, b, co_actions);
}

void Network::remember_pairs(Part& part, std::uint32_t a, std::uint32_t b, std::span<const CoAction> co_actions) const {
    const std::size_t begin = part.pairs.size();
    for (const auto& action : co_actions) part.pairs.push_back({a, b, action});
    std::sort(part.pairs.begin() + static_cast<std::ptrdiff_t>(begin), part.pairs.end(),
              [&](const Part::Pair& x, const Part::Pair& y) {
                  const auto key = [&](const Part::Pair& p) {
                      return std::make_tuple(m_objects.string(p.action.object), std::abs(p.action.delay_us),
                                             p.action.content_a, p.action.content_b, p.action.post_a, p.action.post_b);
                  };
                  return key(x) < key(y);
              });
}

template <typename Handle>
void Network::pass_in_memory(std::span<const Row> rows, const PairRules& pair_rules, Pass kind, Progress& progress,
                             const Handle& handle) {
    const CoActionFinder finder(rows, static_cast<std::uint32_t>(m_ordered_accounts.size()), pair_rules);
    // Waves bound the memory of finished parts that wait for their turn.
    const std::size_t wave = std::max<std::size_t>(1, m_rules.threads) * 4;
    for (std::size_t begin = 0; begin < finder.parts(); begin += wave) {
        progress.check();
        progress.update(m_trace, begin, finder.parts());
        std::vector<Part> parts(std::min(wave, finder.parts() - begin), Part(m_rules.windows_us.size()));
        parallel_parts(parts.size(), m_rules.threads, [&](std::size_t i) {
            Part& part = parts[i];
            finder.for_each_pair(
                begin + i,
                [&](std::uint32_t a, std::uint32_t b, std::int64_t delay_us) { return count_single(part, a, b, delay_us, kind); },
                [&](std::uint32_t a, std::uint32_t b, std::span<const CoAction> co_actions) {
                    fold_pair(part, a, b, co_actions, kind);
                });
        });
        for (Part& part : parts) handle(part);
    }
}

template <typename Handle>
void Network::pass_merged(RowStore& rows, const PairRules& pair_rules, const Scratch& scratch, Pass kind, Progress& progress,
                          const Handle& handle) {
    std::vector<ScratchItems<SpilledAction>> runs;
    rows.for_each_bucket([&](std::vector<Row>& bucket) {
        ScratchFile file(scratch.folder, 1 << 18);
        const CoActionFinder finder(bucket, static_cast<std::uint32_t>(m_ordered_accounts.size()), pair_rules);
        const std::size_t wave = std::max<std::size_t>(1, m_rules.threads) * 4;
        for (std::size_t begin = 0; begin < finder.parts(); begin += wave) {
            progress.check();
            std::vector<Part> parts(std::min(wave, finder.parts() - begin), Part(0));
            parallel_parts(parts.size(), m_rules.threads, [&](std::size_t i) {
                finder.for_each_pair(
                    begin + i, [](std::uint32_t, std::uint32_t, std::int64_t) { return true; },
                    [&](std::uint32_t a, std::uint32_t b, std::span<const CoAction> co_actions) {
                        for (const auto& action : co_actions) parts[i].spilled.push_back({a, b, action});
                    });
            });
            for (const Part& part : parts)
                file.append(part.spilled.data(), part.spilled.size() * sizeof(SpilledAction));
        }
        runs.emplace_back(std::move(file));
        progress.update(m_trace, runs.size(), rows.buckets());
        return RowStore::Change::none;
    });

    // Each run is in order of (a, b) and objects never span two runs, so a merge brings all of a pair together.
    using Cursor = std::tuple<std::uint32_t, std::uint32_t, std::size_t>;
    std::priority_queue<Cursor, std::vector<Cursor>, std::greater<>> cursors;
    const auto push = [&](std::size_t run) {
        if (const auto* front = runs[run].front()) cursors.emplace(front->a, front->b, run);
    };
    for (std::size_t run = 0; run < runs.size(); ++run) push(run);
    constexpr std::size_t part_pairs = 1 << 16;
    Part part(m_rules.windows_us.size());
    std::vector<CoAction> actions;
    for (std::size_t handled = 0; !cursors.empty(); ++handled) {
        const auto [a, b, unused] = cursors.top();
        actions.clear();
        while (!cursors.empty() && std::get<0>(cursors.top()) == a && std::get<1>(cursors.top()) == b) {
            const std::size_t run = std::get<2>(cursors.top());
            cursors.pop();
            for (const auto* front = runs[run].front(); front && front->a == a && front->b == b; front = runs[run].front()) {
                actions.push_back(front->action);
                runs[run].pop();
            }
            push(run);
        }
        if (actions.size() > 1 || count_single(part, a, b, actions[0].delay_us, kind)) fold_pair(part, a, b, actions, kind);
        if (handled % part_pairs == part_pairs - 1) {
            progress.check();
            handle(part);
            part = Part(m_rules.windows_us.size());
        }
    }
    handle(part);
}

template <typename Handle>
void Network::pass(RowStore& rows, const PairRules& pair_rules, const Scratch& scratch, Pass kind, Progress& progress,
                   const Handle& handle) {
    if (rows.is_spilled()) {
        pass_merged(rows, pair_rules, scratch, kind, progress, handle);
        return;
    }
    rows.for_each_bucket([&](std::vector<Row>& bucket) {
        pass_in_memory(bucket, pair_rules, kind, progress, handle);
        return RowStore::Change::none;
    });
}

template <typename Handle>
void Network::fold_all_judged(ScratchFile co_actions, Progress& progress, const Handle& handle) {
    ScratchItems<SpilledAction> items(std::move(co_actions));
    constexpr std::size_t part_edges = 1 << 12;
    Part part(m_rules.windows_us.size());
    std::vector<CoAction> actions;
    while (const SpilledAction* front = items.front()) {
        const std::uint32_t a = front->a;
        const std::uint32_t b = front->b;
        actions.clear();
        for (; front && front->a == a && front->b == b; front = items.front()) {
            actions.push_back(front->action);
            items.pop();
        }
        fold_judged(part, a, b, actions);
        if (part.edges.size() < part_edges) continue;
        progress.check();
        handle(part);
        part = Part(m_rules.windows_us.size());
    }
    handle(part);
}

const Network::EdgeChance* Network::find_judged(std::size_t w, std::uint32_t a, std::uint32_t b) const {
    const Judged& judged = m_judged[w];
    const auto end = judged.edges.begin() + judged.begins[a + 1];
    const auto found = std::lower_bound(judged.edges.begin() + judged.begins[a], end, b,
                                        [](const EdgeChance& edge, std::uint32_t other) { return edge.b < other; });
    return found != end && found->b == b ? &*found : nullptr;
}

void Network::judge_window(const NullModels& models, std::size_t w, std::vector<Candidate>& candidates,
                           WindowResult& result, Progress& progress) {
    models.judge(w, candidates, progress);
    result.tests = models.tests();
    result.pace = models.pace(w);
    result.is_testable = models.is_testable();
    Chances chances = q_values(candidates, result.tests, m_rules.alpha);
    // The family of tests holds the controls; what is found among them answers no question about the inputs.
    const auto is_control = [&](std::uint32_t account_rank) {
        return m_rules.is_control && (*m_rules.is_control)[m_ordered_accounts[account_rank]] != 0;
    };
    const auto has_control = [&](const Candidate& c) { return is_control(c.a) || is_control(c.b); };
    double p_significant_max = 0;
    for (std::size_t i = 0; i < candidates.size(); ++i)
        if (chances.q[i] <= m_rules.alpha) p_significant_max = std::max(p_significant_max, chances.p[i]);
    if (m_rules.weight_quantile) m_thresholds[w] = weight_quantile(result.weights, *m_rules.weight_quantile);
    result.threshold = m_thresholds[w];
    std::vector<std::pair<double, double>> quantiles;
    for (const double quantile : {0.5, 0.9, 0.99})
        if (const auto threshold = weight_quantile(result.weights, quantile)) quantiles.emplace_back(quantile, *threshold);
    const KeepChoice choice{m_rules.keep, m_rules.alpha, m_rules.weight_min, m_thresholds[w]};
    const std::vector<std::uint8_t> is_found = choose_kept(candidates, chances.q, m_sums[w], choice);
    {
        std::vector<Candidate> of_inputs;
        std::vector<double> q_of_inputs;
        for (std::size_t i = 0; i < candidates.size(); ++i)
            if (!has_control(candidates[i])) {
                of_inputs.push_back(candidates[i]);
                q_of_inputs.push_back(chances.q[i]);
            }
        result.candidates = of_inputs.size();
        result.rules = compare_rules(of_inputs, q_of_inputs, m_sums[w], choice, quantiles);
    }
    progress.check();

    const auto accounts = static_cast<std::uint32_t>(m_ordered_accounts.size());
    Judged& judged = m_judged[w];
    judged.begins.assign(accounts + std::size_t{1}, 0);
    std::vector<std::uint8_t> is_significant(accounts, 0);
    const std::vector<std::uint8_t> is_untold = find_untold(candidates, chances, result.tests, m_rules.alpha);
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        const Candidate& c = candidates[i];
        const bool is_significant_here = chances.q[i] <= m_rules.alpha;
        const bool is_of_inputs = !has_control(c);
        if (is_significant_here && !is_of_inputs) ++result.control_edges;
        if (is_significant_here && is_of_inputs) {
            ++result.significant;
            is_significant[c.a] = is_significant[c.b] = 1;
            result.significant_closed += std::min(1.0, c.p_sync_own / c.prior) > p_significant_max;
        }
        const bool is_told = is_significant_here || (result.pace.has_common_pace && is_untold[i] == 0);
        if (!is_told && is_of_inputs) result.untold.emplace_back(c.a, c.b);
        const double p = chances.p[i];
        if (is_found[i] != 0 || p <= WindowResult::scored_p_max)
            result.scored.push_back({c.a, c.b, c.weight, is_found[i] != 0 && is_of_inputs, is_found[i] != 0, p});
        if (is_found[i] == 0 || !is_of_inputs) continue;
        ++judged.begins[c.a + 1];
        judged.edges.push_back({c.b, c.shared, c.expected_shared, c.expected_together, c.p_interest, c.p_sync, c.prior,
                                chances.q_interest[i], chances.q_sync[i], chances.q[i]});
    }
    for (std::uint32_t account = 0; account < accounts; ++account) judged.begins[account + 1] += judged.begins[account];
    result.significant_accounts =
        static_cast<std::uint64_t>(std::count(is_significant.begin(), is_significant.end(), std::uint8_t{1}));
    for (const auto& [a, b] : result.untold)
        for (const std::uint32_t end : {a, b})
            if (is_significant[end] == 0) {
                is_significant[end] = 1;
                ++result.untold_accounts;
            }
}

ScratchFile Network::judge(RowStore& rows, const PairRules& pair_rules, const Scratch& scratch,
                           std::vector<WindowResult>& results, Progress& progress) {
    const auto accounts = static_cast<std::uint32_t>(m_ordered_accounts.size());
    for (std::size_t w = 0; w < results.size(); ++w) {
        m_sums.push_back({std::vector<std::uint32_t>(accounts, 0), std::vector<std::uint64_t>(accounts, 0), 0});
        m_singles.push_back({std::vector<std::uint32_t>(accounts, 0), std::vector<std::uint32_t>(accounts, 0)});
    }
    ScratchFile co_actions(scratch.folder, 1 << 20);
    std::vector<std::vector<Candidate>> candidates(results.size());
    pass(rows, pair_rules, scratch, Pass::candidates, progress, [&](Part& part) {
        for (std::size_t w = 0; w < results.size(); ++w) {
            add_counts(results[w], part.windows[w]);
            candidates[w].insert(candidates[w].end(), part.candidates[w].begin(), part.candidates[w].end());
        }
        co_actions.append(part.spilled.data(), part.spilled.size() * sizeof(SpilledAction));
    });
    for (std::size_t w = 0; w < results.size(); ++w) {
        for (const auto& [weight, count] : results[w].weights) m_sums[w].total_weight += weight * count;
        for (std::uint32_t account = 0; account < accounts; ++account) {
            const std::uint32_t singles = m_singles[w].as_a[account] + m_singles[w].as_b[account];
            m_sums[w].degree[account] += singles;
            m_sums[w].strength[account] += singles;
        }
    }
    m_singles.clear();

    const NullModels models(rows, accounts, m_objects,
                            {m_rules.windows_us, m_rules.stratify_hours, m_rules.keep != Keep::significant, m_rules.seed, m_rules.threads}, progress);
    m_judged.resize(results.size());
    for (std::size_t w = 0; w < results.size(); ++w) {
        judge_window(models, w, candidates[w], results[w], progress);
        candidates[w] = {};
    }
    m_sums.clear();
    return co_actions;
}

std::vector<WindowResult> Network::run(RowStore& rows, const PairRules& pair_rules, const Scratch& scratch,
                                       NetworkTables& tables, const std::vector<std::uint32_t>& rows_of_account,
                                       Progress& progress) {
    const auto accounts = static_cast<std::uint32_t>(m_ordered_accounts.size());
    std::vector<WindowResult> results(m_rules.windows_us.size());
    for (std::size_t w = 0; w < results.size(); ++w) results[w].window_us = m_rules.windows_us[w];
    // The quantile is over all edges, so it is not known before the last one. CooRTweet only marks edges by it: they wait
    // in a scratch file. Otherwise it decides what is kept, which takes a pass of its own.
    const bool marks_edges = m_rules.weight_quantile && m_rules.semantics == Semantics::coortweet;
    std::optional<ScratchFile> co_actions;
    if (m_rules.judges_chance) {
        co_actions = judge(rows, pair_rules, scratch, results, progress);
    } else if (m_rules.weight_quantile && !marks_edges) {
        std::vector<WindowResult> counted(results.size());
        pass(rows, pair_rules, scratch, Pass::weights, progress, [&](const Part& part) {
            for (std::size_t w = 0; w < counted.size(); ++w) add_counts(counted[w], part.windows[w]);
        });
        for (std::size_t w = 0; w < counted.size(); ++w)
            m_thresholds[w] = weight_quantile(counted[w].weights, *m_rules.weight_quantile);
    }

    std::optional<ScratchFile> waiting;
    if (marks_edges) waiting.emplace(scratch.folder, 1 << 20);
    std::vector<Summing> sums;
    for (std::size_t w = 0; w < results.size(); ++w) {
        results[w].threshold = m_thresholds[w];
        sums.emplace_back(results[w], accounts);
    }
    const auto handle = [&](Part& part) {
        for (std::size_t w = 0; w < results.size(); ++w) {
            if (!m_rules.judges_chance) add_counts(results[w], part.windows[w]);
            auto& delays_us = part.windows[w].delays_us;
            std::sort(delays_us.begin(), delays_us.end());
            for (std::size_t begin = 0; begin < delays_us.size();) {
                std::size_t end = begin;
                while (end < delays_us.size() && delays_us[end] == delays_us[begin]) ++end;
                results[w].delays.add(delays_us[begin], end - begin);
                begin = end;
            }
        }
        for (std::size_t i = 0; i < part.edges.size(); ++i) {
            const Edge& edge = part.edges[i];
            if (waiting) waiting->append(&edge, sizeof(Edge));
            else write_edge(edge, m_rules.judges_chance ? part.chances[i] : nullptr, *tables.edges);
            sums[edge.window].add(edge);
        }
        m_active.insert(m_active.end(), part.active.begin(), part.active.end());
        for (const auto& pair : part.pairs) write_pair(pair.action, pair.a, pair.b, *tables.pairs);
    };
    if (co_actions) fold_all_judged(std::move(*co_actions), progress, handle);
    else pass(rows, pair_rules, scratch, Pass::edges, progress, handle);
    if (waiting) {
        results[0].threshold = m_thresholds[0] = weight_quantile(results[0].weights, *m_rules.weight_quantile);
        ScratchItems<Edge> edges(std::move(*waiting));
        for (; const Edge* edge = edges.front(); edges.pop()) write_edge(*edge, nullptr, *tables.edges);
    }

    for (std::size_t w = 0; w < results.size(); ++w) {
        sums[w].finish();
        const WindowResult& result = results[w];
        for (std::uint32_t account = 0; account < accounts; ++account) {
            if (result.degree[account] == 0) continue;
            auto& table = *tables.accounts;
            table.text(m_trace);
            table.real(static_cast<double>(result.window_us) / 1e6);
            table.text(this->account(account));
            table.integer(rows_of_account[account]);
            table.integer(result.degree[account]);
            table.integer(static_cast<std::int64_t>(sums[w].strength(account)));
            table.integer(result.group_of[account]);
            table.integer(result.groups[result.group_of[account] - 1].accounts);
            table.end_row();
        }
    }
    return results;
}

void Network::write_edge(const Edge& edge, const EdgeChance* chance, OutputTable& table) const {
    const auto count = [&](std::uint64_t value) { table.integer(static_cast<std::int64_t>(value)); };
    switch (m_rules.semantics) {
        case Semantics::native:
            table.text(m_trace);
            table.real(static_cast<double>(m_rules.windows_us[edge.window]) / 1e6);
            table.text(account(edge.a));
            table.text(account(edge.b));
            count(edge.weight);
            count(edge.pairs);
            count(edge.posts_a);
            count(edge.posts_b);
            table.real(edge.delay_mean_seconds);
            table.real(edge.delay_median_seconds);
            table.real(edge.delay_min_seconds);
            count(edge.first_a);
            count(edge.first_b);
            table.real(sign_test_p(edge.first_a, edge.first_b));
            if (!chance) {
                for (int column = 0; column < 9; ++column) table.missing();
                break;
            }
            count(chance->shared);
            for (const double value : {chance->expected_shared, chance->expected_together, chance->p_interest, chance->p_sync,
                                       chance->prior, chance->q_interest, chance->q_sync, chance->q})
                table.real(value);
            break;
        case Semantics::coortweet: {
            table.text(account(edge.a));
            table.text(account(edge.b));
            count(edge.weight);
            table.real(edge.delay_mean_seconds);
            count(edge.posts_older);
            count(edge.posts_newer);
            const auto [fewer, more] = std::minmax(edge.posts_older, edge.posts_newer);
            table.real(static_cast<double>(fewer) / static_cast<double>(more));
            const auto& threshold = m_thresholds[edge.window];
            count(threshold && static_cast<double>(edge.weight) > *threshold ? 1 : 0);
            break;
        }
        case Semantics::qut:
            table.text(account(edge.a));
            table.text(account(edge.b));
            count(edge.weight);
            break;
    }
    table.end_row();
}

void Network::write_pair(const CoAction& action, std::uint32_t a, std::uint32_t b, OutputTable& table) const {
    const auto object = m_objects.string(action.object);
    const std::string id_a = m_posts.id(action.post_a, action.content_a);
    const std::string id_b = m_posts.id(action.post_b, action.content_b);
    if (m_rules.semantics == Semantics::coortweet) {
        const auto older = action.a_is_older ? std::pair{a, id_a} : std::pair{b, id_b};
        const auto newer = action.a_is_older ? std::pair{b, id_b} : std::pair{a, id_a};
        table.text(object);
        table.text(account(older.first));
        table.text(account(newer.first));
        table.text(older.second);
        table.text(newer.second);
        table.real(static_cast<double>(std::abs(action.delay_us)) / 1e6);
        table.end_row();
        return;
    }
    table.text(m_trace);
    table.text(object);
    table.text(account(a));
    table.text(account(b));
    table.text(id_a);
    table.text(id_b);
    table.text(format_time(action.time_a_us));
    table.text(format_time(action.time_a_us + action.delay_us));
    table.real(static_cast<double>(action.delay_us) / 1e6);
    for (const auto post : {action.post_a, action.post_b}) {
        const Locator locator = m_posts.locator(post);
        table.integer(locator.evidence + 1);
        table.integer(static_cast<std::int64_t>(locator.row));
    }
    table.end_row();
}

}  // namespace unveil::coordination
