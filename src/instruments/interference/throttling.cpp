#include "instruments/interference/throttling.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <tuple>

#include "statistics/binomial.hpp"
#include "statistics/proportion.hpp"

namespace unveil {
namespace {

constexpr std::uint64_t baseline_min = 20;          // flows, below which the chance is not taken from the controls
constexpr double baseline_unknown = 0.2;
constexpr double baseline_floor = 1e-3;
constexpr double grown_chance_floor = 0.05;
constexpr double queue_share = 0.9;                 // of flows through a queue whose round trip grows
constexpr double dropped_burst_min = 0.85;          // of flows whose excess is dropped, those that come in bursts
constexpr double queue_burst_max = 0.5;             // of flows through a queue, since a full one drops as well
constexpr double policing_grown_max = 0.3;          // of the flows of which it is known
constexpr double shaping_grown_min = 0.6;
constexpr double more_holes_min = 0.01;             // of data packets: differences below are of the path
constexpr double holes_spread_min = 0.01;           // of one flow, standard deviation
constexpr double spread_max = 0.6;                  // of a box, which holds every flow to one rate
constexpr std::int64_t near_ns = 300'000'000'000;
constexpr std::size_t near_max = 4;                 // controls of one flow
constexpr double near_slow_max = 1.0 / 3;           // of the controls nearest to slow flows, as far as they let tell

double log_rate(const RateRecord& rate) { return std::log(std::max(1.0f, rate.bytes_per_second)); }

double median(std::vector<double> values) {
    if (values.empty()) return 0;
    std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
    return values[values.size() / 2];
}

/// What is left possible for a share of which the controls show so much.
double chance_of(const FlowShare& controls, double otherwise, double floor) {
    if (controls.flows < baseline_min) return otherwise;
    return std::max(floor, clopper_pearson_interval(controls.hits, controls.flows).high);
}

double log_by(const FlowShare& share, double chance) {
    const double p = std::clamp(chance, 1e-6, 1 - 1e-6);
    return static_cast<double>(share.hits) * std::log(p) + static_cast<double>(share.flows - share.hits) * std::log1p(-p);
}

/// The same where the share is free within bounds: its best value there, and half the logarithm of the flows for the choice (Schwarz 1978).
double log_by_share(const FlowShare& share, double low, double high) {
    if (share.flows == 0) return 0;
    const double best = std::clamp(static_cast<double>(share.hits) / static_cast<double>(share.flows), low, high);
    return log_by(share, best) - 0.5 * std::log1p(static_cast<double>(share.flows));
}

struct Moments {
    double count = 0;
    double sum = 0;
    double squares = 0;
    void add(double value) {
        ++count;
        sum += value;
        squares += value * value;
    }
    double mean() const { return count > 0 ? sum / count : 0; }
    double variance() const { return count > 0 ? std::max(0.0, squares / count - mean() * mean()) : 0; }
};

/// Flows of one name and client that run side by side share what the client's line lets through, so they count with their sum.
std::vector<double> summed_log_rates(std::span<const RateRecord> rates) {
    std::vector<std::size_t> order(rates.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        const auto key = [&](const std::size_t& i) { return std::tie(rates[i].name, rates[i].client, rates[i].first_ns, rates[i].last_ns, i); };
        return key(a) < key(b);
    });
    constexpr std::size_t beside_max = 64;
    std::vector<double> logs(rates.size());
    for (std::size_t at = 0; at < order.size(); ++at) {
        const RateRecord& own = rates[order[at]];
        double sum = own.bytes_per_second;
        const auto add = [&](std::size_t other_at) {
            const RateRecord& other = rates[order[other_at]];
            if (other.name != own.name || !(other.client == own.client)) return false;
            const std::int64_t shared_ns = std::min(own.last_ns, other.last_ns) - std::max(own.first_ns, other.first_ns);
            if (shared_ns > 0) sum += other.bytes_per_second * static_cast<double>(shared_ns) / static_cast<double>(own.last_ns - own.first_ns);
            return true;
        };
        for (std::size_t back = 1; back <= std::min(beside_max, at) && add(at - back);) ++back;
        for (std::size_t on = at + 1; on < order.size() && on <= at + beside_max && add(on);) ++on;
        logs[order[at]] = std::log(std::max(1.0, sum));
    }
    return logs;
}

/// What is known of the fast names, by time, server and client.
class Controls {
  public:
    Controls(std::span<const RateRecord> rates, const std::vector<double>& logs, const std::vector<std::size_t>& members, double slow_below)
        : m_rates(rates), m_logs(logs), m_by_time(members), m_slow_below(slow_below) {
        std::sort(m_by_time.begin(), m_by_time.end(), [&](std::size_t a, std::size_t b) { return std::tie(rates[a].first_ns, a) < std::tie(rates[b].first_ns, b); });
        for (const std::size_t i : m_by_time) {
            m_by_server[rates[i].server].push_back(i);
            m_by_client[rates[i].client].push_back(i);
        }
    }

