#include "instruments/coordination/coordination.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "core/error.hpp"
#include "instruments/coordination/describe_network.hpp"
#include "instruments/coordination/dictionary.hpp"
#include "instruments/coordination/network.hpp"
#include "instruments/coordination/participation.hpp"
#include "instruments/coordination/posts.hpp"
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
    network.keep_loops = parameters.flag("keep-loops");
    network.write_pairs = parameters.flag("pairs");
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
    std::uint64_t own_objects = 0;
};

class Reading {
  public:
    Reading(const std::vector<Trace>& traces, const Settings& settings, InstrumentContext& context)
        : m_settings(settings), m_context(context), m_posts(settings.network.write_pairs) {
        for (const auto trace : traces) {
            m_traces.emplace_back();
            m_traces.back().trace = trace;
            m_traces.back().rows = std::make_unique<RowStore>(context.scratch);
        }
    }

    void read(PostSource& source) {
        PostFields wanted = 0;
        for (const auto& work : m_traces) wanted |= description_of(work.trace).any_of | description_of(work.trace).also;
        source.want(wanted & source.fields());
        PostBatch batch;
        while (source.next(batch)) {
            m_context.progress.check();
            m_context.progress.update("reading", source.bytes_done(), source.report().bytes);
            add(batch);
            keep_within_memory();
        }
    }

    Dictionary& accounts() { return m_accounts; }
    Posts& posts() { return m_posts; }
    std::vector<TraceInWork>& traces() { return m_traces; }

  private:
    void add(const PostBatch& batch) {
        const std::size_t size = batch.size();
        m_account_numbers.resize(size);
        m_accounts.number(batch.account, m_account_numbers.data());
        m_content_keys.resize(size);
        const std::uint32_t first_post = m_posts.size();
        for (std::size_t i = 0; i < size; ++i) {
            m_content_keys[i] = content_key(batch.content[i]);
            m_posts.add({batch.evidence, batch.row[i]}, batch.content[i], batch.time_us[i]);
        }
        for (auto& work : m_traces) {
            work.extracted.extract(work.trace, batch, m_settings.trace_options);
            const auto posts = work.extracted.posts();
            work.object_numbers.resize(posts.size());
            work.objects.number(work.extracted.objects(), work.object_numbers.data());
            while (work.object_keys.size() < work.objects.size())
                work.object_keys.push_back(content_key(work.objects.string(static_cast<std::uint32_t>(work.object_keys.size()))));
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
            std::uint64_t used = m_accounts.memory_bytes() + m_posts.memory_bytes();
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

}  // namespace

Findings Coordination::run(const InstrumentInputs& inputs, const ParameterValues& parameters,
                           InstrumentContext& context) const {
    Settings settings = read_settings(parameters, context.threads);
    PostFields available = 0;
    for (const auto* source : inputs.posts) available |= source->fields();
    const auto traces = choose_traces(parameters, available, settings.semantics,
                                       inputs.posts.empty() ? std::string() : inputs.posts.front()->report().path);
    // A claim about a trace must not be decided by an input that cannot show it.
    for (const auto* source : inputs.posts)
        for (const auto trace : traces)
            if (parameters.is_set("traces") && (description_of(trace).any_of & source->fields()) == 0)
                throw Error(ErrorKind::input,
                            fmt::format("this input cannot carry the trace '{}', but others can", description_of(trace).name),
                            "Map a column with --columns, or leave the input out of this run", source->report().path);

    Reading reading(traces, settings, context);
    for (auto* source : inputs.posts) reading.read(*source);
    // Nothing read must not look like nothing found.
    if (reading.posts().size() == 0)
        throw Error(ErrorKind::input, "the evidence holds no usable post", "'unveil inspect' shows what is in the file",
                    inputs.posts.empty() ? std::string() : inputs.posts.front()->report().path);
    check_windows(inputs.posts, settings);
    for (const auto* source : inputs.posts)
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
        for (const auto* source : inputs.posts)
            if ((description_of(trace).any_of & source->fields()) == 0)
                findings.notes.push_back(fmt::format("{}: {} has no column for this trace and adds nothing to it",
                                                     description_of(trace).name, source->report().path));
    describe_reading(reading.posts().size(), accounts, findings);
    for (auto& work : reading.traces()) {
        const std::string name(description_of(work.trace).name);
        work.rows->order(order.rank, work.objects.size(), less);
        auto filtered = filter_rows(*work.rows, accounts, settings.filter, settings.pairs);
        std::sort(filtered.excluded.begin(), filtered.excluded.end(), [&](const auto& x, const auto& y) {
            if (x.pairs != y.pairs) return x.pairs > y.pairs;
            return work.objects.string(x.object) < work.objects.string(y.object);
        });
        write_excluded(work, filtered, excluded_table);
        if (settings.pairs.filter_pairs)
            flag_repeated_participation(*work.rows, accounts, settings.filter.participation_min, settings.pairs);
        Network network(name, settings.network, reading.accounts(), order.ordered, work.objects, reading.posts());
        const auto results =
            network.run(*work.rows, settings.pairs, context.scratch, tables, filtered.rows_of_account, context.progress);
        const NetworkNames names{reading.accounts(), order.ordered, reading.posts()};
        describe_trace(name, work.objects.size(), work.own_objects, settings.network, settings.filter, filtered, results,
                       names, findings);
        work.rows.reset();
        work.objects = Dictionary();
    }
    describe_limits(settings.network, parameters.flag("explain"), findings);
    return findings;
}

}  // namespace unveil
