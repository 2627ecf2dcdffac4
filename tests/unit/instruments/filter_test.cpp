// Goal: the filter instrument believes answers, not names, and says what it cannot know. Method: small logs written by hand, with and
// without noise, and random lists against what was planted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <map>
#include <set>

#include "core/error.hpp"
#include "core/output_table.hpp"
#include "core/random.hpp"
#include "instruments/filter/attributes.hpp"
#include "instruments/filter/filter.hpp"
#include "instruments/filter/filter_log.hpp"
#include "table/reading.hpp"
#include "instruments/filter/rule_sets.hpp"
#include "table/spelling.hpp"
#include "instruments/filter/watch_list.hpp"
#include "memory_posts.hpp"
#include "memory_trials.hpp"
#include "table/certificate.hpp"

namespace unveil {
namespace {

using namespace filter;
using test::MemoryTrials;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Trial trial(std::string step, std::string subject, std::string input, bool is_blocked, std::string context = "cn", std::string detail = {}) {
    Trial trial;
    trial.step = std::move(step);
    trial.subject = std::move(subject);
    trial.input = std::move(input);
    trial.outcome = is_blocked ? Outcome::blocked : Outcome::passed;
    trial.context = std::move(context);
    trial.detail = std::move(detail);
    return trial;
}

/// `about` as on the command line; empty: not given.
Findings findings_of(std::vector<Trial> trials, std::string_view about = {}) {
    MemoryTrials source(std::move(trials));
    InstrumentInputs inputs;
    inputs.trials.push_back(&source);
    const Filter filter;
    ParameterValues parameters(filter.description().parameters);
    if (!about.empty()) parameters.set("about", about);
    NoOutputTables tables;
    SilentProgress progress;
    InstrumentContext context{0, 1, {"/var/tmp", 1 << 20}, tables, progress};
    return filter.run(inputs, parameters, context);
}

/// Whether a text is blocked by one of the rules: the model itself.
bool is_blocked(const std::vector<std::vector<std::string>>& rules, const std::string& text) {
    for (const auto& rule : rules) {
        bool holds_all = true;
        for (const auto& component : rule) holds_all = holds_all && text.find(component) != std::string::npos;
        if (holds_all) return true;
    }
    return false;
}

TEST(Certificate, TestsLeaveOutOneCharacterAtEitherEnd) {
    const std::vector<std::string> components{"六四", "x", "abc"};
    std::vector<std::string> shown;
    for (const auto& test : certificate_tests(components, "|")) shown.push_back(test.left_out + ": " + test.message);
    EXPECT_THAT(shown, ElementsAre("nothing: 六四|x|abc", "first of 1: 四|x|abc", "last of 1: 六|x|abc", "all of 2: 六四|abc",
                                   "first of 3: 六四|x|bc", "last of 3: 六四|x|ab"));
    EXPECT_EQ(certificate_tests(std::vector<std::string>{"x"}, "|").size(), 1u);
}

// Goal: what is changed inside a component is nothing that a filter may leave out. Method: Chinese with Latin letters and digits in its middle, a long phrase whose
// quarters are blanks, one with the letter that stands for others, and components that have nothing to change.
TEST(Certificate, TheInsideIsChangedWhereEveryFilterReads) {
    const auto changed = [](const std::string& component) {
        std::vector<std::string> messages;
        for (const auto& test : inner_tests(std::vector<std::string>{component}, "|")) messages.push_back(test.message);
        return messages;
    };
    EXPECT_THAT(changed("国家ace64明天"), ::testing::ElementsAre("国家ace64v天"));
    EXPECT_THAT(changed("abc def ghi jkl"), ::testing::ElementsAre("abv def ghi jkl", "abc dev ghi jkl", "abc def ghv jkl"));
    EXPECT_THAT(changed("abVcd"), ::testing::ElementsAre("abkcd"));
    EXPECT_THAT(changed("国12345天"), ::testing::IsEmpty());
    EXPECT_THAT(changed("abcd"), ::testing::IsEmpty());
}

/// A component that is longer than it need be must never be certified, whatever else is on the list.
TEST(Certificate, OnlyMinimalRulesPass) {
    Random random(3);
    int certified = 0;
    int refused = 0;
    for (int round = 0; round < 20000; ++round) {
        const auto word = [&] {
            std::string text;
            for (std::uint64_t n = 1 + random.below(3); n > 0; --n) text += static_cast<char>('a' + random.below(3));
            return text;
        };
        std::vector<std::vector<std::string>> rules(1 + random.below(3));
        for (auto& rule : rules)
            for (std::uint64_t n = 1 + random.below(3); n > 0; --n) rule.push_back(word());
        std::vector<std::string> claimed;
        for (std::uint64_t n = 1 + random.below(3); n > 0; --n) claimed.push_back(word());
        TrialBook book;
        const auto tests = certificate_tests(claimed, "|");
        for (const auto& test : tests) book.add(trial("certify", "", test.message, is_blocked(rules, test.message)));
        book.finish(0.99);
        const auto certificate = check_certificate(tests, "cn", book, 0.99);
        const std::string whole = tests.front().message;
        // By brute force: blocked, and no text with one component cut at either end or missing is.
        bool is_minimal = is_blocked(rules, whole);
        for (const auto& test : tests) is_minimal = is_minimal && (test.is_blocked_expected || !is_blocked(rules, test.message));
        EXPECT_EQ(certificate.state == CertificateState::certified, is_minimal);
        if (!is_blocked(rules, whole)) EXPECT_EQ(certificate.state, CertificateState::not_blocked);
        certified += certificate.state == CertificateState::certified;
        refused += certificate.state == CertificateState::not_minimal;
    }
    EXPECT_GT(certified, 100);
    EXPECT_GT(refused, 100);
}

TEST(Certificate, AMissingTestLeavesItOpen) {
    const std::vector<std::string> components{"ab"};
    const auto tests = certificate_tests(components, "|");
    TrialBook book;
    book.add(trial("certify", "ab", "ab", true));
    book.add(trial("certify", "ab", "a", false));
    book.finish(0.99);
    const auto certificate = check_certificate(tests, "cn", book, 0.99);
    EXPECT_EQ(certificate.state, CertificateState::open);
    EXPECT_EQ(certificate.tests_made, 2u);
    EXPECT_EQ(certificate.tests, 3u);
    EXPECT_EQ(check_certificate(tests, "ca", book, 0.99).tests_made, 0u);
}

TEST(Noise, OneAnswerDecidesOnlyWhileControlsAreSilent) {
    TrialBook silent;
    silent.add(trial("certify", "ab", "ab", false));
    silent.finish(0.99);
    EXPECT_EQ(silent.noise().state(silent.answers("cn", "ab"), 0.99), State::passed);

    TrialBook noisy;
    for (int i = 0; i < 100; ++i) noisy.add(trial("control", "", "known", i >= 5, "cn", "block"));
    for (int i = 0; i < 100; ++i) noisy.add(trial("control", "", "harmless", false, "cn", "pass"));
    noisy.add(trial("certify", "ab", "once", false));
    for (int i = 0; i < 3; ++i) noisy.add(trial("certify", "ab", "often", false));
    noisy.add(trial("certify", "ab", "stopped", true));
    noisy.finish(0.99);
    const Noise& noise = noisy.noise();
    EXPECT_NEAR(noise.answer_noise().miss_rate, 5.5 / 101, 1e-12);
    EXPECT_NEAR(noise.answer_noise().false_alarm_rate, 0.5 / 101, 1e-12);
    EXPECT_EQ(noise.state(noisy.answers("cn", "once"), 0.99), State::unknown);
    EXPECT_EQ(noise.state(noisy.answers("cn", "often"), 0.99), State::passed);
    EXPECT_EQ(noise.state(noisy.answers("cn", "stopped"), 0.99), State::blocked);
    EXPECT_EQ(noise.state(noisy.answers("cn", "never sent"), 0.99), State::unknown);
}

TEST(RuleSets, GroupsAndPairsFollowTheStates) {
    const State b = State::blocked;
    const State p = State::passed;
    const State u = State::unknown;
    const std::vector<RuleStates> rules{{"r1", {b, b, p, u}}, {"r2", {b, b, b, u}}, {"r3", {p, u, b, u}}, {"r4", {b, b, p, u}}};
    const auto pairs = compare_contexts(rules, 4);
    ASSERT_EQ(pairs.size(), 6u);
    EXPECT_EQ(pairs[1].only_a, 2u);   // contexts 0 and 2
    EXPECT_EQ(pairs[1].only_b, 1u);
    EXPECT_EQ(pairs[1].both, 1u);
    EXPECT_EQ(pairs[1].p, 1);
    EXPECT_FALSE(pairs[0].is_different);
    EXPECT_THAT(group_contexts(pairs, 4), ElementsAre(0, 0, 1, 2)) << "what was not tested is put with nobody";
}

TEST(RuleSets, AListThatIsPartOfAnotherIsFoundByTheSignTest) {
    std::vector<RuleStates> rules;
    for (int i = 0; i < 12; ++i) rules.push_back({"r" + std::to_string(i), {State::blocked, i < 2 ? State::blocked : State::passed}});
    const auto pairs = compare_contexts(rules, 2);
    EXPECT_NEAR(pairs[0].p, 2.0 / 1024, 1e-12);
}

TEST(RuleSets, WhichListHoldsWhichIsToldOnlyWhereItWasLookedFor) {
    const auto relation = [](std::uint64_t both, std::uint64_t only_a, std::uint64_t only_b, CompareOptions options = {}) {
        std::vector<RuleStates> rules;
        const auto add = [&](std::uint64_t count, State a, State b) {
            for (std::uint64_t i = 0; i < count; ++i) rules.push_back({"r" + std::to_string(rules.size()), {a, b}, {0.001, 0.001}});
        };
        add(both, State::blocked, State::blocked);
        add(only_a, State::blocked, State::passed);
        add(only_b, State::passed, State::blocked);
        return compare_contexts(rules, 2, options).front().relation;
    };
    EXPECT_EQ(relation(0, 0, 0), ContextRelation::not_asked);
    EXPECT_EQ(relation(40, 0, 0), ContextRelation::equal);
    EXPECT_EQ(relation(10, 0, 0), ContextRelation::no_difference) << "one in four may differ";
    EXPECT_EQ(relation(10, 0, 0, {.same_share = 0.3}), ContextRelation::equal);
    EXPECT_EQ(relation(40, 0, 0, {.was_searched = {true, false}}), ContextRelation::first_within) << "the second may hold more";
    EXPECT_EQ(relation(40, 0, 0, {.was_searched = {false, false}}), ContextRelation::no_difference);
    EXPECT_EQ(relation(40, 20, 0), ContextRelation::second_within);
    EXPECT_EQ(relation(40, 0, 20), ContextRelation::first_within);
    EXPECT_EQ(relation(10, 20, 0), ContextRelation::different) << "too few rules of the second";
    EXPECT_EQ(relation(40, 20, 0, {.was_searched = {true, false}}), ContextRelation::different) << "what the second alone has was not looked for";
    EXPECT_EQ(relation(1, 1, 1), ContextRelation::overlapping);
    EXPECT_EQ(relation(0, 40, 40), ContextRelation::apart);
    EXPECT_EQ(relation(0, 4, 4), ContextRelation::different);
}

/// By brute force: lists of which a share differs, of which so many rules are drawn, and answers that are read wrongly at times.
TEST(RuleSets, WhatWouldHaveBeenFoundIsFoundAsOftenAsItSays) {
    EXPECT_NEAR(detectable_share(60, 0), 3.0 / 60, 0.002) << "the rule of three";
    EXPECT_EQ(detectable_share(0, 0), 1);
    EXPECT_EQ(detectable_share(2, 0.9), 1);
    Random random(11);
    for (const double missed : {0.0, 0.2})
        for (const std::uint64_t asked : {5, 20, 80}) {
            const double differing = detectable_share(asked, missed);
            int found = 0;
            constexpr int rounds = 20000;
            for (int round = 0; round < rounds; ++round) {
                bool is_found = false;
                for (std::uint64_t i = 0; i < asked; ++i) {
                    const bool differs = random.uniform() < differing;
                    const bool is_seen = random.uniform() >= missed;
                    is_found |= differs && is_seen;
                }
                found += is_found;
            }
            EXPECT_NEAR(found / double{rounds}, 0.95, 0.006) << asked << " rules";
        }
}

/// The same rules in both contexts, and each state is wrong as often as its confidence allows: pairs are taken for different at most as often as said.
TEST(RuleSets, WrongAnswersMakeNoDifference) {
    Random random(12);
    int false_differences = 0;
    int found = 0;
    constexpr int rounds = 2000;
    for (int round = 0; round < rounds; ++round) {
        std::vector<RuleStates> same;
        std::vector<RuleStates> other;
        for (int i = 0; i < 100; ++i) {
            const auto state = [&](bool is_blocked) { return (random.uniform() < 0.009) != is_blocked ? State::blocked : State::passed; };
            same.push_back({"", {state(true), state(true)}, {0.009, 0.009}});
            other.push_back({"", {state(true), state(i >= 20)}, {0.009, 0.009}});
        }
        const CompareOptions noisy{.is_silent = false};
        false_differences += compare_contexts(same, 2, noisy).front().is_different;
        found += compare_contexts(other, 2, noisy).front().is_different;
    }
    EXPECT_LE(false_differences, rounds / 100);
    EXPECT_GT(found, rounds * 99 / 100);
    // One rule alone must be as sure as it takes among all that were asked.
    std::vector<RuleStates> one(100, {"", {State::blocked, State::blocked}, {0.001, 0.001}});
    one.front() = {"", {State::blocked, State::passed}, {0.001, 0.001}};
    EXPECT_EQ(compare_contexts(one, 2, {.is_silent = false}).front().relation, ContextRelation::unclear);
    one.front().errors = {0.00001, 0.00001};
    EXPECT_TRUE(compare_contexts(one, 2, {.is_silent = false}).front().is_different);
}

/// Lists that hang on some attributes, met from random contexts: what is named must be among what they hang on, whatever the design.
TEST(Attributes, OnlyWhatTheListsHangOnIsNamed) {
    Random random(13);
    const std::vector<std::string> names{"country", "language", "network"};
    int named = 0;
    int spared = 0;
    for (int round = 0; round < 3000; ++round) {
        const std::uint64_t causes = random.below(8);
        std::vector<std::string> contexts;
        ContextAttributes attributes;
        std::vector<std::uint64_t> lists;
        for (std::uint64_t c = 0; c < 2 + random.below(6); ++c) {
            contexts.push_back("c" + std::to_string(c));
            const std::uint64_t values = random.below(8);
            for (std::size_t i = 0; i < names.size(); ++i)
                if (random.below(10) > 0) attributes[contexts.back()][names[i]] = std::to_string(values >> i & 1);
            lists.push_back(values & causes);
        }
        std::vector<ContextPair> pairs;
        for (std::size_t a = 0; a < contexts.size(); ++a)
            for (std::size_t b = a + 1; b < contexts.size(); ++b) {
                ContextPair pair{.a = a, .b = b};
                // Not every difference is found, and not every equality is shown.
                const bool is_seen = random.below(4) > 0;
                pair.is_different = is_seen && lists[a] != lists[b];
                pair.relation = pair.is_different ? ContextRelation::different : is_seen ? ContextRelation::equal : ContextRelation::no_difference;
                pairs.push_back(pair);
            }
        const Separation separation = separate_contexts(contexts, attributes, pairs);
        std::set<std::string> somewhere;
        for (const auto& [context, values] : attributes)
            for (const auto& [name, value] : values) somewhere.insert(name);
        const bool is_all_named = somewhere.size() == names.size();
        for (std::size_t i = 0; i < names.size(); ++i) {
            const bool is_cause = (causes >> i & 1) != 0;
            const bool is_named = std::count(separation.needed.begin(), separation.needed.end(), names[i]) > 0;
            const bool is_spared = std::count(separation.spared.begin(), separation.spared.end(), names[i]) > 0;
            // What is named nowhere may always be the cause.
            if (is_all_named) EXPECT_TRUE(is_cause || !is_named) << "round " << round;
            EXPECT_FALSE(is_named && is_spared);
            named += is_named;
            spared += is_spared;
        }
    }
    EXPECT_GT(named, 100);
    EXPECT_GT(spared, 100);
}

TEST(Attributes, WhatAlwaysGoesTogetherIsNotToldApart) {
    const auto different = [](std::size_t a, std::size_t b) { return ContextPair{.a = a, .b = b, .relation = ContextRelation::different, .is_different = true}; };
    const auto equal = [](std::size_t a, std::size_t b) { return ContextPair{.a = a, .b = b, .relation = ContextRelation::equal}; };
    ContextAttributes attributes;
    add_context_attributes(std::vector<std::string>{"a:country=CN,language=zh", "b:country=CA", "language=en"}, attributes);
    std::vector<std::string> contexts{"a", "b"};
    std::vector<ContextPair> pairs{different(0, 1)};
    Separation separation = separate_contexts(contexts, attributes, pairs);
    EXPECT_EQ(separation.explanations.size(), 2u);
    EXPECT_THAT(separation.needed, IsEmpty());
    EXPECT_THAT(separation.together, ElementsAre(ElementsAre("country", "language")));

    // A third context where only the language is another one tells them apart.
    add_context_attributes(std::vector<std::string>{"c:country=CN,language=en"}, attributes);
    contexts.push_back("c");
    pairs = {different(0, 1), equal(0, 2), different(1, 2)};
    separation = separate_contexts(contexts, attributes, pairs);
    EXPECT_THAT(separation.needed, ElementsAre("country"));
    EXPECT_THAT(separation.spared, ElementsAre("language"));
    EXPECT_THAT(separation.together, IsEmpty());

    // Contexts that agree in everything named and differ: something else does it.
    pairs[1] = different(0, 2);
    attributes["c"]["language"] = "zh";
    separation = separate_contexts(contexts, attributes, pairs);
    EXPECT_THAT(separation.explanations, IsEmpty());
    EXPECT_THAT(separation.needed, IsEmpty());
}

TEST(Attributes, WhatCannotBeReadIsSaid) {
    const auto error_of = [](const std::string& text) {
        ContextAttributes attributes;
        try {
            add_context_attributes(std::vector<std::string>{text}, attributes);
        } catch (const Error& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    EXPECT_EQ(error_of("a:b:country=CN,language=zh"), "");
    for (const char* wrong : {"country=CN", ":country=CN", "a:country", "a:country=", "a:Country=CN", "a:=CN", "a:country=CN,,language=zh", "a:country=CN,country=CA", "", "a:"})
        EXPECT_THAT(error_of(wrong), HasSubstr("does not say what a context is")) << wrong;
}

TEST(Reading, ThreeRulesDecideAFoldAndContradictionDoesNot) {
    Reading reading;
    for (const char* rule : {"a", "b", "c"}) {
        reading.add("case", rule, 1);
        reading.add("width", rule, 0);
    }
    reading.add("space", "a", 1);
    reading.add("space", "b", 0);
    const auto folds = reading.folds();
    EXPECT_TRUE(folds.at("case").is_seen_through(0.99));
    EXPECT_TRUE(folds.at("width").is_excluded(0.99));
    EXPECT_FALSE(folds.at("space").is_seen_through(0.99));
    EXPECT_FALSE(folds.at("space").is_excluded(0.99));
    EXPECT_EQ(folds.at("space").rules_passed, 1u);
    EXPECT_EQ(folds.count("emoji"), 0u) << "nothing was sent";
}

TEST(Reading, TwoSpellingsOfOneRuleCountOnce) {
    Reading reading;
    for (int spelling = 0; spelling < 3; ++spelling) reading.add("case", "falun", 1);
    EXPECT_EQ(reading.folds().at("case").rules, 1u);
    EXPECT_FALSE(reading.folds().at("case").is_seen_through(0.99));
    reading.add("space", "falun", 0.95);
    reading.add("space", "falun", 0.7);
    reading.add("space", "falun", 0.99);
    Reading once;
    once.add("space", "falun", 0.7);
    EXPECT_EQ(reading.folds().at("space").probability, once.folds().at("space").probability) << "the one that says least";
    reading.add("space", "falun", 0.2);
    EXPECT_EQ(reading.folds().at("space").probability, 0.5) << "they contradict each other";
}

TEST(Filter, OneAppWithTwoSetsOfRulesComesOutAsThat) {
    std::vector<Trial> trials;
    const std::vector<std::vector<std::string>> at_home{{"ab", "c"}, {"dd"}, {"ef"}};
    const std::vector<std::vector<std::string>> abroad{{"ef"}};
    const auto send = [&](const std::string& subject, const std::string& step, const std::string& message, const std::string& detail = {}) {
        for (const std::string context : {"cn", "cn/new", "ca"})
            trials.push_back(trial(step, subject, message, is_blocked(context == "ca" ? abroad : at_home, message), context, detail));
    };
    for (const std::string rule : {"ab + c", "dd", "ef", "nothing", "efx"})
        for (const auto& test : certificate_tests(rule_components(rule), "\n")) send(rule, "certify", test.message);
    for (const std::string rule : {"dd", "ef", "ab + c"}) send(rule, "probe", rule == "ab + c" ? "Ab\nc" : rule + "!", rule == "ab + c" ? "case" : "mark");
    const Findings findings = findings_of(trials);
    EXPECT_THAT(findings.find("rules")->members, ElementsAre("ab + c", "dd", "ef"));
    EXPECT_THAT(findings.find("rules")->non_members, ElementsAre("nothing"));
    EXPECT_EQ(findings.find("rules.not_minimal")->value, 1);
    EXPECT_EQ(findings.find("contexts.rule_sets")->value, 2);
    EXPECT_EQ(findings.find("contexts.differ")->value, 2);
    EXPECT_THAT(findings.find("rules(\"ca\")")->members, ElementsAre("ef"));
    EXPECT_THAT(findings.find("rules(\"ca\")")->non_members, ElementsAre("ab + c", "dd", "nothing"));
    EXPECT_EQ(findings.find("controls.slip_share")->high, 1) << "no control, no knowledge";
    EXPECT_THAT(findings.find("contexts.differ")->table.rows.front(), Contains("different"));
    const Finding* missing = findings.find("contexts.missing_share(\"cn\", \"ca\")");
    EXPECT_NEAR(missing->value, 2.0 / 3, 1e-12);
    EXPECT_GT(missing->low, 0);
    EXPECT_EQ(findings.find("contexts.missing_share(\"cn\", \"cn/new\")")->value, 0);
    EXPECT_EQ(findings.find("contexts.missing_share(\"cn\", \"cn/new\")")->high, 1) << "without a control nobody knows how often an answer is wrong";
    EXPECT_EQ(findings.find("contexts.separated_by"), nullptr) << "nobody said what the contexts are";
}

TEST(Spelling, WhatIsSeenThroughIsUndoneAndNothingElse) {
    const std::set<std::string> folds{"case", "space", "ascii-punctuation"};
    EXPECT_EQ(as_read(folds, "F-a L.U'N"), "falun");
    EXPECT_EQ(as_read(folds, "国 家"), "国家");
    EXPECT_EQ(as_read(folds, "國,家"), "國家");
    EXPECT_EQ(as_read({}, "F-a L"), "F-a L");
    EXPECT_EQ(as_read({"latin", "digit"}, "六x4四"), "六四");
    EXPECT_EQ(as_read({"latin", "digit", "space"}, "a 1"), "a1") << "something must be left";
    EXPECT_EQ(as_read({"ascii-punctuation"}, "..."), "...");
    EXPECT_EQ(as_read({"html", "traditional"}, "&#x570B;家&#x;&#x11111111;&"), "国家&#x;&#x11111111;&");
    EXPECT_EQ(as_read({"case"}, {"B", "a", "b"}, false), (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(as_read({"case"}, {"B", "a"}, true), (std::vector<std::string>{"b", "a"}));
}

/// A filter that drops case, blanks and full stops at home, and nothing abroad.
Trial answered(std::string step, std::string subject, const std::string& message, const std::string& context, std::string detail = {}) {
    std::string read = message;
    if (context == "home") {
        read.clear();
        for (const char c : message)
            if (c != ' ' && c != '.' && c != '-') read += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return trial(std::move(step), std::move(subject), message, is_blocked({{"falun"}, {"gate", "tank"}, {"vase"}, {"Vase"}}, read), context, std::move(detail));
}

TEST(Filter, SpellingsOfOneRuleAreOneWhereTheFilterSeesThroughThem) {
    std::vector<Trial> trials;
    const std::vector<std::string> at_home{"falun", "Falun", "F-A-L-U-N", "gate + tank", "Ga te + tan.k", "vase"};
    for (const auto& rule : at_home)
        for (const auto& test : certificate_tests(rule_components(rule), "\n")) trials.push_back(answered("certify", rule, test.message, "home"));
    for (const std::string rule : {"vase", "Vase"})
        for (const auto& test : certificate_tests(rule_components(rule), "\n")) trials.push_back(answered("certify", rule, test.message, "abroad"));
    const auto without_probes = findings_of(trials);
    EXPECT_EQ(without_probes.find("rules")->members.size(), 7u);
    EXPECT_EQ(without_probes.find("rules.distinct")->value, 7) << "whether it sees through them is not known";
    EXPECT_EQ(without_probes.find("rules.distinct")->low, 3);
    EXPECT_THAT(without_probes.find("rules.distinct")->sentence, HasSubstr("They may be 3"));
    EXPECT_TRUE(without_probes.find("rules.distinct")->table.rows.empty());
    const std::vector<std::pair<std::string, std::array<std::string, 3>>> variants{
        {"falun", {"FALUN", "f a l u n", "f.a.l.u.n"}}, {"gate + tank", {"GATE\nTANK", "g a t e\nt a n k", "g.a.t.e\nt.a.n.k"}}, {"vase", {"VASE", "v a s e", "v.a.s.e"}}};
    for (const auto& [rule, spelled] : variants)
        for (std::size_t i = 0; i < spelled.size(); ++i)
            trials.push_back(answered("probe", rule, spelled[i], "home", std::array<std::string, 3>{"case", "space", "ascii-punctuation"}[i]));
    MemoryTrials source(std::move(trials));
    InstrumentInputs inputs;
    inputs.trials.push_back(&source);
    const Filter filter;
    testing::MemoryTables tables;
    SilentProgress progress;
    InstrumentContext context{0, 1, {"/var/tmp", 1 << 20}, tables, progress};
    ParameterValues parameters(filter.description().parameters);
    parameters.set("topics", "true");
    const auto findings = filter.run(inputs, parameters, context);
    EXPECT_EQ(findings.find("rules")->value, 7);
    EXPECT_EQ(findings.find("rules.distinct")->value, 4) << "falun, gate + tank, vase, and Vase, which is another rule abroad";
    EXPECT_EQ(findings.find("rules.distinct")->low, 3) << "abroad nothing was tried";
    EXPECT_THAT(findings.find("rules.distinct")->sentence, HasSubstr("4 different rules: the other 3 are spellings"));
    EXPECT_THAT(findings.find("topics.share(\"gambling\")")->sentence, HasSubstr("of 4 rules"));
    std::map<std::string, std::string> canonical;
    for (const auto& line : tables.lines("rules")) {
        // The seventh column, of ten.
        std::size_t begin = 0;
        for (int column = 0; column < 6; ++column) begin = line.find('|', begin) + 1;
        canonical[line.substr(0, line.find('|', line.find('|') + 1))] = line.substr(begin, line.find('|', begin) - begin);
    }
    EXPECT_EQ(canonical["F-A-L-U-N|home"], "falun");
    EXPECT_EQ(canonical["Falun|home"], "falun");
    EXPECT_EQ(canonical["falun|home"], "");
    EXPECT_EQ(canonical["Ga te + tan.k|home"], "gate + tank");
    EXPECT_EQ(canonical["Vase|abroad"], "");
}

TEST(Filter, WhatIsWrittenAsItSoundsIsASpellingOfWhatSoundsSo) {
    // 果价会 sounds as 国家会 does but for the tone; the filter lists sounds and first letters of its rules.
    const std::vector<std::string> words{"国家会", "果价会", "会议厅", "说话人", "开关门"};
    std::vector<std::vector<std::string>> list{{"kang"}};
    for (const auto& word : words)
        for (const auto& spelled : {word, *spelled_by_sound("pinyin", word), *spelled_by_sound("initials", word)}) list.push_back({spelled});
    std::vector<Trial> trials;
    const auto send = [&](const std::string& step, const std::string& subject, const std::string& message, const std::string& detail = {}) {
        trials.push_back(trial(step, subject, message, is_blocked(list, message), "cn", detail));
    };
    for (const std::string rule : {"国家会", "果价会", "guojiahui", "gjh", "会议厅", "说话人", "开关门", "kang"})
        for (const auto& test : certificate_tests(rule_components(rule), "\n")) send("certify", rule, test.message);
    EXPECT_EQ(findings_of(trials).find("rules.distinct")->value, 8);
    EXPECT_EQ(findings_of(trials).find("rules.distinct")->low, 5) << "one word, its sound, its letters and a homophone may be one";
    for (const std::string rule : {"国家会", "会议厅", "说话人", "开关门"}) {
        send("probe", rule, *spelled_by_sound("pinyin", rule), "pinyin");
        send("probe", rule, *spelled_by_sound("initials", rule), "initials");
        send("probe", rule, rule == "国家会" ? "郭家会" : rule == "会议厅" ? "惠义厅" : rule == "说话人" ? "硕话人" : "凯官门", "homophone-any-tone");
    }
    const auto findings = findings_of(trials);
    EXPECT_THAT(findings.find("folds(\"cn\")")->members, ElementsAre("initials", "pinyin"));
    EXPECT_EQ(findings.find("rules.distinct")->value, 6) << "kang, four words and a homophone, which the filter tells apart";
    const auto& rows = findings.find("rules.distinct")->table.rows;
    ASSERT_EQ(rows.size(), 2u);
    for (const auto& row : rows) EXPECT_EQ(row.at(2), "国家会") << "or 果价会: the first";
}

TEST(Filter, AFoldIsShownByDifferentRulesNotBySpellingsOfOne) {
    std::vector<Trial> trials;
    const auto send = [&](const std::string& subject, const std::string& variant) { trials.push_back(trial("probe", subject, variant, true, "cn", "space")); };
    for (const std::string rule : {"falun", "Falun", "f-alun"}) {
        trials.push_back(trial("certify", rule, rule, true));
        send(rule, "x" + rule);
    }
    const auto spellings = findings_of(trials);
    EXPECT_TRUE(spellings.find("folds")->members.empty());
    EXPECT_EQ(spellings.find("folds.open")->value, 1);
    for (const std::string rule : {"gate", "vase"}) {
        trials.push_back(trial("certify", rule, rule, true));
        send(rule, "x" + rule);
    }
    EXPECT_THAT(findings_of(trials).find("folds")->members, ElementsAre("space"));
}

TEST(Filter, WhatHoldsAnotherRuleAsItIsWrittenSaysNothingOfFolds) {
    std::vector<Trial> trials;
    const std::vector<std::vector<std::string>> list{{"gate"}, {"tank"}, {"vase"}, {"x"}};
    for (const std::string rule : {"gate", "tank", "vase", "x"})
        for (const auto& test : certificate_tests(rule_components(rule), "\n")) trials.push_back(trial("certify", rule, test.message, is_blocked(list, test.message)));
    for (const std::string variant : {"gxaxtxe", "txaxnxk", "vxaxsxe"}) {
        std::string rule = variant;
        std::erase(rule, 'x');
        trials.push_back(trial("probe", rule, variant, true, "cn", "latin"));
    }
    EXPECT_EQ(findings_of(trials).find("folds"), nullptr);
}

TEST(Filter, AFoldIsExcludedOnlyWhereNoContextLeavesItOpen) {
    std::vector<Trial> trials;
    for (const std::string rule : {"gate", "tank", "vase"})
        for (const std::string context : {"cn", "ca"}) {
            trials.push_back(trial("certify", rule, rule, true, context));
            trials.push_back(trial("probe", rule, rule + " case", context == "cn", context, "case"));
            trials.push_back(trial("probe", rule, rule + " width", false, context, "width"));
            if (context == "cn" || rule == "gate") trials.push_back(trial("probe", rule, rule + " space", false, context, "space"));
        }
    const auto findings = findings_of(trials);
    EXPECT_THAT(findings.find("folds")->members, ElementsAre("case")) << "somewhere";
    EXPECT_THAT(findings.find("folds")->non_members, ElementsAre("width"));
    EXPECT_THAT(findings.find("folds(\"ca\")")->non_members, ElementsAre("case", "width"));
    EXPECT_THAT(findings.find("folds(\"cn\")")->non_members, ElementsAre("space", "width"));
    EXPECT_EQ(findings.find("folds.open")->value, 1) << "space in ca";
    const auto& rows = findings.find("folds")->table.rows;
    EXPECT_EQ(std::count_if(rows.begin(), rows.end(), [](const auto& row) { return row.at(0) == "ca" && row.at(1) == "emoji" && row.at(4) == "not asked"; }), 1);
}

/// Where nobody filters an account any more, what it sends says nothing of the list of its country.
TEST(Filter, AnAccountThatIsFilteredNoLongerMakesNoOtherList) {
    for (const bool is_filtered_again : {false, true}) {
        std::vector<Trial> trials;
        for (const char* context : {"ca", "cn"}) trials.push_back(trial("control", "zz", "zz", true, context, "block"));
        for (int i = 0; i < 1000; ++i) {
            trials.push_back(trial("control", "zz", "zz", true, "cn", "block"));
            trials.push_back(trial("control", "hello", "hello", false, "cn", "pass"));
        }
        for (const std::string rule : {"abc", "def", "ghi", "jkl", "mno"}) {
            for (const auto& test : certificate_tests(rule_components(rule), "\n")) trials.push_back(trial("certify", rule, test.message, test.is_blocked_expected));
            trials.push_back(trial("compare", rule, rule, false, "ca"));
        }
        for (int i = 0; i < 4; ++i) trials.push_back(trial("control", "zz", "zz", false, "ca", "block"));
        if (is_filtered_again) trials.push_back(trial("control", "zz", "zz", true, "ca", "block"));
        const auto findings = findings_of(trials);
        EXPECT_EQ(findings.find("contexts.differ")->value, is_filtered_again ? 1 : 0);
        EXPECT_EQ(findings.find("rules(\"ca\")")->non_members.empty(), !is_filtered_again);
        EXPECT_EQ(std::any_of(findings.notes.begin(), findings.notes.end(), [](const auto& note) { return note.starts_with("9 messages came through by accounts"); }), !is_filtered_again);
    }
}

TEST(Filter, AContextThatTheLogDoesNotKnowCannotBeDescribed) {
    const std::vector<Trial> trials{trial("scan", "", "text", false)};
    EXPECT_NO_THROW(findings_of(trials, "cn:country=CN"));
    EXPECT_THROW(findings_of(trials, "ch:country=CN"), Error);
}

TEST(Filter, HowFarApartTheWordsOfARuleMayStand) {
    std::vector<Trial> trials;
    for (const std::string rule : {"a + b", "c + d", "e + f", "g + h", "i + j"})
        for (const auto& test : certificate_tests(rule_components(rule), "\n")) trials.push_back(trial("certify", rule, test.message, test.is_blocked_expected));
    EXPECT_EQ(findings_of(trials).find("rules.distance_bound"), nullptr) << "nothing was tried";
    trials.push_back(trial("apart", "a + b", "a far b", true, "cn", "1000"));
    trials.push_back(trial("apart", "c + d", "c far d", false, "cn", "1000"));
    trials.push_back(trial("apart", "c + d", "c mid d", false, "cn", "100"));
    trials.push_back(trial("apart", "c + d", "c d", true, "cn", "10"));
    trials.push_back(trial("apart", "c + d", "mid c d", true, "cn", "100 before"));
    trials.push_back(trial("apart", "c + d", "c d mid", true, "cn", "100 behind"));
    // Of g + h it is the length or the place that matters, of i + j nobody knows.
    trials.push_back(trial("apart", "g + h", "g far h", false, "cn", "1000"));
    trials.push_back(trial("apart", "g + h", "far g h", false, "cn", "1000 before"));
    trials.push_back(trial("apart", "g + h", "g h far", true, "cn", "1000 behind"));
    trials.push_back(trial("apart", "i + j", "i far j", false, "cn", "1000"));
    trials.push_back(trial("apart", "e + f", "e f", true, "cn", "ten"));
    const auto findings = findings_of(trials);
    EXPECT_THAT(findings.find("rules.distance_bound")->members, ElementsAre("c + d"));
    EXPECT_THAT(findings.find("rules.distance_bound")->non_members, ElementsAre("a + b"));
    EXPECT_EQ(findings.find("rules.distance_bound")->high, 4) << "of e + f, g + h and i + j it is not known";
    const auto& rows = findings.find("rules.distance_bound")->table.rows;
    ASSERT_EQ(rows.size(), 4u);
    EXPECT_THAT(rows[0], ElementsAre("a + b", "cn", "1,000", ""));
    EXPECT_THAT(rows[1], ElementsAre("c + d", "cn", "10", "100"));
}

TEST(Filter, WhatComesThroughIsWithheldOnRequest) {
    std::vector<Trial> trials;
    for (const std::string rule : {"gate", "tank", "vase"}) {
        trials.push_back(trial("certify", rule, rule, true));
        trials.push_back(trial("probe", rule, rule + " seen", true, "cn", "space"));
        trials.push_back(trial("probe", rule, "not " + rule, false, "cn", "emoji"));
    }
    for (const auto& test : certificate_tests(rule_components("a + b"), "\n")) trials.push_back(trial("certify", "a + b", test.message, test.is_blocked_expected));
    trials.push_back(trial("apart", "a + b", "a not b", false, "cn", "10"));
    for (const bool is_withheld : {false, true}) {
        MemoryTrials source(trials);
        InstrumentInputs inputs;
        inputs.trials.push_back(&source);
        const Filter filter;
        testing::MemoryTables tables;
        SilentProgress progress;
        InstrumentContext context{0, 1, {"/var/tmp", 1 << 20}, tables, progress};
        ParameterValues parameters(filter.description().parameters);
        if (is_withheld) parameters.set("withhold-evasions", "true");
        const auto findings = filter.run(inputs, parameters, context);
        EXPECT_THAT(findings.find("folds")->members, ElementsAre("space"));
        EXPECT_EQ(findings.find("folds")->non_members.empty(), is_withheld);
        EXPECT_EQ(findings.find("folds(\"cn\")")->non_members.empty(), is_withheld);
        EXPECT_EQ(findings.find("evasions") == nullptr, is_withheld);
        EXPECT_EQ(findings.find("rules.distance_bound") == nullptr, is_withheld);
        EXPECT_EQ(tables.lines("folds").size() == 1, is_withheld);
    }
}

TEST(Filter, AVariantOfWhatIsNotBlockedSaysNothingOfFolds) {
    std::vector<Trial> trials;
    for (const std::string rule : {"gate", "tank", "vase"}) {
        trials.push_back(trial("certify", rule, rule, false));
        trials.push_back(trial("probe", rule, "x" + rule, false, "cn", "space"));
    }
    EXPECT_EQ(findings_of(trials).find("folds"), nullptr);
}

TEST(Filter, WhatIsReadMostEasilyComesFirstAmongEvasions) {
    std::vector<Trial> trials;
    const std::vector<std::string> rules{"国家会", "会议厅", "说话人"};
    for (const auto& rule : rules) {
        trials.push_back(trial("certify", rule, rule, true));
        trials.push_back(trial("probe", rule, *spelled_by_sound("initials", rule), false, "cn", "initials"));
        trials.push_back(trial("probe", rule, *spelled_by_sound("pinyin", rule), false, "cn", "pinyin"));
        trials.push_back(trial("probe", rule, rule.substr(0, 3) + "\u200B" + rule.substr(3), false, "cn", "zero-width"));
        trials.push_back(trial("probe", rule, rule.substr(0, 3) + " " + rule.substr(3), true, "cn", "space"));
    }
    // Two words in one order only.
    for (const auto& test : certificate_tests(std::vector<std::string>{"红", "北"}, "\n")) trials.push_back(trial("certify", "红 + 北", test.message, test.is_blocked_expected));
    trials.push_back(trial("order", "红 + 北", "北\n红", false, "cn", "reversed"));
    const auto findings = findings_of(trials);
    std::vector<std::string> changes;
    for (const auto& row : findings.find("evasions")->table.rows) changes.push_back(row.at(1));
    EXPECT_THAT(changes, ElementsAre("zero-width", "component-order", "pinyin", "initials"));
}

TEST(Filter, ALogWithoutTrialsOrOfAnotherExperimentIsRefused) {
    EXPECT_THROW(findings_of({}), Error);
    MemoryTrials first({trial("certify", "a", "a", true)}, "|");
    MemoryTrials second({trial("certify", "a", "a", true)}, "\n");
    InstrumentInputs inputs;
    inputs.trials = {&first, &second};
    const Filter filter;
    NoOutputTables tables;
    SilentProgress progress;
    InstrumentContext context{0, 1, {"/var/tmp", 1 << 20}, tables, progress};
    EXPECT_THROW(filter.run(inputs, ParameterValues(filter.description().parameters), context), Error);
}

std::vector<Sample> samples(const std::string& answers) {
    std::vector<Sample> made;
    for (const char c : answers) made.push_back({static_cast<std::int64_t>(made.size()), {}, c == 'B'});
    return made;
}

TEST(ChangePoints, TwoAnswersOnBothSidesAndNoBetterExplanation) {
    const AnswerNoise clean{0.02, 0.02};
    EXPECT_THAT(change_points(samples("BBBBPPPP"), clean, 0.99), ElementsAre(4));
    EXPECT_THAT(change_points(samples("BBPP"), clean, 0.99), ElementsAre(2));
    EXPECT_THAT(change_points(samples("BBBP"), clean, 0.99), ElementsAre());
    EXPECT_THAT(change_points(samples("BBPBBBBB"), clean, 0.99), ElementsAre());
    EXPECT_THAT(change_points(samples("PPPBBBBPPP"), clean, 0.99), ElementsAre(3, 7));
    const AnswerNoise noisy{0.3, 0.02};
    EXPECT_THAT(change_points(samples("BBPP"), noisy, 0.99), ElementsAre()) << "two slips in a row are likelier than a change";
    EXPECT_THAT(change_points(samples(""), clean, 0.99), ElementsAre());
}

/// Against all ways to set the change points.
TEST(ChangePoints, AreTheBestOfAll) {
    Random random(5);
    for (int round = 0; round < 500; ++round) {
        std::string answers;
        for (std::uint64_t n = 4 + random.below(7); n > 0; --n) answers += random.chance(0.5) ? 'B' : 'P';
        const AnswerNoise noise{0.01 + 0.3 * random.uniform(), 0.01 + 0.3 * random.uniform()};
        const auto cost_of = [&](std::uint32_t mask, bool is_listed) {
            double cost = 0;
            std::size_t length = 0;
            for (std::size_t i = 0; i < answers.size(); ++i) {
                if (i > 0 && (mask >> i & 1) != 0) {
                    if (length < 2) return 1e9;
                    length = 0;
                    is_listed = !is_listed;
                    cost -= std::log(0.01);
                }
                ++length;
                const double wrong = is_listed ? noise.miss_rate : noise.false_alarm_rate;
                cost -= std::log((answers[i] == 'B') == is_listed ? 1 - wrong : wrong);
            }
            return length < 2 ? 1e9 : cost;
        };
        double best = 1e9;
        for (std::uint32_t mask = 0; mask < 1u << answers.size(); mask += 2)
            for (const bool is_listed : {false, true}) best = std::min(best, cost_of(mask, is_listed));
        std::uint32_t mask = 0;
        for (const std::size_t change : change_points(samples(answers), noise, 0.99)) mask |= 1u << change;
        EXPECT_NEAR(std::min(cost_of(mask, false), cost_of(mask, true)), best, 1e-9) << answers;
    }
}

TEST(Filter, ARuleThatLeavesTheListIsAnEvent) {
    std::vector<Trial> trials;
    const auto add = [&](Trial one, int day) {
        one.time_us = day * 86'400'000'000LL;
        trials.push_back(std::move(one));
    };
    for (int day = 0; day < 10; ++day) {
        add(trial("control", "zz", "zz", true, "cn", "block"), day);
        add(trial("control", "hello", "hello", false, "cn", "pass"), day);
        add(trial("track", "ab", "ab", day < 6), day);
        add(trial("track", "ab", "ab", day < 6), day);
        add(trial("track", "cd", "cd", day >= 3), day);
        add(trial("track", "ef", "ef", true), day);
    }
    const Findings findings = findings_of(trials);
    EXPECT_THAT(findings.find("rules.removed")->members, ElementsAre("ab"));
    EXPECT_THAT(findings.find("rules.added")->members, ElementsAre("cd"));
    EXPECT_THAT(findings.find("rules.added")->non_members, ElementsAre("ef"));
    EXPECT_EQ(findings.find("events")->value, 2);
    EXPECT_EQ(findings.find("repeats.inconsistent_share")->value, 0);
}

TEST(Filter, AnswersOfAShutAccountCountForNothing) {
    std::vector<Trial> trials;
    for (int i = 0; i < 10; ++i) trials.push_back(trial("control", "hello", "hello", false, "cn", "pass"));
    for (const char* message : {"ab", "a", "b"}) trials.push_back(trial("certify", "ab", message, std::string(message) == "ab"));
    for (const char* message : {"cd", "ef"}) trials.push_back(trial("certify", message, message, true));
    const auto open = findings_of(trials);
    for (int i = 0; i < 4; ++i) trials.push_back(trial("control", "hello", "hello", true, "cn", "pass"));
    const auto shut = findings_of(trials);
    EXPECT_EQ(open.find("rules.open")->value, 2);
    // All since the last good control is left out, also what was true: nobody can tell it apart.
    EXPECT_TRUE(shut.find("rules")->members.empty());
    EXPECT_EQ(shut.find("rules.open")->value, 0);
    EXPECT_EQ(shut.find("controls.false_block_share")->value, 0);
    EXPECT_THAT(shut.notes, Contains(HasSubstr("as a shut account does")));
}

TEST(Filter, ExceptionsOrderAndWordsAreReadFromTheLog) {
    std::vector<Trial> trials;
    for (int i = 0; i < 20; ++i) {
        trials.push_back(trial("control", "hello", "hello", false, "cn", "pass"));
        trials.push_back(trial("control", "zz", "zz", true, "cn", "block"));
    }
    const auto add = [&](const char* step, const char* subject, const char* detail, const char* input, bool is_blocked) {
        trials.push_back(trial(step, subject, input, is_blocked, "cn", detail));
    };
    add("certify", "ab", "nothing", "ab", true);
    add("certify", "ab", "first of 1", "b", false);
    add("certify", "ab", "last of 1", "a", false);
    add("except", "ab", "good", "ab\ngood", false);
    add("except", "ab", "good", "ab\nood", true);
    add("except", "ab", "good", "ab\ngoo", true);
    add("except", "ab", "never", "ab\nnever", true);
    add("shape", "ab", "letter before", "xab", false);
    add("shape", "ab", "letter behind", "abx", false);
    // Blocked only with y before x.
    add("certify", "yy + xx", "nothing", "yy\nxx", true);
    for (const char* part : {"y\nxx", "yy\nx"}) add("certify", "yy + xx", "", part, false);
    add("order", "yy + xx", "sorted", "xx\nyy", false);
    const Findings findings = findings_of(trials);
    EXPECT_THAT(findings.find("exceptions")->members, ElementsAre("good"));
    EXPECT_THAT(findings.find("exceptions")->non_members, ElementsAre("never"));
    EXPECT_THAT(findings.find("exceptions.pairs")->members, ElementsAre("ab unless good"));
    EXPECT_EQ(findings.find("exceptions.open")->value, 0);
    EXPECT_EQ(findings.find("rules.word_bound")->value, 1);
    EXPECT_THAT(findings.find("rules")->members, ElementsAre("ab", "yy + xx"));
    EXPECT_THAT(findings.find("rules.ordered")->members, ElementsAre("yy + xx"));
    trials.push_back(trial("order", "yy + xx", "xx\nyy", true, "cn", "sorted"));
    trials.back().input = "xx\nyy";
    const Findings contradicted = findings_of(trials);
    EXPECT_TRUE(contradicted.find("rules.ordered")->members.empty());
}

TEST(Filter, FurtherTestsOfARuleAreReadFromTheLog) {
    std::vector<Trial> trials;
    for (int i = 0; i < 20; ++i) {
        trials.push_back(trial("control", "hello", "hello", false, "cn", "pass"));
        trials.push_back(trial("control", "zz", "zz", true, "cn", "block"));
    }
    const auto add = [&](const char* step, const char* subject, const char* detail, const char* input, bool is_blocked) {
        trials.push_back(trial(step, subject, input, is_blocked, "cn", detail));
    };
    const auto certify = [&](const char* subject, std::vector<std::string> components) {
        for (const auto& test : certificate_tests(components, "\n")) add("certify", subject, test.left_out.c_str(), test.message.c_str(), test.is_blocked_expected);
    };
    certify("ab + cd", {"ab", "cd"});
    certify("efgh", {"efgh"});
    certify("ij + kl", {"ij", "kl"});
    const Findings before = findings_of(trials);
    for (const char* metric : {"rules.undivided", "rules.any_distance", "rules.bare"}) EXPECT_EQ(before.find(metric), nullptr);
    EXPECT_THAT(before.find("rules")->members, ElementsAre("ab + cd", "efgh", "ij + kl"));
    add("further", "ab + cd", "split of 1", "a\nb\ncd", false);
    add("further", "ab + cd", "split of 2", "ab\nc\nd", false);
    add("further", "ab + cd", "gap of 6", "ab\nhello\nhello\ncd", true);
    add("further", "ab + cd", "bare", "abcd", true);
    add("further", "efgh", "split of 1", "efg\nfgh", true);
    // Only one of two components was asked.
    add("further", "ij + kl", "split of 1", "i\nj\nkl", false);
    add("further", "ij + kl", "gap of 6", "ij\nhello\nhello\nkl", false);
    add("further", "ij + kl", "gap of 5", "ij\nhello\nkl", true);
    add("further", "ij + kl", "bare", "ijkl", false);
    // What the log calls so and is something else.
    add("further", "ab + cd", "swap of 1", "nonsense", true);
    add("further", "ab + cd", "gap of 4", "ab\ncd", true);
    add("further", "ab + cd", "no such test", "ab\ncd", true);
    const Findings findings = findings_of(trials);
    EXPECT_THAT(findings.find("rules.undivided")->members, ElementsAre("ab + cd"));
    EXPECT_THAT(findings.find("rules.undivided")->non_members, ElementsAre("efgh"));
    EXPECT_THAT(findings.find("rules.any_distance")->members, ElementsAre("ab + cd"));
    EXPECT_THAT(findings.find("rules.any_distance")->non_members, IsEmpty()) << "of so long a text nobody knows whether it is read";
    add("apart", "ij + kl", "6 before", "hello\nhello\nij\nkl", true);
    add("apart", "ij + kl", "6 behind", "ij\nkl\nhello\nhello", true);
    EXPECT_THAT(findings_of(trials).find("rules.any_distance")->non_members, ElementsAre("ij + kl"));
    EXPECT_THAT(findings.find("rules.any_distance")->table.rows, Contains(ElementsAre("ij + kl", "cn", "5", "6")));
    EXPECT_THAT(findings.find("rules.bare")->members, ElementsAre("ab + cd"));
    EXPECT_THAT(findings.find("rules.bare")->non_members, ElementsAre("ij + kl"));
    // Two words are no rule of one.
    EXPECT_THAT(findings.find("rules")->members, ElementsAre("ab + cd", "ij + kl"));
    EXPECT_EQ(findings.find("rules.not_minimal")->value, 1);
}

/// Where answers are wrong at times, each test of an exception may be sure and all of them together not.
TEST(Filter, AnExceptionMustBeAsSureAsARule) {
    const auto exceptions_after = [](int answers) {
        std::vector<Trial> trials;
        for (int i = 0; i < 100; ++i) {
            trials.push_back(trial("control", "zz", "zz", i >= 5, "cn", "block"));
            trials.push_back(trial("control", "hello", "hello", i < 5, "cn", "pass"));
        }
        for (int i = 0; i < answers; ++i) {
            trials.push_back(trial("certify", "ab", "ab", true));
            trials.push_back(trial("except", "ab", "ab\ngood", false, "cn", "good"));
            for (const char* part : {"ab\nood", "ab\ngoo"}) trials.push_back(trial("except", "ab", part, true, "cn", "good"));
        }
        return findings_of(std::move(trials));
    };
    const Findings twice = exceptions_after(2);   // each of four is right with 0.997
    EXPECT_THAT(twice.find("exceptions")->members, IsEmpty());
    EXPECT_THAT(twice.find("exceptions")->non_members, IsEmpty());
    EXPECT_EQ(twice.find("exceptions.open")->value, 1);
    EXPECT_THAT(twice.find("exceptions.pairs")->members, ElementsAre("ab unless good"));
    const Findings often = exceptions_after(3);
    EXPECT_THAT(often.find("exceptions")->members, ElementsAre("good"));
    EXPECT_EQ(often.find("exceptions.open")->value, 0);
}

TEST(WatchList, WhatChangedBeforeAndWasNotAskedForLongComesFirst) {
    std::vector<Trial> trials;
    const auto add = [&](const char* step, const char* subject, const char* input, bool is_blocked, int day) {
        trials.push_back(trial(step, subject, input, is_blocked));
        trials.back().time_us = day * 86'400'000'000LL;
    };
    for (int day = 0; day <= 20; ++day) {
        trials.push_back(trial("control", "zz", "zz", true, "cn", "block"));
        trials.push_back(trial("control", "hello", "hello", false, "cn", "pass"));
        trials[trials.size() - 2].time_us = trials.back().time_us = day * 86'400'000'000LL;
    }
    for (const char* rule : {"ab", "cd", "ef"}) {
        add("certify", rule, rule, true, 0);
        add("certify", rule, std::string(rule).substr(1).c_str(), false, 0);
        add("certify", rule, std::string(rule).substr(0, 1).c_str(), false, 0);
    }
    for (int day = 1; day <= 10; ++day) add("track", "ab", "ab", true, day);
    for (int day = 1; day <= 10; ++day) add("track", "cd", "cd", day < 4 || day > 7, day);
    for (int day = 1; day <= 20; ++day) add("track", "ef", "ef", day < 15, day);
    add("certify", "never blocked", "never blocked", false, 0);
    MemoryTrials source(trials);
    SilentProgress progress;
    const auto log = read_filter_logs({&source}, 0.99, progress);
    const auto list = watch_list(log, 0.99, 30 * 86'400'000'000LL);
    std::vector<std::string> order;
    for (const auto& rule : list) {
        order.push_back(rule.notation + (rule.is_blocked ? " blocked" : " passes"));
        EXPECT_GT(rule.changed, 0);
        EXPECT_LT(rule.changed, 0.5);
    }
    EXPECT_THAT(order, ElementsAre("cd blocked", "ab blocked", "ef passes"));
    EXPECT_EQ(list[0].changes, 2u);
}

/// A separator that passes all three tests of a context, or one that the context strips.
std::vector<Trial> calibration(const std::string& context, const std::string& separator, bool is_kept) {
    std::vector<Trial> trials{trial("calibrate", separator, "kno" + separator + "wn", !is_kept, context, "kept")};
    if (!is_kept) return trials;
    trials.push_back(trial("calibrate", separator, "hello" + separator + "hello", false, context, "harmless"));
    trials.push_back(trial("calibrate", separator, "known" + separator + "hello", true, context, "no shield"));
    return trials;
}

void append(std::vector<Trial>& to, const std::vector<Trial>& from) { to.insert(to.end(), from.begin(), from.end()); }

FilterLog read(std::vector<std::vector<Trial>> logs, const std::string& separator = "") {
    std::vector<MemoryTrials> sources;
    std::vector<TrialSource*> given;
    for (auto& log : logs) sources.emplace_back(std::move(log), separator);
    for (auto& source : sources) given.push_back(&source);
    SilentProgress progress;
    return read_filter_logs(given, 0.99, progress);
}

TEST(Filter, EachContextIsReadWithItsOwnSeparator) {
    std::vector<Trial> trials = calibration("cn", "|", true);
    append(trials, calibration("hk", "|", false));
    append(trials, calibration("hk", "~", true));
    append(trials, calibration("us", "|", false));
    // A context of which the log has no calibration, as logs of old.
    for (const std::string context : {"cn", "hk", "us", "tw"}) {
        const std::string separator = context == "hk" ? "~" : "|";
        for (const std::string left_out : {"", "a", "b"})
            trials.push_back(trial("certify", "a + b", left_out == "a" ? "b" : left_out == "b" ? "a" : "a" + separator + "b", left_out.empty(), context));
    }
    trials.push_back(trial("compare", "a + b", "a|b", false, "hk"));
    const FilterLog log = read({trials});
    EXPECT_EQ(log.separator("cn").state, SeparatorState::calibrated);
    EXPECT_EQ(log.separator("hk").text, "~");
    EXPECT_EQ(log.separator("us").state, SeparatorState::refused);
    EXPECT_EQ(log.separator("tw").state, SeparatorState::assumed);
    EXPECT_EQ(log.separator("tw").text, "|");
    const std::vector<std::string> rule{"a", "b"};
    for (const std::string context : {"cn", "hk", "tw"}) {
        EXPECT_EQ(log.state_of(rule, context, 0.99), State::blocked) << context;
        EXPECT_EQ(log.certificate(rule, context, 0.99).state, CertificateState::certified) << context;
    }
    EXPECT_EQ(log.state_of(rule, "us", 0.99), State::unknown);
    EXPECT_EQ(log.certificate(rule, "us", 0.99).state, CertificateState::open);
    EXPECT_EQ(log.state_of(std::vector<std::string>{"a"}, "us", 0.99), State::passed);
    bool is_said = false;
    MemoryTrials source(trials, "");
    InstrumentInputs inputs;
    inputs.trials.push_back(&source);
    NoOutputTables tables;
    SilentProgress progress;
    InstrumentContext context{0, 1, {"/var/tmp", 1 << 20}, tables, progress};
    for (const auto& caveat : Filter().run(inputs, ParameterValues(Filter().description().parameters), context).caveats)
        is_said |= caveat.find("In us no separator survives") != std::string::npos;
    EXPECT_TRUE(is_said);
}

TEST(Filter, WhereNothingKnownIsBlockedOnlyAPassCounts) {
    std::vector<Trial> trials = calibration("cn", "|", true);
    trials.push_back(trial("calibrate", "", "known", false, "ca", "known"));
    trials.push_back(trial("compare", "a + b", "a|b", false, "ca"));
    trials.push_back(trial("compare", "c + d", "c|d", true, "ca"));
    const FilterLog log = read({trials});
    EXPECT_EQ(log.separator("ca").state, SeparatorState::untried);
    EXPECT_EQ(log.state_of(std::vector<std::string>{"a", "b"}, "ca", 0.99), State::passed);
    EXPECT_EQ(log.state_of(std::vector<std::string>{"c", "d"}, "ca", 0.99), State::unknown);
}

TEST(Filter, ASeparatorThatLaterAnswersRefuteIsNone) {
    std::vector<Trial> trials = calibration("cn", "|", true);
    for (int i = 0; i < 20; ++i) trials.push_back(trial("control", "", "known", i > 0, "cn", "block"));
    for (int i = 0; i < 20; ++i) trials.push_back(trial("control", "", "hello", false, "cn", "pass"));
    for (int i = 0; i < 3; ++i) append(trials, calibration("cn", "|", false));
    EXPECT_EQ(read({trials}).separator("cn").state, SeparatorState::refused);
}

TEST(Filter, LogsWithDifferentSeparatorsInOneContextAreNotComparable) {
    EXPECT_THROW(read({calibration("cn", "|", true), calibration("cn", "~", true)}), Error);
    const FilterLog log = read({calibration("cn", "|", true), calibration("hk", "~", true), calibration("cn", "|", true)});
    EXPECT_EQ(log.separator("cn").text, "|");
    EXPECT_EQ(log.separator("hk").text, "~");
}

/// A message whose answer was lost may have arrived, and goes again beside a harmless one.
TEST(Filter, WhatWasSentInPlaceOfALostMessageCountsForIt) {
    std::vector<Trial> trials{trial("control", "hello", "hello", false, "cn", "pass")};
    append(trials, calibration("cn", "|", true));
    const auto lose = [&](const char* input) {
        trials.push_back(trial("certify", "a + b", input, false));
        trials.back().outcome = Outcome::unknown;
    };
    lose("a|b");
    trials.push_back(trial("certify", "a + b", "a|b|hello", true));
    lose("b");
    lose("b|hello");
    trials.push_back(trial("certify", "a + b", "b|hello|hello", false));
    trials.push_back(trial("certify", "a + b", "a", false));
    EXPECT_EQ(read({trials}).certificate(std::vector<std::string>{"a", "b"}, "cn", 0.99).state, CertificateState::certified);
    // Not lost, so another message.
    trials.erase(trials.begin() + 4);
    EXPECT_EQ(read({trials}).certificate(std::vector<std::string>{"a", "b"}, "cn", 0.99).state, CertificateState::open);
}

TEST(Filter, BlanksAroundComponentsMakeNoOtherRule) {
    const FilterLog log = read({{trial("certify", "ab ", "ab ", true), trial("certify", "ab", "ab", true), trial("certify", "ab", "a", false), trial("certify", "ab", "b", false)}}, "|");
    EXPECT_EQ(log.subjects.size(), 1u);
    EXPECT_TRUE(judge_rules(log, 0.99).at("ab").is_rule());
}

}  // namespace
}  // namespace unveil
