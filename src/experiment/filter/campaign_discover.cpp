// The part of a campaign that chooses what to send from several sources, and sends what is likely harmless together.
#include <fmt/format.h>

#include <algorithm>

#include "experiment/filter/campaign.hpp"
#include "experiment/filter/characters.hpp"

namespace unveil {
namespace {

std::vector<std::string> pieces_of(const std::vector<CampaignText>& group) {
    std::vector<std::string> pieces;
    for (const auto& one : group) {
        if (one.components.empty()) pieces.push_back(one.text);
        pieces.insert(pieces.end(), one.components.begin(), one.components.end());
    }
    return pieces;
}

std::string name_of(const std::vector<CampaignText>& group) {
    return group.size() == 1 ? group.front().name : fmt::format("{} and {} more", group.front().name, group.size() - 1);
}

}  // namespace

Dialogue<bool> Campaign::discover() {
    if (!m_discovery) co_return true;
    const std::string& context = m_plan.contexts.front();
    std::size_t rules_noted = 0;
    const auto note_rules = [&] {
        for (; rules_noted < m_rules.size(); ++rules_noted)
            if (m_rules[rules_noted].is_certified && m_rules[rules_noted].text_name != "known") m_discovery->note_rule(m_rules[rules_noted].components);
    };
    while (m_refusal.empty()) {
        auto rechecking = recheck();
        if (!co_await rechecking) co_return false;
        note_rules();
        auto batch = m_discovery->next(characters_of(m_separator).size(), [&](const std::vector<CampaignText>& group) { return known_rule_in(joined(pieces_of(group), context), context).has_value(); });
        if (!batch) break;
        const double price_before = m_price;
        const std::size_t rules_before = m_rules.size();
        const std::size_t sent = batch->candidates.size();
        auto sending = send_together(*batch);
        const Grouped grouped = co_await sending;
        if (grouped.is_rejected && sent > 1) {
            m_discovery->put_back(*batch);
            continue;
        }
        std::size_t certified = 0;
        for (std::size_t i = rules_before; i < m_rules.size(); ++i) {
            certified += m_rules[i].is_certified && m_rules[i].context == context;
            for (const auto& candidate : batch->candidates)
                if (holds_all(joined(pieces_of({candidate}), context), m_rules[i].components)) {
                    m_rules[i].text_name = candidate.name;
                    break;
                }
        }
        m_discovery->note(*batch, grouped.blocked, certified, m_price - price_before);
        m_texts_done += sent;
    }
    co_return m_refusal.empty();
}

Dialogue<Campaign::Grouped> Campaign::send_together(Discovery::Batch batch) {
    Grouped first;
    for (const auto& context : m_plan.contexts) {
        Grouped grouped;
        auto separating = separate({name_of(batch.candidates), joined(pieces_of(batch.candidates), context), {}}, context);
        if (!co_await separating) {
            if (!m_plan.scans_everywhere || !m_refusal.empty()) break;
            continue;
        }
        const CampaignText whole{name_of(batch.candidates), joined(pieces_of(batch.candidates), context), {}};
        if (batch.kind == SourceKind::texts) {
            const std::size_t rules_before = m_rules.size();
            Scanned scanned{{}, is_too_long(whole.text)};
            if (!scanned.is_rejected) {
                auto scanning = scan(whole, context);
                scanned = co_await scanning;
            }
            grouped.is_rejected = scanned.is_rejected && batch.candidates.size() > 1;
            if (scanned.is_rejected && !grouped.is_rejected) {
                auto scanning_pieces = scan_in_pieces(whole, context, scanned.rules);
                (void)co_await scanning_pieces;
            }
            grouped.blocked = m_rules.size() - rules_before;
        } else {
            auto resolving = resolve_group(batch.candidates, context, false);
            grouped = co_await resolving;
        }
        if (context == m_plan.contexts.front()) first = grouped;
        if (grouped.is_rejected || !m_plan.scans_everywhere || !m_refusal.empty()) break;
    }
    co_return first;
}

Dialogue<Campaign::Grouped> Campaign::resolve_one(CampaignText given, std::string context) {
    // The certificate begins with the candidate as it is.
    auto trying = try_rule(given.components, given.name, context);
    const auto rule = co_await trying;
    if (rule) co_return Grouped{1, false};
    const std::string bare = joined(given.components, context);
    const auto asked = m_asked.find({context, bare});
    if (!m_refusal.empty() || asked == m_asked.end() || asked->second.blocked == 0) co_return Grouped{};
    auto finding = find_rule(given.name, bare, context);
    if ((co_await finding).is_rejected) m_notes.push_back(fmt::format("{} is blocked, but a message was too long while its rule was looked for", given.name));
    co_return Grouped{1, false};
}

Dialogue<Campaign::Grouped> Campaign::resolve_group(std::vector<CampaignText> group, std::string context, bool is_known_blocked) {
    const std::string text = joined(pieces_of(group), context);
    if (!is_known_blocked) {
        // A rule that is known already stands in no more than one of them; what else is there is looked for in the way of texts.
        if (known_rule_in(text, context)) {
            const std::size_t rules_before = m_rules.size();
            auto scanning = scan({name_of(group), text, {}}, context);
            const Scanned scanned = co_await scanning;
            co_return Grouped{m_rules.size() - rules_before, scanned.is_rejected && scanned.rules.empty()};
        }
        auto asking = ask({context, "scan", name_of(group), group.size() == 1 ? "" : fmt::format("{} together", group.size()), text});
        const Verdict verdict = co_await asking;
        if (verdict == Verdict::passed) m_passed_texts.push_back({name_of(group), text, context});
        if (verdict != Verdict::blocked) co_return Grouped{0, verdict == Verdict::rejected};
    }
    const std::size_t rules_before = m_rules.size();
    Grouped grouped;
    if (group.size() == 1) {
        auto resolving = resolve_one(group.front(), context);
        grouped = co_await resolving;
    } else {
        const auto middle = group.begin() + static_cast<std::ptrdiff_t>(group.size() / 2);
        const std::vector<CampaignText> left(group.begin(), middle);
        const std::vector<CampaignText> right(middle, group.end());
        auto resolving_left = resolve_group(left, context, false);
        grouped = co_await resolving_left;
        if (!m_refusal.empty()) co_return grouped;
        auto resolving_right = resolve_group(right, context, grouped.blocked == 0 && m_rules.size() == rules_before);
        grouped.blocked += (co_await resolving_right).blocked;
    }
    // Blocked together, though none is by itself: a rule whose components stand in several of them.
    if (!is_known_blocked && m_refusal.empty() && grouped.blocked == 0 && m_rules.size() == rules_before) {
        auto scanning = scan({name_of(group), text, {}}, context);
        (void)co_await scanning;
    }
    co_return grouped;
}

}  // namespace unveil
