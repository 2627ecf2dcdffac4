// Goal: a description says exactly what is sent and what answers mean, and what is wrong with it is told. Method: small descriptions, good and
// broken ones.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "field/http_spec.hpp"

namespace unveil {
namespace {

using ::testing::HasSubstr;

const std::string good = R"({"url":"https://chat.example:8443/send?to={{context|url}}","method":"POST","headers":{"X-A":"b"},"body":"t={{text|url}}&j={{text|json}}&r={{text}}",
 "verdicts":[{"status":403,"outcome":"banned"},{"pointer":"/result/code","equals":7,"outcome":"blocked"},{"status":200,"contains":"sent","outcome":"passed"},
 {"pointer":"/dropped","outcome":"partial"}]})";

std::string problem(const std::string& json) {
    try {
        parse_http_spec(json, "spec.json");
    } catch (const Error& error) {
        EXPECT_EQ(error.where(), "spec.json");
        return error.message();
    }
    return "none";
}

TEST(HttpSpec, TemplatesAreFilledAsTheyStand) {
    const HttpSpec spec = parse_http_spec(good, "spec.json");
    EXPECT_EQ(spec.origin, "https://chat.example:8443");
    const Message message{"c n", "scan", "", "", "六\"&\n", "a b"};
    EXPECT_EQ(filled("{{account|url}}", message), "a%20b");
    EXPECT_EQ(filled(spec.target, message), "/send?to=c%20n");
    EXPECT_EQ(filled(spec.body, message), "t=%E5%85%AD%22%26%0A&j=\"六\\\"\\u0026\\n\"&r=六\"&\n");
    EXPECT_EQ(filled("{{other}} {{ {{text", message), "{{other}} {{ {{text");
    // What is sent is never read as a template itself.
    EXPECT_EQ(filled("{{text}}", Message{"c", "", "", "", "{{context}}"}), "{{context}}");
}

TEST(HttpSpec, TheFirstVerdictThatFitsCounts) {
    const HttpSpec spec = parse_http_spec(good, "spec.json");
    EXPECT_EQ(judge_http(spec, 403, "sent", 100).outcome, Outcome::banned);
    EXPECT_EQ(judge_http(spec, 200, R"({"result":{"code":7},"x":"sent"})", 100).outcome, Outcome::blocked);
    EXPECT_EQ(judge_http(spec, 200, R"({"result":{"code":8},"x":"sent"})", 100).outcome, Outcome::passed);
    EXPECT_EQ(judge_http(spec, 200, R"({"dropped":[1]})", 100).outcome, Outcome::partial);
    const HttpSpec more = parse_http_spec(R"({"url":"http://x/{{text}}","verdicts":[{"status":429,"outcome":"rejected","retry_after":30},{"contains":"careful","outcome":"blocked","warning":true}]})", "s");
    EXPECT_EQ(judge_http(more, 429, "", 1).retry_after_us, 30'000'000);
    EXPECT_FALSE(judge_http(more, 429, "", 1).has_warning);
    EXPECT_TRUE(judge_http(more, 200, "be careful", 1).has_warning);
    for (const char* body : {"", "{", "[]", R"({"result":7})", R"({"result":[{"code":7}]})", "\xFF\xFE"}) {
        const Reply reply = judge_http(spec, 200, body, 100);
        EXPECT_EQ(reply.outcome, Outcome::error) << body;
        EXPECT_THAT(reply.problem, HasSubstr("status 200"));
    }
}

TEST(HttpSpec, SpansAreWhereTheFileSays) {
    const HttpSpec spec = parse_http_spec(R"({"url":"http://x/","body":"{{text}}","verdicts":[{"contains":"some","outcome":"partial","spans":"/a/spans"}]})", "spec.json");
    const Reply reply = judge_http(spec, 200, R"({"some":1,"a":{"spans":[[0,2],[4,5]]}})", 5);
    EXPECT_EQ(reply.outcome, Outcome::partial);
    ASSERT_EQ(reply.spans.size(), 2u);
    EXPECT_EQ(reply.spans[1].begin, 4u);
    EXPECT_EQ(reply.spans[1].end, 5u);
    EXPECT_EQ(judge_http(spec, 200, "some", 5).outcome, Outcome::partial);
    for (const char* spans : {"[[0,6]]", "[[2,1]]", "[[-1,1]]", "7", "[[1]]"}) {
        const Reply bad = judge_http(spec, 200, fmt::format(R"({{"some":1,"a":{{"spans":{}}}}})", spans), 5);
        EXPECT_EQ(bad.outcome, Outcome::error) << spans;
        EXPECT_TRUE(bad.spans.empty());
        EXPECT_THAT(bad.problem, HasSubstr("within the message"));
    }
}

TEST(HttpSpec, WhatIsWrongIsTold) {
    EXPECT_THAT(problem(R"({"url":"http://x/{{text}}","verdicts":[{"spans":"/a","outcome":"blocked"}]})"), HasSubstr("goes with the outcome partial"));
    EXPECT_THAT(problem("["), HasSubstr("no JSON object"));
    EXPECT_THAT(problem(R"({"url":"http://x/{{text}}","verdicts":[{"outcome":"passed","retry_after":3}]})"), HasSubstr("needs the outcome rejected"));
    EXPECT_THAT(problem(R"({"url":"http://x/{{text}}","verdicts":[{"outcome":"rejected","retry_after":0}]})"), HasSubstr("from 1 to 3600"));
    EXPECT_THAT(problem(R"({"url":"http://x/{{text}}","verdicts":[{"outcome":"blocked","warning":1}]})"), HasSubstr("'warning' must be"));
    EXPECT_THAT(problem(R"({"url":"ftp://x/{{text}}","verdicts":[{"outcome":"passed"}]})"), HasSubstr("http:// or https://"));
    EXPECT_THAT(problem(R"({"url":"http:///{{text}}","verdicts":[{"outcome":"passed"}]})"), HasSubstr("a host"));
    EXPECT_THAT(problem(R"({"url":"http://x/","verdicts":[{"outcome":"passed"}]})"), HasSubstr("every message would be the same"));
    EXPECT_THAT(problem(R"({"url":"http://x/{{text}}"})"), HasSubstr("'verdicts' must be a list"));
    EXPECT_THAT(problem(R"({"url":"http://x/{{text}}","verdicts":[{"outcome":"maybe"}]})"), HasSubstr("'outcome' of a verdict"));
    EXPECT_THAT(problem(R"({"url":"http://x/{{text}}","verdicts":[{"status":7,"outcome":"passed"}]})"), HasSubstr("from 100 to 599"));
    EXPECT_THAT(problem(R"({"url":"http://x/{{text}}","verdicts":[{"pointer":"a~","outcome":"passed"}]})"), HasSubstr("no JSON pointer"));
    EXPECT_THAT(problem(R"({"url":"http://x/{{text}}","verdicts":[{"equals":1,"outcome":"passed"}]})"), HasSubstr("needs a 'pointer'"));
    EXPECT_THAT(problem(R"({"url":"http://x/{{text}}","verdict":[]})"), HasSubstr("there is no 'verdict'"));
    EXPECT_THAT(problem(R"({"url":"http://x/{{text}}","headers":{"A":"b\r\nC: d"},"verdicts":[{"outcome":"passed"}]})"), HasSubstr("line break"));
    EXPECT_THAT(problem(R"({"url":"http://x/{{text}}","headers":{"A":"env:UNVEIL_TEST_NOT_SET"},"verdicts":[{"outcome":"passed"}]})"), HasSubstr("is not set"));
    EXPECT_EQ(problem(good), "none");
}

}  // namespace
}  // namespace unveil
