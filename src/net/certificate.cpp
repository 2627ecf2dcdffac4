#include <algorithm>
#include <chrono>

#include "net/ascii_case.hpp"
#include "net/packet.hpp"
#include "net/tls.hpp"

namespace unveil {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::uint8_t tag_integer = 0x02, tag_bit_string = 0x03, tag_octet_string = 0x04, tag_oid = 0x06, tag_utf8 = 0x0C, tag_latin1 = 0x14,
                       tag_utc_time = 0x17, tag_generalized_time = 0x18, tag_utf16 = 0x1E, tag_sequence = 0x30, tag_set = 0x31,
                       tag_version = 0xA0, tag_extensions = 0xA3, tag_dns_name = 0x82, tag_address = 0x87;
constexpr std::size_t alternative_names_max = 1'000;
constexpr std::size_t name_bytes_max = 4'096;
constexpr std::uint8_t oid_common_name[] = {0x55, 0x04, 0x03}, oid_organisation[] = {0x55, 0x04, 0x0A}, oid_alternative_names[] = {0x55, 0x1D, 0x11};

struct Element {
    std::uint8_t tag = 0;
    Bytes value;
    Bytes whole;  // with tag and length
};

/// Takes one element off the front. Definite lengths below 16 MiB and tags of one byte only, as DER has them in certificates.
bool take(Bytes& bytes, Element& element) {
    if (bytes.size() < 2 || (bytes[0] & 0x1F) == 0x1F) return false;
    std::size_t header = 2;
    std::size_t length = bytes[1];
    if (length >= 0x80) {
        const std::size_t count = length & 0x7F;
        if (count == 0 || count > 3 || bytes.size() < 2 + count) return false;
        length = 0;
        for (std::size_t i = 0; i < count; ++i) length = length << 8 | bytes[2 + i];
        header += count;
    }
    if (length > bytes.size() - header) return false;
    element = {bytes[0], bytes.subspan(header, length), bytes.first(header + length)};
    bytes = bytes.subspan(header + length);
    return true;
}

bool take(Bytes& bytes, std::uint8_t tag, Element& element) { return !bytes.empty() && bytes[0] == tag && take(bytes, element); }

template <std::size_t size>
bool is_oid(Bytes value, const std::uint8_t (&oid)[size]) {
    return std::equal(value.begin(), value.end(), std::begin(oid), std::end(oid));
}

void append_utf8(std::uint32_t code, std::string& text) {
    if (code < 0x80) {
        text += static_cast<char>(code);
    } else if (code < 0x800) {
        text += static_cast<char>(0xC0 | code >> 6);
        text += static_cast<char>(0x80 | (code & 0x3F));
    } else {
        text += static_cast<char>(0xE0 | code >> 12);
        text += static_cast<char>(0x80 | (code >> 6 & 0x3F));
        text += static_cast<char>(0x80 | (code & 0x3F));
    }
}

std::string text_of(const Element& element) {
    std::string text;
    const Bytes value = element.value.first(std::min(element.value.size(), name_bytes_max));
    if (element.tag == tag_utf16) {
        for (std::size_t i = 0; i + 1 < value.size(); i += 2) append_utf8(static_cast<std::uint32_t>(value[i]) << 8 | value[i + 1], text);
    } else if (element.tag == tag_latin1) {
        for (const std::uint8_t byte : value) append_utf8(byte, text);
    } else {
        text.assign(value.begin(), value.end());
    }
    return text;
}

/// The last common name counts: it is the most specific one (RFC 6125, 6.4.4, with names in the order of the encoding).
bool read_name(Bytes name, std::string& common_name, std::string* organisation) {
    Element set, attribute, oid, value;
    while (!name.empty()) {
        if (!take(name, tag_set, set)) return false;
        for (Bytes attributes = set.value; !attributes.empty();) {
            if (!take(attributes, tag_sequence, attribute)) return false;
            Bytes parts = attribute.value;
            if (!take(parts, tag_oid, oid) || !take(parts, value)) return false;
            if (is_oid(oid.value, oid_common_name)) common_name = text_of(value);
            if (organisation != nullptr && is_oid(oid.value, oid_organisation)) *organisation = text_of(value);
        }
    }
    return true;
}

/// Two digits; -1 when they are none.
int two_digits(Bytes text, std::size_t at) {
    if (at + 2 > text.size()) return -1;
    const int tens = text[at] - '0', ones = text[at + 1] - '0';
    return tens < 0 || tens > 9 || ones < 0 || ones > 9 ? -1 : tens * 10 + ones;
}

/// RFC 5280, 4.1.2.5. False for anything else, such as zones other than Z.
bool read_time(const Element& element, std::int64_t& time_us) {
    Bytes text = element.value;
    int year = two_digits(text, 0);
    if (year < 0) return false;
    if (element.tag == tag_generalized_time) {
        const int low = two_digits(text, 2);
        if (low < 0) return false;
        year = year * 100 + low;
        text = text.subspan(4);
    } else if (element.tag == tag_utc_time) {
        year += year < 50 ? 2000 : 1900;
        text = text.subspan(2);
    } else {
        return false;
    }
    const int month = two_digits(text, 0), day = two_digits(text, 2), hour = two_digits(text, 4), minute = two_digits(text, 6);
    const bool has_seconds = text.size() == 11;
    const int second = has_seconds ? two_digits(text, 8) : 0;
    if ((!has_seconds && text.size() != 9) || text.back() != 'Z' || month < 1 || day < 1 || hour < 0 || hour > 23 || minute < 0 || minute > 59 ||
        second < 0 || second > 60)
        return false;
    const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                           std::chrono::day(static_cast<unsigned>(day))};
    if (!date.ok()) return false;
    const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
    time_us = (((days * 24 + hour) * 60 + minute) * 60 + second) * 1'000'000;
    return true;
}

