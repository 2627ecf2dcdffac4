// Goal: JSON of strangers cannot take the stack; ours comes out in one spelling.
#include "core/json.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace unveil {
namespace {

TEST(Json, DepthIsLimited) {
    const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
    EXPECT_FALSE(read_json(nested(json_depth_max)).is_discarded());
    EXPECT_TRUE(read_json(nested(300'000)).is_discarded());
    EXPECT_TRUE(read_json(std::string(1'000'000, '[')).is_discarded());
    EXPECT_TRUE(read_json("{\"a\":}").is_discarded());
    EXPECT_EQ(read_json("{\"b\":1,\"a\":[2]}").dump(), "{\"b\":1,\"a\":[2]}");
}

TEST(Json, TextIsSafeInAScriptElement) {
    EXPECT_EQ(json_text(nlohmann::ordered_json("</script>&")), "\"\\u003c/script\\u003e\\u0026\"");
}

}  // namespace
}  // namespace unveil
