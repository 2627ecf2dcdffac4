#include "lab/score.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/parameter.hpp"
#include "core/text.hpp"
#include "evidence/csv_reader.hpp"
#include "statistics/proportion.hpp"

namespace unveil {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::size_t runs_max = 1000;
constexpr std::size_t batch_rows = 4096;

Rate rate(std::uint64_t hits, std::uint64_t trials, ProportionInterval interval) {
    return {hits, trials, interval.low, interval.high};
}

/// Calls use(row, columns) for each record; `wanted` are lists of names for the same column, the first found
/// counts. A column that is missing has position npos; the first `needed` must be there.
constexpr std::size_t missing = static_cast<std::size_t>(-1);
template <typename Use>
void read_csv(const std::string& path, const std::vector<std::vector<std::string_view>>& wanted,
              std::size_t needed, Use use) {
    const EvidenceLimits limits;
    CsvReader reader(InputBuffer(ByteStream(open_file_input(path), path, limits), limits), limits);
    std::vector<std::size_t> columns;
    for (const auto& names : wanted) {
        std::size_t position = missing;
        for (const auto name : names) {
            const auto found = std::find(reader.header().begin(), reader.header().end(), name);
            if (position == missing && found != reader.header().end())
                position = static_cast<std::size_t>(found - reader.header().begin());
        }
        if (position == missing && columns.size() < needed)
            throw Error(ErrorKind::input, fmt::format("has no column '{}'", names.front()),
                        "Give a folder that `unveil coordination --out` wrote", path);
        columns.push_back(position);
    }
    TextArena arena;
    Tally tally;
    bool has_more = true;
    while (has_more) {
        arena.clear();
        std::size_t rows = 0;
        has_more =
            reader.read(batch_rows, arena, tally, [&](const CsvRow& row, std::uint64_t) -> const char* {
                ++rows;
                use(row, columns);
                return nullptr;
            });
    }
    if (tally.skipped() > 0)
        throw Error(ErrorKind::input,
                    fmt::format("{} broken rows ({})", tally.skipped(), tally.skips().begin()->first),
                    "Run the instrument again", path);
}

double real_of(std::string_view text) {
    double value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

/// The truth by account; accounts that only the findings know are added as they come.
class Labels {
  public:
    explicit Labels(const Truth& truth) : m_truth(truth) {
        for (const auto& campaign : truth.campaigns) {
            for (const auto& planted : campaign.accounts) {
                number_of(planted.account, m_names.size());
                (planted.role == "core" ? m_core : m_amplifiers) += 1;
                m_is_core.push_back(planted.role == "core");
            }
            m_names.push_back(campaign.name);
        }
        m_planted = m_is_core.size();
        if (m_planted != m_label.size() || m_planted > truth.accounts)
            throw Error(ErrorKind::input,
                        "an account stands in two campaigns, or there are more than accounts in all",
                        "Make the world again");
        std::size_t rule = missing;
        for (const auto& account_class : truth.classes) {
            if (account_class.is_rule) rule = m_names.size();
            if (account_class.name == scheduled_class) {
                m_scheduled = m_names.size();
                m_scheduled_accounts = account_class.accounts.size();
            }
            for (const auto& account : account_class.accounts) number_of(account, m_names.size());
            m_names.push_back(account_class.name);
        }
        if (rule == missing) {
            rule = m_names.size();
            m_names.push_back("organic");
        }
        m_rule = rule;
    }

    std::uint32_t number_of(std::string_view account) { return number_of(account, m_rule); }
    bool is_planted(std::uint32_t number) const { return number < m_planted; }
    bool is_core(std::uint32_t number) const { return m_is_core[number]; }
    bool is_true_pair(std::uint32_t a, std::uint32_t b) const {
        return is_planted(a) && is_planted(b) && m_label[a] == m_label[b];
    }
    std::size_t label(std::uint32_t number) const { return m_label[number]; }
    bool is_scheduled(std::uint32_t number) const { return m_label[number] == m_scheduled; }
    std::uint64_t scheduled() const { return m_scheduled_accounts; }
    const std::vector<std::string>& names() const { return m_names; }
    std::size_t planted() const { return m_planted; }
    std::size_t core() const { return m_core; }
    std::size_t amplifiers() const { return m_amplifiers; }
    const Truth& truth() const { return m_truth; }

  private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
    };

    std::uint32_t number_of(std::string_view account, std::size_t label) {
        const auto found = m_numbers.find(account);
        if (found != m_numbers.end()) return found->second;
        const auto number = static_cast<std::uint32_t>(m_label.size());
        m_numbers.emplace(account, number);
        m_label.push_back(label);
        return number;
    }

    const Truth& m_truth;
    std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>> m_numbers;
    std::vector<std::size_t> m_label;  // by account number
    std::vector<std::string> m_names;  // by label
    std::vector<bool> m_is_core;       // of the planted, which come first
    std::size_t m_planted = 0;
    std::size_t m_core = 0;
    std::size_t m_amplifiers = 0;
    std::size_t m_rule = 0;
    std::size_t m_scheduled = missing;
    std::uint64_t m_scheduled_accounts = 0;
};

/// What one trace and window found; each account and each pair once.
struct Found {
    std::vector<std::uint32_t> accounts;
    std::vector<std::uint64_t> pairs;  // smaller number in the high half

