// Goal: the frames and messages of the made-up network are what the standards say, so that any program can read them. Method: verify every
// checksum anew, compare small messages byte by byte, and open QUIC Initials with the keys that RFC 9001 prints in its appendix A.1.
#include "lab/network_packets.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <bit>

namespace unveil::lab {
namespace {

std::string of_hex(std::string_view hex) {
    std::string out;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) out += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
    return out;
}

std::string to_hex(std::string_view bytes) {
    std::string out;
    for (const char c : bytes) {
        constexpr std::string_view digits = "0123456789abcdef";
        out += digits[static_cast<std::uint8_t>(c) >> 4];
        out += digits[static_cast<std::uint8_t>(c) & 15];
    }
    return out;
}

std::uint32_t number(std::string_view bytes, std::size_t at, std::size_t length) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < length; ++i) value = value << 8 | static_cast<std::uint8_t>(bytes.at(at + i));
    return value;
}

/// Sums a whole checksummed range with its checksum in place: right when all bits are set.
std::uint16_t folded(std::string_view bytes, std::uint32_t sum = 0) {
    for (std::size_t i = 0; i < bytes.size(); i += 2)
        sum += static_cast<std::uint32_t>(static_cast<std::uint8_t>(bytes[i]) << 8) + (i + 1 < bytes.size() ? static_cast<std::uint8_t>(bytes[i + 1]) : 0U);
    while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(sum);
}

IpFields between(bool is_v6) {
    IpFields ip;
    ip.from = wire_v4(0x0a010203);
    ip.to = wire_v4(0xc0000201);
    if (is_v6) {
        ip.from.is_v6 = ip.to.is_v6 = true;
        ip.from.bytes[15] = 1;
        ip.to.bytes[15] = 2;
    }
    ip.id = 0x1234;
    ip.dont_fragment = true;
    ip.ttl = 57;
    return ip;
}

TEST(NetworkPackets, ChecksumsHoldForEveryLengthAndVersion) {
    Random random(1);
    for (const bool is_v6 : {false, true})
        for (std::size_t length = 0; length < 40; ++length) {
            const std::string payload = random_bytes(length, random);
            const IpFields ip = between(is_v6);
            TcpFields tcp;
            tcp.flags = tcp_bit::syn;
            tcp.mss = 1460;
            tcp.permits_sack = length % 2 == 0;
            tcp.window_shift = 7;
            if (length % 3 == 0) tcp.timestamps = {1, 2};
            for (const bool is_udp : {false, true}) {
                std::string frame;
                if (is_udp)
                    append_udp_frame(frame, ip, 5353, 53, payload);
                else
                    append_tcp_frame(frame, ip, tcp, payload);
                const std::size_t header = is_v6 ? 40 : 20;
                ASSERT_EQ(number(frame, 12, 2), is_v6 ? 0x86ddU : 0x0800U);
                if (!is_v6) {
                    EXPECT_EQ(folded(std::string_view(frame).substr(14, 20)), 0xffff);
                    EXPECT_EQ(number(frame, 16, 2), frame.size() - 14);
                    EXPECT_EQ(number(frame, 18, 4), 0x12344000U);
                }
                const std::string_view segment = std::string_view(frame).substr(14 + header);
                const std::string_view addresses = std::string_view(frame).substr(is_v6 ? 22 : 26, is_v6 ? 32 : 8);
                std::uint32_t pseudo = (is_udp ? 17U : 6U) + static_cast<std::uint32_t>(segment.size());
                for (std::size_t i = 0; i < addresses.size(); i += 2) pseudo += number(addresses, i, 2);
                EXPECT_EQ(folded(segment, pseudo), 0xffff) << is_v6 << is_udp << length;
                EXPECT_EQ(segment.substr(segment.size() - length), payload);
                if (!is_udp) EXPECT_EQ((static_cast<std::uint8_t>(segment[12]) >> 4) * 4 + length, segment.size());
            }
        }
}

