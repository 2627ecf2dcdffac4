#include "instruments/coordination/rhythm.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <sstream>

#include "core/random.hpp"
#include "core/time.hpp"

namespace unveil::coordination {
namespace {

constexpr std::int64_t hour_us = 3'600'000'000;
constexpr std::int64_t day_us = 24 * hour_us;

std::int64_t time_of(const char* text) { return *parse_time_us(text); }

/// Two communities and people outside: community 1 (20 accounts) keeps office hours at UTC+8, half of it created in one
/// week, changes its topic at day 120 and its volume at day 60, and is silent for the last 40 of 200 days; community 2
/// (10 accounts) lives like everybody.
struct World {
    std::vector<RhythmPost> posts;
    std::vector<AccountCreation> creations;
    std::vector<std::uint32_t> sizes{0, 20, 10};
    std::int64_t begin_us = time_of("2020-01-06T00:00:00Z");  // a Monday
};

World make_world(std::uint64_t seed) {
    Random random(seed);
    World world;
    constexpr std::uint32_t accounts = 330;
    for (std::uint32_t account = 0; account < accounts; ++account) {
        const std::uint32_t community = account < 20 ? 1 : account < 30 ? 2 : 0;
        const bool is_burst = community == 1 && account % 2 == 0;
        const auto created = is_burst ? 1000 + random.below(7) : random.below(2000);
        world.creations.push_back(
            {account, community, world.begin_us - static_cast<std::int64_t>(2001 - created) * day_us});
        const double activity = 0.1 + random.exponential(0.5);
        for (int day = 0; day < 200; ++day) {
            if (community == 1 && day >= 160) break;
            const double mean = activity * (community == 1 && day >= 60 ? 3 : 1);
            for (double at = random.exponential(1); at < mean; at += random.exponential(1)) {
                // At UTC+8, 9 to 18 o'clock is 1 to 10 o'clock UTC.
                const bool at_work = community == 1 && random.chance(0.8);
                if (at_work && day % 7 >= 5) continue;
                const double hour = at_work ? 1 + 9 * random.uniform() : 24 * random.uniform();
                const std::uint32_t topic = 1 + static_cast<std::uint32_t>(random.below(4));
                world.posts.push_back({world.begin_us + day * day_us + static_cast<std::int64_t>(hour * hour_us),
                                       account, community,
                                       community == 1 && day >= 120 && random.chance(0.6) ? 9 : topic});
            }
        }
    }
    return world;
}

Rhythm analyse(const World& world, const RhythmRules& rules) {
    RhythmCounts counts(world.sizes, rules);
    for (const auto& post : world.posts) counts.add(post);
    return analyse_rhythm(counts, world.creations, rules);
}

void write(std::ostream& out, const Estimate& estimate) {
    out << estimate.value.value_or(-1) << ' ' << estimate.low << ' ' << estimate.high << ' ' << estimate.runs << '\n';
}

/// Every number of a rhythm, to compare two.
std::string text_of(const Rhythm& rhythm) {
    std::ostringstream out;
    out.precision(17);
    out << rhythm.creations_out_of_range << ' ' << rhythm.topic_period_days << rhythm.topics_left_out << '\n';
    for (const auto& c : rhythm.communities) {
        out << c.community << ' ' << c.accounts << ' ' << c.posts << ' ' << c.mean_hour.hour << '\n';
        for (const auto n : c.hours) out << n << ' ';
        for (const auto n : c.weekdays) out << n << ' ';
        out << c.profile.accounts << ' ' << c.profile.others << ' ' << c.profile.hour_difference << ' '
            << c.profile.hour_p << ' ' << c.profile.weekday_difference << ' ' << c.profile.weekday_p << '\n';
        for (const double n : c.profile.hours_of_others) out << n << ' ';
        if (c.office) {
            out << c.office->offset_hours << ' ';
            write(out, c.office->share);
            for (const int offset : c.office->offsets) out << offset << ' ';
            write(out, *c.weekday_ratio);
        }
        for (const auto& b : c.bursts)
            out << b.from_us << ' ' << b.to_us << ' ' << b.accounts << ' ' << b.expected << ' ' << b.p << '\n';
        out << c.silence.last_post_us << ' ' << c.silence.silent_days << ' ' << c.silence.p << '\n';
        for (const auto& v : c.volume_changes)
            out << v.at_us << ' ' << v.low_us << ' ' << v.high_us << ' ' << v.posts_a_day_before << ' ' << v.p << '\n';
        if (!c.topic_shift) continue;
        out << c.topic_shift->at_us << ' ' << c.topic_shift->low_us << ' ' << c.topic_shift->p << '\n';
        for (const auto& t : c.topic_shift->rose) out << t.topic << ' ' << t.before << ' ' << t.after << '\n';
        for (const auto& t : c.topic_shift->fell) out << t.topic << ' ' << t.before << ' ' << t.after << '\n';
    }
    return out.str();
}

const RhythmRules quick{.runs = 199};

// Goal: what is planted is found where it is. Method: the world above.
TEST(Rhythm, PlantedCommunity) {
    const auto world = make_world(1);
    const auto rhythm = analyse(world, quick);
    ASSERT_EQ(rhythm.communities.size(), 2);
    const auto& planted = rhythm.communities[0];
    EXPECT_EQ(planted.community, 1);
    EXPECT_EQ(planted.accounts, 20);
    EXPECT_EQ(planted.profile.accounts, 20);
    EXPECT_EQ(planted.profile.hour_p, 0.005);
    EXPECT_EQ(planted.profile.weekday_p, 0.005);
    EXPECT_GT(planted.profile.hours[3], 2 * planted.profile.hours_of_others[3]);
    ASSERT_TRUE(planted.office);
    EXPECT_EQ(planted.office->offset_hours, 8);
    EXPECT_EQ(planted.office->offsets, std::vector<int>{8});
    EXPECT_GT(planted.office->share.low, 0.65);
    EXPECT_GT(planted.weekday_ratio->low, 2);
    ASSERT_FALSE(planted.bursts.empty());
    EXPECT_TRUE(planted.bursts_against_others);
    EXPECT_EQ(planted.bursts[0].p, 0.005);
    EXPECT_GE(planted.bursts[0].accounts, 9);
    EXPECT_EQ((planted.bursts[0].from_us - world.begin_us) % day_us, 0);
    // A window may reach to the next account that happens to be near.
    EXPECT_GE(planted.bursts[0].from_us, world.begin_us - 1021 * day_us);
    EXPECT_LE(planted.bursts[0].to_us, world.begin_us - 974 * day_us);
    EXPECT_GE(planted.silence.silent_days, 39);
    EXPECT_LE(planted.silence.silent_days, 42);
    EXPECT_LT(planted.silence.p, 0.01);
    ASSERT_TRUE(planted.topic_shift);
    EXPECT_EQ(planted.topic_shift->p, 0.005);
    EXPECT_LE(planted.topic_shift->low_us, world.begin_us + 120 * day_us);
    EXPECT_GE(planted.topic_shift->high_us, world.begin_us + 120 * day_us);
    ASSERT_FALSE(planted.topic_shift->rose.empty());
    EXPECT_EQ(planted.topic_shift->rose[0].topic, 9);
    EXPECT_EQ(planted.topic_shift->rose[0].before, 0);
    EXPECT_EQ(planted.topic_shift->fell.size(), 4);
    const auto changes_at = [&](int day) {
        return std::any_of(planted.volume_changes.begin(), planted.volume_changes.end(), [&](const VolumeChange& c) {
            return std::abs(c.at_us - world.begin_us - day * day_us) <= 8 * day_us;
        });
    };
    EXPECT_TRUE(changes_at(60));
    EXPECT_TRUE(changes_at(160));
}

// Goal: a community that lives like everybody is told apart by no test more often than chance allows. Method: 20
// worlds; of 20 p-values, more than four at or below 0.05 would come up once in 390 times.
TEST(Rhythm, OrdinaryCommunity) {
    int hours = 0;
    int weekdays = 0;
    int bursts = 0;
    int topics = 0;
    int offsets = 0;
    int ratios = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        const auto rhythm = analyse(make_world(seed), {.runs = 99, .seed = seed});
        const auto& ordinary = rhythm.communities[1];
        hours += ordinary.profile.hour_p <= 0.05;
        weekdays += ordinary.profile.weekday_p <= 0.05;
        bursts += !ordinary.bursts.empty() && ordinary.bursts[0].p <= 0.05;
        topics += ordinary.topic_shift->p <= 0.05;
        offsets += ordinary.office->offsets.size() > 20;
        ratios += ordinary.weekday_ratio->low <= 1 && ordinary.weekday_ratio->high >= 1;
        EXPECT_LE(ordinary.silence.silent_days, 3);
    }
    EXPECT_LE(hours, 4);
    EXPECT_LE(weekdays, 4);
    EXPECT_LE(bursts, 4);
    EXPECT_LE(topics, 4);
    EXPECT_GE(offsets, 16);
    EXPECT_GE(ratios, 14);  // ten accounts make it too narrow
}

// Goal: neither the order of rows nor the number of threads changes a number. Method: compare all of them, also when
// accounts outside are sampled and dates of topics get coarser.
TEST(Rhythm, OrderAndThreadsNeverMatter) {
    auto world = make_world(2);
    RhythmRules rules{.outside_accounts_max = 90, .topic_cells_max = 300, .runs = 49};
    const auto expected = text_of(analyse(world, rules));
    EXPECT_NE(expected, text_of(analyse(world, {.runs = 49})));
    Random random(1);
    for (const unsigned threads : {1u, 3u}) {
        const auto shuffle = [&](auto& rows) {
            for (std::size_t i = rows.size(); i > 1; --i) std::swap(rows[i - 1], rows[random.below(i)]);
        };
        shuffle(world.posts);
        shuffle(world.creations);
        rules.threads = threads;
        EXPECT_EQ(text_of(analyse(world, rules)), expected);
    }
}

// Goal: hours, weekdays and office hours are those of the calendar. Method: the date as text gives the hour; weekdays
// counted on from a known Monday; each offset applied to the time itself.
TEST(Rhythm, CountsEqualTheCalendar) {
    Random random(5);
    RhythmCounts counts(std::vector<std::uint32_t>{0, 3}, {});
    std::map<std::uint32_t, RhythmCounts::Profile> expected;
    const std::int64_t monday_us = time_of("2004-01-05T00:00:00Z");
    for (int i = 0; i < 20'000; ++i) {
        const auto account = static_cast<std::uint32_t>(random.below(3));
        const auto time_us = monday_us + static_cast<std::int64_t>(random.below(10'900ULL * day_us));
        counts.add({time_us, account, 1, 0});
        auto& profile = expected[account];
        ++profile.posts;
        ++profile.hours[static_cast<std::size_t>(std::stoi(format_time(time_us).substr(11, 2)))];
        ++profile.weekdays[static_cast<std::size_t>((time_us - monday_us) / day_us % 7)];
        for (int offset = -12; offset <= 14; ++offset) {
            const auto local = (time_us - monday_us + 7 * day_us + offset * hour_us) % (7 * day_us);
            const auto hour = local % day_us / hour_us;
            profile.in_office[static_cast<std::size_t>(offset + 12)] += local < 5 * day_us && hour >= 9 && hour <= 17;
        }
    }
    const auto profiles = counts.profiles(0);
    ASSERT_EQ(profiles.size(), 3);
    for (const auto& profile : profiles) {
        EXPECT_EQ(profile.posts, expected[profile.account].posts);
        EXPECT_EQ(profile.hours, expected[profile.account].hours);
        EXPECT_EQ(profile.weekdays, expected[profile.account].weekdays);
        EXPECT_EQ(profile.in_office, expected[profile.account].in_office);
    }
    std::uint64_t sum = 0;
    for (const auto posts : counts.daily_posts(0)) sum += posts;
    EXPECT_EQ(sum, 20'000);
}

// Goal: limits count what they leave out. Method: times at the ends of the years and of 64 bits, communities too small,
// unknown, or empty, more accounts outside than are kept, more topic cells than are held.
TEST(Rhythm, Limits) {
    RhythmRules rules{.communities_max = 1, .outside_accounts_max = 10, .topic_cells_max = 50, .runs = 19};
    RhythmCounts counts(std::vector<std::uint32_t>{0, 2, 5, 5}, rules);
    EXPECT_EQ(counts.communities(), std::vector<std::uint32_t>{2});
    using Time = std::numeric_limits<std::int64_t>;
    for (const std::int64_t time_us : {Time::min(), Time::max(), time_of("2003-12-31T23:59:59Z"),
                                       time_of("2034-01-01T00:00:00Z")})
        counts.add({time_us, 1, 2, 1});
    EXPECT_EQ(counts.posts_out_of_range(), 4);
    counts.add({time_of("2004-01-01T00:00:00Z"), 1, 2, 1});
    counts.add({time_of("2033-12-31T23:59:59Z"), 1, 2, 1});
    EXPECT_EQ(counts.posts_out_of_range(), 4);
    EXPECT_EQ(counts.daily_posts(0).size(), rhythm_days);
    counts.add({time_of("2020-01-01T00:00:00Z"), 1, 1, 1});
    counts.add({time_of("2020-01-01T00:00:00Z"), 1, 4'000'000'000u, 1});
    EXPECT_EQ(counts.posts_of_small_communities(), 2);
    for (std::uint32_t account = 0; account < 100; ++account)
        counts.add({time_of("2020-01-01T00:00:00Z"), account, 0, 1});
    EXPECT_EQ(counts.posts_outside(), 100);
    EXPECT_EQ(counts.outside_profiles().size(), 10);
    EXPECT_TRUE(counts.is_outside_sampled());

    EXPECT_EQ(counts.topic_period_days(), 1);
    for (int day = 0; day < 300; ++day)
        counts.add({time_of("2020-01-01T00:00:00Z") + day * day_us, 1, 2, 1 + static_cast<std::uint32_t>(day % 2)});
    EXPECT_EQ(counts.topic_period_days(), 16);
    EXPECT_LE(counts.topic_cells(0).size(), 50);
    std::uint64_t sum = 0;
    for (const auto& cell : counts.topic_cells(0)) sum += cell.posts;
    EXPECT_EQ(sum, 302);
    for (std::uint32_t topic = 1; topic <= 60; ++topic) counts.add({time_of("2020-01-01T00:00:00Z"), 1, 2, topic});
    EXPECT_FALSE(counts.has_topics());
    EXPECT_TRUE(counts.topic_cells(0).empty());

    const std::vector<AccountCreation> creations{{1, 2, std::numeric_limits<std::int64_t>::min()}};
    const auto rhythm = analyse_rhythm(counts, creations, rules);
    ASSERT_EQ(rhythm.communities.size(), 1);
    EXPECT_EQ(rhythm.creations_out_of_range, 1);
    EXPECT_TRUE(rhythm.topics_left_out);
    EXPECT_FALSE(rhythm.communities[0].office);  // one account
    EXPECT_TRUE(rhythm.communities[0].bursts.empty());

    EXPECT_TRUE(analyse_rhythm(RhythmCounts({}, rules), {}, rules).communities.empty());
    EXPECT_TRUE(analyse_rhythm(RhythmCounts(std::vector<std::uint32_t>{0, 3}, rules), {}, rules).communities.empty());
}

// Goal: nobody to compare with is no error, and no significance. Method: a community alone.
TEST(Rhythm, NobodyElse) {
    auto world = make_world(3);
    std::erase_if(world.posts, [](const RhythmPost& post) { return post.community != 1; });
    std::erase_if(world.creations, [](const AccountCreation& creation) { return creation.community != 1; });
    const auto rhythm = analyse(world, quick);
    ASSERT_EQ(rhythm.communities.size(), 1);
    EXPECT_EQ(rhythm.communities[0].profile.accounts, 0);
    EXPECT_EQ(rhythm.communities[0].profile.hour_p, 1);
    EXPECT_EQ(rhythm.communities[0].silence.silent_days, 0);  // its last post is the end of the evidence
    EXPECT_FALSE(rhythm.communities[0].bursts_against_others);
    EXPECT_EQ(rhythm.communities[0].office->offset_hours, 8);
}

// Goal: one account that posts all the time does not make the community's rhythm. Method: 19 accounts like everybody,
// one with a hundred times the posts at one hour: no hour test fires, and no offset is singled out.
TEST(Rhythm, OneLoudAccount) {
    auto world = make_world(4);
    std::erase_if(world.posts, [](const RhythmPost& post) { return post.community == 1; });
    for (auto& post : world.posts)
        if (post.account >= 30 && post.account < 50) post.community = 1;
    for (int i = 0; i < 20'000; ++i)
        world.posts.push_back({world.begin_us + i % 200 * day_us + 3 * hour_us, 30, 1, 1});
    const auto rhythm = analyse(world, quick);
    EXPECT_GT(rhythm.communities[0].hours[3], 20'000);
    EXPECT_GT(rhythm.communities[0].profile.hour_p, 0.05);
    EXPECT_GT(rhythm.communities[0].office->offsets.size(), 5);
}

}  // namespace
}  // namespace unveil::coordination
