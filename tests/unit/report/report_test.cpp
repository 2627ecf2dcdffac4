// Goal: the report is one well-formed file that loads nothing, runs nothing but its own script, says everything it knows,
// and stays small. Method: a case with every kind of content, read back by a strict parser.
#include "report/report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "core/digest.hpp"
#include "example_report.hpp"
#include "page_check.hpp"
#include "report/assets.hpp"
#include "report/markup.hpp"

namespace unveil {
namespace {

using testing::HasSubstr;
using testing::Not;

std::size_t count_of(std::string_view text, std::string_view part) {
    std::size_t count = 0;
    for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size())) ++count;
    return count;
}

TEST(Report, IsWellFormedAndUsesNoDangerousAttributes) {
    const auto check = check_page(render_report(example_report()));
    EXPECT_EQ(check.fault, "");
    for (const auto& name : check.attributes) {
        EXPECT_NE(name, "style");
        EXPECT_NE(name, "src");
        EXPECT_NE(name.substr(0, 2), "on") << name;
    }
    for (const auto* tag : {"img", "iframe", "object", "embed", "link", "base", "form"})
        EXPECT_FALSE(check.tags.contains(tag)) << tag;
}

TEST(Report, PolicyNamesExactlyTheStyleAndScriptInside) {
    const auto check = check_page(render_report(example_report()));
    EXPECT_THAT(check.csp, testing::StartsWith("default-src 'none'; "));
    EXPECT_THAT(check.csp, HasSubstr("style-src 'sha256-" + base64_of_hex(sha256_hex(check.style)) + "'"));
    if (report_script().empty()) {
        EXPECT_TRUE(check.scripts.empty());
        EXPECT_THAT(check.csp, HasSubstr("script-src 'none'"));
    } else {
        ASSERT_EQ(check.scripts.size(), 1u);
        EXPECT_THAT(check.csp, HasSubstr("script-src 'sha256-" + base64_of_hex(sha256_hex(check.scripts[0])) + "'"));
    }
    EXPECT_THAT(check.csp, Not(HasSubstr("unsafe")));
}

TEST(Report, LoadsNothing) {
    auto page = render_report(example_report());
    // The script's libraries name web addresses in messages; what the page itself says must not.
    if (!report_script().empty()) page.erase(page.rfind("<script>"));
    EXPECT_THAT(page, Not(HasSubstr("http:")));
    EXPECT_THAT(page, Not(HasSubstr("https:")));
    EXPECT_THAT(page, Not(HasSubstr("url(")));
    EXPECT_THAT(page, Not(HasSubstr("@import")));
    for (const auto* word : {"eval(", "new Function", ".innerHTML"})
        EXPECT_EQ(report_script().find(word), std::string_view::npos) << word;
}

TEST(Report, SaysEverythingOnce) {
    const auto page = render_report(example_report());
    for (const auto* words :
         {"The June takedown", "A core of accounts posted and a larger group only amplified them.", "Evidence with times finer than a second.",
          "against 134", "not measured", "tweets.csv.gz", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
          "326,980 kept, 3 skipped", "time not understood", "unveil investigate case.toml", "unveil verify case.out",
          "rows 12, 871, 20,413", "15,210 records in all", "q &lt; 0.0001", "95 % interval 7.9 to 9.02", "no data",
          "It cannot tell one person with many accounts", "What no report of this kind shows", "commit 0123456789abcdef"})
        EXPECT_THAT(page, HasSubstr(words));
    EXPECT_EQ(count_of(page, "<article class=\"claim "), 3u);
    EXPECT_EQ(count_of(page, "<article class=\"finding\""), 5u);
    // Each chart twice: for a desk and for a phone.
    EXPECT_EQ(count_of(page, "class=\"chart wide\""), 4u);
    EXPECT_EQ(count_of(page, "class=\"chart narrow\""), 4u);
    // A word stands beside each sign.
    EXPECT_GE(count_of(page, "#mark-supported\"/></svg>Supported</span>"), 5u);
    EXPECT_GE(count_of(page, "#mark-contradicted\"/></svg>Contradicted</span>"), 4u);
    EXPECT_GE(count_of(page, "#mark-undetermined\"/></svg>Undetermined</span>"), 5u);
}

