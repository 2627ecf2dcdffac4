#include "instruments/coordination/coordination.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <set>

#include "core/error.hpp"
#include "core/text.hpp"
#include "instruments/coordination/communities.hpp"
#include "instruments/coordination/controls.hpp"
#include "instruments/coordination/describe_network.hpp"
#include "instruments/coordination/dictionary.hpp"
#include "instruments/common_findings.hpp"
#include "instruments/coordination/fusion.hpp"
#include "instruments/coordination/near_text_trace.hpp"
#include "instruments/coordination/network.hpp"
#include "instruments/coordination/participation.hpp"
#include "instruments/coordination/posts.hpp"
#include "instruments/coordination/profiles.hpp"
#include "instruments/coordination/row_store.hpp"
#include "instruments/coordination/traces.hpp"

namespace unveil {

using namespace coordination;

namespace {

struct Settings {
    Semantics semantics;
    TraceOptions trace_options;
    NetworkRules network;
    FilterRules filter;
    PairRules pairs;
    NearTextOptions near_text;
    bool show_texts;
    CommunityRules communities;
    ControlRules controls;
    bool finds_communities;
    bool keeps_profiles;   // of accounts and posts, for communities or controls
    bool force_window;
};

Settings read_settings(const ParameterValues& parameters, unsigned threads) {
    Settings settings{};
    const std::string semantics = parameters.text("semantics");
    settings.semantics = semantics == "coortweet" ? Semantics::coortweet
                         : semantics == "qut"     ? Semantics::qut
                                                  : Semantics::native;
    settings.force_window = parameters.flag("force-window");
    settings.trace_options.semantics = settings.semantics;
    settings.trace_options.include_reposts = parameters.text("reposts") == "include";
    settings.trace_options.hashtags_min = static_cast<std::size_t>(parameters.integer("hashtags-min"));

    settings.near_text = {.jaccard_min = parameters.real("text-similarity"),
                          .fold_chinese = parameters.flag("fold-chinese"),
                          .threads = threads};
    settings.show_texts = parameters.flag("show-texts");

    auto& network = settings.network;
    network.semantics = settings.semantics;
    network.windows_us = parameters.durations_us("window");
    std::sort(network.windows_us.begin(), network.windows_us.end());
    network.windows_us.erase(std::unique(network.windows_us.begin(), network.windows_us.end()), network.windows_us.end());
    network.weight_min = parameters.has_value("min-weight")
                             ? static_cast<std::uint64_t>(parameters.integer("min-weight"))
                             : (settings.semantics == Semantics::coortweet ? 1 : 2);
    if (parameters.has_value("edge-weight")) network.weight_quantile = parameters.real("edge-weight");
    else if (settings.semantics == Semantics::coortweet) network.weight_quantile = 0.5;
    const bool is_native = settings.semantics == Semantics::native;
    if (!is_native && parameters.has_value("keep"))
        throw Error(ErrorKind::usage, fmt::format("--keep does not go with --semantics {}", semantics),
                    "Leave one of them away: those semantics have no chance model");
    if (!is_native)
        for (const std::string name : {"alpha", "chance", "posting-hours", "communities", "resolution", "stability-runs", "slice", "control-label"})
            if (parameters.is_set(name))
                throw Error(ErrorKind::usage, fmt::format("--{} does not go with --semantics {}", name, semantics),
                            "Leave one of them away: those semantics have no chance model");
    if (parameters.text("chance") == "off" && parameters.is_set("communities") && parameters.text("communities") == "on")
        throw Error(ErrorKind::usage, "--communities on needs the chance models", "Leave --chance off away");
    network.judges_chance = is_native && parameters.text("chance") == "on";
    network.keep = parameters.has_value("keep") ? keep_named(parameters.text("keep"))
                   : network.judges_chance      ? Keep::significant
                                                : Keep::weight;
    if (!network.judges_chance && network.keep != Keep::weight)
        throw Error(ErrorKind::usage, fmt::format("--keep {} needs the chance models", parameters.text("keep")),
                    "Leave --chance off away, or use --keep weight");
    network.alpha = parameters.real("alpha");
    network.write_pairs = parameters.flag("pairs") || network.keep == Keep::significant;
    settings.finds_communities = network.judges_chance && parameters.text("communities") == "on";
    settings.communities = {.resolution = parameters.real("resolution"),
                            .stability_runs = static_cast<std::uint32_t>(parameters.integer("stability-runs")),
                            .slice_us = parameters.duration_us("slice"),
                            .judges_chance = network.keep == Keep::significant,
                            .alpha = network.alpha,
                            .threads = threads};
    settings.controls = {.control_label = parameters.text("control-label"), .threads = threads};
    if (settings.finds_communities) network.slice_us = settings.communities.slice_us;
    network.stratify_hours = parameters.text("posting-hours") == "stratify";
    network.keep_loops = parameters.flag("keep-loops");
    if (network.judges_chance && network.keep_loops)
        throw Error(ErrorKind::usage, "--keep-loops does not go with the chance models", "Add --chance off");
    network.threads = threads;
    if (settings.semantics != Semantics::native && network.windows_us.size() > 1)
        throw Error(ErrorKind::usage, fmt::format("--semantics {} takes one window", semantics),
                    "Give one --window, or leave --semantics away");
    if (settings.semantics == Semantics::qut && network.weight_quantile)
        throw Error(ErrorKind::usage, "the QUT toolkit has no weight quantile", "Leave --edge-weight away");

    settings.pairs.window_us = network.windows_us.back();
    settings.pairs.keep_loops = network.keep_loops;
    settings.pairs.is_directed = settings.semantics == Semantics::qut;
    settings.pairs.keep_same_content = settings.semantics == Semantics::coortweet && network.keep_loops;
    settings.pairs.use_flags = settings.semantics == Semantics::coortweet;
    settings.pairs.filter_pairs = settings.semantics == Semantics::coortweet;

    settings.filter.participation_min =
        settings.semantics == Semantics::qut ? 0 : static_cast<std::uint64_t>(parameters.integer("min-participation"));
    settings.filter.drop_repeats = settings.semantics == Semantics::native;
    settings.filter.viral_pairs_max = static_cast<std::uint64_t>(parameters.integer("viral-pairs-max"));
    return settings;
}

std::vector<Trace> choose_traces(const ParameterValues& parameters, PostFields available, Semantics semantics,
                                 const std::string& path) {
    std::vector<Trace> traces;
    std::vector<std::string> possible;
    for (const auto& description : trace_descriptions())
        if ((description.any_of & available) != 0) possible.emplace_back(description.name);
    const auto asked = parameters.texts("traces");
    const auto is_in = [](const std::vector<std::string>& names, std::string_view name) {
        return std::find(names.begin(), names.end(), name) != names.end();
    };
    for (const auto& description : trace_descriptions()) {
        const bool is_possible = is_in(possible, description.name);
        const bool is_asked = is_in(asked, description.name);
        if (is_asked && !is_possible)
            throw Error(ErrorKind::input, fmt::format("the evidence cannot carry the trace '{}'", description.name),
                        possible.empty() ? "It has no column that any trace can use; map one with --columns"
                                         : fmt::format("It can carry {}; map further columns with --columns",
                                                       fmt::join(possible, ", ")),
                        path);
        if (is_asked || (is_in(asked, "auto") && is_possible && description.is_specific))
            traces.push_back(description.trace);
    }
    if (traces.empty())
        throw Error(ErrorKind::input, "the evidence has no column that a trace can use by itself",
                    possible.empty() ? "Map one with --columns, for example --columns object=link_id"
                                     : fmt::format("Ask for one with --traces {}", fmt::join(possible, ",")),
                    path);
    if (semantics != Semantics::native && traces.size() > 1)
        throw Error(ErrorKind::usage, "this --semantics takes one trace at a time", "Choose one with --traces");
    return traces;
}

/// All rows of one trace while the evidence is read.
struct TraceInWork {
    Trace trace;
    Dictionary objects;
    std::vector<std::uint64_t> object_keys;  // content_key of each object's id, for posts that are their own object
    std::unique_ptr<RowStore> rows;
    TraceRows extracted;
    std::vector<std::uint32_t> object_numbers;
    std::vector<std::uint32_t> object_rows;  // of near-text, where posts weigh in
    std::uint64_t own_objects = 0;
};

class Reading {
  public:
    Reading(const std::vector<Trace>& traces, const Settings& settings, InstrumentContext& context)
        : m_settings(settings), m_context(context), m_posts(settings.network.write_pairs, context.scratch) {
        if (settings.keeps_profiles) m_profiles.emplace(context.scratch);
        for (const auto trace : traces) {
            m_traces.emplace_back();
            m_traces.back().trace = trace;
            m_traces.back().rows = std::make_unique<RowStore>(context.scratch);
        }
    }

