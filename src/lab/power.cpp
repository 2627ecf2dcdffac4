#include "lab/power.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/text.hpp"
#include "lab/trial_world.hpp"

namespace unveil {
namespace {

using Json = nlohmann::ordered_json;

/// Tells which world is in work; what happens inside of it is too short to tell.
class WorldProgress final : public Progress {
  public:
    WorldProgress(Progress& outer, std::uint64_t worlds) : m_outer(outer), m_worlds(worlds) {}
    void next() { m_outer.update("worlds", m_done++, m_worlds); }
    void update(std::string_view, std::uint64_t, std::uint64_t) override {}
    bool is_cancelled() const override { return m_outer.is_cancelled(); }

  private:
    Progress& m_outer;
    std::uint64_t m_worlds;
    std::uint64_t m_done = 0;
};

struct Sum {
    std::uint64_t hits = 0;
    std::uint64_t trials = 0;
    void add(const Rate& rate) {
        hits += rate.hits;
        trials += rate.trials;
    }
    Rate rate() const { return wilson_rate(hits, trials); }
};

Json rate_to_json(const Rate& rate) {
    Json json = {{"hits", rate.hits}, {"trials", rate.trials}, {"value", nullptr}};
    if (rate.value()) json["value"] = *rate.value();
    json["low"] = rate.low;
    json["high"] = rate.high;
    return json;
}

}  // namespace

std::span<const PowerEffect> power_effects() {
    static const std::vector<PowerEffect> all = {
        {"participation", "participation", {"0.8", "0.6", "0.4", "0.3", "0.2", "0.1"}, {"co-retweet"}},
        {"jitter", "jitter", {"30s", "2m", "10m", "30m", "2h"}, {"co-retweet"}},
        {"dilution", "dilution", {"0", "1", "3", "10"}, {"co-retweet"}},
        {"objects", "campaign-objects", {"20", "10", "5", "3", "2"}, {"co-retweet"}},
        {"size", "campaign-accounts", {"25", "15", "10", "5"}, {"co-retweet"}},
        {"rotation", "rotation", {"1", "0.5", "0.3", "0.2", "0.1"}, {"co-retweet"}},
        {"shared-posts", "shared-posts-max", {"10", "5", "3", "2", "1"}, {"co-retweet"}},
        {"outside", "outside-share", {"0", "0.25", "0.5", "0.75", "0.9"}, {"co-retweet"}},
        // Only the core's copies are about it, a fifth of the posts: more of them, so that accounts meet often enough.
        {"paraphrase", "paraphrase", {"0", "0.25", "0.5", "0.75", "1"}, {"exact-text"}, "100"},
    };
    return all;
}

std::span<const std::pair<std::string, std::string>> power_world_defaults() {
    static const std::vector<std::pair<std::string, std::string>> all = {
        {"scale", "20000"}, {"campaigns", "1"}, {"campaign-accounts", "25"}};
    return all;
}

const PowerEffect& power_effect_named(std::string_view name) {
    const auto all = power_effects();
    const auto found = std::find_if(all.begin(), all.end(), [&](const auto& effect) { return effect.name == name; });
    if (found != all.end()) return *found;
    std::vector<std::string> names;
    for (const auto& effect : all) names.push_back(effect.name);
    const auto near = nearest_word(name, names);
    throw Error(ErrorKind::usage, fmt::format("unknown effect '{}'", printable(name, 80)),
                near.empty() ? fmt::format("Known are: {}", fmt::join(names, ", "))
                             : fmt::format("Did you mean '{}'?", near));
}

PowerTable measure_power(const PowerRequest& request, Progress& progress) {
    const auto& effect = power_effect_named(request.effect);
    if (request.world.is_set(effect.parameter))
        throw Error(ErrorKind::usage,
                    fmt::format("--{} is what the effect '{}' changes", effect.parameter, effect.name),
                    "Give its values with --values");
    auto world = request.world;
    for (const auto& [name, text] : power_world_defaults())
        if (!world.is_set(name) && name != effect.parameter) world.set(name, text);
    if (!world.is_set("campaign-objects") && effect.parameter != "campaign-objects")
        world.set("campaign-objects", effect.objects);
    auto instrument = request.instrument;
    if (!instrument.is_set("traces")) instrument.set_list("traces", effect.traces);

    std::vector<std::pair<std::string, ParameterValues>> kinds;
    for (const auto& value : request.values.empty() ? effect.values : request.values) {
        auto parameters = world;
        parameters.set(effect.parameter, value, "--values");
        auto shown = parameters.canonical_texts(effect.parameter).front();
        kinds.emplace_back(std::move(shown), std::move(parameters));
    }
    auto nobody = world;
    nobody.set("campaigns", "0");
    kinds.emplace_back(std::string(), std::move(nobody));

    PowerTable table;
    table.effect = effect.name;
    table.parameter = effect.parameter;
    auto common = Json::parse(world.canonical_json());
    common.erase(effect.parameter);
    table.world_json = json_text(common);
    table.instrument_json = instrument.canonical_json();
    table.seed = request.seed;
    WorldProgress world_progress(progress, kinds.size() * request.worlds);
    for (const auto& [value, parameters] : kinds) {
        PowerRow row;
        row.value = value;
        row.worlds = request.worlds;
        Sum power, core, amplifiers, precision;
        std::map<std::string, std::uint64_t> classes;
        for (std::uint64_t i = 0; i < request.worlds; ++i) {
            world_progress.next();
            world_progress.check();
            const TrialWorld made(parameters, request.seed + i, request.scratch_folder, world_progress);
            const auto score = made.score(instrument, request.threads, request.memory_bytes_max, world_progress);
            const auto& all = score.overall;
            power.add(all.recall);
            core.add(all.core_recall);
            amplifiers.add(all.amplifier_recall);
            precision.add(all.unscheduled_precision);
            const auto false_edges = all.edge_precision.trials - all.edge_precision.hits - all.scheduled_edges;
            row.edges += all.edge_precision.trials;
            row.false_edges += false_edges;
            row.scheduled_edges += all.scheduled_edges;
            row.worlds_with_false_edges += false_edges > 0 ? 1 : 0;
            for (const auto& count : all.false_edges) classes[count.name] += count.count;
        }
        row.power = power.rate();
        row.core_power = core.rate();
        row.amplifier_power = amplifiers.rate();
        row.precision = precision.rate();
        for (const auto& [name, count] : classes) row.false_edges_by_class.push_back({name, count});
        table.rows.push_back(std::move(row));
    }
    return table;
}

std::string power_to_json(const PowerTable& table) {
    Json json = {{"schema_version", 1},
                 {"effect", table.effect},
                 {"parameter", table.parameter},
                 {"world", Json::parse(table.world_json)},
                 {"instrument", Json::parse(table.instrument_json)},
                 {"seed", table.seed},
                 {"level", 0.95},
                 {"rows", Json::array()}};
    for (const auto& row : table.rows) {
        Json entry;
        if (row.value.empty())
            entry["value"] = nullptr;
        else
            entry["value"] = row.value;
        entry["worlds"] = row.worlds;
        entry["worlds_with_false_edges"] = row.worlds_with_false_edges;
        entry["power"] = rate_to_json(row.power);
        entry["core_power"] = rate_to_json(row.core_power);
        entry["amplifier_power"] = rate_to_json(row.amplifier_power);
        entry["precision"] = rate_to_json(row.precision);
        entry["edges"] = row.edges;
        entry["false_edges"] = row.false_edges;
        entry["scheduled_edges"] = row.scheduled_edges;
        entry["false_by_class"] = Json::object();
        for (const auto& count : row.false_edges_by_class) entry["false_by_class"][count.name] = count.count;
        json["rows"].push_back(std::move(entry));
    }
    return json_text(json) + "\n";
}

}  // namespace unveil
