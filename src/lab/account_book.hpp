// What does a platform of the lab do for an account's sake, whatever its message says? It takes only so long messages and so many a minute, remembers
// what it suppressed, warns and bans.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>

#include "table/trial.hpp"

namespace unveil {

struct AccountRules {
    std::size_t characters_max = SIZE_MAX;   // longer messages are rejected
    std::uint32_t per_minute_max = 0;        // messages of an account within a minute; more are rejected; 0: any number
    std::int64_t sticky_us = 0;              // so long after a suppressed message all that the account sends is suppressed
    std::uint32_t warned_after = 0;          // suppressed messages until the account is told off; 0: never
    std::uint32_t banned_after = 0;          // until nothing goes any more; 0: never
    std::uint32_t shut_after = 0;            // until everything is suppressed, without a word; 0: never
};

class AccountBook {
  public:
    explicit AccountBook(const AccountRules& rules) : m_rules(rules) {}

    struct Admission {
        Outcome outcome = Outcome::passed;   // passed: what becomes of the message is left to what it says; else blocked, rejected or banned
        std::int64_t retry_after_us = 0;     // of rejected for coming too fast
    };
    /// Times do not go back. O(messages within a minute).
    Admission admit(std::string_view account, std::string_view text, std::int64_t now_us);
    /// After a message was suppressed for what it says. Whether the account is told off.
    bool note_suppressed(std::string_view account, std::int64_t now_us);
    bool was_suppressed(std::string_view account) const;

  private:
    struct Account {
        std::uint32_t suppressed = 0;
        std::int64_t suppressed_us = 0;
        std::deque<std::int64_t> sent_us;    // within the last minute
    };
    AccountRules m_rules;
    std::map<std::string, Account, std::less<>> m_accounts;
};

}  // namespace unveil
