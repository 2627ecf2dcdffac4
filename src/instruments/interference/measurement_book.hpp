// Which sites does which network block, on which layer, how, since when, beyond what happens to the same sites elsewhere on the same days?
// Measurements go in one by one and are forgotten; what is kept are counts by domain, network, day and kind of probe, so that memory follows those.
// The answers do not depend on the order in which measurements come.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "instruments/interference/facts.hpp"
#include "instruments/interference/ooni_scorers.hpp"

namespace unveil::interference {

// ---- the change points of ooni/data

/// The median of what an hour's measurements weigh for "blocked"; hours without measurements are left out.
struct CusumPoint {
    std::int64_t time_us = 0;
    double value = 0;
};
struct CusumRules {
    double mean_ok = 0;              // mu 0
    double mean_blocked = 0.7;       // mu 1
    double delay = 20;               // expected detection delay, in points
    double half_life_hours = 48;     // of what was summed, over a silence of more than a day
    double threshold() const { return delay * (mean_blocked - mean_ok) / 2; }
};
struct CusumChange {
    std::int64_t time_us = 0;  // when the sum crossed the threshold, which is later than the change
    bool is_blocked = false;   // from now on
    auto operator<=>(const CusumChange&) const = default;
};
/// CusumDetector of https://github.com/ooni/data, analysis/detector.py: two-sided, aware of its state, after Basseville and Nikiforov, Detection of
/// Abrupt Changes (1993), section 2.2.5. The first state is found silently. `points` in the order of time.
std::vector<CusumChange> cusum_changes(std::span<const CusumPoint> points, const CusumRules& rules = {});

// ---- the book

struct BookRules {
    std::uint32_t measurements_min = 5;  // below it nothing is said
    std::uint32_t reports_min = 2;       // nor about blocking that one run of one probe alone has seen
    std::uint32_t domains_min = 10;      // a network where most of so many sites fail on a layer is out of order, or that of the probe is; so is a probe on a day
    double q_max = 0.05;
    double absent_share_max = 0.2;       // a blocked share that is surely below this is no blocking
    double level = 0.95;
    double change_p_max = 0.01;
    std::uint32_t change_runs = 199;
    std::uint32_t segment_days_min = 3;
    std::uint64_t seed = 1;
    std::uint64_t cells_max = 8'000'000;  // of domain, network, day and kind of probe; more are counted and dropped
    std::uint64_t known_max = 1u << 25;   // measurements that are known again when they come twice; 8 to 16 bytes each, at most 512 MiB
};

enum class CellVerdict : std::uint8_t { blocked, not_blocked, down_everywhere, geo_block, insufficient };
std::string_view cell_verdict_name(CellVerdict verdict);

/// What the network was compared with.
enum class CellControl : std::uint8_t {
    helper,           // only the control inside every measurement: nobody else measured the site on these days
    other_networks,   // of the same country
    other_countries,
};
std::string_view cell_control_name(CellControl control);

/// What else than the network could have made the measurements look as they do.
enum class Alternative : std::uint8_t {
    site_down,         // for everybody
    geo_block,         // the site itself turns visitors of the country away, by a page or by not answering
    captcha,           // a content network wants to see a person first
    broken_redirect,   // the site leads to nowhere
    ipv6_trouble,      // of the probe
    own_network,       // a firewall, address translator or filter of the probe's own place
    line_trouble,      // the probe's line was down or bad
    ordinary_failure,  // a reset, time-out or odd answer as happens anywhere
};
constexpr std::size_t alternatives = 8;
std::string_view alternative_name(Alternative alternative);

enum class AlternativeState : std::uint8_t {
    weighed,
    not_testable,    // with these measurements
    cannot_explain,  // what was seen
};
std::string_view alternative_state_name(AlternativeState state);

/// Observations for which blocking and the alternative predict different things; what both predict alike is none. Each explanation is right about one
/// with chance 1 - error_share_max, so that each shifts the log of the likelihood ratio by log((1 - error_share_max) / error_share_max) one way or the
/// other: a bound, since errors may be rarer.
struct AlternativeWeight {
    AlternativeState state = AlternativeState::not_testable;
    double for_blocking = 0;
    double for_alternative = 0;
    double log_likelihood_ratio = 0;  // of blocking over the alternative; 0 unless weighed
    auto operator<=>(const AlternativeWeight&) const = default;
};

struct CellChange {
    std::int32_t day = 0;  // since 1970, the first of the new share
    std::int32_t day_low = 0;
    std::int32_t day_high = 0;
    double share_before = 0;
    double share_after = 0;
    double p = 1;
};

struct LocatedPointer {
    Locator where;
    std::string pointer;
    auto operator<=>(const LocatedPointer&) const = default;
};

constexpr std::size_t standing_kinds = 8;

struct GroupCount {
    std::uint64_t hits = 0;
    std::uint64_t trials = 0;
};

/// One domain in one network on one layer.
struct BlockedCell {
    static constexpr std::size_t locators_max = 20;
    static constexpr std::size_t reports_counted_max = 16;

