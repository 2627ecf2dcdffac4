#include "evidence/ooni.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <set>
#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"
#include "core/time.hpp"
#include "evidence/input_buffer.hpp"
#include "evidence/time_tracker.hpp"

namespace unveil {
namespace {

namespace ondemand = simdjson::ondemand;

static_assert(InputBuffer::padding_bytes >= simdjson::SIMDJSON_PADDING);

constexpr std::size_t items_of_measurement_max = 16'384;  // of all its lists together
constexpr std::size_t items_kept_max = 2'048;             // a row with room for more gives it back
constexpr std::size_t transfers_searched = 64;            // connections that may be read from in turn
constexpr std::size_t head_bytes = 64u << 10;

/// Text with escapes undone, for one batch. Views into it stay good until clear().
class TextStore {
  public:
    void clear() {
        m_blocks.resize(std::min<std::size_t>(m_blocks.size(), 1));
        if (!m_blocks.empty()) m_blocks.front().clear();
    }
    std::string_view unescaped(std::string_view escaped) {
        // What is unescaped may overshoot its limit by a character before it is cut.
        auto& block = block_for(escaped.size() + 8);
        const auto begin = block.size();
        append_unescaped_json(escaped, escaped.size(), block);
        return std::string_view(block).substr(begin);
    }
    std::string_view lower(std::string_view text) {
        auto& block = block_for(text.size());
        const auto begin = block.size();
        for (const char c : text) block += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        return std::string_view(block).substr(begin);
    }

  private:
    static constexpr std::size_t block_bytes = 64u << 10;

    std::string& block_for(std::size_t size_bytes) {
        if (m_blocks.empty() || m_blocks.back().capacity() - m_blocks.back().size() < size_bytes) {
            m_blocks.emplace_back();
            m_blocks.back().reserve(std::max(block_bytes, size_bytes));
        }
        return m_blocks.back();
    }

    std::vector<std::string> m_blocks;  // a block that is moved keeps its bytes where they are: none is short
};

bool is_read_whole(std::string_view test_name) {
    constexpr std::string_view names[] = {"web_connectivity", "dnscheck", "tor", "signal", "telegram", "whatsapp", "facebook_messenger",
                                          "http_invalid_request_line", "http_header_field_manipulation", "urlgetter", "vanilla_tor", "torsf",
                                          "psiphon", "meek_fronted_requests_test"};
    return std::find(std::begin(names), std::end(names), test_name) != std::end(names);
}

/// Takes one JSON object apart, front to back, without looking at what nobody asks for.
class MeasurementReader {
  public:
    MeasurementReader(std::size_t capacity_bytes, std::size_t items_max)
        : m_parser(std::make_unique<ondemand::parser>(capacity_bytes)), m_items_max(items_max) {}

    enum class Result { kept, no_json, no_object, no_measurement };

    /// `text` must be followed by padding; `out` must be clear. Views in `out` point into `text` and the store.
    Result read(std::string_view text, Measurement& out) {
        m_out = &out;
        m_is_broken = m_is_cut = false;
        m_items = 0;
        m_wrapped_in_content = false;
        m_end = text.data() + text.size();
        m_sent.clear();
        m_received.clear();
        ondemand::document document;
        if (m_parser->iterate(text.data(), text.size(), text.size() + InputBuffer::padding_bytes).get(document) != simdjson::SUCCESS)
            return Result::no_json;
        ondemand::object object;
        if (text.front() != '{') return Result::no_object;
        if (document.get_object().get(object) != simdjson::SUCCESS) return Result::no_json;
        members(object, [&](std::string_view key, ondemand::value value) { read_envelope(key, value); });
        if (m_is_broken) return Result::no_json;
        if (out.test_name.empty()) return Result::no_measurement;
        finish();
        return Result::kept;
    }

    bool is_cut() const { return m_is_cut; }
    std::size_t items() const { return m_items; }
    void clear_texts() { m_texts.clear(); }

  private:
    // ---- JSON

    template <typename Visit>
    void members(ondemand::object& object, Visit&& visit) {
        for (auto result : object) {
            ondemand::field field;
            if (std::move(result).get(field) != simdjson::SUCCESS) {
                m_is_broken = true;
                return;
            }
            const char* key = field.key().raw();
            const auto* quote = static_cast<const char*>(std::memchr(key, '"', static_cast<std::size_t>(m_end - key)));
            // A quote that is escaped ends the key too early, which makes it one that nobody knows.
            if (!quote) {
                m_is_broken = true;
                return;
            }
            visit(std::string_view(key, static_cast<std::size_t>(quote - key)), field.value());
            if (m_is_broken) return;
        }
    }
    template <typename Visit>
    void members(ondemand::value& value, Visit&& visit) {
        if (first_of(value) != '{') return;
        ondemand::object object;
        if (value.get_object().get(object) != simdjson::SUCCESS) {
            m_is_broken = true;
            return;
        }
        members(object, visit);
    }
    /// `visit(element, place)`.
    template <typename Visit>
    void elements(ondemand::value& value, Visit&& visit) {
        if (first_of(value) != '[') return;
        ondemand::array array;
        if (value.get_array().get(array) != simdjson::SUCCESS) {
            m_is_broken = true;
            return;
        }
        std::size_t place = 0;
        for (auto result : array) {
            ondemand::value element;
            if (std::move(result).get(element) != simdjson::SUCCESS) {
                m_is_broken = true;
                return;
            }
            visit(element, place++);
            if (m_is_broken) return;
        }
    }

