// What kind of filter is it, on one page: which types of rules and how long, how it reads, whether order, edges of words and exceptions count, on what it acts,
// how steady it is, whether all meet the same list, and whether lists of words explain what it does at all.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "core/output_table.hpp"
#include "table/reading.hpp"
#include "instruments/finding.hpp"
#include "table/filter_log.hpp"

namespace unveil::filter {

struct ModelEvidence {
    const FilterLog& log;
    const std::set<std::string>& rules;    // certified, of several spellings one
    const std::map<std::string, std::map<std::string, FoldEvidence>>& folds;   // by context
    std::uint64_t shapes_tried = 0;        // rules of one word with a letter beside them, by context
    std::uint64_t word_bound = 0;          // of them, blocked only at the edge of a word
    double confidence = 0.99;
    bool withholds_evasions = false;       // spellings that come through are not named
    double same_share = 0.1;               // what no test showed is denied where a larger share of it would have been seen
};

/// Adds the table `model`, and findings that begin with "model"; what is in `findings` already of order, contexts and exceptions is taken from there.
void describe_model(const ModelEvidence& evidence, OutputTables& tables, Findings& findings);

}  // namespace unveil::filter
