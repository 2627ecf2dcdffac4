// What does this DNS message ask or answer? RFC 1035, with EDNS (RFC 6891). Over TCP, the two length bytes are the caller's to remove.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "net/packet.hpp"

namespace unveil {

struct DnsRecord {
    std::string name;           // lower case, without the last dot; other bytes than printable ASCII as \DDD
    std::uint16_t type = 0;     // 1 A, 28 AAAA, 5 CNAME, ...
    std::uint16_t klass = 0;
    std::uint32_t ttl_seconds = 0;
    std::span<const std::uint8_t> data;
    std::uint32_t offset = 0;   // of the record's name in the message
    bool is_name_compressed = false;   // the name is one pointer, such as c00c
};

struct DnsMessage {
    std::uint16_t id = 0;
    std::uint16_t flags = 0;    // the whole second word
    bool is_response() const { return (flags & 0x8000) != 0; }
    bool is_authoritative() const { return (flags & 0x0400) != 0; }
    bool is_recursion_available() const { return (flags & 0x0080) != 0; }
    unsigned rcode() const { return flags & 0x0F; }
    std::string name;           // of the first question
    std::uint16_t type = 0;
    std::uint16_t klass = 0;
    std::uint16_t questions = 0;
    std::vector<DnsRecord> answers;     // of the answer section, in order
    std::uint16_t authorities = 0;      // counts in the header
    std::uint16_t additionals = 0;
    bool has_opt = false;
    std::uint32_t bytes_left_over = 0;  // behind the last record
    std::vector<DnsRecord> spare;       // what longer messages before this one left; only its memory counts
};

enum class DnsError : std::uint8_t { none, too_short, bad_name, bad_record, too_many };
std::string_view dns_error_name(DnsError error);

/// `message` is overwritten and its memory used again. Pointers are followed backwards only, at most 128 labels a name and 512 records a message.
/// On an error what was read until then stays.
DnsError parse_dns(std::span<const std::uint8_t> bytes, DnsMessage& message);
/// The address of an A or AAAA record of the right length; false otherwise.
bool dns_address(const DnsRecord& record, IpAddress& address);
/// Name of a CNAME, NS or PTR record; needs the message that the record came from.
bool dns_target(std::span<const std::uint8_t> message_bytes, const DnsRecord& record, std::string& name);

}  // namespace unveil
