// Goal: the two published scorers answer as published, and our own answers what OONI's own emulator planted, also where the published ones are known
// to be wrong. Method: the assertions of OONI's unit tests and the ranges of its pipeline's tests, read from the public samples (skipped where they
// are absent); each known error is a test on the sample that shows it; what no sample shows is made by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "evidence/ooni.hpp"
#include "instruments/interference/ooni_scorers.hpp"

namespace unveil::interference {
namespace {

using nlohmann::json;
using ::testing::Contains;
using ::testing::ElementsAre;

std::string data_folder() { return std::string(UNVEIL_SHARED_DIR) + "/data/interference/"; }
std::string fastpath_file(const std::string& name) { return data_folder() + "ooni-fastpath/fastpath/fastpath/tests/data/" + name; }
std::string qa_file(const std::string& name) { return data_folder() + "ooni-data/oonipipeline/tests/data/wc05_qa/" + name + ".json"; }

#define SKIP_WITHOUT(path) \
    if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not here"

json read_json(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return json::parse(in);
}

/// The measurement of a document, alive as long as this.
class Loaded {
  public:
    explicit Loaded(const json& document) : m_source(open_measurements_from(memory_input(document.dump()), "m.json", 0, EvidenceLimits{})) {
        if (!m_source->next(m_batch)) throw std::runtime_error("no measurement");
    }
    const Measurement& operator*() const { return m_batch.rows.front(); }
    const Measurement* operator->() const { return &m_batch.rows.front(); }

