// The part of a campaign that finds out what to put between pieces, in each context anew: one filter may strip what another one keeps.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

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
    auto passing = begin_with(context, false);
    if (!co_await passing) co_return false;
    // The last moment at which an account may be one that never had a message blocked. Beside a harmless piece, so that what is asked later of the separator is another message.
    const std::vector<std::size_t> places = cut_places(characters_of(m_plan.known_blocked).size());
    const std::string& separator = m_plan.separators.front();
    const std::u32string known = characters_of(m_plan.known_blocked);
    const Message before{context, "calibrate", separator, "before a block",
                         bytes_of(std::u32string_view(known).substr(0, places.front())) + separator + bytes_of(std::u32string_view(known).substr(places.front())) + separator + m_plan.known_passed};
    auto asking = ask_once(before);
    const bool has_passed_before = co_await asking == Verdict::passed;
    if (!m_refusal.empty()) co_return false;
    auto blocking = begin_with(context, true);
    if (!co_await blocking) co_return false;
    auto pausing = find_pause(context);
    if (!co_await pausing) {
        if (m_refusal.empty())
            m_refusal = "after a blocked message the harmless one is blocked as well, even half an hour later: what an account sends then says nothing of the filter; give --account several that take "
                        "turns, or ask a service that forgets";
        co_return false;
    }
    auto finding = find_separator(context, m_plan.known_blocked, places);
    const bool is_found = co_await finding;
    if (!m_refusal.empty()) co_return false;
    if (has_passed_before && separator != m_grounds[context].separator) {
        auto comparing = find_strictness(before);
        if (!co_await comparing) co_return false;
    }
    if (!is_found) {
        m_refusal = fmt::format("none of {} separators survives: the filter reads through all of them, so pieces of a text cannot be told apart, or reads what is on both sides "
                                "by itself, so words of one rule cannot be told to belong together; or no cut "
                                "breaks '{}', because more than one rule is in it or its parts are single characters: then give another one",
                                m_plan.separators.size(), m_plan.known_blocked);
        if (ground(context).calibration.is_strict)
            m_refusal += "; before the first blocked message one of them was not read through: the account is read more strictly since";
        co_return false;
    }
    m_separator = *m_grounds[context].separator;
    auto measuring = find_length(context);
    (void)co_await measuring;
    m_calibration_messages = m_verdicts;
    co_return m_refusal.empty();
}

Dialogue<bool> Campaign::begin_with(std::string context, bool is_block) {
    // A single wrong answer is no reason to give up: it may be noise.
    constexpr int tries = 3;
    for (int i = 0; i < tries; ++i) {
        auto asking = ask_once(control_message(context, is_block));
        const Verdict verdict = co_await asking;
        if (verdict == Verdict::none || verdict == Verdict::rejected) {
            if (m_refusal.empty()) m_refusal = "the first messages gave no verdict";
            co_return false;
        }
        const bool is_right = verdict == (is_block ? Verdict::blocked : Verdict::passed);
        ++(is_block ? m_block_controls : m_pass_controls);
        (is_block ? m_slips : m_wrongly_blocked) += !is_right;
        if (is_right) co_return true;
    }
    m_refusal = fmt::format("{} {} times in a row", is_block ? "the message that should be blocked came through" : "the message that should be harmless was blocked", tries);
    co_return false;
}

Dialogue<bool> Campaign::find_pause(std::string context) {
    // With 5 % of harmless messages blocked by mistake, three of three are so once in eight thousand campaigns.
    constexpr std::uint32_t pairs = 3;
    constexpr std::array<std::int64_t, 3> pauses_seconds = {30, 300, 1800};
    ContextCalibration& found = m_grounds[context].calibration;
    // Each another text, so that wrong answers do not look like a filter that contradicts itself.
    std::string harmless = m_plan.known_passed + m_plan.known_passed;
    const auto after_block = [&] {
        harmless += m_plan.known_passed;
        return Message{context, "calibrate", "", fmt::format("{} s after a block", found.pause_us / 1'000'000), harmless};
    };
    const Message known{context, "calibrate", "", "block", ground(context).known_blocked};
    for (std::uint32_t pair = 0; pair < pairs; ++pair) {
        if (pair > 0) {
            auto blocking = ask_once(known);
            (void)co_await blocking;
        }
        auto asking = ask_once(after_block());
        const Verdict verdict = co_await asking;
        if (!m_refusal.empty()) co_return false;
        if (verdict != Verdict::passed && verdict != Verdict::blocked) co_return true;
        ++found.after_blocks;
        if (verdict == Verdict::passed) co_return true;
        ++found.after_blocks_wrong;
    }
    for (const std::int64_t seconds : pauses_seconds) {
        found.pause_us = seconds * 1'000'000;
        bool is_enough = true;
        for (const bool is_again : {false, true}) {
            if (!is_enough) break;
            if (is_again) {
                auto blocking = ask_once(known);
                (void)co_await blocking;
            }
            auto asking = ask_once(after_block());
            is_enough = co_await asking == Verdict::passed;
            if (!m_refusal.empty()) co_return false;
        }
        if (is_enough) co_return true;
    }
    co_return false;
}

