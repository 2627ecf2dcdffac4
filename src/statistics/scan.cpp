#include "statistics/scan.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "core/error.hpp"
#include "core/parallel.hpp"
#include "core/random.hpp"
#include "statistics/bootstrap.hpp"

namespace unveil {
namespace {

/// x ln x for whole numbers up to a limit from a table, else computed.
class CountLog {
  public:
    explicit CountLog(std::uint64_t most) : m_table(std::min<std::uint64_t>(most, table_max) + 1) {
        for (std::size_t x = 1; x < m_table.size(); ++x) m_table[x] = value(static_cast<double>(x));
    }
    double operator()(std::uint64_t x) const { return x < m_table.size() ? m_table[x] : value(static_cast<double>(x)); }

  private:
    static constexpr std::uint64_t table_max = 1 << 20;
    static double value(double x) { return x * std::log(x); }
    std::vector<double> m_table;
};

std::vector<std::uint64_t> running_sums(std::span<const std::uint32_t> counts) {
    std::vector<std::uint64_t> sums(counts.size() + 1, 0);
    for (std::size_t day = 0; day < counts.size(); ++day) sums[day + 1] = sums[day] + counts[day];
    return sums;
}

/// What is expected in the days from..to-1, and how a number of cases there compares with it.
class OthersModel {
  public:
    OthersModel(std::span<const std::uint32_t> cases, std::span<const std::uint32_t> others)
        : m_events(running_sums(others)), m_log(0) {
        std::uint64_t sum = 0;
        for (std::size_t day = 0; day < cases.size(); ++day) {
            sum += cases[day];
            m_events[day + 1] += sum;
        }
        m_cases = sum;
        m_log = CountLog(m_events.back());
        m_null = m_log(m_cases) + m_log(m_events.back() - m_cases) - m_log(m_events.back());
    }
    double expected(std::size_t from, std::size_t to) const {
        return static_cast<double>(m_cases) * static_cast<double>(m_events[to] - m_events[from]) /
               static_cast<double>(m_events.back());
    }
    /// 0 where there are not more than expected, or where the window is more than half of everything.
    double log_ratio(std::uint64_t cases, std::size_t from, std::size_t to) const {
        const std::uint64_t all = m_events.back();
        const std::uint64_t inside = m_events[to] - m_events[from];
        if (2 * inside > all) return 0;
        if (static_cast<double>(cases) * static_cast<double>(all) <=
            static_cast<double>(m_cases) * static_cast<double>(inside))
            return 0;
        const std::uint64_t cases_outside = m_cases - cases;
        return m_log(cases) + m_log(inside - cases) - m_log(inside) + m_log(cases_outside) +
               m_log(all - inside - cases_outside) - m_log(all - inside) - m_null;
    }
    /// Cases drawn from all events without replacement; the smaller part is drawn.
    void draw(std::vector<std::uint32_t>& cases, std::vector<bool>& is_drawn, Random& random) const {
        const std::uint64_t all = m_events.back();
        const bool draws_cases = 2 * m_cases <= all;
        const std::size_t days = m_events.size() - 1;
        if (draws_cases)
            cases.assign(days, 0);
        else
            for (std::size_t day = 0; day < days; ++day)
                cases[day] = static_cast<std::uint32_t>(m_events[day + 1] - m_events[day]);
        is_drawn.assign(all, false);
        for (std::uint64_t left = draws_cases ? m_cases : all - m_cases; left > 0;) {
            const std::uint64_t event = random.below(all);
            if (is_drawn[event]) continue;
            is_drawn[event] = true;
            --left;
            const auto day = std::upper_bound(m_events.begin(), m_events.end(), event) - m_events.begin() - 1;
            if (draws_cases)
                ++cases[static_cast<std::size_t>(day)];
            else
                --cases[static_cast<std::size_t>(day)];
        }
    }

