// A capture from any bytes: records, frames, packets, fragments, flows, TCP streams. First byte: limits; second: size of the pieces; third: how
// overlaps are settled and how many flows are kept.
#include <algorithm>
#include <array>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "evidence/capture.hpp"
#include "net/flow_table.hpp"
#include "net/fragments.hpp"
#include "net/tcp_stream.hpp"
#include "read_whole.hpp"

namespace unveil::fuzz {

struct CaptureFlow {
    std::array<TcpStream, 2> streams;
    std::uint64_t packets = 0;
};

/// What frames and packets must always be like; the answer is a digest of all that was read.
inline std::uint64_t read_capture(const std::string& bytes, const EvidenceLimits& limits, std::size_t piece_bytes_max, std::uint8_t choice) {
    const auto policy = (choice & 1) != 0 ? OverlapPolicy::first : OverlapPolicy::last;
    std::uint64_t seen = 0;
    const auto see = [&](std::uint64_t value) { seen = seen * 0x9E3779B97F4A7C15 + value; };
    const auto see_bytes = [&](std::span<const std::uint8_t> part) {
        see(hash_bytes({reinterpret_cast<const char*>(part.data()), part.size()}));
    };
    std::uint64_t ended = 0;
    std::uint64_t begun = 0;
    FlowTable<CaptureFlow> table(1 + (choice >> 4), 60'000'000'000, [&](const FlowKey& key, CaptureFlow& flow) {
        ++ended;
        require(flow.packets > 0);
        see(flow_hash(key));
        for (const TcpStream& stream : flow.streams) see_bytes(stream.front());
    });
    FragmentTable fragments;
    const auto take = [&](const Packet& packet) {
        require(packet.payload.size() <= packet.payload_bytes_original);
        require(packet.is_tcp() || packet.tcp_flags == 0);
        see_bytes(packet.payload);
        bool is_from_low = false;
        bool is_new = false;
        CaptureFlow& flow = table.find(packet, is_from_low, is_new);
        require(is_new == (flow.packets == 0));
        begun += is_new;
        ++flow.packets;
        if (is_new) flow.streams.fill(TcpStream(policy, 2048));
        if (!packet.is_tcp() || packet.is_fragment) return;
        TcpStream& stream = flow.streams[is_from_low ? 0 : 1];
        if (packet.has_flag(tcp_flag::syn)) stream.start(packet.sequence + 1);
        const auto front_before = stream.front().size();
        const auto added = stream.add(packet.sequence, packet.payload);
        require(added.has_new == (stream.front().size() > front_before) && stream.front().size() <= 2048);
        require(!(added.is_repeat && (added.has_new || added.has_conflict || added.is_outside)));
    };
    try {
        const auto source = open_capture_from(memory_input(bytes, piece_bytes_max), "capture", 0, limits);
        std::vector<Frame> batch;
        std::uint64_t frames = 0;
        std::uint64_t number = 0;
        while (source->next(batch)) {
            require(!batch.empty() && batch.size() <= FrameSource::batch_frames_max);
            frames += batch.size();
            for (const Frame& frame : batch) {
                require(frame.number > number && frame.bytes.size() <= frame.bytes_original);
                number = frame.number;
                see(static_cast<std::uint64_t>(frame.time_ns));
                see_bytes(frame.bytes);
                Packet packet;
                const Decoded decoded = decode_packet(frame, packet);
                see(static_cast<std::uint64_t>(decoded));
                require(decoded != Decoded::unknown_link || !is_known_link_type(frame.link_type) || frame.link_type == 192);
                if (decoded != Decoded::packet) continue;
                require(packet.frame == frame.number);
                if (!packet.payload.empty())
                    require(packet.payload.data() >= frame.bytes.data() &&
                            packet.payload.data() + packet.payload.size() <= frame.bytes.data() + frame.bytes.size());
                take(packet);
                Packet whole;
                if (packet.is_fragment && fragments.add(packet, whole)) take(whole);
            }
        }
        require(frames == source->report().tally.kept() && source->report().bytes == bytes.size());
        see(source->report().tally.skipped());
        table.finish();
        require(begun == ended && table.size() == 0);
    } catch (const Error& error) {
        require(error.kind() == ErrorKind::input);
        return 0;
    }
    return seen;
}

}  // namespace unveil::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace unveil;
    if (size < 3) return 0;
    const std::string bytes(reinterpret_cast<const char*>(data + 3), size - 3);
    const auto limits = fuzz::small_limits(data[0]);
    const auto in_pieces = fuzz::read_capture(bytes, limits, std::max<std::size_t>(1, data[1]), data[2]);
    fuzz::require(in_pieces == fuzz::read_capture(bytes, limits, SIZE_MAX, data[2]));
    return 0;
}
