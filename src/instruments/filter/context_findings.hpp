// What the findings say of several contexts: how many sets of rules they meet, which holds which, and what separates them.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "core/output_table.hpp"
#include "instruments/filter/rule_sets.hpp"
#include "instruments/finding.hpp"
#include "table/filter_log.hpp"

namespace unveil::filter {

/// rules("cn") in canonical spelling.
std::string metric_of(std::string_view name, std::initializer_list<std::string_view> arguments);

struct ContextEvidence {
    const FilterLog& log;
    std::vector<std::string> contexts;   // in byte order
    std::vector<RuleStates> rules;       // that are blocked somewhere, each once
    CompareOptions options;
};

/// Adds findings and the table `lattice`.
void describe_context_sets(const ContextEvidence& evidence, OutputTables& tables, Findings& findings);

}  // namespace unveil::filter
