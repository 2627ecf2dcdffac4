// A platform in the layout of Twitter's information-operations archive: organic users, crowds that look
// coordinated but are not, and planted campaigns of a core that posts and a larger tier that only amplifies.
// docs/lab/takedown.md.
#pragma once

#include "lab/planted_claim.hpp"
#include "lab/scenario.hpp"

namespace unveil {

Scenario takedown_scenario();

/// The world without its case, for cases that hold more: writes posts, users and truth.json, in which it is called `scenario`.
CasePart make_takedown_part(std::string_view scenario, const ParameterValues& parameters, std::uint64_t seed, const std::string& out_folder,
                            Progress& progress, Truth& truth);

}  // namespace unveil