    /// The nearest in time of these flows, each once.
    std::set<std::size_t> near(const std::vector<std::size_t>& own) const {
        std::set<std::size_t> all;
        for (const std::size_t i : own) {
            const std::int64_t at_ns = m_rates[i].first_ns;
            auto later = std::lower_bound(m_by_time.begin(), m_by_time.end(), at_ns, [&](std::size_t a, std::int64_t time_ns) { return m_rates[a].first_ns < time_ns; });
            auto earlier = later;
            for (std::size_t taken = 0; taken < near_max; ++taken) {
                const std::int64_t before_ns = earlier == m_by_time.begin() ? near_ns + 1 : at_ns - m_rates[*std::prev(earlier)].first_ns;
                const std::int64_t behind_ns = later == m_by_time.end() ? near_ns + 1 : m_rates[*later].first_ns - at_ns;
                if (std::min(before_ns, behind_ns) > near_ns) break;
                if (before_ns < behind_ns) all.insert(*--earlier);
                else all.insert(*later++);
            }
        }
        return all;
    }

    bool is_slow(std::size_t i) const { return m_logs[i] < m_slow_below; }

    template <typename Of>
    std::pair<std::uint64_t, double> compare(const std::vector<std::size_t>& own, const std::map<IpAddress, std::vector<std::size_t>>& by, Of of) const {
        std::map<IpAddress, RankStratum> strata;
        for (const std::size_t i : own) strata[of(m_rates[i])].own.push_back(m_logs[i]);
        std::vector<RankStratum> all;
        std::uint64_t controls = 0;
        for (auto& [address, stratum] : strata) {
            const auto known = by.find(address);
            if (known == by.end()) continue;
            for (const std::size_t i : known->second) stratum.controls.push_back(m_logs[i]);
            controls += stratum.controls.size();
            all.push_back(std::move(stratum));
        }
        return {controls, smaller_in_strata(all)};
    }
    std::pair<std::uint64_t, double> compare_servers(const std::vector<std::size_t>& own) const {
        return compare(own, m_by_server, [](const RateRecord& rate) { return rate.server; });
    }
    std::pair<std::uint64_t, double> compare_clients(const std::vector<std::size_t>& own) const {
        return compare(own, m_by_client, [](const RateRecord& rate) { return rate.client; });
    }

    /// Median time at each position of the server's answers, as far as three of them go.
    const std::vector<double>& curve(const IpAddress& server) {
        const auto [at, is_new] = m_curves.try_emplace(server);
        const auto known = m_by_server.find(server);
        if (!is_new || known == m_by_server.end()) return at->second;
        constexpr std::size_t curves_min = 3;
        for (std::size_t point = 0; point < RateCurve::points_max; ++point) {
            std::vector<double> seconds;
            for (const std::size_t i : known->second)
                if (m_rates[i].curve.points > point) seconds.push_back(m_rates[i].curve.microseconds[point] / 1e6);
            if (seconds.size() < curves_min) break;
            at->second.push_back(median(std::move(seconds)));
        }
        return at->second;
    }

