#include "evidence/blocking_fingerprints.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"
#include "evidence/csv_reader.hpp"

namespace unveil {
namespace {

enum : std::size_t { name_column, scope_column, location_column, match_column, pattern_column, needed_columns };
constexpr std::array<std::string_view, needed_columns> needed = {"name", "scope", "location_found", "pattern_type", "pattern"};

constexpr std::size_t cell_bytes_max = 64u << 10;
constexpr std::size_t fingerprints_max = 100'000;
constexpr std::size_t text_bytes_max = 64u << 20;  // of all that is kept

std::size_t column_of(const std::vector<std::string>& header, std::string_view name) {
    const auto found = std::find_if(header.begin(), header.end(), [&](const auto& cell) { return trimmed(cell) == name; });
    return found == header.end() ? SIZE_MAX : static_cast<std::size_t>(found - header.begin());
}

CsvReader open_reader(std::unique_ptr<RawInput> input, const std::string& path, const EvidenceLimits& limits) {
    return CsvReader(InputBuffer(ByteStream(std::move(input), path, limits), limits), limits);
}

std::string upper(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return out;
}

class BlockingFingerprints final : public BlockingFingerprintSource {
  public:
    BlockingFingerprints(std::unique_ptr<RawInput> input, const std::string& path, const EvidenceLimits& limits) : m_reader(open_reader(std::move(input), path, limits)) {
        for (std::size_t i = 0; i < needed_columns; ++i) {
            m_columns[i] = column_of(m_reader.header(), needed[i]);
            if (m_columns[i] == SIZE_MAX)
                throw Error(ErrorKind::input, fmt::format("is no list of blocking fingerprints: there is no column '{}'", needed[i]),
                            "Give a CSV file as of https://github.com/ooni/blocking-fingerprints", path);
        }
        m_countries = column_of(m_reader.header(), "expected_countries");
        m_confidence = column_of(m_reader.header(), "confidence_no_fp");
        m_report.path = path;
        m_report.format = "blocking-fingerprints";
    }

    bool next(std::vector<BlockingFingerprint>& batch) override {
        batch.clear();
        if (m_is_done) return false;
        m_arena.clear();
        const bool is_more = m_reader.read(batch_fingerprints_max, m_arena, m_report.tally, [&](const CsvRow& row, std::uint64_t) { return take(row, batch); });
        m_report.tally.keep(batch.size());
        if (!is_more) {
            m_is_done = true;
            m_reader.stream().finish(m_report);
        }
        return !batch.empty() || !m_is_done;
    }
    const SourceReport& report() const override { return m_report; }
    std::uint64_t bytes_done() const override { return m_reader.stream().disk_bytes(); }

  private:
    const char* take(const CsvRow& row, std::vector<BlockingFingerprint>& batch) {
        using Match = BlockingFingerprint::Match;
        BlockingFingerprint out;
        for (std::size_t i = 0; i < needed_columns; ++i)
            if (row.text(m_columns[i]).size() > cell_bytes_max) return "longer than 64 KiB";
        out.name = trimmed(row.text(m_columns[name_column]));
        out.scope = trimmed(row.text(m_columns[scope_column]));
        out.location = trimmed(row.text(m_columns[location_column]));
        out.pattern = row.text(m_columns[pattern_column]);
        const auto kind = trimmed(row.text(m_columns[match_column]));
        if (kind == "full") out.match = Match::full;
        else if (kind == "prefix") out.match = Match::prefix;
        else if (kind == "contains") out.match = Match::contains;
        else if (kind == "regexp") out.match = Match::regexp;
        else return "kind of match not known";
        if (out.name.empty() || out.pattern.empty()) return "no name or no pattern";
        if (!is_valid_utf8(out.name) || !is_valid_utf8(out.scope)) return "name is not UTF-8";
        if (out.location != "dns" && out.location != "body" && !(out.location.starts_with("header.") && out.location.size() > std::string_view("header.").size()))
            return "place not known";
        auto countries = m_countries == SIZE_MAX ? std::string_view() : row.text(m_countries);
        constexpr std::size_t countries_max = 300;
        while (!countries.empty() && out.countries.size() < countries_max) {
            const auto comma = std::min(countries.find(','), countries.size());
            const auto country = upper(trimmed(countries.substr(0, comma)));
            if (country.size() == 2 && country != "ZZ") out.countries.push_back(country);
            countries.remove_prefix(std::min(comma + 1, countries.size()));
        }
        if (m_confidence != SIZE_MAX) {
            const auto confidence = trimmed(row.text(m_confidence));
            std::from_chars(confidence.data(), confidence.data() + confidence.size(), out.confidence);
        }
        m_text_bytes += out.name.size() + out.pattern.size() + out.location.size();
        if (++m_fingerprints > fingerprints_max || m_text_bytes > text_bytes_max)
            throw Error(ErrorKind::input, fmt::format("holds more than {} fingerprints, or more than {} MiB of them", fingerprints_max, text_bytes_max >> 20), "Shorten the list", m_report.path);
        batch.push_back(std::move(out));
        return nullptr;
    }

    CsvReader m_reader;
    std::array<std::size_t, needed_columns> m_columns{};
    std::size_t m_countries = SIZE_MAX;
    std::size_t m_confidence = SIZE_MAX;
    std::size_t m_fingerprints = 0;
    std::size_t m_text_bytes = 0;
    bool m_is_done = false;
    TextArena m_arena;
    SourceReport m_report;
};

}  // namespace

bool is_blocking_fingerprints_file(const std::string& path) {
    try {
        const EvidenceLimits limits;
        const CsvReader reader = open_reader(open_file_input(path), path, limits);
        return std::all_of(needed.begin(), needed.end(), [&](const auto name) { return column_of(reader.header(), name) != SIZE_MAX; });
    } catch (const Error&) {
        return false;
    }
}

std::unique_ptr<BlockingFingerprintSource> open_blocking_fingerprints_from(std::unique_ptr<RawInput> input, const std::string& path, const EvidenceLimits& limits) {
    return std::make_unique<BlockingFingerprints>(std::move(input), path, limits);
}

std::unique_ptr<BlockingFingerprintSource> open_blocking_fingerprints(const std::string& path) { return open_blocking_fingerprints_from(open_file_input(path), path, EvidenceLimits{}); }

}  // namespace unveil
