// Goal: the facts that detectors go by can be checked by a reader, and a broken file of facts is named. Method: every fact of the built-in file is
// walked; broken copies of it are parsed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "instruments/interference/facts.hpp"
#include "instruments/interference/reset_class.hpp"
#include "statistics/proportion.hpp"

namespace unveil {
namespace {

using ::testing::HasSubstr;

TEST(InterferenceFacts, EachHasASourceAndNoneIsFromMemory) {
    const InterferenceFacts& facts = built_in_facts();
    ASSERT_GE(facts.reset_classes.size(), 4u);
    ASSERT_GE(facts.dns_classes.size(), 3u);
    for (const auto& fact : facts.reset_classes) {
        EXPECT_GT(fact.source.size(), 20u) << fact.name;
        EXPECT_NE(fact.mark, FactMark::remembered) << fact.name;
        EXPECT_LE(fact.ttl_min, fact.ttl_max);
        EXPECT_LE(fact.ip_id_min, fact.ip_id_max);
        EXPECT_LE(fact.copies_min, fact.copies_max);
    }
    for (const auto& fact : facts.dns_classes) EXPECT_NE(fact.mark, FactMark::remembered) << fact.name;
    ASSERT_FALSE(facts.dns_pools.empty());
    for (const auto& fact : facts.dns_pools) {
        EXPECT_NE(fact.mark, FactMark::remembered) << fact.name;
        EXPECT_LE(fact.from, fact.to) << fact.name;
        EXPECT_EQ(fact.first.size(), 7u) << fact.name;
        EXPECT_TRUE(fact.last.empty() || fact.last >= fact.first) << fact.name;
    }
    for (const auto& fact : facts.syn_ack_payloads) EXPECT_NE(fact.mark, FactMark::remembered) << fact.name;
    for (const auto& rate : facts.rates) {
        EXPECT_GT(rate.source.size(), 20u) << rate.name;
        // What is assumed may only make findings weaker, and says so.
        if (rate.mark == FactMark::remembered) EXPECT_THAT(rate.source, HasSubstr("only makes p-values larger")) << rate.name;
    }
    const auto misread = std::find_if(facts.base_rates.begin(), facts.base_rates.end(), [](const auto& rate) { return rate.name == "measurement_misread"; });
    ASSERT_NE(misread, facts.base_rates.end());
    EXPECT_GE(facts.rate("measurement_error_share_max").value, clopper_pearson_interval(misread->hits, misread->trials).high);
    EXPECT_NE(facts.rate("measurement_error_share_max").mark, FactMark::remembered);
    EXPECT_THROW(facts.rate("none"), Error);
    for (const auto& rate : facts.base_rates) {
        EXPECT_GT(rate.trials, 0u) << rate.name;
        EXPECT_LE(rate.hits, rate.trials) << rate.name;
    }
}

TEST(InterferenceFacts, PoolsHaveTheirTime) {
    InterferenceFacts facts = built_in_facts();
    constexpr std::int64_t second_ns = 1'000'000'000;
    constexpr std::int64_t december_2022 = 1'671'062'400 * second_ns, april_2024 = 1'713'139'200 * second_ns, may_2024 = 1'715'731'200 * second_ns;
    const IpAddress inside = ipv4_address(0x0A0A2223);
    ASSERT_NE(dns_pool_of(facts, inside, may_2024), nullptr);
    EXPECT_EQ(dns_pool_of(facts, inside, may_2024)->name, "iran");
    EXPECT_EQ(dns_pool_of(facts, inside, december_2022), nullptr);
    EXPECT_EQ(dns_pool_of(facts, ipv4_address(0x0A0A2225), may_2024), nullptr);
    facts.dns_pools[0].last = "2024-04";
    EXPECT_EQ(dns_pool_of(facts, inside, may_2024), nullptr);
    EXPECT_NE(dns_pool_of(facts, inside, april_2024), nullptr);
}

std::string changed(std::string_view from, std::string_view to) {
    std::string text(built_in_facts_json());
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
}

std::string fault_of(const std::string& json) {
    try {
        parse_facts(json);
    } catch (const Error& error) {
        return error.what();
    }
    return "none";
}

TEST(InterferenceFacts, BrokenFilesAreNamedAtTheFact) {
    EXPECT_THAT(fault_of(changed("\"mark\": \"R\"", "\"mark\": \"X\"")), HasSubstr("reset_classes[0]"));
    EXPECT_THAT(fault_of(changed("\"ttl_min\": 55", "\"ttl_min\": 555")), HasSubstr("'ttl_min' is above 255"));
    EXPECT_THAT(fault_of(changed("\"date\": \"2025-05\"", "\"date\": \"lately\"")), HasSubstr("has no date"));
    EXPECT_THAT(fault_of(changed("\"payload\": \"01020304050607080900\"", "\"payload\": \"0102030405060708090\"")), HasSubstr("no bytes in hex"));
    EXPECT_THAT(fault_of(changed("\"base_rates\"", "\"rates\"")), HasSubstr("no list 'base_rates'"));
    EXPECT_THAT(fault_of(changed("\"value\": 0.2", "\"value\": 2")), HasSubstr("rates[0]: 'value' is not from 0 to 1"));
    EXPECT_THAT(fault_of(changed("\"value\": 0.2", "\"value\": \"much\"")), HasSubstr("'value' is not a number"));
    EXPECT_THAT(fault_of(changed("\"first\": \"2023-03\"", "\"first\": \"March\"")), HasSubstr("no month"));
    EXPECT_THAT(fault_of(changed("\"from\": \"10.10.34.34\"", "\"from\": \"10.10.34\"")), HasSubstr("no address"));
    EXPECT_THAT(fault_of("[]"), HasSubstr("no list"));
    EXPECT_EQ(fault_of(std::string(built_in_facts_json())), "none");
}

ResetPacket reset(std::uint8_t ttl, std::uint16_t ip_id, bool has_df, bool has_ack, std::uint16_t window = 0) {
    ResetPacket packet;
    packet.ttl = ttl;
    packet.ip_id = ip_id;
    packet.has_df = has_df;
    packet.has_ack = has_ack;
    packet.window = window;
    return packet;
}

HostTraits host(std::uint8_t ttl) {
    HostTraits traits;
    traits.is_known = true;
    traits.ttl = traits.ttl_low = traits.ttl_high = ttl;
    traits.has_df = true;
    return traits;
}

TEST(JudgeResets, ThePublishedClassesAreFirmAndAHostsOwnIsNot) {
    const auto& facts = built_in_facts();
    const ResetContext after_trigger{.is_after_trigger = true};
    std::vector<ResetPacket> three(3, reset(128, 0x1234, true, true, 1503));
    for (std::size_t i = 0; i < three.size(); ++i) three[i].time_ns = static_cast<std::int64_t>(i) * 120'000;
    const ResetVerdict second = judge_resets(three, host(44), after_trigger, facts);
    EXPECT_EQ(second.box_class, "gfw-2");
    EXPECT_EQ(second.copies, 3u);
    EXPECT_GT(second.log_likelihood_ratio, 11);
    const std::vector<ResetPacket> first = {reset(90, 0, false, false)};
    EXPECT_EQ(judge_resets(first, host(44), after_trigger, facts).box_class, "gfw-1");
    EXPECT_GT(judge_resets(first, host(44), after_trigger, facts).log_likelihood_ratio, 11);
    std::vector<ResetPacket> henan = {reset(58, 1, false, true)};
    henan[0].payload_bytes = 10;
    henan[0].payload_fact = 4;
    EXPECT_EQ(judge_resets(henan, host(58), after_trigger, facts).box_class, "henan");
    EXPECT_GT(judge_resets(henan, host(58), after_trigger, facts).log_likelihood_ratio, 11);
    // The host's own, and one whose TTL is odd and nothing else: 1 of 901 in ordinary captures.
    const std::vector<ResetPacket> own = {reset(44, 0, true, false)};
    EXPECT_LT(judge_resets(own, host(44), after_trigger, facts).log_likelihood_ratio, 0);
    const std::vector<ResetPacket> odd = {reset(61, 0, true, false)};
    const ResetVerdict alone = judge_resets(odd, host(44), after_trigger, facts);
    EXPECT_TRUE(alone.box_class.empty());
    EXPECT_LT(alone.log_likelihood_ratio, 11);
}

}  // namespace
}  // namespace unveil
