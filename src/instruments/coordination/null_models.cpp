#include "instruments/coordination/null_models.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <tuple>
#include <utility>

#include "core/error.hpp"
#include "core/parallel.hpp"
#include "core/random.hpp"
#include "statistics/poisson_binomial.hpp"

namespace unveil::coordination {
namespace {

constexpr std::int64_t hour_us = 3'600'000'000;
constexpr std::uint32_t no_object = 0xffffffff;

/// What sharing an object of so many accounts adds to the prior of a pair, in 2^-32: whole numbers, so that sums do not
/// depend on their order.
std::uint64_t prior_part(std::uint32_t accounts) { return (std::uint64_t{1} << 32) / (accounts - 1); }

/// cos and sin of the middle of each hour in millionths: integers, so that sums do not depend on their order.
struct HourTable {
    std::array<std::int64_t, 24> cosine{};
    std::array<std::int64_t, 24> sine{};
    HourTable() {
        for (std::size_t hour = 0; hour < 24; ++hour) {
            const double angle = (static_cast<double>(hour) + 0.5) * (std::acos(-1.0) / 12);
            cosine[hour] = std::llround(std::cos(angle) * 1e6);
            sine[hour] = std::llround(std::sin(angle) * 1e6);
        }
    }
};

std::size_t hour_of_day(std::int64_t time_us) {
    const std::int64_t hours = time_us / hour_us - (time_us % hour_us < 0 ? 1 : 0);
    return static_cast<std::size_t>(((hours % 24) + 24) % 24);
}

template <typename Visit>
void for_each_object(std::span<const Row> rows, const Visit& visit) {
    for (std::size_t begin = 0; begin < rows.size();) {
        std::size_t end = begin + 1;
        while (end < rows.size() && rows[end].object == rows[begin].object) ++end;
        visit(rows.subspan(begin, end - begin));
        begin = end;
    }
}

/// The first entry not below `value`, for lists that are walked forward in small steps or large ones.
const std::uint32_t* gallop(const std::uint32_t* from, const std::uint32_t* end, std::uint32_t value) {
    std::ptrdiff_t step = 1;
    const std::uint32_t* low = from;
    while (end - low > step && low[step] < value) {
        low += step;
        step *= 2;
    }
    return std::lower_bound(low, low + std::min(step + 1, end - low), value);
}

/// Calls visit(object, rows of a, rows of b) for every object in both ascending lists until it returns false.
template <typename Visit>
void for_each_shared(std::span<const std::uint32_t> a, std::span<const std::uint32_t> b, const Visit& visit) {
    const std::uint32_t* x = a.data();
    const std::uint32_t* y = b.data();
    const std::uint32_t* const x_end = x + a.size();
    const std::uint32_t* const y_end = y + b.size();
    while (x != x_end && y != y_end) {
        if (*x < *y) {
            x = gallop(x, x_end, *y);
        } else if (*y < *x) {
            y = gallop(y, y_end, *x);
        } else {
            const std::uint32_t object = *x;
            const std::uint32_t* const x_begin = x;
            const std::uint32_t* const y_begin = y;
            while (x != x_end && *x == object) ++x;
            while (y != y_end && *y == object) ++y;
            if (!visit(object, x - x_begin, y - y_begin)) return;
        }
    }
}

}  // namespace

/// One walk over the ordered rows that measures every object.
class NullModels::Sweep {
  public:
    Sweep(NullModels& models, std::uint32_t accounts)
        : m_models(models), m_last_object(accounts, no_object), m_rows_here(accounts, 0),
          m_found(models.m_rules.windows_us.size()), m_explained(m_found.size()) {}

    void measure(std::span<const Row> rows) {
        const std::uint32_t object = rows.front().object;
        m_shares.clear();
        bool is_repeated = false;
        for (const Row& row : rows) {
            if (m_last_object[row.account] == object) {
                is_repeated = true;
                ++m_rows_here[row.account];
                continue;
            }
            m_last_object[row.account] = object;
            m_rows_here[row.account] = 1;
            m_shares.push_back({row.time_us, row.account});
        }
        const auto accounts = static_cast<std::uint32_t>(m_shares.size());
        m_models.m_object_degree[object] = accounts;
        for (const Share& share : m_shares) ++m_models.m_account_degree[share.account];
        if (accounts < 2) return;
        std::uint64_t row_pairs = pairs_of(rows.size());
        if (is_repeated)
            for (const Share& share : m_shares) row_pairs -= pairs_of(m_rows_here[share.account]);
        for (std::size_t w = 0; w < m_found.size(); ++w) {
            const std::int64_t window_us = m_models.m_rules.windows_us[w];
            const std::uint64_t within = is_repeated ? count_pairs(rows, window_us) : count_all_pairs(rows, window_us);
            double pace = static_cast<double>(within) / static_cast<double>(row_pairs);
            if (is_repeated) pace = std::max(pace, mean_account_pace(rows, window_us));
            m_models.m_pi[w][object] = pace;
            if (m_models.m_rules.stratify_hours) compare_classes(w, window_us, pace);
        }
    }

