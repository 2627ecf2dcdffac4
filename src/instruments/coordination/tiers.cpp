#include "instruments/coordination/tiers.hpp"

#include <algorithm>
#include <numeric>
#include <tuple>
#include <unordered_map>

#include "core/random.hpp"
#include "graph/hits.hpp"
#include "instruments/coordination/row_store.hpp"

namespace unveil::coordination {
namespace {

/// Ids are chosen by whoever wrote the evidence: without mixing they could all fall into one slot.
struct MixedHash {
    std::size_t operator()(std::uint64_t key) const { return mix64(key + 0x9e3779b97f4a7c15ULL); }
};

struct Original {
    std::uint32_t author = no_account;
    std::int64_t time_us = 0;
    bool has_time = false;
};

/// A repost by a member, with its author once known.
struct MemberRepost {
    std::uint32_t member;   // position in labels
    std::uint32_t author;
    std::int64_t time_us;
    std::uint64_t repost_of;
};

}  // namespace

std::string_view tier_name(Tier tier) {
    switch (tier) {
        case Tier::core: return "core";
        case Tier::bridge: return "bridge";
        case Tier::amplifier: return "amplifier";
        case Tier::periphery: return "periphery";
    }
    return {};
}

void decide_tier(TierLabel& label, bool has_shares, bool is_in_sync, const TierRules& rules) {
    const std::uint64_t m = rules.received_min;
    const std::uint64_t given = label.given_to_members + label.given_to_boosted;
    const bool is_fast = label.median_delay_seconds && *label.median_delay_seconds <= TierRules::fast_seconds;
    const auto choose = [&](Tier tier, std::string_view reason) {
        label.tier = tier;
        label.reason = reason;
    };
    if (!has_shares) choose(Tier::periphery, "nobody in its community reposts anybody of it: tiers cannot be told");
    else if (label.originality >= TierRules::core_originality_min) choose(Tier::core, "most of its posts are its own");
    else if (label.received >= m && label.received >= given) choose(Tier::core, "members repost it more than it reposts them");
    else if (label.received >= m && given >= m) choose(Tier::bridge, "it is reposted by members and reposts them");
    else if (label.originality <= TierRules::amplifier_originality_max && given >= m && label.focus &&
             *label.focus >= TierRules::focus_min && (is_in_sync || is_fast))
        choose(Tier::amplifier, is_in_sync ? "it reposts few accounts, in sync with others" : "it reposts few accounts, within a minute");
    else choose(Tier::periphery, "no other rule applies");
}

Tiers assign_tiers(const Activity& activity, std::span<const std::uint32_t> community_of,
                   std::span<const std::uint8_t> is_in_sync, const TierRules& rules, std::span<const std::uint32_t> rank) {
    Tiers tiers;
    constexpr std::uint32_t none = 0xffffffff;
    std::vector<std::uint32_t> member_of(community_of.size(), none);  // account -> position in labels
    for (std::uint32_t account = 0; account < community_of.size(); ++account)
        if (community_of[account] != 0) tiers.labels.push_back({.account = account, .community = community_of[account]});
    const auto place = [&](const TierLabel& label) {
        return std::pair(label.community, label.account < rank.size() ? rank[label.account] : label.account);
    };
    std::sort(tiers.labels.begin(), tiers.labels.end(), [&](const TierLabel& x, const TierLabel& y) { return place(x) < place(y); });
    for (std::uint32_t i = 0; i < tiers.labels.size(); ++i) member_of[tiers.labels[i].account] = i;
    const auto member = [&](std::uint32_t account) { return account < member_of.size() ? member_of[account] : none; };

    // First walk: what members posted and reposted.
    std::vector<MemberRepost> reposts;
    std::unordered_map<std::uint64_t, Original, MixedHash> originals;  // that members reposted
    std::unordered_map<std::uint64_t, std::uint64_t, MixedHash> found;  // posts of members -> reposts in the evidence
    activity.for_each([&](const ActivityPost& post) {
        const std::uint32_t i = member(post.account);
        if (i == none) return;
        TierLabel& label = tiers.labels[i];
        ++label.posts;
        if ((post.flags & activity_repost) == 0) {
            ++label.originals;
            found.try_emplace(post.content, 0);
            return;
        }
        reposts.push_back({i, post.repost_author, post.time_us, post.repost_of});
        if (post.repost_of != content_key_none) originals.try_emplace(post.repost_of);
    });
    // Second walk: whose the reposted posts are, and how often those of members were reposted by anybody.
    activity.for_each([&](const ActivityPost& post) {
        if (const auto original = originals.find(post.content); original != originals.end()) {
            // Of several posts with one id the earliest counts, then the smaller account.
            Original& known = original->second;
            if (!known.has_time || std::tie(post.time_us, post.account) < std::tie(known.time_us, known.author))
                known = {post.account, post.time_us, true};
        }
        if (post.repost_of == content_key_none) return;
        if (const auto own = found.find(post.repost_of); own != found.end()) ++own->second;
    });
    // Third walk: what the platform counted.
    activity.for_each([&](const ActivityPost& post) {
        const std::uint32_t i = member(post.account);
        if (i == none || (post.flags & activity_repost) != 0 || post.reposts_received == reposts_unknown) return;
        const std::uint64_t seen = found.at(post.content);
        TierLabel& label = tiers.labels[i];
        label.unseen_amplification = label.unseen_amplification.value_or(0) + (post.reposts_received > seen ? post.reposts_received - seen : 0);
    });
    for (MemberRepost& repost : reposts) {
        const auto original = originals.find(repost.repost_of);
        if (original == originals.end() || !original->second.has_time) continue;
        if (repost.author == no_account) repost.author = original->second.author;
    }

    // Accounts outside that at least half of a community's members repost.
    std::uint32_t communities = 0;
    for (const TierLabel& label : tiers.labels) communities = std::max(communities, label.community);
    tiers.boosted.assign(communities, 0);
    std::vector<std::uint64_t> members(communities, 0);
    for (const TierLabel& label : tiers.labels) ++members[label.community - 1];
    std::vector<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>> outside;  // community, author, member
    for (const MemberRepost& repost : reposts)
        if (repost.author != no_account &&
            (member(repost.author) == none || tiers.labels[member(repost.author)].community != tiers.labels[repost.member].community))
            outside.emplace_back(tiers.labels[repost.member].community, repost.author, repost.member);
    std::sort(outside.begin(), outside.end());
    outside.erase(std::unique(outside.begin(), outside.end()), outside.end());
    std::vector<std::pair<std::uint32_t, std::uint32_t>> boosted;  // community, author
    for (std::size_t begin = 0; begin < outside.size();) {
        const auto [community, author, unused] = outside[begin];
        std::size_t end = begin;
        while (end < outside.size() && std::get<0>(outside[end]) == community && std::get<1>(outside[end]) == author) ++end;
        const std::uint64_t by = end - begin;
        if (by >= rules.received_min && by * 2 >= members[community - 1]) {
            boosted.emplace_back(community, author);
            ++tiers.boosted[community - 1];
        }
        begin = end;
    }

    // What each member gave and received, its targets and delays.
    std::sort(reposts.begin(), reposts.end(), [](const MemberRepost& x, const MemberRepost& y) {
        return std::tie(x.member, x.author, x.time_us, x.repost_of) < std::tie(y.member, y.author, y.time_us, y.repost_of);
    });
    std::vector<std::vector<DirectedEdge>> edges(communities);
    std::vector<std::uint32_t> first_of(communities, none);
    for (std::uint32_t i = 0; i < tiers.labels.size(); ++i)
        first_of[tiers.labels[i].community - 1] = std::min(first_of[tiers.labels[i].community - 1], i);
    struct Targets {
        std::uint32_t label;
        std::size_t begin;
        std::size_t end;
    };
    std::vector<Targets> targets_of;
    std::vector<std::uint64_t> targets;   // reposts of each author, most first, one account after another
    std::vector<double> delays_seconds;
    for (std::size_t begin = 0; begin < reposts.size();) {
        const std::uint32_t i = reposts[begin].member;
        TierLabel& label = tiers.labels[i];
        const std::size_t first_target = targets.size();
        delays_seconds.clear();
        std::size_t at = begin;
        while (at < reposts.size() && reposts[at].member == i) {
            const std::uint32_t author = reposts[at].author;
            const std::size_t first = at;
            while (at < reposts.size() && reposts[at].member == i && reposts[at].author == author) {
                const auto original = originals.find(reposts[at].repost_of);
                if (original != originals.end() && original->second.has_time && reposts[at].time_us >= original->second.time_us)
                    delays_seconds.push_back(static_cast<double>(reposts[at].time_us - original->second.time_us) / 1e6);
                ++at;
            }
            if (author == no_account) continue;
            const std::uint64_t count = at - first;
            targets.push_back(count);
            const std::uint32_t j = member(author);
            if (j == i) continue;
            if (j != none && tiers.labels[j].community == label.community) {
                label.given_to_members += count;
                tiers.labels[j].received += count;
                const std::uint32_t base = first_of[label.community - 1];
                edges[label.community - 1].push_back({i - base, j - base, static_cast<double>(count)});
            } else if (std::binary_search(boosted.begin(), boosted.end(), std::pair{label.community, author})) {
                label.given_to_boosted += count;
            }
        }
        std::sort(targets.begin() + static_cast<std::ptrdiff_t>(first_target), targets.end(), std::greater<>());
        targets_of.push_back({i, first_target, targets.size()});
        if (!delays_seconds.empty()) {
            std::sort(delays_seconds.begin(), delays_seconds.end());
            const std::size_t middle = delays_seconds.size() / 2;
            label.median_delay_seconds = delays_seconds.size() % 2 == 1
                                             ? delays_seconds[middle]
                                             : (delays_seconds[middle - 1] + delays_seconds[middle]) / 2;
        }
        begin = at;
    }
    for (std::uint32_t c = 0; c < communities; ++c) {
        const Hits scores = hits(static_cast<std::uint32_t>(members[c]), edges[c]);
        for (std::uint32_t v = 0; v < members[c]; ++v) {
            tiers.labels[first_of[c] + v].authority = scores.authority[v];
            tiers.labels[first_of[c] + v].hub = scores.hub[v];
        }
    }
    std::vector<std::uint8_t> has_shares(communities, 0);
    for (const TierLabel& label : tiers.labels)
        if (label.given_to_members + label.given_to_boosted > 0) has_shares[label.community - 1] = 1;
    const auto decide = [&](TierLabel& label) {
        decide_tier(label, has_shares[label.community - 1] != 0, label.account < is_in_sync.size() && is_in_sync[label.account] != 0, rules);
    };
    // Who belongs to the core does not hang on focus, but focus on how many do.
    std::vector<std::size_t> core(communities, 0);
    for (TierLabel& label : tiers.labels) {
        if (label.posts > 0) label.originality = static_cast<double>(label.originals) / static_cast<double>(label.posts);
        decide(label);
        core[label.community - 1] += label.tier == Tier::core;
    }
    for (const Targets& own : targets_of) {
        const std::uint64_t known = std::accumulate(targets.begin() + static_cast<std::ptrdiff_t>(own.begin),
                                                    targets.begin() + static_cast<std::ptrdiff_t>(own.end), std::uint64_t{0});
        if (known == 0) continue;
        const std::size_t top = own.begin + std::min(own.end - own.begin, std::max(TierRules::focus_targets_min,
                                                                                   core[tiers.labels[own.label].community - 1]));
        tiers.labels[own.label].focus =
            static_cast<double>(std::accumulate(targets.begin() + static_cast<std::ptrdiff_t>(own.begin),
                                                targets.begin() + static_cast<std::ptrdiff_t>(top), std::uint64_t{0})) /
            static_cast<double>(known);
    }
    for (TierLabel& label : tiers.labels) decide(label);
    return tiers;
}

}  // namespace unveil::coordination
