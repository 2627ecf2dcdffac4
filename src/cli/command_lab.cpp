#include "cli/command_lab.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "case/comparison.hpp"
#include "cli/global.hpp"
#include "cli/help_text.hpp"
#include "core/error.hpp"
#include "core/json.hpp"
#include "core/text.hpp"
#include "lab/scenario.hpp"
#include "lab/chat.hpp"
#include "lab/network_score.hpp"
#include "lab/score.hpp"
#include "lab/truth.hpp"

namespace unveil::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

std::string needed_text(const ParameterValues& options, std::string_view name, std::string_view remedy) {
    auto text = options.text(name);
    if (text.empty())
        throw Error(ErrorKind::usage, fmt::format("--{} is missing", name), std::string(remedy));
    return text;
}

/// Throws Error(usage) when the folder holds another world, or files of these names that no world belongs to.
void check_world_folder(const std::string& folder, const Scenario& scenario, const ParameterValues& parameters,
                        std::uint64_t seed) {
    const auto truth_path = fs::path(folder) / "truth.json";
    const auto shown = printable(folder, 1000);
    std::error_code failure;
    if (!fs::exists(truth_path, failure)) {
        for (const auto& file : scenario.files)
            if (fs::exists(fs::path(folder) / file, failure))
                throw Error(ErrorKind::usage,
                            fmt::format("the folder holds a {} that belongs to no finished world", file),
                            "Name another with --out, or replace it with --force", shown);
        return;
    }
    const auto truth = read_truth(truth_path.string());
    if (truth.scenario != scenario.name || truth.seed != seed ||
        truth.parameters_json != parameters.canonical_json())
        throw Error(ErrorKind::usage,
                    fmt::format("the folder holds another world ({}, seed {}, {})", printable(truth.scenario, 80),
                                truth.seed, printable(truth.parameters_json, 400)),
                    "Name another with --out, or replace it with --force", shown);
}

class LabListCommand final : public Command {
  public:
    CommandDescription description() const override {
        CommandDescription description;
        description.name = "lab list";
        description.summary = "List the worlds that the lab can make";
        description.examples = {"unveil lab list", "unveil lab list --json"};
        return description;
    }

    int run(const Invocation& invocation) const override {
        if (invocation.global.json) {
            Json json = {{"schema_version", 1}, {"scenarios", Json::array()}};
            for (const auto& scenario : scenarios()) {
                Json parameters = Json::array();
                for (const auto& parameter : scenario.parameters)
                    parameters.push_back({{"name", parameter.name},
                                          {"default", parameter.default_text},
                                          {"help", parameter.help}});
                json["scenarios"].push_back({{"name", scenario.name},
                                             {"summary", scenario.summary},
                                             {"parameters", std::move(parameters)},
                                             {"files", scenario.files}});
            }
            fmt::print("{}\n", json_text(json));
            return 0;
        }
        const auto width = text_width();
        for (const auto& scenario : scenarios()) {
            fmt::print("{}", help_rows({{scenario.name, scenario.summary}}, width));
            fmt::print("\nparameters of {}:\n{}", scenario.name, parameters_help(scenario.parameters, width));
            fmt::print("\nwrites {}\n", fmt::join(scenario.files, ", "));
        }
        return 0;
    }
};