    std::string domain;          // or the name of the test, for tests of a service
    std::string country;
    std::uint32_t asn = 0;
    std::string network_name;
    Layer layer = Layer::dns;
    CellVerdict verdict = CellVerdict::insufficient;
    std::string_view mechanism;  // of most blocked measurements: "reset", "bogon"; empty when none is blocked
    std::string_view rule;

    std::uint64_t measurements = 0;  // that say something about the layer
    std::uint64_t blocked = 0;
    std::uint64_t down = 0;
    double share = 0;                // blocked of measurements
    double share_low = 0;
    double share_high = 1;
    std::uint32_t reports = 0;       // runs of a probe that measured the domain; no more than reports_counted_max are told apart
    std::uint32_t days = 0;
    std::int32_t day_first = 0;
    std::int32_t day_last = 0;
    std::vector<std::pair<std::int32_t, std::int32_t>> measured;  // runs of days with measurements, first and last; where enough is blocked to be looked at

    CellControl control = CellControl::helper;
    std::uint64_t control_measurements = 0;  // elsewhere, same domain, layer and days
    std::uint64_t control_blocked = 0;
    std::uint32_t control_groups = 0;        // countries, or networks
    std::uint32_t set_aside = 0;             // networks that are no part of the control, since most of their measurements are blocked too
    std::uint64_t elsewhere_measurements = 0;  // of all other networks, on the same days
    std::uint64_t elsewhere_down = 0;
    std::uint32_t country_networks = 0;      // other networks of the country with enough measurements
    std::uint32_t country_networks_blocked = 0;  // of them, with half or more blocked

    std::uint32_t network_domains = 0;           // sites with enough measurements in this network and layer
    std::uint32_t network_domains_blocked = 0;   // of them, with more than half blocked
    bool is_network_failing = false;             // most of them, so that nothing is said about one

    double effective_measurements = 0;           // how many independent ones they are worth
    double effective_blocked = 0;
    std::uint64_t out_of_order = 0;              // measurements of probes that failed for most sites on that day: they count for no p-value
    std::uint32_t probes = 0;                    // kinds of probe: version, platform and resolver
    bool has_bad_days = false;                   // days in a row with so much blocked that nobody can say that nothing was
    bool is_one_probe = false;                   // without the kind that sent most, most measurements are not blocked

    std::vector<AlternativeWeight> weights;      // by Alternative; empty where nothing is blocked or too little was measured
    std::optional<Alternative> likeliest;        // of those that were weighed

