// What stands in the logs of a filter experiment: answers by message, which rules they were about, what was put between pieces in which context,
// and which of the rules hold. Who runs a campaign and who reads its log judge by this, so that they never disagree.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "table/certificate.hpp"
#include "table/sending_book.hpp"
#include "table/trial_book.hpp"

namespace unveil::filter {

/// The text in which a rule was found first.
struct Origin {
    std::string text;               // its name
    std::string source;             // where it was published, as far as the log says
    std::uint64_t character = 0;    // of the text, from 1, where the leftmost component begins
    std::uint64_t span = 0;         // characters from there to the end of the rightmost component; 0 where one stands there twice
    Locator where;                  // the trial that sent it
};

/// What was sent to see whether words hold together at a distance; empty where it was not.
struct DistanceMessages {
    std::string apart;     // harmless text between them
    std::string before;    // the same text before them, and they stand together
    std::string behind;
};

/// What the logs say about one rule before anything is judged.
struct Subject {
    std::vector<std::string> components;
    std::map<std::string, std::map<std::string, std::string>> probes;   // context, fold -> the variant that was sent
    std::map<std::string, std::map<std::string, std::string>> shapes;   // context, "letter before" or "letter behind" -> the message
    std::map<std::string, std::map<std::uint32_t, DistanceMessages>> distances;   // context, characters between two components
    std::map<std::string, std::set<std::string>> exceptions;            // context -> notations that were sent beside the rule
    std::map<std::string, std::set<std::string>> further;               // context -> names of further tests
    std::optional<Origin> origin = {};
};

enum class SeparatorState {
    calibrated,   // put into a blocked message it breaks it, beside one it does not hide it, and alone it is harmless
    assumed,      // the context has no calibration of its own: the header's, or that of another context of this log
    untried,      // nothing that is known to be blocked was blocked there: a block of joined pieces says nothing of them
    refused,      // none that was tried works there: joined pieces say nothing
};

struct ContextSeparator {
    std::string text;
    SeparatorState state = SeparatorState::assumed;
    /// Whether messages of several pieces say something of each of them.
    bool is_usable() const { return state == SeparatorState::calibrated || state == SeparatorState::assumed; }
};

class FilterLog {
  public:
    TrialBook book;
    SendingBook sending;
    std::map<std::string, Subject> subjects;   // by notation
    std::set<std::string> searched;            // contexts where texts were sent to find rules
    std::set<std::pair<std::string, std::string>> blocked_texts;    // by context, texts that were blocked as they are
    std::uint64_t texts_scanned = 0;           // sent as they are, with a verdict
    std::uint64_t whole = 0;                   // messages of which nothing came through
    std::uint64_t partial = 0;                 // of which parts did
    std::uint64_t partial_lines = 0;           // of them, those of which nothing but whole lines was left out
    ContextAttributes attributes;              // of the contexts, as the logs or whoever reads them say

    /// Call before the trials of each log, with the separator of its header.
    void begin_log(std::string separator);
    void add(const Trial& sent);
    /// Call once after the last add(). The number of a log whose separator in some context is another than in a log before it: their messages are
    /// not comparable.
    std::optional<std::size_t> finish(double confidence);

    const ContextSeparator& separator(const std::string& context) const;
    /// The pieces as they are sent in this context.
    std::string joined(std::span<const std::string> pieces, const std::string& context) const;
    /// Of these pieces alone; unknown where they are several and joined pieces say nothing.
    State state_of(std::span<const std::string> pieces, const std::string& context, double confidence) const;
    /// The message that is known to pass; empty before it was sent.
    const std::string& harmless() const { return m_harmless; }
    /// Of the certificate, whether a component is two, and whether its inside matters.
    std::vector<CertificateTest> tests(std::span<const std::string> components, const std::string& context) const;
    /// What such a test sends there; empty where it makes no sense.
    std::string further_message(FurtherTest test, std::span<const std::string> components, const std::string& context) const;
    /// Open where joined pieces say nothing.
    Certificate certificate(std::span<const std::string> components, const std::string& context, double confidence) const;

  private:
    struct Calibrations {
        std::string given;
        std::vector<std::string> order;                        // contexts as they were calibrated
        std::map<std::string, std::vector<std::string>> tried; // context -> separators as they were tried
        std::map<std::pair<std::string, std::string>, std::map<std::string, std::set<std::string>>> tests;   // context and separator, detail -> messages
        std::set<std::string> contexts;
    };
    /// What the message stands for: one whose answer was lost may go again beside a harmless message.
    std::string meant_by(const Trial& trial) const;
    std::optional<std::string> calibrated(const Calibrations& log, const std::string& context) const;

    /// A text that was blocked as it is, the last one of its context: what is certified next was found in it.
    struct Scanned {
        std::string text;
        std::string name;
        std::string source;
        Locator where;
    };
    static std::optional<Origin> origin_of(const Scanned& scanned, const std::vector<std::string>& components);

    struct Lost {
        std::string meant;
        bool is_no_shield = false;
    };
    std::vector<Calibrations> m_logs;
    std::map<std::pair<std::string, std::string>, Lost> m_lost;   // by context and message as it was sent
    std::map<std::string, Scanned> m_scanned;                     // by context
    std::string m_harmless;
    std::map<std::string, ContextSeparator> m_separators;      // by context
    ContextSeparator m_other;
};

/// What the log says of one rule in one context.
struct RuleInContext {
    State state = State::unknown;   // of the components alone
    bool is_sent = false;           // alone
    Certificate certificate;        // when it was
};

struct JudgedRule {
    std::vector<RuleInContext> contexts;   // in byte order of their names
    bool is_certified = false;             // in some context
    bool is_order_free = false;            // blocked in another order too, or of one component
    bool is_order_needed = false;
    bool is_named_otherwise = false;       // certified, but a rule that goes by the name in byte order, or is not known to want another one
    bool holds_other = false;              // certified where answers are wrong at times, and so is a rule within it: one of the two slipped through
    /// Whether it is one of the rules of the filter.
    bool is_rule() const { return is_certified && !is_named_otherwise && !holds_other; }
};

/// A rule and what was sent beside it to lift it.
struct ExceptionPair {
    std::string rule;
    std::string context;
    State together = State::unknown;   // of both; unknown also where the rule alone is not surely blocked
    double confidence = 0;             // that the rule alone and every test of the exception would come out the same once more
};

struct JudgedException {
    std::vector<ExceptionPair> pairs;  // in byte order of rule and context
    bool is_certified = false;         // beside some rule: it lets the message pass and nothing less does, all answers together as sure as a rule's
    /// Neither certified nor surely blocked beside each rule.
    bool is_open() const;
};

/// What was sent beside rules of a finished log, by notation. O(pairs).
std::map<std::string, JudgedException> judge_exceptions(const FilterLog& log, double confidence);

/// Every subject of a finished log, by notation. O(subjects^2) where answers are wrong at times.
std::map<std::string, JudgedRule> judge_rules(const FilterLog& log, double confidence);

}  // namespace unveil::filter
