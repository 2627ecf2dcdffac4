// What became of a community? Communities found in consecutive windows of time are matched by their members and told as
// stories: where each began, how long it went on, what it was split from or merged into.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace unveil {

/// A vertex is in at most one community of a window; it may be absent. Labels mean nothing across windows.
struct WindowMember {
    std::uint32_t vertex = 0;
    std::uint32_t community = 0;
};

struct HistoryOptions {
    /// A community goes on as one of the next window when |A and B| / |A or B| reaches this; above 0.
    double jaccard_min = 0.3;
    /// One that does not go on was merged into the one that holds at least this share of its members; one that goes on
    /// from none was split from the one that at least this share of its members came from; above 0.
    double part_share_min = 0.5;
    /// Smaller communities are left out, as if their members were absent.
    std::uint32_t members_min = 3;
};

/// One community in one window.
struct StoryStep {
    std::uint32_t window = 0;
    std::uint32_t community = 0;
    std::uint32_t members = 0;
    /// With the step before; 0 in the first.
    double jaccard = 0;
};

/// Steps in consecutive windows.
struct Story {
    std::vector<StoryStep> steps;
};

enum class StoryEventKind {
    birth,         // first seen, and most members were in no single community before
    split,         // first seen, and most members came from one community of the story `other`
    continuation,  // still there
    merge,         // no longer there, and most members are now in one community of the story `other`
    death,         // no longer there, and most members are in no single community
};

struct StoryEvent {
    /// The later of the two windows compared; 0 for births at the start, where nothing is known of before.
    std::uint32_t window = 0;
    StoryEventKind kind = StoryEventKind::birth;
    std::uint32_t story = 0;
    /// The story split from or merged into; the same as `story` otherwise.
    std::uint32_t other = 0;
    /// The Jaccard of a continuation, the share of members of a split or merge, else 0.
    double overlap = 0;
};

struct CommunityHistory {
    /// By first window, then by label there; the place in this list is the number of the story.
    std::vector<Story> stories;
    /// By window, kind and story. A story that reaches the last window has no end.
    std::vector<StoryEvent> events;
};

/// After Greene, Doyle & Cunningham, ASONAM 2010, section III, with one-to-one matches between neighbouring windows:
/// the pairs of largest Jaccard first (then the larger overlap, then the smaller labels). They let a part continue the
/// story of the whole more than once; here one part carries it on and the others are splits of it. A community that
/// falls into many small parts ends in a death, and parts of it that hold together are its splits. Members in any
/// order; O(members log members) for each window.
CommunityHistory community_history(std::span<const std::vector<WindowMember>> windows,
                                   const HistoryOptions& options = {});

}  // namespace unveil