    double p = 1;
    double q = 1;
    std::string_view doubt;                  // why the cell is not called blocked though q is small
    std::vector<CellChange> changes;         // in the order of time
    std::optional<CellChange> since;         // the last rise
    std::optional<CellChange> until;         // the fall after it; nothing while it lasts
    std::vector<LocatedPointer> locators;    // of blocked measurements, the first of them
    std::array<std::uint64_t, standing_kinds> standing_counts{};  // of the domain in the network, by Standing
    GroupCount of_network;                   // dns: blocked and all of the days with most, without those that a resolver of another network alone may have made
    std::uint64_t answers_made_good = 0;     // DNS answers that looked odd and whose address others found to be the site's
};

/// The last time without a break in which one layer or another was blocked.
struct Blockage {
    std::optional<CellChange> since;  // nothing where it was blocked on the first day already on which a layer was measured
    std::optional<CellChange> until;  // nothing while it lasts
};
/// Of the blocked cells of one domain in one network; at least one.
Blockage blockage_of(std::span<const BlockedCell* const> cells);

/// What was counted of one domain in one network on one day, false answers taken back; of each layer with something blocked the first measurement that
/// is, null where answers of the day were taken back.
struct SiteDay {
    struct Count {
        std::uint32_t seen = 0;    // measurements that say something about the layer
        std::uint32_t blocked = 0;
        std::uint32_t down = 0;
    };
    std::string_view domain;
    std::string_view country;
    std::uint32_t asn = 0;
    std::string_view test_name;    // empty where there are several
    std::int32_t day = 0;          // since 1970
    std::uint32_t measurements = 0;
    std::array<Count, layers> of{};
    std::array<const LocatedPointer*, layers> evidence{};
};

struct CusumSeries {
    std::string domain;
    std::string country;
    std::uint32_t asn = 0;
    std::string_view series;  // "dns-isp", "dns-other", "tcp", "tls"
    std::vector<CusumChange> changes;
};

struct BookResult {
    std::vector<BlockedCell> cells;   // by domain, country, network, layer
    std::vector<CusumSeries> cusums;  // those with changes
    std::uint64_t tests = 0;          // how many cells the q-values are over
    std::array<double, layers> probe_day_correlation{};  // between measurements of one kind of probe in one network on one day
};

struct BookCounts {
    std::uint64_t measurements = 0;  // given
    std::uint64_t kept = 0;
    std::uint64_t unplaced = 0;      // without country or network
    std::uint64_t without_time = 0;
    std::uint64_t odd_clock = 0;     // begun more than a day away from the time in the name of their report
    std::uint64_t without_subject = 0;
    std::uint64_t repeated = 0;      // came before, in this file or another
    std::uint64_t not_compared = 0;  // with those before, for known_max
    std::uint64_t dropped = 0;       // for cells_max
    std::array<std::uint64_t, standing_kinds> standings{};
    static constexpr std::size_t silent_names_max = 50;
    std::uint64_t silent = 0;                                        // kept, and say nothing about any layer
    std::map<std::string, std::uint64_t, std::less<>> silent_tests;  // of them, by name of the test; the first names in alphabetic order
};

class MeasurementBook {
  public:
    /// `fingerprints` must live longer; null: none. Of the facts the rates are read; throws Error(input) when one is missing.
    explicit MeasurementBook(const BookRules& rules = {}, const FingerprintSet* fingerprints = nullptr, const InterferenceFacts& facts = built_in_facts());
    ~MeasurementBook();
    MeasurementBook(MeasurementBook&&) noexcept;

    void add(const Measurement& measurement);
    const BookCounts& counts() const;
    std::uint64_t cells() const;
    /// `on_day` gets every domain, network and day, in the order of the cells and of time; what it is given lives until it returns.
    BookResult finish(const std::function<void(const SiteDay&)>& on_day = {}) const;

  private:
    struct State;
    std::unique_ptr<State> m_state;
};

/// Correlation of failures within clusters by pairs: (chance that both of a pair fail in one cluster, less that of a pair from two clusters of one cell)
/// over (chance that one fails, less the latter): Ridout, Demetrio and Firth, Biometrics 55 (1999) 137, with the mean of each cell its own. Until enough
/// failures have a partner in their cluster the worst is believed: `prior` counts as so many of them. In [0, 1].
class ClusterCorrelation {
  public:
    /// One cell: hits and trials of each of its clusters.
    void add(std::span<const GroupCount> clusters);
    double value(double prior) const;
    static constexpr double prior_weight = 20;

  private:
    double m_hits = 0, m_trials = 0;
    double m_within = 0, m_within_pairs = 0;
    double m_between = 0, m_between_pairs = 0;
    double m_partnered = 0;
};

/// P(X >= hits) for X ~ beta-binomial(trials, mean (1 - rho) / rho, (1 - mean) (1 - rho) / rho): trials whose chance differs from group to group,
/// with correlation `rho` within. mean and rho in (0, 1). O(trials) time.
double beta_binomial_tail(std::uint64_t hits, std::uint64_t trials, double mean, double rho);

struct GroupModel {
    double mean = 0;
    double rho = 0;
};
/// Mean (half a hit of one trial added) and correlation within groups by moments: Ridout, Demetrio and Firth, Biometrics 55 (1999) 137, the
/// estimator from Pearson's statistic. Never below rho_min, since few groups cannot show how little they differ; rho_few for fewer than three.
GroupModel fit_groups(std::span<const GroupCount> groups, double rho_min, double rho_few);

}  // namespace unveil::interference