class LabMakeCommand final : public Command {
  public:
    CommandDescription description() const override {
        CommandDescription description;
        description.name = "lab make";
        description.summary = "Make a world with a known truth: evidence, a case, and what it must end with";
        description.details =
            "Writes evidence in a real format into --out, with case.toml to investigate it. The truth lies "
            "beside it "
            "in truth.json, which no instrument reads. The same scenario, options and seed give the same "
            "bytes on any "
            "machine. Nothing in it is real.";
        description.positionals = {{"SCENARIO", "A world, as 'unveil lab list' names them"}};
        for (const auto& scenario : scenarios())
            for (const auto& parameter : scenario.parameters)
                if (std::none_of(description.options.begin(), description.options.end(),
                                 [&](const auto& known) { return known.name == parameter.name; }))
                    description.options.push_back(parameter);
        description.options.push_back(
            command_option("out", ParameterType::text, "DIR", "", "Folder for the files; made when missing"));
        description.options.push_back(
            command_option("seed", ParameterType::integer, "N", "1", "Seed of everything random"));
        description.options.back().minimum = 0;
        description.options.push_back(command_option("force", ParameterType::flag, "", "",
                                                     "Replace whatever world the folder holds"));
        description.examples = {"unveil lab make takedown --scale 100000 --seed 7 --out world",
                                "unveil lab make takedown --campaigns 0 --out null-world"};
        description.diagnostics = {
            "A folder that holds another world, or files of these names, is wrong usage (2) without --force. When "
            "stopped, the file in work is removed; what was finished stays."};
        description.memory =
            "Some ten MB, and a little with the number of accounts; never with the number of posts.";
        return description;
    }

    int run(const Invocation& invocation) const override {
        const auto& scenario = scenario_named(invocation.positionals.at(0).at(0));
        const auto& options = invocation.options;
        const auto out = needed_text(options, "out", "Add --out DIR");
        ParameterValues parameters(scenario.parameters);
        for (const auto& parameter : scenario.parameters)
            if (options.is_set(parameter.name))
                parameters.set_list(parameter.name, options.canonical_texts(parameter.name),
                                    "--" + parameter.name);
        const auto seed = static_cast<std::uint64_t>(options.integer("seed"));
        if (!options.flag("force")) check_world_folder(out, scenario, parameters, seed);
        make_scenario(scenario.name, parameters, seed, out, *invocation.global.progress);
        if (invocation.global.json) {
            Json json = {
                {"schema_version", 1}, {"scenario", scenario.name}, {"seed", seed}, {"files", Json::array()}};
            for (const auto& file : scenario.files) json["files"].push_back((fs::path(out) / file).string());
            fmt::print("{}\n", json_text(json));
            return 0;
        }
        for (const auto& file : scenario.files)
            invocation.global.print((fs::path(out) / file).string() + "\n");
        invocation.global.say(
            fmt::format("Next: unveil investigate {}", (fs::path(out) / "case.toml").string()));
        return 0;
    }
};

std::string rate_text(const Rate& rate) {
    if (!rate.value()) return "-";
    if (rate.hits == 0 && rate.high < 0.001) return fmt::format("0 (< {:.2g})", rate.high);
    if (*rate.value() < 0.001 && rate.hits > 0)
        return fmt::format("{:.2g} ({:.2g} to {:.2g})", *rate.value(), rate.low, rate.high);
    return fmt::format("{:.3f} ({:.3f} to {:.3f})", *rate.value(), rate.low, rate.high);
}

