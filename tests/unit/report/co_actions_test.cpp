// Goal: every co-action asked for is counted, the closest in time are handed back, and the page shows hostile names as text.
// Method: a run folder by hand, with names that try to break out, counted by brute force and read back by a strict parser.
#include "report/co_actions.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/random.hpp"
#include "core/text.hpp"
#include "core/time.hpp"
#include "example_report.hpp"
#include "page_check.hpp"

namespace unveil {
namespace {

using testing::HasSubstr;

struct Pair {
    std::string a;
    std::string b;
    std::int64_t delay_ms;
};

class CoActionsTest : public testing::Test {
  protected:
    void SetUp() override {
        m_folder = testing::TempDir() + "co_actions_" + testing::UnitTest::GetInstance()->current_test_info()->name();
        std::filesystem::remove_all(m_folder);
        std::filesystem::create_directories(m_folder);
        const auto& names = hostile_names();
        Random random(5);
        std::string pairs = "trace,object,account_a,account_b,content_a,content_b,time_a,time_b,delay_seconds,evidence_a,row_a,"
                            "evidence_b,row_b\n";
        for (std::size_t i = 0; i < 2000; ++i) {
            const auto a = random.below(names.size() - 1);
            const auto b = a + 1 + random.below(names.size() - 1 - a);
            m_pairs.push_back({names[a], names[b], static_cast<std::int64_t>(random.below(40001)) - 20000});
            const auto time_us = static_cast<std::int64_t>(1590000000 + i * 3600) * 1'000'000;
            std::vector<std::string> cells = {i % 3 == 0 ? "co-link" : "co-retweet",
                                              names[i % 7],
                                              m_pairs[i].a,
                                              m_pairs[i].b,
                                              names[i % 5],
                                              "p" + std::to_string(i),
                                              format_time(time_us),
                                              format_time(time_us + m_pairs[i].delay_ms * 1000),
                                              std::to_string(static_cast<double>(m_pairs[i].delay_ms) / 1000),
                                              "1",
                                              std::to_string(i + 1),
                                              "2",
                                              std::to_string(i + 2)};
            add_line(cells, pairs);
        }
        write("pairs", pairs);
        std::string accounts = "trace,account,posts\n";
        std::string tiers = "account,community,tier,reason\n";
        std::string edges = "trace,window_seconds,account_a,account_b,weight,q\n";
        for (std::size_t i = 0; i < names.size(); ++i) {
            for (const auto* trace : {"co-link", "co-retweet"}) add_line({trace, names[i], "9"}, accounts);
            add_line({names[i], i % 2 == 0 ? "1" : "2", "core", names[i]}, tiers);
            for (std::size_t k = i + 1; k < names.size(); ++k) add_line({"co-retweet", "60", names[i], names[k], "9", "0.01"}, edges);
        }
        write("accounts", accounts);
        write("tiers", tiers);
        write("edges", edges);
        write("communities", "community,accounts,stability\n1,10,0.5\n2,9,1\n");
        m_run.folder = m_folder + "/" + "<b>run";
        for (const auto* path : {"<img src=x>.csv", "b.csv"}) {
            ReportEvidence evidence;
            evidence.path = path;
            evidence.sha256 = "00";
            m_about.inputs.push_back(evidence);
        }
    }

    static void add_line(const std::vector<std::string>& cells, std::string& out) {
        for (std::size_t i = 0; i < cells.size(); ++i) {
            if (i > 0) out += ',';
            append_csv_cell(cells[i], out);
        }
        out += '\n';
    }
    void write(const std::string& name, const std::string& text) {
        const auto path = m_folder + "/" + name + ".csv";
        std::ofstream(path, std::ios::binary) << text;
        m_run.tables.push_back({name, path});
    }

    std::vector<std::int64_t> delays(const CoActions& found) const {
        std::vector<std::int64_t> all;
        for (const auto& row : found.rows) all.push_back(std::llround(std::stod(row.delay_seconds) * 1000));
        return all;
    }
    template <typename IsWanted>
    std::vector<std::int64_t> expected(const IsWanted& is_wanted) const {
        std::vector<std::int64_t> all;
        for (const auto& pair : m_pairs)
            if (is_wanted(pair)) all.push_back(std::abs(pair.delay_ms));
        std::sort(all.begin(), all.end());
        return all;
    }

