#include "report/export.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <unordered_map>
#include <utility>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/output_table.hpp"
#include "core/text.hpp"
#include "graph/components.hpp"
#include "graph/layout.hpp"
#include "report/pseudonym.hpp"
#include "report/table_file.hpp"
#include "table/duckdb.hpp"

namespace unveil {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 3> verdict_words = {"supported", "contradicted", "undetermined"};

void make_folder(const std::string& path) {
    std::error_code failure;
    std::filesystem::create_directories(path, failure);
    if (failure) throw Error(ErrorKind::run, "cannot make the folder: " + failure.message(), "Choose another --out", path);
}

std::string real_text(double value) {
    std::string out;
    append_real(value, RealStyle::shortest, out);
    return out;
}

std::string csv_line(const std::vector<std::string>& cells) {
    std::string line;
    for (std::size_t i = 0; i < cells.size(); ++i) {
        if (i > 0) line += ',';
        append_csv_cell(cells[i], line);
    }
    return line + "\n";
}

/// Findings under their pseudonyms, if there are any.
Findings shown_findings(const ReportRun& run, const ExportOptions& options) {
    Findings findings = run.findings;
    if (options.pseudonyms != nullptr) options.pseudonyms->apply(findings, {});
    return findings;
}

void write_findings(const CaseFolder& folder, const ExportOptions& options, const std::string& path) {
    ExportFile file(path);
    file.write("run,instrument,metric,subject,value,low,high,level,unit,strength,strength_value,records,sentence,caveat\n");
    for (std::size_t i = 0; i < folder.runs.size(); ++i) {
        const auto findings = shown_findings(folder.report.runs[i], options);
        for (const auto& item : findings.items)
            file.write(csv_line({std::to_string(i + 1), folder.runs[i].instrument, item.metric, item.subject,
                                 real_text(item.value), real_text(item.low), std::isinf(item.high) ? "" : real_text(item.high), real_text(item.level),
                                 item.unit, std::string(strength_name(item.strength)), real_text(item.strength_value),
                                 std::to_string(item.locators_total), item.sentence, item.caveat}));
    }
    file.finish();
}

void write_verdicts(const CaseFolder& folder, const std::string& path) {
    ExportFile file(path);
    file.write("claim,verdict,text,sentence\n");
    for (const auto& claim : folder.report.claims)
        file.write(csv_line({claim.id, std::string(verdict_words[static_cast<std::size_t>(claim.verdict)]), claim.text, claim.why}));
    file.finish();
}

/// Calls `handle` with each table to be exported and the name it goes by.
template <typename Handle>
void for_each_table(const CaseFolder& folder, const ExportOptions& options, const Handle& handle) {
    for (std::size_t i = 0; i < folder.runs.size(); ++i) {
        for (const auto& table : folder.runs[i].tables) {
            if (options.pseudonyms != nullptr && table.name == "pairs") {
                if (options.say) options.say("the table of pairs is left out: its ids of posts lead back to accounts");
                continue;
            }
            handle(i, table, i == 0 ? table.name : fmt::format("{}_run{}", table.name, i + 1));
        }
    }
}

void replace_accounts(const std::vector<std::size_t>& columns, const Pseudonyms* pseudonyms, std::vector<std::string>& cells) {
    if (pseudonyms == nullptr) return;
    for (const auto column : columns) cells[column] = pseudonyms->of(cells[column]);
}

std::vector<std::size_t> account_columns(const TableFile& table) {
    std::vector<std::size_t> columns;
    for (std::size_t i = 0; i < table.columns().size(); ++i)
        if (is_account_column(table.columns()[i])) columns.push_back(i);
    return columns;
}

void copy_table(const std::string& from, const std::string& to, const Pseudonyms* pseudonyms) {
    TableFile table(from);
    const auto accounts = account_columns(table);
    ExportFile file(to);
    file.write(csv_line(table.columns()));
    std::vector<std::string> cells;
    while (table.next(cells)) {
        replace_accounts(accounts, pseudonyms, cells);
        file.write(csv_line(cells));
    }
    file.finish();
}

/// A cell as JSON: a number when the column may hold numbers and the cell is one, null when it is empty.
/// "text", "integer" or "real"; empty where nobody declared it. Ids are text whatever was declared.
std::string_view type_of(const CaseTable& table, std::string_view column) {
    if (is_text_column(column)) return "text";
    const auto declared = table.types.find(column);
    return declared == table.types.end() ? std::string_view() : std::string_view(declared->second);
}

void append_json_cell(const std::string& cell, bool is_text, std::string& out) {
    if (!is_text && cell.empty()) {
        out += "null";
        return;
    }
    if (!is_text) {
        const Json parsed = Json::parse(cell, nullptr, false);
        if (parsed.is_number()) {
            out += cell;
            return;
        }
    }
    append_json(Json(cell), out);
}

struct Graph {
    struct Edge {
        std::uint32_t from;
        std::uint32_t to;
        double weight;
        double window_seconds;
        std::uint32_t trace;
    };
    std::vector<std::string> accounts;
    std::vector<std::string> traces;
    std::vector<Edge> edges;
    std::vector<std::uint32_t> group;    // 1 is the largest
    std::vector<std::uint32_t> degree;
    GraphLayout layout;                  // empty when the graph is too large
    bool has_windows = false;
};

double number_cell(const std::string& cell) {
    const Json parsed = Json::parse(cell, nullptr, false);
    return parsed.is_number() ? parsed.get<double>() : 0;
}

Graph read_graph(const std::string& path, const ExportOptions& options) {
    Graph graph;
    TableFile table(path);
    const auto from = table.column({"account_a", "from", "user_1"});
    const auto to = table.column({"account_b", "to", "user_2"});
    const auto weight = table.column({"weight"});
    const auto trace = table.column({"trace"});
    const auto window = table.column({"window_seconds"});
    if (from == SIZE_MAX || to == SIZE_MAX || weight == SIZE_MAX)
        throw Error(ErrorKind::input, "the table of edges lacks its columns", "Run 'unveil investigate' on the case again", path);
    graph.has_windows = window != SIZE_MAX;
    std::unordered_map<std::string, std::uint32_t> numbers;
    const auto number_of = [&](const std::string& account) {
        const auto [found, is_new] = numbers.emplace(account, static_cast<std::uint32_t>(graph.accounts.size()));
        if (is_new) graph.accounts.push_back(account);
        return found->second;
    };
    std::map<std::string, std::uint32_t> trace_numbers;
    std::vector<double> widest;
    std::vector<std::string> cells;
    while (table.next(cells)) {
        if (graph.edges.size() == export_edges_max)
            throw Error(ErrorKind::run, fmt::format("there are more than {} edges", export_edges_max),
                        "Raise --min-weight, or export as csv or parquet", path);
        const std::string name = trace == SIZE_MAX ? std::string() : cells[trace];
        const auto [found, is_new] = trace_numbers.emplace(name, static_cast<std::uint32_t>(graph.traces.size()));
        if (is_new) {
            graph.traces.push_back(name);
            widest.push_back(0);
        }
        const double seconds = graph.has_windows ? number_cell(cells[window]) : 0;
        widest[found->second] = std::max(widest[found->second], seconds);
        graph.edges.push_back({number_of(cells[from]), number_of(cells[to]), number_cell(cells[weight]), seconds, found->second});
    }
    // Edges within a narrower window are edges within a wider one too.
    std::erase_if(graph.edges, [&](const Graph::Edge& edge) { return edge.window_seconds != widest[edge.trace]; });

    const auto count = static_cast<std::uint32_t>(graph.accounts.size());
    std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs;
    graph.degree.resize(count);
    for (const auto& edge : graph.edges) {
        pairs.emplace_back(edge.from, edge.to);
        ++graph.degree[edge.from];
        if (edge.from != edge.to) ++graph.degree[edge.to];
    }
    const auto component = connected_components(count, pairs);
    std::vector<std::uint32_t> sizes(count);
    for (const auto number : component) ++sizes[number];
    std::vector<std::uint32_t> order(count);
    for (std::uint32_t i = 0; i < count; ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) { return sizes[a] > sizes[b]; });
    std::vector<std::uint32_t> rank(count);
    for (std::uint32_t i = 0; i < count; ++i) rank[order[i]] = i + 1;
    for (const auto number : component) graph.group.push_back(rank[number]);

