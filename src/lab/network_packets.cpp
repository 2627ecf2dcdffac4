#include "lab/network_packets.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <bit>
#include <memory>

#include "core/error.hpp"

namespace unveil::lab {
namespace {

void put8(std::string& out, std::uint64_t value) { out += static_cast<char>(value & 0xff); }
void put16(std::string& out, std::uint64_t value) {
    put8(out, value >> 8);
    put8(out, value);
}
void put32(std::string& out, std::uint64_t value) {
    put16(out, value >> 16);
    put16(out, value);
}
void put32_little(std::string& out, std::uint64_t value) {
    for (int shift = 0; shift < 32; shift += 8) put8(out, value >> shift);
}
void set16(std::string& out, std::size_t at, std::uint64_t value) {
    out[at] = static_cast<char>(value >> 8 & 0xff);
    out[at + 1] = static_cast<char>(value & 0xff);
}

/// A vector of TLS: its length in 1, 2 or 3 bytes, then its bytes.
std::string with_length(std::string_view bytes, int length_bytes) {
    std::string out;
    for (int i = length_bytes - 1; i >= 0; --i) put8(out, bytes.size() >> (8 * i));
    out += bytes;
    return out;
}

std::string_view address_bytes(const WireAddress& address) {
    return {reinterpret_cast<const char*>(address.bytes.data()), address.is_v6 ? std::size_t{16} : std::size_t{4}};
}

void append_ethernet_and_ip(std::string& out, const IpFields& ip, std::uint8_t protocol, std::size_t segment_bytes) {
    put16(out, ip.mac_to >> 32);
    put32(out, ip.mac_to);
    put16(out, ip.mac_from >> 32);
    put32(out, ip.mac_from);
    if (ip.from.is_v6) {
        put16(out, 0x86dd);
        put32(out, 0x60000000);
        put16(out, segment_bytes);
        put8(out, protocol);
        put8(out, ip.ttl);
        out += address_bytes(ip.from);
        out += address_bytes(ip.to);
        return;
    }
    put16(out, 0x0800);
    const std::size_t begin = out.size();
    put16(out, 0x4500);
    put16(out, 20 + segment_bytes);
    put16(out, ip.id);
    put16(out, ip.dont_fragment ? 0x4000 : 0);
    put8(out, ip.ttl);
    put8(out, protocol);
    put16(out, 0);
    out += address_bytes(ip.from);
    out += address_bytes(ip.to);
    set16(out, begin + 10, internet_checksum(internet_sum(std::string_view(out).substr(begin, 20))));
}

std::uint32_t pseudo_header_sum(const IpFields& ip, std::uint8_t protocol, std::size_t segment_bytes) {
    std::uint32_t sum = internet_sum(address_bytes(ip.from));
    sum = internet_sum(address_bytes(ip.to), sum);
    return sum + protocol + static_cast<std::uint32_t>(segment_bytes);
}

std::string dns_name(std::string_view name) {
    std::string out;
    while (!name.empty()) {
        const std::size_t end = std::min(name.find('.'), name.size());
        out += with_length(name.substr(0, end), 1);
        name.remove_prefix(std::min(end + 1, name.size()));
    }
    put8(out, 0);
    return out;
}

void append_opt(std::string& out, std::uint16_t udp_bytes) {
    put8(out, 0);
    put16(out, 41);
    put16(out, udp_bytes);
    put32(out, 0);
    put16(out, 0);
}

std::string tls_record(std::uint8_t type, std::uint16_t version, std::string_view fragment) {
    std::string out;
    put8(out, type);
    put16(out, version);
    return out + with_length(fragment, 2);
}

std::string handshake_message(std::uint8_t type, std::string_view body) {
    std::string out;
    put8(out, type);
    return out + with_length(body, 3);
}

std::string extension(std::uint16_t type, std::string_view body) {
    std::string out;
    put16(out, type);
    return out + with_length(body, 2);
}

/// RFC 9000, 16.
std::string quic_integer(std::uint64_t value) {
    std::string out;
    if (value < 64)
        put8(out, value);
    else if (value < 16384)
        put16(out, value | 0x4000);
    else
        put32(out, value | 0x80000000);
    return out;
}

std::string transport_parameters(std::string_view source_connection_id) {
    const auto parameter = [](std::uint64_t id, std::string_view value) { return quic_integer(id) + quic_integer(value.size()) + std::string(value); };
    return parameter(0x01, quic_integer(30000)) + parameter(0x03, quic_integer(1472)) + parameter(0x04, quic_integer(1048576)) +
           parameter(0x05, quic_integer(262144)) + parameter(0x08, quic_integer(100)) + parameter(0x0f, source_connection_id);
}

std::string hmac_sha256(std::string_view key, std::string_view bytes) {
    std::string out(32, '\0');
    unsigned length = 32;
    if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
             reinterpret_cast<unsigned char*>(out.data()), &length) == nullptr)
        throw Error(ErrorKind::run, "OpenSSL refuses HMAC", "Check the installation of OpenSSL");
    return out;
}

