// How good were the findings? Accounts and pairs of accounts that a coordination run reported, against the
// truth of the lab world it ran on: precision, recall and false-positive rate, each with an interval, and who
// the false ones are; and whether those labelled core and amplifier are.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lab/truth.hpp"

namespace unveil {

/// A share of counted things with its 95 % interval. Without trials there is no value and the interval is [0,
/// 1].
struct Rate {
    std::uint64_t hits = 0;
    std::uint64_t trials = 0;
    double low = 0;
    double high = 1;
    std::optional<double> value() const {
        if (trials == 0) return {};
        return static_cast<double>(hits) / static_cast<double>(trials);
    }
};
/// For precision and recall: Wilson.
Rate wilson_rate(std::uint64_t hits, std::uint64_t trials);
/// For false positives, which are rare: Clopper-Pearson.
Rate exact_rate(std::uint64_t hits, std::uint64_t trials);

/// F1 = 2 TP / (2 TP + FP + FN) with hits 2 TP. Its interval is that of the Jaccard index J = TP / (TP + FP + FN), a
/// proportion of the accounts that either has (Wilson), through the monotone F1 = 2 J / (1 + J).
Rate f1_rate(std::uint64_t true_positives, std::uint64_t false_positives, std::uint64_t false_negatives);

struct ClassCount {
    std::string name;  // "fan"; for edges also "fan/organic", "campaign-1/organic", "campaign-1/campaign-2"
    std::uint64_t count = 0;
};

struct ScoreRow {
    std::string run;            // name of the run's folder; empty for a single run
    std::string trace;          // "co-retweet"; "fused": of fused.csv; "overall": by any run, trace or window but fused
    double window_seconds = 0;  // 0 for overall

    Rate precision;            // of the accounts found, how many were planted
    Rate recall;               // of the accounts planted, how many were found
    Rate false_positive_rate;  // of the accounts not planted, how many were found
    Rate core_recall;
    Rate amplifier_recall;
    Rate edge_precision;  // the same for pairs; true are two accounts of the same campaign
    Rate edge_recall;
    Rate edge_false_positive_rate;           // among all other pairs of accounts
    std::vector<ClassCount> false_accounts;  // by class, in the order of the truth
    std::vector<ClassCount> false_edges;     // by classes, most first

    // Accounts and edges within the class that acts together by a schedule, and the rates without them.
    std::uint64_t scheduled_accounts = 0;
    std::uint64_t scheduled_edges = 0;
    Rate unscheduled_precision;
    Rate unscheduled_false_positive_rate;
    Rate unscheduled_edge_precision;
    Rate unscheduled_edge_false_positive_rate;
};

/// How well one label of tiers.csv agrees with the roles of the truth. A planted account without a label is missed; one
/// that has several counts by the first.
struct TierScore {
    std::string tier;  // "core", "amplifier"
    Rate precision;    // of the accounts with the label, how many have the role
    Rate recall;       // of the planted accounts with the role, how many have the label
    Rate f1;
    Rate unscheduled_precision;  // without the class that acts together by a schedule
    Rate unscheduled_f1;
    std::vector<ClassCount> false_accounts;  // by class; planted ones of another role as "planted"
};

struct TierRow {
    std::string run;  // name of the run's folder; empty for a single run
    std::vector<TierScore> tiers;
};

struct Score {
    std::uint64_t accounts = 0;  // of the world
    std::uint64_t planted = 0;
    std::uint64_t campaigns = 0;
    std::vector<ScoreRow> rows;  // by run, trace and window as in the files
    ScoreRow overall;
    std::vector<TierRow> tiers;  // of the runs that hold tiers.csv

    /// "recall", "edge.precision", "co-retweet.false_positive_rate", "co-link.edge.recall": overall, or the
    /// last row of that trace (its widest window); "unscheduled." before precision and false_positive_rate leaves
    /// scheduled accounts or edges out: "edge.unscheduled.precision". "tier.core.f1", "tier.amplifier.recall",
    /// "tier.core.unscheduled.f1": of the last run with tiers. Throws Error(usage) for an unknown name; nothing where there were no trials.
    std::optional<double> metric(std::string_view name) const;
};

/// `folder` holds accounts.csv and edges.csv of a run, and fused.csv and tiers.csv when the run wrote them, or runs at
/// any depth, as an investigation leaves them. Only the accounts and edges that the run kept count. Takes 8 bytes an edge. Throws Error(input) when there
/// is no run or a file lacks its columns.
Score score_run(const std::string& folder, const Truth& truth);

std::string score_to_json(const Score& score);

}  // namespace unveil
