// How many messages does it take to find the rule behind a blocked text? The campaign of `unveil probe` beside CABS (Xiong & Knockel 2019), its
// end search galloping, on combinations that WeChat blocked in 2020, planted into sentences, in the order in which they were detected.
// usage: bench_filter_isolation DATA_FOLDER [SEED] [EVERY]     EVERY: take every so-manyth rule of the long texts (default 1)
// Nothing looks ahead: sizes and lengths are those of a list of 2016-17, words those of lists before 2020, harmless text is another corpus. A
// campaign learns from its earlier texts, which here are drawn from the same thousand sentences; one row leaves that out.
#include <fmt/format.h>
#include <unicode/translit.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "core/random.hpp"
#include "experiment/filter/campaign.hpp"
#include "filter_world.hpp"

namespace {

using namespace unveil;
using namespace unveil::bench;

struct Result {
    std::vector<std::uint64_t> messages;   // by text
    std::uint64_t blocked = 0;
    std::uint64_t exact = 0;
    std::uint64_t certificate = 0;
};

/// CABS of the paper: bisection for the start, a galloping search for the end, a test whether that was all.
Result run_cabs(const std::vector<Job>& jobs) {
    Result result;
    for (const Job& job : jobs) {
        std::uint64_t messages = 0;
        std::vector<std::string> found;
        const auto ask = [&](const std::vector<std::u32string>& parts) {
            std::string text;
            for (const auto& component : found) text += component + "\n";
            for (const auto& part : parts) text += bytes_of(part) + "\n";
            ++messages;
            const bool is_blocked = std::any_of(job.can_fire.begin(), job.can_fire.end(), [&](const Rule* rule) { return fires(*rule, text); });
            result.blocked += is_blocked;
            return is_blocked;
        };
        std::u32string rest = characters_of(job.text);
        for (;;) {
            std::size_t low = 0;
            std::size_t high = rest.size();
            while (high - low > 1) {
                const std::size_t middle = low + (high - low) / 2;
                (ask({rest.substr(middle)}) ? low : high) = middle;
            }
            const std::u32string behind = rest.substr(low + 1);
            std::size_t short_of = 0;
            std::size_t enough = rest.size() - low;
            for (std::size_t step = 1; short_of + step < rest.size() - low; step *= 2) {
                if (ask({rest.substr(low, short_of + step), behind})) {
                    enough = short_of + step;
                    break;
                }
                short_of += step;
            }
            while (enough - short_of > 1) {
                const std::size_t length = short_of + (enough - short_of) / 2;
                (ask({rest.substr(low, length), behind}) ? enough : short_of) = length;
            }
            found.push_back(bytes_of(rest.substr(low, enough)));
            rest = behind;
            if (rest.empty() || ask({})) break;
        }
        Rule rule = found;
        std::sort(rule.begin(), rule.end());
        result.exact += std::any_of(job.can_fire.begin(), job.can_fire.end(), [&](const Rule* one) { return *one == rule; });
        result.messages.push_back(messages);
    }
    return result;
}

Result run_campaign(const std::vector<Rule>& rules, const std::vector<Job>& jobs, CampaignPlan plan, double slip_rate, std::uint64_t seed) {
    Result result;
    std::vector<std::string> names;
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        names.push_back(std::to_string(i));
        plan.texts.push_back({names.back(), jobs[i].text});
    }
    plan.contexts = {"cn"};
    plan.known_blocked = "zyzyzyzy";
    plan.known_passed = "hello";
    plan.probe_rules = 0;
    plan.shape_rules = 0;
    plan.looks_for_order = false;
    plan.rules_per_text_max = 1;
    plan.learns_background = plan.learns_background && plan.uses_memory;
    plan.seed = seed;
    Campaign campaign(std::move(plan));
    Random random(seed, 77);
    result.messages.assign(jobs.size(), 0);
    std::size_t job = 0;
    while (const auto message = campaign.next()) {
        if (message->step == "scan" && message->subject != "known") job = std::stoul(message->subject);
        const Job& here = jobs[job];
        // What is certified may be asked again while later texts are read.
        bool is_blocked = message->input.find("zyzyzyzy") != std::string::npos ||
                          (message->step == "certify"
                               ? std::any_of(rules.begin(), rules.end(), [&](const Rule& rule) { return fires(rule, message->input); })
                               : std::any_of(here.can_fire.begin(), here.can_fire.end(), [&](const Rule* rule) { return fires(*rule, message->input); }));
        if (slip_rate > 0 && is_blocked && random.chance(slip_rate)) is_blocked = false;
        if (message->subject != "known") {
            if (message->step == "isolate") {
                ++result.messages[job];
                result.blocked += is_blocked;
            }
            result.certificate += message->step == "certify" && message->subject != "zyzyzyzy";
        }
        Trial trial;
        trial.outcome = is_blocked ? Outcome::blocked : Outcome::passed;
        campaign.answer(trial);
    }
    std::set<std::size_t> found;
    for (const auto& rule : campaign.rules()) {
        if (rule.text_name == "known" || !rule.is_certified) continue;
        const std::size_t number = std::stoul(rule.text_name);
        for (const Rule* one : jobs[number].can_fire)
            if (*one == rule.components) found.insert(number);
    }
    // A rule that an earlier text held as well is not listed twice.
    for (std::size_t i = 0; i < jobs.size(); ++i)
        if (found.count(i) == 0)
            for (const auto& rule : campaign.rules())
                for (const Rule* one : jobs[i].can_fire)
                    if (rule.is_certified && *one == rule.components && rule.text_name != "known" && std::stoul(rule.text_name) < i) found.insert(i);
    result.exact = found.size();
    return result;
}

