#include "case/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "case/version.hpp"
#include "core/digest.hpp"
#include "core/error.hpp"
#include "core/json.hpp"
#include "core/text.hpp"
#include "core/time.hpp"
#include "evidence/blocking_fingerprints.hpp"
#include "evidence/capture.hpp"
#include "evidence/labelled_words.hpp"
#include "evidence/ooni.hpp"
#include "evidence/trial_log.hpp"

namespace unveil {
namespace {

using Json = nlohmann::ordered_json;

/// Remembers whether a source was read to its end or broke on the way.
class WatchedSource {
  public:
    explicit WatchedSource(const RunInput& input) : m_input(input) {}
    virtual ~WatchedSource() = default;
    virtual const SourceReport& source_report() const = 0;
    /// Reads on to the end.
    virtual void drain(const Progress& progress) = 0;

    const RunInput& input() const { return m_input; }
    bool has_begun() const { return m_has_begun; }
    bool has_broken() const { return m_has_broken; }

  protected:
    template <typename Source, typename Batch>
    bool watch(Source& source, Batch& batch) {
        m_has_begun = true;
        if (m_has_ended) return false;
        m_has_broken = true;
        m_has_ended = !source.next(batch);
        m_has_broken = false;
        return !m_has_ended;
    }

  private:
    const RunInput& m_input;
    bool m_has_begun = false;
    bool m_has_ended = false;
    bool m_has_broken = false;
};

template <typename Source, typename Batch>
class Watched : public WatchedSource, public Source {
  public:
    Watched(std::unique_ptr<Source> source, const RunInput& input) : WatchedSource(input), m_source(std::move(source)) {}

    bool next(Batch& batch) override { return watch(*m_source, batch); }
    const SourceReport& report() const override { return m_source->report(); }
    const SourceReport& source_report() const override { return report(); }
    std::uint64_t bytes_done() const override { return m_source->bytes_done(); }
    void drain(const Progress& progress) override {
        Batch batch;
        while (next(batch)) progress.check();
    }

  protected:
    std::unique_ptr<Source> m_source;
};

class WatchedPosts final : public Watched<PostSource, PostBatch> {
  public:
    using Watched::Watched;
    PostFields fields() const override { return m_source->fields(); }
    void want(PostFields fields) override { m_source->want(fields); }
};

class WatchedTrials final : public Watched<TrialSource, std::vector<Trial>> {
  public:
    using Watched::Watched;
    const TrialLogHeader& header() const override { return m_source->header(); }
    const std::string& last_sha256() const override { return m_source->last_sha256(); }
};

using WatchedFrames = Watched<FrameSource, std::vector<Frame>>;
using WatchedMeasurements = Watched<MeasurementSource, MeasurementBatch>;
using WatchedLabels = Watched<LabelledWordSource, std::vector<LabelledWord>>;
using WatchedFingerprints = Watched<BlockingFingerprintSource, std::vector<BlockingFingerprint>>;

/// Remembers the tables, because the manifest lists them with their columns.
class NamedTables final : public OutputTables {
  public:
    explicit NamedTables(OutputTables& inner) : m_inner(inner) {}
    OutputTable& open(std::string_view name, std::vector<Column> columns, RealStyle style) override {
        const bool is_new = m_columns.emplace(name, columns).second;
        UNVEIL_ASSERT(is_new);
        return m_inner.open(name, std::move(columns), style);
    }
    const std::map<std::string, std::vector<Column>>& columns() const { return m_columns; }

