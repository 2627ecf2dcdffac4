// Goal: the made-up network does what its truth says and nothing else. Method: worlds in memory, taken apart by a small reader of frames
// that knows Ethernet, IP, TCP and UDP only; counts, looks and times of what was planted are held against the truth and against the numbers
// in which the mechanisms are described.
#include "lab/network_world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <map>
#include <set>

#include "world.hpp"

namespace unveil::lab {
namespace {

std::uint32_t number(std::string_view bytes, std::size_t at, std::size_t length) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < length; ++i) value = value << 8 | static_cast<std::uint8_t>(bytes.at(at + i));
    return value;
}

struct Seen {
    const NetworkCapture::Frame* frame = nullptr;
    bool is_v6 = false, is_udp = false, dont_fragment = false, is_from_client = false;
    std::uint32_t id = 0, ttl = 0, from_port = 0, to_port = 0, seq = 0, ack = 0, flags = 0, window = 0;
    std::string_view payload;
};

Seen taken_apart(const NetworkWorld& world, const NetworkCapture& capture, const NetworkCapture::Frame& frame) {
    const std::string_view bytes = capture.bytes(frame);
    Seen seen;
    seen.frame = &frame;
    seen.is_v6 = number(bytes, 12, 2) == 0x86dd;
    const std::size_t l4 = seen.is_v6 ? 54 : 34;
    if (!seen.is_v6) {
        seen.id = number(bytes, 18, 2);
        seen.dont_fragment = (number(bytes, 20, 1) & 0x40) != 0;
    }
    seen.ttl = number(bytes, seen.is_v6 ? 21 : 22, 1);
    seen.is_udp = number(bytes, seen.is_v6 ? 20 : 23, 1) == 17;
    seen.from_port = number(bytes, l4, 2);
    seen.to_port = number(bytes, l4 + 2, 2);
    std::size_t header = 8;
    if (!seen.is_udp) {
        seen.seq = number(bytes, l4 + 4, 4);
        seen.ack = number(bytes, l4 + 8, 4);
        header = (number(bytes, l4 + 12, 1) >> 4) * 4;
        seen.flags = number(bytes, l4 + 13, 1);
        seen.window = number(bytes, l4 + 14, 2);
    }
    seen.payload = bytes.substr(std::min(bytes.size(), l4 + header));
    seen.is_from_client = seen.from_port == world.flows[frame.flow].client_port;
    return seen;
}

/// The frames of each flow.
std::vector<std::vector<Seen>> by_flow(const NetworkWorld& world, const NetworkCapture& capture) {
    std::vector<std::vector<Seen>> all(world.flows.size());
    for (const auto& frame : capture.frames) all[frame.flow].push_back(taken_apart(world, capture, frame));
    return all;
}

NetworkPlan plan_with(std::vector<std::string> mechanisms, std::uint32_t flows, std::uint32_t ordinary = 0) {
    NetworkPlan plan;
    for (auto& name : mechanisms) plan.mechanisms.push_back({std::move(name), flows});
    plan.ordinary_flows = ordinary;
    return plan;
}

std::uint16_t folded(std::string_view bytes, std::uint32_t sum = 0) {
    for (std::size_t i = 0; i < bytes.size(); i += 2)
        sum += static_cast<std::uint32_t>(static_cast<std::uint8_t>(bytes[i]) << 8) + (i + 1 < bytes.size() ? static_cast<std::uint8_t>(bytes[i + 1]) : 0U);
    while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(sum);
}

TEST(NetworkWorld, SameSeedSameBytesAnotherSeedOthers) {
    const auto plan = plan_with(network_mechanisms(), 24, 100);
    const auto first = make_network_world(plan, 5), again = make_network_world(plan, 5), other = make_network_world(plan, 6);
    EXPECT_EQ(pcap_of(first.client, plan.snap_bytes), pcap_of(again.client, plan.snap_bytes));
    EXPECT_NE(pcap_of(first.client, plan.snap_bytes), pcap_of(other.client, plan.snap_bytes));
    EXPECT_EQ(first.flows.size(), network_mechanisms().size() * 24 + 100);
}

