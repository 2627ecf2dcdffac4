#include "statistics/scan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/random.hpp"

namespace unveil {
namespace {

double times_log(double x, double y) { return x == 0 ? 0 : x * std::log(y); }

// Goal: the first burst is the best of all windows. Method: every window of every length, its likelihood from the
// formula of the paper, on random days.
TEST(Scan, FindsTheBestWindow) {
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        Random random(seed);
        const std::size_t days = 10 + random.below(40);
        std::vector<std::uint32_t> cases(days), others(days);
        for (std::size_t day = 0; day < days; ++day) {
            cases[day] = random.chance(0.3) ? static_cast<std::uint32_t>(random.below(4)) : 0;
            others[day] = static_cast<std::uint32_t>(random.below(6));
        }
        ScanRules rules;
        rules.window_days_max = 1 + static_cast<std::uint32_t>(seed % 12);
        rules.runs = 9;
        const double c = std::accumulate(cases.begin(), cases.end(), 0.0);
        const double n = c + std::accumulate(others.begin(), others.end(), 0.0);
        for (const bool is_even : {false, true}) {
            double best = 0;
            for (std::size_t from = 0; from < days; ++from)
                for (std::size_t to = from + 1; to <= days && to - from <= rules.window_days_max; ++to) {
                    double inside = 0, events = 0;
                    for (std::size_t day = from; day < to; ++day) {
                        inside += cases[day];
                        events += cases[day] + others[day];
                    }
                    if (inside < 2) continue;
                    double ratio = 0;
                    if (is_even) {
                        if (2 * (to - from) > days) continue;
                        const double mean = c * static_cast<double>(to - from) / static_cast<double>(days);
                        if (inside > mean)
                            ratio = times_log(inside, inside / mean) + times_log(c - inside, (c - inside) / (c - mean));
                    } else {
                        if (2 * events > n || inside * n <= c * events) continue;
                        const double p = inside / events;
                        const double q = (c - inside) / (n - events);
                        ratio = times_log(inside, p) + times_log(events - inside, 1 - p) + times_log(c - inside, q) +
                                times_log(n - events - (c - inside), 1 - q) - times_log(c, c / n) -
                                times_log(n - c, (n - c) / n);
                    }
                    best = std::max(best, ratio);
                }
            const auto bursts = is_even ? scan_against_even(cases, rules) : scan_against_others(cases, others, rules);
            ASSERT_EQ(bursts.empty(), best < 1e-12) << seed;
            if (bursts.empty()) continue;
            ASSERT_NEAR(bursts[0].log_ratio, best, 1e-8);
            for (std::size_t i = 0; i < bursts.size(); ++i) {
                const auto& burst = bursts[i];
                std::uint64_t sum = 0;
                for (std::size_t day = burst.first; day <= burst.last; ++day) sum += cases[day];
                ASSERT_EQ(burst.cases, sum);
                ASSERT_GT(cases[burst.first], 0u);
                ASSERT_GT(cases[burst.last], 0u);
                ASSERT_GT(static_cast<double>(burst.cases), burst.expected);
                for (std::size_t j = 0; j < i; ++j) {
                    ASSERT_TRUE(burst.last < bursts[j].first || bursts[j].last < burst.first);
                    ASSERT_LE(burst.log_ratio, bursts[j].log_ratio + 1e-12);
                }
            }
        }
    }
}

// Goal: a planted burst is found where it is, also when the platform grows; the growth itself is none against others,
// and is one against an even spread. Method: creations that rise over three years, 30 accounts in one week.
TEST(Scan, PlantedBurst) {
    Random random(3);
    std::vector<std::uint32_t> cases(1000, 0), others(1000, 0);
    const auto growing_day = [&] { return static_cast<std::size_t>(std::max(random.below(1000), random.below(1000))); };
    for (int i = 0; i < 20'000; ++i) ++others[growing_day()];
    for (int i = 0; i < 100; ++i) ++cases[growing_day()];
    EXPECT_GT(scan_against_others(cases, others)[0].p, 0.05);
    for (int i = 0; i < 30; ++i) ++cases[400 + random.below(7)];
    const auto bursts = scan_against_others(cases, others, {.threads = 1});
    ASSERT_FALSE(bursts.empty());
    EXPECT_GE(bursts[0].first, 400);
    EXPECT_LE(bursts[0].last, 406);
    EXPECT_GE(bursts[0].cases, 28);
    EXPECT_LT(bursts[0].expected, 2);
    EXPECT_EQ(bursts[0].p, 0.001);
    for (std::size_t i = 1; i < bursts.size(); ++i) EXPECT_GT(bursts[i].p, 0.05);
    const auto threaded = scan_against_others(cases, others, {.threads = 4});
    ASSERT_EQ(threaded.size(), bursts.size());
    for (std::size_t i = 0; i < bursts.size(); ++i) EXPECT_EQ(threaded[i].p, bursts[i].p);
    EXPECT_EQ(scan_against_even(cases)[0].p, 0.001);
}

// Goal: nothing, everything and nobody else are no error. Method: the ends.
TEST(Scan, Ends) {
    const std::vector<std::uint32_t> none(30, 0);
    std::vector<std::uint32_t> some(30, 0);
    some[4] = 5;
    some[20] = 1;
    EXPECT_TRUE(scan_against_others({}, {}).empty());
    EXPECT_TRUE(scan_against_even({}).empty());
    EXPECT_TRUE(scan_against_others(none, some).empty());
    EXPECT_TRUE(scan_against_others(some, none).empty());
    EXPECT_FALSE(scan_against_even(some).empty());
    // More cases than others: the others are drawn instead.
    const auto bursts = scan_against_others(some, std::vector<std::uint32_t>{[&] {
                                                std::vector<std::uint32_t> others(30, 0);
                                                others[20] = 3;
                                                others[4] = 0;
                                                return others;
                                            }()});
    EXPECT_TRUE(bursts.empty());  // the window would be more than half of everything
}

}  // namespace
}  // namespace unveil
