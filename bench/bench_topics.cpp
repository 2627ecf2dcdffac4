// How well are rules sorted into topics? Words of one client by what is known from the others, and a later list by the earlier ones; never at
// random, since lists copy each other. Words that stand in both parts are left out of the test.
// usage: bench_topics DATA_FOLDER
#include <fmt/format.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "evidence/labelled_words.hpp"
#include "instruments/filter/topics.hpp"
#include "table/rule.hpp"

namespace {

using namespace unveil;

std::vector<LabelledWord> read(const std::string& path) {
    std::vector<LabelledWord> all;
    std::vector<LabelledWord> batch;
    const auto source = open_labelled_words(path);
    while (source->next(batch)) all.insert(all.end(), batch.begin(), batch.end());
    return all;
}

void judge(const char* name, const std::vector<LabelledWord>& known, const std::vector<LabelledWord>& asked, double sure) {
    const filter::TopicModel model(known);
    std::set<std::string> seen;
    for (const auto& word : known) seen.insert(word.word);
    std::map<std::string_view, std::array<double, 3>> by_topic;    // right, guessed, there
    std::size_t all = 0;
    std::size_t answered = 0;
    std::size_t right = 0;
    std::size_t urls = 0;
    for (const auto& one : asked) {
        const auto topic = filter::topic_of_label(one.label);
        urls += one.label == "URLs";
        if (topic.empty() || !seen.insert(one.word).second) continue;
        ++all;
        const auto components = rule_components(one.word);
        const auto guess = model.guess(components, sure);
        by_topic[topic][2] += 1;
        if (guess.topic.empty()) continue;
        ++answered;
        right += guess.topic == topic;
        by_topic[guess.topic][1] += 1;
        if (guess.topic == topic) by_topic[topic][0] += 1;
    }
    double f1 = 0;
    std::size_t topics = 0;
    std::string each;
    for (const auto& [topic, n] : by_topic) {
        if (n[2] == 0) continue;
        const double own = 2 * n[0] / (n[1] + n[2]);
        f1 += own;
        ++topics;
        each += fmt::format("    {:<22} {:>5.0f} words, F1 {:.2f}\n", topic, n[2], own);
    }
    fmt::print("{}\n  {} learnt, {} asked ({} URLs left out), sure at {:.2f}: answered {:.3f}, of these right {:.3f}, macro-F1 {:.3f} over {} topics\n{}", name, model.words_learnt(), all, urls,
               sure, static_cast<double>(answered) / static_cast<double>(all), answered == 0 ? 0 : static_cast<double>(right) / static_cast<double>(answered), f1 / static_cast<double>(topics), topics,
               sure > 0 ? "" : each);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        fmt::print(stderr, "usage: bench_topics DATA_FOLDER\n");
        return 2;
    }
    const std::string folder = argv[1];
    const auto skype = read(folder + "/tomskype_sinauc_keywords_coded.csv.gz");
    const auto line = read(folder + "/line_v22_keywords_coded.csv.gz");
    const auto live = read(folder + "/livestream_keywords_2015-02_2015-05_coded.csv.gz");
    const auto both = [](std::vector<LabelledWord> a, const std::vector<LabelledWord>& b) {
        a.insert(a.end(), b.begin(), b.end());
        return a;
    };
    for (const double sure : {0.0, 0.5, 0.7, 0.9}) {
        judge("by client: TOM-Skype and Sina UC, from LINE and live streaming", both(line, live), skype, sure);
        judge("by client: LINE, from TOM-Skype, Sina UC and live streaming", both(skype, live), line, sure);
        judge("by time: live streaming 2015, from lists of 2011 to 2014", both(skype, line), live, sure);
    }
    judge("own seed words alone: live streaming", filter::seed_words(), live, 0.5);
    return 0;
}
