#include "statistics/change_point.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "core/random.hpp"

namespace unveil {
namespace {

std::uint32_t poisson(Random& random, double mean) {
    std::uint32_t count = 0;
    for (double time = random.exponential(1); time < mean; time += random.exponential(1)) ++count;
    return count;
}

double fit(const std::vector<std::uint32_t>& counts, std::size_t from, std::size_t to) {
    double sum = 0;
    for (std::size_t i = from; i < to; ++i) sum += counts[i];
    return sum == 0 ? 0 : sum * std::log(sum / static_cast<double>(to - from));
}

/// Twice the log-likelihood of a partition over dispersion, less the penalty of its changes.
double value_of(const std::vector<std::uint32_t>& counts, const std::vector<std::size_t>& firsts, double dispersion,
                double penalty) {
    double value = 0;
    std::size_t from = 0;
    for (std::size_t i = 0; i <= firsts.size(); ++i) {
        const std::size_t to = i < firsts.size() ? firsts[i] : counts.size();
        value += 2 * fit(counts, from, to) / dispersion;
        from = to;
    }
    return value - penalty * static_cast<double>(firsts.size());
}

// Goal: the pruned search finds a best partition. Method: dynamic programming over all days without pruning, on short
// random series with and without changes, for several shortest segments.
TEST(RateChanges, PartitionIsTheBest) {
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        Random random(seed);
        std::vector<std::uint32_t> counts;
        double mean = 3;
        const std::size_t days = 20 + random.below(40);
        for (std::size_t day = 0; day < days; ++day) {
            if (random.chance(0.08)) mean = static_cast<double>(random.below(12));
            counts.push_back(poisson(random, mean));
        }
        ChangeRules rules;
        rules.segment_days_min = 1 + static_cast<std::uint32_t>(seed % 8);
        rules.penalty = 0.1 + static_cast<double>(seed % 7) / 2;
        rules.runs = 1;
        const double dispersion = day_dispersion(counts);
        std::vector<double> best(days + 1, -INFINITY);
        best[0] = rules.penalty;
        for (std::size_t to = rules.segment_days_min; to <= days; ++to)
            for (std::size_t from = 0; from + rules.segment_days_min <= to; ++from)
                best[to] = std::max(best[to], best[from] + 2 * fit(counts, from, to) / dispersion - rules.penalty);
        std::vector<std::size_t> firsts;
        for (const auto& change : rate_changes(counts, rules)) firsts.push_back(change.first);
        ASSERT_NEAR(value_of(counts, firsts, dispersion, rules.penalty), best[days], 1e-6) << "seed " << seed;
        for (std::size_t i = 0; i <= firsts.size(); ++i)
            ASSERT_GE((i < firsts.size() ? firsts[i] : days) - (i > 0 ? firsts[i - 1] : 0), rules.segment_days_min);
    }
}

// Goal: a planted change is found with its rates, an interval that holds it, a small p; the same for any threads.
// Method: 100 days at 2 and 100 at 8.
TEST(RateChanges, PlantedChange) {
    Random random(5);
    std::vector<std::uint32_t> counts;
    for (int day = 0; day < 200; ++day) counts.push_back(poisson(random, day < 100 ? 2 : 8));
    const auto changes = rate_changes(counts, {.threads = 1});
    const auto threaded = rate_changes(counts, {.threads = 4});
    ASSERT_EQ(changes.size(), 1);
    EXPECT_LE(changes[0].first_low, 100);
    EXPECT_GE(changes[0].first_high, 100);
    EXPECT_LE(changes[0].first_high - changes[0].first_low, 6);
    EXPECT_NEAR(changes[0].rate_before, 2, 0.6);
    EXPECT_NEAR(changes[0].rate_after, 8, 1);
    EXPECT_EQ(changes[0].p, 0.001);
    ASSERT_EQ(threaded.size(), 1);
    EXPECT_EQ(threaded[0].p, changes[0].p);
    EXPECT_EQ(threaded[0].first_high, changes[0].first_high);
}

// Goal: nothing comes of nothing. Method: empty, short, all-zero and constant series.
TEST(RateChanges, Nothing) {
    EXPECT_TRUE(rate_changes({}).empty());
    EXPECT_TRUE(rate_changes(std::vector<std::uint32_t>(13, 5)).empty());
    EXPECT_TRUE(rate_changes(std::vector<std::uint32_t>(400, 0)).empty());
    EXPECT_TRUE(rate_changes(std::vector<std::uint32_t>(400, 4'000'000'000u)).empty());
    EXPECT_EQ(day_dispersion({}), 1);
}

// Goal: the dispersion is 1 for Poisson days and follows the variance. Method: means of simulated days; a change of
// rate hardly moves it.
TEST(RateChanges, Dispersion) {
    Random random(1);
    std::vector<std::uint32_t> steady, bursty;
    for (int day = 0; day < 5000; ++day) {
        steady.push_back(poisson(random, day < 2500 ? 0.5 : 20));
        bursty.push_back(4 * poisson(random, 2));
    }
    EXPECT_LT(day_dispersion(steady), 1.5);
    EXPECT_GT(day_dispersion(bursty), 3.8);
    EXPECT_LT(day_dispersion(bursty), 5.5);
    EXPECT_NEAR(day_dispersion(std::span(bursty).first(50)), 4, 1.5);
}

// Goal: the p-value is exact. Method: for all series of up to 13 days that begin active, the share with as long a
// silence among those that have the same runs of active days in the same order, as many gaps, and a silence; without
// gaps, among those with as many active days, unless the silence is the longer part.
TEST(TrailingSilence, EqualsEnumeration) {
    struct Shape {
        std::vector<int> runs;
        int zeros = 0;
        int silent = 0;
        int active = 0;
    };
    int compared = 0;
    for (unsigned days = 1; days <= 13; ++days) {
        std::vector<Shape> shapes;
        for (unsigned mask = 1; mask < (1u << days); mask += 2) {
            Shape shape;
            for (unsigned day = 0; day < days; ++day) {
                const bool is_active = (mask >> day) & 1;
                if (is_active && (day == 0 || !((mask >> (day - 1)) & 1))) shape.runs.push_back(0);
                if (is_active) ++shape.runs.back();
                shape.active += is_active;
                shape.zeros += !is_active;
                shape.silent = is_active ? 0 : shape.silent + 1;
            }
            shapes.push_back(shape);
        }
        for (unsigned mask = 1; mask < (1u << days); mask += 2) {
            std::vector<std::uint32_t> counts(days);
            for (unsigned day = 0; day < days; ++day) counts[day] = (mask >> day) & 1 ? 1 + day * 7 : 0;
            const auto silence = trailing_silence(counts);
            const auto& shape = shapes[mask / 2];
            ASSERT_EQ(silence.silent_days, shape.silent);
            ASSERT_EQ(silence.active_days, shape.active);
            if (shape.silent > 0) ASSERT_EQ(silence.gaps + 1, shape.runs.size());
            if (silence.dispersion > 1) continue;
            if (shape.runs.size() == 1 && shape.silent > shape.active) {
                ASSERT_EQ(silence.p, 1);
                continue;
            }
            double all = 0;
            double reached = 0;
            for (const auto& other : shapes) {
                const bool is_alike = shape.silent == 0 ? true
                                      : shape.runs.size() > 1
                                          ? other.runs == shape.runs && other.silent > 0
                                          : other.active == shape.active;
                all += is_alike;
                reached += is_alike && other.silent >= shape.silent;
            }
            ASSERT_NEAR(silence.p, reached / all, 1e-9);
            ++compared;
        }
    }
    EXPECT_GT(compared, 5000);
}

// Goal: days before the first count do not matter, uneven gaps weigh less, endless silence is no error. Method: by
// hand.
TEST(TrailingSilence, DispersionAndEnds) {
    EXPECT_EQ(trailing_silence({}).p, 1);
    EXPECT_EQ(trailing_silence(std::vector<std::uint32_t>(50, 0)).p, 1);
    EXPECT_EQ(trailing_silence(std::vector<std::uint32_t>(50, 1)).p, 1);
    std::vector<std::uint32_t> even, uneven;
    for (int day = 0; day < 140; ++day) {
        even.push_back(day % 2);
        uneven.push_back(day % 70 < 60 ? day % 2 : 0);
    }
    even.resize(152, 0);
    uneven.push_back(1);
    uneven.resize(153, 0);
    EXPECT_EQ(trailing_silence(even).silent_days, 12);
    EXPECT_EQ(trailing_silence(even).days, 151);
    EXPECT_EQ(trailing_silence(even).gaps, 69);
    EXPECT_EQ(trailing_silence(even).dispersion, 1);
    EXPECT_LT(trailing_silence(even).p, 1e-9);
    EXPECT_EQ(trailing_silence(uneven).silent_days, 12);
    EXPECT_GT(trailing_silence(uneven).dispersion, 4);
    EXPECT_GT(trailing_silence(uneven).p, 0.01);
    even.resize(10'000, 0);
    EXPECT_LT(trailing_silence(even).p, 1e-50);
    EXPECT_GE(trailing_silence(even).p, 0);
}

// Goal: the split, its date interval's dispersion and the counts of either side are what they are defined as. Method:
// the likelihood of each split from scratch on random tables with empty days.
TEST(TopicChange, SplitIsTheBest) {
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        Random random(seed);
        std::vector<TopicCount> cells;
        constexpr std::uint32_t topics = 5;
        std::vector<std::uint32_t> days;
        const auto change_day = 10 + static_cast<std::uint32_t>(random.below(20));
        for (std::uint32_t day = 0; day < 40; ++day) {
            bool is_used = false;
            for (std::uint32_t topic = 0; topic < topics; ++topic) {
                const auto count = poisson(random, day < change_day || topic > 1 ? 0.5 : 1.5);
                if (count > 0) cells.push_back({day, topic, count});
                is_used |= count > 0;
            }
            if (is_used) days.push_back(day);
        }
        std::reverse(cells.begin(), cells.end());
        ChangeRules rules;
        rules.segment_days_min = 3;
        rules.runs = 19;
        const auto change = topic_change(cells, rules);
        ASSERT_TRUE(change);
        const auto likelihood = [&](std::uint32_t first) {
            double sum = 0;
            for (const bool is_after : {false, true}) {
                double total = 0;
                for (std::uint32_t topic = 0; topic < topics; ++topic) {
                    double count = 0;
                    for (const auto& cell : cells)
                        if (cell.topic == topic && (cell.day >= first) == is_after) count += cell.count;
                    total += count;
                    if (count > 0) sum += count * std::log(count);
                }
                if (total > 0) sum -= total * std::log(total);
            }
            return sum;
        };
        double best = -INFINITY;
        for (std::size_t i = 3; i + 3 <= days.size(); ++i) best = std::max(best, likelihood(days[i]));
        ASSERT_NEAR(likelihood(static_cast<std::uint32_t>(change->first)), best, 1e-9);
        ASSERT_LE(change->first_low, change->first);
        ASSERT_GE(change->first_high, change->first);
        ASSERT_GE(change->dispersion, 1);
        for (std::uint32_t topic = 0; topic < topics; ++topic) {
            std::uint64_t before = 0, after = 0;
            for (const auto& cell : cells)
                if (cell.topic == topic) (cell.day < change->first ? before : after) += cell.count;
            ASSERT_EQ(change->before[topic], before);
            ASSERT_EQ(change->after[topic], after);
        }
    }
}

// Goal: one event of many posts is one day, not many posts. Method: steady topics but for a single day with thousands
// of posts on one: the permutation is not impressed, the dispersion opens the interval; a lasting change is seen.
TEST(TopicChange, OneDayIsNoChange) {
    std::vector<TopicCount> cells;
    Random random(4);
    for (std::uint32_t day = 0; day < 60; ++day)
        for (std::uint32_t topic = 0; topic < 4; ++topic) cells.push_back({day, topic, 5 + poisson(random, 3)});
    auto event = cells;
    event[4 * 30].count += 5000;
    const auto one_day = topic_change(event);
    ASSERT_TRUE(one_day);
    EXPECT_GT(one_day->p, 0.05);
    EXPECT_GT(one_day->dispersion, 5);
    for (auto& cell : cells)
        if (cell.day >= 30 && cell.topic == 2) cell.count += 12;
    const auto lasting = topic_change(cells, {.threads = 1});
    ASSERT_TRUE(lasting);
    EXPECT_EQ(lasting->first, 30);
    EXPECT_EQ(lasting->p, 0.001);
    EXPECT_EQ(topic_change(cells, {.threads = 4})->p, lasting->p);
    EXPECT_LE(lasting->first_high - lasting->first_low, 2);

    EXPECT_FALSE(topic_change({}));
    EXPECT_FALSE(topic_change(std::vector<TopicCount>(cells.begin(), cells.begin() + 4 * 13)));
    std::erase_if(cells, [](const TopicCount& cell) { return cell.topic != 0; });
    EXPECT_FALSE(topic_change(cells));
}

}  // namespace
}  // namespace unveil
