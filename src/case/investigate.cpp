#include "case/investigate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "core/digest.hpp"
#include "core/error.hpp"
#include "core/json.hpp"
#include "core/output_table.hpp"
#include "core/time.hpp"

namespace unveil {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr std::size_t folder_digits = 12;

std::optional<std::string> read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return {};
    return std::string{std::istreambuf_iterator<char>(file), {}};
}

void write_if_changed(const std::string& path, const std::string& bytes) {
    if (read_file(path) != bytes) write_file_atomically(path, bytes);
}

std::string evidence_path(const std::string& base_folder, const CaseEvidence& evidence) {
    return (fs::path(base_folder) / evidence.path).lexically_normal().string();
}

std::string folder_of(const std::string& path) {
    const auto folder = fs::path(path).parent_path();
    return folder.empty() ? "." : folder.string();
}

class ScratchFolder {
  public:
    explicit ScratchFolder(std::string path) : m_path(std::move(path)) { fs::create_directories(m_path); }
    ~ScratchFolder() {
        std::error_code ignored;
        fs::remove_all(m_path, ignored);
    }
    ScratchFolder(const ScratchFolder&) = delete;
    ScratchFolder& operator=(const ScratchFolder&) = delete;
    const std::string& path() const { return m_path; }

  private:
    std::string m_path;
};

/// Of the case's evidence, in its order.
struct Digested {
    std::vector<std::string> sha256;
    std::vector<std::uint64_t> bytes;
};

Digested digest_evidence(const CaseFile& case_file, const std::string& base_folder, Progress& progress) {
    Digested digested;
    std::uint64_t total = 0;
    std::uint64_t done = 0;
    for (const auto& evidence : case_file.evidence) {
        const std::string path = evidence_path(base_folder, evidence);
        std::error_code failure;
        if (!fs::is_regular_file(path, failure))
            throw Error(ErrorKind::input,
                        fmt::format("the file of evidence '{}' is not there: {}", evidence.id, path),
                        "Paths start at the folder of the case file", evidence.where);
        digested.bytes.push_back(static_cast<std::uint64_t>(fs::file_size(path)));
        total += digested.bytes.back();
    }
    std::vector<char> buffer(1 << 20);
    for (const auto& evidence : case_file.evidence) {
        const std::string path = evidence_path(base_folder, evidence);
        std::ifstream file(path, std::ios::binary);
        if (!file)
            throw Error(ErrorKind::input, "cannot open " + path, "Check its permissions", evidence.where);
        Sha256 sha;
        while (file.read(buffer.data(), static_cast<std::streamsize>(buffer.size())), file.gcount() > 0) {
            sha.update(buffer.data(), static_cast<std::size_t>(file.gcount()));
            done += static_cast<std::uint64_t>(file.gcount());
            progress.update("digesting evidence", done, total);
            progress.check();
        }
        if (file.bad())
            throw Error(ErrorKind::input, "reading failed half way", "Check the disk or copy the file anew",
                        path);
        digested.sha256.push_back(sha.finish_hex());
        if (!evidence.sha256.empty() && evidence.sha256 != digested.sha256.back())
            throw Error(ErrorKind::input,
                        fmt::format("'{}' is not the file that was named: its sha256 is {}", path,
                                    digested.sha256.back()),
                        "Get the original file back, or correct the sha256", evidence.where);
    }
    return digested;
}

/// The path from the case folder up to the case file; empty when the folder lies elsewhere, because then the
/// path would tell about the machine.
std::string path_to_case_file(const std::string& case_path, const std::string& folder) {
    const fs::path from = fs::canonical(folder);
    const fs::path to = fs::canonical(folder_of(case_path)) / fs::path(case_path).filename();
    const fs::path relative = to.lexically_relative(from);
    const auto name = std::prev(relative.end());
    for (auto step = relative.begin(); step != name; ++step)
        if (*step != "..") return {};
    return relative.generic_string();
}

