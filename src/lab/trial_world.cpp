#include "lab/trial_world.hpp"

#include <stdlib.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "case/run.hpp"
#include "core/error.hpp"
#include "instruments/instrument.hpp"
#include "lab/scenario.hpp"

namespace unveil {
namespace {

namespace fs = std::filesystem;

}  // namespace

TrialWorld::TrialWorld(const ParameterValues& parameters, std::uint64_t seed, const std::string& scratch_folder,
                       Progress& progress)
    : m_folder((fs::path(scratch_folder) / "unveil-world-XXXXXX").string()) {
    if (mkdtemp(m_folder.data()) == nullptr)
        throw Error(ErrorKind::run, std::string("cannot make a folder for a world: ") + std::strerror(errno),
                    "Give another --scratch", scratch_folder);
    try {
        make_scenario("takedown", parameters, seed, m_folder, progress);
        m_truth = read_truth(m_folder + "/truth.json");
    } catch (...) {
        std::error_code ignored;
        fs::remove_all(m_folder, ignored);
        throw;
    }
}

TrialWorld::~TrialWorld() {
    std::error_code ignored;
    fs::remove_all(m_folder, ignored);
}

Score TrialWorld::score(const ParameterValues& parameters, unsigned threads, std::uint64_t memory_bytes_max,
                        Progress& progress) const {
    RunRequest request{.instrument = &instrument_named("coordination"),
                       .inputs = {},
                       .parameters = parameters,
                       .threads = threads,
                       .memory_bytes_max = memory_bytes_max,
                       .scratch_folder = m_folder,
                       .open = {}};
    RunInput input;
    input.path = m_folder + "/tweets.csv";
    input.shown_path = "tweets.csv";
    request.inputs.push_back(std::move(input));
    const std::string run_folder = m_folder + "/run";
    fs::remove_all(run_folder);
    run_instrument(request, run_folder, progress);
    return score_run(run_folder, m_truth);
}

}  // namespace unveil
