#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <tuple>

#include "core/error.hpp"
#include "core/json.hpp"
#include "report/export.hpp"
#include "report/table_file.hpp"

namespace unveil {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 5> layers = {"dns", "tcp", "tls", "http", "throttle"};
constexpr std::size_t cells_max = 2'000'000;   // of sites.csv, which are held

[[noreturn]] void throw_damaged(const std::string& path, std::string_view what) {
    throw Error(ErrorKind::input, fmt::format("the table is damaged: {}", what), "Run 'unveil investigate' on the case again", path);
}

/// A table whose columns are asked for by name.
class NamedTable {
  public:
    explicit NamedTable(const std::string& path) : m_path(path), m_table(path) {}

    bool next() { return m_table.next(m_cells); }
    const std::string& text(std::string_view column) {
        const auto [known, is_new] = m_places.try_emplace(std::string(column), 0);
        if (is_new) {
            known->second = m_table.column({column});
            if (known->second == SIZE_MAX) throw_damaged(m_path, fmt::format("there is no column '{}'", column));
        }
        return m_cells[known->second];
    }
    /// Null for an empty cell.
    Json text_or_null(std::string_view column) {
        const auto& cell = text(column);
        return cell.empty() ? Json() : Json(cell);
    }
    Json real_or_null(std::string_view column) {
        const auto& cell = text(column);
        if (cell.empty()) return {};
        const Json parsed = Json::parse(cell, nullptr, false);
        if (!parsed.is_number()) throw_damaged(m_path, fmt::format("'{}' is no number", column));
        return parsed;
    }
    std::uint64_t count(std::string_view column) { return number(text(column), column); }
    std::uint64_t number(std::string_view cell, std::string_view column) const {
        std::uint64_t value = 0;
        const auto [end, fault] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
        if (fault != std::errc() || end != cell.data() + cell.size()) throw_damaged(m_path, fmt::format("'{}' holds what is no count", column));
        return value;
    }
    /// "AS64512" as the number.
    std::uint64_t network() {
        const auto& cell = text("network");
        if (!cell.starts_with("AS")) throw_damaged(m_path, "a network has no number");
        return number(std::string_view(cell).substr(2), "network");
    }
    const std::string& path() const { return m_path; }

