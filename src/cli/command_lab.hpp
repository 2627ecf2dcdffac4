// `unveil lab list | make | score`: sealed worlds with a known truth, and findings held against it.
#pragma once

#include <memory>

#include "cli/command.hpp"

namespace unveil::cli {

std::unique_ptr<Command> make_lab_list_command();
std::unique_ptr<Command> make_lab_make_command();
std::unique_ptr<Command> make_lab_score_command();

}  // namespace unveil::cli
