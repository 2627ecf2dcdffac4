// Goal: heads and bodies of HTTP/1 are read as RFC 9112 says and as servers and censors really write them; hostile ones end in a result. Method:
// messages written by hand; every prefix and every damaged byte.
#include "net/http.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include "bytes.hpp"

namespace unveil::test {
namespace {

constexpr std::size_t plenty = 1u << 20;

std::string packed(std::string_view text, int window_bits) {
    z_stream stream{};
    EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
    std::string out(text.size() + 200, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

std::string body_of(const std::string& text, std::size_t bytes_max = plenty) {
    const Bytes stream = from_text(text);
    HttpHead head;
    EXPECT_EQ(parse_http_response(stream, head), HttpParse::done);
    return http_body(stream, head, bytes_max);
}

const std::string request = "GET /search?q=a%20b HTTP/1.1\r\nHost: www.example.org\r\nUser-Agent:  unveil \t\r\nX-Empty:\r\n\r\nnext";

TEST(HttpRequest, IsRead) {
    const Bytes stream = from_text(request);
    HttpHead head;
    ASSERT_EQ(parse_http_request(stream, head), HttpParse::done);
    EXPECT_EQ(head.method, "GET");
    EXPECT_EQ(head.target, "/search?q=a%20b");
    EXPECT_EQ(head.version, "HTTP/1.1");
    EXPECT_EQ(head.head_bytes, stream.size() - 4);
    ASSERT_EQ(head.headers.size(), 3u);
    EXPECT_EQ(head.header("HOST"), "www.example.org");
    EXPECT_EQ(head.header("user-agent"), "unveil");
    EXPECT_EQ(head.header("x-empty"), "");
    EXPECT_EQ(head.header("cookie"), "");
    EXPECT_EQ(http_body(stream, head, plenty), "") << "a request without a length has no body";
    for (std::size_t size = 0; size < head.head_bytes; ++size) {
        HttpHead part;
        ASSERT_EQ(parse_http_request(std::span(stream).first(size), part), HttpParse::need_more) << size;
    }
}

TEST(HttpRequest, LineEndsMayBeLoneAndLinesFolded) {
    const Bytes stream = from_text("\r\nPOST /a b HTTP/1.0\nHost: x\n \tfolded\nContent-Length: 3\n\nabcdef");
    HttpHead head;
    ASSERT_EQ(parse_http_request(stream, head), HttpParse::done);
    EXPECT_EQ(head.target, "/a b");
    EXPECT_EQ(head.version, "HTTP/1.0");
    EXPECT_EQ(head.header("host"), "x\n \tfolded");
    EXPECT_EQ(http_body(stream, head, plenty), "abc");
}

TEST(HttpRequest, WhatCameOfACutHeadIsKept) {
    HttpHead head;
    const Bytes stream = from_text("GET / HTTP/1.1\r\nHost: blocked.example\r\nAccept: te");
    ASSERT_EQ(parse_http_request(stream, head), HttpParse::need_more);
    EXPECT_EQ(head.header("host"), "blocked.example");
    EXPECT_EQ(head.head_bytes, 0u);
}

TEST(HttpRequest, OtherBytesAreTold) {
    HttpHead head;
    const auto parse = [&](std::string_view text) { return parse_http_request(from_text(text), head); };
    EXPECT_EQ(parse(""), HttpParse::need_more);
    EXPECT_EQ(parse("\x16\x03\x01"), HttpParse::not_http);
    EXPECT_EQ(parse("GET /"), HttpParse::need_more);
    EXPECT_EQ(parse("GET /\r\n"), HttpParse::not_http) << "version 0.9";
    EXPECT_EQ(parse("SSH-2.0-OpenSSH_9.2\r\n"), HttpParse::not_http);
    EXPECT_EQ(parse(" GET / HTTP/1.1\r\n\r\n"), HttpParse::not_http);
    EXPECT_EQ(parse("HTTP/1.1 200 OK\r\n\r\n"), HttpParse::not_http);
    EXPECT_EQ(parse(std::string(40, 'A')), HttpParse::not_http) << "no method is that long";
    EXPECT_EQ(parse("GET / HTTP/1.1\r\nno colon\r\n\r\n"), HttpParse::malformed);
    EXPECT_EQ(parse("GET / HTTP/1.1\r\n: no name\r\n\r\n"), HttpParse::malformed);
    EXPECT_EQ(parse("GET / HTTP/1.1\r\n folded from nothing\r\n\r\n"), HttpParse::malformed);
}

TEST(HttpRequest, HugeHeadsAreGivenUp) {
    HttpHead head;
    EXPECT_EQ(parse_http_request(from_text("GET /" + std::string(70'000, 'a')), head), HttpParse::malformed);
    EXPECT_EQ(parse_http_request(from_text("GET / HTTP/1.1\r\nA: " + std::string(70'000, 'a')), head), HttpParse::malformed);
    std::string many = "GET / HTTP/1.1\r\n";
    for (int i = 0; i < 5'000; ++i) many += "a:b\r\n";
    many += "\r\n";
    ASSERT_LT(many.size(), 65'536u);
    ASSERT_EQ(parse_http_request(from_text(many), head), HttpParse::done);
    EXPECT_EQ(head.headers.size(), 256u);
    EXPECT_EQ(head.head_bytes, many.size());
}

TEST(HttpResponse, IsRead) {
    HttpHead head;
    const Bytes stream = from_text("HTTP/1.1 403 Forbidden by law\r\nContent-Length: 337\r\n\r\n<html>");
    ASSERT_EQ(parse_http_response(stream, head), HttpParse::done);
    EXPECT_EQ(head.status, 403u);
    EXPECT_EQ(head.reason, "Forbidden by law");
    EXPECT_EQ(http_body(stream, head, plenty), "<html>") << "as much as there is";
    for (const auto* line : {"HTTP/1.1 302\r\n\r\n", "HTTP/1.0 302 \n\n", "http/1.1 302\r\n\r\n"}) {
        const Bytes bare = from_text(line);
        ASSERT_EQ(parse_http_response(bare, head), HttpParse::done) << line;
        EXPECT_EQ(head.status, 302u);
        EXPECT_EQ(head.reason, "");
    }
    for (const auto* line : {"HTTP/1.1 20\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1  200 OK\r\n\r\n", "ICY 200 OK\r\n\r\n", "HTTP/11 200 OK\r\n\r\n"})
        EXPECT_EQ(parse_http_response(from_text(line), head), HttpParse::not_http) << line;
    EXPECT_EQ(parse_http_response(from_text("HTT"), head), HttpParse::need_more);
    EXPECT_EQ(parse_http_response(from_text("HTX"), head), HttpParse::not_http);
}

TEST(HttpBody, ChunksAreJoined) {
    const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n";
    EXPECT_EQ(body_of(head + "4\r\nWiki\r\n6;ext=1\r\npedia \r\n0\r\n\r\nnext response"), "Wikipedia ");
    EXPECT_EQ(body_of(head + "4\nWiki\nA\npe"), "Wikipe") << "cut";
    EXPECT_EQ(body_of(head + "4\r\nWiki\r\nFFFFFFFFFFFFFFFF\r\npedia"), "Wikipedia");
    EXPECT_EQ(body_of(head + "4\r\nWiki\r\nFFFFFFFFFFFFFFFFF\r\npedia"), "Wiki") << "more than 64 bits";
    EXPECT_EQ(body_of(head + "zz\r\nWiki"), "");
    EXPECT_EQ(body_of(head + "4\r\nWiki\r\n6\r\npedia \r\n0\r\n\r\n", 6), "Wikipe");
}

TEST(HttpBody, PackedOnesAreUnpacked) {
    std::string text;
    for (int i = 0; i < 3'000; ++i) text += "line " + std::to_string(i * i) + "\n";
    const auto response = [](std::string_view coding, const std::string& body) {
        return "HTTP/1.1 200 OK\r\nContent-Encoding: " + std::string(coding) + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    };
    const std::string gzip = packed(text, 15 + 16);
    EXPECT_EQ(body_of(response("gzip", gzip)), text);
    EXPECT_EQ(body_of(response("X-GZip", gzip)), text);
    EXPECT_EQ(body_of(response("deflate", packed(text, 15))), text);
    EXPECT_EQ(body_of(response("deflate", packed(text, -15))), text);
    EXPECT_EQ(body_of(response("br", "as it is")), "as it is");
    EXPECT_EQ(body_of(response("gzip", "no gzip at all")), "no gzip at all");
    const std::string part = body_of(response("gzip", gzip).substr(0, gzip.size() / 2));
    EXPECT_GT(part.size(), 1'000u);
    EXPECT_EQ(part, text.substr(0, part.size())) << "as far as it goes";
    EXPECT_EQ(body_of(response("gzip", packed(std::string(50'000'000, 'x'), 15 + 16)), 100'000), std::string(100'000, 'x'));
}

TEST(HttpBody, SomeResponsesHaveNone) {
    EXPECT_EQ(body_of("HTTP/1.1 304 Not Modified\r\n\r\nHTTP/1.1 200 OK"), "");
    EXPECT_EQ(body_of("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK"), "");
    EXPECT_EQ(body_of("HTTP/1.1 200 OK\r\nContent-Length: nonsense\r\n\r\ntext"), "text");
    EXPECT_EQ(http_body(from_text("text"), HttpHead{}, plenty), "");
}

TEST(Html, TitlesAreFound) {
    EXPECT_EQ(html_title("<html><head><TITLE lang='fa'>\n M1-7 &amp; more </Title>"), "M1-7 &amp; more");
    EXPECT_EQ(html_title("<titlebar>no</titlebar><title>yes</title >"), "yes");
    EXPECT_EQ(html_title("<title>never ends"), "");
    EXPECT_EQ(html_title("<title"), "");
    EXPECT_EQ(html_title(""), "");
    EXPECT_EQ(html_title(std::string(70'000, ' ') + "<title>too late</title>"), "");
}

TEST(PercentDecoded, OtherBytesStay) {
    EXPECT_EQ(percent_decoded("%E6%b3%95%20a+b%"), "\xE6\xB3\x95 a+b%");
    EXPECT_EQ(percent_decoded("%4"), "%4");
    EXPECT_EQ(percent_decoded("%zz%41%4x%%41"), "%zzA%4x%A");
    EXPECT_EQ(percent_decoded("%00"), std::string(1, '\0'));
}

TEST(Http, DamageIsBorne) {
    const std::string gzip = packed("<title>some text that is packed</title>", 15 + 16);
    const std::string response = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\nA\r\n" + gzip.substr(0, 10) + "\r\n30\r\n" +
                                 gzip.substr(10) + "\r\n0\r\n\r\n";
    HttpHead head;
    const auto check = [&](std::span<const std::uint8_t> bytes) {
        for (const auto parse : {parse_http_request, parse_http_response}) {
            if (parse(bytes, head) == HttpParse::done) {
                ASSERT_LE(head.head_bytes, bytes.size());
                const std::string body = http_body(bytes, head, 1000);
                ASSERT_LE(body.size(), 1000u);
                html_title(body);
                percent_decoded(head.target);
            }
            for (const auto& [name, value] : head.headers) ASSERT_LE(name.size() + value.size(), bytes.size());
        }
    };
    bear_damage(from_text(request), check);
    bear_damage(from_text(response), check);
}

}  // namespace
}  // namespace unveil::test