/// HKDF-Expand-Label of RFC 8446, 7.1, for outputs of at most 32 bytes.
std::string expand_label(std::string_view secret, std::string_view label, std::size_t bytes) {
    std::string info;
    put16(info, bytes);
    info += with_length("tls13 " + std::string(label), 1);
    put8(info, 0);
    put8(info, 1);
    return hmac_sha256(secret, info).substr(0, bytes);
}

using Cipher = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

const unsigned char* raw(std::string_view bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }
unsigned char* raw(std::string& bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }

/// AES-128-GCM; the tag follows the ciphertext.
std::string sealed(std::string_view key, std::string_view nonce, std::string_view additional, std::string_view plain) {
    const Cipher cipher(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
    std::string out(plain.size() + 16, '\0');
    int length = 0;
    const bool is_done = EVP_EncryptInit_ex(cipher.get(), EVP_aes_128_gcm(), nullptr, raw(key), raw(nonce)) == 1 &&
                         EVP_EncryptUpdate(cipher.get(), nullptr, &length, raw(additional), static_cast<int>(additional.size())) == 1 &&
                         EVP_EncryptUpdate(cipher.get(), raw(out), &length, raw(plain), static_cast<int>(plain.size())) == 1 &&
                         EVP_EncryptFinal_ex(cipher.get(), raw(out) + length, &length) == 1 &&
                         EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, 16, raw(out) + plain.size()) == 1;
    if (!is_done) throw Error(ErrorKind::run, "OpenSSL refuses AES-128-GCM", "Check the installation of OpenSSL");
    return out;
}

std::string aes_block(std::string_view key, std::string_view block) {
    const Cipher cipher(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
    std::string out(32, '\0');
    int length = 0;
    if (EVP_EncryptInit_ex(cipher.get(), EVP_aes_128_ecb(), nullptr, raw(key), nullptr) != 1 ||
        EVP_EncryptUpdate(cipher.get(), raw(out), &length, raw(block), 16) != 1)
        throw Error(ErrorKind::run, "OpenSSL refuses AES-128", "Check the installation of OpenSSL");
    return out.substr(0, 16);
}

std::string crypto_frame(std::string_view message) { return quic_integer(0x06) + quic_integer(0) + quic_integer(message.size()) + std::string(message); }

bool is_printable(char c) { return c >= 0x20 && c <= 0x7e; }

/// Whether a censor of fully encrypted traffic would let the payload through at once.
bool is_exempt(std::string_view bytes) {
    std::size_t bits = 0, printable = 0, run = 0, longest = 0;
    for (const char c : bytes) {
        bits += static_cast<std::size_t>(std::popcount(static_cast<std::uint8_t>(c)));
        run = is_printable(c) ? run + 1 : 0;
        printable += is_printable(c) ? 1 : 0;
        longest = std::max(longest, run);
    }
    const double share = static_cast<double>(bits) / static_cast<double>(bytes.size());
    const bool begins_printable = bytes.size() >= 6 && std::all_of(bytes.begin(), bytes.begin() + 6, is_printable);
    const bool is_like_tls = bytes.size() >= 2 && (bytes[0] == 0x16 || bytes[0] == 0x17) && bytes[1] == 0x03;
    return share <= 3.5 || share >= 4.5 || begins_printable || printable * 2 > bytes.size() || longest > 20 || is_like_tls;
}

}  // namespace

std::string WireAddress::text() const {
    char buffer[INET6_ADDRSTRLEN];
    return inet_ntop(is_v6 ? AF_INET6 : AF_INET, bytes.data(), buffer, sizeof buffer);
}

