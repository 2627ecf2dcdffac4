// One class per command: it declares its options as a Parameter table, first validates, then runs.
// option_binding.cpp turns the tables into a command line; no other file knows the option library.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/parameter.hpp"
#include "core/progress.hpp"

namespace unveil::cli {

struct Positional {
    std::string name;   // "FILE"
    std::string help;
    std::size_t count_min = 1;
    std::size_t count_max = 1;   // SIZE_MAX: any number
};

struct CommandDescription {
    std::string name;                 // "investigate"; sub-commands "lab make"
    std::string summary;              // one line
    std::string details;              // paragraphs for --help
    std::vector<Positional> positionals;
    std::vector<Parameter> options;   // besides the global ones
    std::vector<std::string> examples;
    std::vector<std::string> diagnostics;  // what the exit codes mean here
    std::string memory;                    // how much memory it takes
};

/// An option of a command, which never affects findings.
Parameter command_option(std::string name, ParameterType type, std::string metavar, std::string default_text,
                         std::string help);

/// Options that mean the same everywhere.
struct Global {
    bool json = false;
    bool quiet = false;
    int verbose = 0;
    unsigned threads = 1;
    bool use_color = false;      // stdout is a terminal and NO_COLOR is unset
    bool is_terminal = false;    // stdout
    Progress* progress = nullptr;
    /// Talk for the user on stderr, dropped by --quiet.
    void say(std::string_view line) const;
    /// Data on stdout; takes the progress line away first.
    void print(std::string_view text) const;
};

struct Invocation {
    const Global& global;
    const ParameterValues& options;
    std::vector<std::vector<std::string>> positionals;   // one list for each declared Positional
};

class Command {
  public:
    virtual ~Command() = default;
    virtual CommandDescription description() const = 0;
    /// Returns the exit code. Prints data on stdout only; throws Error.
    virtual int run(const Invocation& invocation) const = 0;
};

/// All commands in the order of `unveil --help`; defined in commands.cpp, one line each.
const std::vector<std::unique_ptr<Command>>& commands();

/// Runs one command as if `words` ("lab", "make", "takedown", ...) had been typed, under the global options of the
/// command that asks for it.
int run_words(std::vector<std::string> words, const Global& global);

class TerminalProgress;

/// Parses argv, runs the command, returns the exit code. The only user of the option library.
int run_command_line(int argc, char** argv, TerminalProgress& progress);

}  // namespace unveil::cli
