// Is somebody found where nobody acts? Worlds of organic users, fans, viral bursts, a broadcast's crowd, scheduled news
// accounts and feed bots, none planted: how many of them end with a false edge, for the chance models at their level and
// for the percentile rules of the peers on the same worlds. Prints the table of docs/lab/takedown.md.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "../../unit/lab/world.hpp"
#include "instruments/instrument.hpp"
#include "lab/trial_world.hpp"
#include "rates.hpp"

namespace unveil::test {
namespace {

struct Rule {
    std::string name;
    Options parameters;
    double alpha = 1;  // at most this share of null worlds may hold a false edge
};

std::vector<Rule> rules() {
    return {
        {"significant, alpha 0.05", {{"keep", "significant"}, {"alpha", "0.05"}}, 0.05},
        {"significant, alpha 0.01", {{"keep", "significant"}, {"alpha", "0.01"}}, 0.01},
        {"weight above quantile 0.5", {{"keep", "weight"}, {"min-weight", "1"}, {"edge-weight", "0.5"}}},
        {"weight above quantile 0.9", {{"keep", "weight"}, {"min-weight", "1"}, {"edge-weight", "0.9"}}},
        {"weight above quantile 0.99", {{"keep", "weight"}, {"min-weight", "1"}, {"edge-weight", "0.99"}}},
    };
}

// Goal: the share of null worlds with a false edge is at most alpha, which is what a false discovery rate means where every
// discovery is false; percentile rules have no such level. Method: sixty worlds for all rules; the exact interval of the
// share must not lie above alpha.
TEST(NullWorlds, FalseEdgesKeepTheirLevel) {
    constexpr std::uint64_t seeds = 60;
    const auto all = rules();
    std::vector<Sum> worlds(all.size()), edges(all.size()), accounts(all.size());
    std::vector<std::map<std::string, std::uint64_t>> classes(all.size());
    SilentProgress progress;
    const auto folder = std::filesystem::temp_directory_path().string();
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        const TrialWorld world(
            takedown_parameters({{"scale", "20000"}, {"campaigns", "0"}, {"feed-bots", "10"}}), seed, folder,
            progress);
        for (std::size_t i = 0; i < all.size(); ++i) {
            ParameterValues parameters(instrument_named("coordination").description().parameters);
            parameters.set("traces", "co-retweet");
            for (const auto& [name, value] : all[i].parameters) parameters.set(name, value);
            const auto score = world.score(parameters, 1, 0, progress);
            const auto found = score.overall.edge_precision.trials;
            worlds[i].add({found > 0 ? 1u : 0u, 1});
            edges[i].add(score.overall.edge_false_positive_rate);
            accounts[i].add(score.overall.false_positive_rate);
            for (const auto& count : score.overall.false_edges) classes[i][count.name] += count.count;
        }
    }
    std::printf("20000 posts, nobody planted, %llu worlds, co-retweet 60s\n", static_cast<unsigned long long>(seeds));
    for (std::size_t i = 0; i < all.size(); ++i) {
        std::printf("%-27s worlds with a false edge %s\n", all[i].name.c_str(), text_of(worlds[i].exact()).c_str());
        const auto rate = edges[i].exact();
        std::printf("%-27s false edges %llu of %.4g pairs (%.3g to %.3g), accounts %s\n", "",
                    static_cast<unsigned long long>(rate.hits), static_cast<double>(rate.trials), rate.low, rate.high,
                    text_of(accounts[i].exact()).c_str());
        for (const auto& [name, count] : classes[i])
            std::printf("%-27s   %llu %s\n", "", static_cast<unsigned long long>(count), name.c_str());
        EXPECT_LE(worlds[i].exact().low, all[i].alpha) << all[i].name;
    }
}

}  // namespace
}  // namespace unveil::test
