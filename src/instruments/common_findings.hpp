// Findings of the two commonest kinds.
#pragma once

#include <cstdint>
#include <string>

#include "instruments/finding.hpp"

namespace unveil {

Finding exact_count(std::string metric, std::string subject, std::uint64_t value, std::string unit, std::string sentence);
/// With Wilson's 95 % interval.
Finding share(std::string metric, std::string subject, std::uint64_t hits, std::uint64_t trials, std::string sentence);

}  // namespace unveil