  private:
    std::span<const RateRecord> m_rates;
    const std::vector<double>& m_logs;
    std::vector<std::size_t> m_by_time;
    double m_slow_below;
    std::map<IpAddress, std::vector<std::size_t>> m_by_server;
    std::map<IpAddress, std::vector<std::size_t>> m_by_client;
    std::map<IpAddress, std::vector<double>> m_curves;
};

double growth_wanted_seconds(const RateRecord& rate) {
    constexpr double growth_min_seconds = 0.05;
    constexpr double growth_min_share = 0.5;    // of the round trip
    return std::max<double>(growth_min_seconds, growth_min_share * rate.round_trip);
}

void add_growth(const RateRecord& rate, FlowShare& share) {
    const auto grown = has_grown(rate);
    if (!grown) return;
    ++share.flows;
    share.hits += *grown;
}

/// How well each cause fits: growth and bursts by flows, holes by their mean, which is normal. `growths`: of flows that have grown, by how many times more
/// than is wanted; by chance so much more is so many times as rare.
void weigh_causes(SlowName& slow, const Moments& own_holes, const Moments& control_holes, std::span<const double> growths) {
    constexpr double growth_times_max = 20;
    const double grown_chance = chance_of(slow.control_grown, baseline_unknown, grown_chance_floor);
    double by_chance = log_by(slow.grown, grown_chance);
    for (const double times : growths) by_chance -= std::log(std::min(growth_times_max, times));
    const double by_queue = log_by_share(slow.grown, std::max(queue_share, grown_chance), 1);

    const double floor = holes_spread_min * holes_spread_min;
    const double error = std::sqrt(std::max(floor, own_holes.variance()) / std::max(1.0, own_holes.count) + std::max(floor, control_holes.variance()) / std::max(1.0, control_holes.count));
    const double beyond = (own_holes.mean() - control_holes.mean() - more_holes_min) / error;
    const double same_holes = -0.5 * std::pow(std::max(0.0, beyond), 2);
    const double more_holes = -0.5 * std::pow(std::max(0.0, -beyond), 2) - 0.5 * std::log1p(own_holes.count);

    auto& fit = slow.log_likelihoods;
    fit[static_cast<std::size_t>(SlowCause::policing)] = by_chance + more_holes + log_by_share(slow.bursty, dropped_burst_min, 1);
    // A queue that is full drops as well.
    fit[static_cast<std::size_t>(SlowCause::shaping)] = by_queue + std::max(same_holes, more_holes) - std::log(2.0) + log_by_share(slow.bursty, 0, queue_burst_max);
    fit[static_cast<std::size_t>(SlowCause::server)] = by_chance + same_holes + log_by_share(slow.bursty, 0, 1);
}

/// Beyond how many bytes the flows of a name are slow.
std::optional<SlowName::FullSpeed> full_speed_of(std::span<const RateRecord> rates, const SlowName& slow, Controls& controls) {
    constexpr std::size_t flows_max = 4096;
    constexpr std::size_t flows_min = 6;
    std::vector<double> kib;
    for (const std::size_t i : slow.members) {
        if (!controls.is_slow(i)) continue;
        const RateCurve& curve = rates[i].curve;
        std::vector<double> seconds;
        for (std::size_t point = 0; point < curve.points; ++point) seconds.push_back(curve.microseconds[point] / 1e6);
        if (const auto bytes = full_speed_bytes(seconds, controls.curve(rates[i].server))) kib.push_back(*bytes / 1024);
        if (kib.size() >= flows_max) break;
    }
    if (kib.size() < flows_min) return std::nullopt;
    std::sort(kib.begin(), kib.end());
    // Order statistics around the median: ranks at n / 2 -+ 1.96 sqrt(n) / 2.
    const auto count = static_cast<double>(kib.size());
    const auto low = static_cast<std::size_t>(std::max(0.0, std::floor(count / 2 - 0.98 * std::sqrt(count))));
    const auto high = static_cast<std::size_t>(std::min(count - 1, std::ceil(count / 2 + 0.98 * std::sqrt(count))));
    return SlowName::FullSpeed{kib.size(), kib[kib.size() / 2], kib[low], kib[high]};
}

void describe_round_trips(std::span<const RateRecord> rates, SlowName& slow) {
    std::vector<double> round_trips, low, high;
    for (const std::size_t i : slow.members) {
        if (!rates[i].has_both_legs) continue;
        round_trips.push_back(rates[i].round_trip);
        low.push_back(rates[i].growth_low);
        high.push_back(rates[i].growth_high);
    }
    slow.has_round_trip = !round_trips.empty();
    slow.round_trip_seconds = median(std::move(round_trips));
    slow.growth_low_seconds = median(std::move(low));
    slow.growth_high_seconds = median(std::move(high));
}

std::string_view alternative_of(const SlowName& slow, double p_value_max) {
    constexpr std::uint64_t controls_min = 3;
    if (slow.server_controls < controls_min) return "a slow server or path: no other name's long answers came from there fast";
    if (slow.server_p_value > p_value_max) return "a slow server or path: other names are not clearly faster there";
    if (slow.controls.flows == 0) return "congestion: no other name was measured at the same time";
    if (slow.client_controls == 0) return "a slow line of the client: it got no long answers of other names";
    if (slow.client_p_value > p_value_max) return "a slow line of the client: other names are not clearly faster there";
    if (slow.p_value > p_value_max || chance_of(slow.beside, 0, 0) > near_slow_max) return "congestion: other names were slow at the same time";
    if (slow.spread > spread_max) return "congestion: the rate differs from flow to flow";
    if (!slow.is_server_excluded())
        return slow.grown.flows == 0 ? "a server that pauses or holds its own pace: no round trip was seen while data flowed, and no more is missing than of others"
                                     : "a server that pauses or holds its own pace: round trips do not clearly grow, and no more is missing than of others";
    return {};
}

}  // namespace

