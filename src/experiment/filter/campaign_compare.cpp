// The part of a campaign that asks about the rules found: for whom they hold, in which order, within longer words, and in other spellings.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "experiment/filter/campaign.hpp"
#include "experiment/filter/characters.hpp"
#include "experiment/filter/folds.hpp"
#include "table/reading.hpp"
#include "table/rule.hpp"
#include "table/spelling.hpp"

namespace unveil {
namespace {

/// Certified rules, each notation once.
std::vector<std::size_t> distinct_rules(const std::vector<FoundRule>& rules) {
    std::vector<std::size_t> distinct;
    std::set<std::string> seen;
    for (std::size_t i = 0; i < rules.size(); ++i)
        if (rules[i].is_certified && seen.insert(rules[i].notation).second) distinct.push_back(i);
    return distinct;
}

/// Whether a message of `rule` holds all of `other`, so that one may be blocked for the other.
bool is_within(const FoundRule& other, const FoundRule& rule) {
    return std::all_of(other.components.begin(), other.components.end(), [&](const std::string& component) {
        return std::any_of(rule.components.begin(), rule.components.end(), [&](const std::string& longer) { return longer.find(component) != std::string::npos; });
    });
}

template <typename T>
void shuffle(std::vector<T>& items, Random& random) {
    for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[random.below(i)]);
}

}  // namespace

/// A rule that is what it was costs one message. Another answer is asked for again at once, so that two show the change.
Dialogue<bool> Campaign::track() {
    constexpr int tries = 3;
    for (const TrackedRule& rule : m_plan.tracked) {
        auto preparing = prepare(rule.context);
        if (!co_await preparing) {
            if (!m_refusal.empty()) co_return false;
            continue;
        }
        const Verdict expected = rule.is_blocked ? Verdict::blocked : Verdict::passed;
        for (int i = 0; i < tries; ++i) {
            auto asking = ask_alone("track", rule.components, rule.context);
            const Verdict verdict = co_await asking;
            if (!m_refusal.empty()) co_return false;
            if (verdict == expected || verdict == Verdict::none || verdict == Verdict::rejected) break;
        }
    }
    co_return true;
}

Dialogue<bool> Campaign::compare() {
    const auto distinct = distinct_rules(m_rules);
    if (m_plan.contexts.size() < 2 || distinct.empty()) co_return true;
    std::vector<std::string> contexts;
    for (const auto& context : m_plan.contexts) {
        auto preparing = prepare(context);
        const bool is_ready = co_await preparing;
        if (!m_refusal.empty()) co_return false;
        if (is_ready) contexts.push_back(context);
    }
    std::vector<std::pair<std::size_t, std::string>> order;
    for (const std::size_t rule : distinct)
        for (const auto& context : contexts) order.emplace_back(rule, context);
    shuffle(order, m_random);
    for (const auto& [rule, context] : order) {
        auto asking = ask_alone("compare", m_rules[rule].components, context);
        (void)co_await asking;
        if (!m_refusal.empty()) co_return false;
    }
    // What came before a separator was found there.
    for (const auto& [rule, context] : order) {
        if (!ground(context).separator || m_asked.count({context, joined(m_rules[rule].components, context)}) > 0) continue;
        auto asking = ask_alone("compare", m_rules[rule].components, context);
        (void)co_await asking;
        if (!m_refusal.empty()) co_return false;
    }
    // What is blocked elsewhere may be so for a rule within it that holds only there.
    const auto is_blocked = [&](const FoundRule& rule, const std::string& context) {
        return is_told_apart(rule.components, context) && probability_blocked({context, "", "", "", joined(rule.components, context)}) > 0.5;
    };
    for (const auto& [rule, context] : order) {
        const FoundRule& one = m_rules[rule];
        if (one.context == context || !is_blocked(one, context)) continue;
        const bool is_doubtful = std::any_of(distinct.begin(), distinct.end(), [&](std::size_t other) {
            return other != rule && is_within(m_rules[other], one) && is_blocked(m_rules[other], context);
        });
        if (!is_doubtful) continue;
        auto certifying = certify(one.components, context);
        (void)co_await certifying;
        if (!m_refusal.empty()) co_return false;
    }
    // What passes in a context whose separator is a longer one may do so because its words stand too far apart.
    for (const auto& [rule, context] : order) {
        const FoundRule one = m_rules[rule];
        const std::string separator = separator_in(context);
        if (one.components.size() < 2 || !is_told_apart(one.components, context) || probability_blocked({context, "", "", "", joined(one.components, context)}) >= 0.5) continue;
        for (const auto& other : contexts) {
            if (separator_in(other) == separator || !is_blocked(one, other)) continue;
            auto asking = ask_published({other, "compare", one.notation, "as in " + context, join_pieces(one.components, separator)}, 1 - m_plan.confidence);
            (void)co_await asking;
            if (!m_refusal.empty()) co_return false;
        }
    }
    auto assuring = assure_differences(order, contexts);
    if (!co_await assuring) co_return false;
    // Few messages go to the other contexts, maybe none of them a control: the last answers are as good as those of known messages after them.
    for (const auto& context : contexts)
        for (const bool is_block : {true, false}) {
            if (context == m_plan.contexts.front() || (is_block && !is_known_blocked_in(context))) continue;
            auto known = control(context, is_block);
            if (!co_await known) co_return false;
        }
    co_return true;
}

