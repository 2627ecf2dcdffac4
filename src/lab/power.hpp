// How plainly must a campaign act before it is found, and how often is somebody found who does not act? Makes worlds in
// which one thing about the campaigns changes from row to row, and worlds without any, runs the instrument on each, and
// counts. A table of detection power, as one asks of any test before one believes its silence.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/parameter.hpp"
#include "core/progress.hpp"
#include "lab/score.hpp"

namespace unveil {

/// One thing that can change: a parameter of the world takedown, under a short name.
struct PowerEffect {
    std::string name;       // "objects"
    std::string parameter;  // "campaign-objects"
    std::vector<std::string> values;  // from plain to hidden
    std::vector<std::string> traces;  // in which it shows
    std::string objects = "20";       // posts that the campaign boosts, unless the request says otherwise
};
std::span<const PowerEffect> power_effects();
/// Throws Error(usage) with the nearest name.
const PowerEffect& power_effect_named(std::string_view name);

/// What a world is made of unless the request says otherwise: one campaign whose size is known to the account, and few
/// enough posts to make many worlds. Names and texts of takedown's parameters; the effect decides on campaign-objects.
std::span<const std::pair<std::string, std::string>> power_world_defaults();

struct PowerRequest {
    std::string effect;
    std::vector<std::string> values;  // empty: those of the effect
    ParameterValues world;            // of takedown; what is unset is as in power_world_defaults
    ParameterValues instrument;       // of coordination; traces unset: those of the effect
    std::uint64_t seed = 1;           // of the first world of each row; the next has the next
    std::uint64_t worlds = 5;         // of each row
    unsigned threads = 1;
    std::uint64_t memory_bytes_max = 0;
    std::string scratch_folder;
};

/// All worlds of one value together. Accounts and edges of one world are not independent of each other, so that the
/// intervals are too narrow when worlds are few.
struct PowerRow {
    std::string value;  // as the parameter spells it; empty: nothing was planted
    std::uint64_t worlds = 0;
    std::uint64_t worlds_with_false_edges = 0;
    Rate power;       // of the accounts planted, how many were found
    Rate core_power;  // of each role
    Rate amplifier_power;
    Rate precision;  // of the accounts found, how many were planted; scheduled ones left out
    std::uint64_t edges = 0;
    std::uint64_t false_edges = 0;      // scheduled ones left out
    std::uint64_t scheduled_edges = 0;  // within the class that acts together openly
    std::vector<ClassCount> false_edges_by_class;  // by name
};

struct PowerTable {
    std::string effect;
    std::string parameter;
    std::string world_json;       // what all worlds have in common
    std::string instrument_json;  // parameters of the runs
    std::uint64_t seed = 0;
    std::vector<PowerRow> rows;  // in the order of the values; the null worlds last
};

/// Throws Error(usage) for a value that the parameter does not take, or when `world` fixes what the effect changes;
/// Error(interrupted) when progress says so, and then no world is left behind. Worlds are on the disk one at a time.
PowerTable measure_power(const PowerRequest& request, Progress& progress);

std::string power_to_json(const PowerTable& table);

}  // namespace unveil
