#include "lab/chat.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/output_table.hpp"
#include "core/random.hpp"
#include "core/text.hpp"
#include "experiment/accounts.hpp"
#include "experiment/filter/campaign.hpp"
#include "instruments/finding.hpp"
#include "lab/account_book.hpp"
#include "lab/truth.hpp"
#include "table/rule.hpp"

namespace unveil {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view home = "home";
constexpr std::string_view abroad = "abroad";
constexpr std::string_view known_rule = "禁词样本";
constexpr std::string_view harmless = "你好";
/// Three in four rules are about the first.
constexpr std::array<std::string_view, 4> topics = {"party and leaders", "gambling", "terrorism", "pornography"};

/// Common characters, many of which have another traditional form; with no meaning in a row.
std::vector<std::string> alphabet() {
    static constexpr std::string_view characters =
        "天地山水风云雨雪花草木石金银铜铁东西南北春夏秋冬红黄蓝绿白黑马牛羊鸟鱼虫龙虎门窗桌椅书画笔纸灯火车船路桥城乡村镇江河湖海"
        "国会议长们说话时间问题学习开关电视见闻头发面条饭菜茶酒钱买卖给与请谢对错双单轻重远近";
    std::vector<std::string> all;
    for (std::size_t at = 0; at < characters.size(); at += 3) all.emplace_back(characters.substr(at, 3));
    return all;
}

struct Plan {
    std::uint32_t rules = 0;
    std::uint32_t clean_texts = 0;
    std::uint32_t characters = 0;
    std::uint32_t distance_max = 0;
    double abroad_share = 0;
    double slip_rate = 0;
    double false_block_rate = 0;
    std::vector<std::string> folds;
    AccountRules accounts;
    std::uint32_t accounts_each = 1;   // of a context
    std::int64_t delay_us = 0;         // longest time to an answer
    bool escalates = false;            // once an account was blocked, all spellings are seen through for it
    /// Whether every rule is found for certain.
    bool is_plain() const {
        constexpr std::int64_t longest_pause_us = 1'800'000'000;
        return slip_rate == 0 && false_block_rate == 0 && !may_end_early() && accounts.characters_max == SIZE_MAX && accounts.sticky_us < longest_pause_us;
    }
    bool may_end_early() const { return accounts.banned_after > 0 || accounts.warned_after > 0 || accounts.shut_after > 0; }
    bool has_languages = false;
};

class ChatWorld {
  public:
    ChatWorld(const Plan& plan, std::uint64_t seed) : m_plan(plan), m_seed(seed), m_random(seed, 0xc4a7), m_reader(reader_of(plan.folds)), m_alphabet(alphabet()) {
        make_places();
        make_rules();
        m_home_filter = ChatFilter({.rules = {{std::string(home), m_home}}, .folds = m_plan.folds});
        make_topics();
        make_texts();
    }

