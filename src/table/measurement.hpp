// What did one run of an OONI test see: the names it asked for, the connections and handshakes it tried, the pages it fetched, and what a control
// elsewhere saw of the same? One JSON document of the OONI archive each, as far as instruments ask for it; bodies stay as they lie in the file.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/locator.hpp"
#include "table/source.hpp"

namespace unveil {

/// A JSON boolean that may also be null or missing.
enum class Tristate : std::uint8_t { unknown, no, yes };

/// Text that is null or missing in the file is empty here; an empty `failure` therefore means that nothing failed. Records below stand in the order
/// of the file, so that the place of each in its vector is its place in the JSON array.
struct DnsAnswer {
    std::string_view type;     // "A", "AAAA", "CNAME"
    std::string_view address;  // of A and AAAA
    std::string_view name;     // of CNAME and PTR
    std::uint32_t asn = 0;     // 0: not known
};

/// What every record of a redirect chain carries: which hop, which connection, and when it ended.
struct StepOfTest {
    double time_seconds = 0;        // since the start of the measurement
    std::int64_t transaction = 0;   // records of one connection share it; 0 where the probe is too old to say
    std::int16_t depth = 0;         // redirects followed before
    bool is_classic = false;        // tagged as what web_connectivity 0.4 would have done too
};

struct DnsQuery {
    StepOfTest step;
    std::string_view hostname;
    std::string_view type;      // "A", "AAAA", "ANY"
    std::string_view engine;    // "system", "getaddrinfo", "udp", "doh"; empty in old files, where it is the system's
    std::string_view resolver;  // address or URL
    std::string_view failure;
    std::uint32_t answers_begin = 0;  // into Measurement::answers
    std::uint32_t answers_end = 0;
};

struct TcpConnect {
    StepOfTest step;
    std::string_view address;
    std::uint16_t port = 0;
    Tristate success = Tristate::unknown;
    std::string_view failure;
};

struct TlsHandshake {
    StepOfTest step;
    std::string_view endpoint;     // "192.0.2.1:443"
    std::string_view server_name;
    std::string_view outer_server_name;  // of ECH
    std::string_view failure;
    std::uint32_t certificates = 0;
    Tristate skips_verify = Tristate::unknown;  // whether the probe was told not to check the certificate
};

struct HttpHeader {
    std::string_view name;
    std::string_view value;
    bool is_base64 = false;  // bytes that are no UTF-8, as OONI writes them
};

struct HttpRequest {
    StepOfTest step;
    std::string_view url;
    std::string_view failure;
    std::string_view body_json;  // between its quotes, still escaped: see http_body
    std::int32_t status = 0;     // 0: no answer
    std::uint32_t headers_begin = 0;  // of the answer, into Measurement::headers
    std::uint32_t headers_end = 0;
    bool has_url = false;
    bool has_response = false;
    bool has_body = false;
    bool is_body_base64 = false;
    bool is_body_cut = false;
    bool is_over_tor = false;
};

struct ControlConnect {
    std::string_view endpoint;
    std::string_view failure;
    Tristate success = Tristate::unknown;
};

struct ControlHandshake {
    std::string_view endpoint;
    std::string_view server_name;
    std::string_view failure;
    Tristate success = Tristate::unknown;
};

/// What the control found out about an address.
struct ControlAddress {
    static constexpr std::uint32_t from_probe = 1, from_control = 2, bogon = 4, valid_for_domain = 8;

    std::string_view address;
    std::uint32_t asn = 0;
    std::uint32_t flags = 0;
};

struct Control {
    bool is_present = false;
    std::string_view dns_failure;
    std::vector<std::string_view> dns_addresses;
    std::vector<ControlConnect> connects;
    std::vector<ControlHandshake> handshakes;
    std::vector<ControlAddress> addresses;
    std::string_view http_failure;
    std::string_view title;
    std::int64_t body_bytes = -1;
    std::int32_t status = 0;  // 0: no answer
    bool has_http = false;

    void clear();
};

/// A relay, bridge or resolver of a test of many targets (tor, dnscheck).
struct TestTarget {
    enum class State : std::uint8_t { reached, failed, not_run, unclear };

    std::string_view name;  // "192.0.2.1:9001", or a URL
    std::string_view failure;
    std::string_view protocol;
    State state = State::unclear;
    bool has_network_events = false;
};

/// What was read on one connection, of `network_events`.
struct Transfer {
    std::int64_t transaction = 0;
    std::uint64_t read_bytes = 0;
    std::uint64_t written_bytes = 0;
    std::uint32_t reads = 0;
    std::uint32_t event_first = 0;  // place in network_events
    std::uint32_t event_last = 0;
    double time_first_seconds = 0;
    double time_last_seconds = 0;
};

/// A member of test_keys that is no list and no object.
struct TestKey {
    enum class Kind : std::uint8_t { null, no, yes, number, text };

