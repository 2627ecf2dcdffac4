// How does a platform treat whoever sends, whatever a message says? What a log shows of lengths, memory, pace, delays and accounts.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "table/trial.hpp"

namespace unveil::filter {

class SendingBook {
  public:
    /// In the order of the log. O(log n).
    void add(const Trial& trial);

    /// Of an account after a blocked message, by how many seconds passed since then.
    struct AfterBlock {
        std::uint64_t harmless = 0;   // messages
        std::uint64_t blocked = 0;    // of them
    };
    struct Account {
        std::uint64_t messages = 0;
        std::uint32_t wrong_in_row = 0;   // harmless controls that were blocked
        bool is_banned = false;           // as long as nothing came through since
        bool is_warned = false;
    };

    std::uint64_t calibrations = 0;               // messages
    std::size_t characters_taken = 0;             // of the longest message that got a verdict other than for its size, in the first context
    std::size_t characters_refused = 0;           // of the shortest that was too long; 0: none was
    std::map<std::int64_t, AfterBlock> after_blocks;
    std::uint64_t too_fast = 0;
    std::vector<std::int64_t> delays_us;          // of answers, in the order of the log
    std::map<std::string, Account> accounts;
    bool has_turns = false;                       // several accounts sent in one context
    std::uint32_t blocked_before = 0;             // messages that tell whether an account is read more strictly once it was blocked, before it was
    std::uint32_t passed_after = 0;               // after it
    std::uint32_t blocked_after = 0;
    bool is_stricter() const;

    bool is_lost(const Account& account) const;

  private:
    std::string m_first_context;
    std::map<std::string, std::set<std::string>> m_accounts_of;   // context
    std::map<std::size_t, std::uint32_t> m_blocked_for_size;      // characters, when the length was looked for
};

}  // namespace unveil::filter
