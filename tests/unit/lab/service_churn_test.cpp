// Goal: tables of changes are read to the last good row, broken rows are counted with their place, and dated lists become the changes between
// them. Method: small files and lists, and a list that fails for some hours.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/error.hpp"
#include "lab/service_churn.hpp"
#include "world.hpp"

namespace unveil::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string write(const Folder& folder, const std::string& bytes) {
    const std::string path = folder / "churn.csv";
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
}

TEST(ServiceChurn, RowsAreReadByTimeAndBrokenOnesCounted) {
    const Folder folder;
    const auto churn = read_service_churn(write(folder,
        "time,rule,change,context\n"
        "2020-02-03,六四 + 坦克,added,\n"
        "2020-02-01T08:00:00Z,\"学生 unless 捍卫 + 党\",removed,home\n"
        "yesterday,a,added,\n"
        "2020-02-02,a,changed,\n"
        "2020-02-02, + ,added,\n"
        "2020-02-02,a unless + ,added,\n"
        "2020-02-02,\xff,added,\n"
        "2020-02-02," + std::string(1001, 'a') + ",added,\n"
        "2020-02-02,too few\n"
        "2020-02-03,last,removed,\n"));
    ASSERT_EQ(churn.changes.size(), 3u);
    EXPECT_EQ(churn.changes[0].time_us, 1'580'544'000'000'000);
    EXPECT_FALSE(churn.changes[0].is_added);
    EXPECT_EQ(churn.changes[0].context, "home");
    EXPECT_THAT(churn.changes[0].rule.components, ElementsAre("学生"));
    EXPECT_THAT(churn.changes[0].rule.exceptions, ElementsAre(ElementsAre("捍卫", "党")));
    EXPECT_TRUE(churn.changes[1].is_added);
    EXPECT_THAT(churn.changes[1].rule.components, ElementsAre("六四", "坦克"));
    EXPECT_THAT(churn.changes[2].rule.components, ElementsAre("last"));
    EXPECT_EQ(churn.tally.kept(), 3u);
    EXPECT_EQ(churn.tally.skipped(), 7u);
    EXPECT_THAT(churn.tally.skips().at("time not understood").examples.front(), HasSubstr("churn.csv:4"));
    EXPECT_EQ(churn.tally.skips().at("a part of the rule is empty").count, 2u);
    EXPECT_THROW(read_service_churn(write(folder, "time,rule\n2020,a\n")), Error);
    EXPECT_THROW(read_service_churn(folder / "nothing.csv"), Error);
}

TEST(ServiceChurn, DatedListsBecomeChanges) {
    const std::vector<DatedList> lists = {{1, {"a", "b"}}, {2, {"b", "c", "d"}}, {3, {"b", "c", "d"}}, {4, {"a"}}};
    std::vector<std::string> said;
    for (const auto& change : changes_between(lists)) said.push_back(std::to_string(change.time_us) + (change.is_added ? "+" : "-") + change.rule);
    EXPECT_THAT(said, ElementsAre("2-a", "2+c", "2+d", "4-b", "4-c", "4-d", "4+a"));
    EXPECT_TRUE(changes_between({}).empty());
}

TEST(ServiceChurn, AListThatFailsForSomeHoursIsNoChange) {
    constexpr std::int64_t hour_us = 3'600'000'000;
    const std::vector<std::string> all = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};
    const std::vector<std::string> half(all.begin(), all.begin() + 5);
    const auto kept_of = [&](std::vector<DatedList> lists) {
        const std::size_t failures = take_out_failures(lists);
        std::string times = std::to_string(failures) + ":";
        for (const auto& list : lists) times += " " + std::to_string(list.time_us / hour_us);
        return times;
    };
    EXPECT_EQ(kept_of({{0, all}, {hour_us, {}}, {2 * hour_us, half}, {3 * hour_us, all}}), "2: 0 3");
    EXPECT_EQ(kept_of({{0, all}, {hour_us, half}, {80 * hour_us, all}}), "0: 0 1 80") << "too long for a failure";
    EXPECT_EQ(kept_of({{0, all}, {hour_us, half}}), "0: 0 1") << "it never came back";
    std::vector<std::string> nine(all.begin() + 1, all.end());
    EXPECT_EQ(kept_of({{0, all}, {hour_us, nine}, {2 * hour_us, all}}), "0: 0 1 2") << "so few may have been taken out on purpose";
}

}  // namespace
}  // namespace unveil::test
