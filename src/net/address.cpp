#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

#include "net/packet.hpp"

namespace unveil {
namespace {

constexpr std::array<std::uint8_t, 12> v4_prefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

}  // namespace

bool IpAddress::is_v4() const { return std::memcmp(bytes.data(), v4_prefix.data(), v4_prefix.size()) == 0; }

IpAddress ipv4_address(std::uint32_t host_order) {
    IpAddress address;
    std::copy(v4_prefix.begin(), v4_prefix.end(), address.bytes.begin());
    for (unsigned i = 0; i < 4; ++i) address.bytes[12 + i] = static_cast<std::uint8_t>(host_order >> (24 - 8 * i));
    return address;
}

std::string address_text(const IpAddress& address) {
    char text[INET6_ADDRSTRLEN] = {};
    if (address.is_v4()) inet_ntop(AF_INET, address.bytes.data() + 12, text, sizeof text);
    else inet_ntop(AF_INET6, address.bytes.data(), text, sizeof text);
    return text;
}

bool parse_address(std::string_view text, IpAddress& address) {
    const std::string terminated(text);
    std::array<std::uint8_t, 4> v4{};
    if (inet_pton(AF_INET, terminated.c_str(), v4.data()) == 1) {
        address = ipv4_address(0);
        std::copy(v4.begin(), v4.end(), address.bytes.begin() + 12);
        return true;
    }
    return inet_pton(AF_INET6, terminated.c_str(), address.bytes.data()) == 1;
}

}  // namespace unveil