bool SlowName::is_caused_by(SlowCause cause) const {
    const double fit = log_likelihoods[static_cast<std::size_t>(cause)];
    for (std::size_t i = 0; i < slow_cause_count; ++i)
        if (i != static_cast<std::size_t>(cause) && fit - log_likelihoods[i] < told_min) return false;
    // What fits best may still fit badly: some flows through a queue and some not.
    const auto hits = static_cast<double>(grown.hits);
    const auto flows = static_cast<double>(grown.flows);
    if (cause == SlowCause::policing) return hits <= policing_grown_max * flows;
    if (cause == SlowCause::shaping) return flows > 0 && hits >= shaping_grown_min * flows;
    return true;
}

bool SlowName::is_server_excluded() const {
    const double server = log_likelihoods[static_cast<std::size_t>(SlowCause::server)];
    return std::max(log_likelihoods[static_cast<std::size_t>(SlowCause::policing)], log_likelihoods[static_cast<std::size_t>(SlowCause::shaping)]) - server >= told_min;
}

std::optional<bool> has_grown(const RateRecord& rate) {
    const double wanted = growth_wanted_seconds(rate);
    if (rate.has_round_trip && rate.growth_low >= wanted) return true;
    if (rate.has_both_legs && rate.growth_high < wanted) return false;
    return std::nullopt;
}

std::optional<double> full_speed_bytes(std::span<const double> own_seconds, std::span<const double> control_seconds) {
    constexpr std::size_t points_min = 6;
    constexpr std::size_t slow_points_min = 3;
    constexpr std::size_t steps = 256;
    const std::size_t points = std::min(own_seconds.size(), control_seconds.size());
    if (points < points_min) return std::nullopt;
    const double last = RateCurve::position_bytes(points - slow_points_min);
    double best = 0;
    double best_error = -1;
    for (std::size_t step = 0; step < steps; ++step) {
        const double from = last * static_cast<double>(step) / steps;
        double xx = 0, xy = 0, yy = 0;
        for (std::size_t point = 0; point < points; ++point) {
            const double x = std::max(0.0, RateCurve::position_bytes(point) - from);
            const double y = own_seconds[point] - control_seconds[point];
            xx += x * x;
            xy += x * y;
            yy += y * y;
        }
        const double error = xy <= 0 ? yy : yy - xy * xy / xx;
        if (best_error >= 0 && error >= best_error) continue;
        best = from;
        best_error = error;
    }
    return best;
}

