#include "case/verify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>

#include "case/investigate.hpp"
#include "case/store.hpp"
#include "case/verdict.hpp"
#include "case/verify_log.hpp"
#include "core/digest.hpp"
#include "core/error.hpp"
#include "core/json.hpp"
#include "core/text.hpp"
#include "evidence/trial_log.hpp"

namespace unveil {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr std::size_t differences_shown_max = 5;
constexpr std::size_t digits_shown = 12;

std::optional<std::string> read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file || fs::is_directory(path)) return {};
    return std::string{std::istreambuf_iterator<char>(file), {}};
}

class TemporaryFolder {
  public:
    explicit TemporaryFolder(const std::string& parent) : m_path(parent + "/unveil-verify-XXXXXX") {
        if (mkdtemp(m_path.data()) == nullptr)
            throw Error(ErrorKind::run, std::string("cannot make a folder: ") + std::strerror(errno),
                        "Give a folder with room with --scratch", parent);
    }
    ~TemporaryFolder() {
        std::error_code ignored;
        fs::remove_all(m_path, ignored);
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    const std::string& path() const { return m_path; }

  private:
    std::string m_path;
};

Json parsed_manifest(const std::string& text, const std::string& where) {
    Json manifest = read_json(text);
    const bool is_manifest = manifest.is_object() && manifest.contains("instrument") &&
                             manifest["instrument"].is_string() && manifest.contains("parameters") &&
                             manifest["parameters"].is_object() && manifest.contains("inputs") &&
                             manifest["inputs"].is_array() && manifest.contains("tables") &&
                             manifest["tables"].is_array();
    if (!is_manifest)
        throw Error(ErrorKind::input, "this is not the manifest of a run", "Give the folder that a run wrote",
                    where);
    return manifest;
}

/// What explains that a run came out different, as far as the manifests tell.
std::string explanation(const Json& before, const Json& now) {
    const auto text = [](const Json& manifest, const char* key) {
        return manifest.contains(key) && manifest[key].is_string() ? manifest[key].get<std::string>()
                                                                   : std::string("?");
    };
    if (text(before, "version") != text(now, "version"))
        return fmt::format("it was made by unveil {}, this is {}", printable(text(before, "version"), 40),
                           text(now, "version"));
    if (text(before, "commit") != text(now, "commit"))
        return fmt::format("it was made by commit {}, this is {}",
                           printable(text(before, "commit").substr(0, digits_shown), 40),
                           text(now, "commit").substr(0, digits_shown));
    return "the program and the evidence are the same, so the files were changed, or this is a defect of "
           "unveil";
}

std::string metric_differences(const std::string& before_json, const Findings& now) {
    Findings before;
    try {
        before = findings_from_json(before_json);
    } catch (const Error& error) {
        return error.message();
    }
    std::vector<std::string> differences;
    for (const auto& finding : now.items) {
        const Finding* old = before.find(finding.metric);
        if (!old)
            differences.push_back(fmt::format("{} is new", finding.metric));
        else if (old->value != finding.value || old->low != finding.low || old->high != finding.high)
            differences.push_back(fmt::format("{} was {}, is {}", finding.metric, spoken_number(old->value),
                                              spoken_number(finding.value)));
    }
    for (const auto& finding : before.items)
        if (!now.find(finding.metric))
            differences.push_back(fmt::format("{} is gone", printable(finding.metric, 100)));
    if (differences.empty()) return "the numbers are the same, the texts are not";
    if (differences.size() > differences_shown_max) {
        const auto more = differences.size() - differences_shown_max;
        differences.resize(differences_shown_max);
        differences.push_back(fmt::format("{} more", more));
    }
    return fmt::format("{}", fmt::join(differences, "; "));
}

/// Digests in a manifest's table list, by name.
std::map<std::string, std::string> table_digests(const Json& manifest) {
    std::map<std::string, std::string> digests;
    for (const auto& table : manifest["tables"])
        if (table.is_object() && table.contains("name") && table["name"].is_string() &&
            table.contains("sha256") && table["sha256"].is_string())
            digests[table["name"].get<std::string>()] = table["sha256"].get<std::string>();
    return digests;
}

class Verifier {
  public:
    Verifier(const VerifyOptions& options, const std::function<void(const Check&)>& tell, Progress& progress)
        : m_options(options),
          m_tell(tell),
          m_progress(progress),
          m_find(options.find_instrument ? options.find_instrument : InstrumentFinder(instrument_named)) {}

