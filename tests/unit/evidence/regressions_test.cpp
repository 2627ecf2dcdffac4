// Goal: no input that ever crashed a reader crashes it again. Method: every file under fuzz/regressions and
// fuzz/corpus of the evidence targets is read as the fuzz targets read it, and the fuzz targets' own checks
// hold.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#define LLVMFuzzerTestOneInput fuzz_csv_one_input
#include "../../../fuzz/fuzz_csv.cpp"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_json_posts_one_input
#include "../../../fuzz/fuzz_json_posts.cpp"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_post_source_one_input
#include "../../../fuzz/fuzz_post_source.cpp"
#undef LLVMFuzzerTestOneInput

namespace {

std::size_t replay(const std::string& target, int (*one_input)(const std::uint8_t*, std::size_t)) {
    std::size_t count = 0;
    for (const auto* kind : {"corpus", "regressions"}) {
        const auto folder = std::filesystem::path(UNVEIL_SOURCE_DIR) / "fuzz" / kind / target;
        if (!std::filesystem::is_directory(folder)) continue;
        for (const auto& entry : std::filesystem::directory_iterator(folder)) {
            SCOPED_TRACE(entry.path().string());
            std::ifstream file(entry.path(), std::ios::binary);
            const std::string bytes((std::istreambuf_iterator<char>(file)), {});
            one_input(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
            ++count;
        }
    }
    return count;
}

TEST(Regressions, Csv) {
    EXPECT_GT(replay("csv", fuzz_csv_one_input), 0u);
}
TEST(Regressions, JsonPosts) {
    EXPECT_GT(replay("json_posts", fuzz_json_posts_one_input), 0u);
}
TEST(Regressions, PostSource) {
    EXPECT_GT(replay("post_source", fuzz_post_source_one_input), 0u);
}

}  // namespace