WireAddress wire_v4(std::uint32_t address) {
    WireAddress wire;
    for (std::size_t i = 0; i < 4; ++i) wire.bytes[i] = static_cast<std::uint8_t>(address >> (24 - 8 * i));
    return wire;
}

std::uint32_t internet_sum(std::string_view bytes, std::uint32_t sum) {
    std::uint64_t wide = sum;
    std::size_t i = 0;
    for (; i + 1 < bytes.size(); i += 2) wide += static_cast<std::uint32_t>(static_cast<std::uint8_t>(bytes[i]) << 8 | static_cast<std::uint8_t>(bytes[i + 1]));
    if (i < bytes.size()) wide += static_cast<std::uint32_t>(static_cast<std::uint8_t>(bytes[i]) << 8);
    while (wide >> 32 != 0) wide = (wide & 0xffffffff) + (wide >> 32);
    return static_cast<std::uint32_t>(wide);
}

std::uint16_t internet_checksum(std::uint32_t sum) {
    while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(~sum);
}

void append_tcp_frame(std::string& out, const IpFields& ip, const TcpFields& tcp, std::string_view payload) {
    // In the order that Linux uses.
    std::string options;
    if (tcp.mss != 0) {
        put16(options, 0x0204);
        put16(options, tcp.mss);
    }
    if (tcp.permits_sack) {
        if (!tcp.timestamps) put16(options, 0x0101);
        put16(options, 0x0402);
    }
    if (tcp.timestamps) {
        if (!tcp.permits_sack) put16(options, 0x0101);
        put16(options, 0x080a);
        put32(options, (*tcp.timestamps)[0]);
        put32(options, (*tcp.timestamps)[1]);
    }
    if (tcp.window_shift) {
        put16(options, 0x0103);
        put8(options, 3);
        put8(options, *tcp.window_shift);
    }
    while (options.size() % 4 != 0) put8(options, 1);

    const std::size_t segment_bytes = 20 + options.size() + payload.size();
    append_ethernet_and_ip(out, ip, 6, segment_bytes);
    const std::size_t begin = out.size();
    put16(out, tcp.from_port);
    put16(out, tcp.to_port);
    put32(out, tcp.seq);
    put32(out, tcp.ack);
    put8(out, (20 + options.size()) / 4 << 4);
    put8(out, tcp.flags);
    put16(out, tcp.window);
    put32(out, 0);
    out += options;
    out += payload;
    set16(out, begin + 16, internet_checksum(internet_sum(std::string_view(out).substr(begin), pseudo_header_sum(ip, 6, segment_bytes))));
}

void append_udp_frame(std::string& out, const IpFields& ip, std::uint16_t from_port, std::uint16_t to_port, std::string_view payload) {
    const std::size_t segment_bytes = 8 + payload.size();
    append_ethernet_and_ip(out, ip, 17, segment_bytes);
    const std::size_t begin = out.size();
    put16(out, from_port);
    put16(out, to_port);
    put16(out, segment_bytes);
    put16(out, 0);
    out += payload;
    const std::uint16_t checksum = internet_checksum(internet_sum(std::string_view(out).substr(begin), pseudo_header_sum(ip, 17, segment_bytes)));
    set16(out, begin + 6, checksum == 0 ? 0xffff : checksum);
}

std::string dns_query(std::uint16_t id, std::string_view name, std::uint16_t type, bool has_edns) {
    std::string out;
    put16(out, id);
    put16(out, 0x0100);
    put16(out, 1);
    put32(out, 0);
    put16(out, has_edns ? 1 : 0);
    out += dns_name(name);
    put16(out, type);
    put16(out, 1);
    if (has_edns) append_opt(out, 1232);
    return out;
}

std::string dns_answer(const DnsAnswerFields& fields) {
    std::string out;
    put16(out, fields.id);
    put16(out, fields.flags);
    put16(out, 1);
    put16(out, fields.addresses.size());
    put16(out, 0);
    put16(out, fields.has_edns ? 1 : 0);
    out += dns_name(fields.name);
    put16(out, fields.type);
    put16(out, 1);
    for (const WireAddress& address : fields.addresses) {
        put16(out, 0xc00c);
        put16(out, fields.type);
        put16(out, 1);
        put32(out, fields.ttl_seconds);
        out += with_length(address_bytes(address), 2);
    }
    if (fields.has_edns) append_opt(out, 1232);
    return out;
}

