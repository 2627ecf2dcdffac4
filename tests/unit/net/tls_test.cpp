// Goal: names, versions and certificates come out of the plain part of TLS connections however records cut them, and hostile bytes end in a result.
// Method: messages written by hand; every size of records; every prefix and every damaged byte.
#include "net/tls.hpp"

#include <gtest/gtest.h>

#include "tls_messages.hpp"

namespace unveil::test {
namespace {

const Bytes random_bytes(32, 0x77);

TEST(ClientHello, IsRead) {
    const Bytes message = usual_client_hello();
    ClientHello hello;
    std::uint32_t used = 0;
    Bytes stream = record(22, message);
    const auto size = stream.size();
    append(stream, {20, 3, 3, 0, 1, 1});
    ASSERT_EQ(parse_client_hello(stream, hello, &used), TlsParse::done);
    EXPECT_EQ(used, size);
    EXPECT_EQ(hello.legacy_version, 0x0303);
    EXPECT_EQ(hello.random[31], 31);
    EXPECT_EQ(hello.session_id_bytes, 32);
    EXPECT_TRUE(hello.has_server_name);
    EXPECT_EQ(hello.server_name, "www.example.org");
    EXPECT_EQ(std::string(message.begin() + hello.server_name_offset, message.begin() + hello.server_name_offset + 15), "www.example.org");
    EXPECT_EQ(hello.cipher_suites, (std::vector<std::uint16_t>{0x0A0A, 0x1301, 0x1302, 0xC02F}));
    EXPECT_EQ(hello.extensions, (std::vector<std::uint16_t>{0x1A1A, 0, 16, 43, 51}));
    EXPECT_EQ(hello.alpn, (std::vector<std::string>{"h2", "http/1.1"}));
    EXPECT_EQ(hello.supported_versions, (std::vector<std::uint16_t>{0x2A2A, 0x0304, 0x0303}));
    EXPECT_FALSE(hello.has_ech || hello.has_esni);
}

TEST(ClientHello, RecordsOfAnySizeAreJoined) {
    const Bytes message = usual_client_hello();
    ClientHello hello;
    for (std::size_t piece = 1; piece <= message.size(); ++piece) {
        const Bytes stream = in_records(message, piece);
        std::uint32_t used = 0;
        ASSERT_EQ(parse_client_hello(stream, hello, &used), TlsParse::done) << piece;
        EXPECT_EQ(used, stream.size());
        EXPECT_EQ(hello.server_name, "www.example.org");
    }
    const Bytes stream = in_records(message, 5);
    std::size_t extensions_before = 0;
    for (std::size_t size = 0; size < stream.size(); ++size) {
        ASSERT_EQ(parse_client_hello(std::span(stream).first(size), hello), TlsParse::need_more) << size;
        EXPECT_GE(hello.extensions.size(), extensions_before) << "what is whole is read";
        EXPECT_EQ(hello.server_name, hello.has_server_name ? "www.example.org" : "");
        EXPECT_EQ(hello.has_server_name, hello.extensions.size() >= 2);
        extensions_before = hello.extensions.size();
    }
    EXPECT_EQ(extensions_before, 4u);
}

TEST(ClientHello, EncryptedNamesAreRecognised) {
    ClientHello hello;
    ASSERT_EQ(parse_client_hello_message(client_hello_message({extension(0xFE0D, Bytes(20, 9)), server_name_extension("cover.example")}), hello), TlsParse::done);
    EXPECT_TRUE(hello.has_ech);
    EXPECT_FALSE(hello.has_esni);
    EXPECT_EQ(hello.server_name, "cover.example");
    for (const unsigned type : {0xFFCEu, 0xFF02u, 0xFF03u, 0xFF04u}) {
        ASSERT_EQ(parse_client_hello_message(client_hello_message({extension(type, Bytes(20, 9))}), hello), TlsParse::done);
        EXPECT_TRUE(hello.has_esni);
        EXPECT_EQ(hello.esni_extension, type);
        EXPECT_FALSE(hello.has_server_name || hello.has_ech) << "nothing of the hello before stays";
    }
}

TEST(ClientHello, OldOnesHaveNoExtensions) {
    Bytes body = {3, 1};
    append(body, random_bytes);
    append(body, {0, 0, 2, 0, 0x2F, 1, 0});
    ClientHello hello;
    ASSERT_EQ(parse_client_hello(record(22, handshake(1, body)), hello), TlsParse::done);
    EXPECT_EQ(hello.legacy_version, 0x0301);
    EXPECT_EQ(hello.cipher_suites, (std::vector<std::uint16_t>{0x2F}));
    EXPECT_FALSE(hello.has_server_name);
}

TEST(ClientHello, OtherBytesAreTold) {
    ClientHello hello;
    EXPECT_EQ(parse_client_hello({}, hello), TlsParse::need_more);
    EXPECT_EQ(parse_client_hello(from_text("GET / HTTP/1.1"), hello), TlsParse::not_tls);
    EXPECT_EQ(parse_client_hello(from_text("G"), hello), TlsParse::not_tls);
    EXPECT_EQ(parse_client_hello(Bytes{22, 2}, hello), TlsParse::not_tls);
    EXPECT_EQ(parse_client_hello(Bytes{22, 3, 1, 0xFF, 0xFF, 1}, hello), TlsParse::not_tls) << "no record is that long";
    EXPECT_EQ(parse_client_hello(record(22, Bytes{2, 0, 0, 1, 0}), hello), TlsParse::not_tls) << "a ServerHello";
    EXPECT_EQ(parse_client_hello(record(22, handshake(1, {3, 3})), hello), TlsParse::malformed);
    EXPECT_EQ(parse_client_hello(record(22, Bytes{1, 0xFF, 0, 0}), hello), TlsParse::malformed) << "16 MiB are no hello";
    Bytes interrupted = record(22, {1, 0, 0});
    append(interrupted, record(21, {1, 0}));
    EXPECT_EQ(parse_client_hello(interrupted, hello), TlsParse::malformed);

    Bytes list_too_long = usual_client_hello();
    ASSERT_EQ(parse_client_hello_message(list_too_long, hello), TlsParse::done);
    list_too_long[hello.server_name_offset - 4] += 1;
    EXPECT_EQ(parse_client_hello_message(list_too_long, hello), TlsParse::malformed);
}

Bytes flight_of_tls12() {
    Bytes messages = server_hello_message(0x0303, random_bytes, {extension(0, {}), extension(0xFF01, {0})});
    append(messages, certificate_message({usual_certificate(), Bytes(300, 1)}));
    append(messages, handshake(12, Bytes(80, 2)));
    append(messages, handshake(14, {}));
    return messages;
}

TEST(ServerFlight, CertificatesOfOldVersionsAreKept) {
    const Bytes messages = flight_of_tls12();
    for (const std::size_t piece : {7u, 100u, 16'384u}) {
        const Bytes stream = in_records(messages, piece);
        ServerFlight flight;
        ASSERT_EQ(parse_server_flight(stream, flight), TlsParse::done) << piece;
        EXPECT_TRUE(flight.has_hello);
        EXPECT_EQ(flight.hello.version, 0x0303);
        EXPECT_EQ(flight.hello.cipher_suite, 0x1301);
        ASSERT_EQ(flight.certificates_der.size(), 2u);
        EXPECT_EQ(flight.certificates_der[0], usual_certificate());
        EXPECT_FALSE(flight.has_alert);
        std::size_t certificates_before = 0;
        for (std::size_t size = 0; size < stream.size(); ++size) {
            ASSERT_EQ(parse_server_flight(std::span(stream).first(size), flight), TlsParse::need_more) << size;
            EXPECT_GE(flight.certificates_der.size(), certificates_before) << "what is whole is kept";
            certificates_before = flight.certificates_der.size();
        }
        EXPECT_EQ(certificates_before, 2u);
    }
}

TEST(ServerFlight, Tls13EndsWithItsHello) {
    ServerFlight flight;
    Bytes stream = record(22, server_hello_message(0x0303, random_bytes, {extension(43, {3, 4}), extension(51, Bytes(36, 1))}));
    ASSERT_EQ(parse_server_flight(stream, flight), TlsParse::done);
    EXPECT_EQ(flight.hello.version, 0x0304);
    EXPECT_FALSE(flight.hello.is_retry);
    // SHA-256 of "HelloRetryRequest".
    const Bytes retry = from_hex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c");
    ASSERT_EQ(parse_server_flight(record(22, server_hello_message(0x0303, retry, {extension(43, {3, 4})})), flight), TlsParse::done);
    EXPECT_TRUE(flight.hello.is_retry);
}

TEST(ServerFlight, AlertsAreRead) {
    ServerFlight flight;
    ASSERT_EQ(parse_server_flight(record(21, {2, 112}), flight), TlsParse::done);
    EXPECT_TRUE(flight.has_alert);
    EXPECT_EQ(flight.alert_level, 2);
    EXPECT_EQ(flight.alert_description, 112);
    EXPECT_FALSE(flight.has_hello);
    Bytes warned = record(21, {1, 112});
    EXPECT_EQ(parse_server_flight(warned, flight), TlsParse::need_more);
    append(warned, record(22, flight_of_tls12()));
    ASSERT_EQ(parse_server_flight(warned, flight), TlsParse::done);
    EXPECT_TRUE(flight.has_alert && flight.has_hello);
    EXPECT_EQ(flight.certificates_der.size(), 2u);
    ASSERT_EQ(parse_server_flight(record(21, {1, 0}), flight), TlsParse::done) << "close_notify";
    EXPECT_FALSE(flight.has_hello) << "nothing of the flight before stays";
}

TEST(ServerFlight, ResumedSessionsHaveNoCertificates) {
    Bytes stream = record(22, server_hello_message(0x0303, random_bytes, {}));
    append(stream, record(20, {1}));
    append(stream, record(22, Bytes(40, 0xEE)));
    ServerFlight flight;
    ASSERT_EQ(parse_server_flight(stream, flight), TlsParse::done);
    EXPECT_TRUE(flight.has_hello && flight.certificates_der.empty());
}

TEST(ServerFlight, OtherBytesAreTold) {
    ServerFlight flight;
    EXPECT_EQ(parse_server_flight({}, flight), TlsParse::need_more);
    EXPECT_EQ(parse_server_flight(from_text("HTTP/1.1 403 Forbidden"), flight), TlsParse::not_tls);
    EXPECT_EQ(parse_server_flight(record(22, usual_client_hello()), flight), TlsParse::not_tls);
    EXPECT_EQ(parse_server_flight(record(23, Bytes(40, 1)), flight), TlsParse::not_tls);
    EXPECT_EQ(parse_server_flight(record(22, handshake(2, {3, 3})), flight), TlsParse::malformed);
    Bytes many;
    for (int i = 0; i < 20; ++i) append_counted(many, Bytes(10, 1), 3);
    Bytes list;
    append_counted(list, many, 3);
    Bytes messages = server_hello_message(0x0303, random_bytes, {});
    append(messages, handshake(11, list));
    append(messages, handshake(14, {}));
    ASSERT_EQ(parse_server_flight(record(22, messages), flight), TlsParse::done);
    EXPECT_EQ(flight.certificates_der.size(), 8u);
}

TEST(Certificate, NamesAndTimesAreRead) {
    CertificateNames names;
    ASSERT_TRUE(read_certificate(usual_certificate(), names));
    EXPECT_EQ(names.subject_common_name, "example.org");
    EXPECT_EQ(names.issuer_common_name, "Example Root");
    EXPECT_EQ(names.issuer_organisation, "Example Trust");
    EXPECT_EQ(names.alternative_names, (std::vector<std::string>{"example.org", "*.example.org", "192.0.2.1", "2001:db8::1"}));
    EXPECT_EQ(names.not_before_us, 1'583'066'096'000'000);  // 2020-03-01T12:34:56Z
    EXPECT_EQ(names.not_after_us, 2'556'144'000'000'000);   // 2051-01-01T00:00:00Z
    EXPECT_FALSE(names.is_self_issued);
    const Bytes self = element(0x30, {attribute(3, 0x1E, {0x04, 0x1F, 0x04, 0x40}), attribute(10, 0x14, {0xE9})});
    ASSERT_TRUE(read_certificate(certificate(self, self, {}), names));
    EXPECT_EQ(names.subject_common_name, "Пр");
    EXPECT_EQ(names.issuer_organisation, "é");
    EXPECT_TRUE(names.is_self_issued);
    EXPECT_TRUE(names.alternative_names.empty());
}

TEST(Certificate, OtherBytesAreNone) {
    CertificateNames names;
    EXPECT_FALSE(read_certificate({}, names));
    Bytes der = usual_certificate();
    der.push_back(0);
    EXPECT_FALSE(read_certificate(der, names));
    der.pop_back();
    for (std::size_t size = 0; size < der.size(); ++size) ASSERT_FALSE(read_certificate(std::span(der).first(size), names)) << size;
    const Bytes subject = element(0x30, {attribute(3, 0x0C, from_text("example.org"))});
    Bytes many;
    for (int i = 0; i < 3'000; ++i) append(many, element(0x82, from_text("a.example")));
    ASSERT_TRUE(read_certificate(certificate(subject, subject, many), names));
    EXPECT_EQ(names.alternative_names.size(), 1'000u);
}

TEST(Certificate, HostsAreCovered) {
    CertificateNames names;
    ASSERT_TRUE(read_certificate(usual_certificate(), names));
    for (const auto* host : {"example.org", "EXAMPLE.org", "example.org.", "www.example.org", "WWW.Example.ORG", "192.0.2.1", "2001:db8:0::1"})
        EXPECT_TRUE(certificate_covers(names, host)) << host;
    for (const auto* host : {"", ".", "example.com", "a.b.example.org", ".example.org", "org", "xexample.org", "192.0.2.2", "2001:db8::2", "*.org"})
        EXPECT_FALSE(certificate_covers(names, host)) << host;
    names.alternative_names = {"*.org", "*", "w*.example.net"};
    for (const auto* host : {"example.org", "example", "www.example.net"}) EXPECT_FALSE(certificate_covers(names, host)) << host;
    names.alternative_names.clear();
    EXPECT_TRUE(certificate_covers(names, "example.org")) << "the common name counts when there is nothing else";
    EXPECT_FALSE(certificate_covers(names, "www.example.org"));
}

TEST(Tls, DamageIsBorne) {
    ClientHello hello;
    ServerFlight flight;
    CertificateNames names;
    const auto check_hello = [&](std::span<const std::uint8_t> bytes) {
        parse_client_hello(bytes, hello);
        parse_client_hello_message(bytes, hello);
        ASSERT_LE(hello.server_name.size() + hello.cipher_suites.size() + hello.extensions.size(), bytes.size());
        if (hello.has_server_name) {
            ASSERT_LE(hello.server_name_offset + hello.server_name.size(), bytes.size());
        }
    };
    bear_damage(usual_client_hello(), check_hello);
    bear_damage(in_records(usual_client_hello(), 11), check_hello);
    bear_damage(in_records(flight_of_tls12(), 300), [&](std::span<const std::uint8_t> bytes) {
        parse_server_flight(bytes, flight);
        std::size_t kept = 0;
        for (const auto& der : flight.certificates_der) kept += der.size();
        ASSERT_LE(kept, bytes.size());
    });
    std::size_t good = 0;
    bear_damage(usual_certificate(), [&](std::span<const std::uint8_t> bytes) {
        good += read_certificate(bytes, names);
        certificate_covers(names, "www.example.org");
    });
    EXPECT_GT(good, 0u);
}

}  // namespace
}  // namespace unveil::test
