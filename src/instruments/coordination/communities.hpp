// The network of all traces together: which communities its accounts form, how stable they are, who in them speaks and who
// passes on, in which rhythm they live and when they were active. Tables and findings for all of it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/output_table.hpp"
#include "core/progress.hpp"
#include "instruments/coordination/describe_network.hpp"
#include "instruments/coordination/fusion.hpp"
#include "instruments/coordination/network.hpp"
#include "instruments/coordination/profiles.hpp"
#include "instruments/finding.hpp"

namespace unveil::coordination {

struct CommunityRules {
    double resolution = 1;
    std::uint32_t stability_runs = 20;
    std::int64_t slice_us = 0;
    bool judges_chance = true;   // edges are beyond chance, so accounts on them are in sync
    double alpha = 0.05;         // of the rhythm's tests after Benjamini-Hochberg
    std::uint64_t seed = 0;
    unsigned threads = 1;
};

/// Always the same tables in the same order, also when nothing was kept.
struct CommunityTables {
    OutputTable* communities = nullptr;
    OutputTable* tiers = nullptr;
    OutputTable* history = nullptr;
};
CommunityTables open_community_tables(OutputTables& tables);

/// `edges` are those of the fused network, by ranks; `active` the slices of time in which they were active, in any order.
/// `rank` maps account numbers to ranks. O(edges log edges) for each stability run and three walks over the activity.
void describe_communities(const std::vector<FusedEdge>& edges, std::vector<ActiveEdge> active, const Profiles& profiles,
                          const NetworkNames& names, const std::vector<std::uint32_t>& rank, const CommunityRules& rules,
                          CommunityTables& tables, Progress& progress, Findings& findings);

}  // namespace unveil::coordination
