// What somebody asserts and on which evidence: case.toml, read with every mistake named by its line.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "case/comparison.hpp"
#include "core/parameter.hpp"
#include "instruments/instrument.hpp"

namespace unveil {

struct CaseEvidence {
    std::string id;
    std::string path;      // as written: relative to the folder of the case file
    std::string format;    // empty: detect
    std::string sha256;    // empty: not checked
    std::string obtained;  // how it was obtained; free text
    std::map<std::string, std::string> columns;
    std::string where;     // "case.toml:7"
};

/// What observations can say of a claim. "Only X" and "never Y" can be contradicted, never supported.
enum class ClaimKind { measured, only, never };
std::string_view claim_kind_name(ClaimKind kind);

struct CaseClaim {
    std::string id;
    std::string text;
    ClaimKind kind = ClaimKind::measured;
    const Instrument* instrument = nullptr;
    std::vector<std::size_t> evidence;   // positions in CaseFile::evidence, ascending
    std::vector<std::size_t> controls;   // likewise; none of `evidence`
    std::vector<std::pair<std::string, std::vector<std::string>>> with;  // as given, in the order of the file
    ParameterValues parameters;
    std::vector<Comparison> holds;
    std::string where;
};

struct CaseFile {
    std::string title;
    std::string summary;
    std::uint64_t seed = 0;
    std::vector<CaseEvidence> evidence;
    std::vector<CaseClaim> claims;
    std::string text;      // the bytes that were parsed
};

using InstrumentFinder = std::function<const Instrument&(std::string_view name)>;

/// `name` is what messages call the file. Throws Error(input) with "name:line" and the remedy. Touches no file.
CaseFile parse_case(std::string text, const std::string& name, const InstrumentFinder& find_instrument);
/// Reads and parses; throws Error(input) when it cannot be read or is larger than case_bytes_max.
CaseFile read_case(const std::string& path, const InstrumentFinder& find_instrument);

constexpr std::size_t case_bytes_max = 1'000'000;
constexpr std::size_t case_items_max = 1000;   // evidence entries, claims; comparisons of a claim a tenth of it

}  // namespace unveil
