#include "instruments/coordination/network.hpp"

#include <algorithm>
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
                          real("direction_p", "two-sided sign test of first_a against first_b")});
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
    std::vector<Edge> edges;
    std::vector<Pair> pairs;
    std::vector<SpilledAction> spilled;
};

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

bool Network::count_single(Part& part, std::int64_t delay_us, bool edges_wanted) const {
    // An edge with one co-action weighs 1 in every semantics: if that is below the threshold, counting is all it needs.
    if (edges_wanted && m_rules.weight_min <= 1) return true;
    for (std::size_t w = 0; w < m_rules.windows_us.size(); ++w) {
        if (std::abs(delay_us) > m_rules.windows_us[w]) continue;
        auto& window = part.windows[w];
        ++window.pairs;
        ++window.edges;
        ++window.singles;
    }
    return false;
}

void Network::fold_pair(Part& part, std::uint32_t a, std::uint32_t b, std::span<const CoAction> co_actions,
                        bool edges_wanted) {
    bool is_any_kept = false;
    for (std::size_t w = 0; w < m_rules.windows_us.size(); ++w) {
        const Edge edge = fold_edge(a, b, static_cast<std::uint32_t>(w), m_rules.windows_us[w], m_rules.semantics, co_actions);
        if (edge.pairs == 0) continue;
        auto& window = part.windows[w];
        window.pairs += edge.pairs;
        ++window.edges;
        if (edge.weight == 1) ++window.singles;
        else ++window.weights[edge.weight];
        if (!edges_wanted || !is_kept(edge)) continue;
        is_any_kept = true;
        part.edges.push_back(edge);
        for (const auto& action : co_actions)
            if (std::abs(action.delay_us) <= m_rules.windows_us[w]) window.delays_us.push_back(std::abs(action.delay_us));
    }
    if (!is_any_kept || !m_rules.write_pairs) return;
    const std::size_t begin = part.pairs.size();
    for (const auto& action : co_actions) part.pairs.push_back({a, b, action});
    std::sort(part.pairs.begin() + static_cast<std::ptrdiff_t>(begin), part.pairs.end(),
              [&](const Part::Pair& x, const Part::Pair& y) {
                  const auto key = [&](const Part::Pair& p) {
                      return std::make_tuple(m_objects.string(p.action.object), std::abs(p.action.delay_us),
                                             m_posts.id(p.action.post_a), m_posts.id(p.action.post_b), p.action.post_a,
                                             p.action.post_b);
                  };
                  return key(x) < key(y);
              });
}

template <typename Handle>
void Network::pass_in_memory(std::span<const Row> rows, const PairRules& pair_rules, bool edges_wanted,
                             Progress& progress, const Handle& handle) {
    const CoActionFinder finder(rows, static_cast<std::uint32_t>(m_ordered_accounts.size()), pair_rules);
    // Waves bound the memory of finished parts that wait for their turn.
    const std::size_t wave = std::max<std::size_t>(1, m_rules.threads) * 4;
    for (std::size_t begin = 0; begin < finder.parts(); begin += wave) {
        progress.check();
        progress.update(m_trace, begin, finder.parts());
        std::vector<Part> parts(std::min(wave, finder.parts() - begin));
        parallel_parts(parts.size(), m_rules.threads, [&](std::size_t i) {
            Part& part = parts[i];
            part.windows.resize(m_rules.windows_us.size());
            finder.for_each_pair(
                begin + i, [&](std::int64_t delay_us) { return count_single(part, delay_us, edges_wanted); },
                [&](std::uint32_t a, std::uint32_t b, std::span<const CoAction> co_actions) {
                    fold_pair(part, a, b, co_actions, edges_wanted);
                });
        });
        for (Part& part : parts) handle(part);
    }
}