  private:
    OutputTables& m_inner;
    std::map<std::string, std::vector<Column>> m_columns;
};

std::string_view type_name(CellType type) {
    switch (type) {
        case CellType::text:
            return "text";
        case CellType::integer:
            return "integer";
        case CellType::real:
            return "real";
    }
    UNVEIL_ASSERT(false);
    return {};
}

std::string shown_path(const RunInput& input) {
    const std::filesystem::path path = input.shown_path.empty() ? input.path : input.shown_path;
    return path.is_absolute() ? path.filename().string() : path.generic_string();
}

/// Examples name the file as it was opened, which differs from machine to machine.
std::string with_shown_path(const std::string& example, const RunInput& input) {
    if (!example.starts_with(input.path + ":")) return example;
    return shown_path(input) + example.substr(input.path.size());
}

void check_skips(const WatchedSource& source, double skipped_share_max) {
    const Tally& tally = source.source_report().tally;
    if (tally.skipped() == 0 || tally.skipped_share() <= skipped_share_max) return;
    std::vector<std::string> reasons;
    for (const auto& [reason, entry] : tally.skips()) {
        std::string text = fmt::format("{} x {}", entry.count, reason);
        if (!entry.examples.empty()) text += fmt::format(" (first: {})", entry.examples.front());
        reasons.push_back(std::move(text));
    }
    throw Error(ErrorKind::input,
                fmt::format("{} of {} rows ({:.2f} %) could not be read, more than the {:.2f} % allowed: {}",
                            tally.skipped(), tally.kept() + tally.skipped(), 100 * tally.skipped_share(),
                            100 * skipped_share_max, fmt::join(reasons, "; ")),
                fmt::format("Mend the file, or allow it with --skipped-share-max {:.2f}",
                            std::min(1.0, tally.skipped_share() + 0.01)),
                source.input().path);
}

void check_digest(const RunInput& input, const std::string& found) {
    if (input.sha256_expected.empty() || input.sha256_expected == found) return;
    throw Error(ErrorKind::input,
                fmt::format("the file is not the one that was named: its sha256 is {}, expected {}", found,
                            input.sha256_expected),
                "Get the original file back, or correct the expected digest", input.path);
}

Json input_to_json(const RunInput& input, const SourceReport& report) {
    Json json = {{"path", shown_path(input)},
                 {"sha256", report.sha256},
                 {"bytes", report.bytes},
                 {"format", report.format},
                 {"compression", report.compression}};
    json["columns"] = Json::object();
    for (const auto& [field, column] : input.options.columns) json["columns"][field] = column;
    json["rows_kept"] = report.tally.kept();
    json["rows_skipped"] = report.tally.skipped();
    json["skips"] = Json::array();
    for (const auto& [reason, entry] : report.tally.skips()) {
        Json examples = Json::array();
        for (const auto& example : entry.examples) examples.push_back(with_shown_path(example, input));
        json["skips"].push_back(
            {{"reason", reason}, {"count", entry.count}, {"examples", std::move(examples)}});
    }
    json["notes"] = Json::array();
    for (const auto& [what, count] : report.tally.notes())
        json["notes"].push_back({{"note", what}, {"count", count}});
    const bool has_rows = report.tally.kept() > 0;
    const bool has_times = has_rows && !is_list_format(report.format);
    json["time_first"] = has_times ? Json(format_time(report.time_first_us)) : Json();
    json["time_last"] = has_times ? Json(format_time(report.time_last_us)) : Json();
    // Only where it says something, so that the manifests of runs without controls are what they always were.
    if (input.role != InputRole::posts) json["role"] = input_role_name(input.role);
    json["time_resolution"] = {{"resolution_us", report.time_resolution.resolution_us},
                               {"reason", report.time_resolution.reason}};
    return json;
}

Json tables_to_json(const std::string& folder, const NamedTables& tables) {
    Json list = Json::array();
    for (const auto& [name, columns] : tables.columns()) {
        const std::string path = folder + "/" + name + ".csv";
        Json table = {{"name", name},
                      {"sha256", sha256_hex_of_file(path)},
                      {"bytes", static_cast<std::uint64_t>(std::filesystem::file_size(path))}};
        table["columns"] = Json::array();
        for (const auto& column : columns)
            table["columns"].push_back({{"name", column.name}, {"type", type_name(column.type)}});
        list.push_back(std::move(table));
    }
    return list;
}

/// An older run in the same folder may have left tables that this one does not write. They are removed with
/// its manifest, so that whatever stands in the folder belongs together.
void remove_older_run(const std::string& folder) {
    const std::string manifest_path = folder + "/manifest.json";
    std::ifstream file(manifest_path, std::ios::binary);
    if (!file) return;
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const Json manifest = read_json(text);
    std::filesystem::remove(manifest_path);
    if (!manifest.is_object() || !manifest.contains("tables") || !manifest["tables"].is_array()) return;
    for (const auto& table : manifest["tables"]) {
        if (!table.is_object() || !table.contains("name") || !table["name"].is_string()) continue;
        const auto name = table["name"].get<std::string>();
        if (name.find('/') == std::string::npos) std::filesystem::remove(folder + "/" + name + ".csv");
    }
}

/// The example records behind each finding, as a table of its own.
void write_locators(const Findings& findings, OutputTables& tables) {
    OutputTable& table = tables.open("locators", {{"metric", CellType::text, "the finding"},
                                                  {"evidence", CellType::integer, "input of the run, from 1"},
                                                  {"row", CellType::integer, "data record of that input, from 1"}});
    for (const auto& finding : findings.items)
        for (const auto& locator : finding.locators) {
            table.text(finding.metric);
            table.integer(std::int64_t{locator.evidence} + 1);
            table.integer(static_cast<std::int64_t>(locator.row));
            table.end_row();
        }
}

}  // namespace

std::string_view input_role_name(InputRole role) {
    switch (role) {
        case InputRole::posts:
            return "posts";
        case InputRole::control:
            return "control";
    }
    UNVEIL_ASSERT(false);
    return {};
}

RunResult run_instrument(const RunRequest& request, const std::string& out_folder, Progress& progress) {
    UNVEIL_ASSERT(request.instrument != nullptr);
    const auto& description = request.instrument->description();
    if (!description.accepts_controls)
        for (const auto& input : request.inputs)
            if (input.role == InputRole::control)
                throw Error(ErrorKind::usage,
                            fmt::format("the instrument '{}' takes no control inputs", description.name),
                            "Leave the control out", shown_path(input));

    std::vector<std::unique_ptr<WatchedSource>> sources;
    InstrumentInputs inputs;
    const auto take = [&](auto source, auto& seen_by_instrument) {
        seen_by_instrument.push_back(source.get());
        sources.push_back(std::move(source));
    };
    for (const auto& input : request.inputs) {
        progress.check();
        EvidenceOptions options = input.options;
        options.threads = request.threads;
        const auto position = static_cast<std::uint32_t>(sources.size());
        try {
            const bool is_network = description.record == "network record";
            if (description.record == "trial" && is_labelled_words_file(input.path))
                take(std::make_unique<WatchedLabels>(open_labelled_words(input.path), input), inputs.labels);
            else if (description.record == "trial")
                take(std::make_unique<WatchedTrials>(open_trials(input.path, position), input), inputs.trials);
            else if (is_network && (input.options.format == "blocking-fingerprints" || is_blocking_fingerprints_file(input.path)))
                take(std::make_unique<WatchedFingerprints>(open_blocking_fingerprints(input.path), input), inputs.fingerprints);
            else if (is_network && is_capture_file(input.path))
                take(std::make_unique<WatchedFrames>(open_capture(input.path, position), input), inputs.frames);
            else if (is_network)
                take(std::make_unique<WatchedMeasurements>(open_measurements(input.path, position), input), inputs.measurements);
            else
                take(std::make_unique<WatchedPosts>(request.open ? request.open(input.path, options, position) : open_posts(input.path, options, position), input),
                     input.role == InputRole::control ? inputs.controls : inputs.posts);
        } catch (const Error& error) {
            // A file that was exchanged is the better explanation for one that cannot be read.
            if (error.kind() == ErrorKind::input && !input.sha256_expected.empty())
                check_digest(input, sha256_hex_of_file(input.path));
            throw;
        }
    }

    NoOutputTables dropped;
    std::unique_ptr<CsvOutputTables> written;
    if (!out_folder.empty()) written = std::make_unique<CsvOutputTables>(out_folder);
    NamedTables tables(written ? static_cast<OutputTables&>(*written) : dropped);

    std::string scratch_folder = request.scratch_folder;
    if (scratch_folder.empty()) scratch_folder = out_folder.empty() ? "/var/tmp" : out_folder;
    InstrumentContext context{
        request.seed, request.threads, {scratch_folder, request.memory_bytes_max}, tables, progress};
    const auto check_sources = [&] {
        for (const auto& source : sources) {
            check_digest(source->input(), source->source_report().sha256);
            check_skips(*source, request.skipped_share_max);
        }
        for (const auto& source : sources)
            if (source->input().role == InputRole::control && source->source_report().tally.kept() == 0)
                throw Error(ErrorKind::input, "there is no post in this control", "Leave it out, or give another file",
                            source->input().shown_path);
        // The same bytes twice would count every post twice.
        for (std::size_t i = 0; i < sources.size(); ++i)
            for (std::size_t k = 0; k < i; ++k)
                if (sources[i]->source_report().sha256 == sources[k]->source_report().sha256) {
                    const bool is_both = sources[i]->input().role != sources[k]->input().role;
                    throw Error(ErrorKind::input,
                                fmt::format("this {} has the same bytes as {}{}", is_both ? "control" : "file",
                                            is_both ? "the input " : "", sources[k]->input().shown_path),
                                is_both ? "Accounts under investigation are no controls; give it as one of the two"
                                        : "Give it once",
                                sources[i]->input().shown_path);
                }
    };
    RunResult result;
    try {
        result.findings = request.instrument->run(inputs, request.parameters, context);
        for (const auto& source : sources)
            if (source->input().role == InputRole::control && !source->has_begun())
                result.findings.caveats.push_back(fmt::format("The control {} was not used: nothing here rests on it.",
                                                              printable(source->input().shown_path, 200)));
        for (const auto& source : sources) source->drain(progress);
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::input) throw;
        for (auto& source : sources) {
            if (source->has_broken()) {
                if (!source->input().sha256_expected.empty())
                    check_digest(source->input(), sha256_hex_of_file(source->input().path));
                throw;
            }
            source->drain(progress);
        }
        // "Too few posts" is often "most rows were unreadable"; the latter says more.
        check_sources();
        throw;
    }
    check_sources();

