#include "lab/demo.hpp"

#include <fmt/format.h>

#include <array>

#include "core/output_table.hpp"
#include "lab/chat.hpp"
#include "lab/network.hpp"
#include "lab/takedown.hpp"

namespace unveil {
namespace {

void make_demo(const ParameterValues&, std::uint64_t seed, const std::string& out_folder, Progress& progress) {
    Truth truth;
    std::array<CasePart, 3> parts;
    parts[0] = make_takedown_part("demo", ParameterValues(takedown_scenario().parameters), seed, out_folder, progress, truth);
    truth.parameters_json = "{}";
    write_file_atomically(out_folder + "/truth.json", truth_to_json(truth));
    parts[1] = make_chat_part(ParameterValues(chat_scenario().parameters), seed, out_folder, {"chat_log.jsonl", "chat_words.csv", demo_chat_truth}, progress);
    parts[1].evidence_toml.insert(0, "\n");
    // Small enough for a first look: fewer connections, fewer sites.
    ParameterValues network(network_scenario().parameters);
    for (const auto& [name, value] : {std::pair{"flows", "200"}, {"ordinary-flows", "300"}, {"sites", "8"}, {"countries", "4"}, {"days", "60"}, {"blocks", "3"}}) network.set(name, value);
    const std::array<std::string, 5> mechanisms = {"dns-injection", "rst", "block-page", "drop-sni", "quic-sni"};
    network.set_list("mechanisms", mechanisms);
    parts[2] = make_network_part(network, seed, out_folder, demo_network_truth, progress);
    parts[2].evidence_toml.insert(0, "\n");
    const std::string head = fmt::format(
        "# Made by `unveil lab make demo --seed {}`; nothing in it is real.\n"
        "[case]\n"
        "title = \"A platform with {} planted campaigns, a chat service that suppresses messages, and a network that blocks sites\"\n\n",
        seed, truth.campaigns.size());
    write_case(out_folder, head, parts);
}

}  // namespace

Scenario demo_scenario() {
    Scenario scenario;
    scenario.name = "demo";
    scenario.summary = "all of them in one case, as 'unveil demo' shows it";
    scenario.files = {"tweets.csv", "users.csv", "truth.json", "chat_log.jsonl", "chat_words.csv", demo_chat_truth, "capture.pcap", "measurements.jsonl", demo_network_truth, "expected_verdicts.json", "case.toml"};
    scenario.make = make_demo;
    return scenario;
}

}  // namespace unveil
