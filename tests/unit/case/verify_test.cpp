#include "case/verify.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "case/investigate.hpp"
#include "fake.hpp"

using namespace unveil;
using namespace unveil::test;
using testing::HasSubstr;

namespace {

constexpr const char* case_text = R"([case]
title = "A case"
[[evidence]]
id = "a"
path = "data/a.csv"
[[claim]]
id = "three"
text = "There are three posts."
test = "counting"
with = { pairs = true }
holds = ["posts.count == 3"]
)";

/// Finds one post more than the instrument that was used at first.
class OtherInstrument final : public Instrument {
  public:
    const InstrumentDescription& description() const override { return m_counting.description(); }
    Findings run(const InstrumentInputs& inputs, const ParameterValues& parameters,
                 InstrumentContext& context) const override {
        Findings findings = m_counting.run(inputs, parameters, context);
        findings.items[0].value = findings.items[0].low = findings.items[0].high =
            findings.items[0].value + 1;
        return findings;
    }

  private:
    CountingInstrument m_counting;
};

class Verify : public testing::Test {
  protected:
    Verify() {
        std::filesystem::create_directories(m_folder / "case/data");
        write_text(m_folder / "case/case.toml", case_text);
        write_text(m_folder / "case/data/a.csv", "x,1,10\ny,2,20\nx,3,3610\n");
        InvestigateOptions options;
        options.case_path = m_folder / "case/case.toml";
        options.find_instrument = finder(m_counting);
        options.open = open_lines;
        m_key = investigate(options, m_progress).verdicts[0].run.substr(0, 12);
    }
    static InstrumentFinder finder(const Instrument& instrument) {
        return [&instrument](std::string_view) -> const Instrument& { return instrument; };
    }
    /// The sentences of all checks that found a difference.
    std::string differences(const std::string& path, const Instrument* instrument = nullptr,
                            const std::string& base = {}) {
        VerifyOptions options;
        options.path = path;
        options.base_folder = base;
        options.scratch_folder = m_folder.path();
        options.find_instrument = finder(instrument ? *instrument : m_counting);
        options.open = open_lines;
        const auto before = digests_below(m_folder.path());
        std::string found;
        std::size_t told = 0;
        const auto checks = verify(
            options, [&](const Check&) { ++told; }, m_progress);
        EXPECT_EQ(told, checks.size());
        EXPECT_GT(checks.size(), 3u);
        EXPECT_EQ(digests_below(m_folder.path()), before) << "verify changed something";
        for (const auto& check : checks)
            if (!check.is_good) found += check.subject + ": " + check.sentence + "\n";
        return found;
    }
    TemporaryFolder m_folder;
    CountingInstrument m_counting;
    SilentProgress m_progress;
    std::string m_key;
};

}  // namespace

TEST_F(Verify, AnUntouchedCaseHasNoDifferences) {
    EXPECT_EQ(differences(m_folder / "case/case.toml"), "");
    EXPECT_EQ(differences(m_folder / "case/case.out"), "");
    EXPECT_EQ(differences(m_folder / "case/case.out/case.unveil"), "");
}

TEST_F(Verify, AMovedTreeVerifies) {
    std::filesystem::create_directories(m_folder / "far/away");
    std::filesystem::rename(m_folder / "case", m_folder / "far/away/case");
    EXPECT_EQ(differences(m_folder / "far/away/case/case.out"), "");
}

TEST_F(Verify, ASingleRunVerifies) {
    const std::string run_folder = m_folder / ("case/case.out/runs/" + m_key);
    // `pairs` does not bear on findings and is not in the manifest, so its table cannot be made again.
    EXPECT_THAT(differences(run_folder, nullptr, m_folder / "case"),
                HasSubstr("the table pairs.csv is not made again"));
    EXPECT_THAT(differences(run_folder, nullptr, m_folder / "elsewhere"), HasSubstr("the file is missing"));
}

