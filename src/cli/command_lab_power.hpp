// `unveil lab power`: how plainly a campaign must act before coordination finds it, measured on worlds made for it.
#pragma once

#include <memory>

#include "cli/command.hpp"

namespace unveil::cli {

std::unique_ptr<Command> make_lab_power_command();

}  // namespace unveil::cli
