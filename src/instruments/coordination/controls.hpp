// How well does the instrument tell the accounts of known campaigns from controls? Scored on evidence that says which are
// which: control inputs, or a label that stands for "control".
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "instruments/coordination/profiles.hpp"
#include "instruments/finding.hpp"

namespace unveil::coordination {

/// The smallest p of each account's edges, by rank: 1 for accounts without any.
struct AccountChances {
    std::string name;          // of the trace; "fused"
    std::vector<double> best_p;
    std::vector<std::uint8_t> is_found;   // has a kept edge
};

struct ControlRules {
    std::string control_label;   // empty: only control inputs say who is a control
    std::uint64_t seed = 0;
    unsigned threads = 1;
};

/// Whether there is anything to score.
bool has_controls(const Profiles& profiles, const ControlRules& rules);

/// Positives are accounts of the inputs that are no controls; with a control label, those with another label, each label a
/// campaign. An account that is both counts as control. `chances`: fused first, then each trace.
void describe_controls(const std::vector<AccountChances>& chances, const Profiles& profiles,
                       const std::vector<std::uint32_t>& ordered_accounts, const ControlRules& rules, Findings& findings);

}  // namespace unveil::coordination