    std::string_view token(ondemand::value& value) {
        auto text = value.raw_json_token();
        while (!text.empty() && (text.back() == ' ' || text.back() == '\n' || text.back() == '\r' || text.back() == '\t')) text.remove_suffix(1);
        return text;
    }
    char first_of(ondemand::value& value) {
        const auto text = value.raw_json_token();
        return text.empty() ? '\0' : text.front();
    }
    /// Between the quotes; nothing when it is no string.
    std::optional<std::string_view> escaped(ondemand::value& value) {
        const auto text = token(value);
        if (text.empty() || text.front() != '"') return {};
        if (text.size() < 2 || text.back() != '"') {
            m_is_broken = true;
            return {};
        }
        return text.substr(1, text.size() - 2);
    }
    std::string_view unescaped(std::string_view text) { return std::memchr(text.data(), '\\', text.size()) ? m_texts.unescaped(text) : text; }
    std::string_view text(ondemand::value& value) {
        const auto content = escaped(value);
        return content && !content->empty() ? unescaped(*content) : std::string_view();
    }
    Tristate flag(ondemand::value& value) {
        const auto word = token(value);
        return word == "true" ? Tristate::yes : word == "false" ? Tristate::no : Tristate::unknown;
    }
    template <typename Number>
    Number number(ondemand::value& value, Number otherwise) {
        const auto word = token(value);
        Number out{};
        const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), out);
        return error == std::errc() && end == word.data() + word.size() ? out : otherwise;
    }
    /// Room for one more item of a list; false when there are too many already.
    bool take_item() {
        if (m_items < m_items_max) {
            ++m_items;
            return true;
        }
        m_is_cut = true;
        return false;
    }

    // ---- the envelope

