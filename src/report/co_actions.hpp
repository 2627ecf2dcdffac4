// Which posts stand behind an edge, an account or a community? Answered from the tables that a run of coordination wrote:
// the co-actions with both posts and where they stand in the evidence, and what the run says about those who act together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "instruments/finding.hpp"
#include "report/case_folder.hpp"

namespace unveil {

struct CoActionQuestion {
    std::vector<std::string> accounts;   // two: their edge; one: all of its edges; none: the community
    std::uint64_t community = 0;         // from 1
    std::string trace;                   // empty: all
    std::size_t rows_max = 1000;         // co-actions to hand back; all are counted
};

/// Two posts of one object, as pairs.csv has them; `evidence_a` is the path of the file.
struct CoAction {
    std::string trace;
    std::string object;
    std::string account_a;
    std::string post_a;
    std::string time_a;
    std::string account_b;
    std::string post_b;
    std::string time_b;
    std::string delay_seconds;   // time_b minus time_a
    std::string evidence_a;
    std::string row_a;
    std::string evidence_b;
    std::string row_b;
};

/// The rows of a table of the run that concern the question; `rows` holds the first of `total`.
struct CoActionTable {
    std::vector<std::string> columns;
    std::vector<std::vector<std::string>> rows;
    std::uint64_t total = 0;
    double q_max = 0;   // of all rows; above 1 when any of them was not judged against chance
};

struct CameFirst {
    std::string account;
    std::uint64_t first = 0;        // of its co-actions, those in which its post was the earlier one
    std::uint64_t co_actions = 0;
};

struct CoActions {
    CoActionQuestion question;
    std::string run_folder;
    std::vector<ReportEvidence> inputs;
    double alpha = 0;               // of the run: edges of a q up to this are beyond chance
    std::vector<CoAction> rows;     // closest in time first
    std::uint64_t total = 0;
    std::uint64_t objects = 0;
    std::vector<std::pair<std::string, std::uint64_t>> traces;   // by name, with their co-actions
    std::string time_first;         // of the posts
    std::string time_last;
    std::vector<CameFirst> came_first;   // whoever came first most often stands first
    Figure timeline;                // co-actions by day, or by several days
    CoActionTable edges;            // kept edges, of the smallest q first
    CoActionTable fused;            // the same, all traces together
    CoActionTable tiers;
    CoActionTable community;
};

/// The accounts of "A,B"; ids may hold commas, so both sides must be accounts of the run. Throws Error(usage) when no comma
/// parts two of them, with the nearest name.
std::vector<std::string> edge_accounts(const CaseRun& run, const std::string& text);

/// Throws Error(usage) for accounts, traces and communities that the run does not know, with the nearest name, and
/// Error(input) when it wrote no table of pairs. Streams the tables; memory follows the names of accounts on kept edges, the
/// objects in question (16 bytes each) and rows_max.
CoActions find_co_actions(const CaseRun& run, const ReportRun& about, CoActionQuestion question);

/// What was found, in sentences; names in them are as hostile as they were.
std::vector<std::string> co_action_sentences(const CoActions& found);

/// Whether every edge in question is beyond chance; false also when the run did not judge them.
bool are_beyond_chance(const CoActions& found);

/// CSV: one line a co-action, as `CoAction` lists them.
std::string co_actions_csv(const CoActions& found);
/// One JSON document with everything but the timeline.
std::string co_actions_json(const CoActions& found);
/// One HTML page that opens offline and runs nothing.
std::string render_co_actions(const CoActions& found);

}  // namespace unveil
