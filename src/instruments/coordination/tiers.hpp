// Who in a community speaks, who passes on? Each account of a community gets one label by written rules, with the numbers
// behind it. Labels describe what accounts did in the evidence, not what anybody told them to do.
//
// The rules, in this order (after the reports on takedowns of 2018 to 2020 and Weber & Neumann, Soc. Netw. Anal. Min. 11 (2021)):
//   core       originality >= 0.5, or received >= m and received >= given
//   bridge     received >= m and given >= m
//   amplifier  originality <= 0.2, given >= m, focus >= 0.5, and in sync or fast (median delay <= 60 s)
//   periphery  all others
// originality: share of its posts that are not reposts. received: reposts of its posts by other members. given: its reposts
// of posts of members and of boosted accounts, m: received_min. focus: share of its reposts with a known author that go to its
// five most frequent ones, or to as many as the community has accounts of the core. An account outside the community is boosted when at least half of the members, and at least m,
// repost it: it says something about the members, nothing about that account, which gets no label.
// A community in which nobody reposts a member or a boosted account has nobody to speak for or to pass on: all of it is
// periphery, since its tiers cannot be told.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "instruments/coordination/activity.hpp"

namespace unveil::coordination {

enum class Tier { core, bridge, amplifier, periphery };
std::string_view tier_name(Tier tier);

struct TierRules {
    static constexpr double core_originality_min = 0.5;
    static constexpr double amplifier_originality_max = 0.2;
    static constexpr double focus_min = 0.5;
    static constexpr std::size_t focus_targets_min = 5;
    static constexpr double fast_seconds = 60;
    std::uint64_t received_min = 5;   // m
};

struct TierLabel {
    std::uint32_t account;      // number
    std::uint32_t community;    // from 1
    Tier tier = Tier::periphery;
    std::uint64_t posts = 0;
    std::uint64_t originals = 0;
    double originality = 0;
    std::uint64_t received = 0;           // from members
    std::uint64_t given_to_members = 0;
    std::uint64_t given_to_boosted = 0;
    std::optional<double> focus = {};          // none without a repost whose author is known
    std::optional<double> median_delay_seconds = {};  // of its reposts whose original is in the evidence
    double authority = 0;                 // HITS (Kleinberg 1999) within the community
    double hub = 0;
    /// Reposts of its originals that the platform counted and the evidence does not hold.
    std::optional<std::uint64_t> unseen_amplification = {};
    std::string_view reason = {};         // the rule that decided
};

struct Tiers {
    std::vector<TierLabel> labels;              // by community, then rank
    std::vector<std::uint32_t> boosted;         // community - 1 -> accounts outside that it boosts
};

/// `community_of` by account number: 0 for none, else from 1; accounts beyond the end have none. `is_in_sync` likewise. `rank`
/// orders the accounts, so that sums do not depend on how they were numbered; without it the numbers do.
/// Three walks over the activity; memory follows the communities' posts and reposts, not the evidence.
Tiers assign_tiers(const Activity& activity, std::span<const std::uint32_t> community_of,
                   std::span<const std::uint8_t> is_in_sync, const TierRules& rules, std::span<const std::uint32_t> rank = {});

/// The label that follows from the numbers, and the rule that decided. `has_shares`: somebody in the community reposts a member
/// or a boosted account.
void decide_tier(TierLabel& label, bool has_shares, bool is_in_sync, const TierRules& rules);

}  // namespace unveil::coordination
