#include "instruments/filter/rule_sets.hpp"

#include "statistics/multiple_testing.hpp"
#include "statistics/sign_test.hpp"

namespace unveil::filter {

std::vector<ContextPair> compare_contexts(std::span<const RuleStates> rules, std::size_t contexts) {
    std::vector<ContextPair> pairs;
    std::vector<double> p;
    for (std::size_t a = 0; a < contexts; ++a)
        for (std::size_t b = a + 1; b < contexts; ++b) {
            ContextPair pair{.a = a, .b = b};
            for (const RuleStates& rule : rules) {
                const State x = rule.states[a];
                const State y = rule.states[b];
                if (x == State::unknown || y == State::unknown) continue;
                const bool is_in_a = x == State::blocked;
                const bool is_in_b = y == State::blocked;
                ++(is_in_a ? (is_in_b ? pair.both : pair.only_a) : (is_in_b ? pair.only_b : pair.neither));
            }
            pair.p = sign_test_p(pair.only_a, pair.only_b);
            p.push_back(pair.p);
            pairs.push_back(pair);
        }
    const auto adjusted = holm(p);
    for (std::size_t i = 0; i < pairs.size(); ++i) pairs[i].p_holm = adjusted[i];
    return pairs;
}

std::vector<std::size_t> group_contexts(std::span<const RuleStates> rules, std::size_t contexts) {
    std::vector<std::vector<std::size_t>> groups;
    std::vector<std::size_t> group_of(contexts);
    const auto agrees = [&](std::size_t a, std::size_t b, bool& has_common) {
        for (const RuleStates& rule : rules) {
            if (rule.states[a] == State::unknown || rule.states[b] == State::unknown) continue;
            has_common = true;
            if (rule.states[a] != rule.states[b]) return false;
        }
        return true;
    };
    for (std::size_t context = 0; context < contexts; ++context) {
        std::size_t found = groups.size();
        for (std::size_t g = 0; g < groups.size() && found == groups.size(); ++g) {
            bool has_common = false;
            bool is_same = true;
            for (const std::size_t member : groups[g]) is_same = is_same && agrees(member, context, has_common);
            if (is_same && has_common) found = g;
        }
        if (found == groups.size()) groups.emplace_back();
        groups[found].push_back(context);
        group_of[context] = found;
    }
    return group_of;
}

}  // namespace unveil::filter