    void read(PostSource& source, bool is_control) {
        PostFields wanted = m_profiles ? Profiles::fields() : 0;
        for (const auto& work : m_traces) wanted |= description_of(work.trace).any_of | description_of(work.trace).also;
        source.want(wanted & source.fields());
        PostBatch batch;
        while (source.next(batch)) {
            m_context.progress.check();
            m_context.progress.update("reading", source.bytes_done(), source.report().bytes);
            add(batch, is_control);
            keep_within_memory();
        }
    }

    void finish() {
        m_posts.finish();
        if (m_profiles) m_profiles->finish();
    }

    Dictionary& accounts() { return m_accounts; }
    /// Accounts that posted; others only had their posts repeated.
    std::uint32_t posters() const { return m_posters; }
    Profiles* profiles() { return m_profiles ? &*m_profiles : nullptr; }
    Posts& posts() { return m_posts; }
    std::vector<TraceInWork>& traces() { return m_traces; }

  private:
    void add(const PostBatch& batch, bool is_control) {
        const std::size_t size = batch.size();
        m_account_numbers.resize(size);
        m_accounts.number(batch.account, m_account_numbers.data());
        m_content_keys.resize(size);
        const std::uint32_t first_post = m_posts.size();
        for (std::size_t i = 0; i < size; ++i) {
            m_content_keys[i] = content_key(batch.content[i]);
            m_posts.add({batch.evidence, batch.row[i]}, batch.content[i], m_content_keys[i]);
            if (m_account_numbers[i] >= m_is_poster.size()) m_is_poster.resize(m_accounts.size(), 0);
            m_posters += m_is_poster[m_account_numbers[i]] == 0;
            m_is_poster[m_account_numbers[i]] = 1;
        }
        if (m_profiles) m_profiles->add(batch, m_account_numbers, m_content_keys, first_post, is_control, m_accounts);
        for (auto& work : m_traces) {
            work.extracted.extract(work.trace, batch, m_settings.trace_options);
            const auto posts = work.extracted.posts();
            work.object_numbers.resize(posts.size());
            work.objects.number(work.extracted.objects(), work.object_numbers.data());
            while (work.object_keys.size() < work.objects.size())
                work.object_keys.push_back(content_key(work.objects.string(static_cast<std::uint32_t>(work.object_keys.size()))));
            if (work.trace == Trace::near_text) {
                work.object_rows.resize(work.objects.size(), 0);
                for (const std::uint32_t object : work.object_numbers) ++work.object_rows[object];
            }
            for (std::size_t k = 0; k < posts.size(); ++k) {
                const std::uint32_t i = posts[k];
                const std::uint32_t object = work.object_numbers[k];
                const bool is_own_object = work.object_keys[object] == m_content_keys[i];
                work.own_objects += is_own_object;
                if (is_own_object && m_settings.semantics == Semantics::native && !m_settings.network.keep_loops) continue;
                work.rows->add({batch.time_us[i], m_content_keys[i], object, m_account_numbers[i], first_post + i,
                                is_own_object ? flag_own_object : 0});
            }
        }
    }