    if (graph.accounts.size() <= layout_accounts_max) {
        std::vector<LayoutEdge> layout_edges;
        for (const auto& edge : graph.edges) layout_edges.push_back({edge.from, edge.to, std::max(0.0, edge.weight)});
        graph.layout = lay_out_graph(count, layout_edges, 1);
    } else if (options.say) {
        options.say(fmt::format("{} accounts are too many to lay out here: the export has no positions", count));
    }
    if (options.pseudonyms != nullptr)
        for (auto& account : graph.accounts) account = options.pseudonyms->of(account);
    return graph;
}

/// Text for an XML attribute: white space would be normalised to blanks unless it is a reference.
std::string xml(std::string_view text) {
    std::string escaped;
    append_xml(text, escaped);
    std::string out;
    for (const char c : escaped) {
        if (c == '\n') out += "&#10;";
        else if (c == '\t') out += "&#9;";
        else out += c;
    }
    return out;
}

void write_graphml(const Graph& graph, ExportFile& file) {
    file.write(R"(<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
<key id="label" for="node" attr.name="label" attr.type="string"/>
<key id="group" for="node" attr.name="group" attr.type="int"/>
<key id="degree" for="node" attr.name="degree" attr.type="int"/>
<key id="x" for="node" attr.name="x" attr.type="double"/>
<key id="y" for="node" attr.name="y" attr.type="double"/>
<key id="weight" for="edge" attr.name="weight" attr.type="double"/>
<key id="trace" for="edge" attr.name="trace" attr.type="string"/>
<key id="window_seconds" for="edge" attr.name="window_seconds" attr.type="double"/>
<graph edgedefault="undirected">
)");
    for (std::size_t i = 0; i < graph.accounts.size(); ++i) {
        std::string line = fmt::format(R"(<node id="n{}"><data key="label">{}</data><data key="group">{}</data><data key="degree">{}</data>)",
                                       i, xml(graph.accounts[i]), graph.group[i], graph.degree[i]);
        if (!graph.layout.x.empty())
            line += fmt::format(R"(<data key="x">{}</data><data key="y">{}</data>)", graph.layout.x[i], -graph.layout.y[i]);
        file.write(line + "</node>\n");
    }
    for (const auto& edge : graph.edges) {
        std::string line = fmt::format(R"(<edge source="n{}" target="n{}"><data key="weight">{}</data>)", edge.from, edge.to,
                                       real_text(edge.weight));
        if (!graph.traces[edge.trace].empty()) line += fmt::format(R"(<data key="trace">{}</data>)", xml(graph.traces[edge.trace]));
        if (graph.has_windows) line += fmt::format(R"(<data key="window_seconds">{}</data>)", real_text(edge.window_seconds));
        file.write(line + "</edge>\n");
    }
    file.write("</graph>\n</graphml>\n");
}

