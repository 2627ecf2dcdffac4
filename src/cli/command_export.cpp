#include "cli/command_export.hpp"

#include <filesystem>
#include <optional>

#include "core/error.hpp"
#include "core/text.hpp"
#include "evidence/labelled_words.hpp"
#include "evidence/trial_log.hpp"
#include "report/export.hpp"
#include "report/export_trials.hpp"
#include "report/pseudonym.hpp"

namespace unveil::cli {
namespace {

class ExportCommand final : public Command {
  public:
    CommandDescription description() const override {
        CommandDescription description;
        description.name = "export";
        description.summary = "Export an investigated case, or a log of messages, for other tools";
        description.details =
            "csv and parquet fill a folder: verdicts, findings, and every table of every run. json is one document with "
            "the same. graphml and gexf are the network of one run, as Gephi, igraph and NetworkX read it: the kept edges "
            "of the widest window with their weights and traces, the accounts with group, degree and position. ooni fills a "
            "folder with JSON lines of what 'interference' found, with keys named as OONI names them: a line for each site, network "
            "and day, and a line for each flow of a capture with a sign.\n"
            "With --pseudonymise accounts stand under keyed hashes, and the table of pairs is left out, since the ids of "
            "posts lead back to accounts. The hashes are those of 'unveil report --pseudonymise' with the same key.\n"
            "In place of a case there may be logs of 'unveil probe', with --to csv: messages.csv has a row for each message, rules.txt the "
            "certified rules in the notation 'a + b' of the public lists, as 'unveil probe --rules' reads them, and rules.csv the same with "
            "context, date, type and, where lists of labelled words stand beside the log, topic; model.json says what kind of filter it is.";
        description.positionals = {{"CASE", "The folder of the case, such as case.out, or of a single run; or logs of messages and lists of labelled words", 1, SIZE_MAX}};
        description.options.push_back(command_option("to", ParameterType::choice, "FORMAT", "", "Format to write"));
        description.options.back().choices = {"csv", "json", "parquet", "graphml", "gexf", "ooni"};
        description.options.push_back(command_option("out", ParameterType::text, "PATH", "",
                                                     "A folder for csv, parquet and ooni, a file for the others"));
        description.options.push_back(command_option("run", ParameterType::integer, "N", "",
                                                     "Which run's network, from 1; the first that has one unless given"));
        description.options.back().minimum = 1;
        description.options.back().maximum = 1000;
        description.options.push_back(command_option("pseudonymise", ParameterType::text, "KEYFILE", "",
                                                     "Put keyed hashes in place of the accounts; the file holds 16 bytes or more"));
        description.options.push_back(command_option("hash-texts", ParameterType::flag, "", "",
                                                     "Of a log: write the digests of messages in place of the messages"));
        description.options.push_back(command_option("withhold-evasions", ParameterType::flag, "", "",
                                                     "Of a log: the same for the changed spellings that were tried"));
        description.examples = {"unveil export case.out --to csv --out tables",
                                "unveil export case.out --to gexf --out network.gexf",
                                "unveil export case.out --to ooni --out findings",
                                "unveil export log.jsonl --to csv --out published --hash-texts"};
        description.diagnostics = {"A folder that is not that of a case, or is damaged, is a failure (1); parquet is one "
                                   "where DuckDB is missing. A network asked of a case without edges is wrong usage (2), as is ooni of one without interference."};
        description.memory = "Tables stream through; a network takes about 100 bytes an edge, ooni about 2 KB a site and network.";
        return description;
    }

    int run(const Invocation& invocation) const override {
        const auto& options = invocation.options;
        const auto format = options.text("to");
        if (format.empty())
            throw Error(ErrorKind::usage, "--to is missing", "Add --to csv, json, parquet, graphml, gexf or ooni");
        ExportOptions wanted;
        wanted.out = options.text("out");
        if (wanted.out.empty())
            throw Error(ErrorKind::usage, "--out is missing",
                        format == "csv" || format == "parquet" || format == "ooni" ? "Add --out FOLDER" : "Add --out FILE");
        if (options.has_value("run")) wanted.run = static_cast<std::size_t>(options.integer("run") - 1);
        wanted.threads = invocation.global.threads;
        wanted.say = [&](std::string_view line) { invocation.global.say(line); };
        std::optional<Pseudonyms> pseudonyms;
        if (const auto key = options.text("pseudonymise"); !key.empty()) {
            pseudonyms = Pseudonyms::from_file(key);
            wanted.pseudonyms = &*pseudonyms;
        }
        const auto& inputs = invocation.positionals.at(0);
        if (is_trial_log_file(inputs.front()) || inputs.size() > 1) {
            if (format != "csv") throw Error(ErrorKind::usage, "logs of messages are exported as csv only", "Write --to csv --out FOLDER");
            export_logs(inputs, options, wanted, *invocation.global.progress);
            invocation.global.say("export: " + printable(wanted.out, 1000));
            return 0;
        }
        for (const char* of_a_log : {"hash-texts", "withhold-evasions"})
            if (options.flag(of_a_log)) throw Error(ErrorKind::usage, "--" + std::string(of_a_log) + " is for logs of messages", "Leave it out, or name a log in place of the case");
        const auto folder = read_case_or_run_folder(inputs.front());
        if (format == "csv") export_csv(folder, wanted);
        else if (format == "json") export_json(folder, wanted);
        else if (format == "parquet") export_parquet(folder, wanted);
        else if (format == "ooni") export_ooni(folder, wanted);
        else export_graph(folder, format == "gexf" ? GraphFormat::gexf : GraphFormat::graphml, wanted);
        invocation.global.say("export: " + printable(wanted.out, 1000));
        return 0;
    }

  private:
    static void export_logs(const std::vector<std::string>& inputs, const ParameterValues& options, const ExportOptions& wanted, Progress& progress) {
        std::vector<std::string> logs;
        std::vector<std::string> words;
        for (const auto& path : inputs) {
            if (is_trial_log_file(path)) logs.push_back(path);
            else if (is_labelled_words_file(path)) words.push_back(path);
            else throw Error(ErrorKind::usage, "this is neither a log of messages nor a list of labelled words", "Export a case alone: one folder", printable(path, 1000));
        }
        TrialExportOptions own;
        own.out = wanted.out;
        own.pseudonyms = wanted.pseudonyms;
        own.hashes_texts = options.flag("hash-texts");
        own.withholds_evasions = options.flag("withhold-evasions");
        own.say = wanted.say;
        export_trials(logs, words, own, progress);
    }
};

}  // namespace

std::unique_ptr<Command> make_export_command() { return std::make_unique<ExportCommand>(); }

}  // namespace unveil::cli