    /// Runs the campaign against the service and gives its log.
    std::string log(Progress& progress) const {
        ChatFilterRules rules{.rules = {}, .folds = m_plan.folds, .distance_max = m_plan.distance_max, .slip_rate = m_plan.slip_rate, .false_block_rate = m_plan.false_block_rate, .seed = m_seed};
        for (const Place& place : m_places) rules.rules[place.context] = *place.rules;
        ChatFilterRules strict_rules = rules;
        strict_rules.folds = strict_folds();
        const ChatFilter filter(std::move(rules));
        const ChatFilter strict(std::move(strict_rules));
        CampaignPlan plan;
        plan.texts = m_texts;
        for (const Place& place : m_places) plan.contexts.push_back(place.context);
        plan.scans_everywhere = m_plan.has_languages;
        plan.known_blocked = known_rule;
        plan.known_passed = harmless;
        plan.probe_rules = 5;
        plan.seed = m_seed;
        Campaign campaign(std::move(plan));
        TrialChain chain(TrialLogHeader{"filter", "the lab's chat service", "", m_seed, m_attributes});
        std::string text = chain.header_line() + "\n";
        constexpr std::int64_t begin_us = 1'704'067'200'000'000;   // 2024-01-01
        constexpr std::int64_t interval_us = 2'000'000;
        AccountLimits limits;
        limits.interval_us = 0;
        limits.blocked_per_day_max = UINT64_MAX;
        Accounts accounts(account_names(), limits);
        AccountBook book(m_plan.accounts);
        std::int64_t now_us = begin_us;
        std::uint64_t number = 0;
        while (const auto message = campaign.next()) {
            if (number % 256 == 0) progress.check();
            progress.update("messages", number, number + campaign.expected_messages());
            const auto account = accounts.choose(*message, now_us);
            // All are banned or warned.
            if (!account) break;
            const std::int64_t blocked_us = accounts.last_blocked_us(*account).value_or(0);
            now_us = std::max({now_us, accounts.due_us(*account, 1), blocked_us + campaign.pause_after_block_us()});
            Trial trial = trial_of(*message);
            trial.time_us = now_us;
            trial.account = *account;
            const AccountBook::Admission admission = book.admit(*account, message->input, now_us);
            trial.outcome = admission.outcome;
            trial.retry_after_us = admission.retry_after_us;
            const ChatFilter& reader = m_plan.escalates && book.was_suppressed(*account) ? strict : filter;
            if (admission.outcome == Outcome::passed && reader.is_suppressed(message->context, message->input, number)) {
                trial.outcome = Outcome::blocked;
                trial.has_warning = book.note_suppressed(*account, now_us);
            }
            if (m_plan.delay_us > 0) trial.delay_us = static_cast<std::int64_t>(Random(m_seed, number).below(static_cast<std::uint64_t>(m_plan.delay_us)));
            trial.price = trial.outcome == Outcome::blocked ? 2 : 1;
            text += chain.append(trial) + "\n";
            accounts.count(trial);
            ++number;
            now_us += interval_us + trial.delay_us;
            // What came back for the account's sake is sent again.
            if (is_verdict(trial.outcome) || (trial.outcome == Outcome::rejected && trial.retry_after_us == 0)) campaign.answer(trial);
        }
        return text;
    }

    /// A list such as researchers publish: of each rule but the known one a word, and what it is about.
    std::string words() const {
        std::string text = "word,topic\n";
        for (const auto& [word, topic] : m_coded_words) text += fmt::format("{},{}\n", word, topic);
        return text;
    }

    ChatTruth truth() const {
        ChatTruth truth;
        truth.seed = m_seed;
        for (const Place& place : m_places) {
            truth.contexts.push_back(place.context);
            auto& notations = truth.rules.emplace_back();
            for (auto components : *place.rules) {
                std::sort(components.begin(), components.end());
                notations.push_back(rule_notation(components));
            }
            std::sort(notations.begin(), notations.end());
        }
        truth.topics = m_topics;
        truth.folds = with_implied_folds(m_plan.escalates ? strict_folds() : m_plan.folds);
        return truth;
    }

  private:
    struct Place {
        std::string context;
        const std::vector<std::vector<std::string>>* rules = nullptr;
    };
    static ChatFilter reader_of(std::vector<std::string> folds) {
        ChatFilterRules rules;
        rules.folds = std::move(folds);
        return ChatFilter(std::move(rules));
    }
    std::map<std::string, std::vector<std::string>> account_names() const {
        std::map<std::string, std::vector<std::string>> names;
        for (const Place& place : m_places)
            for (std::uint32_t i = 0; i < m_plan.accounts_each && m_plan.accounts_each > 1; ++i) names[place.context].push_back(fmt::format("{} {}", place.context, i + 1));
        return names;
    }

    bool has_fold(std::string_view fold) const { return m_plan.escalates || std::find(m_plan.folds.begin(), m_plan.folds.end(), fold) != m_plan.folds.end(); }

    std::string word(std::size_t characters) {
        // No character twice, nor one that is read alike, so that folding repeats leaves words what they are.
        std::string text;
        std::set<std::string> used;
        while (used.size() < characters) {
            const auto& next = m_alphabet[m_random.below(m_alphabet.size())];
            if (used.insert(m_reader.normalised(next)).second) text += next;
        }
        return text;
    }

    /// Some words hold letters and digits, so that folds of those can be seen; not where the filter drops them.
    std::string component() {
        const std::size_t characters = 2 + m_random.below(3);
        std::string text = word(characters);
        const std::uint64_t kind = m_random.below(5);
        if (kind == 0 && !has_fold("latin")) text += "ace";
        if (kind == 1 && !has_fold("digit")) text += "64";
        return text;
    }

