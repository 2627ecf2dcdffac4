// Does a score tell planted or known campaigns from controls? The areas under the ROC and the precision-recall
// curve, precision and recall at a threshold, and what becomes of the threshold on a campaign it never saw.
//
// Accounts of one campaign resemble each other, so the campaign is what is drawn anew, not the account: an interval
// from single accounts would speak of these campaigns only. Figures on campaigns that were used to choose a threshold
// flatter: Vargas, Emami and Traynor (CCSW 2020) saw F1 fall from 0.98 to 0.71 outside the campaigns trained on.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "statistics/bootstrap.hpp"

namespace unveil {

struct ScoredItem {
    double score = 0;  // higher: more likely positive; not a number ranks below all
    bool is_positive = false;
    std::uint32_t campaign = 0;  // of positives; controls stand for themselves whatever is here
};

struct RankingScore {
    std::uint64_t positives = 0;
    std::uint64_t controls = 0;
    std::uint64_t campaigns = 0;
    /// Chance that a positive scores above a control, ties half (Mann-Whitney's U over its maximum: Hanley and
    /// McNeil, Radiology 143 (1982) 29).
    Estimate roc_auc;
    /// Sum over the distinct scores, as thresholds, of the recall gained times the precision there; equal scores can
    /// only be reported together. Depends on how many controls there are per positive, as precision does.
    Estimate average_precision;
    /// Of items scored at or above the threshold.
    Estimate precision;
    Estimate recall;
};

/// Campaigns are drawn with replacement as clusters, controls one by one, each as many as there are. With a single
/// campaign its items are drawn one by one: the interval then speaks of that campaign alone.
/// O(n log n + runs n) time, 24 bytes an item and thread.
RankingScore score_ranking(std::span<const ScoredItem> items, double threshold, const BootstrapRules& rules = {});

struct LeftOutCampaign {
    std::uint32_t campaign = 0;
    double threshold = 0;  // chosen without this campaign
    std::uint64_t positives = 0;
    std::uint64_t positives_found = 0;
    std::uint64_t controls = 0;  // those left out with it
    std::uint64_t controls_found = 0;
};

struct LeaveOneOut {
    std::vector<LeftOutCampaign> campaigns;  // by number; empty with fewer than two campaigns
    /// Of all campaigns, each at the threshold chosen without it. The thresholds stay while campaigns are drawn.
    Estimate precision;
    Estimate recall;
    Estimate f1;
    /// The flattering figures beside them: one threshold, chosen on the same items it is applied to.
    double threshold_within = 0;
    std::optional<double> precision_within;
    std::optional<double> recall_within;
    std::optional<double> f1_within;
};

/// Leaves out one campaign at a time, with a share of the controls drawn by the seed so that every control is left
/// out once, and applies to them the threshold with the best F1 on the rest; of equally good thresholds the highest,
/// which reports fewer. O(campaigns n + runs n) time.
LeaveOneOut leave_one_campaign_out(std::span<const ScoredItem> items, const BootstrapRules& rules = {});

}  // namespace unveil
