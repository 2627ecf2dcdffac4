// Goal: DNS messages are read as RFC 1035 says, and hostile ones end in an error, never in a loop or outside the message. Method: messages written
// by hand; every prefix and every damaged byte of them.
#include "net/dns.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "dns_messages.hpp"

namespace unveil::test {
namespace {

TEST(Dns, QueryIsRead) {
    DnsMessage message;
    ASSERT_EQ(parse_dns(dns_query("WikiPedia.org", 28), message), DnsError::none);
    EXPECT_EQ(message.id, 0xBEEF);
    EXPECT_FALSE(message.is_response());
    EXPECT_EQ(message.name, "wikipedia.org");
    EXPECT_EQ(message.type, 28);
    EXPECT_EQ(message.klass, 1);
    EXPECT_EQ(message.questions, 1);
    EXPECT_TRUE(message.answers.empty());
    EXPECT_FALSE(message.has_opt);
    EXPECT_EQ(message.bytes_left_over, 0u);
}

TEST(Dns, AnswerIsRead) {
    Bytes bytes = dns_answer();
    append(bytes, {1, 2, 3});
    DnsMessage message;
    ASSERT_EQ(parse_dns(bytes, message), DnsError::none);
    EXPECT_TRUE(message.is_response() && message.is_authoritative() && message.is_recursion_available());
    EXPECT_EQ(message.rcode(), 0u);
    EXPECT_TRUE(message.has_opt);
    EXPECT_EQ(message.bytes_left_over, 3u);
    ASSERT_EQ(message.answers.size(), 3u);
    EXPECT_EQ(message.answers[0].name, "www.example.com");
    EXPECT_TRUE(message.answers[0].is_name_compressed);
    EXPECT_EQ(message.answers[0].offset, 33u);
    EXPECT_EQ(message.answers[1].name, "edge.example.com");
    EXPECT_EQ(message.answers[1].ttl_seconds, 300u);
    EXPECT_FALSE(message.answers[2].is_name_compressed);
    EXPECT_EQ(message.answers[2].name, "edge.example.com");

    IpAddress address;
    EXPECT_FALSE(dns_address(message.answers[0], address));
    ASSERT_TRUE(dns_address(message.answers[1], address));
    EXPECT_EQ(address_text(address), "192.0.2.7");
    ASSERT_TRUE(dns_address(message.answers[2], address));
    EXPECT_EQ(address_text(address), "2001:db8::1");
    std::string name;
    ASSERT_TRUE(dns_target(bytes, message.answers[0], name));
    EXPECT_EQ(name, "edge.example.com");
    EXPECT_FALSE(dns_target(bytes, message.answers[1], name));
    const Bytes elsewhere(bytes.size());
    EXPECT_FALSE(dns_target(elsewhere, message.answers[0], name)) << "the record is of another message";
}

TEST(Dns, BytesThatAreNoPrintableTextAreNumbers) {
    Bytes bytes = dns_header(0x0100, 1, 0);
    append_counted(bytes, {'a', '.', 'b', 0, 0xFF, ' ', '\\'}, 1);
    append_counted(bytes, {'c'}, 1);
    append(bytes, {0, 0, 1, 0, 1});
    DnsMessage message;
    ASSERT_EQ(parse_dns(bytes, message), DnsError::none);
    EXPECT_EQ(message.name, "a\\046b\\000\\255\\032\\092.c");
}

TEST(Dns, RootIsEmpty) {
    DnsMessage message;
    ASSERT_EQ(parse_dns(dns_query("", 2), message), DnsError::none);
    EXPECT_EQ(message.name, "");
    EXPECT_EQ(message.type, 2);
}

TEST(Dns, PointersThatDoNotLeadBackAreErrors) {
    DnsMessage message;
    const auto with_name = [](const Bytes& name) {
        Bytes bytes = dns_header(0x0100, 1, 0);
        append(bytes, name);
        append(bytes, {0, 1, 0, 1});
        return bytes;
    };
    EXPECT_EQ(parse_dns(with_name({0xC0, 0x0C}), message), DnsError::bad_name) << "to itself";
    EXPECT_EQ(parse_dns(with_name({0xC0, 0x0E}), message), DnsError::bad_name) << "forwards";
    EXPECT_EQ(parse_dns(with_name({1, 'a', 0xC0, 0x0C}), message), DnsError::bad_name) << "to its own beginning";
    EXPECT_EQ(parse_dns(with_name({0xFF, 0xFF}), message), DnsError::bad_name) << "behind the end";
    EXPECT_EQ(parse_dns(with_name({0x40, 'a', 0}), message), DnsError::bad_name) << "a label type that was never used";
    EXPECT_EQ(parse_dns(with_name({0x80, 'a', 0}), message), DnsError::bad_name);

    // Two names that lead to each other: the second may go back to the first, which may not go on to the second.
    Bytes bytes = dns_header(0x8180, 1, 1);
    append(bytes, {1, 'a', 0xC0, 0x14, 0, 1, 0, 1});
    append_record(bytes, to_question, 1, {1, 2, 3, 4});
    EXPECT_EQ(parse_dns(bytes, message), DnsError::bad_name);
}

TEST(Dns, LongNamesAndChainsOfPointersAreErrors) {
    DnsMessage message;
    std::string name;
    for (int i = 0; i < 127; ++i) name += i == 0 ? "a" : ".a";
    EXPECT_EQ(parse_dns(dns_query(name), message), DnsError::none) << "255 bytes, the most";
    EXPECT_EQ(message.name, name);
    EXPECT_EQ(parse_dns(dns_query(name + ".a"), message), DnsError::bad_name);

    // A ladder of pointers within the data of the first answer; each rung leads to the one below.
    Bytes bytes = dns_header(0x8180, 1, 2);
    append_question(bytes, "a", 1);
    Bytes ladder = to_question;
    const auto first = bytes.size() + 12;
    for (std::size_t i = 0; i < 200; ++i) append_number(ladder, 0xC000 | (first + 2 * i), 2);
    append_record(bytes, to_question, 16, ladder);
    const auto with_rung = [&](std::size_t rung) {
        Bytes whole = bytes;
        Bytes pointer;
        append_number(pointer, 0xC000 | (first + 2 * rung), 2);
        append_record(whole, pointer, 1, {1, 2, 3, 4});
        return whole;
    };
    EXPECT_EQ(parse_dns(with_rung(3), message), DnsError::none);
    EXPECT_EQ(message.answers[1].name, "a");
    EXPECT_EQ(parse_dns(with_rung(199), message), DnsError::bad_name);
    EXPECT_EQ(message.answers.size(), 1u) << "what was read until then stays";
}

TEST(Dns, ErrorsNameWhatIsMissing) {
    const Bytes bytes = dns_answer();
    DnsMessage message;
    EXPECT_EQ(parse_dns({}, message), DnsError::too_short);
    EXPECT_EQ(parse_dns(std::span(bytes).first(11), message), DnsError::too_short);
    EXPECT_EQ(parse_dns(std::span(bytes).first(20), message), DnsError::too_short);
    EXPECT_EQ(parse_dns(std::span(bytes).first(40), message), DnsError::too_short);
    EXPECT_EQ(message.name, "www.example.com");
    EXPECT_EQ(parse_dns(std::span(bytes).first(50), message), DnsError::bad_record);
    Bytes many = dns_header(0x8180, 0, 600);
    for (int i = 0; i < 600; ++i) append_record(many, {0}, 1, {1, 2, 3, 4});
    EXPECT_EQ(parse_dns(many, message), DnsError::too_many);
    EXPECT_EQ(message.answers.size(), 512u);
    Bytes questions = dns_header(0x0100, 600, 0);
    for (int i = 0; i < 600; ++i) append_question(questions, "", 1);
    EXPECT_EQ(parse_dns(questions, message), DnsError::too_many);
}

TEST(Dns, EveryCutMessageIsAnError) {
    const Bytes bytes = dns_answer();
    DnsMessage message;
    for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_NE(parse_dns(std::span(bytes).first(size), message), DnsError::none) << size;
}

TEST(Dns, DamageIsBorne) {
    DnsMessage message;
    std::string name;
    IpAddress address;
    const Bytes whole = dns_answer();
    bear_damage(whole, [&](std::span<const std::uint8_t> bytes) {
        parse_dns(bytes, message);
        ASSERT_LE(message.answers.size(), 512u);
        for (const auto& record : message.answers) {
            ASSERT_LE(record.name.size(), 4u * 255u);
            ASSERT_LE(record.offset, bytes.size());
            ASSERT_TRUE(record.data.empty() || (record.data.data() >= bytes.data() && record.data.data() + record.data.size() <= bytes.data() + bytes.size()));
            dns_target(bytes, record, name);
            dns_address(record, address);
        }
    });
}

TEST(Dns, RandomBytesAreBorne) {
    std::mt19937 random(7);
    DnsMessage message;
    std::size_t good = 0;
    for (int round = 0; round < 20'000; ++round) {
        Bytes bytes = dns_header(random() & 0xFFFF, random() % 3, random() % 4, random() % 2, random() % 2);
        const auto size = random() % 80;
        for (std::size_t i = 0; i < size; ++i) {
            constexpr std::uint8_t likely[] = {0, 1, 2, 3, 0xC0, 0x0C, 'a', 0xFF};
            bytes.push_back(random() % 4 != 0 ? likely[random() % 8] : static_cast<std::uint8_t>(random()));
        }
        good += parse_dns(bytes, message) == DnsError::none;
    }
    EXPECT_GT(good, 0u);
}

}  // namespace
}  // namespace unveil::test
