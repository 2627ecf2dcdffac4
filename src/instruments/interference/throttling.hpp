// Which names get their long answers more slowly than others do at the same servers, by the same clients, at the same time, and what holds them back: a
// limit that drops what is too much (policing), a queue that lets it wait (shaping), or the server itself?
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "instruments/interference/alternatives.hpp"
#include "instruments/interference/flow_record.hpp"

namespace unveil {

enum class SlowCause : std::uint8_t {
    policing,      // holes beyond those of others, and no growth of the round trip beyond theirs
    shaping,       // a round trip that grows while data flow
    server,        // neither: a server, or a program, that pauses or holds its own pace
};
inline constexpr std::size_t slow_cause_count = 3;

/// A name whose answers are slow.
struct SlowName {
    /// How many times as likely one cause must be as the next: log(1000).
    static constexpr double told_min = 6.9;

    std::uint32_t name = 0;
    std::vector<std::size_t> members;         // of the rates
    FlowShare own;                            // slow ones of them
    FlowShare controls;                       // of fast names, the nearest in time of each
    FlowShare beside;                         // those nearest to slow ones
    double chance = 1;                        // that a flow is slow by what the controls show
    double p_value = 1;                       // that so many are
    double slow_below = 0;                    // bytes a second, for every name
    double rate_share = 1;                    // median, of the rate that fast names get
    double spread = 0;                        // standard deviation of the logarithms of the slow flows' rates
    // Fast names at the same servers, and of the same clients: Mann & Whitney's test in strata (van Elteren 1960).
    std::uint64_t server_controls = 0;
    double server_p_value = 1;
    std::uint64_t client_controls = 0;
    double client_p_value = 1;
    // What the flows show.
    FlowShare grown;                          // whose round trip grew, of those of which it is known
    FlowShare control_grown;
    double holes_share = 0;                   // mean
    double control_holes_share = 0;
    FlowShare bursty;                         // whose packets come in bursts
    bool has_round_trip = false;
    double round_trip_seconds = 0;            // medians over the flows whose legs were both seen while data flowed
    double growth_low_seconds = 0;
    double growth_high_seconds = 0;
    /// Bytes that come at the controls' speed before the change: median of the flows, and its interval at 95 %.
    struct FullSpeed {
        std::uint64_t flows = 0;
        double kib = 0;
        double kib_low = 0;
        double kib_high = 0;
    };
    std::optional<FullSpeed> full_speed;
    std::array<double, slow_cause_count> log_likelihoods{};   // by SlowCause
    bool is_caused_by(SlowCause cause) const; // told_min above both others, and round trips fit
    bool is_server_excluded() const;          // one of the others is told_min above it
    std::string_view alternative;             // the likeliest other explanation; empty: none of those that were weighed
};

/// By name; nothing where fewer than two names, or fewer than 20 flows of fast names, have long answers. Rates in any order. O(n log n) but for answers of
/// one name and client that overlap, of which each is compared with 64 on either side.
std::vector<SlowName> find_slow_names(std::span<const RateRecord> rates, double p_value_max);

/// Did the round trip of this flow grow? Nothing where too little of it was seen.
std::optional<bool> has_grown(const RateRecord& rate);

/// After how many bytes does `own` leave `control`, two times for every position (RateCurve::position_bytes)? The best line max(0, position - N) / rate through
/// their difference, by least squares over N; nothing with fewer than six points. O(points x 256).
std::optional<double> full_speed_bytes(std::span<const double> own_seconds, std::span<const double> control_seconds);

/// One-sided: that `own` values are as large as `controls`, in strata. Both by stratum; normal approximation with continuity, which ties make larger.
struct RankStratum {
    std::vector<double> own;
    std::vector<double> controls;
};
double smaller_in_strata(std::span<RankStratum> strata);

}  // namespace unveil
