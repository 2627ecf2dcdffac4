#include "cli/command_demo.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/command_instrument.hpp"
#include "cli/global.hpp"
#include "core/error.hpp"
#include "core/json.hpp"
#include "core/text.hpp"
#include "lab/demo.hpp"
#include "lab/truth.hpp"

namespace unveil::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

/// Says what is run, as a user would type it, then runs it.
void step(const Global& global, std::string_view what, const std::vector<std::string>& words) {
    if (!global.json && !global.quiet) {
        std::string line;
        for (const auto& word : words) line += " " + printable(word, 1000);
        fmt::print("\n== {}\n$ unveil{}\n\n", what, line);
        std::fflush(stdout);
    }
    const int code = run_words(words, global);
    if (code != 0)
        throw Error(ErrorKind::internal, fmt::format("'unveil {}' ended with {}", words.front(), code),
                    "This is a defect of unveil; please report it");
}

struct Comparison {
    std::string claim;
    std::string expected;
    std::string found;
};

std::vector<Comparison> compare_verdicts(const fs::path& expected_path, const fs::path& found_path) {
    const auto found = read_expected_verdicts(found_path.string());
    std::vector<Comparison> comparisons;
    for (const auto& expected : read_expected_verdicts(expected_path.string())) {
        comparisons.push_back({expected.claim, expected.verdict, "missing"});
        for (const auto& verdict : found)
            if (verdict.claim == expected.claim) comparisons.back().found = verdict.verdict;
    }
    return comparisons;
}

class DemoCommand final : public Command {
  public:
    CommandDescription description() const override {
        CommandDescription description;
        description.name = "demo";
        description.summary = "Make a world, investigate it, hold the verdicts against the truth";
        description.details =
            "Needs nothing and takes less than a minute: posts of a made-up platform with planted campaigns "
            "messages to a made-up chat service and what a made-up network lets through are "
            "written, a case with claims about them is investigated, and the findings are scored against the "
            "truth. "
            "Every step is an unveil command of its own and is shown as you would type it.";
        description.options = {
            command_option("out", ParameterType::text, "DIR", "unveil-demo.out", "Folder for everything"),
            command_option("seed", ParameterType::integer, "N", "1", "Seed of the world")};
        description.options.back().minimum = 0;
        description.examples = {"unveil demo", "unveil demo --seed 7 --out /tmp/demo"};
        description.diagnostics = {"1 when a verdict differs from the truth of the made-up world."};
        description.memory = "Less than 500 MB.";
        return description;
    }

    int run(const Invocation& invocation) const override {
        const auto& global = invocation.global;
        const fs::path out = invocation.options.text("out");
        check_out_folder(out.string(), "world/truth.json");
        const auto world = out / "world";
        const auto result = out / "result";
        const auto seed = std::to_string(invocation.options.integer("seed"));

        std::vector<std::string> make = {"lab", "make", "demo", "--seed", seed, "--out", world.string()};
        if (fs::exists(world / "truth.json")) make.push_back("--force");
        step(global, "A world with planted campaigns, a filter and a firewall", make);
        step(global, "Its claims, tested on its posts, messages and packets",
             {"investigate", (world / "case.toml").string(), "--out", result.string()});
        step(global, "The findings, held against the truth that no instrument saw",
             {"lab", "score", "--findings", result.string(), "--truth", (world / "truth.json").string()});
        step(global, "The rules of the chat service, the same way",
             {"lab", "score", "--findings", result.string(), "--truth", (world / demo_chat_truth).string()});
        step(global, "What the network blocks, the same way",
             {"lab", "score", "--findings", result.string(), "--truth", (world / demo_network_truth).string()});

        const auto comparisons = compare_verdicts(world / "expected_verdicts.json", result / "verdicts.json");
        std::size_t equal = 0;
        for (const auto& comparison : comparisons) equal += comparison.expected == comparison.found ? 1 : 0;
        const auto report = fs::absolute(result / "report.html").lexically_normal().string();
        if (global.json) {
            Json json = {{"schema_version", 1},
                         {"verdicts", comparisons.size()},
                         {"as_expected", equal},
                         {"report", report}};
            fmt::print("{}\n", json_text(json));
        } else {
            std::vector<std::vector<std::string>> rows;
            for (const auto& [claim, expected, found] : comparisons)
                rows.push_back({claim, found, expected, found == expected ? "agrees" : "DIFFERS"});
            fmt::print("\n== Verdicts and truth\n\n{}",
                       text_table({"claim", "verdict", "truth", ""}, rows, {}));
            fmt::print("\n{} of {} verdicts agree with the truth.\nreport: {}\ncheck it anew: unveil verify {} --base {}\n",
                       equal, comparisons.size(), printable(report, 4000), printable(result.string(), 4000),
                       printable(world.string(), 4000));
        }
        return equal == comparisons.size() ? 0 : 1;
    }
};

}  // namespace

std::unique_ptr<Command> make_demo_command() {
    return std::make_unique<DemoCommand>();
}

}  // namespace unveil::cli
