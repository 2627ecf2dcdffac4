// Goal: what a campaign changes to see how a filter reads, the instrument undoes. Method: every fold on words of all scripts, one by one and all
// that can be told apart at once.
#include <gtest/gtest.h>

#include <set>

#include "experiment/filter/folds.hpp"
#include "instruments/filter/spelling.hpp"
#include "lab/chat_filter.hpp"

namespace unveil {
namespace {

TEST(Spelling, TheInstrumentUndoesWhatTheCampaignChanges) {
    for (const std::string word : {"国家ace64会议", "东风open27说话", "falun", "Tank Man", "六四", "a", "x1"}) {
        std::size_t applied = 0;
        for (const Fold& fold : folds()) {
            const auto variant = folded(fold.name, word);
            // Letters between letters cannot be told from them.
            if (!variant || (fold.name == "latin" && word == "falun")) continue;
            ++applied;
            const std::set<std::string> one{std::string(fold.name)};
            EXPECT_EQ(filter::as_read(one, *variant), filter::as_read(one, word)) << fold.name << " of " << word;
            EXPECT_NE(*variant, word);
        }
        EXPECT_GT(applied, 3u) << word;
    }
}

TEST(Spelling, TheInstrumentKnowsNoFoldThatTheServicesDoNot) {
    for (const auto& fold : chat_folds()) {
        ChatFilterRules rules;
        rules.folds = {fold};
        const ChatFilter service(rules);
        for (const std::string text : {"国家ACE64会議，、。", "ｆａｌｕｎ ⓐ①", "аесорху", "t a-n.k!", "&#x516D;四", "aabb六六"})
            EXPECT_EQ(filter::as_read({fold}, text), service.normalised(text)) << fold << " of " << text;
    }
}

}  // namespace
}  // namespace unveil
