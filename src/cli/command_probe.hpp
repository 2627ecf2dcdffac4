// `unveil probe`: finds out, message by message, which words a platform suppresses.
#pragma once

#include <memory>

#include "cli/command.hpp"

namespace unveil::cli {

std::unique_ptr<Command> make_probe_command();

}  // namespace unveil::cli
