// Goal: what is told of rules, and the room that intervals leave, is right on lists of other clients and later years. Method: three splits of the lists
// that the Citizen Lab coded, by client and by time, with bounds a little below what bench_topics measures. The lists are no part of the project;
// absent, the tests skip.
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "evidence/labelled_words.hpp"
#include "instruments/filter/codebook.hpp"
#include "instruments/filter/topics.hpp"
#include "table/rule.hpp"

namespace unveil::filter {
namespace {

const std::string folder = std::string(UNVEIL_SHARED_DIR) + "/data/filter/";
const std::string skype = folder + "tomskype_sinauc_keywords_coded.csv.gz";
const std::string line = folder + "line_v22_keywords_coded.csv.gz";
const std::string live = folder + "livestream_keywords_2015-02_2015-05_coded.csv.gz";

std::vector<LabelledWord> read(std::initializer_list<std::string> paths) {
    std::vector<LabelledWord> all;
    std::vector<LabelledWord> batch;
    for (const auto& path : paths) {
        const auto source = open_labelled_words(path);
        while (source->next(batch)) all.insert(all.end(), batch.begin(), batch.end());
    }
    return all;
}

struct Told {
    double answered = 0;   // share of all words
    double right = 0;      // share of those
};

/// Of words that are not known, without addresses.
Told told_categories(const std::vector<LabelledWord>& known, const std::vector<LabelledWord>& asked) {
    const TopicModel model(known);
    std::set<std::string> seen;
    for (const auto& word : known) seen.insert(word.word);
    double all = 0;
    double answered = 0;
    double right = 0;
    for (const auto& word : asked) {
        const std::string category = category_of_label(word.category, word.category_number);
        if (category.empty() || category == "urls" || !seen.insert(word.word).second) continue;
        const Answer answer = model.guess(rule_components(word.word), 0.8).category;
        ++all;
        answered += !answer.name.empty();
        right += answer.name == category;
    }
    return {answered / all, right / answered};
}

bool are_here() { return std::filesystem::exists(skype) && std::filesystem::exists(line) && std::filesystem::exists(live); }

TEST(TopicsOfLists, CategoriesOfAnotherClientAreToldRightly) {
    if (!are_here()) GTEST_SKIP() << folder << " is not here";
    const Told of_line = told_categories(read({skype, live}), read({line}));
    EXPECT_GT(of_line.answered, 0.22);
    EXPECT_GT(of_line.right, 0.82);
    const Told of_skype = told_categories(read({line, live}), read({skype}));
    EXPECT_GT(of_skype.answered, 0.28);
    EXPECT_GT(of_skype.right, 0.93);
}

TEST(TopicsOfLists, CategoriesOfALaterYearAreToldRightly) {
    if (!are_here()) GTEST_SKIP() << folder << " is not here";
    const Told of_live = told_categories(read({skype, line}), read({live}));
    EXPECT_GT(of_live.answered, 0.14);
    EXPECT_GT(of_live.right, 0.94);
}

}  // namespace
}  // namespace unveil::filter
