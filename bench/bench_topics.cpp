// How well are rules sorted into topics? Words of one client by what is known from the others, and a later list by the earlier ones; never at
// random, since lists copy each other. Words that stand in both parts are left out of the test.
// usage: bench_topics DATA_FOLDER [each]     each: every class by itself
#include <fmt/format.h>

#include <algorithm>
#include <array>
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

/// What the lists say, what was said, and what is told of a class.
struct Sorting {
    const char* name;
    std::function<std::string(const LabelledWord&)> truth;
    std::function<std::string(const filter::TopicGuess&)> guess;
};

void judge(const char* name, const std::vector<LabelledWord>& known, const std::vector<LabelledWord>& asked, double sure) {
    const filter::TopicModel model(known);
    std::set<std::string> known_words;
    std::map<std::string, std::map<std::string, int>> themes;   // by category, where the list that is asked has none
    for (const auto& word : known) known_words.insert(word.word);
    for (const auto* list : {&known, &asked})
        for (const auto& word : *list)
            if (!word.theme.empty()) ++themes[filter::category_key(word.category)][filter::theme_key(word.theme)];
    const auto theme_of = [&](const LabelledWord& word) {
        if (!word.theme.empty()) return filter::theme_key(word.theme);
        const auto& counts = themes[filter::category_key(word.category)];
        const auto most = std::max_element(counts.begin(), counts.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
        return most == counts.end() ? std::string() : most->first;
    };
    const Sorting sortings[] = {{"topics", [](const LabelledWord& word) { return std::string(filter::topic_of_label(word.label)); }, [](const filter::TopicGuess& guess) { return std::string(guess.topic); }},
                                {"categories", [](const LabelledWord& word) { return filter::category_key(word.category); }, [](const filter::TopicGuess& guess) { return filter::category_key(guess.category); }},
                                {"themes", theme_of, [](const filter::TopicGuess& guess) { return filter::theme_key(guess.theme); }}};
    fmt::print("{}\n  {} words learnt with a topic, {} categories, {} themes; sure at {:.2f}\n", name, model.words_learnt(), model.categories(), model.themes(), sure);
    std::vector<std::pair<const LabelledWord*, filter::TopicGuess>> guesses;
    std::set<std::string> seen = known_words;
    std::size_t urls = 0;
    for (const auto& one : asked) {
        urls += filter::category_key(one.category) == "urls";
        if (filter::category_key(one.category) == "urls" || !seen.insert(one.word).second) continue;
        guesses.emplace_back(&one, model.guess(rule_components(one.word), sure));
    }
    for (const Sorting& sorting : sortings) {
        std::map<std::string, std::array<double, 3>> by_class;    // right, guessed, there
        std::size_t all = 0;
        std::size_t answered = 0;
        std::size_t right = 0;
        for (const auto& [word, guess] : guesses) {
            const std::string truth = sorting.truth(*word);
            if (truth.empty()) continue;
            ++all;
            by_class[truth][2] += 1;
            const std::string said = sorting.guess(guess);
            if (said.empty()) continue;
            ++answered;
            right += said == truth;
            by_class[said][1] += 1;
            if (said == truth) by_class[truth][0] += 1;
        }
        double f1 = 0;
        std::size_t classes = 0;
        std::string each;
        for (const auto& [one, n] : by_class) {
            if (n[2] == 0) continue;
            const double own = 2 * n[0] / (n[1] + n[2]);
            f1 += own;
            ++classes;
            each += fmt::format("      {:<45} {:>5.0f} words, F1 {:.2f}\n", one, n[2], own);
        }
        fmt::print("  {:<10} {:>5} asked ({} URLs left out): answered {:.3f}, of these right {:.3f}, macro-F1 {:.3f} over {}\n{}", sorting.name, all, urls,
                   static_cast<double>(answered) / static_cast<double>(all), answered == 0 ? 0 : static_cast<double>(right) / static_cast<double>(answered), f1 / static_cast<double>(classes), classes,
                   sure > 0 || !tells_each ? "" : each);
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
    for (const double sure : {0.0, 0.7}) {
        judge("by client: TOM-Skype and Sina UC, from LINE and live streaming", both(line, live), skype, sure);
        judge("by client: LINE, from TOM-Skype, Sina UC and live streaming", both(skype, live), line, sure);
        judge("by time: live streaming 2015, from lists of 2011 to 2014", both(skype, line), live, sure);
    }
    judge("own seed words alone: live streaming", filter::seed_words(), live, 0.5);
    return 0;
}
