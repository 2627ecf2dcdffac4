// Goal: measurements come out of any wrapping as a slow, careful reader of JSON sees them, nothing malformed is lost silently, and no bytes make
// the reader fall over. Method: hand-written measurements with every oddity of the format; then the public samples, each compared member by member
// with nlohmann::json; then the same lines in pieces of every size.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/digest.hpp"
#include "core/error.hpp"
#include "core/time.hpp"
#include "evidence/ooni.hpp"
#include "evidence/open.hpp"
#include "evidence/table_posts.hpp"

namespace unveil {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string blocked_line(const std::string& input = "https://Blocked.Example.org:443/a?b") {
    json line = {
        {"report_id", "20240101T000000Z_r"}, {"test_name", "web_connectivity"}, {"test_version", "0.5.28"}, {"probe_cc", "IT"},
        {"probe_asn", "AS137"}, {"probe_network_name", "GARR \"quoted\""}, {"resolver_asn", "AS13335"}, {"resolver_ip", "192.0.2.53"},
        {"input", input}, {"measurement_start_time", "2024-01-01 02:03:04"}, {"test_runtime", 1.5}, {"software_name", "ooniprobe"},
        {"software_version", "3.22.0"}, {"annotations", {{"engine_version", "3.22.1"}, {"platform", "linux"}}}};
    line["test_keys"] = json::parse(R"({
        "queries": [{"hostname": "blocked.example.org", "query_type": "A", "engine": "getaddrinfo", "resolver_address": "", "failure": null,
                     "answers": [{"answer_type": "CNAME", "hostname": "cdn.example.net."}, {"answer_type": "A", "ipv4": "10.10.34.35", "asn": 0},
                                 {"answer_type": "AAAA", "ipv6": "2001:db8::1", "asn": 64500}],
                     "t": 0.25, "transaction_id": 10001, "tags": ["classic", "depth=2"]},
                    {"hostname": "blocked.example.org", "query_type": "AAAA", "engine": "udp", "failure": "dns_nxdomain_error", "answers": null}],
        "x_dns_duplicate_responses": [{"hostname": "blocked.example.org", "answers": [{"answer_type": "A", "ipv4": "192.0.2.7"}]}],
        "tcp_connect": [{"ip": "10.10.34.35", "port": 443, "status": {"failure": "generic_timeout_error", "success": false, "blocked": true}, "t": 15.0},
                        {"ip": "192.0.2.7", "port": 443, "status": {"failure": null, "success": true}}],
        "tls_handshakes": [{"address": "192.0.2.7:443", "server_name": "blocked.example.org", "failure": "connection_reset", "no_tls_verify": false,
                            "peer_certificates": [{"data": "AAAA", "format": "base64"}, {"data": "AAAA", "format": "base64"}]}],
        "network_events": [{"operation": "connect", "t": 0.1, "transaction_id": 7}, {"operation": "read", "num_bytes": 100, "t": 0.5, "transaction_id": 7},
                           {"operation": "write", "num_bytes": 30, "t": 0.6, "transaction_id": 7}, {"operation": "read", "num_bytes": 11, "t": 2.5, "transaction_id": 7}],
        "requests": [{"failure": null, "request": {"url": "https://blocked.example.org/", "tor": {"is_tor": false}, "headers": {"A": "b"}},
                      "response": {"code": 200, "body": "<html><TITLE lang=\"en\"> caf\u00e9 \ud83d\ude00\n</title>", "body_is_truncated": false,
                                   "headers": {"Server": "nginx \"x\"", "X-Odd": {"data": "/w==", "format": "base64"}}}},
                     {"failure": "eof_error", "request": {"url": "http://blocked.example.org/"}, "response": null},
                     {"failure": null, "request": {"url": "http://blocked.example.org/b"}, "response": {"code": 302, "body": {"data": "aGVsbG8=", "format": "base64"}}}],
        "control": {"dns": {"failure": null, "addrs": ["192.0.2.7", "192.0.2.8"]},
                    "tcp_connect": {"192.0.2.7:443": {"status": true, "failure": null}},
                    "tls_handshake": {"192.0.2.7:443": {"server_name": "blocked.example.org", "status": false, "failure": "ssl_unknown_authority"}},
                    "http_request": {"failure": null, "title": "Hi", "body_length": 1533, "status_code": 200},
                    "ip_info": {"192.0.2.7": {"asn": 64501, "flags": 11}}},
        "blocking": "dns", "accessible": false, "body_proportion": 0.25, "x_blocking_flags": 33, "control_failure": null, "http_experiment_failure": "unknown_failure: x"
    })");
    return line.dump();
}

