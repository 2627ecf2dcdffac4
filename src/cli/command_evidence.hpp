// `unveil evidence RUN --edge A,B`: from an edge, an account or a community to the posts behind it.
#pragma once

#include <memory>

#include "cli/command.hpp"

namespace unveil::cli {

std::unique_ptr<Command> make_evidence_command();

}  // namespace unveil::cli
