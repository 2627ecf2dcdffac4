#include "net/fragments.hpp"

#include <algorithm>
#include <cstring>

namespace unveil {
namespace {

constexpr std::size_t v4_header_bytes = 20;
constexpr std::size_t v6_header_bytes = 40;

void put16(std::uint8_t* at, std::size_t value) {
    at[0] = static_cast<std::uint8_t>(value >> 8);
    at[1] = static_cast<std::uint8_t>(value);
}

}  // namespace

void FragmentTable::give_up(MakingMap::iterator making) {
    if (!making->second.is_spoilt) ++m_dropped;
    m_ages.erase(making->second.age);
    m_making.erase(making);
}

void FragmentTable::spoil(Making& making) {
    if (!making.is_spoilt) ++m_dropped;
    making.is_spoilt = true;
    making.bytes = {};
    making.pieces.clear();
}

bool FragmentTable::add(const Packet& fragment, Packet& whole) {
    if (!fragment.is_fragment) return false;
    const auto is_idle = [&](const Making& making) {
        return fragment.time_ns > making.last_ns &&
               static_cast<std::uint64_t>(fragment.time_ns) - static_cast<std::uint64_t>(making.last_ns) > static_cast<std::uint64_t>(idle_ns_max);
    };
    while (!m_ages.empty()) {
        const auto oldest = m_making.find(m_ages.front());
        if (!is_idle(oldest->second)) break;
        give_up(oldest);
    }

    const bool is_v4 = fragment.ip_version == 4;
    const Key key{fragment.source, fragment.destination, fragment.fragment_id, is_v4 ? fragment.protocol : std::uint8_t{0}, fragment.ip_version};
    auto found = m_making.find(key);
    if (found != m_making.end() && is_idle(found->second)) {
        give_up(found);
        found = m_making.end();
    }
    if (found == m_making.end()) {
        if (m_making.size() >= packets_max) give_up(m_making.find(m_ages.front()));
        found = m_making.emplace(key, Making{}).first;
        found->second.age = m_ages.insert(m_ages.end(), key);
    }
    Making& making = found->second;
    making.last_ns = fragment.time_ns;
    if (making.is_spoilt) return false;

    const std::uint32_t begin = fragment.fragment_offset_bytes;
    const std::uint64_t end_on_wire = std::uint64_t{begin} + fragment.payload_bytes_original;
    const std::size_t bytes_max = is_v4 ? packet_bytes_max - v4_header_bytes : packet_bytes_max;
    // All but the last are of whole eight-byte units (RFC 791, 3.2), and the packet must not be longer than packets can be.
    if (fragment.payload_bytes_original == 0 || end_on_wire > bytes_max || (fragment.has_more_fragments && end_on_wire % 8 != 0)) {
        spoil(making);
        return false;
    }
    const auto end = static_cast<std::uint32_t>(end_on_wire);
    const bool is_last = !fragment.has_more_fragments;
    // Two ends, or something behind the end.
    if ((is_last && ((making.has_last && making.size_bytes != end) || making.highest_end > end)) || (making.has_last && end > making.size_bytes)) {
        spoil(making);
        return false;
    }

    const auto after = making.pieces.upper_bound(begin);
    const auto before = after == making.pieces.begin() ? making.pieces.end() : std::prev(after);
    if (before != making.pieces.end() && before->first == begin && before->second == end &&
        std::memcmp(making.bytes.data() + begin, fragment.payload.data(), fragment.payload.size()) == 0)
        return false;
    const bool overlaps = (before != making.pieces.end() && before->second > begin) || (after != making.pieces.end() && after->first < end);
    if (overlaps || making.pieces.size() >= pieces_max) {
        spoil(making);
        return false;
    }
    making.pieces.emplace_hint(after, begin, end);
    if (making.bytes.size() < end) making.bytes.resize(end);
    std::copy(fragment.payload.begin(), fragment.payload.end(), making.bytes.begin() + begin);
    making.bytes_there += static_cast<std::uint32_t>(fragment.payload.size());
    making.highest_end = std::max(making.highest_end, end);
    if (is_last) {
        making.has_last = true;
        making.size_bytes = end;
    }
    if (begin == 0) {
        making.first = fragment;
        making.first.payload = {};
    }
    // Pieces do not overlap, so their sum tells whether they leave gaps.
    if (!making.has_last || making.bytes_there < making.size_bytes) return false;
    return finish(found, fragment, whole);
}

bool FragmentTable::finish(MakingMap::iterator found, const Packet& fragment, Packet& whole) {
    const Making& making = found->second;
    const Packet& first = making.first;
    // As one packet behind a header of its own, which decode_ip reads like any other: there may be extension headers or a tunnel inside.
    const bool is_v4 = first.ip_version == 4;
    const std::size_t header_bytes = is_v4 ? v4_header_bytes : v6_header_bytes;
    m_whole.assign(header_bytes, 0);
    std::uint8_t* const header = m_whole.data();
    if (is_v4) {
        header[0] = 0x45;
        put16(header + 2, header_bytes + making.size_bytes);
        put16(header + 4, first.ip_id);
        header[6] = first.has_df ? 0x40 : 0;
        header[8] = first.ttl;
        header[9] = first.protocol;
        std::memcpy(header + 12, first.source.bytes.data() + 12, 4);
        std::memcpy(header + 16, first.destination.bytes.data() + 12, 4);
    } else {
        header[0] = 0x60;
        put16(header + 4, making.size_bytes);
        header[6] = first.protocol;
        header[7] = first.ttl;
        std::memcpy(header + 8, first.source.bytes.data(), 16);
        std::memcpy(header + 24, first.destination.bytes.data(), 16);
    }
    m_whole.insert(m_whole.end(), making.bytes.begin(), making.bytes.begin() + making.size_bytes);
    whole.time_ns = fragment.time_ns;
    whole.frame = fragment.frame;
    whole.evidence = fragment.evidence;
    const bool is_packet = decode_ip(m_whole, static_cast<std::uint32_t>(m_whole.size()), whole) == Decoded::packet;
    if (!is_packet) ++m_dropped;
    m_ages.erase(making.age);
    m_making.erase(found);
    return is_packet;
}

}  // namespace unveil
