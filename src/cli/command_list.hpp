// `unveil list` and `unveil describe NAME`: which instruments, formats and lab worlds there are, and all about one.
#pragma once

#include <memory>

#include "cli/command.hpp"

namespace unveil::cli {

std::unique_ptr<Command> make_list_command();
std::unique_ptr<Command> make_describe_command();

}  // namespace unveil::cli