    /// Coincidences of two classes beyond what the pace of their objects explains.
    std::vector<double> hour_factors(std::size_t w) const {
        std::vector<double> factors(hour_classes * hour_classes, 1);
        // Below this, a ratio says little; the unit is accounts on objects.
        constexpr double explained_min = 20;
        for (std::uint32_t c = 0; c < hour_classes; ++c)
            for (std::uint32_t d = 0; d < hour_classes; ++d) {
                const double found = to_double(m_found[w][c * hour_classes + d] + m_found[w][d * hour_classes + c]);
                const double explained = to_double(m_explained[w][c * hour_classes + d] + m_explained[w][d * hour_classes + c]);
                if (explained >= explained_min) factors[c * hour_classes + d] = std::max(1.0, found / explained);
            }
        return factors;
    }

  private:
    using Classes = std::array<std::int64_t, hour_classes * hour_classes>;
    static constexpr double unit = 1 << 16;  // sums are kept in integers so that the order of objects does not matter
    static double to_double(std::int64_t sum) { return static_cast<double>(sum) / unit; }
    static std::uint64_t pairs_of(std::uint64_t n) { return n * (n - 1) / 2; }

    /// The mean over pairs of accounts of their share of row pairs within the window.
    double mean_account_pace(std::span<const Row> rows, std::int64_t window_us) {
        const auto weight_of = [&](const Row& row) { return 1 / static_cast<double>(m_rows_here[row.account]); };
        double within = 0;
        double open = 0;
        for (std::size_t left = 0, right = 0; right < rows.size(); ++right) {
            while (rows[right].time_us - rows[left].time_us > window_us) open -= weight_of(rows[left++]);
            within += open * weight_of(rows[right]);
            open += weight_of(rows[right]);
        }
        m_by_account.assign(rows.begin(), rows.end());
        std::stable_sort(m_by_account.begin(), m_by_account.end(), [](const Row& x, const Row& y) { return x.account < y.account; });
        for (std::size_t begin = 0; begin < m_by_account.size();) {
            std::size_t end = begin;
            while (end < m_by_account.size() && m_by_account[end].account == m_by_account[begin].account) ++end;
            const double weight = weight_of(m_by_account[begin]);
            within -= static_cast<double>(count_all_pairs(std::span(m_by_account).subspan(begin, end - begin), window_us)) * weight * weight;
            begin = end;
        }
        return std::clamp(within / static_cast<double>(pairs_of(m_shares.size())), 0.0, 1.0);
    }

    /// Each object counts by its accounts, not by its pairs: one viral object must not speak for all.
    void compare_classes(std::size_t w, std::int64_t window_us, double pace) {
        std::array<std::uint64_t, hour_classes> total{};
        std::array<std::uint64_t, hour_classes> open{};
        std::array<std::uint64_t, hour_classes * hour_classes> within{};
        for (std::size_t left = 0, right = 0; right < m_shares.size(); ++right) {
            while (m_shares[right].time_us - m_shares[left].time_us > window_us)
                --open[m_models.m_hour_class[m_shares[left++].account]];
            const std::uint8_t mine = m_models.m_hour_class[m_shares[right].account];
            for (std::uint32_t c = 0; c < hour_classes; ++c) within[c * hour_classes + mine] += open[c];
            ++open[mine];
            ++total[mine];
        }
        const double scale = unit / static_cast<double>(m_shares.size() - 1);
        for (std::uint32_t c = 0; c < hour_classes; ++c)
            for (std::uint32_t d = c; d < hour_classes; ++d) {
                const std::uint64_t pairs = c == d ? pairs_of(total[c]) : total[c] * total[d];
                if (pairs == 0) continue;
                const std::uint64_t found = within[c * hour_classes + d] + (c == d ? 0 : within[d * hour_classes + c]);
                m_found[w][c * hour_classes + d] += std::llround(static_cast<double>(found) * scale);
                m_explained[w][c * hour_classes + d] += std::llround(pace * static_cast<double>(pairs) * scale);
            }
    }

