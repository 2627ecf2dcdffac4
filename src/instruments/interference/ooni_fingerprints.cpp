#include <algorithm>
#include <charconv>
#include <cstring>

#include "core/text.hpp"
#include "instruments/interference/ooni_scorers.hpp"

namespace unveil::interference {
namespace {

constexpr std::size_t cell_bytes_max = 64u << 10;
constexpr std::size_t cells_max = 64;
constexpr std::size_t fingerprints_max = 100'000;

/// The cells of one record of RFC 4180, taken off the front of `text`.
std::vector<std::string> take_record(std::string_view& text, std::uint64_t& line) {
    std::vector<std::string> cells(1);
    bool is_quoted = false;
    std::size_t i = 0;
    for (; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '\n') ++line;
        if (is_quoted) {
            if (c == '"' && i + 1 < text.size() && text[i + 1] == '"') ++i;
            else if (c == '"') {
                is_quoted = false;
                continue;
            }
        } else if (c == '"' && cells.back().empty()) {
            is_quoted = true;
            continue;
        } else if (c == ',') {
            if (cells.size() < cells_max) cells.emplace_back();
            continue;
        } else if (c == '\n') {
            ++i;
            break;
        } else if (c == '\r') {
            continue;
        }
        if (cells.back().size() < cell_bytes_max) cells.back() += c;
    }
    text.remove_prefix(i);
    return cells;
}

std::string upper(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return out;
}

std::uint32_t first_four(const char* bytes) {
    std::uint32_t out = 0;
    std::memcpy(&out, bytes, sizeof out);
    return out;
}

/// Which of 2^16 classes a start falls into, so that most places of a body cost one look at a bit.
std::size_t start_class(std::uint32_t four) { return (four * 2654435761u) >> 16; }

constexpr std::size_t start_classes = 1u << 16;

}  // namespace

std::vector<Fingerprint> parse_fingerprints(std::string_view csv, std::string_view where, Tally& tally) {
    std::vector<Fingerprint> out;
    if (csv.starts_with("\xEF\xBB\xBF")) csv.remove_prefix(3);
    std::uint64_t line = 1;
    const auto header = take_record(csv, line);
    const auto column = [&](std::string_view name) {
        return static_cast<std::size_t>(std::find(header.begin(), header.end(), name) - header.begin());
    };
    const auto name_column = column("name"), scope_column = column("scope"), location_column = column("location_found"),
               match_column = column("pattern_type"), pattern_column = column("pattern"), countries_column = column("expected_countries"),
               confidence_column = column("confidence_no_fp");
    while (!csv.empty() && out.size() < fingerprints_max) {
        const auto place = std::string(where) + ":" + std::to_string(line);
        const auto cells = take_record(csv, line);
        if (cells.size() == 1 && trimmed(cells.front()).empty()) continue;
        const auto cell = [&](std::size_t at) { return at < cells.size() ? std::string_view(cells[at]) : std::string_view(); };
        Fingerprint fingerprint;
        fingerprint.name = cell(name_column);
        fingerprint.scope = cell(scope_column);
        fingerprint.location = cell(location_column);
        fingerprint.pattern = cell(pattern_column);
        const auto kind = cell(match_column);
        using Match = Fingerprint::Match;
        if (kind == "full") fingerprint.match = Match::full;
        else if (kind == "prefix") fingerprint.match = Match::prefix;
        else if (kind == "contains") fingerprint.match = Match::contains;
        else if (kind == "regexp") fingerprint.match = Match::regexp;
        else {
            tally.skip("kind of match not known", place, kind);
            continue;
        }
        const bool has_place = fingerprint.location == "dns" || fingerprint.location == "body" || fingerprint.location.starts_with("header.");
        if (fingerprint.name.empty() || fingerprint.pattern.empty() || !has_place) {
            tally.skip("fingerprint without name, pattern or place", place, cell(name_column));
            continue;
        }
        auto countries = cell(countries_column);
        while (!countries.empty()) {
            const auto comma = std::min(countries.find(','), countries.size());
            const auto country = upper(trimmed(countries.substr(0, comma)));
            if (!country.empty() && country != "ZZ") fingerprint.countries.push_back(country);
            countries.remove_prefix(std::min(comma + 1, countries.size()));
        }
        const auto confidence = cell(confidence_column);
        std::from_chars(confidence.data(), confidence.data() + confidence.size(), fingerprint.confidence);
        tally.keep();
        out.push_back(std::move(fingerprint));
    }
    return out;
}

FingerprintSet::FingerprintSet(std::vector<Fingerprint> fingerprints) : m_all(std::move(fingerprints)) {
    for (std::uint32_t i = 0; i < m_all.size(); ++i) {
        const auto& fingerprint = m_all[i];
        if (fingerprint.location == "dns") m_dns.emplace(fingerprint.pattern, i);
        else if (fingerprint.location == "body") {
            if (fingerprint.pattern.size() < 4) {
                m_short_bodies.push_back(i);
                continue;
            }
            if (m_starts.empty()) m_starts.resize(start_classes);
            const auto four = first_four(fingerprint.pattern.data());
            m_starts[start_class(four)] = true;
            m_bodies.emplace(four, i);
        } else {
            m_headers.emplace(std::string_view(fingerprint.location).substr(std::string_view("header.").size()), i);
        }
    }
}

std::vector<std::uint32_t> FingerprintSet::of_answer(const DnsAnswer& answer) const {
    std::vector<std::uint32_t> out;
    const auto [begin, end] = m_dns.equal_range(answer.address.empty() ? answer.name : answer.address);
    for (auto it = begin; it != end; ++it) out.push_back(it->second);
    std::sort(out.begin(), out.end());
    return out;
}

std::vector<std::uint32_t> FingerprintSet::of_header(std::string_view name_lower, std::string_view value) const {
    std::vector<std::uint32_t> out;
    const auto [begin, end] = m_headers.equal_range(name_lower);
    for (auto it = begin; it != end; ++it) {
        const auto& fingerprint = m_all[it->second];
        const bool is_match = fingerprint.match == Fingerprint::Match::full       ? value == fingerprint.pattern
                              : fingerprint.match == Fingerprint::Match::prefix   ? value.starts_with(fingerprint.pattern)
                              : fingerprint.match == Fingerprint::Match::contains ? value.find(fingerprint.pattern) != std::string_view::npos
                                                                                  : false;
        if (is_match) out.push_back(it->second);
    }
    std::sort(out.begin(), out.end());
    return out;
}

std::vector<std::uint32_t> FingerprintSet::of_body(std::string_view body) const {
    std::vector<std::uint32_t> out;
    for (const auto place : m_short_bodies)
        if (body.find(m_all[place].pattern) != std::string_view::npos) out.push_back(place);
    if (!m_starts.empty())
        for (std::size_t i = 0; i + 4 <= body.size(); ++i) {
            const auto four = first_four(body.data() + i);
            if (!m_starts[start_class(four)]) continue;
            const auto [begin, end] = m_bodies.equal_range(four);
            for (auto it = begin; it != end; ++it)
                if (body.substr(i).starts_with(m_all[it->second].pattern) && std::find(out.begin(), out.end(), it->second) == out.end())
                    out.push_back(it->second);
        }
    std::sort(out.begin(), out.end());
    return out;
}

}  // namespace unveil::interference
