#include "net/quic.hpp"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>

#include "core/error.hpp"
#include "net/byte_cursor.hpp"

namespace unveil {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::uint32_t version_1 = 0x00000001, version_2 = 0x6B3343CF;
constexpr std::uint32_t draft_23 = 0xFF000017, draft_29 = 0xFF00001D, draft_33 = 0xFF000021, draft_34 = 0xFF000022;
constexpr std::size_t id_bytes_max = 20;      // RFC 9000, 17.2
constexpr std::size_t key_bytes = 16, iv_bytes = 12, tag_bytes = 16, sample_bytes = 16;
constexpr std::size_t datagram_bytes_max = 65'535;
constexpr std::size_t crypto_bytes_max = 64u << 10;
constexpr std::size_t crypto_pieces_max = 256;

using Salt = std::array<std::uint8_t, 20>;

// RFC 9001, 5.2; RFC 9369, 3.3.1; draft-ietf-quic-tls-29 and -23, 5.2.
constexpr Salt salt_1 = {0x38, 0x76, 0x2C, 0xF7, 0xF5, 0x59, 0x34, 0xB3, 0x4D, 0x17, 0x9A, 0xE6, 0xA4, 0xC8, 0x0C, 0xAD, 0xCC, 0xBB, 0x7F, 0x0A};
constexpr Salt salt_2 = {0x0D, 0xED, 0xE3, 0xDE, 0xF7, 0x00, 0xA6, 0xDB, 0x81, 0x93, 0x81, 0xBE, 0x6E, 0x26, 0x9D, 0xCB, 0xF9, 0xBD, 0x2E, 0xD9};
constexpr Salt salt_29 = {0xAF, 0xBF, 0xEC, 0x28, 0x99, 0x93, 0xD2, 0x4C, 0x9E, 0x97, 0x86, 0xF1, 0x9C, 0x61, 0x11, 0xE0, 0x43, 0x90, 0xA8, 0x99};
constexpr Salt salt_23 = {0xC3, 0xEE, 0xF7, 0x12, 0xC7, 0x2E, 0xBB, 0x5A, 0x11, 0xA7, 0xD2, 0x43, 0x2B, 0xB4, 0x63, 0x65, 0xBE, 0xF9, 0xF5, 0x02};

/// Null for a version that is not read.
const Salt* salt_of(std::uint32_t version) {
    if (version == version_1) return &salt_1;
    if (version == version_2) return &salt_2;
    if (version < draft_23 || version > draft_34) return nullptr;
    return version < draft_29 ? &salt_23 : version < draft_33 ? &salt_29 : &salt_1;
}

QuicKind long_kind(std::uint8_t first, std::uint32_t version) {
    constexpr QuicKind kinds[] = {QuicKind::initial, QuicKind::zero_rtt, QuicKind::handshake, QuicKind::retry};
    const unsigned type = first >> 4 & 3u;
    return kinds[version == version_2 ? (type + 3) % 4 : type];  // RFC 9369, 3.2
}

/// Where the parts of an Initial lie; all zero when the header is cut.
struct InitialParts {
    std::size_t number_offset = 0;
    std::uint64_t rest_bytes = 0;  // packet number, payload and tag, as announced
};

struct ParsedHeader {
    QuicHeader header;
    InitialParts parts;
};

ParsedHeader parse_header(Bytes datagram) {
    ParsedHeader parsed;
    QuicHeader& header = parsed.header;
    if (datagram.empty()) return parsed;
    header.packet_bytes = static_cast<std::uint32_t>(datagram.size());
    const std::uint8_t first = datagram[0];
    const bool has_fixed_bit = (first & 0x40) != 0;
    if ((first & 0x80) == 0) {
        if (!has_fixed_bit) return {};
        header.kind = QuicKind::short_header;
        return parsed;
    }
    ByteCursor cursor(datagram);
    cursor.u8();
    header.version = cursor.u32();
    header.destination_id = cursor.bytes(cursor.u8());
    header.source_id = cursor.bytes(cursor.u8());
    if (!cursor.is_ok()) return {};
    if (header.version == 0) {
        // The other bits of the first byte may be anything; the versions on offer fill the rest (RFC 9000, 17.2.1).
        if (cursor.is_at_end() || cursor.remaining() % 4 != 0) return {};
        header.kind = QuicKind::version_negotiation;
        return parsed;
    }
    if (!has_fixed_bit) return {};
    if (salt_of(header.version) == nullptr) {
        header.kind = QuicKind::unknown_version;
        return parsed;
    }
    if (header.destination_id.size() > id_bytes_max || header.source_id.size() > id_bytes_max) return {};
    header.kind = long_kind(first, header.version);
    if (header.kind == QuicKind::retry) return parsed;
    if (header.kind == QuicKind::initial) cursor.bytes(cursor.varint());  // token
    const std::uint64_t rest_bytes = cursor.varint();
    if (!cursor.is_ok()) return parsed;
    parsed.parts = {cursor.position(), rest_bytes};
    if (rest_bytes < cursor.remaining()) header.packet_bytes = static_cast<std::uint32_t>(cursor.position() + rest_bytes);
    return parsed;
}

struct Free {
    void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
    void operator()(EVP_MD* digest) const { EVP_MD_free(digest); }
    void operator()(EVP_CIPHER* cipher) const { EVP_CIPHER_free(cipher); }
};

using Digest = std::array<std::uint8_t, SHA256_DIGEST_LENGTH>;

/// What OpenSSL needs, fetched once a thread: fetching costs more than a packet.
class Crypto {
  public:
    Crypto()
        : m_sha256(EVP_MD_fetch(nullptr, "SHA256", nullptr)), m_ecb(EVP_CIPHER_fetch(nullptr, "AES-128-ECB", nullptr)),
          m_gcm(EVP_CIPHER_fetch(nullptr, "AES-128-GCM", nullptr)), m_hash(EVP_MD_CTX_new()), m_mask_context(EVP_CIPHER_CTX_new()),
          m_packet_context(EVP_CIPHER_CTX_new()), m_plain(datagram_bytes_max) {
        UNVEIL_ASSERT(m_sha256 && m_ecb && m_gcm && m_hash && m_mask_context && m_packet_context);
        UNVEIL_ASSERT(EVP_EncryptInit_ex2(m_mask_context.get(), m_ecb.get(), nullptr, nullptr, nullptr) == 1);
        UNVEIL_ASSERT(EVP_DecryptInit_ex2(m_packet_context.get(), m_gcm.get(), nullptr, nullptr, nullptr) == 1);
    }

