#include "statistics/multiple_testing.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "core/random.hpp"

namespace unveil {
namespace {

// Goal: q-values by their definition. Method: 2,000 random lists with many ties, zeros and ones; the untested
// ones are written out as p = 1 and every threshold is tried in quadratic time.
TEST(MultipleTesting, BenjaminiHochbergIsItsDefinition) {
    Random random(3);
    for (int round = 0; round < 2000; ++round) {
        std::vector<double> p(random.below(30));
        const auto levels = 2 + random.below(40);
        for (double& value : p)
            value = random.chance(0.5)
                        ? static_cast<double>(random.below(levels)) / static_cast<double>(levels - 1)
                        : random.uniform() * random.uniform() * 0.1;
        const auto untested = random.below(50);
        std::vector<double> all = p;
        all.resize(p.size() + untested, 1.0);
        const auto tests = static_cast<double>(all.size());
        const auto q = benjamini_hochberg(p, tests);
        ASSERT_EQ(q.size(), p.size());
        for (std::size_t i = 0; i < p.size(); ++i) {
            double least = 1;
            for (const double threshold : all) {
                if (threshold < p[i]) continue;
                double found = 0;
                for (const double other : all) found += other <= threshold;
                least = std::min(least, threshold * tests / found);
            }
            ASSERT_NEAR(q[i], least, 1e-15 + 1e-14 * least);
        }
    }
    EXPECT_TRUE(benjamini_hochberg({}, 0).empty());
    EXPECT_TRUE(benjamini_hochberg({}, 1e12).empty());
}

}  // namespace
}  // namespace unveil
