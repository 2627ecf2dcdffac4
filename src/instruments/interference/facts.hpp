// What is known of boxes that interfere, from one file (facts.json) that says source, date and how far each fact was checked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/packet.hpp"

namespace unveil {

/// read: at the source. verified: on captures. remembered: guides, but makes nothing firm.
enum class FactMark : std::uint8_t { read, verified, remembered };

struct ResetClassFact {
    std::string name;
    bool has_ack = false;
    unsigned copies_min = 1;
    unsigned copies_max = 1;
    bool has_df = false;
    std::uint16_t ip_id_min = 0;
    std::uint16_t ip_id_max = 0;
    std::uint8_t ttl_min = 0;    // as seen by clients
    std::uint8_t ttl_max = 255;
    std::string payload;         // bytes
    bool is_window_minus_ttl_constant = false;
    FactMark mark = FactMark::remembered;
    std::string source;
};

struct DnsClassFact {
    std::string name;
    std::uint16_t flags = 0;         // the whole second word of the answer
    std::optional<bool> has_df;
    bool has_opt = false;
    FactMark mark = FactMark::remembered;
    std::string source;
};

/// Addresses that forged answers held.
struct DnsPoolFact {
    std::string name;
    IpAddress from;
    IpAddress to;
    std::string first;               // month in which they were first seen, "2023-03"
    std::string last;                // and last; empty: they are not known to have changed
    FactMark mark = FactMark::remembered;
    std::string source;
};

struct PayloadFact {
    std::string name;
    std::string payload;
    FactMark mark = FactMark::remembered;
    std::string source;
};

/// Who signs certificates with which connections were intercepted.
struct IssuerFact {
    std::string name;
    std::string issuer;              // common name or organisation of an issuer begins so, letter case aside
    FactMark mark = FactMark::remembered;
    std::string source;
};

struct BaseRateFact {
    std::string name;
    std::uint64_t hits = 0;
    std::uint64_t trials = 0;
    FactMark mark = FactMark::remembered;
    std::string source;
};

/// A number that stands for how often something happens, or how closely things hang together; in [0, 1].
struct RateFact {
    std::string name;
    double value = 0;
    FactMark mark = FactMark::remembered;
    std::string source;
};

struct InterferenceFacts {
    std::vector<ResetClassFact> reset_classes;
    std::vector<DnsClassFact> dns_classes;
    std::vector<DnsPoolFact> dns_pools;
    std::vector<PayloadFact> syn_ack_payloads;
    std::vector<IssuerFact> issuers;
    std::vector<BaseRateFact> base_rates;
    std::vector<RateFact> rates;

    /// Throws Error(input) when there is none of this name.
    const RateFact& rate(std::string_view name) const;
};

/// The pool that holds an address at a time; null when none does. O(pools).
const DnsPoolFact* dns_pool_of(const InterferenceFacts& facts, const IpAddress& address, std::int64_t time_ns);

/// Throws Error(input) that names the fact and the member for what is missing, of the wrong kind or without a source, mark or date.
InterferenceFacts parse_facts(std::string_view json);
/// The file that was built in.
std::string_view built_in_facts_json();
const InterferenceFacts& built_in_facts();

}  // namespace unveil
