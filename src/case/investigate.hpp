// The whole walk: evidence in, each instrument run once for each distinct set-up, claims judged, everything kept.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "case/case_file.hpp"
#include "case/run.hpp"
#include "case/store.hpp"
#include "case/verdict.hpp"
#include "core/progress.hpp"

namespace unveil {

struct InvestigateOptions {
    std::string case_path;
    std::string out_folder;               // empty: default_case_folder(case_path)
    unsigned threads = 1;
    std::uint64_t memory_bytes_max = 0;
    double skipped_share_max = 0.01;
    std::function<void(std::string_view line)> say;   // talk for the user; may be empty
    InstrumentFinder find_instrument;     // empty: instrument_named
    PostOpener open;                      // empty: open_posts
};

struct Investigation {
    std::string folder;
    std::string title;
    std::vector<ClaimVerdict> verdicts;
    std::string verdicts_json;            // the bytes of verdicts.json
    std::size_t runs_made = 0;
    std::size_t runs_kept = 0;            // found in the store, with their files whole
};

/// Throws Error(input) for a bad case or evidence, Error(interrupted) when progress says so; calling it again goes on.
/// The final bytes of all files in the folder do not depend on how often it was interrupted or killed.
Investigation investigate(const InvestigateOptions& options, Progress& progress);

/// "dir/name.toml" -> "dir/name.out".
std::string default_case_folder(const std::string& case_path);

/// One distinct set-up of an instrument, as several claims may share it.
struct PlannedRun {
    std::string key;
    std::string folder;                   // "runs/" and the first 12 digits of the key
    RunRequest request;
    std::vector<std::size_t> evidence;    // positions in the case file, in the order of the inputs: controls at the end
    std::size_t controls = 0;             // how many of `evidence` are controls
    std::vector<std::size_t> claims;      // positions in the case file
};
/// In the order of the claims. `digests` are of the case's evidence; evidence paths start at `base_folder`.
std::vector<PlannedRun> plan_runs(const CaseFile& case_file, const std::vector<std::string>& digests,
                                  const std::string& base_folder);

/// The row of the store that says what the verdict says.
StoredVerdict stored_verdict(const ClaimVerdict& verdict);
/// Judges the claims of a case whose runs are in the store.
std::vector<ClaimVerdict> judge_claims(const CaseFile& case_file, const std::vector<PlannedRun>& plan,
                                       const CaseStore& store);
/// The bytes of verdicts.json.
std::string verdicts_to_json(const CaseFile& case_file, const std::vector<ClaimVerdict>& verdicts);

/// True when findings.json, manifest.json and all tables in `folder` are those that the stored run wrote.
bool is_run_whole(const StoredRun& run, const std::string& folder);

}  // namespace unveil
