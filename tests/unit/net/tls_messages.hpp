// TLS messages written by hand.
#pragma once

#include "bytes.hpp"

namespace unveil::test {

inline Bytes extension(unsigned type, const Bytes& content) {
    Bytes bytes;
    append_number(bytes, type, 2);
    append_counted(bytes, content, 2);
    return bytes;
}

inline Bytes server_name_extension(std::string_view name) {
    Bytes entry = {0};
    append_counted(entry, from_text(name), 2);
    Bytes list;
    append_counted(list, entry, 2);
    return extension(0, list);
}

inline Bytes alpn_extension(std::initializer_list<std::string_view> names) {
    Bytes entries, list;
    for (const auto name : names) append_counted(entries, from_text(name), 1);
    append_counted(list, entries, 2);
    return extension(16, list);
}

inline Bytes handshake(unsigned type, const Bytes& body) {
    Bytes bytes = {static_cast<std::uint8_t>(type)};
    append_counted(bytes, body, 3);
    return bytes;
}

inline Bytes client_hello_message(std::initializer_list<Bytes> extensions) {
    Bytes body = {3, 3};
    for (int i = 0; i < 32; ++i) body.push_back(static_cast<std::uint8_t>(i));
    append_counted(body, Bytes(32, 0x55), 1);
    append_counted(body, {0x0A, 0x0A, 0x13, 0x01, 0x13, 0x02, 0xC0, 0x2F}, 2);
    append_counted(body, {0}, 1);
    Bytes all;
    for (const auto& one : extensions) append(all, one);
    append_counted(body, all, 2);
    return handshake(1, body);
}

/// With GREASE (RFC 8701) in every list.
inline Bytes usual_client_hello(std::string_view name = "www.example.org") {
    return client_hello_message({extension(0x1A1A, {}), server_name_extension(name), alpn_extension({"h2", "http/1.1"}),
                                 extension(43, {6, 0x2A, 0x2A, 3, 4, 3, 3}), extension(51, Bytes(36, 1))});
}

inline Bytes record(unsigned type, const Bytes& content) {
    Bytes bytes = {static_cast<std::uint8_t>(type), 3, 1};
    append_counted(bytes, content, 2);
    return bytes;
}

/// The message in records of `piece` bytes each.
inline Bytes in_records(const Bytes& message, std::size_t piece) {
    Bytes bytes;
    for (std::size_t i = 0; i < message.size(); i += piece)
        append(bytes, record(22, {message.begin() + static_cast<std::ptrdiff_t>(i),
                                  message.begin() + static_cast<std::ptrdiff_t>(std::min(message.size(), i + piece))}));
    return bytes;
}

inline Bytes server_hello_message(unsigned version, const Bytes& random, std::initializer_list<Bytes> extensions) {
    Bytes body;
    append_number(body, version, 2);
    append(body, random);
    append_counted(body, Bytes(32, 0x66), 1);
    append(body, {0x13, 0x01, 0});
    Bytes all;
    for (const auto& one : extensions) append(all, one);
    append_counted(body, all, 2);
    return handshake(2, body);
}

inline Bytes element(unsigned tag, const Bytes& content) {
    Bytes bytes = {static_cast<std::uint8_t>(tag)};
    if (content.size() < 0x80) {
        append_counted(bytes, content, 1);
    } else {
        bytes.push_back(0x82);
        append_counted(bytes, content, 2);
    }
    return bytes;
}

inline Bytes element(unsigned tag, std::initializer_list<Bytes> parts) {
    Bytes content;
    for (const auto& part : parts) append(content, part);
    return element(tag, content);
}

inline Bytes attribute(unsigned type, unsigned tag, const Bytes& value) {
    return element(0x31, {element(0x30, {element(0x06, Bytes{0x55, 0x04, static_cast<std::uint8_t>(type)}), element(tag, value)})});
}

inline Bytes certificate(const Bytes& issuer, const Bytes& subject, const Bytes& alternative_names) {
    const Bytes algorithm = element(0x30, {element(0x06, from_hex("2a8648ce3d040302"))});
    const Bytes validity = element(0x30, {element(0x17, from_text("200301123456Z")), element(0x18, from_text("20510101000000Z"))});
    const Bytes names = element(0x30, {element(0x06, Bytes{0x55, 0x1D, 0x11}), element(0x01, Bytes{0xFF}), element(0x04, {element(0x30, alternative_names)})});
    const Bytes to_be_signed =
        element(0x30, {element(0xA0, {element(0x02, Bytes{2})}), element(0x02, Bytes{1, 2, 3}), algorithm, issuer, validity, subject,
                       element(0x30, {algorithm, element(0x03, Bytes{0, 4, 1})}),
                       element(0xA3, {element(0x30, {element(0x30, {element(0x06, Bytes{0x55, 0x1D, 0x0F}), element(0x04, Bytes{3, 2, 5, 160})}), names})})});
    return element(0x30, {to_be_signed, algorithm, element(0x03, Bytes{0, 1, 2})});
}

inline Bytes usual_certificate() {
    const Bytes issuer = element(0x30, {attribute(10, 0x0C, from_text("Example Trust")), attribute(3, 0x0C, from_text("Example Root"))});
    const Bytes subject = element(0x30, {attribute(3, 0x0C, from_text("example.org"))});
    Bytes names = element(0x82, from_text("example.org"));
    append(names, element(0x82, from_text("*.example.org")));
    append(names, element(0x81, from_text("mail@example.org")));
    append(names, element(0x87, Bytes{192, 0, 2, 1}));
    append(names, element(0x87, from_hex("20010db8000000000000000000000001")));
    return certificate(issuer, subject, names);
}

inline Bytes certificate_message(std::initializer_list<Bytes> certificates) {
    Bytes list, body;
    for (const auto& one : certificates) append_counted(list, one, 3);
    append_counted(body, list, 3);
    return handshake(11, body);
}

}  // namespace unveil::test
