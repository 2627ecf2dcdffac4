#include "instruments/interference/measurement_book.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <tuple>

#include "core/hash.hpp"
#include "core/random.hpp"
#include "core/time.hpp"
#include "instruments/interference/facts.hpp"
#include "statistics/bootstrap.hpp"
#include "statistics/change_point.hpp"
#include "statistics/multiple_testing.hpp"
#include "statistics/proportion.hpp"

namespace unveil::interference {
namespace {

constexpr std::int64_t hour_us = 3'600'000'000;
constexpr std::int64_t day_us = 24 * hour_us;
constexpr std::size_t domain_bytes_max = 253;
constexpr std::size_t addresses_max = 4'096;  // known to be a domain's
constexpr std::size_t pending_max = 16;       // odd answers of a domain in a network
constexpr std::size_t pages_max = 16;         // other pages of a domain in a network
constexpr std::size_t rules_max = 16;

/// Weights for "blocked" that the rules of ooni/data can give; a median needs no more than how often each came up.
constexpr double data_v2_values[] = {0, 0.05, 0.1, 0.2, 0.25, 0.5, 0.7, 0.75, 0.8, 0.9, 0.95, 1};
constexpr std::size_t data_v2_count = std::size(data_v2_values);

constexpr std::string_view series_names[] = {"dns-isp", "dns-other", "tcp", "tls"};
constexpr std::size_t series = std::size(series_names);

std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

/// What one kind of probe saw on one day.
struct DayKey {
    std::int32_t day = 0;
    std::uint32_t probe = 0;
    auto operator<=>(const DayKey&) const = default;
};

struct Day {
    std::array<SiteDay::Count, layers> of{};
    std::uint32_t measurements = 0;
    std::uint32_t refused = 0;  // by the site itself
    std::uint32_t captchas = 0;
    std::uint32_t misdirected = 0;

    void add(const Day& other) {
        for (std::size_t i = 0; i < layers; ++i) {
            of[i].seen += other.of[i].seen;
            of[i].blocked += other.of[i].blocked;
            of[i].down += other.of[i].down;
        }
        measurements += other.measurements;
        refused += other.refused;
        captchas += other.captchas;
        misdirected += other.misdirected;
    }
};

/// How many independent measurements those of clusters are worth: the counts of each over 1 + (measurements - 1) rho (Rao and Scott, Biometrics 48
/// (1992) 577). What a probe that is out of order saw is worth none.
struct Effective {
    double blocked = 0;
    double measurements = 0;

    void add(const Effective& other) {
        blocked += other.blocked;
        measurements += other.measurements;
    }
};

struct DayTotal {
    Day counts;
    std::array<Effective, layers> of{};
    std::array<std::uint32_t, layers> out_of_order{};  // measurements
};

struct NetworkDays {
    std::map<DayKey, Day> by_probe;
    std::map<std::int32_t, DayTotal> by_day;
};

struct Hour {
    std::array<std::array<std::uint16_t, data_v2_count>, series> counts{};
};

/// Counts by key of the smallest keys only. What stays was never away, so its count is exact, whatever the order.
template <std::size_t max>
class SmallestCounts {
  public:
    void add(std::uint64_t key, DayKey day) {
        ++m_counts[key][day];
        if (m_counts.size() > max) m_counts.erase(std::prev(m_counts.end()));
    }
    const std::map<std::uint64_t, std::map<DayKey, std::uint32_t>>& all() const { return m_counts; }

  private:
    std::map<std::uint64_t, std::map<DayKey, std::uint32_t>> m_counts;
};

/// Hashes of 64 bits in a table that is at most half full, or a quarter where it has just grown.
class KnownHashes {
  public:
    /// False when it was there.
    bool insert(std::uint64_t hash) {
        hash += hash == 0;  // 0 marks a free place
        if (2 * (m_size + 1) > m_places.size()) grow();
        auto& place = find(hash);
        if (place != 0) return false;
        place = hash;
        ++m_size;
        return true;
    }
    bool contains(std::uint64_t hash) { return !m_places.empty() && find(hash + (hash == 0)) != 0; }
    std::uint64_t size() const { return m_size; }

  private:
    std::uint64_t& find(std::uint64_t hash) {
        const std::size_t mask = m_places.size() - 1;
        std::size_t at = hash & mask;
        while (m_places[at] != 0 && m_places[at] != hash) at = (at + 1) & mask;
        return m_places[at];
    }
    void grow() {
        constexpr std::size_t places_min = 1024;
        std::vector<std::uint64_t> old(std::max(places_min, 2 * m_places.size()), 0);
        old.swap(m_places);
        for (const auto hash : old)
            if (hash != 0) find(hash) = hash;
    }

    std::vector<std::uint64_t> m_places;
    std::uint64_t m_size = 0;
};

/// The same for every copy of a measurement; nothing where it has no name. The archive and the API of OONI both have the report, not both the uid.
std::optional<std::uint64_t> identity_of(const Measurement& m) {
    if (m.report_id.empty() && m.measurement_uid.empty()) return {};
    std::string name(m.report_id.empty() ? m.measurement_uid : m.report_id);
    for (const auto part : {m.test_name, m.input}) name.append(1, '\n').append(part);
    name.append(1, '\n').append(std::to_string(m.start_us));
    return hash_bytes(name);
}

struct LayerBook {
    std::map<std::string_view, std::uint64_t> rules;  // of blocked measurements
    std::uint64_t over_v6_alone = 0;                  // of them, those where no address of version 4 failed
    std::set<LocatedPointer> locators;
    std::map<std::int32_t, LocatedPointer> first_of_day;

    /// The first by name of those that are most frequent; empty without any.
    std::string_view main_rule() const {
        const auto most = std::max_element(rules.begin(), rules.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
        return most == rules.end() ? std::string_view() : most->first;
    }
};

struct Network {
    std::map<DayKey, Day> days;
    std::map<std::int64_t, Hour> hours;
    std::array<LayerBook, layers> of;
    std::array<std::uint64_t, standing_kinds> standing_counts{};
    std::set<std::uint64_t> reports;      // the smallest hashes
    SmallestCounts<pending_max> pending;  // addresses of answers that were called blocked for being nobody else's
    SmallestCounts<pages_max> pages;      // that are not the control's
    std::set<std::uint32_t> asks_elsewhere;  // kinds of probe whose resolver is in another network
    std::uint64_t false_on_the_way = 0;      // blocked answers to those that the resolver alone cannot have made
    std::string name;
    std::string test_name;  // empty where there are several
};

using NetworkKey = std::pair<std::string, std::uint32_t>;  // country, network

struct Domain {
    std::map<NetworkKey, Network> networks;
    std::set<std::uint64_t> valid;  // hashes of addresses where somebody completed a valid handshake for the name; the smallest
};

/// Rules by which a measurement is blocked since a page came that is not the control's, which may be the site's own for the country.
bool is_of_page(std::string_view rule) { return rule == "http.other_page" || rule == "dns.unmatched_and_other_page"; }

/// Rules that call an answer false because the address is unknown; a valid handshake there, by anybody, clears them.
bool is_cleared_by_handshake(std::string_view rule) {
    return rule == "dns.resolvers_disagree" || rule == "dns.unmatched_and_dead" || rule == "dns.unmatched_and_other_page";
}

/// Blocked measurements by on whose word they count as such.
struct Grounds {
    std::uint64_t all = 0;
    std::uint64_t forged = 0;
    std::uint64_t vouched = 0;  // by the control, or forged

