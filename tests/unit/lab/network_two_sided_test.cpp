// Goal: two captures of the same connections prove which packets neither end sent. Method: the lab's network seen from both ends, with clocks that
// differ; the truth says which frames a box made.
#include <gtest/gtest.h>

#include <set>

#include "instruments/interference/two_sided.hpp"
#include "lab/network_world.hpp"

namespace unveil {
namespace {

void give(TwoSided& sides, unsigned side, const lab::NetworkCapture& capture) {
    std::vector<Frame> frames;
    for (const auto& packet : capture.frames) {
        Frame frame;
        frame.time_ns = packet.time_ns;
        frame.number = frames.size() + 1;
        frame.evidence = side;
        frame.bytes_original = packet.bytes_on_wire;
        frame.link_type = 1;
        const auto bytes = capture.bytes(packet);
        frame.bytes = {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
        frames.push_back(frame);
    }
    sides.add(side, frames);
}

TEST(TwoSided, ExactlyTheForgedPacketsWereNeverSent) {
    lab::NetworkPlan plan;
    for (const char* mechanism : {"rst", "dns-injection", "syn-ack-forged", "block-page", "drop-sni"}) plan.mechanisms.push_back({mechanism, 300});
    plan.loss = 0.03;
    plan.is_two_sided = true;
    plan.clock_offset_seconds = 2.5;
    plan.clock_drift_ppm = 20;
    const auto world = lab::make_network_world(plan, 5);
    TwoSided sides;
    give(sides, 0, world.client);
    give(sides, 1, world.server);
    const TwoSidedResult result = sides.finish();
    std::set<std::pair<std::uint32_t, std::uint64_t>> forged;
    for (const unsigned side : {0u, 1u}) {
        const auto& frames = (side == 0 ? world.client : world.server).frames;
        for (std::size_t i = 0; i < frames.size(); ++i)
            if (frames[i].is_injected) forged.emplace(side, i + 1);
    }
    std::uint64_t wrong = 0;
    std::uint64_t right = 0;
    for (const auto& unsent : result.examples) (forged.count({unsent.where.evidence, unsent.where.row}) > 0 ? right : wrong) += 1;
    EXPECT_EQ(wrong, 0u);
    EXPECT_GT(right, 500u);
    EXPECT_EQ(result.unsent, right);
    // Where a resolver is not there, its capture holds nothing of the lookup: no proof, and no accusation.
    EXPECT_GE(right * 10, forged.size() * 8) << right << " of " << forged.size();
    ASSERT_TRUE(result.is_aligned);
    EXPECT_LT(result.offset_low_seconds, 2.5);
    EXPECT_GT(result.offset_high_seconds, 2.5);
    EXPECT_LT(result.offset_high_seconds - result.offset_low_seconds, 0.5);
}

// An address translation that gives up sends resets of its own: made in between, though no censor made them.
TEST(TwoSided, WithoutABoxOnlyTranslatorsSendInOthersNames) {
    lab::NetworkPlan plan;
    plan.ordinary_flows = 2000;
    plan.loss = 0.05;
    plan.is_two_sided = true;
    const auto world = lab::make_network_world(plan, 6);
    TwoSided sides;
    give(sides, 0, world.client);
    give(sides, 1, world.server);
    const TwoSidedResult result = sides.finish();
    for (const auto& unsent : result.examples) {
        const auto& frame = world.client.frames.at(unsent.where.row - 1);
        EXPECT_EQ(unsent.where.evidence, 0u);
        EXPECT_EQ(world.flows.at(frame.flow).failure, "forgotten-by-nat");
        EXPECT_EQ(unsent.kind, UnsentKind::reset);
    }
    EXPECT_EQ(result.unsent, result.examples.size());
    EXPECT_GT(result.flows_both, 1000u);
}

}  // namespace
}  // namespace unveil
