// `unveil help` and `unveil man`: generated from the tables of the commands.
#pragma once

#include <memory>

#include "cli/command.hpp"

namespace unveil::cli {

std::unique_ptr<Command> make_help_command();
std::unique_ptr<Command> make_man_command();

}  // namespace unveil::cli