    void add(const LayerBook& book) {
        for (const auto& [rule, count] : book.rules) {
            const auto ground = rule_ground(rule);
            all += count;
            forged += ground == RuleGround::forgery ? count : 0;
            vouched += ground == RuleGround::probe ? 0 : count;
        }
    }
    /// Of most.
    RuleGround main() const { return forged * 2 > all ? RuleGround::forgery : vouched * 2 > all ? RuleGround::control : RuleGround::probe; }
};

std::string_view mechanism_of(std::string_view name) {
    for (const auto& rule : unveil_scoring_rules())
        if (rule.name == name) return rule.mechanism;
    return {};
}

/// P(X >= blocked) for X binomial, between whole numbers by the incomplete beta function that it is.
double effective_tail(const Effective& counted, double share) {
    if (counted.blocked <= 0) return 1;
    return incomplete_beta(counted.blocked, std::max(0.0, counted.measurements - counted.blocked) + 1, share);
}
/// The same against groups. Whole numbers on the side of more chance.
double effective_tail(const Effective& counted, const GroupModel& model) {
    constexpr double slack = 1e-9;
    const auto hits = static_cast<std::uint64_t>(counted.blocked + slack);
    return beta_binomial_tail(hits, std::max(hits, static_cast<std::uint64_t>(std::ceil(counted.measurements - slack))), model.mean, model.rho);
}

/// A report is named by when the collector opened it, "20240101T000000Z_...", a measurement by when it came in, "20240101000000.123456_..."; a probe whose
/// clock is wrong shows there.
std::optional<std::int64_t> time_of_collector(const Measurement& m) {
    constexpr std::size_t report_bytes = 16;
    constexpr std::size_t uid_bytes = 15;
    std::string digits;
    if (m.report_id.size() > report_bytes && m.report_id[8] == 'T' && m.report_id[15] == 'Z') digits.append(m.report_id.substr(0, 8)).append(m.report_id.substr(9, 6));
    else if (m.measurement_uid.size() > uid_bytes && m.measurement_uid[14] == '.') digits = m.measurement_uid.substr(0, 14);
    if (digits.empty() || !std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; })) return {};
    const std::string_view d = digits;
    std::string written;
    for (const auto part : {d.substr(0, 4), std::string_view("-"), d.substr(4, 2), std::string_view("-"), d.substr(6, 2), std::string_view("T"), d.substr(8, 2), std::string_view(":"),
                            d.substr(10, 2), std::string_view(":"), d.substr(12, 2)})
        written.append(part);
    return parse_time_us(written);
}

/// Volunteers have no names; what can be told apart is what they run, where their names are looked up. Versions are left out, since they change.
std::uint32_t probe_kind(const Measurement& m) {
    std::string name;
    for (const auto part : {m.platform, m.software_name, m.resolver_address}) name.append(part).append(1, '\n');
    return static_cast<std::uint32_t>(hash_bytes(name));
}

/// What a page is known again by: its status and title, or how it begins.
std::uint64_t page_hash(const HttpRequest& request) {
    constexpr std::size_t begin_bytes = 4096;
    auto text = http_title(request);
    if (text.empty()) text = http_body(request, begin_bytes);
    return hash_bytes(text.append(1, '\n').append(std::to_string(request.status)));
}

/// Whether no address of version 4 failed on the layer; only where something did.
bool is_over_v6_alone(const Measurement& m, Layer layer) {
    if (layer == Layer::tcp)
        return std::none_of(m.connects.begin(), m.connects.end(), [](const auto& one) { return !one.failure.empty() && one.address.find(':') == std::string_view::npos; });
    if (layer == Layer::tls)
        return std::none_of(m.handshakes.begin(), m.handshakes.end(), [](const auto& one) { return !one.failure.empty() && !one.endpoint.starts_with('['); });
    return false;
}

std::uint64_t address_hash(std::string_view address) { return hash_bytes(address); }

bool is_of_system(const DnsQuery& query) { return query.engine.empty() || query.engine == "system" || query.engine == "getaddrinfo"; }

/// Whether an unencrypted question to somebody else than the system's resolver ended in the same way, or the answer gives itself away: then it was not
/// that resolver which made it.
bool is_false_on_the_way(const Measurement& m, std::string_view rule) {
    if (rule == "dns.racing_answers" || rule == "dns.fingerprint") return true;
    std::set<std::string_view> system;
    std::set<std::string_view> plain;
    for (const auto& query : m.queries) {
        if (query.step.depth != 0 || query.engine == "doh" || query.engine == "dot") continue;
        auto& seen = is_of_system(query) ? system : plain;
        // Who has no address of version 6 says nothing.
        if (!query.failure.empty() && query.type != "AAAA") seen.insert(query.failure);
        for (const auto& answer : m.answers_of(query))
            if (!answer.address.empty()) seen.insert(answer.address);
    }
    return std::any_of(system.begin(), system.end(), [&](std::string_view one) { return plain.count(one) > 0; });
}

bool is_country(std::string_view text) {
    return text.size() == 2 && std::all_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; }) && text != "ZZ";
}

struct DayCount {
    std::int32_t day = 0;
    GroupCount count;
};

/// The days in a row, with days before and after them, in which the share of hits exceeds that of all others most by the likelihood ratio; its p-value
/// from days in random order. One split cannot show what begins and ends: both sides of it hold something of either. After Levin and Kline, Statistics in
/// Medicine 4 (1985) 469. Nothing where that may be chance. O(days^2 x runs) time.
std::optional<std::array<CellChange, 2>> rise_and_fall(const std::vector<DayCount>& days, const BookRules& rules) {
    constexpr std::size_t days_max = 400;
    const std::size_t shortest = std::max(1u, rules.segment_days_min);
    if (days.size() < 3 * shortest || days.size() > days_max) return {};
    const auto x_log_x = [](double x) { return x > 0 ? x * std::log(x) : 0.0; };
    std::vector<GroupCount> sums(days.size() + 1);
    const auto sum_up = [&](std::span<const DayCount> ordered) {
        for (std::size_t i = 0; i < ordered.size(); ++i) sums[i + 1] = {sums[i].hits + ordered[i].count.hits, sums[i].trials + ordered[i].count.trials};
    };
    const auto fit_of = [&](double hits, double trials) { return x_log_x(hits) + x_log_x(trials - hits) - x_log_x(trials); };
    const auto inside = [&](std::size_t from, std::size_t to) { return GroupCount{sums[to].hits - sums[from].hits, sums[to].trials - sums[from].trials}; };
    const auto fit = [&](std::size_t from, std::size_t to) {
        const auto in = inside(from, to);
        const GroupCount out = {sums.back().hits - in.hits, sums.back().trials - in.trials};
        if (in.hits * out.trials <= out.hits * in.trials) return -std::numeric_limits<double>::infinity();
        return fit_of(static_cast<double>(in.hits), static_cast<double>(in.trials)) + fit_of(static_cast<double>(out.hits), static_cast<double>(out.trials));
    };
    std::size_t from = 0;
    std::size_t to = 0;
    const auto best = [&] {
        double most = -std::numeric_limits<double>::infinity();
        for (std::size_t i = shortest; i + 2 * shortest <= days.size(); ++i)
            for (std::size_t j = i + shortest; j + shortest <= days.size(); ++j)
                if (const double here = fit(i, j); here > most) most = here, from = i, to = j;
        return most;
    };
    sum_up(days);
    const double observed = best();
    if (to == 0) return {};
    const std::size_t first = from;
    const std::size_t last = to;
    const auto here = inside(first, last);
    const double share_in = static_cast<double>(here.hits) / static_cast<double>(here.trials);
    const double share_out = static_cast<double>(sums.back().hits - here.hits) / static_cast<double>(sums.back().trials - here.trials);
    // Each end by what the likelihood leaves to it while the other stays; both ends of the measured gap around it.
    const auto change_at = [&](bool is_rise) {
        const std::size_t low = is_rise ? shortest : first + shortest;
        const std::size_t high = is_rise ? last - shortest : days.size() - shortest;
        std::vector<std::pair<double, std::size_t>> order;
        double total = 0;
        for (std::size_t i = low; i <= high; ++i) {
            order.emplace_back(std::exp((is_rise ? fit(i, last) : fit(first, i)) - observed), i);
            total += order.back().first;
        }
        std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; });
        std::size_t low_end = order.front().second;
        std::size_t high_end = low_end;
        double held = 0;
        for (const auto& [weight, i] : order) {
            low_end = std::min(low_end, i);
            high_end = std::max(high_end, i);
            held += weight;
            if (held >= rules.level * total) break;
        }
        const std::size_t at = is_rise ? first : last;
        return CellChange{days[at].day, days[low_end - 1].day + 1, days[high_end].day, is_rise ? share_out : share_in, is_rise ? share_in : share_out, 1};
    };
    std::array<CellChange, 2> changes = {change_at(true), change_at(false)};
    std::uint64_t reached = 0;
    std::vector<DayCount> shuffled(days);
    for (std::uint32_t run = 0; run < rules.change_runs; ++run) {
        Random random(rules.seed, run + 1);
        for (std::size_t i = shuffled.size(); i > 1; --i) std::swap(shuffled[i - 1], shuffled[random.below(i)]);
        sum_up(shuffled);
        reached += best() >= observed - 1e-9 * (1 + std::abs(observed));
        if (monte_carlo_p(reached, rules.change_runs) > rules.change_p_max) return {};
    }
    changes[0].p = changes[1].p = monte_carlo_p(reached, rules.change_runs);
    return changes;
}

