// A chat service with server-side rules, met by a campaign of messages from two regions: writes the log of the campaign, the case that asks
// what it shows, and the truth. docs/lab/chat.md.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "lab/chat_filter.hpp"
#include "lab/planted_claim.hpp"
#include "lab/scenario.hpp"
#include "lab/set_score.hpp"

namespace unveil {

Scenario chat_scenario();

struct ChatFiles {
    std::string log;
    std::string words;   // that somebody coded: what they are about
    std::string truth;
};
/// The world without its case, for cases that hold more: writes the three under these names.
CasePart make_chat_part(const ParameterValues& parameters, std::uint64_t seed, const std::string& out_folder, const ChatFiles& files, Progress& progress);

/// What the world knows: every rule of every context that some text held, and the folds.
struct ChatTruth {
    std::uint64_t seed = 0;
    std::vector<std::string> contexts;
    std::vector<std::vector<std::string>> rules;   // by context, in notation, sorted
    std::vector<std::string> folds;                // that the filter undoes, sorted
    std::map<std::string, std::string> topics;     // by rule, in notation; the known rule is about nothing
};

std::string chat_truth_to_json(const ChatTruth& truth);
/// Whether the file is the truth of a chat world rather than of accounts.
bool is_chat_truth(const std::string& path);
ChatTruth read_chat_truth(const std::string& path);

/// Reads the findings of `unveil filter` or of a case below `folder`. Recall of rules in a context counts certified ones that stand there.
SetScore score_chat(const std::string& folder, const ChatTruth& truth);

}  // namespace unveil
