// Do the contexts (countries, networks, kinds of account) meet the same rules, and which list holds which? Every rule that was sent alone in several
// contexts is a paired test; contexts that no test tells apart share one set of rules. What was not found is told with how much could have been missed.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "table/trial_book.hpp"

namespace unveil::filter {

/// The states of one rule, in the order of the contexts.
struct RuleStates {
    std::string rule;
    std::vector<State> states;
    std::vector<double> errors = {};   // probability that each state is wrong; empty: none is
};

struct CompareOptions {
    double confidence = 0.99;               // of each state
    bool is_silent = true;                  // no answer is known to be wrong: one decides
    double same_share = 0.1;                // a list is within another when a larger share of it would have been found missing there
    std::vector<bool> was_searched = {};    // by context: texts were sent there to find rules; empty: in all. What holds only elsewhere was not looked for
};

enum class ContextRelation {
    not_asked,           // no rule in both
    equal,
    first_within,        // each rule of the first holds in the second; if the second has no other, this may be all that could be tested
    second_within,
    overlapping,         // each has rules that the other lacks, and some are in both
    apart,               // no rule in both
    different,           // some rule is in one only; how the rest lies is not known
    no_difference,       // found, but a larger one than same_share may be there
    unclear,             // the differences are no more than wrong answers may make
};
std::string_view relation_name(ContextRelation relation);

struct ContextPair {
    std::size_t a = 0;
    std::size_t b = 0;
    std::uint64_t both = 0;      // rules blocked in both
    std::uint64_t only_a = 0;
    std::uint64_t only_b = 0;
    std::uint64_t neither = 0;
    double p = 1;                // exact McNemar: sign test of only_a against only_b
    double p_holm = 1;
    double p_noise = 1;          // that wrong answers alone make so many differences or so sure ones, Holm over all pairs; 0 where none is known to be wrong
    double missed_share = 0;     // of rules that differ, read as if they did not, by the answers that each rule got
    ContextRelation relation = ContextRelation::not_asked;
    bool is_different = false;   // some rule is surely blocked in one and surely not in the other. With lists that are parts of each other this needs no McNemar
    std::uint64_t asked() const { return both + only_a + only_b + neither; }
    std::uint64_t rules_of_a() const { return both + only_a; }
    std::uint64_t rules_of_b() const { return both + only_b; }
};

/// The least share of a list of which `asked` rules were drawn by chance that would have shown a difference with a probability of 95 %: 1 - 0.05^(1 / asked),
/// which is about 3 / asked (Hanley & Lippman-Hand, JAMA 249 (1983) 1743), over the share that is not missed. 1 where none was asked.
double detectable_share(std::uint64_t asked, double missed_share);

/// McNemar, Psychometrika 12 (1947) 153, exact; Holm over all pairs of contexts. A state that is as sure as `confidence` is wrong with at most
/// (1 - confidence) / confidence however often was asked (Ville 1939), so wrong answers make no more differences than a binomial, and the surest of
/// n differences has n times its own odds. O(contexts^2 rules).
std::vector<ContextPair> compare_contexts(std::span<const RuleStates> rules, std::size_t contexts, const CompareOptions& options = {});

/// Contexts in groups of which no pair is different, each group by its smallest member; a context joins the first group it agrees with on
/// at least one rule. In the order of the contexts: the number of its group, from 0.
std::vector<std::size_t> group_contexts(std::span<const ContextPair> pairs, std::size_t contexts);

}  // namespace unveil::filter