std::size_t value_place(double value) {
    std::size_t best = 0;
    for (std::size_t i = 1; i < data_v2_count; ++i)
        if (std::abs(data_v2_values[i] - value) < std::abs(data_v2_values[best] - value)) best = i;
    return best;
}

/// Linear between the two in the middle, as ClickHouse's quantile does.
std::optional<double> median(const std::array<std::uint16_t, data_v2_count>& counts) {
    std::uint64_t total = 0;
    for (const auto count : counts) total += count;
    if (total == 0) return {};
    const auto at = [&](std::uint64_t place) {
        std::uint64_t seen = 0;
        for (std::size_t i = 0; i < data_v2_count; ++i) {
            seen += counts[i];
            if (place < seen) return data_v2_values[i];
        }
        return data_v2_values[data_v2_count - 1];
    };
    return (at((total - 1) / 2) + at(total / 2)) / 2;
}

}  // namespace

double beta_binomial_tail(std::uint64_t hits, std::uint64_t trials, double mean, double rho) {
    if (hits == 0) return 1;
    const double a = mean * (1 - rho) / rho;
    const double b = (1 - mean) * (1 - rho) / rho;
    const auto n = static_cast<double>(trials);
    // From the top, where terms are smallest, so that small tails keep their digits.
    double tail = 0;
    double log_term = std::lgamma(n + a) - std::lgamma(n + a + b) + std::lgamma(a + b) - std::lgamma(a);
    for (std::uint64_t x = trials;; --x) {
        tail += std::exp(log_term);
        if (x == hits) break;
        const auto k = static_cast<double>(x);
        // From x to x - 1.
        log_term += std::log(k * (n - k + b) / ((n - k + 1) * (k - 1 + a)));
    }
    return std::min(1.0, tail);
}

void ClusterCorrelation::add(std::span<const GroupCount> clusters) {
    double hits = 0, trials = 0, hit_squares = 0, trial_squares = 0;
    for (const auto& cluster : clusters) {
        const auto b = static_cast<double>(cluster.hits);
        const auto n = static_cast<double>(cluster.trials);
        hits += b;
        trials += n;
        hit_squares += b * b;
        trial_squares += n * n;
        m_within += b * (b - 1);
        m_within_pairs += n * (n - 1);
        if (n > 1) m_partnered += b;
    }
    m_hits += hits;
    m_trials += trials;
    m_between += hits * hits - hit_squares;
    m_between_pairs += trials * trials - trial_squares;
}

double ClusterCorrelation::value(double prior) const {
    double found = 0;
    if (m_within_pairs > 0 && m_between_pairs > 0 && m_partnered > 0) {
        const double between = m_between / m_between_pairs;
        const double spread = m_hits / m_trials - between;
        found = spread > 0 ? std::clamp((m_within / m_within_pairs - between) / spread, 0.0, 1.0) : prior;
    }
    return (found * m_partnered + prior * prior_weight) / (m_partnered + prior_weight);
}

GroupModel fit_groups(std::span<const GroupCount> groups, double rho_min, double rho_few) {
    double hits = 0;
    double trials = 0;
    double squares = 0;
    double count = 0;
    for (const auto& group : groups) {
        if (group.trials == 0) continue;
        const auto n = static_cast<double>(group.trials);
        hits += static_cast<double>(group.hits);
        trials += n;
        squares += n * n;
        ++count;
    }
    GroupModel model;
    model.mean = (hits + 0.5) / (trials + 1);
    if (count < 3) {
        model.rho = rho_few;
        return model;
    }
    const double p = model.mean;
    double pearson = 0;
    for (const auto& group : groups) {
        if (group.trials == 0) continue;
        const auto n = static_cast<double>(group.trials);
        const double off = static_cast<double>(group.hits) - n * p;
        pearson += off * off / (n * p * (1 - p));
    }
    const double size = (trials - squares / trials) / (count - 1);
    const double rho = size > 1 ? (pearson / (count - 1) - 1) / (size - 1) : rho_few;
    model.rho = std::clamp(rho, rho_min, 0.9);
    return model;
}

std::vector<CusumChange> cusum_changes(std::span<const CusumPoint> points, const CusumRules& rules) {
    enum class State { unknown, ok, blocked };
    auto state = State::unknown;
    const double half = (rules.mean_blocked - rules.mean_ok) / 2;
    const double threshold = rules.threshold();
    double rise = 0;
    double fall = 0;
    std::optional<bool> last;  // what the last change was to
    std::vector<CusumChange> out;
    std::optional<std::int64_t> before_us;
    for (const auto& point : points) {
        if (before_us) {
            const double gap_hours = static_cast<double>(point.time_us - *before_us) / static_cast<double>(hour_us);
            if (gap_hours > 24) {
                const double kept = std::pow(0.5, gap_hours / rules.half_life_hours);
                rise *= kept;
                fall *= kept;
            }
        }
        before_us = point.time_us;
        const double risen = std::max(0.0, rise + (point.value - rules.mean_ok) - half);
        const double fallen = std::max(0.0, fall - (point.value - rules.mean_blocked) - half);
        if (state == State::unknown) {
            rise = risen;
            fall = fallen;
            if (rise > threshold) state = State::blocked;
            else if (fall > threshold) state = State::ok;
            else continue;
            rise = fall = 0;
            continue;
        }
        const bool was_ok = state == State::ok;
        rise = was_ok ? risen : 0;
        fall = was_ok ? 0 : fallen;
        if ((was_ok ? rise : fall) <= threshold) continue;
        // The published detector says no change twice in a row, and stays where it is then.
        if (last != was_ok) {
            out.push_back({point.time_us, was_ok});
            last = was_ok;
            state = was_ok ? State::blocked : State::ok;
        }
        rise = fall = 0;
    }
    return out;
}

std::string_view cell_verdict_name(CellVerdict verdict) {
    switch (verdict) {
        case CellVerdict::blocked: return "blocked";
        case CellVerdict::not_blocked: return "not blocked";
        case CellVerdict::down_everywhere: return "down everywhere";
        case CellVerdict::geo_block: return "geo-block";
        case CellVerdict::insufficient: return "insufficient";
    }
    return "";
}

std::string_view cell_control_name(CellControl control) {
    switch (control) {
        case CellControl::helper: return "test helper";
        case CellControl::other_networks: return "other networks";
        case CellControl::other_countries: return "other countries";
    }
    return "";
}

std::string_view alternative_name(Alternative alternative) {
    switch (alternative) {
        case Alternative::site_down: return "site-down";
        case Alternative::geo_block: return "geo-block";
        case Alternative::captcha: return "captcha";
        case Alternative::broken_redirect: return "broken-redirect";
        case Alternative::ipv6_trouble: return "ipv6-trouble";
        case Alternative::own_network: return "own-network";
        case Alternative::line_trouble: return "line-trouble";
        case Alternative::ordinary_failure: return "ordinary-failure";
    }
    return "";
}

std::string_view alternative_state_name(AlternativeState state) {
    switch (state) {
        case AlternativeState::weighed: return "weighed";
        case AlternativeState::not_testable: return "not testable";
        case AlternativeState::cannot_explain: return "cannot explain it";
    }
    return "";
}

struct MeasurementBook::State {
    BookRules rules;
    double error_share_max = 0;
    bool is_error_share_checked = false;  // by somebody; what is not makes nothing firm
    double rho_min = 0;
    double rho_few = 0;
    double rho_prior = 0;
    const FingerprintSet* fingerprints = nullptr;
    BookCounts counts;
    std::uint64_t cells = 0;
    KnownHashes known;
    std::map<std::string, Domain, std::less<>> domains;

    void add(const Measurement& m);
    void add_data_v2(const Measurement& m, Network& network) const;
    struct Span {
        Effective worth;
        std::int32_t first = 0;
        std::int32_t last = -1;
    };
    static Span worst_span(const NetworkDays& days, std::size_t layer);
    using DaysOf = std::map<NetworkKey, NetworkDays>;

