#include "experiment/filter/pieces.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace unveil {
namespace {

/// The pieces and the runs of neighbours, so many to a message; nothing where they would be too short.
std::optional<PiecePlan> cut(std::size_t characters, std::size_t message_max, std::size_t separator, std::size_t together) {
    constexpr std::size_t word_max = 13;    // hardly any component is longer
    const auto length_of = [&](std::size_t pieces) { return (message_max - std::min(message_max, (pieces - 1) * separator)) / pieces; };
    const std::size_t length = length_of(together);
    PiecePlan plan;
    // More pieces to a message are no reason to see shorter words only.
    plan.overlap = std::min(word_max - 1, length_of(2) / 2);
    constexpr std::size_t apart_min = 8;    // shorter pieces are not worth their separator
    if (length < (separator > 0 ? apart_min : 2) || 2 * plan.overlap > length) return {};
    const std::size_t step = length - plan.overlap;
    for (std::size_t begin = 0; plan.pieces.empty() || plan.pieces.back().end < characters; begin += step) plan.pieces.push_back({begin, std::min(begin + length, characters)});
    const std::size_t count = plan.pieces.size();
    for (std::size_t first = 0; plan.groups.empty() || plan.groups.back().back() + 1 < count; first += together - 1) {
        auto& run = plan.groups.emplace_back();
        for (std::size_t i = first; i < std::min(first + together, count); ++i) run.push_back(i);
    }
    plan.apart_max = count <= together ? SIZE_MAX : step;
    return plan;
}

/// Adds groups until every two pieces are in one; false when that takes more than so many. Each takes the nearest pair that is left, and the pieces that bring most others together.
bool bring_together(PiecePlan& plan, std::size_t together, std::size_t apart_groups_max) {
    const std::size_t count = plan.pieces.size();
    const std::size_t groups_max = plan.groups.size() + apart_groups_max;
    // No group can do more than all its pairs.
    if (count * (count - 1) / 2 > groups_max * (together * (together - 1) / 2)) return false;
    std::vector<bool> is_seen(count * count);
    const auto see = [&](const std::vector<std::size_t>& group) {
        for (const std::size_t a : group)
            for (const std::size_t b : group) is_seen[a * count + b] = true;
    };
    for (const auto& group : plan.groups) see(group);
    for (std::size_t distance = 1; distance < count; ++distance)
        for (std::size_t first = 0; first + distance < count; ++first) {
            if (is_seen[first * count + first + distance]) continue;
            if (plan.groups.size() == groups_max) return false;
            std::vector<std::size_t> group{first, first + distance};
            while (group.size() < together) {
                std::size_t best = 0;
                std::size_t best_new = 0;
                for (std::size_t piece = 0; piece < count; ++piece) {
                    if (std::find(group.begin(), group.end(), piece) != group.end()) continue;
                    const auto fresh = static_cast<std::size_t>(std::count_if(group.begin(), group.end(), [&](std::size_t other) { return !is_seen[piece * count + other]; }));
                    if (fresh <= best_new) continue;
                    best = piece;
                    best_new = fresh;
                }
                if (best_new == 0) break;
                group.push_back(best);
            }
            std::sort(group.begin(), group.end());
            see(group);
            plan.groups.push_back(std::move(group));
        }
    plan.apart_max = SIZE_MAX;
    return true;
}

}  // namespace

PiecePlan plan_pieces(std::size_t characters, std::size_t message_max, std::size_t separator, std::size_t apart_groups_max) {
    constexpr std::size_t together_max = 4;
    std::optional<PiecePlan> best;
    for (std::size_t together = 2; together <= together_max; ++together) {
        auto plan = cut(characters, message_max, separator, together);
        if (plan && bring_together(*plan, together, apart_groups_max) && (!best || plan->groups.size() < best->groups.size())) best = std::move(plan);
    }
    if (best) return *std::move(best);
    // Too many for all pairs. Where the separator leaves no room for two pieces, runs alone.
    auto plan = cut(characters, message_max, separator, 2);
    if (!plan) return *cut(characters, message_max, 0, 2);
    const std::size_t count = plan->pieces.size();
    const std::size_t step = plan->pieces[1].begin;
    std::size_t left = apart_groups_max;
    for (std::size_t distance = 2; distance < count; ++distance) {
        for (std::size_t first = 0; first + distance < count && left > 0; ++first, --left) plan->groups.push_back({first, first + distance});
        if (plan->groups.back().back() + 1 < count || plan->groups.back().back() - plan->groups.back().front() != distance) break;
        plan->apart_max = distance * step;
    }
    return *std::move(plan);
}

}  // namespace unveil
