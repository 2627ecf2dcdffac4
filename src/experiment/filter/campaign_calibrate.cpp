// The part of a campaign that finds out what to put between pieces, in each context anew: one filter may strip what another one keeps.
#include <fmt/format.h>

#include <algorithm>

#include "experiment/filter/campaign.hpp"
#include "experiment/filter/characters.hpp"

namespace unveil {
namespace {

/// Where to cut a message of so many characters that is known to be blocked: in the middle, at its ends, then at other places. A cut that falls
/// between the words of a combination breaks nothing.
std::vector<std::size_t> cut_places(std::size_t characters) {
    constexpr std::size_t places_max = 8;
    std::vector<std::size_t> places;
    const auto add = [&](std::size_t place) {
        if (place > 0 && place < characters && places.size() < places_max && std::find(places.begin(), places.end(), place) == places.end()) places.push_back(place);
    };
    const std::size_t middle = (characters + 1) / 2;
    add(middle);
    add(1);
    add(characters - 1);
    for (std::size_t distance = 1; distance < characters; ++distance) {
        add(middle + distance);
        if (distance < middle) add(middle - distance);
    }
    return places;
}

}  // namespace

Dialogue<bool> Campaign::calibrate() {
    const std::string& context = m_plan.contexts.front();
    // A single wrong answer is no reason to give up: it may be noise.
    constexpr int tries = 3;
    for (const bool is_block : {true, false}) {
        bool is_right = false;
        for (int i = 0; i < tries && !is_right; ++i) {
            auto asking = ask_once(control_message(context, is_block));
            const Verdict verdict = co_await asking;
            if (verdict == Verdict::none || verdict == Verdict::rejected) {
                if (m_refusal.empty()) m_refusal = "the first messages gave no verdict";
                co_return false;
            }
            is_right = verdict == (is_block ? Verdict::blocked : Verdict::passed);
            ++(is_block ? m_block_controls : m_pass_controls);
            (is_block ? m_slips : m_wrongly_blocked) += !is_right;
        }
        if (is_right) continue;
        m_refusal = fmt::format("{} {} times in a row", is_block ? "the message that should be blocked came through" : "the message that should be harmless was blocked", tries);
        co_return false;
    }
    auto finding = find_separator(context, m_plan.known_blocked, cut_places(characters_of(m_plan.known_blocked).size()));
    if (!co_await finding) {
        if (m_refusal.empty())
            m_refusal = fmt::format("none of {} separators survives: the filter reads through all of them, so pieces of a text cannot be told apart, or reads what is on both sides "
                                    "by itself, so words of one rule cannot be told to belong together; or no cut "
                                    "breaks '{}', because more than one rule is in it or its parts are single characters: then give another one",
                                    m_plan.separators.size(), m_plan.known_blocked);
        co_return false;
    }
    m_separator = *m_grounds[context].separator;
    co_return true;
}

Dialogue<bool> Campaign::find_separator(std::string context, std::string known, std::vector<std::size_t> places) {
    const std::u32string characters = characters_of(known);
    std::vector<std::string> separators = m_plan.separators;
    // Messages that are the same everywhere compare best.
    if (const auto other = std::find(separators.begin(), separators.end(), m_separator); other != separators.end()) std::rotate(separators.begin(), other, other + 1);
    std::optional<std::string> apart;
    std::vector<Published> of_apart;
    for (std::size_t i = 0; i < places.size(); ++i) {
        const std::size_t place = bytes_of(std::u32string_view(characters).substr(0, places[i])).size();
        for (std::size_t s = 0; s < separators.size();) {
            const std::string separator = separators[s];
            struct Test {
                const char* name;
                std::string text;
                Verdict wanted;
                std::uint32_t times = 1;
            };
            // Kept is what matters most: a filter that strips the separator makes one word of two pieces. The more is tried, the sooner a message
            // slips through.
            const std::uint32_t times = i > 0 ? 3 : 2;
            const std::vector<Test> tests = {{"kept", known.substr(0, place) + separator + known.substr(place), Verdict::passed, times},
                                             {"harmless", m_plan.known_passed + separator + m_plan.known_passed, Verdict::passed},
                                             {"no shield", known + separator + m_plan.known_passed, Verdict::blocked}};
            std::size_t good = 0;
            bool is_good = true;
            for (const Test& test : tests) {
                const Message message{context, "calibrate", separator, test.name, test.text};
                for (std::uint32_t time = 0; is_good && time < test.times; ++time) {
                    auto asking = ask(message);
                    is_good = co_await asking == test.wanted;
                    if (!m_refusal.empty()) co_return false;
                }
                good += is_good;
            }
            // A service that reads line by line lets the harmless line through: words on both sides of a line feed are never seen together there.
            if (good == tests.size() && is_apart(context, tests.back().text, known.size())) {
                apart = separator;
                of_apart.clear();
                for (const Test& test : tests) of_apart.push_back({{context, "calibrate", separator, test.name, test.text}, 1 - m_plan.confidence});
                separators.erase(separators.begin() + static_cast<std::ptrdiff_t>(s));
                continue;
            }
            if (good == tests.size()) {
                for (const Test& test : tests) m_published.push_back({{context, "calibrate", separator, test.name, test.text}, 1 - m_plan.confidence});
                m_grounds[context].separator = separator;
                co_return true;
            }
            // Another place does not help where something else is wrong.
            if (good == 0) ++s;
            else separators.erase(separators.begin() + static_cast<std::ptrdiff_t>(s));
        }
    }
    if (!apart) co_return false;
    // One that leaves out words lets all else through whatever is between; one that leaves out lines does not let this through.
    const std::string beside = m_plan.known_passed + known;
    auto asking = ask({context, "calibrate", *apart, "left out", beside});
    const auto told = co_await asking == Verdict::blocked ? m_told.find({context, beside}) : m_told.end();
    if (told == m_told.end() || std::any_of(told->second.begin(), told->second.end(), [&](const TrialSpan& span) { return span.begin < m_plan.known_passed.size(); })) co_return false;
    m_published.insert(m_published.end(), of_apart.begin(), of_apart.end());
    m_grounds[context].separator = apart;
    co_return true;
}

Dialogue<bool> Campaign::prepare(std::string context) {
    Ground& ground = m_grounds[context];
    if (ground.is_prepared) co_return !ground.is_closed;
    ground.is_prepared = true;
    // After so many wrong ones in a row the log counts the account as shut.
    constexpr std::uint32_t tries = 4;
    std::uint32_t wrong = 0;
    Verdict verdict = Verdict::blocked;
    while (verdict == Verdict::blocked && wrong < tries) {
        auto asking = ask_once(control_message(context, false));
        verdict = co_await asking;
        wrong += verdict == Verdict::blocked;
    }
    if (!m_refusal.empty()) co_return false;
    if (verdict != Verdict::passed) {
        ground.is_closed = true;
        m_notes.push_back(fmt::format("{} is left out: the harmless message {}", context, wrong == tries ? fmt::format("was blocked {} times in a row", tries) : "gave no verdict"));
        co_return false;
    }
    m_pass_controls += wrong + 1;
    m_wrongly_blocked += wrong;
    constexpr int tries_known = 3;
    for (int i = 0; i < tries_known && verdict == Verdict::passed; ++i) {
        auto asking = ask_once({context, "calibrate", "", "known", m_plan.known_blocked});
        verdict = co_await asking;
        if (!m_refusal.empty()) co_return false;
    }
    if (verdict == Verdict::none || verdict == Verdict::rejected) {
        ground.is_closed = true;
        m_notes.push_back(fmt::format("{} is left out: the message that is blocked in {} gave no verdict there", context, m_plan.contexts.front()));
        co_return false;
    }
    // Lists differ: it may be on none here.
    if (verdict == Verdict::passed) co_return true;
    ground.known_blocked = m_plan.known_blocked;
    auto finding = find_separator(context, ground.known_blocked, cut_places(characters_of(ground.known_blocked).size()));
    ground.is_refused = !co_await finding;
    if (!m_refusal.empty()) co_return false;
    if (ground.is_refused)
        m_notes.push_back(fmt::format("in {} none of {} separators survives: the filter there reads through all of them, or no cut breaks '{}' there; nothing is isolated "
                                      "there, and rules of several words are not compared",
                                      context, m_plan.separators.size(), ground.known_blocked));
    co_return true;
}

Dialogue<bool> Campaign::find_known(std::string name, std::string text, std::string context) {
    constexpr std::uint32_t failures_max = 3;
    Ground& ground = m_grounds[context];
    const std::u32string characters = characters_of(text);
    // The shortest part that is blocked as it stands, so that no separator is needed to find it.
    std::size_t begin = 0;
    std::size_t end = characters.size();
    for (const bool is_begin : {true, false}) {
        std::size_t blocked = is_begin ? begin : end;
        std::size_t passed = is_begin ? end : begin;
        while (std::max(blocked, passed) - std::min(blocked, passed) > 1) {
            const std::size_t middle = (blocked + passed) / 2;
            const std::size_t from = is_begin ? middle : begin;
            const std::size_t to = is_begin ? end : middle;
            auto asking = ask({context, "calibrate", name, "window", bytes_of(std::u32string_view(characters).substr(from, to - from))});
            const Verdict verdict = co_await asking;
            if (!m_refusal.empty() || verdict == Verdict::none || verdict == Verdict::rejected) co_return false;
            (verdict == Verdict::blocked ? blocked : passed) = middle;
        }
        (is_begin ? begin : end) = blocked;
    }
    const std::string known = bytes_of(std::u32string_view(characters).substr(begin, end - begin));
    // A single character cannot be cut.
    bool is_known = end - begin > 1;
    constexpr int times = 2;
    for (int i = 0; i < times && is_known; ++i) {
        auto asking = ask({context, "calibrate", name, "window", known});
        is_known = co_await asking == Verdict::blocked;
        if (!m_refusal.empty()) co_return false;
    }
    if (is_known) {
        ground.known_blocked = known;
        // It begins and ends with what the filter looks for.
        std::vector<std::size_t> places = cut_places(end - begin);
        std::sort(places.begin(), places.end());
        auto finding = find_separator(context, known, places);
        if (co_await finding) co_return true;
        if (!m_refusal.empty()) co_return false;
    }
    if (++ground.failures < failures_max) co_return false;
    ground.is_refused = true;
    m_notes.push_back(fmt::format("in {} no separator survives in {} messages that are blocked there: nothing is isolated there, and rules of several words are not compared",
                                  context, failures_max));
    co_return false;
}

Dialogue<bool> Campaign::separate(CampaignText given, std::string context) {
    auto preparing = prepare(context);
    if (!co_await preparing) co_return false;
    const Ground& here = ground(context);
    if (here.separator || here.is_refused) co_return here.separator.has_value();
    const std::string text = given.components.empty() ? given.text : joined(given.components, context);
    auto asking = ask({context, "scan", given.name, "", text});
    const Verdict verdict = co_await asking;
    if (verdict == Verdict::passed) m_passed_texts.push_back({given.name, text, context});
    if (verdict != Verdict::blocked || !m_refusal.empty()) co_return false;
    auto finding = find_known(given.name, text, context);
    const bool is_found = co_await finding;
    if (!is_found && m_refusal.empty()) m_notes.push_back(fmt::format("{} is blocked in {}, but its rule is not looked for: no separator was found there", given.name, context));
    co_return is_found;
}

Dialogue<Campaign::Verdict> Campaign::ask_alone(std::string step, std::vector<std::string> components, std::string context) {
    const Ground& here = ground(context);
    const bool is_joined = components.size() > 1;
    if (here.is_closed || (is_joined && here.is_refused)) co_return Verdict::none;
    const Message message{context, step, rule_notation(components), "", joined(components, context)};
    auto asking = ask_published(message, 1 - m_plan.confidence);
    const Verdict verdict = co_await asking;
    if (verdict != Verdict::blocked || here.separator || here.is_refused) co_return verdict;
    // Something is blocked there after all.
    auto finding = find_known(message.subject, message.input, context);
    (void)co_await finding;
    if (!is_joined) co_return verdict;
    if (!here.separator || !m_refusal.empty()) co_return Verdict::none;
    auto asking_again = ask_published({context, step, message.subject, "", joined(components, context)}, 1 - m_plan.confidence);
    co_return co_await asking_again;
}

}  // namespace unveil
