#include "lab/demo.hpp"

#include <fmt/format.h>

#include <array>

#include "core/output_table.hpp"
#include "lab/chat.hpp"
#include "lab/takedown.hpp"

namespace unveil {
namespace {

void make_demo(const ParameterValues&, std::uint64_t seed, const std::string& out_folder, Progress& progress) {
    Truth truth;
    std::array<CasePart, 2> parts;
    parts[0] = make_takedown_part("demo", ParameterValues(takedown_scenario().parameters), seed, out_folder, progress, truth);
    truth.parameters_json = "{}";
    write_file_atomically(out_folder + "/truth.json", truth_to_json(truth));
    parts[1] = make_chat_part(ParameterValues(chat_scenario().parameters), seed, out_folder, "chat_log.jsonl", demo_chat_truth, progress);
    parts[1].evidence_toml.insert(0, "\n");
    const std::string head = fmt::format(
        "# Made by `unveil lab make demo --seed {}`; nothing in it is real.\n"
        "[case]\n"
        "title = \"A platform with {} planted campaigns, and a chat service that suppresses messages\"\n\n",
        seed, truth.campaigns.size());
    write_case(out_folder, head, parts);
}

}  // namespace

Scenario demo_scenario() {
    Scenario scenario;
    scenario.name = "demo";
    scenario.summary = "both of them in one case, as 'unveil demo' shows it";
    scenario.files = {"tweets.csv", "users.csv", "truth.json", "chat_log.jsonl", demo_chat_truth, "expected_verdicts.json", "case.toml"};
    scenario.make = make_demo;
    return scenario;
}

}  // namespace unveil
