// The network of one trace: edges as they come from the finder are counted, thresholded, written out and summed into
// accounts, groups and the figures of the findings. Memory follows the kept edges' accounts, not the edges found.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/output_table.hpp"
#include "core/progress.hpp"
#include "instruments/coordination/co_actions.hpp"
#include "instruments/coordination/dictionary.hpp"
#include "instruments/coordination/edges.hpp"
#include "instruments/coordination/posts.hpp"
#include "instruments/coordination/row_store.hpp"

namespace unveil::coordination {

struct NetworkRules {
    Semantics semantics = Semantics::native;
    std::vector<std::int64_t> windows_us;    // ascending
    std::uint64_t weight_min = 2;
    std::optional<double> weight_quantile;   // keep (native) or mark (CooRTweet) weights above this quantile, strictly
    bool keep_loops = false;
    bool write_pairs = false;
    std::int64_t time_resolution_us = 1;     // of the coarsest evidence
    unsigned threads = 1;
};

/// The tables that all traces of a run write into.
struct NetworkTables {
    OutputTable* edges = nullptr;
    OutputTable* accounts = nullptr;
    OutputTable* pairs = nullptr;
};
NetworkTables open_tables(OutputTables& tables, const NetworkRules& rules);

/// How many edges have each weight.
using WeightCounts = std::map<std::uint64_t, std::uint64_t>;
/// Quantile of type 7 (Hyndman & Fan 1996), as R's default and CooRTweet use it. Nothing for no edges.
std::optional<double> weight_quantile(const WeightCounts& counts, double probability);

struct GroupSummary {
    std::uint32_t accounts = 0;
    std::uint32_t smallest_account = 0;  // rank; stands for the group
};

/// How many co-actions have each delay. Exact until there are too many different delays; then they are rounded down to
/// multiples of a tick that grows tenfold, which does not depend on the order of adding.
class DelayCounts {
  public:
    void add(std::int64_t delay_us, std::uint64_t count);
    std::uint64_t total() const { return m_total; }
    std::int64_t tick_us() const { return m_tick_us; }
    const std::map<std::int64_t, std::uint64_t>& by_delay_us() const { return m_counts; }
    /// The delay at position `index` (from 0) in ascending order.
    std::int64_t nth(std::uint64_t index) const;

  private:
    static constexpr std::size_t different_max = 1 << 20;
    std::map<std::int64_t, std::uint64_t> m_counts;
    std::int64_t m_tick_us = 1;
    std::uint64_t m_total = 0;
};

/// What the findings need to know of one window.
struct WindowResult {
    std::int64_t window_us = 0;
    std::uint64_t pairs = 0;            // all co-actions, before any threshold
    std::uint64_t edges_found = 0;      // pairs of accounts with at least one
    WeightCounts weights;               // of all edges found
    std::optional<double> threshold;    // from the quantile
    std::uint64_t edges = 0;            // kept
    std::uint64_t pairs_kept = 0;       // co-actions on kept edges
    std::uint32_t accounts = 0;         // on kept edges
    std::vector<GroupSummary> groups;   // largest first, then by smallest account
    std::vector<std::uint32_t> group_of;    // account rank -> 1 + position in groups; 0: none
    std::vector<std::uint32_t> degree;      // account rank -> kept edges
    DelayCounts delays;                     // of the co-actions on kept edges
    std::vector<Edge> strongest;        // kept edges by weight, then accounts; at most strongest_max
    static constexpr std::size_t strongest_max = 6000;
};

class Network {
  public:
    Network(std::string trace, const NetworkRules& rules, const Dictionary& accounts,
            const std::vector<std::uint32_t>& ordered_accounts, const Dictionary& objects, const Posts& posts);

    /// Runs the finder over all buckets of `rows`; with several buckets, co-actions are merged through scratch files.
    std::vector<WindowResult> run(RowStore& rows, const PairRules& pair_rules, const Scratch& scratch, NetworkTables& tables,
                      const std::vector<std::uint32_t>& rows_of_account, Progress& progress);

  private:
    struct Part;
    /// One pass over every pair of accounts: `handle` gets finished parts in order.
    template <typename Handle>
    void pass(RowStore& rows, const PairRules& pair_rules, const Scratch& scratch, bool edges_wanted, Progress& progress,
              const Handle& handle);
    template <typename Handle>
    void pass_in_memory(std::span<const Row> rows, const PairRules& pair_rules, bool edges_wanted, Progress& progress,
                        const Handle& handle);
    template <typename Handle>
    void pass_merged(RowStore& rows, const PairRules& pair_rules, const Scratch& scratch, bool edges_wanted,
                     Progress& progress, const Handle& handle);
    void fold_pair(Part& part, std::uint32_t a, std::uint32_t b, std::span<const CoAction> co_actions, bool edges_wanted);
    bool count_single(Part& part, std::int64_t delay_us, bool edges_wanted) const;
    bool is_kept(const Edge& edge) const;

    void write_edge(const Edge& edge, OutputTable& table) const;
    void write_pair(const CoAction& action, std::uint32_t a, std::uint32_t b, OutputTable& table) const;
    std::string_view account(std::uint32_t rank) const { return m_accounts.string(m_ordered_accounts[rank]); }

    std::string m_trace;
    NetworkRules m_rules;
    const Dictionary& m_accounts;
    const std::vector<std::uint32_t>& m_ordered_accounts;
    const Dictionary& m_objects;
    const Posts& m_posts;
    std::vector<std::optional<double>> m_thresholds;  // by window, once counted
};

}  // namespace unveil::coordination
