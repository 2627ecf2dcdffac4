// What do all traces and windows together say about a pair of accounts? The smallest of its p-values, times the number of
// tests made (Bonferroni): it holds whatever the dependence between traces, and they do depend on each other, since one post
// carries a link, a hashtag and a text at once. Every pair of accounts of the evidence is in the family of tests.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace unveil::coordination {

/// One pair of accounts in one trace and window.
struct FusionInput {
    std::uint32_t a;
    std::uint32_t b;
    std::uint32_t weight;
    std::uint32_t trace;    // position in the list of traces
    bool is_kept;    // and neither end is a control
    bool is_found;   // by the rule
    double p;   // over the pair's weight in its family; may thus be tiny or capped at 1
};

struct FusedEdge {
    std::uint32_t a;
    std::uint32_t b;
    std::uint32_t weight;    // sum over traces of the weight in the widest window
    bool is_kept_somewhere;  // in any trace and window
    bool is_found_somewhere;
    double p;
    double q;
    std::vector<std::pair<std::uint32_t, double>> shares;  // trace, its part of the sum of 1 / p; largest first
};

/// `tests_each` is the number of tests that a pair could pass: traces times windows in which two accounts have two objects that
/// others share, whenever. A missing input has p = 1 (inputs may be left out when their p is large: that can only raise the result).
/// `inputs` in any order; of one trace the widest window has the largest weight. O(n log n).
std::vector<FusedEdge> fuse(std::vector<FusionInput> inputs, std::uint32_t tests_each, double pairs_of_accounts);

}  // namespace unveil::coordination
