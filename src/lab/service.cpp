#include "lab/service.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "core/error.hpp"
#include "core/random.hpp"
#include "core/text.hpp"
#include "evidence/text_file.hpp"
#include "table/rule.hpp"

namespace unveil {
namespace {

ChatFilter reader_of(std::vector<std::string> folds) {
    ChatFilterRules rules;
    rules.folds = std::move(folds);
    return ChatFilter(std::move(rules));
}

/// Where components of these rules stand, in order and apart; the whole text where one of the rules does not stand in it as it is written, or none is given.
std::vector<TrialSpan> masked(std::string_view text, const std::vector<std::vector<std::string>>& rules) {
    std::vector<TrialSpan> found;
    const auto whole = [&] { return std::vector<TrialSpan>{{0, static_cast<std::uint32_t>(text.size())}}; };
    for (const auto& rule : rules)
        for (const auto& component : rule) {
            std::size_t at = text.find(component);
            if (at == std::string_view::npos) return whole();
            for (; at != std::string_view::npos; at = text.find(component, at + component.size()))
                found.push_back({static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(at + component.size())});
        }
    if (found.empty()) return whole();
    std::sort(found.begin(), found.end(), [](const TrialSpan& a, const TrialSpan& b) { return a.begin < b.begin; });
    std::vector<TrialSpan> spans;
    for (const TrialSpan& span : found)
        if (spans.empty() || span.begin > spans.back().end) spans.push_back(span);
        else spans.back().end = std::max(spans.back().end, span.end);
    return spans;
}

}  // namespace

ServiceRule service_rule_of(std::string_view line_given) {
    constexpr std::string_view unless = " unless ";
    // So that the word is found at the ends too, where a part is missing.
    const std::string padded = fmt::format(" {} ", line_given);
    std::string_view line = padded;
    ServiceRule rule;
    bool is_exception = false;
    for (;;) {
        const auto at = line.find(unless);
        auto components = components_of_public_rule(line.substr(0, at));
        if (components.empty()) return {};
        if (is_exception) rule.exceptions.push_back(std::move(components));
        else rule.components = std::move(components);
        if (at == std::string_view::npos) return rule;
        line.remove_prefix(at + unless.size());
        is_exception = true;
    }
}

ServiceList read_service_list(const std::string& path) {
    ServiceList list;
    const auto lines = read_text_file(path, {});
    const bool is_with_wildcards = has_wildcards(lines);
    for (const NamedText& line : lines) {
        if (line.text.starts_with('#')) continue;
        ServiceRule rule = service_rule_of(line.text);
        if (rule.components.empty())
            throw Error(ErrorKind::input, fmt::format("a part of this rule is empty: {}", printable(line.text, 80)), "Write 'a + b' or 'a + b unless c'", line.name);
        if (is_with_wildcards) {
            const auto is_bound = [](const std::string& component) { return component.front() != '*' || component.back() != '*'; };
            list.word_bound += std::any_of(rule.components.begin(), rule.components.end(), is_bound);
            for (auto& component : rule.components) component = without_wildcards(component);
            for (auto& exception : rule.exceptions)
                for (auto& component : exception) component = without_wildcards(component);
        }
        list.rules.push_back(std::move(rule));
    }
    return list;
}

Service::Service(ServiceRules rules) : m_rules(std::move(rules)), m_reader(reader_of(m_rules.folds)), m_strict_reader(reader_of(strict_folds())), m_accounts(m_rules) {
    for (const double rate : {m_rules.slip_rate, m_rules.false_block_rate, m_rules.missing_share})
        if (!(rate >= 0 && rate <= 1)) throw Error(ErrorKind::usage, fmt::format("{} is no share", rate), "Give a number from 0 to 1");
    if (m_rules.servers == 0) throw Error(ErrorKind::usage, "there is no server", "Give 1 or more");
    for (const ServiceChange& change : m_rules.churn)
        if (!change.context.empty() && m_rules.lists.count(change.context) == 0)
            throw Error(ErrorKind::usage, fmt::format("there is no list for '{}', of which a rule is to change", printable(change.context, 80)), "Give one with its rules");
    std::stable_sort(m_rules.churn.begin(), m_rules.churn.end(), [](const auto& a, const auto& b) { return a.time_us < b.time_us; });
    m_lists = make_lists(m_reader);
    if (m_rules.escalates) m_strict_lists = make_lists(m_strict_reader);
}

std::string Service::notation_of(const ServiceRule& rule) const {
    auto components = rule.components;
    if (!m_rules.is_ordered) std::sort(components.begin(), components.end());
    std::string notation = rule_notation(components);
    for (auto exception : rule.exceptions) {
        std::sort(exception.begin(), exception.end());
        notation += " unless " + rule_notation(exception);
    }
    return notation;
}

Service::List Service::make_list(const std::string& context, const std::vector<ServiceRule>& rules, const ChatFilter& reader) const {
    List list;
    std::vector<std::vector<MatcherRule>> to_match;
    std::vector<std::vector<MatcherRule>> exceptions;
    const auto reading_of = [&](const std::vector<std::string>& without) {
        auto found = std::find_if(list.readings.begin(), list.readings.end(), [&](const Reading& reading) { return reading.without == without; });
        if (found == list.readings.end()) {
            found = list.readings.insert(found, Reading{without, {}, {}, nullptr, nullptr});
            to_match.emplace_back();
            exceptions.emplace_back();
        }
        return static_cast<std::uint32_t>(found - list.readings.begin());
    };
    reading_of({});
    const auto add = [&](const ServiceRule& rule, bool is_listed) {
        std::vector<Exception> own;
        for (const auto& exception : rule.exceptions)
            for (auto& entry : reader.listed(exception)) {
                const std::uint32_t where = reading_of(entry.without);
                own.push_back({where, static_cast<std::uint32_t>(exceptions[where].size())});
                exceptions[where].push_back({std::move(entry.components), false});
            }
        for (auto& entry : reader.listed(rule.components)) {
            const std::uint32_t reading = reading_of(entry.without);
            const auto number = static_cast<std::uint32_t>(list.is_listed.size());
            list.by_notation[notation_of(rule)].push_back(number);
            list.is_listed.push_back(is_listed);
            list.components.push_back(rule.components);
            if (entry.gap > 0) list.readings[reading].gapped.emplace_back(number, entry);
            list.readings[reading].rules.push_back(number);
            to_match[reading].push_back({std::move(entry.components), m_rules.is_ordered});
            list.exceptions_of.push_back(own);
        }
    };
    for (const ServiceRule& rule : rules) add(rule, true);
    for (const ServiceChange& change : m_rules.churn)
        if (change.is_added && (change.context.empty() || change.context == context) && list.by_notation.count(notation_of(change.rule)) == 0) add(change.rule, false);
    for (std::size_t i = 0; i < list.readings.size(); ++i) {
        list.readings[i].matcher = std::make_unique<RuleMatcher>(std::move(to_match[i]));
        list.readings[i].exceptions = std::make_unique<RuleMatcher>(std::move(exceptions[i]));
    }
    return list;
}

Service::Lists Service::make_lists(const ChatFilter& reader) const {
    Lists lists;
    for (const auto& [context, rules] : m_rules.lists) lists.emplace(context, make_list(context, rules, reader));
    return lists;
}

std::vector<SparedRule> Service::spared_rules() const {
    std::vector<SparedRule> spared;
    std::set<std::string> seen;
    const auto look_at = [&](const std::vector<std::string>& components) {
        auto notation = rule_notation(components);
        if (!seen.insert(notation).second) return;
        if (auto folds = m_reader.emptying_folds(components); !folds.empty()) spared.push_back({notation, std::move(folds), false});
        if (!m_rules.escalates) return;
        if (auto folds = m_strict_reader.emptying_folds(components); !folds.empty() && (spared.empty() || spared.back().notation != notation || spared.back().folds != folds))
            spared.push_back({std::move(notation), std::move(folds), true});
    };
    const auto look_at_rule = [&](const ServiceRule& rule) {
        look_at(rule.components);
        for (const auto& exception : rule.exceptions) look_at(exception);
    };
    for (const auto& [context, rules] : m_rules.lists)
        for (const auto& rule : rules) look_at_rule(rule);
    for (const auto& change : m_rules.churn)
        if (change.is_added) look_at_rule(change.rule);
    return spared;
}

void Service::apply(const ServiceChange& change, Lists& lists) const {
    const std::string notation = notation_of(change.rule);
    for (auto& [context, list] : lists) {
        if (!change.context.empty() && change.context != context) continue;
        const auto rules = list.by_notation.find(notation);
        if (rules == list.by_notation.end()) continue;
        for (const std::uint32_t rule : rules->second) list.is_listed[rule] = change.is_added;
    }
}

void Service::advance(std::int64_t time_us) {
    m_now_us = std::max(m_now_us, time_us);
    for (; m_changes_done < m_rules.churn.size() && m_rules.churn[m_changes_done].time_us <= time_us; ++m_changes_done) {
        apply(m_rules.churn[m_changes_done], m_lists);
        apply(m_rules.churn[m_changes_done], m_strict_lists);
    }
}

std::vector<std::vector<std::string>> Service::fitting(const List& list, const ChatFilter& reader, std::string_view text, std::uint32_t server, std::size_t rules_max) const {
    std::vector<std::vector<std::string>> rules;
    std::vector<std::optional<std::string>> readings(list.readings.size());
    const auto read = [&](std::uint32_t reading) -> const std::string& {
        if (!readings[reading]) readings[reading] = reader.normalised(text, list.readings[reading].without);
        return *readings[reading];
    };
    const auto fires = [&](std::uint32_t rule) {
        if (!list.is_listed[rule]) return false;
        if (server > 0 && Random(m_rules.seed ^ 0x5e7fe7, (std::uint64_t{server} << 32) | rule).chance(m_rules.missing_share)) return false;
        const auto& exceptions = list.exceptions_of[rule];
        return std::none_of(exceptions.begin(), exceptions.end(),
                            [&](const Exception& exception) { return list.readings[exception.reading].exceptions->is_in(exception.position, read(exception.reading)); });
    };
    const auto note = [&](std::uint32_t rule) {
        rules.push_back(list.components[rule]);
        return rules.size() == rules_max;
    };
    for (std::uint32_t reading = 0; reading < list.readings.size(); ++reading) {
        const Reading& compared = list.readings[reading];
        if (compared.rules.empty()) continue;
        for (const std::uint32_t match : compared.matcher->matches(read(reading)))
            if (fires(compared.rules[match]) && note(compared.rules[match])) return rules;
        for (const auto& [rule, entry] : compared.gapped)
            if (ChatFilter::holds(read(reading), entry.components, entry.gap, m_rules.is_ordered) && fires(rule) && note(rule)) return rules;
    }
    return rules;
}

std::vector<std::vector<std::string>> Service::fitting(std::string_view context, std::string_view text, bool is_escalated, std::uint32_t server, std::size_t rules_max) const {
    const auto& lists = is_escalated ? m_strict_lists : m_lists;
    auto list = lists.find(context);
    if (list == lists.end()) list = lists.find(std::string_view());
    if (list == lists.end()) return {};
    return fitting(list->second, is_escalated ? m_strict_reader : m_reader, text, server, rules_max);
}

ServiceAnswer Service::answer(std::string_view context, std::string_view account, std::string_view text) {
    Random random(m_rules.seed, m_number++);
    ServiceAnswer answer;
    answer.delay_us = m_rules.delay_us == 0 ? 0 : static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(m_rules.delay_us)));
    const auto server = static_cast<std::uint32_t>(random.below(m_rules.servers));
    const AccountBook::Admission admission = m_accounts.admit(account, text, m_now_us);
    answer.outcome = admission.outcome;
    answer.retry_after_us = admission.retry_after_us;
    if (admission.outcome != Outcome::passed) return answer;
    const bool is_escalated = m_rules.escalates && m_accounts.was_suppressed(account);
    std::vector<std::vector<std::string>> rules;
    const auto decide = [&](std::string_view piece) {
        rules = fitting(context, piece, is_escalated, server, m_rules.kind == ServiceKind::mask ? SIZE_MAX : 1);
        return !rules.empty() ? !random.chance(m_rules.slip_rate) : random.chance(m_rules.false_block_rate);
    };
    if (m_rules.kind == ServiceKind::mask) {
        if (decide(text)) answer.spans = masked(text, rules);
        std::size_t done = 0;
        bool is_any_left = false;
        for (const TrialSpan& span : answer.spans) {
            is_any_left |= span.begin > done;
            answer.text += fmt::format("{}***", text.substr(done, span.begin - done));
            done = span.end;
        }
        is_any_left |= done < text.size();
        answer.text += text.substr(done);
        if (!answer.spans.empty()) answer.outcome = is_any_left ? Outcome::partial : Outcome::blocked;
    } else if (m_rules.kind == ServiceKind::translate) {
        // Line by line, as translators leave them out.
        bool is_any_left = false;
        for (std::size_t begin = 0; begin <= text.size();) {
            const std::size_t end = std::min(text.find('\n', begin), text.size());
            const std::string_view line = text.substr(begin, end - begin);
            if (!line.empty() && decide(line)) {
                answer.spans.push_back({static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)});
            } else {
                is_any_left |= !line.empty();
                if (!answer.text.empty()) answer.text += '\n';
                answer.text += line;
            }
            begin = end + 1;
        }
        if (!answer.spans.empty()) answer.outcome = is_any_left ? Outcome::partial : Outcome::blocked;
    } else if (decide(text)) {
        answer.outcome = Outcome::blocked;
    } else {
        answer.text = m_rules.kind == ServiceKind::search ? fmt::format("results for {}", text) : std::string(text);
    }
    if (answer.outcome == Outcome::blocked) {
        answer.text.clear();
        answer.spans.clear();
    }
    if (!unveil::is_suppressed(answer.outcome)) return answer;
    answer.has_warning = m_accounts.note_suppressed(account, m_now_us);
    return answer;
}

}  // namespace unveil
