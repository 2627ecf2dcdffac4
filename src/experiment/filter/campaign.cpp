#include "experiment/filter/campaign.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "experiment/filter/characters.hpp"
#include "experiment/filter/folds.hpp"
#include "statistics/repeated_answers.hpp"
#include "table/rule.hpp"

namespace unveil {
namespace {

void check_plan(const CampaignPlan& plan) {
    if (plan.contexts.empty()) throw Error(ErrorKind::usage, "there is no context to send from", "Name one with its driver");
    if (plan.texts.empty()) throw Error(ErrorKind::usage, "there is no text to send", "Give a file of texts");
    if (plan.known_blocked.empty() || first_character_bytes(plan.known_blocked) == plan.known_blocked.size())
        throw Error(ErrorKind::usage, "a message that is known to be blocked is needed, of two characters or more",
                    "Give one with --known-blocked: without it nothing shows that the separator and the account work");
    if (plan.known_passed.empty()) throw Error(ErrorKind::usage, "a harmless message is needed", "Give one with --known-passed");
}

/// Messages that are blocked cost more. The cheapest decision tree splits so that x^(price) = 1 - x, x the share that passes (Huffman codes with
/// letters of unequal cost, Karp 1961).
double cut_share(double blocked_price) {
    double low = 0.5;
    double high = 1;
    for (int i = 0; i < 60; ++i) {
        const double x = (low + high) / 2;
        (std::pow(x, blocked_price) > 1 - x ? high : low) = x;
    }
    return low;
}

}  // namespace

std::vector<std::u32string> CampaignPlan::lexicon_characters() const {
    std::vector<std::u32string> words;
    for (const auto& word : lexicon) words.push_back(characters_of(word));
    return words;
}

std::vector<std::string> CampaignPlan::default_separators() { return {"\n", "。", "😀", " ……这是一个测试…… ", " | "}; }

Campaign::Campaign(CampaignPlan plan) : m_plan((check_plan(plan), std::move(plan))), m_random(m_plan.seed, 0xf11e), m_model({m_plan.lexicon_characters(), m_plan.uses_memory}),
      m_cut_share(cut_share(m_plan.blocked_price)), m_passes_least(m_plan.passes_needed), m_dialogue(run()) {
    for (const auto& text : m_plan.background) m_model.note_background(characters_of(text));
    m_dialogue.start(m_state);
}

void Campaign::answer(const Trial& trial) {
    ++m_answers;
    answer_dialogue(m_dialogue, m_state, trial);
}

std::uint64_t Campaign::expected_messages() const {
    // What a text took so far, for those that are left.
    const std::uint64_t left = m_plan.texts.size() - m_texts_done;
    return m_texts_done == 0 ? left : left * m_answers / m_texts_done;
}

std::string Campaign::joined(const std::vector<std::string>& pieces) const { return join_pieces(pieces, m_separator); }

Dialogue<Campaign::Verdict> Campaign::ask_once(Message message) {
    for (std::uint32_t tries = 0; tries < m_plan.tries_max; ++tries) {
        Ask asking(message);
        const Trial trial = co_await asking;
        if (is_verdict(trial.outcome)) {
            const bool is_blocked = is_suppressed(trial.outcome);
            Answers& answers = m_asked[{message.context, message.input}];
            ++(is_blocked ? answers.blocked : answers.passed);
            m_is_contradicted |= answers.passed > 0 && answers.blocked > 0;
            co_return is_blocked ? Verdict::blocked : Verdict::passed;
        }
        if (trial.outcome == Outcome::rejected) break;
    }
    co_return Verdict::none;
}

Message Campaign::control_message(const std::string& context, bool is_block) const {
    const std::string& known = is_block ? m_plan.known_blocked : m_plan.known_passed;
    return {context, "control", known, is_block ? "block" : "pass", known};
}

Dialogue<bool> Campaign::control(std::string context, bool is_block) {
    const Message message = control_message(context, is_block);
    auto asking = ask_once(message);
    const Verdict verdict = co_await asking;
    if (!is_block && verdict != Verdict::none) {
        ++m_pass_controls;
        m_wrongly_blocked += verdict == Verdict::blocked;
    }
    if (!is_block || verdict == Verdict::none || context != m_plan.contexts.front()) co_return true;
    ++m_block_controls;
    if (verdict == Verdict::blocked) {
        m_slips_in_row = 0;
        co_return true;
    }
    ++m_slips;
    constexpr std::uint32_t slips_in_row_max = 4;
    if (++m_slips_in_row >= slips_in_row_max)
        m_refusal = fmt::format("the message that is known to be blocked came through {} times in a row: the filter has changed, or this "
                                "account is no longer filtered",
                                slips_in_row_max);
    co_return m_refusal.empty();
}

Dialogue<Campaign::Verdict> Campaign::ask(Message message) {
    std::uint32_t passes = 0;
    do {
        Pace& pace = m_paces[message.context];
        if (pace.since_control >= m_plan.control_every) {
            pace.since_control = 0;
            pace.is_block_next = !pace.is_block_next;
            auto known = control(message.context, !pace.is_block_next);
            // After a slip the next control is one of the same kind, to see whether the filter is still there.
            if (!co_await known) co_return Verdict::none;
        }
        ++pace.since_control;
        auto asking = ask_once(message);
        const Verdict verdict = co_await asking;
        if (verdict != Verdict::passed) co_return verdict;
    } while (++passes < passes_needed());
    co_return Verdict::passed;
}

Dialogue<bool> Campaign::calibrate() {
    const std::string& context = m_plan.contexts.front();
    for (const bool is_block : {true, false}) {
        const Message message = control_message(context, is_block);
        auto asking = ask_once(message);
        const Verdict verdict = co_await asking;
        if (verdict == Verdict::none) m_refusal = "the first messages gave no verdict";
        else if (is_block && verdict == Verdict::passed) m_refusal = "the message that should be blocked came through";
        else if (!is_block && verdict == Verdict::blocked) m_refusal = "the message that should be harmless was blocked";
        if (!m_refusal.empty()) co_return false;
    }
    const std::string& known = m_plan.known_blocked;
    const std::u32string characters = characters_of(known);
    const std::size_t middle = bytes_of(std::u32string_view(characters).substr(0, (characters.size() + 1) / 2)).size();
    for (const std::string& separator : m_plan.separators) {
        struct Test {
            const char* name;
            std::string text;
            Verdict wanted;
        };
        // Kept is what matters most: a filter that strips the separator makes one word of two pieces.
        const std::vector<Test> tests = {{"kept", known.substr(0, middle) + separator + known.substr(middle), Verdict::passed},
                                         {"harmless", m_plan.known_passed + separator + m_plan.known_passed, Verdict::passed},
                                         {"no shield", known + separator + m_plan.known_passed, Verdict::blocked}};
        bool is_good = true;
        for (const Test& test : tests) {
            const Message message{context, "calibrate", separator, test.name, test.text};
            auto asking = ask(message);
            const Verdict verdict = co_await asking;
            is_good = is_good && verdict == test.wanted;
            if (!is_good || !m_refusal.empty()) break;
        }
        if (!m_refusal.empty()) co_return false;
        if (!is_good) continue;
        m_separator = separator;
        co_return true;
    }
    m_refusal = fmt::format("none of {} separators survives: the filter reads through all of them, so pieces of a text cannot be told apart",
                            m_plan.separators.size());
    co_return false;
}

/// Component-aware search (Xiong & Knockel 2019): the component that starts leftmost among those that are missing is found by which
/// suffixes are blocked, its end by how much of it is needed, and what lies behind its first character is searched on, so that components
/// may overlap and repeat. Where to cut is chosen by the word model. Whatever is accepted was seen to be blocked; an end may be accepted
/// before a shorter one was seen to pass, when the model is sure, because the certificate will ask for just that.
Dialogue<std::vector<std::string>> Campaign::isolate(std::string subject, std::u32string characters, bool is_exact) {
    const WordModel::Text text = m_model.look_at(std::move(characters));
    const std::size_t n = text.characters.size();
    std::vector<std::u32string> found;
    std::size_t offset = 0;
    const auto message_of = [&](const std::vector<std::u32string>& parts) {
        std::vector<std::string> all;
        for (const auto& component : found) all.push_back(bytes_of(component));
        for (const auto& part : parts) all.push_back(bytes_of(part));
        return Message{m_plan.contexts.front(), "isolate", subject, "", joined(all)};
    };
    /// Inside (low, high): where the part below holds the wanted share of the probability.
    const auto cut = [](const std::vector<double>& cumulative, std::size_t low, std::size_t high, double share) {
        const double wanted = cumulative[low] + share * (cumulative[high] - cumulative[low]);
        const auto at = std::lower_bound(cumulative.begin() + static_cast<std::ptrdiff_t>(low) + 1, cumulative.begin() + static_cast<std::ptrdiff_t>(high), wanted);
        auto middle = std::clamp<std::size_t>(static_cast<std::size_t>(at - cumulative.begin()), low + 1, high - 1);
        if (middle > low + 1 && std::abs(cumulative[middle - 1] - wanted) < std::abs(cumulative[middle] - wanted)) --middle;
        return middle;
    };
    for (;;) {
        const std::size_t left = n - offset;
        const WordModel::Starts starts = m_model.starts(text, offset, found);
        // Blocked from `low` on, not from `high` on; place `left` stands for nothing at all.
        std::size_t low = 0;
        std::size_t high = found.empty() ? left : left + 1;
        while (high - low > 1) {
            const std::size_t middle = cut(starts.cumulative, low, high, m_cut_share);
            const Message message = message_of({text.characters.substr(offset + middle)});
            auto asking = ask(message);
            const Verdict verdict = co_await asking;
            if (verdict == Verdict::none) co_return std::vector<std::string>{};
            (verdict == Verdict::blocked ? low : high) = middle;
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
            if (!is_exact && is_seen && lengths[enough] - lengths[enough - 1] >= sure * (lengths[enough] - lengths[short_of])) break;
            const std::size_t length = cut(lengths, short_of, enough, 0.5);
            const Message message = message_of({text.characters.substr(begin, length), behind});
            auto asking = ask(message);
            const Verdict verdict = co_await asking;
            if (verdict == Verdict::none) co_return std::vector<std::string>{};
            (verdict == Verdict::blocked ? enough : short_of) = length;
        }
        if (may_be_longer && enough > modelled) {
            std::size_t step = 1;
            enough = n - begin;
            while (enough - short_of > 1) {
                const std::size_t length = short_of + std::min(step, (enough - short_of + 1) / 2);
                const Message message = message_of({text.characters.substr(begin, length), behind});
                auto asking = ask(message);
                const Verdict verdict = co_await asking;
                if (verdict == Verdict::none) co_return std::vector<std::string>{};
                step = verdict == Verdict::blocked ? n : step * 2;
                (verdict == Verdict::blocked ? enough : short_of) = length;
            }
        }
        found.push_back(text.characters.substr(begin, enough));
        offset = begin + 1;
        if (offset == n) break;
    }
    std::vector<std::string> components;
    for (const auto& component : found) components.push_back(bytes_of(component));
    std::sort(components.begin(), components.end());
    co_return components;
}

Dialogue<bool> Campaign::certify(std::vector<std::string> components) {
    const auto tests = certificate_tests(components, m_separator);
    for (const CertificateTest& test : tests) {
        const Message message{m_plan.contexts.front(), "certify", rule_notation(components), test.left_out, test.message};
        m_published.push_back({message, (1 - m_plan.confidence) / static_cast<double>(2 * tests.size())});
        auto asking = ask(message);
        const Verdict verdict = co_await asking;
        if (verdict != (test.is_blocked_expected ? Verdict::blocked : Verdict::passed)) co_return false;
    }
    co_return true;
}

Dialogue<bool> Campaign::scan(std::size_t index) {
    const CampaignText& given = m_plan.texts[index];
    std::string text = given.text;
    for (std::uint32_t round = 0; round < m_plan.rules_per_text_max; ++round) {
        const Message message{m_plan.contexts.front(), "scan", given.name, round == 0 ? "" : fmt::format("without {} rules", round), text};
        auto asking = ask(message);
        const Verdict verdict = co_await asking;
        if (verdict == Verdict::none) m_notes.push_back(fmt::format("{} gave no verdict (too long, or lost)", given.name));
        if (verdict == Verdict::passed && round == 0 && m_plan.learns_background) m_model.note_background(characters_of(text));
        if (verdict != Verdict::blocked) co_return true;
        FoundRule rule;
        bool is_known = false;
        for (std::uint32_t attempt = 0; attempt < m_plan.attempts_max && !rule.is_certified && !is_known; ++attempt) {
            // A certificate that fails tells of an end that was accepted too early, or of answers that contradict each other: the next
            // attempt leaves nothing to the certificate, and asks more often where answers are known to be faulty.
            constexpr std::uint32_t passes_max = 5;
            m_passes_least = m_plan.passes_needed;
            if (attempt > 1 || (attempt > 0 && m_is_contradicted))
                m_passes_least = std::max(m_passes_least, std::min(passes_max, passes_needed() + 1));
            auto isolating = isolate(given.name, characters_of(text), attempt > 0);
            const std::vector<std::string> components = co_await isolating;
            if (components.empty()) {
                m_passes_least = m_plan.passes_needed;
                m_notes.push_back(fmt::format("{} is blocked, but an answer was missing while its rule was looked for", given.name));
                co_return true;
            }
            rule = {components, rule_notation(components), given.name, false};
            is_known = std::any_of(m_rules.begin(), m_rules.end(),
                                   [&](const FoundRule& other) { return other.notation == rule.notation && other.is_certified; });
            if (is_known) break;
            auto certifying = certify(rule.components);
            rule.is_certified = co_await certifying;
        }
        // One text's trouble must not make all that follow dearer.
        m_passes_least = m_plan.passes_needed;
        if (!is_known) m_rules.push_back(rule);
        if (rule.is_certified) {
            std::vector<std::u32string> words;
            for (const auto& component : rule.components) words.push_back(characters_of(component));
            m_model.note_rule(words);
            // What else stood in the text stands in harmless ones too.
            if (m_plan.learns_background) {
                std::string rest = text;
                for (const auto& component : rule.components)
                    for (std::size_t at = rest.find(component); at != std::string::npos; at = rest.find(component, at)) rest.replace(at, component.size(), "\n");
                m_model.note_background(characters_of(rest));
            }
        }
        if (!is_known && !rule.is_certified) {
            m_notes.push_back(fmt::format("{}: what was isolated is not certified", given.name));
            co_return true;
        }
        // Without the first character of one component the rule is broken wherever that component stands; other rules may remain.
        const std::string& component = rule.components.front();
        for (std::size_t at = text.find(component); at != std::string::npos; at = text.find(component)) text.replace(at, first_character_bytes(component), m_separator);
    }
    m_notes.push_back(fmt::format("{} may hold more rules than the {} that were looked for", given.name, m_plan.rules_per_text_max));
    co_return true;
}

Dialogue<bool> Campaign::compare() {
    std::vector<std::pair<std::size_t, std::size_t>> order;
    for (std::size_t rule = 0; rule < m_rules.size(); ++rule)
        for (std::size_t context = 0; context < m_plan.contexts.size(); ++context)
            if (m_rules[rule].is_certified) order.emplace_back(rule, context);
    if (m_plan.contexts.size() < 2) co_return true;
    for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[m_random.below(i)]);
    for (const auto& [rule, context] : order) {
        const Message message{m_plan.contexts[context], "compare", m_rules[rule].notation, "", joined(m_rules[rule].components)};
        m_published.push_back({message, 1 - m_plan.confidence});
        auto asking = ask(message);
        (void)co_await asking;
        if (!m_refusal.empty()) co_return false;
    }
    co_return true;
}

