#include "report/co_actions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <unordered_set>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "core/json.hpp"
#include "core/parameter.hpp"
#include "core/text.hpp"
#include "core/time.hpp"
#include "report/markup.hpp"
#include "report/table_file.hpp"

namespace unveil {
namespace {

constexpr double unjudged = 2;   // as q: above any
constexpr std::size_t edges_kept_max = 200;
constexpr std::size_t accounts_kept_max = 2000;
constexpr std::int64_t day_us = 86'400'000'000;
constexpr std::size_t bins_max = 120;

using Cells = std::vector<std::string>;

/// The path of a table of the run; empty when it wrote none of that name.
std::string table_path(const CaseRun& run, std::string_view name) {
    for (const auto& table : run.tables)
        if (table.name == name) return table.path;
    return {};
}

std::string pairs_path(const CaseRun& run) {
    auto path = table_path(run, "pairs");
    if (path.empty())
        throw Error(ErrorKind::input, "the run wrote no table of pairs",
                    "Run coordination with --pairs (in a case: pairs = true); it is written without being asked for when edges "
                    "are kept by significance",
                    run.folder);
    return path;
}

double number_of(const std::string& cell, double otherwise) {
    double value = otherwise;
    const auto end = cell.data() + cell.size();
    return std::from_chars(cell.data(), end, value).ptr == end && !cell.empty() ? value : otherwise;
}

/// A column that must be there.
std::size_t needed(const TableFile& table, std::initializer_list<std::string_view> names, const std::string& path) {
    const auto column = table.column(names);
    if (column == SIZE_MAX)
        throw Error(ErrorKind::input, fmt::format("the table has no column {}", *names.begin()),
                    "Run coordination again without --semantics: the tables of other tools do not say where posts stand", path);
    return column;
}

/// The accounts and traces of which the run kept edges.
struct Known {
    std::set<std::string, std::less<>> accounts;
    std::set<std::string, std::less<>> traces;

    explicit Known(const CaseRun& run) {
        for (const auto* name : {"accounts", "fused", "tiers"}) {
            const auto path = table_path(run, name);
            if (path.empty()) continue;
            TableFile table(path);
            const auto trace = table.column({"trace"});
            std::vector<std::size_t> columns;
            for (std::size_t i = 0; i < table.columns().size(); ++i)
                if (is_account_column(table.columns()[i])) columns.push_back(i);
            for (Cells cells; table.next(cells);) {
                for (const auto column : columns) accounts.insert(cells[column]);
                if (trace != SIZE_MAX) traces.insert(cells[trace]);
            }
        }
    }

    [[noreturn]] void throw_unknown(std::string_view kind, const std::string& word,
                                    const std::set<std::string, std::less<>>& names) const {
        const std::vector<std::string> all(names.begin(), names.end());
        const auto near = nearest_word(word, all);
        std::string hint = near.empty() ? std::string("The table accounts.csv of the run lists those that have one")
                                        : fmt::format("Did you mean {}?", printable(near, 200));
        throw Error(ErrorKind::usage,
                    fmt::format("the run kept no edge {} '{}'", kind, printable(word, 200)), std::move(hint));
    }

    void check(const CoActionQuestion& question) const {
        for (const auto& account : question.accounts)
            if (!accounts.contains(account)) throw_unknown("of the account", account, accounts);
        if (!question.trace.empty() && !traces.contains(question.trace)) throw_unknown("in the trace", question.trace, traces);
    }
};

/// Whose co-actions are asked for.
class Circle {
  public:
    explicit Circle(const CoActionQuestion& question) : m_question(question) {}

    void add_member(const std::string& account) { m_members.insert(account); }
    bool has_member(const std::string& account) const { return m_members.contains(account); }
    bool is_community() const { return m_question.accounts.empty(); }

