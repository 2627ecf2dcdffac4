// Goal: no case file or comparison that ever crashed a parser crashes it again. Method: every file under fuzz/regressions
// and fuzz/corpus of the two targets is parsed as the fuzz targets parse it, with their own checks.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#define LLVMFuzzerTestOneInput fuzz_case_toml_one_input
#include "../../../fuzz/fuzz_case_toml.cpp"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_comparison_one_input
#include "../../../fuzz/fuzz_comparison.cpp"
#undef LLVMFuzzerTestOneInput

namespace {

std::size_t replay(const std::string& target, int (*one_input)(const unsigned char*, std::size_t)) {
    std::size_t count = 0;
    for (const auto* kind : {"corpus", "regressions"}) {
        const auto folder = std::filesystem::path(UNVEIL_SOURCE_DIR) / "fuzz" / kind / target;
        if (!std::filesystem::is_directory(folder)) continue;
        for (const auto& entry : std::filesystem::directory_iterator(folder)) {
            SCOPED_TRACE(entry.path().string());
            std::ifstream file(entry.path(), std::ios::binary);
            const std::string bytes((std::istreambuf_iterator<char>(file)), {});
            one_input(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
            ++count;
        }
    }
    return count;
}

TEST(Regressions, CaseFiles) { EXPECT_GT(replay("case_toml", fuzz_case_toml_one_input), 0u); }
TEST(Regressions, Comparisons) { EXPECT_GT(replay("comparison", fuzz_comparison_one_input), 0u); }

}  // namespace