    /// Of one kind of probe in one network on one day: sites that it measured, and of them those that are blocked.
    struct Sites {
        std::uint32_t all = 0;
        std::uint32_t blocked = 0;
    };
    /// What only all sites together show.
    struct Surroundings {
        std::map<NetworkKey, std::map<DayKey, std::array<Sites, layers>>> sites;
        std::map<std::pair<NetworkKey, std::uint64_t>, std::uint32_t> pages;  // sites with an other page, by its hash
        std::map<NetworkKey, std::array<GroupCount, layers>> ordinary;        // sites that mostly work, together
        std::array<double, layers> rho{};

        Sites of(const NetworkKey& key, DayKey day, std::size_t layer) const {
            const auto network = sites.find(key);
            if (network == sites.end()) return {};
            const auto it = network->second.find(day);
            return it == network->second.end() ? Sites{} : it->second[layer];
        }
    };
    Surroundings surroundings() const;
    /// Measurements and failures of one site in one network but for those of probes out of order; nothing where most fail.
    GroupCount ordinary_of(const NetworkKey& key, const Network& network, std::size_t layer, const Surroundings& around) const;
    bool is_out_of_order(const Sites& sites) const { return sites.all >= rules.domains_min && sites.blocked * 2 > sites.all; }
    DaysOf days_of(const Domain& domain, const Surroundings& around) const;
    BlockedCell cell_of(const std::string& name, const Domain& domain, const NetworkKey& key, Layer layer, const DaysOf& days_of, const Surroundings& around) const;
    void weigh(BlockedCell& cell, const Domain& domain, const NetworkKey& key, const DaysOf& days_of, const Surroundings& around, const Span& span, RuleGround ground) const;
    void find_changes(BlockedCell& cell, const std::map<std::int32_t, DayTotal>& days) const;
    std::string_view doubt_of(const BlockedCell& cell) const;
};

void MeasurementBook::State::add(const Measurement& m) {
    ++counts.measurements;
    std::string country(m.country);
    for (char& c : country)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (m.asn == 0 || !is_country(country)) {
        ++counts.unplaced;
        return;
    }
    if (!m.has_start) {
        ++counts.without_time;
        return;
    }
    const auto subject = m.domain.empty() ? m.test_name : m.domain;
    if (subject.empty() || subject.size() > domain_bytes_max) {
        ++counts.without_subject;
        return;
    }
    if (const auto received_us = time_of_collector(m); received_us && std::abs(*received_us - m.start_us) > day_us) {
        ++counts.odd_clock;
        return;
    }
    if (const auto identity = identity_of(m)) {
        const bool has_room = known.size() < rules.known_max;
        if (has_room ? !known.insert(*identity) : known.contains(*identity)) {
            ++counts.repeated;
            return;
        }
        counts.not_compared += !has_room;
    }
    const auto score = score_unveil(m, *fingerprints);
    const auto day = static_cast<std::int32_t>(floor_div(m.start_us, day_us));
    auto found = domains.find(subject);
    if (found == domains.end()) {
        if (cells >= rules.cells_max) {
            ++counts.dropped;
            return;
        }
        found = domains.emplace(std::string(subject), Domain()).first;
    }
    auto& domain = found->second;
    const NetworkKey key(std::move(country), m.asn);
    const DayKey place{day, probe_kind(m)};
    if (cells >= rules.cells_max) {
        const auto it = domain.networks.find(key);
        if (it == domain.networks.end() || it->second.days.count(place) == 0) {
            ++counts.dropped;
            return;
        }
    }
    ++counts.kept;
    if (std::none_of(score.of.begin(), score.of.end(), [](const LayerVerdict& verdict) { return verdict.weights.any(); })) {
        ++counts.silent;
        constexpr std::size_t test_bytes_max = 60;
        ++counts.silent_tests[std::string(m.test_name.substr(0, test_bytes_max))];
        if (counts.silent_tests.size() > BookCounts::silent_names_max) counts.silent_tests.erase(std::prev(counts.silent_tests.end()));
    }
    ++counts.standings[static_cast<std::size_t>(score.standing)];
    auto& network = domain.networks[key];
    constexpr std::size_t name_bytes_max = 200;
    if (!m.network_name.empty() && (network.name.empty() || m.network_name < network.name)) network.name = m.network_name.substr(0, name_bytes_max);
    ++network.standing_counts[static_cast<std::size_t>(score.standing)];
    network.reports.insert(m.report_id.empty() ? static_cast<std::uint64_t>(m.start_us) : hash_bytes(m.report_id));
    if (network.reports.size() > BlockedCell::reports_counted_max) network.reports.erase(std::prev(network.reports.end()));
    if (network.days.empty()) network.test_name = m.test_name.substr(0, name_bytes_max);
    else if (network.test_name != m.test_name.substr(0, name_bytes_max)) network.test_name.clear();
    const auto [cell, is_new] = network.days.try_emplace(place);
    cells += is_new;
    ++cell->second.measurements;
    cell->second.refused += score.standing == Standing::geo_block;
    cell->second.captchas += score.standing == Standing::captcha;
    cell->second.misdirected += score.standing == Standing::broken_redirect;
    for (std::size_t i = 0; i < layers; ++i) {
        const auto& verdict = score.of[i];
        if (!verdict.weights.any()) continue;
        auto& count = cell->second.of[i];
        ++count.seen;
        if (verdict.weights.down >= blocked_weight_min) ++count.down;
        if (verdict.weights.blocked < blocked_weight_min) continue;
        ++count.blocked;
        auto& book = network.of[i];
        if (book.rules.count(verdict.rule) > 0 || book.rules.size() < rules_max) ++book.rules[verdict.rule];
        book.over_v6_alone += is_over_v6_alone(m, static_cast<Layer>(i));
        if (is_of_page(verdict.rule) && !m.requests.empty()) network.pages.add(page_hash(m.requests.front()), place);
        LocatedPointer here{m.where, verdict.pointers.empty() ? std::string() : verdict.pointers.front()};
        const auto [of_day, is_first] = book.first_of_day.try_emplace(day, here);
        if (!is_first && here < of_day->second) of_day->second = here;
        book.locators.insert(std::move(here));
        if (book.locators.size() > BlockedCell::locators_max) book.locators.erase(std::prev(book.locators.end()));
    }
    for (const auto& handshake : m.handshakes) {
        if (!handshake.failure.empty() || handshake.skips_verify == Tristate::yes || handshake.server_name != m.domain) continue;
        domain.valid.insert(address_hash(address_of_endpoint(handshake.endpoint)));
        if (domain.valid.size() > addresses_max) domain.valid.erase(std::prev(domain.valid.end()));
    }
    const auto& names = score.layer_of(Layer::dns);
    if (m.resolver_asn != 0 && m.resolver_asn != m.asn) {
        network.asks_elsewhere.insert(place.probe);
        network.false_on_the_way += names.weights.blocked >= blocked_weight_min && is_false_on_the_way(m, names.rule);
    }
    if (is_cleared_by_handshake(names.rule)) {
        // The first address in alphabetic order stands for the answer.
        std::string_view first;
        for (const auto& query : m.queries) {
            if (query.step.depth != 0 || !is_of_system(query)) continue;
            for (const auto& answer : m.answers_of(query))
                if (!answer.address.empty() && (first.empty() || answer.address < first)) first = answer.address;
        }
        if (!first.empty()) network.pending.add(address_hash(first), place);
    }
    add_data_v2(m, network);
}

void MeasurementBook::State::add_data_v2(const Measurement& m, Network& network) const {
    const auto score = score_data_v2(m, *fingerprints);
    if (!score.is_scored) return;
    auto& hour = network.hours[floor_div(m.start_us, hour_us)];
    const auto count = [&](std::size_t which, double value) {
        auto& place = hour.counts[which][value_place(value)];
        if (place < UINT16_MAX) ++place;
    };
    count(m.resolver_asn == m.asn ? 0 : 1, score.dns.highest.blocked);
    count(2, score.tcp.highest.blocked);
    count(3, score.tls.highest.blocked);
}