Edition make_edition(const CaseFile& case_file, const Digested& digested, const std::vector<PlannedRun>& plan,
                     const std::string& case_path, const std::string& folder) {
    Edition edition;
    edition.version = unveil_version();
    edition.title = case_file.title;
    edition.summary = case_file.summary;
    edition.seed = case_file.seed;
    edition.case_text = case_file.text;
    edition.case_file = path_to_case_file(case_path, folder);
    Json key = {{"version", edition.version},
                {"case", sha256_hex(case_file.text)},
                {"case_file", edition.case_file},
                {"evidence", digested.sha256}};
    edition.key = sha256_hex(json_text(key));
    for (std::size_t i = 0; i < case_file.evidence.size(); ++i) {
        const auto& evidence = case_file.evidence[i];
        edition.evidence.push_back({evidence.id, evidence.path, evidence.format, digested.sha256[i],
                                    digested.bytes[i], evidence.obtained});
    }
    for (std::size_t i = 0; i < case_file.claims.size(); ++i) {
        const auto& claim = case_file.claims[i];
        std::vector<std::string> holds;
        for (const auto& comparison : claim.holds) holds.push_back(comparison.text);
        std::vector<std::string> ids;
        for (const auto position : claim.evidence) ids.push_back(case_file.evidence[position].id);
        const auto run = std::find_if(plan.begin(), plan.end(), [&](const auto& planned) {
            return std::find(planned.claims.begin(), planned.claims.end(), i) != planned.claims.end();
        });
        edition.claims.push_back({claim.id, claim.text, std::string(claim_kind_name(claim.kind)),
                                  claim.instrument->description().name, json_text(holds), json_text(ids),
                                  run->key});
    }
    return edition;
}

Json parsed(const std::string& json, const std::string& what) {
    Json result = read_json(json);
    if (!result.is_object())
        throw Error(ErrorKind::input, what + " in the case is not JSON",
                    "Move the case folder away and investigate again");
    return result;
}

std::string without_commit(const std::string& manifest_json) {
    Json manifest = parsed(manifest_json, "a manifest");
    manifest.erase("commit");
    return json_text(manifest);
}

Observed observed_in(const StoredRun& run, const Instrument& instrument) {
    Observed observed;
    observed.record = instrument.description().record;
    observed.time_first_us = std::numeric_limits<std::int64_t>::max();
    observed.time_last_us = std::numeric_limits<std::int64_t>::min();
    const Json manifest = parsed(run.manifest_json, "a manifest");
    for (const auto& input : manifest.value("inputs", Json::array())) {
        if (input.contains("role")) continue;  // a control is nothing that the claim is about
        if (is_list_format(input.value("format", std::string()))) continue;   // nor is a list of words or block pages
        observed.rows += input.value("rows_kept", std::uint64_t{0});
        const auto take = [&](const char* key) -> std::optional<std::int64_t> {
            if (!input.contains(key) || !input[key].is_string()) return {};
            return parse_time_us(input[key].get<std::string>());
        };
        if (const auto first = take("time_first"))
            observed.time_first_us = std::min(observed.time_first_us, *first);
        if (const auto last = take("time_last"))
            observed.time_last_us = std::max(observed.time_last_us, *last);
    }
    return observed;
}

/// Tells what changed since the store last saw this case.
void tell_changes(const std::optional<Edition>& before, const Edition& now,
                  const std::function<void(const std::string&)>& say) {
    if (!before || before->key == now.key) return;
    for (const auto& evidence : now.evidence) {
        const auto old = std::find_if(before->evidence.begin(), before->evidence.end(),
                                      [&](const auto& candidate) { return candidate.id == evidence.id; });
        if (old == before->evidence.end())
            say(fmt::format("evidence '{}' is new", evidence.id));
        else if (old->sha256 != evidence.sha256)
            say(fmt::format(
                "evidence '{}' has changed since the last time (sha256 {}... before, {}... now): its runs "
                "are made anew, the old ones are kept",
                evidence.id, old->sha256.substr(0, folder_digits), evidence.sha256.substr(0, folder_digits)));
    }
    if (before->version != now.version)
        say(fmt::format("the case was last investigated by unveil {}, this is {}: all runs are made anew",
                        before->version, now.version));
}