    /// RFC 2104, for keys of at most one block.
    Digest hmac(Bytes key, Bytes message) {
        std::array<std::uint8_t, SHA256_CBLOCK> block;
        const auto pad = [&](std::uint8_t value) {
            block.fill(value);
            for (std::size_t i = 0; i < key.size(); ++i) block[i] ^= key[i];
        };
        pad(0x36);
        const Digest inner = sha256(block, message);
        pad(0x5C);
        return sha256(block, inner);
    }

    /// HKDF-Expand-Label of TLS 1.3 (RFC 8446, 7.1) with an empty context, for one block of output.
    Digest expand_label(Bytes secret, std::string_view label, std::uint16_t length) {
        std::array<std::uint8_t, 64> info{};
        constexpr std::string_view prefix = "tls13 ";
        std::size_t size = 0;
        info[size++] = static_cast<std::uint8_t>(length >> 8);
        info[size++] = static_cast<std::uint8_t>(length);
        info[size++] = static_cast<std::uint8_t>(prefix.size() + label.size());
        for (const char c : prefix) info[size++] = static_cast<std::uint8_t>(c);
        for (const char c : label) info[size++] = static_cast<std::uint8_t>(c);
        info[size++] = 0;
        info[size++] = 1;  // number of the block
        return hmac(secret, Bytes(info).first(size));
    }

