// What did the platform do with this message, in this context? All trials of a run, counted by context and message, and the noise
// that the interleaved controls show.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/locator.hpp"
#include "statistics/repeated_answers.hpp"
#include "table/trial.hpp"

namespace unveil::filter {

/// One answer that says what the platform did.
struct Sample {
    std::int64_t time_us = 0;
    Locator where;
    bool is_blocked = false;
    std::uint32_t account = 0;   // of the book
};

/// The platform changed what it does with a message, at some time within these limits.
struct Change {
    bool is_added = false;         // blocked now, and not before
    std::int64_t after_us = 0;     // the last answer of the old kind
    std::int64_t before_us = 0;    // the first of the new kind
};

/// Decided answers to one message in one context; lost and refused ones are not in it. Where the platform changed meanwhile, `blocked` and
/// `passed` count what came since.
struct Answers {
    std::uint32_t blocked = 0;
    std::uint32_t passed = 0;
    Locator first;
    std::vector<Sample> samples;   // by time
    std::vector<Change> changes;
    std::uint32_t tries() const { return blocked + passed; }
};

/// Where the answers, by time, are better explained by a platform that changed its mind than by wrong answers: the segments that maximise the
/// likelihood, each change paid with log(1 / (1 - confidence)) and shown by at least two answers on both sides (penalised
/// likelihood as in Killick, Fearnhead & Eckley 2012, section 2). Positions of the first answer of each later segment. O(n).
std::vector<std::size_t> change_points(const std::vector<Sample>& samples, const AnswerNoise& noise, double confidence);

enum class State { blocked, passed, unknown };
std::string_view state_name(State state);

/// How often answers are wrong, from messages whose true state was known beforehand.
struct Noise {
    std::uint64_t block_controls = 0;    // sent, known to be blocked
    std::uint64_t slipped = 0;           // of them, came through
    std::uint64_t pass_controls = 0;
    std::uint64_t wrongly_blocked = 0;
    std::uint64_t messages_repeated = 0;      // sent more than once in one context
    std::uint64_t messages_inconsistent = 0;  // of them, with different answers that no change explains
    std::uint64_t answers_void = 0;           // from an account that blocked harmless messages too, until the end
    std::uint64_t answers_unfiltered = 0;     // from one that let known blocked messages pass too, until the end

    /// No control and no repeated message ever contradicted another: one answer decides.
    bool is_silent() const { return slipped == 0 && wrongly_blocked == 0 && messages_inconsistent == 0; }
    /// Rates from the controls; none when silent.
    AnswerNoise answer_noise() const;
    double probability_blocked(const Answers& answers) const;
    State state(const Answers& answers, double confidence) const;
};

class TrialBook {
  public:
    void add(const Trial& trial);
    /// Call once after the last add(). `confidence`: of a change of the platform's mind.
    void finish(double confidence);

    const Answers& answers(const std::string& context, const std::string& input) const;
    const Noise& noise() const { return m_noise; }
    /// Contexts in byte order.
    const std::map<std::string, std::map<std::string, Answers>>& contexts() const { return m_contexts; }

    std::uint64_t trials = 0;
    std::map<std::string, std::uint64_t> by_outcome;

  private:
    enum class Known { blocked, passed };
    void leave_out_broken_accounts(const std::string& context, const std::vector<Sample>& all_controls, Known known);

    std::map<std::string, std::map<std::string, Answers>> m_contexts;  // context, input
    std::map<std::string, std::vector<Sample>> m_pass_controls;        // by context
    std::map<std::string, std::vector<Sample>> m_block_controls;
    std::map<std::string, std::uint32_t> m_accounts;
    Noise m_noise;
};

}  // namespace unveil::filter
