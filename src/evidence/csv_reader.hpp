// Where do the cells of a CSV file begin and end? RFC 4180, read tolerantly, without copying: cells are views
// into the read buffer. A broken record costs only the line on which it began, however wrong its quotes are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/tally.hpp"
#include "evidence/cell.hpp"
#include "evidence/input_buffer.hpp"

namespace unveil {

struct CsvCell {
    const char* begin;
    std::uint32_t size_bytes;
    bool has_escapes;  // quotes are doubled inside
};

/// The cells of the record at hand; dies with the next one.
class CsvRow {
  public:
    CsvRow(const CsvCell* cells, TextArena& arena) : m_cells(cells), m_arena(&arena) {}
    std::string_view text(std::size_t column) const {
        const CsvCell& cell = m_cells[column];
        if (!cell.has_escapes) return {cell.begin, cell.size_bytes};
        return unescaped(cell);
    }
    bool list(std::size_t, std::vector<std::string_view>&) const { return false; }

  private:
    std::string_view unescaped(const CsvCell& cell) const;

    const CsvCell* m_cells;
    TextArena* m_arena;
};

class CsvReader {
  public:
    /// Reads the header. Throws Error(input) for what is no table of text.
    CsvReader(InputBuffer input, const EvidenceLimits& limits);

    const std::vector<std::string>& header() const { return m_header; }
    char delimiter() const { return m_delimiter; }
    const ByteStream& stream() const { return m_input.stream(); }
    ByteStream& stream() { return m_input.stream(); }

    /// Calls sink(row, record number) for each well-formed record in the buffer until the sink has
    /// records_max of them or the buffer is used up; views stay valid until the next call. The sink returns
    /// nullptr when it kept the record, else a fixed phrase that says why not. Returns false when the file is
    /// at its end. Broken records are counted in `tally` with file:line.
    template <typename Sink>
    bool read(std::size_t records_max, TextArena& arena, Tally& tally, Sink&& sink);

  private:
    enum class Stop { more_wanted, batch_full };

    /// One bit for each of 64 bytes: delimiter, end of line, NUL.
    std::uint64_t special_bytes(const char* block) const;
    void read_header();
    void choose_delimiter(std::string_view line);
    bool prepare(Tally& tally);
    bool skip_rest_of_line();
    void count_broken(Tally& tally, const char* reason, const char* begin, const char* end);
    /// The record at the front is broken: counts it and drops the line on which it began.
    void drop_line(Tally& tally, const char* reason, std::size_t looked_at_bytes);
    static std::uint64_t count_lines(const char* begin, const char* end, char terminator);
    std::string where() const;

    template <typename Sink>
    Stop scan(std::size_t records_max, TextArena& arena, Tally& tally, Sink&& sink, bool is_last);

    InputBuffer m_input;
    EvidenceLimits m_limits;
    std::vector<std::string> m_header;
    std::vector<CsvCell> m_cells;
    char m_delimiter = ',';
    char m_terminator = '\n';
    std::uint64_t m_line = 1;    // of the first byte of the buffer
    std::uint64_t m_record = 0;  // data records so far
    std::uint64_t m_consumed_bytes = 0;
    std::uint64_t m_reread_bytes = 0;
    bool m_is_fill_due = false;
    bool m_is_in_dropped_line = false;
    bool m_is_done = false;
    const char* m_broken_reason = nullptr;
    std::size_t m_broken_bytes = 0;
};

}  // namespace unveil

#include "evidence/csv_scan.hpp"
