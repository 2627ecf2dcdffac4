// Goal: the chance of an edge is what its definition says. Method: thousands of small random worlds; the synchrony null
// against every way to deal each object's times out to its accounts, and against shuffling; the rule of closed objects
// against its words; calibration on worlds in which nobody acts together.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "../../unit/instruments/memory_posts.hpp"
#include "core/random.hpp"
#include "instruments/coordination/fusion.hpp"
#include "instruments/coordination/keep_rules.hpp"
#include "instruments/coordination/null_models.hpp"

namespace unveil::testing {
namespace {

using namespace coordination;

struct World {
    std::uint32_t accounts = 0;
    std::uint32_t objects = 0;
    std::vector<Row> rows;  // by object, then time

    /// One share of `object` by each of some accounts.
    void share(std::uint32_t object, const std::vector<std::pair<std::uint32_t, std::int64_t>>& shares) {
        for (const auto& [account, time_us] : shares)
            rows.push_back({time_us, rows.size(), object, account, static_cast<std::uint32_t>(rows.size()), 0});
    }
    RowStore store() const {
        Scratch scratch{::testing::TempDir(), 0};
        RowStore store(scratch);
        for (const Row& row : rows) store.add(row);
        std::vector<std::uint32_t> rank(accounts);
        for (std::uint32_t i = 0; i < accounts; ++i) rank[i] = i;
        store.order(rank, objects, [](const Row& x, const Row& y) {
            return std::tie(x.time_us, x.account) < std::tie(y.time_us, y.account);
        });
        return store;
    }
    Dictionary names() const {
        Dictionary names;
        for (std::uint32_t object = 0; object < objects; ++object) {
            const std::string name = "o" + std::to_string(object);
            const std::string_view views[] = {name};
            std::uint32_t number = 0;
            names.number(views, &number);
        }
        return names;
    }
};

World random_world(Random& random, std::uint32_t accounts, std::uint32_t objects, double share, std::int64_t span_us) {
    World world{accounts, objects, {}};
    for (std::uint32_t object = 0; object < objects; ++object) {
        std::vector<std::pair<std::uint32_t, std::int64_t>> shares;
        for (std::uint32_t account = 0; account < accounts; ++account)
            if (random.chance(share))
                shares.emplace_back(account, static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(span_us))));
        world.share(object, shares);
    }
    return world;
}

/// Times of each object by account; one share each.
using Shares = std::vector<std::map<std::uint32_t, std::int64_t>>;
Shares shares_of(const World& world) {
    Shares shares(world.objects);
    for (const Row& row : world.rows) shares[row.object][row.account] = row.time_us;
    return shares;
}

std::uint32_t together(const Shares& shares, std::uint32_t a, std::uint32_t b, std::int64_t window_us) {
    std::uint32_t count = 0;
    for (const auto& object : shares)
        if (object.contains(a) && object.contains(b)) count += std::abs(object.at(a) - object.at(b)) <= window_us;
    return count;
}

/// Deals two of each shared object's times to a and b in every possible way.
double chance_by_dealing(const Shares& shares, std::uint32_t a, std::uint32_t b, std::int64_t window_us, std::uint32_t at_least) {
    std::vector<double> by_count = {1};  // share of deals with so many objects within the window
    for (const auto& object : shares) {
        if (!object.contains(a) || !object.contains(b)) continue;
        double within = 0;
        double all = 0;
        for (const auto& [x, time_x] : object)
            for (const auto& [y, time_y] : object)
                if (x != y) {
                    ++all;
                    within += std::abs(time_x - time_y) <= window_us;
                }
        std::vector<double> next(by_count.size() + 1, 0);
        for (std::size_t i = 0; i < by_count.size(); ++i) {
            next[i] += by_count[i] * (1 - within / all);
            next[i + 1] += by_count[i] * within / all;
        }
        by_count = std::move(next);
    }
    double tail = 0;
    for (std::size_t i = at_least; i < by_count.size(); ++i) tail += by_count[i];
    return tail;
}

constexpr std::int64_t window_us = 10;

Candidate judged(const NullModels& models, std::uint32_t a, std::uint32_t b, std::uint32_t weight) {
    SilentProgress progress;
    Candidate candidate{.a = a, .b = b, .weight = weight, .meetings = weight};
    models.judge(0, {&candidate, 1}, progress);
    return candidate;
}

