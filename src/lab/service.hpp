// A platform of the lab: what becomes of a message that is sent to it? Services are in memory and deterministic: the same rules, seed and
// requests in the same order give the same answers. What a service knows is the truth that no instrument sees; it shares no code with what
// probes it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lab/account_book.hpp"
#include "lab/chat_filter.hpp"
#include "lab/rule_matcher.hpp"
#include "table/trial.hpp"

namespace unveil {

enum class ServiceKind {
    chat,        // a message comes through or does not
    search,      // a query has results or none
    translate,   // lines of the input are left out
    mask,        // words of the input are, wherever they stand; of a rule that is written in another spelling all of it
};

struct ServiceRule {
    std::vector<std::string> components;
    std::vector<std::vector<std::string>> exceptions;   // the rule does not fire beside all components of one of them
};

/// A rule that comes onto a list or leaves it.
struct ServiceChange {
    std::int64_t time_us = 0;
    bool is_added = false;
    ServiceRule rule;
    std::string context = {};   // of one list; empty: of all
};

struct ServiceRules : AccountRules {
    ServiceKind kind = ServiceKind::chat;
    std::map<std::string, std::vector<ServiceRule>> lists;   // by context; the empty context stands for all that are not named
    std::vector<ServiceChange> churn;                  // what becomes of the lists, in any order
    std::vector<std::string> folds;                    // spellings it sees through: chat_folds()
    bool is_ordered = false;                           // components must stand in their order
    double slip_rate = 0;                              // of messages that should be suppressed
    double false_block_rate = 0;                       // of messages that should not
    std::uint32_t servers = 1;                         // a message meets one of them by chance, and
    double missing_share = 0;                          // each but the first lacks this share of the rules
    bool escalates = false;                            // once an account was blocked, all spellings are seen through for it
    std::int64_t delay_us = 0;                         // longest time to an answer
    std::uint64_t seed = 0;
};

struct ServiceList {
    std::vector<ServiceRule> rules;
    std::size_t word_bound = 0;   // of a list with wildcards: rules that hold only at the edge of a word, and are taken as parts of words
};

/// One rule a line: "a + b", or "a + b unless c + d" with an exception; lines that begin with # do not count. Throws Error(input) with
/// file:line.
ServiceList read_service_list(const std::string& path);
/// One such line; without components where a part of it is empty.
ServiceRule service_rule_of(std::string_view line);

struct ServiceAnswer {
    Outcome outcome = Outcome::passed;   // passed, blocked, partial, rejected (too long, too fast) or banned
    std::string text;                    // what comes out at the other end; empty when blocked
    std::vector<TrialSpan> spans;        // of partial: the bytes of the input that were left out
    std::int64_t delay_us = 0;           // until the answer is there
    bool has_warning = false;            // the account was told off
    std::int64_t retry_after_us = 0;     // of rejected for coming too fast
};

/// A rule of which some spellings that the service sees through would leave nothing.
struct SparedRule {
    std::string notation;
    std::vector<std::string> folds;   // undone neither in it nor in what is compared with it
    bool is_escalated_only = false;   // only for accounts that were blocked before
};

class Service {
  public:
    /// Throws Error(usage) for rates and names that make no sense.
    explicit Service(ServiceRules rules);
    /// Each rule or exception once, as the lists and changes name them.
    std::vector<SparedRule> spared_rules() const;
    /// It is this time now, and lists are as they are then; they do not go back. Until the first call they are as they were given. O(changes).
    void advance(std::int64_t time_us);
    /// `text` is valid UTF-8.
    ServiceAnswer answer(std::string_view context, std::string_view account, std::string_view text);

  private:
    /// Rules and exceptions that are compared with the text in the same reading.
    struct Reading {
        std::vector<std::string> without;        // folds that are not undone in it
        std::vector<std::uint32_t> rules;        // of the list, by position in `matcher`
        std::vector<std::pair<std::uint32_t, ChatFilter::Listed>> gapped;   // of them, those that may have characters in between
        std::unique_ptr<RuleMatcher> matcher;
        std::unique_ptr<RuleMatcher> exceptions;
    };
    struct Exception {
        std::uint32_t reading = 0;
        std::uint32_t position = 0;              // in its `exceptions`
    };
    struct List {
        std::vector<std::vector<std::string>> components;    // by rule, as they are written
        std::vector<bool> is_listed;             // by rule: those that come later and those that left are matched too
        std::vector<Reading> readings;           // the first with all folds
        std::vector<std::vector<Exception>> exceptions_of;   // by rule
        std::map<std::string, std::vector<std::uint32_t>> by_notation;
    };
    using Lists = std::map<std::string, List, std::less<>>;
    List make_list(const std::string& context, const std::vector<ServiceRule>& rules, const ChatFilter& reader) const;
    Lists make_lists(const ChatFilter& reader) const;
    std::string notation_of(const ServiceRule& rule) const;
    void apply(const ServiceChange& change, Lists& lists) const;
    /// Of the rules that fit, at most so many: their components as they are written.
    std::vector<std::vector<std::string>> fitting(const List& list, const ChatFilter& reader, std::string_view text, std::uint32_t server, std::size_t rules_max) const;
    std::vector<std::vector<std::string>> fitting(std::string_view context, std::string_view text, bool is_escalated, std::uint32_t server, std::size_t rules_max) const;

    ServiceRules m_rules;
    ChatFilter m_reader;             // of spellings
    ChatFilter m_strict_reader;      // of all spellings, for accounts that were blocked before
    Lists m_lists;
    Lists m_strict_lists;
    std::size_t m_changes_done = 0;
    AccountBook m_accounts;
    std::int64_t m_now_us = 0;
    std::uint64_t m_number = 0;
};

}  // namespace unveil