void add_alternative_name(const Element& name, CertificateNames& names) {
    if (name.tag == tag_dns_name) {
        names.alternative_names.push_back(text_of(name));
    } else if (name.tag == tag_address && (name.value.size() == 4 || name.value.size() == 16)) {
        IpAddress address = ipv4_address(0);
        std::copy(name.value.begin(), name.value.end(), address.bytes.end() - static_cast<std::ptrdiff_t>(name.value.size()));
        names.alternative_names.push_back(address_text(address));
    }
}

bool read_extensions(Bytes list, CertificateNames& names) {
    Element extension, oid, part, general_names, name;
    while (!list.empty()) {
        if (!take(list, tag_sequence, extension)) return false;
        Bytes parts = extension.value;
        if (!take(parts, tag_oid, oid)) return false;
        if (!is_oid(oid.value, oid_alternative_names)) continue;
        do {  // a boolean may say that it is critical
            if (!take(parts, part)) return false;
        } while (part.tag != tag_octet_string);
        Bytes inner = part.value;
        if (!take(inner, tag_sequence, general_names)) return false;
        for (Bytes rest = general_names.value; !rest.empty();) {
            if (!take(rest, name)) return false;
            if (names.alternative_names.size() == alternative_names_max) break;
            add_alternative_name(name, names);
        }
    }
    return true;
}

bool name_covers(std::string_view name, std::string_view host) {
    if (!name.starts_with("*.")) return is_same_without_case(name, host);
    name.remove_prefix(1);
    const auto dot = host.find('.');
    // One for all names under a top level domain is what no browser accepts.
    if (dot == 0 || dot == std::string_view::npos || name.find('.', 1) == std::string_view::npos) return false;
    return is_same_without_case(name, host.substr(dot));
}

}  // namespace

bool read_certificate(std::span<const std::uint8_t> der, CertificateNames& names) {
    names = {};
    Element certificate, to_be_signed, element, issuer, validity, subject;
    Bytes rest = der;
    if (!take(rest, tag_sequence, certificate) || !rest.empty()) return false;
    Bytes outer = certificate.value;
    if (!take(outer, tag_sequence, to_be_signed) || !take(outer, tag_sequence, element) || !take(outer, tag_bit_string, element)) return false;

    Bytes fields = to_be_signed.value;
    if (take(fields, tag_version, element) && element.value.empty()) return false;
    if (!take(fields, tag_integer, element) || !take(fields, tag_sequence, element)) return false;  // serial number, algorithm
    if (!take(fields, tag_sequence, issuer) || !take(fields, tag_sequence, validity) || !take(fields, tag_sequence, subject)) return false;
    if (!take(fields, tag_sequence, element)) return false;  // public key
    if (!read_name(issuer.value, names.issuer_common_name, &names.issuer_organisation)) return false;
    if (!read_name(subject.value, names.subject_common_name, nullptr)) return false;
    names.is_self_issued = std::equal(issuer.whole.begin(), issuer.whole.end(), subject.whole.begin(), subject.whole.end());

    Bytes times = validity.value;
    if (!take(times, element) || !read_time(element, names.not_before_us)) return false;
    if (!take(times, element) || !read_time(element, names.not_after_us)) return false;

    while (!fields.empty()) {
        if (!take(fields, element)) return false;
        if (element.tag != tag_extensions) continue;
        Element list;
        Bytes inner = element.value;
        if (!take(inner, tag_sequence, list) || !read_extensions(list.value, names)) return false;
    }
    return true;
}

bool certificate_covers(const CertificateNames& names, std::string_view host) {
    if (host.ends_with('.')) host.remove_suffix(1);
    if (host.empty()) return false;
    IpAddress address, other;
    const bool is_address = parse_address(host, address);
    const auto covers = [&](std::string_view name) {
        if (is_address) return parse_address(name, other) && other == address;
        return name_covers(name, host);
    };
    if (names.alternative_names.empty()) return covers(names.subject_common_name);
    return std::any_of(names.alternative_names.begin(), names.alternative_names.end(), covers);
}

}  // namespace unveil
