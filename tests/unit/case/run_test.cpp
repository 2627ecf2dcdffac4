#include "case/run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "fake.hpp"

using namespace unveil;
using namespace unveil::test;
using testing::HasSubstr;

namespace {

class Run : public testing::Test {
  protected:
    RunRequest request(const std::string& lines) {
        write_text(m_folder / "in.csv", lines);
        RunRequest made{
            &m_instrument, {},        ParameterValues(m_instrument.description().parameters), 7, 1, 0, {},
            0.01,          open_lines};
        made.inputs.push_back({m_folder / "in.csv", "in.csv", {}, {}});
        return made;
    }
    std::string message_of(const RunRequest& request) {
        try {
            run_instrument(request, m_folder / "out", m_progress);
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::input);
            EXPECT_FALSE(std::filesystem::exists(m_folder / "out/manifest.json"));
            EXPECT_FALSE(std::filesystem::exists(m_folder / "out/accounts.csv"));
            EXPECT_FALSE(std::filesystem::exists(m_folder / "out/accounts.csv.part"));
            return error.what();
        }
        return "no error";
    }
    TemporaryFolder m_folder;
    CountingInstrument m_instrument;
    SilentProgress m_progress;
};

}  // namespace

TEST_F(Run, WritesTablesFindingsAndManifest) {
    auto made = request("a,1,10\nb,2,20\na,3,86410\n");
    made.parameters.set("factor", "2");
    const RunResult result = run_instrument(made, m_folder / "out", m_progress);
    EXPECT_EQ(read_text(m_folder / "out/accounts.csv"), "account,posts\na,2\nb,1\n");
    EXPECT_EQ(read_text(m_folder / "out/findings.json"), result.findings_json);
    EXPECT_EQ(read_text(m_folder / "out/manifest.json"), result.manifest_json);
    const auto manifest = nlohmann::json::parse(result.manifest_json);
    EXPECT_EQ(manifest["schema_version"], 1);
    EXPECT_EQ(manifest["instrument"], "counting");
    EXPECT_EQ(manifest["version"], unveil_version());
    EXPECT_EQ(manifest["seed"], 7);
    EXPECT_EQ(manifest["parameters"]["factor"], 2);
    EXPECT_FALSE(manifest["parameters"].contains("pairs"));
    EXPECT_EQ(manifest["findings_sha256"], sha256_hex(result.findings_json));
    EXPECT_EQ(manifest["tables"][0]["sha256"], sha256_hex_of_file(m_folder / "out/accounts.csv"));
    EXPECT_EQ(manifest["inputs"][0]["path"], "in.csv");
    EXPECT_EQ(manifest["inputs"][0]["rows_kept"], 3);
    EXPECT_EQ(manifest["inputs"][0]["time_last"], "1970-01-02T00:00:10Z");
    EXPECT_EQ(result.manifest_json.find(m_folder.path()), std::string::npos);
}

// The digest and the tally speak of the whole file even when the instrument stopped early.
TEST_F(Run, DrainsWhatTheInstrumentLeft) {
    auto made = request("a,1,10\nb,2,20\na,3,30\na,4,40\na,5,50\n");
    made.parameters.set("stop-after", "1");
    const RunResult result = run_instrument(made, {}, m_progress);
    EXPECT_EQ(result.sources[0].tally.kept(), 5u);
    EXPECT_EQ(nlohmann::json::parse(result.manifest_json)["tables"].size(), 0u);
}

TEST_F(Run, TooManyMalformedRowsEndIt) {
    auto made = request("a,1,10\njunk\na,3,30\n");
    const auto message = message_of(made);
    EXPECT_THAT(message, HasSubstr("1 of 3 rows (33.33 %)"));
    EXPECT_THAT(message, HasSubstr("in.csv:2: junk"));
    EXPECT_THAT(message, HasSubstr("--skipped-share-max 0.34"));
    made.skipped_share_max = 0.34;
    const RunResult result = run_instrument(made, m_folder / "out", m_progress);
    const auto manifest = nlohmann::json::parse(result.manifest_json);
    EXPECT_EQ(manifest["inputs"][0]["skips"][0]["count"], 1);
    EXPECT_EQ(manifest["inputs"][0]["skips"][0]["examples"][0], "in.csv:2: junk");
}

// "There are no posts" would be true, and would send the user the wrong way.
TEST_F(Run, MalformedRowsExplainMoreThanTheInstrument) {
    EXPECT_THAT(message_of(request("junk\njunk\n")), HasSubstr("2 of 2 rows"));
    EXPECT_THAT(message_of(request("")), HasSubstr("there are no posts"));
}

TEST_F(Run, AnotherFileThanExpectedEndsIt) {
    auto made = request("a,1,10\n");
    made.inputs[0].sha256_expected = std::string(64, '0');
    EXPECT_THAT(message_of(made), HasSubstr("not the one that was named"));
    made = request("a,1,10\nbroken pipe\n");
    EXPECT_THAT(message_of(made), HasSubstr("the file breaks off"));
    made.inputs[0].sha256_expected = std::string(64, '0');
    EXPECT_THAT(message_of(made), HasSubstr("not the one that was named"));
}

// Same manifest, same finding bytes; and nothing in it knows the machine.
TEST_F(Run, ThreadsAndPlacesDoNotShow) {
    auto made = request("a,1,10\nb,2,20\n");
    const RunResult one = run_instrument(made, m_folder / "one", m_progress);
    made.threads = 2;
    std::filesystem::create_directory(m_folder / "elsewhere");
    std::filesystem::rename(m_folder / "in.csv", m_folder / "elsewhere/in.csv");
    made.inputs[0].path = m_folder / "elsewhere/in.csv";
    made.inputs[0].shown_path = m_folder / "elsewhere/in.csv";
    const RunResult two = run_instrument(made, m_folder / "two", m_progress);
    EXPECT_EQ(one.manifest_json, two.manifest_json);
    EXPECT_EQ(digests_below(m_folder / "one"), digests_below(m_folder / "two"));
}