    std::array<std::uint8_t, sample_bytes> mask(const std::uint8_t* key, const std::uint8_t* sample) {
        std::array<std::uint8_t, sample_bytes> out{};
        int size = 0;
        UNVEIL_ASSERT(EVP_EncryptInit_ex2(m_mask_context.get(), nullptr, key, nullptr, nullptr) == 1);
        UNVEIL_ASSERT(EVP_EncryptUpdate(m_mask_context.get(), out.data(), &size, sample, static_cast<int>(sample_bytes)) == 1);
        return out;
    }

    /// Decrypts in one go; the plain text lives until the next call. False when the tag does not fit.
    bool open(const std::uint8_t* key, const std::uint8_t* nonce, std::initializer_list<Bytes> header, Bytes sealed, Bytes& plain) {
        auto* const context = m_packet_context.get();
        const Bytes text = sealed.first(sealed.size() - tag_bytes);
        std::array<std::uint8_t, tag_bytes> tag;
        std::copy(sealed.end() - tag_bytes, sealed.end(), tag.begin());
        int size = 0;
        UNVEIL_ASSERT(EVP_DecryptInit_ex2(context, nullptr, key, nonce, nullptr) == 1);
        for (const Bytes part : header) {
            if (part.empty()) continue;
            UNVEIL_ASSERT(EVP_DecryptUpdate(context, nullptr, &size, part.data(), static_cast<int>(part.size())) == 1);
        }
        if (!text.empty()) UNVEIL_ASSERT(EVP_DecryptUpdate(context, m_plain.data(), &size, text.data(), static_cast<int>(text.size())) == 1);
        UNVEIL_ASSERT(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, static_cast<int>(tag_bytes), tag.data()) == 1);
        if (EVP_DecryptFinal_ex(context, m_plain.data() + text.size(), &size) != 1) return false;
        plain = Bytes(m_plain).first(text.size());
        return true;
    }

    static Crypto& of_this_thread() {
        thread_local Crypto crypto;
        return crypto;
    }

  private:
    Digest sha256(Bytes first, Bytes second) {
        Digest digest;
        UNVEIL_ASSERT(EVP_DigestInit_ex2(m_hash.get(), m_sha256.get(), nullptr) == 1 &&
                      EVP_DigestUpdate(m_hash.get(), first.data(), first.size()) == 1 &&
                      EVP_DigestUpdate(m_hash.get(), second.data(), second.size()) == 1 &&
                      EVP_DigestFinal_ex(m_hash.get(), digest.data(), nullptr) == 1);
        return digest;
    }

    std::unique_ptr<EVP_MD, Free> m_sha256;
    std::unique_ptr<EVP_CIPHER, Free> m_ecb;
    std::unique_ptr<EVP_CIPHER, Free> m_gcm;
    std::unique_ptr<EVP_MD_CTX, Free> m_hash;
    std::unique_ptr<EVP_CIPHER_CTX, Free> m_mask_context;
    std::unique_ptr<EVP_CIPHER_CTX, Free> m_packet_context;
    std::vector<std::uint8_t> m_plain;
};

/// What protects the client's Initial packets of one connection, and which connection that is.
struct Keys {
    std::uint32_t version = 0;
    std::uint8_t id_size = 0;
    std::array<std::uint8_t, id_bytes_max> id{};
    std::array<std::uint8_t, key_bytes> packet_key{};
    std::array<std::uint8_t, key_bytes> header_key{};
    std::array<std::uint8_t, iv_bytes> iv{};

    Bytes connection() const { return Bytes(id).first(id_size); }
    bool is_of(std::uint32_t wanted_version, Bytes wanted_id) const {
        return version == wanted_version && std::equal(wanted_id.begin(), wanted_id.end(), id.begin(), id.begin() + id_size);
    }
};

