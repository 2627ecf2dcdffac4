#include "instruments/interference/reset_class.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "core/error.hpp"
#include "instruments/interference/flow_record.hpp"

namespace unveil {
namespace {


bool has_other_ttl(const ResetPacket& packet, const HostTraits& host) {
    return host.is_known && (packet.ttl + ttl_slack < host.ttl_low || packet.ttl > host.ttl_high + ttl_slack);
}

double base_rate(const InterferenceFacts& facts, std::string_view name) {
    for (const auto& rate : facts.base_rates)
        if (rate.name == name) return (static_cast<double>(rate.hits) + 1) / (static_cast<double>(rate.trials) + 2);
    return 0.01;
}

}  // namespace

std::string_view reset_class_of(const ResetPacket& packet, unsigned copies, const InterferenceFacts& facts) {
    std::string_view found;
    for (std::size_t i = 0; i < facts.reset_classes.size(); ++i) {
        const auto& known = facts.reset_classes[i];
        if (known.has_ack != packet.has_ack || known.has_df != packet.has_df) continue;
        if (packet.ip_id < known.ip_id_min || packet.ip_id > known.ip_id_max) continue;
        if (packet.ttl < known.ttl_min || packet.ttl > known.ttl_max) continue;
        if (copies < known.copies_min || copies > known.copies_max) continue;
        if (known.payload.empty() ? packet.payload_bytes != 0 : packet.payload_fact != i + 1) continue;
        if (!found.empty()) return {};
        found = known.name;
    }
    return found;
}

std::string_view reset_class_by_shape(std::string_view payload, std::uint8_t ttl, bool has_df, const InterferenceFacts& facts) {
    std::string_view found;
    for (const auto& known : facts.reset_classes) {
        if (known.has_df != has_df || ttl < known.ttl_min || ttl > known.ttl_max || known.payload != payload) continue;
        if (!found.empty()) return {};
        found = known.name;
    }
    return found;
}

ResetVerdict judge_resets(std::span<const ResetPacket> burst, const HostTraits& host, const ResetContext& context, const InterferenceFacts& facts) {
    UNVEIL_ASSERT(!burst.empty());
    ResetVerdict verdict;
    const ResetPacket& first = burst.front();
    constexpr std::int64_t burst_ns = 50'000'000;
    verdict.copies = static_cast<unsigned>(std::count_if(burst.begin(), burst.end(), [&](const ResetPacket& packet) {
        return packet.time_ns - first.time_ns <= burst_ns && packet.ip_id == first.ip_id && packet.sequence == first.sequence && packet.has_ack == first.has_ack &&
               packet.has_df == first.has_df && packet.window == first.window;
    }));
    verdict.box_class = reset_class_of(first, verdict.copies, facts);
    double& ratio = verdict.log_likelihood_ratio;
    // A box whose TTL happens to fit is as likely as its place on the path lets it be; one in eight is generous.
    verdict.has_other_ttl = has_other_ttl(first, host);
    if (host.is_known) ratio += verdict.has_other_ttl ? std::log(0.88 / base_rate(facts, "rst_other_ttl")) : std::log(0.12 / (1 - base_rate(facts, "rst_other_ttl")));
    // Hosts count their IP ID on, or leave it at 0: the same nonzero one three times over is a copy.
    if (verdict.copies >= 2 && first.ip_id != 0) ratio += verdict.copies >= 3 ? 5 : 3;
    if (first.payload_fact != 0) ratio += 12;
    else if (first.payload_bytes > 0) ratio += 2;
    if (context.is_data_behind) ratio += 4;
    ratio += context.is_after_trigger ? 1.5 : -2;
    if (host.is_known && first.has_df != host.has_df) ratio += 2;
    if (host.is_known && first.ip_id == 0 && host.has_ip_id && !first.has_df) ratio += 1.5;
    if (!verdict.box_class.empty() && verdict.has_other_ttl) ratio += 2.5;
    if (!verdict.box_class.empty()) ratio += 1;
    return verdict;
}

}  // namespace unveil