    bool holds(const std::string& a, const std::string& b) const {
        const auto& accounts = m_question.accounts;
        if (accounts.empty()) return has_member(a) && has_member(b);
        if (accounts.size() == 1) return a == accounts[0] || b == accounts[0];
        return (a == accounts[0] && b == accounts[1]) || (a == accounts[1] && b == accounts[0]);
    }
    bool names(const std::string& account) const {
        return is_community() ? has_member(account)
                              : std::find(m_question.accounts.begin(), m_question.accounts.end(), account) !=
                                    m_question.accounts.end();
    }

  private:
    const CoActionQuestion& m_question;
    std::set<std::string, std::less<>> m_members;
};

/// Keeps the smallest items of many: a heap whose front is the largest kept.
template <typename Item>
class Smallest {
  public:
    explicit Smallest(std::size_t count) : m_count(count) {}
    /// False when an item that is first sorted by `first` is surely not among them.
    bool may_keep(double first) const { return m_items.size() < m_count || (m_count > 0 && first <= m_items.front().first); }
    void add(Item item) {
        if (m_items.size() == m_count && (m_count == 0 || !(item < m_items.front()))) return;
        if (m_items.size() == m_count) {
            std::pop_heap(m_items.begin(), m_items.end());
            m_items.pop_back();
        }
        m_items.push_back(std::move(item));
        std::push_heap(m_items.begin(), m_items.end());
    }
    std::vector<Item> sorted() && {
        std::sort_heap(m_items.begin(), m_items.end());
        return std::move(m_items);
    }

  private:
    std::size_t m_count;
    std::vector<Item> m_items;
};

/// A row with what it is sorted by.
struct KeyedRow {
    double first;
    double second;
    Cells cells;
    auto tie() const { return std::tie(first, second, cells); }
    bool operator<(const KeyedRow& other) const { return tie() < other.tie(); }
};

/// The edges of the circle, of the smallest q first, then of the largest weight.
CoActionTable read_edges(const std::string& path, const Circle& circle, const std::string& trace) {
    CoActionTable found;
    if (path.empty()) return found;
    TableFile table(path);
    found.columns = table.columns();
    const auto a = table.column({"account_a", "user_1", "from"});
    const auto b = table.column({"account_b", "user_2", "to"});
    const auto trace_column = table.column({"trace"});
    const auto q = table.column({"q"});
    const auto q_interest = table.column({"q_interest"});
    const auto weight = table.column({"weight"});
    if (a == SIZE_MAX || b == SIZE_MAX) return found;
    Smallest<KeyedRow> best(edges_kept_max);
    for (Cells cells; table.next(cells);) {
        if (!circle.holds(cells[a], cells[b])) continue;
        if (!trace.empty() && trace_column != SIZE_MAX && cells[trace_column] != trace) continue;
        ++found.total;
        const double q_value = q == SIZE_MAX ? unjudged : number_of(cells[q], unjudged);
        found.q_max = std::max({found.q_max, q_value, q_interest == SIZE_MAX ? 0 : number_of(cells[q_interest], unjudged)});
        best.add({q_value, weight == SIZE_MAX ? 0 : -number_of(cells[weight], 0), cells});
    }
    for (auto& row : std::move(best).sorted()) found.rows.push_back(std::move(row.cells));
    return found;
}

template <typename Wanted>
CoActionTable read_rows(const std::string& path, std::initializer_list<std::string_view> columns, const Wanted& is_wanted) {
    CoActionTable found;
    if (path.empty()) return found;
    TableFile table(path);
    found.columns = table.columns();
    const auto column = needed(table, columns, path);
    for (Cells cells; table.next(cells);) {
        if (!is_wanted(cells[column])) continue;
        if (++found.total <= accounts_kept_max) found.rows.push_back(cells);
    }
    return found;
}

/// Fills the circle with the members of the community, from the table of tiers.
void add_members(const CaseRun& run, std::uint64_t community, Circle& circle) {
    const auto path = table_path(run, "tiers");
    if (path.empty())
        throw Error(ErrorKind::input, "the run looked for no communities", "Run coordination with --communities on --chance on",
                    run.folder);
    TableFile table(path);
    const auto account = needed(table, {"account"}, path);
    const auto number = needed(table, {"community"}, path);
    const auto wanted = std::to_string(community);
    double largest = 0;
    bool is_found = false;
    for (Cells cells; table.next(cells);) {
        largest = std::max(largest, number_of(cells[number], 0));
        if (cells[number] != wanted) continue;
        circle.add_member(cells[account]);
        is_found = true;
    }
    if (!is_found)
        throw Error(ErrorKind::usage, fmt::format("the run found no community {}", community),
                    largest > 0 ? fmt::format("Communities are numbered from 1 to {:.0f}", largest)
                                : std::string("It found no communities at all"));
}

/// Counts by day; days are joined when there would be too many of them.
class DayCounts {
  public:
    void add(std::int64_t time_us) {
        const std::int64_t day = time_us / day_us - (time_us % day_us < 0);
        ++m_counts[day_bin(day)];
        while (m_counts.rbegin()->first - m_counts.begin()->first >= static_cast<std::int64_t>(bins_max)) join();
    }

