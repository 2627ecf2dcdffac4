#include "net/dns.hpp"

#include <algorithm>

#include "net/byte_cursor.hpp"

namespace unveil {
namespace {

constexpr std::size_t labels_max = 128;
constexpr std::size_t pointers_max = 128;
constexpr std::size_t name_bytes_max = 255;  // RFC 1035, 2.3.4
constexpr std::size_t records_max = 512;
constexpr std::uint16_t type_a = 1, type_ns = 2, type_cname = 5, type_ptr = 12, type_aaaa = 28, type_opt = 41;

void append_label(std::span<const std::uint8_t> label, std::string& name) {
    for (const std::uint8_t byte : label) {
        if (byte >= 'A' && byte <= 'Z') {
            name += static_cast<char>(byte + ('a' - 'A'));
        } else if (byte > 0x20 && byte < 0x7F && byte != '.' && byte != '\\') {
            name += static_cast<char>(byte);
        } else {
            // A dot within a label would read as two labels, so it is written as a number too (RFC 1035, 5.1).
            name += '\\';
            name += static_cast<char>('0' + byte / 100);
            name += static_cast<char>('0' + byte / 10 % 10);
            name += static_cast<char>('0' + byte % 10);
        }
    }
}

/// `position` moves behind the name as it stands there, whatever its pointers lead to.
DnsError read_name(std::span<const std::uint8_t> message, std::size_t& position, std::string& name, bool* is_pointer = nullptr) {
    name.clear();
    std::size_t at = position;
    std::size_t floor = position;  // pointers must lead to before where this part of the name began
    std::size_t labels = 0, pointers = 0, wire_bytes = 1;
    if (is_pointer != nullptr) *is_pointer = at < message.size() && message[at] >= 0xC0;
    for (;;) {
        if (at >= message.size()) return DnsError::too_short;
        const std::uint8_t length = message[at];
        if (length >= 0xC0) {
            if (at + 1 >= message.size()) return DnsError::too_short;
            const std::size_t target = (length & 0x3Fu) << 8 | message[at + 1];
            if (pointers++ == 0) position = at + 2;
            if (target >= floor || pointers > pointers_max) return DnsError::bad_name;
            at = floor = target;
            continue;
        }
        if (length > 63) return DnsError::bad_name;
        ++at;
        if (length == 0) {
            if (pointers == 0) position = at;
            return DnsError::none;
        }
        if (length > message.size() - at) return DnsError::too_short;
        wire_bytes += length + 1u;
        if (++labels > labels_max || wire_bytes > name_bytes_max) return DnsError::bad_name;
        if (!name.empty()) name += '.';
        append_label(message.subspan(at, length), name);
        at += length;
    }
}

DnsRecord& next_answer(DnsMessage& message, std::size_t used) {
    if (used < message.answers.size()) return message.answers[used];
    if (message.spare.empty()) return message.answers.emplace_back();
    message.answers.push_back(std::move(message.spare.back()));
    message.spare.pop_back();
    return message.answers.back();
}

void keep_answers(DnsMessage& message, std::size_t used) {
    while (message.answers.size() > used) {
        if (message.spare.size() < records_max) message.spare.push_back(std::move(message.answers.back()));
        message.answers.pop_back();
    }
}

/// Everything of a record but its name, which begins at record.offset and ends at `position`.
DnsError read_fields(std::span<const std::uint8_t> bytes, std::size_t& position, DnsRecord& record) {
    ByteCursor cursor(bytes.subspan(position));
    record.type = cursor.u16();
    record.klass = cursor.u16();
    record.ttl_seconds = cursor.u32();
    const std::uint16_t length = cursor.u16();
    if (!cursor.is_ok()) return DnsError::too_short;
    record.data = cursor.bytes(length);
    if (!cursor.is_ok()) return DnsError::bad_record;
    position += cursor.position();
    return DnsError::none;
}

DnsError skip_name(std::span<const std::uint8_t> bytes, std::size_t& position) {
    for (;;) {
        if (position >= bytes.size()) return DnsError::too_short;
        const std::uint8_t length = bytes[position];
        if (length >= 0xC0) {
            if (position + 1 >= bytes.size()) return DnsError::too_short;
            position += 2;
            return DnsError::none;
        }
        if (length > 63) return DnsError::bad_name;
        position += length + 1u;
        if (length == 0) return DnsError::none;
    }
}

DnsError parse_sections(std::span<const std::uint8_t> bytes, DnsMessage& message, std::size_t answers, std::size_t& answers_read) {
    std::size_t position = 12;
    std::size_t records = 0;
    for (unsigned i = 0; i < message.questions; ++i) {
        if (++records > records_max) return DnsError::too_many;
        const DnsError error = i == 0 ? read_name(bytes, position, message.name) : skip_name(bytes, position);
        if (error != DnsError::none) return error;
        ByteCursor cursor(bytes.subspan(position));
        const std::uint16_t type = cursor.u16();
        const std::uint16_t klass = cursor.u16();
        if (!cursor.is_ok()) return DnsError::too_short;
        position += 4;
        if (i != 0) continue;
        message.type = type;
        message.klass = klass;
    }
    for (std::size_t i = 0; i < answers; ++i) {
        if (++records > records_max) return DnsError::too_many;
        DnsRecord& record = next_answer(message, i);
        record.offset = static_cast<std::uint32_t>(position);
        if (const auto error = read_name(bytes, position, record.name, &record.is_name_compressed); error != DnsError::none) return error;
        if (const auto error = read_fields(bytes, position, record); error != DnsError::none) return error;
        answers_read = i + 1;
    }
    const std::size_t others = std::size_t{message.authorities} + message.additionals;
    for (std::size_t i = 0; i < others; ++i) {
        if (++records > records_max) return DnsError::too_many;
        DnsRecord record;
        if (const auto error = skip_name(bytes, position); error != DnsError::none) return error;
        if (const auto error = read_fields(bytes, position, record); error != DnsError::none) return error;
        message.has_opt |= i >= message.authorities && record.type == type_opt;
    }
    message.bytes_left_over = static_cast<std::uint32_t>(bytes.size() - position);
    return DnsError::none;
}

}  // namespace

std::string_view dns_error_name(DnsError error) {
    switch (error) {
        case DnsError::none: return "none";
        case DnsError::too_short: return "message too short";
        case DnsError::bad_name: return "name malformed";
        case DnsError::bad_record: return "record malformed";
        case DnsError::too_many: return "too many records";
    }
    return "unknown";
}

DnsError parse_dns(std::span<const std::uint8_t> bytes, DnsMessage& message) {
    message.id = message.flags = message.type = message.klass = 0;
    message.questions = message.authorities = message.additionals = 0;
    message.name.clear();
    message.has_opt = false;
    message.bytes_left_over = 0;
    ByteCursor cursor(bytes);
    message.id = cursor.u16();
    message.flags = cursor.u16();
    message.questions = cursor.u16();
    const std::uint16_t answers = cursor.u16();
    message.authorities = cursor.u16();
    message.additionals = cursor.u16();
    std::size_t answers_read = 0;
    const DnsError error = cursor.is_ok() ? parse_sections(bytes, message, answers, answers_read) : DnsError::too_short;
    keep_answers(message, answers_read);
    return error;
}

bool dns_address(const DnsRecord& record, IpAddress& address) {
    if (record.type == type_a && record.data.size() == 4) {
        address = ipv4_address(ByteCursor(record.data).u32());
        return true;
    }
    if (record.type == type_aaaa && record.data.size() == 16) {
        std::copy(record.data.begin(), record.data.end(), address.bytes.begin());
        return true;
    }
    return false;
}

bool dns_target(std::span<const std::uint8_t> message_bytes, const DnsRecord& record, std::string& name) {
    name.clear();
    if (record.type != type_cname && record.type != type_ns && record.type != type_ptr) return false;
    const auto first = reinterpret_cast<std::uintptr_t>(message_bytes.data());
    const auto data = reinterpret_cast<std::uintptr_t>(record.data.data());
    if (record.data.empty() || data < first || data - first > message_bytes.size()) return false;
    std::size_t position = data - first;
    if (record.data.size() > message_bytes.size() - position) return false;
    const std::size_t end = position + record.data.size();
    return read_name(message_bytes.first(end), position, name) == DnsError::none && position == end;
}

}  // namespace unveil
