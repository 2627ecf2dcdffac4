// What the folder of a case holds, read back for reports and exports: docs/case_file.md describes its files.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "report/report.hpp"

namespace unveil {

struct CaseTable {
    std::string name;   // "edges"
    std::string path;   // of the CSV file
    std::map<std::string, std::string, std::less<>> types = {};  // "text", "integer" or "real" by column, as the run declares them
};

/// One run of the case with the tables it wrote.
struct CaseRun {
    std::string instrument;
    std::string folder;
    std::vector<std::string> claims;
    std::vector<CaseTable> tables;
};

struct CaseFolder {
    ReportInput report;
    std::vector<CaseRun> runs;   // as report.runs
};

/// Throws Error(input) when the folder is not that of an investigated case, or a file in it is damaged.
CaseFolder read_case_folder(const std::string& folder);

/// The same, and for the folder of a single run a case of that run alone, without title and claims.
CaseFolder read_case_or_run_folder(const std::string& folder);

}  // namespace unveil