    /// People of either language meet the list of their region.
    void make_places() {
        for (const auto& [region, rules] : {std::pair{home, &m_home}, {abroad, &m_abroad}}) {
            if (!m_plan.has_languages) {
                m_places.push_back({std::string(region), rules});
                continue;
            }
            for (const std::string language : {"en", "zh"}) {
                m_places.push_back({fmt::format("{}/{}", region, language), rules});
                m_attributes[m_places.back().context] = {{"country", std::string(region)}, {"language", language}};
            }
        }
    }

    void make_rules() {
        m_home.push_back({std::string(known_rule)});
        m_abroad.push_back({std::string(known_rule)});
        std::set<std::string> used;
        for (std::uint32_t i = 0; i < m_plan.rules; ++i) {
            std::vector<std::string> rule;
            const std::size_t size = 1 + m_random.below(4);
            while (rule.size() < size) {
                std::string next = component();
                // A word within another, however the filter lists them, would make one rule a part of another.
                std::set<std::string> listed;
                for (const auto& entry : m_reader.listed({&next, 1})) listed.insert(entry.components.front());
                const bool is_apart = std::none_of(listed.begin(), listed.end(), [&](const std::string& one) {
                    return std::any_of(used.begin(), used.end(), [&](const std::string& other) { return other.find(one) != std::string::npos || one.find(other) != std::string::npos; });
                });
                if (!is_apart) continue;
                used.merge(listed);
                rule.push_back(std::move(next));
            }
            // A fixed share rather than a lot for each, so that small worlds have both kinds.
            const bool is_abroad = std::floor((i + 1) * m_plan.abroad_share) > std::floor(i * m_plan.abroad_share);
            if (is_abroad) m_abroad.push_back(rule);
            m_home.push_back(std::move(rule));
        }
    }

    void make_topics() {
        Random random(m_seed, 0x70b1);
        for (std::size_t i = 1; i < m_home.size(); ++i) {
            const std::string topic(i % 4 != 0 ? topics[0] : topics[1 + random.below(topics.size() - 1)]);
            auto components = m_home[i];
            std::sort(components.begin(), components.end());
            m_topics.emplace(rule_notation(components), topic);
            m_coded_words.emplace(m_home[i][random.below(m_home[i].size())], topic);
        }
    }

    void make_texts() {
        std::vector<std::vector<std::string>> planted;
        for (std::size_t i = 1; i < m_home.size(); ++i) planted.push_back(m_home[i]);
        for (std::uint32_t i = 0; i < m_plan.clean_texts; ++i) planted.emplace_back();
        for (std::size_t i = planted.size(); i > 1; --i) std::swap(planted[i - 1], planted[m_random.below(i)]);
        // By chance a text may hold a rule in another spelling; the truth lists rules as they are written.
        constexpr int draws_max = 100;
        for (std::size_t i = 0; i < planted.size(); ++i) {
            std::string text;
            for (int draws = 0; draws < draws_max && (draws == 0 || !holds_once(text, planted[i])); ++draws) text = text_with(planted[i]);
            m_texts.push_back({fmt::format("text {}", i + 1), std::move(text)});
        }
    }

    std::string text_with(const std::vector<std::string>& components) {
        std::vector<std::string> pieces;
        for (std::uint32_t c = 0; c < m_plan.characters; ++c) pieces.push_back(m_alphabet[m_random.below(m_alphabet.size())]);
        std::size_t last = 0;
        for (const auto& component : components) {
            // Anywhere, or behind the one before within half the distance that the filter wants: whoever takes the text apart puts words aside.
            const bool is_near = m_plan.distance_max > 0 && &component != &components.front();
            const std::size_t at = is_near ? std::min(pieces.size(), last + 1 + m_random.below(m_plan.distance_max / 2 + 1)) : m_random.below(pieces.size() + 1);
            pieces.insert(pieces.begin() + static_cast<std::ptrdiff_t>(at), component);
            last = at;
        }
        std::string text;
        for (const auto& piece : pieces) text += piece;
        return text;
    }

