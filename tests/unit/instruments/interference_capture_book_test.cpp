// Goal: a box that answers instead of the resolver is found by how soon and from where its answers come, and what merely answers soon is not accused.
// Method: lookups made by hand go into the book.
#include <gtest/gtest.h>

#include <algorithm>

#include "core/random.hpp"
#include "instruments/interference/capture_book.hpp"

namespace unveil {
namespace {

constexpr std::int64_t ms = 1'000'000;

class DnsRace : public ::testing::Test {
  protected:
    void lookup(const char* name, std::int64_t delay_ns, std::uint8_t ttl, std::uint32_t address) {
        FlowRecord flow;
        flow.client = ipv4_address(0x0A000001);
        flow.server = ipv4_address(0x08080808);
        flow.client_port = static_cast<std::uint16_t>(1000 + m_frame % 60'000);
        flow.server_port = 53;
        flow.protocol = 17;
        flow.kind = PayloadKind::dns;
        flow.is_answered = true;
        flow.name = m_names.number(name);
        flow.first_ns = flow.trigger_ns = m_begin_ns + static_cast<std::int64_t>(m_frame) * 100 * ms;
        flow.sign_ns = flow.trigger_ns + delay_ns;
        flow.frames = {m_frame, m_frame + 1, 0, 0};
        flow.answer_ttl = ttl;
        flow.forged_address = ipv4_address(address);
        m_frame += 2;
        m_flows.push_back(flow);
    }
    /// A connection over TLS to an address, which shows a certificate.
    void connection(const char* name, std::uint32_t address, bool is_for_name) {
        FlowRecord flow;
        flow.client = ipv4_address(0x0A000001);
        flow.server = ipv4_address(address);
        flow.server_port = 443;
        flow.protocol = 6;
        flow.kind = PayloadKind::tls;
        flow.has_handshake = flow.is_answered = true;
        flow.name = m_names.number(name);
        flow.frames = {m_frame, m_frame + 1, 0, 0};
        flow.certificate.leaf = 77;
        flow.certificate.is_for_name = is_for_name;
        m_frame += 2;
        m_flows.push_back(flow);
    }
    void others(int count, std::uint8_t ttl) {
        for (int i = 0; i < count; ++i) lookup(("site" + std::to_string(i % 8) + ".example").c_str(), (20 + i % 7) * ms, ttl, 0xC6336401u + static_cast<std::uint32_t>(i % 8));
    }
    std::vector<MechanismVerdict> verdicts() {
        CaptureBook book(built_in_facts(), m_names, {});
        for (const FlowRecord& flow : m_flows) book.add(flow);
        book.judge();
        return book.verdicts();
    }

    NameBook m_names;
    std::uint64_t m_frame = 1;
    std::int64_t m_begin_ns = 0;
    std::vector<FlowRecord> m_flows;
};

TEST_F(DnsRace, OneAddressForTwoOwnersFromNearerByIsFirm) {
    others(40, 56);
    for (int i = 0; i < 4; ++i) lookup("banned.test", 4 * ms, 61, 0x2E523B01);
    for (int i = 0; i < 4; ++i) lookup("news.invalid", 5 * ms, 61, 0x2E523B01);
    const auto found = verdicts();
    ASSERT_EQ(found.size(), 2u);
    for (const auto& verdict : found) {
        EXPECT_EQ(verdict.mechanism, Mechanism::dns_injection);
        EXPECT_TRUE(verdict.is_firm);
        EXPECT_EQ(verdict.flows, 4u);
    }
    EXPECT_EQ(found[0].trigger, "banned.test");
    EXPECT_EQ(found[1].trigger, "news.invalid");
}

TEST_F(DnsRace, AnAddressThatShowsTheNamesCertificateIsNotCalledFalse) {
    for (const bool is_for_name : {true, false}) {
        m_flows.clear();
        others(40, 56);
        for (int i = 0; i < 4; ++i) lookup("banned.test", 4 * ms, 61, 0x2E523B01);
        for (int i = 0; i < 4; ++i) lookup("news.invalid", 5 * ms, 61, 0x2E523B01);
        connection("banned.test", 0x2E523B01, is_for_name);
        const auto found = verdicts();
        ASSERT_EQ(found.size(), 2u);
        EXPECT_EQ(found[0].trigger, "banned.test");
        EXPECT_EQ(found[0].is_firm, !is_for_name);
        EXPECT_EQ(found[0].alternative, is_for_name ? "an address that is the name's own: it showed a certificate for the name" : "");
        EXPECT_TRUE(found[1].is_firm) << "the certificate was not shown for it";
        const std::string wanted = is_for_name ? "showed 1 certificates for the name and 0 for others" : "showed 0 certificates for the name and 1 for others";
        EXPECT_NE(found[0].alternatives[static_cast<std::size_t>(Alternative::host)].evidence.find(wanted), std::string::npos);
    }
}

TEST_F(DnsRace, NamesOfOneOwnerMayHaveANearerServer) {
    others(40, 56);
    for (int i = 0; i < 4; ++i) lookup("router.home.test", 1 * ms, 64, 0x2E523B01);
    for (int i = 0; i < 4; ++i) lookup("www.home.test", 1 * ms, 64, 0x2E523B01);
    const auto found = verdicts();
    ASSERT_EQ(found.size(), 2u);
    EXPECT_FALSE(found[0].is_firm);
    EXPECT_EQ(found[0].alternative, "a nearer name server that knows this name");
}

TEST_F(DnsRace, PrivateAddressesAreARoutersOwn) {
    others(40, 56);
    for (int i = 0; i < 4; ++i) lookup("fritz.box", 1 * ms, 64, 0xC0A8B201);
    for (int i = 0; i < 4; ++i) lookup("router.test", 1 * ms, 64, 0xC0A8B201);
    for (const auto& verdict : verdicts()) EXPECT_FALSE(verdict.is_firm);
}

TEST_F(DnsRace, AListedAddressAloneIsNeverEnough) {
    others(40, 56);
    for (int i = 0; i < 6; ++i) lookup("banned.test", 20 * ms, 56, 0x0A0A2222);
    EXPECT_TRUE(verdicts().empty()) << "the list is of later years";
    m_begin_ns = 1'715'731'200'000 * ms;
    for (int i = 0; i < 6; ++i) lookup("banned.test", 20 * ms, 56, 0x0A0A2222);
    const auto found = verdicts();
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].trigger, "banned.test");
    EXPECT_EQ(found[0].flows, 6u);
    EXPECT_FALSE(found[0].is_firm);
}

TEST_F(DnsRace, WhatTheResolverHasAtHandIsNoSign) {
    others(40, 56);
    for (int i = 0; i < 6; ++i) lookup("cached.example", 2 * ms, 56, 0xC6336460);
    EXPECT_TRUE(verdicts().empty());
}

TEST_F(DnsRace, OneSlowAnswerOrTooFewDecideNothing) {
    others(40, 56);
    for (int i = 0; i < 4; ++i) lookup("banned.test", (i == 2 ? 23 : 4) * ms, 61, 0x2E523B01);
    for (int i = 0; i < 2; ++i) lookup("news.invalid", 4 * ms, 61, 0x2E523B01);
    EXPECT_TRUE(verdicts().empty());
}

TEST_F(DnsRace, FewOtherAnswersDecideNothing) {
    others(12, 56);
    for (int i = 0; i < 4; ++i) lookup("banned.test", 4 * ms, 61, 0x2E523B01);
    for (int i = 0; i < 4; ++i) lookup("news.invalid", 5 * ms, 61, 0x2E523B01);
    EXPECT_TRUE(verdicts().empty());
}

TEST_F(DnsRace, ResolversWithoutABoxAreNeverAccused) {
    Random random(11);
    std::size_t accused = 0;
    for (int world = 0; world < 300; ++world) {
        m_flows.clear();
        m_frame = 1;
        const bool is_anycast = world % 2 == 1;
        for (int i = 0; i < 80; ++i) {
            const auto name = "site" + std::to_string(random.below(12)) + ".example";
            const auto ttl = static_cast<std::uint8_t>(is_anycast && random.chance(0.3) ? 61 : 56);
            lookup(name.c_str(), static_cast<std::int64_t>(1 + random.below(40)) * ms, ttl, 0xC6336400u + static_cast<std::uint32_t>(random.below(3)));
        }
        accused += !verdicts().empty();
    }
    EXPECT_EQ(accused, 0u);
}

}  // namespace
}  // namespace unveil
