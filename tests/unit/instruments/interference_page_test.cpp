// Goal: the page of the instrument says what the program does. Method: read docs/instruments/interference.md and look for every rule of the scorer
// with its weights, every mechanism, and the facts about boxes.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "instruments/interference/capture_book.hpp"
#include "instruments/interference/facts.hpp"
#include "instruments/interference/ooni_scorers.hpp"

namespace unveil {
namespace {

using ::testing::HasSubstr;

std::string page() {
    std::ifstream file(std::string(UNVEIL_SOURCE_DIR) + "/docs/instruments/interference.md");
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

TEST(InterferencePage, HoldsEveryRuleWithItsWeights) {
    const std::string text = page();
    for (const auto& rule : interference::unveil_scoring_rules())
        EXPECT_THAT(text, HasSubstr(fmt::format("| `{}` | {} | {} | {} | {} | {} |", rule.name, rule.weights.blocked, rule.weights.down, rule.weights.ok, rule.mechanism, rule.reason)));
}

TEST(InterferencePage, NamesMechanismsAndBoxes) {
    const std::string text = page();
    for (std::size_t i = 0; i < mechanism_count; ++i) EXPECT_THAT(text, HasSubstr(fmt::format("`{}`", mechanism_name(static_cast<Mechanism>(i)))));
    for (const auto& known : built_in_facts().reset_classes) EXPECT_THAT(text, HasSubstr(fmt::format("| `{}` |", known.name)));
    for (const auto& known : built_in_facts().dns_classes) EXPECT_THAT(text, HasSubstr(fmt::format("| `{}` |", known.name)));
    for (const auto& rate : built_in_facts().base_rates) {
        EXPECT_THAT(text, HasSubstr(std::to_string(rate.hits))) << rate.name;
        const std::string trials = rate.trials >= 1000 ? fmt::format("{},{:03}", rate.trials / 1000, rate.trials % 1000) : std::to_string(rate.trials);
        EXPECT_THAT(text, HasSubstr(trials)) << rate.name;
    }
}

}  // namespace
}  // namespace unveil
