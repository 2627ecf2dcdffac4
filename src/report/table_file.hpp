// The CSV tables that runs wrote, read back row by row. Stricter than the reader of evidence: what is not as unveil
// writes it is a damaged file.
#pragma once

#include <cstddef>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace unveil {

class TableFile {
  public:
    explicit TableFile(std::string path);

    const std::vector<std::string>& columns() const { return m_columns; }
    /// Position of the first of `names` that is a column, or SIZE_MAX.
    std::size_t column(std::initializer_list<std::string_view> names) const;
    /// Fills `cells` with as many cells as there are columns; false at the end. Throws Error(input) for a damaged file.
    bool next(std::vector<std::string>& cells);

  private:
    bool read_record(std::vector<std::string>& cells);
    int take();

    std::string m_path;
    std::ifstream m_file;
    std::vector<char> m_buffer;
    std::size_t m_at = 0;
    std::size_t m_end = 0;
    std::size_t m_record = 0;
    std::vector<std::string> m_columns;
};

/// True for the columns of unveil's tables that hold ids of accounts.
bool is_account_column(std::string_view name);
/// True for the columns that are text even when every cell looks like a number.
bool is_text_column(std::string_view name);

/// Writes through PATH.part, so that a broken export is not mistaken for a whole one.
class ExportFile {
  public:
    explicit ExportFile(std::string path);
    ~ExportFile();
    ExportFile(const ExportFile&) = delete;
    ExportFile& operator=(const ExportFile&) = delete;
    void write(std::string_view bytes);
    void finish();

  private:
    [[noreturn]] void fail() const;
    std::string m_path;
    std::ofstream m_file;
    bool m_is_finished = false;
};

}  // namespace unveil
