#include "statistics/configuration_model.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numbers>
#include <numeric>

#include "core/error.hpp"
#include "core/parallel.hpp"

namespace unveil {
namespace {

constexpr double log_fitness_max = 300;  // x y stays below e^600
/// Orders of the power sums of a pair: see OddsTable for the error.
constexpr std::size_t pair_orders = 6;
/// Odds within a run differ by less than this squared.
constexpr double run_ratio = 1.4;
/// Odds beyond are as good as certain, and their sixth power still has room.
constexpr double odds_max = 1e40;
/// Pairs of distinct degrees over which the residual is summed.
constexpr double residual_pairs_max = 2e7;

/// One side of a block: classes of equal free degree.
struct BlockSide {
    std::vector<double> counts;
    /// logit of free degree / free variables of the other side.
    std::vector<double> targets;
    /// ln x or ln y.
    std::vector<double> logs;
};

/// A function's value and slope.
struct ValueSlope {
    double value = 0;
    double slope = 0;
};

/// The logit of the expected share of the other side's variables that a class of fitness e^u is linked to, as
/// a function of u: increasing with slope at most 1. Interpolated on intervals of length 4 at 26 Chebyshev
/// nodes each: with the singularities pi away, the error falls as 3.4^-26 = 1e-14 times the values
/// (Trefethen, Approximation Theory and Approximation Practice, theorem 8.2). Few classes are summed
/// directly.
class LinkLogit {
  public:
    LinkLogit(const BlockSide& other, std::size_t classes) : m_direct(classes < 4 * nodes) {
        m_fitness.reserve(other.logs.size());
        for (const double log : other.logs) m_fitness.push_back(std::exp(log));
        m_counts = &other.counts;
        m_variables = std::accumulate(other.counts.begin(), other.counts.end(), 0.0);
    }

    ValueSlope operator()(double u) {
        if (m_direct) return sum(u);
        const double piece = std::floor(u / length);
        auto& coefficients = m_pieces[static_cast<int>(piece)];
        if (coefficients.empty()) fit(piece * length, coefficients);
        // Clenshaw's recurrence for the series and, beside it, for its derivative.
        const double t = (u - piece * length) * (2 / length) - 1;
        double b1 = 0;
        double b2 = 0;
        double d1 = 0;
        double d2 = 0;
        for (std::size_t j = nodes; j-- > 1;) {
            const double d = 2 * t * d1 - d2 + 2 * b1;
            const double b = 2 * t * b1 - b2 + coefficients[j];
            d2 = d1;
            d1 = d;
            b2 = b1;
            b1 = b;
        }
        return {t * b1 - b2 + coefficients[0], (b1 + t * d1 - d2) * (2 / length)};
    }

  private:
    static constexpr std::size_t nodes = 26;
    static constexpr double length = 4;

    ValueSlope sum(double u) const {
        const double x = std::exp(u);
        double linked = 0;
        double free = 0;
        double slope = 0;
        const auto& counts = *m_counts;
        for (std::size_t k = 0; k < m_fitness.size(); ++k) {
            const double odds = x * m_fitness[k];
            const double miss = 1 / (1 + odds);
            const double share = counts[k] * miss;
            free += share;
            linked += share * odds;
            slope += share * odds * miss;
        }
        return {std::log(linked / free), slope * m_variables / linked / free};
    }

    void fit(double start, std::vector<double>& coefficients) const {
        std::array<double, nodes> values{};
        for (std::size_t i = 0; i < nodes; ++i) {
            const double angle = std::numbers::pi * (static_cast<double>(i) + 0.5) / nodes;
            values[i] = sum(start + length * 0.5 * (1 + std::cos(angle))).value;
        }
        coefficients.assign(nodes, 0.0);
        for (std::size_t j = 0; j < nodes; ++j) {
            for (std::size_t i = 0; i < nodes; ++i) {
                const double angle = std::numbers::pi * (static_cast<double>(i) + 0.5) / nodes;
                coefficients[j] += values[i] * std::cos(static_cast<double>(j) * angle);
            }
            coefficients[j] *= (j == 0 ? 1.0 : 2.0) / nodes;
        }
    }