std::string random_bytes(std::size_t bytes, Random& random) {
    std::string out;
    out.reserve(bytes + 8);
    while (out.size() < bytes) {
        const std::uint64_t word = random.next();
        for (int shift = 0; shift < 64; shift += 8) put8(out, word >> shift);
    }
    out.resize(bytes);
    return out;
}

std::string tls_client_hello(const ClientHelloFields& fields, Random& random) {
    std::string body;
    put16(body, 0x0303);
    body += random_bytes(32, random);
    body += with_length(fields.is_quic ? std::string() : random_bytes(32, random), 1);
    std::string suites;
    for (const int suite : {0x1301, 0x1302, 0x1303}) put16(suites, static_cast<std::uint64_t>(suite));
    if (!fields.is_quic)
        for (const int suite : {0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8}) put16(suites, static_cast<std::uint64_t>(suite));
    body += with_length(suites, 2);
    body += with_length(std::string(1, '\0'), 1);

    std::string extensions;
    if (!fields.server_name.empty()) {
        std::string entry(1, '\0');
        entry += with_length(fields.server_name, 2);
        extensions += extension(0, with_length(entry, 2));
    }
    std::string groups;
    for (const int group : {0x001d, 0x0017, 0x0018}) put16(groups, static_cast<std::uint64_t>(group));
    extensions += extension(10, with_length(groups, 2));
    std::string signatures;
    for (const int one : {0x0403, 0x0804, 0x0401, 0x0503, 0x0805}) put16(signatures, static_cast<std::uint64_t>(one));
    extensions += extension(13, with_length(signatures, 2));
    extensions += extension(16, with_length(with_length(fields.protocol, 1), 2));
    extensions += extension(43, with_length(std::string("\x03\x04\x03\x03", fields.is_quic ? 2 : 4), 1));
    extensions += extension(45, with_length("\x01", 1));
    std::string share;
    put16(share, 0x001d);
    share += with_length(random_bytes(32, random), 2);
    extensions += extension(51, with_length(share, 2));
    if (fields.is_quic) extensions += extension(57, transport_parameters(fields.quic_source_connection_id));
    const std::size_t so_far = (fields.is_quic ? 4 : 9) + body.size() + 2 + extensions.size();
    if (fields.bytes_min > so_far + 4) extensions += extension(21, std::string(fields.bytes_min - so_far - 4, '\0'));
    body += with_length(extensions, 2);
    const std::string message = handshake_message(1, body);
    return fields.is_quic ? message : tls_record(22, 0x0301, message);
}

std::string tls_server_hello_message(Random& random) {
    std::string body;
    put16(body, 0x0303);
    body += random_bytes(32, random);
    body += with_length(std::string_view(), 1);
    put16(body, 0x1301);
    put8(body, 0);
    std::string extensions = extension(43, std::string_view("\x03\x04", 2));
    std::string share;
    put16(share, 0x001d);
    share += with_length(random_bytes(32, random), 2);
    extensions += extension(51, share);
    body += with_length(extensions, 2);
    return handshake_message(2, body);
}

std::string tls_server_hello(Random& random) { return tls_record(22, 0x0303, tls_server_hello_message(random)) + tls_record(20, 0x0303, "\x01"); }

std::string certificate_der(const CertificateFields& fields, Random& random) {
    const auto element = [](int tag, std::string_view content) {
        std::string out;
        put8(out, static_cast<std::uint64_t>(tag));
        if (content.size() >= 256) {
            put8(out, 0x82);
            put16(out, content.size());
        } else {
            if (content.size() >= 128) put8(out, 0x81);
            put8(out, content.size());
        }
        return out.append(content);
    };
    const auto attribute = [&](char type, std::string_view text) {
        return element(0x31, element(0x30, element(0x06, std::string("\x55\x04") + type) + element(0x0c, text)));
    };
    std::string issuer = fields.issuer_organisation.empty() ? std::string() : attribute(10, fields.issuer_organisation);
    issuer += attribute(3, fields.issuer_common_name);
    const std::string algorithm = element(0x30, element(0x06, std::string_view("\x2a\x86\x48\xce\x3d\x04\x03\x02", 8)));
    const std::string key = element(0x30, element(0x30, element(0x06, std::string_view("\x2a\x86\x48\xce\x3d\x02\x01", 7))) + element(0x03, std::string(1, '\0') + random_bytes(65, random)));
    std::string body = element(0xa0, element(0x02, std::string(1, '\2'))) + element(0x02, "\x01" + random_bytes(15, random)) + algorithm + element(0x30, issuer) +
                       element(0x30, element(0x17, "240101000000Z") + element(0x17, "250101000000Z")) + element(0x30, attribute(3, fields.common_name)) + key;
    std::string names;
    for (const std::string& name : fields.names) names += element(0x82, name);
    if (!names.empty()) body += element(0xa3, element(0x30, element(0x30, element(0x06, std::string_view("\x55\x1d\x11", 3)) + element(0x04, element(0x30, names)))));
    return element(0x30, element(0x30, body) + algorithm + element(0x03, std::string(1, '\0') + random_bytes(70, random)));
}

