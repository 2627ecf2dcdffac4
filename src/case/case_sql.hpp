// The tables of a case for SQL: what was asserted, run, found and judged, and the tables that the runs wrote.
#pragma once

#include <cstdint>
#include <string>

#include "table/duckdb.hpp"

namespace unveil {

/// A database with the tables case_info, evidence, runs, findings, claims and verdicts of the latest state of the case in
/// `folder`, and every table that its runs wrote (edges, accounts ...) with the column `run` in front. Of the latter
/// only those are loaded whose name occurs in `sql`. No file can be touched any more.
/// Throws Error(input) when there is no case or a table of a run was changed since it was written.
DuckDatabase open_case_for_sql(const std::string& folder, const std::string& sql, unsigned threads,
                               std::uint64_t memory_bytes_max);

}  // namespace unveil
