// Where a case is kept: one SQLite file to which things are only added, that survives being killed at any moment and whose
// bytes, once the case is done, depend on what was found and not on how often the work was interrupted.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "instruments/finding.hpp"

namespace unveil {

struct StoredEvidence {
    std::string id;
    std::string path;      // relative to the folder of the case file
    std::string format;
    std::string sha256;
    std::uint64_t bytes = 0;
    std::string obtained;
};

struct StoredClaim {
    std::string id;
    std::string text;
    std::string kind;
    std::string instrument;
    std::string holds_json;    // list of comparisons as text
    std::string evidence_json; // list of evidence ids
    std::string run;           // key of the run that it needs
};

/// One state of the case file and its evidence. A changed case file or changed evidence makes another edition; the old
/// one stays in the store.
struct Edition {
    std::int64_t number = 0;   // from 1
    std::string key;           // sha256 over version, case file and evidence digests
    std::string version;
    std::string title;
    std::string summary;
    std::uint64_t seed = 0;
    std::string case_text;     // the bytes of case.toml
    std::string case_file;     // path of case.toml from the case folder; empty when it lies elsewhere
    std::vector<StoredEvidence> evidence;
    std::vector<StoredClaim> claims;
};

struct StoredRun {
    std::string key;
    std::string instrument;
    std::string manifest_json;
    std::string findings_json;
};

struct StoredVerdict {
    std::string claim;
    std::string run;
    std::string verdict;
    std::string sentence;
    std::string settles;
    std::string json;
    bool operator==(const StoredVerdict&) const = default;
};

/// Every add_ call is one durable transaction. Not for two threads or two writers at once; FolderLock keeps others out.
class CaseStore {
  public:
    enum class Access { read, write };
    /// Opens `path`; with Access::write a missing file is made. Throws Error(input) when the file is damaged or is no
    /// case store. A finished store is not touched before the first add_.
    CaseStore(std::string path, Access access);
    ~CaseStore();

    std::optional<Edition> edition(std::string_view key) const;
    std::optional<Edition> latest_edition() const;
    /// The latest with this text of the case file: an older text may have been investigated again.
    std::optional<Edition> latest_edition_of(std::string_view case_text) const;
    std::optional<StoredRun> run(std::string_view key) const;
    std::vector<StoredVerdict> verdicts(std::int64_t edition) const;

    /// Sets the number. The key must be new.
    void add_edition(Edition& edition);
    void add_run(const StoredRun& run, const Findings& findings);
    void add_verdicts(std::int64_t edition, const std::vector<StoredVerdict>& verdicts);

    /// Copies all rows in fixed order into a fresh file that takes the place of this one; closes the store. Does
    /// nothing to a file that is already so.
    void finish();

  private:
    struct Database;
    void need_writable();

    std::string m_path;
    Access m_access;
    bool m_is_finished = false;   // as found on disk: nothing to copy
    std::unique_ptr<Database> m_database;
};

/// Holds `folder`/.lock until destroyed. Throws Error(run) at once when another process holds it.
class FolderLock {
  public:
    explicit FolderLock(const std::string& folder);
    ~FolderLock();
    FolderLock(const FolderLock&) = delete;
    FolderLock& operator=(const FolderLock&) = delete;

  private:
    int m_descriptor = -1;
};

}  // namespace unveil