TEST(NetworkWorld, TheNullWorldHoldsTheSameOrdinaryTrafficAndNothingInjected) {
    const auto null = make_network_world(plan_with({}, 0, 400), 9);
    const auto planted = make_network_world(plan_with({"rst", "dns-injection"}, 100, 400), 9);
    ASSERT_EQ(null.flows.size(), 400U);
    EXPECT_TRUE(null.effects.empty());
    std::set<std::string> failures;
    for (std::size_t i = 0; i < null.flows.size(); ++i) {
        const auto& flow = null.flows[i];
        EXPECT_EQ(flow.mechanism, "none");
        EXPECT_EQ(flow.injected + flow.dropped, 0U);
        EXPECT_EQ(flow.client, planted.flows[i].client);
        EXPECT_EQ(flow.client_port, planted.flows[i].client_port);
        EXPECT_EQ(flow.start_ns, planted.flows[i].start_ns);
        EXPECT_EQ(flow.name, planted.flows[i].name);
        failures.insert(flow.failure);
    }
    EXPECT_GE(failures.size(), 6U);
}

TEST(NetworkWorld, EveryFrameHasRightChecksumsAndStandsInOrder) {
    auto plan = plan_with(network_mechanisms(), 20, 200);
    plan.is_two_sided = true;
    const auto world = make_network_world(plan, 11);
    for (const auto* capture : {&world.client, &world.server}) {
        ASSERT_FALSE(capture->frames.empty());
        std::int64_t before = 0;
        for (const auto& frame : capture->frames) {
            EXPECT_GE(frame.time_ns, before);
            before = frame.time_ns;
            const std::string_view bytes = capture->bytes(frame);
            ASSERT_EQ(bytes.size(), frame.bytes_on_wire);
            const bool is_v6 = number(bytes, 12, 2) == 0x86dd;
            if (!is_v6) ASSERT_EQ(folded(bytes.substr(14, 20)), 0xffff);
            const std::string_view segment = bytes.substr(is_v6 ? 54 : 34);
            const std::string_view addresses = bytes.substr(is_v6 ? 22 : 26, is_v6 ? 32 : 8);
            std::uint32_t pseudo = number(bytes, is_v6 ? 20 : 23, 1) + static_cast<std::uint32_t>(segment.size());
            for (std::size_t i = 0; i < addresses.size(); i += 2) pseudo += number(addresses, i, 2);
            ASSERT_EQ(folded(segment, pseudo), 0xffff);
        }
    }
}

TEST(NetworkWorld, LossIsWhatWasAskedForAndBothSidesAgree) {
    for (const double loss : {0.0, 0.01, 0.05}) {
        auto plan = plan_with({"drop-sni", "rst"}, 200, 1000);
        plan.is_two_sided = true;
        plan.loss = loss;
        const auto world = make_network_world(plan, 21);
        const double sent = static_cast<double>(world.packets_sent);
        // What the box stops would have been lost now and then as well; four deviations and that.
        const double of_stopped = loss * static_cast<double>(world.packets_stopped) / sent;
        EXPECT_NEAR(static_cast<double>(world.packets_lost) / sent, loss, 4 * std::sqrt(loss / sent) + of_stopped) << loss;
        // Each packet stands at the side that sent it, and at the other unless it was lost or stopped.
        std::uint64_t injected = 0, injected_by_boxes = 0, dropped = 0, injected_seen = 0;
        for (const auto* capture : {&world.client, &world.server})
            for (const auto& frame : capture->frames) {
                injected += frame.is_injected ? 1 : 0;
                injected_by_boxes += frame.is_injected && world.flows[frame.flow].mechanism != "none" ? 1 : 0;
            }
        for (const auto& flow : world.flows) {
            dropped += flow.dropped;
            injected_seen += flow.injected_seen;
        }
        EXPECT_EQ(world.client.frames.size() + world.server.frames.size() - injected, 2 * world.packets_sent - world.packets_lost - world.packets_stopped);
        EXPECT_EQ(injected_by_boxes, injected_seen);
        EXPECT_LE(dropped, world.packets_stopped);
        EXPECT_GT(dropped, 500U);
    }
}

TEST(NetworkWorld, ServersClockIsAheadAndDrifts) {
    auto plan = plan_with({}, 0, 300);
    plan.is_two_sided = true;
    const auto right = make_network_world(plan, 4);
    plan.clock_offset_seconds = 1.5;
    plan.clock_drift_ppm = 100;
    const auto wrong = make_network_world(plan, 4);
    EXPECT_EQ(right.client.arena, wrong.client.arena);
    ASSERT_EQ(right.server.frames.size(), wrong.server.frames.size());
    for (std::size_t i = 0; i < right.server.frames.size(); i += 97) {
        const auto elapsed = static_cast<double>(right.server.frames[i].time_ns - plan.start_ns);
        EXPECT_NEAR(static_cast<double>(wrong.server.frames[i].time_ns - right.server.frames[i].time_ns), 1.5e9 + elapsed * 1e-4, 2);
    }
}

