// The part of a campaign that reads texts: what blocks them, and what lets them pass in spite of a rule.
#include <fmt/format.h>

#include <algorithm>

#include "core/text.hpp"
#include "experiment/filter/campaign.hpp"
#include "experiment/filter/characters.hpp"

namespace unveil {
namespace {

/// Without its first character the component stands nowhere any more; what else is there stays.
std::string broken(std::string text, const std::string& component, const std::string& separator) {
    const std::size_t first = first_character_bytes(component);
    for (std::size_t at = text.find(component); at != std::string::npos; at = text.find(component, at + separator.size()))
        text.replace(at, first, separator);
    return text;
}

}  // namespace

/// Component-aware search (Xiong & Knockel 2019): the component that starts leftmost among those that are missing is found by which
/// suffixes are blocked (or, for an exception, pass), its end by how much of it is needed, and what lies behind its first character is searched on, so that components
/// may overlap and repeat. Where to cut is chosen by the word model. Whatever is accepted was seen to be blocked; an end may be accepted
/// before a shorter one was seen to pass, when the model is sure, because the certificate will ask for just that.
Dialogue<Campaign::Isolated> Campaign::isolate(Goal goal, std::u32string characters) {
    const WordModel::Text text = m_model.look_at(std::move(characters));
    const std::size_t n = text.characters.size();
    const double share = goal.wanted == Verdict::blocked ? m_cut_share : 1 - m_cut_share;
    std::vector<std::u32string> found;
    std::size_t offset = 0;
    const auto message_of = [&](const std::vector<std::u32string>& parts) {
        std::vector<std::string> all = goal.beside;
        for (const auto& component : found) all.push_back(bytes_of(component));
        for (const auto& part : parts) all.push_back(bytes_of(part));
        return Message{goal.context, goal.step, goal.subject, "", joined(all, goal.context)};
    };
    /// Inside (low, high): where the part below holds the wanted share of the probability.
    const auto cut = [](const std::vector<double>& cumulative, std::size_t low, std::size_t high, double part) {
        const double wanted = cumulative[low] + part * (cumulative[high] - cumulative[low]);
        const auto at = std::lower_bound(cumulative.begin() + static_cast<std::ptrdiff_t>(low) + 1, cumulative.begin() + static_cast<std::ptrdiff_t>(high), wanted);
        auto middle = std::clamp<std::size_t>(static_cast<std::size_t>(at - cumulative.begin()), low + 1, high - 1);
        if (middle > low + 1 && std::abs(cumulative[middle - 1] - wanted) < std::abs(cumulative[middle] - wanted)) --middle;
        return middle;
    };
    for (;;) {
        const std::size_t left = n - offset;
        const WordModel::Starts starts = m_model.starts(text, offset, found);
        // Blocked from `low` on, not from `high` on; place `left` stands for nothing at all.
        bool is_hit = false;
        std::size_t low = 0;
        std::size_t high = found.empty() ? left : left + 1;
        while (high - low > 1) {
            const std::size_t middle = cut(starts.cumulative, low, high, share);
            const Message message = message_of({text.characters.substr(offset + middle)});
            auto asking = ask(message);
            const Verdict verdict = co_await asking;
            if (verdict == Verdict::none || verdict == Verdict::rejected) co_return Isolated{{}, verdict == Verdict::rejected};
            is_hit |= verdict == goal.wanted;
            (verdict == goal.wanted ? low : high) = middle;
        }
        if (low == left) break;
        const std::size_t begin = offset + low;
        const std::u32string behind = text.characters.substr(begin + 1);
        // A length of `short_of` is not enough, one of `enough` is. The last place stands for all that is longer than the model's lengths.
        std::vector<double> lengths = m_model.lengths(text, begin, offset, starts, found);
        const std::size_t modelled = lengths.size() - 1;
        const bool may_be_longer = modelled < n - begin;
        if (may_be_longer) lengths.push_back(lengths.back() * 1.001);
        std::size_t short_of = 0;
        std::size_t enough = lengths.size() - 1;
        while (enough - short_of > 1) {
            constexpr double sure = 0.985;
            const bool is_seen = enough + 1 < lengths.size();
            if (!goal.is_exact && is_seen && lengths[enough] - lengths[enough - 1] >= sure * (lengths[enough] - lengths[short_of])) break;
            const std::size_t length = cut(lengths, short_of, enough, 0.5);
            const Message message = message_of({text.characters.substr(begin, length), behind});
            auto asking = ask(message);
            const Verdict verdict = co_await asking;
            if (verdict == Verdict::none || verdict == Verdict::rejected) co_return Isolated{{}, verdict == Verdict::rejected};
            is_hit |= verdict == goal.wanted;
            (verdict == goal.wanted ? enough : short_of) = length;
        }
        if (may_be_longer && enough > modelled) {
            std::size_t step = 1;
            enough = n - begin;
            while (enough - short_of > 1) {
                const std::size_t length = short_of + std::min(step, (enough - short_of + 1) / 2);
                const Message message = message_of({text.characters.substr(begin, length), behind});
                auto asking = ask(message);
                const Verdict verdict = co_await asking;
                if (verdict == Verdict::none || verdict == Verdict::rejected) co_return Isolated{{}, verdict == Verdict::rejected};
                step = verdict == goal.wanted ? n : step * 2;
                is_hit |= verdict == goal.wanted;
            (verdict == goal.wanted ? enough : short_of) = length;
            }
        }
        if (!is_hit) {
            // Nothing that was sent for this component got the wanted answer: the list may have changed meanwhile.
            const Message message = message_of({text.characters.substr(begin, enough), behind});
            auto asking = ask(message);
            if (co_await asking != goal.wanted) co_return Isolated{};
        }
        found.push_back(text.characters.substr(begin, enough));
        offset = begin + 1;
        if (offset == n) break;
    }
    Isolated isolated;
    for (const auto& component : found) isolated.components.push_back(bytes_of(component));
    co_return isolated;
}

Dialogue<bool> Campaign::all_as_expected(std::vector<CertificateTest> tests, Message like) {
    for (const CertificateTest& test : tests) {
        Message message = like;
        if (message.detail.empty()) message.detail = test.left_out;
        message.input = test.message;
        const double error_max = (1 - m_plan.confidence) / static_cast<double>(2 * tests.size());
        auto asking = ask_published(message, error_max);
        Verdict verdict = co_await asking;
        if (verdict == Verdict::blocked && !test.is_blocked_expected && !test.as_longer_word.empty()) {
            message.detail += ", another letter";
            message.input = test.as_longer_word;
            auto asking_longer = ask_published(message, error_max);
            verdict = co_await asking_longer;
        }
        if (verdict != (test.is_blocked_expected ? Verdict::blocked : Verdict::passed)) co_return false;
    }
    co_return true;
}

Dialogue<bool> Campaign::certify(std::vector<std::string> components, std::string context) {
    auto tests = certificate_tests(components, separator_in(context));
    for (auto& test : inner_tests(components, separator_in(context))) tests.push_back(std::move(test));
    auto asking = all_as_expected(tests, {context, "certify", rule_notation(components), "", ""});
    if (!co_await asking) co_return false;
    // Where answers are wrong at times it must be sure before it counts: it is looked for in all later texts, compared and respelled.
    if (has_faults()) {
        auto settling = settle_tests(tests, context);
        if (!co_await settling) co_return false;
    }
    // A rule of one character has no test that must pass; an account that is shut would certify it.
    if (tests.size() == 1) {
        auto known = control(context, false);
        if (!co_await known) co_return false;
    }
    // For a few messages everything may have been blocked, or this one was read together with the one before it.
    auto asking_again = all_as_expected({tests.front()}, {context, "certify", rule_notation(components), "", ""});
    co_return co_await asking_again;
}

std::optional<std::size_t> Campaign::known_rule_in(const std::string& text, const std::string& context) const {
    if (!m_plan.uses_memory) return {};
    for (std::size_t i = 0; i < m_rules.size(); ++i)
        if (m_rules[i].is_certified && m_rules[i].context == context && holds_all(text, m_rules[i].components)) return i;
    return {};
}

void Campaign::learn(const FoundRule& rule, const std::string& text) {
    std::vector<std::u32string> words;
    for (const auto& component : rule.components) words.push_back(characters_of(component));
    m_model.note_rule(words);
    // What else stood in the text stands in harmless ones too.
    if (!m_plan.learns_background) return;
    std::string rest = text;
    for (const auto& component : rule.components)
        for (std::size_t at = rest.find(component); at != std::string::npos; at = rest.find(component, at + 1)) rest.replace(at, component.size(), "\n");
    m_model.note_background(characters_of(rest));
}

Dialogue<std::optional<std::size_t>> Campaign::try_rule(std::vector<std::string> components, std::string name, std::string context, std::vector<CertificateTest> further) {
    const std::string notation = rule_notation(components);
    for (std::size_t i = 0; i < m_rules.size(); ++i)
        if (m_rules[i].notation == notation && m_rules[i].context == context && m_rules[i].is_certified) co_return i;
    auto certifying = certify(components, context);
    if (!co_await certifying) co_return std::nullopt;
    auto asking = all_as_expected(further, {context, "further", notation, "", ""});
    if (!co_await asking) co_return std::nullopt;
    m_rules.push_back({components, notation, name, context, true});
    learn(m_rules.back(), "");
    co_return m_rules.size() - 1;
}

std::vector<std::string> Campaign::told_pieces(const std::string& context, const std::string& text) const {
    const auto told = m_told.find({context, text});
    if (told == m_told.end()) return {};
    const auto is_within = [&](std::size_t at) { return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80; };
    std::vector<std::pair<std::size_t, std::size_t>> spans;
    for (const TrialSpan& span : told->second) {
        // Whole characters; what is behind the end stood beside it in a message of the same meaning.
        std::size_t begin = std::min<std::size_t>(span.begin, text.size());
        std::size_t end = std::min<std::size_t>(span.end, text.size());
        while (begin > 0 && is_within(begin)) --begin;
        while (is_within(end)) ++end;
        if (begin < end) spans.emplace_back(begin, end);
    }
    std::sort(spans.begin(), spans.end());
    std::vector<std::string> pieces;
    std::size_t done = 0;
    for (auto [begin, end] : spans) {
        begin = std::max(begin, done);
        if (begin >= end) continue;
        done = end;
        std::string piece = text.substr(begin, end - begin);
        if (std::find(pieces.begin(), pieces.end(), piece) == pieces.end()) pieces.push_back(std::move(piece));
    }
    return pieces;
}

bool Campaign::is_apart(const std::string& context, const std::string& text, std::size_t bytes) const {
    const auto told = m_told.find({context, text});
    return told != m_told.end() && std::none_of(told->second.begin(), told->second.end(), [&](const TrialSpan& span) { return span.end > bytes; });
}

Dialogue<Campaign::Narrowed> Campaign::narrow(std::string name, std::string text, std::string context) {
    constexpr std::size_t word_characters_max = 12;
    const auto pieces = told_pieces(context, text);
    if (pieces.empty()) co_return Narrowed{text, {}};
    const auto is_asked = [&](const std::string& part) { return m_asked.count({context, part}) > 0; };
    // Where words are left out rather than sentences, they are the rule, unless two that stand side by side were left out as one. The certificate
    // begins with them alone.
    if (std::all_of(pieces.begin(), pieces.end(), [&](const std::string& piece) { return characters_of(piece).size() <= word_characters_max; })) {
        std::vector<std::string> sorted = pieces;
        std::sort(sorted.begin(), sorted.end());
        auto trying = try_rule(sorted, name, context, split_tests(sorted, separator_in(context)));
        const auto rule = co_await trying;
        if (rule || !m_refusal.empty()) co_return Narrowed{text, rule};
    }
    // Several pieces may be left out for a rule each, or for one that all of them hold together.
    std::vector<std::string> parts{*std::min_element(pieces.begin(), pieces.end(), [](const auto& a, const auto& b) { return a.size() < b.size(); })};
    if (pieces.size() > 1) parts.push_back(joined(pieces, context));
    for (const auto& part : parts) {
        if (part.size() >= text.size()) continue;
        if (!is_asked(part)) {
            auto asking = ask({context, "isolate", name, "told", part});
            (void)co_await asking;
            if (!m_refusal.empty()) break;
        }
        if (is_asked(part) && probability_blocked({context, "", "", "", part}) > 0.5) co_return Narrowed{part, {}};
    }
    co_return Narrowed{text, {}};
}

Dialogue<Campaign::Found> Campaign::find_rule(std::string name, std::string text, std::string context) {
    // Rules that hold elsewhere are likely here too, and cheap to try.
    std::vector<std::vector<std::string>> candidates;
    for (const FoundRule& rule : m_rules)
        if (rule.is_certified && rule.context != context && holds_all(text, rule.components)) candidates.push_back(rule.components);
    for (const auto& components : candidates) {
        auto trying = try_rule(components, name, context);
        const auto rule = co_await trying;
        if (rule || !m_refusal.empty()) co_return Found{rule};
    }
    auto narrowing = narrow(name, text, context);
    const Narrowed narrowed = co_await narrowing;
    if (narrowed.rule || !m_refusal.empty()) co_return Found{narrowed.rule};
    FoundRule rule;
    for (std::uint32_t attempt = 0; attempt < m_plan.attempts_max; ++attempt) {
        // A certificate that fails tells of an end that was accepted too early, of answers that contradict each other, or of a list that
        // changed: the next attempt sees whether the text is still blocked, leaves nothing to the certificate, and asks more often where
        // answers are known to be faulty.
        constexpr std::uint32_t passes_max = 5;
        m_passes_least = m_plan.passes_needed;
        if (attempt > 1 || (attempt > 0 && m_is_contradicted))
            m_passes_least = std::max(m_passes_least, std::min(passes_max, passes_needed() + 1));
        if (attempt > 0) {
            auto asking = ask({context, "scan", name, "again", text});
            if (co_await asking == Verdict::passed) {
                m_passes_least = m_plan.passes_needed;
                m_notes.push_back(fmt::format("{} was blocked and passes now: the list has changed, or an answer was wrong", name));
                co_return Found{};
            }
        }
        auto isolating = isolate({context, "isolate", name, {}, Verdict::blocked, attempt > 0}, characters_of(attempt == 0 ? narrowed.text : text));
        const Isolated isolated = co_await isolating;
        if (!m_refusal.empty()) break;
        if (isolated.components.empty()) {
            if (!isolated.is_rejected && attempt + 1 < m_plan.attempts_max) continue;
            m_passes_least = m_plan.passes_needed;
            if (isolated.is_rejected) co_return Found{{}, true};
            m_notes.push_back(fmt::format("{} is blocked, but answers were missing or contradicted each other while its rule was looked for", name));
            co_return Found{};
        }
        std::vector<std::string> sorted = isolated.components;
        std::sort(sorted.begin(), sorted.end());
        rule = {sorted, rule_notation(sorted), name, context, false};
        for (std::size_t i = 0; i < m_rules.size(); ++i)
            if (m_rules[i].notation == rule.notation && m_rules[i].context == context && m_rules[i].is_certified) {
                m_passes_least = m_plan.passes_needed;
                co_return Found{i};
            }
        auto certifying = certify(sorted, context);
        rule.is_certified = co_await certifying;
        // A filter may want its words in the order in which they stood; or the answer was wrong, and asking again shows it.
        if (!rule.is_certified && isolated.components != sorted && probability_blocked({context, "", "", "", joined(sorted, context)}) < 0.5) {
            auto certifying_in_order = certify(isolated.components, context);
            bool is_in_order = co_await certifying_in_order;
            constexpr int tries = 3;
            for (int i = 0; i < tries && is_in_order; ++i) {
                auto asking = ask_published({context, "order", rule_notation(isolated.components), "sorted", joined(sorted, context)}, 1 - m_plan.confidence);
                is_in_order = co_await asking == Verdict::passed;
            }
            if (is_in_order) rule = {isolated.components, rule_notation(isolated.components), name, context, true};
        }
        if (rule.is_certified || !m_refusal.empty()) break;
        auto inner = inner_tests(sorted, separator_in(context));
        for (auto& test : inner_tests(isolated.components, separator_in(context))) inner.push_back(std::move(test));
        const auto held = std::find_if(inner.begin(), inner.end(), [&](const CertificateTest& test) { return probability_blocked({context, "", "", "", test.message}) > 0.5; });
        if (held == inner.end()) continue;
        m_passes_least = m_plan.passes_needed;
        m_notes.push_back(fmt::format("{}: '{}' is blocked with another letter inside it, so it is several words with something between them that do not belong together across the separator '{}'; "
                                      "try another --separator, and another --out",
                                      name, printable(rule.notation, 200), printable(separator_in(context), 80)));
        co_return Found{};
    }
    // One text's trouble must not make all that follow dearer.
    m_passes_least = m_plan.passes_needed;
    if (rule.components.empty()) co_return Found{};
    if (rule.is_certified) learn(rule, text);
    else m_notes.push_back(fmt::format("{}: what was isolated is not certified", name));
    m_rules.push_back(std::move(rule));
    co_return Found{m_rules.size() - 1};
}

/// Rules that were found are broken at their first components, then at their second ones ...: what is still
/// blocked holds another rule. Not seen are rules that share a component with the found ones in each of these ways.
Dialogue<Campaign::Scanned> Campaign::scan(CampaignText given, std::string context, std::vector<std::size_t> here) {
    const std::string whole = given.components.empty() ? given.text : joined(given.components, context);
    for (std::size_t way = 0;; ++way) {
        const auto ways = [&] {
            std::size_t most = 1;
            for (const std::size_t rule : here) most = std::max(most, m_rules[rule].components.size());
            return most;
        };
        if (way >= ways()) co_return Scanned{here};
        for (;;) {
            std::string text = whole;
            for (const std::size_t rule : here) {
                const auto& components = m_rules[rule].components;
                text = broken(std::move(text), components[way % components.size()], separator_in(context));
            }
            auto rule = here.empty() ? std::nullopt : known_rule_in(text, context);
            if (!rule) {
                const std::string detail = here.empty() ? "" : fmt::format("without {} rules, way {}", here.size(), way + 1);
                auto asking = ask({context, "scan", given.name, detail, text});
                const Verdict verdict = co_await asking;
                if (verdict == Verdict::rejected) co_return Scanned{here, true};
                if (verdict == Verdict::none) {
                    m_notes.push_back(fmt::format("{} gave no verdict", given.name));
                    co_return Scanned{here};
                }
                if (verdict == Verdict::passed) {
                    if (here.empty()) {
                        if (m_plan.learns_background && context == m_plan.contexts.front()) m_model.note_background(characters_of(text));
                        m_passed_texts.push_back({given.name, text, context});
                    }
                    break;
                }
                if (here.empty() && !given.components.empty()) {
                    auto trying = try_rule(given.components, given.name, context);
                    rule = co_await trying;
                }
                if (!rule) rule = known_rule_in(text, context);
            }
            if (!rule && m_refusal.empty()) {
                auto finding = find_rule(given.name, text, context);
                const Found found = co_await finding;
                if (found.is_rejected) co_return Scanned{here, true};
                rule = found.rule;
            }
            if (!rule || !m_rules[*rule].is_certified || !m_refusal.empty()) co_return Scanned{here};
            if (std::find(here.begin(), here.end(), *rule) != here.end()) {
                m_notes.push_back(fmt::format("{} stays blocked when '{}' is broken in it; more rules may be there", given.name, m_rules[*rule].notation));
                co_return Scanned{here};
            }
            here.push_back(*rule);
            if (here.size() == m_plan.rules_per_text_max) {
                m_notes.push_back(fmt::format("{} may hold more rules than the {} that were looked for", given.name, m_plan.rules_per_text_max));
                co_return Scanned{here};
            }
        }
    }
}

/// A text that passed although a rule stands in it holds an exception, if the rule beside it passes too: the same search finds it, with
/// passed for blocked.
Dialogue<bool> Campaign::find_exceptions() {
    for (const PassedText& passed : m_passed_texts)
        for (std::size_t r = 0; r < m_rules.size(); ++r) {
            const FoundRule rule = m_rules[r];
            if (!rule.is_certified || !ground(passed.context).separator || m_left.count(r) > 0 || rule.context != passed.context || !holds_all(passed.text, rule.components)) continue;
            const bool is_explained = std::any_of(m_exceptions.begin(), m_exceptions.end(), [&](const FoundException& exception) {
                return std::find(exception.rules.begin(), exception.rules.end(), r) != exception.rules.end() && holds_all(passed.text, exception.components);
            });
            if (is_explained) continue;
            auto asking_rule = ask({passed.context, "except", rule.notation, "", joined(rule.components, passed.context)});
            if (co_await asking_rule != Verdict::blocked) {
                if (!m_refusal.empty()) co_return false;
                m_notes.push_back(fmt::format("'{}' is no longer blocked: the list has changed", rule.notation));
                m_left.insert(r);
                continue;
            }
            const Goal goal{passed.context, "except", rule.notation, rule.components, Verdict::passed, true};
            std::vector<std::string> pieces = rule.components;
            pieces.push_back(passed.text);
            auto asking = ask({passed.context, "except", rule.notation, "", joined(pieces, passed.context)});
            if (co_await asking != Verdict::passed) {
                if (!m_refusal.empty()) co_return false;
                m_notes.push_back(fmt::format("{} passes although '{}' stands in it, and is blocked beside it: order, distance or the letters around matter",
                                              passed.name, rule.notation));
                continue;
            }
            const std::vector<std::string> text{passed.text};
            auto asking_length = ask({passed.context, "except", rule.notation, "", exception_tests(rule.components, text, separator_in(passed.context), m_plan.known_passed).back().message});
            if (co_await asking_length != Verdict::blocked) {
                if (!m_refusal.empty()) co_return false;
                m_notes.push_back(fmt::format("{} passes although '{}' stands in it, and so does as much harmless text beside it: long messages are not read, or not to their end", passed.name, rule.notation));
                continue;
            }
            auto isolating = isolate(goal, characters_of(passed.text));
            Isolated isolated = co_await isolating;
            if (!m_refusal.empty()) co_return false;
            if (isolated.components.empty()) continue;
            std::sort(isolated.components.begin(), isolated.components.end());
            const std::string notation = rule_notation(isolated.components);
            auto certifying = all_as_expected(exception_tests(rule.components, isolated.components, separator_in(passed.context), m_plan.known_passed),
                                              {passed.context, "except", rule.notation, notation, ""});
            const bool is_certified = co_await certifying;
            if (!m_refusal.empty()) co_return false;
            if (!is_certified) {
                m_notes.push_back(fmt::format("{} passes although '{}' stands in it; what lets it pass is not certified", passed.name, rule.notation));
                continue;
            }
            const auto known = std::find_if(m_exceptions.begin(), m_exceptions.end(), [&](const auto& exception) { return exception.notation == notation; });
            if (known != m_exceptions.end()) {
                known->rules.push_back(r);
                continue;
            }
            m_exceptions.push_back({isolated.components, notation, {r}, true});
            auto lifting = lift(m_exceptions.size() - 1);
            if (!co_await lifting) co_return false;
        }
    co_return true;
}

/// Which other rules does the exception lift?
Dialogue<bool> Campaign::lift(std::size_t exception) {
    for (std::size_t r = 0; r < m_rules.size(); ++r) {
        const FoundRule rule = m_rules[r];
        const auto& lifted = m_exceptions[exception].rules;
        if (!rule.is_certified || !ground(rule.context).separator || std::find(lifted.begin(), lifted.end(), r) != lifted.end()) continue;
        std::vector<std::string> pieces = rule.components;
        pieces.insert(pieces.end(), m_exceptions[exception].components.begin(), m_exceptions[exception].components.end());
        auto asking = ask_published({rule.context, "except", rule.notation, m_exceptions[exception].notation, joined(pieces, rule.context)}, 1 - m_plan.confidence);
        const Verdict verdict = co_await asking;
        if (!m_refusal.empty()) co_return false;
        if (verdict == Verdict::passed) m_exceptions[exception].rules.push_back(r);
    }
    co_return true;
}

}  // namespace unveil
