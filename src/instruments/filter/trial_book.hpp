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

/// Decided answers to one message in one context; lost and refused ones are not in it.
struct Answers {
    std::uint32_t blocked = 0;
    std::uint32_t passed = 0;
    Locator first;
    std::uint32_t tries() const { return blocked + passed; }
};

enum class State { blocked, passed, unknown };
std::string_view state_name(State state);

/// How often answers are wrong, from messages whose true state was known beforehand.
struct Noise {
    std::uint64_t block_controls = 0;    // sent, known to be blocked
    std::uint64_t slipped = 0;           // of them, came through
    std::uint64_t pass_controls = 0;
    std::uint64_t wrongly_blocked = 0;
    std::uint64_t messages_repeated = 0;      // sent more than once in one context
    std::uint64_t messages_inconsistent = 0;  // of them, with different answers

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
    /// Call once after the last add().
    void finish();

    const Answers& answers(const std::string& context, const std::string& input) const;
    const Noise& noise() const { return m_noise; }
    /// Contexts in byte order.
    const std::map<std::string, std::map<std::string, Answers>>& contexts() const { return m_contexts; }

    std::uint64_t trials = 0;
    std::map<std::string, std::uint64_t> by_outcome;

  private:
    std::map<std::string, std::map<std::string, Answers>> m_contexts;  // context, input
    Noise m_noise;
};

}  // namespace unveil::filter
