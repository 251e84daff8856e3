// SPDX-License-Identifier: Apache-2.0
#include "proto/quic/keys.h"

#include <openssl/evp.h>

#include <algorithm>
#include <string_view>

#include "base/check.h"

namespace weir::proto::quic {
namespace {

constexpr std::size_t kTagBytes = 16, kSampleBytes = 16, kPayloadBytesMax = 65535;
using Secret = std::array<std::uint8_t, 32>;

struct Contexts {
  EVP_MD* sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  EVP_CIPHER* gcm = EVP_CIPHER_fetch(nullptr, "AES-128-GCM", nullptr);
  EVP_CIPHER* ecb = EVP_CIPHER_fetch(nullptr, "AES-128-ECB", nullptr);
  EVP_MD_CTX* digest = EVP_MD_CTX_new();
  EVP_CIPHER_CTX* opener = EVP_CIPHER_CTX_new();
  EVP_CIPHER_CTX* masker = EVP_CIPHER_CTX_new();
  std::array<std::uint8_t, kPayloadBytesMax> payload;

  Contexts() {
    CHECK(EVP_DecryptInit_ex(opener, gcm, nullptr, nullptr, nullptr) == 1);
    CHECK(EVP_EncryptInit_ex(masker, ecb, nullptr, nullptr, nullptr) == 1);
    EVP_CIPHER_CTX_set_padding(masker, 0);
  }
  Contexts(const Contexts&) = delete;
  Contexts& operator=(const Contexts&) = delete;
  ~Contexts() {
    EVP_CIPHER_CTX_free(masker);
    EVP_CIPHER_CTX_free(opener);
    EVP_MD_CTX_free(digest);
    EVP_CIPHER_free(ecb);
    EVP_CIPHER_free(gcm);
    EVP_MD_free(sha256);
  }
};
Contexts& contexts() {
  thread_local Contexts own;
  return own;
}

// HMAC-SHA256 (RFC 2104) of two pieces; keys here are never longer than a block.
Secret hmac(Bytes key, Bytes first, Bytes second = {}) {
  std::array<std::uint8_t, 64> pad{};
  CHECK(key.size() <= pad.size());
  EVP_MD_CTX* digest = contexts().digest;
  Secret out;
  std::fill(pad.begin(), pad.end(), std::uint8_t{0x36});
  for (std::size_t i = 0; i < key.size(); ++i) pad[i] ^= key[i];
  CHECK(EVP_DigestInit_ex(digest, contexts().sha256, nullptr) == 1);
  CHECK(EVP_DigestUpdate(digest, pad.data(), pad.size()) == 1 && EVP_DigestUpdate(digest, first.data(), first.size()) == 1);
  CHECK(EVP_DigestUpdate(digest, second.data(), second.size()) == 1 && EVP_DigestFinal_ex(digest, out.data(), nullptr) == 1);
  for (std::uint8_t& byte : pad) byte ^= 0x36 ^ 0x5c;
  CHECK(EVP_DigestInit_ex(digest, contexts().sha256, nullptr) == 1);
  CHECK(EVP_DigestUpdate(digest, pad.data(), pad.size()) == 1 && EVP_DigestUpdate(digest, out.data(), out.size()) == 1);
  CHECK(EVP_DigestFinal_ex(digest, out.data(), nullptr) == 1);
  return out;
}

// HKDF-Expand-Label (RFC 8446 section 7.1) with an empty context; one block is enough for all that is asked here.
template <std::size_t Size>
std::array<std::uint8_t, Size> expand(const Secret& secret, std::string_view label) {
  static_assert(Size <= 32);
  std::array<std::uint8_t, 64> text{};
  std::size_t n = 0;
  const auto add = [&](std::string_view part) { n = static_cast<std::size_t>(std::copy(part.begin(), part.end(), text.begin() + static_cast<std::ptrdiff_t>(n)) - text.begin()); };
  text[n++] = 0;
  text[n++] = static_cast<std::uint8_t>(Size);
  text[n++] = static_cast<std::uint8_t>(label.size() + 6);
  add("tls13 ");
  add(label);
  text[n++] = 0;
  text[n++] = 1;  // number of the block
  const Secret block = hmac(secret, Bytes(text).first(n));
  std::array<std::uint8_t, Size> out;
  std::copy_n(block.begin(), Size, out.begin());
  return out;
}

}  // namespace

Keys derive_keys(const Version& version, Bytes dcid, Side sender) {
  CHECK(version.salt != nullptr);
  const Secret initial = hmac(Bytes(version.salt, 20), dcid);
  const Secret secret = expand<32>(initial, sender == Side::Client ? "client in" : "server in");
  const bool v2 = version.v2_labels;
  return {.key = expand<16>(secret, v2 ? "quicv2 key" : "quic key"),
          .iv = expand<12>(secret, v2 ? "quicv2 iv" : "quic iv"),
          .header = expand<16>(secret, v2 ? "quicv2 hp" : "quic hp")};
}

Bytes open_packet(const Keys& keys, const LongPacket& packet) {
  const Bytes all = packet.all;
  if (all.size() < packet.number_at + 4 + kSampleBytes) return {};
  Contexts& own = contexts();
  std::array<std::uint8_t, 16> mask;
  int size = 0;
  if (EVP_EncryptInit_ex(own.masker, nullptr, nullptr, keys.header.data(), nullptr) != 1 ||
      EVP_EncryptUpdate(own.masker, mask.data(), &size, &all[packet.number_at + 4], kSampleBytes) != 1)
    return {};

  // RFC 9001 section 5.4.1: the mask's first byte hides the low bits of the first byte, the others the packet number.
  const auto first = static_cast<std::uint8_t>(all[0] ^ (mask[0] & 0x0f));
  const std::size_t number_bytes = (first & 3U) + 1;
  std::array<std::uint8_t, 4> number{};
  std::array<std::uint8_t, 12> nonce = keys.iv;
  for (std::size_t i = 0; i < number_bytes; ++i) {
    number[i] = all[packet.number_at + i] ^ mask[1 + i];
    nonce[nonce.size() - number_bytes + i] ^= number[i];
  }
  const Bytes sealed = all.subspan(packet.number_at + number_bytes);
  if (sealed.size() < kTagBytes || sealed.size() - kTagBytes > own.payload.size()) return {};
  const Bytes text = sealed.first(sealed.size() - kTagBytes);
  std::array<std::uint8_t, kTagBytes> tag;
  std::copy_n(sealed.end() - kTagBytes, kTagBytes, tag.begin());

  // The header as it was before protection is the additional data, given in three pieces instead of a copy.
  const Bytes middle = all.subspan(1, packet.number_at - 1);
  const bool sound = EVP_DecryptInit_ex(own.opener, nullptr, nullptr, keys.key.data(), nonce.data()) == 1 &&
                     EVP_DecryptUpdate(own.opener, nullptr, &size, &first, 1) == 1 &&
                     EVP_DecryptUpdate(own.opener, nullptr, &size, middle.data(), static_cast<int>(middle.size())) == 1 &&
                     EVP_DecryptUpdate(own.opener, nullptr, &size, number.data(), static_cast<int>(number_bytes)) == 1 &&
                     EVP_DecryptUpdate(own.opener, own.payload.data(), &size, text.data(), static_cast<int>(text.size())) == 1 &&
                     EVP_CIPHER_CTX_ctrl(own.opener, EVP_CTRL_AEAD_SET_TAG, kTagBytes, tag.data()) == 1 &&
                     EVP_DecryptFinal_ex(own.opener, own.payload.data(), &size) == 1;
  return sound ? Bytes(own.payload).first(text.size()) : Bytes{};
}

}  // namespace weir::proto::quic