/// Runs one set-up into its folder and keeps it, or gives back what the store has of it.
StoredRun make_run(const PlannedRun& planned, const std::string& folder,
                   const std::optional<StoredRun>& stored, CaseStore& store, Progress& progress) {
    const std::string run_folder = folder + "/" + planned.folder;
    const RunResult result = run_instrument(planned.request, run_folder, progress);
    const StoredRun run{planned.key, planned.request.instrument->description().name, result.manifest_json,
                        result.findings_json};
    if (!stored) {
        store.add_run(run, result.findings);
        return run;
    }
    // The files of a stored run were damaged or lost and have been made again.
    if (run.findings_json != stored->findings_json ||
        without_commit(run.manifest_json) != without_commit(stored->manifest_json))
        throw Error(
            ErrorKind::run,
            fmt::format("run {} was made again because its files were changed, and came out different",
                        planned.folder),
            "This program was changed without a new version; investigate into another --out", run_folder);
    write_if_changed(run_folder + "/manifest.json", stored->manifest_json);
    return *stored;
}

/// The ids of all inputs, in the order that locators count, and which of them are controls.
void add_evidence(const CaseFile& case_file, const PlannedRun& planned, Json& run) {
    const auto ids_from = [&](std::size_t first) {
        Json ids = Json::array();
        for (auto i = first; i < planned.evidence.size(); ++i)
            ids.push_back(case_file.evidence[planned.evidence[i]].id);
        return ids;
    };
    run["evidence"] = ids_from(0);
    if (planned.controls > 0) run["controls"] = ids_from(planned.evidence.size() - planned.controls);
}

std::string findings_of_case(const CaseFile& case_file, const std::vector<PlannedRun>& plan,
                             const std::vector<StoredRun>& runs) {
    std::string out = "{\"schema_version\":1,\n\"title\":" + json_text(case_file.title) + ",\n\"runs\":[";
    for (std::size_t i = 0; i < plan.size(); ++i) {
        Json run = {
            {"run", plan[i].key}, {"folder", plan[i].folder}, {"instrument", runs[i].instrument}};
        add_evidence(case_file, plan[i], run);
        run["findings"] = parsed(runs[i].findings_json, "the findings of a run");
        out += i == 0 ? "\n" : ",\n";
        append_json(run, out);
    }
    return out + "\n]}\n";
}

std::string manifest_of_case(const CaseFile& case_file, const Edition& edition,
                             const std::vector<PlannedRun>& plan, const std::vector<StoredRun>& runs,
                             const std::string& findings_json, const std::string& verdicts_json) {
    Json manifest = {{"schema_version", 1},       {"tool", "unveil"},         {"version", unveil_version()},
                     {"commit", unveil_commit()}, {"title", case_file.title}, {"summary", case_file.summary},
                     {"seed", case_file.seed}};
    manifest["case_file"] = edition.case_file.empty() ? Json() : Json(edition.case_file);
    manifest["case_sha256"] = sha256_hex(case_file.text);
    manifest["evidence"] = Json::array();
    for (const auto& evidence : edition.evidence)
        manifest["evidence"].push_back({{"id", evidence.id},
                                        {"path", evidence.path},
                                        {"sha256", evidence.sha256},
                                        {"bytes", evidence.bytes},
                                        {"obtained", evidence.obtained}});
    manifest["runs"] = Json::array();
    for (std::size_t i = 0; i < plan.size(); ++i) {
        Json run = {{"run", plan[i].key}, {"folder", plan[i].folder}, {"instrument", runs[i].instrument}};
        add_evidence(case_file, plan[i], run);
        run["claims"] = Json::array();
        for (const auto position : plan[i].claims) run["claims"].push_back(case_file.claims[position].id);
        run["manifest_sha256"] = sha256_hex(runs[i].manifest_json);
        run["findings_sha256"] = sha256_hex(runs[i].findings_json);
        manifest["runs"].push_back(std::move(run));
    }
    manifest["findings_sha256"] = sha256_hex(findings_json);
    manifest["verdicts_sha256"] = sha256_hex(verdicts_json);
    return json_text(manifest) + "\n";
}

void keep_verdicts(const Edition& edition, const std::vector<ClaimVerdict>& verdicts, CaseStore& store) {
    std::vector<StoredVerdict> rows;
    for (const auto& verdict : verdicts) rows.push_back(stored_verdict(verdict));
    const auto stored = store.verdicts(edition.number);
    if (stored.empty()) {
        store.add_verdicts(edition.number, rows);
        return;
    }
    if (stored != rows)
        throw Error(ErrorKind::run, "the claims are judged otherwise than the case has it",
                    "This program was changed without a new version; investigate into another --out");
}

}  // namespace

