// The list of all commands, in the order of `unveil --help`.
#include "cli/command.hpp"
#include "cli/command_completion.hpp"
#include "cli/command_demo.hpp"
#include "cli/command_evidence.hpp"
#include "cli/command_export.hpp"
#include "cli/command_help.hpp"
#include "cli/command_inspect.hpp"
#include "cli/command_instrument.hpp"
#include "cli/command_investigate.hpp"
#include "cli/command_lab.hpp"
#include "cli/command_lab_power.hpp"
#include "cli/command_lab_serve.hpp"
#include "cli/command_list.hpp"
#include "cli/command_probe.hpp"
#include "cli/command_report.hpp"
#include "cli/command_sql.hpp"
#include "cli/command_verify.hpp"
#include "instruments/instrument.hpp"

namespace unveil::cli {
namespace {

std::vector<std::unique_ptr<Command>> make_commands() {
    std::vector<std::unique_ptr<Command>> all;
    all.push_back(make_demo_command());
    all.push_back(make_investigate_command());
    all.push_back(make_inspect_command());
    all.push_back(make_list_command());
    all.push_back(make_describe_command());
    for (const auto* instrument : instruments()) all.push_back(make_instrument_command(*instrument));
    all.push_back(make_probe_command());
    all.push_back(make_lab_list_command());
    all.push_back(make_lab_make_command());
    all.push_back(make_lab_score_command());
    all.push_back(make_lab_power_command());
    all.push_back(make_lab_serve_command());
    all.push_back(make_verify_command());
    all.push_back(make_report_command());
    all.push_back(make_evidence_command());
    all.push_back(make_export_command());
    all.push_back(make_sql_command());
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
