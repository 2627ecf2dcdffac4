#include "cli/command_investigate.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "case/investigate.hpp"
#include "cli/command_instrument.hpp"
#include "cli/global.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "report/report.hpp"

namespace unveil::cli {
namespace {

constexpr int exit_fail_if = 3;

std::string verdict_word(Decision decision, bool use_color) {
    const std::string word(decision_name(decision));
    return use_color ? "\x1b[1m" + word + "\x1b[0m" : word;
}

std::string verdict_table(const Investigation& investigation, bool use_color) {
    constexpr std::size_t indent = 14;  // "contradicted" and two blanks
    const std::size_t width = text_width();
    std::string out = wrapped(printable(investigation.title, 1000), 0, width) + "\n";
    std::size_t counts[3] = {};
    for (const auto& verdict : investigation.verdicts) {
        ++counts[static_cast<std::size_t>(verdict.decision)];
        const std::size_t word_columns = decision_name(verdict.decision).size();
        out += verdict_word(verdict.decision, use_color) + std::string(indent - word_columns, ' ') +
               verdict.claim + "\n";
        out += wrapped(printable(verdict.text, 10'000), indent, width);
        out += wrapped("-> " + verdict.sentence + ".", indent, width);
        if (!verdict.settles.empty())
            out += wrapped("What would settle it: " + verdict.settles + ".", indent, width);
        out += "\n";
    }
    std::vector<std::string> parts;
    for (const auto decision : {Decision::supported, Decision::contradicted, Decision::undetermined})
        parts.push_back(
            fmt::format("{} {}", counts[static_cast<std::size_t>(decision)], decision_name(decision)));
    return out + fmt::format("{}\n", fmt::join(parts, ", "));
}

bool has_failed(const std::vector<ClaimVerdict>& verdicts, const std::string& fail_if) {
    return std::any_of(verdicts.begin(), verdicts.end(), [&](const auto& verdict) {
        if (fail_if == "not-supported") return verdict.decision != Decision::supported;
        return fail_if == decision_name(verdict.decision);
    });
}

class InvestigateCommand final : public Command {
  public:
    CommandDescription description() const override {
        CommandDescription description;
        description.name = "investigate";
        description.summary = "Test the claims of a case on its evidence and write a report";
        description.details =
            "Reads CASE.toml, runs each instrument once for each distinct set-up, judges every claim as "
            "supported, "
            "contradicted or undetermined, and keeps all of it in one folder: case.unveil, findings.json, "
            "verdicts.json, manifest.json, report.html and the tables of each run.\n"
            "Stop it whenever you like: the same command goes on where it was, and the files end up the same "
            "to the "
            "last byte. A finished case is not run again unless its file or its evidence has changed.";
        description.positionals = {{"CASE.toml", "The case file; docs/case_file.md describes it", 1, 1}};
        description.options.push_back(
            command_option("out", ParameterType::text, "DIR", "",
                   "Folder of the case; CASE.out beside the case file unless given"));
        description.options.push_back(command_option("fail-if", ParameterType::choice, "VERDICT", "",
                                             "End with exit code 3 when any claim comes out so"));
        description.options.back().choices = {"contradicted", "undetermined", "not-supported"};
        description.options.push_back(command_option("skipped-share-max", ParameterType::real, "SHARE", "0.01",
                                             "Share of malformed rows from which on a run fails"));
        description.options.back().minimum = 0;
        description.options.back().maximum = 1;
        description.options.push_back(
            command_option("memory-limit", ParameterType::bytes, "SIZE", "",
                   "Memory from which on a run goes to disk; 75 % of this machine's unless given"));
        description.examples = {"unveil investigate case.toml",
                                "unveil investigate case.toml --fail-if contradicted --json"};
        description.diagnostics = {
            "Mistakes in the case file are told with their line (1). 3 when a --fail-if condition holds; "
            "everything is "
            "written all the same. 130 when stopped; run it again to go on."};
        description.memory =
            "At most --memory-limit for what an instrument keeps; beyond that it works from files "
            "in the case's folder.";
        return description;
    }

    int run(const Invocation& invocation) const override {
        const auto& global = invocation.global;
        InvestigateOptions options;
        options.case_path = invocation.positionals.at(0).at(0);
        options.out_folder = invocation.options.text("out");
        options.threads = global.threads;
        options.memory_bytes_max = invocation.options.has_value("memory-limit")
                                       ? invocation.options.bytes("memory-limit")
                                       : memory_bytes_default();
        options.skipped_share_max = invocation.options.real("skipped-share-max");
        options.say = [&](std::string_view line) { global.say(printable(line, 1000)); };
        // Every case folder has this file from its first moment on.
        check_out_folder(
            options.out_folder.empty() ? default_case_folder(options.case_path) : options.out_folder,
            ".lock");
        const Investigation investigation = investigate(options, *global.progress);
        write_report(investigation.folder);
        global.say(printable("report: " + investigation.folder + "/report.html", 1000));
        const std::string text =
            global.json ? investigation.verdicts_json : verdict_table(investigation, global.use_color);
        global.print(text);
        return has_failed(investigation.verdicts, invocation.options.text("fail-if")) ? exit_fail_if : 0;
    }
};

}  // namespace

std::unique_ptr<Command> make_investigate_command() {
    return std::make_unique<InvestigateCommand>();
}

}  // namespace unveil::cli
