#include "lab/network_score.hpp"

#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/json.hpp"
#include "lab/network.hpp"

namespace unveil {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw Error(ErrorKind::input, "cannot be read", "Give the truth.json of a world", path);
    return read_json(std::string{std::istreambuf_iterator<char>(file), {}});
}

}  // namespace

bool is_network_truth(const std::string& path) {
    const Json json = json_of(path);
    return json.is_object() && json.contains("scenario") && json["scenario"] == "network";
}

SetScore score_network(const std::string& folder, const std::string& truth_path) {
    std::set<std::string> mechanisms;
    std::set<std::string> triggers;
    std::set<std::string> sites;
    std::set<std::string> clear_triggers;
    std::set<std::string> clear_sites;
    std::map<std::string, std::uint64_t> flows_of;
    try {
        const Json json = json_of(truth_path);
        for (const auto& effect : json.at("effects")) {
            const auto flows = effect.at("flows").get<std::uint64_t>();
            if (flows == 0) continue;
            const auto mechanism = network_mechanism_found_as(effect.at("mechanism").get<std::string>());
            flows_of[mechanism] += flows;
            const auto trigger = effect.at("trigger").get<std::string>();
            if (trigger.find('.') == std::string::npos) continue;   // said in words by both sides
            triggers.insert(trigger);
            if (flows >= network_flows_min) clear_triggers.insert(trigger);
        }
        for (const auto& block : json.at("blocks")) {
            const auto site = fmt::format("{}@AS{}", block.at("domain").get<std::string>(), block.at("asn").get<std::uint64_t>());
            if (block.at("measurements").get<std::uint64_t>() == 0) continue;
            sites.insert(site);
            if (block.at("measurements").get<std::uint64_t>() >= network_measurements_min) clear_sites.insert(site);
        }
    } catch (const nlohmann::json::exception& failure) {
        throw Error(ErrorKind::input, fmt::format("is not the truth of a network: {}", failure.what()), "Give a file that `unveil lab make network` wrote", truth_path);
    }
    // Time after a trigger shows only over many connections.
    std::set<std::string> clear_mechanisms;
    for (const auto& [mechanism, flows] : flows_of) {
        mechanisms.insert(mechanism);
        const bool is_clear = mechanism == "residual" ? flows >= network_residual_flows_min : flows >= 4 * network_flows_min;
        if (is_clear) clear_mechanisms.insert(mechanism);
    }
    // What begins residual blocking is itself a reset or a drop.
    if (mechanisms.count("residual") > 0) mechanisms.insert({"rst-injection", "silent-drop"});

    const Findings findings = findings_with(folder, "mechanism", "interference");
    SetScore score;
    const auto members = [&](std::string_view metric) {
        const Finding* finding = findings.find(metric);
        return finding == nullptr ? std::vector<std::string>() : finding->members;
    };
    score.rows.push_back(set_score_row("mechanisms", members("mechanism"), mechanisms, clear_mechanisms));
    std::vector<std::string> named;
    for (const auto& trigger : members("trigger"))
        if (trigger.find(' ') == std::string::npos) named.push_back(trigger);
    score.rows.push_back(set_score_row("triggers", named, triggers, clear_triggers));
    if (findings.find("blocked") != nullptr) score.rows.push_back(set_score_row("sites in networks", members("blocked"), sites, clear_sites));
    return score;
}

}  // namespace unveil
