// What does an instrument find in a world of given parameters? One world in a folder of its own that goes away with it,
// on which an instrument can be run and scored as often as wanted.
#pragma once

#include <cstdint>
#include <string>

#include "core/parameter.hpp"
#include "core/progress.hpp"
#include "lab/score.hpp"
#include "lab/truth.hpp"

namespace unveil {

class TrialWorld {
  public:
    /// Makes the world in a new folder inside `scratch_folder`, which must exist. Throws what make_scenario throws; then,
    /// as when it ends, nothing is left behind.
    TrialWorld(const ParameterValues& parameters, std::uint64_t seed, const std::string& scratch_folder,
               Progress& progress);
    ~TrialWorld();
    TrialWorld(const TrialWorld&) = delete;
    TrialWorld& operator=(const TrialWorld&) = delete;

    const Truth& truth() const { return m_truth; }

    /// Runs `coordination` with these parameters on the posts and holds what it kept against the truth. `memory_bytes_max`
    /// 0: no limit.
    Score score(const ParameterValues& parameters, unsigned threads, std::uint64_t memory_bytes_max,
                Progress& progress) const;

  private:
    std::string m_folder;
    Truth m_truth;
};

}  // namespace unveil