struct Read {
    SourceReport report;
    std::vector<std::string> shown;  // of each measurement, by the visitor
};

template <typename Visit>
Read read(const std::string& bytes, Visit&& visit, std::size_t piece_bytes = SIZE_MAX, const EvidenceLimits& limits = {}) {
    const auto source = open_measurements_from(memory_input(bytes, piece_bytes), "m.jsonl", 3, limits);
    Read out;
    MeasurementBatch batch;
    while (source->next(batch)) {
        EXPECT_GT(batch.size, 0u);
        for (const auto& m : batch.all()) visit(m);
    }
    EXPECT_FALSE(source->next(batch));
    out.report = source->report();
    return out;
}

Read read(const std::string& bytes) {
    return read(bytes, [](const Measurement&) {});
}

TEST(Ooni, EveryPartOfAMeasurementIsRead) {
    std::size_t seen = 0;
    const auto result = read(blocked_line() + "\n", [&](const Measurement& m) {
        ++seen;
        EXPECT_EQ(m.where.evidence, 3u);
        EXPECT_EQ(m.where.row, 1u);
        EXPECT_EQ(m.report_id, "20240101T000000Z_r");
        EXPECT_EQ(m.test_name, "web_connectivity");
        EXPECT_EQ(m.test_version, "0.5.28");
        EXPECT_EQ(m.country, "IT");
        EXPECT_EQ(m.asn, 137u);
        EXPECT_EQ(m.network_name, "GARR \"quoted\"");
        EXPECT_EQ(m.resolver_asn, 13335u);
        EXPECT_EQ(m.resolver_address, "192.0.2.53");
        EXPECT_EQ(m.domain, "blocked.example.org");
        EXPECT_EQ(format_time(m.start_us), "2024-01-01T02:03:04Z");
        EXPECT_EQ(m.engine_version, "3.22.1");
        EXPECT_EQ(m.platform, "linux");
        EXPECT_DOUBLE_EQ(m.runtime_seconds, 1.5);

        ASSERT_EQ(m.queries.size(), 2u);
        const auto& query = m.queries[0];
        EXPECT_EQ(query.engine, "getaddrinfo");
        EXPECT_EQ(query.step.depth, 2);
        EXPECT_TRUE(query.step.is_classic);
        EXPECT_EQ(query.step.transaction, 10001);
        EXPECT_DOUBLE_EQ(query.step.time_seconds, 0.25);
        ASSERT_EQ(m.answers_of(query).size(), 3u);
        EXPECT_EQ(m.answers_of(query)[0].name, "cdn.example.net.");
        EXPECT_EQ(m.answers_of(query)[1].address, "10.10.34.35");
        EXPECT_EQ(m.answers_of(query)[2].asn, 64500u);
        EXPECT_EQ(m.queries[1].failure, "dns_nxdomain_error");
        EXPECT_TRUE(m.answers_of(m.queries[1]).empty());
        ASSERT_EQ(m.duplicate_answers.size(), 1u);
        EXPECT_EQ(m.answers_of(m.duplicate_answers[0])[0].address, "192.0.2.7");

        ASSERT_EQ(m.connects.size(), 2u);
        EXPECT_EQ(m.connects[0].failure, "generic_timeout_error");
        EXPECT_EQ(m.connects[0].success, Tristate::no);
        EXPECT_EQ(m.connects[1].port, 443);
        EXPECT_EQ(m.connects[1].success, Tristate::yes);
        ASSERT_EQ(m.handshakes.size(), 1u);
        EXPECT_EQ(m.handshakes[0].endpoint, "192.0.2.7:443");
        EXPECT_EQ(m.handshakes[0].failure, "connection_reset");
        EXPECT_EQ(m.handshakes[0].certificates, 2u);

        ASSERT_EQ(m.transfers.size(), 1u);
        EXPECT_EQ(m.transfers[0].read_bytes, 111u);
        EXPECT_EQ(m.transfers[0].written_bytes, 30u);
        EXPECT_EQ(m.transfers[0].event_first, 1u);
        EXPECT_EQ(m.transfers[0].event_last, 3u);
        EXPECT_DOUBLE_EQ(m.transfers[0].time_last_seconds, 2.5);

        ASSERT_EQ(m.requests.size(), 3u);
        const auto& page = m.requests[0];
        EXPECT_EQ(page.status, 200);
        EXPECT_EQ(http_title(page), "caf\u00e9 \U0001F600");
        ASSERT_EQ(m.headers_of(page).size(), 2u);
        EXPECT_EQ(m.headers_of(page)[0].value, "nginx \"x\"");
        EXPECT_TRUE(m.headers_of(page)[1].is_base64);
        EXPECT_FALSE(m.requests[1].has_response);
        EXPECT_EQ(m.requests[1].failure, "eof_error");
        EXPECT_EQ(http_body(m.requests[2], 100), "hello");
        EXPECT_EQ(http_body(m.requests[2], 3), "hel");

        EXPECT_TRUE(m.control.is_present);
        EXPECT_THAT(m.control.dns_addresses, ElementsAre("192.0.2.7", "192.0.2.8"));
        ASSERT_EQ(m.control.connects.size(), 1u);
        EXPECT_EQ(m.control.connects[0].success, Tristate::yes);
        ASSERT_EQ(m.control.handshakes.size(), 1u);
        EXPECT_EQ(m.control.handshakes[0].failure, "ssl_unknown_authority");
        EXPECT_EQ(m.control.body_bytes, 1533);
        EXPECT_EQ(m.control.addresses[0].asn, 64501u);

        EXPECT_EQ(m.blocking(), "dns");
        EXPECT_EQ(m.flag("accessible"), Tristate::no);
        EXPECT_DOUBLE_EQ(m.number("body_proportion", -1), 0.25);
        EXPECT_DOUBLE_EQ(m.number("x_blocking_flags", -1), 33);
        ASSERT_NE(m.key("control_failure"), nullptr);
        EXPECT_EQ(m.key("control_failure")->kind, TestKey::Kind::null);
        EXPECT_TRUE(m.has_unknown_failure);
        EXPECT_EQ(m.key("no such key"), nullptr);
    });
    EXPECT_EQ(seen, 1u);
    EXPECT_EQ(result.report.tally.kept(), 1u);
    EXPECT_EQ(result.report.format, "ooni");
    EXPECT_EQ(result.report.sha256, sha256_hex(blocked_line() + "\n"));
    EXPECT_EQ(result.report.time_first_us, *parse_time_us("2024-01-01 02:03:04"));
}

