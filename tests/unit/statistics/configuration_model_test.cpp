#include "statistics/configuration_model.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "core/random.hpp"

namespace unveil {
namespace {

using Degrees = std::vector<std::uint32_t>;

struct Graph {
    Degrees left, right;
};

Graph random_graph(Random& random, std::size_t accounts, std::size_t objects) {
    // Uneven activity and popularity, from empty to full, so that degenerate degrees are frequent.
    Graph graph{Degrees(accounts, 0), Degrees(objects, 0)};
    std::vector<double> active(accounts), popular(objects);
    const double spread = random.exponential(1.5);
    const double level = random.exponential(2) - 2;
    for (double& value : active) value = level + spread * (random.uniform() - 0.5) * 6;
    for (double& value : popular) value = spread * (random.uniform() - 0.5) * 6;
    for (std::size_t i = 0; i < accounts; ++i)
        for (std::size_t a = 0; a < objects; ++a)
            if (random.chance(1 / (1 + std::exp(-active[i] - popular[a])))) {
                ++graph.left[i];
                ++graph.right[a];
            }
    return graph;
}

std::vector<DegreeCount> classes(const Degrees& degrees) {
    std::map<std::uint32_t, std::uint64_t> counts;
    for (const auto degree : degrees) ++counts[degree];
    std::vector<DegreeCount> result;
    for (const auto& [degree, count] : counts) result.push_back({degree, count});
    return result;
}

/// P(X >= v) by the recursion over all variables in long double, every state kept.
double enumerated_tail(const std::vector<long double>& probabilities, std::size_t v) {
    std::vector<long double> states{1};
    for (const long double p : probabilities) {
        states.push_back(0);
        for (std::size_t s = states.size() - 1; s > 0; --s)
            states[s] = states[s] * (1 - p) + states[s - 1] * p;
        states[0] *= 1 - p;
    }
    long double sum = 0;
    for (std::size_t s = states.size(); s-- > v;) sum += states[s];
    return std::max(tail_floor, static_cast<double>(std::min(1.0L, sum)));
}

// Goal: on random small graphs, many of them degenerate, the model is the one of maximum entropy: the
// expected degrees are the observed ones, and free links have the form x y / (1 + x y), that is, the logit of
// p is a sum of a left and a right term.
// Method: 3,000 graphs, sums over all links, second differences of logits.
TEST(ConfigurationModel, DegreesAndForm) {
    Random random(11);
    int degenerate = 0;
    for (int round = 0; round < 3000; ++round) {
        const auto graph = random_graph(random, 1 + random.below(9), 1 + random.below(9));
        const BipartiteConfiguration model(classes(graph.left), classes(graph.right));
        ASSERT_LT(model.residual(), 1e-9) << round;
        ASSERT_LT(model.sweeps(), BipartiteConfiguration::sweeps_max) << round;
        std::vector<double> right_sums(graph.right.size(), 0.0);
        for (const auto d : graph.left) {
            double sum = 0;
            for (std::size_t a = 0; a < graph.right.size(); ++a) {
                const double p = model.probability(d, graph.right[a]);
                ASSERT_TRUE(p >= 0 && p <= 1) << round;
                degenerate += p == 0 || p == 1;
                sum += p;
                right_sums[a] += p;
            }
            ASSERT_NEAR(sum, d, 1e-8 * d) << round;
        }
        for (std::size_t a = 0; a < graph.right.size(); ++a)
            ASSERT_NEAR(right_sums[a], graph.right[a], 1e-8 * graph.right[a]) << round;
        const auto logit = [&](std::size_t i, std::size_t a) {
            const double p = model.probability(graph.left[i], graph.right[a]);
            return std::log(p / (1 - p));
        };
        const std::size_t i = random.below(graph.left.size()), j = random.below(graph.left.size());
        const std::size_t a = random.below(graph.right.size()), b = random.below(graph.right.size());
        const double difference = logit(i, a) - logit(i, b) - logit(j, a) + logit(j, b);
        if (std::isfinite(difference)) {
            ASSERT_NEAR(difference, 0, 1e-5) << round;
        }
    }
    EXPECT_GT(degenerate, 1000);
}

/// p_dk p_d2k, for exact object degrees times the correction for their being fixed, for every object.
std::vector<long double> shared_probabilities(const Graph& graph, const BipartiteConfiguration& model,
                                              ObjectDegrees object_degrees, std::uint32_t d,
                                              std::uint32_t d2) {
    std::vector<long double> result;
    for (const auto k : graph.right) {
        const long double p = model.probability(d, k), p2 = model.probability(d2, k);
        long double shared = p * p2;
        if (object_degrees == ObjectDegrees::exact && (1 - p) * (1 - p2) > 0) {
            long double c = 0;
            std::uint32_t free = k;
            for (const auto other : graph.left) {
                const long double q = model.probability(other, k);
                c += q * (1 - q);
                free -= q == 1;
            }
            shared *= free <= 1 || shared == 0 ? 0 : std::max(0.0L, 1 - (1 - p) * (1 - p2) / c);
        }
        result.push_back(shared);
    }
    return result;
}

// Goal: the tails of shared objects are those of the solved probabilities. Method: 3,000 random small graphs,
// random pairs of accounts, every v, both kinds of object degrees, against the recursion in long double.
TEST(ConfigurationModel, SharedTailIsEnumeration) {
    Random random(12);
    double worst = 0;
    for (int round = 0; round < 3000; ++round) {
        const auto graph = random_graph(random, 2 + random.below(10), 1 + random.below(20));
        const auto object_degrees = round % 2 == 0 ? ObjectDegrees::exact : ObjectDegrees::expected;
        const BipartiteConfiguration model(classes(graph.left), classes(graph.right), object_degrees);
        const auto d = graph.left[random.below(graph.left.size())];
        const auto d2 = graph.left[random.below(graph.left.size())];
        const auto shared = shared_probabilities(graph, model, object_degrees, d, d2);
        double mean = 0;
        for (const auto p : shared) mean += static_cast<double>(p);
        ASSERT_NEAR(model.expected_shared(d, d2), mean, 1e-9 * (1 + mean));
        for (std::uint64_t v = 0; v <= graph.right.size() + 1; ++v) {
            const double exact = enumerated_tail(shared, v);
            const double tail = model.shared_tail(d, d2, v);
            ASSERT_GE(tail, tail_floor);
            ASSERT_LE(tail, 1);
            if (exact > 1e-290) worst = std::max(worst, std::abs(tail / exact - 1));
        }
    }
    EXPECT_LT(worst, 2e-6);
}

// Goal: fixed object degrees give pairs the shared objects that there are, sum k (k - 1) / 2, and none by
// objects of one account; expected ones give sum (k^2 - sum p^2) / 2. Method: sums over all pairs of a graph
// of 300 accounts where most objects have few of them.
TEST(ConfigurationModel, ObjectDegreesFixed) {
    Random random(15);
    Graph graph{Degrees(300, 0), Degrees(3000, 0)};
    for (std::size_t i = 0; i < graph.left.size(); ++i)
        for (std::size_t a = 0; a < graph.right.size(); ++a)
            if (random.chance(std::min(0.9, 4.0 / static_cast<double>((1 + i / 3) * (1 + a) / 40 + 20)) *
                              0.2)) {
                ++graph.left[i];
                ++graph.right[a];
            }
    const BipartiteConfiguration fixed(classes(graph.left), classes(graph.right));
    const BipartiteConfiguration expected(classes(graph.left), classes(graph.right), ObjectDegrees::expected);
    double pairs = 0, expected_pairs = 0;
    for (const double k : graph.right) {
        pairs += k * (k - 1) / 2;
        expected_pairs += k * k / 2;
    }
    for (const auto d : graph.left)
        for (const auto k : graph.right) expected_pairs -= std::pow(fixed.probability(d, k), 2) / 2;
    double fixed_sum = 0, expected_sum = 0;
    SharedTails fixed_tails(fixed), expected_tails(expected);
    for (std::size_t i = 0; i < graph.left.size(); ++i)
        for (std::size_t j = 0; j < i; ++j) {
            fixed_sum += fixed_tails.expected(graph.left[i], graph.left[j]);
            expected_sum += expected_tails.expected(graph.left[i], graph.left[j]);
        }
    EXPECT_GT(expected_pairs, 1.1 * pairs);
    EXPECT_NEAR(expected_sum / expected_pairs, 1, 1e-9);
    EXPECT_NEAR(fixed_sum / pairs, 1, 0.01);
    const std::vector<DegreeCount> ones{{1, 6}};
    const BipartiteConfiguration singles(ones, ones);
    EXPECT_EQ(singles.expected_shared(1, 1), 0);
    EXPECT_EQ(singles.shared_tail(1, 1, 1), tail_floor);
}

// Goal: the correction for fixed object degrees is close to the truth. Method: for 200 accounts of
// heavy-tailed activity the exact chance that two of them are among the k that are drawn, from elementary
// symmetric polynomials of the odds.
TEST(ConfigurationModel, ConditioningIsClose) {
    Random random(16);
    for (const std::uint32_t k : {2u, 3u, 5u, 10u}) {
        Graph graph{Degrees(200, 0), Degrees(500, k)};
        for (std::size_t a = 0; a < graph.right.size(); ++a) {
            for (std::vector<std::size_t> taken; taken.size() < k;) {
                // Low accounts are drawn more often.
                const auto i = static_cast<std::size_t>(std::pow(200.0, random.uniform()) - 1);
                if (std::find(taken.begin(), taken.end(), i) != taken.end()) continue;
                taken.push_back(i);
                ++graph.left[i];
            }
        }
        const BipartiteConfiguration model(classes(graph.left), classes(graph.right));
        for (int round = 0; round < 50; ++round) {
            const std::size_t i = random.below(200), j = random.below(200);
            if (i == j || graph.left[i] == 0 || graph.left[j] == 0) continue;
            std::vector<double> all(k + 1, 0.0), others(k + 1, 0.0);
            all[0] = others[0] = 1;
            double both = 1;
            for (std::size_t account = 0; account < 200; ++account) {
                const double p = model.probability(graph.left[account], k);
                const double odds = p / (1 - p);
                for (std::size_t s = k; s > 0; --s) {
                    all[s] += all[s - 1] * odds;
                    if (account != i && account != j) others[s] += others[s - 1] * odds;
                }
                if (account == i || account == j) both *= odds;
            }
            const double exact = both * others[k - 2] / all[k] * 500;
            EXPECT_NEAR(model.expected_shared(graph.left[i], graph.left[j]) / exact, 1, 0.1) << k;
        }
    }
}

// Goal: degrees that leave no choice. Method: cases whose answer is known without computing.
TEST(ConfigurationModel, Degenerate) {
    using Classes = std::vector<DegreeCount>;
    {
        const BipartiteConfiguration nothing(Classes{}, Classes{});
        EXPECT_EQ(nothing.residual(), 0);
    }
    {
        const BipartiteConfiguration no_links(Classes{{0, 5}}, Classes{{0, 7}});
        EXPECT_EQ(no_links.probability(0, 0), 0);
        EXPECT_EQ(no_links.expected_shared(0, 0), 0);
        EXPECT_EQ(no_links.shared_tail(0, 0, 0), 1);
        EXPECT_EQ(no_links.shared_tail(0, 0, 1), tail_floor);
    }
    {
        const BipartiteConfiguration one_account(Classes{{3, 1}}, Classes{{0, 2}, {1, 3}});
        EXPECT_EQ(one_account.probability(3, 1), 1);
        EXPECT_EQ(one_account.probability(3, 0), 0);
    }
    {
        const BipartiteConfiguration full(Classes{{4, 3}}, Classes{{3, 4}});
        EXPECT_EQ(full.probability(4, 3), 1);
        EXPECT_EQ(full.expected_shared(4, 4), 4);
        EXPECT_EQ(full.shared_tail(4, 4, 4), 1);
        EXPECT_EQ(full.shared_tail(4, 4, 5), tail_floor);
    }
    {
        // One account has everything, one object is everybody's, the rest is 2 of 4 by symmetry.
        const BipartiteConfiguration star(Classes{{5, 1}, {3, 4}}, Classes{{5, 1}, {3, 4}},
                                          ObjectDegrees::expected);
        EXPECT_EQ(star.probability(5, 3), 1);
        EXPECT_EQ(star.probability(3, 5), 1);
        EXPECT_NEAR(star.probability(3, 3), 0.5, 1e-12);
        EXPECT_EQ(star.shared_tail(5, 3, 1), 1);
        EXPECT_NEAR(star.shared_tail(3, 3, 5), std::pow(0.25, 4), 1e-9);
        EXPECT_NEAR(star.shared_tail(5, 3, 5), std::pow(0.5, 4), 1e-9);
    }
    {
        // Nested: every link is settled.
        const BipartiteConfiguration nested(Classes{{1, 1}, {2, 1}, {3, 1}}, Classes{{1, 1}, {2, 1}, {3, 1}});
        EXPECT_EQ(nested.probability(3, 1), 1);
        EXPECT_EQ(nested.probability(2, 2), 1);
        EXPECT_EQ(nested.probability(2, 1), 0);
        EXPECT_EQ(nested.probability(1, 3), 1);
    }
    {
        // Classes in any order, repeated and empty ones.
        const BipartiteConfiguration repeated(Classes{{3, 2}, {5, 1}, {7, 0}, {3, 2}},
                                              Classes{{3, 4}, {5, 1}});
        EXPECT_NEAR(repeated.probability(3, 3), 0.5, 1e-12);
    }
}

// Goal: a large heavy-tailed world is solved, interpolated sides included, and its tails are right at hubs.
// Method: degrees counted from random links; the sums over all classes; pairs with tails against the general
// class recursion, which sums to 12 orders.
TEST(ConfigurationModel, HeavyTails) {
    Random random(13);
    const std::uint64_t accounts = 20'000, objects = 30'000;
    std::vector<std::uint64_t> links;
    const auto pick = [&](std::uint64_t n) {
        const auto rank = static_cast<std::uint64_t>(std::pow(static_cast<double>(n), random.uniform()) - 1);
        return std::min(rank, n - 1);
    };
    for (int i = 0; i < 400'000; ++i) links.push_back(pick(accounts) << 32 | pick(objects));
    std::sort(links.begin(), links.end());
    links.erase(std::unique(links.begin(), links.end()), links.end());
    Graph graph{Degrees(accounts, 0), Degrees(objects, 0)};
    for (const auto link : links) {
        ++graph.left[link >> 32];
        ++graph.right[link & 0xffffffff];
    }
    const auto left = classes(graph.left);
    const auto right = classes(graph.right);
    ASSERT_GT(left.size(), 150u);
    const BipartiteConfiguration model(left, right);
    EXPECT_LT(model.residual(), 1e-9);
    for (const auto& [d, count] : left) {
        double sum = 0;
        for (const auto& [k, objects_of_k] : right)
            sum += model.probability(d, k) * static_cast<double>(objects_of_k);
        ASSERT_NEAR(sum, d, 1e-9 * d);
    }
    const BipartiteConfiguration expected(left, right, ObjectDegrees::expected);
    std::vector<double> c(right.size(), 0.0);
    for (std::size_t k = 0; k < right.size(); ++k)
        for (const auto& [d, count] : left) {
            const double p = model.probability(d, right[k].degree);
            c[k] += static_cast<double>(count) * p * (1 - p);
        }
    SharedTails tails[] = {SharedTails(model), SharedTails(expected)};
    double worst = 0;
    for (int round = 0; round < 2000; ++round) {
        const auto d = graph.left[links[random.below(links.size())] >> 32];
        const auto d2 = graph.left[links[random.below(links.size())] >> 32];
        std::vector<ProbabilityClass> list;
        for (std::size_t k = 0; k < right.size(); ++k) {
            const double p = model.probability(d, right[k].degree);
            const double p2 = model.probability(d2, right[k].degree);
            const double fixed = right[k].degree <= 1 ? 0 : 1 - (1 - p) * (1 - p2) / c[k];
            list.push_back({p * p2 * (round % 2 == 0 ? fixed : 1), static_cast<double>(right[k].count)});
        }
        auto& shared = tails[round % 2];
        const double mean = shared.expected(d, d2);
        const auto v = static_cast<std::uint64_t>(mean * (0.5 + random.exponential(1))) + random.below(6);
        const double exact = poisson_binomial_tail(list, v);
        const double error = std::abs(shared.tail(d, d2, v) / exact - 1);
        EXPECT_LT(error, 2e-6 * std::max(1.0, static_cast<double>(v) / 10)) << d << ' ' << d2 << ' ' << v;
        worst = std::max(worst, error);
    }
    RecordProperty("worst", std::to_string(worst));
}

// Goal: many queries at once give what single ones give, for any number of threads. Method: compare bits.
TEST(ConfigurationModel, ManyQueries) {
    Random random(14);
    const auto graph = random_graph(random, 60, 80);
    const BipartiteConfiguration model(classes(graph.left), classes(graph.right));
    std::vector<SharedQuery> queries;
    for (int i = 0; i < 40'000; ++i)
        queries.push_back({graph.left[random.below(60)], graph.left[random.below(60)], random.below(20)});
    const auto one = shared_tails(model, queries, 1);
    const auto four = shared_tails(model, queries, 4);
    ASSERT_EQ(one, four);
    for (std::size_t i = 0; i < queries.size(); i += 97)
        ASSERT_EQ(one[i], model.shared_tail(queries[i].degree, queries[i].degree2, queries[i].at_least));
    EXPECT_TRUE(shared_tails(model, {}, 2).empty());
}

}  // namespace
}  // namespace unveil
