// A server that suppresses messages: lists of rules for each kind of user, spellings it sees through, and faults. Everything is in memory;
// what it knows is the truth that no instrument sees. Shares no code with what probes it.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace unveil {

/// The spellings that a filter may undo, by the names under which they are probed.
const std::vector<std::string>& chat_folds();

struct ChatFilterRules {
    /// context -> rules; a message is suppressed when it holds all components of one of them.
    std::map<std::string, std::vector<std::vector<std::string>>> rules;
    std::vector<std::string> folds;       // undone in messages and rules before they are compared
    double slip_rate = 0;                 // of messages that should be suppressed
    double false_block_rate = 0;          // of messages that should not
    std::uint64_t seed = 0;
};

class ChatFilter {
  public:
    explicit ChatFilter(ChatFilterRules rules);
    /// What the server does with the `number`-th message; the same arguments give the same answer.
    bool is_suppressed(const std::string& context, std::string_view text, std::uint64_t number) const;
    /// Without faults.
    bool is_listed(const std::string& context, std::string_view text) const;
    /// The text as the filter compares it with most rules.
    std::string normalised(std::string_view text) const { return normalised(text, {}); }
    /// With a rule for which these folds are not undone.
    std::string normalised(std::string_view text, std::span<const std::string> without) const;
    /// The folds that would leave nothing of a component, so that they are undone neither in this rule nor in what is compared with it.
    std::vector<std::string> emptying_folds(std::span<const std::string> components) const;

  private:
    struct Rule {
        std::vector<std::string> components;   // normalised
        std::vector<std::string> without;
    };
    std::string normalised(std::string_view text, std::span<const std::string> without, std::vector<std::string>* dropping) const;

    ChatFilterRules m_rules;
    std::map<std::string, std::vector<Rule>> m_normalised;
};

}  // namespace unveil