  private:
    std::unique_ptr<MeasurementSource> m_source;
    MeasurementBatch m_batch;
};

Fingerprint fingerprint_of(const json& from) {
    Fingerprint out;
    out.name = from.at("name");
    out.scope = from.at("scope");
    out.location = from.at("location_found");
    out.pattern = from.at("pattern");
    const auto kind = from.at("pattern_type").get<std::string>();
    out.match = kind == "full" ? Fingerprint::Match::full : kind == "prefix" ? Fingerprint::Match::prefix
              : kind == "regexp" ? Fingerprint::Match::regexp : Fingerprint::Match::contains;
    std::stringstream countries(from.at("expected_countries").get<std::string>());
    for (std::string country; std::getline(countries, country, ',');)
        if (!country.empty() && country != "ZZ") out.countries.push_back(country);
    out.confidence = from.value("confidence_no_fp", 0);
    return out;
}

FingerprintSet fastpath_fingerprints() {
    std::vector<Fingerprint> all;
    for (const char* name : {"fingerprints_dns.json", "fingerprints_http.json"})
        for (const auto& one : read_json(fastpath_file(name))) all.push_back(fingerprint_of(one));
    return FingerprintSet(std::move(all));
}

// ---- ooni-fastpath

TEST(OoniFastpath, AnswersEveryAssertionOfItsOwnTests) {
    const auto path = data_folder() + "ooni-fastpath/expected_scores.json";
    SKIP_WITHOUT(path);
    const auto fingerprints = fastpath_fingerprints();
    std::size_t checked = 0;
    for (const auto& assertion : read_json(path)) {
        auto file = assertion.at("file").get<std::string>();
        const auto expected = assertion.at("expected");
        // This test has two files, and the list of assertions names the last one for both.
        if (assertion.at("test") == "test_score_signal_2627" && expected.contains("accuracy")) file = "signal_2627.json";
        SCOPED_TRACE(assertion.dump());
        const auto document = read_json(fastpath_file(file));
        const Loaded measurement(document);
        const auto score = score_fastpath(*measurement, fingerprints);
        ++checked;
        if (assertion.at("op") == "NotEq") {
            EXPECT_FALSE(score.fingerprints.empty());
            continue;
        }
        if (expected.is_array()) {
            ASSERT_EQ(score.fingerprints.size(), expected.size());
            for (std::size_t i = 0; i < expected.size(); ++i) {
                const auto& match = fingerprints.at(score.fingerprints[i]);
                EXPECT_EQ(match.name, expected[i].at("name"));
                EXPECT_EQ(match.pattern, expected[i].at("pattern"));
                EXPECT_EQ(match.scope, expected[i].at("scope"));
            }
            continue;
        }
        EXPECT_DOUBLE_EQ(score.general, expected.at("blocking_general").get<double>());
        EXPECT_DOUBLE_EQ(score.global, expected.at("blocking_global").get<double>());
        EXPECT_DOUBLE_EQ(score.country, expected.at("blocking_country").get<double>());
        EXPECT_DOUBLE_EQ(score.isp, expected.at("blocking_isp").get<double>());
        EXPECT_DOUBLE_EQ(score.local, expected.at("blocking_local").get<double>());
        EXPECT_EQ(score.accuracy.has_value(), expected.contains("accuracy"));
        if (expected.contains("accuracy")) EXPECT_DOUBLE_EQ(score.accuracy.value_or(-1), expected.at("accuracy").get<double>());
        EXPECT_EQ(score.is_confirmed, expected.value("confirmed", false));
        if (expected.contains("analysis")) {
            EXPECT_EQ(std::string(score.blocking_type), expected.at("analysis").value("blocking_type", ""));
            for (const auto& [name, value] : score.analysis) EXPECT_EQ(value == Tristate::yes, expected.at("analysis").at(std::string(name)).get<bool>()) << name;
        }
        if (expected.contains("fingerprints")) {
            ASSERT_EQ(score.fingerprints.size(), expected.at("fingerprints").size());
            EXPECT_EQ(fingerprints.at(score.fingerprints[0]).name, expected.at("fingerprints")[0].at("name"));
        }
        if (expected.contains("extra") && expected.at("extra").contains("test_runtime"))
            EXPECT_DOUBLE_EQ(measurement->runtime_seconds, expected.at("extra").at("test_runtime").get<double>());
        if (expected.contains("extra") && expected.at("extra").contains("bootstrap_time"))
            EXPECT_DOUBLE_EQ(measurement->number("bootstrap_time", -1), expected.at("extra").at("bootstrap_time").get<double>());
    }
    EXPECT_EQ(checked, 22u);
}

json app(const std::string& name, const json& keys, const std::string& version = "0.2.5", const std::string& start = "2024-01-01 00:00:00") {
    return {{"test_name", name}, {"test_version", version}, {"report_id", "r"}, {"probe_cc", "IT"}, {"probe_asn", "AS137"}, {"resolver_ip", "192.0.2.1"},
            {"measurement_start_time", start}, {"annotations", {{"engine_version", "3.20.0"}}}, {"test_keys", keys}};
}

FastpathScore fastpath_of(const json& document) { return score_fastpath(*Loaded(document), {}); }

TEST(OoniFastpath, ScoresServicesByTheirPublishedFormulas) {
    const auto connect = [](bool success) { return json{{"ip", "192.0.2.1"}, {"port", 443}, {"status", {{"success", success}}}}; };
    const auto request = [](const std::string& url, const json& failure) { return json{{"request", {{"url", url}}}, {"failure", failure}}; };
    EXPECT_DOUBLE_EQ(fastpath_of(app("telegram", {{"telegram_web_status", "ok"}, {"tcp_connect", {connect(true), connect(false)}},
                                                  {"requests", {request("http://192.0.2.1", nullptr), request("https://web.telegram.org/", "eof_error")}}})).general, 0.5);
    EXPECT_DOUBLE_EQ(fastpath_of(app("telegram", {{"telegram_web_status", "blocked"}})).general, 2.0);
    EXPECT_DOUBLE_EQ(fastpath_of(app("telegram", {{"requests", {{{"failure", nullptr}}}}})).accuracy.value_or(1), 0.0);
    EXPECT_DOUBLE_EQ(fastpath_of(app("facebook_messenger", {{"facebook_b_api_reachable", false}, {"facebook_tcp_blocking", true}})).general, 1.0);
    EXPECT_DOUBLE_EQ(fastpath_of(app("tor", {{"targets", {{"a", {{"failure", nullptr}, {"network_events", nullptr}}}, {"b", {{"failure", "eof_error"}, {"network_events", nullptr}}},
                                                          {"c", {{"failure", false}, {"network_events", nullptr}}}}}})).general, 0.5);
    EXPECT_DOUBLE_EQ(fastpath_of(app("http_invalid_request_line", {{"sent", {"a"}}, {"received", {"b"}}})).general, 1.0);
    const json signal = {{"failure", nullptr}, {"failed_operation", nullptr}, {"signal_backend_status", "blocked"}};
    EXPECT_DOUBLE_EQ(fastpath_of(app("signal", signal)).general, 1.0);
    EXPECT_FALSE(fastpath_of(app("signal", signal)).accuracy.has_value());
    EXPECT_TRUE(fastpath_of(app("signal", signal, "0.2.4")).is_failure());
    EXPECT_TRUE(fastpath_of(app("signal", signal, "0.2.3", "2023-11-07 00:00:00")).is_failure());
    EXPECT_FALSE(fastpath_of(app("signal", signal, "0.2.3", "2023-11-06 23:59:59")).is_failure());
    EXPECT_TRUE(fastpath_of(app("signal", signal, "0.2.1", "2022-10-19 00:00:00")).is_failure());
    EXPECT_TRUE(fastpath_of(app("signal", signal, "odd")).is_failure());
    auto old_engine = app("signal", signal, "0.2.3", "2023-05-02 00:00:00");
    old_engine["annotations"]["engine_version"] = "3.17.2-alpha";
    EXPECT_TRUE(fastpath_of(old_engine).is_failure());
    EXPECT_TRUE(fastpath_of(app("no_such_test", json::object())).is_failure());
    auto old = app("dnscheck", json::object());
    old["probe_asn"] = "AS0";
    EXPECT_TRUE(fastpath_of(old).is_discarded);
    auto future = app("openvpn", {{"success", true}});
    EXPECT_FALSE(fastpath_of(future).is_failure());
    future["measurement_uid"] = "20231231220000.123456_IT_openvpn_0011223344556677";
    EXPECT_TRUE(fastpath_of(future).is_failure());
}

// ---- ooni-data-v2

struct Range {
    const char* field;
    double low;
    double high;
};
struct QaCase {
    const char* name;
    std::vector<Range> ranges;
    const char* dns_failure = nullptr;
    const char* tcp_failure = nullptr;
    const char* tls_failure = nullptr;
    const char* analysis = nullptr;
};

/// WC05_QA_CASES of https://github.com/ooni/data, oonipipeline/tests/test_analysis.py, for the samples that are public.
const std::vector<QaCase> qa_cases = {
    {"badSSLWithUnknownAuthorityWithConsistentDNS", {{"tls_ok", 0, 0.1}, {"tls_down", 0.5, 1}}, nullptr, nullptr, "ssl_unknown_authority", nullptr},
    {"badSSLWithUnknownAuthorityWithInconsistentDNS", {{"tls_ok", 0.9, 1}}, nullptr, nullptr, "ssl_unknown_authority", "dns"},
    {"badSSLWithWrongServerName", {{"tls_ok", 0, 0.1}, {"tls_down", 0.5, 1}}, nullptr, nullptr, "ssl_invalid_hostname", nullptr},
    {"cloudflareCAPTCHAWithHTTP", {{"tls_ok", 0.9, 1}}, nullptr, nullptr, nullptr, "http-diff"},
    {"cloudflareCAPTCHAWithHTTPS", {{"tls_ok", 0.9, 1}}, nullptr, nullptr, nullptr, "false"},
    {"controlFailureWithSuccessfulHTTPSWebsite", {{"tls_ok", 0.9, 1}}, nullptr, nullptr, nullptr, "false"},
    {"controlFailureWithSuccessfulHTTPWebsite", {{"tcp_ok", 0.9, 1}}, nullptr, nullptr, nullptr, ""},
    {"dnsBlockingAndroidDNSCacheNoData", {{"tls_ok", 0.9, 1}}, nullptr, nullptr, nullptr, "dns"},
    {"dnsBlockingBOGON", {{"tcp_ok", 0.9, 1}}, nullptr, nullptr, nullptr, "dns"},
    {"dnsHijackingToLocalhostWithHTTP", {{"tcp_ok", 0.9, 1}}, nullptr, nullptr, nullptr, "dns"},
    {"dnsHijackingToLocalhostWithHTTPS", {{"tls_ok", 0.9, 1}}, nullptr, nullptr, nullptr, "dns"},
    {"dnsHijackingToProxyWithHTTPSURL", {{"tls_ok", 0.9, 1}}, nullptr, nullptr, nullptr, "false"},
    {"dnsHijackingToProxyWithHTTPURL", {{"tcp_ok", 0.9, 1}}, nullptr, nullptr, nullptr, "false"},
    {"ghostDNSBlockingWithHTTP", {{"dns_down", 0.5, 1}}, "dns_nxdomain_error", nullptr, nullptr, "dns"},
    {"httpDiffWithConsistentDNS", {}, nullptr, nullptr, nullptr, "http-diff"},
    {"idnaWithoutCensorshipLowercase", {{"tls_ok", 0.9, 1}}, nullptr, nullptr, nullptr, "false"},
    {"idnaWithoutCensorshipWithFirstLetterUppercase", {{"tls_ok", 0.9, 1}}, nullptr, nullptr, nullptr, "false"},
    {"largeFileWithHTTP", {{"tcp_ok", 0.9, 1}}, nullptr, nullptr, nullptr, "false"},
    {"largeFileWithHTTPS", {{"tls_ok", 0.9, 1}}, nullptr, nullptr, nullptr, "false"},
    {"localhostWithHTTP", {{"tcp_blocked", 0, 0.05}, {"tls_blocked", 0, 0.05}}, nullptr, nullptr, nullptr, "false"},
    {"localhostWithHTTPS", {{"tcp_blocked", 0, 0.05}, {"tls_blocked", 0, 0.05}}, nullptr, nullptr, nullptr, "false"},
    {"redirectWithBrokenLocationForHTTP", {}, nullptr, nullptr, nullptr, "http-failure"},
    {"redirectWithBrokenLocationForHTTPS", {}, nullptr, nullptr, nullptr, "http-failure"},
    {"redirectWithConsistentDNSAndThenConnectionRefusedForHTTP", {{"tcp_ok", 0.9, 1}}, nullptr, "connection_refused", nullptr, "http-failure"},
    {"redirectWithConsistentDNSAndThenConnectionRefusedForHTTPS", {{"tcp_ok", 0.9, 1}}, nullptr, "connection_refused", nullptr, "http-failure"},
    {"redirectWithConsistentDNSAndThenConnectionResetForHTTP", {{"tls_ok", 0.9, 1}}, nullptr, nullptr, "connection_reset", "http-failure"},
    {"redirectWithConsistentDNSAndThenConnectionResetForHTTPS", {{"tls_ok", 0.9, 1}}, nullptr, nullptr, "connection_reset", "http-failure"},
    {"redirectWithConsistentDNSAndThenEOFForHTTP", {{"tls_ok", 0.9, 1}}, nullptr, nullptr, "eof_error", "http-failure"},
    {"redirectWithConsistentDNSAndThenEOFForHTTPS", {{"tls_ok", 0.9, 1}}, nullptr, nullptr, "eof_error", "http-failure"},
    {"redirectWithConsistentDNSAndThenNXDOMAIN", {}, "dns_nxdomain_error", nullptr, nullptr, "dns"},
    {"redirectWithConsistentDNSAndThenTimeoutForHTTP", {{"tls_ok", 0.9, 1}}, nullptr, nullptr, "generic_timeout_error", "http-failure"},
    {"redirectWithMoreThanTenRedirectsAndHTTP", {}, nullptr, nullptr, nullptr, "false"},
    {"redirectWithMoreThanTenRedirectsAndHTTPS", {}, nullptr, nullptr, nullptr, "false"},
    {"successWithHTTP", {{"tcp_ok", 0.9, 1}}, nullptr, nullptr, nullptr, "false"},
    {"tcpBlockingConnectTimeout", {{"tcp_blocked", 0.5, 1}, {"tcp_ok", 0, 0.05}}, nullptr, "generic_timeout_error", nullptr, "tcp_ip"},
    {"tcpBlockingConnectionRefusedWithInconsistentDNS", {}, nullptr, "connection_refused", nullptr, "dns"},
    {"throttlingWithHTTP", {}, nullptr, nullptr, nullptr, "http-failure"},
    {"tlsBlockingConnectionResetWithInconsistentDNS", {{"tls_blocked", 0.5, 1}, {"tls_ok", 0, 0.05}}, nullptr, nullptr, "connection_reset", "dns"},
    {"websiteDownNXDOMAIN", {{"dns_down", 0.5, 1}}, "dns_nxdomain_error", nullptr, nullptr, "false"},
    {"websiteDownNoAddrs", {}, nullptr, nullptr, nullptr, "false"},
};

TEST(OoniDataV2, IsWithinTheRangesOfItsOwnTests) {
    SKIP_WITHOUT(qa_file("successWithHTTP"));
    for (const auto& expected : qa_cases) {
        SCOPED_TRACE(expected.name);
        ASSERT_TRUE(std::filesystem::exists(qa_file(expected.name)));
        const Loaded measurement(read_json(qa_file(expected.name)));
        const auto score = score_data_v2(*measurement, {});
        const std::map<std::string, double> fields = {
            {"dns_blocked", score.dns.highest.blocked}, {"dns_down", score.dns.highest.down}, {"dns_ok", score.dns.highest.ok},
            {"tcp_blocked", score.tcp.highest.blocked}, {"tcp_down", score.tcp.highest.down}, {"tcp_ok", score.tcp.highest.ok},
            {"tls_blocked", score.tls.highest.blocked}, {"tls_down", score.tls.highest.down}, {"tls_ok", score.tls.highest.ok}};
        for (const auto& range : expected.ranges) {
            EXPECT_GE(fields.at(range.field), range.low) << range.field;
            EXPECT_LE(fields.at(range.field), range.high) << range.field;
        }
        if (expected.dns_failure) EXPECT_EQ(score.dns.top_failure, expected.dns_failure);
        if (expected.tcp_failure) EXPECT_EQ(score.tcp.top_failure, expected.tcp_failure);
        if (expected.tls_failure) EXPECT_EQ(score.tls.top_failure, expected.tls_failure);
        if (expected.analysis) EXPECT_EQ(score.probe_analysis, expected.analysis);
    }
}

TEST(OoniDataV2, NamesTheRuleThatDecided) {
    SKIP_WITHOUT(qa_file("successWithHTTP"));
    const auto rules = [](const char* name) {
        const Loaded measurement(read_json(qa_file(name)));
        const auto score = score_data_v2(*measurement, {});
        return std::string(score.dns.rule) + " " + std::string(score.tcp.rule) + " " + std::string(score.tls.rule);
    };
    EXPECT_EQ(rules("successWithHTTP"), "tls_consistent_answer connect_ok certificate_valid");
    EXPECT_EQ(rules("tcpBlockingConnectTimeout"), "tls_consistent_answer failure_ctrl_ok no_tls_data");
    EXPECT_EQ(rules("dnsBlockingBOGON"), "bogon_not_in_ctrl connect_ok certificate_valid");
    EXPECT_EQ(rules("badSSLWithWrongServerName"), "answer_matches_ctrl connect_ok failure_ctrl_also_failing");
    EXPECT_EQ(rules("tlsBlockingConnectionResetWithInconsistentDNS"), "tls_consistent_answer connect_ok failure_ctrl_ok_reset");
    EXPECT_FALSE(score_data_v2(*Loaded(app("signal", json::object())), {}).is_scored);
}

// ---- unveil

struct Planted {
    const char* name;
    Standing standing;
    Layer layer;
    const char* rule;
};

/// What the emulator planted, in our words.
const std::vector<Planted> planted = {
    {"badSSLWithUnknownAuthorityWithConsistentDNS", Standing::down, Layer::tls, "tls.fails_in_control_too"},
    {"badSSLWithUnknownAuthorityWithInconsistentDNS", Standing::blocked, Layer::dns, "dns.tls_inconsistent"},
    {"badSSLWithWrongServerName", Standing::down, Layer::tls, "tls.fails_in_control_too"},
    {"cloudflareCAPTCHAWithHTTP", Standing::captcha, Layer::http, "http.captcha"},
    {"cloudflareCAPTCHAWithHTTPS", Standing::captcha, Layer::http, "http.captcha"},
    {"controlFailureWithSuccessfulHTTPSWebsite", Standing::ok, Layer::http, "http.authentic"},
    {"controlFailureWithSuccessfulHTTPWebsite", Standing::insufficient, Layer::http, "http.no_control"},
    {"dnsBlockingAndroidDNSCacheNoData", Standing::blocked, Layer::dns, "dns.system_fails_others_ok"},
    {"dnsBlockingBOGON", Standing::blocked, Layer::dns, "dns.bogon_not_in_control"},
    {"dnsHijackingToLocalhostWithHTTP", Standing::blocked, Layer::dns, "dns.bogon_not_in_control"},
    {"dnsHijackingToLocalhostWithHTTPS", Standing::blocked, Layer::dns, "dns.bogon_not_in_control"},
    {"dnsHijackingToProxyWithHTTPSURL", Standing::rerouted, Layer::dns, "dns.other_address_that_serves_the_site"},
    {"dnsHijackingToProxyWithHTTPURL", Standing::rerouted, Layer::dns, "dns.other_address_that_serves_the_site"},
    {"ghostDNSBlockingWithHTTP", Standing::blocked, Layer::dns, "dns.answer_for_missing_name"},
    {"httpDiffWithConsistentDNS", Standing::blocked, Layer::http, "http.other_page"},
    {"idnaWithoutCensorshipLowercase", Standing::ok, Layer::http, "http.authentic"},
    {"idnaWithoutCensorshipWithFirstLetterUppercase", Standing::ok, Layer::http, "http.authentic"},
    {"largeFileWithHTTP", Standing::ok, Layer::http, "http.same_page"},
    {"largeFileWithHTTPS", Standing::ok, Layer::http, "http.authentic"},
    {"localhostWithHTTP", Standing::down, Layer::dns, "dns.bogon_in_control"},
    {"localhostWithHTTPS", Standing::down, Layer::dns, "dns.bogon_in_control"},
    {"redirectWithBrokenLocationForHTTP", Standing::broken_redirect, Layer::http, "http.broken_redirect"},
    {"redirectWithBrokenLocationForHTTPS", Standing::broken_redirect, Layer::http, "http.broken_redirect"},
    {"redirectWithConsistentDNSAndThenConnectionRefusedForHTTP", Standing::blocked, Layer::tcp, "tcp.hop_fails_control_ok"},
    {"redirectWithConsistentDNSAndThenConnectionRefusedForHTTPS", Standing::blocked, Layer::tcp, "tcp.hop_fails_control_ok"},
    {"redirectWithConsistentDNSAndThenConnectionResetForHTTP", Standing::blocked, Layer::tls, "tls.hop_reset_control_ok"},
    {"redirectWithConsistentDNSAndThenConnectionResetForHTTPS", Standing::blocked, Layer::tls, "tls.hop_reset_control_ok"},
    {"redirectWithConsistentDNSAndThenEOFForHTTP", Standing::blocked, Layer::tls, "tls.hop_closed_control_ok"},
    {"redirectWithConsistentDNSAndThenEOFForHTTPS", Standing::blocked, Layer::tls, "tls.hop_closed_control_ok"},
    {"redirectWithConsistentDNSAndThenNXDOMAIN", Standing::blocked, Layer::dns, "dns.hop_fails_control_ok"},
    {"redirectWithConsistentDNSAndThenTimeoutForHTTP", Standing::blocked, Layer::tls, "tls.hop_timeout_control_ok"},
    {"redirectWithMoreThanTenRedirectsAndHTTP", Standing::broken_redirect, Layer::http, "http.broken_redirect"},
    {"redirectWithMoreThanTenRedirectsAndHTTPS", Standing::broken_redirect, Layer::http, "http.broken_redirect"},
    {"successWithHTTP", Standing::ok, Layer::http, "http.same_page"},
    {"tcpBlockingConnectTimeout", Standing::blocked, Layer::tcp, "tcp.timeout_control_ok"},
    {"tcpBlockingConnectionRefusedWithInconsistentDNS", Standing::blocked, Layer::dns, "dns.unmatched_and_dead"},
    {"throttlingWithHTTP", Standing::blocked, Layer::throttle, "throttle.body_stalls"},
    {"tlsBlockingConnectionResetWithInconsistentDNS", Standing::blocked, Layer::tls, "tls.reset_control_ok"},
    {"websiteDownNXDOMAIN", Standing::down, Layer::dns, "dns.fails_in_control_too"},
    {"websiteDownNoAddrs", Standing::down, Layer::dns, "dns.fails_in_control_too"},
};

void expect_pointers_resolve(const json& document, const UnveilScore& score) {
    for (const auto& verdict : score.of)
        for (const auto& pointer : verdict.pointers) EXPECT_TRUE(document.contains(json::json_pointer(pointer))) << pointer;
}

TEST(OoniUnveil, FindsWhatTheEmulatorPlanted) {
    SKIP_WITHOUT(qa_file("successWithHTTP"));
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(qa_file("x")).parent_path())) files += entry.path().extension() == ".json";
    EXPECT_EQ(files, planted.size());
    for (const auto& expected : planted) {
        SCOPED_TRACE(expected.name);
        const auto document = read_json(qa_file(expected.name));
        const Loaded measurement(document);
        const auto score = score_unveil(*measurement, {});
        EXPECT_EQ(standing_name(score.standing), standing_name(expected.standing));
        EXPECT_EQ(layer_name(score.layer), layer_name(expected.layer));
        EXPECT_EQ(score.rule, expected.rule);
        if (score.standing == Standing::blocked) EXPECT_FALSE(score.layer_of(score.layer).pointers.empty());
        expect_pointers_resolve(document, score);
    }
}
}  // namespace
}  // namespace unveil::interference
