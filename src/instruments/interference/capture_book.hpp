// Which mechanisms do the flows of captures prove together, against what, and how sure is it? Signs of single flows become firm when what one flow
// shows is enough by itself, or when flows with one trigger show it far more often than flows without.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/locator.hpp"
#include "instruments/interference/address_order.hpp"
#include "instruments/interference/alternatives.hpp"
#include "instruments/interference/facts.hpp"
#include "instruments/interference/flow_record.hpp"
#include "instruments/interference/name_book.hpp"
#include "instruments/interference/throttling.hpp"

namespace unveil {

enum class Mechanism : std::uint8_t {
    dns_injection, reset_injection, syn_ack_injection, block_page, silent_drop, freeze, residual, quic_drop, fully_encrypted_drop, throttling_policing,
    throttling_shaping, protocol_whitelist, syn_drop, syn_reset, tls_interception, throttling,
};
inline constexpr std::size_t mechanism_count = 16;
std::string_view mechanism_name(Mechanism mechanism);    // "dns-injection"

/// What is held of one trigger: a name, an address, or what is said of first payloads.
struct MechanismVerdict {
    Mechanism mechanism = Mechanism::dns_injection;
    std::string trigger;
    std::string_view layer;          // "dns", "tcp", "tls", "http", "quic": of what most of its flows began with
    std::string_view direction;      // of packets that were forged or withheld: "server-to-client", "client-to-server", "both"; "either": one of the two
    std::string box_class;           // of the facts; "unknown"; empty where there are no classes
    std::uint64_t flows = 0;         // with the sign
    std::uint64_t exposed = 0;       // that held the trigger
    std::uint64_t control_flows = 0; // with the sign among flows without the trigger
    std::uint64_t control_exposed = 0;
    double p_value = 1;              // that so many have the sign by what the controls show
    double q_value = 1;              // Benjamini & Hochberg over all triggers asked about this mechanism
    double permutation_p_value = 1;  // that the trigger falls on so many flows with the sign, in any order of the triggers (fisher_tail)
    double log_likelihood_ratio = 0; // the largest of a single flow
    bool is_firm = false;
    std::string alternative;         // the likeliest other explanation, when it is not firm
    AlternativeTests alternatives;   // by Alternative
    std::int64_t first_ns = INT64_MAX;
    std::int64_t last_ns = INT64_MIN;
    double figure = 0;               // by mechanism: KiB at the freeze, share of the controls' rate, window less TTL of a box whose resets have it constant
    std::vector<Locator> locators;   // frames
    std::uint64_t locators_total = 0;
    std::optional<SlowName> throttling;   // of names with slow answers; its members are of rates()
};

/// A flow with a sign, and what is made of it.
struct JudgedFlow {
    FlowRecord flow;
    Mechanism mechanism = Mechanism::dns_injection;
    bool is_firm = false;
};

/// How long does a trigger keep blocking the same client, server address and server port?
struct ResidualEstimate {
    std::uint64_t triggers = 0;          // with later flows on the same three
    std::uint64_t failed = 0;            // later flows that failed
    std::uint64_t passed = 0;            // and that did not
    double seconds_low = 0;              // the latest failure
    double seconds_high = 0;             // the first success behind all failures
    std::uint64_t other_port_failed = 0; // same client and server, other port, meanwhile
    std::uint64_t other_port = 0;
    bool is_firm = false;                // that it is residual blocking at all
    bool is_same_source_port = false;    // only connections from the trigger's own port fail: the four of a connection, not three
    static constexpr double restart_ratio_min = 6.9;   // log(1000), either way: below, it is not told
    double restart_ratio = 0;            // log of the likelihood ratio that each failed attempt begins the time anew, over that it runs from the trigger
    bool is_known() const { return triggers > 0 && failed > 0 && passed > 0 && seconds_high >= seconds_low; }
};

/// QUIC flows with a name that is blocked, by how the ports compare.
struct PortComparison {
    std::uint64_t above = 0;             // source port above the destination's
    std::uint64_t above_blocked = 0;
    std::uint64_t equal = 0;
    std::uint64_t equal_blocked = 0;
    std::uint64_t below = 0;
    std::uint64_t below_blocked = 0;
};
enum class PortRule : std::uint8_t { undecided, none, source_above, source_above_or_equal, source_above_equal_untried };
std::string_view port_rule_name(PortRule rule);
/// Each group is blocked or not by an exact test at 0.001: a group of fewer than eight flows decides nothing.
PortRule port_rule(const PortComparison& comparison);

class CaptureBook {
  public:
    struct Limits {
        double log_likelihood_ratio_min = 11;  // from which on a single flow is enough
        double q_value_max = 0.001;
        double share_min = 0.3;                // of a trigger's flows that must show the sign, FET aside
        std::size_t flows_kept_max = 300'000;
        std::size_t outcomes_kept_max = 1'500'000;
        std::size_t certificates_kept_max = 1 << 19;
        bool is_two_sided = false;             // inputs 0 and 1 hold the same connections, as the clients and as the servers saw them
    };

