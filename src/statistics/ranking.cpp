#include "statistics/ranking.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/error.hpp"
#include "core/parallel.hpp"
#include "core/random.hpp"

namespace unveil {
namespace {

constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

double ratio(std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? undefined : static_cast<double>(part) / static_cast<double>(whole);
}

std::optional<double> if_defined(double value) {
    if (std::isnan(value)) return {};
    return value;
}

double f1_of(std::uint64_t true_positives, std::uint64_t reported, std::uint64_t positives) {
    return ratio(2 * true_positives, reported + positives);
}

/// Items by falling score, each with the number of the unit it is drawn with.
struct Ranking {
    struct Entry {
        double score = 0;
        std::uint32_t item = 0;
        std::uint32_t unit = 0;  // campaign by rank, or control by order
        bool is_positive = false;
    };
    std::vector<Entry> entries;
    std::vector<std::uint32_t> campaigns;  // by rank
    std::uint32_t positive_units = 0;
    std::uint32_t controls = 0;

    explicit Ranking(std::span<const ScoredItem> items) {
        UNVEIL_ASSERT(items.size() < std::numeric_limits<std::uint32_t>::max());
        for (const auto& item : items)
            if (item.is_positive) campaigns.push_back(item.campaign);
        const std::size_t positives = campaigns.size();
        std::sort(campaigns.begin(), campaigns.end());
        campaigns.erase(std::unique(campaigns.begin(), campaigns.end()), campaigns.end());
        const bool is_single = campaigns.size() == 1;
        positive_units = static_cast<std::uint32_t>(is_single ? positives : campaigns.size());
        std::uint32_t positives_met = 0;
        for (std::uint32_t i = 0; i < items.size(); ++i) {
            const auto& item = items[i];
            const double score = std::isnan(item.score) ? -std::numeric_limits<double>::infinity() : item.score;
            const std::uint32_t unit = !item.is_positive ? controls++
                                       : is_single       ? positives_met++
                                                         : rank_of(item.campaign);
            entries.push_back({score, i, unit, item.is_positive});
        }
        std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
            return a.score != b.score ? a.score > b.score : a.item < b.item;
        });
    }

    std::uint32_t rank_of(std::uint32_t campaign) const {
        return static_cast<std::uint32_t>(std::lower_bound(campaigns.begin(), campaigns.end(), campaign) -
                                          campaigns.begin());
    }

    /// Calls use(score, positives, controls) for each distinct score from the highest, counted by weight(entry).
    template <typename Weight, typename Use>
    void for_each_score(const Weight& weight, const Use& use) const {
        for (std::size_t begin = 0; begin < entries.size();) {
            std::uint64_t counts[2] = {0, 0};
            std::size_t end = begin;
            for (; end < entries.size() && entries[end].score == entries[begin].score; ++end)
                counts[entries[end].is_positive ? 0 : 1] += weight(entries[end]);
            use(entries[begin].score, counts[0], counts[1]);
            begin = end;
        }
    }
};

struct Figures {
    double roc_auc = undefined;
    double average_precision = undefined;
    double precision = undefined;
    double recall = undefined;
};

template <typename Weight>
Figures figures_of(const Ranking& ranking, double threshold, const Weight& weight) {
    std::uint64_t positives = 0;
    std::uint64_t controls = 0;
    for (const auto& entry : ranking.entries) (entry.is_positive ? positives : controls) += weight(entry);
    std::uint64_t found = 0;
    std::uint64_t reported = 0;
    std::uint64_t twice_u = 0;
    double precision_sum = 0;
    std::uint64_t found_at_threshold = 0;
    std::uint64_t reported_at_threshold = 0;
    ranking.for_each_score(weight, [&](double score, std::uint64_t tied_positives, std::uint64_t tied_controls) {
        found += tied_positives;
        reported += tied_positives + tied_controls;
        const std::uint64_t controls_below = controls - (reported - found);
        twice_u += tied_positives * (2 * controls_below + tied_controls);
        if (tied_positives > 0) precision_sum += static_cast<double>(tied_positives) * ratio(found, reported);
        if (score >= threshold) {
            found_at_threshold = found;
            reported_at_threshold = reported;
        }
    });
    Figures figures;
    if (positives > 0) figures.average_precision = precision_sum / static_cast<double>(positives);
    if (positives > 0 && controls > 0)
        figures.roc_auc =
            static_cast<double>(twice_u) / (2 * static_cast<double>(positives) * static_cast<double>(controls));
    figures.precision = ratio(found_at_threshold, reported_at_threshold);
    figures.recall = ratio(found_at_threshold, positives);
    return figures;
}