    void keep_within_memory() {
        const std::uint64_t limit = m_context.scratch.memory_bytes_max;
        if (limit == 0) return;
        for (;;) {
            std::uint64_t used = m_accounts.memory_bytes() + m_posts.memory_bytes() + (m_profiles ? m_profiles->memory_bytes() : 0);
            RowStore* largest = nullptr;
            for (auto& work : m_traces) {
                used += work.objects.memory_bytes() + work.rows->memory_bytes();
                if (!work.rows->is_spilled() && (!largest || work.rows->rows() > largest->rows())) largest = work.rows.get();
            }
            if (used <= limit || !largest) return;
            largest->spill();
        }
    }

    const Settings& m_settings;
    InstrumentContext& m_context;
    Dictionary m_accounts;
    Posts m_posts;
    std::optional<Profiles> m_profiles;
    std::vector<std::uint8_t> m_is_poster;
    std::uint32_t m_posters = 0;
    std::vector<TraceInWork> m_traces;
    std::vector<std::uint32_t> m_account_numbers;
    std::vector<std::uint64_t> m_content_keys;
};

void check_windows(const std::vector<PostSource*>& sources, const Settings& settings) {
    if (settings.force_window) return;
    constexpr std::int64_t second_us = 1'000'000;
    for (const auto* source : sources) {
        const auto& resolution = source->report().time_resolution;
        for (const std::int64_t window_us : settings.network.windows_us) {
            // A window of 0 asks for equal times, which whole seconds can answer.
            if (window_us >= resolution.resolution_us || (window_us == 0 && resolution.resolution_us <= second_us)) continue;
            throw Error(ErrorKind::input,
                        fmt::format("a window of {} is finer than the times of the evidence: {}",
                                    format_duration(window_us), resolution.reason),
                        fmt::format("Use --window {} or wider, or --force-window if you know better",
                                    format_duration(resolution.resolution_us)),
                        source->report().path);
        }
    }
}

RowStore::Less row_order(Semantics semantics, const std::vector<std::uint32_t>& ordered_accounts) {
    if (semantics == Semantics::native)
        return [](const Row& x, const Row& y) {
            if (x.time_us != y.time_us) return x.time_us < y.time_us;
            if (x.account != y.account) return x.account < y.account;
            if (x.content != y.content) return x.content < y.content;
            return x.post < y.post;
        };
    // CooRTweet orders rows by account in order of first appearance, then as given; that settles equal times.
    return [&ordered_accounts](const Row& x, const Row& y) {
        if (x.time_us != y.time_us) return x.time_us < y.time_us;
        if (x.account != y.account) return ordered_accounts[x.account] < ordered_accounts[y.account];
        return x.post < y.post;
    };
}

void write_excluded(const TraceInWork& work, const FilterResult& filtered, OutputTable& table) {
    for (const auto& excluded : filtered.excluded) {
        table.text(description_of(work.trace).name);
        table.text(work.objects.string(excluded.object));
        table.integer(static_cast<std::int64_t>(excluded.rows));
        table.integer(static_cast<std::int64_t>(excluded.accounts));
        table.integer(static_cast<std::int64_t>(excluded.pairs));
        table.end_row();
    }
}

/// The verdict of all traces and windows on each pair of accounts.
class FusedNetwork {
  public:
    FusedNetwork(const Settings& settings, const std::vector<Trace>& traces, OutputTables& tables)
        : m_settings(settings), m_traces(traces) {
        if (settings.network.judges_chance)
            m_table = &tables.open("fused", {{"account_a", CellType::text, "first account in byte order"},
                                             {"account_b", CellType::text, "second account"},
                                             {"weight", CellType::integer, "objects shared within the widest window, over all traces"},
                                             {"p", CellType::real, "smallest weighted p over traces and windows, times their number"},
                                             {"q", CellType::real, "false discovery rate over all pairs of accounts"},
                                             {"traces", CellType::text, "each trace's share of the evidence against chance"}});
    }