TEST(NullModels, SynchronyEqualsDealingTimesOut) {
    Random random(11);
    SilentProgress progress;
    int compared = 0;
    for (int round = 0; round < 1500; ++round) {
        const World world = random_world(random, static_cast<std::uint32_t>(3 + random.below(5)),
                                         static_cast<std::uint32_t>(2 + random.below(7)), 0.7, static_cast<std::int64_t>(15 + random.below(200)));
        if (world.rows.empty()) continue;
        RowStore rows = world.store();
        const Dictionary names = world.names();
        const NullModels models(rows, world.accounts, names, {{window_us}, false, true, 0, 1}, progress);
        EXPECT_FALSE(models.pace(0).has_common_pace);
        const Shares shares = shares_of(world);
        for (std::uint32_t a = 0; a < world.accounts; ++a)
            for (std::uint32_t b = a + 1; b < world.accounts; ++b) {
                const std::uint32_t weight = together(shares, a, b, window_us);
                if (weight == 0) continue;
                const double expected = chance_by_dealing(shares, a, b, window_us, weight);
                EXPECT_NEAR(judged(models, a, b, weight).p_sync / expected, 1, 1e-6) << round;
                ++compared;
            }
    }
    EXPECT_GT(compared, 5000);
}

/// The same question asked of whole objects: all times of an object are shuffled over its accounts, again and again.
TEST(NullModels, SynchronyAgreesWithShuffling) {
    Random random(12);
    SilentProgress progress;
    constexpr int shuffles = 4000;
    int compared = 0;
    int far = 0;
    for (int round = 0; round < 60; ++round) {
        const World world = random_world(random, 6, 6, 0.8, 60);
        RowStore rows = world.store();
        const Dictionary names = world.names();
        const NullModels models(rows, world.accounts, names, {{window_us}, false, true, 0, 1}, progress);
        const Shares shares = shares_of(world);
        const std::uint32_t weight = together(shares, 0, 1, window_us);
        if (weight == 0) continue;
        int reached = 0;
        for (int shuffle = 0; shuffle < shuffles; ++shuffle) {
            Shares shuffled = shares;
            for (auto& object : shuffled) {
                std::vector<std::int64_t> times;
                for (const auto& [account, time] : object) times.push_back(time);
                for (std::size_t i = times.size(); i > 1; --i) std::swap(times[i - 1], times[random.below(i)]);
                std::size_t next = 0;
                for (auto& [account, time] : object) time = times[next++];
            }
            reached += together(shuffled, 0, 1, window_us) >= weight;
        }
        const double p = judged(models, 0, 1, weight).p_sync;
        const double deviation = std::sqrt(p * (1 - p) / shuffles) + 1e-9;
        ++compared;
        far += std::abs(reached / static_cast<double>(shuffles) - p) > 3 * deviation;
    }
    EXPECT_GT(compared, 40);
    EXPECT_LE(far, 2);  // 0.3 % expected
}

/// Nobody acts together: p-values must not be small more often than they say, whatever the level.
TEST(NullModels, ChanceIsNotUnderestimated) {
    Random random(13);
    SilentProgress progress;
    std::map<double, std::pair<int, int>> sync;
    std::map<double, std::pair<int, int>> interest;
    for (int round = 0; round < 300; ++round) {
        const World world = random_world(random, 12, 30, 0.3, 100);
        RowStore rows = world.store();
        const Dictionary names = world.names();
        const NullModels models(rows, world.accounts, names, {{window_us}, true, true, 0, 1}, progress);
        const Shares shares = shares_of(world);
        for (std::uint32_t a = 0; a < world.accounts; ++a)
            for (std::uint32_t b = a + 1; b < world.accounts; ++b) {
                const Candidate candidate = judged(models, a, b, together(shares, a, b, window_us));
                for (const double level : {0.2, 0.05, 0.01, 0.001}) {
                    sync[level].first += candidate.p_sync <= level;
                    interest[level].first += candidate.p_interest <= level;
                    ++sync[level].second;
                    ++interest[level].second;
                }
            }
    }
    for (const auto* counts : {&sync, &interest})
        for (const auto& [level, count] : *counts) {
            const double rate = count.first / static_cast<double>(count.second);
            EXPECT_LE(rate, level + 3 * std::sqrt(level / count.second)) << level;
        }
}