/// Where answers are wrong at times, some state among many will be wrong however sure each is. So that two contexts count as different, a few rules that tell them
/// apart are asked for until they are sure among all that were compared.
Dialogue<bool> Campaign::assure_differences(std::vector<std::pair<std::size_t, std::string>> order, std::vector<std::string> contexts) {
    if (!has_faults()) co_return true;
    constexpr std::uint32_t rules_each = 3;
    const double comparisons = static_cast<double>(order.size() * (contexts.size() - 1));
    std::map<std::pair<std::string, std::string>, std::uint32_t> assured;    // by pair of contexts
    std::set<std::size_t> done;
    for (const auto& [rule, somewhere] : order) {
        const FoundRule one = m_rules[rule];
        if (!done.insert(rule).second) continue;
        std::map<std::string, bool> is_blocked;
        for (const auto& context : contexts) {
            if (!is_told_apart(one.components, context)) continue;
            const double blocked = probability_blocked({context, "", "", "", joined(one.components, context)});
            if (std::max(blocked, 1 - blocked) > 0.9) is_blocked[context] = blocked > 0.5;
        }
        std::set<std::string> telling;
        for (const auto& [a, in_a] : is_blocked)
            for (const auto& [b, in_b] : is_blocked)
                if (a < b && in_a != in_b && assured[{a, b}]++ < rules_each) telling.insert({a, b});
        for (const auto& context : telling) {
            const Published published{{context, "compare", one.notation, "", joined(one.components, context)}, (1 - m_plan.confidence) / (4 * comparisons)};
            auto settling = settle_one(published);
            (void)co_await settling;
            if (!m_refusal.empty()) co_return false;
        }
    }
    co_return true;
}

Dialogue<bool> Campaign::try_orders() {
    if (!m_plan.looks_for_order) co_return true;
    for (const std::size_t rule : distinct_rules(m_rules)) {
        std::vector<std::string> reversed(m_rules[rule].components.rbegin(), m_rules[rule].components.rend());
        if (reversed.size() < 2) continue;
        auto asking = ask_published({m_rules[rule].context, "order", m_rules[rule].notation, "reversed", joined(reversed, m_rules[rule].context)}, 1 - m_plan.confidence);
        (void)co_await asking;
        if (!m_refusal.empty()) co_return false;
    }
    co_return true;
}

Dialogue<Campaign::Verdict> Campaign::ask_further(FoundRule rule, FurtherTest test) {
    const std::string message = further_message(test, rule.components, separator_in(rule.context), m_plan.known_passed);
    if (message.empty()) co_return Verdict::none;
    auto asking = ask_published({rule.context, "further", rule.notation, further_test_name(test), message}, 1 - m_plan.confidence);
    co_return co_await asking;
}

