#include "statistics/change_point.hpp"

#include <math.h>  // lgamma_r: std::lgamma writes a global

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

#include "core/error.hpp"
#include "core/parallel.hpp"
#include "core/random.hpp"
#include "statistics/bootstrap.hpp"

namespace unveil {
namespace {

double log_gamma(double x) {
    int sign = 0;
    return ::lgamma_r(x, &sign);
}

/// C(part, size) / C(whole, size), size <= part <= whole.
double share_of_subsets(double part, double whole, double size) {
    return std::min(1.0, std::exp(log_gamma(part + 1) - log_gamma(part - size + 1) - log_gamma(whole + 1) +
                                  log_gamma(whole - size + 1)));
}

/// x ln x of counts; small ones from a table.
class CountLog {
  public:
    CountLog() : m_table(4096) {
        for (std::size_t x = 1; x < m_table.size(); ++x) m_table[x] = value(static_cast<double>(x));
    }
    double operator()(std::uint64_t x) const { return x < m_table.size() ? m_table[x] : value(static_cast<double>(x)); }

  private:
    static double value(double x) { return x * std::log(x); }
    std::vector<double> m_table;
};

const CountLog& count_log() {
    static const CountLog table;
    return table;
}

/// Greatest log-likelihood of Poisson counts with this sum over so many days, up to terms that splits leave alone.
double poisson_fit(std::uint64_t sum, std::size_t days) {
    return sum == 0 ? 0 : count_log()(sum) - static_cast<double>(sum) * std::log(static_cast<double>(days));
}

/// Shuffles blocks of `block` values; the values that fill no block stay in front, so that all shuffles form a group
/// and exchangeable values give a valid test (Hemerik and Goeman, TEST 27 (2018) 811).
void shuffle_blocks(std::vector<std::uint32_t>& order, std::size_t block, Random& random) {
    const std::size_t fixed = order.size() % block;
    const auto begin = order.begin() + static_cast<std::ptrdiff_t>(fixed);
    for (std::size_t i = (order.size() - fixed) / block; i > 1; --i) {
        const std::size_t other = random.below(i);
        if (other == i - 1) continue;
        std::swap_ranges(begin + static_cast<std::ptrdiff_t>((i - 1) * block),
                         begin + static_cast<std::ptrdiff_t>(i * block),
                         begin + static_cast<std::ptrdiff_t>(other * block));
    }
}

/// P-value of a statistic under shuffled days 0..days-1; statistic(order) is called on several threads.
double shuffled_p(std::size_t days, double observed, const ChangeRules& rules, std::uint64_t stream,
                  const std::function<double(std::span<const std::uint32_t>)>& statistic) {
    // Ten blocks at least, or few shuffles would differ.
    const std::size_t block = std::clamp<std::size_t>(rules.block_days, 1, std::max<std::size_t>(1, days / 10));
    std::vector<std::uint8_t> reaches(rules.runs, 0);
    const std::size_t parts = std::min<std::size_t>(rules.runs, 64);
    // Sums in another order differ in their last bits; a shuffle that ties must count as a tie.
    const double reached = observed - 1e-9 * (1 + std::abs(observed));
    parallel_parts(parts, rules.threads, [&](std::size_t part) {
        std::vector<std::uint32_t> order(days);
        for (std::size_t run = part; run < rules.runs; run += parts) {
            std::iota(order.begin(), order.end(), 0u);
            Random random(rules.seed, stream * 0x100000000ULL + run + 1);
            shuffle_blocks(order, block, random);
            reaches[run] = statistic(order) >= reached;
        }
    });
    return monte_carlo_p(static_cast<std::uint64_t>(std::count(reaches.begin(), reaches.end(), 1)), rules.runs);
}

struct Range {
    std::size_t low;
    std::size_t high;
};

/// Of the most likely indices, as many as hold `level` of the whole likelihood: the first and the last.
Range likely_range(std::span<const double> log_likelihoods, double level) {
    std::vector<std::size_t> order(log_likelihoods.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return log_likelihoods[a] > log_likelihoods[b]; });
    const double greatest = log_likelihoods[order[0]];
    double total = 0;
    for (const double value : log_likelihoods) total += std::exp(value - greatest);
    Range range{order[0], order[0]};
    double sum = 0;
    for (const auto index : order) {
        range = {std::min(range.low, index), std::max(range.high, index)};
        sum += std::exp(log_likelihoods[index] - greatest);
        if (sum >= level * total) break;
    }
    return range;
}

/// Sums of the first 0, 1, 2... days.
std::vector<std::uint64_t> running_sums(std::span<const std::uint32_t> counts) {
    std::vector<std::uint64_t> sums(counts.size() + 1, 0);
    for (std::size_t day = 0; day < counts.size(); ++day) sums[day + 1] = sums[day] + counts[day];
    return sums;
}

/// First days of the segments after the first. F(t) is the least cost of the days before t; a last segment may begin
/// only at the candidates. With segments of at least m days, a candidate s that a split at t beats stays in use for the
/// days t + 1 .. t + m - 1, where a segment from t would be too short.
std::vector<std::size_t> best_partition(std::span<const std::uint64_t> sums, std::size_t length_min, double dispersion,
                                        double penalty) {
    struct Candidate {
        std::size_t begin;
        std::size_t beaten_at;
    };
    constexpr std::size_t never = std::numeric_limits<std::size_t>::max();
    const std::size_t days = sums.size() - 1;
    const auto cost = [&](std::size_t from, std::size_t to) {
        return -2 * poisson_fit(sums[to] - sums[from], to - from) / dispersion;
    };
    std::vector<double> least(days + 1, std::numeric_limits<double>::infinity());
    std::vector<std::size_t> begin_of_last(days + 1, 0);
    least[0] = -penalty;
    std::vector<Candidate> candidates;
    for (std::size_t day = length_min; day <= days; ++day) {
        // Day numbers enter in order, each as soon as a segment from it would be long enough.
        const std::size_t begin = day - length_min;
        if (begin == 0 || begin >= length_min) candidates.push_back({begin, never});
        std::erase_if(candidates, [&](const Candidate& candidate) {
            return candidate.beaten_at != never && day >= candidate.beaten_at + length_min;
        });
        std::vector<double> costs;
        costs.reserve(candidates.size());
        for (const auto& candidate : candidates) {
            costs.push_back(least[candidate.begin] + cost(candidate.begin, day));
            if (costs.back() + penalty < least[day]) {
                least[day] = costs.back() + penalty;
                begin_of_last[day] = candidate.begin;
            }
        }
        for (std::size_t i = 0; i < candidates.size(); ++i)
            if (candidates[i].beaten_at == never && costs[i] >= least[day]) candidates[i].beaten_at = day;
    }
    std::vector<std::size_t> changes;
    if (days < length_min) return changes;
    for (std::size_t day = begin_of_last[days]; day > 0; day = begin_of_last[day]) changes.push_back(day);
    std::reverse(changes.begin(), changes.end());
    return changes;
}

}  // namespace