/// The days in a row on which blocked measurements exceed others most (Kadane's algorithm; Bentley, CACM 27 (1984) 865).
MeasurementBook::State::Span MeasurementBook::State::worst_span(const NetworkDays& days, std::size_t layer) {
    Span best;
    Span open;
    const auto excess = [](const Span& span) { return 2 * span.worth.blocked - span.worth.measurements; };
    for (const auto& [day, total] : days.by_day) {
        const auto& worth = total.of[layer];
        if (worth.measurements <= 0) continue;
        if (open.last < open.first || excess(open) <= 0) open = {{}, day, day};
        open.worth.add(worth);
        open.last = day;
        if (best.last < best.first || excess(open) > excess(best)) best = open;
    }
    return best;
}

MeasurementBook::State::Surroundings MeasurementBook::State::surroundings() const {
    Surroundings out;
    for (const auto& [name, domain] : domains)
        for (const auto& [key, network] : domain.networks) {
            auto& sites = out.sites[key];
            for (const auto& [day, counted] : network.days)
                for (std::size_t i = 0; i < layers; ++i) {
                    if (counted.of[i].seen == 0) continue;
                    auto& of_day = sites[day][i];
                    ++of_day.all;
                    of_day.blocked += counted.of[i].blocked * 2 > counted.of[i].seen;
                }
            for (const auto& [page, by_day] : network.pages.all()) ++out.pages[{key, page}];
        }
    std::array<ClusterCorrelation, layers> correlations;
    std::vector<GroupCount> clusters;
    for (const auto& [name, domain] : domains)
        for (const auto& [key, network] : domain.networks)
            for (std::size_t i = 0; i < layers; ++i) {
                clusters.clear();
                GroupCount all;
                for (const auto& [day, counted] : network.days) {
                    if (counted.of[i].seen == 0 || is_out_of_order(out.of(key, day, i))) continue;
                    clusters.push_back({counted.of[i].blocked, counted.of[i].seen});
                    all.hits += counted.of[i].blocked;
                    all.trials += counted.of[i].seen;
                }
                const auto ordinary = ordinary_of(key, network, i, out);
                auto& together = out.ordinary[key][i];
                together = {together.hits + ordinary.hits, together.trials + ordinary.trials};
                // What is surely more than error may be blocking, which begins and ends on some day.
                if (all.trials > 0 && wilson_interval(all.hits, all.trials, rules.level).low <= error_share_max) correlations[i].add(clusters);
            }
    for (std::size_t i = 0; i < layers; ++i) out.rho[i] = correlations[i].value(rho_prior);
    return out;
}

GroupCount MeasurementBook::State::ordinary_of(const NetworkKey& key, const Network& network, std::size_t layer, const Surroundings& around) const {
    GroupCount all;
    for (const auto& [day, counted] : network.days) {
        if (is_out_of_order(around.of(key, day, layer))) continue;
        all.hits += counted.of[layer].blocked;
        all.trials += counted.of[layer].seen;
    }
    return all.hits * 2 <= all.trials ? all : GroupCount{};
}

/// Answers whose address somebody found to be the site's are taken back before anything is compared.
MeasurementBook::State::DaysOf MeasurementBook::State::days_of(const Domain& domain, const Surroundings& around) const {
    DaysOf out;
    for (const auto& [key, network] : domain.networks) {
        auto& days = out[key];
        days.by_probe = network.days;
        for (const auto& [address, by_day] : network.pending.all()) {
            if (domain.valid.count(address) == 0) continue;
            for (const auto& [day, count] : by_day) {
                auto& dns = days.by_probe.at(day).of[static_cast<std::size_t>(Layer::dns)];
                dns.blocked -= std::min(dns.blocked, count);
            }
        }
        for (const auto& [day, counted] : days.by_probe) {
            auto& total = days.by_day[day.day];
            total.counts.add(counted);
            for (std::size_t i = 0; i < layers; ++i) {
                const auto& count = counted.of[i];
                if (count.seen == 0) continue;
                if (is_out_of_order(around.of(key, day, i))) {
                    total.out_of_order[i] += count.seen;
                    continue;
                }
                const double design = 1 + (count.seen - 1.0) * around.rho[i];
                total.of[i].add({count.blocked / design, count.seen / design});
            }
        }
    }
    return out;
}

BlockedCell MeasurementBook::State::cell_of(const std::string& name, const Domain& domain, const NetworkKey& key, Layer layer, const DaysOf& days_of,
                                            const Surroundings& around) const {
    const auto& network = domain.networks.at(key);
    const auto at = static_cast<std::size_t>(layer);
    BlockedCell cell;
    cell.domain = name;
    cell.country = key.first;
    cell.asn = key.second;
    cell.network_name = network.name;
    cell.layer = layer;
    cell.standing_counts = network.standing_counts;
    cell.reports = static_cast<std::uint32_t>(network.reports.size());
    const auto& days = days_of.at(key);
    std::set<std::int32_t> own_days;
    Effective worth;
    for (const auto& [day, total] : days.by_day) {
        const auto& count = total.counts.of[at];
        if (count.seen == 0) continue;
        own_days.insert(day);
        cell.measurements += count.seen;
        cell.blocked += count.blocked;
        cell.down += count.down;
        cell.out_of_order += total.out_of_order[at];
        worth.add(total.of[at]);
    }
    if (cell.measurements == 0) return cell;
    cell.effective_measurements = worth.measurements;
    cell.effective_blocked = worth.blocked;
    std::set<std::uint32_t> probes;
    for (const auto& [day, counted] : days.by_probe)
        if (counted.of[at].seen > 0) probes.insert(day.probe);
    cell.probes = static_cast<std::uint32_t>(probes.size());
    cell.days = static_cast<std::uint32_t>(own_days.size());
    cell.day_first = *own_days.begin();
    cell.day_last = *own_days.rbegin();
    if (layer == Layer::dns) {
        for (const auto& [day, counted] : network.days) cell.answers_made_good += counted.of[at].blocked;
        cell.answers_made_good -= cell.blocked;
    }
    cell.share = static_cast<double>(cell.blocked) / static_cast<double>(cell.measurements);
    const auto interval = wilson_interval(cell.blocked, cell.measurements, rules.level);
    cell.share_low = interval.low;
    cell.share_high = interval.high;
    if (cell.blocked > 0) {
        cell.rule = network.of[at].main_rule();
        cell.mechanism = mechanism_of(cell.rule);
        cell.locators.assign(network.of[at].locators.begin(), network.of[at].locators.end());
    }

    // Elsewhere, on the same days. Networks with few measurements are one with the others of their country that have few.
    struct Elsewhere {
        GroupCount sum;
        Effective worth;
        std::vector<GroupCount> networks;
        Grounds grounds;
        bool is_judged = false;   // measured often enough
        bool is_blocked = false;  // two thirds of its measurements are, and surely more than err
    };
    std::map<std::pair<std::string_view, std::uint32_t>, Elsewhere> elsewhere;  // by country and network, 0 for those with few
    for (const auto& [other, other_days] : days_of) {
        if (other == key) continue;
        GroupCount sum;
        Effective other_worth;
        std::uint64_t down = 0;
        for (const auto day : own_days) {
            const auto it = other_days.by_day.find(day);
            if (it == other_days.by_day.end()) continue;
            const auto& count = it->second.counts.of[at];
            other_worth.add(it->second.of[at]);
            sum.trials += count.seen;
            sum.hits += count.blocked;
            down += count.down;
        }
        if (sum.trials == 0) continue;
        cell.elsewhere_measurements += sum.trials;
        cell.elsewhere_down += down;
        const bool is_judged = sum.trials >= rules.measurements_min;
        auto& one = elsewhere[{other.first, is_judged ? other.second : 0}];
        one.sum.trials += sum.trials;
        one.sum.hits += sum.hits;
        one.worth.add(other_worth);
        one.networks.push_back(sum);
        if (sum.hits > 0) one.grounds.add(domain.networks.at(other).of[at]);
        if (!is_judged || other.first != key.first) continue;
        ++cell.country_networks;
        cell.country_networks_blocked += sum.hits * 2 >= sum.trials;
    }
    for (auto& [place, one] : elsewhere) {
        one.is_judged = one.sum.trials >= rules.measurements_min;
        one.is_blocked = one.is_judged && one.sum.hits * 3 >= one.sum.trials * 2 && effective_tail(one.worth, error_share_max) <= 1 - rules.level;
    }
    Grounds grounds;
    grounds.add(network.of[at]);
    const auto ground = grounds.main();
    const auto is_aside = [&](const Elsewhere& one) { return one.is_blocked && (ground == RuleGround::probe || one.grounds.main() != RuleGround::probe); };
    // What is blocked elsewhere too tells nothing of the site, so it is no control for blocking here, as long as somebody says that the site works.
    const Span worst = worst_span(days, at);
    const bool sets_aside = worst.worth.blocked * 2 > worst.worth.measurements && [&] {
        std::uint64_t aside = 0;
        std::uint64_t working = 0;
        std::uint64_t others = 0;
        bool is_abroad = false;
        for (const auto& [place, one] : elsewhere) {
            const bool is_one = is_aside(one);
            aside += is_one;
            working += one.is_judged && !one.is_blocked;
            others += is_one ? 0 : one.sum.trials;
            is_abroad = is_abroad || (is_one && place.first != key.first);
        }
        switch (ground) {
            case RuleGround::forgery: return true;
            // A site may turn all but the control away. Where the networks of one country alone were looked at, that is no likelier than with one network.
            case RuleGround::control: return others >= rules.measurements_min || !is_abroad;
            // A service that fails for most is out of order.
            case RuleGround::probe: return working > aside + 1;
        }
        return false;
    }();
    // By country, or by network where there is no other country.
    std::map<std::string_view, GroupCount> countries;
    std::vector<GroupCount> groups;
    for (const auto& [place, one] : elsewhere) {
        if (sets_aside && is_aside(one)) {
            cell.set_aside += static_cast<std::uint32_t>(one.networks.size());
        } else if (place.first == key.first) {
            groups.insert(groups.end(), one.networks.begin(), one.networks.end());
        } else {
            countries[place.first].trials += one.sum.trials;
            countries[place.first].hits += one.sum.hits;
        }
    }
    cell.control = !countries.empty() ? CellControl::other_countries : groups.empty() ? CellControl::helper : CellControl::other_networks;
    if (!countries.empty()) {
        groups.clear();
        for (const auto& [country, group] : countries) groups.push_back(group);
    }
    cell.control_groups = static_cast<std::uint32_t>(groups.size());
    for (const auto& group : groups) {
        cell.control_measurements += group.trials;
        cell.control_blocked += group.hits;
    }
    if (cell.measurements < rules.measurements_min) return cell;
    // In a bad network more goes wrong, whatever the site.
    const auto own_ordinary = ordinary_of(key, network, at, around);
    GroupCount others = around.ordinary.at(key)[at];
    others = {others.hits - own_ordinary.hits, others.trials - own_ordinary.trials};
    const double error_share = others.trials < rules.measurements_min ? error_share_max
                                                                      : std::max(error_share_max, static_cast<double>(others.hits) / static_cast<double>(others.trials));
    // More than measurements err, and more than elsewhere: both must be refuted.
    const auto p_of = [&](const Effective& counted) {
        const double p = effective_tail(counted, error_share);
        return groups.empty() ? p : std::max(p, effective_tail(counted, fit_groups(groups, rho_min, rho_few)));
    };
    cell.p = p_of(worth);
    // Too few for blocking, and too many in a row to say that there was none.
    cell.has_bad_days = worst.worth.blocked >= rules.segment_days_min && effective_tail(worst.worth, error_share) <= 1 - rules.level;
    if (cell.blocked > 0) weigh(cell, domain, key, days_of, around, worst, ground);
    // Blocking that lasted a part of the time shows in that part; every choice of its first and last day is a test of its own.
    if (cell.blocked < rules.measurements_min) return cell;
    for (const auto day : own_days)
        if (!cell.measured.empty() && cell.measured.back().second + 1 == day) cell.measured.back().second = day;
        else cell.measured.emplace_back(day, day);
    const auto choices = static_cast<double>(own_days.size()) * static_cast<double>(own_days.size() + 1) / 2;
    // Two ways to look: the better one counts, at the price of both.
    cell.p = std::min(1.0, 2 * std::min(cell.p, std::min(1.0, p_of(worst.worth) * choices)));
    return cell;
}

