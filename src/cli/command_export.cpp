#include "cli/command_export.hpp"

#include <filesystem>
#include <optional>

#include "core/error.hpp"
#include "core/text.hpp"
#include "report/export.hpp"
#include "report/pseudonym.hpp"

namespace unveil::cli {
namespace {

class ExportCommand final : public Command {
  public:
    CommandDescription description() const override {
        CommandDescription description;
        description.name = "export";
        description.summary = "Export an investigated case for other tools";
        description.details =
            "csv and parquet fill a folder: verdicts, findings, and every table of every run. json is one document with "
            "the same. graphml and gexf are the network of one run, as Gephi, igraph and NetworkX read it: the kept edges "
            "of the widest window with their weights and traces, the accounts with group, degree and position. ooni fills a "
            "folder with JSON lines of what 'interference' found, with keys named as OONI names them: a line for each site, network "
            "and day, and a line for each flow of a capture with a sign.\n"
            "With --pseudonymise accounts stand under keyed hashes, and the table of pairs is left out, since the ids of "
            "posts lead back to accounts. The hashes are those of 'unveil report --pseudonymise' with the same key.";
        description.positionals = {{"CASE", "The folder of the case, such as case.out, or of a single run", 1, 1}};
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
        description.examples = {"unveil export case.out --to csv --out tables",
                                "unveil export case.out --to gexf --out network.gexf",
                                "unveil export case.out --to ooni --out findings"};
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
        const auto folder = read_case_or_run_folder(invocation.positionals.at(0).at(0));
        if (format == "csv") export_csv(folder, wanted);
        else if (format == "json") export_json(folder, wanted);
        else if (format == "parquet") export_parquet(folder, wanted);
        else if (format == "ooni") export_ooni(folder, wanted);
        else export_graph(folder, format == "gexf" ? GraphFormat::gexf : GraphFormat::graphml, wanted);
        invocation.global.say("export: " + printable(wanted.out, 1000));
        return 0;
    }
};

}  // namespace

std::unique_ptr<Command> make_export_command() { return std::make_unique<ExportCommand>(); }

}  // namespace unveil::cli
