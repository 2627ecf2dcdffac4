// The report of a case: one HTML file that opens offline, runs nothing it does not bring, shows hostile text as text,
// prints, and leads every number back to rows of the evidence.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "instruments/finding.hpp"

namespace unveil {

enum class ReportVerdict { supported, contradicted, undetermined };

struct ReportComparison {
    std::string text;         // "core.accounts >= 100"
    ReportVerdict verdict = ReportVerdict::undetermined;
    std::string why;          // one sentence; may be empty
    bool is_measured = false; // the numbers below are there
    double value = 0;
    double low = 0;
    double high = 0;
    std::string unit;
    bool has_other = false;   // compares with a second metric, else with the threshold other_value
    double other_value = 0;
    double other_low = 0;
    double other_high = 0;
};

struct ReportClaim {
    std::string id;
    std::string text;
    std::string test;                  // the instrument
    ReportVerdict verdict = ReportVerdict::undetermined;
    std::string why;
    std::vector<ReportComparison> comparisons;
    std::vector<std::string> settle;   // what would settle it
    std::size_t run = SIZE_MAX;        // position in runs; SIZE_MAX: none
};

struct ReportCount {
    std::string what;
    std::uint64_t count = 0;
    std::vector<std::string> examples;
};

struct ReportEvidence {
    std::string id;
    std::string path;
    std::string format;
    std::string compression;
    std::string sha256;
    std::uint64_t bytes = 0;
    std::uint64_t rows_kept = 0;
    std::uint64_t rows_skipped = 0;
    std::vector<ReportCount> skips;
    std::vector<ReportCount> notes;
    std::string time_first;
    std::string time_last;
    std::string time_resolution;
    std::string obtained;     // how it was obtained; free text
    std::string role;         // "control" when it serves for comparison; else empty
};

struct ReportRun {
    std::string instrument;
    std::string question;
    std::string summary;
    std::vector<std::string> limits;      // what the instrument cannot show
    std::vector<std::string> citations;
    std::vector<std::string> metrics;     // as the instrument declares them, "<trace>.edges"; may be empty
    std::string version;
    std::string commit;
    std::string seed;
    std::vector<std::pair<std::string, std::string>> parameters;
    std::string findings_sha256;
    std::vector<ReportEvidence> inputs;   // in the order that locators count
    Findings findings;
};

struct ReportInput {
    std::string title;
    std::string description;
    std::string case_file;                // as in `unveil investigate CASE.toml`
    std::string case_folder;              // as in `unveil verify CASE`
    std::vector<ReportClaim> claims;
    std::vector<ReportEvidence> evidence; // every file once
    std::vector<ReportRun> runs;
    std::vector<std::string> notes;       // of the case as a whole
    bool is_pseudonymised = false;
};

/// A report never grows beyond this; networks and tables are cut first and say so.
constexpr std::size_t report_bytes_max = 2'900'000;

/// The bytes of report.html: the same for the same input.
std::string render_report(const ReportInput& input);

/// Reads the folder of a case and writes report.html into it. Throws Error(input) for a folder that is none.
void write_report(const std::string& case_folder);

class Pseudonyms;
/// Puts keyed hashes in place of the accounts that the findings name, and drops examples that quote rows.
void pseudonymise(ReportInput& input, const Pseudonyms& pseudonyms);

}  // namespace unveil
