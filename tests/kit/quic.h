// SPDX-License-Identifier: Apache-2.0
#pragma once

// QUIC packets for tests: the client's side of RFC 9001. seal() is the way back of proto/quic/keys.cc, written apart from it on
// OpenSSL's plain calls; RFC 9001 appendix A and RFC 9369 appendix A prove both.

#include <openssl/evp.h>

#include <string>
#include <string_view>

#include "proto/quic/keys.h"
#include "tests/kit/tls.h"

namespace weir::kit::quic {

inline std::string varint(std::uint64_t v) { return v < 64 ? be(v, 1) : v < 16384 ? be(v | 0x4000, 2) : be(v | 0x80000000, 4); }
inline std::string crypto(std::size_t offset, std::string_view bytes) { return "\x06" + varint(offset) + varint(bytes.size()) + std::string(bytes); }

struct Initial {
  std::uint32_t version = 1;
  std::string dcid = "\x83\x94\xc8\xf0\x3e\x51\x57\x08", scid, token;
  std::string keys_of;  ///< The connection id that the keys are from; dcid if empty.
  std::uint32_t number = 2;
  int number_bytes = 4;
  std::size_t payload_bytes = 1162;  ///< PADDING up to here.

  std::string seal(std::string payload) const {
    if (payload.size() < payload_bytes) payload.resize(payload_bytes);
    const proto::quic::Version meaning = proto::quic::version_of(version);
    const proto::quic::Keys keys = proto::quic::derive_keys(meaning, as_bytes(keys_of.empty() ? dcid : keys_of), Side::Client);
    const int first = 0xc0 | (meaning.v2_labels ? 1 : 0) << 4 | (number_bytes - 1);
    const std::size_t length = static_cast<std::size_t>(number_bytes) + payload.size() + 16;
    std::string header = be(static_cast<std::uint64_t>(first), 1) + be(version, 4) + sized(dcid, 1) + sized(scid, 1) + varint(token.size()) + token +
                         be(length | 0x4000, 2) + be(number, number_bytes);
    std::array<std::uint8_t, 12> nonce = keys.iv;
    for (int i = 0; i < 4; ++i) nonce[11 - static_cast<std::size_t>(i)] ^= static_cast<std::uint8_t>(number >> 8 * i);

    const auto raw = [](std::string& s) { return reinterpret_cast<unsigned char*>(s.data()); };
    std::string sealed(payload.size(), '\0'), tag(16, '\0'), mask(16, '\0');
    int n = 0;
    EVP_CIPHER_CTX* gcm = EVP_CIPHER_CTX_new();
    EVP_EncryptInit_ex(gcm, EVP_aes_128_gcm(), nullptr, keys.key.data(), nonce.data());
    EVP_EncryptUpdate(gcm, nullptr, &n, raw(header), static_cast<int>(header.size()));
    EVP_EncryptUpdate(gcm, raw(sealed), &n, raw(payload), static_cast<int>(payload.size()));
    EVP_EncryptFinal_ex(gcm, raw(tag), &n);
    EVP_CIPHER_CTX_ctrl(gcm, EVP_CTRL_AEAD_GET_TAG, 16, raw(tag));
    EVP_CIPHER_CTX_free(gcm);
    sealed += tag;
    std::string sample = sealed.substr(4 - static_cast<std::size_t>(number_bytes), 16);
    EVP_CIPHER_CTX* ecb = EVP_CIPHER_CTX_new();
    EVP_EncryptInit_ex(ecb, EVP_aes_128_ecb(), nullptr, keys.header.data(), nullptr);
    EVP_EncryptUpdate(ecb, raw(mask), &n, raw(sample), 16);
    EVP_CIPHER_CTX_free(ecb);
    header[0] = static_cast<char>(header[0] ^ (mask[0] & 0x0f));
    const std::size_t at = header.size() - static_cast<std::size_t>(number_bytes);
    for (std::size_t i = at; i < header.size(); ++i) header[i] = static_cast<char>(header[i] ^ mask[i - at + 1]);
    return header + sealed;
  }
};

}  // namespace weir::kit::quic
