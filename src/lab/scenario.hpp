// The worlds that the lab can make: each writes evidence in a real format, the case that investigates it, and
// the truth that no instrument sees. The same name, parameters and seed give the same bytes on any machine.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/parameter.hpp"
#include "core/progress.hpp"

namespace unveil {

struct Scenario {
    std::string name;     // "takedown"
    std::string summary;  // one sentence
    std::vector<Parameter> parameters;
    std::vector<std::string> files;  // what it writes, the case last
    void (*make)(const ParameterValues& parameters, std::uint64_t seed, const std::string& out_folder,
                 Progress& progress);
};

/// All scenarios, in the order in which `unveil lab list` shows them.
std::span<const Scenario> scenarios();
/// Throws Error(usage) with the nearest name.
const Scenario& scenario_named(std::string_view name);

/// Makes the folder when needed and writes the scenario's files into it, each first as NAME.part.
/// `parameters` may hold more than the scenario asks for. Throws Error(usage) for parameters that contradict
/// each other, Error(run) when the disk fails, Error(interrupted) when progress says so.
void make_scenario(std::string_view name, const ParameterValues& parameters, std::uint64_t seed,
                   const std::string& out_folder, Progress& progress);

}  // namespace unveil
