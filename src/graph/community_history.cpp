#include "graph/community_history.hpp"

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

#include "core/error.hpp"

namespace unveil {
namespace {

constexpr auto none = std::numeric_limits<std::uint32_t>::max();

/// Communities of one window that are large enough, numbered by label.
struct Window {
    std::vector<WindowMember> members;  // by vertex, with numbers for labels
    std::vector<std::uint32_t> labels;
    std::vector<std::uint32_t> sizes;
    std::vector<std::uint32_t> stories;
};

Window prepared(std::vector<WindowMember> members, std::uint32_t members_min) {
    Window window;
    std::sort(members.begin(), members.end(), [](const WindowMember& a, const WindowMember& b) {
        return std::pair(a.community, a.vertex) < std::pair(b.community, b.vertex);
    });
    for (std::size_t begin = 0; begin < members.size();) {
        auto end = begin;
        while (end < members.size() && members[end].community == members[begin].community) ++end;
        if (end - begin >= members_min) {
            const auto number = static_cast<std::uint32_t>(window.labels.size());
            window.labels.push_back(members[begin].community);
            window.sizes.push_back(static_cast<std::uint32_t>(end - begin));
            for (auto i = begin; i < end; ++i) window.members.push_back({members[i].vertex, number});
        }
        begin = end;
    }
    std::sort(window.members.begin(), window.members.end(),
              [](const WindowMember& a, const WindowMember& b) { return a.vertex < b.vertex; });
    for (std::size_t i = 1; i < window.members.size(); ++i)
        UNVEIL_ASSERT(window.members[i - 1].vertex != window.members[i].vertex);
    window.stories.assign(window.labels.size(), none);
    return window;
}

struct Overlap {
    std::uint32_t before = 0;
    std::uint32_t after = 0;
    std::uint32_t members = 0;
    double jaccard = 0;
};

/// All pairs of communities with members in common, by number.
std::vector<Overlap> overlaps_of(const Window& before, const Window& after) {
    std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs;
    auto other = after.members.begin();
    for (const auto& member : before.members) {
        while (other != after.members.end() && other->vertex < member.vertex) ++other;
        if (other == after.members.end()) break;
        if (other->vertex == member.vertex) pairs.emplace_back(member.community, other->community);
    }
    std::sort(pairs.begin(), pairs.end());
    std::vector<Overlap> overlaps;
    for (const auto& [a, b] : pairs) {
        if (overlaps.empty() || overlaps.back().before != a || overlaps.back().after != b) overlaps.push_back({a, b});
        ++overlaps.back().members;
    }
    for (auto& overlap : overlaps) {
        const auto either =
            std::uint64_t{before.sizes[overlap.before]} + after.sizes[overlap.after] - overlap.members;
        overlap.jaccard = static_cast<double>(overlap.members) / static_cast<double>(either);
    }
    return overlaps;
}

/// Which community of the other side holds most members of each community; {none, 0} where nobody does. The smaller
/// number wins a tie.
struct Part {
    std::uint32_t whole = none;
    std::uint32_t members = 0;
};

void keep_larger(Part& part, std::uint32_t whole, std::uint32_t members) {
    if (members > part.members) part = {whole, members};
}

}  // namespace

CommunityHistory community_history(std::span<const std::vector<WindowMember>> windows, const HistoryOptions& options) {
    UNVEIL_ASSERT(options.jaccard_min > 0 && options.part_share_min > 0);
    CommunityHistory history;
    Window before;
    for (std::uint32_t index = 0; index < windows.size(); ++index) {
        auto after = prepared(windows[index], options.members_min);
        const auto overlaps = overlaps_of(before, after);
        std::vector<Overlap> matches;
        std::vector<Part> origin(after.labels.size());
        std::vector<Part> end(before.labels.size());
        for (const auto& overlap : overlaps) {
            if (overlap.jaccard >= options.jaccard_min) matches.push_back(overlap);
            keep_larger(origin[overlap.after], overlap.before, overlap.members);
            keep_larger(end[overlap.before], overlap.after, overlap.members);
        }
        std::sort(matches.begin(), matches.end(), [](const Overlap& a, const Overlap& b) {
            return std::tuple(-a.jaccard, b.members, a.before, a.after) <
                   std::tuple(-b.jaccard, a.members, b.before, b.after);
        });
        std::vector<std::uint8_t> is_continued(before.labels.size());
        for (const auto& match : matches) {
            if (is_continued[match.before] != 0 || after.stories[match.after] != none) continue;
            is_continued[match.before] = 1;
            const auto story = before.stories[match.before];
            after.stories[match.after] = story;
            history.stories[story].steps.push_back(
                {index, after.labels[match.after], after.sizes[match.after], match.jaccard});
            history.events.push_back({index, StoryEventKind::continuation, story, story, match.jaccard});
        }
        for (std::uint32_t i = 0; i < after.labels.size(); ++i) {
            if (after.stories[i] != none) continue;
            const auto story = static_cast<std::uint32_t>(history.stories.size());
            after.stories[i] = story;
            history.stories.push_back({{{index, after.labels[i], after.sizes[i], 0}}});
            const double share = static_cast<double>(origin[i].members) / after.sizes[i];
            if (share >= options.part_share_min)
                history.events.push_back({index, StoryEventKind::split, story, before.stories[origin[i].whole], share});
            else history.events.push_back({index, StoryEventKind::birth, story, story, 0});
        }
        for (std::uint32_t i = 0; i < before.labels.size(); ++i) {
            if (is_continued[i] != 0) continue;
            const auto story = before.stories[i];
            const double share = static_cast<double>(end[i].members) / before.sizes[i];
            if (share >= options.part_share_min)
                history.events.push_back({index, StoryEventKind::merge, story, after.stories[end[i].whole], share});
            else history.events.push_back({index, StoryEventKind::death, story, story, 0});
        }
        before = std::move(after);
    }
    std::sort(history.events.begin(), history.events.end(), [](const StoryEvent& a, const StoryEvent& b) {
        return std::tie(a.window, a.kind, a.story) < std::tie(b.window, b.kind, b.story);
    });
    return history;
}

}  // namespace unveil
