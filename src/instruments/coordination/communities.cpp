#include "instruments/coordination/communities.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include "core/parameter.hpp"
#include "core/text.hpp"
#include "core/time.hpp"
#include "graph/community_history.hpp"
#include "graph/community_stability.hpp"
#include "graph/leiden.hpp"
#include "instruments/common_findings.hpp"
#include "instruments/coordination/rhythm.hpp"
#include "instruments/coordination/tiers.hpp"
#include "statistics/multiple_testing.hpp"
#include "statistics/proportion.hpp"

namespace unveil::coordination {
namespace {

constexpr std::size_t communities_told = 20;   // with metrics of their own
constexpr std::size_t tier_count = 4;
constexpr unsigned seed_runs_max = 5;   // the method wavers less than its edges

struct Community {
    std::uint32_t accounts = 0;
    std::uint64_t edges = 0;
    std::uint64_t tiers[tier_count] = {};
    std::uint64_t tier_edges[tier_count] = {};
    std::uint64_t posts = 0;
    std::int64_t first_us = 0;
    std::int64_t last_us = 0;
    std::uint32_t boosted = 0;
    std::optional<std::uint64_t> unseen_amplification;
    double stability = 0;
    double stability_low = 0;
    double stability_high = 0;
    bool is_measured = false;   // stability
    std::uint64_t active_days = 0;
    const CommunityRhythm* rhythm = nullptr;
};


std::string hours_range(const std::vector<int>& offsets) {
    std::string text;
    for (const int offset : offsets) text += fmt::format("{}UTC{:+}", text.empty() ? "" : ", ", offset);
    return text;
}

class Describing {
  public:
    Describing(const std::vector<FusedEdge>& edges, const Profiles& profiles, const NetworkNames& names,
               const std::vector<std::uint32_t>& rank, const CommunityRules& rules, Progress& progress, Findings& findings)
        : m_edges(edges), m_profiles(profiles), m_names(names), m_rank(rank), m_rules(rules), m_progress(progress),
          m_findings(findings) {}

    void find();
    void label();
    void follow(std::vector<ActiveEdge> active, OutputTable& table);
    void find_rhythm();
    void write(CommunityTables& tables) const;
    void tell();

  private:
    std::uint32_t community_of(std::uint32_t account_rank) const { return m_community_of_rank[account_rank]; }
    Tier tier_of(std::uint32_t account_rank) const { return m_tiers.labels[m_label_of_rank[account_rank]].tier; }
    void tell_rhythm(std::size_t index, const Community& community);
    Finding community_count(std::size_t index, std::string name, std::uint64_t value, std::string unit, std::string sentence) const;

    const std::vector<FusedEdge>& m_edges;
    const Profiles& m_profiles;
    const NetworkNames& m_names;
    const std::vector<std::uint32_t>& m_rank;
    const CommunityRules& m_rules;
    Progress& m_progress;
    Findings& m_findings;