/// How often each unit is drawn in one run.
struct Draw {
    std::vector<std::uint32_t> positives;
    std::vector<std::uint32_t> controls;

    void repeat(const Ranking& ranking, std::uint64_t seed, std::uint64_t run) {
        Random random(seed, run + 1);
        positives.assign(ranking.positive_units, 0);
        controls.assign(ranking.controls, 0);
        for (std::uint32_t i = 0; i < ranking.positive_units; ++i) ++positives[random.below(ranking.positive_units)];
        for (std::uint32_t i = 0; i < ranking.controls; ++i) ++controls[random.below(ranking.controls)];
    }
    std::uint64_t weight(const Ranking::Entry& entry) const {
        return entry.is_positive ? positives[entry.unit] : controls[entry.unit];
    }
};

/// Calls use(run, draw) for every run; the buffers of a draw are shared by the runs of one part.
template <typename Use>
void for_each_draw(const Ranking& ranking, const BootstrapRules& rules, const Use& use) {
    const std::size_t parts = std::min<std::size_t>(rules.runs, 64);
    parallel_parts(parts, rules.threads, [&](std::size_t part) {
        Draw draw;
        for (std::size_t run = part; run < rules.runs; run += parts) {
            draw.repeat(ranking, rules.seed, run);
            use(run, draw);
        }
    });
}

struct Threshold {
    double value = std::numeric_limits<double>::infinity();
    double f1 = 0;
};

/// The threshold with the best F1 among items whose weight is not 0; the highest of equals.
template <typename Weight>
Threshold best_threshold(const Ranking& ranking, const Weight& weight) {
    std::uint64_t positives = 0;
    for (const auto& entry : ranking.entries)
        if (entry.is_positive) positives += weight(entry);
    Threshold best;
    std::uint64_t found = 0;
    std::uint64_t reported = 0;
    ranking.for_each_score(weight, [&](double score, std::uint64_t tied_positives, std::uint64_t tied_controls) {
        found += tied_positives;
        reported += tied_positives + tied_controls;
        const double f1 = tied_positives + tied_controls == 0 ? 0 : f1_of(found, reported, positives);
        if (f1 > best.f1) best = {score, f1};
    });
    return best;
}

}  // namespace

RankingScore score_ranking(std::span<const ScoredItem> items, double threshold, const BootstrapRules& rules) {
    const Ranking ranking(items);
    RankingScore score;
    score.controls = ranking.controls;
    score.positives = items.size() - ranking.controls;
    score.campaigns = ranking.campaigns.size();
    std::vector<double> draws[4];
    for (auto& values : draws) values.assign(rules.runs, undefined);
    for_each_draw(ranking, rules, [&](std::size_t run, const Draw& draw) {
        const auto figures =
            figures_of(ranking, threshold, [&](const Ranking::Entry& entry) { return draw.weight(entry); });
        draws[0][run] = figures.roc_auc;
        draws[1][run] = figures.average_precision;
        draws[2][run] = figures.precision;
        draws[3][run] = figures.recall;
    });
    const auto figures = figures_of(ranking, threshold, [](const Ranking::Entry&) { return std::uint64_t{1}; });
    score.roc_auc = percentile_estimate(if_defined(figures.roc_auc), std::move(draws[0]), rules.level);
    score.average_precision =
        percentile_estimate(if_defined(figures.average_precision), std::move(draws[1]), rules.level);
    score.precision = percentile_estimate(if_defined(figures.precision), std::move(draws[2]), rules.level);
    score.recall = percentile_estimate(if_defined(figures.recall), std::move(draws[3]), rules.level);
    return score;
}

