// Goal: fragments in any order make the packet they were cut from, and whoever sends overlapping, endless or too many ones gets nothing through.
// Method: packets cut at random, shuffled, mixed with those of other packets, repeated, falsified; frames are decoded from their bytes.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/random.hpp"
#include "net/fragments.hpp"

namespace unveil {
namespace {

constexpr std::int64_t second_ns = 1'000'000'000;
using Bytes = std::vector<std::uint8_t>;

struct Piece {
    Packet packet;
    Bytes bytes;   // holds what packet.payload points at
};

enum class Kind { v4, v6 };

/// The UDP datagram that is cut up.
Bytes datagram(std::size_t payload_bytes, Random& random) {
    const std::size_t length = 8 + payload_bytes;
    Bytes bytes = {0x14, 0xE9, 0x00, 0x35, static_cast<std::uint8_t>(length >> 8), static_cast<std::uint8_t>(length), 0, 0};
    for (std::size_t i = 0; i < payload_bytes; ++i) bytes.push_back(static_cast<std::uint8_t>(random.below(256)));
    return bytes;
}

Piece piece(Kind kind, std::uint32_t id, const Bytes& whole, std::size_t begin, std::size_t end, std::int64_t time_ns, bool has_more) {
    Piece made;
    made.bytes.assign(whole.begin() + static_cast<std::ptrdiff_t>(begin), whole.begin() + static_cast<std::ptrdiff_t>(end));
    Packet& packet = made.packet;
    packet.time_ns = time_ns;
    packet.ip_version = kind == Kind::v4 ? 4 : 6;
    packet.source = ipv4_address(0xC0000201);
    packet.destination = ipv4_address(0xC0000202);
    if (kind == Kind::v6) {
        parse_address("2001:db8::1", packet.source);
        parse_address("2001:db8::2", packet.destination);
    }
    packet.protocol = 17;
    packet.ttl = static_cast<std::uint8_t>(begin == 0 ? 64 : 63);
    packet.is_fragment = true;
    packet.fragment_id = id;
    packet.ip_id = kind == Kind::v4 ? static_cast<std::uint16_t>(id) : 0;
    packet.fragment_offset_bytes = static_cast<std::uint32_t>(begin);
    packet.has_more_fragments = has_more;
    packet.payload_bytes_original = static_cast<std::uint32_t>(end - begin);
    return made;
}

std::vector<Piece> pieces_of(Kind kind, std::uint32_t id, const Bytes& whole, Random& random, std::int64_t time_ns) {
    std::vector<Piece> pieces;
    for (std::size_t begin = 0; begin < whole.size();) {
        std::size_t end = std::min(whole.size(), begin + 8 * (1 + random.below(20)));
        if (begin == 0 && end == whole.size()) end = 8;
        pieces.push_back(piece(kind, id, whole, begin, end, time_ns, end < whole.size()));
        begin = end;
    }
    return pieces;
}

bool add(FragmentTable& table, Piece& given, Packet& whole) {
    given.packet.payload = given.bytes;
    return table.add(given.packet, whole);
}

template <typename Item>
void shuffle(std::vector<Item>& items, Random& random) {
    for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[random.below(i)]);
}

TEST(Fragments, InAnyOrderMakeTheirPacket) {
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        SCOPED_TRACE(seed);
        Random random(seed);
        FragmentTable table;
        std::vector<Bytes> wholes;
        std::vector<Piece> pieces;
        const std::size_t packets = 1 + random.below(6);
        for (std::size_t i = 0; i < packets; ++i) {
            wholes.push_back(datagram(16 + random.below(seed % 10 == 0 ? 60'000 : 600), random));
            const Kind kind = random.below(2) == 0 ? Kind::v4 : Kind::v6;
            const auto own = pieces_of(kind, static_cast<std::uint32_t>(100 + i), wholes.back(), random, second_ns);
            pieces.insert(pieces.end(), own.begin(), own.end());
        }
        // The same fragment seen twice, as a capture on two interfaces sees it.
        if (seed % 2 == 0) {
            shuffle(pieces, random);
            const auto again = pieces[random.below(pieces.size())];
            const auto at = std::find_if(pieces.begin(), pieces.end(), [&](const Piece& one) {
                return one.packet.fragment_id == again.packet.fragment_id && one.packet.fragment_offset_bytes == again.packet.fragment_offset_bytes;
            });
            pieces.insert(std::next(at), again);
            // Unless it is the one that completes the packet, after which it begins another.
        } else {
            shuffle(pieces, random);
        }
        std::size_t made = 0;
        for (Piece& one : pieces) {
            Packet whole;
            if (!add(table, one, whole)) continue;
            ++made;
            const Bytes& expected = wholes.at(one.packet.fragment_id - 100);
            EXPECT_TRUE(std::equal(whole.payload.begin(), whole.payload.end(), expected.begin() + 8, expected.end()));
            EXPECT_FALSE(whole.is_fragment);
            EXPECT_EQ(whole.source_port, 5353);
            EXPECT_EQ(whole.destination_port, 53);
            EXPECT_EQ(whole.protocol, 17);
            EXPECT_EQ(whole.ttl, 64);   // of the first fragment
            EXPECT_EQ(whole.time_ns, second_ns);
            EXPECT_EQ(whole.ip_version, one.packet.ip_version);
            EXPECT_EQ(whole.source, one.packet.source);
        }
        EXPECT_EQ(made, packets);
        EXPECT_EQ(table.dropped(), 0u);
        EXPECT_LE(table.size(), 1u);
    }
}

TEST(Fragments, WithoutOneOfThemThereIsNoPacket) {
    Random random(1);
    const Bytes whole = datagram(300, random);
    auto pieces = pieces_of(Kind::v4, 1, whole, random, 0);
    ASSERT_GT(pieces.size(), 2u);
    for (std::size_t lost = 0; lost < pieces.size(); ++lost) {
        FragmentTable table;
        Packet made;
        for (std::size_t i = 0; i < pieces.size(); ++i)
            if (i != lost) {
                EXPECT_FALSE(add(table, pieces[i], made));
            }
        EXPECT_EQ(table.size(), 1u);
        // Later than the limit it is given up, and the missing one comes too late.
        pieces[lost].packet.time_ns = FragmentTable::idle_ns_max + 1;
        EXPECT_FALSE(add(table, pieces[lost], made));
        EXPECT_EQ(table.dropped(), 1u);
        pieces[lost].packet.time_ns = 0;
    }
}

TEST(Fragments, OverlapsSpoilTheirPacket) {
    Random random(2);
    const Bytes whole = datagram(392, random);   // 400 bytes
    for (std::size_t begin = 0; begin < 400; begin += 8)
        for (std::size_t end = begin + 8; end <= 400; end += 8) {
            FragmentTable table;
            Packet made;
            auto first = piece(Kind::v4, 1, whole, 0, 160, 0, true);
            auto middle = piece(Kind::v4, 1, whole, 160, 320, 0, true);
            auto last = piece(Kind::v4, 1, whole, 320, 400, 0, false);
            auto odd = piece(Kind::v4, 1, whole, begin, end, 0, end < 400);
            add(table, first, made);
            add(table, last, made);
            const bool is_same = (begin == 0 && end == 160) || (begin == 320 && end == 400);
            const bool fits = begin >= 160 && end <= 320;
            const bool completes = add(table, odd, made);
            EXPECT_EQ(completes, begin == 160 && end == 320);
            if (completes) continue;
            EXPECT_EQ(table.dropped(), is_same || fits ? 0u : 1u) << begin << " " << end;
            // What still comes does not mend it, unless nothing was wrong.
            EXPECT_EQ(add(table, middle, made), is_same);
        }
}

TEST(Fragments, TheSamePlaceWithOtherBytesSpoilsThePacket) {
    Random random(3);
    const Bytes whole = datagram(92, random);
    auto first = piece(Kind::v6, 1, whole, 0, 48, 0, true);
    auto forged = first;
    forged.bytes[20] ^= 1;
    auto last = piece(Kind::v6, 1, whole, 48, 100, 0, false);
    FragmentTable table;
    Packet made;
    EXPECT_FALSE(add(table, first, made));
    EXPECT_FALSE(add(table, forged, made));
    EXPECT_FALSE(add(table, last, made));
    EXPECT_EQ(table.dropped(), 1u);
}

TEST(Fragments, EndsThatContradictEachOtherSpoilThePacket) {
    Random random(4);
    const Bytes whole = datagram(192, random);
    const auto dropped = [&](std::vector<Piece> pieces) {
        FragmentTable table;
        Packet made;
        for (Piece& one : pieces) EXPECT_FALSE(add(table, one, made));
        return table.dropped();
    };
    EXPECT_EQ(dropped({piece(Kind::v4, 1, whole, 80, 160, 0, false), piece(Kind::v4, 1, whole, 160, 200, 0, false)}), 1u);
    EXPECT_EQ(dropped({piece(Kind::v4, 1, whole, 80, 160, 0, false), piece(Kind::v4, 1, whole, 160, 168, 0, true)}), 1u);
    EXPECT_EQ(dropped({piece(Kind::v4, 1, whole, 160, 168, 0, true), piece(Kind::v4, 1, whole, 80, 160, 0, false)}), 1u);
    EXPECT_EQ(dropped({piece(Kind::v4, 1, whole, 0, 81, 0, true)}), 1u);        // no whole units
    EXPECT_EQ(dropped({piece(Kind::v4, 1, whole, 0, 0, 0, true)}), 1u);         // empty
    auto beyond = piece(Kind::v4, 1, whole, 0, 80, 0, false);
    beyond.packet.fragment_offset_bytes = 65'528;
    EXPECT_EQ(dropped({beyond}), 1u);                                           // longer than packets can be
}

TEST(Fragments, PacketsInTheMakingAreBounded) {
    Random random(5);
    const Bytes whole = datagram(92, random);
    FragmentTable table;
    Packet made;
    constexpr std::uint32_t more = 500;
    for (std::uint32_t id = 0; id < FragmentTable::packets_max + more; ++id) {
        auto first = piece(Kind::v6, id, whole, 0, 48, id, true);
        EXPECT_FALSE(add(table, first, made));
        EXPECT_LE(table.size(), FragmentTable::packets_max);
    }
    EXPECT_EQ(table.dropped(), more);
    auto of_oldest = piece(Kind::v6, more, whole, 48, 100, 0, false);   // the oldest that is left, at an earlier time
    EXPECT_TRUE(add(table, of_oldest, made));
    auto of_gone = piece(Kind::v6, more - 1, whole, 48, 100, 0, false);
    EXPECT_FALSE(add(table, of_gone, made));
}

TEST(Fragments, TimesThatRunBackwardsGiveNothingUp) {
    Random random(6);
    const Bytes whole = datagram(92, random);
    FragmentTable table;
    Packet made;
    auto first = piece(Kind::v4, 1, whole, 0, 48, INT64_MAX, true);
    auto last = piece(Kind::v4, 1, whole, 48, 100, INT64_MIN, false);
    EXPECT_FALSE(add(table, first, made));
    EXPECT_TRUE(add(table, last, made));
    EXPECT_EQ(table.dropped(), 0u);
}

TEST(Fragments, ACutFragmentMakesNoPacket) {
    Random random(7);
    const Bytes whole = datagram(92, random);
    FragmentTable table;
    Packet made;
    auto first = piece(Kind::v4, 1, whole, 0, 48, 0, true);
    first.bytes.resize(20);
    auto last = piece(Kind::v4, 1, whole, 48, 100, 0, false);
    EXPECT_FALSE(add(table, first, made));
    EXPECT_FALSE(add(table, last, made));
}

}  // namespace
}  // namespace unveil
