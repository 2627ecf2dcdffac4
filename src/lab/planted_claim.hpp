// Claims of a made-up case whose verdicts follow from how its world was made, and what a scenario gives to the case.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lab/truth.hpp"

namespace unveil {

struct PlantedClaim {
    std::string id;
    std::string text;
    std::string kind;         // "" or "only"
    std::string comparison;   // as it stands in the case file, quotes escaped
    std::string verdict;
    std::string reason;
};

/// What a world adds to a case.
struct CasePart {
    std::string evidence_toml;             // [[evidence]] tables
    std::string test_toml;                 // the lines that every claim has: test, on, with
    std::vector<PlantedClaim> claims;
};

/// `head`: the comment and the [case] table.
std::string case_toml(std::string_view head, std::span<const CasePart> parts);

/// Writes case.toml and expected_verdicts.json.
void write_case(const std::string& folder, std::string_view head, std::span<const CasePart> parts);

}  // namespace unveil
