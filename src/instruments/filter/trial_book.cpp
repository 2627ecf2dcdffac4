#include "instruments/filter/trial_book.hpp"

#include <algorithm>

#include "core/error.hpp"

namespace unveil::filter {

std::string_view state_name(State state) {
    switch (state) {
        case State::blocked: return "blocked";
        case State::passed: return "passed";
        case State::unknown: return "unknown";
    }
    UNVEIL_ASSERT(false);
    return {};
}

AnswerNoise Noise::answer_noise() const {
    if (is_silent()) return {};
    return {error_rate(slipped, block_controls), error_rate(wrongly_blocked, pass_controls)};
}

double Noise::probability_blocked(const Answers& answers) const { return probability_yes(answers.blocked, answers.passed, answer_noise()); }

State Noise::state(const Answers& answers, double confidence) const {
    const double blocked = probability_blocked(answers);
    if (blocked >= confidence) return State::blocked;
    if (1 - blocked >= confidence) return State::passed;
    return State::unknown;
}

void TrialBook::add(const Trial& trial) {
    ++trials;
    ++by_outcome[std::string(outcome_name(trial.outcome))];
    if (!is_verdict(trial.outcome)) return;
    const bool is_blocked = is_suppressed(trial.outcome);
    if (trial.step == "control" && trial.detail == "block") {
        ++m_noise.block_controls;
        m_noise.slipped += !is_blocked;
    } else if (trial.step == "control" && trial.detail == "pass") {
        ++m_noise.pass_controls;
        m_noise.wrongly_blocked += is_blocked;
    }
    Answers& answers = m_contexts[trial.context][trial.input];
    const Locator here{trial.evidence, trial.row};
    answers.first = answers.tries() == 0 ? here : std::min(answers.first, here);
    ++(is_blocked ? answers.blocked : answers.passed);
}

void TrialBook::finish() {
    for (const auto& [context, inputs] : m_contexts)
        for (const auto& [input, answers] : inputs) {
            m_noise.messages_repeated += answers.tries() > 1;
            m_noise.messages_inconsistent += answers.blocked > 0 && answers.passed > 0;
        }
}

const Answers& TrialBook::answers(const std::string& context, const std::string& input) const {
    static const Answers none;
    const auto inputs = m_contexts.find(context);
    if (inputs == m_contexts.end()) return none;
    const auto found = inputs->second.find(input);
    return found == inputs->second.end() ? none : found->second;
}

}  // namespace unveil::filter
