#include "cli/command_inspect.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <unordered_set>

#include "cli/global.hpp"
#include "cli/inspect_lines.hpp"
#include "cli/inspect_network.hpp"
#include "cli/inspect_trials.hpp"
#include "core/error.hpp"
#include "core/json.hpp"
#include "core/parameter.hpp"
#include "core/text.hpp"
#include "core/time.hpp"
#include "evidence/blocking_fingerprints.hpp"
#include "evidence/capture.hpp"
#include "evidence/ooni.hpp"
#include "evidence/open.hpp"
#include "evidence/table_posts.hpp"
#include "evidence/trial_log.hpp"
#include "instruments/coordination/traces.hpp"

namespace unveil::cli {
namespace {

using Json = nlohmann::ordered_json;

/// What a run allows unless told otherwise.
constexpr double skipped_share_max = 0.01;

struct TraceCount {
    std::string_view trace;
    std::uint64_t posts = 0;
};

struct Inspection {
    SourceReport report;
    std::string container;
    TableMapping mapping;
    std::uint64_t accounts = 0;
    std::vector<TraceCount> traces;  // those that some post can carry
    std::string next;                // a command line; empty when there is nothing to run
    std::optional<Error> error;
};

std::uint64_t count_filled(const std::vector<std::string_view>& column) {
    return static_cast<std::uint64_t>(
        std::count_if(column.begin(), column.end(), [](auto cell) { return !cell.empty(); }));
}

std::uint64_t count_filled(const ListColumn& column) {
    std::uint64_t count = 0;
    std::uint32_t before = 0;
    for (const auto end : column.ends) {
        count += end != before;
        before = end;
    }
    return count;
}

std::uint64_t count_filled(const PostBatch& batch, PostField field) {
    switch (field) {
        case PostField::object:
            return count_filled(batch.object);
        case PostField::repost_of:
            return count_filled(batch.repost_of);
        case PostField::reply_to:
            return count_filled(batch.reply_to);
        case PostField::quote_of:
            return count_filled(batch.quote_of);
        case PostField::text:
            return count_filled(batch.text);
        case PostField::urls:
            return count_filled(batch.urls);
        case PostField::hashtags:
            return count_filled(batch.hashtags);
        case PostField::mentions:
            return count_filled(batch.mentions);
        case PostField::domains:
            return count_filled(batch.domains);
        default:
            return 0;
    }
}

std::string next_command(const Inspection& inspection, const ParameterValues& options) {
    if (inspection.traces.empty() || inspection.report.tally.kept() < 2) return {};
    // A window finer than the times would be meaningless, and is refused.
    const auto window_us =
        std::max<std::int64_t>(60'000'000, inspection.report.time_resolution.resolution_us);
    // `auto` takes the specific traces; broad ones must be asked for, which is only suggested when nothing else is there.
    std::string broad;
    bool has_specific = false;
    for (const auto& description : coordination::trace_descriptions())
        for (const auto& [trace, posts] : inspection.traces) {
            if (trace != description.name || posts < 2) continue;
            has_specific |= description.is_specific;
            if (!description.is_specific) broad += fmt::format("{}{}", broad.empty() ? " --traces " : ",", trace);
        }
    if (!has_specific && broad.empty()) return {};
    std::string out = "unveil coordination " + shell_word(inspection.report.path);
    for (const auto* name : {"format", "columns"})
        if (options.has_value(name)) out += fmt::format(" --{} {}", name, shell_word(options.text(name)));
    return out + fmt::format(" --window {}{} --out result", format_duration(window_us), has_specific ? "" : broad);
}

Inspection inspect(const std::string& path, const Invocation& invocation, std::uint32_t position) {
    const auto& options = invocation.options;
    Inspection inspection;
    inspection.report.path = path;
    EvidenceOptions evidence;
    evidence.format = options.text("format");
    if (options.has_value("columns")) evidence.columns = parse_columns_option(options.text("columns"));
    evidence.threads = invocation.global.threads;
    try {
        const auto source = open_posts(path, evidence, position);
        PostFields of_traces = 0;
        for (const auto& description : coordination::trace_descriptions()) of_traces |= description.any_of;
        std::vector<std::pair<PostField, std::uint64_t>> filled;
        for (const auto& [field, name] : post_field_names())
            if (contains(of_traces & source->fields(), field)) filled.emplace_back(field, 0);
        std::unordered_set<std::string> accounts;
        PostBatch batch;
        std::string account;
        while (source->next(batch)) {
            for (const auto& name : batch.account) {
                account = name;
                accounts.insert(account);
            }
            for (auto& [field, count] : filled) count += count_filled(batch, field);
            invocation.global.progress->update("reading", source->bytes_done(), source->report().bytes);
            invocation.global.progress->check();
        }
        inspection.report = source->report();
        inspection.accounts = accounts.size();
        if (const auto* table = dynamic_cast<const TablePosts*>(source.get())) {
            inspection.container = table->container();
            inspection.mapping = table->mapping();
        }
        for (const auto& description : coordination::trace_descriptions()) {
            std::uint64_t posts = 0;
            for (const auto& [field, count] : filled)
                if (contains(description.any_of, field)) posts = std::max(posts, count);
            if (posts > 0) inspection.traces.push_back({description.name, posts});
        }
        inspection.next = next_command(inspection, options);
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::input && error.kind() != ErrorKind::run) throw;
        inspection.error = error;
    }
    return inspection;
}

std::vector<std::string> unread_columns(const TableMapping& mapping) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < mapping.columns.size(); ++i)
        if (std::none_of(mapping.mapped.begin(), mapping.mapped.end(),
                         [&](const auto& used) { return used.column == i; }))
            names.push_back(mapping.columns[i]);
    return names;
}

