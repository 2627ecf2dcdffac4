// The network of one trace: edges as they come from the finder are counted, judged against chance, thresholded, written out
// and summed into accounts, groups and the figures of the findings.
//
// One pass over the pairs of accounts. With chance models it counts all edges and puts the co-actions of those of the minimum
// weight into a scratch file (64 bytes each, and 48 bytes of memory an edge); once all are judged, those kept are read back,
// folded and written. Without chance models edges are written as they come, and memory follows the kept edges' accounts.
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
#include "instruments/coordination/keep_rules.hpp"
#include "instruments/coordination/null_models.hpp"
#include "instruments/coordination/posts.hpp"
#include "instruments/coordination/row_store.hpp"

namespace unveil::coordination {

struct NetworkRules {
    Semantics semantics = Semantics::native;
    std::vector<std::int64_t> windows_us;    // ascending
    std::uint64_t weight_min = 2;
    std::optional<double> weight_quantile;   // keep (native) or mark (CooRTweet) weights above this quantile, strictly
    bool judges_chance = false;              // native only
    bool stratify_hours = true;
    Keep keep = Keep::weight;
    double alpha = 0.05;
    std::uint64_t seed = 0;
    /// By account number: neither kept nor counted among the candidates, but part of the models.
    const std::vector<std::uint8_t>* is_control = nullptr;
    std::int64_t slice_us = 0;               // co-actions of kept edges are counted by slices of time of this length
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

/// A pair of accounts as one trace and window sees it, for the fusion of traces.
struct ScoredEdge {
    std::uint32_t a;
    std::uint32_t b;
    std::uint32_t weight;
    bool is_kept;    // by the rule, and neither end is a control
    bool is_found;   // by the rule
    double p;   // of synchrony over the pair's prior, 1 where interest is not significant
};

/// A kept edge was active in a slice of time.
struct ActiveEdge {
    std::uint32_t a;
    std::uint32_t b;
    std::int32_t slice;   // floor(time / slice)
    friend auto operator<=>(const ActiveEdge&, const ActiveEdge&) = default;
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

    // With chance models:
    double tests = 0;                   // all pairs of accounts that have rows
    std::uint64_t candidates = 0;       // edges of the minimum weight
    std::uint64_t significant = 0;      // q <= alpha
    std::uint64_t significant_accounts = 0;
    std::uint64_t significant_closed = 0;   // of them, those that the objects' own pace would explain
    std::uint64_t control_edges = 0;        // significant, with a control at an end; not in the numbers above
    /// Pairs of inputs of which the tests cannot tell whether they act together, by (a, b): see find_untold(); without a common
    /// pace all candidates that are not significant.
    std::vector<std::pair<std::uint32_t, std::uint32_t>> untold;
    std::uint32_t untold_accounts = 0;      // of them, without an edge beyond chance
    bool is_testable = false;           // by who shared what alone
    std::vector<RuleOutcome> rules;     // how the answer changes with the rule
    PaceSummary pace;
    std::vector<ScoredEdge> scored;     // kept, or with a p of at most scored_p_max; by (a, b)
    static constexpr double scored_p_max = 1e-3;
};

class Network {
  public:
    Network(std::string trace, const NetworkRules& rules, const Dictionary& accounts,
            const std::vector<std::uint32_t>& ordered_accounts, const Dictionary& objects, const Posts& posts);

    /// Runs the finder over all buckets of `rows`; with several buckets, co-actions are merged through scratch files.
    std::vector<WindowResult> run(RowStore& rows, const PairRules& pair_rules, const Scratch& scratch, NetworkTables& tables,
                      const std::vector<std::uint32_t>& rows_of_account, Progress& progress);
    /// The slices of time in which kept edges were active in any window, ascending; after run().
    std::vector<ActiveEdge>& active_edges() { return m_active; }

  private:
    struct Part;
    /// What one pass over the pairs of accounts does with them.
    enum class Pass {
        weights,     // counts
        candidates,  // counts, and remembers edges of the minimum weight
        edges,       // counts, folds and keeps by weight
    };
    /// One pass over every pair of accounts: `handle` gets finished parts in order.
    template <typename Handle>
    void pass(RowStore& rows, const PairRules& pair_rules, const Scratch& scratch, Pass kind, Progress& progress,
              const Handle& handle);
    template <typename Handle>
    void pass_in_memory(std::span<const Row> rows, const PairRules& pair_rules, Pass kind, Progress& progress,
                        const Handle& handle);
    template <typename Handle>
    void pass_merged(RowStore& rows, const PairRules& pair_rules, const Scratch& scratch, Pass kind, Progress& progress,
                     const Handle& handle);
    void fold_pair(Part& part, std::uint32_t a, std::uint32_t b, std::span<const CoAction> co_actions, Pass kind);
    void fold_candidate(Part& part, std::uint32_t a, std::uint32_t b, std::span<const CoAction> co_actions);
    void fold_judged(Part& part, std::uint32_t a, std::uint32_t b, std::span<const CoAction> co_actions);
    void remember_pairs(Part& part, std::uint32_t a, std::uint32_t b, std::span<const CoAction> co_actions) const;
    bool count_single(Part& part, std::uint32_t a, std::uint32_t b, std::int64_t delay_us, Pass kind);
    bool is_kept(const Edge& edge) const;

    /// Finds the candidates, judges them, and leaves in m_judged what is kept; returns the candidates' co-actions.
    ScratchFile judge(RowStore& rows, const PairRules& pair_rules, const Scratch& scratch, std::vector<WindowResult>& results,
               Progress& progress);
    void judge_window(const NullModels& models, std::size_t w, std::vector<Candidate>& candidates, WindowResult& result,
                      Progress& progress);

    /// What is known of a kept edge beside its co-actions.
    struct EdgeChance {
        std::uint32_t b;
        std::uint32_t shared;
        double expected_shared;
        double expected_together;
        double p_interest;
        double p_sync;
        double prior;
        double q_interest;
        double q_sync;
        double q;
    };
    struct Judged {
        std::vector<std::uint32_t> begins;   // by account a
        std::vector<EdgeChance> edges;
    };
    const EdgeChance* find_judged(std::size_t w, std::uint32_t a, std::uint32_t b) const;
    /// Hands out what the judgement kept, in parts.
    template <typename Handle>
    void fold_all_judged(ScratchFile co_actions, Progress& progress, const Handle& handle);

    void write_edge(const Edge& edge, const EdgeChance* chance, OutputTable& table) const;
    void write_pair(const CoAction& action, std::uint32_t a, std::uint32_t b, OutputTable& table) const;
    std::string_view account(std::uint32_t rank) const { return m_accounts.string(m_ordered_accounts[rank]); }

    std::string m_trace;
    NetworkRules m_rules;
    const Dictionary& m_accounts;
    const std::vector<std::uint32_t>& m_ordered_accounts;
    const Dictionary& m_objects;
    const Posts& m_posts;
    std::vector<std::optional<double>> m_thresholds;  // by window, once counted
    /// Edges of weight 1 by either end.
    struct Singles {
        std::vector<std::uint32_t> as_a;
        std::vector<std::uint32_t> as_b;
    };
    std::vector<Singles> m_singles;                   // by window, while candidates are found
    std::vector<EdgeSums> m_sums;                     // by window, while candidates are found
    std::vector<Judged> m_judged;                     // by window
    std::vector<ActiveEdge> m_active;
};

}  // namespace unveil::coordination
