// Goal: the two published scorers answer as published, and our own answers what OONI's own emulator planted, also where the published ones are known
// to be wrong. Method: the assertions of OONI's unit tests and the ranges of its pipeline's tests, read from the public samples (skipped where they
// are absent); each known error is a test on the sample that shows it; what no sample shows is made by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "evidence/blocking_fingerprints.hpp"
#include "evidence/ooni.hpp"
#include "instruments/interference/facts.hpp"
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

/// The fingerprints of a list, and what became of its rows.
std::vector<Fingerprint> fingerprints_in(const std::string& csv, Tally& tally) {
    const auto source = open_blocking_fingerprints_from(memory_input(csv), "list.csv", EvidenceLimits{});
    std::vector<Fingerprint> all;
    std::vector<BlockingFingerprint> batch;
    while (source->next(batch)) all.insert(all.end(), batch.begin(), batch.end());
    tally = source->report().tally;
    return all;
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
    {"badSSLWithUnknownAuthorityWithInconsistentDNS", Standing::blocked, Layer::dns, "dns.resolvers_disagree"},
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

TEST(OoniUnveil, WithoutInterferenceSoManyAreMisreadAsTheFactsSay) {
    SKIP_WITHOUT(qa_file("successWithHTTP"));
    // What the emulator did to these was to the site, to its certificate or to the control, not to the network between.
    const std::vector<std::string> free = {"badSSLWithUnknownAuthorityWithConsistentDNS", "badSSLWithWrongServerName", "cloudflareCAPTCHA", "controlFailure", "idnaWithoutCensorship", "largeFile",
                                           "localhost", "redirectWithBrokenLocation", "redirectWithMoreThanTenRedirects", "success", "websiteDown"};
    std::uint64_t all = 0;
    std::uint64_t misread = 0;
    for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(qa_file("x")).parent_path())) {
        const auto name = entry.path().stem().string();
        if (entry.path().extension() != ".json" || std::none_of(free.begin(), free.end(), [&](const auto& one) { return name.starts_with(one); })) continue;
        ++all;
        const auto score = score_unveil(*Loaded(read_json(entry.path().string())), {});
        misread += std::any_of(score.of.begin(), score.of.end(), [](const auto& verdict) { return verdict.weights.blocked >= blocked_weight_min; });
    }
    const auto& rates = built_in_facts().base_rates;
    const auto fact = std::find_if(rates.begin(), rates.end(), [](const auto& rate) { return rate.name == "measurement_misread"; });
    ASSERT_NE(fact, rates.end());
    EXPECT_EQ(fact->trials, all);
    EXPECT_EQ(fact->hits, misread);
}

UnveilScore unveil_of(const json& document, const FingerprintSet& fingerprints = {}) {
    const Loaded measurement(document);
    auto score = score_unveil(*measurement, fingerprints);
    expect_pointers_resolve(document, score);
    return score;
}

/// A page over TLS that everybody gets; tests spoil parts of it.
json fine_page(const std::string& url = "https://site.example/") {
    const std::string host(host_of_url(url));
    auto document = app("web_connectivity", json::parse(R"({
        "queries": [{"hostname": "HOST", "query_type": "A", "engine": "getaddrinfo", "failure": null, "answers": [{"answer_type": "A", "ipv4": "198.51.99.7", "asn": 64500}]}],
        "tcp_connect": [{"ip": "198.51.99.7", "port": 443, "status": {"success": true, "failure": null}}],
        "tls_handshakes": [{"address": "198.51.99.7:443", "server_name": "HOST", "failure": null, "no_tls_verify": false}],
        "requests": [{"failure": null, "request": {"url": "URL"}, "response": {"code": 200, "body": "<title>Hi</title>", "headers": {"Server": "nginx"}}}],
        "control": {"dns": {"failure": null, "addrs": ["198.51.99.7"]}, "tcp_connect": {"198.51.99.7:443": {"status": true, "failure": null}},
                    "tls_handshake": {"198.51.99.7:443": {"server_name": "HOST", "status": true, "failure": null}},
                    "http_request": {"failure": null, "status_code": 200, "title": "Hi", "body_length": 1000},
                    "ip_info": {"198.51.99.7": {"asn": 64500, "flags": 10}}},
        "control_failure": null, "body_length_match": true, "title_match": true, "status_code_match": true, "headers_match": true, "blocking": false, "accessible": true
    })"));
    document["input"] = url;
    auto& keys = document["test_keys"];
    keys["queries"][0]["hostname"] = keys["tls_handshakes"][0]["server_name"] = host;
    keys["requests"][0]["request"]["url"] = url;
    return document;
}

