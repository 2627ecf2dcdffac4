// The bridge to DuckDB, the only place that knows its C interface: Parquet in and out, and SQL for users.
// The library is loaded when first needed, so commands that do not need it start at once and run without it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace unveil {

/// An in-memory database that loads no extensions and leaves no files behind; its configuration is locked as soon as
/// external access is. Throws Error(run) when the library is missing (with the remedy), Error(input) for what DuckDB
/// says of a query.
class DuckDatabase {
  public:
    struct Options {
        unsigned threads = 1;
        std::uint64_t memory_bytes_max = 1'000'000'000;
        bool external_access = true;  // may read and write files
    };
    explicit DuckDatabase(const Options& options);
    ~DuckDatabase();
    DuckDatabase(DuckDatabase&&) noexcept;

    void execute(const std::string& sql);
    /// From now on no file can be touched. For SQL that comes from a user.
    void lock_external_access();

    struct Column {
        std::string name;
        std::string type;  // DuckDB's name: BIGINT, VARCHAR, ...
    };
    /// A result that streams: columns are known at once, chunks of up to 2,048 rows follow.
    class Result {
      public:
        explicit Result(std::unique_ptr<struct DuckResultState> state);
        ~Result();
        Result(Result&&) noexcept;
        const std::vector<Column>& columns() const;
        /// Fetches the next chunk; false at the end.
        bool next_chunk();
        std::size_t rows() const;
        /// The cell of a VARCHAR column in the current chunk; nothing for NULL.
        std::optional<std::string_view> text(std::size_t column, std::size_t row) const;
        /// The items of a VARCHAR[] cell; empty for NULL.
        void list(std::size_t column, std::size_t row, std::vector<std::string_view>& items) const;

      private:
        std::unique_ptr<struct DuckResultState> m_state;
    };
    /// Every column of the result is VARCHAR or VARCHAR[]: cast in the SQL.
    Result query(const std::string& sql);

  private:
    std::unique_ptr<struct DuckState> m_state;
};

bool has_duckdb();
/// 'text' with quotes doubled, for a SQL string literal.
std::string sql_literal(std::string_view text);
std::string sql_identifier(std::string_view name);

}  // namespace unveil
