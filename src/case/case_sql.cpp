#include "case/case_sql.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "case/store.hpp"
#include "core/digest.hpp"
#include "core/error.hpp"
#include "core/json.hpp"
#include "core/output_table.hpp"
#include "core/text.hpp"

namespace unveil {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t folder_digits = 12;

std::string number(double value) {
    std::string text;
    append_real(value, RealStyle::shortest, text);
    return text;
}

/// Collects rows into one INSERT each hundred or so, because a statement a row is slow.
class Inserter {
  public:
    Inserter(DuckDatabase& database, std::string table, const std::string& columns)
        : m_database(database), m_table(std::move(table)) {
        m_database.execute(fmt::format("CREATE TABLE {} ({})", m_table, columns));
    }
    /// `cells` are SQL literals.
    void row(const std::vector<std::string>& cells) {
        m_rows.push_back(fmt::format("({})", fmt::join(cells, ", ")));
        if (m_rows.size() >= 100) flush();
    }
    void flush() {
        if (m_rows.empty()) return;
        m_database.execute(fmt::format("INSERT INTO {} VALUES {}", m_table, fmt::join(m_rows, ", ")));
        m_rows.clear();
    }

  private:
    DuckDatabase& m_database;
    std::string m_table;
    std::vector<std::string> m_rows;
};

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    return out;
}

std::string sql_type(const std::string& type) {
    if (type == "integer") return "BIGINT";
    if (type == "real") return "DOUBLE";
    return "VARCHAR";
}

/// One SELECT over a run's CSV file, with the types that the instrument declared.
std::string select_table(const std::string& run, const std::string& path, const Json& table) {
    std::vector<std::string> columns;
    for (const auto& column : table.value("columns", Json::array()))
        columns.push_back(fmt::format("{}: {}", sql_literal(column.value("name", std::string())),
                                      sql_literal(sql_type(column.value("type", std::string())))));
    return fmt::format(
        "SELECT {} AS run, * FROM read_csv({}, header = true, delim = ',', quote = '\"', escape = '\"', "
        "auto_detect = "
        "false, columns = {{{}}})",
        sql_literal(run), sql_literal(path), fmt::join(columns, ", "));
}

