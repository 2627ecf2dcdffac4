// A server that suppresses messages: lists of rules for each kind of user, spellings it sees through, and faults. Everything is in memory;
// what it knows is the truth that no instrument sees. Shares no code with what probes it; only which characters are taken apart into which is one table for both.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace unveil {

/// The spellings that a filter may see through, by the names under which they are probed. Most are undone before anything is compared; sounds, initials, characters taken apart and words from last to
/// first stand on its list beside each rule; "gap-N" lets so many characters stand between those of a rule.
const std::vector<std::string>& chat_folds();
/// What a stricter reader sees through as well: all that leaves sounds and places of characters, by which random text holds rules by chance.
std::vector<std::string> strict_folds();

/// Those and what a filter that sees through them sees through as well, sorted.
std::vector<std::string> with_implied_folds(const std::vector<std::string>& folds);

struct ChatFilterRules {
    /// context -> rules; a message is suppressed when it holds all components of one of them.
    std::map<std::string, std::vector<std::vector<std::string>>> rules;
    std::vector<std::string> folds;       // seen through
    std::size_t distance_max = 0;         // characters that may stand between two components of a rule as it is written; 0: any number
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

    /// What stands on the list for one rule.
    struct Listed {
        std::vector<std::string> components;   // normalised; none of them empty
        std::vector<std::string> without;      // folds that are not undone in it
        std::size_t gap = 0;                   // characters of any kind that may stand between two of its own
    };
    /// The rule itself, unless nothing is left of a component, and the spellings of it that are listed.
    std::vector<Listed> listed(std::span<const std::string> components) const;
    /// Whether all components stand in the normalised text, with up to `gap` characters between theirs. O(components * bytes).
    static bool holds(std::string_view text, std::span<const std::string> components, std::size_t gap, bool is_ordered);

  private:
    std::vector<std::string> emptying_folds(std::span<const std::string> components, std::vector<std::string> emptying) const;
    std::string normalised(std::string_view text, std::span<const std::string> without, std::vector<std::string>* dropping) const;

    ChatFilterRules m_rules;
    std::map<std::string, std::vector<Listed>> m_listed;   // by context
};

}  // namespace unveil
