// What two accounts have in common: every co-action of a pair, folded into the weights of one edge a window.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace unveil::coordination {

enum class Semantics { native, coortweet, qut };

/// One pair of rows on the same object within the widest window, by accounts `a` < `b` (for QUT also a >= b).
struct CoAction {
    std::uint32_t object;
    std::uint32_t post_a;
    std::uint32_t post_b;
    std::int64_t time_a_us;
    std::int64_t delay_us;   // time of b's row minus time of a's
    bool a_is_older;         // decides who came first when the times are equal
    std::uint64_t content_a;
    std::uint64_t content_b;
};

/// One edge in one window.
struct Edge {
    std::uint32_t a;
    std::uint32_t b;
    std::uint32_t window;        // position in the list of windows
    std::uint64_t weight;        // by semantics: distinct objects; pairs of posts (CooRTweet); distinct posts of a (QUT)
    std::uint64_t pairs;
    std::uint32_t objects;
    std::uint32_t posts_a;       // distinct posts of a in any pair
    std::uint32_t posts_b;
    std::uint32_t posts_older;   // distinct posts that came first in their pair, whoever's they are
    std::uint32_t posts_newer;
    std::uint64_t first_a;       // pairs in which a came first
    std::uint64_t first_b;       // the rest of the pairs were simultaneous
    double delay_mean_seconds;
    double delay_median_seconds;
    double delay_min_seconds;
    std::uint32_t example_post_a;  // of the closest pair
    std::uint32_t example_post_b;
};

/// Distinct objects among the `co_actions` that lie within `window_us`: the weight of an edge in native semantics.
/// O(n log n), O(n) when they come object by object.
std::uint32_t count_objects(std::int64_t window_us, std::span<const CoAction> co_actions);

/// Separate occasions among them: a co-action within `meeting_gap_us`, or the window if longer, of a meeting's first one is
/// part of that meeting. O(n log n).
constexpr std::int64_t meeting_gap_us = 600'000'000;
std::uint32_t count_meetings(std::int64_t window_us, std::span<const CoAction> co_actions);

/// Folds `co_actions` that lie within `window_us`; `weight` is 0 when there are none.
/// The result does not depend on the order. O(n log n).
Edge fold_edge(std::uint32_t a, std::uint32_t b, std::uint32_t window, std::int64_t window_us, Semantics semantics,
               std::span<const CoAction> co_actions);

}  // namespace unveil::coordination
