// Goal: where a box stands is read off two traces whatever it does, and nothing is read where there is none. Method: traces built packet by packet
// over a path of routers, with a box that resets, drops, answers beside the server or copies TTLs; two controls; every prefix and bit damage.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <string>
#include <vector>

#include "../net/bytes.hpp"
#include "instruments/interference/ttl_trace.hpp"

namespace unveil {
namespace {

using test::Bytes;

constexpr std::uint32_t client = 0xC0000201, server = 0xC6336407, routers = 0x0A000000;   // 192.0.2.1, 198.51.100.7, 10.0.0.HOP
constexpr unsigned server_hop = 9;
constexpr std::uint8_t server_ttl = 50;

struct Box {
    enum class Act : std::uint8_t { none, reset, drop, reset_beside, mirror } act = Act::none;
    unsigned hop = 0;
    unsigned silent_hop = 0;             // a router that sends no ICMP
    bool is_server_named = false;        // routers from the box on have the server's address
    std::string page = "200 OK";         // of the server
    unsigned ttl_max = 24;
};

Bytes ip_packet(std::uint32_t from, std::uint32_t to, std::uint8_t ttl, std::uint8_t protocol, const Bytes& content) {
    Bytes packet = {0x45, 0};
    test::append_number(packet, 20 + content.size(), 2);
    test::append_number(packet, 0, 4);
    packet.push_back(ttl);
    packet.push_back(protocol);
    test::append_number(packet, 0, 2);
    test::append_number(packet, from, 4);
    test::append_number(packet, to, 4);
    test::append(packet, content);
    return packet;
}

Bytes segment(std::uint16_t from, std::uint16_t to, std::uint32_t sequence, std::uint32_t acknowledged, std::uint8_t flags, const std::string& text = "") {
    Bytes bytes;
    test::append_number(bytes, from, 2);
    test::append_number(bytes, to, 2);
    test::append_number(bytes, sequence, 4);
    test::append_number(bytes, acknowledged, 4);
    bytes.push_back(0x50);
    bytes.push_back(flags);
    test::append_number(bytes, 1000, 2);
    test::append_number(bytes, 0, 4);
    test::append(bytes, test::from_text(text));
    return bytes;
}

class Capture {
  public:
    void add(Bytes bytes) { m_packets.push_back(std::move(bytes)); }
    std::vector<Frame> frames() const {
        std::vector<Frame> frames;
        for (const auto& bytes : m_packets) {
            Frame frame;
            frame.number = frames.size() + 1;
            frame.time_ns = static_cast<std::int64_t>(frame.number) * 1'000'000;
            frame.bytes_original = static_cast<std::uint32_t>(bytes.size());
            frame.link_type = 101;
            frame.bytes = bytes;
            frames.push_back(frame);
        }
        return frames;
    }

