// Goal: a service does what its rules say: exceptions, order, limits, servers, bans and escalation. Method: small lists, message by message.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "core/error.hpp"
#include "lab/service.hpp"
#include "table/rule.hpp"

namespace unveil {
namespace {

ServiceRules rules_of(std::vector<ServiceRule> list) {
    ServiceRules rules;
    rules.lists[""] = std::move(list);
    return rules;
}

Outcome outcome(Service& service, std::string_view text, std::string_view context = "home", std::string_view account = "me") {
    return service.answer(context, account, text).outcome;
}

TEST(Service, RulesExceptionsAndContexts) {
    auto rules = rules_of({{{"六四", "坦克"}, {}}, {{"学生"}, {{"捍卫", "党"}, {"good"}}}});
    rules.lists["abroad"] = {{{"坦克"}, {}}};
    rules.folds = {"space"};
    Service service(rules);
    EXPECT_EQ(outcome(service, "六 四 and 坦克"), Outcome::blocked);
    EXPECT_EQ(outcome(service, "六四"), Outcome::passed);
    EXPECT_EQ(outcome(service, "学生 党"), Outcome::blocked);
    EXPECT_EQ(outcome(service, "学生 党 捍卫"), Outcome::passed);
    EXPECT_EQ(outcome(service, "学生 go od"), Outcome::passed);
    EXPECT_EQ(outcome(service, "学生 good 六四坦克"), Outcome::blocked) << "an exception lifts its own rule only";
    EXPECT_EQ(outcome(service, "学生", "abroad"), Outcome::passed);
    EXPECT_EQ(outcome(service, "坦克", "abroad"), Outcome::blocked);
    EXPECT_EQ(service.answer("home", "me", "hello").text, "hello");
}

TEST(Service, ARuleOfWhichAPartIsEmptyIsNone) {
    EXPECT_EQ(service_rule_of("a + b unless c + d unless e").exceptions.size(), 2u);
    EXPECT_EQ(service_rule_of("unlessness").components, std::vector<std::string>{"unlessness"});
    for (const char* line : {"a + ", " + b", "a + + b", "c unless", "unless c", "c unless + d", "c unless d unless", "unless", "+", ""})
        EXPECT_TRUE(service_rule_of(line).components.empty()) << line;
}

TEST(Service, WildcardsOfAListAreNoPartOfItsWords) {
    const std::string path = ::testing::TempDir() + "service_wildcards." + std::to_string(getpid()) + ".txt";
    std::ofstream(path) << "*08县长*\nTIT*\n*a* + *b* unless *c*\n";
    const auto list = read_service_list(path);
    std::filesystem::remove(path);
    EXPECT_EQ(list.word_bound, 1u);
    Service service(rules_of(list.rules));
    EXPECT_EQ(outcome(service, "the 08县长 there"), Outcome::blocked);
    EXPECT_EQ(outcome(service, "a b"), Outcome::blocked);
    EXPECT_EQ(outcome(service, "a b c"), Outcome::passed);
    EXPECT_EQ(outcome(service, "UNTITLED"), Outcome::blocked) << "parts of words count";
}

TEST(Service, OrderLimitsWarningsAndBans) {
    auto rules = rules_of({{{"ab", "cd"}, {}}});
    rules.is_ordered = true;
    rules.characters_max = 10;
    rules.warned_after = 2;
    rules.banned_after = 3;
    Service service(rules);
    EXPECT_EQ(outcome(service, "cd ab"), Outcome::passed);
    EXPECT_EQ(outcome(service, "六六六六六六六六六六"), Outcome::passed);
    EXPECT_EQ(outcome(service, "六六六六六六六六六六六"), Outcome::rejected);
    EXPECT_FALSE(service.answer("home", "me", "ab cd").has_warning);
    EXPECT_TRUE(service.answer("home", "me", "ab cd").has_warning);
    EXPECT_EQ(outcome(service, "ab cd"), Outcome::blocked);
    EXPECT_EQ(outcome(service, "hello"), Outcome::banned);
    EXPECT_EQ(outcome(service, "hello", "home", "another"), Outcome::passed);
}

TEST(Service, RemembersWhatAnAccountSentAndHowFast) {
    constexpr std::int64_t second_us = 1'000'000;
    auto rules = rules_of({{{"bad"}, {}}});
    rules.sticky_us = 30 * second_us;
    Service sticky(rules);
    sticky.advance(1000 * second_us);
    EXPECT_EQ(outcome(sticky, "hello"), Outcome::passed);
    EXPECT_EQ(outcome(sticky, "bad"), Outcome::blocked);
    EXPECT_EQ(outcome(sticky, "hello"), Outcome::blocked);
    EXPECT_EQ(outcome(sticky, "hello", "home", "another"), Outcome::passed);
    sticky.advance(1029 * second_us);
    EXPECT_EQ(outcome(sticky, "hello"), Outcome::blocked);
    sticky.advance(1030 * second_us);
    EXPECT_EQ(outcome(sticky, "hello"), Outcome::passed) << "what was suppressed for its sake does not count";

    rules = rules_of({{{"bad"}, {}}});
    rules.per_minute_max = 3;
    rules.characters_max = 5;
    Service slow(rules);
    slow.advance(1000 * second_us);
    EXPECT_EQ(outcome(slow, "a"), Outcome::passed);
    slow.advance(1010 * second_us);
    EXPECT_EQ(slow.answer("home", "me", "far too long").retry_after_us, 0);
    EXPECT_EQ(outcome(slow, "a"), Outcome::passed);
    const ServiceAnswer late = slow.answer("home", "me", "a");
    EXPECT_EQ(late.outcome, Outcome::rejected);
    EXPECT_EQ(late.retry_after_us, 50 * second_us);
    EXPECT_EQ(outcome(slow, "a", "home", "another"), Outcome::passed);
    slow.advance(1060 * second_us);
    EXPECT_EQ(outcome(slow, "a"), Outcome::passed);

    rules = rules_of({{{"bad"}, {}}});
    rules.shut_after = 2;
    Service shut(rules);
    EXPECT_EQ(outcome(shut, "bad"), Outcome::blocked);
    EXPECT_EQ(outcome(shut, "hello"), Outcome::passed);
    EXPECT_EQ(outcome(shut, "bad"), Outcome::blocked);
    EXPECT_EQ(outcome(shut, "hello"), Outcome::blocked);
}

TEST(Service, EscalationSeesThroughSpellings) {
    auto rules = rules_of({{{"坦克"}, {}}});
    rules.escalates = true;
    Service service(rules);
    EXPECT_EQ(outcome(service, "坦 克"), Outcome::passed);
    EXPECT_EQ(outcome(service, "坦克"), Outcome::blocked);
    EXPECT_EQ(outcome(service, "坦 克"), Outcome::blocked);
    EXPECT_EQ(outcome(service, "坦 克", "home", "another"), Outcome::passed);
}

TEST(Service, EscalationUnblocksNothing) {
    const std::vector<std::string> texts = {"falun", "hello + world", "六四", "8964", "a1", "f*ck", "......", "国家abc + tank", "😀", "ＡＢ c", "aab", "tank unless good", "mixed 六 + 四 unless ok"};
    auto rules = rules_of({});
    for (const auto& text : texts) rules.lists[""].push_back(service_rule_of(text));
    rules.escalates = true;
    Service service(rules);
    for (int round = 0; round < 2; ++round)
        for (const auto& rule : rules.lists[""]) EXPECT_EQ(outcome(service, "see " + rule_notation(rule.components) + " there"), Outcome::blocked) << rule_notation(rule.components);
    EXPECT_EQ(outcome(service, "F A L U N"), Outcome::blocked) << "the other spellings are seen through";
    EXPECT_EQ(outcome(service, "tank", "home", "other"), Outcome::blocked);
    EXPECT_EQ(outcome(service, "t a n k good", "home", "other"), Outcome::passed) << "and so is an exception of which they would leave nothing";
    EXPECT_EQ(outcome(service, "see nothing there"), Outcome::passed);
}

TEST(Service, ARuleOfWhichASpellingLeavesNothingIsComparedWithoutIt) {
    auto rules = rules_of({{{"falun"}, {}}, {{"hello", "国家"}, {{"ok"}}}, {{"国家abc"}, {}}, {{"64"}, {}}});
    rules.folds = {"latin", "space", "digits"};
    Service service(rules);
    EXPECT_EQ(outcome(service, "falun"), Outcome::blocked);
    EXPECT_EQ(outcome(service, "fa lun"), Outcome::blocked);
    EXPECT_EQ(outcome(service, "fal"), Outcome::passed);
    EXPECT_EQ(outcome(service, "fxalun"), Outcome::passed) << "Latin letters are no noise in a Latin word";
    EXPECT_EQ(outcome(service, "六x四"), Outcome::blocked);
    const auto spared = service.spared_rules();
    ASSERT_EQ(spared.size(), 3u);
    EXPECT_EQ(spared[0].notation, "falun");
    EXPECT_EQ(spared[0].folds, std::vector<std::string>{"latin"});
    EXPECT_FALSE(spared[0].is_escalated_only);
    EXPECT_EQ(spared[1].notation, "hello + 国家");
    EXPECT_EQ(spared[2].notation, "ok");
    rules.folds.clear();
    EXPECT_TRUE(Service(rules).spared_rules().empty());
    rules.escalates = true;
    const auto escalated = Service(rules).spared_rules();
    ASSERT_EQ(escalated.size(), 4u);
    EXPECT_TRUE(escalated[0].is_escalated_only);
    EXPECT_EQ(escalated[3].folds, std::vector<std::string>{"digit"});
}

TEST(Service, UnequalServersAndFaultsAreDrawnBySeed) {
    auto rules = rules_of({});
    for (int i = 0; i < 100; ++i) rules.lists[""].push_back({{"word" + std::to_string(i) + "."}, {}});
    rules.servers = 4;
    rules.missing_share = 0.2;
    rules.seed = 3;
    std::string first;
    for (int run = 0; run < 2; ++run) {
        Service service(rules);
        std::string answers;
        for (int i = 0; i < 4000; ++i) answers += outcome(service, "word" + std::to_string(i % 100) + ".") == Outcome::blocked ? 'b' : 'p';
        const auto passed = std::count(answers.begin(), answers.end(), 'p');
        EXPECT_NEAR(static_cast<double>(passed) / 4000, 0.15, 0.05) << "three of four servers lack a fifth";
        if (run > 0) EXPECT_EQ(answers, first);
        first = answers;
    }
    rules.missing_share = 2;
    EXPECT_THROW(Service{rules}, Error);
}

TEST(Service, ATranslationLeavesLinesOut) {
    auto rules = rules_of({{{"bad"}, {}}});
    rules.kind = ServiceKind::translate;
    Service service(rules);
    const auto partial = service.answer("", "me", "one\nbad two\n\nthree");
    EXPECT_EQ(partial.outcome, Outcome::partial);
    EXPECT_EQ(partial.text, "one\n\nthree");
    ASSERT_EQ(partial.spans.size(), 1u);
    EXPECT_EQ(partial.spans[0].begin, 4u);
    EXPECT_EQ(partial.spans[0].end, 11u);
    EXPECT_EQ(service.answer("", "me", "bad\n").outcome, Outcome::blocked);
    rules.kind = ServiceKind::search;
    Service search(rules);
    EXPECT_EQ(search.answer("", "me", "good").text, "results for good");
    EXPECT_EQ(search.answer("", "me", "bad").outcome, Outcome::blocked);
}

TEST(Service, AMaskLeavesWordsOut) {
    auto rules = rules_of({{{"bad"}, {}}, {{"see", "saw"}, {}}});
    rules.kind = ServiceKind::mask;
    rules.folds = {"case"};
    Service service(rules);
    const auto masked = service.answer("", "me", "saw bad sebad see");
    EXPECT_EQ(masked.outcome, Outcome::partial);
    EXPECT_EQ(masked.text, "*** *** se*** ***");
    ASSERT_EQ(masked.spans.size(), 4u);
    EXPECT_EQ(masked.spans[2].begin, 10u);
    EXPECT_EQ(masked.spans[2].end, 13u);
    EXPECT_EQ(service.answer("", "me", "only see").outcome, Outcome::passed);
    EXPECT_EQ(service.answer("", "me", "badbad").outcome, Outcome::blocked);
    // What is spelled in another way than on the list is not found again in the text.
    EXPECT_EQ(service.answer("", "me", "one BAD two").outcome, Outcome::blocked);
}

TEST(Service, ListsChangeWhenTheTimeComes) {
    auto rules = rules_of({{{"gone"}, {}}, {{"b", "a"}, {}}, {{"kept"}, {}}});
    rules.lists["abroad"] = {{{"gone"}, {}}};
    // In any order; "a + b" is the rule that the list writes the other way round.
    rules.churn = {{20, false, {{"a", "b"}, {}}, ""}, {10, true, {{"new"}, {{"but"}}}, ""}, {10, false, {{"gone"}, {}}, "abroad"}, {30, true, {{"gone"}, {}}, "abroad"},
                   {20, false, {{"gone"}, {}}, ""}, {25, false, {{"never there"}, {}}, ""}};
    Service service(rules);
    const auto blocked = [&](std::string_view context) {
        std::string all;
        for (const char* text : {"gone", "a b", "kept", "new", "new but"}) all += outcome(service, text, context) == Outcome::blocked ? 'b' : 'p';
        return all;
    };
    EXPECT_EQ(blocked("home") + blocked("abroad"), "bbbppbpppp");
    service.advance(9);
    EXPECT_EQ(blocked("home") + blocked("abroad"), "bbbppbpppp");
    service.advance(10);
    EXPECT_EQ(blocked("home") + blocked("abroad"), "bbbbppppbp");
    service.advance(29);
    EXPECT_EQ(blocked("home") + blocked("abroad"), "ppbbppppbp");
    service.advance(15);
    EXPECT_EQ(blocked("home"), "ppbbp") << "time does not go back";
    service.advance(1000);
    EXPECT_EQ(blocked("home") + blocked("abroad"), "ppbbpbppbp");
    rules.churn = {{1, true, {{"x"}, {}}, "nowhere"}};
    EXPECT_THROW(Service{rules}, Error);
}

TEST(Service, WhichRulesAServerLacksDoesNotChangeWithTheList) {
    auto rules = rules_of({});
    for (int i = 0; i < 100; ++i) rules.lists[""].push_back({{"word" + std::to_string(i) + "."}, {}});
    rules.servers = 2;
    rules.missing_share = 0.5;
    auto changing = rules;
    for (int i = 0; i < 50; ++i) changing.churn.push_back({i, false, rules.lists[""][static_cast<std::size_t>(i)], ""});
    changing.churn.push_back({60, true, {{"late"}, {}}, ""});
    Service service(rules);
    Service churning(changing);
    churning.advance(100);
    for (int round = 0; round < 20; ++round)
        for (int i = 0; i < 100; ++i) {
            const std::string text = "word" + std::to_string(i) + ".";
            const Outcome fixed = outcome(service, text);
            EXPECT_EQ(outcome(churning, text), i < 50 ? Outcome::passed : fixed) << text;
        }
}

}  // namespace
}  // namespace unveil