    bool m_direct;
    std::vector<double> m_fitness;
    const std::vector<double>* m_counts = nullptr;
    double m_variables = 0;
    std::map<int, std::vector<double>> m_pieces;
};

/// Gives each class of `side` the fitness that makes its expected degree right, the other side being fixed.
void solve_side(BlockSide& side, const BlockSide& other) {
    constexpr int steps_max = 100;
    LinkLogit logit(other, side.logs.size());
    for (std::size_t i = 0; i < side.logs.size(); ++i) {
        const double target = side.targets[i];
        double low = -log_fitness_max;
        double high = log_fitness_max;
        double u = std::clamp(side.logs[i], low, high);
        for (int step = 0; step < steps_max; ++step) {
            const auto [value, slope] = logit(u);
            const double missing = target - value;
            if (std::abs(missing) <= 1e-13 * (1 + std::abs(target))) break;
            (missing > 0 ? low : high) = u;
            // Away from the solution Newton's step may overshoot; the slope is at most 1.
            double next = u + std::clamp(missing / slope, -8.0, 8.0);
            if (!(next >= low && next <= high)) next = low + (high - low) / 2;
            if (std::abs(next - u) <= 1e-15 * std::abs(u)) break;
            u = next;
        }
        side.logs[i] = u;
    }
}

/// Anderson's acceleration of a fixed-point iteration: the next point is where the last residuals, combined
/// with weights of sum 1, are least.
class Anderson {
  public:
    /// From the point `v`, whose image is v + `residual`.
    std::vector<double> next(const std::vector<double>& v, const std::vector<double>& residual,
                             const std::vector<double>& weights) {
        if (!m_last.empty()) {
            m_steps.push_back(difference(v, m_last));
            m_changes.push_back(difference(residual, m_last_residual));
            if (m_steps.size() > window) {
                m_steps.erase(m_steps.begin());
                m_changes.erase(m_changes.begin());
            }
        }
        m_last = v;
        m_last_residual = residual;
        std::vector<double> result(v.size());
        for (std::size_t i = 0; i < v.size(); ++i) result[i] = v[i] + residual[i];
        const auto gamma = fit(residual, weights);
        for (std::size_t j = 0; j < gamma.size(); ++j)
            for (std::size_t i = 0; i < v.size(); ++i)
                result[i] -= gamma[j] * (m_steps[j][i] + m_changes[j][i]);
        return result;
    }

    void restart() {
        m_steps.clear();
        m_changes.clear();
        m_last.clear();
    }

  private:
    static constexpr std::size_t window = 5;

    static std::vector<double> difference(const std::vector<double>& a, const std::vector<double>& b) {
        std::vector<double> result(a.size());
        for (std::size_t i = 0; i < a.size(); ++i) result[i] = a[i] - b[i];
        return result;
    }

    /// Least squares for residual = sum gamma_j change_j by modified Gram-Schmidt, newest change first;
    /// changes that are nearly dependent on newer ones get no weight.
    std::vector<double> fit(std::vector<double> residual, const std::vector<double>& weights) const {
        const std::size_t n = m_changes.size();
        const auto dot = [&](const std::vector<double>& a, const std::vector<double>& b) {
            double sum = 0;
            for (std::size_t i = 0; i < a.size(); ++i) sum += weights[i] * a[i] * b[i];
            return sum;
        };
        std::vector<std::vector<double>> basis;
        std::vector<std::vector<double>> above(n, std::vector<double>(n, 0.0));
        std::vector<double> right(n, 0.0);
        std::vector<bool> used(n, false);
        for (std::size_t c = 0; c < n; ++c) {
            std::vector<double> q = m_changes[n - 1 - c];
            const double before = dot(q, q);
            for (std::size_t b = 0; b < c; ++b) {
                if (!used[b]) continue;
                above[b][c] = dot(basis[b], q);
                for (std::size_t i = 0; i < q.size(); ++i) q[i] -= above[b][c] * basis[b][i];
            }
            const double after = dot(q, q);
            used[c] = after > 1e-16 * before && after > 1e-280;
            if (used[c]) {
                above[c][c] = std::sqrt(after);
                for (double& value : q) value /= above[c][c];
                right[c] = dot(q, residual);
                for (std::size_t i = 0; i < q.size(); ++i) residual[i] -= right[c] * q[i];
            }
            basis.push_back(std::move(q));
        }
        std::vector<double> gamma(n, 0.0);
        for (std::size_t c = n; c-- > 0;) {
            if (!used[c]) continue;
            double value = right[c];
            for (std::size_t later = c + 1; later < n; ++later)
                value -= above[c][later] * gamma[n - 1 - later];
            gamma[n - 1 - c] = value / above[c][c];
        }
        return gamma;
    }