Dialogue<bool> Campaign::probe() {
    struct Probe {
        std::size_t rule;
        std::string_view fold;
        std::string text;
    };
    std::vector<Probe> probes;
    for (const Fold& fold : folds()) {
        std::uint32_t rules = 0;
        for (std::size_t rule = 0; rule < m_rules.size() && rules < m_plan.probe_rules; ++rule) {
            if (!m_rules[rule].is_certified) continue;
            auto variant = variant_of(fold.name, m_rules[rule].components, m_separator);
            if (!variant) continue;
            ++rules;
            probes.push_back({rule, fold.name, std::move(*variant)});
        }
    }
    for (std::size_t i = probes.size(); i > 1; --i) std::swap(probes[i - 1], probes[m_random.below(i)]);
    for (const Probe& one : probes) {
        const Message message{m_plan.contexts.front(), "probe", m_rules[one.rule].notation, std::string(one.fold), one.text};
        m_published.push_back({message, 1 - m_plan.confidence});
        auto asking = ask(message);
        (void)co_await asking;
        if (!m_refusal.empty()) co_return false;
    }
    co_return true;
}

std::uint32_t Campaign::passes_needed() const {
    if (m_slips == 0) return m_passes_least;
    // A message that slips through with rate q must be seen to pass k times: q^k is at most one in a thousand.
    constexpr double passes_max = 6;
    const double passes = std::min(passes_max, std::ceil(std::log(0.001) / std::log(error_rate(m_slips, m_block_controls))));
    return std::max(m_passes_least, static_cast<std::uint32_t>(passes));
}

