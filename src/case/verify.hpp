// Does a case, or a single run, still say what its evidence says? Every digest again, every run again, byte for byte.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "case/case_file.hpp"
#include "case/run.hpp"
#include "core/progress.hpp"

namespace unveil {

struct VerifyOptions {
    std::string path;              // the case's folder, its case.unveil, its case.toml, or the folder of a single run, or a log of trials
    std::string base_folder;       // where evidence paths begin; empty: found from the case
    std::string published;         // of a log: what must follow from it, as verify_log() takes it
    std::string scratch_folder;    // an existing folder in which runs are made again; nothing stays there
    unsigned threads = 1;
    std::uint64_t memory_bytes_max = 0;
    InstrumentFinder find_instrument;   // empty: instrument_named
    PostOpener open;                    // empty: open_posts
};

struct Check {
    std::string subject;   // "evidence 'archive'", "run runs/0123456789ab"
    bool is_good = false;
    std::string sentence;  // what was found, and for a difference what explains it
};

/// Changes nothing in the case. Calls `tell` with each check as it is done. Throws Error(input) when there is no case
/// to check; differences are no errors.
std::vector<Check> verify(const VerifyOptions& options, const std::function<void(const Check&)>& tell,
                          Progress& progress);

}  // namespace unveil
