// What does one OONI measurement say: blocked, down or fine, on which layer, by which rule, and on the word of which of its records?
// Three answers: those of OONI's fast path and of OONI's pipeline, as published, to compare with; and our own.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "table/blocking_fingerprint.hpp"
#include "table/measurement.hpp"

namespace unveil::interference {

// ---- fingerprints of block pages

using Fingerprint = BlockingFingerprint;

class FingerprintSet {
  public:
    FingerprintSet() = default;
    explicit FingerprintSet(std::vector<Fingerprint> fingerprints);
    // What is looked up by are views into the fingerprints.
    FingerprintSet(FingerprintSet&&) = default;
    FingerprintSet& operator=(FingerprintSet&&) = default;

    bool empty() const { return m_all.empty(); }
    bool has_answers() const { return !m_dns.empty(); }
    bool has_pages() const { return m_all.size() > m_dns.size(); }
    const Fingerprint& at(std::uint32_t place) const { return m_all[place]; }
    /// Places of those that match, in their order; regular expressions are tried by of_expressions alone.
    std::vector<std::uint32_t> of_answer(const DnsAnswer& answer) const;
    std::vector<std::uint32_t> of_header(std::string_view name_lower, std::string_view value) const;
    /// As contained, whatever the kind of match, since that is how the fast path looks at bodies.
    std::vector<std::uint32_t> of_body(std::string_view body) const;
    /// As contained, and regular expressions by what they are.
    std::vector<std::uint32_t> of_page(std::string_view body) const;
    /// Places of the regular expressions for "body" or "header.server" that match somewhere in the text, a dot being any character but the end of a line.
    /// By RE2, whose time follows the length of the text whatever the expression; https://github.com/google/re2/wiki/Syntax says what it reads.
    std::vector<std::uint32_t> of_expressions(std::string_view location, std::string_view text) const;
    /// Regular expressions that RE2 does not read, or that would take too much memory.
    std::uint64_t expressions_unusable() const { return m_expressions_unusable; }

  private:
    struct Expressions;
    /// `has_text` becomes true where a text stands in the body without which no expression can match.
    std::vector<std::uint32_t> scan(std::string_view body, bool& has_text) const;

    std::vector<Fingerprint> m_all;
    std::unordered_multimap<std::string_view, std::uint32_t> m_dns;
    std::unordered_multimap<std::string_view, std::uint32_t> m_headers;   // by header
    std::unordered_multimap<std::uint32_t, std::uint32_t> m_bodies;       // by the first four bytes
    std::vector<std::uint32_t> m_short_bodies;
    std::unordered_multimap<std::uint32_t, std::string> m_texts;          // of which every expression for bodies wants one, by the first four bytes
    bool m_has_expression_without_text = false;
    std::vector<bool> m_starts;                                           // of 16 bits each
    std::vector<std::shared_ptr<const Expressions>> m_expressions;        // by location
    std::uint64_t m_expressions_unusable = 0;
};

// ---- ooni-fastpath

/// score_measurement of https://github.com/ooni/backend, fastpath/fastpath/core.py, with its names.
struct FastpathScore {
    double general = 0;
    double global = 0;
    double country = 0;
    double isp = 0;
    double local = 0;
    std::optional<double> accuracy;
    std::string_view blocking_type;               // of web_connectivity
    std::vector<std::uint32_t> fingerprints;      // matches, by their place in the set
    std::vector<std::pair<std::string_view, Tristate>> analysis;  // of whatsapp
    bool is_confirmed = false;
    bool is_scored = true;                        // false for tests that it gives no score at all
    bool is_discarded = false;                    // it would not have been stored: no report_id, country ZZ, AS0