double Campaign::probability_blocked(const Message& message) const {
    const auto asked = m_asked.find({message.context, message.input});
    if (asked == m_asked.end()) return 0.5;
    AnswerNoise noise;
    if (has_faults())
        noise = {error_rate(m_slips, m_block_controls), error_rate(m_wrongly_blocked, m_pass_controls)};
    return probability_yes(asked->second.blocked, asked->second.passed, noise);
}

Dialogue<bool> Campaign::settle() {
    // Controls that are sent meanwhile change the rates, so one round may unsettle what was settled before.
    constexpr int rounds_max = 3;
    for (int round = 0; round < rounds_max; ++round) {
        bool is_all_sure = true;
        for (std::size_t i = 0; i < m_published.size(); ++i) {
            const Published published = m_published[i];
            for (;;) {
                const double blocked = probability_blocked(published.message);
                if (std::min(blocked, 1 - blocked) <= published.error_max) break;
                const Answers& answers = m_asked[{published.message.context, published.message.input}];
                if (answers.blocked + answers.passed >= m_plan.asked_again_max) break;
                is_all_sure = false;
                auto asking = ask(published.message);
                const Verdict verdict = co_await asking;
                if (!m_refusal.empty()) co_return false;
                if (verdict == Verdict::none) break;
            }
        }
        if (is_all_sure) break;
    }
    co_return true;
}

Dialogue<bool> Campaign::run() {
    auto calibrating = calibrate();
    if (!co_await calibrating) co_return false;
    // What is known to be blocked is a rule as well, or holds one.
    m_plan.texts.insert(m_plan.texts.begin(), {"known", m_plan.known_blocked});
    for (std::size_t text = 0; text < m_plan.texts.size(); ++text) {
        auto scanning = scan(text);
        (void)co_await scanning;
        ++m_texts_done;
        if (!m_refusal.empty()) co_return false;
    }
    auto comparing = compare();
    if (!co_await comparing) co_return false;
    auto probing = probe();
    if (!co_await probing) co_return false;
    auto settling = settle();
    co_return co_await settling;
}

}  // namespace unveil
