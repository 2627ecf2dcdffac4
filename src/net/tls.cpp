#include "net/tls.hpp"

#include <algorithm>

#include "net/byte_cursor.hpp"

namespace unveil {
namespace {

constexpr std::uint8_t record_change_cipher = 20, record_alert = 21, record_handshake = 22, record_application = 23;
constexpr std::uint8_t message_hello_request = 0, message_client_hello = 1, message_server_hello = 2, message_certificate = 11,
                       message_server_hello_done = 14;
constexpr std::size_t record_header_bytes = 5;
constexpr std::size_t record_bytes_max = (1u << 14) + 2048;  // RFC 5246, 6.2.3
constexpr std::size_t message_header_bytes = 4;
constexpr std::size_t message_bytes_max = 64u << 10;
constexpr std::size_t flight_bytes_max = 256u << 10;
constexpr std::size_t certificates_max = 8;
constexpr std::uint16_t version_tls13 = 0x0304;

// SHA-256 of "HelloRetryRequest" in place of the random (RFC 8446, 4.1.3).
constexpr std::array<std::uint8_t, 32> retry_random = {0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C, 0x02, 0x1E, 0x65, 0xB8, 0x91,
                                                       0xC2, 0xA2, 0x11, 0x16, 0x7A, 0xBB, 0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C};

std::string_view text_of(std::span<const std::uint8_t> bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

void clear(ClientHello& hello) {
    hello.legacy_version = 0;
    hello.random.fill(0);
    hello.session_id_bytes = 0;
    hello.server_name.clear();
    hello.has_server_name = false;
    hello.server_name_offset = 0;
    hello.cipher_suites.clear();
    hello.extensions.clear();
    hello.alpn.clear();
    hello.supported_versions.clear();
    hello.has_ech = hello.has_esni = false;
    hello.esni_extension = 0;
}

bool read_numbers(std::span<const std::uint8_t> bytes, std::vector<std::uint16_t>& numbers) {
    if (bytes.size() % 2 != 0) return false;
    for (ByteCursor cursor(bytes); !cursor.is_at_end();) numbers.push_back(cursor.u16());
    return true;
}

bool read_server_name(std::span<const std::uint8_t> extension, std::size_t offset, ClientHello& hello) {
    if (extension.empty()) return true;  // as a server would answer it; says nothing
    ByteCursor cursor(extension);
    if (cursor.u16() != extension.size() - 2 || !cursor.is_ok()) return false;
    while (!cursor.is_at_end()) {
        const std::uint8_t type = cursor.u8();
        const std::uint16_t length = cursor.u16();
        const std::size_t begin = cursor.position();
        const auto name = cursor.bytes(length);
        if (!cursor.is_ok()) return false;
        if (type != 0 || hello.has_server_name) continue;
        hello.server_name.assign(text_of(name));
        hello.has_server_name = true;
        hello.server_name_offset = static_cast<std::uint32_t>(offset + begin);
    }
    return true;
}

bool read_alpn(std::span<const std::uint8_t> extension, std::vector<std::string>& alpn) {
    ByteCursor cursor(extension);
    if (cursor.u16() != extension.size() - 2 || !cursor.is_ok()) return false;
    while (!cursor.is_at_end()) {
        const auto name = cursor.bytes(cursor.u8());
        if (!cursor.is_ok()) return false;
        alpn.emplace_back(text_of(name));
    }
    return true;
}

bool read_extension(std::uint16_t type, std::span<const std::uint8_t> extension, std::size_t offset, ClientHello& hello) {
    switch (type) {
        case 0: return read_server_name(extension, offset, hello);
        case 16: return hello.alpn.empty() ? read_alpn(extension, hello.alpn) : true;
        case 43:
            if (extension.empty() || extension[0] != extension.size() - 1) return false;
            return hello.supported_versions.empty() ? read_numbers(extension.subspan(1), hello.supported_versions) : true;
        case 0xFE0D: hello.has_ech = true; return true;
        case 0xFFCE:
        case 0xFF02:
        case 0xFF03:
        case 0xFF04:
            hello.has_esni = true;
            hello.esni_extension = type;
            return true;
        default: return true;
    }
}

/// Of a message that is cut, whatever is whole is read. `cursor` stands behind the message's header.
TlsParse parse_client_hello_body(ByteCursor cursor, bool is_cut, ClientHello& hello) {
    const TlsParse at_end = is_cut ? TlsParse::need_more : TlsParse::malformed;
    hello.legacy_version = cursor.u16();
    const auto random = cursor.bytes(hello.random.size());
    std::copy(random.begin(), random.end(), hello.random.begin());
    const std::uint8_t session_bytes = cursor.u8();
    if (session_bytes > 32) return TlsParse::malformed;
    hello.session_id_bytes = session_bytes;
    cursor.bytes(session_bytes);
    const auto suites = cursor.bytes(cursor.u16());
    const auto compressions = cursor.bytes(cursor.u8());
    if (!cursor.is_ok()) return at_end;
    if (compressions.empty() || !read_numbers(suites, hello.cipher_suites)) return TlsParse::malformed;
    if (cursor.is_at_end()) return is_cut ? TlsParse::need_more : TlsParse::done;  // before RFC 3546 there were no extensions
    const std::uint16_t extensions_bytes = cursor.u16();
    if (!cursor.is_ok()) return at_end;
    if (is_cut ? extensions_bytes < cursor.remaining() : extensions_bytes != cursor.remaining()) return TlsParse::malformed;
    while (!cursor.is_at_end()) {
        const std::uint16_t type = cursor.u16();
        const std::uint16_t length = cursor.u16();
        const std::size_t offset = cursor.position();
        const auto extension = cursor.bytes(length);
        if (!cursor.is_ok()) return at_end;
        hello.extensions.push_back(type);
        if (!read_extension(type, extension, offset, hello)) return TlsParse::malformed;
    }
    return is_cut ? TlsParse::need_more : TlsParse::done;
}

/// What the first bytes of a message say: done when the whole of a ClientHello is there.
TlsParse is_whole_hello(std::span<const std::uint8_t> message) {
    if (message.empty()) return TlsParse::need_more;
    if (message[0] != message_client_hello) return TlsParse::not_tls;
    if (message.size() < message_header_bytes) return TlsParse::need_more;
    const std::size_t length = std::size_t{message[1]} << 16 | std::size_t{message[2]} << 8 | message[3];
    if (length > message_bytes_max) return TlsParse::malformed;
    return message.size() - message_header_bytes < length ? TlsParse::need_more : TlsParse::done;
}

struct Record {
    std::uint8_t type = 0;
    std::span<const std::uint8_t> bytes;  // as far as they are there
    bool is_whole = false;
};

/// The record at the front of the cursor's bytes. False when it is none.
bool read_record(ByteCursor& cursor, Record& record) {
    record.type = cursor.u8();
    const std::uint8_t major = cursor.u8();
    const std::uint8_t minor = cursor.u8();
    const std::uint16_t length = cursor.u16();
    if (!cursor.is_ok() || major != 3 || minor > 4 || length > record_bytes_max || record.type < record_change_cipher ||
        record.type > record_application)
        return false;
    record.bytes = cursor.up_to(length);
    record.is_whole = record.bytes.size() == length;
    return true;
}

/// Whether fewer bytes than a record's header can be the beginning of one.
bool may_begin_record(std::span<const std::uint8_t> bytes, std::uint8_t type_min, std::uint8_t type_max) {
    return (bytes.empty() || (bytes[0] >= type_min && bytes[0] <= type_max)) && (bytes.size() < 2 || bytes[1] == 3) &&
           (bytes.size() < 3 || bytes[2] <= 4);
}

// Messages that span records are put together here, so that a stream costs no allocation.
std::vector<std::uint8_t>& joined_bytes() {
    thread_local std::vector<std::uint8_t> bytes;
    bytes.clear();
    return bytes;
}

bool read_server_hello(std::span<const std::uint8_t> body, ServerHello& hello) {
    ByteCursor cursor(body);
    hello.version = cursor.u16();
    const auto random = cursor.bytes(retry_random.size());
    const auto session = cursor.bytes(cursor.u8());
    hello.cipher_suite = cursor.u16();
    cursor.u8();
    if (!cursor.is_ok() || session.size() > 32) return false;
    hello.is_retry = std::equal(random.begin(), random.end(), retry_random.begin());
    if (cursor.is_at_end()) return true;
    if (cursor.u16() != cursor.remaining() || !cursor.is_ok()) return false;
    while (!cursor.is_at_end()) {
        const std::uint16_t type = cursor.u16();
        const auto extension = cursor.bytes(cursor.u16());
        if (!cursor.is_ok()) return false;
        if (type == 43 && extension.size() == 2) hello.version = ByteCursor(extension).u16();
    }
    return true;
}

/// `body` may be cut; the certificates that are whole are kept.
bool read_certificates(std::span<const std::uint8_t> body, bool is_whole, ServerFlight& flight) {
    ByteCursor cursor(body);
    const std::uint32_t list_bytes = cursor.u24();
    if (!cursor.is_ok()) return !is_whole;
    if (is_whole && list_bytes != cursor.remaining()) return false;
    std::size_t kept_bytes = 0;
    while (!cursor.is_at_end()) {
        const auto der = cursor.bytes(cursor.u24());
        if (!cursor.is_ok()) return !is_whole;
        if (flight.certificates_der.size() == certificates_max || kept_bytes + der.size() > message_bytes_max) return true;
        kept_bytes += der.size();
        flight.certificates_der.emplace_back(der.begin(), der.end());
    }
    return true;
}

/// done once no further plain message can follow.
TlsParse read_flight_messages(std::span<const std::uint8_t> messages, ServerFlight& flight) {
    ByteCursor cursor(messages);
    while (!cursor.is_at_end()) {
        const std::uint8_t type = cursor.u8();
        if (!flight.has_hello && type != message_server_hello && type != message_hello_request) return TlsParse::not_tls;
        const std::uint32_t length = cursor.u24();
        if (!cursor.is_ok()) return TlsParse::need_more;
        if (length > flight_bytes_max) return TlsParse::malformed;
        const auto body = cursor.up_to(length);
        const bool is_whole = body.size() == length;
        if (type == message_certificate && flight.certificates_der.empty() && !read_certificates(body, is_whole, flight)) return TlsParse::malformed;
        if (!is_whole) return TlsParse::need_more;
        if (type == message_server_hello) {
            if (flight.has_hello && !flight.hello.is_retry) return TlsParse::malformed;
            ServerHello hello;
            if (!read_server_hello(body, hello)) return TlsParse::malformed;
            flight.hello = hello;
            flight.has_hello = true;
            if (hello.version >= version_tls13) return TlsParse::done;
        }
        if (type == message_server_hello_done) return TlsParse::done;
    }
    return TlsParse::need_more;
}

}  // namespace

TlsParse parse_client_hello_message(std::span<const std::uint8_t> message, ClientHello& hello) {
    clear(hello);
    const TlsParse whole = is_whole_hello(message);
    if (whole != TlsParse::done && (whole != TlsParse::need_more || message.size() < message_header_bytes)) return whole;
    const bool is_cut = whole == TlsParse::need_more;
    ByteCursor header(message);
    header.u8();
    ByteCursor cursor(is_cut ? message : message.first(message_header_bytes + header.u24()));
    cursor.u32();
    return parse_client_hello_body(cursor, is_cut, hello);
}

TlsParse parse_client_hello(std::span<const std::uint8_t> stream, ClientHello& hello, std::uint32_t* bytes_used) {
    clear(hello);
    if (bytes_used != nullptr) *bytes_used = 0;
    if (!may_begin_record(stream, record_handshake, record_handshake)) return TlsParse::not_tls;
    ByteCursor cursor(stream);
    std::vector<std::uint8_t>* joined = nullptr;
    std::span<const std::uint8_t> message;
    TlsParse whole = TlsParse::need_more;
    while (whole == TlsParse::need_more && cursor.remaining() >= record_header_bytes) {
        Record record;
        if (!read_record(cursor, record) || record.type != record_handshake || (record.is_whole && record.bytes.empty()))
            return message.empty() ? TlsParse::not_tls : TlsParse::malformed;
        if (message.empty()) {
            message = record.bytes;
        } else {
            if (joined == nullptr) {
                joined = &joined_bytes();
                joined->assign(message.begin(), message.end());
            }
            joined->insert(joined->end(), record.bytes.begin(), record.bytes.end());
            message = *joined;
        }
        whole = is_whole_hello(message);
    }
    if (whole == TlsParse::need_more && !may_begin_record(stream.subspan(cursor.position()), record_handshake, record_handshake))
        return TlsParse::malformed;
    const TlsParse parse = parse_client_hello_message(message, hello);
    if (parse == TlsParse::done && bytes_used != nullptr) *bytes_used = static_cast<std::uint32_t>(cursor.position());
    return parse;
}

TlsParse parse_server_flight(std::span<const std::uint8_t> stream, ServerFlight& flight) {
    flight.has_hello = flight.has_alert = false;
    flight.hello = {};
    flight.certificates_der.clear();
    flight.alert_level = flight.alert_description = 0;
    if (!may_begin_record(stream, record_alert, record_handshake)) return TlsParse::not_tls;

    auto& messages = joined_bytes();
    ByteCursor cursor(stream);
    bool is_over = false;
    TlsParse ending = TlsParse::need_more;
    while (!is_over && cursor.remaining() >= record_header_bytes) {
        const bool is_first = cursor.position() == 0;
        Record record;
        if (!read_record(cursor, record)) {
            if (is_first) return TlsParse::not_tls;
            ending = TlsParse::malformed;
            break;
        }
        switch (record.type) {
            case record_handshake:
                if (messages.size() + record.bytes.size() > flight_bytes_max) {
                    ending = TlsParse::malformed;
                    is_over = true;
                    break;
                }
                messages.insert(messages.end(), record.bytes.begin(), record.bytes.end());
                break;
            case record_alert:
                if (!record.is_whole) break;
                if (record.bytes.size() == 2) {
                    flight.has_alert = true;
                    flight.alert_level = record.bytes[0];
                    flight.alert_description = record.bytes[1];
                    // After a warning such as unrecognized_name the handshake goes on; close_notify ends it.
                    is_over = flight.alert_level != 1 || flight.alert_description == 0;
                } else {
                    is_over = true;
                }
                if (is_over) ending = flight.has_alert || !messages.empty() ? TlsParse::done : TlsParse::not_tls;
                break;
            default:  // what follows is encrypted
                is_over = true;
                ending = TlsParse::done;
                break;
        }
    }
    const TlsParse parse = read_flight_messages(messages, flight);
    if (parse != TlsParse::need_more) return parse;
    if (ending == TlsParse::done && !flight.has_hello && !flight.has_alert) return TlsParse::malformed;
    return ending;
}

}  // namespace unveil
