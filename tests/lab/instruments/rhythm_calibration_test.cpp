// Communities that live like everybody are called different at the stated rate, and the offsets, ratios and profiles of
// those that do not are found. Prints every measured rate.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "core/random.hpp"
#include "instruments/coordination/rhythm.hpp"

namespace unveil::coordination {
namespace {

constexpr std::int64_t hour_us = 3'600'000'000;
constexpr std::int64_t day_us = 24 * hour_us;
constexpr std::int64_t begin_us = 18'267 * day_us;  // 2020-01-06, a Monday
constexpr int worlds = 2000;

struct Kind {
    std::uint32_t members = 20;
    std::uint32_t others = 300;
    double member_activity = 1;  // posts a day, times an exponential number of the account
    double other_activity = 1;
    double office_share = 0;  // of members' posts: Monday to Friday, 9 to 18 o'clock at UTC+8
    double hour_shift = 0;    // of members' own favourite hours
};

/// Each account has a favourite hour, around 14 o'clock, and a favourite weekday, so that its posts are alike.
std::vector<RhythmPost> posts_of(Random& random, const Kind& kind) {
    std::vector<RhythmPost> posts;
    constexpr int days = 70;
    for (std::uint32_t account = 0; account < kind.members + kind.others; ++account) {
        const bool is_member = account < kind.members;
        const double shift = is_member ? kind.hour_shift : 0;
        const double favourite = 14 + shift + 4 * (random.uniform() + random.uniform() - 1);
        const auto favourite_day = static_cast<int>(random.below(7));
        const double mean = days * random.exponential(is_member ? kind.member_activity : kind.other_activity);
        for (double at = random.exponential(1); at < mean; at += random.exponential(1)) {
            int day = static_cast<int>(random.below(days));
            if (random.chance(0.3)) day = day / 7 * 7 + favourite_day;
            double hour = favourite + 12 * (random.uniform() + random.uniform() + random.uniform() - 1.5);
            hour -= 24 * std::floor(hour / 24);
            if (is_member && random.chance(kind.office_share)) {
                if (day % 7 >= 5) day -= 2 + static_cast<int>(random.below(3));
                hour = 1 + 9 * random.uniform();
            }
            posts.push_back({begin_us + day * day_us + static_cast<std::int64_t>(hour * hour_us), account,
                             is_member ? 1u : 0u, 0});
        }
    }
    return posts;
}

CommunityRhythm rhythm_of(const Kind& kind, std::uint64_t seed) {
    Random random(seed, 99);
    const RhythmRules rules{.runs = 199, .seed = seed};
    RhythmCounts counts(std::vector<std::uint32_t>{0, kind.members}, rules);
    for (const auto& post : posts_of(random, kind)) counts.add(post);
    const auto rhythm = analyse_rhythm(counts, {}, rules);
    return rhythm.communities.empty() ? CommunityRhythm{} : rhythm.communities[0];
}

struct Rates {
    double hours = 0;
    double weekdays = 0;
};

Rates significant(const char* what, const Kind& kind) {
    Rates rates;
    for (std::uint64_t seed = 1; seed <= worlds; ++seed) {
        const auto rhythm = rhythm_of(kind, seed);
        rates.hours += (rhythm.profile.hour_p <= 0.05) / static_cast<double>(worlds);
        rates.weekdays += (rhythm.profile.weekday_p <= 0.05) / static_cast<double>(worlds);
    }
    std::printf("%-60s hours %.4f, weekdays %.4f of %d\n", what, rates.hours, rates.weekdays, worlds);
    return rates;
}

// Goal: communities like everybody have p <= 0.05 in at most 7 of 100 cases. Method: 2,000 worlds of accounts with
// habits of their own; communities that are small, large, or more or less active than the others.
TEST(RhythmCalibration, ProfilesUnderTheNull) {
    const std::pair<const char*, Kind> kinds[] = {
        {"profiles, null: 20 of 320 accounts", {}},
        {"profiles, null: 5 of 105 accounts", {.members = 5, .others = 100}},
        {"profiles, null: 60 of 120 accounts", {.members = 60, .others = 60}},
        {"profiles, null: members a tenth as active", {.member_activity = 0.1, .other_activity = 1}},
        {"profiles, null: members ten times as active", {.member_activity = 3, .other_activity = 0.3}},
    };
    for (const auto& [what, kind] : kinds) {
        const auto rates = significant(what, kind);
        EXPECT_LT(rates.hours, 0.07) << what;
        EXPECT_LT(rates.weekdays, 0.07) << what;
    }
    EXPECT_GT(significant("profiles, planted: hours later by three", {.hour_shift = 3}).hours, 0.6);
    EXPECT_GT(significant("profiles, planted: hours later by six", {.hour_shift = 6}).hours, 0.95);
    const auto third = significant("profiles, planted: a third in office hours", {.office_share = 1.0 / 3});
    EXPECT_GT(third.hours, 0.95);
    EXPECT_GT(third.weekdays, 0.3);
    EXPECT_GT(significant("profiles, planted: all in office hours", {.office_share = 1}).weekdays, 0.95);
}

// Goal: the set of offsets holds the true one about as often as stated, and is small when habits are clear. Method:
// 2,000 communities of 8, 20 and 60 accounts, whose members post all, half or none of their posts in office hours at
// UTC+8. Without, every offset's share follows from favourite hours: that of the best one of the whole population is
// taken as true.
TEST(RhythmCalibration, OfficeHours) {
    for (const std::uint32_t members : {8u, 20u, 60u})
        for (const double share : {0.0, 0.5, 1.0}) {
            const Kind kind{.members = members, .others = 0, .office_share = share};
            int best = 8;
            if (share < 1) {
                const auto population = rhythm_of({.members = 20'000, .others = 0, .office_share = share}, 5);
                best = population.office->offset_hours;
            }
            int held = 0;
            int exact = 0;
            double size = 0;
            for (std::uint64_t seed = 1; seed <= worlds / 4; ++seed) {
                const auto rhythm = rhythm_of(kind, seed);
                held += std::count(rhythm.office->offsets.begin(), rhythm.office->offsets.end(), best) > 0;
                exact += rhythm.office->offset_hours == best;
                size += static_cast<double>(rhythm.office->offsets.size());
            }
            std::printf("offsets: %2u accounts, %.0f %% in office hours: best UTC%+d held by %.3f of sets, "
                        "first in %.3f, mean size %.1f\n",
                        members, 100 * share, best, 4.0 * held / worlds, 4.0 * exact / worlds, 4 * size / worlds);
            EXPECT_GT(held, 0.9 * worlds / 4);
        }
}

// Goal: the interval of the weekday ratio. Method: everybody has a favourite weekday, the truth is a ratio of 1.
TEST(RhythmCalibration, WeekdayRatio) {
    for (const std::uint32_t members : {8u, 20u, 60u}) {
        int held = 0;
        for (std::uint64_t seed = 1; seed <= worlds; ++seed) {
            const auto ratio = *rhythm_of({.members = members, .others = 0}, seed).weekday_ratio;
            held += ratio.low <= 1 && 1 <= ratio.high;
        }
        std::printf("weekday ratio: 95 %% interval over %u accounts holds the truth in %.4f of %d\n", members,
                    static_cast<double>(held) / worlds, worlds);
        if (members >= 20) EXPECT_GT(held, 0.88 * worlds);
    }
}

}  // namespace
}  // namespace unveil::coordination
