// How well does each other explanation fit what the flows of one trigger show? Logarithms of likelihood ratios, each with the counts it rests on, or
// the word that a capture cannot tell.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace unveil {

enum class Alternative : std::uint8_t {
    site_down,     // the site is out of order, for every name at its addresses
    nat,           // a router or address translator near the user lost its state, whatever was asked for
    user_filter,   // a filter in the user's own network, next to the client
    host,          // the host itself sent it: an ordinary reset, a second answer, a page of its own
    ipv6,          // IPv6 does not work
    loss,          // packets were lost
    geo_block,     // the host itself serves nobody from there
    captcha,       // the host, or its content network, wants a proof first
    broken_redirect,   // the host leads to where nobody can follow
};
inline constexpr std::size_t alternative_count = 9;
std::string_view alternative_name(Alternative alternative);    // "site-down"

struct AlternativeTest {
    enum class Standing : std::uint8_t { not_testable, does_not_apply, tested };
    Standing standing = Standing::not_testable;
    double log_likelihood_ratio = 0;   // of interference over the alternative, when tested
    std::string evidence;              // the counts, or why there is no test
};
std::string_view standing_name(AlternativeTest::Standing standing);    // "not testable"
using AlternativeTests = std::array<AlternativeTest, alternative_count>;

struct FlowShare {
    std::uint64_t hits = 0;            // that show the sign
    std::uint64_t flows = 0;
    friend auto operator<=>(const FlowShare&, const FlowShare&) = default;
};
/// How many triggers have this share.
using FlowShares = std::map<FlowShare, std::int64_t>;

/// What is known of one trigger. Hits are never more than flows.
struct ShownFlows {
    FlowShare own;                     // with the trigger
    FlowShare own_v6;                  // of them over IPv6
    FlowShare controls;                // without it
    std::optional<double> chance;      // that one flow shows the sign by accident, as the controls bound it; none: nothing was compared
    FlowShares same_servers;           // of other triggers, at the servers of flows with the sign
    FlowShare other_v6;                // of other triggers, over IPv6
    bool is_forged = false;            // packets came that the host may not have sent; else some did not come
    double packet_ratio = 0;           // the largest of a single flow, of what came
    /// Answers over plain HTTP that look so, and the largest packet_ratio of one of them.
    struct Look {
        std::uint64_t answers = 0;
        double packet_ratio = 0;
    };
    Look geo_block;
    Look captcha;
    Look broken_redirect;
    std::uint64_t answers_read = 0;    // over plain HTTP, among those with the sign
    unsigned ttls = 0;                 // different IP TTLs of what came
    unsigned ttls_near = 0;            // of them such as a device next to the client has
};

/// log P(which of them show the sign, one after another) where they have one rate of which nothing is known: each is as likely. O(1).
double log_by_any_rate(const FlowShare& share);

/// Is an IP TTL that of a sender at most one router away? Machines begin at 64, 128 or 255.
bool is_near_ttl(std::uint8_t ttl);

/// Bayes factors: where a rate is not known every one is as likely (Kass & Raftery 1995, Bayes Factors, JASA 90, section 3.2; Beta(1, 1)).
/// Against a site that is down: of the others at its servers one in ten may be a trigger too, at any rate. O(different shares).
AlternativeTests weigh_alternatives(const ShownFlows& shown);

}  // namespace unveil
