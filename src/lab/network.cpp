#include "lab/network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <map>
#include <set>

#include "core/error.hpp"
#include "core/output_table.hpp"
#include "core/time.hpp"
#include "lab/part_file.hpp"

namespace unveil {
namespace {

using Json = nlohmann::ordered_json;
using lab::Measurements;
using lab::NetworkWorld;

std::string time_of_ns(std::int64_t ns) { return format_time(ns / 1000); }
std::string time_of_seconds(std::int64_t seconds) { return format_time(seconds * 1'000'000); }

Json flow_json(const lab::NetworkFlowTruth& flow) {
    Json json = {{"start", time_of_ns(flow.start_ns)}, {"client", flow.client}, {"client_port", flow.client_port}, {"server", flow.server},
                 {"server_port", flow.server_port}, {"transport", flow.is_udp ? "udp" : "tcp"}, {"protocol", flow.protocol}, {"name", flow.name},
                 {"scene", flow.scene}, {"role", flow.role}, {"mechanism", flow.mechanism}};
    if (!flow.box_class.empty()) json["class"] = flow.box_class;
    if (!flow.trigger.empty()) json["trigger"] = flow.trigger;
    if (!flow.failure.empty()) json["failure"] = flow.failure;
    if (flow.injected > 0) {
        json["injected"] = flow.injected;
        json["injected_seen"] = flow.injected_seen;
    }
    if (flow.dropped > 0) json["dropped"] = flow.dropped;
    if (flow.first_action_ns != lab::unseen) json["first_action"] = time_of_ns(flow.first_action_ns);
    return json;
}

/// One row a line, so that the file can be read with a pager.
std::string rows(const std::string& name, const std::vector<Json>& all) {
    std::string text = fmt::format(" \"{}\": [", name);
    for (std::size_t i = 0; i < all.size(); ++i) text += (i == 0 ? "\n  " : ",\n  ") + all[i].dump();
    return text + (all.empty() ? "]" : "\n ]");
}

void write_capture(const lab::NetworkCapture& capture, std::uint32_t snap_bytes, const std::string& path, Progress& progress) {
    PartFile file(path);
    file.buffer() += lab::pcap_file_header(snap_bytes);
    for (std::size_t i = 0; i < capture.frames.size(); ++i) {
        if (i % 65536 == 0) {
            progress.check();
            progress.update("packets", i, capture.frames.size());
        }
        const auto& frame = capture.frames[i];
        lab::append_pcap_record(file.buffer(), frame.time_ns, frame.bytes_on_wire, capture.bytes(frame));
        file.row_done();
    }
    file.finish();
}

void make_network(const ParameterValues& parameters, std::uint64_t seed, const std::string& out_folder, Progress& progress) {
    const CasePart part = make_network_part(parameters, seed, out_folder, "truth.json", progress);
    const std::string head = fmt::format(
        "# Made by `unveil lab make network --seed {}`; nothing in it is real.\n"
        "[case]\n"
        "title = \"A network that blocks some sites\"\n\n",
        seed);
    write_case(out_folder, head, std::span(&part, 1));
}

Parameter number(std::string name, ParameterType type, std::string default_text, std::string help, double minimum, double maximum) {
    Parameter made;
    made.name = std::move(name);
    made.type = type;
    made.default_text = std::move(default_text);
    made.help = std::move(help);
    made.minimum = minimum;
    made.maximum = maximum;
    return made;
}

Parameter choices(std::string name, const std::vector<std::string>& all, const std::vector<std::string>& by_default, std::string help) {
    Parameter made;
    made.name = std::move(name);
    made.type = ParameterType::choice;
    made.is_list = true;
    made.choices = all;
    made.default_text = fmt::format("{}", fmt::join(by_default, ","));
    made.help = std::move(help);
    return made;
}

}  // namespace

lab::NetworkPlan network_plan(const ParameterValues& parameters) {
    lab::NetworkPlan plan;
    const auto count = [&](std::string_view name) { return static_cast<std::uint32_t>(parameters.integer(name)); };
    for (const std::string& name : parameters.texts("mechanisms"))
        if (name != "none") plan.mechanisms.push_back({name, count("flows")});
    plan.reset_classes = parameters.texts("reset-classes");
    plan.dns_classes = parameters.texts("dns-classes");
    plan.ordinary_flows = count("ordinary-flows");
    plan.clients = count("clients");
    plan.control_share = parameters.real("control-share");
    plan.action_rate = parameters.real("action-rate");
    plan.loss = parameters.real("loss");
    plan.failure_share = parameters.real("failure-share");
    plan.v6_share = parameters.real("ipv6-share");
    plan.duration_seconds = static_cast<double>(parameters.duration_us("duration")) / 1e6;
    plan.onset_seconds = static_cast<double>(parameters.duration_us("onset")) / 1e6;
    plan.residual_seconds = static_cast<double>(parameters.duration_us("residual")) / 1e6;
    plan.freeze_kib = parameters.real("freeze-kib");
    plan.throttle_kbit = parameters.real("throttle-kbit");
    plan.fet_rate = parameters.real("fet-rate");
    plan.snap_bytes = count("snap");
    plan.is_two_sided = parameters.flag("two-sided");
    plan.clock_offset_seconds = parameters.real("clock-offset");
    plan.clock_drift_ppm = parameters.real("clock-drift");
    return plan;
}

lab::MeasurementPlan measurement_plan(const ParameterValues& parameters) {
    lab::MeasurementPlan plan;
    const auto count = [&](std::string_view name) { return static_cast<std::uint32_t>(parameters.integer(name)); };
    plan.domains = count("sites");
    plan.countries = count("countries");
    plan.networks = count("networks");
    plan.days = count("days");
    plan.daily = parameters.real("daily");
    plan.blocks = count("blocks");
    plan.failure_rate = parameters.real("probe-failure-rate");
    plan.probes = count("probes");
    plan.loud_probes = count("loud-probes");
    plan.bad_day_rate = parameters.real("bad-day-rate");
    plan.has_nuisances = !parameters.flag("undisturbed");
    return plan;
}

std::string network_truth_to_json(const NetworkWorld& world, const Measurements& measurements, std::uint64_t seed, const std::string& parameters_json) {
    std::vector<Json> effects, blocks, nuisances, flows;
    for (const auto& effect : world.effects) {
        Json json = {{"mechanism", effect.mechanism}, {"class", effect.box_class}, {"trigger", effect.trigger}, {"flows", effect.flows}, {"exposed", effect.exposed}};
        json["first"] = effect.first_ns == lab::unseen ? Json(nullptr) : Json(time_of_ns(effect.first_ns));
        json["parameters"] = Json::object();
        for (const auto& [name, value] : effect.parameters) json["parameters"][name] = value;
        effects.push_back(std::move(json));
    }
    for (const auto& block : measurements.blocks)
        blocks.push_back({{"domain", block.domain}, {"country", block.country}, {"asn", block.asn}, {"layer", block.layer}, {"how", block.how},
                          {"onset", time_of_seconds(block.onset_seconds)}, {"end", block.end_seconds ? Json(time_of_seconds(*block.end_seconds)) : Json(nullptr)},
                          {"measurements", block.measurements}});
    for (const auto& nuisance : measurements.nuisances)
        nuisances.push_back({{"kind", nuisance.kind}, {"domain", nuisance.domain}, {"country", nuisance.country}, {"asn", nuisance.asn},
                             {"begin", time_of_seconds(nuisance.begin_seconds)}, {"end", time_of_seconds(nuisance.end_seconds)}});
    for (const auto& flow : world.flows) flows.push_back(flow_json(flow));

    const Json head = {{"schema_version", 1}, {"scenario", "network"}, {"seed", seed}, {"parameters", Json::parse(parameters_json)},
                       {"packets_sent", world.packets_sent}, {"packets_lost", world.packets_lost}, {"packets_stopped", world.packets_stopped}, {"controls", world.control_names},
                       {"bogus_addresses", world.bogus_addresses}, {"sites", measurements.domains}, {"measurements", measurements.lines.size()},
                       {"ordinary_failures", measurements.ordinary_failures}, {"clock_outliers", measurements.clock_outliers}};
    std::string text = head.dump(1);
    text.erase(text.size() - 2);
    for (const auto& part : {rows("effects", effects), rows("blocks", blocks), rows("nuisances", nuisances), rows("flows", flows)}) text += ",\n" + part;
    return text + "\n}\n";
}

std::string network_mechanism_found_as(const std::string& mechanism) {
    static const std::map<std::string, std::string> names = {
        {"rst", "rst-injection"},        {"http-keyword", "rst-injection"}, {"syn-ack-forged", "syn-ack-injection"},      {"drop-sni", "silent-drop"},          {"quic-sni", "quic-drop"},
        {"fet", "fully-encrypted-drop"}, {"throttle-policing", "throttling-policing"}, {"throttle-shaping", "throttling-shaping"}};
    const auto known = names.find(mechanism);
    return known == names.end() ? mechanism : known->second;
}

std::vector<PlantedClaim> network_claims(const NetworkWorld& world, const Measurements& measurements) {
    std::vector<PlantedClaim> claims;
    const auto includes = [](std::string_view metric, std::string_view member) { return fmt::format("{} includes \\\"{}\\\"", metric, member); };
    const auto excludes = [](std::string_view metric, std::string_view member) { return fmt::format("{} excludes \\\"{}\\\"", metric, member); };

    std::set<std::string> planted;
    std::uint64_t residual_flows = 0;
    for (const auto& effect : world.effects) {
        if (effect.flows > 0) planted.insert(effect.mechanism);
        if (effect.mechanism == "residual") residual_flows += effect.flows;
    }
    // Too few connections behind each trigger leave the time open, and with it whether there is one.
    if (residual_flows < network_residual_flows_min) planted.erase("residual");
    // What is not planted by one name may be by another that is found as the same.
    std::set<std::string> planted_as;
    for (const std::string& mechanism : planted) planted_as.insert(network_mechanism_found_as(mechanism));
    for (const std::string& mechanism : lab::network_mechanisms()) {
        if (mechanism == "residual" && residual_flows > 0 && residual_flows < network_residual_flows_min) continue;
        if (planted.count(mechanism) == 0 && planted_as.count(network_mechanism_found_as(mechanism)) > 0) continue;
        if (planted.count(mechanism) > 0)
            claims.push_back({"mechanism-" + mechanism, fmt::format("The network interferes by {}.", mechanism), "", includes("mechanism", network_mechanism_found_as(mechanism)),
                              "supported", "it was planted"});
        else
            claims.push_back({"mechanism-" + mechanism, fmt::format("The network does not interfere by {}.", mechanism), "", excludes("mechanism", network_mechanism_found_as(mechanism)),
                              "undetermined", "it was not planted, and no capture shows that something is absent"});
    }
    // Of each mechanism the name that met it most often: what was met once or twice is not to be told from an accident.
    std::map<std::string, const lab::NetworkEffect*> most;
    for (const auto& effect : world.effects) {
        if (effect.flows < 5 || effect.trigger.find('.') == std::string::npos || planted.count(effect.mechanism) == 0) continue;
        auto& best = most[effect.mechanism];
        if (best == nullptr || effect.flows > best->flows) best = &effect;
    }
    for (const auto& [mechanism, effect] : most)
        claims.push_back({"trigger-" + mechanism, fmt::format("{} is met by {}.", effect->trigger, mechanism), "",
                          includes(fmt::format("trigger(\\\"{}\\\")", network_mechanism_found_as(mechanism)), effect->trigger), "supported", "it is on the list of that box"});
    std::map<std::string, std::uint64_t> passed;
    std::set<std::string> hit;   // on connections to addresses that trigger by themselves
    for (const auto& flow : world.flows)
        if (flow.mechanism != "none") hit.insert(flow.name);
    for (const auto& flow : world.flows)
        if (hit.count(flow.name) == 0 && flow.role == "control" && flow.mechanism == "none" && flow.failure.empty()) ++passed[flow.name];
    std::string control;
    for (const std::string& name : world.control_names)
        if (const auto known = passed.find(name); known != passed.end() && known->second >= 6 && (control.empty() || known->second > passed[control])) control = name;
    if (!control.empty())
        claims.push_back({"control-passes", fmt::format("{} is not blocked.", control), "", excludes("trigger", control), "supported", "it is on no list"});
    for (const auto& effect : world.effects)
        if (effect.mechanism == "residual" && planted.count(effect.mechanism) > 0) {
            claims.push_back({"residual-time", "After a trigger the server stays out of reach for minutes.", "",
                              fmt::format("residual.seconds >= {:.0f}", effect.parameters[0].second * 0.8), "supported", "so it was planted"});
            break;
        }

    // A site that another country blocks on the same layer, or whose page no other site has while all networks of the country show it, may turn countries
    // away itself, for all that measurements show.
    const auto is_told_apart = [&](const lab::MeasurementBlock& block) {
        std::size_t same_page = 0, same_country = 0;
        for (const auto& other : measurements.blocks) {
            if (other.domain == block.domain && other.country != block.country && other.layer == block.layer) return false;
            same_page += other.asn == block.asn && other.how == block.how && other.domain != block.domain;
            same_country += other.domain == block.domain && other.country == block.country;
        }
        return block.how != "page" || same_page > 0 || same_country == 1;
    };
    std::map<std::string, const lab::MeasurementBlock*> measured;   // by layer: what was measured most
    for (const auto& block : measurements.blocks) {
        if (!is_told_apart(block)) continue;
        auto& best = measured[block.layer];
        if (best == nullptr || block.measurements > best->measurements) best = &block;
    }
    for (const auto& [layer, block] : measured)
        if (block->measurements >= 30)
            claims.push_back({"site-" + layer, fmt::format("{} is blocked in AS{}.", block->domain, block->asn), "",
                              includes("blocked", fmt::format("{}@AS{}", block->domain, block->asn)), "supported", fmt::format("planted at the layer {}", layer)});
    for (const auto& nuisance : measurements.nuisances)
        if (nuisance.kind == "down" || nuisance.kind == "geo-block" || nuisance.kind == "captcha")
            claims.push_back({"site-" + nuisance.kind, fmt::format("No network blocks {}.", nuisance.domain), "", excludes("blocked.domain", nuisance.domain),
                              "supported", nuisance.kind == "down" ? "it was down for all" : "its own server turns visitors away"});
    return claims;
}

CasePart make_network_part(const ParameterValues& parameters, std::uint64_t seed, const std::string& out_folder, const std::string& truth_name,
                           Progress& progress) {
    const lab::NetworkPlan plan = network_plan(parameters);
    progress.update("packets", 0, 0);
    const NetworkWorld world = lab::make_network_world(plan, seed);
    write_capture(world.client, plan.snap_bytes, out_folder + "/capture.pcap", progress);
    if (plan.is_two_sided) write_capture(world.server, plan.snap_bytes, out_folder + "/server.pcap", progress);
    progress.check();
    progress.update("measurements", 0, 0);
    const Measurements measurements = lab::make_measurements(measurement_plan(parameters), seed);
    PartFile file(out_folder + "/measurements.jsonl");
    for (const std::string& line : measurements.lines) {
        file.buffer() += line;
        file.buffer() += '\n';
        file.row_done();
    }
    file.finish();
    write_file_atomically(out_folder + "/" + truth_name, network_truth_to_json(world, measurements, seed, parameters.canonical_json()));

    CasePart part;
    part.evidence_toml = "[[evidence]]\nid = \"capture\"\npath = \"capture.pcap\"\n";
    if (plan.is_two_sided) part.evidence_toml += "\n[[evidence]]\nid = \"server\"\npath = \"server.pcap\"\n";
    part.evidence_toml += "\n[[evidence]]\nid = \"measurements\"\npath = \"measurements.jsonl\"\n";
    part.test_toml = plan.is_two_sided ? "test = \"interference\"\non = [\"capture\", \"server\", \"measurements\"]\n"
                                       : "test = \"interference\"\non = [\"capture\", \"measurements\"]\n";
    part.claims = network_claims(world, measurements);
    return part;
}

Scenario network_scenario() {
    Scenario scenario;
    scenario.name = "network";
    scenario.summary = "a network that blocks some sites, seen in captures from inside and in volunteers' measurements";
    auto mechanisms = lab::network_mechanisms();
    auto with_none = mechanisms;
    with_none.emplace_back("none");
    Parameter two_sided;
    two_sided.name = "two-sided";
    two_sided.type = ParameterType::flag;
    two_sided.help = "also write server.pcap, what the servers see of it";
    Parameter undisturbed;
    undisturbed.name = "undisturbed";
    undisturbed.type = ParameterType::flag;
    undisturbed.help = "without sites that are down, geo-blocking, captchas and broken IPv6 in the measurements";
    scenario.parameters = {
        choices("mechanisms", with_none, mechanisms, "what the network does; none for a free one"),
        choices("reset-classes", lab::network_reset_classes(), lab::network_reset_classes(), "devices behind 'rst'"),
        choices("dns-classes", lab::network_dns_classes(), lab::network_dns_classes(), "devices behind 'dns-injection'; those of one censor answer together"),
        number("flows", ParameterType::integer, "120", "connections for each mechanism, controls included", 1, 100000),
        number("ordinary-flows", ParameterType::integer, "1000", "other connections", 0, 1000000),
        number("clients", ParameterType::integer, "40", "machines inside", 1, 10000),
        number("control-share", ParameterType::real, "0.5", "share of a mechanism's connections that ask the same servers for harmless names", 0, 1),
        number("action-rate", ParameterType::real, "1", "how often a box acts on a trigger", 0, 1),
        number("loss", ParameterType::real, "0.01", "share of packets lost on the way", 0, 0.2),
        number("failure-share", ParameterType::real, "0.1", "share of ordinary connections that fail by themselves", 0, 1),
        number("ipv6-share", ParameterType::real, "0.1", "share of ordinary connections over IPv6", 0, 1),
        number("duration", ParameterType::duration, "1h", "time over which connections begin", 1, 86400 * 30),
        number("onset", ParameterType::duration, "0s", "connections that begin earlier than this pass", 0, 86400 * 30),
        number("residual", ParameterType::duration, "180s", "how long a server stays out of reach after a trigger", 1, 86400),
        number("freeze-kib", ParameterType::real, "16", "after how many KiB 'freeze' stops a connection; up to 4 more for each", 1, 24),
        number("throttle-kbit", ParameterType::real, "150", "rate that throttling leaves, in kbit/s", 16, 100000),
        number("fet-rate", ParameterType::real, "0.26", "how often 'fet' acts", 0, 1),
        number("snap", ParameterType::integer, "262144", "bytes of each packet that captures hold", 96, 262144),
        two_sided,
        number("clock-offset", ParameterType::real, "0.35", "seconds by which the servers' clock is ahead", -3600, 3600),
        number("clock-drift", ParameterType::real, "20", "and millionths by which it is too fast", -1000, 1000),
        number("sites", ParameterType::integer, "16", "sites that probes measure", 1, 10000),
        number("countries", ParameterType::integer, "3", "countries with probes; the last of several blocks nothing", 1, 26),
        number("networks", ParameterType::integer, "2", "networks of each country", 1, 16),
        number("days", ParameterType::integer, "45", "days of measurements", 8, 3650),
        number("daily", ParameterType::real, "1", "measurements a day of each site in each network", 0.01, 1000),
        number("blocks", ParameterType::integer, "6", "blocked pairs of site and country", 0, 10000),
        number("probe-failure-rate", ParameterType::real, "0.02", "share of measurements that fail by themselves", 0, 0.5),
        number("probes", ParameterType::integer, "3", "kinds of probe in each network", 1, 5),
        number("loud-probes", ParameterType::integer, "0", "networks in which one probe sends twenty times as much as all others", 0, 416),
        number("bad-day-rate", ParameterType::real, "0", "share of a probe's days on which most of its connections fail", 0, 1),
        undisturbed};
    scenario.files = {"capture.pcap", "measurements.jsonl", "truth.json", "expected_verdicts.json", "case.toml"};
    scenario.make = make_network;
    return scenario;
}

}  // namespace unveil