  private:
    std::string m_path;
    TableFile m_table;
    std::map<std::string, std::size_t, std::less<>> m_places;
    std::vector<std::string> m_cells;
};

const std::string& digest_of(const ReportRun& run, std::uint64_t input, const std::string& path) {
    if (input == 0 || input > run.inputs.size()) throw_damaged(path, "it names an input that the run does not have");
    return run.inputs[input - 1].sha256;
}

/// "2:87/test_keys/queries/0 2:90" as digests, lines and pointers.
Json evidence_of(const NamedTable& table, const ReportRun& run, std::string_view cell) {
    Json out = Json::array();
    while (!cell.empty()) {
        const auto one = cell.substr(0, cell.find(' '));
        cell.remove_prefix(std::min(one.size() + 1, cell.size()));
        const auto colon = one.find(':');
        if (colon == std::string_view::npos) throw_damaged(table.path(), "evidence without a line");
        const auto slash = std::min(one.find('/', colon), one.size());
        out.push_back({{"sha256", digest_of(run, table.number(one.substr(0, colon), "evidence"), table.path())},
                       {"line", table.number(one.substr(colon + 1, slash - colon - 1), "evidence")},
                       {"pointer", one.substr(slash)}});
    }
    return out;
}

struct Cell {
    Json json;             // what the line of a day says of it
    std::string verdict;
};

using Place = std::tuple<std::string, std::string, std::uint64_t>;  // site, country, network

struct Site {
    std::string network_name;
    std::array<Cell, layers.size()> of;
};

std::map<Place, Site> read_sites(const std::string& path, const ReportRun& run) {
    std::map<Place, Site> sites;
    NamedTable table(path);
    std::size_t cells = 0;
    while (table.next()) {
        if (++cells > cells_max)
            throw Error(ErrorKind::run, fmt::format("there are more than {} sites, networks and layers", cells_max), "Export as csv or parquet", path);
        const auto layer = static_cast<std::size_t>(std::find(layers.begin(), layers.end(), table.text("layer")) - layers.begin());
        if (layer == layers.size()) throw_damaged(path, "a layer is not known");
        Site& site = sites[{table.text("site"), table.text("country"), table.network()}];
        site.network_name = table.text("network_name");
        Cell& cell = site.of[layer];
        cell.verdict = table.text("verdict");
        cell.json = {{"verdict", cell.verdict},
                     {"mechanism", table.text_or_null("mechanism")},
                     {"measurement_count", table.count("measurements")},
                     {"blocked_count", table.count("blocked")},
                     {"control", table.text("control")},
                     {"p_value", table.real_or_null("p_value")},
                     {"q_value", table.real_or_null("q_value")},
                     {"doubt", table.text_or_null("doubt")},
                     {"alternative", table.text_or_null("alternative")},
                     {"log_likelihood_ratio", table.real_or_null("log_likelihood_ratio")},
                     {"since", table.text_or_null("since")},
                     {"until", table.text_or_null("until")},
                     {"evidence", evidence_of(table, run, table.text("evidence"))}};
    }
    return sites;
}

double share_of(std::uint64_t part, std::uint64_t all) { return static_cast<double>(part) / static_cast<double>(all); }

/// What became of the site on the day, by the verdicts over all days.
std::string_view outcome_of(const Site& site, const std::array<std::array<std::uint64_t, 3>, layers.size()>& counts) {
    bool is_seen = false, is_down = false, is_refused = false, is_all_free = true;
    for (std::size_t i = 0; i < layers.size(); ++i) {
        const auto& [seen, blocked, down] = counts[i];
        if (seen == 0) continue;
        is_seen = true;
        const auto& verdict = site.of[i].verdict;
        if (verdict == "blocked" && 2 * blocked >= seen) return "blocked";
        is_down = is_down || (verdict == "down everywhere" && 2 * (blocked + down) >= seen);
        is_refused = is_refused || verdict == "geo-block";
        is_all_free = is_all_free && verdict == "not blocked" && blocked == 0;
    }
    return is_down ? "down" : is_refused ? "geo-block" : is_seen && is_all_free ? "ok" : "insufficient";
}

void write_days(const std::string& days_path, const std::string& sites_path, const ReportRun& run, ExportFile& file) {
    const auto sites = read_sites(sites_path, run);
    NamedTable table(days_path);
    while (table.next()) {
        const auto network = table.network();
        const auto known = sites.find({table.text("site"), table.text("country"), network});
        static const Site unknown;   // no measurement of it says anything about any layer
        const Site& site = known == sites.end() ? unknown : known->second;
        Json line = {{"measurement_start_day", table.text("day")},
                     {"probe_cc", table.text("country")},
                     {"probe_asn", network},
                     {"probe_as_org_name", site.network_name},
                     {"domain", table.text("site")},
                     {"test_name", table.text_or_null("test")},
                     {"measurement_count", table.count("measurements")}};
        std::array<std::array<std::uint64_t, 3>, layers.size()> counts{};
        Json verdicts = Json::object();
        Json numbers = Json::object();
        Json evidence = Json::object();
        for (std::size_t i = 0; i < layers.size(); ++i) {
            auto& [seen, blocked, down] = counts[i];
            seen = table.count(fmt::format("{}_measurements", layers[i]));
            blocked = table.count(fmt::format("{}_blocked", layers[i]));
            down = table.count(fmt::format("{}_down", layers[i]));
            if (blocked > seen || down > seen - blocked) throw_damaged(days_path, "more measurements are blocked or down than there are");
            const bool is_seen = seen > 0;
            line[fmt::format("{}_count", layers[i])] = seen;
            line[fmt::format("{}_blocked", layers[i])] = is_seen ? Json(share_of(blocked, seen)) : Json();
            line[fmt::format("{}_down", layers[i])] = is_seen ? Json(share_of(down, seen)) : Json();
            line[fmt::format("{}_ok", layers[i])] = is_seen ? Json(share_of(seen - blocked - down, seen)) : Json();
            const std::string layer(layers[i]);
            if (is_seen) numbers[layer] = {{"measured", seen}, {"blocked", blocked}, {"down", down}};
            if (const auto& cell = table.text(layer + "_evidence"); !cell.empty()) evidence[layer] = evidence_of(table, run, cell);
            if (is_seen && !site.of[i].verdict.empty()) verdicts[layer] = site.of[i].json;
        }
        line["outcome_label"] = outcome_of(site, counts);
        line["unveil"] = {{"run", run.findings_sha256}, {"counts", std::move(numbers)}, {"evidence", std::move(evidence)}, {"verdicts", std::move(verdicts)}};
        file.write(json_text(line) + "\n");
    }
}

/// The words of OONI's list of failures for what a client sees; null where it sees no failure.
Json failure_of(std::string_view mechanism) {
    if (mechanism == "rst-injection") return "connection_reset";
    if (mechanism == "syn-reset") return "connection_refused";
    for (const auto* lost : {"silent-drop", "freeze", "quic-drop", "fully-encrypted-drop", "protocol-whitelist", "syn-drop"})
        if (mechanism == lost) return "generic_timeout_error";
    // The connection failed, and the table does not say how.
    if (mechanism == "residual") return "unknown_failure";
    return {};
}

/// What the client was doing when the sign came.
std::string_view operation_of(std::string_view mechanism) { return mechanism == "syn-ack-injection" || mechanism == "residual" ? "connect" : "read"; }

std::string endpoint(const std::string& address, std::uint64_t port) {
    return address.find(':') == std::string::npos ? fmt::format("{}:{}", address, port) : fmt::format("[{}]:{}", address, port);
}

void write_flows(const std::string& path, const ReportRun& run, ExportFile& file) {
    NamedTable table(path);
    while (table.next()) {
        const auto& kind = table.text("kind");
        const auto& mechanism = table.text("mechanism");
        const auto server = endpoint(table.text("server"), table.count("server_port"));
        const auto milliseconds = table.real_or_null("milliseconds");
        const Json seconds = milliseconds.is_null() ? Json() : Json(milliseconds.get<double>() / 1000);
        // As OONI writes times, to the second.
        std::string time = table.text("time").substr(0, 19);
        std::replace(time.begin(), time.end(), 'T', ' ');
        Json keys;
        if (kind == "dns")
            keys["queries"] = Json::array({{{"hostname", table.text("name")}, {"resolver_address", server}, {"failure", nullptr}, {"t", seconds}}});
        else
            keys["network_events"] = Json::array({{{"address", server}, {"proto", kind == "quic" ? "udp" : "tcp"}, {"operation", operation_of(mechanism)}, {"failure", failure_of(mechanism)}, {"t", seconds}}});
        Json frames = Json::array();
        std::string_view left = table.text("frames");
        while (!left.empty()) {
            const auto one = left.substr(0, left.find(' '));
            left.remove_prefix(std::min(one.size() + 1, left.size()));
            frames.push_back(table.number(one, "frames"));
        }
        const Json line = {{"measurement_start_time", std::move(time)},
                           {"test_name", "unveil_capture"},
                           {"input", table.text_or_null("name")},
                           {"test_keys", std::move(keys)},
                           {"unveil",
                            {{"run", run.findings_sha256},
                             {"kind", kind},
                             {"mechanism", mechanism},
                             {"verdict", table.text("verdict")},
                             {"box_class", table.text_or_null("box_class")},
                             {"fingerprint", table.text_or_null("fingerprint")},
                             {"log_likelihood_ratio", table.real_or_null("log_likelihood_ratio")},
                             {"evidence", {{"sha256", digest_of(run, table.count("evidence"), path)}, {"frames", std::move(frames)}}}}}};
        file.write(json_text(line) + "\n");
    }
}

}  // namespace