TEST(OoniUnveil, WhereThePublishedScorersErrOursDoesNot) {
    SKIP_WITHOUT(qa_file("successWithHTTP"));
    // name, what the probe and with it the fast path say, what stands there really
    const std::vector<std::tuple<const char*, const char*, Standing, Layer>> errors = {
        {"throttlingWithHTTP", "http-failure", Standing::blocked, Layer::throttle},
        {"dnsHijackingToProxyWithHTTPURL", "false", Standing::rerouted, Layer::dns},
        {"dnsHijackingToProxyWithHTTPSURL", "false", Standing::rerouted, Layer::dns},
        {"cloudflareCAPTCHAWithHTTP", "http-diff", Standing::captcha, Layer::http},
        {"redirectWithBrokenLocationForHTTP", "http-failure", Standing::broken_redirect, Layer::http},
        {"redirectWithBrokenLocationForHTTPS", "http-failure", Standing::broken_redirect, Layer::http},
        {"redirectWithConsistentDNSAndThenConnectionRefusedForHTTPS", "http-failure", Standing::blocked, Layer::tcp},
        {"redirectWithConsistentDNSAndThenConnectionResetForHTTPS", "http-failure", Standing::blocked, Layer::tls},
        {"tlsBlockingConnectionResetWithInconsistentDNS", "dns", Standing::blocked, Layer::tls},
    };
    for (const auto& [name, published, standing, layer] : errors) {
        SCOPED_TRACE(name);
        const auto document = read_json(qa_file(name));
        EXPECT_EQ(score_fastpath(*Loaded(document), {}).is_anomaly(), std::string(published) != "false");
        EXPECT_EQ(Loaded(document)->blocking(), published);
        const auto score = unveil_of(document);
        EXPECT_EQ(standing_name(score.standing), standing_name(standing));
        EXPECT_EQ(layer_name(score.layer), layer_name(layer));
    }
    // The same stall over TLS, which the public samples lack.
    auto stall = fine_page();
    stall["test_keys"]["requests"][0]["failure"] = "generic_timeout_error";
    stall["test_keys"]["network_events"] = {{{"operation", "read"}, {"num_bytes", 9000}, {"t", 3.5}, {"transaction_id", 5}}};
    stall["test_keys"]["requests"][0]["transaction_id"] = stall["test_keys"]["tls_handshakes"][0]["transaction_id"] = 5;
    const auto score = unveil_of(stall);
    EXPECT_EQ(score.rule, "throttle.body_stalls");
    EXPECT_THAT(score.layer_of(Layer::throttle).pointers, ElementsAre("/test_keys/requests/0", "/test_keys/network_events/0"));
    EXPECT_EQ(unveil_of(fine_page()).standing, Standing::ok);
}

