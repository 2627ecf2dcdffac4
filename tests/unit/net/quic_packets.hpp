// QUIC Initial packets as a client seals them (RFC 9001, 5), written apart from the reader: with OpenSSL's own HKDF.
#pragma once

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <stdexcept>

#include "bytes.hpp"

namespace unveil::test {

constexpr std::uint32_t quic_1 = 1, quic_2 = 0x6B3343CF;

inline void need(bool condition) {
    if (!condition) throw std::runtime_error("OpenSSL failed");
}

inline Bytes hkdf(int mode, const Bytes& key, Bytes salt, Bytes info, std::size_t size) {
    EVP_KDF* const kdf = EVP_KDF_fetch(nullptr, "HKDF", nullptr);
    EVP_KDF_CTX* const context = EVP_KDF_CTX_new(kdf);
    std::string digest = "SHA256";
    Bytes key_copy = key, out(size);
    key_copy.reserve(1);  // a key of no bytes still needs an address
    OSSL_PARAM parameters[] = {OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
                               OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0),
                               OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, key_copy.data(), key_copy.size()),
                               salt.empty() ? OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info.data(), info.size())
                                            : OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, salt.data(), salt.size()),
                               OSSL_PARAM_construct_end()};
    need(EVP_KDF_derive(context, out.data(), out.size(), parameters) == 1);
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
    return out;
}

inline Bytes expand_label(const Bytes& secret, const std::string& label, std::size_t size) {
    Bytes info;
    append_number(info, size, 2);
    append_counted(info, from_text("tls13 " + label), 1);
    info.push_back(0);
    return hkdf(EVP_KDF_HKDF_MODE_EXPAND_ONLY, secret, {}, info, size);
}

inline Bytes cipher(const EVP_CIPHER* kind, const Bytes& key, const Bytes& nonce, const Bytes& header, const Bytes& text, Bytes* tag) {
    EVP_CIPHER_CTX* const context = EVP_CIPHER_CTX_new();
    Bytes out(text.size() + 16);
    int size = 0;
    need(EVP_EncryptInit_ex(context, kind, nullptr, key.data(), nonce.empty() ? nullptr : nonce.data()) == 1);
    if (!header.empty()) need(EVP_EncryptUpdate(context, nullptr, &size, header.data(), static_cast<int>(header.size())) == 1);
    need(EVP_EncryptUpdate(context, out.data(), &size, text.data(), static_cast<int>(text.size())) == 1);
    out.resize(text.size());
    if (tag != nullptr) {
        int last = 0;
        tag->resize(16);
        need(EVP_EncryptFinal_ex(context, tag->data(), &last) == 1);
        need(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, tag->data()) == 1);
    }
    EVP_CIPHER_CTX_free(context);
    return out;
}

inline void append_varint(Bytes& bytes, std::uint64_t value) {
    if (value < 64) append_number(bytes, value, 1);
    else if (value < 16'384) append_number(bytes, value | 0x4000, 2);
    else append_number(bytes, value | 0x80000000, 4);
}

struct Initial {
    std::uint32_t version = quic_1;
    Bytes destination_id = {0x83, 0x94, 0xC8, 0xF0, 0x3E, 0x51, 0x57, 0x08};
    Bytes source_id;
    Bytes token;
    Bytes key_id = destination_id;   // whose keys are used: the first packet's destination ID
    std::uint32_t key_version = 0;   // as version when 0
    std::uint64_t number = 0;
    unsigned number_bytes = 1;
    Bytes frames;
};

inline Bytes sealed(const Initial& initial) {
    const std::uint32_t key_version = initial.key_version == 0 ? initial.version : initial.key_version;
    const bool is_2 = key_version == quic_2;
    const bool is_29 = key_version >= 0xFF00001D && key_version <= 0xFF000020, is_23 = key_version >= 0xFF000017 && key_version < 0xFF00001D;
    const Bytes salt = from_hex(is_2    ? "0dede3def700a6db819381be6e269dcbf9bd2ed9"
                                : is_29 ? "afbfec289993d24c9e9786f19c6111e04390a899"
                                : is_23 ? "c3eef712c72ebb5a11a7d2432bb46365bef9f502"
                                        : "38762cf7f55934b34d179ae6a4c80cadccbb7f0a");
    const std::string prefix = is_2 ? "quicv2 " : "quic ";
    const Bytes secret = expand_label(hkdf(EVP_KDF_HKDF_MODE_EXTRACT_ONLY, initial.key_id, salt, {}, 32), "client in", 32);
    Bytes nonce = expand_label(secret, prefix + "iv", 12);
    for (unsigned i = 0; i < 8; ++i) nonce[11 - i] ^= static_cast<std::uint8_t>(initial.number >> (8 * i));

    Bytes packet = {static_cast<std::uint8_t>((initial.version == quic_2 ? 0xD0 : 0xC0) | (initial.number_bytes - 1))};
    append_number(packet, initial.version, 4);
    append_counted(packet, initial.destination_id, 1);
    append_counted(packet, initial.source_id, 1);
    append_varint(packet, initial.token.size());
    append(packet, initial.token);
    append_varint(packet, initial.number_bytes + initial.frames.size() + 16);
    const std::size_t number_offset = packet.size();
    append_number(packet, initial.number, initial.number_bytes);
    Bytes tag;
    append(packet, cipher(EVP_aes_128_gcm(), expand_label(secret, prefix + "key", 16), nonce, packet, initial.frames, &tag));
    append(packet, tag);

    const auto sample = packet.begin() + static_cast<std::ptrdiff_t>(number_offset + 4);
    const Bytes mask = cipher(EVP_aes_128_ecb(), expand_label(secret, prefix + "hp", 16), {}, {}, Bytes(sample, sample + 16), nullptr);
    packet[0] ^= mask[0] & 0x0F;
    for (unsigned i = 0; i < initial.number_bytes; ++i) packet[number_offset + i] ^= mask[1 + i];
    return packet;
}

inline Bytes crypto_frame(std::uint64_t offset, const Bytes& data) {
    Bytes bytes = {6};
    append_varint(bytes, offset);
    append_varint(bytes, data.size());
    append(bytes, data);
    return bytes;
}

inline Bytes part_of(const Bytes& bytes, std::size_t begin, std::size_t end) {
    return {bytes.begin() + static_cast<std::ptrdiff_t>(begin), bytes.begin() + static_cast<std::ptrdiff_t>(std::min(end, bytes.size()))};
}

}  // namespace unveil::test