TEST(Ooni, ASiteHasOneNameHoweverItIsWritten) {
    for (const char* input : {"https://news.example/", "http://NEWS.example./a", "https://news.example:8443"}) {
        std::string domain;
        read(blocked_line(input) + "\n", [&](const Measurement& m) { domain = m.domain; });
        EXPECT_EQ(domain, "news.example") << input;
    }
}

TEST(Ooni, WhatIsNoMeasurementIsCountedWithItsLine) {
    const auto good = blocked_line();
    auto cut = good.substr(0, good.size() / 2);
    const auto bytes = good + "\n\n" + cut + "\n[1]\n{\"report_id\":\"x\"}\n\"text\"\n" + good + "\n{\"test_name\":\"a\xFF\"}\n" + good;
    std::vector<std::uint64_t> rows;
    const auto result = read(bytes, [&](const Measurement& m) { rows.push_back(m.where.row); });
    EXPECT_THAT(rows, ElementsAre(1u, 7u, 9u));
    const auto& tally = result.report.tally;
    EXPECT_EQ(tally.kept(), 3u);
    EXPECT_EQ(tally.skipped(), 5u);
    EXPECT_EQ(tally.skips().at("line is no JSON").count, 2u);
    EXPECT_THAT(tally.skips().at("line is no JSON").examples.at(0), HasSubstr("m.jsonl:3"));
    EXPECT_EQ(tally.skips().at("line is no JSON object").count, 2u);
    EXPECT_EQ(tally.skips().at("no measurement: there is no test_name").count, 1u);
}