    void tidy() {
        std::sort(accounts.begin(), accounts.end());
        accounts.erase(std::unique(accounts.begin(), accounts.end()), accounts.end());
        std::sort(pairs.begin(), pairs.end());
        pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
    }
};

/// The rate of false ones when those by a schedule count neither as found nor as chances.
Rate exact_without(std::uint64_t hits, std::uint64_t trials, std::uint64_t scheduled_hits,
                   std::uint64_t scheduled_trials) {
    const auto left = trials - std::min(trials, scheduled_trials);
    return exact_rate(std::min(hits - scheduled_hits, left), left);
}

ScoreRow scored(const Found& found, const Labels& labels) {
    ScoreRow row;
    std::uint64_t core = 0;
    std::uint64_t amplifiers = 0;
    std::vector<std::uint64_t> false_accounts(labels.names().size());
    for (const auto account : found.accounts) {
        row.scheduled_accounts += labels.is_scheduled(account) ? 1 : 0;
        if (!labels.is_planted(account))
            ++false_accounts[labels.label(account)];
        else
            ++(labels.is_core(account) ? core : amplifiers);
    }
    const std::uint64_t planted_found = core + amplifiers;
    const std::uint64_t others = labels.truth().accounts - labels.planted();
    const std::uint64_t false_found = found.accounts.size() - planted_found;
    row.precision = wilson_rate(planted_found, found.accounts.size());
    row.recall = wilson_rate(planted_found, labels.planted());
    row.false_positive_rate = exact_rate(std::min(false_found, others), others);
    row.unscheduled_precision = wilson_rate(planted_found, found.accounts.size() - row.scheduled_accounts);
    row.unscheduled_false_positive_rate = exact_without(false_found, others, row.scheduled_accounts, labels.scheduled());
    row.core_recall = wilson_rate(core, labels.core());
    row.amplifier_recall = wilson_rate(amplifiers, labels.amplifiers());
    for (std::size_t label = 0; label < false_accounts.size(); ++label)
        if (false_accounts[label] > 0)
            row.false_accounts.push_back({labels.names()[label], false_accounts[label]});

    std::uint64_t true_pairs_found = 0;
    std::map<std::pair<std::size_t, std::size_t>, std::uint64_t> false_edges;
    for (const auto pair : found.pairs) {
        const auto a = static_cast<std::uint32_t>(pair >> 32);
        const auto b = static_cast<std::uint32_t>(pair);
        row.scheduled_edges += labels.is_scheduled(a) && labels.is_scheduled(b) ? 1 : 0;
        if (labels.is_true_pair(a, b))
            ++true_pairs_found;
        else
            ++false_edges[std::minmax(labels.label(a), labels.label(b))];
    }
    std::uint64_t true_pairs = 0;
    for (const auto& campaign : labels.truth().campaigns)
        true_pairs += campaign.accounts.size() * (campaign.accounts.size() - 1) / 2;
    const std::uint64_t n = labels.truth().accounts;
    const std::uint64_t false_pairs = n < 2 ? 0 : n * (n - 1) / 2 - true_pairs;
    row.edge_precision = wilson_rate(true_pairs_found, found.pairs.size());
    row.edge_recall = wilson_rate(true_pairs_found, true_pairs);
    const std::uint64_t false_pairs_found = found.pairs.size() - true_pairs_found;
    row.edge_false_positive_rate = exact_rate(std::min(false_pairs_found, false_pairs), false_pairs);
    row.unscheduled_edge_precision = wilson_rate(true_pairs_found, found.pairs.size() - row.scheduled_edges);
    row.unscheduled_edge_false_positive_rate = exact_without(
        false_pairs_found, false_pairs, row.scheduled_edges, labels.scheduled() * (labels.scheduled() - 1) / 2);
    for (const auto& [classes, count] : false_edges) {
        const auto& first = labels.names()[classes.first];
        const auto& second = labels.names()[classes.second];
        row.false_edges.push_back({classes.first == classes.second ? first : first + "/" + second, count});
    }
    std::stable_sort(row.false_edges.begin(), row.false_edges.end(),
                     [](const auto& a, const auto& b) { return a.count > b.count; });
    return row;
}

std::vector<TierScore> scored_tiers(const std::string& path, Labels& labels) {
    constexpr std::array<std::string_view, 2> tiers = {"core", "amplifier"};
    std::array<std::vector<std::uint32_t>, tiers.size()> labelled;
    std::vector<bool> is_seen;
    read_csv(path, {{"account"}, {"tier"}}, 2, [&](const CsvRow& row, const std::vector<std::size_t>& columns) {
        const auto account = labels.number_of(row.text(columns[0]));
        if (account >= is_seen.size()) is_seen.resize(account + 1);
        if (is_seen[account]) return;
        is_seen[account] = true;
        for (std::size_t tier = 0; tier < tiers.size(); ++tier)
            if (row.text(columns[1]) == tiers[tier]) labelled[tier].push_back(account);
    });
    std::vector<TierScore> scores;
    for (std::size_t tier = 0; tier < tiers.size(); ++tier) {
        const bool is_core = tier == 0;
        const std::uint64_t wanted = is_core ? labels.core() : labels.amplifiers();
        std::uint64_t right = 0;
        std::uint64_t other_role = 0;
        std::vector<std::uint64_t> strangers(labels.names().size());
        for (const auto account : labelled[tier]) {
            if (!labels.is_planted(account))
                ++strangers[labels.label(account)];
            else
                ++(labels.is_core(account) == is_core ? right : other_role);
        }
        auto& score = scores.emplace_back();
        score.tier = tiers[tier];
        score.precision = wilson_rate(right, labelled[tier].size());
        score.recall = wilson_rate(right, wanted);
        score.f1 = f1_rate(right, labelled[tier].size() - right, wanted - right);
        const auto scheduled = static_cast<std::uint64_t>(
            std::count_if(labelled[tier].begin(), labelled[tier].end(),
                          [&](std::uint32_t account) { return labels.is_scheduled(account); }));
        const std::uint64_t left = labelled[tier].size() - scheduled;
        score.unscheduled_precision = wilson_rate(right, left);
        score.unscheduled_f1 = f1_rate(right, left - right, wanted - right);
        if (other_role > 0) score.false_accounts.push_back({"planted", other_role});
        for (std::size_t label = 0; label < strangers.size(); ++label)
            if (strangers[label] > 0) score.false_accounts.push_back({labels.names()[label], strangers[label]});
    }
    return scores;
}

std::vector<fs::path> runs_in(const std::string& folder) {
    std::error_code failure;
    if (fs::is_regular_file(fs::path(folder) / "accounts.csv", failure)) return {folder};
    std::set<fs::path> runs;
    for (fs::recursive_directory_iterator entry(folder, failure), end; !failure && entry != end;
         entry.increment(failure)) {
        if (entry.depth() > 4) entry.disable_recursion_pending();
        if (entry->path().filename() == "accounts.csv" && runs.size() < runs_max)
            runs.insert(entry->path().parent_path());
    }
    if (runs.empty())
        throw Error(ErrorKind::input, "holds no run: no accounts.csv in it or below",
                    "Give the --out folder of `unveil coordination` or `unveil investigate`", folder);
    return {runs.begin(), runs.end()};
}

const Rate* rate_named(const ScoreRow& row, std::string_view name) {
    if (name == "precision") return &row.precision;
    if (name == "recall") return &row.recall;
    if (name == "false_positive_rate") return &row.false_positive_rate;
    if (name == "core_recall") return &row.core_recall;
    if (name == "amplifier_recall") return &row.amplifier_recall;
    if (name == "unscheduled.precision") return &row.unscheduled_precision;
    if (name == "unscheduled.false_positive_rate") return &row.unscheduled_false_positive_rate;
    if (name == "edge.precision") return &row.edge_precision;
    if (name == "edge.recall") return &row.edge_recall;
    if (name == "edge.false_positive_rate") return &row.edge_false_positive_rate;
    if (name == "edge.unscheduled.precision") return &row.unscheduled_edge_precision;
    if (name == "edge.unscheduled.false_positive_rate") return &row.unscheduled_edge_false_positive_rate;
    return nullptr;
}

/// "core.f1"
const Rate* tier_rate_named(const TierRow& row, std::string_view name) {
    for (const auto& tier : row.tiers) {
        if (!name.starts_with(tier.tier + ".")) continue;
        const auto figure = name.substr(tier.tier.size() + 1);
        if (figure == "precision") return &tier.precision;
        if (figure == "recall") return &tier.recall;
        if (figure == "f1") return &tier.f1;
        if (figure == "unscheduled.precision") return &tier.unscheduled_precision;
        if (figure == "unscheduled.f1") return &tier.unscheduled_f1;
    }
    return nullptr;
}

Json rate_to_json(const Rate& rate) {
    Json json = {{"hits", rate.hits}, {"trials", rate.trials}, {"value", nullptr}};
    if (rate.value()) json["value"] = *rate.value();
    json["low"] = rate.low;
    json["high"] = rate.high;
    return json;
}

Json counts_to_json(const std::vector<ClassCount>& counts) {
    Json json = Json::object();
    for (const auto& count : counts) json[count.name] = count.count;
    return json;
}

Json row_to_json(const ScoreRow& row) {
    Json json;
    if (!row.run.empty()) json["run"] = row.run;
    json["trace"] = row.trace;
    if (row.window_seconds > 0) json["window_seconds"] = row.window_seconds;
    json["accounts"] = {{"precision", rate_to_json(row.precision)},
                        {"recall", rate_to_json(row.recall)},
                        {"false_positive_rate", rate_to_json(row.false_positive_rate)},
                        {"core_recall", rate_to_json(row.core_recall)},
                        {"amplifier_recall", rate_to_json(row.amplifier_recall)},
                        {"false_by_class", counts_to_json(row.false_accounts)},
                        {"scheduled", row.scheduled_accounts},
                        {"unscheduled_precision", rate_to_json(row.unscheduled_precision)},
                        {"unscheduled_false_positive_rate", rate_to_json(row.unscheduled_false_positive_rate)}};
    json["edges"] = {{"precision", rate_to_json(row.edge_precision)},
                     {"recall", rate_to_json(row.edge_recall)},
                     {"false_positive_rate", rate_to_json(row.edge_false_positive_rate)},
                     {"false_by_class", counts_to_json(row.false_edges)},
                     {"scheduled", row.scheduled_edges},
                     {"unscheduled_precision", rate_to_json(row.unscheduled_edge_precision)},
                     {"unscheduled_false_positive_rate", rate_to_json(row.unscheduled_edge_false_positive_rate)}};
    return json;
}

Json tiers_to_json(const TierRow& row) {
    Json json;
    if (!row.run.empty()) json["run"] = row.run;
    for (const auto& tier : row.tiers)
        json[tier.tier] = {{"precision", rate_to_json(tier.precision)},
                           {"recall", rate_to_json(tier.recall)},
                           {"f1", rate_to_json(tier.f1)},
                           {"unscheduled_precision", rate_to_json(tier.unscheduled_precision)},
                           {"unscheduled_f1", rate_to_json(tier.unscheduled_f1)},
                           {"false_by_class", counts_to_json(tier.false_accounts)}};
    return json;
}

}  // namespace