/// A machine sends the same bytes at the same place of a stream, however often; injected frames are none of its own.
TEST(NetworkWorld, RepeatedSegmentsHoldTheSameBytes) {
    auto plan = plan_with({"rst", "throttle-policing"}, 40, 200);
    plan.loss = 0.05;
    const auto world = make_network_world(plan, 31);
    std::uint64_t repeated = 0;
    for (const auto& frames : by_flow(world, world.client)) {
        std::map<std::pair<bool, std::uint32_t>, std::string_view> known;
        for (const auto& seen : frames) {
            if (seen.is_udp || seen.frame->is_injected || seen.payload.empty()) continue;
            const auto [at, is_new] = known.emplace(std::pair{seen.is_from_client, seen.seq}, seen.payload);
            if (is_new) continue;
            ++repeated;
            EXPECT_EQ(at->second, seen.payload);
        }
    }
    EXPECT_GT(repeated, 100U);
}

TEST(NetworkWorld, ResetsLookLikeTheirClass) {
    auto plan = plan_with({"rst"}, 1000);
    plan.is_two_sided = true;
    const auto world = make_network_world(plan, 41);
    std::map<std::string, std::uint64_t> flows;
    std::map<std::string, std::set<std::uint32_t>> ids, window_over_ttl;
    for (const auto* capture : {&world.client, &world.server})
        for (const auto& frames : by_flow(world, *capture)) {
            std::uint32_t copies = 0;
            std::set<std::uint32_t> own_ids, own_seqs;
            std::string box_class;
            for (const auto& seen : frames) {
                const auto& truth = world.flows[seen.frame->flow];
                if (!seen.frame->is_injected || truth.mechanism != "rst") continue;
                box_class = truth.box_class;
                ++copies;
                own_ids.insert(seen.id);
                own_seqs.insert(seen.seq);
                ids[box_class].insert(seen.id);
                const bool has_ack = box_class != "gfw-1" && box_class != "generic";
                EXPECT_EQ(seen.flags, has_ack ? 0x14U : 0x04U) << box_class;
                EXPECT_EQ(seen.dont_fragment, box_class == "gfw-2");
                if (box_class == "gfw-1") {
                    EXPECT_EQ(seen.id, 0U);
                    EXPECT_GE(seen.ttl, 55U);
                    EXPECT_LE(seen.ttl, 118U);
                } else if (box_class == "gfw-2") {
                    EXPECT_GE(seen.ttl, 39U);
                    EXPECT_LE(seen.ttl, 238U);
                    EXPECT_GE(seen.id, 0xa3U);
                    EXPECT_LE(seen.id, 0xfe5fU);
                    window_over_ttl[box_class].insert(seen.window - seen.ttl);
                } else if (box_class == "gfw-3") {
                    EXPECT_EQ(seen.ttl, 248U);
                    EXPECT_GE(seen.id, 0x9916U);
                    EXPECT_LE(seen.id, 0x9933U);
                } else if (box_class == "henan") {
                    EXPECT_EQ(seen.ttl, 58U);
                    EXPECT_EQ(seen.id, 1U);
                    EXPECT_EQ(seen.payload, std::string_view("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x00", 10));
                    EXPECT_EQ(capture, &world.client);
                    EXPECT_FALSE(seen.is_from_client);
                }
                if (box_class != "henan") EXPECT_TRUE(seen.payload.empty());
            }
            if (box_class.empty()) continue;
            ++flows[box_class];
            EXPECT_LE(copies, box_class == "gfw-2" ? 3U : box_class == "generic" ? 2U : 1U);
            if (box_class == "gfw-2") {
                EXPECT_EQ(own_ids.size(), 1U);
                EXPECT_EQ(own_seqs.size(), 1U);
            }
        }
    EXPECT_EQ(flows.size(), 5U);
    EXPECT_EQ(window_over_ttl["gfw-2"].size(), 1U);
    // A little-endian counter: swapped, its values lie together.
    std::set<std::uint32_t> swapped;
    for (const std::uint32_t id : ids["generic"]) swapped.insert((id & 0xff) << 8 | id >> 8);
    EXPECT_GE(swapped.size(), 100U);
    EXPECT_TRUE(*swapped.rbegin() - *swapped.begin() < 1000 || *swapped.begin() < 1000);
}

