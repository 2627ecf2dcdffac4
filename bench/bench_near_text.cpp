// How many CPU seconds and how much memory does it take to cluster near texts?
// usage: bench_near_text TEXTS [WRITING | mixed | template | FILE] [THREADS] [CHARACTERS_MIN CHARACTERS_MAX]
// Made-up posts in one or all ways of writing, a tenth of them near copies of others; or the texts of real posts in FILE.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "../tests/unit/instruments/near_text_world.hpp"
#include "evidence/open.hpp"
#include "instruments/coordination/near_text.hpp"
#include "instruments/coordination/traces.hpp"

namespace {

using namespace unveil;

rusage used() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return usage;
}

double cpu_seconds() {
    const auto usage = used();
    const auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6; };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::vector<std::string> made_posts(std::size_t count, std::string_view wanted, std::size_t shortest, std::size_t longest) {
    std::vector<testing::Writer> writers;
    for (const auto& writing : testing::writings)
        if (wanted == "mixed" || wanted == writing.name) writers.emplace_back(writing, writers.size());
    if (wanted == "template") writers.emplace_back(testing::writings[9], 0);
    std::vector<std::string> texts;
    if (writers.empty()) return texts;
    const auto common = writers[0].post(longest, longest);
    constexpr std::size_t remembered = 50;
    std::vector<std::vector<std::u32string>> last(writers.size(), std::vector<std::u32string>(remembered));
    texts.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        auto& writer = writers[i % writers.size()];
        std::u32string post;
        if (wanted == "template") post = common + writer.post(longest / 5, longest / 3);
        else if (i > 1000 && writer.random().chance(0.1))
            post = writer.edited(last[i % writers.size()][writer.random().below(remembered)], 2);
        else post = writer.post(shortest, longest);
        texts.push_back(testing::encoded(post));
        last[i % writers.size()][i / writers.size() % remembered] = std::move(post);
    }
    return texts;
}

std::vector<std::string> read_posts(const std::string& path, std::size_t count) {
    const auto source = open_posts(path, {}, 0);
    source->want(static_cast<PostFields>(PostField::text));
    std::vector<std::string> texts;
    PostBatch batch;
    while (texts.size() < count && source->next(batch))
        for (const auto text : batch.text) texts.push_back(coordination::comparable_text(text));
    return texts;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        fmt::print(stderr, "usage: bench_near_text TEXTS [WRITING | mixed | template | FILE] [THREADS] [SHORTEST LONGEST]\n");
        return 2;
    }
    const auto number = [&](int i, std::size_t otherwise) {
        return argc > i ? static_cast<std::size_t>(std::strtoull(argv[i], nullptr, 10)) : otherwise;
    };
    const std::string kind = argc > 2 ? argv[2] : "mixed";
    auto texts = std::filesystem::exists(kind) ? read_posts(kind, number(1, 0))
                                               : made_posts(number(1, 0), kind, number(4, 40), number(5, 140));
    std::sort(texts.begin(), texts.end());
    texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
    std::size_t bytes = 0;
    for (const auto& text : texts) bytes += text.size();
    const std::vector<std::string_view> views(texts.begin(), texts.end());

    const auto memory_before = used().ru_maxrss;
    const auto cpu = cpu_seconds();
    const auto wall = std::chrono::steady_clock::now();
    SilentProgress progress;
    coordination::NearTextOptions options;
    options.threads = static_cast<unsigned>(number(3, 1));
    const auto result = coordination::cluster_near_texts(views, {}, options, progress);
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - wall;
    const auto& n = result.counts;
    fmt::print("{} different texts, {} bytes, {} shingles\n", texts.size(), bytes, n.shingles);
    fmt::print("cpu {:.2f} s  wall {:.2f} s  peak {} MB, before {} MB\n", cpu_seconds() - cpu, elapsed.count(),
               used().ru_maxrss / 1024, memory_before / 1024);
    fmt::print("postings {}  candidates {}  compared {}  matches {}  clusters {} of {} texts\n", n.postings, n.candidates, n.compared,
               result.matches.size(), n.clusters, n.texts_clustered);
    fmt::print("texts that reached a limit: postings {}  comparisons {}  matches {}\n", n.texts_postings_full,
               n.texts_comparisons_full, n.texts_matches_full);
    return 0;
}
