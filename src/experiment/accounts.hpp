// Which account sends the next message of a context, and from when on may it? Several take turns; each has limits of its own, and one that is
// shut is left alone. All of it follows from the log.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "experiment/experiment.hpp"

namespace unveil {

struct AccountLimits {
    std::uint64_t blocked_per_day_max = 200;
    std::uint64_t blocked_max = 0;               // on all its days together; 0: no limit
    std::int64_t interval_us = 1'000'000;        // between two messages, on average: a token bucket of one
    double interval_jitter = 0.5;                // share by which single intervals are longer or shorter
    bool heeds_warnings = true;                  // an account that was warned sends nothing more
    double price_minute = 0;                     // of waiting, in passed messages
};

/// Why an account sends nothing; the later, the longer it lasts.
enum class AccountRest { none, day, budget, warned, shut, banned };

struct AccountUse {
    std::string name;
    std::uint64_t messages = 0;     // that arrived or may have
    std::uint64_t blocked = 0;
    std::int64_t interval_us = 0;   // that the service was found to want; 0: it never said that a message came too fast
    AccountRest rest = AccountRest::none;
    bool is_lost = false;           // banned, or shut without a word
};

class Accounts {
  public:
    /// Aliases by context, in the order of their turns; a context without any has one of its own name. The same alias in two contexts is the same account.
    Accounts(std::map<std::string, std::vector<std::string>> by_context, const AccountLimits& limits) : m_by_context(std::move(by_context)), m_limits(limits) {}

    /// In the order of the log.
    void count(const Trial& trial);
    /// What was banned, warned or shut so far works again.
    void forgive();

    /// An account stays for thirty messages of its context and leaves at the next control, so that each is controlled in its turn. It leaves at once when it must
    /// rest, or when waiting for it costs more than the control of another one. Nothing when all of them rest. O(accounts).
    std::optional<std::string> choose(const Message& message, std::int64_t now_us) const;
    /// Of all accounts of the context, the rest that ends first.
    AccountRest rest_of_all(const std::string& context, std::int64_t now_us) const;
    /// From when on it may send; `factor` is drawn around 1.
    std::int64_t due_us(const std::string& account, double factor) const;
    std::optional<std::int64_t> last_us(const std::string& account) const;
    std::optional<std::int64_t> last_blocked_us(const std::string& account) const;

    /// Those that sent something, in byte order.
    std::vector<AccountUse> uses(std::int64_t now_us) const;

  private:
    struct Account {
        std::uint64_t messages = 0;
        std::uint64_t blocked = 0;
        std::vector<std::int64_t> blocked_at;
        std::optional<std::int64_t> last_us;
        std::int64_t not_before_us = 0;          // the service said so
        std::int64_t interval_us = 0;            // learnt from that
        std::int64_t stretch_begin_us = 0;       // since it last said so
        std::uint64_t stretch_messages = 0;
        std::uint32_t wrong_in_row = 0;          // harmless controls that were blocked
        bool is_warned = false;
        bool is_banned = false;
    };
    struct Turn {
        std::string account;
        std::uint64_t messages = 0;
        Message last;
    };
    std::vector<std::string> of(const std::string& context) const;
    static bool is_shut(const Account& account);
    AccountRest rest(const std::string& account, std::int64_t now_us) const;

    std::map<std::string, std::vector<std::string>> m_by_context;
    AccountLimits m_limits;
    std::map<std::string, Account> m_accounts;
    std::map<std::string, Turn> m_turns;         // by context
};

}  // namespace unveil
