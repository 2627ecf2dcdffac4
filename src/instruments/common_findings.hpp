// Findings of the commonest kinds.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "instruments/finding.hpp"

namespace unveil {

Finding exact_count(std::string metric, std::string subject, std::uint64_t value, std::string unit, std::string sentence);
/// With Wilson's 95 % interval.
Finding share(std::string metric, std::string subject, std::uint64_t hits, std::uint64_t trials, std::string sentence);
/// How many are known to be in a set, and which. What is in both lists counts as a member.
Finding set_finding(std::string metric, std::string subject, const std::set<std::string>& members, std::set<std::string> non_members, std::string unit,
                    std::string sentence);

/// Of a count or the size of a set: what was found is the least there is, and nobody can say how much more. The caveat says so, until another is put in its place.
Finding at_least(Finding count);

}  // namespace unveil
