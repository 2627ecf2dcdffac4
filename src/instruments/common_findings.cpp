#include "instruments/common_findings.hpp"

#include <limits>
#include <utility>

#include "statistics/proportion.hpp"

namespace unveil {

Finding exact_count(std::string metric, std::string subject, std::uint64_t value, std::string unit, std::string sentence) {
    Finding finding;
    finding.metric = std::move(metric);
    finding.subject = std::move(subject);
    finding.value = finding.low = finding.high = static_cast<double>(value);
    finding.level = 1;
    finding.unit = std::move(unit);
    finding.strength = StrengthKind::exact;
    finding.sentence = std::move(sentence);
    return finding;
}

Finding share(std::string metric, std::string subject, std::uint64_t hits, std::uint64_t trials, std::string sentence) {
    Finding finding;
    finding.metric = std::move(metric);
    finding.subject = std::move(subject);
    finding.value = trials == 0 ? 0 : static_cast<double>(hits) / static_cast<double>(trials);
    const auto interval = wilson_interval(hits, trials, 0.95);
    finding.low = interval.low;
    finding.high = interval.high;
    finding.unit = "share";
    finding.strength = StrengthKind::interval;
    finding.sentence = std::move(sentence);
    return finding;
}

Finding set_finding(std::string metric, std::string subject, const std::set<std::string>& members, std::set<std::string> non_members, std::string unit,
                    std::string sentence) {
    Finding finding = exact_count(std::move(metric), std::move(subject), members.size(), std::move(unit), std::move(sentence));
    for (const auto& member : members) non_members.erase(member);
    finding.is_set = true;
    finding.members.assign(members.begin(), members.end());
    finding.non_members.assign(non_members.begin(), non_members.end());
    return finding;
}

Finding at_least(Finding count) {
    count.high = std::numeric_limits<double>::infinity();
    count.strength = StrengthKind::interval;
    count.caveat = "What is not in the evidence is not known.";
    return count;
}

}  // namespace unveil