    void add(std::uint32_t trace, const std::vector<std::uint32_t>& rows_of_account, const std::vector<WindowResult>& results,
             std::vector<ActiveEdge>& active) {
        m_is_active.resize(rows_of_account.size(), 0);
        for (std::size_t account = 0; account < rows_of_account.size(); ++account)
            if (rows_of_account[account] > 0) m_is_active[account] = 1;
        for (const auto& result : results) {
            m_tests_each += result.is_testable;
            m_untold_pairs.insert(m_untold_pairs.end(), result.untold.begin(), result.untold.end());
            for (const auto& edge : result.scored) m_inputs.push_back({edge.a, edge.b, edge.weight, trace, edge.is_kept, edge.is_found, edge.p});
        }
        m_active.insert(m_active.end(), active.begin(), active.end());
        active = {};
    }

    /// Fuses, writes the table and says what came out.
    void finish(const NetworkNames& names, bool scores_accounts, Findings& findings) {
        m_traces_scored = scores_accounts ? m_inputs : std::vector<FusionInput>();
        const auto n = static_cast<double>(active_accounts());
        m_edges = fuse(std::move(m_inputs), m_tests_each, n * (n - 1) / 2);
        const bool by_chance = m_settings.network.keep == Keep::significant;
        if (scores_accounts) score_accounts(names.ordered_accounts.size());
        std::erase_if(m_edges, [&](const FusedEdge& edge) {
            // Every edge here has its posts in the tables of a trace.
            return !edge.is_kept_somewhere || (by_chance && edge.q > m_settings.network.alpha);
        });
        const auto is_kept = [&](const ActiveEdge& active) {
            const auto found = std::lower_bound(m_edges.begin(), m_edges.end(), active, [](const FusedEdge& x, const ActiveEdge& y) {
                return std::pair(x.a, x.b) < std::pair(y.a, y.b);
            });
            return found != m_edges.end() && found->a == active.a && found->b == active.b;
        };
        std::erase_if(m_active, [&](const ActiveEdge& active) { return !is_kept(active); });

        std::vector<std::uint8_t> has_edge(names.ordered_accounts.size(), 0);
        std::vector<double> share_sum(m_traces.size(), 0);
        std::vector<std::uint64_t> leads(m_traces.size(), 0);
        std::string shares;
        for (const FusedEdge& edge : m_edges) {
            has_edge[edge.a] = has_edge[edge.b] = 1;
            ++leads[edge.shares.front().first];
            shares.clear();
            for (const auto& [trace, share] : edge.shares) {
                share_sum[trace] += share;
                shares += fmt::format("{}{} {:.4g}", shares.empty() ? "" : "; ", description_of(m_traces[trace]).name, share);
            }
            m_table->text(names.account(edge.a));
            m_table->text(names.account(edge.b));
            m_table->integer(edge.weight);
            m_table->real(edge.p);
            m_table->real(edge.q);
            m_table->text(shares);
            m_table->end_row();
        }
        const auto on_edges = static_cast<std::uint64_t>(std::count(has_edge.begin(), has_edge.end(), std::uint8_t{1}));
        auto edges = exact_count("fused.edges", "pairs of accounts", m_edges.size(), "edges",
                                 by_chance ? fmt::format("{} pairs of accounts act together beyond chance (q at most {:g}) when all "
                                                         "traces and windows are taken together.",
                                                         grouped_digits(m_edges.size()), m_settings.network.alpha)
                                           : fmt::format("{} pairs of accounts are kept in at least one trace and window.",
                                                         grouped_digits(m_edges.size())));
        if (by_chance) {
            edges.strength = StrengthKind::q_value;
            edges.strength_value = m_settings.network.alpha;
        }
        edges.caveat = "Other explanations than a common hand: news accounts on one schedule, fan clubs, crowds at an event, official "
                       "accounts, tools that post for many. Look at the posts in pairs.csv.";
        edges.table.columns = {"trace", "edges it leads", "mean share of the evidence"};
        for (std::size_t t = 0; t < m_traces.size(); ++t)
            edges.table.rows.push_back({std::string(description_of(m_traces[t]).name), grouped_digits(leads[t]),
                                        m_edges.empty() ? std::string("-")
                                                        : fmt::format("{:.3f}", share_sum[t] / static_cast<double>(m_edges.size()))});
        findings.items.push_back(std::move(edges));
        findings.items.push_back(exact_count("fused.accounts", "accounts", on_edges, "accounts",
                                             fmt::format("{} accounts have such an edge.", grouped_digits(on_edges))));
    }

