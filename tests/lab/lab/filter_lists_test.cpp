// Goal: on lists that platforms really had, the campaign and the instrument together find every rule, every exception and every regional set,
// and read off a normaliser with all its switches. Method: the lists as filters in memory; skipped where the lists are not at hand.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <map>
#include <set>

#include "../../unit/instruments/memory_posts.hpp"
#include "../../unit/instruments/memory_trials.hpp"
#include "core/output_table.hpp"
#include "core/random.hpp"
#include "evidence/byte_stream.hpp"
#include "evidence/text_file.hpp"
#include "experiment/filter/campaign.hpp"
#include "experiment/filter/folds.hpp"
#include "instruments/filter/filter.hpp"
#include "lab/chat_filter.hpp"

namespace unveil::test {
namespace {

using Rule = std::vector<std::string>;

const std::string lists = std::string(UNVEIL_SHARED_DIR) + "/data/filter/";

std::vector<std::string> lines_of(const std::string& name) {
    ByteStream stream(open_file_input(lists + name), lists + name, EvidenceLimits{});
    std::string bytes;
    std::vector<char> piece(1 << 16);
    while (const std::size_t count = stream.read(piece.data(), piece.size())) bytes.append(piece.data(), count);
    std::vector<std::string> lines{""};
    for (const char c : bytes)
        if (c == '\n') lines.emplace_back();
        else if (c != '\r') lines.back() += c;
    std::erase(lines, "");
    return lines;
}

Rule components_of(const std::string& cell) {
    Rule rule;
    for (std::size_t at = 0; at <= cell.size();) {
        const auto end = std::min(cell.find('+', at), cell.size());
        rule.push_back(cell.substr(at, end - at));
        at = end + 1;
    }
    std::sort(rule.begin(), rule.end());
    rule.erase(std::unique(rule.begin(), rule.end()), rule.end());
    return rule;
}

bool holds_all(const std::string& text, const Rule& rule) {
    return std::all_of(rule.begin(), rule.end(), [&](const auto& component) { return text.find(component) != std::string::npos; });
}

struct Investigated {
    Findings findings;
    testing::MemoryTables tables;
    std::map<std::string, std::size_t> steps;
    std::size_t messages = 0;
};

Investigated investigate(CampaignPlan plan, const std::function<bool(const Message&, std::size_t)>& is_blocked) {
    Investigated outcome;
    Campaign campaign(std::move(plan));
    std::vector<Trial> trials;
    while (const auto message = campaign.next()) {
        Trial trial;
        trial.time_us = static_cast<std::int64_t>(trials.size()) * 1'000'000;
        trial.context = message->context;
        trial.step = message->step;
        trial.subject = message->subject;
        trial.detail = message->detail;
        trial.input = message->input;
        trial.outcome = is_blocked(*message, trials.size()) ? Outcome::blocked : Outcome::passed;
        ++outcome.steps[message->step];
        campaign.answer(trial);
        trials.push_back(std::move(trial));
    }
    EXPECT_EQ(campaign.refusal(), "");
    outcome.messages = trials.size();
    MemoryTrials source(std::move(trials));
    InstrumentInputs inputs;
    inputs.trials.push_back(&source);
    ParameterValues parameters(Filter().description().parameters);
    SilentProgress progress;
    InstrumentContext context{0, 1, {"/var/tmp", 1 << 20}, outcome.tables, progress};
    outcome.findings = Filter().run(inputs, parameters, context);
    return outcome;
}

std::set<std::string> members(const Findings& findings, const std::string& metric) {
    const Finding* finding = findings.find(metric);
    return finding == nullptr ? std::set<std::string>{} : std::set<std::string>(finding->members.begin(), finding->members.end());
}

CampaignPlan plan_of(std::vector<CampaignText> texts) {
    CampaignPlan plan;
    plan.texts = std::move(texts);
    plan.contexts = {"cn"};
    plan.known_blocked = "zyzyzyzy";
    plan.known_passed = "hello";
    plan.probe_rules = 0;
    plan.shape_rules = 0;
    return plan;
}

TEST(FilterLists, EveryRuleAndExceptionOfAMailService) {
    if (!std::filesystem::exists(lists)) GTEST_SKIP() << "the lists are not at hand";
    std::vector<Rule> rules;
    std::set<std::string> notations;
    for (const auto& line : lines_of("qqmail_censored_combos_2021.txt.gz")) {
        rules.push_back(components_of(line));
        notations.insert(rule_notation(rules.back()));
    }
    EXPECT_EQ(notations.size(), 173u);
    // The file gives some exceptions in two orders; as combinations they are one.
    std::map<Rule, std::set<std::string>> exceptions;
    auto rows = lines_of("qqmail_extenuating_combos_2021.csv.gz");
    for (std::size_t i = 1; i < rows.size(); ++i) {
        std::string row = rows[i];
        std::erase(row, '"');
        const auto first = row.find(',');
        const auto second = row.find(',', first + 1);
        auto& lifted = exceptions[components_of(row.substr(0, first))];
        for (std::size_t at = second + 1; at < row.size();) {
            const auto end = std::min(row.find(", ", at), row.size());
            lifted.insert(rule_notation(components_of(row.substr(at, end - at))));
            at = end + 2;
        }
    }
    const auto is_blocked = [&](const std::string& text) {
        if (text.find("zyzyzyzy") != std::string::npos) return true;
        std::vector<const std::set<std::string>*> lifted;
        for (const auto& [exception, of] : exceptions)
            if (holds_all(text, exception)) lifted.push_back(&of);
        return std::any_of(rules.begin(), rules.end(), [&](const Rule& rule) {
            if (!holds_all(text, rule)) return false;
            const std::string notation = rule_notation(rule);
            return std::none_of(lifted.begin(), lifted.end(), [&](const auto* of) { return of->count(notation) > 0; });
        });
    };
    // Sentences with a rule in each, and sentences in which an exception stands beside a rule that it lifts.
    const auto sentences = lines_of("carrier_ud_gsdsimp_devtest_sentences_zhHans.txt.gz");
    Random random(1, 1);
    const auto text_of = [&](const Rule& rule, const Rule& exception) {
        for (;;) {
            std::string text;
            std::vector<std::string> pieces = rule;
            pieces.insert(pieces.end(), exception.begin(), exception.end());
            for (std::size_t i = pieces.size(); i > 1; --i) std::swap(pieces[i - 1], pieces[random.below(i)]);
            for (const auto& piece : pieces) text += sentences[random.below(sentences.size())] + piece;
            text += sentences[random.below(sentences.size())];
            // Common characters make exceptions of their own; a text is to hold only the one.
            const bool holds_other = std::any_of(exceptions.begin(), exceptions.end(), [&](const auto& other) {
                return !exception.empty() && other.first != exception && other.second.count(rule_notation(rule)) > 0 && holds_all(text, other.first);
            });
            if (is_blocked(text) == exception.empty() && !holds_other) return text;
        }
    };
    std::vector<CampaignText> texts;
    for (const Rule& rule : rules) texts.push_back({rule_notation(rule), text_of(rule, {})});
    std::set<std::string> pairs;
    for (const auto& [exception, lifted] : exceptions) {
        for (const auto& rule : rules)
            if (lifted.count(rule_notation(rule)) > 0) {
                texts.push_back({rule_notation(exception) + " in a text", text_of(rule, exception)});
                break;
            }
        for (const auto& rule : lifted) pairs.insert(rule + " unless " + rule_notation(exception));
    }
    auto plan = plan_of(texts);
    plan.rules_per_text_max = 20;
    const auto outcome = investigate(std::move(plan), [&](const Message& message, std::size_t) { return is_blocked(message.input); });
    auto found = members(outcome.findings, "rules");
    found.erase("zyzyzyzy");
    EXPECT_EQ(found, notations);
    std::set<std::string> wanted;
    for (const auto& [exception, lifted] : exceptions) wanted.insert(rule_notation(exception));
    const auto found_exceptions = members(outcome.findings, "exceptions");
    const auto found_pairs = members(outcome.findings, "exceptions.pairs");
    std::vector<std::string> missed;
    for (const auto& pair : pairs)
        if (found_pairs.count(pair) == 0) missed.push_back(pair);
    std::printf("mail service: %zu of %zu rules, %zu of %zu exceptions, %zu of %zu pairs; %zu messages\n", found.size(), notations.size(),
                found_exceptions.size(), wanted.size(), pairs.size() - missed.size(), pairs.size(), outcome.messages);
    for (const auto& [step, count] : outcome.steps) std::printf("  %-10s %zu\n", step.c_str(), count);
    EXPECT_EQ(found_exceptions, wanted);
    EXPECT_TRUE(missed.empty()) << missed.size() << " pairs, such as " << missed.front();
    for (const auto& pair : found_pairs) {
        const auto at = pair.find(" unless ");
        const std::string rule = pair.substr(0, at);
        const bool is_true = std::any_of(exceptions.begin(), exceptions.end(), [&](const auto& one) {
            return one.second.count(rule) > 0 && holds_all(pair, one.first);
        });
        EXPECT_TRUE(is_true) << pair;
    }
}

TEST(FilterLists, SixRegionsOfOneCompany) {
    if (!std::filesystem::exists(lists)) GTEST_SKIP() << "the lists are not at hand";
    std::map<std::string, std::set<std::string>> regions;
    std::set<std::string> words;
    for (const std::string region : {"cn", "hk", "tw", "ca", "jp", "us"})
        for (const auto& pattern : lines_of("apple_engraving_2021_" + region + ".txt.gz")) {
            regions[region].insert(pattern);
            std::string word = pattern;
            std::erase(word, '*');
            words.insert(word);
        }
    for (const auto& [region, patterns] : regions) {
        std::set<std::string> read;
        for (const auto& rule : read_public_rules(lists + "apple_engraving_2021_" + region + ".txt.gz", "").rules) read.insert(rule_notation(rule.components));
        std::set<std::string> expected;
        for (std::string word : patterns) {
            std::erase(word, '*');
            expected.insert(rule_notation(components_of(word)));
        }
        EXPECT_EQ(read, expected) << region;
    }
    const auto is_letter = [](const std::string& text, std::size_t at) { return static_cast<unsigned char>(text[at]) >= 0x80 || std::isalnum(text[at]) != 0; };
    const auto fires = [&](const std::string& pattern, const std::string& text) {
        const bool is_open_before = pattern.front() == '*';
        const bool is_open_behind = pattern.back() == '*';
        const std::string word = pattern.substr(is_open_before, pattern.size() - is_open_before - is_open_behind);
        for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1))
            if ((is_open_before || at == 0 || !is_letter(text, at - 1)) && (is_open_behind || at + word.size() == text.size() || !is_letter(text, at + word.size())))
                return true;
        return false;
    };
    std::vector<CampaignText> texts;
    for (const auto& word : words) texts.push_back({word, "", {word}});
    auto plan = plan_of(std::move(texts));
    plan.contexts = {"cn", "hk", "tw", "ca", "jp", "us"};
    plan.scans_everywhere = true;
    plan.shape_rules = 2000;
    const auto outcome = investigate(std::move(plan), [&](const Message& message, std::size_t) {
        return message.input.find("zyzyzyzy") != std::string::npos ||
               std::any_of(regions[message.context].begin(), regions[message.context].end(), [&](const auto& pattern) { return fires(pattern, message.input); });
    });
    // The words, and with where in a word each is blocked the patterns.
    std::map<std::string, std::set<std::string>> found;
    for (const auto& line : outcome.tables.lines("shapes")) {
        const auto first = line.find('|');
        const auto second = line.find('|', first + 1);
        const std::string word = line.substr(0, first);
        const std::string shape = line.substr(second + 1);
        const bool is_open_before = shape == "anywhere" || shape == "end of a word";
        const bool is_open_behind = shape == "anywhere" || shape == "begin of a word";
        const std::string region = line.substr(first + 1, second - first - 1);
        if (word != "zyzyzyzy" && members(outcome.findings, "rules(\"" + region + "\")").count(word) > 0)
            found[region].insert((is_open_before ? "*" : "") + word + (is_open_behind ? "*" : ""));
    }
    for (const auto& [region, patterns] : regions) {
        std::set<std::string> words_there;
        for (std::string word : patterns) {
            std::erase(word, '*');
            words_there.insert(word);
        }
        auto words_found = members(outcome.findings, "rules(\"" + region + "\")");
        words_found.erase("zyzyzyzy");
        EXPECT_EQ(words_found, words_there) << region;
        EXPECT_EQ(found[region], patterns) << region;
        std::printf("  %s: %zu words and %zu patterns of %zu\n", region.c_str(), words_found.size(), found[region].size(), patterns.size());
    }
    for (const auto& [a, in_a] : found)
        for (const auto& [b, in_b] : found) {
            std::vector<std::string> both;
            std::set_intersection(in_a.begin(), in_a.end(), in_b.begin(), in_b.end(), std::back_inserter(both));
            if (a < b) std::printf("  %s & %s: %zu\n", a.c_str(), b.c_str(), both.size());
        }
    // Which list lies within which: no word that is a rule of the one passes in the other, be it for a shorter rule.
    const auto lies_within = [&](const std::string& inner, const std::string& outer) {
        const auto rules = members(outcome.findings, "rules(\"" + inner + "\")");
        return std::all_of(rules.begin(), rules.end(), [&](const std::string& word) {
            return word == "zyzyzyzy" || std::any_of(regions[outer].begin(), regions[outer].end(), [&](const auto& pattern) { return fires(pattern, word); });
        });
    };
    for (const auto& line : outcome.tables.lines("lattice")) {
        std::vector<std::string> cells;
        for (std::size_t begin = 0, end = 0; end != std::string::npos; begin = end + 1) cells.push_back(line.substr(begin, (end = line.find('|', begin)) - begin));
        const bool is_a_within = lies_within(cells[0], cells[1]);
        const bool is_b_within = lies_within(cells[1], cells[0]);
        EXPECT_EQ(cells[4], is_a_within && is_b_within ? "equal" : is_a_within ? "first within second" : is_b_within ? "second within first" : "overlapping") << line;
        std::printf("  %s, %s: %s\n", cells[0].c_str(), cells[1].c_str(), cells[4].c_str());
    }
    std::printf("six regions: %zu words; %zu messages\n", words.size(), outcome.messages);
    for (const auto& [step, count] : outcome.steps) std::printf("  %-10s %zu\n", step.c_str(), count);
}