    std::string_view name;
    std::string_view value;  // text without quotes, numbers as written
    Kind kind = Kind::null;
};

/// Every view points into memory of the source and dies with its next batch.
struct Measurement {
    Locator where;  // row: the line of the file that holds it; 1 for a file of one document
    std::string_view report_id;
    std::string_view measurement_uid;
    std::string_view test_name;
    std::string_view test_version;
    std::string_view software_name;
    std::string_view software_version;
    std::string_view engine_version;
    std::string_view platform;
    std::string_view country;  // two letters as written; "ZZ" is nowhere
    std::string_view network_name;
    std::string_view resolver_address;
    std::string_view resolver_network_name;
    std::string_view input;    // a URL mostly; empty for tests without
    std::string_view domain;   // of the input, in lower case; empty when it has none
    std::uint32_t asn = 0;     // 0: not known
    std::uint32_t resolver_asn = 0;
    std::int64_t start_us = 0;
    double runtime_seconds = 0;
    bool has_report_id = false;  // it may be there and empty
    bool has_start = false;
    bool has_test_keys = false;

    std::vector<TestKey> keys;
    std::vector<DnsQuery> queries;
    std::vector<DnsQuery> duplicate_answers;  // x_dns_duplicate_responses: answers that came after the one that was taken
    std::vector<DnsAnswer> answers;
    std::vector<TcpConnect> connects;
    std::vector<TlsHandshake> handshakes;
    std::vector<HttpRequest> requests;
    std::vector<HttpHeader> headers;
    std::vector<TestTarget> targets;
    std::vector<Transfer> transfers;
    Control control;

    bool has_target_list = false;   // targets were a list in early tests of tor, which says too little
    bool has_request_list = false;  // requests is there and no null

    /// http_invalid_request_line: lines sent, received, and how many of those that have a partner came back changed.
    std::uint32_t lines_sent = 0;
    std::uint32_t lines_received = 0;
    std::uint32_t lines_changed = 0;
    /// http_header_field_manipulation: the headers that a server gave back beside those that were sent.
    enum class Echo : std::uint8_t { none, no_body, malformed, same, changed };
    Echo echo = Echo::none;
    std::uint32_t headers_changed = 0;
    /// vanilla_tor: whether there is a log and whether it says that Tor came up.
    bool has_tor_log = false;
    bool is_tor_log_done = false;
    /// facebook and friends: whether any member of test_keys whose name ends with _failure says "unknown_failure".
    bool has_unknown_failure = false;

    std::span<const DnsAnswer> answers_of(const DnsQuery& query) const {
        return std::span(answers).subspan(query.answers_begin, query.answers_end - query.answers_begin);
    }
    std::span<const HttpHeader> headers_of(const HttpRequest& request) const {
        return std::span(headers).subspan(request.headers_begin, request.headers_end - request.headers_begin);
    }
    /// Nothing when there is none of this name.
    const TestKey* key(std::string_view name) const;
    std::string_view text(std::string_view name) const;
    Tristate flag(std::string_view name) const;
    /// `otherwise` where it is no number.
    double number(std::string_view name, double otherwise) const;
    /// "dns", "tcp_ip", "http-diff", "http-failure", "false", or empty for null and missing.
    std::string_view blocking() const;

    /// Keeps the memory of the lists.
    void clear();
};

/// The pointer of RFC 6901 of a record: json_pointer("queries", 3) is "/test_keys/queries/3".
std::string json_pointer(std::string_view list, std::size_t place);
/// "/test_keys/control/tcp_connect/192.0.2.1:443", with ~ and / of the member escaped.
std::string json_pointer(std::string_view list, std::string_view member);

/// The first bytes of a body, unescaped or decoded. Broken escapes become U+FFFD, broken base64 ends it.
std::string http_body(const HttpRequest& request, std::size_t bytes_max);
/// The same; false for base64 that is none.
bool append_http_body(const HttpRequest& request, std::size_t bytes_max, std::string& out);
/// What stands between <title> and </title>, white space at both ends removed; looks at the first 16 KiB only.
std::string http_title(const HttpRequest& request);
/// JSON string content without its quotes, unescaped.
void append_unescaped_json(std::string_view escaped, std::size_t bytes_max, std::string& out);
/// Standard alphabet, padded or not; false where something else stands, what came before is kept.
bool append_base64(std::string_view text, std::size_t bytes_max, std::string& out);
/// Host of a URL or of "host:port", in the letters of the URL; empty when there is none.
std::string_view host_of_url(std::string_view url);

struct MeasurementBatch {
    std::vector<Measurement> rows;  // the first `size` count; the others keep their memory
    std::size_t size = 0;

    std::span<const Measurement> all() const { return std::span(rows).first(size); }
};

class MeasurementSource : public RecordSource {
  public:
    /// Puts up to batch_measurements_max measurements in place of what stood there; false at the end.
    virtual bool next(MeasurementBatch& batch) = 0;
    static constexpr std::size_t batch_measurements_max = 64;
};

}  // namespace unveil