std::string score_text(const Score& score) {
    std::string out = fmt::format("{} accounts, {} of them planted in {} {}\n\n",
                                  human_number(static_cast<double>(score.accounts)),
                                  human_number(static_cast<double>(score.planted)), score.campaigns,
                                  score.campaigns == 1 ? "campaign" : "campaigns");
    std::vector<const ScoreRow*> rows;
    for (const auto& row : score.rows) rows.push_back(&row);
    rows.push_back(&score.overall);
    std::vector<std::vector<std::string>> cells;
    const auto label_of = [](const ScoreRow& row) {
        std::string label = row.run.empty() ? row.trace : printable(row.run, 12) + " " + row.trace;
        if (row.window_seconds > 0)
            label += " " + format_duration(static_cast<std::int64_t>(row.window_seconds * 1e6));
        return label;
    };
    for (const auto* row : rows) {
        cells.push_back({label_of(*row), "accounts", rate_text(row->precision), rate_text(row->recall),
                         rate_text(row->false_positive_rate)});
        cells.push_back({"", "edges", rate_text(row->edge_precision), rate_text(row->edge_recall),
                         rate_text(row->edge_false_positive_rate)});
        if (row->scheduled_edges > 0)
            cells.push_back({"", fmt::format("without {} scheduled", row->scheduled_edges),
                             rate_text(row->unscheduled_edge_precision), rate_text(row->edge_recall),
                             rate_text(row->unscheduled_edge_false_positive_rate)});
    }
    out += text_table({"found by", "of", "precision", "recall", "false-positive rate"}, cells,
                      {false, false, false, false, false});
    cells.clear();
    for (const auto* row : rows) {
        std::string accounts;
        for (const auto& count : row->false_accounts)
            accounts += fmt::format("{}{} {}", accounts.empty() ? "" : ", ", count.count, count.name);
        std::string edges;
        for (std::size_t i = 0; i < std::min<std::size_t>(4, row->false_edges.size()); ++i)
            edges += fmt::format("{}{} {}", edges.empty() ? "" : ", ", row->false_edges[i].count,
                                 row->false_edges[i].name);
        if (row->false_edges.size() > 4) edges += ", ...";
        if (!accounts.empty() || !edges.empty())
            cells.push_back({label_of(*row), accounts.empty() ? "-" : accounts, edges.empty() ? "-" : edges});
    }
    if (!cells.empty())
        out += "\n" + text_table({"not planted", "accounts by class", "edges by class"}, cells,
                                 {false, false, false});
    cells.clear();
    for (const auto& row : score.tiers)
        for (const auto& tier : row.tiers) {
            std::string others;
            for (const auto& count : tier.false_accounts)
                others += fmt::format("{}{} {}", others.empty() ? "" : ", ", count.count, count.name);
            cells.push_back({row.run.empty() ? tier.tier : printable(row.run, 12) + " " + tier.tier,
                             rate_text(tier.precision), rate_text(tier.recall), rate_text(tier.f1),
                             others.empty() ? "-" : others});
        }
    if (!cells.empty())
        out += "\n" + text_table({"tier", "precision", "recall", "F1", "of other kinds"}, cells,
                                 {false, false, false, false, false});
    return out + "\nIntervals: 95 %, Wilson for precision and recall, Clopper-Pearson for false positives.\n";
}

/// "certified-rules.recall < 1" and the like.
int say_set_score(const SetScore& score, const std::vector<Comparison>& conditions, const Global& global) {
    const auto word = [](std::string text) {
        std::replace(text.begin(), text.end(), ' ', '-');
        return text;
    };
    if (global.json) {
        nlohmann::ordered_json json = {{"schema_version", 1}};
        for (const auto& row : score.rows)
            json["rows"].push_back({{"what", row.what},
                                    {"precision", {{"hits", row.precision.hits}, {"trials", row.precision.trials}, {"low", row.precision.low}, {"high", row.precision.high}}},
                                    {"recall", {{"hits", row.recall.hits}, {"trials", row.recall.trials}, {"low", row.recall.low}, {"high", row.recall.high}}},
                                    {"wrong", row.wrong},
                                    {"missed", row.missed}});
        global.print(json_text(json) + "\n");
    } else {
        std::vector<std::vector<std::string>> cells;
        for (const auto& row : score.rows) cells.push_back({row.what, rate_text(row.precision), rate_text(row.recall)});
        std::string out = text_table({"found", "precision", "recall"}, cells, {false, false, false});
        for (const auto& row : score.rows) {
            for (const auto& one : row.wrong) out += fmt::format("wrong:  {} ({})\n", printable(one, 200), row.what);
            for (const auto& one : row.missed) out += fmt::format("missed: {} ({})\n", printable(one, 200), row.what);
        }
        global.print(out + "\nIntervals: 95 %, Wilson.\n");
    }
    bool is_any_held = false;
    for (const auto& condition : conditions)
        for (const auto& row : score.rows)
            for (const auto& [name, rate] : {std::pair{word(row.what) + ".precision", row.precision}, {word(row.what) + ".recall", row.recall}}) {
                if (name != condition.left.metric || !rate.value()) continue;
                const double limit = condition.right.number;
                if (decide({*rate.value(), *rate.value()}, condition.relation, {limit, limit}) != Decision::supported) continue;
                global.say("condition holds: " + condition.text);
                is_any_held = true;
            }
    return is_any_held ? 3 : 0;
}