    /// Whether each component stands in the text once, however it is spelled, and without them the text comes through.
    bool holds_once(std::string text, const std::vector<std::string>& components) const {
        for (const auto& component : components) {
            std::size_t times = 0;
            for (const auto& entry : m_reader.listed({&component, 1})) {
                const std::string read = m_reader.normalised(text, entry.without);
                for (auto at = read.find(entry.components.front()); at != std::string::npos; at = read.find(entry.components.front(), at + 1)) ++times;
            }
            if (times > 1) return false;
        }
        for (const auto& component : components)
            if (const auto at = text.find(component); at != std::string::npos) text.replace(at, component.size(), "|");
        return !m_home_filter.is_listed(std::string(home), text);
    }

    Plan m_plan;
    std::uint64_t m_seed;
    Random m_random;
    ChatFilter m_reader;                               // without rules
    ChatFilter m_home_filter{{}};
    std::vector<std::string> m_alphabet;
    std::vector<std::vector<std::string>> m_home;
    std::vector<std::vector<std::string>> m_abroad;
    std::vector<Place> m_places;
    ContextAttributes m_attributes;
    std::map<std::string, std::string> m_topics;        // by rule
    std::map<std::string, std::string> m_coded_words;
    std::vector<CampaignText> m_texts;
};

/// Of how the service treats accounts. The campaign is told none of it.
void add_account_claims(const Plan& plan, std::vector<PlantedClaim>& claims) {
    if (const std::size_t most = plan.accounts.characters_max; most < plan.characters) {
        claims.push_back({"short-messages", fmt::format("A message of {} characters is too long.", most + most / 10), "", fmt::format("length.characters < {}", most + most / 10), "supported",
                          fmt::format("at most {} are taken", most)});
        claims.push_back({"long-messages", fmt::format("A message of {} characters is taken.", most - most / 10), "", fmt::format("length.characters >= {}", most - most / 10), "supported",
                          fmt::format("up to {} are taken", most)});
    }
    constexpr std::int64_t told_us = 2'000'000;   // between two messages
    if (plan.accounts.sticky_us > told_us)
        claims.push_back({"taints", "A blocked message makes the next one be blocked as well.", "", "after_block.blocked_share > 0.4", "supported", "everything is for a while"});
    // Where the first separator is read through from the start nothing shows the difference.
    if (plan.escalates && std::find(plan.folds.begin(), plan.folds.end(), "line-break") == plan.folds.end())
        claims.push_back({"stricter", "Whoever had a message blocked is read more strictly.", "", "after_block.stricter >= 1", "supported", "all spellings are seen through then"});
}

std::vector<PlantedClaim> claims_of(const ChatTruth& truth, const Plan& plan) {
    std::vector<PlantedClaim> claims;
    add_account_claims(plan, claims);
    const PlantedClaim unheard_of{"unheard-of", "A word that nobody sent is a rule.", "", "rules includes \\\"没有人说过\\\"", "undetermined", "it was never tested"};
    // With faults, limits of length and accounts that are lost some rules stay open, and which ones is chance.
    if (!plan.is_plain()) {
        claims.push_back(unheard_of);
        return claims;
    }
    const auto& at_home = truth.rules[0];
    const auto& elsewhere = truth.rules.back();
    const std::string& far_away = truth.contexts.back();
    claims.push_back({"on-the-server", "The service suppresses messages at home.", "", "messages.blocked > 0", "supported", "it has a list of rules"});
    claims.push_back({"many-rules", fmt::format("At least {} rules are behind it.", at_home.size()), "", fmt::format("rules >= {}", at_home.size()),
                      "supported", "every rule stood in one of the texts"});
    claims.push_back({"one-rule", "The known message is a rule by itself.", "", fmt::format("rules includes \\\"{}\\\"", known_rule), "supported",
                      "it is on the list"});
    claims.push_back(unheard_of);
    const bool differs = at_home != elsewhere;
    // So many rules show that at most a tenth of a list differs, though a few answers may have been wrong.
    constexpr std::size_t rules_to_compare = 40;
    const bool is_enough = elsewhere.size() >= rules_to_compare;
    claims.push_back({"two-sets", "People at home and abroad meet different rules.", "", "contexts.rule_sets >= 2", differs ? "supported" : plan.has_languages && is_enough ? "contradicted" : "undetermined",
                      differs ? "the list abroad is a part of the one at home" : plan.has_languages && is_enough ? "both regions have one list" : "both regions have one list, but rules were looked for at home only or are few"});
    if (plan.has_languages && is_enough) {
        claims.push_back({"by-country", "What people may say depends on their country.", "", "contexts.separated_by includes \\\"country\\\"", differs ? "supported" : "contradicted",
                          differs ? "only the lists of the regions differ" : "both regions have one list"});
        claims.push_back({"not-by-language", "It does not depend on their language.", "", "contexts.separated_by excludes \\\"language\\\"", "supported", "people of both languages meet one list"});
        claims.push_back({"abroad-within-home", "At most a tenth of what is suppressed abroad passes at home.", "",
                          fmt::format("contexts.missing_share(\\\"{}\\\", \\\"{}\\\") <= 0.1", far_away, truth.contexts.front()), "supported", "the list abroad is a part of the one at home"});
    }
    if (differs) {
        std::string only_home;
        for (const auto& rule : at_home)
            if (!std::binary_search(elsewhere.begin(), elsewhere.end(), rule)) only_home = rule;
        claims.push_back({"spared-abroad", "One of the rules does not hold abroad.", "", fmt::format("rules(\\\"{}\\\") excludes \\\"{}\\\"", far_away, only_home),
                          "supported", "it is on the list at home alone"});
    }
    constexpr std::size_t rules_min = 5;
    if (truth.topics.size() >= rules_min) {
        claims.push_back({"about-leaders", "More than a third of the rules are about the party and its leaders.", "", fmt::format("topics.share(\\\"{}\\\") > 0.33", topics[0]), "supported",
                          "three in four are"});
        claims.push_back({"about-gambling", "Most of the rules are about gambling.", "", fmt::format("topics.share(\\\"{}\\\") > 0.6", topics[1]), "contradicted",
                          "at most one in four is"});
    }
    const auto of_several = std::count_if(at_home.begin(), at_home.end(), [](const std::string& rule) { return rule.find(" + ") != std::string::npos; });
    constexpr std::ptrdiff_t tried = 3;   // by a campaign
    if (of_several > 0) {
        const char* verdict = plan.distance_max > 0 ? "supported" : of_several <= tried ? "contradicted" : "undetermined";
        const char* why = plan.distance_max > 0 ? "their words may not stand far apart" : of_several <= tried ? "their words may stand anywhere" : "their words may stand anywhere, but not all of them were tried";
        claims.push_back({"close-together", "Some rules hold only where their words stand close together.", "", "rules.distance_bound >= 1", verdict, why});
    }
    if (!truth.folds.empty() && at_home.size() >= 3 && std::binary_search(truth.folds.begin(), truth.folds.end(), "space"))
        claims.push_back({"sees-through-blanks", "Blanks between the characters do not help.", "", "folds includes \\\"space\\\"", "supported",
                          "the filter drops blanks before it compares"});
    if (at_home.size() >= 3 && !std::binary_search(truth.folds.begin(), truth.folds.end(), "emoji"))
        claims.push_back({"blind-to-emoji", "An emoji between the characters gets through.", "", "folds excludes \\\"emoji\\\"", "supported",
                          "the filter compares emoji as they stand"});
    return claims;
}

Plan plan_of(const ParameterValues& parameters) {
    Plan plan;
    plan.rules = static_cast<std::uint32_t>(parameters.integer("rules"));
    plan.clean_texts = static_cast<std::uint32_t>(parameters.integer("clean-texts"));
    plan.characters = static_cast<std::uint32_t>(parameters.integer("characters"));
    plan.distance_max = static_cast<std::uint32_t>(parameters.integer("distance-max"));
    plan.abroad_share = parameters.real("abroad-share");
    plan.slip_rate = parameters.real("slip-rate");
    plan.false_block_rate = parameters.real("false-block-rate");
    const auto count = [&](const char* name) { return static_cast<std::uint32_t>(parameters.integer(name)); };
    if (parameters.integer("characters-max") > 0) plan.accounts.characters_max = static_cast<std::size_t>(parameters.integer("characters-max"));
    plan.accounts.per_minute_max = count("per-minute");
    plan.accounts.sticky_us = parameters.duration_us("sticky");
    plan.accounts.warned_after = count("warn-after");
    plan.accounts.banned_after = count("ban-after");
    plan.accounts.shut_after = count("shut-after");
    plan.accounts_each = count("accounts-each");
    plan.delay_us = parameters.duration_us("delay");
    plan.escalates = parameters.flag("escalate");
    plan.has_languages = parameters.flag("languages");
    for (const auto& fold : parameters.texts("folds"))
        if (fold != "none") plan.folds.push_back(fold);
    return plan;
}

void make_chat(const ParameterValues& parameters, std::uint64_t seed, const std::string& out_folder, Progress& progress) {
    const CasePart part = make_chat_part(parameters, seed, out_folder, {"log.jsonl", "words.csv", "truth.json"}, progress);
    const std::string head = fmt::format(
        "# Made by `unveil lab make chat --seed {}`; nothing in it is real.\n"
        "[case]\n"
        "title = \"A chat service that suppresses messages\"\n\n",
        seed);
    write_case(out_folder, head, std::span(&part, 1));
}

std::string bytes_of_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

CasePart make_chat_part(const ParameterValues& parameters, std::uint64_t seed, const std::string& out_folder, const ChatFiles& files, Progress& progress) {
    const Plan plan = plan_of(parameters);
    const ChatWorld world(plan, seed);
    const ChatTruth truth = world.truth();
    write_file_atomically(out_folder + "/" + files.log, world.log(progress));
    write_file_atomically(out_folder + "/" + files.words, world.words());
    write_file_atomically(out_folder + "/" + files.truth, chat_truth_to_json(truth));
    CasePart part;
    part.evidence_toml = fmt::format("[[evidence]]\nid = \"log\"\npath = \"{}\"\n\n[[evidence]]\nid = \"words\"\npath = \"{}\"\n", files.log, files.words);
    part.test_toml = "test = \"filter\"\non = [\"log\", \"words\"]\n";
    part.claims = claims_of(truth, plan);
    return part;
}

Scenario chat_scenario() {
    const auto parameter = [](std::string name, ParameterType type, std::string default_text, std::string help, double minimum, double maximum) {
        Parameter made;
        made.name = std::move(name);
        made.type = type;
        made.default_text = std::move(default_text);
        made.help = std::move(help);
        made.minimum = minimum;
        made.maximum = maximum;
        return made;
    };
    const auto duration = [](std::string name, std::string help) {
        Parameter made;
        made.name = std::move(name);
        made.type = ParameterType::duration;
        made.default_text = "0s";
        made.help = std::move(help);
        return made;
    };
    Parameter escalate;
    escalate.name = "escalate";
    escalate.type = ParameterType::flag;
    escalate.help = "once an account had a message suppressed, all spellings are seen through for it";
    Scenario scenario;
    scenario.name = "chat";
    scenario.summary = "a chat service that suppresses messages by combinations of words, met by a campaign from two regions";
    Parameter folds;
    folds.name = "folds";
    folds.type = ParameterType::choice;
    folds.is_list = true;
    folds.default_text = "case,space,zero-width";
    folds.help = "spellings that the filter sees through";
    folds.choices = chat_folds();
    folds.choices.emplace_back("none");
    Parameter languages;
    languages.name = "languages";
    languages.type = ParameterType::flag;
    languages.help = "people of two languages in either region, for whom the same rules hold; rules are looked for everywhere";
    scenario.parameters = {parameter("rules", ParameterType::integer, "12", "rules at home beside the known one; each stands in one text", 0, 10000),
                           parameter("abroad-share", ParameterType::real, "0.25", "share of them that also hold abroad", 0, 1),
                           languages,
                           parameter("clean-texts", ParameterType::integer, "10", "texts without a rule", 0, 100000),
                           parameter("characters", ParameterType::integer, "200", "length of a text", 1, 100000),
                           parameter("distance-max", ParameterType::integer, "0", "characters that may stand between two words of a rule; 0: any number", 0, 500),
                           folds,
                           parameter("slip-rate", ParameterType::real, "0", "share of messages that come through although a rule fits", 0, 0.4),
                           parameter("false-block-rate", ParameterType::real, "0", "share of messages suppressed although no rule fits", 0, 0.4),
                           parameter("accounts-each", ParameterType::integer, "1", "accounts of each region", 1, 1000),
                           parameter("characters-max", ParameterType::integer, "0", "longer messages are rejected; 0: of any length", 0, 100000),
                           parameter("per-minute", ParameterType::integer, "0", "messages that are taken of an account within a minute; 0: any number", 0, 100000),
                           duration("sticky", "so long after a suppressed message all that the account sends is suppressed"),
                           duration("delay", "longest time to an answer"),
                           escalate,
                           parameter("warn-after", ParameterType::integer, "0", "suppressed messages until an account is warned; 0: never", 0, 100000),
                           parameter("ban-after", ParameterType::integer, "0", "suppressed messages until an account is banned; 0: never", 0, 100000),
                           parameter("shut-after", ParameterType::integer, "0", "suppressed messages until all that an account sends is, without a word; 0: never", 0, 100000)};
    scenario.files = {"log.jsonl", "words.csv", "truth.json", "expected_verdicts.json", "case.toml"};
    scenario.make = make_chat;
    return scenario;
}

std::string chat_truth_to_json(const ChatTruth& truth) {
    Json json = {{"schema_version", 1}, {"scenario", "chat"}, {"seed", truth.seed}};
    json["contexts"] = Json::array();
    for (std::size_t i = 0; i < truth.contexts.size(); ++i) json["contexts"].push_back({{"context", truth.contexts[i]}, {"rules", truth.rules[i]}});
    json["folds"] = truth.folds;
    json["topics"] = truth.topics;
    return json.dump(1) + "\n";
}

bool is_chat_truth(const std::string& path) {
    const Json json = read_json(bytes_of_file(path));
    return json.is_object() && json.contains("scenario") && json["scenario"] == "chat";
}

ChatTruth read_chat_truth(const std::string& path) {
    try {
        const Json json = read_json(bytes_of_file(path));
        ChatTruth truth;
        truth.seed = json.at("seed").get<std::uint64_t>();
        for (const auto& entry : json.at("contexts")) {
            truth.contexts.push_back(entry.at("context").get<std::string>());
            truth.rules.push_back(entry.at("rules").get<std::vector<std::string>>());
        }
        truth.folds = json.at("folds").get<std::vector<std::string>>();
        if (json.contains("topics")) truth.topics = json.at("topics").get<std::map<std::string, std::string>>();
        return truth;
    } catch (const nlohmann::json::exception& failure) {
        throw Error(ErrorKind::input, fmt::format("is not the truth of a chat world: {}", printable(failure.what(), 160)),
                    "Give a file that `unveil lab make chat` wrote", path);
    }
}

SetScore score_chat(const std::string& folder, const ChatTruth& truth) {
    const Findings findings = findings_with(folder, "rules", "filter");
    SetScore score;
    std::set<std::string> all;
    for (const auto& rules : truth.rules) all.insert(rules.begin(), rules.end());
    const std::vector<std::string>& certified = findings.find("rules")->members;
    score.rows.push_back(set_score_row("certified rules", certified, all));
    for (std::size_t c = 0; c < truth.contexts.size(); ++c) {
        // Only what was certified anywhere could be compared between contexts.
        std::set<std::string> there;
        for (const auto& rule : truth.rules[c])
            if (std::binary_search(certified.begin(), certified.end(), rule)) there.insert(rule);
        const Finding* here = findings.find(fmt::format("rules(\"{}\")", truth.contexts[c]));
        score.rows.push_back(set_score_row(fmt::format("of them {}", truth.contexts[c]), here ? here->members : std::vector<std::string>{}, there));
    }
    if (const Finding* folds = findings.find("folds")) {
        // What could not be tried, for want of letters or digits, counts as missed only when it was tried.
        std::set<std::string> there;
        for (const auto& fold : truth.folds)
            if (std::binary_search(folds->members.begin(), folds->members.end(), fold) ||
                std::binary_search(folds->non_members.begin(), folds->non_members.end(), fold))
                there.insert(fold);
        score.rows.push_back(set_score_row("spellings seen through", folds->members, there));
    }
    return score;
}

}  // namespace unveil
