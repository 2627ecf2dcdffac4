#include "cli/command_sql.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "case/case_sql.hpp"
#include "case/investigate.hpp"
#include "cli/global.hpp"
#include "core/error.hpp"
#include "core/json.hpp"
#include "core/text.hpp"

namespace unveil::cli {
namespace {

constexpr std::size_t rows_shown_max = 1000;
constexpr std::size_t cell_bytes_shown_max = 100;

enum class Shape { text, number, boolean };

struct ResultColumn {
    std::string name;
    Shape shape = Shape::text;
};

Shape shape_of(std::string_view type) {
    static const std::set<std::string_view> numbers = {"TINYINT", "SMALLINT", "INTEGER",   "BIGINT",
                                                       "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER",
                                                       "UBIGINT", "UHUGEINT", "FLOAT",     "DOUBLE"};
    if (type == "BOOLEAN") return Shape::boolean;
    return numbers.contains(type) || type.starts_with("DECIMAL") ? Shape::number : Shape::text;
}

/// Without the semicolons and blanks at its end, so that it can stand in brackets.
std::string bare(std::string_view sql) {
    sql = trimmed(sql);
    while (!sql.empty() && sql.back() == ';') sql = trimmed(sql.substr(0, sql.size() - 1));
    return std::string(sql);
}

/// The result with every cell as text. The SQL is first tried as it stands, so that DuckDB speaks of what the
/// user wrote, and says the types.
DuckDatabase::Result text_result(DuckDatabase& database, const std::string& sql,
                                 std::vector<ResultColumn>& columns) {
    auto plain = database.query(sql);
    bool is_all_text = true;
    for (const auto& column : plain.columns()) {
        columns.push_back({column.name, shape_of(column.type)});
        is_all_text = is_all_text && column.type == "VARCHAR";
    }
    if (is_all_text) return plain;
    return database.query("SELECT CAST(COLUMNS(*) AS VARCHAR) FROM (" + sql + "\n)");
}

void print(std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
}

void print_table(DuckDatabase::Result& result, const std::vector<ResultColumn>& columns,
                 const Global& global) {
    std::vector<std::string> header;
    std::vector<bool> is_right;
    for (const auto& column : columns) {
        header.push_back(column.name);
        is_right.push_back(column.shape == Shape::number);
    }
    std::vector<std::vector<std::string>> rows;
    bool has_more = false;
    while (!has_more && result.next_chunk())
        for (std::size_t row = 0; row < result.rows() && !has_more; ++row) {
            has_more = rows.size() == rows_shown_max;
            if (has_more) break;
            auto& cells = rows.emplace_back();
            for (std::size_t i = 0; i < columns.size(); ++i)
                cells.push_back(printable(result.text(i, row).value_or("NULL"), cell_bytes_shown_max));
        }
    print(text_table(header, rows, is_right));
    if (has_more)
        global.say(fmt::format("only the first {} rows are shown; send the output to a file for all",
                               rows_shown_max));
}

void print_csv(DuckDatabase::Result& result, const std::vector<ResultColumn>& columns) {
    std::string out;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        if (i > 0) out += ',';
        append_csv_cell(columns[i].name, out);
    }
    out += '\n';
    while (result.next_chunk()) {
        for (std::size_t row = 0; row < result.rows(); ++row) {
            for (std::size_t i = 0; i < columns.size(); ++i) {
                if (i > 0) out += ',';
                append_csv_cell(result.text(i, row).value_or(""), out);
            }
            out += '\n';
        }
        print(out);
        out.clear();
    }
    print(out);
}

nlohmann::ordered_json cell_to_json(std::optional<std::string_view> cell, Shape shape) {
    if (!cell) return nullptr;
    if (shape == Shape::boolean) return *cell == "true";
    if (shape == Shape::number) {
        // "nan" and "inf" are numbers to SQL and none to JSON; they stay texts.
        auto parsed = nlohmann::ordered_json::parse(*cell, nullptr, false);
        if (parsed.is_number()) return parsed;
    }
    return std::string(*cell);
}

void print_json(DuckDatabase::Result& result, const std::vector<ResultColumn>& columns) {
    std::string out = "[";
    bool is_first = true;
    while (result.next_chunk()) {
        for (std::size_t row = 0; row < result.rows(); ++row) {
            auto object = nlohmann::ordered_json::object();
            for (std::size_t i = 0; i < columns.size(); ++i)
                object[columns[i].name] = cell_to_json(result.text(i, row), columns[i].shape);
            out += is_first ? "\n" : ",\n";
            is_first = false;
            append_json(object, out);
        }
        print(out);
        out.clear();
    }
    print(out + "\n]\n");
}

class SqlCommand final : public Command {
  public:
    CommandDescription description() const override {
        CommandDescription description;
        description.name = "sql";
        description.summary = "Ask a case in SQL";
        description.details =
            "Runs one SELECT of DuckDB's SQL over the tables case_info, evidence, runs, findings, claims and "
            "verdicts, and "
            "over the tables that the runs wrote, such as edges and accounts, with the column run in front. "
            "No file "
            "can be read or written from within. Prints an aligned table on a terminal, CSV elsewhere, JSON "
            "with --json.";
        description.positionals = {{"CASE", "The folder of a case, or its case.toml", 1, 1},
                                   {"SQL", "One SELECT; 'SHOW TABLES' and 'DESCRIBE edges' work too", 1, 1}};
        description.examples = {
            "unveil sql case.out \"SELECT metric, value FROM findings\"",
            "unveil sql case.out \"SELECT * FROM edges ORDER BY weight DESC LIMIT 10\" --json"};
        description.diagnostics = {"1 when DuckDB refuses the SQL; its words are shown."};
        description.memory = "The tables of the runs that the SQL names are loaded into memory.";
        return description;
    }

    int run(const Invocation& invocation) const override {
        const auto& global = invocation.global;
        namespace fs = std::filesystem;
        std::string folder = invocation.positionals.at(0).at(0);
        if (fs::path(folder).extension() == ".toml") folder = default_case_folder(folder);
        if (fs::path(folder).filename() == "case.unveil")
            folder = fs::path(folder).has_parent_path() ? fs::path(folder).parent_path().string() : ".";
        const std::string sql = bare(invocation.positionals.at(1).at(0));
        if (sql.empty()) throw Error(ErrorKind::usage, "the SQL is empty", "Give one SELECT in quotes");
        DuckDatabase database = open_case_for_sql(folder, sql, global.threads, memory_bytes_default());
        std::vector<ResultColumn> columns;
        auto result = text_result(database, sql, columns);
        if (global.json)
            print_json(result, columns);
        else if (global.is_terminal)
            print_table(result, columns, global);
        else
            print_csv(result, columns);
        return 0;
    }
};

}  // namespace

std::unique_ptr<Command> make_sql_command() {
    return std::make_unique<SqlCommand>();
}

}  // namespace unveil::cli
