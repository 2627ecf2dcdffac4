// Goal: the book finds what a network blocks, on which layer and since when, stays silent where nothing is blocked, calls down what is down everywhere,
// and answers the same for any order of rows. Method: measurements made by hand go through the reader into the book; counts and p-values are checked
// against plain loops over all of them; worlds with and without blocking are counted out; the change points of ooni/data against a second
// version written line by line after the published one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "core/random.hpp"
#include "core/time.hpp"
#include "evidence/ooni.hpp"
#include "instruments/interference/measurement_book.hpp"
#include "statistics/proportion.hpp"

namespace unveil::interference {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;

constexpr std::int64_t day_us = 86'400'000'000;
constexpr std::int32_t day_zero = 19'723;  // 2024-01-01

enum class Seen { fine, tcp, no_name, reset, down, stall, refused, odd_answer, bogon, cut, closed, page, challenge, nowhere, hop_reset, v6 };

struct Row {
    std::string domain;
    std::string country;
    std::uint32_t asn;
    std::int32_t day;  // after day_zero
    std::uint32_t hour;
    Seen seen;
    std::string probe = {};  // where empty one of two, by the hour
    std::string page = {};  // that comes in place of the site's, over HTTP
    std::uint32_t resolver_asn = 0;  // 0: the probe's
};

std::string line_of(const Row& row) {
    const std::string ip = "198.51.99.7";
    const auto endpoint = ip + ":443";
    json answers = json::array({{{"answer_type", "A"}, {"ipv4", row.seen == Seen::odd_answer ? "198.51.98.9" : ip}}});
    json query = {{"hostname", row.domain}, {"query_type", "A"}, {"engine", "getaddrinfo"}, {"failure", nullptr}, {"answers", answers}};
    if (row.seen == Seen::no_name) query["failure"] = "dns_nxdomain_error", query["answers"] = nullptr;
    json keys = {{"queries", {query}}, {"blocking", false}, {"control_failure", nullptr}};
    keys["control"] = {{"dns", {{"failure", nullptr}, {"addrs", {ip}}}}, {"tcp_connect", {{endpoint, {{"status", true}, {"failure", nullptr}}}}},
                       {"tls_handshake", {{endpoint, {{"status", true}, {"failure", nullptr}}}}},
                       {"http_request", {{"failure", nullptr}, {"status_code", 200}, {"body_length", 1000}}}};
    json connect = {{"ip", ip}, {"port", 443}, {"status", {{"success", true}, {"failure", nullptr}}}};
    json handshake = {{"address", endpoint}, {"server_name", row.domain}, {"failure", nullptr}, {"no_tls_verify", false}};
    json request = {{"failure", nullptr}, {"request", {{"url", "https://" + row.domain + "/"}}}, {"response", {{"code", 200}, {"body", "x"}}}};
    const auto fail = [](const char* what) { return json{{"success", false}, {"failure", what}}; };
    switch (row.seen) {
        case Seen::fine: keys["tcp_connect"] = {connect}, keys["tls_handshakes"] = {handshake}, keys["requests"] = {request}; break;
        case Seen::tcp: connect["status"] = fail("generic_timeout_error"), keys["tcp_connect"] = {connect}; break;
        case Seen::no_name: break;
        case Seen::reset: handshake["failure"] = "connection_reset", keys["tcp_connect"] = {connect}, keys["tls_handshakes"] = {handshake}; break;
        case Seen::down:
            connect["status"] = fail("generic_timeout_error"), keys["tcp_connect"] = {connect};
            keys["control"]["tcp_connect"][endpoint] = {{"status", false}, {"failure", "generic_timeout_error"}};
            keys["control"]["http_request"]["failure"] = "generic_timeout_error";
            break;
        case Seen::stall:
            request["failure"] = "generic_timeout_error";
            keys["tcp_connect"] = {connect}, keys["tls_handshakes"] = {handshake}, keys["requests"] = {request};
            break;
        case Seen::refused: request["response"]["code"] = 451, keys["tcp_connect"] = {connect}, keys["tls_handshakes"] = {handshake}, keys["requests"] = {request}; break;
        case Seen::cut: handshake["failure"] = "generic_timeout_error", keys["tcp_connect"] = {connect}, keys["tls_handshakes"] = {handshake}; break;
        case Seen::closed: handshake["failure"] = "eof_error", keys["tcp_connect"] = {connect}, keys["tls_handshakes"] = {handshake}; break;
        case Seen::page:
        case Seen::challenge:
            request["request"]["url"] = "http://" + row.domain + "/";
            request["response"] = {{"code", 403}, {"body", row.page}};
            if (row.seen == Seen::challenge) request["response"]["headers"] = {{"cf-mitigated", "challenge"}};
            keys["tcp_connect"] = {connect}, keys["requests"] = {request};
            for (const char* flag : {"body_length_match", "title_match", "status_code_match", "headers_match"}) keys[flag] = false;
            break;
        case Seen::nowhere: request["failure"] = "http_invalid_redirect_location_host", keys["tcp_connect"] = {connect}, keys["requests"] = {request}; break;
        case Seen::hop_reset:
            keys["tcp_connect"] = {connect};
            keys["tls_handshakes"] = {handshake, {{"address", "198.51.99.8:443"}, {"server_name", "www." + row.domain}, {"failure", "connection_reset"}, {"tags", {"depth=1"}}}};
            break;
        case Seen::v6:
            handshake["address"] = "[2600:1f18::7]:443", handshake["failure"] = "generic_timeout_error", keys["tls_handshakes"] = {handshake};
            keys["control"]["tls_handshake"] = {{"[2600:1f18::7]:443", {{"status", true}, {"failure", nullptr}}}};
            break;
        case Seen::bogon: keys["queries"][0]["answers"][0]["ipv4"] = "10.10.34.34"; break;
        case Seen::odd_answer: connect["ip"] = "198.51.98.9", connect["status"] = fail("connection_refused"), keys["tcp_connect"] = {connect}; break;
    }
    const auto time = format_time((day_zero + row.day) * day_us + row.hour * (day_us / 24));
    const json out = {{"test_name", "web_connectivity"}, {"report_id", ""}, {"probe_cc", row.country}, {"probe_asn", "AS" + std::to_string(row.asn)},
                      {"resolver_asn", "AS" + std::to_string(row.resolver_asn == 0 ? row.asn : row.resolver_asn)}, {"input", "https://" + row.domain + "/"}, {"measurement_start_time", time}, {"annotations", {{"platform", row.probe.empty() ? (row.hour % 2 == 0 ? "even" : "odd") : row.probe}}}, {"test_keys", keys}};
    return out.dump() + "\n";
}

MeasurementBook book_of_lines(const std::string& lines, const BookRules& rules = {}) {
    MeasurementBook book(rules);
    const auto source = open_measurements_from(memory_input(lines), "m.jsonl", 0, EvidenceLimits{});
    MeasurementBatch batch;
    while (source->next(batch))
        for (const auto& m : batch.all()) book.add(m);
    return book;
}

MeasurementBook book_of(const std::vector<Row>& rows, const BookRules& rules = {}) {
    std::string lines;
    for (const auto& row : rows) lines += line_of(row);
    return book_of_lines(lines, rules);
}

const BlockedCell* find(const BookResult& result, const std::string& domain, std::uint32_t asn, Layer layer) {
    for (const auto& cell : result.cells)
        if (cell.domain == domain && cell.asn == asn && cell.layer == layer) return &cell;
    return nullptr;
}

std::vector<Row> repeated(Row row, std::size_t count) {
    std::vector<Row> out;
    for (std::size_t i = 0; i < count; ++i) {
        row.day = static_cast<std::int32_t>(i % 10);
        row.hour = static_cast<std::uint32_t>(i / 10 % 24);
        out.push_back(row);
    }
    return out;
}

void append(std::vector<Row>& to, const std::vector<Row>& more) { to.insert(to.end(), more.begin(), more.end()); }

TEST(MeasurementBook, BlockingOnEachLayerIsFoundAgainstOtherCountries) {
    const std::vector<std::tuple<Seen, Layer, std::string>> ways = {
        {Seen::tcp, Layer::tcp, "timeout"}, {Seen::no_name, Layer::dns, "no such name"}, {Seen::reset, Layer::tls, "reset"}, {Seen::stall, Layer::throttle, "stall"}};
    std::vector<Row> rows;
    for (const auto& [seen, layer, mechanism] : ways) {
        const auto domain = mechanism.substr(0, 2) + ".example";
        append(rows, repeated({domain, "AA", 1, 0, 0, seen}, 20));
        for (std::uint32_t asn = 10; asn < 16; ++asn) append(rows, repeated({domain, asn % 2 ? "BB" : "CC", asn, 0, 0, Seen::fine}, 20));
    }
    const auto result = book_of(rows).finish();
    for (const auto& [seen, layer, mechanism] : ways) {
        SCOPED_TRACE(mechanism);
        const auto* cell = find(result, mechanism.substr(0, 2) + ".example", 1, layer);
        ASSERT_NE(cell, nullptr);
        EXPECT_EQ(cell->verdict, CellVerdict::blocked);
        EXPECT_EQ(cell->mechanism, mechanism);
        EXPECT_EQ(cell->control, CellControl::other_countries);
        EXPECT_EQ(cell->control_groups, 2u);
        EXPECT_EQ(cell->control_measurements, 120u);
        EXPECT_EQ(cell->measurements, 20u);
        EXPECT_EQ(cell->blocked, 20u);
        EXPECT_EQ(cell->locators.size(), BlockedCell::locators_max);
        EXPECT_FALSE(cell->locators.front().pointer.empty());
        EXPECT_LT(cell->q, 0.01);
    }
    for (const auto& cell : result.cells)
        if (cell.country != "AA") EXPECT_NE(cell.verdict, CellVerdict::blocked) << cell.domain << cell.asn;
}

TEST(MeasurementBook, DaysAddUpToTheCellsInAnyOrderAndAnswersMadeGoodAreTakenBack) {
    std::vector<Row> rows;
    append(rows, repeated({"a.example", "AA", 1, 0, 0, Seen::odd_answer}, 20));
    append(rows, repeated({"a.example", "BB", 2, 0, 0, Seen::fine}, 25));
    append(rows, repeated({"b.example", "AA", 1, 0, 0, Seen::reset}, 13));
    append(rows, repeated({"b.example", "BB", 2, 0, 0, Seen::down}, 7));
    using Key = std::tuple<std::string, std::string, std::uint32_t>;
    struct Sum {
        std::array<std::array<std::uint64_t, 3>, layers> of{};
        std::uint64_t measurements = 0;
        std::int32_t day_before = INT32_MIN;
    };
    std::string told;
    Random random(5);
    for (int round = 0; round < 3; ++round) {
        std::map<Key, Sum> sums;
        std::string now;
        const auto result = book_of(rows).finish([&](const SiteDay& day) {
            Sum& sum = sums[{std::string(day.domain), std::string(day.country), day.asn}];
            EXPECT_GT(day.day, sum.day_before);
            EXPECT_EQ(day.test_name, "web_connectivity");
            sum.day_before = day.day;
            sum.measurements += day.measurements;
            now += std::string(day.domain) + std::to_string(day.asn) + std::to_string(day.day);
            for (std::size_t i = 0; i < layers; ++i) {
                EXPECT_LE(day.of[i].seen, day.measurements);
                EXPECT_LE(day.of[i].blocked + day.of[i].down, day.of[i].seen);
                EXPECT_EQ(day.evidence[i] != nullptr, day.of[i].blocked > 0);
                if (day.evidence[i] != nullptr) {
                    // The first of the day in the file, on the layer that failed.
                    std::uint64_t first = 0;
                    for (std::size_t r = rows.size(); r > 0; --r)
                        if (rows[r - 1].domain == day.domain && rows[r - 1].asn == day.asn && day_zero + rows[r - 1].day == day.day) first = r;
                    EXPECT_EQ(day.evidence[i]->where.row, first);
                    EXPECT_EQ(day.evidence[i]->pointer, i == static_cast<std::size_t>(Layer::tls) ? "/test_keys/tls_handshakes/0" : "/test_keys/queries/0");
                }
                sum.of[i][0] += day.of[i].seen;
                sum.of[i][1] += day.of[i].blocked;
                sum.of[i][2] += day.of[i].down;
                now += " " + std::to_string(day.of[i].seen) + "/" + std::to_string(day.of[i].blocked) + "/" + std::to_string(day.of[i].down);
            }
        });
        EXPECT_EQ((sums[{"a.example", "AA", 1}].measurements), 20u);
        EXPECT_EQ((sums[{"b.example", "BB", 2}].measurements), 7u);
        EXPECT_EQ((sums[{"b.example", "AA", 1}].of[static_cast<std::size_t>(Layer::tls)][1]), 13u);
        std::uint64_t cells = 0;
        for (const auto& cell : result.cells) {
            const auto& sum = sums[{cell.domain, cell.country, cell.asn}].of[static_cast<std::size_t>(cell.layer)];
            EXPECT_EQ(sum[0], cell.measurements) << cell.domain;
            EXPECT_EQ(sum[1], cell.blocked) << cell.domain;
            EXPECT_EQ(sum[2], cell.down) << cell.domain;
            ++cells;
        }
        EXPECT_GT(cells, 4u);
        if (round > 0) EXPECT_EQ(now, told);
        told = now;
        for (std::size_t i = rows.size(); i > 1; --i) std::swap(rows[i - 1], rows[random.below(i)]);
    }
    // Somebody completes a valid handshake with the odd address: the answers were right.
    const auto dns_blocked = [&](const std::vector<Row>& all, const std::string& more) {
        std::string lines;
        for (const auto& row : all) lines += line_of(row);
        lines += more;
        const auto book = book_of_lines(lines);
        std::uint64_t blocked = 0;
        book.finish([&](const SiteDay& day) { blocked += day.of[static_cast<std::size_t>(Layer::dns)].blocked; });
        return blocked;
    };
    auto proof = json::parse(line_of({"a.example", "CC", 3, 0, 0, Seen::fine}));
    proof["test_keys"]["tls_handshakes"][0]["address"] = "198.51.98.9:443";
    EXPECT_EQ(dns_blocked(rows, ""), 20u);
    EXPECT_EQ(dns_blocked(rows, proof.dump() + "\n"), 0u);
}

TEST(MeasurementBook, WhatIsDownEverywhereIsNotBlocked) {
    std::vector<Row> rows;
    for (std::uint32_t asn = 1; asn < 6; ++asn) append(rows, repeated({"gone.example", asn == 1 ? "AA" : "BB", asn, 0, 0, Seen::down}, 10));
    const auto result = book_of(rows).finish();
    const auto* cell = find(result, "gone.example", 1, Layer::tcp);
    ASSERT_NE(cell, nullptr);
    EXPECT_EQ(cell->verdict, CellVerdict::down_everywhere);
    EXPECT_EQ(cell->blocked, 0u);
    EXPECT_EQ(cell->down, 10u);
}

TEST(MeasurementBook, FailingForEverybodyIsNoBlockingOfOne) {
    // The control inside the measurements is fine, yet every network of every country fails alike: the site may turn all but the control away. Nor is it down.
    std::vector<Row> rows;
    for (std::uint32_t asn = 1; asn < 9; ++asn) append(rows, repeated({"odd.example", std::string(1, static_cast<char>('A' + asn)) + "A", asn, 0, 0, Seen::tcp}, 10));
    const auto result = book_of(rows).finish();
    for (const auto& cell : result.cells)
        if (cell.layer == Layer::tcp) EXPECT_EQ(cell.verdict, CellVerdict::insufficient);
}

TEST(MeasurementBook, WhatSeveralCountriesForgeIsBlockedInEach) {
    for (const bool is_free_somewhere : {false, true}) {
        std::vector<Row> rows;
        std::uint32_t asn = 0;
        for (const char* country : {"RU", "IR", "CN"}) append(rows, repeated({"www.example", country, ++asn, 0, 0, Seen::bogon}, 40));
        if (is_free_somewhere) append(rows, repeated({"www.example", "DE", ++asn, 0, 0, Seen::fine}, 40));
        const auto result = book_of(rows).finish();
        for (asn = 1; asn <= 3; ++asn) {
            const auto* cell = find(result, "www.example", asn, Layer::dns);
            EXPECT_EQ(cell->verdict, CellVerdict::blocked);
            EXPECT_EQ(cell->set_aside, 2u);
            EXPECT_EQ(cell->control, is_free_somewhere ? CellControl::other_countries : CellControl::helper);
            EXPECT_EQ(cell->control_measurements, is_free_somewhere ? 40u : 0u);
        }
        if (is_free_somewhere) EXPECT_EQ(find(result, "www.example", 4, Layer::dns)->verdict, CellVerdict::not_blocked);
    }
}

TEST(MeasurementBook, WhatSeveralCountriesCutIsBlockedInEachWhereSomebodyElseGetsThroughAndTheyCutInDifferentWays) {
    for (const bool is_one_way : {true, false}) {
        std::vector<Row> rows;
        std::uint32_t asn = 0;
        for (const auto& [country, seen] : {std::pair{"RU", Seen::cut}, {"IR", Seen::reset}, {"CN", Seen::closed}}) {
            const auto way = is_one_way ? Seen::reset : seen;
            append(rows, repeated({"www.example", country, ++asn, 0, 0, way}, 40));
            // Networks with few measurements each are one with each other.
            for (int few = 0; few < 6; ++few) append(rows, repeated({"www.example", country, ++asn, 0, 0, way}, 2));
        }
        const auto alone = book_of(rows).finish();
        EXPECT_EQ(find(alone, "www.example", 1, Layer::tls)->verdict, CellVerdict::insufficient);
        append(rows, repeated({"www.example", "DE", 100, 0, 0, Seen::fine}, 40));
        const auto result = book_of(rows).finish();
        for (const std::uint32_t one : {1u, 8u, 15u}) {
            const auto* cell = find(result, "www.example", one, Layer::tls);
            // One way in three countries may be the site's own.
            EXPECT_EQ(cell->verdict, is_one_way ? CellVerdict::insufficient : CellVerdict::blocked);
            EXPECT_EQ(cell->doubt, is_one_way ? "geo-block" : "");
            EXPECT_EQ(cell->set_aside, 20u);
        }
        EXPECT_EQ(find(result, "www.example", 100, Layer::tls)->verdict, CellVerdict::not_blocked);
    }
}

TEST(MeasurementBook, WhatAllNetworksOfACountryBlockIsBlockedByTheWordOfTheControl) {
    for (const auto& [seen, layer] : {std::pair{Seen::bogon, Layer::dns}, {Seen::reset, Layer::tls}, {Seen::tcp, Layer::tcp}}) {
        std::vector<Row> rows;
        for (std::uint32_t asn = 1; asn <= 2; ++asn) append(rows, repeated({"www.example", "RU", asn, 0, 0, seen}, 40));
        const auto result = book_of(rows).finish();
        for (std::uint32_t asn = 1; asn <= 2; ++asn) {
            EXPECT_EQ(find(result, "www.example", asn, layer)->verdict, CellVerdict::blocked);
            EXPECT_EQ(find(result, "www.example", asn, layer)->control, CellControl::helper);
            EXPECT_EQ(find(result, "www.example", asn, layer)->country_networks_blocked, 1u);
        }
    }
}

TEST(MeasurementBook, ServicesWithoutAControlAreBlockedWhereTheyWorkForMost) {
    const auto book_of_service = [](std::uint32_t failing, std::uint32_t working) {
        std::string lines;
        for (std::uint32_t asn = 1; asn <= failing + working; ++asn)
            for (int i = 0; i < 40; ++i) {
                json connect = {{"ip", "192.0.2.9"}, {"port", 443}, {"status", {{"success", asn > failing}, {"failure", asn > failing ? json() : json("generic_timeout_error")}}}};
                const json out = {{"test_name", "telegram"}, {"report_id", ""}, {"probe_cc", std::string(1, static_cast<char>('A' + asn)) + "A"}, {"probe_asn", "AS" + std::to_string(asn)},
                                  {"input", nullptr}, {"measurement_start_time", format_time((day_zero + i % 10) * day_us + i * std::int64_t{60'000'000})},
                                  {"annotations", {{"platform", i % 20 < 10 ? "android" : "linux"}}}, {"test_keys", {{"tcp_connect", {connect}}}}};
                lines += out.dump() + "\n";
            }
        return book_of_lines(lines).finish();
    };
    EXPECT_EQ(find(book_of_service(3, 5), "telegram", 1, Layer::tcp)->verdict, CellVerdict::blocked);
    EXPECT_EQ(find(book_of_service(3, 3), "telegram", 1, Layer::tcp)->verdict, CellVerdict::insufficient);
    EXPECT_EQ(find(book_of_service(3, 0), "telegram", 1, Layer::tcp)->verdict, CellVerdict::insufficient);
}

TEST(MeasurementBook, EveryRuleThatMayBlockHasItsGround) {
    for (const auto& rule : unveil_scoring_rules()) {
        if (rule.weights.blocked < blocked_weight_min) continue;
        const bool is_of_control = rule.name.ends_with("control_ok") || rule.name.starts_with("tls.interception");
        if (is_of_control) EXPECT_EQ(rule_ground(rule.name), RuleGround::control) << rule.name;
        if (rule.name.starts_with("app.")) EXPECT_EQ(rule_ground(rule.name), RuleGround::probe) << rule.name;
    }
    std::size_t forged = 0;
    for (const auto& rule : unveil_scoring_rules()) forged += rule_ground(rule.name) == RuleGround::forgery;
    EXPECT_EQ(forged, 4u);  // a name that is not spelt as in the table would be none
}

TEST(MeasurementBook, FewMeasurementsSayNothing) {
    std::vector<Row> rows = repeated({"few.example", "AA", 1, 0, 0, Seen::tcp}, 4);
    for (std::uint32_t asn = 10; asn < 16; ++asn) append(rows, repeated({"few.example", "BB", asn, 0, 0, Seen::fine}, 20));
    const auto result = book_of(rows).finish();
    EXPECT_EQ(find(result, "few.example", 1, Layer::tcp)->verdict, CellVerdict::insufficient);
    EXPECT_EQ(find(result, "few.example", 10, Layer::tcp)->verdict, CellVerdict::not_blocked);
}

TEST(MeasurementBook, OneRunOfOneProbeIsNotEnough) {
    for (const bool is_one_run : {true, false}) {
        std::string lines;
        for (std::int32_t day = 0; day < 12; ++day) {
            auto document = json::parse(line_of({"one.example", "AA", 1, day, static_cast<std::uint32_t>(day % 2), Seen::tcp}));
            document["report_id"] = is_one_run ? "r" : "r" + std::to_string(day);
            lines += document.dump() + "\n";
            for (std::uint32_t asn = 10; asn < 16; ++asn) lines += line_of({"one.example", "BB", asn, day, 0, Seen::fine});
        }
        const auto result = book_of_lines(lines).finish();
        const auto* cell = find(result, "one.example", 1, Layer::tcp);
        EXPECT_LT(cell->q, 0.05);
        EXPECT_EQ(cell->reports, is_one_run ? 1u : 12u);
        EXPECT_EQ(cell->verdict, is_one_run ? CellVerdict::insufficient : CellVerdict::blocked);
        EXPECT_EQ(cell->doubt, is_one_run ? "one run of a probe" : "");
    }
}

TEST(MeasurementBook, ANetworkWhereMostSitesFailIsOutOfOrder) {
    std::vector<Row> rows;
    for (int site = 0; site < 12; ++site) {
        const auto domain = "s" + std::to_string(site) + ".example";
        append(rows, repeated({domain, "AA", 1, 0, 0, Seen::tcp}, 12));
        append(rows, repeated({domain, "AA", 2, 0, 0, site == 0 ? Seen::tcp : Seen::fine}, 12));
        append(rows, repeated({domain, "BB", 3, 0, 0, Seen::fine}, 12));
    }
    const auto result = book_of(rows).finish();
    EXPECT_TRUE(find(result, "s0.example", 1, Layer::tcp)->is_network_failing);
    EXPECT_EQ(find(result, "s0.example", 1, Layer::tcp)->verdict, CellVerdict::insufficient);
    EXPECT_EQ(find(result, "s0.example", 2, Layer::tcp)->verdict, CellVerdict::blocked);
    EXPECT_EQ(find(result, "s0.example", 2, Layer::tcp)->country_networks_blocked, 1u);
}

const AlternativeWeight& weight_of(const BlockedCell& cell, Alternative alternative) { return cell.weights.at(static_cast<std::size_t>(alternative)); }

TEST(MeasurementBook, EachAlternativeIsWeighedByWhatItWouldHaveShown) {
    const double step = std::log(0.8 / 0.2);
    struct Case {
        std::string what;
        Alternative alternative;
        Layer layer;
        std::vector<Row> rows;           // beside ten days of blocking, or in its place
        AlternativeState state;
        double likelihood;               // in steps; 99: above zero
        Seen seen = Seen::reset;
    };
    const auto rows = [](const std::string& country, std::uint32_t asn, Seen seen, const std::string& probe = "", const std::string& page = "") {
        return repeated({"www.example", country, asn, 0, 0, seen, probe, page}, 10);
    };
    const auto both = [](std::vector<Row> a, const std::vector<Row>& b) {
        append(a, b);
        return a;
    };
    constexpr auto weighed = AlternativeState::weighed;
    constexpr auto open = AlternativeState::not_testable;
    constexpr auto excluded = AlternativeState::cannot_explain;
    const std::vector<Case> cases = {
        // Ten days on which the control gets through, ten on which others do, ten on which nobody does.
        {"control alone", Alternative::site_down, Layer::tls, {}, weighed, 10},
        {"works elsewhere", Alternative::site_down, Layer::tls, rows("BB", 2, Seen::fine), weighed, 20},
        {"down elsewhere", Alternative::site_down, Layer::tcp, rows("BB", 2, Seen::down), weighed, 0, Seen::tcp},
        {"nobody else", Alternative::geo_block, Layer::tls, {}, open, 0},
        {"another network of the country works", Alternative::geo_block, Layer::tls, rows("AA", 2, Seen::fine), weighed, 1},
        {"another country is cut in the same way", Alternative::geo_block, Layer::tls, rows("BB", 2, Seen::reset), weighed, -1},
        {"another country is cut in another way", Alternative::geo_block, Layer::tls, rows("BB", 2, Seen::closed), weighed, 1},
        {"the site refuses another country by a page of its own", Alternative::geo_block, Layer::tls, rows("BB", 2, Seen::refused), weighed, -1},
        {"the site refuses here by a page of its own", Alternative::geo_block, Layer::tls, rows("AA", 1, Seen::refused), weighed, -10},
        {"names are forged", Alternative::geo_block, Layer::tls, rows("AA", 1, Seen::bogon), weighed, 99},
        {"forged", Alternative::geo_block, Layer::dns, {}, excluded, 0, Seen::bogon},
        {"nothing came that could be a page", Alternative::captcha, Layer::tls, {}, excluded, 0},
        {"a page", Alternative::captcha, Layer::http, {}, weighed, 10, Seen::page},
        {"first address", Alternative::broken_redirect, Layer::tls, {}, excluded, 0},
        {"later address", Alternative::broken_redirect, Layer::tls, {}, weighed, 10, Seen::hop_reset},
        {"later address, and nowhere", Alternative::broken_redirect, Layer::tls, rows("AA", 1, Seen::nowhere), weighed, 0, Seen::hop_reset},
        {"over version 4", Alternative::ipv6_trouble, Layer::tls, {}, weighed, 10},
        {"over version 6", Alternative::ipv6_trouble, Layer::tls, {}, weighed, -10, Seen::v6},
        {"a name", Alternative::ipv6_trouble, Layer::dns, {}, excluded, 0, Seen::no_name},
        {"another kind comes on some days and does not", Alternative::own_network, Layer::tls, repeated({"www.example", "AA", 1, 0, 0, Seen::fine, "ios"}, 4), weighed, -4},
        {"one kind of probe", Alternative::own_network, Layer::tls, {}, open, 0},
        {"another kind sees it", Alternative::own_network, Layer::tls, rows("AA", 1, Seen::reset, "ios"), weighed, 10},
        {"another kind does not", Alternative::own_network, Layer::tls, both(rows("AA", 1, Seen::reset), rows("AA", 1, Seen::fine, "ios")), weighed, -10},
        {"another network of the country", Alternative::own_network, Layer::tls, rows("AA", 2, Seen::reset), weighed, 1},
        {"one site", Alternative::line_trouble, Layer::tls, {}, open, 0},
        {"what is blocked is", Alternative::ordinary_failure, Layer::tls, {}, weighed, 10},
    };
    for (const auto& one : cases) {
        SCOPED_TRACE(one.what);
        const auto result = book_of(both(rows("AA", 1, one.seen, "", "<title>Closed</title>"), one.rows)).finish();
        const auto* cell = find(result, "www.example", 1, one.layer);
        ASSERT_NE(cell, nullptr);
        ASSERT_EQ(cell->weights.size(), alternatives);
        const auto& weight = weight_of(*cell, one.alternative);
        EXPECT_EQ(alternative_state_name(weight.state), alternative_state_name(one.state));
        if (one.likelihood == 99) EXPECT_GT(weight.log_likelihood_ratio, step);
        else EXPECT_NEAR(weight.log_likelihood_ratio, one.likelihood * step, 1e-9);
        if (weight.state == weighed && weight.log_likelihood_ratio <= 0) EXPECT_NE(cell->verdict, CellVerdict::blocked);
    }
    // What the probe sees of other sites on the same days.
    for (const auto other : {Seen::fine, Seen::reset}) {
        auto all = rows("AA", 1, Seen::reset);
        for (int site = 0; site < 5; ++site) append(all, repeated({"s" + std::to_string(site) + ".example", "AA", 1, 0, 0, other}, 10));
        const auto result = book_of(all).finish();
        EXPECT_NEAR(weight_of(*find(result, "www.example", 1, Layer::tls), Alternative::line_trouble).log_likelihood_ratio, (other == Seen::fine ? 10 : -10) * step, 1e-9);
    }
}

TEST(MeasurementBook, APageIsTheNetworksWhereSeveralSitesHaveItAndTheSitesWhereSeveralCountriesDo) {
    const auto page_of = [](const std::string& domain, const std::string& country, std::uint32_t asn, const std::string& page) {
        return repeated({domain, country, asn, 0, 0, Seen::page, "", page}, 20);
    };
    auto rows = page_of("one.example", "AA", 1, "<title>Not in your region</title>");
    append(rows, repeated({"one.example", "CC", 3, 0, 0, Seen::fine}, 20));
    const auto verdict = [](const std::vector<Row>& all) { return find(book_of(all).finish(), "one.example", 1, Layer::http)->verdict; };
    EXPECT_EQ(verdict(rows), CellVerdict::insufficient) << "a page alone may be anybody's";
    auto two_sites = rows;
    append(two_sites, page_of("two.example", "AA", 1, "<title>Not in your region</title>"));
    EXPECT_EQ(verdict(two_sites), CellVerdict::insufficient) << "nothing else is known to work there: it may be the page of a hotel";
    for (const char* domain : {"three.example", "four.example", "five.example"}) append(two_sites, repeated({domain, "AA", 1, 0, 0, Seen::fine}, 20));
    EXPECT_EQ(verdict(two_sites), CellVerdict::blocked);
    auto two_countries = rows;
    append(two_countries, page_of("one.example", "BB", 2, "<title>Not in your region</title>"));
    EXPECT_EQ(verdict(two_countries), CellVerdict::insufficient);
    auto other_page = rows;
    append(other_page, page_of("two.example", "AA", 1, "<title>Another</title>"));
    EXPECT_EQ(verdict(other_page), CellVerdict::insufficient);
}

TEST(MeasurementBook, OneProbeThatSendsFarMoreThanOthersCarriesNoVerdictAlone) {
    for (const auto others : {Seen::fine, Seen::reset}) {
        std::vector<Row> rows;
        for (std::int32_t day = 0; day < 20; ++day) {
            for (std::uint32_t i = 0; i < 24; ++i) rows.push_back({"www.example", "AA", 1, day, i, Seen::reset, "loud"});
            if (day % 4 == 0) rows.push_back({"www.example", "AA", 1, day, 1, others, "other"});
            rows.push_back({"www.example", "BB", 2, day, 1, Seen::fine});
        }
        const auto result = book_of(rows).finish();
        const auto* cell = find(result, "www.example", 1, Layer::tls);
        EXPECT_EQ(cell->verdict, others == Seen::reset ? CellVerdict::blocked : CellVerdict::insufficient);
        EXPECT_EQ(cell->doubt, others == Seen::reset ? "" : "one kind of probe alone");
        EXPECT_EQ(cell->probes, 2u);
        EXPECT_EQ(cell->measurements, 485u);
        // Until the measurements show less, a kind of probe counts once a day.
        EXPECT_NEAR(cell->effective_measurements, 25, 1e-9);
    }
}

TEST(MeasurementBook, WhatOneKindOfProbeSawMayBeItsOwnFilter) {
    const auto rows_of = [](std::uint32_t per_day, const std::string& second_probe, std::uint32_t second_asn) {
        std::vector<Row> rows;
        for (std::int32_t day = 0; day < 20; ++day) {
            for (const char* domain : {"a.example", "b.example", "c.example", "d.example"}) rows.push_back({domain, "AA", 1, day, 0, Seen::fine, "one"});
            for (std::uint32_t i = 0; i < per_day; ++i) rows.push_back({"ads.example", "AA", 1, day, i % 24, Seen::bogon, "one"});
            if (!second_probe.empty()) rows.push_back({"ads.example", "AA", second_asn, day, 1, Seen::bogon, second_probe});
            rows.push_back({"ads.example", "BB", 2, day, 0, Seen::fine});
        }
        return rows;
    };
    const auto cell_of = [](const std::vector<Row>& rows) { return *find(book_of(rows).finish(), "ads.example", 1, Layer::dns); };
    for (const std::uint32_t per_day : {1u, 200u}) {
        const auto alone = cell_of(rows_of(per_day, "", 0));
        EXPECT_LT(alone.q, 0.05);
        EXPECT_EQ(alone.verdict, CellVerdict::insufficient);
        EXPECT_EQ(alone.doubt, "own-network");
    }
    EXPECT_EQ(cell_of(rows_of(1, "two", 1)).verdict, CellVerdict::blocked);
    EXPECT_EQ(cell_of(rows_of(1, "one", 3)).verdict, CellVerdict::blocked) << "another network of the country sees it";
}

TEST(MeasurementBook, AResolverElsewhereSpeaksForItself) {
    // Volunteers who ask a resolver that leaves names out; in some worlds others ask their own network's.
    const auto cell_of = [](Seen seen, std::uint32_t own_per_day, bool is_on_the_way) {
        std::string lines;
        for (std::int32_t day = 0; day < 20; ++day) {
            for (const char* probe : {"one", "two"}) {
                auto document = json::parse(line_of({"adult.example", "AA", 1, day, 0, seen, probe, "", 13335}));
                auto& queries = document["test_keys"]["queries"];
                if (is_on_the_way) queries.push_back(queries[0]), queries[1]["engine"] = "udp", queries[1]["resolver_address"] = "8.8.4.4:53";
                lines += document.dump() + "\n";
            }
            for (std::uint32_t i = 0; i < own_per_day; ++i) lines += line_of({"adult.example", "AA", 1, day, i, seen});
            lines += line_of({"adult.example", "BB", 2, day, 0, Seen::fine});
        }
        return *find(book_of_lines(lines).finish(), "adult.example", 1, Layer::dns);
    };
    for (const auto seen : {Seen::bogon, Seen::no_name}) {
        EXPECT_EQ(cell_of(seen, 0, false).verdict, CellVerdict::insufficient);
        EXPECT_EQ(cell_of(seen, 0, false).doubt, "resolver of another network");
        EXPECT_EQ(cell_of(seen, 2, false).verdict, CellVerdict::blocked);
        EXPECT_EQ(cell_of(seen, 0, true).verdict, CellVerdict::blocked) << "another resolver was answered for alike, so it happens on the way";
    }
}

TEST(MeasurementBook, WhereNothingElseWorksTheLineMayBeDown) {
    for (const int sites : {2, 3, 5}) {
        std::vector<Row> rows;
        for (int site = 0; site < sites; ++site) {
            const auto domain = "s" + std::to_string(site) + ".example";
            append(rows, repeated({domain, "AA", 1, 0, 0, Seen::tcp}, 40));
            append(rows, repeated({domain, "BB", 2, 0, 0, Seen::fine}, 40));
        }
        for (const auto& cell : book_of(rows).finish().cells) EXPECT_NE(cell.verdict, CellVerdict::blocked) << sites;
        for (const char* domain : {"a.example", "b.example", "c.example", "d.example", "e.example", "f.example"}) append(rows, repeated({domain, "AA", 1, 0, 0, Seen::fine}, 40));
        const auto result = book_of(rows).finish();
        EXPECT_EQ(find(result, "s0.example", 1, Layer::tcp)->verdict, CellVerdict::blocked) << sites;
    }
}

TEST(MeasurementBook, WhereEverySiteFailsOftenNoneIsBlockedForFailingALittleMore) {
    for (const bool is_bad_network : {true, false}) {
        std::vector<Row> rows;
        for (int site = 0; site < 6; ++site) {
            const auto domain = "s" + std::to_string(site) + ".example";
            for (std::int32_t day = 0; day < 20; ++day)
                for (std::uint32_t hour = 0; hour < 2; ++hour) {
                    // Six in ten of one, four in ten of all others.
                    const int of_ten = site == 0 ? 6 : is_bad_network ? 4 : 0;
                    const bool fails = (day * 2 + static_cast<int>(hour)) * 7 % 10 < of_ten;
                    rows.push_back({domain, "AA", 1, day, hour, fails ? Seen::stall : Seen::fine});
                    for (std::uint32_t other = 0; other < 3; ++other) rows.push_back({domain, std::string(2, static_cast<char>('B' + other)), 2 + other, day, hour, Seen::fine});
                }
        }
        const auto result = book_of(rows).finish();
        const auto* cell = find(result, "s0.example", 1, Layer::throttle);
        EXPECT_EQ(cell->verdict, is_bad_network ? CellVerdict::insufficient : CellVerdict::blocked) << cell->q << cell->doubt << cell->blocked;
        if (is_bad_network) EXPECT_GT(cell->q, 0.05);
    }
}

TEST(MeasurementBook, APageFromAnotherAddressMayBeTheSitesOwnForTheCountry) {
    const auto verdict = [](const std::vector<std::string>& domains) {
        std::string lines;
        for (std::int32_t day = 0; day < 20; ++day) {
            for (const auto& domain : domains)
                for (std::uint32_t hour = 0; hour < 2; ++hour) {
                    auto document = json::parse(line_of({domain, "AA", 1, day, hour, Seen::page, "", "<title>A page for this country</title>"}));
                    auto& keys = document["test_keys"];
                    keys["queries"][0]["answers"][0]["ipv4"] = "198.51.98.9";
                    keys["tcp_connect"][0]["ip"] = "198.51.98.9";
                    lines += document.dump() + "\n" + line_of({domain, "BB", 2, day, hour, Seen::fine});
                }
            for (const char* domain : {"w.example", "x.example", "y.example", "z.example"})
                for (std::uint32_t hour = 0; hour < 2; ++hour) lines += line_of({domain, "AA", 1, day, hour, Seen::fine});
        }
        const auto result = book_of_lines(lines).finish();
        const auto* cell = find(result, "one.example", 1, Layer::dns);
        EXPECT_EQ(cell->rule, "dns.unmatched_and_other_page");
        EXPECT_LT(cell->q, 0.05);
        return cell->verdict;
    };
    EXPECT_EQ(verdict({"one.example"}), CellVerdict::insufficient);
    EXPECT_EQ(verdict({"one.example", "two.example"}), CellVerdict::blocked) << "one page for two sites is the network's";
}

TEST(MeasurementBook, AFewBlockedDaysInARowAreNoFreedom) {
    for (const bool is_in_a_row : {true, false}) {
        std::vector<Row> rows;
        for (std::int32_t day = 0; day < 60; ++day) {
            const bool is_blocked = is_in_a_row ? day >= 30 && day < 34 : day % 15 == 7;
            rows.push_back({"vote.example", "AA", 1, day, static_cast<std::uint32_t>(day % 2), is_blocked ? Seen::reset : Seen::fine});
            rows.push_back({"vote.example", "BB", 2, day, 0, Seen::fine});
        }
        const auto result = book_of(rows).finish();
        const auto* cell = find(result, "vote.example", 1, Layer::tls);
        EXPECT_EQ(cell->blocked, 4u);
        EXPECT_EQ(cell->verdict, is_in_a_row ? CellVerdict::insufficient : CellVerdict::not_blocked);
    }
}

TEST(MeasurementBook, AProbeThatFailsForMostSitesOnADayTellsNothingOfOne) {
    std::vector<Row> rows;
    for (int site = 0; site < 12; ++site)
        for (std::int32_t day = 0; day < 30; ++day)
            for (std::uint32_t i = 0; i < 3; ++i) {
                const auto domain = "s" + std::to_string(site) + ".example";
                // Ten days in a row its line is down; one site is blocked besides.
                const bool is_line_down = day >= 10 && day < 20;
                rows.push_back({domain, "AA", 1, day, i, is_line_down ? Seen::tcp : site == 0 ? Seen::reset : Seen::fine, "bad"});
                if (i == 0) rows.push_back({domain, "AA", 1, day, 3, site == 0 ? Seen::reset : Seen::fine, "good"});
                rows.push_back({domain, "BB", 2, day, i, Seen::fine});
            }
    const auto result = book_of(rows).finish();
    for (const auto& cell : result.cells) {
        const bool is_planted = cell.domain == "s0.example" && cell.asn == 1 && cell.layer == Layer::tls;
        EXPECT_EQ(cell.verdict == CellVerdict::blocked, is_planted) << cell.domain << layer_name(cell.layer);
        if (cell.layer == Layer::tcp && cell.asn == 1) EXPECT_EQ(cell.out_of_order, 30u);
    }
}

TEST(MeasurementBook, RatesThatNobodyCheckedMakeNothingFirm) {
    auto rows = repeated({"www.example", "AA", 1, 0, 0, Seen::bogon}, 40);
    append(rows, repeated({"www.example", "BB", 2, 0, 0, Seen::fine}, 40));
    std::string lines;
    for (const auto& row : rows) lines += line_of(row);
    for (const bool is_checked : {true, false}) {
        auto facts = built_in_facts();
        for (auto& rate : facts.rates)
            if (rate.name == "measurement_error_share_max") rate.mark = is_checked ? FactMark::verified : FactMark::remembered;
        MeasurementBook book({}, nullptr, facts);
        const auto source = open_measurements_from(memory_input(lines), "m.jsonl", 0, EvidenceLimits{});
        MeasurementBatch batch;
        while (source->next(batch))
            for (const auto& m : batch.all()) book.add(m);
        const auto result = book.finish();
        const auto* cell = find(result, "www.example", 1, Layer::dns);
        EXPECT_EQ(cell->verdict, is_checked ? CellVerdict::blocked : CellVerdict::insufficient);
        for (const auto& weight : cell->weights)
            if (!is_checked) EXPECT_LE(weight.log_likelihood_ratio, 0);
    }
    // All other rates only make p-values larger, so that they may be assumed: each at its end, nothing is blocked that was not.
    for (const auto* name : {"country_correlation_min", "country_correlation_few", "probe_day_correlation_prior"}) {
        std::vector<double> p;
        for (const double value : {0.01, 0.5, 0.99}) {
            auto facts = built_in_facts();
            for (auto& rate : facts.rates)
                if (rate.name == name) rate.value = value;
            MeasurementBook book({}, nullptr, facts);
            const auto source = open_measurements_from(memory_input(lines), "m.jsonl", 0, EvidenceLimits{});
            MeasurementBatch batch;
            while (source->next(batch))
                for (const auto& m : batch.all()) book.add(m);
            const auto result = book.finish();
            p.push_back(find(result, "www.example", 1, Layer::dns)->p);
        }
        EXPECT_TRUE(std::is_sorted(p.begin(), p.end())) << name;
    }
}

TEST(MeasurementBook, MemoryFollowsCellsAndNotMeasurements) {
    auto rows = repeated({"much.example", "AA", 1, 0, 0, Seen::fine, "one"}, 50);
    const auto few = book_of(rows).cells();
    for (int i = 0; i < 4; ++i) append(rows, repeated({"much.example", "AA", 1, 0, 0, Seen::fine, "one"}, 50));
    EXPECT_EQ(book_of(rows).cells(), few);
    BookRules rules;
    rules.cells_max = 5;
    const auto small = book_of(rows, rules);
    EXPECT_EQ(small.cells(), 5u);
    EXPECT_EQ(small.counts().dropped, 125u);
}

TEST(MeasurementBook, AServerThatRefusesIsNoNetworkThatBlocks) {
    std::vector<Row> rows = repeated({"shop.example", "AA", 1, 0, 0, Seen::refused}, 20);
    append(rows, repeated({"shop.example", "BB", 2, 0, 0, Seen::fine}, 20));
    const auto result = book_of(rows).finish();
    EXPECT_EQ(find(result, "shop.example", 1, Layer::http)->verdict, CellVerdict::geo_block);
    for (const auto& cell : result.cells) EXPECT_NE(cell.verdict, CellVerdict::blocked);
}

TEST(MeasurementBook, AnAnswerWhoseAddressServesTheNameElsewhereIsRight) {
    auto rows = repeated({"cdn.example", "AA", 1, 0, 0, Seen::odd_answer}, 20);
    append(rows, repeated({"cdn.example", "BB", 2, 0, 0, Seen::fine}, 20));
    EXPECT_EQ(find(book_of(rows).finish(), "cdn.example", 1, Layer::dns)->verdict, CellVerdict::blocked);

    // Somebody completes a handshake with that address.
    auto book = book_of(rows);
    auto document = json::parse(line_of({"cdn.example", "CC", 3, 0, 0, Seen::fine}));
    document["test_keys"]["tls_handshakes"][0]["address"] = "198.51.98.9:443";
    const auto source = open_measurements_from(memory_input(document.dump()), "m.jsonl", 0, EvidenceLimits{});
    MeasurementBatch batch;
    while (source->next(batch))
        for (const auto& m : batch.all()) book.add(m);
    const auto result = book.finish();
    const auto* cell = find(result, "cdn.example", 1, Layer::dns);
    EXPECT_NE(cell->verdict, CellVerdict::blocked);
    EXPECT_EQ(cell->blocked, 0u);
    EXPECT_EQ(cell->answers_made_good, 20u);
}

TEST(MeasurementBook, ABlockageHasABeginningAndAnEnd) {
    std::vector<Row> rows;
    for (std::int32_t day = 0; day < 60; ++day)
        for (std::uint32_t hour = 0; hour < 4; ++hour) {
            rows.push_back({"news.example", "AA", 1, day, hour, day >= 20 && day < 40 ? Seen::reset : Seen::fine});
            rows.push_back({"news.example", "BB", 2, day, hour, Seen::fine});
            rows.push_back({"news.example", "CC", 3, day, hour, Seen::fine});
        }
    const auto result = book_of(rows).finish();
    const auto* cell = find(result, "news.example", 1, Layer::tls);
    ASSERT_NE(cell, nullptr);
    EXPECT_EQ(cell->verdict, CellVerdict::blocked);
    ASSERT_EQ(cell->changes.size(), 2u);
    ASSERT_TRUE(cell->since && cell->until);
    EXPECT_EQ(cell->since->day, day_zero + 20);
    EXPECT_LE(cell->since->day_low, day_zero + 20);
    EXPECT_GE(cell->since->day_high, day_zero + 20);
    EXPECT_EQ(cell->until->day, day_zero + 40);
    EXPECT_DOUBLE_EQ(cell->since->share_before, 0);
    EXPECT_DOUBLE_EQ(cell->since->share_after, 1);
    ASSERT_EQ(find(result, "news.example", 2, Layer::tls)->changes.size(), 0u);
    // The published detector sees the same change, some hours late: 7 / 0.45 points.
    const auto tls = std::find_if(result.cusums.begin(), result.cusums.end(), [](const CusumSeries& s) { return s.asn == 1 && s.series == "tls"; });
    ASSERT_NE(tls, result.cusums.end());
    ASSERT_EQ(tls->changes.size(), 2u);
    EXPECT_TRUE(tls->changes[0].is_blocked);
    EXPECT_NEAR(static_cast<double>(tls->changes[0].time_us / day_us), day_zero + 20 + 4, 1.0);
    EXPECT_FALSE(tls->changes[1].is_blocked);
}

TEST(MeasurementBook, AWeekBetweenTwoHasABeginningAndAnEnd) {
    std::vector<Row> rows;
    for (std::int32_t day = 0; day < 20; ++day)
        for (std::uint32_t hour = 0; hour < 2; ++hour) {
            rows.push_back({"week.example", "AA", 1, day, hour, day >= 7 && day < 14 ? Seen::reset : Seen::fine});
            rows.push_back({"week.example", "BB", 2, day, hour, Seen::fine});
        }
    const auto result = book_of(rows).finish();
    const auto* cell = find(result, "week.example", 1, Layer::tls);
    EXPECT_EQ(cell->verdict, CellVerdict::blocked);
    ASSERT_TRUE(cell->since && cell->until);
    EXPECT_EQ(cell->since->day, day_zero + 7);
    EXPECT_EQ(cell->until->day, day_zero + 14);
    EXPECT_LE(cell->since->day_low, cell->since->day);
    EXPECT_GE(cell->until->day_high, cell->until->day);
}

TEST(MeasurementBook, ABlockageThatChangesItsLayerGoesOn) {
    const auto blockage = [](const auto& seen_on) {
        std::vector<Row> rows;
        for (std::int32_t day = 0; day < 60; ++day)
            for (std::uint32_t hour = 0; hour < 2; ++hour) {
                rows.push_back({"news.example", "AA", 1, day, hour, seen_on(day)});
                rows.push_back({"news.example", "BB", 2, day, hour, Seen::fine});
                for (const char* domain : {"a.example", "b.example"}) rows.push_back({domain, "AA", 1, day, hour, Seen::fine});
            }
        const auto result = book_of(rows).finish();
        std::vector<const BlockedCell*> cells;
        for (const auto& cell : result.cells)
            if (cell.domain == "news.example" && cell.verdict == CellVerdict::blocked) cells.push_back(&cell);
        EXPECT_EQ(cells.size(), 2u);
        const auto found = blockage_of(cells);
        return std::pair(found.since ? found.since->day - day_zero : -1, found.until ? found.until->day - day_zero : -1);
    };
    // From names to handshakes; then the other way round; then with a beginning and an end.
    EXPECT_EQ(blockage([](std::int32_t day) { return day < 30 ? Seen::no_name : Seen::reset; }), std::pair(-1, -1));
    EXPECT_EQ(blockage([](std::int32_t day) { return day < 30 ? Seen::reset : Seen::no_name; }), std::pair(-1, -1));
    EXPECT_EQ(blockage([](std::int32_t day) { return day < 15 || day >= 45 ? Seen::fine : day < 30 ? Seen::no_name : Seen::reset; }), std::pair(15, 45));
    // Two times with a month between are two blockages; the last one counts.
    EXPECT_EQ(blockage([](std::int32_t day) { return day >= 8 && day < 18 ? Seen::no_name : day >= 40 ? Seen::reset : Seen::fine; }), std::pair(40, -1));
}

TEST(MeasurementBook, AMeasurementThatComesTwiceCountsOnceInAnyOrder) {
    const auto counted = [](const std::vector<std::string>& lines, std::uint64_t known_max) {
        BookRules rules;
        rules.known_max = known_max;
        MeasurementBook book(rules);
        std::string text;
        for (const auto& line : lines) text += line;
        const auto source = open_measurements_from(memory_input(text), "m.jsonl", 0, EvidenceLimits{});
        MeasurementBatch batch;
        while (source->next(batch))
            for (const auto& m : batch.all()) book.add(m);
        return book.counts();
    };
    const auto named = [](std::int32_t day, const std::string& report, const std::string& uid) {
        auto document = json::parse(line_of({"a.example", "AA", 1, day, 0, Seen::fine}));
        if (!report.empty()) document["report_id"] = report;
        if (!uid.empty()) document["measurement_uid"] = uid;
        return document.dump() + "\n";
    };
    std::vector<std::string> lines;
    for (int day = 0; day < 3000; ++day) lines.push_back(named(day, "r" + std::to_string(day / 2), ""));
    // Copies: of the API with a uid, of reports without an id; those without any name are nobody's copies.
    for (int day = 0; day < 10; ++day) lines.push_back(named(day, "r" + std::to_string(day / 2), "u" + std::to_string(day)));
    for (int copy = 0; copy < 2; ++copy) lines.push_back(named(1, "", "u"));
    for (int copy = 0; copy < 2; ++copy) lines.push_back(named(1, "", ""));
    Random random(7);
    for (int order = 0; order < 3; ++order) {
        EXPECT_EQ(counted(lines, 1u << 20).repeated, 11u);
        EXPECT_EQ(counted(lines, 1u << 20).kept, 3003u);
        for (std::size_t i = lines.size(); i > 1; --i) std::swap(lines[i - 1], lines[random.below(i)]);
    }
    EXPECT_EQ(counted(lines, 100).not_compared + counted(lines, 100).repeated, 3012u - 100u);
}

TEST(MeasurementBook, RowsThatCannotBePlacedAreCounted) {
    MeasurementBook book;
    const auto add = [&](const std::function<void(json&)>& change) {
        auto document = json::parse(line_of({"a.example", "AA", 1, 0, 0, Seen::fine}));
        change(document);
        const auto source = open_measurements_from(memory_input(document.dump()), "m.jsonl", 0, EvidenceLimits{});
        MeasurementBatch batch;
        while (source->next(batch))
            for (const auto& m : batch.all()) book.add(m);
    };
    add([](json&) {});
    add([](json& d) { d["probe_cc"] = "ZZ"; });
    add([](json& d) { d["probe_asn"] = "AS0"; });
    add([](json& d) { d["measurement_start_time"] = "soon"; });
    add([](json& d) { d["report_id"] = "20230101T000000Z_webconnectivity_AA_1"; });
    add([](json& d) { d["report_id"] = "20240101T110000Z_webconnectivity_AA_1"; });
    // Without a report the measurement's own name tells when it came in; a name that holds no time tells nothing.
    add([](json& d) { d["measurement_uid"] = "20230101000000.123456_AA_webconnectivity_0123456789abcdef"; });
    add([](json& d) { d["measurement_uid"] = "20240101110000.123456_AA_webconnectivity_0123456789abcdef"; });
    add([](json& d) { d["measurement_uid"] = "a0240101110000.123456_AA_webconnectivity_0123456789abcdef"; });
    EXPECT_EQ(book.counts().kept, 4u);
    EXPECT_EQ(book.counts().unplaced, 2u);
    EXPECT_EQ(book.counts().without_time, 1u);
    EXPECT_EQ(book.counts().odd_clock, 2u);
    EXPECT_EQ(book.cells(), 1u);
}

// ---- against plain loops, in any order

std::vector<Row> random_rows(Random& random, std::size_t count) {
    std::vector<Row> rows;
    const Seen all[] = {Seen::fine, Seen::fine, Seen::fine, Seen::tcp, Seen::no_name, Seen::reset, Seen::down, Seen::stall};
    for (std::size_t i = 0; i < count; ++i) {
        const auto asn = static_cast<std::uint32_t>(1 + random.below(5));
        rows.push_back({std::string(1, static_cast<char>('a' + random.below(3))) + ".example", asn < 3 ? "AA" : asn < 5 ? "BB" : "CC", asn,
                        static_cast<std::int32_t>(random.below(6)), static_cast<std::uint32_t>(random.below(24)), all[random.below(8)], "one"});
    }
    return rows;
}

bool is_seen(Seen seen, Layer layer) {
    switch (layer) {
        case Layer::dns: return true;
        case Layer::tcp: return seen != Seen::no_name && seen != Seen::bogon;
        case Layer::tls: return seen == Seen::fine || seen == Seen::reset || seen == Seen::stall;
        case Layer::http: return seen == Seen::fine;
        case Layer::throttle: return seen == Seen::fine || seen == Seen::stall;
    }
    return false;
}

bool is_blocked(Seen seen, Layer layer) {
    return (seen == Seen::bogon && layer == Layer::dns) || (seen == Seen::tcp && layer == Layer::tcp) || (seen == Seen::no_name && layer == Layer::dns) || (seen == Seen::reset && layer == Layer::tls) ||
           (seen == Seen::stall && layer == Layer::throttle);
}

double log_choose(double n, double k) { return std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1); }

