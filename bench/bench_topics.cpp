// How well are rules sorted into topics? Words of one client by what is known from the others, and a later list by the earlier ones; never at
// random, since lists copy each other. Words that stand in both parts are left out of the test.
// usage: bench_topics DATA_FOLDER [each]     each: every class by itself as well
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "evidence/labelled_words.hpp"
#include "instruments/filter/codebook.hpp"
#include "instruments/filter/topics.hpp"
#include "table/rule.hpp"

namespace {

using namespace unveil;

bool tells_each = false;

std::vector<LabelledWord> read(const std::string& path) {
    std::vector<LabelledWord> all;
    std::vector<LabelledWord> batch;
    const auto source = open_labelled_words(path);
    while (source->next(batch)) all.insert(all.end(), batch.begin(), batch.end());
    return all;
}

/// What a list says of its words, and what the model does.
struct Sorting {
    const char* name;
    std::function<std::string(const LabelledWord&)> truth;
    filter::Answer filter::TopicGuess::* answer;
};

struct Counts {
    double there = 0;
    double said = 0;
    double right = 0;
};

std::string category_of(const LabelledWord& word) { return filter::category_of_label(word.category, word.category_number); }

/// Of the classes that are there, each counting the same.
double macro_f1(const std::map<std::string, Counts>& classes, std::size_t& judged) {
    double sum = 0;
    judged = 0;
    for (const auto& [name, n] : classes) {
        if (n.there == 0) continue;
        sum += 2 * n.right / (n.said + n.there);
        ++judged;
    }
    return judged == 0 ? 0 : sum / static_cast<double>(judged);
}

void judge(const char* name, const std::vector<LabelledWord>& known, const std::vector<LabelledWord>& asked, std::initializer_list<double> sures) {
    const filter::TopicModel model(known);
    std::set<std::string> seen;
    std::map<std::string, std::map<std::string, int>> themes;   // by category, where the list that is asked has none
    for (const auto& word : known) seen.insert(word.word);
    for (const auto* list : {&known, &asked})
        for (const auto& word : *list)
            if (!word.theme.empty()) ++themes[category_of(word)][filter::theme_of_label(word.theme)];
    const auto theme_of = [&](const LabelledWord& word) {
        if (!word.theme.empty()) return filter::theme_of_label(word.theme);
        const auto& counts = themes[category_of(word)];
        const auto most = std::max_element(counts.begin(), counts.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
        return most == counts.end() ? std::string() : most->first;
    };
    const auto topic_of = [](const LabelledWord& word) { return std::string(filter::topic_of_label(word.label == word.category ? category_of(word) : word.label)); };
    const Sorting sortings[] = {{"topics", topic_of, &filter::TopicGuess::topic},
                                {"categories", category_of, &filter::TopicGuess::category},
                                {"themes", theme_of, &filter::TopicGuess::theme}};
    std::vector<const LabelledWord*> words;
    std::size_t urls = 0;
    for (const auto& one : asked) {
        const bool is_url = category_of(one) == "urls";
        urls += is_url;
        if (!is_url && seen.insert(one.word).second) words.push_back(&one);
    }
    fmt::print("{}\n  {} words learnt with a topic, {} categories, {} themes; {} rows are URLs and left out\n",
               name, model.words_learnt(), model.categories().size(), model.themes().size(), urls);
    for (const double sure : sures) {
        std::vector<filter::TopicGuess> guesses;
        for (const LabelledWord* word : words) guesses.push_back(model.guess(rule_components(word->word), sure));
        for (const Sorting& sorting : sortings) {
            std::map<std::string, Counts> told;
            std::map<std::string, Counts> likeliest;
            double all = 0;
            double answered = 0;
            double right = 0;
            double of_nothing = 0;   // the list says of these words that they are about nothing in particular
            double of_nothing_told = 0;
            for (std::size_t i = 0; i < words.size(); ++i) {
                const std::string truth = sorting.truth(*words[i]);
                const filter::Answer& answer = guesses[i].*sorting.answer;
                if (truth.empty()) {
                    ++of_nothing;
                    of_nothing_told += !answer.name.empty();
                    continue;
                }
                ++all;
                answered += !answer.name.empty();
                right += answer.name == truth;
                for (auto* counts : {&told, &likeliest}) {
                    const std::string& said = counts == &told ? answer.name : answer.likeliest;
                    (*counts)[truth].there += 1;
                    if (!said.empty()) (*counts)[said].said += 1;
                    if (said == truth) (*counts)[truth].right += 1;
                }
            }
            if (all == 0) continue;
            // As filter computes them for shares.
            constexpr double wrong_share = 0.2;
            std::string missed;
            for (const auto& [one, n] : told) {
                const double wrong = wrong_share * answered;
                const double low = n.said - std::min(wrong, n.said);
                const double high = n.said + all - answered + std::min(wrong, answered - n.said);
                if (n.there < low || n.there > high) missed += fmt::format(" {} ({:.0f} not in {:.0f} to {:.0f})", one, n.there, low, high);
            }
            std::size_t classes = 0;
            const double f1_told = macro_f1(told, classes);
            const double f1_always = macro_f1(likeliest, classes);
            fmt::print("  {:<10} {:>5.0f} asked, sure at {:.2f}: answered {:.3f}, of these right {:.3f}, macro-F1 {:.3f}; always answering {:.3f}, over {}; of {:.0f} about nothing {:.0f} told\n",
                       sorting.name, all, sure, answered / all, answered == 0 ? 0 : right / answered, f1_told, f1_always, classes, of_nothing, of_nothing_told);
            if (!missed.empty()) fmt::print("             intervals that do not hold the truth, of {}:{}\n", told.size(), missed);
            if (!tells_each) continue;
            for (const auto& [one, n] : told)
                if (n.there > 0 || n.said > 0)
                    fmt::print("      {:<50} {:>5.0f} words, {:>5.0f} told, {:>5.0f} rightly; always answering F1 {:.2f}\n", one, n.there, n.said, n.right,
                               2 * likeliest[one].right / (likeliest[one].said + n.there));
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        fmt::print(stderr, "usage: bench_topics DATA_FOLDER [each]\n");
        return 2;
    }
    const std::string folder = argv[1];
    tells_each = argc > 2;
    const auto skype = read(folder + "/tomskype_sinauc_keywords_coded.csv.gz");
    const auto line = read(folder + "/line_v22_keywords_coded.csv.gz");
    const auto live = read(folder + "/livestream_keywords_2015-02_2015-05_coded.csv.gz");
    const auto both = [](std::vector<LabelledWord> a, const std::vector<LabelledWord>& b) {
        a.insert(a.end(), b.begin(), b.end());
        return a;
    };
    const auto wechat = read(folder + "/wechat_oneapp2systems_combos_2016.csv.gz");
    judge("by client: TOM-Skype and Sina UC, from LINE and live streaming", both(line, live), skype, {0.7, 0.8, 0.9});
    judge("by client: LINE, from TOM-Skype, Sina UC and live streaming", both(skype, live), line, {0.7, 0.8, 0.9});
    judge("by time: live streaming 2015, from lists of 2011 to 2014", both(skype, line), live, {0.7, 0.8, 0.9});
    judge("by client and time: WeChat 2016, from all lists before", both(both(skype, line), live), wechat, {0.7, 0.8, 0.9});
    judge("own seed words alone: TOM-Skype and Sina UC", filter::seed_words(), skype, {0.8});
    judge("own seed words alone: LINE", filter::seed_words(), line, {0.8});
    judge("own seed words alone: live streaming", filter::seed_words(), live, {0.8});
    return 0;
}
