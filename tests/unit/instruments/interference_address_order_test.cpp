// Goal: addresses that a box takes in turn from a list are told from those that come at random. Method: orders made by several processes at once, from
// made-up lists and from the published one of 592 (skips where it is absent); orders at random, which must show nothing.
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "core/random.hpp"
#include "instruments/interference/address_order.hpp"

namespace unveil {
namespace {

/// Processes go through the list each from a place of its own; any of them takes the next question.
std::vector<std::uint32_t> in_turn(std::size_t pool, std::size_t processes, std::size_t answers, Random& random) {
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < processes; ++i) places.push_back(random.below(pool));
    std::vector<std::uint32_t> order;
    while (order.size() < answers) order.push_back(static_cast<std::uint32_t>(places[random.below(processes)]++ % pool));
    return order;
}

TEST(AddressOrder, ListsThatGoRoundAreSeen) {
    Random random(3);
    for (const std::size_t processes : {1u, 3u, 5u}) {
        const AddressOrder order = address_order(in_turn(100, processes, 600, random));
        EXPECT_EQ(order.p_value, 0.001) << processes;
        EXPECT_GT(order.compared, 200u);
        EXPECT_EQ(order.addresses, 100u);
    }
}

TEST(AddressOrder, ThePublishedListIsSeenAtAHundredQuestionsASecond) {
    const std::string path = std::string(UNVEIL_SHARED_DIR) + "/data/interference/gfw-wallbleed-2025/util/is-forged-response/ordered-ip-pool-injector-3-a.txt";
    std::ifstream file(path);
    std::size_t pool = 0;
    for (std::string line; std::getline(file, line);) pool += !line.empty();
    if (pool == 0) GTEST_SKIP() << "needs " << path;
    EXPECT_EQ(pool, 592u);
    Random random(4);
    // Twenty seconds.
    for (const std::size_t processes : {3u, 5u}) EXPECT_EQ(address_order(in_turn(pool, processes, 2'000, random)).p_value, 0.001) << processes;
}

TEST(AddressOrder, ChanceAndFewAnswersShowNothing) {
    Random random(5);
    int seen = 0;
    constexpr int worlds = 200;
    for (int world = 0; world < worlds; ++world) {
        std::vector<std::uint32_t> order;
        const std::size_t pool = 1 + random.below(40);
        for (int i = 0; i < 120; ++i) order.push_back(static_cast<std::uint32_t>(random.below(1 + random.below(pool))));   // some more often than others
        seen += address_order(order).p_value <= 0.01;
    }
    EXPECT_LE(seen, 8);
    EXPECT_EQ(address_order({}).p_value, 1);
    EXPECT_EQ(address_order(in_turn(100, 1, 110, random)).p_value, 1) << "too few came twice";
}

}  // namespace
}  // namespace unveil
