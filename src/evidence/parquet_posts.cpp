// Posts out of Parquet, through DuckDB: only the wanted columns, as text, in the order of the file.
#include <fmt/format.h>
#include <sys/stat.h>

#include <optional>

#include "core/digest.hpp"
#include "core/error.hpp"
#include "evidence/table_posts.hpp"
#include "table/duckdb.hpp"

namespace unveil {
namespace {

/// The path as a SQL string in which nothing is a wildcard.
std::string path_literal(const std::string& path) {
    std::string plain;
    for (const char c : path) {
        if (c == '*' || c == '?' || c == '[')
            plain += {'[', c, ']'};
        else
            plain += c;
    }
    return sql_literal(plain);
}

struct ParquetColumn {
    std::string name;
    std::string type;
};

class ParquetRow {
  public:
    ParquetRow(const DuckDatabase::Result& result, const std::vector<std::size_t>& selected,
               const std::vector<ParquetColumn>& columns, std::size_t row)
        : m_result(result), m_selected(selected), m_columns(columns), m_row(row) {}
    std::string_view text(std::size_t column) const {
        if (is_list(column)) return {};
        return m_result.text(m_selected[column], m_row).value_or(std::string_view());
    }
    bool list(std::size_t column, std::vector<std::string_view>& items) const {
        if (!is_list(column)) return false;
        const auto begin = items.size();
        m_result.list(m_selected[column], m_row, items);
        std::erase_if(items, [&, at = std::size_t{0}](const auto& item) mutable {
            return at++ >= begin && item.empty();
        });
        return true;
    }

  private:
    bool is_list(std::size_t column) const { return m_columns[column].type.ends_with("[]"); }

    const DuckDatabase::Result& m_result;
    const std::vector<std::size_t>& m_selected;
    const std::vector<ParquetColumn>& m_columns;
    std::size_t m_row;
};

class ParquetPosts final : public TablePosts {
  public:
    ParquetPosts(std::unique_ptr<DuckDatabase> database, std::vector<ParquetColumn> columns,
                 TableMapping mapping, const std::string& path, std::uint32_t evidence,
                 const EvidenceLimits& limits)
        : TablePosts(std::move(mapping), "Parquet", path, evidence, limits),
          m_database(std::move(database)),
          m_columns(std::move(columns)),
          m_wanted(this->mapping().fields) {
        struct stat status {};
        if (::stat(path.c_str(), &status) == 0) m_disk_bytes = static_cast<std::uint64_t>(status.st_size);
        auto count = m_database->query(
            fmt::format("SELECT CAST(count(*) AS VARCHAR) FROM read_parquet({})", path_literal(path)));
        if (count.next_chunk()) m_rows_total = std::stoull(std::string(count.text(0, 0).value_or("0")));
    }

    void want(PostFields fields) override {
        m_wanted =
            fields | PostField::account | static_cast<PostFields>(PostField::content) | PostField::time;
        TablePosts::want(fields);
    }

    bool next(PostBatch& batch) override {
        m_assembler.start_batch(batch, m_evidence);
        if (m_is_finished) return false;
        if (!m_result) m_result.emplace(m_database->query(sql()));
        // A chunk of DuckDB has as many rows as a batch may have, so its texts live as long as the batch.
        while (batch.size() == 0) {
            if (!m_result->next_chunk()) {
                m_result.reset();
                finish(sha256_hex_of_file(m_report.path), m_disk_bytes);
                return false;
            }
            UNVEIL_ASSERT(m_result->rows() <= PostBatch::rows_max);
            for (std::size_t i = 0; i < m_result->rows(); ++i) {
                ++m_row;
                const auto* reason =
                    m_assembler.add(batch, m_row, ParquetRow(*m_result, m_selected, m_columns, i));
                if (reason) m_report.tally.skip(reason, fmt::format("{}: row {}", m_report.path, m_row), "");
            }
        }
        m_report.tally.keep(batch.size());
        return true;
    }

    std::uint64_t bytes_done() const override {
        if (m_rows_total == 0) return m_disk_bytes;
        return static_cast<std::uint64_t>(static_cast<double>(m_disk_bytes) * static_cast<double>(m_row) /
                                          static_cast<double>(m_rows_total));
    }

  private:
    std::string sql() {
        std::string columns;
        m_selected.assign(m_columns.size(), 0);
        std::size_t count = 0;
        for (const auto& mapped : mapping().mapped) {
            if (!contains(m_wanted, mapped.field)) continue;
            const auto& [name, type] = m_columns[mapped.column];
            const auto identifier = sql_identifier(name);
            if (count > 0) columns += ", ";
            m_selected[mapped.column] = count++;
            if (type.ends_with("[]"))
                columns += fmt::format("CAST({} AS VARCHAR[])", identifier);
            else if (type == "TIMESTAMP WITH TIME ZONE")
                columns += fmt::format("CAST({} AT TIME ZONE 'UTC' AS VARCHAR)", identifier);
            else
                columns += fmt::format("CAST({} AS VARCHAR)", identifier);
        }
        return fmt::format("SELECT {} FROM read_parquet({})", columns, path_literal(m_report.path));
    }

    std::unique_ptr<DuckDatabase> m_database;
    std::vector<ParquetColumn> m_columns;
    PostFields m_wanted;
    std::vector<std::size_t> m_selected;  // position in the query's result, by column of the file
    std::optional<DuckDatabase::Result> m_result;
    std::uint64_t m_row = 0;
    std::uint64_t m_rows_total = 0;
    std::uint64_t m_disk_bytes = 0;
};

}  // namespace

std::unique_ptr<PostSource> make_parquet_posts(const std::string& path, const EvidenceOptions& options,
                                               std::uint32_t evidence, const EvidenceLimits& limits) {
    DuckDatabase::Options duck_options;
    duck_options.threads = 1;  // the order of the file
    auto database = std::make_unique<DuckDatabase>(duck_options);
    std::vector<ParquetColumn> columns;
    try {
        auto described = database->query(
            fmt::format("SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM read_parquet({}))",
                        path_literal(path)));
        while (described.next_chunk())
            for (std::size_t i = 0; i < described.rows(); ++i)
                columns.push_back({std::string(described.text(0, i).value_or("")),
                                   std::string(described.text(1, i).value_or(""))});
    } catch (const Error& error) {
        throw Error(ErrorKind::input, fmt::format("is no readable Parquet file ({})", error.message()),
                    "Copy or download the file again", path);
    }
    std::vector<std::string> names;
    for (const auto& column : columns) names.push_back(column.name);
    auto mapping = map_table(std::move(names), options, path, limits);
    return std::make_unique<ParquetPosts>(std::move(database), std::move(columns), std::move(mapping), path,
                                          evidence, limits);
}

}  // namespace unveil