TEST(NetworkPackets, DnsMessagesByteByByte) {
    EXPECT_EQ(to_hex(dns_query(0xabcd, "a.test", dns_type_aaaa, false)), "abcd01000001000000000000" "0161047465737400" "001c0001");
    EXPECT_EQ(to_hex(dns_query(1, "a.test", dns_type_a, true)), "000101000001000000000001" "0161047465737400" "00010001" "00002904d0000000000000");
    const WireAddress address = wire_v4(0x01020304);
    DnsAnswerFields fields;
    fields.id = 7;
    fields.flags = 0x8400;
    fields.name = "a.test";
    fields.addresses = std::span(&address, 1);
    fields.ttl_seconds = 60;
    EXPECT_EQ(to_hex(dns_answer(fields)), "000784000001000100000000" "0161047465737400" "00010001" "c00c00010001" "0000003c" "0004" "01020304");
}

TEST(NetworkPackets, ClientHelloHasItsNameAndItsLength) {
    Random random(2);
    for (const std::size_t wanted : {0UL, 517UL, 1750UL}) {
        ClientHelloFields fields;
        fields.server_name = "www.made-up.example";
        fields.bytes_min = wanted;
        const std::string record = tls_client_hello(fields, random);
        EXPECT_EQ(number(record, 0, 3), 0x160301U);
        EXPECT_EQ(number(record, 3, 2) + 5, record.size());
        EXPECT_EQ(number(record, 5, 1), 1U);
        EXPECT_EQ(number(record, 6, 3) + 9, record.size());
        if (wanted > 0) EXPECT_EQ(record.size(), wanted);
        // type 0, its length, the list's length, host_name, the name's length
        EXPECT_NE(record.find(of_hex("000000180016000013") + "www.made-up.example"), std::string::npos);
    }
}

struct PublishedKeys {
    std::string key, iv, header_protection;
};

/// RFC 9001, 5.4 and 5.3, with a packet number of at most four bytes. `rest` gets what follows the packet.
std::string opened(std::string packet, const PublishedKeys& keys, std::string& rest) {
    std::size_t at = 5;
    at += 1 + static_cast<std::uint8_t>(packet.at(at));
    at += 1 + static_cast<std::uint8_t>(packet.at(at));
    at += 1;  // an empty token
    const std::size_t length = number(packet, at, 2) & 0x3fff;
    at += 2;
    rest = packet.substr(at + length);
    packet.resize(at + length);
    const auto raw = [](const std::string& s) { return reinterpret_cast<const unsigned char*>(s.data()); };
    EVP_CIPHER_CTX* cipher = EVP_CIPHER_CTX_new();
    unsigned char mask[32];
    int got = 0;
    EVP_EncryptInit_ex(cipher, EVP_aes_128_ecb(), nullptr, raw(keys.header_protection), nullptr);
    EVP_EncryptUpdate(cipher, mask, &got, raw(packet) + at + 4, 16);
    packet[0] = static_cast<char>(packet[0] ^ (mask[0] & 0x0f));
    const std::size_t number_bytes = (static_cast<std::uint8_t>(packet[0]) & 3U) + 1U;
    std::string nonce = keys.iv;
    for (std::size_t i = 0; i < number_bytes; ++i) {
        packet[at + i] = static_cast<char>(packet[at + i] ^ mask[1 + i]);
        nonce[12 - number_bytes + i] = static_cast<char>(nonce[12 - number_bytes + i] ^ packet[at + i]);
    }
    const std::string header = packet.substr(0, at + number_bytes);
    std::string tag = packet.substr(packet.size() - 16);
    const std::string sealed = packet.substr(header.size(), packet.size() - header.size() - 16);
    std::string plain(sealed.size() + 16, '\0');
    EVP_DecryptInit_ex(cipher, EVP_aes_128_gcm(), nullptr, raw(keys.key), raw(nonce));
    EVP_DecryptUpdate(cipher, nullptr, &got, raw(header), static_cast<int>(header.size()));
    EVP_DecryptUpdate(cipher, reinterpret_cast<unsigned char*>(plain.data()), &got, raw(sealed), static_cast<int>(sealed.size()));
    EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, 16, tag.data());
    int last = 0;
    const bool is_genuine = EVP_DecryptFinal_ex(cipher, reinterpret_cast<unsigned char*>(plain.data()) + got, &last) == 1;
    EVP_CIPHER_CTX_free(cipher);
    plain.resize(static_cast<std::size_t>(got));
    return is_genuine ? plain : std::string();
}

