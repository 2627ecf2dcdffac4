#include "table/filter_log.hpp"

#include <algorithm>
#include <charconv>

#include "table/rule.hpp"

namespace unveil::filter {
namespace {

/// Whether every component of `other` stands in one of `components`.
bool is_within(const std::vector<std::string>& other, const std::vector<std::string>& components) {
    return std::all_of(other.begin(), other.end(), [&](const std::string& part) {
        return std::any_of(components.begin(), components.end(), [&](const std::string& whole) { return whole.find(part) != std::string::npos; });
    });
}

/// Whether everything that was left out is one line or several, of more than one.
bool is_of_whole_lines(const Trial& trial) {
    const std::string& text = trial.input;
    const bool has_lines = text.find('\n') != std::string::npos;
    return has_lines && !trial.spans.empty() && std::all_of(trial.spans.begin(), trial.spans.end(), [&](const TrialSpan& span) {
        const bool begins = span.begin == 0 || text[span.begin - 1] == '\n';
        const bool ends = span.end == text.size() || text[span.end] == '\n' || (span.end > 0 && text[span.end - 1] == '\n');
        return begins && ends && span.begin < span.end;
    });
}

}  // namespace

void FilterLog::begin_log(std::string separator) { m_logs.emplace_back().given = std::move(separator); }

std::string FilterLog::meant_by(const Trial& trial) const {
    if (m_lost.empty() || m_harmless.empty() || trial.step == "control" || !trial.input.ends_with(m_harmless)) return trial.input;
    for (const auto& [context, separators] : m_logs.back().tried)
        for (const std::string& separator : separators) {
            const std::string added = separator + m_harmless;
            if (!trial.input.ends_with(added)) continue;
            const auto lost = m_lost.find({trial.context, trial.input.substr(0, trial.input.size() - added.size())});
            // The test that a separator does not hide what is known to be blocked looks the same.
            if (lost != m_lost.end() && (trial.detail != "no shield" || lost->second.is_no_shield)) return lost->second.meant;
        }
    return trial.input;
}

void FilterLog::add(const Trial& sent) {
    constexpr std::size_t components_max = 64;
    if (m_logs.empty()) m_logs.emplace_back();
    Trial trial = sent;
    trial.input = meant_by(sent);
    if (trial.step == "control" && trial.detail == "pass") m_harmless = trial.input;
    if (trial.step != "control" && trial.outcome == Outcome::unknown) m_lost[{trial.context, sent.input}] = {trial.input, trial.detail == "no shield"};
    book.add(trial);
    sending.add(sent);
    Calibrations& log = m_logs.back();
    log.contexts.insert(trial.context);
    whole += trial.outcome == Outcome::blocked;
    partial += trial.outcome == Outcome::partial;
    partial_lines += trial.outcome == Outcome::partial && is_of_whole_lines(sent);
    if (trial.step == "scan") {
        searched.insert(trial.context);
        if (is_verdict(trial.outcome) && trial.detail.empty()) {
            ++texts_scanned;
            if (is_suppressed(trial.outcome)) blocked_texts.insert({trial.context, trial.input});
        }
        if (is_suppressed(trial.outcome) && trial.detail.empty()) m_scanned[trial.context] = {trial.input, trial.subject, trial.source, {trial.evidence, trial.row}};
    }
    if (trial.step == "calibrate") {
        if (std::find(log.order.begin(), log.order.end(), trial.context) == log.order.end()) log.order.push_back(trial.context);
        if (trial.detail == "kept" || trial.detail == "harmless" || trial.detail == "no shield") {
            auto& tried = log.tried[trial.context];
            std::erase(tried, trial.subject);
            tried.push_back(trial.subject);
            log.tests[{trial.context, trial.subject}][trial.detail].insert(trial.input);
        }
    }
    static const std::set<std::string> about_rules = {"certify", "compare", "probe", "order", "shape", "apart", "except", "track", "further"};
    if (about_rules.count(trial.step) == 0) return;
    auto components = rule_components(trial.subject);
    if (components.empty() || components.size() > components_max) return;
    // Blanks around components do not count: the same rule goes by one name.
    Subject& subject = subjects[rule_notation(components)];
    subject.components = std::move(components);
    if (const auto scanned = m_scanned.find(trial.context); trial.step == "certify" && !subject.origin && scanned != m_scanned.end())
        subject.origin = origin_of(scanned->second, subject.components);
    if (trial.step == "probe" && !trial.detail.empty()) subject.probes[trial.context][trial.detail] = trial.input;
    if (trial.step == "further") subject.further[trial.context].insert(trial.detail);
    if (trial.step == "shape") subject.shapes[trial.context][trial.detail] = trial.input;
    if (trial.step == "apart") {
        std::uint32_t characters = 0;
        const auto [end, failure] = std::from_chars(trial.detail.data(), trial.detail.data() + trial.detail.size(), characters);
        const std::string_view rest(end, trial.detail.data() + trial.detail.size());
        if (failure == std::errc() && rest.empty()) subject.distances[trial.context][characters].apart = trial.input;
        if (failure == std::errc() && rest == " before") subject.distances[trial.context][characters].before = trial.input;
        if (failure == std::errc() && rest == " behind") subject.distances[trial.context][characters].behind = trial.input;
    }
    if (trial.step == "except" && !trial.detail.empty()) subject.exceptions[trial.context].insert(trial.detail);
}

std::optional<Origin> FilterLog::origin_of(const Scanned& scanned, const std::vector<std::string>& components) {
    std::size_t leftmost = std::string::npos;
    std::size_t end = 0;
    bool is_once = true;
    for (const auto& component : components) {
        const std::size_t at = scanned.text.find(component);
        if (at == std::string::npos) return {};
        leftmost = std::min(leftmost, at);
        end = std::max(end, at + component.size());
        is_once = is_once && scanned.text.find(component, at + 1) == std::string::npos;
    }
    const auto characters = [&](std::size_t from, std::size_t to) {
        return static_cast<std::uint64_t>(std::count_if(scanned.text.begin() + static_cast<std::ptrdiff_t>(from), scanned.text.begin() + static_cast<std::ptrdiff_t>(to),
                                                        [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
    };
    return Origin{scanned.name, scanned.source, characters(0, leftmost) + 1, is_once ? characters(leftmost, end) : 0, scanned.where};
}

std::optional<std::string> FilterLog::calibrated(const Calibrations& log, const std::string& context) const {
    const auto tried = log.tried.find(context);
    if (tried == log.tried.end()) return {};
    // A later one was tried because the one before did not work.
    for (auto separator = tried->second.rbegin(); separator != tried->second.rend(); ++separator) {
        const auto& tests = log.tests.at({context, *separator});
        const auto is_shown = [&](const char* detail, bool is_block) {
            const auto messages = tests.find(detail);
            return messages != tests.end() && std::any_of(messages->second.begin(), messages->second.end(), [&](const std::string& message) {
                       const Answers& answers = book.answers(context, message);
                       if (answers.tries() == 0) return false;
                       const double blocked = book.noise().probability_blocked(answers);
                       return is_block ? blocked > 0.5 : blocked < 0.5;
                   });
        };
        if (is_shown("kept", false) && is_shown("harmless", false) && is_shown("no shield", true)) return *separator;
    }
    return {};
}

std::optional<std::size_t> FilterLog::finish(double confidence) {
    book.finish(confidence);
    std::optional<std::size_t> disagreeing;
    for (std::size_t i = 0; i < m_logs.size(); ++i) {
        const Calibrations& log = m_logs[i];
        std::string elsewhere = log.given;
        for (const auto& context : log.order)
            if (const auto separator = calibrated(log, context)) {
                elsewhere = *separator;
                break;
            }
        if (i == 0) m_other.text = elsewhere;
        for (const auto& context : log.contexts) {
            ContextSeparator here{elsewhere, SeparatorState::assumed};
            if (const auto separator = calibrated(log, context)) here = {*separator, SeparatorState::calibrated};
            else if (log.tried.count(context) > 0 && log.given.empty()) here.state = SeparatorState::refused;
            else if (std::find(log.order.begin(), log.order.end(), context) != log.order.end() && log.given.empty()) here.state = SeparatorState::untried;
            const auto [known, is_new] = m_separators.emplace(context, here);
            if (is_new) continue;
            if (!here.is_usable()) continue;
            if (known->second.is_usable() && known->second.text != here.text) {
                if (!disagreeing) disagreeing = i;
                continue;
            }
            if (known->second.state != SeparatorState::calibrated) known->second = here;
        }
    }
    return disagreeing;
}

const ContextSeparator& FilterLog::separator(const std::string& context) const {
    const auto found = m_separators.find(context);
    return found == m_separators.end() ? m_other : found->second;
}

std::string FilterLog::joined(std::span<const std::string> pieces, const std::string& context) const { return join_pieces(pieces, separator(context).text); }

State FilterLog::state_of(std::span<const std::string> pieces, const std::string& context, double confidence) const {
    const SeparatorState separated = separator(context).state;
    if (pieces.size() > 1 && separated == SeparatorState::refused) return State::unknown;
    const State state = book.noise().state(book.answers(context, joined(pieces, context)), confidence);
    return pieces.size() > 1 && separated == SeparatorState::untried && state == State::blocked ? State::unknown : state;
}

std::vector<CertificateTest> FilterLog::tests(std::span<const std::string> components, const std::string& context) const {
    auto tests = certificate_tests(components, separator(context).text);
    for (auto further : {inner_tests(components, separator(context).text), split_tests(components, separator(context).text)}) tests.insert(tests.end(), further.begin(), further.end());
    return tests;
}

std::string FilterLog::further_message(FurtherTest test, std::span<const std::string> components, const std::string& context) const {
    return unveil::further_message(test, components, separator(context).text, m_harmless);
}

Certificate FilterLog::certificate(std::span<const std::string> components, const std::string& context, double confidence) const {
    Certificate certificate = check_certificate(tests(components, context), context, book, confidence);
    const SeparatorState separated = separator(context).state;
    const bool says_nothing = separated == SeparatorState::refused || (separated == SeparatorState::untried && certificate.state != CertificateState::not_blocked);
    if (components.size() > 1 && says_nothing) {
        certificate.state = CertificateState::open;
        certificate.confidence = 0;
    }
    return certificate;
}

std::map<std::string, JudgedRule> judge_rules(const FilterLog& log, double confidence) {
    std::map<std::string, JudgedRule> rules;
    for (const auto& [notation, subject] : log.subjects) {
        JudgedRule& rule = rules[notation];
        // Another order of the same components: all that passes shows that the order matters; if that is blocked too, the rule goes
        // by the name in byte order.
        std::vector<std::string> other = subject.components;
        std::sort(other.begin(), other.end());
        const bool is_in_byte_order = other == subject.components;
        if (is_in_byte_order) std::reverse(other.begin(), other.end());
        rule.is_order_free = subject.components.size() < 2;
        std::vector<std::string> names;
        std::vector<std::string> blocked_in;
        for (const auto& [context, inputs] : log.book.contexts()) {
            RuleInContext& here = rule.contexts.emplace_back();
            here.state = log.state_of(subject.components, context, confidence);
            if (here.state == State::blocked) blocked_in.push_back(context);
            names.push_back(context);
            here.is_sent = log.book.answers(context, log.joined(subject.components, context)).tries() > 0;
            if (!here.is_sent) continue;
            here.certificate = log.certificate(subject.components, context, confidence);
            rule.is_certified |= here.certificate.state == CertificateState::certified;
            if (subject.components.size() < 2) continue;
            const State reordered = log.state_of(other, context, confidence);
            rule.is_order_free |= reordered == State::blocked;
            rule.is_order_needed |= reordered == State::passed && here.state == State::blocked;
        }
        // Words may have to stand closer together than the separator of a context lets them, which makes no list another one.
        for (std::size_t c = 0; c < names.size(); ++c) {
            if (subject.components.size() < 2 || rule.contexts[c].state != State::passed) continue;
            const std::string& separator = log.separator(names[c]).text;
            const bool is_confirmed = std::all_of(blocked_in.begin(), blocked_in.end(), [&](const std::string& context) {
                return log.separator(context).text == separator ||
                       log.book.noise().state(log.book.answers(context, join_pieces(subject.components, separator)), confidence) == State::blocked;
            });
            if (!is_confirmed) rule.contexts[c].state = State::unknown;
        }
        rule.is_named_otherwise = rule.is_certified && !is_in_byte_order && !rule.is_order_needed;
    }
    if (log.book.noise().is_silent()) return rules;
    // Where answers are wrong at times, a rule that holds another one more likely slipped through twice than that it is one of its own.
    // In byte order, and what is left out counts no more.
    for (auto& [notation, rule] : rules) {
        if (!rule.is_rule()) continue;
        const auto& components = log.subjects.at(notation).components;
        rule.holds_other = std::any_of(rules.begin(), rules.end(), [&, &name = notation](const auto& other) {
            return other.first != name && other.second.is_rule() && is_within(log.subjects.at(other.first).components, components);
        });
    }
    return rules;
}

bool JudgedException::is_open() const {
    return !is_certified && std::any_of(pairs.begin(), pairs.end(), [](const ExceptionPair& pair) { return pair.together != State::blocked; });
}

std::map<std::string, JudgedException> judge_exceptions(const FilterLog& log, double confidence) {
    std::map<std::string, JudgedException> exceptions;
    for (const auto& [notation, subject] : log.subjects)
        for (const auto& [context, sent] : subject.exceptions) {
            const bool is_told_apart = log.separator(context).is_usable();
            const CertificateTest alone{"the exception", log.joined(subject.components, context), true};
            const bool is_blocked = log.state_of(subject.components, context, confidence) == State::blocked;
            for (const auto& exception : sent) {
                auto tests = exception_tests(subject.components, rule_components(exception), log.separator(context).text, log.harmless());
                ExceptionPair& pair = exceptions[exception].pairs.emplace_back(ExceptionPair{notation, context});
                if (!is_told_apart) continue;
                const Noise& noise = log.book.noise();
                if (is_blocked) pair.together = noise.state(log.book.answers(context, tests.front().message), confidence);
                tests.push_back(alone);
                const Certificate certificate = check_certificate(tests, context, log.book, confidence);
                pair.confidence = certificate.confidence;
                exceptions[exception].is_certified |= certificate.state == CertificateState::certified;
            }
        }
    return exceptions;
}

}  // namespace unveil::filter