  private:
    std::vector<std::uint64_t> m_events;  // running sums of cases and others
    std::uint64_t m_cases = 0;
    CountLog m_log;
    double m_null = 0;
};

class EvenModel {
  public:
    explicit EvenModel(std::span<const std::uint32_t> cases) : m_days(cases.size()) {
        for (const auto count : cases) m_cases += count;
    }
    double expected(std::size_t from, std::size_t to) const {
        return static_cast<double>(m_cases) * static_cast<double>(to - from) / static_cast<double>(m_days);
    }
    double log_ratio(std::uint64_t cases, std::size_t from, std::size_t to) const {
        const double inside = static_cast<double>(cases);
        const double mean = expected(from, to);
        if (2 * (to - from) > m_days || inside <= mean) return 0;
        const double all = static_cast<double>(m_cases);
        return inside * std::log(inside / mean) +
               (cases == m_cases ? 0 : (all - inside) * std::log((all - inside) / (all - mean)));
    }
    void draw(std::vector<std::uint32_t>& cases, std::vector<bool>&, Random& random) const {
        cases.assign(m_days, 0);
        for (std::uint64_t i = 0; i < m_cases; ++i) ++cases[random.below(m_days)];
    }

  private:
    std::size_t m_days;
    std::uint64_t m_cases = 0;
};

/// The best window that overlaps none of `taken`; the earliest and shortest of equals.
template <typename Model>
std::optional<Burst> best_window(const Model& model, std::span<const std::uint32_t> cases, const ScanRules& rules,
                                 std::span<const Burst> taken) {
    const auto is_taken = [&](std::size_t day) {
        return std::any_of(taken.begin(), taken.end(),
                           [&](const Burst& burst) { return burst.first <= day && day <= burst.last; });
    };
    std::vector<std::size_t> days;
    for (std::size_t day = 0; day < cases.size(); ++day)
        if (cases[day] > 0 || is_taken(day)) days.push_back(day);
    std::optional<Burst> best;
    for (std::size_t i = 0; i < days.size(); ++i) {
        std::uint64_t sum = 0;
        for (std::size_t j = i; j < days.size() && days[j] - days[i] < rules.window_days_max; ++j) {
            if (!taken.empty() && is_taken(days[j])) break;
            sum += cases[days[j]];
            if (sum < 2) continue;
            const double log_ratio = model.log_ratio(sum, days[i], days[j] + 1);
            if (log_ratio > (best ? best->log_ratio : 0))
                best = Burst{days[i], days[j], sum, model.expected(days[i], days[j] + 1), log_ratio, 1};
        }
    }
    return best;
}

template <typename Model>
std::vector<Burst> scan(const Model& model, std::span<const std::uint32_t> cases, const ScanRules& rules) {
    std::vector<Burst> bursts;
    while (bursts.size() < rules.bursts_max) {
        const auto burst = best_window(model, cases, rules, bursts);
        if (!burst) break;
        bursts.push_back(*burst);
    }
    if (bursts.empty()) return bursts;
    std::vector<double> greatest(rules.runs, 0);
    const std::size_t parts = std::min<std::size_t>(rules.runs, 64);
    parallel_parts(parts, rules.threads, [&](std::size_t part) {
        std::vector<std::uint32_t> drawn(cases.size());
        std::vector<bool> is_drawn;
        for (std::size_t run = part; run < rules.runs; run += parts) {
            Random random(rules.seed, run + 1);
            model.draw(drawn, is_drawn, random);
            if (const auto burst = best_window(model, drawn, rules, {})) greatest[run] = burst->log_ratio;
        }
    });
    for (auto& burst : bursts) {
        const double reached = burst.log_ratio - 1e-9 * (1 + burst.log_ratio);
        const auto reaches = [&](double ratio) { return ratio >= reached; };
        burst.p = monte_carlo_p(
            static_cast<std::uint64_t>(std::count_if(greatest.begin(), greatest.end(), reaches)), rules.runs);
    }
    return bursts;
}

}  // namespace

std::vector<Burst> scan_against_others(std::span<const std::uint32_t> cases, std::span<const std::uint32_t> others,
                                       const ScanRules& rules) {
    UNVEIL_ASSERT(cases.size() == others.size());
    return scan(OthersModel(cases, others), cases, rules);
}

std::vector<Burst> scan_against_even(std::span<const std::uint32_t> cases, const ScanRules& rules) {
    return scan(EvenModel(cases), cases, rules);
}

}  // namespace unveil
