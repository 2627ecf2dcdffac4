// `unveil INSTRUMENT INPUT... --out DIR`: one command class for every instrument of the registry.
#pragma once

#include <memory>
#include <string>

#include "cli/command.hpp"
#include "instruments/instrument.hpp"

namespace unveil::cli {

std::unique_ptr<Command> make_instrument_command(const Instrument& instrument);

/// metric, value, interval and unit of every finding, for people.
std::string findings_table(const Findings& findings);

/// Throws Error(usage) when `folder` holds files that no run of unveil put there (it has no manifest.json or
/// other file named `marker`), so that nothing of the user's is overwritten.
void check_out_folder(const std::string& folder, const std::string& marker);

/// Skipped rows with examples and other remarks on what was read.
void say_source_report(const Global& global, const SourceReport& report);

}  // namespace unveil::cli
