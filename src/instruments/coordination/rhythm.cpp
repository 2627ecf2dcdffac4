#include "instruments/coordination/rhythm.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "core/error.hpp"
#include "core/parallel.hpp"
#include "core/random.hpp"
#include "statistics/change_point.hpp"
#include "statistics/scan.hpp"

namespace unveil::coordination {
namespace {

constexpr std::int64_t hour_us = 3'600'000'000;
constexpr std::int64_t day_us = 24 * hour_us;
constexpr std::uint32_t rank_none = std::numeric_limits<std::uint32_t>::max();
constexpr std::size_t bootstrap_parts = 64;

std::int64_t floor_divide(std::int64_t value, std::int64_t by) {
    return value / by - (value % by < 0 ? 1 : 0);
}

/// Days since rhythm_first_day; nothing outside the years counted.
std::optional<std::uint32_t> day_of(std::int64_t time_us) {
    const std::int64_t day = floor_divide(time_us, day_us) - rhythm_first_day;
    if (day < 0 || day >= rhythm_days) return {};
    return static_cast<std::uint32_t>(day);
}

std::int64_t time_of_day(std::size_t day) { return (rhythm_first_day + static_cast<std::int64_t>(day)) * day_us; }

/// Hour of the week from Monday 0 o'clock: 1970-01-01 was a Thursday.
std::size_t hour_of_week(std::int64_t time_us) {
    const std::int64_t hour = floor_divide(time_us, hour_us) + 3 * 24;
    return static_cast<std::size_t>(hour - floor_divide(hour, 168) * 168);
}

/// Whether an hour of the week in UTC is an office hour at each offset.
using OfficeTable = std::array<std::array<std::uint8_t, utc_offsets>, 168>;

constexpr OfficeTable make_office_table() {
    OfficeTable table{};
    for (std::size_t hour = 0; hour < 168; ++hour)
        for (std::size_t i = 0; i < utc_offsets; ++i) {
            const std::size_t local = (hour + 168 + i - static_cast<std::size_t>(-utc_offset_min)) % 168;
            table[hour][i] = local < 5 * 24 && local % 24 >= 9 && local % 24 < 18;
        }
    return table;
}
constexpr OfficeTable office_table = make_office_table();

void count_post(RhythmCounts::Profile& profile, std::size_t hour_of_week) {
    ++profile.posts;
    ++profile.hours[hour_of_week % 24];
    ++profile.weekdays[hour_of_week / 24];
    for (std::size_t i = 0; i < utc_offsets; ++i) profile.in_office[i] += office_table[hour_of_week][i];
}

std::vector<RhythmCounts::Profile> by_account(std::vector<RhythmCounts::Profile> profiles) {
    std::sort(profiles.begin(), profiles.end(), [](const auto& a, const auto& b) { return a.account < b.account; });
    return profiles;
}

using Profiles = std::vector<RhythmCounts::Profile>;

/// Shares of an account's posts: 24 hours, then 7 weekdays.
constexpr std::size_t profile_length = 31;
using Shares = std::array<double, profile_length>;

Shares shares_of(const RhythmCounts::Profile& profile) {
    Shares shares;
    for (std::size_t i = 0; i < 24; ++i) shares[i] = static_cast<double>(profile.hours[i]) / profile.posts;
    for (std::size_t i = 0; i < 7; ++i) shares[24 + i] = static_cast<double>(profile.weekdays[i]) / profile.posts;
    return shares;
}

void add_to(Shares& sum, const Shares& other) {
    for (std::size_t i = 0; i < profile_length; ++i) sum[i] += other[i];
}

/// Accounts with as many posts to a factor of two, members of the community first.
struct ActivityClass {
    std::vector<Shares> accounts;
    std::size_t members = 0;
    Shares total{};
};

struct Comparison {
    Shares members{};  // mean shares
    Shares others{};   // of others, classes weighted as the members'
};

/// sums[c]: shares of the accounts of class c that count as members.
Comparison compare(std::span<const ActivityClass> classes, std::span<const Shares> sums, double members) {
    Comparison comparison;
    for (std::size_t c = 0; c < classes.size(); ++c) {
        const double here = static_cast<double>(classes[c].members);
        const double others = static_cast<double>(classes[c].accounts.size()) - here;
        for (std::size_t i = 0; i < profile_length; ++i) {
            comparison.members[i] += sums[c][i] / members;
            comparison.others[i] += (classes[c].total[i] - sums[c][i]) / others * here / members;
        }
    }
    return comparison;
}

struct Difference {
    double hours = 0;
    double weekdays = 0;
};

Difference difference_of(const Comparison& comparison, const Shares& reference) {
    Difference difference;
    for (std::size_t i = 0; i < profile_length; ++i) {
        if (reference[i] <= 0) continue;
        const double excess = comparison.members[i] - comparison.others[i];
        (i < 24 ? difference.hours : difference.weekdays) += excess * excess / reference[i];
    }
    return difference;
}

ProfileTest test_profile(const Profiles& members, const Profiles& outside, const RhythmRules& rules,
                         std::uint64_t stream) {
    std::map<int, ActivityClass> by_activity;
    for (const auto& profile : members) {
        auto& activity = by_activity[std::bit_width(profile.posts)];
        activity.accounts.push_back(shares_of(profile));
        ++activity.members;
    }
    for (const auto& profile : outside) {
        const auto found = by_activity.find(std::bit_width(profile.posts));
        if (found != by_activity.end()) found->second.accounts.push_back(shares_of(profile));
    }
    std::vector<ActivityClass> classes;
    std::vector<Shares> sums;
    ProfileTest test;
    for (auto& [activity, accounts] : by_activity) {
        if (accounts.accounts.size() == accounts.members) continue;
        test.accounts += accounts.members;
        test.others += accounts.accounts.size() - accounts.members;
        sums.emplace_back();
        for (std::size_t i = 0; i < accounts.accounts.size(); ++i) {
            add_to(accounts.total, accounts.accounts[i]);
            if (i < accounts.members) add_to(sums.back(), accounts.accounts[i]);
        }
        classes.push_back(std::move(accounts));
    }
    if (classes.empty()) return test;

    const double count = static_cast<double>(test.accounts);
    Shares reference{};
    for (const auto& activity : classes)
        for (std::size_t i = 0; i < profile_length; ++i)
            reference[i] += activity.total[i] / static_cast<double>(activity.accounts.size()) *
                            static_cast<double>(activity.members) / count;
    const Comparison observed = compare(classes, sums, count);
    const Difference difference = difference_of(observed, reference);
    std::copy_n(observed.members.begin(), 24, test.hours.begin());
    std::copy_n(observed.others.begin(), 24, test.hours_of_others.begin());
    std::copy_n(observed.members.begin() + 24, 7, test.weekdays.begin());
    std::copy_n(observed.others.begin() + 24, 7, test.weekdays_of_others.begin());
    test.hour_difference = difference.hours;
    test.weekday_difference = difference.weekdays;

    std::vector<Difference> drawn(rules.runs);
    const std::size_t parts = std::min<std::size_t>(rules.runs, bootstrap_parts);
    parallel_parts(parts, rules.threads, [&](std::size_t part) {
        std::vector<Shares> drawn_sums(classes.size());
        std::vector<std::uint32_t> order;
        for (std::size_t run = part; run < rules.runs; run += parts) {
            Random random(rules.seed, (stream << 32) + run + 1);
            for (std::size_t c = 0; c < classes.size(); ++c) {
                const auto& accounts = classes[c].accounts;
                // The smaller side is drawn; the other is what is left of the total.
                const bool draws_members = 2 * classes[c].members <= accounts.size();
                const std::size_t size = draws_members ? classes[c].members : accounts.size() - classes[c].members;
                order.resize(accounts.size());
                std::iota(order.begin(), order.end(), 0u);
                Shares sum{};
                for (std::size_t i = 0; i < size; ++i) {
                    std::swap(order[i], order[i + random.below(order.size() - i)]);
                    add_to(sum, accounts[order[i]]);
                }
                if (!draws_members)
                    for (std::size_t i = 0; i < profile_length; ++i) sum[i] = classes[c].total[i] - sum[i];
                drawn_sums[c] = sum;
            }
            drawn[run] = difference_of(compare(classes, drawn_sums, count), reference);
        }
    });
    // Sums in another order differ in their last bits; a tie must count as one.
    const auto p_of = [&](double value, double Difference::*part) {
        const double reached = value - 1e-9 * (1 + value);
        return monte_carlo_p(static_cast<std::uint64_t>(std::count_if(
                                 drawn.begin(), drawn.end(),
                                 [&](const Difference& other) { return other.*part >= reached; })),
                             rules.runs);
    };
    test.hour_p = p_of(difference.hours, &Difference::hours);
    test.weekday_p = p_of(difference.weekdays, &Difference::weekdays);
    return test;
}

/// Sums over drawn accounts: posts in office hours by offset, posts, posts at weekends.
struct WeekSums {
    std::array<std::uint64_t, utc_offsets> in_office{};
    std::uint64_t posts = 0;
    std::uint64_t weekend = 0;

