#include "case/investigate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>

#include <chrono>
#include <thread>

#include "core/random.hpp"
#include "fake.hpp"

using namespace unveil;
using namespace unveil::test;
using testing::HasSubstr;

namespace {

constexpr const char* case_text = R"([case]
title = "A case"
[[evidence]]
id = "a"
path = "a.csv"
[[evidence]]
id = "b"
path = "b.csv"
[[claim]]
id = "five"
text = "There are five posts in all."
test = "counting"
holds = ["posts.count == 5"]
[[claim]]
id = "two-accounts"
text = "Two accounts wrote them."
test = "counting"
with = { pairs = true }
holds = ["accounts.count == 2"]
[[claim]]
id = "half"
text = "More than half."
test = "counting"
on = ["b"]
holds = ["posts.share > 50%"]
[[claim]]
id = "never"
text = "Never more than ten."
test = "counting"
on = ["a"]
kind = "never"
holds = ["posts.count <= 10"]
)";

/// Stops at the n-th question whether to go on.
class ImpatientProgress final : public Progress {
  public:
    explicit ImpatientProgress(int patience) : m_left(patience) {}
    void update(std::string_view, std::uint64_t, std::uint64_t) override {}
    bool is_cancelled() const override { return --m_left < 0; }

  private:
    mutable int m_left;
};

class Investigate : public testing::Test {
  protected:
    Investigate() {
        write_text(m_folder / "case.toml", case_text);
        write_text(m_folder / "a.csv", "x,1,10\ny,2,20\nx,3,3610\n");
        write_text(m_folder / "b.csv", "x,4,10\ny,5,20\n");
    }
    InvestigateOptions options(const std::string& out) {
        InvestigateOptions made;
        made.case_path = m_folder / "case.toml";
        made.out_folder = m_folder / out;
        made.find_instrument = [this](std::string_view) -> const Instrument& { return m_instrument; };
        made.open = open_lines;
        made.say = [this](std::string_view line) { m_said += std::string(line) + "\n"; };
        return made;
    }
    Investigation run(const std::string& out) { return investigate(options(out), m_progress); }
    std::string message_of(const std::string& out) {
        try {
            run(out);
        } catch (const Error& error) {
            return error.what();
        }
        return "no error";
    }

    TemporaryFolder m_folder;
    CountingInstrument m_instrument;
    SilentProgress m_progress;
    std::string m_said;
};

}  // namespace

TEST_F(Investigate, WalksFromEvidenceToVerdicts) {
    const Investigation result = run("out");
    ASSERT_EQ(result.verdicts.size(), 4u);
    EXPECT_EQ(result.verdicts[0].decision, Decision::supported);
    EXPECT_EQ(result.verdicts[1].decision, Decision::supported);
    EXPECT_EQ(result.verdicts[2].decision, Decision::undetermined);
    EXPECT_EQ(result.verdicts[3].decision, Decision::undetermined);
    EXPECT_EQ(result.verdicts[3].sentence, "nothing contradicts it in 3 posts over 1 hour");
    // The first two claims ask for the same run; the tables that either wants are there.
    EXPECT_EQ(m_instrument.runs, 3);
    EXPECT_EQ(result.verdicts[0].run, result.verdicts[1].run);
    const std::string run_folder = m_folder / "out/runs/" + result.verdicts[0].run.substr(0, 12);
    EXPECT_TRUE(std::filesystem::exists(run_folder + "/pairs.csv"));
    EXPECT_EQ(read_text(m_folder / "out/verdicts.json"), result.verdicts_json);
    for (const auto& [name, digest] : digests_below(m_folder / "out"))
        if (digest != "folder")
            EXPECT_EQ(read_text((m_folder / "out/") + name).find(m_folder.path()), std::string::npos) << name;
}

