#include "instruments/interference/two_sided.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <tuple>
#include <unordered_set>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "core/random.hpp"
#include "net/flow_table.hpp"

namespace unveil {
namespace {

std::uint64_t hash_of(const void* data, std::size_t bytes) { return hash_bytes({static_cast<const char*>(data), bytes}); }

std::uint64_t print_of(const Packet& packet, std::uint64_t flow, bool is_from_low) {
    std::uint64_t print = mix64(flow ^ (is_from_low ? 1 : 2));
    for (const std::uint64_t part : {std::uint64_t{packet.sequence} << 32 | packet.acknowledgement,
                                     std::uint64_t{packet.ip_id} << 48 | std::uint64_t{packet.tcp_flags} << 40 | packet.payload_bytes_original})
        print = mix64(print ^ part);
    return mix64(print ^ hash_of(packet.payload.data(), packet.payload.size()));
}

UnsentKind kind_of(const Packet& packet) {
    if (packet.is_tcp()) {
        if (packet.has_flag(tcp_flag::rst)) return UnsentKind::reset;
        if (packet.has_flag(tcp_flag::syn) && packet.has_flag(tcp_flag::ack)) return UnsentKind::syn_ack;
        return packet.payload_bytes_original > 0 ? UnsentKind::data : UnsentKind::other;
    }
    return packet.source_port == 53 ? UnsentKind::dns_answer : UnsentKind::data;
}

}  // namespace

std::string_view unsent_kind_name(UnsentKind kind) {
    constexpr std::array<std::string_view, unsent_kinds> names = {"reset", "syn-ack", "dns-answer", "data", "other"};
    return names[static_cast<std::size_t>(kind)];
}

double TwoSidedResult::log_likelihood_ratio() const {
    constexpr double ratio_max = 12;
    return std::min(ratio_max, std::log((static_cast<double>(ordinary_arrived) + 2) / (static_cast<double>(ordinary_unsent) + 1)));
}

void TwoSided::add(unsigned side, std::span<const Frame> frames) {
    UNVEIL_ASSERT(side < 2);
    for (const Frame& frame : frames) {
        Packet packet;
        if (decode_packet(frame, packet) != Decoded::packet || packet.is_fragment || !(packet.is_tcp() || packet.is_udp())) continue;
        if (m_seen[side].size() >= packets_max) {
            ++m_left_out;
            continue;
        }
        bool is_from_low = false;
        const std::uint64_t flow = flow_hash(flow_key(packet, is_from_low));
        // Who speaks first where the client is captured is the client; a reset or an answer never is.
        const bool is_opening = !packet.is_tcp() || !packet.has_flag(tcp_flag::ack);
        const auto [known, is_new] = m_is_client_low.emplace(flow, is_opening ? is_from_low : !is_from_low);
        const std::uint64_t pair = mix64(hash_of(packet.source.bytes.data(), 16)) ^ hash_of(packet.destination.bytes.data(), 16);
        const auto [number, is_new_pair] = m_address_numbers.emplace(pair, static_cast<std::uint32_t>(m_addresses.size()));
        if (is_new_pair) m_addresses.emplace_back(packet.source, packet.destination);
        m_seen[side].push_back({print_of(packet, flow, is_from_low), flow, packet.time_ns, packet.frame, number->second, packet.evidence,
                                known->second == is_from_low, kind_of(packet)});
    }
}

TwoSidedResult TwoSided::finish() {
    TwoSidedResult result;
    result.left_out = m_left_out;
    struct Times {
        std::int64_t first_ns = 0;
        bool is_single = true;        // the same packet sent again is not to be told from the first
    };
    std::array<std::unordered_map<std::uint64_t, Times>, 2> times;   // by print
    for (unsigned side = 0; side < 2; ++side)
        for (const Seen& seen : m_seen[side]) {
            const auto [known, is_new] = times[side].emplace(seen.print, Times{seen.time_ns});
            known->second.is_single = is_new;
        }
    std::unordered_set<std::uint64_t> both;
    // Clocks drift: every minute has bounds of its own.
    struct Bounds {
        double low = -std::numeric_limits<double>::infinity();
        double high = std::numeric_limits<double>::infinity();
    };
    std::map<std::int64_t, Bounds> minutes;
    constexpr std::int64_t minute_ns = 60'000'000'000;
    for (const Seen& seen : m_seen[0]) {
        const auto there = times[1].find(seen.print);
        if (there == times[1].end()) continue;
        both.insert(seen.flow);
        if (!there->second.is_single || !times[0].at(seen.print).is_single) continue;
        const double difference = static_cast<double>(there->second.first_ns - seen.time_ns) / 1e9;
        Bounds& bounds = minutes[seen.time_ns / minute_ns];
        if (seen.is_from_client) bounds.high = std::min(bounds.high, difference);
        else bounds.low = std::max(bounds.low, difference);
    }
    result.flows_both = both.size();
    bool is_possible = true;
    for (const auto& [minute, bounds] : minutes) {
        if (!std::isfinite(bounds.low) || !std::isfinite(bounds.high)) continue;
        is_possible = is_possible && bounds.low <= bounds.high;
        result.offset_low_seconds = result.is_aligned ? std::min(result.offset_low_seconds, bounds.low) : bounds.low;
        result.offset_high_seconds = result.is_aligned ? std::max(result.offset_high_seconds, bounds.high) : bounds.high;
        result.is_aligned = true;
    }
    result.is_aligned = result.is_aligned && is_possible;
    for (unsigned side = 0; side < 2; ++side)
        for (const Seen& seen : m_seen[side]) {
            const bool has_arrived = seen.is_from_client == (side == 1);
            if (!has_arrived || both.count(seen.flow) == 0) continue;
            ++result.arrived;
            const bool is_ordinary = seen.kind == UnsentKind::data || seen.kind == UnsentKind::other;
            result.ordinary_arrived += is_ordinary;
            if (times[1 - side].count(seen.print) > 0) continue;
            ++result.unsent;
            result.ordinary_unsent += is_ordinary;
            ++result.by_kind[static_cast<std::size_t>(seen.kind)];
            if (result.examples.size() >= TwoSidedResult::examples_max) continue;
            const auto& [from, to] = m_addresses[seen.addresses];
            result.examples.push_back({{seen.evidence, seen.frame}, from, to, seen.kind});
        }
    std::sort(result.examples.begin(), result.examples.end(), [](const auto& a, const auto& b) { return a.where < b.where; });
    return result;
}

}  // namespace unveil
