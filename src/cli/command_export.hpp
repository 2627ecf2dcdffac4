// `unveil export CASE --to FORMAT --out PATH`: a case in the formats of other tools.
#pragma once

#include <memory>

#include "cli/command.hpp"

namespace unveil::cli {

std::unique_ptr<Command> make_export_command();

}  // namespace unveil::cli