// Goal: controls go the whole way and no claim speaks about them. Method: one case with a control that would change
// every count if it were taken for evidence.
TEST_F(Investigate, ControlsAreReadButNotJudged) {
    const ControlledInstrument controlled;
    write_text(m_folder / "case.toml", R"([case]
title = "A case"
[[evidence]]
id = "calm"
path = "b.csv"
[[evidence]]
id = "a"
path = "a.csv"
[[claim]]
id = "never"
text = "Never more than three."
test = "controlled"
controls = ["calm"]
kind = "never"
holds = ["posts.count <= 3"]
[[claim]]
id = "two"
text = "Two posts to compare with."
test = "controlled"
controls = ["calm"]
holds = ["controls.count == 2"]
)");
    auto made = options("out");
    made.find_instrument = [&](std::string_view) -> const Instrument& { return controlled; };
    const Investigation result = investigate(made, m_progress);
    EXPECT_EQ(controlled.runs, 1);
    EXPECT_EQ(result.verdicts.at(0).sentence, "nothing contradicts it in 3 posts over 1 hour");
    EXPECT_EQ(result.verdicts.at(1).decision, Decision::supported);
    EXPECT_THAT(result.verdicts.at(0).evidence, testing::ElementsAre("a"));
    EXPECT_THAT(result.verdicts.at(0).controls, testing::ElementsAre("calm"));
    EXPECT_THAT(result.verdicts_json, HasSubstr("\"controls\":[\"calm\"]"));
    // Ids stand in the order that locators.csv counts, whatever the order of the case file.
    EXPECT_THAT(read_text(m_folder / "out/findings.json"),
                HasSubstr("\"evidence\":[\"a\",\"calm\"],\"controls\":[\"calm\"]"));
    EXPECT_THAT(read_text(m_folder / "out/manifest.json"),
                HasSubstr("\"evidence\":[\"a\",\"calm\"],\"controls\":[\"calm\"]"));

    const auto before = digests_below(m_folder / "out");
    EXPECT_EQ(investigate(made, m_progress).runs_kept, 1u);
    EXPECT_EQ(digests_below(m_folder / "out"), before);
    // A changed control makes a new run, as changed evidence does.
    write_text(m_folder / "b.csv", "x,4,10\n");
    EXPECT_EQ(investigate(made, m_progress).runs_made, 1u);
    EXPECT_THAT(m_said, HasSubstr("evidence 'calm' has changed"));
}

TEST_F(Investigate, NothingTellsOfControlsWhereThereAreNone) {
    const Investigation result = run("out");
    for (const auto* file : {"out/findings.json", "out/manifest.json", "out/verdicts.json"})
        EXPECT_THAT(read_text(m_folder / file), testing::Not(HasSubstr("control"))) << file;
    const std::string run_folder = m_folder / "out/runs/" + result.verdicts[0].run.substr(0, 12);
    EXPECT_THAT(read_text(run_folder + "/manifest.json"), testing::Not(HasSubstr("role")));
}

TEST_F(Investigate, DoesNothingTwice) {
    const Investigation first = run("out");
    const auto before = digests_below(m_folder / "out");
    const Investigation second = run("out");
    EXPECT_EQ(second.runs_made, 0u);
    EXPECT_EQ(second.runs_kept, 3u);
    EXPECT_EQ(m_instrument.runs, 3);
    EXPECT_EQ(second.verdicts_json, first.verdicts_json);
    EXPECT_EQ(digests_below(m_folder / "out"), before);
}

// Goal: stopping costs nothing. Method: stop at every moment at which it listens, then go on to the end, and
// compare every byte with an investigation that was left alone.
TEST_F(Investigate, StoppedAnywhereItEndsTheSame) {
    run("whole");
    const auto expected = digests_below(m_folder / "whole");
    int stopped = 0;
    for (int patience = 0; patience < 100; ++patience) {
        const std::string out = "stopped" + std::to_string(patience);
        ImpatientProgress progress(patience);
        try {
            investigate(options(out), progress);
            break;
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::interrupted);
            ++stopped;
        }
        run(out);
        EXPECT_EQ(digests_below(m_folder / out), expected) << "patience " << patience;
    }
    EXPECT_GT(stopped, 5);
}

// The same with SIGKILL, after which nothing can be tidied up, several times for each folder.
TEST_F(Investigate, KilledAnywhereItEndsTheSame) {
    const auto begin = std::chrono::steady_clock::now();
    run("whole");
    const auto whole_us =
        std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin);
    const auto expected = digests_below(m_folder / "whole");
    Random random(5);
    for (int round = 0; round < 20; ++round) {
        const std::string out = "killed" + std::to_string(round);
        for (int kills = 0; kills < 3; ++kills) {
            const pid_t child = fork();
            ASSERT_GE(child, 0);
            if (child == 0) {
                try {
                    run(out);
                } catch (...) {
                    _exit(1);
                }
                _exit(0);
            }
            std::this_thread::sleep_for(
                std::chrono::microseconds(random.below(static_cast<std::uint64_t>(whole_us.count()) + 1)));
            kill(child, SIGKILL);
            int status = 0;
            waitpid(child, &status, 0);
            ASSERT_FALSE(WIFEXITED(status) && WEXITSTATUS(status) != 0);
        }
        run(out);
        EXPECT_EQ(digests_below(m_folder / out), expected) << "round " << round;
    }
}

