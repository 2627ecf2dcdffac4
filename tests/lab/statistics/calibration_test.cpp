// The p-values of changes, silences and bursts hold their level on series in which nothing happens, and see what is
// planted. Prints every measured rate.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>

#include "core/random.hpp"
#include "statistics/bootstrap.hpp"
#include "statistics/change_point.hpp"
#include "statistics/ranking.hpp"
#include "statistics/scan.hpp"

namespace unveil {
namespace {

constexpr int worlds = 2000;

std::uint32_t poisson(Random& random, double mean) {
    std::uint32_t count = 0;
    for (double time = random.exponential(1); time < mean; time += random.exponential(1)) ++count;
    return count;
}

/// Share of worlds for which `happens` is true; printed.
double rate_of(const char* what, const std::function<bool(Random&, std::uint64_t)>& happens) {
    int count = 0;
    for (std::uint64_t seed = 1; seed <= worlds; ++seed) {
        Random random(seed, 77);
        count += happens(random, seed);
    }
    std::printf("%-72s %5d / %d = %.4f\n", what, count, worlds, static_cast<double>(count) / worlds);
    return static_cast<double>(count) / worlds;
}

bool any_change(std::span<const std::uint32_t> counts, std::uint64_t seed, std::uint32_t block_days = 1) {
    const auto changes = rate_changes(counts, {.block_days = block_days, .runs = 199, .seed = seed});
    return std::any_of(changes.begin(), changes.end(), [](const RateChange& change) { return change.p <= 0.05; });
}

using Series = std::vector<std::uint32_t>;

Series steady(Random& random, std::size_t days, double mean) {
    Series counts;
    for (std::size_t day = 0; day < days; ++day) counts.push_back(poisson(random, mean));
    return counts;
}

/// Variance mean + mean^2: geometric.
Series bursty(Random& random, std::size_t days, double mean) {
    Series counts;
    for (std::size_t day = 0; day < days; ++day) counts.push_back(poisson(random, mean * random.exponential(1)));
    return counts;
}

/// Five working days at three times the rate of the two others.
Series weekly(Random& random, std::size_t days, double mean) {
    Series counts;
    for (std::size_t day = 0; day < days; ++day) counts.push_back(poisson(random, day % 7 < 5 ? mean : mean / 3));
    return counts;
}

/// Neighbouring days resemble each other: the log of the rate decays to a half within `half_life` days.
Series sluggish(Random& random, std::size_t days, double mean, double half_life) {
    const double keep = std::exp(-std::log(2.0) / half_life);
    double level = 0;
    Series counts;
    for (std::size_t day = 0; day < days + 50; ++day) {
        double noise = -6;
        for (int i = 0; i < 12; ++i) noise += random.uniform();
        level = keep * level + std::sqrt(1 - keep * keep) * 0.7 * noise;
        if (day >= 50) counts.push_back(poisson(random, mean * std::exp(level)));
    }
    return counts;
}

// Goal: a series without changes has a significant one in at most 7 of 100 cases. Method: 2,000 series of each kind.
// Of sluggish series the rates are printed, not bounded: they do change.
TEST(Calibration, RateChanges) {
    EXPECT_LT(rate_of("rate, null: Poisson 5 a day, 200 days",
                      [](Random& random, std::uint64_t seed) { return any_change(steady(random, 200, 5), seed); }),
              0.07);
    EXPECT_LT(rate_of("rate, null: Poisson 0.2 a day, 400 days",
                      [](Random& random, std::uint64_t seed) { return any_change(steady(random, 400, 0.2), seed); }),
              0.07);
    EXPECT_LT(rate_of("rate, null: geometric 10 a day, 200 days",
                      [](Random& random, std::uint64_t seed) { return any_change(bursty(random, 200, 10), seed); }),
              0.07);
    EXPECT_LT(rate_of("rate, null: weekdays 3:1, 10 a day, 200 days",
                      [](Random& random, std::uint64_t seed) { return any_change(weekly(random, 200, 10), seed); }),
              0.07);
    EXPECT_LT(rate_of("rate, null: the same by blocks of 7 days",
                      [](Random& random, std::uint64_t seed) { return any_change(weekly(random, 200, 10), seed, 7); }),
              0.07);
    for (const double half_life : {1.0, 3.0})
        for (const std::uint32_t block : {1u, 7u, 14u}) {
            char text[80];
            std::snprintf(text, sizeof text, "rate, half-life %.0f days, 10 a day, 300 days, blocks of %u", half_life,
                          block);
            rate_of(text, [&](Random& random, std::uint64_t seed) {
                return any_change(sluggish(random, 300, 10, half_life), seed, block);
            });
        }
}

// Goal: a change by half is found and its interval holds the day. Method: 2,000 series with one change.
TEST(Calibration, RateChangeIsFound) {
    int covered = 0;
    int found = 0;
    double width = 0;
    const auto finds = [&](Random& random, std::uint64_t seed) {
        auto counts = steady(random, 100, 5);
        const auto after = steady(random, 100, 7.5);
        counts.insert(counts.end(), after.begin(), after.end());
        const auto changes = rate_changes(counts, {.runs = 199, .seed = seed});
        if (changes.size() == 1) {
            ++found;
            covered += changes[0].first_low <= 100 && 100 <= changes[0].first_high;
            width += static_cast<double>(changes[0].first_high - changes[0].first_low);
        }
        return std::any_of(changes.begin(), changes.end(), [](const RateChange& c) { return c.p <= 0.05; });
    };
    EXPECT_GT(rate_of("rate, planted: Poisson 5 to 7.5 at day 100 of 200", finds), 0.85);
    std::printf("  of %d single changes, the 95 %% interval held the day in %d, mean width %.1f days\n", found, covered,
                width / found);
    EXPECT_GT(covered, 0.9 * found);
}

// Goal: an account or community that goes on as before is silent with p <= 0.05 in at most 7 of 100 cases. Method:
// active days by chance, and in runs (a day follows the one before with probability 0.8).
TEST(Calibration, TrailingSilence) {
    const auto active_days = [](Random& random, std::size_t days, double share, double keep) {
        Series counts;
        bool is_active = random.chance(share);
        for (std::size_t day = 0; day < days; ++day) {
            if (!random.chance(keep)) is_active = random.chance(share);
            counts.push_back(is_active ? 1 : 0);
        }
        return counts;
    };
    for (const double share : {0.1, 0.3, 0.7, 0.95})
        for (const double keep : {0.0, 0.5, 0.8}) {
            char text[80];
            std::snprintf(text, sizeof text, "silence, null: active share %.2f, persistence %.1f, 200 days", share,
                          keep);
            const double rate = rate_of(text, [&](Random& random, std::uint64_t) {
                return trailing_silence(active_days(random, 200, share, keep)).p <= 0.05;
            });
            EXPECT_LT(rate, 0.07);
        }
    const auto falls_silent = [&](Random& random, std::uint64_t) {
        auto counts = active_days(random, 170, 0.3, 0.5);
        counts.resize(200, 0);
        return trailing_silence(counts).p <= 0.05;
    };
    EXPECT_GT(rate_of("silence, planted: active share 0.3, persistence 0.5, 30 days of it", falls_silent), 0.8);
}

/// Days of about 20 posts on six topics; `events` of the days belong to one topic. From day 60 on `shift` of the posts
/// go to topic 0.
std::vector<TopicCount> topics_of(Random& random, double events, double shift) {
    std::vector<TopicCount> cells;
    for (std::uint32_t day = 0; day < 100; ++day) {
        std::uint32_t counts[6] = {};
        const bool is_event = random.chance(events);
        const auto topic_of_event = random.below(6);
        const auto posts = poisson(random, is_event ? 100 : 20);
        for (std::uint32_t i = 0; i < posts; ++i) {
            std::uint64_t topic = std::min(random.below(6), random.below(6));
            if (is_event && random.chance(0.8)) topic = topic_of_event;
            if (day >= 60 && random.chance(shift)) topic = 0;
            ++counts[topic];
        }
        for (std::uint32_t topic = 0; topic < 6; ++topic)
            if (counts[topic] > 0) cells.push_back({day, topic, counts[topic]});
    }
    return cells;
}

// Goal: topics that do not change split with p <= 0.05 in at most 7 of 100 cases, a fifth of the posts that moves is
// seen, the interval holds the day. Method: 2,000 series, with and without days of events; with these, the power is
// printed only.
TEST(Calibration, TopicChange) {
    for (const double events : {0.0, 0.1})
        EXPECT_LT(rate_of(events > 0 ? "topics, null: a tenth of the days are events" : "topics, null",
                          [&](Random& random, std::uint64_t seed) {
                              return topic_change(topics_of(random, events, 0), {.runs = 199, .seed = seed})->p <= 0.05;
                          }),
                  0.07);
    for (const double events : {0.0, 0.02, 0.1}) {
        int covered = 0;
        char text[80];
        std::snprintf(text, sizeof text, "topics, planted: a fifth moves at day 60 of 100, events %.2f", events);
        const double power = rate_of(text, [&](Random& random, std::uint64_t seed) {
            const auto change = topic_change(topics_of(random, events, 0.2), {.runs = 199, .seed = seed});
            covered += change->first_low <= 60 && 60 <= change->first_high;
            return change->p <= 0.05;
        });
        std::printf("  the 95 %% interval held the day in %d of %d\n", covered, worlds);
        if (events > 0) continue;
        EXPECT_GT(power, 0.95);
        EXPECT_GT(covered, 0.9 * worlds);
    }
}

// Goal: creations like those of others are no burst in more than 7 of 100 cases; ten accounts in three days are seen.
// Method: 50 accounts among 5,000 on a growing platform; against an even spread without growth.
TEST(Calibration, Scan) {
    const auto has_burst = [](bool is_growing, int planted) {
        return [=](Random& random, std::uint64_t seed) {
            std::vector<std::uint32_t> cases(700, 0), others(700, 0);
            const auto day = [&] {
                const auto one = random.below(700);
                return static_cast<std::size_t>(is_growing ? std::max(one, random.below(700)) : one);
            };
            for (int i = 0; i < 50 - planted; ++i) ++cases[day()];
            for (int i = 0; i < 5000; ++i) ++others[day()];
            for (int i = 0; i < planted; ++i) ++cases[300 + random.below(3)];
            const ScanRules rules{.runs = 199, .seed = seed};
            const auto bursts =
                is_growing ? scan_against_others(cases, others, rules) : scan_against_even(cases, rules);
            return !bursts.empty() && bursts[0].p <= 0.05;
        };
    };
    EXPECT_LT(rate_of("scan, null: against others", has_burst(true, 0)), 0.07);
    EXPECT_LT(rate_of("scan, null: against an even spread", has_burst(false, 0)), 0.07);
    EXPECT_GT(rate_of("scan, planted: 10 of 50 in 3 days, against others", has_burst(true, 10)), 0.95);
}

// Goal: how much too narrow intervals over few campaigns are. Method: campaigns whose items are found at a rate that
// differs from campaign to campaign (even between 0 and 1, so 0.5 on the whole), 10 items each.
TEST(Calibration, IntervalsOverCampaigns) {
    for (const std::uint32_t campaigns : {3u, 5u, 10u, 30u}) {
        char text[80];
        std::snprintf(text, sizeof text, "recall, 95 %% interval over %u campaigns holds the truth", campaigns);
        const double rate = rate_of(text, [&](Random& random, std::uint64_t seed) {
            std::vector<ScoredItem> items;
            for (std::uint32_t campaign = 1; campaign <= campaigns; ++campaign) {
                const double found = random.uniform();
                for (int i = 0; i < 10; ++i) items.push_back({random.chance(found) ? 1.0 : 0.0, true, campaign});
            }
            const auto recall = score_ranking(items, 0.5, {.runs = 399, .seed = seed}).recall;
            return recall.low <= 0.5 && 0.5 <= recall.high;
        });
        if (campaigns >= 10) EXPECT_GT(rate, 0.88);
    }
}

}  // namespace
}  // namespace unveil