StoredVerdict stored_verdict(const ClaimVerdict& verdict) {
    return {verdict.claim, verdict.run, std::string(decision_name(verdict.decision)), verdict.sentence, verdict.settles,
            json_text(verdict_to_json(verdict))};
}

std::string default_case_folder(const std::string& case_path) {
    return fs::path(case_path).replace_extension(".out").string();
}

std::vector<PlannedRun> plan_runs(const CaseFile& case_file, const std::vector<std::string>& digests,
                                  const std::string& base_folder) {
    std::vector<PlannedRun> plan;
    for (std::size_t i = 0; i < case_file.claims.size(); ++i) {
        const auto& claim = case_file.claims[i];
        RunRequest request{claim.instrument, {}, claim.parameters, case_file.seed, 1, 0, {}, 0.01, {}};
        std::vector<std::string> inputs;
        const auto add_input = [&](std::size_t position, InputRole role) {
            const auto& evidence = case_file.evidence[position];
            request.inputs.push_back({evidence_path(base_folder, evidence),
                                      evidence.path,
                                      {evidence.format, evidence.columns, 1},
                                      digests[position],
                                      role});
            inputs.push_back(digests[position]);
        };
        for (const auto position : claim.evidence) add_input(position, InputRole::posts);
        for (const auto position : claim.controls) add_input(position, InputRole::control);
        auto evidence = claim.evidence;
        evidence.insert(evidence.end(), claim.controls.begin(), claim.controls.end());
        const std::string key = run_key(request, inputs);
        const auto known =
            std::find_if(plan.begin(), plan.end(), [&](const auto& planned) { return planned.key == key; });
        if (known == plan.end()) {
            plan.push_back({key,
                            "runs/" + key.substr(0, folder_digits),
                            std::move(request),
                            std::move(evidence),
                            claim.controls.size(),
                            {i}});
            continue;
        }
        known->claims.push_back(i);
        // Parameters that do not bear on findings, such as which tables to write, are not in the key: all
        // that any claim asks for is done.
        for (const auto& [name, texts] : claim.with) known->request.parameters.set_list(name, texts);
    }
    return plan;
}

std::vector<ClaimVerdict> judge_claims(const CaseFile& case_file, const std::vector<PlannedRun>& plan,
                                       const CaseStore& store) {
    std::vector<ClaimVerdict> verdicts(case_file.claims.size());
    for (const auto& planned : plan) {
        const auto run = store.run(planned.key);
        UNVEIL_ASSERT(run.has_value());
        const Findings findings = findings_from_json(run->findings_json);
        const Observed observed = observed_in(*run, *planned.request.instrument);
        for (const auto position : planned.claims) {
            ClaimVerdict verdict = judge(case_file.claims[position], findings, observed);
            verdict.run = planned.key;
            for (const auto evidence : case_file.claims[position].evidence)
                verdict.evidence.push_back(case_file.evidence[evidence].id);
            for (const auto control : case_file.claims[position].controls)
                verdict.controls.push_back(case_file.evidence[control].id);
            verdicts[position] = std::move(verdict);
        }
    }
    return verdicts;
}

std::string verdicts_to_json(const CaseFile& case_file, const std::vector<ClaimVerdict>& verdicts) {
    std::string out = "{\"schema_version\":1,\n\"title\":" + json_text(case_file.title) +
                      ",\n\"summary\":" + json_text(case_file.summary) + ",\n\"verdicts\":[";
    for (std::size_t i = 0; i < verdicts.size(); ++i) {
        out += i == 0 ? "\n" : ",\n";
        append_json(verdict_to_json(verdicts[i]), out);
    }
    return out + "\n]}\n";
}

