// A censored network as it looks from inside and in volunteers' measurements: writes captures, measurements, the case that asks what is
// blocked, how and since when, and the truth. docs/lab/network.md.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lab/network_measurements.hpp"
#include "lab/network_world.hpp"
#include "lab/planted_claim.hpp"
#include "lab/scenario.hpp"

namespace unveil {

Scenario network_scenario();

/// The world without its case, for cases that hold more: writes the captures, the measurements and the truth.
CasePart make_network_part(const ParameterValues& parameters, std::uint64_t seed, const std::string& out_folder, const std::string& truth_name,
                           Progress& progress);

/// What the scenario's parameters say.
lab::NetworkPlan network_plan(const ParameterValues& parameters);
lab::MeasurementPlan measurement_plan(const ParameterValues& parameters);

std::string network_truth_to_json(const lab::NetworkWorld& world, const lab::Measurements& measurements, std::uint64_t seed,
                                  const std::string& parameters_json);

/// How the instrument calls what the lab plants.
std::string network_mechanism_found_as(const std::string& mechanism);
/// Below so many connections on which it acted, residual blocking stays undecided.
inline constexpr std::uint64_t network_residual_flows_min = 100;

/// The claims of the case; every name of a metric that they use stands here.
std::vector<PlantedClaim> network_claims(const lab::NetworkWorld& world, const lab::Measurements& measurements);

}  // namespace unveil