    static std::uint32_t asn_of(std::string_view text) {
        if (text.starts_with("AS") || text.starts_with("as")) text.remove_prefix(2);
        std::uint32_t asn = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), asn);
        return error == std::errc() && end == text.data() + text.size() ? asn : 0;
    }

    void read_envelope(std::string_view key, ondemand::value value) {
        auto& m = *m_out;
        if (key == "test_keys") {
            // A second one would be added to the first.
            if (m.has_test_keys || first_of(value) != '{') return;
            m.has_test_keys = true;
            members(value, [&](std::string_view name, ondemand::value member) { read_test_key(name, member); });
        } else if (key == "report_id") {
            m.report_id = text(value);
            m.has_report_id = first_of(value) == '"';
        }
        else if (key == "measurement_uid") m.measurement_uid = text(value);
        else if (key == "test_name") m.test_name = text(value);
        else if (key == "test_version") m.test_version = text(value);
        else if (key == "software_name") m.software_name = text(value);
        else if (key == "software_version") m.software_version = text(value);
        else if (key == "probe_cc") m.country = text(value);
        else if (key == "probe_asn") m.asn = asn_of(text(value));
        else if (key == "probe_network_name") m.network_name = text(value);
        else if (key == "resolver_asn") m.resolver_asn = asn_of(text(value));
        else if (key == "resolver_ip") m.resolver_address = text(value);
        else if (key == "resolver_network_name") m.resolver_network_name = text(value);
        else if (key == "input") m.input = text(value);
        else if (key == "test_runtime") m.runtime_seconds = number(value, 0.0);
        else if (key == "measurement_start_time") read_start(text(value));
        else if (key == "annotations") {
            members(value, [&](std::string_view name, ondemand::value member) {
                if (name == "engine_version") m.engine_version = text(member);
                else if (name == "platform") m.platform = text(member);
            });
        } else if (key == "content" && !m_wrapped_in_content) {
            // As probes hand measurements in: {"format": "json", "content": {...}}.
            m_wrapped_in_content = true;
            members(value, [&](std::string_view name, ondemand::value member) { read_envelope(name, member); });
        }
    }

    void read_start(std::string_view written) {
        const auto time_us = parse_time_us(written);
        m_out->has_start = time_us.has_value();
        m_out->start_us = time_us.value_or(0);
    }

    void finish() {
        auto& m = *m_out;
        auto host = host_of_url(m.input);
        if (host.size() > 1 && host.ends_with('.')) host.remove_suffix(1);  // the same name, written to its root
        m.domain = std::any_of(host.begin(), host.end(), [](char c) { return c >= 'A' && c <= 'Z'; }) ? m_texts.lower(host) : host;
        const auto pairs = std::min(m_sent.size(), m_received.size());
        m.lines_sent = static_cast<std::uint32_t>(m_sent.size());
        m.lines_received = static_cast<std::uint32_t>(m_received.size());
        for (std::size_t i = 0; i < pairs; ++i)
            if (m_sent[i] != m_received[i]) ++m.lines_changed;
        if (m.test_name == "http_header_field_manipulation") compare_headers();
    }

    // ---- test_keys

    void read_test_key(std::string_view key, ondemand::value value) {
        auto& m = *m_out;
        if (key == "queries") {
            elements(value, [&](ondemand::value& element, std::size_t) { read_query(element, m.queries); });
        } else if (key == "x_dns_duplicate_responses") {
            elements(value, [&](ondemand::value& element, std::size_t) { read_query(element, m.duplicate_answers); });
        } else if (key == "tcp_connect") {
            elements(value, [&](ondemand::value& element, std::size_t) { read_connect(element); });
        } else if (key == "tls_handshakes") {
            elements(value, [&](ondemand::value& element, std::size_t) { read_handshake(element); });
        } else if (key == "requests") {
            m.has_request_list = first_of(value) == '[';
            elements(value, [&](ondemand::value& element, std::size_t) { read_request(element); });
        } else if (key == "network_events") {
            elements(value, [&](ondemand::value& element, std::size_t place) { read_event(element, place); });
        } else if (key == "control") {
            read_control(value);
        } else if (key == "targets") {
            m.has_target_list = first_of(value) == '[';
            members(value, [&](std::string_view name, ondemand::value member) { read_target(name, member); });
        } else if (key == "lookups") {
            members(value, [&](std::string_view name, ondemand::value member) { read_target(name, member); });
        } else if (key == "sent" || key == "received") {
            auto& lines = key == "sent" ? m_sent : m_received;
            elements(value, [&](ondemand::value& element, std::size_t) {
                if (take_item()) lines.push_back(token(element));
            });
        } else if (key == "tor_log" || key == "tor_logs") {
            read_tor_log(value);
        } else {
            const auto word = token(value);
            if (word.empty() || word.front() == '{' || word.front() == '[' || !take_item()) return;
            TestKey member;
            member.name = key;
            if (word == "true") member.kind = TestKey::Kind::yes;
            else if (word == "false") member.kind = TestKey::Kind::no;
            else if (word.front() == '"') {
                member.kind = TestKey::Kind::text;
                member.value = text(value);
                if (key.ends_with("_failure") && member.value.starts_with("unknown_failure")) m.has_unknown_failure = true;
            } else if (word != "null") {
                member.kind = TestKey::Kind::number;
                member.value = word;
            }
            m.keys.push_back(member);
        }
    }

    bool read_step(std::string_view key, ondemand::value& value, StepOfTest& step) {
        if (key == "t") step.time_seconds = number(value, 0.0);
        else if (key == "transaction_id" || key == "conn_id") step.transaction = number(value, std::int64_t{0});
        else if (key == "tags") {
            elements(value, [&](ondemand::value& tag, std::size_t) {
                const auto word = escaped(tag).value_or("");
                if (word == "classic") step.is_classic = true;
                else if (word.starts_with("depth=")) std::from_chars(word.data() + 6, word.data() + word.size(), step.depth);
            });
        } else return false;
        return true;
    }

    void read_query(ondemand::value& value, std::vector<DnsQuery>& to) {
        if (!take_item()) return;
        auto& m = *m_out;
        DnsQuery query;
        query.answers_begin = query.answers_end = static_cast<std::uint32_t>(m.answers.size());
        members(value, [&](std::string_view key, ondemand::value member) {
            if (read_step(key, member, query.step)) return;
            if (key == "hostname") query.hostname = text(member);
            else if (key == "query_type") query.type = text(member);
            else if (key == "engine") query.engine = text(member);
            else if (key == "resolver_address") query.resolver = text(member);
            else if (key == "failure") query.failure = text(member);
            else if (key == "answers" && query.answers_begin == query.answers_end) {
                query.answers_begin = static_cast<std::uint32_t>(m.answers.size());
                elements(member, [&](ondemand::value& element, std::size_t) {
                    if (!take_item()) return;
                    DnsAnswer answer;
                    members(element, [&](std::string_view name, ondemand::value item) {
                        if (name == "answer_type") answer.type = text(item);
                        else if (name == "ipv4" || name == "ipv6") answer.address = text(item);
                        else if (name == "hostname") answer.name = text(item);
                        else if (name == "asn") answer.asn = number(item, std::uint32_t{0});
                    });
                    m.answers.push_back(answer);
                });
                query.answers_end = static_cast<std::uint32_t>(m.answers.size());
            }
        });
        to.push_back(query);
    }

    void read_connect(ondemand::value& value) {
        if (!take_item()) return;
        TcpConnect connect;
        members(value, [&](std::string_view key, ondemand::value member) {
            if (read_step(key, member, connect.step)) return;
            if (key == "ip") connect.address = text(member);
            else if (key == "port") connect.port = number(member, std::uint16_t{0});
            else if (key == "status") {
                members(member, [&](std::string_view name, ondemand::value item) {
                    if (name == "success") connect.success = flag(item);
                    else if (name == "failure") connect.failure = failure_of(item);
                });
            }
        });
        m_out->connects.push_back(connect);
    }

    /// Measurement-kit wrote false and true where nothing or something failed.
    std::string_view failure_of(ondemand::value& value) {
        if (flag(value) == Tristate::yes) return "unknown_failure";
        return text(value);
    }

    void read_handshake(ondemand::value& value) {
        if (!take_item()) return;
        TlsHandshake handshake;
        members(value, [&](std::string_view key, ondemand::value member) {
            if (read_step(key, member, handshake.step)) return;
            if (key == "address") handshake.endpoint = text(member);
            else if (key == "server_name") handshake.server_name = text(member);
            else if (key == "outer_server_name") handshake.outer_server_name = text(member);
            else if (key == "failure") handshake.failure = text(member);
            else if (key == "no_tls_verify") handshake.skips_verify = flag(member);
            else if (key == "peer_certificates") elements(member, [&](ondemand::value&, std::size_t) { ++handshake.certificates; });
        });
        m_out->handshakes.push_back(handshake);
    }

    void read_headers(ondemand::value& value, HttpRequest& request) {
        auto& headers = m_out->headers;
        if (request.headers_begin != request.headers_end) return;
        request.headers_begin = static_cast<std::uint32_t>(headers.size());
        const auto add = [&](std::string_view name, ondemand::value& content) {
            if (!take_item()) return;
            HttpHeader header;
            header.name = name;
            read_bytes_or_text(content, header.value, header.is_base64);
            headers.push_back(header);
        };
        members(value, [&](std::string_view name, ondemand::value member) { add(name, member); });
        // [["Server", ["..."]], ...] in reports of 2015.
        elements(value, [&](ondemand::value& pair, std::size_t) {
            std::string_view name;
            elements(pair, [&](ondemand::value& part, std::size_t place) {
                if (place == 0) name = text(part);
                else if (first_of(part) == '[') elements(part, [&](ondemand::value& item, std::size_t nth) { if (nth == 0) add(name, item); });
                else if (place == 1) add(name, part);
            });
        });
        request.headers_end = static_cast<std::uint32_t>(headers.size());
    }

    /// "text" or {"data": "...", "format": "base64"}.
    void read_bytes_or_text(ondemand::value& value, std::string_view& out, bool& is_base64) {
        if (first_of(value) != '{') {
            out = text(value);
            return;
        }
        members(value, [&](std::string_view key, ondemand::value member) {
            if (key == "data") out = text(member);
            else if (key == "format") is_base64 = text(member) == "base64";
        });
    }

    void read_request(ondemand::value& value) {
        if (!take_item()) return;
        HttpRequest request;
        const bool is_first = m_out->requests.empty();
        members(value, [&](std::string_view key, ondemand::value member) {
            if (read_step(key, member, request.step)) return;
            if (key == "failure") request.failure = text(member);
            else if (key == "request") {
                members(member, [&](std::string_view name, ondemand::value item) {
                    if (name == "url") {
                        request.url = text(item);
                        request.has_url = true;
                    } else if (name == "tor") {
                        if (flag(item) == Tristate::yes) request.is_over_tor = true;
                        members(item, [&](std::string_view part, ondemand::value of) {
                            if (part == "is_tor") request.is_over_tor = flag(of) == Tristate::yes;
                        });
                    } else if (name == "headers" && is_first) {
                        m_sent_headers.clear();
                        members(item, [&](std::string_view header, ondemand::value of) {
                            if (take_item()) m_sent_headers.emplace_back(header, text(of));
                        });
                    }
                });
            } else if (key == "response" && first_of(member) == '{') {
                request.has_response = true;
                members(member, [&](std::string_view name, ondemand::value item) { read_response(name, item, request); });
            }
        });
        m_out->requests.push_back(request);
    }

    void read_response(std::string_view name, ondemand::value& item, HttpRequest& request) {
        if (name == "code") request.status = number(item, std::int32_t{0});
        else if (name == "body_is_truncated") request.is_body_cut = flag(item) == Tristate::yes;
        else if (name == "headers") read_headers(item, request);
        else if (name == "body") {
            if (first_of(item) == '{') {
                request.has_body = true;
                members(item, [&](std::string_view key, ondemand::value member) {
                    if (key == "data") request.body_json = escaped(member).value_or("");
                    else if (key == "format") request.is_body_base64 = text(member) == "base64";
                });
            } else if (const auto body = escaped(item)) {
                request.has_body = true;
                request.body_json = *body;
            }
        }
    }

    void read_event(ondemand::value& value, std::size_t place) {
        std::string_view operation;
        std::uint64_t bytes = 0;
        StepOfTest step;
        members(value, [&](std::string_view key, ondemand::value member) {
            if (key == "tags" || read_step(key, member, step)) return;
            if (key == "operation") operation = escaped(member).value_or("");
            else if (key == "num_bytes") bytes = number(member, std::uint64_t{0});
        });
        const bool is_read = operation == "read" || operation == "read_from";
        if (!is_read && operation != "write" && operation != "write_to") return;
        auto& transfers = m_out->transfers;
        const auto searched = std::min(transfers.size(), transfers_searched);
        auto found = std::find_if(transfers.rbegin(), transfers.rbegin() + static_cast<std::ptrdiff_t>(searched),
                                  [&](const Transfer& t) { return t.transaction == step.transaction; });
        if (found == transfers.rbegin() + static_cast<std::ptrdiff_t>(searched)) {
            if (!take_item()) return;
            Transfer fresh;
            fresh.transaction = step.transaction;
            fresh.event_first = static_cast<std::uint32_t>(place);
            fresh.time_first_seconds = step.time_seconds;
            transfers.push_back(fresh);
            found = transfers.rbegin();
        }
        auto& transfer = *found;
        constexpr std::uint64_t bytes_max = std::uint64_t{1} << 48;
        (is_read ? transfer.read_bytes : transfer.written_bytes) += std::min(bytes, bytes_max);
        if (is_read) ++transfer.reads;
        transfer.event_last = static_cast<std::uint32_t>(place);
        transfer.time_last_seconds = std::max(transfer.time_last_seconds, step.time_seconds);
    }

    void read_target(std::string_view name, ondemand::value& value) {
        if (!take_item()) return;
        TestTarget target;
        target.name = name;
        bool has_failure = false;
        members(value, [&](std::string_view key, ondemand::value member) {
            if (key == "failure") {
                has_failure = true;
                target.failure = text(member);
                const auto word = token(member);
                target.state = word == "null" ? TestTarget::State::reached
                             : word == "false" ? TestTarget::State::not_run
                             : word.starts_with('"') ? TestTarget::State::failed : TestTarget::State::unclear;
            } else if (key == "network_events") target.has_network_events = true;
            else if (key == "target_protocol") target.protocol = text(member);
        });
        if (!has_failure) target.state = TestTarget::State::unclear;
        m_out->targets.push_back(target);
    }

    void read_tor_log(ondemand::value& value) {
        constexpr std::string_view done[] = {"Bootstrapped 100%: Done", "Bootstrapped 100% (done): Done"};
        const auto first = first_of(value);
        if (first != '"' && first != '[') return;
        if (const auto log = escaped(value)) {
            m_out->has_tor_log |= !log->empty();
            for (const auto& words : done) m_out->is_tor_log_done |= log->find(words) != std::string_view::npos;
        }
        // A list says so only with a line that is nothing else: so does the published scorer, which goes by tor_progress then.
        elements(value, [&](ondemand::value& line, std::size_t) {
            m_out->has_tor_log = true;
            for (const auto& words : done) m_out->is_tor_log_done |= escaped(line).value_or("") == words;
        });
    }

    // ---- the control

    void read_control(ondemand::value& value) {
        auto& control = m_out->control;
        if (control.is_present) return;
        members(value, [&](std::string_view key, ondemand::value member) {
            control.is_present = true;
            if (key == "dns") {
                members(member, [&](std::string_view name, ondemand::value item) {
                    if (name == "failure") control.dns_failure = text(item);
                    else if (name == "addrs")
                        elements(item, [&](ondemand::value& address, std::size_t) {
                            if (take_item()) control.dns_addresses.push_back(text(address));
                        });
                });
            } else if (key == "tcp_connect") {
                members(member, [&](std::string_view endpoint, ondemand::value item) {
                    if (!take_item()) return;
                    ControlConnect connect;
                    connect.endpoint = endpoint;
                    read_status(item, connect);
                    control.connects.push_back(connect);
                });
            } else if (key == "tls_handshake") {
                members(member, [&](std::string_view endpoint, ondemand::value item) {
                    if (!take_item()) return;
                    ControlHandshake handshake;
                    handshake.endpoint = endpoint;
                    read_status(item, handshake);
                    control.handshakes.push_back(handshake);
                });
            } else if (key == "ip_info") {
                members(member, [&](std::string_view address, ondemand::value item) {
                    if (!take_item()) return;
                    ControlAddress info;
                    info.address = address;
                    members(item, [&](std::string_view name, ondemand::value part) {
                        if (name == "asn") info.asn = number(part, std::uint32_t{0});
                        else if (name == "flags") info.flags = number(part, std::uint32_t{0});
                    });
                    control.addresses.push_back(info);
                });
            } else if (key == "http_request") {
                members(member, [&](std::string_view name, ondemand::value item) {
                    control.has_http = true;
                    if (name == "failure") control.http_failure = text(item);
                    else if (name == "title") control.title = text(item);
                    else if (name == "body_length") control.body_bytes = number(item, std::int64_t{-1});
                    else if (name == "status_code") control.status = std::max(number(item, std::int32_t{0}), 0);
                });
            }
        });
    }

    template <typename Record>
    void read_status(ondemand::value& value, Record& record) {
        members(value, [&](std::string_view name, ondemand::value item) {
            if (name == "status") record.success = flag(item);
            else if (name == "failure") record.failure = text(item);
            else if constexpr (std::is_same_v<Record, ControlHandshake>) {
                if (name == "server_name") record.server_name = text(item);
            }
        });
    }

    // ---- http_header_field_manipulation

    /// The body of the answer says which headers arrived: {"headers_dict": {"acCePt": ["..."], ...}, ...}.
    void compare_headers() {
        auto& m = *m_out;
        if (m.requests.empty() || !m.requests.front().has_response) return;
        const auto& request = m.requests.front();
        if (!request.has_body) {
            m.echo = Measurement::Echo::no_body;
            return;
        }
        constexpr std::size_t echo_bytes_max = 256u << 10;
        m_echo.clear();
        append_http_body(request, echo_bytes_max, m_echo);
        m.echo = Measurement::Echo::malformed;
        simdjson::dom::parser parser(echo_bytes_max);
        simdjson::dom::element document;
        simdjson::dom::object arrived;
        if (parser.parse(m_echo).get(document) != simdjson::SUCCESS || document["headers_dict"].get(arrived) != simdjson::SUCCESS) return;
        std::set<std::pair<std::string_view, std::string_view>> received;
        for (const auto& [name, values] : arrived) {
            std::string_view first;
            if (values.at(0).get(first) != simdjson::SUCCESS) return;
            received.emplace(name, first);
        }
        std::set<std::pair<std::string_view, std::string_view>> sent(m_sent_headers.begin(), m_sent_headers.end());
        // Servers and libraries between put this one in and take it out.
        const std::pair<std::string_view, std::string_view> connection("Connection", "close");
        sent.erase(connection);
        received.erase(connection);
        for (const auto& header : sent) m.headers_changed += received.count(header) == 0;
        for (const auto& header : received) m.headers_changed += sent.count(header) == 0;
        m.echo = m.headers_changed == 0 ? Measurement::Echo::same : Measurement::Echo::changed;
    }

    std::unique_ptr<ondemand::parser> m_parser;
    std::size_t m_items_max;
    TextStore m_texts;
    Measurement* m_out = nullptr;
    const char* m_end = nullptr;
    std::size_t m_items = 0;
    bool m_is_broken = false;
    bool m_is_cut = false;
    bool m_wrapped_in_content = false;
    std::vector<std::string_view> m_sent;
    std::vector<std::string_view> m_received;
    std::vector<std::pair<std::string_view, std::string_view>> m_sent_headers;
    std::string m_echo;
};

