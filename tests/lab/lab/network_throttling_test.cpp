// Goal: the instrument "interference" tells what is throttled and by which means, also where no host sends timestamps, and accuses no name that is slow
// for another reason. Method: worlds of policing, of shaping and of six slow twins without any box, at 0, 1, 3 and 5 % loss, with timestamps as hosts
// have them, everywhere, and nowhere (with clients that speak while they read, and with clients that do not). Every name is compared with what was
// planted; the table of all of them is printed.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "network_seen.hpp"
#include "statistics/proportion.hpp"

namespace unveil {
namespace {

constexpr std::string_view instrument_under_test = "interference";

struct Ways {
    std::string_view name;
    lab::TimestampUse timestamps;
    std::uint32_t update_bytes;
};
constexpr std::array<Ways, 4> all_ways = {{{"as hosts have them", lab::TimestampUse::as_machines, 0},
                                           {"timestamps", lab::TimestampUse::always, 0},
                                           {"no timestamps, updates", lab::TimestampUse::never, 8'000},
                                           {"no timestamps", lab::TimestampUse::never, 0}}};
constexpr std::array<double, 4> losses = {0.0, 0.01, 0.03, 0.05};

/// Of one name: "policing", "shaping", "not told", "insufficient", or "none" where it has no row.
std::map<std::string, std::string> told(const Seen& seen) {
    std::map<std::string, std::string> all;
    for (const MechanismVerdict& verdict : seen.book.verdicts()) {
        if (!verdict.throttling) continue;
        all[verdict.trigger] = !verdict.is_firm                                         ? "insufficient"
                               : verdict.mechanism == Mechanism::throttling_policing ? "policing"
                               : verdict.mechanism == Mechanism::throttling_shaping  ? "shaping"
                                                                                     : "not told";
    }
    return all;
}

/// Names by what was planted and what is told.
using Confusion = std::map<std::string, std::map<std::string, std::uint64_t>>;

void print(const Confusion& confusion) {
    constexpr std::array<std::string_view, 5> columns = {"policing", "shaping", "not told", "insufficient", "none"};
    fmt::print("{:44}", "");
    for (const auto column : columns) fmt::print("{:>14}", column);
    fmt::print("\n");
    for (const auto& [planted, row] : confusion) {
        fmt::print("{:44}", planted);
        for (const auto column : columns) fmt::print("{:14}", row.count(std::string(column)) != 0 ? row.at(std::string(column)) : 0);
        fmt::print("\n");
    }
}

lab::NetworkPlan plan_of(const Ways& ways, double loss) {
    lab::NetworkPlan plan;
    plan.ordinary_flows = 200;
    plan.loss = loss;
    plan.timestamps = ways.timestamps;
    plan.update_bytes = ways.update_bytes;
    plan.snap_bytes = 600;
    return plan;
}

std::string interval(std::uint64_t hits, std::uint64_t trials) {
    const auto bounds = clopper_pearson_interval(hits, trials);
    return fmt::format("{} of {} ({:.4f} to {:.4f})", hits, trials, bounds.low, bounds.high);
}

TEST(NetworkWorlds, PolicingAndShapingAreToldApart) {
    ASSERT_EQ(instrument_under_test, "interference");
    constexpr std::uint64_t seeds = 3;
    Confusion confusion;
    std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> right;    // and all
    for (const Ways& ways : all_ways)
        for (const std::string kind : {"policing", "shaping"})
            for (const double loss : losses)
                for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
                    auto plan = plan_of(ways, loss);
                    plan.mechanisms = {{"throttle-" + kind, 2'000}};
                    const auto world = lab::make_network_world(plan, seed);
                    Seen seen;
                    look_at(world, seen);
                    const auto names = told(seen);
                    for (const auto& effect : world.effects) {
                        const auto known = names.find(effect.trigger);
                        const std::string verdict = known == names.end() ? "none" : known->second;
                        const std::string row = fmt::format("{}, {}", kind, ways.name);
                        ++confusion[row][verdict];
                        right[row].first += verdict == kind;
                        ++right[row].second;
                    }
                }
    print(confusion);
    for (const auto& [row, counts] : right) {
        fmt::print("{:44} {}\n", row, interval(counts.first, counts.second));
        // Without any round trip a queue and a server that paces itself look alike.
        if (row == "shaping, no timestamps") { EXPECT_EQ(counts.first, 0u) << row; }
        else { EXPECT_GE(static_cast<double>(counts.first), 0.99 * static_cast<double>(counts.second)) << row; }
    }
}

TEST(NetworkWorlds, KindsNeedSoManyFlows) {
    constexpr std::uint32_t triggers = 4;
    for (const std::string kind : {"policing", "shaping"})
        for (const std::uint32_t flows : {12u, 25u, 50u, 100u}) {
            std::uint64_t right = 0;
            std::uint64_t names = 0;
            for (const double loss : {0.0, 0.01, 0.03})
                for (std::uint64_t seed = 11; seed < 15; ++seed) {
                    auto plan = plan_of(all_ways[0], loss);
                    plan.mechanisms = {{"throttle-" + kind, 2 * triggers * flows}};
                    const auto world = lab::make_network_world(plan, seed);
                    Seen seen;
                    look_at(world, seen);
                    const auto verdicts = told(seen);
                    for (const auto& effect : world.effects) {
                        const auto known = verdicts.find(effect.trigger);
                        right += known != verdicts.end() && known->second == kind;
                        ++names;
                    }
                }
            fmt::print("{:10} about {:3} flows a name: {}\n", kind, flows, interval(right, names));
            if (flows == 100) { EXPECT_GE(right + 1, names) << kind; }
        }
}

TEST(NetworkWorlds, BytesBeforeTheChangeAreTold) {
    for (const std::string kind : {"policing", "shaping"})
        for (const double kib : {16.0, 24.0}) {
            auto plan = plan_of(all_ways[0], 0.01);
            plan.mechanisms = {{"throttle-" + kind, 1'000}};
            plan.throttle_burst_kib = kib;
            const auto world = lab::make_network_world(plan, 5);
            Seen seen;
            look_at(world, seen);
            std::vector<double> values;
            for (const MechanismVerdict& verdict : seen.book.verdicts())
                if (verdict.is_firm && verdict.throttling && verdict.throttling->full_speed) values.push_back(verdict.throttling->full_speed->kib);
            ASSERT_GE(values.size(), 3u) << kind << " " << kib;
            std::sort(values.begin(), values.end());
            fmt::print("{:10} {:.0f} KiB planted, {:.1f} to {:.1f} KiB found\n", kind, kib, values.front(), values.back());
            EXPECT_NEAR(values.front(), kib, 4);
            EXPECT_NEAR(values.back(), kib, 4);
        }
}

TEST(NetworkWorlds, SlowNamesWithoutABoxAreNotAccused) {
    constexpr std::uint64_t seeds = 4;
    Confusion confusion;
    std::uint64_t names_seen = 0;
    std::uint64_t accused = 0;
    for (const Ways& ways : all_ways)
        for (const std::string& twin : lab::network_slow_twins())
            for (const double loss : losses)
                for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
                    auto plan = plan_of(ways, loss);
                    plan.slow_twins = {{twin, 800}};
                    const auto world = lab::make_network_world(plan, seed);
                    Seen seen;
                    look_at(world, seen);
                    const auto names = told(seen);
                    std::set<std::string> asked;
                    for (const auto& flow : world.flows)
                        if (flow.scene == twin) asked.insert(flow.name);
                    for (const std::string& name : asked) {
                        const auto known = names.find(name);
                        const std::string verdict = known == names.end() ? "none" : known->second;
                        ++confusion[twin][verdict];
                        ++names_seen;
                        accused += verdict != "none" && verdict != "insufficient";
                    }
                }
    print(confusion);
    fmt::print("accused: {}\n", interval(accused, names_seen));
    EXPECT_LE(static_cast<double>(accused), 0.001 * static_cast<double>(names_seen));
}

}  // namespace
}  // namespace unveil
