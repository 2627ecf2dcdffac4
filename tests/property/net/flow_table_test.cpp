// Goal: the flow table gives what a list that is searched from end to end would give: the same flows, the same ones handed back, in the same
// order. Method: random packets of few and of many flows, with times that mostly go on, stand, jump and run backwards, against such a list.
#include <gtest/gtest.h>

#include <list>
#include <memory>
#include <vector>

#include "core/random.hpp"
#include "net/flow_table.hpp"

namespace unveil {
namespace {

constexpr std::int64_t second_ns = 1'000'000'000;

Packet packet_between(std::uint32_t source, std::uint16_t source_port, std::uint32_t destination, std::uint16_t destination_port, std::int64_t time_ns) {
    Packet packet;
    packet.time_ns = time_ns;
    packet.source = ipv4_address(source);
    packet.destination = ipv4_address(destination);
    packet.source_port = source_port;
    packet.destination_port = destination_port;
    packet.protocol = 6;
    return packet;
}

TEST(FlowKey, IsTheSameForBothDirections) {
    const Packet there = packet_between(0x0A000001, 50'000, 0x0A000002, 80, 0);
    const Packet back = packet_between(0x0A000002, 80, 0x0A000001, 50'000, 0);
    bool is_from_low = false;
    const FlowKey key = flow_key(there, is_from_low);
    EXPECT_TRUE(is_from_low);
    EXPECT_EQ(key.low_port, 50'000);
    EXPECT_EQ(flow_key(back, is_from_low), key);
    EXPECT_FALSE(is_from_low);
    // To oneself the ports decide.
    const Packet self = packet_between(0x7F000001, 9, 0x7F000001, 8, 0);
    EXPECT_EQ(flow_key(self, is_from_low).low_port, 8);
    EXPECT_FALSE(is_from_low);
    flow_key(packet_between(0x7F000001, 8, 0x7F000001, 9, 0), is_from_low);
    EXPECT_TRUE(is_from_low);
    // The order of IPv6 addresses is that of their bytes, from the first to the last.
    Packet six;
    ASSERT_TRUE(parse_address("2001:db8::100", six.source));
    ASSERT_TRUE(parse_address("2001:db8::ff", six.destination));
    flow_key(six, is_from_low);
    EXPECT_FALSE(is_from_low);
}

TEST(FlowHash, SpreadsNeighbouringFlows) {
    // Addresses and ports that count up are what captures hold; each bit of the part that finds the slot must differ for half of them.
    constexpr unsigned flows = 1 << 16;
    std::vector<unsigned> ones(32, 0);
    std::vector<unsigned> loads(flows, 0);
    for (unsigned i = 0; i < flows; ++i) {
        bool is_from_low = false;
        const auto hash = flow_hash(flow_key(packet_between(0x0A000000 + (i >> 8), static_cast<std::uint16_t>(1024 + (i & 0xFF)), 0xC0A80001, 443, 0), is_from_low));
        const auto tag = static_cast<std::uint32_t>(hash >> 32);
        for (unsigned bit = 0; bit < 32; ++bit) ones[bit] += tag >> bit & 1;
        ++loads[tag % flows];
    }
    for (const unsigned count : ones) EXPECT_NEAR(count, flows / 2, 1000);
    unsigned taken = 0;
    for (const unsigned load : loads) taken += load > 0;
    EXPECT_NEAR(taken, flows * 0.632, flows * 0.01);   // 1 - 1/e of the slots, as by chance
}

struct Model {
    struct Flow {
        FlowKey key;
        std::int64_t last_ns;
        int state;
    };
    std::size_t flows_max;
    std::int64_t idle_ns_max;
    std::list<Flow> flows;   // the longest idle first
    std::vector<std::pair<FlowKey, int>> gone;
    std::uint64_t evicted = 0;

    bool is_idle(const Flow& flow, std::int64_t now_ns) const {
        return static_cast<long double>(now_ns) - static_cast<long double>(flow.last_ns) > static_cast<long double>(idle_ns_max);
    }
    void forget(std::list<Flow>::iterator flow) {
        gone.emplace_back(flow->key, flow->state);
        flows.erase(flow);
    }
    int& find(const FlowKey& key, std::int64_t now_ns, bool& is_new) {
        while (!flows.empty()) {
            flows.front().last_ns = std::min(flows.front().last_ns, now_ns);
            if (!is_idle(flows.front(), now_ns)) break;
            forget(flows.begin());
        }
        auto flow = flows.begin();
        while (flow != flows.end() && !(flow->key == key)) ++flow;
        if (flow != flows.end() && is_idle(*flow, now_ns)) {
            forget(flow);
            flow = flows.end();
        }
        is_new = flow == flows.end();
        if (is_new) {
            if (flows.size() >= flows_max) {
                ++evicted;
                forget(flows.begin());
            }
            flows.push_back({key, now_ns, 0});
        } else {
            flow->last_ns = now_ns;
            flows.splice(flows.end(), flows, flow);
        }
        return flows.back().state;
    }
};

TEST(FlowTable, GivesWhatASearchedListGives) {
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
        SCOPED_TRACE(seed);
        Random random(seed);
        const std::size_t flows_max = seed % 4 == 0 ? 1 + random.below(4) : 1 + random.below(3000);
        const std::uint64_t hosts = 2 + random.below(seed % 3 == 0 ? 6 : 120);
        const std::int64_t idle_ns_max = static_cast<std::int64_t>(random.below(20)) * second_ns;
        Model model{flows_max, idle_ns_max, {}, {}, 0};
        std::vector<std::pair<FlowKey, int>> gone;
        FlowTable<int> table(flows_max, idle_ns_max, [&](const FlowKey& key, int& state) { gone.emplace_back(key, state); });
        std::int64_t now_ns = 1'700'000'000 * second_ns;
        const auto step_by = [&](std::int64_t by_ns) {
            if (by_ns > 0 ? now_ns <= INT64_MAX - by_ns : now_ns >= INT64_MIN - by_ns) now_ns += by_ns;
        };
        for (int step = 0; step < 4000; ++step) {
            switch (random.below(60)) {
                case 0: step_by(static_cast<std::int64_t>(random.below(40)) * second_ns); break;
                case 1: step_by(-static_cast<std::int64_t>(random.below(40)) * second_ns); break;
                case 2:
                    if (random.below(20) == 0) now_ns = random.below(2) == 0 ? INT64_MAX : INT64_MIN;
                    break;
                case 3: now_ns = 1'700'000'000 * second_ns + step * second_ns / 100; break;
                default:
                    step_by(static_cast<std::int64_t>(random.below(10'000'000)));
            }
            const Packet packet = packet_between(0x0A000000 + static_cast<std::uint32_t>(random.below(hosts)), static_cast<std::uint16_t>(random.below(3)),
                                                 0x0A000000 + static_cast<std::uint32_t>(random.below(hosts)), 443, now_ns);
            bool is_from_low = false;
            bool is_new = false;
            bool is_from_low_expected = false;
            bool is_new_expected = false;
            const FlowKey key = flow_key(packet, is_from_low_expected);
            int& expected = model.find(key, now_ns, is_new_expected);
            int& state = table.find(packet, is_from_low, is_new);
            ASSERT_EQ(is_new, is_new_expected) << step;
            ASSERT_EQ(is_from_low, is_from_low_expected);
            ASSERT_EQ(state, expected) << step;
            state = expected = step + 1;
            ASSERT_EQ(table.size(), model.flows.size());
            ASSERT_EQ(gone.size(), model.gone.size());
        }
        EXPECT_EQ(table.evicted(), model.evicted);
        table.finish();
        while (!model.flows.empty()) model.forget(model.flows.begin());
        EXPECT_TRUE(gone == model.gone);
        EXPECT_EQ(table.size(), 0u);
    }
}

TEST(FlowTable, ForgetsStatesAndReusesTheirPlaces) {
    std::size_t ended = 0;
    FlowTable<std::shared_ptr<int>> table(10, second_ns, [&](const FlowKey&, std::shared_ptr<int>&) { ++ended; });
    const auto watched = std::make_shared<int>(1);
    for (unsigned i = 0; i < 100'000; ++i) {
        bool is_from_low = false;
        bool is_new = false;
        auto& state = table.find(packet_between(i, 1, ~i, 2, i), is_from_low, is_new);
        ASSERT_TRUE(is_new);
        ASSERT_EQ(state, nullptr);
        state = watched;
        ASSERT_LE(table.size(), 10u);
        ASSERT_LE(watched.use_count(), 11);
    }
    EXPECT_EQ(table.evicted(), 99'990u);
    table.finish();
    EXPECT_EQ(ended, 100'000u);
    EXPECT_EQ(watched.use_count(), 1);
}

}  // namespace
}  // namespace unveil