class OoniSource final : public MeasurementSource {
  public:
    OoniSource(InputBuffer input, const std::string& path, std::uint32_t evidence, const EvidenceLimits& limits)
        : m_input(std::move(input)),
          m_evidence(evidence),
          m_line_bytes_max(std::min(limits.record_bytes_max, measurement_bytes_max)),
          m_reader(m_line_bytes_max + 1, std::min(limits.list_items_max, items_of_measurement_max)) {
        m_report.path = path;
        m_report.format = "ooni";
        if (std::string_view(m_input.begin(), m_input.size()).starts_with("\xEF\xBB\xBF")) m_input.consume(3);
        find_out_kind();
    }

    const SourceReport& report() const override { return m_report; }
    std::uint64_t bytes_done() const override { return m_input.stream().disk_bytes(); }

    bool next(MeasurementBatch& batch) override {
        batch.size = 0;
        std::size_t items = 0;
        if (m_is_document) {
            if (!m_is_document_given) read_one(std::string_view(m_document).substr(0, m_document_bytes), batch, items);
            m_is_document_given = true;
        }
        while (!m_is_document && batch.size < batch_measurements_max && items < items_of_measurement_max) {
            if (batch.size == 0) m_reader.clear_texts();
            const auto line = front_line(batch.size == 0);
            if (!line) break;
            ++m_line;
            if (line->is_too_long) {
                m_report.tally.skip("line too long", where(), line->text.substr(0, Tally::example_bytes_max));
                // Reading on moves the window: nothing may point into it, and nothing does as the batch is empty.
                m_input.consume(line->size_bytes);
                if (!line->has_end) skip_rest_of_line();
                continue;
            }
            read_one(line->text, batch, items);
            // The bytes stay where they are until the window is filled anew.
            m_input.consume(line->size_bytes);
        }
        if (batch.size == 0) finish();
        return batch.size > 0;
    }

