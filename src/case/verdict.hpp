// Is a claim supported, contradicted or undetermined by what an instrument found, why, and what would settle it?
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "case/case_file.hpp"
#include "case/comparison.hpp"
#include "instruments/finding.hpp"

namespace unveil {

/// One side of a decided comparison with the number that stood there.
struct DecidedOperand {
    Operand operand;
    double value = 0;
    Interval interval;
    std::string unit;
    std::string set;     // of which it was asked whether it holds `member`; empty for other numbers
    std::string member;
};

struct ComparisonVerdict {
    Comparison comparison;
    Decision decision = Decision::undetermined;
    std::optional<DecidedOperand> left;    // empty: the run has no such finding
    std::optional<DecidedOperand> right;
    std::string sentence;  // "core.accounts is 120, at least 100"
    std::string settles;   // what would settle it; empty when it is decided
};

/// What the evidence of a run amounts to, for sentences; controls do not count.
struct Observed {
    std::uint64_t rows = 0;
    std::string record;                    // "post"
    std::int64_t time_first_us = 0;
    std::int64_t time_last_us = 0;
};

struct ClaimVerdict {
    std::string claim;                     // id
    std::string text;
    ClaimKind kind = ClaimKind::measured;
    Decision decision = Decision::undetermined;
    std::string instrument;
    std::vector<std::string> evidence;     // ids
    std::vector<std::string> controls;     // ids
    std::string run;                       // key
    std::vector<std::string> deciding;     // metrics, in the order of the comparisons
    std::vector<ComparisonVerdict> comparisons;
    std::string sentence;
    std::string settles;
};

/// Contradicted if one comparison is, supported if all are, else undetermined; claims of kind only and never are not
/// supported by anything. Fills all but `evidence`, `controls` and `run`.
ClaimVerdict judge(const CaseClaim& claim, const Findings& findings, const Observed& observed);

nlohmann::ordered_json verdict_to_json(const ClaimVerdict& verdict);

/// 1234567.5 -> "1,234,567.5"; at most 4 digits after the point for fractions.
std::string spoken_number(double value);
/// 3600000000 -> "1 hour"; the largest unit that gives at least two, with one digit after the point at most.
std::string spoken_span(std::int64_t span_us);

}  // namespace unveil
