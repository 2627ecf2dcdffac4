#include "statistics/poisson_binomial.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/random.hpp"
#include "statistics/proportion.hpp"

namespace unveil {
namespace {

using Classes = std::vector<ProbabilityClass>;

double list_tail(const std::vector<double>& probabilities, std::uint64_t v) {
    return poisson_binomial_tail(std::span<const double>(probabilities), v);
}

double class_tail(const Classes& classes, std::uint64_t v) {
    return poisson_binomial_tail(std::span<const ProbabilityClass>(classes), v);
}

/// All P(X = x) in long double, whose smallest number is about 1e-4932.
std::vector<long double> distribution(const Classes& classes) {
    std::vector<long double> states{1};
    for (const auto& [probability, count] : classes)
        for (double c = 0; c < count; ++c) {
            const long double p = probability;
            states.push_back(0);
            for (std::size_t s = states.size() - 1; s > 0; --s)
                states[s] = states[s] * (1 - p) + states[s - 1] * p;
            states[0] *= 1 - p;
        }
    return states;
}

double upper_sum(const std::vector<long double>& states, std::size_t v) {
    long double sum = 0;
    for (std::size_t s = states.size(); s-- > v;) sum += states[s];
    return static_cast<double>(std::min(1.0L, sum));
}

double relative_error(double value, double exact) {
    return exact < 1e-299 ? static_cast<double>(value > 1.1e-299) : std::abs(value / exact - 1);
}

double random_probability(Random& random, double scale) {
    const double p = std::exp(-random.exponential(scale));
    if (random.chance(0.1)) return 1 - p * 1e-3;
    if (random.chance(0.03)) return static_cast<double>(random.below(2));
    return p;
}

// Goal: short lists are exact to rounding. Method: all subsets of up to 12 variables in long double, 2,000
// random lists, every v; probabilities from 1e-40 to 1 with both ends.
TEST(PoissonBinomial, AllSubsets) {
    Random random(21);
    double worst = 0;
    for (int round = 0; round < 2000; ++round) {
        std::vector<double> p(random.below(round % 10 == 0 ? 13 : 9));
        const double scale = 10 * random.uniform();
        for (double& value : p) value = random_probability(random, scale);
        std::vector<long double> tails(p.size() + 1, 0);
        for (std::size_t subset = 0; subset < std::size_t{1} << p.size(); ++subset) {
            long double product = 1;
            std::size_t hits = 0;
            for (std::size_t i = 0; i < p.size(); ++i) {
                const bool hit = (subset >> i & 1) != 0;
                product *= hit ? static_cast<long double>(p[i]) : 1 - static_cast<long double>(p[i]);
                hits += hit;
            }
            tails[hits] += product;
        }
        for (std::size_t v = p.size(); v-- > 0;) tails[v] += tails[v + 1];
        for (std::size_t v = 0; v <= p.size() + 1; ++v) {
            const double exact = v <= p.size() ? std::min(1.0, static_cast<double>(tails[v])) : 0;
            const double tail = list_tail(p, v);
            ASSERT_TRUE(tail >= tail_floor && tail <= 1);
            worst = std::max(worst, relative_error(tail, exact));
            Classes classes;
            for (const double value : p) classes.push_back({value, 1});
            ASSERT_LT(relative_error(class_tail(classes, v), exact), 1e-12) << round << ' ' << v;
        }
    }
    EXPECT_LT(worst, 4 * 12 * 0x1p-53);
}

// Goal: longer lists, over all three recursions (registers, stack, heap). Method: the whole distribution in
// long double.
TEST(PoissonBinomial, LongerLists) {
    Random random(22);
    for (int round = 0; round < 300; ++round) {
        std::vector<double> p(1 + random.below(round % 20 == 0 ? 500 : 60));
        const double scale = 8 * random.uniform();
        Classes classes;
        for (double& value : p) {
            value = random_probability(random, scale);
            classes.push_back({value, 1});
        }
        const auto states = distribution(classes);
        for (std::uint64_t v = 0; v <= p.size(); v += 1 + v / 8) {
            const double exact = upper_sum(states, v);
            ASSERT_LT(relative_error(list_tail(p, v), exact), 4e-16 * static_cast<double>(p.size() + 1)) << v;
            ASSERT_LT(relative_error(class_tail(classes, v), exact), 1e-11) << v;
        }
    }
}

// Goal: classes with multiplicities. Method: 3,000 random class lists against the whole distribution in long
// double.
TEST(PoissonBinomial, RandomClasses) {
    Random random(23);
    double worst = 0;
    for (int round = 0; round < 3000; ++round) {
        Classes classes(random.below(9));
        double variables = 0;
        const double scale = 1 + 8 * random.uniform();
        for (auto& [probability, count] : classes) {
            probability = random_probability(random, scale);
            count = static_cast<double>(random.below(random.chance(0.3) ? 60 : 6));
            variables += count;
        }
        const auto states = distribution(classes);
        for (int i = 0; i < 3; ++i) {
            const auto v = random.below(static_cast<std::uint64_t>(variables) + 2);
            worst = std::max(worst, relative_error(class_tail(classes, v), upper_sum(states, v)));
        }
    }
    EXPECT_LT(worst, 1e-10);
}

// Goal: tails of 1e-50, 1e-200 and 1e-299 are right to many digits, and beyond is the floor. Method: lists of
// 40 to 1,200 variables whose v is searched for in the distribution in long double; power sums and recursion
// both take part.
TEST(PoissonBinomial, FarTails) {
    Random random(24);
    for (const double target : {1e-50, 1e-200, 1e-299}) {
        double worst_list = 0, worst_classes = 0;
        for (int round = 0; round < 30; ++round) {
            Classes classes;
            std::vector<double> list;
            const double scale = 2 + 7 * random.uniform();
            const std::size_t size = 4 + random.below(300);
            for (std::size_t i = 0; i < size; ++i) {
                classes.push_back(
                    {std::exp(-random.exponential(scale) - 0.5), static_cast<double>(1 + random.below(4))});
                list.insert(list.end(), static_cast<std::size_t>(classes.back().count),
                            classes.back().probability);
            }
            const auto states = distribution(classes);
            std::size_t v = 0;
            while (v + 1 < states.size() && upper_sum(states, v + 1) > target) ++v;
            const double exact = upper_sum(states, v);
            if (v + 1 == states.size()) continue;
            worst_list = std::max(worst_list, relative_error(list_tail(list, v), exact));
            worst_classes = std::max(worst_classes, relative_error(class_tail(classes, v), exact));
        }
        EXPECT_LT(worst_list, 1e-12) << target;
        EXPECT_LT(worst_classes, 1e-9) << target;
    }
    EXPECT_EQ(list_tail({1e-110, 1e-110, 1e-110}, 3), tail_floor);
    EXPECT_EQ(class_tail({{1e-110, 3}}, 3), tail_floor);
    EXPECT_EQ(class_tail({{1e-300, 1e9}}, 500'000'000), tail_floor);
    EXPECT_EQ(class_tail({{0.5, 1e9}}, 999'999'900), tail_floor);
    EXPECT_NEAR(class_tail({{1e-40, 5}}, 3) / 1e-119, 1, 1e-12);
    EXPECT_NEAR(class_tail({{1e-149, 3}}, 2) / 3e-298, 1, 1e-12);
    EXPECT_NEAR(class_tail({{1e-299, 2}}, 1) / 2e-299, 1, 1e-12);
}

// Goal: equal probabilities are the binomial distribution, up to 1e9 variables. Method: incomplete_beta,
// whose own error is about 1e-9 at such arguments.
TEST(PoissonBinomial, Binomial) {
    for (const double n : {50.0, 3000.0, 1e6, 1e9})
        for (const double mean : {0.001, 0.7, 6.0, 45.0})
            for (const double v : {1.0, 3.0, 8.0, 20.0, 49.0, 90.0}) {
                if (v > n || mean >= n) continue;
                const double exact = incomplete_beta(v, n - v + 1, mean / n);
                const double tail = class_tail({{mean / n, n}}, static_cast<std::uint64_t>(v));
                EXPECT_LT(relative_error(tail, exact), 2e-8) << n << ' ' << mean << ' ' << v;
            }
}

// Goal: wide sums, where the Edgeworth series answers. Method: the binomial distribution of 2,000 to 1e9
// variables from 5 standard deviations below the mean to 30 above; random classes against the distribution in
// long double; a list above the recursion's limit.
TEST(PoissonBinomial, WideSums) {
    double worst = 0;
    for (const double n : {2000.0, 20'000.0, 1e6, 1e9})
        for (const double p : {0.01, 0.3, 0.6})
            for (const double sigmas : {-5.0, -1.0, 0.0, 0.9, 1.1, 3.0, 10.0, 30.0}) {
                const double v = std::ceil(n * p + sigmas * std::sqrt(n * p * (1 - p)));
                if (v < 1 || v > n) continue;
                const double exact = incomplete_beta(v, n - v + 1, p);
                if (exact < 1e-299) continue;
                const double error =
                    relative_error(class_tail({{p, n}}, static_cast<std::uint64_t>(v)), exact);
                EXPECT_LT(error, 2e-4) << n << ' ' << p << ' ' << sigmas;
                worst = std::max(worst, error);
            }
    Random random(25);
    for (int round = 0; round < 20; ++round) {
        Classes classes(1 + random.below(100));
        double mean = 0;
        for (auto& [probability, count] : classes) {
            probability = std::exp(-random.exponential(4));
            count = static_cast<double>(1 + random.below(40));
            mean += probability * count;
        }
        const auto states = distribution(classes);
        for (const double factor : {0.8, 1.0, 1.1, 1.3, 1.7, 2.5}) {
            const auto v = static_cast<std::uint64_t>(mean * factor) + 1;
            const double error = relative_error(class_tail(classes, v), upper_sum(states, v));
            EXPECT_LT(error, 2e-4) << round << ' ' << factor;
            worst = std::max(worst, error);
        }
    }
    std::vector<double> list(4500);
    Classes classes;
    for (double& p : list) {
        p = random.uniform();
        classes.push_back({p, 1});
    }
    const auto states = distribution(classes);
    for (const std::uint64_t v : {2100u, 2250u, 2500u, 3000u})
        EXPECT_LT(relative_error(list_tail(list, v), upper_sum(states, v)), 2e-4) << v;
    RecordProperty("worst", std::to_string(worst * 1e6) + "e-6");
}

// Goal: underflow on the way does not make a tail wrong. Method: products that leave the range of double
// while the answer does not.
TEST(PoissonBinomial, Underflow) {
    EXPECT_NEAR(list_tail(std::vector<double>(5000, 0.9), 1), 1, 1e-15);
    EXPECT_NEAR(list_tail(std::vector<double>(5000, 0.9), 4000), 1, 1e-12);
    // P(at most 2 of 150 miss) with misses of 1e-100.
    EXPECT_EQ(list_tail(std::vector<double>(150, 1 - 1e-16), 148), 1);
    std::vector<double> mixed(100, 1e-3);
    mixed.resize(400, 1 - 1e-3);
    Classes classes{{1e-3, 100}, {1 - 1e-3, 300}};
    const auto states = distribution(classes);
    for (const std::uint64_t v : {301u, 330u, 380u, 396u}) {
        const double exact = upper_sum(states, v);
        EXPECT_LT(relative_error(list_tail(mixed, v), exact), 1e-11) << v;
        EXPECT_LT(relative_error(class_tail(classes, v), exact), 1e-10) << v;
    }
}

// Goal: the ends, and order. Method: known values; a tail never grows with v.
TEST(PoissonBinomial, EndsAndMonotony) {
    EXPECT_EQ(list_tail({}, 0), 1);
    EXPECT_EQ(list_tail({}, 1), tail_floor);
    EXPECT_EQ(list_tail({1, 1, 1}, 3), 1);
    EXPECT_EQ(list_tail({0, 0}, 1), tail_floor);
    EXPECT_EQ(list_tail({1, 0.25}, 2), 0.25);
    EXPECT_EQ(class_tail({}, 0), 1);
    EXPECT_EQ(class_tail({}, 1), tail_floor);
    EXPECT_EQ(class_tail({{1, 1e9}}, 1'000'000'000), 1);
    EXPECT_EQ(class_tail({{1, 1e9}}, 1'000'000'001), tail_floor);
    EXPECT_EQ(class_tail({{0, 1e9}}, 1), tail_floor);
    EXPECT_NEAR(class_tail({{1, 2}, {0.25, 1}}, 3), 0.25, 1e-15);
    EXPECT_EQ(class_tail({{0.5, 1e9}}, 1000), 1);
    Classes classes;
    for (int i = 1; i <= 400; ++i) classes.push_back({1.0 / (2 + i), static_cast<double>(1 + i * i / 100)});
    double last = 1;
    for (std::uint64_t v = 0; v < 6000; v += 1 + v / 60) {
        const double tail = class_tail(classes, v);
        EXPECT_LE(tail, last * (1 + 1e-6)) << v;
        last = tail;
    }
    EXPECT_EQ(last, tail_floor);
}

}  // namespace
}  // namespace unveil
