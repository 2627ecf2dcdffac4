// Says in findings what the networks are: numbers with intervals, plain sentences, caveats and figures.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "instruments/coordination/network.hpp"
#include "instruments/coordination/participation.hpp"
#include "instruments/finding.hpp"

namespace unveil::coordination {

struct NetworkNames {
    const Dictionary& accounts;
    const std::vector<std::uint32_t>& ordered_accounts;
    const Posts& posts;
    std::string_view account(std::uint32_t rank) const { return accounts.string(ordered_accounts[rank]); }
};

void describe_reading(std::uint64_t posts, std::uint64_t accounts, Findings& findings);

/// The metrics of one trace; `results` by ascending window. The widest window gives "<trace>.edges" and so on; with
/// several windows each also gives "<trace>.<window>.edges", ".accounts", ".groups" and ".largest_group.accounts".
void describe_trace(const std::string& trace, std::uint64_t objects, std::uint64_t own_objects, const NetworkRules& rules,
                    const FilterRules& filter_rules, const FilterResult& filtered,
                    const std::vector<WindowResult>& results, const NetworkNames& names, Findings& findings);

/// Where objects were left out, what was found in the network of all traces could be anything that accounts and posts allow.
/// Opens the intervals of the findings from `first` on.
void open_network_intervals(std::size_t first, std::uint64_t accounts, std::uint64_t posts, Findings& findings);

/// Pairs and accounts whose synchrony cannot be told may belong to the network of all traces: opens the intervals of the findings
/// from `first` on to that.
struct UntoldNetwork {
    double edges = 0;
    double accounts = 0;
};
void open_untold_network(std::size_t first, const UntoldNetwork& untold, Findings& findings);

/// Caveats of the whole run and, when asked, what the chosen semantics do that a reader may not expect.
void describe_limits(const NetworkRules& rules, bool explain, Findings& findings);

}  // namespace unveil::coordination
