#include "statistics/poisson_binomial.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.hpp"

namespace unveil {
namespace {

/// Tilted odds above which a class is counted out one by one.
constexpr double head_odds = 0.1;
/// Tilted variance above which the Edgeworth series is used.
constexpr double exact_variance_max = 400;
/// States of the tilted recursion below this are dropped: the answer, relative to them, is at least about
/// 1/sigma.
constexpr double negligible = 1e-40;
constexpr double log_floor = -690.7755278982137;  // ln tail_floor
constexpr std::size_t stack_states = 128;
constexpr double recursion_cost_max = 4194304;

double clamp_tail(double tail) {
    return std::clamp(tail, tail_floor, 1.0);
}

/// The recursion of the short list. `states` holds P(hits = v - 1 - i) at i, so that each step runs upwards
/// over memory that it has not yet changed.
double absorbing_tail(std::span<const double> probabilities, std::size_t v, double* states) {
    const std::size_t n = probabilities.size();
    std::fill_n(states, v, 0.0);
    const double scale = 0x1p1000;
    double absorbed = 0;
    states[v - 1] = scale;
    for (std::size_t i = 0; i < n; ++i) {
        const double p = probabilities[i];
        const double miss = 1 - p;
        // After i variables the hits are at most i, and below v - (n - i) they can no longer suffice.
        const std::size_t low = i + 1 >= v ? 0 : v - 1 - i;
        const std::size_t high = std::min(v, n - i);
        absorbed += states[0] * p;
        std::size_t s = low > 0 ? low - 1 : 0;
        for (; s + 1 < high; ++s) states[s] = states[s] * miss + states[s + 1] * p;
        if (high == v)
            states[v - 1] *= miss;
        else
            states[s] = states[s] * miss + states[s + 1] * p;
    }
    return absorbed / scale;
}

/// The same for v = `enough` known to the compiler: the states stay in registers.
template <std::size_t enough>
double small_tail(std::span<const double> probabilities) {
    std::array<double, enough> states{};
    const double scale = 0x1p1000;
    double absorbed = 0;
    states[0] = scale;
    for (const double p : probabilities) {
        const double miss = 1 - p;
        absorbed += states[enough - 1] * p;
        for (std::size_t s = enough - 1; s > 0; --s) states[s] = states[s] * miss + states[s - 1] * p;
        states[0] *= miss;
    }
    return absorbed / scale;
}

/// The tilted distribution of the variables counted so far, of states low .. low + size - 1 < v, and what is
/// beyond: the sum over x >= v of z^(v - x) P_z(x).
struct Head {
    std::uint64_t v = 0;
    double inverse_z = 1;
    std::vector<double>* states = nullptr;
    std::uint64_t low = 0;
    double beyond = 0;

    void trim() {
        auto& f = *states;
        while (f.size() > 1 && f.back() < negligible) f.pop_back();
        std::size_t drop = 0;
        while (drop + 1 < f.size() && f[drop] < negligible) ++drop;
        if (drop == 0) return;
        f.erase(f.begin(), f.begin() + static_cast<std::ptrdiff_t>(drop));
        low += drop;
    }

    void add_one(double hit) {
        auto& f = *states;
        const double miss = 1 - hit;
        beyond *= miss + hit * inverse_z;
        if (low + f.size() == v)
            beyond += f.back() * hit;
        else
            f.push_back(0);
        for (std::size_t s = f.size(); s-- > 1;) f[s] = f[s] * miss + f[s - 1] * hit;
        f[0] *= miss;
    }