    for (const auto& source : sources) {
        const Tally& tally = source->source_report().tally;
        if (tally.skipped() == 0) continue;
        result.findings.caveats.push_back(
            fmt::format("{} of {} records of {} could not be read; no count holds what they say.",
                        grouped_digits(tally.skipped()), grouped_digits(tally.skipped() + tally.kept()),
                        printable(source->input().shown_path, 200)));
    }
    write_locators(result.findings, tables);
    result.findings_json = findings_to_json(result.findings);
    if (written) {
        remove_older_run(out_folder);
        written->finish();
    }

    Json manifest = {{"schema_version", 1},
                     {"tool", "unveil"},
                     {"version", unveil_version()},
                     {"commit", unveil_commit()},
                     {"instrument", description.name},
                     {"parameters", Json::parse(request.parameters.canonical_json())},
                     {"seed", request.seed}};
    manifest["inputs"] = Json::array();
    for (const auto& source : sources) {
        result.sources.push_back(source->source_report());
        manifest["inputs"].push_back(input_to_json(source->input(), source->source_report()));
    }
    manifest["findings_sha256"] = sha256_hex(result.findings_json);
    manifest["tables"] = written ? tables_to_json(out_folder, tables) : Json::array();
    result.manifest_json = json_text(manifest) + "\n";

    if (written) {
        write_file_atomically(out_folder + "/findings.json", result.findings_json);
        write_file_atomically(out_folder + "/manifest.json", result.manifest_json);
    }
    return result;
}

std::string run_key(const RunRequest& request, const std::vector<std::string>& input_sha256) {
    UNVEIL_ASSERT(input_sha256.size() == request.inputs.size());
    Json key = {{"instrument", request.instrument->description().name},
                {"version", unveil_version()},
                {"parameters", Json::parse(request.parameters.canonical_json())},
                {"seed", request.seed}};
    key["inputs"] = Json::array();
    for (std::size_t i = 0; i < input_sha256.size(); ++i) {
        Json columns = Json::object();
        for (const auto& [field, column] : request.inputs[i].options.columns) columns[field] = column;
        key["inputs"].push_back({{"sha256", input_sha256[i]},
                                 {"format", request.inputs[i].options.format},
                                 {"columns", std::move(columns)}});
        const auto role = request.inputs[i].role;
        if (role != InputRole::posts) key["inputs"].back()["role"] = input_role_name(role);
    }
    return sha256_hex(json_text(key));
}

std::string unveil_version() {
    return version_text;
}
std::string unveil_commit() {
    return commit_text;
}

}  // namespace unveil
