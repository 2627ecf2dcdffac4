#include "lab/score.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
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

// Goal: labels are held against roles, fused edges are a row of their own, and scheduled accounts are told apart. Method:
// a run small enough to count by hand.
TEST(Score, TiersFusedAndScheduled) {
    Folder folder;
    auto truth = small_truth();
    truth.classes[1].accounts = {"n1", "n2", "n3"};
    write_file_atomically(folder / "accounts.csv", std::string(accounts_header) +
                                                       "co-link,60,b1,9,1,9,1,2\nco-link,60,b2,9,1,9,1,2\n"
                                                       "co-link,60,n1,9,1,9,2,2\nco-link,60,n2,9,1,9,2,2\n"
                                                       "co-link,60,n3,9,1,9,2,2\n");
    write_file_atomically(folder / "edges.csv", std::string(edges_header) +
                                                    "co-link,60,b1,b2,3\nco-link,60,n1,n2,3\n"
                                                    "co-link,60,n2,n3,3\nco-link,60,b1,n3,3\n");
    write_file_atomically(folder / "fused.csv",
                          "account_a,account_b,p,q,traces\n\"a,1\",\"a\"\"2\",0.001,0.01,co-link\n"
                          "b1,n3,0.001,0.01,co-link\n");
    write_file_atomically(folder / "tiers.csv",
                          "account,community,tier,posts\n\"a,1\",1,core,5\n\"a,1\",2,amplifier,5\n"
                          "\"a\"\"2\",1,core,5\na+/=3,1,amplifier,5\nb1,2,bridge,5\nb2,2,amplifier,5\n"
                          "f1,2,amplifier,5\nstranger,2,core,5\n");
    const auto score = score_run(folder.path(), truth);
    ASSERT_EQ(score.rows.size(), 2);
    const auto& row = score.rows[0];
    EXPECT_EQ(row.scheduled_accounts, 3);
    EXPECT_EQ(row.scheduled_edges, 2);
    EXPECT_EQ(row.edge_precision.trials, 4);
    EXPECT_EQ(row.unscheduled_edge_precision.hits, 1);
    EXPECT_EQ(row.unscheduled_edge_precision.trials, 2);
    EXPECT_EQ(row.unscheduled_edge_false_positive_rate.hits, 1);
    EXPECT_EQ(row.unscheduled_edge_false_positive_rate.trials, 20 * 19 / 2 - 4 - 3);
    EXPECT_EQ(row.unscheduled_precision.trials, 2);
    EXPECT_EQ(row.unscheduled_false_positive_rate.hits, 0);
    EXPECT_EQ(row.unscheduled_false_positive_rate.trials, 12);
    EXPECT_DOUBLE_EQ(*score.metric("edge.unscheduled.precision"), 0.5);

    EXPECT_EQ(score.rows[1].trace, "fused");
    EXPECT_EQ(score.rows[1].recall.hits, 3);
    EXPECT_EQ(score.rows[1].precision.trials, 4);
    EXPECT_EQ(score.rows[1].edge_precision.hits, 1);
    EXPECT_EQ(score.overall.recall.hits, 2);  // fused edges alone do not count as found
    EXPECT_DOUBLE_EQ(*score.metric("fused.edge.precision"), 0.5);

    // Core by role: a,1 and b1; labelled: a,1 (first row), a"2, stranger. Amplifiers by role: a"2, a+/=3, b2.
    ASSERT_EQ(score.tiers.size(), 1);
    const auto& core = score.tiers[0].tiers.at(0);
    EXPECT_EQ(core.precision.hits, 1);
    EXPECT_EQ(core.precision.trials, 3);
    EXPECT_EQ(core.recall.trials, 2);
    EXPECT_DOUBLE_EQ(*core.f1.value(), 2.0 / 5);
    ASSERT_EQ(core.false_accounts.size(), 2);
    EXPECT_EQ(core.false_accounts[0].name, "planted");
    EXPECT_EQ(core.false_accounts[1].name, "organic");
    EXPECT_DOUBLE_EQ(*score.metric("tier.amplifier.f1"), 4.0 / 6);
    EXPECT_DOUBLE_EQ(*score.metric("tier.amplifier.precision"), 2.0 / 3);
    EXPECT_DOUBLE_EQ(*score.metric("tier.core.recall"), 0.5);
    EXPECT_THROW(score.metric("tier.bridge.f1"), Error);
    truth.classes[0].name = "news-bot";
    truth.classes[1].name = "fan";
    const auto without = score_run(folder.path(), truth);
    EXPECT_DOUBLE_EQ(*without.metric("tier.amplifier.precision"), 2.0 / 3);
    EXPECT_DOUBLE_EQ(*without.metric("tier.amplifier.unscheduled.precision"), 1);
    EXPECT_DOUBLE_EQ(*without.metric("tier.amplifier.unscheduled.f1"), 4.0 / 5);
    const auto json = nlohmann::json::parse(score_to_json(score));
    EXPECT_DOUBLE_EQ(json["tiers"][0]["core"]["f1"]["value"], 0.4);
}

// Goal: the interval of F1 holds F1, is that of the Jaccard index, and knows its ends. Method: against both.
TEST(Score, IntervalOfF1) {
    for (const auto& [right, wrong, missed] : {std::array<std::uint64_t, 3>{20, 1, 2}, {1, 0, 0}, {0, 3, 4}, {500, 20, 9}}) {
        const auto f1 = f1_rate(right, wrong, missed);
        const auto jaccard = wilson_rate(right, right + wrong + missed);
        EXPECT_DOUBLE_EQ(*f1.value(), 2 * *jaccard.value() / (1 + *jaccard.value()));
        EXPECT_LE(f1.low, *f1.value());
        EXPECT_GE(f1.high, *f1.value());
        EXPECT_DOUBLE_EQ(f1.low, 2 * jaccard.low / (1 + jaccard.low));
    }
    EXPECT_FALSE(f1_rate(0, 0, 0).value().has_value());
    EXPECT_DOUBLE_EQ(f1_rate(0, 0, 0).high, 1);
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
