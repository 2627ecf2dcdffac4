#include "case/store.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"

namespace unveil {
namespace {

constexpr int application_id = 0x756e7665;  // "unve"
constexpr int schema_version = 1;
constexpr int text_bytes_max = 1'000'000'000;

constexpr std::string_view schema = R"(
CREATE TABLE case_info (
  edition INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  version TEXT NOT NULL,
  title TEXT NOT NULL,
  summary TEXT NOT NULL,
  seed TEXT NOT NULL,
  case_text TEXT NOT NULL,
  case_file TEXT NOT NULL
);
CREATE TABLE evidence (
  edition INTEGER NOT NULL REFERENCES case_info(edition),
  position INTEGER NOT NULL,
  id TEXT NOT NULL,
  path TEXT NOT NULL,
  format TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  obtained TEXT NOT NULL,
  PRIMARY KEY (edition, position),
  UNIQUE (edition, id)
);
CREATE TABLE run (
  key TEXT PRIMARY KEY,
  instrument TEXT NOT NULL,
  manifest_json TEXT NOT NULL,
  findings_json TEXT NOT NULL
);
CREATE TABLE finding (
  run TEXT NOT NULL REFERENCES run(key),
  position INTEGER NOT NULL,
  metric TEXT NOT NULL,
  subject TEXT NOT NULL,
  value REAL NOT NULL,
  low REAL NOT NULL,
  high REAL NOT NULL,
  level REAL NOT NULL,
  unit TEXT NOT NULL,
  strength TEXT NOT NULL,
  strength_value REAL NOT NULL,
  sentence TEXT NOT NULL,
  caveat TEXT NOT NULL,
  records INTEGER NOT NULL,
  PRIMARY KEY (run, position),
  UNIQUE (run, metric)
);
CREATE TABLE claim (
  edition INTEGER NOT NULL REFERENCES case_info(edition),
  position INTEGER NOT NULL,
  id TEXT NOT NULL,
  text TEXT NOT NULL,
  kind TEXT NOT NULL,
  instrument TEXT NOT NULL,
  holds TEXT NOT NULL,
  evidence TEXT NOT NULL,
  run TEXT NOT NULL,
  PRIMARY KEY (edition, position),
  UNIQUE (edition, id)
);
CREATE TABLE verdict (
  edition INTEGER NOT NULL,
  position INTEGER NOT NULL,
  claim TEXT NOT NULL,
  run TEXT NOT NULL REFERENCES run(key),
  verdict TEXT NOT NULL,
  sentence TEXT NOT NULL,
  settles TEXT NOT NULL,
  json TEXT NOT NULL,
  PRIMARY KEY (edition, position),
  FOREIGN KEY (edition, claim) REFERENCES claim(edition, id)
);
)";

struct StoreTable {
    std::string_view name;
    std::string_view order;  // a total order
};
// Referenced tables stand before those that refer to them.
constexpr std::array<StoreTable, 6> tables = {{{"case_info", "edition"},
                                               {"evidence", "edition, position"},
                                               {"run", "key"},
                                               {"finding", "run, position"},
                                               {"claim", "edition, position"},
                                               {"verdict", "edition, position"}}};

std::string schema_sql() {
    std::string sql(schema);
    for (const auto& table : tables)
        for (const std::string_view verb : {"UPDATE", "DELETE"})
            sql += fmt::format(
                "CREATE TRIGGER {0}_no_{1} BEFORE {1} ON {0} BEGIN SELECT RAISE(ABORT, 'a case is only added "
                "to'); END;\n",
                table.name, verb);
    sql += fmt::format("PRAGMA application_id={}; PRAGMA user_version={};", application_id, schema_version);
    return sql;
}

constexpr std::string_view damaged_hint =
    "Restore it from a copy, or move it away and investigate again: nothing but the record of earlier runs "
    "is in it";

/// A finished file is in rollback mode (SQLite file format, header bytes 18 and 19) with nothing beside it.
bool is_finished_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::array<char, 20> header{};
    if (!file.read(header.data(), header.size())) return false;
    return header[18] == 1 && header[19] == 1 && !std::filesystem::exists(path + "-wal") &&
           !std::filesystem::exists(path + "-journal");
}