Keys derive_keys(std::uint32_t version, Bytes destination_id) {
    Keys keys;
    keys.version = version;
    keys.id_size = static_cast<std::uint8_t>(destination_id.size());
    std::copy(destination_id.begin(), destination_id.end(), keys.id.begin());
    Crypto& crypto = Crypto::of_this_thread();
    const bool is_2 = version == version_2;
    const Digest initial = crypto.hmac(*salt_of(version), destination_id);
    const Digest client = crypto.expand_label(initial, "client in", SHA256_DIGEST_LENGTH);
    const auto derive = [&](std::string_view label, auto& key) {
        const Digest digest = crypto.expand_label(client, label, static_cast<std::uint16_t>(key.size()));
        std::copy_n(digest.begin(), key.size(), key.begin());
    };
    derive(is_2 ? "quicv2 key" : "quic key", keys.packet_key);
    derive(is_2 ? "quicv2 iv" : "quic iv", keys.iv);
    derive(is_2 ? "quicv2 hp" : "quic hp", keys.header_key);
    return keys;
}

/// The full number whose low bits were sent (RFC 9000, A.3).
std::uint64_t full_number(std::uint64_t expected, std::uint64_t truncated, unsigned bits) {
    const std::uint64_t window = std::uint64_t{1} << bits;
    const std::uint64_t candidate = (expected & ~(window - 1)) | truncated;
    if (candidate + window / 2 <= expected && candidate < (std::uint64_t{1} << 62) - window) return candidate + window;
    if (candidate > expected + window / 2 && candidate >= window) return candidate - window;
    return candidate;
}

/// Takes both protections off. False when the tag does not fit; `number` is then of no use.
bool open_initial(const Keys& keys, Bytes packet, std::size_t number_offset, std::uint64_t expected, std::uint64_t& number, Bytes& plain) {
    if (packet.size() < number_offset + 4 + sample_bytes || packet.size() > datagram_bytes_max) return false;
    Crypto& crypto = Crypto::of_this_thread();
    const auto mask = crypto.mask(keys.header_key.data(), packet.data() + number_offset + 4);
    const std::uint8_t first = packet[0] ^ (mask[0] & 0x0F);
    const std::size_t number_bytes = (first & 3u) + 1;
    std::array<std::uint8_t, 4> number_field{};
    std::uint64_t truncated = 0;
    for (std::size_t i = 0; i < number_bytes; ++i) {
        number_field[i] = packet[number_offset + i] ^ mask[1 + i];
        truncated = truncated << 8 | number_field[i];
    }
    number = full_number(expected, truncated, static_cast<unsigned>(8 * number_bytes));
    auto nonce = keys.iv;
    for (std::size_t i = 0; i < 8; ++i) nonce[iv_bytes - 1 - i] ^= static_cast<std::uint8_t>(number >> (8 * i));
    return crypto.open(keys.packet_key.data(), nonce.data(),
                       {Bytes(&first, 1), packet.subspan(1, number_offset - 1), Bytes(number_field).first(number_bytes)},
                       packet.subspan(number_offset + number_bytes), plain);
}

/// The front of the CRYPTO stream and what lies behind gaps. Memory follows what was received.
class CryptoStream {
  public:
    const std::vector<std::uint8_t>& front() const { return m_front; }
    /// False when there are too many pieces, or bytes too far on.
    bool add(std::uint64_t offset, Bytes data) {
        if (offset > crypto_bytes_max || data.size() > crypto_bytes_max - offset) return false;
        std::size_t at = static_cast<std::size_t>(offset);
        const std::size_t end = at + data.size();
        const auto part = [&](std::size_t from, std::size_t to) { return data.subspan(from - static_cast<std::size_t>(offset), to - from); };
        at = std::max(at, m_front.size());
        auto next = m_pieces.upper_bound(at);
        if (next != m_pieces.begin()) {
            const auto before = std::prev(next);
            at = std::max(at, before->first + before->second.size());
        }
        while (at < end) {
            const std::size_t gap_end = next == m_pieces.end() ? end : std::min(end, next->first);
            if (gap_end > at && !add_new(at, part(at, gap_end))) return false;
            if (next == m_pieces.end()) break;
            at = std::max(gap_end, next->first + next->second.size());
            ++next;
        }
        for (auto first = m_pieces.begin(); first != m_pieces.end() && first->first == m_front.size(); first = m_pieces.erase(first))
            m_front.insert(m_front.end(), first->second.begin(), first->second.end());
        return true;
    }
    void release() { *this = {}; }

