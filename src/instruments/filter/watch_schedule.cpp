#include "instruments/filter/watch_schedule.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "table/rule.hpp"

namespace unveil::filter {
namespace {

constexpr std::int64_t day_us = 86'400'000'000;
constexpr std::size_t features_max = 64;    // of one rule

double days_between(std::int64_t from_us, std::int64_t to_us) { return std::max(0.0, static_cast<double>(to_us - from_us) / static_cast<double>(day_us)); }

/// Pairs of neighbouring characters; of a component of one, that.
std::vector<std::string> character_pairs(std::span<const std::string> components) {
    std::vector<std::string> pairs;
    for (const std::string& component : components) {
        std::vector<std::string_view> characters;
        for (std::string_view rest = component; !rest.empty() && characters.size() < features_max; rest.remove_prefix(characters.back().size()))
            characters.push_back(rest.substr(0, std::min(rest.size(), first_character_bytes(rest))));
        if (characters.size() == 1) pairs.emplace_back(characters.front());
        for (std::size_t i = 1; i < characters.size(); ++i) pairs.push_back(std::string(characters[i - 1]) + std::string(characters[i]));
    }
    std::sort(pairs.begin(), pairs.end());
    pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
    if (pairs.size() > features_max) pairs.resize(features_max);
    return pairs;
}

std::string_view shape_of(std::span<const std::string> components) {
    std::size_t digits = 0;
    std::size_t ascii = 0;
    std::size_t all = 0;
    for (const std::string& component : components)
        for (const char c : component) {
            digits += c >= '0' && c <= '9';
            ascii += static_cast<unsigned char>(c) < 0x80;
            ++all;
        }
    return 2 * digits >= all ? "digits" : 2 * ascii >= all ? "letters" : "other";
}

}  // namespace

std::uint32_t WatchSchedule::feature(std::string key, FeatureKind kind) {
    const auto [entry, is_new] = m_feature_ids.try_emplace(std::move(key), static_cast<std::uint32_t>(m_rules_of.size()));
    if (is_new) {
        m_rules_of.emplace_back();
        m_kinds.push_back(kind);
    }
    return entry->second;
}

std::size_t WatchSchedule::add(std::span<const std::string> components, std::string_view context) {
    const std::size_t position = m_rules.size();
    Rule& rule = m_rules.emplace_back();
    rule.context = m_contexts.try_emplace(std::string(context), static_cast<std::uint32_t>(m_contexts.size())).first->second;
    for (const std::string& pair : character_pairs(components)) rule.features.push_back(feature(fmt::format("{} c {}", rule.context, pair), FeatureKind::characters));
    rule.features.push_back(feature(fmt::format("{} s {}", rule.context, shape_of(components)), FeatureKind::shape));
    for (const std::uint32_t own : rule.features) m_rules_of[own].push_back(static_cast<std::uint32_t>(position));
    return position;
}

void WatchSchedule::enter_cohort(std::size_t rule, std::int64_t time_us) {
    Rule& own = m_rules[rule];
    own.cohort_before = own.cohort;
    own.cohort = feature(fmt::format("{} d {}", own.context, time_us / day_us), FeatureKind::cohort);
    m_rules_of[own.cohort].push_back(static_cast<std::uint32_t>(rule));
}

void WatchSchedule::note(std::size_t rule, std::int64_t time_us, bool is_blocked) {
    Rule& own = m_rules[rule];
    if (!own.has_answer) {
        enter_cohort(rule, time_us);
        own.has_answer = true;
        own.first_us = own.last_us = time_us;
        own.is_blocked = is_blocked;
        return;
    }
    if (time_us - own.first_us >= day_us) m_asked_again_us = std::min(m_asked_again_us, time_us);
    if (is_blocked != own.is_blocked) {
        own.changes.push_back({is_blocked, own.last_us, time_us});
        enter_cohort(rule, time_us);
    }
    own.is_blocked = is_blocked;
    own.last_us = time_us;
}

WatchSchedule::Origin WatchSchedule::origin(const Rule& rule) const {
    return !rule.changes.empty() ? changed_since : rule.first_us < m_asked_again_us ? there : found;
}

WatchSchedule::Rates WatchSchedule::rates() const {
    constexpr double days_a_year = 365;
    Rates events{};
    Rates days{};
    // With a prior hazard of 1 / (age + 1 day), so many changes would have been expected of those whose age is known.
    double expected = 0;
    double all_events = 0;
    double all_days = 0;
    double aged_events = 0;
    const auto prior_between = [](double from, double to) { return std::log1p(to) - std::log1p(from); };
    for (const Rule& rule : m_rules) {
        if (!rule.has_answer) continue;
        std::int64_t begin_us = rule.first_us;
        for (std::size_t i = 0; i <= rule.changes.size(); ++i) {
            const Change* change = i < rule.changes.size() ? &rule.changes[i] : nullptr;
            const Origin from = i > 0 ? changed_since : rule.first_us < m_asked_again_us ? there : found;
            const bool is_blocked = change != nullptr ? !change->is_added : rule.is_blocked;
            const double sure = days_between(begin_us, change != nullptr ? change->after_us : rule.last_us);
            const double end = change != nullptr ? days_between(begin_us, change->before_us) : sure;
            const double middle = (sure + end) / 2;
            const double event_prior = prior_between(sure, end);
            for (std::size_t age = 0; age < age_days.size() && (age_days[age] < end || (age == 0 && change != nullptr)); ++age) {
                const double next = age + 1 < age_days.size() ? age_days[age + 1] : HUGE_VAL;
                days[from][is_blocked][age] += std::max(0.0, std::min(next, middle) - age_days[age]);
                if (change == nullptr) continue;
                const double low = std::max(sure, age_days[age]);
                const double high = std::min(end, next);
                // Answers of one moment contradict each other: it changed there.
                events[from][is_blocked][age] += event_prior > 0 ? (high > low ? prior_between(low, high) / event_prior : 0) : age == 0 ? 1 : 0;
            }
            all_events += change != nullptr;
            all_days += middle;
            if (from != there) {
                aged_events += change != nullptr;
                expected += prior_between(0, middle);
            }
            if (change != nullptr) begin_us = change->before_us;
        }
    }
    // How old those are that were there is not known: one class.
    for (std::size_t state = 0; state < 2; ++state)
        for (Rates* sums : {&events, &days}) {
            auto& ages = (*sums)[there][state];
            double all = 0;
            for (const double one : ages) all += one;
            ages.fill(all);
        }
    // Without any time that was watched, one change a year and rule is as good a guess as another.
    const double rate = all_days > 0 ? std::max((all_events + 0.5) / all_days, 0.1 / days_a_year / 1000) : 1 / days_a_year;
    // Before anything is known, those of known age are as the others at thirty days.
    constexpr double usual_age_days = 30;
    const double aged_rate = (aged_events + 0.5) / (expected + 0.5 / (rate * usual_age_days));
    Rates result{};
    for (std::size_t from = 0; from < origins; ++from)
        for (std::size_t state = 0; state < 2; ++state)
            for (std::size_t age = 0; age < age_days.size(); ++age) {
                const double middle = age + 1 < age_days.size() ? (age_days[age] + age_days[age + 1]) / 2 : 2 * age_days[age];
                const double prior = from == there ? rate : std::max(rate / 2, aged_rate / (1 + middle));
                result[from][state][age] = (events[from][state][age] + 1) / (days[from][state][age] + 1 / prior);
            }
    return result;
}

std::array<std::unordered_map<std::uint32_t, WatchSchedule::Batch>, 2> WatchSchedule::batches() const {
    std::array<std::unordered_map<std::uint32_t, Batch>, 2> result;
    std::int64_t oldest_us = INT64_MAX;
    for (const Rule& rule : m_rules)
        if (rule.has_answer) oldest_us = std::min(oldest_us, rule.last_us);
    std::vector<std::size_t> finds;
    for (std::size_t i = 0; i < m_rules.size(); ++i)
        if (!m_rules[i].changes.empty() && m_rules[i].changes.back().before_us >= oldest_us) finds.push_back(i);
    std::stable_sort(finds.begin(), finds.end(), [&](std::size_t a, std::size_t b) { return m_rules[a].changes.back().before_us < m_rules[b].changes.back().before_us; });
    for (const std::size_t find : finds) {
        const Change& change = m_rules[find].changes.back();
        const auto join = [&](std::uint32_t own) {
            Batch& batch = result[change.is_added][own];
            // One that was seen unchanged after the others had changed belongs to another batch.
            if (batch.finds == 0 || change.after_us >= batch.before_us) batch = {1, change.after_us, change.before_us, 0};
            else {
                ++batch.finds;
                batch.after_us = std::max(batch.after_us, std::min(change.after_us, batch.before_us - 1));
            }
        };
        for (const std::uint32_t own : m_rules[find].features) join(own);
        join(m_rules[find].cohort_before);
    }
    constexpr double usual_batch = 3;
    for (const bool is_added : {false, true})
        for (auto& [own, batch] : result[is_added]) {
            std::uint32_t in_vain = 0;
            std::uint32_t others = 0;
            for (const std::uint32_t rule : m_rules_of[own]) {
                if (m_rules[rule].is_blocked == is_added || !m_rules[rule].has_answer) continue;
                if (m_kinds[own] == FeatureKind::cohort && m_rules[rule].cohort != own) continue;
                ++others;
                in_vain += m_rules[rule].last_us >= batch.before_us;
            }
            const double prior = m_kinds[own] == FeatureKind::characters ? std::min(0.5, usual_batch / (others + batch.finds)) : 0;
            batch.chance = (batch.finds - 1 + prior) / (batch.finds - 1 + in_vain + 1.0);
        }
    return result;
}

std::vector<WatchTurn> WatchSchedule::rank(std::int64_t now_us, std::size_t turns_max) const {
    const Rates hazards = rates();
    const auto companies = batches();
    double since_all = 0;
    std::size_t answered = 0;
    for (const Rule& rule : m_rules)
        if (rule.has_answer) {
            since_all += days_between(rule.last_us, now_us);
            ++answered;
        }
    const double since_mean = answered == 0 ? 0 : since_all / static_cast<double>(answered);
    std::vector<WatchTurn> turns;
    turns.reserve(answered);
    for (std::size_t i = 0; i < m_rules.size(); ++i) {
        const Rule& rule = m_rules[i];
        if (!rule.has_answer) continue;
        const auto hazard_at = [&](Origin from, bool is_blocked) -> const auto& { return hazards[from][is_blocked]; };
        // What a rule of its kind would have done in its time.
        const auto sum_over = [&](const auto& rate, double from, double to, auto&& each) {
            for (std::size_t age = 0; age < age_days.size(); ++age) {
                const double low = std::max(from, age_days[age]);
                const double high = std::min(to, age + 1 < age_days.size() ? age_days[age + 1] : HUGE_VAL);
                if (high > low) each(rate[age], high - low);
            }
        };
        double expected = 0;
        std::int64_t begin_us = rule.first_us;
        for (std::size_t k = 0; k <= rule.changes.size(); ++k) {
            const bool is_last = k == rule.changes.size();
            const auto& rate = hazard_at(k > 0 ? changed_since : rule.first_us < m_asked_again_us ? there : found, is_last ? rule.is_blocked : !rule.changes[k].is_added);
            const std::int64_t end_us = is_last ? rule.last_us : rule.changes[k].before_us;
            sum_over(rate, 0, days_between(begin_us, end_us), [&](double hazard, double span) { expected += hazard * span; });
            if (!is_last) begin_us = end_us;
        }
        const double own = (static_cast<double>(rule.changes.size()) + 0.5) / (expected + 0.5);
        const double age_then = days_between(begin_us, rule.last_us);
        const double since = days_between(rule.last_us, now_us);
        WatchTurn turn;
        turn.rule = i;
        double sum = 0;
        double area = 0;
        double chance = 0;
        sum_over(hazard_at(origin(rule), rule.is_blocked), age_then, age_then + since, [&](double hazard, double span) {
            turn.hazard_per_day = own * hazard;
            sum += turn.hazard_per_day * span;
            const double after = 1 - std::exp(-sum);
            area += (chance + after) / 2 * span;
            chance = after;
        });
        double company = 0;
        const auto& finds = companies[!rule.is_blocked];
        const auto look_at = [&](std::uint32_t feature) {
            const auto batch = finds.find(feature);
            if (batch == finds.end() || rule.last_us >= batch->second.before_us) return;
            const double window = static_cast<double>(batch->second.before_us - batch->second.after_us);
            const double left = static_cast<double>(batch->second.before_us - std::max(batch->second.after_us, rule.last_us));
            company = std::max(company, batch->second.chance * left / window);
        };
        if (!finds.empty()) {
            for (const std::uint32_t feature : rule.features) look_at(feature);
            look_at(rule.cohort);
        }
        // It may have changed and changed back.
        turn.changed = 1 - (1 + std::exp(-2 * sum)) / 2 * (1 - company);
        turn.gain_days = std::max(0.0, since * chance - area) + company * since_mean;
        turns.push_back(turn);
    }
    const std::size_t wanted = std::min(turns_max, turns.size());
    // Of equal worth: the longest not asked.
    const auto is_better = [&](const WatchTurn& a, const WatchTurn& b) {
        if (a.gain_days != b.gain_days) return a.gain_days > b.gain_days;
        if (m_rules[a.rule].last_us != m_rules[b.rule].last_us) return m_rules[a.rule].last_us < m_rules[b.rule].last_us;
        return a.rule < b.rule;
    };
    std::partial_sort(turns.begin(), turns.begin() + static_cast<std::ptrdiff_t>(wanted), turns.end(), is_better);
    turns.resize(wanted);
    return turns;
}

}  // namespace unveil::filter