TEST_F(Investigate, DamagedRunsAreMadeAgain) {
    const Investigation first = run("out");
    const auto before = digests_below(m_folder / "out");
    const std::string run_folder = m_folder / "out/runs/" + first.verdicts[0].run.substr(0, 12);
    write_text(run_folder + "/accounts.csv", "forged\n");
    std::filesystem::remove(m_folder / "out/verdicts.json");
    const Investigation second = run("out");
    EXPECT_EQ(second.runs_made, 1u);
    EXPECT_EQ(digests_below(m_folder / "out"), before);
}

TEST_F(Investigate, ChangedEvidenceMakesNewRuns) {
    const Investigation first = run("out");
    m_said.clear();
    write_text(m_folder / "b.csv", "x,4,10\ny,5,20\nz,6,30\n");
    const Investigation second = run("out");
    EXPECT_THAT(m_said, HasSubstr("evidence 'b' has changed"));
    EXPECT_EQ(second.runs_made, 2u);
    EXPECT_EQ(second.runs_kept, 1u);
    EXPECT_EQ(second.verdicts[0].decision, Decision::contradicted);
    EXPECT_NE(first.verdicts[0].run, second.verdicts[0].run);
    // What was found before is still in the store.
    const CaseStore store(m_folder / "out/case.unveil", CaseStore::Access::read);
    EXPECT_TRUE(store.run(first.verdicts[0].run).has_value());
    EXPECT_EQ(store.verdicts(1).size(), 4u);
    EXPECT_EQ(store.verdicts(2).size(), 4u);
}

TEST_F(Investigate, OnlyOneProgramWorksInAFolder) {
    std::filesystem::create_directory(m_folder / "out");
    const FolderLock lock(m_folder / "out");
    EXPECT_THAT(message_of("out"), HasSubstr("another unveil is working in this folder"));
}

TEST_F(Investigate, MistakesAreToldByTheLineOfTheCase) {
    std::filesystem::remove(m_folder / "b.csv");
    EXPECT_THAT(message_of("out"), HasSubstr("case.toml:6: the file of evidence 'b' is not there"));
    write_text(m_folder / "b.csv", "x,4,10\n");
    std::string text = case_text;
    text.replace(text.find("path = \"b.csv\""), 14,
                 "path = \"b.csv\"\nsha256 = \"" + std::string(64, '0') + "\"");
    write_text(m_folder / "case.toml", text);
    EXPECT_THAT(message_of("out"), HasSubstr("case.toml:6: '"));
    EXPECT_FALSE(std::filesystem::exists(m_folder / "out"));
}

// Rows are only ever added: the store itself refuses anything else, whoever asks.
TEST_F(Investigate, StoreIsAppendOnly) {
    run("out");
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open((m_folder / "out/case.unveil").c_str(), &database), SQLITE_OK);
    for (const char* table : {"case_info", "evidence", "run", "finding", "claim", "verdict"}) {
        char* said = nullptr;
        EXPECT_NE(
            sqlite3_exec(database, (std::string("DELETE FROM ") + table).c_str(), nullptr, nullptr, &said),
            SQLITE_OK);
        EXPECT_STREQ(said, "a case is only added to") << table;
        sqlite3_free(said);
        const std::string column = std::string(table) == "run"       ? "key"
                                   : std::string(table) == "finding" ? "run"
                                                                     : "edition";
        EXPECT_NE(sqlite3_exec(database, ("UPDATE " + std::string(table) + " SET " + column + " = 9").c_str(),
                               nullptr, nullptr, nullptr),
                  SQLITE_OK);
    }
    sqlite3_close(database);
}

// Damage of any kind ends in a message with the remedy.
TEST_F(Investigate, DamagedStoresAreTold) {
    run("out");
    const std::string path = m_folder / "out/case.unveil";
    const std::string good = read_text(path);
    for (const std::string& bad : {std::string("this is no database at all"), good.substr(0, 5000),
                                   good.substr(0, 50), std::string(8192, 'x')}) {
        write_text(path, bad);
        EXPECT_THAT(message_of("out"), HasSubstr("move it away and investigate again")) << bad.size();
    }
    Random random(6);
    for (int i = 0; i < 300; ++i) {
        std::string bad = good;
        for (int flips = 0; flips < 5; ++flips)
            bad[random.below(bad.size())] = static_cast<char>(random.next());
        write_text(path, bad);
        message_of("out");  // must not crash; a flipped byte of text may go unseen
        for (const char* suffix : {"-wal", "-shm", "-journal", ".part"})
            std::filesystem::remove(path + suffix);
    }
    sqlite3* database = nullptr;
    std::filesystem::remove(path);
    ASSERT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
    sqlite3_exec(database, "CREATE TABLE other (x)", nullptr, nullptr, nullptr);
    sqlite3_close(database);
    EXPECT_THAT(message_of("out"), HasSubstr("no case of unveil"));
}
