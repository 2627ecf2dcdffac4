#include "experiment/accounts.hpp"

#include <algorithm>

namespace unveil {
namespace {

constexpr std::int64_t minute_us = 60'000'000;
constexpr std::int64_t day_us = 24 * 60 * minute_us;

}  // namespace

bool Accounts::is_shut(const Account& account) {
    // One less than after what a campaign refuses to go on: another account may be in order.
    constexpr std::uint32_t wrong_in_row_max = 3;
    return account.wrong_in_row >= wrong_in_row_max;
}

void Accounts::count(const Trial& trial) {
    Account& account = m_accounts[trial.account];
    Turn& turn = m_turns[trial.context];
    if (turn.account != trial.account) turn = {trial.account, 0, {}};
    ++turn.messages;
    turn.last = {trial.context, trial.step, trial.subject, trial.detail, trial.input};
    // The sittings of a campaign are days apart; that says nothing of how fast the service lets it be.
    constexpr std::int64_t break_us = 10 * minute_us;
    if (!account.last_us || trial.time_us - *account.last_us > break_us) {
        account.stretch_begin_us = trial.time_us;
        account.stretch_messages = 0;
    }
    account.last_us = trial.time_us;
    if (trial.outcome == Outcome::rejected && trial.retry_after_us > 0) {
        constexpr std::int64_t interval_max_us = 60 * minute_us;
        account.not_before_us = trial.time_us + trial.retry_after_us;
        // So many messages went through in this time, the wait included: more the service does not take.
        const std::int64_t interval_us = account.stretch_messages > 0 ? (account.not_before_us - account.stretch_begin_us) / static_cast<std::int64_t>(account.stretch_messages)
                                                                       : std::max(account.interval_us * 2, trial.retry_after_us);
        account.interval_us = std::clamp(interval_us, account.interval_us, std::max(account.interval_us, interval_max_us));
        account.stretch_begin_us = account.not_before_us;
        account.stretch_messages = 0;
        return;
    }
    // Whoever was never reached got no message.
    const bool has_arrived = trial.outcome != Outcome::error || !trial.reply_sha256.empty();
    account.messages += has_arrived;
    account.stretch_messages += has_arrived;
    account.is_warned |= trial.has_warning;
    if (trial.outcome == Outcome::banned) account.is_banned = true;
    if (!is_verdict(trial.outcome)) return;
    account.is_banned = false;
    if (is_suppressed(trial.outcome)) {
        ++account.blocked;
        account.blocked_at.push_back(trial.time_us);
    }
    if (trial.step == "control" && trial.detail == "pass") account.wrong_in_row = is_suppressed(trial.outcome) ? account.wrong_in_row + 1 : 0;
}

void Accounts::forgive() {
    for (auto& [name, account] : m_accounts) {
        account.is_banned = account.is_warned = false;
        account.wrong_in_row = 0;
    }
}

std::vector<std::string> Accounts::of(const std::string& context) const {
    const auto named = m_by_context.find(context);
    return named == m_by_context.end() || named->second.empty() ? std::vector<std::string>{context} : named->second;
}

AccountRest Accounts::rest(const std::string& name, std::int64_t now_us) const {
    const auto found = m_accounts.find(name);
    if (found == m_accounts.end()) return AccountRest::none;
    const Account& account = found->second;
    if (account.is_banned) return AccountRest::banned;
    if (account.is_warned && m_limits.heeds_warnings) return AccountRest::warned;
    if (m_limits.blocked_max > 0 && account.blocked >= m_limits.blocked_max) return AccountRest::budget;
    const auto is_recent = [&](std::int64_t time_us) { return time_us > now_us - day_us; };
    if (static_cast<std::uint64_t>(std::count_if(account.blocked_at.begin(), account.blocked_at.end(), is_recent)) >= m_limits.blocked_per_day_max) return AccountRest::day;
    return is_shut(account) ? AccountRest::shut : AccountRest::none;
}

std::optional<std::string> Accounts::choose(const Message& message, std::int64_t now_us) const {
    constexpr std::uint64_t turn_messages = 30;
    const std::vector<std::string> names = of(message.context);
    const auto turn = m_turns.find(message.context);
    const auto current = turn == m_turns.end() ? names.end() : std::find(names.begin(), names.end(), turn->second.account);
    const auto is_free = [&](const std::string& name) { return rest(name, now_us) == AccountRest::none; };
    const std::string* next = nullptr;
    // Behind the one whose turn it was; that one itself comes last.
    const std::size_t from = current == names.end() ? 0 : static_cast<std::size_t>(current - names.begin()) + 1;
    for (std::size_t i = 0; i < names.size() && next == nullptr; ++i)
        if (const std::string& name = names[(from + i) % names.size()]; is_free(name)) next = &name;
    if (next == nullptr) {
        // Where no other one will be there later, whoever asks is to see what the account does with harmless messages.
        if (rest_of_all(message.context, now_us) != AccountRest::shut) return {};
        return *std::find_if(names.begin(), names.end(), [&](const std::string& name) { return rest(name, now_us) == AccountRest::shut; });
    }
    if (current == names.end() || !is_free(*current)) return *next;
    const bool is_over = message.step == "control" && turn->second.messages >= turn_messages && turn->second.last != message;
    const auto wait_us = std::max<std::int64_t>(0, due_us(*current, 1) - std::max(now_us, due_us(*next, 1)));
    const bool is_dear = m_limits.price_minute * static_cast<double>(wait_us) / static_cast<double>(minute_us) > 1;
    return is_over || is_dear ? *next : *current;
}

AccountRest Accounts::rest_of_all(const std::string& context, std::int64_t now_us) const {
    AccountRest first = AccountRest::banned;
    for (const auto& name : of(context)) first = std::min(first, rest(name, now_us));
    return first;
}

std::int64_t Accounts::due_us(const std::string& name, double factor) const {
    const auto found = m_accounts.find(name);
    if (found == m_accounts.end() || !found->second.last_us) return 0;
    const Account& account = found->second;
    const auto pause_us = static_cast<std::int64_t>(factor * static_cast<double>(m_limits.interval_us));
    return std::max(account.not_before_us, *account.last_us + std::max(pause_us, account.interval_us));
}

std::optional<std::int64_t> Accounts::last_us(const std::string& name) const {
    const auto found = m_accounts.find(name);
    return found == m_accounts.end() ? std::nullopt : found->second.last_us;
}

std::optional<std::int64_t> Accounts::last_blocked_us(const std::string& name) const {
    const auto found = m_accounts.find(name);
    return found == m_accounts.end() || found->second.blocked_at.empty() ? std::nullopt : std::optional(found->second.blocked_at.back());
}

std::vector<AccountUse> Accounts::uses(std::int64_t now_us) const {
    std::vector<AccountUse> all;
    for (const auto& [name, account] : m_accounts)
        all.push_back({name, account.messages, account.blocked, account.interval_us, rest(name, now_us), account.is_banned || is_shut(account)});
    return all;
}

}  // namespace unveil