Dialogue<bool> Campaign::try_further() {
    constexpr std::size_t gap_min = 8;
    const auto wants = [&](FurtherKind kind) { return m_plan.further.count(kind) > 0; };
    std::set<std::string> seen;
    for (std::size_t r = 0; r < m_rules.size() && !m_plan.further.empty(); ++r) {
        const FoundRule rule = m_rules[r];
        const std::size_t size = rule.components.size();
        if (!rule.is_certified || !seen.insert(rule.notation).second) continue;
        bool is_divided = false;
        for (std::size_t i = 1; i <= size && wants(FurtherKind::split) && !is_divided; ++i) {
            auto asking = ask_further(rule, {FurtherKind::split, i});
            is_divided = co_await asking == Verdict::blocked;
            if (!m_refusal.empty()) co_return false;
        }
        if (is_divided) {
            m_rules[r].is_certified = false;
            auto finding = find_rule(rule.text_name, joined(rule.components, rule.context), rule.context);
            (void)co_await finding;
            if (!m_refusal.empty()) co_return false;
            continue;
        }
        // Nothing wants an order when all of them the other way round are blocked.
        const std::vector<std::string> reversed(rule.components.rbegin(), rule.components.rend());
        const bool is_free = probability_blocked({rule.context, "", "", "", joined(reversed, rule.context)}) > 0.5;
        for (std::size_t i = 1; i < size && wants(FurtherKind::swap) && !is_free; ++i) {
            auto asking = ask_further(rule, {FurtherKind::swap, i});
            (void)co_await asking;
            if (!m_refusal.empty()) co_return false;
        }
        // As far as may be, then half as far until it is blocked.
        Verdict verdict = Verdict::passed;
        std::size_t passed = 0;    // the least gap at which it did
        for (std::size_t gap = m_plan.gap_characters; gap >= gap_min && size > 1 && wants(FurtherKind::gap) && verdict != Verdict::blocked; gap /= 2) {
            auto asking = ask_further(rule, {FurtherKind::gap, gap});
            verdict = co_await asking;
            if (!m_refusal.empty()) co_return false;
            if (verdict == Verdict::passed) passed = gap;
        }
        if (passed > 0) {
            const auto characters = characters_of(m_plan.known_passed).size();
            std::string text = separator_in(rule.context);
            for (std::size_t sent = 0; sent < passed; sent += characters) text += m_plan.known_passed + separator_in(rule.context);
            auto asking = ask_together(rule, passed, text);
            if (!co_await asking) co_return false;
        }
        if (!wants(FurtherKind::bare)) continue;
        auto asking = ask_further(rule, {FurtherKind::bare, 0});
        (void)co_await asking;
        if (!m_refusal.empty()) co_return false;
    }
    co_return true;
}

Dialogue<bool> Campaign::try_shapes() {
    struct Shape {
        std::size_t rule;
        std::string context;
        bool is_before;
    };
    std::vector<Shape> shapes;
    std::uint32_t rules = 0;
    for (const std::size_t rule : distinct_rules(m_rules)) {
        if (rules == m_plan.shape_rules) break;
        if (m_rules[rule].components.size() != 1) continue;
        ++rules;
        for (const auto& context : m_plan.contexts) {
            if (ground(context).is_closed || probability_blocked({context, "", "", "", m_rules[rule].components.front()}) < 0.5) continue;
            for (const bool is_before : {true, false}) shapes.push_back({rule, context, is_before});
        }
    }
    shuffle(shapes, m_random);
    for (const Shape& shape : shapes) {
        const std::string& word = m_rules[shape.rule].components.front();
        Message message{shape.context, "shape", m_rules[shape.rule].notation, shape.is_before ? "letter before" : "letter behind",
                        shape.is_before ? "x" + word : word + "x"};
        auto asking = ask_published(std::move(message), 1 - m_plan.confidence);
        (void)co_await asking;
        if (!m_refusal.empty()) co_return false;
    }
    co_return true;
}

Dialogue<bool> Campaign::ask_together(FoundRule rule, std::size_t characters, std::string text) {
    const std::string together = joined(rule.components, rule.context);
    const std::string once = text;
    for (std::size_t gap = 2; gap < rule.components.size(); ++gap) text += once;
    for (const bool is_before : {true, false}) {
        auto asking = ask_published({rule.context, "apart", rule.notation, fmt::format("{} {}", characters, is_before ? "before" : "behind"), is_before ? text + together : together + text},
                                    1 - m_plan.confidence);
        (void)co_await asking;
        if (!m_refusal.empty()) co_return false;
    }
    co_return true;
}