    NullModels& m_models;
    std::vector<std::uint32_t> m_last_object;
    std::vector<std::uint32_t> m_rows_here;
    std::vector<Share> m_shares;
    std::vector<Row> m_by_account;
    std::vector<Classes> m_found;
    std::vector<Classes> m_explained;
};

NullModels::~NullModels() = default;

NullModels::NullModels(RowStore& rows, std::uint32_t accounts, const Dictionary& objects, const NullRules& rules,
                       Progress& progress)
    : m_rules(rules),
      m_account_degree(accounts, 0),
      m_hour_class(accounts, 0),
      m_object_degree(objects.size(), 0),
      m_pi(rules.windows_us.size(), std::vector<double>(objects.size(), 0)),
      m_own_pi(rules.windows_us.size()),
      m_paces(rules.windows_us.size()) {
    progress.check();
    count_degrees(rows, accounts);
    progress.check();
    scale_priors();
    find_common_paces();
    replace_closed_paces(rows, objects);
    progress.check();
    std::vector<std::uint64_t> counts;
    const auto distinct = [&counts](const std::vector<std::uint32_t>& degrees) {
        counts.clear();
        for (const auto degree : degrees) {
            if (degree >= counts.size()) counts.resize(degree + std::size_t{1}, 0);
            ++counts[degree];
        }
        std::vector<DegreeCount> found;
        for (std::size_t degree = 1; degree < counts.size(); ++degree)
            if (counts[degree] > 0) found.push_back({static_cast<std::uint32_t>(degree), counts[degree]});
        return found;
    };
    m_interest = std::make_unique<BipartiteConfiguration>(distinct(m_account_degree), distinct(m_object_degree));
}

double NullModels::tests() const {
    const auto n = static_cast<double>(m_active_accounts);
    return n * (n - 1) / 2;
}

void NullModels::count_degrees(RowStore& rows, std::uint32_t accounts) {
    static const HourTable hours;
    std::vector<std::int64_t> cosine(accounts, 0);
    std::vector<std::int64_t> sine(accounts, 0);
    m_account_begins.assign(accounts + std::size_t{1}, 0);
    rows.for_each_bucket([&](std::vector<Row>& bucket) {
        for (const Row& row : bucket) {
            ++m_account_begins[row.account];
            if (!m_rules.stratify_hours) continue;
            const std::size_t hour = hour_of_day(row.time_us);
            cosine[row.account] += hours.cosine[hour];
            sine[row.account] += hours.sine[hour];
        }
        return RowStore::Change::none;
    });
    std::uint64_t sum = 0;
    for (auto& begin : m_account_begins) {
        m_active_accounts += begin > 0;
        sum += std::exchange(begin, sum);
    }
    if (m_rules.stratify_hours) choose_hour_classes(cosine, sine);

    m_account_objects.resize(sum);
    Sweep sweep(*this, accounts);
    rows.for_each_bucket([&](std::vector<Row>& bucket) {
        for (const Row& row : bucket) m_account_objects[m_account_begins[row.account]++] = row.object;
        for_each_object(bucket, [&](std::span<const Row> object_rows) { sweep.measure(object_rows); });
        return RowStore::Change::none;
    });
    // Each begin has moved to its end, which is the next account's begin.
    std::copy_backward(m_account_begins.begin(), m_account_begins.end() - 1, m_account_begins.end());
    m_account_begins.front() = 0;
    if (rows.buckets() > 1)
        for (std::uint32_t account = 0; account < accounts; ++account)
            std::sort(m_account_objects.begin() + static_cast<std::ptrdiff_t>(m_account_begins[account]),
                      m_account_objects.begin() + static_cast<std::ptrdiff_t>(m_account_begins[account + 1]));
    for (std::size_t w = 0; w < m_rules.windows_us.size(); ++w) m_hour_factor.push_back(sweep.hour_factors(w));
}

void NullModels::choose_hour_classes(const std::vector<std::int64_t>& cosine, const std::vector<std::int64_t>& sine) {
    constexpr std::uint64_t rows_min = 5;
    constexpr double resultant_min = 0.3;
    for (std::size_t account = 0; account < cosine.size(); ++account) {
        // The begins already hold offsets, so the row count is the step to the next one.
        const std::uint64_t count = m_account_begins[account + 1] - m_account_begins[account];
        if (count < rows_min) continue;
        const auto x = static_cast<double>(cosine[account]);
        const auto y = static_cast<double>(sine[account]);
        const double resultant = std::sqrt(x * x + y * y) / (1e6 * static_cast<double>(count));
        if (resultant < resultant_min) continue;
        // The quarter of the day around the mean hour.
        m_hour_class[account] = x >= 0 ? (y >= 0 ? 1 : 4) : (y >= 0 ? 2 : 3);
    }
}

void NullModels::find_common_paces() {
    const auto accounts = static_cast<std::uint32_t>(m_account_degree.size());
    constexpr double vote = 4294967296.0;
    std::vector<std::uint64_t> votes(m_object_degree.size(), 0);
    std::uint64_t voters = 0;
    for (std::uint32_t account = 0; account < accounts; ++account) {
        std::uint64_t rows = 0;
        std::uint64_t shared = 0;
        std::uint32_t previous = no_object;
        for (const auto object : objects_of(account)) {
            rows += m_object_degree[object] >= pace_accounts_min;
            shared += object != previous && m_object_degree[object] >= 2;
            previous = object;
        }
        m_accounts_sharing += shared >= 2;
        if (rows == 0) continue;
        ++voters;
        const auto share = static_cast<std::uint64_t>(vote / static_cast<double>(rows));
        for (const auto object : objects_of(account))
            if (m_object_degree[object] >= pace_accounts_min) votes[object] += share;
    }
    constexpr std::size_t bins = 1000;
    for (std::size_t w = 0; w < m_paces.size(); ++w) {
        PaceSummary& pace = m_paces[w];
        pace.voters = voters;
        std::vector<std::uint64_t> by_pace(bins + 1, 0);
        std::uint64_t total = 0;
        for (std::size_t object = 0; object < votes.size(); ++object) {
            pace.objects += m_object_degree[object] >= 2;
            by_pace[static_cast<std::size_t>(std::ceil(m_pi[w][object] * bins))] += votes[object] >> 8;
            total += votes[object] >> 8;
        }
        pace.has_common_pace = voters >= pace_voters_min;
        if (!pace.has_common_pace) continue;
        const double wanted = pace_quantile * static_cast<double>(total);
        std::uint64_t below = 0;
        std::size_t bin = 0;
        while (bin < bins && static_cast<double>(below += by_pace[bin]) < wanted) ++bin;
        // A common pace is measured on a sample of objects; one so slow that a single coincidence is proof is not believed.
        constexpr double pace_min = 0.05;
        pace.common_pace = std::max(pace_min, static_cast<double>(bin) / bins);
    }
}

void NullModels::scale_priors() {
    double sum = 0;
    std::vector<std::uint64_t> objects_of_degree;
    for (const std::uint32_t degree : m_object_degree) {
        if (degree >= objects_of_degree.size()) objects_of_degree.resize(degree + std::size_t{1}, 0);
        ++objects_of_degree[degree];
    }
    for (std::uint32_t k = 2; k < objects_of_degree.size(); ++k)
        sum += static_cast<double>(objects_of_degree[k]) * (static_cast<double>(k) * (k - 1) / 2) * static_cast<double>(prior_part(k));
    if (sum > 0) m_prior_scale = tests() / sum;
}

bool NullModels::share_at_least_two(std::uint32_t a, std::uint32_t b) const {
    std::uint32_t shared = 0;
    for_each_shared(objects_of(a), objects_of(b), [&](std::uint32_t, std::ptrdiff_t, std::ptrdiff_t) { return ++shared < 2; });
    return shared >= 2;
}

void NullModels::replace_closed_paces(RowStore& rows, const Dictionary& objects) {
    std::vector<std::uint32_t> accounts;
    rows.for_each_bucket([&](std::vector<Row>& bucket) {
        for_each_object(bucket, [&](std::span<const Row> object_rows) {
            const std::uint32_t object = object_rows.front().object;
            if (m_object_degree[object] < 2) return;
            bool is_fast = false;
            for (std::size_t w = 0; w < m_paces.size(); ++w)
                is_fast |= m_pi[w][object] > m_paces[w].common_pace;
            if (!is_fast) return;

            accounts.clear();
            for (const Row& row : object_rows) accounts.push_back(row.account);
            std::sort(accounts.begin(), accounts.end());
            accounts.erase(std::unique(accounts.begin(), accounts.end()), accounts.end());
            // All pairs of a small object, else a sample that depends on the object's name and the seed alone.
            constexpr std::uint32_t samples = 16;
            std::uint32_t looked_at = 0;
            std::uint32_t acquainted = 0;
            const auto look = [&](std::uint32_t a, std::uint32_t b) {
                ++looked_at;
                acquainted += share_at_least_two(a, b);
            };
            const std::size_t count = accounts.size();
            if (count * (count - 1) / 2 <= samples) {
                for (std::size_t i = 0; i < count; ++i)
                    for (std::size_t j = i + 1; j < count; ++j) look(accounts[i], accounts[j]);
            } else {
                Random random(m_rules.seed, content_key(objects.string(object)));
                while (looked_at < samples) {
                    const std::uint64_t i = random.below(count);
                    const std::uint64_t j = random.below(count - 1);
                    look(accounts[i], accounts[j + (j >= i ? 1 : 0)]);
                }
            }
            for (std::size_t w = 0; w < m_paces.size(); ++w) {
                PaceSummary& pace = m_paces[w];
                if (m_pi[w][object] <= pace.common_pace) continue;
                ++pace.objects_fast;
                if (acquainted * 2 <= looked_at) continue;
                ++pace.objects_closed;
                m_own_pi[w].emplace_back(object, m_pi[w][object]);
                m_pi[w][object] = pace.common_pace;
            }
        });
        return RowStore::Change::none;
    });
    for (auto& own : m_own_pi) std::sort(own.begin(), own.end());
}

void NullModels::judge_synchrony(std::size_t window, std::span<Candidate> candidates) const {
    // Candidates come by account a: its objects are marked once, and each b's list is looked up in them.
    std::vector<std::uint32_t> rows_of_a(m_object_degree.size(), 0);
    std::vector<double> chances;
    std::vector<double> own_chances;
    std::uint64_t prior = 0;
    const std::vector<double>& pace = m_pi[window];
    const auto& own_paces = m_own_pi[window];
    const auto own_pace = [&](std::uint32_t object) {
        if (pace[object] != m_paces[window].common_pace) return -1.0;
        const auto found = std::lower_bound(own_paces.begin(), own_paces.end(), std::pair(object, -1.0));
        return found != own_paces.end() && found->first == object ? found->second : -1.0;
    };
    const auto mark = [&](std::uint32_t a, bool is_on) {
        for (const std::uint32_t object : objects_of(a)) rows_of_a[object] = is_on ? rows_of_a[object] + 1 : 0;
    };
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        Candidate& candidate = candidates[i];
        if (i == 0 || candidates[i - 1].a != candidate.a) {
            if (i > 0) mark(candidates[i - 1].a, false);
            mark(candidate.a, true);
        }
        const double factor = m_hour_factor[window][m_hour_class[candidate.a] * hour_classes + m_hour_class[candidate.b]];
        chances.clear();
        own_chances.clear();
        prior = 0;
        bool is_any_closed = false;
        const auto meet = [&](std::uint32_t object, double rows_a, double rows_b) {
            chances.push_back(std::min(1.0, pace[object] * factor * rows_a * rows_b));
            if (const double own = own_pace(object); own >= 0) {
                is_any_closed = true;
                own_chances.push_back(std::min(1.0, own * factor * rows_a * rows_b));
            } else {
                own_chances.push_back(chances.back());
            }
            prior += prior_part(m_object_degree[object]);
            return true;
        };
        const auto theirs = objects_of(candidate.b);
        constexpr std::size_t much_longer = 16;
        if (theirs.size() > much_longer * objects_of(candidate.a).size()) {
            for_each_shared(objects_of(candidate.a), theirs, [&](std::uint32_t object, std::ptrdiff_t rows_a, std::ptrdiff_t rows_b) {
                return meet(object, static_cast<double>(rows_a), static_cast<double>(rows_b));
            });
        } else {
            for (std::size_t k = 0; k < theirs.size();) {
                const std::uint32_t object = theirs[k];
                const std::size_t begin = k;
                while (k < theirs.size() && theirs[k] == object) ++k;
                if (rows_of_a[object] > 0) meet(object, rows_of_a[object], static_cast<double>(k - begin));
            }
        }
        // Objects are numbered as they were met; sums must not depend on that.
        std::sort(chances.begin(), chances.end());
        candidate.prior = static_cast<double>(prior) * m_prior_scale;
        candidate.shared = static_cast<std::uint32_t>(chances.size());
        candidate.expected_together = std::accumulate(chances.begin(), chances.end(), 0.0);
        const auto tail = [&](std::vector<double>& sorted) {
            const double unclumped = poisson_binomial_tail(sorted, candidate.weight);
            if (candidate.meetings == candidate.weight) return unclumped;
            const double clump = static_cast<double>(candidate.weight) / candidate.meetings;
            for (double& chance : sorted) chance /= clump;
            return std::max(unclumped, poisson_binomial_tail(sorted, candidate.meetings));
        };
        candidate.p_sync_least =
            std::accumulate(chances.begin(), chances.end(), 1.0, [](double product, double chance) { return product * chance; });
        candidate.p_sync = candidate.p_sync_own = candidate.p_sync_common = tail(chances);
        if (!is_any_closed) continue;
        std::sort(own_chances.begin(), own_chances.end());
        candidate.p_sync_own = tail(own_chances);
        if (2 * candidate.weight < candidate.shared) candidate.p_sync = candidate.p_sync_own;
    }
}

