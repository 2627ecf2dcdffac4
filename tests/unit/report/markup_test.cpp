// Goal: text and numbers come out as a reader expects and a browser cannot be fooled. Method: known pairs.
#include "report/markup.hpp"

#include <gtest/gtest.h>

#include "core/digest.hpp"

namespace unveil {
namespace {

TEST(Markup, MarksWhatReordersText) {
    EXPECT_EQ(visible_text("a\xE2\x80\xAE" "b\xE2\x81\xA9"), "a[U+202E]b[U+2069]");
    EXPECT_EQ(visible_text("\xE2\x80\x8F"), "\xE2\x80\x8F");  // a right-to-left mark is part of honest Arabic
}

TEST(Markup, ReplacesControlsAndBrokenUtf8) {
    EXPECT_EQ(visible_text(std::string_view("a\0b", 3)), "a\uFFFDb");
    EXPECT_EQ(visible_text("\x1B[31m\x7F\xC2\x85"), "\uFFFD[31m\uFFFD\uFFFD");
    EXPECT_EQ(visible_text("\xF0\x9F\x90\xBC\xC3(\xE2\x82"), "\xF0\x9F\x90\xBC\uFFFD(\uFFFD\uFFFD");
    EXPECT_EQ(visible_text("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");  // a surrogate
    EXPECT_EQ(visible_text("\xEF\xBF\xBF"), "\uFFFD");
}

TEST(Markup, CutsByCharacters) {
    EXPECT_EQ(visible_text("häuser", 2), "hä…");
    EXPECT_EQ(visible_text("ab", 2), "ab");
    EXPECT_EQ(shortened("abcdef", 4), "abc…");
    EXPECT_EQ(shortened("回复同一", 5), "回复…");
    EXPECT_EQ(text_columns("回a"), 3u);
}

TEST(Markup, EscapesNames) {
    std::string out;
    append_name("<b>\"'&", out);
    EXPECT_EQ(out, "<bdi>&lt;b&gt;&quot;&#39;&amp;</bdi>");
}

TEST(Markup, SpellsNumbers) {
    EXPECT_EQ(number_text(35125), "35,125");
    EXPECT_EQ(number_text(0), "0");
    EXPECT_EQ(number_text(-1234), "−1,234");
    EXPECT_EQ(number_text(0.03124), "0.03124");
    EXPECT_EQ(number_text(0.5), "0.5");
    EXPECT_EQ(number_text(8.4), "8.4");
    EXPECT_EQ(number_text(999.96), "1000");
    EXPECT_EQ(number_text(12345.67), "12,345.7");
    EXPECT_EQ(number_text(1e20), "1.000e+20");
    EXPECT_EQ(number_text(0.0000001), "1.000e-07");
    EXPECT_EQ(bytes_text(18'331'204), "18.3 MB");
}

TEST(Markup, Base64OfDigests) {
    EXPECT_EQ(base64_of_hex(""), "");
    EXPECT_EQ(base64_of_hex("66"), "Zg==");
    EXPECT_EQ(base64_of_hex("666f"), "Zm8=");
    EXPECT_EQ(base64_of_hex("666f6f62"), "Zm9vYg==");
    EXPECT_EQ(base64_of_hex(sha256_hex("")), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
}

}  // namespace
}  // namespace unveil
