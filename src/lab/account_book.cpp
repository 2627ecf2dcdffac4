#include "lab/account_book.hpp"

#include <algorithm>

namespace unveil {

AccountBook::Admission AccountBook::admit(std::string_view name, std::string_view text, std::int64_t now_us) {
    constexpr std::int64_t minute_us = 60'000'000;
    Account& account = m_accounts.try_emplace(std::string(name)).first->second;
    if (m_rules.banned_after > 0 && account.suppressed >= m_rules.banned_after) return {Outcome::banned};
    if (m_rules.per_minute_max > 0) {
        while (!account.sent_us.empty() && account.sent_us.front() <= now_us - minute_us) account.sent_us.pop_front();
        if (account.sent_us.size() >= m_rules.per_minute_max) return {Outcome::rejected, account.sent_us.front() + minute_us - now_us};
        account.sent_us.push_back(now_us);
    }
    const auto characters = static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
    if (characters > m_rules.characters_max) return {Outcome::rejected};
    const bool is_shut = m_rules.shut_after > 0 && account.suppressed >= m_rules.shut_after;
    const bool is_tainted = account.suppressed > 0 && now_us - account.suppressed_us < m_rules.sticky_us;
    return {is_shut || is_tainted ? Outcome::blocked : Outcome::passed};
}

bool AccountBook::note_suppressed(std::string_view name, std::int64_t now_us) {
    Account& account = m_accounts.try_emplace(std::string(name)).first->second;
    ++account.suppressed;
    account.suppressed_us = now_us;
    return m_rules.warned_after > 0 && account.suppressed >= m_rules.warned_after;
}

bool AccountBook::was_suppressed(std::string_view name) const {
    const auto account = m_accounts.find(name);
    return account != m_accounts.end() && account->second.suppressed > 0;
}

}  // namespace unveil
