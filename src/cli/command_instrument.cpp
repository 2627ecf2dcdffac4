#include "cli/command_instrument.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <filesystem>

#include "case/run.hpp"
#include "cli/global.hpp"
#include "core/error.hpp"
#include "core/text.hpp"

namespace unveil::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t line_bytes_max = 4000;

/// What every instrument takes besides its own parameters.
std::vector<Parameter> run_options(const InstrumentDescription& instrument) {
    std::vector<Parameter> options;
    if (instrument.accepts_controls) {
        options.push_back(command_option("control", ParameterType::text, "FILE", "",
                                         "Posts of accounts known to belong to no campaign, read as the inputs are"));
        options.back().is_list = true;
    }
    if (instrument.record == "network record") {
        options.push_back(command_option("fingerprints", ParameterType::text, "FILE", "",
                                         "Lists of known block pages, as OONI publishes them; a further input"));
        options.back().is_list = true;
    }
    options.push_back(
        command_option("out", ParameterType::text, "DIR", "",
                   "Folder for the tables, findings.json and manifest.json; needed unless --json"));
    options.push_back(command_option("format", ParameterType::text, "NAME", "",
                                 "Format of the inputs instead of detecting it; 'unveil list' names them"));
    options.push_back(command_option("columns", ParameterType::text, "FIELD=COLUMN,...", "",
                                 "Which column holds which field, such as account=user_id,time=created_at"));
    options.push_back(command_option("skipped-share-max", ParameterType::real, "SHARE", "0.01",
                                 "Share of malformed rows from which on the run fails"));
    options.back().minimum = 0;
    options.back().maximum = 1;
    options.push_back(command_option("seed", ParameterType::integer, "N", "0", "Seed of everything random"));
    options.back().minimum = 0;
    options.push_back(
        command_option("memory-limit", ParameterType::bytes, "SIZE", "",
                   "Memory from which on the run goes to disk; 75 % of this machine's unless given"));
    options.push_back(
        command_option("scratch", ParameterType::text, "DIR", "",
                   "Folder for what does not fit in memory; $TMPDIR or the output folder unless given"));
    return options;
}

std::string scratch_folder(const ParameterValues& options, const std::string& out) {
    if (auto folder = options.text("scratch"); !folder.empty()) {
        if (!fs::is_directory(folder))
            throw Error(ErrorKind::usage, "the folder for scratch files does not exist", "Make it first",
                        printable(folder, 200));
        return folder;
    }
    if (const char* folder = std::getenv("TMPDIR"); folder != nullptr && fs::is_directory(folder))
        return folder;
    return out;
}

std::string interval_text(const Finding& finding) {
    if (finding.strength == StrengthKind::p_value && finding.unit == "probability") return "p-value";
    if (finding.level == 1 && finding.low == finding.value && finding.high == finding.value) return "exact";
    if (std::isinf(finding.high)) return human_number(finding.low) + " or more";
    return fmt::format("{} to {}", human_number(finding.low), human_number(finding.high));
}

/// Told before hours of reading, not after.
void check_control(const std::string& path, const std::vector<RunInput>& inputs) {
    if (trimmed(path).empty()) throw Error(ErrorKind::usage, "--control names no file", "Write --control FILE");
    for (const auto& input : inputs) {
        std::error_code unknown;
        if (path != input.path && !fs::equivalent(path, input.path, unknown)) continue;
        const bool is_both = input.role == InputRole::posts;
        throw Error(ErrorKind::usage,
                    is_both ? "the file is given as an input and as a control" : "the control is given twice",
                    is_both ? "Accounts under investigation are no controls; give it as one of the two" : "Give it once",
                    printable(path, 1000));
    }
}

class InstrumentCommand final : public Command {
  public:
    explicit InstrumentCommand(const Instrument& instrument) : m_instrument(instrument) {}

    CommandDescription description() const override {
        const auto& instrument = m_instrument.description();
        CommandDescription description;
        description.name = instrument.name;
        description.summary = instrument.question;
        description.details = instrument.summary;
        description.positionals = {
            {"INPUT", fmt::format("Files of {}s; plain, gz, zst or xz", instrument.record), 1, SIZE_MAX}};
        description.options = instrument.parameters;
        for (auto& option : run_options(instrument))
            if (std::none_of(instrument.parameters.begin(), instrument.parameters.end(),
                             [&](const auto& own) { return own.name == option.name; }))
                description.options.push_back(std::move(option));
        if (!instrument.example.empty()) description.examples = {instrument.example};
        description.diagnostics = {
            "Malformed rows are counted and shown with examples; more than --skipped-share-max of them is a "
            "failure (1). "
            "Parameters that contradict each other or the evidence are wrong usage (2)."};
        description.memory =
            "At most --memory-limit for what the instrument keeps; beyond that it works from files in "
            "--scratch. The "
            "findings are the same bytes either way.";
        return description;
    }

