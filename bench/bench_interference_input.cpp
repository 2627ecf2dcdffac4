// Writes a large capture out of small ones: every Ethernet capture of the folders and what is in them, so many times over, IPv4 addresses changed in
// each copy so that flows do not run together; times stay as they are. IPv4 header, TCP and UDP checksums mended.
// usage: bench_interference_input COPIES OUT.pcap FOLDER...
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "evidence/capture.hpp"

namespace {

using namespace unveil;

std::uint16_t get16(const std::uint8_t* at) { return static_cast<std::uint16_t>(at[0] << 8 | at[1]); }
void put16(std::uint8_t* at, std::uint16_t value) {
    at[0] = static_cast<std::uint8_t>(value >> 8);
    at[1] = static_cast<std::uint8_t>(value);
}

/// RFC 1624, equation 3.
void mend(std::uint8_t* checksum, std::uint16_t before, std::uint16_t after) {
    std::uint32_t sum = static_cast<std::uint16_t>(~get16(checksum)) + std::uint32_t{static_cast<std::uint16_t>(~before)} + after;
    sum = (sum & 0xFFFF) + (sum >> 16);
    sum = (sum & 0xFFFF) + (sum >> 16);
    put16(checksum, static_cast<std::uint16_t>(~sum));
}

void change_addresses(std::vector<std::uint8_t>& bytes, std::uint16_t by) {
    if (bytes.size() < 34 || get16(&bytes[12]) != 0x0800) return;
    std::uint8_t* ip = &bytes[14];
    const std::size_t header = (ip[0] & 15u) * 4u;
    std::uint8_t* transport = bytes.size() >= 14 + header + 20 ? ip + header : nullptr;
    const bool is_first = (get16(ip + 6) & 0x1FFF) == 0;
    std::uint8_t* checksum = nullptr;
    if (transport != nullptr && is_first && ip[9] == 6) checksum = transport + 16;
    if (transport != nullptr && is_first && ip[9] == 17 && get16(transport + 6) != 0) checksum = transport + 6;
    for (const std::size_t at : {12u, 16u}) {
        const std::uint16_t before = get16(ip + at);
        const auto after = static_cast<std::uint16_t>(before ^ by);
        put16(ip + at, after);
        mend(ip + 10, before, after);
        if (checksum != nullptr) mend(checksum, before, after);
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 4) {
        fmt::print(stderr, "usage: bench_interference_input COPIES OUT.pcap FOLDER...\n");
        return 2;
    }
    std::vector<std::string> paths;
    for (const char* folder : std::span(argv, static_cast<std::size_t>(argc)).subspan(3))
        for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
            if (entry.is_regular_file()) paths.push_back(entry.path().string());
    std::sort(paths.begin(), paths.end());
    std::ofstream out(argv[2], std::ios::binary);
    const auto put32 = [&](std::uint32_t value) { out.write(reinterpret_cast<const char*>(&value), 4); };
    for (const std::uint32_t word : {0xa1b23c4du, 0x00040002u, 0u, 0u, 262144u, 1u}) put32(word);
    std::uint64_t frames = 0;
    std::uint64_t bytes_written = 0;
    const int copies = std::atoi(argv[1]);
    for (int copy = 0; copy < copies; ++copy)
        for (const auto& path : paths) {
            if (!is_capture_file(path)) continue;
            try {
                const auto source = open_capture(path, 0);
                std::vector<Frame> batch;
                while (source->next(batch))
                    for (const Frame& frame : batch) {
                        if (frame.link_type != 1) continue;
                        const std::int64_t time_ns = std::max<std::int64_t>(0, frame.time_ns);
                        std::vector<std::uint8_t> bytes(frame.bytes.begin(), frame.bytes.end());
                        change_addresses(bytes, static_cast<std::uint16_t>(copy * 0x0101));
                        put32(static_cast<std::uint32_t>(time_ns / 1'000'000'000));
                        put32(static_cast<std::uint32_t>(time_ns % 1'000'000'000));
                        put32(static_cast<std::uint32_t>(bytes.size()));
                        put32(frame.bytes_original);
                        out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
                        ++frames;
                        bytes_written += bytes.size() + 16;
                    }
            } catch (const Error& error) {
                fmt::print(stderr, "left out: {}\n", error.what());
            }
        }
    fmt::print("{} frames, {:.1f} MB\n", frames, static_cast<double>(bytes_written) / 1e6);
    return 0;
}