double day_dispersion(std::span<const std::uint32_t> counts) {
    constexpr double chi_square_median = 0.4549364;
    const auto sums = running_sums(counts);
    double dispersion = 1;
    for (const std::size_t length : {1u, 7u, 14u, 28u}) {
        const std::size_t periods = counts.size() / length;
        if (length > 1 && periods < 9) break;
        std::vector<double> squares;
        for (std::size_t period = 1; period < periods; ++period) {
            const double x = static_cast<double>(sums[period * length] - sums[(period - 1) * length]);
            const double y = static_cast<double>(sums[(period + 1) * length] - sums[period * length]);
            if (x + y > 0) squares.push_back((x - y) * (x - y) / (x + y));
        }
        if (squares.empty()) continue;
        if (length == 1) {
            const double sum = std::accumulate(squares.begin(), squares.end(), 0.0);
            dispersion = std::max(dispersion, sum / static_cast<double>(squares.size()));
        } else {
            const auto middle = squares.begin() + static_cast<std::ptrdiff_t>(squares.size() / 2);
            std::nth_element(squares.begin(), middle, squares.end());
            dispersion = std::max(dispersion, *middle / chi_square_median);
        }
    }
    return dispersion;
}

std::vector<RateChange> rate_changes(std::span<const std::uint32_t> counts, const ChangeRules& rules) {
    UNVEIL_ASSERT(counts.size() <= change_days_max);
    const std::size_t shortest = std::max<std::size_t>(rules.segment_days_min, 1);
    std::vector<RateChange> changes;
    if (counts.size() < 2 * shortest) return changes;
    const auto sums = running_sums(counts);
    const double dispersion = day_dispersion(counts);
    const double penalty = rules.penalty > 0 ? rules.penalty : 3 * std::log(static_cast<double>(counts.size()));
    auto edges = best_partition(sums, shortest, dispersion, penalty);
    edges.insert(edges.begin(), 0);
    edges.push_back(counts.size());
    for (std::size_t i = 1; i + 1 < edges.size(); ++i) {
        const std::size_t from = edges[i - 1];
        const std::size_t to = edges[i + 1];
        const auto gain = [&](std::uint64_t sum_before, std::size_t days_before) {
            return poisson_fit(sum_before, days_before) +
                   poisson_fit(sums[to] - sums[from] - sum_before, to - from - days_before);
        };
        std::vector<double> likelihoods;
        for (std::size_t day = from + shortest; day + shortest <= to; ++day)
            likelihoods.push_back(gain(sums[day] - sums[from], day - from) / dispersion);
        const auto range = likely_range(likelihoods, rules.level);

        RateChange change;
        change.first = edges[i];
        change.first_low = std::min(edges[i], from + shortest + range.low);
        change.first_high = std::max(edges[i], from + shortest + range.high);
        const auto rate = [&](std::size_t begin, std::size_t end) {
            return static_cast<double>(sums[end] - sums[begin]) / static_cast<double>(end - begin);
        };
        change.rate_before = rate(from, edges[i]);
        change.rate_after = rate(edges[i], to);
        const double observed = gain(sums[edges[i]] - sums[from], edges[i] - from);
        change.p = shuffled_p(to - from, observed, rules, i, [&](std::span<const std::uint32_t> order) {
            double most = -std::numeric_limits<double>::infinity();
            std::uint64_t sum = 0;
            for (std::size_t day = 0; day + shortest < order.size(); ++day) {
                sum += counts[from + order[day]];
                if (day + 1 >= shortest) most = std::max(most, gain(sum, day + 1));
            }
            return most;
        });
        changes.push_back(change);
    }
    return changes;
}

