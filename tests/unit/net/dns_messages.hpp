// DNS messages written by hand.
#pragma once

#include <algorithm>

#include "bytes.hpp"

namespace unveil::test {

inline Bytes dns_header(unsigned flags, unsigned questions, unsigned answers, unsigned authorities = 0, unsigned additionals = 0) {
    Bytes bytes;
    for (const unsigned word : {0xBEEFu, flags, questions, answers, authorities, additionals}) append_number(bytes, word, 2);
    return bytes;
}

inline void append_name(Bytes& bytes, std::string_view name) {
    while (!name.empty()) {
        const auto dot = std::min(name.find('.'), name.size());
        append_counted(bytes, from_text(name.substr(0, dot)), 1);
        name.remove_prefix(std::min(dot + 1, name.size()));
    }
    bytes.push_back(0);
}

inline void append_question(Bytes& bytes, std::string_view name, unsigned type) {
    append_name(bytes, name);
    append_number(bytes, type, 2);
    append_number(bytes, 1, 2);
}

inline void append_record(Bytes& bytes, const Bytes& name, unsigned type, const Bytes& data, unsigned ttl_seconds = 60) {
    append(bytes, name);
    append_number(bytes, type, 2);
    append_number(bytes, 1, 2);
    append_number(bytes, ttl_seconds, 4);
    append_counted(bytes, data, 2);
}

inline const Bytes to_question = {0xC0, 0x0C};

inline Bytes dns_query(std::string_view name, unsigned type = 1) {
    Bytes bytes = dns_header(0x0100, 1, 0);
    append_question(bytes, name, type);
    return bytes;
}

/// A name by CNAME, the address of that name in the compressed form, an address of IPv6, one authority, EDNS.
inline Bytes dns_answer() {
    Bytes bytes = dns_header(0x8580, 1, 3, 1, 1);
    append_question(bytes, "WWW.Example.com", 1);
    Bytes alias;
    append_counted(alias, from_text("edge"), 1);
    append(alias, {0xC0, 0x10});  // example.com
    const auto alias_at = bytes.size() + 12;
    append_record(bytes, to_question, 5, alias);
    append_record(bytes, {0xC0, static_cast<std::uint8_t>(alias_at)}, 1, {192, 0, 2, 7}, 300);
    Bytes spelled;
    append_name(spelled, "edge.example.com");
    append_record(bytes, spelled, 28, from_hex("20010db8000000000000000000000001"));
    append_record(bytes, {0xC0, 0x10}, 2, {0xC0, 0x0C});
    append_record(bytes, {0x00}, 41, {});
    return bytes;
}

}  // namespace unveil::test
