#include "cli/command_report.hpp"

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/output_table.hpp"
#include "core/text.hpp"
#include "report/case_folder.hpp"
#include "report/pseudonym.hpp"
#include "report/report.hpp"

namespace unveil::cli {
namespace {

class ReportCommand final : public Command {
  public:
    CommandDescription description() const override {
        CommandDescription description;
        description.name = "report";
        description.summary = "Write the report of an investigated case anew";
        description.details =
            "Reads the folder that 'unveil investigate' wrote and makes report.html from it: one file that opens "
            "offline, loads nothing and sends nothing. Nothing is measured again; 'unveil verify' does that.\n"
            "With --pseudonymise the accounts in findings, figures and tables stand under the first 16 hex digits of "
            "HMAC-SHA256 of their ids, and rows quoted from the evidence are left out. Titles, claims and paths of "
            "files stay as they are: read them before you publish. Whoever has the key can test whether an id is "
            "meant, so keep it as safe as the names.";
        description.positionals = {{"CASE", "The folder of the case, such as case.out", 1, 1}};
        description.options = {
            command_option("out", ParameterType::text, "FILE", "",
                           "Where to write the report; report.html in the folder of the case unless given"),
            command_option("pseudonymise", ParameterType::text, "KEYFILE", "",
                           "Put keyed hashes in place of the accounts; the key is what the file holds, 16 bytes or more")};
        description.examples = {"unveil report case.out",
                                "unveil report case.out --pseudonymise key.txt --out for_the_press.html"};
        description.diagnostics = {"A folder that is not that of a case, or is damaged, is a failure (1)."};
        description.memory = "The findings of the case, and up to 3 MB for the page.";
        return description;
    }

    int run(const Invocation& invocation) const override {
        const auto folder = invocation.positionals.at(0).at(0);
        auto path = invocation.options.text("out");
        const auto key = invocation.options.text("pseudonymise");
        if (!key.empty() && path.empty())
            throw Error(ErrorKind::usage, "--pseudonymise needs --out, so that the two reports are not confused",
                        "Add --out FILE");
        if (path.empty()) path = folder + "/report.html";
        auto input = read_case_folder(folder).report;
        if (!key.empty()) pseudonymise(input, Pseudonyms::from_file(key));
        write_file_atomically(path, render_report(input));
        invocation.global.say("report: " + printable(path, 1000));
        return 0;
    }
};

}  // namespace

std::unique_ptr<Command> make_report_command() { return std::make_unique<ReportCommand>(); }

}  // namespace unveil::cli