void write_gexf(const Graph& graph, const std::string& title, ExportFile& file) {
    static constexpr std::array<std::string_view, 8> colours = {
        R"(r="154" g="160" b="168")", R"(r="0" g="114" b="178")",   R"(r="230" g="159" b="0")", R"(r="0" g="158" b="115")",
        R"(r="204" g="121" b="167")", R"(r="86" g="180" b="233")", R"(r="213" g="94" b="0")",  R"(r="184" g="168" b="0")"};
    file.write(fmt::format(R"(<?xml version="1.0" encoding="UTF-8"?>
<gexf xmlns="http://gexf.net/1.3" xmlns:viz="http://gexf.net/1.3/viz" version="1.3">
<meta><creator>unveil</creator><description>{}</description></meta>
<graph defaultedgetype="undirected">
<attributes class="node"><attribute id="group" title="group" type="integer"/><attribute id="degree" title="degree" type="integer"/></attributes>
<attributes class="edge"><attribute id="trace" title="trace" type="string"/><attribute id="window_seconds" title="window_seconds" type="double"/></attributes>
<nodes>
)", xml(title)));
    for (std::size_t i = 0; i < graph.accounts.size(); ++i) {
        std::string line = fmt::format(
            R"(<node id="{}" label="{}"><attvalues><attvalue for="group" value="{}"/><attvalue for="degree" value="{}"/></attvalues>)",
            i, xml(graph.accounts[i]), graph.group[i], graph.degree[i]);
        line += fmt::format(R"(<viz:color {}/>)", colours[graph.group[i] < colours.size() ? graph.group[i] : 0]);
        if (!graph.layout.x.empty())
            line += fmt::format(R"(<viz:position x="{}" y="{}" z="0"/>)", graph.layout.x[i], -graph.layout.y[i]);
        file.write(line + "</node>\n");
    }
    file.write("</nodes>\n<edges>\n");
    for (std::size_t i = 0; i < graph.edges.size(); ++i) {
        const auto& edge = graph.edges[i];
        std::string values;
        if (!graph.traces[edge.trace].empty())
            values += fmt::format(R"(<attvalue for="trace" value="{}"/>)", xml(graph.traces[edge.trace]));
        if (graph.has_windows)
            values += fmt::format(R"(<attvalue for="window_seconds" value="{}"/>)", real_text(edge.window_seconds));
        file.write(fmt::format("<edge id=\"{}\" source=\"{}\" target=\"{}\" weight=\"{}\"><attvalues>{}</attvalues></edge>\n", i,
                               edge.from, edge.to, real_text(edge.weight), values));
    }
    file.write("</edges>\n</graph>\n</gexf>\n");
}

}  // namespace

