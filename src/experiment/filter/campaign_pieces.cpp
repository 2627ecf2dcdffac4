// The part of a campaign that sends texts longer than a message may be.
#include <fmt/format.h>

#include <algorithm>

#include "experiment/filter/campaign.hpp"
#include "experiment/filter/characters.hpp"
#include "experiment/filter/pieces.hpp"

namespace unveil {
namespace {

constexpr std::size_t message_characters_min = 20;

/// What a search sends besides the text: components found, and separators.
std::size_t room_for_search(std::size_t separator) { return 8 + 2 * separator; }

std::string between(const PiecePlan::Piece& piece) { return fmt::format("{}-{}", piece.begin + 1, piece.end); }

}  // namespace

Dialogue<std::size_t> Campaign::find_piece_length(std::string name, std::u32string characters, std::string context) {
    const std::size_t separator = characters_of(separator_in(context)).size();
    Ground& here = m_grounds[context];
    if (context == m_plan.contexts.front() && is_length_known() && here.accepted_characters >= m_length.taken) co_return m_length.taken;
    constexpr std::size_t texts_looked_at = 50;
    const auto messages = [&](std::size_t length) {
        const std::size_t room = std::min(room_for_search(separator), length / 2);
        return plan_pieces(characters.size(), length - room, separator, m_plan.apart_messages_max).groups.size();
    };
    for (;;) {
        // Half as long while nothing is known to be short enough; then longer while that is likely to save more than it costs, in this text and those to come.
        const std::size_t high = std::min(here.rejected_characters, characters.size());
        const std::size_t low = here.accepted_characters;
        const std::size_t length = low < message_characters_min ? (high + 1) / 2 : (low + high) / 2;
        if (length < message_characters_min) co_return 0;
        if (low >= message_characters_min) {
            std::size_t texts = 1;
            for (std::size_t i = 0; i < std::min(texts_looked_at, m_texts.size()); ++i) texts += characters_of(m_texts[i].text).size() > low;
            // The most that may be is as good a guess as what is known.
            const double saved = static_cast<double>(texts) * (static_cast<double>(messages(low)) - static_cast<double>(messages(high - 1))) / 2;
            if (length == low || saved < 1) co_return low;
        }
        const Message message{context, "scan", name, fmt::format("first {} characters", length), bytes_of(std::u32string_view(characters).substr(0, length))};
        auto asking = ask(message);
        const Verdict verdict = co_await asking;
        if (verdict == Verdict::none) co_return 0;
        // It may have gone beside a harmless message, in place of one whose answer was lost.
        if (verdict == Verdict::rejected) note_length(message, Outcome::rejected);
    }
}

Dialogue<bool> Campaign::scan_in_pieces(CampaignText given, std::string context, std::vector<std::size_t> rules) {
    const std::u32string characters = characters_of(given.components.empty() ? given.text : joined(given.components, context));
    const std::size_t separator = characters_of(separator_in(context)).size();
    std::size_t room = room_for_search(separator);
    constexpr int tries = 4;
    for (int i = 0; i < tries; ++i, room *= 2) {
        auto measuring = find_piece_length(given.name, characters, context);
        const std::size_t length = co_await measuring;
        if (!m_refusal.empty()) co_return false;
        if (length == 0) break;
        // A long separator may leave little; what is rejected after all gets more room.
        const std::size_t room_max = length * static_cast<std::size_t>(std::min(i + 1, 3)) / 4;
        const PiecePlan plan = plan_pieces(characters.size(), length - std::min(room, room_max), separator, m_plan.apart_messages_max);
        bool is_rejected = false;
        for (const auto& group : plan.groups) {
            // Neighbours are one piece.
            std::vector<PiecePlan::Piece> parts;
            for (std::size_t p = 0; p < group.size(); ++p)
                if (p > 0 && group[p] == group[p - 1] + 1) parts.back().end = plan.pieces[group[p]].end;
                else parts.push_back(plan.pieces[group[p]]);
            std::vector<std::string> texts;
            std::string places;
            for (const auto& part : parts) {
                texts.push_back(bytes_of(std::u32string_view(characters).substr(part.begin, part.end - part.begin)));
                places += (places.empty() ? "" : " and ") + between(part);
            }
            const std::string text = joined(texts, context);
            // What is known to be blocked by a rule of this text need not be asked for.
            std::vector<std::size_t> known;
            for (const std::size_t rule : rules)
                if (holds_all(text, m_rules[rule].components)) known.push_back(rule);
            auto scanning = scan({fmt::format("{}, characters {}", given.name, places), text, {}}, context, known);
            const Scanned scanned = co_await scanning;
            for (const std::size_t rule : scanned.rules)
                if (m_rules[rule].is_certified && std::find(rules.begin(), rules.end(), rule) == rules.end()) rules.push_back(rule);
            if (!m_refusal.empty()) co_return false;
            is_rejected = scanned.is_rejected;
            if (is_rejected) break;
        }
        if (is_rejected) continue;
        const std::string seen = plan.apart_max == SIZE_MAX ? "words of one rule that stand in three places or more were not all seen together"
                                                            : fmt::format("words of one rule that stand {} characters apart or more were not all seen together", plan.apart_max);
        m_notes.push_back(fmt::format("{} is too long: sent in {} messages of up to {} characters; {}", given.name, plan.groups.size(), length, seen));
        co_return true;
    }
    m_notes.push_back(fmt::format("{} is rejected, even in pieces, or they gave no verdict", given.name));
    co_return false;
}

}  // namespace unveil