Silence trailing_silence(std::span<const std::uint32_t> counts) {
    Silence silence;
    const auto is_active = [](std::uint32_t count) { return count > 0; };
    const auto first = std::find_if(counts.begin(), counts.end(), is_active);
    if (first == counts.end()) return silence;
    const auto days = counts.subspan(static_cast<std::size_t>(first - counts.begin()));
    silence.days = days.size();
    silence.active_days = static_cast<std::uint64_t>(std::count_if(days.begin(), days.end(), is_active));
    while (days[days.size() - 1 - silence.silent_days] == 0) ++silence.silent_days;

    if (silence.silent_days == 0) return silence;
    double square_sum = 0;
    std::uint64_t gap = 0;
    for (const auto count : days) {
        if (count == 0) {
            ++gap;
        } else if (gap > 0) {
            square_sum += static_cast<double>(gap * gap);
            ++silence.gaps;
            gap = 0;
        }
    }
    const auto g = static_cast<double>(silence.gaps);
    const auto z = static_cast<double>(silence.silent_days);
    const auto zeros = static_cast<double>(silence.days - silence.active_days);
    if (silence.gaps == 0) {
        if (silence.silent_days > silence.active_days) return silence;
        silence.p = share_of_subsets(static_cast<double>(silence.days - 1) - z, static_cast<double>(silence.days - 1),
                                     static_cast<double>(silence.active_days - 1));
        return silence;
    }
    const double mean = (zeros - z) / g;
    if (silence.gaps > 1 && mean > 1) {
        const double variance = (square_sum - g * mean * mean) / (g - 1);
        silence.dispersion = std::max(1.0, variance / (mean * (mean - 1)));
    }
    silence.p = share_of_subsets(zeros - z, zeros - 1, g / silence.dispersion);
    return silence;
}

