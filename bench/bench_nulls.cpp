// How many CPU seconds do the null models take? usage: bench_nulls [ACCOUNTS OBJECTS LINKS HUB_EXPONENT]
// A world of heavy-tailed activity and popularity; then the tails of a million pairs.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "core/random.hpp"
#include "statistics/configuration_model.hpp"
#include "statistics/multiple_testing.hpp"

namespace {

double cpu_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::vector<unveil::DegreeCount> degree_counts(const std::vector<std::uint32_t>& degrees) {
    std::map<std::uint32_t, std::uint64_t> counts;
    for (const auto degree : degrees) ++counts[degree];
    std::vector<unveil::DegreeCount> result;
    for (const auto& [degree, count] : counts) result.push_back({degree, count});
    return result;
}

}  // namespace

int main(int argc, char** argv) {
    const auto argument = [&](int i, double otherwise) { return argc > i ? std::atof(argv[i]) : otherwise; };
    const auto accounts = static_cast<std::uint64_t>(argument(1, 1e6));
    const auto objects = static_cast<std::uint64_t>(argument(2, 1e6));
    const auto links = static_cast<std::uint64_t>(argument(3, 1e7));
    const double exponent = argument(4, 1.0);  // rank r has weight r^-exponent on average
    unveil::Random random(1);
    // Pareto rank: u^g n with g > 1 prefers low ranks.
    const auto pick = [&](std::uint64_t n) {
        const double u = random.uniform();
        const double rank = exponent == 1 ? std::pow(static_cast<double>(n), u) - 1
                                          : std::pow(u, 1 / (1 - exponent)) * static_cast<double>(n);
        return std::min<std::uint64_t>(static_cast<std::uint64_t>(rank), n - 1);
    };
    std::vector<std::uint64_t> drawn;
    for (std::uint64_t i = 0; i < links; ++i) drawn.push_back(pick(accounts) << 32 | pick(objects));
    std::sort(drawn.begin(), drawn.end());
    drawn.erase(std::unique(drawn.begin(), drawn.end()), drawn.end());
    std::vector<std::uint32_t> left(accounts, 0);
    std::vector<std::uint32_t> right(objects, 0);
    for (const auto link : drawn) {
        ++left[link >> 32];
        ++right[link & 0xffffffff];
    }
    const auto left_classes = degree_counts(left);
    const auto right_classes = degree_counts(right);
    fmt::print("{} links, {} and {} distinct degrees, highest {} and {}\n", drawn.size(), left_classes.size(),
               right_classes.size(), left_classes.back().degree, right_classes.back().degree);

    auto start = cpu_seconds();
    const unveil::BipartiteConfiguration configuration(left_classes, right_classes);
    fmt::print("solve    cpu {:.3f} s  sweeps {}  residual {:.1e}\n", cpu_seconds() - start,
               configuration.sweeps(), configuration.residual());

    // Accounts that share objects are active ones: pick them by links.
    std::vector<unveil::SharedQuery> distinct;
    for (int i = 0; i < 100'000; ++i) {
        const auto degree = left[drawn[random.below(drawn.size())] >> 32];
        const auto degree2 = left[drawn[random.below(drawn.size())] >> 32];
        const auto most = std::min(degree, degree2);
        distinct.push_back({degree, degree2, 1 + random.below(std::min<std::uint64_t>(most, 30))});
    }
    std::vector<unveil::SharedQuery> queries;
    for (int i = 0; i < 1'000'000; ++i) queries.push_back(distinct[random.below(distinct.size())]);
    start = cpu_seconds();
    const auto tails = unveil::shared_tails(configuration, queries, 1);
    double logs = 0;
    for (const double tail : tails) logs += std::log10(tail);
    fmt::print("tails    cpu {:.3f} s for 1,000,000 queries, mean log10 {:.2f}\n", cpu_seconds() - start,
               logs / 1e6);
    start = cpu_seconds();
    const auto q_values = unveil::benjamini_hochberg(tails, 5e11);
    fmt::print("q-values cpu {:.3f} s, {} below 0.05\n", cpu_seconds() - start,
               std::count_if(q_values.begin(), q_values.end(), [](double q) { return q < 0.05; }));
    for (const std::size_t n : {3u, 10u, 20u, 50u}) {
        std::vector<double> probabilities(n);
        for (double& p : probabilities) p = std::exp(-random.exponential(3));
        for (const std::uint64_t v : {1u, 3u, 6u, 10u}) {
            if (v > n) continue;
            constexpr int calls = 200'000;
            double sum = 0;
            start = cpu_seconds();
            for (int i = 0; i < calls; ++i) {
                probabilities[0] *= 0.999999;
                sum += unveil::poisson_binomial_tail(probabilities, v);
            }
            fmt::print("list of {:>2}, v {:>2}: {:.0f} ns, mean {:.3g}\n", n, v,
                       (cpu_seconds() - start) / calls * 1e9, sum / calls);
        }
    }
    return 0;
}