    std::vector<std::vector<double>> m_steps;
    std::vector<std::vector<double>> m_changes;
    std::vector<double> m_last;
    std::vector<double> m_last_residual;
};

double largest(const std::vector<double>& values) {
    double result = 0;
    for (const double value : values) result = std::max(result, std::abs(value));
    return result;
}

/// Returns the number of sweeps. The change of ln y over one sweep bounds the error of the logits of the left
/// degrees, while the right ones are exact.
int solve(BlockSide& left, BlockSide& right, int sweeps_max) {
    constexpr double tolerance = 1e-10;
    const double left_variables = std::accumulate(left.counts.begin(), left.counts.end(), 0.0);
    std::vector<double> weights;
    for (std::size_t k = 0; k < right.counts.size(); ++k) {
        const double share = 1 / (1 + std::exp(-right.targets[k]));
        weights.push_back(right.counts[k] * left_variables * share * (1 - share) + 1e-9);
    }
    Anderson anderson;
    double last = std::numeric_limits<double>::infinity();
    for (int sweep = 1; sweep <= sweeps_max; ++sweep) {
        const std::vector<double> before = right.logs;
        solve_side(left, right);
        solve_side(right, left);
        std::vector<double> residual(before.size());
        for (std::size_t k = 0; k < residual.size(); ++k) residual[k] = right.logs[k] - before[k];
        const double change = largest(residual);
        if (change <= tolerance) return sweep;
        if (change > 2 * last) {
            // The plain image is kept: alternating solutions always improve.
            anderson.restart();
            last = std::numeric_limits<double>::infinity();
            continue;
        }
        last = change;
        right.logs = anderson.next(before, residual, weights);
    }
    return sweeps_max;
}

std::vector<DegreeCount> merged(std::span<const DegreeCount> classes) {
    std::vector<DegreeCount> result(classes.begin(), classes.end());
    std::sort(result.begin(), result.end(),
              [](const DegreeCount& a, const DegreeCount& b) { return a.degree < b.degree; });
    std::size_t size = 0;
    for (const auto& item : result) {
        if (item.count == 0) continue;
        if (size > 0 && result[size - 1].degree == item.degree)
            result[size - 1].count += item.count;
        else
            result[size++] = item;
    }
    result.resize(size);
    return result;
}

}  // namespace

std::size_t BipartiteConfiguration::Side::at(std::uint32_t degree) const {
    const auto found = std::lower_bound(degrees.begin(), degrees.end(), degree);
    UNVEIL_ASSERT(found != degrees.end() && *found == degree);
    return static_cast<std::size_t>(found - degrees.begin());
}

BipartiteConfiguration::BipartiteConfiguration(std::span<const DegreeCount> left,
                                               std::span<const DegreeCount> right,
                                               ObjectDegrees object_degrees)
    : m_object_degrees(object_degrees) {
    const auto fill = [](Side& side, std::span<const DegreeCount> classes) {
        for (const auto& [degree, count] : merged(classes)) {
            side.degrees.push_back(degree);
            side.counts.push_back(static_cast<double>(count));
        }
        side.fitness.assign(side.degrees.size(), 0.0);
        side.blocks.assign(side.degrees.size(), 0);
    };
    fill(m_left, left);
    fill(m_right, right);
    m_conditioning.assign(m_right.degrees.size(), 0.0);
    split_into_blocks();
    for (std::uint32_t block = 0; block < m_free_first.size(); ++block) solve_block(block);
    measure_residual();
    form_runs();
}

void BipartiteConfiguration::split_into_blocks() {
    // Counts of links stay below 2^53, so that sums of doubles are exact.
    double links_left = 0;
    double links_right = 0;
    for (std::size_t i = 0; i < m_left.degrees.size(); ++i)
        links_left += m_left.degrees[i] * m_left.counts[i];
    for (std::size_t k = 0; k < m_right.degrees.size(); ++k)
        links_right += m_right.degrees[k] * m_right.counts[k];
    UNVEIL_ASSERT(links_left == links_right && links_left < 0x1p53);

    // Gale and Ryser: the a accounts of the highest degrees have at most sum min(k, a) links. Equality says
    // that objects of degree >= a are linked to all of them and the others to nobody else.
    std::vector<double> ends{0};  // accounts before each block
    double accounts = 0;
    double links = 0;
    double small_links = 0;    // of objects of degree < accounts
    double large_objects = 0;  // objects of degree >= accounts
    for (const double count : m_right.counts) large_objects += count;
    std::size_t k = 0;
    for (std::size_t i = m_left.degrees.size(); i-- > 0;) {
        m_left.blocks[i] = static_cast<std::uint32_t>(ends.size() - 1);
        accounts += m_left.counts[i];
        links += m_left.degrees[i] * m_left.counts[i];
        for (; k < m_right.degrees.size() && m_right.degrees[k] < accounts; ++k) {
            small_links += m_right.degrees[k] * m_right.counts[k];
            large_objects -= m_right.counts[k];
        }
        const double most = small_links + large_objects * accounts;
        UNVEIL_ASSERT(links <= most);
        if (links == most) ends.push_back(accounts);
    }
    // The last entry is the number of accounts: all of them have all links.
    const std::size_t blocks = ends.size() - 1;
    m_right_free.assign(m_right.degrees.size(), 0.0);
    m_free_first.assign(blocks, 0);
    m_free_last.assign(blocks, 0);
    m_objects_after.assign(blocks, 0.0);
    std::size_t block = 0;
    for (k = 0; k < m_right.degrees.size(); ++k) {
        const double degree = m_right.degrees[k];
        while (block + 1 < ends.size() && ends[block + 1] <= degree) ++block;
        m_right.blocks[k] = static_cast<std::uint32_t>(block);
        m_right_free[k] = degree - ends[block];
        if (block > 0) m_objects_after[block - 1] += m_right.counts[k];
        if (m_right_free[k] > 0) {
            if (m_free_last[block] == 0) m_free_first[block] = k;
            m_free_last[block] = k + 1;
        }
    }
    for (std::size_t b = blocks; b-- > 1;) m_objects_after[b - 1] += m_objects_after[b];
    // Left classes ascend, their blocks descend.
    m_left_first.assign(blocks, 0);
    m_left_last.assign(blocks, 0);
    m_left_free.assign(m_left.degrees.size(), 0.0);
    for (std::size_t i = m_left.degrees.size(); i-- > 0;) m_left_first[m_left.blocks[i]] = i;
    for (std::size_t i = 0; i < m_left.degrees.size(); ++i) m_left_last[m_left.blocks[i]] = i + 1;
    for (std::size_t i = 0; i < m_left.degrees.size(); ++i)
        m_left_free[i] = m_left.degrees[i] - m_objects_after[m_left.blocks[i]];
}

void BipartiteConfiguration::solve_block(std::uint32_t block) {
    const std::size_t first = m_free_first[block];
    const std::size_t last = m_free_last[block];
    if (first == last) return;
    const std::size_t left_first = m_left_first[block];
    const std::size_t left_last = m_left_last[block];
    double accounts = 0;
    double links = 0;
    for (std::size_t i = left_first; i < left_last; ++i) {
        accounts += m_left.counts[i];
        links += m_left_free[i] * m_left.counts[i];
    }
    double objects = 0;
    for (std::size_t k = first; k < last; ++k) objects += m_right.counts[k];
    const double log_root = 0.5 * std::log(links);
    BlockSide left;
    BlockSide right;
    for (std::size_t i = left_first; i < left_last; ++i) {
        UNVEIL_ASSERT(m_left_free[i] > 0 && m_left_free[i] < objects);
        left.counts.push_back(m_left.counts[i]);
        left.targets.push_back(std::log(m_left_free[i] / (objects - m_left_free[i])));
        left.logs.push_back(std::log(m_left_free[i]) - log_root);
    }
    for (std::size_t k = first; k < last; ++k) {
        UNVEIL_ASSERT(m_right_free[k] < accounts);
        right.counts.push_back(m_right.counts[k]);
        right.targets.push_back(std::log(m_right_free[k] / (accounts - m_right_free[k])));
        right.logs.push_back(std::log(m_right_free[k]) - log_root);
    }
    m_sweeps = std::max(m_sweeps, solve(left, right, sweeps_max));
    for (std::size_t i = left_first; i < left_last; ++i)
        m_left.fitness[i] = std::exp(left.logs[i - left_first]);
    for (std::size_t k = first; k < last; ++k) m_right.fitness[k] = std::exp(right.logs[k - first]);
    if (m_object_degrees == ObjectDegrees::expected) return;
    LinkLogit logit(left, right.logs.size());
    for (std::size_t k = first; k < last; ++k) {
        const double free = m_right_free[k];
        // The slope is c n / (k (n - k)) for n accounts.
        const double c = logit(right.logs[k - first]).slope * free * (accounts - free) / accounts;
        m_conditioning[k] = 1 / c;
    }
}

void BipartiteConfiguration::measure_residual() {
    const double pairs =
        static_cast<double>(m_left.degrees.size()) * static_cast<double>(m_right.degrees.size());
    const auto stride = static_cast<std::size_t>(std::max(1.0, std::ceil(pairs / residual_pairs_max)));
    const auto expected = [](const Side& other, std::size_t first, std::size_t last, double fitness) {
        double sum = 0;
        for (std::size_t k = first; k < last; ++k) {
            const double odds = fitness * other.fitness[k];
            sum += other.counts[k] * odds / (1 + odds);
        }
        return sum;
    };
    for (std::size_t i = 0; i < m_left.degrees.size(); i += stride) {
        const auto block = m_left.blocks[i];
        if (m_left.degrees[i] == 0) continue;
        const double sum = expected(m_right, m_free_first[block], m_free_last[block], m_left.fitness[i]);
        m_residual = std::max(m_residual, std::abs(sum - m_left_free[i]) / m_left.degrees[i]);
    }
    for (std::size_t k = 0; k < m_right.degrees.size(); k += stride) {
        const auto block = m_right.blocks[k];
        if (m_right_free[k] == 0) continue;
        const double sum = expected(m_left, m_left_first[block], m_left_last[block], m_right.fitness[k]);
        m_residual = std::max(m_residual, std::abs(sum - m_right_free[k]) / m_right.degrees[k]);
    }
}

void BipartiteConfiguration::form_runs() {
    for (std::size_t block = 0; block < m_free_first.size(); ++block) {
        m_runs_first.push_back(m_runs.size());
        // Fitness increases with the degree; an iteration that was cut short need not keep to that.
        double lowest = 0;
        double highest = 0;
        for (std::size_t k = m_free_first[block]; k < m_free_last[block]; ++k) {
            const double y = m_right.fitness[k];
            if (lowest == 0 || y > run_ratio * lowest || y * run_ratio < highest) {
                m_runs.push_back({k, k});
                lowest = highest = y;
            }
            lowest = std::min(lowest, y);
            highest = std::max(highest, y);
            m_runs.back().last = k + 1;
        }
    }
    m_runs_first.push_back(m_runs.size());
}

double BipartiteConfiguration::probability(std::uint32_t left_degree, std::uint32_t right_degree) const {
    const std::size_t i = m_left.at(left_degree);
    const std::size_t k = m_right.at(right_degree);
    if (m_left.blocks[i] != m_right.blocks[k]) return m_left.blocks[i] < m_right.blocks[k] ? 1 : 0;
    const double odds = m_left.fitness[i] * m_right.fitness[k];
    return odds / (1 + odds);
}

double BipartiteConfiguration::expected_shared(std::uint32_t degree, std::uint32_t degree2) const {
    return SharedTails(*this).expected(degree, degree2);
}

double BipartiteConfiguration::shared_tail(std::uint32_t degree, std::uint32_t degree2,
                                           std::uint64_t at_least) const {
    return SharedTails(*this).tail(degree, degree2, at_least);
}

SharedTails::SharedTails(const BipartiteConfiguration& configuration) : m_configuration(configuration) {
    m_odds.resize(configuration.m_right.degrees.size());
}

void SharedTails::choose(std::uint32_t degree, std::uint32_t degree2) {
    if (degree > degree2) std::swap(degree, degree2);
    if (m_chosen && degree == m_degree && degree2 == m_degree2) return;
    const auto& c = m_configuration;
    const std::size_t i = c.m_left.at(degree);
    const std::size_t j = c.m_left.at(degree2);
    // The lower degree is in the later block: there alone a shared object is a matter of chance. The higher
    // degree, if in an earlier block, is linked to all of that one's objects.
    const std::uint32_t block = c.m_left.blocks[i];
    const double x = c.m_left.fitness[i];
    const double x2 = c.m_left.fitness[j];
    m_first = c.m_free_first[block];
    m_last = c.m_free_last[block];
    m_certain = c.m_objects_after[block];
    const double* y = c.m_right.fitness.data();
    const double* counts = c.m_right.counts.data();
    double* odds = m_odds.data();
    if (x == 0) {
        m_last = m_first;
    } else if (c.m_left.blocks[j] != block) {
        for (std::size_t k = m_first; k < m_last; ++k) odds[k] = std::min(odds_max, x * y[k]);
    } else if (c.m_object_degrees == ObjectDegrees::expected) {
        // p p' / (1 - p p') with p = x y / (1 + x y).
        const double product = x * x2;
        const double sum = x + x2;
        for (std::size_t k = m_first; k < m_last; ++k)
            odds[k] = std::min(odds_max, product * y[k] * y[k] / (1 + sum * y[k]));
    } else {
        // q / (1 - q) with q = p p' (1 - 1 / (c m)), m = (1 + x y) (1 + x' y) = 1 / ((1 - p) (1 - p')).
        const double product = x * x2;
        const double sum = x + x2;
        const double* conditioning = c.m_conditioning.data();
        const double* free = c.m_right_free.data();
        for (std::size_t k = m_first; k < m_last; ++k) {
            const double both = product * y[k] * y[k];
            const double rest = 1 + sum * y[k];
            const double m = rest + both;
            const double less = free[k] > 1 ? std::max(0.0, m - conditioning[k]) : 0.0;
            // m m - both less, without cancellation when both is nearly all of m.
            odds[k] = std::min(odds_max, both * less / (m * rest + both * std::min(m, conditioning[k])));
        }
    }
    m_blocks.clear();
    if (m_first != m_last) {
        for (std::size_t r = c.m_runs_first[block]; r < c.m_runs_first[block + 1]; ++r) {
            const auto [first, last] = c.m_runs[r];
            auto& sums = m_blocks.emplace_back();
            sums.first = first - m_first;
            sums.last = last - m_first;
            std::array<double, pair_orders> power{};
            for (std::size_t k = first; k < last; ++k) {
                const double w = odds[k];
                sums.odds_max = std::max(sums.odds_max, w);
                const double w2 = w * w;
                const double term = counts[k] * w;
                const double term3 = term * w2;
                const double term5 = term3 * w2;
                power[0] += term;
                power[1] += term * w;
                power[2] += term3;
                power[3] += term3 * w;
                power[4] += term5;
                power[5] += term5 * w;
            }
            std::copy(power.begin(), power.end(), sums.sums.begin());
        }
    }
    m_degree = degree;
    m_degree2 = degree2;
    m_chosen = true;
}

double SharedTails::expected(std::uint32_t degree, std::uint32_t degree2) {
    choose(degree, degree2);
    double sum = m_certain;
    for (std::size_t k = m_first; k < m_last; ++k)
        sum += m_configuration.m_right.counts[k] * m_odds[k] / (1 + m_odds[k]);
    return sum;
}

double SharedTails::tail(std::uint32_t degree, std::uint32_t degree2, std::uint64_t at_least) {
    choose(degree, degree2);
    const auto certain = static_cast<std::uint64_t>(m_certain);
    if (at_least <= certain) return 1;
    const std::size_t classes = m_last - m_first;
    const OddsTable table{std::span(m_odds).subspan(m_first, classes),
                          std::span(m_configuration.m_right.counts).subspan(m_first, classes), m_blocks,
                          pair_orders};
    return odds_table_tail(table, at_least - certain, m_scratch);
}

std::vector<double> shared_tails(const BipartiteConfiguration& configuration,
                                 std::span<const SharedQuery> queries, unsigned threads) {
    struct Item {
        SharedQuery query;
        std::size_t place = 0;
    };
    std::vector<Item> items(queries.size());
    for (std::size_t i = 0; i < queries.size(); ++i) {
        items[i] = {queries[i], i};
        auto& query = items[i].query;
        if (query.degree > query.degree2) std::swap(query.degree, query.degree2);
    }
    std::sort(items.begin(), items.end(), [](const Item& a, const Item& b) {
        if (a.query.degree != b.query.degree) return a.query.degree < b.query.degree;
        if (a.query.degree2 != b.query.degree2) return a.query.degree2 < b.query.degree2;
        return a.query.at_least < b.query.at_least;
    });
    constexpr std::size_t part_size = 16384;
    std::vector<double> tails(queries.size());
    parallel_parts((items.size() + part_size - 1) / part_size, threads, [&](std::size_t part) {
        SharedTails shared(configuration);
        const std::size_t first = part * part_size;
        const std::size_t last = std::min(items.size(), first + part_size);
        for (std::size_t i = first; i < last; ++i) {
            const auto& query = items[i].query;
            const bool repeated = i > first && items[i - 1].query.degree == query.degree &&
                                  items[i - 1].query.degree2 == query.degree2 &&
                                  items[i - 1].query.at_least == query.at_least;
            tails[items[i].place] = repeated ? tails[items[i - 1].place]
                                             : shared.tail(query.degree, query.degree2, query.at_least);
        }
    });
    return tails;
}

}  // namespace unveil