std::string tls12_server_flight(std::span<const std::string> chain, std::size_t bytes, Random& random) {
    std::string hello;
    put16(hello, 0x0303);
    hello += random_bytes(32, random);
    hello += with_length(random_bytes(32, random), 1);
    put16(hello, 0xc02f);
    put8(hello, 0);
    hello += with_length(extension(0xff01, std::string_view("\0", 1)), 2);
    std::string list;
    for (const std::string& der : chain) list += with_length(der, 3);
    const std::string first = tls_record(22, 0x0303, handshake_message(2, hello) + handshake_message(11, with_length(list, 3)));
    const std::string done = tls_record(22, 0x0303, handshake_message(14, {}));
    constexpr std::size_t headers_bytes = 9;
    const std::size_t so_far = first.size() + done.size() + headers_bytes;
    const std::string exchange = random_bytes(bytes > so_far ? bytes - so_far : 0, random);
    return first + tls_record(22, 0x0303, handshake_message(12, exchange)) + done;
}

std::string tls12_client_finish(Random& random) {
    return tls_record(22, 0x0303, handshake_message(16, with_length(random_bytes(65, random), 1))) + tls_record(20, 0x0303, "\x01") + tls_record(22, 0x0303, random_bytes(40, random));
}

std::string tls12_server_finish(Random& random) { return tls_record(20, 0x0303, "\x01") + tls_record(22, 0x0303, random_bytes(40, random)); }

std::string tls_client_finish(Random& random) { return tls_record(20, 0x0303, "\x01") + tls_record(23, 0x0303, random_bytes(53, random)); }

std::string tls_application_header(std::size_t bytes) {
    std::string out("\x17\x03\x03", 3);
    put16(out, bytes);
    return out;
}

std::string http_request(std::string_view host, std::string_view path) {
    return fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Firefox/115.0\r\n"
                       "Accept: text/html,*/*;q=0.8\r\nConnection: keep-alive\r\n\r\n", path, host);
}

std::string http_response(int status, std::string_view reason, std::string_view title, std::size_t body_bytes) {
    std::string body = fmt::format("<!doctype html>\n<html><head><title>{}</title></head><body>\n", title);
    constexpr std::string_view line = "<p>Nothing on this page is real.</p>\n";
    constexpr std::string_view end = "</body></html>\n";
    while (body.size() + line.size() + end.size() <= body_bytes) body += line;
    body += end;
    return fmt::format("HTTP/1.1 {} {}\r\nServer: nginx\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n"
                       "Connection: keep-alive\r\n\r\n{}", status, reason, body.size(), body);
}

QuicWriter::QuicWriter(std::string client_destination_id, std::string client_source_id, std::string server_source_id)
    : m_client_destination_id(std::move(client_destination_id)),
      m_client_source_id(std::move(client_source_id)),
      m_server_source_id(std::move(server_source_id)) {
    // RFC 9001, 5.2
    constexpr std::string_view salt("\x38\x76\x2c\xf7\xf5\x59\x34\xb3\x4d\x17\x9a\xe6\xa4\xc8\x0c\xad\xcc\xbb\x7f\x0a", 20);
    const std::string initial_secret = hmac_sha256(salt, m_client_destination_id);
    m_client = keys_of(initial_secret, "client in");
    m_server = keys_of(initial_secret, "server in");
}

QuicWriter::Keys QuicWriter::keys_of(std::string_view initial_secret, std::string_view label) {
    const std::string secret = expand_label(initial_secret, label, 32);
    return {expand_label(secret, "quic key", 16), expand_label(secret, "quic iv", 12), expand_label(secret, "quic hp", 16)};
}

