#include "statistics/ranking.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/random.hpp"

namespace unveil {
namespace {

/// Few distinct scores, so that ties are common.
std::vector<ScoredItem> random_items(std::uint64_t seed, std::size_t count, std::uint32_t campaigns) {
    Random random(seed);
    std::vector<ScoredItem> items;
    for (std::size_t i = 0; i < count; ++i) {
        ScoredItem item;
        item.is_positive = random.chance(0.4);
        item.campaign = item.is_positive ? 1 + static_cast<std::uint32_t>(random.below(campaigns)) : 0;
        item.score = static_cast<double>(random.below(7) + (item.is_positive ? random.below(4) : 0)) / 8;
        items.push_back(item);
    }
    return items;
}

bool is_same(const Estimate& a, const Estimate& b) {
    return a.value == b.value && a.low == b.low && a.high == b.high && a.runs == b.runs;
}

// Goal: the figures are what their definitions say, ties included. Method: all pairs of a positive and a control;
// all thresholds, counted anew at each.
TEST(Ranking, FiguresEqualTheirDefinitions) {
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        const auto items = random_items(seed, 1 + seed % 40, 3);
        const double threshold = static_cast<double>(seed % 9) / 8;
        const auto score = score_ranking(items, threshold, {.runs = 5, .seed = seed});

        double above = 0;
        double pairs = 0;
        for (const auto& a : items)
            for (const auto& b : items)
                if (a.is_positive && !b.is_positive) {
                    pairs += 1;
                    above += a.score > b.score ? 1 : a.score == b.score ? 0.5 : 0;
                }
        ASSERT_EQ(score.roc_auc.value.has_value(), pairs > 0);
        if (pairs > 0) EXPECT_NEAR(*score.roc_auc.value, above / pairs, 1e-12);

        const auto count = [&](double from, bool only_positive) {
            return static_cast<double>(std::count_if(items.begin(), items.end(), [&](const ScoredItem& item) {
                return item.score >= from && (item.is_positive || !only_positive);
            }));
        };
        const double positives = count(-1, true);
        std::set<double, std::greater<>> thresholds;
        for (const auto& item : items) thresholds.insert(item.score);
        double average = 0;
        double recall_before = 0;
        for (const double t : thresholds) {
            const double recall = positives > 0 ? count(t, true) / positives : 0;
            average += (recall - recall_before) * count(t, true) / count(t, false);
            recall_before = recall;
        }
        ASSERT_EQ(score.average_precision.value.has_value(), positives > 0);
        if (positives > 0) {
            EXPECT_NEAR(*score.average_precision.value, average, 1e-12);
            EXPECT_NEAR(*score.recall.value, count(threshold, true) / positives, 1e-12);
        }
        ASSERT_EQ(score.precision.value.has_value(), count(threshold, false) > 0);
        if (score.precision.value)
            EXPECT_NEAR(*score.precision.value, count(threshold, true) / count(threshold, false), 1e-12);
    }
}

// Goal: perfect, useless and reversed scores have the values everybody knows. Method: by hand.
TEST(Ranking, KnownValues) {
    std::vector<ScoredItem> items;
    for (int i = 0; i < 10; ++i) items.push_back({i < 4 ? 2.0 : 1.0, i < 4, i < 2 ? 1u : 2u});
    auto score = score_ranking(items, 1.5);
    EXPECT_EQ(score.roc_auc.value, 1);
    EXPECT_EQ(score.average_precision.value, 1);
    EXPECT_EQ(score.precision.low, 1);
    EXPECT_EQ(score.campaigns, 2);
    for (auto& item : items) item.score = 3;
    score = score_ranking(items, 5);
    EXPECT_EQ(score.roc_auc.value, 0.5);
    EXPECT_DOUBLE_EQ(*score.average_precision.value, 0.4);
    EXPECT_FALSE(score.precision.value);
    EXPECT_EQ(score.recall.value, 0);
    for (auto& item : items) item.score = item.is_positive ? std::nan("") : 0;
    EXPECT_EQ(score_ranking(items, 0).roc_auc.value, 0);
    EXPECT_FALSE(score_ranking({}, 0).roc_auc.value);
}

// Goal: campaigns are drawn whole, with one campaign its items. Method: half the campaigns score 1 in all their
// items, half 0: recall of a drawn world is a binomial share of 8 campaigns, so its interval is that of 8, not of
// 800 items.
TEST(Ranking, IntervalsAreOfCampaigns) {
    std::vector<ScoredItem> items;
    for (std::uint32_t campaign = 1; campaign <= 8; ++campaign)
        for (int i = 0; i < 100; ++i) items.push_back({campaign % 2 ? 1.0 : 0.0, true, campaign});
    for (int i = 0; i < 100; ++i) items.push_back({-1, false, 0});
    auto score = score_ranking(items, 0.5, {.runs = 4000});
    // P(at most 1 of 8) = 0.035, P(none) = 0.004: the 2.5 % quantile is 1/8.
    EXPECT_DOUBLE_EQ(score.recall.low, 0.125);
    EXPECT_DOUBLE_EQ(score.recall.high, 0.875);
    EXPECT_EQ(score.recall.runs, 4000);
    for (auto& item : items) item.campaign = 5;
    score = score_ranking(items, 0.5, {.runs = 4000});
    EXPECT_NEAR(score.recall.low, 0.5 - 1.96 * std::sqrt(0.25 / 800), 0.005);
    EXPECT_NEAR(score.recall.high, 0.5 + 1.96 * std::sqrt(0.25 / 800), 0.005);
}

// Goal: the same bytes for any number of threads, other ones for another seed. Method: run both.
TEST(Ranking, ThreadsNeverMatter) {
    const auto items = random_items(7, 300, 5);
    const auto one = score_ranking(items, 0.5, {.runs = 200, .seed = 3, .threads = 1});
    const auto four = score_ranking(items, 0.5, {.runs = 200, .seed = 3, .threads = 4});
    const auto other = score_ranking(items, 0.5, {.runs = 200, .seed = 4, .threads = 4});
    EXPECT_TRUE(is_same(one.roc_auc, four.roc_auc));
    EXPECT_TRUE(is_same(one.average_precision, four.average_precision));
    EXPECT_TRUE(is_same(one.precision, four.precision));
    EXPECT_TRUE(is_same(one.recall, four.recall));
    EXPECT_FALSE(is_same(one.average_precision, other.average_precision));
    const auto f1_of = [&](unsigned threads) { return leave_one_campaign_out(items, {.threads = threads}).f1; };
    EXPECT_TRUE(is_same(f1_of(1), f1_of(3)));
}

// Goal: the threshold never sees the campaign it is applied to. Method: campaigns 1 and 2 score high, campaign 3
// low, just above the controls: a threshold for all finds everything, those of the others miss campaign 3.
TEST(Ranking, LeavingOutACampaignHurts) {
    std::vector<ScoredItem> items;
    for (std::uint32_t campaign = 1; campaign <= 3; ++campaign)
        for (int i = 0; i < 20; ++i) items.push_back({campaign < 3 ? 10.0 + i : 2.0, true, campaign});
    for (int i = 0; i < 90; ++i) items.push_back({1.0 - i * 0.01, false, 0});
    const auto result = leave_one_campaign_out(items);
    ASSERT_EQ(result.campaigns.size(), 3);
    EXPECT_EQ(result.campaigns[0].positives_found, 20);
    EXPECT_EQ(result.campaigns[1].positives_found, 20);
    EXPECT_EQ(result.campaigns[2].positives_found, 0);
    EXPECT_EQ(result.campaigns[2].threshold, 10);
    EXPECT_EQ(result.campaigns[0].threshold, 2);
    for (const auto& campaign : result.campaigns) {
        EXPECT_EQ(campaign.controls, 30);
        EXPECT_EQ(campaign.controls_found, 0);
    }
    EXPECT_DOUBLE_EQ(*result.recall.value, 2.0 / 3);
    EXPECT_EQ(result.recall.low, 0);
    EXPECT_EQ(result.recall.high, 1);
    EXPECT_EQ(result.precision.value, 1);
    EXPECT_DOUBLE_EQ(*result.f1.value, 0.8);
    EXPECT_EQ(result.threshold_within, 2);
    EXPECT_EQ(result.f1_within, 1);
}

// Goal: thresholds are the best by F1 on the rest. Method: every score of the rest tried in turn; every control is
// left out exactly once, so the rest is reproduced from the counts only for positives: controls are given none.
TEST(Ranking, ThresholdsAreTheBestOfTheRest) {
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        auto items = random_items(seed, 60, 4);
        const auto all = leave_one_campaign_out(items, {.runs = 1});
        const auto f1_at = [&](double t, auto&& is_used) {
            double found = 0, reported = 0, positives = 0;
            for (const auto& item : items) {
                if (!is_used(item)) continue;
                positives += item.is_positive;
                reported += item.score >= t;
                found += item.score >= t && item.is_positive;
            }
            return 2 * found / (reported + positives);
        };
        const auto everything = [](const ScoredItem&) { return true; };
        double best = 0;
        for (const auto& item : items) best = std::max(best, f1_at(item.score, everything));
        EXPECT_NEAR(*all.f1_within, best, 1e-12);
        EXPECT_NEAR(f1_at(all.threshold_within, everything), best, 1e-12);

        std::erase_if(items, [](const ScoredItem& item) { return !item.is_positive && item.score < 0.5; });
        for (auto& item : items)
            if (!item.is_positive) item = {item.score, true, 9};
        for (const auto& campaign : leave_one_campaign_out(items, {.runs = 1}).campaigns) {
            // Without controls every threshold but the lowest loses recall.
            double lowest = INFINITY;
            for (const auto& item : items)
                if (item.campaign != campaign.campaign) lowest = std::min(lowest, item.score);
            EXPECT_EQ(campaign.threshold, lowest);
        }
    }
    EXPECT_TRUE(leave_one_campaign_out(std::vector<ScoredItem>{{1, true, 1}, {0, false, 0}}).campaigns.empty());
    EXPECT_TRUE(leave_one_campaign_out({}).campaigns.empty());
}

}  // namespace
}  // namespace unveil
