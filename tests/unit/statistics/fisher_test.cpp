// Goal: Fisher's one-sided p is the share of all ways to hand out the marks. Method: every way is counted, for all small tables; Fisher's own example.
#include "statistics/fisher.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>

namespace unveil {
namespace {

TEST(Fisher, IsTheShareOfAllWaysToHandOutTheMarks) {
    constexpr unsigned all = 9;
    for (unsigned trials = 0; trials <= all; ++trials)
        for (unsigned signs = 0; signs <= all; ++signs)
            for (unsigned hits = 0; hits <= std::min(trials, signs); ++hits) {
                if (signs - hits > all - trials) continue;
                const unsigned with_sign = (1u << signs) - 1;
                unsigned ways = 0;
                unsigned as_many = 0;
                for (unsigned marked = 0; marked < 1u << all; ++marked) {
                    if (static_cast<unsigned>(std::popcount(marked)) != trials) continue;
                    ++ways;
                    as_many += static_cast<unsigned>(std::popcount(marked & with_sign)) >= hits;
                }
                EXPECT_NEAR(fisher_tail(hits, trials, signs - hits, all - trials), static_cast<double>(as_many) / ways, 1e-12);
            }
}

TEST(Fisher, TheLadyTastingTea) {
    EXPECT_NEAR(fisher_tail(3, 4, 1, 4), 17.0 / 70, 1e-12);
    EXPECT_NEAR(fisher_tail(4, 4, 0, 4), 1.0 / 70, 1e-12);
    EXPECT_EQ(fisher_tail(5, 9, 0, 0), 1) << "nobody to compare with";
    EXPECT_EQ(fisher_tail(0, 9, 3, 5), 1);
    EXPECT_LT(fisher_tail(50, 50, 10, 100'000), 1e-100);
}

}  // namespace
}  // namespace unveil
