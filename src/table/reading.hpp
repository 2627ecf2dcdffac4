// How does the filter read text: does it see through case, spacing, look-alikes ...? For each fold, variants of known rules were sent;
// a variant that is blocked although the rule's own letters do not stand in it was read as the rule.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace unveil::filter {

struct FoldEvidence {
    std::uint64_t rules = 0;            // with a variant that was sent
    std::uint64_t rules_blocked = 0;    // of them, the variant is more likely blocked than not
    std::uint64_t rules_passed = 0;     // or the other way round
    double probability = 0.5;           // that the filter undoes this change, even odds beforehand

    bool is_seen_through(double confidence) const { return probability >= confidence; }
    bool is_excluded(double confidence) const { return 1 - probability >= confidence; }
};

/// Collects probes, by fold and rule: the context's worst case is not mixed, one context at a time.
class Reading {
  public:
    /// `rule` tells rules apart that are independent of each other: what may be two spellings of one rule goes by one name, and counts once, as the answer that says less; nothing where they contradict
    /// each other. `blocked`: the probability that the variant is.
    void add(std::string_view fold, std::string_view rule, double blocked);
    /// A variant may be on the list by itself: a fold that is off still blocks with probability `listed_variants`.
    std::map<std::string, FoldEvidence> folds() const;
    static constexpr double listed_variants = 0.1;

  private:
    std::map<std::string, std::map<std::string, double>> m_blocked;  // fold, rule -> probability that the variant is blocked
};

}  // namespace unveil::filter
