// In which rhythm does a community live? Its hours and days of the week against everybody else's, the time zones in
// which it would keep office hours, bursts of account creation, changes of volume and of topic, and a sudden silence.
//
// The posts of one account are not independent, so the account is the unit wherever accounts are compared or drawn
// anew, and the day wherever time is. P-values are raw: whoever reports many of them corrects for it. A time zone is a
// fit of habits to a clock ("fits office hours at UTC+8"), never a place: whoever works at night, follows somebody
// else's day, or posts by schedule fits another one.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "statistics/bootstrap.hpp"
#include "statistics/circular.hpp"

namespace unveil::coordination {

struct RhythmPost {
    std::int64_t time_us = 0;
    std::uint32_t account = 0;
    std::uint32_t community = 0;  // 0: none; always the same for an account
    std::uint32_t topic = 0;      // 0: none
};

struct AccountCreation {
    std::uint32_t account = 0;
    std::uint32_t community = 0;  // 0: none
    std::int64_t created_us = 0;
};

struct RhythmRules {
    std::uint32_t communities_max = 50;             // the largest by accounts; of equals the lower number
    std::uint32_t outside_accounts_max = 20'000;    // kept for comparison, drawn by a hash of their number
    std::uint32_t topics_max = 64;                  // of a community; the others count as one
    std::uint64_t topic_cells_max = 4'000'000;      // (community, topic, date) held; beyond it dates get coarser
    std::uint32_t accounts_min = 5;                 // fewer accounts make no interval and no office hours
    std::uint32_t volume_block_days = 14;           // days permuted as one, see change_point.hpp
    std::uint32_t topic_block_days = 7;
    std::uint32_t runs = 999;
    double level = 0.95;
    std::uint64_t seed = 1;
    unsigned threads = 1;  // never changes a result
};

/// Times before 2004 and from 2034 on are counted apart: no platform of today holds them.
constexpr std::int64_t rhythm_first_day = 12'418;  // 2004-01-01, in days since 1970
constexpr std::uint32_t rhythm_days = 10'958;

/// UTC-12 to UTC+14, whole hours only.
constexpr int utc_offset_min = -12;
constexpr std::size_t utc_offsets = 27;
/// Monday to Friday, 9 to 18 o'clock.
constexpr double office_share_even = 45.0 / 168;

/// What the analysis needs of all posts, in any order of rows. Takes at most 44 kB for each community analysed, about
/// 300 bytes for each of its accounts and of those outside that are kept, and 40 bytes for each topic cell.
class RhythmCounts {
  public:
    /// accounts_of_community[c]: size of community c; [0] is not used.
    RhythmCounts(std::span<const std::uint32_t> accounts_of_community, const RhythmRules& rules);

    void add(const RhythmPost& post);

    struct Profile {
        std::uint32_t account = 0;
        std::uint32_t posts = 0;
        std::array<std::uint32_t, 24> hours{};
        std::array<std::uint32_t, 7> weekdays{};            // from Monday
        std::array<std::uint32_t, utc_offsets> in_office{};  // posts in office hours, by offset
    };
    struct TopicCell {
        std::uint32_t topic;
        std::uint32_t period;  // of topic_period_days days
        std::uint32_t posts;
    };

    /// Communities analysed, largest first.
    const std::vector<std::uint32_t>& communities() const { return m_communities; }
    /// By account number. `rank` is the position in communities().
    std::vector<Profile> profiles(std::size_t rank) const;
    std::vector<Profile> outside_profiles() const;
    /// Posts by day from rhythm_first_day to the last day with a post of the community.
    std::span<const std::uint32_t> daily_posts(std::size_t rank) const { return m_groups[rank].days; }
    std::int64_t last_post_us(std::size_t rank) const { return m_groups[rank].last_us; }
    /// By topic, then period; empty when even periods of all days were too many cells.
    std::vector<TopicCell> topic_cells(std::size_t rank) const;
    std::uint32_t topic_period_days() const { return 1u << m_topic_shift; }
    bool has_topics() const { return !m_topics_left_out; }

    std::uint64_t posts() const { return m_posts; }
    std::uint64_t posts_out_of_range() const { return m_posts_out_of_range; }
    std::uint64_t posts_outside() const { return m_posts_outside; }
    /// Of communities too small to be analysed; they are in no comparison.
    std::uint64_t posts_of_small_communities() const { return m_posts_of_small; }
    bool is_outside_sampled() const { return m_outside_dropped; }
    /// Time of the last post of anybody: the end of the evidence.
    std::int64_t last_us() const { return m_last_us; }

  private:
    struct Group {
        std::vector<std::uint32_t> days;
        std::int64_t last_us = 0;
        std::unordered_map<std::uint32_t, std::uint32_t> place_of_account;
        std::vector<Profile> profiles;
        std::unordered_map<std::uint64_t, std::uint32_t> topic_cells;  // topic << 16 | period -> posts
    };

