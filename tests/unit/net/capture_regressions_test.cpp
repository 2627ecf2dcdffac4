// Goal: no capture that ever crashed the reading of captures, packets, fragments, flows or streams crashes it again. Method: every file under
// fuzz/regressions and fuzz/corpus of the target is read as the fuzz target reads it, and the target's own checks hold.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#define LLVMFuzzerTestOneInput fuzz_capture_one_input
#include "../../../fuzz/fuzz_capture.cpp"
#undef LLVMFuzzerTestOneInput

namespace {

TEST(CaptureRegressions, AreReadWithoutHarm) {
    std::size_t count = 0;
    for (const auto* kind : {"corpus", "regressions"}) {
        const auto folder = std::filesystem::path(UNVEIL_SOURCE_DIR) / "fuzz" / kind / "capture";
        if (!std::filesystem::is_directory(folder)) continue;
        for (const auto& entry : std::filesystem::directory_iterator(folder)) {
            SCOPED_TRACE(entry.path().string());
            std::ifstream file(entry.path(), std::ios::binary);
            const std::string bytes((std::istreambuf_iterator<char>(file)), {});
            fuzz_capture_one_input(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
            ++count;
        }
    }
    EXPECT_GT(count, 5u);
}

}  // namespace