    /// Pairs and accounts beside those found, of which some trace cannot tell; after finish().
    UntoldNetwork untold() const {
        std::set<std::pair<std::uint32_t, std::uint32_t>> pairs(m_untold_pairs.begin(), m_untold_pairs.end());
        std::set<std::uint32_t> accounts;
        for (const auto& [a, b] : pairs) accounts.insert({a, b});
        for (const FusedEdge& edge : m_edges) {
            pairs.erase({edge.a, edge.b});
            accounts.erase(edge.a);
            accounts.erase(edge.b);
        }
        return {static_cast<double>(pairs.size()), static_cast<double>(accounts.size())};
    }
    /// Accounts with enough rows in any trace.
    std::uint64_t active_accounts() const {
        return static_cast<std::uint64_t>(std::count(m_is_active.begin(), m_is_active.end(), std::uint8_t{1}));
    }
    const std::vector<FusedEdge>& edges() const { return m_edges; }
    std::vector<ActiveEdge>& active() { return m_active; }
    /// Fused first, then each trace; when asked for.
    const std::vector<AccountChances>& chances() const { return m_chances; }

  private:
    void score_accounts(std::size_t accounts) {
        m_chances.push_back({"fused", std::vector<double>(accounts, 1), std::vector<std::uint8_t>(accounts, 0)});
        for (const Trace trace : m_traces)
            m_chances.push_back({std::string(description_of(trace).name), std::vector<double>(accounts, 1), std::vector<std::uint8_t>(accounts, 0)});
        const auto add = [](AccountChances& chances, std::uint32_t a, std::uint32_t b, double p, bool is_kept) {
            for (const auto end : {a, b}) {
                chances.best_p[end] = std::min(chances.best_p[end], p);
                if (is_kept) chances.is_found[end] = 1;
            }
        };
        const bool by_chance = m_settings.network.keep == Keep::significant;
        for (const FusedEdge& edge : m_edges)
            add(m_chances[0], edge.a, edge.b, edge.p, edge.is_found_somewhere && (!by_chance || edge.q <= m_settings.network.alpha));
        for (const FusionInput& edge : m_traces_scored) add(m_chances[edge.trace + 1], edge.a, edge.b, edge.p, edge.is_found);
        m_traces_scored = {};
    }

