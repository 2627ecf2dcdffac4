// How fast is a capture read, decoded and sorted into flows, on one thread? usage: bench_capture FILE [RUNS]
// Each stage contains those before it. The digest of the file is part of every stage, and is shown by itself to be taken off.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/digest.hpp"
#include "core/error.hpp"
#include "evidence/byte_stream.hpp"
#include "evidence/capture.hpp"
#include "net/flow_table.hpp"
#include "net/tcp_stream.hpp"

namespace {

using namespace unveil;

double cpu_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6; };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

struct Passed {
    std::uint64_t bytes = 0;
    std::uint64_t packets = 0;
    std::string result;
};

/// The best of `runs`, since other work on the machine only ever makes one slower.
double measure(const char* stage, int runs, double seconds_taken_off, const std::function<Passed()>& work) {
    double best = 0;
    Passed passed;
    for (int run = 0; run < runs; ++run) {
        const double begin = cpu_seconds();
        passed = work();
        const double seconds = cpu_seconds() - begin;
        if (run == 0 || seconds < best) best = seconds;
    }
    const double own = std::max(best - seconds_taken_off, 1e-9);
    const auto megabytes = static_cast<double>(passed.bytes) * 1e-6;
    const auto packets = static_cast<double>(passed.packets);
    fmt::print("{:<22} cpu {:.3f} s, {:7.0f} MB/s", stage, best, megabytes / best);
    if (passed.packets > 0) fmt::print(", {:6.2f} Mpkt/s; without the digest {:7.0f} MB/s, {:6.2f} Mpkt/s, {:.1f} ns a packet", packets * 1e-6 / best, megabytes / own, packets * 1e-6 / own, own * 1e9 / packets);
    fmt::print("  {}\n", passed.result);
    return best;
}

struct FlowState {
    std::array<TcpStream, 2> streams;
    std::uint64_t packets = 0;
};

template <typename OnFrame>
Passed read(const std::string& path, OnFrame&& on_frame) {
    const auto source = open_capture(path, 0);
    std::vector<Frame> batch;
    Passed passed;
    while (source->next(batch)) {
        passed.packets += batch.size();
        for (const Frame& frame : batch) on_frame(frame);
    }
    passed.bytes = source->report().bytes;
    return passed;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        fmt::print(stderr, "usage: bench_capture FILE [RUNS]\n");
        return 2;
    }
    const std::string path = argv[1];
    const int runs = std::max(argc > 2 ? std::atoi(argv[2]) : 3, 1);
    try {
        std::uint64_t file_bytes = 0;
        read(path, [](const Frame&) {});   // warms the page cache
        const double digest = measure("digest alone", runs, 0, [&] {
            file_bytes = std::filesystem::file_size(path);
            Sha256 sha;
            const std::vector<char> window(EvidenceLimits{}.read_bytes, 'x');
            for (std::uint64_t done = 0; done < file_bytes; done += window.size()) sha.update(window.data(), std::min<std::uint64_t>(window.size(), file_bytes - done));
            return Passed{file_bytes, 0, sha.finish_hex().substr(0, 8)};
        });
        measure("frames", runs, digest, [&] {
            std::uint64_t bytes = 0;
            Passed passed = read(path, [&](const Frame& frame) { bytes += frame.bytes.size(); });
            passed.result = fmt::format("{} bytes of frames", bytes);
            return passed;
        });
        measure("and packets", runs, digest, [&] {
            std::array<std::uint64_t, 5> kinds{};
            std::uint64_t payload = 0;
            Packet packet;
            Passed passed = read(path, [&](const Frame& frame) {
                const Decoded decoded = decode_packet(frame, packet);
                ++kinds[static_cast<std::size_t>(decoded)];
                payload += packet.payload.size();
            });
            for (std::size_t i = 0; i < kinds.size(); ++i) passed.result += fmt::format("{} {}, ", kinds[i], decoded_name(static_cast<Decoded>(i)));
            passed.result += fmt::format("{} bytes of payload", payload);
            return passed;
        });
        constexpr std::size_t flows_max = 1u << 20;
        constexpr std::int64_t idle_ns_max = 300'000'000'000;
        enum class Streams { leave, follow };
        const auto flows = [&](Streams streams) {
            const bool has_streams = streams == Streams::follow;
            std::uint64_t ended = 0;
            std::uint64_t bytes = 0;
            FlowTable<FlowState> table(flows_max, idle_ns_max, [&](const FlowKey&, FlowState& state) {
                ++ended;
                for (const TcpStream& stream : state.streams) bytes += stream.front().size();
            });
            Packet packet;
            Passed passed = read(path, [&](const Frame& frame) {
                if (decode_packet(frame, packet) != Decoded::packet) return;
                bool is_from_low = false;
                bool is_new = false;
                FlowState& state = table.find(packet, is_from_low, is_new);
                ++state.packets;
                if (!has_streams || !packet.is_tcp()) return;
                TcpStream& stream = state.streams[is_from_low ? 0 : 1];
                if (packet.has_flag(tcp_flag::syn)) stream.start(packet.sequence + 1);
                else stream.add(packet.sequence, packet.payload);
            });
            table.finish();
            passed.result = fmt::format("{} flows", ended);
            if (has_streams) passed.result += fmt::format(", {} bytes in order", bytes);
            return passed;
        };
        measure("and flows", runs, digest, [&] { return flows(Streams::leave); });
        measure("and the fronts of TCP", runs, digest, [&] { return flows(Streams::follow); });
    } catch (const Error& error) {
        fmt::print(stderr, "{}\n", error.what());
        return 1;
    }
    return 0;
}