double smaller_in_strata(std::span<RankStratum> strata) {
    double above = 0;
    double expected = 0;
    double variance = 0;
    for (RankStratum& stratum : strata) {
        std::sort(stratum.controls.begin(), stratum.controls.end());
        const auto own = static_cast<double>(stratum.own.size());
        const auto controls = static_cast<double>(stratum.controls.size());
        for (const double value : stratum.own) {
            const auto below = std::lower_bound(stratum.controls.begin(), stratum.controls.end(), value) - stratum.controls.begin();
            const auto upto = std::upper_bound(stratum.controls.begin(), stratum.controls.end(), value) - stratum.controls.begin();
            above += (static_cast<double>(below) + static_cast<double>(upto)) / 2;
        }
        expected += own * controls / 2;
        variance += own * controls * (own + controls + 1) / 12;
    }
    if (variance <= 0) return 1;
    return 0.5 * std::erfc((expected - above - 0.5) / std::sqrt(2 * variance));
}

std::vector<SlowName> find_slow_names(std::span<const RateRecord> rates, double p_value_max) {
    const std::vector<double> logs = summed_log_rates(rates);
    std::map<std::uint32_t, std::vector<std::size_t>> by_name;
    for (std::size_t i = 0; i < rates.size(); ++i) by_name[rates[i].name].push_back(i);
    if (by_name.size() < 2) return {};
    // What is slow: under a quarter of the rate of the fast names, the upper quartile of the names' medians.
    std::map<std::uint32_t, double> median_of;
    std::vector<double> sorted;
    for (const auto& [name, members] : by_name) {
        std::vector<double> values;
        for (const std::size_t i : members) values.push_back(logs[i]);
        sorted.push_back(median_of[name] = median(std::move(values)));
    }
    std::sort(sorted.begin(), sorted.end());
    const double fast = sorted[sorted.size() * 3 / 4];
    const double slow_below = fast - std::log(4.0);
    std::vector<std::size_t> fast_members;
    for (const auto& [name, members] : by_name)
        if (median_of[name] >= slow_below) fast_members.insert(fast_members.end(), members.begin(), members.end());
    if (fast_members.size() < baseline_min) return {};
    Controls controls(rates, logs, fast_members, slow_below);

    std::vector<SlowName> all;
    for (auto& [name, members] : by_name) {
        if (median_of[name] >= slow_below) continue;
        SlowName slow;
        slow.name = name;
        slow.slow_below = std::exp(slow_below);
        slow.rate_share = std::exp(median_of[name] - fast);
        Moments own_holes, control_holes, log_rates;
        std::vector<std::size_t> slow_members;
        std::vector<double> growths;
        for (const std::size_t i : members) {
            const RateRecord& rate = rates[i];
            ++slow.own.flows;
            own_holes.add(rate.holes_share);
            ++slow.bursty.flows;
            slow.bursty.hits += rate.gap_variation > 1;
            add_growth(rate, slow.grown);
            if (has_grown(rate).value_or(false)) growths.push_back(rate.growth_low / growth_wanted_seconds(rate));
            if (!controls.is_slow(i)) continue;
            ++slow.own.hits;
            slow_members.push_back(i);
            log_rates.add(log_rate(rate));
        }
        for (const std::size_t i : controls.near(members)) {
            ++slow.controls.flows;
            slow.controls.hits += controls.is_slow(i);
            control_holes.add(rates[i].holes_share);
            add_growth(rates[i], slow.control_grown);
        }
        for (const std::size_t i : controls.near(slow_members)) {
            ++slow.beside.flows;
            slow.beside.hits += controls.is_slow(i);
        }
        slow.members = std::move(members);
        slow.spread = std::sqrt(log_rates.variance());
        slow.chance = chance_of(slow.controls, baseline_unknown, baseline_floor);
        slow.p_value = binomial_tail(slow.own.hits, slow.own.flows, slow.chance);
        std::tie(slow.server_controls, slow.server_p_value) = controls.compare_servers(slow.members);
        std::tie(slow.client_controls, slow.client_p_value) = controls.compare_clients(slow.members);
        slow.holes_share = own_holes.mean();
        slow.control_holes_share = control_holes.mean();
        weigh_causes(slow, own_holes, control_holes, growths);
        describe_round_trips(rates, slow);
        slow.full_speed = full_speed_of(rates, slow, controls);
        slow.alternative = alternative_of(slow, p_value_max);
        all.push_back(std::move(slow));
    }
    return all;
}

}  // namespace unveil