void NullModels::judge_interest(std::span<Candidate> candidates, bool leaves_out_large_p) const {
    // Only the two degrees and the number of shared objects matter, and few such triples differ.
    struct Triple {
        std::uint32_t low;
        std::uint32_t high;
        std::uint32_t shared;
        std::uint32_t candidate;
    };
    std::vector<Triple> triples(candidates.size());
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        const auto [low, high] = std::minmax(m_account_degree[candidates[i].a], m_account_degree[candidates[i].b]);
        triples[i] = {low, high, candidates[i].shared, static_cast<std::uint32_t>(i)};
    }
    const auto key = [](const Triple& t) { return std::make_tuple(t.low, t.high, t.shared); };
    std::sort(triples.begin(), triples.end(), [&](const Triple& x, const Triple& y) { return key(x) < key(y); });
    std::vector<std::size_t> begins;
    for (std::size_t i = 0; i < triples.size(); ++i)
        if (i == 0 || key(triples[i]) != key(triples[i - 1])) begins.push_back(i);
    begins.push_back(triples.size());
    constexpr std::size_t part_triples = 512;
    const std::size_t distinct = begins.size() - 1;
    parallel_parts((distinct + part_triples - 1) / part_triples, m_rules.threads, [&](std::size_t part) {
        SharedTails tails(*m_interest);
        double expected = 0;
        Triple last{};
        for (std::size_t t = part * part_triples; t < std::min(distinct, (part + 1) * part_triples); ++t) {
            const Triple& first = triples[begins[t]];
            const bool is_same_pair = t > part * part_triples && first.low == last.low && first.high == last.high;
            if (!is_same_pair) expected = tails.expected(first.low, first.high);
            last = first;
            // Where no more than about the expected is shared, the tail is far above large_p_min; 1 in its place is cautious.
            const bool is_large = leaves_out_large_p && first.shared <= expected + 2 * std::sqrt(expected);
            const double tail = is_large ? 1 : tails.tail(first.low, first.high, first.shared);
            for (std::size_t i = begins[t]; i < begins[t + 1]; ++i) {
                candidates[triples[i].candidate].p_interest = tail;
                candidates[triples[i].candidate].expected_shared = expected;
            }
        }
    });
}

void NullModels::judge(std::size_t window, std::span<Candidate> candidates, Progress& progress) const {
    // A p of at least this over all tests gives a q above 1, however many of the candidates are smaller.
    constexpr double large_p_min = 1e-5;
    const bool leaves_out_large_p =
        !m_rules.needs_large_p && large_p_min * tests() > static_cast<double>(candidates.size());
    constexpr std::size_t part_candidates = 1 << 15;
    const std::size_t wave = part_candidates * 32;
    for (std::size_t begin = 0; begin < candidates.size(); begin += wave) {
        progress.check();
        const auto here = candidates.subspan(begin, std::min(wave, candidates.size() - begin));
        parallel_parts((here.size() + part_candidates - 1) / part_candidates, m_rules.threads, [&](std::size_t part) {
            const std::size_t first = part * part_candidates;
            judge_synchrony(window, here.subspan(first, std::min(part_candidates, here.size() - first)));
        });
        judge_interest(here, leaves_out_large_p);
    }
}

}  // namespace unveil::coordination
