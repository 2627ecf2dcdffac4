#include "evidence/csv_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "core/error.hpp"
#include "core/text.hpp"

namespace unveil {

std::string_view CsvRow::unescaped(const CsvCell& cell) const {
    char* const begin = m_arena->reserve(cell.size_bytes);
    char* out = begin;
    const char* const end = cell.begin + cell.size_bytes;
    for (const char* in = cell.begin; in < end; ++in) {
        *out++ = *in;
        if (*in == '"') ++in;
    }
    return m_arena->commit(begin, static_cast<std::size_t>(out - begin));
}

CsvReader::CsvReader(InputBuffer input, const EvidenceLimits& limits)
    : m_input(std::move(input)), m_limits(limits) {
    read_header();
}

std::string CsvReader::where() const {
    return fmt::format("{}:{}", m_input.stream().path(), m_line);
}

std::uint64_t CsvReader::count_lines(const char* begin, const char* end, char terminator) {
    const auto lines = static_cast<std::uint64_t>(std::count(begin, end, terminator));
    // The last record of a file may lack its end of line.
    return std::max<std::uint64_t>(lines, 1);
}

void CsvReader::choose_delimiter(std::string_view line) {
    constexpr std::array<char, 3> candidates = {',', ';', '\t'};
    std::array<std::size_t, 3> counts = {};
    bool is_quoted = false;
    for (const char c : line) {
        if (c == '"') is_quoted = !is_quoted;
        for (std::size_t i = 0; i < candidates.size(); ++i) counts[i] += !is_quoted && c == candidates[i];
    }
    m_delimiter =
        candidates[static_cast<std::size_t>(std::max_element(counts.begin(), counts.end()) - counts.begin())];
}

void CsvReader::read_header() {
    const auto& path = m_input.stream().path();
    const auto fail = [&](std::string message, std::string hint) {
        throw Error(ErrorKind::input, std::move(message), std::move(hint), where());
    };
    while (m_input.size() < 3 && m_input.fill()) {
    }
    if (std::string_view(m_input.begin(), m_input.size()).starts_with("\xEF\xBB\xBF")) m_input.consume(3);

    // The header ends at the first end of line outside quotes.
    std::size_t seen = 0;
    bool is_quoted = false;
    const char* line_end = nullptr;
    for (;;) {
        for (; seen < m_input.size(); ++seen) {
            const char c = m_input.begin()[seen];
            if (c == '"') is_quoted = !is_quoted;
            if (is_quoted || (c != '\n' && c != '\r')) continue;
            if (c == '\r' && seen + 1 == m_input.size() && !m_input.is_at_end()) break;  // "\r\n" or "\r"?
            if (seen == 0) {
                // Blank lines before the header.
                const bool is_pair = c == '\r' && m_input.size() > 1 && m_input.begin()[1] == '\n';
                m_input.consume(is_pair ? 2 : 1);
                ++m_line;
                seen = static_cast<std::size_t>(-1);
                continue;
            }
            line_end = m_input.begin() + seen;
            break;
        }
        if (line_end) break;
        if (seen > m_limits.record_bytes_max)
            fail(fmt::format("the first line is longer than {} bytes, so it is no table of posts",
                             m_limits.record_bytes_max),
                 "Check that this is the file you mean");
        if (!m_input.fill() && seen >= m_input.size()) break;
    }
    if (!line_end) line_end = m_input.end();
    if (line_end == m_input.begin())
        throw Error(ErrorKind::input, "there is nothing in it", "Get the file anew", path);
    const std::string_view line(m_input.begin(), static_cast<std::size_t>(line_end - m_input.begin()));
    if (line_end < m_input.end() && *line_end == '\r' &&
        (line_end + 1 == m_input.end() || line_end[1] != '\n'))
        m_terminator = '\r';
    choose_delimiter(line);

    std::size_t at = 0;
    for (;;) {
        std::string cell;
        if (at < line.size() && line[at] == '"') {
            for (++at; at < line.size(); ++at) {
                if (line[at] == '"') {
                    if (at + 1 == line.size() || line[at + 1] != '"') break;
                    ++at;
                }
                cell += line[at];
            }
            ++at;
        }
        const auto end = std::min(line.find(m_delimiter, std::min(at, line.size())), line.size());
        if (at < end) cell += line.substr(at, end - at);
        m_header.emplace_back(trimmed(cell));
        if (m_header.size() > m_limits.columns_max)
            fail(fmt::format("has more than {} columns", m_limits.columns_max),
                 "Keep only the columns that matter");
        if (end == line.size()) break;
        at = end + 1;
    }
    m_cells.resize(m_header.size() + 1);

    m_line += static_cast<std::uint64_t>(std::count(line.begin(), line.end(), m_terminator)) + 1;
    std::size_t used = line.size();
    if (used < m_input.size()) used += line_end[0] == '\r' && m_terminator == '\n' ? 2 : 1;
    m_input.consume(std::min(used, m_input.size()));
}

void CsvReader::count_broken(Tally& tally, const char* reason, const char* begin, const char* end) {
    const auto size =
        std::min<std::size_t>(static_cast<std::size_t>(end - begin), Tally::example_bytes_max + 1);
    std::string_view example(begin, size);
    while (!example.empty() && (example.back() == '\n' || example.back() == '\r')) example.remove_suffix(1);
    tally.skip(reason, where(), example);
}

void CsvReader::drop_line(Tally& tally, const char* reason, std::size_t looked_at_bytes) {
    // Broken quotes could be laid out so that every line reads the rest of the file again.
    constexpr std::uint64_t reread_share_max = 16;
    m_reread_bytes += looked_at_bytes;
    if (m_reread_bytes > 64 * m_limits.record_bytes_max + reread_share_max * m_consumed_bytes)
        throw Error(ErrorKind::input,
                    "the quotes of this file do not pair up, from here back to its beginning",
                    "Write the table anew with a program that quotes as RFC 4180 says", where());
    ++m_record;
    const auto* line_end =
        static_cast<const char*>(std::memchr(m_input.begin(), m_terminator, m_input.size()));
    count_broken(tally, reason, m_input.begin(), line_end ? line_end : m_input.end());
    m_is_in_dropped_line = true;
}

bool CsvReader::skip_rest_of_line() {
    for (;;) {
        const auto* end =
            static_cast<const char*>(std::memchr(m_input.begin(), m_terminator, m_input.size()));
        const auto used = end ? static_cast<std::size_t>(end + 1 - m_input.begin()) : m_input.size();
        m_consumed_bytes += used;
        m_input.consume(used);
        if (end) {
            ++m_line;
            m_is_in_dropped_line = false;
            return true;
        }
        if (!m_input.fill()) return false;
    }
}

bool CsvReader::prepare(Tally& tally) {
    if (m_is_in_dropped_line && !skip_rest_of_line()) {
        m_is_done = true;
        return false;
    }
    if (!m_is_fill_due && m_input.size() > 0) return true;
    m_is_fill_due = false;
    if (m_input.size() > m_limits.record_bytes_max) {
        drop_line(tally, "too long", m_input.size());
        return prepare(tally);
    }
    if (m_input.fill()) return true;
    // At the end, what is left has been scanned as the last record, unless it was never scanned as such.
    if (m_input.size() > 0) return true;
    m_is_done = true;
    return false;
}

}  // namespace unveil