double tail_by_definition(std::uint64_t hits, std::uint64_t trials, double mean, double rho) {
    const double a = mean * (1 - rho) / rho, b = (1 - mean) * (1 - rho) / rho, n = static_cast<double>(trials);
    const auto log_beta = [](double x, double y) { return std::lgamma(x) + std::lgamma(y) - std::lgamma(x + y); };
    double sum = 0;
    for (std::uint64_t x = hits; x <= trials; ++x) {
        const auto k = static_cast<double>(x);
        sum += std::exp(log_choose(n, k) + log_beta(k + a, n - k + b) - log_beta(a, b));
    }
    return sum;
}

/// P(X >= hits) of a binomial as the integral of the beta density, which holds between whole numbers too; by Simpson's rule on t = u^k, so that the
/// density is bounded.
double tail_by_integral(double hits, double trials, double share) {
    const double a = hits, b = trials - hits + 1;
    const double k = std::max(1.0, 2 / a);
    const double end = std::pow(share, 1 / k);
    constexpr int steps = 4'000;
    double sum = 0;
    for (int i = 0; i <= steps; ++i) {
        const double u = end * i / steps;
        const double weight = i == 0 || i == steps ? 1 : i % 2 == 1 ? 4 : 2;
        if (u > 0) sum += weight * std::exp((k * a - 1) * std::log(u) + (b - 1) * std::log1p(-std::pow(u, k)));
    }
    return k * sum * end / steps / 3 * std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b));
}