class LabScoreCommand final : public Command {
  public:
    CommandDescription description() const override {
        CommandDescription description;
        description.name = "lab score";
        description.summary = "Hold findings against the truth of the world they are about";
        description.details =
            "Precision, recall and false-positive rate of the accounts and edges that a coordination run "
            "kept, by trace "
            "and overall, each with a 95 % interval, and to which class the false ones belong. An edge is "
            "true when "
            "both accounts are of the same campaign; every other pair of accounts is a chance for a false "
            "one. Accounts that act together openly, by a schedule, are counted apart. Where the run wrote tiers.csv "
            "its labels core and amplifier are held against the roles, and fused.csv counts as the trace 'fused'.";
        description.options = {
            command_option("findings", ParameterType::text, "DIR", "",
                       "The --out folder of 'unveil coordination' or 'unveil investigate'"),
            command_option("truth", ParameterType::text, "FILE", "", "The truth.json of the world"),
            command_option("fail-if", ParameterType::text, "CONDITION", "",
                       "Exit with 3 when it holds: 'recall < 0.9', 'co-retweet.edge.precision < 0.5'; may be "
                       "given as a "
                       "list")};
        description.options.back().is_list = true;
        description.examples = {"unveil lab score --findings result --truth world/truth.json",
                                "unveil lab score --findings result --truth world/truth.json --fail-if "
                                "'co-retweet.recall < 0.9'"};
        description.diagnostics = {
            "A condition on a rate without trials, such as recall where nothing was planted, "
            "does not hold."};
        description.memory = "Eight bytes an edge.";
        return description;
    }

    int run(const Invocation& invocation) const override {
        const auto& options = invocation.options;
        const auto findings = needed_text(options, "findings", "Add --findings DIR");
        const auto truth = needed_text(options, "truth", "Add --truth FILE");
        std::vector<Comparison> conditions;
        for (const auto& text : options.texts("fail-if")) {
            auto condition = parse_comparison(text);
            if (!condition || condition->right.is_metric() || is_about_set(condition->relation))
                throw Error(ErrorKind::usage,
                            fmt::format("'{}' is not a condition{}", printable(text, 80),
                                        condition ? "" : ": " + condition.error().message),
                            "Write it as --fail-if 'recall < 0.9'");
            conditions.push_back(std::move(*condition));
        }
        if (is_chat_truth(truth)) return say_set_score(score_chat(findings, read_chat_truth(truth)), conditions, invocation.global);
        if (is_network_truth(truth)) return say_set_score(score_network(findings, truth), conditions, invocation.global);
        const auto score = score_run(findings, read_truth(truth));
        std::vector<std::string> held;
        for (const auto& condition : conditions) {
            const auto value = score.metric(condition.left.metric);
            if (!value) continue;
            const double limit = condition.right.number;
            if (decide({*value, *value}, condition.relation, {limit, limit}) == Decision::supported)
                held.push_back(fmt::format("{} (it is {:.4g})", condition.text, *value));
        }
        if (invocation.global.json)
            invocation.global.print(score_to_json(score));
        else
            invocation.global.print(score_text(score));
        for (const auto& condition : held) invocation.global.say("condition holds: " + condition);
        return held.empty() ? 0 : 3;
    }
};

}  // namespace

std::unique_ptr<Command> make_lab_list_command() {
    return std::make_unique<LabListCommand>();
}
std::unique_ptr<Command> make_lab_make_command() {
    return std::make_unique<LabMakeCommand>();
}
std::unique_ptr<Command> make_lab_score_command() {
    return std::make_unique<LabScoreCommand>();
}

}  // namespace unveil::cli
