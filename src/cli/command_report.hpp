// `unveil report CASE`: writes the report of an investigated case anew.
#pragma once

#include <memory>

#include "cli/command.hpp"

namespace unveil::cli {

std::unique_ptr<Command> make_report_command();

}  // namespace unveil::cli
