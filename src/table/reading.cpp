#include "table/reading.hpp"

#include <cmath>

namespace unveil::filter {

void Reading::add(std::string_view fold, std::string_view rule, double blocked) {
    const auto [known, is_new] = m_blocked[std::string(fold)].emplace(rule, blocked);
    if (is_new) return;
    if ((known->second > 0.5) != (blocked > 0.5)) known->second = 0.5;
    else if (std::abs(blocked - 0.5) < std::abs(known->second - 0.5)) known->second = blocked;
}

std::map<std::string, FoldEvidence> Reading::folds() const {
    std::map<std::string, FoldEvidence> folds;
    for (const auto& [fold, rules] : m_blocked) {
        FoldEvidence& evidence = folds[fold];
        double log_odds = 0;
        for (const auto& [rule, blocked] : rules) {
            ++evidence.rules;
            evidence.rules_blocked += blocked > 0.5;
            evidence.rules_passed += blocked < 0.5;
            // Folded: blocked for sure. Not folded: blocked only when the variant is listed. A variant that a foldable rule
            // happens to shield is not ruled out, so a single pass does not exclude the fold for ever.
            constexpr double shielded = 0.01;
            const double if_folded = blocked * (1 - shielded) + (1 - blocked) * shielded;
            const double if_not = blocked * listed_variants + (1 - blocked) * (1 - listed_variants);
            log_odds += std::log(if_folded / if_not);
        }
        evidence.probability = 1 / (1 + std::exp(-log_odds));
    }
    return folds;
}

}  // namespace unveil::filter