    void verify_path(const std::string& given) {
        const fs::path path(given);
        if (!fs::exists(path))
            throw Error(ErrorKind::input, "there is nothing here",
                        "Give the folder of a case, its case.toml, or a log of trials", given);
        if (fs::is_regular_file(path) && is_trial_log_file(given)) {
            verify_log(given, m_options.published, [&](Check made) { check(std::move(made.subject), made.is_good, std::move(made.sentence)); }, m_progress);
            return;
        }
        if (!m_options.published.empty()) throw Error(ErrorKind::usage, "rules that were published are looked up in a log of trials, and this is none", "Give the log", given);
        const auto folder_of_file = path.has_parent_path() ? path.parent_path().string() : std::string(".");
        if (fs::is_directory(path)) {
            if (fs::exists(path / "case.unveil"))
                verify_case(given, {});
            else
                verify_run(given);
        } else if (path.extension() == ".toml") {
            verify_case(default_case_folder(given), given);
        } else if (path.filename() == "manifest.json" && !fs::exists(path.parent_path() / "case.unveil")) {
            verify_run(folder_of_file);
        } else if (path.filename() != "case.unveil" && !fs::exists(path.parent_path() / "case.unveil")) {
            throw Error(ErrorKind::input, "is neither a case nor a log of trials", "Give the folder of a case or of a run, or a log that unveil wrote", given);
        } else {
            verify_case(folder_of_file, {});
        }
    }

    void verify_case(const std::string& folder, const std::string& case_path) {
        const CaseStore store(folder + "/case.unveil", CaseStore::Access::read);
        auto edition = store.latest_edition();
        if (!edition)
            throw Error(ErrorKind::input, "nothing has been investigated here yet",
                        "Run 'unveil investigate CASE.toml' first", folder);
        const std::string case_file_path =
            case_path.empty() && !edition->case_file.empty() ? folder + "/" + edition->case_file : case_path;
        if (const auto text = case_file_path.empty() ? std::nullopt : read_file(case_file_path))
            if (auto of_text = store.latest_edition_of(*text)) edition = std::move(of_text);
        const std::string base = base_folder(*edition, folder, case_path);
        const CaseFile case_file = parse_case(edition->case_text, "the case file in case.unveil", m_find);
        if (edition->evidence.size() != case_file.evidence.size() || edition->claims.size() != case_file.claims.size())
            throw Error(ErrorKind::input, "the store does not hold what its case file names",
                        "Rows were taken out of it; run 'unveil investigate' into a new folder", folder + "/case.unveil");
        check("version", edition->version == unveil_version(),
              edition->version == unveil_version()
                  ? fmt::format("investigated by this version, {}", unveil_version())
                  : fmt::format("investigated by unveil {}, this is {}", printable(edition->version, 40),
                                unveil_version()));
        check_case_text(*edition, case_file_path);

        std::vector<std::string> digests;
        std::vector<bool> is_same;
        for (const auto& evidence : edition->evidence) {
            m_progress.check();
            digests.push_back(evidence.sha256);
            is_same.push_back(check_evidence(fmt::format("evidence '{}'", evidence.id),
                                             (fs::path(base) / evidence.path).lexically_normal().string(),
                                             evidence.sha256));
        }

        auto plan = plan_runs(case_file, digests, base);
        for (auto& planned : plan) {
            // The key of another version would be another one; the claims know which run they used.
            planned.key = edition->claims.at(planned.claims.front()).run;
            planned.folder = "runs/" + planned.key.substr(0, digits_shown);
            const std::string subject = "run " + planned.folder;
            const auto stored = store.run(planned.key);
            if (!stored) {
                check(subject, false, "it was never finished; run 'unveil investigate' again");
                m_has_all_runs = false;
                continue;
            }
            const bool is_whole = is_run_whole(*stored, folder + "/" + planned.folder);
            check(subject + ", files", is_whole,
                  is_whole
                      ? "findings, manifest and tables are those that were written"
                      : "a file in the folder was changed or is missing; 'unveil investigate' makes it anew");
            const bool has_evidence = std::all_of(planned.evidence.begin(), planned.evidence.end(),
                                                  [&](auto position) { return is_same[position]; });
            if (!has_evidence) {
                check(subject + ", again", false,
                      "not run again, because its evidence has changed or is missing");
                continue;
            }
            check_again(subject, planned.request, stored->manifest_json, stored->findings_json);
        }
        if (m_has_all_runs) check_verdicts(case_file, plan, store, *edition, folder);
    }