Rate wilson_rate(std::uint64_t hits, std::uint64_t trials) {
    return rate(hits, trials, wilson_interval(hits, trials));
}
Rate exact_rate(std::uint64_t hits, std::uint64_t trials) {
    return rate(hits, trials, clopper_pearson_interval(hits, trials));
}

Rate f1_rate(std::uint64_t true_positives, std::uint64_t false_positives, std::uint64_t false_negatives) {
    const auto either = true_positives + false_positives + false_negatives;
    const auto jaccard = wilson_interval(true_positives, either);
    const auto f1 = [](double j) { return 2 * j / (1 + j); };
    return {2 * true_positives, either + true_positives, f1(jaccard.low), f1(jaccard.high)};
}

std::optional<double> Score::metric(std::string_view name) const {
    if (name.starts_with("tier.") && !tiers.empty())
        if (const auto* found = tier_rate_named(tiers.back(), name.substr(5))) return found->value();
    if (const auto* found = rate_named(overall, name)) return found->value();
    const auto dot = name.find('.');
    if (dot != std::string_view::npos) {
        const auto trace = name.substr(0, dot);
        for (auto row = rows.rbegin(); row != rows.rend(); ++row)
            if (row->trace == trace)
                if (const auto* found = rate_named(*row, name.substr(dot + 1))) return found->value();
    }
    std::string traces;
    for (const auto& row : rows)
        if (traces.find(row.trace) == std::string::npos) traces += (traces.empty() ? "" : ", ") + row.trace;
    throw Error(
        ErrorKind::usage, fmt::format("'{}' is not a figure of the score", printable(name, 80)),
        fmt::format("Give precision, recall, false_positive_rate, core_recall or amplifier_recall, 'edge.' "
                    "before the first three, and a trace with a dot before either: {}{}",
                    traces.empty() ? "none was found" : traces,
                    tiers.empty() ? "" : "; or tier.core.f1, tier.amplifier.precision and the like"));
}

