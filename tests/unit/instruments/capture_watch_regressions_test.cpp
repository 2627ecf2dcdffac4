// Goal: no capture that ever crashed the following and judging of flows crashes it again, and known block pages in small captures are found. Method: every
// file under fuzz/regressions and fuzz/corpus of the target is read as the fuzz target reads it, and the target's own checks hold; what the seeds hold is known.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#define LLVMFuzzerTestOneInput fuzz_capture_watch_one_input
#include "../../../fuzz/fuzz_capture_watch.cpp"
#undef LLVMFuzzerTestOneInput

namespace unveil {
namespace {

std::string bytes_of(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

const std::filesystem::path corpus = std::filesystem::path(UNVEIL_SOURCE_DIR) / "fuzz/corpus/capture_watch";

TEST(CaptureWatchRegressions, AreReadWithoutHarm) {
    std::size_t count = 0;
    for (const auto& folder : {corpus, std::filesystem::path(UNVEIL_SOURCE_DIR) / "fuzz/regressions/capture_watch"}) {
        if (!std::filesystem::is_directory(folder)) continue;
        for (const auto& entry : std::filesystem::directory_iterator(folder)) {
            SCOPED_TRACE(entry.path().string());
            const std::string bytes = bytes_of(entry.path());
            fuzz_capture_watch_one_input(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
            ++count;
        }
    }
    EXPECT_GT(count, 3u);
}

/// Names of the fingerprints that the flows of a seed match, with how often.
std::map<std::string, int> pages_in(const std::string& seed, const interference::FingerprintSet* fingerprints) {
    const auto source = open_capture_from(memory_input(bytes_of(corpus / seed).substr(2)), "c.pcap", 0, EvidenceLimits{});
    NameBook names;
    std::map<std::string, int> found;
    CaptureWatch watch(built_in_facts(), names,
                       {[&](const FlowRecord& flow) {
                            if (flow.fingerprint != 0) ++found[fingerprints->at(flow.fingerprint - 1).name];
                        },
                        [](const RateRecord&) {}},
                       fingerprints);
    std::vector<Frame> batch;
    while (source->next(batch)) watch.add(batch);
    watch.finish();
    return found;
}

TEST(CaptureWatchPages, AreFoundAcrossSegmentsInChunksAndInLookups) {
    const auto* pages = &fuzz::watched_pages();
    using Found = std::map<std::string, int>;
    // The provider's text goes before the product's header of the same answer; the second answer holds what is known to be no block page's.
    EXPECT_EQ(pages_in("page", pages), (Found{{"page", 1}}));
    EXPECT_EQ(pages_in("chunked", pages), (Found{{"page", 1}}));
    EXPECT_EQ(pages_in("lookup", pages), (Found{{"address", 1}}));
    EXPECT_EQ(pages_in("reset", pages), Found());
    EXPECT_EQ(pages_in("page", nullptr), Found());
    const interference::FingerprintSet fine({{"page", "isp", "body", "title", BlockingFingerprint::Match::contains, {}, 5}, {"fine", "fp", "body", "parked!", BlockingFingerprint::Match::contains, {}, 5}});
    EXPECT_EQ(pages_in("page", &fine), (Found{{"page", 1}})) << "the other answer matches what is no block page";
}

}  // namespace
}  // namespace unveil