    void verify_run(const std::string& folder) {
        const std::string where = folder + "/manifest.json";
        const auto manifest_text = read_file(where);
        const auto findings_text = read_file(folder + "/findings.json");
        if (!manifest_text || !findings_text)
            throw Error(ErrorKind::input, "there is neither a case nor a run here",
                        "Give the folder of a case (with case.unveil) or of a run (with manifest.json)",
                        folder);
        const Json manifest = parsed_manifest(*manifest_text, where);
        const auto found = manifest.value("findings_sha256", std::string()) == sha256_hex(*findings_text);
        check("findings.json", found,
              found ? "is the file that was written" : "was changed after it was written");
        for (const auto& [name, digest] : table_digests(manifest)) {
            const bool is_there =
                name.find('/') == std::string::npos && fs::is_regular_file(folder + "/" + name + ".csv");
            const bool is_good = is_there && sha256_hex_of_file(folder + "/" + name + ".csv") == digest;
            check(printable(name, 100) + ".csv", is_good,
                  is_good    ? "is the file that was written"
                  : is_there ? "was changed after it was written"
                             : "is missing");
        }

        const Instrument& instrument = m_find(manifest["instrument"].get<std::string>());
        RunRequest request{&instrument, {}, ParameterValues(instrument.description().parameters), 0, 1, 0, {},
                           1,           {}};
        if (manifest.contains("seed") && manifest["seed"].is_number_unsigned())
            request.seed = manifest["seed"].get<std::uint64_t>();
        for (const auto& [name, value] : manifest["parameters"].items()) {
            std::vector<std::string> texts;
            for (const auto& item : value.is_array() ? value : Json::array({value}))
                texts.push_back(item.is_string() ? item.get<std::string>() : json_text(item));
            request.parameters.set_list(name, texts, where);
        }
        bool has_evidence = true;
        const std::string base = m_options.base_folder.empty() ? "." : m_options.base_folder;
        for (const auto& input : manifest["inputs"]) {
            RunInput made;
            made.shown_path = input.value("path", std::string());
            made.path = (fs::path(base) / made.shown_path).lexically_normal().string();
            made.options.format = input.value("format", std::string());
            const Json columns = input.value("columns", Json::object());
            for (const auto& [field, column] : columns.items())
                if (column.is_string()) made.options.columns[field] = column.get<std::string>();
            made.sha256_expected = input.value("sha256", std::string());
            if (const auto role = input.value("role", std::string());
                role == input_role_name(InputRole::control))
                made.role = InputRole::control;
            else if (!role.empty())
                throw Error(ErrorKind::input,
                            fmt::format("an input has the role '{}', which this version does not know",
                                        printable(role, 40)),
                            "Verify with the version that made it", where);
            has_evidence =
                check_evidence("input " + printable(made.shown_path, 200), made.path, made.sha256_expected) &&
                has_evidence;
            request.inputs.push_back(std::move(made));
        }
        if (has_evidence)
            check_again("run", request, *manifest_text, *findings_text);
        else
            check("run, again", false,
                  "not run again, because its evidence has changed or is missing (--base says where paths "
                  "begin)");
    }

    std::vector<Check> checks;

  private:
    void check(std::string subject, bool is_good, std::string sentence) {
        checks.push_back({std::move(subject), is_good, std::move(sentence)});
        if (m_tell) m_tell(checks.back());
    }

    std::string base_folder(const Edition& edition, const std::string& folder,
                            const std::string& case_path) const {
        if (!m_options.base_folder.empty()) return m_options.base_folder;
        if (!case_path.empty())
            return fs::path(case_path).has_parent_path() ? fs::path(case_path).parent_path().string() : ".";
        if (!edition.case_file.empty())
            return (fs::path(folder) / edition.case_file).parent_path().lexically_normal().string();
        throw Error(ErrorKind::input,
                    "the case file does not lie above this folder, so the evidence cannot be found",
                    "Say with --base DIR where the paths in the case file begin", folder);
    }

    void check_case_text(const Edition& edition, const std::string& case_path) {
        if (case_path.empty()) return;
        const auto text = read_file(case_path);
        if (!text)
            check("case file", true, "is not there any more; its text is kept in case.unveil");
        else
            check("case file", *text == edition.case_text,
                  *text == edition.case_text ? "is the one that was investigated"
                                             : "was changed since; run 'unveil investigate' again");
    }

