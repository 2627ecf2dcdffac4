#include "cli/command_lab_power.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "cli/global.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "instruments/instrument.hpp"
#include "lab/power.hpp"
#include "lab/scenario.hpp"

namespace unveil::cli {
namespace {

namespace fs = std::filesystem;

/// "--window 60s --keep=weight --pairs" as the instrument's own command would take them.
ParameterValues instrument_values(const std::vector<std::string>& words) {
    ParameterValues values(instrument_named("coordination").description().parameters);
    std::vector<std::pair<std::string, std::vector<std::string>>> given;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (!words[i].starts_with("--") || words[i].size() == 2)
            throw Error(ErrorKind::usage, fmt::format("unexpected argument '{}'", printable(words[i], 80)),
                        "Behind -- stand options of 'unveil coordination', such as -- --window 60s");
        const auto equals = words[i].find('=');
        auto name = words[i].substr(2, equals == std::string::npos ? equals : equals - 2);
        std::string text;
        const auto is_flag = [&](const std::string& flag) {
            for (const auto& parameter : values.table())
                if (parameter.name == flag) return parameter.type == ParameterType::flag;
            return false;
        };
        if (equals != std::string::npos) {
            text = words[i].substr(equals + 1);
        } else if (is_flag(name)) {
            text = "true";
        } else if (name.starts_with("no-") && is_flag(name.substr(3))) {
            name.erase(0, 3);
            text = "false";
        } else {
            // An unknown name fails as such, not for want of a value.
            if (values.knows(name) && i + 1 == words.size())
                throw Error(ErrorKind::usage, fmt::format("'--{}' needs a value", name),
                            "'unveil coordination --help' lists the options");
            if (i + 1 < words.size()) text = words[++i];
        }
        if (given.empty() || given.back().first != name) given.push_back({name, {}});
        given.back().second.push_back(std::move(text));
    }
    for (const auto& [name, texts] : given) values.set_list(name, texts, "--" + name);
    return values;
}

std::string scratch_folder(const std::string& asked) {
    if (asked.empty()) {
        if (const char* folder = std::getenv("TMPDIR"); folder != nullptr && fs::is_directory(folder)) return folder;
        return fs::temp_directory_path().string();
    }
    if (!fs::is_directory(asked))
        throw Error(ErrorKind::usage, "the folder for scratch files does not exist", "Make it first",
                    printable(asked, 200));
    return asked;
}

std::string rate_text(const Rate& rate) {
    if (!rate.value()) return "-";
    return fmt::format("{:.3f} ({:.3f} to {:.3f})", *rate.value(), rate.low, rate.high);
}

std::string share_text(const Rate& rate) {
    return rate.value() ? fmt::format("{:.3f}", *rate.value()) : "-";
}

std::string count_text(std::uint64_t count) {
    return human_number(static_cast<double>(count));
}

std::string power_text(const PowerTable& table) {
    std::vector<std::vector<std::string>> cells;
    for (const auto& row : table.rows)
        cells.push_back({row.value.empty() ? "nobody planted" : row.value, count_text(row.worlds),
                         count_text(row.power.trials), count_text(row.power.hits), rate_text(row.power),
                         share_text(row.core_power), rate_text(row.precision), count_text(row.false_edges),
                         count_text(row.worlds_with_false_edges)});
    std::string out = text_table({table.parameter, "worlds", "planted", "found", "power", "core", "precision",
                                  "false edges", "in worlds"},
                                 cells, {false, true, true, true, false, false, false, true, true});
    cells.clear();
    for (const auto& row : table.rows) {
        std::string classes;
        for (const auto& count : row.false_edges_by_class)
            classes += fmt::format("{}{} {}", classes.empty() ? "" : ", ", count.count, count.name);
        if (!classes.empty()) cells.push_back({row.value.empty() ? "nobody planted" : row.value, classes});
    }
    if (!cells.empty())
        out += "\n" + text_table({table.parameter, "edges that no campaign has, by class"}, cells, {false, false});
    return out + fmt::format(
                     "\nseeds {} to {}\nworlds: {}\ncoordination: {}\nPower is the share of planted accounts on a kept "
                     "edge, core that of the core alone, precision the share of planted\nones among all on a kept edge, "
                     "scheduled news accounts left out; Wilson, 95 %, as if accounts of one world\nwere "
                     "independent.\n",
                     table.seed, table.seed + table.rows.front().worlds - 1, table.world_json, table.instrument_json);
}

class LabPowerCommand final : public Command {
  public:
    CommandDescription description() const override {
        CommandDescription description;
        description.name = "lab power";
        description.summary = "Measure how plainly a campaign must act before coordination finds it";
        std::string effects;
        for (const auto& effect : power_effects())
            effects += fmt::format("{}{} (--{}: {})", effects.empty() ? "" : ", ", effect.name, effect.parameter,
                                   fmt::join(effect.values, " "));
        description.details = fmt::format(
            "Makes worlds in which one thing about the campaign changes from row to row, and worlds without a campaign, "
            "runs coordination on each, and counts who is found. Unless said otherwise a world has 20,000 posts and one "
            "campaign of 25 accounts that boosts 20 posts, and the trace is co-retweet; for paraphrase it is 100 posts and "
            "exact-text. The same options and seed give the same table on any machine.\n"
            "Effects, with the option of 'lab make' that each changes and its usual values: {}.",
            effects);
        description.positionals = {
            {"OPTION", "Behind --, options of 'unveil coordination' for the runs", 0, SIZE_MAX}};
        Parameter effect = command_option("effect", ParameterType::choice, "NAME", "participation",
                                          "What changes from row to row");
        for (const auto& known : power_effects()) effect.choices.push_back(known.name);
        description.options.push_back(std::move(effect));
        description.options.push_back(command_option("values", ParameterType::text, "A,B,...", "",
                                                     "The values it takes, one row each (default: by effect)"));
        description.options.back().is_list = true;
        description.options.push_back(
            command_option("seeds", ParameterType::integer, "N", "5", "Worlds for each row"));
        description.options.back().minimum = 1;
        description.options.back().maximum = 10000;
        description.options.push_back(
            command_option("seed", ParameterType::integer, "N", "1", "Seed of the first world of each row"));
        description.options.back().minimum = 0;
        for (const auto& parameter : scenario_named("takedown").parameters) {
            description.options.push_back(parameter);
            auto& option = description.options.back();
            for (const auto& [name, text] : power_world_defaults())
                if (option.name == name) {
                    option.default_text = text;
                    option.help.resize(std::min(option.help.size(), option.help.find(" (default:")));
                }
        }
        description.options.push_back(
            command_option("memory-limit", ParameterType::bytes, "SIZE", "",
                           "Memory from which on a run goes to disk; 75 % of this machine's unless given"));
        description.options.push_back(command_option("scratch", ParameterType::text, "DIR", "",
                                                     "Folder for one world at a time; $TMPDIR or /tmp unless given"));
        description.examples = {"unveil lab power --effect participation --seeds 10",
                                "unveil lab power --effect jitter --values 30s,5m,1h --scale 100000 -- --window 10m"};
        description.diagnostics = {
            "An option of the world that the effect itself changes is wrong usage (2). When stopped, no world is left "
            "behind."};
        description.memory = "That of one run of coordination, and some ten MB for its world.";
        return description;
    }

    int run(const Invocation& invocation) const override {
        const auto& options = invocation.options;
        PowerRequest request{.effect = options.text("effect"),
                             .values = options.texts("values"),
                             .world = ParameterValues(scenario_named("takedown").parameters),
                             .instrument = instrument_values(invocation.positionals.at(0)),
                             .scratch_folder = scratch_folder(options.text("scratch"))};
        for (const auto& parameter : request.world.table())
            if (options.is_set(parameter.name))
                request.world.set_list(parameter.name, options.canonical_texts(parameter.name),
                                       "--" + parameter.name);
        request.seed = static_cast<std::uint64_t>(options.integer("seed"));
        request.worlds = static_cast<std::uint64_t>(options.integer("seeds"));
        request.threads = invocation.global.threads;
        request.memory_bytes_max =
            options.has_value("memory-limit") ? options.bytes("memory-limit") : memory_bytes_default();
        const auto table = measure_power(request, *invocation.global.progress);
        invocation.global.print(invocation.global.json ? power_to_json(table) : power_text(table));
        return 0;
    }
};

}  // namespace

std::unique_ptr<Command> make_lab_power_command() {
    return std::make_unique<LabPowerCommand>();
}

}  // namespace unveil::cli