TEST(NetworkPackets, QuicInitialsOpenWithThePublishedKeys) {
    const PublishedKeys client{of_hex("1f369613dd76d5467730efcbe3b1a22d"), of_hex("fa044b2f42a3fd3b46fb255c"), of_hex("9f50449e04a0e810283a1e9933adedd2")};
    const PublishedKeys server{of_hex("cf3a5331653c364c88f0f379b6067e37"), of_hex("0ac1493ca1905853b0bba03e"), of_hex("c206b8d9b9f0f37644430b490eeaa314")};
    Random random(3);
    const QuicWriter quic(of_hex("8394c8f03e515708"), "", "SERVERID");
    ClientHelloFields hello;
    hello.server_name = "video.made-up.test";
    hello.protocol = "h3";
    hello.is_quic = true;
    const std::string message = tls_client_hello(hello, random);
    for (const std::uint32_t packet_number : {0U, 1U, 300U}) {
        const std::string datagram = quic.client_initial(message, packet_number, 1200);
        EXPECT_EQ(datagram.size(), 1200U);
        std::string rest;
        const std::string frames = opened(datagram, client, rest);
        ASSERT_FALSE(frames.empty());
        EXPECT_TRUE(rest.empty());
        EXPECT_EQ(frames.substr(0, 2), std::string("\x06\x00", 2));
        EXPECT_EQ(frames.substr(4, message.size()), message);
        EXPECT_EQ(frames.find_first_not_of('\0', 4 + message.size()), std::string::npos);
    }
    const std::string answer = tls_server_hello_message(random);
    std::string rest;
    const std::string frames = opened(quic.server_initial(answer, 2, 700, random), server, rest);
    ASSERT_FALSE(frames.empty());
    EXPECT_NE(frames.find(answer), std::string::npos);
    EXPECT_EQ(number(rest, 0, 1) & 0xf0U, 0xe0U);
    EXPECT_EQ(rest.size(), 1U + 4 + 1 + 1 + 8 + 2 + 700);
}

TEST(NetworkPackets, RandomPayloadsHaveNoStructure) {
    Random random(4);
    for (int i = 0; i < 500; ++i) {
        const std::string bytes = fully_random_payload(60 + random.below(500), random);
        std::size_t bits = 0, printable = 0, first = 0;
        for (std::size_t k = 0; k < bytes.size(); ++k) {
            const auto byte = static_cast<std::uint8_t>(bytes[k]);
            bits += static_cast<std::size_t>(std::popcount(byte));
            if (byte >= 0x20 && byte <= 0x7e) {
                ++printable;
                if (k < 6) ++first;
            }
        }
        const double share = static_cast<double>(bits) / static_cast<double>(bytes.size());
        EXPECT_GT(share, 3.4);
        EXPECT_LT(share, 4.6);
        EXPECT_LT(first, 6U);
        EXPECT_LE(printable * 2, bytes.size());
    }
}

TEST(NetworkPackets, CaptureFileHasNanoseconds) {
    EXPECT_EQ(to_hex(pcap_file_header(262144)), "4d3cb2a1" "02000400" "00000000" "00000000" "00000400" "01000000");
    std::string out;
    append_pcap_record(out, 1'000'000'000LL * 5 + 7, 100, "ab");
    EXPECT_EQ(to_hex(out), "05000000" "07000000" "02000000" "64000000" "6162");
}

}  // namespace
}  // namespace unveil::lab
