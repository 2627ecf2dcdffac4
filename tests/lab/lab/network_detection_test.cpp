// Goal: the instrument "interference" finds what the lab's network does to connections, and nothing where it does nothing. Method: worlds of 10,000
// connections of each mechanism, half of them controls, at 0, 1, 3 and 5 % loss, through the same reader of packets and the same judgement as the
// command; every connection is compared with the truth. Rates are printed with their intervals. The null world has the same accidents and no box.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "network_seen.hpp"
#include "statistics/proportion.hpp"

namespace unveil {
namespace {

constexpr std::string_view instrument_under_test = "interference";
constexpr double recall_min = 0.99;
constexpr double false_positive_max = 0.001;

/// How the instrument calls what the lab plants.
const std::map<std::string, Mechanism>& found_as() {
    static const std::map<std::string, Mechanism> names = {{"dns-injection", Mechanism::dns_injection},        {"rst", Mechanism::reset_injection},
                                                           {"syn-ack-forged", Mechanism::syn_ack_injection},   {"block-page", Mechanism::block_page},
                                                           {"drop-sni", Mechanism::silent_drop},               {"freeze", Mechanism::freeze},
                                                           {"residual", Mechanism::residual},                  {"quic-sni", Mechanism::quic_drop},
                                                           {"fet", Mechanism::fully_encrypted_drop},           {"throttle-policing", Mechanism::throttling_policing},
                                                           {"throttle-shaping", Mechanism::throttling_shaping}, {"protocol-whitelist", Mechanism::protocol_whitelist},
                                                           {"http-keyword", Mechanism::reset_injection},       {"tls-interception", Mechanism::tls_interception}};
    return names;
}

struct Counts {
    std::uint64_t planted = 0;      // connections on which the box acted so that the client could see it
    std::uint64_t found = 0;
    std::uint64_t untouched = 0;
    std::uint64_t accused = 0;
};

std::string key_of(const std::string& client, std::uint16_t client_port, const std::string& server, std::uint16_t server_port) {
    return fmt::format("{} {} {} {}", client, client_port, server, server_port);
}

Counts compare(const lab::NetworkWorld& world, const Seen& seen) {
    std::multimap<std::string, const JudgedFlow*> judged;
    for (const JudgedFlow& flow : seen.book.flows())
        judged.emplace(key_of(address_text(flow.flow.client), flow.flow.client_port, address_text(flow.flow.server), flow.flow.server_port), &flow);
    std::map<std::string, Mechanism> throttled;
    for (const MechanismVerdict& verdict : seen.book.verdicts())
        if (verdict.is_firm && (verdict.mechanism == Mechanism::throttling_policing || verdict.mechanism == Mechanism::throttling_shaping)) throttled.emplace(verdict.trigger, verdict.mechanism);
    Counts counts;
    for (const auto& truth : world.flows) {
        const JudgedFlow* found = nullptr;
        const auto [first, last] = judged.equal_range(key_of(truth.client, truth.client_port, truth.server, truth.server_port));
        for (auto it = first; it != last; ++it)
            if (std::abs(it->second->flow.first_ns - truth.start_ns) < 1'500'000'000) found = it->second;
        const bool is_firm = found != nullptr && found->is_firm;
        if (truth.mechanism == "none") {
            ++counts.untouched;
            counts.accused += is_firm;
            continue;
        }
        if (truth.injected_seen == 0 && truth.dropped == 0 && !truth.mechanism.starts_with("throttle")) continue;
        // A single lost SYN, which comes through a second later, is no more than loss.
        if (truth.mechanism == "residual" && truth.role == "aftermath" && truth.dropped < 2 && truth.injected_seen == 0) continue;
        ++counts.planted;
        const Mechanism wanted = found_as().at(truth.mechanism);
        if (truth.mechanism.starts_with("throttle")) {
            const auto known = throttled.find(truth.name);
            counts.found += known != throttled.end() && known->second == wanted;
            continue;
        }
        if (!is_firm) continue;
        // What begins residual blocking is itself a reset or a drop.
        const bool is_trigger = truth.mechanism == "residual" && (found->mechanism == Mechanism::reset_injection || found->mechanism == Mechanism::silent_drop);
        counts.found += found->mechanism == wanted || is_trigger;
    }
    return counts;
}

std::string rate(std::uint64_t hits, std::uint64_t trials) {
    if (trials == 0) return "-";
    const auto interval = clopper_pearson_interval(hits, trials);
    return fmt::format("{:.5f} ({:.5f}-{:.5f}) of {}", static_cast<double>(hits) / static_cast<double>(trials), interval.low, interval.high, trials);
}

class Planted : public ::testing::TestWithParam<std::string> {};

TEST_P(Planted, IsFoundAtAnyLossAndNobodyElseIsAccused) {
    const std::string mechanism = GetParam();
    Counts all;
    for (const double loss : {0.0, 0.01, 0.03, 0.05}) {
        lab::NetworkPlan plan;
        plan.mechanisms = {{mechanism, 2'500}};
        plan.ordinary_flows = 1'500;
        plan.loss = loss;
        plan.snap_bytes = 2'048;
        const auto world = lab::make_network_world(plan, 11);
        Seen seen;
        look_at(world, seen);
        const Counts counts = compare(world, seen);
        fmt::print("{:20} loss {:.2f}: found {}; accused {}\n", mechanism, loss, rate(counts.found, counts.planted), rate(counts.accused, counts.untouched));
        all.planted += counts.planted;
        all.found += counts.found;
        all.untouched += counts.untouched;
        all.accused += counts.accused;
        if (mechanism == "residual") {
            const ResidualEstimate& estimate = seen.book.residual();
            ASSERT_TRUE(estimate.is_known());
            fmt::print("{:20} {:.1f} to {:.1f} seconds, planted {:.0f}\n", "", estimate.seconds_low, estimate.seconds_high, plan.residual_seconds);
            EXPECT_LT(estimate.seconds_high - estimate.seconds_low, 10);
            EXPECT_FALSE(estimate.is_same_source_port);
            EXPECT_LT(estimate.restart_ratio, -ResidualEstimate::restart_ratio_min);
            EXPECT_NEAR((estimate.seconds_low + estimate.seconds_high) / 2, plan.residual_seconds, 5);
        }
        if (mechanism == "rst")
            for (const auto& effect : world.effects) {
                if (effect.box_class != "gfw-2") continue;
                const auto told = std::find_if(seen.book.verdicts().begin(), seen.book.verdicts().end(), [&](const MechanismVerdict& verdict) { return verdict.trigger == effect.trigger; });
                ASSERT_NE(told, seen.book.verdicts().end());
                EXPECT_EQ(told->figure, effect.parameters.at(0).second) << effect.trigger;
            }
        if (mechanism == "http-keyword")
            for (const auto& effect : world.effects) {
                const bool is_told = std::any_of(seen.book.verdicts().begin(), seen.book.verdicts().end(),
                                                 [&](const MechanismVerdict& verdict) { return verdict.is_firm && verdict.trigger == "path: " + effect.trigger; });
                EXPECT_TRUE(is_told) << effect.trigger;
            }
        if (mechanism == "quic-sni") { EXPECT_EQ(port_rule(seen.book.quic_ports()), PortRule::source_above_equal_untried); }
    }
    fmt::print("{:20} all      : found {}; accused {}\n", mechanism, rate(all.found, all.planted), rate(all.accused, all.untouched));
    ASSERT_GT(all.planted, 500u);
    EXPECT_GE(static_cast<double>(all.found), recall_min * static_cast<double>(all.planted));
    EXPECT_LE(static_cast<double>(all.accused), false_positive_max * static_cast<double>(all.untouched));
}

INSTANTIATE_TEST_SUITE_P(NetworkWorlds, Planted, ::testing::ValuesIn(lab::network_mechanisms()), [](const auto& parameter) {
    std::string name = parameter.param;
    for (char& c : name)
        if (c == '-') c = '_';
    return name;
});

/// Hosts set up for other names, content networks, devices, portals, proxies of the users' own networks and load balancers, with a censor beside them and without.
TEST(NetworkWorlds, OddCertificatesAccuseNobody) {
    Counts all;
    std::uint64_t firm_alone = 0;
    for (const bool has_censor : {false, true})
        for (const double loss : {0.0, 0.03}) {
            lab::NetworkPlan plan;
            if (has_censor) plan.mechanisms = {{"tls-interception", 1'200}};
            plan.ordinary_flows = 1'500;
            plan.certificate_flows = 4'000;
            plan.loss = loss;
            plan.snap_bytes = 2'048;
            const auto world = lab::make_network_world(plan, 31);
            Seen seen;
            look_at(world, seen);
            const Counts counts = compare(world, seen);
            for (const auto& verdict : seen.book.verdicts()) firm_alone += verdict.is_firm && !has_censor;
            all.planted += counts.planted;
            all.found += counts.found;
            all.untouched += counts.untouched;
            all.accused += counts.accused;
        }
    fmt::print("odd certificates: found {}; accused {}; {} firm triggers without a censor\n", rate(all.found, all.planted), rate(all.accused, all.untouched), firm_alone);
    EXPECT_EQ(firm_alone, 0u);
    EXPECT_GE(static_cast<double>(all.found), recall_min * static_cast<double>(all.planted));
    EXPECT_LE(static_cast<double>(all.accused), false_positive_max * static_cast<double>(all.untouched));
}

TEST(NetworkWorlds, NullWorldStaysSilent) {
    ASSERT_EQ(instrument_under_test, "interference");
    std::uint64_t flows = 0;
    std::uint64_t accused = 0;
    std::uint64_t firm = 0;
    for (const double loss : {0.0, 0.01, 0.03, 0.05})
        for (const std::uint64_t seed : {1, 2}) {
            lab::NetworkPlan plan;
            plan.ordinary_flows = 10'000;
            plan.loss = loss;
            plan.failure_share = 0.2;
            const auto world = lab::make_network_world(plan, seed);
            Seen seen;
            look_at(world, seen);
            const Counts counts = compare(world, seen);
            flows += counts.untouched;
            accused += counts.accused;
            for (const auto& verdict : seen.book.verdicts()) firm += verdict.is_firm;
        }
    fmt::print("null: accused {}; {} firm triggers\n", rate(accused, flows), firm);
    EXPECT_EQ(firm, 0u);
    EXPECT_LE(static_cast<double>(accused), false_positive_max * static_cast<double>(flows));
}

}  // namespace
}  // namespace unveil