  private:
    struct Line {
        std::string_view text;       // without its end
        std::size_t size_bytes = 0;  // with it
        bool is_too_long = false;
        bool has_end = true;
    };

    std::string where() const { return m_is_document ? m_report.path : fmt::format("{}:{}", m_report.path, m_line); }

    /// The line at the front of the window. Nothing at the end, or where more would have to be read and `may_fill` is false.
    std::optional<Line> front_line(bool may_fill) {
        std::size_t seen = 0;
        for (;;) {
            const auto* end = static_cast<const char*>(std::memchr(m_input.begin() + seen, '\n', m_input.size() - seen));
            if (end) {
                const auto size = static_cast<std::size_t>(end - m_input.begin());
                if (size > m_line_bytes_max && !may_fill) return {};
                return Line{{m_input.begin(), size}, size + 1, size > m_line_bytes_max, true};
            }
            seen = m_input.size();
            if (!may_fill && !m_input.is_at_end()) return {};
            if (seen > m_line_bytes_max) {
                if (!may_fill) return {};
                return Line{{m_input.begin(), seen}, seen, true, false};
            }
            if (!m_input.is_at_end() && m_input.fill()) continue;
            if (seen == 0) return {};
            return Line{{m_input.begin(), seen}, seen, false, true};
        }
    }

