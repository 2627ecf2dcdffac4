#include "table/trial_book.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <tuple>

#include "core/error.hpp"

namespace unveil::filter {
namespace {

bool is_earlier(const Sample& a, const Sample& b) { return std::tie(a.time_us, a.where) < std::tie(b.time_us, b.where); }

}  // namespace

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
    const std::uint32_t account = m_accounts.emplace(trial.account, m_accounts.size()).first->second;
    const Sample sample{trial.time_us, {trial.evidence, trial.row}, is_blocked, account};
    if (trial.step == "control" && trial.detail == "block") m_block_controls[trial.context].push_back(sample);
    if (trial.step == "control" && trial.detail == "pass") m_pass_controls[trial.context].push_back(sample);
    m_contexts[trial.context][trial.input].samples.push_back(sample);
}

std::vector<std::size_t> change_points(const std::vector<Sample>& samples, const AnswerNoise& noise, double confidence) {
    constexpr std::size_t answers_min = 2;
    const std::size_t n = samples.size();
    if (n < 2 * answers_min || noise.is_silent()) return {};
    const double penalty = -std::log(1 - confidence);
    const auto cost = [&](bool is_blocked, bool is_listed) {
        return -std::log(is_listed ? (is_blocked ? 1 - noise.miss_rate : noise.miss_rate) : (is_blocked ? noise.false_alarm_rate : 1 - noise.false_alarm_rate));
    };
    struct Path {
        double cost = 0;
        std::vector<std::size_t> changes;
    };
    // By the state that a segment has, and whether it is old enough to end.
    std::array<Path, 2> settled{};
    std::array<Path, 2> young{};
    for (const bool is_listed : {false, true}) {
        young[is_listed].cost = cost(samples[0].is_blocked, is_listed);
        settled[is_listed].cost = std::numeric_limits<double>::infinity();
    }
    for (std::size_t i = 1; i < n; ++i) {
        std::array<Path, 2> next_settled = settled;
        std::array<Path, 2> next_young;
        for (const bool is_listed : {false, true}) {
            const double here = cost(samples[i].is_blocked, is_listed);
            if (young[is_listed].cost < settled[is_listed].cost) next_settled[is_listed] = young[is_listed];
            next_settled[is_listed].cost += here;
            next_young[is_listed] = settled[!is_listed];
            next_young[is_listed].cost += here + penalty;
            next_young[is_listed].changes.push_back(i);
        }
        settled = std::move(next_settled);
        young = std::move(next_young);
    }
    return settled[true].cost < settled[false].cost ? settled[true].changes : settled[false].changes;
}

/// The controls of one kind, by account: when the last ones were all answered wrongly, the account answered so ever since the last good one.
void TrialBook::leave_out_broken_accounts(const std::string& context, const std::vector<Sample>& all_controls, Known known) {
    const bool is_block = known == Known::blocked;
    std::map<std::uint32_t, std::vector<Sample>> by_account;
    for (const Sample& control : all_controls) by_account[control.account].push_back(control);
    // Where there are several accounts the campaign leaves one that blocks all after three.
    const std::size_t wrong_in_row_min = !is_block && by_account.size() > 1 ? 3 : 4;
    for (auto& [account, controls] : by_account) {
        std::sort(controls.begin(), controls.end(), is_earlier);
        std::size_t good = controls.size();
        while (good > 0 && controls[good - 1].is_blocked != is_block) --good;
        if (controls.size() - good < wrong_in_row_min) good = controls.size();
        (is_block ? m_noise.block_controls : m_noise.pass_controls) += good;
        for (std::size_t i = 0; i < good; ++i) (is_block ? m_noise.slipped : m_noise.wrongly_blocked) += controls[i].is_blocked != is_block;
        if (good == controls.size()) continue;
        for (auto& [input, answers] : m_contexts[context])
            (is_block ? m_noise.answers_unfiltered : m_noise.answers_void) += std::erase_if(answers.samples, [&, account = account, &controls = controls](const Sample& sample) {
                return sample.is_blocked != is_block && sample.account == account && (good == 0 || is_earlier(controls[good - 1], sample));
            });
    }
}

void TrialBook::finish(double confidence) {
    for (const auto& [context, controls] : m_pass_controls) leave_out_broken_accounts(context, controls, Known::passed);
    for (const auto& [context, controls] : m_block_controls) leave_out_broken_accounts(context, controls, Known::blocked);
    const AnswerNoise noise{error_rate(m_noise.slipped, m_noise.block_controls), error_rate(m_noise.wrongly_blocked, m_noise.pass_controls)};
    for (auto& [context, inputs] : m_contexts)
        for (auto& [input, answers] : inputs) {
            auto& samples = answers.samples;
            if (samples.empty()) continue;
            std::sort(samples.begin(), samples.end(), is_earlier);
            answers.first = std::min_element(samples.begin(), samples.end(), [](const auto& a, const auto& b) { return a.where < b.where; })->where;
            const auto changes = change_points(samples, noise, confidence);
            bool is_inconsistent = false;
            for (std::size_t i = 0; i < samples.size(); ++i) {
                const bool is_change = std::find(changes.begin(), changes.end(), i) != changes.end();
                if (is_change) {
                    answers.changes.push_back({samples[i].is_blocked, samples[i - 1].time_us, samples[i].time_us});
                    answers.blocked = answers.passed = 0;
                }
                ++(samples[i].is_blocked ? answers.blocked : answers.passed);
                is_inconsistent |= answers.blocked > 0 && answers.passed > 0;
            }
            m_noise.messages_repeated += samples.size() > 1;
            m_noise.messages_inconsistent += is_inconsistent;
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