    Profile* outside_profile(std::uint32_t account);
    void add_topic(Group& group, std::uint32_t topic, std::uint32_t day);

    RhythmRules m_rules;
    std::vector<std::uint32_t> m_communities;
    std::vector<std::uint32_t> m_rank_of_community;
    std::vector<Group> m_groups;
    Group m_outside;
    std::set<std::pair<std::uint64_t, std::uint32_t>> m_outside_order;  // (hash, account) of those kept
    bool m_outside_dropped = false;
    std::uint64_t m_topic_cells = 0;
    std::uint32_t m_topic_shift = 0;
    bool m_topics_left_out = false;
    std::uint64_t m_posts = 0;
    std::uint64_t m_posts_out_of_range = 0;
    std::uint64_t m_posts_outside = 0;
    std::uint64_t m_posts_of_small = 0;
    std::int64_t m_last_us = 0;
};

/// Profiles against those of accounts outside communities, each account one vote whatever it posts. Compared among
/// accounts with as many posts (to a factor of two): the share of accounts' posts by hour, less that of others, squared
/// over the share of all, summed. P-value: accounts change sides within their class of activity. Accounts without a
/// counterpart as active take no part.
struct ProfileTest {
    std::uint64_t accounts = 0;  // that took part
    std::uint64_t others = 0;
    double hour_difference = 0;  // the sum above
    double hour_p = 1;
    double weekday_difference = 0;
    double weekday_p = 1;
    std::array<double, 24> hours{};  // mean share of an account's posts
    std::array<double, 24> hours_of_others{};
    std::array<double, 7> weekdays{};
    std::array<double, 7> weekdays_of_others{};
};

/// The UTC offset at which the largest share of the posts falls on Monday to Friday, 9 to 18 o'clock.
struct OfficeHours {
    int offset_hours = 0;  // of equals the lowest
    Estimate share;        // an even spread over the week gives office_share_even
    /// All offsets that cannot be told apart from the best, ascending. An offset stays unless the best share exceeds
    /// its own by more than the draws exceed what was observed at the level (one-sided, over all offsets at once, after
    /// Hsu, Ann. Stat. 9 (1981) 1026), so the set holds the truly best one at about the level.
    std::vector<int> offsets;
};

struct CreationBurst {
    std::int64_t from_us = 0;
    std::int64_t to_us = 0;  // begin of the day after
    std::uint64_t accounts = 0;
    double expected = 0;
    double p = 1;
};

struct SilenceAtEnd {
    std::int64_t last_post_us = 0;
    std::uint64_t silent_days = 0;  // whole days up to the end of the evidence
    double p = 1;
};

/// Dates are begins of UTC days.
struct VolumeChange {
    std::int64_t at_us = 0;
    std::int64_t low_us = 0;
    std::int64_t high_us = 0;
    double posts_a_day_before = 0;
    double posts_a_day_after = 0;
    double p = 1;
};

struct TopicShare {
    std::uint32_t topic = 0;  // 0: all topics beyond topics_max
    double before = 0;        // share of posts with a topic
    double after = 0;
};

struct TopicShift {
    std::int64_t at_us = 0;
    std::int64_t low_us = 0;
    std::int64_t high_us = 0;
    double p = 1;
    std::vector<TopicShare> rose;  // most first, five at most
    std::vector<TopicShare> fell;
};

struct CommunityRhythm {
    std::uint32_t community = 0;
    std::uint64_t accounts = 0;  // with posts
    std::uint64_t posts = 0;
    HourCounts hours{};
    std::array<std::uint64_t, 7> weekdays{};  // from Monday
    CircularMean mean_hour;
    ProfileTest profile;
    std::optional<OfficeHours> office;
    /// Posts a weekday over posts a weekend day, in UTC; infinite without posts on weekends.
    std::optional<Estimate> weekday_ratio;
    std::vector<CreationBurst> bursts;
    bool bursts_against_others = true;  // else against an even spread, as there are no others
    SilenceAtEnd silence;
    std::vector<VolumeChange> volume_changes;
    std::optional<TopicShift> topic_shift;
};

struct Rhythm {
    std::vector<CommunityRhythm> communities;  // largest first; those without posts are left out
    std::uint64_t creations_out_of_range = 0;
    std::uint32_t topic_period_days = 1;  // dates of topics are no finer
    bool topics_left_out = false;
};

/// `rules` as given to the counts. Bootstrap and permutation take O(runs x accounts) time for each community, the scan
/// of creation dates as in scan.hpp, changes as in change_point.hpp.
Rhythm analyse_rhythm(const RhythmCounts& counts, std::span<const AccountCreation> creations, const RhythmRules& rules);

}  // namespace unveil::coordination