    void skip_rest_of_line() {
        for (;;) {
            const auto* end = static_cast<const char*>(std::memchr(m_input.begin(), '\n', m_input.size()));
            m_input.consume(end ? static_cast<std::size_t>(end + 1 - m_input.begin()) : m_input.size());
            if (end || !m_input.fill()) return;
        }
    }

    /// One measurement a line, unless the first line is the beginning of an object that goes on in the next.
    void find_out_kind() {
        for (;;) {
            const auto line = front_line(true);
            if (!line) return;
            const auto text = trimmed(line->text);
            if (text.empty() && line->size_bytes > 0 && !line->is_too_long) {
                ++m_line;
                m_input.consume(line->size_bytes);
                continue;
            }
            if (line->is_too_long) return;
            Measurement probe;
            const auto result = m_reader.read(text, probe);
            if (result != MeasurementReader::Result::no_json) return;
            // A broken line before good ones is no document.
            const auto rest = trimmed(std::string_view(m_input.begin(), m_input.size()).substr(line->size_bytes));
            if (text.front() != '{' || (text.size() > 1 && rest.starts_with('{'))) return;
            read_document();
            return;
        }
    }

    void read_document() {
        m_is_document = true;
        m_line = 0;
        do {
            if (m_document.size() + m_input.size() > m_line_bytes_max)
                throw Error(ErrorKind::input, fmt::format("is one JSON document of more than {} bytes, too large to hold", m_line_bytes_max),
                            "Write one measurement a line instead: jq -c . FILE > NEW.jsonl", m_report.path);
            m_document.append(m_input.begin(), m_input.size());
            m_input.consume(m_input.size());
        } while (m_input.fill());
        while (!m_document.empty() && static_cast<unsigned char>(m_document.back()) <= ' ') m_document.pop_back();
        m_document_bytes = m_document.size();
        m_document.append(InputBuffer::padding_bytes, ' ');
        Measurement probe;
        if (m_reader.read(std::string_view(m_document).substr(0, m_document_bytes), probe) == MeasurementReader::Result::no_json)
            throw Error(ErrorKind::input, "is no valid JSON, neither one measurement a line nor as a whole", "Check the file with: jq . FILE",
                        m_report.path);
    }

