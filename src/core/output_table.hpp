// Where an instrument's tables go. The instrument names columns and appends cells row by row; it does not know whether
// they become CSV, stay in memory or are dropped.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace unveil {

enum class CellType { text, integer, real };

struct Column {
    std::string name;
    CellType type = CellType::text;
    std::string help;  // one sentence for the doc page and the report
};

/// How reals are spelled: shortest text that reads back the same, or 15 significant digits as R's fwrite does.
enum class RealStyle { shortest, digits15 };

class OutputTable {
  public:
    virtual ~OutputTable() = default;
    virtual void text(std::string_view cell) = 0;
    virtual void integer(std::int64_t cell) = 0;
    virtual void real(double cell) = 0;
    virtual void missing() = 0;
    virtual void end_row() = 0;
};

class OutputTables {
  public:
    virtual ~OutputTables() = default;
    /// Opens table `name` ("edges"); the reference stays valid until the run ends. Each name is opened once.
    virtual OutputTable& open(std::string_view name, std::vector<Column> columns,
                              RealStyle style = RealStyle::shortest) = 0;
};

/// Appends CSV to a file through a buffer; the file appears under its name only when finish() succeeded
/// (written beside it as NAME.part and renamed), so a killed run never leaves a half table that looks whole.
class CsvOutputTables final : public OutputTables {
  public:
    explicit CsvOutputTables(std::string folder);
    ~CsvOutputTables() override;
    OutputTable& open(std::string_view name, std::vector<Column> columns,
                      RealStyle style = RealStyle::shortest) override;
    /// Flushes, syncs and renames every table; throws Error(run) when the disk is full or fails.
    void finish();

  private:
    class File;
    std::string m_folder;
    std::vector<std::unique_ptr<File>> m_files;
};

/// Forgets everything: for runs of which only the findings are wanted.
class NoOutputTables final : public OutputTables {
  public:
    OutputTable& open(std::string_view name, std::vector<Column> columns,
                      RealStyle style = RealStyle::shortest) override;
};

/// Shortest text that reads back as the same double; "1e+20" style for large ones; "nan" and "inf" never appear: an
/// assertion, because no finding may carry them.
void append_real(double value, RealStyle style, std::string& out);

/// Writes bytes under `path` so that a crash leaves the old file or the new one: PATH.part, fsync, rename.
void write_file_atomically(const std::string& path, std::string_view bytes);

}  // namespace unveil
