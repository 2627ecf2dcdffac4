// `unveil investigate CASE.toml`: the main job, from evidence to verdicts and a report.
#pragma once

#include <memory>

#include "cli/command.hpp"

namespace unveil::cli {

std::unique_ptr<Command> make_investigate_command();

}  // namespace unveil::cli
