// Goal: what hosts, resolvers and captures do by themselves accuses nobody, and what looks like it but is a box's is still found. Method: connections
// written packet by packet, and records of connections, go through the same watch and judgement as the command; other sites are fine meanwhile.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <deque>
#include <map>
#include <optional>

#include "core/random.hpp"
#include "instruments/interference/capture_book.hpp"
#include "instruments/interference/capture_watch.hpp"
#include "lab/network_packets.hpp"

namespace unveil {
namespace {

using lab::tcp_bit::ack;
using lab::tcp_bit::fin;
using lab::tcp_bit::psh;
using lab::tcp_bit::rst;
using lab::tcp_bit::syn;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::uint32_t client_address = 0xC0A80105;
constexpr std::uint8_t server_ttl = 50;

struct Frames {
    struct Item {
        double seconds = 0;
        std::string bytes;
    };
    std::deque<Item> items;
    bool is_doubled = false;   // as a mirror port gives them

    void add(double seconds, std::string bytes) {
        if (is_doubled) items.push_back({seconds + 2e-6, bytes});
        items.push_back({seconds, std::move(bytes)});
    }
};

lab::IpFields ip(bool is_from_client, std::uint32_t server, std::uint8_t ttl, std::uint16_t id = 0) {
    lab::IpFields fields;
    fields.from = lab::wire_v4(is_from_client ? client_address : server);
    fields.to = lab::wire_v4(is_from_client ? server : client_address);
    fields.ttl = ttl;
    fields.id = id;
    fields.dont_fragment = true;
    return fields;
}

/// One TCP connection, said step by step.
class Connection {
  public:
    Connection(Frames& frames, double seconds, std::uint32_t server, std::uint16_t server_port) : m_frames(frames), m_now(seconds), m_server(server), m_server_port(server_port) {
        static std::uint16_t port = 40'000;
        m_client_port = port = port < 60'000 ? static_cast<std::uint16_t>(port + 1) : std::uint16_t{40'000};
    }
    Connection& wait(double seconds) {
        m_now += seconds;
        return *this;
    }
    Connection& from_client(std::uint8_t flags, std::string_view text = "") {
        send(true, flags, text, m_mine, (flags & ack) != 0 ? m_theirs : 0, 64);
        m_mine += static_cast<std::uint32_t>(text.size()) + ((flags & (syn | fin)) != 0);
        return *this;
    }
    Connection& from_server(std::uint8_t flags, std::string_view text = "") {
        send(false, flags, text, m_theirs, m_mine, m_ttl);
        m_theirs += static_cast<std::uint32_t>(text.size()) + ((flags & (syn | fin)) != 0);
        return *this;
    }
    /// What may have to be sent again.
    Connection& again(std::uint8_t flags, std::string_view text = "") {
        send(true, flags, text, m_mine, (flags & ack) != 0 ? m_theirs : 0, 64);
        return *this;
    }
    /// In the server's name, and not counted on.
    Connection& forged(std::uint8_t flags, std::uint8_t ttl, std::uint16_t id, std::int32_t sequence_offset = 0) {
        send(false, flags, "", m_theirs + static_cast<std::uint32_t>(sequence_offset), m_mine, ttl, id);
        return *this;
    }
    Connection& from_server_again(std::uint8_t flags, std::string_view text) {
        send(false, flags, text, m_theirs - static_cast<std::uint32_t>(text.size()), m_mine, server_ttl);
        return *this;
    }
    /// What the client sent last, once more.
    Connection& repeat(std::uint8_t flags, std::string_view text) {
        send(true, flags, text, m_mine - static_cast<std::uint32_t>(text.size()), m_theirs, 64);
        return *this;
    }
    /// In the client's name, and not counted on.
    Connection& forged_to_server(std::uint8_t flags, std::uint8_t ttl, std::uint16_t id) {
        send(true, flags, "", m_mine, m_theirs, ttl, id);
        return *this;
    }
    Connection& open() { return from_client(syn).wait(0.05).from_server(syn | ack).from_client(ack).wait(0.001); }
    Connection& answer(std::string_view bytes) {
        wait(0.05);
        constexpr std::size_t segment_bytes = 1400;
        for (std::size_t at = 0; at < bytes.size(); at += segment_bytes) wait(0.001).from_server(ack | psh, bytes.substr(at, segment_bytes)).from_client(ack);
        return *this;
    }
    /// From another distance than the server's.
    Connection& answer_elsewhere(std::string_view bytes, std::uint8_t ttl) {
        m_ttl = ttl;
        answer(bytes);
        m_ttl = server_ttl;
        return *this;
    }
    Connection& close() { return wait(0.01).from_server(fin | ack).from_client(fin | ack).wait(0.05).from_server(ack); }