void sync_folder_of(const std::string& path) {
    const auto folder = std::filesystem::path(path).parent_path();
    const int descriptor = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return;
    ::fsync(descriptor);
    ::close(descriptor);
}

}  // namespace

struct CaseStore::Database {
    std::string path;
    sqlite3* handle = nullptr;

    Database(std::string path_, int flags) : path(std::move(path_)) {
        if (sqlite3_open_v2(path.c_str(), &handle, flags, nullptr) != SQLITE_OK) {
            const std::string said = handle ? sqlite3_errmsg(handle) : "out of memory";
            sqlite3_close_v2(handle);
            throw Error(ErrorKind::input, "cannot open the case: " + said, std::string(damaged_hint), path);
        }
        sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, text_bytes_max);
        sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
        execute(
            "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA foreign_keys=ON; PRAGMA "
            "secure_delete=ON");
    }
    ~Database() { sqlite3_close_v2(handle); }
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    [[noreturn]] void fail() const {
        const int code = sqlite3_errcode(handle);
        const std::string said = printable(sqlite3_errmsg(handle), 200);
        switch (code & 0xff) {
            case SQLITE_FULL:
            case SQLITE_IOERR:
            case SQLITE_READONLY:
            case SQLITE_CANTOPEN:
            case SQLITE_PERM:
                throw Error(ErrorKind::run, "cannot write the case: " + said,
                            "Check that the folder is writable and the disk is not full", path);
            case SQLITE_BUSY:
            case SQLITE_LOCKED:
                throw Error(ErrorKind::run, "the case is in use by another program", "Close it and run again",
                            path);
            default:
                break;
        }
        throw Error(ErrorKind::input, "the case is damaged or is no case of unveil: " + said,
                    std::string(damaged_hint), path);
    }

    void execute(const std::string& sql) const {
        if (sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) fail();
    }
};

namespace {

class Statement {
  public:
    template <typename Database>
    Statement(const Database& database, std::string_view sql) : m_fail([&database] { database.fail(); }) {
        if (sqlite3_prepare_v2(database.handle, sql.data(), static_cast<int>(sql.size()), &m_statement,
                               nullptr) != SQLITE_OK)
            m_fail();
    }
    ~Statement() { sqlite3_finalize(m_statement); }
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;

    Statement& bind(std::string_view text) {
        if (sqlite3_bind_text64(m_statement, ++m_bound, text.data(), text.size(), SQLITE_TRANSIENT,
                                SQLITE_UTF8) != SQLITE_OK)
            m_fail();
        return *this;
    }
    Statement& bind(std::int64_t number) {
        if (sqlite3_bind_int64(m_statement, ++m_bound, number) != SQLITE_OK) m_fail();
        return *this;
    }
    Statement& bind(double number) {
        if (sqlite3_bind_double(m_statement, ++m_bound, number) != SQLITE_OK) m_fail();
        return *this;
    }
    bool step() {
        const int code = sqlite3_step(m_statement);
        if (code != SQLITE_ROW && code != SQLITE_DONE) m_fail();
        return code == SQLITE_ROW;
    }
    std::string text(int column) const {
        const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(m_statement, column));
        return bytes ? std::string(bytes, static_cast<std::size_t>(sqlite3_column_bytes(m_statement, column)))
                     : std::string();
    }
    std::int64_t integer(int column) const { return sqlite3_column_int64(m_statement, column); }

  private:
    std::function<void()> m_fail;
    sqlite3_stmt* m_statement = nullptr;
    int m_bound = 0;
};