TEST_F(Run, TablesOfAnOlderRunDoNotStay) {
    auto made = request("a,1,10\n");
    made.parameters.set("pairs", "true");
    run_instrument(made, m_folder / "out", m_progress);
    EXPECT_TRUE(std::filesystem::exists(m_folder / "out/pairs.csv"));
    run_instrument(request("a,1,10\n"), m_folder / "out", m_progress);
    EXPECT_FALSE(std::filesystem::exists(m_folder / "out/pairs.csv"));
}

TEST_F(Run, KeyKnowsWhatBearsOnFindings) {
    auto made = request("a,1,10\n");
    const auto key = run_key(made, {"d1"});
    EXPECT_EQ(key.size(), 64u);
    made.threads = 9;
    made.parameters.set("pairs", "true");
    EXPECT_EQ(run_key(made, {"d1"}), key);
    EXPECT_NE(run_key(made, {"d2"}), key);
    auto other = made;
    other.seed = 8;
    EXPECT_NE(run_key(other, {"d1"}), key);
    other = made;
    other.parameters.set("factor", "2");
    EXPECT_NE(run_key(other, {"d1"}), key);
    other = made;
    other.inputs[0].options.columns["account"] = "user";
    EXPECT_NE(run_key(other, {"d1"}), key);
}

// Goal: controls are inputs like all others, told apart by their role alone; and runs without any know nothing of them.
TEST_F(Run, ControlsAreInputsWithARole) {
    const ControlledInstrument controlled;
    auto made = request("a,1,10\nb,2,20\n");
    const std::string without = run_instrument(made, m_folder / "out", m_progress).manifest_json;
    EXPECT_THAT(without, testing::Not(HasSubstr("role")));
    const auto key = run_key(made, {"d1"});

    made.instrument = &controlled;
    made.parameters = ParameterValues(controlled.description().parameters);
    write_text(m_folder / "calm.csv", "c,7,10\nd,8,20\ne,9,30\n");
    made.inputs.push_back({m_folder / "calm.csv", "calm.csv", {}, {}, InputRole::control});
    const RunResult result = run_instrument(made, m_folder / "controlled", m_progress);
    EXPECT_EQ(result.findings.find("posts.count")->value, 2);
    EXPECT_EQ(result.findings.find("controls.count")->value, 3);
    EXPECT_TRUE(result.findings.caveats.empty());
    const auto manifest = nlohmann::json::parse(result.manifest_json);
    EXPECT_FALSE(manifest["inputs"][0].contains("role"));
    EXPECT_EQ(manifest["inputs"][1]["role"], "control");
    EXPECT_EQ(manifest["inputs"][1]["rows_kept"], 3);
    EXPECT_EQ(manifest["inputs"][1]["sha256"], sha256_hex_of_file(m_folder / "calm.csv"));
    EXPECT_THAT(read_text(m_folder / "controlled/locators.csv"), HasSubstr("controls.count,2,3\n"));

    // The same file as an input is another run.
    auto as_posts = made;
    as_posts.inputs[1].role = InputRole::posts;
    EXPECT_NE(run_key(made, {"d1", "d2"}), run_key(as_posts, {"d1", "d2"}));
    EXPECT_NE(run_key(made, {"d1", "d2"}), key);
}

TEST_F(Run, AControlThatIsNotUsedIsTold) {
    const ControlledInstrument controlled;
    auto made = request("a,1,10\nb,2,20\n");
    made.instrument = &controlled;
    made.parameters.set("stop-after", "1");
    write_text(m_folder / "calm.csv", "c,7,10\n");
    made.inputs.push_back({m_folder / "calm.csv", "calm.csv", {}, {}, InputRole::control});
    const RunResult result = run_instrument(made, {}, m_progress);
    EXPECT_THAT(result.findings.caveats,
                testing::ElementsAre("The control calm.csv was not used: nothing here rests on it."));
    EXPECT_EQ(result.sources.at(1).tally.kept(), 1u);
}

TEST_F(Run, ControlsThatCannotBeAreRefused) {
    const ControlledInstrument controlled;
    auto made = request("a,1,10\nb,2,20\n");
    made.inputs.push_back({m_folder / "calm.csv", "calm.csv", {}, {}, InputRole::control});
    try {
        run_instrument(made, {}, m_progress);
        ADD_FAILURE() << "an instrument without controls took one";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::usage);
        EXPECT_THAT(error.what(), HasSubstr("'counting' takes no control inputs"));
    }
    made.instrument = &controlled;
    write_text(m_folder / "calm.csv", "a,1,10\nb,2,20\n");
    EXPECT_THAT(message_of(made), HasSubstr("calm.csv: this control has the same bytes as the input in.csv"));
    write_text(m_folder / "calm.csv", "");
    EXPECT_THAT(message_of(made), HasSubstr("there is no post in this control"));
    write_text(m_folder / "calm.csv", "junk\njunk\nc,1,10\n");
    EXPECT_THAT(message_of(made), HasSubstr("2 of 3 rows"));
    write_text(m_folder / "calm.csv", "c,1,10\nbroken pipe\n");
    EXPECT_THAT(message_of(made), HasSubstr("calm.csv:2: the file breaks off"));
}