    bool check_evidence(const std::string& subject, const std::string& path, const std::string& expected) {
        m_progress.update("digesting evidence", 0, 0);
        if (!fs::is_regular_file(path)) {
            check(subject, false, fmt::format("the file is missing: {}", path));
            return false;
        }
        const std::string found = sha256_hex_of_file(path);
        check(subject, found == expected,
              found == expected
                  ? fmt::format("is the same file (sha256 {}...)", found.substr(0, digits_shown))
                  : fmt::format("has changed: sha256 was {}..., is {}...",
                                printable(expected.substr(0, digits_shown), 40),
                                found.substr(0, digits_shown)));
        return found == expected;
    }

    /// Runs it again and compares findings, tables and manifest.
    void check_again(const std::string& subject, RunRequest request, const std::string& manifest_json,
                     const std::string& findings_json) {
        const TemporaryFolder scratch(m_options.scratch_folder);
        request.threads = m_options.threads;
        request.memory_bytes_max = m_options.memory_bytes_max;
        request.skipped_share_max = 1;  // the manifests say how many were skipped, and are compared
        request.open = m_options.open;
        RunResult result;
        try {
            result = run_instrument(request, scratch.path(), m_progress);
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::input && error.kind() != ErrorKind::usage) throw;
            check(subject + ", again", false, std::string("the run fails now: ") + error.what());
            return;
        }
        const Json before = parsed_manifest(manifest_json, subject);
        const Json now = parsed_manifest(result.manifest_json, subject);
        if (result.findings_json != findings_json) {
            check(subject + ", again", false,
                  fmt::format("the findings differ: {} ({})",
                              metric_differences(findings_json, result.findings), explanation(before, now)));
            return;
        }
        const auto tables_before = table_digests(before);
        const auto tables_now = table_digests(now);
        for (const auto& [name, digest] : tables_before) {
            const auto again = tables_now.find(name);
            if (again != tables_now.end() && again->second == digest) continue;
            check(subject + ", again", false,
                  fmt::format("the table {}.csv {} ({})", printable(name, 100),
                              again == tables_now.end() ? "is not made again" : "differs",
                              explanation(before, now)));
            return;
        }
        Json same_before = before;
        Json same_now = now;
        for (auto* manifest : {&same_before, &same_now})
            for (const char* key : {"commit", "version"}) manifest->erase(key);
        check(subject + ", again", same_before == same_now,
              same_before == same_now
                  ? fmt::format("findings and {} tables are the same to the last byte", tables_before.size())
                  : "findings and tables are the same, but the manifest tells another way to them");
    }

    void check_verdicts(const CaseFile& case_file, const std::vector<PlannedRun>& plan,
                        const CaseStore& store, const Edition& edition, const std::string& folder) {
        const auto verdicts = judge_claims(case_file, plan, store);
        const auto stored = store.verdicts(edition.number);
        const bool is_same =
            std::equal(stored.begin(), stored.end(), verdicts.begin(), verdicts.end(),
                       [](const auto& a, const auto& b) { return a == stored_verdict(b); });
        check("verdicts", is_same,
              is_same          ? fmt::format("all {} follow from the findings", verdicts.size())
              : stored.empty() ? "the case was not finished; run 'unveil investigate' again"
                               : "the stored verdicts do not follow from the findings");
        const bool is_file_same =
            read_file(folder + "/verdicts.json") == verdicts_to_json(case_file, verdicts);
        check(
            "verdicts.json", is_file_same,
            is_file_same ? "says the same" : "was changed or is missing; 'unveil investigate' makes it anew");
        const auto manifest_text = read_file(folder + "/manifest.json");
        const Json manifest = read_json(manifest_text.value_or(""));
        const auto findings_text = read_file(folder + "/findings.json");
        const bool is_listed = manifest.is_object() && manifest.contains("findings_sha256") &&
                               findings_text && manifest["findings_sha256"] == sha256_hex(*findings_text);
        check("findings.json", is_listed,
              is_listed ? "is the file that was written"
                        : "was changed or is missing; 'unveil investigate' makes it anew");
    }

    const VerifyOptions& m_options;
    const std::function<void(const Check&)>& m_tell;
    Progress& m_progress;
    InstrumentFinder m_find;
    bool m_has_all_runs = true;
};

}  // namespace

std::vector<Check> verify(const VerifyOptions& options, const std::function<void(const Check&)>& tell,
                          Progress& progress) {
    Verifier verifier(options, tell, progress);
    try {
        verifier.verify_path(options.path);
    } catch (const Json::exception&) {
        throw Error(ErrorKind::input, "a manifest in it is not what unveil writes",
                    "Investigate again in a new folder", options.path);
    }
    return verifier.checks;
}

}  // namespace unveil
