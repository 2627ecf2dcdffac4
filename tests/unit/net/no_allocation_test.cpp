// Goal: decoders that see every packet ask for no memory once their output has grown. Method: allocations of the whole program counted around them.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "dns_messages.hpp"
#include "net/dns.hpp"
#include "net/quic.hpp"
#include "net/tls.hpp"
#include "quic_packets.hpp"
#include "tls_messages.hpp"

namespace {
std::size_t allocations = 0;
}

#if !defined(__SANITIZE_ADDRESS__)
void* operator new(std::size_t size) {
    ++allocations;
    if (void* const memory = std::malloc(size == 0 ? 1 : size)) return memory;
    throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
#endif

namespace unveil::test {
namespace {

template <typename Work>
std::size_t allocations_of(Work work) {
    work();
    work();
    const auto before = allocations;
    for (int i = 0; i < 100; ++i) work();
    return allocations - before;
}

class NoAllocation : public testing::Test {
  protected:
    void SetUp() override {
#if defined(__SANITIZE_ADDRESS__)
        GTEST_SKIP() << "memory belongs to AddressSanitizer";
#endif
        std::string long_text(1000, 'x');
        ASSERT_GT(allocations_of([&] { long_text = std::string(1000, 'x'); }), 0u) << "counting works";
    }
};

TEST_F(NoAllocation, Dns) {
    const Bytes longer = dns_answer();
    const Bytes shorter = dns_query("a-name-that-is-longer-than-what-a-string-holds-itself.example.com");
    DnsMessage message;
    EXPECT_EQ(allocations_of([&] {
                  parse_dns(longer, message);
                  parse_dns(shorter, message);
              }),
              0u);
}

TEST_F(NoAllocation, ClientHello) {
    const Bytes one = in_records(usual_client_hello("a-name-that-is-longer-than-what-a-string-holds-itself.example.com"), 1000);
    const Bytes many = in_records(usual_client_hello(), 20);
    ClientHello hello;
    EXPECT_EQ(allocations_of([&] {
                  ASSERT_EQ(parse_client_hello(one, hello), TlsParse::done);
                  ASSERT_EQ(parse_client_hello(many, hello), TlsParse::done);
              }),
              0u);
}

TEST_F(NoAllocation, QuicHeader) {
    const Bytes packet = sealed({.frames = crypto_frame(0, usual_client_hello())});
    EXPECT_EQ(allocations_of([&] { ASSERT_EQ(parse_quic_header(packet).kind, QuicKind::initial); }), 0u);
}

}  // namespace
}  // namespace unveil::test