std::string QuicWriter::initial(const Keys& keys, std::string_view destination_id, std::string_view source_id, std::string_view frames,
                                std::uint32_t packet_number) const {
    constexpr std::size_t number_bytes = 2;
    std::string header;
    put8(header, 0xc0 | (number_bytes - 1));
    put32(header, 1);
    header += with_length(destination_id, 1);
    header += with_length(source_id, 1);
    header += quic_integer(0);  // no token
    put16(header, (number_bytes + frames.size() + 16) | 0x4000);
    const std::size_t number_at = header.size();
    put16(header, packet_number);

    std::string nonce = keys.iv;
    for (std::size_t i = 0; i < 4; ++i) nonce[8 + i] = static_cast<char>(nonce[8 + i] ^ static_cast<char>(packet_number >> (24 - 8 * i)));
    std::string packet = header + sealed(keys.key, nonce, header, frames);
    const std::string mask = aes_block(keys.header_protection, std::string_view(packet).substr(number_at + 4, 16));
    packet[0] = static_cast<char>(packet[0] ^ (mask[0] & 0x0f));
    for (std::size_t i = 0; i < number_bytes; ++i) packet[number_at + i] = static_cast<char>(packet[number_at + i] ^ mask[1 + i]);
    return packet;
}

std::string QuicWriter::client_initial(std::string_view client_hello_message, std::uint32_t packet_number, std::size_t datagram_bytes) const {
    std::string frames = crypto_frame(client_hello_message);
    const std::size_t around = 1 + 4 + 1 + m_client_destination_id.size() + 1 + m_client_source_id.size() + 1 + 2 + 2 + 16;
    if (datagram_bytes > around + frames.size()) frames.resize(datagram_bytes - around, '\0');
    return initial(m_client, m_client_destination_id, m_client_source_id, frames, packet_number);
}

std::string QuicWriter::server_initial(std::string_view server_hello_message, std::uint32_t packet_number, std::size_t handshake_bytes,
                                       Random& random) const {
    std::string frames = quic_integer(0x02) + quic_integer(0) + quic_integer(0) + quic_integer(0) + quic_integer(0);
    frames += crypto_frame(server_hello_message);
    std::string out = initial(m_server, m_client_source_id, m_server_source_id, frames, packet_number);
    put8(out, 0xe0 | random.below(16));
    put32(out, 1);
    out += with_length(m_client_source_id, 1);
    out += with_length(m_server_source_id, 1);
    put16(out, handshake_bytes | 0x4000);
    return out + random_bytes(handshake_bytes, random);
}

std::string QuicWriter::client_handshake(std::size_t bytes, Random& random) const {
    std::string out;
    put8(out, 0xe0 | random.below(16));
    put32(out, 1);
    out += with_length(m_server_source_id, 1);
    out += with_length(m_client_source_id, 1);
    put16(out, bytes | 0x4000);
    return out + random_bytes(bytes, random);
}

std::string QuicWriter::one_rtt(bool is_to_server, std::size_t bytes, Random& random) const {
    std::string out;
    put8(out, 0x40 | random.below(64));
    out += is_to_server ? m_server_source_id : m_client_source_id;
    return out + random_bytes(bytes, random);
}

std::string fully_random_payload(std::size_t bytes, Random& random) {
    std::string out = random_bytes(bytes, random);
    while (is_exempt(out)) out = random_bytes(bytes, random);
    return out;
}

std::string pcap_file_header(std::uint32_t snap_bytes) {
    std::string out;
    put32_little(out, 0xa1b23c4d);
    put32_little(out, 0x00040002);
    put32_little(out, 0);
    put32_little(out, 0);
    put32_little(out, snap_bytes);
    put32_little(out, 1);
    return out;
}

void append_pcap_record(std::string& out, std::int64_t time_ns, std::uint32_t bytes_on_wire, std::string_view captured) {
    put32_little(out, static_cast<std::uint64_t>(time_ns / 1'000'000'000));
    put32_little(out, static_cast<std::uint64_t>(time_ns % 1'000'000'000));
    put32_little(out, captured.size());
    put32_little(out, bytes_on_wire);
    out += captured;
}

}  // namespace unveil::lab