void MeasurementBook::State::weigh(BlockedCell& cell, const Domain& domain, const NetworkKey& key, const DaysOf& days_of, const Surroundings& around, const Span& span,
                                   RuleGround ground) const {
    const auto at = static_cast<std::size_t>(cell.layer);
    const auto& own = days_of.at(key);
    const auto& book = domain.networks.at(key).of[at];
    const bool is_page = is_of_page(cell.rule);
    cell.weights.resize(alternatives);
    const auto of = [&](Alternative alternative) -> AlternativeWeight& { return cell.weights[static_cast<std::size_t>(alternative)]; };
    const auto exclude = [&](Alternative alternative) { of(alternative).state = AlternativeState::cannot_explain; };
    const auto is_blocked_day = [&](const Day& counted) { return counted.of[at].blocked > 0 && counted.of[at].blocked >= counted.of[at].down; };

    // Days of the span: what the control says of them, and what others saw.
    auto& down = of(Alternative::site_down);
    auto& redirect = of(Alternative::broken_redirect);
    for (auto it = own.by_day.lower_bound(span.first); it != own.by_day.end() && it->first <= span.last; ++it) {
        const auto& counted = it->second.counts;
        if (counted.of[at].down > counted.of[at].blocked) ++down.for_alternative;
        if (!is_blocked_day(counted)) continue;
        if (ground != RuleGround::probe) {
            ++down.for_blocking;
            ++redirect.for_blocking;
        }
        std::uint64_t works = 0;
        std::uint64_t fails = 0;
        for (const auto& [other, other_days] : days_of) {
            const auto found = other == key ? other_days.by_day.end() : other_days.by_day.find(it->first);
            if (found == other_days.by_day.end()) continue;
            const auto& count = found->second.counts.of[at];
            works += count.seen - count.blocked - count.down;
            // Where the control vouches for the site, what is blocked elsewhere says nothing of it.
            fails += count.down + (ground == RuleGround::probe ? count.blocked : 0);
        }
        if (works > fails) ++down.for_blocking;
        if (fails > works) ++down.for_alternative;
    }

    auto& geo = of(Alternative::geo_block);
    auto& captcha = of(Alternative::captcha);
    for (const auto& [day, total] : own.by_day) {
        geo.for_alternative += total.counts.refused > 0;
        captcha.for_alternative += total.counts.captchas > 0;
        redirect.for_alternative += total.counts.misdirected > 0;
    }
    // A site turns visitors away by country and in one way.
    struct View {
        GroupCount sum;
        std::map<std::string_view, std::uint64_t> mechanisms;
        bool has_refusal = false;
        bool has_page = false;
    };
    std::map<std::string_view, View> countries;
    std::uint64_t own_page = 0;
    if (is_page)
        for (std::uint32_t most = 0; const auto& [page, by_day] : domain.networks.at(key).pages.all()) {
            std::uint32_t count = 0;
            for (const auto& [day, of_day] : by_day) count += of_day;
            if (count > most) most = count, own_page = page;
        }
    auto& own_network = of(Alternative::own_network);
    for (const auto& [other, other_days] : days_of) {
        if (other == key) continue;
        const auto& network = domain.networks.at(other);
        GroupCount sum;
        bool has_refusal = false;
        for (const auto& [day, total] : other_days.by_day) {
            has_refusal = has_refusal || total.counts.refused > 0;
            if (const auto it = own.by_day.find(day); it == own.by_day.end() || it->second.counts.of[at].seen == 0) continue;
            sum.trials += total.counts.of[at].seen;
            sum.hits += total.counts.of[at].blocked;
        }
        if (other.first == key.first) {
            geo.for_alternative += has_refusal;
            if (sum.trials < rules.measurements_min) continue;
            if (sum.hits * 2 < sum.trials) ++geo.for_blocking;
            else ++own_network.for_blocking;
            continue;
        }
        auto& view = countries[other.first];
        view.sum.trials += sum.trials;
        view.sum.hits += sum.hits;
        view.has_refusal = view.has_refusal || has_refusal;
        view.has_page = view.has_page || (is_page && network.pages.all().count(own_page) > 0);
        for (const auto& [rule, count] : network.of[at].rules) view.mechanisms[mechanism_of(rule)] += count;
    }
    for (const auto& [country, view] : countries) {
        geo.for_alternative += view.has_refusal;
        if (is_page) {
            geo.for_alternative += view.has_page;
        } else if (ground == RuleGround::control && view.sum.trials >= rules.measurements_min && view.sum.hits * 2 > view.sum.trials) {
            // On the word of the probe alone there is but one way to fail.
            const auto most = std::max_element(view.mechanisms.begin(), view.mechanisms.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
            ++(most != view.mechanisms.end() && most->first == cell.mechanism ? geo.for_alternative : geo.for_blocking);
        }
    }
    // One page for several sites is the network's.
    if (is_page)
        if (const auto it = around.pages.find({key, own_page}); it != around.pages.end()) geo.for_blocking += it->second - 1;
    // A network that forges answers for the site does interfere with it.
    for (const auto layer : {Layer::dns, Layer::http}) {
        Grounds grounds;
        grounds.add(domain.networks.at(key).of[static_cast<std::size_t>(layer)]);
        if (layer == cell.layer || grounds.all == 0 || grounds.main() != RuleGround::forgery) continue;
        for (const auto& [day, total] : own.by_day) geo.for_blocking += total.of[static_cast<std::size_t>(layer)].blocked;
    }
    if (ground == RuleGround::forgery) exclude(Alternative::geo_block);

    if (is_page) captcha.for_blocking = span.worth.blocked;
    else exclude(Alternative::captcha);

    std::uint64_t hops = 0;
    std::uint64_t all = 0;
    for (const auto& [rule, count] : book.rules) {
        hops += rule.find(".hop_") != std::string_view::npos ? count : 0;
        all += count;
    }
    if (cell.layer != Layer::http && hops * 2 <= all) exclude(Alternative::broken_redirect);

    auto& ipv6 = of(Alternative::ipv6_trouble);
    if (cell.layer == Layer::tcp || cell.layer == Layer::tls) {
        const double v6_share = static_cast<double>(book.over_v6_alone) / static_cast<double>(std::max<std::uint64_t>(1, all));
        ipv6.for_blocking = span.worth.blocked * (1 - v6_share);
        ipv6.for_alternative = span.worth.blocked * v6_share;
    } else if (cell.layer == Layer::dns) {
        exclude(Alternative::ipv6_trouble);
    }

    // Kinds of probe: does another see it too, from the first day to the last on which any did? And what else does each see on that day?
    auto& line = of(Alternative::line_trouble);
    std::int32_t first = INT32_MAX;
    std::int32_t last = INT32_MIN;
    for (const auto& [day, counted] : own.by_probe) {
        if (counted.of[at].blocked * 2 <= counted.of[at].seen) continue;
        first = std::min(first, day.day);
        last = day.day;
        const auto sites = around.of(key, day, at);
        if (sites.all < 2) continue;
        if ((sites.blocked - 1) * 2 <= sites.all - 1) ++line.for_blocking;
        else ++line.for_alternative;
    }
    std::map<std::uint32_t, GroupCount> by_probe;
    std::map<std::uint32_t, std::array<std::uint32_t, 2>> days_of_probe;  // without and with blocking
    for (auto it = own.by_probe.lower_bound({first, 0}); it != own.by_probe.end() && it->first.day <= last; ++it) {
        const auto& count = it->second.of[at];
        if (count.seen == 0) continue;
        auto& sum = by_probe[it->first.probe];
        sum.trials += count.seen;
        sum.hits += count.blocked;
        ++days_of_probe[it->first.probe][count.blocked * 2 > count.seen];
    }
    const auto loudest = std::max_element(by_probe.begin(), by_probe.end(), [](const auto& a, const auto& b) { return a.second.trials < b.second.trials; });
    GroupCount others;
    for (const auto& [probe, sum] : by_probe) {
        if (probe == loudest->first) continue;
        others.trials += sum.trials;
        others.hits += sum.hits;
        own_network.for_alternative += days_of_probe[probe][0];
        own_network.for_blocking += days_of_probe[probe][1];
    }
    cell.is_one_probe = others.trials > 0 && others.hits * 2 < others.trials;

    if (cell.layer == Layer::dns) {
        const auto& network = domain.networks.at(key);
        cell.of_network = {network.false_on_the_way, network.false_on_the_way};
        for (auto it = own.by_probe.lower_bound({span.first, 0}); it != own.by_probe.end() && it->first.day <= span.last; ++it) {
            if (network.asks_elsewhere.count(it->first.probe) > 0) continue;
            cell.of_network.hits += it->second.of[at].blocked;
            cell.of_network.trials += it->second.of[at].seen;
        }
    }

    auto& ordinary = of(Alternative::ordinary_failure);
    ordinary.for_blocking = span.worth.blocked;
    ordinary.for_alternative = span.worth.measurements - span.worth.blocked;

    const double step = std::log((1 - error_share_max) / error_share_max);
    for (std::size_t i = 0; i < alternatives; ++i) {
        auto& weight = cell.weights[i];
        if (weight.state == AlternativeState::cannot_explain) {
            weight = {AlternativeState::cannot_explain, 0, 0, 0};
            continue;
        }
        if (weight.for_blocking + weight.for_alternative <= 0) continue;
        weight.state = AlternativeState::weighed;
        weight.log_likelihood_ratio = step * ((is_error_share_checked ? weight.for_blocking : 0) - weight.for_alternative);
        // The days were chosen for looking blocked.
        if (&weight == &ordinary && (span.first != cell.day_first || span.last != cell.day_last))
            weight.log_likelihood_ratio -= std::log(static_cast<double>(cell.days) * static_cast<double>(cell.days + 1) / 2);
        const auto one = static_cast<Alternative>(i);
        if (!cell.likeliest || weight.log_likelihood_ratio < of(*cell.likeliest).log_likelihood_ratio) cell.likeliest = one;
    }
}

/// Why a cell where more is blocked than chance lets be is not called blocked; empty: there is nothing against it.
std::string_view MeasurementBook::State::doubt_of(const BlockedCell& cell) const {
    if (!is_error_share_checked) return "base rates are not checked";
    if (cell.reports < rules.reports_min) return "one run of a probe";
    if (cell.is_network_failing) return "most sites fail in the network";
    if (cell.is_one_probe) return "one kind of probe alone";
    // Who asks a resolver elsewhere may have chosen one that leaves names out.
    if (cell.layer == Layer::dns && (cell.of_network.hits < rules.measurements_min || cell.of_network.hits * 2 <= cell.of_network.trials)) return "resolver of another network";
    for (std::size_t i = 0; i < cell.weights.size(); ++i)
        if (cell.weights[i].state == AlternativeState::weighed && cell.weights[i].log_likelihood_ratio <= 0) return alternative_name(static_cast<Alternative>(i));
    // What one kind of probe in one network saw may be a firewall or a filter of its own.
    if (cell.weights[static_cast<std::size_t>(Alternative::own_network)].state != AlternativeState::weighed) return alternative_name(Alternative::own_network);
    // A page that differs may be one that the site has for the country.
    const auto geo = static_cast<std::size_t>(Alternative::geo_block);
    if (is_of_page(cell.rule) && cell.weights[geo].state != AlternativeState::weighed) return alternative_name(Alternative::geo_block);
    return {};
}

void MeasurementBook::State::find_changes(BlockedCell& cell, const std::map<std::int32_t, DayTotal>& days) const {
    if (cell.blocked < rules.measurements_min || cell.blocked == cell.measurements) return;
    const auto at = static_cast<std::size_t>(cell.layer);
    ChangeRules change_rules;
    change_rules.segment_days_min = rules.segment_days_min;
    change_rules.runs = rules.change_runs;
    change_rules.level = rules.level;
    change_rules.seed = rules.seed;
    constexpr int depth_max = 4;
    const auto split = [&](auto&& self, std::int32_t begin, std::int32_t end, int depth) -> void {
        if (depth == depth_max || static_cast<std::size_t>(end - begin) > change_days_max) return;
        std::vector<TopicCount> counts_of_days;
        for (auto it = days.lower_bound(begin); it != days.end() && it->first < end; ++it) {
            const auto& count = it->second.counts.of[at];
            const auto day = static_cast<std::uint32_t>(it->first - begin);
            if (count.seen > count.blocked) counts_of_days.push_back({day, 0, count.seen - count.blocked});
            if (count.blocked > 0) counts_of_days.push_back({day, 1, count.blocked});
        }
        const auto change = topic_change(counts_of_days, change_rules);
        if (!change || change->p > rules.change_p_max || change->before.size() < 2 || change->after.size() < 2) return;
        const auto share = [](const std::vector<std::uint64_t>& counts_by_topic) {
            const auto total = counts_by_topic[0] + counts_by_topic[1];
            return total == 0 ? 0.0 : static_cast<double>(counts_by_topic[1]) / static_cast<double>(total);
        };
        const auto first = begin + static_cast<std::int32_t>(change->first);
        self(self, begin, first, depth + 1);
        cell.changes.push_back({first, begin + static_cast<std::int32_t>(change->first_low), begin + static_cast<std::int32_t>(change->first_high),
                                share(change->before), share(change->after), change->p});
        self(self, first, end, depth + 1);
    };
    split(split, cell.day_first, cell.day_last + 1, 0);
    // Looked for where something was blocked at all; elsewhere it would cost time and tell nothing.
    if (cell.changes.empty() && cell.p <= rules.q_max) {
        std::vector<DayCount> counts_of_days;
        for (const auto& [day, total] : days)
            if (const auto& count = total.counts.of[at]; count.seen > 0) counts_of_days.push_back({day, {count.blocked, count.seen}});
        if (const auto found = rise_and_fall(counts_of_days, rules)) cell.changes.assign(found->begin(), found->end());
    }
    for (const auto& change : cell.changes) {
        if (change.share_after > change.share_before) {
            cell.since = change;
            cell.until.reset();
        } else {
            cell.until = change;
        }
    }
}

Blockage blockage_of(std::span<const BlockedCell* const> cells) {
    const auto ends_before = [](const BlockedCell* a, const BlockedCell* b) { return a->until && (!b->until || a->until->day < b->until->day); };
    std::vector<const BlockedCell*> open(cells.begin(), cells.end());
    Blockage found;
    std::int32_t begin = INT32_MAX;
    std::int32_t begin_low = INT32_MAX;
    // From the layer that ends last back to those that were blocked until it began, or longer.
    const BlockedCell* one = *std::max_element(open.begin(), open.end(), ends_before);
    found.until = one->until;
    while (one != nullptr) {
        std::erase(open, one);
        const auto own = one->since ? one->since->day : one->day_first;
        if (own < begin || (own == begin && !one->since)) {
            begin = own;
            found.since = one->since;
        }
        begin_low = std::min(begin_low, one->since ? one->since->day_low : one->day_first);
        const auto next = std::find_if(open.begin(), open.end(), [&](const BlockedCell* other) { return !other->until || other->until->day_high >= begin_low; });
        one = next == open.end() ? nullptr : *next;
    }
    return found;
}

MeasurementBook::MeasurementBook(const BookRules& rules, const FingerprintSet* fingerprints, const InterferenceFacts& facts) : m_state(std::make_unique<State>()) {
    static const FingerprintSet none;
    m_state->rules = rules;
    const auto& error = facts.rate("measurement_error_share_max");
    m_state->error_share_max = error.value;
    m_state->is_error_share_checked = error.mark != FactMark::remembered;
    m_state->rho_min = facts.rate("country_correlation_min").value;
    m_state->rho_few = facts.rate("country_correlation_few").value;
    m_state->rho_prior = facts.rate("probe_day_correlation_prior").value;
    m_state->fingerprints = fingerprints == nullptr ? &none : fingerprints;
}
MeasurementBook::~MeasurementBook() = default;
MeasurementBook::MeasurementBook(MeasurementBook&&) noexcept = default;

void MeasurementBook::add(const Measurement& measurement) { m_state->add(measurement); }
const BookCounts& MeasurementBook::counts() const { return m_state->counts; }
std::uint64_t MeasurementBook::cells() const { return m_state->cells; }

BookResult MeasurementBook::finish(const std::function<void(const SiteDay&)>& on_day) const {
    const auto& state = *m_state;
    const auto& rules = state.rules;
    BookResult result;
    const auto around = state.surroundings();
    result.probe_day_correlation = around.rho;
    for (const auto& [name, domain] : state.domains) {
        const auto days_of = state.days_of(domain, around);
        for (const auto& [key, network] : domain.networks) {
            if (on_day)
                for (const auto& [day, total] : days_of.at(key).by_day) {
                    SiteDay told{name, key.first, key.second, network.test_name, day, total.counts.measurements, total.counts.of};
                    for (std::size_t i = 0; i < layers; ++i) {
                        std::uint64_t counted = 0;
                        for (auto it = network.days.lower_bound({day, 0}); it != network.days.end() && it->first.day == day; ++it) counted += it->second.of[i].blocked;
                        const auto found = network.of[i].first_of_day.find(day);
                        if (found != network.of[i].first_of_day.end() && counted == total.counts.of[i].blocked) told.evidence[i] = &found->second;
                    }
                    on_day(told);
                }
            for (std::size_t i = 0; i < layers; ++i) {
                auto cell = state.cell_of(name, domain, key, static_cast<Layer>(i), days_of, around);
                if (cell.measurements == 0) continue;
                if (cell.measurements >= rules.measurements_min) state.find_changes(cell, days_of.at(key).by_day);
                result.cells.push_back(std::move(cell));
            }
            for (std::size_t which = 0; which < series; ++which) {
                std::vector<CusumPoint> points;
                for (const auto& [hour, counts] : network.hours)
                    if (const auto value = median(counts.counts[which])) points.push_back({hour * hour_us, *value});
                auto changes = cusum_changes(points);
                if (!changes.empty()) result.cusums.push_back({name, key.first, key.second, series_names[which], std::move(changes)});
            }
        }
    }
    struct Sites {
        std::uint32_t all = 0;
        std::uint32_t blocked = 0;
    };
    std::map<std::tuple<std::string, std::uint32_t, Layer>, Sites> sites_of;
    for (const auto& cell : result.cells) {
        if (cell.measurements < rules.measurements_min) continue;
        auto& sites = sites_of[{cell.country, cell.asn, cell.layer}];
        ++sites.all;
        sites.blocked += cell.blocked * 2 > cell.measurements;
    }
    std::vector<double> p_values;
    for (const auto& cell : result.cells)
        if (cell.measurements >= rules.measurements_min) p_values.push_back(cell.p);
    result.tests = p_values.size();
    const auto q_values = benjamini_hochberg(p_values, static_cast<double>(p_values.size()));
    std::size_t test = 0;
    for (auto& cell : result.cells) {
        if (cell.measurements < rules.measurements_min) continue;
        cell.q = q_values[test++];
        const auto of = [&](Standing standing) { return cell.standing_counts[static_cast<std::size_t>(standing)]; };
        std::uint64_t all = 0;
        for (const auto count : cell.standing_counts) all += count;
        const bool fails_here = (cell.blocked + cell.down) * 2 > cell.measurements;
        // Down for the controls too, here and wherever else it was measured. What is blocked in many places is not down.
        const bool is_down_elsewhere = cell.elsewhere_measurements == 0 ||
                                       (cell.elsewhere_measurements >= rules.measurements_min &&
                                        wilson_interval(cell.elsewhere_down, cell.elsewhere_measurements, rules.level).low > 0.5);
        const auto& sites = sites_of.at({cell.country, cell.asn, cell.layer});
        cell.network_domains = sites.all;
        cell.network_domains_blocked = sites.blocked;
        cell.is_network_failing = sites.all >= rules.domains_min && sites.blocked * 2 > sites.all;
        if (cell.q <= rules.q_max) {
            cell.doubt = state.doubt_of(cell);
            if (cell.doubt.empty()) cell.verdict = CellVerdict::blocked;
            else if (cell.layer == Layer::http && cell.doubt == alternative_name(Alternative::geo_block) && of(Standing::geo_block) > 0) cell.verdict = CellVerdict::geo_block;
        }
        else if (cell.layer == Layer::http && of(Standing::geo_block) * 2 > all) cell.verdict = CellVerdict::geo_block;
        else if (cell.down * 2 > cell.measurements && is_down_elsewhere) cell.verdict = CellVerdict::down_everywhere;
        else if (!fails_here && !cell.has_bad_days && cell.share_high < rules.absent_share_max) cell.verdict = CellVerdict::not_blocked;
    }
    return result;
}

}  // namespace unveil::interference
