// `unveil inspect FILE...`: what is this file, what is in it, what is wrong with it, and what can be run on it?
#pragma once

#include <memory>

#include "cli/command.hpp"

namespace unveil::cli {

std::unique_ptr<Command> make_inspect_command();

}  // namespace unveil::cli
