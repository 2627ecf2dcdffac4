#include "instruments/filter/watch_list.hpp"

#include "instruments/filter/watch_schedule.hpp"

namespace unveil::filter {

std::vector<WatchedRule> watch_list(const FilterLog& log, double confidence, std::int64_t now_us) {
    WatchSchedule schedule;
    std::vector<WatchedRule> rules;
    for (const auto& [notation, subject] : log.subjects) {
        bool is_certified = false;
        for (const auto& [context, inputs] : log.book.contexts()) {
            // What left the list since was certified while it stood there: then only its parts are looked at.
            const Certificate certificate = log.certificate(subject.components, context, confidence);
            const Answers& whole = log.book.answers(context, log.joined(subject.components, context));
            is_certified |= certificate.state == CertificateState::certified ||
                            (certificate.state == CertificateState::not_blocked && certificate.tests_made == certificate.tests && !whole.changes.empty());
        }
        if (!is_certified) continue;
        for (const auto& [context, inputs] : log.book.contexts()) {
            const Answers& whole = log.book.answers(context, log.joined(subject.components, context));
            const State state = log.state_of(subject.components, context, confidence);
            if (whole.samples.empty() || state == State::unknown) continue;
            const std::size_t rule = schedule.add(subject.components, context);
            rules.push_back({notation, subject.components, context, state == State::blocked, whole.samples.back().time_us, static_cast<std::uint32_t>(whole.changes.size())});
            // Single answers may be wrong; what counts is what the changes say.
            const bool is_blocked_first = whole.changes.empty() ? state == State::blocked : !whole.changes.front().is_added;
            schedule.note(rule, whole.samples.front().time_us, is_blocked_first);
            for (const Change& change : whole.changes) {
                schedule.note(rule, change.after_us, !change.is_added);
                schedule.note(rule, change.before_us, change.is_added);
            }
            schedule.note(rule, whole.samples.back().time_us, whole.changes.empty() ? is_blocked_first : whole.changes.back().is_added);
        }
    }
    std::vector<WatchedRule> list;
    for (const WatchTurn& turn : schedule.rank(now_us, rules.size())) {
        WatchedRule& rule = list.emplace_back(std::move(rules[turn.rule]));
        rule.hazard_per_day = turn.hazard_per_day;
        rule.changed = turn.changed;
        rule.gain_days = turn.gain_days;
    }
    return list;
}

}  // namespace unveil::filter
