// How many rules that nobody knew yet does a campaign certify per 1,000 messages, when it takes its texts as they come, the likeliest first, or
// chooses among sources? On combinations that WeChat blocked in 2020 (Citizen Lab): those detected before February are known, the others are to be
// found in running text, beside lists that hold few or none of them.
// usage: bench_filter_discovery DATA_FOLDER [SEEDS] [WORLD]     WORLD: 0 to 3, one of the four alone
// Two worlds: the service blocks the list of 2020 only; or also what WeChat blocked in 2016-17, so that an older list is worth trying. Which of the
// two WeChat was in 2020 is not known. Messages are counted from when the known rules have been tried.
#include <fmt/format.h>
#include <unicode/translit.h>
#include <unicode/unistr.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>

#include "experiment/filter/campaign.hpp"
#include "filter_world.hpp"

namespace {

using namespace unveil;
using namespace unveil::bench;

constexpr std::size_t marks[] = {1000, 2000, 4000, 8000};
constexpr const char* known_blocked = "zyzyzyzy";

std::vector<Rule> rules_of_column(const std::string& path, const std::string& name) {
    const auto rows = read_csv(read_file(path));
    const auto column = static_cast<std::size_t>(std::find(rows[0].begin(), rows[0].end(), name) - rows[0].begin());
    std::vector<Rule> rules;
    std::set<Rule> seen;
    for (std::size_t i = 1; i < rows.size(); ++i)
        if (rows[i].size() > column)
            if (Rule rule = components_of(rows[i][column]); !rule.empty() && seen.insert(rule).second) rules.push_back(std::move(rule));
    return rules;
}

struct World {
    std::vector<Rule> rules;                 // that the service blocks
    std::vector<Rule> known;
    std::vector<CampaignSource> sources;
    std::vector<std::string> lexicon;
    std::string background;
};

struct Score {
    std::vector<double> found;     // new rules after each mark; of the end where the campaign ended before
    double blocked = 0;            // messages until the last mark
    double sent = 0;
};

enum class Way { in_order_texts_first, in_order_lists_first, likeliest_first, chosen_alone, chosen };

Score run(const World& world, Way way, std::uint64_t seed) {
    CampaignPlan plan;
    for (const auto& rule : world.known) plan.texts.push_back({"known list", "", rule});
    const bool is_chosen = way == Way::chosen || way == Way::chosen_alone;
    if (is_chosen) plan.sources = world.sources;
    plan.together_characters_max = way == Way::chosen ? 2000 : 1;
    if (!is_chosen)
        for (const bool are_texts : {way != Way::in_order_lists_first, way == Way::in_order_lists_first})
            for (const auto& source : world.sources)
                if ((source.kind == SourceKind::texts) == are_texts) plan.texts.insert(plan.texts.end(), source.candidates.begin(), source.candidates.end());
    plan.takes_likeliest_first = way == Way::likeliest_first;
    plan.contexts = {"cn"};
    plan.known_blocked = known_blocked;
    plan.known_passed = "hello";
    plan.probe_rules = plan.shape_rules = 0;
    plan.looks_for_order = false;
    plan.lexicon = world.lexicon;
    plan.background = {world.background};
    plan.seed = seed;
    const std::set<Rule> known(world.known.begin(), world.known.end());
    Campaign campaign(std::move(plan));
    Score score;
    std::size_t sent = 0;
    bool has_begun = false;
    const auto found = [&] {
        std::size_t count = 0;
        for (const auto& rule : campaign.rules()) count += rule.is_certified && rule.text_name != "known" && known.count(rule.components) == 0;
        return static_cast<double>(count);
    };
    while (const auto message = campaign.next()) {
        has_begun |= message->step == "scan" && message->subject != "known" && message->subject != "known list";
        if (message->step == "compare" || message->step == "except") break;
        const std::string& text = message->input;
        Trial trial;
        const bool is_blocked = text.find(known_blocked) != std::string::npos || std::any_of(world.rules.begin(), world.rules.end(), [&](const Rule& rule) { return fires(rule, text); });
        trial.outcome = is_blocked ? Outcome::blocked : Outcome::passed;
        campaign.answer(trial);
        if (!has_begun) continue;
        score.blocked += is_blocked;
        ++sent;
        if (sent == marks[score.found.size()]) score.found.push_back(found());
        if (score.found.size() == std::size(marks)) break;
    }
    score.sent = static_cast<double>(sent);
    while (score.found.size() < std::size(marks)) score.found.push_back(found());
    return score;
}

}  // namespace

