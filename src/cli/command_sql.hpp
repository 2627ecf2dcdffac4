// `unveil sql CASE "SELECT ..."`: questions about a case in SQL.
#pragma once

#include <memory>

#include "cli/command.hpp"

namespace unveil::cli {

std::unique_ptr<Command> make_sql_command();

}  // namespace unveil::cli