    Figure figure() const {
        Figure figure;
        if (m_counts.empty()) return figure;
        figure.kind = FigureKind::histogram;
        figure.title = "When they acted together";
        figure.x_label = m_days == 1 ? "day (UTC)" : fmt::format("{} days from (UTC)", m_days);
        figure.y_label = "co-actions";
        for (auto bin = m_counts.begin()->first; bin <= m_counts.rbegin()->first; ++bin) {
            const auto found = m_counts.find(bin);
            const double count = found == m_counts.end() ? 0 : static_cast<double>(found->second);
            figure.rows.push_back({format_date(bin * m_days * day_us), count, count, count});
        }
        figure.caption = "Each co-action is counted once, by its earlier post.";
        return figure;
    }

  private:
    std::int64_t day_bin(std::int64_t day) const { return day / m_days - (day % m_days < 0); }
    void join() {
        m_days *= 2;
        std::map<std::int64_t, std::uint64_t> wider;
        for (const auto& [bin, count] : m_counts) wider[bin / 2 - (bin % 2 < 0)] += count;
        m_counts = std::move(wider);
    }

    std::int64_t m_days = 1;
    std::map<std::int64_t, std::uint64_t> m_counts;
};

/// Reads pairs.csv once.
class PairReader {
  public:
    PairReader(const Circle& circle, CoActions& found) : m_circle(circle), m_found(found), m_best(found.question.rows_max) {}

    void read(const std::string& path) {
        TableFile table(path);
        static constexpr std::array<std::string_view, 13> names = {
            "trace",  "object",        "account_a",  "content_a", "time_a",     "account_b", "content_b",
            "time_b", "delay_seconds", "evidence_a", "row_a",     "evidence_b", "row_b"};
        for (std::size_t i = 0; i < names.size(); ++i) m_columns[i] = needed(table, {names[i]}, path);
        for (Cells cells; table.next(cells);) {
            const auto cell = [&](std::size_t i) -> const std::string& { return cells[m_columns[i]]; };
            if (!m_circle.holds(cell(2), cell(5))) continue;
            if (!m_found.question.trace.empty() && cell(0) != m_found.question.trace) continue;
            count(cell);
        }
        finish();
    }

  private:
    template <typename Cell>
    void count(const Cell& cell) {
        ++m_found.total;
        ++m_traces[cell(0)];
        m_objects.insert(hash_bytes(cell(0) + '\n' + cell(1)));
        const double delay = number_of(cell(8), 0);
        auto& a = m_came_first[cell(2)];
        auto& b = m_came_first[cell(5)];
        ++a.co_actions;
        if (&a != &b) ++b.co_actions;
        if (delay > 0) ++a.first;
        if (delay < 0) ++b.first;
        const auto time_a = parse_time_us(cell(4));
        const auto time_b = parse_time_us(cell(7));
        if (time_a && time_b) {
            m_days.add(std::min(*time_a, *time_b));
            m_first = std::min({m_first, *time_a, *time_b});
            m_last = std::max({m_last, *time_a, *time_b});
        }
        if (!m_best.may_keep(std::fabs(delay))) return;
        KeyedRow row{std::fabs(delay), static_cast<double>(time_a.value_or(0)), {}};
        for (std::size_t i = 0; i < m_columns.size(); ++i) row.cells.push_back(cell(i));
        m_best.add(std::move(row));
    }