    const Settings& m_settings;
    const std::vector<Trace>& m_traces;
    OutputTable* m_table = nullptr;
    std::uint32_t m_tests_each = 0;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> m_untold_pairs;
    std::vector<std::uint8_t> m_is_active;   // by rank, in any trace
    std::vector<FusionInput> m_inputs;
    std::vector<FusionInput> m_traces_scored;
    std::vector<FusedEdge> m_edges;
    std::vector<ActiveEdge> m_active;
    std::vector<AccountChances> m_chances;
};

}  // namespace

Findings Coordination::run(const InstrumentInputs& inputs, const ParameterValues& parameters,
                           InstrumentContext& context) const {
    Settings settings = read_settings(parameters, context.threads);
    settings.network.seed = settings.communities.seed = settings.near_text.seed = settings.controls.seed = context.seed;
    const bool asks_for_score = !inputs.controls.empty() || !settings.controls.control_label.empty();
    if (asks_for_score && !settings.network.judges_chance)
        throw Error(ErrorKind::usage, "controls need the chance models", "Leave --chance off and --semantics away");
    settings.keeps_profiles = settings.finds_communities || asks_for_score;
    std::vector<PostSource*> sources = inputs.posts;
    sources.insert(sources.end(), inputs.controls.begin(), inputs.controls.end());
    PostFields available = 0;
    for (const auto* source : sources) available |= source->fields();
    const auto traces = choose_traces(parameters, available, settings.semantics,
                                       inputs.posts.empty() ? std::string() : inputs.posts.front()->report().path);
    // A claim about a trace must not be decided by an input that cannot show it.
    for (const auto* source : sources)
        for (const auto trace : traces)
            if (parameters.is_set("traces") && (description_of(trace).any_of & source->fields()) == 0)
                throw Error(ErrorKind::input,
                            fmt::format("this input cannot carry the trace '{}', but others can", description_of(trace).name),
                            "Map a column with --columns, or leave the input out of this run", source->report().path);

    Reading reading(traces, settings, context);
    for (auto* source : inputs.posts) reading.read(*source, false);
    for (auto* source : inputs.controls) reading.read(*source, true);
    reading.finish();
    // Nothing read must not look like nothing found.
    if (reading.posts().size() == 0)
        throw Error(ErrorKind::input, "the evidence holds no usable post", "'unveil inspect' shows what is in the file",
                    inputs.posts.empty() ? std::string() : inputs.posts.front()->report().path);
    check_windows(sources, settings);
    for (const auto* source : sources)
        settings.network.time_resolution_us =
            std::max(settings.network.time_resolution_us, source->report().time_resolution.resolution_us);

    const auto order = reading.accounts().byte_order();
    const auto accounts = static_cast<std::uint32_t>(order.ordered.size());
    const RowStore::Less less = row_order(settings.semantics, order.ordered);
    NetworkTables tables = open_tables(context.tables, settings.network);
    OutputTable& excluded_table = context.tables.open(
        "excluded_objects", {{"trace", CellType::text, "what was shared"},
                             {"object", CellType::text, "the shared object"},
                             {"posts", CellType::integer, "rows that point at it"},
                             {"accounts", CellType::integer, "different accounts among them"},
                             {"pairs", CellType::integer, "exact number of pairs within the widest window"}});

    Findings findings;
    for (const auto trace : traces)
        for (const auto* source : sources)
            if ((description_of(trace).any_of & source->fields()) == 0)
                findings.notes.push_back(fmt::format("{}: {} has no column for this trace and adds nothing to it",
                                                     description_of(trace).name, source->report().path));
    FusedNetwork fused(settings, traces, context.tables);
    std::optional<CommunityTables> community_tables;
    if (settings.finds_communities) community_tables = open_community_tables(context.tables);
    bool is_any_left_out = false;
    std::uint64_t control_posts = 0;
    std::uint64_t control_accounts = 0;
    if (!inputs.controls.empty()) {
        const std::uint64_t both = reading.profiles()->settle_controls(accounts);
        if (both > 0)
            findings.notes.push_back(fmt::format("{} accounts of the controls post in an input as well and count as its accounts",
                                                 grouped_digits(both)));
        settings.network.is_control = &reading.profiles()->controls();
        control_posts = reading.profiles()->control_posts();
        control_accounts = reading.profiles()->control_accounts();
    }
    describe_reading(reading.posts().size() - control_posts, reading.posters() - control_accounts, findings);
    for (auto& work : reading.traces()) {
        const std::string name(description_of(work.trace).name);
        if (work.trace == Trace::near_text)
            join_near_texts(work.objects, work.object_rows, *work.rows, settings.near_text, settings.show_texts,
                            open_near_texts(context.tables, settings.show_texts), context.progress, findings);
        work.rows->order(order.rank, work.objects.size(), less);
        auto filtered = filter_rows(*work.rows, accounts, settings.filter, settings.pairs);
        std::sort(filtered.excluded.begin(), filtered.excluded.end(), [&](const auto& x, const auto& y) {
            if (x.pairs != y.pairs) return x.pairs > y.pairs;
            return work.objects.string(x.object) < work.objects.string(y.object);
        });
        write_excluded(work, filtered, excluded_table);
        is_any_left_out |= !filtered.excluded.empty();
        if (settings.pairs.filter_pairs)
            flag_repeated_participation(*work.rows, accounts, settings.filter.participation_min, settings.pairs);
        Network network(name, settings.network, reading.accounts(), order.ordered, work.objects, reading.posts());
        const auto results =
            network.run(*work.rows, settings.pairs, context.scratch, tables, filtered.rows_of_account, context.progress);
        fused.add(static_cast<std::uint32_t>(&work - reading.traces().data()), filtered.rows_of_account, results, network.active_edges());
        const NetworkNames names{reading.accounts(), order.ordered, reading.posts()};
        describe_trace(name, work.objects.size(), work.own_objects, settings.network, settings.filter, filtered, results,
                       names, findings);
        work.rows.reset();
        work.objects = Dictionary();
    }
    if (settings.network.judges_chance) {
        const NetworkNames names{reading.accounts(), order.ordered, reading.posts()};
        const bool scores_accounts = reading.profiles() && has_controls(*reading.profiles(), settings.controls);
        if (!settings.controls.control_label.empty() && !scores_accounts)
            throw Error(ErrorKind::input, fmt::format("no account has the label '{}'", settings.controls.control_label),
                        "Map the column that holds it with --columns label=COLUMN");
        const std::size_t first = findings.items.size();
        fused.finish(names, scores_accounts, findings);
        if (scores_accounts)
            describe_controls(fused.chances(), *reading.profiles(), order.ordered, settings.controls, findings);
        if (settings.finds_communities)
            describe_communities(fused.edges(), fused.active(), *reading.profiles(), names, order.rank, settings.communities,
                                 *community_tables, context.progress, findings);
        if (settings.network.keep == Keep::significant)
            open_untold_network(first, fused.untold(), findings);
        if (is_any_left_out) open_network_intervals(first, fused.active_accounts(), reading.posts().size(), findings);
    }
    describe_limits(settings.network, parameters.flag("explain"), findings);
    return findings;
}

}  // namespace unveil