void export_csv(const CaseFolder& folder, const ExportOptions& options) {
    make_folder(options.out);
    write_verdicts(folder, options.out + "/verdicts.csv");
    write_findings(folder, options, options.out + "/findings.csv");
    for_each_table(folder, options, [&](std::size_t, const CaseTable& table, const std::string& name) {
        copy_table(table.path, options.out + "/" + name + ".csv", options.pseudonyms);
    });
}

void export_parquet(const CaseFolder& folder, const ExportOptions& options) {
    make_folder(options.out);
    DuckDatabase::Options duck;
    duck.threads = options.threads;
    DuckDatabase database(duck);
    // Through CSV beside it: DuckDB then reads what `export --to csv` would have written.
    const std::string csv = options.out + "/.table.csv";
    const auto convert = [&](const std::string& name, const CaseTable& about) {
        std::string types;
        {
            // What the cells look like says nothing: NO is Norway, and a share may be 1 in all rows.
            TableFile table(csv);
            for (const auto& column : table.columns())
                if (const auto type = type_of(about, column); !type.empty())
                    types += fmt::format("{}{}: '{}'", types.empty() ? "" : ", ", sql_literal(column), type == "text" ? "VARCHAR" : type == "real" ? "DOUBLE" : "BIGINT");
        }
        if (!types.empty()) types = ", types = {" + types + "}";
        const std::string part = options.out + "/" + name + ".parquet.part";
        database.execute(fmt::format("COPY (SELECT * FROM read_csv({}, header = true, delim = ',', quote = '\"', escape = '\"', "
                                     "new_line = '\\n', sample_size = -1, max_line_size = 16000000{})) TO {} "
                                     "(FORMAT parquet, COMPRESSION zstd)",
                                     sql_literal(csv), types, sql_literal(part)));
        std::filesystem::rename(part, options.out + "/" + name + ".parquet");
        std::filesystem::remove(csv);
    };
    write_verdicts(folder, csv);
    convert("verdicts", {"verdicts", csv, {{"verdict", "text"}}});
    write_findings(folder, options, csv);
    convert("findings", {"findings", csv,
                         {{"run", "integer"}, {"instrument", "text"}, {"value", "real"}, {"low", "real"}, {"high", "real"}, {"level", "real"}, {"strength_value", "real"}, {"records", "integer"}}});
    for_each_table(folder, options, [&](std::size_t, const CaseTable& table, const std::string& name) {
        copy_table(table.path, csv, options.pseudonyms);
        convert(name, table);
    });
}

