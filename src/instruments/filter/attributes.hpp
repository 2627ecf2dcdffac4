// Contexts that meet different rules differ in what: the country, the language, the kind of conversation? Only as far as the design tells it: attributes that
// always go together cannot be told apart, and nothing is concluded from a difference that was not found.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "instruments/filter/rule_sets.hpp"
#include "table/context_attributes.hpp"

namespace unveil::filter {

/// Two contexts that differ in one attribute and in no other that is named.
struct SingleStep {
    std::string attribute;
    std::size_t pair = 0;   // position in the pairs
};

struct Separation {
    bool has_attributes = false;                          // at least one attribute has two values
    bool has_differences = false;
    /// The least sets of attributes of which each, held equal, leaves no difference that was found. Several: the contexts do not tell which. None, with differences:
    /// contexts that agree in all that is named meet different rules.
    std::vector<std::vector<std::string>> explanations;
    std::vector<std::vector<std::string>> together;       // attributes of which none changes without the others in these contexts
    bool is_incomplete = false;                           // contexts that differ are not known to differ in any of an explanation
    std::vector<std::string> needed;                      // that stand in every explanation; none where it is incomplete
    std::vector<std::string> spared;                      // in none, and contexts that differ in it alone have equal lists
    std::vector<SingleStep> steps;                        // by attribute, then in the order of the pairs
};

/// `contexts` in the order in which the pairs count them. An attribute that is not named for a context may have any value there. O(2^attributes pairs), at most attributes_max of them.
Separation separate_contexts(std::span<const std::string> contexts, const ContextAttributes& attributes, std::span<const ContextPair> pairs);

}  // namespace unveil::filter