TEST_F(Verify, ControlsAreCheckedAndReadAgain) {
    const ControlledInstrument controlled;
    write_text(m_folder / "case/controlled.toml", R"([case]
title = "A case"
[[evidence]]
id = "a"
path = "data/a.csv"
[[evidence]]
id = "calm"
path = "data/calm.csv"
[[claim]]
id = "two"
text = "Two posts to compare with."
test = "controlled"
controls = ["calm"]
holds = ["controls.count == 2"]
)");
    write_text(m_folder / "case/data/calm.csv", "c,7,10\nd,8,20\n");
    InvestigateOptions options;
    options.case_path = m_folder / "case/controlled.toml";
    options.find_instrument = finder(controlled);
    options.open = open_lines;
    const auto key = investigate(options, m_progress).verdicts.at(0).run.substr(0, 12);
    const std::string run_folder = m_folder / ("case/controlled.out/runs/" + key);
    EXPECT_EQ(differences(m_folder / "case/controlled.out", &controlled), "");
    EXPECT_EQ(differences(run_folder, &controlled, m_folder / "case"), "");

    // A role that somebody took out of the manifest makes another run of it.
    const auto manifest = read_text(run_folder + "/manifest.json");
    auto forged = manifest;
    forged.replace(forged.find("\"role\":\"control\","), 17, "");
    write_text(run_folder + "/manifest.json", forged);
    EXPECT_THAT(differences(run_folder, &controlled, m_folder / "case"), HasSubstr("the findings differ"));
    forged = manifest;
    forged.replace(forged.find("\"control\""), 9, "\"judge\"");
    write_text(run_folder + "/manifest.json", forged);
    EXPECT_THROW(differences(run_folder, &controlled, m_folder / "case"), Error);
    write_text(run_folder + "/manifest.json", manifest);

    write_text(m_folder / "case/data/calm.csv", "c,7,10\n");
    EXPECT_THAT(differences(m_folder / "case/controlled.out", &controlled), HasSubstr("evidence 'calm': has changed"));
    EXPECT_THAT(differences(run_folder, &controlled, m_folder / "case"), HasSubstr("input data/calm.csv: has changed"));
}

TEST_F(Verify, DifferencesAreExplained) {
    const OtherInstrument other;
    EXPECT_THAT(differences(m_folder / "case/case.out", &other), HasSubstr("posts.count was 3, is 4"));

    write_text(m_folder / "case/case.out/verdicts.json", "{}");
    EXPECT_THAT(differences(m_folder / "case/case.out"),
                HasSubstr("verdicts.json: was changed or is missing"));

    write_text(m_folder / ("case/case.out/runs/" + m_key + "/accounts.csv"), "forged");
    EXPECT_THAT(differences(m_folder / "case/case.out"),
                HasSubstr(", files: a file in the folder was changed"));

    write_text(m_folder / "case/data/a.csv", "x,1,10\n");
    const auto found = differences(m_folder / "case/case.out");
    EXPECT_THAT(found, HasSubstr("evidence 'a': has changed"));
    EXPECT_THAT(found, HasSubstr("not run again"));

    write_text(m_folder / "case/case.toml", std::string(case_text) + "# edited\n");
    EXPECT_THAT(differences(m_folder / "case/case.out"), HasSubstr("case file: was changed since"));
}

TEST_F(Verify, WhatIsNoCaseIsRefused) {
    VerifyOptions options;
    options.scratch_folder = m_folder.path();
    for (const char* path : {"nowhere", "case/data", "case/data/a.csv"}) {
        options.path = m_folder / path;
        EXPECT_THROW(verify(options, {}, m_progress), Error) << path;
    }
    std::filesystem::create_directory(m_folder / "hostile");
    write_text(m_folder / "hostile/findings.json", "{}");
    for (const char* manifest :
         {"", "[]", "{\"instrument\":1}",
          "{\"instrument\":\"counting\",\"parameters\":{},\"inputs\":[{\"path\":7}],\"tables\":[7,{\"name\":"
          "\"../x\"}]}",
          "{\"instrument\":\"counting\",\"parameters\":{\"factor\":[]},\"inputs\":[1],\"tables\":[]}"}) {
        write_text(m_folder / "hostile/manifest.json", manifest);
        options.path = m_folder / "hostile";
        options.find_instrument = finder(m_counting);
        EXPECT_THROW(verify(options, {}, m_progress), Error) << manifest;
    }
}
