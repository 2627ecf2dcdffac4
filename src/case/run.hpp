// One run of one instrument over some evidence, with the manifest that makes it repeatable.
// Used by `unveil INSTRUMENT`, by `investigate` for each distinct claim set-up, and by `verify`.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/parameter.hpp"
#include "core/progress.hpp"
#include "evidence/open.hpp"
#include "instruments/instrument.hpp"

namespace unveil {

enum class InputRole {
    posts,    // what is investigated
    control,  // posts of accounts known to belong to no campaign, see InstrumentInputs::controls
};
/// "posts", "control"
std::string_view input_role_name(InputRole role);

struct RunInput {
    std::string path;            // where to read it now
    std::string shown_path;      // as written by the user; goes into the manifest (an absolute one: its file name)
    EvidenceOptions options;
    std::string sha256_expected = {};  // empty: not checked
    InputRole role = InputRole::posts;
};

/// How a run gets at an input; tests and the lab put their own in place of open_posts.
using PostOpener = std::function<std::unique_ptr<PostSource>(const std::string& path, const EvidenceOptions& options,
                                                             std::uint32_t evidence)>;

struct RunRequest {
    const Instrument* instrument = nullptr;
    std::vector<RunInput> inputs;      // controls behind the posts
    ParameterValues parameters;        // of the instrument
    std::uint64_t seed = 0;
    unsigned threads = 1;
    std::uint64_t memory_bytes_max = 0;
    std::string scratch_folder;
    double skipped_share_max = 0.01;   // more than this share of malformed rows fails the run
    PostOpener open;                   // empty: open_posts
};

struct RunResult {
    Findings findings;
    std::string findings_json;      // the bytes of findings.json
    std::string manifest_json;      // the bytes of manifest.json: version, commit, instrument, parameters, seed,
                                    // input digests with the role of controls, rows kept and skipped with reasons, sha256 of findings.json
    std::vector<SourceReport> sources;
};

/// Reads the inputs, runs the instrument, writes its tables into `out_folder` (none when empty) with findings.json
/// and manifest.json last. Throws Error(input) when too many rows are malformed, a digest differs or a control holds no
/// post, Error(usage) for controls of an instrument that takes none.
RunResult run_instrument(const RunRequest& request, const std::string& out_folder, Progress& progress);

/// What makes two runs the same: sha256 over instrument, version, parameters, seed, input digests and roles.
std::string run_key(const RunRequest& request, const std::vector<std::string>& input_sha256);

/// "0.1.0" and the commit it was built from ("unknown" outside a checkout).
std::string unveil_version();
std::string unveil_commit();

}  // namespace unveil
