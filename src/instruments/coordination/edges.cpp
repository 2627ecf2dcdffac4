#include "instruments/coordination/edges.hpp"

#include <algorithm>
#include <cstdlib>
#include <tuple>

namespace unveil::coordination {
namespace {

// A sum of delays up to a year over billions of pairs does not fit 64 bits.
__extension__ using WideSum = unsigned __int128;

/// Work space that lives as long as the thread, so that folding millions of small edges does not allocate.
struct Folding {
    std::vector<std::uint64_t> keys;
    std::vector<std::int64_t> delays;

    template <typename KeyOf>
    std::uint32_t count_distinct(std::span<const CoAction> co_actions, std::int64_t window_us, const KeyOf& key_of) {
        keys.clear();
        for (const auto& action : co_actions)
            if (std::abs(action.delay_us) <= window_us) keys.push_back(key_of(action));
        if (!std::is_sorted(keys.begin(), keys.end())) std::sort(keys.begin(), keys.end());
        return static_cast<std::uint32_t>(std::unique(keys.begin(), keys.end()) - keys.begin());
    }
};

}  // namespace

std::uint32_t count_objects(std::int64_t window_us, std::span<const CoAction> co_actions) {
    thread_local Folding folding;
    return folding.count_distinct(co_actions, window_us, [](const CoAction& x) { return std::uint64_t{x.object}; });
}

std::uint32_t count_meetings(std::int64_t window_us, std::span<const CoAction> co_actions) {
    thread_local std::vector<std::int64_t> times_us;
    times_us.clear();
    for (const auto& action : co_actions)
        if (std::abs(action.delay_us) <= window_us) times_us.push_back(action.time_a_us);
    std::sort(times_us.begin(), times_us.end());
    const std::int64_t gap_us = std::max(window_us, meeting_gap_us);
    std::uint32_t meetings = 0;
    std::int64_t begin_us = 0;
    for (const std::int64_t time_us : times_us) {
        if (meetings > 0 && time_us - begin_us <= gap_us) continue;
        begin_us = time_us;
        ++meetings;
    }
    return meetings;
}

Edge fold_edge(std::uint32_t a, std::uint32_t b, std::uint32_t window, std::int64_t window_us, Semantics semantics,
               std::span<const CoAction> co_actions) {
    thread_local Folding folding;
    Edge edge{};
    edge.a = a;
    edge.b = b;
    edge.window = window;
    folding.delays.clear();
    const CoAction* closest = nullptr;
    WideSum delay_sum_us = 0;
    for (const auto& action : co_actions) {
        const std::int64_t delay_us = std::abs(action.delay_us);
        if (delay_us > window_us) continue;
        folding.delays.push_back(delay_us);
        delay_sum_us += static_cast<std::uint64_t>(delay_us);
        edge.first_a += action.delay_us > 0;
        edge.first_b += action.delay_us < 0;
        const auto closeness = [](const CoAction& x) {
            return std::make_tuple(std::abs(x.delay_us), x.content_a, x.content_b, x.post_a, x.post_b);
        };
        if (!closest || closeness(action) < closeness(*closest)) closest = &action;
    }
    edge.pairs = folding.delays.size();
    if (edge.pairs == 0) return edge;

    edge.example_post_a = closest->post_a;
    edge.example_post_b = closest->post_b;
    edge.delay_mean_seconds = static_cast<double>(delay_sum_us) / 1e6 / static_cast<double>(edge.pairs);
    if (edge.pairs == 1) {
        edge.objects = edge.posts_a = edge.posts_b = edge.posts_older = edge.posts_newer = 1;
        edge.delay_min_seconds = edge.delay_median_seconds = static_cast<double>(folding.delays[0]) / 1e6;
    } else {
        auto& delays = folding.delays;
        std::sort(delays.begin(), delays.end());
        edge.delay_min_seconds = static_cast<double>(delays.front()) / 1e6;
        const std::size_t middle = delays.size() / 2;
        edge.delay_median_seconds =
            delays.size() % 2 == 1
                ? static_cast<double>(delays[middle]) / 1e6
                : (static_cast<double>(delays[middle - 1]) + static_cast<double>(delays[middle])) / 2e6;
        const auto distinct = [&](const auto& key_of) { return folding.count_distinct(co_actions, window_us, key_of); };
        edge.objects = distinct([](const CoAction& x) { return std::uint64_t{x.object}; });
        edge.posts_a = distinct([](const CoAction& x) { return x.content_a; });
        edge.posts_b = distinct([](const CoAction& x) { return x.content_b; });
        if (semantics == Semantics::coortweet) {
            edge.posts_older = distinct([](const CoAction& x) { return x.a_is_older ? x.content_a : x.content_b; });
            edge.posts_newer = distinct([](const CoAction& x) { return x.a_is_older ? x.content_b : x.content_a; });
        }
    }
    switch (semantics) {
        case Semantics::native: edge.weight = edge.objects; break;
        case Semantics::coortweet: edge.weight = edge.pairs; break;
        case Semantics::qut: edge.weight = edge.posts_a; break;
    }
    return edge;
}

}  // namespace unveil::coordination
