// Goal: a stream put in order is what a host would have read, under either way of settling overlaps, and nothing that was missing, repeated or
// claimed twice goes unnoticed. Method: random segments with losses, repeats, overlaps, other bytes and sequence numbers that wrap, against a
// table of single bytes.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <vector>

#include "core/random.hpp"
#include "net/tcp_stream.hpp"

namespace unveil {
namespace {

std::span<const std::uint8_t> bytes_of(const std::string& text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }
std::string text_of(std::span<const std::uint8_t> bytes) { return {bytes.begin(), bytes.end()}; }

/// Byte by byte.
struct Model {
    OverlapPolicy policy;
    std::uint32_t bytes_max;
    std::map<std::int64_t, std::uint8_t> bytes;
    std::uint32_t conflicts = 0;

    std::string front() const {
        std::string front;
        for (const auto& [at, byte] : bytes) {
            if (at != static_cast<std::int64_t>(front.size())) break;
            front += static_cast<char>(byte);
        }
        return front;
    }
    TcpStream::Added add(std::int64_t begin, std::span<const std::uint8_t> payload) {
        TcpStream::Added added;
        const std::size_t front_before = front().size();
        std::size_t inside = 0;
        std::size_t there = 0;
        for (std::size_t i = 0; i < payload.size(); ++i) {
            const std::int64_t at = begin + static_cast<std::int64_t>(i);
            if (at < 0 || at >= bytes_max) continue;
            ++inside;
            const auto [found, is_new] = bytes.emplace(at, payload[i]);
            if (is_new) continue;
            ++there;
            if (found->second == payload[i]) continue;
            added.has_conflict = true;
            if (policy == OverlapPolicy::last) found->second = payload[i];
        }
        conflicts += added.has_conflict ? 1 : 0;
        added.is_outside = inside == 0 && !payload.empty();
        added.is_repeat = inside > 0 && there == inside && !added.has_conflict;
        added.has_new = front().size() > front_before;
        return added;
    }
};

void expect_same(const TcpStream::Added& added, const TcpStream::Added& expected) {
    ASSERT_EQ(added.has_new, expected.has_new);
    ASSERT_EQ(added.is_repeat, expected.is_repeat);
    ASSERT_EQ(added.has_conflict, expected.has_conflict);
    ASSERT_EQ(added.is_outside, expected.is_outside);
}

TEST(TcpStream, GivesWhatATableOfBytesGives) {
    for (std::uint64_t seed = 0; seed < 4000; ++seed) {
        SCOPED_TRACE(seed);
        Random random(seed);
        const auto policy = seed % 2 == 0 ? OverlapPolicy::first : OverlapPolicy::last;
        const auto bytes_max = static_cast<std::uint32_t>(seed % 5 == 0 ? 1 + random.below(300) : 2000);
        // Near the wrap, where most mistakes are.
        const auto first = static_cast<std::uint32_t>(0) - static_cast<std::uint32_t>(random.below(400)) + (seed % 7 == 0 ? 0x80000000u : 0u);
        TcpStream stream(policy, bytes_max);
        Model model{policy, bytes_max, {}, 0};
        stream.start(first);
        std::string said(500, ' ');
        for (char& c : said) c = static_cast<char>('a' + random.below(26));
        const std::uint64_t length_max = 1 + random.below(80);
        const bool has_liars = seed % 3 == 0;
        for (int step = 0; step < 60; ++step) {
            const auto begin = static_cast<std::int64_t>(random.below(said.size() + 20)) - 20;
            std::string payload;
            for (std::uint64_t i = 0; i < random.below(length_max); ++i) {
                const auto at = begin + static_cast<std::int64_t>(i);
                payload += at >= 0 && at < static_cast<std::int64_t>(said.size()) ? said[static_cast<std::size_t>(at)] : '?';
            }
            if (has_liars && !payload.empty() && random.below(4) == 0) payload[random.below(payload.size())] ^= 1;
            const auto expected = model.add(begin, bytes_of(payload));
            const auto added = stream.add(first + static_cast<std::uint32_t>(begin), bytes_of(payload));
            expect_same(added, expected);
            const std::string front = model.front();
            ASSERT_EQ(text_of(stream.front()), front);
            ASSERT_EQ(stream.next_sequence(), first + static_cast<std::uint32_t>(front.size()));
            ASSERT_EQ(stream.has_gap(), model.bytes.size() > front.size());
            ASSERT_EQ(stream.conflicts(), model.conflicts);
            if (HasFatalFailure()) return;
        }
    }
}

TEST(TcpStream, AnyOrderOfTheSameSegmentsGivesTheSameBytes) {
    const std::string said = "GET /index.html HTTP/1.1\r\nHost: blocked.example\r\n\r\n";
    for (std::uint64_t seed = 0; seed < 500; ++seed) {
        Random random(seed);
        std::vector<std::pair<std::size_t, std::size_t>> segments;
        for (std::size_t at = 0; at < said.size();) {
            const std::size_t size = std::min<std::size_t>(1 + random.below(9), said.size() - at);
            const std::size_t back = std::min<std::size_t>(random.below(4), at);
            segments.emplace_back(at - back, size + back);
            at += size;
        }
        for (std::size_t i = segments.size(); i > 1; --i) std::swap(segments[i - 1], segments[random.below(i)]);
        TcpStream stream;
        stream.start(0xFFFFFFE0);
        for (const auto& [begin, size] : segments) stream.add(0xFFFFFFE0 + static_cast<std::uint32_t>(begin), bytes_of(said.substr(begin, size)));
        EXPECT_EQ(text_of(stream.front()), said);
        EXPECT_FALSE(stream.has_gap());
        EXPECT_EQ(stream.conflicts(), 0u);
    }
}

TEST(TcpStream, BeginsWithTheFirstSegmentWhenNobodySawTheSyn) {
    TcpStream stream;
    EXPECT_FALSE(stream.has_started());
    EXPECT_TRUE(stream.add(1000, bytes_of("abc")).has_new);
    EXPECT_TRUE(stream.has_started());
    EXPECT_TRUE(stream.add(997, bytes_of("xyz")).is_outside);     // before the first byte
    EXPECT_TRUE(stream.add(998, bytes_of("yzab")).is_repeat);     // what is inside was there
    EXPECT_EQ(text_of(stream.front()), "abc");
    const auto empty = stream.add(5000, {});
    EXPECT_FALSE(empty.has_new || empty.is_repeat || empty.has_conflict || empty.is_outside);
}

TEST(TcpStream, WhatIsFarAwayIsOutside) {
    TcpStream stream;
    stream.start(0);
    stream.add(0, bytes_of("abc"));
    EXPECT_TRUE(stream.add(3 + (1u << 30) + 1, bytes_of("far")).is_outside);
    EXPECT_TRUE(stream.add(0u - (1u << 30), bytes_of("far")).is_outside);
    EXPECT_TRUE(stream.add(64u << 10, bytes_of("behind")).is_outside);
    EXPECT_TRUE(stream.add(3, bytes_of("def")).has_new);
    EXPECT_EQ(text_of(stream.front()), "abcdef");
}

TEST(TcpStream, AStreamOfManyGigabytesDoesNotSeemToBeginAnew) {
    for (const std::uint32_t missing : {0u, 1000u}) {
        TcpStream stream(OverlapPolicy::first, 4096);
        stream.start(77);
        std::vector<std::uint8_t> segment(60'000, 'a');
        std::uint32_t sequence = 77 + missing;   // with a first segment that was lost, nothing ever fills the gap
        std::uint64_t sent = 0;
        while (sent < (9ull << 30)) {
            const auto added = stream.add(sequence, segment);
            ASSERT_EQ(added.is_outside, sent > 0) << sent;
            sequence += static_cast<std::uint32_t>(segment.size());
            sent += segment.size();
            std::fill(segment.begin(), segment.begin() + 4096, 'b');   // so that a false beginning would show
        }
        EXPECT_EQ(stream.conflicts(), 0u);
        EXPECT_EQ(stream.front().size(), missing == 0 ? 4096u : 0u);
    }
}

TEST(TcpStream, PiecesAreBounded) {
    TcpStream stream;
    stream.start(0);
    std::size_t outside = 0;
    for (unsigned i = 0; i < 2000; ++i) outside += stream.add(2 * i + 1, bytes_of("x")).is_outside;
    EXPECT_EQ(outside, 2000 - TcpStream::pieces_max);
    // Filling a gap needs no further piece.
    EXPECT_TRUE(stream.add(0, bytes_of("abc")).has_new);
    EXPECT_EQ(text_of(stream.front()), "axcx");
    EXPECT_EQ(stream.conflicts(), 1u);   // b was x before
}

TEST(TcpStream, AReleasedStreamTakesNoMore) {
    TcpStream stream;
    stream.start(10);
    stream.add(10, bytes_of("abc"));
    stream.release();
    EXPECT_EQ(stream.next_sequence(), 13u);
    EXPECT_TRUE(stream.add(13, bytes_of("def")).is_outside);
    EXPECT_TRUE(stream.front().empty());
    EXPECT_FALSE(stream.has_gap());
}

}  // namespace
}  // namespace unveil
