// The planted campaigns are found, the null world stays silent, and the verdicts of the case are the expected
// ones: by the real instrument on whole worlds. Prints the measured rates that docs/lab/takedown.md shows.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <cstdio>

#include "../../unit/lab/world.hpp"
#include "case/investigate.hpp"
#include "lab/score.hpp"
#include "rates.hpp"

namespace unveil::test {
namespace {

/// Makes a world, investigates its case, checks every verdict, and scores the run.
Score score_of(std::uint64_t seed, const Options& options) {
    Folder folder;
    make_takedown(folder, seed, options);
    InvestigateOptions how;
    how.case_path = folder / "case.toml";
    how.out_folder = folder / "out";
    SilentProgress progress;
    const auto investigation = investigate(how, progress);
    const auto expected = read_expected_verdicts(folder / "expected_verdicts.json");
    EXPECT_EQ(investigation.verdicts.size(), expected.size());
    for (const auto& verdict : investigation.verdicts)
        for (const auto& wanted : expected)
            if (wanted.claim == verdict.claim)
                EXPECT_EQ(decision_name(verdict.decision), wanted.verdict)
                    << "seed " << seed << ", claim " << verdict.claim << ": " << verdict.sentence;
    return score_run(folder / "out", read_truth(folder / "truth.json"));
}

const ScoreRow& row_of(const Score& score, const std::string& trace) {
    for (const auto& row : score.rows)
        if (row.trace == trace) return row;
    ADD_FAILURE() << "no findings of " << trace;
    return score.overall;
}

// Goal: planted accounts are found and few others. Method: ten worlds; at 60 s and weight 3, co-retweet has to find
// 95 % of the planted accounts, and at most one in a thousand of the others. Single pairs are judged one by one, and
// some of them stay within chance.
TEST(TakedownWorld, CampaignsAreFound) {
    for (const char* scale : {"20000", "100000"}) {
        Sum recall, precision, edge_recall, edge_precision, false_accounts;
        constexpr std::uint64_t seeds = 10;
        for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
            const auto score = score_of(seed, {{"scale", scale}});
            const auto& row = row_of(score, "co-retweet");
            EXPECT_GE(row.recall.value().value_or(0), 0.95) << "seed " << seed;
            EXPECT_GE(row.edge_recall.value().value_or(0), 0.85) << "seed " << seed;
            recall.add(row.recall);
            precision.add(row.precision);
            edge_recall.add(row.edge_recall);
            edge_precision.add(row.edge_precision);
            false_accounts.add(row.false_positive_rate);
        }
        std::printf("%s posts, %llu worlds, co-retweet 60s, weight 3\n", scale,
                    static_cast<unsigned long long>(seeds));
        const auto wilson = [](const Sum& sum) { return text_of(sum.wilson()); };
        std::printf("  accounts: recall %s, precision %s\n", wilson(recall).c_str(),
                    wilson(precision).c_str());
        std::printf("  edges: recall %s, precision %s\n", wilson(edge_recall).c_str(),
                    wilson(edge_precision).c_str());
        std::printf("  false-positive rate: %s\n",
                    text_of(false_accounts.exact()).c_str());
        EXPECT_LE(static_cast<double>(false_accounts.hits),
                  0.001 * static_cast<double>(false_accounts.trials));
    }
}

// Goal: where nothing is planted, little is found, and it is known who it is. Method: ten null worlds; the
// false-positive rate of co-retweet has to stay below one in a thousand, and scheduled news accounts, which
// do act together, are the only ones that co-link and exact-text show.
TEST(TakedownWorld, NullWorldsStaySilent) {
    Sum accounts, edges;
    std::map<std::string, std::uint64_t> classes;
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        const auto score = score_of(seed, {{"scale", "50000"}, {"campaigns", "0"}});
        const ScoreRow* co_retweet = nullptr;
        for (const auto& row : score.rows) {
            if (row.trace == "co-retweet")
                co_retweet = &row;
            else
                for (const auto& count : row.false_accounts)
                    EXPECT_TRUE(count.name == "news-bot" || count.count <= 2)
                        << row.trace << ": " << count.count << " " << count.name;
        }
        // A trace without kept edges has no rows: nothing was found among as many accounts.
        if (co_retweet == nullptr) {
            accounts.trials += score.overall.false_positive_rate.trials;
            edges.trials += score.overall.edge_false_positive_rate.trials;
            continue;
        }
        accounts.add(co_retweet->false_positive_rate);
        edges.add(co_retweet->edge_false_positive_rate);
        for (const auto& count : co_retweet->false_accounts) classes[count.name] += count.count;
    }
    const auto rate = accounts.exact();
    std::printf(
        "50000 posts, 10 null worlds, co-retweet 60s, weight 3\n  accounts: %s\n  edges: %.3g of pairs\n",
        text_of(rate).c_str(), static_cast<double>(edges.hits) / static_cast<double>(edges.trials));
    for (const auto& [name, count] : classes)
        std::printf("  %s: %llu\n", name.c_str(), static_cast<unsigned long long>(count));
    EXPECT_GT(accounts.trials, 40'000);
    EXPECT_LT(rate.high, 0.001);
}

// Goal: the score falls when campaigns hide, so that a good score means something. Method: the same campaigns
// with slower and slower reactions, and a run that looks for a minute.
TEST(TakedownWorld, SlowCampaignsEscape) {
    std::vector<double> recalls;
    for (const char* jitter : {"30s", "10m", "5h"}) {
        Folder folder;
        make_takedown(folder, 1, {{"scale", "20000"}, {"jitter", jitter}});
        const auto& instrument = instrument_named("coordination");
        RunRequest request{.instrument = &instrument,
                           .inputs = {{.path = folder / "tweets.csv",
                                       .shown_path = "tweets.csv",
                                       .options = {},
                                       .sha256_expected = {}}},
                           .parameters = ParameterValues(instrument.description().parameters),
                           .scratch_folder = folder.path(),
                           .open = {}};
        request.parameters.set("window", "60s");
        request.parameters.set("traces", "co-retweet");
        request.parameters.set("min-weight", "3");
        SilentProgress progress;
        std::filesystem::create_directories(folder / "run");
        run_instrument(request, folder / "run", progress);
        const auto score = score_run(folder / "run", read_truth(folder / "truth.json"));
        recalls.push_back(score.metric("recall").value_or(0));
        std::printf("reactions within %s: recall %s\n", jitter, text_of(score.overall.recall).c_str());
    }
    EXPECT_GE(recalls[0], 0.95);
    EXPECT_GT(recalls[0], recalls[2]);
    EXPECT_LT(recalls[2], 0.5);
}

std::int64_t peak_kilobytes(const Options& options) {
    Folder folder;
    const auto child = ::fork();
    if (child == 0) {
        make_takedown(folder, 1, options);
        ::_exit(0);
    }
    int status = 0;
    rusage usage{};
    EXPECT_EQ(::wait4(child, &status, 0, &usage), child);
    EXPECT_EQ(status, 0);
    return usage.ru_maxrss;
}

// Goal: memory follows the accounts, not the posts. Method: ten times the posts in a child process each; that is 90,000
// more accounts, for which 128 bytes each are granted, and 400 MB more of posts, for which nothing is, beside 4 MB of noise.
TEST(TakedownWorld, MemoryStaysSmall) {
    const auto small = peak_kilobytes({{"scale", "100000"}});
    const auto large = peak_kilobytes({{"scale", "1000000"}});
    std::printf("peak memory: %lld kB for 1e5 posts, %lld kB for 1e6\n", static_cast<long long>(small),
                static_cast<long long>(large));
    EXPECT_LT(large - small, 90'000 * 128 / 1024 + 4096);
    EXPECT_LT(large, 60'000);
}

}  // namespace
}  // namespace unveil::test