TEST(Ooni, LinesThatAreTooLongAreSkippedAndTheNextOneIsFound) {
    const auto good = blocked_line();
    const auto bytes = good + "\n{\"test_name\":\"" + std::string(20'000, 'x') + "\"}\n" + good + "\n";
    EvidenceLimits limits;
    limits.record_bytes_max = 8'000;
    limits.read_bytes = 4'096;
    for (const std::size_t piece : {std::size_t{100}, SIZE_MAX}) {
        const auto result = read(bytes, [](const Measurement& m) { EXPECT_NE(m.where.row, 2u); }, piece, limits);
        EXPECT_EQ(result.report.tally.kept(), 2u);
        EXPECT_EQ(result.report.tally.skips().at("line too long").count, 1u);
    }
}

TEST(Ooni, NothingDependsOnThePiecesInWhichTheFileComes) {
    std::string bytes;
    for (int i = 0; i < 20; ++i) bytes += blocked_line("http://site" + std::to_string(i) + ".example/" + std::string(i * 37, 'y')) + (i % 3 ? "\n" : "\r\n");
    const auto show = [&](std::size_t piece, std::size_t window) {
        std::string seen;
        EvidenceLimits limits;
        limits.read_bytes = window;
        read(bytes, [&](const Measurement& m) {
            seen += std::to_string(m.where.row) + std::string(m.input) + std::string(m.domain) + std::string(m.requests.at(0).url) + http_body(m.requests[0], 99);
            for (const auto& header : m.headers) seen += std::string(header.name) + std::string(header.value);
        }, piece, limits);
        return seen;
    };
    const auto whole = show(SIZE_MAX, 512u << 10);
    EXPECT_THAT(whole, HasSubstr("site19"));
    for (const std::size_t piece : {1, 7, 100, 4096, 5000})
        for (const std::size_t window : {64, 5000, 40'000}) EXPECT_EQ(show(piece, window), whole) << piece << " " << window;
}

TEST(Ooni, OneMeasurementMayFillAFile) {
    const auto pretty = json::parse(blocked_line()).dump(2);
    std::size_t seen = 0;
    const auto result = read("\xEF\xBB\xBF" + pretty, [&](const Measurement& m) {
        ++seen;
        EXPECT_EQ(m.where.row, 1u);
        EXPECT_EQ(m.queries.size(), 2u);
    });
    EXPECT_EQ(seen, 1u);
    EXPECT_EQ(result.report.tally.kept(), 1u);
    EXPECT_THROW(read(pretty.substr(0, pretty.size() - 9)), Error);
}

TEST(Ooni, HandedInMeasurementsAreUnwrapped) {
    const auto wrapped = "{\"format\": \"json\", \"content\": " + blocked_line() + "}";
    std::size_t seen = 0;
    read(wrapped, [&](const Measurement& m) {
        ++seen;
        EXPECT_EQ(m.country, "IT");
        EXPECT_EQ(m.queries.size(), 2u);
    });
    EXPECT_EQ(seen, 1u);
}

TEST(Ooni, PackedFilesAreRead) {
    const auto path = (std::filesystem::temp_directory_path() / "unveil_ooni_test.jsonl.gz").string();
    const auto file = gzopen(path.c_str(), "wb");
    const auto bytes = blocked_line() + "\n" + blocked_line() + "\n";
    gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
    gzclose(file);
    EXPECT_TRUE(is_measurements_file(path));
    const auto source = open_measurements(path, 0);
    MeasurementBatch batch;
    std::size_t count = 0;
    while (source->next(batch)) count += batch.size;
    EXPECT_EQ(count, 2u);
    EXPECT_EQ(source->report().compression, "gzip");
    EXPECT_EQ(source->report().sha256, sha256_hex_of_file(path));
    std::filesystem::remove(path);
}

TEST(Ooni, ListsLongerThanCanBeHeldAreCutAndNoted) {
    auto line = json::parse(blocked_line());
    for (int i = 0; i < 100; ++i) line["test_keys"]["tcp_connect"].push_back({{"ip", "192.0.2.1"}, {"port", i}});
    EvidenceLimits limits;
    limits.list_items_max = 50;
    const auto result = read(line.dump(), [](const Measurement& m) {
        EXPECT_LE(m.keys.size() + m.queries.size() + m.duplicate_answers.size() + m.answers.size() + m.connects.size() + m.handshakes.size() +
                      m.requests.size() + m.headers.size(), 50u);
    }, SIZE_MAX, limits);
    EXPECT_EQ(result.report.tally.notes().at("lists longer than can be held were cut"), 1u);
}

TEST(Ooni, OtherFilesAreRefusedAndPostsSayWhatToDo) {
    EXPECT_FALSE(is_measurements("{\"id\":\"1\",\"text\":\"a post\"}"));
    EXPECT_FALSE(is_measurements("account,time\n"));
    EXPECT_FALSE(is_measurements(""));
    EXPECT_TRUE(is_measurements(blocked_line()));
    EXPECT_THROW(read("{\"id\":\"1\"}"), Error);
    EXPECT_THROW(read(""), Error);
    try {
        open_posts_from(memory_input(blocked_line()), "m.jsonl", {}, 0, EvidenceLimits{});
        FAIL() << "measurements were taken for posts";
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), HasSubstr("OONI measurements"));
        EXPECT_THAT(error.hint(), HasSubstr("unveil interference"));
    }
}

TEST(Ooni, UnescapingStandsAnyText) {
    const auto plain = [](std::string_view escaped, std::size_t max = 100) {
        std::string out;
        append_unescaped_json(escaped, max, out);
        return out;
    };
    EXPECT_EQ(plain(R"(a\n\"\\\/A\u00e9)"), "a\n\"\\/A\u00e9");
    EXPECT_EQ(plain(R"(\ud83d\ude00)"), "\U0001F600");
    EXPECT_EQ(plain(R"(\ud83d x)"), "\uFFFD x");
    EXPECT_EQ(plain(R"(\ud83d\u0041)"), "\uFFFDA");
    EXPECT_EQ(plain(R"(\uZZZZ)"), "\uFFFDZZZZ");
    EXPECT_EQ(plain("\\"), "\uFFFD");
    EXPECT_EQ(plain("abcdef", 3), "abc");
    std::string out;
    EXPECT_TRUE(append_base64("aGVsbG8", 100, out));
    EXPECT_EQ(out, "hello");
    EXPECT_FALSE(append_base64("aGV*", 100, out));
    EXPECT_FALSE(append_base64("aGVsb", 100, out));
    for (const auto& [url, host] : std::vector<std::pair<std::string, std::string>>{
             {"https://a.example:8443/x?y", "a.example"}, {"http://u:p@b.example", "b.example"}, {"https://[2001:db8::1]:443/", "2001:db8::1"},
             {"c.example:80", "c.example"}, {"2001:db8::2", "2001:db8::2"}, {"https://[", ""}, {"", ""}, {"dot://dns.example/", "dns.example"}})
        EXPECT_EQ(host_of_url(url), host) << url;
}

TEST(Ooni, HeadersAndRequestLinesThatCameBackChangedAreCounted) {
    json line = {{"test_name", "http_header_field_manipulation"}, {"probe_cc", "IT"}, {"probe_asn", "AS1"}, {"measurement_start_time", "2024-01-01 00:00:00"}};
    const auto echo_of = [&](const json& requests) {
        line["test_keys"] = {{"requests", requests}};
        std::pair<Measurement::Echo, std::uint32_t> out;
        read(line.dump(), [&](const Measurement& m) { out = {m.echo, m.headers_changed}; });
        return out;
    };
    const auto request = [](const json& body) {
        return json::array({{{"request", {{"headers", {{"aCCept", "x"}, {"Connection", "close"}}}}}, {"response", {{"body", body}}}}});
    };
    using Echo = Measurement::Echo;
    EXPECT_EQ(echo_of(request(R"({"headers_dict": {"aCCept": ["x"]}})")), std::pair(Echo::same, 0u));
    EXPECT_EQ(echo_of(request(R"({"headers_dict": {"Accept": ["x"]}})")), std::pair(Echo::changed, 2u));
    EXPECT_EQ(echo_of(request("<html>")).first, Echo::malformed);
    EXPECT_EQ(echo_of(request(nullptr)).first, Echo::no_body);
    EXPECT_EQ(echo_of(json::array()).first, Echo::none);

    line["test_name"] = "http_invalid_request_line";
    line["test_keys"] = {{"sent", {"A / HTTP", "B"}}, {"received", {"A / HTTP", "<html>", "C"}}};
    read(line.dump(), [](const Measurement& m) {
        EXPECT_EQ(m.lines_sent, 2u);
        EXPECT_EQ(m.lines_received, 3u);
        EXPECT_EQ(m.lines_changed, 1u);
    });
}

// ---- the public samples, compared with a reader that holds the whole tree

std::string interference_data() { return std::string(UNVEIL_SHARED_DIR) + "/data/interference/"; }

std::vector<std::filesystem::path> sample_files() {
    std::vector<std::filesystem::path> out;
    for (const char* folder : {"ooni-data", "ooni-fastpath", "ooni-probe-cli"}) {
        if (!std::filesystem::exists(interference_data() + folder)) continue;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(interference_data() + folder)) {
            const auto name = entry.path().filename().string();
            if (!entry.is_regular_file() || entry.path().extension() != ".json") continue;
            if (name.starts_with("observations") || name.starts_with("analysis") || name.starts_with("fingerprints") ||
                name.starts_with("detector") || name == "expected_scores.json")
                continue;
            out.push_back(entry.path());
        }
    }
    std::sort(out.begin(), out.end());
    return out;
}