  private:
    bool add_new(std::size_t offset, Bytes data) {
        if (offset == m_front.size()) {
            m_front.insert(m_front.end(), data.begin(), data.end());
            return true;
        }
        if (m_pieces.size() >= crypto_pieces_max) return false;
        m_pieces.emplace(offset, std::vector<std::uint8_t>(data.begin(), data.end()));
        return true;
    }

    std::vector<std::uint8_t> m_front;
    std::map<std::size_t, std::vector<std::uint8_t>> m_pieces;  // not overlapping
};

/// False for nonsense. `offer` is called with each CRYPTO frame.
template <typename Offer>
bool read_frames(Bytes plain, Offer offer) {
    if (plain.empty()) return false;  // RFC 9000, 12.4
    ByteCursor cursor(plain);
    while (!cursor.is_at_end()) {
        switch (cursor.u8()) {
            case 0x00:  // PADDING
            case 0x01:  // PING
                break;
            case 0x02:  // ACK
            case 0x03: {
                const bool has_counts = plain[cursor.position() - 1] == 0x03;
                cursor.varint();
                cursor.varint();
                const std::uint64_t ranges = cursor.varint();
                cursor.varint();
                for (std::uint64_t i = 0; i < ranges && cursor.is_ok(); ++i) {
                    cursor.varint();
                    cursor.varint();
                }
                for (unsigned i = 0; has_counts && i < 3; ++i) cursor.varint();
                break;
            }
            case 0x06: {  // CRYPTO
                const std::uint64_t offset = cursor.varint();
                const Bytes data = cursor.bytes(cursor.varint());
                if (!cursor.is_ok() || !offer(offset, data)) return false;
                break;
            }
            case 0x1C:  // CONNECTION_CLOSE
                cursor.varint();
                cursor.varint();
                cursor.bytes(cursor.varint());
                break;
            default: return false;  // others are forbidden here (RFC 9000, 12.5)
        }
        if (!cursor.is_ok()) return false;
    }
    return true;
}

}  // namespace

QuicHeader parse_quic_header(std::span<const std::uint8_t> datagram) { return parse_header(datagram).header; }

struct QuicClient::State {
    bool has_keys = false;
    bool has_hello = false;
    std::uint32_t initials_read = 0;
    Keys keys;
    std::uint64_t expected_number = 0;
    CryptoStream crypto;
    ClientHello hello;

    QuicResult add_initial(Bytes packet, const ParsedHeader& parsed);
    bool open(Bytes packet, const ParsedHeader& parsed, Bytes& plain);
    void forget_stream() {
        has_hello = false;
        expected_number = 0;
        crypto.release();
    }
};

bool QuicClient::State::open(Bytes packet, const ParsedHeader& parsed, Bytes& plain) {
    const QuicHeader& header = parsed.header;
    const InitialParts& parts = parsed.parts;
    if (parts.number_offset == 0 || parts.rest_bytes != packet.size() - parts.number_offset) return false;
    std::uint64_t number = 0;
    const auto opens_with = [&](const Keys& candidate, std::uint64_t expected) {
        return open_initial(candidate, packet, parts.number_offset, expected, number, plain);
    };
    const auto use = [&](const Keys& fitting) {
        keys = fitting;
        has_keys = true;
        expected_number = std::max(expected_number, number + 1);
        return true;
    };
    if (has_keys && keys.version == header.version && opens_with(keys, expected_number)) return use(keys);
    // A server may have chosen the other version; the connection stays (RFC 9369, 4.1).
    if (has_keys && keys.version != header.version) {
        const Keys other = derive_keys(header.version, keys.connection());
        if (opens_with(other, expected_number)) return use(other);
    }
    if (has_keys && keys.is_of(header.version, header.destination_id)) return false;
    const Keys fresh = derive_keys(header.version, header.destination_id);
    if (!opens_with(fresh, 0)) return false;
    // After a Retry, or in a new connection between the same ports, the stream begins again.
    if (has_keys) forget_stream();
    return use(fresh);
}