int main(int argc, char** argv) {
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    if (argc < 2) {
        fmt::print(stderr, "usage: bench_filter_discovery DATA_FOLDER [SEEDS] [WORLD]\n");
        return 2;
    }
    const std::string folder = argv[1];
    const std::uint64_t seeds = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 3;
    const std::size_t only = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 4;
    const std::vector<int> cut = {2020, 2, 1};
    const auto known = read_rules(folder, {}, cut);
    const auto later = read_rules(folder, cut);
    auto all = known;
    all.insert(all.end(), later.begin(), later.end());
    const auto older = rules_of_column(folder + "/wechat_709crackdown_combos_2016-2017.csv.gz", "Keyword");
    const auto names = rules_of_column(folder + "/search_people_weibo-soft.csv.gz", "Sample");
    const auto words = rules_of_column(folder + "/livestream_keywords_2015-02_2015-05_coded.csv.gz", "word");
    const auto related = rules_of_column(folder + "/yy_covid19_keywords_2019-2020.csv.gz", "keyword_added");
    const auto sentences = lines_of(read_file(folder + "/carrier_ud_gsdsimp_devtest_sentences_zhHans.txt.gz"));
    auto harmless = icu::UnicodeString::fromUTF8(read_file(folder + "/carrier_ud_pud_news_wiki_sentences_zhHant.txt.gz"));
    UErrorCode status = U_ZERO_ERROR;
    const std::unique_ptr<icu::Transliterator> simplify(icu::Transliterator::createInstance("Traditional-Simplified", UTRANS_FORWARD, status));
    if (U_FAILURE(status)) return 1;
    simplify->transliterate(harmless);

    World world;
    harmless.toUTF8String(world.background);
    world.lexicon = read_lexicon(folder);
    world.known = known;
    fmt::print("{} rules known before {}-{}-{}, {} to be found; sources: news, older list {}, names {}, words {}, related list {}; means of {} seeds\n", known.size(), cut[0],
               cut[1], cut[2], later.size(), older.size(), names.size(), std::min<std::size_t>(3000, words.size()), related.size(), seeds);
    for (const bool has_older : {false, true})
        for (const std::size_t harmless_a_rule : {std::size_t{9}, std::size_t{49}}) {
            constexpr std::size_t frequent = 9;
            if (only < 4 && only != 2 * std::size_t{has_older} + (harmless_a_rule == frequent ? 0 : 1)) continue;
            std::map<Way, Score> sums;
            std::size_t texts = 0;
            for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
                Random random(seed, 5 + harmless_a_rule);
                world.rules = all;
                if (has_older) world.rules.insert(world.rules.end(), older.begin(), older.end());
                // Texts hold the rules of all times, each in one of them; those of the known ones tell nothing new.
                CampaignSource news{"news", SourceKind::texts, {}};
                for (const auto& job : make_jobs(all, sentences, 500, false, 1, random)) news.candidates.push_back({"with", job.text});
                for (std::size_t i = 0; i < harmless_a_rule * all.size(); ++i) news.candidates.push_back({"without", carrier(sentences, 500, all, random)});
                const auto shuffle = [&](auto& list) {
                    for (std::size_t i = list.size(); i > 1; --i) std::swap(list[i - 1], list[random.below(i)]);
                };
                shuffle(news.candidates);
                texts = news.candidates.size();
                const auto list_of = [&](std::string name, std::vector<Rule> rules, SourceKind kind) {
                    CampaignSource source{name, kind, {}};
                    shuffle(rules);
                    for (std::size_t i = 0; i < std::min<std::size_t>(3000, rules.size()); ++i) source.candidates.push_back({name, "", rules[i]});
                    return source;
                };
                world.sources = {std::move(news), list_of("older list", older, SourceKind::rules), list_of("names", names, SourceKind::words),
                                 list_of("words", words, SourceKind::words), list_of("related list", related, SourceKind::words)};
                for (const Way way : {Way::in_order_texts_first, Way::in_order_lists_first, Way::chosen, Way::chosen_alone, Way::likeliest_first}) {
                    const Score one = run(world, way, seed);
                    fmt::print(stderr, "world {}, seed {}, way {}: {}\n", 2 * int{has_older} + (harmless_a_rule == frequent ? 0 : 1), seed, static_cast<int>(way), one.found.back());
                    Score& sum = sums[way];
                    sum.found.resize(std::size(marks));
                    for (std::size_t i = 0; i < std::size(marks); ++i) sum.found[i] += one.found[i] / static_cast<double>(seeds);
                    sum.blocked += one.blocked / static_cast<double>(seeds);
                    sum.sent += one.sent / static_cast<double>(seeds);
                }
            }
            fmt::print("\n{} texts of 500 characters, one in {} with a rule; the service blocks {}\n  {:<36}", texts, harmless_a_rule + 1,
                       has_older ? "the older list too" : "the list of 2020", "new rules certified after");
            for (const auto mark : marks) fmt::print("{:>7}", mark);
            fmt::print("{:>10}{:>10}\n", "sent", "blocked");
            for (const auto& [way, name] : {std::pair{Way::in_order_texts_first, "as they come, texts first"}, {Way::in_order_lists_first, "as they come, lists first"},
                                            {Way::likeliest_first, "likeliest first"}, {Way::chosen_alone, "chosen, one a message"}, {Way::chosen, "chosen, together"}}) {
                fmt::print("  {:<36}", name);
                for (const double found : sums[way].found) fmt::print("{:>7.0f}", found);
                fmt::print("{:>10.0f}{:>10.0f}\n", sums[way].sent, sums[way].blocked);
            }
        }
    return 0;
}