    CaptureBook(const InterferenceFacts& facts, const NameBook& names, const Limits& limits);
    void add(const FlowRecord& flow);
    void add(const RateRecord& rate);
    /// Frames that the other end of their connections never sent, ascending, and what that adds to the logarithm of each one's likelihood ratio.
    void note_unsent(std::span<const Locator> frames, double log_likelihood_ratio);
    /// Once, when all flows are there. O(n log n).
    void judge();

    const std::vector<MechanismVerdict>& verdicts() const { return m_verdicts; }   // by mechanism, then trigger
    const std::vector<JudgedFlow>& flows() const { return m_judged; }
    const std::vector<RateRecord>& rates() const { return m_rates; }               // by time, once judged
    const ResidualEstimate& residual() const { return m_residual; }
    const PortComparison& quic_ports() const { return m_quic_ports; }
    /// First payloads that the rule on fully encrypted traffic takes, and others: how many were lost.
    struct Eligibility {
        std::uint64_t eligible = 0;
        std::uint64_t eligible_lost = 0;
        std::uint64_t exempt = 0;
        std::uint64_t exempt_lost = 0;
    };
    const Eligibility& eligibility() const { return m_eligibility; }
    /// The same of one destination: /24, or /48 of IPv6, where eligible and other first payloads were sent.
    struct PrefixEligibility {
        IpAddress prefix;
        Eligibility payloads;
        double p_value = 1;              // fisher_tail
        double q_value = 1;              // Benjamini & Hochberg over all such destinations
    };
    std::vector<PrefixEligibility> eligibility_by_prefix() const;   // by prefix
    std::uint64_t flows_left_out() const { return m_flows_left_out; }
    /// An address that firm lookups held first, and what the facts know it as.
    struct ForgedAddress {
        IpAddress address;
        std::string_view pool;           // of the facts; empty
        std::uint64_t lookups = 0;
        std::uint64_t names = 0;
        std::int64_t first_ns = INT64_MAX;
        std::int64_t last_ns = INT64_MIN;
    };
    const std::vector<ForgedAddress>& forged_addresses() const { return m_forged_addresses; }   // by address
    const AddressOrder& forged_order() const { return m_forged_order; }

  private:
    /// What fails on its own account.
    enum class Transport : std::uint8_t { lookups, quic, tcp };
    static constexpr std::size_t transport_count = 3;
    static Transport transport_of(PayloadKind kind);
    struct AddressHash {
        std::size_t operator()(const IpAddress& address) const;
    };
    struct Outcome {
        std::uint64_t triple = 0;        // hash of client, server, server port
        std::uint64_t pair = 0;          // hash of client, server
        std::int64_t time_ns = 0;
        std::uint32_t name = 0;
        std::uint16_t client_port = 0;
        bool is_failed = false;
    };
    struct Exposure {
        std::array<std::uint32_t, payload_kind_count> flows{};     // by PayloadKind
        std::array<std::uint32_t, transport_count> v6{};           // of them over IPv6, by Transport
        std::uint32_t with_ech = 0;
    };
    struct Tally {
        std::uint64_t flows = 0;
        std::uint64_t lost = 0;
    };
    /// To open a TCP connection.
    struct Attempts {
        std::uint64_t flows = 0;
        std::uint64_t silent = 0;
        std::uint64_t reset = 0;
    };
    /// Flows with one trigger.
    struct Group {
        std::uint64_t hits = 0;
        std::uint64_t exposed = 0;
        std::uint64_t exposed_v6 = 0;
        std::vector<std::size_t> members;         // of m_judged
    };

