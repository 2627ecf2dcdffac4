// A platform of the lab: what becomes of a message that is sent to it. Services are in memory and deterministic: the same rules, seed and
// requests give the same answers. What a service knows is the truth that no instrument sees; it shares no code with what probes it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "table/trial.hpp"

namespace unveil {

enum class ServiceKind {
    chat,        // a message comes through or does not
    search,      // a query has results, fewer results (only from authorised sites), or none
    translate,   // lines of the input are left out
};

struct ServiceRequest {
    std::string_view context;     // where the account is from: which list applies
    std::string_view account;
    std::string_view text;
    std::int64_t time_us = 0;     // since the epoch; lists change with it
    std::uint64_t number = 0;     // of the message, from 0: draws the faults and the server
};

struct ServiceAnswer {
    Outcome outcome = Outcome::passed;   // passed, blocked, partial, rejected (too long, too fast) or banned
    std::string text;                    // what comes out at the other end; empty when blocked
    std::vector<TrialSpan> spans;        // of partial: the bytes of the input that were left out
    std::int64_t delay_us = 0;           // until the answer is there
    bool has_warning = false;            // the account was told off
};

}  // namespace unveil