/// Rolls back unless committed.
template <typename Database>
class Transaction {
  public:
    explicit Transaction(const Database& database) : m_database(database) {
        m_database.execute("BEGIN IMMEDIATE");
    }
    ~Transaction() {
        if (!m_is_done) sqlite3_exec(m_database.handle, "ROLLBACK", nullptr, nullptr, nullptr);
    }
    void commit() {
        m_database.execute("COMMIT");
        m_is_done = true;
    }

  private:
    const Database& m_database;
    bool m_is_done = false;
};

template <typename Database>
std::string schema_of(const Database& database) {
    std::string all;
    Statement rows(database, "SELECT coalesce(sql, '') FROM sqlite_schema ORDER BY type, name");
    while (rows.step()) all += rows.text(0) + "\n";
    return all;
}

template <typename Database>
std::int64_t pragma(const Database& database, const std::string& name) {
    Statement row(database, "PRAGMA " + name);
    return row.step() ? row.integer(0) : 0;
}

template <typename Database>
void check_store(const Database& database) {
    const auto is_wrong = [&](const std::string& what) {
        throw Error(ErrorKind::input, what, std::string(damaged_hint), database.path);
    };
    if (pragma(database, "application_id") != application_id)
        is_wrong("this SQLite file is no case of unveil");
    const auto version = pragma(database, "user_version");
    if (version > schema_version)
        throw Error(ErrorKind::input,
                    fmt::format("the case has schema {}, this program knows {}", version, schema_version),
                    "Use a newer unveil", database.path);
    static const std::string expected = [] {
        const Database memory(":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
        memory.execute(schema_sql());
        return schema_of(memory);
    }();
    if (schema_of(database) != expected) is_wrong("the tables of the case are not those that unveil makes");
    Statement check(database, "PRAGMA quick_check(1)");
    if (!check.step() || check.text(0) != "ok")
        is_wrong("the case is damaged: " + printable(check.text(0), 200));
    Statement keys(database, "PRAGMA foreign_key_check");
    if (keys.step()) is_wrong("the case is damaged: a row of '" + keys.text(0) + "' refers to nothing");
}

Edition read_edition(const Statement& row) {
    Edition edition;
    edition.number = row.integer(0);
    edition.key = row.text(1);
    edition.version = row.text(2);
    edition.title = row.text(3);
    edition.summary = row.text(4);
    edition.seed = std::strtoull(row.text(5).c_str(), nullptr, 10);
    edition.case_text = row.text(6);
    edition.case_file = row.text(7);
    return edition;
}

template <typename Database>
void read_members(const Database& database, Edition& edition) {
    Statement evidence(
        database,
        "SELECT id, path, format, sha256, bytes, obtained FROM evidence WHERE edition = ? ORDER BY position");
    evidence.bind(edition.number);
    while (evidence.step())
        edition.evidence.push_back({evidence.text(0), evidence.text(1), evidence.text(2), evidence.text(3),
                                    static_cast<std::uint64_t>(evidence.integer(4)), evidence.text(5)});
    Statement claims(database,
                     "SELECT id, text, kind, instrument, holds, evidence, run FROM claim WHERE edition = ? "
                     "ORDER BY position");
    claims.bind(edition.number);
    while (claims.step())
        edition.claims.push_back({claims.text(0), claims.text(1), claims.text(2), claims.text(3),
                                  claims.text(4), claims.text(5), claims.text(6)});
}

}  // namespace

CaseStore::CaseStore(std::string path, Access access) : m_path(std::move(path)), m_access(access) {
    const bool is_there = std::filesystem::exists(m_path);
    if (!is_there && access == Access::read)
        throw Error(ErrorKind::input, "there is no case here", "Run 'unveil investigate CASE.toml' first",
                    m_path);
    m_is_finished = is_there && is_finished_file(m_path);
    if (m_is_finished || access == Access::read) {
        m_database = std::make_unique<Database>(m_path, SQLITE_OPEN_READONLY);
        check_store(*m_database);
    } else {
        need_writable();
    }
}

CaseStore::~CaseStore() = default;

