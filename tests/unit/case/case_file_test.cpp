#include "case/case_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake.hpp"

using namespace unveil;
using unveil::test::CountingInstrument;

namespace {

const Instrument& find_counting(std::string_view name) {
    static const CountingInstrument counting;
    if (name == "counting") return counting;
    static const unveil::test::ControlledInstrument controlled;
    if (name == "controlled") return controlled;
    throw Error(ErrorKind::usage, "no instrument is called '" + std::string(name) + "'",
                "Did you mean 'counting'?");
}

constexpr const char* good = R"([case]
title = "A case"
[[evidence]]
id = "a"
path = "a.csv"
[[evidence]]
id = "b"
path = "b.csv"
[[claim]]
id = "many"
text = "There are many."
test = "counting"
on = ["b", "a"]
with = { factor = 2, traces = ["x", "y"], pairs = true }
holds = ["posts.count >= 100"]
)";

std::string message_for(const std::string& text) {
    try {
        parse_case(text, "case.toml", find_counting);
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::input) << error.what();
        return error.what();
    }
    return "no error";
}

std::string with(const std::string& from, const std::string& to) {
    std::string text = good;
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
}

}  // namespace

TEST(CaseFile, ReadsWhatItSays) {
    const CaseFile parsed = parse_case(good, "case.toml", find_counting);
    EXPECT_EQ(parsed.title, "A case");
    EXPECT_EQ(parsed.seed, 0u);
    ASSERT_EQ(parsed.claims.size(), 1u);
    const auto& claim = parsed.claims[0];
    EXPECT_THAT(claim.evidence, testing::ElementsAre(0u, 1u));
    EXPECT_EQ(claim.parameters.integer("factor"), 2);
    EXPECT_THAT(claim.parameters.texts("traces"), testing::ElementsAre("x", "y"));
    EXPECT_TRUE(claim.parameters.flag("pairs"));
    EXPECT_EQ(claim.holds[0].text, "posts.count >= 100");
    EXPECT_EQ(claim.where, "case.toml:9");
    EXPECT_EQ(parsed.text, good);
}

TEST(CaseFile, EvidenceDefaultsToAll) {
    EXPECT_EQ(parse_case(with("on = [\"b\", \"a\"]\n", ""), "c", find_counting).claims[0].evidence.size(),
              2u);
}

TEST(CaseFile, ControlsAreEvidenceOfTheirOwn) {
    using testing::ElementsAre;
    using testing::StartsWith;
    const auto controlled = [](const std::string& on, const std::string& controls) {
        std::string text = with("on = [\"b\", \"a\"]\n", on + "controls = " + controls + "\n");
        return text.replace(text.find("\"counting\""), 10, "\"controlled\"");
    };
    const auto claim = parse_case(controlled("on = [\"a\"]\n", "[\"b\"]"), "c", find_counting).claims.at(0);
    EXPECT_THAT(claim.evidence, ElementsAre(0u));
    EXPECT_THAT(claim.controls, ElementsAre(1u));
    // What is somebody's control is not taken for evidence by a claim that names none.
    const auto other = "[[claim]]\nid = \"all\"\ntext = \"x\"\ntest = \"counting\"\nholds = [\"posts.count > 1\"]\n";
    const auto parsed = parse_case(controlled("", "[\"b\"]") + other, "c", find_counting);
    EXPECT_THAT(parsed.claims.at(0).evidence, ElementsAre(0u));
    EXPECT_THAT(parsed.claims.at(1).evidence, ElementsAre(0u));
    EXPECT_TRUE(parsed.claims.at(1).controls.empty());

    EXPECT_EQ(message_for(with("on = [\"b\", \"a\"]", "on = [\"b\"]\ncontrols = [\"a\"]")),
              "case.toml:14: 'counting' takes no controls. Leave 'controls' out");
    EXPECT_EQ(message_for(controlled("on = [\"a\", \"b\"]\n", "[\"b\"]")),
              "case.toml:14: claim 'many' rests on 'b' and is controlled by it. Accounts under investigation are no "
              "controls; name it once");
    EXPECT_EQ(message_for(controlled("", "[\"c\"]")),
              "case.toml:13: claim 'many' is controlled by 'c', which is no evidence of this case. Did you mean 'a'?");
    EXPECT_THAT(message_for(controlled("", "[]")), StartsWith("case.toml:13: claim 'many' is controlled by no evidence"));
    EXPECT_THAT(message_for(controlled("", "[\"a\", \"b\"]")),
                StartsWith("case.toml:9: claim 'many' rests on no evidence: all of it is a control"));
    EXPECT_THAT(message_for(controlled("", "7")), StartsWith("case.toml:13: 'controls' of claim 'many' is not right"));
}