    std::string file_name(const std::string& number) const {
        const auto index = number_of(number, 0);
        const bool is_known = index >= 1 && index <= static_cast<double>(m_found.inputs.size());
        return is_known ? m_found.inputs[static_cast<std::size_t>(index) - 1].path : number;
    }

    void finish() {
        m_found.objects = m_objects.size();
        m_found.traces.assign(m_traces.begin(), m_traces.end());
        if (m_first <= m_last) {
            m_found.time_first = format_time(m_first);
            m_found.time_last = format_time(m_last);
        }
        for (auto& [account, counts] : m_came_first)
            m_found.came_first.push_back({account, counts.first, counts.co_actions});
        std::stable_sort(m_found.came_first.begin(), m_found.came_first.end(),
                         [](const CameFirst& x, const CameFirst& y) { return x.first > y.first; });
        m_found.timeline = m_days.figure();
        for (auto& row : std::move(m_best).sorted()) {
            auto& c = row.cells;
            m_found.rows.push_back({std::move(c[0]), std::move(c[1]), std::move(c[2]), std::move(c[3]), std::move(c[4]),
                                    std::move(c[5]), std::move(c[6]), std::move(c[7]), std::move(c[8]), file_name(c[9]),
                                    std::move(c[10]), file_name(c[11]), std::move(c[12])});
        }
    }

