// The list of all commands, in the order of `unveil --help`.
#include "cli/command.hpp"
#include "cli/command_help.hpp"
#include "cli/command_instrument.hpp"
#if __has_include("cli/command_demo.hpp")
#include "cli/command_demo.hpp"
#endif
#if __has_include("cli/command_investigate.hpp")
#include "cli/command_investigate.hpp"
#endif
#if __has_include("cli/command_inspect.hpp")
#include "cli/command_inspect.hpp"
#endif
#include "cli/command_list.hpp"
#if __has_include("cli/command_lab.hpp")
#include "cli/command_lab.hpp"
#endif
#if __has_include("cli/command_verify.hpp")
#include "cli/command_verify.hpp"
#endif
#if __has_include("cli/command_report.hpp")
#include "cli/command_report.hpp"
#endif
#if __has_include("cli/command_export.hpp")
#include "cli/command_export.hpp"
#endif
#if __has_include("cli/command_sql.hpp")
#include "cli/command_sql.hpp"
#endif
#include "cli/command_completion.hpp"
#include "instruments/instrument.hpp"

namespace unveil::cli {
namespace {

std::vector<std::unique_ptr<Command>> make_commands() {
    std::vector<std::unique_ptr<Command>> all;
#if __has_include("cli/command_demo.hpp")
    all.push_back(make_demo_command());
#endif
#if __has_include("cli/command_investigate.hpp")
    all.push_back(make_investigate_command());
#endif
#if __has_include("cli/command_inspect.hpp")
    all.push_back(make_inspect_command());
#endif
    all.push_back(make_list_command());
    all.push_back(make_describe_command());
    for (const auto* instrument : instruments()) all.push_back(make_instrument_command(*instrument));
#if __has_include("cli/command_lab.hpp")
    all.push_back(make_lab_list_command());
    all.push_back(make_lab_make_command());
    all.push_back(make_lab_score_command());
#endif
#if __has_include("cli/command_verify.hpp")
    all.push_back(make_verify_command());
#endif
#if __has_include("cli/command_report.hpp")
    all.push_back(make_report_command());
#endif
#if __has_include("cli/command_export.hpp")
    all.push_back(make_export_command());
#endif
#if __has_include("cli/command_sql.hpp")
    all.push_back(make_sql_command());
#endif
    all.push_back(make_completion_command());
    all.push_back(make_man_command());
    all.push_back(make_help_command());
    return all;
}

}  // namespace

const std::vector<std::unique_ptr<Command>>& commands() {
    static const auto all = make_commands();
    return all;
}

}  // namespace unveil::cli