    void read_one(std::string_view line, MeasurementBatch& batch, std::size_t& items) {
        const auto text = trimmed(line);
        if (text.empty()) return;
        if (batch.rows.size() <= batch.size) batch.rows.emplace_back();
        auto& row = batch.rows[batch.size];
        if (room_of(row) > items_kept_max) row = Measurement();
        else row.clear();
        const auto result = m_reader.read(text, row);
        const auto skip = [&](std::string_view reason) { m_report.tally.skip(reason, where(), text.substr(0, Tally::example_bytes_max)); };
        using Result = MeasurementReader::Result;
        if (result == Result::no_json) return skip("line is no JSON");
        if (result == Result::no_object) return skip("line is no JSON object");
        if (result == Result::no_measurement) return skip("no measurement: there is no test_name");
        row.where = {m_evidence, m_is_document ? 1 : m_line};
        if (m_reader.is_cut()) m_report.tally.note("lists longer than can be held were cut");
        if (!is_read_whole(row.test_name)) m_report.tally.note("measurements of tests of which only the envelope and plain test keys are used");
        if (row.has_start) m_times.add(row.start_us);
        else m_report.tally.note("measurements without a start time that is understood");
        m_report.tally.keep();
        items += m_reader.items();
        ++batch.size;
    }

    static std::size_t room_of(const Measurement& m) {
        return m.keys.capacity() + m.queries.capacity() + m.duplicate_answers.capacity() + m.answers.capacity() + m.connects.capacity() +
               m.handshakes.capacity() + m.requests.capacity() + m.headers.capacity() + m.targets.capacity() + m.transfers.capacity() +
               m.control.dns_addresses.capacity() + m.control.connects.capacity() + m.control.handshakes.capacity() +
               m.control.addresses.capacity();
    }

