// A server that suppresses messages: lists of rules for each kind of user, spellings it sees through, and faults. Everything is in memory;
// what it knows is the truth that no instrument sees. Shares no code with what probes it.
#pragma once

#include <cstdint>
#include <map>
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
    /// The text as the filter compares it.
    std::string normalised(std::string_view text) const;

  private:
    ChatFilterRules m_rules;
    std::map<std::string, std::vector<std::vector<std::string>>> m_normalised;
};

}  // namespace unveil
