#include "instruments/interference/alternatives.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/text.hpp"

namespace unveil {
namespace {

// Of flows one after another, so that how they are grouped does not matter.

/// log P(which of them show the sign) where each does with one known chance.
double log_by_chance(const FlowShare& share, double chance) {
    constexpr double chance_min = 1e-6;
    const double p = std::clamp(chance, chance_min, 1 - chance_min);
    return static_cast<double>(share.hits) * std::log(p) + static_cast<double>(share.flows - share.hits) * std::log1p(-p);
}

/// Where one trigger in ten is one that matters, at any rate, and others show the sign by chance.
double log_by_trigger(const FlowShare& share, double chance) {
    constexpr double triggers_share = 0.1;
    const double alone = std::log(1 - triggers_share) + log_by_chance(share, chance);
    const double trigger = std::log(triggers_share) + log_by_any_rate(share);
    return std::max(alone, trigger) + std::log1p(std::exp(-std::abs(alone - trigger)));
}

FlowShare both(const FlowShare& a, const FlowShare& b) { return {a.hits + b.hits, a.flows + b.flows}; }

std::string of_text(const FlowShare& share) { return fmt::format("{} of {}", grouped_digits(share.hits), grouped_digits(share.flows)); }

void test(AlternativeTest& result, double ratio, std::string evidence) {
    result.standing = AlternativeTest::Standing::tested;
    result.log_likelihood_ratio = ratio;
    result.evidence = std::move(evidence);
}

void skip(AlternativeTest& result, AlternativeTest::Standing standing, std::string why) {
    result.standing = standing;
    result.evidence = std::move(why);
}

}  // namespace

std::string_view alternative_name(Alternative alternative) {
    constexpr std::array<std::string_view, alternative_count> names = {"site-down", "nat", "user-filter", "host", "ipv6", "loss", "geo-block", "captcha", "broken-redirect"};
    return names[static_cast<std::size_t>(alternative)];
}

std::string_view standing_name(AlternativeTest::Standing standing) {
    constexpr std::array<std::string_view, 3> names = {"not testable", "does not apply", "tested"};
    return names[static_cast<std::size_t>(standing)];
}

double log_by_any_rate(const FlowShare& share) {
    return std::lgamma(static_cast<double>(share.hits) + 1) + std::lgamma(static_cast<double>(share.flows - share.hits) + 1) - std::lgamma(static_cast<double>(share.flows) + 2);
}

bool is_near_ttl(std::uint8_t ttl) {
    constexpr std::array<int, 3> begins = {64, 128, 255};
    return std::any_of(begins.begin(), begins.end(), [&](int begin) { return ttl == begin || ttl == begin - 1; });
}

AlternativeTests weigh_alternatives(const ShownFlows& shown) {
    using Standing = AlternativeTest::Standing;
    AlternativeTests tests;
    const auto at = [&](Alternative alternative) -> AlternativeTest& { return tests[static_cast<std::size_t>(alternative)]; };
    const double log_any = log_by_any_rate(shown.own);
    const std::string counts = fmt::format("{} flows with the trigger, {} without", of_text(shown.own), of_text(shown.controls));

    FlowShare same_servers;
    double log_by_triggers = log_any;
    for (const auto& [share, triggers] : shown.same_servers) {
        same_servers = both(same_servers, {static_cast<std::uint64_t>(triggers) * share.hits, static_cast<std::uint64_t>(triggers) * share.flows});
        if (shown.chance) log_by_triggers += static_cast<double>(triggers) * log_by_trigger(share, *shown.chance);
    }
    if (same_servers.flows == 0 || !shown.chance)
        skip(at(Alternative::site_down), Standing::not_testable, "nothing else is known to have been asked for there");
    else   // what such a site sends is its own
        test(at(Alternative::site_down), log_by_triggers - log_by_any_rate(both(shown.own, same_servers)) + (shown.is_forged ? shown.packet_ratio : 0),
             fmt::format("{} flows with the trigger, {} for others at the same addresses", of_text(shown.own), of_text(same_servers)));

    // Distances of one sender are no independent witnesses, so each TTL counts once.
    constexpr double near_share = 0.95;
    const FlowShare near = {shown.ttls_near, shown.ttls};
    const bool has_distance = shown.is_forged && shown.ttls > 0;
    const double distance_ratio = has_distance ? log_by_any_rate(near) - log_by_chance(near, near_share) : 0;
    const std::string distance = fmt::format("{} TTLs of what came are of a device next to the client", of_text(near));
    const double chance_ratio = shown.chance ? log_any - log_by_chance(shown.own, *shown.chance) : 0;
    if (has_distance) {
        test(at(Alternative::user_filter), distance_ratio, distance);
        test(at(Alternative::nat), chance_ratio + distance_ratio, shown.chance ? counts + "; " + distance : distance);
    } else {
        skip(at(Alternative::user_filter), Standing::not_testable, "a capture on the other side of the user's network can tell");
        if (shown.chance) test(at(Alternative::nat), chance_ratio, counts);
        else skip(at(Alternative::nat), Standing::not_testable, "there is nothing to compare with");
    }

    if (shown.is_forged) test(at(Alternative::host), shown.packet_ratio, "the packets of the strongest flow beside the host's own");
    else skip(at(Alternative::host), Standing::not_testable, "a capture at the host can tell");

    // The host's own pages: as likely as that the host sent what looks so. Block pages may look so too, by no known rate, so that the look itself adds nothing.
    const auto weigh_look = [&](Alternative alternative, const ShownFlows::Look& look, std::string_view like) {
        if (!shown.is_forged || shown.answers_read == 0) skip(at(alternative), Standing::not_testable, "no answer over plain HTTP could be read");
        else if (look.answers == 0) skip(at(alternative), Standing::does_not_apply, fmt::format("none of {} answers looks like {}", grouped_digits(shown.answers_read), like));
        else test(at(alternative), look.packet_ratio, fmt::format("{} answers look like {}; the packets of the strongest of them beside the host's own", of_text({look.answers, shown.answers_read}), like));
    };
    weigh_look(Alternative::geo_block, shown.geo_block, "one (status 403 or 451)");
    weigh_look(Alternative::captcha, shown.captcha, "one (a content network's challenge)");
    weigh_look(Alternative::broken_redirect, shown.broken_redirect, "one (a Location that leads nowhere)");

    if (shown.own_v6.hits == 0) {
        skip(at(Alternative::ipv6), Standing::does_not_apply, "no flow with the sign is over IPv6");
    } else if (!shown.chance) {
        skip(at(Alternative::ipv6), Standing::not_testable, "there is nothing to compare with");
    } else {
        const FlowShare own_v4 = {shown.own.hits - shown.own_v6.hits, shown.own.flows - shown.own_v6.flows};
        const double by_trigger = log_any + log_by_chance(shown.other_v6, *shown.chance);
        const double by_version = log_by_chance(own_v4, *shown.chance) + log_by_any_rate(both(shown.own_v6, shown.other_v6));
        test(at(Alternative::ipv6), by_trigger - by_version,
             fmt::format("{} flows with the trigger over IPv6, {} over IPv4; {} for others over IPv6", of_text(shown.own_v6), of_text(own_v4), of_text(shown.other_v6)));
    }

    if (shown.is_forged) skip(at(Alternative::loss), Standing::does_not_apply, "what is lost forges no packet");
    else if (shown.chance) test(at(Alternative::loss), chance_ratio, counts);
    else skip(at(Alternative::loss), Standing::not_testable, "there is nothing to compare with");
    return tests;
}

}  // namespace unveil