TEST(FilterLists, ANormaliserWithAllItsSwitches) {
    for (const double slip_rate : {0.0, 0.05}) {
        std::size_t right = 0;
        std::size_t wrong = 0;
        std::size_t open = 0;
        std::size_t messages_most = 0;
        std::size_t messages_all = 0;
        constexpr std::uint64_t worlds = 100;
        for (std::uint64_t world = 1; world <= worlds; ++world) {
            Random random(world, 20);
            ChatFilterRules rules;
            rules.slip_rate = slip_rate;
            rules.seed = world;
            for (const auto& fold : chat_folds())
                if (!fold.starts_with("gap") && random.chance(0.5)) rules.folds.push_back(fold);
            // Characters of any kind in between see through most others, so half the filters allow none.
            if (random.chance(0.5)) rules.folds.push_back(std::vector<std::string>{"gap-1", "gap-2", "gap-4", "gap-8"}[random.below(4)]);
            // As many letters each, and no part that sounds like its character, so that folds which meet in one word do so in all.
            const std::vector<Rule> list = {{"国家ace64明天"}, {"东风ope27说话"}, {"铁门pia83开关"}, {"红头coe95学习"}, {"车书ixo31问题"}};
            rules.rules["cn"] = list;
            rules.rules["cn"].push_back({"禁词样本"});
            const ChatFilter filter(rules);
            std::vector<CampaignText> texts;
            for (const Rule& rule : list) texts.push_back({rule.front(), "", rule});
            auto plan = plan_of(texts);
            plan.known_blocked = "禁词样本";
            plan.probe_rules = 3;
            plan.seed = world;
            const auto outcome = investigate(std::move(plan), [&](const Message& message, std::size_t number) {
                return filter.is_suppressed(message.context, message.input, number);
            });
            std::size_t probes = outcome.steps.at("probe");
            messages_most = std::max(messages_most, probes);
            messages_all += probes;
            const Finding* folds = outcome.findings.find("folds");
            ASSERT_NE(folds, nullptr);
            for (const auto& fold : chat_folds()) {
                // What counts is what the filter does: one that drops letters sees through their case as well.
                const auto rule = std::find_if(list.begin(), list.end(), [&](const Rule& one) { return variant_of(fold, one, "\n").has_value(); });
                ASSERT_NE(rule, list.end()) << fold;
                const bool is_undone = filter.is_listed("cn", *variant_of(fold, *rule, "\n"));
                const auto& said = is_undone ? folds->members : folds->non_members;
                const auto& denied = is_undone ? folds->non_members : folds->members;
                if (std::binary_search(said.begin(), said.end(), fold)) ++right;
                else if (std::binary_search(denied.begin(), denied.end(), fold)) ++wrong;
                else ++open;
            }
        }
        std::printf("normaliser, %.0f %% slip: %zu right, %zu wrong, %zu open of %zu switches; %.1f probes a world, at most %zu\n", 100 * slip_rate, right, wrong,
                    open, right + wrong + open, static_cast<double>(messages_all) / worlds, messages_most);
        // With faults each switch is said at a confidence of 99 %.
        EXPECT_LE(static_cast<double>(wrong), (slip_rate == 0 ? 0.0 : 0.01) * static_cast<double>(right + wrong + open));
        EXPECT_GE(static_cast<double>(right), (slip_rate == 0 ? 1.0 : 0.95) * static_cast<double>(right + wrong + open));
        EXPECT_LE(slip_rate == 0 ? messages_most : messages_all / worlds, 150u);
    }
}

}  // namespace
}  // namespace unveil::test