    /// Adds `count` variables at once through their binomial distribution, of which the terms from `first` on
    /// that matter are in `binomial`.
    void add_many(double hit, double count, std::uint64_t first, TailScratch& scratch) {
        auto& f = *states;
        const auto& b = scratch.binomial;
        beyond *= std::exp(count * std::log1p(-hit * (1 - inverse_z)));
        // weighted[i] = sum over j >= i of b[j] z^(i - j)
        auto& weighted = scratch.weighted;
        weighted.assign(b.size() + 1, 0.0);
        for (std::size_t i = b.size(); i-- > 0;) weighted[i] = b[i] + weighted[i + 1] * inverse_z;
        const std::uint64_t next_low = low + first;
        for (std::size_t s = 0; s < f.size(); ++s) {
            const std::uint64_t needed = v - (low + s);
            if (needed < first)
                beyond += f[s] * weighted[0] * std::pow(inverse_z, static_cast<double>(first - needed));
            else if (needed - first < b.size())
                beyond += f[s] * weighted[needed - first];
        }
        auto& next = scratch.next;
        next.clear();
        if (next_low < v) next.assign(std::min<std::uint64_t>(f.size() + b.size() - 1, v - next_low), 0.0);
        for (std::size_t s = 0; s < f.size() && s < next.size(); ++s) {
            const std::size_t room = std::min(b.size(), next.size() - s);
            for (std::size_t j = 0; j < room; ++j) next[s + j] += f[s] * b[j];
        }
        if (next.empty()) next.assign(1, 0.0);
        f.swap(next);
        low = std::min(next_low, v - 1);
    }
};

double tilted_probability(double odds_z) {
    return 1 / (1 + 1 / odds_z);
}

/// The terms of a binomial distribution that are not negligible, from the mode outwards; returns the first
/// one's index.
std::uint64_t binomial_terms(double odds, double count, std::vector<double>& terms) {
    const double mode = std::min(count, std::floor((count + 1) * tilted_probability(odds)));
    terms.clear();
    // Relative to the mode; the sum of all is 1.
    double term = 1;
    double x = mode;
    while (x > 0) {
        term *= x / ((count - x + 1) * odds);
        if (term < negligible) break;
        terms.push_back(term);
        x -= 1;
    }
    std::reverse(terms.begin(), terms.end());
    const auto first = static_cast<std::uint64_t>(mode) - terms.size();
    terms.push_back(1);
    term = 1;
    for (x = mode; x < count; x += 1) {
        term *= (count - x) * odds / (x + 1);
        if (term < negligible) break;
        terms.push_back(term);
    }
    double sum = 0;
    for (const double t : terms) sum += t;
    for (double& t : terms) t /= sum;
    return first;
}

struct Tilt {
    double z = 1;
    double mean = 0;
    double variance = 0;
};

/// Mean and variance under the tilt, taking each block for equal odds: a lower bound of the mean.
void block_moments(const OddsTable& table, Tilt& tilt) {
    tilt.mean = 0;
    tilt.variance = 0;
    for (const auto& block : table.blocks) {
        if (block.sums[0] == 0) continue;
        const double miss = 1 / (1 + block.sums[1] / block.sums[0] * tilt.z);
        const double mean = block.sums[0] * tilt.z * miss;
        tilt.mean += mean;
        tilt.variance += mean * miss;
    }
}

void class_moments(const OddsTable& table, Tilt& tilt) {
    tilt.mean = 0;
    tilt.variance = 0;
    for (std::size_t i = 0; i < table.odds.size(); ++i) {
        const double miss = 1 / (1 + table.odds[i] * tilt.z);
        const double mean = table.counts[i] * table.odds[i] * tilt.z * miss;
        tilt.mean += mean;
        tilt.variance += mean * miss;
    }
}

/// The tilt with mean near v, by Newton's method on logarithms, where the mean is nearly straight. It need
/// not be exact: every tilt gives the same tail.
template <typename Moments>
Tilt tilt_to(double v, Tilt start, double tolerance, const Moments& moments) {
    constexpr int steps_max = 60;
    constexpr double log_z_max = 600;
    double low = 0;
    double high = log_z_max;
    Tilt tilt = start;
    double log_z = std::log(tilt.z);
    for (int step = 0; step < steps_max; ++step) {
        moments(tilt);
        if (std::abs(tilt.mean - v) <= tolerance * std::sqrt(tilt.variance)) break;
        (tilt.mean < v ? low : high) = log_z;
        double next = log_z + std::log(v / tilt.mean) * tilt.mean / tilt.variance;
        if (!(next > low && next < high)) next = low + (high - low) / 2;
        if (next == log_z || high - low < 1e-12) break;
        log_z = next;
        tilt.z = std::exp(log_z);
    }
    return tilt;
}

/// What a class adds to ln G(z).
double log_generating(double odds, double count, double z) {
    return count * (std::log1p(odds * z) - std::log1p(odds));
}

/// The tilted probabilities by their Edgeworth series.
double edgeworth_tail(const OddsTable& table, double v, double z) {
    double log_g = 0;
    double mean = 0;
    double k2 = 0;
    double k3 = 0;
    double k4 = 0;
    for (std::size_t i = 0; i < table.odds.size(); ++i) {
        const double p = tilted_probability(table.odds[i] * z);
        const double miss = 1 / (1 + table.odds[i] * z);
        const double variance = table.counts[i] * p * miss;
        log_g += log_generating(table.odds[i], table.counts[i], z);
        mean += table.counts[i] * p;
        k2 += variance;
        k3 += variance * (miss - p);
        k4 += variance * (1 - 6 * p * miss);
    }
    const double sigma = std::sqrt(k2);
    const double skewness = k3 / (k2 * sigma);
    const double kurtosis = k4 / (k2 * k2);
    const auto probability = [&](double x) {
        const double y = (x - mean) / sigma;
        const double y2 = y * y;
        const double h3 = y * (y2 - 3);
        const double h4 = (y2 - 6) * y2 + 3;
        const double h6 = ((y2 - 15) * y2 + 45) * y2 - 15;
        const double series = 1 + skewness / 6 * h3 + kurtosis / 24 * h4 + skewness * skewness / 72 * h6;
        constexpr double root_two_pi = 2.5066282746310002;
        return std::max(0.0, series) * std::exp(-0.5 * y2) / (root_two_pi * sigma);
    };
    // Wide sums go in strides, each taken at its middle: relative error (stride / sigma)^2 / 24.
    const double stride = std::max(1.0, std::floor(sigma / 400));
    const double log_z = std::log(z);
    const double within = log_z * stride < 1e-9 ? stride : -std::expm1(-stride * log_z) / -std::expm1(-log_z);
    double sum = 0;
    if (z == 1) {
        for (double x = v - 1; x >= 0 && x > mean - 12 * sigma; x -= stride)
            sum += probability(x - (stride - 1) / 2) * stride;
        return 1 - sum;
    }
    // Within a stride the weights z^-j are summed exactly about the middle of its mass.
    const double centre = log_z * stride < 1e-6 ? (stride - 1) / 2
                                                : 1 / std::expm1(log_z) - stride / std::expm1(stride * log_z);
    for (double j = 0; j < 24 * sigma; j += stride) {
        const double weight = std::exp(-j * log_z) * within;
        const double term = weight * probability(v + j + centre);
        sum += term;
        if (v + j > mean && term < 1e-14 * sum) break;
    }
    return std::exp(log_g - v * log_z) * sum;
}

}  // namespace

double odds_table_tail(const OddsTable& table, std::uint64_t at_least, TailScratch& scratch) {
    if (at_least == 0) return 1;
    const auto v = static_cast<double>(at_least);
    double variables = 0;
    for (std::size_t i = 0; i < table.odds.size(); ++i) variables += table.odds[i] > 0 ? table.counts[i] : 0;
    if (v > variables) return tail_floor;
    if (v == variables) {
        double log_all = 0;
        for (std::size_t i = 0; i < table.odds.size(); ++i)
            if (table.odds[i] > 0) log_all -= table.counts[i] * std::log1p(1 / table.odds[i]);
        return clamp_tail(std::exp(log_all));
    }

    Tilt tilt;
    block_moments(table, tilt);
    // P(X < v) <= exp(-(mean - v + 1)^2 / (2 mean)) (Chernoff) is below the rounding of 1.
    const double below = tilt.mean - v + 1;
    if (below > 0 && below * below > 90 * tilt.mean) return 1;
    if (v > tilt.mean + std::sqrt(tilt.variance)) {
        // P(X >= v) <= E X.
        double mean_max = 0;
        for (const auto& block : table.blocks) mean_max += block.sums[0];
        if (mean_max <= tail_floor) return tail_floor;
        tilt.z = std::max(1.0, std::min(v / mean_max, 1e250));
        // Taking blocks for one class loses at most a fifth of the variables.
        if (v <= variables / 2)
            tilt = tilt_to(v, tilt, 0.05, [&](Tilt& t) { block_moments(table, t); });
        else
            tilt = tilt_to(v, tilt, 0.05, [&](Tilt& t) { class_moments(table, t); });
    }
    const double z = tilt.z;
    if (z > 1) {
        // P(X >= v) <= G(z) z^-v, and ln(1 + q (z - 1)) <= w (z - 1).
        double log_bound = -v * std::log(z);
        for (const auto& block : table.blocks) log_bound += block.sums[0] * (z - 1);
        if (log_bound < log_floor) return tail_floor;
    }
    if (tilt.variance > exact_variance_max) {
        Tilt exact = tilt;
        if (z > 1) exact = tilt_to(v, tilt, 1e-6, [&](Tilt& t) { class_moments(table, t); });
        return clamp_tail(edgeworth_tail(table, v, exact.z));
    }

    // Counted out: the classes of high tilted odds. log_g is ln G(z) z^-v.
    const double inverse_z = 1 / z;
    scratch.states.assign(1, 1.0);
    Head head{at_least, inverse_z, &scratch.states, 0, 0};
    double log_g = -v * std::log(z);
    double product = 1;
    std::array<double, OddsBlock::orders_max> power{};
    for (const auto& block : table.blocks) {
        if (block.odds_max * z <= head_odds) {
            for (std::size_t j = 0; j < table.orders; ++j) power[j] += block.sums[j];
            continue;
        }
        for (std::size_t i = block.first; i < block.last; ++i) {
            const double odds = table.odds[i];
            if (odds == 0) continue;
            const double count = table.counts[i];
            const double hit = tilted_probability(odds * z);
            if (count <= 8) {
                for (double c = 0; c < count; c += 1) {
                    head.add_one(hit);
                    const double factor = (1 + odds * z) / (1 + odds);
                    if (product * factor > 1e250) {
                        log_g += std::log(product);
                        product = 1;
                    }
                    product *= factor;
                }
            } else {
                const std::uint64_t first = binomial_terms(odds * z, count, scratch.binomial);
                head.add_many(hit, count, first, scratch);
                if (z > 1) log_g += log_generating(odds, count, z);
            }
            head.trim();
        }
    }
    log_g += std::log(product);

    // The others: coefficients b_n of exp(sum c_j s^j / j - sum c_j / j) and R(n) = sum over i >= 0 of z^-i
    // b_{n+i}.
    double log_first = 0;
    double scale = 1;
    double sign = 1;
    std::array<double, OddsBlock::orders_max> c{};
    for (std::size_t j = 0; j < table.orders; ++j) {
        const auto order = static_cast<double>(j + 1);
        scale *= z;
        // z above 1e25: the orders beyond v, which alone can overflow, weigh nothing.
        if (scale > 1e300) break;
        c[j] = sign * power[j] * scale;
        log_first -= c[j] / order;
        // z^j - 1 over j: what these classes add to ln G(z).
        if (z > 1) log_g += sign * power[j] * (scale - 1) / order;
        sign = -sign;
    }
    const std::uint64_t needed = at_least - head.low;
    const double mean = c[0];
    auto& bulk = scratch.bulk;
    const double reach = z > 1 ? std::min(36 / std::log(z) + 2, 9 * std::sqrt(mean) + 24) : 0;
    const auto top =
        static_cast<std::size_t>(std::max(static_cast<double>(needed), z > 1 ? mean : 0) + reach) + 1;
    bulk.assign(top + 1, 0.0);
    bulk[0] = std::exp(log_first);
    for (std::size_t n = 1; n <= top; ++n) {
        double sum = 0;
        const std::size_t last = std::min(n, table.orders);
        for (std::size_t j = 1; j <= last; ++j) sum += c[j - 1] * bulk[n - j];
        bulk[n] = std::max(0.0, sum / static_cast<double>(n));
    }
    if (z > 1) {
        for (std::size_t n = top; n-- > 0;) bulk[n] += bulk[n + 1] * inverse_z;
    } else {
        // R(n) = P(at least n).
        double less = 0;
        for (std::size_t n = 0; n <= top; ++n) {
            const double here = bulk[n];
            bulk[n] = std::max(0.0, 1 - less);
            less += here;
        }
    }
    double sum = head.beyond * bulk[0];
    for (std::size_t s = 0; s < scratch.states.size(); ++s) sum += scratch.states[s] * bulk[needed - s];
    if (!(sum > 0)) return tail_floor;
    return clamp_tail(std::exp(log_g + std::log(sum)));
}

double poisson_binomial_tail(std::span<const ProbabilityClass> classes, std::uint64_t at_least) {
    std::vector<std::pair<double, double>> sorted;
    sorted.reserve(classes.size());
    for (const auto& [probability, count] : classes) {
        UNVEIL_ASSERT(probability >= 0 && probability <= 1);
        UNVEIL_ASSERT(count >= 0 && count <= 1e15 && count == std::floor(count));
        if (count == 0 || probability <= 0) continue;
        if (probability == 1) {
            at_least -= std::min(at_least, static_cast<std::uint64_t>(count));
            continue;
        }
        sorted.emplace_back(probability / (1 - probability), count);
    }
    std::sort(sorted.begin(), sorted.end());
    std::vector<double> odds;
    std::vector<double> counts;
    std::vector<OddsBlock> blocks;
    for (const auto& [w, count] : sorted) {
        if (!odds.empty() && odds.back() == w) {
            counts.back() += count;
        } else {
            odds.push_back(w);
            counts.push_back(count);
            if (blocks.empty() || w > 2 * odds[blocks.back().first]) {
                blocks.emplace_back();
                blocks.back().first = odds.size() - 1;
            }
            blocks.back().last = odds.size();
            blocks.back().odds_max = w;
        }
        double term = count;
        for (double& sum : blocks.back().sums) sum += term *= w;
    }
    TailScratch scratch;
    return odds_table_tail({odds, counts, blocks, OddsBlock::orders_max}, at_least, scratch);
}

double poisson_binomial_tail(std::span<const double> probabilities, std::uint64_t at_least) {
    const std::size_t n = probabilities.size();
    int valid = 1;
    for (const double p : probabilities) valid &= static_cast<int>(p >= 0) & static_cast<int>(p <= 1);
    UNVEIL_ASSERT(valid == 1);
    if (at_least == 0) return 1;
    if (at_least > n) return tail_floor;
    const auto v = static_cast<std::size_t>(at_least);
    switch (v) {
        case 1:
            return clamp_tail(small_tail<1>(probabilities));
        case 2:
            return clamp_tail(small_tail<2>(probabilities));
        case 3:
            return clamp_tail(small_tail<3>(probabilities));
        case 4:
            return clamp_tail(small_tail<4>(probabilities));
        case 5:
            return clamp_tail(small_tail<5>(probabilities));
        case 6:
            return clamp_tail(small_tail<6>(probabilities));
        default:
            break;
    }
    const double cost = static_cast<double>(n) * static_cast<double>(std::min(v, n - v + 1));
    if (cost > recursion_cost_max) {
        std::vector<ProbabilityClass> classes;
        classes.reserve(n);
        for (const double p : probabilities) classes.push_back({p, 1});
        return poisson_binomial_tail(std::span<const ProbabilityClass>(classes), at_least);
    }
    if (v <= stack_states) {
        double states[stack_states];
        return clamp_tail(absorbing_tail(probabilities, v, states));
    }
    std::vector<double> states(v);
    return clamp_tail(absorbing_tail(probabilities, v, states.data()));
}

}  // namespace unveil