    int run(const Invocation& invocation) const override {
        const auto& options = invocation.options;
        const auto& global = invocation.global;
        const auto out = options.text("out");
        if (out.empty() && !global.json)
            throw Error(
                ErrorKind::usage, "--out is missing: the tables need a folder",
                fmt::format("Add --out DIR, or --json to print only the findings: unveil {} ... --out DIR",
                            m_instrument.description().name));
        if (!out.empty()) check_out_folder(out, "manifest.json");

        RunRequest request{.instrument = &m_instrument,
                           .inputs = {},
                           .parameters = ParameterValues(m_instrument.description().parameters),
                           .scratch_folder = {},
                           .open = {}};
        for (const auto& parameter : m_instrument.description().parameters)
            if (options.is_set(parameter.name))
                request.parameters.set_list(parameter.name, options.canonical_texts(parameter.name),
                                            "--" + parameter.name);
        request.seed = static_cast<std::uint64_t>(options.integer("seed"));
        request.threads = global.threads;
        request.memory_bytes_max =
            options.has_value("memory-limit") ? options.bytes("memory-limit") : memory_bytes_default();
        request.skipped_share_max = options.real("skipped-share-max");

        EvidenceOptions evidence;
        evidence.format = options.text("format");
        if (options.has_value("columns")) evidence.columns = parse_columns_option(options.text("columns"));
        for (const auto& path : invocation.positionals.at(0))
            request.inputs.push_back({.path = path, .shown_path = path, .options = evidence});
        if (m_instrument.description().accepts_controls)
            for (const auto& path : options.texts("control")) {
                check_control(path, request.inputs);
                request.inputs.push_back(
                    {.path = path, .shown_path = path, .options = evidence, .role = InputRole::control});
            }
        if (options.knows("fingerprints"))
            for (const auto& path : options.texts("fingerprints")) {
                if (trimmed(path).empty()) throw Error(ErrorKind::usage, "--fingerprints names no file", "Write --fingerprints FILE");
                request.inputs.push_back({.path = path, .shown_path = path, .options = {.format = "blocking-fingerprints", .columns = {}}});
            }
        request.scratch_folder = scratch_folder(options, out);

        const auto result = run_instrument(request, out, *global.progress);
        for (const auto& source : result.sources) say_source_report(global, source);
        if (global.json) {
            global.print(result.findings_json);
            return 0;
        }
        global.print(findings_table(result.findings));
        for (const auto& note : result.findings.notes) global.say(printable("note: " + note, line_bytes_max));
        for (const auto& caveat : result.findings.caveats) global.say(printable("caveat: " + caveat, line_bytes_max));
        fmt::print("\nwritten to {}:\n", printable(out, 1000));
        for (const auto& name : written_files(out)) fmt::print("  {}\n", printable(name, 1000));
        return 0;
    }

  private:
    static std::vector<std::string> written_files(const std::string& out) {
        std::vector<std::string> names;
        for (const auto& entry : fs::directory_iterator(out))
            if (entry.is_regular_file()) names.push_back(entry.path().filename().string());
        std::sort(names.begin(), names.end());
        return names;
    }

    const Instrument& m_instrument;
};

}  // namespace

std::unique_ptr<Command> make_instrument_command(const Instrument& instrument) {
    return std::make_unique<InstrumentCommand>(instrument);
}

std::string findings_table(const Findings& findings) {
    std::vector<std::vector<std::string>> rows;
    for (const auto& finding : findings.items)
        rows.push_back({finding.metric, human_number(finding.value), interval_text(finding), finding.unit});
    return text_table({"metric", "value", "interval", "unit"}, rows, {false, true, true, false});
}

void check_out_folder(const std::string& folder, const std::string& marker) {
    std::error_code failure;
    if (!fs::exists(folder, failure)) return;
    const auto shown = printable(folder, 1000);
    if (!fs::is_directory(folder, failure))
        throw Error(ErrorKind::usage, "the output must be a folder, but this is a file",
                    "Name another with --out", shown);
    if (fs::is_empty(folder, failure) || fs::exists(fs::path(folder) / marker, failure)) return;
    throw Error(ErrorKind::usage,
                fmt::format("the folder holds files that are not unveil's (it has no {})", marker),
                "Name a new or empty folder with --out", shown);
}

void say_source_report(const Global& global, const SourceReport& report) {
    const auto& tally = report.tally;
    const auto path = printable(report.path, 1000);
    if (tally.skipped() > 0) {
        global.say(fmt::format("{}: skipped {} of {} rows", path,
                               human_number(static_cast<double>(tally.skipped())),
                               human_number(static_cast<double>(tally.skipped() + tally.kept()))));
        for (const auto& [reason, entry] : tally.skips()) {
            global.say(fmt::format("  {} x {}", entry.count, reason));
            for (const auto& example : entry.examples)
                global.say(fmt::format("    {}", printable(example, 400)));
        }
    }
    for (const auto& [what, count] : tally.notes()) global.say(fmt::format("{}: {} x {}", path, count, what));
}

}  // namespace unveil::cli