    void note_answer(const FlowRecord& flow);
    void gather_certificates();
    void judge_certificates();
    void find_dns_races();
    void judge_dns();
    void list_forged_addresses();
    void judge_words(Mechanism mechanism);
    void judge_names(Mechanism mechanism);
    using CountOf = std::function<std::uint64_t(std::uint32_t name)>;
    Tally controls_of(const CountOf& hits_of, const CountOf& exposed) const;
    Tally controls_of(const std::map<std::uint32_t, Group>& groups, const CountOf& exposed) const;
    void tell_unexplained(Mechanism mechanism, double ratio_min, const CountOf& exposed);
    void judge_servers();
    void judge_addresses(Mechanism mechanism);
    void judge_fully_encrypted();
    void judge_ports();
    void judge_rates();
    void judge_residual();
    /// `chance`: that a flow shows the sign by accident. `same_servers`: what else went to the servers, where it is not told by name.
    void close_group(MechanismVerdict verdict, const Group& group, std::optional<double> chance, std::optional<FlowShares> same_servers = {});
    FlowShares others_at_servers(const Group& group);
    void note_named(const FlowRecord& flow);
    void fold_named();
    void gather_named();
    std::uint64_t exposed_v6(std::uint32_t name, PayloadKind kind) const;
    bool is_answered_for_others(const IpAddress& server, std::uint32_t name) const;
    Mechanism mechanism_of(const FlowRecord& flow) const;
    std::uint64_t signer_of(const ShownCertificate& certificate) const;
    std::string certificate_text(const ShownCertificate& certificate) const;

    const InterferenceFacts& m_facts;
    const NameBook& m_names;
    Limits m_limits;
    std::vector<JudgedFlow> m_judged;
    std::vector<RateRecord> m_rates;
    std::vector<Outcome> m_outcomes;
    std::vector<Exposure> m_exposures;            // by name
    /// Flows with a name that were answered or show a sign; the latter are hits.
    struct NamedShare {
        std::uint64_t server = 0;
        std::uint32_t name = 0;
        FlowShare share;
    };
    struct NamedServer {
        FlowShare all;
        std::map<std::uint32_t, FlowShare> names;
        FlowShares shares;                        // of all names, once asked for
    };
    struct NamedFlow {
        std::uint64_t server = 0;
        std::uint32_t name = 0;
        bool is_lost = false;
    };
    static constexpr std::size_t named_flows_max = 1 << 19;
    std::vector<NamedFlow> m_named_flows;                                         // the latest, which are not in m_named
    std::unordered_map<std::uint64_t, NamedShare> m_named;                        // by server and name
    std::unordered_map<std::uint64_t, NamedServer> m_named_by_server;             // of servers of m_judged and m_rates, once judged
    std::array<FlowShare, transport_count> m_named_v6;
    std::unordered_map<IpAddress, std::array<Tally, 2>, AddressHash> m_eligible_by_server;   // exempt, eligible
    std::unordered_map<std::uint64_t, std::uint32_t> m_requests;                  // flows over HTTP, by name << 32 | request
    std::vector<bool> m_is_by_word;               // of m_judged: a word in what is asked for explains it, not the name
    std::map<std::uint16_t, Tally> m_foreign_by_port;
    std::map<std::uint16_t, std::uint64_t> m_foreign_v6_by_port;
    std::unordered_map<IpAddress, Attempts, AddressHash> m_attempts_by_server;
    Eligibility m_eligibility;
    /// An answer over TLS to a hello with a name.
    struct TlsAnswer {
        std::uint64_t server = 0;
        std::uint64_t prefix = 0;
        std::uint64_t client = 0;
        std::uint64_t connection = 0;             // hash of client, server, their ports and name
        std::uint64_t signer = 0;                 // 0: no certificate was shown in plain
        std::uint64_t leaf = 0;
        std::uint32_t name = 0;
        std::uint32_t evidence = 0;
        bool is_for_name = false;
        bool is_elsewhere = false;                // it began at another distance than the handshake
    };
    std::vector<TlsAnswer> m_tls_answers;
    /// Of one name at one server.
    struct CertificateTally {
        std::uint64_t for_name = 0;
        std::uint64_t for_others = 0;
    };
    std::unordered_map<std::uint64_t, CertificateTally> m_certificates_at;        // by server and name
    std::unordered_map<std::uint32_t, PortComparison> m_quic_by_name;
    PortComparison m_quic_ports;          // of firm names
    ResidualEstimate m_residual;
    std::vector<ForgedAddress> m_forged_addresses;
    AddressOrder m_forged_order;
    std::vector<MechanismVerdict> m_verdicts;
    std::uint64_t m_flows_left_out = 0;
};

}  // namespace unveil
