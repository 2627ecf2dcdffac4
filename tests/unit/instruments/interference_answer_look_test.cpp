// Goal: what a host may mean by its answer is read from it, and no more than that. Method: answers written by hand.
#include "instruments/interference/answer_look.hpp"

#include <gtest/gtest.h>

#include <string>

namespace unveil {
namespace {

AnswerLook look_of(const std::string& answer) {
    HttpHead head;
    return answer_look({reinterpret_cast<const std::uint8_t*>(answer.data()), answer.size()}, head);
}
std::string page(const std::string& status, const std::string& headers, const std::string& title = "Page") {
    return "HTTP/1.1 " + status + "\r\n" + headers + "\r\n<html><title>" + title + "</title></html>";
}

TEST(AnswerLook, IsReadFromStatusHeadersAndTitle) {
    EXPECT_EQ(look_of(page("451 Unavailable For Legal Reasons", "")), AnswerLook::geo_block);
    EXPECT_EQ(look_of(page("403 Forbidden", "")), AnswerLook::geo_block);
    EXPECT_EQ(look_of(page("403 Forbidden", "cf-mitigated: challenge\r\n")), AnswerLook::captcha);
    EXPECT_EQ(look_of(page("503 Service Unavailable", "Server: cloudflare\r\n", "Just a moment...")), AnswerLook::captcha);
    EXPECT_EQ(look_of(page("503 Service Unavailable", "")), AnswerLook::other);
    EXPECT_EQ(look_of(page("200 OK", "cf-ray: 1\r\n", "Just a moment...")), AnswerLook::other);
    EXPECT_EQ(look_of("HTTP/1.1 403 Forbidden\r\nServer: x"), AnswerLook::unread);
    EXPECT_EQ(look_of("\x16\x03\x03"), AnswerLook::unread);
    EXPECT_EQ(look_of(page("302 Found", "Location: https://www.example.org/\r\n")), AnswerLook::other);
    EXPECT_EQ(look_of(page("302 Found", "Location: https:///start\r\n")), AnswerLook::broken_redirect);
    EXPECT_EQ(look_of(page("301 Moved Permanently", "")), AnswerLook::broken_redirect);
}

TEST(AnswerLook, ARedirectionMayBeAnythingThatLeadsSomewhere) {
    for (const char* good : {"/", "next", "//example.org/x", "HTTP://example.org", "http://10.10.34.36/?type=x", "https://user@example.org:8443/", "?a=http://b", "http://[2001:db8::1]/"})
        EXPECT_TRUE(can_be_followed(good)) << good;
    for (const char* bad : {"", "http://", "https:///x", "http://:80/", "http://.example.org/", "ftp://example.org/", "http://exa mple.org/", "//", "http://user@/"})
        EXPECT_FALSE(can_be_followed(bad)) << bad;
}

}  // namespace
}  // namespace unveil