void CaseStore::need_writable() {
    UNVEIL_ASSERT(m_access == Access::write);
    if (m_database && !m_is_finished) return;
    m_database.reset();
    m_is_finished = false;
    m_database = std::make_unique<Database>(m_path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    // First of all, so that a file that is no database is told as such.
    const bool is_empty = schema_of(*m_database).empty() && pragma(*m_database, "application_id") == 0;
    if (!is_empty) check_store(*m_database);
    m_database->execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL");
    if (!is_empty) return;
    Transaction transaction(*m_database);
    m_database->execute(schema_sql());
    transaction.commit();
}

std::optional<Edition> CaseStore::edition(std::string_view key) const {
    Statement row(*m_database, "SELECT * FROM case_info WHERE key = ?");
    row.bind(key);
    if (!row.step()) return {};
    Edition edition = read_edition(row);
    read_members(*m_database, edition);
    return edition;
}

std::optional<Edition> CaseStore::latest_edition() const {
    Statement row(*m_database, "SELECT * FROM case_info ORDER BY edition DESC LIMIT 1");
    if (!row.step()) return {};
    Edition edition = read_edition(row);
    read_members(*m_database, edition);
    return edition;
}

std::optional<Edition> CaseStore::latest_edition_of(std::string_view case_text) const {
    Statement row(*m_database, "SELECT * FROM case_info WHERE case_text = ? ORDER BY edition DESC LIMIT 1");
    row.bind(case_text);
    if (!row.step()) return {};
    Edition edition = read_edition(row);
    read_members(*m_database, edition);
    return edition;
}

std::optional<StoredRun> CaseStore::run(std::string_view key) const {
    Statement row(*m_database, "SELECT key, instrument, manifest_json, findings_json FROM run WHERE key = ?");
    row.bind(key);
    if (!row.step()) return {};
    return StoredRun{row.text(0), row.text(1), row.text(2), row.text(3)};
}

std::vector<StoredVerdict> CaseStore::verdicts(std::int64_t edition) const {
    std::vector<StoredVerdict> found;
    Statement row(*m_database,
                  "SELECT claim, run, verdict, sentence, settles, json FROM verdict WHERE edition = ? ORDER "
                  "BY position");
    row.bind(edition);
    while (row.step())
        found.push_back({row.text(0), row.text(1), row.text(2), row.text(3), row.text(4), row.text(5)});
    return found;
}

void CaseStore::add_edition(Edition& edition) {
    need_writable();
    Transaction transaction(*m_database);
    {
        Statement number(*m_database, "SELECT coalesce(max(edition), 0) + 1 FROM case_info");
        number.step();
        edition.number = number.integer(0);
    }
    Statement(*m_database, "INSERT INTO case_info VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
        .bind(edition.number)
        .bind(edition.key)
        .bind(edition.version)
        .bind(edition.title)
        .bind(edition.summary)
        .bind(std::to_string(edition.seed))
        .bind(edition.case_text)
        .bind(edition.case_file)
        .step();
    std::int64_t position = 0;
    for (const auto& evidence : edition.evidence)
        Statement(*m_database, "INSERT INTO evidence VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
            .bind(edition.number)
            .bind(++position)
            .bind(evidence.id)
            .bind(evidence.path)
            .bind(evidence.format)
            .bind(evidence.sha256)
            .bind(static_cast<std::int64_t>(evidence.bytes))
            .bind(evidence.obtained)
            .step();
    position = 0;
    for (const auto& claim : edition.claims)
        Statement(*m_database, "INSERT INTO claim VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
            .bind(edition.number)
            .bind(++position)
            .bind(claim.id)
            .bind(claim.text)
            .bind(claim.kind)
            .bind(claim.instrument)
            .bind(claim.holds_json)
            .bind(claim.evidence_json)
            .bind(claim.run)
            .step();
    transaction.commit();
}

void CaseStore::add_run(const StoredRun& run, const Findings& findings) {
    need_writable();
    if (run.findings_json.size() > static_cast<std::size_t>(text_bytes_max))
        throw Error(ErrorKind::run, "the findings of this run are too large for the case file",
                    "Split the evidence", m_path);
    Transaction transaction(*m_database);
    Statement(*m_database, "INSERT INTO run VALUES (?, ?, ?, ?)")
        .bind(run.key)
        .bind(run.instrument)
        .bind(run.manifest_json)
        .bind(run.findings_json)
        .step();
    std::int64_t position = 0;
    for (const auto& finding : findings.items)
        Statement(*m_database, "INSERT INTO finding VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
            .bind(run.key)
            .bind(++position)
            .bind(finding.metric)
            .bind(finding.subject)
            .bind(finding.value)
            .bind(finding.low)
            .bind(finding.high)
            .bind(finding.level)
            .bind(finding.unit)
            .bind(strength_name(finding.strength))
            .bind(finding.strength_value)
            .bind(finding.sentence)
            .bind(finding.caveat)
            .bind(static_cast<std::int64_t>(finding.locators_total))
            .step();
    transaction.commit();
}

void CaseStore::add_verdicts(std::int64_t edition, const std::vector<StoredVerdict>& verdicts) {
    need_writable();
    Transaction transaction(*m_database);
    std::int64_t position = 0;
    for (const auto& verdict : verdicts)
        Statement(*m_database, "INSERT INTO verdict VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
            .bind(edition)
            .bind(++position)
            .bind(verdict.claim)
            .bind(verdict.run)
            .bind(verdict.verdict)
            .bind(verdict.sentence)
            .bind(verdict.settles)
            .bind(verdict.json)
            .step();
    transaction.commit();
}

void CaseStore::finish() {
    UNVEIL_ASSERT(m_database != nullptr && m_access == Access::write);
    if (m_is_finished) return;
    const std::string part = m_path + ".part";
    for (const char* suffix : {"", "-journal", "-wal", "-shm"}) std::filesystem::remove(part + suffix);
    {
        // The pages of the working file lie as its history laid them; a file that is written in one go, in a
        // fixed order, has no history.
        const Database fresh(part, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
        fresh.execute("PRAGMA synchronous=FULL");
        Statement(fresh, "ATTACH ? AS old").bind(m_path).step();
        Transaction transaction(fresh);
        fresh.execute(schema_sql());
        for (const auto& table : tables)
            fresh.execute(fmt::format("INSERT INTO main.{0} SELECT * FROM old.{0} ORDER BY {1}", table.name,
                                      table.order));
        transaction.commit();
        fresh.execute("DETACH old");
    }
    m_database.reset();
    // The last one to close a file in WAL mode removes the log; a log that stays belongs to somebody who
    // still reads, and would be applied to the new file.
    if (std::filesystem::exists(m_path + "-wal"))
        throw Error(ErrorKind::run, "the case is in use by another program", "Close it and run again",
                    m_path);
    if (std::rename(part.c_str(), m_path.c_str()) != 0)
        throw Error(ErrorKind::run, std::string("cannot write: ") + std::strerror(errno),
                    "Check that the folder is writable", m_path);
    sync_folder_of(m_path);
}

FolderLock::FolderLock(const std::string& folder) {
    const std::string path = folder + "/.lock";
    m_descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (m_descriptor < 0)
        throw Error(ErrorKind::run, std::string("cannot write: ") + std::strerror(errno),
                    "Choose another --out", path);
    if (::flock(m_descriptor, LOCK_EX | LOCK_NB) == 0) return;
    const int failure = errno;
    ::close(m_descriptor);
    if (failure == EWOULDBLOCK)
        throw Error(ErrorKind::run, "another unveil is working in this folder",
                    "Wait for it, or choose another --out", folder);
    throw Error(ErrorKind::run, std::string("cannot lock: ") + std::strerror(failure), "Choose another --out",
                path);
}

FolderLock::~FolderLock() {
    ::close(m_descriptor);
}

}  // namespace unveil
