#include "report/case_folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/parameter.hpp"
#include "instruments/instrument.hpp"

namespace unveil {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uintmax_t json_bytes_max = 512'000'000;
constexpr std::size_t key_digits = 12;  // of a run's key in the name of its folder

[[noreturn]] void throw_damaged(const std::string& path, const std::string& what) {
    throw Error(ErrorKind::input, what, "Run 'unveil investigate' on the case again", path);
}

std::string read_text(const std::string& path) {
    std::error_code failure;
    const auto size = std::filesystem::file_size(path, failure);
    if (failure)
        throw Error(ErrorKind::input, "cannot read it: " + failure.message(),
                    "Give the folder that 'unveil investigate' wrote, such as case.out", path);
    if (size > json_bytes_max) throw_damaged(path, "the file is larger than any that unveil writes");
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// Calls `read` with the parsed file; whatever is missing or of the wrong kind in it becomes one Error.
template <typename Read>
void with_json(const std::string& path, const Read& read) {
    const std::string text = read_text(path);
    try {
        const Json json = read_json(text);
        if (json.is_discarded()) throw_damaged(path, "the file is damaged: it is no JSON, or nested too deep");
        if (json.at("schema_version").get<int>() != 1) throw_damaged(path, "it was written by another version of unveil");
        read(json);
    } catch (const nlohmann::json::exception& fault) {
        throw_damaged(path, std::string("the file is damaged: ") + fault.what());
    }
}

std::string text_or_empty(const Json& json, const char* key) {
    return json.contains(key) && json.at(key).is_string() ? json.at(key).get<std::string>() : std::string();
}

std::string spoken(const Json& value) {
    if (value.is_string()) return value.get<std::string>();
    if (!value.is_array()) return value.is_null() ? std::string() : value.dump();
    std::vector<std::string> items;
    for (const auto& item : value) items.push_back(spoken(item));
    return fmt::format("{}", fmt::join(items, ", "));
}

ReportVerdict verdict_of(const Json& word, const std::string& path) {
    if (word == "supported") return ReportVerdict::supported;
    if (word == "contradicted") return ReportVerdict::contradicted;
    if (word == "undetermined") return ReportVerdict::undetermined;
    throw_damaged(path, "the file is damaged: no verdict is called " + word.dump());
}

ReportEvidence evidence_of(const Json& json) {
    ReportEvidence evidence;
    evidence.path = json.at("path");
    evidence.format = json.at("format");
    evidence.compression = json.at("compression");
    evidence.sha256 = json.at("sha256");
    evidence.bytes = json.at("bytes");
    evidence.rows_kept = json.at("rows_kept");
    evidence.rows_skipped = json.at("rows_skipped");
    for (const auto& skip : json.at("skips"))
        evidence.skips.push_back({skip.at("reason"), skip.at("count"), skip.at("examples").get<std::vector<std::string>>()});
    for (const auto& note : json.at("notes")) evidence.notes.push_back({note.at("note"), note.at("count"), {}});
    evidence.time_first = text_or_empty(json, "time_first");
    evidence.time_last = text_or_empty(json, "time_last");
    evidence.role = text_or_empty(json, "role");
    const auto& resolution = json.at("time_resolution");
    evidence.time_resolution = format_duration(resolution.at("resolution_us").get<std::int64_t>());
    if (const auto reason = text_or_empty(resolution, "reason"); !reason.empty()) evidence.time_resolution += ": " + reason;
    return evidence;
}

void describe(ReportRun& run) {
    for (const auto* instrument : instruments()) {
        const auto& description = instrument->description();
        if (description.name != run.instrument) continue;
        run.question = description.question;
        run.summary = description.summary;
        run.limits = description.limits;
        run.citations = description.citations;
        for (const auto& metric : description.metrics) run.metrics.push_back(metric.name);
    }
}

/// The upper end of an interval: null where it is open.
double high_of(const Json& side) {
    const auto& high = side.at("high");
    return high.is_null() ? std::numeric_limits<double>::infinity() : high.get<double>();
}

ReportComparison comparison_of(const Json& json, const std::string& path) {
    ReportComparison comparison;
    comparison.text = json.at("text");
    comparison.verdict = verdict_of(json.at("verdict"), path);
    comparison.why = text_or_empty(json, "sentence");
    const auto& left = json.at("left");
    const auto& right = json.at("right");
    comparison.is_measured = left.contains("value") && right.contains("value");
    if (!comparison.is_measured) return comparison;
    comparison.value = left.at("value");
    comparison.low = left.at("low");
    comparison.high = high_of(left);
    comparison.unit = text_or_empty(left, "unit");
    comparison.has_other = right.contains("metric");
    comparison.other_value = right.at("value");
    comparison.other_low = right.at("low");
    comparison.other_high = high_of(right);
    return comparison;
}

/// Lines "metric,evidence,row" behind a header, as a run writes them; what is not such a line is passed over.
void add_locators(std::string_view csv, Findings& findings) {
    while (!csv.empty()) {
        const auto line = csv.substr(0, csv.find('\n'));
        csv.remove_prefix(std::min(line.size() + 1, csv.size()));
        const auto first = line.find(',');
        const auto second = line.find(',', first + 1);
        if (second == std::string_view::npos) continue;
        Locator locator;
        const auto number = [](std::string_view text, auto& value) {
            return std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc() && value > 0;
        };
        if (!number(line.substr(first + 1, second - first - 1), locator.evidence) ||
            !number(line.substr(second + 1), locator.row))
            continue;
        --locator.evidence;
        for (auto& finding : findings.items)
            if (finding.metric == line.substr(0, first)) finding.locators.push_back(locator);
    }
}

class Reader {
  public:
    explicit Reader(std::string folder) : m_folder(std::move(folder)) {}

    CaseFolder read() {
        with_json(m_folder + "/manifest.json", [&](const Json& json) { manifest(json); });
        with_json(m_folder + "/verdicts.json", [&](const Json& json) {
            for (const auto& verdict : json.at("verdicts")) claim(verdict);
        });
        return std::move(m_case);
    }

    CaseFolder read_run() {
        run(m_folder, {});
        return std::move(m_case);
    }

    bool is_run() const {
        bool is_run = false;
        with_json(m_folder + "/manifest.json",
                  [&](const Json& json) { is_run = json.contains("instrument") && !json.contains("title"); });
        return is_run;
    }

  private:
    void manifest(const Json& json) {
        auto& report = m_case.report;
        if (json.contains("instrument") && !json.contains("title"))
            throw Error(ErrorKind::input, "this is the folder of one run, not of a case",
                        "Give the folder that 'unveil investigate' wrote", m_folder);
        report.title = json.at("title");
        report.description = text_or_empty(json, "summary");
        // The folder may have any name by now; the commands name what `investigate` would write.
        const auto case_file = std::filesystem::path(text_or_empty(json, "case_file")).filename();
        if (!case_file.empty()) {
            report.case_file = case_file.string();
            report.case_folder = case_file.stem().string() + ".out";
        }
        for (const auto& item : json.at("evidence")) {
            ReportEvidence evidence;
            evidence.id = item.at("id");
            evidence.path = item.at("path");
            evidence.sha256 = item.at("sha256");
            evidence.bytes = item.at("bytes");
            evidence.obtained = text_or_empty(item, "obtained");
            report.evidence.push_back(std::move(evidence));
        }
        for (const auto& item : json.at("runs")) {
            const std::string key = item.at("run");
            if (key.size() < key_digits || key.find_first_not_of("0123456789abcdef") != std::string::npos)
                throw_damaged(m_folder + "/manifest.json", "the file is damaged: a run has no proper key");
            m_run_of_key[key] = m_case.report.runs.size();
            run(m_folder + "/runs/" + key.substr(0, key_digits), item.at("claims").get<std::vector<std::string>>());
        }
    }

    void run(const std::string& folder, std::vector<std::string> claims) {
        ReportRun run;
        CaseRun about;
        about.folder = folder;
        with_json(folder + "/manifest.json", [&](const Json& json) {
            run.instrument = json.at("instrument");
            run.version = json.at("version");
            run.commit = json.at("commit");
            run.seed = spoken(json.at("seed"));
            for (const auto& [name, value] : json.at("parameters").items()) run.parameters.emplace_back(name, spoken(value));
            run.findings_sha256 = json.at("findings_sha256");
            for (const auto& input : json.at("inputs")) run.inputs.push_back(evidence_of(input));
            for (const auto& table : json.at("tables")) {
                const std::string name = table.at("name");
                if (name.empty() || name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") != std::string::npos)
                    throw_damaged(folder + "/manifest.json", "the file is damaged: a table has no proper name");
                CaseTable one{name, folder + "/" + name + ".csv"};
                for (const auto& column : table.value("columns", Json::array())) one.types.emplace(column.at("name"), column.at("type"));
                about.tables.push_back(std::move(one));
            }
        });
        run.findings = findings_from_json(read_text(folder + "/findings.json"));
        if (const std::string path = folder + "/locators.csv"; std::filesystem::exists(path))
            add_locators(read_text(path), run.findings);
        describe(run);
        about.instrument = run.instrument;
        about.claims = std::move(claims);
        // What the reading of a file told belongs to the file, under the name that the case gives it.
        for (auto& evidence : m_case.report.evidence) {
            const auto read = std::find_if(run.inputs.begin(), run.inputs.end(),
                                           [&](const ReportEvidence& input) { return input.sha256 == evidence.sha256; });
            if (read == run.inputs.end()) continue;
            const auto named = evidence;
            evidence = *read;
            evidence.id = named.id;
            evidence.path = named.path;
            evidence.obtained = named.obtained;
            if (evidence.role.empty()) evidence.role = named.role;
        }
        m_case.report.runs.push_back(std::move(run));
        m_case.runs.push_back(std::move(about));
    }

    void claim(const Json& json) {
        const std::string path = m_folder + "/verdicts.json";
        ReportClaim claim;
        claim.id = json.at("claim");
        claim.text = json.at("text");
        claim.test = json.at("instrument");
        claim.verdict = verdict_of(json.at("verdict"), path);
        claim.why = text_or_empty(json, "sentence");
        for (const auto& item : json.at("comparisons")) claim.comparisons.push_back(comparison_of(item, path));
        if (auto settles = text_or_empty(json, "settles"); !settles.empty()) claim.settle.push_back(std::move(settles));
        const auto run = m_run_of_key.find(json.at("run").get<std::string>());
        if (run != m_run_of_key.end()) claim.run = run->second;
        m_case.report.claims.push_back(std::move(claim));
    }

    std::string m_folder;
    CaseFolder m_case;
    std::map<std::string, std::size_t> m_run_of_key;
};

}  // namespace

CaseFolder read_case_folder(const std::string& folder) { return Reader(folder).read(); }

CaseFolder read_case_or_run_folder(const std::string& folder) {
    Reader reader(folder);
    return reader.is_run() ? reader.read_run() : reader.read();
}

}  // namespace unveil