TEST(OoniUnveil, AProbeWithoutIpv6BlocksNothing) {
    auto document = fine_page();
    auto& keys = document["test_keys"];
    keys["tcp_connect"].push_back({{"ip", "2600:1f18::7"}, {"port", 443}, {"status", {{"success", false}, {"failure", "generic_timeout_error"}}}});
    keys["control"]["tcp_connect"]["[2600:1f18::7]:443"] = {{"status", true}, {"failure", nullptr}};
    keys["control"]["dns"]["addrs"].push_back("2600:1f18::7");
    keys["requests"] = json::array();
    const auto score = unveil_of(document);
    EXPECT_EQ(score.layer_of(Layer::tcp).rule, "tcp.connected");
    EXPECT_NE(score.standing, Standing::blocked);
    // Alone, without any of version 4 to compare with, it counts.
    keys["tcp_connect"].erase(0);
    keys["tls_handshakes"] = json::array();
    EXPECT_EQ(unveil_of(document).rule, "tcp.timeout_control_ok");
}

TEST(OoniUnveil, ACertificateThatIsBadForTheControlTooIsNoSignOfAnotherHost) {
    auto document = fine_page();
    auto& keys = document["test_keys"];
    // Where the probe is, a content network gives another address.
    keys["queries"][0]["answers"] = {{{"answer_type", "A"}, {"ipv4", "23.5.98.9"}, {"asn", 65500}}};
    keys["tcp_connect"] = {{{"ip", "23.5.98.9"}, {"port", 443}, {"status", {{"success", true}, {"failure", nullptr}}}}};
    keys["tls_handshakes"][0]["address"] = "23.5.98.9:443";
    keys["tls_handshakes"][0]["failure"] = "ssl_invalid_certificate";
    keys["requests"] = json::array();
    EXPECT_EQ(unveil_of(document).rule, "dns.tls_inconsistent");
    auto& control = keys["control"];
    const auto by_handshake = control["tls_handshake"].begin().key();
    control["tls_handshake"][by_handshake] = {{"status", false}, {"failure", "ssl_invalid_certificate"}};
    EXPECT_NE(unveil_of(document).standing, Standing::blocked);
    control["tls_handshake"][by_handshake] = {{"status", true}, {"failure", nullptr}};
    // Early controls tell the page alone.
    control["http_request"] = {{"failure", "ssl_invalid_certificate"}};
    EXPECT_NE(unveil_of(document).standing, Standing::blocked);
}

TEST(OoniUnveil, WhatAnEncryptedQuestionBringsTooIsNotMadeOnTheWay) {
    for (const bool has_address : {true, false}) {
        auto document = fine_page();
        auto& keys = document["test_keys"];
        keys["tcp_connect"] = keys["tls_handshakes"] = keys["requests"] = json::array();
        auto& system = keys["queries"][0];
        if (has_address) system["answers"] = {{{"answer_type", "A"}, {"ipv4", "127.0.0.1"}}};
        else system["answers"] = nullptr, system["failure"] = "dns_nxdomain_error";
        EXPECT_EQ(unveil_of(document).rule, has_address ? "dns.bogon_not_in_control" : "dns.nxdomain_control_ok");
        auto encrypted = system;
        encrypted["engine"] = "doh";
        keys["queries"].push_back(encrypted);
        const auto score = unveil_of(document);
        EXPECT_EQ(score.layer_of(Layer::dns).rule, "dns.encrypted_says_the_same");
        EXPECT_EQ(score.standing, Standing::insufficient);
        // One that fails, and one that brings the site's address, clear nothing.
        auto& other = keys["queries"][1];
        other["failure"] = "generic_timeout_error", other["answers"] = nullptr;
        EXPECT_EQ(unveil_of(document).standing, Standing::blocked);
        other["failure"] = nullptr, other["answers"] = {{{"answer_type", "A"}, {"ipv4", keys["control"]["dns"]["addrs"][0]}}};
        EXPECT_EQ(unveil_of(document).standing, Standing::blocked);
    }
}

