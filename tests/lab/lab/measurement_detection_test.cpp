// Goal: the book of measurements finds what the lab's networks block, and accuses none where failures come in clusters: probes with bad days, one
// probe that sends twenty times as much, sites that turn countries away, captchas, broken IPv6. Method: worlds of measurements in OONI's layout
// through the reader into the book; every site, network and layer is compared with the truth. Rates are printed with their intervals.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "evidence/ooni.hpp"
#include "instruments/interference/measurement_book.hpp"
#include "lab/network_measurements.hpp"
#include "statistics/proportion.hpp"

namespace unveil {
namespace {

interference::BookResult judge(const lab::Measurements& made) {
    std::string text;
    for (const auto& line : made.lines) text.append(line).append(1, '\n');
    interference::MeasurementBook book;
    const auto source = open_measurements_from(memory_input(text), "m.jsonl", 0, EvidenceLimits{});
    MeasurementBatch batch;
    while (source->next(batch))
        for (const auto& measurement : batch.all()) book.add(measurement);
    EXPECT_EQ(book.counts().odd_clock, made.clock_outliers);
    return book.finish();
}

std::string rate(std::uint64_t hits, std::uint64_t trials) {
    const auto interval = clopper_pearson_interval(hits, trials);
    return fmt::format("{} of {} ({:.4f} to {:.4f})", hits, trials, interval.low, interval.high);
}

struct World {
    const char* name;
    double failure_rate;
    double bad_day_rate;
    std::uint32_t loud_probes;
    std::uint32_t domains;
    std::uint32_t countries;
    std::uint32_t networks;
};
// With eight sites no probe can be seen to be out of order: that takes ten.
const World worlds[] = {{"ordinary", 0.02, 0, 0, 16, 3, 2},         {"failures", 0.1, 0, 0, 16, 3, 2},         {"bad days", 0.02, 0.1, 0, 16, 6, 1},
                        {"loud", 0.02, 0, 1, 16, 6, 1},             {"loud, bad days", 0.02, 0.1, 1, 16, 6, 1}, {"loud, bad days", 0.02, 0.1, 2, 8, 6, 1},
                        {"loud, bad days", 0.1, 0.15, 2, 8, 3, 2}};

lab::MeasurementPlan plan_of(const World& world) {
    lab::MeasurementPlan plan;
    plan.days = 30;
    plan.domains = world.domains;
    plan.countries = world.countries;
    plan.networks = world.networks;
    plan.failure_rate = world.failure_rate;
    plan.bad_day_rate = world.bad_day_rate;
    plan.loud_probes = world.loud_probes;
    return plan;
}

TEST(MeasurementWorlds, NullWorldsWithClusteredFailuresStaySilent) {
    std::uint64_t all = 0, accused = 0, worlds_with_any = 0, count = 0;
    for (const World& world : worlds) {
        std::uint64_t cells = 0, wrong = 0;
        for (std::uint64_t seed = 1; seed <= 6; ++seed) {
            auto plan = plan_of(world);
            plan.blocks = 0;
            std::uint64_t here = 0;
            for (const auto& cell : judge(lab::make_measurements(plan, seed)).cells) {
                cells += cell.measurements >= 5;
                here += cell.verdict == interference::CellVerdict::blocked;
            }
            wrong += here;
            worlds_with_any += here > 0;
            ++count;
        }
        fmt::print("null {:16} failures {:.2f}, bad days {:.2f}, loud {}, sites {:2}, networks {}x{}: accused {}\n", world.name, world.failure_rate, world.bad_day_rate, world.loud_probes, world.domains,
                   world.countries, world.networks,
                   rate(wrong, cells));
        all += cells;
        accused += wrong;
    }
    fmt::print("null all: accused {}; in {} worlds\n", rate(accused, all), rate(worlds_with_any, count));
    EXPECT_LE(static_cast<double>(accused), 0.001 * static_cast<double>(all));
    EXPECT_LE(static_cast<double>(worlds_with_any), 0.05 * static_cast<double>(count));
}

TEST(MeasurementWorlds, PlantedBlocksAreFoundAndSitesThatTurnCountriesAwayAreNot) {
    std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> found;  // by layer: found, planted
    std::map<std::string_view, std::uint64_t> doubts;
    std::uint64_t cells = 0, accused = 0, refusing = 0, refusing_accused = 0;
    for (const World& world : worlds) {
        if (world.bad_day_rate > 0.1) continue;
        for (std::uint64_t seed = 1; seed <= 6; ++seed) {
            auto plan = plan_of(world);
            plan.blocks = world.domains / 2;
            const auto made = lab::make_measurements(plan, seed);
            std::set<std::string> refuse;
            for (const auto& nuisance : made.nuisances)
                if (nuisance.kind.starts_with("geo-block")) refuse.insert(nuisance.domain);
            std::map<std::pair<std::string, std::uint32_t>, const lab::MeasurementBlock*> planted;
            for (const auto& block : made.blocks)
                if (block.measurements >= 8) planted[{block.domain, block.asn}] = &block;
            std::set<std::pair<std::string, std::uint32_t>> blocked;
            const auto result = judge(made);
            for (const auto& cell : result.cells) {
                if (cell.measurements < 5) continue;
                ++cells;
                const bool is_blocked = cell.verdict == interference::CellVerdict::blocked;
                const bool is_planted = planted.count({cell.domain, cell.asn}) > 0;
                if (is_blocked) blocked.emplace(cell.domain, cell.asn);
                if (is_planted && !cell.doubt.empty()) ++doubts[cell.doubt];
                if (is_blocked && !is_planted) ++accused;
                if (refuse.count(cell.domain) == 0) continue;
                ++refusing;
                refusing_accused += is_blocked && !is_planted;
            }
            for (const auto& [place, block] : planted) {
                auto& [hits, all] = found[block->layer + " " + block->how];
                ++all;
                hits += blocked.count(place);
            }
        }
    }
    std::uint64_t hits = 0, all = 0;
    for (const auto& [layer, count] : found) {
        fmt::print("planted {:20} found {}\n", layer, rate(count.first, count.second));
        hits += count.first;
        all += count.second;
    }
    for (const auto& [doubt, count] : doubts) fmt::print("undetermined for {}: {}\n", doubt, count);
    fmt::print("planted all found {}; accused {}; of sites that turn countries away {}\n", rate(hits, all), rate(accused, cells), rate(refusing_accused, refusing));
    ASSERT_GT(all, 200u);
    // Half of the planted blocks last a week; thirty days of some measurements each are few for that.
    EXPECT_GE(static_cast<double>(hits), 0.6 * static_cast<double>(all));
    EXPECT_LE(static_cast<double>(accused), 0.001 * static_cast<double>(cells));
    EXPECT_EQ(refusing_accused, 0u);
}

}  // namespace
}  // namespace unveil