/// Columns that nothing was read from although a known format calls a field so that is still without one. Names that
/// mean different fields in different formats are left alone.
std::vector<std::pair<PostField, std::string>> likely_columns(const TableMapping& mapping) {
    std::vector<std::pair<PostField, std::string>> likely;
    PostFields taken = mapping.fields;
    for (const auto& column : unread_columns(mapping)) {
        PostFields meant = 0;
        for (const auto& [field, name] : post_field_names())
            if (name == column) meant |= static_cast<PostFields>(field);
        for (const auto& format : table_formats())
            for (const auto& known : format.columns)
                if (known.column == column) meant |= static_cast<PostFields>(known.field);
        if (!std::has_single_bit(meant) || (meant & taken) != 0) continue;
        taken |= meant;
        likely.emplace_back(static_cast<PostField>(meant), column);
    }
    return likely;
}

Json to_json(const Inspection& inspection) {
    const auto& report = inspection.report;
    Json json;
    json["path"] = report.path;
    if (inspection.error) {
        json["readable"] = false;
        json["error"] = {{"message", inspection.error->message()},
                         {"where", inspection.error->where()},
                         {"hint", inspection.error->hint()}};
        return json;
    }
    json["readable"] = true;
    json["format"] = report.format;
    json["container"] = inspection.container;
    json["compression"] = report.compression;
    json["bytes"] = report.bytes;
    json["sha256"] = report.sha256;
    json["posts_kept"] = report.tally.kept();
    json["rows_skipped"] = report.tally.skipped();
    json["skipped"] = Json::array();
    for (const auto& [reason, entry] : report.tally.skips())
        json["skipped"].push_back({{"reason", reason}, {"count", entry.count}, {"examples", entry.examples}});
    json["notes"] = Json::array();
    for (const auto& [what, count] : report.tally.notes())
        json["notes"].push_back({{"what", what}, {"count", count}});
    json["accounts"] = inspection.accounts;
    if (report.tally.kept() > 0) {
        json["time_first"] = format_time(report.time_first_us);
        json["time_last"] = format_time(report.time_last_us);
        json["time_resolution_us"] = report.time_resolution.resolution_us;
        json["time_resolution_reason"] = report.time_resolution.reason;
    }
    json["columns"] = Json::object();
    for (const auto& used : inspection.mapping.mapped)
        json["columns"][std::string(post_field_name(used.field))] = inspection.mapping.columns[used.column];
    json["columns_not_read"] = unread_columns(inspection.mapping);
    json["columns_likely"] = Json::object();
    for (const auto& [field, column] : likely_columns(inspection.mapping))
        json["columns_likely"][std::string(post_field_name(field))] = column;
    json["traces"] = Json::array();
    for (const auto& [trace, posts] : inspection.traces)
        json["traces"].push_back({{"trace", trace}, {"posts", posts}});
    json["next"] = inspection.next;
    return json;
}

std::string human(std::uint64_t number) {
    return human_number(static_cast<double>(number));
}

