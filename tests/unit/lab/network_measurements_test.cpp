// Goal: the made-up measurements say of each site and network what was planted, in OONI's layout. Method: read every line back with a JSON
// reader, and hold layers, days and counts against the truth.
#include "lab/network_measurements.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "core/time.hpp"
#include "lab/network.hpp"
#include "world.hpp"

namespace unveil::lab {
namespace {

using Json = nlohmann::json;

std::string domain_of(const std::string& url) {
    const auto begin = url.find("//") + 2;
    return url.substr(begin, url.find('/', begin) - begin);
}

/// The layer at which the probe itself failed, by its observations alone.
std::string layer_of(const Json& keys, const std::set<std::string>& right) {
    for (const auto& query : keys.at("queries")) {
        if (query.at("engine") != "getaddrinfo") continue;
        if (!query.at("failure").is_null()) return "dns";
        bool is_right = false;
        for (const auto& answer : query.at("answers")) is_right |= right.count(answer.value("ipv4", "")) > 0;
        if (!is_right) return "dns";
    }
    for (const auto& one : keys.at("tcp_connect"))
        if (one.at("ip").get<std::string>().find(':') == std::string::npos && !one.at("status").at("failure").is_null()) return "tcp";
    for (const auto& one : keys.at("tls_handshakes"))
        if (!one.at("failure").is_null()) return "tls";
    for (const auto& one : keys.at("requests")) {
        if (!one.at("failure").is_null()) return "http";
        if (one.at("response").at("body").get<std::string>().find("Blocked by order") != std::string::npos) return "http";
    }
    return "";
}

TEST(NetworkMeasurements, SameSeedSameLines) {
    MeasurementPlan plan;
    plan.days = 10;
    EXPECT_EQ(make_measurements(plan, 3).lines, make_measurements(plan, 3).lines);
    EXPECT_NE(make_measurements(plan, 3).lines, make_measurements(plan, 4).lines);
}

TEST(NetworkMeasurements, BlocksShowAtTheirLayerInTheirTime) {
    MeasurementPlan plan;
    plan.blocks = 8;
    plan.clock_outlier_rate = 0;
    const auto made = make_measurements(plan, 7);
    std::map<std::string, std::set<std::string>> right;
    for (const auto& line : made.lines) {
        const Json json = Json::parse(line);
        for (const auto& query : json["test_keys"]["queries"])
            if (query["engine"] == "doh" && query["answers"].is_array())
                for (const auto& answer : query["answers"]) right[domain_of(json["input"])].insert(answer.value("ipv4", ""));
    }
    std::map<std::pair<std::string, std::string>, std::uint64_t> blocked;
    std::uint64_t free = 0, free_failures = 0;
    for (const auto& line : made.lines) {
        const Json json = Json::parse(line);
        const std::string domain = domain_of(json.at("input"));
        const std::string network = json.at("probe_asn");
        const auto at = *parse_time_us(json.at("measurement_start_time").get<std::string>()) / 1'000'000;
        const std::string layer = layer_of(json.at("test_keys"), right[domain]);
        const MeasurementBlock* block = nullptr;
        for (const auto& one : made.blocks)
            if (one.domain == domain && "AS" + std::to_string(one.asn) == network && at >= one.onset_seconds && (!one.end_seconds || at < *one.end_seconds)) block = &one;
        if (block != nullptr) {
            EXPECT_EQ(layer, block->layer) << line;
            ++blocked[{domain, network}];
            if (json.at("test_keys").at("control_failure").is_null()) EXPECT_NE(json.at("test_keys").at("blocking"), Json(false)) << line;
            continue;
        }
        bool is_nuisance = false;
        for (const auto& one : made.nuisances) is_nuisance |= one.domain == domain;
        if (is_nuisance) continue;
        ++free;
        if (!layer.empty()) ++free_failures;
        if (layer.empty()) EXPECT_NE(json.at("test_keys").at("blocking"), Json("dns")) << line;
    }
    for (const auto& block : made.blocks) EXPECT_EQ(block.measurements, (blocked[{block.domain, "AS" + std::to_string(block.asn)}]));
    EXPECT_EQ(made.blocks.size(), 4U * 2 + 4U);
    EXPECT_NEAR(static_cast<double>(free_failures) / static_cast<double>(free), plan.failure_rate, 4 * std::sqrt(plan.failure_rate / static_cast<double>(free)));
}

TEST(NetworkMeasurements, NuisancesLookLikeBlockingAndAreTold) {
    MeasurementPlan plan;
    plan.blocks = 0;
    plan.failure_rate = 0;
    plan.control_failure_rate = 0;
    const auto made = make_measurements(plan, 5);
    EXPECT_TRUE(made.blocks.empty());
    std::map<std::string, std::uint64_t> seen;
    for (const auto& line : made.lines) {
        const Json json = Json::parse(line);
        const Json& keys = json.at("test_keys");
        const std::string domain = domain_of(json.at("input"));
        ++seen["platform " + json.at("annotations").at("platform").get<std::string>()];
        for (const auto& one : keys.at("tls_handshakes"))
            if (one.at("failure") == "connection_reset") ++seen["geo-block-cut " + json.at("probe_cc").get<std::string>()];
        for (const auto& one : keys.at("requests")) {
            if (one.at("response").at("code") == 403)
                ++seen[(json.at("input").get<std::string>().starts_with("https") ? "geo-block " : "geo-block-page ") + json.at("probe_cc").get<std::string>()];
            if (one.at("response").at("code") == 503) ++seen["captcha"];
        }
        if (!keys.at("control").at("http_request").at("failure").is_null()) {
            EXPECT_EQ(keys.at("accessible"), Json(false));
            EXPECT_EQ(keys.at("blocking"), Json(false));
            ++seen["down"];
        }
        for (const auto& one : keys.at("tcp_connect"))
            if (one.at("status").at("failure") == "network_unreachable") ++seen["broken-ipv6 " + json.at("probe_asn").get<std::string>()];
        if (parse_time_us(json.at("measurement_start_time").get<std::string>()).value() / 1'000'000 > plan.start_seconds + 400 * 86400LL ||
            parse_time_us(json.at("measurement_start_time").get<std::string>()).value() / 1'000'000 < plan.start_seconds)
            ++seen["clock"];
    }
    EXPECT_GT(seen["geo-block XA"], 30U);
    EXPECT_EQ(seen["geo-block XB"] + seen["geo-block XC"], 0U);
    for (const char* kind : {"geo-block-cut", "geo-block-page"}) {
        EXPECT_GT(seen[kind + std::string(" XA")], 30U) << kind;
        EXPECT_GT(seen[kind + std::string(" XB")], 30U) << kind;
        EXPECT_EQ(seen[kind + std::string(" XC")], 0U) << kind;
    }
    for (const char* platform : {"android", "ios", "linux"}) EXPECT_GT(seen[std::string("platform ") + platform], made.lines.size() / 4);
    EXPECT_GT(seen["captcha"], 30U);
    EXPECT_GT(seen["down"], 20U);
    EXPECT_EQ(seen["clock"], made.clock_outliers);
    std::size_t broken = 0;
    for (const auto& [what, count] : seen) broken += what.starts_with("broken-ipv6") ? 1 : 0;
    EXPECT_EQ(broken, 1U);
    std::set<std::string> kinds;
    for (const auto& one : made.nuisances) kinds.insert(one.kind);
    EXPECT_EQ(kinds, (std::set<std::string>{"down", "down-unresolved", "geo-block", "geo-block-cut", "geo-block-page", "captcha", "cdn", "broken-ipv6"}));
}

TEST(NetworkMeasurements, ALoudProbeSendsMoreAndABadDayFailsForAllSitesOfOneProbe) {
    MeasurementPlan plan;
    plan.domains = 4;
    plan.days = 20;
    plan.blocks = 0;
    plan.has_nuisances = false;
    plan.failure_rate = 0;
    plan.control_failure_rate = 0;
    plan.clock_outlier_rate = 0;
    plan.loud_probes = 1;
    plan.bad_day_rate = 0.1;
    const auto made = make_measurements(plan, 9);
    std::map<std::string, std::uint64_t> lines;
    std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> days;  // by network, probe and day: failed, all
    for (const auto& line : made.lines) {
        const Json json = Json::parse(line);
        const std::string probe = json.at("probe_asn").get<std::string>() + " " + json.at("annotations").at("platform").get<std::string>();
        ++lines[probe];
        auto& [failed, all] = days[probe + json.at("measurement_start_time").get<std::string>().substr(0, 10)];
        ++all;
        failed += json.at("test_keys").at("blocking") == "tcp_ip";
    }
    EXPECT_GT(lines["AS64512 android"], 10 * lines["AS64512 ios"]);
    EXPECT_LT(lines["AS64513 android"], 2 * lines["AS64513 ios"]);
    std::uint64_t bad = 0;
    for (const auto& [day, count] : days) {
        EXPECT_TRUE(count.first == 0 || count.second < 4 || count.first * 3 > count.second) << day;
        bad += count.first > 0;
    }
    // On some days nobody measured.
    EXPECT_GT(bad * 2, made.bad_days);
    EXPECT_LE(bad, made.bad_days);
    EXPECT_NEAR(static_cast<double>(made.bad_days), 0.1 * 6 * 3 * plan.days, 25.0);
}

TEST(NetworkScenario, WritesItsFilesAndTheTruthCountsWhatIsThere) {
    const test::Folder folder;
    ParameterValues parameters(network_scenario().parameters);
    for (const auto& [name, value] : std::map<std::string, std::string>{{"flows", "30"}, {"ordinary-flows", "60"}, {"days", "10"}, {"two-sided", "true"}}) parameters.set(name, value);
    SilentProgress progress;
    make_scenario("network", parameters, 3, folder.path(), progress);
    for (const auto& file : scenario_named("network").files) EXPECT_FALSE(test::bytes_of(folder / file).empty()) << file;
    EXPECT_EQ(test::bytes_of(folder / "server.pcap").substr(0, 4), std::string("\x4d\x3c\xb2\xa1"));

    const Json truth = Json::parse(test::bytes_of(folder / "truth.json"));
    EXPECT_EQ(truth.at("scenario"), "network");
    EXPECT_EQ(truth.at("flows").size(), lab::network_mechanisms().size() * 30 + 60);
    std::map<std::string, std::uint64_t> acted;
    for (const auto& flow : truth.at("flows"))
        if (flow.at("mechanism") != "none") ++acted[flow.at("mechanism").get<std::string>() + " " + flow.value("class", "") + " " + flow.at("trigger").get<std::string>()];
    std::uint64_t effects = 0;
    for (const auto& effect : truth.at("effects")) {
        EXPECT_EQ(effect.at("flows").get<std::uint64_t>(), acted[effect.at("mechanism").get<std::string>() + " " + effect.at("class").get<std::string>() + " " + effect.at("trigger").get<std::string>()]);
        effects += effect.at("flows").get<std::uint64_t>();
    }
    std::uint64_t all = 0;
    for (const auto& [key, count] : acted) all += count;
    EXPECT_EQ(effects, all);

    std::size_t lines = 0;
    for (const char c : test::bytes_of(folder / "measurements.jsonl")) lines += c == '\n' ? 1 : 0;
    EXPECT_EQ(lines, truth.at("measurements").get<std::size_t>());
    const auto verdicts = read_expected_verdicts(folder / "expected_verdicts.json");
    EXPECT_GE(verdicts.size(), 12U);
    const std::string toml = test::bytes_of(folder / "case.toml");
    EXPECT_NE(toml.find("test = \"interference\""), std::string::npos);
    for (const auto& verdict : verdicts) EXPECT_NE(toml.find("id = \"" + verdict.claim + "\""), std::string::npos);
}

}  // namespace
}  // namespace unveil::lab
