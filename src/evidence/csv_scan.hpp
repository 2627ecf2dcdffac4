// The inner loop of CsvReader, a template because every caller's sink is to be inlined into it.
#pragma once

#include <bit>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "evidence/csv_reader.hpp"

namespace unveil {

inline std::uint64_t CsvReader::special_bytes(const char* block) const {
    std::uint64_t bits = 0;
#if defined(__SSE2__)
    const __m128i delimiters = _mm_set1_epi8(m_delimiter);
    const __m128i terminators = _mm_set1_epi8(m_terminator);
    const __m128i zeros = _mm_setzero_si128();
    for (int i = 0; i < 4; ++i) {
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block + 16 * i));
        const __m128i hits =
            _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, delimiters), _mm_cmpeq_epi8(bytes, terminators)),
                         _mm_cmpeq_epi8(bytes, zeros));
        bits |= static_cast<std::uint64_t>(static_cast<unsigned>(_mm_movemask_epi8(hits))) << (16 * i);
    }
#else
    for (int i = 0; i < 64; ++i) {
        const char c = block[i];
        bits |= static_cast<std::uint64_t>(c == m_delimiter || c == m_terminator || c == '\0') << i;
    }
#endif
    return bits;
}

template <typename Sink>
CsvReader::Stop CsvReader::scan(std::size_t records_max, TextArena& arena, Tally& tally, Sink&& sink,
                                bool is_last) {
    const char* const end = m_input.end();
    const std::size_t columns = m_header.size();
    CsvCell* const cells = m_cells.data();  // one more than columns, where surplus cells go
    const char delimiter = m_delimiter;
    const char terminator = m_terminator;

    const char* record = m_input.begin();
    const char* block = record;
    std::uint64_t bits = record < end ? special_bytes(block) : 0;
    std::size_t kept = 0;

    while (kept < records_max) {
        if (record == end) break;
        const char* cell = record;
        const char* next = nullptr;  // behind the record
        std::size_t count = 0;
        bool has_quotes = false;
        bool has_nul = false;
        const char* broken = nullptr;
        const char* looked_at = nullptr;

        for (;;) {
            if (cell < end && *cell == '"') {
                has_quotes = true;
                bool has_escapes = false;
                const char* quote = cell + 1;
                for (;;) {
                    quote = static_cast<const char*>(
                        std::memchr(quote, '"', static_cast<std::size_t>(end - quote)));
                    if (!quote) break;
                    if (quote + 1 == end) break;
                    if (quote[1] != '"') break;
                    has_escapes = true;
                    quote += 2;
                }
                if (!quote || (quote + 1 == end && !is_last)) {
                    if (!is_last) goto more_wanted;
                    broken = "quote not closed";
                    looked_at = end;
                    break;
                }
                // Sizes fit: records longer than record_bytes_max are dropped before anyone sees their cells.
                cells[count < columns ? count : columns] = {
                    cell + 1, static_cast<std::uint32_t>(quote - cell - 1), has_escapes};
                ++count;
                const char* after = quote + 1;
                if (after == end) {
                    next = end;
                    break;
                }
                if (*after == '\r' && terminator == '\n') {
                    if (after + 1 == end && !is_last) goto more_wanted;
                    if (after + 1 == end || after[1] == '\n') {
                        next = after + 1 == end ? end : after + 2;
                        break;
                    }
                }
                if (*after == terminator) {
                    next = after + 1;
                    break;
                }
                if (*after != delimiter) {
                    broken = "stray quote";
                    looked_at = after;
                    break;
                }
                if (count > columns) {
                    // Quotes out of step make one endless record of the rest of the file; stop as soon as it
                    // shows.
                    broken = "wrong number of cells";
                    looked_at = after;
                    break;
                }
                cell = after + 1;
                if (cell - block >= 64) {
                    block = cell;
                    bits = special_bytes(block);
                } else {
                    bits = bits >> (cell - block) << (cell - block);
                }
                continue;
            }
            const char* special;
            for (;;) {
                while (bits == 0) {
                    block += 64;
                    if (block >= end) break;
                    bits = special_bytes(block);
                }
                special = bits == 0 ? end : block + std::countr_zero(bits);
                if (special >= end) {
                    special = end;
                    break;
                }
                bits &= bits - 1;
                if (*special != '\0') break;
                has_nul = true;
            }
            if (special == end && !is_last) goto more_wanted;
            cells[count < columns ? count : columns] = {cell, static_cast<std::uint32_t>(special - cell),
                                                        false};
            ++count;
            if (special != end && *special == delimiter) {
                cell = special + 1;
                continue;
            }
            next = special == end ? end : special + 1;
            if (special > cell && special[-1] == '\r' && terminator == '\n')
                --cells[count <= columns ? count - 1 : columns].size_bytes;
            break;
        }

        if (next && static_cast<std::size_t>(next - record) > m_limits.record_bytes_max) {
            broken = "too long";
            looked_at = next;
        } else if (broken && static_cast<std::size_t>(looked_at - record) > m_limits.record_bytes_max) {
            broken = "too long";
        }
        if (broken) {
            m_broken_reason = broken;
            m_broken_bytes = static_cast<std::size_t>(looked_at - record);
            break;
        }

        // A line with nothing on it is no record.
        if (count == 1 && cells[0].size_bytes == 0 && !has_quotes && columns > 1) {
            ++m_line;
            record = next;
            continue;
        }
        ++m_record;
        if (has_quotes && !has_nul)
            has_nul = std::memchr(record, '\0', static_cast<std::size_t>(next - record)) != nullptr;
        const char* reason = nullptr;
        if (has_nul)
            reason = "NUL byte";
        else if (count != columns)
            reason = "wrong number of cells";
        else
            reason = sink(CsvRow(cells, arena), m_record);
        if (reason)
            count_broken(tally, reason, record, next);
        else
            ++kept;
        m_line += has_quotes ? count_lines(record, next, terminator) : 1;
        record = next;
        if (block + 64 <= record) {
            block = record;
            bits = record < end ? special_bytes(block) : 0;
        } else if (has_quotes) {
            bits = bits >> (record - block) << (record - block);
        }
    }
    m_consumed_bytes += static_cast<std::size_t>(record - m_input.begin());
    m_input.consume(static_cast<std::size_t>(record - m_input.begin()));
    return kept == records_max ? Stop::batch_full : Stop::more_wanted;

more_wanted:
    m_consumed_bytes += static_cast<std::size_t>(record - m_input.begin());
    m_input.consume(static_cast<std::size_t>(record - m_input.begin()));
    return Stop::more_wanted;
}

template <typename Sink>
bool CsvReader::read(std::size_t records_max, TextArena& arena, Tally& tally, Sink&& sink) {
    while (!m_is_done) {
        if (!prepare(tally)) return false;
        std::size_t kept = 0;
        const auto counting = [&](const CsvRow& row, std::uint64_t record) {
            const char* reason = sink(row, record);
            kept += reason == nullptr;
            return reason;
        };
        const auto stop = scan(records_max, arena, tally, counting, m_input.is_at_end());
        if (m_broken_reason) {
            drop_line(tally, m_broken_reason, m_broken_bytes);
            m_broken_reason = nullptr;
        } else if (stop == Stop::more_wanted) {
            m_is_fill_due = true;
        }
        if (kept > 0) return true;
    }
    return false;
}

}  // namespace unveil
