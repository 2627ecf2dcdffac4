// What a command says about itself, from its tables: help for the terminal and roff for man.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.hpp"

namespace unveil::cli {

struct HelpRow {
    std::string left;
    std::string right;
};
/// Two columns: names on the left, wrapped text on the right.
std::string help_rows(const std::vector<HelpRow>& rows, std::size_t width);
/// The options of a table with their defaults, choices and bounds.
std::string parameters_help(std::span<const Parameter> options, std::size_t width);

/// `unveil --help`: all commands, one line each.
std::string overview_help(std::size_t width);
/// `unveil lab --help`: the commands that begin with this word.
std::string group_help(std::string_view word, std::size_t width);
std::string command_help(const CommandDescription& command, std::size_t width);

std::string overview_man();
std::string command_man(const CommandDescription& command);

/// "INPUT... --out DIR [options]"
std::string usage_line(const CommandDescription& command);
/// "--window DURATION"
std::string option_spelling(const Parameter& option);

/// Null when no command is called so.
const Command* find_command(std::string_view name);
/// True when "lab" stands before the names of several commands.
bool is_group(std::string_view word);
/// Throws Error(usage) that names the nearest command.
[[noreturn]] void fail_unknown_command(std::string_view name);

}  // namespace unveil::cli
