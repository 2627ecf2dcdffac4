// How fast are OONI measurements read and scored, in how much memory?
// usage: bench_ooni make FILE MEGABYTES FOLDER   repeats the measurements of a folder under other names, one a line, until there are so many megabytes
//        bench_ooni read|score FILE [RUNS]     score: all three scorers, and the book to its end
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "evidence/ooni.hpp"
#include "instruments/interference/measurement_book.hpp"

namespace {

double cpu_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6; };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

int make(const std::string& path, double megabytes, const std::string& folder) {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
        if (entry.is_regular_file() && entry.path().extension() == ".json") names.push_back(entry.path().string());
    std::sort(names.begin(), names.end());
    // Each copy is another measurement to who counts them: its number goes behind the report's name.
    struct Line {
        std::string head;
        std::string tail;
    };
    std::vector<Line> lines;
    for (const auto& name : names) {
        std::ifstream in(name, std::ios::binary);
        auto document = nlohmann::json::parse(in, nullptr, false);
        if (!document.is_object() || !document.contains("test_name") || !document.contains("test_keys")) continue;
        constexpr std::string_view mark = "#copy#";
        document["report_id"] = document.value("report_id", std::string()) + std::string(mark);
        const std::string line = document.dump() + "\n";
        const auto at = line.find(mark);
        lines.push_back({line.substr(0, at), line.substr(at + mark.size())});
    }
    if (lines.empty()) {
        fmt::print(stderr, "no measurements in {}\n", folder);
        return 77;
    }
    std::ofstream out(path, std::ios::binary);
    std::uint64_t written = 0;
    std::uint64_t count = 0;
    while (static_cast<double>(written) < megabytes * 1e6) {
        const Line& line = lines[count % lines.size()];
        const std::string copy = fmt::format("{:06}", count / lines.size());
        out << line.head << copy << line.tail;
        written += line.head.size() + copy.size() + line.tail.size();
        ++count;
    }
    out.flush();
    fmt::print("{} measurements, {} of them but for their names, mean {:.1f} KB, {:.1f} MB\n", count, lines.size(),
               static_cast<double>(written) / static_cast<double>(count) / 1e3, static_cast<double>(written) / 1e6);
    return out ? 0 : 1;
}

int read(const std::string& path, int runs, bool with_scores) {
    const auto megabytes = static_cast<double>(std::filesystem::file_size(path)) / 1e6;
    for (int run = 0; run < runs; ++run) {
        const auto cpu = cpu_seconds();
        const auto wall = std::chrono::steady_clock::now();
        const auto source = unveil::open_measurements(path, 0);
        unveil::MeasurementBatch batch;
        std::map<std::pair<std::string, std::string>, std::uint64_t, std::less<>> counts;
        std::uint64_t queries = 0;
        unveil::interference::MeasurementBook book;
        const unveil::interference::FingerprintSet none;
        std::uint64_t anomalies = 0;
        while (source->next(batch))
            for (const auto& m : batch.all()) {
                ++counts[{std::string(m.test_name), std::string(m.blocking())}];
                queries += m.queries.size();
                if (!with_scores) continue;
                anomalies += unveil::interference::score_fastpath(m, none).is_anomaly();
                book.add(m);
            }
        const auto cells = with_scores ? book.finish().cells.size() : 0;
        const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - wall;
        const auto used = cpu_seconds() - cpu;
        rusage usage{};
        ::getrusage(RUSAGE_SELF, &usage);
        fmt::print("{:<6} cpu {:.3f} s  wall {:.3f} s  {:.0f} MB per CPU second  peak {:.1f} MB  {} measurements  {} kinds  {} queries  {} anomalies  {} cells  sha256 {}\n",
                   with_scores ? "score" : "read", used,
                   elapsed.count(), megabytes / used, static_cast<double>(usage.ru_maxrss) / 1024, source->report().tally.kept(), counts.size(), queries, anomalies, cells,
                   source->report().sha256.substr(0, 12));
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string mode = argc > 1 ? argv[1] : "";
    if (mode == "make" && argc > 4) return make(argv[2], std::atof(argv[3]), argv[4]);
    if ((mode == "read" || mode == "score") && argc > 2) return read(argv[2], argc > 3 ? std::atoi(argv[3]) : 3, mode == "score");
    fmt::print(stderr, "usage: bench_ooni make FILE MEGABYTES FOLDER | read FILE [RUNS] | score FILE [RUNS]\n");
    return 2;
}
