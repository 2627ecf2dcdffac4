// `unveil completion SHELL`: scripts for bash, zsh and fish, generated from the tables of the commands.
#pragma once

#include <memory>

#include "cli/command.hpp"

namespace unveil::cli {

std::unique_ptr<Command> make_completion_command();

}  // namespace unveil::cli
