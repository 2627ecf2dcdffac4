// Which of the rules that are watched are worth the next messages? Those of which asking now finds a change soonest, by what became of all rules so
// far: how old they are, how often they changed, and who else changed just now.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "table/trial_book.hpp"

namespace unveil::filter {

struct WatchTurn {
    std::size_t rule = 0;             // as counted by add()
    double hazard_per_day = 0;        // of a change, at its present age
    double changed = 0;               // probability that it is not any more what it was
    double gain_days = 0;             // what it is worth: expected days by which a change is found sooner
};

/// Deterministic: the same answers give the same turns. Times of one rule do not go back.
class WatchSchedule {
  public:
    /// Rules of different contexts have nothing to do with each other. O(bytes).
    std::size_t add(std::span<const std::string> components, std::string_view context);
    /// What the platform does with the rule now. O(1).
    void note(std::size_t rule, std::int64_t time_us, bool is_blocked);
    /// The `turns_max` best turns of all rules that have an answer, best first. O(rules * features of one + rules log turns_max).
    ///
    /// Hazard: rules are of three origins (there when watching began, found later, changed since), in two states, and the latter two of eight ages
    /// since they were found or changed; each such class has the mean of a gamma posterior, events + 1 over days + 1 / prior, where the prior is one
    /// rate for those that were there, and falls as 1 / (age + 1 day), to half of that, for the others. A rule's own record multiplies it by (own changes + 1/2) /
    /// (expected ones + 1/2).
    ///
    /// Company: rules leave and come in batches of a kind. A find makes it likelier for those not asked since that share two neighbouring
    /// characters, the day on which they came, or the kind of characters: (finds - 1 + prior) / (finds - 1 + asked since in vain + 1), the
    /// prior 3 / (rules that share it) for characters, at most 1/2, and none for the rest.
    ///
    /// Worth: with q(s) the probability of a change within s days of the last answer, now t days ago, t q(t) - integral of q up to t (Whittle's
    /// index of the delay, as for crawlers in Azar et al. 2018, PNAS), and for company its probability times the mean t.
    std::vector<WatchTurn> rank(std::int64_t now_us, std::size_t turns_max) const;

    const std::vector<Change>& changes(std::size_t rule) const { return m_rules[rule].changes; }
    bool is_blocked(std::size_t rule) const { return m_rules[rule].is_blocked; }
    std::int64_t last_us(std::size_t rule) const { return m_rules[rule].last_us; }

  private:
    static constexpr std::array<double, 8> age_days = {0, 0.25, 1, 3, 10, 30, 100, 365};   // where a class begins
    enum class FeatureKind : std::uint8_t { characters, shape, cohort };
    enum Origin : std::uint8_t { there, found, changed_since, origins };

    struct Rule {
        std::vector<std::uint32_t> features;   // but the cohort
        std::vector<Change> changes;
        std::int64_t first_us = 0;
        std::int64_t last_us = 0;
        bool is_blocked = false;
        bool has_answer = false;
        std::uint32_t context = 0;
        std::uint32_t cohort = 0;              // feature: the day of the last change, else of the first answer
        std::uint32_t cohort_before = 0;       // the last change
    };
    using Rates = std::array<std::array<std::array<double, age_days.size()>, 2>, origins>;
    /// Rules of one feature that changed in one direction at what may have been one moment.
    struct Batch {
        std::uint32_t finds = 0;
        std::int64_t after_us = 0;
        std::int64_t before_us = 0;
        double chance = 0;            // of another one that was not asked since
    };

    std::uint32_t feature(std::string key, FeatureKind kind);
    void enter_cohort(std::size_t rule, std::int64_t time_us);
    Origin origin(const Rule& rule) const;
    Rates rates() const;
    std::array<std::unordered_map<std::uint32_t, Batch>, 2> batches() const;

    std::vector<Rule> m_rules;
    std::unordered_map<std::string, std::uint32_t> m_feature_ids;
    std::vector<std::vector<std::uint32_t>> m_rules_of;   // by feature
    std::vector<FeatureKind> m_kinds;                     // by feature
    std::map<std::string, std::uint32_t, std::less<>> m_contexts;
    std::int64_t m_asked_again_us = INT64_MAX;            // when watching had begun: a rule was asked for again after a day
};

}  // namespace unveil::filter