TEST(NetworkWorld, ResetsFollowTheNameAndNothingElse) {
    const auto world = make_network_world(plan_with({"rst"}, 1500), 42);
    std::set<std::string> triggers;
    for (const auto& effect : world.effects) triggers.insert(effect.trigger);
    EXPECT_EQ(triggers.size(), 20U);
    std::map<std::string, std::uint64_t> acted;
    for (const auto& flow : world.flows) {
        if (flow.mechanism == "none") continue;
        EXPECT_TRUE(triggers.count(flow.name) == 1);
        EXPECT_EQ(flow.role, "trigger");
        ++acted[flow.trigger];
    }
    for (const auto& effect : world.effects) {
        EXPECT_EQ(effect.flows, acted[effect.trigger]);
        // Henan's box leaves out headers with options.
        if (effect.box_class != "henan") EXPECT_EQ(effect.flows, effect.exposed);
        else EXPECT_LE(effect.flows, effect.exposed);
    }
    for (const auto& name : world.control_names) EXPECT_EQ(triggers.count(name), 0U);
}

TEST(NetworkWorld, ForgedAnswersComeFirstAndDifferFromTheRealOnes) {
    auto plan = plan_with({"dns-injection"}, 1200);
    plan.loss = 0;
    const auto world = make_network_world(plan, 51);
    const auto flows = by_flow(world, world.client);
    std::set<std::uint32_t> flags_of_gfw;
    std::uint64_t raced = 0, without_resolver = 0;
    for (std::size_t i = 0; i < flows.size(); ++i) {
        const auto& truth = world.flows[i];
        std::uint32_t forged = 0;
        bool has_real = false;
        std::set<std::string_view> answers;
        for (const auto& seen : flows[i]) {
            if (seen.is_from_client) continue;
            ASSERT_TRUE(seen.is_udp);
            if (seen.frame->is_injected) {
                ++forged;
                EXPECT_FALSE(has_real);
                // One answer at the very end that points back to the question, and no OPT.
                const std::string_view record = seen.payload.substr(seen.payload.size() - 16);
                EXPECT_EQ(number(record, 0, 4), 0xc00c0001U);
                EXPECT_EQ(number(record, 10, 2), 4U);
                EXPECT_EQ(number(seen.payload, 10, 2), 0U);
                if (truth.box_class == "gfw") flags_of_gfw.insert(number(seen.payload, 2, 2) << 1 | (seen.dont_fragment ? 1 : 0));
                const WireAddress address = wire_v4(number(record, 12, 4));
                EXPECT_THAT(world.bogus_addresses, ::testing::Contains(address.text()));
            } else {
                has_real = true;
            }
            answers.insert(seen.payload);
        }
        EXPECT_EQ(forged, truth.injected);
        EXPECT_EQ(forged > 0, truth.mechanism == "dns-injection");
        if (forged > 0 && has_real) ++raced;
        if (truth.failure == "no-resolver") {
            EXPECT_FALSE(has_real);
            if (forged > 0) ++without_resolver;
        }
    }
    EXPECT_GT(raced, 300U);
    EXPECT_GT(without_resolver, 60U);
    EXPECT_EQ(flags_of_gfw.size(), 3U);
}

