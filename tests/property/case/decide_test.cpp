#include <gtest/gtest.h>

#include <vector>

#include "case/comparison.hpp"
#include "core/random.hpp"

using namespace unveil;

namespace {

bool holds(double left, Relation relation, double right) {
    switch (relation) {
        case Relation::at_least:
            return left >= right;
        case Relation::at_most:
            return left <= right;
        case Relation::above:
            return left > right;
        case Relation::below:
            return left < right;
        case Relation::equal:
            return left == right;
        case Relation::unequal:
            return left != right;
    }
    return false;
}

constexpr Relation relations[] = {Relation::at_least, Relation::at_most, Relation::above,
                                  Relation::below,    Relation::equal,   Relation::unequal};

}  // namespace

// Goal: the rule is what its sentence says. Method: all intervals with whole ends from 0 to 4 on both sides,
// every relation, against every pair of half points: supported iff all pairs hold, contradicted iff none
// does.
TEST(Decide, AgreesWithBruteForceOverPoints) {
    std::size_t seen[3] = {};
    for (int a = 0; a <= 4; ++a)
        for (int b = a; b <= 4; ++b)
            for (int c = 0; c <= 4; ++c)
                for (int d = c; d <= 4; ++d)
                    for (const auto relation : relations) {
                        bool all = true;
                        bool none = true;
                        for (double left = a; left <= b; left += 0.5)
                            for (double right = c; right <= d; right += 0.5) {
                                all = all && holds(left, relation, right);
                                none = none && !holds(left, relation, right);
                            }
                        const Decision expected = all    ? Decision::supported
                                                  : none ? Decision::contradicted
                                                         : Decision::undetermined;
                        const Interval left{double(a), double(b)};
                        const Interval right{double(c), double(d)};
                        EXPECT_EQ(decide(left, relation, right), expected)
                            << a << ".." << b << " " << relation_sign(relation) << " " << c << ".." << d;
                        ++seen[static_cast<std::size_t>(expected)];
                    }
    for (const auto count : seen) EXPECT_GT(count, 100u);
}

// Goal: more evidence never turns one sure answer into the other. Method: shrink random intervals within
// themselves.
TEST(Decide, NarrowerIntervalsNeverContradictADecision) {
    Random random(3);
    const auto interval_in = [&](Interval outer) {
        double x = outer.low + random.uniform() * (outer.high - outer.low);
        double y = outer.low + random.uniform() * (outer.high - outer.low);
        return Interval{std::min(x, y), std::max(x, y)};
    };
    for (int i = 0; i < 20'000; ++i) {
        const Interval left = interval_in({0, 1});
        const Interval right = random.chance(0.5) ? interval_in({0, 1}) : Interval{0.5, 0.5};
        for (const auto relation : relations) {
            const Decision wide = decide(left, relation, right);
            if (wide == Decision::undetermined) continue;
            EXPECT_EQ(decide(interval_in(left), relation, interval_in(right)), wide);
        }
    }
}

// The opposite relation gets the opposite answer.
TEST(Decide, OppositesAgree) {
    const std::pair<Relation, Relation> opposites[] = {{Relation::at_least, Relation::below},
                                                       {Relation::at_most, Relation::above},
                                                       {Relation::equal, Relation::unequal}};
    Random random(4);
    for (int i = 0; i < 5000; ++i) {
        const auto whole = [&] { return static_cast<double>(random.below(6)); };
        Interval left{whole(), 0}, right{whole(), 0};
        left.high = left.low + whole() / 3;
        right.high = right.low + whole() / 3;
        for (const auto& [one, other] : opposites) {
            const Decision a = decide(left, one, right);
            const Decision b = decide(left, other, right);
            EXPECT_EQ(a == Decision::supported, b == Decision::contradicted);
            EXPECT_EQ(a == Decision::contradicted, b == Decision::supported);
        }
    }
}
