// Goal: births, deaths, continuations, splits and merges are told as a person would tell them. Method: hand-made
// windows, each with one thing happening; the same with members shuffled and labels renamed; and windows of random
// labels.
#include "graph/community_history.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "core/random.hpp"

namespace unveil {
namespace {

using Members = std::vector<WindowMember>;

/// "aaab-b": the community of vertices 0, 1, ...; '-' is absent.
Members window(const std::string& text) {
    Members members;
    for (std::uint32_t vertex = 0; vertex < text.size(); ++vertex)
        if (text[vertex] != '-') members.push_back({vertex, static_cast<std::uint32_t>(text[vertex] - 'a')});
    return members;
}

/// "1 split 2/0; " and so on: window, kind, story and the other story of each event.
std::string told(const CommunityHistory& history) {
    static const std::vector<std::string> names = {"birth", "split", "continuation", "merge", "death"};
    std::string text;
    for (const auto& event : history.events) {
        text += std::to_string(event.window) + " " + names[static_cast<std::size_t>(event.kind)] + " " +
                std::to_string(event.story);
        if (event.other != event.story) text += "/" + std::to_string(event.other);
        text += "; ";
    }
    return text;
}

std::string told(const std::vector<std::string>& texts, const HistoryOptions& options = {}) {
    std::vector<Members> windows;
    for (const auto& text : texts) windows.push_back(window(text));
    return told(community_history(windows, options));
}

TEST(CommunityHistory, NothingHappens) {
    EXPECT_EQ(told(std::vector<std::string>{}), "");
    EXPECT_EQ(told({"", ""}), "");
    EXPECT_EQ(told({"aaaa"}), "0 birth 0; ");
    EXPECT_EQ(told({"aaaabbbb", "bbbbaaaa"}), "0 birth 0; 0 birth 1; 1 continuation 0; 1 continuation 1; ");
}

TEST(CommunityHistory, BirthAndDeath) {
    EXPECT_EQ(told({"aaaa----", "aaaabbbb", "----bbbb"}),
              "0 birth 0; 1 birth 1; 1 continuation 0; 2 continuation 1; 2 death 0; ");
    // Back after a window of absence is a new story.
    EXPECT_EQ(told({"aaaa", "----", "aaaa"}), "0 birth 0; 1 death 0; 2 birth 1; ");
}

TEST(CommunityHistory, SplitTheLargerPartGoesOn) {
    EXPECT_EQ(told({"aaaaaaaa", "bbbaaaaa"}), "0 birth 0; 1 split 1/0; 1 continuation 0; ");
    // Equal parts: the smaller label goes on.
    EXPECT_EQ(told({"aaaaaaaa", "bbbbaaaa"}), "0 birth 0; 1 split 1/0; 1 continuation 0; ");
}

TEST(CommunityHistory, MergeTheLargerPartGoesOn) {
    EXPECT_EQ(told({"bbbaaaaa", "cccccccc"}), "0 birth 0; 0 birth 1; 1 continuation 0; 1 merge 1/0; ");
}

TEST(CommunityHistory, ManyPartsBelowTheThreshold) {
    EXPECT_EQ(told({"aaaaaaaaaaaa", "aaabbbcccddd"}),
              "0 birth 0; 1 split 1/0; 1 split 2/0; 1 split 3/0; 1 split 4/0; 1 death 0; ");
    EXPECT_EQ(told({"aaabbbcccddd", "aaaaaaaaaaaa"}),
              "0 birth 0; 0 birth 1; 0 birth 2; 0 birth 3; 1 birth 4; 1 merge 0/4; 1 merge 1/4; 1 merge 2/4; "
              "1 merge 3/4; ");
}

TEST(CommunityHistory, SmallCommunitiesAreLeftOut) {
    EXPECT_EQ(told({"aab", "aab"}), "");
    EXPECT_EQ(told({"aab", "aab"}, {.members_min = 2}), "0 birth 0; 1 continuation 0; ");
}

TEST(CommunityHistory, StepsCarryTheNumbers) {
    const std::vector<Members> windows = {window("aaaaaa----"), window("--cccccc--"), window("----cccccc")};
    const auto history = community_history(windows);
    ASSERT_EQ(history.stories.size(), 1u);
    const auto& steps = history.stories[0].steps;
    ASSERT_EQ(steps.size(), 3u);
    EXPECT_EQ(steps[0].community, 0u);
    EXPECT_EQ(steps[1].community, 2u);
    EXPECT_EQ(steps[2].members, 6u);
    EXPECT_EQ(steps[0].jaccard, 0);
    EXPECT_EQ(steps[1].jaccard, 0.5);
    EXPECT_EQ(history.events[1].overlap, 0.5);
    EXPECT_EQ(told({"aaaaaa----", "--cccccc--"}, {.jaccard_min = 0.51, .part_share_min = 0.9}),
              "0 birth 0; 1 birth 1; 1 death 0; ");
}

TEST(CommunityHistory, OrderOfMembersIsNoMatter) {
    Random random(31);
    for (int round = 0; round < 100; ++round) {
        std::vector<Members> windows(1 + random.below(6));
        for (auto& members : windows)
            for (std::uint32_t vertex = 0; vertex < 60; ++vertex) {
                if (random.chance(0.2)) continue;
                const auto elsewhere = static_cast<std::uint32_t>(random.below(8));
                members.push_back({vertex, random.chance(0.8) ? vertex / 10 : elsewhere});
            }
        const auto history = community_history(windows);
        // Every large enough community is one step of one story, and steps follow each other.
        std::size_t steps = 0;
        std::size_t expected = 0;
        for (const auto& story : history.stories) {
            steps += story.steps.size();
            for (std::size_t i = 1; i < story.steps.size(); ++i)
                ASSERT_EQ(story.steps[i].window, story.steps[i - 1].window + 1);
        }
        for (const auto& members : windows) {
            std::vector<std::uint32_t> sizes(8);
            for (const auto& member : members) ++sizes[member.community];
            for (const auto size : sizes)
                if (size >= 3) ++expected;
        }
        ASSERT_EQ(steps, expected);
        const auto before = told(history);
        for (auto& members : windows)
            for (std::size_t i = members.size(); i > 1; --i) std::swap(members[i - 1], members[random.below(i)]);
        ASSERT_EQ(told(community_history(windows)), before);
    }
}

TEST(CommunityHistory, LargeWindows) {
    std::vector<Members> windows(3);
    for (std::uint32_t vertex = 0; vertex < 200'000; ++vertex) {
        windows[0].push_back({vertex, vertex / 10});
        windows[1].push_back({vertex, 7});
        windows[2].push_back({vertex, vertex});
    }
    const auto history = community_history(windows);
    EXPECT_EQ(history.stories.size(), 20'001u);
    EXPECT_EQ(history.events.size(), 20'000u + 20'001u + 1);
}

}  // namespace
}  // namespace unveil
