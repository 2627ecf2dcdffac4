// The record of an experiment: one message that was sent to a platform, why, and what became of it.
// Logs of trials are the evidence of instruments that ask by sending. One JSON object a line; the first line is the header, and
// every later line holds the sha256 of the line before it, so that nothing can be taken out or changed unseen.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "table/context_attributes.hpp"
#include "table/source.hpp"

namespace unveil {

enum class Outcome {
    passed,    // it came through whole
    blocked,   // it did not come through
    partial,   // it came through without `spans`
    rejected,  // not for what it says: too long, too fast
    banned,    // the account, not the message
    error,     // no answer, or one that says nothing
    unknown,   // sent, and the answer was lost: never sent again
};
std::string_view outcome_name(Outcome outcome);
/// What a translator or a search drops in part is suppressed as well.
constexpr bool is_suppressed(Outcome outcome) { return outcome == Outcome::blocked || outcome == Outcome::partial; }
/// Whether it says what the platform does with the message; the others say nothing of it.
constexpr bool is_verdict(Outcome outcome) { return outcome == Outcome::passed || is_suppressed(outcome); }
/// Nothing when no outcome is called so.
bool parse_outcome(std::string_view name, Outcome& outcome);

struct TrialSpan {
    std::uint32_t begin = 0;  // bytes of the input
    std::uint32_t end = 0;
};

struct Trial {
    std::uint32_t evidence = 0;   // position in the run's inputs
    std::uint64_t row = 0;        // data record number from 1; the header is not counted
    std::int64_t time_us = 0;
    std::string context;          // who asks from where: "cn/group"
    std::string account;          // an alias, never a real name
    std::string step;             // what it was sent for: control, isolate, certify, compare, probe, calibrate, track
    std::string subject;          // what it is about: a rule "a + b", or the name of a text
    std::string detail;           // by step: "pass" or "block" for a control, the part left out for certify, the fold for probe
    std::string input;            // the message as it was sent
    Outcome outcome = Outcome::unknown;
    std::vector<TrialSpan> spans; // of partial
    double price = 0;             // in the units of the campaign
    std::string reply_sha256;     // of the raw answer; may be empty
    std::int64_t delay_us = 0;    // from sending to the answer; 0: not measured
    std::int64_t retry_after_us = 0;   // of rejected: it came too fast, and may come again after so long; 0: for what it is
    bool has_warning = false;     // the account was told that it may be shut
    std::string source = {};      // of a text: where it was published and when, "https://example.org/a 2020-01-31"; may be empty
};

/// The first line of a log.
struct TrialLogHeader {
    std::string experiment;   // "filter"
    std::string service;      // what was asked, in the words of whoever asked it
    std::string separator;    // put between the pieces of a message; calibrated to pass and to survive
    std::uint64_t seed = 0;
    ContextAttributes attributes = {};   // of its contexts, as far as whoever ran it said
};

/// Lines without their line feed. Text that is not UTF-8 becomes U+FFFD.
std::string trial_header_line(const TrialLogHeader& header);
/// `previous_sha256` is that of the line before, without its line feed.
std::string trial_line(const Trial& trial, std::string_view previous_sha256);

/// The lines of one log in the making: each knows the one before it.
class TrialChain {
  public:
    explicit TrialChain(const TrialLogHeader& header);
    /// Goes on behind a log whose last line, without its line feed, has this digest.
    explicit TrialChain(std::string last_sha256) : m_last_sha256(std::move(last_sha256)) {}
    /// The header, for a new log.
    const std::string& header_line() const { return m_header_line; }
    std::string append(const Trial& trial);

  private:
    std::string m_header_line;
    std::string m_last_sha256;
};

class TrialSource : public RecordSource {
  public:
    virtual const TrialLogHeader& header() const = 0;
    /// Puts up to batch_trials_max trials in place of what stood there; false at the end. Throws Error(input) for a broken chain.
    virtual bool next(std::vector<Trial>& batch) = 0;
    /// Digest of the last line read that belongs to the chain, so that the log can be gone on with; known at the end.
    virtual const std::string& last_sha256() const = 0;
    static constexpr std::size_t batch_trials_max = 1024;
};

}  // namespace unveil