std::string text_of(const json& object, const char* key) {
    return object.is_object() && object.contains(key) && object[key].is_string() ? object[key].get<std::string>() : std::string();
}

json list_of(const json& object, const char* key) {
    return object.is_object() && object.contains(key) && object[key].is_array() ? object[key] : json::array();
}

void compare(const Measurement& m, const json& document) {
    EXPECT_EQ(m.test_name, text_of(document, "test_name"));
    EXPECT_EQ(m.report_id, text_of(document, "report_id"));
    EXPECT_EQ(m.country, text_of(document, "probe_cc"));
    EXPECT_EQ(m.input, text_of(document, "input"));
    if (m.asn) EXPECT_EQ("AS" + std::to_string(m.asn), text_of(document, "probe_asn"));
    EXPECT_EQ(m.start_us, parse_time_us(text_of(document, "measurement_start_time")).value_or(0));
    const json keys = document.contains("test_keys") ? document["test_keys"] : json();
    ASSERT_EQ(m.has_test_keys, keys.is_object());
    const auto queries = list_of(keys, "queries");
    ASSERT_EQ(m.queries.size(), queries.size());
    for (std::size_t i = 0; i < queries.size(); ++i) {
        EXPECT_EQ(m.queries[i].hostname, text_of(queries[i], "hostname"));
        EXPECT_EQ(m.queries[i].failure, text_of(queries[i], "failure"));
        const auto answers = list_of(queries[i], "answers");
        ASSERT_EQ(m.answers_of(m.queries[i]).size(), answers.size());
        for (std::size_t k = 0; k < answers.size(); ++k)
            EXPECT_EQ(m.answers_of(m.queries[i])[k].address, text_of(answers[k], "ipv4") + text_of(answers[k], "ipv6"));
    }
    const auto handshakes = list_of(keys, "tls_handshakes");
    ASSERT_EQ(m.handshakes.size(), handshakes.size());
    for (std::size_t i = 0; i < handshakes.size(); ++i) {
        EXPECT_EQ(m.handshakes[i].failure, text_of(handshakes[i], "failure"));
        EXPECT_EQ(m.handshakes[i].certificates, list_of(handshakes[i], "peer_certificates").size());
    }
    const auto connects = list_of(keys, "tcp_connect");
    ASSERT_EQ(m.connects.size(), connects.size());
    for (std::size_t i = 0; i < connects.size(); ++i) EXPECT_EQ(m.connects[i].address, text_of(connects[i], "ip"));
    const auto requests = list_of(keys, "requests");
    ASSERT_EQ(m.requests.size(), requests.size());
    for (std::size_t i = 0; i < requests.size(); ++i) {
        EXPECT_EQ(m.requests[i].failure, text_of(requests[i], "failure"));
        EXPECT_EQ(m.requests[i].url, text_of(requests[i]["request"], "url"));
        const json response = requests[i].contains("response") ? requests[i]["response"] : json();
        if (!response.is_object()) continue;
        EXPECT_EQ(m.requests[i].status, response.value("code", json(0)).is_number() ? response.value("code", 0) : 0);
        if (response.contains("body") && response["body"].is_string()) EXPECT_EQ(http_body(m.requests[i], SIZE_MAX / 2), response["body"].get<std::string>());
        if (response.contains("headers") && response["headers"].is_object()) {
            const auto headers = m.headers_of(m.requests[i]);
            ASSERT_EQ(headers.size(), response["headers"].size());
            for (const auto& header : headers)
                if (!header.is_base64) EXPECT_EQ(header.value, text_of(response["headers"], std::string(header.name).c_str()));
        }
    }
    std::size_t plain = 0;
    if (keys.is_object())
        for (const auto& [name, value] : keys.items()) {
            if (value.is_structured() || name == "tor_log") continue;
            ++plain;
            const auto* key = m.key(name);
            if (name == "queries" || name == "requests" || name == "tcp_connect" || name == "tls_handshakes" || name == "network_events" ||
                name == "control" || name == "x_dns_duplicate_responses" || name == "targets" || name == "lookups" || name == "tor_logs") {
                --plain;
                continue;
            }
            ASSERT_NE(key, nullptr) << name;
            if (value.is_string()) EXPECT_EQ(key->value, value.get<std::string>());
            if (value.is_number()) EXPECT_DOUBLE_EQ(m.number(name, -77), value.get<double>());
            if (value.is_boolean()) EXPECT_EQ(m.flag(name), value.get<bool>() ? Tristate::yes : Tristate::no);
        }
    EXPECT_EQ(m.keys.size(), plain);
    const json control = keys.is_object() && keys.contains("control") ? keys["control"] : json();
    if (control.is_object() && control.contains("dns")) EXPECT_EQ(m.control.dns_addresses.size(), list_of(control["dns"], "addrs").size());
    if (control.is_object() && control.contains("tcp_connect") && control["tcp_connect"].is_object())
        EXPECT_EQ(m.control.connects.size(), control["tcp_connect"].size());
}

TEST(OoniSamples, AgreeWithASlowReaderAsDocumentsAndAsLines) {
    const auto files = sample_files();
    if (files.empty()) GTEST_SKIP() << interference_data() << " is not here";
    std::string lines;
    std::vector<json> documents;
    for (const auto& path : files) {
        SCOPED_TRACE(path.string());
        std::ifstream in(path, std::ios::binary);
        const std::string bytes((std::istreambuf_iterator<char>(in)), {});
        const auto document = json::parse(bytes);
        lines += document.dump() + "\n";
        documents.push_back(document);
        EXPECT_TRUE(is_measurements_file(path.string()));
        std::size_t seen = 0;
        const auto result = read(bytes, [&](const Measurement& m) {
            ++seen;
            compare(m, document);
        });
        EXPECT_EQ(seen, 1u);
        EXPECT_EQ(result.report.tally.skipped(), 0u);
    }
    EXPECT_GE(documents.size(), 120u);
    std::size_t place = 0;
    read(lines, [&](const Measurement& m) {
        SCOPED_TRACE(files.at(place).string());
        compare(m, documents.at(place++));
    });
    EXPECT_EQ(place, documents.size());
}

}  // namespace
}  // namespace unveil