    const Circle& m_circle;
    CoActions& m_found;
    Smallest<KeyedRow> m_best;
    std::array<std::size_t, 13> m_columns = {};
    std::map<std::string, std::uint64_t> m_traces;
    std::unordered_set<std::uint64_t> m_objects;
    std::map<std::string, CameFirst> m_came_first;
    DayCounts m_days;
    std::int64_t m_first = std::numeric_limits<std::int64_t>::max();
    std::int64_t m_last = std::numeric_limits<std::int64_t>::min();
};

nlohmann::ordered_json cell_json(std::string_view column, const std::string& cell) {
    if (cell.empty()) return nullptr;
    if (!is_text_column(column)) {
        auto number = read_json(cell);
        if (number.is_number()) return number;
    }
    return cell;
}

nlohmann::ordered_json table_json(const CoActionTable& table) {
    auto rows = nlohmann::ordered_json::array();
    for (const auto& cells : table.rows) {
        auto row = nlohmann::ordered_json::object();
        for (std::size_t i = 0; i < cells.size(); ++i) row[table.columns[i]] = cell_json(table.columns[i], cells[i]);
        rows.push_back(std::move(row));
    }
    return rows;
}

/// Calls `see` with the name and the value of each column of a co-action.
template <typename See>
void for_each_cell(const CoAction& row, const See& see) {
    see("trace", row.trace);
    see("object", row.object);
    see("account_a", row.account_a);
    see("post_a", row.post_a);
    see("time_a", row.time_a);
    see("account_b", row.account_b);
    see("post_b", row.post_b);
    see("time_b", row.time_b);
    see("delay_seconds", row.delay_seconds);
    see("evidence_a", row.evidence_a);
    see("row_a", row.row_a);
    see("evidence_b", row.evidence_b);
    see("row_b", row.row_b);
}

std::string counted(std::uint64_t count, std::string_view one, std::string_view many) {
    return fmt::format("{} {}", count_text(count), count == 1 ? one : many);
}

}  // namespace

std::vector<std::string> edge_accounts(const CaseRun& run, const std::string& text) {
    pairs_path(run);
    const Known known(run);
    std::optional<std::vector<std::string>> nearest;
    for (auto comma = text.find(','); comma != std::string::npos; comma = text.find(',', comma + 1)) {
        std::vector<std::string> both = {text.substr(0, comma), text.substr(comma + 1)};
        const bool knows_a = known.accounts.contains(both[0]);
        const bool knows_b = known.accounts.contains(both[1]);
        if (knows_a && knows_b && both[0] != both[1]) return both;
        if (!nearest || knows_a || knows_b) nearest = std::move(both);
    }
    if (!nearest) throw Error(ErrorKind::usage, "--edge takes two accounts", "Write --edge A,B");
    if ((*nearest)[0] == (*nearest)[1]) throw Error(ErrorKind::usage, "--edge takes two different accounts", "Write --edge A,B");
    for (const auto& account : *nearest)
        if (!known.accounts.contains(account)) known.throw_unknown("of the account", account, known.accounts);
    return *nearest;
}

CoActions find_co_actions(const CaseRun& run, const ReportRun& about, CoActionQuestion question) {
    CoActions found;
    found.question = std::move(question);
    found.run_folder = run.folder;
    found.inputs = about.inputs;
    for (const auto& [name, value] : about.parameters)
        if (name == "alpha") found.alpha = number_of(value, 0);
    const auto& asked = found.question;
    const auto pairs = pairs_path(run);
    Circle circle(asked);
    if (circle.is_community()) add_members(run, asked.community, circle);
    Known(run).check(asked);
    found.edges = read_edges(table_path(run, "edges"), circle, asked.trace);
    found.fused = read_edges(table_path(run, "fused"), circle, {});
    if (found.edges.total + found.fused.total == 0 && asked.accounts.size() == 2 && asked.trace.empty())
        throw Error(ErrorKind::usage,
                    fmt::format("the run kept no edge between '{}' and '{}'", printable(asked.accounts[0], 200),
                                printable(asked.accounts[1], 200)),
                    "--account shows with whom one of them acts together");
    found.tiers = read_rows(table_path(run, "tiers"), {"account"}, [&](const std::string& account) { return circle.names(account); });
    std::set<std::string> communities;
    if (circle.is_community()) communities.insert(std::to_string(asked.community));
    for (std::size_t c = 0; c < found.tiers.columns.size(); ++c)
        if (found.tiers.columns[c] == "community")
            for (const auto& row : found.tiers.rows) communities.insert(row[c]);
    found.community = read_rows(table_path(run, "communities"), {"community"},
                                [&](const std::string& number) { return communities.contains(number); });
    PairReader(circle, found).read(pairs);
    return found;
}

bool are_beyond_chance(const CoActions& found) { return found.edges.total > 0 && found.edges.q_max <= found.alpha; }

std::vector<std::string> co_action_sentences(const CoActions& found) {
    const auto& asked = found.question;
    if (found.total == 0)
        return {fmt::format("No co-actions: no edge is kept in {}{}", asked.trace.empty() ? "any single trace" : asked.trace,
                            found.fused.total > 0 ? ", but in all traces taken together" : "")};
    std::vector<std::string> by_trace;
    for (const auto& [trace, count] : found.traces) by_trace.push_back(fmt::format("{} {}", count_text(count), trace));
    std::vector<std::string> sentences = {fmt::format(
        "{} on {} ({}), {} to {}", counted(found.total, "co-action", "co-actions"), counted(found.objects, "object", "objects"),
        fmt::join(by_trace, ", "), found.time_first, found.time_last)};
    const auto first_of = [&](const std::string& account) -> std::uint64_t {
        for (const auto& item : found.came_first)
            if (item.account == account) return item.first;
        return 0;
    };
    if (asked.accounts.size() == 2) {
        const auto a = first_of(asked.accounts[0]);
        const auto b = first_of(asked.accounts[1]);
        std::string words = fmt::format("{} came first in {}, {} in {}", asked.accounts[0], count_text(a), asked.accounts[1],
                                        count_text(b));
        if (a + b < found.total) words += fmt::format("; {} at the same time", count_text(found.total - a - b));
        sentences.push_back(std::move(words));
    } else if (asked.accounts.size() == 1) {
        sentences.push_back(fmt::format("{} came first in {} of {}, with {}", asked.accounts[0],
                                        count_text(first_of(asked.accounts[0])), count_text(found.total),
                                        counted(found.came_first.size() - 1, "other account", "other accounts")));
    } else if (!found.came_first.empty()) {
        std::vector<std::string> leaders;
        for (std::size_t i = 0; i < std::min<std::size_t>(3, found.came_first.size()); ++i)
            leaders.push_back(fmt::format("{} (first in {} of its {})", found.came_first[i].account,
                                          count_text(found.came_first[i].first), count_text(found.came_first[i].co_actions)));
        sentences.push_back(fmt::format("Most often first: {}", fmt::join(leaders, ", ")));
    }
    if (found.edges.q_max > 1)
        sentences.emplace_back("Whether chance alone explains it was not judged");
    else if (!are_beyond_chance(found))
        sentences.push_back(fmt::format("Chance alone may explain it: q is up to {}, and only edges up to {} are beyond chance",
                                        number_text(found.edges.q_max), number_text(found.alpha)));
    if (found.rows.size() < found.total)
        sentences.push_back(fmt::format("The {} closest in time are shown, {} are left out", count_text(found.rows.size()),
                                        count_text(found.total - found.rows.size())));
    return sentences;
}

std::string co_actions_csv(const CoActions& found) {
    std::string out;
    const auto line = [&](const CoAction& row, bool is_header) {
        bool is_first = true;
        for_each_cell(row, [&](std::string_view name, const std::string& cell) {
            if (!is_first) out += ',';
            is_first = false;
            append_csv_cell(is_header ? name : std::string_view(cell), out);
        });
        out += '\n';
    };
    line({}, true);
    for (const auto& row : found.rows) line(row, false);
    return out;
}

std::string co_actions_json(const CoActions& found) {
    using Json = nlohmann::ordered_json;
    const auto& asked = found.question;
    Json question = Json::object();
    if (asked.accounts.empty()) question["community"] = asked.community;
    else question[asked.accounts.size() == 2 ? "edge" : "account"] =
             asked.accounts.size() == 2 ? Json(asked.accounts) : Json(asked.accounts[0]);
    if (!asked.trace.empty()) question["trace"] = asked.trace;
    Json traces = Json::object();
    for (const auto& [trace, count] : found.traces) traces[trace] = count;
    Json came_first = Json::array();
    for (std::size_t i = 0; i < std::min(found.came_first.size(), accounts_kept_max); ++i) {
        const auto& item = found.came_first[i];
        came_first.push_back({{"account", item.account}, {"first", item.first}, {"co_actions", item.co_actions}});
    }
    const Json head = {{"schema_version", 1},
                       {"question", std::move(question)},
                       {"total", found.total},
                       {"left_out", found.total - found.rows.size()},
                       {"objects", found.objects},
                       {"traces", std::move(traces)},
                       {"time_first", found.time_first},
                       {"time_last", found.time_last},
                       {"came_first", std::move(came_first)},
                       {"beyond_chance", are_beyond_chance(found)},
                       {"edges_total", found.edges.total},
                       {"edges", table_json(found.edges)},
                       {"fused_total", found.fused.total},
                       {"fused", table_json(found.fused)},
                       {"tiers", table_json(found.tiers)},
                       {"communities", table_json(found.community)}};
    std::string out = json_text(head);
    out.pop_back();
    out += ",\n\"co_actions\":[";
    for (std::size_t i = 0; i < found.rows.size(); ++i) {
        auto object = Json::object();
        for_each_cell(found.rows[i], [&](std::string_view name, const std::string& cell) {
            const bool is_text = name == "post_a" || name == "post_b" || name.starts_with("evidence");
            object[std::string(name)] = is_text ? Json(cell) : cell_json(name, cell);
        });
        out += i == 0 ? "\n" : ",\n";
        append_json(object, out);
    }
    return out + "\n]}\n";
}

}  // namespace unveil
