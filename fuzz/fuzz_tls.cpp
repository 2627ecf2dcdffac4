// Any bytes as a client's stream, a hello message, a server's stream and a certificate; the first byte says which. A stream that is done stays done
// when more bytes follow, and says the same.
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "net/tls.hpp"

namespace {

void require_tls(bool condition) {
    if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace unveil;
    if (size == 0) return 0;
    const std::span<const std::uint8_t> bytes(data + 1, size - 1);
    std::vector<std::uint8_t> longer(bytes.begin(), bytes.end());
    longer.insert(longer.end(), {22, 3, 1, 0, 2, 1, 0});
    static ClientHello hello;
    static ServerFlight flight;
    static CertificateNames names;
    switch (data[0] % 4) {
        case 0: {
            std::uint32_t used = 0;
            if (parse_client_hello(bytes, hello, &used) != TlsParse::done) break;
            require_tls(used > 0 && used <= bytes.size());
            ClientHello again;
            require_tls(parse_client_hello(longer, again) == TlsParse::done);
            require_tls(again.server_name == hello.server_name && again.extensions == hello.extensions && again.alpn == hello.alpn);
            break;
        }
        case 1:
            if (parse_client_hello_message(bytes, hello) != TlsParse::done) break;
            require_tls(!hello.has_server_name || hello.server_name_offset + hello.server_name.size() <= bytes.size());
            require_tls(hello.session_id_bytes <= 32);
            break;
        case 2: {
            const TlsParse parse = parse_server_flight(bytes, flight);
            std::size_t kept = 0;
            for (const auto& der : flight.certificates_der) {
                kept += der.size();
                read_certificate(der, names);
            }
            require_tls(flight.certificates_der.size() <= 8 && kept <= (64u << 10) && kept <= bytes.size());
            ServerFlight again;
            if (parse == TlsParse::done) require_tls(parse_server_flight(longer, again) == TlsParse::done && again.certificates_der == flight.certificates_der);
            break;
        }
        default:
            if (!read_certificate(bytes, names)) break;
            require_tls(names.alternative_names.size() <= 1'000);
            for (const auto& name : names.alternative_names) certificate_covers(names, name);
            certificate_covers(names, "www.example.org");
            break;
    }
    return 0;
}