bool is_run_whole(const StoredRun& run, const std::string& folder) {
    if (read_file(folder + "/manifest.json") != run.manifest_json) return false;
    if (read_file(folder + "/findings.json") != run.findings_json) return false;
    for (const auto& table : parsed(run.manifest_json, "a manifest").value("tables", Json::array())) {
        const std::string path = folder + "/" + table.value("name", std::string()) + ".csv";
        std::error_code failure;
        if (!fs::is_regular_file(path, failure) ||
            sha256_hex_of_file(path) != table.value("sha256", std::string()))
            return false;
    }
    return true;
}

namespace {

Investigation walk(const InvestigateOptions& options, Progress& progress) {
    const auto say = [&](const std::string& line) {
        if (options.say) options.say(line);
    };
    const CaseFile case_file =
        read_case(options.case_path,
                  options.find_instrument ? options.find_instrument : InstrumentFinder(instrument_named));
    const std::string base_folder = folder_of(options.case_path);
    Investigation result;
    result.folder = options.out_folder.empty() ? default_case_folder(options.case_path) : options.out_folder;
    result.title = case_file.title;
    const Digested digested = digest_evidence(case_file, base_folder, progress);
    const auto plan = plan_runs(case_file, digested.sha256, base_folder);

    std::error_code failure;
    fs::create_directories(result.folder, failure);
    if (failure)
        throw Error(ErrorKind::run, "cannot make the folder: " + failure.message(), "Choose another --out",
                    result.folder);
    const FolderLock lock(result.folder);
    fs::remove_all(result.folder + "/scratch");  // of an investigation that was killed
    CaseStore store(result.folder + "/case.unveil", CaseStore::Access::write);

    Edition edition = make_edition(case_file, digested, plan, options.case_path, result.folder);
    if (const auto known = store.edition(edition.key)) {
        edition.number = known->number;
    } else {
        tell_changes(store.latest_edition(), edition, say);
        store.add_edition(edition);
    }

    std::vector<StoredRun> runs;
    for (std::size_t i = 0; i < plan.size(); ++i) {
        progress.check();
        const auto& name = plan[i].request.instrument->description().name;
        const auto stored = store.run(plan[i].key);
        if (stored && is_run_whole(*stored, result.folder + "/" + plan[i].folder)) {
            say(fmt::format("run {} of {}: {} is there already ({})", i + 1, plan.size(), name,
                            plan[i].folder));
            ++result.runs_kept;
            runs.push_back(*stored);
            continue;
        }
        say(fmt::format("run {} of {}: {} on {} file{} -> {}", i + 1, plan.size(), name,
                        plan[i].evidence.size(), plan[i].evidence.size() == 1 ? "" : "s", plan[i].folder));
        const ScratchFolder scratch(result.folder + "/scratch");
        PlannedRun planned = plan[i];
        planned.request.threads = options.threads;
        planned.request.memory_bytes_max = options.memory_bytes_max;
        planned.request.skipped_share_max = options.skipped_share_max;
        planned.request.scratch_folder = scratch.path();
        planned.request.open = options.open;
        try {
            runs.push_back(make_run(planned, result.folder, stored, store, progress));
        } catch (const Error& error) {
            // Parameters come from the case file, so a wrong one is told by its line there.
            if (error.kind() != ErrorKind::usage) throw;
            const auto& claim = case_file.claims[plan[i].claims.front()];
            throw Error(ErrorKind::input, fmt::format("claim '{}': {}", claim.id, error.message()),
                        error.hint(), claim.where);
        }
        ++result.runs_made;
    }

    result.verdicts = judge_claims(case_file, plan, store);
    keep_verdicts(edition, result.verdicts, store);
    result.verdicts_json = verdicts_to_json(case_file, result.verdicts);
    const std::string findings_json = findings_of_case(case_file, plan, runs);
    write_if_changed(result.folder + "/findings.json", findings_json);
    write_if_changed(result.folder + "/verdicts.json", result.verdicts_json);
    write_if_changed(result.folder + "/manifest.json",
                     manifest_of_case(case_file, edition, plan, runs, findings_json, result.verdicts_json));
    store.finish();
    return result;
}

}  // namespace

Investigation investigate(const InvestigateOptions& options, Progress& progress) {
    try {
        return walk(options, progress);
    } catch (const Json::exception&) {
        throw Error(ErrorKind::input, "a manifest in the case is not what unveil writes",
                    "Move the case folder away and investigate again", options.case_path);
    }
}

}  // namespace unveil
