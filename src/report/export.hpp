// A case in the formats of other tools: tables as CSV, JSON or Parquet, networks as GraphML or GEXF, interference in the words of OONI.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "report/case_folder.hpp"

namespace unveil {

class Pseudonyms;

struct ExportOptions {
    std::string out;                          // a folder for csv, parquet and ooni, a file for the others
    const Pseudonyms* pseudonyms = nullptr;   // null: accounts as they are
    std::size_t run = SIZE_MAX;               // GraphML and GEXF: which run; SIZE_MAX: the first that has edges
    unsigned threads = 1;
    std::function<void(std::string_view line)> say;   // what was left out; may be empty
};

/// OUT/verdicts.csv, OUT/findings.csv and each table of each run; with several runs their names end in _run2 and so on.
/// With pseudonyms the table of pairs is left out: ids of posts lead back to accounts.
void export_csv(const CaseFolder& folder, const ExportOptions& options);
/// The same as Parquet. Needs DuckDB.
void export_parquet(const CaseFolder& folder, const ExportOptions& options);
/// One document with verdicts, findings and tables.
void export_json(const CaseFolder& folder, const ExportOptions& options);

/// Of runs of `interference`: OUT/measurement_days.jsonl, one object for each site, network and day, and OUT/flows.jsonl, one for each flow with a sign; with
/// several runs their names end in _run2 and so on. Clients' addresses are left out, whatever the run was told. docs/formats/ooni-export.md says what each key means.
void export_ooni(const CaseFolder& folder, const ExportOptions& options);

enum class GraphFormat { graphml, gexf };
/// The kept edges of the widest window of each trace, with weights; accounts with their component, degree and, up to
/// layout_accounts_max accounts, a position.
void export_graph(const CaseFolder& folder, GraphFormat format, const ExportOptions& options);

constexpr std::size_t layout_accounts_max = 50'000;
constexpr std::size_t export_edges_max = 50'000'000;

}  // namespace unveil