/// A run with three parts, two of them without anything, five numbered items and numbers of the whole.
ReportInput sectioned_report() {
    ReportInput input;
    input.title = "Sections";
    ReportRun run;
    run.instrument = "any";
    run.metrics = {"posts", "<trace>.edges", "<trace>.objects", "fused.edges", "group.<n>.size", "control.auc"};
    auto& items = run.findings.items;
    const auto add = [&](const std::string& metric, double value) -> Finding& {
        items.push_back(plain_finding(metric, value, "things", "Of " + metric + "."));
        return items.back();
    };
    add("posts", 12);
    for (const auto* part : {"first", "second", "third"}) {
        const bool has_any = std::string_view(part) == "second";
        add(std::string(part) + ".objects", 3);
        auto& edges = add(std::string(part) + ".edges", has_any ? 2 : 0);
        edges.table.columns = {"rule", "edges"};
        edges.table.rows = {{"weight", "7"}};
    }
    add("fused.edges", 2);
    for (const auto* zero : {"fused.a", "fused.b", "fused.c"}) add(zero, 0).caveat = "A shared caveat.";
    items[items.size() - 4].caveat = "A shared caveat.";
    add("fused.opened", 0).high = 5;
    for (int n = 1; n <= 5; ++n) add("group." + std::to_string(n) + ".size", n);
    add("control.auc", 0.9);
    ReportEvidence evidence;
    evidence.path = "others.csv";
    evidence.role = "control";
    run.inputs = {evidence};
    input.runs = {run};
    return input;
}

TEST(Report, GroupsFindingsByWhatTheyAreAbout) {
    const auto page = render_report(sectioned_report());
    EXPECT_EQ(check_page(page).fault, "");
    std::size_t at = 0;
    for (const auto* words : {"others.csv</bdi> (control)", "Of posts.", ">Second</h3>", "Nothing was found in first, third</summary>",
                              ">First</h3>", ">Third</h3>", ">All traces together</h3>", ">Group 1</h3>", ">Group 3</h3>",
                              "<summary>Group 4: Of ", ">Control</h3>"}) {
        const auto found = page.find(words, at);
        EXPECT_NE(found, std::string::npos) << words << " does not stand behind the words before";
        if (found != std::string::npos) at = found;
    }
    // A table that is the only picture stands open; one that is folded away is still there.
    EXPECT_EQ(count_of(page, "<bdi>weight</bdi>"), 3u);
}

TEST(Report, ANameWithADotMakesNoHeading) {
    auto report = example_report();
    report.runs.resize(1);
    auto& run = report.runs.front();
    run.findings.items.clear();
    run.metrics = {"mechanism", "mechanism(\"name\")"};
    for (const char* metric : {"mechanism", "mechanism(\"example.org\")"}) run.findings.items.push_back(plain_finding(metric, 1, "mechanisms", "One."));
    EXPECT_EQ(render_report(report).find("<h3 class=\"family\""), std::string::npos);
}

TEST(Report, JoinsZerosButNotOpenIntervalsOrTheirCaveats) {
    const auto page = render_report(sectioned_report());
    const auto zero = page.find("Zero:");
    ASSERT_NE(zero, std::string::npos);
    const auto line = page.substr(zero, page.find("</p>", zero) - zero);
    EXPECT_EQ(count_of(line, "<code>"), 3u);
    EXPECT_THAT(line, Not(HasSubstr("opened")));
    EXPECT_EQ(count_of(page, "A shared caveat."), 1u);
    auto input = sectioned_report();
    for (auto& item : input.runs[0].findings.items)
        if (item.metric == "fused.edges") item.caveat.clear();
    EXPECT_EQ(count_of(render_report(input), "A shared caveat."), 1u) << "a caveat of zeros is lost";
}

TEST(Report, SameInputSameBytes) { EXPECT_EQ(render_report(example_report()), render_report(example_report())); }

TEST(Report, EmptyCaseIsAPageToo) {
    ReportInput input;
    input.title = "Nothing yet";
    const auto page = render_report(input);
    EXPECT_EQ(check_page(page).fault, "");
    EXPECT_THAT(page, HasSubstr("makes no claims"));
    EXPECT_THAT(page, HasSubstr("No evidence was read."));
}

TEST(Report, StaysSmallWhateverTheCaseHolds) {
    auto input = example_report(30);
    for (int copy = 0; copy < 3; ++copy) input.runs.push_back(input.runs[0]);
    for (auto& run : input.runs)
        for (int i = 0; i < 3000; ++i) {
            auto finding = plain_finding("metric." + std::to_string(i), i, "things", std::string(300, 'x'));
            run.findings.items.push_back(finding);
        }
    const auto start = std::chrono::steady_clock::now();
    const auto page = render_report(input);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    RecordProperty("seconds", std::to_string(took.count()));
    EXPECT_LE(page.size(), report_bytes_max);
    EXPECT_EQ(check_page(page).fault, "");
    EXPECT_THAT(page, HasSubstr("further findings are left out"));
    EXPECT_THAT(page, HasSubstr("Drawn are the strongest"));
}

}  // namespace
}  // namespace unveil
