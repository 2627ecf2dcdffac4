// Goal: no name, however made, becomes markup. Method: 300 seeded reports whose every text is made of pieces of attacks and
// random bytes, each read back by the strict parser; the tags and attributes must be those of an innocent report.
#include <gtest/gtest.h>

#include <array>

#include "../../unit/report/example_report.hpp"
#include "../../unit/report/page_check.hpp"
#include "report/report.hpp"

namespace unveil {
namespace {

std::string hostile_text(Random& random) {
    static const std::array<std::string_view, 24> pieces = {
        "<", ">", "\"", "'", "&", "</script>", "<script>", "<!--", "-->", "]]>", "<![CDATA[", "</svg>", "</title>", "</style>",
        "onerror=", "javascript:", "\xE2\x80\xAE", "\xE2\x81\xA6", "\xF0\x9F\x90\xBC", "\xC3", "&#60;", "{{", "\\u003c", "`"};
    std::string text;
    for (auto left = 1 + random.below(12); left > 0; --left) {
        if (random.chance(0.6)) text += pieces[random.below(pieces.size())];
        else text += static_cast<char>(random.below(256));
    }
    return text;
}

TEST(HostileNames, NeverBecomeMarkup) {
    auto innocent = check_page(render_report(example_report()));
    ASSERT_EQ(innocent.fault, "");
    Random random(20);
    for (int round = 0; round < 300; ++round) {
        ReportInput input;
        const auto text = [&] { return hostile_text(random); };
        input.title = text();
        input.description = text();
        input.case_file = text();
        input.notes = {text()};
        ReportEvidence evidence{text(), text(), text(), text(), text(), 1, 2, 3, {{text(), 1, {text()}}}, {{text(), 1, {}}}, text(), text(), text()};
        input.evidence = {evidence};
        ReportRun run;
        run.instrument = text();
        run.question = text();
        run.limits = {text()};
        run.citations = {text()};
        run.version = text();
        run.parameters = {{text(), text()}};
        run.inputs = {evidence};
        for (const auto kind : {FigureKind::none, FigureKind::bars, FigureKind::map, FigureKind::timeline, FigureKind::histogram, FigureKind::line, FigureKind::network}) {
            auto finding = plain_finding(text(), 3, text(), text());
            finding.subject = text();
            finding.caveat = text();
            finding.figure.kind = kind;
            finding.figure.title = text();
            finding.figure.caption = text();
            finding.figure.x_label = text();
            finding.figure.y_label = text();
            finding.table.columns = {text(), text()};
            finding.table.rows = {{text(), text()}};
            finding.locators = {{0, 1}};
            for (int i = 0; i < 3; ++i) {
                finding.figure.rows.push_back({text(), 1.0 + i, 0, 4});
                finding.figure.nodes.push_back({text(), text(), static_cast<std::uint32_t>(i), 1});
            }
            if (kind == FigureKind::network) finding.figure.edges = {{0, 1, 2}};
            run.findings.items.push_back(finding);
        }
        run.findings.notes = {text()};
        run.findings.caveats = {text()};
        input.runs = {run};
        input.claims = {{text(), text(), text(), ReportVerdict::contradicted, text(),
                         {{text(), ReportVerdict::supported, text(), true, 1, 0, 2, text(), false, 1, 1, 1}}, {text(), text()}, 0}};
        const auto page = render_report(input);
        const auto check = check_page(page);
        ASSERT_EQ(check.fault, "") << "round " << round;
        for (const auto& tag : check.tags) ASSERT_TRUE(innocent.tags.contains(tag)) << tag;
        for (const auto& name : check.attributes) ASSERT_TRUE(innocent.attributes.contains(name)) << name;
        ASSERT_EQ(check.scripts, innocent.scripts);
        ASSERT_EQ(check.csp, innocent.csp);
    }
}

}  // namespace
}  // namespace unveil
