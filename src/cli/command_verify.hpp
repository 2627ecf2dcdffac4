// `unveil verify CASE`: every digest and every run again, compared byte for byte.
#pragma once

#include <memory>

#include "cli/command.hpp"

namespace unveil::cli {

std::unique_ptr<Command> make_verify_command();

}  // namespace unveil::cli
