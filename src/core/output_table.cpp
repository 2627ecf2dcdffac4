#include "core/output_table.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"

namespace unveil {
namespace {

[[noreturn]] void throw_write_error(const std::string& path) {
    throw Error(ErrorKind::run, std::string("cannot write: ") + std::strerror(errno),
                "Check that the folder is writable and the disk is not full", path);
}

void write_all(int descriptor, std::string_view bytes, const std::string& path) {
    while (!bytes.empty()) {
        const auto wrote = ::write(descriptor, bytes.data(), bytes.size());
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) throw_write_error(path);
        bytes.remove_prefix(static_cast<std::size_t>(wrote));
    }
}

void close_and_rename(int descriptor, const std::string& part, const std::string& path) {
    const bool synced = ::fsync(descriptor) == 0;
    if (::close(descriptor) != 0 || !synced) throw_write_error(part);
    if (std::rename(part.c_str(), path.c_str()) != 0) throw_write_error(path);
}

int open_part(const std::string& part) {
    const int descriptor = ::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (descriptor < 0) throw_write_error(part);
    return descriptor;
}

class DroppedTable final : public OutputTable {
  public:
    void text(std::string_view) override {}
    void integer(std::int64_t) override {}
    void real(double) override {}
    void missing() override {}
    void end_row() override {}
};

}  // namespace

class CsvOutputTables::File final : public OutputTable {
  public:
    File(const std::string& folder, std::string_view name, const std::vector<Column>& columns, RealStyle style)
        : m_path(folder + "/" + std::string(name) + ".csv"),
          m_part(m_path + ".part"),
          m_descriptor(open_part(m_part)),
          m_column_count(columns.size()),
          m_style(style) {
        for (const auto& column : columns) text(column.name);
        end_row();
    }
    ~File() override {
        if (m_descriptor < 0) return;
        ::close(m_descriptor);
        ::unlink(m_part.c_str());
    }

    void text(std::string_view cell) override {
        separate();
        append_csv_cell(cell, m_buffer);
    }
    void integer(std::int64_t cell) override {
        separate();
        std::array<char, 24> digits;
        const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), cell).ptr;
        m_buffer.append(digits.data(), end);
    }
    void real(double cell) override {
        separate();
        append_real(cell, m_style, m_buffer);
    }
    void missing() override { separate(); }
    void end_row() override {
        UNVEIL_ASSERT(m_cell == m_column_count);
        m_cell = 0;
        m_buffer += '\n';
        if (m_buffer.size() >= buffer_bytes) flush();
    }
    void finish() {
        UNVEIL_ASSERT(m_cell == 0);
        flush();
        const int descriptor = std::exchange(m_descriptor, -1);
        close_and_rename(descriptor, m_part, m_path);
    }

  private:
    static constexpr std::size_t buffer_bytes = 1 << 18;

    void separate() {
        if (m_cell++ > 0) m_buffer += ',';
    }
    void flush() {
        write_all(m_descriptor, m_buffer, m_part);
        m_buffer.clear();
    }

    std::string m_path;
    std::string m_part;
    int m_descriptor;
    std::size_t m_column_count;
    RealStyle m_style;
    std::size_t m_cell = 0;
    std::string m_buffer;
};

CsvOutputTables::CsvOutputTables(std::string folder) : m_folder(std::move(folder)) {
    std::error_code failure;
    std::filesystem::create_directories(m_folder, failure);
    if (failure)
        throw Error(ErrorKind::run, "cannot make the output folder: " + failure.message(),
                    "Choose another --out", m_folder);
}

CsvOutputTables::~CsvOutputTables() = default;

OutputTable& CsvOutputTables::open(std::string_view name, std::vector<Column> columns, RealStyle style) {
    m_files.push_back(std::make_unique<File>(m_folder, name, columns, style));
    return *m_files.back();
}

void CsvOutputTables::finish() {
    for (auto& file : m_files) file->finish();
    m_files.clear();
}

OutputTable& NoOutputTables::open(std::string_view, std::vector<Column>, RealStyle) {
    static DroppedTable dropped;
    return dropped;
}

void append_real(double value, RealStyle style, std::string& out) {
    UNVEIL_ASSERT(std::isfinite(value));
    std::array<char, 40> digits;
    const auto end = style == RealStyle::shortest
                         ? std::to_chars(digits.data(), digits.data() + digits.size(), value)
                         : std::to_chars(digits.data(), digits.data() + digits.size(), value,
                                         std::chars_format::general, 15);
    out.append(digits.data(), end.ptr);
}

void write_file_atomically(const std::string& path, std::string_view bytes) {
    const std::string part = path + ".part";
    const int descriptor = open_part(part);
    try {
        write_all(descriptor, bytes, part);
    } catch (...) {
        ::close(descriptor);
        ::unlink(part.c_str());
        throw;
    }
    close_and_rename(descriptor, part, path);
}

}  // namespace unveil
