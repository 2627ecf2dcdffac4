#include "cli/command_verify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "case/verify.hpp"
#include "cli/global.hpp"
#include "core/error.hpp"
#include "core/json.hpp"
#include "core/text.hpp"

namespace unveil::cli {
namespace {

class VerifyCommand final : public Command {
  public:
    CommandDescription description() const override {
        CommandDescription description;
        description.name = "verify";
        description.summary = "Check that a case still says what its evidence says";
        description.details =
            "Digests all evidence again, makes every run again with the parameters and the seed of its "
            "manifest, "
            "compares findings and tables byte for byte, and judges the claims again. Prints one line a "
            "check. Changes "
            "nothing in the case. Also takes the folder of a single run, and a log of trials by itself: of that it follows the chain of "
            "digests and looks up the messages that prove each rule, at most 2m+1 for a rule of m words.";
        description.positionals = {
            {"CASE", "The folder of a case, its case.unveil or case.toml, the folder of a run, or a log of trials", 1, 1}};
        description.options = {
            command_option("base", ParameterType::text, "DIR", "",
                           "Where the evidence paths begin, when that cannot be told from the case"),
            command_option("published", ParameterType::text, "RULES", "",
                           "Of a log: the folder of a run of 'filter', or a list of rules 'a + b', each of which the log must prove; those that it "
                           "certifies unless given"),
            command_option("scratch", ParameterType::text, "DIR", "",
                           "Folder in which runs are made again; $TMPDIR or /var/tmp unless given")};
        description.examples = {"unveil verify case.out", "unveil verify result --base .", "unveil verify log.jsonl --published result"};
        description.diagnostics = {"1 when any check fails; its line says what explains it."};
        description.memory = "As much as the runs of the case.";
        return description;
    }

    int run(const Invocation& invocation) const override {
        const auto& global = invocation.global;
        VerifyOptions options;
        options.path = invocation.positionals.at(0).at(0);
        options.base_folder = invocation.options.text("base");
        options.published = invocation.options.text("published");
        options.scratch_folder = invocation.options.text("scratch");
        if (options.scratch_folder.empty()) {
            const char* folder = std::getenv("TMPDIR");
            options.scratch_folder = folder != nullptr && *folder != '\0' ? folder : "/var/tmp";
        }
        if (!std::filesystem::is_directory(options.scratch_folder))
            throw Error(ErrorKind::usage, "the folder for scratch files does not exist",
                        "Give another with --scratch", printable(options.scratch_folder, 200));
        options.threads = global.threads;
        options.memory_bytes_max = memory_bytes_default();

        const auto checks = verify(
            options,
            [&](const Check& check) {
                if (global.json) return;
                fmt::print("{:<7}  {}: {}\n", check.is_good ? "same" : "differs",
                           printable(check.subject, 300), printable(check.sentence, 4000));
                std::fflush(stdout);
            },
            *global.progress);
        const auto bad =
            std::count_if(checks.begin(), checks.end(), [](const auto& check) { return !check.is_good; });
        if (global.json) {
            std::string out = "{\"schema_version\":1,\n\"same\":" + std::string(bad == 0 ? "true" : "false") +
                              ",\n\"checks\":[";
            for (std::size_t i = 0; i < checks.size(); ++i) {
                out += i == 0 ? "\n" : ",\n";
                append_json({{"subject", checks[i].subject},
                             {"same", checks[i].is_good},
                             {"sentence", checks[i].sentence}},
                            out);
            }
            fmt::print("{}\n]}}\n", out);
        } else {
            fmt::print("\n{} of {} checks passed\n", checks.size() - static_cast<std::size_t>(bad),
                       checks.size());
        }
        return bad == 0 ? 0 : 1;
    }
};

}  // namespace

std::unique_ptr<Command> make_verify_command() {
    return std::make_unique<VerifyCommand>();
}

}  // namespace unveil::cli
