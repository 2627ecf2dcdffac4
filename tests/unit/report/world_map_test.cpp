// Goal: a map says of each country what is known and greys what is not; a time line shows when a site was measured and blocked. Method: figures made by
// hand, marks counted in the SVG.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "report/chart.hpp"
#include "report/world_map.hpp"

namespace unveil {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::size_t count(const std::string& text, std::string_view part) {
    std::size_t found = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++found;
    return found;
}

Figure map_of(std::vector<FigureRow> rows) {
    Figure figure;
    figure.kind = FigureKind::map;
    figure.title = "Where";
    figure.y_label = "sites blocked";
    figure.rows = std::move(rows);
    return figure;
}

TEST(WorldMap, SaysWhatIsKnownAndGreysWhatIsNot) {
    std::string out;
    const auto further = append_world_map(map_of({{"IR", 12, 12, 12}, {"TR", 1, 1, 1}, {"DE", 0, 0, 0}, {"KE", -1, -1, -1}}), out);
    EXPECT_THAT(out, HasSubstr("class=\"land-many\"><title>Iran: 12 sites blocked</title>"));
    EXPECT_THAT(out, HasSubstr("class=\"land-few\"><title>Turkey: 1 sites blocked</title>"));
    EXPECT_THAT(out, HasSubstr("class=\"land-none\"><title>Germany: 0 sites blocked</title>"));
    EXPECT_THAT(out, HasSubstr("class=\"land-open\"><title>Kenya: undetermined</title>"));
    EXPECT_THAT(out, HasSubstr("class=\"land-no-data\"><title>France: no data</title>"));
    EXPECT_GT(count(out, "class=\"land-no-data\"><title>"), 160u);
    EXPECT_THAT(further, Not(HasSubstr("Not on the map")));
}

TEST(WorldMap, SmallCountriesAreDotsAndOnlyWhereSomethingIsKnown) {
    std::string out;
    append_world_map(map_of({{"SG", 2, 2, 2}}), out);
    EXPECT_EQ(count(out, "<circle"), 1u);
    EXPECT_THAT(out, HasSubstr("<title>Singapore: 2 sites blocked</title></circle>"));
}

TEST(WorldMap, CodesWithoutAPlaceAreNamedAndEscaped) {
    std::string out;
    const auto further = append_world_map(map_of({{"ZZ", 1, 1, 1}, {"<b>", 1, 1, 1}, {"-", 1, 1, 1}, {"FR", 1, 1, 1}}), out);
    EXPECT_THAT(further, HasSubstr("Not on the map: <b>, ZZ."));   // the caption is escaped where it is written
    EXPECT_EQ(count(out, "land-few\"><title>"), 1u);
    EXPECT_THAT(out, Not(HasSubstr("<b>")));
}

TEST(WorldMap, EveryOutlineHasAPlaceOnTheMapAndNoneRunsAcrossIt) {
    std::set<std::string> codes;
    std::size_t shapes = 0;
    std::string_view rest = world_map_text();
    while (!rest.empty()) {
        const std::string line(rest.substr(0, rest.find('\n')));
        rest.remove_prefix(std::min(rest.size(), line.size() + 1));
        if (line.empty() || line[0] == '#') continue;
        ++shapes;
        const auto first = line.find('\t');
        const auto second = line.find('\t', first + 1);
        ASSERT_NE(second, std::string::npos) << line;
        const std::string code = line.substr(0, first);
        const std::string shape = line.substr(second + 1);
        EXPECT_TRUE(code == "-" || codes.insert(code).second) << code;
        ASSERT_FALSE(shape.empty()) << code;
        // Of a path every number after its "l" is a step.
        for (std::size_t at = 0; at < shape.size();) {
            const auto begin = shape.find('l', at);
            if (begin == std::string::npos) break;
            const auto end = shape.find('z', begin);
            ASSERT_NE(end, std::string::npos) << code;
            std::string number;
            for (std::size_t i = begin + 1; i <= end; ++i) {
                if (shape[i] >= '0' && shape[i] <= '9') number += shape[i];
                else if (!number.empty()) {
                    EXPECT_LT(std::stoi(number), 150) << code;
                    number.clear();
                }
            }
            at = end;
        }
    }
    EXPECT_GT(shapes, 220u);
    for (const char* code : {"CN", "IR", "RU", "US", "TM", "HK", "BH", "XK"}) EXPECT_EQ(codes.count(code), 1u) << code;
}

TEST(Timeline, ShowsWhatWasMeasuredAndLeavesTheRestOpen) {
    Figure figure;
    figure.kind = FigureKind::timeline;
    figure.rows = {{"a.example in AS1 (IR)", 0, 0, 0}, {"<b> in AS2 (TR)", 0, 0, 0}};
    figure.spans = {{0, 19'723, 19'733, SpanState::ok}, {0, 19'733, 19'735, SpanState::uncertain}, {0, 19'740, 19'743, SpanState::blocked}, {1, 19'723, 19'743, SpanState::blocked}};
    std::string out;
    append_chart(figure, out);
    // Twice, for a desk and for a phone.
    EXPECT_EQ(count(out, "class=\"span-ok\"><title>"), 2u);
    EXPECT_EQ(count(out, "class=\"span-blocked\"><title>"), 4u);
    EXPECT_THAT(out, HasSubstr("<title>a.example in AS1 (IR): changed within these days, 2024-01-11 to 2024-01-12</title>"));
    EXPECT_THAT(out, HasSubstr(">2024-01-01</text>"));
    EXPECT_THAT(out, HasSubstr(">2024-01-20</text>"));
    EXPECT_THAT(out, Not(HasSubstr("<b>")));
}

TEST(Timeline, DrawsNoMoreRowsThanChartsDoAndSaysWhenThereIsNothing) {
    Figure figure;
    figure.kind = FigureKind::timeline;
    for (std::uint32_t i = 0; i < 100; ++i) {
        figure.rows.push_back({"site" + std::to_string(i), 0, 0, 0});
        figure.spans.push_back({i, 100, 110, SpanState::blocked});
    }
    std::string out;
    append_chart(figure, out);
    EXPECT_EQ(count(out, "class=\"span-blocked\"><title>"), 2 * chart_bars_max);
    figure.spans.clear();
    out.clear();
    append_chart(figure, out);
    EXPECT_THAT(out, HasSubstr("no data"));
}

}  // namespace
}  // namespace unveil