// Goal: a person who made a mistake is sent to its line and told what to write. Method: one mistake at a
// time.
TEST(CaseFile, NamesEveryMistakeByItsLine) {
    using testing::HasSubstr;
    using testing::StartsWith;
    EXPECT_EQ(message_for(with("title", "titel")),
              "case.toml:2: [case] has no key 'titel'. Did you mean 'title'?");
    EXPECT_EQ(message_for(with("title = \"A case\"", "")),
              "case.toml:1: [case] lacks 'title'. Add title = \"what the case is about\"");
    EXPECT_EQ(message_for(with("[case]", "[caze]")),
              "case.toml:1: the case file has no key 'caze'. Did you mean 'case'?");
    EXPECT_EQ(message_for(with("path = \"b.csv\"", "file = \"b.csv\"")),
              "case.toml:8: evidence 'b' has no key 'file'. Known are: id, path, format, sha256, obtained, "
              "columns");
    EXPECT_EQ(message_for(with("path = \"b.csv\"", "path = \"/tmp/b.csv\"")),
              "case.toml:8: the path '/tmp/b.csv' begins at the root of this machine. Write it relative to "
              "the case "
              "file, so that the folder can be moved and sent");
    EXPECT_EQ(message_for(with("id = \"b\"", "id = \"a\"")),
              "case.toml:6: evidence 'a' is there twice, first at case.toml:3. Give each its own id");
    EXPECT_THAT(message_for(with("id = \"b\"", "id = \"b c\"")),
                StartsWith("case.toml:7: 'id' of evidence 'b c'"));
    EXPECT_EQ(
        message_for(with("\"b\", \"a\"", "\"c\"")),
        "case.toml:13: claim 'many' rests on 'c', which is no evidence of this case. Did you mean 'a'?");
    EXPECT_THAT(message_for(with("\"b\", \"a\"", "")),
                StartsWith("case.toml:13: claim 'many' rests on no evidence"));
    EXPECT_THAT(message_for(with("\"b\", \"a\"", "\"b\", \"b\"")), HasSubstr("the same evidence twice"));
    EXPECT_EQ(message_for(with("\"counting\"", "\"countin\"")),
              "case.toml:12: no instrument is called 'countin'. Did you mean 'counting'?");
    EXPECT_EQ(message_for(with("factor = 2", "facto = 2")),
              "case.toml:14: unknown parameter 'facto'. Did you mean 'factor'?");
    EXPECT_EQ(message_for(with("factor = 2", "factor = \"two\"")),
              "case.toml:14: 'two' is not a value for 'factor'. Give a whole number");
    EXPECT_THAT(message_for(with("factor = 2", "factor = 2020-01-01")),
                StartsWith("case.toml:14: 'factor' of claim"));
    EXPECT_THAT(message_for(with("factor = 2", "factor = nan")),
                StartsWith("case.toml:14: 'factor' of claim"));
    EXPECT_EQ(message_for(with("\"posts.count >= 100\"", "")),
              "case.toml:15: claim 'many' has an empty 'holds': nothing is asserted. Add holds = [\"METRIC "
              ">= NUMBER\"]");
    EXPECT_EQ(message_for(with("posts.count >= 100", "posts.cuont >= 100")),
              "case.toml:15: 'counting' has no metric 'posts.cuont'. Did you mean 'posts.count'?");
    EXPECT_EQ(message_for(with("posts.count >= 100", "kinds.share(\\\"long psots\\\") > 0.1")),
              "case.toml:15: 'counting' has no metric 'kinds.share(\"long psots\")'. Did you mean 'kinds.share(\"long posts\")'?");
    EXPECT_EQ(message_for(with("posts.count >= 100", "posts.count => 100")),
              "case.toml:15: 'posts.count => 100' is not a comparison: '=' compares nothing; write == for "
              "equal (column "
              "13 of it). Write METRIC >= NUMBER or METRIC > METRIC");
    EXPECT_THAT(message_for(with("[case]", "[case")), StartsWith("case.toml:1: this is not TOML: "));
    EXPECT_THAT(message_for(std::string(good) + "kind = \"nevr\"\n"),
                StartsWith("case.toml:16: 'kind' of claim 'many'"));
    EXPECT_THAT(message_for("[case]\ntitle = \"x\"\n"),
                StartsWith("case.toml: the case has no [[evidence]]"));
    EXPECT_THAT(message_for(with("[case]\n", "[case]\nseed = -1\n")),
                StartsWith("case.toml:2: 'seed' of [case]"));
    EXPECT_THAT(message_for(with("path = \"a.csv\"", "path = \"a.csv\"\nsha256 = \"12\"")),
                StartsWith("case.toml:6: 'sha256' of evidence 'a'"));
    EXPECT_THAT(message_for(with("path = \"a.csv\"", "path = \"a.csv\"\nformat = \"twiter-io\"")),
                HasSubstr("case.toml:6: there is no format 'twiter-io'"));
    EXPECT_THAT(message_for(with("path = \"a.csv\"", "path = \"a.csv\"\ncolumns = { acount = \"x\" }")),
                StartsWith("case.toml:6: there is no field 'acount'. Did you mean 'account'?"));
    EXPECT_THAT(message_for(std::string(case_bytes_max + 1, '#')), HasSubstr("a case file may have"));
}

// toml++ 3.3 assumes that this cannot be.
TEST(CaseFile, SurvivesWhatItsParserDoesNot) {
    EXPECT_EQ(message_for("[}\n"),
              "case.toml: this is not TOML: a table header or key is malformed. See docs/case_file.md for an example");
}

TEST(CaseFile, RefusesFilesThatAreNotThere) {
    const test::TemporaryFolder folder;
    EXPECT_THROW(read_case(folder / "none.toml", find_counting), Error);
    EXPECT_THROW(read_case(folder.path(), find_counting), Error);
    test::write_text(folder / "nul.toml", std::string("[case]\0\n", 8));
    EXPECT_THROW(read_case(folder / "nul.toml", find_counting), Error);
}