Score score_run(const std::string& folder, const Truth& truth) {
    Labels labels(truth);
    Score score;
    score.accounts = truth.accounts;
    score.planted = labels.planted();
    score.campaigns = truth.campaigns.size();
    Found all;
    const auto runs = runs_in(folder);
    for (const auto& run : runs) {
        // In the order of the files: traces as they were asked for, windows from narrow to wide.
        std::vector<std::pair<std::pair<std::string, double>, Found>> by_trace;
        const auto found_of = [&](const CsvRow& row, std::size_t trace, std::size_t window) -> Found& {
            const std::string_view name = trace == missing ? std::string_view("edges") : row.text(trace);
            const double seconds = window == missing ? 0 : real_of(row.text(window));
            for (auto& [key, found] : by_trace)
                if (key.first == name && key.second == seconds) return found;
            if (by_trace.size() >= runs_max)
                throw Error(ErrorKind::input, "has too many traces and windows", "Run the instrument again",
                            run.string());
            return by_trace.emplace_back(std::pair(std::string(name), seconds), Found{}).second;
        };
        read_csv((run / "accounts.csv").string(), {{"account"}, {"trace"}, {"window_seconds"}, {"partners"}},
                 1, [&](const CsvRow& row, const std::vector<std::size_t>& columns) {
                     if (columns[3] != missing && real_of(row.text(columns[3])) == 0) return;
                     found_of(row, columns[1], columns[2])
                         .accounts.push_back(labels.number_of(row.text(columns[0])));
                 });
        read_csv(
            (run / "edges.csv").string(),
            {{"account_a", "from", "user_1"}, {"account_b", "to", "user_2"}, {"trace"}, {"window_seconds"}},
            2, [&](const CsvRow& row, const std::vector<std::size_t>& columns) {
                const auto a = labels.number_of(row.text(columns[0]));
                const auto b = labels.number_of(row.text(columns[1]));
                if (a == b) return;
                const auto [low, high] = std::minmax(a, b);
                found_of(row, columns[2], columns[3]).pairs.push_back(std::uint64_t{low} << 32 | high);
            });
        const std::string run_name = runs.size() > 1 ? run.filename().string() : std::string();
        const auto add_row = [&](const std::string& trace, double window_seconds, Found& found) {
            found.tidy();
            auto row = scored(found, labels);
            row.run = run_name;
            row.trace = trace;
            row.window_seconds = window_seconds;
            score.rows.push_back(std::move(row));
        };
        for (auto& [key, found] : by_trace) {
            add_row(key.first, key.second, found);
            all.accounts.insert(all.accounts.end(), found.accounts.begin(), found.accounts.end());
            all.pairs.insert(all.pairs.end(), found.pairs.begin(), found.pairs.end());
            found = {};
            all.tidy();
        }
        std::error_code failure;
        if (fs::is_regular_file(run / "fused.csv", failure)) {
            Found fused;
            read_csv((run / "fused.csv").string(), {{"account_a"}, {"account_b"}}, 2,
                     [&](const CsvRow& row, const std::vector<std::size_t>& columns) {
                         const auto a = labels.number_of(row.text(columns[0]));
                         const auto b = labels.number_of(row.text(columns[1]));
                         if (a == b) return;
                         const auto [low, high] = std::minmax(a, b);
                         fused.pairs.push_back(std::uint64_t{low} << 32 | high);
                         fused.accounts.insert(fused.accounts.end(), {a, b});
                     });
            add_row("fused", 0, fused);
        }
        if (fs::is_regular_file(run / "tiers.csv", failure))
            score.tiers.push_back({run_name, scored_tiers((run / "tiers.csv").string(), labels)});
    }
    score.overall = scored(all, labels);
    score.overall.trace = "overall";
    return score;
}

std::string score_to_json(const Score& score) {
    Json json = {{"schema_version", 1},
                 {"accounts", score.accounts},
                 {"planted", score.planted},
                 {"campaigns", score.campaigns},
                 {"level", 0.95},
                 {"overall", row_to_json(score.overall)}};
    json["rows"] = Json::array();
    for (const auto& row : score.rows) json["rows"].push_back(row_to_json(row));
    if (!score.tiers.empty()) {
        json["tiers"] = Json::array();
        for (const auto& row : score.tiers) json["tiers"].push_back(tiers_to_json(row));
    }
    return json_text(json) + "\n";
}

}  // namespace unveil