Dialogue<bool> Campaign::find_strictness(Message before) {
    constexpr int times = 2;
    bool is_blocked = true;
    for (int i = 0; i < times && is_blocked; ++i) {
        before.detail = "after a block";
        auto asking = ask_once(before);
        is_blocked = co_await asking == Verdict::blocked;
        if (!m_refusal.empty()) co_return false;
    }
    m_grounds[before.context].calibration.is_strict = is_blocked;
    if (is_blocked)
        m_notes.push_back(fmt::format("after its first blocked message an account in {} is read more strictly: what was blocked before came through. What is found is how such an account is read", before.context));
    co_return true;
}

Dialogue<bool> Campaign::find_length(std::string context) {
    constexpr std::uint64_t messages_max = 25;        // of the calibration in all
    constexpr std::size_t separators_beside = 4;      // components of a rule are sent with separators between
    const std::size_t separator_characters = characters_of(m_separator).size();
    const auto note = [&](const CampaignText& text) {
        m_length.longest_needed = std::max(m_length.longest_needed, characters_of(text.components.empty() ? text.text : joined(text.components, context)).size());
    };
    for (const CampaignText& text : m_texts) note(text);
    if (m_discovery) m_length.longest_needed = std::max(m_length.longest_needed, m_discovery->longest(separator_characters));
    const std::size_t wanted = m_length.longest_needed + separators_beside * separator_characters;
    const std::u32string piece = characters_of(m_plan.known_passed + m_separator);
    // What the separator was tried with.
    m_length.taken = std::max(characters_of(m_plan.known_blocked).size(), characters_of(m_plan.known_passed).size()) + piece.size();
    const auto filler = [&](std::size_t characters, std::size_t from) {
        std::u32string text;
        while (text.size() < from + characters) text += piece;
        return bytes_of(std::u32string_view(text).substr(from, characters));
    };
    std::size_t next = wanted;
    // A filter that minds length blocks others of that length as well; a wrong answer does not come again and again.
    const auto times = [&] { return m_length.refused == 0 ? std::size_t{3} : std::size_t{2}; };
    while (next > m_length.taken && m_verdicts + times() <= messages_max) {
        Verdict verdict = Verdict::blocked;
        for (std::size_t time = 0; time < times() && verdict == Verdict::blocked; ++time) {
            auto asking = ask_once({context, "calibrate", "", fmt::format("{} characters{}", next, time == 0 ? "" : ", again"), filler(next, time)});
            verdict = co_await asking;
            if (verdict == Verdict::none) co_return m_refusal.empty();
        }
        if (verdict == Verdict::passed) m_length.taken = next;
        else m_length.refused = next;
        if (m_length.refused == 0) co_return true;
        // The next one is in the middle by ratio, to a fiftieth.
        constexpr double near = 1.02;
        if (static_cast<double>(m_length.refused) <= near * static_cast<double>(m_length.taken) || m_length.refused - m_length.taken <= 1) break;
        next = static_cast<std::size_t>(std::sqrt(static_cast<double>(m_length.taken) * static_cast<double>(m_length.refused)));
        next = std::clamp(next, m_length.taken + 1, m_length.refused - 1);
    }
    if (m_length.refused == 0) co_return true;
    Ground& here = m_grounds[context];
    here.rejected_characters = m_length.refused;
    here.accepted_characters = m_length.taken;
    if (m_discovery) m_discovery->limit(is_length_known() ? m_length.taken : m_length.refused - 1);
    co_return true;
}

bool Campaign::is_length_known() const {
    // With fewer messages left than it takes, halving when a text is rejected does better than a guess.
    return m_length.refused > 0 && m_length.refused <= 2 * m_length.taken;
}

bool Campaign::is_too_long(const std::string& text) const {
    return m_length.refused > 0 && characters_of(text).size() > (is_length_known() ? m_length.taken : m_length.refused - 1);
}

std::vector<ContextCalibration> Campaign::calibrations() const {
    std::vector<ContextCalibration> all;
    for (const auto& context : m_plan.contexts) {
        const Ground& here = ground(context);
        if (!here.is_prepared || here.is_closed) continue;
        all.push_back(here.calibration);
        all.back().context = context;
        all.back().separator = here.separator;
    }
    return all;
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
    auto pausing = find_pause(context);
    if (!co_await pausing) {
        ground.is_closed = true;
        if (m_refusal.empty()) m_notes.push_back(fmt::format("{} is left out: after a blocked message the harmless one is blocked there as well, even half an hour later", context));
        co_return false;
    }
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