Dialogue<bool> Campaign::try_distances() {
    // From far to near: what is blocked is so at less.
    constexpr std::array<std::size_t, 3> distances = {1000, 100, 10};
    std::uint32_t rules = 0;
    for (const std::size_t rule : distinct_rules(m_rules)) {
        const FoundRule found = m_rules[rule];
        const bool is_harmless_apart = std::none_of(found.components.begin(), found.components.end(), [&](const std::string& component) { return m_plan.known_passed.find(component) != std::string::npos; });
        if (found.components.size() < 2 || !ground(found.context).separator || !is_harmless_apart) continue;
        if (rules++ == m_plan.shape_rules) break;
        std::pair<std::size_t, std::string> passed;    // the least distance at which it did, and what stood between
        for (const std::size_t distance : distances) {
            std::string between = separator_in(found.context);
            while (characters_of(between).size() < distance) between += m_plan.known_passed + separator_in(found.context);
            const std::string text = join_pieces(found.components, between);
            if (characters_of(text).size() >= ground(found.context).rejected_characters) continue;
            auto asking = ask_published({found.context, "apart", found.notation, std::to_string(distance), text}, 1 - m_plan.confidence);
            const Verdict verdict = co_await asking;
            if (!m_refusal.empty()) co_return false;
            if (verdict == Verdict::blocked) break;
            if (verdict == Verdict::passed) passed = {distance, between};
        }
        if (passed.first == 0) continue;
        auto asking = ask_together(found, passed.first, passed.second);
        if (!co_await asking) co_return false;
    }
    co_return true;
}

std::vector<Campaign::Probe> Campaign::probes() const {
    std::vector<Probe> all;
    const auto distinct = distinct_rules(m_rules);
    for (const auto& context : m_plan.contexts) {
        if (ground(context).is_closed) continue;
        std::vector<std::pair<std::size_t, std::string>> blocked;   // and what tells them apart by more than spelling
        for (const std::size_t rule : distinct) {
            const auto& components = m_rules[rule].components;
            if (!is_told_apart(components, context) || probability_blocked({context, "", "", "", joined(components, context)}) <= 0.5) continue;
            blocked.emplace_back(rule, rule_notation(filter::broadest_reading(components)));
        }
        for (const Fold& fold : folds()) {
            std::set<std::string> tried;
            for (const auto& [rule, independent] : blocked) {
                if (tried.size() == m_plan.probe_rules) break;
                if (tried.count(independent) > 0) continue;
                auto variant = variant_of(fold.name, m_rules[rule].components, separator_in(context));
                // Another rule that stands in it as it is written would block it by itself.
                const bool is_plain = variant && std::any_of(blocked.begin(), blocked.end(), [&, &independent = independent](const auto& other) {
                    const auto& components = m_rules[other.first].components;
                    return other.second != independent &&
                           std::all_of(components.begin(), components.end(), [&](const std::string& component) { return variant->find(component) != std::string::npos; });
                });
                if (!variant || is_plain) continue;
                tried.insert(independent);
                all.push_back({context, fold.name, m_rules[rule].notation, independent, std::move(*variant)});
            }
        }
    }
    return all;
}

Dialogue<bool> Campaign::probe() {
    if (m_plan.probe_rules == 0) co_return true;
    const auto all = probes();
    std::set<std::pair<std::string, std::string>> without_verdict;   // context and text
    for (;;) {
        // One question of each fold that cannot be told yet: another rule; a rule of which little is known, where answers are wrong at times; once more, where rules contradict each other.
        std::vector<const Probe*> round;
        for (auto begin = all.begin(), end = begin; begin != all.end(); begin = end) {
            end = std::find_if(begin, all.end(), [&](const Probe& one) { return one.context != begin->context || one.fold != begin->fold; });
            const auto tries = [&](const Probe& one) {
                const auto asked = m_asked.find({one.context, one.text});
                return asked == m_asked.end() ? 0 : asked->second.blocked + asked->second.passed;
            };
            const auto blocked = [&](const Probe& one) { return probability_blocked({one.context, "", "", "", one.text}); };
            filter::Reading reading;
            for (auto one = begin; one != end; ++one)
                if (tries(*one) > 0) reading.add(one->fold, one->independent, blocked(*one));
            const auto evidence = reading.folds()[std::string(begin->fold)];
            if (evidence.is_seen_through(m_plan.confidence) || evidence.is_excluded(m_plan.confidence)) continue;
            const std::uint64_t sure_after = evidence.rules_blocked > 0 && evidence.rules_passed > 0 ? 2 : 1;
            const Probe* next = nullptr;
            for (auto one = begin; one != end; ++one) {
                const bool is_sure = tries(*one) >= sure_after && std::min(blocked(*one), 1 - blocked(*one)) <= 1 - m_plan.confidence;
                if (is_sure || tries(*one) >= m_plan.asked_again_max || without_verdict.count({one->context, one->text}) > 0) continue;
                if (next == nullptr || tries(*one) < tries(*next)) next = &*one;
            }
            if (next != nullptr) round.push_back(next);
        }
        if (round.empty()) co_return true;
        shuffle(round, m_random);
        for (const Probe* one : round) {
            auto asking = ask_in_turn({one->context, "probe", one->rule, std::string(one->fold), one->text});
            const Verdict verdict = co_await asking;
            if (!m_refusal.empty()) co_return false;
            if (verdict == Verdict::none || verdict == Verdict::rejected) without_verdict.insert({one->context, one->text});
        }
    }
}