DuckDatabase loaded(const std::string& folder, const std::string& sql, unsigned threads,
                    std::uint64_t memory_bytes_max) {
    const CaseStore store(folder + "/case.unveil", CaseStore::Access::read);
    const auto edition = store.latest_edition();
    if (!edition)
        throw Error(ErrorKind::input, "nothing has been investigated here yet",
                    "Run 'unveil investigate CASE.toml' first", folder);
    DuckDatabase database({threads, memory_bytes_max, true});

    Inserter info(database, "case_info", "title VARCHAR, summary VARCHAR, seed UBIGINT, version VARCHAR");
    info.row({sql_literal(edition->title), sql_literal(edition->summary), std::to_string(edition->seed),
              sql_literal(edition->version)});
    info.flush();

    Inserter evidence(
        database, "evidence",
        "id VARCHAR, path VARCHAR, format VARCHAR, sha256 VARCHAR, bytes UBIGINT, obtained VARCHAR");
    for (const auto& row : edition->evidence)
        evidence.row({sql_literal(row.id), sql_literal(row.path), sql_literal(row.format),
                      sql_literal(row.sha256), std::to_string(row.bytes), sql_literal(row.obtained)});
    evidence.flush();

    Inserter claims(database, "claims",
                    "id VARCHAR, text VARCHAR, kind VARCHAR, instrument VARCHAR, holds VARCHAR, evidence "
                    "VARCHAR, run VARCHAR");
    std::vector<std::string> keys;
    for (const auto& row : edition->claims) {
        const auto run = row.run.substr(0, folder_digits);
        claims.row({sql_literal(row.id), sql_literal(row.text), sql_literal(row.kind),
                    sql_literal(row.instrument), sql_literal(row.holds_json), sql_literal(row.evidence_json),
                    sql_literal(run)});
        if (std::find(keys.begin(), keys.end(), row.run) == keys.end()) keys.push_back(row.run);
    }
    claims.flush();

    Inserter verdicts(database, "verdicts",
                      "claim VARCHAR, verdict VARCHAR, sentence VARCHAR, settles VARCHAR, run VARCHAR");
    for (const auto& row : store.verdicts(edition->number))
        verdicts.row({sql_literal(row.claim), sql_literal(row.verdict), sql_literal(row.sentence),
                      sql_literal(row.settles), sql_literal(row.run.substr(0, folder_digits))});
    verdicts.flush();

    Inserter runs(database, "runs",
                  "run VARCHAR, instrument VARCHAR, key VARCHAR, rows_kept UBIGINT, rows_skipped UBIGINT, "
                  "parameters VARCHAR");
    Inserter findings(
        database, "findings",
        "run VARCHAR, metric VARCHAR, subject VARCHAR, value DOUBLE, low DOUBLE, high DOUBLE, level DOUBLE, "
        "unit VARCHAR, strength VARCHAR, strength_value DOUBLE, sentence VARCHAR, caveat VARCHAR, records "
        "UBIGINT");
    const std::string wanted = lower(sql);
    std::map<std::string, std::vector<std::string>> selects;
    for (const auto& key : keys) {
        const auto stored = store.run(key);
        if (!stored) continue;
        const auto run = key.substr(0, folder_digits);
        const Json manifest = read_json(stored->manifest_json);
        std::uint64_t kept = 0;
        std::uint64_t skipped = 0;
        for (const auto& input : manifest.value("inputs", Json::array())) {
            kept += input.value("rows_kept", std::uint64_t{0});
            skipped += input.value("rows_skipped", std::uint64_t{0});
        }
        runs.row({sql_literal(run), sql_literal(stored->instrument), sql_literal(key), std::to_string(kept),
                  std::to_string(skipped), sql_literal(manifest.value("parameters", Json::object()).dump())});
        for (const auto& finding : findings_from_json(stored->findings_json).items)
            findings.row({sql_literal(run), sql_literal(finding.metric), sql_literal(finding.subject),
                          number(finding.value), number(finding.low), std::isinf(finding.high) ? "NULL" : number(finding.high),
                          number(finding.level), sql_literal(finding.unit),
                          sql_literal(strength_name(finding.strength)), number(finding.strength_value),
                          sql_literal(finding.sentence), sql_literal(finding.caveat),
                          std::to_string(finding.locators_total)});
        for (const auto& table : manifest.value("tables", Json::array())) {
            const auto name = table.value("name", std::string());
            if (name.empty() || name.find('/') != std::string::npos) continue;
            // SHOW TABLES should name them all, and needs none of their rows.
            const bool is_named = wanted.find(lower(name)) != std::string::npos;
            if (!is_named && wanted.find("show") == std::string::npos) continue;
            const std::string path = fmt::format("{}/runs/{}/{}.csv", folder, run, name);
            if (!std::filesystem::is_regular_file(path)) continue;
            if (sha256_hex_of_file(path) != table.value("sha256", std::string()))
                throw Error(ErrorKind::input, "the table was changed since it was written",
                            "'unveil investigate' makes it anew", path);
            selects[name].push_back(select_table(run, path, table) + (is_named ? "" : " LIMIT 0"));
        }
    }
    runs.flush();
    findings.flush();

    static const std::set<std::string> taken = {"case_info", "evidence", "runs",
                                                "findings",  "claims",   "verdicts"};
    for (const auto& [name, parts] : selects) {
        const auto table = taken.contains(name) ? name + "_table" : name;
        database.execute(fmt::format("CREATE TABLE {} AS ({})", sql_identifier(table),
                                     fmt::join(parts, ") UNION ALL BY NAME (")));
    }
    database.lock_external_access();
    return database;
}

}  // namespace

DuckDatabase open_case_for_sql(const std::string& folder, const std::string& sql, unsigned threads,
                               std::uint64_t memory_bytes_max) {
    try {
        return loaded(folder, sql, threads, memory_bytes_max);
    } catch (const Json::exception&) {
        throw Error(ErrorKind::input, "a manifest in the case is not what unveil writes",
                    "Investigate again in a new folder", folder);
    }
}

}  // namespace unveil
