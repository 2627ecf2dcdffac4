// What would volunteers' probes in several countries report of a list of sites while some networks block some of them? Measurements in the
// layout of OONI's web_connectivity 0.5, one JSON object a line, and which (site, network) were blocked, how and since when. Countries and
// networks are of the ranges for private use, so that no real one is named.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace unveil::lab {

struct MeasurementPlan {
    std::uint32_t domains = 16;
    std::uint32_t countries = 3;
    std::uint32_t networks = 2;   // of each country
    std::uint32_t days = 45;
    double daily = 1;             // measurements of each site in each network, on average
    std::uint32_t blocks = 6;     // (site, country) pairs; half of them in one network alone
    double failure_rate = 0.02;   // of measurements, by ordinary trouble
    double control_failure_rate = 0.01;
    double clock_outlier_rate = 0.003;
    std::uint32_t probes = 3;      // of each network, each of another kind
    std::uint32_t loud_probes = 0; // networks in which one of them sends twenty times as much as all together elsewhere
    double bad_day_rate = 0;       // of a probe's days, on which nine of ten of its connections get no answer
    bool has_nuisances = true;     // sites that are down, geo-blocking, captchas, networks with broken IPv6
    std::int64_t start_seconds = 1'704'067'200;  // 2024-01-01
};

/// One site in one network.
struct MeasurementBlock {
    std::string domain;
    std::string country;   // "XA"
    std::uint32_t asn = 0;
    std::string layer;     // "dns", "tcp", "tls", "http"
    std::string how;       // "nxdomain", "bogon", "foreign-address", "timeout", "refused", "reset", "page"
    std::int64_t onset_seconds = 0;
    std::optional<std::int64_t> end_seconds;  // none: until the last day
    std::uint64_t measurements = 0;           // made while it was blocked, and reported
};

/// What looks like blocking and is none.
struct MeasurementNuisance {
    std::string kind;    // "down", "geo-block", "geo-block-cut", "geo-block-page", "captcha", "broken-ipv6", "cdn", "loud-probe"
    std::string domain;  // empty: of a network
    std::string country;
    std::uint32_t asn = 0;
    std::int64_t begin_seconds = 0;
    std::int64_t end_seconds = 0;
};

struct Measurements {
    std::vector<std::string> lines;  // by the day on which they came in, without the newline
    std::vector<std::string> domains;
    std::vector<MeasurementBlock> blocks;
    std::vector<MeasurementNuisance> nuisances;
    std::uint64_t ordinary_failures = 0;
    std::uint64_t clock_outliers = 0;
    std::uint64_t bad_days = 0;      // of probes
};

Measurements make_measurements(const MeasurementPlan& plan, std::uint64_t seed);

}  // namespace unveil::lab