TEST(MeasurementBookProperty, BetaBinomialTailsAreTheirDefinition) {
    Random random(5);
    for (int i = 0; i < 500; ++i) {
        const auto trials = 1 + random.below(200);
        const auto hits = random.below(trials + 1);
        const double mean = 0.001 + 0.998 * random.uniform();
        const double rho = 0.001 + 0.9 * random.uniform();
        const auto expected = tail_by_definition(hits, trials, mean, rho);
        EXPECT_NEAR(beta_binomial_tail(hits, trials, mean, rho), std::min(1.0, expected), 1e-9 + 1e-8 * expected) << hits << "/" << trials << " " << mean << " " << rho;
    }
}

TEST(MeasurementBookProperty, CorrelationWithinClustersIsThatOfAllPairs) {
    Random random(29);
    for (int world = 0; world < 50; ++world) {
        ClusterCorrelation fast;
        double within = 0, within_pairs = 0, between = 0, between_pairs = 0, hits = 0, trials = 0, partnered = 0;
        for (int cell = 0; cell < 8; ++cell) {
            std::vector<std::vector<int>> clusters(1 + random.below(6));
            std::vector<GroupCount> counts;
            for (auto& cluster : clusters) {
                const double share = world % 2 == 0 ? 0.2 : random.below(4) == 0 ? 0.8 : 0.02;
                for (std::uint64_t i = 0; i <= random.below(7); ++i) cluster.push_back(random.chance(share));
                counts.push_back({static_cast<std::uint64_t>(std::count(cluster.begin(), cluster.end(), 1)), cluster.size()});
                for (const int one : cluster) hits += one, trials += 1, partnered += cluster.size() > 1 ? one : 0;
            }
            fast.add(counts);
            for (std::size_t a = 0; a < clusters.size(); ++a)
                for (std::size_t i = 0; i < clusters[a].size(); ++i)
                    for (std::size_t b = 0; b < clusters.size(); ++b)
                        for (std::size_t k = 0; k < clusters[b].size(); ++k) {
                            if (a == b && i == k) continue;
                            (a == b ? within : between) += clusters[a][i] * clusters[b][k];
                            (a == b ? within_pairs : between_pairs) += 1;
                        }
        }
        const double apart = between / between_pairs;
        const double spread = hits / trials - apart;
        const double found = spread > 0 ? std::clamp((within / within_pairs - apart) / spread, 0.0, 1.0) : 1;
        EXPECT_NEAR(fast.value(1), (found * partnered + 20) / (partnered + 20), 1e-9);
    }
    EXPECT_EQ(ClusterCorrelation().value(1), 1);
    EXPECT_EQ(ClusterCorrelation().value(0.3), 0.3);
}