TEST(OoniUnveil, ASiteThatAnswersFromOneOfItsAddressesIsNotCutOff) {
    auto document = fine_page();
    auto& keys = document["test_keys"];
    const auto first = keys["tcp_connect"][0];
    auto second = first;
    second["ip"] = "198.51.99.8";
    second["status"] = {{"success", false}, {"failure", "generic_timeout_error"}};
    keys["tcp_connect"].push_back(second);
    keys["control"]["dns"]["addrs"].push_back("198.51.99.8");
    keys["control"]["tcp_connect"]["198.51.99.8:" + std::to_string(second["port"].get<int>())] = {{"status", true}, {"failure", nullptr}};
    auto& request = keys["requests"][0];
    request["response"] = {{"code", 403}, {"body", "<title>Just a moment...</title>"}, {"headers", {{"cf-mitigated", "challenge"}}}};
    EXPECT_EQ(unveil_of(document).standing, Standing::captcha);
    EXPECT_EQ(unveil_of(document).layer_of(Layer::tcp).rule, "tcp.connected");
    // Where nothing was answered it may be why.
    request["failure"] = "connection_reset", request["response"] = json::object();
    EXPECT_EQ(unveil_of(document).layer_of(Layer::tcp).rule, "tcp.timeout_control_ok");
}

TEST(OoniUnveil, AGeoBlockIsTheServersOwn) {
    auto document = fine_page();
    auto& keys = document["test_keys"];
    keys["requests"][0]["response"]["code"] = 451;
    EXPECT_EQ(unveil_of(document).standing, Standing::geo_block);
    keys["requests"][0]["response"]["code"] = 403;
    EXPECT_EQ(unveil_of(document).standing, Standing::geo_block);
    // A content network that refuses by the site's order, and one that wants to see a person.
    auto& response = keys["requests"][0]["response"];
    response["headers"]["CF-RAY"] = "123-FRA";
    response["body"] = "<title>Access denied | site.example used Cloudflare to restrict access</title>";
    EXPECT_EQ(unveil_of(document).standing, Standing::geo_block);
    response["body"] = "<title>Attention Required! | Cloudflare</title>";
    EXPECT_EQ(unveil_of(document).standing, Standing::captcha);
    response["code"] = 451;
    EXPECT_EQ(unveil_of(document).standing, Standing::geo_block);
    response["code"] = 403;
    response["body"] = "<title>Access Denied</title>";
    response["headers"] = {{"Server", "AkamaiGHost"}};
    EXPECT_EQ(unveil_of(document).standing, Standing::geo_block);
    response["headers"] = {{"cf-mitigated", "challenge"}};
    EXPECT_EQ(unveil_of(document).standing, Standing::captcha);
    // Over a connection that anybody may write into it is not known whose it is.
    auto plain = fine_page("http://site.example/");
    plain["test_keys"]["requests"][0]["response"]["code"] = 451;
    plain["test_keys"]["body_length_match"] = plain["test_keys"]["title_match"] = plain["test_keys"]["status_code_match"] = false;
    EXPECT_EQ(unveil_of(plain).standing, Standing::insufficient);
}

TEST(OoniUnveil, ASecondAnswerFromElsewhereIsInjection) {
    auto document = fine_page();
    auto& keys = document["test_keys"];
    const auto answer = [](const char* ip) { return json::array({{{"answer_type", "A"}, {"ipv4", ip}}}); };
    keys["queries"][0]["answers"] = answer("8.7.198.45");
    keys["queries"].push_back({{"hostname", "site.example"}, {"query_type", "A"}, {"engine", "udp"}, {"resolver_address", "1.1.1.1:53"}, {"failure", nullptr},
                               {"answers", answer("8.7.198.45")}, {"transaction_id", 9}});
    keys["x_dns_duplicate_responses"] = {{{"hostname", "site.example"}, {"query_type", "A"}, {"engine", "udp"}, {"resolver_address", "1.1.1.1:53"}, {"failure", nullptr},
                                          {"answers", answer("198.51.99.7")}, {"transaction_id", 9}}};
    keys["tcp_connect"] = keys["tls_handshakes"] = keys["requests"] = json::array();
    const auto score = unveil_of(document);
    EXPECT_EQ(score.rule, "dns.racing_answers");
    EXPECT_THAT(score.layer_of(Layer::dns).pointers, ElementsAre("/test_keys/queries/1", "/test_keys/x_dns_duplicate_responses/0"));
    // The same answer twice is a network that repeats itself.
    keys["x_dns_duplicate_responses"][0]["answers"] = answer("8.7.198.45");
    EXPECT_NE(unveil_of(document).layer_of(Layer::dns).rule, "dns.racing_answers");
}

