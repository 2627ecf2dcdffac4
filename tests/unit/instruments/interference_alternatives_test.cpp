// Goal: what speaks against other explanations is a ratio of likelihoods, and what a capture cannot tell is not made up. Method: integrals over all
// rates by brute force, cases whose answer is plain, and accidents at random of which few may look like interference.
#include <gtest/gtest.h>

#include <cmath>

#include "core/random.hpp"
#include "instruments/interference/alternatives.hpp"

namespace unveil {
namespace {

using Standing = AlternativeTest::Standing;

const AlternativeTest& of(const AlternativeTests& tests, Alternative alternative) { return tests[static_cast<std::size_t>(alternative)]; }

double chance_of(const FlowShare& share, double p) { return std::pow(p, static_cast<double>(share.hits)) * std::pow(1 - p, static_cast<double>(share.flows - share.hits)); }

/// Over all rates, by the midpoint rule.
template <typename Likelihood>
double mean_over_rates(const Likelihood& likelihood) {
    constexpr int steps = 20'000;
    double sum = 0;
    for (int i = 0; i < steps; ++i) sum += likelihood((i + 0.5) / steps);
    return sum / steps;
}

TEST(Alternatives, AreRatiosOfLikelihoods) {
    Random random(5);
    for (int round = 0; round < 50; ++round) {
        const auto share = [&](std::uint64_t flows_max) {
            const std::uint64_t flows = 1 + random.below(flows_max);
            return FlowShare{random.below(flows + 1), flows};
        };
        ShownFlows shown;
        shown.own = share(12);
        shown.own_v6 = {random.below(shown.own.hits + 1), 0};
        shown.own_v6.flows = shown.own_v6.hits + random.below(shown.own.flows - shown.own.hits + 1);
        shown.other_v6 = share(9);
        shown.chance = 0.02 + 0.2 * random.uniform();
        const FlowShare a = share(6);
        const FlowShare b = share(8);
        ++shown.same_servers[a];
        shown.same_servers[b] += 2;
        const auto tests = weigh_alternatives(shown);

        const auto any_rate = [](const FlowShare& one) { return mean_over_rates([&](double p) { return chance_of(one, p); }); };
        const double own = any_rate(shown.own);
        EXPECT_NEAR(of(tests, Alternative::loss).log_likelihood_ratio, std::log(own / chance_of(shown.own, *shown.chance)), 1e-3);
        EXPECT_NEAR(of(tests, Alternative::nat).log_likelihood_ratio, of(tests, Alternative::loss).log_likelihood_ratio, 1e-12);
        const auto by_trigger = [&](const FlowShare& one) { return 0.9 * chance_of(one, *shown.chance) + 0.1 * any_rate(one); };
        const double down = mean_over_rates([&](double p) { return chance_of(shown.own, p) * chance_of(a, p) * std::pow(chance_of(b, p), 2); });
        EXPECT_NEAR(of(tests, Alternative::site_down).log_likelihood_ratio, std::log(own * by_trigger(a) * std::pow(by_trigger(b), 2) / down), 1e-3);
        if (shown.own_v6.hits == 0) {
            EXPECT_EQ(of(tests, Alternative::ipv6).standing, Standing::does_not_apply);
            continue;
        }
        const FlowShare own_v4 = {shown.own.hits - shown.own_v6.hits, shown.own.flows - shown.own_v6.flows};
        const double broken = chance_of(own_v4, *shown.chance) * mean_over_rates([&](double p) { return chance_of(shown.own_v6, p) * chance_of(shown.other_v6, p); });
        EXPECT_NEAR(of(tests, Alternative::ipv6).log_likelihood_ratio, std::log(own * chance_of(shown.other_v6, *shown.chance) / broken), 1e-3);
    }
}

TEST(Alternatives, PointWhereTheEvidencePoints) {
    ShownFlows shown;
    shown.own = {8, 8};
    shown.controls = {1, 400};
    shown.chance = 0.014;
    shown.same_servers[{0, 10}] = 3;
    const auto fine_elsewhere = weigh_alternatives(shown);
    EXPECT_GT(of(fine_elsewhere, Alternative::site_down).log_likelihood_ratio, 10);
    EXPECT_EQ(of(fine_elsewhere, Alternative::site_down).evidence, "8 of 8 flows with the trigger, 0 of 30 for others at the same addresses");
    EXPECT_GT(of(fine_elsewhere, Alternative::loss).log_likelihood_ratio, 20);
    shown.same_servers = {{{9, 10}, 3}};
    EXPECT_LT(of(weigh_alternatives(shown), Alternative::site_down).log_likelihood_ratio, 0) << "the whole address is lost";
    // Three of another trigger at the same address do not make it a host that is down.
    shown.same_servers = {{{0, 10}, 6}, {{5, 5}, 1}};
    EXPECT_GT(of(weigh_alternatives(shown), Alternative::site_down).log_likelihood_ratio, 5);
    shown.own = {1, 20};
    EXPECT_LT(of(weigh_alternatives(shown), Alternative::loss).log_likelihood_ratio, 0) << "one of twenty is loss";
    // Only what goes over IPv6 fails, of others too.
    shown.own = {6, 12};
    shown.own_v6 = {6, 6};
    shown.other_v6 = {40, 44};
    EXPECT_LT(of(weigh_alternatives(shown), Alternative::ipv6).log_likelihood_ratio, -10);
    shown.other_v6 = {0, 44};
    EXPECT_GT(of(weigh_alternatives(shown), Alternative::ipv6).log_likelihood_ratio, 5);
}

TEST(Alternatives, ForgedPacketsAreNoLossAndDistancesTellOfAFilterAtHome) {
    ShownFlows shown;
    shown.own = {4, 4};
    shown.chance = 0.01;
    shown.is_forged = true;
    shown.packet_ratio = 13.5;
    shown.ttls = 4;
    auto tests = weigh_alternatives(shown);
    EXPECT_EQ(of(tests, Alternative::loss).standing, Standing::does_not_apply);
    EXPECT_EQ(of(tests, Alternative::host).log_likelihood_ratio, 13.5);
    EXPECT_GT(of(tests, Alternative::user_filter).log_likelihood_ratio, 9);
    EXPECT_GT(of(tests, Alternative::nat).log_likelihood_ratio, of(tests, Alternative::user_filter).log_likelihood_ratio);
    ShownFlows withheld = shown;
    withheld.is_forged = false;
    withheld.same_servers[{2, 6}] = shown.same_servers[{2, 6}] = 1;
    EXPECT_NEAR(of(weigh_alternatives(shown), Alternative::site_down).log_likelihood_ratio,
                of(weigh_alternatives(withheld), Alternative::site_down).log_likelihood_ratio + shown.packet_ratio, 1e-12);
    shown.ttls = shown.ttls_near = 1;
    tests = weigh_alternatives(shown);
    EXPECT_LT(of(tests, Alternative::user_filter).log_likelihood_ratio, 0);
    shown.is_forged = false;
    tests = weigh_alternatives(shown);
    EXPECT_EQ(of(tests, Alternative::user_filter).standing, Standing::not_testable);
    EXPECT_EQ(of(tests, Alternative::host).standing, Standing::not_testable);
    shown.chance.reset();
    for (const auto& test : weigh_alternatives(shown)) {
        EXPECT_NE(test.standing, Standing::tested);
        EXPECT_FALSE(test.evidence.empty());
    }
    for (const int ttl : {63, 64, 127, 128, 254, 255}) EXPECT_TRUE(is_near_ttl(static_cast<std::uint8_t>(ttl))) << ttl;
    for (const int ttl : {0, 1, 62, 65, 126, 129, 253}) EXPECT_FALSE(is_near_ttl(static_cast<std::uint8_t>(ttl))) << ttl;
}

/// A ratio above log(1000) comes of the alternative in at most one of a thousand cases, whatever the counts (Kass & Raftery 1995; Markov's inequality).
TEST(Alternatives, AccidentsSeldomLookLikeInterference) {
    Random random(8);
    constexpr int rounds = 100'000;
    int loss = 0;
    int down = 0;
    for (int round = 0; round < rounds; ++round) {
        ShownFlows shown;
        shown.chance = 0.05;
        const double broken = random.uniform();   // of the whole address
        const auto draw = [&](std::uint64_t flows, double rate) {
            FlowShare share = {0, flows};
            for (std::uint64_t i = 0; i < flows; ++i) share.hits += random.chance(rate);
            return share;
        };
        shown.own = draw(1 + random.below(15), 0.05);
        loss += of(weigh_alternatives(shown), Alternative::loss).log_likelihood_ratio > std::log(1000);
        shown.own = draw(1 + random.below(15), broken);
        for (int other = 0; other < 4; ++other) ++shown.same_servers[draw(1 + random.below(8), broken)];
        down += of(weigh_alternatives(shown), Alternative::site_down).log_likelihood_ratio > std::log(1000);
    }
    EXPECT_LE(loss, rounds / 1000);
    EXPECT_LE(down, rounds / 1000);
}

TEST(Alternatives, AHostsOwnPagesAreAsLikelyAsTheHost) {
    ShownFlows shown;
    shown.own = {4, 4};
    shown.is_forged = true;
    shown.packet_ratio = 12;
    EXPECT_EQ(of(weigh_alternatives(shown), Alternative::geo_block).standing, Standing::not_testable);
    shown.answers_read = 4;
    shown.geo_block = {3, 6};
    const auto tests = weigh_alternatives(shown);
    EXPECT_EQ(of(tests, Alternative::geo_block).standing, Standing::tested);
    EXPECT_EQ(of(tests, Alternative::geo_block).log_likelihood_ratio, 6);
    EXPECT_EQ(of(tests, Alternative::geo_block).evidence, "3 of 4 answers look like one (status 403 or 451); the packets of the strongest of them beside the host's own");
    EXPECT_EQ(of(tests, Alternative::captcha).standing, Standing::does_not_apply);
    shown.is_forged = false;
    EXPECT_EQ(of(weigh_alternatives(shown), Alternative::geo_block).standing, Standing::not_testable);
}

}  // namespace
}  // namespace unveil