void export_ooni(const CaseFolder& folder, const ExportOptions& options) {
    const auto table_of = [](const CaseRun& run, std::string_view name) -> const std::string* {
        for (const auto& table : run.tables)
            if (table.name == name) return &table.path;
        return nullptr;
    };
    bool has_any = false;
    for (const auto& run : folder.runs) has_any = has_any || (run.instrument == "interference" && (table_of(run, "days") != nullptr || table_of(run, "flows") != nullptr));
    if (!has_any)
        throw Error(ErrorKind::usage, "there is nothing to export in OONI's words: no run of 'interference' has measurements or captures",
                    "Investigate the case again if it was made by an older unveil; else export as csv");
    std::error_code failure;
    std::filesystem::create_directories(options.out, failure);
    if (failure) throw Error(ErrorKind::run, "cannot make the folder: " + failure.message(), "Choose another --out", options.out);
    for (std::size_t i = 0; i < folder.runs.size(); ++i) {
        const auto& run = folder.runs[i];
        if (run.instrument != "interference") continue;
        const std::string suffix = i == 0 ? std::string() : fmt::format("_run{}", i + 1);
        const auto* days = table_of(run, "days");
        const auto* sites = table_of(run, "sites");
        if (days != nullptr && sites != nullptr) {
            ExportFile file(fmt::format("{}/measurement_days{}.jsonl", options.out, suffix));
            write_days(*days, *sites, folder.report.runs[i], file);
            file.finish();
        }
        if (const auto* flows = table_of(run, "flows")) {
            ExportFile file(fmt::format("{}/flows{}.jsonl", options.out, suffix));
            write_flows(*flows, folder.report.runs[i], file);
            file.finish();
        }
    }
}

}  // namespace unveil