std::string to_text(const Inspection& inspection) {
    const auto& report = inspection.report;
    const auto& tally = report.tally;
    std::string out = printable(report.path, 1000) + "\n";
    if (inspection.error) {
        add_line(out, "problem", printable(inspection.error->message(), 4000));
        if (inspection.error->where() != report.path && !inspection.error->where().empty())
            add_line(out, "where", printable(inspection.error->where(), 1000));
        if (!inspection.error->hint().empty())
            add_line(out, "remedy", printable(inspection.error->hint(), 2000));
        return out;
    }
    add_line(out, "format",
             fmt::format("{} ({}{})", report.format, inspection.container,
                         report.compression == "none" ? "" : ", " + report.compression));
    add_line(out, "size", fmt::format("{} bytes", human(report.bytes)));
    add_line(out, "sha256", report.sha256);
    add_line(out, "posts", human(tally.kept()));
    add_line(out, "accounts", human(inspection.accounts));
    if (tally.kept() > 0) {
        add_line(
            out, "time",
            fmt::format("{} to {}", format_time(report.time_first_us), format_time(report.time_last_us)));
        add_line(out, "resolution",
                 fmt::format("{} ({})",
                             report.time_resolution.resolution_us == 1
                                 ? "not limited"
                                 : format_duration(report.time_resolution.resolution_us),
                             report.time_resolution.reason));
    }
    std::size_t name_size = 10;
    for (const auto& used : inspection.mapping.mapped)
        name_size = std::max(name_size, post_field_name(used.field).size());
    std::string_view label = "columns";
    for (const auto& used : inspection.mapping.mapped) {
        add_line(out, label,
                 fmt::format("{:<{}} {}", post_field_name(used.field), name_size,
                             printable(inspection.mapping.columns[used.column], 80)));
        label = "";
    }
    if (const auto unread = unread_columns(inspection.mapping); !unread.empty())
        add_line(out, "not read", listed_columns(unread));
    std::string likely;
    for (const auto& [field, column] : likely_columns(inspection.mapping))
        likely += fmt::format("{}{}={}", likely.empty() ? "" : ",", post_field_name(field), column);
    if (!likely.empty()) add_line(out, "likely", fmt::format("--columns {} reads more of them", likely));
    label = "traces";
    for (const auto& [trace, posts] : inspection.traces) {
        add_line(out, label, fmt::format("{:<16} {} post{}", trace, human(posts), posts == 1 ? "" : "s"));
        label = "";
    }
    if (inspection.traces.empty())
        add_line(out, "traces", "none: no column holds anything that accounts could share");
    label = "notes";
    for (const auto& [what, count] : tally.notes()) {
        add_line(out, label, fmt::format("{} x {}", human(count), what));
        label = "";
    }
    label = "skipped";
    if (tally.skipped() > 0)
        add_line(out, label,
                 fmt::format("{} row{}, {:.2f} %", human(tally.skipped()), tally.skipped() == 1 ? "" : "s",
                             100 * tally.skipped_share()));
    for (const auto& [reason, entry] : tally.skips()) {
        add_line(out, "", fmt::format("{} x {}", human(entry.count), reason));
        for (const auto& example : entry.examples) add_line(out, "", "  " + printable(example, 400));
    }
    if (tally.kept() == 0)
        add_line(out, "problem", "there is no post in it");
    else if (tally.skipped_share() > skipped_share_max)
        add_line(out, "problem",
                 "more than 1 % of the rows are malformed, which fails a run unless --skipped-share-max "
                 "allows it");
    if (!inspection.next.empty()) add_line(out, "run next", printable(inspection.next, 4000));
    return out;
}

class InspectCommand final : public Command {
  public:
    CommandDescription description() const override {
        CommandDescription description;
        description.name = "inspect";
        description.summary = "Say what a file is, what is in it and what to run on it";
        description.details =
            "Reads each file to its end and says its format and packing, how many posts and accounts it "
            "holds, the time "
            "span and how fine the times are, which column was taken for what, which traces the posts can "
            "carry, every "
            "kind of row that was skipped with examples, and a command that runs on it. Of captures it says links "
            "and protocols, of OONI measurements tests, countries and networks.";
        description.positionals = {
            {"FILE",
             "Files of posts (CSV, JSON or Parquet), logs of trials, packet captures or OONI measurements, plain or packed with "
             "gzip, zstd or xz",
             1, SIZE_MAX}};
        description.options = {
            command_option("format", ParameterType::text, "NAME", "",
                           "Format of the files instead of detecting it; 'unveil list' names them"),
            command_option("columns", ParameterType::text, "FIELD=COLUMN,...", "",
                           "Which column holds which field, such as account=user_id,time=created_at")};
        description.examples = {
            "unveil inspect tweets.csv.gz",
            "unveil inspect posts.csv --columns account=user,time=created,urls=link --json"};
        description.diagnostics = {"0: every file could be read; 1: at least one could not"};
        description.memory = "The account names of one file, and a read buffer";
        return description;
    }

    int run(const Invocation& invocation) const override {
        bool is_all_readable = true;
        Json files = Json::array();
        std::uint32_t position = 0;
        for (const auto& path : invocation.positionals.at(0)) {
            Json json;
            std::optional<FileInspection> read;
            if (is_trial_log_file(path)) read = inspect_trials(path, invocation.global, json);
            else if (is_capture_file(path)) read = inspect_capture(path, invocation.global, json);
            else if (is_measurements_file(path)) read = inspect_measurements(path, invocation.global, json);
            else if (!invocation.options.has_value("columns") && is_blocking_fingerprints_file(path)) read = inspect_fingerprints(path, invocation.global, json);
            if (read) {
                is_all_readable = is_all_readable && read->is_readable;
                if (invocation.global.json) files.push_back(std::move(json));
                else fmt::print("{}{}", position > 0 ? "\n" : "", read->text);
                ++position;
                continue;
            }
            const auto inspection = inspect(path, invocation, position);
            is_all_readable = is_all_readable && !inspection.error;
            if (invocation.global.json)
                files.push_back(to_json(inspection));
            else
                fmt::print("{}{}", position > 0 ? "\n" : "", to_text(inspection));
            ++position;
        }
        if (invocation.global.json) fmt::print("{}\n", json_text({{"schema_version", 1}, {"files", files}}));
        return is_all_readable ? 0 : 1;
    }
};

}  // namespace

std::unique_ptr<Command> make_inspect_command() {
    return std::make_unique<InspectCommand>();
}

}  // namespace unveil::cli