    bool is_anomaly() const { return general > 0.5; }
    bool is_failure() const { return accuracy.value_or(1) < 0.5; }
};
FastpathScore score_fastpath(const Measurement& measurement, const FingerprintSet& fingerprints);

// ---- layers

enum class Layer : std::uint8_t { dns, tcp, tls, http, throttle };
constexpr std::size_t layers = 5;
std::string_view layer_name(Layer layer);

/// How much speaks for each state. The sum need not be 1; all three are 0 where nothing was seen or nothing can be said.
struct Weights {
    double blocked = 0;
    double down = 0;
    double ok = 0;

    bool any() const { return blocked > 0 || down > 0 || ok > 0; }
    auto operator<=>(const Weights&) const = default;
};

// ---- ooni-data-v2

/// The fuzzy rules, version 2, of https://github.com/ooni/data, oonipipeline/analysis/rules.py and web_analysis.py: the highest weight of each
/// state over all rows of a measurement, and the rule that decided. What the pipeline joins from other measurements of the day (controls, addresses
/// with a valid handshake) is here that of the measurement itself, and network numbers are those which it carries.
struct DataV2Layer {
    Weights highest;
    std::string_view rule = "none";
    std::string_view top_failure;
};
struct DataV2Score {
    DataV2Layer dns;
    DataV2Layer tcp;
    DataV2Layer tls;
    std::string_view probe_analysis;  // what the probe said itself
    bool is_scored = false;           // web_connectivity alone
};
/// `v6_failure_rate`: over all measurements of the report; of this one alone when negative.
DataV2Score score_data_v2(const Measurement& measurement, const FingerprintSet& fingerprints, double v6_failure_rate = -1);

// ---- unveil

/// What became of it all. Only `blocked` is about the network between.
enum class Standing : std::uint8_t {
    ok,
    blocked,
    down,             // for the control as well
    geo_block,        // the server itself refuses, over a connection that nobody between could have written into
    captcha,          // a content network wants to see a person first
    broken_redirect,  // the site sends its visitors to nowhere or in circles
    rerouted,         // another address than the site's, which serves the site none the less
    insufficient,
};
std::string_view standing_name(Standing standing);

struct LayerVerdict {
    static constexpr std::size_t pointers_max = 8;

    Weights weights;
    std::string_view rule;              // "dns.bogon_not_in_control"; empty where the layer was not seen
    std::string_view mechanism;         // "bogon", "reset", "timeout": for whoever sums them up; empty unless blocked
    std::vector<std::string> pointers;  // JSON pointers of the records that decided, in the order of the file
};

struct UnveilScore {
    std::array<LayerVerdict, layers> of;
    Standing standing = Standing::insufficient;
    Layer layer = Layer::http;     // where it was decided
    std::string_view rule = "none";
    bool is_control_used = false;
    bool is_answer_tls_consistent = false;  // an address of the system's resolver completed a valid handshake for the name
    std::vector<std::uint32_t> fingerprints;

    const LayerVerdict& layer_of(Layer which) const { return of[static_cast<std::size_t>(which)]; }
};
/// Blocked when this much speaks for it.
constexpr double blocked_weight_min = 0.5;

UnveilScore score_unveil(const Measurement& measurement, const FingerprintSet& fingerprints);

// ---- shared

/// Addresses that no public name should have: private, loopback, link-local, shared, multicast, reserved, documentation; text that is no address is none.
bool is_bogon(std::string_view address);
/// The address of "192.0.2.1:443" and "[2001:db8::1]:443".
std::string_view address_of_endpoint(std::string_view endpoint);

/// All rules of score_unveil with their weights and reasons, for the page of the instrument.
struct ScoringRule {
    std::string_view name;
    Weights weights;
    std::string_view mechanism;
    std::string_view reason;
};
std::span<const ScoringRule> unveil_scoring_rules();

/// On whose word a measurement counts as blocked.
enum class RuleGround : std::uint8_t {
    probe,    // the probe's alone: the site itself may be out of order
    control,  // the control's, for which the site was in order at the same moment
    forgery,  // that of the answer, which no site gives: a bogon, a known block page, a second answer
};
RuleGround rule_ground(std::string_view rule);

}  // namespace unveil::interference