/// Ten pairs of four are judged at alpha 0.05, so that 0.005 is needed by the first and 0.01 once one has passed.
TEST(NullModels, WhatTheTestsCannotTellIsMarked) {
    const Candidate found{.p_interest = 1e-9, .p_sync = 1e-6, .p_sync_common = 1e-6, .p_sync_least = 1e-9, .prior = 1};
    const Candidate told{.shared = 9, .p_interest = 1e-9, .p_sync = 0.3, .p_sync_common = 0.3, .p_sync_least = 0.009, .prior = 1};
    const Candidate too_fast{.shared = 9, .p_interest = 1e-9, .p_sync = 0.3, .p_sync_common = 0.3, .p_sync_least = 0.011, .prior = 1};
    const Candidate too_few{.shared = 6, .p_interest = 1e-9, .p_sync = 0.3, .p_sync_common = 0.3, .p_sync_least = 0.011, .prior = 1};
    const Candidate held_back{.p_interest = 1e-9, .p_sync = 0.3, .p_sync_common = 1e-4, .p_sync_least = 1e-9, .prior = 1};
    const Candidate unlikely_at_any_pace{.p_interest = 0.9, .p_sync = 1, .p_sync_common = 1e-9, .p_sync_least = 1, .prior = 1};
    const std::vector<Candidate> candidates{found, told, too_fast, too_few, held_back, unlikely_at_any_pace};
    const Chances chances = q_values(candidates, 10, 0.05);
    EXPECT_LE(chances.q[0], 0.05);
    EXPECT_EQ(find_untold(candidates, chances, 10, 0.05), (std::vector<std::uint8_t>{0, 0, 1, 0, 1, 0}));
}

/// Weights must average 1 over all pairs of accounts, those that share nothing included, or q-values would be too small.
TEST(NullModels, PriorsAverageToOne) {
    Random random(17);
    SilentProgress progress;
    for (int round = 0; round < 200; ++round) {
        const World world = random_world(random, static_cast<std::uint32_t>(3 + random.below(12)), 15, 0.3, 100);
        RowStore rows = world.store();
        const Dictionary names = world.names();
        const NullModels models(rows, world.accounts, names, {{window_us}, true, true, 0, 1}, progress);
        std::set<std::uint32_t> active;
        for (const Row& row : world.rows) active.insert(row.account);
        double sum = 0;
        bool is_any_shared = false;
        for (const std::uint32_t a : active)
            for (const std::uint32_t b : active) {
                if (a >= b) continue;
                const Candidate candidate = judged(models, a, b, 1);
                sum += candidate.prior;
                is_any_shared |= candidate.shared > 0;
            }
        if (is_any_shared) EXPECT_NEAR(sum / models.tests(), 1, 1e-8);
    }
}

/// A circle of accounts that alone shares its objects, at once, among many others: its objects are judged at the common pace.
/// The same circle without others cannot be told from its objects.
TEST(NullModels, ClosedObjectsAreJudgedAtTheCommonPace) {
    SilentProgress progress;
    for (const bool has_others : {true, false}) {
        Random random(14);
        World world{600, 0, {}};
        if (has_others)
            for (; world.objects < 400; ++world.objects) {
                std::vector<std::pair<std::uint32_t, std::int64_t>> shares;
                for (int i = 0; i < 12; ++i)
                    shares.emplace_back(10 + random.below(590), static_cast<std::int64_t>(random.below(1000)));
                std::sort(shares.begin(), shares.end());
                shares.erase(std::unique(shares.begin(), shares.end(), [](const auto& x, const auto& y) { return x.first == y.first; }),
                             shares.end());
                world.share(world.objects, shares);
            }
        for (int object = 0; object < 15; ++object, ++world.objects) {
            std::vector<std::pair<std::uint32_t, std::int64_t>> shares;
            for (std::uint32_t account = 0; account < 10; ++account)
                shares.emplace_back(account, static_cast<std::int64_t>(random.below(5)));
            world.share(world.objects, shares);
        }
        // One fast object that only strangers share: its own pace explains it.
        const std::uint32_t open_object = world.objects++;
        std::vector<std::pair<std::uint32_t, std::int64_t>> shares;
        for (std::uint32_t account = 10; account < 510; account += 25) shares.emplace_back(account, account % 5);
        world.share(open_object, shares);

        RowStore rows = world.store();
        const Dictionary names = world.names();
        const NullModels models(rows, world.accounts, names, {{window_us}, true, true, 0, 1}, progress);
        EXPECT_EQ(models.pace(0).has_common_pace, has_others);
        EXPECT_EQ(models.pace_of(0, open_object), 1);
        const Candidate candidate = judged(models, 0, 1, 15);
        EXPECT_EQ(candidate.shared, 15u);
        if (has_others) {
            EXPECT_EQ(models.pace(0).objects_closed, 15u);
            EXPECT_LT(models.pace(0).common_pace, 0.2);
            EXPECT_LT(candidate.p_sync, 1e-9);
        } else {
            EXPECT_EQ(candidate.p_sync, 1);
        }
    }
}

