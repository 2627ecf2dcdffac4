// How many CPU seconds do the stages of reading posts take? usage: bench_csv FILE [RUNS]
#include <fmt/format.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "core/digest.hpp"
#include "evidence/byte_stream.hpp"
#include "evidence/csv_reader.hpp"
#include "evidence/open.hpp"

namespace {

double cpu_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void measure(const char* stage, int runs, const std::function<std::string()>& work) {
    for (int run = 0; run < runs; ++run) {
        const auto cpu = cpu_seconds();
        const auto wall = std::chrono::steady_clock::now();
        const auto result = work();
        const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - wall;
        rusage usage{};
        ::getrusage(RUSAGE_SELF, &usage);
        fmt::print("{:<24} cpu {:.3f} s  wall {:.3f} s  peak {} MB  {}\n", stage, cpu_seconds() - cpu,
                   elapsed.count(), usage.ru_maxrss / 1024, result);
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        fmt::print(stderr, "usage: bench_csv FILE [RUNS]\n");
        return 2;
    }
    const std::string path = argv[1];
    const int runs = argc > 2 ? std::atoi(argv[2]) : 3;
    const unveil::EvidenceLimits limits;

    measure("bytes and digest", runs, [&] {
        unveil::ByteStream stream(unveil::open_file_input(path), path, limits);
        std::vector<char> buffer(limits.read_bytes);
        while (stream.read(buffer.data(), buffer.size()) > 0) {
        }
        return stream.finish_sha256().substr(0, 16);
    });
    measure("and cells", runs, [&] {
        unveil::CsvReader reader(
            unveil::InputBuffer(unveil::ByteStream(unveil::open_file_input(path), path, limits), limits),
            limits);
        unveil::TextArena arena;
        unveil::Tally tally;
        std::uint64_t sum = 0;
        while (reader.read(unveil::PostBatch::rows_max, arena, tally,
                           [&](const unveil::CsvRow& row, std::uint64_t) -> const char* {
                               sum += row.text(0).size();
                               return nullptr;
                           })) {
            arena.clear();
        }
        return fmt::format("first cells {} bytes", sum);
    });
    measure("and posts", runs, [&] {
        const auto source = unveil::open_posts(path, {}, 0);
        unveil::PostBatch batch;
        std::uint64_t rows = 0;
        std::uint64_t bytes = 0;
        while (source->next(batch)) {
            rows += batch.size();
            for (const auto& account : batch.account) bytes += account.size();
        }
        return fmt::format("{} posts, {} bytes of account ids, {}", rows, bytes,
                           source->report().sha256.substr(0, 16));
    });
    return 0;
}