Dialogue<bool> Campaign::settle_one(Published published) {
    bool was_unsure = false;
    for (;;) {
        const double blocked = probability_blocked(published.message);
        if (std::min(blocked, 1 - blocked) <= published.error_max) break;
        const Answers& answers = m_asked[{published.message.context, published.message.input}];
        if (answers.blocked + answers.passed >= m_plan.asked_again_max) break;
        was_unsure = true;
        auto asking = ask(published.message);
        const Verdict verdict = co_await asking;
        if (!m_refusal.empty() || verdict == Verdict::none || verdict == Verdict::rejected) break;
    }
    co_return was_unsure;
}

Dialogue<bool> Campaign::settle() {
    // Controls that are sent meanwhile change the rates, so one round may unsettle what was settled before.
    constexpr int rounds_max = 3;
    for (int round = 0; round < rounds_max; ++round) {
        bool is_all_sure = true;
        for (std::size_t i = 0; i < m_published.size(); ++i) {
            auto settling = settle_one(m_published[i]);
            is_all_sure &= !co_await settling;
            if (!m_refusal.empty()) co_return false;
        }
        if (is_all_sure) break;
    }
    co_return true;
}

Dialogue<bool> Campaign::settle_tests(std::vector<CertificateTest> tests, std::string context) {
    double sure = 1;
    for (const CertificateTest& test : tests) {
        double blocked = 1;
        for (const std::string* text : {&test.message, &test.as_longer_word}) {
            if (m_asked.count({context, *text}) == 0) continue;
            const auto published = std::find_if(m_published.rbegin(), m_published.rend(),
                                                [&](const Published& one) { return one.message.context == context && one.message.input == *text; });
            if (published == m_published.rend()) continue;
            auto settling = settle_one(*published);
            (void)co_await settling;
            if (!m_refusal.empty()) co_return false;
            blocked = std::min(blocked, probability_blocked({context, "", "", "", *text}));
        }
        sure *= test.is_blocked_expected ? blocked : 1 - blocked;
    }
    co_return sure >= m_plan.confidence;
}

Dialogue<bool> Campaign::recheck() {
    if (m_is_rechecked || !has_faults()) co_return true;
    m_is_rechecked = true;
    auto settling = settle();
    if (!co_await settling) co_return false;
    // A message that slipped through may have shown a separator that does not work.
    const filter::FilterLog log = finished_log();
    for (auto& [context, ground] : m_grounds) {
        if (!ground.separator || log.separator(context).state == filter::SeparatorState::calibrated) continue;
        const std::string reason = fmt::format("the separator that was to be used in {} survived by a wrong answer only: asked again it does not", context);
        if (context == m_plan.contexts.front()) {
            m_refusal = reason + "; begin anew, with --passes 3";
            co_return false;
        }
        ground.separator.reset();
        ground.is_refused = true;
        m_notes.push_back(reason + "; nothing is isolated there any more");
    }
    const auto judged = judged_by(log);
    for (std::size_t i = 0; i < m_rules.size(); ++i) m_rules[i].is_certified = m_rules[i].is_certified && judged[i].is_certified;
    co_return true;
}

}  // namespace unveil
