// A platform in the layout of Twitter's information-operations archive: organic users, crowds that look
// coordinated but are not, and planted campaigns of a core that posts and a larger tier that only amplifies.
// docs/lab/takedown.md.
#pragma once

#include "lab/scenario.hpp"

namespace unveil {

Scenario takedown_scenario();

}  // namespace unveil
