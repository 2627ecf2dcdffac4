// Goal: captures of every kind give the frames that were put into them, and damaged ones all that can be told, with counted and located skips.
// Method: files are put together byte by byte in both byte orders, read in pieces of several sizes, cut at every byte, and falsified length by
// length; real captures are read to the end where they are there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <filesystem>

#include "core/digest.hpp"
#include "core/error.hpp"
#include "evidence/capture.hpp"
#include "evidence/open.hpp"
#include "evidence/table_posts.hpp"

namespace unveil {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

enum class Order { little, big };

struct Bytes {
    Order order = Order::little;
    std::string out;

    void number(std::uint64_t value, std::size_t size) {
        for (std::size_t i = 0; i < size; ++i) out += static_cast<char>(value >> 8 * (order == Order::little ? i : size - 1 - i) & 0xFF);
    }
    void u16(std::uint64_t value) { number(value, 2); }
    void u32(std::uint64_t value) { number(value, 4); }
    void u64(std::uint64_t value) { number(value, 8); }

    void pcap_header(std::uint32_t magic, std::uint32_t link, std::uint32_t snap = 65'535, std::uint16_t minor = 4) {
        u32(magic);
        u16(2);
        u16(minor);
        u32(0);
        u32(0);
        u32(snap);
        u32(link);
    }
    void pcap_record(std::uint32_t seconds, std::uint32_t fraction, std::string_view bytes, std::uint32_t original) {
        u32(seconds);
        u32(fraction);
        u32(bytes.size());
        u32(original);
        out += bytes;
    }
    void block(std::uint32_t type, std::string body) {
        body.resize((body.size() + 3) / 4 * 4);
        u32(type);
        u32(body.size() + 12);
        out += body;
        u32(body.size() + 12);
    }
    Bytes part() const { return {order, {}}; }
    void section() {
        Bytes body = part();
        body.u32(0x1A2B3C4D);
        body.u16(1);
        body.u16(0);
        body.u64(UINT64_MAX);
        block(0x0A0D0D0A, body.out);
    }
    void interface(std::uint16_t link, std::uint32_t snap, const std::string& options = {}) {
        Bytes body = part();
        body.u16(link);
        body.u16(0);
        body.u32(snap);
        block(1, body.out + options);
    }
    std::string option(std::uint16_t code, std::string value) const {
        Bytes body = part();
        body.u16(code);
        body.u16(value.size());
        value.resize((value.size() + 3) / 4 * 4);
        return body.out + value;
    }
    std::string option_u64(std::uint16_t code, std::uint64_t number_of_option) const {
        Bytes value = part();
        value.u64(number_of_option);
        return option(code, value.out);
    }
    void packet(std::uint32_t interface_id, std::uint64_t ticks, std::string_view bytes, std::uint32_t original) {
        Bytes body = part();
        body.u32(interface_id);
        body.u32(ticks >> 32);
        body.u32(ticks & 0xFFFFFFFF);
        body.u32(bytes.size());
        body.u32(original);
        block(6, body.out + std::string(bytes));
    }
};

struct SeenFrame {
    std::int64_t time_ns = 0;
    std::uint64_t number = 0;
    std::uint32_t bytes_original = 0;
    std::uint16_t link_type = 0;
    std::string bytes;
    bool operator==(const SeenFrame&) const = default;
};
void PrintTo(const SeenFrame& frame, std::ostream* out) {
    *out << "#" << frame.number << " t=" << frame.time_ns << " of " << frame.bytes_original << " link " << frame.link_type << " '" << frame.bytes << "'";
}

struct Seen {
    std::vector<SeenFrame> frames;
    SourceReport report;
    std::uint64_t skipped(std::string_view reason) const {
        const auto found = report.tally.skips().find(reason);
        return found == report.tally.skips().end() ? 0 : found->second.count;
    }
    std::uint64_t noted(std::string_view what) const {
        const auto found = report.tally.notes().find(what);
        return found == report.tally.notes().end() ? 0 : found->second;
    }
    std::string example() const { return report.tally.skips().empty() ? "" : report.tally.skips().begin()->second.examples.at(0); }
};

Seen read(const std::string& bytes, std::size_t piece_bytes = SIZE_MAX, EvidenceLimits limits = {}) {
    const auto source = open_capture_from(memory_input(bytes, piece_bytes), "capture", 5, limits);
    Seen seen;
    std::vector<Frame> batch;
    while (source->next(batch)) {
        EXPECT_FALSE(batch.empty());
        EXPECT_LE(batch.size(), FrameSource::batch_frames_max);
        for (const Frame& frame : batch) {
            EXPECT_EQ(frame.evidence, 5u);
            seen.frames.push_back({frame.time_ns, frame.number, frame.bytes_original, frame.link_type,
                                   std::string(reinterpret_cast<const char*>(frame.bytes.data()), frame.bytes.size())});
        }
    }
    EXPECT_FALSE(source->next(batch));
    seen.report = source->report();
    EXPECT_EQ(seen.report.tally.kept(), seen.frames.size());
    EXPECT_EQ(seen.report.sha256, sha256_hex(bytes));
    EXPECT_EQ(seen.report.bytes, bytes.size());
    return seen;
}

std::string error_of(const std::string& bytes) {
    try {
        read(bytes);
    } catch (const Error& error) {
        return error.what();
    }
    return "no error";
}

constexpr std::int64_t second_ns = 1'000'000'000;

TEST(Capture, ReadsPcapInBothOrdersAndResolutions) {
    for (const Order order : {Order::little, Order::big})
        for (const std::uint32_t magic : {0xA1B2C3D4u, 0xA1B23C4Du})
            for (const std::size_t piece : {std::size_t{1}, std::size_t{17}, SIZE_MAX}) {
                Bytes file{order, {}};
                file.pcap_header(magic, 101);
                file.pcap_record(1'700'000'000, 999'999, "first", 5);
                file.pcap_record(1'700'000'001, 1, "", 0);
                file.pcap_record(4'294'967'295, 0, "cut", 1500);
                const Seen seen = read(file.out, piece);
                const std::int64_t unit_ns = magic == 0xA1B23C4Du ? 1 : 1000;
                EXPECT_THAT(seen.frames, ElementsAre(SeenFrame{1'700'000'000 * second_ns + 999'999 * unit_ns, 1, 5, 101, "first"},
                                                     SeenFrame{1'700'000'001 * second_ns + unit_ns, 2, 0, 101, ""},
                                                     SeenFrame{4'294'967'295 * second_ns, 3, 1500, 101, "cut"}));
                EXPECT_EQ(seen.report.format, "pcap");
                EXPECT_EQ(seen.report.tally.skipped(), 0u);
                EXPECT_EQ(seen.report.time_first_us, (1'700'000'000 * second_ns + 999'999 * unit_ns) / 1000);
                EXPECT_EQ(seen.report.time_last_us, 4'294'967'295 * 1'000'000);
            }
}

TEST(Capture, ReadsOldAndModifiedPcap) {
    Bytes modified;
    modified.pcap_header(0xA1B2CD34, 1);
    for (const std::string_view bytes : {"one", "three"}) {
        modified.u32(10);
        modified.u32(20);
        modified.u32(bytes.size());
        modified.u32(60);
        modified.out += "ifinPRtp";   // interface, protocol, packet type, padding
        modified.out += bytes;
    }
    EXPECT_THAT(read(modified.out).frames, ElementsAre(SeenFrame{10 * second_ns + 20'000, 1, 60, 1, "one"}, SeenFrame{10 * second_ns + 20'000, 2, 60, 1, "three"}));

    // Version 2.2 has the original length first, 2.3 either way round.
    Bytes old;
    old.pcap_header(0xA1B2C3D4, 1, 65'535, 2);
    old.u32(1);
    old.u32(0);
    old.u32(90);
    old.u32(4);
    old.out += "four";
    EXPECT_THAT(read(old.out).frames, ElementsAre(SeenFrame{second_ns, 1, 90, 1, "four"}));
    Bytes either;
    either.pcap_header(0xA1B2C3D4, 1, 65'535, 3);
    either.pcap_record(1, 0, "four", 90);
    either.u32(2);
    either.u32(0);
    either.u32(90);
    either.u32(4);
    either.out += "five";
    EXPECT_THAT(read(either.out).frames, ElementsAre(SeenFrame{second_ns, 1, 90, 1, "four"}, SeenFrame{2 * second_ns, 2, 90, 1, "five"}));
}

TEST(Capture, TakesFrameCheckSequencesOff) {
    Bytes file;
    file.pcap_header(0xA1B2C3D4, 1u | 0x04000000u | 2u << 28);
    file.pcap_record(1, 0, "wholeFCS!", 9);
    file.pcap_record(1, 0, "cut", 100);
    file.pcap_record(1, 0, "almostF", 9);
    file.pcap_record(1, 0, "F", 1);
    EXPECT_THAT(read(file.out).frames, ElementsAre(SeenFrame{second_ns, 1, 5, 1, "whole"}, SeenFrame{second_ns, 2, 96, 1, "cut"},
                                                   SeenFrame{second_ns, 3, 5, 1, "almos"}, SeenFrame{second_ns, 4, 1, 1, "F"}));
}

TEST(Capture, ReadsPcapngSectionsInterfacesAndResolutions) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{33}, SIZE_MAX}) {
        Bytes file;
        file.section();
        file.interface(1, 0);                                                             // microseconds
        file.interface(113, 0, file.option(9, std::string(1, 9)) + file.option(1, "x"));  // nanoseconds
        file.interface(101, 0, file.option(2, "eth0") + file.option(9, std::string(1, '\x8A')) + file.option(0, ""));   // 2^-10 s
        file.interface(228, 0, file.option(9, std::string(1, 0)) + file.option_u64(14, static_cast<std::uint64_t>(-100)));   // seconds, offset
        file.interface(229, 0, file.option(9, std::string(1, 12)));                       // picoseconds
        file.packet(0, 1'700'000'000'000'001, "micro", 5);
        file.packet(1, 1'700'000'000'000'000'001, "nano", 44);
        file.packet(2, 1'700'000'000ULL << 10 | 512, "binary", 6);
        file.packet(3, 1'700'000'000, "seconds", 7);
        file.packet(4, 1'700'000'999'999, "pico", 4);
        file.block(4, "names");
        file.block(5, "counts");
        file.block(10, "secrets");
        file.block(0xBAD, "custom");
        file.block(0x7777, "whatever");
        // Another section in the other byte order, whose interface 0 is another one.
        file.order = Order::big;
        file.section();
        file.interface(276, 0, file.option_u64(14, 100));
        file.packet(0, 5, "big", 3);
        const Seen seen = read(file.out, piece);
        EXPECT_THAT(seen.frames,
                    ElementsAre(SeenFrame{1'700'000'000'000'001'000, 1, 5, 1, "micro"}, SeenFrame{1'700'000'000'000'000'001, 2, 44, 113, "nano"},
                                SeenFrame{1'700'000'000'500'000'000, 3, 6, 101, "binary"}, SeenFrame{1'699'999'900 * second_ns, 4, 7, 228, "seconds"},
                                SeenFrame{1'700'000'999, 5, 4, 229, "pico"}, SeenFrame{100 * second_ns + 5'000, 6, 3, 276, "big"}));
        EXPECT_EQ(seen.report.format, "pcapng");
        EXPECT_EQ(seen.report.tally.skipped(), 0u);
        for (const auto* what : {"name resolution blocks, not used", "interface statistics blocks, not used", "decryption secrets blocks, not used",
                                 "custom blocks, not used", "blocks of an unknown type, not used", "further sections"})
            EXPECT_EQ(seen.noted(what), 1u) << what;
        EXPECT_EQ(seen.noted("packets earlier than the one before them"), 3u);
    }
}

TEST(Capture, ReadsSimpleAndOldPacketBlocks) {
    Bytes file;
    file.section();
    file.interface(1, 4);
    Bytes simple = file.part();
    simple.u32(9);
    file.block(3, simple.out + "nine");   // cut to the limit of the interface
    file.packet(0, 7, "x", 1);
    file.block(3, simple.out + "more");
    Bytes old = file.part();
    old.u16(0);
    old.u16(3);   // drops
    old.u32(0);
    old.u32(8);
    old.u32(2);
    old.u32(99);
    file.block(2, old.out + "ab" + std::string(2, '\0') + file.option(2, "option"));
    const Seen seen = read(file.out);
    EXPECT_THAT(seen.frames, ElementsAre(SeenFrame{0, 1, 9, 1, "nine"}, SeenFrame{7'000, 2, 1, 1, "x"}, SeenFrame{7'000, 3, 9, 1, "more"},
                                         SeenFrame{8'000, 4, 99, 1, "ab"}));
    EXPECT_EQ(seen.noted("packets without a time, which got that of the packet before"), 2u);
}

TEST(Capture, TimesBeyondTheClockStopAtItsEnds) {
    Bytes file;
    file.section();
    file.interface(1, 0, file.option(9, std::string(1, 0)));
    file.interface(1, 0, file.option(9, std::string(1, 0)) + file.option_u64(14, 1ull << 63));
    file.interface(1, 0, file.option(9, std::string(1, 127)));
    file.interface(1, 0, file.option(9, std::string(1, '\xFF')));
    for (const unsigned i : {0u, 1u, 2u, 3u}) file.packet(i, i == 1 ? 5 : UINT64_MAX, "", 0);
    const Seen seen = read(file.out);
    ASSERT_EQ(seen.frames.size(), 4u);
    EXPECT_EQ(seen.frames[0].time_ns, INT64_MAX);
    EXPECT_EQ(seen.frames[1].time_ns, INT64_MIN);
    EXPECT_EQ(seen.frames[2].time_ns, 0);
    EXPECT_EQ(seen.frames[3].time_ns, 0);
}

/// A file of each kind with frames that can be told apart, and where each of its records begins.
constexpr std::size_t section_bytes = 28;
struct Sample {
    std::string bytes;
    std::size_t first_begin = 0;
    std::vector<std::size_t> ends;   // of the record that holds frame i
};
Sample sample_pcap() {
    Bytes file;
    file.pcap_header(0xA1B2C3D4, 1);
    Sample sample;
    sample.first_begin = file.out.size();
    for (unsigned i = 0; i < 6; ++i) {
        file.pcap_record(i, 0, std::string(i * 3, static_cast<char>('a' + i)), i * 3);
        sample.ends.push_back(file.out.size());
    }
    sample.bytes = file.out;
    return sample;
}
Sample sample_pcapng() {
    Bytes file;
    file.section();
    file.interface(1, 0);
    Sample sample;
    sample.first_begin = file.out.size();
    for (unsigned i = 0; i < 6; ++i) {
        file.packet(0, i, std::string(i * 3, static_cast<char>('a' + i)), i * 3);
        sample.ends.push_back(file.out.size());
    }
    sample.bytes = file.out;
    return sample;
}

TEST(Capture, AFileThatWasCutGivesEverythingBeforeTheCut) {
    for (const Sample& sample : {sample_pcap(), sample_pcapng()}) {
        const Seen whole = read(sample.bytes);
        ASSERT_EQ(whole.frames.size(), 6u);
        for (std::size_t size = section_bytes; size < sample.bytes.size(); ++size) {
            SCOPED_TRACE(size);
            const Seen seen = read(sample.bytes.substr(0, size));
            const auto expected = static_cast<std::size_t>(
                std::count_if(sample.ends.begin(), sample.ends.end(), [&](std::size_t end) { return end <= size; }));
            ASSERT_EQ(seen.frames.size(), expected);
            EXPECT_TRUE(std::equal(seen.frames.begin(), seen.frames.end(), whole.frames.begin()));
            const bool is_between = size == sample.first_begin || std::find(sample.ends.begin(), sample.ends.end(), size) != sample.ends.end() ||
                                    (whole.report.format == "pcapng" && size == section_bytes);
            EXPECT_EQ(seen.report.tally.skipped(), is_between ? 0u : 1u);
            if (seen.report.tally.skipped() > 0) {
                EXPECT_THAT(seen.example(), HasSubstr("capture:byte "));
            }
        }
    }
}

TEST(Capture, AbsurdLengthsEndTheReadingAndAreLocated) {
    Sample sample = sample_pcap();
    const std::size_t third = sample.ends[1];
    sample.bytes.replace(third + 8, 4, "\xFF\xFF\xFF\x7F");
    const Seen seen = read(sample.bytes);
    EXPECT_EQ(seen.frames.size(), 2u);
    EXPECT_EQ(seen.skipped("the length of a packet is absurd; nothing behind it can be found"), 1u);
    EXPECT_THAT(seen.example(), HasSubstr("capture:byte " + std::to_string(third)));
    EXPECT_EQ(seen.noted("bytes behind a break, not read"), sample.bytes.size() - third);

    for (const std::string_view length : {std::string_view("\x05\0\0\0", 4), std::string_view("\x21\0\0\0", 4), std::string_view("\0\0\0\0", 4)}) {
        Sample blocks = sample_pcapng();
        blocks.bytes.replace(blocks.ends[1] + 4, 4, length);
        const Seen cut = read(blocks.bytes);
        EXPECT_EQ(cut.frames.size(), 2u);
        EXPECT_EQ(cut.skipped("the length of a block makes no sense; nothing behind it can be found"), 1u);
        EXPECT_EQ(cut.noted("bytes behind a break, not read"), blocks.bytes.size() - blocks.ends[1]);
    }
    Sample blocks = sample_pcapng();
    blocks.bytes[blocks.ends[2] - 4] ^= 4;
    EXPECT_EQ(read(blocks.bytes).frames.size(), 2u);
    EXPECT_EQ(read(blocks.bytes).skipped("the two lengths of a block differ; nothing behind it can be found"), 1u);
    // Longer than can be held: passed by, and the file ends in it.
    blocks = sample_pcapng();
    blocks.bytes.replace(blocks.ends[1] + 4, 4, "\xF0\xFF\xFF\xFF");
    const Seen passed = read(blocks.bytes);
    EXPECT_EQ(passed.frames.size(), 2u);
    EXPECT_EQ(passed.skipped("a packet block is too long"), 1u);
    EXPECT_EQ(passed.skipped("the file ends within a block"), 1u);
}

TEST(Capture, BlocksThatAreTooLongArePassedByAndReadingGoesOn) {
    EvidenceLimits limits;
    limits.record_bytes_max = 100;
    limits.read_bytes = 64;
    Bytes file;
    file.section();
    file.interface(1, 0);
    file.packet(0, 1, "before", 6);
    file.packet(0, 2, std::string(5000, 'x'), 5000);
    file.block(10, std::string(3000, 's'));
    file.packet(0, 3, "behind", 6);
    for (const std::size_t piece : {std::size_t{1}, std::size_t{50}, SIZE_MAX}) {
        const Seen seen = read(file.out, piece, limits);
        EXPECT_THAT(seen.frames, ElementsAre(SeenFrame{1'000, 1, 6, 1, "before"}, SeenFrame{3'000, 3, 6, 1, "behind"}));
        EXPECT_EQ(seen.skipped("a packet block is too long"), 1u);
        EXPECT_EQ(seen.noted("decryption secrets blocks, not used"), 1u);
    }
}

TEST(Capture, PacketsThatMakeNoSenseKeepTheirNumber) {
    Bytes file;
    file.section();
    file.packet(0, 1, "early", 5);   // before any interface
    file.interface(1, 0);
    file.packet(1, 2, "stranger", 8);
    Bytes liar = file.part();
    liar.u32(0);
    liar.u32(0);
    liar.u32(3);
    liar.u32(100);
    liar.u32(100);
    file.block(6, liar.out + "short");
    file.block(6, "tiny");
    file.packet(0, 4, "good", 2);
    const Seen seen = read(file.out);
    EXPECT_THAT(seen.frames, ElementsAre(SeenFrame{4'000, 5, 4, 1, "good"}));
    EXPECT_EQ(seen.skipped("a packet is of an interface that was not described"), 2u);
    EXPECT_EQ(seen.skipped("a packet is longer than its block"), 1u);
    EXPECT_EQ(seen.skipped("a packet block is too short"), 1u);
    EXPECT_EQ(seen.noted("packets said to be shorter than what was captured of them"), 1u);
}

TEST(Capture, BatchesAreBoundedAndLongFilesWhole) {
    Bytes file;
    file.pcap_header(0xA1B2C3D4, 1);
    constexpr unsigned frames = 50'000;
    for (unsigned i = 0; i < frames; ++i) file.pcap_record(i, 0, std::string(i % 90, static_cast<char>(i)), i % 90);
    const Seen seen = read(file.out);
    ASSERT_EQ(seen.frames.size(), frames);
    for (unsigned i = 0; i < frames; ++i) ASSERT_EQ(seen.frames[i], (SeenFrame{i * second_ns, i + 1, i % 90, 1, std::string(i % 90, static_cast<char>(i))}));
    EXPECT_EQ(seen.report.time_resolution.resolution_us, 1'000'000);
}

TEST(Capture, PackedCapturesAreUnpacked) {
    const Sample sample = sample_pcapng();
    std::string packed(1000, '\0');
    z_stream stream{};
    ASSERT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(sample.bytes.data()));
    stream.avail_in = static_cast<uInt>(sample.bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(packed.data());
    stream.avail_out = static_cast<uInt>(packed.size());
    ASSERT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
    packed.resize(stream.total_out);
    deflateEnd(&stream);
    const Seen seen = read(packed);
    EXPECT_EQ(seen.frames.size(), 6u);
    EXPECT_EQ(seen.report.compression, "gzip");
}

TEST(Capture, OtherFilesAreRefusedWithARemedy) {
    EXPECT_THAT(error_of("account,content\n1,2\n"), HasSubstr("is no packet capture; it begins with \"account,content"));
    EXPECT_THAT(error_of("\n\r\r\n a text that begins like a section"), HasSubstr("is no packet capture"));
    EXPECT_THAT(error_of(sample_pcap().bytes.substr(0, 20)), HasSubstr("ends within the header"));
    Bytes newer;
    newer.pcap_header(0xA1B2C3D4, 1);
    newer.out[4] = 3;
    EXPECT_THAT(error_of(newer.out), HasSubstr("version 3.4; this program reads 2.x"));
    std::string section = sample_pcapng().bytes;
    section[12] = 2;
    EXPECT_THAT(error_of(section), HasSubstr("version 2.0; this program reads 1.x"));
}

TEST(Capture, IsToldFromPostsByItsContent) {
    EXPECT_TRUE(is_capture(sample_pcap().bytes));
    EXPECT_TRUE(is_capture(sample_pcapng().bytes));
    EXPECT_FALSE(is_capture(sample_pcapng().bytes.substr(0, 11)));
    EXPECT_FALSE(is_capture(""));
    try {
        open_posts_from(memory_input(sample_pcap().bytes), "capture.pcap", {}, 0, {});
        FAIL() << "a capture was taken for posts";
    } catch (const Error& error) {
        EXPECT_EQ(error.message(), "is a packet capture, and posts are wanted");
        EXPECT_THAT(error.hint(), HasSubstr("unveil describe"));
    }
    EvidenceOptions options;
    options.format = "pcapng";
    EXPECT_THROW(open_posts_from(memory_input("account_id,content_id\n"), "posts.csv", options, 0, {}), Error);
}

TEST(Capture, RealCapturesAreReadToTheEnd) {
    const auto folder = std::filesystem::path(UNVEIL_SHARED_DIR) / "data/captures/ndpi/pcap";
    if (!std::filesystem::is_directory(folder)) GTEST_SKIP() << folder << " is not there";
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        const std::string path = entry.path().string();
        const bool is_named_so = entry.path().extension() == ".pcap" || entry.path().extension() == ".pcapng" || entry.path().extension() == ".cap";
        EXPECT_EQ(is_capture_file(path), is_named_so) << path;
        if (!is_named_so) continue;
        SCOPED_TRACE(path);
        const auto source = open_capture(path, 0);
        std::vector<Frame> batch;
        std::uint64_t last = 0;
        while (source->next(batch))
            for (const Frame& frame : batch) {
                ASSERT_EQ(frame.number, last + 1);
                last = frame.number;
                ASSERT_GE(frame.bytes_original, frame.bytes.size());
            }
        EXPECT_GT(last, 0u);
        EXPECT_EQ(source->report().tally.skipped(), 0u);
        EXPECT_EQ(source->report().bytes, std::filesystem::file_size(entry.path()));
        ++files;
    }
    EXPECT_GT(files, 400u);
}

}  // namespace
}  // namespace unveil
