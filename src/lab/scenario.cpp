#include "lab/scenario.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "core/error.hpp"
#include "core/text.hpp"
#include "lab/chat.hpp"
#include "lab/demo.hpp"
#include "lab/network.hpp"
#include "lab/takedown.hpp"

namespace unveil {

std::span<const Scenario> scenarios() {
    static const std::vector<Scenario> all = {takedown_scenario(), chat_scenario(), network_scenario(), demo_scenario()};
    return all;
}

const Scenario& scenario_named(std::string_view name) {
    const auto all = scenarios();
    const auto found = std::find_if(all.begin(), all.end(), [&](const auto& s) { return s.name == name; });
    if (found != all.end()) return *found;
    std::vector<std::string> names;
    for (const auto& scenario : all) names.push_back(scenario.name);
    const auto near = nearest_word(name, names);
    throw Error(ErrorKind::usage, fmt::format("unknown scenario '{}'", printable(name, 80)),
                near.empty() ? fmt::format("Known are: {}", fmt::join(names, ", "))
                             : fmt::format("Did you mean '{}'?", near));
}

void make_scenario(std::string_view name, const ParameterValues& parameters, std::uint64_t seed,
                   const std::string& out_folder, Progress& progress) {
    const auto& scenario = scenario_named(name);
    std::error_code failure;
    std::filesystem::create_directories(out_folder, failure);
    if (failure)
        throw Error(ErrorKind::run, "cannot make the output folder: " + failure.message(),
                    "Choose another --out", out_folder);
    scenario.make(parameters, seed, out_folder, progress);
}

}  // namespace unveil