    void finish() {
        if (m_is_finished) return;
        m_is_finished = true;
        m_input.stream().finish(m_report);
        m_report.time_first_us = m_times.first_us();
        m_report.time_last_us = m_times.last_us();
        m_report.time_resolution = m_times.resolution();
    }

    InputBuffer m_input;
    std::uint32_t m_evidence;
    std::size_t m_line_bytes_max;
    MeasurementReader m_reader;
    SourceReport m_report;
    TimeTracker m_times;
    std::string m_document;
    std::size_t m_document_bytes = 0;
    std::uint64_t m_line = 0;
    bool m_is_document = false;
    bool m_is_document_given = false;
    bool m_is_finished = false;
};

}  // namespace

bool is_measurements(std::string_view head) {
    if (head.starts_with("\xEF\xBB\xBF")) head.remove_prefix(3);
    head = trimmed(head);
    if (!head.starts_with('{')) return false;
    // What a test found may stand before all else and fill the head; nobody else has a member of this name.
    if (head.find("\"test_keys\"") != std::string_view::npos) return true;
    constexpr std::string_view names[] = {"\"measurement_start_time\"", "\"probe_asn\"", "\"probe_cc\"", "\"test_name\"",
                                          "\"test_start_time\"", "\"data_format_version\"", "\"probe_network_name\""};
    return std::count_if(std::begin(names), std::end(names), [&](std::string_view name) { return head.find(name) != std::string_view::npos; }) >= 2;
}

bool is_measurements_file(const std::string& path) {
    try {
        ByteStream stream(open_file_input(path), path, EvidenceLimits{});
        std::string head(head_bytes, '\0');
        std::size_t size = 0;
        while (size < head.size()) {
            const std::size_t more = stream.read(head.data() + size, head.size() - size);
            if (more == 0) break;
            size += more;
        }
        return is_measurements(std::string_view(head).substr(0, size));
    } catch (const Error&) {
        return false;
    }
}

std::unique_ptr<MeasurementSource> open_measurements_from(std::unique_ptr<RawInput> input, const std::string& path, std::uint32_t evidence,
                                                          const EvidenceLimits& limits) {
    InputBuffer buffer(ByteStream(std::move(input), path, limits), limits);
    while (buffer.size() < head_bytes && buffer.fill()) {
    }
    const std::string_view head(buffer.begin(), std::min(buffer.size(), head_bytes));
    auto text = head;
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    text = trimmed(text);
    if (text.starts_with('[') && is_measurements(text.substr(1)))
        throw Error(ErrorKind::input, "is one JSON array of OONI measurements, and one measurement a line is wanted", "Turn it into lines: jq -c '.[]' FILE > NEW.jsonl", path);
    if (!is_measurements(head))
        throw Error(ErrorKind::input,
                    fmt::format("is neither a packet capture nor OONI measurements, which begin with an object that has probe_asn, test_name and the like; it begins with \"{}\"",
                                printable(head.substr(0, 32), 60)),
                    "Give a packet capture (pcap, pcapng), or measurements as JSON lines as the archive of OONI has them; 'unveil inspect' says what a file is", path);
    return std::make_unique<OoniSource>(std::move(buffer), path, evidence, limits);
}

std::unique_ptr<MeasurementSource> open_measurements(const std::string& path, std::uint32_t evidence) {
    return open_measurements_from(open_file_input(path), path, evidence, EvidenceLimits{});
}

}  // namespace unveil
