// Goal: the ClientHello comes out of QUIC Initial packets of versions 1 and 2 whatever a client does with them, and nothing comes out of what is no
// valid Initial. Method: the worked examples of RFC 9001 and RFC 9369; packets sealed by the test; the payloads with which others measured a firewall.
#include "net/quic.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "quic_packets.hpp"
#include "tls_messages.hpp"

namespace unveil::test {
namespace {

// RFC 9001, A.2.
const Bytes example_1 = from_hex(
    "c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11d242b123dc9bd8bab936b47d92ec356c0bab7df5976d27cd449f63300099f399"
    "1c260ec4c60d17b31f8429157bb35a1282a643a8d2262cad67500cadb8e7378c8eb7539ec4d4905fed1bee1fc8aafba17c750e2c7ace01e6005f80fcb7df6212"
    "30c83711b39343fa028cea7f7fb5ff89eac2308249a02252155e2347b63d58c5457afd84d05dfffdb20392844ae812154682e9cf012f9021a6f0be17ddd0c208"
    "4dce25ff9b06cde535d0f920a2db1bf362c23e596d11a4f5a6cf3948838a3aec4e15daf8500a6ef69ec4e3feb6b1d98e610ac8b7ec3faf6ad760b7bad1db4ba3"
    "485e8a94dc250ae3fdb41ed15fb6a8e5eba0fc3dd60bc8e30c5c4287e53805db059ae0648db2f64264ed5e39be2e20d82df566da8dd5998ccabdae053060ae6c"
    "7b4378e846d29f37ed7b4ea9ec5d82e7961b7f25a9323851f681d582363aa5f89937f5a67258bf63ad6f1a0b1d96dbd4faddfcefc5266ba6611722395c906556"
    "be52afe3f565636ad1b17d508b73d8743eeb524be22b3dcbc2c7468d54119c7468449a13d8e3b95811a198f3491de3e7fe942b330407abf82a4ed7c1b311663a"
    "c69890f4157015853d91e923037c227a33cdd5ec281ca3f79c44546b9d90ca00f064c99e3dd97911d39fe9c5d0b23a229a234cb36186c4819e8b9c5927726632"
    "291d6a418211cc2962e20fe47feb3edf330f2c603a9d48c0fcb5699dbfe5896425c5bac4aee82e57a85aaf4e2513e4f05796b07ba2ee47d80506f8d2c25e50fd"
    "14de71e6c418559302f939b0e1abd576f279c4b2e0feb85c1f28ff18f58891ffef132eef2fa09346aee33c28eb130ff28f5b766953334113211996d20011a198"
    "e3fc433f9f2541010ae17c1bf202580f6047472fb36857fe843b19f5984009ddc324044e847a4f4a0ab34f719595de37252d6235365e9b84392b061085349d73"
    "203a4a13e96f5432ec0fd4a1ee65accdd5e3904df54c1da510b0ff20dcc0c77fcb2c0e0eb605cb0504db87632cf3d8b4dae6e705769d1de354270123cb11450e"
    "fc60ac47683d7b8d0f811365565fd98c4c8eb936bcab8d069fc33bd801b03adea2e1fbc5aa463d08ca19896d2bf59a071b851e6c239052172f296bfb5e724047"
    "90a2181014f3b94a4e97d117b438130368cc39dbb2d198065ae3986547926cd2162f40a29f0c3c8745c0f50fba3852e566d44575c29d39a03f0cda721984b6f4"
    "40591f355e12d439ff150aab7613499dbd49adabc8676eef023b15b65bfc5ca06948109f23f350db82123535eb8a7433bdabcb909271a6ecbcb58b936a88cd4e"
    "8f2e6ff5800175f113253d8fa9ca8885c2f552e657dc603f252e1a8e308f76f0be79e2fb8f5d5fbbe2e30ecadd220723c8c0aea8078cdfcb3868263ff8f09400"
    "54da48781893a7e49ad5aff4af300cd804a6b6279ab3ff3afb64491c85194aab760d58a606654f9f4400e8b38591356fbf6425aca26dc85244259ff2b19c41b9"
    "f96f3ca9ec1dde434da7d2d392b905ddf3d1f9af93d1af5950bd493f5aa731b4056df31bd267b6b90a079831aaf579be0a39013137aac6d404f518cfd4684064"
    "7e78bfe706ca4cf5e9c5453e9f7cfd2b8b4c8d169a44e55c88d4a9a7f9474241e221af44860018ab0856972e194cd934");

// RFC 9369, A.2.
const Bytes example_2 = from_hex(
    "d76b3343cf088394c8f03e5157080000449ea0c95e82ffe67b6abcdb4298b485dd04de806071bf03dceebfa162e75d6c96058bdbfb127cdfcbf903388e99ad04"
    "9f9a3dd4425ae4d0992cfff18ecf0fdb5a842d09747052f17ac2053d21f57c5d250f2c4f0e0202b70785b7946e992e58a59ac52dea6774d4f03b55545243cf1a"
    "12834e3f249a78d395e0d18f4d766004f1a2674802a747eaa901c3f10cda5500cb9122faa9f1df66c392079a1b40f0de1c6054196a11cbea40afb6ef5253cd68"
    "18f6625efce3b6def6ba7e4b37a40f7732e093daa7d52190935b8da58976ff3312ae50b187c1433c0f028edcc4c2838b6a9bfc226ca4b4530e7a4ccee1bfa2a3"
    "d396ae5a3fb512384b2fdd851f784a65e03f2c4fbe11a53c7777c023462239dd6f7521a3f6c7d5dd3ec9b3f233773d4b46d23cc375eb198c63301c21801f6520"
    "bcfb7966fc49b393f0061d974a2706df8c4a9449f11d7f3d2dcbb90c6b877045636e7c0c0fe4eb0f697545460c806910d2c355f1d253bc9d2452aaa549e27a1f"
    "ac7cf4ed77f322e8fa894b6a83810a34b361901751a6f5eb65a0326e07de7c1216ccce2d0193f958bb3850a833f7ae432b65bc5a53975c155aa4bcb4f7b2c4e5"
    "4df16efaf6ddea94e2c50b4cd1dfe06017e0e9d02900cffe1935e0491d77ffb4fdf85290fdd893d577b1131a610ef6a5c32b2ee0293617a37cbb08b847741c3b"
    "8017c25ca9052ca1079d8b78aebd47876d330a30f6a8c6d61dd1ab5589329de714d19d61370f8149748c72f132f0fc99f34d766c6938597040d8f9e2bb522ff9"
    "9c63a344d6a2ae8aa8e51b7b90a4a806105fcbca31506c446151adfeceb51b91abfe43960977c87471cf9ad4074d30e10d6a7f03c63bd5d4317f68ff325ba3bd"
    "80bf4dc8b52a0ba031758022eb025cdd770b44d6d6cf0670f4e990b22347a7db848265e3e5eb72dfe8299ad7481a408322cac55786e52f633b2fb6b614eaed18"
    "d703dd84045a274ae8bfa73379661388d6991fe39b0d93debb41700b41f90a15c4d526250235ddcd6776fc77bc97e7a417ebcb31600d01e57f32162a8560cacc"
    "7e27a096d37a1a86952ec71bd89a3e9a30a2a26162984d7740f81193e8238e61f6b5b984d4d3dfa033c1bb7e4f0037febf406d91c0dccf32acf423cfa1e70710"
    "10d3f270121b493ce85054ef58bada42310138fe081adb04e2bd901f2f13458b3d6758158197107c14ebb193230cd1157380aa79cae1374a7c1e5bbcb80ee23e"
    "06ebfde206bfb0fcbc0edc4ebec309661bdd908d532eb0c6adc38b7ca7331dce8dfce39ab71e7c32d318d136b6100671a1ae6a6600e3899f31f0eed19e3417d1"
    "34b90c9058f8632c798d4490da4987307cba922d61c39805d072b589bd52fdf1e86215c2d54e6670e07383a27bbffb5addf47d66aa85a0c6f9f32e59d85a44dd"
    "5d3b22dc2be80919b490437ae4f36a0ae55edf1d0b5cb4e9a3ecabee93dfc6e38d209d0fa6536d27a5d6fbb17641cde27525d61093f1b28072d111b2b4ae5f89"
    "d5974ee12e5cf7d5da4d6a31123041f33e61407e76cffcdcfd7e19ba58cf4b536f4c4938ae79324dc402894b44faf8afbab35282ab659d13c93f70412e85cb19"
    "9a37ddec600545473cfb5a05e08d0b209973b2172b4d21fb69745a262ccde96ba18b2faa745b6fe189cf772a9f84cbfc");

const Bytes message = usual_client_hello();

QuicResult add(QuicClient& client, const Bytes& datagram) { return client.add_datagram(datagram); }

Bytes padded(Bytes frames, std::size_t size) {
    frames.resize(std::max(frames.size(), size));
    return frames;
}

TEST(QuicHeader, ExamplesOfTheStandardsAreRead) {
    for (const auto& [packet, version] : {std::pair(example_1, quic_1), std::pair(example_2, quic_2)}) {
        Bytes datagram = packet;
        append(datagram, {0x40, 1, 2});
        const QuicHeader header = parse_quic_header(datagram);
        EXPECT_EQ(header.kind, QuicKind::initial);
        EXPECT_EQ(header.version, version);
        EXPECT_EQ(Bytes(header.destination_id.begin(), header.destination_id.end()), from_hex("8394c8f03e515708"));
        EXPECT_TRUE(header.source_id.empty());
        EXPECT_EQ(header.packet_bytes, 1200u);
    }
}

TEST(QuicHeader, KindsAreTold) {
    const auto kind = [](std::string_view hex) { return parse_quic_header(from_hex(hex)).kind; };
    EXPECT_EQ(kind(""), QuicKind::not_quic);
    EXPECT_EQ(kind("00"), QuicKind::not_quic);
    EXPECT_EQ(kind("40"), QuicKind::short_header);
    EXPECT_EQ(kind("80 00000001 00 00 00 01 00"), QuicKind::not_quic) << "without the fixed bit";
    EXPECT_EQ(kind("d0 00000001 00 00 01 00"), QuicKind::zero_rtt);
    EXPECT_EQ(kind("e0 00000001 00 00 01 00"), QuicKind::handshake);
    EXPECT_EQ(kind("f0 00000001 00 00 01 00"), QuicKind::retry);
    EXPECT_EQ(kind("c0 6b3343cf 00 00 01 00"), QuicKind::retry);
    EXPECT_EQ(kind("d0 6b3343cf 00 00 00 01 00"), QuicKind::initial);
    EXPECT_EQ(kind("e0 6b3343cf 00 00 01 00"), QuicKind::zero_rtt);
    EXPECT_EQ(kind("f0 6b3343cf 00 00 01 00"), QuicKind::handshake);
    EXPECT_EQ(kind("80 00000000 00 00 00000001"), QuicKind::version_negotiation);
    EXPECT_EQ(kind("80 00000000 00 00 000001"), QuicKind::not_quic);
    EXPECT_EQ(kind("c0 ff000016 00 00 00 01 00"), QuicKind::unknown_version) << "draft 22";
    EXPECT_EQ(kind("c0 ff000023 00 00 00 01 00"), QuicKind::unknown_version);
    EXPECT_EQ(kind("c0 ff00001d 00 00 00 01 00"), QuicKind::initial);
    EXPECT_EQ(kind("c0 00000001 15 000000000000000000000000000000000000000000 00 00 01 00"), QuicKind::not_quic) << "21 bytes of ID";
    EXPECT_EQ(kind("c0 00000002 15 000000000000000000000000000000000000000000 00 00 01 00"), QuicKind::unknown_version);
    EXPECT_EQ(kind("c0 00000001 ff 00"), QuicKind::not_quic);
}

TEST(QuicClient, ExamplesOfTheStandardsAreRead) {
    for (const auto& packet : {example_1, example_2}) {
        QuicClient client;
        ASSERT_EQ(add(client, packet), QuicResult::hello);
        EXPECT_EQ(client.hello().server_name, "example.com");
        EXPECT_EQ(client.hello().alpn, std::vector<std::string>{"alpn"});
        EXPECT_EQ(client.hello().supported_versions, std::vector<std::uint16_t>{0x0304});
        EXPECT_EQ(client.initials_read(), 1u);
    }
}

TEST(QuicClient, SealingOfTheTestAgreesWithTheStandards) {
    const Bytes example_message = from_hex(
        "010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a2b69484c00000413011302010000c000000010000e00000b6578616d706c652e636f6dff0100"
        "0100000a00080006001d0017001800100007000504616c706e000500050100000000003300260024001d00209370b2c9caa47fbabaf4559fedba753de171fa71f50f1ce15d43e994"
        "ec74d748002b0003020304000d0010000e0403050306030203080408050806002d00020101001c00024001003900320408ffffffffffffffff05048000ffff07048000ffff080110"
        "0104800075300901100f088394c8f03e51570806048000ffff");
    for (const auto& [packet, version] : {std::pair(example_1, quic_1), std::pair(example_2, quic_2)})
        EXPECT_EQ(sealed({.version = version, .number = 2, .number_bytes = 4, .frames = padded(crypto_frame(0, example_message), 1162)}), packet);
}

TEST(QuicClient, OddPacketsAreRead) {
    const Bytes frames = crypto_frame(0, message);
    for (const auto version : {quic_1, quic_2, 0xFF000017u, 0xFF00001Cu, 0xFF00001Du, 0xFF000020u, 0xFF000021u, 0xFF000022u})
        for (unsigned number_bytes = 1; number_bytes <= 4; ++number_bytes)
            for (const std::size_t id_bytes : {0u, 1u, 8u, 20u})
                for (const std::size_t token_bytes : {0u, 70u}) {
                    const Bytes id(id_bytes, 0x42);
                    QuicClient client;
                    ASSERT_EQ(add(client, sealed({.version = version,
                                                  .destination_id = id,
                                                  .source_id = id,
                                                  .token = Bytes(token_bytes, 1),
                                                  .key_id = id,
                                                  .number = 200,
                                                  .number_bytes = number_bytes,
                                                  .frames = frames})),
                              QuicResult::hello)
                        << version << ' ' << number_bytes << ' ' << id_bytes;
                    EXPECT_EQ(client.hello().server_name, "www.example.org");
                }
}

TEST(QuicClient, CryptoBetweenOtherFramesIsRead) {
    Bytes frames = {1, 0, 0, 1, 2, 5, 0, 0, 1, 3, 9, 1, 1, 1, 0, 0, 1, 2, 3};
    const auto half = message.size() / 2;
    append(frames, crypto_frame(half, part_of(message, half, message.size())));
    append(frames, {0, 1, 0});
    append(frames, crypto_frame(0, part_of(message, 0, half)));
    append(frames, {0, 0, 0x1C, 0, 6, 2, 'h', 'i'});
    QuicClient client;
    ASSERT_EQ(add(client, sealed({.frames = frames})), QuicResult::hello);
    EXPECT_EQ(client.hello().server_name, "www.example.org");
}

TEST(QuicClient, PiecesInAnyOrderAndOverlappingAreJoined) {
    std::mt19937 random(11);
    for (int round = 0; round < 300; ++round) {
        // Cut at random places, some pieces longer than needed, in random order over packets that are coalesced or alone.
        std::vector<Bytes> frames;
        for (std::size_t at = 0; at < message.size();) {
            const std::size_t end = std::min<std::size_t>(message.size(), at + 1 + random() % 60);
            frames.push_back(crypto_frame(at, part_of(message, at, end + random() % 30)));
            at = end;
        }
        std::shuffle(frames.begin(), frames.end(), random);
        QuicClient client;
        std::uint64_t number = 0;
        QuicResult result = QuicResult::no_crypto;
        for (std::size_t i = 0; i < frames.size();) {
            Bytes datagram;
            for (unsigned packets = 1 + random() % 3; packets > 0 && i < frames.size(); --packets) {
                Bytes content;
                for (unsigned count = 1 + random() % 3; count > 0 && i < frames.size(); --count) append(content, frames[i++]);
                append(datagram, sealed({.number = number++, .frames = padded(content, 20)}));
            }
            if (result != QuicResult::hello) {
                ASSERT_TRUE(result == QuicResult::need_more || number <= 3);
            }
            result = add(client, datagram);
            if (result == QuicResult::hello) break;
        }
        ASSERT_EQ(result, QuicResult::hello) << round;
        ASSERT_EQ(client.hello().server_name, "www.example.org");
        ASSERT_EQ(client.hello().extensions.size(), 5u);
    }
}

TEST(QuicClient, FirstBytesStay) {
    Bytes other = message;
    ClientHello hello;
    ASSERT_EQ(parse_client_hello_message(message, hello), TlsParse::done);
    other[hello.server_name_offset] = 'X';
    const auto cut = hello.server_name_offset + 4;
    QuicClient client;
    EXPECT_EQ(add(client, sealed({.number = 0, .frames = crypto_frame(50, part_of(message, 50, cut))})), QuicResult::need_more);
    EXPECT_EQ(add(client, sealed({.number = 1, .frames = crypto_frame(0, other)})), QuicResult::hello);
    EXPECT_EQ(client.hello().server_name, "www.example.org");
}

TEST(QuicClient, LaterPacketsUseTheFirstKeys) {
    const auto half = message.size() / 2;
    QuicClient client;
    EXPECT_EQ(add(client, sealed({.number = 0, .frames = crypto_frame(0, part_of(message, 0, half))})), QuicResult::need_more);
    // The server has chosen another ID by now.
    Initial second{.number = 1, .frames = crypto_frame(half, part_of(message, half, message.size()))};
    second.destination_id = {9, 9, 9, 9};
    EXPECT_EQ(add(client, sealed(second)), QuicResult::hello);
    EXPECT_EQ(client.initials_read(), 2u);
    Initial acknowledgement{.number = 2, .frames = padded({2, 0, 0, 0, 0}, 20)};
    acknowledgement.destination_id = {9, 9, 9, 9};
    EXPECT_EQ(add(client, sealed(acknowledgement)), QuicResult::no_crypto);
    // And the other version, which leaves the connection what it was.
    Initial upgraded = acknowledgement;
    upgraded.version = quic_2;
    upgraded.number = 3;
    EXPECT_EQ(add(client, sealed(upgraded)), QuicResult::no_crypto);
    EXPECT_EQ(client.hello().server_name, "www.example.org");
    EXPECT_EQ(client.initials_read(), 4u);
}

TEST(QuicClient, RetryMakesNewKeys) {
    const auto half = message.size() / 2;
    QuicClient client;
    EXPECT_EQ(add(client, sealed({.frames = crypto_frame(half, part_of(message, half, message.size()))})), QuicResult::need_more);
    const Bytes id = {7, 7, 7, 7, 7, 7, 7, 7};
    EXPECT_EQ(add(client, sealed({.destination_id = id, .token = Bytes(40, 3), .key_id = id, .number = 1, .frames = crypto_frame(0, message)})),
              QuicResult::hello);
    EXPECT_EQ(client.hello().server_name, "www.example.org");
}

TEST(QuicClient, OtherDatagramsAreTold) {
    QuicClient client;
    const Bytes good = sealed({.frames = crypto_frame(0, message)});
    EXPECT_EQ(add(client, {}), QuicResult::not_initial);
    EXPECT_EQ(add(client, Bytes(1200, 0)), QuicResult::not_initial);
    EXPECT_EQ(add(client, Bytes(100, 0x41)), QuicResult::not_initial);
    EXPECT_EQ(add(client, from_hex("e0 00000001 00 00 01 00")), QuicResult::not_initial);
    EXPECT_EQ(add(client, part_of(good, 0, good.size() - 1)), QuicResult::not_authentic);
    Bytes other_version = good;
    other_version[4] = 2;
    EXPECT_EQ(add(client, other_version), QuicResult::unsupported);
    EXPECT_EQ(add(client, sealed({.key_version = quic_2, .frames = crypto_frame(0, message)})), QuicResult::not_authentic);
    EXPECT_EQ(add(client, sealed({.version = quic_2, .key_version = quic_1, .frames = crypto_frame(0, message)})), QuicResult::not_authentic);
    EXPECT_EQ(add(client, sealed({.key_id = {1, 2, 3}, .frames = crypto_frame(0, message)})), QuicResult::not_authentic);
    EXPECT_EQ(client.initials_read(), 0u);

    EXPECT_EQ(add(client, sealed({.frames = padded({1}, 30)})), QuicResult::no_crypto);
    EXPECT_EQ(add(client, sealed({.frames = padded({}, 30)})), QuicResult::no_crypto);
    EXPECT_EQ(add(client, sealed({.frames = padded({0x08, 0, 1}, 30)})), QuicResult::malformed) << "a STREAM frame";
    EXPECT_EQ(add(client, sealed({.frames = padded({0x06, 0, 0x7F, 0xFF}, 30)})), QuicResult::malformed) << "longer than the packet";
    EXPECT_EQ(add(client, sealed({.frames = padded({0x02, 0, 0, 0xBF, 0xFF, 0xFF, 0xFF, 0}, 30)})), QuicResult::malformed) << "a billion ranges";
    EXPECT_EQ(add(client, sealed({.frames = crypto_frame(65'530, Bytes(30, 1))})), QuicResult::malformed) << "behind the limit";
    EXPECT_EQ(add(client, sealed({.frames = crypto_frame(0, Bytes(30, 2))})), QuicResult::malformed) << "a ServerHello";
}

TEST(QuicClient, CoalescedPacketsSpeakTogether) {
    const Bytes hello = sealed({.frames = crypto_frame(0, message)});
    Bytes datagram = from_hex("d0 00000001 08 8394c8f03e515708 00 05 0102030405");  // 0-RTT
    append(datagram, hello);
    append(datagram, Bytes(100, 0));
    QuicClient client;
    EXPECT_EQ(add(client, datagram), QuicResult::hello);
    QuicClient second;
    Bytes with_noise = hello;
    append(with_noise, part_of(hello, 0, 60));
    EXPECT_EQ(add(second, with_noise), QuicResult::hello);
}

TEST(QuicClient, ManyPiecesAreGivenUp) {
    QuicClient client;
    QuicResult result = QuicResult::need_more;
    for (std::uint64_t i = 0; i < 400 && result == QuicResult::need_more; ++i)
        result = add(client, sealed({.number = i, .number_bytes = 2, .frames = padded(crypto_frame(10 + 2 * i, {1}), 20)}));
    EXPECT_EQ(result, QuicResult::malformed);
    EXPECT_EQ(client.initials_read(), 257u);
}

TEST(QuicClient, DamageIsNeverAHello) {
    // Bits of the tag, the text, the header: the AEAD sees them all. What follows the packet is not part of it.
    for (const auto& packet : {sealed({.frames = crypto_frame(0, message)}), sealed({.version = quic_2, .source_id = {1, 2}, .frames = crypto_frame(0, message)})})
        bear_damage(packet, [&](std::span<const std::uint8_t> bytes) {
            QuicClient client;
            const bool is_whole = std::equal(bytes.begin(), bytes.end(), packet.begin(), packet.end());
            const QuicHeader header = parse_quic_header(bytes);
            ASSERT_LE(header.packet_bytes, bytes.size());
            ASSERT_EQ(client.add_datagram(bytes) == QuicResult::hello, is_whole);
        });
}

TEST(QuicClient, DamagedFramesAreBorne) {
    Bytes frames = {1, 2, 5, 0, 0, 1, 3, 9, 1, 1, 1, 0, 0, 1, 2, 3};
    append(frames, crypto_frame(100, part_of(message, 100, message.size())));
    append(frames, crypto_frame(0, part_of(message, 0, 120)));
    append(frames, {0x1C, 0, 6, 2, 'h', 'i'});
    std::map<QuicResult, std::size_t> seen;
    bear_damage(frames, [&](std::span<const std::uint8_t> bytes) {
        QuicClient client;
        ++seen[client.add_datagram(sealed({.number_bytes = 4, .frames = {bytes.begin(), bytes.end()}}))];
    });
    EXPECT_GT(seen[QuicResult::hello], 100u);
    EXPECT_GT(seen[QuicResult::malformed], 100u);
    EXPECT_EQ(seen[QuicResult::not_authentic], 0u);
}

// Zohaib et al. 2025, "Exposing and Circumventing SNI-based QUIC Censorship of the Great Firewall of China", table 3 and its payloads.
TEST(QuicClient, PayloadsOfAMeasuredFirewallAreToldApart) {
    const std::string folder = std::string(UNVEIL_SHARED_DIR) + "/data/interference/gfw-quic-2025/experiments/what-triggers-blocking/payloads/";
    if (read_file(folder + "exp1.bin").empty()) GTEST_SKIP() << "needs " << folder;
    const auto check = [&](const std::string& name, QuicResult expected, std::string_view server_name) {
        const Bytes payload = read_file(folder + name + ".bin");
        ASSERT_FALSE(payload.empty()) << name;
        QuicClient client;
        EXPECT_EQ(add(client, payload), expected) << name;
        EXPECT_EQ(client.hello().server_name, server_name) << name;
    };
    check("benign", QuicResult::not_initial, "");
    check("exp1", QuicResult::hello, "google.com");      // a packet number of one byte
    check("exp2", QuicResult::hello, "google.com");      // a byte behind the packet
    check("exp3", QuicResult::not_authentic, "");        // the last byte is missing
    check("exp4", QuicResult::unsupported, "");          // versions that do not exist
    check("exp5", QuicResult::unsupported, "");
    check("exp6", QuicResult::not_initial, "");          // the number of version 2 in a packet of version 1: a Retry
    check("exp7", QuicResult::unsupported, "");
    check("exp8", QuicResult::hello, "google.com");      // 95 bytes, both connection IDs empty
    check("exp9", QuicResult::not_initial, "");          // a source connection ID of 255 bytes
    check("exp10", QuicResult::malformed, "");           // a CRYPTO frame of no bytes, the message behind it
    check("exp11", QuicResult::malformed, "");           // a CRYPTO frame four bytes longer than the packet
    check("exp12", QuicResult::hello, "google.com");
    check("exp13", QuicResult::hello, "www.google.com"); // CRYPTO between PING and PADDING
    check("exp13_crypto_only", QuicResult::hello, "www.google.com");
    check("exp13_no_pad_google", QuicResult::hello, "google.com");
    check("exp14", QuicResult::hello, "cloudflare-ech.com");
    check("exp15", QuicResult::hello, "google.com");
    check("exp16", QuicResult::hello, "google.com");     // version 2
    QuicClient client;
    add(client, read_file(folder + "exp14.bin"));
    EXPECT_TRUE(client.hello().has_ech);
}

// The table of the artifact's README: which of ten payloads with google.com in them are blocked. The box blocks google.com, not the outer name of ECH.
TEST(QuicClient, TheTableOfBlockedPayloadsFollowsFromWhatTheBoxSees) {
    const std::string folder = std::string(UNVEIL_SHARED_DIR) + "/data/interference/gfw-quic-2025/experiments/what-triggers-blocking/payloads/";
    if (read_file(folder + "exp1.bin").empty()) GTEST_SKIP() << "needs " << folder;
    const std::vector<std::pair<std::string, bool>> table = {{"exp1", true},   {"exp3", false},  {"exp4", false},  {"exp8", true},   {"exp9", false},
                                                             {"exp10", true}, {"exp11", false}, {"exp13", false}, {"exp14", false}, {"exp16", false}};
    for (const auto& [name, is_blocked] : table) {
        const std::string seen = server_name_at_first_sight(read_file(folder + name + ".bin"));
        EXPECT_EQ(seen == "google.com" || seen == "www.google.com", is_blocked) << name << " shows '" << seen << "'";
    }
}

}  // namespace
}  // namespace unveil::test
