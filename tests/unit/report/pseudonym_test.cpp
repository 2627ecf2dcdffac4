// Goal: pseudonyms are those of HMAC-SHA256, the same everywhere, and no account is left. Method: the vectors of RFC 4231,
// and findings whose accounts stand in every place.
#include "report/pseudonym.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "example_report.hpp"

namespace unveil {
namespace {

TEST(Pseudonym, HmacOfRfc4231) {
    EXPECT_EQ(hmac_sha256_hex(std::string(20, '\x0b'), "Hi There"),
              "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    EXPECT_EQ(hmac_sha256_hex("Jefe", "what do ya want for nothing?"),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    EXPECT_EQ(hmac_sha256_hex(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First"),
              "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Pseudonym, RefusesKeysThatCanBeGuessed) {
    EXPECT_THROW(Pseudonyms("secret"), Error);
    EXPECT_THROW(Pseudonyms::from_file("/nowhere/key.txt"), Error);
}

TEST(Pseudonym, LeavesNoAccountAnywhere) {
    const Pseudonyms pseudonyms("0123456789abcdef");
    Findings findings;
    Finding finding;
    finding.metric = "m";
    finding.sentence = "alice_77 leads, then 9000000001, then Alice.";
    finding.caveat = "Not about alice_77.";
    finding.figure.kind = FigureKind::network;
    finding.figure.nodes = {{"9000000001", "alice_77", 1, 3}, {"12", "", 1, 1}};
    finding.figure.rows = {{"9000000001", 1, 1, 1}};
    finding.table.columns = {"account", "weight", "what"};
    finding.table.rows = {{"12", "12", "alice_77"}};
    findings.items = {finding};
    findings.notes = {"alice_77 was left out"};
    pseudonyms.apply(findings, {});
    const auto& item = findings.items[0];
    const auto hash = pseudonyms.of("9000000001");
    EXPECT_EQ(hash.size(), 16u);
    EXPECT_EQ(item.sentence, hash + " leads, then " + hash + ", then Alice.");
    EXPECT_EQ(item.caveat, "Not about " + hash + ".");
    EXPECT_EQ(item.figure.nodes[0].id, hash);
    EXPECT_EQ(item.figure.nodes[0].label, "");
    EXPECT_EQ(item.figure.rows[0].label, hash);
    // The number 12 is an account in one column and a count in the other.
    EXPECT_EQ(item.table.rows[0], (std::vector<std::string>{pseudonyms.of("12"), "12", hash}));
    EXPECT_EQ(findings.notes[0], hash + " was left out");
}

TEST(Pseudonym, ReportNamesNobody) {
    auto input = example_report();
    std::vector<std::string> ids;
    for (const auto& node : input.runs[0].findings.items[0].figure.nodes) ids.push_back(node.id);
    pseudonymise(input, Pseudonyms("0123456789abcdef"));
    const auto page = render_report(input);
    for (const auto& id : ids) EXPECT_EQ(page.find(id), std::string::npos) << id;
    EXPECT_EQ(page.find("account_0"), std::string::npos);
    EXPECT_EQ(page.find("yesterday"), std::string::npos) << "a quoted row is left";
    EXPECT_NE(page.find("keyed hashes"), std::string::npos);
}

}  // namespace
}  // namespace unveil
