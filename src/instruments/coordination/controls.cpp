#include "instruments/coordination/controls.hpp"

#include <fmt/format.h>

#include <cmath>

#include "core/text.hpp"
#include "instruments/common_findings.hpp"
#include "statistics/ranking.hpp"

namespace unveil::coordination {
namespace {

std::string shown(const Estimate& estimate) {
    return estimate.value ? fmt::format("{:.3f} ({:.3f} to {:.3f})", *estimate.value, estimate.low, estimate.high) : std::string("-");
}

std::uint32_t control_label_number(const Profiles& profiles, const std::string& label) {
    for (std::uint32_t number = 1; number < profiles.labels().size(); ++number)
        if (profiles.labels().string(number) == label) return number;
    return 0;
}

}  // namespace

bool has_controls(const Profiles& profiles, const ControlRules& rules) {
    return profiles.has_controls() || (!rules.control_label.empty() && control_label_number(profiles, rules.control_label) != 0);
}

void describe_controls(const std::vector<AccountChances>& chances, const Profiles& profiles,
                       const std::vector<std::uint32_t>& ordered_accounts, const ControlRules& rules, Findings& findings) {
    const std::uint32_t control_label = rules.control_label.empty() ? 0 : control_label_number(profiles, rules.control_label);
    const auto label_order = profiles.labels().byte_order();
    struct Role {
        std::uint32_t rank;
        bool is_positive;
        std::uint32_t campaign;
    };
    std::vector<Role> roles;
    for (std::uint32_t r = 0; r < ordered_accounts.size(); ++r) {
        const std::uint32_t account = ordered_accounts[r];
        if (!profiles.is_poster(account)) continue;
        const std::uint32_t label = profiles.label(account);
        const bool is_control = profiles.is_control(account) || (control_label != 0 && label == control_label);
        // With a control label, accounts without any label are neither.
        if (!is_control && control_label != 0 && label == 0) continue;
        roles.push_back({r, !is_control, is_control ? 0 : label_order.rank[label]});
    }
    const BootstrapRules bootstrap{.runs = 1000, .level = 0.95, .seed = rules.seed + 1, .threads = rules.threads};
    FindingTable table{{"edges of", "ROC AUC", "average precision", "precision", "recall"}, {}};
    RankingScore fused;
    std::vector<ScoredItem> items;
    for (std::size_t i = chances.size(); i-- > 0;) {
        items.clear();
        for (const Role& role : roles)
            items.push_back({chances[i].is_found[role.rank] != 0 ? 1.0 : 0.0, role.is_positive, role.campaign});
        const RankingScore found = score_ranking(items, 0.5, bootstrap);
        for (std::size_t k = 0; k < roles.size(); ++k) items[k].score = -std::log10(chances[i].best_p[roles[k].rank]);
        fused = score_ranking(items, 0, bootstrap);
        fused.precision = found.precision;
        fused.recall = found.recall;
        table.rows.insert(table.rows.begin(), {chances[i].name, shown(fused.roc_auc), shown(fused.average_precision),
                                               shown(fused.precision), shown(fused.recall)});
    }
    findings.items.push_back(exact_count("control.accounts", "accounts", fused.controls, "accounts",
                                         control_label == 0
                                             ? fmt::format("{} accounts are controls, {} are of the inputs.", grouped_digits(fused.controls),
                                                           grouped_digits(fused.positives))
                                             : fmt::format("{} accounts are controls, {} have one of {} other labels.", grouped_digits(fused.controls),
                                                           grouped_digits(fused.positives), grouped_digits(fused.campaigns))));
    const std::string whose = control_label == 0 ? "of the inputs" : "with another label";
    const auto say = [&](std::string metric, const Estimate& estimate, std::string sentence) {
        if (!estimate.value) return;
        Finding finding;
        finding.metric = std::move(metric);
        finding.subject = fmt::format("accounts {} against controls", whose);
        finding.value = *estimate.value;
        finding.low = estimate.low;
        finding.high = estimate.high;
        finding.unit = "share";
        finding.strength = StrengthKind::interval;
        finding.sentence = std::move(sentence);
        finding.caveat = control_label == 0 ? "All accounts of the inputs count as one campaign; whether they are is not known." : fused.campaigns < 5 ? "With so few campaigns the interval is too narrow: it speaks of these campaigns." : "";
        if (table.columns.size() > 0 && finding.metric == "control.auc") finding.table = std::move(table);
        findings.items.push_back(std::move(finding));
    };
    const auto value = [](const Estimate& estimate) { return estimate.value.value_or(0); };
    say("control.auc", fused.roc_auc,
        fmt::format("An account {} scores above a control with probability {:.3f}.", whose, value(fused.roc_auc)));
    say("control.pr_auc", fused.average_precision, fmt::format("The average precision is {:.3f}.", value(fused.average_precision)));
    say("control.precision", fused.precision,
        fmt::format("Of the accounts found, {:.1f} % are {}.", 100 * value(fused.precision), whose));
    say("control.recall", fused.recall, fmt::format("Of the accounts {}, {:.1f} % were found.", whose, 100 * value(fused.recall)));
    const LeaveOneOut left_out = leave_one_campaign_out(items, bootstrap);
    if (left_out.campaigns.empty()) return;
    const std::string within = left_out.f1_within ? fmt::format(" (on the campaigns it was chosen on: {:.3f})", *left_out.f1_within) : "";
    say("control.left_out.precision", left_out.precision,
        fmt::format("With a threshold chosen on the other campaigns the precision is {:.3f}.", value(left_out.precision)));
    say("control.left_out.recall", left_out.recall,
        fmt::format("With a threshold chosen on the other campaigns the recall is {:.3f}.", value(left_out.recall)));
    say("control.left_out.f1", left_out.f1,
        fmt::format("With a threshold chosen on the other campaigns F1 is {:.3f}{}.", value(left_out.f1), within));
}

}  // namespace unveil::coordination
