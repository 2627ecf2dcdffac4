#include "report/table_file.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "core/error.hpp"

namespace unveil {
namespace {

constexpr std::size_t buffer_bytes = 1 << 18;
constexpr int end_of_file = -1;

}  // namespace

TableFile::TableFile(std::string path) : m_path(std::move(path)), m_file(m_path, std::ios::binary), m_buffer(buffer_bytes) {
    if (!m_file) throw Error(ErrorKind::input, "cannot read the table", "Run 'unveil investigate' on the case again", m_path);
    read_record(m_columns);
}

std::size_t TableFile::column(std::initializer_list<std::string_view> names) const {
    for (std::size_t i = 0; i < m_columns.size(); ++i)
        if (std::find(names.begin(), names.end(), m_columns[i]) != names.end()) return i;
    return SIZE_MAX;
}

int TableFile::take() {
    if (m_at == m_end) {
        m_file.read(m_buffer.data(), static_cast<std::streamsize>(m_buffer.size()));
        m_at = 0;
        m_end = static_cast<std::size_t>(m_file.gcount());
        if (m_end == 0) return end_of_file;
    }
    return static_cast<unsigned char>(m_buffer[m_at++]);
}

bool TableFile::read_record(std::vector<std::string>& cells) {
    cells.clear();
    int c = take();
    if (c == end_of_file) return false;
    ++m_record;
    const auto fail = [&] {
        throw Error(ErrorKind::input, "the table is damaged", "Run 'unveil investigate' on the case again",
                    m_path + ":" + std::to_string(m_record));
    };
    while (true) {
        std::string cell;
        if (c == '"') {
            for (c = take();; c = take()) {
                if (c == end_of_file) fail();
                if (c == '"' && (c = take()) != '"') break;
                cell += static_cast<char>(c);
            }
        } else {
            for (; c != ',' && c != '\n' && c != end_of_file; c = take()) cell += static_cast<char>(c);
        }
        cells.push_back(std::move(cell));
        if (c == '\n') return true;
        if (c != ',') fail();  // the last line lacks its end, or something follows a closing quote
        c = take();
    }
}

bool TableFile::next(std::vector<std::string>& cells) {
    if (!read_record(cells)) return false;
    if (cells.size() != m_columns.size())
        throw Error(ErrorKind::input, "the table is damaged: a row has another number of cells than the header",
                    "Run 'unveil investigate' on the case again", m_path + ":" + std::to_string(m_record));
    return true;
}

bool is_account_column(std::string_view name) {
    static constexpr std::array<std::string_view, 9> all = {"account", "account_a", "account_b", "from", "to",
                                                            "user_1", "user_2", "account_id", "account_id_y"};
    return std::find(all.begin(), all.end(), name) != all.end();
}

bool is_text_column(std::string_view name) {
    static constexpr std::array<std::string_view, 17> all = {
        "trace", "object", "object_id", "content_id", "content_id_y", "content_a", "content_b", "time_a", "time_b",
        "claim", "text", "metric", "subject", "unit", "strength", "sentence", "caveat"};
    return is_account_column(name) || std::find(all.begin(), all.end(), name) != all.end();
}

ExportFile::ExportFile(std::string path) : m_path(std::move(path)), m_file(m_path + ".part", std::ios::binary | std::ios::trunc) {
    if (!m_file) fail();
}

ExportFile::~ExportFile() {
    if (m_is_finished) return;
    m_file.close();
    std::remove((m_path + ".part").c_str());
}

void ExportFile::fail() const {
    throw Error(ErrorKind::run, "cannot write the export", "Check that the folder exists, is writable and has room", m_path);
}

void ExportFile::write(std::string_view bytes) {
    m_file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    if (!m_file) fail();
}

void ExportFile::finish() {
    m_file.close();
    if (!m_file || std::rename((m_path + ".part").c_str(), m_path.c_str()) != 0) fail();
    m_is_finished = true;
}

}  // namespace unveil
