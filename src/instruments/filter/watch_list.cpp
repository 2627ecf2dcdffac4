#include "instruments/filter/watch_list.hpp"

#include <algorithm>
#include <cmath>

#include "instruments/filter/certificate.hpp"

namespace unveil::filter {

std::vector<WatchedRule> watch_list(const FilterLog& log, double confidence, std::int64_t now_us) {
    constexpr double day_us = 86'400e6;
    struct Watch {
        WatchedRule rule;
        double days = 0;
    };
    std::vector<Watch> watches;
    double all_days = 0;
    double all_changes = 0;
    for (const auto& [notation, subject] : log.subjects) {
        const auto tests = certificate_tests(subject.components, log.separator);
        bool is_certified = false;
        for (const auto& [context, inputs] : log.book.contexts()) {
            // What left the list since was certified while it stood there: then only its parts are looked at.
            const Certificate certificate = check_certificate(tests, context, log.book, confidence);
            const Answers& whole = log.book.answers(context, tests.front().message);
            is_certified |= certificate.state == CertificateState::certified ||
                            (certificate.state == CertificateState::not_blocked && certificate.tests_made == certificate.tests && !whole.changes.empty());
        }
        if (!is_certified) continue;
        for (const auto& [context, inputs] : log.book.contexts()) {
            const Answers& whole = log.book.answers(context, tests.front().message);
            const State state = log.book.noise().state(whole, confidence);
            if (whole.samples.empty() || state == State::unknown) continue;
            Watch watch;
            watch.rule = {notation, subject.components, context, state == State::blocked, whole.samples.back().time_us, static_cast<std::uint32_t>(whole.changes.size())};
            watch.days = static_cast<double>(whole.samples.back().time_us - whole.samples.front().time_us) / day_us;
            all_days += watch.days;
            all_changes += watch.rule.changes;
            watches.push_back(std::move(watch));
        }
    }
    // Without any time that was watched, one change a year and rule is as good a guess as another.
    constexpr double days_a_year = 365;
    const double days_for_one = all_days > 0 ? std::min(all_days / (all_changes + 0.5), 10 * days_a_year) : days_a_year;
    std::vector<WatchedRule> list;
    for (Watch& watch : watches) {
        watch.rule.hazard_per_day = (watch.rule.changes + 1) / (watch.days + days_for_one);
        const double since = std::max(0.0, static_cast<double>(now_us - watch.rule.last_us) / day_us);
        watch.rule.changed = (1 - std::exp(-2 * watch.rule.hazard_per_day * since)) / 2;
        list.push_back(std::move(watch.rule));
    }
    std::stable_sort(list.begin(), list.end(), [](const WatchedRule& a, const WatchedRule& b) { return a.changed > b.changed; });
    return list;
}

}  // namespace unveil::filter
