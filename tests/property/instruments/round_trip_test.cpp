// Goal: round trips are those that took place, whatever the order, loss and waiting of packets. Method: random conversations between two ends over a way
// whose delay changes, past a capture; every sample of the estimator must hold the time that the way took, its minimum and its late medians must be those
// of a brute-force search over all packets, and what was sent again must never count.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "core/random.hpp"
#include "instruments/interference/round_trip.hpp"

namespace unveil {
namespace {

constexpr std::int64_t ms_ns = 1'000'000;

struct Seen {
    std::int64_t time_ns = 0;
    bool is_back = false;            // from the end
    std::uint32_t value = 0;         // of its timestamp
    std::uint32_t echo = 0;
    bool is_repeated = false;
};

/// One side sends marks, the far end echoes the latest that it has heard whenever it speaks; the way back waits in a queue that grows and shrinks.
struct Conversation {
    std::vector<Seen> packets;
    std::vector<std::int64_t> way_ns;     // that the answers waited and travelled, by packet; of forward ones nothing
};

Conversation conversation(Random& random) {
    Conversation talk;
    struct Arrival {
        std::int64_t at_ns = 0;
        std::uint32_t value = 0;
    };
    std::vector<Arrival> at_end;
    const auto there_ns = static_cast<std::int64_t>((1 + random.below(50)) * ms_ns);
    std::int64_t now_ns = 0;
    auto value = static_cast<std::uint32_t>(random.next());
    bool is_lost = false;
    for (int i = 0; i < 300; ++i) {
        now_ns += static_cast<std::int64_t>(random.below(20) * ms_ns);
        // The way begins with the first packet of a value, so that one whose first is lost is not said again.
        value += static_cast<std::uint32_t>(is_lost ? 1 + random.below(2) : random.below(3));
        Seen seen;
        seen.time_ns = now_ns;
        seen.value = value;
        talk.packets.push_back(seen);
        talk.way_ns.push_back(0);
        is_lost = random.chance(0.1);
        if (!is_lost) at_end.push_back({now_ns + there_ns, value});
    }
    std::int64_t queue_ns = 0;
    std::int64_t last_ns = 0;
    for (std::int64_t at_ns = there_ns; at_ns < now_ns; at_ns += static_cast<std::int64_t>(random.below(30) * ms_ns + 1)) {
        queue_ns = std::max<std::int64_t>(0, queue_ns + static_cast<std::int64_t>(random.below(40) * ms_ns) - 15 * ms_ns);
        std::optional<std::uint32_t> heard;
        for (const Arrival& arrival : at_end)
            if (arrival.at_ns <= at_ns) heard = arrival.value;
        if (!heard || random.chance(0.2)) continue;
        Seen seen;
        seen.is_back = true;
        seen.time_ns = std::max(last_ns + 1000, at_ns + 5 * ms_ns + queue_ns);
        seen.echo = *heard;
        seen.is_repeated = random.chance(0.1);
        last_ns = seen.time_ns;
        talk.packets.push_back(seen);
        talk.way_ns.push_back(there_ns + seen.time_ns - at_ns);
    }
    return talk;
}

TEST(RoundTrip, SamplesHoldTheTimeThatTheWayTook) {
    Random random(71);
    std::uint64_t samples = 0;
    for (int round = 0; round < 300; ++round) {
        const Conversation talk = conversation(random);
        std::vector<std::size_t> order(talk.packets.size());
        for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
        std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return talk.packets[a].time_ns < talk.packets[b].time_ns; });
        std::int64_t before_ns = 0;
        std::int64_t way_before_ns = 0;
        std::set<std::uint32_t> returned;
        double least = 1e9;       // that brute force finds
        RoundTrip all;
        for (std::size_t at = 0; at < order.size(); ++at) {
            const Seen& packet = talk.packets[order[at]];
            if (!packet.is_back) {
                all.send(packet.value, packet.time_ns, !packet.is_repeated);
                continue;
            }
            RoundTrip before = all;
            RoundTrip::Return back;
            back.now_ns = packet.time_ns;
            back.before_ns = before_ns;
            back.is_counted = !packet.is_repeated;
            all.echo(packet.echo, back);
            before_ns = packet.time_ns;
            // Whoever has not returned the mark yet was sent before it arrived, and did not travel faster than that.
            const std::int64_t slower_ns = std::exchange(way_before_ns, talk.way_ns[order[at]]);
            const bool is_first = returned.insert(packet.echo).second;
            // The first packet with this mark that was sent, by a search over all.
            std::optional<double> brute;
            for (std::size_t earlier = 0; earlier < at && !brute; ++earlier) {
                const Seen& sent = talk.packets[order[earlier]];
                if (!sent.is_back && sent.value == packet.echo) brute = static_cast<double>(packet.time_ns - sent.time_ns) / 1e9;
            }
            ASSERT_TRUE(brute);
            const bool is_taken = all.has_late() && (!before.has_late() || all.late_high_seconds() != before.late_high_seconds() || all.late_low_seconds() != before.late_low_seconds());
            if (packet.is_repeated) {
                ASSERT_FALSE(is_taken);
                ASSERT_TRUE(!all.has_minimum() || all.minimum_seconds() == before.minimum_seconds());
                continue;
            }
            least = std::min(least, *brute);
            if (all.has_minimum()) { ASSERT_GE(all.minimum_seconds(), least - 2e-6); }
            // Alone it has the one sample that this packet gives.
            RoundTrip alone;
            for (std::size_t earlier = 0; earlier < at; ++earlier) {
                const Seen& sent = talk.packets[order[earlier]];
                if (sent.is_back || sent.value != packet.echo) continue;
                alone.send(sent.value, sent.time_ns, !sent.is_repeated);
            }
            alone.echo(packet.echo, back);
            if (!is_first || !alone.has_late()) continue;
            ++samples;
            ASSERT_NEAR(alone.late_high_seconds(), *brute, 2e-6);
            ASSERT_LE(alone.late_low_seconds(), alone.late_high_seconds());
            ASSERT_LE(alone.late_low_seconds(), static_cast<double>(slower_ns) / 1e9 + 2e-6);
        }
        ASSERT_TRUE(all.has_minimum());
    }
    EXPECT_GT(samples, 5'000u);
}

TEST(RoundTrip, AcknowledgementsOfWhatWasSentAgainSayNothing) {
    const auto at = [](std::int64_t ms, std::int64_t before_ms) {
        RoundTrip::Return back;
        back.now_ns = ms * ms_ns;
        back.before_ns = before_ms * ms_ns;
        back.is_late = false;
        return back;
    };
    RoundTrip trip;
    trip.send(1000, 0, true);
    trip.acknowledge(1000, at(40, 0));
    EXPECT_DOUBLE_EQ(trip.minimum_seconds(), 0.04);
    EXPECT_FALSE(trip.has_late());
    trip.send(2000, 100 * ms_ns, true);
    trip.send_again(2000);                       // it may be either that is acknowledged
    trip.acknowledge(2000, at(101, 41));
    EXPECT_DOUBLE_EQ(trip.minimum_seconds(), 0.04);
    trip.send(3000, 200 * ms_ns, true);
    trip.acknowledge(3000, at(900, 850));        // something came in between, so that the way takes 650 ms at least
    ASSERT_TRUE(trip.has_late());
    EXPECT_NEAR(trip.late_low_seconds(), 0.65, 2e-6);
    EXPECT_DOUBLE_EQ(trip.late_high_seconds(), 0.7);
}

TEST(RoundTrip, WrapsWithNumbersAndClock) {
    RoundTrip trip;
    const std::int64_t late_ns = std::int64_t{UINT32_MAX} * 1000 - 10 * ms_ns;      // the microseconds wrap within the round trip
    trip.send(UINT32_MAX - 1, late_ns, true);
    trip.send(3, late_ns + 6 * ms_ns, true);
    RoundTrip::Return back;
    back.now_ns = late_ns + 50 * ms_ns;
    back.before_ns = late_ns + 45 * ms_ns;
    trip.echo(3, back);
    ASSERT_TRUE(trip.has_late());
    EXPECT_NEAR(trip.late_high_seconds(), 0.044, 2e-6);
    EXPECT_NEAR(trip.late_low_seconds(), 0.039, 2e-6);
    trip.echo(UINT32_MAX - 1, back);             // passed already
    EXPECT_NEAR(trip.minimum_seconds(), 0.044, 2e-6);
}

}  // namespace
}  // namespace unveil
