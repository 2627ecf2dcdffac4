// Goal: the campaign finds exactly the rules that block its texts, sends the same messages for the same answers, and refuses rather than
// be wrong. Method: filters of a few lines, over thousands of random worlds, replayed; and filters that break each assumption.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>

#include "core/error.hpp"
#include "core/random.hpp"
#include "experiment/filter/campaign.hpp"
#include "experiment/filter/pieces.hpp"
#include "table/filter_log.hpp"

namespace unveil {
namespace {

using Rules = std::vector<std::vector<std::string>>;
using ::testing::HasSubstr;

bool fires(const std::vector<std::string>& rule, const std::string& text) {
    for (const auto& component : rule)
        if (text.find(component) == std::string::npos) return false;
    return true;
}

bool is_blocked(const Rules& rules, const std::string& text) {
    for (const auto& rule : rules)
        if (fires(rule, text)) return true;
    return false;
}

using Filter = std::function<Outcome(const Message&)>;
using Teller = std::function<std::vector<TrialSpan>(const Message&)>;

/// What is blocked comes through in part where the teller says what was left out.
std::vector<Message> run(Campaign& campaign, const Filter& filter, std::size_t messages_max = 100'000, const Teller& teller = {}) {
    std::vector<Message> sent;
    while (const auto message = campaign.next()) {
        if (sent.size() == messages_max) break;
        sent.push_back(*message);
        Trial trial;
        trial.outcome = filter(*message);
        if (teller && trial.outcome == Outcome::blocked) trial.spans = teller(*message);
        if (!trial.spans.empty()) trial.outcome = Outcome::partial;
        campaign.answer(trial);
    }
    return sent;
}

Filter filter_of(Rules rules) {
    return [rules](const Message& message) { return is_blocked(rules, message.input) ? Outcome::blocked : Outcome::passed; };
}

/// Where a word stands first.
TrialSpan place_of(const Message& message, const std::string& word) {
    const std::size_t at = message.input.find(word);
    return at == std::string::npos ? TrialSpan{} : TrialSpan{static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(at + word.size())};
}

CampaignPlan plan_of(std::vector<std::string> texts) {
    CampaignPlan plan;
    for (std::size_t i = 0; i < texts.size(); ++i) plan.texts.push_back({"text " + std::to_string(i + 1), texts[i]});
    plan.contexts = {"cn"};
    plan.known_blocked = "zyzy";
    plan.known_passed = "hello";
    plan.probe_rules = 0;
    return plan;
}

std::set<std::string> certified(const Campaign& campaign) {
    std::set<std::string> rules;
    for (const auto& rule : campaign.rules())
        if (rule.is_certified && rule.text_name != "known") rules.insert(rule.notation);
    return rules;
}

TEST(Campaign, FindsEveryRuleOfAText) {
    Campaign campaign(plan_of({"nothing here", "see 六四事件 and the 坦克 on 广场", "only 坦克"}));
    run(campaign, filter_of(Rules{{"zyzy"}, {"六四", "坦克"}, {"广场"}}));
    EXPECT_THAT(certified(campaign), ::testing::ElementsAre("六四 + 坦克", "广场"));
    EXPECT_EQ(campaign.refusal(), "");
}

/// In random texts over three letters components overlap, repeat and lie in one another all the time.
TEST(Campaign, IsExactOnRandomWorlds) {
    Random random(11);
    int rules_found = 0;
    for (int round = 0; round < 3000; ++round) {
        const auto word = [&](std::uint64_t longest) {
            std::string text;
            for (std::uint64_t n = 1 + random.below(longest); n > 0; --n) text += static_cast<char>('a' + random.below(3));
            return text;
        };
        Rules rules{{"zyzy"}};
        for (std::uint64_t n = 1 + random.below(3); n > 0; --n) {
            rules.emplace_back();
            for (std::uint64_t m = 1 + random.below(3); m > 0; --m) rules.back().push_back(word(4));
        }
        Campaign campaign(plan_of({word(30)}));
        run(campaign, filter_of(rules));
        ASSERT_EQ(campaign.refusal(), "");
        for (const auto& rule : campaign.rules()) {
            // What is found is blocked, and stops being blocked when any component loses an end: certified means certified.
            std::string all;
            for (const auto& component : rule.components) all += component + "\n";
            EXPECT_TRUE(is_blocked(rules, all)) << rule.notation;
            if (!rule.is_certified) continue;
            ++rules_found;
            bool is_on_the_list = false;
            for (const auto& listed : rules) is_on_the_list = is_on_the_list || fires(listed, all);
            EXPECT_TRUE(is_on_the_list);
        }
    }
    EXPECT_GT(rules_found, 1000);
}

TEST(Campaign, TheSameAnswersAskTheSame) {
    const auto plan = [] {
        CampaignPlan made = plan_of({"see 六四事件 and the 坦克", "六四 again", "more 坦克 and 六四"});
        made.contexts = {"cn", "ca"};
        made.probe_rules = 3;
        made.seed = 5;
        return made;
    };
    const auto filter = filter_of(Rules{{"zyzy"}, {"六四", "坦克"}, {"六四 again"}});
    Campaign first(plan());
    const auto sent = run(first, filter);
    for (const std::size_t cut : {std::size_t{0}, std::size_t{1}, sent.size() / 2, sent.size() - 1}) {
        Campaign again(plan());
        std::vector<Message> replayed;
        while (const auto message = again.next()) {
            replayed.push_back(*message);
            Trial trial;
            trial.outcome = filter(*message);
            again.answer(trial);
            if (replayed.size() == cut) break;
        }
        for (std::size_t i = 0; i < replayed.size(); ++i) EXPECT_EQ(replayed[i], sent[i]);
    }
    int compared = 0;
    int probed = 0;
    for (const auto& message : sent) {
        compared += message.step == "compare";
        probed += message.step == "probe";
    }
    EXPECT_EQ(compared, 6);
    EXPECT_GT(probed, 20);
}

TEST(Campaign, TakesASeparatorThatTheFilterDoesNotStrip) {
    const auto strip = [](std::string text) {
        for (const std::string gone : {"\n", "。", "😀"})
            for (auto at = text.find(gone); at != std::string::npos; at = text.find(gone)) text.erase(at, gone.size());
        return text;
    };
    const Rules rules{{"zyzy"}, {"六四", "坦克"}};
    Campaign campaign(plan_of({"see 六四事件 and the 坦克"}));
    run(campaign, [&](const Message& message) { return is_blocked(rules, strip(message.input)) ? Outcome::blocked : Outcome::passed; });
    EXPECT_EQ(campaign.separator(), CampaignPlan::default_separators()[3]);
    EXPECT_THAT(certified(campaign), ::testing::ElementsAre("六四 + 坦克"));

    CampaignPlan few = plan_of({"see 六四事件 and the 坦克"});
    few.separators = {"\n", "。"};
    Campaign refused(few);
    run(refused, [&](const Message& message) { return is_blocked(rules, strip(message.input)) ? Outcome::blocked : Outcome::passed; });
    EXPECT_THAT(refused.refusal(), HasSubstr("separators"));
    EXPECT_TRUE(certified(refused).empty());
}

TEST(Campaign, RefusesWhenTheKnownMessagesAreNotWhatTheyShouldBe) {
    Campaign deaf(plan_of({"六四"}));
    run(deaf, [](const Message&) { return Outcome::passed; });
    EXPECT_THAT(deaf.refusal(), HasSubstr("should be blocked"));
    Campaign shut(plan_of({"六四"}));
    run(shut, [](const Message&) { return Outcome::blocked; });
    EXPECT_THAT(shut.refusal(), HasSubstr("should be harmless"));
    Campaign silent(plan_of({"六四"}));
    run(silent, [](const Message&) { return Outcome::error; });
    EXPECT_THAT(silent.refusal(), HasSubstr("no verdict"));
}

/// Every third answer is lost: what was sent is not sent again, an equivalent message is, and the same rules come out.
TEST(Campaign, WhatMayHaveArrivedIsNotSentAgain) {
    const Rules rules{{"zyzy"}, {"六四", "坦克"}, {"广场"}};
    Campaign campaign(plan_of({"nothing here", "see 六四事件 and the 坦克 on 广场", "only 坦克"}));
    std::set<std::string> lost;
    int messages = 0;
    run(campaign, [&](const Message& message) {
        if (message.step != "control") EXPECT_EQ(lost.count(message.input), 0u) << message.step << " " << message.input;
        if (++messages % 3 != 0) return is_blocked(rules, message.input) ? Outcome::blocked : Outcome::passed;
        if (message.step != "control") lost.insert(message.input);
        return Outcome::unknown;
    });
    EXPECT_GT(lost.size(), 20u);
    EXPECT_EQ(campaign.separator(), "\n");
    EXPECT_THAT(certified(campaign), ::testing::ElementsAre("六四 + 坦克", "广场"));
    EXPECT_EQ(campaign.refusal(), "");
}

TEST(Campaign, NoticesThatTheFilterWentAway) {
    const Rules rules{{"zyzy"}, {"六四"}};
    std::vector<std::string> texts(40, "six 六四 four");
    for (std::size_t i = 0; i < texts.size(); ++i) texts[i] += std::to_string(i);
    int messages = 0;
    Campaign campaign(plan_of(texts));
    run(campaign, [&](const Message& message) { return ++messages < 60 && is_blocked(rules, message.input) ? Outcome::blocked : Outcome::passed; });
    EXPECT_THAT(campaign.refusal(), HasSubstr("in a row"));
}

/// Rejects what is longer.
Filter limited(std::size_t characters_max, Filter filter) {
    return [=](const Message& message) { return message.input.size() > characters_max ? Outcome::rejected : filter(message); };
}

TEST(Campaign, TextsThatAreTooLongAreSentInPieces) {
    const std::string filler(100, 'x');
    const std::string text = filler + filler + filler + "sixfour" + filler + filler + "tanks" + filler + "students" + filler + "pole";
    const Rules rules{{"zyzy"}, {"sixfour"}, {"tanks", "pole"}, {"sixfour", "students", "pole"}};
    CampaignPlan plan = plan_of({text, "short"});
    plan.apart_messages_max = 100;
    Campaign campaign(plan);
    const auto sent = run(campaign, limited(200, filter_of(rules)));
    // Two words are seen together wherever they stand; three only where they happen to be.
    EXPECT_THAT(certified(campaign), ::testing::ElementsAre("pole + tanks", "sixfour"));
    EXPECT_THAT(campaign.notes(), ::testing::ElementsAre(::testing::AllOf(HasSubstr("text 1 is too long: sent in "), HasSubstr("three places or more"))));
    plan.apart_messages_max = 0;
    Campaign runs(plan);
    const auto fewer = run(runs, limited(200, filter_of(rules)));
    EXPECT_THAT(certified(runs), ::testing::ElementsAre("sixfour"));
    EXPECT_THAT(runs.notes(), ::testing::ElementsAre(HasSubstr("characters apart or more were not all seen together")));
    EXPECT_LT(fewer.size(), sent.size());
    Campaign closed(plan_of({filler}));
    run(closed, [&](const Message& message) { return message.step == "scan" && message.input.size() > 10 ? Outcome::rejected : filter_of(Rules{{"zyzy"}})(message); });
    EXPECT_THAT(closed.notes(), ::testing::ElementsAre(HasSubstr("rejected, even in pieces")));
}

/// The text is short enough, but what is sent to find its rule is not: only the whole is blocked, and its pieces together show the rule.
TEST(Campaign, TextsThatAreNearlyTooLongAreSearchedInPieces) {
    const std::string text = "abcdefgh" + std::string(180, 'x') + "tanks";
    const Rules rules{{"zyzy"}, {"abcdefgh", "tanks"}};
    for (const std::size_t spare : {0, 1, 3, 6, 20}) {
        Campaign campaign(plan_of({text}));
        run(campaign, limited(text.size() + spare, filter_of(rules)));
        EXPECT_THAT(certified(campaign), ::testing::ElementsAre("abcdefgh + tanks")) << spare;
    }
}

/// Pieces, told spans and further tests follow from the answers alone; what may have arrived is not sent again.
TEST(Campaign, TheSameAnswersAskTheSameOfLongTexts) {
    const std::string filler(150, 'x');
    const Rules rules{{"zyzy"}, {"sixfour", "tanks"}, {"pole"}};
    CampaignPlan plan = plan_of({filler + "sixfour" + filler + filler + "tanks" + filler + "pole", "short", filler + filler + filler + "students"});
    plan.further = {FurtherKind::split, FurtherKind::swap, FurtherKind::gap, FurtherKind::bare};
    const Teller teller = [&](const Message& message) { return message.input.size() > 60 && message.step == "scan" ? std::vector<TrialSpan>{place_of(message, "pole"), place_of(message, "tanks")} : std::vector<TrialSpan>{}; };
    for (const bool is_lossy : {false, true}) {
        std::vector<std::vector<Message>> sent;
        for (int turn = 0; turn < 2; ++turn) {
            std::set<std::string> lost;
            std::size_t messages = 0;
            Campaign campaign(plan);
            sent.push_back(run(campaign, [&](const Message& message) {
                if (message.step != "control") EXPECT_EQ(lost.count(message.input), 0u) << message.step;
                if (is_lossy && ++messages % 5 == 0) {
                    if (message.step != "control") lost.insert(message.input);
                    return Outcome::unknown;
                }
                return limited(250, filter_of(rules))(message);
            }, 100'000, teller));
            EXPECT_THAT(certified(campaign), ::testing::ElementsAre("pole", "sixfour + tanks")) << is_lossy;
            EXPECT_EQ(campaign.refusal(), "");
        }
        EXPECT_EQ(sent[0], sent[1]);
    }
}

/// A limit in bytes, of texts in which some characters have one and others three: what was accepted once is rejected elsewhere.
TEST(Campaign, LimitsInOtherUnitsEndTheSearchAndMakeNoRule) {
    Random random(43);
    std::size_t found = 0;
    for (int round = 0; round < 100; ++round) {
        std::string text;
        for (std::uint64_t blocks = 4 + random.below(6); blocks > 0; --blocks)
            for (std::uint64_t n = random.below(60); n > 0; --n) text += blocks % 2 == 0 ? "x" : "天";
        text = "sixfour" + text + "坦克";
        CampaignPlan plan = plan_of({text, text + text});
        plan.apart_messages_max = 100;
        Campaign campaign(plan);
        std::size_t messages = 0;
        const auto sent = run(campaign, [&](const Message& message) {
            if (++messages % 11 == 0 && message.step != "control" && message.step != "calibrate") return Outcome::unknown;
            return limited(90 + 2 * static_cast<std::size_t>(round), filter_of(Rules{{"zyzy"}, {"sixfour", "坦克"}}))(message);
        });
        EXPECT_LT(sent.size(), 2000u) << round;
        EXPECT_EQ(campaign.refusal(), "");
        for (const auto& rule : certified(campaign)) EXPECT_EQ(rule, "sixfour + 坦克") << round;
        found += !certified(campaign).empty();
    }
    EXPECT_GE(found, 95u);
}

/// Against brute force: of rules of one or two words that no other rule is a part of or shares a word with, each that fires on a text is found whatever the limit.
TEST(Campaign, EveryPairOfWordsIsSeenWhateverTheLimit) {
    Random random(31);
    std::size_t apart = 0;
    for (int round = 0; round < 200; ++round) {
        std::string text;
        const std::size_t characters = 60 + random.below(240);
        while (text.size() < characters) text += static_cast<char>('a' + random.below(8));
        const std::size_t limit = 40 + random.below(100);
        // Words of other letters, so that each stands where it was put only.
        Rules rules{{"zyzy"}};
        for (std::uint64_t n = 1 + random.below(2); n > 0; --n) {
            rules.emplace_back();
            for (std::uint64_t m = 1 + random.below(2); m > 0; --m) {
                std::string word(1 + random.below(3), static_cast<char>('A' + random.below(20)));
                word += static_cast<char>('0' + 2 * n + m);
                rules.back().push_back(word);
                text.insert(random.below(text.size() + 1), word);
            }
        }
        CampaignPlan plan = plan_of({text});
        plan.apart_messages_max = 1000;
        Campaign campaign(plan);
        const auto sent = run(campaign, limited(limit, filter_of(rules)));
        ASSERT_EQ(campaign.refusal(), "") << round;
        std::set<std::string> expected;
        for (std::size_t r = 1; r < rules.size(); ++r) {
            std::vector<std::string> sorted = rules[r];
            std::sort(sorted.begin(), sorted.end());
            if (fires(sorted, text)) expected.insert(rule_notation(sorted));
            apart += sorted.size() == 2 && fires(sorted, text) && text.size() > limit;
        }
        EXPECT_EQ(certified(campaign), expected) << round << " " << text << " " << limit << " " << (campaign.notes().empty() ? "" : campaign.notes().front());
        for (const auto& message : sent)
            if (message.step == "certify") EXPECT_LE(message.input.size(), limit);
    }
    EXPECT_GT(apart, 80u);
}

TEST(Pieces, EveryTwoAreTogetherInFewMessages) {
    Random random(37);
    for (int round = 0; round < 300; ++round) {
        const std::size_t characters = 20 + random.below(3000);
        const std::size_t message_max = 20 + random.below(400);
        const std::size_t separator = 1 + random.below(6);
        const std::size_t apart_groups_max = random.below(60);
        const PiecePlan plan = plan_pieces(characters, message_max, separator, apart_groups_max);
        const std::size_t count = plan.pieces.size();
        ASSERT_EQ(plan.pieces.front().begin, 0u);
        ASSERT_EQ(plan.pieces.back().end, characters);
        for (std::size_t i = 1; i < count; ++i) EXPECT_EQ(plan.pieces[i - 1].end, plan.pieces[i].begin + plan.overlap);
        // What the groups hold, character by character.
        std::vector<std::set<std::size_t>> groups_of(count);
        for (std::size_t g = 0; g < plan.groups.size(); ++g) {
            std::size_t length = 0;
            std::size_t end = 0;
            for (std::size_t p = 0; p < plan.groups[g].size(); ++p) {
                const auto& piece = plan.pieces[plan.groups[g][p]];
                const bool is_neighbour = p > 0 && plan.groups[g][p] == plan.groups[g][p - 1] + 1;
                length += is_neighbour ? piece.end - end : piece.end - piece.begin + (p > 0 ? separator : 0);
                end = piece.end;
                groups_of[plan.groups[g][p]].insert(g);
            }
            EXPECT_LE(length, message_max);
        }
        // Words of the overlap's length and one more, at any two places.
        const std::size_t word = std::min(plan.overlap + 1, characters);
        const auto groups_with = [&](std::size_t begin) {
            std::set<std::size_t> groups;
            for (std::size_t i = 0; i < count; ++i)
                if (plan.pieces[i].begin <= begin && begin + word <= plan.pieces[i].end) groups.insert(groups_of[i].begin(), groups_of[i].end());
            return groups;
        };
        for (int pair = 0; pair < 30; ++pair) {
            const std::size_t a = random.below(characters - word + 1);
            const std::size_t b = a + random.below(characters - word + 1 - a);
            if (b - a >= plan.apart_max) continue;
            const auto with_a = groups_with(a);
            const auto with_b = groups_with(b);
            EXPECT_TRUE(std::any_of(with_a.begin(), with_a.end(), [&](std::size_t group) { return with_b.count(group) > 0; })) << a << " " << b;
        }
    }
    // Two halves a message would take 21.
    const PiecePlan plan = plan_pieces(3000, 1000, 1, 1000);
    EXPECT_LE(plan.groups.size(), 17u);
    EXPECT_EQ(plan.apart_max, SIZE_MAX);
}

std::size_t steps(const std::vector<Message>& sent, const std::string& step) {
    return static_cast<std::size_t>(std::count_if(sent.begin(), sent.end(), [&](const Message& message) { return message.step == step && message.subject != "known"; }));
}

TEST(Campaign, WhatIsToldToBeLeftOutIsCertifiedAtOnce) {
    const Rules rules{{"zyzy"}, {"六四", "坦克"}};
    const std::string filler(300, 'x');
    const CampaignPlan plan = plan_of({filler + "六四" + filler + "坦克" + filler});
    Campaign silent(plan);
    const auto without = run(silent, filter_of(rules));
    Campaign told(plan);
    const auto with = run(told, filter_of(rules), 100'000, [](const Message& message) {
        std::vector<TrialSpan> spans;
        for (const char* word : {"坦克", "六四"})
            if (message.input.find("六四") != std::string::npos && message.input.find("坦克") != std::string::npos && message.input.size() > 100) spans.push_back(place_of(message, word));
        return spans;
    });
    EXPECT_THAT(certified(told), ::testing::ElementsAre("六四 + 坦克"));
    EXPECT_EQ(certified(silent), certified(told));
    EXPECT_GT(steps(without, "isolate"), 10u);
    EXPECT_EQ(steps(with, "isolate"), 0u);
}

TEST(Campaign, WordsThatAreLeftOutAsOneAreToldApart) {
    const Rules rules{{"zyzy"}, {"六四", "坦克"}};
    Campaign campaign(plan_of({std::string(300, 'x') + "六四坦克" + std::string(300, 'y')}));
    filter::FilterLog log;
    const auto sent = run(campaign, filter_of(rules), 100'000, [](const Message& message) {
        return message.input.size() > 100 ? std::vector<TrialSpan>{place_of(message, "六四坦克")} : std::vector<TrialSpan>{};
    });
    EXPECT_THAT(certified(campaign), ::testing::ElementsAre("六四 + 坦克"));
    EXPECT_LT(steps(sent, "isolate"), 10u);
    // Who reads the log comes to the same: the longer one has its certificate, and is two words.
    log.begin_log("\n");
    for (const Message& message : sent) {
        Trial trial = trial_of(message);
        trial.outcome = filter_of(rules)(message);
        log.add(trial);
    }
    (void)log.finish(0.99);
    const auto judged = filter::judge_rules(log, 0.99);
    EXPECT_TRUE(judged.at("六四 + 坦克").is_rule());
    ASSERT_EQ(judged.count("六四坦克"), 1u);
    EXPECT_FALSE(judged.at("六四坦克").is_rule());
    EXPECT_EQ(judged.at("六四坦克").contexts.at(0).certificate.state, filter::CertificateState::not_minimal);
    EXPECT_EQ(judged.at("六四坦克").contexts.at(0).certificate.tests, 3u);
}

TEST(Campaign, ToldSpansThatAreNotTheRuleAreNoHindrance) {
    const Rules rules{{"zyzy"}, {"六四", "坦克"}};
    const std::string filler(60, 'x');
    const CampaignPlan plan = plan_of({filler + "六四" + filler + "\n" + filler + "坦克" + filler, "1989 六四 and 坦克"});
    // Only the first word, a part of it, its line, everything, nothing, and what is beside it.
    const std::vector<Teller> tellers = {
        [](const Message& message) { return std::vector<TrialSpan>{place_of(message, "六四")}; },
        [](const Message& message) { return std::vector<TrialSpan>{{place_of(message, "六四").begin + 1, place_of(message, "六四").begin + 2}}; },
        [](const Message& message) { return std::vector<TrialSpan>{{0, static_cast<std::uint32_t>(std::min(message.input.find('\n'), message.input.size()))}}; },
        [](const Message& message) { return std::vector<TrialSpan>{{0, static_cast<std::uint32_t>(message.input.size())}}; },
        [](const Message&) { return std::vector<TrialSpan>{{0, 0}}; },
        [](const Message& message) { return std::vector<TrialSpan>{{0, place_of(message, "六四").begin}, {7, UINT32_MAX}, {5, 3}}; }};
    for (std::size_t i = 0; i < tellers.size(); ++i) {
        Campaign campaign(plan);
        const auto sent = run(campaign, filter_of(rules), 100'000, [&](const Message& message) { return message.step == "calibrate" ? std::vector<TrialSpan>{} : tellers[i](message); });
        EXPECT_THAT(certified(campaign), ::testing::ElementsAre("六四 + 坦克")) << i;
        EXPECT_EQ(campaign.refusal(), "") << i;
    }
}

/// Whatever spans are told, what is certified is on the list, and is what is found without them.
TEST(Campaign, ToldSpansNeverMakeARule) {
    Random random(23);
    int told_rules = 0;
    for (int round = 0; round < 1500; ++round) {
        const auto word = [&](std::uint64_t longest) {
            std::string text;
            for (std::uint64_t n = 1 + random.below(longest); n > 0; --n) text += static_cast<char>('a' + random.below(3));
            return text;
        };
        Rules rules{{"zyzy"}};
        for (std::uint64_t n = 1 + random.below(3); n > 0; --n) {
            rules.emplace_back();
            for (std::uint64_t m = 1 + random.below(3); m > 0; --m) rules.back().push_back(word(4));
        }
        Campaign campaign(plan_of({word(30)}));
        run(campaign, filter_of(rules), 100'000, [&](const Message& message) {
            std::vector<TrialSpan> spans;
            if (message.step == "calibrate") return spans;
            for (std::uint64_t n = random.below(4); n > 0; --n) {
                const auto begin = static_cast<std::uint32_t>(random.below(message.input.size() + 1));
                spans.push_back({begin, begin + static_cast<std::uint32_t>(random.below(8))});
            }
            return spans;
        });
        ASSERT_EQ(campaign.refusal(), "");
        for (const auto& rule : campaign.rules()) {
            if (!rule.is_certified || rule.text_name == "known") continue;
            ++told_rules;
            std::string all;
            for (const auto& component : rule.components) all += component + "\n";
            EXPECT_TRUE(is_blocked(rules, all)) << rule.notation;
            for (const CertificateTest& test : certificate_tests(rule.components, "\n"))
                EXPECT_EQ(is_blocked(rules, test.message), test.is_blocked_expected) << rule.notation;
        }
    }
    EXPECT_GT(told_rules, 700);
}

/// A translator that reads line by line never sees words on both sides of a line feed together.
TEST(Campaign, TakesNoSeparatorThatIsReadApart) {
    const Rules rules{{"zyzy"}, {"六四", "坦克"}};
    const auto by_lines = [&](const Message& message) {
        std::vector<TrialSpan> spans;
        for (std::size_t begin = 0; begin <= message.input.size();) {
            const std::size_t end = std::min(message.input.find('\n', begin), message.input.size());
            if (is_blocked(rules, message.input.substr(begin, end - begin))) spans.push_back({static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)});
            begin = end + 1;
        }
        return spans;
    };
    const auto filter = [&](const Message& message) { return by_lines(message).empty() ? Outcome::passed : Outcome::blocked; };
    const auto teller = [&](const Message& message) { return message.input.find('\n') == std::string::npos ? std::vector<TrialSpan>{} : by_lines(message); };
    CampaignPlan plan = plan_of({"one line\nsee 六四 and the 坦克 there\nand another"});
    Campaign campaign(plan);
    run(campaign, filter, 100'000, teller);
    EXPECT_EQ(campaign.separator(), "。");
    EXPECT_THAT(certified(campaign), ::testing::ElementsAre("六四 + 坦克"));
    plan.separators = {"\n"};
    Campaign refused(plan);
    run(refused, filter, 100'000, teller);
    EXPECT_THAT(refused.refusal(), HasSubstr("by itself"));
    EXPECT_TRUE(certified(refused).empty());
    // One that masks words lets through what is beside them whatever is between.
    Campaign masked(plan_of({"see 六四 and the 坦克 there"}));
    run(masked, filter_of(rules), 100'000, [&](const Message& message) {
        std::vector<TrialSpan> spans;
        for (const auto& rule : rules)
            if (fires(rule, message.input) && message.input != rule.front())
                for (const auto& component : rule) spans.push_back(place_of(message, component));
        return spans;
    });
    EXPECT_EQ(masked.separator(), CampaignPlan::default_separators().back());
    EXPECT_THAT(certified(masked), ::testing::ElementsAre("六四 + 坦克"));
}

/// Two words must stand within so many bytes of one another, in this order or in any.
Filter near(std::string first, std::string second, std::size_t bytes_max, bool wants_order) {
    return [=](const Message& message) {
        const std::string& text = message.input;
        if (text.find("zyzy") != std::string::npos) return Outcome::blocked;
        for (std::size_t a = text.find(first); a != std::string::npos; a = text.find(first, a + 1))
            for (std::size_t b = text.find(second); b != std::string::npos; b = text.find(second, b + 1))
                if ((a < b || !wants_order) && std::max(a, b) - std::min(a, b) <= bytes_max) return Outcome::blocked;
        return Outcome::passed;
    };
}

std::map<std::string, Outcome> further_tests(Campaign& campaign, const Filter& filter) {
    std::map<std::string, Outcome> tests;
    for (const auto& message : run(campaign, filter))
        if (message.step == "further" && message.subject != "zyzy") tests[message.detail] = filter(message);
    return tests;
}

TEST(Campaign, MoreIsAskedOfARuleOnlyWhenWanted) {
    CampaignPlan plan = plan_of({"see hong and kong there"});
    const Filter filter = near("hong", "kong", 100, true);
    Campaign plain(plan);
    EXPECT_TRUE(further_tests(plain, filter).empty());
    plan.further = {FurtherKind::split, FurtherKind::swap, FurtherKind::gap, FurtherKind::bare};
    Campaign asked(plan);
    const auto tests = further_tests(asked, filter);
    EXPECT_THAT(certified(asked), ::testing::ElementsAre("hong + kong"));
    EXPECT_THAT(tests, ::testing::UnorderedElementsAre(std::pair("split of 1", Outcome::passed), std::pair("split of 2", Outcome::passed), std::pair("swap of 1", Outcome::passed),
                                                       std::pair("gap of 1000", Outcome::passed), std::pair("gap of 500", Outcome::passed), std::pair("gap of 250", Outcome::passed),
                                                       std::pair("gap of 125", Outcome::passed), std::pair("gap of 62", Outcome::blocked), std::pair("bare", Outcome::blocked)));
    // One that wants neither order nor distance.
    Campaign free(plan);
    EXPECT_THAT(further_tests(free, near("hong", "kong", SIZE_MAX, false)),
                ::testing::UnorderedElementsAre(std::pair("split of 1", Outcome::passed), std::pair("split of 2", Outcome::passed), std::pair("gap of 1000", Outcome::blocked),
                                                std::pair("bare", Outcome::blocked)));
}

/// A word list makes the search sure of the longer word too early; its certificate holds all the same, and the split shows the two.
TEST(Campaign, AComponentThatIsTwoWordsIsTakenApart) {
    CampaignPlan plan = plan_of({"nothing", "is hongkong here", "hong kong kong hong", "see kong and hong"});
    plan.texts.insert(plan.texts.begin(), {"listed", "", {"hongkong"}});
    const Rules rules{{"zyzy"}, {"hong", "kong"}};
    Campaign believed(plan);
    run(believed, filter_of(rules));
    EXPECT_EQ(certified(believed).count("hongkong"), 1u);
    plan.further = {FurtherKind::split};
    Campaign campaign(plan);
    filter::FilterLog log;
    log.begin_log("\n");
    for (const Message& message : run(campaign, filter_of(rules))) {
        Trial trial = trial_of(message);
        trial.outcome = filter_of(rules)(message);
        log.add(trial);
    }
    EXPECT_THAT(certified(campaign), ::testing::ElementsAre("hong + kong"));
    (void)log.finish(0.99);
    const auto judged = filter::judge_rules(log, 0.99);
    EXPECT_FALSE(judged.at("hongkong").is_rule());
    EXPECT_TRUE(judged.at("hong + kong").is_rule());
}

/// Against brute force: a split is blocked exactly when less than the whole component, in two pieces, is.
TEST(FurtherTests, ASplitShowsEveryDivision) {
    Random random(41);
    int divided = 0;
    for (int round = 0; round < 4000; ++round) {
        const auto word = [&](std::uint64_t longest) {
            std::string text;
            for (std::uint64_t n = 1 + random.below(longest); n > 0; --n) text += static_cast<char>('a' + random.below(3));
            return text;
        };
        Rules rules;
        for (std::uint64_t n = 1 + random.below(3); n > 0; --n) {
            rules.emplace_back();
            for (std::uint64_t m = 1 + random.below(3); m > 0; --m) rules.back().push_back(word(3));
        }
        const std::string component = word(6);
        const std::vector<std::string> rule{component, "q"};
        for (const CertificateTest& test : split_tests(rule, "|")) {
            // All pairs of proper parts, overlapping or not.
            bool is_less = false;
            for (std::size_t begin = 0; begin < component.size(); ++begin)
                for (std::size_t end = 1; end <= component.size(); ++end)
                    if (end < component.size() && begin > 0) is_less |= is_blocked(rules, component.substr(0, end) + "|" + component.substr(begin) + "|q");
            EXPECT_EQ(is_blocked(rules, test.message), is_less) << component;
            divided += is_less;
        }
        EXPECT_EQ(split_tests(rule, "|").size(), component.size() > 1 ? 1u : 0u);
    }
    EXPECT_GT(divided, 100);
}

TEST(FurtherTests, AnExceptionIsTakenApartAndMeasuredAgainstHarmlessText) {
    const auto tests = exception_tests(std::vector<std::string>{"rule"}, std::vector<std::string>{"ab cd"}, "|", "hey");
    std::vector<std::string> further;
    for (const CertificateTest& test : tests) {
        if (!test.is_further) continue;
        EXPECT_TRUE(test.is_blocked_expected) << test.left_out;
        further.push_back(test.message);
    }
    EXPECT_THAT(further, ::testing::ElementsAre("rule|ab c|b cd", "rule|heyhey"));
}

TEST(FurtherTests, NamesAreReadBack) {
    const std::vector<std::string> rule{"六四", "ab", "c"};
    for (const FurtherTest test : {FurtherTest{FurtherKind::split, 1}, {FurtherKind::swap, 2}, {FurtherKind::gap, 7}, {FurtherKind::bare, 0}}) {
        const auto read = parse_further_test(further_test_name(test));
        ASSERT_TRUE(read);
        EXPECT_EQ(read->kind, test.kind);
        EXPECT_EQ(read->number, test.number);
    }
    for (const char* name : {"", "split", "split of ", "split of 0", "split of x", "split of 1 ", "gap of 100001", "gap of -3", "bare of 1", "bare ", "swap of 99999999999999999999"}) EXPECT_FALSE(parse_further_test(name)) << name;
    EXPECT_EQ(further_message({FurtherKind::split, 1}, rule, "|", "hi"), "六|四|ab|c");
    EXPECT_EQ(further_message({FurtherKind::split, 3}, rule, "|", "hi"), "");
    EXPECT_EQ(further_message({FurtherKind::swap, 2}, rule, "|", "hi"), "六四|c|ab");
    EXPECT_EQ(further_message({FurtherKind::swap, 3}, rule, "|", "hi"), "");
    EXPECT_EQ(further_message({FurtherKind::gap, 3}, rule, "|", "hi"), "六四|hi|hi|ab|hi|hi|c");
    EXPECT_EQ(further_message({FurtherKind::bare, 0}, rule, "|", "hi"), "六四abc");
    EXPECT_EQ(further_message({FurtherKind::bare, 0}, std::vector<std::string>{"ab"}, "|", "hi"), "");
}

TEST(Campaign, FindsRulesThatShareAComponent) {
    Campaign campaign(plan_of({"one 六四 two 坦克 three 广场 four 学生"}));
    run(campaign, filter_of(Rules{{"zyzy"}, {"六四", "坦克"}, {"坦克", "广场"}, {"六四", "学生"}, {"学生", "广场"}}));
    EXPECT_THAT(certified(campaign), ::testing::UnorderedElementsAre("六四 + 坦克", "坦克 + 广场", "六四 + 学生", "学生 + 广场"));
}

TEST(Campaign, FindsAsManyRulesInATextAsItMay) {
    CampaignPlan plan = plan_of({"aa bb cc dd ee ff gg hh ii jj kk ll"});
    plan.known_passed = "good day";
    Rules rules{{"zyzy"}};
    for (char c = 'a'; c <= 'l'; ++c) rules.push_back({std::string(2, c)});
    Campaign campaign(plan);
    run(campaign, filter_of(rules));
    EXPECT_EQ(certified(campaign).size(), 12u);
    EXPECT_THAT(campaign.notes(), ::testing::IsEmpty());
    plan.rules_per_text_max = 8;
    Campaign bounded(plan);
    run(bounded, filter_of(rules));
    EXPECT_EQ(certified(bounded).size(), 8u);
    EXPECT_THAT(bounded.notes(), ::testing::ElementsAre(HasSubstr("may hold more rules than the 8")));
}

TEST(Campaign, FindsRulesThatHoldOnlyElsewhere) {
    CampaignPlan plan = plan_of({"see 六四 and 广场", "also 坦克 here"});
    plan.contexts = {"cn", "hk"};
    plan.scans_everywhere = true;
    Campaign campaign(plan);
    const Rules in_cn{{"zyzy"}, {"六四"}};
    const Rules in_hk{{"六四", "广场"}, {"坦克"}};
    const auto sent = run(campaign, [&](const Message& message) { return filter_of(message.context == "cn" ? in_cn : in_hk)(message); });
    EXPECT_THAT(certified(campaign), ::testing::UnorderedElementsAre("六四", "六四 + 广场", "坦克"));
    // A message that is not known to be blocked there is no control there; what was seen to be is.
    for (const auto& message : sent)
        if (message.context == "hk" && message.step == "control" && message.detail == "block") EXPECT_TRUE(is_blocked(in_hk, message.input)) << message.input;
    EXPECT_EQ(campaign.refusal(), "");
}

std::string without(std::string text, const std::vector<std::string>& stripped) {
    for (const auto& gone : stripped)
        for (auto at = text.find(gone); at != std::string::npos; at = text.find(gone)) text.erase(at, gone.size());
    return text;
}

/// A filter for each context: a list, and what it strips before it reads.
struct Reader {
    Rules rules;
    std::vector<std::string> stripped;
};
using Readers = std::map<std::string, Reader>;

Filter filter_of(Readers readers) {
    return [readers](const Message& message) {
        const Reader& reader = readers.at(message.context);
        return is_blocked(reader.rules, without(message.input, reader.stripped)) ? Outcome::blocked : Outcome::passed;
    };
}

struct Logged {
    filter::FilterLog log;
    std::vector<Trial> trials;
};

/// Runs to the end and keeps the log, as who reads it later does.
Logged run_logged(Campaign& campaign, const Filter& filter) {
    Logged logged;
    logged.log.begin_log("");
    while (const auto message = campaign.next()) {
        Trial trial;
        trial.row = logged.trials.size() + 1;
        trial.context = message->context;
        trial.step = message->step;
        trial.subject = message->subject;
        trial.detail = message->detail;
        trial.input = message->input;
        trial.outcome = filter(*message);
        logged.log.add(trial);
        logged.trials.push_back(trial);
        campaign.answer(trial);
    }
    EXPECT_EQ(logged.log.finish(0.99), std::nullopt);
    return logged;
}

std::set<std::string> certified_by_context(const Campaign& campaign) {
    std::set<std::string> rules;
    for (const auto& rule : campaign.rules())
        if (rule.is_certified && rule.text_name != "known") rules.insert(rule.context + ": " + rule.notation);
    return rules;
}

/// By context and rule, as the log shows it.
std::set<std::string> certified_by_context(const filter::FilterLog& log) {
    std::set<std::string> rules;
    for (const auto& [notation, rule] : judge_rules(log, 0.99)) {
        std::size_t c = 0;
        for (const auto& [context, inputs] : log.book.contexts())
            if (rule.contexts[c++].certificate.state == filter::CertificateState::certified && notation != "zyzy") rules.insert(context + ": " + notation);
    }
    return rules;
}

/// Where one context strips what another one keeps, a word read through the separator would be taken for two.
TEST(Campaign, EveryContextHasItsOwnSeparator) {
    CampaignPlan plan = plan_of({"see 天安 and 门x天 安y", "门 人 or 门人"});
    plan.contexts = {"a", "b"};
    plan.scans_everywhere = true;
    Campaign campaign(plan);
    const auto logged = run_logged(campaign, filter_of(Readers{{"a", {{{"zyzy"}, {"门", "x天"}}, {}}}, {"b", {{{"zyzy"}, {"天安"}, {"门人"}}, {"\n", "。"}}}}));
    EXPECT_EQ(campaign.refusal(), "");
    EXPECT_THAT(certified_by_context(campaign), ::testing::UnorderedElementsAre("a: x天 + 门", "b: 天安", "b: 门人"));
    EXPECT_THAT(certified_by_context(logged.log), ::testing::UnorderedElementsAre("a: x天 + 门", "b: 天安", "b: 门人"));
    EXPECT_EQ(logged.log.separator("a").text, "\n");
    EXPECT_EQ(logged.log.separator("b").text, "😀");
}

TEST(Campaign, AContextIsComparedThroughItsOwnSeparator) {
    CampaignPlan plan = plan_of({"我在天y看到安了", "天y安 xx 安天"});
    plan.contexts = {"a", "b"};
    Campaign campaign(plan);
    const auto logged = run_logged(campaign, filter_of(Readers{{"a", {{{"zyzy"}, {"天", "安"}}, {}}}, {"b", {{{"zyzy"}, {"天安"}, {"安天"}}, {"\n"}}}}));
    EXPECT_THAT(certified_by_context(campaign), ::testing::ElementsAre("a: 天 + 安"));
    const std::vector<std::string> rule{"天", "安"};
    EXPECT_EQ(logged.log.state_of(rule, "a", 0.99), filter::State::blocked);
    EXPECT_EQ(logged.log.state_of(rule, "b", 0.99), filter::State::passed);
    // Known messages before and behind what is compared.
    std::vector<std::string> steps;
    for (const auto& trial : logged.trials)
        if (trial.context == "b" && (trial.step == "control" || trial.step == "compare")) steps.push_back(trial.step + trial.detail);
    EXPECT_THAT(steps, ::testing::ElementsAre("controlpass", "compare", "compare", "controlblock", "controlpass"));
}

TEST(Campaign, AContextThatReadsThroughAllSeparatorsIsLeftToItself) {
    CampaignPlan plan = plan_of({"see 六四事件 and 坦克", "门人 here", "广场"});
    plan.contexts = {"a", "b"};
    plan.scans_everywhere = true;
    Campaign campaign(plan);
    const Rules list{{"zyzy"}, {"六四", "坦克"}, {"广场"}};
    const auto logged = run_logged(campaign, filter_of(Readers{{"a", {list, {}}}, {"b", {list, CampaignPlan::default_separators()}}}));
    EXPECT_EQ(campaign.refusal(), "");
    EXPECT_THAT(campaign.notes(), ::testing::Contains(HasSubstr("in b none of 6 separators survives")));
    EXPECT_THAT(certified_by_context(campaign), ::testing::UnorderedElementsAre("a: 六四 + 坦克", "a: 广场"));
    EXPECT_EQ(logged.log.separator("b").state, filter::SeparatorState::refused);
    EXPECT_EQ(logged.log.state_of(std::vector<std::string>{"六四", "坦克"}, "b", 0.99), filter::State::unknown);
    EXPECT_EQ(logged.log.state_of(std::vector<std::string>{"广场"}, "b", 0.99), filter::State::blocked);
}

TEST(Campaign, WhatIsBlockedElsewhereShowsASeparatorThere) {
    CampaignPlan plan = plan_of({"see 天安 and 门x天 安y", "门 人 or 门人", "坦克 of 六四事件"});
    plan.contexts = {"a", "b"};
    const Readers readers{{"a", {{{"zyzy"}, {"六四", "坦克"}, {"事件"}}, {}}}, {"b", {{{"天安"}, {"门人"}, {"六四坦克"}, {"事件"}}, {"\n"}}}};
    for (const bool is_everywhere : {true, false}) {
        plan.scans_everywhere = is_everywhere;
        Campaign campaign(plan);
        const auto logged = run_logged(campaign, filter_of(readers));
        EXPECT_EQ(campaign.refusal(), "");
        std::set<std::string> expected{"a: 六四 + 坦克", "a: 事件"};
        if (is_everywhere) expected.insert({"b: 天安", "b: 门人", "b: 事件"});
        EXPECT_EQ(certified_by_context(campaign), expected);
        EXPECT_EQ(logged.log.separator("b").text, "。");
        EXPECT_EQ(logged.log.state_of(std::vector<std::string>{"六四", "坦克"}, "b", 0.99), filter::State::passed);
        EXPECT_EQ(logged.log.state_of(std::vector<std::string>{"事件"}, "b", 0.99), filter::State::blocked);
    }
}

TEST(Campaign, WhereNothingIsBlockedABlockOfJoinedPiecesSaysNothing) {
    CampaignPlan plan = plan_of({"坦克 of 六四事件"});
    plan.contexts = {"a", "b", "c"};
    Campaign campaign(plan);
    // In c the harmless message is blocked as well.
    const auto logged = run_logged(campaign, filter_of(Readers{{"a", {{{"zyzy"}, {"六四", "坦克"}}, {}}}, {"b", {{}, {}}}, {"c", {{{"hello"}, {"坦克"}}, {}}}}));
    EXPECT_EQ(campaign.refusal(), "");
    EXPECT_EQ(logged.log.separator("b").state, filter::SeparatorState::untried);
    const std::vector<std::string> rule{"六四", "坦克"};
    EXPECT_EQ(logged.log.state_of(rule, "b", 0.99), filter::State::passed);
    EXPECT_EQ(logged.log.state_of(rule, "c", 0.99), filter::State::unknown);
    EXPECT_THAT(campaign.notes(), ::testing::Contains(HasSubstr("c is left out")));
    EXPECT_EQ(logged.log.book.noise().wrongly_blocked, 0u);
}

/// Whatever each context strips: what is certified there holds a rule of its list as the list has it, and the log says the same.
TEST(Campaign, IsExactWhereContextsReadDifferently) {
    Random random(29);
    int rules_found = 0;
    for (int round = 0; round < 2000; ++round) {
        const auto word = [&](std::uint64_t longest) {
            std::string text;
            for (std::uint64_t n = 1 + random.below(longest); n > 0; --n) text += static_cast<char>('a' + random.below(3));
            return text;
        };
        CampaignPlan plan = plan_of({word(20), word(20)});
        plan.contexts = {"a", "b", "c"};
        plan.scans_everywhere = random.below(2) == 0;
        Readers readers;
        for (const auto& context : plan.contexts) {
            Reader& reader = readers[context];
            if (context == "a" || random.below(2) == 0) reader.rules.push_back({"zyzy"});
            for (std::uint64_t n = 1 + random.below(3); n > 0; --n) {
                reader.rules.emplace_back();
                for (std::uint64_t m = 1 + random.below(2); m > 0; --m) reader.rules.back().push_back(word(3));
            }
            for (const auto& separator : CampaignPlan::default_separators())
                if (random.below(3) == 0) reader.stripped.push_back(separator);
        }
        Campaign campaign(plan);
        const auto logged = run_logged(campaign, filter_of(readers));
        const auto in_log = certified_by_context(logged.log);
        for (const auto& rule : campaign.rules()) {
            if (!rule.is_certified) continue;
            ++rules_found;
            EXPECT_TRUE(is_blocked(readers.at(rule.context).rules, join_pieces(rule.components, "|"))) << rule.context << ": " << rule.notation;
            if (rule.notation != "zyzy") EXPECT_EQ(in_log.count(rule.context + ": " + rule.notation), 1u) << rule.context << ": " << rule.notation;
        }
        for (const auto& [notation, rule] : judge_rules(logged.log, 0.99)) {
            std::size_t c = 0;
            for (const auto& [context, reader] : readers) {
                if (c == rule.contexts.size()) break;
                const auto& here = rule.contexts[c++];
                if (here.state == filter::State::unknown) continue;
                EXPECT_EQ(here.state == filter::State::blocked, is_blocked(reader.rules, join_pieces(logged.log.subjects.at(notation).components, "|"))) << context << ": " << notation;
            }
        }
    }
    EXPECT_GT(rules_found, 1000);
}

/// A filter that reads no further than the end of a line keeps the words of a combination from being seen together: they and what stands between them look like one long word.
TEST(Campaign, WordsWithSomethingBetweenThemAreNotTakenForOne) {
    const auto reads_lines = [](const Message& message) {
        const std::string& text = message.input;
        for (std::size_t begin = 0; begin <= text.size(); begin = text.find('\n', begin) == std::string::npos ? text.size() + 1 : text.find('\n', begin) + 1)
            if (is_blocked({{"zyzy"}, {"alpha", "bravo"}, {"红旗", "飞扬"}, {"甲乙", "丙丁", "戊己"}, {"tango dances"}}, text.substr(begin, text.find('\n', begin) - begin))) return Outcome::blocked;
        return Outcome::passed;
    };
    const std::vector<std::string> texts{"we went alpha then with some bravo words", "他说红旗在风中飞扬是很好看的", "甲乙一二三丙丁四五六戊己七八", "all those tango dances at night"};
    Campaign campaign(plan_of(texts));
    const auto logged = run_logged(campaign, reads_lines);
    EXPECT_THAT(certified(campaign), ::testing::ElementsAre("tango dances"));
    EXPECT_THAT(certified_by_context(logged.log), ::testing::ElementsAre("cn: tango dances"));
    EXPECT_THAT(campaign.notes(), ::testing::Contains(HasSubstr("--separator")));
    CampaignPlan plan = plan_of(texts);
    plan.separators = {"。"};
    Campaign again(plan);
    run(again, reads_lines);
    EXPECT_THAT(certified(again), ::testing::UnorderedElementsAre("alpha + bravo", "红旗 + 飞扬", "丙丁 + 戊己 + 甲乙", "tango dances"));
}

/// Where messages are read together with the one before them, half a rule is blocked right after the other half.
TEST(Campaign, HalfARuleThatIsReadWithTheMessageBeforeIsSeenToBeContradicted) {
    Random random(17);
    std::uint64_t wrong = 0;
    constexpr int rounds = 100;
    for (int round = 0; round < rounds; ++round) {
        const auto filler = [&] {
            std::string text;
            for (std::uint64_t n = 5 + random.below(15); n > 0; --n) text += static_cast<char>('p' + random.below(8));
            return text;
        };
        std::string before;
        const std::string text = filler() + "alpha" + filler() + "bravo" + filler();
        Campaign campaign(plan_of({text}));
        const auto logged = run_logged(campaign, [&](const Message& message) {
            const bool blocked = is_blocked({{"zyzy"}, {"alpha", "bravo"}}, before + " " + message.input);
            if (!blocked) before = message.input;
            return blocked ? Outcome::blocked : Outcome::passed;
        });
        const bool is_any_wrong = certified_by_context(logged.log).size() > certified_by_context(logged.log).count("cn: alpha + bravo");
        wrong += is_any_wrong;
        EXPECT_FALSE(is_any_wrong && logged.log.book.noise().messages_inconsistent == 0) << text;
    }
    EXPECT_LE(wrong, 65u);
}

/// That long messages are not read is no exception, and no matter of distance.
TEST(Campaign, WhatIsNotReadForItsLengthOrPlaceIsNoException) {
    for (const bool is_begin_read : {false, true}) {
        CampaignPlan plan = plan_of({"dance the tango tonight, alpha or bravo", "the tango was danced by everybody in the town that night, and all of them said that they had never seen such a thing before, not once"});
        Campaign campaign(plan);
        const auto logged = run_logged(campaign, [&](const Message& message) {
            if (!is_begin_read && message.input.size() > 100) return Outcome::passed;
            return is_blocked({{"zyzy"}, {"tango"}, {"alpha", "bravo"}}, message.input.substr(0, 100)) ? Outcome::blocked : Outcome::passed;
        });
        EXPECT_THAT(certified(campaign), ::testing::ElementsAre("alpha + bravo", "tango"));
        EXPECT_LT(logged.trials.size(), 200u) << "and nobody looks for one in vain";
        for (const auto& exception : campaign.exceptions()) EXPECT_FALSE(exception.is_certified) << exception.notation;
        for (const auto& [notation, exception] : filter::judge_exceptions(logged.log, 0.99)) EXPECT_FALSE(exception.is_certified) << notation;
        const auto& distances = logged.log.subjects.at("alpha + bravo").distances.at("cn");
        EXPECT_TRUE(std::any_of(distances.begin(), distances.end(), [](const auto& one) { return !one.second.before.empty() && !one.second.behind.empty(); })) << "that it passes with its words together, too, is seen";
    }
}

/// One list, read where words may stand twenty bytes apart, behind two separators of which one is longer.
TEST(Campaign, ALongerSeparatorMakesNoOtherList) {
    const auto filter = [](const Message& message) {
        std::string text = message.input;
        if (message.context == "b")
            for (const std::string stripped : {"\n", "。", "😀"})
                for (std::size_t at = text.find(stripped); at != std::string::npos; at = text.find(stripped)) text.erase(at, stripped.size());
        const auto near = [&](const std::string& a, const std::string& b) {
            const std::size_t first = text.find(a);
            const std::size_t second = text.find(b);
            return first != std::string::npos && second != std::string::npos && (first < second ? second - first - a.size() : first - second - b.size()) <= 20;
        };
        const bool is_other = message.context == "a" && near("north", "south");
        return text.find("zyzy") != std::string::npos || near("alpha", "bravo") || is_other ? Outcome::blocked : Outcome::passed;
    };
    CampaignPlan plan = plan_of({"we went alpha with bravo words"});
    plan.contexts = {"a", "b"};
    Campaign campaign(plan);
    const auto logged = run_logged(campaign, filter);
    ASSERT_NE(logged.log.separator("a").text, logged.log.separator("b").text);
    EXPECT_THAT(certified(campaign), ::testing::ElementsAre("alpha + bravo"));
    const auto judged = judge_rules(logged.log, 0.99);
    EXPECT_EQ(judged.at("alpha + bravo").contexts.at(0).state, filter::State::blocked);
    EXPECT_EQ(judged.at("alpha + bravo").contexts.at(1).state, filter::State::unknown);
}

/// One list that lacks a rule is another list, also where the separators differ.
TEST(Campaign, ARuleThatLacksBehindALongerSeparatorIsTold) {
    CampaignPlan plan = plan_of({"we went alpha with bravo words"});
    plan.contexts = {"a", "b"};
    Campaign campaign(plan);
    const auto logged = run_logged(campaign, filter_of(Readers{{"a", {{{"zyzy"}, {"alpha", "bravo"}}, {}}}, {"b", {{{"zyzy"}}, {"\n", "。", "😀"}}}}));
    EXPECT_EQ(judge_rules(logged.log, 0.99).at("alpha + bravo").contexts.at(1).state, filter::State::passed);
}

TEST(Campaign, AKnownCombinationIsCutWithinOneOfItsWords) {
    CampaignPlan plan = plan_of({"习主席 will not 辞职 today"});
    plan.known_blocked = "习主席辞职";
    Campaign campaign(plan);
    run(campaign, filter_of(Rules{{"习主席", "辞职"}}));
    EXPECT_EQ(campaign.refusal(), "");
    EXPECT_EQ(campaign.separator(), "\n");
    bool is_found = false;
    for (const auto& rule : campaign.rules()) is_found |= rule.is_certified && rule.notation == "习主席 + 辞职";
    EXPECT_TRUE(is_found);

    plan.known_blocked = "习辞";
    Campaign uncut(plan);
    run(uncut, filter_of(Rules{{"习", "辞"}}));
    EXPECT_THAT(uncut.refusal(), HasSubstr("no cut breaks '习辞'"));
}

/// By context and fold: on how many rules it was asked, and how they were answered.
std::map<std::string, std::string> probed(const std::vector<Trial>& trials) {
    std::map<std::string, std::string> answers;
    for (const auto& trial : trials)
        if (trial.step == "probe") answers[trial.context + ": " + trial.detail] += trial.outcome == Outcome::blocked ? 'b' : 'p';
    return answers;
}

TEST(Campaign, AsksOfEachSpellingInEachContextUntilItIsTold) {
    CampaignPlan plan = plan_of({"see 天安门 here", "the 坦克车 there", "on 广场上 now", "in 红北海 then", "by 风东南 too"});
    plan.contexts = {"a", "b", "c"};
    plan.probe_rules = 4;
    const Rules list{{"zyzy"}, {"天安门"}, {"坦克车"}, {"广场上"}, {"红北海"}, {"风东南"}};
    // Blanks are stripped in a, marks in b, which does not know three of the rules; in c nothing is blocked.
    Campaign campaign(plan);
    const auto logged = run_logged(campaign, filter_of(Readers{{"a", {list, {" "}}}, {"b", {{{"zyzy"}, {"坦克车"}, {"广场上"}, {"风东南"}}, {"\u200B"}}}, {"c", {{}, {}}}}));
    EXPECT_EQ(campaign.refusal(), "");
    const auto answers = probed(logged.trials);
    EXPECT_EQ(answers.at("a: space"), "bbb") << "three rules tell it, not four";
    EXPECT_EQ(answers.at("a: zero-width"), "pp") << "two passes tell it";
    EXPECT_EQ(answers.at("b: space"), "pp");
    EXPECT_EQ(answers.at("b: zero-width"), "bbb");
    EXPECT_EQ(answers.at("a: pinyin"), "pp");
    EXPECT_EQ(answers.at("a: case"), "p") << "zyzy alone has letters";
    for (const auto& [where, what] : answers) EXPECT_FALSE(where.starts_with("c")) << where;
}

TEST(Campaign, SpellingsOfOneRuleAreNotAskedAsIfTheyWereSeveral) {
    // The list names one rule in four ways.
    CampaignPlan plan = plan_of({"the tank there", "the Tank there", "the t-ank there", "the tan k there"});
    plan.probe_rules = 3;
    Campaign campaign(plan);
    const auto logged = run_logged(campaign, filter_of(Rules{{"zyzy"}, {"tank"}, {"Tank"}, {"t-ank"}, {"tan k"}}));
    EXPECT_EQ(certified(campaign), (std::set<std::string>{"tank", "Tank", "t-ank", "tan k"}));
    std::map<std::string, std::set<std::string>> rules;
    for (const auto& trial : logged.trials)
        if (trial.step == "probe") rules[trial.detail].insert(trial.subject);
    EXPECT_FALSE(rules.empty());
    for (const auto& [fold, asked] : rules) EXPECT_LE(asked.size(), 2u) << fold << ": zyzy and one of the four";
    EXPECT_EQ(rules.count("pinyin"), 0u) << "Latin rules have no sound";
}

TEST(Campaign, AVariantThatHoldsAnotherRuleIsNotAsked) {
    CampaignPlan plan = plan_of({"see 天安门 here", "the 坦克车 there", "a . b"});
    plan.probe_rules = 3;
    Campaign campaign(plan);
    const auto logged = run_logged(campaign, filter_of(Rules{{"zyzy"}, {"天安门"}, {"坦克车"}, {"."}}));
    EXPECT_EQ(certified(campaign).count("."), 1u);
    const auto answers = probed(logged.trials);
    EXPECT_EQ(answers.count("cn: ascii-punctuation"), 0u);
    EXPECT_EQ(answers.at("cn: cjk-punctuation"), "pp");
}

TEST(Campaign, ASpellingThatOneAnswerContradictsIsAskedAgain) {
    CampaignPlan plan = plan_of({"see 天安门 here", "the 坦克车 there", "on 广场上 now"});
    plan.probe_rules = 3;
    Campaign campaign(plan);
    bool has_slipped = false;
    const auto logged = run_logged(campaign, [&](const Message& message) {
        const bool blocked = is_blocked({{"zyzy"}, {"天安门"}, {"坦克车"}, {"广场上"}}, without(message.input, {" "}));
        // One answer of a spelling is wrong.
        if (message.step == "probe" && message.detail == "space" && blocked && !has_slipped) {
            has_slipped = true;
            return Outcome::passed;
        }
        return blocked ? Outcome::blocked : Outcome::passed;
    });
    EXPECT_TRUE(has_slipped);
    const auto spaces = probed(logged.trials).at("cn: space");
    EXPECT_GE(std::count(spaces.begin(), spaces.end(), 'b'), 3) << spaces;
}

TEST(Campaign, SeesThatTheFilterWantsAnOrder) {
    const auto in_order = [](const std::string& text) {
        const auto first = text.find("坦克");
        return text.find("zyzy") != std::string::npos || (first != std::string::npos && text.find("六四", first) != std::string::npos);
    };
    Campaign campaign(plan_of({"see 坦克 on 六四 square", "see 六四 before 坦克"}));
    const auto sent = run(campaign, [&](const Message& message) { return in_order(message.input) ? Outcome::blocked : Outcome::passed; });
    EXPECT_THAT(certified(campaign), ::testing::ElementsAre("坦克 + 六四"));
    EXPECT_GE(std::count_if(sent.begin(), sent.end(), [](const Message& message) { return message.step == "order" && message.input == "六四\n坦克"; }), 3);
}

TEST(Campaign, FindsWhatLetsAMessagePass) {
    const Rules rules{{"zyzy"}, {"六四", "坦克"}, {"广场"}, {"学生"}};
    const auto filter = [&](const Message& message) {
        const std::string& text = message.input;
        const bool is_lifted = fires({"捍卫", "党"}, text);
        const bool is_blocked_here = is_blocked({rules[0], rules[3]}, text) || (!is_lifted && is_blocked(rules, text)) ;
        return is_blocked_here ? Outcome::blocked : Outcome::passed;
    };
    CampaignPlan plan = plan_of({"we 捍卫 the 党 on 广场 now", "see 六四 and 坦克", "our 学生 are good", "on 广场 we stand", "六四 坦克 党 捍卫"});
    plan.shape_rules = 0;
    Campaign campaign(plan);
    run(campaign, filter);
    EXPECT_THAT(certified(campaign), ::testing::UnorderedElementsAre("六四 + 坦克", "广场", "学生"));
    ASSERT_EQ(campaign.exceptions().size(), 1u);
    EXPECT_EQ(campaign.exceptions()[0].notation, "党 + 捍卫");
    std::set<std::string> lifted;
    for (const std::size_t rule : campaign.exceptions()[0].rules) lifted.insert(campaign.rules()[rule].notation);
    EXPECT_THAT(lifted, ::testing::ElementsAre("六四 + 坦克", "广场"));
}

/// The log says where each text was published, and each rule leads back to the text and the place in it.
TEST(Campaign, ARuleLeadsBackToWhereItsTextWasPublished) {
    CampaignPlan plan = plan_of({"nothing here", "a 广场 with 坦克 and 六四", "longer than it may be, so that it goes in pieces of which one has the 学生 in it at last"});
    plan.texts[1].source = "https://example.org/a 2020-01-31";
    plan.texts[2].source = "https://example.org/b";
    plan.texts.push_back({"list.csv, record 4", "", {"党", "烛光"}, "https://example.org/list"});
    Campaign campaign(plan);
    filter::FilterLog log;
    log.begin_log("");
    run(campaign, [&](const Message& message) {
        Trial trial = trial_of(message);
        trial.row = log.book.trials + 1;
        trial.outcome = message.input.size() > 60 ? Outcome::rejected : is_blocked({{"zyzy"}, {"六四", "坦克"}, {"学生"}, {"党", "烛光"}}, message.input) ? Outcome::blocked : Outcome::passed;
        if (message.step != "scan") EXPECT_EQ(message.source, "");
        log.add(trial);
        return trial.outcome;
    });
    const auto& combination = log.subjects.at("六四 + 坦克").origin;
    ASSERT_TRUE(combination);
    EXPECT_EQ(combination->text, "text 2");
    EXPECT_EQ(combination->source, "https://example.org/a 2020-01-31");
    EXPECT_EQ(combination->character, 11u);
    EXPECT_GT(combination->where.row, 0u);
    const auto& windowed = log.subjects.at("学生").origin;
    ASSERT_TRUE(windowed);
    EXPECT_EQ(windowed->source, "https://example.org/b");
    const auto& listed = log.subjects.at("党 + 烛光").origin;
    ASSERT_TRUE(listed);
    EXPECT_EQ(listed->text, "list.csv, record 4");
    EXPECT_EQ(listed->source, "https://example.org/list");
    EXPECT_EQ(log.subjects.at("zyzy").origin->text, "known");
}

/// Blocks that slip through look like exceptions; none that is published may be wrong, and the campaign says what its log says.
TEST(Campaign, NoiseGivesNoWrongException) {
    const Rules rules{{"zyzy"}, {"六四", "坦克"}, {"广场"}};
    std::uint64_t found = 0;
    std::uint64_t wrong = 0;
    constexpr int rounds = 60;
    for (const bool has_exception : {true, false})
        for (int round = 0; round < rounds; ++round) {
            Random random(static_cast<std::uint64_t>(round), has_exception ? 21 : 22);
            CampaignPlan plan = plan_of({"on 广场 we stand", "see 六四 and 坦克", "we 捍卫 the 党 on 广场 now", "the 广场 again", "some 广场 more", "六四 坦克 党 捍卫", "and 坦克 on 六四 once more"});
            plan.shape_rules = 0;
            Campaign campaign(plan);
            filter::FilterLog log;
            run(campaign, [&](const Message& message) {
                const bool is_lifted = has_exception && fires({"捍卫", "党"}, message.input);
                const bool is_forbidden = fires(rules[0], message.input) || (!is_lifted && is_blocked(rules, message.input));
                const Outcome outcome = random.chance(is_forbidden ? 0.95 : 0.02) ? Outcome::blocked : Outcome::passed;
                Trial trial = trial_of(message);
                trial.row = log.book.trials + 1;
                trial.outcome = outcome;
                log.add(trial);
                return outcome;
            });
            (void)log.finish(0.99);
            const auto judged = judge_exceptions(log, 0.99);
            for (const FoundException& exception : campaign.exceptions()) {
                EXPECT_EQ(exception.is_certified, judged.at(exception.notation).is_certified) << round;
                if (!exception.is_certified) continue;
                EXPECT_TRUE(has_exception) << exception.notation;
                ++(exception.notation == "党 + 捍卫" ? found : wrong);
            }
        }
    EXPECT_GE(found, rounds / 2u);
    EXPECT_LE(wrong, 1u) << "two words that stood side by side in a text may be taken for one";
}

TEST(Campaign, ARuleThatLeavesTheListIsNotPublished) {
    std::vector<std::string> texts;
    for (int i = 0; i < 30; ++i) texts.push_back("text " + std::to_string(i) + " has the words 坦克 and 六四 somewhere in its long middle part");
    for (const int leaves : {10, 20, 30, 40}) {
        int messages = 0;
        Campaign campaign(plan_of(texts));
        run(campaign, [&](const Message& message) {
            Rules rules{{"zyzy"}};
            if (++messages < leaves) rules.push_back({"六四", "坦克"});
            return is_blocked(rules, message.input) ? Outcome::blocked : Outcome::passed;
        });
        for (const auto& rule : certified(campaign)) EXPECT_EQ(rule, "六四 + 坦克");
        EXPECT_LT(messages, leaves + 150);
    }
}

/// A driver that cannot tell a ban from a blocked message: the harmless one is blocked too, and that is noticed.
TEST(Campaign, AShutAccountIsNoticed) {
    std::vector<std::string> texts;
    for (int i = 0; i < 30; ++i) texts.push_back("text " + std::to_string(i) + " has 坦克 and 六" + std::to_string(i));
    for (const int bans : {15, 16, 20, 40}) {
        Rules rules{{"zyzy"}, {"坦克"}};
        int blocked = 0;
        int after = 0;
        Campaign campaign(plan_of(texts));
        run(campaign, [&](const Message& message) {
            const bool is_banned = blocked >= bans;
            after += is_banned;
            blocked += is_blocked(rules, message.input);
            return is_banned || is_blocked(rules, message.input) ? Outcome::blocked : Outcome::passed;
        });
        EXPECT_THAT(campaign.refusal(), HasSubstr("is shut"));
        EXPECT_LT(after, 20);
        for (const auto& rule : certified(campaign)) EXPECT_EQ(rule, "坦克");
    }
    Campaign told(plan_of(texts));
    run(told, [](const Message& message) { return message.step == "scan" && message.subject == "text 3" ? Outcome::banned : filter_of(Rules{{"zyzy"}})(message); });
    EXPECT_THAT(told.refusal(), HasSubstr("the account in cn is banned"));
}

/// Where one blocked message in twenty slips through, no rule may be wrong; some may stay open.
TEST(Campaign, NoiseGivesNoWrongRule) {
    int exact = 0;
    constexpr int rounds = 300;
    std::size_t messages = 0;
    for (int round = 0; round < rounds; ++round) {
        Random random(static_cast<std::uint64_t>(round), 7);
        const Rules rules{{"zyzy"}, {"六四", "坦克"}};
        CampaignPlan plan = plan_of({"one two three 六四事件 four five six and the 坦克 seven eight nine ten"});
        plan.passes_needed = 3;
        Campaign campaign(plan);
        messages += run(campaign, [&](const Message& message) {
                        return is_blocked(rules, message.input) && !random.chance(0.05) ? Outcome::blocked : Outcome::passed;
                    }).size();
        exact += certified(campaign) == std::set<std::string>{"六四 + 坦克"};
        for (const auto& rule : certified(campaign)) EXPECT_EQ(rule, "六四 + 坦克");
    }
    EXPECT_GE(exact, rounds * 97 / 100);
    EXPECT_LT(messages / rounds, 200u);
}

TEST(Campaign, ATextThatPassedBeforeSlipsWereSeenIsSentAgain) {
    const Rules rules{{"zyzy"}, {"六四", "坦克"}, {"广场"}};
    std::size_t slipped = 0;
    std::size_t controls = 0;
    Campaign campaign(plan_of({"see 六四事件 and the 坦克", "the 广场 and a good deal of other text"}));
    run(campaign, [&](const Message& message) {
        // The first text slips through when it is first sent; controls show only later that this happens.
        const bool is_slip = (message.step == "scan" && message.subject == "text 1" && slipped++ == 0) || (message.step == "control" && message.detail == "block" && ++controls == 2);
        return is_blocked(rules, message.input) && !is_slip ? Outcome::blocked : Outcome::passed;
    });
    EXPECT_GE(controls, 2u);
    EXPECT_THAT(certified(campaign), ::testing::ElementsAre("六四 + 坦克", "广场"));
}

/// Blocks that slip through and harmless messages that are blocked: what the campaign says is what its own log says, and none of it is wrong.
TEST(Campaign, WhatItsLogRefutesIsNotCertified) {
    const Rules rules{{"国家"}, {"falun"}, {"hello", "world"}, {"天安", "广场", "烛光"}};   // each in byte order
    std::size_t found = 0;
    std::size_t wrong = 0;
    std::size_t messages = 0;
    constexpr int rounds = 200;
    for (int round = 0; round < rounds; ++round) {
        Random random(static_cast<std::uint64_t>(round), 17);
        CampaignPlan plan = plan_of({"my falun text about nothing in particular", "hello there big world of things", "昨天在天安门外有人点烛光, 然后去广场, 再回家", "clean text here",
                                     "another clean text"});
        plan.known_blocked = "国家";
        plan.known_passed = "你好";
        plan.probe_rules = 3;
        plan.seed = static_cast<std::uint64_t>(round);
        Campaign campaign(plan);
        const auto logged = run_logged(campaign, [&](const Message& message) {
            const bool is_listed = is_blocked(rules, message.input);
            return is_listed != random.chance(0.05) ? Outcome::blocked : Outcome::passed;
        });
        messages += logged.trials.size();
        std::set<std::string> in_log;
        for (const auto& [notation, rule] : judge_rules(logged.log, plan.confidence))
            if (rule.is_rule()) in_log.insert(notation);
        std::set<std::string> said;
        for (const auto& rule : campaign.rules())
            if (rule.is_certified) said.insert(rule.notation);
        EXPECT_EQ(said, in_log) << round;
        for (const auto& rule : said) {
            const bool is_right = std::find(rules.begin(), rules.end(), rule_components(rule)) != rules.end();
            ++(is_right ? found : wrong);
        }
    }
    EXPECT_GT(found, 650u);
    EXPECT_LE(wrong * 100, found);
    EXPECT_LT(messages / rounds, 760u);
}

/// A block that is believed at once leads a search astray, which then costs hundreds of messages and finds nothing.
TEST(Campaign, WhereHarmlessMessagesAreBlockedNeitherAnswerIsBelievedAtOnce) {
    std::size_t right = 0;
    std::size_t wrong = 0;
    std::size_t messages = 0;
    constexpr std::size_t rounds = 20;
    for (std::size_t round = 0; round < rounds; ++round) {
        Random random(round, 31);
        const auto filler = [&] {
            std::string text;
            for (int i = 0; i < 100; ++i) text += static_cast<char>('a' + random.below(20));
            return text;
        };
        Rules rules{{"zyzy"}};
        std::vector<std::string> texts;
        std::set<std::string> wanted;
        for (int i = 0; i < 12; ++i) {
            rules.push_back({fmt::format("v{:02}v", i), fmt::format("w{:02}w", i)});
            texts.push_back(filler() + rules.back()[0] + filler() + rules.back()[1] + filler());
            texts.push_back(filler());
            wanted.insert(rule_notation(rules.back()));
        }
        CampaignPlan plan = plan_of(texts);
        plan.shape_rules = 0;
        plan.seed = round;
        Campaign campaign(plan);
        messages += run(campaign, [&](const Message& message) {
                        return is_blocked(rules, message.input) ? (random.chance(0.05) ? Outcome::passed : Outcome::blocked) : (random.chance(0.02) ? Outcome::blocked : Outcome::passed);
                    }).size();
        const auto found = certified(campaign);
        for (const auto& rule : found) ++(wanted.count(rule) > 0 ? right : wrong);
    }
    EXPECT_GE(right, rounds * 11);
    EXPECT_LE(wrong, 1u);
    EXPECT_LT(messages / rounds, 4000u);
}

/// Both messages that show the separator to be kept slip through: found out as soon as answers are known to be wrong at times.
TEST(Campaign, ASeparatorThatSlippedThroughIsGivenUp) {
    const Reader reader{{{"zyzy"}, {"天安"}, {"门人"}}, {"\n"}};
    for (const bool is_first : {true, false}) {
        CampaignPlan plan = plan_of({"我在天安看到烛光了", "今天说 门人", "天x安 and more", "clean", "and clean again", "one more", "and 门 人 last"});
        plan.contexts = is_first ? std::vector<std::string>{"b"} : std::vector<std::string>{"a", "b"};
        plan.scans_everywhere = true;
        plan.control_every = 5;
        Campaign campaign(plan);
        int kept = 0;
        int controls = 0;
        const auto logged = run_logged(campaign, [&](const Message& message) {
            const bool is_b = message.context == "b";
            const bool slips = is_b && ((message.step == "calibrate" && message.subject == "\n" && message.detail == "kept" && ++kept <= 2) ||
                                        (message.step == "control" && message.detail == "block" && ++controls == 2));
            return !slips && is_blocked(reader.rules, is_b ? without(message.input, reader.stripped) : message.input) ? Outcome::blocked : Outcome::passed;
        });
        for (const auto& rule : campaign.rules())
            if (rule.is_certified && rule.context == "b") EXPECT_EQ(rule.components.size(), 1u) << rule.notation;
        if (is_first) EXPECT_THAT(campaign.refusal(), HasSubstr("survived by a wrong answer only"));
        else EXPECT_THAT(campaign.notes(), ::testing::Contains(HasSubstr("survived by a wrong answer only")));
        EXPECT_EQ(logged.log.separator("b").state, filter::SeparatorState::refused);
    }
}

TEST(Campaign, APlanWithoutControlsIsWrongUsage) {
    CampaignPlan plan = plan_of({"a"});
    plan.known_blocked = "六";
    EXPECT_THROW(Campaign{plan}, Error);
    plan = plan_of({});
    EXPECT_THROW(Campaign{plan}, Error);
}

}  // namespace
}  // namespace unveil