TEST(OoniUnveil, AnswersThatCompletedAHandshakeAreRight) {
    auto document = fine_page();
    auto& keys = document["test_keys"];
    keys["queries"][0]["answers"][0] = {{"answer_type", "A"}, {"ipv4", "203.0.114.9"}, {"asn", 64999}};
    keys["tcp_connect"][0]["ip"] = "203.0.114.9";
    keys["tls_handshakes"][0]["address"] = "203.0.114.9:443";
    const auto score = unveil_of(document);
    EXPECT_TRUE(score.is_answer_tls_consistent);
    EXPECT_EQ(score.layer_of(Layer::dns).rule, "dns.tls_consistent");
    EXPECT_EQ(score.standing, Standing::ok);
    keys["tls_handshakes"][0]["failure"] = "ssl_invalid_hostname";
    keys["requests"] = json::array();
    EXPECT_EQ(unveil_of(document).rule, "dns.tls_inconsistent");
}

TEST(OoniUnveil, FingerprintsConfirmInTheirCountryAndFalseOnesDoNot) {
    const std::string csv =
        "name,scope,other_names,location_found,pattern_type,pattern,confidence_no_fp,expected_countries,source,exp_url,notes\r\n"
        "x.page,nat,,body,contains,\"this site, \"\"as others\"\", is closed\",5,\"IT, GR\",own,,\n"
        "x.server,isp,,header.server,prefix,WireFilter,5,IT,own,,\n"
        "x.fine,fp,,body,contains,parked domain,5,,own,,\n"
        "x.bad,nat,,body,sideways,abcd,5,IT,own,,\n"
        "x.none,nat,,nowhere,full,abcd,5,IT,own,,\n"
        "x.address,nat,,dns,full,10.10.34.36,9,IT,own,,\n";
    Tally tally;
    const auto list = fingerprints_in(csv, tally);
    ASSERT_EQ(list.size(), 4u);
    EXPECT_EQ(tally.kept(), 4u);
    EXPECT_EQ(tally.skipped(), 2u);
    EXPECT_THAT(tally.skips().at("kind of match not known").examples, ElementsAre(::testing::StartsWith("list.csv:5")));
    EXPECT_EQ(list[0].pattern, "this site, \"as others\", is closed");
    EXPECT_THAT(list[0].countries, ElementsAre("IT", "GR"));
    const FingerprintSet set(list);

    auto document = fine_page("http://site.example/");
    auto& response = document["test_keys"]["requests"][0]["response"];
    response["body"] = "<html>this site, \"as others\", is closed</html>";
    EXPECT_EQ(unveil_of(document, set).rule, "http.fingerprint");
    EXPECT_TRUE(score_fastpath(*Loaded(document), set).is_confirmed);
    auto elsewhere = document;
    elsewhere["probe_cc"] = "FR";
    EXPECT_NE(unveil_of(elsewhere, set).rule, "http.fingerprint");
    EXPECT_TRUE(score_fastpath(*Loaded(elsewhere), set).is_confirmed) << "the fast path takes a national page anywhere";
    // https://github.com/ooni/probe/issues/2528: a page that is known to be none.
    response["body"] = "parked domain: this site, \"as others\", is closed";
    EXPECT_NE(unveil_of(document, set).rule, "http.fingerprint");
    response["body"] = "";
    response["headers"]["Server"] = "WireFilter 2";
    EXPECT_EQ(unveil_of(document, set).rule, "http.fingerprint");
    response["headers"]["Server"] = "nginx";
    document["test_keys"]["queries"][0]["answers"][0]["ipv4"] = "10.10.34.36";
    EXPECT_EQ(unveil_of(document, set).rule, "dns.fingerprint");
}

