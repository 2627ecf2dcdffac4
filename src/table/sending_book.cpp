#include "table/sending_book.hpp"

#include <algorithm>
#include <charconv>

namespace unveil::filter {
namespace {

/// "300 s after a block" begins with a number; -1 when this does not, or does not end so.
std::int64_t number_before(std::string_view detail, std::string_view end) {
    std::int64_t number = -1;
    const auto [at, failure] = std::from_chars(detail.data(), detail.data() + detail.size(), number);
    return failure == std::errc() && std::string_view(at, static_cast<std::size_t>(detail.data() + detail.size() - at)) == end ? number : -1;
}

}  // namespace

void SendingBook::add(const Trial& trial) {
    if (m_first_context.empty()) m_first_context = trial.context;
    if (trial.delay_us > 0) delays_us.push_back(trial.delay_us);
    auto& account = accounts[trial.account];
    ++account.messages;
    account.is_warned |= trial.has_warning;
    auto& others = m_accounts_of[trial.context];
    others.insert(trial.account);
    has_turns |= others.size() > 1;
    if (trial.outcome == Outcome::banned) account.is_banned = true;
    if (trial.outcome == Outcome::rejected && trial.retry_after_us > 0) {
        ++too_fast;
        return;
    }
    calibrations += trial.step == "calibrate";
    const bool is_blocked = is_suppressed(trial.outcome);
    if (trial.step == "calibrate" && is_verdict(trial.outcome)) {
        blocked_before += trial.detail == "before a block" && is_blocked;
        if (trial.detail == "after a block") ++(is_blocked ? blocked_after : passed_after);
    }
    if (is_verdict(trial.outcome)) {
        account.is_banned = false;
        if (trial.step == "control" && trial.detail == "pass") account.wrong_in_row = is_blocked ? account.wrong_in_row + 1 : 0;
        if (const auto seconds = trial.step == "calibrate" ? number_before(trial.detail, " s after a block") : -1; seconds >= 0) {
            ++after_blocks[seconds].harmless;
            after_blocks[seconds].blocked += is_blocked;
        }
    }
    if (trial.context != m_first_context) return;
    const auto characters = static_cast<std::size_t>(std::count_if(trial.input.begin(), trial.input.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
    bool is_refused = trial.outcome == Outcome::rejected;
    // A filter may block what is too long; the harmless messages by which the length was looked for show it, twice each.
    if (is_blocked && trial.step == "calibrate" && (number_before(trial.detail, " characters") >= 0 || number_before(trial.detail, " characters, again") >= 0))
        is_refused = ++m_blocked_for_size[characters] >= 2;
    else if (trial.outcome == Outcome::passed || (is_blocked && trial.step != "calibrate")) characters_taken = std::max(characters_taken, characters);
    if (is_refused) characters_refused = characters_refused == 0 ? characters : std::min(characters_refused, characters);
}

bool SendingBook::is_stricter() const { return blocked_before == 0 && passed_after == 0 && blocked_after >= 2; }

bool SendingBook::is_lost(const Account& account) const {
    const std::uint32_t wrong_in_row_min = has_turns ? 3 : 4;
    return account.is_banned || account.wrong_in_row >= wrong_in_row_min;
}

}  // namespace unveil::filter