std::optional<TopicChange> topic_change(std::span<const TopicCount> cells, const ChangeRules& rules) {
    std::vector<TopicCount> ordered;
    std::uint32_t topics = 0;
    for (const auto& cell : cells)
        if (cell.count > 0) {
            UNVEIL_ASSERT(cell.topic < (1u << 16));
            ordered.push_back(cell);
            topics = std::max(topics, cell.topic + 1);
        }
    std::sort(ordered.begin(), ordered.end(), [](const TopicCount& a, const TopicCount& b) {
        return a.day != b.day ? a.day < b.day : a.topic < b.topic;
    });
    std::vector<std::size_t> begins;  // of the days with counts, in `ordered`
    for (std::size_t i = 0; i < ordered.size(); ++i)
        if (i == 0 || ordered[i].day != ordered[i - 1].day) begins.push_back(i);
    const std::size_t days = begins.size();
    begins.push_back(ordered.size());
    const std::size_t shortest = std::max<std::size_t>(rules.segment_days_min, 1);
    if (days < 2 * shortest) return {};
    std::vector<std::uint64_t> totals(topics, 0);
    std::uint64_t total = 0;
    for (const auto& cell : ordered) {
        totals[cell.topic] += cell.count;
        total += cell.count;
    }
    const auto topics_in_use =
        static_cast<std::size_t>(std::count_if(totals.begin(), totals.end(), [](std::uint64_t n) { return n > 0; }));
    if (topics_in_use < 2) return {};

    // The log-likelihood after each day that may be the last before the split, for the days in a given order. Only the
    // topics of a day move from one side to the other, so a pass costs as many steps as there are cells.
    const CountLog& log_of = count_log();
    const auto splits = [&](std::span<const std::uint32_t> order, const auto& use) {
        std::vector<std::uint64_t> left(topics, 0);
        std::uint64_t left_total = 0;
        double fit = 0;
        for (const auto count : totals) fit += log_of(count);
        for (std::size_t i = 0; i + shortest < days; ++i) {
            for (std::size_t at = begins[order[i]]; at < begins[order[i] + 1]; ++at) {
                const auto& cell = ordered[at];
                auto& count = left[cell.topic];
                const std::uint64_t right = totals[cell.topic] - count;
                fit += log_of(count + cell.count) - log_of(count) + log_of(right - cell.count) - log_of(right);
                count += cell.count;
                left_total += cell.count;
            }
            if (i + 1 >= shortest) use(i + 1, fit - log_of(left_total) - log_of(total - left_total));
        }
    };
    std::vector<std::uint32_t> identity(days);
    std::iota(identity.begin(), identity.end(), 0u);
    std::vector<double> likelihoods;
    splits(identity, [&](std::size_t, double likelihood) { likelihoods.push_back(likelihood); });
    const auto best = static_cast<std::size_t>(std::max_element(likelihoods.begin(), likelihoods.end()) -
                                               likelihoods.begin());
    const std::size_t days_before = best + shortest;

    TopicChange change;
    change.before.assign(topics, 0);
    change.after.assign(topics, 0);
    for (std::size_t i = 0; i < ordered.size(); ++i)
        (i < begins[days_before] ? change.before : change.after)[ordered[i].topic] += ordered[i].count;
    double square_sum = 0;
    double freedom = 0;
    for (const bool is_after : {false, true}) {
        const auto& expected = is_after ? change.after : change.before;
        const double sum = static_cast<double>(std::accumulate(expected.begin(), expected.end(), std::uint64_t{0}));
        const std::size_t from = is_after ? days_before : 0;
        const std::size_t to = is_after ? days : days_before;
        double topics_here = 0;
        for (const auto count : expected) topics_here += count > 0;
        for (std::size_t day = from; day < to; ++day) {
            // X^2 of a day: sum of observed^2 / expected, less the day's total.
            double day_total = 0;
            double ratio_sum = 0;
            for (std::size_t at = begins[day]; at < begins[day + 1]; ++at) {
                const double count = ordered[at].count;
                day_total += count;
                ratio_sum += count * count * sum / static_cast<double>(expected[ordered[at].topic]);
            }
            square_sum += ratio_sum / day_total - day_total;
        }
        freedom += static_cast<double>(to - from - 1) * (topics_here - 1);
    }
    change.dispersion = freedom > 0 ? std::max(1.0, square_sum / freedom) : 1;

    auto scaled = likelihoods;
    for (double& value : scaled) value /= change.dispersion;
    const auto range = likely_range(scaled, rules.level);
    const auto day_of = [&](std::size_t split) { return ordered[begins[split + shortest]].day; };
    change.first = day_of(best);
    // A split between two days with counts may have happened on any day between them.
    change.first_low = ordered[begins[range.low + shortest] - 1].day + std::size_t{1};
    change.first_high = day_of(range.high);
    change.p = shuffled_p(days, likelihoods[best], rules, 0, [&](std::span<const std::uint32_t> order) {
        double most = -std::numeric_limits<double>::infinity();
        splits(order, [&](std::size_t, double likelihood) { most = std::max(most, likelihood); });
        return most;
    });
    return change;
}

}  // namespace unveil
