// `unveil demo`: everything once, on a made-up world whose truth is known.
#pragma once

#include <memory>

#include "cli/command.hpp"

namespace unveil::cli {

std::unique_ptr<Command> make_demo_command();

}  // namespace unveil::cli
