// Any bytes as a DNS message. What is read lies within the message, and a second reading into the same object says the same.
#include <cstdint>
#include <cstdlib>

#include "net/dns.hpp"

namespace {

void require_dns(bool condition) {
    if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace unveil;
    static DnsMessage used;
    DnsMessage fresh;
    const std::span<const std::uint8_t> bytes(data, size);
    const DnsError error = parse_dns(bytes, fresh);
    require_dns(parse_dns(bytes, used) == error && used.name == fresh.name && used.answers.size() == fresh.answers.size());
    require_dns(fresh.name.size() <= 4 * 255 && fresh.answers.size() <= 512 && fresh.bytes_left_over <= size);
    std::string name;
    IpAddress address;
    for (std::size_t i = 0; i < fresh.answers.size(); ++i) {
        const DnsRecord& record = fresh.answers[i];
        require_dns(record.name == used.answers[i].name && record.offset < size && record.name.size() <= 4 * 255);
        require_dns(record.data.empty() || (record.data.data() >= data && record.data.data() + record.data.size() <= data + size));
        for (const char c : record.name) require_dns(c > 0x20 && c < 0x7F);
        dns_target(bytes, record, name);
        dns_address(record, address);
    }
    return 0;
}