  private:
    std::deque<Bytes> m_packets;
};

/// Probes until the client sees an answer, as CenTrace does.
Capture trace_of(const Box& box, const std::string& host) {
    constexpr auto syn = tcp_flag::syn, ack = tcp_flag::ack, rst = tcp_flag::rst, fin = tcp_flag::fin, psh = tcp_flag::psh;
    Capture capture;
    bool is_answered = false;
    for (unsigned ttl = 1; ttl <= box.ttl_max && !is_answered; ++ttl) {
        const auto port = static_cast<std::uint16_t>(40000 + ttl);
        const std::uint32_t mine = 1000 * ttl, theirs = 500'000 + ttl;
        const std::string request = "GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n";
        const auto send = [&](std::uint8_t with_ttl, std::uint8_t flags, std::uint32_t sequence, const std::string& text = "") {
            capture.add(ip_packet(client, server, with_ttl, 6, segment(port, 80, sequence, theirs + 1, flags, text)));
        };
        const auto answer = [&](std::uint8_t with_ttl, std::uint8_t flags, std::uint32_t sequence, std::uint32_t acknowledged, const std::string& text = "") {
            capture.add(ip_packet(server, client, with_ttl, 6, segment(80, port, sequence, acknowledged, flags, text)));
        };
        send(64, syn, mine);
        answer(server_ttl, syn | ack, theirs, mine + 1);
        send(64, ack, mine + 1);
        const Bytes probe = ip_packet(client, server, 1, 6, segment(port, 80, mine + 1, theirs + 1, psh | ack, request));
        send(static_cast<std::uint8_t>(ttl), psh | ack, mine + 1, request);
        const auto end = mine + 1 + static_cast<std::uint32_t>(request.size());
        const bool is_at_box = box.act != Box::Act::none && ttl >= box.hop;
        // The box sees what the routers before it left of the TTL; as many take theirs on the way back.
        const auto mirrored = [&](unsigned sent) { return static_cast<int>(sent) - 2 * (static_cast<int>(box.hop) - 1); };
        if (is_at_box && (box.act == Box::Act::reset || box.act == Box::Act::reset_beside)) {
            answer(101, rst | ack, theirs + 1, end);
            is_answered = box.act == Box::Act::reset;
        }
        if (is_at_box && box.act == Box::Act::mirror && mirrored(ttl) > 0) {
            answer(static_cast<std::uint8_t>(mirrored(ttl)), rst, theirs + 1, 0);
            is_answered = true;
        }
        const bool is_gone = is_at_box && box.act != Box::Act::reset_beside;
        if (!is_gone && ttl >= server_hop) {
            answer(server_ttl, psh | ack, theirs + 1, end, "HTTP/1.1 " + box.page + "\r\nServer: one\r\nDate: " + host + "\r\nContent-Length: 0\r\n\r\n");
            is_answered = true;
        } else if (!is_gone && ttl != box.silent_hop) {
            Bytes icmp = {11, 0, 0, 0, 0, 0, 0, 0};
            icmp.insert(icmp.end(), probe.begin(), probe.begin() + 28);
            capture.add(ip_packet(box.is_server_named && ttl >= box.hop ? server : routers + ttl, client, static_cast<std::uint8_t>(255 - ttl), 1, icmp));
        }
        send(64, fin | ack, end);
        if (is_at_box && box.act == Box::Act::mirror) answer(static_cast<std::uint8_t>(mirrored(64)), rst, theirs + 1, 0);
        else answer(server_ttl, fin | ack, theirs + 1, end + 1);
    }
    return capture;
}

TtlTraceResult read(const Capture& capture) {
    TtlTrace trace;
    trace.add(capture.frames());
    return trace.finish();
}

TraceComparison compare(const Box& box, const Box& plain = {}) {
    return compare_traces(read(trace_of(box, "blocked.example")), read(trace_of(plain, "plain.example")));
}

TEST(InterferenceTtlTrace, PathIsRead) {
    const auto trace = read(trace_of({}, "plain.example"));
    EXPECT_EQ(trace.server, ipv4_address(server));
    EXPECT_EQ(trace.hop_count, server_hop);
    EXPECT_EQ(trace.answer_hop, static_cast<int>(server_hop));
    EXPECT_EQ(trace.router_hop_max, static_cast<int>(server_hop) - 1);
    for (unsigned hop = 1; hop < server_hop; ++hop) EXPECT_EQ(address_text(trace.hops[hop].router), "10.0.0." + std::to_string(hop));
    EXPECT_FALSE(trace.is_ttl_mirrored);
}

TEST(InterferenceTtlTrace, ControlsCompareAsNothing) {
    EXPECT_EQ(compare({}).code, TraceCode::no_observed_censorship);
    Box silent;
    silent.silent_hop = 4;
    EXPECT_EQ(compare(silent).code, TraceCode::no_observed_censorship);
}

TEST(InterferenceTtlTrace, ResetsNameTheRouterOfTheControl) {
    Box box;
    box.act = Box::Act::reset;
    for (unsigned hop = 1; hop < server_hop; ++hop) {
        box.hop = hop;
        const auto found = compare(box);
        EXPECT_EQ(found.code, TraceCode::can_identify_server);
        EXPECT_EQ(found.hop, static_cast<int>(hop));
        EXPECT_EQ(address_text(found.box), "10.0.0." + std::to_string(hop));
        EXPECT_FALSE(found.is_on_path);
        EXPECT_FALSE(found.is_dropping);
        EXPECT_EQ(found.censored_frames.size(), 2u);
    }
}

TEST(InterferenceTtlTrace, DropsNameTheFirstRouterNotHeard) {
    Box box;
    box.act = Box::Act::drop;
    box.hop = 5;
    auto found = compare(box);
    EXPECT_EQ(found.code, TraceCode::can_identify_server);
    EXPECT_TRUE(found.is_dropping);
    EXPECT_EQ(found.hop, 5);
    EXPECT_EQ(address_text(found.box), "10.0.0.5");
    // A silent router: the next one is named and said to be so.
    Box silent;
    silent.silent_hop = 5;
    found = compare(box, silent);
    EXPECT_EQ(found.hop, 5);
    EXPECT_EQ(found.box_hop, 6);
    box.ttl_max = 7;
    EXPECT_EQ(compare(box).code, TraceCode::not_comparable);
}

TEST(InterferenceTtlTrace, SilentHopsAreNotNamed) {
    Box box;
    box.act = Box::Act::reset;
    box.hop = 5;
    Box silent;
    silent.silent_hop = 5;
    const auto found = compare(box, silent);
    EXPECT_EQ(found.code, TraceCode::hop_without_address);
    EXPECT_FALSE(found.has_box);
}

TEST(InterferenceTtlTrace, TheEndpointIsTold) {
    Box box;
    box.act = Box::Act::drop;
    box.hop = server_hop;
    EXPECT_EQ(compare(box).code, TraceCode::endpoint_firewall);
    box.act = Box::Act::reset;
    EXPECT_EQ(compare(box).code, TraceCode::endpoint_firewall);
    Box refuses;
    refuses.page = "403 Forbidden";
    EXPECT_EQ(compare(refuses).code, TraceCode::endpoint_firewall);
    EXPECT_EQ(compare(refuses, refuses).code, TraceCode::no_observed_censorship);
}

TEST(InterferenceTtlTrace, TranslatorsBearTheServersName) {
    Box box;
    box.act = Box::Act::reset;
    box.hop = 7;
    Box control;
    control.hop = 7;
    control.is_server_named = true;
    EXPECT_EQ(compare(box, control).code, TraceCode::nat_firewall);
}

TEST(InterferenceTtlTrace, OnPathIsWhatLetsTheProbeGoOn) {
    Box box;
    box.act = Box::Act::reset_beside;
    box.hop = 4;
    const auto capture = trace_of(box, "blocked.example");
    const auto found = compare_traces(read(capture), read(trace_of({}, "plain.example")));
    EXPECT_EQ(found.code, TraceCode::can_identify_server);
    EXPECT_EQ(found.hop, 4);
    EXPECT_TRUE(found.is_on_path);
    // The server's own answer is among what proves it.
    const auto frames = capture.frames();
    EXPECT_TRUE(std::any_of(found.censored_frames.begin(), found.censored_frames.end(), [&](std::uint64_t frame) {
        Packet packet;
        return decode_packet(frames[frame - 1], packet) == Decoded::packet && packet.ttl == server_ttl && !packet.payload.empty();
    }));
}

TEST(InterferenceTtlTrace, MirroredTtlsAreCorrected) {
    Box box;
    box.act = Box::Act::mirror;
    for (unsigned hop = 3; hop < server_hop; ++hop) {
        box.hop = hop;
        const auto found = compare(box);
        EXPECT_TRUE(found.is_ttl_mirrored);
        EXPECT_EQ(found.seen_hop, static_cast<int>(2 * hop - 1));
        EXPECT_EQ(found.hop, static_cast<int>(hop));
        EXPECT_EQ(found.code, 2 * hop - 1 > server_hop ? TraceCode::terminating_ttl_past_control : TraceCode::can_identify_server);
        EXPECT_EQ(address_text(found.box), "10.0.0." + std::to_string(hop));
    }
    // An answer that always begins with the same TTL is none.
    box.act = Box::Act::reset;
    EXPECT_FALSE(compare(box).is_ttl_mirrored);
}

TEST(InterferenceTtlTrace, OneOfManyTracesInACaptureCounts) {
    // The control's first probes stand in the censored capture too, as when two traces overlap.
    Box box;
    box.act = Box::Act::reset;
    box.hop = 6;
    Box begun;
    begun.ttl_max = 3;
    TtlTrace trace;
    trace.add(trace_of(begun, "plain.example").frames());
    trace.add(trace_of(box, "blocked.example").frames());
    const auto found = compare_traces(trace.finish(), read(trace_of({}, "plain.example")));
    EXPECT_EQ(found.code, TraceCode::can_identify_server);
    EXPECT_EQ(found.hop, 6);
}

TEST(InterferenceTtlTrace, WhatIsNoTraceIsNotCompared) {
    const auto control = read(trace_of({}, "plain.example"));
    EXPECT_EQ(compare_traces({}, control).code, TraceCode::not_comparable);
    EXPECT_EQ(compare_traces(control, {}).code, TraceCode::not_comparable);
    auto elsewhere = control;
    elsewhere.server_port = 443;
    EXPECT_EQ(compare_traces(elsewhere, control).code, TraceCode::not_comparable);
}

TEST(InterferenceTtlTrace, FlowsAreBounded) {
    TtlTrace trace;
    Capture flood;
    for (std::uint32_t i = 0; i < TtlTrace::flows_max + 100; ++i) flood.add(ip_packet(client + i, server, 64, 6, segment(1, 80, 1, 0, tcp_flag::syn)));
    trace.add(flood.frames());
    EXPECT_EQ(trace.finish().ignored_flows, 100u);
}

TEST(InterferenceTtlTrace, DamageIsBorne) {
    Box box;
    box.act = Box::Act::reset_beside;
    box.hop = 2;
    box.ttl_max = 4;
    const auto capture = trace_of(box, "blocked.example");
    const auto frames = capture.frames();
    const auto control = read(trace_of({}, "plain.example"));
    for (std::size_t i = 0; i < frames.size(); ++i) {
        test::bear_damage(Bytes(frames[i].bytes.begin(), frames[i].bytes.end()), [&](std::span<const std::uint8_t> bytes) {
            auto damaged = frames;
            damaged[i].bytes = bytes;
            TtlTrace trace;
            trace.add(damaged);
            const auto comparison = compare_traces(trace.finish(), control);
            for (const auto frame : comparison.censored_frames) ASSERT_LE(frame, frames.size());
        });
    }
}

}  // namespace
}  // namespace unveil
