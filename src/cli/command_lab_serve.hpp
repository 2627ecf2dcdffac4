// `unveil lab serve`: a made-up service on this machine, so that any tool that probes filters can be tried against known rules.
#pragma once

#include <memory>

#include "cli/command.hpp"

namespace unveil::cli {

std::unique_ptr<Command> make_lab_serve_command();

}  // namespace unveil::cli