TEST(OoniFingerprints, AreFoundInBodiesAsByLookingForEach) {
    const auto path = data_folder() + "ooni-blocking-fingerprints/fingerprints_http.csv";
    SKIP_WITHOUT(path);
    std::ifstream in(path, std::ios::binary);
    const std::string csv((std::istreambuf_iterator<char>(in)), {});
    Tally tally;
    const auto list = fingerprints_in(csv, tally);
    EXPECT_EQ(list.size(), 1729u);
    EXPECT_EQ(tally.skipped(), 0u);
    const FingerprintSet set(list);
    for (std::size_t i = 0; i < list.size(); i += 7) {
        if (list[i].location != "body") continue;
        const auto body = std::string(i % 50, 'x') + list[i].pattern + list[(i * 31) % list.size()].pattern;
        std::vector<std::uint32_t> expected;
        for (std::uint32_t k = 0; k < list.size(); ++k)
            if (list[k].location == "body" && body.find(list[k].pattern) != std::string::npos) expected.push_back(k);
        ASSERT_EQ(set.of_body(body), expected);
        ASSERT_FALSE(expected.empty());
    }
}

TEST(OoniFingerprints, RegularExpressionsAreTriedInTimeThatFollowsTheText) {
    const auto expression = [](const char* location, const char* pattern) {
        Fingerprint out;
        out.name = pattern;
        out.scope = "nat";
        out.location = location;
        out.pattern = pattern;
        out.match = Fingerprint::Match::regexp;
        out.countries = {"IT"};
        return out;
    };
    // The second makes engines that go back and try again take for ever, the third is none of RE2's, the last takes more memory than one may.
    const FingerprintSet set({expression("body", "blocked by .*order"), expression("body", "(a+)+$"), expression("body", "(a)\\1"), expression("header.server", "^Wire.ilter"),
                              expression("body", "((x{900}){900}){900}")});
    EXPECT_EQ(set.expressions_unusable(), 2u);
    EXPECT_THAT(set.of_expressions("body", "<p>blocked by this order"), ElementsAre(0u));
    EXPECT_TRUE(set.of_expressions("body", "blocked by\norder").empty());
    EXPECT_TRUE(set.of_expressions("header.via", "WireFilter 2").empty());
    EXPECT_THAT(set.of_expressions("header.server", "WireFilter 2"), ElementsAre(3u));
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_TRUE(set.of_expressions("body", std::string(1 << 20, 'a') + "!").empty());
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
    EXPECT_THAT(set.of_expressions("body", std::string(1 << 20, 'a')), ElementsAre(1u));
    EXPECT_THAT(set.of_page("blocked by any order"), ElementsAre(0u));
    EXPECT_THAT(FingerprintSet({expression("body", "(over|out) of order")}).of_page("out of order"), ElementsAre(0u));
    EXPECT_THAT(FingerprintSet({expression("body", "a\\.b..d.*\\d")}).of_page("xa.bccd 7"), ElementsAre(0u));

    auto document = fine_page("http://site.example/");
    document["probe_cc"] = "IT";
    auto& response = document["test_keys"]["requests"][0]["response"];
    response["body"] = "blocked by court order";
    EXPECT_EQ(unveil_of(document, set).rule, "http.fingerprint");
    response["body"] = "blocked by nobody";
    EXPECT_NE(unveil_of(document, set).rule, "http.fingerprint");
    // The text of the expression itself is no match, though the fast path takes it for one.
    response["body"] = "(a)\\1";
    EXPECT_NE(unveil_of(document, set).rule, "http.fingerprint");
    response["headers"]["Server"] = "WireFilter 2";
    EXPECT_EQ(unveil_of(document, set).rule, "http.fingerprint");
}