LeaveOneOut leave_one_campaign_out(std::span<const ScoredItem> items, const BootstrapRules& rules) {
    const Ranking ranking(items);
    LeaveOneOut result;
    const auto folds = static_cast<std::uint32_t>(ranking.campaigns.size());
    if (folds < 2) return result;

    // Controls are dealt to the folds like shuffled cards, so that the folds are of equal size.
    std::vector<std::uint32_t> order(ranking.controls);
    std::iota(order.begin(), order.end(), 0u);
    Random random(rules.seed);
    for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
    std::vector<std::uint32_t> fold_of_control(ranking.controls);
    for (std::size_t i = 0; i < order.size(); ++i) fold_of_control[order[i]] = static_cast<std::uint32_t>(i % folds);
    const auto fold_of = [&](const Ranking::Entry& entry) {
        return entry.is_positive ? entry.unit : fold_of_control[entry.unit];
    };

    std::vector<std::uint8_t> is_found(items.size(), 0);
    for (std::uint32_t fold = 0; fold < folds; ++fold) {
        LeftOutCampaign left_out;
        left_out.campaign = ranking.campaigns[fold];
        left_out.threshold = best_threshold(ranking, [&](const Ranking::Entry& entry) -> std::uint64_t {
                                 return fold_of(entry) == fold ? 0 : 1;
                             }).value;
        for (const auto& entry : ranking.entries) {
            if (fold_of(entry) != fold) continue;
            const bool found = entry.score >= left_out.threshold;
            is_found[entry.item] = found;
            ++(entry.is_positive ? left_out.positives : left_out.controls);
            (entry.is_positive ? left_out.positives_found : left_out.controls_found) += found;
        }
        result.campaigns.push_back(left_out);
    }

    struct Pooled {
        double precision, recall, f1;
    };
    const auto pool = [&](const auto& weight) {
        std::uint64_t positives = 0;
        std::uint64_t found = 0;
        std::uint64_t reported = 0;
        for (const auto& entry : ranking.entries) {
            const std::uint64_t count = weight(entry);
            const std::uint64_t count_found = is_found[entry.item] ? count : 0;
            reported += count_found;
            if (!entry.is_positive) continue;
            positives += count;
            found += count_found;
        }
        return Pooled{ratio(found, reported), ratio(found, positives), f1_of(found, reported, positives)};
    };
    std::vector<double> draws[3];
    for (auto& values : draws) values.assign(rules.runs, undefined);
    for_each_draw(ranking, rules, [&](std::size_t run, const Draw& draw) {
        const auto pooled = pool([&](const Ranking::Entry& entry) { return draw.weight(entry); });
        draws[0][run] = pooled.precision;
        draws[1][run] = pooled.recall;
        draws[2][run] = pooled.f1;
    });
    const auto everything = [](const Ranking::Entry&) { return std::uint64_t{1}; };
    const auto pooled = pool(everything);
    result.precision = percentile_estimate(if_defined(pooled.precision), std::move(draws[0]), rules.level);
    result.recall = percentile_estimate(if_defined(pooled.recall), std::move(draws[1]), rules.level);
    result.f1 = percentile_estimate(if_defined(pooled.f1), std::move(draws[2]), rules.level);

    const Threshold within = best_threshold(ranking, everything);
    const auto figures = figures_of(ranking, within.value, everything);
    result.threshold_within = within.value;
    result.precision_within = if_defined(figures.precision);
    result.recall_within = if_defined(figures.recall);
    result.f1_within = within.f1;
    return result;
}

}  // namespace unveil
