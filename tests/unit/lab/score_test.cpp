#include "lab/score.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/output_table.hpp"
#include "world.hpp"

namespace unveil::test {
namespace {

/// Two campaigns of three and two accounts among twenty; ids with everything that CSV must survive.
Truth small_truth() {
    Truth truth;
    truth.scenario = "by hand";
    truth.posts = 1000;
    truth.accounts = 20;
    truth.campaigns = {{"campaign-1", 10, {{"a,1", "core"}, {"a\"2", "amplifier"}, {"a+/=3", "amplifier"}}},
                       {"campaign-2", 10, {{"b1", "core"}, {"b2", "amplifier"}}}};
    truth.classes = {
        {"fan", "", false, {"f1", "f2"}}, {"news-bot", "", false, {"n1"}}, {"organic", "", true, {}}};
    return truth;
}

constexpr const char* accounts_header =
    "trace,window_seconds,account,posts,partners,strength,group,group_accounts\n";
constexpr const char* edges_header = "trace,window_seconds,account_a,account_b,weight\n";

// Goal: every number of a score. Method: a run small enough to count by hand.
TEST(Score, CountedByHand) {
    Folder folder;
    write_file_atomically(folder / "accounts.csv", std::string(accounts_header) +
                                                       "co-retweet,60,\"a,1\",9,2,9,1,3\n"
                                                       "co-retweet,60,\"a\"\"2\",9,2,9,1,3\n"
                                                       "co-retweet,60,b1,9,1,9,2,2\n"
                                                       "co-retweet,60,f1,9,1,9,3,2\n"
                                                       "co-retweet,60,stranger,9,1,9,3,2\n"
                                                       "co-retweet,60,b2,9,0,0,0,0\n"
                                                       "exact-text,60,a+/=3,9,1,9,1,2\n"
                                                       "exact-text,60,n1,9,1,9,1,2\n");
    write_file_atomically(folder / "edges.csv", std::string(edges_header) +
                                                    "co-retweet,60,\"a\"\"2\",\"a,1\",3\n"
                                                    "co-retweet,60,\"a,1\",b1,3\n"
                                                    "co-retweet,60,f1,stranger,3\n"
                                                    "exact-text,60,a+/=3,n1,3\n");
    const auto score = score_run(folder.path(), small_truth());
    ASSERT_EQ(score.rows.size(), 2);
    EXPECT_EQ(score.planted, 5);
    const auto& row = score.rows[0];
    EXPECT_EQ(row.trace, "co-retweet");
    EXPECT_EQ(row.window_seconds, 60);
    EXPECT_EQ(row.precision.hits, 3);
    EXPECT_EQ(row.precision.trials, 5);
    EXPECT_EQ(row.recall.hits, 3);
    EXPECT_EQ(row.recall.trials, 5);
    EXPECT_EQ(row.false_positive_rate.hits, 2);
    EXPECT_EQ(row.false_positive_rate.trials, 15);
    EXPECT_EQ(row.core_recall.hits, 2);
    EXPECT_EQ(row.amplifier_recall.hits, 1);
    EXPECT_EQ(row.amplifier_recall.trials, 3);
    EXPECT_EQ(row.edge_precision.hits, 1);
    EXPECT_EQ(row.edge_precision.trials, 3);
    EXPECT_EQ(row.edge_recall.trials, 4);  // 3 pairs of three accounts, 1 of two
    EXPECT_EQ(row.edge_false_positive_rate.hits, 2);
    EXPECT_EQ(row.edge_false_positive_rate.trials, 20 * 19 / 2 - 4);
    ASSERT_EQ(row.false_accounts.size(), 2);
    EXPECT_EQ(row.false_accounts[0].name, "fan");
    EXPECT_EQ(row.false_accounts[1].name, "organic");
    ASSERT_EQ(row.false_edges.size(), 2);
    EXPECT_EQ(row.false_edges[0].name, "campaign-1/campaign-2");
    EXPECT_EQ(row.false_edges[1].name, "fan/organic");
    EXPECT_EQ(score.overall.recall.hits, 4);
    EXPECT_EQ(score.overall.edge_precision.trials, 4);

    EXPECT_DOUBLE_EQ(*score.metric("recall"), 0.8);
    EXPECT_DOUBLE_EQ(*score.metric("co-retweet.recall"), 0.6);
    EXPECT_DOUBLE_EQ(*score.metric("co-retweet.edge.precision"), 1.0 / 3);
    EXPECT_THROW(score.metric("co-retweet.recal"), Error);
    EXPECT_THROW(score.metric("co-link.recall"), Error);

    const auto json = nlohmann::json::parse(score_to_json(score));
    EXPECT_EQ(json["rows"][0]["accounts"]["false_by_class"]["fan"], 1);
    EXPECT_DOUBLE_EQ(json["overall"]["accounts"]["recall"]["value"], 0.8);
}

// Goal: no division by nothing. Method: a null world and findings that are empty.
TEST(Score, NullWorldAndNoFindings) {
    Folder folder;
    write_file_atomically(folder / "accounts.csv", accounts_header);
    write_file_atomically(folder / "edges.csv", edges_header);
    auto truth = small_truth();
    truth.campaigns.clear();
    const auto score = score_run(folder.path(), truth);
    EXPECT_TRUE(score.rows.empty());
    EXPECT_FALSE(score.metric("recall").has_value());
    EXPECT_FALSE(score.metric("precision").has_value());
    EXPECT_DOUBLE_EQ(*score.metric("false_positive_rate"), 0);
    EXPECT_GT(score.overall.false_positive_rate.high, 0.1);  // twenty accounts cannot show much
    EXPECT_NE(score_to_json(score).find("\"value\":null"), std::string::npos);
}

// Goal: an investigation's folder counts as all its runs. Method: two runs below it; the union is scored.
TEST(Score, SeveralRuns) {
    Folder folder;
    for (const std::string run : {"r1", "r2"}) {
        std::filesystem::create_directories(folder / ("runs/" + run));
        write_file_atomically(folder / ("runs/" + run + "/accounts.csv"),
                              std::string(accounts_header) + "co-retweet,60,b" + run[1] + ",9,1,9,1,2\n");
        write_file_atomically(folder / ("runs/" + run + "/edges.csv"), edges_header);
    }
    const auto score = score_run(folder.path(), small_truth());
    ASSERT_EQ(score.rows.size(), 2);
    EXPECT_EQ(score.rows[0].run, "r1");
    EXPECT_EQ(score.overall.recall.hits, 2);
}

// Goal: the edge tables of the other semantics count too, each pair once.
TEST(Score, ForeignEdgeTables) {
    Folder folder;
    write_file_atomically(folder / "accounts.csv", "account\nb1\nb2\n");
    write_file_atomically(folder / "edges.csv", "user_1,user_2,weight\nb1,b2,3\nb2,b1,4\n");
    const auto score = score_run(folder.path(), small_truth());
    EXPECT_EQ(score.overall.edge_precision.trials, 1);
    EXPECT_EQ(score.overall.edge_recall.hits, 1);
}

// Goal: what is not a run, or not a truth, is told apart. Method: each gives Error(input) with a hint.
TEST(Score, BadInput) {
    Folder folder;
    const auto is_input_error = [](const auto& call) {
        try {
            call();
        } catch (const Error& error) {
            return error.kind() == ErrorKind::input && !error.hint().empty();
        }
        return false;
    };
    EXPECT_TRUE(is_input_error([&] { score_run(folder.path(), small_truth()); }));
    EXPECT_TRUE(is_input_error([&] { score_run(folder / "nowhere", small_truth()); }));
    write_file_atomically(folder / "accounts.csv", "trace,name\nco-retweet,b1\n");
    EXPECT_TRUE(is_input_error([&] { score_run(folder.path(), small_truth()); }));
    for (const char* bytes :
         {"", "[]", "{", "{\"schema_version\":2}", "{\"schema_version\":1,\"scenario\":7}",
          "{\"schema_version\":1,\"verdicts\":[{\"claim\":1}]}"}) {
        write_file_atomically(folder / "x.json", bytes);
        EXPECT_TRUE(is_input_error([&] { read_truth(folder / "x.json"); })) << bytes;
        EXPECT_TRUE(is_input_error([&] { read_expected_verdicts(folder / "x.json"); })) << bytes;
    }
    auto truth = small_truth();
    truth.campaigns[1].accounts[0].account = "a,1";
    write_file_atomically(folder / "accounts.csv", accounts_header);
    write_file_atomically(folder / "edges.csv", edges_header);
    EXPECT_TRUE(is_input_error([&] { score_run(folder.path(), truth); }));
}

// Goal: what is written is what is read.
TEST(Truth, RoundTrip) {
    Folder folder;
    const auto truth = small_truth();
    write_file_atomically(folder / "truth.json", truth_to_json(truth));
    EXPECT_EQ(truth_to_json(read_truth(folder / "truth.json")), truth_to_json(truth));
    const std::vector<ExpectedVerdict> verdicts = {{"c", "supported", "because"}};
    write_file_atomically(folder / "v.json", expected_verdicts_to_json(verdicts));
    EXPECT_EQ(expected_verdicts_to_json(read_expected_verdicts(folder / "v.json")),
              expected_verdicts_to_json(verdicts));
}

}  // namespace
}  // namespace unveil::test