QuicResult QuicClient::State::add_initial(Bytes packet, const ParsedHeader& parsed) {
    Bytes plain;
    if (!open(packet, parsed, plain)) return QuicResult::not_authentic;
    ++initials_read;
    bool has_crypto = false;
    const auto offer = [&](std::uint64_t offset, Bytes data) {
        has_crypto |= !data.empty();
        return has_hello || crypto.add(offset, data);
    };
    const bool had_hello = has_hello;
    const std::size_t front_before = crypto.front().size();
    if (!read_frames(plain, offer)) return QuicResult::malformed;
    if (!has_crypto) return QuicResult::no_crypto;
    if (had_hello) return QuicResult::hello;
    if (crypto.front().size() == front_before) return QuicResult::need_more;
    switch (parse_client_hello_message(crypto.front(), hello)) {
        case TlsParse::done: break;
        case TlsParse::need_more: return QuicResult::need_more;
        default: return QuicResult::malformed;
    }
    has_hello = true;
    crypto.release();
    return QuicResult::hello;
}

QuicClient::QuicClient() : m_state(std::make_unique<State>()) {}
QuicClient::~QuicClient() = default;
QuicClient::QuicClient(QuicClient&&) noexcept = default;
QuicClient& QuicClient::operator=(QuicClient&&) noexcept = default;

QuicResult QuicClient::add_datagram(std::span<const std::uint8_t> datagram) {
    // The most telling of its packets speaks for the datagram.
    constexpr QuicResult by_weight[] = {QuicResult::not_initial, QuicResult::unsupported, QuicResult::not_authentic, QuicResult::no_crypto,
                                        QuicResult::need_more,   QuicResult::malformed,   QuicResult::hello};
    const auto weight = [&](QuicResult result) { return std::find(std::begin(by_weight), std::end(by_weight), result) - std::begin(by_weight); };
    QuicResult best = QuicResult::not_initial;
    while (!datagram.empty()) {
        const ParsedHeader parsed = parse_header(datagram);
        QuicResult result = QuicResult::not_initial;
        if (parsed.header.kind == QuicKind::unknown_version) result = QuicResult::unsupported;
        else if (parsed.header.kind == QuicKind::initial) result = m_state->add_initial(datagram.first(parsed.header.packet_bytes), parsed);
        else if (parsed.header.kind != QuicKind::zero_rtt && parsed.header.kind != QuicKind::handshake) datagram = {};
        if (weight(result) > weight(best)) best = result;
        if (result == QuicResult::unsupported || datagram.empty()) break;
        datagram = datagram.subspan(parsed.header.packet_bytes);
    }
    return best;
}

const ClientHello& QuicClient::hello() const { return m_state->hello; }
std::uint32_t QuicClient::initials_read() const { return m_state->initials_read; }

std::string server_name_at_first_sight(std::span<const std::uint8_t> datagram) {
    const ParsedHeader parsed = parse_header(datagram);
    constexpr std::uint32_t version_1 = 1;
    if (parsed.header.kind != QuicKind::initial || parsed.header.version != version_1) return {};
    QuicClient::State state;
    Bytes plain;
    if (!state.open(datagram.first(parsed.header.packet_bytes), parsed, plain)) return {};
    ByteCursor cursor(plain);
    if (cursor.u8() != 0x06) return {};
    cursor.varint();
    const std::uint64_t length = cursor.varint();
    if (!cursor.is_ok()) return {};
    Bytes rest = plain.subspan(cursor.position());
    // The payload that showed it has a length of two bytes, both 0: the second reads as padding.
    while (length == 0 && !rest.empty() && rest[0] == 0) rest = rest.subspan(1);
    const Bytes message = length == 0 ? rest : rest.first(std::min<std::size_t>(length, rest.size()));
    ClientHello hello;
    return parse_client_hello_message(message, hello) == TlsParse::done ? hello.server_name : std::string();
}

}  // namespace unveil
