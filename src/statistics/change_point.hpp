// When did a series change? Changes of a daily count, a series that falls silent, and a split in what the days are
// about, each with an interval for the date and a p-value that stands up to days unlike Poisson's.
//
// Days of people are burstier than chance: one event fills a day. So no p-value here comes from the Poisson or the
// multinomial distribution itself; days are permuted, or the variance is measured. What stays assumed is that days (or
// blocks of days) are exchangeable when nothing changes: a slow rhythm of weeks can pass for a change.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace unveil {

struct ChangeRules {
    std::uint32_t segment_days_min = 7;  // on either side of a change
    double penalty = 0;                  // a change must gain more than this in twice the log-likelihood; 0: 3 ln(days)
    std::uint32_t block_days = 1;        // permuted as one, so that what lasts for days stays together
    std::uint32_t runs = 999;
    double level = 0.95;
    std::uint64_t seed = 1;
    unsigned threads = 1;  // never changes a result
};

/// Series longer than this are refused: 30 years of days.
constexpr std::size_t change_days_max = 10'958;

struct RateChange {
    std::size_t first = 0;  // first day of the new rate
    std::size_t first_low = 0;
    std::size_t first_high = 0;
    double rate_before = 0;  // counts a day since the change before
    double rate_after = 0;   // until the change after
    double p = 1;
};

/// Variance of the days over their mean, at least 1: the mean of (x - y)^2 / (x + y) over neighbouring days, which is 1
/// for Poisson counts of any rate (given x + y, x is binomial), and which a change of rate moves at one pair only. Days
/// that resemble their neighbours show in sums of 7, 14 and 28 days: there the median of the same over 0.4549, the
/// median of chi-square with one degree of freedom, where there are nine sums or more. The largest of the four.
double day_dispersion(std::span<const std::uint32_t> counts);

/// Optimal partitioning by PELT (Killick, Fearnhead and Eckley, J. Am. Stat. Assoc. 107 (2012) 1590) under the Poisson
/// likelihood, its gain divided by day_dispersion. The default penalty is that of the modified BIC's leading terms
/// (Zhang and Siegmund, Biometrics 63 (2007) 22).
/// Date interval: the days whose normalised likelihoods, over dispersion, sum to the level, most likely first, from the
/// earliest to the latest. P-value: the largest gain of any split between the neighbouring changes, with the days in
/// there permuted; each p is of its change given the others.
/// O(days^2) at worst, for a steady series; O(days x runs) for each change.
std::vector<RateChange> rate_changes(std::span<const std::uint32_t> counts, const ChangeRules& rules = {});

struct Silence {
    std::uint64_t silent_days = 0;  // the days of zero at the end
    std::uint64_t days = 0;         // from the first day with a count to the end
    std::uint64_t active_days = 0;  // with a count
    std::uint64_t gaps = 0;         // runs of zero days before the last day with a count
    double dispersion = 1;          // of the lengths of these gaps
    double p = 1;
};

/// Is the run of zero days at the end longer than the gaps before let expect? Exact, however many counts a day has and
/// however long activity lasts, if each day of a gap is its last with the same probability: given Z zero days in g gaps
/// and the silence, every way to share them out is as likely, so that the silence, being one day at least, takes z days
/// or more with probability C(Z - z, g) / C(Z - 1, g). Gaps more uneven (a season off) would make it too small;
/// so g is divided by the dispersion, the variance of the gaps' lengths over the geometric one, m (m - 1) at mean m, at
/// least 1 (binomial coefficients by the gamma function). Without any gap before there is nothing to compare with but
/// days: if each were active by chance, the a - 1 active ones after the first would leave out the last z of n - 1 with
/// probability C(n - 1 - z, a - 1) / C(n - 1, a - 1); 1 if the silence is longer than the activity, a mere episode.
Silence trailing_silence(std::span<const std::uint32_t> counts);

struct TopicCount {
    std::uint32_t day = 0;
    std::uint32_t topic = 0;
    std::uint32_t count = 0;
};

struct TopicChange {
    std::size_t first = 0;  // first day after the split
    std::size_t first_low = 0;
    std::size_t first_high = 0;
    double dispersion = 1;                // Pearson's X^2 over its degrees of freedom within the two sides
    double p = 1;
    std::vector<std::uint64_t> before;  // counts by topic
    std::vector<std::uint64_t> after;
};

/// The split of the days with the largest multinomial likelihood ratio; its p-value from permuting whole days, so that
/// many posts on one thing on one day count as one event; its interval as above, over dispersion (McCullagh and Nelder,
/// Generalized Linear Models, 2nd ed. (1989), section 5.5). Days without counts say nothing and take no part. Nothing
/// with fewer than segment_days_min days with counts on either side, or a single topic. `cells` in any order, one for
/// each day and topic; topics < 2^16. O(cells x runs).
std::optional<TopicChange> topic_change(std::span<const TopicCount> cells, const ChangeRules& rules = {});

}  // namespace unveil
