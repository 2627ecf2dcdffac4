// Goal: no input that ever crashed a decoder of applications crashes it again. Method: every file under fuzz/regressions and fuzz/corpus of their
// targets is read as the fuzz targets read it, and the fuzz targets' own checks hold.
#include <gtest/gtest.h>

#include <filesystem>

#include "bytes.hpp"

#define LLVMFuzzerTestOneInput fuzz_dns_one_input
#include "../../../fuzz/fuzz_dns.cpp"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_tls_one_input
#include "../../../fuzz/fuzz_tls.cpp"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_quic_one_input
#include "../../../fuzz/fuzz_quic.cpp"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_http_one_input
#include "../../../fuzz/fuzz_http.cpp"
#undef LLVMFuzzerTestOneInput

namespace unveil::test {
namespace {

std::size_t replay(const std::string& target, int (*one_input)(const std::uint8_t*, std::size_t)) {
    std::size_t count = 0;
    for (const auto* kind : {"corpus", "regressions"}) {
        const auto folder = std::filesystem::path(UNVEIL_SOURCE_DIR) / "fuzz" / kind / target;
        if (!std::filesystem::is_directory(folder)) continue;
        for (const auto& entry : std::filesystem::directory_iterator(folder)) {
            SCOPED_TRACE(entry.path().string());
            const Bytes bytes = read_file(entry.path());
            one_input(bytes.data(), bytes.size());
            ++count;
        }
    }
    return count;
}

TEST(DecoderRegressions, Dns) { EXPECT_GT(replay("dns", fuzz_dns_one_input), 0u); }
TEST(DecoderRegressions, Tls) { EXPECT_GT(replay("tls", fuzz_tls_one_input), 0u); }
TEST(DecoderRegressions, Quic) { EXPECT_GT(replay("quic", fuzz_quic_one_input), 0u); }
TEST(DecoderRegressions, Http) { EXPECT_GT(replay("http", fuzz_http_one_input), 0u); }

}  // namespace
}  // namespace unveil::test