template <typename Handle>
void Network::pass_merged(RowStore& rows, const PairRules& pair_rules, const Scratch& scratch, bool edges_wanted,
                          Progress& progress, const Handle& handle) {
    std::vector<ScratchItems<SpilledAction>> runs;
    rows.for_each_bucket([&](std::vector<Row>& bucket) {
        ScratchFile file(scratch.folder, 1 << 18);
        const CoActionFinder finder(bucket, static_cast<std::uint32_t>(m_ordered_accounts.size()), pair_rules);
        const std::size_t wave = std::max<std::size_t>(1, m_rules.threads) * 4;
        for (std::size_t begin = 0; begin < finder.parts(); begin += wave) {
            progress.check();
            std::vector<Part> parts(std::min(wave, finder.parts() - begin));
            parallel_parts(parts.size(), m_rules.threads, [&](std::size_t i) {
                finder.for_each_pair(
                    begin + i, [](std::int64_t) { return true; },
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
    Part part;
    part.windows.resize(m_rules.windows_us.size());
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
        if (actions.size() > 1 || count_single(part, actions[0].delay_us, edges_wanted))
            fold_pair(part, a, b, actions, edges_wanted);
        if (handled % part_pairs == part_pairs - 1) {
            progress.check();
            handle(part);
            part = {};
            part.windows.resize(m_rules.windows_us.size());
        }
    }
    handle(part);
}

template <typename Handle>
void Network::pass(RowStore& rows, const PairRules& pair_rules, const Scratch& scratch, bool edges_wanted,
                   Progress& progress, const Handle& handle) {
    if (rows.is_spilled()) {
        pass_merged(rows, pair_rules, scratch, edges_wanted, progress, handle);
        return;
    }
    rows.for_each_bucket([&](std::vector<Row>& bucket) {
        pass_in_memory(bucket, pair_rules, edges_wanted, progress, handle);
        return RowStore::Change::none;
    });
}

std::vector<WindowResult> Network::run(RowStore& rows, const PairRules& pair_rules, const Scratch& scratch,
                                       NetworkTables& tables, const std::vector<std::uint32_t>& rows_of_account,
                                       Progress& progress) {
    const auto accounts = static_cast<std::uint32_t>(m_ordered_accounts.size());
    std::vector<WindowResult> results(m_rules.windows_us.size());
    const auto add_counts = [](WindowResult& result, const Part::Window& window) {
        result.pairs += window.pairs;
        result.edges_found += window.edges;
        if (window.singles > 0) result.weights[1] += window.singles;
        for (const auto& [weight, count] : window.weights) result.weights[weight] += count;
    };
    // The quantile is over all edges, so it is not known before the last one. CooRTweet only marks edges by it: they wait
    // in a scratch file. Otherwise it decides what is kept, which takes a pass of its own.
    const bool marks_edges = m_rules.weight_quantile && m_rules.semantics == Semantics::coortweet;
    if (m_rules.weight_quantile && !marks_edges) {
        std::vector<WindowResult> counted(results.size());
        pass(rows, pair_rules, scratch, false, progress, [&](const Part& part) {
            for (std::size_t w = 0; w < counted.size(); ++w) add_counts(counted[w], part.windows[w]);
        });
        for (std::size_t w = 0; w < counted.size(); ++w)
            m_thresholds[w] = weight_quantile(counted[w].weights, *m_rules.weight_quantile);
    }

    std::optional<ScratchFile> waiting;
    if (marks_edges) waiting.emplace(scratch.folder, 1 << 20);
    std::vector<Summing> sums;
    for (std::size_t w = 0; w < results.size(); ++w) {
        results[w].window_us = m_rules.windows_us[w];
        results[w].threshold = m_thresholds[w];
        sums.emplace_back(results[w], accounts);
    }
    pass(rows, pair_rules, scratch, true, progress, [&](Part& part) {
        for (std::size_t w = 0; w < results.size(); ++w) {
            add_counts(results[w], part.windows[w]);
            auto& delays_us = part.windows[w].delays_us;
            std::sort(delays_us.begin(), delays_us.end());
            for (std::size_t begin = 0; begin < delays_us.size();) {
                std::size_t end = begin;
                while (end < delays_us.size() && delays_us[end] == delays_us[begin]) ++end;
                results[w].delays.add(delays_us[begin], end - begin);
                begin = end;
            }
        }
        for (const Edge& edge : part.edges) {
            if (waiting) waiting->append(&edge, sizeof(Edge));
            else write_edge(edge, *tables.edges);
            sums[edge.window].add(edge);
        }
        for (const auto& pair : part.pairs) write_pair(pair.action, pair.a, pair.b, *tables.pairs);
    });
    if (waiting) {
        results[0].threshold = m_thresholds[0] = weight_quantile(results[0].weights, *m_rules.weight_quantile);
        ScratchItems<Edge> edges(std::move(*waiting));
        for (; const Edge* edge = edges.front(); edges.pop()) write_edge(*edge, *tables.edges);
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

void Network::write_edge(const Edge& edge, OutputTable& table) const {
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
    if (m_rules.semantics == Semantics::coortweet) {
        const auto older = action.a_is_older ? std::pair{a, action.post_a} : std::pair{b, action.post_b};
        const auto newer = action.a_is_older ? std::pair{b, action.post_b} : std::pair{a, action.post_a};
        table.text(object);
        table.text(account(older.first));
        table.text(account(newer.first));
        table.text(m_posts.id(older.second));
        table.text(m_posts.id(newer.second));
        table.real(static_cast<double>(std::abs(action.delay_us)) / 1e6);
        table.end_row();
        return;
    }
    table.text(m_trace);
    table.text(object);
    table.text(account(a));
    table.text(account(b));
    table.text(m_posts.id(action.post_a));
    table.text(m_posts.id(action.post_b));
    table.text(format_time(m_posts.time_us(action.post_a)));
    table.text(format_time(m_posts.time_us(action.post_b)));
    table.real(static_cast<double>(action.delay_us) / 1e6);
    for (const auto post : {action.post_a, action.post_b}) {
        const Locator locator = m_posts.locator(post);
        table.integer(locator.evidence + 1);
        table.integer(static_cast<std::int64_t>(locator.row));
    }
    table.end_row();
}

}  // namespace unveil::coordination