TEST(OoniFingerprints, PublishedExpressionsFindWhatTheyDescribe) {
    const auto path = data_folder() + "ooni-blocking-fingerprints/fingerprints_http.csv";
    SKIP_WITHOUT(path);
    std::ifstream in(path, std::ios::binary);
    Tally tally;
    const auto list = fingerprints_in(std::string((std::istreambuf_iterator<char>(in)), {}), tally);
    const FingerprintSet set(list);
    EXPECT_EQ(set.expressions_unusable(), 0u);
    std::size_t tried = 0;
    for (std::uint32_t i = 0; i < list.size(); ++i) {
        if (list[i].match != Fingerprint::Match::regexp) continue;
        // An example: anything for what may be anything, and what is escaped as it is.
        std::string example;
        for (std::size_t k = 0; k < list[i].pattern.size(); ++k) {
            const std::string_view rest = std::string_view(list[i].pattern).substr(k);
            if (rest.starts_with(".*")) example += "anything", ++k;
            else if (rest.starts_with("\\")) example += list[i].pattern[++k];
            else example += rest.starts_with(".") ? 'q' : rest.front();
        }
        const auto found = set.of_expressions("body", "before" + example + "after");
        EXPECT_EQ(std::count(found.begin(), found.end(), i), 1) << list[i].pattern;
        // Looking for the texts of the expressions first changes nothing; nor does any other text.
        for (const auto& text : {"before" + example + "after", list[i].pattern, example.substr(3), example + example, std::string(i % 9, '<') + list[i * 7 % list.size()].pattern}) {
            auto expected = set.of_body(text);
            std::erase_if(expected, [&](auto place) { return list[place].match == Fingerprint::Match::regexp; });
            const auto more = set.of_expressions("body", text);
            expected.insert(expected.end(), more.begin(), more.end());
            std::sort(expected.begin(), expected.end());
            EXPECT_EQ(set.of_page(text), expected) << text;
        }
        EXPECT_TRUE(set.of_expressions("body", example.substr(0, example.size() / 2)).empty()) << list[i].pattern;
        ++tried;
    }
    EXPECT_EQ(tried, 14u);
}

TEST(OoniUnveil, TestsOfServicesAreScoredByTheirEndpoints) {
    const auto connect = [](bool success) { return json{{"ip", "149.154.175.50"}, {"port", 443}, {"status", {{"success", success}, {"failure", success ? json() : json("eof_error")}}}}; };
    EXPECT_EQ(unveil_of(app("telegram", {{"telegram_web_status", "ok"}, {"tcp_connect", {connect(false), connect(false)}}})).rule, "app.endpoints_unreachable");
    EXPECT_EQ(unveil_of(app("telegram", {{"telegram_web_status", "ok"}, {"tcp_connect", {connect(true), connect(true)}}})).standing, Standing::ok);
    EXPECT_EQ(unveil_of(app("telegram", {{"telegram_web_status", "blocked"}, {"tcp_connect", {connect(true)}}})).layer, Layer::http);
    EXPECT_EQ(unveil_of(app("facebook_messenger", {{"facebook_dns_blocking", true}})).layer, Layer::dns);
    const json signal = {{"failure", nullptr}, {"failed_operation", nullptr}, {"signal_backend_status", "blocked"},
                         {"tls_handshakes", {{{"address", "192.0.2.9:443"}, {"failure", "connection_reset"}}}}};
    EXPECT_EQ(unveil_of(app("signal", signal)).rule, "app.backend_tls_fails");
    EXPECT_EQ(unveil_of(app("signal", signal, "0.2.4")).rule, "app.test_out_of_date");
    EXPECT_EQ(unveil_of(app("signal", signal, "0.2.4")).standing, Standing::insufficient);
    EXPECT_EQ(unveil_of(app("tor", {{"targets", {{"a/b", {{"failure", "eof_error"}}}, {"c", {{"failure", false}}}}}})).layer_of(Layer::tcp).pointers.at(0), "/test_keys/targets/a~1b");
    EXPECT_EQ(unveil_of(app("ndt", json::object())).standing, Standing::insufficient);
}

