// Goal: lists of block pages are read as published, and rows that cannot be used are counted with their line. Method: small lists by hand, in pieces of every
// size; the seeds of the fuzz target with its own checks; OONI's two tables, skipped where they are absent.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "core/error.hpp"
#include "evidence/blocking_fingerprints.hpp"

#define LLVMFuzzerTestOneInput fuzz_blocking_fingerprints_one_input
#include "../../../fuzz/fuzz_blocking_fingerprints.cpp"
#undef LLVMFuzzerTestOneInput

namespace unveil {
namespace {

using ::testing::ElementsAre;
using ::testing::StartsWith;

struct Read {
    std::vector<BlockingFingerprint> all;
    SourceReport report;
};

Read read(std::unique_ptr<RawInput> input) {
    const auto source = open_blocking_fingerprints_from(std::move(input), "list.csv", EvidenceLimits{});
    Read out;
    std::vector<BlockingFingerprint> batch;
    while (source->next(batch)) out.all.insert(out.all.end(), batch.begin(), batch.end());
    out.report = source->report();
    return out;
}

const std::string header = "name,scope,other_names,location_found,pattern_type,pattern,confidence_no_fp,expected_countries,source,exp_url,notes\r\n";

TEST(BlockingFingerprints, RowsThatCannotBeUsedAreCountedWithTheirLine) {
    const std::string csv = header +
                            "x.page,nat,,body,contains,\"two\nlines, \"\"quoted\"\"\",5,\"it, GR,ZZ\",own,,\r\n"
                            "x.kind,nat,,body,sideways,abcd,5,IT,own,,\r\n"
                            "x.place,nat,,nowhere,full,abcd,5,IT,own,,\r\n"
                            "x.header,nat,,header.,full,abcd,5,IT,own,,\r\n"
                            ",nat,,body,full,abcd,5,IT,own,,\r\n"
                            "x.short,nat\r\n"
                            "x.slow,isp,,body,regexp,(a+)+,5,IT,own,,\r\n"
                            "x.address,,,dns,full,192.0.2.1,nine,,own,,\r\n";
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, SIZE_MAX}) {
        const auto got = read(memory_input(csv, piece));
        ASSERT_EQ(got.all.size(), 3u);
        EXPECT_EQ(got.all[0].pattern, "two\nlines, \"quoted\"");
        EXPECT_THAT(got.all[0].countries, ElementsAre("IT", "GR"));
        EXPECT_EQ(got.all[0].confidence, 5);
        EXPECT_EQ(got.all[2].location, "dns");
        EXPECT_EQ(got.all[2].scope, "");
        const Tally& tally = got.report.tally;
        EXPECT_EQ(tally.kept(), 3u);
        EXPECT_EQ(tally.skipped(), 5u);
        EXPECT_THAT(tally.skips().at("kind of match not known").examples, ElementsAre(StartsWith("list.csv:4: ")));
        EXPECT_EQ(tally.skips().at("place not known").count, 2u);
        EXPECT_THAT(tally.skips().at("no name or no pattern").examples, ElementsAre(StartsWith("list.csv:7: ")));
        EXPECT_EQ(got.all[1].match, BlockingFingerprint::Match::regexp);
        EXPECT_EQ(got.report.sha256.size(), 64u);
        EXPECT_EQ(got.report.bytes, csv.size());
    }
}

TEST(BlockingFingerprints, ATableWithoutTheirColumnsIsNoList) {
    EXPECT_THROW(read(memory_input("name,scope,pattern\nx,nat,y\n")), Error);
    EXPECT_FALSE(is_blocking_fingerprints_file("/nowhere/list.csv"));
    EXPECT_FALSE(is_blocking_fingerprints_file("/proc/self/exe"));
}

TEST(BlockingFingerprints, SeedsOfTheFuzzTarget) {
    std::size_t count = 0;
    for (const auto* kind : {"corpus", "regressions"})
        for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(UNVEIL_SOURCE_DIR) / "fuzz" / kind / "blocking_fingerprints")) {
            SCOPED_TRACE(entry.path().string());
            std::ifstream file(entry.path(), std::ios::binary);
            const std::string bytes((std::istreambuf_iterator<char>(file)), {});
            fuzz_blocking_fingerprints_one_input(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
            ++count;
        }
    EXPECT_GT(count, 0u);
}

TEST(BlockingFingerprints, ThePublishedTablesAreReadWhole) {
    const std::string folder = std::string(UNVEIL_SHARED_DIR) + "/data/interference/ooni-blocking-fingerprints/";
    if (!std::filesystem::exists(folder)) GTEST_SKIP() << "needs " << folder;
    std::uint64_t rows = 0;
    for (const auto* name : {"fingerprints_dns.csv", "fingerprints_http.csv"}) {
        EXPECT_TRUE(is_blocking_fingerprints_file(folder + name));
        const auto got = read(open_file_input(folder + name));
        EXPECT_EQ(got.report.tally.skipped(), 0u) << name;
        rows += got.all.size();
    }
    EXPECT_EQ(rows, 1955u);
}

}  // namespace
}  // namespace unveil
