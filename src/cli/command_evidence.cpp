#include "cli/command_evidence.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/error.hpp"
#include "core/output_table.hpp"
#include "core/text.hpp"
#include "report/case_folder.hpp"
#include "report/co_actions.hpp"

namespace unveil::cli {
namespace {

/// The front of a run's key as a name: that of its folder under runs/.
std::string folder_name(const CaseRun& run) { return run.folder.substr(run.folder.find_last_of('/') + 1); }

bool has_pairs(const CaseRun& run) {
    return std::any_of(run.tables.begin(), run.tables.end(), [](const CaseTable& table) { return table.name == "pairs"; });
}

/// Position of the run that `name` means: a number from 1, a claim, or the front of the name of its folder. Without a name,
/// the first that has pairs.
std::size_t find_run(const CaseFolder& folder, const std::string& name) {
    const auto& runs = folder.runs;
    if (runs.empty()) throw Error(ErrorKind::input, "the case has no runs", "Investigate a case with claims");
    if (name.empty()) {
        const auto first = std::find_if(runs.begin(), runs.end(), has_pairs);
        return first == runs.end() ? 0 : static_cast<std::size_t>(first - runs.begin());
    }
    std::size_t number = 0;
    const auto end = name.data() + name.size();
    if (std::from_chars(name.data(), end, number).ptr == end && number >= 1 && number <= runs.size()) return number - 1;
    for (std::size_t i = 0; i < runs.size(); ++i)
        if (std::find(runs[i].claims.begin(), runs[i].claims.end(), name) != runs[i].claims.end()) return i;
    for (std::size_t i = 0; i < runs.size(); ++i)
        if (name.size() >= 4 && folder_name(runs[i]).starts_with(name)) return i;
    std::string known;
    for (std::size_t i = 0; i < runs.size(); ++i) known += fmt::format("{}{} ({})", i > 0 ? ", " : "", i + 1, folder_name(runs[i]));
    throw Error(ErrorKind::usage, fmt::format("the case has no run '{}'", printable(name, 200)),
                "Its runs are " + printable(known, 2000) + "; the id of a claim means the run that tests it");
}

class EvidenceCommand final : public Command {
  public:
    CommandDescription description() const override {
        CommandDescription description;
        description.name = "evidence";
        description.summary = "Show the posts behind an edge, an account or a community";
        description.details =
            "Reads the tables of a run of coordination and prints every co-action asked for as CSV, the closest in time first: "
            "the shared object, both accounts, posts and times, and the file and row of each post. What was found in a few "
            "words goes to stderr.\n"
            "--html also writes a page to hand on: the numbers of the edge, the account or the community, the posts, other "
            "explanations, and how to check it. It names accounts: it shows that they act together, not who runs them.";
        description.positionals = {{"FOLDER", "The folder of a case or of a single run", 1, 1}};
        description.options = {
            command_option("run", ParameterType::text, "NAME", "",
                           "Which run of a case: its number from 1, a claim it tests, or the name of its folder; the first that "
                           "has pairs unless given"),
            command_option("edge", ParameterType::text, "A,B", "", "The co-actions of these two accounts"),
            command_option("account", ParameterType::text, "ID", "", "Those of this account with any other"),
            command_option("community", ParameterType::integer, "N", "", "Those between members of this community, 1 is the largest"),
            command_option("trace", ParameterType::text, "NAME", "", "Of this trace only, such as co-retweet"),
            command_option("html", ParameterType::text, "FILE", "", "Also write a page that opens offline"),
            command_option("limit", ParameterType::integer, "N", "1000", "Show at most so many; all are counted")};
        for (auto& option : description.options)
            if (option.type == ParameterType::integer) option.minimum = 1;
        description.options.back().maximum = 1'000'000;
        description.examples = {"unveil evidence case.out --edge 1001,1002",
                                "unveil evidence case.out --community 1 --html community.html >posts.csv"};
        description.diagnostics = {"2 for accounts, traces and communities that the run does not know; 1 when the run wrote no "
                                   "table of pairs."};
        description.memory = "The tables stream through; the names of accounts on kept edges, 16 bytes an object in question, and "
                             "--limit co-actions are kept.";
        return description;
    }

    int run(const Invocation& invocation) const override {
        const auto& options = invocation.options;
        const auto& global = invocation.global;
        const int asked = int(options.has_value("edge")) + int(options.has_value("account")) + int(options.has_value("community"));
        if (asked != 1)
            throw Error(ErrorKind::usage, asked == 0 ? "nothing is asked for" : "more than one thing is asked for",
                        "Give one of --edge A,B, --account ID and --community N");
        const auto folder = read_case_or_run_folder(invocation.positionals.at(0).at(0));
        const auto index = find_run(folder, options.text("run"));
        const auto& run = folder.runs[index];
        CoActionQuestion question;
        question.rows_max = static_cast<std::size_t>(options.integer("limit"));
        question.trace = options.text("trace");
        if (options.has_value("community")) question.community = static_cast<std::uint64_t>(options.integer("community"));
        else if (options.has_value("account")) question.accounts = {options.text("account")};
        else question.accounts = edge_accounts(run, options.text("edge"));
        const auto found = find_co_actions(run, folder.report.runs[index], std::move(question));
        global.print(global.json ? co_actions_json(found) : co_actions_csv(found));
        for (const auto& sentence : co_action_sentences(found)) global.say("evidence: " + printable(sentence, 4000));
        if (const auto path = options.text("html"); !path.empty()) {
            write_file_atomically(path, render_co_actions(found));
            global.say("page: " + printable(path, 1000));
        }
        return 0;
    }
};

}  // namespace

std::unique_ptr<Command> make_evidence_command() { return std::make_unique<EvidenceCommand>(); }

}  // namespace unveil::cli