TEST(MeasurementBookProperty, CountsControlsAndPValuesAreThoseOfPlainLoopsInAnyOrder) {
    Random random(11);
    for (int world = 0; world < 6; ++world) {
        auto rows = random_rows(random, 400);
        const auto first = book_of(rows).finish();
        std::size_t checked = 0;
        for (const auto& cell : first.cells) {
            std::uint64_t measurements = 0, blocked = 0;
            std::set<std::int32_t> days;
            const auto is_own = [&](const Row& row) { return row.domain == cell.domain && row.asn == cell.asn; };
            for (const auto& row : rows)
                if (is_own(row) && is_seen(row.seen, cell.layer)) ++measurements, blocked += is_blocked(row.seen, cell.layer), days.insert(row.day);
            ASSERT_EQ(cell.measurements, measurements);
            EXPECT_EQ(cell.blocked, blocked);
            EXPECT_EQ(cell.days, days.size());
            std::map<std::string, GroupCount> groups;
            for (const auto& row : rows) {
                if (row.domain != cell.domain || row.country == cell.country || days.count(row.day) == 0 || !is_seen(row.seen, cell.layer)) continue;
                ++groups[row.country].trials;
                groups[row.country].hits += is_blocked(row.seen, cell.layer);
            }
            std::uint64_t trials = 0;
            double mean_hits = 0.5;
            for (const auto& [country, group] : groups) trials += group.trials, mean_hits += static_cast<double>(group.hits);
            EXPECT_EQ(cell.control_measurements, trials);
            if (measurements < 5) continue;
            // What the measurements of a day are worth. Two countries or fewer: their correlation is the assumed one.
            const double rho = first.probe_day_correlation[static_cast<std::size_t>(cell.layer)];
            const auto worth_of = [&](std::int32_t from, std::int32_t to) {
                std::map<std::int32_t, GroupCount> by_day;
                for (const auto& row : rows) {
                    if (!is_own(row) || !is_seen(row.seen, cell.layer) || row.day < from || row.day > to) continue;
                    ++by_day[row.day].trials;
                    by_day[row.day].hits += is_blocked(row.seen, cell.layer);
                }
                std::pair<double, double> worth;
                for (const auto& [day, count] : by_day) {
                    const double design = 1 + (static_cast<double>(count.trials) - 1) * rho;
                    worth.first += static_cast<double>(count.hits) / design;
                    worth.second += static_cast<double>(count.trials) / design;
                }
                return worth;
            };
            // Other sites of the network that mostly work.
            std::map<std::string, GroupCount> sites;
            for (const auto& row : rows) {
                if (row.asn != cell.asn || row.domain == cell.domain || !is_seen(row.seen, cell.layer)) continue;
                ++sites[row.domain].trials;
                sites[row.domain].hits += is_blocked(row.seen, cell.layer);
            }
            GroupCount ordinary;
            for (const auto& [domain, count] : sites)
                if (count.hits * 2 <= count.trials) ordinary = {ordinary.hits + count.hits, ordinary.trials + count.trials};
            const double error_share = ordinary.trials < 5 ? 0.2 : std::max(0.2, static_cast<double>(ordinary.hits) / static_cast<double>(ordinary.trials));
            const auto p_of = [&](std::pair<double, double> worth) {
                const auto [hits, all] = worth;
                const auto whole_hits = static_cast<std::uint64_t>(hits + 1e-9);
                const double elsewhere = groups.empty() ? 0 : tail_by_definition(whole_hits, std::max(whole_hits, static_cast<std::uint64_t>(std::ceil(all - 1e-9))),
                                                                                mean_hits / (static_cast<double>(trials) + 1), 0.2);
                return std::min(1.0, std::max(hits <= 0 ? 1.0 : tail_by_integral(hits, all, error_share), elsewhere));
            };
            const double whole = p_of(worth_of(0, 100'000));
            EXPECT_NEAR(cell.effective_measurements, worth_of(0, 100'000).second, 1e-9);
            if (blocked < 5) {
                EXPECT_NEAR(cell.p, whole, 1e-5);
                ++checked;
                continue;
            }
            // Every run of days; of equals in excess any may have been taken.
            const std::vector<std::int32_t> all_days(days.begin(), days.end());
            double most = -1e9;
            std::vector<std::pair<double, double>> spans;
            for (std::size_t from = 0; from < all_days.size(); ++from)
                for (std::size_t to = from; to < all_days.size(); ++to) {
                    const auto worth = worth_of(all_days[from], all_days[to]);
                    const double excess = 2 * worth.first - worth.second;
                    most = std::max(most, excess);
                    spans.push_back(worth);
                }
            const double choices = static_cast<double>(all_days.size() * (all_days.size() + 1)) / 2;
            bool is_one_of_them = false;
            for (const auto& span : spans) {
                if (2 * span.first - span.second < most - 1e-9) continue;
                is_one_of_them = is_one_of_them || std::abs(cell.p - std::min(1.0, 2 * std::min(whole, std::min(1.0, p_of(span) * choices)))) < 1e-5;
            }
            EXPECT_TRUE(is_one_of_them) << cell.p << " whole " << whole;
            ++checked;
        }
        EXPECT_GT(checked, 40u);

        // Lines move with the rows, so only what names lines may differ.
        for (int order = 0; order < 3; ++order) {
            for (std::size_t i = rows.size(); i > 1; --i) std::swap(rows[i - 1], rows[random.below(i)]);
            const auto again = book_of(rows).finish();
            ASSERT_EQ(again.cells.size(), first.cells.size());
            for (std::size_t i = 0; i < first.cells.size(); ++i) {
                const auto& a = first.cells[i];
                const auto& b = again.cells[i];
                ASSERT_TRUE(a.domain == b.domain && a.asn == b.asn && a.layer == b.layer);
                EXPECT_EQ(a.p, b.p);
                EXPECT_EQ(a.q, b.q);
                EXPECT_EQ(a.verdict, b.verdict);
                EXPECT_EQ(a.rule, b.rule);
                EXPECT_EQ(a.weights, b.weights);
                EXPECT_EQ(a.doubt, b.doubt);
                EXPECT_EQ(a.effective_measurements, b.effective_measurements);
                EXPECT_EQ(a.changes.size(), b.changes.size());
                EXPECT_EQ(a.locators.size(), b.locators.size());
            }
            ASSERT_EQ(again.cusums.size(), first.cusums.size());
            for (std::size_t i = 0; i < first.cusums.size(); ++i) EXPECT_EQ(again.cusums[i].changes, first.cusums[i].changes);
        }
    }
}

TEST(MeasurementBookProperty, WorldsWithoutBlockingStaySilentAndPlantedOnesAreFound) {
    Random random(17);
    std::vector<Row> rows;
    constexpr int sites = 40;
    for (int site = 0; site < sites; ++site)
        for (std::uint32_t asn = 1; asn <= 12; ++asn)
            for (int i = 0; i < 15; ++i) {
                // Each network has its own share of measurements that go wrong by themselves, up to 20 %.
                const bool is_planted = asn == 3 && site < 10;
                const bool is_wrong = random.uniform() < 0.02 * static_cast<double>(asn % 10);
                const auto seen = is_planted && random.uniform() < 0.9 ? Seen::reset : is_wrong ? (random.below(2) ? Seen::tcp : Seen::reset) : Seen::fine;
                rows.push_back({"s" + std::to_string(site) + ".example", std::string(1, static_cast<char>('A' + asn % 6)) + "A", asn, i % 5, static_cast<std::uint32_t>(i), seen});
            }
    const auto result = book_of(rows).finish();
    int found = 0;
    int wrong = 0;
    for (const auto& cell : result.cells) {
        if (cell.verdict != CellVerdict::blocked) continue;
        const bool is_planted = cell.asn == 3 && std::stoi(cell.domain.substr(1)) < 10 && cell.layer == Layer::tls;
        (is_planted ? found : wrong) += 1;
    }
    EXPECT_EQ(found, 10);
    EXPECT_EQ(wrong, 0);
}

TEST(MeasurementBookProperty, SitesThatFailByThemselvesInSomePartsOfTheWorldStaySilentAndBlockingInHalfOfItIsFound) {
    for (const bool is_anything_blocked : {false, true}) {
        int found = 0;
        int wrong = 0;
        Random random(19);
        std::vector<Row> rows;
        for (int site = 0; site < (is_anything_blocked ? 40 : 120); ++site)
            for (std::uint32_t asn = 1; asn <= 12; ++asn) {
                // Every third site is blocked in six countries of twelve; the others fail by themselves, in each country more or less often.
                const double share = !is_anything_blocked || site % 3 != 0 ? (is_anything_blocked ? 0.3 : 0.5) * random.uniform() : asn <= 6 ? 0.95 : 0.02;
                for (int i = 0; i < 15; ++i)
                    rows.push_back({"s" + std::to_string(site) + ".example", std::string(1, static_cast<char>('A' + asn)) + "A", asn, i % 5, static_cast<std::uint32_t>(i),
                                    random.uniform() < share ? std::array{Seen::reset, Seen::cut, Seen::closed}[asn % 3] : Seen::fine});
            }
        for (const auto& cell : book_of(rows).finish().cells) {
            if (cell.layer != Layer::tls) continue;
            const bool is_planted = is_anything_blocked && std::stoi(cell.domain.substr(1)) % 3 == 0 && cell.asn <= 6;
            if (cell.verdict == CellVerdict::blocked) (is_planted ? found : wrong) += 1;
            if (is_planted) EXPECT_NE(cell.verdict, CellVerdict::not_blocked);
        }
        EXPECT_GE(found, is_anything_blocked ? 80 : 0);  // of 84
        EXPECT_LE(20 * wrong, found);                    // the false discovery rate
    }
}

// ---- the detector of ooni/data, once more, step by step as published

std::vector<CusumChange> published_cusum(const std::vector<CusumPoint>& points) {
    const double mu_0 = 0.0, mu_1 = 0.7, v = mu_1 - mu_0, h = 20 * v / 2.0;
    std::string state = "unk";
    int last_change = 0;
    double s_pos = 0, s_neg = 0;
    bool has_last = false;
    double last_hours = 0;
    std::vector<CusumChange> out;
    for (const auto& point : points) {
        const double hours = static_cast<double>(point.time_us) / 3.6e9;
        if (has_last && hours - last_hours > 24) {
            const double decay = std::pow(0.5, (hours - last_hours) / 48.0);
            s_pos *= decay;
            s_neg *= decay;
        }
        has_last = true;
        last_hours = hours;
        const double z_pos = point.value - mu_0, z_neg = point.value - mu_1;
        int change = 0;
        if (state == "unk") {
            s_pos = std::max(0.0, s_pos + z_pos - v / 2.0);
            s_neg = std::max(0.0, s_neg - z_neg - v / 2.0);
            if (s_pos > h) state = "blk", s_pos = s_neg = 0;
            else if (s_neg > h) state = "ok", s_pos = s_neg = 0;
        } else if (state == "ok") {
            s_pos = std::max(0.0, s_pos + z_pos - v / 2.0);
            s_neg = 0;
            if (s_pos > h) {
                if (last_change != 1) change = 1;
                else s_pos = s_neg = 0;
            }
        } else {
            s_neg = std::max(0.0, s_neg - z_neg - v / 2.0);
            s_pos = 0;
            if (s_neg > h) {
                if (last_change != -1) change = -1;
                else s_pos = s_neg = 0;
            }
        }
        if (change == 0) continue;
        out.push_back({point.time_us, change == 1});
        last_change = change;
        state = change == 1 ? "blk" : "ok";
        s_pos = s_neg = 0;
    }
    return out;
}

TEST(OoniCusum, IsThePublishedDetector) {
    Random random(23);
    std::size_t changes = 0;
    for (int world = 0; world < 200; ++world) {
        std::vector<CusumPoint> points;
        std::int64_t time_us = 1'700'000'000'000'000;
        bool is_blocked = random.below(2) == 1;
        for (int i = 0; i < 300; ++i) {
            time_us += static_cast<std::int64_t>(1 + (random.below(30) == 0 ? random.below(100) : random.below(3))) * 3'600'000'000;
            if (random.below(80) == 0) is_blocked = !is_blocked;
            points.push_back({time_us, random.uniform() < 0.8 ? (is_blocked ? 0.8 : 0.0) : random.uniform()});
        }
        const auto got = cusum_changes(points);
        EXPECT_EQ(got, published_cusum(points));
        changes += got.size();
    }
    EXPECT_GT(changes, 200u);
    EXPECT_DOUBLE_EQ(CusumRules().threshold(), 7);
    EXPECT_TRUE(cusum_changes({}).empty());
}

}  // namespace
}  // namespace unveil::interference