/// Two accounts of the same hours coincide more often than their objects' pace says: the factor must take that in.
TEST(NullModels, PostingHoursRaiseTheChance) {
    constexpr std::int64_t hour_us = 3'600'000'000;
    SilentProgress progress;
    Random random(15);
    World world{80, 800, {}};
    // Half of the accounts share everything between 9 and 10, the other half between 21 and 22.
    for (std::uint32_t object = 0; object < world.objects; ++object) {
        std::vector<std::pair<std::uint32_t, std::int64_t>> shares;
        for (std::uint32_t account = 0; account < world.accounts; ++account)
            if (random.chance(0.25))
                shares.emplace_back(account, (account % 2 == 0 ? 9 : 21) * hour_us + static_cast<std::int64_t>(random.below(hour_us)));
        world.share(object, shares);
    }
    RowStore rows = world.store();
    const Dictionary names = world.names();
    const std::int64_t minute_us = 60'000'000;
    const NullModels ignoring(rows, world.accounts, names, {{minute_us}, false, true, 0, 1}, progress);
    const NullModels heeding(rows, world.accounts, names, {{minute_us}, true, true, 0, 1}, progress);
    const Candidate without = judged(ignoring, 0, 2, 3);
    const Candidate with = judged(heeding, 0, 2, 3);
    EXPECT_GT(with.expected_together, 1.7 * without.expected_together);
    EXPECT_GT(with.p_sync, without.p_sync);
    EXPECT_EQ(judged(heeding, 0, 1, 3).p_sync, judged(ignoring, 0, 1, 3).p_sync) << "never lowered";
}

/// Spilled rows and any number of threads give the same chances.
TEST(NullModels, BucketsAndThreadsDoNotMatter) {
    Random random(16);
    for (int round = 0; round < 5; ++round) {
        std::vector<Post> posts;
        for (int i = 0; i < 600; ++i)
            posts.push_back({.account = "a" + std::to_string(random.below(20)), .content = std::to_string(i),
                             .time_us = static_cast<std::int64_t>(random.below(4000)) * 100'000,
                             .object = "o" + std::to_string(random.below(60))});
        const PostFields fields = static_cast<PostFields>(PostField::object);
        const Settings settings = {{"keep", "weight"}, {"window", "5s,20s"}};
        const auto plain = run_posts("coordination", posts, fields, settings);
        EXPECT_EQ(run_posts("coordination", posts, fields, settings, 3).edges(), plain.edges());
        EXPECT_EQ(run_posts("coordination", posts, fields, settings, 2, 1).edges(), plain.edges());
        for (std::size_t i = posts.size(); i > 1; --i) std::swap(posts[i - 1], posts[random.below(i)]);
        EXPECT_EQ(run_posts("coordination", posts, fields, settings, 2).edges(), plain.edges());
    }
}

TEST(Fusion, SumsTracesAndKeepsTheFamily) {
    // Pair (1, 2) is seen by two traces in two windows, pair (1, 3) by one.
    const auto edges = fuse({{1, 2, 4, 0, true, true, 1e-8}, {1, 2, 5, 0, true, true, 1e-6}, {1, 2, 2, 1, false, false, 1e-7}, {1, 3, 2, 1, false, true, 1e-4}}, 4, 1000);
    ASSERT_EQ(edges.size(), 2u);
    EXPECT_EQ(edges[0].weight, 7u);
    EXPECT_TRUE(edges[0].is_kept_somewhere);
    EXPECT_FALSE(edges[1].is_kept_somewhere);
    EXPECT_NEAR(edges[0].p, 4e-8, 1e-20);
    EXPECT_NEAR(edges[0].q / (edges[0].p * 1000), 1, 1e-9);
    ASSERT_EQ(edges[0].shares.size(), 2u);
    EXPECT_EQ(edges[0].shares[0].first, 0u);
    EXPECT_NEAR(edges[0].shares[0].second, 1.01e8 / 1.11e8, 1e-9);
    // One trace alone is taken as it is.
    EXPECT_EQ(fuse({{1, 2, 4, 0, true, true, 1e-8}}, 1, 10)[0].p, 1e-8);
}

}  // namespace
}  // namespace unveil::testing