TEST(OoniUnveil, EverySampleIsScoredAndEveryPointerLeadsSomewhere) {
    SKIP_WITHOUT(data_folder() + "ooni-probe-cli");
    std::size_t seen = 0;
    std::map<std::string, Standing> manual;
    for (const char* folder : {"ooni-data", "ooni-fastpath", "ooni-probe-cli"})
        for (const auto& entry : std::filesystem::recursive_directory_iterator(data_folder() + folder)) {
            if (!entry.is_regular_file() || entry.path().extension() != ".json") continue;
            const auto document = read_json(entry.path());
            if (!document.is_object() || !document.contains("test_name")) continue;
            SCOPED_TRACE(entry.path().string());
            const auto score = unveil_of(document);
            ++seen;
            const auto names = [&](std::string_view rule) {
                const auto all = unveil_scoring_rules();
                return rule == "none" || std::any_of(all.begin(), all.end(), [&](const ScoringRule& one) { return one.name == rule; });
            };
            EXPECT_TRUE(names(score.rule)) << score.rule;
            if (entry.path().string().find("/manual/") != std::string::npos) manual[entry.path().parent_path().filename()] = score.standing;
        }
    EXPECT_GE(seen, 120u);
    // Real measurements from a network that blocks none of these sites; some of the probes had no IPv6.
    EXPECT_EQ(manual.size(), 6u);
    for (const auto& [name, standing] : manual) EXPECT_NE(standing_name(standing), "blocked") << name;
    for (const char* name : {"noipv6", "issue-2456", "youtube", "firefoxcom"}) EXPECT_EQ(standing_name(manual[name]), "ok") << name;
}

TEST(OoniUnveil, WeightsOfRulesAreShares) {
    for (const auto& rule : unveil_scoring_rules()) {
        const auto& w = rule.weights;
        EXPECT_TRUE(w.blocked >= 0 && w.down >= 0 && w.ok >= 0 && w.blocked + w.down + w.ok <= 1 + 1e-9) << rule.name;
        EXPECT_FALSE(rule.reason.empty());
        EXPECT_EQ(w.blocked >= blocked_weight_min, !rule.mechanism.empty()) << rule.name;
    }
}

TEST(Bogons, AreAddressesThatNoPublicNameHas) {
    for (const char* bogon : {"10.10.34.36", "127.0.0.1", "192.168.1.1", "172.16.0.1", "172.31.255.255", "100.64.0.1", "169.254.1.1", "0.0.0.0", "224.0.0.1",
                              "255.255.255.255", "198.18.0.1", "::1", "::", "fe80::1", "fd00::1", "ff02::1", "2001:db8::1"})
        EXPECT_TRUE(is_bogon(bogon)) << bogon;
    for (const char* fine : {"8.8.8.8", "172.32.0.1", "100.128.0.1", "198.20.0.1", "2606:4700::1", "64:ff9b::808:808", "192.1.2.3", "no address", ""}) EXPECT_FALSE(is_bogon(fine)) << fine;
    EXPECT_EQ(address_of_endpoint("192.0.2.1:443"), "192.0.2.1");
    EXPECT_EQ(address_of_endpoint("[2001:db8::1]:443"), "2001:db8::1");
    EXPECT_EQ(address_of_endpoint("2001:db8::1"), "2001:db8::1");
    EXPECT_EQ(address_of_endpoint("[2001:db8::1"), "");
}

}  // namespace
}  // namespace unveil::interference