void export_json(const CaseFolder& folder, const ExportOptions& options) {
    ExportFile file(options.out);
    file.write("{\"schema_version\":1,\"title\":" + json_text(Json(folder.report.title)) + ",\n\"verdicts\":[");
    for (std::size_t i = 0; i < folder.report.claims.size(); ++i) {
        const auto& claim = folder.report.claims[i];
        const Json json = {{"claim", claim.id},
                           {"verdict", verdict_words[static_cast<std::size_t>(claim.verdict)]},
                           {"text", claim.text},
                           {"sentence", claim.why}};
        file.write((i == 0 ? "\n" : ",\n") + json_text(json));
    }
    file.write("],\n\"runs\":[");
    for (std::size_t i = 0; i < folder.runs.size(); ++i) {
        const auto& run = folder.report.runs[i];
        file.write(std::string(i == 0 ? "\n" : ",\n") + "{\"instrument\":" + json_text(Json(run.instrument)) + ",\"parameters\":");
        Json parameters = Json::object();
        for (const auto& [name, value] : run.parameters) parameters[name] = value;
        file.write(json_text(parameters) + ",\n\"findings\":");
        std::string findings = findings_to_json(shown_findings(run, options));
        while (!findings.empty() && findings.back() == '\n') findings.pop_back();
        file.write(findings + ",\n\"tables\":{");
        bool is_first = true;
        for_each_table(folder, options, [&](std::size_t of_run, const CaseTable& about, const std::string&) {
            if (of_run != i) return;
            TableFile table(about.path);
            const auto accounts = account_columns(table);
            file.write((is_first ? "\n" : ",\n") + json_text(Json(about.name)) + ":{\"columns\":" + json_text(Json(table.columns())) +
                       ",\"rows\":[");
            is_first = false;
            std::vector<std::string> cells;
            for (bool is_first_row = true; table.next(cells); is_first_row = false) {
                replace_accounts(accounts, options.pseudonyms, cells);
                std::string line = is_first_row ? "\n[" : ",\n[";
                for (std::size_t c = 0; c < cells.size(); ++c) {
                    if (c > 0) line += ',';
                    const auto& column = table.columns()[c];
                    append_json_cell(cells[c], is_text_column(column) || (!cells[c].empty() && type_of(about, column) == "text"), line);
                }
                file.write(line + "]");
            }
            file.write("]}");
        });
        file.write("}}");
    }
    file.write("]}\n");
    file.finish();
}

void export_graph(const CaseFolder& folder, GraphFormat format, const ExportOptions& options) {
    const CaseTable* edges = nullptr;
    for (std::size_t i = 0; i < folder.runs.size() && edges == nullptr; ++i) {
        if (options.run != SIZE_MAX && options.run != i) continue;
        for (const auto& table : folder.runs[i].tables)
            if (table.name == "edges") edges = &table;
    }
    if (edges == nullptr)
        throw Error(ErrorKind::usage, "there is no network to export: no such run has a table of edges",
                    fmt::format("The case has {} run{}; choose another --run, or export as csv", folder.runs.size(),
                                folder.runs.size() == 1 ? "" : "s"));
    const auto graph = read_graph(edges->path, options);
    ExportFile file(options.out);
    if (format == GraphFormat::graphml) write_graphml(graph, file);
    else write_gexf(graph, folder.report.title, file);
    file.finish();
}

}  // namespace unveil