    void add(const RhythmCounts::Profile& profile) {
        for (std::size_t i = 0; i < utc_offsets; ++i) in_office[i] += profile.in_office[i];
        posts += profile.posts;
        weekend += profile.weekdays[5] + profile.weekdays[6];
    }
    double share(std::size_t offset) const {
        return static_cast<double>(in_office[offset]) / static_cast<double>(posts);
    }
    double weekday_ratio() const {
        if (weekend == 0) return std::numeric_limits<double>::infinity();
        return static_cast<double>(posts - weekend) / 5 / (static_cast<double>(weekend) / 2);
    }
};

void estimate_week(CommunityRhythm& result, const Profiles& members, const RhythmRules& rules, std::uint64_t stream) {
    if (members.size() < std::max(rules.accounts_min, 2u)) return;
    WeekSums observed;
    for (const auto& profile : members) observed.add(profile);
    std::vector<WeekSums> drawn(rules.runs);
    const std::size_t parts = std::min<std::size_t>(rules.runs, bootstrap_parts);
    parallel_parts(parts, rules.threads, [&](std::size_t part) {
        for (std::size_t run = part; run < rules.runs; run += parts) {
            Random random(rules.seed, (stream << 32) + run + 1);
            for (std::size_t i = 0; i < members.size(); ++i) drawn[run].add(members[random.below(members.size())]);
        }
    });

    std::size_t best = 0;
    for (std::size_t i = 1; i < utc_offsets; ++i)
        if (observed.in_office[i] > observed.in_office[best]) best = i;
    OfficeHours office;
    office.offset_hours = static_cast<int>(best) + utc_offset_min;
    std::vector<double> values;
    for (const auto& sums : drawn) values.push_back(sums.share(best));
    office.share = percentile_estimate(observed.share(best), values, rules.level);
    for (std::size_t i = 0; i < utc_offsets; ++i) {
        // By how much the best of the draws exceeds offset i beyond what was observed.
        values.clear();
        for (const auto& sums : drawn) {
            double most = 0;
            for (std::size_t j = 0; j < utc_offsets; ++j)
                most = std::max(most, (sums.share(j) - sums.share(i)) - (observed.share(j) - observed.share(i)));
            values.push_back(most);
        }
        std::sort(values.begin(), values.end());
        const auto at = static_cast<std::size_t>(std::ceil(rules.level * static_cast<double>(values.size())));
        const double critical = values.empty() ? 1 : values[std::min(at, values.size() - 1)];
        if (observed.share(best) - observed.share(i) <= critical + 1e-12)
            office.offsets.push_back(static_cast<int>(i) + utc_offset_min);
    }
    result.office = std::move(office);

    values.clear();
    for (const auto& sums : drawn) values.push_back(sums.weekday_ratio());
    result.weekday_ratio = percentile_estimate(observed.weekday_ratio(), values, rules.level);
}

/// Days with account creations, shared by all communities.
struct CreationDays {
    std::uint32_t first = rhythm_days;
    std::uint32_t last = 0;
    std::vector<std::uint32_t> all;                          // by day from `first`
    std::map<std::uint32_t, std::vector<std::uint32_t>> of_community;  // days of its accounts
};

CreationDays creation_days(std::span<const AccountCreation> creations, std::uint64_t& out_of_range) {
    CreationDays result;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> days;
    for (const auto& creation : creations) {
        const auto day = day_of(creation.created_us);
        if (!day) {
            ++out_of_range;
            continue;
        }
        days.emplace_back(creation.community, *day);
        result.first = std::min(result.first, *day);
        result.last = std::max(result.last, *day);
    }
    if (days.empty()) return result;
    result.all.assign(result.last - result.first + 1, 0);
    for (const auto& [community, day] : days) {
        ++result.all[day - result.first];
        if (community != 0) result.of_community[community].push_back(day);
    }
    return result;
}

void find_bursts(CommunityRhythm& result, const CreationDays& creations, const RhythmRules& rules) {
    const auto found = creations.of_community.find(result.community);
    if (found == creations.of_community.end()) return;
    std::vector<std::uint32_t> cases(creations.all.size(), 0);
    for (const auto day : found->second) ++cases[day - creations.first];
    auto others = creations.all;
    std::uint64_t others_sum = 0;
    for (std::size_t day = 0; day < others.size(); ++day) others_sum += others[day] -= cases[day];
    ScanRules scan;
    scan.runs = rules.runs;
    scan.seed = mix64(rules.seed + result.community);
    scan.threads = rules.threads;
    result.bursts_against_others = others_sum > 0;
    const auto bursts = others_sum > 0 ? scan_against_others(cases, others, scan) : scan_against_even(cases, scan);
    for (const auto& burst : bursts)
        result.bursts.push_back({time_of_day(creations.first + burst.first),
                                 time_of_day(creations.first + burst.last + 1), burst.cases, burst.expected, burst.p});
}

void follow_volume(CommunityRhythm& result, const RhythmCounts& counts, std::size_t rank, const RhythmRules& rules) {
    const auto days = counts.daily_posts(rank);
    const auto first = static_cast<std::size_t>(
        std::find_if(days.begin(), days.end(), [](std::uint32_t posts) { return posts > 0; }) - days.begin());
    // The last day of the evidence is hardly ever whole; without a post of the community it says nothing.
    const std::size_t end = std::max<std::size_t>(days.size(), *day_of(counts.last_us()));
    std::vector<std::uint32_t> series(days.begin() + static_cast<std::ptrdiff_t>(first), days.end());
    series.resize(end - first, 0);

    const auto silence = trailing_silence(series);
    result.silence = {counts.last_post_us(rank), silence.silent_days, silence.p};
    ChangeRules change_rules;
    change_rules.block_days = rules.volume_block_days;
    change_rules.runs = rules.runs;
    change_rules.level = rules.level;
    change_rules.seed = mix64(rules.seed + result.community) + 1;
    change_rules.threads = rules.threads;
    for (const auto& change : rate_changes(series, change_rules))
        result.volume_changes.push_back({time_of_day(first + change.first), time_of_day(first + change.first_low),
                                         time_of_day(first + change.first_high), change.rate_before, change.rate_after,
                                         change.p});
}

void follow_topics(CommunityRhythm& result, const RhythmCounts& counts, std::size_t rank, const RhythmRules& rules) {
    const auto cells = counts.topic_cells(rank);
    std::map<std::uint32_t, std::uint64_t> posts_of_topic;
    for (const auto& cell : cells) posts_of_topic[cell.topic] += cell.posts;
    std::vector<std::pair<std::uint32_t, std::uint64_t>> topics(posts_of_topic.begin(), posts_of_topic.end());
    std::stable_sort(topics.begin(), topics.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
    const std::size_t kept = std::min<std::size_t>(topics.size(), rules.topics_max);
    std::map<std::uint32_t, std::uint32_t> place_of_topic;  // the place after the last is that of all others
    for (std::size_t i = 0; i < kept; ++i) place_of_topic[topics[i].first] = static_cast<std::uint32_t>(i);
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> table;  // (period, place) -> posts
    for (const auto& cell : cells) {
        const auto place = place_of_topic.find(cell.topic);
        table[{cell.period, place == place_of_topic.end() ? static_cast<std::uint32_t>(kept) : place->second}] +=
            cell.posts;
    }
    std::vector<TopicCount> topic_counts;
    for (const auto& [key, posts] : table) topic_counts.push_back({key.first, key.second, posts});

    const std::uint32_t period_days = counts.topic_period_days();
    ChangeRules change_rules;
    change_rules.segment_days_min = std::max(2u, change_rules.segment_days_min / period_days);
    change_rules.block_days = std::max(1u, rules.topic_block_days / period_days);
    change_rules.runs = rules.runs;
    change_rules.level = rules.level;
    change_rules.seed = mix64(rules.seed + result.community) + 2;
    change_rules.threads = rules.threads;
    const auto change = topic_change(topic_counts, change_rules);
    if (!change) return;
    TopicShift shift;
    shift.at_us = time_of_day(change->first * period_days);
    shift.low_us = time_of_day(change->first_low * period_days);
    shift.high_us = time_of_day(change->first_high * period_days);
    shift.p = change->p;
    const auto sum = [](const std::vector<std::uint64_t>& posts) {
        return static_cast<double>(std::accumulate(posts.begin(), posts.end(), std::uint64_t{0}));
    };
    const double sum_before = sum(change->before);
    const double sum_after = sum(change->after);
    std::vector<TopicShare> shares;
    for (std::size_t place = 0; place < change->before.size(); ++place)
        shares.push_back({place < kept ? topics[place].first : 0,
                          static_cast<double>(change->before[place]) / sum_before,
                          static_cast<double>(change->after[place]) / sum_after});
    std::stable_sort(shares.begin(), shares.end(), [](const TopicShare& a, const TopicShare& b) {
        return a.after - a.before > b.after - b.before;
    });
    constexpr std::size_t shown_max = 5;
    for (const auto& share : shares)
        if (share.after > share.before && shift.rose.size() < shown_max) shift.rose.push_back(share);
    std::reverse(shares.begin(), shares.end());
    for (const auto& share : shares)
        if (share.after < share.before && shift.fell.size() < shown_max) shift.fell.push_back(share);
    result.topic_shift = std::move(shift);
}

}  // namespace

RhythmCounts::RhythmCounts(std::span<const std::uint32_t> accounts_of_community, const RhythmRules& rules)
    : m_rules(rules), m_rank_of_community(accounts_of_community.size(), rank_none) {
    for (std::uint32_t community = 1; community < accounts_of_community.size(); ++community)
        if (accounts_of_community[community] > 0) m_communities.push_back(community);
    std::stable_sort(m_communities.begin(), m_communities.end(), [&](std::uint32_t a, std::uint32_t b) {
        return accounts_of_community[a] > accounts_of_community[b];
    });
    if (m_communities.size() > rules.communities_max) m_communities.resize(rules.communities_max);
    for (std::uint32_t rank = 0; rank < m_communities.size(); ++rank) m_rank_of_community[m_communities[rank]] = rank;
    m_groups.resize(m_communities.size());
}

/// Of all accounts outside, those with the smallest hashes are kept: whoever is among them in the end was so from its
/// first post on, so no post of it was missed, in whatever order they came.
RhythmCounts::Profile* RhythmCounts::outside_profile(std::uint32_t account) {
    const auto found = m_outside.place_of_account.find(account);
    if (found != m_outside.place_of_account.end()) return &m_outside.profiles[found->second];
    if (m_rules.outside_accounts_max == 0) return nullptr;
    const std::pair<std::uint64_t, std::uint32_t> key{mix64(mix64(m_rules.seed) ^ account), account};
    std::uint32_t place = static_cast<std::uint32_t>(m_outside.profiles.size());
    if (m_outside.profiles.size() < m_rules.outside_accounts_max) {
        m_outside.profiles.emplace_back();
    } else {
        m_outside_dropped = true;
        const auto last = std::prev(m_outside_order.end());
        if (key > *last) return nullptr;
        const auto dropped = m_outside.place_of_account.find(last->second);
        place = dropped->second;
        m_outside.place_of_account.erase(dropped);
        m_outside_order.erase(last);
    }
    m_outside_order.insert(key);
    m_outside.place_of_account.emplace(account, place);
    m_outside.profiles[place] = Profile{};
    m_outside.profiles[place].account = account;
    return &m_outside.profiles[place];
}

/// Periods double in length while there are too many cells. Which length that ends at depends on the cells there are in
/// all, not on their order.
void RhythmCounts::add_topic(Group& group, std::uint32_t topic, std::uint32_t day) {
    if (m_topics_left_out) return;
    const auto [cell, is_new] = group.topic_cells.emplace(std::uint64_t{topic} << 16 | day >> m_topic_shift, 0);
    ++cell->second;
    m_topic_cells += is_new;
    while (m_topic_cells > m_rules.topic_cells_max) {
        m_topic_cells = 0;
        m_topics_left_out = 1u << m_topic_shift > rhythm_days;
        ++m_topic_shift;
        for (Group& any : m_groups) {
            std::unordered_map<std::uint64_t, std::uint32_t> coarser;
            if (!m_topics_left_out)
                for (const auto& [key, posts] : any.topic_cells)
                    coarser[(key & ~std::uint64_t{0xffff}) | ((key & 0xffff) >> 1)] += posts;
            any.topic_cells = std::move(coarser);
            m_topic_cells += any.topic_cells.size();
        }
    }
}

void RhythmCounts::add(const RhythmPost& post) {
    ++m_posts;
    const auto day = day_of(post.time_us);
    if (!day) {
        ++m_posts_out_of_range;
        return;
    }
    m_last_us = std::max(m_last_us, post.time_us);
    if (post.community == 0) {
        ++m_posts_outside;
        if (Profile* profile = outside_profile(post.account)) count_post(*profile, hour_of_week(post.time_us));
        return;
    }
    const std::uint32_t rank =
        post.community < m_rank_of_community.size() ? m_rank_of_community[post.community] : rank_none;
    if (rank == rank_none) {
        ++m_posts_of_small;
        return;
    }
    Group& group = m_groups[rank];
    group.last_us = std::max(group.last_us, post.time_us);
    if (group.days.size() <= *day) group.days.resize(*day + 1, 0);
    ++group.days[*day];
    const auto [place, is_new] =
        group.place_of_account.emplace(post.account, static_cast<std::uint32_t>(group.profiles.size()));
    if (is_new) {
        group.profiles.emplace_back();
        group.profiles.back().account = post.account;
    }
    count_post(group.profiles[place->second], hour_of_week(post.time_us));
    if (post.topic != 0) add_topic(group, post.topic, *day);
}

std::vector<RhythmCounts::Profile> RhythmCounts::profiles(std::size_t rank) const {
    return by_account(m_groups[rank].profiles);
}

std::vector<RhythmCounts::Profile> RhythmCounts::outside_profiles() const { return by_account(m_outside.profiles); }

std::vector<RhythmCounts::TopicCell> RhythmCounts::topic_cells(std::size_t rank) const {
    std::vector<TopicCell> cells;
    for (const auto& [key, posts] : m_groups[rank].topic_cells)
        cells.push_back({static_cast<std::uint32_t>(key >> 16), static_cast<std::uint32_t>(key & 0xffff), posts});
    std::sort(cells.begin(), cells.end(), [](const TopicCell& a, const TopicCell& b) {
        return a.topic != b.topic ? a.topic < b.topic : a.period < b.period;
    });
    return cells;
}

Rhythm analyse_rhythm(const RhythmCounts& counts, std::span<const AccountCreation> creations,
                      const RhythmRules& rules) {
    UNVEIL_ASSERT(rules.runs > 0);
    Rhythm rhythm;
    rhythm.topic_period_days = counts.topic_period_days();
    rhythm.topics_left_out = !counts.has_topics();
    const auto created = creation_days(creations, rhythm.creations_out_of_range);
    const auto outside = counts.outside_profiles();
    for (std::size_t rank = 0; rank < counts.communities().size(); ++rank) {
        const auto members = counts.profiles(rank);
        if (members.empty()) continue;
        CommunityRhythm result;
        result.community = counts.communities()[rank];
        result.accounts = members.size();
        for (const auto& profile : members) {
            result.posts += profile.posts;
            for (std::size_t i = 0; i < 24; ++i) result.hours[i] += profile.hours[i];
            for (std::size_t i = 0; i < 7; ++i) result.weekdays[i] += profile.weekdays[i];
        }
        result.mean_hour = circular_mean(result.hours);
        const std::uint64_t stream = std::uint64_t{result.community} * 2;
        result.profile = test_profile(members, outside, rules, stream);
        estimate_week(result, members, rules, stream + 1);
        find_bursts(result, created, rules);
        follow_volume(result, counts, rank, rules);
        follow_topics(result, counts, rank, rules);
        rhythm.communities.push_back(std::move(result));
    }
    return rhythm;
}

}  // namespace unveil::coordination