    std::vector<std::uint32_t> m_accounts;            // ranks on edges, ascending
    std::vector<std::uint32_t> m_vertex_of_rank;
    Communities m_found;
    Stability m_stability;
    unsigned m_stability_runs = 0;
    double m_seed_agreement = 1;
    std::vector<std::uint32_t> m_community_of_rank;   // 0: none
    std::vector<Community> m_communities;
    Tiers m_tiers;
    std::vector<std::size_t> m_label_of_rank;
    Rhythm m_rhythm;
    std::uint64_t m_untold_accounts = 0;   // of communities whose tiers cannot be told
    std::uint64_t m_untold_edges = 0;
    std::uint64_t m_stories = 0;
    std::vector<double> m_rhythm_q;      // of the tests in the order in which they are told
    std::size_t m_rhythm_told = 0;
};

/// The p-values that tell_rhythm() tells of one community, in its order.
std::vector<double> told_p_values(const CommunityRhythm& rhythm) {
    std::vector<double> p;
    if (!rhythm.bursts.empty()) p.push_back(rhythm.bursts.front().p);
    if (rhythm.silence.silent_days > 0) p.push_back(rhythm.silence.p);
    if (rhythm.topic_shift) p.push_back(rhythm.topic_shift->p);
    return p;
}

std::string q_words(double p, double q) { return fmt::format("p = {:.2g}, q = {:.2g} over all tests of rhythm", p, q); }

/// Only the number matters for the order of ranks, so vertices stand in byte order of the accounts.
void Describing::find() {
    const std::size_t ranks = m_names.ordered_accounts.size();
    m_vertex_of_rank.assign(ranks, 0);
    std::vector<std::uint8_t> is_there(ranks, 0);
    for (const FusedEdge& edge : m_edges) is_there[edge.a] = is_there[edge.b] = 1;
    for (std::uint32_t r = 0; r < ranks; ++r)
        if (is_there[r] != 0) {
            m_vertex_of_rank[r] = static_cast<std::uint32_t>(m_accounts.size());
            m_accounts.push_back(r);
        }
    std::vector<WeightedEdge> links;
    links.reserve(m_edges.size());
    for (const FusedEdge& edge : m_edges)
        links.push_back({m_vertex_of_rank[edge.a], m_vertex_of_rank[edge.b], static_cast<double>(edge.weight)});
    const auto vertices = static_cast<std::uint32_t>(m_accounts.size());
    const WeightedGraph graph(vertices, links);
    m_found = leiden(graph, {.resolution = m_rules.resolution, .seed = m_rules.seed});
    m_progress.check();

    m_community_of_rank.assign(ranks, 0);
    m_communities.resize(m_found.count);
    for (std::uint32_t v = 0; v < vertices; ++v) {
        m_community_of_rank[m_accounts[v]] = m_found.labels[v] + 1;
        ++m_communities[m_found.labels[v]].accounts;
    }
    for (const FusedEdge& edge : m_edges)
        if (community_of(edge.a) == community_of(edge.b)) ++m_communities[community_of(edge.a) - 1].edges;

    // A run costs about as much as the first; beyond this many edges in all, fewer runs must do.
    constexpr std::uint64_t edges_in_all_max = 3'000'000;
    m_stability_runs = m_rules.stability_runs;
    if (m_edges.size() * m_stability_runs > edges_in_all_max)
        m_stability_runs = static_cast<unsigned>(std::max<std::uint64_t>(1, edges_in_all_max / m_edges.size()));
    if (m_stability_runs == 0 || m_edges.empty()) return;
    StabilityOptions options{.perturbation = Perturbation::edges, .resolution = m_rules.resolution, .seed = m_rules.seed,
                             .runs = m_stability_runs, .threads = m_rules.threads};
    m_stability = community_stability(graph, m_found.labels, options);
    m_progress.check();
    options.perturbation = Perturbation::seed;
    options.runs = std::min(m_stability_runs, seed_runs_max);
    m_seed_agreement = community_stability(graph, m_found.labels, options).rand_index.mean;
    for (std::size_t c = 0; c < m_communities.size(); ++c) {
        const Spread& jaccard = m_stability.communities[c].jaccard;
        m_communities[c].stability = jaccard.mean;
        m_communities[c].stability_low = jaccard.low;
        m_communities[c].stability_high = jaccard.high;
        m_communities[c].is_measured = true;
    }
    m_progress.check();
}

void Describing::label() {
    std::vector<std::uint32_t> community_of_number(m_rank.size(), 0);
    std::vector<std::uint8_t> is_in_sync(m_rank.size(), 0);
    for (const std::uint32_t r : m_accounts) {
        community_of_number[m_names.ordered_accounts[r]] = community_of(r);
        is_in_sync[m_names.ordered_accounts[r]] = m_rules.judges_chance ? 1 : 0;
    }
    m_tiers = assign_tiers(m_profiles.activity(), community_of_number, is_in_sync, {}, m_rank);
    m_label_of_rank.assign(m_rank.size(), 0);
    for (std::size_t i = 0; i < m_tiers.labels.size(); ++i) {
        const TierLabel& label = m_tiers.labels[i];
        m_label_of_rank[m_rank[label.account]] = i;
        Community& community = m_communities[label.community - 1];
        ++community.tiers[static_cast<std::size_t>(label.tier)];
        community.posts += label.posts;
        if (label.unseen_amplification)
            community.unseen_amplification = community.unseen_amplification.value_or(0) + *label.unseen_amplification;
    }
    std::uint64_t untold = 0;
    for (const Community& community : m_communities)
        if (community.tiers[static_cast<std::size_t>(Tier::periphery)] == community.accounts) {
            m_untold_accounts += community.accounts;
            m_untold_edges += community.edges;
        }
    for (const Community& community : m_communities) untold += community.tiers[static_cast<std::size_t>(Tier::periphery)] == community.accounts;
    if (untold > 0)
        m_findings.notes.push_back(fmt::format("tiers: in {} of {} communities nobody fits another tier than periphery, mostly for want of reposts "
                                               "among their accounts",
                                               grouped_digits(untold), grouped_digits(m_communities.size())));
    for (std::size_t c = 0; c < m_communities.size(); ++c) m_communities[c].boosted = m_tiers.boosted[c];
    for (const FusedEdge& edge : m_edges) {
        if (community_of(edge.a) != community_of(edge.b) || tier_of(edge.a) != tier_of(edge.b)) continue;
        ++m_communities[community_of(edge.a) - 1].tier_edges[static_cast<std::size_t>(tier_of(edge.a))];
    }
}

/// Communities of each slice of time alone, matched from slice to slice.
void Describing::follow(std::vector<ActiveEdge> active, OutputTable& table) {
    if (active.empty()) return;
    std::sort(active.begin(), active.end(), [](const ActiveEdge& x, const ActiveEdge& y) {
        return std::tie(x.slice, x.a, x.b) < std::tie(y.slice, y.a, y.b);
    });
    active.erase(std::unique(active.begin(), active.end()), active.end());
    const std::int64_t first = active.front().slice;
    const std::int64_t slices = active.back().slice - first + 1;
    constexpr std::int64_t slices_max = 2000;
    if (slices > slices_max) {
        m_findings.notes.push_back(fmt::format("communities were not followed over time: {} slices of {}, more than {}; use a longer --slice",
                                               grouped_digits(static_cast<std::uint64_t>(slices)), format_duration(m_rules.slice_us), slices_max));
        return;
    }
    std::vector<std::vector<WindowMember>> windows(static_cast<std::size_t>(slices));
    std::vector<std::map<std::uint32_t, std::map<std::uint32_t, std::uint32_t>>> overall(windows.size());
    for (std::size_t begin = 0; begin < active.size();) {
        m_progress.check();
        std::size_t end = begin;
        std::vector<std::uint32_t> members;
        for (; end < active.size() && active[end].slice == active[begin].slice; ++end) {
            members.push_back(active[end].a);
            members.push_back(active[end].b);
        }
        std::sort(members.begin(), members.end());
        members.erase(std::unique(members.begin(), members.end()), members.end());
        const auto vertex = [&](std::uint32_t r) {
            return static_cast<std::uint32_t>(std::lower_bound(members.begin(), members.end(), r) - members.begin());
        };
        std::vector<WeightedEdge> links;
        for (std::size_t i = begin; i < end; ++i) links.push_back({vertex(active[i].a), vertex(active[i].b), 1});
        const Communities found = leiden(WeightedGraph(static_cast<std::uint32_t>(members.size()), links),
                                         {.resolution = m_rules.resolution, .seed = m_rules.seed});
        const auto window = static_cast<std::size_t>(active[begin].slice - first);
        for (std::uint32_t v = 0; v < members.size(); ++v) {
            windows[window].push_back({members[v], found.labels[v]});
            ++overall[window][found.labels[v]][community_of(members[v])];
        }
        begin = end;
    }
    const CommunityHistory history = community_history(windows);
    m_stories = history.stories.size();
    const auto slice_begin = [&](std::uint32_t window) { return format_time((first + window) * m_rules.slice_us); };
    std::map<std::pair<std::uint32_t, std::uint32_t>, const StoryEvent*> event_of;
    for (const StoryEvent& event : history.events) event_of[{event.story, event.window}] = &event;
    constexpr std::string_view event_names[] = {"birth", "split", "continuation", "merge", "death"};
    for (std::uint32_t story = 0; story < history.stories.size(); ++story) {
        for (const StoryStep& step : history.stories[story].steps) {
            std::uint32_t most = 0;
            std::uint32_t community = 0;
            for (const auto& [overall_community, count] : overall[step.window][step.community])
                if (count > most) {
                    most = count;
                    community = overall_community;
                }
            table.integer(story + 1);
            table.text(slice_begin(step.window));
            table.integer(step.members);
            table.integer(community);
            const auto event = event_of.find({story, step.window});
            if (event == event_of.end()) {
                table.missing();
                table.missing();
            } else {
                table.text(event_names[static_cast<std::size_t>(event->second->kind)]);
                if (event->second->other == story) table.missing();
                else table.integer(event->second->other + 1);
            }
            table.real(step.jaccard);
            table.end_row();
        }
        const std::uint32_t after = history.stories[story].steps.back().window + 1;
        const auto event = event_of.find({story, after});
        if (event == event_of.end()) continue;
        table.integer(story + 1);
        table.text(slice_begin(after));
        table.integer(0);
        table.missing();
        table.text(event_names[static_cast<std::size_t>(event->second->kind)]);
        if (event->second->other == story) table.missing();
        else table.integer(event->second->other + 1);
        table.real(event->second->overlap);
        table.end_row();
    }
}

void Describing::find_rhythm() {
    std::vector<std::uint32_t> sizes(m_communities.size() + 1, 0);
    for (std::size_t c = 0; c < m_communities.size(); ++c) sizes[c + 1] = m_communities[c].accounts;
    RhythmRules rules;
    rules.communities_max = communities_told;
    rules.seed = m_rules.seed + 1;
    rules.threads = m_rules.threads;
    RhythmCounts counts(sizes, rules);
    // Ranks and places in byte order stand for numbers, so that nothing depends on the order of rows.
    const auto topic_order = m_profiles.topics().byte_order();
    std::vector<std::uint8_t> has_first(m_communities.size(), 0);
    m_profiles.activity().for_each([&](const ActivityPost& post) {
        const std::uint32_t r = m_rank[post.account];
        const std::uint32_t community = community_of(r);
        counts.add({post.time_us, r, community, post.topic == 0 ? 0 : topic_order.rank[post.topic]});
        if (community == 0) return;
        Community& known = m_communities[community - 1];
        if (has_first[community - 1] == 0) {
            has_first[community - 1] = 1;
            known.first_us = known.last_us = post.time_us;
        }
        known.first_us = std::min(known.first_us, post.time_us);
        known.last_us = std::max(known.last_us, post.time_us);
    });
    m_progress.check();
    std::vector<AccountCreation> creations;
    for (std::uint32_t r = 0; r < m_names.ordered_accounts.size(); ++r) {
        const std::int64_t created_us = m_profiles.created_us(m_names.ordered_accounts[r]);
        if (created_us != PostBatch::time_unknown) creations.push_back({r, community_of(r), created_us});
    }
    m_rhythm = analyse_rhythm(counts, creations, rules);
    for (const CommunityRhythm& rhythm : m_rhythm.communities) m_communities[rhythm.community - 1].rhythm = &rhythm;
    for (std::size_t place = 0; place < counts.communities().size(); ++place) {
        const auto days = counts.daily_posts(place);
        m_communities[counts.communities()[place] - 1].active_days =
            static_cast<std::uint64_t>(std::count_if(days.begin(), days.end(), [](std::uint32_t posts) { return posts > 0; }));
    }
    if (counts.posts_out_of_range() > 0)
        m_findings.notes.push_back(fmt::format("rhythm: {} posts before 2004 or after 2033 were left out",
                                               grouped_digits(counts.posts_out_of_range())));
}

void Describing::write(CommunityTables& tables) const {
    const auto optional_real = [](OutputTable& table, const std::optional<double>& value) {
        if (value) table.real(*value);
        else table.missing();
    };
    for (const TierLabel& label : m_tiers.labels) {
        OutputTable& table = *tables.tiers;
        const std::uint32_t r = m_rank[label.account];
        table.text(m_names.account(r));
        table.integer(label.community);
        table.text(tier_name(label.tier));
        table.integer(static_cast<std::int64_t>(label.posts));
        table.real(label.originality);
        table.integer(static_cast<std::int64_t>(label.received));
        table.integer(static_cast<std::int64_t>(label.given_to_members));
        table.integer(static_cast<std::int64_t>(label.given_to_boosted));
        optional_real(table, label.focus);
        optional_real(table, label.median_delay_seconds);
        table.real(label.authority);
        table.real(label.hub);
        if (label.unseen_amplification) table.integer(static_cast<std::int64_t>(*label.unseen_amplification));
        else table.missing();
        if (m_stability_runs > 0) table.real(m_stability.vertex_share[m_vertex_of_rank[r]]);
        else table.missing();
        table.text(label.reason);
        table.end_row();
    }
    for (std::size_t c = 0; c < m_communities.size(); ++c) {
        const Community& community = m_communities[c];
        OutputTable& table = *tables.communities;
        table.integer(static_cast<std::int64_t>(c + 1));
        table.integer(community.accounts);
        table.integer(static_cast<std::int64_t>(community.edges));
        for (const std::uint64_t count : community.tiers) table.integer(static_cast<std::int64_t>(count));
        table.integer(community.boosted);
        table.integer(static_cast<std::int64_t>(community.posts));
        table.text(format_time(community.first_us));
        table.text(format_time(community.last_us));
        if (community.unseen_amplification) table.integer(static_cast<std::int64_t>(*community.unseen_amplification));
        else table.missing();
        for (const double value : {community.stability, community.stability_low, community.stability_high}) {
            if (community.is_measured) table.real(value);
            else table.missing();
        }
        const CommunityRhythm* rhythm = community.rhythm;
        if (!rhythm) {
            for (int column = 0; column < 8; ++column) table.missing();
        } else {
            table.real(rhythm->profile.hour_p);
            table.real(rhythm->profile.weekday_p);
            if (rhythm->office && rhythm->office->share.value) {
                table.integer(rhythm->office->offset_hours);
                table.real(*rhythm->office->share.value);
                table.text(hours_range(rhythm->office->offsets));
            } else {
                for (int column = 0; column < 3; ++column) table.missing();
            }
            table.integer(static_cast<std::int64_t>(rhythm->silence.silent_days));
            table.real(rhythm->silence.p);
            table.integer(static_cast<std::int64_t>(rhythm->volume_changes.size()));
        }
        table.end_row();
    }
}

Finding Describing::community_count(std::size_t index, std::string name, std::uint64_t value, std::string unit,
                                    std::string sentence) const {
    return exact_count(fmt::format("community.{}.{}", index + 1, name), fmt::format("community {}", index + 1), value,
                       std::move(unit), std::move(sentence));
}

void Describing::tell_rhythm(std::size_t index, const Community& community) {
    const CommunityRhythm& rhythm = *community.rhythm;
    const std::string prefix = fmt::format("community.{}.", index + 1);
    const std::string subject = fmt::format("community {}", index + 1);
    const auto next_q = [&] { return m_rhythm_q[m_rhythm_told++]; };
    if (rhythm.office && rhythm.office->share.value) {
        const OfficeHours& office = *rhythm.office;
        Finding finding;
        finding.metric = prefix + "office_hours_share";
        finding.subject = subject;
        finding.value = *office.share.value;
        // Accounts that post together say the same thing many times: the days on which it posted are what can be counted.
        const auto by_days = wilson_interval(static_cast<std::uint64_t>(std::llround(finding.value * static_cast<double>(community.active_days))),
                                             community.active_days);
        finding.low = std::min(office.share.low, by_days.low);
        finding.high = std::max(office.share.high, by_days.high);
        finding.unit = "share";
        finding.strength = StrengthKind::interval;
        finding.sentence = fmt::format(
            "{:.0f} % of its posts fall into office hours (Monday to Friday, 9 to 18) at UTC{:+}, the offset at which most do; an even "
            "spread gives {:.0f} % at any offset.",
            100 * finding.value, office.offset_hours, 100 * office_share_even);
        finding.caveat = fmt::format(
            "A clock that fits is not a place, and other working hours fit other clocks: offsets that fit as well, if the accounts were "
            "independent: {}. The best of 27 offsets exceeds an even spread by itself when there are few occasions ({} days here).",
            hours_range(office.offsets), grouped_digits(community.active_days));
        finding.figure.kind = FigureKind::histogram;
        finding.figure.title = fmt::format("Posts of community {} by hour", index + 1);
        finding.figure.x_label = "hour of the day, UTC";
        finding.figure.y_label = "posts";
        for (std::size_t hour = 0; hour < 24; ++hour) {
            const auto posts = static_cast<double>(rhythm.hours[hour]);
            finding.figure.rows.push_back({std::to_string(hour), posts, posts, posts});
        }
        finding.figure.caption = "All posts of its accounts, not only those that met.";
        m_findings.items.push_back(std::move(finding));
    }
    if (rhythm.profile.others > 0) {
        Finding finding = exact_count(prefix + "hours_p", subject, 0, "probability", "");
        finding.value = finding.low = rhythm.profile.hour_p;
        finding.high = 1;
        finding.strength = StrengthKind::p_value;
        finding.strength_value = rhythm.profile.hour_p;
        finding.sentence = fmt::format("Against {} as active accounts outside its hours have p = {:.2g}, each account one vote.",
                                       grouped_digits(rhythm.profile.others), rhythm.profile.hour_p);
        finding.caveat = "Its accounts were chosen for posting together, so they are not independent votes: the p-value is too small and "
                         "describes, it does not decide.";
        m_findings.items.push_back(std::move(finding));
    }
    if (!rhythm.bursts.empty()) {
        const CreationBurst& burst = rhythm.bursts.front();
        const double q = next_q();
        Finding finding = community_count(index, "creation_burst.accounts", burst.accounts, "accounts",
                                          fmt::format("{} of its accounts were created from {} to {}, where {:.1f} were to be expected{} ({}).",
                                                      grouped_digits(burst.accounts), format_date(burst.from_us), format_date(burst.to_us - 1), burst.expected,
                                                      q <= m_rules.alpha ? "" : ", which chance explains", q_words(burst.p, q)));
        finding.strength = StrengthKind::p_value;
        finding.strength_value = burst.p;
        m_findings.items.push_back(std::move(finding));
    }
    if (rhythm.silence.silent_days > 0) {
        const double q = next_q();
        Finding finding = community_count(index, "silent_days", rhythm.silence.silent_days, "days",
                                          fmt::format("Its last post is of {}, {} whole days before the end of the evidence: {} ({}).",
                                                      format_date(rhythm.silence.last_post_us), grouped_digits(rhythm.silence.silent_days),
                                                      q <= m_rules.alpha ? "an abrupt silence" : "not clearly longer than its usual pauses",
                                                      q_words(rhythm.silence.p, q)));
        finding.strength = StrengthKind::p_value;
        finding.strength_value = rhythm.silence.p;
        m_findings.items.push_back(std::move(finding));
    }
    const auto clear = static_cast<std::uint64_t>(std::count_if(rhythm.volume_changes.begin(), rhythm.volume_changes.end(),
                                                                [&](const VolumeChange& change) { return change.p <= m_rules.alpha; }));
    if (!rhythm.volume_changes.empty()) {
        Finding finding = community_count(index, "volume_changes", clear, "changes",
                                          fmt::format("Its daily volume has {} change points with p at most {:g}, of {} found.",
                                                      grouped_digits(clear), m_rules.alpha, grouped_digits(rhythm.volume_changes.size())));
        finding.table.columns = {"date", "from", "to", "posts a day before", "after", "p"};
        for (const VolumeChange& change : rhythm.volume_changes)
            finding.table.rows.push_back({format_date(change.at_us), format_date(change.low_us), format_date(change.high_us),
                                          fmt::format("{:.1f}", change.posts_a_day_before), fmt::format("{:.1f}", change.posts_a_day_after),
                                          fmt::format("{:.2g}", change.p)});
        m_findings.items.push_back(std::move(finding));
    }
    if (rhythm.topic_shift) {
        const TopicShift& shift = *rhythm.topic_shift;
        const auto topic_order = m_profiles.topics().byte_order();
        const auto name = [&](std::uint32_t topic) {
            return topic == 0 ? std::string("(others)") : printable(m_profiles.topics().string(topic_order.ordered[topic]), 60);
        };
        Finding finding;
        finding.metric = prefix + "topic_shift_p";
        finding.subject = subject;
        finding.value = finding.low = finding.high = shift.p;
        finding.level = 1;
        finding.unit = "probability";
        finding.strength = StrengthKind::p_value;
        finding.strength_value = shift.p;
        const double q = next_q();
        finding.sentence =
            q <= m_rules.alpha
                ? fmt::format("Its topics changed on {} ({} to {}; {}).", format_date(shift.at_us), format_date(shift.low_us), format_date(shift.high_us), q_words(shift.p, q))
                : fmt::format("No change of its topics stands out; the largest is of {} ({}).", format_date(shift.at_us), q_words(shift.p, q));
        finding.caveat = "Single days of an event can hide a change, and move its date.";
        finding.table.columns = {"topic", "share before", "share after"};
        for (const auto* list : {&shift.rose, &shift.fell})
            for (const TopicShare& topic : *list)
                finding.table.rows.push_back({name(topic.topic), fmt::format("{:.1f} %", 100 * topic.before), fmt::format("{:.1f} %", 100 * topic.after)});
        m_findings.items.push_back(std::move(finding));
    }
}

void Describing::tell() {
    std::vector<double> p_values;
    for (std::size_t c = 0; c < std::min(m_communities.size(), communities_told); ++c)
        if (m_communities[c].rhythm)
            for (const double p : told_p_values(*m_communities[c].rhythm)) p_values.push_back(p);
    m_rhythm_q = benjamini_hochberg(p_values, static_cast<double>(p_values.size()));
    const auto say = [&](Finding finding) { m_findings.items.push_back(std::move(finding)); };
    auto communities = exact_count("communities", "the network of all traces", m_communities.size(), "communities",
                                   fmt::format("The accounts form {} communities (modularity {:.3f}).",
                                               grouped_digits(m_communities.size()), m_found.modularity));
    communities.caveat = "A community is a dense part of the network, not an organisation.";
    if (m_stability_runs > 0 && !m_edges.empty())
        communities.caveat += fmt::format(" Over {} other seeds they agree to {:.2f}, over {} draws of the edges to {:.2f} (adjusted Rand "
                                          "index; 1 is the same).",
                                          std::min(m_stability_runs, seed_runs_max), m_seed_agreement, m_stability_runs,
                                          m_stability.rand_index.mean);
    communities.table.columns = {"community", "accounts", "core", "bridge", "amplifier", "periphery", "posts", "first", "last", "stability"};
    for (std::size_t c = 0; c < std::min(m_communities.size(), communities_told); ++c) {
        const Community& community = m_communities[c];
        std::vector<std::string> cells = {std::to_string(c + 1), grouped_digits(community.accounts)};
        for (const std::uint64_t count : community.tiers) cells.push_back(grouped_digits(count));
        cells.insert(cells.end(), {grouped_digits(community.posts), format_date(community.first_us), format_date(community.last_us),
                                   community.is_measured ? fmt::format("{:.2f}", community.stability) : std::string("-")});
        communities.table.rows.push_back(std::move(cells));
    }
    say(std::move(communities));

    std::uint64_t accounts[tier_count] = {};
    std::uint64_t edges[tier_count] = {};
    for (const Community& community : m_communities)
        for (std::size_t t = 0; t < tier_count; ++t) {
            accounts[t] += community.tiers[t];
            edges[t] += community.tier_edges[t];
        }
    constexpr std::string_view words[tier_count] = {"speak more than they pass on (core)", "are reposted and repost (bridge)",
                                                    "pass on what few others say (amplifier)", "fit no other rule (periphery)"};
    for (const Tier tier : {Tier::core, Tier::amplifier, Tier::bridge, Tier::periphery}) {
        const auto t = static_cast<std::size_t>(tier);
        const std::string name(tier_name(tier));
        auto finding = exact_count(name + ".accounts", "accounts of communities", accounts[t], "accounts",
                                   fmt::format("{} accounts {}.", grouped_digits(accounts[t]), words[t]));
        finding.caveat = "Tiers follow written rules on what the evidence holds; tiers.csv has the numbers behind each label.";
        auto within = exact_count(name + ".edges", "edges within communities", edges[t], "edges",
                                  fmt::format("{} edges join two of them within one community.", grouped_digits(edges[t])));
        if (m_untold_accounts > 0) {
            // Nobody's tier is known there, so each of them may be of any.
            if (tier == Tier::periphery) {
                finding.low -= static_cast<double>(m_untold_accounts);
                within.low -= static_cast<double>(m_untold_edges);
            } else {
                finding.high += static_cast<double>(m_untold_accounts);
                within.high += static_cast<double>(m_untold_edges);
            }
            finding.level = within.level = 0.95;
            finding.caveat += fmt::format(" Of {} accounts the tier cannot be told, for want of reposts in their community.",
                                          grouped_digits(m_untold_accounts));
        }
        say(std::move(finding));
        say(std::move(within));
    }
    if (!m_communities.empty())
        say(share("community.1.share", "accounts of the network", m_communities[0].accounts, m_accounts.size(),
                  fmt::format("The largest community holds {} of {} accounts.", grouped_digits(m_communities[0].accounts),
                              grouped_digits(m_accounts.size()))));
    for (std::size_t c = 0; c < std::min(m_communities.size(), communities_told); ++c) {
        const Community& community = m_communities[c];
        say(community_count(c, "accounts", community.accounts, "accounts",
                            fmt::format("Community {} has {} accounts.", c + 1, grouped_digits(community.accounts))));
        for (const Tier tier : {Tier::core, Tier::amplifier, Tier::bridge, Tier::periphery}) {
            const std::string name(tier_name(tier));
            const std::uint64_t count = community.tiers[static_cast<std::size_t>(tier)];
            say(community_count(c, name + ".accounts", count, "accounts", fmt::format("{} of them are {}.", grouped_digits(count), name)));
        }
        say(community_count(c, "posts", community.posts, "posts", fmt::format("They made {} posts.", grouped_digits(community.posts))));
        Finding span = community_count(c, "span_days", 0, "days",
                                       fmt::format("Their posts run from {} to {}.", format_date(community.first_us), format_date(community.last_us)));
        span.value = span.low = span.high = static_cast<double>(community.last_us - community.first_us) / 86'400e6;
        say(std::move(span));
        if (community.is_measured) {
            Finding stability = community_count(c, "stability", 0, "Jaccard",
                                                fmt::format("In {} draws of the edges {:.0f} % of it came back on average.", m_stability_runs,
                                                            100 * community.stability));
            stability.value = community.stability;
            stability.low = community.stability_low;
            stability.high = community.stability_high;
            stability.level = 0.9;
            stability.strength = StrengthKind::interval;
            say(std::move(stability));
        }
        if (community.unseen_amplification)
            say(community_count(c, "unseen_amplification", *community.unseen_amplification, "reposts",
                                fmt::format("The platform counted {} reposts of their posts that the evidence does not hold.",
                                            grouped_digits(*community.unseen_amplification))));
        if (community.rhythm) tell_rhythm(c, community);
    }
    if (m_stories > 0)
        m_findings.notes.push_back(fmt::format("communities of each slice of {} were matched into {} stories over time; see community_history.csv",
                                               format_duration(m_rules.slice_us), grouped_digits(m_stories)));
    if (m_stability_runs < m_rules.stability_runs && !m_edges.empty())
        m_findings.notes.push_back(fmt::format("stability of communities over {} runs instead of {}, for want of time on so many edges",
                                               m_stability_runs, m_rules.stability_runs));
}

}  // namespace

CommunityTables open_community_tables(OutputTables& tables) {
    CommunityTables opened;
    const auto text = [](std::string name, std::string help) { return Column{std::move(name), CellType::text, std::move(help)}; };
    const auto integer = [](std::string name, std::string help) { return Column{std::move(name), CellType::integer, std::move(help)}; };
    const auto real = [](std::string name, std::string help) { return Column{std::move(name), CellType::real, std::move(help)}; };
    opened.communities = &tables.open(
        "communities",
        {integer("community", "1 is the largest"), integer("accounts", ""), integer("edges", "of the fused network, within"),
         integer("core", "accounts"), integer("bridge", "accounts"), integer("amplifier", "accounts"), integer("periphery", "accounts"),
         integer("boosted", "accounts outside that at least half of its members repost"),
         integer("posts", "all posts of its accounts"), text("first_post", ""), text("last_post", ""),
         integer("unseen_amplification", "reposts the platform counted that the evidence does not hold"),
         real("stability", "mean Jaccard over draws of the edges"), real("stability_low", "5 % of the draws are below"),
         real("stability_high", "5 % are above"), real("hours_p", "its hours of the day against accounts outside"),
         real("weekdays_p", "the same for weekdays"), integer("office_utc_offset", "hours; best fit of office hours"),
         real("office_share", "share of posts in office hours there"), text("office_utc_offsets", "all offsets that fit as well"),
         integer("silent_days", "up to the end of the evidence"), real("silent_p", ""), integer("volume_changes", "")});
    opened.tiers = &tables.open(
        "tiers", {text("account", ""), integer("community", ""), text("tier", "core, bridge, amplifier or periphery"),
                  integer("posts", "all posts of the account"), real("originality", "share of them that are not reposts"),
                  integer("received_from_members", "reposts of its posts by other members"),
                  integer("given_to_members", "its reposts of their posts"),
                  integer("given_to_boosted", "its reposts of accounts outside that half of the members repost"),
                  real("focus", "share of its reposts that go to its five most frequent targets, or as many as the core has accounts"),
                  real("median_delay_seconds", "of its reposts whose original is in the evidence"),
                  real("authority", "HITS within the community"), real("hub", "HITS within the community"),
                  integer("unseen_amplification", "reposts the platform counted that the evidence does not hold"),
                  real("stability", "share of its community that stays with it over draws of the edges"),
                  text("reason", "the rule that decided")});
    opened.history = &tables.open(
        "community_history", {integer("story", "a community followed over time"), text("slice", "begin of the slice of time"),
                              integer("members", "active in it"), integer("community", "overall community that most of them are in"),
                              text("event", "birth, split, continuation, merge or death"), integer("other", "story split from or merged into"),
                              real("jaccard", "with the slice before")});
    return opened;
}

void describe_communities(const std::vector<FusedEdge>& edges, std::vector<ActiveEdge> active, const Profiles& profiles,
                          const NetworkNames& names, const std::vector<std::uint32_t>& rank, const CommunityRules& rules,
                          CommunityTables& tables, Progress& progress, Findings& findings) {
    Describing describing(edges, profiles, names, rank, rules, progress, findings);
    progress.update("communities", 0, 1);
    describing.find();
    describing.label();
    progress.check();
    describing.follow(std::move(active), *tables.history);
    describing.find_rhythm();
    describing.write(tables);
    describing.tell();
}

}  // namespace unveil::coordination
