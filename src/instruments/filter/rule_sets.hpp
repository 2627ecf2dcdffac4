// Do the contexts (countries, networks, kinds of account) meet the same rules? Every rule that was sent alone in several contexts is a
// paired test; contexts that no test tells apart share one set of rules.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "table/trial_book.hpp"

namespace unveil::filter {

/// The states of one rule, in the order of the contexts.
struct RuleStates {
    std::string rule;
    std::vector<State> states;
};

struct ContextPair {
    std::size_t a = 0;
    std::size_t b = 0;
    std::uint64_t both = 0;      // rules blocked in both
    std::uint64_t only_a = 0;
    std::uint64_t only_b = 0;
    std::uint64_t neither = 0;
    double p = 1;                // exact McNemar: sign test of only_a against only_b
    double p_holm = 1;
    /// Some rule is surely blocked in one and surely not in the other. With lists that are parts of each other this needs no p.
    bool is_different() const { return only_a + only_b > 0; }
};

/// McNemar, Psychometrika 12 (1947) 153, exact; Holm over all pairs of contexts. O(contexts^2 rules).
std::vector<ContextPair> compare_contexts(std::span<const RuleStates> rules, std::size_t contexts);

/// Contexts in groups that no rule tells apart, each group by its smallest member; a context joins the first group it agrees with on
/// at least one rule. In the order of the contexts: the number of its group, from 0.
std::vector<std::size_t> group_contexts(std::span<const RuleStates> rules, std::size_t contexts);

}  // namespace unveil::filter
