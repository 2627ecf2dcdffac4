// Goal: tiers follow from the written rules and from numbers counted naively. Method: small communities by hand; random
// ones against a definition that looks at every post for every account.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "core/random.hpp"
#include "instruments/coordination/row_store.hpp"
#include "instruments/coordination/tiers.hpp"

namespace unveil::testing {
namespace {

using namespace coordination;

ActivityPost original(std::uint32_t account, std::uint64_t content, std::int64_t time_us, std::uint32_t received = reposts_unknown) {
    return {time_us, content, content_key_none, account, no_account, 0, received, 0, 0};
}
ActivityPost repost(std::uint32_t account, std::uint64_t content, std::int64_t time_us, std::uint64_t of, std::uint32_t author = no_account) {
    return {time_us, content, of, account, author, 0, reposts_unknown, 0, activity_repost};
}
Tiers tiers_of(const std::vector<ActivityPost>& posts, const std::vector<std::uint32_t>& community_of,
               const std::vector<std::uint8_t>& in_sync = {}) {
    Activity activity(Scratch{::testing::TempDir(), 0});
    for (const auto& post : posts) activity.add(post);
    activity.finish();
    return assign_tiers(activity, community_of, in_sync, {});
}
constexpr std::int64_t second_us = 1'000'000;

/// Account 0 writes ten posts, accounts 1 to 3 repost each within seconds; 4 does nothing of the kind.
TEST(Tiers, CoreAndAmplifiers) {
    std::vector<ActivityPost> posts;
    std::uint64_t id = 100;
    for (std::uint64_t k = 0; k < 10; ++k) {
        const auto t = static_cast<std::int64_t>(k) * 3600 * second_us;
        posts.push_back(original(0, k, t, 8));
        for (std::uint32_t amplifier = 1; amplifier <= 3; ++amplifier) posts.push_back(repost(amplifier, id++, t + amplifier * second_us, k));
    }
    posts.push_back(repost(4, id++, 0, 999));
    const Tiers tiers = tiers_of(posts, {1, 1, 1, 1, 1});
    ASSERT_EQ(tiers.labels.size(), 5u);
    EXPECT_EQ(tiers.labels[0].tier, Tier::core);
    EXPECT_EQ(tiers.labels[0].received, 30u);
    EXPECT_EQ(tiers.labels[0].unseen_amplification, 50u) << "80 counted, 30 in the evidence";
    EXPECT_NEAR(tiers.labels[0].authority, 1, 1e-9);
    for (std::size_t i = 1; i <= 3; ++i) {
        EXPECT_EQ(tiers.labels[i].tier, Tier::amplifier) << i;
        EXPECT_EQ(tiers.labels[i].given_to_members, 10u);
        EXPECT_EQ(tiers.labels[i].focus, 1.0);
        EXPECT_EQ(tiers.labels[i].median_delay_seconds, static_cast<double>(i));
        EXPECT_NEAR(tiers.labels[i].hub, 1 / std::sqrt(3.0), 1e-9);
    }
    EXPECT_EQ(tiers.labels[4].tier, Tier::periphery);
    EXPECT_FALSE(tiers.labels[4].focus) << "its only target is not known";
}

/// Slow reposters are amplifiers only when their synchrony is beyond chance.
TEST(Tiers, SlowAmplifiersNeedSynchrony) {
    std::vector<ActivityPost> posts;
    for (std::uint64_t k = 0; k < 10; ++k) {
        posts.push_back(original(0, k, 0));
        posts.push_back(repost(1, 100 + k, 7200 * second_us, k));
    }
    EXPECT_EQ(tiers_of(posts, {1, 1}).labels[1].tier, Tier::periphery);
    EXPECT_EQ(tiers_of(posts, {1, 1}, {0, 1}).labels[1].tier, Tier::amplifier);
}

/// A core of twelve: whoever reposts all of them evenly has many targets and is an amplifier all the same.
TEST(Tiers, FocusHeedsTheSizeOfTheCore) {
    std::vector<ActivityPost> posts;
    std::uint64_t id = 1000;
    for (std::uint64_t k = 0; k < 60; ++k) {
        posts.push_back(original(static_cast<std::uint32_t>(k % 12), k, 0));
        posts.push_back(repost(20, id++, second_us, k));
        posts.push_back(repost(21, id++, second_us, k));
    }
    std::vector<std::uint32_t> community_of(22, 0);
    for (std::uint32_t account = 0; account < 12; ++account) community_of[account] = 1;
    community_of[20] = community_of[21] = 1;
    const Tiers tiers = tiers_of(posts, community_of);
    EXPECT_EQ(tiers.labels[12].focus, 1.0);
    EXPECT_EQ(tiers.labels[12].tier, Tier::amplifier);
}

/// Accounts that all repost one outsider amplify it; the outsider gets no label.
TEST(Tiers, BoostedOutsidersGetNoLabel) {
    std::vector<ActivityPost> posts;
    std::uint64_t id = 1000;
    for (std::uint64_t k = 0; k < 10; ++k) {
        posts.push_back(original(9, k, 0));
        for (std::uint32_t account = 0; account < 6; ++account) posts.push_back(repost(account, id++, second_us, k));
    }
    const Tiers tiers = tiers_of(posts, {1, 1, 1, 1, 1, 1});
    ASSERT_EQ(tiers.labels.size(), 6u);
    EXPECT_EQ(tiers.boosted, (std::vector<std::uint32_t>{1}));
    for (const auto& label : tiers.labels) {
        EXPECT_EQ(label.tier, Tier::amplifier);
        EXPECT_EQ(label.given_to_boosted, 10u);
    }
}

/// Accounts that never repost each other have no tiers, however much they write themselves.
TEST(Tiers, NoSharesNoTiers) {
    std::vector<ActivityPost> posts;
    for (std::uint64_t k = 0; k < 20; ++k) posts.push_back(original(static_cast<std::uint32_t>(k % 2), k, static_cast<std::int64_t>(k)));
    for (const auto& label : tiers_of(posts, {1, 1}).labels) EXPECT_EQ(label.tier, Tier::periphery);
}

TEST(Tiers, RulesApplyInOrder) {
    const auto decided = [](double originality, std::uint64_t received, std::uint64_t given, bool in_sync) {
        TierLabel label{.account = 0, .community = 1};
        label.originality = originality;
        label.received = received;
        label.given_to_members = given;
        label.focus = 0.8;
        decide_tier(label, true, in_sync, {});
        return label.tier;
    };
    EXPECT_EQ(decided(0.5, 0, 100, true), Tier::core);
    EXPECT_EQ(decided(0.1, 10, 10, true), Tier::core);
    EXPECT_EQ(decided(0.1, 9, 10, true), Tier::bridge);
    EXPECT_EQ(decided(0.1, 4, 10, true), Tier::amplifier);
    EXPECT_EQ(decided(0.3, 4, 10, true), Tier::periphery);
    EXPECT_EQ(decided(0.1, 4, 10, false), Tier::periphery);
    EXPECT_EQ(decided(0.1, 4, 4, true), Tier::periphery);
}

TEST(Tiers, NumbersEqualNaiveCounts) {
    Random random(21);
    for (int world = 0; world < 300; ++world) {
        const auto accounts = static_cast<std::uint32_t>(2 + random.below(12));
        std::vector<std::uint32_t> community_of(accounts);
        for (auto& community : community_of) community = static_cast<std::uint32_t>(random.below(3));
        std::vector<ActivityPost> posts;
        for (std::uint64_t id = 0; id < 120; ++id) {
            const auto account = static_cast<std::uint32_t>(random.below(accounts));
            const auto t = static_cast<std::int64_t>(random.below(1000)) * second_us;
            if (random.chance(0.4) || id == 0) posts.push_back(original(account, id, t));
            else posts.push_back(repost(account, id, t, random.below(id)));
        }
        const Tiers tiers = tiers_of(posts, community_of);
        std::map<std::uint64_t, std::uint32_t> author;
        for (const auto& post : posts) author[post.content] = post.account;
        std::size_t next = 0;
        for (std::uint32_t community = 1; community <= 2; ++community)
            for (std::uint32_t account = 0; account < accounts; ++account) {
                if (community_of[account] != community) continue;
                ASSERT_LT(next, tiers.labels.size());
                const TierLabel& label = tiers.labels[next++];
                std::uint64_t received = 0, given = 0, own = 0, all = 0;
                for (const auto& post : posts) {
                    const bool is_repost = (post.flags & activity_repost) != 0;
                    if (post.account == account) {
                        ++all;
                        own += !is_repost;
                        if (is_repost && author[post.repost_of] != account && community_of[author[post.repost_of]] == community) ++given;
                    } else if (is_repost && author[post.repost_of] == account && community_of[post.account] == community) {
                        ++received;
                    }
                }
                EXPECT_EQ(label.account, account);
                EXPECT_EQ(label.posts, all);
                EXPECT_EQ(label.originals, own);
                EXPECT_EQ(label.received, received);
                EXPECT_EQ(label.given_to_members, given);
            }
        EXPECT_EQ(next, tiers.labels.size());
    }
}

}  // namespace
}  // namespace unveil::testing