void print(const char* name, Result result) {
    const auto n = static_cast<double>(result.messages.size());
    const double mean = static_cast<double>(std::accumulate(result.messages.begin(), result.messages.end(), std::uint64_t{0})) / n;
    std::sort(result.messages.begin(), result.messages.end());
    fmt::print("  {:<34} {:>6.1f} {:>5} {:>8.1f} {:>7.3f} {:>12}\n", name, mean, result.messages[static_cast<std::size_t>(0.95 * (n - 1))],
               static_cast<double>(result.blocked) / n, static_cast<double>(result.exact) / n,
               result.certificate == 0 ? "-" : fmt::format("{:.1f}", static_cast<double>(result.certificate) / n));
}

/// How soon are rules found among many harmless texts? Texts with a rule, in the order in which the rules were detected, and nine times as many
/// without; 500 characters each; shuffled.
void discover(const std::vector<Rule>& rules, const std::vector<Job>& jobs, const std::vector<std::string>& sentences, CampaignPlan plan, std::uint64_t seed) {
    Random random(seed, 3);
    for (const Job& job : jobs) plan.texts.push_back({"with", job.text});
    constexpr std::size_t harmless_a_rule = 9;
    for (std::size_t i = 0; i < harmless_a_rule * jobs.size(); ++i) plan.texts.push_back({"without", carrier(sentences, 500, rules, random)});
    for (std::size_t i = plan.texts.size(); i > 1; --i) std::swap(plan.texts[i - 1], plan.texts[random.below(i)]);
    plan.contexts = {"cn"};
    plan.known_blocked = "zyzyzyzy";
    plan.known_passed = "hello";
    plan.probe_rules = plan.shape_rules = 0;
    plan.looks_for_order = false;
    plan.seed = seed;
    const std::size_t texts = plan.texts.size();
    fmt::print("\n{} texts, {} of them with a rule: rules certified after so many messages\n", texts, jobs.size());
    for (const bool is_likeliest_first : {false, true}) {
        CampaignPlan own = plan;
        own.takes_likeliest_first = is_likeliest_first;
        Campaign campaign(std::move(own));
        std::string line;
        std::size_t sent = 0;
        while (const auto message = campaign.next()) {
            const std::string& text = message->input;
            Trial trial;
            const bool is_blocked = text.find("zyzyzyzy") != std::string::npos || std::any_of(rules.begin(), rules.end(), [&](const Rule& rule) { return fires(rule, text); });
            trial.outcome = is_blocked ? Outcome::blocked : Outcome::passed;
            campaign.answer(trial);
            if (++sent == 1000 || sent == 2000 || sent == 4000 || sent == 8000)
                line += fmt::format("{:>8}: {:>3}", sent, std::count_if(campaign.rules().begin(), campaign.rules().end(), [](const FoundRule& rule) { return rule.is_certified; }) - 1);
            if (sent == 8000) break;
        }
        fmt::print("  {:<20}{}\n", is_likeliest_first ? "likeliest first" : "as they come", line);
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        fmt::print(stderr, "usage: bench_filter_isolation DATA_FOLDER [SEED] [EVERY]\n");
        return 2;
    }
    const std::string folder = argv[1];
    const std::uint64_t seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
    const std::size_t every_long = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 1;
    const auto rules = read_rules(folder);
    const auto lexicon = read_lexicon(folder);
    const auto sentences = lines_of(read_file(folder + "/carrier_ud_gsdsimp_devtest_sentences_zhHans.txt.gz"));
    auto harmless = icu::UnicodeString::fromUTF8(read_file(folder + "/carrier_ud_pud_news_wiki_sentences_zhHant.txt.gz"));
    UErrorCode status = U_ZERO_ERROR;
    const std::unique_ptr<icu::Transliterator> simplify(icu::Transliterator::createInstance("Traditional-Simplified", UTRANS_FORWARD, status));
    if (U_FAILURE(status)) return 1;
    simplify->transliterate(harmless);
    std::string background;
    harmless.toUTF8String(background);
    fmt::print("{} rules, {} words of lists before 2020, seed {}\n", rules.size(), lexicon.size(), seed);

    const auto plan_of = [&](bool has_lexicon, bool has_memory, double price) {
        CampaignPlan plan;
        if (has_lexicon) plan.lexicon = lexicon;
        plan.uses_memory = has_memory;
        plan.background = {background};
        plan.blocked_price = price;
        return plan;
    };
    for (const std::size_t characters : {std::size_t{500}, std::size_t{5000}})
        for (const bool is_repeated : {false, true}) {
            Random random(seed, characters * 2 + is_repeated);
            const std::size_t every = characters > 1000 ? every_long : 1;
            const auto jobs = make_jobs(rules, sentences, characters, is_repeated, every, random);
            fmt::print("\n{} characters, {} texts, components {}\n  {:<34} {:>6} {:>5} {:>8} {:>7} {:>12}\n", characters, jobs.size(),
                       is_repeated ? "repeated" : "once each", "", "mean", "p95", "blocked", "exact", "certificate");
            print("CABS, galloping", run_cabs(jobs));
            print("cold, a block costs 1", run_campaign(rules, jobs, plan_of(false, false, 1), 0, seed));
            print("cold", run_campaign(rules, jobs, plan_of(false, false, 2), 0, seed));
            print("with word lists", run_campaign(rules, jobs, plan_of(true, false, 2), 0, seed));
            print("campaign: lists and memory", run_campaign(rules, jobs, plan_of(true, true, 2), 0, seed));
            CampaignPlan forgetful = plan_of(true, true, 2);
            forgetful.learns_background = false;
            print("  the same, texts not learnt", run_campaign(rules, jobs, forgetful, 0, seed));
            if (characters > 1000 || is_repeated) continue;
            for (const double price : {1.0, 4.0}) print(fmt::format("campaign, a block costs {:g}", price).c_str(), run_campaign(rules, jobs, plan_of(true, true, price), 0, seed));
            for (const double slip : {0.01, 0.05}) print(fmt::format("campaign, {:g} % slip through", slip * 100).c_str(), run_campaign(rules, jobs, plan_of(true, true, 2), slip, seed));
            discover(rules, jobs, sentences, plan_of(true, true, 2), seed);
        }
    return 0;
}
