#include "experiment/filter/campaign.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.hpp"
#include "experiment/filter/characters.hpp"
#include "experiment/filter/folds.hpp"
#include "statistics/repeated_answers.hpp"
#include "table/rule.hpp"

namespace unveil {
namespace {

void check_plan(const CampaignPlan& plan) {
    if (plan.contexts.empty()) throw Error(ErrorKind::usage, "there is no context to send from", "Name one with its driver");
    const bool has_candidates = std::any_of(plan.sources.begin(), plan.sources.end(), [](const CampaignSource& source) { return !source.candidates.empty(); });
    if (plan.texts.empty() && plan.tracked.empty() && !has_candidates) throw Error(ErrorKind::usage, "there is no text to send", "Give a file of texts");
    if (plan.known_blocked.empty() || first_character_bytes(plan.known_blocked) == plan.known_blocked.size())
        throw Error(ErrorKind::usage, "a message that is known to be blocked is needed, of two characters or more",
                    "Give one with --known-blocked: without it nothing shows that the separator and the account work");
    if (plan.known_passed.empty()) throw Error(ErrorKind::usage, "a harmless message is needed", "Give one with --known-passed");
    if (plan.known_passed == plan.known_blocked) throw Error(ErrorKind::usage, "the message that is known to be blocked is the harmless one as well", "Give two messages");
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

std::vector<std::string> CampaignPlan::default_separators() { return {"\n", "。", "😀", " ……这是一个测试…… ", " | ", " 我们下午去公园散步然后吃饭休息 "}; }

Campaign::Campaign(CampaignPlan plan) : m_plan((check_plan(plan), std::move(plan))), m_random(m_plan.seed, 0xf11e), m_model({m_plan.lexicon_characters(), m_plan.uses_memory}),
      m_cut_share(cut_share(m_plan.blocked_price)), m_passes_least(m_plan.passes_needed), m_texts(std::move(m_plan.texts)), m_dialogue(run()) {
    m_log.begin_log("");
    const auto note_source = [&](const CampaignText& text) {
        if (!text.source.empty()) m_sources.emplace(text.name, text.source);
    };
    for (const CampaignText& text : m_texts) note_source(text);
    for (const CampaignSource& source : m_plan.sources)
        for (const CampaignText& candidate : source.candidates) note_source(candidate);
    if (!m_plan.sources.empty())
        m_discovery.emplace(Discovery::Settings{std::move(m_plan.sources), m_plan.lexicon, m_plan.seed, m_plan.blocked_price, m_plan.together_characters_max});
    for (const auto& context : m_plan.contexts) m_grounds[context];
    Ground& first = m_grounds[m_plan.contexts.front()];
    first.is_prepared = true;
    first.known_blocked = m_plan.known_blocked;
    for (const auto& text : m_plan.background) m_model.note_background(characters_of(text));
    m_dialogue.start(m_state);
}

std::string Campaign::source_of(const std::string& text_name) const {
    auto found = m_sources.find(text_name);
    if (found == m_sources.end()) found = m_sources.find(text_name.substr(0, text_name.rfind(", characters ")));
    return found == m_sources.end() ? std::string() : found->second;
}

std::optional<Message> Campaign::next() {
    std::optional<Message> message = m_state.pending;
    if (message && message->step == "scan") message->source = source_of(message->subject);
    return message;
}

void Campaign::answer(const Trial& trial) {
    ++m_answers;
    UNVEIL_ASSERT(m_state.pending.has_value());
    Trial answered = trial_of(*m_state.pending);
    answered.row = m_answers;
    answered.time_us = trial.time_us;
    answered.account = trial.account;
    answered.outcome = trial.outcome;
    m_log.add(answered);
    // What had no verdict may be missing when a log is replayed.
    if (is_verdict(trial.outcome) || trial.outcome == Outcome::rejected) {
        m_price += is_suppressed(trial.outcome) ? m_plan.blocked_price : 1;
        ++m_verdicts;
    }
    if (Ground& here = m_grounds[answered.context]; here.account != trial.account) {
        here.is_account_new = !here.account.empty();
        here.account = trial.account;
    }
    answer_dialogue(m_dialogue, m_state, trial);
}

std::uint64_t Campaign::expected_messages() const {
    // What a text took so far, for those that are left.
    const std::uint64_t left = m_texts.size() + (m_discovery ? m_discovery->left() : 0);
    return m_texts_done == 0 ? left : left * m_answers / m_texts_done;
}

const std::string& Campaign::separator_in(const std::string& context) const {
    const auto& own = ground(context).separator;
    return own ? *own : m_separator;
}

std::string Campaign::joined(const std::vector<std::string>& pieces, const std::string& context) const { return join_pieces(pieces, separator_in(context)); }

Dialogue<Campaign::Verdict> Campaign::ask_once(Message message) {
    for (;;) {
        // What may have arrived is not sent again. Beside a harmless message it is another one, and gets the same answer. Known messages are
        // sent again and again anyway.
        const bool is_repeatable = message.step == "control";
        Message sent = message;
        while (!is_repeatable && m_lost.count({sent.context, sent.input}) > 0) sent.input += (sent.step == "calibrate" ? sent.subject : separator_in(sent.context)) + m_plan.known_passed;
        Ask asking(sent);
        const Trial trial = co_await asking;
        if (trial.outcome == Outcome::unknown) {
            if (!is_repeatable) m_lost.insert({sent.context, sent.input});
            continue;
        }
        if (trial.outcome == Outcome::rejected || is_verdict(trial.outcome)) note_length(sent, trial.outcome);
        if (trial.outcome == Outcome::rejected) co_return Verdict::rejected;
        if (trial.outcome == Outcome::banned) m_refusal = fmt::format("the account in {} is banned: what it sends says nothing of the filter", message.context);
        if (!is_verdict(trial.outcome)) co_return Verdict::none;
        const bool is_blocked = is_suppressed(trial.outcome);
        Answers& answers = m_asked[{message.context, message.input}];
        ++(is_blocked ? answers.blocked : answers.passed);
        m_is_contradicted |= answers.passed > 0 && answers.blocked > 0;
        if (trial.outcome == Outcome::partial) m_told[{message.context, message.input}] = trial.spans;
        co_return is_blocked ? Verdict::blocked : Verdict::passed;
    }
}

void Campaign::note_length(const Message& sent, Outcome outcome) {
    Ground& here = m_grounds[sent.context];
    const std::size_t characters = characters_of(sent.input).size();
    // What contradicts an earlier answer was measured in something else than characters, or rejected for something else: the last one counts.
    if (outcome == Outcome::rejected) {
        here.rejected_characters = std::min(here.rejected_characters, characters);
        if (here.accepted_characters >= characters) here.accepted_characters = 0;
    } else if (!is_suppressed(outcome) || m_length.refused == 0 || characters < m_length.refused) {
        // What is too long may be blocked rather than rejected; then only the calibration tells.
        here.accepted_characters = std::max(here.accepted_characters, characters);
        if (here.rejected_characters <= characters) here.rejected_characters = SIZE_MAX;
    }
}

Message Campaign::control_message(const std::string& context, bool is_block) const {
    const std::string& known = is_block ? ground(context).known_blocked : m_plan.known_passed;
    return {context, "control", known, is_block ? "block" : "pass", known};
}

bool Campaign::is_known_blocked_in(const std::string& context) const { return !ground(context).known_blocked.empty(); }

Dialogue<bool> Campaign::control(std::string context, bool is_block) {
    constexpr std::uint32_t wrong_in_row_max = 4;
    const Message message = control_message(context, is_block);
    for (std::uint32_t wrong_in_row = 0; wrong_in_row < wrong_in_row_max; ++wrong_in_row) {
        Ground& here = m_grounds[context];
        const std::string account = here.account;
        auto asking = ask_once(message);
        const Verdict verdict = co_await asking;
        // Each account is judged by itself.
        if (here.account != account) wrong_in_row = 0;
        if (verdict == Verdict::none || verdict == Verdict::rejected) co_return m_refusal.empty();
        const bool is_wrong = (verdict == Verdict::blocked) != is_block;
        ++(is_block ? m_block_controls : m_pass_controls);
        (is_block ? m_slips : m_wrongly_blocked) += is_wrong;
        if (is_wrong) continue;
        const bool is_to_be_blocked = here.is_account_new && here.calibration.is_strict && !is_block;
        here.is_account_new = false;
        if (!is_to_be_blocked) co_return true;
        // It has to be read as strictly as the others before it.
        auto blocking = control(context, true);
        co_return co_await blocking;
    }
    m_refusal = is_block ? fmt::format("the message that is known to be blocked came through {} times in a row: the filter has changed, or the account in "
                                       "{} is no longer filtered",
                                       wrong_in_row_max, context)
                         : fmt::format("the harmless message was blocked {} times in a row: the account in {} is shut, or everything is blocked now",
                                       wrong_in_row_max, context);
    co_return false;
}

Dialogue<Campaign::Verdict> Campaign::ask_in_turn(Message message) {
    // An account that was shut answers as if everything were blocked.
    constexpr std::uint32_t blocked_in_row_max = 8;
    for (;;) {
        Pace& pace = m_paces[message.context];
        const bool is_suspicious = pace.blocked_in_row >= blocked_in_row_max;
        if (pace.since_control >= m_plan.control_every || is_suspicious) {
            const bool is_block = !is_suspicious && pace.is_block_next && is_known_blocked_in(message.context);
            pace = {.since_control = 0, .blocked_in_row = 0, .is_block_next = is_suspicious ? pace.is_block_next : !pace.is_block_next};
            auto known = control(message.context, is_block);
            if (!co_await known) co_return Verdict::none;
        }
        ++pace.since_control;
        auto asking = ask_once(message);
        const Verdict verdict = co_await asking;
        if (Ground& here = m_grounds[message.context]; here.is_account_new && (verdict == Verdict::passed || verdict == Verdict::blocked)) {
            // It took over in the middle. What it says counts once it is seen to be in order, and to be read as the others are.
            const std::string account = here.account;
            pace = {.since_control = 0, .blocked_in_row = 0, .is_block_next = true};
            auto known = control(message.context, false);
            if (!co_await known) co_return Verdict::none;
            if (here.account != account || here.calibration.is_strict) continue;
        }
        if (verdict == Verdict::blocked) ++pace.blocked_in_row;
        if (verdict == Verdict::passed) pace.blocked_in_row = 0;
        co_return verdict;
    }
}

Dialogue<Campaign::Verdict> Campaign::ask(Message message) {
    std::uint32_t passes = 0;
    for (std::uint32_t asked = 1;; ++asked) {
        auto asking = ask_in_turn(message);
        const Verdict verdict = co_await asking;
        if (verdict != Verdict::passed && verdict != Verdict::blocked) co_return verdict;
        passes += verdict == Verdict::passed;
        if (m_wrongly_blocked == 0) {
            if (verdict == Verdict::blocked || passes >= passes_needed()) co_return verdict;
            continue;
        }
        // Where harmless messages are blocked at times, neither answer is believed at once.
        constexpr double doubt_max = 0.003;
        const double blocked = probability_blocked(message);
        const bool is_sure = blocked <= doubt_max ? passes >= m_passes_least : blocked >= 1 - doubt_max;
        if (is_sure || asked >= m_plan.asked_again_max) co_return blocked > 0.5 ? Verdict::blocked : Verdict::passed;
    }
}

Dialogue<Campaign::Verdict> Campaign::ask_published(Message message, double error_max) {
    m_published.push_back({message, error_max});
    auto asking = ask(std::move(message));
    co_return co_await asking;
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

std::size_t Campaign::next_text() const {
    if (!m_plan.takes_likeliest_first) return 0;
    constexpr std::size_t texts_weighed = 200;
    std::size_t best = 0;
    double best_worth = -1;
    for (std::size_t i = 0; i < std::min(texts_weighed, m_texts.size()); ++i) {
        if (!m_texts[i].components.empty()) return i;
        const double worth = m_model.worth(characters_of(m_texts[i].text));
        if (worth > best_worth) best = i;
        best_worth = std::max(best_worth, worth);
    }
    return best;
}

Dialogue<bool> Campaign::scan_texts() {
    while (!m_texts.empty() && m_refusal.empty()) {
        const auto at = m_texts.begin() + static_cast<std::ptrdiff_t>(next_text());
        const CampaignText text = std::move(*at);
        m_texts.erase(at);
        auto rechecking = recheck();
        if (!co_await rechecking) co_return false;
        for (const auto& context : m_plan.contexts) {
            auto separating = separate(text, context);
            if (!co_await separating) {
                if (!m_plan.scans_everywhere || !m_refusal.empty()) break;
                continue;
            }
            Scanned scanned{{}, is_too_long(text.components.empty() ? text.text : joined(text.components, context))};
            if (!scanned.is_rejected) {
                auto scanning = scan(text, context);
                scanned = co_await scanning;
            }
            if (scanned.is_rejected && m_refusal.empty()) {
                auto scanning_pieces = scan_in_pieces(text, context, scanned.rules);
                (void)co_await scanning_pieces;
            }
            if (!m_plan.scans_everywhere || !m_refusal.empty()) break;
        }
        ++m_texts_done;
    }
    // A text that passed before it was known that messages slip through may have slipped through itself.
    for (const PassedText& passed : std::exchange(m_passed_texts, {})) {
        const auto asked = m_asked.find({passed.context, passed.text});
        if (!m_refusal.empty() || asked == m_asked.end() || asked->second.passed >= passes_needed()) {
            m_passed_texts.push_back(passed);
            continue;
        }
        const CampaignText again{passed.name, passed.text, {}};
        auto separating = separate(again, passed.context);
        if (!co_await separating) continue;
        auto scanning = scan(again, passed.context);
        (void)co_await scanning;
    }
    co_return m_refusal.empty();
}

Dialogue<bool> Campaign::run() {
    auto asking = ask_all();
    const bool is_done = co_await asking;
    const filter::FilterLog log = finished_log();
    m_rules = judged_by(log);
    judge_exceptions_by(log);
    co_return is_done;
}

filter::FilterLog Campaign::finished_log() const {
    filter::FilterLog log = m_log;
    (void)log.finish(m_plan.confidence);
    return log;
}

void Campaign::judge_exceptions_by(const filter::FilterLog& log) {
    const auto judged = filter::judge_exceptions(log, m_plan.confidence);
    for (FoundException& exception : m_exceptions) {
        const auto found = judged.find(exception.notation);
        exception.is_certified = found != judged.end() && found->second.is_certified;
        std::erase_if(exception.rules, [&](std::size_t r) {
            return found == judged.end() || std::none_of(found->second.pairs.begin(), found->second.pairs.end(), [&](const filter::ExceptionPair& pair) {
                       return pair.rule == m_rules[r].notation && pair.context == m_rules[r].context && pair.together == filter::State::passed;
                   });
        });
    }
}

std::vector<FoundRule> Campaign::judged_rules() const { return judged_by(finished_log()); }

std::vector<FoundRule> Campaign::judged_by(const filter::FilterLog& log) const {
    const auto judged = judge_rules(log, m_plan.confidence);
    std::map<std::pair<std::string, std::string>, bool> is_certified;    // by notation and context
    for (const auto& [notation, rule] : judged) {
        std::size_t c = 0;
        for (const auto& [context, inputs] : log.book.contexts())
            is_certified[{notation, context}] = rule.is_rule() && rule.contexts[c++].certificate.state == filter::CertificateState::certified;
    }
    std::vector<FoundRule> rules = m_rules;
    std::set<std::pair<std::string, std::string>> listed;
    std::set<std::string> notations;
    // One that was found again goes by the first that held.
    for (const bool was_certified : {true, false})
        for (FoundRule& rule : rules) {
            if (rule.is_certified != was_certified) continue;
            rule.is_certified = is_certified[{rule.notation, rule.context}] && (was_certified || listed.count({rule.notation, rule.context}) == 0);
            if (!rule.is_certified) continue;
            listed.insert({rule.notation, rule.context});
            notations.insert(rule.notation);
        }
    // What was certified elsewhere only, or by messages that were sent for something else.
    for (const auto& [rule, holds] : is_certified) {
        if (!holds || !notations.insert(rule.first).second) continue;
        const auto found = std::find_if(rules.begin(), rules.end(), [&, &name = rule.first](const FoundRule& other) { return other.notation == name; });
        rules.push_back({log.subjects.at(rule.first).components, rule.first, found == rules.end() ? "" : found->text_name, rule.second, true});
    }
    return rules;
}

Dialogue<bool> Campaign::ask_all() {
    auto calibrating = calibrate();
    if (!co_await calibrating) co_return false;
    auto tracking = track();
    if (!co_await tracking) co_return false;
    if (m_texts.empty() && !m_discovery) co_return true;
    // What is known to be blocked is a rule as well, or holds one.
    auto scanning_known = scan({"known", m_plan.known_blocked}, m_plan.contexts.front());
    (void)co_await scanning_known;
    auto scanning_texts = scan_texts();
    (void)co_await scanning_texts;
    auto discovering = discover();
    (void)co_await discovering;
    if (!m_refusal.empty()) co_return false;
    m_is_rechecked = false;
    auto rechecking = recheck();
    if (!co_await rechecking) co_return false;
    auto excepting = find_exceptions();
    if (!co_await excepting) co_return false;
    auto comparing = compare();
    if (!co_await comparing) co_return false;
    auto ordering = try_orders();
    if (!co_await ordering) co_return false;
    auto testing = try_further();
    if (!co_await testing) co_return false;
    auto shaping = try_shapes();
    if (!co_await shaping) co_return false;
    auto distancing = try_distances();
    if (!co_await distancing) co_return false;
    auto probing = probe();
    if (!co_await probing) co_return false;
    auto settling = settle();
    if (!co_await settling) co_return false;
    // What was told of spellings may be unsure by faults that were seen later.
    auto probing_again = probe();
    co_return co_await probing_again;
}

}  // namespace unveil