    std::string m_folder;
    CaseRun m_run;
    ReportRun m_about;
    std::vector<Pair> m_pairs;
};

TEST_F(CoActionsTest, HandsBackTheClosestOfThoseAskedFor) {
    const auto& names = hostile_names();
    const auto check = [&](CoActionQuestion question, const auto& is_wanted) {
        auto all = expected(is_wanted);
        ASSERT_GT(all.size(), 3u);
        question.rows_max = all.size() - 2;
        const auto found = find_co_actions(m_run, m_about, question);
        EXPECT_EQ(found.total, all.size());
        all.resize(all.size() - 2);
        auto shown = delays(found);
        for (auto& delay : shown) delay = std::abs(delay);
        EXPECT_EQ(shown, all);
    };
    check({{names[3], names[8]}, 0, {}, 0}, [&](const Pair& pair) { return pair.a == names[3] && pair.b == names[8]; });
    check({{names[8], names[3]}, 0, {}, 0}, [&](const Pair& pair) { return pair.a == names[3] && pair.b == names[8]; });
    check({{names[4]}, 0, {}, 0}, [&](const Pair& pair) { return pair.a == names[4] || pair.b == names[4]; });
    const auto is_second = [&](const std::string& name) {
        return (std::find(names.begin(), names.end(), name) - names.begin()) % 2 == 1;
    };
    check({{}, 2, {}, 0}, [&](const Pair& pair) { return is_second(pair.a) && is_second(pair.b); });
}

TEST_F(CoActionsTest, CountsWhoCameFirstAndKeepsToTheTrace) {
    const auto& names = hostile_names();
    const auto found = find_co_actions(m_run, m_about, {{names[0]}, 0, "co-link", 5});
    std::uint64_t total = 0;
    std::uint64_t first = 0;
    for (std::size_t i = 0; i < m_pairs.size(); i += 3) {
        const auto& pair = m_pairs[i];
        if (pair.a != names[0]) continue;
        ++total;
        first += pair.delay_ms > 0;
    }
    EXPECT_EQ(found.total, total);
    ASSERT_EQ(found.traces.size(), 1u);
    const auto at = std::find_if(found.came_first.begin(), found.came_first.end(),
                                 [&](const CameFirst& item) { return item.account == names[0]; });
    ASSERT_NE(at, found.came_first.end());
    EXPECT_EQ(at->first, first);
    EXPECT_EQ(at->co_actions, total);
    double in_timeline = 0;
    for (const auto& bin : found.timeline.rows) in_timeline += bin.value;
    EXPECT_EQ(in_timeline, static_cast<double>(total));
    EXPECT_LE(found.timeline.rows.size(), 121u);
}

TEST_F(CoActionsTest, EdgesArePartedAtTheRightComma) {
    write("fused", "account_a,account_b\n\"a,b\",c\n");
    EXPECT_EQ(edge_accounts(m_run, "a,b,c"), (std::vector<std::string>{"a,b", "c"}));
    EXPECT_THROW(edge_accounts(m_run, "c"), Error);
    EXPECT_THROW(edge_accounts(m_run, "c,c"), Error);
    EXPECT_THROW(edge_accounts(m_run, "c,d"), Error);
}

TEST_F(CoActionsTest, SaysWhatIsWrong) {
    const auto message = [&](CoActionQuestion question) {
        try {
            find_co_actions(m_run, m_about, std::move(question));
        } catch (const Error& error) {
            return std::string(error.what());
        }
        return std::string("nothing");
    };
    EXPECT_THAT(message({{"javascript:alert(2)"}, 0, {}, 9}), HasSubstr("Did you mean javascript:alert(1)?"));
    EXPECT_THAT(message({{}, 3, {}, 9}), HasSubstr("from 1 to 2"));
    EXPECT_THAT(message({{}, 1, "co-lnk", 9}), HasSubstr("Did you mean co-link?"));
    m_run.tables.erase(m_run.tables.begin());
    EXPECT_THAT(message({{}, 1, {}, 9}), HasSubstr("--pairs"));
}

TEST_F(CoActionsTest, PageShowsHostileNamesAsText) {
    const auto& names = hostile_names();
    std::vector<CoActionQuestion> questions = {{{}, 1, {}, 500}, {{}, 2, {}, 500}};
    for (std::size_t i = 0; i < names.size(); ++i) {
        questions.push_back({{names[i]}, 0, {}, 20});
        questions.push_back({{names[i], names[(i + 1) % names.size()]}, 0, {}, 20});
    }
    for (const auto& question : questions) {
        const auto found = find_co_actions(m_run, m_about, question);
        const auto check = check_page(render_co_actions(found));
        EXPECT_EQ(check.fault, "");
        EXPECT_TRUE(check.scripts.empty());
        EXPECT_THAT(check.csp, HasSubstr("script-src 'none'"));
        for (const auto* tag : {"script", "img", "b"}) EXPECT_FALSE(check.tags.contains(tag)) << tag;
        for (const auto& name : check.attributes) EXPECT_NE(name.substr(0, 2), "on") << name;
        EXPECT_FALSE(nlohmann::json::parse(co_actions_json(found), nullptr, false).is_discarded());
    }
}

TEST_F(CoActionsTest, PageNeverSaysMoreThanActTogether) {
    const auto page = render_co_actions(find_co_actions(m_run, m_about, {{}, 1, {}, 50}));
    for (const auto* word : {"bot", "fake", "troll"})
        for (const auto* end : {" ", "s ", ".", ","}) EXPECT_EQ(page.find(" " + std::string(word) + end), std::string::npos) << word;
}

}  // namespace
}  // namespace unveil
