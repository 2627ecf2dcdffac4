// Datagrams of one client, each behind two bytes of length: an even length stands for a datagram as it is, an odd one for frames, which are sealed
// here as an Initial of the first byte's version, so that the frames behind the encryption are reached.
#include <cstdint>
#include <cstdlib>

#include "../tests/unit/net/quic_packets.hpp"
#include "net/quic.hpp"

namespace {

void require_quic(bool condition) {
    if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace unveil;
    if (size == 0) return 0;
    const std::uint32_t version = data[0] % 2 == 0 ? test::quic_1 : test::quic_2;
    QuicClient client;
    std::uint64_t number = 0;
    for (std::size_t at = 1; at + 2 <= size && number < 16;) {
        const std::size_t length = static_cast<std::size_t>(data[at]) << 8 | data[at + 1];
        at += 2;
        const std::span<const std::uint8_t> bytes(data + at, std::min(length / 2, size - at));
        at += bytes.size();
        if (length % 2 == 0) {
            const QuicHeader header = parse_quic_header(bytes);
            require_quic(header.packet_bytes <= bytes.size() && header.destination_id.size() <= 255 && header.source_id.size() <= 255);
            client.add_datagram(bytes);
        } else {
            const auto packet = test::sealed({.version = version, .number = number++, .number_bytes = 4, .frames = {bytes.begin(), bytes.end()}});
            const auto read_before = client.initials_read();
            const QuicResult result = client.add_datagram(packet);
            require_quic(result != QuicResult::not_authentic && result != QuicResult::not_initial && result != QuicResult::unsupported);
            require_quic(client.initials_read() == read_before + 1);
        }
    }
    return 0;
}