TEST(NetworkWorld, DroppedAndFrozenConnectionsStopWhereTheyShould) {
    auto plan = plan_with({"drop-sni", "freeze"}, 300);
    plan.loss = 0;
    plan.is_two_sided = true;
    const auto world = make_network_world(plan, 61);
    const auto flows = by_flow(world, world.client);
    const auto at_server = by_flow(world, world.server);
    std::uint64_t dropped = 0, frozen = 0;
    for (std::size_t i = 0; i < flows.size(); ++i) {
        const auto& truth = world.flows[i];
        std::set<std::uint32_t> from_server;
        std::uint64_t bytes = 0, hellos = 0;
        for (const auto& seen : flows[i]) {
            if (seen.payload.empty()) continue;
            if (!seen.is_from_client && from_server.insert(seen.seq).second) bytes += seen.payload.size();
            if (seen.is_from_client && static_cast<std::uint8_t>(seen.payload[0]) == 0x16) ++hellos;
        }
        if (truth.mechanism == "drop-sni") {
            ++dropped;
            EXPECT_EQ(bytes, 0U);
            EXPECT_GE(hellos, 3U);
            // Nothing that holds the whole name reaches the server.
            for (const auto& seen : at_server[i]) EXPECT_TRUE(!seen.is_from_client || seen.payload.find(truth.name) == std::string_view::npos || seen.payload.size() == 1440);
        } else if (truth.mechanism == "freeze") {
            ++frozen;
            EXPECT_GT(bytes, 16U * 1024 - 1440);
            EXPECT_LE(bytes, 20U * 1024);
        } else if (truth.failure.empty() && truth.scene == "freeze" && truth.role == "control") {
            EXPECT_GT(bytes, 29'000U);
        }
    }
    EXPECT_GT(dropped, 100U);
    EXPECT_GT(frozen, 100U);
}

TEST(NetworkWorld, ResidualBlockingLastsSoLongForThatPortOnly) {
    auto plan = plan_with({"residual"}, 1200);
    plan.residual_seconds = 90;
    plan.loss = 0;
    const auto world = make_network_world(plan, 71);
    std::map<std::string, std::int64_t> triggered;
    std::uint64_t inside = 0, outside = 0, elsewhere = 0;
    for (const auto& flow : world.flows) {
        const std::string key = flow.client + " " + flow.server;
        if (flow.role == "trigger") {
            EXPECT_EQ(flow.mechanism, "residual");
            triggered[key] = flow.first_action_ns;
        } else if (flow.role == "aftermath") {
            const double seconds = static_cast<double>(flow.start_ns - triggered.at(key)) / 1e9;
            if (seconds < 89.9) {
                EXPECT_EQ(flow.mechanism, "residual") << seconds;
                ++inside;
            } else if (seconds > 90) {
                EXPECT_EQ(flow.mechanism, "none") << seconds;
                ++outside;
            }
        } else {
            EXPECT_EQ(flow.mechanism, "none") << flow.role;
            ++elsewhere;
        }
    }
    EXPECT_GT(inside, 300U);
    EXPECT_GT(outside, 300U);
    EXPECT_GT(elsewhere, 200U);
}

TEST(NetworkWorld, NothingHappensBeforeTheOnset) {
    auto plan = plan_with(network_mechanisms(), 120);
    plan.onset_seconds = 1800;
    const auto world = make_network_world(plan, 72);
    std::uint64_t acted = 0;
    for (const auto& flow : world.flows) {
        if (flow.mechanism == "none") continue;
        ++acted;
        EXPECT_GE(flow.start_ns, plan.start_ns + 1800 * second_ns);
    }
    EXPECT_GT(acted, 200U);
    for (const auto& effect : world.effects)
        if (effect.flows > 0) EXPECT_GE(effect.first_ns, plan.start_ns + 1800 * second_ns);
}

/// A question asked again before the answer came is answered twice, alike; nothing is injected.
TEST(NetworkWorld, RepeatedQuestionsGetTheSameAnswerTwice) {
    auto plan = plan_with({}, 0, 3000);
    plan.loss = 0;
    plan.failure_share = 0.5;
    const auto world = make_network_world(plan, 73);
    const auto flows = by_flow(world, world.client);
    std::uint64_t repeated = 0;
    for (std::size_t i = 0; i < flows.size(); ++i) {
        if (world.flows[i].failure != "repeated") continue;
        std::vector<std::string_view> answers;
        for (const auto& seen : flows[i])
            if (!seen.is_from_client) answers.push_back(seen.payload);
        // A slow resolver may even be asked a third time.
        ASSERT_GE(answers.size(), 2U);
        for (const auto& answer : answers) EXPECT_EQ(answer, answers[0]);
        ++repeated;
    }
    EXPECT_GT(repeated, 20U);
}

TEST(NetworkWorld, QuicIsJudgedByItsPortsAndItsName) {
    const auto world = make_network_world(plan_with({"quic-sni"}, 800), 81);
    std::uint64_t blocked = 0, spared = 0;
    for (const auto& flow : world.flows) {
        if (flow.role == "control") EXPECT_EQ(flow.mechanism, "none");
        else if (flow.client_port <= flow.server_port) {
            EXPECT_EQ(flow.mechanism, "none");
            ++spared;
        } else {
            blocked += flow.mechanism == "quic-sni" ? 1 : 0;
        }
    }
    EXPECT_GT(blocked, 200U);
    EXPECT_GT(spared, 50U);
}

TEST(NetworkWorld, FullyEncryptedTrafficIsDroppedNowAndThen) {
    const auto world = make_network_world(plan_with({"fet"}, 4000), 91);
    const auto& effect = world.effects.at(0);
    EXPECT_NEAR(static_cast<double>(effect.flows) / static_cast<double>(effect.exposed), 0.26, 0.05);
    std::set<std::string> blocked_hosts, hosts;
    for (const auto& flow : world.flows) {
        hosts.insert(flow.server);
        if (flow.mechanism == "fet") blocked_hosts.insert(flow.server);
    }
    EXPECT_EQ(hosts.size(), 8U);
    EXPECT_EQ(blocked_hosts.size(), 4U);
}

TEST(NetworkWorld, ThrottledTransfersHaveTheRateAndControlsDoNot) {
    for (const char* name : {"throttle-policing", "throttle-shaping"}) {
        auto plan = plan_with({name}, 120);
        plan.loss = 0;
        plan.failure_share = 0;
        const auto world = make_network_world(plan, 101);
        const auto flows = by_flow(world, world.client);
        std::vector<double> slow, fast;
        for (std::size_t i = 0; i < flows.size(); ++i) {
            std::set<std::uint32_t> known;
            double bytes = 0;
            std::int64_t first = 0, last = 0;
            for (const auto& seen : flows[i]) {
                if (seen.is_from_client || seen.payload.empty()) continue;
                if (first == 0) first = seen.frame->time_ns;
                if (!known.insert(seen.seq).second) continue;
                bytes += static_cast<double>(seen.payload.size());
                last = seen.frame->time_ns;
            }
            const double kbit = bytes * 8 / 1000 / (static_cast<double>(last - first) / 1e9);
            (world.flows[i].mechanism == "none" ? fast : slow).push_back(kbit);
        }
        ASSERT_GT(slow.size(), 30U);
        ASSERT_GT(fast.size(), 30U);
        std::nth_element(slow.begin(), slow.begin() + static_cast<std::ptrdiff_t>(slow.size() / 2), slow.end());
        std::nth_element(fast.begin(), fast.begin() + static_cast<std::ptrdiff_t>(fast.size() / 2), fast.end());
        // A bucket's first fill makes short transfers a little faster than its rate.
        EXPECT_LT(*std::max_element(slow.begin(), slow.end()), 150 * 1.35) << name;
        EXPECT_GT(slow[slow.size() / 2], 60) << name;
        EXPECT_GT(fast[fast.size() / 2], 450) << name;
    }
}

TEST(NetworkWorld, PagesAndForgedHandshakesAreNotTheServers) {
    auto plan = plan_with({"block-page", "syn-ack-forged"}, 300);
    plan.loss = 0;
    const auto world = make_network_world(plan, 111);
    const auto flows = by_flow(world, world.client);
    std::uint64_t pages = 0, handshakes = 0, answered_later = 0;
    for (std::size_t i = 0; i < flows.size(); ++i) {
        const auto& truth = world.flows[i];
        bool was_injected = false, has_real = false;
        for (const auto& seen : flows[i]) {
            if (seen.is_from_client) continue;
            if (!seen.frame->is_injected) {
                has_real |= was_injected && !seen.payload.empty();
                continue;
            }
            was_injected = true;
            if (truth.mechanism == "block-page" && !seen.payload.empty()) {
                ++pages;
                EXPECT_TRUE(seen.payload.starts_with("HTTP/1.1 "));
                EXPECT_EQ((seen.flags & 1) != 0, truth.box_class == "page-fin");
            } else if (truth.mechanism == "syn-ack-forged") {
                ++handshakes;
                EXPECT_EQ(seen.flags, 0x12U);
                EXPECT_EQ(seen.payload, "cheat");
                EXPECT_EQ(seen.id, 0x76c9U);
                EXPECT_FALSE(seen.dont_fragment);
            }
        }
        answered_later += has_real && truth.mechanism == "block-page" ? 1 : 0;
    }
    EXPECT_GT(pages, 100U);
    EXPECT_GT(handshakes, 100U);
    EXPECT_EQ(answered_later, pages);
}

TEST(NetworkWorld, OtherProtocolsPassOnOtherPorts) {
    const auto world = make_network_world(plan_with({"protocol-whitelist"}, 400), 121);
    for (const auto& flow : world.flows) {
        const bool is_watched = flow.server_port == 53 || flow.server_port == 80 || flow.server_port == 443;
        const bool belongs = flow.protocol == "tls" || flow.protocol == "http";
        EXPECT_EQ(flow.mechanism == "protocol-whitelist", is_watched && !belongs && flow.dropped > 0);
        if (!is_watched || belongs) EXPECT_EQ(flow.mechanism, "none");
    }
    EXPECT_GT(world.effects.at(0).flows, 150U);
}

TEST(NetworkWorld, WordsBringResetsHoweverTheyAreWrittenAndOthersDoNot) {
    const auto world = make_network_world(plan_with({"http-keyword"}, 600), 141);
    std::uint64_t reset = 0;
    for (const auto& flow : world.flows) {
        EXPECT_EQ(flow.protocol, "http");
        EXPECT_EQ(flow.mechanism == "http-keyword", flow.role == "trigger" && flow.injected > 0);
        if (flow.role == "control") EXPECT_EQ(flow.injected, 0U);
        reset += flow.injected > 0;
    }
    EXPECT_GT(reset, 200U);
    EXPECT_EQ(world.effects.size(), 6U);
    // Of the Chinese words both encodings are asked for.
    std::set<std::string> seen;
    for (const auto& frame : world.client.frames)
        for (const auto* way : {"%E8%87%AA%E7%94%B1", "%D7%D4%D3%C9", "\xD7\xD4\xD3\xC9"})
            if (world.client.bytes(frame).find(way) != std::string_view::npos) seen.insert(way);
    EXPECT_EQ(seen.size(), 3U);
}

/// An independent dissector finds nothing malformed, no wrong checksum, and every planted name.
TEST(NetworkWorld, AnotherDissectorReadsIt) {
    if (std::system("command -v tshark >/dev/null 2>&1") != 0) GTEST_SKIP() << "tshark is not installed";
    std::vector<std::string> mechanisms = network_mechanisms();
    // Foreign protocols on well-known ports are malformed by intent.
    std::erase(mechanisms, "protocol-whitelist");
    const auto plan = plan_with(mechanisms, 30, 200);
    const auto world = make_network_world(plan, 131);
    const test::Folder folder;
    std::ofstream(folder / "a.pcap", std::ios::binary) << pcap_of(world.client, plan.snap_bytes);
    const auto lines_of = [&](const std::string& arguments) {
        const std::string out = folder / "out.txt";
        const std::string command = "tshark -r " + (folder / "a.pcap") + " -o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE -o udp.check_checksum:TRUE " + arguments + " >" + out + " 2>/dev/null";
        EXPECT_EQ(std::system(command.c_str()), 0);
        std::ifstream file(out);
        std::vector<std::string> lines;
        for (std::string line; std::getline(file, line);) lines.push_back(line);
        return lines;
    };
    EXPECT_EQ(lines_of("-T fields -e frame.number").size(), world.client.frames.size());
    EXPECT_THAT(lines_of("-Y '_ws.malformed && !(_ws.expert.message contains \"New fragment overlaps\")'"), ::testing::IsEmpty());
    EXPECT_THAT(lines_of("-Y 'ip.checksum.status==0 || tcp.checksum.status==0 || udp.checksum.status==0'"), ::testing::IsEmpty());
    std::set<std::string> quic, tls, wanted_quic, wanted_tls;
    for (const auto& line : lines_of("-Y 'quic && tls.handshake.type==1' -T fields -e tls.handshake.extensions_server_name")) quic.insert(line.substr(0, line.find(',')));
    for (const auto& line : lines_of("-Y 'tcp && tls.handshake.type==1' -T fields -e tls.handshake.extensions_server_name")) tls.insert(line);
    for (const auto& flow : world.flows) {
        if (flow.protocol == "quic") wanted_quic.insert(flow.name);
        if (flow.scene == "drop-sni" && flow.role == "trigger") wanted_tls.insert(flow.name);
    }
    EXPECT_EQ(quic, wanted_quic);
    for (const auto& name : wanted_tls) EXPECT_EQ(tls.count(name), 1U) << name;
}

}  // namespace
}  // namespace unveil::lab