  private:
    void send(bool is_from_client, std::uint8_t flags, std::string_view text, std::uint32_t sequence, std::uint32_t acknowledged, std::uint8_t ttl, std::uint16_t id = 0) {
        lab::TcpFields tcp;
        tcp.from_port = is_from_client ? m_client_port : m_server_port;
        tcp.to_port = is_from_client ? m_server_port : m_client_port;
        tcp.seq = sequence;
        tcp.ack = acknowledged;
        tcp.flags = flags;
        tcp.window = 64'000;
        std::string bytes;
        lab::append_tcp_frame(bytes, ip(is_from_client, m_server, ttl, id), tcp, text);
        m_frames.add(m_now, std::move(bytes));
        m_now += 1e-5;
    }
    Frames& m_frames;
    double m_now;
    std::uint32_t m_server;
    std::uint16_t m_server_port;
    std::uint16_t m_client_port;
    std::uint8_t m_ttl = server_ttl;
    std::uint32_t m_mine = 1000;
    std::uint32_t m_theirs = 5000;
};

std::string hello(std::string_view name) {
    Random random(3);
    return lab::tls_client_hello({.server_name = name}, random);
}
std::string records(std::size_t bytes) {
    std::string out;
    for (; bytes > 0; bytes -= std::min<std::size_t>(bytes, 16'384)) {
        const std::size_t record = std::min<std::size_t>(bytes, 16'384);
        out += lab::tls_application_header(record) + std::string(record, 'x');
    }
    return out;
}
/// A certificate for one name, or for itself.
std::string leaf_for(const std::string& name, std::string_view issuer = "Server CA 2", std::string_view organisation = "Public Key Works") {
    Random random(5);
    return lab::certificate_der({organisation, issuer, name, std::span(&name, 1)}, random);
}
std::string self_signed(const std::string& name) {
    Random random(6);
    return lab::certificate_der({"", name, name, {}}, random);
}
std::string flight(const std::string& leaf, const std::string& signer = "Root") {
    Random random(7);
    const std::vector<std::string> chain = {leaf, lab::certificate_der({"", signer, "Server CA 2", {}}, random)};
    return lab::tls12_server_flight(chain, 3'600, random) + records(2'000);
}
const std::vector<std::string> banned = {"www.banned.example", "news.forbidden.test", "chat.closed.invalid"};

std::uint32_t site(int i) { return 0x68100001u + static_cast<std::uint32_t>(i % 5); }

/// The same, each in a network of its own.
std::uint32_t far_site(int i) { return site(i) + 0x10000u * static_cast<std::uint32_t>(i % 5); }

class Accusations : public ::testing::Test {
  protected:
    /// Sites that are fine, behind the same addresses.
    void ordinary(int count, std::size_t bytes = 3000, std::uint32_t (*place)(int) = site) {
        for (int i = 0; i < count; ++i)
            Connection(frames, 1 + 1.5 * i, place(i), 443).open().from_client(ack | psh, hello("fine" + std::to_string(i % 5) + ".example")).answer(records(bytes)).close();
    }
    void dns(double seconds, std::uint16_t id, bool is_answer, const std::string& payload, std::uint8_t ttl = 57) {
        std::string bytes;
        const auto port = static_cast<std::uint16_t>(50'000 + id);
        lab::append_udp_frame(bytes, ip(!is_answer, 0x09090909, is_answer ? ttl : 64), is_answer ? 53 : port, is_answer ? port : 53, payload);
        frames.add(seconds, std::move(bytes));
    }
    std::string answer(std::uint16_t id, std::string_view name, std::uint32_t address, std::uint16_t flags = 0x8180) {
        const lab::WireAddress wire = lab::wire_v4(address);
        lab::DnsAnswerFields fields;
        fields.id = id;
        fields.flags = flags;
        fields.name = name;
        if (address != 0) fields.addresses = {&wire, 1};
        return lab::dns_answer(fields);
    }

    const std::vector<MechanismVerdict>& judged() {
        std::stable_sort(frames.items.begin(), frames.items.end(), [](const auto& a, const auto& b) { return a.seconds < b.seconds; });
        CaptureWatch watch(built_in_facts(), *names, {[&](const FlowRecord& flow) { book->add(flow); }, [&](const RateRecord& rate) { book->add(rate); }});
        std::vector<Frame> batch;
        for (const auto& item : frames.items) {
            Frame frame;
            frame.number = batch.size() + 1;
            frame.time_ns = static_cast<std::int64_t>(item.seconds * 1e9);
            frame.bytes_original = static_cast<std::uint32_t>(item.bytes.size());
            frame.link_type = 1;
            frame.bytes = {reinterpret_cast<const std::uint8_t*>(item.bytes.data()), item.bytes.size()};
            batch.push_back(frame);
        }
        watch.add(batch);
        watch.finish();
        counts = watch.counts();
        if (unsent_flags != 0) {
            constexpr std::size_t flags_at = 14 + 20 + 13;
            std::vector<Locator> unsent;
            for (const Frame& frame : batch)
                if ((frame.bytes[flags_at] & unsent_flags) != 0) unsent.push_back({0, frame.number});
            book->note_unsent(unsent, 8);
        }
        book->judge();
        return book->verdicts();
    }

    void SetUp() override {
        frames = {};
        names.emplace();
        book.emplace(built_in_facts(), *names, CaptureBook::Limits{});
    }

    Frames frames;
    std::optional<NameBook> names;
    std::optional<CaptureBook> book;
    CaptureCounts counts;
    std::uint8_t unsent_flags = 0;   // with such, packets count as never sent by the other end
};

TEST_F(Accusations, AConnectionThatIsAskedNowAndThenIsNotSlow) {
    ordinary(60, 60'000);
    for (int i = 0; i < 10; ++i) {
        Connection polled(frames, 2 + i, site(i), 443);
        polled.open().from_client(ack | psh, hello("polled.example")).answer(records(7000));
        for (int poll = 0; poll < 12; ++poll) polled.wait(5).from_client(ack | psh, records(300)).answer(records(7000));
        polled.close();
    }
    EXPECT_THAT(judged(), IsEmpty());
}

TEST_F(Accusations, WhoIsDoneMayResetLater) {
    ordinary(60);
    const std::string whole = "HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + std::string(2000, 'x');
    for (int i = 0; i < 10; ++i) {
        Connection(frames, 2 + 9 * i, site(i), 80).open().from_client(ack | psh, lab::http_request("done.example", "/")).answer(whole).wait(10).from_client(rst | ack);
        Connection(frames, 3 + 9 * i, site(i), 443).open().from_client(ack | psh, hello("done.example")).answer(records(2000)).wait(10).from_client(rst | ack);
    }
    EXPECT_THAT(judged(), IsEmpty());
}

TEST_F(Accusations, WhoWaitedInVainForTheRestSawAFreeze) {
    ordinary(60);
    const std::string part = "HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + std::string(17'000, 'x');
    for (int i = 0; i < 10; ++i) {
        Connection(frames, 2 + 9 * i, site(i), 80).open().from_client(ack | psh, lab::http_request("frozen.example", "/")).answer(part).wait(10).from_client(rst | ack);
        Connection(frames, 3 + 9 * i, site(i), 443).open().from_client(ack | psh, hello("frozen.example")).answer(records(40'000).substr(0, 17'000)).wait(10).from_client(rst | ack);
    }
    ASSERT_THAT(judged(), SizeIs(1));
    EXPECT_EQ(book->verdicts()[0].mechanism, Mechanism::freeze);
    EXPECT_EQ(book->verdicts()[0].flows, 20u);
    EXPECT_TRUE(book->verdicts()[0].is_firm);
}

TEST_F(Accusations, WhoAsksTwiceMayHearTwoAnswers) {
    for (std::uint16_t i = 0; i < 6; ++i) {
        const double at = 1 + 20.0 * i;
        for (const double again : {0.0, 1.0}) dns(at + again, i, false, lab::dns_query(i, "www.bigcdn.example", lab::dns_type_a, false));
        dns(at + 1.2, i, true, answer(i, "www.bigcdn.example", 0x97650101u + i));
        dns(at + 2.2, i, true, answer(i, "www.bigcdn.example", 0x97654101u + i));
    }
    EXPECT_THAT(judged(), IsEmpty());
}

TEST_F(Accusations, AResolverThatFailsFirstIsNoBox) {
    for (std::uint16_t i = 0; i < 6; ++i) {
        const double at = 1 + 20.0 * i;
        dns(at, i, false, lab::dns_query(i, "slow.example", lab::dns_type_a, false));
        dns(at + 0.2, i, true, answer(i, "slow.example", 0, 0x8182));
        dns(at + 4, i, true, answer(i, "slow.example", 0xCB007109));
    }
    EXPECT_THAT(judged(), IsEmpty());
}

TEST_F(Accusations, SecondAnswersOfOneDistanceAreABoxOnlyWhereOthersHaveNone) {
    const auto look_up = [&](std::uint16_t id, const std::string& name, bool is_twice) {
        dns(1 + id, id, false, lab::dns_query(id, name, lab::dns_type_a, false));
        dns(1.02 + id, id, true, answer(id, name, 0xCB007101));
        if (is_twice) dns(1.03 + id, id, true, answer(id, name, 0xC6336401));
    };
    for (std::uint16_t i = 0; i < 8; ++i) look_up(i, "twice.example", true);
    ASSERT_THAT(judged(), SizeIs(1));
    EXPECT_FALSE(book->verdicts()[0].is_firm) << "nothing else was looked up";
}

TEST_F(Accusations, SecondAnswersOfOneNameAloneAreABox) {
    for (std::uint16_t i = 0; i < 60; ++i) {
        const bool is_asked = i % 6 == 0;
        const std::string name = is_asked ? "twice.example" : "fine" + std::to_string(i % 7) + ".example";
        dns(1 + i, i, false, lab::dns_query(i, name, lab::dns_type_a, false));
        dns(1.02 + i, i, true, answer(i, name, 0xCB007101));
        if (is_asked) dns(1.03 + i, i, true, answer(i, name, 0xC6336401));
    }
    ASSERT_THAT(judged(), SizeIs(1));
    EXPECT_TRUE(book->verdicts()[0].is_firm);
    EXPECT_EQ(book->verdicts()[0].trigger, "twice.example");
}

TEST_F(Accusations, TwoMachinesMayAnswerASynThatIsSentTwice) {
    ordinary(30);
    for (int i = 0; i < 6; ++i)
        Connection(frames, 2 + 9 * i, site(i), 443).from_client(syn).wait(0.2).forged(syn | ack, server_ttl + 4, 0, -900).wait(0.8)
            .forged(syn | ack, server_ttl + 4, 0, -900).from_server(syn | ack).from_client(ack);
    for (const auto& verdict : judged()) EXPECT_FALSE(verdict.is_firm);
}

TEST_F(Accusations, CopiesInACaptureAreNoBursts) {
    const auto reset_by_host = [&](std::string_view name) {
        for (int i = 0; i < 20; ++i)
            Connection(frames, 2 + 9 * i, site(i), 443).open().from_client(ack | psh, hello(name)).wait(0.05).forged(rst | ack, server_ttl, 0x4711);
    };
    frames.is_doubled = true;
    ordinary(100);
    reset_by_host("refused.example");
    ASSERT_THAT(judged(), SizeIs(1));
    EXPECT_FALSE(book->verdicts()[0].is_firm);
    EXPECT_EQ(book->verdicts()[0].alternative, "the host itself, which refuses this name");
    EXPECT_GT(counts.copies, 500u);
}

TEST_F(Accusations, BurstsOfABoxAreNoCopies) {
    ordinary(100);
    for (int i = 0; i < 20; ++i) {
        Connection talk(frames, 2 + 9 * i, site(i), 443);
        talk.open().from_client(ack | psh, hello("blocked.example")).wait(0.01);
        for (int copy = 0; copy < 3; ++copy) talk.forged(rst | ack, server_ttl + 30, 0x1234);
    }
    ASSERT_THAT(judged(), SizeIs(1));
    EXPECT_TRUE(book->verdicts()[0].is_firm);
    EXPECT_EQ(book->verdicts()[0].layer, "tls");
    EXPECT_EQ(counts.copies, 0u);
}

TEST_F(Accusations, LayersAreWhatTheClientSpoke) {
    ordinary(60);
    const std::string query = lab::dns_query(7, "blocked.example", lab::dns_type_a, false);
    const std::string over_tcp = std::string{'\0', static_cast<char>(query.size())} + query;
    for (int i = 0; i < 10; ++i) {
        Connection(frames, 2 + 9 * i, site(i), 80).open().from_client(ack | psh, lab::http_request("host.example", "/")).wait(0.01).forged(rst | ack, 110, 0x4711);
        Connection(frames, 3 + 9 * i, site(i), 53).open().from_client(ack | psh, over_tcp).wait(0.01).forged(rst | ack, 110, 0x4711);
    }
    ASSERT_THAT(judged(), SizeIs(2));
    EXPECT_EQ(book->verdicts()[0].trigger, "blocked.example");
    EXPECT_EQ(book->verdicts()[0].layer, "dns");
    EXPECT_EQ(book->verdicts()[1].trigger, "host.example");
    EXPECT_EQ(book->verdicts()[1].layer, "http");
    for (const auto& verdict : book->verdicts()) EXPECT_TRUE(verdict.is_firm);
}

TEST_F(Accusations, AnEndWithoutAWordFromElsewhereIsASign) {
    ordinary(60);
    for (int i = 0; i < 20; ++i) Connection(frames, 2 + 9 * i, site(i), 443).open().from_client(ack | psh, hello("ended.example")).wait(0.01).forged(fin | ack, 83, 0x4711);
    ASSERT_THAT(judged(), SizeIs(1));
    EXPECT_EQ(book->verdicts()[0].mechanism, Mechanism::reset_injection);
    EXPECT_TRUE(book->verdicts()[0].is_firm);
}

TEST_F(Accusations, AddressesThatNobodyReachesAreToldAndNotAccused) {
    ordinary(60);
    for (int i = 0; i < 20; ++i) {
        Connection silent(frames, 2 + 9 * i, 0x1F0D4023, 443);
        for (const double pause : {1.0, 2.0, 4.0}) silent.again(syn).wait(pause);
        Connection(frames, 3 + 9 * i, 0x1F0D4024, 443).from_client(syn).wait(0.05).forged(rst | ack, server_ttl, 0);
    }
    ASSERT_THAT(judged(), SizeIs(2));
    EXPECT_EQ(book->verdicts()[0].mechanism, Mechanism::syn_drop);
    EXPECT_EQ(book->verdicts()[0].trigger, "31.13.64.35");
    EXPECT_EQ(book->verdicts()[0].alternative, "a host that is down");
    EXPECT_EQ(book->verdicts()[1].mechanism, Mechanism::syn_reset);
    EXPECT_EQ(book->verdicts()[1].trigger, "31.13.64.36");
    EXPECT_EQ(book->verdicts()[1].alternative, "a closed port");
    for (const auto& verdict : book->verdicts()) {
        EXPECT_FALSE(verdict.is_firm);
        EXPECT_EQ(verdict.flows, 20u);
        EXPECT_EQ(verdict.exposed, 20u);
    }
}

TEST_F(Accusations, WhatTheOtherEndNeverSentIsNotTheHosts) {
    ordinary(100);
    for (int i = 0; i < 20; ++i) Connection(frames, 2 + 9 * i, site(i), 443).open().from_client(ack | psh, hello("blocked.example")).wait(0.05).forged(rst | ack, server_ttl, 0);
    unsent_flags = rst;
    ASSERT_THAT(judged(), SizeIs(1));
    EXPECT_TRUE(book->verdicts()[0].is_firm);
}

TEST_F(Accusations, OneCertificateFromElsewhereForNamesOfManyOwnersIsAnothers) {
    ordinary(60, 3000, far_site);
    for (int i = 0; i < 18; ++i) Connection(frames, 2 + 4 * i, far_site(i), 443).open().from_client(ack | psh, hello(banned[i % 3])).answer_elsewhere(flight(self_signed("gate.invalid")), 58).close();
    ASSERT_THAT(judged(), SizeIs(3));
    for (const auto& verdict : book->verdicts()) {
        EXPECT_EQ(verdict.mechanism, Mechanism::tls_interception);
        EXPECT_TRUE(verdict.is_firm) << verdict.trigger << ": " << verdict.alternative;
        EXPECT_EQ(verdict.flows, 6u);
        EXPECT_EQ(verdict.layer, "tls");
        EXPECT_EQ(verdict.direction, "server-to-client");
        EXPECT_EQ(verdict.box_class, "unknown");
        EXPECT_THAT(verdict.alternatives[static_cast<std::size_t>(Alternative::host)].evidence, ::testing::HasSubstr("not for the name, signed by itself; 18 answers show this signer, 18 of them"));
    }
}

TEST_F(Accusations, CertificatesForTheNamesThatOneStrangerSignsAreAnothers) {
    ordinary(60, 3000, far_site);
    for (int i = 0; i < 18; ++i) Connection(frames, 2 + 4 * i, far_site(i), 443).open().from_client(ack | psh, hello(banned[i % 3])).answer_elsewhere(flight(leaf_for(banned[i % 3], "Gateway CA", "Gateway")), 58).close();
    ASSERT_THAT(judged(), SizeIs(3));
    for (const auto& verdict : book->verdicts()) EXPECT_TRUE(verdict.is_firm) << verdict.trigger << ": " << verdict.alternative;
}

TEST_F(Accusations, WhoeverSignsForAnybodyAndServesFromElsewhereIsABalancer) {
    ordinary(60, 3000, far_site);
    for (int i = 0; i < 12; ++i) {
        const std::string fine = "fine" + std::to_string(i % 5) + ".example";
        Connection(frames, 2 + 4 * i, far_site(i), 443).open().from_client(ack | psh, hello(banned[i % 3])).answer_elsewhere(flight(leaf_for(banned[i % 3])), 58).close();
        Connection(frames, 3 + 4 * i, far_site(i), 443).open().from_client(ack | psh, hello(fine)).answer(flight(leaf_for(fine))).close();
    }
    EXPECT_THAT(judged(), IsEmpty());
}

TEST_F(Accusations, ADefaultCertificateFromTheHostsDistanceIsNeverFirm) {
    ordinary(60);
    for (int i = 0; i < 18; ++i) Connection(frames, 2 + 4 * i, site(i), 443).open().from_client(ack | psh, hello(banned[i % 3])).answer(flight(leaf_for("edge.content.example"))).close();
    // The five addresses are of one network here, so that nothing is said at all; at other networks it is told.
    EXPECT_THAT(judged(), IsEmpty());
    SetUp();
    ordinary(60);
    for (int i = 0; i < 18; ++i) Connection(frames, 2 + 4 * i, far_site(i), 443).open().from_client(ack | psh, hello(banned[i % 3])).answer(flight(leaf_for("edge.content.example"))).close();
    ASSERT_THAT(judged(), SizeIs(3));
    for (const auto& verdict : book->verdicts()) {
        EXPECT_FALSE(verdict.is_firm);
        EXPECT_EQ(verdict.alternative, "hosts that are set up for other names, such as a content network's");
        EXPECT_EQ(verdict.alternatives[static_cast<std::size_t>(Alternative::host)].standing, AlternativeTest::Standing::not_testable);
    }
}

TEST_F(Accusations, AProxyThatSignsNearlyEverythingIsTheUsersOwn) {
    for (int i = 0; i < 40; ++i) Connection(frames, 1 + 1.5 * i, far_site(i), 443).open().from_client(ack | psh, hello("fine" + std::to_string(i % 2) + ".example")).answer(records(3000)).close();
    for (int i = 0; i < 18; ++i) Connection(frames, 2 + 4 * i, far_site(i), 443).open().from_client(ack | psh, hello(banned[i % 3])).answer_elsewhere(flight(leaf_for(banned[i % 3], "Proxy CA", "Office")), 58).close();
    ASSERT_THAT(judged(), SizeIs(3));
    for (const auto& verdict : book->verdicts()) {
        EXPECT_FALSE(verdict.is_firm);
        EXPECT_EQ(verdict.alternative, "a proxy or portal of the user's own network");
    }
}

TEST_F(Accusations, AProxyNextToTheClientIsTheUsersOwn) {
    ordinary(60, 3000, far_site);
    for (int i = 0; i < 18; ++i) Connection(frames, 2 + 4 * i, far_site(i), 443).open().from_client(ack | psh, hello(banned[i % 3])).answer_elsewhere(flight(self_signed("gate.invalid")), 63).close();
    ASSERT_THAT(judged(), SizeIs(3));
    for (const auto& verdict : book->verdicts()) EXPECT_FALSE(verdict.is_firm);
}

TEST_F(Accusations, NamesOfOneOwnerAndAddressesOfOneSiteAreItsOwn) {
    ordinary(60, 3000, far_site);
    for (int i = 0; i < 18; ++i)
        Connection(frames, 2 + 4 * i, far_site(i), 443).open().from_client(ack | psh, hello("w" + std::to_string(i % 3) + ".shop.example")).answer_elsewhere(flight(self_signed("shop.invalid")), 58).close();
    ASSERT_THAT(judged(), SizeIs(3));
    for (const auto& verdict : book->verdicts()) EXPECT_FALSE(verdict.is_firm);
    SetUp();
    ordinary(60);
    for (int i = 0; i < 18; ++i) Connection(frames, 2 + 4 * i, 0x25000001u + 0x10000u * static_cast<std::uint32_t>(i % 3), 443).open().from_client(ack | psh, hello(banned[i % 3])).answer_elsewhere(flight(self_signed("gate.invalid")), 58).close();
    ASSERT_THAT(judged(), SizeIs(3));
    for (const auto& verdict : book->verdicts()) {
        EXPECT_FALSE(verdict.is_firm);
        EXPECT_EQ(verdict.alternative, "the site itself: no other name was answered there");
    }
}

TEST_F(Accusations, APublishedSignerIsKnownByNamesOfTwoOwners) {
    const auto intercepted = [&](int i, const std::string& name) {
        Connection(frames, 2 + 4 * i, site(i), 443).open().from_client(ack | psh, hello(name)).answer(flight(leaf_for(name, "Security Certificate", ""), "Qaznet Trust Network")).close();
    };
    ordinary(60);
    for (int i = 0; i < 2; ++i) intercepted(i, banned[i]);
    EXPECT_THAT(judged(), IsEmpty());
    SetUp();
    ordinary(60);
    for (int i = 0; i < 12; ++i) intercepted(i, "signer.example");
    ASSERT_THAT(judged(), SizeIs(1));
    EXPECT_FALSE(book->verdicts()[0].is_firm);
    SetUp();
    ordinary(60);
    for (int i = 0; i < 3; ++i) intercepted(i, banned[i]);
    ASSERT_THAT(judged(), SizeIs(3));
    for (const auto& verdict : book->verdicts()) {
        EXPECT_TRUE(verdict.is_firm);
        EXPECT_EQ(verdict.box_class, "kazakhstan-2019");
    }
}

TEST_F(Accusations, TwoCapturesThatHoldDifferentCertificatesAreProof) {
    const auto shown = [&](std::uint32_t evidence, std::uint64_t leaf, bool is_for_name) {
        FlowRecord flow;
        flow.client = ipv4_address(client_address);
        flow.server = ipv4_address(site(0));
        flow.client_port = 40'001;
        flow.server_port = 443;
        flow.protocol = 6;
        flow.kind = PayloadKind::tls;
        flow.has_handshake = flow.is_answered = true;
        flow.name = names->number("banned.example");
        flow.evidence = evidence;
        flow.frames = {3, 4, 0, 0};
        flow.certificate.leaf = leaf;
        flow.certificate.is_for_name = is_for_name;
        flow.certificate.issuer = names->issuer_number("Somebody");
        return flow;
    };
    for (const bool is_same : {false, true}) {
        CaptureBook::Limits limits;
        limits.is_two_sided = true;
        CaptureBook two(built_in_facts(), *names, limits);
        two.add(shown(0, 7, true));
        two.add(shown(1, is_same ? 7 : 8, true));
        two.judge();
        if (is_same) {
            EXPECT_THAT(two.verdicts(), IsEmpty());
            continue;
        }
        ASSERT_THAT(two.verdicts(), SizeIs(1));
        EXPECT_TRUE(two.verdicts()[0].is_firm);
        EXPECT_EQ(two.verdicts()[0].flows, 1u);
        ASSERT_THAT(two.flows(), SizeIs(1));
        EXPECT_EQ(two.flows()[0].flow.evidence, 0u);
        // Without the word that they are of one connection it is nothing.
        CaptureBook one(built_in_facts(), *names, {});
        one.add(shown(0, 7, true));
        one.add(shown(1, 8, true));
        one.judge();
        EXPECT_THAT(one.verdicts(), IsEmpty());
    }
}

TEST_F(Accusations, WhoseWayIsBarredIsSaid) {
    ordinary(60);
    for (int i = 0; i < 12; ++i) {
        const auto begin = [&](double seconds, std::string_view name) {
            Connection connection(frames, seconds + 9 * i, site(i), 443);
            connection.open().from_client(ack | psh, hello(name));
            return connection;
        };
        begin(2, "to-client.example").wait(0.01).forged(rst | ack, 110, 0x4711);
        begin(3, "to-both.example").wait(0.01).forged(rst | ack, 110, 0x4711).forged_to_server(rst | ack, 90, 0x4712);
        begin(4, "to-server.example").answer(records(3000)).forged_to_server(rst | ack, 90, 0x4711);
        // The server says its words again and again, since the acknowledgements do not arrive.
        Connection deaf = begin(5, "deaf.example");
        deaf.wait(0.05).from_server(ack | psh, records(1000));
        for (const double pause : {0.3, 0.6, 1.2, 2.4}) deaf.from_client(ack).wait(pause).from_server_again(ack | psh, records(1000));
        Connection silent = begin(6, "silent.example");
        for (const double pause : {0.3, 0.6, 1.2}) silent.wait(pause).repeat(ack | psh, hello("silent.example"));
    }
    std::map<std::string, std::string_view> directions;
    for (const auto& verdict : judged())
        if (verdict.is_firm) directions[verdict.trigger] = verdict.direction;
    const std::map<std::string, std::string_view> wanted = {{"to-client.example", "server-to-client"}, {"to-both.example", "both"}, {"to-server.example", "client-to-server"},
                                                            {"deaf.example", "client-to-server"}, {"silent.example", "either"}};
    EXPECT_EQ(directions, wanted);
}

TEST_F(Accusations, AClientThatHasEnoughResetsFromItsOwnDistanceOrLater) {
    ordinary(60);
    for (int i = 0; i < 12; ++i) {
        Connection(frames, 2 + 9 * i, site(i), 443).open().from_client(ack | psh, hello("enough.example")).answer(records(3000)).forged_to_server(rst, 64, 0);
        Connection(frames, 3 + 9 * i, site(i), 443).open().from_client(ack | psh, hello("idle.example")).answer(records(3000)).wait(60).forged_to_server(rst, 90, 0);
    }
    EXPECT_THAT(judged(), IsEmpty());
}

TEST_F(Accusations, OfOneHostThatRefusesAWordNothingIsFirmAndOfThreeTheWordIs) {
    for (const int hosts : {1, 3}) {
        SetUp();
        const std::string whole = "HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + std::string(2000, 'x');
        for (int i = 0; i < 90; ++i) {
            const auto name = "host" + std::to_string(i % hosts) + ".example";
            const auto path = "/search?q=w" + std::to_string(i % 7);
            Connection(frames, 1 + 1.5 * i, site(i % hosts), 80).open().from_client(ack | psh, lab::http_request(name, path)).answer(whole).close();
        }
        for (int i = 0; i < 30; ++i) {
            const auto request = lab::http_request("host" + std::to_string(i % hosts) + ".example", i % 2 == 0 ? "/search?q=Vanished" : "/vanished/1");
            Connection silent(frames, 2 + 9 * i, site(i % hosts), 80);
            silent.open().from_client(ack | psh, request);
            for (const double pause : {0.3, 0.6, 1.2}) silent.wait(pause).repeat(ack | psh, request);
        }
        ASSERT_THAT(judged(), SizeIs(1));
        const MechanismVerdict& verdict = book->verdicts()[0];
        EXPECT_EQ(verdict.mechanism, Mechanism::silent_drop);
        EXPECT_EQ(verdict.trigger, "path: vanished");
        EXPECT_EQ(verdict.layer, "http");
        EXPECT_EQ(verdict.flows, 30u);
        EXPECT_EQ(verdict.is_firm, hosts == 3);
        EXPECT_EQ(verdict.alternative, hosts == 3 ? "" : "the host itself, which refuses this word");
    }
}

TEST_F(Accusations, EncryptedNamesAreATrigger) {
    ordinary(60);
    const auto with = [](std::string_view name, std::uint16_t extension) {
        // Behind the hello's own extensions; three lengths grow by as much.
        std::string bytes = hello(name);
        const std::string added = {static_cast<char>(extension >> 8), static_cast<char>(extension & 255), 0, 4, 1, 2, 3, 4};
        const auto grow = [&](std::size_t at) {
            const unsigned length = (static_cast<unsigned char>(bytes[at]) << 8 | static_cast<unsigned char>(bytes[at + 1])) + 8u;
            bytes[at] = static_cast<char>(length >> 8);
            bytes[at + 1] = static_cast<char>(length & 255);
        };
        const std::size_t session = 43 + 1 + static_cast<unsigned char>(bytes[43]);
        const std::size_t ciphers = session + 2 + (static_cast<unsigned char>(bytes[session]) << 8 | static_cast<unsigned char>(bytes[session + 1]));
        const std::size_t extensions = ciphers + 1 + static_cast<unsigned char>(bytes[ciphers]);
        grow(3);
        grow(7);
        grow(extensions);
        return bytes + added;
    };
    for (int i = 0; i < 20; ++i) {
        Connection(frames, 2 + 9 * i, site(i), 443).open().from_client(ack | psh, hello("front.example")).answer(records(3000)).close();
        Connection dropped(frames, 3 + 9 * i, site(i), 443);
        dropped.open();
        for (const double pause : {0.3, 0.6, 1.2, 2.4}) dropped.again(ack | psh, with("front.example", 0xFE0D)).wait(pause);
    }
    ASSERT_THAT(judged(), SizeIs(1));
    EXPECT_EQ(book->verdicts()[0].trigger, "front.example (with ECH)");
    EXPECT_TRUE(book->verdicts()[0].is_firm);
    EXPECT_EQ(book->verdicts()[0].exposed, 20u);
}

FlowRecord record_of(int i, std::uint32_t server, std::uint16_t port, PayloadKind kind) {
    FlowRecord flow;
    flow.client = ipv4_address(client_address);
    flow.server = ipv4_address(server);
    flow.client_port = static_cast<std::uint16_t>(40'000 + i);
    flow.server_port = port;
    flow.protocol = kind == PayloadKind::quic ? 17 : 6;
    flow.kind = kind;
    flow.has_handshake = true;
    flow.first_ns = flow.trigger_ns = 1'000'000'000ll * (i + 1);
    flow.sign_ns = flow.first_ns + 1;
    flow.frames = {static_cast<std::uint64_t>(10 * i + 1), 0, 0, 0};
    return flow;
}

TEST_F(Accusations, WhatIsLeftOfATriggerIsToldByPortsAndTimes) {
    constexpr std::int64_t second_ns = 1'000'000'000;
    constexpr double lasts_seconds = 120;
    struct World {
        bool restarts;
        bool is_same_port;
    };
    for (const World world : {World{false, false}, World{true, false}, World{false, true}}) {
        SetUp();
        Random random(9);
        int i = 0;
        for (std::uint32_t server = 0x0A000001; server < 0x0A000001 + 40; ++server) {
            const double begin = 2000.0 * (server & 0xFF);
            const auto add = [&](double seconds, std::string_view name, std::uint16_t port, bool is_failed) {
                FlowRecord flow = record_of(i++, server, port, PayloadKind::tls);
                flow.first_ns = flow.trigger_ns = static_cast<std::int64_t>(seconds * 1e9);
                flow.sign_ns = flow.trigger_ns + second_ns / 10;
                flow.name = names->number(name);
                flow.is_answered = !is_failed;
                if (is_failed) flow.signs = sign::dropped;
                return flow;
            };
            FlowRecord trigger = add(begin, "trigger.example", 443, true);
            trigger.signs = sign::reset;
            trigger.log_likelihood_ratio = 15;
            book->add(trigger);
            for (int other = 0; other < 2; ++other) book->add(add(begin + 10 + other, "fine.example", 8443, false));
            double until = begin + lasts_seconds;
            double now = begin;
            for (int attempt = 0; attempt < 12; ++attempt) {
                now += 5 + random.exponential(world.restarts ? 90 : 40);
                // A client that uses its port again, and one that does not.
                const bool is_same = world.is_same_port && attempt % 2 == 0;
                const bool is_failed = now < until && (is_same || !world.is_same_port);
                if (is_failed && world.restarts) until = now + lasts_seconds;
                FlowRecord flow = add(now, "fine.example", 443, is_failed);
                if (is_same) flow.client_port = trigger.client_port;
                book->add(flow);
            }
        }
        book->judge();
        const ResidualEstimate& residual = book->residual();
        ASSERT_TRUE(residual.is_known());
        EXPECT_TRUE(residual.is_firm);
        EXPECT_EQ(residual.is_same_source_port, world.is_same_port);
        if (world.restarts) { EXPECT_GT(residual.restart_ratio, ResidualEstimate::restart_ratio_min); }
        else { EXPECT_LT(residual.restart_ratio, -ResidualEstimate::restart_ratio_min); }
        EXPECT_LE(residual.seconds_low, lasts_seconds);
        EXPECT_GE(residual.seconds_high, lasts_seconds);
        EXPECT_LT(residual.seconds_high - residual.seconds_low, 10);
    }
}

TEST_F(Accusations, DestinationsAreComparedByThemselves) {
    for (int i = 0; i < 40; ++i)
        for (const std::uint32_t network : {0x5B100100u, 0x5B100200u}) {
            FlowRecord flow = record_of(i, network + static_cast<std::uint32_t>(i % 3), 8388, PayloadKind::other);
            flow.is_eligible = i % 2 == 0;
            flow.is_answered = true;
            if (flow.is_eligible && network == 0x5B100200u && i % 4 == 0) flow.signs = sign::dropped;
            book->add(flow);
        }
    const auto prefixes = book->eligibility_by_prefix();
    ASSERT_THAT(prefixes, SizeIs(2));
    EXPECT_EQ(address_text(prefixes[0].prefix), "91.16.1.0");
    EXPECT_EQ(prefixes[0].p_value, 1);
    EXPECT_EQ(prefixes[1].payloads.eligible, 20u);
    EXPECT_EQ(prefixes[1].payloads.eligible_lost, 10u);
    EXPECT_EQ(prefixes[1].payloads.exempt_lost, 0u);
    EXPECT_NEAR(prefixes[1].p_value, 184'756.0 / 847'660'528.0, 1e-9);   // 20 over 10, 40 over 10
    EXPECT_NEAR(prefixes[1].q_value, 2 * prefixes[1].p_value, 1e-12);
}

TEST_F(Accusations, PolicingShapingAndCongestionAreToldApart) {
    const auto add = [&](std::string_view name, double rate, double variation, double holes, int i) {
        RateRecord record;
        record.name = names->number(name);
        record.kind = PayloadKind::tls;
        record.client = ipv4_address(client_address + static_cast<std::uint32_t>(i % 4));
        record.server = ipv4_address(site(i % 2));
        record.bytes_per_second = static_cast<float>(rate);
        record.gap_variation = static_cast<float>(variation);
        record.holes_share = static_cast<float>(holes);
        record.frame = static_cast<std::uint64_t>(i + 1);
        record.first_ns = 1'000'000'000ll * (i + 1);
        record.last_ns = record.first_ns + 500'000'000;
        return record;
    };
    const auto timed = [](RateRecord record, double growth_seconds) {
        record.has_round_trip = record.has_both_legs = true;
        record.round_trip = 0.08f;
        record.growth_low = record.growth_high = static_cast<float>(growth_seconds);
        return record;
    };
    for (int i = 0; i < 80; ++i)
        for (const auto* name : {"fine.example", "good.example", "well.example", "nice.example", "fair.example", "soft.example", "neat.example", "calm.example", "kind.example", "pure.example",
                                 "tidy.example", "warm.example", "mild.example", "keen.example", "bold.example", "wise.example", "true.example", "glad.example", "free.example", "just.example"})
            if (i % 8 < 2) book->add(timed(add(name, 1e6 * (1 + 0.02 * i), 1.2, 0.01, i), 0));
    for (int i = 0; i < 24; ++i) {
        book->add(add("policed.example", 18'000 + 200 * i, 1.6, 0.07, i));
        book->add(timed(add("shaped.example", 18'000 + 20 * i, 0.1, 0.008, i), 0.8));
        book->add(add("unseen.example", 18'000 + 20 * i, 0.1, 0.008, i));
        book->add(timed(add("paced.example", 18'000 + 20 * i, 0.1, 0.008, i), 0));
        book->add(timed(add("crowded.example", 4'000 * std::exp(0.12 * i), 1.6, 0.07, i), 0.3));
        book->add(timed(add("pausing.example", 18'000 + 200 * i, 1.6, 0.01, i), 0));
        // What is missing and what waits at once: by a box, and no more is told.
        book->add(timed(add("mixed.example", 18'000 + 200 * i, 1.6, 0.07, i), i % 2 == 0 ? 0 : 0.8));
    }
    std::map<std::string, std::string> told;
    for (const auto& verdict : judged()) told[verdict.trigger] = verdict.is_firm ? std::string(mechanism_name(verdict.mechanism)) : verdict.alternative;
    const std::string pace = "a server that pauses or holds its own pace: ";
    const std::map<std::string, std::string> wanted = {{"policed.example", "throttling-policing"},
                                                       {"shaped.example", "throttling-shaping"},
                                                       {"mixed.example", "throttling"},
                                                       {"unseen.example", pace + "no round trip was seen while data flowed, and no more is missing than of others"},
                                                       {"paced.example", pace + "round trips do not clearly grow, and no more is missing than of others"},
                                                       {"crowded.example", "congestion: the rate differs from flow to flow"},
                                                       {"pausing.example", pace + "round trips do not clearly grow, and no more is missing than of others"}};
    EXPECT_EQ(told, wanted);
}

/// A name that is slow because of what it shares with others, by where or when or for whom it is asked.
TEST_F(Accusations, WhatOthersShareIsNoThrottling) {
    struct Case {
        std::string_view what;
        int server;              // of the slow name; others are at all
        int client;
        double seconds;          // when it is asked for
        std::string_view alternative;
    };
    const std::array<Case, 3> cases = {{{"server", 7, -1, -1, "a slow server or path: other names are not clearly faster there"},
                                        {"client", -1, 7, -1, "a slow line of the client: other names are not clearly faster there"},
                                        {"time", -1, -1, 5'000, "congestion: other names were slow at the same time"}}};
    for (const Case& one : cases) {
        SetUp();
        Random random(3);
        for (int i = 0; i < 2'000; ++i) {
            const bool is_slow_name = i % 10 == 0;
            RateRecord record;
            const int server = is_slow_name && one.server >= 0 ? one.server : static_cast<int>(random.below(8));
            const int client = is_slow_name && one.client >= 0 ? one.client : static_cast<int>(random.below(8));
            const double seconds = is_slow_name && one.seconds >= 0 ? one.seconds + 500 * random.uniform() : 10'000 * random.uniform();
            const bool is_slow = server == one.server || client == one.client || (one.seconds >= 0 && seconds >= one.seconds && seconds < one.seconds + 500);
            record.name = names->number(is_slow_name ? "slow.example" : std::string(1, static_cast<char>('a' + i % 10)) + ".example");
            record.kind = PayloadKind::tls;
            record.client = ipv4_address(client_address + static_cast<std::uint32_t>(client));
            record.server = ipv4_address(0x5B100000 + static_cast<std::uint32_t>(server));
            record.bytes_per_second = static_cast<float>((is_slow ? 18'000 : 1e6) * (1 + 0.1 * random.uniform()));
            record.gap_variation = 0.1f;
            record.has_round_trip = record.has_both_legs = true;
            record.round_trip = 0.05f;
            record.growth_low = record.growth_high = is_slow ? 1.f : 0.f;
            record.frame = static_cast<std::uint64_t>(i + 1);
            record.first_ns = static_cast<std::int64_t>(seconds * 1e9);
            record.last_ns = record.first_ns + 3'000'000'000;
            book->add(record);
        }
        ASSERT_THAT(judged(), SizeIs(1)) << one.what;
        EXPECT_FALSE(book->verdicts()[0].is_firm) << one.what;
        EXPECT_EQ(book->verdicts()[0].alternative, one.alternative) << one.what;
    }
}

TEST(SlowNames, AnswersSideBySideCountWithTheirSum) {
    std::vector<RateRecord> rates;
    for (int i = 0; i < 40; ++i)
        for (std::uint32_t name = 1; name <= 4; ++name) {
            RateRecord record;
            record.name = name;
            record.first_ns = 100'000'000'000ll * (i + 1);
            record.last_ns = record.first_ns + 1'000'000'000;
            record.bytes_per_second = 1e6f;
            // Five at once of the last share what one of the others has.
            for (int part = 0; part < (name == 4 ? 5 : 1); ++part) {
                if (name == 4) record.bytes_per_second = 2e5f;
                rates.push_back(record);
            }
        }
    EXPECT_TRUE(find_slow_names(rates, 0.001).empty());
    for (RateRecord& record : rates)
        if (record.name == 4) record.last_ns = record.first_ns;     // one after the other
    EXPECT_EQ(find_slow_names(rates, 0.001).size(), 1u);
}

TEST(SlowNames, RanksInStrataAreThoseOfMannAndWhitney) {
    // Of 5 and 5 apart: U = 25, mean 12.5, variance 25 * 11 / 12.
    std::vector<RankStratum> strata = {{{1, 2, 3, 4, 5}, {6, 7, 8, 9, 10}}};
    EXPECT_NEAR(smaller_in_strata(strata), 0.5 * std::erfc(12.0 / std::sqrt(2 * 25.0 * 11 / 12)), 1e-12);
    strata = {{{1, 1}, {1, 1}}, {{5}, {}}};
    EXPECT_GT(smaller_in_strata(strata), 0.5);
    EXPECT_EQ(smaller_in_strata({}), 1);
    // A stratum that is slow as a whole says nothing.
    strata = {{{1, 2, 1, 2}, {1, 2, 1, 2}}, {{}, {50, 60, 70}}};
    EXPECT_GT(smaller_in_strata(strata), 0.4);
}

TEST(SlowNames, BytesAtFullSpeedAreWhereTheTimesPart) {
    for (const double burst : {0.0, 10'000.0, 100'000.0, 1'000'000.0})
        for (const double bytes_per_second : {5'000.0, 100'000.0}) {
            std::vector<double> own, control;
            for (std::size_t point = 0; point < RateCurve::points_max; ++point) {
                control.push_back(RateCurve::position_bytes(point) / 5e6 + (point % 5) * 0.002);
                own.push_back(control.back() + std::max(0.0, RateCurve::position_bytes(point) - burst) / bytes_per_second);
            }
            const auto found = full_speed_bytes(own, control);
            ASSERT_TRUE(found);
            EXPECT_NEAR(*found, burst, RateCurve::position_bytes(RateCurve::points_max - 1) / 256);
        }
    EXPECT_FALSE(full_speed_bytes(std::vector<double>(5, 1.0), std::vector<double>(24, 0.1)));
}

TEST_F(Accusations, OneHostThatIsGoneIsNoRule) {
    for (int i = 0; i < 12; ++i) {
        FlowRecord quic = record_of(i, site(0), 443, PayloadKind::quic);
        quic.name = names->number("only.example");
        quic.signs = sign::quic_silent;
        book->add(quic);
        FlowRecord eligible = record_of(100 + i, 0x0A000001, 8388, PayloadKind::other);
        eligible.is_eligible = true;
        eligible.signs = sign::dropped;
        book->add(eligible);
        FlowRecord chat = record_of(200 + i, 0x0A000002, 5222, PayloadKind::other);
        chat.signs = sign::uplink_lost;
        book->add(chat);
    }
    EXPECT_THAT(judged(), SizeIs(3));
    for (const auto& verdict : book->verdicts()) EXPECT_FALSE(verdict.is_firm) << mechanism_name(verdict.mechanism);
}

TEST_F(Accusations, OtherHostsAndProtocolsMakeItARule) {
    for (int i = 0; i < 60; ++i) {
        FlowRecord fine = record_of(1000 + i, site(i), 22, PayloadKind::ssh);
        fine.is_answered = true;
        book->add(fine);
    }
    for (int i = 0; i < 24; ++i) {
        FlowRecord chat = record_of(200 + i, 0x0A000002u + static_cast<std::uint32_t>(i % 3), 5222, PayloadKind::other);
        chat.signs = sign::uplink_lost;
        book->add(chat);
    }
    ASSERT_THAT(judged(), SizeIs(1));
    EXPECT_TRUE(book->verdicts()[0].is_firm);
}

}  // namespace
}  // namespace unveil
